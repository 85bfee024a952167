//! Sequence gaps: the numbers of a counter that were not seen, between two that were.
//!
//! The callbacks of one session carry consecutive numbers, one counter for users and one for streams. No
//! vendor says with which number they start, so a gap lies between two numbers that were seen. As long as
//! there is no gap, two numbers are stored, however many were seen.
//!
//! A session keeps two of them in its `Evidence` (`signs.rs`). Step 4 of the door records the number of
//! each callback, and observations drop gaps that they resolve.
//!
//! This file carries laws 10.1, 10.2, 10.8 and 10.9.

use crate::model::time::Timestamp;

/// How many gaps of one counter are remembered. Beyond that, the lowest are dropped (law 10.9).
const MAX_GAPS: usize = 64;

/// The numbers of one counter that were seen. The stored form calls gaps `holes`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Sequence {
    /// The lowest and the highest number that were seen. `None` as long as none was.
    range: Option<Range>,
    /// The numbers inside the range that were not seen: ascending, and with a number between two gaps.
    #[cfg_attr(feature = "serde", serde(rename = "holes"))]
    gaps: Vec<Gap>,
}

/// From the lowest to the highest number that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Range {
    /// The lowest number that was seen.
    first: u64,
    /// The highest number that was seen.
    last: u64,
    /// The event time of the callback with the first number. A gap that opens below it takes this time.
    first_at: Timestamp,
}

/// Numbers that were not seen, between two that were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Gap {
    /// The first number that is missing.
    pub(crate) from: u64,
    /// The last number that is missing.
    pub(crate) to: u64,
    /// The event time of the callback above the gap. An observation that is no earlier resolves it (law
    /// 16.1).
    pub(crate) told_at: Timestamp,
    /// When it was noticed, in local time (law 10.2).
    #[cfg_attr(feature = "serde", serde(rename = "seen_at"))]
    pub(crate) noticed_at: Timestamp,
    /// Whether the application was told of it (law 10.5).
    pub(crate) reported: bool,
}

/// What recording a number changed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Recorded {
    /// Whether anything is stored that was not.
    pub(crate) is_any: bool,
    /// Whether the gaps changed.
    pub(crate) is_gap: bool,
}

impl Sequence {
    /// Records the number of a callback that is stamped `told_at`. 0 is no number (law 10.1).
    pub(crate) fn record(&mut self, number: u64, told_at: Timestamp, now: Timestamp) -> Recorded {
        if number == 0 {
            return Recorded::default();
        }
        let Some(range) = &mut self.range else {
            self.range = Some(Range { first: number, last: number, first_at: told_at });
            return Recorded { is_any: true, is_gap: false };
        };
        let gap = |from, to, told_at| Gap { from, to, told_at, noticed_at: now, reported: false };
        let is_gap = if number > range.last {
            let is_gap = number - range.last > 1;
            if is_gap {
                self.gaps.push(gap(range.last + 1, number - 1, told_at));
            }
            range.last = number;
            is_gap
        } else if number < range.first {
            let is_gap = range.first - number > 1;
            if is_gap {
                self.gaps.insert(0, gap(number + 1, range.first - 1, range.first_at));
            }
            (range.first, range.first_at) = (number, told_at);
            is_gap
        } else {
            // Inside the range, only a number that was missing is news.
            let is_gap = self.fill(number, told_at);
            return Recorded { is_any: is_gap, is_gap };
        };
        self.cap();
        Recorded { is_any: true, is_gap }
    }

    /// Takes a number that was missing out of its gap, which splits the gap in two (law 10.2). Either part
    /// may be empty. Returns whether the number was missing.
    fn fill(&mut self, number: u64, told_at: Timestamp) -> bool {
        let index = self.gaps.partition_point(|gap| gap.to < number);
        let Some(gap) = self.gaps.get(index).copied().filter(|gap| gap.from <= number) else {
            return false;
        };
        let below = (gap.from < number).then(|| Gap { to: number - 1, told_at, ..gap });
        let above = (number < gap.to).then(|| Gap { from: number + 1, ..gap });
        self.gaps.splice(index..=index, below.into_iter().chain(above));
        self.cap();
        true
    }

