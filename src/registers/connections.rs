//! The connections of one member: devices, tabs, sockets. A membership holds while one of them does. All
//! times are local.
//!
//! A user who never names a connection has a single unnamed one, and no entry here: the membership says all
//! of it. So a room that does not use connections pays nothing for them.
//!
//! `members/connections.rs` keeps the entries, by user, and `members/merge.rs` merges them.
//!
//! This file carries laws 18.4 to 18.6.

use crate::model::config::Rules;
use crate::model::id::ConnectionId;
use crate::model::text::RemovalReason;
use crate::model::time::Timestamp;

/// How many connections of one user may hold at a time (law 18.4).
pub(crate) const MAX_CONNECTIONS: usize = 16;
/// How many connections of one user are known, those that ended included. It bounds what hostile clients
/// can store.
const MAX_KNOWN: usize = 64;

/// What is known of the connections of one user, ordered by id. The unnamed one comes first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub(crate) struct Connections(Vec<Connection>);

/// What is known of one connection. The names of the fields are those of the stored form.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Connection {
    /// `None` for the unnamed connection.
    #[cfg_attr(feature = "serde", serde(rename = "connection_id"))]
    id: Option<ConnectionId>,
    /// When the membership joined that the connection belongs to.
    member_since: Timestamp,
    /// When the connection joined that membership.
    joined_at: Timestamp,
    /// Its last heartbeat.
    heartbeat_at: Timestamp,
    /// When and how it ended. A connection whose heartbeats stopped has ended, too, but nothing is noted
    /// here: that follows from `heartbeat_at`.
    ended: Option<(Timestamp, End)>,
}

/// How a membership or a connection ended. The order is the rule of a merge.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub(crate) enum End {
    /// The heartbeats stopped.
    TimedOut,
    /// The user left, or the room ended.
    Left,
    /// The application removed the user.
    Removed(RemovalReason),
}

/// What has become of a connection, as the answer to its heartbeat says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ConnectionState {
    /// It holds.
    Holds,
    /// It ended, and that is remembered.
    Ended(End),
    /// It never joined, or that was forgotten.
    Unknown,
}

/// What decides whether a connection holds: the time, and two settings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judge<'a> {
    pub(crate) now: Timestamp,
    /// The heartbeat timeout, in milliseconds.
    pub(crate) timeout_ms: u64,
    /// The retention among them says for how long an end is remembered.
    pub(crate) settings: &'a Rules,
}

impl Judge<'_> {
    /// Whether an end at this time is older than the retention (law 18.5).
    fn is_forgotten(self, ended_at: Timestamp) -> bool {
        self.settings.retention_ms.is_some_and(|span| ended_at < self.now.minus(span))
    }
}

impl Connections {
    /// Makes the unnamed connection that a membership without an entry here has.
    pub(crate) fn unnamed(joined_at: Timestamp, heartbeat_at: Timestamp) -> Self {
        let (id, member_since) = (None, joined_at);
        let unnamed = Connection { id, member_since, joined_at, heartbeat_at, ended: None };
        Self(vec![unnamed])
    }

    /// Returns what has become of a connection. `joined_at` is when the membership joined, here and below.
    pub(crate) fn connection_state(
        &self,
        id: Option<&str>,
        joined_at: Timestamp,
        by: Judge<'_>,
    ) -> ConnectionState {
        let Some(held) = self.get(id) else { return ConnectionState::Unknown };
        match held.end(joined_at, by) {
            None => ConnectionState::Holds,
            Some((at, _)) if by.is_forgotten(at) => ConnectionState::Unknown,
            Some((_, how)) => ConnectionState::Ended(how),
        }
    }

    /// Returns how many connections hold.
    pub(crate) fn holding(&self, joined_at: Timestamp, by: Judge<'_>) -> usize {
        self.0.iter().filter(|held| held.end(joined_at, by).is_none()).count()
    }

    /// Joins a connection to a membership. It counts as joined later than it did before, so that the new
    /// join outranks the end of the old one in a merge.
    pub(crate) fn join(
        &mut self,
        connection_id: Option<ConnectionId>,
        member_since: Timestamp,
        now: Timestamp,
    ) {
        let known = self.get(connection_id.as_ref().map(ConnectionId::as_str));
        let after = known.map_or(member_since, |known| known.joined_at.plus(1));
        let joined_at = member_since.max(after).max(now);
        let heartbeat_at = now;
        self.insert(Connection {
            id: connection_id,
            member_since,
            joined_at,
            heartbeat_at,
            ended: None,
        });
    }

    /// Records a heartbeat, unless the connection ended: it revives nothing (law 18.5).
    pub(crate) fn beat(&mut self, id: Option<&str>, at: Timestamp) {
        if let Some(held) = self.get_mut(id).filter(|held| held.ended.is_none()) {
            held.heartbeat_at = held.heartbeat_at.max(at);
        }
    }

    /// Ends a connection.
    pub(crate) fn end(&mut self, id: Option<&str>, how: End, now: Timestamp) {
        if let Some(held) = self.get_mut(id) {
            held.ended = Some((now, how));
        }
    }

    /// Ends every connection that did not end before.
    pub(crate) fn end_all(&mut self, how: &End, now: Timestamp) {
        for held in self.0.iter_mut().filter(|held| held.ended.is_none()) {
            held.ended = Some((now, how.clone()));
        }
    }

    /// Returns the last heartbeat of all connections that did not end. It is that of the membership.
    pub(crate) fn heartbeat_at(&self, joined_at: Timestamp) -> Option<Timestamp> {
        self.open(joined_at).map(|held| held.heartbeat_at).max()
    }

