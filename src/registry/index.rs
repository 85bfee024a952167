//! What the registry keeps beside its rooms: the order of the list, what is due when, how many
//! rooms a host has, and the totals.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;

use crate::config::Config;
use crate::id::{RoomId, UserId};
use crate::planner::{Planner, Standing};
use crate::room::state::RoomState;
use crate::time::Timestamp;
use crate::view::RoomRef;

/// Where a room stands in every index, as a value, so that one comparison tells what to move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// When it began; none where it is not listed.
    listed: Option<Timestamp>,
    due: Option<Timestamp>,
    host_id: Option<UserId>,
    totals: Totals,
    standing: Standing,
    /// Whether the room was not there before.
    is_new: bool,
}

/// How many of what are visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Totals {
    pub(crate) rooms: usize,
    pub(crate) sessions: usize,
    pub(crate) users: usize,
    pub(crate) streams: usize,
}

/// The indexes.
#[derive(Debug)]
pub(crate) struct Index {
    listed: BTreeSet<(Timestamp, RoomId)>,
    most_users: BTreeSet<(Reverse<usize>, RoomId)>,
    ids: BTreeSet<RoomId>,
    due: BTreeSet<(Timestamp, RoomId)>,
    hosts: HashMap<UserId, usize>,
    totals: Totals,
    pub(super) planner: Planner,
}

impl Place {
    /// Where a room stands that is not there yet.
    pub(crate) fn nowhere() -> Self {
        let (totals, standing) = (Totals::default(), Standing::default());
        Self { listed: None, due: None, host_id: None, totals, standing, is_new: true }
    }

    pub(crate) fn of(room: &RoomState, config: &Config) -> Self {
        let is_listed = room.is_listed();
        Self {
            listed: is_listed.then(|| RoomRef::new(room).began_at().unwrap_or_default()),
            due: room.next_expiry(config),
            host_id: room.info().map(|info| info.host_id.clone()),
            totals: Totals {
                rooms: usize::from(is_listed),
                sessions: usize::from(room.session().is_some()),
                users: room.user_count(),
                streams: room.stream_count(),
            },
            standing: room.standing(config),
            is_new: false,
        }
    }
}

impl Place {
    /// Where it stands in the list by users.
    fn users(&self) -> Option<Reverse<usize>> {
        self.listed.map(|_| Reverse(self.totals.users))
    }
}

