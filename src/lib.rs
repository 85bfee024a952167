//! The **room list, room user lists and stream lists** of a live-streaming, meeting or voice-room
//! app, kept right on the app's own server: from the app's commands (create, end, join, leave,
//! heartbeat) and from the media server's callbacks, which arrive out of order, repeated, or never.
//!
//! ```text
//! Command     ─┐                                      ┌─▶ Outcome, Error   what became of it
//! Callback    ─┼─▶ RoomRegistry ─▶ Room (rules, now) ─┼─▶ changes()        what is different
//! Observation ─┤   routing, order, expiry             └─▶ next_question()  what to ask
//! Clock       ─┘
//! ```
//!
//! # What it promises
//!
//! 1. **Order and repetition do not matter.** What is held and visible is a function of the *set*
//!    of callbacks, not of their order.
//! 2. **Nothing lost means nothing wrong.** Once every callback has arrived within the retention,
//!    and the media server's clocks differ by no more than half the tie window, what is visible is
//!    the truth.
//! 3. **No zombies.** Nothing that was seen to close comes back, however late a callback is.
//! 4. **Bounded memory.** After a silence longer than the retention, what is visible is held and
//!    nothing else.
//! 5. **Losses are noticed and mended.** Signs tell that a callback was lost,
//!    [`next_question`](RoomRegistry::next_question) says what to ask the media server, and an
//!    [`Observation`] corrects what callbacks left wrong, and never what is newer than itself.
//! 6. **Replicas merge** into exactly what one would hold that saw everything.
//! 7. **Nothing happens behind your back**: no I/O, no thread, no clock but the one that it is
//!    given, no `unsafe`. No input panics. An error leaves the state as it was.
//!
//! What it cannot know is what it was never told: a callback that is lost for good leaves a ghost,
//! or a room out of the list, until the next callback of that room or an observation says otherwise.
//!
//! # Example
//!
//! ```
//! use room_registry::{
//!     Callback, Config, Heartbeat, ManualClock, NewRoom, NewUser, Outcome, RoomCreated, RoomId,
//!     RoomRegistry, SessionId, Timestamp,
//! };
//!
//! let clock = ManualClock::at(Timestamp::from_secs(1_763_596_800)); // `RoomRegistry::new` takes the system's
//! let mut registry = RoomRegistry::with_clock(Config::default(), clock);
//!
//! // Commands, from the app's own clients:
//! registry.create_room(NewRoom::new("r1", "tom").name("Tom's show"))?;
//! registry.join_room("r1", NewUser::new("tom").name("Tom"))?;
//! assert_eq!(registry.heartbeat("r1", "tom")?, Heartbeat::Alive);
//!
//! // Callbacks, from the media server, in any order:
//! let created = RoomCreated::new(Timestamp::from_secs(1_763_596_799));
//! let callback = Callback::new(RoomId::new("r1")?, SessionId::new("858012925204410401")?, created);
//! assert_eq!(registry.apply_callback(&callback), Outcome::Applied);
//! assert_eq!(registry.apply_callback(&callback), Outcome::Duplicate);
//!
//! // What the last call made different, and what readers see:
//! assert_eq!(registry.changes().count(), 0);
//! let room = registry.room("r1").unwrap();
//! assert_eq!(room.session_id().unwrap().as_str(), "858012925204410401");
//! assert_eq!(room.users().next().unwrap().name().unwrap(), "Tom");
//! # Ok::<(), room_registry::Error>(())
//! ```
//!
//! # Words
//!
//! - **room**: what the list lists. It is listed while it was created and not ended, or while a
//!   session of it is visible.
//! - **business info**: what commands made of a room: host, name, attributes, lifecycle.
//! - **session**: one life of a room at the media server, which names it. A room that is created
//!   again has another session.
//! - **user**: has two independent facets. A *membership* comes from a join and is kept up by
//!   heartbeats; a *login* comes from callbacks. The user is listed while either holds.
//! - **stream**: what a user publishes in a session.
//! - **observation**: what the media server showed of a room when the application asked it. A user
//!   of whom only an observation tells has a *presence* in place of a login.
//! - **callback**: what the media server tells; **command**: what the app's clients ask for.
//! - ***their* time** is stamped by the media server into a callback and orders facts; ***our*
//!   time** is read from the [`Clock`] at receipt and drives heartbeats, graces and forgetting.
//!   They never mix.
//! - **retention**: how long closings are remembered, and how late an opening may be.
//!
//! # Where to go from here
//!
//! [`RoomRegistry`] is the collection in memory, [`Room`] the same rules on one room, for rooms that
//! live in a store. [`Config`] has the settings, [`Outcome`] and [`Error`] what becomes of inputs,
//! [`Change`] and [`Mirror`] what becomes different, and `zego` the first vendor's wire forms.
//!
//! [`embedding`] tells how to build a server with it: in one process, with restarts, over a shared
//! store, or sharded.
//!
//! # Features
//!
//! - `serde` (default): the vendors' wire forms, and (de)serialisation of everything that is kept
//!   or sent.

/// The README's example is compiled with the tests.
#[cfg(all(doctest, feature = "serde"))]
#[doc = include_str!("../README.md")]
struct Readme;

mod collections;
pub mod guide;
mod model;
mod read;
mod registry;
mod repair;
mod room;
pub mod vendor;

pub use model::callback::{
    Callback, CallbackEvent, LogoutReason, PlaybackUrls, RoomCloseReason, RoomClosed, RoomCreated,
    StreamCloseReason, StreamClosed, StreamCreated, StreamDetails, UserLoggedIn, UserLoggedOut,
};
pub use model::change::{Cause, Change, ChangeKind, Changes};
pub use model::command::{
    Answer, Command, Heartbeat, Lifecycle, MAX_NAME_LEN, NewRoom, NewUser, RoomUpdate, UserUpdate,
};
pub use model::config::{Config, ConfigBuilder, ConfigError, Fingerprint};
pub use model::cursor::{CursorError, Direction, RoomCursor, RoomOrder, StreamCursor, UserCursor};
pub use model::error::Error;
pub use model::id::{
    IdError, IdKind, MAX_ID_LEN, RoomId, SessionId, StreamId, StreamSessionId, UserId,
    UserSessionId,
};
pub use model::input::{Input, JournalEntry};
pub use model::observation::{Observation, ObservedList, ObservedStream, ObservedUser};
pub use model::outcome::{Explanation, Outcome, Outcomes};
pub use model::suspicion::{Sign, SuspectedList, Suspicion};
pub use model::text::{Attributes, Role, Text};
pub use model::time::Timestamp;
pub use model::visible::{Login, Membership, Presence, RoomInfo, Session, Stream, User};
pub use read::mirror::{Mirror, MirrorRoom};
pub use read::{RoomRef, StreamPage, StreamRef, UserPage, UserRef};
#[cfg(feature = "serde")]
pub use registry::Snapshot;
pub use registry::clock::{Clock, ManualClock, SystemClock};
pub use registry::{RoomPage, RoomQuery, RoomRegistry};
pub use repair::planner::{Planner, Question, Reason, Standing};
pub use room::{Expired, Room};
#[cfg(feature = "serde")]
pub use vendor::zego;
