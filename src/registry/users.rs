//! In which rooms each user is, if the configuration asks for it.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::id::{RoomId, UserId};
use crate::read::RoomRef;
use crate::registry::RoomRegistry;
use crate::registry::clock::Clock;
use crate::room::notes::Note;
use crate::room::state::RoomState;

/// Holds the rooms of each user, and the users of each room as far as the former has them.
#[derive(Debug, Default, PartialEq, Eq)]
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

    /// Brings it up to date with a room of which these notes tell.
    fn follow<'n>(&mut self, room: &RoomState, notes: impl Iterator<Item = &'n Note>, seen: usize) {
        self.seen = seen;
        for note in notes {
            match note {
                Note::UserJoined(user_id) | Note::UserLeft(user_id) => {
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

impl<C: Clock> RoomRegistry<C> {
    /// Returns the rooms in whose lists a user is, by id. It needs
    /// [`index_users`](crate::ConfigBuilder::index_users), and returns none without it.
    ///
    /// Cost: those rooms.
    ///
    /// ```
    /// use room_registry::{Config, ManualClock, NewRoom, NewUser, RoomRegistry};
    /// let config = Config::builder().index_users(true).build().unwrap();
    /// let mut registry = RoomRegistry::with_clock(config, ManualClock::default());
    /// for room in ["a", "b", "c"] {
    ///     registry.create_room(NewRoom::new(room, "tom"))?;
    /// }
    /// registry.join_room("a", NewUser::new("ann"))?;
    /// registry.join_room("c", NewUser::new("ann"))?;
    /// let ids: Vec<_> = registry.rooms_with_user("ann").map(|room| room.id().as_str()).collect();
    /// assert_eq!(ids, ["a", "c"]);
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    pub fn rooms_with_user(&self, user_id: &str) -> impl Iterator<Item = RoomRef<'_>> {
        let rooms = self.users.as_ref().and_then(|users| users.rooms.get(user_id));
        rooms.into_iter().flatten().filter_map(|room_id| self.room(room_id.as_str()))
    }

    /// Brings the index of users up to date with a room that changed.
    pub(super) fn follow_users(&mut self, number: usize) {
        if let (Some(users), Some(room)) = (&mut self.users, self.rooms.at(number)) {
            let seen = users.seen;
            users.follow(room, self.log.since(seen), self.log.len());
        }
    }

    /// Makes the index of users anew. Cost: everybody.
    pub(super) fn index_all_users(&mut self) {
        if let Some(users) = &mut self.users {
            for number in 0..self.rooms.len() {
                self.rooms.at(number).into_iter().for_each(|room| users.replace(room));
            }
        }
    }

    /// Compares the index of users with the rooms.
    #[cfg(room_registry_check)]
    pub(super) fn check_users(&self) {
        let Some(users) = &self.users else { return };
        let mut expected = UserIndex { seen: users.seen, ..UserIndex::default() };
        for number in 0..self.rooms.len() {
            self.rooms.at(number).into_iter().for_each(|room| expected.replace(room));
        }
        assert_eq!(*users, expected, "the index of users is not what the rooms say");
    }
}
