//! Where event time and local time meet: what a local clock costs that is apart from the media
//! server's. The tests hold section 11 of the guide's rules.

use room_registry::event::{CallbackEvent, RoomClosed, RoomCreated, UserLoggedIn, UserLoggedOut};
use room_registry::repair::ObservedUser;
use room_registry::{
    Callback, Config, Lifecycle, NewRoom, NewUser, Observation, Outcome, Room, RoomId, RoomRef,
    SessionId, Timestamp, UserId, UserSessionId,
};

/// Event time at the start of each story.
const START: i64 = 1_763_596_800_000;
const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
/// The defaults.
const RETENTION: i64 = 10 * MINUTE;
const SKEW: i64 = 5 * SECOND;

/// How far the local clock is ahead.
const AHEAD: [i64; 7] = [-9 * MINUTE, -MINUTE, -3 * SECOND, 0, 3 * SECOND, MINUTE, 9 * MINUTE];

/// Holds law 11.1.
#[test]
fn users_stand_by_the_clock_that_told_of_them_and_each_stands_once() {
    for ahead in AHEAD {
        let mut room = created();
        let config = Config::default();
        hear(&mut room, login("bob", 1, 10 * SECOND), 10 * SECOND + ahead);
        room.join(NewUser::new("ann"), &config, at(11 * SECOND + ahead)).unwrap();
        // She came a second later than he did, and her time is as wrong as the local clock is.
        let in_order = if ahead < -SECOND { ["ann", "bob"] } else { ["bob", "ann"] };
        assert_eq!(users(&room), in_order, "ahead by {ahead} ms");
        // A membership beside a login gives another place, and no second one.
        room.join(NewUser::new("bob"), &config, at(12 * SECOND + ahead)).unwrap();
        assert_eq!(users(&room), ["ann", "bob"], "ahead by {ahead} ms");
    }
}

/// Holds law 11.2.
#[test]
fn an_opening_may_be_late_by_the_retention_less_what_the_local_clock_is_ahead() {
    for ahead in AHEAD {
        let latest = RETENTION - ahead;
        for (late, too_late) in [(latest, false), (latest + 1, true)] {
            let mut room = created();
            let outcome = hear(&mut room, login("ann", 1, SECOND), SECOND + late + ahead);
            assert_eq!(
                outcome == Outcome::TooLate,
                too_late,
                "ahead by {ahead} ms, late by {late}"
            );
        }
    }
}

/// Holds law 11.2.
#[test]
fn a_callback_may_be_stamped_ahead_by_the_guard_and_what_the_local_clock_is_ahead() {
    for ahead in AHEAD {
        let stamped = 10 * MINUTE + ahead;
        for (stamped, refused) in [(stamped, false), (stamped + 1, true)] {
            let mut room = Room::new(RoomId::new("r").unwrap(), &Config::default());
            let outcome = hear(&mut room, RoomCreated::new(at(stamped)), ahead);
            assert_eq!(outcome == Outcome::Refused, refused, "ahead by {ahead} ms");
        }
    }
}

/// The close is stamped earlier than the creation, by as much as the clock skew allows for.
/// Holds law 11.3.
#[test]
fn what_a_forgotten_closing_ended_is_too_late_wherever_the_local_clock_stands() {
    let config = Config::default();
    for ahead in AHEAD {
        for early in [0, SKEW] {
            let mut room = Room::new(RoomId::new("r").unwrap(), &config);
            hear(&mut room, RoomCreated::new(at(SKEW)), SKEW + ahead);
            hear(&mut room, RoomClosed::new(at(SKEW - early)), SKEW + ahead);
            let forgotten_at = room.next_expiry(&config).unwrap();
            // It is remembered for a retention and the skew from its arrival, and by its stamp.
            assert!(forgotten_at > at(SKEW - early + RETENTION + SKEW));
            assert!(forgotten_at > at(SKEW + ahead + RETENTION + SKEW));
            for (now, is_forgotten) in [(1, false), (0, true)] {
                let now = Timestamp::from_millis(forgotten_at.as_millis() - now);
                let mut room = room.clone();
                room.expire(&config, now).unwrap();
                assert_eq!(room.is_forgotten(), is_forgotten);
                let repeat = callback(RoomCreated::new(at(SKEW)));
                room.apply(&repeat, &config, now).unwrap();
                assert!(room.view().is_none(), "ahead by {ahead} ms, forgotten: {is_forgotten}");
            }
        }
    }
}

