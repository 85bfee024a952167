//! What came in, and when: the entries of a journal.
//!
//! A journal is a list of [`JournalEntry`]s in the order in which a registry was given them.
//! Replayed into an empty registry of the same configuration it gives the same state, and a
//! snapshot with the entries since then does too. The library keeps no journal: an application
//! writes each entry where it likes, in any serde format, before it hands it in.
//!
//! ```text
//! live:    input ─▶ JournalEntry (now) ─▶ written ─▶ RoomRegistry::replay ─▶ Answer / Error
//! later:                                  read    ─▶ RoomRegistry::replay
//! ```

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::callback::Callback;
use crate::model::command::Command;
use crate::model::observation::Observation;
use crate::model::time::Timestamp;

/// One thing that a registry is given: all that changes its state, as a value.
///
/// To [`import`](crate::RoomRegistry::import) and to [`remove`](crate::RoomRegistry::remove) a room
/// is no input, as a room is a state in itself: where a journal is kept, take a snapshot after that.
///
/// # Example
///
/// ```
/// use room_registry::{Answer, Command, Config, Input, ManualClock, NewRoom, RoomRegistry};
///
/// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
/// let input = Input::from(Command::CreateRoom(NewRoom::new("r1", "tom")));
/// assert_eq!(registry.apply_input(input)?, Answer::Done);
/// # Ok::<(), room_registry::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Input {
    /// What one of the app's clients asked for, or a grace:
    /// [`apply_command`](crate::RoomRegistry::apply_command).
    Command(Command),
    /// What the media server told: [`apply_callback`](crate::RoomRegistry::apply_callback).
    Callback(Callback),
    /// What the media server answered: [`apply_observation`](crate::RoomRegistry::apply_observation).
    Observation(Observation),
    /// Everything that was due happened: [`expire`](crate::RoomRegistry::expire).
    ///
    /// The bounded steps of [`expire_at_most`](crate::RoomRegistry::expire_at_most) have no entry:
    /// in which order they take what is overdue is not part of the state.
    Expire,
}

impl Input {
    /// The room that it is about, as it was named; `None` where it is about all.
    ///
    /// ```
    /// use room_registry::{Command, Input, NewRoom};
    /// let input = Input::from(Command::CreateRoom(NewRoom::new("r1", "tom")));
    /// assert_eq!(input.room_id(), Some("r1"));
    /// assert_eq!(Input::Expire.room_id(), None);
    /// ```
    #[must_use]
    pub fn room_id(&self) -> Option<&str> {
        match self {
            Self::Command(command) => command.room_id(),
            Self::Callback(callback) => Some(callback.room_id.as_str()),
            Self::Observation(observation) => Some(observation.room_id.as_str()),
            Self::Expire => None,
        }
    }
}

impl From<Command> for Input {
    fn from(command: Command) -> Self {
        Self::Command(command)
    }
}

impl From<Callback> for Input {
    fn from(callback: Callback) -> Self {
        Self::Callback(callback)
    }
}

impl From<Observation> for Input {
    fn from(observation: Observation) -> Self {
        Self::Observation(observation)
    }
}

/// An input with the time of its receipt: what a journal holds, and what
/// [`RoomRegistry::replay`](crate::RoomRegistry::replay) takes.
///
/// Ids in it are checked when it is deserialised, other texts when it is carried out. In JSON an
/// entry is one line:
///
/// ```
/// # #[cfg(feature = "serde")] {
/// use room_registry::{JournalEntry, Timestamp};
///
/// let line = r#"{"received_at":1000,"input":{"command":{"end_room":{"room_id":"r1"}}}}"#;
/// let entry: JournalEntry = serde_json::from_str(line).unwrap();
/// assert_eq!(entry.received_at, Timestamp::from_secs(1));
/// assert_eq!(serde_json::to_string(&entry).unwrap(), line);
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct JournalEntry {
    /// When, in our time.
    pub received_at: Timestamp,
    /// What.
    pub input: Input,
}

impl JournalEntry {
    /// An input that came at this time of ours.
    ///
    /// ```
    /// use room_registry::{Input, JournalEntry, Timestamp};
    /// let entry = JournalEntry::new(Timestamp::from_secs(1), Input::Expire);
    /// assert_eq!(entry.input, Input::Expire);
    /// ```
    #[must_use]
    pub fn new(received_at: Timestamp, input: impl Into<Input>) -> Self {
        Self { received_at, input: input.into() }
    }
}
