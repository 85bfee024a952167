//! Openings that came too late: a user or stream may be live, and readers do not see it.
//!
//! `room/record.rs` records them when the retention does not let an opening in. They are read as signs of
//! loss, with those of the visible session. The retention forgets them, and observations resolve them.
//!
//! This file carries law 10.11.

use std::collections::BTreeMap;

use crate::model::suspicion::{Sign, SuspectedList};
use crate::model::time::Timestamp;
use crate::registers::signs::SignRef;

/// The latest opening of each list that came too late, kept for R + δ. It does not matter of which session
/// it is, nor whether one is visible.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct RefusedOpenings(BTreeMap<SuspectedList, Refused>);

/// An opening that came too late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Refused {
    /// Its event time. An observation that is no earlier resolves it.
    told_at: Timestamp,
    /// When it arrived, in local time.
    noticed_at: Timestamp,
}

impl RefusedOpenings {
    /// Records an opening that arrived now, if it is later than the one that is held of its list. Returns
    /// whether it is.
    pub(crate) fn record(
        &mut self,
        list: SuspectedList,
        told_at: Timestamp,
        now: Timestamp,
    ) -> bool {
        let is_later = self.0.get(&list).is_none_or(|held| held.told_at < told_at);
        if is_later {
            self.0.insert(list, Refused { told_at, noticed_at: now });
        }
        is_later
    }

    /// Returns each as a sign. It counts as reported at once: it came, so there is nothing to wait for.
    pub(crate) fn signs(&self) -> impl Iterator<Item = SignRef> {
        self.0.iter().map(|(list, refused)| SignRef {
            sign: Sign::RefusedOpening,
            list: *list,
            told_at: refused.told_at,
            noticed_at: refused.noticed_at,
            reported: true,
            missing: None,
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns when the first of them arrived, in local time.
    pub(crate) fn first_noticed_at(&self) -> Option<Timestamp> {
        self.0.values().map(|refused| refused.noticed_at).min()
    }

    /// Returns when the last of them arrived, in local time.
    pub(crate) fn last_noticed_at(&self) -> Option<Timestamp> {
        self.0.values().map(|refused| refused.noticed_at).max()
    }

    /// Drops those that complete lists resolved. The arguments are W of the users and of the streams.
    /// Returns whether any were dropped.
    pub(crate) fn resolve(&mut self, users: Option<Timestamp>, streams: Option<Timestamp>) -> bool {
        self.retain(|list, refused| {
            let until = match list {
                SuspectedList::Users => users,
                SuspectedList::Streams => streams,
                SuspectedList::Room | SuspectedList::Both => users.max(streams),
            };
            Some(refused.told_at) > until
        })
    }

    /// Forgets those that arrived before the threshold. Returns whether there were any.
    pub(crate) fn forget(&mut self, threshold: Timestamp) -> bool {
        self.retain(|_, refused| refused.noticed_at >= threshold)
    }

    fn retain(&mut self, keep: impl Fn(SuspectedList, Refused) -> bool) -> bool {
        let before = self.0.len();
        self.0.retain(|list, refused| keep(*list, *refused));
        self.0.len() != before
    }

    /// Joins those of another replica: the later opening counts. Of two equal ones, the earlier arrival
    /// does.
    pub(crate) fn merge(&mut self, other: Self) {
        for (list, other) in other.0 {
            let held = self.0.entry(list).or_insert(other);
            if held.told_at == other.told_at {
                held.noticed_at = held.noticed_at.min(other.noticed_at);
            } else if held.told_at < other.told_at {
                *held = other;
            }
        }
    }

    /// Pulls local times that lie in the future back to now.
    pub(crate) fn pull_back(&mut self, now: Timestamp) {
        for refused in self.0.values_mut() {
            refused.noticed_at = refused.noticed_at.min(now);
        }
    }
}
