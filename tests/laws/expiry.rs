//! When something is due in many rooms, and which rooms stand where after others were forgotten.

use std::time::Duration;

use proptest::prelude::*;
use room_registry::event::{RoomClosed, RoomCreated};
use room_registry::page::RoomOrder;
use room_registry::{
    Callback, ChangeKind, Clock, Config, Heartbeat, Lifecycle, ManualClock, NewRoom, NewUser,
    RoomId, RoomQuery, RoomRef, RoomRegistry, SessionId, StreamId, StreamSessionId, Timestamp,
    UserId, UserSessionId,
};
use room_registry_world::effort::{properties, seeds};
use room_registry_world::rng::Rng;
use room_registry_world::vendor::Vendor;

const ROOMS: usize = 100;
const TIMEOUT: Duration = Duration::from_secs(90);
const START: Timestamp = Timestamp::from_secs(1_000);

fn room_id(room: usize) -> String {
    format!("room{room:03}")
}

/// Rooms of one user each, who joined a second after the one before.
fn rooms(config: Config) -> (RoomRegistry<ManualClock>, ManualClock) {
    let clock = ManualClock::at(START);
    let mut registry = RoomRegistry::with_clock(config, clock.clone());
    for room in 0..ROOMS {
        registry.create_room(NewRoom::new(room_id(room), "host")).unwrap();
        registry.join_room(&room_id(room), NewUser::new("ann")).unwrap();
        clock.advance(Duration::from_millis(100));
    }
    (registry, clock)
}

#[test]
fn heartbeats_of_many_rooms_never_make_the_next_expiry_late() {
    let (mut registry, clock) = rooms(Config::default());
    let just_after = Duration::from_millis(1);
    assert_eq!(registry.next_expiry(), Some(START + TIMEOUT + just_after));
    clock.set(START + Duration::from_secs(60));
    for room in 1..ROOMS {
        registry.heartbeat(&room_id(room), "ann").unwrap();
    }
    assert_eq!(registry.next_expiry(), Some(START + TIMEOUT + just_after), "the first is silent");
    registry.heartbeat(&room_id(0), "ann").unwrap();
    let truly_due = START + Duration::from_secs(60) + TIMEOUT + just_after;
    let told = registry.next_expiry().unwrap();
    assert!(told <= truly_due && told + TIMEOUT > truly_due, "{told} for {truly_due}");

    // An early call finds nothing due, and each that it names comes nearer.
    let mut calls = 0;
    while let Some(at) = registry.next_expiry().filter(|at| *at < truly_due) {
        clock.set(at);
        assert_eq!(registry.expire().steps(), 0);
        calls += 1;
        assert!(calls < ROOMS);
    }
    assert_eq!(registry.next_expiry(), Some(truly_due));
    clock.set(truly_due);
    assert_eq!(registry.expire().memberships, ROOMS);
}

#[test]
fn a_few_heartbeats_leave_the_next_expiry_exact() {
    let (mut registry, clock) = rooms(Config::default());
    clock.set(START + Duration::from_secs(60));
    for room in 0..20 {
        registry.heartbeat(&room_id(room), "ann").unwrap();
    }
    // The first that is silent joined two seconds after the start.
    let twentieth = START + Duration::from_secs(2) + TIMEOUT + Duration::from_millis(1);
    assert_eq!(registry.next_expiry(), Some(twentieth));
}

/// A registry with a room of Tom's that lasts until it is empty, without a grace.
fn until_empty() -> (RoomRegistry<ManualClock>, ManualClock) {
    let clock = ManualClock::at(START);
    let config = Config::builder().empty_grace(Duration::ZERO).build().unwrap();
    let mut registry = RoomRegistry::with_clock(config, clock.clone());
    let room = NewRoom::new("r", "tom").lifecycle(Lifecycle::UntilEmpty);
    registry.create_room(room).unwrap();
    (registry, clock)
}

