//! Sessions that are heard of late, after the application ended the room.

use room_registry::NewRoom;
use room_registry_world::story::{Story, at, created, login, logout};

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
