//! What is held of visits, room by room: logins with one end or both, memberships, and closings of sessions.
//!
//! Only `visits.rs` calls this. It owns the queue, so whatever changes something here schedules it there.

use std::collections::BTreeMap;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::change::EndReason;
use crate::model::id::{SessionId, UserId, UserSessionId};
use crate::model::time::Timestamp;

/// See [`Visits::MAX_STAYS`](super::Visits::MAX_STAYS).
pub(super) const MAX_STAYS: usize = 64;

/// See [`Visits::MAX_CLOSES`](super::Visits::MAX_CLOSES).
pub(super) const MAX_CLOSES: usize = 64;

/// The settings that say how long things are held, and what is let in. All are in milliseconds.
#[expect(clippy::struct_field_names, reason = "each names its unit")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub(super) struct Limits {
    /// R; `None` to keep everything that is complete.
    pub(super) retention_ms: Option<u64>,
    /// δ.
    pub(super) clock_skew_ms: u64,
    /// F.
    pub(super) future_guard_ms: u64,
    /// How long the logout may come after the close of its session (law 19.4).
    pub(super) report_after_ms: u64,
    /// How long a login that nothing ended is held (law 19.6).
    pub(super) longest_stay_ms: u64,
}

impl Limits {
    /// Whether an opening at this event time may make an entry (law 19.3).
    pub(super) fn admits_opening(&self, at: Timestamp, now: Timestamp) -> bool {
        self.retention_ms.is_none_or(|retention_ms| at >= now.minus(retention_ms))
    }

    /// Whether a closing at this event time may make an entry (law 19.3).
    pub(super) fn admits_closing(&self, at: Timestamp, now: Timestamp) -> bool {
        self.admits_opening(at.plus(self.clock_skew_ms), now)
    }

    /// Returns when something is forgotten: the first millisecond at which `newest` is below the threshold (law
    /// 19.5). That is the later of its newest time and its last change.
    fn forgotten_at(&self, newest: Timestamp) -> Option<Timestamp> {
        let span = self.retention_ms?.saturating_add(self.clock_skew_ms);
        Some(newest.plus(span).plus(1))
    }

    /// Returns when the close of a session ends a login without a logout: the receipt of both is longer than
    /// `report_after` ago (law 19.4).
    fn counts_at(&self, close: Close, changed_at: Timestamp) -> Timestamp {
        close.received_at.max(changed_at).plus(self.report_after_ms).plus(1)
    }
}

/// What is held of one room.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub(super) struct HeldRoom {
    /// The latest close of each session, for those that named one.
    closes: BTreeMap<SessionId, Close>,
    /// The users of whom something is held.
    users: BTreeMap<UserId, HeldUser>,
    /// When (local time) a close can be forgotten: its key in the queue.
    #[cfg_attr(feature = "serde", serde(skip))]
    closes_due: Option<Timestamp>,
}

/// The closing of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub(super) struct Close {
    /// When it closed, in event time.
    pub(super) at: Timestamp,
    /// When the callback came, in local time.
    pub(super) received_at: Timestamp,
}

/// What is held of one user.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
struct HeldUser {
    /// The logins, in the order of their first news.
    stays: Vec<Stay>,
    /// Since when (local time) the user is a member; `None` if the user is none.
    member_since: Option<Timestamp>,
    /// When (local time) something of the logins is due: its key in the queue.
    #[cfg_attr(feature = "serde", serde(skip))]
    due: Option<Timestamp>,
}

/// One login: from one opening to its closing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
struct Stay {
    /// What names it.
    key: StayKey,
    /// When it began, in event time: the earliest that a callback told.
    from: Option<Timestamp>,
    /// When it ended, in event time, and why: what came first.
    to: Option<(Timestamp, EndReason)>,
    /// When anything of it last changed, in local time.
    changed_at: Timestamp,
}

/// What names a login in its room, beside the user.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub(super) struct StayKey {
    /// The session; `None` for the nameless one.
    pub(super) session_id: Option<SessionId>,
    /// The id of the login; `None` if it has none, or an order decides which login is the last.
    pub(super) user_session_id: Option<UserSessionId>,
    /// When a login without such an id began, in event time.
    pub(super) opened_at: Option<Timestamp>,
}

/// What a callback says of a login.
#[derive(Debug)]
pub(super) struct Heard {
    /// When it began, in event time, if that is told.
    pub(super) from: Option<Timestamp>,
    /// When it ended, in event time, and why, if it did.
    pub(super) to: Option<(Timestamp, EndReason)>,
    /// Whether the callback may make an entry (law 19.3).
    pub(super) makes: bool,
}

