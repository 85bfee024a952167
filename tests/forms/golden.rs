//! A snapshot of version 2 as it was stored once: it is what is written now.
//!
//! Where the stored form changes on purpose, this writes the file anew:
//!
//! ```text
//! REGENERATE=1 cargo test --test forms golden
//! ```

use std::time::Duration;

use room_registry::event::{
    CallbackEvent, RoomClosed, RoomCreated, StreamClosed, StreamCreated, UserLoggedIn,
    UserLoggedOut,
};
use room_registry::repair::{ObservedUser, Reason};
use room_registry::{
    Callback, Config, Heartbeat, Lifecycle, ManualClock, NewRoom, NewUser, Observation, Role,
    RoomId, RoomRegistry, SessionId, StreamId, StreamSessionId, Timestamp, UserId, UserSessionId,
    UserUpdate,
};

const STORED: &str = include_str!("../fixtures/snapshot-2.json");

type Registry = RoomRegistry<ManualClock>;

#[test]
fn what_is_written_now_is_what_was_stored() {
    let written = text_of(&story());
    if written == STORED {
        return;
    }
    regenerate(&written);
    // Not assert_eq: the difference would be hundreds of lines.
    panic!(
        "the stored form is another now; if that is meant: REGENERATE=1 cargo test --test forms golden"
    );
}

#[test]
fn what_was_stored_is_read_and_written_the_same() {
    let restored = restored();
    assert!(text_of(&restored) == STORED, "what was read is written in another way");
    assert_eq!(restored.snapshot().taken_at(), at(300));
}

#[test]
fn what_was_stored_gives_exactly_these_lists() {
    let registry = restored();
    let rooms: Vec<_> = registry.rooms().map(|room| room.id().as_str()).collect();
    assert_eq!(
        rooms,
        ["limits", "quiet", "ended", "follow", "show", "asked"],
        "newest first; when one began is unknown"
    );
    assert_eq!(registry.held_room_count(), 8, "two rooms are only remembered");

    let show = registry.room("show").unwrap();
    assert_eq!(show.name().unwrap(), "Tom's show");
    assert_eq!(show.host_id().unwrap(), "tom");
    assert_eq!(show.lifecycle(), Lifecycle::Permanent);
    assert_eq!(show.attributes().get("mode"), Some("karaoke"));
    assert_eq!(show.session_id().unwrap().as_str(), "858012925204410402");
    let users: Vec<_> = show
        .users()
        .map(|user| (user.id().as_str(), user.membership().is_some(), user.login().is_some()))
        .collect();
    assert_eq!(users, [("tom", true, true), ("mei", false, true), ("ann", true, false)]);
    let tom = show.user("tom").unwrap();
    assert_eq!((tom.name().unwrap().as_str(), tom.role()), ("Tom", Some(&Role::HOST)));
    assert_eq!(tom.heartbeat_at(), Some(at(60)));
    let streams: Vec<_> = show.streams().map(|stream| stream.id().as_str()).collect();
    assert_eq!(streams, ["camera"]);
    let camera = show.stream("camera").unwrap();
    assert_eq!(camera.publisher_id().unwrap(), "tom");
    assert_eq!(camera.attributes().get("seat"), Some("1"));

    let ended = registry.room("ended").unwrap();
    assert_eq!(ended.session_id().unwrap().as_str(), "12", "the session before it is hidden");
    assert!(ended.info().is_none());
    assert_eq!(ended.user_count(), 1);

    let asked = registry.room("asked").unwrap();
    assert_eq!(asked.session().unwrap().session_id, None);
    assert!(asked.user("zoe").unwrap().presence().is_some());

    assert_eq!(registry.room("follow").unwrap().user_count(), 1);

    let limits = registry.room("limits").unwrap();
    let users: Vec<_> = limits.users().map(|user| user.id().as_str()).collect();
    assert_eq!(users, ["old", "dee", "fay", "ann"], "a creation after an end shows who is there");
    assert_eq!(limits.user("dee").unwrap().attributes().get("seat"), Some("2"));
    assert_eq!(limits.info().unwrap().max_users, Some(50));
    assert_eq!(limits.info().unwrap().ends_at, Some(at(100_000)));
    let mut again = restored();
    assert_eq!(again.heartbeat("limits", ("ann", "laptop")), Ok(Heartbeat::Alive));
    assert_eq!(again.heartbeat("limits", ("ann", "phone")), Ok(Heartbeat::Left));
    assert_eq!(again.heartbeat("limits", "max"), Ok(Heartbeat::Removed));
    assert_eq!(again.next_question().unwrap().reason, Reason::Refused);
    assert_eq!(registry.outcomes().total(), 21);
}

