//! Who has been silent for longest: the ids of a room, and when each was last heard of.
//!
//! That is noted a million times for each time that it is asked for. So whoever is heard of notes it
//! beside its own id, and what is kept apart are bounds: before them nobody was heard of. There is one
//! of all, and where there are more than a few entries, one of each few, and one of each few of those. A
//! bound may be too early; who asks for the longest silent brings those up to date that stand in the
//! way. The bound of all keeps up by itself: once everybody was heard of after a mark, it is there, and
//! the next mark is now.

use std::cmp::Ordering;

use crate::collections::id_table::{Hashed, IdTable, Key};
use crate::model::time::Timestamp;

/// How many entries, or bounds, have a bound together.
const BLOCK_LEN: usize = 32;

/// When an entry was last heard of, and which one it was of those within the same millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Moment {
    at: Timestamp,
    nth: u32,
}

/// Ids in places as of an [`IdTable`], and when each was last heard of. Those of one millisecond stay in
/// the order in which they were.
#[derive(Debug, Clone)]
pub(crate) struct LastSeen<I> {
    moments: IdTable<I, Moment>,
    /// Before it nobody was heard of; none where there is nobody.
    since: Option<Moment>,
    /// The last that was noted.
    last: Moment,
    /// Some earlier last one, and how many were not heard of after it.
    mark: Moment,
    unheard: usize,
    /// The bounds of each few places, then of each few of those, until there are but a few.
    bounds: Vec<Vec<Moment>>,
}

impl<I> Default for LastSeen<I> {
    fn default() -> Self {
        let [last, mark] = [Moment::default(); 2];
        Self {
            moments: IdTable::default(),
            since: None,
            last,
            mark,
            unheard: 0,
            bounds: Vec::new(),
        }
    }
}

impl<I: AsRef<str>> LastSeen<I> {
    /// As [`IdTable::place_of`].
    pub(crate) fn place_of(&self, key: &(impl Key + ?Sized)) -> Option<usize> {
        self.moments.place_of(key)
    }

    /// As [`IdTable::place_beside`].
    pub(crate) fn place_beside(
        &self,
        key: &(impl Key + ?Sized),
        found: &mut usize,
    ) -> Option<usize> {
        self.moments.place_beside(key, found)
    }

    /// Returns the place where an id may stand, without a look at what stands there.
    pub(crate) fn place_hint(&self, key: &(impl Key + ?Sized)) -> Option<usize> {
        self.moments.place_hint(key)
    }

    /// Who has a place, and when it was last heard of.
    pub(crate) fn at(&self, place: usize) -> Option<(&I, Timestamp)> {
        self.moments.at(place).map(|(id, heard)| (id, heard.at))
    }

    /// Notes that a place was heard of, after all that was noted of the same millisecond.
    pub(crate) fn record(&mut self, place: usize, at: Timestamp) {
        let Some(held) = self.moments.at_mut(place) else { return };
        let heard = self.last.next(at);
        let before = std::mem::replace(held, heard);
        self.last = heard;
        if heard < before {
            self.lower(place, heard);
        }
        self.unheard += usize::from(heard <= self.mark);
        self.unheard -= usize::from(before <= self.mark);
        self.advance();
    }

