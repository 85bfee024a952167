//! What observations said of a room: the registers that mend what callbacks lost.
//!
//! Every fact in it has a time of theirs, *q*: the observation's own less the clock skew. A list
//! that was asked for completely says of everybody in it that they were present at q, and of
//! everybody else that they were absent then. These too are joins, so that neither order nor
//! repetition of observations matters, nor how they mix with callbacks.
//!
//! | an answer says | fact at q |
//! |---|---|
//! | the room is not open | `not_open_at`; both lists are complete and empty |
//! | a named session is closed | that session's close, as a callback would tell it |
//! | the room is open | `open_at` |
//! | a named session is open | that session's `alive_at` |
//! | somebody is in a list | a presence, with the session's name or without |
//! | the list is complete | the absence of everybody else |
//!
//! What a presence means for readers is said in [`sight`](super::sight).

use std::collections::{BTreeMap, BTreeSet};

use crate::model::callback::StreamDetails;
use crate::model::id::{SessionId, StreamId, UserId};
use crate::model::observation::{Observation, ObservedList};
use crate::model::time::Timestamp;
use crate::model::visible::Presence;

/// How many sessions may name one user or stream as present. More come only from hostile input.
const MAX_PRESENCES: usize = 16;

/// Everything held of a room from observations, but for what they said of single sessions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Observed {
    /// When the room was last seen not to be open.
    pub(crate) not_open_at: Option<Timestamp>,
    /// When the room was last seen to be open, in a session that was not named.
    pub(crate) open_at: Option<Sighting>,
    /// When the room's end last hid what observations had told until then, in our time.
    pub(crate) hidden_at: Option<Timestamp>,
    pub(crate) users: Roll<UserId, Presence>,
    pub(crate) streams: Roll<StreamId, StreamPresence>,
}

/// Something seen at a time of theirs, and when the answer came, in our time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Sighting {
    pub(crate) at: Timestamp,
    pub(crate) received_at: Timestamp,
}

/// Who was in a list, and who was not.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Roll<I: Ord, D> {
    /// The latest complete list. Whoever has no entry was absent from it.
    pub(crate) listed_at: Option<Timestamp>,
    pub(crate) entries: BTreeMap<I, Entry<D>>,
}

/// What lists said of one user or stream.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Entry<D> {
    /// The latest complete list without it.
    pub(crate) absent_at: Option<Timestamp>,
    /// The latest list with it, for each name of a session and for none; ordered by that.
    pub(crate) present: Vec<Present<D>>,
    /// Presences until here were closed by a leave of our own.
    pub(crate) left_at: Option<Timestamp>,
}

/// A presence.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Present<D> {
    pub(crate) session_id: Option<SessionId>,
    pub(crate) seen: Sighting,
    pub(crate) details: D,
}

/// What tells a presence that readers see from another of the same user or stream. The named
/// ones that readers see at a time all belong to the session that is visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PresenceKey {
    at: Timestamp,
    is_named: bool,
}

impl<D> Present<D> {
    pub(crate) fn key(&self) -> PresenceKey {
        PresenceKey { at: self.seen.at, is_named: self.session_id.is_some() }
    }
}

/// What a list told of a stream.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct StreamPresence {
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) details: StreamDetails,
}

impl Observed {
    /// Joins what the lists of an observation say. `is_not_open` makes both complete and empty.
    pub(crate) fn join_lists(
        &mut self,
        observation: &Observation,
        is_not_open: bool,
        seen: Sighting,
    ) {
        let session_id = observation.session_id.as_ref();
        if is_not_open {
            self.users.join_complete(BTreeMap::new(), session_id, seen);
            self.streams.join_complete(BTreeMap::new(), session_id, seen);
            return;
        }
        let users = observation.users.entries().iter().map(|user| {
            let presence = Presence {
                user_name: user.user_name.clone(),
                role: user.role.clone(),
                login_at: user.login_at,
            };
            (user.user_id.clone(), presence)
        });
        let streams = observation.streams.entries().iter().map(|stream| {
            let presence =
                StreamPresence { created_at: stream.created_at, details: stream.details.clone() };
            (stream.stream_id.clone(), presence)
        });
        self.users.join(greatest(users), &observation.users, session_id, seen);
        self.streams.join(greatest(streams), &observation.streams, session_id, seen);
    }

    /// Joins a sighting of the open room.
    pub(crate) fn join_open(&mut self, seen: Sighting) {
        self.open_at = Some(match self.open_at {
            Some(held) => held.join(seen),
            None => seen,
        });
    }

