//! What the application's own clients ask for.
//!
//! Commands take effect in the order in which they arrive, at *our* time. Their texts come from
//! clients and are checked when the command is carried out: a refused command changes nothing.

mod check;
mod room;
mod user;

use std::collections::BTreeMap;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::expired::Expired;
use crate::model::id::{RoomId, StreamId, UserId};
use crate::model::outcome::Outcome;
use crate::model::text::{Attributes, Role, Text};
pub(crate) use check::{check_name, check_role, updated_attributes};
pub(crate) use room::CheckedRoom;
pub use room::{NewRoom, RoomUpdate};
pub(crate) use user::CheckedUser;
pub use user::{NewUser, UserUpdate};

/// The longest name or role that a command may carry, in bytes.
pub const MAX_NAME_LEN: usize = 1_024;

/// What ends a created room besides [`end_room`](crate::RoomRegistry::end_room).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Lifecycle {
    /// Stays until it is ended; an empty room stays listed. The default of created rooms.
    #[default]
    UntilEnded,
    /// Ends when nobody has been in it for the empty grace, counted from its creation on.
    UntilEmpty,
    /// Ends when no session of it is visible any more. A room that was created before its first
    /// session waits for that session. Rooms known only from callbacks live like this.
    FollowsSession,
    /// Stays whatever happens: only `end_room` ends it. For lobbies and official channels; readers
    /// can tell it from [`UntilEnded`](Self::UntilEnded).
    Permanent,
}

/// The answer to a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Heartbeat {
    /// In time: the membership holds for another heartbeat timeout.
    Alive,
    /// Too late: the membership ended just now. The user has to join again.
    TimedOut,
}

/// A command as a value, for journals and queues: what
/// [`apply_command`](crate::RoomRegistry::apply_command) carries out.
///
/// Each variant is the method of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Command {
    /// [`create_room`](crate::RoomRegistry::create_room).
    CreateRoom(NewRoom),
    /// [`update_room`](crate::RoomRegistry::update_room).
    UpdateRoom {
        /// The room.
        room_id: RoomId,
        /// Another host.
        #[cfg_attr(feature = "serde", serde(default))]
        host_id: Option<Text>,
        /// Another name to show; an empty one takes it away.
        #[cfg_attr(feature = "serde", serde(default))]
        room_name: Option<Text>,
        /// Attributes to set, or with `None` to take away.
        #[cfg_attr(feature = "serde", serde(default))]
        attributes: BTreeMap<Text, Option<Text>>,
        /// Another lifecycle.
        #[cfg_attr(feature = "serde", serde(default))]
        lifecycle: Option<Lifecycle>,
    },
    /// [`end_room`](crate::RoomRegistry::end_room).
    EndRoom {
        /// The room.
        room_id: RoomId,
    },
    /// [`join_room`](crate::RoomRegistry::join_room).
    JoinRoom {
        /// The room.
        room_id: RoomId,
        /// Who joins.
        user_id: UserId,
        /// The name to show.
        #[cfg_attr(feature = "serde", serde(default))]
        user_name: Option<Text>,
        /// What the user is in the room.
        #[cfg_attr(feature = "serde", serde(default))]
        role: Option<Role>,
        /// Attributes of the application's own.
        #[cfg_attr(feature = "serde", serde(default))]
        attributes: Attributes,
    },
    /// [`leave_room`](crate::RoomRegistry::leave_room).
    LeaveRoom {
        /// The room.
        room_id: RoomId,
        /// Who leaves.
        user_id: UserId,
    },
    /// [`heartbeat`](crate::RoomRegistry::heartbeat), or
    /// [`heartbeat_with`](crate::RoomRegistry::heartbeat_with) where it carries an update.
    Heartbeat {
        /// The room.
        room_id: RoomId,
        /// Who is alive.
        user_id: UserId,
        /// Another name to show; an empty one takes it away.
        #[cfg_attr(feature = "serde", serde(default))]
        user_name: Option<Text>,
        /// Another role; an empty one takes it away.
        #[cfg_attr(feature = "serde", serde(default))]
        role: Option<Role>,
        /// Attributes to set, or with `None` to take away.
        #[cfg_attr(feature = "serde", serde(default))]
        attributes: BTreeMap<Text, Option<Text>>,
    },
    /// [`update_user`](crate::RoomRegistry::update_user).
    UpdateUser {
        /// The room.
        room_id: RoomId,
        /// The user.
        user_id: UserId,
        /// Another name to show; an empty one takes it away.
        #[cfg_attr(feature = "serde", serde(default))]
        user_name: Option<Text>,
        /// Another role; an empty one takes it away.
        #[cfg_attr(feature = "serde", serde(default))]
        role: Option<Role>,
        /// Attributes to set, or with `None` to take away.
        #[cfg_attr(feature = "serde", serde(default))]
        attributes: BTreeMap<Text, Option<Text>>,
    },
    /// [`update_stream`](crate::RoomRegistry::update_stream).
    UpdateStream {
        /// The room.
        room_id: RoomId,
        /// The stream.
        stream_id: StreamId,
        /// Attributes to set, or with `None` to take away.
        #[cfg_attr(feature = "serde", serde(default))]
        attributes: BTreeMap<Text, Option<Text>>,
    },
    /// [`grant_grace`](crate::RoomRegistry::grant_grace).
    GrantGrace,
}

impl Command {
    /// The room that it is about, as it was named; `None` where it is about all.
    ///
    /// ```
    /// use room_registry::{Command, NewRoom};
    /// assert_eq!(Command::CreateRoom(NewRoom::new("r1", "tom")).room_id(), Some("r1"));
    /// assert_eq!(Command::GrantGrace.room_id(), None);
    /// ```
    #[must_use]
    pub fn room_id(&self) -> Option<&str> {
        match self {
            Self::CreateRoom(room) => Some(&room.room_id),
            Self::UpdateRoom { room_id, .. }
            | Self::EndRoom { room_id }
            | Self::JoinRoom { room_id, .. }
            | Self::LeaveRoom { room_id, .. }
            | Self::Heartbeat { room_id, .. }
            | Self::UpdateUser { room_id, .. }
            | Self::UpdateStream { room_id, .. } => Some(room_id.as_str()),
            Self::GrantGrace => None,
        }
    }
}

/// What a [`Command`], or any [`Input`](crate::Input), answers that was carried out.
///
/// # Example
///
/// ```
/// use room_registry::{Answer, Command, Config, ManualClock, NewRoom, RoomRegistry};
/// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
/// let answer = registry.apply_command(Command::CreateRoom(NewRoom::new("r1", "tom")))?;
/// assert_eq!(answer, Answer::Done);
/// # Ok::<(), room_registry::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Answer {
    /// A command is done.
    Done,
    /// What became of a heartbeat.
    Heartbeat(Heartbeat),
    /// What became of a callback or an observation.
    Outcome(Outcome),
    /// What an expiry did.
    Expired(Expired),
}
