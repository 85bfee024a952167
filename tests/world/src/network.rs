//! Carries callbacks from the media server to the application, by the vendor's schedule. Each callback is
//! tried up to six times, until the application answers.
//!
//! On the way callbacks overtake each other, come again because an answer got lost, or never come.

use std::ops::Range;

use super::rng::{Dice, Share};

/// How long the vendor waits before each further try, in ms.
pub const RETRIES: [u64; 5] = [2_000, 4_000, 8_000, 16_000, 32_000];

/// How bad the way is.
#[derive(Debug, Clone)]
pub struct Roads {
    /// How often a callback never arrives, whatever the vendor tries.
    pub loss: Share,
    /// How often the answer to one that arrived gets lost, so that it is sent again.
    pub duplicates: Share,
    /// How often a try fails.
    pub failures: Share,
    /// How long a try travels: mostly up to the first, sometimes up to the second, in ms.
    pub travel: (u64, u64),
    /// When the application's receiver is down.
    pub outage: Range<u64>,
}

/// Carries callbacks.
#[derive(Debug)]
pub struct Network {
    roads: Roads,
    rng: Dice,
}

/// How one callback travels.
#[derive(Debug, PartialEq, Eq)]
pub struct Journey {
    /// When it arrives: several times, or never.
    pub arrivals: Vec<u64>,
    /// When it first arrives; of a lost one when it would have, or when the last try failed.
    pub due_at: u64,
}

impl Network {
    /// Builds the roads of a seed.
    pub fn new(roads: Roads, seed: u64) -> Self {
        Self { roads, rng: Dice::new(seed, 2) }
    }

    /// Answers how the next callback travels that is sent now.
    pub fn send(&mut self, now: u64) -> Journey {
        let is_lost = self.rng.chance(self.roads.loss);
        let mut arrivals = Vec::with_capacity(1);
        let mut sent_at = now;
        let mut last_at = now;
        for retry in 0..=RETRIES.len() {
            sent_at += retry.checked_sub(1).map_or(0, |before| RETRIES[before]);
            last_at = sent_at + self.travel();
            // Nothing is lost but what the settings say: the last try meets outages only.
            let fails = retry < RETRIES.len() && self.rng.chance(self.roads.failures);
            if fails || self.roads.outage.contains(&last_at) {
                continue;
            }
            arrivals.push(last_at);
            if !self.rng.chance(self.roads.duplicates) {
                break;
            }
        }
        let due_at = arrivals.iter().min().copied().unwrap_or(last_at);
        if is_lost {
            arrivals.clear();
        }
        Journey { arrivals, due_at }
    }

    fn travel(&mut self) -> u64 {
        let (mostly, sometimes) = self.roads.travel;
        let limit = if self.rng.chance(Share::percent(80)) { mostly } else { sometimes };
        15 + self.rng.below(limit)
    }
}
