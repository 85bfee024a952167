//! Rooms whose sessions the media server does not name.

use room_registry::event::{CallbackEvent, RoomClosed, UserLoggedIn};
use room_registry::journal::Input;
use room_registry::{Callback, Config, Mirror, NewRoom, Outcome, Room, Text, Timestamp, Visits};
use room_registry_world::story::{
    Story, at, created, login, logout, observation, room_id, stream_created, user,
};

/// Hears of an event without the name of a session.
fn hears(story: &mut Story, seconds: u64, event: impl Into<CallbackEvent>) -> Outcome {
    story.clock.set(at(seconds));
    let mut mirror: Mirror = story.registry.rooms().collect();
    let outcome = story.registry.apply_callback(&Callback::new(room_id(), None, event));
    story.registry.changes().for_each(|change| mirror.apply(&change));
    assert_eq!(mirror, story.registry.rooms().collect());
    outcome
}

fn closed(seconds: u64) -> RoomClosed {
    RoomClosed::new(at(seconds))
}

/// Holds laws 21.1, 21.2 and 21.3.
#[test]
fn a_room_without_names_is_open_while_somebody_is_in_it() {
    for infers in [true, false] {
        let mut story = Story::with(Config::builder().infer_sessions(infers).build().unwrap());
        assert_eq!(hears(&mut story, 0, created(0)), Outcome::Held);
        assert!(!story.is_open(), "a creation says nothing");
        assert_eq!(hears(&mut story, 1, login("ann", 1, 1)), Outcome::Applied);
        hears(&mut story, 2, stream_created("camera", 1, 2));
        let session = story.registry.room("r").unwrap().session().unwrap().clone();
        assert_eq!((session.session_id, session.opened_at), (None, Some(at(1))));
        assert_eq!(hears(&mut story, 3, created(0)), Outcome::Held, "again");

        assert_eq!(hears(&mut story, 60, closed(60)), Outcome::Applied);
        assert!(!story.is_open());
        assert_eq!(hears(&mut story, 61, closed(60)), Outcome::Stale);
        assert_eq!(hears(&mut story, 62, closed(50)), Outcome::Stale);
        assert_ne!(hears(&mut story, 63, login("bob", 2, 30)), Outcome::Applied);
        assert!(!story.is_open(), "who came before the close went with it");
        hears(&mut story, 64, login("cat", 3, 64));
        assert_eq!((story.users(), story.streams()), (vec!["cat".into()], vec![]));
        let opened_at = story.registry.room("r").unwrap().session().unwrap().opened_at;
        assert_eq!(opened_at, Some(at(64)), "by what shows");
        hears(&mut story, 70, logout("cat", 3, 64, 70));
        assert!(!story.is_open());
    }
}

/// Holds law 21.3.
#[test]
fn a_close_without_a_name_counts_a_tie_window_before_its_stamp() {
    let millis = |millis: u64| Timestamp::from_millis(at(60).as_millis() - millis);
    for (before, is_there) in [(100, true), (101, false)] {
        let mut story = Story::new();
        hears(&mut story, 60, closed(60));
        let mut late = login("ann", 1, 60);
        late.login_at = millis(before);
        hears(&mut story, 61, late);
        assert_eq!(story.is_open(), is_there);
        let mut gone = logout("ann", 1, 60, 60);
        gone.login_at = Some(millis(before));
        hears(&mut story, 62, gone);
        assert!(!story.is_open(), "its own closing ends it");
    }
}

/// Holds laws 5.2 and 21.3.
#[test]
fn a_close_without_a_name_may_be_as_late_as_an_opening() {
    let mut story = Story::new();
    hears(&mut story, 700, login("ann", 1, 700));
    assert_eq!(hears(&mut story, 700, closed(99)), Outcome::TooLate);
    assert_eq!(hears(&mut story, 700, closed(100)), Outcome::Held);
    assert_eq!(story.users(), ["ann"]);
}

