//! Many rooms: routing, the clock, limits, the order of the list, and what is due when.
//!
//! The rules are [`Room`](crate::Room)'s. The registry reads the clock, finds the room, hands the
//! input on, and keeps its own indexes up with what came of it.

mod agenda;
mod batches;
pub(crate) mod clock;
mod commands;
mod expiry;
mod index;
mod query;
mod repair;
mod replay;
mod rooms;
#[cfg(feature = "serde")]
mod snapshot;
mod touched;
mod transfer;

pub use query::{RoomPage, RoomQuery};
#[cfg(feature = "serde")]
pub use snapshot::Snapshot;

use crate::collections::id_table::Key;
use crate::model::callback::Callback;
use crate::model::change::{Cause, ChangeLog, Changes, FindRoom};
use crate::model::config::Config;
use crate::model::error::{Error, id_text};
use crate::model::id::RoomId;
use crate::model::outcome::{Outcome, Outcomes};
use crate::model::time::Timestamp;
use crate::read::RoomRef;
use crate::registry::clock::{Clock, SystemClock};
use crate::registry::index::Index;
use crate::registry::rooms::{HeldRoom, Rooms};
use crate::registry::touched::MayTouch;
use crate::room::state::{Context, RoomState};

/// How many rooms or inputs wait for memory together.
const TOGETHER: usize = 16;

/// The room list, room user lists and stream lists of one app, kept right from its commands and
/// from the media server's callbacks.
///
/// It does no I/O and starts no thread. It reads its [`Clock`] once in each call that changes
/// something. Every such call overwrites [`changes`](Self::changes).
///
/// # Example
///
/// ```
/// use room_registry::{Config, Heartbeat, NewRoom, NewUser, RoomRegistry};
///
/// let mut registry = RoomRegistry::new(Config::default());
/// registry.create_room(NewRoom::new("r1", "tom").name("Tom's show"))?;
/// registry.join_room("r1", NewUser::new("tom").name("Tom"))?;
/// assert_eq!(registry.heartbeat("r1", "tom")?, Heartbeat::Alive);
///
/// let room = registry.room("r1").unwrap();
/// assert_eq!(room.name().unwrap(), "Tom's show");
/// assert_eq!(room.user_count(), 1);
/// # Ok::<(), room_registry::Error>(())
/// ```
#[derive(Debug)]
pub struct RoomRegistry<C = SystemClock> {
    config: Config,
    clock: C,
    /// Our time, as of the last call.
    now: Timestamp,
    /// Our time in a replay, which counts instead of the clock's.
    replayed_at: Option<Timestamp>,
    rooms: Rooms,
    index: Index,
    outcomes: Outcomes,
    log: ChangeLog,
    /// Whose stored form the last call made different.
    touched: Vec<RoomId>,
}

impl RoomRegistry {
    /// An empty registry on the system's clock.
    ///
    /// ```
    /// use room_registry::{Config, RoomRegistry};
    /// assert_eq!(RoomRegistry::new(Config::default()).room_count(), 0);
    /// ```
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self::with_clock(config, SystemClock)
    }
}

impl<C: Clock> RoomRegistry<C> {
    /// An empty registry on a clock of your own.
    ///
    /// ```
    /// use room_registry::{Config, ManualClock, RoomRegistry, Timestamp};
    /// let clock = ManualClock::at(Timestamp::from_secs(1_000));
    /// let registry = RoomRegistry::with_clock(Config::default(), clock);
    /// assert_eq!(registry.room_count(), 0);
    /// ```
    #[must_use]
    pub fn with_clock(config: Config, clock: C) -> Self {
        let index = Index::new(&config);
        Self {
            config,
            clock,
            now: Timestamp::MIN,
            replayed_at: None,
            rooms: Rooms::default(),
            index,
            outcomes: Outcomes::default(),
            log: ChangeLog::default(),
            touched: Vec::new(),
        }
    }

