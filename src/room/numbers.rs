//! Which numbers of a counter were seen, as the holes between them.
//!
//! Callbacks of one session carry consecutive numbers. Nobody says where they start, so a hole is
//! something between two numbers that were seen. While there is none, two numbers are held.

use crate::model::time::Timestamp;

/// How many holes are remembered; beyond that the lowest are given up.
const MAX_HOLES: usize = 64;

/// The numbers seen of one counter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Numbers {
    range: Option<Range>,
    /// Ascending, apart from each other, inside the range.
    holes: Vec<Hole>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Range {
    first: u64,
    last: u64,
    /// The time of the callback with the first number, theirs.
    first_at: Timestamp,
}

/// Numbers that were not seen, between two that were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Hole {
    pub(crate) from: u64,
    pub(crate) to: u64,
    /// The time of the callback above it, theirs.
    pub(crate) told_at: Timestamp,
    /// When it became visible, in our time.
    pub(crate) seen_at: Timestamp,
    /// Whether it was told to the application.
    pub(crate) reported: bool,
}

impl Numbers {
    /// Takes note of a number: 0 stands for none.
    pub(crate) fn see(&mut self, number: u64, told_at: Timestamp, now: Timestamp) {
        if number == 0 {
            return;
        }
        let Some(range) = &mut self.range else {
            self.range = Some(Range { first: number, last: number, first_at: told_at });
            return;
        };
        let hole = |from, to, told_at| Hole { from, to, told_at, seen_at: now, reported: false };
        if number > range.last {
            if number - range.last > 1 {
                self.holes.push(hole(range.last + 1, number - 1, told_at));
            }
            range.last = number;
        } else if number < range.first {
            if range.first - number > 1 {
                self.holes.insert(0, hole(number + 1, range.first - 1, range.first_at));
            }
            (range.first, range.first_at) = (number, told_at);
        } else {
            self.fill(number, told_at);
        }
        self.cap();
    }

    /// A number that was missing splits its hole in two, of which either may be empty.
    fn fill(&mut self, number: u64, told_at: Timestamp) {
        let index = self.holes.partition_point(|hole| hole.to < number);
        let Some(hole) = self.holes.get(index).copied().filter(|hole| hole.from <= number) else {
            return;
        };
        let below = (hole.from < number).then(|| Hole { to: number - 1, told_at, ..hole });
        let above = (number < hole.to).then(|| Hole { from: number + 1, ..hole });
        self.holes.splice(index..=index, below.into_iter().chain(above));
    }

    /// Joins what another replica saw: a number is missing where neither saw it. A hole between what
    /// one saw and what the other did becomes visible now.
    pub(crate) fn merge(&mut self, other: &Self, now: Timestamp) {
        let (Some(ours), Some(theirs)) = (self.range, other.range) else {
            if self.range.is_none() {
                *self = other.clone();
            }
            return;
        };
        let low = if ours.first <= theirs.first { ours } else { theirs };
        let last = ours.last.max(theirs.last);
        let mut holes = Vec::new();
        for a in self.gaps(low.first, last) {
            for b in other.gaps(low.first, last) {
                holes.extend(a.intersection(b, now));
            }
        }
        holes.sort_unstable_by_key(|hole| hole.from);
        let first_at = if ours.first == theirs.first {
            ours.first_at.max(theirs.first_at)
        } else {
            low.first_at
        };
        self.range = Some(Range { first: low.first, last, first_at });
        self.holes = holes;
        self.cap();
    }

    /// What was not seen from one number to another: the holes, and what is outside the range.
    fn gaps(&self, from: u64, to: u64) -> Vec<Gap> {
        let Some(range) = self.range else { return Vec::new() };
        let mut gaps = Vec::with_capacity(self.holes.len() + 2);
        if from < range.first {
            let to = range.first - 1;
            gaps.push(Gap { from, to, told_at: Some(range.first_at), hole: None });
        }
        gaps.extend(self.holes.iter().map(|hole| Gap {
            from: hole.from,
            to: hole.to,
            told_at: Some(hole.told_at),
            hole: Some(*hole),
        }));
        if range.last < to {
            gaps.push(Gap { from: range.last + 1, to, told_at: None, hole: None });
        }
        gaps
    }

    /// Gives up holes.
    pub(crate) fn retain(&mut self, keep: impl FnMut(&Hole) -> bool) {
        self.holes.retain(keep);
    }

    pub(crate) fn holes(&self) -> &[Hole] {
        &self.holes
    }

