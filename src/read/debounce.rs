//! Changes, without those who go and are back at once (section 20 of the rules). An application hands in the
//! changes of a registry or a room.
//!
//! Departures wait in a queue, by when their grace is over. What waits for whom is found by room and subject.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::change::{Change, ChangeKind};
use crate::model::id::{RoomId, StreamId, UserId};
use crate::model::time::{Timestamp, millis};

/// Holds back the departure of users and streams for a grace, and drops it if they are back by then.
///
/// A phone that changes networks leaves and joins within seconds, and a room full of phones flickers.
/// Announcements ("Ann left") should not. Hand in every change in order, with the local time of its
/// call. What comes out is what to announce, and a [`Mirror`](crate::Mirror) can apply it.
///
/// A departure whose [`EndReason`](crate::EndReason) is deliberate is passed on at once. Any other waits
/// for the grace. If the user or stream is back before it is over, nobody hears of the departure. The
/// arrival is passed on as an update, since a user who comes back has another login. Section 20 of
/// [`guide::rules`](crate::guide::rules) has the laws.
///
/// The departures that wait are not stored. After a restart, start a new `Debounce` beside a new mirror.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use room_registry::event::{LogoutReason, RoomCreated, UserLoggedIn, UserLoggedOut};
/// use room_registry::*;
///
/// let clock = ManualClock::at(Timestamp::from_secs(1_000));
/// let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
/// let mut debounce = Debounce::new(Duration::from_secs(10));
/// let mut tell = |secs, event: event::CallbackEvent| -> Result<Vec<&'static str>, Error> {
///     let now = Timestamp::from_secs(secs);
///     clock.set(now);
///     let callback = Callback::new(RoomId::new("r1")?, SessionId::new("7")?, event);
///     registry.apply_callback(&callback);
///     let passed = registry.changes().flat_map(|change| debounce.apply(change, now));
///     Ok(passed.map(|change| change.kind.name()).collect())
/// };
/// let ann = UserId::new("ann")?;
/// let at = Timestamp::from_secs;
/// let login = |life, secs| {
///     UserLoggedIn::new(ann.clone(), at(secs)).user_session_id(UserSessionId::new(life).unwrap())
/// };
/// tell(1_000, RoomCreated::new(at(1_000)).into())?;
/// assert_eq!(tell(1_001, login("1", 1_001).into())?, ["user_joined"]);
///
/// let mut lost = UserLoggedOut::new(ann.clone(), at(1_060)).user_session_id(UserSessionId::new("1")?);
/// lost.reason = Some(LogoutReason::ConnectionLost);
/// assert_eq!(tell(1_060, lost.into())?, [""; 0]);
/// assert_eq!(tell(1_062, login("2", 1_062).into())?, ["user_updated"]);
///
/// let mut left = UserLoggedOut::new(ann.clone(), at(1_090)).user_session_id(UserSessionId::new("2")?);
/// left.reason = Some(LogoutReason::Normal);
/// assert_eq!(tell(1_090, left.into())?, ["user_left"]);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Debounce {
    /// How long a departure waits, in milliseconds.
    grace_ms: u64,
    /// The local time of the last call.
    clock: Timestamp,
    /// How many departures have waited so far. It numbers them, so that those of one time keep their order.
    count: u64,
    /// Whose departures wait, and where in the queue. The queue has the same entries.
    waiting: BTreeMap<RoomId, BTreeMap<Subject, QueueKey>>,
    /// The departures that wait, the first to be due first.
    queue: BTreeMap<QueueKey, Change>,
}

/// Where a departure stands in the queue: when its grace is over (local time), and its number.
type QueueKey = (Timestamp, u64);

/// Who or what departed from a room.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    User(UserId),
    Stream(StreamId),
}

impl Debounce {
    /// How many departures may wait at a time. Beyond that, the one that has waited longest is passed on.
    pub const MAX_WAITING: usize = 65_536;

    /// Makes a `Debounce` that waits for this long. Spans count in whole milliseconds. With zero it passes
    /// on every change as it is.
    ///
    /// ```
    /// # use room_registry::Debounce;
    /// # use std::time::Duration;
    /// assert_eq!(Debounce::new(Duration::from_secs(10)).next_due(), None);
    /// ```
    #[must_use]
    pub fn new(grace: Duration) -> Self {
        Self {
            grace_ms: millis(grace),
            clock: Timestamp::MIN,
            count: 0,
            waiting: BTreeMap::new(),
            queue: BTreeMap::new(),
        }
    }

    /// Takes a change with the local time of its call, and returns what to pass on, in order: first
    /// what is due by then.
    ///
    /// Cost: the logarithm of those who wait, and what is passed on.
    ///
    /// ```
    /// use room_registry::{Config, Debounce, ManualClock, NewRoom, RoomRegistry, Timestamp};
    /// use std::time::Duration;
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// let mut debounce = Debounce::new(Duration::from_secs(10));
    /// for change in registry.changes() {
    ///     assert_eq!(debounce.apply(change.clone(), Timestamp::MIN), [change]);
    /// }
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    pub fn apply(&mut self, change: Change, now: Timestamp) -> Vec<Change> {
        let mut passed = self.take_due(now);
        let room_id = change.room_id.clone();
        match change.kind {
            ChangeKind::UserLeft { ref user_id, ref reason, .. } => {
                let (subject, waits) = (Subject::User(user_id.clone()), !reason.is_deliberate());
                self.went(subject, waits, change, &mut passed);
            }
            ChangeKind::StreamClosed { ref stream_id, ref reason, .. } => {
                let (subject, waits) =
                    (Subject::Stream(stream_id.clone()), !reason.is_deliberate());
                self.went(subject, waits, change, &mut passed);
            }
            ChangeKind::UserJoined(user)
                if self.stop(&room_id, &Subject::User(user.user_id.clone())) =>
            {
                passed.push(Change { kind: ChangeKind::UserUpdated(user), ..change });
            }
            ChangeKind::StreamOpened(stream)
                if self.stop(&room_id, &Subject::Stream(stream.stream_id.clone())) =>
            {
                passed.push(Change { kind: ChangeKind::StreamUpdated(stream), ..change });
            }
            ChangeKind::SessionClosed { .. } | ChangeKind::RoomUnlisted => {
                self.stop_room(&room_id, &mut passed);
                passed.push(change);
            }
            _ => passed.push(change),
        }
        passed
    }

