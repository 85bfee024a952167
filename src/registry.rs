//! Many rooms: routing, the clock, limits, the order of the list, and what is due when.
//!
//! The rules are [`Room`](crate::Room)'s. A method that changes something calls `begin`, which reads the
//! clock once. It makes a [`Work`], and `take_at` hands that to the room. `update` then brings the indexes up
//! to date, if the room says that it changed. Laws 4.9, 4.12 and 18.10 are about those indexes.

mod batches;
#[cfg(room_registry_check)]
mod check;
pub(crate) mod clock;
mod commands;
mod create;
mod dirty;
mod expiry;
mod index;
mod lookups;
mod orders;
mod pages;
mod prefetch;
mod query;
mod repair;
mod replay;
mod rooms;
mod schedule;
#[cfg(feature = "serde")]
mod snapshot;
mod transfer;
mod users;

pub use pages::RoomPage;
pub use query::RoomQuery;
#[cfg(feature = "serde")]
pub use snapshot::Snapshot;

use crate::model::callback::Callback;
use crate::model::change::Cause;
use crate::model::command::Answer;
use crate::model::config::Config;
use crate::model::error::{Error, id_text};
use crate::model::id::RoomId;
use crate::model::outcome::{Outcome, Outcomes};
use crate::model::time::Timestamp;
use crate::read::RoomRef;
use crate::registry::clock::Clock;
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
use crate::registry::clock::SystemClock;
use crate::registry::index::Index;
use crate::registry::rooms::{HeldRoom, Rooms};
use crate::registry::users::UserIndex;
use crate::room::changes::{Changes, FindRoom};
use crate::room::context::Context;
use crate::room::notes::ChangeLog;
use crate::room::state::RoomState;
use crate::room::work::{CallbackWork, Work, outcome_of};

/// The room list, room user lists and stream lists of one app, kept right from its commands and
/// from the media server's callbacks.
///
/// It does no I/O and starts no thread. It reads its [`Clock`] once in each call that changes
/// something. Every such call overwrites [`changes`](Self::changes).
///
/// The clock is the system's if you give none. On `wasm32-unknown-unknown` there is no such default.
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
pub struct RoomRegistry<
    #[cfg(not(all(target_family = "wasm", target_os = "unknown")))] C = SystemClock,
    #[cfg(all(target_family = "wasm", target_os = "unknown"))] C,
> {
    config: Config,
    clock: C,
    /// The local time of the last call that changes something.
    now: Timestamp,
    /// The local time of the journal entry that is being replayed. It counts instead of the clock's.
    replayed_at: Option<Timestamp>,
    /// The rooms, with the keys of each in the indexes.
    rooms: Rooms,
    /// What is kept of all rooms, so that lists, queries and expiry need not look at each.
    index: Index,
    /// How many callbacks had each outcome.
    outcomes: Outcomes,
    /// The changes of the last call.
    log: ChangeLog,
    /// The rooms whose stored form the last call may have changed. A room may be in it twice.
    dirty: Vec<RoomId>,
    /// In which rooms each user is, with the setting `index_users` (law 18.10).
    users: Option<UserIndex>,
}

