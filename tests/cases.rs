//! Known cases that break other designs, each by name. Digits are lives, and the arrival order is
//! the order of the arguments.
#![allow(clippy::unwrap_used, reason = "a test that meets what it does not expect fails")]

mod support;

use std::time::Duration;

use room_registry::{
    Callback, CallbackEvent, Config, ManualClock, Outcome, RoomClosed, RoomCreated, RoomId,
    RoomRegistry, SessionId, StreamClosed, StreamCreated, StreamId, StreamSessionId, Timestamp,
    UserId, UserLoggedIn, UserLoggedOut, UserSessionId,
};

/// Their time at the start of each case; our time is a little later.
const BASE: u64 = 1_763_596_800_000;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(BASE + millis)
}

fn callback(session: u64, event: impl Into<CallbackEvent>) -> Callback {
    Callback::new(RoomId::new("r").unwrap(), SessionId::new(session.to_string()).unwrap(), event)
}

/// The room is created.
fn create(session: u64, millis: u64) -> Callback {
    callback(session, RoomCreated::new(at(millis)))
}

/// The room is closed.
fn close(session: u64, millis: u64) -> Callback {
    callback(session, RoomClosed::new(at(millis)))
}

/// Tom logs in: to a session of the room, under a user session, with a counter.
fn login(session: u64, user_session: u64, millis: u64, counter: u64) -> Callback {
    login_of("tom", session, user_session, millis, counter)
}

fn login_of(user: &str, session: u64, user_session: u64, millis: u64, counter: u64) -> Callback {
    let user_session = UserSessionId::new(user_session.to_string()).unwrap();
    callback(
        session,
        UserLoggedIn::new(UserId::new(user).unwrap(), user_session, at(millis), counter),
    )
}

/// Tom logs out; the payload tells when he logged in.
fn logout(session: u64, user_session: u64, login: u64, millis: u64, counter: u64) -> Callback {
    let user_session = UserSessionId::new(user_session.to_string()).unwrap();
    let event = UserLoggedOut::new(UserId::new("tom").unwrap(), user_session, at(millis), counter);
    callback(session, event.login_at(at(login)))
}

/// Tom logs out; the payload does not tell when he logged in.
fn logout_without_login_time(
    session: u64,
    user_session: u64,
    millis: u64,
    counter: u64,
) -> Callback {
    let user_session = UserSessionId::new(user_session.to_string()).unwrap();
    callback(
        session,
        UserLoggedOut::new(UserId::new("tom").unwrap(), user_session, at(millis), counter),
    )
}

/// A stream is published.
fn publish(session: u64, life: u64, millis: u64, counter: u64) -> Callback {
    let (id, life) =
        (StreamId::new("camera").unwrap(), StreamSessionId::new(format!("s-{life}")).unwrap());
    callback(session, StreamCreated::new(id, life, at(millis), Some(counter)))
}

/// A stream ends.
fn unpublish(session: u64, life: u64, created: u64, millis: u64, counter: u64) -> Callback {
    let (id, life) =
        (StreamId::new("camera").unwrap(), StreamSessionId::new(format!("s-{life}")).unwrap());
    callback(
        session,
        StreamClosed::new(id, life, at(millis), Some(counter)).created_at(at(created)),
    )
}

/// A registry whose clock stands an hour after the start of the case, well within its retention.
fn registry() -> (RoomRegistry<ManualClock>, ManualClock) {
    let config = Config::builder().retention(Some(Duration::from_secs(86_400))).build().unwrap();
    let clock = ManualClock::at(at(3_600_000));
    (RoomRegistry::with_clock(config, clock.clone()), clock)
}

fn arrived(callbacks: impl IntoIterator<Item = Callback>) -> RoomRegistry<ManualClock> {
    let (mut registry, _) = registry();
    for callback in callbacks {
        registry.apply_callback(&callback);
    }
    registry
}

#[track_caller]
fn assert_no_room(callbacks: impl IntoIterator<Item = Callback>) {
    let registry = arrived(callbacks);
    assert!(registry.room("r").is_none(), "{:?}", registry.room("r"));
}

