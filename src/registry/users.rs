//! In which rooms each user is, if the configuration asks for it.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::id::{RoomId, UserId};
use crate::room::notes::Note;
use crate::room::state::RoomState;

/// Holds the rooms of each user, and the users of each room as far as the former has them.
#[derive(Debug, Default)]
pub(super) struct UserIndex {
    rooms: BTreeMap<UserId, BTreeSet<RoomId>>,
    users: BTreeMap<RoomId, BTreeSet<UserId>>,
    /// How many notes of the call are in it.
    seen: usize,
}

impl UserIndex {
    /// Begins with the notes of another call.
    pub(super) fn begin(&mut self) {
        self.seen = 0;
    }

    /// Goes on behind the first so many notes: the others were taken back.
    pub(super) fn go_back(&mut self, seen: usize) {
        self.seen = seen;
    }

    /// Brings it up to date with a room of which these notes tell.
    pub(super) fn follow<'n>(
        &mut self,
        room: &RoomState,
        notes: impl Iterator<Item = &'n Note>,
        seen: usize,
    ) {
        self.seen = seen;
        for note in notes {
            match note {
                Note::UserJoined(user_id) | Note::UserLeft(user_id, _) => {
                    self.set(&room.id, user_id, room.user(user_id).is_some());
                }
                Note::RoomListed
                | Note::RoomUnlisted
                | Note::SessionOpened
                | Note::SessionClosed(_) => return self.replace(room),
                _ => {}
            }
        }
    }

    /// Takes over everybody in a room. Cost: the users of the room.
    pub(super) fn replace(&mut self, room: &RoomState) {
        let now: BTreeSet<_> = room.users().iter().map(|(_, user_id)| user_id.clone()).collect();
        let before = self.users.get(&room.id).cloned().unwrap_or_default();
        for user_id in before.symmetric_difference(&now) {
            self.set(&room.id, user_id, now.contains(user_id));
        }
    }

    /// Returns the rooms of a user, by id.
    pub(super) fn rooms_of(&self, user_id: &str) -> impl Iterator<Item = &RoomId> {
        self.rooms.get(user_id).into_iter().flatten()
    }

    /// Returns how many notes of the call are in it.
    pub(super) fn seen(&self) -> usize {
        self.seen
    }

    /// Tells whether it has the same users in the same rooms.
    #[cfg(room_registry_check)]
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (&self.rooms, &self.users) == (&other.rooms, &other.users)
    }

    fn set(&mut self, room_id: &RoomId, user_id: &UserId, is_in: bool) {
        if is_in {
            self.rooms.entry(user_id.clone()).or_default().insert(room_id.clone());
            self.users.entry(room_id.clone()).or_default().insert(user_id.clone());
            return;
        }
        remove(&mut self.rooms, user_id, room_id);
        remove(&mut self.users, room_id, user_id);
    }
}

fn remove<K: Ord, V: Ord>(of: &mut BTreeMap<K, BTreeSet<V>>, key: &K, value: &V) {
    if let Some(held) = of.get_mut(key) {
        held.remove(value);
        if held.is_empty() {
            of.remove(key);
        }
    }
}
