//! What observations mend, each as a story of one room.

use std::time::Duration;

use room_registry::event::RoomClosed;
use room_registry::repair::Sign;
use room_registry::{
    Cause, ChangeKind, Config, Error, Mirror, NewRoom, NewUser, Observation, Outcome, SessionId,
    StreamSessionId, Text, UserId,
};
use room_registry_world::story::{
    Story, at, created, empty, login, logout, observation, session, stream, stream_closed,
    stream_created, user,
};

/// Holds laws 12.3 and 15.1.
#[test]
fn a_lost_close_is_mended_by_a_look_at_the_empty_room() {
    let mut story = Story::new();
    story.hears(at(0), created(0));
    story.hears(at(1), login("ann", 1, 1));
    story.passes_to(60);
    assert_eq!(story.sees(&empty(50)), Outcome::Applied);
    assert!(story.registry.room("r").is_none());
    assert!(story.registry.changes().all(|change| change.cause == Cause::Repaired));
    assert_eq!(story.sees(&empty(50)), Outcome::Stale, "a repeat");
}

/// Holds law 15.6.
#[test]
fn a_lost_login_shows_and_becomes_normal_when_its_callback_comes() {
    let mut story = Story::new();
    story.hears(at(0), created(0));
    story.hears(at(1), login("ann", 1, 1));
    story.passes_to(60);
    let seen = observation(50).users([user("ann"), user("bob").name("Bob")]).streams([]);
    assert_eq!(story.sees(&seen), Outcome::Applied);
    assert_eq!(story.users(), ["bob", "ann"], "nobody told since when Bob is here");
    let bob = story.registry.room("r").unwrap().user("bob").unwrap();
    assert_eq!(bob.name().unwrap(), "Bob");
    assert!(bob.login().is_none() && bob.presence().is_some());

    assert_eq!(story.hears(at(60), login("bob", 2, 30)), Outcome::Applied);
    assert_eq!(story.users(), ["ann", "bob"]);
    assert!(story.registry.room("r").unwrap().user("bob").unwrap().presence().is_none());
    assert_eq!(story.hears(at(61), logout("bob", 2, 30, 61)), Outcome::Applied);
    assert_eq!(story.users(), ["ann"]);
}

/// Holds law 15.4.
#[test]
fn what_only_an_observation_knows_goes_when_its_closing_comes() {
    let mut story = Story::new();
    story.hears(at(0), created(0));
    story.passes_to(60);
    let seen = observation(50).users([user("bob")]).streams([stream("camera")]);
    story.sees(&seen);
    assert_eq!((story.users(), story.streams()), (vec!["bob".into()], vec!["camera".into()]));
    story.hears(at(61), stream_closed("camera", 1, 61));
    story.hears(at(62), logout("bob", 2, 30, 62));
    assert_eq!((story.users(), story.streams()), (vec![], vec![]));
}

/// Holds laws 12.2 and 15.3.
#[test]
fn a_ghost_goes_and_what_is_newer_than_the_observation_stays() {
    let mut story = Story::new();
    story.hears(at(0), created(0));
    story.hears(at(1), login("ghost", 1, 1));
    story.hears(at(2), stream_created("ghost camera", 1, 2));
    story.hears(at(48), login("new", 2, 48));
    story.hears(at(49), stream_created("new camera", 2, 49));
    story.passes_to(60);
    story.sees(&observation(50).users([user("tom")]).streams([]));
    assert_eq!(story.users(), ["tom", "new"], "within the clock skew callbacks decide");
    assert_eq!(story.streams(), ["new camera"]);
    assert_eq!(story.hears(at(60), login("ghost", 1, 1)), Outcome::Duplicate);
    assert_eq!(story.users(), ["tom", "new"], "a repeat brings no ghost back");
}

