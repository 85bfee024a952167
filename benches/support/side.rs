//! Whoever is measured: this crate, or one of those that it is compared with.

use room_registry::{Callback, ManualClock, Outcome, Timestamp};

use super::filled::Registry;
use super::floor::Floor;
use super::obvious::Obvious;

#[expect(clippy::large_enum_variant, reason = "there is one at a time")]
#[derive(Debug)]
pub enum Side {
    Ours(Registry, ManualClock),
    Floor(Floor),
    Obvious(Obvious),
}

impl Side {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ours(..) => "this crate",
            Self::Floor(_) => "floor",
            Self::Obvious(_) => "obvious",
        }
    }

    /// What became of it; the others do not tell.
    pub fn apply(&mut self, callback: &Callback) -> Option<Outcome> {
        match self {
            Self::Ours(registry, _) => return Some(registry.apply_callback(callback)),
            Self::Floor(floor) => floor.apply(callback),
            Self::Obvious(obvious) => obvious.apply(callback),
        }
        None
    }

    /// It is later now.
    pub fn set_time(&mut self, now: Timestamp) {
        if let Self::Ours(_, clock) = self {
            clock.set(now);
        }
    }

    /// It is later now, and what is due happens.
    pub fn pass_time(&mut self, now: Timestamp) {
        self.set_time(now);
        if let Self::Ours(registry, _) = self {
            registry.expire();
        }
    }
}
