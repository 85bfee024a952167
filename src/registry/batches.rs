//! Many inputs in one call. It gives the same as one call for each. But the clock is read once, and the
//! changes of all of them stay. It is faster, because the memory of several inputs comes together.

use smallvec::SmallVec;

use crate::collections::hashed::{Hashed, HashedId};
use crate::model::callback::Callback;
use crate::model::command::{Heartbeat, UserConnection};
use crate::model::error::Error;
use crate::model::outcome::Outcome;
use crate::registry::RoomRegistry;
use crate::registry::clock::Clock;
use crate::registry::prefetch::BATCH_LEN;
use crate::room::work::{CallbackWork, Work};

impl<C: Clock> RoomRegistry<C> {
    /// Applies many callbacks in one call, in this order. The outcomes come in the same order, in a
    /// buffer that is used again. Each does and costs what it does in
    /// [`apply_callback`](Self::apply_callback). Together they wait for memory at the same time, and
    /// read the clock once. [`changes`](Self::changes) has what all of them made different.
    ///
    /// ```
    /// use room_registry::event::{RoomClosed, RoomCreated};
    /// use room_registry::{
    ///     Callback, Config, ManualClock, Outcome, RoomId, RoomRegistry, SessionId, Timestamp,
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
        for callbacks in callbacks.chunks(BATCH_LEN) {
            let batch: SmallVec<[_; BATCH_LEN]> = callbacks
                .iter()
                .map(|callback| {
                    let work = Work::Callback(CallbackWork::new(callback));
                    (HashedId::borrowed(&callback.room_id), work)
                })
                .collect();
            self.prefetch_callbacks(batch.iter().map(|(room_id, work)| (room_id, work)));
            for ((room_id, mut work), callback) in batch.into_iter().zip(callbacks) {
                let number = self.rooms.number_of(&room_id);
                outcomes.push(self.callback(number, &callback.room_id, &mut work));
            }
        }
    }

    /// Takes many heartbeats in one call, as a gateway that holds connections has them. Each is a
    /// `(room id, user)`, or `(room id, (user, connection))`. The answers come in the same order, in a buffer
    /// that is used again. Each does, answers and costs what it does in [`heartbeat`](Self::heartbeat).
    /// Together they wait for memory at the same time, and not one after the other.
    /// [`changes`](Self::changes) has what all of them made different.
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
    pub fn heartbeats<'u>(
        &mut self,
        heartbeats: &[(&str, impl Into<UserConnection<'u>> + Copy)],
        answers: &mut Vec<Result<Heartbeat, Error>>,
    ) {
        self.begin();
        answers.clear();
        for heartbeats in heartbeats.chunks(BATCH_LEN) {
            let batch: SmallVec<[_; BATCH_LEN]> = heartbeats
                .iter()
                .map(|(room_id, user)| {
                    let UserConnection { user_id, connection_id } = (*user).into();
                    (Hashed::new(*room_id), Hashed::new(user_id), connection_id)
                })
                .collect();
            self.prefetch_heartbeats(batch.iter().map(|(room_id, user_id, _)| (room_id, user_id)));
            for (room_id, user_id, connection_id) in batch {
                answers.push(self.beat(room_id, user_id, connection_id, None));
            }
        }
    }
}