/// Holds law 16.6.
#[test]
fn what_a_callback_outdated_stays_away_when_the_local_clock_goes_back_and_both_are_forgotten() {
    let config = Config::builder().empty_listing_time(None).build().unwrap();
    let mut story = Story::with(config);
    story.hears(at(0), created(0));
    story.passes_to(60);
    story.sees(&observation(7).users([user("bob")]).streams([]));
    assert_eq!(story.users(), ["bob"]);
    story.hears_of("2", at(60), login("bob", 1, 3));
    assert!(story.users().is_empty(), "what was seen is older than the login");

    story.passes_to(20);
    story.registry.grant_grace();
    story.passes_to(1_000);
    story.registry.expire();
    assert_eq!(story.registry.changes().count(), 0);
    assert!(story.registry.room("r").unwrap().user("bob").is_none());
}

#[test]
fn what_the_app_says_of_a_stream_stays_with_its_life() {
    let mut story = Story::new();
    let seat = |story: &Story| {
        let room = story.registry.room("r").unwrap();
        room.stream("camera").unwrap().attributes().get("seat").map(ToString::to_string)
    };
    let says = |story: &mut Story, word: &str| {
        let attributes = [("seat".into(), Some(word.into()))].into();
        story.registry.update_stream("r", "camera", attributes).unwrap();
    };
    story.hears(at(0), created(0));
    // A stream that an observation knew gets the life that a callback names.
    story.passes_to(20);
    story.sees(&observation(20).some_streams([stream("camera")]));
    says(&mut story, "1");
    story.hears(at(21), stream_created("camera", 1, 21));
    assert_eq!(seat(&story).as_deref(), Some("1"));
    story.hears(at(22), stream_created("camera", 2, 22));
    assert_eq!(seat(&story).as_deref(), Some("1"), "the same life");
    let next = StreamSessionId::new("next").unwrap();
    story.hears(at(23), stream_created("camera", 3, 23).stream_session_id(next));
    assert_eq!(seat(&story), None, "another life");
}

/// Holds law 12.2.
#[test]
fn an_older_observation_after_a_newer_one_does_nothing() {
    let mut story = Story::new();
    story.hears(at(0), created(0));
    story.passes_to(100);
    story.sees(&observation(90).users([user("ann")]).streams([]));
    let older = observation(80).users([user("bob")]).streams([stream("camera")]);
    assert_ne!(story.sees(&older), Outcome::Applied);
    assert_eq!((story.users(), story.streams()), (vec!["ann".into()], vec![]));
    story.sees(&empty(70));
    assert_eq!(story.users(), ["ann"]);
    assert_eq!(story.registry.room("r").unwrap().session_id(), None, "the session known closed");
}

/// Holds law 15.8.
#[test]
fn a_registry_that_starts_empty_beside_live_rooms_learns_them() {
    let mut story = Story::new();
    story.passes_to(60);
    let seen = observation(59).users([user("ann")]).streams([stream("camera")]);
    assert_eq!(story.sees(&seen), Outcome::Applied);
    let room = story.registry.room("r").unwrap();
    assert_eq!(room.session().unwrap().session_id, None);
    assert!(room.session().unwrap().inferred);
    assert_eq!(story.registry.session_count(), 1);

    assert_eq!(story.hears(at(70), login("bob", 2, 70)), Outcome::Applied);
    let told: Vec<_> = story.registry.changes().map(|change| change.kind).collect();
    assert!(
        matches!(told[..], [ChangeKind::SessionUpdated(_), ChangeKind::UserJoined(_)]),
        "nobody goes and comes again: {told:?}"
    );
    assert_eq!(story.registry.room("r").unwrap().session_id().unwrap().as_str(), "1");
    assert_eq!(story.users(), ["ann", "bob"], "the same people, in the session that is known now");
    assert_eq!(story.streams(), ["camera"]);
}