/// One visitor, `end_room`, and then new people every minute. Holds law 21.4.
#[test]
fn after_an_end_whoever_comes_next_shows() {
    let mut story = Story::new();
    hears(&mut story, 1, login("ann", 1, 1));
    story.passes_to(60);
    story.registry.end_room("r").unwrap();
    assert!(!story.is_open());
    hears(&mut story, 61, login("late", 2, 50));
    assert!(!story.is_open(), "it was before the end");
    for minute in 2..200 {
        let who = format!("user{minute}");
        hears(&mut story, minute * 60, login(&who, minute, minute * 60));
        assert_eq!(story.users(), std::slice::from_ref(&who), "minute {minute}");
        hears(&mut story, minute * 60 + 30, logout(&who, minute, minute * 60, minute * 60 + 30));
        assert!(!story.is_open());
        story.registry.expire();
    }
    hears(&mut story, 12_000, logout("ann", 1, 1, 11_999));
    hears(&mut story, 12_000, logout("late", 2, 50, 11_999));
    story.passes_to(20_000);
    story.registry.expire();
    assert_eq!(story.registry.held_room_count(), 0);
}

/// Holds law 21.4.
#[test]
fn after_a_merge_the_later_of_two_ends_counts_for_who_came_between_them() {
    let config = Config::default();
    let hear = |room: &mut Room, now: u64, event: UserLoggedIn| {
        room.apply(&Callback::new(room_id(), None, event), &config, at(now)).unwrap();
    };
    for (late_login, last_login, shows) in [(80, 1, false), (118, 119, false), (118, 117, true)] {
        let mut one = Room::new(room_id(), &config);
        hear(&mut one, 1, login("ann", 1, 1));
        let mut other = one.clone();
        one.end(&config, at(60)).unwrap();
        hear(&mut one, late_login, login("bob", 2, late_login));
        hear(&mut other, 119, login("cat", 3, last_login));
        other.end(&config, at(120)).unwrap();
        assert!(one.view().is_some() && other.view().is_none());
        for (mut room, more) in [(one.clone(), other.clone()), (other, one)] {
            room.merge(more, &config, at(121)).unwrap();
            assert_eq!(room.view().is_some(), shows, "{late_login} and {last_login}");
        }
    }
}

/// Holds law 21.4.
#[test]
fn after_an_end_a_stream_that_opened_before_it_shows_no_more() {
    let mut story = Story::new();
    hears(&mut story, 1, stream_created("camera", 1, 1));
    assert_eq!(story.streams(), ["camera"]);
    story.passes_to(60);
    story.registry.end_room("r").unwrap();
    assert!(!story.is_open());
    hears(&mut story, 61, login("ann", 1, 61));
    assert_eq!((story.users(), story.streams()), (vec!["ann".into()], vec![]));
    hears(&mut story, 62, stream_created("screen", 2, 62));
    assert_eq!(story.streams(), ["screen"]);
}

/// The name does not depend on how much is forgotten when somebody comes. Holds laws 2.7, 6.4 and 21.4.
#[test]
fn after_an_end_a_room_has_no_name_that_a_login_told_before_it() {
    for seconds in [61, 90, 662, 700, 20_000] {
        let mut story = Story::new();
        hears(&mut story, 1, login("ann", 1, 1).room_name(Text::from("the old show")));
        story.passes_to(60);
        story.registry.end_room("r").unwrap();
        hears(&mut story, 60, closed(60)); // keeps the room for longer than what ann told
        hears(&mut story, seconds, stream_created("camera", 1, seconds));
        assert_eq!(story.registry.room("r").unwrap().name(), None, "{seconds}");
        let mut again = story.registry.export("r").unwrap();
        hears(&mut story, seconds, login("bob", 2, seconds).room_name(Text::from("the new show")));
        assert_eq!(story.registry.room("r").unwrap().name().unwrap(), "the new show");

        again.create(NewRoom::new("r", "tom"), &Config::default(), at(seconds)).unwrap();
        let is_remembered = seconds <= 665; // R and δ after the end
        assert_eq!(again.view().unwrap().name().is_some(), is_remembered, "{seconds}");
    }
}

