//! Decides which rooms to ask the media server about next, under a budget of calls.
//!
//! The planner is pure. It says what to ask; the application asks, and reports answers and failures. Rooms come
//! in this order (laws 17.1 and 17.2):
//!
//! 1. rooms in which an opening came too late,
//! 2. rooms with sequence gaps,
//! 3. rooms with other signs of loss,
//! 4. quiet rooms: nothing came since a change that no observation confirmed,
//! 5. all rooms in rotation, the longest unconfirmed first.
//!
//! Every fourth question goes to the rotation, so that no room waits for ever.
//!
//! A room stands in several ordered sets, by keys that follow from its [`Known`]. So every change of that goes
//! through `remove` and `insert`, which know all sets. The rest of a question is whom to leave alone (law 17.6).
//!
//! [`RoomRegistry`](crate::RoomRegistry) has a planner of its own, which its index updates. An application that
//! keeps rooms in a store uses one itself, and tells it the repair status of its rooms.

mod budget;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use crate::model::id::RoomId;
use crate::model::suspicion::CanAsk;
use crate::model::time::Timestamp;
use crate::repair::planner::budget::Budget;
use crate::repair::question::{Question, Reason};
use crate::repair::status::RepairStatus;

/// How long a room is left alone while an answer is outstanding (law 17.6).
const OUTSTANDING_FOR_MS: u64 = 30_000;
/// How long a room is left alone after an answer, and after a first failure (law 17.6).
const PAUSE_MS: u64 = 10_000;
/// The longest pause after failures (law 17.6).
const LONGEST_PAUSE_MS: u64 = 300_000;
/// How long a room is still asked about after it left the list (law 17.3).
const UNLISTED_FOR_MS: u64 = 900_000;
/// One question of this number goes to the rotation (law 17.2).
const ROTATION_EVERY: u32 = 4;

/// Decides what to ask the media server next.
///
/// # Example
///
/// ```
/// use room_registry::repair::{Planner, RepairStatus};
/// use room_registry::{RoomId, Timestamp};
///
/// let mut planner = Planner::new(10); // calls a second
/// let room_id = RoomId::new("r1")?;
/// planner.update(&room_id, Some(RepairStatus::default()));
///
/// let now = Timestamp::from_secs(1_000);
/// let question = planner.next(now, |_| None).unwrap();
/// assert_eq!(question.room_id, "r1");
/// assert!(planner.next(now, |_| None).is_none(), "an answer is outstanding");
/// planner.answered("r1", now);
/// # Ok::<(), room_registry::IdError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Planner {
    /// How many calls may be made now (law 17.7).
    budget: Budget,
    /// Which lists the media server can be asked for (law 17.9).
    can_ask: CanAsk,
    /// What is known of each room. Those that left the list stay for a while.
    rooms: BTreeMap<RoomId, Known>,
    /// Rooms whose gaps and signs are too young (law 17.4), by the local time from which they are old enough. A
    /// room is here or in `ready` once for each reason.
    waiting: BTreeSet<(Timestamp, Reason, RoomId)>,
    /// Rooms whose gaps and signs are old enough: the most urgent reason first, then by [`Known::turn`].
    ready: BTreeSet<(Reason, Option<Timestamp>, RoomId)>,
    /// Rooms by the local time from which they count as quiet. Those of the past are quiet now.
    quiet: BTreeSet<(Timestamp, RoomId)>,
    /// All rooms, by [`Known::turn`].
    rotation: BTreeSet<(Option<Timestamp>, RoomId)>,
    /// Rooms that left the list, by the local time since when.
    unlisted: BTreeSet<(Timestamp, RoomId)>,
    /// The last question about each room that was asked about, and what became of it.
    asked: BTreeMap<RoomId, Asked>,
    /// How many questions were asked. It wraps around.
    questions: u32,
}

/// What the planner knows about a room.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    /// As the last update told it. It may be quiet later than that says.
    status: RepairStatus,
    /// The local time of the last question about the room.
    asked_at: Option<Timestamp>,
}

impl Known {
    /// Orders rooms that are equally urgent: the longest unconfirmed goes first (law 17.2). A question counts
    /// like a confirmation, so that a room whose answers confirm nothing lets others have their turn. This
    /// compares an event time with a local time (law 11.5).
    fn turn(&self) -> Option<Timestamp> {
        self.status.confirmed_at.max(self.asked_at)
    }
}

