//! Since when a session that readers see is empty, and whether the room left the list because of that.
//!
//! `room/record.rs` notes it after step 6, [`expire`](crate::RoomRegistry::expire) takes the room off the
//! list, and `rules/listing.rs` reads it.
//!
//! This file carries laws 4.10, 4.11, and 7.5 for merges.

use crate::model::time::Timestamp;

/// A session that is visible, or would be in a listed room, is empty. No user who counts is in it, and no
/// stream.
///
/// The order of the fields is the rule of a merge: of two, the greater counts (law 4.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Emptiness {
    /// Since when it is empty, in local time.
    pub(crate) since: Timestamp,
    /// Whether the room left the list for that. It is listed again once a user who counts, or a stream, is
    /// in the session.
    pub(crate) is_unlisted: bool,
}

impl Emptiness {
    pub(crate) fn new(since: Timestamp) -> Self {
        Self { since, is_unlisted: false }
    }

    /// Joins what two replicas know of one session. If it is not empty in one of them, the time begins anew
    /// once it is (law 4.11).
    pub(crate) fn merge(own: Option<Self>, other: Option<Self>) -> Option<Self> {
        Some(own?.max(other?))
    }

    /// Pulls a local time that lies in the future back to now.
    pub(crate) fn pull_back(self, now: Timestamp) -> Self {
        Self { since: self.since.min(now), ..self }
    }
}
