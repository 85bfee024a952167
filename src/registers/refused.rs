//! Openings that came too late: somebody or something may be there that readers do not see.

use crate::model::suspicion::{Sign, SuspectedList};
use crate::model::time::Timestamp;
use crate::registers::signs::SignRef;

/// The latest opening of each list that came too late, for the retention. It is kept whatever session it
/// is of, also if none is visible.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct RefusedOpenings {
    room: Option<Refused>,
    users: Option<Refused>,
    streams: Option<Refused>,
}

/// An opening that came too late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Refused {
    /// Its event time: an observation made no earlier resolves it.
    told_at: Timestamp,
    /// When it came, in local time.
    noticed_at: Timestamp,
}

impl RefusedOpenings {
    /// Keeps an opening if it is later than the one that is held.
    pub(crate) fn record(
        &mut self,
        list: SuspectedList,
        told_at: Timestamp,
        now: Timestamp,
    ) -> bool {
        let Some(held) = self.of(list) else { return false };
        let is_later = held.is_none_or(|held| held.told_at < told_at);
        if is_later {
            *held = Some(Refused { told_at, noticed_at: now });
        }
        is_later
    }

    fn of(&mut self, list: SuspectedList) -> Option<&mut Option<Refused>> {
        match list {
            SuspectedList::Room => Some(&mut self.room),
            SuspectedList::Users => Some(&mut self.users),
            SuspectedList::Streams => Some(&mut self.streams),
            SuspectedList::Both => None,
        }
    }

    fn all(self) -> [(SuspectedList, Option<Refused>); 3] {
        [
            (SuspectedList::Room, self.room),
            (SuspectedList::Users, self.users),
            (SuspectedList::Streams, self.streams),
        ]
    }

    /// Returns each as a sign. It is reported at once, because it waits for nothing that is merely late.
    pub(crate) fn signs(self) -> impl Iterator<Item = SignRef> {
        self.all().into_iter().filter_map(|(list, refused)| {
            let Refused { told_at, noticed_at } = refused?;
            let sign = Sign::RefusedOpening;
            Some(SignRef { sign, list, told_at, noticed_at, reported: true, missing: None })
        })
    }

    pub(crate) fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// Returns when the first of them came, in local time.
    pub(crate) fn first_noticed_at(self) -> Option<Timestamp> {
        self.signs().map(|sign| sign.noticed_at).min()
    }

    /// Returns when the last of them came, in local time.
    pub(crate) fn last_noticed_at(self) -> Option<Timestamp> {
        self.signs().map(|sign| sign.noticed_at).max()
    }

    fn retain(&mut self, keep: impl Fn(SuspectedList, Refused) -> bool) -> bool {
        let before = *self;
        for (list, refused) in before.all() {
            if let (Some(held), Some(refused)) = (self.of(list), refused)
                && !keep(list, refused)
            {
                *held = None;
            }
        }
        before != *self
    }

    /// Drops those that an observation of the users or the streams resolved. Returns whether there were
    /// any.
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

    /// Forgets those that came before a threshold. Returns whether there were any.
    pub(crate) fn forget(&mut self, threshold: Timestamp) -> bool {
        self.retain(|_, refused| refused.noticed_at >= threshold)
    }

    /// Keeps the later of each, of two replicas.
    pub(crate) fn merge(&mut self, other: Self) {
        for (list, refused) in other.all() {
            let (Some(held), Some(other)) = (self.of(list), refused) else { continue };
            *held = Some(match *held {
                Some(held) if held.told_at > other.told_at => held,
                Some(held) if held.told_at == other.told_at => {
                    Refused { noticed_at: held.noticed_at.min(other.noticed_at), ..held }
                }
                _ => other,
            });
        }
    }

    /// Pulls local times that lie in the future back to now.
    pub(crate) fn pull_back(&mut self, now: Timestamp) {
        for list in [SuspectedList::Room, SuspectedList::Users, SuspectedList::Streams] {
            if let Some(Some(held)) = self.of(list) {
                held.noticed_at = held.noticed_at.min(now);
            }
        }
    }
}