#[test]
fn a_step_that_is_left_over_ends_the_room_and_none_does_not() {
    let (mut registry, clock) = until_empty();
    registry.join_room("r", NewUser::new("ann")).unwrap();
    clock.set(START + TIMEOUT + Duration::from_millis(1));
    let expired = registry.expire_at_most(1);
    assert_eq!((expired.memberships, expired.rooms), (1, 0));
    assert_eq!(registry.room_count(), 1);
    let expired = registry.expire_at_most(1);
    assert_eq!((expired.memberships, expired.rooms), (0, 1));
    assert_eq!(registry.room_count(), 0);
}

#[test]
fn what_is_suspected_in_a_room_is_counted_whatever_else_is_due_there() {
    let (mut registry, clock) = rooms(Config::default());
    // Nobody is in the session, which is reported after as long as a heartbeat is waited for.
    let (first, session_id) = (RoomId::new(room_id(0)).unwrap(), SessionId::new("7").unwrap());
    let created = RoomCreated::new(clock.now());
    registry.apply_callback(&Callback::new(first, session_id, created));
    for room in 0..ROOMS {
        registry.heartbeat(&room_id(room), "ann").unwrap();
    }
    clock.advance(TIMEOUT + Duration::from_millis(1));
    let first = registry.expire_at_most(1);
    assert_eq!((first.memberships, first.suspected), (1, 1), "{first:?}");
    assert_eq!(registry.changes().count(), 2, "she left, and nobody is there");
    let rest = registry.expire();
    assert_eq!((rest.memberships, rest.suspected), (ROOMS - 1, 0), "{rest:?}");
}

/// Holds law 7.3.
#[test]
fn an_end_is_remembered_for_exactly_the_retention_and_counts_as_a_step() {
    let retention = Duration::from_secs(600);
    let clock = ManualClock::at(START);
    let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
    registry.create_room(NewRoom::new("r", "tom").lifecycle(Lifecycle::UntilEnded)).unwrap();
    registry.end_room("r").unwrap();
    let mut stored = registry.export("r").unwrap();
    clock.set(START + retention);
    assert_eq!(registry.expire().forgotten, 0, "exactly the retention is remembered");
    assert_eq!(stored.expire(registry.config(), clock.now()).unwrap().forgotten, 0);
    assert!(registry.export("r").is_some() && !stored.is_forgotten());
    clock.advance(Duration::from_millis(1));
    assert_eq!(registry.expire().forgotten, 1);
    assert!(registry.export("r").is_none());

    // Somebody left after the end: both are due, one after the other.
    clock.set(START + Duration::from_secs(1_000));
    registry.create_room(NewRoom::new("r", "tom").lifecycle(Lifecycle::UntilEnded)).unwrap();
    registry.end_room("r").unwrap();
    registry.create_room(NewRoom::new("r", "tom").lifecycle(Lifecycle::UntilEnded)).unwrap();
    registry.join_room("r", NewUser::new("ann")).unwrap();
    registry.leave_room("r", "ann").unwrap();
    clock.advance(retention + Duration::from_millis(1));
    assert_eq!(registry.expire_at_most(1).forgotten, 1);
    assert_eq!(registry.expire_at_most(1).forgotten, 1);
    assert_eq!(registry.expire().forgotten, 0);
}

#[test]
fn what_lies_beyond_the_last_instant_is_never_due() {
    let clock = ManualClock::at(Timestamp::MAX);
    let mut registry = RoomRegistry::with_clock(Config::default(), clock);
    registry.create_room(NewRoom::new("r", "tom")).unwrap();
    registry.join_room("r", NewUser::new("ann")).unwrap();
    assert_eq!(registry.next_expiry(), None);
    assert_eq!(registry.expire().steps(), 0);
}