/// The one cost of forgetting: nothing is left that could tell.
/// Holds law 11.3.
#[test]
fn a_clock_set_back_after_forgetting_lets_a_repeat_in_whose_closing_is_gone() {
    let config = Config::default();
    let mut room = created();
    hear(&mut room, login("ann", 1, SECOND), SECOND);
    hear(&mut room, logout("ann", 1, SECOND, 2 * SECOND), 2 * SECOND);
    for (set_back_to, is_back) in [(RETENTION + 10 * SECOND, false), (RETENTION, true)] {
        let mut room = room.clone();
        room.expire(&config, at(RETENTION + 10 * SECOND)).unwrap();
        hear(&mut room, login("ann", 1, SECOND), set_back_to);
        assert_eq!(users(&room) == ["ann"], is_back);
    }
}

/// Holds law 11.4.
#[test]
fn an_observation_stamped_ahead_undoes_nothing_newer_until_it_is_ahead_by_more_than_the_skew() {
    let read = 60 * SECOND;
    for (ahead, is_undone) in [(0, false), (SKEW, false), (SKEW + 2, true)] {
        let mut room = created();
        // She logs in a millisecond after the media server was read.
        hear(&mut room, login("ann", 1, read + 1), read + 1);
        see(&mut room, &observation(read + ahead), read + SKEW + 2);
        assert_eq!(users(&room).is_empty(), is_undone, "stamped ahead by {ahead} ms");
    }
}

/// Holds law 11.4.
#[test]
fn an_observation_stamped_behind_leaves_the_losses_of_the_time_before_it_to_the_next() {
    let read = 60 * SECOND;
    for behind in [0, SECOND, MINUTE / 2] {
        for (lost_before, is_mended) in [(SKEW + behind, false), (SKEW + behind + 1, true)] {
            let mut room = created();
            // Her logout, right after her login, is lost.
            hear(&mut room, login("ann", 1, read - lost_before), read - lost_before);
            see(&mut room, &observation(read - behind), read);
            assert_eq!(users(&room).is_empty(), is_mended, "behind by {behind} ms");
        }
    }
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(u64::try_from(START + millis).unwrap())
}

/// A room that a command created, and whose session has begun.
fn created() -> Room {
    let config = Config::default();
    let mut room = Room::new(RoomId::new("r").unwrap(), &config);
    // Its local clock goes on from wherever each story has it.
    room.apply(&callback(RoomCreated::new(at(0))), &config, at(-10 * MINUTE)).unwrap();
    room.create(
        NewRoom::new("r", "tom").lifecycle(Lifecycle::UntilEnded),
        &config,
        at(-10 * MINUTE),
    )
    .unwrap();
    room
}

fn callback(event: impl Into<CallbackEvent>) -> Callback {
    Callback::new(RoomId::new("r").unwrap(), SessionId::new("7").unwrap(), event)
}

fn login(user: &str, life: u64, millis: i64) -> UserLoggedIn {
    let life = UserSessionId::new(life.to_string()).unwrap();
    UserLoggedIn::new(UserId::new(user).unwrap(), at(millis)).user_session_id(life)
}

fn logout(user: &str, life: u64, since: i64, millis: i64) -> UserLoggedOut {
    let life = UserSessionId::new(life.to_string()).unwrap();
    UserLoggedOut::new(UserId::new(user).unwrap(), at(millis))
        .user_session_id(life)
        .login_at(at(since))
}

/// Nobody is in the room.
fn observation(millis: i64) -> Observation {
    let nobody: [ObservedUser; 0] = [];
    Observation::new(RoomId::new("r").unwrap(), at(millis)).users(nobody).streams([]).open(true)
}

fn hear(room: &mut Room, event: impl Into<CallbackEvent>, local: i64) -> Outcome {
    room.apply(&callback(event), &Config::default(), at(local)).unwrap()
}

fn see(room: &mut Room, observation: &Observation, local: i64) {
    room.apply_observation(observation, &Config::default(), at(local)).unwrap();
}

fn users(room: &Room) -> Vec<String> {
    let users = room.view().into_iter().flat_map(RoomRef::users);
    users.map(|user| user.id().to_string()).collect()
}