    /// Joins everything of another replica.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.not_open_at = self.not_open_at.max(other.not_open_at);
        self.hidden_at = self.hidden_at.max(other.hidden_at);
        if let Some(seen) = other.open_at {
            self.join_open(seen);
        }
        self.users.merge(&other.users);
        self.streams.merge(&other.streams);
    }

    /// Lets go what is below the floor, and what other registers outdate: the sighting of an open
    /// room before it was seen not to be, before the latest creation, or before a close.
    pub(crate) fn settle(&mut self, floor: Timestamp, outdated_until: Option<Timestamp>) {
        self.not_open_at = self.not_open_at.filter(|at| *at >= floor);
        self.open_at = self.open_at.filter(|seen| {
            seen.at >= floor && Some(seen.at) >= self.not_open_at && Some(seen.at) > outdated_until
        });
        self.users.settle(floor);
        self.streams.settle(floor);
    }

    /// Hides what was seen until now, at the room's end.
    pub(crate) fn hide(&mut self, hidden_at: Timestamp) {
        if !self.is_empty() {
            self.hidden_at = self.hidden_at.max(Some(hidden_at));
        }
    }

    /// Closes the presences of a user, until the latest.
    pub(crate) fn leave(&mut self, user_id: &str) {
        if let Some(entry) = self.users.entries.get_mut(user_id) {
            let latest = entry.present.iter().map(|present| present.seen.at).max();
            entry.left_at = entry.left_at.max(latest);
        }
    }

    /// Our time of receipt: after an end also where the clock stood still.
    pub(crate) fn received_at(&self, now: Timestamp) -> Timestamp {
        self.hidden_at.map_or(now, |hidden_at| now.max(hidden_at.plus(1)))
    }

    /// When the last of it was received, in our time.
    pub(crate) fn last_received_at(&self) -> Option<Timestamp> {
        let open = self.open_at.map(|seen| seen.received_at);
        open.max(self.users.last_received_at()).max(self.streams.last_received_at())
    }

    /// Pulls our times that lie in the future back to now. What was received before an end stays
    /// before it, and what was received after it stays after it.
    pub(crate) fn pull_back(&mut self, now: Timestamp) {
        let hidden_at = self.hidden_at;
        self.hidden_at = hidden_at.map(|at| at.min(now));
        let after_end = self.received_at(now);
        let pull_back = |seen: &mut Sighting| {
            let is_before_end = Some(seen.received_at) <= hidden_at;
            seen.received_at = seen.received_at.min(if is_before_end { now } else { after_end });
        };
        self.open_at.iter_mut().for_each(pull_back);
        self.users.sightings().for_each(pull_back);
        self.streams.sightings().for_each(pull_back);
    }

    /// Whether somebody or something was seen in the room.
    pub(crate) fn has_presence(&self) -> bool {
        self.users.entries.values().any(|entry| !entry.present.is_empty())
            || self.streams.entries.values().any(|entry| !entry.present.is_empty())
    }

    /// The latest time in it that keeps the room from being forgotten.
    pub(crate) fn newest(&self) -> Option<Timestamp> {
        let own = [self.not_open_at, self.open_at.map(|seen| seen.at), self.hidden_at];
        let rolls = self.users.newest().max(self.streams.newest());
        own.into_iter().max().flatten().max(rolls)
    }

    /// What in it cannot have come from observations, of what came from a store.
    #[cfg(feature = "serde")]
    pub(crate) fn impossible(&self) -> Option<&'static str> {
        self.users.impossible().or(self.streams.impossible())
    }

    /// Whether no observation left anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.not_open_at.is_none()
            && self.open_at.is_none()
            && self.users.is_empty()
            && self.streams.is_empty()
            && self.hidden_at.is_none()
    }
}

/// One who stands twice in a list counts once, with what is greater, so that one list has one
/// meaning.
fn greatest<I: Ord, D: Ord>(entries: impl Iterator<Item = (I, D)>) -> BTreeMap<I, D> {
    let mut by_id = BTreeMap::new();
    for (id, details) in entries {
        match by_id.get_mut(&id) {
            None => {
                by_id.insert(id, details);
            }
            Some(held) if *held < details => *held = details,
            Some(_) => {}
        }
    }
    by_id
}

impl Sighting {
    /// The later in their time counts; of the same, the earlier receipt: a repeat is nothing new.
    fn join(self, other: Self) -> Self {
        match self.at.cmp(&other.at) {
            std::cmp::Ordering::Less => other,
            std::cmp::Ordering::Greater => self,
            std::cmp::Ordering::Equal => {
                Self { received_at: self.received_at.min(other.received_at), ..self }
            }
        }
    }
}

impl<I: Ord, D> Default for Roll<I, D> {
    fn default() -> Self {
        Self { listed_at: None, entries: BTreeMap::new() }
    }
}

impl<I: Ord + Clone, D: Ord + Clone> Roll<I, D> {
    fn join<T>(
        &mut self,
        entries: BTreeMap<I, D>,
        list: &ObservedList<T>,
        session_id: Option<&SessionId>,
        seen: Sighting,
    ) {
        match list {
            ObservedList::NotAsked => {}
            ObservedList::Partial(_) => self.join_present(entries, session_id, seen),
            ObservedList::Complete(_) => self.join_complete(entries, session_id, seen),
        }
    }

    fn join_complete(
        &mut self,
        entries: BTreeMap<I, D>,
        session_id: Option<&SessionId>,
        seen: Sighting,
    ) {
        let named: BTreeSet<I> = entries.keys().cloned().collect();
        self.join_present(entries, session_id, seen);
        for (id, entry) in &mut self.entries {
            if !named.contains(id) {
                entry.absent_at = entry.absent_at.max(Some(seen.at));
            }
        }
        self.listed_at = self.listed_at.max(Some(seen.at));
    }

