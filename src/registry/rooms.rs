//! The rooms of a registry: found by id, and by number for the orders that name many of them.

use std::hash::BuildHasher;

use indexmap::IndexMap;
use indexmap::map::raw_entry_v1::RawEntryApiV1;

use crate::id::RoomId;
use crate::registry::index::Place;
use crate::room::state::RoomState;

/// Everything held of many rooms. Each has a number below their count; where one goes, the last one
/// takes its number.
#[derive(Debug, Default)]
pub(crate) struct Rooms(IndexMap<RoomId, Box<HeldRoom>>);

/// A room, and what the index knows of it.
#[derive(Debug)]
pub(crate) struct HeldRoom {
    pub(crate) room: RoomState,
    pub(crate) place: Place,
}

impl HeldRoom {
    pub(crate) fn new(room: RoomState) -> Self {
        Self { room, place: Place::nowhere() }
    }
}

impl Rooms {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn get(&self, room_id: &str) -> Option<&RoomState> {
        self.0.get(room_id).map(|held| &held.room)
    }

    pub(crate) fn number_of(&self, room_id: &str) -> Option<usize> {
        self.0.get_index_of(room_id)
    }

    /// The hash of an id, for [`number_by_hash`](Self::number_by_hash).
    pub(crate) fn hash(&self, room_id: &str) -> u64 {
        self.0.hasher().hash_one(room_id)
    }

    /// As [`number_of`](Self::number_of), with the hash at hand: short enough for a processor to look
    /// for several at once.
    pub(crate) fn number_by_hash(&self, hash: u64, room_id: &str) -> Option<usize> {
        self.0.raw_entry_v1().index_from_hash(hash, |held| held.as_str() == room_id)
    }

    pub(crate) fn at(&self, number: usize) -> Option<&RoomState> {
        self.0.get_index(number).map(|(_, held)| &held.room)
    }

    pub(crate) fn at_mut(&mut self, number: usize) -> Option<&mut HeldRoom> {
        self.0.get_index_mut(number).map(|(_, held)| &mut **held)
    }

    /// The room of this number, where it has this id.
    pub(crate) fn at_with_id_mut(&mut self, number: usize, room_id: &str) -> Option<&mut HeldRoom> {
        let (held_id, held) = self.0.get_index_mut(number)?;
        (*held_id == *room_id).then_some(held)
    }

    /// Adds a room; answers its number, or nothing where there is one of this id.
    pub(crate) fn insert(&mut self, room: Box<HeldRoom>) -> Option<usize> {
        let (number, replaced) = self.0.insert_full(room.room.id().clone(), room);
        replaced.is_none().then_some(number)
    }

    /// Takes a room out. What had the last number has this one from now on.
    pub(crate) fn swap_remove(&mut self, number: usize) {
        self.0.swap_remove_index(number);
    }

    /// The numbers of all rooms, by id.
    pub(crate) fn numbers_by_id(&self) -> Vec<usize> {
        let mut numbers: Vec<_> = (0..self.0.len()).collect();
        numbers.sort_unstable_by_key(|number| self.at(*number).map(RoomState::id));
        numbers
    }
}