#[track_caller]
fn assert_session(callbacks: impl IntoIterator<Item = Callback>, session: &str) {
    let registry = arrived(callbacks);
    let room = registry.room("r").expect("the room is open");
    assert_eq!(room.session_id().map(SessionId::as_str), Some(session));
}

/// Asserts which user session of Tom is logged in.
#[track_caller]
fn assert_tom(callbacks: impl IntoIterator<Item = Callback>, user_session: Option<&str>) {
    let registry = arrived(callbacks);
    let room = registry.room("r").expect("the room is open");
    let login = room.user("tom").and_then(room_registry::UserRef::login);
    assert_eq!(login.map(|login| login.user_session_id.as_str()), user_session);
}

/// Asserts which life of the stream is open.
#[track_caller]
fn assert_camera(callbacks: impl IntoIterator<Item = Callback>, life: Option<&str>) {
    let registry = arrived(callbacks);
    let room = registry.room("r").expect("the room is open");
    let stream = room.stream("camera").map(|stream| stream.stream_session_id().unwrap().as_str());
    assert_eq!(stream, life);
}

// The vendor's published scenarios: the last opening arrives before the first closing.

#[test]
fn rooms_that_arrive_as_third_first_second_show_the_second_life() {
    let [c1, x2, c3] = [create(1, 0), close(1, 10_000), create(2, 20_000)];
    assert_session([c3, c1, x2], "2");
}

#[test]
fn users_that_arrive_as_third_first_second_show_the_second_login() {
    let [l1, o2, l3] =
        [login(1, 1, 1_000, 1), logout(1, 1, 1_000, 2_000, 2), login(1, 2, 3_000, 3)];
    assert_tom([create(1, 0), l3, l1, o2], Some("2"));
}

#[test]
fn streams_that_arrive_as_third_first_second_show_the_second_life() {
    let [p1, u2, p3] =
        [publish(1, 1, 1_000, 1), unpublish(1, 1, 1_000, 2_000, 2), publish(1, 2, 3_000, 3)];
    assert_camera([create(1, 0), p3, p1, u2], Some("s-2"));
}

// A closing thrown away before its opening arrives.

#[test]
fn a_close_of_the_first_session_that_comes_second_is_not_thrown_away() {
    assert_no_room([create(2, 20_000), close(1, 10_000), close(2, 30_000), create(1, 0)]);
}

#[test]
fn a_close_that_comes_before_everything_is_not_thrown_away() {
    assert_no_room([close(1, 10_000), create(2, 20_000), close(2, 30_000), create(1, 0)]);
}

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

#[test]
fn a_stream_close_that_comes_before_its_opening_is_not_thrown_away() {
    let [p1, u1, p2, u2] = [
        publish(1, 1, 1_000, 1),
        unpublish(1, 1, 1_000, 2_000, 2),
        publish(1, 2, 3_000, 3),
        unpublish(1, 2, 3_000, 4_000, 4),
    ];
    assert_camera([create(1, 0), p2, u1, u2, p1], None);
}

// No memory of closings.

#[test]
fn a_repeated_create_after_the_close_brings_nothing_back() {
    assert_no_room([create(1, 0), close(1, 10_000), create(1, 0)]);
}

#[test]
fn a_repeated_login_after_the_logout_brings_nobody_back() {
    let l = login(1, 1, 1_000, 1);
    assert_tom([create(1, 0), l.clone(), logout(1, 1, 1_000, 2_000, 2), l], None);
}

#[test]
fn a_repeated_stream_creation_after_the_close_brings_nothing_back() {
    let p = publish(1, 1, 1_000, 1);
    assert_camera([create(1, 0), p.clone(), unpublish(1, 1, 1_000, 2_000, 2), p], None);
}

#[test]
fn a_late_republication_after_the_close_brings_nothing_back() {
    let closed = unpublish(1, 1, 1_500, 2_000, 3);
    assert_camera([create(1, 0), publish(1, 1, 1_000, 1), closed, publish(1, 1, 1_500, 2)], None);
}

#[test]
fn a_close_of_the_second_life_of_a_stream_is_not_eaten_by_that_of_the_first() {
    let [p1, u1, p2, u2] = [
        publish(1, 1, 1_000, 1),
        unpublish(1, 1, 1_000, 2_000, 2),
        publish(1, 2, 3_000, 3),
        unpublish(1, 2, 3_000, 4_000, 4),
    ];
    assert_camera([create(1, 0), p1, u2, u1, p2], None);
}

