//! What observations can and cannot mend, each as a story of one room.

use room_registry::event::RoomClosed;
use room_registry::{NewRoom, Outcome, Room};
use room_registry_world::story::{
    Story, at, created, empty, login, logout, observation, session, stream, stream_created, user,
};

// Where they cannot be exact, and what mends it.

#[test]
fn a_lost_login_within_the_clock_skew_before_a_look_is_mended_by_the_next_look() {
    let mut story = Story::new();
    story.hears(at(0), created(0));
    story.hears(at(1), login("ann", 1, 1));
    story.hears(at(46), logout("ann", 1, 1, 46));
    // Her login at 47 s is lost. The look counts as made at 45 s, before she was heard to leave.
    story.passes_to(50);
    story.sees(&observation(50).users([user("ann")]).streams([]));
    assert!(story.users().is_empty());
    story.passes_to(60);
    story.sees(&observation(60).users([user("ann")]).streams([]));
    assert_eq!(story.users(), ["ann"]);
}

#[test]
fn a_lost_logout_within_the_clock_skew_before_a_look_is_mended_by_the_next_look() {
    let mut story = Story::new();
    story.hears(at(0), created(0));
    story.hears(at(1), login("ann", 1, 1));
    story.hears(at(46), login("bob", 2, 46));
    // His logout at 47 s is lost.
    story.passes_to(50);
    story.sees(&observation(50).users([user("ann")]).streams([]));
    assert_eq!(story.users(), ["ann", "bob"], "his login is newer than what the look counts as");
    story.passes_to(60);
    story.sees(&observation(60).users([user("ann")]).streams([]));
    assert_eq!(story.users(), ["ann"]);
}

#[test]
fn a_lost_close_within_the_clock_skew_before_a_look_is_mended_by_the_next_look() {
    let mut story = Story::new();
    story.hears(at(0), created(0));
    story.hears(at(46), login("ann", 1, 46));
    // Her logout and the close of the room at 47 s are lost.
    story.passes_to(50);
    story.sees(&empty(50));
    assert_eq!(story.users(), ["ann"]);
    story.passes_to(60);
    story.sees(&empty(60));
    assert!(!story.is_open());
}

#[test]
fn a_lost_close_and_a_lost_create_leave_the_session_before_until_the_next_is_heard_of() {
    let mut story = Story::new();
    story.hears(at(0), created(0));
    story.hears(at(1), login("ann", 1, 1));
    // Session 1 closed at 20 s, session 2 opened at 30 s with Bob: all of that is lost.
    story.passes_to(60);
    story.sees(&observation(60).users([user("bob")]).streams([]));
    assert_eq!(story.users(), ["bob"]);
    assert_eq!(story.session().as_deref(), Some("1"), "the session of before");
    story.hears_of("2", at(70), login("cleo", 3, 70));
    assert_eq!(story.session().as_deref(), Some("2"));
    assert_eq!(story.users(), ["bob", "cleo"]);
}

/// Holds law 15.8.
#[test]
fn a_lost_create_after_a_close_that_came_leaves_the_session_unknown_until_it_is_heard_of() {
    let mut story = Story::new();
    story.hears(at(0), created(0));
    story.hears(at(20), RoomClosed::new(at(20)));
    story.passes_to(60);
    story.sees(&observation(60).users([user("bob")]).streams([stream("camera")]));
    assert_eq!((story.is_open(), story.session()), (true, None));
    let seen = (vec!["bob".to_owned()], vec!["camera".to_owned()]);
    assert_eq!((story.users(), story.streams()), seen);
    story.hears_of("2", at(61), created(30));
    assert_eq!(story.session().as_deref(), Some("2"));
    assert_eq!((story.users(), story.streams()), seen);
}