#[test]
fn what_was_stored_remembers_the_closings_and_brings_nothing_back() {
    let mut registry = restored();
    for callback in [
        callback("show", "858012925204410401", RoomCreated::new(at(1))),
        callback("ended", "11", RoomCreated::new(at(20))),
        callback("ended", "11", login("bob", "31", 21, 1)),
        callback("closed", "41", RoomCreated::new(at(45))),
        callback("show", "858012925204410402", login("bob", "23", 33, 3)),
    ] {
        let before = lists(&registry);
        registry.apply_callback(&callback);
        assert_eq!(lists(&registry), before, "{callback:?}");
    }
}

/// Who and what readers see, as text.
fn lists(registry: &Registry) -> String {
    let rooms = registry.rooms().map(|room| {
        let users: Vec<_> = room.users().map(|user| user.id().as_str()).collect();
        let streams: Vec<_> = room.streams().map(|stream| stream.id().as_str()).collect();
        format!("{} {:?} {users:?} {streams:?}\n", room.id(), room.session_id())
    });
    rooms.collect()
}

/// A registry in which every kind of register holds something.
fn story() -> Registry {
    let clock = ManualClock::at(at(0));
    let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
    let mut now = 0;
    let mut hear = |registry: &mut Registry, seconds: u64, callback: Callback| {
        clock.advance(Duration::from_secs(seconds - now));
        now = seconds;
        registry.apply_callback(&callback);
    };

    // A room of commands and callbacks, in its second session.
    let show = NewRoom::new("show", "tom").name("Tom's show").attribute("mode", "karaoke");
    registry.create_room(show.lifecycle(Lifecycle::Permanent)).unwrap();
    let tom = NewUser::new("tom").name("Tom").role(Role::HOST).attribute("level", "7");
    registry.join_room("show", tom).unwrap();
    let (first, second) = ("858012925204410401", "858012925204410402");
    hear(&mut registry, 10, callback("show", first, RoomClosed::new(at(9))));
    let opened = RoomCreated::new(at(30)).creator_id(user_id("tom"));
    hear(&mut registry, 31, callback("show", second, opened));
    hear(&mut registry, 32, callback("show", second, login("tom", "21", 31, 1)));
    hear(&mut registry, 33, callback("show", second, login("mei", "22", 32, 2)));
    hear(&mut registry, 36, callback("show", second, logout("bob", "23", 33, 35, 4)));
    let mut camera = StreamCreated::new(stream_id("camera"), at(37))
        .stream_session_id(stream_life("s-1"))
        .order(1)
        .counter(1);
    camera.details.publisher_id = Some(user_id("tom"));
    camera.details.title = Some("Songs".into());
    hear(&mut registry, 38, callback("show", second, camera));
    registry.update_stream("show", "camera", [("seat".into(), Some("1".into()))].into()).unwrap();
    let screen = StreamClosed::new(stream_id("screen"), at(40))
        .stream_session_id(stream_life("s-2"))
        .order(3)
        .counter(3);
    hear(&mut registry, 41, callback("show", second, screen));
    registry.join_room("show", NewUser::new("ann")).unwrap();
    registry.join_room("show", NewUser::new("eve")).unwrap();
    registry.leave_room("show", "eve").unwrap();

    // A room whose only session was closed before it was opened: remembered, and not listed.
    hear(&mut registry, 50, callback("closed", "41", RoomClosed::new(at(49))));

    // A room that waits for its session.
    let follow = NewRoom::new("follow", "mei").lifecycle(Lifecycle::FollowsSession);
    registry.create_room(follow).unwrap();
    registry.join_room("follow", NewUser::new("mei").name("Mei")).unwrap();
    hear(&mut registry, 60, callback("follow", "51", RoomClosed::new(at(59))));
    registry.heartbeat("show", "tom").unwrap();

    // A room that was ended with its session, and another session since.
    registry.create_room(NewRoom::new("ended", "bob")).unwrap();
    hear(&mut registry, 61, callback("ended", "11", RoomCreated::new(at(20))));
    hear(&mut registry, 62, callback("ended", "11", login("bob", "31", 21, 1)));
    registry.end_room("ended").unwrap();
    hear(&mut registry, 71, callback("ended", "12", RoomCreated::new(at(70))));
    hear(&mut registry, 300, callback("ended", "12", login("bob", "32", 71, 1)));

    // A room of which only an observation tells.
    let answer = Observation::new(room_id("asked"), at(299));
    let answer = answer.users([ObservedUser::new(user_id("zoe")).name("Zoe")]).streams([]);
    registry.apply_observation(&answer).unwrap();

    // A room with limits of its own, whose members have connections and are removed. It ended before, with
    // somebody in its session without a name, and was created again.
    let unnamed = |event: CallbackEvent| Callback::new(room_id("limits"), None, event);
    registry.create_room(NewRoom::new("limits", "ann")).unwrap();
    registry.apply_callback(&unnamed(login("old", "61", 280, 1).into()));
    registry.end_room("limits").unwrap();
    let limits = NewRoom::new("limits", "ann").max_users(50).ends_at(at(100_000));
    let (grace, longer) = (Duration::from_secs(30), Duration::from_secs(600));
    registry.create_room(limits.empty_grace(grace).first_join_grace(longer)).unwrap();
    for device in ["phone", "laptop"] {
        registry.join_room("limits", NewUser::new("ann").connection(device)).unwrap();
    }
    registry.leave_room("limits", ("ann", "phone")).unwrap();
    registry.join_room("limits", NewUser::new("max")).unwrap();
    registry.remove_user("limits", "max", "spam").unwrap();
    for (life, seconds) in [("62", 296), ("63", 297)] {
        let device = login("dee", life, seconds, 2).exclusive(false);
        registry.apply_callback(&unnamed(device.into()));
    }
    registry.update_user("limits", "dee", UserUpdate::new().attribute("seat", "2")).unwrap();
    for (order, seconds) in [(1, 296), (2, 298)] {
        let fay = UserLoggedIn::new(user_id("fay"), at(seconds)).order(order).counter(order);
        registry.apply_callback(&unnamed(fay.into()));
    }
    let gus = logout("gus", "64", 0, 299, 3).login_at(None).exclusive(false);
    registry.apply_callback(&unnamed(gus.into()));

    // A session in which nobody is, and an opening that came too late.
    registry.apply_callback(&callback("quiet", "71", RoomCreated::new(at(290))));
    let late = Timestamp::from_secs(1_763_590_000);
    let late =
        UserLoggedIn::new(user_id("ann"), late).user_session_id(UserSessionId::new("72").unwrap());
    registry.apply_callback(&callback("late", "81", late));
    registry
}

