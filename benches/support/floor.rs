//! What no registry can beat with the same ids: two hash maps over short inline strings with a fast hash.
//! They keep one number a user and nothing else.

use std::hash::{BuildHasher, RandomState};

use compact_str::CompactString;
use hashbrown::{DefaultHashBuilder, HashMap};
use room_registry::Callback;
use room_registry::event::CallbackEvent;

use super::world::{Ids, World};

#[derive(Debug, Default)]
pub struct Floor<S = DefaultHashBuilder, const BALLAST: usize = 0>(
    HashMap<CompactString, Users<S, BALLAST>, S>,
);

/// A number a user, and what takes memory beside it.
type Users<S, const BALLAST: usize> = HashMap<CompactString, (u64, [u64; BALLAST]), S>;

/// The same if nobody outside can choose ids that collide.
pub type KeyedFloor = Floor<RandomState>;

/// The same with as many bytes a user as this crate keeps of one who joined.
pub type LadenFloor = Floor<RandomState, 15>;

impl Floor {
    pub fn new(world: World) -> Self {
        Self::of(world)
    }
}

impl<S: BuildHasher + Default, const BALLAST: usize> Floor<S, BALLAST> {
    pub fn of(world: World) -> Self {
        let mut floor = Self::default();
        for place in world.places() {
            let Ids { room_id, user_id } = place.ids();
            floor.insert(&room_id, &user_id);
        }
        floor
    }

    pub fn store(&mut self, room_id: &str, user_id: &str, value: u64) -> bool {
        let user = self.0.get_mut(room_id).and_then(|room| room.get_mut(user_id));
        user.map(|held| held.0 = value).is_some()
    }

    pub fn get(&self, room_id: &str, user_id: &str) -> Option<u64> {
        self.0.get(room_id)?.get(user_id).map(|held| held.0)
    }

    pub fn remove(&mut self, room_id: &str, user_id: &str) -> Option<u64> {
        self.0.get_mut(room_id)?.remove(user_id).map(|held| held.0)
    }

    pub fn insert(&mut self, room_id: &str, user_id: &str) {
        let room = if let Some(room) = self.0.get_mut(room_id) {
            room
        } else {
            self.0.entry(CompactString::from(room_id)).or_default()
        };
        room.insert(CompactString::from(user_id), (0, [0; BALLAST]));
    }

    /// Puts in and takes out what a callback names; a stream is kept as a user is.
    pub fn apply(&mut self, callback: &Callback) {
        let room_id = callback.room_id.as_str();
        match &callback.event {
            CallbackEvent::RoomCreated(_) => {
                self.0.entry(CompactString::from(room_id)).or_default();
            }
            CallbackEvent::RoomClosed(_) => _ = self.0.remove(room_id),
            CallbackEvent::UserLoggedIn(event) => self.insert(room_id, event.user_id.as_str()),
            CallbackEvent::UserLoggedOut(event) => {
                self.remove(room_id, event.user_id.as_str());
            }
            CallbackEvent::StreamCreated(event) => self.insert(room_id, event.stream_id.as_str()),
            CallbackEvent::StreamClosed(event) => {
                self.remove(room_id, event.stream_id.as_str());
            }
            _ => {}
        }
    }
}
