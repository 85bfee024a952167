//! The connections of a member: devices, tabs, sockets. A membership holds while one of them does.
//!
//! A user who never names a connection has one that is unnamed, and no entry here: the membership itself
//! says all of it. So nobody pays for connections who has none.

use crate::model::config::Rules;
use crate::model::id::ConnectionId;
use crate::model::text::RemovalReason;
use crate::model::time::Timestamp;

/// How many connections of one user may hold.
pub(crate) const MAX_CONNECTIONS: usize = 16;
/// How many connections of one user are known, those that ended included.
const MAX_KNOWN: usize = 64;

/// What is known of the connections of one user, ordered by id. The unnamed one is the first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub(crate) struct Connections(Vec<Connection>);

#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Connection {
    #[cfg_attr(feature = "serde", serde(rename = "connection_id"))]
    id: Option<ConnectionId>,
    /// When the membership joined that it belongs to.
    member_since: Timestamp,
    joined_at: Timestamp,
    heartbeat_at: Timestamp,
    /// When and how it ended. Heartbeats that stopped end it too, without a word here.
    ended: Option<(Timestamp, End)>,
}

/// How a membership or a connection ended.
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

/// What has become of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    Holds,
    Ended(End),
    /// It never joined, or that was forgotten.
    Unknown,
}

/// What a connection is judged by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judge<'a> {
    pub(crate) now: Timestamp,
    pub(crate) timeout_ms: u64,
    pub(crate) settings: &'a Rules,
}

impl Judge<'_> {
    /// Whether what ended then is forgotten.
    fn is_forgotten(self, ended_at: Timestamp) -> bool {
        self.settings.retention_ms.is_some_and(|span| ended_at < self.now.minus(span))
    }
}

impl Connections {
    /// The unnamed connection that a membership without others stands for.
    pub(crate) fn unnamed(joined_at: Timestamp, heartbeat_at: Timestamp) -> Self {
        let (id, member_since) = (None, joined_at);
        let unnamed = Connection { id, member_since, joined_at, heartbeat_at, ended: None };
        Self(vec![unnamed])
    }

    /// Returns what has become of a connection, in a membership that joined then.
    pub(crate) fn standing(
        &self,
        id: Option<&str>,
        joined_at: Timestamp,
        by: Judge<'_>,
    ) -> Standing {
        let Some(held) = self.get(id) else { return Standing::Unknown };
        match held.end(joined_at, by) {
            None => Standing::Holds,
            Some((at, _)) if by.is_forgotten(at) => Standing::Unknown,
            Some((_, how)) => Standing::Ended(how),
        }
    }

    /// Returns how many hold.
    pub(crate) fn holding(&self, joined_at: Timestamp, by: Judge<'_>) -> usize {
        self.0.iter().filter(|held| held.end(joined_at, by).is_none()).count()
    }

    /// A connection joins a membership, after whatever was known of it.
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

    /// Returns the last heartbeat of those that did not end, in a membership that joined then.
    pub(crate) fn heartbeat_at(&self, joined_at: Timestamp) -> Option<Timestamp> {
        self.open(joined_at).map(|held| held.heartbeat_at).max()
    }

    /// Returns the last heartbeat of each that did not end.
    pub(crate) fn heartbeats(
        &self,
        joined_at: Timestamp,
    ) -> impl Iterator<Item = (Option<&ConnectionId>, Timestamp)> {
        self.open(joined_at).map(|held| (held.id.as_ref(), held.heartbeat_at))
    }

    /// Gives those a fresh timeout that held when the user was last heard of.
    pub(crate) fn beat_all(&mut self, joined_at: Timestamp, timeout_ms: u64, now: Timestamp) {
        let last = self.heartbeat_at(joined_at).unwrap_or_default();
        for held in self.0.iter_mut().filter(|held| held.ended.is_none()) {
            if !is_timed_out(held.heartbeat_at, timeout_ms, last) {
                held.heartbeat_at = now;
            }
        }
    }

    /// Drops what ended so long ago that it tells nothing any more.
    pub(crate) fn forget(&mut self, joined_at: Timestamp, by: Judge<'_>) {
        self.0.retain(|held| !held.end(joined_at, by).is_some_and(|(at, _)| by.is_forgotten(at)));
    }

    /// Joins what another replica knows: of each connection the one of the later membership, and the
    /// one that joined later; of the same, its
    /// end or else its later heartbeat.
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

    /// Drops what belongs to another membership than the one that joined then. Replicas keep no more of
    /// each other, so that it does not matter in which order they merge.
    pub(crate) fn keep_of(&mut self, joined_at: Timestamp) {
        self.0.retain(|held| held.member_since == joined_at);
    }

    /// Returns the last heartbeat of the unnamed connection, if there is no other and it did not end.
    pub(crate) fn only_unnamed(&self) -> Option<Timestamp> {
        let [Connection { id: None, ended: None, heartbeat_at, .. }] = &*self.0 else {
            return None;
        };
        Some(*heartbeat_at)
    }

    /// Pulls times that lie in the future back to now, and joins to `from`.
    pub(crate) fn pull_back(&mut self, now: Timestamp, from: Timestamp) {
        for held in &mut self.0 {
            held.member_since = held.member_since.min(from);
            held.joined_at = held.joined_at.min(from);
            held.heartbeat_at = held.heartbeat_at.min(now);
            held.ended = held.ended.take().map(|(at, how)| (at.min(now), how));
        }
    }

    /// Whether no room could have made it: too many, or not in order.
    #[cfg(feature = "serde")]
    pub(crate) fn is_impossible(&self) -> bool {
        self.0.is_empty() || self.0.len() > MAX_KNOWN || !self.0.is_sorted_by(|a, b| a.id < b.id)
    }

    /// Puts a connection in place of what is known of it. Beyond the cap goes what ended longest ago.
    fn insert(&mut self, connection: Connection) {
        match self.0.binary_search_by(|held| held.id.cmp(&connection.id)) {
            Ok(place) => self.0[place] = connection,
            Err(place) => self.0.insert(place, connection),
        }
        if self.0.len() > MAX_KNOWN {
            let rank = |held: &&Connection| (held.ended.is_none(), held.heartbeat_at);
            let last = self.0.iter().min_by_key(rank).map(|held| held.id.clone());
            self.0.retain(|held| Some(&held.id) != last.as_ref());
        }
    }

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
    /// Returns when its membership joined, and then when it did.
    fn since(&self) -> (Timestamp, Timestamp) {
        (self.member_since, self.joined_at)
    }

    /// Returns when and how it ended, if it did: by a word, with an earlier membership, or by silence.
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

/// Whether the heartbeats stopped for more than the timeout. Exactly the timeout is in time.
pub(crate) fn is_timed_out(heartbeat_at: Timestamp, timeout_ms: u64, now: Timestamp) -> bool {
    now > heartbeat_at.plus(timeout_ms)
}
