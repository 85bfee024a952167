//! Inputs by few words. Times of callbacks are seconds after the beginning.

use room_registry::event::{
    CallbackEvent, RoomClosed, RoomCreated, StreamClosed, StreamCreated, UserLoggedIn,
    UserLoggedOut,
};
use room_registry::journal::Command;
use room_registry::{
    Callback, Lifecycle, NewRoom, NewUser, RoomId, SessionId, StreamId, StreamSessionId, Timestamp,
    UserId, UserSessionId, UserUpdate,
};

use super::START;

pub fn at(seconds: u64) -> Timestamp {
    Timestamp::from_secs(START.as_millis() / 1_000 + seconds)
}

pub fn room_id(id: &str) -> RoomId {
    RoomId::new(id).unwrap()
}

pub fn user_id(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

pub fn create(room: &str) -> Command {
    let new = NewRoom::new(room, "host").name(format!("The room {room}"));
    Command::CreateRoom(new.lifecycle(Lifecycle::UntilEnded))
}

pub fn end(room: &str) -> Command {
    Command::EndRoom { room_id: room_id(room) }
}

pub fn join(room: &str, user: &str) -> Command {
    Command::JoinRoom { room_id: room_id(room), user: NewUser::new(user).name(user.to_uppercase()) }
}

pub fn leave(room: &str, user: &str) -> Command {
    Command::LeaveRoom { room_id: room_id(room), user_id: user_id(user), connection_id: None }
}

pub fn remove(room: &str, user: &str) -> Command {
    Command::RemoveUser { room_id: room_id(room), user_id: user_id(user), reason: 7.into() }
}

pub fn heartbeat(room: &str, user: &str) -> Command {
    heartbeat_with(room, user, [])
}

pub fn heartbeat_with<const N: usize>(
    room: &str,
    user: &str,
    attributes: [(&str, &str); N],
) -> Command {
    let update = UserUpdate::new();
    let update =
        attributes.into_iter().fold(update, |update, (key, value)| update.attribute(key, value));
    Command::Heartbeat {
        room_id: room_id(room),
        user_id: user_id(user),
        connection_id: None,
        update,
    }
}

/// A callback of a session.
pub fn callback(room: &str, session: &str, event: impl Into<CallbackEvent>) -> Callback {
    Callback::new(room_id(room), SessionId::new(session).unwrap(), event)
}

pub fn opened(seconds: u64) -> RoomCreated {
    RoomCreated::new(at(seconds))
}

pub fn closed(seconds: u64) -> RoomClosed {
    RoomClosed::new(at(seconds))
}

/// The counter is the one of the session's users.
pub fn login(user: &str, counter: u64, seconds: u64) -> UserLoggedIn {
    UserLoggedIn::new(user_id(user), at(seconds))
        .user_session_id(user_session(user))
        .counter(counter)
}

pub fn logout(user: &str, counter: u64, login_at: u64, seconds: u64) -> UserLoggedOut {
    UserLoggedOut::new(user_id(user), at(seconds))
        .user_session_id(user_session(user))
        .counter(counter)
        .login_at(at(login_at))
}

pub fn stream_opened(stream: &str, counter: u64, seconds: u64) -> StreamCreated {
    let (stream_id, life) = stream_ids(stream);
    StreamCreated::new(stream_id, at(seconds))
        .stream_session_id(life)
        .order(counter)
        .counter(counter)
}

pub fn stream_closed(stream: &str, counter: u64, seconds: u64) -> StreamClosed {
    let (stream_id, life) = stream_ids(stream);
    StreamClosed::new(stream_id, at(seconds))
        .stream_session_id(life)
        .order(counter)
        .counter(counter)
}

fn user_session(user: &str) -> UserSessionId {
    UserSessionId::new(format!("{user}-1")).unwrap()
}

fn stream_ids(stream: &str) -> (StreamId, StreamSessionId) {
    (StreamId::new(stream).unwrap(), StreamSessionId::new(format!("{stream}-1")).unwrap())
}