// Equal milliseconds.

#[test]
fn of_two_sessions_created_in_one_millisecond_the_unclosed_one_is_shown() {
    assert_session([create(1, 0), create(2, 0), close(1, 0)], "2");
}

/// The second session is created within the tie window of the first, and clocks that differ by half
/// of that stamp the close of the first before its own creation. A clock skew of one and a half tie
/// windows lets it in; one that is no longer than the tie window does not, and the first session
/// stays an unclosed candidate when the second has closed.
#[test]
fn a_session_created_at_once_with_the_one_that_is_shown_and_closed_already_is_told_of_to_nobody() {
    let mut registry = arrived([create(1, 1_000), login(1, 7, 1_010, 1), close(2, 1_200)]);
    assert_eq!(registry.apply_callback(&create(2, 1_050)), Outcome::Held);
    assert_eq!(registry.changes().count(), 0);
    assert_eq!(registry.room("r").unwrap().session_id().unwrap(), "1");
}

#[test]
fn a_close_stamped_before_the_creation_of_its_session_counts_where_the_clock_skew_allows_for_it() {
    let told = [create(1, 1_020), close(1, 970), create(2, 1_100), close(2, 5_000)];
    for (clock_skew, is_gone) in [(150, true), (100, false)] {
        let millis = Duration::from_millis;
        let config =
            Config::builder().clock_skew(millis(clock_skew)).tie_window(millis(100)).build();
        for order in support::history::permutations(told.len()) {
            let clock = ManualClock::at(at(6_000));
            let mut registry = RoomRegistry::with_clock(config.clone().unwrap(), clock);
            for index in order {
                registry.apply_callback(&told[index]);
            }
            assert_eq!(registry.room("r").is_none(), is_gone, "clock skew {clock_skew}");
        }
    }
}

#[test]
fn a_relogin_within_one_millisecond_shows_the_second_login() {
    let callbacks =
        [create(1, 0), login(1, 1, 1_000, 1), login(1, 2, 1_000, 2), logout(1, 1, 1_000, 1_000, 3)];
    assert_tom(callbacks, Some("2"));
}

#[test]
fn everything_within_one_millisecond_ends_in_the_second_session() {
    // C1 P2 U2 X1 C2, all in one millisecond: the stream belongs to the second session.
    let callbacks =
        [create(1, 0), publish(2, 1, 0, 1), unpublish(2, 1, 0, 0, 2), close(1, 0), create(2, 0)];
    assert_session(callbacks.clone(), "2");
    assert_camera(callbacks, None);
}

#[test]
fn the_larger_id_may_be_the_older_session() {
    assert_session([create(9, 0), close(9, 0), create(3, 0)], "3");
}

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

#[test]
fn a_close_never_counts_as_a_sign_of_life() {
    assert_session([create(9, 1_000), create(3, 60_000), close(9, 60_000)], "3");
    assert_session([create(3, 60_000), close(9, 60_000), create(9, 1_000)], "3");
}

#[test]
fn a_logout_without_login_time_closes_a_login_that_arrives_later() {
    let logout = logout_without_login_time(1, 1, 2_000, 2);
    assert_tom([create(1, 0), logout, login(1, 1, 1_000, 1)], None);
}

#[test]
fn a_lost_create_shows_users_and_streams_under_an_inferred_session() {
    let registry = arrived([login(1, 1, 1_000, 1), publish(1, 1, 2_000, 1)]);
    let room = registry.room("r").expect("shown on the evidence of its users and streams");
    let session = room.session().unwrap();
    assert!(session.inferred);
    assert_eq!(session.opened_at, Some(at(1_000)));
    assert_eq!((room.user_count(), room.stream_count()), (1, 1));
}

#[test]
fn an_inferred_session_becomes_a_known_one_when_its_create_comes() {
    let registry = arrived([login(1, 1, 1_000, 1), create(1, 990)]);
    let session = registry.room("r").unwrap().session().unwrap().clone();
    assert!(!session.inferred);
    assert_eq!(session.opened_at, Some(at(990)));
}

