//! Commands: what the clients of the application ask for.
//!
//! Commands take effect in the order in which they arrive, at local time. Carrying out a command
//! checks the texts in it, because they come from clients. A refused command changes nothing.

mod check;
#[cfg(feature = "serde")]
mod form;
mod room;
mod user;

use std::collections::BTreeMap;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::expired::Expired;
use crate::model::id::{ConnectionId, RoomId, StreamId, UserId};
use crate::model::named::{named_enum, print_name};
use crate::model::outcome::Outcome;
use crate::model::text::{RemovalReason, Text};
pub(crate) use check::{check_name, check_reason, check_role, updated_attributes};
pub(crate) use room::CheckedRoom;
pub use room::{NewRoom, RoomUpdate};
pub(crate) use user::CheckedUser;
pub use user::{NewUser, UserConnection, UserUpdate};

/// The longest name, role or reason that a command may carry, in bytes.
pub const MAX_NAME_LEN: usize = 1_024;

/// What ends a created room, besides [`end_room`](crate::RoomRegistry::end_room).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Lifecycle {
    /// The room stays until a command ends it, also if it is empty. What was stored without a lifecycle
    /// reads as this one.
    UntilEnded,
    /// The room ends when nobody has been in it for a grace:
    /// [`first_join_grace`](crate::ConfigBuilder::first_join_grace) if nobody came yet,
    /// [`empty_grace`](crate::ConfigBuilder::empty_grace) after the last one left. Created rooms have this
    /// lifecycle by default.
    #[default]
    UntilEmpty,
    /// The room ends when no session of it is visible any more. A room that is created before its
    /// first session waits for it. Rooms known only from callbacks live like this.
    FollowsSession,
    /// The room stays until a command ends it, such as a lobby or an official channel. Readers can
    /// tell it from [`UntilEnded`](Self::UntilEnded).
    Permanent,
}

impl Lifecycle {
    /// What a journal line or a stored room means that names none.
    #[cfg(feature = "serde")]
    pub(crate) fn unsaid() -> Self {
        Self::UntilEnded
    }
}

named_enum! {
    /// The answer to a heartbeat. It serialises as its name.
    ///
    /// The last three say how the user went, for the retention. The user has to join again.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Heartbeat {
        /// The heartbeat came in time: the membership holds for another heartbeat timeout.
        Alive = "alive",
        /// The heartbeats had stopped for more than the timeout: the membership ended, just now or in a
        /// sweep.
        TimedOut = "timed_out",
        /// The user left, or the room ended and was created again.
        Left = "left",
        /// The application removed the user.
        Removed = "removed",
    }

    /// Returns the name of the answer, for metrics, logs and answers to clients.
    ///
    /// ```
    /// # use room_registry::Heartbeat;
    /// assert_eq!(Heartbeat::TimedOut.name(), "timed_out");
    /// ```
    fn name(Self);
}

print_name!(Heartbeat);