/// Holds law 6.5.
#[test]
fn a_room_made_after_an_end_stays_after_it_when_the_clock_is_set_back() {
    let clock = ManualClock::at(START);
    let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
    registry.create_room(NewRoom::new("r", "tom")).unwrap();
    registry.end_room("r").unwrap();
    registry.create_room(NewRoom::new("r", "tom")).unwrap();
    let set_back = Timestamp::from_secs(500);
    clock.set(set_back);
    registry.expire();
    let created_at = registry.room("r").unwrap().began_at().unwrap();
    assert_eq!(
        created_at,
        set_back + Duration::from_millis(1),
        "the end was pulled back to before"
    );
}

#[test]
fn a_clock_that_is_set_back_tells_of_rooms_that_lay_ahead_alone() {
    let clock = ManualClock::at(START);
    let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
    registry.create_room(NewRoom::new("old", "tom")).unwrap();
    registry.join_room("old", NewUser::new("ann")).unwrap();
    clock.advance(Duration::from_secs(60));
    registry.heartbeat("old", "ann").unwrap();
    registry.create_room(NewRoom::new("young", "tom")).unwrap();
    clock.set(START + Duration::from_secs(30));
    registry.expire();
    let told: Vec<_> = registry.changes().map(|change| change.room_id.to_string()).collect();
    assert_eq!(told, ["young"]);
}

proptest! {
    #![proptest_config(properties(60))]

    /// Forgotten rooms give their numbers to others, whom lists, expiry and look-ups still find.
    #[test]
    fn those_who_stay_are_found_when_others_are_forgotten(
        gone in prop::collection::btree_set(0..ROOMS, 0..ROOMS),
        crowded in prop::collection::btree_set(0..ROOMS, 0..20),
    ) {
        let retention = Duration::from_secs(10);
        let config = Config::builder().retention(Some(retention)).build().unwrap();
        let (mut registry, clock) = rooms(config);
        for room in &crowded {
            registry.join_room(&room_id(*room), NewUser::new("bob")).unwrap();
        }
        for room in &gone {
            registry.end_room(&room_id(*room)).unwrap();
        }
        clock.advance(retention + Duration::from_secs(1));
        registry.expire();
        prop_assert_eq!(registry.held_room_count(), ROOMS - gone.len());

        let stay: Vec<_> = (0..ROOMS).filter(|room| !gone.contains(room)).collect();
        let ids = |order: RoomOrder| -> Vec<String> {
            let rooms = registry.page(&RoomQuery::new(order).limit(ROOMS)).unwrap().rooms;
            rooms.iter().map(|room| room.id().to_string()).collect()
        };
        let by_id: Vec<_> = stay.iter().map(|room| room_id(*room)).collect();
        prop_assert_eq!(ids(RoomOrder::Id), by_id.clone());
        prop_assert_eq!(ids(RoomOrder::Oldest), by_id.clone());
        prop_assert!(ids(RoomOrder::Newest).iter().rev().eq(&by_id));
        let (more, less): (Vec<usize>, Vec<usize>) =
            stay.iter().copied().partition(|room| crowded.contains(room));
        let by_users: Vec<_> = more.into_iter().chain(less).map(room_id).collect();
        prop_assert_eq!(ids(RoomOrder::MostUsers), by_users);
        for id in &by_id {
            prop_assert_eq!(registry.room(id).map(RoomRef::id).map(ToString::to_string), Some(id.clone()));
        }
        // Everybody who joined first times out in turn, and nobody else.
        let due = |room: usize| {
            START + Duration::from_millis(100 * room as u64) + TIMEOUT + Duration::from_millis(1)
        };
        for room in stay {
            prop_assert_eq!(registry.next_expiry(), Some(due(room)));
            clock.set(due(room));
            prop_assert_eq!(registry.expire().memberships, 1);
            prop_assert!(registry.room(&room_id(room)).unwrap().user("ann").is_none());
        }
    }
}

