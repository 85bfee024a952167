//! The register of one stream in one session: the facts that no other fact outranks.

use std::sync::Arc;

use crate::model::callback::StreamDetails;
use crate::model::id::StreamSessionId;
use crate::model::time::Timestamp;
use crate::registers::bounds::Bounds;
use crate::registers::facts::{Effect, StreamFact, StreamKey};

/// How many facts one stream may have. More come only from hostile input.
pub(crate) const MAX_FACTS: usize = 16;

/// What is held of one stream in one session.
///
/// A fact goes when another is at least as great in both key and time. Normally one remains, and two
/// if counter and clock disagree.
#[derive(Debug, Clone, Default)]
pub(crate) struct StreamRegister {
    /// Ordered by key, so their times descend.
    pub(crate) facts: Vec<HeldStream>,
    /// When it last changed, in local time.
    pub(crate) changed_at: Timestamp,
}

/// A stream fact that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeldStream {
    pub(crate) counter: u64,
    pub(crate) closed: bool,
    pub(crate) stream_session_id: StreamSessionId,
    /// When it came or went, in event time.
    pub(crate) at: Timestamp,
    /// What it shows; `None` if it is closed. It is shared, so that a copy of what readers saw costs
    /// nothing.
    pub(crate) details: Option<Arc<StreamDetails>>,
}

impl HeldStream {
    pub(crate) fn fact(&self) -> StreamFact<'_> {
        StreamFact { key: self.key(), at: self.at, details: self.details.as_deref() }
    }

    fn key(&self) -> StreamKey<'_> {
        StreamKey {
            counter: self.counter,
            closed: self.closed,
            stream_session_id: &self.stream_session_id,
        }
    }
}

impl StreamRegister {
    pub(crate) fn join(&mut self, fact: &StreamFact<'_>, bounds: Bounds) -> Effect {
        if !bounds.admit(fact.at) {
            return Effect::Beaten;
        }
        for held in &mut self.facts {
            if held.key() < fact.key || held.at < fact.at {
                continue;
            }
            if held.key() > fact.key || held.at > fact.at {
                return Effect::Beaten;
            }
            return match fact.details.cmp(&held.details.as_deref()) {
                std::cmp::Ordering::Less => Effect::Beaten,
                std::cmp::Ordering::Equal => Effect::Same,
                std::cmp::Ordering::Greater => {
                    held.details = fact.details.cloned().map(Arc::new);
                    Effect::Changed
                }
            };
        }
        self.facts.retain(|held| held.key() > fact.key || held.at > fact.at);
        let index = self.facts.partition_point(|held| held.key() < fact.key);
        self.facts.reserve_exact(1); // nearly always the only one
        self.facts.insert(
            index,
            HeldStream {
                counter: fact.key.counter,
                closed: fact.key.closed,
                stream_session_id: fact.key.stream_session_id.clone(),
                at: fact.at,
                details: fact.details.cloned().map(Arc::new),
            },
        );
        if self.facts.len() > MAX_FACTS {
            self.facts.remove(0);
        }
        Effect::Changed
    }

    /// Drops what is below the bounds. Returns whether something went.
    pub(crate) fn prune(&mut self, bounds: Bounds) -> bool {
        let before = self.facts.len();
        self.facts.retain(|held| bounds.admit(held.at));
        before != self.facts.len()
    }

    /// Returns the highest fact, if it is not a closing.
    pub(crate) fn open_fact(&self) -> Option<&HeldStream> {
        self.facts.last().filter(|held| !held.closed)
    }

    /// Returns the latest time of any fact in it.
    pub(crate) fn newest(&self) -> Option<Timestamp> {
        self.facts.iter().map(|held| held.at).max()
    }

    /// Returns the instant that the threshold of forgetting must pass before a stream that is not open
    /// for readers can go.
    pub(crate) fn forgettable_at(&self, is_open: bool) -> Option<Timestamp> {
        (!is_open).then(|| self.newest().unwrap_or_default().max(self.changed_at))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }
}