    /// Applies a callback of the media server, by the ordering rules: what is held and visible does
    /// not depend on the order in which callbacks arrive, nor on repeats.
    ///
    /// No callback is an error: see [`Outcome`] for what can become of it. No limit refuses one.
    ///
    /// Cost: constant, and the logarithm of the rooms for the order of the list; for a session that
    /// opens, closes or switches, the users of that session.
    ///
    /// ```
    /// use room_registry::{
    ///     Callback, Config, ManualClock, Outcome, RoomClosed, RoomCreated, RoomId, RoomRegistry,
    ///     SessionId, Timestamp,
    /// };
    ///
    /// let clock = ManualClock::at(Timestamp::from_secs(1_000));
    /// let mut registry = RoomRegistry::with_clock(Config::default(), clock);
    /// let (room, session) = (RoomId::new("r1")?, SessionId::new("7")?);
    /// let created = RoomCreated::new(Timestamp::from_secs(990));
    /// let closed = RoomClosed::new(Timestamp::from_secs(999));
    ///
    /// // The close comes first: it is held, and the late create does not bring the room back.
    /// let outcome = registry.apply_callback(&Callback::new(room.clone(), session.clone(), closed));
    /// assert_eq!(outcome, Outcome::Held);
    /// let outcome = registry.apply_callback(&Callback::new(room, session, created));
    /// assert_eq!(outcome, Outcome::Held);
    /// assert!(registry.room("r1").is_none());
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    pub fn apply_callback(&mut self, callback: &Callback) -> Outcome {
        self.begin();
        self.apply(callback, callback.room_id.as_str())
    }

    /// Applies a callback about the room of this key.
    fn apply(&mut self, callback: &Callback, key: &(impl Key + ?Sized)) -> Outcome {
        let number = self.rooms.number_of(key);
        if let Some(number) = number
            && let Some(room) = self.rooms.at(number)
            && !room.likely_outdates(callback, &self.config.fingerprint)
        {
            self.fetch_room(number);
        }
        let outcome =
            self.with_room_at_or_new(number, &callback.room_id, Cause::Callback, |room, cx| {
                room.apply(callback, cx)
            });
        self.outcomes.count(outcome);
        outcome
    }

