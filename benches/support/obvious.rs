//! What a first server does: `String` keys, the standard library's maps, a scan to expire, and a
//! sort to list. No order, no changes, no rules: a login puts the user in, a logout takes it out.

use std::cmp::Reverse;
use std::collections::HashMap;

use room_registry::event::CallbackEvent;
use room_registry::{Callback, Timestamp};

use super::world::{Ids, World};

#[derive(Debug, Default)]
pub struct Obvious(HashMap<String, HashMap<String, Seen>>);

#[derive(Debug, Default, Clone)]
pub struct Seen {
    pub at: Timestamp,
    pub name: String,
}

impl Obvious {
    pub fn new(world: World, now: Timestamp) -> Self {
        let mut obvious = Self::default();
        for place in world.places() {
            let Ids { room_id, user_id } = place.ids();
            let room = obvious.0.entry(room_id.into()).or_default();
            room.insert(
                user_id.into(),
                Seen { at: now, name: super::world::user_name(place.user).into() },
            );
        }
        obvious
    }

    pub fn heartbeat(&mut self, room_id: &str, user_id: &str, now: Timestamp) -> bool {
        let user = self.0.get_mut(room_id).and_then(|room| room.get_mut(user_id));
        user.map(|user| user.at = now).is_some()
    }

    pub fn join(&mut self, room_id: &str, user_id: &str, now: Timestamp) {
        let room = self.0.entry(room_id.to_owned()).or_default();
        room.insert(user_id.to_owned(), Seen { at: now, name: String::new() });
    }

    /// The media server's list takes the place of ours.
    pub fn replace(
        &mut self,
        room_id: &str,
        users: impl Iterator<Item: AsRef<str>>,
        now: Timestamp,
    ) {
        let seen = |user_id: &str| (user_id.to_owned(), Seen { at: now, name: String::new() });
        let users = users.map(|user_id| seen(user_id.as_ref())).collect();
        self.0.insert(room_id.to_owned(), users);
    }

    pub fn apply(&mut self, callback: &Callback) {
        let room_id = callback.room_id.as_str();
        match &callback.event {
            CallbackEvent::RoomCreated(_) => _ = self.0.entry(room_id.to_owned()).or_default(),
            CallbackEvent::RoomClosed(_) => _ = self.0.remove(room_id),
            CallbackEvent::UserLoggedIn(login) => {
                let name =
                    login.details.user_name.as_ref().map(ToString::to_string).unwrap_or_default();
                let room = self.0.entry(room_id.to_owned()).or_default();
                room.insert(login.user_id.to_string(), Seen { at: login.login_at, name });
            }
            CallbackEvent::UserLoggedOut(logout) => {
                if let Some(room) = self.0.get_mut(room_id) {
                    room.remove(logout.user_id.as_str());
                }
            }
            _ => {}
        }
    }

    /// Those whose heartbeats stopped go; how many.
    #[expect(clippy::iter_over_hash_type, reason = "all are looked at")]
    pub fn expire(&mut self, since: Timestamp) -> usize {
        let mut expired = 0;
        for room in self.0.values_mut() {
            let before = room.len();
            room.retain(|_, user| user.at >= since);
            expired += before - room.len();
        }
        expired
    }

    /// The rooms with the most users, from a place on.
    pub fn page(&self, from: usize, limit: usize) -> Vec<(&str, usize)> {
        let mut rooms: Vec<_> =
            self.0.iter().map(|(id, users)| (id.as_str(), users.len())).collect();
        rooms.sort_unstable_by_key(|(id, users)| (Reverse(*users), *id));
        rooms.into_iter().skip(from).take(limit).collect()
    }
}
