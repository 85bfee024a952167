//! Closings that arrive before their openings, and openings that arrive again after closings.

use room_registry::Callback;

use super::{
    assert_camera, assert_no_room, assert_session, assert_tom, close, create, login, logout,
    logout_without_login_time, publish, unpublish,
};

// The vendor's published scenarios: the last opening arrives before the first closing.

/// Holds law 9.5.
#[test]
fn rooms_that_arrive_as_third_first_second_show_the_second_life() {
    let [c1, x2, c3] = [create(1, 0), close(1, 10_000), create(2, 20_000)];
    assert_session([c3, c1, x2], "2");
}

/// Holds law 9.5.
#[test]
fn users_that_arrive_as_third_first_second_show_the_second_login() {
    let [l1, o2, l3] =
        [login(1, 1, 1_000, 1), logout(1, 1, 1_000, 2_000, 2), login(1, 2, 3_000, 3)];
    assert_tom([create(1, 0), l3, l1, o2], Some("2"));
}

/// Holds law 9.5.
#[test]
fn streams_that_arrive_as_third_first_second_show_the_second_life() {
    let [p1, u2, p3] =
        [publish(1, 1, 1_000, 1), unpublish(1, 1, 1_000, 2_000, 2), publish(1, 2, 3_000, 3)];
    assert_camera([create(1, 0), p3, p1, u2], Some("s-2"));
}

// A closing thrown away before its opening arrives.

/// Holds law 9.1.
#[test]
fn a_close_of_the_first_session_that_comes_second_is_not_thrown_away() {
    assert_no_room([create(2, 20_000), close(1, 10_000), close(2, 30_000), create(1, 0)]);
}

/// Holds law 9.1.
#[test]
fn a_close_that_comes_before_everything_is_not_thrown_away() {
    assert_no_room([close(1, 10_000), create(2, 20_000), close(2, 30_000), create(1, 0)]);
}

/// Holds laws 3.6 and 9.1.
#[test]
fn a_logout_that_comes_before_its_login_is_not_thrown_away() {
    let [l1, o1, l2, o2] = [
        login(1, 1, 1_000, 1),
        logout(1, 1, 1_000, 2_000, 2),
        login(1, 2, 3_000, 3),
        logout(1, 2, 3_000, 4_000, 4),
    ];
    assert_tom([create(1, 0), l2, o1, o2, l1], None);
}

/// The opening and close of a stream's first life, then of its second.
fn two_lives_of_a_stream() -> [Callback; 4] {
    [
        publish(1, 1, 1_000, 1),
        unpublish(1, 1, 1_000, 2_000, 2),
        publish(1, 2, 3_000, 3),
        unpublish(1, 2, 3_000, 4_000, 4),
    ]
}

/// Holds law 9.1.
#[test]
fn a_stream_close_that_comes_before_its_opening_is_not_thrown_away() {
    let [p1, u1, p2, u2] = two_lives_of_a_stream();
    assert_camera([create(1, 0), p2, u1, u2, p1], None);
}

/// Holds laws 2.3 and 9.10.
#[test]
fn a_logout_without_login_time_closes_a_login_that_arrives_later() {
    let logout = logout_without_login_time(1, 1, 2_000, 2);
    assert_tom([create(1, 0), logout, login(1, 1, 1_000, 1)], None);
}

// No memory of closings.

/// Holds law 9.2.
#[test]
fn a_repeated_create_after_the_close_brings_nothing_back() {
    assert_no_room([create(1, 0), close(1, 10_000), create(1, 0)]);
}

/// Holds law 9.2.
#[test]
fn a_repeated_login_after_the_logout_brings_nobody_back() {
    let l = login(1, 1, 1_000, 1);
    assert_tom([create(1, 0), l.clone(), logout(1, 1, 1_000, 2_000, 2), l], None);
}

/// Holds law 9.2.
#[test]
fn a_repeated_stream_creation_after_the_close_brings_nothing_back() {
    let p = publish(1, 1, 1_000, 1);
    assert_camera([create(1, 0), p.clone(), unpublish(1, 1, 1_000, 2_000, 2), p], None);
}

/// Holds laws 3.9 and 9.3.
#[test]
fn a_late_republication_after_the_close_brings_nothing_back() {
    let closed = unpublish(1, 1, 1_500, 2_000, 3);
    assert_camera([create(1, 0), publish(1, 1, 1_000, 1), closed, publish(1, 1, 1_500, 2)], None);
}

/// Holds laws 3.8 and 9.4.
#[test]
fn a_close_of_the_second_life_of_a_stream_is_not_eaten_by_that_of_the_first() {
    let [p1, u1, p2, u2] = two_lives_of_a_stream();
    assert_camera([create(1, 0), p1, u2, u1, p2], None);
}