fn text_of(registry: &Registry) -> String {
    serde_json::to_string_pretty(&registry.snapshot()).unwrap() + "\n"
}

fn restored() -> Registry {
    let mut reader = serde_json::Deserializer::from_str(STORED);
    let clock = ManualClock::at(at(300));
    RoomRegistry::restore_exactly(Config::default(), clock, &mut reader).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a test, not the library")]
fn regenerate(written: &str) {
    if std::env::var_os("REGENERATE").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/snapshot-2.json");
        std::fs::write(path, written).unwrap();
        panic!("the file was written anew; run the test again");
    }
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_secs(1_763_596_800 + seconds)
}

fn callback(room: &str, session: &str, event: impl Into<CallbackEvent>) -> Callback {
    Callback::new(room_id(room), SessionId::new(session).unwrap(), event)
}

fn login(user: &str, life: &str, seconds: u64, counter: u64) -> UserLoggedIn {
    let life = UserSessionId::new(life).unwrap();
    UserLoggedIn::new(user_id(user), at(seconds)).user_session_id(life).counter(counter)
}

fn logout(user: &str, life: &str, login: u64, logout: u64, counter: u64) -> UserLoggedOut {
    let life = UserSessionId::new(life).unwrap();
    UserLoggedOut::new(user_id(user), at(logout))
        .user_session_id(life)
        .counter(counter)
        .login_at(at(login))
}

fn room_id(id: &str) -> RoomId {
    RoomId::new(id).unwrap()
}

fn user_id(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

fn stream_id(id: &str) -> StreamId {
    StreamId::new(id).unwrap()
}

fn stream_life(id: &str) -> StreamSessionId {
    StreamSessionId::new(id).unwrap()
}
