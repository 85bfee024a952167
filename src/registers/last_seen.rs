//! When each id of a room was last seen, and which one was last seen longest ago. All times are local.
//!
//! `Members` keeps the last heartbeats in one. A room records a heartbeat a million times for each time
//! that it asks who is overdue. So to record one must cost next to nothing: it writes one time beside the
//! id.
//!
//! A queue would have to be kept in order at each record. Here only *lower bounds* are kept apart: nobody
//! in a block of 32 entries was last seen before the bound of the block. The bounds form a tree. Each block
//! of 32 bounds has a bound again, until one block is left, and one bound covers all. A record leaves the
//! bounds alone, so they may be too early, but never too late. [`LastSeen::longest`] walks down the tree to
//! the earliest entry, and raises the bounds on its way to what they should be.
//!
//! The bound of all also moves without such a walk, by a *checkpoint*. It is a record of the past, and a
//! counter says how many entries have not been seen after it. Once that is none, the bound moves to the
//! checkpoint, and the latest record becomes the next checkpoint. So a room whose members all send
//! heartbeats need not look for who is overdue.
//!
//! This file carries no law by itself, but law 6.2 rests on it.

use std::cmp::Ordering;

use crate::collections::hashed::{Hashed, Key};
use crate::collections::id_table::IdTable;
use crate::model::time::Timestamp;

/// How many entries have a bound in common, and how many bounds have one again.
const BLOCK_LEN: usize = 32;

/// A record: when an entry was seen, and which record it was of those within the same millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Seen {
    /// When the entry was seen.
    at: Timestamp,
    /// How many records of the same millisecond came before.
    nth: u32,
}

/// Holds ids in places, as an [`IdTable`] does, and when each was last seen. Records of one millisecond
/// keep their order. It lies in memory in this order: a record needs the fields up to `unseen`.
#[derive(Debug, Clone)]
#[repr(C)]
pub(crate) struct LastSeen<I> {
    /// The ids by place, with the last record of each.
    entries: IdTable<I, Seen>,
    /// The bound of all: nobody was last seen before this. `None` if there is nobody.
    since: Option<Seen>,
    /// The record that was made last.
    last: Seen,
    /// An earlier value of `last`.
    checkpoint: Seen,
    /// How many entries were not seen after the checkpoint.
    unseen: usize,
    /// The tree of bounds, by level and block. Level 0 has a bound for each block of entries, and each
    /// further level one for each block of bounds below it. There is no level if one block has all entries.
    bounds: Vec<Vec<Seen>>,
}

impl<I> Default for LastSeen<I> {
    fn default() -> Self {
        let [last, checkpoint] = [Seen::default(); 2];
        Self {
            entries: IdTable::default(),
            since: None,
            last,
            checkpoint,
            unseen: 0,
            bounds: Vec::new(),
        }
    }
}

impl<I: AsRef<str>> LastSeen<I> {
    /// Returns what [`IdTable::place_of`] does.
    pub(crate) fn place_of(&self, key: &(impl Key + ?Sized)) -> Option<usize> {
        self.entries.place_of(key)
    }

    /// Returns what [`IdTable::place_beside`] does.
    pub(crate) fn place_beside(
        &self,
        key: &(impl Key + ?Sized),
        found: &mut usize,
    ) -> Option<usize> {
        self.entries.place_beside(key, found)
    }

    /// Returns what [`IdTable::place_hint`] does.
    pub(crate) fn place_hint(&self, key: &(impl Key + ?Sized)) -> Option<usize> {
        self.entries.place_hint(key)
    }

    /// Returns the id that has a place, and when it was last seen.
    pub(crate) fn at(&self, place: usize) -> Option<(&I, Timestamp)> {
        self.entries.at(place).map(|(id, seen)| (id, seen.at))
    }

    /// Records that an entry was seen, after all records of the same millisecond.
    pub(crate) fn record(&mut self, place: usize, at: Timestamp) {
        let Some(held) = self.entries.at_mut(place) else { return };
        let seen = self.last.next(at);
        let before = std::mem::replace(held, seen);
        self.last = seen;
        if seen < before {
            self.lower(place, seen); // only a time before the last one can be below a bound
        }
        self.unseen += usize::from(seen <= self.checkpoint);
        self.unseen -= usize::from(before <= self.checkpoint);
        self.advance_checkpoint();
    }

