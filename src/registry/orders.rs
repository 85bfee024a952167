//! The orders of the room list (law 4.9).
//!
//! Full rooms (law 18.8) stand apart from the others. So a list that leaves them out looks at none of them, and
//! a list of all rooms reads both parts as one. Orders lead to the numbers of rooms. The ids order rooms whose
//! keys are equal.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::btree_map::Range;
use std::ops::Bound;

use crate::model::cursor::RoomOrder;
use crate::model::id::RoomId;
use crate::model::time::Timestamp;

/// A room of an order: its key as the cursor has it, its id, and its number.
pub(crate) type Listed<'a> = (u64, &'a OrderedId, usize);

/// Where a listed room stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// When it was created (local time), else when its session opened (event time).
    pub(crate) began_at: Timestamp,
    /// How many of its users count.
    pub(crate) users: usize,
    /// Whether it has as many users as it may have.
    pub(crate) is_full: bool,
}

impl Standing {
    /// Returns what an order of the list orders by, as the cursor has it. Only the query knows a score.
    pub(super) fn key(self, order: RoomOrder) -> u64 {
        match order {
            RoomOrder::Newest | RoomOrder::Oldest => self.began_at.as_millis(),
            RoomOrder::MostUsers => u64::try_from(self.users).unwrap_or(u64::MAX),
            RoomOrder::Id | RoomOrder::Score => 0,
        }
    }
}

/// Every order of the list.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    /// The rooms into which somebody may still come.
    open: Part,
    /// The rooms that are full.
    full: Part,
}

/// The orders of the rooms that are full, or of the others.
#[derive(Debug, Default)]
struct Part {
    /// By when they began, the oldest first.
    listed: BTreeMap<(Timestamp, OrderedId), u32>,
    /// By users, the most first.
    most_users: BTreeMap<(Reverse<usize>, OrderedId), u32>,
    /// By id.
    ids: BTreeMap<OrderedId, u32>,
}

/// An id in a form that is fast to compare: two numbers nearly always decide. To find one room among many
/// takes dozens of comparisons.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OrderedId {
    /// The first 16 bytes, big-endian, so that they order as the text does. Zeros fill a short id. No id
    /// holds a zero.
    first: (u64, u64),
    /// The whole id, if it has more than 16 bytes.
    long: Option<Box<RoomId>>,
}

impl OrderedId {
    fn of(id: &RoomId) -> Self {
        let text = id.as_str().as_bytes();
        let mut bytes = [[0; 8]; 2];
        let len = text.len().min(bytes.as_flattened().len());
        bytes.as_flattened_mut()[..len].copy_from_slice(&text[..len]);
        let [first, second] = bytes.map(u64::from_be_bytes);
        let long = (text.len() > len).then(|| Box::new(id.clone()));
        Self { first: (first, second), long }
    }

    /// Returns the id.
    pub(crate) fn id(&self) -> RoomId {
        if let Some(id) = &self.long {
            return (**id).clone();
        }
        let bytes = [self.first.0, self.first.1].map(u64::to_be_bytes);
        let bytes = bytes.as_flattened();
        let len = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        let text = std::str::from_utf8(&bytes[..len]).expect("it was made of a text");
        RoomId::new(text).expect("it was made of an id")
    }
}

impl Orders {
    /// Moves a room to where it stands now. `None` means that it is not listed.
    pub(super) fn reorder(
        &mut self,
        number: u32,
        room_id: &RoomId,
        before: Option<Standing>,
        after: Option<Standing>,
    ) {
        let of = |standing: Option<Standing>, is_full| standing.filter(|at| at.is_full == is_full);
        self.open.reorder(number, room_id, of(before, false), of(after, false));
        if before.or(after).is_some_and(|at| at.is_full) || of(after, true).is_some() {
            self.full.reorder(number, room_id, of(before, true), of(after, true));
        }
    }

    /// Gives a room another number.
    pub(super) fn renumber(&mut self, room_id: &RoomId, standing: Option<Standing>, to: u32) {
        let Some(Standing { began_at, users, is_full }) = standing else { return };
        let part = if is_full { &mut self.full } else { &mut self.open };
        let room_id = OrderedId::of(room_id);
        part.most_users.insert((Reverse(users), room_id.clone()), to);
        part.ids.insert(room_id.clone(), to);
        part.listed.insert((began_at, room_id), to);
    }

    /// Returns all listed rooms, the newest first.
    pub(super) fn newest_first(&self) -> impl DoubleEndedIterator<Item = usize> {
        let rooms = self.range(|part| &part.listed, (Bound::Unbounded, Bound::Unbounded), true);
        rooms.rev().map(|(_, number)| *number as usize)
    }

