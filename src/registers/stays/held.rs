//! The facts of stays as a register holds them.

use crate::model::config::Rules;
use crate::model::time::Timestamp;
use crate::registers::facts::{Closing, Form, StayEvent, StayFact};
use crate::registers::kind::Kind;

/// A fact that is held: a named opening, or an ordered opening or closing.
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
    pub(crate) stay_id: Option<K::StayId>,
    pub(crate) form: Form,
    /// Which of several is shown, or last.
    pub(crate) rank: u64,
    /// When it came or went, in event time.
    pub(crate) at: Timestamp,
    pub(crate) state: StayState<K>,
}

/// Whether a fact shows something.
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
    Open(K::Details),
    Closed { by_us: bool },
}

/// A closing of a named stay that is remembered, so that a late opening does not come back.
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
    pub(crate) stay_id: K::StayId,
    /// Whether the stay excludes others. It is part of its name.
    pub(crate) exclusive: bool,
    /// When it closed, as its callback told.
    pub(crate) at: Timestamp,
    pub(crate) closing: Closing,
}

impl<K: Kind> HeldFact<K> {
    pub(crate) fn fact(&self) -> StayFact<'_, K> {
        StayFact {
            stay_id: self.stay_id.as_ref(),
            form: self.form,
            rank: self.rank,
            at: self.at,
            event: self.state.event(),
        }
    }

    /// Returns what it shows; `None` if it is a closing.
    pub(crate) fn details(&self) -> Option<&K::Details> {
        match &self.state {
            StayState::Open(details) => Some(details),
            StayState::Closed { .. } => None,
        }
    }

    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, StayState::Open(_))
    }

    /// Returns the name of a named stay.
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

    pub(super) fn is_named(&self, exclusive: bool) -> bool {
        self.form == Form::Named { exclusive }
    }

    /// Returns what orders the ordered facts. At equal ranks, closed wins.
    #[inline]
    pub(super) fn key(&self) -> (u64, bool, Option<&K::StayId>) {
        (self.rank, !self.is_open(), self.stay_id.as_ref())
    }
}

impl<K: Kind> StayState<K> {
    pub(super) fn hold(event: StayEvent<'_, K>) -> Self {
        match event {
            StayEvent::Opened(details) => Self::Open(K::hold(details)),
            StayEvent::Closed(closing) => Self::Closed { by_us: closing.by_us },
        }
    }

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
    pub(crate) fn fact(&self) -> StayFact<'_, K> {
        StayFact {
            stay_id: Some(&self.stay_id),
            form: Form::Named { exclusive: self.exclusive },
            rank: 0,
            at: self.at,
            event: StayEvent::Closed(self.closing),
        }
    }

    pub(super) fn name(&self) -> (bool, &K::StayId) {
        (self.exclusive, &self.stay_id)
    }

    #[inline]
    pub(super) fn counts_at(&self, rules: &Rules) -> Timestamp {
        self.closing.counts_at(self.at, rules)
    }

    /// Returns which of two closings of one stay counts. At equal times the media server's does.
    pub(super) fn strength(&self, rules: &Rules) -> (Timestamp, bool, Timestamp) {
        (self.counts_at(rules), !self.closing.by_us, self.at)
    }
}
