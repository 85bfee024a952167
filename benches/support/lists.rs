//! The lists alone, on the floor's maps: each room's users in joining order, and the rooms by users. Beside
//! them are what was told of each login, what is to be forgotten when, and who came or went. None of the
//! rules that make them right: whatever is told last counts. What any registry needs beside the floor,
//! whatever its layout, is about this.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use compact_str::CompactString;
use hashbrown::HashMap;
use room_registry::event::CallbackEvent;
use room_registry::{Callback, Timestamp};

use super::world::{Callbacks, Ids, World};

/// Room, user, and whether the user came.
type Change = (CompactString, CompactString, bool);

#[derive(Debug, Default)]
pub struct Lists {
    rooms: HashMap<CompactString, Room>,
    by_users: BTreeSet<(Reverse<usize>, CompactString)>,
    pub changes: Vec<Change>,
}

#[derive(Debug, Default)]
struct Room {
    users: HashMap<CompactString, User>,
    order: BTreeSet<(Timestamp, CompactString)>,
    forgetting: BinaryHeap<Reverse<(Timestamp, CompactString)>>,
}

#[derive(Debug, Default)]
struct User {
    login: Option<Login>,
    /// The last login that was closed: its late repeat is not to bring the user back.
    closed: Option<(CompactString, Timestamp)>,
}

#[derive(Debug)]
struct Login {
    id: CompactString,
    at: Timestamp,
    counter: u64,
    name: Option<CompactString>,
}

impl Lists {
    /// Everybody logs in at an instant.
    pub fn new(world: World, session: u64, at: Timestamp) -> Self {
        let mut lists = Self::default();
        let mut callbacks = Callbacks::new(world);
        for place in world.places() {
            lists.apply(&callbacks.logged_in(place, session, 1, at));
        }
        lists
    }

    /// Tells whether a user came or went.
    pub fn apply(&mut self, callback: &Callback) -> bool {
        self.changes.clear();
        let room_id = callback.room_id.as_str();
        let (user_id, is_here) = match &callback.event {
            CallbackEvent::UserLoggedIn(event) => (event.user_id.as_str(), true),
            CallbackEvent::UserLoggedOut(event) => (event.user_id.as_str(), false),
            _ => return false,
        };
        let room = self.rooms.entry(room_id.into()).or_default();
        let user = room.users.entry(user_id.into()).or_default();
        let before = room.order.len();
        match &callback.event {
            CallbackEvent::UserLoggedIn(event) => {
                let Some(id) =
                    event.user_session_id.as_ref().map(room_registry::UserSessionId::as_str)
                else {
                    return false;
                };
                let is_known = user.login.as_ref().is_some_and(|login| {
                    login.id == id
                        && login.at == event.login_at
                        && Some(login.counter) == event.counter
                });
                if is_known || user.closed.as_ref().is_some_and(|(closed, _)| closed == id) {
                    return false;
                }
                let name = event.details.user_name.as_ref().map(|name| name.as_str().into());
                let (at, counter) = (event.login_at, event.counter.unwrap_or(0));
                let login = Login { id: id.into(), at, counter, name };
                if let Some(held) = user.login.replace(login) {
                    room.order.remove(&(held.at, user_id.into()));
                }
                room.order.insert((at, user_id.into()));
            }
            CallbackEvent::UserLoggedOut(event) => {
                let Some(id) =
                    event.user_session_id.as_ref().map(room_registry::UserSessionId::as_str)
                else {
                    return false;
                };
                let Some(login) = user.login.take_if(|login| login.id == id) else { return false };
                user.closed = Some((login.id, event.logout_at));
                room.forgetting.push(Reverse((event.logout_at, user_id.into())));
                room.order.remove(&(login.at, user_id.into()));
            }
            _ => return false,
        }
        let after = room.order.len();
        self.tell((room_id, user_id, is_here), before, after);
        true
    }

    /// A room has another number of users, maybe, and a user came or went.
    fn tell(
        &mut self,
        (room_id, user_id, is_here): (&str, &str, bool),
        before: usize,
        after: usize,
    ) {
        if before != after {
            self.by_users.remove(&(Reverse(before), room_id.into()));
            self.by_users.insert((Reverse(after), room_id.into()));
        }
        self.changes.push((room_id.into(), user_id.into(), is_here));
    }

    /// Users are gone whose time is over, found by whoever knows that.
    pub fn expire(&mut self, due: &[Ids], at: Timestamp) {
        self.changes.clear();
        for Ids { room_id, user_id } in due {
            let Some(room) = self.rooms.get_mut(room_id) else { continue };
            let Some(login) = room.users.remove(user_id).and_then(|user| user.login) else {
                continue;
            };
            let before = room.order.len();
            room.order.remove(&(login.at, user_id.clone()));
            room.forgetting.push(Reverse((at, user_id.clone())));
            self.tell((room_id, user_id, false), before, before - 1);
        }
    }
}