/// What became of the last question about a room.
#[derive(Debug, Clone, Copy)]
struct Asked {
    /// The local time until which the room is left alone.
    until: Timestamp,
    /// How many questions failed since the last answer.
    failures: u32,
}

impl Planner {
    /// Makes a planner with a budget of calls a second. One call asks for one list. A budget of 1
    /// still asks for both lists of a room, every two seconds. 0 asks for nothing.
    ///
    /// ```
    /// # use room_registry::repair::Planner;
    /// # use room_registry::Timestamp;
    /// assert!(Planner::new(10).next(Timestamp::from_secs(1), |_| None).is_none());
    /// ```
    #[must_use]
    pub fn new(calls_per_second: u32) -> Self {
        Self {
            budget: Budget::new(calls_per_second),
            can_ask: CanAsk::Both,
            rooms: BTreeMap::new(),
            waiting: BTreeSet::new(),
            ready: BTreeSet::new(),
            quiet: BTreeSet::new(),
            rotation: BTreeSet::new(),
            unlisted: BTreeSet::new(),
            asked: BTreeMap::new(),
            questions: 0,
        }
    }

    /// Sets which lists can be asked for. Default: both. Questions ask for no other list.
    ///
    /// ```
    /// # use room_registry::repair::{CanAsk, Planner, RepairStatus};
    /// # use room_registry::{RoomId, Timestamp};
    /// let mut planner = Planner::new(10).can_ask(CanAsk::Users);
    /// planner.update(&RoomId::new("r1")?, Some(RepairStatus::default()));
    /// let question = planner.next(Timestamp::from_secs(1), |_| None).unwrap();
    /// assert_eq!((question.users, question.streams), (true, false));
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn can_ask(mut self, can_ask: CanAsk) -> Self {
        self.can_ask = can_ask;
        self
    }

    /// Takes in the repair status of a room. Call it after each operation on the room. `None` means that
    /// the room is forgotten. The planner still asks about it for a while, since it may have come back
    /// without a callback.
    ///
    /// Cost: the logarithm of the rooms.
    ///
    /// ```
    /// # use room_registry::repair::{Planner, RepairStatus};
    /// # use room_registry::RoomId;
    /// let mut planner = Planner::new(10);
    /// planner.update(&RoomId::new("r1")?, Some(RepairStatus::default()));
    /// assert_eq!(planner.room_count(), 1);
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    pub fn update(&mut self, room_id: &RoomId, status: Option<RepairStatus>) {
        let before = self.rooms.get(room_id).copied();
        let status = match (status, before) {
            (Some(status), _) => status,
            (None, None) => return,
            // The room is forgotten. Its time since it left the list goes on.
            (None, Some(Known { status: before, .. })) => RepairStatus {
                unlisted_since: before.unlisted_since,
                confirmed_at: before.confirmed_at,
                ..RepairStatus::default()
            },
        };
        if let Some(before) = before {
            self.remove(room_id, &before);
        }
        let asked_at = before.and_then(|before| before.asked_at);
        self.insert(room_id, Known { status, asked_at });
    }

    /// Returns the next question, if the budget allows one and a room is worth asking about.
    ///
    /// `status_now` returns the current status of a room, which may count as quiet later than the planner
    /// knows. It returns `None` if the planner knows the current status.
    ///
    /// The planner leaves a room alone while an answer is outstanding (30 s), and for 10 s after an
    /// answer. After a failure it waits for 10 s, and twice as long after each further one, up to 5 min.
    ///
    /// Cost: the logarithm of the rooms, and the rooms that are left alone at that moment.
    ///
    /// ```
    /// # use room_registry::repair::{Planner, Reason, RepairStatus};
    /// # use room_registry::{RoomId, Timestamp};
    /// let mut planner = Planner::new(10);
    /// planner.update(&RoomId::new("r1")?, Some(RepairStatus::default()));
    /// let question = planner.next(Timestamp::from_secs(1), |_| None).unwrap();
    /// assert_eq!(question.reason, Reason::Rotation);
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    pub fn next(
        &mut self,
        now: Timestamp,
        status_now: impl Fn(&RoomId) -> Option<RepairStatus>,
    ) -> Option<Question> {
        if self.can_ask == CanAsk::Neither {
            return None;
        }
        self.budget.fill(now);
        self.ripen(now);
        self.drop_unlisted(now);
        let rotates = (self.questions + 1).is_multiple_of(ROTATION_EVERY);
        let question = if rotates { self.next_in_rotation(now) } else { None };
        let question = question
            .or_else(|| self.next_ready(now))
            .or_else(|| self.next_quiet(now, status_now))
            .or_else(|| self.next_in_rotation(now))?;
        if !self.budget.spend(question.calls()) {
            return None;
        }
        self.questions = self.questions.wrapping_add(1);
        let failures = self.asked.get(&question.room_id).map_or(0, |asked| asked.failures);
        let until = now.plus(OUTSTANDING_FOR_MS);
        self.asked.insert(question.room_id.clone(), Asked { until, failures });
        if let Some(known) = self.rooms.get(&question.room_id).copied() {
            self.remove(&question.room_id, &known);
            self.insert(&question.room_id, Known { asked_at: Some(now), ..known });
        }
        Some(question)
    }

