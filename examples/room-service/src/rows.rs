//! What lists are made of: the entries, as JSON has them.
//!
//! The names of the fields that existing clients know stay: `room_id`, `room_name`, `host_id`,
//! `user_id`, `user_name`, `join_time`, `heartbeat_time`. All times are unix milliseconds.

use room_registry::event::PlaybackUrls;
use room_registry::repair::Suspicion;
use room_registry::{
    Attributes, Lifecycle, Role, RoomId, RoomRef, SessionId, StreamId, StreamRef, StreamSessionId,
    Text, Timestamp, UserId, UserRef,
};
use serde::{Deserialize, Serialize};

/// A page of the room list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RoomList {
    pub rooms: Vec<Room>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// A room, without those who are in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Room {
    pub room_id: RoomId,
    /// Empty if nobody gave it one.
    pub room_name: Text,
    /// Empty if neither a command nor a callback named one.
    pub host_id: String,
    pub user_count: usize,
    pub stream_count: usize,
    pub attributes: Attributes,
    pub lifecycle: Lifecycle,
    /// When it began: created by a command, else opened at the media server.
    pub began_at: Option<Timestamp>,
    pub session: Option<RoomSession>,
    pub suspicions: Vec<Suspicion>,
    /// Until when the media server confirmed both lists.
    pub confirmed_at: Option<Timestamp>,
}

/// A session of a room at the media server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoomSession {
    pub session_id: Option<SessionId>,
    pub opened_at: Option<Timestamp>,
    /// No callback told of its creation.
    pub inferred: bool,
}

impl From<RoomRef<'_>> for Room {
    fn from(room: RoomRef<'_>) -> Self {
        Self {
            room_id: room.id().clone(),
            room_name: room.name().cloned().unwrap_or_default(),
            host_id: room.host_id().map(ToString::to_string).unwrap_or_default(),
            user_count: room.user_count(),
            stream_count: room.stream_count(),
            attributes: room.attributes().clone(),
            lifecycle: room.lifecycle(),
            began_at: room.began_at(),
            session: room.session().map(|session| RoomSession {
                session_id: session.session_id.clone(),
                opened_at: session.opened_at,
                inferred: session.inferred,
            }),
            suspicions: room.suspicions().to_vec(),
            confirmed_at: room.confirmed_at(),
        }
    }
}

/// A page of the users of a room.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UserList {
    pub users: Vec<RoomUser>,
    pub next_cursor: Option<String>,
}

/// A user of a room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoomUser {
    pub user_id: UserId,
    /// Empty if nobody gave one.
    pub user_name: Text,
    /// When the user joined; who never joined has the time of the login.
    pub join_time: Option<Timestamp>,
    /// The last heartbeat; none of a user who never joined.
    pub heartbeat_time: Option<Timestamp>,
    pub role: Option<Role>,
    pub attributes: Attributes,
    /// When the user logged in at the media server.
    pub login_time: Option<Timestamp>,
    /// Joined, and keeps it up by heartbeats.
    pub joined: bool,
    /// The media server told of the user: by a callback, or when it was asked.
    pub logged_in: bool,
}

impl From<UserRef<'_>> for RoomUser {
    fn from(user: UserRef<'_>) -> Self {
        let login = user.login().map(|login| login.login_at);
        let presence = user.presence().and_then(|presence| presence.login_at);
        let login_time = login.or(presence);
        Self {
            user_id: user.id().clone(),
            user_name: user.name().cloned().unwrap_or_default(),
            join_time: user.membership().map(|membership| membership.joined_at).or(login_time),
            heartbeat_time: user.heartbeat_at(),
            role: user.role().cloned(),
            attributes: user.attributes().clone(),
            login_time,
            joined: user.membership().is_some(),
            logged_in: user.login().is_some() || user.presence().is_some(),
        }
    }
}

/// A page of the streams of a room.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StreamList {
    pub streams: Vec<RoomStream>,
    pub next_cursor: Option<String>,
}

/// A stream of a room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoomStream {
    pub stream_id: StreamId,
    pub stream_session_id: Option<StreamSessionId>,
    pub publisher_id: Option<UserId>,
    pub created_at: Option<Timestamp>,
    pub title: Option<Text>,
    pub playback: PlaybackUrls,
    pub attributes: Attributes,
}

impl From<StreamRef<'_>> for RoomStream {
    fn from(stream: StreamRef<'_>) -> Self {
        let details = stream.details();
        Self {
            stream_id: stream.id().clone(),
            stream_session_id: stream.stream_session_id().cloned(),
            publisher_id: stream.publisher_id().cloned(),
            created_at: stream.created_at(),
            title: details.title.clone(),
            playback: details.playback.clone(),
            attributes: stream.attributes().clone(),
        }
    }
}
