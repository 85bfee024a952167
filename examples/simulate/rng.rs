//! Random numbers that are the same on every machine: no floating-point function is asked.

/// `SplitMix64`, by Sebastiano Vigna (public domain).
#[derive(Debug, Clone)]
pub(crate) struct Rng(u64);

/// A probability, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Share(pub u32);

impl Share {
    pub(crate) fn percent(percent: u32) -> Self {
        Self(percent * 10_000)
    }

    /// As a number from 0 to 1.
    pub(crate) fn as_number(self) -> f64 {
        f64::from(self.0) / 1e6
    }
}

impl Rng {
    /// One of many independent sequences of a seed.
    pub(crate) fn new(seed: u64, sequence: u64) -> Self {
        let mut rng = Self(seed ^ sequence.wrapping_mul(0xd134_2543_de82_ef95));
        rng.next();
        rng
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`, or 0.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        // The upper half of a 128-bit product is below the limit.
        u64::try_from((u128::from(self.next()) * u128::from(limit)) >> 64).unwrap_or(0)
    }

    /// A number from `low` up to and with `high`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// An index into something of this length, or 0.
    pub(crate) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    /// True as often as it says.
    pub(crate) fn chance(&mut self, share: Share) -> bool {
        self.below(1_000_000) < u64::from(share.0)
    }

    /// A span of exponential distribution: the pauses between things that happen independently.
    ///
    /// By John von Neumann's method, which compares uniform numbers and computes no logarithm: the
    /// length of a falling run tells whether its first number is taken.
    pub(crate) fn pause(&mut self, mean: u64) -> u64 {
        let mut whole = 0;
        loop {
            let first = self.next();
            let (mut last, mut length) = (first, 1);
            loop {
                let next = self.next();
                if next >= last {
                    break;
                }
                (last, length) = (next, length + 1);
            }
            if length % 2 == 1 {
                let part = (u128::from(first) * u128::from(mean)) >> 64;
                return whole * mean + u64::try_from(part).unwrap_or(0);
            }
            whole += 1;
        }
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            let other = self.index(end + 1);
            items.swap(end, other);
        }
    }
}
