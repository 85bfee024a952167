//! Keeps the **room list, room user lists and stream lists** of a live-streaming, meeting or
//! voice-room app right on the app's own server.
//!
//! It takes the app's commands (create, end, join, leave, heartbeat) and the media server's
//! callbacks, which arrive out of order, repeatedly, or never. It answers with lists that are
//! right all the same. It decodes the callbacks of ZEGOCLOUD, and takes those of any other vendor as
//! [`Callback`]s.
//!
//! | start here | to |
//! |---|---|
//! | [The first program](#a-first-program) | see it work |
//! | [The guide](guide) | know what holds for all methods, and build and run a server |
//! | [ZEGOCLOUD's callbacks](vendor) | decode what your media server sends |
//! | [Embedding](guide::embedding) | put it into one process, a task, a store, or many machines; [short programs](guide#files) are in `examples/` |
//!
//! ```text
//! Command     ─┐                                      ┌─▶ Outcome, Error   what became of it
//! Callback    ─┼─▶ RoomRegistry ─▶ Room (rules, now) ─┼─▶ changes()        what changed
//! Observation ─┤   routing, order, expiry             └─▶ next_question()  what to ask
//! Clock       ─┘
//! ```
//!
//! # What it promises
//!
//! 1. **Order and repetition do not matter.** What is stored and visible follows from the *set* of
//!    callbacks.
//! 2. **Nothing lost means nothing wrong.** Once every callback has arrived within the retention,
//!    what is visible is the truth. The media server's clocks may differ by half the tie window.
//! 3. **No zombies.** Nothing that was seen to close comes back, however late a callback arrives.
//! 4. **Bounded memory.** After a silence longer than the retention, almost nothing is stored beyond what
//!    is visible.
//! 5. **Losses are noticed and mended.** Signs show that a callback was lost, and
//!    [`next_question`](RoomRegistry::next_question) says what to ask the media server. An [`Observation`]
//!    corrects what callbacks left wrong, but never what is newer than itself.
//! 6. **Replicas merge** into exactly the state of a single one that saw everything.
//! 7. **Changes are exact.** A [`Mirror`] that applies them equals what readers see.
//! 8. **Nothing happens behind your back.** There is no I/O, no thread, no clock but the one that
//!    you give, and no `unsafe`. No input makes it panic. An error leaves the state as it was.
//!
//! It cannot know what nobody told it. A callback that is lost for good leaves a ghost in a list,
//! or keeps a room out of it. That lasts until the next callback for the room or an observation says
//! otherwise. [`guide::rules`] states each promise exactly, with its conditions.
//!
//! # A first program
//!
//! ```
//! use room_registry::event::RoomCreated;
//! use room_registry::{
//!     Callback, Config, Heartbeat, ManualClock, NewRoom, NewUser, Outcome, RoomId, RoomRegistry,
//!     SessionId, Timestamp,
//! };
//!
//! // `RoomRegistry::new` takes the system's clock. This one stands still:
//! let clock = ManualClock::at(Timestamp::from_secs(1_763_596_800));
//! let mut registry = RoomRegistry::with_clock(Config::default(), clock);
//!
//! // Commands come from the app's own clients:
//! registry.create_room(NewRoom::new("r1", "tom").name("Tom's show"))?;
//! registry.join_room("r1", NewUser::new("tom").name("Tom"))?;
//! assert_eq!(registry.heartbeat("r1", "tom")?, Heartbeat::Alive);
//!
//! // Callbacks come from the media server, in any order:
//! let created = RoomCreated::new(Timestamp::from_secs(1_763_596_799));
//! let callback = Callback::new(RoomId::new("r1")?, SessionId::new("8580129")?, created);
//! assert_eq!(registry.apply_callback(&callback), Outcome::Applied);
//! assert_eq!(registry.changes().count(), 1); // what the last call made different
//! assert_eq!(registry.apply_callback(&callback), Outcome::Duplicate);
//! assert_eq!(registry.changes().count(), 0);
//!
//! // Readers see both:
//! let room = registry.room("r1").unwrap();
//! assert_eq!(room.session_id().unwrap().as_str(), "8580129");
//! assert_eq!(room.users().next().unwrap().name().unwrap(), "Tom");
//! # Ok::<(), room_registry::Error>(())
//! ```
//!
//! # Where to go
//!
//! | you want to | read |
//! |---|---|
//! | choose what ends a room | [`guide::lifecycles`] |
//! | build a server | [`guide::embedding`]: in one process or task, with restarts, over a shared store, or sharded |
//! | move from another way of keeping the lists | [`guide::migrating`] |
//! | run a server | [`guide::operating`] and [`guide::security`] |
//! | keep rooms in memory, or one room in a store | [`RoomRegistry`], or [`Room`] |
//! | decode what your media server sends | [`vendor`] |
//! | set timeouts, graces and limits | [`Config`], and [`guide::settings`] to change them later |
//! | know what became of an input | [`Outcome`] and [`Error`] |
//! | follow what changes | [`Change`] and [`Mirror`] |
//! | announce who comes and goes, without flicker | [`Debounce`] |
//! | know who was here, from when to when | [`Visits`] |
//! | know exactly what the lists show | [`guide::rules`] and [`guide::memberships`], with their tests in [`guide::laws`] |
//! | mend what lost callbacks left wrong | [`guide::repair`] |
//! | know what a new version may change | [`guide::versions`] |
//! | change the library | [`guide::architecture`] and [`guide::contributing`] |
//!
//! # Words
//!
//! What the lists are about:
//!
//! - A **room** is what the list lists. It is listed if it was created and has not ended, or if a session
//!   of it is visible.
//! - **Business info** is what commands set for a room: host, name, attributes, lifecycle.
//! - A **session** is one life of a room at the media server, which names it. A room that is created there
//!   again gets another session. The **visible session** is the one that readers see.
//! - A **user** has two independent facets. A *membership* comes from a join, and heartbeats keep it alive.
//!   A *login* comes from callbacks. The user is listed while either holds.
//! - A **stream** is what a user publishes in a session.
//!
//! What comes in:
//!
//! - A **command** is what the app's clients ask for, and a **callback** is what the media server reports
//!   on its own.
//! - An **observation** is what the media server answered when the application asked about a room.
//!   The **observed roster** is what observations said about who was there. A user whom only an
//!   observation shows has a *presence* in place of a login.
//!
//! How the rules speak:
//!
//! - **Event time** is what the media server stamps on a callback, and it orders facts. **Local time** is
//!   what the [`Clock`] shows when an input arrives, and it drives timeouts, graces and forgetting. The two
//!   meet in six places. Section 11 of [`guide::rules`] lists them, and says what a difference between the
//!   clocks costs in each.
//! - The **rules** decide what a room stores and shows. Stored rooms carry the settings among them, and
//!   rooms with different settings do not merge.
//! - **Registers** hold what is known about a room. All that readers see follows from them.
//! - A **closing tombstone** is a closing that is remembered, so that no late opening brings back
//!   what it ended. The **retention** says for how long, and how late an opening may come.
//! - **Signs of loss** show that a callback is missing. A **sequence gap** is the strongest: a number is
//!   missing between two that were seen.
//! - The **repair status** of a room says what about it is in doubt. The planner asks about rooms with gaps
//!   and signs first. Then come **quiet** ones, about which nothing has come since a change that no
//!   observation confirmed. All others take turns, in **rotation**.
//!
//! # Cost
//!
//! If a method states no cost, it takes constant time, apart from what it is given and what it returns.
//! An operation on a room also forgets what has outlived the retention there, and costs what it forgets.
//! Heartbeats forget nothing. If the clock is set back by more than the clock skew, the next call costs all
//! rooms.
//!
//! # Features
//!
//! - `serde` (on by default) decodes the vendors' wire forms, and serialises everything that is kept
//!   or sent.
//! - `json` decodes the bytes of a vendor's request: JSON, percent-encoded JSON and forms. It brings in
//!   `serde_json` and `percent-encoding`.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![allow(
    single_use_lifetimes,
    reason = "an argument of a type that is only named by a trait has no shorter way to say it"
)]

