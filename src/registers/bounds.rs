//! Bounds: what facts must not be below.

use crate::model::time::Timestamp;

/// What a fact of a user or a stream must not be below.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// The latest creation of the room, less the clock skew.
    pub(crate) floor: Timestamp,
    /// When the session closed.
    pub(crate) closed_at: Option<Timestamp>,
}

impl Bounds {
    pub(crate) fn admit(self, at: Timestamp) -> bool {
        at >= self.floor && self.closed_at.is_none_or(|closed_at| at > closed_at)
    }
}