#[test]
fn two_logins_within_the_tie_window_whose_first_logout_is_lost_wait_for_the_next_look() {
    let mut story = Story::new();
    story.hears(at(0), created(0));
    story.hears(at(10), login("ann", 1, 10));
    story.hears(at(10), login("ann", 2, 10));
    // The logout of the first is lost. Ann is there, so the look cannot tell the two apart.
    story.passes_to(20);
    story.sees(&observation(20).users([user("ann")]).streams([]));
    story.hears(at(30), logout("ann", 2, 10, 30));
    assert_eq!(story.users(), ["ann"], "by her first login");
    story.passes_to(40);
    story.sees(&observation(40).users([]).streams([]).open(true));
    assert!(story.users().is_empty());
}

/// Holds law 15.4.
#[test]
fn a_logout_without_its_login_time_outdates_a_look_as_told() {
    let mut story = Story::new();
    story.hears(at(0), created(0));
    story.hears(at(1), login("ann", 1, 1));
    let mut without_login_time = logout("ann", 1, 1, 42);
    without_login_time.login_at = None;
    story.hears(at(42), without_login_time);
    // Her login at 44 s is lost. This look counts as made at 42 s, and a tie goes to the callback.
    story.passes_to(50);
    story.sees(&observation(47).users([user("ann")]).streams([]));
    assert!(story.users().is_empty());
    // It closes her login as if at 47 s, but outdates only what was seen by 42 s.
    story.sees(&observation(50).users([user("ann")]).streams([]));
    assert_eq!(story.users(), ["ann"]);
}

/// Holds law 15.4.
#[test]
fn a_user_heard_of_in_a_session_that_cannot_show_yet_waits_for_the_next_look() {
    let mut story = Story::new();
    story.hears(at(0), created(0));
    // Session 1 closed at 1 s, session 2 was created at 2 s: both are lost. What is heard of
    // session 2 comes so soon after the create of session 1 that it may be the older one.
    story.hears_of("2", at(4), login("ann", 1, 4));
    story.passes_to(8);
    story.sees(&observation(8).users([user("ann")]).streams([]));
    assert!(story.users().is_empty(), "her login is newer than what the look counts as");
    story.passes_to(20);
    story.sees(&observation(20).users([user("ann")]).streams([]));
    assert_eq!(story.users(), ["ann"]);
}

/// Holds law 16.6.
#[test]
fn a_late_sweep_lets_a_presence_go_before_the_logout_that_ended_it() {
    let mut story = Story::new();
    story.hears(at(0), created(0));
    story.hears(at(1), login("tom", 1, 1));
    story.hears(at(39), logout("bob", 9, 30, 39));
    story.hears(at(40), logout("ann", 2, 30, 40));
    story.passes_to(50);
    story.sees(&observation(50).users([user("tom"), user("ann")]).streams([]));
    story.hears(at(60), logout("ann", 3, 42, 60));
    assert_eq!(story.users(), ["tom"]);
    story.passes_to(2_000);
    story.registry.expire();
    let stored = serde_json::to_string(&story.registry.export("r").unwrap()).unwrap();
    let restored: Room = serde_json::from_str(&stored).unwrap();
    assert!(restored.view().unwrap().user("ann").is_none());
}

#[test]
fn the_last_change_of_a_live_room_is_found_by_asking_alone() {
    let mut story = Story::new();
    story.hears(at(0), created(0));
    story.hears(at(1), login("ann", 1, 1));
    story.hears(at(2), login("bob", 2, 2));
    // His logout at 30 s is lost, and nothing follows that would tell.
    story.passes_to(500);
    story.registry.expire();
    assert_eq!(story.users(), ["ann", "bob"]);
    assert!(story.registry.room("r").unwrap().suspicions().is_empty());
    story.sees(&observation(500).users([user("ann")]).streams([]));
    assert_eq!(story.users(), ["ann"]);
}

// Closings of our own.

/// Holds law 16.2.
#[test]
fn leaving_closes_a_login_and_a_presence_at_once_and_a_later_look_undoes_it() {
    let mut story = Story::new();
    story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
    story.hears(at(0), created(0));
    story.hears(at(1), login("ann", 1, 1));
    story.passes_to(50);
    story.sees(&observation(50).users([user("ann")]).streams([]));
    story.registry.leave_room("r", "ann").unwrap();
    assert!(story.users().is_empty());
    assert_eq!(story.hears(at(51), login("ann", 1, 1)), Outcome::Stale);
    story.sees(&observation(50).users([user("ann")]).streams([]));
    assert!(story.users().is_empty(), "neither a repeat of the callback nor one of the look");
    story.sees(&observation(51).users([user("ann")]).streams([]));
    assert_eq!(story.users(), ["ann"], "a look since then");
}

