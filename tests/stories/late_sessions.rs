//! Sessions that are heard of late, after the application ended the room.

use std::time::Duration;

use room_registry::event::CallbackEvent;
use room_registry::{Callback, Config, NewRoom, Room};
use room_registry_world::story::{Story, at, created, login, logout, room_id, session};

/// The application created the room and ended it. What the media server tells comes late.
/// Holds laws 6.3 and 6.8.
#[test]
fn a_session_that_opened_before_an_end_stays_hidden_however_late_it_is_heard_of() {
    let mut story = Story::new();
    story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
    story.passes_to(60);
    story.registry.end_room("r").unwrap();
    story.hears(at(61), created(0));
    story.hears(at(62), login("ann", 1, 0));
    assert!(!story.is_open());
    story.hears(at(500), logout("ann", 1, 0, 400));
    story.passes_to(100_000);
    story.registry.expire();
    assert_eq!(story.registry.held_room_count(), 0);
}

/// Holds law 6.8.
#[test]
fn a_session_that_an_end_hides_stays_hidden_once_the_end_is_forgotten() {
    let mut story = Story::new();
    story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
    story.passes_to(60);
    story.registry.end_room("r").unwrap();
    story.hears(at(500), created(0));
    story.hears(at(500), login("ann", 1, 0));
    assert!(!story.is_open());
    story.passes_to(700);
    story.registry.expire();
    story.hears(at(701), login("bob", 2, 700));
    assert!(!story.is_open(), "it opened before the end");
}

/// Holds laws 6.8 and 11.6.
#[test]
fn a_session_that_opens_after_an_end_shows() {
    let mut story = Story::new();
    story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
    story.passes_to(60);
    story.registry.end_room("r").unwrap();
    story.hears(at(70), created(60));
    assert!(story.is_open(), "the clocks may be apart by the skew");
    // A callback that came late tells that it had opened before.
    story.hears(at(71), login("ann", 1, 54));
    assert!(!story.is_open());
}

/// Holds law 6.8.
#[test]
fn an_end_in_the_same_millisecond_hides_what_was_heard_before_it_alone() {
    let mut story = Story::new();
    story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
    story.hears_of("1", at(60), created(58));
    story.registry.end_room("r").unwrap();
    assert!(!story.is_open());
    story.hears_of("2", at(60), created(59));
    assert_eq!(story.session().as_deref(), Some("2"));
}

/// Holds law 6.8.
#[test]
fn a_session_stays_on_its_side_of_an_end_if_the_clock_is_set_back() {
    let mut story = Story::new();
    story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
    story.passes_to(60);
    story.hears_of("1", at(60), created(58));
    story.registry.end_room("r").unwrap();
    story.hears_of("2", at(61), created(61));
    story.passes_to(20);
    story.registry.expire();
    assert_eq!(story.session().as_deref(), Some("2"));
    story.hears_of("1", at(20), login("ann", 1, 59));
    assert_eq!(story.session().as_deref(), Some("2"));
}

/// Holds laws 6.5 and 6.8.
#[test]
fn a_second_end_in_the_same_millisecond_hides_what_was_heard_since_the_first() {
    let mut story = Story::new();
    story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
    story.passes_to(60);
    story.registry.end_room("r").unwrap();
    story.hears(at(60), created(59));
    assert!(story.is_open());
    story.registry.end_room("r").unwrap();
    assert!(!story.is_open());
}

/// One replica heard of the session before the end, or of an opening before it. The other, which ended the
/// room, heard of it later. Holds law 6.8.
#[test]
fn after_a_merge_the_earlier_time_counts_at_which_a_session_was_heard_of_or_opened() {
    let config = Config::default();
    let hear = |room: &mut Room, now: u64, event: CallbackEvent| {
        room.apply(&Callback::new(room_id(), session(), event), &config, at(now)).unwrap();
    };
    let mut other = Room::new(room_id(), &config);
    other.create(NewRoom::new("r", "tom"), &config, at(0)).unwrap();
    other.end(&config, at(60)).unwrap();
    hear(&mut other, 61, login("ann", 1, 58).into());
    assert!(other.view().is_some(), "by what it knows, the session opened after the end");

    let mut first = login("bob", 2, 0);
    first.login_at = at(0) + Duration::from_millis(30);
    for (now, event) in [(59, created(58).into()), (500, first.into())] {
        let mut one = Room::new(room_id(), &config);
        hear(&mut one, now, event);
        assert!(one.view().is_some(), "it knows of no end");
        for (mut room, more) in [(one.clone(), other.clone()), (other.clone(), one)] {
            room.merge(more, &config, at(500)).unwrap();
            assert!(room.view().is_none(), "heard of at {now}");
        }
    }
}

/// Holds law 6.8.
#[test]
fn an_end_keeps_what_is_known_of_a_session_as_a_fact_of_it_would() {
    let mut story = Story::new();
    story.hears(at(1), created(0));
    story.hears(at(1), login("ann", 1, 0));
    story.passes_to(600);
    story.registry.end_room("r").unwrap();
    story.passes_to(620);
    story.registry.expire();
    story.hears(at(640), login("bob", 2, 640));
    assert!(!story.is_open());
}

/// The retention and the clock skew are 605 s together. Holds law 6.8.
#[test]
fn a_hidden_session_of_which_nothing_more_is_heard_is_forgotten_and_shows_with_its_next_opening() {
    let last_at = at(60 + 605);
    for (now, shows) in [(last_at, false), (last_at + Duration::from_millis(1), true)] {
        let mut story = Story::new();
        story.hears(at(1), created(0));
        story.hears(at(1), login("ann", 1, 0));
        story.passes_to(60);
        story.registry.end_room("r").unwrap();
        story.hears(now, login("bob", 2, 665));
        assert_eq!(story.is_open(), shows);
    }
}