    /// What the last call that changes something made different, in the order in which a
    /// [`Mirror`](crate::Mirror) applies it. The next such call overwrites it: there is nothing to
    /// drain. A call that answered an error changed nothing, but for what a clock that was set back
    /// pulls back with it.
    ///
    /// Cost: what is read.
    ///
    /// ```
    /// use room_registry::{ChangeKind, Config, ManualClock, NewRoom, NewUser, RoomRegistry};
    ///
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// registry.join_room("r1", NewUser::new("tom"))?;
    /// let mut changes = registry.changes();
    /// assert!(matches!(changes.next().unwrap().kind, ChangeKind::UserJoined(_)));
    /// assert!(changes.next().is_none());
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    #[must_use]
    pub fn changes(&self) -> Changes<'_> {
        Changes::new(&self.log, &self.rooms)
    }

    /// A listed room. Cost: constant.
    ///
    /// ```
    /// use room_registry::{Config, ManualClock, NewRoom, RoomRegistry};
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// assert!(registry.room("r1").is_some());
    /// assert!(registry.room("r2").is_none());
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    #[must_use]
    pub fn room(&self, room_id: &str) -> Option<RoomRef<'_>> {
        let room = self.rooms.get(room_id).filter(|room| room.is_listed())?;
        Some(RoomRef::new(room))
    }

    /// A room that an order of the list names. Orders name listed rooms only: to look would cost a
    /// page a visit to each of its rooms.
    fn listed_room(&self, number: usize) -> Option<RoomRef<'_>> {
        let room = self.rooms.at(number)?;
        debug_assert!(room.is_listed(), "{} is in an order of the list", room.id());
        Some(RoomRef::new(room))
    }

    /// The room list, newest first: by (created at, else opened at; id), descending. Read from the
    /// back for the oldest first. Cost: the rooms that are read.
    ///
    /// ```
    /// use std::time::Duration;
    /// use room_registry::{Config, ManualClock, NewRoom, RoomRegistry};
    ///
    /// let clock = ManualClock::default();
    /// let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
    /// registry.create_room(NewRoom::new("first", "tom"))?;
    /// clock.advance(Duration::from_secs(1));
    /// registry.create_room(NewRoom::new("second", "ann"))?;
    /// let ids: Vec<_> = registry.rooms().map(|room| room.id().as_str()).collect();
    /// assert_eq!(ids, ["second", "first"]);
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    pub fn rooms(&self) -> impl DoubleEndedIterator<Item = RoomRef<'_>> {
        self.index.newest_first().filter_map(|number| self.listed_room(number))
    }

    /// How many rooms are listed. Cost: constant.
    ///
    /// ```
    /// use room_registry::{Config, ManualClock, NewRoom, RoomRegistry};
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// assert_eq!(registry.room_count(), 1);
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    #[must_use]
    pub fn room_count(&self) -> usize {
        self.index.totals().rooms
    }

    /// How many users are in the lists of all rooms; one who is in two rooms counts twice. Cost:
    /// constant.
    ///
    /// ```
    /// use room_registry::{Config, ManualClock, RoomRegistry};
    /// let registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// assert_eq!(registry.user_count(), 0);
    /// ```
    #[must_use]
    pub fn user_count(&self) -> usize {
        self.index.totals().users
    }

    /// How many streams are in the lists of all rooms. Cost: constant.
    ///
    /// ```
    /// use room_registry::{Config, ManualClock, RoomRegistry};
    /// let registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// assert_eq!(registry.stream_count(), 0);
    /// ```
    #[must_use]
    pub fn stream_count(&self) -> usize {
        self.index.totals().streams
    }

    /// How many rooms have a visible session. Cost: constant.
    ///
    /// ```
    /// use room_registry::{Config, ManualClock, RoomRegistry};
    /// let registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// assert_eq!(registry.session_count(), 0);
    /// ```
    #[must_use]
    pub fn session_count(&self) -> usize {
        self.index.totals().sessions
    }

    /// How many rooms are held in all, also those that are not listed and only remembered: what
    /// memory grows with. Cost: constant.
    ///
    /// ```
    /// use room_registry::{Config, ManualClock, NewRoom, RoomRegistry};
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// registry.end_room("r1")?;
    /// assert_eq!((registry.room_count(), registry.held_room_count()), (0, 1));
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    #[must_use]
    pub fn held_room_count(&self) -> usize {
        self.rooms.len()
    }

    /// How many callbacks had which outcome. Cost: constant.
    ///
    /// ```
    /// use room_registry::{Config, ManualClock, RoomRegistry};
    /// let registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// assert_eq!(registry.outcomes().total(), 0);
    /// ```
    #[must_use]
    pub fn outcomes(&self) -> Outcomes {
        self.outcomes
    }

    /// The settings.
    ///
    /// ```
    /// use room_registry::{Config, ManualClock, RoomRegistry};
    /// let registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// assert_eq!(registry.config(), &Config::default());
    /// ```
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Takes note of our time, before a call that changes something. A small step back reads as
    /// standing still; a larger one is believed, by every room.
    fn begin(&mut self) {
        self.log.clear();
        self.touched.clear();
        let now = self.replayed_at.unwrap_or_else(|| self.clock.now());
        if now >= self.now {
            self.now = now;
        } else if self.now.minus(self.config.fingerprint.clock_skew_ms) > now {
            self.now = now;
            self.index.planner.restart();
            self.for_each_room(Cause::ClockSetBack, RoomState::tick);
        }
    }

    /// Works on a room that may not be known yet, and lets it go again where nothing came of it.
    fn with_room_or_new<T: MayTouch>(
        &mut self,
        room_id: &RoomId,
        cause: Cause,
        operation: impl FnOnce(&mut RoomState, &mut Context<'_>) -> T,
    ) -> T {
        self.with_room_at_or_new(self.fetched(room_id), room_id, cause, operation)
    }

    /// The same with the number of the room, which has none where it is not known yet.
    fn with_room_at_or_new<T: MayTouch>(
        &mut self,
        number: Option<usize>,
        room_id: &RoomId,
        cause: Cause,
        operation: impl FnOnce(&mut RoomState, &mut Context<'_>) -> T,
    ) -> T {
        if let Some(number) = number {
            let answer = self.with_room_at(number, cause, operation);
            return answer.expect("the room has this number");
        }
        let mut held = HeldRoom::new(RoomState::new(room_id.clone(), self.config.fingerprint));
        let mut cx = Context::new(&self.config, self.now, cause, &mut self.log);
        let answer = operation(&mut held.room, &mut cx);
        if !held.room.is_forgotten()
            && let Some(number) = self.rooms.insert(held)
            && let Some(held) = self.rooms.at_mut(number)
        {
            self.touched.push(room_id.clone());
            self.index.turn(number, held, &self.config, self.now);
        }
        answer
    }

    /// Works on a room, and lets it go where nothing is left of it.
    fn with_room<T: MayTouch>(
        &mut self,
        room_id: &str,
        cause: Cause,
        operation: impl FnOnce(&mut RoomState, &mut Context<'_>) -> T,
    ) -> Option<T> {
        self.with_room_at(self.fetched(room_id)?, cause, operation)
    }

    fn with_room_at<T: MayTouch>(
        &mut self,
        number: usize,
        cause: Cause,
        operation: impl FnOnce(&mut RoomState, &mut Context<'_>) -> T,
    ) -> Option<T> {
        let held = self.rooms.at_mut(number)?;
        let mut cx = Context::new(&self.config, self.now, cause, &mut self.log);
        let answer = operation(&mut held.room, &mut cx);
        let is_still = !cx.is_moved && answer.is_still();
        let is_forgotten = !is_still && self.index.turn(number, held, &self.config, self.now);
        // Also what changes nothing may find everything too old to be remembered.
        let room_id = held.room.id();
        if (is_forgotten || answer.touches()) && self.touched.last() != Some(room_id) {
            self.touched.push(room_id.clone());
        }
        if is_forgotten {
            self.rooms.swap_remove(number);
            let last = self.rooms.len();
            if let Some(HeldRoom { room, place }) = self.rooms.at_mut(number) {
                self.index.renumber(room.id(), place, last, number);
            }
            self.index.agenda.truncate(last);
        }
        Some(answer)
    }

    /// The number of a room that is about to be changed, with its memory brought here.
    fn fetched(&self, room_id: &(impl Key + ?Sized)) -> Option<usize> {
        self.rooms.number_of(room_id).inspect(|number| self.fetch_room(*number))
    }

    /// Has all memory of a room itself brought here.
    fn fetch_room(&self, number: usize) {
        if let Some(held) = self.rooms.held(number) {
            held.fetch();
            self.index.agenda.fetch(number);
        }
    }

    /// A command on a room that must be listed.
    fn command<T: MayTouch>(
        &mut self,
        room_id: &str,
        operation: impl FnOnce(&mut RoomState, &mut Context<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.begin();
        let operation = |room: &mut RoomState, cx: &mut Context<'_>| {
            room.fetch_lists();
            operation(room, cx)
        };
        self.with_room(room_id, Cause::Command, operation)
            .unwrap_or_else(|| Err(Error::RoomNotFound { room_id: id_text(room_id) }))
    }

    /// Works on every room, by id.
    fn for_each_room(
        &mut self,
        cause: Cause,
        operation: impl Fn(&mut RoomState, &mut Context<'_>),
    ) {
        for number in self.rooms.numbers_by_id() {
            let Some(held) = self.rooms.at_mut(number) else { continue };
            let mut cx = Context::new(&self.config, self.now, cause, &mut self.log);
            operation(&mut held.room, &mut cx);
            self.touched.push(held.room.id().clone());
            self.index.turn(number, held, &self.config, self.now);
        }
    }
}

impl FindRoom for Rooms {
    fn find(&self, room_id: &RoomId) -> Option<&RoomState> {
        self.get(room_id.as_str())
    }
}
