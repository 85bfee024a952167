//! The errors of commands, observations and imports.

use crate::model::config::Rules;
use crate::model::id::{IdError, MAX_ID_LEN};
#[cfg(feature = "serde")]
use crate::model::named::serialize_error;

/// Why a command, an observation or an import was refused. The state is as it was before.
///
/// An error may hold ids that come from outside. They print escaped, and are cut after
/// [`MAX_ID_LEN`] bytes.
///
/// # Example
///
/// ```
/// use room_registry::{Config, Error, ManualClock, RoomRegistry};
/// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
/// let error = registry.end_room("r1").unwrap_err();
/// assert_eq!(error, Error::RoomNotFound { room_id: "r1".into() });
/// assert_eq!(error.to_string(), r#"room "r1" not found"#);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A text that should be an id is not a valid one.
    #[error(transparent)]
    InvalidId(#[from] IdError),
    /// The room was created, and has not ended yet.
    #[error("room {room_id:?} already exists")]
    RoomAlreadyExists {
        /// The room.
        room_id: String,
    },
    /// The room is not listed: no command created it, and no session of it is visible.
    #[error("room {room_id:?} not found")]
    RoomNotFound {
        /// The room.
        room_id: String,
    },
    /// The user has a membership by this connection that has not timed out.
    #[error("user {user_id:?} already joined room {room_id:?}")]
    UserAlreadyJoined {
        /// The room.
        room_id: String,
        /// The user.
        user_id: String,
    },
    /// The user has as many connections to the room as one may have.
    #[error("user {user_id:?} has too many connections to room {room_id:?}: one may have {limit}")]
    TooManyConnections {
        /// The room.
        room_id: String,
        /// The user.
        user_id: String,
        /// The limit.
        limit: usize,
    },
    /// The user is not in the list of the room.
    #[error("user {user_id:?} is not in room {room_id:?}")]
    UserNotInRoom {
        /// The room.
        room_id: String,
        /// The user.
        user_id: String,
    },
    /// The stream is not in the list of the room.
    #[error("stream {stream_id:?} is not in room {room_id:?}")]
    StreamNotInRoom {
        /// The room.
        room_id: String,
        /// The stream.
        stream_id: String,
    },
    /// The room has as many users as its own limit or
    /// [`max_users_per_room`](crate::ConfigBuilder::max_users_per_room) allows.
    #[error("room {room_id:?} is full: it may have {limit} users")]
    RoomFull {
        /// The room.
        room_id: String,
        /// The limit.
        limit: usize,
    },
    /// As many rooms are listed as [`max_rooms`](crate::ConfigBuilder::max_rooms) allows.
    #[error("too many rooms: at most {limit} may be listed")]
    TooManyRooms {
        /// The limit.
        limit: usize,
    },
    /// The host has as many created rooms as
    /// [`max_rooms_per_host`](crate::ConfigBuilder::max_rooms_per_host) allows.
    #[error("host {host_id:?} has too many rooms: one host may have {limit}")]
    TooManyRoomsOfHost {
        /// The host.
        host_id: String,
        /// The limit.
        limit: usize,
    },
    /// A name, a role, or the key or value of an attribute is too long.
    #[error("{what} is {len} bytes long; at most {limit} are allowed")]
    TextTooLong {
        /// The text that is too long.
        what: String,
        /// The length of the text in bytes.
        len: usize,
        /// The greatest length in bytes.
        limit: usize,
    },
    /// After the command, there would be too many attributes.
    #[error("too many attributes: {len}; at most {limit} are allowed")]
    TooManyAttributes {
        /// How many attributes there would be.
        len: usize,
        /// How many attributes there may be.
        limit: usize,
    },
    /// An observation says that the room is not open, but lists users or streams.
    #[error(
        "the observation says that room {room_id:?} is not open, but lists users or streams in it"
    )]
    ContradictoryObservation {
        /// The room.
        room_id: String,
    },
    /// The input, or the other copy, belongs to another room.
    #[error("the input is for room {found:?}, but this is room {expected:?}")]
    OtherRoom {
        /// The room that got the input.
        expected: String,
        /// The room of the input.
        found: String,
    },
    /// The room was made under other rules. [`Room::carry_over`](crate::Room::carry_over) brings it under
    /// these.
    #[error("the room was made under the settings {found}, but these are {expected}")]
    OtherSettings {
        /// The rules of the registry, or of the other copy.
        expected: Box<Rules>,
        /// The rules of the room.
        found: Box<Rules>,
    },
}