/// Rooms that callbacks alone told of, one of each vendor, and in each of them a user and a stream.
#[test]
fn rooms_of_any_vendor_that_stay_are_found_when_others_are_forgotten() {
    for seed in seeds(20) {
        let clock = ManualClock::at(START);
        let config = Config::default();
        let after = config.retention().unwrap() + config.clock_skew() + Duration::from_millis(1);
        let mut registry = RoomRegistry::with_clock(config, clock.clone());
        let mut rng = Rng::new(seed);
        let (ann, camera) = (UserId::new("ann").unwrap(), StreamId::new("camera").unwrap());
        let mut stay = Vec::new();
        for (room, vendor) in Vendor::all().enumerate() {
            clock.advance(Duration::from_millis(100));
            let now = clock.now();
            let mut media = vendor.room(RoomId::new(room_id(room)).unwrap());
            let mut told = vec![media.open(SessionId::new("7").unwrap(), RoomCreated::new(now))];
            let login = media.log_in(ann.clone(), UserSessionId::new("1").unwrap(), now);
            told.push(media.tell(login));
            let life = StreamSessionId::new("2").unwrap();
            let published = media.publish(camera.clone(), ann.clone(), life, now);
            told.push(media.tell(published));
            if rng.chance(50) {
                let later = now + Duration::from_millis(50);
                let closing = media.unpublish(&camera, later);
                told.push(media.tell(closing));
                let logout = media.log_out(&ann, later);
                told.push(media.tell(logout));
                told.push(media.close(RoomClosed::new(later)));
            } else {
                stay.push(room);
            }
            for callback in told {
                if vendor.sessions.tells(&callback) {
                    registry.apply_callback(&callback);
                }
            }
        }
        let now = clock.now();
        assert_eq!(registry.room_count(), stay.len(), "seed {seed}");
        // The first that is forgotten goes this long after it closed, and the last one that much later.
        while let Some(due_at) = registry.next_expiry().filter(|at| *at <= now + after * 2) {
            clock.set(due_at);
            assert!(registry.expire().steps() > 0, "seed {seed}: something is due");
        }
        assert_eq!(registry.held_room_count(), stay.len(), "seed {seed}");
        let ids = |order: RoomOrder| -> Vec<String> {
            let rooms = registry.page(&RoomQuery::new(order).limit(1_000)).unwrap().rooms;
            rooms.iter().map(|room| room.id().to_string()).collect()
        };
        let by_id: Vec<_> = stay.iter().map(|room| room_id(*room)).collect();
        for order in [RoomOrder::Id, RoomOrder::Oldest, RoomOrder::MostUsers] {
            assert_eq!(ids(order), by_id, "seed {seed}");
        }
        assert!(ids(RoomOrder::Newest).iter().rev().eq(&by_id), "seed {seed}");
        for id in &by_id {
            let room = registry.room(id).unwrap();
            assert_eq!(room.id().as_str(), id, "seed {seed}");
            assert!(room.user("ann").is_some() && room.streams().count() == 1, "seed {seed}");
        }
    }
}

#[test]
fn of_thousands_of_rooms_each_membership_ends_when_it_is_due_and_none_before() {
    const ROOMS: usize = 3_000;
    let clock = ManualClock::at(START);
    let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
    let id = |room: usize| format!("r{room}");
    for room in 0..ROOMS {
        registry.create_room(NewRoom::new(id(room), "host")).unwrap();
        registry.join_room(&id(room), NewUser::new("ann")).unwrap();
    }
    // Each is heard of for as many seconds as the number of its room says.
    let mut ended = 0;
    for second in 1..=300_u64 {
        clock.advance(Duration::from_secs(1));
        for room in (0..ROOMS).filter(|room| *room as u64 % 200 >= second) {
            assert_eq!(registry.heartbeat(&id(room), "ann"), Ok(Heartbeat::Alive));
        }
        let silent_for = |room: &usize| second.saturating_sub(*room as u64 % 200);
        let is_overdue = |room: &usize| Duration::from_secs(silent_for(room)) > TIMEOUT;
        let overdue = (0..ROOMS).filter(is_overdue).count();
        let next = registry.next_expiry();
        assert!(overdue == ended || next.is_some_and(|at| at <= clock.now()), "never too late");
        ended += registry.expire().memberships;
        assert_eq!(ended, overdue, "after {second} s");
    }
    assert_eq!(ended, ROOMS);
}

