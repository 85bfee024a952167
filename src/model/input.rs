//! Inputs as values, with the time of their receipt: the entries of a journal.
//!
//! A journal is a list of [`JournalEntry`]s, in the order in which a registry got them. An empty
//! registry of the same configuration replays it into the same state. So does a snapshot with the
//! entries after it. The library keeps no journal: an application writes each entry where it likes,
//! in any serde format, before it hands the entry in.
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

/// One thing that changes the state of a registry, as a value.
///
/// [`import`](crate::RoomRegistry::import) and [`remove`](crate::RoomRegistry::remove) are no
/// inputs, because a room is a state in itself. If you keep a journal, take a snapshot after them.
///
/// # Example
///
/// ```
/// use room_registry::journal::{Answer, Command, Input};
/// use room_registry::{Config, ManualClock, NewRoom, RoomRegistry};
///
/// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
/// let input = Input::from(Command::CreateRoom(NewRoom::new("r1", "tom")));
/// assert_eq!(registry.apply_input(&input)?, Answer::Done);
/// # Ok::<(), room_registry::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Input {
    /// A client of the application asked for something, or the application grants a grace:
    /// [`apply_command`](crate::RoomRegistry::apply_command).
    Command(Command),
    /// The media server sent a callback: [`apply_callback`](crate::RoomRegistry::apply_callback).
    Callback(Callback),
    /// The media server answered a question:
    /// [`apply_observation`](crate::RoomRegistry::apply_observation).
    Observation(Observation),
    /// Time passed, and everything that was due happened: [`expire`](crate::RoomRegistry::expire).
    ///
    /// The bounded steps of [`expire_at_most`](crate::RoomRegistry::expire_at_most) have no entry,
    /// because the order in which they take what is overdue is not part of the state.
    Expire,
}

impl Input {
    /// Returns the room that the input names; `None` if it concerns all rooms.
    ///
    /// ```
    /// use room_registry::journal::{Command, Input};
    /// use room_registry::NewRoom;
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

macro_rules! into_input {
    ($($name:ident),+) => {$(
        impl From<$name> for Input {
            fn from(input: $name) -> Self {
                Self::$name(input)
            }
        }
    )+};
}

into_input!(Command, Callback, Observation);

/// An input with the time of its receipt, as a journal holds it and
/// [`RoomRegistry::replay`](crate::RoomRegistry::replay) takes it.
///
/// Deserialising an entry checks its ids; carrying it out checks the other texts. In JSON an entry
/// is one line:
///
/// ```
/// # #[cfg(feature = "serde")] {
/// use room_registry::journal::JournalEntry;
/// use room_registry::Timestamp;
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
    /// The local time of the receipt.
    pub received_at: Timestamp,
    /// The input.
    pub input: Input,
}

impl JournalEntry {
    /// Makes an entry of an input that came at this local time.
    ///
    /// ```
    /// use room_registry::journal::{Input, JournalEntry};
    /// use room_registry::Timestamp;
    /// let entry = JournalEntry::new(Timestamp::from_secs(1), Input::Expire);
    /// assert_eq!(entry.input, Input::Expire);
    /// ```
    #[must_use]
    pub fn new(received_at: Timestamp, input: impl Into<Input>) -> Self {
        Self { received_at, input: input.into() }
    }
}
