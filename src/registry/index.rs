//! What the registry keeps beside its rooms: the order of the list, what is due when, how many
//! rooms a host has, and the totals.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
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
    /// When it is looked at next: never after something is due, and before it where heartbeats
    /// came since.
    due: Option<Timestamp>,
    host_id: Option<UserId>,
    totals: Totals,
    standing: Standing,
    /// Whether it stood in the indexes before.
    is_known: bool,
}

/// Numbers that are kept up, so that counting costs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Totals {
    pub(crate) rooms: usize,
    pub(crate) sessions: usize,
    pub(crate) users: usize,
    pub(crate) streams: usize,
}

/// A room of an order: its key, its id, and its number.
pub(crate) type Listed<'a> = (u64, &'a RoomId, usize);

/// The orders of many rooms. They name rooms by their numbers, and by id where equal keys are
/// ordered by that.
#[derive(Debug)]
pub(crate) struct Index {
    listed: BTreeMap<(Timestamp, RoomId), u32>,
    most_users: BTreeMap<(Reverse<usize>, RoomId), u32>,
    ids: BTreeMap<RoomId, u32>,
    due: BTreeSet<(Timestamp, u32)>,
    hosts: BTreeMap<UserId, usize>,
    totals: Totals,
    pub(super) planner: Planner,
}

impl Place {
    /// Where a room stands that is not there yet.
    pub(crate) fn nowhere() -> Self {
        let (totals, standing) = (Totals::default(), Standing::default());
        Self { listed: None, due: None, host_id: None, totals, standing, is_known: false }
    }

    fn of(room: &RoomState, config: &Config) -> Self {
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
            is_known: true,
        }
    }

    /// Where it stands in the list by users.
    fn users(&self) -> Option<Reverse<usize>> {
        self.listed.map(|_| Reverse(self.totals.users))
    }
}

impl Index {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            listed: BTreeMap::new(),
            most_users: BTreeMap::new(),
            ids: BTreeMap::new(),
            due: BTreeSet::new(),
            hosts: BTreeMap::new(),
            totals: Totals::default(),
            planner: Planner::new(config.repair_calls_per_second),
        }
    }

    /// Moves a room from where it stood to where it stands now. Tells whether it is forgotten, and
    /// has no number any more.
    pub(crate) fn turn(
        &mut self,
        number: usize,
        room: &RoomState,
        place: &mut Place,
        config: &Config,
    ) -> bool {
        let after = Place::of(room, config);
        let is_forgotten = room.is_forgotten();
        let before = std::mem::replace(place, after);
        let after = &*place;
        if before != *after {
            let (number, id) = (narrow(number), room.id());
            turn(&mut self.listed, number, id, before.listed, after.listed);
            turn(&mut self.most_users, number, id, before.users(), after.users());
            move_due(&mut self.due, number, before.due, after.due);
            match (before.listed, after.listed) {
                (None, Some(_)) => _ = self.ids.insert(id.clone(), number),
                (Some(_), None) => _ = self.ids.remove(id),
                (None, None) | (Some(_), Some(_)) => {}
            }
            if before.host_id != after.host_id {
                self.turn_host(before.host_id.as_ref(), after.host_id.clone());
            }
            self.totals.turn(before.totals, after.totals);
        }
        if is_forgotten {
            self.planner.note(room.id(), None);
        } else if after.standing.differs_from(&before.standing) || !before.is_known {
            self.planner.note(room.id(), Some(after.standing));
        }
        is_forgotten
    }

    /// A room has another number.
    pub(crate) fn renumber(&mut self, room_id: &RoomId, place: &Place, from: usize, to: usize) {
        let (from, to) = (narrow(from), narrow(to));
        if let Some(at) = place.listed {
            self.listed.insert((at, room_id.clone()), to);
            self.ids.insert(room_id.clone(), to);
        }
        if let Some(users) = place.users() {
            self.most_users.insert((users, room_id.clone()), to);
        }
        move_due(&mut self.due, from, place.due, None);
        move_due(&mut self.due, to, None, place.due);
    }

    /// The room that is to be looked at next and when, where that is due.
    pub(crate) fn due(&self, now: Timestamp) -> Option<(Timestamp, usize)> {
        self.by_due().next().filter(|(at, _)| *at <= now)
    }

    /// When which room is looked at.
    pub(crate) fn by_due(&self) -> impl Iterator<Item = (Timestamp, usize)> {
        self.due.iter().map(|(at, number)| (*at, *number as usize))
    }

    /// A room is looked at later than was thought: nothing is due before.
    pub(crate) fn put_off(
        &mut self,
        number: usize,
        place: &mut Place,
        thought_at: Timestamp,
        due: Option<Timestamp>,
    ) {
        move_due(&mut self.due, narrow(number), Some(thought_at), due);
        place.due = due;
    }

    pub(crate) fn newest_first(&self) -> impl DoubleEndedIterator<Item = usize> {
        self.listed.values().rev().map(|number| *number as usize)
    }

    /// The rooms that come after a place in the list of the newest.
    pub(crate) fn newest_after(
        &self,
        place: Option<(Timestamp, &RoomId)>,
    ) -> impl Iterator<Item = Listed<'_>> {
        let before =
            place.map_or(Bound::Unbounded, |(at, room_id)| Bound::Excluded((at, room_id.clone())));
        let rooms = self.listed.range((Bound::Unbounded, before)).rev();
        rooms.map(|((at, room_id), number)| (at.as_millis(), room_id, *number as usize))
    }

    /// The rooms that come after a place in the list of the oldest.
    pub(crate) fn oldest_after(
        &self,
        place: Option<(Timestamp, &RoomId)>,
    ) -> impl Iterator<Item = Listed<'_>> {
        let after =
            place.map_or(Bound::Unbounded, |(at, room_id)| Bound::Excluded((at, room_id.clone())));
        let rooms = self.listed.range((after, Bound::Unbounded));
        rooms.map(|((at, room_id), number)| (at.as_millis(), room_id, *number as usize))
    }

    /// The rooms that come after a place in the list by users.
    pub(crate) fn most_users_after(
        &self,
        place: Option<(u64, &RoomId)>,
    ) -> impl Iterator<Item = Listed<'_>> {
        let after = place.map_or(Bound::Unbounded, |(users, room_id)| {
            Bound::Excluded((
                Reverse(usize::try_from(users).unwrap_or(usize::MAX)),
                room_id.clone(),
            ))
        });
        let rooms = self.most_users.range((after, Bound::Unbounded));
        rooms.map(|((Reverse(users), room_id), number)| {
            (u64::try_from(*users).unwrap_or(u64::MAX), room_id, *number as usize)
        })
    }

    /// The rooms that come after an id.
    pub(crate) fn ids_after(&self, room_id: Option<&RoomId>) -> impl Iterator<Item = Listed<'_>> {
        let after = room_id.map_or(Bound::Unbounded, |room_id| Bound::Excluded(room_id.clone()));
        let rooms = self.ids.range((after, Bound::Unbounded));
        rooms.map(|(room_id, number)| (0, room_id, *number as usize))
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
    order: &mut BTreeMap<(K, RoomId), u32>,
    number: u32,
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
        order.insert((at, room_id.clone()), number);
    }
}

fn move_due(
    order: &mut BTreeSet<(Timestamp, u32)>,
    number: u32,
    before: Option<Timestamp>,
    after: Option<Timestamp>,
) {
    if before == after {
        return;
    }
    before.map(|at| order.remove(&(at, number)));
    after.map(|at| order.insert((at, number)));
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).expect("four billion rooms do not fit in memory")
}
