//! What is forgotten after the retention, and what comes too late for it.

use std::time::Duration;

use room_registry::{Callback, Config, ManualClock, Outcome, RoomRegistry};

use super::{
    BASE, at, close, create, login, login_of, logout, logout_without_login_time, publish, unpublish,
};

// With forgetting.

fn forgetful(retention_secs: u64) -> (RoomRegistry<ManualClock>, ManualClock) {
    let config =
        Config::builder().retention(Some(Duration::from_secs(retention_secs))).build().unwrap();
    let clock = ManualClock::at(at(0));
    (RoomRegistry::with_clock(config, clock.clone()), clock)
}

/// Holds laws 5.3, 8.1 and 9.12.
#[test]
fn a_create_repeated_after_its_close_was_forgotten_is_too_late() {
    let (mut registry, clock) = forgetful(10);
    registry.apply_callback(&create(1, 0));
    clock.set(at(1_000));
    registry.apply_callback(&close(1, 1_000));
    clock.set(at(60_000));
    registry.expire();
    assert_eq!(registry.held_room_count(), 0);
    registry.apply_callback(&logout_without_login_time(1, 1, 43_000, 2));
    assert_eq!(registry.apply_callback(&create(1, 0)), Outcome::TooLate);
    assert!(registry.room("r").is_none());
}

/// Holds law 9.13.
#[test]
fn sweeping_does_not_make_a_superseded_session_appear() {
    for sweep in [false, true] {
        let (mut registry, clock) = forgetful(10);
        clock.set(at(5_100));
        let callbacks = [
            create(1, 0),
            login_of("tom", 2, 1, 4_990, 1),
            login_of("ann", 3, 2, 5_040, 1),
            close(3, 5_040),
        ];
        for callback in &callbacks {
            registry.apply_callback(callback);
        }
        assert!(registry.room("r").is_none());
        for seconds in 6..60 {
            clock.set(at(seconds * 1_000));
            if sweep {
                registry.expire();
            }
            assert!(registry.room("r").is_none(), "after {seconds} s");
        }
    }
}

/// Holds laws 5.4 and 5.6.
#[test]
fn an_unclosed_anchor_stays_while_what_it_supersedes_is_remembered() {
    // As before, but session 2 becomes known later than the anchor, and so is remembered longer.
    let (mut registry, clock) = forgetful(10);
    clock.set(at(5_100));
    for callback in [create(1, 0), login_of("ann", 3, 2, 5_040, 1), close(3, 5_040)] {
        registry.apply_callback(&callback);
    }
    clock.set(at(9_900));
    assert_eq!(registry.apply_callback(&login_of("tom", 2, 1, 4_990, 1)), Outcome::Held);
    for seconds in 10..60 {
        clock.set(at(seconds * 1_000));
        registry.expire();
        assert!(registry.room("r").is_none(), "after {seconds} s");
    }
    assert_eq!(registry.held_room_count(), 0);
}

/// Holds law 5.5.
#[test]
fn closings_beside_a_login_are_forgotten_one_by_one() {
    let (mut registry, clock) = forgetful(10);
    clock.set(at(12_000));
    registry.apply_callback(&create(1, 9_000));
    registry.apply_callback(&login(1, 1, 10_000, 1));
    // Of logins that are not known; they count as later by the skew.
    registry.apply_callback(&logout_without_login_time(1, 8, 11_000, 2));
    registry.apply_callback(&logout_without_login_time(1, 9, 12_000, 3));
    for due_at in [at(11_000 + 5_000 + 15_001), at(12_000 + 5_000 + 15_001)] {
        assert_eq!(registry.next_expiry(), Some(due_at));
        clock.set(due_at);
        assert_eq!(registry.expire().forgotten, 1);
    }
    // Two logins ended that nobody told of: that is suspicious.
    clock.set(at(12_000 + 90_000));
    assert_eq!(registry.expire().suspected, 2);
    assert_eq!(registry.next_expiry(), None);
    assert_eq!(registry.user_count(), 1);
}

// Too late: the rows of the table, each at its edge. The retention is 10 s, the skew 5 s.

/// Asserts that a callback is let in at an age, and one millisecond later is too late.
#[track_caller]
fn assert_let_in_until(age: u64, known: &[Callback], callback: &Callback) {
    let stamped = callback.latest_time().as_millis() - BASE;
    for (now, too_late) in [(stamped + age, false), (stamped + age + 1, true)] {
        let (mut registry, clock) = forgetful(10);
        for callback in known {
            clock.set(callback.latest_time());
            registry.apply_callback(callback);
        }
        clock.set(at(now));
        let outcome = registry.apply_callback(callback);
        assert_eq!(outcome == Outcome::TooLate, too_late, "{outcome:?} after {} ms", now - stamped);
    }
}

