//! Known cases that break other designs, each by name. Digits are lives, and the arrival order is
//! the order of the arguments.

mod arrivals;
mod endings;
mod forgetting;
mod inferred;
mod outcomes;
mod ties;

use std::time::Duration;

use room_registry::event::{
    CallbackEvent, RoomClosed, RoomCreated, StreamClosed, StreamCreated, UserLoggedIn,
    UserLoggedOut,
};
use room_registry::{
    Callback, Config, ManualClock, RoomId, RoomRegistry, SessionId, StreamId, StreamSessionId,
    Timestamp, UserId, UserRef, UserSessionId,
};

/// Event time at the start of each case. Local time is a little later.
const BASE: u64 = 1_763_596_800_000;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(BASE + millis)
}

fn callback(session: u64, event: impl Into<CallbackEvent>) -> Callback {
    Callback::new(RoomId::new("r").unwrap(), SessionId::new(session.to_string()).unwrap(), event)
}

/// The room is created.
fn create(session: u64, millis: u64) -> Callback {
    callback(session, RoomCreated::new(at(millis)))
}

/// The room is closed.
fn close(session: u64, millis: u64) -> Callback {
    callback(session, RoomClosed::new(at(millis)))
}

/// Tom logs in: to a session of the room, under a user session, with a counter.
fn login(session: u64, user_session: u64, millis: u64, counter: u64) -> Callback {
    login_of("tom", session, user_session, millis, counter)
}

fn login_of(user: &str, session: u64, user_session: u64, millis: u64, counter: u64) -> Callback {
    let user_session = UserSessionId::new(user_session.to_string()).unwrap();
    callback(
        session,
        UserLoggedIn::new(UserId::new(user).unwrap(), at(millis))
            .user_session_id(user_session)
            .counter(counter),
    )
}

/// Tom logs out; the payload tells when he logged in.
fn logout(session: u64, user_session: u64, login: u64, millis: u64, counter: u64) -> Callback {
    let user_session = UserSessionId::new(user_session.to_string()).unwrap();
    let event = UserLoggedOut::new(UserId::new("tom").unwrap(), at(millis))
        .user_session_id(user_session)
        .counter(counter);
    callback(session, event.login_at(at(login)))
}

/// Tom logs out; the payload does not tell when he logged in.
fn logout_without_login_time(
    session: u64,
    user_session: u64,
    millis: u64,
    counter: u64,
) -> Callback {
    let user_session = UserSessionId::new(user_session.to_string()).unwrap();
    callback(
        session,
        UserLoggedOut::new(UserId::new("tom").unwrap(), at(millis))
            .user_session_id(user_session)
            .counter(counter),
    )
}

/// A stream is published.
fn publish(session: u64, life: u64, millis: u64, counter: u64) -> Callback {
    let (id, life) =
        (StreamId::new("camera").unwrap(), StreamSessionId::new(format!("s-{life}")).unwrap());
    callback(
        session,
        StreamCreated::new(id, at(millis)).stream_session_id(life).order(counter).counter(counter),
    )
}

/// A stream ends.
fn unpublish(session: u64, life: u64, created: u64, millis: u64, counter: u64) -> Callback {
    let (id, life) =
        (StreamId::new("camera").unwrap(), StreamSessionId::new(format!("s-{life}")).unwrap());
    callback(
        session,
        StreamClosed::new(id, at(millis))
            .stream_session_id(life)
            .order(counter)
            .counter(counter)
            .created_at(at(created)),
    )
}

/// A registry whose clock stands an hour after the start of the case, well within its retention.
fn registry() -> (RoomRegistry<ManualClock>, ManualClock) {
    let config = Config::builder().retention(Some(Duration::from_secs(86_400))).build().unwrap();
    let clock = ManualClock::at(at(3_600_000));
    (RoomRegistry::with_clock(config, clock.clone()), clock)
}

fn arrived(callbacks: impl IntoIterator<Item = Callback>) -> RoomRegistry<ManualClock> {
    let (mut registry, _) = registry();
    for callback in callbacks {
        registry.apply_callback(&callback);
    }
    registry
}

#[track_caller]
fn assert_no_room(callbacks: impl IntoIterator<Item = Callback>) {
    let registry = arrived(callbacks);
    assert!(registry.room("r").is_none(), "{:?}", registry.room("r"));
}

#[track_caller]
fn assert_session(callbacks: impl IntoIterator<Item = Callback>, session: &str) {
    let registry = arrived(callbacks);
    let room = registry.room("r").expect("the room is open");
    assert_eq!(room.session_id().map(SessionId::as_str), Some(session));
}

/// Asserts which user session of Tom is logged in.
#[track_caller]
fn assert_tom(callbacks: impl IntoIterator<Item = Callback>, user_session: Option<&str>) {
    let registry = arrived(callbacks);
    let room = registry.room("r").expect("the room is open");
    let login = room.user("tom").and_then(UserRef::user_session_id);
    assert_eq!(login.map(UserSessionId::as_str), user_session);
}

/// Asserts which life of the stream is open.
#[track_caller]
fn assert_camera(callbacks: impl IntoIterator<Item = Callback>, life: Option<&str>) {
    let registry = arrived(callbacks);
    let room = registry.room("r").expect("the room is open");
    let stream = room.stream("camera").map(|stream| stream.stream_session_id().unwrap().as_str());
    assert_eq!(stream, life);
}
