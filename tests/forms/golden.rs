//! A snapshot of version 2 as it was stored once: it is what is written now.
//!
//! Where the stored form changes on purpose, this writes the file anew:
//!
//! ```text
//! REGENERATE=1 cargo test --test forms golden
//! ```

use std::time::Duration;

use room_registry::event::{
    CallbackEvent, PlaybackUrls, RoomClosed, RoomCreated, StreamClosed, StreamCreated,
    StreamDetails, UserLoggedIn, UserLoggedOut,
};
use room_registry::repair::{ObservedStream, ObservedUser, Reason};
use room_registry::{
    Callback, Config, Heartbeat, Lifecycle, ManualClock, NewRoom, NewUser, Observation, Role, Room,
    RoomId, RoomRegistry, SessionId, StreamId, StreamSessionId, Text, Timestamp, UserId,
    UserSessionId, UserUpdate,
};

use super::filled::never_varied;

const STORED: &str = include_str!("../fixtures/snapshot-2.json");
/// The second session of the show.
pub(crate) const SECOND: &str = "858012925204410402";

type Registry = RoomRegistry<ManualClock>;

#[test]
fn what_is_written_now_is_what_was_stored() {
    let written = text_of(&story());
    if written == STORED {
        return;
    }
    regenerate("snapshot-2.json", &written);
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

/// What the file does not show, it does not pin. No command closes streams, and a registry has one value of
/// each setting.
#[test]
fn every_field_of_the_stored_form_holds_something() {
    let stored: serde_json::Value = serde_json::from_str(STORED).unwrap();
    let expected = [
        ".rooms[].live.observed.streams.entries.*.left_at is always empty",
        ".rooms[].live.sessions[].streams[].closings[].closing.by_us is always false",
        ".rooms[].live.sessions[].streams[].facts[].state.closed.by_us is always false",
        ".rooms[].settings.empty_means_closed is always true",
        ".rooms[].settings.infer_sessions is always true",
        ".settings.empty_means_closed is always true",
        ".settings.infer_sessions is always true",
    ];
    assert_eq!(never_varied([&stored]), expected);
}

#[test]
fn what_was_stored_gives_exactly_these_lists() {
    let registry = restored();
    let rooms: Vec<_> = registry.rooms().map(|room| room.id().as_str()).collect();
    assert_eq!(
        rooms,
        [
            "limits", "quiet", "seen", "twice", "over", "ended", "follow", "signs", "show",
            "unknown", "back", "asked"
        ],
        "newest first; when three began is unknown"
    );
    assert_eq!(registry.held_room_count(), 16, "four rooms are only remembered");

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

    let signs = registry.room("signs").unwrap();
    let users: Vec<_> = signs.users().map(|user| (user.id().as_str(), user.is_counted())).collect();
    assert_eq!(users, [("kim", false), ("lee", true), ("ray", true), ("lou", true)]);
    assert_eq!(signs.user("kim").unwrap().login().unwrap().role, Some(Role::new("recorder")));
    assert!(registry.room("seen").unwrap().user("ivy").unwrap().note().is_some());

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
    let mut registry = RoomRegistry::with_clock(config(), clock.clone());
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
    let (first, second) = ("858012925204410401", SECOND);
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

    for room in imported(&config()) {
        registry.import(room).unwrap();
    }
    registry
}

/// Rooms that were kept elsewhere. In them the registers hold what those of the others do not.
fn imported(config: &Config) -> Vec<Room> {
    vec![
        signs(config),
        unlisted(config),
        seen(config),
        unknown("unknown", 290, config),
        unknown("unnamed", 0, config),
        ended(config),
        back(config),
        over(config),
    ]
}

fn hear(room: &mut Room, config: &Config, seconds: u64, event: impl Into<CallbackEvent>) {
    let session_id = if room.id().as_str() == "seen" { "95" } else { "91" };
    let told = callback(room.id().as_str(), session_id, event);
    room.apply(&told, config, at(seconds)).unwrap();
}

/// A room with signs of loss, told and untold, and with users and streams who say all of themselves.
fn signs(config: &Config) -> Room {
    let mut room = Room::new(room_id("signs"), config);
    let hear = |room: &mut Room, seconds, event: CallbackEvent| hear(room, config, seconds, event);
    hear(&mut room, 10, RoomCreated::new(at(9)).creator_id(user_id("tom")).into());
    let kim = login("kim", "101", 11, 1).user_name(Text::from("Kim")).role(Role::new("recorder"));
    hear(&mut room, 11, kim.room_name(Text::from("Signs")).into());
    // Two logins within the tie window, and a number that is missing before them.
    hear(&mut room, 12, login("lee", "102", 12, 3).into());
    hear(&mut room, 12, login("lee", "103", 12, 4).into());
    // One that nobody saw log in, and a publisher who went.
    hear(&mut room, 13, logout("bob", "104", 12, 13, 5).into());
    hear(&mut room, 13, login("zed", "105", 13, 6).into());
    let stay = |which| Some(stream_life(which));
    let full = StreamCreated::new(stream_id("full"), at(14)).stream_session_id(stay("s-9"));
    hear(&mut room, 14, full.counter(1).details(details()).into());
    let mut left = StreamCreated::new(stream_id("left"), at(14)).order(3).counter(3);
    left.details.publisher_id = Some(user_id("zed"));
    hear(&mut room, 14, left.clone().into());
    left.created_at = at(15);
    hear(&mut room, 15, left.order(4).counter(4).into()); // it was open already
    hear(&mut room, 16, logout("zed", "105", 13, 16, 7).into());
    let gone = StreamClosed::new(stream_id("gone"), at(16)).stream_session_id(stay("s-8"));
    hear(&mut room, 16, gone.counter(5).into());
    let one = StreamCreated::new(stream_id("shared"), at(16)).stream_session_id(stay("s-5"));
    hear(&mut room, 16, one.exclusive(false).into());
    let other = StreamClosed::new(stream_id("shared"), at(16)).stream_session_id(stay("s-6"));
    hear(&mut room, 16, other.created_at(at(15)).exclusive(false).into());
    // Ordered users: one came in twice and went at once, and one is closed out by the application.
    for order in [1, 2] {
        let max = UserLoggedIn::new(user_id("max"), at(16 + order)).order(order);
        hear(&mut room, 18, max.into());
    }
    hear(&mut room, 19, UserLoggedOut::new(user_id("max"), at(19)).order(3).into());
    let amy = UserLoggedIn::new(user_id("amy"), at(19)).order(1);
    hear(&mut room, 19, amy.into());
    room.leave("amy", config, at(20)).unwrap();
    hear(&mut room, 20, login("ned", "106", 20, 8).into());
    room.leave("ned", config, at(20)).unwrap();
    let ray = UserLoggedIn::new(user_id("ray"), at(20)).order(1);
    hear(&mut room, 20, ray.into());
    let word = UserUpdate::new().name("Word");
    room.update_user("kim", word.clone(), config, at(21)).unwrap();
    room.update_user("ray", word.role(Role::HOST), config, at(21)).unwrap();
    // What is told by then, and what is noticed only then.
    hear(&mut room, 200, login("lou", "107", 200, 10).into());
    let late = StreamCreated::new(stream_id("late"), at(200)).counter(7);
    hear(&mut room, 200, late.into());
    room
}

/// A room that everybody left without a close: it left the list.
fn unlisted(config: &Config) -> Room {
    let mut room = Room::new(room_id("unlisted"), config);
    hear(&mut room, config, 0, RoomCreated::new(at(0)));
    room.expire(config, at(300)).unwrap();
    room
}

/// A room that was observed: with a user of whom all is told, one who left, and what was absent between.
fn seen(config: &Config) -> Room {
    let mut room = Room::new(room_id("seen"), config);
    hear(&mut room, config, 200, login("pat", "111", 200, 1));
    let mut ivy = ObservedUser::new(user_id("ivy")).name("Ivy");
    (ivy.role, ivy.login_at) = (Some(Role::HOST), Some(at(150)));
    let mut camera = ObservedStream::new(stream_id("camera"));
    (camera.created_at, camera.details) = (Some(at(160)), details());
    let joe = ObservedUser::new(user_id("joe"));
    let look = || Observation::new(room_id("seen"), at(0)).session_id(session_id("95"));
    let both = look().users([ivy.clone(), joe.clone()]).streams([camera.clone()]);
    let neither = look().users([ivy.clone()]).streams([]);
    let again = look().some_users([joe]).some_streams([camera]);
    for (seconds, mut seen) in [(210, both), (220, neither), (224, again)] {
        seen.observed_at = at(seconds);
        room.apply_observation(&seen, config, at(seconds)).unwrap();
    }
    room.leave("joe", config, at(225)).unwrap();
    let word = UserUpdate::new().attribute("seat", "3");
    room.update_user("ivy", word, config, at(226)).unwrap();
    room
}

/// A room that was seen open and empty, in a session that nobody named. If that was long ago, it left the list.
fn unknown(id: &str, seconds: u64, config: &Config) -> Room {
    let mut room = Room::new(room_id(id), config);
    let seen = Observation::new(room_id(id), at(seconds)).open(true).users([]).streams([]);
    room.apply_observation(&seen, config, at(seconds)).unwrap();
    room.expire(config, at(300)).unwrap();
    room
}

/// A room that was observed, and that ended twice. One who had joined fell silent.
fn ended(config: &Config) -> Room {
    let mut room = Room::new(room_id("twice"), config);
    let seen = Observation::new(room_id("twice"), at(100));
    let seen = seen.users([ObservedUser::new(user_id("ann"))]).streams([]);
    room.apply_observation(&seen, config, at(100)).unwrap();
    room.end(config, at(110)).unwrap();
    room.create(NewRoom::new("twice", "ann"), config, at(111)).unwrap();
    room.end(config, at(120)).unwrap();
    room.create(NewRoom::new("twice", "ann"), config, at(121)).unwrap();
    room.join(NewUser::new("sue"), config, at(122)).unwrap();
    room.expire(config, at(250)).unwrap();
    room
}

/// A room that is shown by an observation after its end, longer ago than an end is remembered.
fn back(config: &Config) -> Room {
    let mut room = Room::new(room_id("back"), config);
    let before = |seconds: u64| Timestamp::from_secs(1_763_596_800 - seconds);
    for (seen, ended) in [(700, 650), (640, 0)] {
        let answer = Observation::new(room_id("back"), before(seen));
        let answer = answer.users([ObservedUser::new(user_id("uma"))]).streams([]);
        room.apply_observation(&answer, config, before(seen)).unwrap();
        if ended > 0 {
            room.end(config, before(ended)).unwrap();
        }
    }
    room.expire(config, before(40)).unwrap();
    room
}

/// A created room whose session is over, as an observation says.
fn over(config: &Config) -> Room {
    let mut room = Room::new(room_id("over"), config);
    let new = NewRoom::new("over", "tom").lifecycle(Lifecycle::FollowsSession);
    room.create(new, config, at(100)).unwrap();
    hear(&mut room, config, 101, RoomCreated::new(at(101)));
    let seen = Observation::new(room_id("over"), at(150)).open(false).users([]).streams([]);
    room.apply_observation(&seen, config, at(150)).unwrap();
    room
}

/// All that may be told of a stream.
pub(crate) fn details() -> StreamDetails {
    let (mut details, mut playback) = (StreamDetails::default(), PlaybackUrls::default());
    details.publisher_id = Some(user_id("kim"));
    details.publisher_name = Some("Kim".into());
    details.title = Some("Songs".into());
    details.extra_info = Some("{}".into());
    playback.rtmp = vec!["rtmp://a/1".into()];
    playback.hls = vec!["https://a/1.m3u8".into()];
    playback.flv = vec!["https://a/1.flv".into()];
    playback.pictures = vec!["https://a/1.jpg".into(), "https://b/1.jpg".into()];
    details.playback = playback;
    details
}

/// The default settings, and roles that do not count.
fn config() -> Config {
    let roles = vec![Role::new("recorder"), Role::new("bot")];
    Config::builder().uncounted_roles(roles).build().unwrap()
}

fn text_of(registry: &Registry) -> String {
    serde_json::to_string_pretty(&registry.snapshot()).unwrap() + "\n"
}

pub(crate) fn restored() -> Registry {
    let mut reader = serde_json::Deserializer::from_str(STORED);
    let clock = ManualClock::at(at(300));
    RoomRegistry::restore_exactly(config(), clock, &mut reader).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a test, not the library")]
pub(crate) fn regenerate(file: &str, written: &str) {
    if std::env::var_os("REGENERATE").is_some() {
        let path = format!("{}/fixtures/{file}", env!("CARGO_MANIFEST_DIR"));
        std::fs::write(path, written).unwrap();
        panic!("the file was written anew; run the test again");
    }
}

pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_secs(1_763_596_800 + seconds)
}

pub(crate) fn callback(room: &str, session: &str, event: impl Into<CallbackEvent>) -> Callback {
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

pub(crate) fn room_id(id: &str) -> RoomId {
    RoomId::new(id).unwrap()
}

pub(crate) fn session_id(id: &str) -> SessionId {
    SessionId::new(id).unwrap()
}

pub(crate) fn user_id(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

pub(crate) fn stream_id(id: &str) -> StreamId {
    StreamId::new(id).unwrap()
}

fn stream_life(id: &str) -> StreamSessionId {
    StreamSessionId::new(id).unwrap()
}