    /// Joins what another replica saw: a number is missing if neither saw it. A gap between what one saw
    /// and what the other saw is noticed now (law 10.8).
    pub(crate) fn merge(&mut self, other: &Self, now: Timestamp) {
        let (Some(ours), Some(theirs)) = (self.range, other.range) else {
            if self.range.is_none() {
                *self = other.clone();
            }
            return;
        };
        // What is missing in the joint range is what both lack: intersect what each did not see of it.
        let low = if ours.first <= theirs.first { ours } else { theirs };
        let last = ours.last.max(theirs.last);
        let mut gaps = Vec::new();
        for a in self.unseen(low.first, last) {
            for b in other.unseen(low.first, last) {
                gaps.extend(a.intersection(b, now));
            }
        }
        gaps.sort_unstable_by_key(|gap| gap.from);
        // If both saw the first number, stamped differently, the later time counts.
        let first_at = if ours.first == theirs.first {
            ours.first_at.max(theirs.first_at)
        } else {
            low.first_at
        };
        self.range = Some(Range { first: low.first, last, first_at });
        self.gaps = gaps;
        self.cap();
    }

    /// Returns what was not seen from one number to another: what is below the range, the gaps, and what is
    /// above the range.
    fn unseen(&self, from: u64, to: u64) -> Vec<Unseen> {
        let Some(range) = self.range else { return Vec::new() };
        let mut unseen = Vec::with_capacity(self.gaps.len() + 2);
        if from < range.first {
            let to = range.first - 1;
            unseen.push(Unseen { from, to, told_at: Some(range.first_at), gap: None });
        }
        unseen.extend(self.gaps.iter().map(|gap| Unseen {
            from: gap.from,
            to: gap.to,
            told_at: Some(gap.told_at),
            gap: Some(*gap),
        }));
        if range.last < to {
            unseen.push(Unseen { from: range.last + 1, to, told_at: None, gap: None });
        }
        unseen
    }

    /// Drops the gaps that `keep` does not want to keep.
    pub(crate) fn retain(&mut self, keep: impl FnMut(&Gap) -> bool) {
        self.gaps.retain(keep);
    }

    pub(crate) fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    pub(crate) fn gaps_mut(&mut self) -> &mut [Gap] {
        &mut self.gaps
    }

    /// Pulls local times that lie in the future back to now.
    pub(crate) fn pull_back(&mut self, now: Timestamp) {
        for gap in &mut self.gaps {
            gap.noticed_at = gap.noticed_at.min(now);
        }
    }

    /// Whether callbacks can have made it. For what comes from a store.
    #[cfg(feature = "serde")]
    pub(crate) fn is_possible(&self) -> bool {
        let Some(range) = self.range else { return self.gaps.is_empty() };
        let inside = self
            .gaps
            .iter()
            .all(|gap| range.first < gap.from && gap.from <= gap.to && gap.to < range.last);
        // They ascend, and between two of them lies a number that was seen.
        let apart = self.gaps.is_sorted_by(|a, b| b.from - a.to.min(b.from) > 1);
        range.first > 0
            && range.first <= range.last
            && inside
            && apart
            && self.gaps.len() <= MAX_GAPS
    }

    /// Drops the lowest gaps beyond the cap (law 10.9).
    fn cap(&mut self) {
        let surplus = self.gaps.len().saturating_sub(MAX_GAPS);
        self.gaps.drain(..surplus);
    }
}

/// Numbers that one replica did not see.
#[derive(Debug, Clone, Copy)]
struct Unseen {
    from: u64,
    to: u64,
    /// The event time of the callback with the number above them. `None` if they are above all that was
    /// seen.
    told_at: Option<Timestamp>,
    /// The gap, if they are one. `None` outside the range: the replica cannot know that a number is missing
    /// there.
    gap: Option<Gap>,
}