    /// Adds an id that is not there. It was seen at this time.
    pub(crate) fn insert_new(&mut self, id: Hashed<'_, I>, at: Timestamp)
    where
        I: Clone,
    {
        let seen = self.last.next(at);
        self.last = seen;
        let place = self.entries.insert_new(id, seen);
        self.unseen += usize::from(seen <= self.checkpoint);
        self.resize_bounds();
        self.lower(place, seen);
    }

    /// Takes out the id that has a place. The last id takes the place.
    pub(crate) fn swap_remove_at(&mut self, place: usize) -> Option<I> {
        let (id, seen) = self.entries.swap_remove_at(place)?;
        self.unseen -= usize::from(seen <= self.checkpoint);
        self.resize_bounds();
        if let Some((_, moved)) = self.entries.at(place) {
            self.lower(place, *moved); // it is in another block now
        }
        self.advance_checkpoint();
        Some(id)
    }

    /// Returns a time before which nobody was last seen. It may be too early, but never too late.
    pub(crate) fn since(&self) -> Option<Timestamp> {
        self.since.map(|since| since.at)
    }

    /// Returns the exact time if one block has all entries, else the same bound.
    pub(crate) fn since_exactly(&self) -> Option<Timestamp> {
        if self.bounds.is_empty() {
            self.earliest(0, 0).map(|(_, seen)| seen.at)
        } else {
            self.since()
        }
    }

    /// Returns the place of the id that was last seen longest ago, if that was before `old`.
    ///
    /// Each round finds the earliest entry below the earliest bounds. If those bounds were exact, it is the
    /// earliest of all. If not, they are exact now, and the next round goes on with other blocks.
    ///
    /// Cost: the logarithm of the entries, and as much for each block with a bound that is too early.
    pub(crate) fn longest(&mut self, old: Timestamp) -> Option<usize> {
        while self.since.is_some_and(|since| since.at < old) {
            // Walk down, from the earliest bound of each level to the earliest entry of its block.
            let top = self.bounds.len();
            let (mut place, mut seen) = self.earliest(top, 0)?;
            for level in (0..top).rev() {
                (place, seen) = self.earliest(level, place)?;
            }
            // Walk up: the bound of the entry's block is known now, and with it those of the blocks above.
            let (mut block, mut bound) = (place, seen);
            for level in 0..top {
                block /= BLOCK_LEN;
                self.bounds[level][block] = bound;
                bound = self.earliest(level + 1, block / BLOCK_LEN)?.1;
            }
            self.since = self.since.max(Some(bound));
            // The bound of all is this very record: nobody was last seen before it.
            if bound == seen {
                return (seen.at < old).then_some(place);
            }
        }
        None
    }

    /// Returns the places by when each was last seen, the one seen longest ago first.
    pub(crate) fn in_order(&self) -> Vec<usize> {
        let mut places: Vec<_> = self.entries.values().copied().enumerate().collect();
        places.sort_by_key(|(_, seen)| *seen);
        places.into_iter().map(|(place, _)| place).collect()
    }

    /// Replaces each time. The order of the entries stays as it is.
    pub(crate) fn map(&mut self, change: impl Fn(Timestamp) -> Timestamp) {
        self.order(&self.in_order(), change);
    }

    /// Replaces each time, and makes this the order of the places, within each millisecond too. The times
    /// must ascend in it.
    pub(crate) fn order(&mut self, places: &[usize], change: impl Fn(Timestamp) -> Timestamp) {
        for (place, nth) in places.iter().zip(0..) {
            if let Some(held) = self.entries.at_mut(*place) {
                *held = Seen { at: change(held.at), nth };
                self.last = *held;
            }
        }
        self.bounds.clear();
        self.resize_bounds();
        self.since = self.earliest(self.bounds.len(), 0).map(|(_, seen)| seen);
        (self.checkpoint, self.unseen) = (self.last, self.entries.iter().len());
    }

    /// If everybody was seen after the checkpoint, moves the bound of all to it, and sets the next one.
    fn advance_checkpoint(&mut self) {
        if self.unseen == 0 && self.since.is_some() {
            self.since = self.since.max(Some(self.checkpoint));
            (self.checkpoint, self.unseen) = (self.last, self.entries.iter().len());
        }
    }

    /// Lowers the bounds of all blocks that have a place to a record, if they are later.
    fn lower(&mut self, place: usize, seen: Seen) {
        let mut block = place;
        for bounds in &mut self.bounds {
            block /= BLOCK_LEN;
            bounds[block] = bounds[block].min(seen);
        }
        self.since = Some(self.since.map_or(seen, |since| since.min(seen)));
    }

    /// Makes as many bounds as there are blocks now. New ones are exact, and the others stay as they were.
    fn resize_bounds(&mut self) {
        let mut len = self.entries.iter().len();
        if len == 0 {
            self.since = None;
        }
        let mut level = 0;
        while len > BLOCK_LEN {
            len = len.div_ceil(BLOCK_LEN);
            if level == self.bounds.len() {
                self.bounds.push(Vec::new());
            }
            self.bounds[level].truncate(len);
            for block in self.bounds[level].len()..len {
                let earliest = self.earliest(level, block);
                self.bounds[level].extend(earliest.map(|(_, seen)| seen));
            }
            level += 1;
        }
        self.bounds.truncate(level);
    }

    /// Returns the earliest record in a block, and its index. The blocks of level 0 have entries, by place.
    /// Those of level n have the bounds at `self.bounds[n - 1]`.
    fn earliest(&self, level: usize, block: usize) -> Option<(usize, Seen)> {
        let first = block * BLOCK_LEN;
        match level.checked_sub(1) {
            None => {
                let entries = self.entries.range(first..first + BLOCK_LEN);
                earliest(first, entries.iter().map(|(_, seen)| *seen))
            }
            Some(below) => {
                let bounds = self.bounds.get(below)?.iter().skip(first).take(BLOCK_LEN);
                earliest(first, bounds.copied())
            }
        }
    }
}

/// Returns the earliest of some records, and its index, if they are counted from `first`. Of equal ones,
/// the first counts.
fn earliest(first: usize, block: impl Iterator<Item = Seen>) -> Option<(usize, Seen)> {
    let block = (first..).zip(block);
    block.reduce(|earliest, other| if other.1 < earliest.1 { other } else { earliest })
}

impl Ord for Seen {
    /// Compares time and then number. As one number of 96 bits this needs no branch, and a walk down the
    /// tree compares dozens.
    fn cmp(&self, other: &Self) -> Ordering {
        let [this, other] =
            [self, other].map(|seen| u128::from(seen.at.as_millis()) << 32 | u128::from(seen.nth));
        this.cmp(&other)
    }
}

impl PartialOrd for Seen {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Seen {
    /// Returns the record after this one, made at a time.
    fn next(self, at: Timestamp) -> Self {
        Self { at, nth: if at == self.at { self.nth.saturating_add(1) } else { 0 } }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A plain queue of the places, with the longest unseen first.
    #[derive(Debug, Default)]
    struct Queue(Vec<(Timestamp, usize)>);

    impl Queue {
        fn note(&mut self, place: usize, at: Timestamp) {
            self.0.retain(|(_, held)| *held != place);
            self.0.push((at, place));
            self.0.sort_by_key(|(at, _)| *at);
        }

        fn swap_remove(&mut self, place: usize) {
            let last = self.0.len() - 1;
            self.0.retain(|(_, held)| *held != place);
            for (_, held) in &mut self.0 {
                *held = if *held == last { place } else { *held };
            }
        }

        fn longest(&self, old: Timestamp) -> Option<usize> {
            self.0.first().filter(|(at, _)| *at < old).map(|(_, place)| *place)
        }
    }

    fn push(seen: &mut LastSeen<String>, at: Timestamp, ids: &mut Vec<String>, number: usize) {
        let id = format!("u{number}");
        seen.insert_new(Hashed::new(&id), at);
        ids.push(id);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn it_tells_what_a_plain_queue_tells(
            filled in 0..1_500_usize,
            steps in prop::collection::vec((0..11_u8, any::<prop::sample::Index>(), 0..4_u64), 0..120),
        ) {
            let mut seen = LastSeen::default();
            let mut ids = Vec::new();
            let mut queue = Queue::default();
            let mut now = 20_000;
            let at = Timestamp::from_millis;
            for place in 0..filled {
                now += if place % 3 == 0 { 1_000 } else { 0 };
                push(&mut seen, at(now), &mut ids, place);
                queue.note(place, at(now));
            }
            for (number, (step, which, past)) in (filled..).zip(steps) {
                let len = queue.0.len();
                now += 1_000 * past;
                match step {
                    0..=3 if len > 0 => {
                        seen.record(which.index(len), at(now));
                        queue.note(which.index(len), at(now));
                    }
                    4 if len > 0 => {
                        let id = ids.swap_remove(which.index(len));
                        prop_assert_eq!(seen.swap_remove_at(which.index(len)), Some(id));
                        queue.swap_remove(which.index(len));
                    }
                    5 => {
                        push(&mut seen, at(now), &mut ids, number);
                        queue.note(len, at(now));
                    }
                    6 => _ = seen.longest(at(now)),
                    7 => {
                        seen.map(|at_| at_.min(at(now - 3_000)));
                        queue.0.iter_mut().for_each(|(at_, _)| *at_ = (*at_).min(at(now - 3_000)));
                    }
                    8 => {
                        let mut places: Vec<_> = (0..len).collect();
                        places.rotate_left(which.index(len.max(1)));
                        seen.order(&places, |_| at(now));
                        queue.0 = places.into_iter().map(|place| (at(now), place)).collect();
                    }
                    9 if len > 0 => {
                        // Seen at a time of the past, at which nobody else was.
                        let past = at(now - 1_000 * past * past + 1 + number as u64 % 999);
                        seen.record(which.index(len), past);
                        queue.note(which.index(len), past);
                        now += 1_000;
                    }
                    _ => {
                        // All that were not seen since go, in their order.
                        let old = at(now - 1_000 * past * past);
                        for _ in 0..40 {
                            let longest = seen.longest(old);
                            prop_assert_eq!(longest, queue.longest(old));
                            let Some(place) = longest else { break };
                            seen.swap_remove_at(place);
                            ids.swap_remove(place);
                            queue.swap_remove(place);
                        }
                    }
                }
                let first = queue.0.first().map(|(at, _)| *at);
                prop_assert!(seen.since() <= first && seen.since().is_some() == first.is_some());
                prop_assert!(queue.0.len() > BLOCK_LEN || seen.since_exactly() == first);
                let order: Vec<_> = queue.0.iter().map(|(_, place)| *place).collect();
                prop_assert_eq!(seen.in_order(), order);
                for (at, place) in &queue.0 {
                    prop_assert_eq!(seen.at(*place), Some((&ids[*place], *at)));
                }
            }
        }
    }

    #[test]
    fn one_who_was_seen_earlier_than_recorded_before_is_the_longest_unseen() {
        let at = Timestamp::from_millis;
        let (mut seen, mut ids) = (LastSeen::default(), Vec::new());
        (0..2_000).for_each(|number| push(&mut seen, at(50), &mut ids, number));
        seen.record(1_234, at(20));
        assert_eq!(seen.since(), Some(at(20)));
        assert_eq!(seen.longest(at(50)), Some(1_234));
        seen.record(1_234, at(60));
        assert_eq!(seen.longest(at(50)), None);
        assert_eq!(seen.since(), Some(at(50)));
    }

    #[test]
    fn the_bound_of_all_keeps_up_by_itself_also_if_the_last_that_it_waits_for_goes() {
        let at = Timestamp::from_millis;
        let (mut seen, mut ids) = (LastSeen::default(), Vec::new());
        (0..100).for_each(|number| push(&mut seen, at(50), &mut ids, number));
        for now in [60, 70] {
            (0..100).for_each(|place| seen.record(place, at(now)));
        }
        assert_eq!(seen.since(), Some(at(60)));
        seen.swap_remove_at(0);
        assert_eq!(seen.since(), Some(at(70)));
    }
}
