//! Equal milliseconds, and clocks that differ.

use std::time::Duration;

use room_registry::{Config, ManualClock, Outcome, RoomRegistry};

use super::{
    arrived, assert_camera, assert_session, assert_tom, at, close, create, login, logout, publish,
    unpublish,
};

/// Holds laws 4.1 and 9.6.
#[test]
fn of_two_sessions_created_in_one_millisecond_the_unclosed_one_is_shown() {
    assert_session([create(1, 0), create(2, 0), close(1, 0)], "2");
}

#[test]
fn a_session_created_at_once_with_the_one_that_is_shown_and_closed_already_is_told_of_to_nobody() {
    let mut registry = arrived([create(1, 1_000), login(1, 7, 1_010, 1), close(2, 1_200)]);
    assert_eq!(registry.apply_callback(&create(2, 1_050)), Outcome::Held);
    assert_eq!(registry.changes().count(), 0);
    assert_eq!(registry.room("r").unwrap().session_id().unwrap(), "1");
}

/// The second session is created within the tie window of the first. Clocks that differ by half of that
/// stamp the close of the first before its own creation. A clock skew of one and a half tie windows lets it
/// in. One that is no longer than the tie window does not. Then the first session stays an unclosed
/// candidate when the second has closed.
/// Holds laws 3.2 and 9.16.
#[test]
fn a_close_stamped_before_the_creation_of_its_session_counts_if_the_clock_skew_allows_for_it() {
    let told = [create(1, 1_020), close(1, 970), create(2, 1_100), close(2, 5_000)];
    for (clock_skew, is_gone) in [(150, true), (100, false)] {
        let millis = Duration::from_millis;
        let config =
            Config::builder().clock_skew(millis(clock_skew)).tie_window(millis(100)).build();
        for order in room_registry_world::history::permutations(told.len()) {
            let clock = ManualClock::at(at(6_000));
            let mut registry = RoomRegistry::with_clock(config.clone().unwrap(), clock);
            for index in order {
                registry.apply_callback(&told[index]);
            }
            assert_eq!(registry.room("r").is_none(), is_gone, "clock skew {clock_skew}");
        }
    }
}

/// Holds laws 3.6, 3.7 and 9.6.
#[test]
fn a_relogin_within_one_millisecond_shows_the_second_login() {
    let callbacks =
        [create(1, 0), login(1, 1, 1_000, 1), login(1, 2, 1_000, 2), logout(1, 1, 1_000, 1_000, 3)];
    assert_tom(callbacks, Some("2"));
}

/// Holds law 9.6.
#[test]
fn everything_within_one_millisecond_ends_in_the_second_session() {
    // C1 P2 U2 X1 C2, all in one millisecond: the stream belongs to the second session.
    let callbacks =
        [create(1, 0), publish(2, 1, 0, 1), unpublish(2, 1, 0, 0, 2), close(1, 0), create(2, 0)];
    assert_session(callbacks.clone(), "2");
    assert_camera(callbacks, None);
}

/// Holds laws 4.1 and 9.7.
#[test]
fn the_larger_id_may_be_the_older_session() {
    assert_session([create(9, 0), close(9, 0), create(3, 0)], "3");
}

/// Holds laws 3.2, 4.2 and 9.8.
#[test]
fn a_first_login_stamped_before_the_create_counts_though_the_session_before_was_short() {
    // The session before began and ended within less than the login is early.
    let callbacks = [
        create(1, 0),
        close(1, 3),
        login(2, 7, 2, 1), // stamped before the create of its session, and before the close of the other
        create(2, 5),
    ];
    assert_session(callbacks.clone(), "2");
    assert_tom(callbacks, Some("7"));
}

/// Holds laws 2.2 and 9.9.
#[test]
fn a_close_never_counts_as_a_sign_of_life() {
    assert_session([create(9, 1_000), create(3, 60_000), close(9, 60_000)], "3");
    assert_session([create(3, 60_000), close(9, 60_000), create(9, 1_000)], "3");
}