/// Holds laws 13.1, 15.2 and 15.5.
#[test]
fn a_named_session_is_shown_and_closed_by_name() {
    let mut story = Story::new();
    story.passes_to(60);
    let alive = observation(50).session_id(session()).open(true);
    assert_eq!(story.sees(&alive), Outcome::Applied);
    assert_eq!(story.registry.room("r").unwrap().session_id(), Some(&session()));
    let closed = observation(59).session_id(session()).open(false);
    assert_eq!(story.sees(&closed), Outcome::Applied);
    assert!(story.registry.room("r").is_none());
    assert_eq!(story.hears(at(60), created(0)), Outcome::Held, "it is known to be closed");
}

/// Holds law 15.2.
#[test]
fn of_two_sessions_created_at_once_the_one_seen_alive_later_is_current() {
    let mut story = Story::new();
    // The close of the first is lost, and nothing else tells the two apart.
    story.hears_of("2", at(0), created(0));
    story.hears_of("1", at(0), created(0));
    story.hears_of("2", at(1), login("ghost", 1, 0));
    assert_eq!(story.session().unwrap(), "2");
    let ann = || observation(50).users([user("ann")]).streams([]);
    story.passes_to(60);
    assert_eq!(story.sees(&ann().session_id(session())), Outcome::Applied);
    assert_eq!((story.session().unwrap(), story.users()), ("1".into(), vec!["ann".into()]));

    story.hears(at(61), RoomClosed::new(at(61)));
    assert!(!story.is_open(), "the other was over before");
    story.hears_of("3", at(62), created(62));
    assert_eq!(story.session().unwrap(), "3");
}

/// Holds law 16.2.
#[test]
fn leaving_closes_what_only_an_observation_knows_until_a_later_one() {
    let mut story = Story::new();
    story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
    story.passes_to(60);
    let seen = observation(50).users([user("bob")]).streams([]);
    story.sees(&seen);
    story.registry.leave_room("r", "bob").unwrap();
    assert!(story.users().is_empty());
    assert_eq!(story.sees(&seen), Outcome::Stale);
    assert!(story.users().is_empty());
    story.passes_to(80);
    story.sees(&observation(70).users([user("bob")]).streams([]));
    assert_eq!(story.users(), ["bob"], "the media server still has him");
}

/// Holds law 16.3.
#[test]
fn ending_hides_what_was_observed_until_then_and_creating_shows_it_again() {
    let mut story = Story::new();
    story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
    story.passes_to(60);
    let seen = observation(50).users([user("bob")]).streams([stream("camera")]);
    story.sees(&seen);
    story.registry.end_room("r").unwrap();
    assert!(story.registry.room("r").is_none());
    assert_eq!(story.sees(&seen), Outcome::Stale, "a repeat");
    assert!(story.registry.room("r").is_none());
    story.registry.create_room(NewRoom::new("r", "ann")).unwrap();
    assert_eq!((story.users(), story.streams()), (vec!["bob".into()], vec!["camera".into()]));
}

/// Answers that come at one instant of the local clock count as come after the end before them.
/// Holds law 16.3.
#[test]
fn each_end_hides_what_was_observed_until_then_if_the_local_clock_stands_still() {
    let somebody = |second| observation(second).some_users([user("bob")]);
    let something = |second| observation(second).some_streams([stream("camera")]);
    let seen: [(&str, &dyn Fn(u64) -> Observation); 3] = [
        ("the room", &|second| observation(second).open(true)),
        ("a user", &somebody),
        ("a stream", &something),
    ];
    for (what, seen) in seen {
        let mut story = Story::new();
        story.passes_to(60);
        for second in 50..54 {
            assert_eq!(story.sees(&seen(second)), Outcome::Applied, "{what}");
            assert!(story.is_open(), "{what}, seen again at {second}");
            story.registry.end_room("r").unwrap();
            assert!(!story.is_open(), "{what}, ended again at {second}");
        }
    }
    for (what, seen) in &seen[1..] {
        let mut story = Story::new();
        story.passes_to(60);
        // That the room was open was seen last, but answered first.
        story.sees(&observation(59).open(true));
        story.registry.end_room("r").unwrap();
        story.sees(&seen(50));
        assert!(story.is_open(), "{what} came after the end");
        story.registry.end_room("r").unwrap();
        assert!(!story.is_open(), "{what} came before the second end");
    }
}

