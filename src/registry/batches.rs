//! Many inputs in one call.

use crate::callback::Callback;
use crate::clock::Clock;
use crate::command::Heartbeat;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::registry::RoomRegistry;
use crate::table::Hashed;

/// How many heartbeats wait for memory together.
const TOGETHER: usize = 16;

impl<C: Clock> RoomRegistry<C> {
    /// Many callbacks in one call, in this order, with the outcomes in the same order, in a buffer that
    /// is used again. What each does and costs is as of [`apply_callback`](Self::apply_callback), and
    /// the clock is read once. [`changes`](Self::changes) has what all of them made different.
    ///
    /// ```
    /// use room_registry::{
    ///     Callback, Config, ManualClock, Outcome, RoomClosed, RoomCreated, RoomId, RoomRegistry,
    ///     SessionId, Timestamp,
    /// };
    /// let (room_id, session_id) = (RoomId::new("r1")?, SessionId::new("7")?);
    /// let at = Timestamp::from_secs;
    /// let callbacks = [
    ///     Callback::new(room_id.clone(), session_id.clone(), RoomClosed::new(at(160))),
    ///     Callback::new(room_id, session_id, RoomCreated::new(at(100))),
    /// ];
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::at(at(200)));
    /// let mut outcomes = Vec::new();
    /// registry.apply_callbacks(&callbacks, &mut outcomes);
    /// assert_eq!(outcomes, [Outcome::Held, Outcome::Held]);
    /// assert_eq!(registry.room_count(), 0);
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    pub fn apply_callbacks(&mut self, callbacks: &[Callback], outcomes: &mut Vec<Outcome>) {
        self.begin();
        outcomes.clear();
        outcomes.extend(callbacks.iter().map(|callback| self.apply(callback)));
    }

    /// Many heartbeats in one call, as a gateway that holds connections has them: `(room id, user
    /// id)` each, with the answers in the same order, in a buffer that is used again. What each
    /// does, answers and costs is as of [`heartbeat`](Self::heartbeat); together they wait for
    /// memory at the same time, and not one after the other. [`changes`](Self::changes) has what
    /// all of them made different.
    ///
    /// ```
    /// use room_registry::{Config, Heartbeat, ManualClock, NewRoom, NewUser, RoomRegistry};
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// registry.join_room("r1", NewUser::new("tom"))?;
    /// let mut answers = Vec::new();
    /// registry.heartbeats(&[("r1", "tom"), ("r1", "ann")], &mut answers);
    /// assert_eq!(answers[0], Ok(Heartbeat::Alive));
    /// assert!(answers[1].is_err());
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    pub fn heartbeats(
        &mut self,
        heartbeats: &[(&str, &str)],
        answers: &mut Vec<Result<Heartbeat, Error>>,
    ) {
        self.begin();
        answers.clear();
        for batch in heartbeats.chunks(TOGETHER) {
            let found = self.find_members(batch);
            for ((room_id, user_id), found) in batch.iter().zip(found) {
                answers.push(self.beat_at(room_id, user_id, found));
            }
        }
    }

    /// Where the members of a batch are. Step by step for all of them, and each step short, so that
    /// a processor waits for memory once a step and not once a heartbeat.
    fn find_members(&self, batch: &[(&str, &str)]) -> [Option<(usize, usize)>; TOGETHER] {
        let mut ids = [(Hashed::new(""), Hashed::new("")); TOGETHER];
        for (hashed, (room_id, user_id)) in ids.iter_mut().zip(batch) {
            *hashed = (Hashed::new(*room_id), Hashed::new(*user_id));
        }
        let numbers = ids.map(|(room_id, _)| self.rooms.number_of(&room_id));
        let mut found = [None; TOGETHER];
        for ((found, number), (_, user_id)) in found.iter_mut().zip(numbers).zip(ids) {
            let members = number.and_then(|number| Some(self.rooms.at(number)?.members()));
            *found = number.zip(members.and_then(|members| members.place_of(&user_id)));
        }
        found
    }

    /// A heartbeat of somebody who was found in a place, which may be another's by now.
    fn beat_at(
        &mut self,
        room_id: &str,
        user_id: &str,
        found: Option<(usize, usize)>,
    ) -> Result<Heartbeat, Error> {
        let timeout_ms = self.config.heartbeat_timeout_ms;
        if let Some((number, place)) = found
            && let Some(held) = self.rooms.at_with_id_mut(number, room_id)
            && held.room.members().id_at(place).is_some_and(|held_id| *held_id == *user_id)
            && held.room.is_kept_alive_at(place, self.now, timeout_ms)
        {
            return Ok(Heartbeat::Alive);
        }
        self.beat(room_id, user_id)
    }
}