    /// Records that an answer about a room came. Cost: the logarithm of the rooms.
    ///
    /// ```
    /// # use room_registry::repair::{Planner, RepairStatus};
    /// # use room_registry::{RoomId, Timestamp};
    /// # let mut planner = Planner::new(10);
    /// # planner.update(&RoomId::new("r1")?, Some(RepairStatus::default()));
    /// planner.next(Timestamp::from_secs(1), |_| None).unwrap();
    /// planner.answered("r1", Timestamp::from_secs(2));
    /// assert!(planner.next(Timestamp::from_secs(11), |_| None).is_none());
    /// assert!(planner.next(Timestamp::from_secs(12), |_| None).is_some());
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    pub fn answered(&mut self, room_id: &str, now: Timestamp) {
        if let Some((room_id, _)) = self.rooms.get_key_value(room_id) {
            let asked = Asked { until: now.plus(PAUSE_MS), failures: 0 };
            self.asked.insert(room_id.clone(), asked);
        }
    }

    /// Records that a question about a room failed. The planner asks again after a pause. Cost: the
    /// logarithm of the rooms.
    ///
    /// ```
    /// # use room_registry::repair::{Planner, RepairStatus};
    /// # use room_registry::{RoomId, Timestamp};
    /// # let mut planner = Planner::new(10);
    /// # planner.update(&RoomId::new("r1")?, Some(RepairStatus::default()));
    /// planner.next(Timestamp::from_secs(1), |_| None).unwrap();
    /// planner.failed("r1", Timestamp::from_secs(2));
    /// assert!(planner.next(Timestamp::from_secs(11), |_| None).is_none());
    /// assert!(planner.next(Timestamp::from_secs(12), |_| None).is_some());
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    pub fn failed(&mut self, room_id: &str, now: Timestamp) {
        if let Some((room_id, _)) = self.rooms.get_key_value(room_id) {
            let failures = self.asked.get(room_id).map_or(0, |asked| asked.failures);
            let pause = PAUSE_MS.saturating_mul(1 << failures.min(16)).min(LONGEST_PAUSE_MS);
            let asked = Asked { until: now.plus(pause), failures: failures.saturating_add(1) };
            self.asked.insert(room_id.clone(), asked);
        }
    }

    /// Returns how many rooms the planner knows, including those that left the list recently.
    ///
    /// ```
    /// # use room_registry::repair::Planner;
    /// assert_eq!(Planner::new(10).room_count(), 0);
    /// ```
    #[must_use]
    pub fn room_count(&self) -> usize {
        self.rooms.len()
    }

    /// Returns what is known of a room.
    #[cfg(room_registry_check)]
    pub(crate) fn status(&self, room_id: &RoomId) -> Option<RepairStatus> {
        self.rooms.get(room_id).map(|known| known.status)
    }

    /// Ends all pauses, because the local clock went back and would stretch them.
    pub(crate) fn restart(&mut self) {
        self.asked.clear();
        self.budget.restart();
    }

    /// Makes rooms ready whose gaps and signs are old enough now.
    fn ripen(&mut self, now: Timestamp) {
        while let Some((at, reason, room_id)) = self.waiting.pop_first() {
            if at > now {
                self.waiting.insert((at, reason, room_id));
                return;
            }
            let turn = self.rooms.get(&room_id).and_then(Known::turn);
            self.ready.insert((reason, turn, room_id));
        }
    }