/// Holds law 21.1.
#[test]
fn a_creation_without_a_name_is_held_however_old_it_is() {
    let mut story = Story::new();
    assert_eq!(hears(&mut story, 100_000, created(0)), Outcome::Held);
    assert!(!story.is_open());
}

/// Holds laws 21.4 and 6.4.
#[test]
fn what_an_end_hid_stays_hidden_once_it_is_forgotten_and_shows_in_a_room_created_again() {
    let mut story = Story::new();
    hears(&mut story, 59, login("ann", 1, 59));
    story.passes_to(60);
    story.registry.end_room("r").unwrap();
    story.passes_to(662);
    story.registry.expire();
    hears(&mut story, 662, login("bob", 2, 662));
    assert_eq!(story.users(), ["bob"], "ann is hidden, though the end is forgotten");
    let config = Config::default();
    let json = serde_json::to_string(&story.registry.export("r").unwrap()).unwrap();
    let mut stored: Room = serde_json::from_str(&json).unwrap();
    assert_eq!(serde_json::to_string(&stored).unwrap(), json);
    for room in [&mut stored, &mut story.registry.export("r").unwrap()] {
        room.create(NewRoom::new("r", "tom"), &config, at(663)).unwrap();
        let users: Vec<_> =
            room.view().unwrap().users().map(|user| user.id().to_string()).collect();
        assert_eq!(users, ["ann", "bob"]);
    }
}

/// Holds law 21.5.
#[test]
fn a_session_with_a_name_outranks_the_one_without() {
    let mut story = Story::new();
    hears(&mut story, 1, login("ann", 1, 1));
    story.hears_of("7", at(60), created(60));
    assert_eq!(story.session().as_deref(), Some("7"));
    story.hears_of("7", at(100), RoomClosed::new(at(100)));
    assert!(!story.is_open(), "ann logged in before it");
    hears(&mut story, 101, login("bob", 2, 101));
    assert_eq!((story.session(), story.users()), (None, vec!["bob".into()]));
}

/// Holds law 21.5.
#[test]
fn an_observation_of_a_room_without_names_mends_it() {
    let mut story = Story::new();
    hears(&mut story, 1, login("ghost", 1, 1));
    story.passes_to(60);
    let mut mirror: Mirror = story.registry.rooms().collect();
    story.sees(&observation(60).users([user("bob")]).streams([]));
    story.registry.changes().for_each(|change| mirror.apply(&change));
    assert_eq!(mirror, story.registry.rooms().collect());
    assert_eq!(story.users(), ["bob"]);
    hears(&mut story, 61, login("bob", 2, 40));
    assert_eq!(story.users(), ["bob"]);
    hears(&mut story, 62, logout("bob", 2, 40, 62));
    story.passes_to(120);
    story.sees(&observation(120).users([]).streams([]));
    assert!(!story.is_open());
}

/// Holds laws 14.5 and 15.8.
#[test]
fn a_room_that_everybody_left_after_an_observation_of_it_is_not_open() {
    let everybody = || observation(30).users([user("ann"), user("bob")]);
    for seen in [
        everybody(),
        everybody().open(true),
        everybody().streams([]),
        observation(30).some_users([user("bob")]),
        observation(30).open(true),
    ] {
        let mut story = Story::new();
        hears(&mut story, 1, login("ann", 1, 1));
        hears(&mut story, 2, login("bob", 1, 2));
        story.passes_to(30);
        story.sees(&seen);
        hears(&mut story, 40, logout("ann", 1, 1, 40));
        assert!(story.is_open(), "{seen:?}");
        hears(&mut story, 50, logout("bob", 1, 2, 50));
        assert!(!story.is_open(), "{seen:?}");
        // One that was made before the last one left changes nothing, and a later one counts.
        story.passes_to(60);
        story.sees(&observation(54).open(true));
        assert!(!story.is_open(), "{seen:?}");
        story.sees(&observation(60).open(true));
        assert!(story.is_open(), "{seen:?}");
    }
}

