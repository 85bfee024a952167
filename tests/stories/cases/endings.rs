//! Users who leave and rooms that are ended by a command, and what brings them back.

use std::time::Duration;

use room_registry::Config;

use super::{at, create, login, publish, registry};

/// Holds laws 6.1, 7.5 and 9.14.
#[test]
fn a_user_who_left_stays_out_after_a_merge_with_a_replica_that_has_not_seen_it() {
    use room_registry::{Room, RoomId};
    let config = Config::default();
    let mut room = Room::new(RoomId::new("r").unwrap(), &config);
    let start = at(1_000);
    room.apply(&create(1, 0), &config, start).unwrap();
    room.apply(&login(1, 1, 500, 1), &config, start).unwrap();
    let mut replica = room.clone();

    let later = at(2 * 3_600_000);
    room.leave("tom", &config, later).unwrap();
    room.expire(&config, later).unwrap();
    for _ in 0..2 {
        room.merge(replica.clone(), &config, later).unwrap();
        replica.merge(room.clone(), &config, later).unwrap();
        assert!(room.view().unwrap().user("tom").is_none());
        assert!(replica.view().unwrap().user("tom").is_none());
    }
}

/// Holds laws 4.5, 6.3 and 9.15.
#[test]
fn an_end_hides_both_of_two_sessions_created_within_the_tie_window() {
    let (mut registry, _) = registry();
    registry.apply_callback(&create(1, 0));
    registry.apply_callback(&create(2, 50));
    registry.end_room("r").unwrap();
    assert!(registry.room("r").is_none());
    registry.apply_callback(&login(1, 1, 1_000, 1));
    registry.apply_callback(&login(2, 2, 1_000, 1));
    assert!(
        registry.room("r").is_none(),
        "late callbacks of hidden sessions do not bring the room back"
    );
}

/// Holds law 6.3.
#[test]
fn a_session_that_opens_after_the_end_brings_the_room_back() {
    let (mut registry, _) = registry();
    registry.apply_callback(&create(1, 0));
    registry.end_room("r").unwrap();
    registry.apply_callback(&create(2, 3_600_000));
    assert_eq!(registry.room("r").unwrap().session_id().unwrap().as_str(), "2");
}

/// Holds laws 6.4 and 6.5.
#[test]
fn a_room_created_again_shows_the_session_that_still_runs() {
    for gap in [0, 1] {
        let (mut registry, clock) = registry();
        registry.create_room(room_registry::NewRoom::new("r", "tom")).unwrap();
        registry.apply_callback(&create(1, 0));
        registry.apply_callback(&login(1, 1, 1_000, 1));
        registry.end_room("r").unwrap();
        clock.advance(Duration::from_millis(gap));
        registry.create_room(room_registry::NewRoom::new("r", "tom")).unwrap();
        let room = registry.room("r").unwrap();
        assert_eq!(room.session_id().unwrap().as_str(), "1");
        assert!(room.user("tom").is_some());
    }
}

/// Holds laws 4.5 and 6.4.
#[test]
fn a_room_created_again_may_show_an_older_session_than_the_one_that_showed_meanwhile() {
    let (mut registry, clock) = registry();
    registry.create_room(room_registry::NewRoom::new("r", "tom")).unwrap();
    registry.apply_callback(&create(10, 0));
    registry.end_room("r").unwrap();
    // While 10 is hidden, 7 is inferred; once it shows again, 7 is within the skew of its creation.
    registry.apply_callback(&publish(7, 1, 3_600_000, 1));
    registry.apply_callback(&create(10, 3_595_000));
    assert_eq!(registry.room("r").unwrap().session_id().unwrap().as_str(), "7");
    clock.advance(Duration::from_millis(1));
    registry.create_room(room_registry::NewRoom::new("r", "tom")).unwrap();
    let room = registry.room("r").unwrap();
    assert_eq!(room.session_id().unwrap().as_str(), "10");
    assert_eq!(room.stream_count(), 0);
}
