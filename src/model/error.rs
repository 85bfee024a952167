//! What goes wrong, in one enum.

use crate::model::config::Fingerprint;
use crate::model::id::{IdError, MAX_ID_LEN};

/// A command or an import that could not be carried out. The state is as it was before.
///
/// Ids in it come from outside: they are printed escaped, and cut after [`MAX_ID_LEN`] bytes.
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
    /// A text in the command is no identifier.
    #[error(transparent)]
    InvalidId(#[from] IdError),
    /// The room was created and did not end yet.
    #[error("room {room_id:?} already exists")]
    RoomAlreadyExists {
        /// The room.
        room_id: String,
    },
    /// The room is not listed: it was not created, and no session of it is open.
    #[error("room {room_id:?} not found")]
    RoomNotFound {
        /// The room.
        room_id: String,
    },
    /// The user has a membership that holds.
    #[error("user {user_id:?} already joined room {room_id:?}")]
    UserAlreadyJoined {
        /// The room.
        room_id: String,
        /// The user.
        user_id: String,
    },
    /// The user is not in the room's list.
    #[error("user {user_id:?} is not in room {room_id:?}")]
    UserNotInRoom {
        /// The room.
        room_id: String,
        /// The user.
        user_id: String,
    },
    /// The stream is not in the room's list.
    #[error("stream {stream_id:?} is not in room {room_id:?}")]
    StreamNotInRoom {
        /// The room.
        room_id: String,
        /// The stream.
        stream_id: String,
    },
    /// The room has as many users as a join may let in.
    #[error("room {room_id:?} is full: it may have {limit} users")]
    RoomFull {
        /// The room.
        room_id: String,
        /// The limit.
        limit: usize,
    },
    /// As many rooms are listed as may be.
    #[error("there are too many rooms: {limit} may be listed")]
    TooManyRooms {
        /// The limit.
        limit: usize,
    },
    /// The host has as many rooms as one may have.
    #[error("host {host_id:?} has too many rooms: one host may have {limit}")]
    TooManyRoomsOfHost {
        /// The host.
        host_id: String,
        /// The limit.
        limit: usize,
    },
    /// A name, role or attribute in the command is too long, or there are too many.
    #[error("{what} is too long: {len} bytes, {limit} are allowed")]
    TextTooLong {
        /// Which text.
        what: String,
        /// Its length in bytes.
        len: usize,
        /// How long it may be.
        limit: usize,
    },
    /// The command would leave too many attributes.
    #[error("{len} attributes are too many, {limit} are allowed")]
    TooManyAttributes {
        /// How many there would be.
        len: usize,
        /// How many there may be.
        limit: usize,
    },
    /// An observation says that the room is not open, and lists users or streams.
    #[error(
        "the observation of room {room_id:?} says that it is not open, and lists somebody in it"
    )]
    ContradictoryObservation {
        /// The room.
        room_id: String,
    },
    /// What was handed to a room is another room's.
    #[error("this is room {expected:?}, and the input is for room {found:?}")]
    OtherRoom {
        /// The room that was asked.
        expected: String,
        /// The room of the input.
        found: String,
    },
    /// The room was made under other settings than those given.
    #[error("the room was made under other settings ({found}) than these ({expected})")]
    OtherSettings {
        /// The settings given.
        expected: Fingerprint,
        /// The settings of the room.
        found: Fingerprint,
    },
}

/// An id from outside, for an error: cut to what an id may be.
pub(crate) fn id_text(text: &str) -> String {
    let mut end = text.len().min(MAX_ID_LEN);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}
