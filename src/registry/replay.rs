//! Inputs as values, at the clock's time or at the time of a journal entry. Each variant of [`Input`] calls the
//! method of its name. `room/inputs.rs` does the same for one room.

use crate::model::command::Answer;
use crate::model::error::Error;
use crate::model::input::{Input, JournalEntry};
use crate::registry::RoomRegistry;
use crate::registry::clock::Clock;

impl<C: Clock> RoomRegistry<C> {
    /// Applies whatever came, now. Cost: that of the method that the [`Input`] names, and a copy of a
    /// command.
    ///
    /// # Errors
    ///
    /// Those of the method that the [`Input`] names.
    ///
    /// ```
    /// use room_registry::journal::{Answer, Input};
    /// use room_registry::{Config, ManualClock, RoomRegistry};
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// let answer = registry.apply_input(&Input::Expire)?;
    /// assert!(matches!(answer, Answer::Expired(expired) if expired.steps() == 0));
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    pub fn apply_input(&mut self, input: &Input) -> Result<Answer, Error> {
        match input {
            Input::Command(command) => self.apply_command(command),
            Input::Callback(callback) => Ok(Answer::Outcome(self.apply_callback(callback))),
            Input::Observation(observation) => {
                self.apply_observation(observation).map(Answer::Outcome)
            }
            Input::Expire => Ok(Answer::Expired(self.expire())),
        }
    }

    /// Applies whatever came, at the time at which it came, and does not read the clock. It serves a
    /// journal that is read back, and one that is being written: write the entry, then hand it in.
    ///
    /// Hand all entries of a journal, in their order, to an empty registry of the same configuration.
    /// It then has the state of the registry beside which they were written. The entries since a
    /// snapshot do the same for what `restore_exactly` makes of it. Let no error stop a replay: what
    /// was refused then is refused again, and changes nothing. At the end of the journal, no heartbeat
    /// could arrive for as long as the process was away. So hand in
    /// [`grant_grace`](Self::grant_grace), as an entry of its own.
    ///
    /// Cost: that of [`apply_input`](Self::apply_input).
    ///
    /// # Errors
    ///
    /// Those of the method that the [`Input`] names.
    ///
    /// ```
    /// use room_registry::journal::{Command, Input, JournalEntry};
    /// use room_registry::{Config, ManualClock, NewRoom, RoomRegistry, Timestamp};
    ///
    /// let at = Timestamp::from_secs;
    /// let journal = [
    ///     JournalEntry::new(at(10), Command::CreateRoom(NewRoom::new("r1", "tom"))),
    ///     JournalEntry::new(at(11), Command::CreateRoom(NewRoom::new("r1", "ann"))), // refused
    ///     JournalEntry::new(at(12), Input::Expire),
    /// ];
    /// let clock = ManualClock::at(at(1_000));
    /// let mut registry = RoomRegistry::with_clock(Config::default(), clock);
    /// for entry in &journal {
    ///     let _refused_as_it_was_then = registry.replay(entry);
    /// }
    /// let room = registry.room("r1").unwrap();
    /// assert_eq!(room.host_id().unwrap(), "tom");
    /// assert_eq!(room.info().unwrap().created_at, at(10));
    /// ```
    pub fn replay(&mut self, entry: &JournalEntry) -> Result<Answer, Error> {
        self.replayed_at = Some(entry.received_at);
        let answer = self.apply_input(&entry.input);
        self.replayed_at = None;
        answer
    }
}
