//! When each id of a room was last seen, and which was last seen longest ago.
//!
//! A room records this a million times for each time that it asks. So a record writes one time beside the
//! id, and nothing else. What is kept apart are lower bounds: nobody was last seen before them. There is
//! one bound for all entries. If there are more than a few entries, each block of them has a bound, and so
//! does each block of bounds. A bound may be too early. Whoever asks for the longest unseen brings those up
//! to date that stand in the way. The bound of all keeps up by itself. Once everybody was seen after a
//! checkpoint, the bound moves to it, and the next checkpoint is now.

use std::cmp::Ordering;

use crate::collections::hashed::{Hashed, Key};
use crate::collections::id_table::IdTable;
use crate::model::time::Timestamp;

/// How many entries, or bounds, have a bound together.
const BLOCK_LEN: usize = 32;

/// When an entry was last seen, and which one it was of those within the same millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Seen {
    at: Timestamp,
    nth: u32,
}

/// Holds ids in places, as an [`IdTable`] does, and when each was last seen. Those of one millisecond keep
/// their order. It lies in memory in this order.
#[derive(Debug, Clone)]
#[repr(C)]
pub(crate) struct LastSeen<I> {
    entries: IdTable<I, Seen>,
    /// Nobody was last seen before this; none if there is nobody.
    since: Option<Seen>,
    /// The last that was recorded.
    last: Seen,
    /// An earlier value of `last`.
    checkpoint: Seen,
    /// How many were not seen after the checkpoint.
    unseen: usize,
    /// The bounds of each block of places, then those of each block of bounds, until there is only one
    /// block.
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

    /// Returns the place where an id may stand, without a look at what stands there.
    pub(crate) fn place_hint(&self, key: &(impl Key + ?Sized)) -> Option<usize> {
        self.entries.place_hint(key)
    }

    /// Returns who has a place, and when it was last seen.
    pub(crate) fn at(&self, place: usize) -> Option<(&I, Timestamp)> {
        self.entries.at(place).map(|(id, seen)| (id, seen.at))
    }

    /// Records that an entry was seen, after all that was recorded of the same millisecond.
    pub(crate) fn record(&mut self, place: usize, at: Timestamp) {
        let Some(held) = self.entries.at_mut(place) else { return };
        let seen = self.last.next(at);
        let before = std::mem::replace(held, seen);
        self.last = seen;
        if seen < before {
            self.lower(place, seen);
        }
        self.unseen += usize::from(seen <= self.checkpoint);
        self.unseen -= usize::from(before <= self.checkpoint);
        self.advance_checkpoint();
    }

    /// Inserts an id that is not there, and was seen at this time.
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

    /// Takes out the id that has a place. The last id has this place from then on.
    pub(crate) fn swap_remove_at(&mut self, place: usize) -> Option<I> {
        let (id, seen) = self.entries.swap_remove_at(place)?;
        self.unseen -= usize::from(seen <= self.checkpoint);
        self.resize_bounds();
        if let Some((_, moved)) = self.entries.at(place) {
            self.lower(place, *moved);
        }
        self.advance_checkpoint();
        Some(id)
    }

    /// Returns a time before which nobody was last seen. It may be too early.
    pub(crate) fn since(&self) -> Option<Timestamp> {
        self.since.map(|since| since.at)
    }

    /// Returns the same time, and exactly the right one if there are only a few entries.
    pub(crate) fn since_exactly(&self) -> Option<Timestamp> {
        if self.bounds.is_empty() {
            self.earliest(0, 0).map(|(_, seen)| seen.at)
        } else {
            self.since()
        }
    }

    /// Returns who was last seen longest ago, if that was before `old`.
    ///
    /// Cost: the logarithm of the entries, and next to nothing for each that was seen since its bound was
    /// last brought up to date.
    pub(crate) fn longest(&mut self, old: Timestamp) -> Option<usize> {
        while self.since.is_some_and(|since| since.at < old) {
            let top = self.bounds.len();
            let (mut place, mut seen) = self.earliest(top, 0)?;
            for level in (0..top).rev() {
                (place, seen) = self.earliest(level, place)?;
            }
            // The bound of this block is known now, and so are those above it.
            let (mut block, mut known) = (place, seen);
            for level in 0..top {
                block /= BLOCK_LEN;
                self.bounds[level][block] = known;
                known = self.earliest(level + 1, block / BLOCK_LEN)?.1;
            }
            self.since = self.since.max(Some(known));
            if known == seen {
                return (seen.at < old).then_some(place);
            }
        }
        None
    }

    /// Returns the places, with the longest unseen first.
    pub(crate) fn in_order(&self) -> Vec<usize> {
        let mut places: Vec<_> = self.entries.values().copied().enumerate().collect();
        places.sort_by_key(|(_, seen)| *seen);
        places.into_iter().map(|(place, _)| place).collect()
    }

    /// Replaces each time. The order stays as it is.
    pub(crate) fn map(&mut self, change: impl Fn(Timestamp) -> Timestamp) {
        self.order(&self.in_order(), change);
    }

    /// Replaces each time, and makes this order of the places theirs.
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

    /// Moves the bound of all to the checkpoint, if everybody was seen after it, and sets the next one.
    fn advance_checkpoint(&mut self) {
        if self.unseen == 0 && self.since.is_some() {
            self.since = self.since.max(Some(self.checkpoint));
            (self.checkpoint, self.unseen) = (self.last, self.entries.iter().len());
        }
    }

    /// Lowers the bounds of a place to a time.
    fn lower(&mut self, place: usize, seen: Seen) {
        let mut block = place;
        for bounds in &mut self.bounds {
            block /= BLOCK_LEN;
            bounds[block] = bounds[block].min(seen);
        }
        self.since = Some(self.since.map_or(seen, |since| since.min(seen)));
    }

    /// Makes as many bounds as there are blocks. New ones are exact, and the others stay as they were.
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

    /// Returns the earliest of a block, with its position among all. At level 0 these are entries, and
    /// above it the bounds of that level.
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

fn earliest(first: usize, block: impl Iterator<Item = Seen>) -> Option<(usize, Seen)> {
    let block = (first..).zip(block);
    block.reduce(|earliest, other| if other.1 < earliest.1 { other } else { earliest })
}

impl Ord for Seen {
    /// Compares them as one number each, because this happens by the dozen.
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