impl Index {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            listed: BTreeSet::new(),
            most_users: BTreeSet::new(),
            ids: BTreeSet::new(),
            due: BTreeSet::new(),
            hosts: HashMap::new(),
            totals: Totals::default(),
            planner: Planner::new(config.repair_calls_per_second),
        }
    }

    /// Moves a room from where it stood to where it stands now. Tells whether nothing is left of it.
    pub(crate) fn turn(&mut self, room: &RoomState, before: &Place, config: &Config) -> bool {
        let after = Place::of(room, config);
        if after != *before {
            turn(&mut self.listed, room.id(), before.listed, after.listed);
            turn(&mut self.most_users, room.id(), before.users(), after.users());
            turn(&mut self.due, room.id(), before.due, after.due);
            match (before.listed, after.listed) {
                (None, Some(_)) => self.ids.insert(room.id().clone()),
                (Some(_), None) => self.ids.remove(room.id()),
                (None, None) | (Some(_), Some(_)) => false,
            };
            if before.host_id != after.host_id {
                self.turn_host(before.host_id.as_ref(), after.host_id);
            }
            self.totals.turn(before.totals, after.totals);
        }
        let is_forgotten = room.is_forgotten();
        if is_forgotten {
            self.planner.note(room.id(), None);
        } else if after.standing.differs_from(&before.standing) || before.is_new {
            self.planner.note(room.id(), Some(after.standing));
        }
        is_forgotten
    }

    /// Puts a room in that is in no index yet.
    #[cfg(feature = "serde")]
    pub(crate) fn add(&mut self, room: &RoomState, config: &Config) {
        self.turn(room, &Place::nowhere(), config);
    }

    /// The room that is due longest.
    pub(crate) fn due(&self, now: Timestamp) -> Option<&RoomId> {
        self.due.first().filter(|(at, _)| *at <= now).map(|(_, room_id)| room_id)
    }

    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    pub(crate) fn newest_first(&self) -> impl DoubleEndedIterator<Item = &RoomId> {
        self.listed.iter().rev().map(|(_, room_id)| room_id)
    }

    /// The rooms that come after a place in the list of the newest, each with its place.
    pub(crate) fn newest_after(
        &self,
        place: Option<(Timestamp, &RoomId)>,
    ) -> impl Iterator<Item = (u64, &RoomId)> {
        let before =
            place.map_or(Bound::Unbounded, |(at, room_id)| Bound::Excluded((at, room_id.clone())));
        let rooms = self.listed.range((Bound::Unbounded, before)).rev();
        rooms.map(|(at, room_id)| (at.as_millis(), room_id))
    }

    /// The rooms that come after a place in the list of the oldest, each with its place.
    pub(crate) fn oldest_after(
        &self,
        place: Option<(Timestamp, &RoomId)>,
    ) -> impl Iterator<Item = (u64, &RoomId)> {
        let after =
            place.map_or(Bound::Unbounded, |(at, room_id)| Bound::Excluded((at, room_id.clone())));
        self.listed.range((after, Bound::Unbounded)).map(|(at, room_id)| (at.as_millis(), room_id))
    }

    /// The rooms that come after a place in the list by users, each with its place.
    pub(crate) fn most_users_after(
        &self,
        place: Option<(u64, &RoomId)>,
    ) -> impl Iterator<Item = (u64, &RoomId)> {
        let after = place.map_or(Bound::Unbounded, |(users, room_id)| {
            Bound::Excluded((
                Reverse(usize::try_from(users).unwrap_or(usize::MAX)),
                room_id.clone(),
            ))
        });
        let rooms = self.most_users.range((after, Bound::Unbounded));
        rooms.map(|(Reverse(users), room_id)| (u64::try_from(*users).unwrap_or(u64::MAX), room_id))
    }

    /// The rooms that come after an id.
    pub(crate) fn ids_after(
        &self,
        room_id: Option<&RoomId>,
    ) -> impl Iterator<Item = (u64, &RoomId)> {
        let after = room_id.map_or(Bound::Unbounded, |room_id| Bound::Excluded(room_id.clone()));
        self.ids.range((after, Bound::Unbounded)).map(|room_id| (0, room_id))
    }

    pub(crate) fn totals(&self) -> Totals {
        self.totals
    }

    /// How many created rooms a host has.
    pub(crate) fn rooms_of(&self, host_id: &str) -> usize {
        self.hosts.get(host_id).copied().unwrap_or(0)
    }

    fn turn_host(&mut self, before: Option<&UserId>, after: Option<UserId>) {
        if let Some(host_id) = before
            && let Some(rooms) = self.hosts.get_mut(host_id)
        {
            *rooms -= 1;
            if *rooms == 0 {
                self.hosts.remove(host_id);
            }
        }
        if let Some(host_id) = after {
            *self.hosts.entry(host_id).or_default() += 1;
        }
    }
}

impl Totals {
    fn turn(&mut self, before: Self, after: Self) {
        self.rooms = self.rooms + after.rooms - before.rooms;
        self.sessions = self.sessions + after.sessions - before.sessions;
        self.users = self.users + after.users - before.users;
        self.streams = self.streams + after.streams - before.streams;
    }
}

fn turn<K: Ord + Copy>(
    order: &mut BTreeSet<(K, RoomId)>,
    room_id: &RoomId,
    before: Option<K>,
    after: Option<K>,
) {
    if before == after {
        return;
    }
    if let Some(at) = before {
        order.remove(&(at, room_id.clone()));
    }
    if let Some(at) = after {
        order.insert((at, room_id.clone()));
    }
}