#[test]
fn an_observation_ends_the_memberships_of_a_room_that_leaves_the_list() {
    let mut story = Story::new();
    story.hears(at(0), created(0));
    story.registry.join_room("r", NewUser::new("ann")).unwrap();
    story.passes_to(60);
    story.sees(&empty(50));
    assert!(story.registry.room("r").is_none());
    assert_eq!(story.registry.user_count(), 0);
    story.hears(at(61), created(60));
    assert!(story.users().is_empty());
}

/// Holds law 12.4.
#[test]
fn an_observation_that_contradicts_itself_is_refused() {
    let mut story = Story::new();
    story.passes_to(60);
    let contradiction = observation(50).open(false).users([user("ann")]);
    let error = story.registry.apply_observation(&contradiction).unwrap_err();
    assert_eq!(error, Error::ContradictoryObservation { room_id: "r".into() });
    assert_eq!(
        error.to_string(),
        r#"the observation says that room "r" is not open, but lists users or streams in it"#
    );
    assert_eq!(story.registry.held_room_count(), 0);
}

/// Holds laws 11.2 and 16.4.
#[test]
fn an_observation_too_old_or_from_the_future_is_refused() {
    let mut story = Story::new();
    story.passes_to(10_000);
    let seen = |seconds| observation(seconds).users([user("ann")]);
    assert_eq!(story.sees(&seen(10_000 - 601)), Outcome::TooLate);
    assert_eq!(story.sees(&seen(10_000 + 601)), Outcome::Refused);
    assert_eq!(story.registry.held_room_count(), 0);
    assert_eq!(story.sees(&seen(10_000 - 600)), Outcome::Applied);
    assert_eq!(story.sees(&seen(10_000 + 600)), Outcome::Held, "exactly the guard is let in");
}

/// Holds law 16.5.
#[test]
fn a_late_close_is_taken_in_while_an_observation_shows_the_room_open() {
    let second = SessionId::new("2").unwrap();
    let seen_open = [
        ("open", observation(990).open(true)),
        ("a session", observation(990).session_id(second).open(true)),
        ("a user", observation(990).some_users([user("ann")])),
        ("a stream", observation(990).some_streams([stream("camera")])),
    ];
    // The retention and the clock skew are over by a second.
    let late = RoomClosed::new(at(1_000 - 606));
    assert_eq!(Story::new().hears(at(1_000), late.clone()), Outcome::TooLate);
    for (what, seen) in seen_open {
        let mut story = Story::new();
        story.passes_to(1_000);
        assert_eq!(story.sees(&seen), Outcome::Applied, "{what}");
        assert_ne!(story.hears(at(1_000), late.clone()), Outcome::TooLate, "{what}");
        assert!(story.is_open(), "{what}: what was seen later stays");
    }
}

/// The same late close as above, if a later one outdated that the room was seen open. What is left of the
/// observation is whom it saw.
/// Holds law 16.5.
#[test]
fn a_late_close_is_taken_in_while_somebody_or_something_is_held_as_seen() {
    let late = || RoomClosed::new(at(1_000 - 606));
    let somebody = observation(990).users([user("ann")]);
    let something = observation(990).streams([stream("camera")]);
    for (what, seen) in [("a user", somebody), ("a stream", something)] {
        let mut story = Story::new();
        story.passes_to(1_000);
        story.sees(&seen);
        story.hears_of("9", at(1_000), RoomClosed::new(at(987)));
        assert_ne!(story.hears(at(1_000), late()), Outcome::TooLate, "{what}");
    }
    let mut story = Story::new();
    story.passes_to(1_000);
    story.sees(&empty(990));
    assert_eq!(story.hears(at(1_000), late()), Outcome::TooLate, "nobody");
}

