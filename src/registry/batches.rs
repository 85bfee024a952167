//! Many inputs in one call.

use smallvec::SmallVec;

use crate::callback::Callback;
use crate::clock::Clock;
use crate::command::Heartbeat;
use crate::error::Error;
use crate::id::UserId;
use crate::outcome::Outcome;
use crate::registry::{RoomRegistry, TOGETHER};
use crate::room::state::RoomState;
use crate::table::Hashed;

/// The room and the user that an input is about.
type Ids<'a> = (Hashed<'a, str>, Option<Hashed<'a, str>>);
type BatchIds<'a> = SmallVec<[Ids<'a>; TOGETHER]>;

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
        let mut ids = BatchIds::new();
        for batch in callbacks.chunks(TOGETHER) {
            ids.clear();
            ids.extend(batch.iter().map(|callback| {
                let user_id = callback.user_id().map(UserId::as_str);
                (Hashed::new(callback.room_id.as_str()), user_id.map(Hashed::new))
            }));
            self.fetch(&ids, |room, user_id| room.likely_user(user_id), RoomState::fetch_user);
            outcomes.extend(batch.iter().map(|callback| self.apply(callback)));
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
        let mut ids = BatchIds::new();
        for batch in heartbeats.chunks(TOGETHER) {
            ids.clear();
            let hashed = |(room_id, user_id)| (Hashed::new(room_id), Some(Hashed::new(user_id)));
            ids.extend(batch.iter().copied().map(hashed));
            self.fetch(&ids, |room, user_id| room.likely_member(user_id), RoomState::fetch_member);
            let hashed =
                ids.iter().filter_map(|(room_id, user_id)| user_id.map(|id| (room_id, id)));
            answers.extend(hashed.map(|(room_id, user_id)| self.beat(room_id, &user_id)));
        }
    }

    /// Has the memory brought here that a batch is about to look at. Step by step for all of them, and
    /// each step so short that a processor is at the next input while it waits for this one.
    fn fetch<P: Copy>(
        &self,
        batch: &[Ids<'_>],
        likely: impl Fn(&RoomState, &Hashed<'_, str>) -> Option<P>,
        fetch: impl Fn(&RoomState, P),
    ) {
        let mut rooms = [None; TOGETHER];
        for (room, (room_id, _)) in rooms.iter_mut().zip(batch) {
            *room = self.rooms.likely(room_id);
        }
        for room in rooms.into_iter().flatten() {
            room.fetch();
        }
        let mut places = [None; TOGETHER];
        for ((place, room), (_, user_id)) in places.iter_mut().zip(rooms).zip(batch) {
            *place =
                room.zip(user_id.as_ref()).and_then(|(room, id)| Some((room, likely(room, id)?)));
        }
        for (room, place) in places.into_iter().flatten() {
            fetch(room, place);
        }
    }
}