#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
impl RoomRegistry {
    /// Makes an empty registry on the system's clock. It is missing on `wasm32-unknown-unknown`, which has
    /// no clock: see [`with_clock`](Self::with_clock).
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
    /// Makes an empty registry on a clock of your own.
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
        let users = config.index_users.then(UserIndex::default);
        Self {
            users,
            config,
            clock,
            now: Timestamp::MIN,
            replayed_at: None,
            rooms: Rooms::default(),
            index,
            outcomes: Outcomes::default(),
            log: ChangeLog::default(),
            dirty: Vec::new(),
        }
    }

    /// Applies a callback from the media server. What is stored and visible does not depend on the order in
    /// which callbacks arrive, or on repeats.
    ///
    /// A callback never causes an error: [`Outcome`] says what can become of it. No limit refuses one.
    ///
    /// Cost: constant, plus the logarithm of the rooms for the order of the list. A session that opens,
    /// closes or switches costs its users.
    ///
    /// ```
    /// use room_registry::event::{RoomClosed, RoomCreated};
    /// use room_registry::{
    ///     Callback, Config, ManualClock, Outcome, RoomId, RoomRegistry, SessionId, Timestamp,
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
        let mut work = Work::Callback(CallbackWork::new(callback));
        let number = self.rooms.number_of(&callback.room_id);
        self.callback(number, &callback.room_id, &mut work)
    }

    /// Hands a callback on, and counts what became of it.
    fn callback(
        &mut self,
        number: Option<usize>,
        room_id: &RoomId,
        work: &mut Work<'_>,
    ) -> Outcome {
        let answer = self.take_or_create(number, room_id, work, Cause::Callback);
        let outcome = outcome_of(answer.expect("no callback is an error"));
        self.outcomes.count(outcome);
        outcome
    }

    /// Returns what the last mutating call changed, in the order in which a [`Mirror`](crate::Mirror)
    /// applies it. The next such call overwrites it, so there is nothing to drain. A call that returned an
    /// error changed nothing, except that a clock that was set back pulls local times back with it.
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

    /// Returns a listed room. Cost: constant.
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

    /// Returns a room that an order of the list names. Orders name listed rooms only, so this does not check:
    /// a check would read the memory of each room on a page.
    fn listed_room(&self, number: usize) -> Option<RoomRef<'_>> {
        let room = self.rooms.at(number)?;
        debug_assert!(room.is_listed(), "{} is in an order of the list", room.id);
        Some(RoomRef::new(room))
    }

    /// Returns the room list, newest first: by (created at, else opened at; id), descending. Iterate from
    /// the back for the oldest first. Cost: the rooms that are read.
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
        self.index.orders().newest_first().filter_map(|number| self.listed_room(number))
    }

    /// Returns how many rooms are listed. Cost: constant.
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

    /// Returns how many users are in the lists of all rooms, not counting those whose roles do not count. A
    /// user who is in two rooms counts twice. Cost: constant.
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

    /// Returns how many streams are in the lists of all rooms. Cost: constant.
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

    /// Returns how many rooms have a visible session. Cost: constant.
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

    /// Returns how many rooms are stored in all, including those that are only remembered and not listed.
    /// Memory grows with this number. Cost: constant.
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

    /// Returns how many callbacks had each outcome. Cost: constant.
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

    /// Returns the settings.
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

    /// Begins a call that changes something: reads the clock, and lets go of what the last call noted. A step
    /// back of up to the clock skew reads as standing still. A larger one is believed, by every room.
    #[inline]
    fn begin(&mut self) {
        self.log.clear();
        self.dirty.clear();
        if let Some(users) = &mut self.users {
            users.begin();
        }
        let now = self.replayed_at.unwrap_or_else(|| self.clock.now()).min(Timestamp::LATEST_NOW);
        if now >= self.now {
            self.now = now;
        } else if self.now.minus(self.config.rules.clock_skew_ms) > now {
            self.set_back(now);
        }
    }

    /// Sets the clock back, of every room.
    #[cold]
    fn set_back(&mut self, now: Timestamp) {
        self.now = now;
        self.index.planner.restart();
        for number in self.rooms.numbers_by_id() {
            let Some(held) = self.rooms.at_mut(number) else { continue };
            let mut cx = Context::new(&self.config, self.now, Cause::Command, &mut self.log);
            held.room.set_clock(&mut cx).expect("a clock is no error");
            self.index.update(number, &held.room, &mut held.keys, &self.config, self.now);
            self.dirty.push(held.room.id.clone());
            self.follow_users(number);
        }
    }

    /// Hands a command to a room, which must be stored.
    fn take(
        &mut self,
        number: Option<usize>,
        room_id: &str,
        work: &mut Work<'_>,
    ) -> Result<Answer, Error> {
        match number {
            Some(number) => self.take_at(number, work, Cause::Command),
            None => Err(Error::RoomNotFound { room_id: id_text(room_id) }),
        }
    }

    /// Hands work to a room that may not be stored yet. A new room is kept only if the work left something in
    /// it.
    fn take_or_create(
        &mut self,
        number: Option<usize>,
        room_id: &RoomId,
        work: &mut Work<'_>,
        cause: Cause,
    ) -> Result<Answer, Error> {
        if let Some(number) = number {
            return self.take_at(number, work, cause);
        }
        let mut held = HeldRoom::new(RoomState::new(room_id.clone(), self.config.rules.clone()));
        let mut cx = Context::new(&self.config, self.now, cause, &mut self.log);
        let answer = held.room.take(work, &mut cx);
        if !held.room.is_forgotten()
            && let Some(number) = self.rooms.insert(held)
        {
            self.update(number);
        }
        answer
    }

    /// Hands work to the room that has this number, and brings the indexes up to date.
    fn take_at(
        &mut self,
        number: usize,
        work: &mut Work<'_>,
        cause: Cause,
    ) -> Result<Answer, Error> {
        self.prefetch_work(number, work);
        let held = self.rooms.at_mut(number).expect("a room has this number");
        let unseen_since = held.room.registers.members.unseen_since();
        let mut cx = Context::new(&self.config, self.now, cause, &mut self.log);
        let answer = held.room.take(work, &mut cx);
        let is_dirty = cx.is_dirty;
        if is_dirty {
            self.update(number);
        } else if held.room.registers.members.unseen_since() != unseen_since {
            // The heartbeat was of the member who would have timed out first.
            let due = held.keys.next(&held.room, &self.config);
            self.index.keep_up(number, due, self.now);
        }
        #[cfg(room_registry_check)]
        if !is_dirty {
            self.check_room(number);
        }
        answer
    }

    /// Brings everything that the registry keeps of a room up to date. A room of which nothing is stored any
    /// more goes, and the last room takes its number.
    fn update(&mut self, number: usize) {
        self.follow_users(number);
        let Some(held) = self.rooms.at_mut(number) else { return };
        let room_id = &held.room.id;
        if self.dirty.last() != Some(room_id) {
            self.dirty.push(room_id.clone());
        }
        if self.index.update(number, &held.room, &mut held.keys, &self.config, self.now) {
            self.rooms.swap_remove(number);
            let last = self.rooms.len();
            if let Some(HeldRoom { room, keys }) = self.rooms.at_mut(number) {
                self.index.renumber(&room.id, keys, last, number);
            }
            self.index.schedule.truncate(last);
        }
        #[cfg(room_registry_check)]
        self.check_room(number);
    }

    /// Brings the index of users up to date with a room that changed.
    pub(super) fn follow_users(&mut self, number: usize) {
        if let (Some(users), Some(room)) = (&mut self.users, self.rooms.at(number)) {
            let seen = users.seen();
            users.follow(room, self.log.since(seen), self.log.len());
        }
    }

    /// Fills the index of users from the rooms. Cost: the users of all rooms.
    #[cfg(feature = "serde")]
    pub(super) fn index_all_users(&mut self) {
        if let Some(users) = &mut self.users {
            for number in 0..self.rooms.len() {
                self.rooms.at(number).into_iter().for_each(|room| users.replace(room));
            }
        }
    }
}

impl FindRoom for Rooms {
    fn find(&self, room_id: &RoomId) -> Option<&RoomState> {
        self.get(room_id.as_str())
    }
}