    pub(crate) fn holes_mut(&mut self) -> &mut [Hole] {
        &mut self.holes
    }

    pub(crate) fn pull_back(&mut self, now: Timestamp) {
        for hole in &mut self.holes {
            hole.seen_at = hole.seen_at.min(now);
        }
    }

    /// Whether it can have come from numbers seen, of one that came from a store.
    #[cfg(feature = "serde")]
    pub(crate) fn is_possible(&self) -> bool {
        let Some(range) = self.range else { return self.holes.is_empty() };
        let inside = self
            .holes
            .iter()
            .all(|hole| range.first < hole.from && hole.from <= hole.to && hole.to < range.last);
        let apart = self.holes.is_sorted_by(|a, b| b.from - a.to.min(b.from) > 1);
        range.first > 0
            && range.first <= range.last
            && inside
            && apart
            && self.holes.len() <= MAX_HOLES
    }

    fn cap(&mut self) {
        let surplus = self.holes.len().saturating_sub(MAX_HOLES);
        self.holes.drain(..surplus);
    }
}

/// Numbers that one replica did not see.
#[derive(Debug, Clone, Copy)]
struct Gap {
    from: u64,
    to: u64,
    /// The time of the callback above it, where that was seen.
    told_at: Option<Timestamp>,
    /// None where it is outside the range, so that nobody could know that something is missing.
    hole: Option<Hole>,
}

