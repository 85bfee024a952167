//! The way from the media server to the application, by the vendor's schedule: each callback is
//! tried up to six times, until the application answers.

use std::ops::Range;

use super::rng::{Rng, Share};

/// How long the vendor waits before each try.
const WAITS: [u64; 6] = [0, 2_000, 4_000, 8_000, 16_000, 32_000];

/// How bad the way is.
#[derive(Debug, Clone)]
pub(crate) struct Roads {
    /// How often a callback never arrives, whatever the vendor tries.
    pub(crate) loss: Share,
    /// How often the answer to one that arrived gets lost, so that it is sent again.
    pub(crate) duplicates: Share,
    /// How often a try fails.
    pub(crate) failures: Share,
    /// How long a try travels: mostly up to the first, sometimes up to the second, in ms.
    pub(crate) travel: (u64, u64),
    /// When the application's receiver is down.
    pub(crate) outage: Range<u64>,
}

#[derive(Debug)]
pub(crate) struct Network {
    roads: Roads,
    rng: Rng,
}

/// How one callback travels.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Journey {
    /// When it arrives: several times, or never.
    pub(crate) arrivals: Vec<u64>,
    /// When it first arrives; of a lost one when it would have, or when the last try failed.
    pub(crate) due_at: u64,
}

impl Network {
    pub(crate) fn new(roads: Roads, seed: u64) -> Self {
        Self { roads, rng: Rng::new(seed, 2) }
    }

    pub(crate) fn send(&mut self, now: u64) -> Journey {
        let is_lost = self.rng.chance(self.roads.loss);
        let mut arrivals = Vec::with_capacity(1);
        let mut sent_at = now;
        let mut last_at = now;
        for (index, wait) in WAITS.into_iter().enumerate() {
            sent_at += wait;
            last_at = sent_at + self.travel();
            // Nothing is lost but what the settings say: the last try meets outages only.
            let fails = index + 1 < WAITS.len() && self.rng.chance(self.roads.failures);
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