    /// Returns the departures whose grace is over, in order. [`apply`](Self::apply) does so first, so it
    /// makes no difference how often you call this.
    ///
    /// Cost: what is returned, times the logarithm of those who wait. After the local time went back, it is
    /// all who wait.
    ///
    /// ```
    /// # use room_registry::{Debounce, Timestamp};
    /// # use std::time::Duration;
    /// let mut debounce = Debounce::new(Duration::from_secs(10));
    /// assert_eq!(debounce.take_due(Timestamp::from_secs(1)), []);
    /// ```
    pub fn take_due(&mut self, now: Timestamp) -> Vec<Change> {
        self.set_clock(now);
        let mut due = Vec::new();
        while let Some(((due_at, _), _)) = self.queue.first_key_value()
            && *due_at <= now
        {
            self.pass_first(&mut due);
        }
        due
    }

    /// Returns when [`take_due`](Self::take_due) next returns something; `None` if nothing waits. Cost: the
    /// logarithm of those who wait.
    ///
    /// ```
    /// # use room_registry::Debounce;
    /// # use std::time::Duration;
    /// assert_eq!(Debounce::new(Duration::ZERO).next_due(), None);
    /// ```
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.queue.first_key_value().map(|((at, _), _)| *at)
    }

    /// Returns the departures that wait, in the order in which they become due. A mirror that applies what
    /// was passed on, and then these, equals the registry. Cost: what is read.
    ///
    /// ```
    /// # use room_registry::Debounce;
    /// # use std::time::Duration;
    /// assert_eq!(Debounce::new(Duration::ZERO).waiting().count(), 0);
    /// ```
    pub fn waiting(&self) -> impl Iterator<Item = &Change> {
        self.queue.values()
    }

    /// Takes a departure. It waits, or goes into `passed` at once (law 20.1).
    fn went(&mut self, subject: Subject, waits: bool, change: Change, passed: &mut Vec<Change>) {
        if !waits || self.grace_ms == 0 {
            self.stop(&change.room_id, &subject);
            passed.push(change);
            return;
        }
        let room = self.waiting.entry(change.room_id.clone()).or_default();
        if room.contains_key(&subject) {
            return; // whoever came in between was gone before the changes were read, so no change told that
        }
        self.count += 1;
        let key = (self.clock.plus(self.grace_ms), self.count);
        room.insert(subject, key);
        self.queue.insert(key, change);
        if self.queue.len() > Self::MAX_WAITING {
            self.pass_first(passed);
        }
    }

    /// Drops the departure of a user or stream, if it waits. Returns whether it did.
    fn stop(&mut self, room_id: &RoomId, subject: &Subject) -> bool {
        let Some(room) = self.waiting.get_mut(room_id) else { return false };
        let Some(key) = room.remove(subject) else { return false };
        if room.is_empty() {
            self.waiting.remove(room_id);
        }
        self.queue.remove(&key).is_some()
    }

    /// Passes on the departures that wait in a room, in the order of the queue (law 20.5).
    fn stop_room(&mut self, room_id: &RoomId, passed: &mut Vec<Change>) {
        let room = self.waiting.remove(room_id).unwrap_or_default();
        let mut keys: Vec<_> = room.into_values().collect();
        keys.sort_unstable();
        passed.extend(keys.iter().filter_map(|key| self.queue.remove(key)));
    }

    /// Passes on the departure that is due first.
    fn pass_first(&mut self, passed: &mut Vec<Change>) {
        let Some((_, change)) = self.queue.pop_first() else { return };
        let subject = match &change.kind {
            ChangeKind::StreamClosed { stream_id, .. } => Some(Subject::Stream(stream_id.clone())),
            ChangeKind::UserLeft { user_id, .. } => Some(Subject::User(user_id.clone())),
            _ => None, // nothing else waits
        };
        if let Some(subject) = subject {
            self.stop(&change.room_id, &subject);
        }
        passed.push(change);
    }

    /// Sets the clock. If it went back, nobody waits for longer than the grace from now on (law 20.6).
    fn set_clock(&mut self, now: Timestamp) {
        if now < self.clock {
            let latest = now.plus(self.grace_ms);
            let queue = std::mem::take(&mut self.queue);
            let earlier = |(at, number): QueueKey| (at.min(latest), number);
            self.queue = queue.into_iter().map(|(key, change)| (earlier(key), change)).collect();
            let keys = self.waiting.values_mut().flat_map(BTreeMap::values_mut);
            keys.for_each(|key| *key = earlier(*key));
        }
        self.clock = now;
    }
}