#[test]
fn of_thousands_of_users_of_a_room_each_membership_ends_in_the_order_of_the_heartbeats() {
    const USERS: usize = 3_000;
    let clock = ManualClock::at(START);
    let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
    registry.create_room(NewRoom::new("r1", "host")).unwrap();
    // Who was heard of when, the longest silent first.
    let mut heard: Vec<(Timestamp, String)> = Vec::new();
    for user in 0..USERS {
        registry.join_room("r1", NewUser::new(format!("u{user}"))).unwrap();
        heard.push((START, format!("u{user}")));
    }
    let mut ended = 0;
    for second in 1..=400_usize {
        clock.advance(Duration::from_secs(1));
        let now = clock.now();
        // Each is heard of every forty seconds or more rarely, and some day no more.
        let is_heard = |user: &usize| (user * 7 + second).is_multiple_of(40 + user % 30);
        let (beating, silent): (Vec<_>, Vec<_>) = heard.into_iter().partition(|(_, user_id)| {
            let user = user_id[1..].parse().unwrap();
            second < 20 + user % 280 && is_heard(&user)
        });
        heard = silent;
        for (_, user_id) in beating {
            assert_eq!(registry.heartbeat("r1", &user_id), Ok(Heartbeat::Alive));
            heard.push((now, user_id));
        }
        let due = heard.first().map(|(at, _)| *at + TIMEOUT + Duration::from_millis(1));
        let next = registry.next_expiry();
        assert!(due.is_none() || next.is_some() && next <= due, "{next:?} for {due:?}");
        // Now and then what is due waits, and now and then some of it.
        if second % 5 == 0 {
            continue;
        }
        let steps = if second % 7 == 0 { 3 } else { usize::MAX };
        let overdue = heard.iter().take_while(|(at, _)| *at + TIMEOUT < now).count().min(steps);
        assert_eq!(registry.expire_at_most(steps).memberships, overdue, "after {second} s");
        let left = registry.changes().filter_map(|change| match change.kind {
            ChangeKind::UserLeft { user_id, .. } => Some(user_id.as_str().to_owned()),
            _ => None,
        });
        assert!(left.eq(heard.drain(..overdue).map(|(_, user_id)| user_id)), "after {second} s");
        ended += overdue;
    }
    assert_eq!((ended, registry.user_count()), (USERS, 0));
}

#[test]
fn a_backlog_of_thousands_of_rooms_is_worked_off_in_order_a_few_at_a_time() {
    const ROOMS: usize = 3_000;
    let clock = ManualClock::at(START);
    let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
    let second_of = |room: usize| room * 7 % 60;
    for room in 0..ROOMS {
        registry.create_room(NewRoom::new(format!("r{room}"), "host")).unwrap();
        registry.join_room(&format!("r{room}"), NewUser::new("ann")).unwrap();
    }
    for second in 0..60 {
        clock.advance(Duration::from_secs(1));
        for room in (0..ROOMS).filter(|room| second_of(*room) == second) {
            registry.heartbeat(&format!("r{room}"), "ann").unwrap();
        }
    }
    clock.advance(Duration::from_secs(1_000));
    let mut ended: Vec<usize> = Vec::new();
    loop {
        let steps = registry.expire_at_most(70).steps();
        let rooms = registry.changes().map(|change| change.room_id.as_str()[1..].parse::<usize>());
        ended.extend(rooms.map(Result::unwrap));
        if steps < 70 {
            break;
        }
    }
    assert_eq!((ended.len(), registry.user_count()), (ROOMS, 0));
    assert!(ended.is_sorted_by_key(|room| second_of(*room)), "the longest silent goes first");
}
