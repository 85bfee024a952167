//! What became of a callback.

use std::fmt;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::callback::{Callback, CallbackEvent};

/// What became of a callback. An expected refusal is a value here, not an error: the vendor is
/// answered "received" whatever the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Outcome {
    /// Something visible changed.
    Applied,
    /// Only what is stored changed: it came before what it belongs to, or is a closing to remember.
    Held,
    /// Its main fact is stored already, exactly so, and nothing changed.
    Duplicate,
    /// Nothing changed, and at least one of its facts was below its bound or beaten by a newer one.
    Stale,
    /// Older than the retention: nothing changed, and a live thing may be missing. Worth asking the
    /// media server about the room.
    TooLate,
    /// Stamped beyond the future guard: nothing changed.
    Refused,
}

impl Outcome {
    /// Every outcome, in the order of the documentation.
    ///
    /// ```
    /// # use room_registry::Outcome;
    /// assert_eq!(Outcome::ALL.len(), 6);
    /// ```
    pub const ALL: [Self; 6] =
        [Self::Applied, Self::Held, Self::Duplicate, Self::Stale, Self::TooLate, Self::Refused];

    /// The outcome's name, as it is counted and stored.
    ///
    /// ```
    /// # use room_registry::Outcome;
    /// assert_eq!(Outcome::TooLate.name(), "too_late");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Held => "held",
            Self::Duplicate => "duplicate",
            Self::Stale => "stale",
            Self::TooLate => "too_late",
            Self::Refused => "refused",
        }
    }

    /// A sentence about the callback that a person on call understands. Prints through `Display`,
    /// without an allocation.
    ///
    /// ```
    /// use room_registry::{Callback, Outcome, RoomClosed, RoomId, SessionId, Timestamp};
    /// let closed = RoomClosed::new(Timestamp::from_secs(9));
    /// let callback = Callback::new(RoomId::new("r1")?, SessionId::new("1")?, closed);
    /// assert_eq!(
    ///     Outcome::Held.explain(&callback).to_string(),
    ///     "held: room r1 (session 1) closed at 9000 ms; nothing to see, remembered so that a \
    ///      late opening brings nothing back",
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
        f.write_str(match self.outcome {
            Outcome::Applied => "applied: ",
            Outcome::Held => "held: ",
            Outcome::Duplicate => "duplicate: ",
            Outcome::Stale => "stale: ",
            Outcome::TooLate => "too late: ",
            Outcome::Refused => "refused: ",
        })?;
        match event {
            CallbackEvent::RoomCreated(event) => {
                write!(f, "room {room_id} (session {session_id}) created at {}", event.created_at)?;
            }
            CallbackEvent::RoomClosed(event) => {
                write!(f, "room {room_id} (session {session_id}) closed at {}", event.closed_at)?;
            }
            CallbackEvent::UserLoggedIn(event) => {
                write!(
                    f,
                    "user {} logged in to room {room_id} at {}",
                    event.user_id, event.login_at
                )?;
            }
            CallbackEvent::UserLoggedOut(event) => {
                write!(
                    f,
                    "user {} logged out of room {room_id} at {}",
                    event.user_id, event.logout_at
                )?;
            }
            CallbackEvent::StreamCreated(event) => {
                write!(
                    f,
                    "stream {} of room {room_id} created at {}",
                    event.stream_id, event.created_at
                )?;
            }
            CallbackEvent::StreamClosed(event) => {
                write!(
                    f,
                    "stream {} of room {room_id} closed at {}",
                    event.stream_id, event.closed_at
                )?;
            }
        }
        f.write_str(match self.outcome {
            Outcome::Applied => "; readers see the difference",
            Outcome::Held if event.is_closing() => {
                "; nothing to see, remembered so that a late opening brings nothing back"
            }
            Outcome::Held => {
                "; nothing to see, kept: it came before what it belongs to, or belongs to what is over"
            }
            Outcome::Duplicate => "; known already, exactly so",
            Outcome::Stale => "; overtaken by something newer",
            Outcome::TooLate => {
                "; older than the retention, so not let in: ask the media server whether it still holds"
            }
            Outcome::Refused => "; stamped too far in the future to be believed",
        })
    }
}

/// How many callbacks had which outcome, since the registry was made or restored.
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
    /// How many callbacks had this outcome.
    ///
    /// ```
    /// # use room_registry::{Outcome, Outcomes};
    /// assert_eq!(Outcomes::default().of(Outcome::Stale), 0);
    /// ```
    #[must_use]
    pub const fn of(&self, outcome: Outcome) -> u64 {
        match outcome {
            Outcome::Applied => self.applied,
            Outcome::Held => self.held,
            Outcome::Duplicate => self.duplicate,
            Outcome::Stale => self.stale,
            Outcome::TooLate => self.too_late,
            Outcome::Refused => self.refused,
        }
    }

    /// How many callbacks there were, saturating.
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

    /// Counts one more: for an application that hands callbacks into single
    /// [`Room`](crate::Room)s. A registry counts by itself.
    ///
    /// ```
    /// # use room_registry::{Outcome, Outcomes};
    /// let mut outcomes = Outcomes::default();
    /// outcomes.count(Outcome::Stale);
    /// assert_eq!((outcomes.of(Outcome::Stale), outcomes.total()), (1, 1));
    /// ```
    pub fn count(&mut self, outcome: Outcome) {
        let counter = match outcome {
            Outcome::Applied => &mut self.applied,
            Outcome::Held => &mut self.held,
            Outcome::Duplicate => &mut self.duplicate,
            Outcome::Stale => &mut self.stale,
            Outcome::TooLate => &mut self.too_late,
            Outcome::Refused => &mut self.refused,
        };
        // What was restored may count as much as it likes.
        *counter = counter.saturating_add(1);
    }
}
