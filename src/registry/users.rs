//! In which rooms each user is (law 18.10), with the setting `index_users`.
//!
//! The index follows the notes of changes: whoever joined or left is looked up in the room. If the session or
//! the listing of a room changed, all its users are taken over.

use std::collections::{BTreeMap, BTreeSet};

use smallvec::SmallVec;

use crate::collections::hashed::{Hashed, Key};
use crate::collections::id_table::IdTable;
use crate::model::id::{RoomId, UserId};
use crate::room::notes::Note;
use crate::room::state::RoomState;

/// The rooms of each user, and the users of each room, so that a room can be taken over.
#[derive(Debug, Default)]
pub(super) struct UserIndex {
    /// The rooms that list a user, ordered by id. Most users are in one room.
    rooms: IdTable<UserId, SmallVec<[RoomId; 1]>>,
    /// The same pairs, by room.
    users: BTreeMap<RoomId, BTreeSet<UserId>>,
    /// How many notes of this call the index has followed.
    seen: usize,
}

impl UserIndex {
    /// Begins a call, whose notes are counted from zero.
    pub(super) fn begin(&mut self) {
        self.seen = 0;
    }

    /// Follows the notes of a room. `seen` is how many notes the call has now.
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

    /// Takes over all users of a room. Cost: the users of the room.
    pub(super) fn replace(&mut self, room: &RoomState) {
        let now: BTreeSet<_> = room.users().iter().map(|(_, user_id)| user_id.clone()).collect();
        let before = self.users.get(&room.id).cloned().unwrap_or_default();
        for user_id in before.symmetric_difference(&now) {
            self.set(&room.id, user_id, now.contains(user_id));
        }
    }

    /// Returns the rooms of a user, by id.
    pub(super) fn rooms_of(&self, user_id: &(impl Key + ?Sized)) -> impl Iterator<Item = &RoomId> {
        self.rooms.get(user_id).into_iter().flatten()
    }

    /// Returns what [`IdTable::place_hint`] does.
    pub(super) fn place_hint(&self, user_id: &(impl Key + ?Sized)) -> Option<usize> {
        self.rooms.place_hint(user_id)
    }

    /// Reads what a look-up of the user at this place reads, for a prefetch.
    pub(super) fn peek(&self, place: usize) -> Option<(u8, usize)> {
        let (user_id, rooms) = self.rooms.at(place)?;
        Some((*user_id.as_str().as_bytes().first()?, rooms.len()))
    }

    /// Returns how many notes of this call the index has followed.
    pub(super) fn seen(&self) -> usize {
        self.seen
    }

    /// Returns whether another index has the same users in the same rooms.
    #[cfg(room_registry_check)]
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (&self.rooms, &self.users) == (&other.rooms, &other.users)
    }

    /// Writes down whether a room lists a user.
    fn set(&mut self, room_id: &RoomId, user_id: &UserId, is_in: bool) {
        let user = Hashed::new(user_id);
        let place = self.rooms.place_of(&user);
        if is_in {
            self.users.entry(room_id.clone()).or_default().insert(user_id.clone());
            match place.and_then(|place| self.rooms.at_mut(place)) {
                Some(rooms) => {
                    if let Err(at) = rooms.binary_search(room_id) {
                        rooms.insert(at, room_id.clone());
                    }
                }
                None => _ = self.rooms.insert_new(user, SmallVec::from_iter([room_id.clone()])),
            }
            return;
        }
        if let Some(users) = self.users.get_mut(room_id) {
            users.remove(user_id);
            if users.is_empty() {
                self.users.remove(room_id);
            }
        }
        if let Some(place) = place
            && let Some(rooms) = self.rooms.at_mut(place)
        {
            rooms.retain(|held| held != room_id);
            if rooms.is_empty() {
                self.rooms.swap_remove_at(place);
            }
        }
    }
}
