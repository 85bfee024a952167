//! When something is due in many rooms, and which rooms stand where after others were forgotten.
#![allow(clippy::unwrap_used, reason = "a test that meets what it does not expect fails")]

use std::time::Duration;

use proptest::prelude::*;
use room_registry::{
    Config, ManualClock, NewRoom, NewUser, RoomOrder, RoomQuery, RoomRef, RoomRegistry, Timestamp,
};

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

proptest! {
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