/// A command as a value, for journals and queues.
/// [`apply_command`](crate::RoomRegistry::apply_command) carries it out.
///
/// Each variant stands for the method of the same name, and carries its values. The serialised form is
/// flat: what a user or an update carries stands beside the room. Deserialising checks the ids.
///
/// # As the body of a request
///
/// A server may take commands as they are. In JSON, ids have to be there, and everything else may be left
/// out. Times and spans are numbers, in milliseconds:
///
/// ```
/// # #[cfg(feature = "serde")] {
/// use room_registry::journal::Command;
/// for body in [
///     r#"{"create_room":{"room_id":"r1","host_id":"tom","room_name":"Tom's show","attributes":{"mode":"talk"},
///         "lifecycle":"until_empty","max_users":8,"ends_at":1763600400000,"empty_grace_ms":60000}}"#,
///     r#"{"update_room":{"room_id":"r1","room_name":"Late show","attributes":{"mode":null}}}"#,
///     r#"{"end_room":{"room_id":"r1"}}"#,
///     r#"{"join_room":{"room_id":"r1","user_id":"ann","user_name":"Ann","connection_id":"phone"}}"#,
///     r#"{"heartbeat":{"room_id":"r1","user_id":"ann","connection_id":"phone"}}"#,
///     r#"{"update_user":{"room_id":"r1","user_id":"ann","attributes":{"seat":"2"}}}"#,
///     r#"{"leave_room":{"room_id":"r1","user_id":"ann","connection_id":"phone"}}"#,
///     r#"{"remove_user":{"room_id":"r1","user_id":"ann","reason":"spam"}}"#,
/// ] {
///     serde_json::from_str::<Command>(body).unwrap();
/// }
/// # }
/// ```
///
/// A room whose JSON names no lifecycle stays until it is ended, as in journals. [`NewRoom::new`] makes one that
/// ends when it is empty, so let clients name theirs, or set it.
///
/// Check first whether this client may do this. Refuse [`GrantGrace`](Self::GrantGrace), which is for the
/// operator: it is the one command without a [`room_id`](Self::room_id).
///
/// # Example
///
/// ```
/// use room_registry::journal::Command;
/// use room_registry::{NewUser, RoomId};
/// let join = Command::JoinRoom { room_id: RoomId::new("r1")?, user: NewUser::new("ann").name("Ann") };
/// # #[cfg(feature = "serde")]
/// assert_eq!(
///     serde_json::to_value(&join).unwrap()["join_room"]["user_name"],
///     serde_json::json!("Ann"),
/// );
/// # Ok::<(), room_registry::IdError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "form::CommandForm", into = "form::CommandForm"))]
#[non_exhaustive]
pub enum Command {
    /// [`create_room`](crate::RoomRegistry::create_room).
    CreateRoom(NewRoom),
    /// [`update_room`](crate::RoomRegistry::update_room).
    UpdateRoom {
        /// The room.
        room_id: RoomId,
        /// What changes.
        update: RoomUpdate,
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
        /// The user who joins.
        user: NewUser,
    },
    /// [`leave_room`](crate::RoomRegistry::leave_room).
    LeaveRoom {
        /// The room.
        room_id: RoomId,
        /// The user who leaves.
        user_id: UserId,
        /// The connection that ends; none for all.
        connection_id: Option<ConnectionId>,
    },
    /// [`remove_user`](crate::RoomRegistry::remove_user).
    RemoveUser {
        /// The room.
        room_id: RoomId,
        /// The user who is removed.
        user_id: UserId,
        /// Why. It may be empty.
        reason: RemovalReason,
    },
    /// [`heartbeat`](crate::RoomRegistry::heartbeat), or
    /// [`heartbeat_with`](crate::RoomRegistry::heartbeat_with) if it carries an update.
    Heartbeat {
        /// The room.
        room_id: RoomId,
        /// The user who is alive.
        user_id: UserId,
        /// The connection that is alive.
        connection_id: Option<ConnectionId>,
        /// What changes. [`UserUpdate::default`] is for nothing.
        update: UserUpdate,
    },
    /// [`update_user`](crate::RoomRegistry::update_user).
    UpdateUser {
        /// The room.
        room_id: RoomId,
        /// The user.
        user_id: UserId,
        /// What changes.
        update: UserUpdate,
    },
    /// [`update_stream`](crate::RoomRegistry::update_stream).
    UpdateStream {
        /// The room.
        room_id: RoomId,
        /// The stream.
        stream_id: StreamId,
        /// Attributes to set. `None` takes an attribute away.
        attributes: BTreeMap<Text, Option<Text>>,
    },
    /// [`grant_grace`](crate::RoomRegistry::grant_grace).
    GrantGrace,
}

impl Command {
    /// Returns the room that the command names; `None` if it concerns all rooms.
    ///
    /// ```
    /// use room_registry::journal::Command;
    /// use room_registry::NewRoom;
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
            | Self::RemoveUser { room_id, .. }
            | Self::Heartbeat { room_id, .. }
            | Self::UpdateUser { room_id, .. }
            | Self::UpdateStream { room_id, .. } => Some(room_id.as_str()),
            Self::GrantGrace => None,
        }
    }
}

/// The answer of a [`Command`], or of any other [`Input`](crate::journal::Input), that was carried out. In JSON
/// it is `"done"`, or an object of one field, such as `{"heartbeat":"alive"}` or `{"outcome":"applied"}`.
///
/// # Example
///
/// ```
/// use room_registry::journal::{Answer, Command};
/// use room_registry::{Config, ManualClock, NewRoom, RoomRegistry};
/// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
/// let answer = registry.apply_command(&Command::CreateRoom(NewRoom::new("r1", "tom")))?;
/// assert_eq!(answer, Answer::Done);
/// # #[cfg(feature = "serde")]
/// assert_eq!(serde_json::to_string(&answer).unwrap(), r#""done""#);
/// # Ok::<(), room_registry::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Answer {
    /// The command is done.
    Done,
    /// The answer to a heartbeat.
    Heartbeat(Heartbeat),
    /// The outcome of a callback or an observation.
    Outcome(Outcome),
    /// The work that an expiry did.
    Expired(Expired),
}
