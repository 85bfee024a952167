//! The dirty rooms of a call: a store that writes just those has everything.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use room_registry::event::UserLoggedIn;
use room_registry::{
    Callback, Clock, Config, Heartbeat, ManualClock, Mirror, NewRoom, NewUser, Room, RoomRef,
    RoomRegistry, RoomUpdate, SessionId, Timestamp, UserId, UserSessionId, UserUpdate,
};
use room_registry_world::effort::{properties, seeds};
use room_registry_world::history::{Options, delivered, room_id, valid_history};
use room_registry_world::inputs::input;
use room_registry_world::vendor::Vendor;
use serde_json::Value;

const START: u64 = 1_003_000;

type Registry = RoomRegistry<ManualClock>;

fn registry() -> (Registry, ManualClock) {
    let clock = ManualClock::at(Timestamp::from_millis(START));
    (RoomRegistry::with_clock(Config::default(), clock.clone()), clock)
}

/// The local time that a room has.
fn clock_of(room: &Room) -> Value {
    serde_json::to_value(room).unwrap()["clock"].take()
}

/// What a room comes to once everything is done that is due, without what is not written for its own sake.
/// Left out are the last heartbeats, and in which order those came that are of one instant.
fn swept(room: Option<&Room>, clock: &ManualClock) -> Option<Value> {
    let mut room = room?.clone();
    room.expire(&Config::default(), clock.now()).unwrap();
    if room.is_forgotten() {
        return None;
    }
    let mut room = serde_json::to_value(room).unwrap();
    room["clock"].take();
    let members = room["members"].as_array_mut().unwrap();
    for member in &mut *members {
        member["heartbeat_at"].take();
    }
    members.sort_by_key(|member| member["user_id"].to_string());
    let connections = room["connections"].as_object_mut().unwrap().values_mut();
    for connection in connections.flat_map(|held| held.as_array_mut().unwrap()) {
        connection["heartbeat_at"].take();
    }
    Some(room)
}

/// What readers see of a room once everything is done that is due.
fn shown(room: &Room, clock: &ManualClock) -> Mirror {
    let mut room = room.clone();
    room.expire(&Config::default(), clock.now()).unwrap();
    room.view().into_iter().collect()
}

fn take_heartbeats(room: &mut Room, registry: &Registry, clock: &ManualClock) {
    let Some(held) = registry.room(room.id().as_str()) else { return };
    room.take_heartbeats(held.heartbeats(), &Config::default(), clock.now()).unwrap();
}

proptest! {
    #![proptest_config(properties(200))]

    #[test]
    fn a_store_that_writes_the_dirty_rooms_has_everything(
        inputs in prop::collection::vec((0..200_000_u64, 0..40_u8, 1..4_usize, input()), 1..40),
    ) {
        let (mut registry, clock) = registry();
        let mut store: BTreeMap<String, Option<Room>> = BTreeMap::new();
        // A refused command changes nothing. What it finds too old to be remembered, a stored copy forgets
        // with its next operation.
        let mut refused = BTreeSet::new();
        for (pause, whim, steps, input) in inputs {
            match whim {
                0 => clock.set(Timestamp::from_millis(START + pause)), // now and then it is set back
                1..10 => clock.advance(Duration::from_millis(pause)),
                10..13 => clock.advance(Duration::from_secs(660)), // longer than the retention
                _ => clock.advance(Duration::from_millis(pause / 100)),
            }
            if whim % 3 == 0 {
                registry.expire_at_most(steps);
            } else if registry.apply_input(&input).is_err() {
                refused.extend(input.room_id().map(ToOwned::to_owned));
            }
            // A heartbeat alone is not written: what is stored catches up as after a restart.
            for room in store.values_mut().flatten() {
                take_heartbeats(room, &registry, &clock);
            }
            for room_id in registry.dirty_rooms() {
                refused.remove(room_id.as_str());
                store.insert(room_id.to_string(), registry.export(room_id.as_str()));
            }
            let all = || store.iter().filter_map(|(room_id, room)| Some((room_id, room.as_ref()?)));
            prop_assert_eq!(all().count(), registry.held_room_count());
            for (room_id, room) in all() {
                let held = registry.export(room_id);
                if let Some(held) = &held {
                    prop_assert_eq!(shown(room, &clock), shown(held, &clock));
                }
                if !refused.contains(room_id) {
                    prop_assert_eq!(swept(Some(room), &clock), swept(held.as_ref(), &clock));
                }
            }
        }
    }

    #[test]
    fn a_store_that_writes_a_dirty_room_has_everything(
        inputs in prop::collection::vec((0..200_000_u64, 0..40_u8, input()), 1..40),
    ) {
        let (config, (_, clock)) = (Config::default(), registry());
        let mut room = Room::new(room_id(), &config);
        let mut stored = room.clone();
        for (pause, whim, input) in inputs {
            match whim {
                0 => clock.set(Timestamp::from_millis(START + pause)), // now and then it is set back
                1..10 => clock.advance(Duration::from_millis(pause)),
                10..13 => clock.advance(Duration::from_secs(660)), // longer than the retention
                _ => clock.advance(Duration::from_millis(pause / 100)),
            }
            let now = clock.now();
            if whim % 7 == 0 {
                let beats = ["user0", "user1"].map(|user| (user, now - Duration::from_millis(pause)));
                room.expire_with(beats, &config, now).unwrap();
            } else if input.room_id().is_none_or(|id| room_id() == *id) {
                // A refused input may make the room forget what is too old. One that is not valid in itself
                // does not come as far. Then the clock of the stored room must not go on either.
                let clock_before = clock_of(&room);
                let taken = room.apply_input(&input, &config, now);
                if taken.is_err() && clock_of(&room) == clock_before {
                    continue;
                }
            } else {
                continue;
            }
            if room.is_dirty() {
                stored = room.clone();
            }
            let beats = room.view().into_iter().flat_map(RoomRef::heartbeats);
            stored.take_heartbeats(beats, &config, now).unwrap();
            prop_assert_eq!(swept(Some(&stored), &clock), swept(Some(&room), &clock));
            prop_assert_eq!(shown(&stored, &clock), shown(&room, &clock));
        }
    }
}

