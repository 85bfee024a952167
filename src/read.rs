//! What readers use: views and followers.
//!
//! A *view* of a room, a user or a stream is a small `Copy` value that borrows from the registry or the room.
//! Views decide nothing: they read the projection and `room/visible.rs`.
//!
//! A *follower* keeps what it needs by itself, and looks into no room. The mirror (law 1.6) and the debounce
//! (section 20) follow changes, and the visits (section 19) also follow inputs.

/// Documents a view's method with an example on a room that has one user and no session.
macro_rules! room_example {
    ($($assertion:literal),+) => {
        concat!(
            "```\n",
            "# use room_registry::*;\n",
            "# use room_registry::{event::*, journal::*, page::*, repair::*, visible::*};\n",
            "# let clock = ManualClock::at(Timestamp::from_secs(100));\n",
            "let mut registry = RoomRegistry::with_clock(Config::default(), clock);\n",
            "registry.create_room(NewRoom::new(\"r1\", \"tom\").name(\"Tom's show\").attribute(\"mode\", \"chat\"))?;\n",
            "registry.join_room(\"r1\", NewUser::new(\"ann\").name(\"Ann\"))?;\n",
            "let room = registry.room(\"r1\").unwrap();\n",
            $($assertion, "\n",)+
            "# Ok::<(), room_registry::Error>(())\n",
            "```"
        )
    };
}

pub(crate) mod debounce;
pub(crate) mod mirror;
mod page;
mod room;
mod stream;
mod summary;
mod user;
pub(crate) mod visits;

pub use page::{StreamPage, UserPage};
pub use room::RoomRef;
pub use stream::StreamRef;
pub use user::UserRef;
