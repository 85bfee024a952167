//! What is simulated.

use std::time::Duration;

use room_registry::{Config, ConfigError};

use super::network::Roads;
use super::repair::Api;
use super::rng::Share;
use super::server::Manners;

/// 2025-11-20, 19:00 UTC, in unix milliseconds.
pub(crate) const START: u64 = 1_763_665_200_000;

/// Everything that decides what happens: the same settings lead to the same result.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) seed: u64,
    /// After how many callbacks nothing happens any more.
    pub(crate) events: u64,
    pub(crate) manners: Manners,
    pub(crate) roads: Roads,
    pub(crate) api: Api,
    pub(crate) config: Config,
    /// How often due work is done and the planner asked, in ms.
    pub(crate) tick: u64,
    /// How much later than it would otherwise the end comes, in ms.
    pub(crate) patience: u64,
}

/// What the command line says of it.
#[derive(Debug, Clone)]
pub(crate) struct Wishes {
    pub(crate) rooms: usize,
    pub(crate) events: u64,
    pub(crate) loss: Share,
    pub(crate) duplicates: Share,
    /// In ms.
    pub(crate) outage: u64,
    /// In ms.
    pub(crate) skew: u64,
    /// Calls a second.
    pub(crate) budget: u32,
    pub(crate) seed: u64,
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            rooms: 1_000,
            events: 200_000,
            loss: Share::percent(1),
            duplicates: Share::percent(2),
            outage: 0,
            skew: 50,
            budget: 10,
            seed: 1,
        }
    }
}

/// The average time between two changes of a room.
const CHANGE_EVERY: u64 = 17_000;

impl Settings {
    /// The crate's configuration is its default one, with two exceptions. Rooms are listed while a session
    /// runs, also if they are empty. If the clocks differ by more than usual, the tie window is twice the
    /// skew.
    pub(crate) fn new(wishes: &Wishes) -> Result<Self, ConfigError> {
        let ties = Duration::from_millis(wishes.skew.saturating_mul(2));
        let usual = Config::default();
        let config = Config::builder()
            .tie_window(usual.tie_window().max(ties))
            .clock_skew(usual.clock_skew().max(ties))
            .repair_calls_per_second(wishes.budget)
            .empty_listing_time(None) // the truth lists a room while its session runs
            .build()?;
        let roads = Roads {
            loss: wishes.loss,
            duplicates: wishes.duplicates,
            failures: Share::percent(2),
            travel: (235, 2_000),
            outage: outage(wishes),
        };
        Ok(Self {
            seed: wishes.seed,
            events: wishes.events,
            manners: Manners {
                rooms: wishes.rooms,
                change_every: CHANGE_EVERY,
                skew: wishes.skew,
                ..Manners::default()
            },
            roads,
            api: Api {
                latency: (60, 140),
                failures: Share::percent(1),
                partial: Share::default(),
                names_sessions: false,
            },
            config,
            tick: 100,
            patience: 0,
        })
    }

    /// How long the planner needs, with all of its budget, to ask about all rooms once. It asks when the
    /// last changes are old enough for an answer to tell of them, which takes a clock skew. Then it makes
    /// two calls for each room.
    pub(crate) fn round(&self) -> u64 {
        let calls = 2_000 * self.manners.rooms as u64;
        let skew = u64::try_from(self.config.clock_skew().as_millis()).unwrap_or(u64::MAX);
        match self.config.repair_calls_per_second() {
            0 => 0,
            budget => skew + calls.div_ceil(u64::from(budget)),
        }
    }
}

/// In the middle.
fn outage(wishes: &Wishes) -> std::ops::Range<u64> {
    let span = wishes.events.saturating_mul(CHANGE_EVERY) / wishes.rooms as u64;
    let begin = START.saturating_add(span / 2);
    begin..begin.saturating_add(wishes.outage)
}