/// Holds law 16.5.
#[test]
fn a_late_closing_is_taken_in_of_whom_an_observation_named() {
    let late_logout = |id| logout(id, 2, 300, 1_000 - 606);
    let late_unpublish = |id| stream_closed(id, 2, 1_000 - 606);
    let mut story = Story::new();
    story.passes_to(1_000);
    story.sees(&observation(990).users([user("ann")]).streams([stream("camera")]));
    assert_ne!(story.hears(at(1_000), late_logout("ann")), Outcome::TooLate);
    assert_ne!(story.hears(at(1_000), late_unpublish("camera")), Outcome::TooLate);
    assert_eq!(story.hears(at(1_000), late_logout("bob")), Outcome::TooLate);
    assert_eq!(story.hears(at(1_000), late_unpublish("screen")), Outcome::TooLate);

    // Whom the next list did not name has an entry no longer.
    story.sees(&observation(996).users([user("tom")]).streams([]));
    assert_eq!(story.hears_of("2", at(1_000), late_logout("ann")), Outcome::TooLate);
    assert_eq!(story.hears_of("2", at(1_000), late_unpublish("camera")), Outcome::TooLate);
}

/// Holds law 15.8.
#[test]
fn who_is_seen_at_once_in_a_session_and_in_none_is_told_when_the_session_becomes_visible() {
    let second = || SessionId::new("2").unwrap();
    let mut story = Story::new();
    let mut mirror = Mirror::default();
    let mut follow = |story: &Story, publisher: Option<&str>| {
        story.registry.changes().for_each(|change| mirror.apply(&change));
        assert_eq!(mirror, story.registry.rooms().collect());
        let room = story.registry.room("r").unwrap();
        let bob = room.user("bob").unwrap();
        assert_eq!(bob.name().map(Text::as_str), publisher.map(|_| "Bob"));
        let screen = room.stream("screen").unwrap();
        assert_eq!(screen.publisher_id().map(UserId::as_str), publisher);
    };
    story.passes_to(60);
    let published = stream("screen").publisher_id(UserId::new("bob").unwrap());
    story.sees(&observation(25).users([user("bob").name("Bob")]).streams([published]));
    follow(&story, Some("bob"));
    story.sees(
        &observation(25).session_id(second()).users([user("bob")]).streams([stream("screen")]),
    );
    follow(&story, None);
    story.hears_of("2", at(60), RoomClosed::new(at(0)));
    follow(&story, Some("bob"));
    story.hears_of("2", at(60), created(10));
    follow(&story, None);
}

#[test]
fn who_is_let_go_without_a_logout_is_nobody_who_is_present() {
    let is_unlisted = |story: &mut Story| {
        story.passes_to(60);
        story.sees(&observation(50).users([user("bob")]));
    };
    let is_closed_out = |story: &mut Story| {
        story.registry.join_room("r", NewUser::new("ann")).unwrap();
        story.registry.leave_room("r", "ann").unwrap();
    };
    for ann in [is_closed_out, is_unlisted] as [fn(&mut Story); 2] {
        let mut story = Story::new();
        story.hears(at(0), created(0));
        story.hears(at(1), login("ann", 1, 1));
        story.hears(at(2), login("bob", 2, 2));
        ann(&mut story);
        assert_eq!(story.users(), ["bob"]);
        story.passes_to(2_000);
        assert!(story.registry.expire().forgotten > 0, "ann is let go");
        story.hears(at(2_000), logout("bob", 2, 2, 2_000));
        story.passes_to(2_100);
        story.registry.expire();
        let room = story.registry.room("r").unwrap();
        let signs: Vec<_> = room.suspicions().iter().map(|suspicion| suspicion.sign).collect();
        assert_eq!(signs, [Sign::NobodyPresent], "{room:?}");
    }
}