/// Holds law 16.2.
#[test]
fn leaving_closes_no_presence_of_anybody_else() {
    let mut story = Story::new();
    story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
    story.passes_to(50);
    story.sees(&observation(50).users([user("ann"), user("bob")]).streams([stream("camera")]));
    story.registry.leave_room("r", "ann").unwrap();
    assert_eq!((story.users(), story.streams()), (vec!["bob".into()], vec!["camera".into()]));
}

/// Holds law 16.3.
#[test]
fn an_ended_room_comes_back_with_a_look_made_after_the_end() {
    let mut story = Story::new();
    story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
    story.passes_to(50);
    story.sees(&observation(50).users([user("ann")]).streams([]));
    story.registry.end_room("r").unwrap();
    assert!(!story.is_open());
    story.passes_to(60);
    story.sees(&observation(60).users([user("ann")]).streams([]));
    assert_eq!(story.users(), ["ann"], "the media server still has the room");
}

/// Holds law 16.3.
#[test]
fn an_end_hides_a_session_that_only_a_look_named() {
    let mut story = Story::new();
    story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
    story.passes_to(50);
    let seen = observation(50).session_id(session()).users([user("ann")]).streams([]);
    story.sees(&seen);
    assert_eq!(story.session().as_deref(), Some("1"));
    story.registry.end_room("r").unwrap();
    assert_eq!(story.sees(&seen), Outcome::Stale);
    assert!(!story.is_open());
    story.passes_to(70);
    story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
    assert_eq!((story.session().as_deref(), story.users()), (Some("1"), vec!["ann".into()]));
}

#[test]
fn a_room_created_again_shows_everybody_who_logged_in_however_old_the_last_look_is() {
    let mut story = Story::new();
    story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
    story.hears(at(0), created(0));
    story.hears(at(1), login("tom", 1, 1));
    story.hears(at(2), stream_created("camera", 1, 2));
    story.passes_to(101);
    story.sees(&observation(100).users([user("tom")]).streams([stream("camera")]));
    // Keeps the session from being forgotten while it is hidden.
    story.hears(at(990), login("ann", 2, 990));
    story.registry.end_room("r").unwrap();
    story.passes_to(1_001);
    story.registry.expire();
    story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
    assert_eq!(story.users(), ["tom", "ann"]);
    assert_eq!(story.streams(), ["camera"]);
}

/// Holds law 16.6.
#[test]
fn a_room_created_again_shows_everybody_who_was_seen_however_old_the_last_look_is() {
    let mut story = Story::new();
    story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
    story.hears(at(0), created(0));
    story.passes_to(101);
    story.sees(&observation(100).users([user("tom")]).streams([stream("camera")]));
    story.passes_to(990);
    story.registry.end_room("r").unwrap();
    story.passes_to(1_001);
    story.registry.expire();
    story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
    assert_eq!((story.users(), story.streams()), (vec!["tom".into()], vec!["camera".into()]));
}

// What is refused.

/// Holds law 12.4.
#[test]
fn a_look_of_a_room_said_not_to_be_open_may_have_lists_without_entries() {
    let mut story = Story::new();
    story.hears(at(0), created(0));
    story.passes_to(50);
    assert_eq!(story.sees(&empty(50).open(false)), Outcome::Applied);
    assert!(!story.is_open());
    for contradiction in [
        observation(51).open(false).some_users([user("ann")]),
        observation(51).open(false).streams([stream("camera")]),
        observation(51).open(false).session_id(session()).some_streams([stream("camera")]),
    ] {
        assert!(story.registry.apply_observation(&contradiction).is_err());
        assert_eq!(story.registry.changes().count(), 0);
        assert!(!story.is_open());
    }
}
