//! What each callback comes to, from the far future and in hostile numbers too.

use room_registry::Outcome;

use super::{at, close, create, login, logout, logout_without_login_time, publish, registry};

/// Holds laws 5.8 and 8.1.
#[test]
fn a_callback_from_the_far_future_is_refused() {
    let (mut registry, clock) = registry();
    clock.set(at(0));
    assert_eq!(
        registry.apply_callback(&create(1, 600_000)),
        Outcome::Applied,
        "exactly the guard is let in"
    );
    assert_eq!(registry.apply_callback(&create(2, 600_001)), Outcome::Refused);
    // The guard looks at the stamp, not at the skew that a logout without login time is given.
    assert_ne!(
        registry.apply_callback(&logout_without_login_time(1, 1, 600_000, 1)),
        Outcome::Refused
    );
}

/// Holds laws 8.1 and 8.2.
#[test]
fn every_outcome_is_told_and_counted() {
    let (mut registry, _) = registry();
    assert_eq!(registry.apply_callback(&create(1, 10_000)), Outcome::Applied);
    assert_eq!(registry.apply_callback(&create(1, 10_000)), Outcome::Duplicate);
    assert_eq!(registry.apply_callback(&create(2, 1_000)), Outcome::Stale);
    assert_eq!(registry.apply_callback(&logout(1, 1, 11_000, 12_000, 2)), Outcome::Held);
    assert_eq!(registry.apply_callback(&logout(1, 1, 11_000, 12_000, 2)), Outcome::Duplicate);
    assert_eq!(registry.apply_callback(&login(1, 1, 11_000, 1)), Outcome::Stale);
    assert_eq!(registry.apply_callback(&login(1, 2, 13_000, 3)), Outcome::Applied);
    assert_eq!(registry.apply_callback(&close(1, 14_000)), Outcome::Applied);
    assert_eq!(registry.apply_callback(&close(1, 14_000)), Outcome::Duplicate);
    assert_eq!(registry.apply_callback(&close(1, 13_999)), Outcome::Stale);
    assert_eq!(
        registry.apply_callback(&login(1, 2, 13_000, 3)),
        Outcome::Stale,
        "an ended session"
    );
    let counts: Vec<u64> =
        Outcome::ALL.into_iter().map(|outcome| registry.outcomes().of(outcome)).collect();
    assert_eq!(counts, [3, 1, 3, 4, 0, 0]);
    assert_eq!(registry.outcomes().total(), 11);
}

/// Holds laws 1.4 and 3.10.
#[test]
fn hostile_numbers_of_sessions_and_facts_are_capped() {
    let (mut registry, _) = registry();
    for life in 0..1_000 {
        registry.apply_callback(&create(life, 10_000));
        registry.apply_callback(&login(5_000, life, 20_000, life));
        registry.apply_callback(&publish(5_000, life, 30_000 - life, life));
        registry.apply_callback(&logout_without_login_time(5_000, 100_000 + life, 20_000, 1));
    }
    let room = registry.room("r").unwrap();
    assert_eq!(room.user_count(), 1);
    let login = room.user("tom").unwrap().login().unwrap();
    assert_eq!(login.counter, 999, "the login that is shown is never dropped");
    assert_eq!(room.stream("camera").unwrap().counter(), Some(999));
}
