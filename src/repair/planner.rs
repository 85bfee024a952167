//! Which rooms to ask the media server about next, under a budget of calls.
//!
//! The planner is pure: it says what to ask, the application asks, and tells it of answers and
//! failures. In order: rooms with holes in their counters; rooms with other signs of a loss; rooms
//! that have been silent since a change that no observation confirmed; and all rooms in turn, the
//! longest unconfirmed first. Every fourth question is of the last kind, so that nobody starves.
//!
//! [`RoomRegistry`](crate::RoomRegistry) has one of its own. An application that keeps rooms in a
//! store has this one, and tells it where its rooms stand.

mod budget;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::config::Config;
use crate::model::id::RoomId;
use crate::model::time::Timestamp;
use crate::repair::planner::budget::Budget;
use crate::room::Room;
use crate::room::state::RoomState;

/// How long an answer is waited for.
const OUTSTANDING_FOR_MS: u64 = 30_000;
/// How long a room is left alone after an answer, and after a first failure.
const PAUSE_MS: u64 = 10_000;
/// The longest pause after failures.
const LONGEST_PAUSE_MS: u64 = 300_000;
/// How long rooms are asked about that are not listed any more.
const UNSEEN_FOR_MS: u64 = 900_000;
/// Every how many questions one is of the rooms in turn.
const TURN_EVERY: u32 = 4;

/// A question for the media server: what is in this room?
///
/// Hand the answer in with [`apply_observation`](crate::RoomRegistry::apply_observation), or tell
/// of a failure with [`question_failed`](crate::RoomRegistry::question_failed).
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Question {
    /// The room.
    pub room_id: RoomId,
    /// Whether to ask for its users.
    pub users: bool,
    /// Whether to ask for its streams.
    pub streams: bool,
    /// Why.
    pub reason: Reason,
}

impl Question {
    /// How many calls it costs: one a list.
    ///
    /// ```
    /// use room_registry::{Planner, RoomId, Standing, Timestamp};
    /// let mut planner = Planner::new(10);
    /// planner.note(&RoomId::new("r1")?, Some(Standing::default()));
    /// let question = planner.next(Timestamp::from_secs(100), |_| None).unwrap();
    /// assert_eq!(question.calls(), 2);
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn calls(&self) -> u32 {
        u32::from(self.users) + u32::from(self.streams)
    }
}

/// Why a room is worth asking about, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Reason {
    /// Numbers of its counters are missing.
    Hole,
    /// Another sign of a lost callback.
    Sign,
    /// Nothing came after a change that no observation confirmed.
    Tail,
    /// It is its turn.
    Turn,
}

impl Reason {
    /// The reason's name, as it is stored and printed.
    ///
    /// ```
    /// # use room_registry::Reason;
    /// assert_eq!(Reason::Turn.name(), "turn");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hole => "hole",
            Self::Sign => "sign",
            Self::Tail => "tail",
            Self::Turn => "turn",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Where a room stands in the eyes of a [`Planner`]; told by
/// [`Room::standing`](crate::Room::standing).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Standing {
    /// From when a hole is worth asking about, in our time.
    pub hole_at: Option<Timestamp>,
    /// From when another sign is worth asking about, in our time.
    pub sign_at: Option<Timestamp>,
    /// From when its silence is worth asking about, in our time.
    pub tail_at: Option<Timestamp>,
    /// Until when observations confirmed both lists, in their time.
    pub confirmed_at: Option<Timestamp>,
    /// Since when it is not listed and nothing was heard of it, in our time.
    pub unseen_since: Option<Timestamp>,
    /// Whether holes and signs concern its users.
    pub users: bool,
    /// Whether holes and signs concern its streams.
    pub streams: bool,
}

impl Standing {
    /// Whether a planner must be told of it. That silence begins later than it did need not be.
    pub(crate) fn differs_from(&self, before: &Self) -> bool {
        let silent = |standing: &Self| standing.tail_at.is_some();
        silent(self) != silent(before)
            || Self { tail_at: None, ..*self } != Self { tail_at: None, ..*before }
    }

