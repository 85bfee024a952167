//! Registries with everybody in.

use room_registry::{Config, Lifecycle, ManualClock, NewRoom, NewUser, RoomRegistry};

use super::world::{Callbacks, Ids, World, at, room_id, user_name};

pub type Registry = RoomRegistry<ManualClock>;

/// The session in which everybody is logged in.
pub const SESSION: u64 = 2;
/// A session before it, which ended.
pub const ENDED_SESSION: u64 = 1;
/// When [`SESSION`] opened, in milliseconds after the start; everybody logs in a second later.
pub const OPENED: u64 = 60_000;
/// When everybody logged in.
pub const LOGGED_IN: u64 = OPENED + 1_000;

/// Everybody is logged in, by callbacks alone. Each room had a session before, which ended.
pub fn logged_in(world: World) -> (Registry, ManualClock, Callbacks) {
    let clock = ManualClock::at(at(0));
    let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
    let mut callbacks = Callbacks::new(world);
    for room in 0..world.room_count() {
        registry.apply_callback(&Callbacks::created(room, ENDED_SESSION, at(0)));
        registry.apply_callback(&Callbacks::closed(room, ENDED_SESSION, at(1_000)));
    }
    clock.set(at(OPENED));
    for room in 0..world.room_count() {
        registry.apply_callback(&Callbacks::created(room, SESSION, at(OPENED)));
    }
    clock.set(at(LOGGED_IN));
    for place in world.places() {
        registry.apply_callback(&callbacks.logged_in(place, SESSION, 1, at(LOGGED_IN)));
    }
    assert_eq!(registry.user_count(), world.users());
    (registry, clock, callbacks)
}

/// Everybody joined, by commands alone.
pub fn joined(world: World) -> (Registry, ManualClock) {
    let clock = ManualClock::at(at(0));
    let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
    for room in 0..world.room_count() {
        let room = NewRoom::new(room_id(room).as_str(), "host").lifecycle(Lifecycle::UntilEnded);
        registry.create_room(room).expect("the room is new");
    }
    for place in world.places() {
        let Ids { room_id, user_id } = place.ids();
        let user = NewUser::new(user_id.as_str()).name(user_name(place.user).as_str());
        registry.join_room(&room_id, user).expect("the user is new");
    }
    (registry, clock)
}