/// The README's first program is compiled with the tests.
#[cfg(all(doctest, feature = "json"))]
#[doc = include_str!("../README.md")]
struct Readme;

mod collections;
pub mod guide;
mod model;
mod read;
mod registers;
mod registry;
pub mod repair;
mod room;
mod rules;
#[cfg(feature = "serde")]
mod stored;
pub mod vendor;

pub use model::callback::Callback;
pub use model::change::{Cause, Change, ChangeKind, EndReason};
pub use model::command::{
    Heartbeat, Lifecycle, MAX_NAME_LEN, NewRoom, NewUser, RoomUpdate, UserConnection, UserUpdate,
};
pub use model::config::{Config, ConfigBuilder, ConfigError, Rules};
pub use model::error::Error;
pub use model::expired::Expired;
pub use model::id::{
    ConnectionId, IdError, IdKind, MAX_ID_LEN, RoomId, SessionId, StreamId, StreamSessionId,
    UserId, UserSessionId,
};
pub use model::observation::Observation;
pub use model::outcome::{Outcome, Outcomes};
pub use model::text::{Attributes, RemovalReason, Role, Text};
pub use model::time::Timestamp;
pub use read::debounce::Debounce;
pub use read::mirror::Mirror;
pub use read::visits::{Facet, Visit, Visits};
pub use read::{RoomRef, StreamRef, UserRef};
#[cfg(feature = "serde")]
pub use registry::Snapshot;
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
pub use registry::clock::SystemClock;
pub use registry::clock::{Clock, ManualClock};
pub use registry::{RoomQuery, RoomRegistry};
pub use room::Room;
pub use room::changes::Changes;

/// What callbacks report: rooms, users and streams that came or went, and why.
pub mod event {
    pub use crate::model::callback::{
        CallbackEvent, LogoutReason, PlaybackUrls, RoomCloseReason, RoomClosed, RoomCreated,
        StreamCloseReason, StreamClosed, StreamCreated, StreamDetails, UserDetails, UserLoggedIn,
        UserLoggedOut,
    };
    pub use crate::model::outcome::Explanation;
}

/// Inputs as values, for journals and queues.
pub mod journal {
    pub use crate::model::command::{Answer, Command};
    pub use crate::model::input::{Input, JournalEntry};
}

/// Pages of lists: their orders and directions, and the cursors between them.
pub mod page {
    pub use crate::model::cursor::{
        CursorError, Direction, RoomCursor, RoomOrder, StreamCursor, UserCursor,
    };
    pub use crate::read::{StreamPage, UserPage};
    pub use crate::registry::RoomPage;
}

/// The visible state as values, which changes and mirrors carry.
pub mod visible {
    pub use crate::model::summary::{RoomSummary, SummaryChange};
    pub use crate::model::visible::{
        Login, Membership, Presence, RoomInfo, Session, Stream, User, UserNote,
    };
    pub use crate::read::mirror::MirrorRoom;
}
