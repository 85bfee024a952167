//! Since when a session that readers see is empty, and whether the room left the list for that.

use crate::model::time::Timestamp;

/// Nobody and nothing is in a session that readers see, or would see if the room were listed. The order
/// is the rule: of two, the greater counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Emptiness {
    /// Since when, in local time.
    pub(crate) since: Timestamp,
    /// Whether that was long enough for the room to leave the list. It is listed again once somebody or
    /// something is in the session.
    pub(crate) is_unlisted: bool,
}

impl Emptiness {
    pub(crate) fn new(since: Timestamp) -> Self {
        Self { since, is_unlisted: false }
    }

    /// Joins what two replicas know of one session. If somebody is in it there, the time begins anew.
    pub(crate) fn merge(own: Option<Self>, other: Option<Self>) -> Option<Self> {
        Some(own?.max(other?))
    }

    /// Pulls a local time that lies in the future back to now.
    pub(crate) fn pull_back(self, now: Timestamp) -> Self {
        Self { since: self.since.min(now), ..self }
    }
}