/// A login with both ends: its key, when it began and ended (event time), and why it ended.
pub(super) type Ended = (StayKey, Timestamp, Timestamp, EndReason);

impl HeldRoom {
    pub(super) fn has_stay(&self, user_id: &UserId, key: &StayKey) -> bool {
        let user = self.users.get(user_id);
        user.is_some_and(|user| user.stays.iter().any(|stay| stay.key == *key))
    }

    /// Joins what a callback says of a login. Returns the login if that completes it.
    pub(super) fn join(
        &mut self,
        user_id: &UserId,
        key: StayKey,
        heard: Heard,
        now: Timestamp,
    ) -> Option<Ended> {
        let user = self.users.entry(user_id.clone()).or_default();
        let index = user.stays.iter().position(|stay| stay.key == key);
        let index = index.unwrap_or_else(|| user.insert(key, now));
        user.stays[index].join(heard, now)
    }

    /// Does what is due of a user at a local time. Returns the logins that the close of their session ended.
    /// Logins that are told for long enough, or open for too long, go.
    pub(super) fn settle(
        &mut self,
        user_id: &UserId,
        at: Timestamp,
        limits: &Limits,
    ) -> Vec<Ended> {
        let Self { closes, users, .. } = self;
        let Some(user) = users.get_mut(user_id) else { return Vec::new() };
        user.due = None; // it is out of the queue
        let mut ended = Vec::new();
        user.stays.retain_mut(|stay| {
            let close = stay.close_of(closes);
            if stay.due(close, limits).is_none_or(|due| due > at) {
                return true;
            }
            // Either the close of the session counts now, or the login goes.
            let counts = close.filter(|close| limits.counts_at(*close, stay.changed_at) <= at);
            let Some(close) = counts else { return false };
            let heard =
                Heard { from: None, to: Some((close.at, EndReason::RoomClosed)), makes: true };
            ended.extend(stay.join(heard, at));
            true
        });
        ended
    }

    /// Joins the closing of a session. Returns the session whose closing the cap took out, if it did (law
    /// 19.6).
    pub(super) fn close(&mut self, session_id: &SessionId, close: Close) -> Option<SessionId> {
        if self.closes.get(session_id).is_some_and(|held| held.at >= close.at) {
            return None;
        }
        self.closes.insert(session_id.clone(), close);
        if self.closes.len() <= MAX_CLOSES {
            return None;
        }
        let (earliest, _) = self.closes.iter().min_by_key(|(_, close)| close.at)?;
        let earliest = earliest.clone();
        self.closes.remove(&earliest);
        Some(earliest)
    }

    /// Returns the users who have a login without an end in a session.
    pub(super) fn open_in(&self, session_id: &SessionId) -> Vec<UserId> {
        let is_in =
            |stay: &Stay| stay.to.is_none() && stay.key.session_id.as_ref() == Some(session_id);
        let users = self.users.iter().filter(|(_, user)| user.stays.iter().any(is_in));
        users.map(|(user_id, _)| user_id.clone()).collect()
    }

    /// Forgets the closings that are due at a local time.
    pub(super) fn forget_closes(&mut self, at: Timestamp, limits: &Limits) {
        self.closes_due = None; // it is out of the queue
        self.closes.retain(|_, close| close.forgotten_at(limits).is_none_or(|due| due > at));
    }

    pub(super) fn member_since(&self, user_id: &UserId) -> Option<Timestamp> {
        self.users.get(user_id)?.member_since
    }

    pub(super) fn set_member(&mut self, user_id: &UserId, since: Timestamp) {
        self.users.entry(user_id.clone()).or_default().member_since = Some(since);
    }

    /// Ends a membership. Returns since when it held.
    pub(super) fn end_member(&mut self, user_id: &UserId) -> Option<Timestamp> {
        self.users.get_mut(user_id)?.member_since.take()
    }

    pub(super) fn members(&self) -> impl Iterator<Item = &UserId> {
        let members = self.users.iter().filter(|(_, user)| user.member_since.is_some());
        members.map(|(user_id, _)| user_id)
    }

    pub(super) fn users(&self) -> Vec<UserId> {
        self.users.keys().cloned().collect()
    }