#[test]
fn a_store_that_writes_a_dirty_room_of_any_vendor_has_everything() {
    let (config, (_, clock)) = (Config::default(), registry());
    for (vendor, seed) in Vendor::each_with_seeds(seeds(1)) {
        let options = Options { callbacks: 40, max_gap: 60_000, vendor, ..Options::default() };
        let history = valid_history(seed, options);
        let mut room = Room::new(room_id(), &config);
        let mut stored = room.clone();
        for (index, (at, callback)) in delivered(&history, seed, 1_200_000).iter().enumerate() {
            clock.set(*at);
            if index % 5 == 0 {
                room.expire(&config, *at).unwrap();
            } else {
                room.apply(callback, &config, *at).unwrap();
            }
            if room.is_dirty() {
                stored = room.clone();
            }
            let context = format!("seed {seed}, {vendor:?}");
            assert_eq!(swept(Some(&stored), &clock), swept(Some(&room), &clock), "{context}");
            assert_eq!(shown(&stored, &clock), shown(&room, &clock), "{context}");
        }
    }
}

#[test]
fn what_changes_nothing_makes_no_room_dirty_that_is_alone() {
    let (config, (_, clock)) = (Config::default(), registry());
    let mut room = Room::new(room_id(), &config);
    room.create(NewRoom::new("room", "tom"), &config, clock.now()).unwrap();
    assert!(room.is_dirty());
    room.join(NewUser::new("ann"), &config, clock.now()).unwrap();
    assert!(room.is_dirty());

    assert!(room.join(NewUser::new("ann"), &config, clock.now()).is_err());
    assert!(!room.is_dirty());
    clock.advance(Duration::from_secs(60));
    let beat = room.heartbeat("ann", UserUpdate::new(), &config, clock.now());
    assert_eq!((beat, room.is_dirty()), (Ok(Heartbeat::Alive), false));
    room.expire(&config, clock.now()).unwrap();
    assert!(!room.is_dirty());
    room.heartbeat("ann", UserUpdate::new().name("Ann"), &config, clock.now()).unwrap();
    assert!(room.is_dirty());
    room.update(RoomUpdate::new(), &config, clock.now()).unwrap();
    assert!(!room.is_dirty());
    let login = UserLoggedIn::new(UserId::new("bob").unwrap(), clock.now())
        .user_session_id(UserSessionId::new("1").unwrap())
        .counter(1);
    let callback = Callback::new(room_id(), SessionId::new("7").unwrap(), login);
    for is_dirty in [true, false] {
        room.apply(&callback, &config, clock.now()).unwrap();
        assert_eq!(room.is_dirty(), is_dirty);
    }
}

#[test]
fn what_changes_nothing_makes_no_room_dirty() {
    let (mut registry, clock) = registry();
    registry.create_room(NewRoom::new("room", "tom")).unwrap();
    registry.join_room("room", NewUser::new("ann")).unwrap();
    assert!(registry.dirty_rooms().eq(["room"]));

    assert!(registry.join_room("room", NewUser::new("ann")).is_err());
    assert_eq!(registry.dirty_rooms().count(), 0);
    clock.advance(Duration::from_secs(60));
    assert_eq!(registry.heartbeat("room", "ann"), Ok(Heartbeat::Alive));
    assert_eq!(registry.dirty_rooms().count(), 0);
    assert_eq!(registry.heartbeat_with("room", "ann", UserUpdate::new()), Ok(Heartbeat::Alive));
    assert_eq!(registry.dirty_rooms().count(), 0);
    registry.expire();
    assert_eq!(registry.dirty_rooms().count(), 0);
    registry.heartbeat_with("room", "ann", UserUpdate::new().name("Ann")).unwrap();
    assert!(registry.dirty_rooms().eq(["room"]));
}