    /// The most urgent class that it belongs to from some instant on, but for the last two.
    fn urgent(&self) -> impl Iterator<Item = (Timestamp, Class)> {
        let hole = self.hole_at.map(|at| (at, Class::Hole));
        let sign = self.sign_at.map(|at| (at, Class::Sign));
        hole.into_iter().chain(sign)
    }
}

impl Standing {
    pub(crate) fn of(room: &RoomState, config: &Config) -> Self {
        // An answer tells nothing of what is younger than the clock skew, and a little is added.
        let skew_ms = room.settings.clock_skew_ms.saturating_add(1_000);
        let grace_ms = config.ask_after_ms.max(skew_ms);
        let ask_at = |noticed_at: Option<Timestamp>| noticed_at.map(|at| at.plus(grace_ms));
        let worth = room.worth_asking();
        Self {
            hole_at: ask_at(worth.gap_noticed_at),
            sign_at: ask_at(worth.sign_noticed_at),
            tail_at: room.unconfirmed().map(|changed_at| changed_at.plus(config.quiet_for_ms)),
            confirmed_at: room.confirmed_at(),
            unseen_since: room.unlisted_since(),
            users: worth.users,
            streams: worth.streams,
        }
    }
}

impl Room {
    /// Returns where the room stands in the eyes of a [`Planner`]. Cost: constant.
    ///
    /// ```
    /// use room_registry::{Config, Room, RoomId};
    /// let config = Config::default();
    /// let room = Room::new(RoomId::new("r1")?, &config);
    /// assert_eq!(room.standing(&config).confirmed_at, None);
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn standing(&self, config: &Config) -> Standing {
        Standing::of(self.state(), config)
    }
}

/// The classes whose rooms wait until their evidence is old enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Hole,
    Sign,
}

/// Says what to ask the media server next.
///
/// # Example
///
/// ```
/// use room_registry::{Planner, RoomId, Standing, Timestamp};
///
/// let mut planner = Planner::new(10); // calls a second
/// let room_id = RoomId::new("r1")?;
/// planner.note(&room_id, Some(Standing::default()));
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
    budget: Budget,
    rooms: BTreeMap<RoomId, Known>,
    /// Holes and signs that are too young, by when they are old enough.
    waiting: BTreeSet<(Timestamp, Class, RoomId)>,
    /// Holes and signs, the longest unconfirmed and unasked first.
    holes: BTreeSet<(Option<Timestamp>, RoomId)>,
    signs: BTreeSet<(Option<Timestamp>, RoomId)>,
    /// Silent rooms, the longest silent first.
    tails: BTreeSet<(Timestamp, RoomId)>,
    /// All rooms, the longest unconfirmed and unasked first.
    turns: BTreeSet<(Option<Timestamp>, RoomId)>,
    /// Rooms that are not listed any more, the longest unseen first.
    unseen: BTreeSet<(Timestamp, RoomId)>,
    asked: BTreeMap<RoomId, Asked>,
    questions: u32,
}

/// What is known of a room.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    standing: Standing,
    /// When it was last asked about, in our time.
    asked_at: Option<Timestamp>,
}

impl Known {
    /// What the rooms of a class are ordered by: the longest unconfirmed first. A question counts
    /// like a confirmation, so that a room whose answers confirm nothing lets others have theirs.
    fn turn(&self) -> Option<Timestamp> {
        self.standing.confirmed_at.max(self.asked_at)
    }
}

/// What became of the last question about a room.
#[derive(Debug, Clone, Copy)]
struct Asked {
    /// Until when it is left alone.
    until: Timestamp,
    failures: u32,
}

impl Planner {
    /// A planner with a budget of calls a second, one call being one list. A budget of 1 still asks
    /// for both lists of a room, every two seconds.
    ///
    /// ```
    /// # use room_registry::{Planner, Timestamp};
    /// assert!(Planner::new(10).next(Timestamp::from_secs(1), |_| None).is_none());
    /// ```
    #[must_use]
    pub fn new(calls_per_second: u32) -> Self {
        Self {
            budget: Budget::new(calls_per_second),
            rooms: BTreeMap::new(),
            waiting: BTreeSet::new(),
            holes: BTreeSet::new(),
            signs: BTreeSet::new(),
            tails: BTreeSet::new(),
            turns: BTreeSet::new(),
            unseen: BTreeSet::new(),
            asked: BTreeMap::new(),
            questions: 0,
        }
    }

