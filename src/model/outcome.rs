//! What became of a callback.

use std::fmt;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::callback::{Callback, CallbackEvent};
use crate::model::named::{named_enum, print_name};

named_enum! {
    /// What became of a callback. An expected refusal is a value, not an error: answer the vendor
    /// "received", whatever the outcome.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Outcome {
        /// Something visible changed.
        Applied = "applied",
        /// Only what is stored changed. The callback came before what it belongs to, or is a
        /// closing to remember.
        Held = "held",
        /// Nothing changed, because the same fact is stored already.
        Duplicate = "duplicate",
        /// Nothing changed, because a newer fact or a bound overrules the callback.
        Stale = "stale",
        /// Nothing changed, because the callback is older than the retention. The room may lack
        /// somebody who is there: it is worth asking the media server about it.
        TooLate = "too_late",
        /// Nothing changed, because the callback is stamped beyond the future guard.
        Refused = "refused",
    }

    /// Returns the name of the outcome, as it is counted and stored.
    ///
    /// ```
    /// # use room_registry::Outcome;
    /// assert_eq!(Outcome::TooLate.name(), "too_late");
    /// ```
    fn name(Self);
}

print_name!(Outcome);

impl Outcome {
    /// All outcomes, in the order of the documentation.
    ///
    /// ```
    /// # use room_registry::Outcome;
    /// assert_eq!(Outcome::ALL.len(), 6);
    /// ```
    pub const ALL: [Self; 6] =
        [Self::Applied, Self::Held, Self::Duplicate, Self::Stale, Self::TooLate, Self::Refused];

    /// Returns a sentence that tells a person on call what became of the callback. It prints through
    /// `Display`, without an allocation.
    ///
    /// ```
    /// use room_registry::event::RoomClosed;
    /// use room_registry::{Callback, Outcome, RoomId, SessionId, Timestamp};
    /// let closed = RoomClosed::new(Timestamp::from_secs(9));
    /// let callback = Callback::new(RoomId::new("r1")?, SessionId::new("1")?, closed);
    /// assert_eq!(
    ///     Outcome::Held.explain(&callback).to_string(),
    ///     "held: room r1 (session 1) closed at 1970-01-01T00:00:09.000Z; readers see no difference, but a late \
    ///      opening will bring nothing back",
    /// );
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn explain(self, callback: &Callback) -> Explanation<'_> {
        Explanation { outcome: self, callback }
    }
}

/// A sentence about what became of a callback; see [`Outcome::explain`].
#[derive(Debug, Clone, Copy)]
pub struct Explanation<'a> {
    outcome: Outcome,
    callback: &'a Callback,
}

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Callback { room_id, session_id, event } = self.callback;
        let (outcome, consequence) = match self.outcome {
            Outcome::Applied => ("applied", "readers see the difference"),
            Outcome::Held if event.is_closing() => {
                ("held", "readers see no difference, but a late opening will bring nothing back")
            }
            Outcome::Held => (
                "held",
                "readers see no difference: it arrived before what it belongs to, or after that had ended",
            ),
            Outcome::Duplicate => ("duplicate", "the same fact is stored already"),
            Outcome::Stale => ("stale", "something newer overrules it"),
            Outcome::TooLate => (
                "too late",
                "it is older than the retention: ask the media server whether it still holds",
            ),
            Outcome::Refused => ("refused", "it is stamped too far in the future to be believed"),
        };
        write!(f, "{outcome}: ")?;
        let of_session =
            session_id.as_ref().map(|id| format!(" (session {id})")).unwrap_or_default();
        match event {
            CallbackEvent::RoomCreated(_) => write!(f, "room {room_id}{of_session} created")?,
            CallbackEvent::RoomClosed(_) => write!(f, "room {room_id}{of_session} closed")?,
            CallbackEvent::UserLoggedIn(event) => {
                write!(f, "user {} logged in to room {room_id}", event.user_id)?;
            }
            CallbackEvent::UserLoggedOut(event) => {
                write!(f, "user {} logged out of room {room_id}", event.user_id)?;
            }
            CallbackEvent::StreamCreated(event) => {
                write!(f, "stream {} of room {room_id} created", event.stream_id)?;
            }
            CallbackEvent::StreamClosed(event) => {
                write!(f, "stream {} of room {room_id} closed", event.stream_id)?;
            }
        }
        write!(f, " at {}; {consequence}", event.at())
    }
}

/// How many callbacks had each outcome, since the registry was made or restored.
///
/// # Example
///
/// ```
/// use room_registry::{Config, ManualClock, Outcome, RoomRegistry};
/// let registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
/// assert_eq!(registry.outcomes().of(Outcome::Applied), 0);
/// assert_eq!(registry.outcomes().total(), 0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Outcomes {
    applied: u64,
    held: u64,
    duplicate: u64,
    stale: u64,
    too_late: u64,
    refused: u64,
}

impl Outcomes {
    /// Counts one more callback, for an application that hands callbacks to single [`Room`](crate::Room)s.
    /// A registry counts on its own.
    ///
    /// ```
    /// # use room_registry::{Outcome, Outcomes};
    /// let mut outcomes = Outcomes::default();
    /// outcomes.count(Outcome::Stale);
    /// assert_eq!((outcomes.of(Outcome::Stale), outcomes.total()), (1, 1));
    /// ```
    pub fn count(&mut self, outcome: Outcome) {
        let counter = self.counter(outcome);
        // A counter that was restored from outside may be at its end already.
        *counter = counter.saturating_add(1);
    }

    /// Returns how many callbacks had this outcome.
    ///
    /// ```
    /// # use room_registry::{Outcome, Outcomes};
    /// assert_eq!(Outcomes::default().of(Outcome::Stale), 0);
    /// ```
    #[must_use]
    pub const fn of(&self, outcome: Outcome) -> u64 {
        let mut outcomes = *self;
        *outcomes.counter(outcome)
    }

    /// Returns how many callbacks there were, saturating.
    ///
    /// ```
    /// # use room_registry::Outcomes;
    /// assert_eq!(Outcomes::default().total(), 0);
    /// ```
    #[must_use]
    pub fn total(&self) -> u64 {
        let counts = Outcome::ALL.into_iter().map(|outcome| self.of(outcome));
        counts.fold(0, u64::saturating_add)
    }

    const fn counter(&mut self, outcome: Outcome) -> &mut u64 {
        match outcome {
            Outcome::Applied => &mut self.applied,
            Outcome::Held => &mut self.held,
            Outcome::Duplicate => &mut self.duplicate,
            Outcome::Stale => &mut self.stale,
            Outcome::TooLate => &mut self.too_late,
            Outcome::Refused => &mut self.refused,
        }
    }
}
