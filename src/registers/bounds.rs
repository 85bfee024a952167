//! Bounds: the event times below which facts of users and streams are not stored.
//!
//! A join makes them of C and of the close of a session, and hands them on.
//!
//! This file carries laws 3.2 and 3.3.

use crate::model::time::Timestamp;

/// The bounds of facts of users and streams in one session, in event time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// C less the clock skew (law 3.2). A fact at the floor is stored.
    pub(crate) floor: Timestamp,
    /// When the session closed, if it did (law 3.3). A fact at the close is not stored.
    pub(crate) closed_at: Option<Timestamp>,
}

impl Bounds {
    /// Whether a fact at this event time is stored.
    pub(crate) fn admit(self, at: Timestamp) -> bool {
        at >= self.floor && self.closed_at.is_none_or(|closed_at| at > closed_at)
    }
}

/// What hides openings of a user or stream in a session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hiding {
    /// The absence: the latest complete list that lacks the id, in event time (law 15.3).
    pub(crate) absent_at: Option<Timestamp>,
    /// The end of the room that hides openings of the nameless session (law 21.4).
    pub(crate) end: Option<HidingEnd>,
}

/// An end of the room that hides openings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HidingEnd {
    /// h: it hides openings up to here, in event time.
    pub(crate) until: Timestamp,
    /// When the room ended, in local time.
    pub(crate) ended_at: Timestamp,
}

impl Hiding {
    /// Returns the event time from which openings show.
    #[inline]
    pub(crate) fn shown_from(self) -> Option<Timestamp> {
        self.absent_at.max(self.end.map(|end| end.until.plus(1)))
    }
}