    /// Finds out when something of a user is due; without a user, of the closings. Returns when it was due
    /// before, as the queue has it, and when it is due now. A user of whom nothing is held goes.
    pub(super) fn reschedule(
        &mut self,
        user_id: Option<&UserId>,
        limits: &Limits,
    ) -> (Option<Timestamp>, Option<Timestamp>) {
        let Self { closes, users, closes_due } = self;
        let Some(user_id) = user_id else {
            let due = closes.values().filter_map(|close| close.forgotten_at(limits)).min();
            return (std::mem::replace(closes_due, due), due);
        };
        let Some(user) = users.get_mut(user_id) else { return (None, None) };
        let due =
            user.stays.iter().filter_map(|stay| stay.due(stay.close_of(closes), limits)).min();
        let was = std::mem::replace(&mut user.due, due);
        if user.stays.is_empty() && user.member_since.is_none() {
            users.remove(user_id);
        }
        (was, due)
    }

    /// Pulls local times that lie in the future back to now.
    pub(super) fn pull_back(&mut self, now: Timestamp) {
        for close in self.closes.values_mut() {
            close.received_at = close.received_at.min(now);
        }
        for stay in self.users.values_mut().flat_map(|user| &mut user.stays) {
            stay.changed_at = stay.changed_at.min(now);
        }
    }

    pub(super) fn len(&self) -> usize {
        let members = self.members().count();
        members
            + self.closes.len()
            + self.users.values().map(|user| user.stays.len()).sum::<usize>()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.closes.is_empty() && self.users.is_empty()
    }
}

impl Close {
    /// Returns when it is forgotten. No login that it ends can come any more by then (law 19.5).
    fn forgotten_at(self, limits: &Limits) -> Option<Timestamp> {
        let newest = limits.forgotten_at(self.at.max(self.received_at))?;
        Some(newest.plus(limits.report_after_ms).plus(1))
    }
}

impl HeldUser {
    /// Makes an entry of which nothing is known yet, and returns its place. If there are too many, one goes by
    /// the table of law 19.6.
    fn insert(&mut self, key: StayKey, now: Timestamp) -> usize {
        while self.stays.len() >= MAX_STAYS {
            let places = self.stays.iter().enumerate();
            let first = places.min_by_key(|(_, stay)| (!stay.is_told(), stay.newest(0)));
            let Some((place, _)) = first else { break };
            self.stays.remove(place);
        }
        self.stays.push(Stay { key, from: None, to: None, changed_at: now });
        self.stays.len() - 1
    }
}

impl Stay {
    /// Whether both ends are known, and so the login was told (law 19.2).
    fn is_told(&self) -> bool {
        self.from.is_some() && self.to.is_some()
    }

    /// Joins what is heard of it. Returns it if that completes it. Once complete, nothing changes it.
    fn join(&mut self, heard: Heard, now: Timestamp) -> Option<Ended> {
        if self.is_told() {
            return None;
        }
        let from = match (self.from, heard.from) {
            (Some(held), Some(heard)) => Some(held.min(heard)),
            (held, heard) => held.or(heard),
        };
        let is_news = self.from != from || self.to.is_none() && heard.to.is_some();
        self.from = from;
        self.to = self.to.take().or(heard.to);
        if is_news {
            self.changed_at = now;
        }
        let (from, (to, reason)) = (self.from?, self.to.as_mut()?);
        *to = from.max(*to);
        Some((self.key.clone(), from, *to, reason.clone()))
    }

    /// Returns the close of its session, if that can end it: no logout is known, and it began no later (law
    /// 19.4).
    fn close_of(&self, closes: &BTreeMap<SessionId, Close>) -> Option<Close> {
        let (from, close) = (self.from?, closes.get(self.key.session_id.as_ref()?)?);
        (self.to.is_none() && from <= close.at).then_some(*close)
    }

    /// Returns when something is due of it: that it goes, or before that the close of its session counts.
    fn due(&self, close: Option<Close>, limits: &Limits) -> Option<Timestamp> {
        if self.to.is_some() {
            return limits.forgotten_at(self.newest(limits.clock_skew_ms).max(self.changed_at));
        }
        let goes_at = self.changed_at.plus(limits.longest_stay_ms).plus(1);
        let counts_at = close.map(|close| limits.counts_at(close, self.changed_at));
        Some(counts_at.map_or(goes_at, |counts_at| counts_at.min(goes_at)))
    }

    /// Returns its latest event time. If the close of the session gave its end, that counts as later by the clock
    /// skew (law 19.5). The missing logout may be stamped that much after the close.
    fn newest(&self, clock_skew_ms: u64) -> Timestamp {
        let to = self.to.as_ref().map(|(to, reason)| match reason {
            EndReason::RoomClosed => to.plus(clock_skew_ms),
            _ => *to,
        });
        self.from.max(to).unwrap_or_default()
    }
}