    /// Returns the rooms that come after a place in the list of the newest, with full rooms or without.
    pub(super) fn newest_after(
        &self,
        place: Option<(Timestamp, &RoomId)>,
        with_full: bool,
    ) -> impl Iterator<Item = Listed<'_>> {
        let before = excluded(place.map(|(at, room_id)| (at, OrderedId::of(room_id))));
        let rooms = self.range(|part| &part.listed, (Bound::Unbounded, before), with_full).rev();
        rooms.map(|((at, room_id), number)| (at.as_millis(), room_id, *number as usize))
    }

    /// Returns the rooms that come after a place in the list of the oldest.
    pub(super) fn oldest_after(
        &self,
        place: Option<(Timestamp, &RoomId)>,
        with_full: bool,
    ) -> impl Iterator<Item = Listed<'_>> {
        let after = excluded(place.map(|(at, room_id)| (at, OrderedId::of(room_id))));
        let rooms = self.range(|part| &part.listed, (after, Bound::Unbounded), with_full);
        rooms.map(|((at, room_id), number)| (at.as_millis(), room_id, *number as usize))
    }

    /// Returns the rooms that come after a place in the list by users.
    pub(super) fn most_users_after(
        &self,
        place: Option<(u64, &RoomId)>,
        with_full: bool,
    ) -> impl Iterator<Item = Listed<'_>> {
        let after = excluded(place.map(|(users, room_id)| {
            (Reverse(usize::try_from(users).unwrap_or(usize::MAX)), OrderedId::of(room_id))
        }));
        let rooms = self.range(|part| &part.most_users, (after, Bound::Unbounded), with_full);
        rooms.map(|((Reverse(users), room_id), number)| {
            (u64::try_from(*users).unwrap_or(u64::MAX), room_id, *number as usize)
        })
    }

    /// Returns the rooms that come after an id.
    pub(super) fn ids_after(
        &self,
        room_id: Option<&RoomId>,
        with_full: bool,
    ) -> impl Iterator<Item = Listed<'_>> {
        let after = excluded(room_id.map(OrderedId::of));
        let rooms = self.range(|part| &part.ids, (after, Bound::Unbounded), with_full);
        rooms.map(|(room_id, number)| (0, room_id, *number as usize))
    }

    /// Returns the rooms of an order between two bounds, of both parts or without the full ones.
    fn range<'o, K: Ord>(
        &'o self,
        order: impl Fn(&'o Part) -> &'o BTreeMap<K, u32>,
        bounds: (Bound<K>, Bound<K>),
        with_full: bool,
    ) -> Both<'o, K> {
        let bounds = (bounds.0.as_ref(), bounds.1.as_ref());
        let full = order(&self.full);
        let full = (with_full && !full.is_empty()).then(|| full.range(bounds));
        Both { open: order(&self.open).range(bounds), full }
    }
}

/// Returns the bound of what comes after a place; without a place, of everything.
fn excluded<K>(place: Option<K>) -> Bound<K> {
    place.map_or(Bound::Unbounded, Bound::Excluded)
}

impl Part {
    /// Moves a room to where it stands now in each order of this part.
    fn reorder(
        &mut self,
        number: u32,
        room_id: &RoomId,
        before: Option<Standing>,
        after: Option<Standing>,
    ) {
        let [listed, was_listed] = [after, before].map(|at| Some(at?.began_at));
        reorder(&mut self.listed, number, room_id, was_listed, listed);
        let [users, had_users] = [after, before].map(|at| Some(Reverse(at?.users)));
        reorder(&mut self.most_users, number, room_id, had_users, users);
        match (before, after) {
            (None, Some(_)) => _ = self.ids.insert(OrderedId::of(room_id), number),
            (Some(_), None) => _ = self.ids.remove(&OrderedId::of(room_id)),
            (None, None) | (Some(_), Some(_)) => {}
        }
    }
}

/// Moves a room in one order, if its key changed.
fn reorder<K: Ord + Copy>(
    order: &mut BTreeMap<(K, OrderedId), u32>,
    number: u32,
    room_id: &RoomId,
    before: Option<K>,
    after: Option<K>,
) {
    if before == after {
        return;
    }
    let room_id = OrderedId::of(room_id);
    if let Some(at) = before {
        order.remove(&(at, room_id.clone()));
    }
    if let Some(at) = after {
        order.insert((at, room_id), number);
    }
}

/// Reads the two parts of one order as one: of the next of each, the lower comes first.
struct Both<'o, K> {
    /// The rooms that are not full.
    open: Range<'o, K, u32>,
    /// The full rooms; `None` if there are none, or none are asked for.
    full: Option<Range<'o, K, u32>>,
}

impl<'o, K: Ord> Iterator for Both<'o, K> {
    type Item = (&'o K, &'o u32);

    fn next(&mut self) -> Option<Self::Item> {
        let Some(full) = &mut self.full else { return self.open.next() };
        match (self.open.clone().next(), full.clone().next()) {
            (Some((open, _)), Some((other, _))) if other < open => full.next(),
            (None, _) => full.next(),
            (Some(_), _) => self.open.next(),
        }
    }
}

impl<K: Ord> DoubleEndedIterator for Both<'_, K> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let Some(full) = &mut self.full else { return self.open.next_back() };
        match (self.open.clone().next_back(), full.clone().next_back()) {
            (Some((open, _)), Some((other, _))) if other > open => full.next_back(),
            (None, _) => full.next_back(),
            (Some(_), _) => self.open.next_back(),
        }
    }
}
