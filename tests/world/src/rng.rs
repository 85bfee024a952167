//! Draws random numbers that are the same on every machine and with every version of every dependency.
//!
//! Seeds stand in fixtures, regressions and published figures, so what follows from a seed must never
//! change. That is why there are two ways to draw from the one generator.

/// A generator of random numbers: `SplitMix64`, by Sebastiano Vigna (public domain).
///
/// Limits are met by remainders, which is good enough for small ones.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// Starts the sequence of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Draws any number.
    #[expect(clippy::should_implement_trait, reason = "it never ends, so it needs no `Option`")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Draws a number below `limit`, or 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    /// Is true `percent` times in a hundred.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// Puts items into any order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, usize::try_from(self.below(end as u64 + 1)).expect("an index"));
        }
    }
}

/// A probability, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share(pub u32);

impl Share {
    /// Counts in hundredths.
    pub fn percent(percent: u32) -> Self {
        Self(percent * 10_000)
    }

    /// Answers a number from 0 to 1.
    pub fn as_number(self) -> f64 {
        f64::from(self.0) / 1e6
    }
}

/// Draws evenly, whatever the limit, from one of many independent sequences of a seed.
#[derive(Debug, Clone)]
pub struct Dice(Rng);

impl Dice {
    /// Starts one of the independent sequences of a seed.
    pub fn new(seed: u64, sequence: u64) -> Self {
        let mut rng = Rng(seed ^ sequence.wrapping_mul(0xd134_2543_de82_ef95));
        rng.next();
        Self(rng)
    }

    /// Draws a number below `limit`, or 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        // The upper half of a 128-bit product is below the limit.
        u64::try_from((u128::from(self.0.next()) * u128::from(limit)) >> 64).unwrap_or(0)
    }

    /// Draws a number from `low` up to and with `high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// Draws an index into something of this length, or 0.
    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    /// Is true as often as the share says.
    pub fn chance(&mut self, share: Share) -> bool {
        self.below(1_000_000) < u64::from(share.0)
    }

    /// Draws a span of exponential distribution: a pause between things that happen independently.
    ///
    /// John von Neumann's method compares uniform numbers and computes no logarithm, so every machine draws
    /// the same. The length of a falling run tells whether its first number is taken.
    pub fn pause(&mut self, mean: u64) -> u64 {
        let mut whole = 0;
        loop {
            let first = self.0.next();
            let (mut last, mut length) = (first, 1);
            loop {
                let next = self.0.next();
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

    /// Puts items into any order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            let other = self.index(end + 1);
            items.swap(end, other);
        }
    }
}