    /// Forgets rooms that left the list long ago (law 17.3).
    fn drop_unlisted(&mut self, now: Timestamp) {
        while let Some((since, room_id)) = self.unlisted.first()
            && since.plus(UNLISTED_FOR_MS) <= now
        {
            let room_id = room_id.clone();
            if let Some(known) = self.rooms.remove(&room_id) {
                self.remove(&room_id, &known);
            }
            self.asked.remove(&room_id);
        }
    }

    /// Returns a question about the first room whose gaps or signs are old enough, and that is not left alone.
    fn next_ready(&self, now: Timestamp) -> Option<Question> {
        let mut ready = self.ready.iter();
        ready.find_map(|(reason, _, room_id)| {
            let Known { status, .. } = self.rooms.get(room_id)?;
            // If both lists are in doubt, or none in particular, both are asked for (law 17.5).
            let both = status.users == status.streams;
            let (users, streams) = (both || status.users, both || status.streams);
            let question = self.question(room_id.clone(), users, streams, *reason);
            (question.calls() > 0 && !self.is_left_alone(room_id, now)).then_some(question)
        })
    }

    /// Returns a question about the room that has been quiet for longest, and that is not left alone. If its
    /// quiet began later than the planner knows, that is noted, and the next room is looked at.
    fn next_quiet(
        &mut self,
        now: Timestamp,
        status_now: impl Fn(&RoomId) -> Option<RepairStatus>,
    ) -> Option<Question> {
        let mut passed = Bound::Unbounded;
        loop {
            let rest = (passed.as_ref(), Bound::Unbounded);
            let (at, room_id) = self.quiet.range(rest).next()?.clone();
            if at > now {
                return None;
            }
            if let Some(status) = status_now(&room_id)
                && status.quiet_at != Some(at)
            {
                // Something came since the room was noted, so its quiet began later.
                self.update(&room_id, Some(status));
            } else if self.is_left_alone(&room_id, now) {
                passed = Bound::Excluded((at, room_id));
            } else {
                return Some(self.question(room_id, true, true, Reason::Quiet));
            }
        }
    }

    /// Returns a question about the room whose turn it is, and that is not left alone.
    fn next_in_rotation(&self, now: Timestamp) -> Option<Question> {
        let mut rooms = self.rotation.iter();
        let (_, room_id) = rooms.find(|(_, room_id)| !self.is_left_alone(room_id, now))?;
        Some(self.question(room_id.clone(), true, true, Reason::Rotation))
    }

    /// Asks for these lists of a room, as far as they can be asked for.
    fn question(&self, room_id: RoomId, users: bool, streams: bool, reason: Reason) -> Question {
        let (users, streams) = (users && self.can_ask.users(), streams && self.can_ask.streams());
        Question { room_id, users, streams, reason }
    }

    /// Whether the pause after the last question about a room goes on (law 17.6).
    fn is_left_alone(&self, room_id: &RoomId, now: Timestamp) -> bool {
        self.asked.get(room_id).is_some_and(|asked| asked.until > now)
    }

    /// Puts a room into every set in which it belongs. Its gaps and signs wait again, until the next question.
    fn insert(&mut self, room_id: &RoomId, known: Known) {
        for (at, reason) in known.status.urgent() {
            self.waiting.insert((at, reason, room_id.clone()));
        }
        if let Some(at) = known.status.quiet_at {
            self.quiet.insert((at, room_id.clone()));
        }
        if let Some(since) = known.status.unlisted_since {
            self.unlisted.insert((since, room_id.clone()));
        }
        self.rotation.insert((known.turn(), room_id.clone()));
        self.rooms.insert(room_id.clone(), known);
    }

    /// Takes a room out of every set, by the keys that follow from what was known of it.
    fn remove(&mut self, room_id: &RoomId, known: &Known) {
        for (at, reason) in known.status.urgent() {
            self.waiting.remove(&(at, reason, room_id.clone()));
            self.ready.remove(&(reason, known.turn(), room_id.clone()));
        }
        if let Some(at) = known.status.quiet_at {
            self.quiet.remove(&(at, room_id.clone()));
        }
        if let Some(since) = known.status.unlisted_since {
            self.unlisted.remove(&(since, room_id.clone()));
        }
        self.rotation.remove(&(known.turn(), room_id.clone()));
    }
}