/// Holds law 21.6.
#[test]
fn a_session_without_a_name_lacks_no_creation() {
    let mut story = Story::new();
    hears(&mut story, 1, stream_created("camera", 1, 1));
    hears(&mut story, 1, login("ann", 1, 1));
    hears(&mut story, 2, logout("ann", 1, 1, 2));
    story.passes_to(300);
    story.registry.expire();
    assert_eq!(story.registry.room("r").unwrap().suspicions(), []);
}

/// Holds law 21.7.
#[test]
fn a_close_without_a_name_ends_no_visit() {
    let mut visits = Visits::new(&Config::default());
    let mut take = |seconds, event: CallbackEvent| {
        visits.apply(&Input::Callback(Callback::new(room_id(), None, event)), at(seconds))
    };
    assert_eq!(take(1, login("ann", 1, 1).into()), []);
    assert_eq!(take(60, closed(60).into()), []);
    let visits = take(61, logout("ann", 1, 1, 59).into());
    let told: Vec<_> = visits.iter().map(|it| (&it.session_id, it.from, it.to)).collect();
    assert_eq!(told, [(&None, at(1), at(59))]);
}

/// A user of several devices is in the room again after a close that told nobody's end. Holds laws 1.4 and 5.5.
#[test]
fn what_a_close_hid_is_forgotten_beside_the_device_that_shows() {
    let mut story = Story::new();
    hears(&mut story, 0, login("ann", 1, 0).exclusive(false));
    hears(&mut story, 60, closed(60));
    hears(&mut story, 120, login("ann", 2, 120).exclusive(false));
    story.passes_to(7_200);
    story.registry.expire();
    let room = story.registry.export("r").unwrap();
    let stored = room_registry_world::view::stored_of(&room);
    let ann = stored.sessions[&None].users.values().next().unwrap();
    assert_eq!(
        ann.openings.len(),
        1,
        "law 1.4: what is visible is stored, and almost nothing else"
    );
}

/// Such closes come 64 times, and each hides a device. Then a logout arrives before its login. Holds laws 1.3,
/// 3.10 and 5.5.
#[test]
fn a_logout_before_its_login_counts_however_many_devices_closes_hid() {
    let mut story = Story::new();
    for device in 0..64 {
        hears(&mut story, device * 300, login("ann", device, device * 300).exclusive(false));
        hears(&mut story, device * 300 + 60, closed(device * 300 + 60));
        assert!(!story.is_open());
    }
    hears(&mut story, 19_200, login("ann", 100, 19_200).exclusive(false));
    hears(&mut story, 40_001, logout("ann", 101, 40_000, 40_001).exclusive(false));
    hears(&mut story, 40_002, login("ann", 101, 40_000).exclusive(false));
    hears(&mut story, 40_003, logout("ann", 100, 19_200, 40_003).exclusive(false));
    assert!(!story.is_open(), "laws 1.3 and 3.10: {:?} outlives the logout", story.users());
}

/// Ann came longer ago than the retention and the clock skew, 605 s together. Holds laws 6.4 and 21.4.
#[test]
fn a_room_that_is_ended_and_created_again_shows_who_came_long_ago_and_is_still_there() {
    for session in [Some(room_registry_world::story::session()), None] {
        let mut story = Story::new();
        let ann = Callback::new(room_id(), session.clone(), login("ann", 1, 1));
        story.passes_to(1);
        story.registry.apply_callback(&ann);
        story.passes_to(700);
        assert_eq!(story.users(), ["ann"]);
        story.registry.end_room("r").unwrap();
        story.passes_to(701);
        story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
        assert_eq!(story.users(), ["ann"], "{session:?}");
    }
}
