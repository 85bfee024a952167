//! Many inputs in one call.

use smallvec::SmallVec;

use crate::collections::id_table::Hashed;
use crate::model::callback::Callback;
use crate::model::command::Heartbeat;
use crate::model::error::Error;
use crate::model::id::UserId;
use crate::model::outcome::Outcome;
use crate::registry::clock::Clock;
use crate::registry::{RoomRegistry, TOGETHER};
use crate::room::state::RoomState;

/// What an input of a batch is about, and where the user stands in the room, likely.
struct About<'a, P> {
    room_id: Hashed<'a, str>,
    user_id: Option<Hashed<'a, str>>,
    place: Option<P>,
}

type Batch<'a, P> = SmallVec<[About<'a, P>; TOGETHER]>;

impl<'a, P> About<'a, P> {
    fn new(room_id: &'a str, user_id: Option<&'a str>) -> Self {
        Self { room_id: Hashed::new(room_id), user_id: user_id.map(Hashed::new), place: None }
    }
}

impl<C: Clock> RoomRegistry<C> {
    /// Many callbacks in one call, in this order, with the outcomes in the same order, in a buffer that
    /// is used again. What each does and costs is as of [`apply_callback`](Self::apply_callback);
    /// together they wait for memory at the same time, and the clock is read once.
    /// [`changes`](Self::changes) has what all of them made different.
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
        let mut batch = Batch::new();
        for callbacks in callbacks.chunks(TOGETHER) {
            batch.clear();
            batch.extend(callbacks.iter().map(|callback| {
                About::new(callback.room_id.as_str(), callback.user_id().map(UserId::as_str))
            }));
            self.fetch(&mut batch, RoomState::likely_user, |room, place| {
                room.fetch_lists();
                room.fetch_user(place);
            });
            let callbacks = callbacks.iter().zip(&batch);
            outcomes
                .extend(callbacks.map(|(callback, about)| self.apply(callback, &about.room_id)));
        }
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
        let mut batch = Batch::new();
        for heartbeats in heartbeats.chunks(TOGETHER) {
            batch.clear();
            let heartbeats = heartbeats.iter();
            batch.extend(heartbeats.map(|(room_id, user_id)| About::new(room_id, Some(user_id))));
            self.fetch(&mut batch, RoomState::likely_member, RoomState::fetch_member);
            answers.extend(batch.iter().filter_map(|About { room_id, user_id, place }| {
                Some(self.beat(room_id, &(*user_id)?.likely_at(*place)))
            }));
        }
    }

    /// Has the memory brought here that a batch is about to look at. Step by step for all of them, and
    /// each step so short that a processor is at the next input while it waits for this one.
    fn fetch<'a, P: Copy>(
        &self,
        batch: &mut [About<'a, P>],
        likely: impl Fn(&RoomState, &Hashed<'a, str>) -> Option<P>,
        fetch: impl Fn(&RoomState, P),
    ) {
        let mut rooms = [None; TOGETHER];
        for (room, about) in rooms.iter_mut().zip(batch.iter_mut()) {
            let number = self.rooms.likely(&about.room_id);
            about.room_id = about.room_id.likely_at(number);
            *room = number.and_then(|number| self.rooms.at(number));
        }
        for room in rooms.into_iter().flatten() {
            room.fetch();
        }
        for (room, about) in rooms.iter().zip(batch.iter_mut()) {
            about.place =
                room.zip(about.user_id.as_ref()).and_then(|(room, user_id)| likely(room, user_id));
        }
        for (room, about) in rooms.iter().zip(batch.iter()) {
            if let Some((room, place)) = room.zip(about.place) {
                fetch(room, place);
            }
        }
    }
}