    /// Takes note of where a room stands now: after each operation on it. `None` where nothing is
    /// held of it any more; it is still asked about for a while, since it may have come back unseen.
    ///
    /// Cost: the logarithm of the rooms.
    ///
    /// ```
    /// # use room_registry::{Planner, RoomId, Standing};
    /// let mut planner = Planner::new(10);
    /// planner.note(&RoomId::new("r1")?, Some(Standing::default()));
    /// assert_eq!(planner.room_count(), 1);
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    pub fn note(&mut self, room_id: &RoomId, standing: Option<Standing>) {
        let before = self.rooms.get(room_id).copied();
        let standing = match (standing, before) {
            (Some(standing), _) => standing,
            (None, None) => return,
            (None, Some(Known { standing: before, .. })) => Standing {
                unseen_since: before.unseen_since,
                confirmed_at: before.confirmed_at,
                ..Standing::default()
            },
        };
        if let Some(before) = before {
            self.remove(room_id, &before);
        }
        let asked_at = before.and_then(|before| before.asked_at);
        self.insert(room_id, Known { standing, asked_at });
    }

    /// The next question, if the budget allows one and there is something worth asking. `standing`
    /// tells where a room stands now, where that may be newer than what was noted (a silence that
    /// ended); `None` where it is as noted.
    ///
    /// A room is not asked about while an answer is outstanding (30 s), for 10 s after an answer,
    /// and for 10 s after a failure, doubled with each further one up to 5 min.
    ///
    /// Cost: the logarithm of the rooms, and the rooms that are left alone just now.
    ///
    /// ```
    /// # use room_registry::{Planner, Reason, RoomId, Standing, Timestamp};
    /// let mut planner = Planner::new(10);
    /// planner.note(&RoomId::new("r1")?, Some(Standing::default()));
    /// let question = planner.next(Timestamp::from_secs(1), |_| None).unwrap();
    /// assert_eq!(question.reason, Reason::Turn);
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    pub fn next(
        &mut self,
        now: Timestamp,
        standing: impl Fn(&RoomId) -> Option<Standing>,
    ) -> Option<Question> {
        self.budget.fill(now);
        while let Some((at, class, room_id)) = self.waiting.pop_first() {
            if at > now {
                self.waiting.insert((at, class, room_id));
                break;
            }
            let turn = self.rooms.get(&room_id).and_then(Known::turn);
            self.ready(class).insert((turn, room_id));
        }
        self.drop_unseen(now);
        let is_turn = (self.questions + 1).is_multiple_of(TURN_EVERY);
        let question = if is_turn { self.turn(now) } else { None };
        let question = question
            .or_else(|| self.urgent(Class::Hole, now))
            .or_else(|| self.urgent(Class::Sign, now))
            .or_else(|| self.tail(now, standing))
            .or_else(|| self.turn(now))?;
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

    /// An answer about a room came.
    ///
    /// ```
    /// # use room_registry::{Planner, RoomId, Standing, Timestamp};
    /// # let mut planner = Planner::new(10);
    /// # planner.note(&RoomId::new("r1")?, Some(Standing::default()));
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

    /// A question about a room failed: it is asked again after a pause.
    ///
    /// ```
    /// # use room_registry::{Planner, RoomId, Standing, Timestamp};
    /// # let mut planner = Planner::new(10);
    /// # planner.note(&RoomId::new("r1")?, Some(Standing::default()));
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

    /// How many rooms it knows, with those that are not listed any more.
    ///
    /// ```
    /// # use room_registry::Planner;
    /// assert_eq!(Planner::new(10).room_count(), 0);
    /// ```
    #[must_use]
    pub fn room_count(&self) -> usize {
        self.rooms.len()
    }

    /// Our clock went back: what was to last until an instant is over.
    pub(crate) fn restart(&mut self) {
        self.asked.clear();
        self.budget.restart();
    }

    fn urgent(&mut self, class: Class, now: Timestamp) -> Option<Question> {
        let ready = match class {
            Class::Hole => &self.holes,
            Class::Sign => &self.signs,
        };
        let (_, room_id) = ready.iter().find(|(_, room_id)| !self.is_left_alone(room_id, now))?;
        let standing = self.rooms.get(room_id).map_or_else(Standing::default, |it| it.standing);
        let both = standing.users == standing.streams;
        Some(Question {
            room_id: room_id.clone(),
            users: both || standing.users,
            streams: both || standing.streams,
            reason: match class {
                Class::Hole => Reason::Hole,
                Class::Sign => Reason::Sign,
            },
        })
    }

    fn tail(
        &mut self,
        now: Timestamp,
        standing: impl Fn(&RoomId) -> Option<Standing>,
    ) -> Option<Question> {
        let mut after = None;
        loop {
            let (at, room_id) = match &after {
                None => self.tails.first()?.clone(),
                Some(passed) => {
                    let after = (std::ops::Bound::Excluded(passed), std::ops::Bound::Unbounded);
                    self.tails.range::<(Timestamp, RoomId), _>(after).next()?.clone()
                }
            };
            if at > now {
                return None;
            }
            if let Some(standing) = standing(&room_id)
                && standing.tail_at != Some(at)
            {
                // Something came since it was noted.
                self.note(&room_id, Some(standing));
                continue;
            }
            if !self.is_left_alone(&room_id, now) {
                return Some(Question {
                    room_id,
                    users: true,
                    streams: true,
                    reason: Reason::Tail,
                });
            }
            after = Some((at, room_id));
        }
    }

    fn turn(&mut self, now: Timestamp) -> Option<Question> {
        let mut turns = self.turns.iter();
        let (_, room_id) = turns.find(|(_, room_id)| !self.is_left_alone(room_id, now))?;
        let room_id = room_id.clone();
        Some(Question { room_id, users: true, streams: true, reason: Reason::Turn })
    }

    fn is_left_alone(&self, room_id: &RoomId, now: Timestamp) -> bool {
        self.asked.get(room_id).is_some_and(|asked| asked.until > now)
    }

    /// Lets rooms go that have not been listed for long.
    fn drop_unseen(&mut self, now: Timestamp) {
        while let Some((since, room_id)) = self.unseen.first()
            && since.plus(UNSEEN_FOR_MS) <= now
        {
            let room_id = room_id.clone();
            if let Some(known) = self.rooms.remove(&room_id) {
                self.remove(&room_id, &known);
            }
            self.asked.remove(&room_id);
        }
    }

    fn insert(&mut self, room_id: &RoomId, known: Known) {
        for (at, class) in known.standing.urgent() {
            self.waiting.insert((at, class, room_id.clone()));
        }
        if let Some(at) = known.standing.tail_at {
            self.tails.insert((at, room_id.clone()));
        }
        if let Some(since) = known.standing.unseen_since {
            self.unseen.insert((since, room_id.clone()));
        }
        self.turns.insert((known.turn(), room_id.clone()));
        self.rooms.insert(room_id.clone(), known);
    }

    fn remove(&mut self, room_id: &RoomId, known: &Known) {
        for (at, class) in known.standing.urgent() {
            self.waiting.remove(&(at, class, room_id.clone()));
            self.ready(class).remove(&(known.turn(), room_id.clone()));
        }
        if let Some(at) = known.standing.tail_at {
            self.tails.remove(&(at, room_id.clone()));
        }
        if let Some(since) = known.standing.unseen_since {
            self.unseen.remove(&(since, room_id.clone()));
        }
        self.turns.remove(&(known.turn(), room_id.clone()));
    }

    fn ready(&mut self, class: Class) -> &mut BTreeSet<(Option<Timestamp>, RoomId)> {
        match class {
            Class::Hole => &mut self.holes,
            Class::Sign => &mut self.signs,
        }
    }
}