/// Holds law 15.7.
#[test]
fn what_is_let_go_without_its_end_keeps_no_inferred_session_open() {
    let mut story = Story::new();
    for (life, id) in [(1, "ann"), (3, "bob")] {
        story.hears(at(life), login(id, life, life));
    }
    for (counter, id) in [(1, "camera"), (2, "screen")] {
        story.hears(at(5), stream_created(id, counter, 5));
    }
    story.passes_to(60);
    story.sees(&observation(50).users([user("bob")]).streams([stream("screen")]));
    // That somebody saw the room open is outdated.
    story.hears_of("9", at(61), RoomClosed::new(at(55)));
    assert_eq!((story.users(), story.streams()), (vec!["bob".into()], vec!["screen".into()]));
    story.passes_to(2_000);
    assert!(story.registry.expire().forgotten > 0, "ann and the camera are let go");
    story.hears(at(2_000), logout("bob", 3, 3, 2_000));
    assert!(story.is_open(), "the screen is published");
    story.hears(at(2_000), stream_closed("screen", 3, 2_000));
    assert!(!story.is_open());
}

/// Holds law 12.3.
#[test]
fn an_empty_list_closes_no_room_if_rooms_stay_open_and_empty() {
    let config = Config::builder().empty_means_closed(false).build().unwrap();
    let mut story = Story::with(config);
    story.hears(at(0), created(0));
    story.hears(at(1), login("ann", 1, 1));
    story.passes_to(60);
    assert_eq!(story.sees(&empty(50)), Outcome::Applied);
    assert!(story.registry.room("r").is_some());
    assert!(story.users().is_empty());
    assert_eq!(story.sees(&empty(59).open(false)), Outcome::Applied);
    assert!(story.registry.room("r").is_none());
}

/// Holds law 16.6.
#[test]
fn what_observations_left_is_forgotten_after_the_retention() {
    let mut story = Story::new();
    story.passes_to(60);
    story.sees(&observation(50).users([user("ann"), user("bob")]).streams([stream("camera")]));
    story.hears(at(61), logout("bob", 2, 30, 61));
    story.sees(&empty(66));
    assert_eq!(story.registry.held_room_count(), 1);
    story.passes_to(2_000);
    story.registry.expire();
    assert_eq!(story.registry.held_room_count(), 0);
    assert_eq!(story.registry.next_expiry(), None);
}

/// Holds law 16.6.
#[test]
fn what_nothing_but_observations_told_is_held_for_the_retention_and_then_forgotten() {
    let config = Config::builder().empty_means_closed(false).build().unwrap();
    let seen = [
        ("not open", empty(66).open(false)),
        ("nobody", observation(66).users([])),
        ("nothing", observation(66).streams([])),
    ];
    for (what, seen) in seen {
        let mut story = Story::with(config.clone());
        // What was told before is due to be forgotten earlier.
        story.hears(at(52), logout("bob", 2, 30, 51));
        story.passes_to(70);
        story.sees(&seen);
        let due = Duration::from_millis((66 - 5 + 600 + 5) * 1_000 + 1);
        assert!(story.registry.next_expiry().is_some(), "{what}");
        story.clock.set(at(0) + due - Duration::from_millis(1));
        story.registry.expire();
        assert_eq!(story.registry.held_room_count(), 1, "{what}");
        assert_eq!(story.registry.next_expiry(), Some(at(0) + due), "{what}");
        story.clock.set(at(0) + due);
        story.registry.expire();
        assert_eq!(story.registry.held_room_count(), 0, "{what}");
    }
}

/// Holds law 16.6.
#[test]
fn what_observations_left_is_forgotten_after_a_step_back_of_the_clock_too() {
    let config = Config::builder().retention(Some(Duration::from_secs(4))).build().unwrap();
    let mut story = Story::with(config);
    story.hears(at(106), created(105));
    story.sees(&observation(105).users([user("ann")]));
    story.hears(at(106), login("ann", 1, 100)); // what was seen of her outranks this no more
    story.passes_to(94);
    story.registry.expire();
    story.passes_to(120);
    story.registry.expire();
    let room = serde_json::to_value(story.registry.export("r").unwrap()).unwrap();
    assert_eq!(room["live"]["observed"]["users"]["entries"], serde_json::json!({}));
}
