//! Sessions whose create is lost, or comes after what happened in them.

use room_registry::{Config, ManualClock, Outcome, RoomRegistry};

use super::{arrived, at, create, login, publish};

/// Holds laws 4.4, 4.6 and 9.11.
#[test]
fn a_lost_create_shows_users_and_streams_under_an_inferred_session() {
    let registry = arrived([login(1, 1, 1_000, 1), publish(1, 1, 2_000, 1)]);
    let room = registry.room("r").expect("shown on the evidence of its users and streams");
    let session = room.session().unwrap();
    assert!(session.inferred);
    assert_eq!(session.opened_at, Some(at(1_000)));
    assert_eq!((room.user_count(), room.stream_count()), (1, 1));
}

/// Holds law 4.6.
#[test]
fn an_inferred_session_becomes_a_known_one_when_its_create_comes() {
    let registry = arrived([login(1, 1, 1_000, 1), create(1, 990)]);
    let session = registry.room("r").unwrap().session().unwrap().clone();
    assert!(!session.inferred);
    assert_eq!(session.opened_at, Some(at(990)));
}

/// Holds law 4.3.
#[test]
fn sessions_are_not_inferred_if_the_configuration_says_so() {
    let config = Config::builder().infer_sessions(false).build().unwrap();
    let mut registry = RoomRegistry::with_clock(config, ManualClock::at(at(2_000)));
    assert_eq!(registry.apply_callback(&login(1, 1, 1_000, 1)), Outcome::Held);
    assert!(registry.room("r").is_none());
    assert_eq!(registry.apply_callback(&create(1, 990)), Outcome::Applied);
    assert_eq!(registry.user_count(), 1);
}