/// Asserts that a callback that is two hours old is let in, because of what is known.
#[track_caller]
fn assert_let_in(known: &[Callback], callback: &Callback) -> RoomRegistry<ManualClock> {
    let (mut registry, clock) = forgetful(10);
    for callback in known {
        clock.set(callback.latest_time());
        registry.apply_callback(callback);
    }
    clock.set(at(2 * 3_600_000));
    assert_ne!(registry.apply_callback(callback), Outcome::TooLate);
    registry
}

/// Holds law 5.2.
#[test]
fn openings_are_let_in_for_the_retention() {
    assert_let_in_until(10_000, &[], &create(1, 1_000));
    assert_let_in_until(10_000, &[create(1, 0)], &login(1, 1, 1_000, 1));
    assert_let_in_until(10_000, &[create(1, 0)], &publish(1, 1, 1_000, 1));
}

/// Holds law 5.2.
#[test]
fn closings_are_let_in_for_the_retention_and_the_skew() {
    assert_let_in_until(15_000, &[], &close(1, 1_000));
    assert_let_in_until(15_000, &[create(1, 0)], &logout(1, 1, 500, 1_000, 2));
    assert_let_in_until(15_000, &[create(1, 0)], &unpublish(1, 1, 500, 1_000, 2));
}

/// Holds law 2.3.
#[test]
fn a_logout_without_login_time_is_let_in_longer_by_the_skew_that_it_is_given() {
    assert_let_in_until(20_000, &[create(1, 0)], &logout_without_login_time(1, 1, 1_000, 2));
}

/// Holds law 5.2.
#[test]
fn an_old_create_is_let_in_if_its_session_has_one_or_is_visible() {
    assert_let_in(&[create(1, 0)], &create(1, 0));
    let registry = assert_let_in(&[login(1, 1, 1_000, 1)], &create(1, 990));
    assert!(!registry.room("r").unwrap().session().unwrap().inferred);
}

/// Holds law 5.2.
#[test]
fn an_old_republication_is_let_in_if_that_life_of_the_stream_is_open() {
    let known = [create(1, 0), publish(1, 1, 1_000, 1)];
    let registry = assert_let_in(&known, &publish(1, 1, 2_000, 2));
    assert_eq!(registry.room("r").unwrap().stream("camera").unwrap().counter(), Some(2));
    assert_let_in_until(10_000, &known, &publish(1, 2, 2_000, 2)); // another life of it
}

/// Holds law 5.2.
#[test]
fn old_closings_of_what_is_known_are_let_in() {
    let registry = assert_let_in(&[create(1, 0)], &close(1, 1_000));
    assert!(registry.room("r").is_none());
    let registry =
        assert_let_in(&[create(1, 0), login(1, 1, 500, 1)], &logout(1, 1, 500, 1_000, 2));
    assert_eq!(registry.user_count(), 0);
    let registry =
        assert_let_in(&[create(1, 0), publish(1, 1, 500, 1)], &unpublish(1, 1, 500, 1_000, 2));
    assert_eq!(registry.stream_count(), 0);
}

/// It says nothing any more, because the room was created anew since. It is a repeat of what is known, and not
/// too late. Holds law 5.2.
#[test]
fn an_old_logout_from_before_the_creation_is_let_in_if_the_user_is_known() {
    let old = logout_without_login_time(1, 1, 2_000, 2);
    assert_let_in(&[create(1, 60_000), login(1, 2, 60_000, 3)], &old);
    let (mut registry, clock) = forgetful(10);
    clock.set(at(60_000));
    registry.apply_callback(&create(1, 60_000));
    assert_eq!(registry.apply_callback(&old), Outcome::TooLate);
}

/// Holds law 5.4.
#[test]
fn an_open_session_without_its_creation_that_another_hides_is_forgotten() {
    let (mut registry, clock) = forgetful(10);
    registry.apply_callback(&create(1, 0));
    registry.apply_callback(&login(1, 1, 1_000, 1));
    clock.set(at(2_000));
    assert_eq!(registry.apply_callback(&login_of("ann", 2, 2, 2_000, 1)), Outcome::Held);
    clock.set(at(2_000 + 15_001));
    assert_eq!(registry.expire().forgotten, 1);
    assert_eq!(registry.user_count(), 1);
}

/// The user is known, so it is let in, and beside a login it is too old to be remembered. A repeat finds
/// nothing of it, and is held and forgotten again.
/// Holds law 5.5.
#[test]
fn an_old_logout_beside_a_login_is_forgotten_before_it_comes_again() {
    let known = [create(1, 0), login(1, 2, 5_000, 2)];
    let old = logout(1, 1, 1_000, 6_000, 1);
    let mut registry = assert_let_in(&known, &old);
    for _ in 0..2 {
        assert_eq!(registry.expire().forgotten, 1);
        assert_eq!(registry.apply_callback(&old), Outcome::Held);
        assert_eq!(registry.user_count(), 1);
    }
}