    /// Puts in an id that is not there, heard of at this time.
    pub(crate) fn insert_new(&mut self, id: Hashed<'_, I>, at: Timestamp)
    where
        I: Clone,
    {
        let heard = self.last.next(at);
        self.last = heard;
        let place = self.moments.insert_new(id, heard);
        self.unheard += usize::from(heard <= self.mark);
        self.bind();
        self.lower(place, heard);
    }

    /// Takes out the id that has a place, which the last one has from then on.
    pub(crate) fn swap_remove_at(&mut self, place: usize) -> Option<I> {
        let (id, seen) = self.moments.swap_remove_at(place)?;
        self.unheard -= usize::from(seen <= self.mark);
        self.bind();
        if let Some((_, moved)) = self.moments.at(place) {
            self.lower(place, *moved);
        }
        self.advance();
        Some(id)
    }

    /// Before this time nobody was heard of; it may be too early.
    pub(crate) fn since(&self) -> Option<Timestamp> {
        self.since.map(|since| since.at)
    }

    /// The same, exactly where there are but a few.
    pub(crate) fn since_exactly(&self) -> Option<Timestamp> {
        if self.bounds.is_empty() {
            self.earliest(0, 0).map(|(_, heard)| heard.at)
        } else {
            self.since()
        }
    }

    /// Who has been silent for longest, if last heard of before `old`.
    ///
    /// Cost: the logarithm of the entries, and of those who were heard of since their bound was last
    /// looked at, nearly nothing each.
    pub(crate) fn longest(&mut self, old: Timestamp) -> Option<usize> {
        while self.since.is_some_and(|since| since.at < old) {
            let top = self.bounds.len();
            let (mut place, mut heard) = self.earliest(top, 0)?;
            for level in (0..top).rev() {
                (place, heard) = self.earliest(level, place)?;
            }
            // Now it is known of these few, and with that of those that they are among.
            let (mut block, mut known) = (place, heard);
            for level in 0..top {
                block /= BLOCK_LEN;
                self.bounds[level][block] = known;
                known = self.earliest(level + 1, block / BLOCK_LEN)?.1;
            }
            self.since = self.since.max(Some(known));
            if known == heard {
                return (heard.at < old).then_some(place);
            }
        }
        None
    }

    /// The places, the longest silent first.
    pub(crate) fn in_order(&self) -> Vec<usize> {
        let mut places: Vec<_> = self.moments.values().copied().enumerate().collect();
        places.sort_by_key(|(_, heard)| *heard);
        places.into_iter().map(|(place, _)| place).collect()
    }

    /// Has each time made another one, in an order that stays as it is.
    pub(crate) fn map(&mut self, change: impl Fn(Timestamp) -> Timestamp) {
        self.order(&self.in_order(), change);
    }

    /// Has each time made another one, which are then in this order of the places.
    pub(crate) fn order(&mut self, places: &[usize], change: impl Fn(Timestamp) -> Timestamp) {
        for (place, nth) in places.iter().zip(0..) {
            if let Some(held) = self.moments.at_mut(*place) {
                *held = Moment { at: change(held.at), nth };
                self.last = *held;
            }
        }
        self.bounds.clear();
        self.bind();
        self.since = self.earliest(self.bounds.len(), 0).map(|(_, heard)| heard);
        (self.mark, self.unheard) = (self.last, self.moments.iter().len());
    }

    /// Where everybody was heard of after the mark, takes note of that, and sets the next one.
    fn advance(&mut self) {
        if self.unheard == 0 && self.since.is_some() {
            self.since = self.since.max(Some(self.mark));
            (self.mark, self.unheard) = (self.last, self.moments.iter().len());
        }
    }

    /// Nobody in this place was heard of before.
    fn lower(&mut self, place: usize, heard: Moment) {
        let mut block = place;
        for bounds in &mut self.bounds {
            block /= BLOCK_LEN;
            bounds[block] = bounds[block].min(heard);
        }
        self.since = Some(self.since.map_or(heard, |since| since.min(heard)));
    }

    /// Has as many bounds as there are to be: new ones as they are, the others as they were.
    fn bind(&mut self) {
        let mut len = self.moments.iter().len();
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
                self.bounds[level].extend(earliest.map(|(_, heard)| heard));
            }
            level += 1;
        }
        self.bounds.truncate(level);
    }

    /// The earliest of a block of few, and where it stands among all: of the entries, or of the bounds
    /// so many levels above them.
    fn earliest(&self, level: usize, block: usize) -> Option<(usize, Moment)> {
        let first = block * BLOCK_LEN;
        match level.checked_sub(1) {
            None => {
                let entries = self.moments.range(first..first + BLOCK_LEN);
                earliest(first, entries.iter().map(|(_, heard)| *heard))
            }
            Some(below) => {
                let bounds = self.bounds.get(below)?.iter().skip(first).take(BLOCK_LEN);
                earliest(first, bounds.copied())
            }
        }
    }
}

fn earliest(first: usize, few: impl Iterator<Item = Moment>) -> Option<(usize, Moment)> {
    (first..).zip(few).min_by_key(|(_, heard)| *heard)
}

impl Ord for Moment {
    /// As one number, as they are compared by the dozen.
    fn cmp(&self, other: &Self) -> Ordering {
        let [this, other] = [self, other]
            .map(|heard| u128::from(heard.at.as_millis()) << 32 | u128::from(heard.nth));
        this.cmp(&other)
    }
}

impl PartialOrd for Moment {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Moment {
    fn next(self, at: Timestamp) -> Self {
        Self { at, nth: if at == self.at { self.nth.saturating_add(1) } else { 0 } }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a queue would tell: the places, the longest silent first.
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
                        // Moment of at a time of the past, at which nobody else was.
                        let past = at(now - 1_000 * past * past + 1 + number as u64 % 999);
                        seen.record(which.index(len), past);
                        queue.note(which.index(len), past);
                        now += 1_000;
                    }
                    _ => {
                        // All that went silent go, in their order.
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
    fn one_who_was_heard_of_earlier_than_told_before_is_the_longest_silent() {
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
    fn the_bound_of_all_keeps_up_by_itself_also_where_the_last_that_it_waits_for_goes() {
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