    /// Returns the last heartbeat of each connection that did not end.
    pub(crate) fn heartbeats(
        &self,
        joined_at: Timestamp,
    ) -> impl Iterator<Item = (Option<&ConnectionId>, Timestamp)> {
        self.open(joined_at).map(|held| (held.id.as_ref(), held.heartbeat_at))
    }

    /// Grants a fresh timeout to the connections that held when the user was last heard of (law 18.5).
    pub(crate) fn beat_all(&mut self, joined_at: Timestamp, timeout_ms: u64, now: Timestamp) {
        let last = self.heartbeat_at(joined_at).unwrap_or_default();
        for held in self.0.iter_mut().filter(|held| held.ended.is_none()) {
            if !is_timed_out(held.heartbeat_at, timeout_ms, last) {
                held.heartbeat_at = now;
            }
        }
    }

    /// Drops the connections whose end is older than the retention.
    pub(crate) fn forget(&mut self, joined_at: Timestamp, by: Judge<'_>) {
        self.0.retain(|held| !held.end(joined_at, by).is_some_and(|(at, _)| by.is_forgotten(at)));
    }

    /// Joins what another replica knows, one connection at a time (law 18.6). That of the later membership
    /// counts, and then the later join. If the join is the same, an end counts, or else the later
    /// heartbeat.
    pub(crate) fn merge(&mut self, other: &Self) {
        for theirs in &other.0 {
            let id = theirs.id.as_ref().map(ConnectionId::as_str);
            match self.get_mut(id) {
                None => self.insert(theirs.clone()),
                Some(ours) if ours.since() < theirs.since() => *ours = theirs.clone(),
                Some(ours) if ours.since() > theirs.since() => {}
                Some(ours) => {
                    ours.heartbeat_at = ours.heartbeat_at.max(theirs.heartbeat_at);
                    ours.ended = ours.ended.take().max(theirs.ended.clone());
                }
            }
        }
    }

    /// Drops the connections of other memberships than the one that joined then. A merge keeps no more, so
    /// that the order of merges does not matter.
    pub(crate) fn keep_of(&mut self, joined_at: Timestamp) {
        self.0.retain(|held| held.member_since == joined_at);
    }

    /// Returns the last heartbeat of the unnamed connection, if it is the only one and did not end. Then no
    /// entry is needed.
    pub(crate) fn only_unnamed(&self) -> Option<Timestamp> {
        let [Connection { id: None, ended: None, heartbeat_at, .. }] = &*self.0 else {
            return None;
        };
        Some(*heartbeat_at)
    }

    /// Pulls times that lie in the future back to now, and join times to `latest_join`.
    pub(crate) fn pull_back(&mut self, now: Timestamp, latest_join: Timestamp) {
        for held in &mut self.0 {
            held.member_since = held.member_since.min(latest_join);
            held.joined_at = held.joined_at.min(latest_join);
            held.heartbeat_at = held.heartbeat_at.min(now);
            held.ended = held.ended.take().map(|(at, how)| (at.min(now), how));
        }
    }

    /// Whether no room can have made it: none, too many, or not in order. For what comes from a store.
    #[cfg(feature = "serde")]
    pub(crate) fn is_impossible(&self) -> bool {
        self.0.is_empty() || self.0.len() > MAX_KNOWN || !self.0.is_sorted_by(|a, b| a.id < b.id)
    }

    /// Sets what is known of a connection. Beyond the cap, one is dropped: of those that ended, or else of
    /// all, the one whose last heartbeat is the oldest.
    fn insert(&mut self, connection: Connection) {
        match self.0.binary_search_by(|held| held.id.cmp(&connection.id)) {
            Ok(place) => self.0[place] = connection,
            Err(place) => self.0.insert(place, connection),
        }
        if self.0.len() > MAX_KNOWN {
            let rank = |held: &&Connection| (held.ended.is_none(), held.heartbeat_at);
            let lowest = self.0.iter().min_by_key(rank).map(|held| held.id.clone());
            self.0.retain(|held| Some(&held.id) != lowest.as_ref());
        }
    }

    /// Returns the connections of a membership that were not ended. Heartbeats may have stopped.
    fn open(&self, joined_at: Timestamp) -> impl Iterator<Item = &Connection> {
        self.0.iter().filter(move |held| held.ended.is_none() && held.member_since >= joined_at)
    }

    fn get(&self, id: Option<&str>) -> Option<&Connection> {
        self.0.iter().find(|held| held.id.as_ref().map(ConnectionId::as_str) == id)
    }

    fn get_mut(&mut self, id: Option<&str>) -> Option<&mut Connection> {
        self.0.iter_mut().find(|held| held.id.as_ref().map(ConnectionId::as_str) == id)
    }
}

impl Connection {
    /// Returns what orders two states of one connection: when its membership joined, then when it did.
    fn since(&self) -> (Timestamp, Timestamp) {
        (self.member_since, self.joined_at)
    }

    /// Returns when and how it ended, if it did: by a command, with a membership before this one, or
    /// because its heartbeats stopped.
    fn end(&self, joined_at: Timestamp, by: Judge<'_>) -> Option<(Timestamp, End)> {
        if let Some(ended) = &self.ended {
            return Some(ended.clone());
        }
        if self.member_since < joined_at {
            return Some((joined_at, End::Left));
        }
        is_timed_out(self.heartbeat_at, by.timeout_ms, by.now)
            .then(|| (self.heartbeat_at.plus(by.timeout_ms), End::TimedOut))
    }
}

/// Whether the heartbeats stopped for longer than the timeout. A heartbeat after exactly the timeout is in
/// time.
pub(crate) fn is_timed_out(heartbeat_at: Timestamp, timeout_ms: u64, now: Timestamp) -> bool {
    now > heartbeat_at.plus(timeout_ms)
}
