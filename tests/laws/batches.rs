//! A batch is its inputs one by one, in its order.

use std::time::Duration;

use proptest::prelude::*;
use room_registry::{
    Callback, Change, Config, Error, Heartbeat, ManualClock, Mirror, NewRoom, NewUser,
    RoomRegistry, Timestamp, UserRef,
};
use room_registry_world::effort::{properties, seeds};
use room_registry_world::history::{Options, as_it_arrives, valid_history};
use room_registry_world::junk::junk_callback;
use room_registry_world::vendor::Vendor;

const START: Timestamp = Timestamp::from_secs(1_763_596_800);

fn registry() -> (RoomRegistry<ManualClock>, ManualClock) {
    let clock = ManualClock::at(START);
    let config = Config::builder().heartbeats_end_logins(true).build().unwrap();
    (RoomRegistry::with_clock(config, clock.clone()), clock)
}

fn visible(registry: &RoomRegistry<ManualClock>) -> Mirror {
    registry.rooms().collect()
}

/// Rooms 0 to 2 with users 0 to 4, of whom some joined long ago.
fn joined(long_ago: &[(u8, u8)]) -> RoomRegistry<ManualClock> {
    let (mut registry, clock) = registry();
    for room in 0..3 {
        registry.create_room(NewRoom::new(format!("room{room}"), "host")).unwrap();
    }
    let join = |registry: &mut RoomRegistry<ManualClock>, room: u8, user: u8| {
        let user = NewUser::new(format!("user{user}"));
        // Who is there does not join again.
        _ = registry.join_room(&format!("room{room}"), user);
    };
    for (room, user) in long_ago {
        join(&mut registry, *room, *user);
    }
    clock.advance(Duration::from_secs(91));
    for (room, user) in [(0, 0), (0, 1), (1, 0), (2, 2)] {
        join(&mut registry, room, user);
    }
    registry
}

#[track_caller]
fn check_batch(callbacks: &[Callback]) {
    let (mut one_by_one, _) = registry();
    let (mut at_once, _) = registry();
    let mut changes: Vec<Change> = Vec::new();
    let mut expected = Vec::new();
    for callback in callbacks {
        expected.push(one_by_one.apply_callback(callback));
        changes.extend(one_by_one.changes());
    }
    let mut outcomes = vec![room_registry::Outcome::Refused; 3];
    at_once.apply_callbacks(callbacks, &mut outcomes);
    assert_eq!(outcomes, expected);
    assert_eq!(visible(&at_once), visible(&one_by_one));
    assert_eq!(at_once.outcomes(), one_by_one.outcomes());
    assert_eq!(at_once.next_expiry(), one_by_one.next_expiry());
    // What came and went within the call is no change, so a mirror is what to compare.
    let mut mirror = Mirror::default();
    at_once.changes().for_each(|change| mirror.apply(&change));
    assert_eq!(mirror, visible(&at_once));
    let mut other = Mirror::default();
    for change in &changes {
        other.apply(change);
    }
    assert_eq!(mirror, other);
}

#[test]
fn a_batch_of_callbacks_of_any_vendor_is_its_callbacks() {
    for (vendor, seed) in Vendor::each_with_seeds(seeds(1)) {
        let history = valid_history(seed, Options { callbacks: 60, vendor, ..Options::default() });
        check_batch(&as_it_arrives(&history, seed, 20));
    }
}

proptest! {
    #![proptest_config(properties(60))]

    #[test]
    fn a_batch_of_callbacks_is_its_callbacks(callbacks in prop::collection::vec(junk_callback(), 0..60)) {
        check_batch(&callbacks);
    }

    #[test]
    fn a_batch_of_heartbeats_is_its_heartbeats(
        long_ago in prop::collection::vec((0..3_u8, 0..5_u8), 0..8),
        beats in prop::collection::vec((0..4_u8, 0..6_u8), 0..50),
    ) {
        let (mut one_by_one, mut at_once) = (joined(&long_ago), joined(&long_ago));
        let ids: Vec<_> =
            beats.iter().map(|(room, user)| (format!("room{room}"), format!("user{user}"))).collect();
        let batch: Vec<_> =
            ids.iter().map(|(room, user)| (room.as_str(), user.as_str())).collect();
        let expected: Vec<Result<Heartbeat, Error>> =
            batch.iter().map(|(room, user)| one_by_one.heartbeat(room, *user)).collect();
        let mut answers = vec![Ok(Heartbeat::TimedOut); 2];
        at_once.heartbeats(&batch, &mut answers);
        prop_assert_eq!(answers, expected);
        prop_assert_eq!(visible(&at_once), visible(&one_by_one));
        let heard = |registry: &RoomRegistry<ManualClock>| -> Vec<_> {
            let users = registry.rooms().flat_map(|room| room.users().collect::<Vec<_>>());
            users.map(UserRef::heartbeat_at).collect()
        };
        prop_assert_eq!(heard(&at_once), heard(&one_by_one));
        prop_assert_eq!(at_once.next_expiry(), one_by_one.next_expiry());
    }
}