impl Error {
    /// Returns the name of the error, without what it carries: for metrics, logs and answers to clients.
    /// Names never change.
    ///
    /// ```
    /// # use room_registry::{Config, ManualClock, RoomRegistry};
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// assert_eq!(registry.end_room("r1").unwrap_err().name(), "room_not_found");
    /// ```
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::InvalidId(_) => "invalid_id",
            Self::RoomAlreadyExists { .. } => "room_already_exists",
            Self::RoomNotFound { .. } => "room_not_found",
            Self::UserAlreadyJoined { .. } => "user_already_joined",
            Self::TooManyConnections { .. } => "too_many_connections",
            Self::UserNotInRoom { .. } => "user_not_in_room",
            Self::StreamNotInRoom { .. } => "stream_not_in_room",
            Self::RoomFull { .. } => "room_full",
            Self::TooManyRooms { .. } => "too_many_rooms",
            Self::TooManyRoomsOfHost { .. } => "too_many_rooms_of_host",
            Self::TextTooLong { .. } => "text_too_long",
            Self::TooManyAttributes { .. } => "too_many_attributes",
            Self::ContradictoryObservation { .. } => "contradictory_observation",
            Self::OtherRoom { .. } => "other_room",
            Self::OtherSettings { .. } => "other_settings",
        }
    }

    /// Returns the HTTP status with which to answer a client that gets this error.
    ///
    /// | status | it says | errors |
    /// |---|---|---|
    /// | 400 | an id or a text is not within its limits | `InvalidId`, `TextTooLong`, `TooManyAttributes` |
    /// | 404 | the room, user or stream is not listed | `RoomNotFound`, `UserNotInRoom`, `StreamNotInRoom` |
    /// | 409 | it is there already, or a limit is reached | `RoomAlreadyExists`, `UserAlreadyJoined`, `TooManyConnections`, `RoomFull`, `TooManyRooms`, `TooManyRoomsOfHost` |
    /// | 500 | the fault is your server's: log it | `ContradictoryObservation`, `OtherRoom`, `OtherSettings` |
    ///
    /// ```
    /// # use room_registry::{Config, ManualClock, RoomRegistry};
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// assert_eq!(registry.end_room("r1").unwrap_err().http_status(), 404);
    /// ```
    #[must_use]
    pub const fn http_status(&self) -> u16 {
        match self {
            Self::InvalidId(_) | Self::TextTooLong { .. } | Self::TooManyAttributes { .. } => 400,
            Self::RoomNotFound { .. }
            | Self::UserNotInRoom { .. }
            | Self::StreamNotInRoom { .. } => 404,
            Self::RoomAlreadyExists { .. }
            | Self::UserAlreadyJoined { .. }
            | Self::TooManyConnections { .. }
            | Self::RoomFull { .. }
            | Self::TooManyRooms { .. }
            | Self::TooManyRoomsOfHost { .. } => 409,
            Self::ContradictoryObservation { .. }
            | Self::OtherRoom { .. }
            | Self::OtherSettings { .. } => 500,
        }
    }
}

/// Serialises the [name](Error::name) and the text of the error, as `name` and `message`.
#[cfg(feature = "serde")]
impl serde::Serialize for Error {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_error(self.name(), self, serializer)
    }
}

/// Cuts an id that comes from outside to the longest that an id may be, for an error.
pub(crate) fn id_text(text: &str) -> String {
    let mut end = text.len().min(MAX_ID_LEN);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}