impl Gap {
    /// What neither saw. It is as old as the younger of two holes.
    fn intersection(self, other: Self, now: Timestamp) -> Option<Hole> {
        let (from, to) = (self.from.max(other.from), self.to.min(other.to));
        if from > to {
            return None;
        }
        let told = |gap: Self| gap.told_at.filter(|_| gap.to == to);
        let told_at = told(self).max(told(other))?;
        let (seen_at, reported) = match (self.hole, other.hole) {
            (Some(a), Some(b)) => (a.seen_at.max(b.seen_at), a.reported && b.reported),
            (Some(hole), None) | (None, Some(hole)) => (hole.seen_at, hole.reported),
            (None, None) => (now, false),
        };
        Some(Hole { from, to, told_at, seen_at, reported })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seen(numbers: &[u64]) -> Numbers {
        let mut seen = Numbers::default();
        for number in numbers {
            seen.see(*number, at(*number), at(0));
        }
        seen
    }

    /// Number n is told at n.
    fn at(number: u64) -> Timestamp {
        Timestamp::from_millis(number)
    }

    /// The holes and the times of the callbacks above them.
    fn holes(numbers: &Numbers) -> Vec<(u64, u64, Timestamp)> {
        numbers.holes().iter().map(|hole| (hole.from, hole.to, hole.told_at)).collect()
    }

    /// The same, slowly.
    fn missing(numbers: &[u64]) -> Vec<(u64, u64, Timestamp)> {
        let mut sorted: Vec<u64> = numbers.iter().copied().filter(|number| *number > 0).collect();
        sorted.sort_unstable();
        let pairs = sorted.windows(2).filter(|pair| pair[1] - pair[0] > 1);
        pairs.map(|pair| (pair[0] + 1, pair[1] - 1, at(pair[1]))).collect()
    }

    #[test]
    fn numbers_at_the_end_of_what_can_be_counted_are_numbers() {
        let numbers = seen(&[1, u64::MAX, u64::MAX - 1]);
        assert_eq!(holes(&numbers), [(2, u64::MAX - 2, at(u64::MAX - 1))]);
        assert!(seen(&[0]).range.is_none());
    }

    #[cfg(feature = "serde")]
    #[test]
    fn what_no_numbers_leave_behind_is_impossible() {
        let hole = |from, to| {
            let (told_at, seen_at) = (at(0), at(0));
            Hole { from, to, told_at, seen_at, reported: false }
        };
        let of = |first, last, holes: &[(u64, u64)]| Numbers {
            range: Some(Range { first, last, first_at: at(0) }),
            holes: holes.iter().map(|(from, to)| hole(*from, *to)).collect(),
        };
        let many: Vec<_> = (1..).map(|number| (2 * number, 2 * number)).take(MAX_HOLES).collect();
        let last = 2 * MAX_HOLES as u64 + 1;
        let possible = [
            of(1, 1, &[]),
            of(1, 3, &[(2, 2)]),
            of(1, 9, &[(2, 4), (6, 8)]),
            of(3, u64::MAX, &[(4, u64::MAX - 1)]),
            of(1, last, &many),
            Numbers::default(),
        ];
        for numbers in possible {
            assert!(numbers.is_possible(), "{numbers:?}");
        }
        let too_many: Vec<_> = many.iter().copied().chain([(last + 1, last + 1)]).collect();
        let impossible = [
            of(0, 3, &[]),
            of(3, 2, &[]),
            of(2, 4, &[(2, 2)]),
            of(2, 4, &[(1, 3)]),
            of(1, 3, &[(3, 3)]),
            of(1, 3, &[(2, 3)]),
            of(1, 9, &[(5, 4)]),
            of(1, 9, &[(2, 4), (5, 6)]),
            of(1, 9, &[(2, 5), (4, 6)]),
            of(1, 9, &[(6, 7), (2, 3)]),
            of(1, last + 2, &too_many),
            Numbers { range: None, holes: vec![hole(2, 2)] },
        ];
        for numbers in impossible {
            assert!(!numbers.is_possible(), "{numbers:?}");
        }
    }

    #[test]
    fn replicas_that_both_saw_the_last_number_merge() {
        let mut merged = seen(&[1, u64::MAX]);
        merged.merge(&seen(&[2, u64::MAX]), at(50));
        assert_eq!(holes(&merged), [(3, u64::MAX - 1, at(u64::MAX))]);
    }

    #[test]
    fn a_hole_below_the_first_number_is_told_by_the_callback_that_had_it() {
        // The same number came with two times: the later counts. Of two numbers, the lower one's.
        for (ours, theirs, told_at) in
            [((5, 1), (5, 9), 9), ((5, 1), (6, 9), 1), ((6, 9), (5, 1), 1)]
        {
            let mut merged = Numbers::default();
            merged.see(ours.0, at(ours.1), at(0));
            let mut other = Numbers::default();
            other.see(theirs.0, at(theirs.1), at(0));
            merged.merge(&other, at(0));
            merged.see(3, at(0), at(0));
            assert_eq!(holes(&merged), [(4, 4, at(told_at))]);
        }
    }

    #[test]
    fn a_hole_that_both_replicas_see_was_told_where_both_told_it() {
        for (ours, theirs) in [(true, true), (true, false), (false, true), (false, false)] {
            let with = |reported| {
                let mut numbers = seen(&[1, 3]);
                numbers.holes_mut()[0].reported = reported;
                numbers
            };
            let mut merged = with(ours);
            merged.merge(&with(theirs), at(50));
            assert_eq!(merged.holes()[0].reported, ours && theirs);
        }
    }

    #[test]
    fn holes_are_bounded() {
        let numbers: Vec<u64> = (1..1_000).map(|number| number * 2).collect();
        assert_eq!(seen(&numbers).holes().len(), MAX_HOLES);
    }

    #[test]
    fn a_hole_between_two_replicas_is_as_old_as_their_merging() {
        let mut merged = seen(&[1]);
        merged.merge(&seen(&[3]), at(50));
        let [hole] = merged.holes() else { panic!("{merged:?}") };
        assert_eq!((hole.from, hole.to, hole.told_at), (2, 2, at(3)));
        assert_eq!((hole.seen_at, hole.reported), (at(50), false));
        merged.merge(&seen(&[3]), at(60));
        assert_eq!(merged.holes()[0].seen_at, at(50));
    }

    proptest! {
        #[test]
        fn the_holes_are_what_is_missing_in_any_order(numbers in prop::collection::vec(0..40_u64, 0..30)) {
            let held = seen(&numbers);
            prop_assert_eq!(holes(&held), missing(&numbers));
            #[cfg(feature = "serde")]
            prop_assert!(held.is_possible());
        }

        #[test]
        fn two_replicas_miss_what_neither_saw(
            a in prop::collection::vec(0..40_u64, 0..20),
            b in prop::collection::vec(0..40_u64, 0..20),
        ) {
            let mut merged = seen(&a);
            merged.merge(&seen(&b), at(50));
            let mut other_way = seen(&b);
            other_way.merge(&seen(&a), at(50));
            prop_assert_eq!(&merged, &other_way);
            let all: Vec<u64> = a.iter().chain(&b).copied().collect();
            prop_assert_eq!(holes(&merged), missing(&all));
            let before = merged.clone();
            merged.merge(&seen(&b), at(50));
            prop_assert_eq!(holes(&merged), holes(&before));
        }
    }
}
