//! Repair: says what to ask the media server about (section 17), and takes its answers (sections 12 to 16).
//! The planner itself is in `repair/planner.rs`. The index tells it the status of each room that changed.

use crate::model::change::Cause;
use crate::model::error::Error;
use crate::model::observation::Observation;
use crate::model::outcome::Outcome;
use crate::registry::RoomRegistry;
use crate::registry::clock::Clock;
use crate::repair::question::Question;
use crate::repair::status::RepairStatus;
use crate::room::work::{Work, outcome_of};

impl<C: Clock> RoomRegistry<C> {
    /// Applies what the application saw when it asked the media server, and mends what lost callbacks left
    /// wrong. Whatever is newer than the time of the observation less the clock skew stays as it is. So an
    /// observation may come late or repeatedly, as a callback may. It does not count in
    /// [`outcomes`](Self::outcomes).
    ///
    /// Cost: the room, and the lists of the observation.
    ///
    /// # Errors
    ///
    /// [`Error::ContradictoryObservation`] if it says that the room is not open, but lists users or streams
    /// in it.
    ///
    /// ```
    /// use room_registry::*;
    /// use room_registry::event::*;
    /// let clock = ManualClock::at(Timestamp::from_secs(100));
    /// let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
    /// let created = RoomCreated::new(Timestamp::from_secs(99));
    /// registry.apply_callback(&Callback::new(RoomId::new("r1")?, SessionId::new("7")?, created));
    ///
    /// // The close was lost. The media server, asked later, knows of nobody in the room:
    /// clock.set(Timestamp::from_secs(200));
    /// let observation = Observation::new(RoomId::new("r1")?, Timestamp::from_secs(200)).users([]);
    /// assert_eq!(registry.apply_observation(&observation)?, Outcome::Applied);
    /// assert_eq!(registry.changes().next().unwrap().cause, Cause::Repaired);
    /// assert!(registry.room("r1").is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn apply_observation(&mut self, observation: &Observation) -> Result<Outcome, Error> {
        self.begin();
        let mut work = Work::observation(observation, &self.config.rules)?;
        let number = self.rooms.number_of(&observation.room_id);
        let answer =
            self.take_or_create(number, &observation.room_id, &mut work, Cause::Repaired)?;
        let outcome = outcome_of(answer);
        self.index.planner.answered(observation.room_id.as_str(), self.now);
        Ok(outcome)
    }

    /// Returns what to ask the media server next. It is `None` while nothing is worth asking, or while
    /// the budget of [`repair_calls_per_second`](crate::ConfigBuilder::repair_calls_per_second) is used
    /// up. Call it about as often as the budget allows calls.
    ///
    /// Rooms in which an opening came too late come first. Then come those with sequence gaps, and
    /// those with other signs of loss. Then come quiet rooms, about which nothing has come since a change
    /// that no observation confirmed. Last come all rooms in rotation, the longest unconfirmed first. Every
    /// fourth question is of the last kind. An observation of the room counts as the answer. A room is left
    /// alone while an answer is outstanding (30 s), and for 10 s after one.
    ///
    /// Cost: the logarithm of the rooms, and the rooms that are left alone at that moment.
    ///
    /// ```
    /// use room_registry::*;
    /// let clock = ManualClock::at(Timestamp::from_secs(100));
    /// let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    ///
    /// let question = registry.next_question().unwrap();
    /// assert_eq!((question.room_id.as_str(), question.users, question.streams), ("r1", true, true));
    /// // The application asks the media server's API, and hands the answer in:
    /// let answer = Observation::new(question.room_id, Timestamp::from_secs(100)).users([]).streams([]);
    /// registry.apply_observation(&answer)?;
    /// assert!(registry.next_question().is_none());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn next_question(&mut self) -> Option<Question> {
        self.begin();
        let (rooms, config) = (&self.rooms, &self.config);
        self.index.planner.next(self.now, |room_id| {
            rooms.get(room_id.as_str()).map(|room| RepairStatus::of(room, config))
        })
    }

    /// Reports that the media server could not be asked about a room. The planner asks about it again
    /// after 10 s, and after up to 5 min if further questions fail. Cost: the logarithm of the rooms.
    ///
    /// ```
    /// use room_registry::{Config, ManualClock, NewRoom, RoomRegistry};
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// let question = registry.next_question().unwrap();
    /// registry.question_failed(question.room_id.as_str());
    /// assert!(registry.next_question().is_none());
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    pub fn question_failed(&mut self, room_id: &str) {
        self.begin();
        self.index.planner.failed(room_id, self.now);
    }
}