    fn join_present(
        &mut self,
        entries: BTreeMap<I, D>,
        session_id: Option<&SessionId>,
        seen: Sighting,
    ) {
        let absent_at = self.listed_at;
        for (id, details) in entries {
            let unknown = || Entry { absent_at, present: Vec::new(), left_at: None };
            let entry = self.entries.entry(id).or_insert_with(unknown);
            entry.join(Present { session_id: session_id.cloned(), seen, details });
        }
    }

    fn merge(&mut self, other: &Self) {
        for (id, entry) in &mut self.entries {
            if !other.entries.contains_key(id) {
                entry.absent_at = entry.absent_at.max(other.listed_at);
            }
        }
        for (id, theirs) in &other.entries {
            let unknown =
                || Entry { absent_at: self.listed_at, present: Vec::new(), left_at: None };
            let entry = self.entries.entry(id.clone()).or_insert_with(unknown);
            entry.absent_at = entry.absent_at.max(theirs.absent_at);
            entry.left_at = entry.left_at.max(theirs.left_at);
            for present in &theirs.present {
                entry.join(present.clone());
            }
        }
        self.listed_at = self.listed_at.max(other.listed_at);
    }

    fn settle(&mut self, floor: Timestamp) {
        let is_held = |at: &Timestamp| *at >= floor;
        self.listed_at = self.listed_at.filter(is_held);
        let listed_at = self.listed_at;
        self.entries.retain(|_, entry| {
            entry.absent_at = entry.absent_at.filter(is_held);
            let absent_at = entry.absent_at;
            // A leave from before the absence closes nothing that is still held.
            entry.left_at = entry.left_at.filter(|at| is_held(at) && Some(*at) >= absent_at);
            entry
                .present
                .retain(|present| present.seen.at >= floor && Some(present.seen.at) >= absent_at);
            !entry.present.is_empty() || absent_at != listed_at
        });
    }

    /// The latest complete list that did not name somebody.
    pub(crate) fn absent_at(&self, id: &I) -> Option<Timestamp> {
        if self.entries.is_empty() {
            return self.listed_at;
        }
        self.entries.get(id).map_or(self.listed_at, |entry| entry.absent_at)
    }

    /// Lets go presences, by the names of their sessions, and the entry where nothing is left that
    /// readers could miss.
    pub(crate) fn forget(&mut self, id: &I, idle: &[Option<SessionId>]) {
        let Some(entry) = self.entries.get_mut(id) else { return };
        let had_presence = !entry.present.is_empty();
        entry.present.retain(|present| !idle.contains(&present.session_id));
        if !had_presence || entry.present.is_empty() && entry.absent_at == self.listed_at {
            self.entries.remove(id);
        }
    }

    /// Whether a list named somebody as present.
    pub(crate) fn names(&self, id: &I) -> bool {
        self.entries.get(id).is_some_and(|entry| !entry.present.is_empty())
    }

    /// Presences that are too many or not in the order of their names, an absence after the last
    /// list.
    #[cfg(feature = "serde")]
    fn impossible(&self) -> Option<&'static str> {
        self.entries.values().find_map(|entry| {
            let in_order = entry.present.is_sorted_by(|a, b| a.session_id < b.session_id);
            if !in_order || entry.present.len() > MAX_PRESENCES {
                Some("a set of presences")
            } else {
                (entry.absent_at > self.listed_at).then_some("an absence")
            }
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.listed_at.is_none() && self.entries.is_empty()
    }

    fn sightings(&mut self) -> impl Iterator<Item = &mut Sighting> {
        let present = self.entries.values_mut().flat_map(|entry| &mut entry.present);
        present.map(|present| &mut present.seen)
    }

    fn last_received_at(&self) -> Option<Timestamp> {
        let present = self.entries.values().flat_map(|entry| &entry.present);
        present.map(|present| present.seen.received_at).max()
    }

    fn newest(&self) -> Option<Timestamp> {
        let present = self.entries.values().flat_map(|entry| &entry.present);
        present.map(|present| present.seen.at).max().max(self.listed_at)
    }
}

impl<D: Ord> Entry<D> {
    fn join(&mut self, present: Present<D>) {
        match self.present.binary_search_by(|held| held.session_id.cmp(&present.session_id)) {
            Err(index) => {
                self.present.insert(index, present);
                self.cap();
            }
            Ok(index) => {
                let held = &mut self.present[index];
                let is_greater =
                    (present.seen.at, &present.details) > (held.seen.at, &held.details);
                held.seen = held.seen.join(present.seen);
                if is_greater {
                    held.details = present.details;
                }
            }
        }
    }

    /// Beyond the cap goes the oldest that names a session.
    fn cap(&mut self) {
        if self.present.len() <= MAX_PRESENCES {
            return;
        }
        let named = self.present.iter().enumerate().filter(|(_, held)| held.session_id.is_some());
        let oldest = named.min_by_key(|(_, held)| held.seen.at).map(|(index, _)| index);
        self.present.remove(oldest.expect("one at most names no session, and there are more"));
    }
}
