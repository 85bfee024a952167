//! The rooms of a registry. They are found by id, or by number: the indexes name rooms by number, because
//! that is four bytes and needs no hash.

use crate::collections::hashed::Key;
use crate::collections::id_table::Slots;
use crate::registry::index::IndexKeys;
use crate::room::state::RoomState;

/// How many rooms lie side by side in one allocation. No more than these move in memory when another room
/// comes, and the list of a million rooms' allocations is short.
const CHUNK: usize = 512;

/// Many rooms. Each has a number below their count. If one goes, the last one takes its number.
#[derive(Debug, Default)]
pub(crate) struct Rooms {
    /// The number of each room, by the hash of its id.
    numbers: Slots,
    /// The rooms by number, [`CHUNK`] in each but the last.
    chunks: Vec<Vec<HeldRoom>>,
}

/// A room, and its keys in the indexes. Both lie in memory in this order.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct HeldRoom {
    /// The room.
    pub(crate) room: RoomState,
    /// The keys as of the last update of the indexes.
    pub(crate) keys: IndexKeys,
}

impl HeldRoom {
    pub(crate) fn new(room: RoomState) -> Self {
        Self { room, keys: IndexKeys::nowhere() }
    }
}

impl Rooms {
    pub(crate) fn len(&self) -> usize {
        self.chunks.last().map_or(0, |last| (self.chunks.len() - 1) * CHUNK + last.len())
    }

    pub(crate) fn get(&self, room_id: &(impl Key + ?Sized)) -> Option<&RoomState> {
        self.at(self.number_of(room_id)?)
    }

    /// Returns the number of a room, by the id or by one that was hashed before.
    pub(crate) fn number_of(&self, room_id: &(impl Key + ?Sized)) -> Option<usize> {
        self.numbers.find(room_id, |number| self.at(number).map(|room| room.id.as_str()))
    }

    /// Returns what [`Slots::place_hint`] does.
    pub(super) fn place_hint(&self, room_id: &(impl Key + ?Sized)) -> Option<usize> {
        self.numbers.place_hint(room_id)
    }

    /// Returns the room that has a number.
    #[inline]
    pub(crate) fn at(&self, number: usize) -> Option<&RoomState> {
        self.held(number).map(|held| &held.room)
    }

    /// Returns the room that has a number, with its keys.
    #[inline]
    pub(super) fn held(&self, number: usize) -> Option<&HeldRoom> {
        self.chunks.get(number / CHUNK)?.get(number % CHUNK)
    }

    /// As [`held`](Self::held), to change it.
    #[inline]
    pub(crate) fn at_mut(&mut self, number: usize) -> Option<&mut HeldRoom> {
        self.chunks.get_mut(number / CHUNK)?.get_mut(number % CHUNK)
    }

    /// Adds a room. Returns its number; `None` if there is a room of this id already.
    pub(crate) fn insert(&mut self, room: HeldRoom) -> Option<usize> {
        if self.number_of(&room.room.id).is_some() {
            return None;
        }
        let number = self.len();
        let hash = room.room.id.hash();
        let chunks = &self.chunks;
        self.numbers
            .push(hash, number, |number| chunks[number / CHUNK][number % CHUNK].room.id.hash());
        match self.chunks.last_mut().filter(|last| last.len() < CHUNK) {
            Some(last) => last.push(room),
            None => self.chunks.push(vec![room]),
        }
        Some(number)
    }

    /// Takes a room out. The room that had the last number has this one from now on.
    pub(crate) fn swap_remove(&mut self, number: usize) {
        let Some(last) = self.chunks.last_mut().and_then(Vec::pop) else { return };
        if self.chunks.last().is_some_and(Vec::is_empty) {
            self.chunks.pop();
        }
        let last_number = self.len();
        let gone = match self.at_mut(number) {
            Some(held) => std::mem::replace(held, last),
            None => last,
        };
        let moved = self.at(number).map(|room| (room.id.hash(), last_number));
        let moved = moved.map(|(hash, from)| (move || hash, from));
        self.numbers.swap_remove(|| gone.room.id.hash(), number, moved);
    }

    /// Returns the numbers of all rooms, by id.
    pub(crate) fn numbers_by_id(&self) -> Vec<usize> {
        let mut numbers: Vec<_> = (0..self.len()).collect();
        // Cached keys lie side by side. Otherwise each comparison would wait for two rooms' memory.
        numbers.sort_by_cached_key(|number| self.at(*number).map(|room| room.id.clone()));
        numbers
    }
}