#[test]
fn sessions_are_not_inferred_where_the_configuration_says_so() {
    let config = Config::builder().infer_sessions(false).build().unwrap();
    let mut registry = RoomRegistry::with_clock(config, ManualClock::at(at(2_000)));
    assert_eq!(registry.apply_callback(&login(1, 1, 1_000, 1)), Outcome::Held);
    assert!(registry.room("r").is_none());
    assert_eq!(registry.apply_callback(&create(1, 990)), Outcome::Applied);
    assert_eq!(registry.user_count(), 1);
}

// With forgetting.

fn forgetful(retention_secs: u64) -> (RoomRegistry<ManualClock>, ManualClock) {
    let config =
        Config::builder().retention(Some(Duration::from_secs(retention_secs))).build().unwrap();
    let clock = ManualClock::at(at(0));
    (RoomRegistry::with_clock(config, clock.clone()), clock)
}

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

#[test]
fn closers_beside_a_login_are_forgotten_one_by_one() {
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

#[test]
fn openings_are_let_in_for_the_retention() {
    assert_let_in_until(10_000, &[], &create(1, 1_000));
    assert_let_in_until(10_000, &[create(1, 0)], &login(1, 1, 1_000, 1));
    assert_let_in_until(10_000, &[create(1, 0)], &publish(1, 1, 1_000, 1));
}

#[test]
fn closings_are_let_in_for_the_retention_and_the_skew() {
    assert_let_in_until(15_000, &[], &close(1, 1_000));
    assert_let_in_until(15_000, &[create(1, 0)], &logout(1, 1, 500, 1_000, 2));
    assert_let_in_until(15_000, &[create(1, 0)], &unpublish(1, 1, 500, 1_000, 2));
}

#[test]
fn a_logout_without_login_time_is_let_in_longer_by_the_skew_that_it_is_given() {
    assert_let_in_until(20_000, &[create(1, 0)], &logout_without_login_time(1, 1, 1_000, 2));
}

#[test]
fn an_old_create_is_let_in_where_its_session_has_one_or_is_visible() {
    assert_let_in(&[create(1, 0)], &create(1, 0));
    let registry = assert_let_in(&[login(1, 1, 1_000, 1)], &create(1, 990));
    assert!(!registry.room("r").unwrap().session().unwrap().inferred);
}

#[test]
fn an_old_republication_is_let_in_where_that_life_of_the_stream_is_open() {
    let known = [create(1, 0), publish(1, 1, 1_000, 1)];
    let registry = assert_let_in(&known, &publish(1, 1, 2_000, 2));
    assert_eq!(registry.room("r").unwrap().stream("camera").unwrap().counter(), Some(2));
    assert_let_in_until(10_000, &known, &publish(1, 2, 2_000, 2)); // another life of it
}

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

/// The user is known, so it is let in, and beside a login it is too old to be remembered: a repeat
/// finds nothing of it, and is held and forgotten again.
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

#[test]
fn a_session_not_yet_known_at_the_end_brings_the_room_back() {
    let (mut registry, _) = registry();
    registry.apply_callback(&create(1, 0));
    registry.end_room("r").unwrap();
    registry.apply_callback(&create(2, 10_000));
    assert_eq!(registry.room("r").unwrap().session_id().unwrap().as_str(), "2");
}

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

#[test]
fn a_room_created_again_may_show_an_older_session_than_the_one_that_showed_meanwhile() {
    let (mut registry, clock) = registry();
    registry.create_room(room_registry::NewRoom::new("r", "tom")).unwrap();
    registry.apply_callback(&create(10, 0));
    registry.end_room("r").unwrap();
    // While 10 is hidden, 7 is inferred; once it shows again, 7 is within the skew of its creation.
    registry.apply_callback(&publish(7, 1, 10_000, 1));
    registry.apply_callback(&create(10, 5_000));
    assert_eq!(registry.room("r").unwrap().session_id().unwrap().as_str(), "7");
    clock.advance(Duration::from_millis(1));
    registry.create_room(room_registry::NewRoom::new("r", "tom")).unwrap();
    let room = registry.room("r").unwrap();
    assert_eq!(room.session_id().unwrap().as_str(), "10");
    assert_eq!(room.stream_count(), 0);
}

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
