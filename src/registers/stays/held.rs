//! The facts of stays as a register holds them: openings, ordered closings, and closing tombstones.
//!
//! They own what a [`StayFact`] borrows. [`fact`](HeldFact::fact) gives the fact back, for merges. The
//! names of their fields are those of the stored form.
//!
//! This file carries laws 3.6, 3.8, 3.11 and 6.6.

use crate::model::config::Rules;
use crate::model::time::Timestamp;
use crate::registers::bounds::Hiding;
use crate::registers::facts::{Closing, Form, StayEvent, StayFact};
use crate::registers::kind::Kind;

/// A fact that is held: a named opening, or an ordered opening or closing. A named closing is a
/// [`ClosingTombstone`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(bound(
        serialize = "K::StayId: serde::Serialize, K::Details: serde::Serialize",
        deserialize = "K::StayId: serde::Deserialize<'de>, K::Details: serde::Deserialize<'de>"
    ))
)]
pub(crate) struct HeldFact<K: Kind> {
    /// The id of the stay. A named stay has one, and an ordered fact may have one.
    pub(crate) stay_id: Option<K::StayId>,
    /// Whether it is named or ordered.
    pub(crate) form: Form,
    /// The counter of a named stay, or the order of an ordered fact. See [`StayFact::rank`].
    pub(crate) rank: u64,
    /// When the stay opened or closed, in event time.
    pub(crate) at: Timestamp,
    /// Whether it is an opening or a closing.
    pub(crate) state: StayState<K>,
}

/// Whether a fact opens or closes a stay.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[cfg_attr(
    feature = "serde",
    serde(bound(
        serialize = "K::Details: serde::Serialize",
        deserialize = "K::Details: serde::Deserialize<'de>"
    ))
)]
pub(crate) enum StayState<K: Kind> {
    /// With what readers see.
    Open(K::Details),
    /// The flag says whether a command closed it.
    Closed { by_us: bool },
}

/// A closing of a named stay. It is remembered, so that a late opening does not bring the stay back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(bound(
        serialize = "K::StayId: serde::Serialize",
        deserialize = "K::StayId: serde::Deserialize<'de>"
    ))
)]
pub(crate) struct ClosingTombstone<K: Kind> {
    /// The id of the stay.
    pub(crate) stay_id: K::StayId,
    /// Whether the stay excludes others. It is part of its name.
    pub(crate) exclusive: bool,
    /// When the stay closed, as its callback told, in event time.
    pub(crate) at: Timestamp,
    /// Who closed it, and whether its opening time was told.
    pub(crate) closing: Closing,
}

impl<K: Kind> HeldFact<K> {
    /// Returns the fact, as its callback told it.
    pub(crate) fn fact(&self) -> StayFact<'_, K> {
        StayFact {
            stay_id: self.stay_id.as_ref(),
            form: self.form,
            rank: self.rank,
            at: self.at,
            event: self.state.event(),
        }
    }

    /// Returns what readers see of it; `None` if it is a closing.
    pub(crate) fn details(&self) -> Option<&K::Details> {
        match &self.state {
            StayState::Open(details) => Some(details),
            StayState::Closed { .. } => None,
        }
    }

    /// Whether it is an opening.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, StayState::Open(_))
    }

    /// Returns the name of a named stay: its flag and its id (law 3.11). `None` if the fact is ordered.
    #[inline]
    pub(super) fn name(&self) -> Option<(bool, &K::StayId)> {
        match self.form {
            Form::Named { exclusive } => Some((exclusive, self.stay_id.as_ref()?)),
            Form::Ordered => None,
        }
    }

    /// Whether it is a named stay that excludes others.
    #[inline]
    pub(crate) fn is_exclusive(&self) -> bool {
        self.is_named(true)
    }

    /// Whether it is a named stay that excludes others, or one that does not.
    pub(super) fn is_named(&self, exclusive: bool) -> bool {
        self.form == Form::Named { exclusive }
    }

    /// Returns the instant that must be below the threshold before a hidden opening of a named stay can be
    /// forgotten. It is its own time, or that of an end that alone hides it. `None` for what is ordered or
    /// not hidden.
    pub(super) fn hidden_forgettable_at(&self, hiding: Hiding) -> Option<Timestamp> {
        if self.form == Form::Ordered || Some(self.at) >= hiding.shown_from() {
            return None;
        }
        let end = hiding.end.filter(|_| Some(self.at) >= hiding.absent_at);
        Some(end.map_or(self.at, |end| self.at.max(end.ended_at)))
    }

    /// Returns the key of an ordered fact (law 3.8). At equal ranks, a closing is higher (law 3.9).
    #[inline]
    pub(super) fn order_key(&self) -> (u64, bool, Option<&K::StayId>) {
        (self.rank, !self.is_open(), self.stay_id.as_ref())
    }
}

impl<K: Kind> StayState<K> {
    /// Makes what is held of an event.
    pub(super) fn hold(event: StayEvent<'_, K>) -> Self {
        match event {
            StayEvent::Opened(details) => Self::Open(K::hold(details)),
            StayEvent::Closed(closing) => Self::Closed { by_us: closing.by_us },
        }
    }

    /// Returns the event again. What a closing lacks is not held here: it only matters to named stays.
    pub(super) fn event(&self) -> StayEvent<'_, K> {
        match self {
            Self::Open(details) => StayEvent::Opened(K::told(details)),
            Self::Closed { by_us } => {
                StayEvent::Closed(Closing { by_us: *by_us, lacks_opening_time: false })
            }
        }
    }
}

impl<K: Kind> ClosingTombstone<K> {
    /// Returns the fact, as its callback told it. No rank orders closings of named stays.
    pub(crate) fn fact(&self) -> StayFact<'_, K> {
        StayFact {
            stay_id: Some(&self.stay_id),
            form: Form::Named { exclusive: self.exclusive },
            rank: 0,
            at: self.at,
            event: StayEvent::Closed(self.closing),
        }
    }

    /// Returns the name of the stay: its flag and its id (law 3.11).
    pub(super) fn name(&self) -> (bool, &K::StayId) {
        (self.exclusive, &self.stay_id)
    }

    /// Returns the event time by which it counts (law 2.3).
    #[inline]
    pub(super) fn counts_at(&self, rules: &Rules) -> Timestamp {
        self.closing.counts_at(self.at, rules)
    }

    /// Returns the instant that must be below the threshold before it can be forgotten beside an opening that
    /// shows (law 5.5). A closing of our own has the time of its opening, which may be long ago. So it stays as
    /// long as the register, which last changed at `changed_at` (local time), was changed lately.
    #[inline]
    pub(super) fn forgettable_at(&self, changed_at: Timestamp, rules: &Rules) -> Timestamp {
        let counts_at = self.counts_at(rules);
        if self.closing.by_us { counts_at.max(changed_at) } else { counts_at }
    }

    /// Returns what orders two closings of one stay: the greater counts. At equal times that is the media
    /// server's (law 6.6).
    pub(super) fn strength(&self, rules: &Rules) -> (Timestamp, bool, Timestamp) {
        (self.counts_at(rules), !self.closing.by_us, self.at)
    }
}