impl Unseen {
    /// Returns the gap of what neither replica saw. If it is a gap in both, the later notice counts, and it
    /// was told if both told it. If it is a gap in neither, it is noticed now (law 10.8).
    fn intersection(self, other: Self, now: Timestamp) -> Option<Gap> {
        let (from, to) = (self.from.max(other.from), self.to.min(other.to));
        if from > to {
            return None;
        }
        // Only a replica that saw the number above the intersection knows its event time. One of them did,
        // because the joint range ends with a number that was seen.
        let told = |unseen: Self| unseen.told_at.filter(|_| unseen.to == to);
        let told_at = told(self).max(told(other))?;
        let (noticed_at, reported) = match (self.gap, other.gap) {
            (Some(a), Some(b)) => (a.noticed_at.max(b.noticed_at), a.reported && b.reported),
            (Some(gap), None) | (None, Some(gap)) => (gap.noticed_at, gap.reported),
            (None, None) => (now, false),
        };
        Some(Gap { from, to, told_at, noticed_at, reported })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seen(numbers: &[u64]) -> Sequence {
        let mut seen = Sequence::default();
        for number in numbers {
            seen.record(*number, at(*number), at(0));
        }
        seen
    }

    /// Number n is told at n.
    fn at(number: u64) -> Timestamp {
        Timestamp::from_millis(number)
    }

    /// The gaps and the times of the callbacks above them.
    fn gaps(numbers: &Sequence) -> Vec<(u64, u64, Timestamp)> {
        numbers.gaps().iter().map(|gap| (gap.from, gap.to, gap.told_at)).collect()
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
        assert_eq!(gaps(&numbers), [(2, u64::MAX - 2, at(u64::MAX - 1))]);
        assert!(seen(&[0]).range.is_none());
    }

    #[cfg(feature = "serde")]
    #[test]
    fn what_no_numbers_leave_behind_is_impossible() {
        let gap = |from, to| {
            let (told_at, noticed_at) = (at(0), at(0));
            Gap { from, to, told_at, noticed_at, reported: false }
        };
        let of = |first, last, gaps: &[(u64, u64)]| Sequence {
            range: Some(Range { first, last, first_at: at(0) }),
            gaps: gaps.iter().map(|(from, to)| gap(*from, *to)).collect(),
        };
        let many: Vec<_> = (1..).map(|number| (2 * number, 2 * number)).take(MAX_GAPS).collect();
        let last = 2 * MAX_GAPS as u64 + 1;
        let possible = [
            of(1, 1, &[]),
            of(1, 3, &[(2, 2)]),
            of(1, 9, &[(2, 4), (6, 8)]),
            of(3, u64::MAX, &[(4, u64::MAX - 1)]),
            of(1, last, &many),
            Sequence::default(),
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
            Sequence { range: None, gaps: vec![gap(2, 2)] },
        ];
        for numbers in impossible {
            assert!(!numbers.is_possible(), "{numbers:?}");
        }
    }

    #[test]
    fn replicas_that_both_saw_the_last_number_merge() {
        let mut merged = seen(&[1, u64::MAX]);
        merged.merge(&seen(&[2, u64::MAX]), at(50));
        assert_eq!(gaps(&merged), [(3, u64::MAX - 1, at(u64::MAX))]);
    }

    #[test]
    fn a_hole_below_the_first_number_is_told_by_the_callback_that_had_it() {
        // The same number came with two times: the later counts. Of two numbers, the lower one's.
        for (ours, theirs, told_at) in
            [((5, 1), (5, 9), 9), ((5, 1), (6, 9), 1), ((6, 9), (5, 1), 1)]
        {
            let mut merged = Sequence::default();
            merged.record(ours.0, at(ours.1), at(0));
            let mut other = Sequence::default();
            other.record(theirs.0, at(theirs.1), at(0));
            merged.merge(&other, at(0));
            merged.record(3, at(0), at(0));
            assert_eq!(gaps(&merged), [(4, 4, at(told_at))]);
        }
    }

    /// Holds law 10.8.
    #[test]
    fn a_hole_that_both_replicas_see_was_told_where_both_told_it() {
        for (ours, theirs) in [(true, true), (true, false), (false, true), (false, false)] {
            let with = |reported| {
                let mut numbers = seen(&[1, 3]);
                numbers.gaps_mut()[0].reported = reported;
                numbers
            };
            let mut merged = with(ours);
            merged.merge(&with(theirs), at(50));
            assert_eq!(merged.gaps()[0].reported, ours && theirs);
        }
    }

    /// Holds law 10.9.
    #[test]
    fn holes_are_bounded() {
        let numbers: Vec<u64> = (1..1_000).map(|number| number * 2).collect();
        assert_eq!(seen(&numbers).gaps().len(), MAX_GAPS);
    }

    /// Holds law 10.8.
    #[test]
    fn a_hole_between_two_replicas_is_as_old_as_their_merging() {
        let mut merged = seen(&[1]);
        merged.merge(&seen(&[3]), at(50));
        let [gap] = merged.gaps() else { panic!("{merged:?}") };
        assert_eq!((gap.from, gap.to, gap.told_at), (2, 2, at(3)));
        assert_eq!((gap.noticed_at, gap.reported), (at(50), false));
        merged.merge(&seen(&[3]), at(60));
        assert_eq!(merged.gaps()[0].noticed_at, at(50));
    }

    proptest! {
        /// Holds laws 10.1 and 10.2.
        #[test]
        fn the_holes_are_what_is_missing_in_any_order(numbers in prop::collection::vec(0..40_u64, 0..30)) {
            let held = seen(&numbers);
            prop_assert_eq!(gaps(&held), missing(&numbers));
            #[cfg(feature = "serde")]
            prop_assert!(held.is_possible());
        }

        /// Holds law 10.8.
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
            prop_assert_eq!(gaps(&merged), missing(&all));
            let before = merged.clone();
            merged.merge(&seen(&b), at(50));
            prop_assert_eq!(gaps(&merged), gaps(&before));
        }
    }
}
