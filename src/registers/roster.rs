//! The observed roster of a list: who was in it, and who was not, as observations saw it.
//!
//! One serves the users of a room, and one the streams. `observed.rs` joins observations and replicas into
//! them, and `rules/visibility.rs` says which presences count.
//!
//! This file carries laws 12.5, 13.2, 14.2 to 14.5, 16.2, 16.6 and 16.7.

use std::collections::{BTreeMap, BTreeSet};

use crate::collections::hashed::Hashed;
use crate::collections::id_table::IdTable;
use crate::model::callback::StreamDetails;
use crate::model::id::SessionId;
use crate::model::observation::ObservedList;
use crate::model::time::Timestamp;

/// How many presences one entry holds, one for each session name (law 14.5). More come only from hostile
/// input.
pub(crate) const MAX_PRESENCES: usize = 16;

/// When an observation saw something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct SeenAt {
    /// q, in event time (law 12.2). It orders facts.
    pub(crate) at: Timestamp,
    /// When the answer was handed in, in local time. An end of the room hides what was received by then.
    pub(crate) received_at: Timestamp,
}

/// The observed roster: who was in a list, and who was not (law 14.2).
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(bound(
        serialize = "I: Ord + AsRef<str> + serde::Serialize, D: serde::Serialize",
        deserialize = "I: Ord + Clone + AsRef<str> + serde::Deserialize<'de>, D: serde::Deserialize<'de>"
    ))
)]
pub(crate) struct Roster<I, D> {
    /// W: the event time of the latest complete list. Whoever has no entry was absent from it.
    pub(crate) listed_at: Option<Timestamp>,
    /// The users or streams that any list named, by id.
    pub(crate) entries: IdTable<I, RosterEntry<D>>,
}

/// What lists said of one user or stream.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct RosterEntry<D> {
    /// a: the event time of the latest complete list without the id. It is never later than W.
    pub(crate) absent_at: Option<Timestamp>,
    /// The latest presence for each session name, and the latest without one. They are ordered by that
    /// name.
    pub(crate) present: Vec<Present<D>>,
    /// A `leave_room` closed the presences up to here, in event time (law 16.2).
    pub(crate) left_at: Option<Timestamp>,
}

/// A presence: a list named the user or stream.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Present<D> {
    /// The session that the answer named.
    pub(crate) session_id: Option<SessionId>,
    /// When it was seen, and when the answer was handed in.
    pub(crate) seen: SeenAt,
    /// What the entry in the list told.
    pub(crate) details: D,
}

/// What a list told of a stream.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct StreamPresence {
    /// When the stream opened, in event time, if the list told it. It is shown, and orders no facts (law
    /// 12.5).
    pub(crate) created_at: Option<Timestamp>,
    /// What readers see of the stream.
    pub(crate) details: StreamDetails,
}

/// Returns the entries of a list by id. Of two with the same id, the greater counts (law 12.5).
pub(super) fn greatest<I: Ord, D: Ord>(entries: impl Iterator<Item = (I, D)>) -> BTreeMap<I, D> {
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

impl SeenAt {
    /// Joins two: the later event time counts. At equal times the earlier receipt does, because a repeat
    /// must not undo that an end hides it (law 16.3).
    pub(super) fn join(self, other: Self) -> Self {
        match self.at.cmp(&other.at) {
            std::cmp::Ordering::Less => other,
            std::cmp::Ordering::Greater => self,
            std::cmp::Ordering::Equal => {
                Self { received_at: self.received_at.min(other.received_at), ..self }
            }
        }
    }
}

impl<I: AsRef<str>, D: PartialEq> PartialEq for Roster<I, D> {
    fn eq(&self, other: &Self) -> bool {
        self.listed_at == other.listed_at && self.entries == other.entries
    }
}

impl<I, D> Default for Roster<I, D> {
    fn default() -> Self {
        Self { listed_at: None, entries: IdTable::default() }
    }
}

impl<I: Ord + Clone + AsRef<str>, D: Ord + Clone> Roster<I, D> {
    /// Joins a list of an observation. A list that was not asked for says nothing.
    pub(super) fn join<T>(
        &mut self,
        entries: BTreeMap<&I, D>,
        list: &ObservedList<T>,
        session_id: Option<&SessionId>,
        seen: SeenAt,
    ) {
        match list {
            ObservedList::NotAsked => {}
            ObservedList::Partial(_) => self.join_present(entries, session_id, seen),
            ObservedList::Complete(_) => self.join_complete(entries, session_id, seen),
        }
    }

    /// Joins a complete list in the three steps of law 14.3: presences, absences, and then W.
    pub(super) fn join_complete(
        &mut self,
        entries: BTreeMap<&I, D>,
        session_id: Option<&SessionId>,
        seen: SeenAt,
    ) {
        let named: BTreeSet<&I> = entries.keys().copied().collect();
        self.join_present(entries, session_id, seen);
        for (id, entry) in self.entries.iter_mut() {
            if !named.contains(id) {
                entry.absent_at = entry.absent_at.max(Some(seen.at));
            }
        }
        self.listed_at = self.listed_at.max(Some(seen.at));
    }

    /// Joins a presence of everybody in a list. A partial list says nothing of others (law 13.2).
    fn join_present(
        &mut self,
        entries: BTreeMap<&I, D>,
        session_id: Option<&SessionId>,
        seen: SeenAt,
    ) {
        for (id, details) in entries {
            let entry = self.entry(id);
            entry.join(Present { session_id: session_id.cloned(), seen, details });
        }
    }

    /// Joins the roster of another replica (law 16.7). An id without an entry there was absent from its
    /// latest complete list.
    pub(super) fn merge(&mut self, other: &Self) {
        for (id, entry) in self.entries.iter_mut() {
            if !other.entries.contains_key(id) {
                entry.absent_at = entry.absent_at.max(other.listed_at);
            }
        }
        for (id, theirs) in other.entries.iter() {
            let entry = self.entry(id);
            entry.absent_at = entry.absent_at.max(theirs.absent_at);
            entry.left_at = entry.left_at.max(theirs.left_at);
            for present in &theirs.present {
                entry.join(present.clone());
            }
        }
        self.listed_at = self.listed_at.max(other.listed_at);
    }

    /// Returns the entry of an id, and makes one if there is none: with a = W and no presence (law 14.2).
    fn entry(&mut self, id: &I) -> &mut RosterEntry<D> {
        let id = Hashed::new(id);
        let place = self.entries.place_of(&id).unwrap_or_else(|| {
            let absent_at = self.listed_at;
            let unknown = RosterEntry { absent_at, present: Vec::new(), left_at: None };
            self.entries.insert_new(id, unknown)
        });
        self.entries.at_mut(place).expect("it was found or put there just now")
    }

    /// Drops what is below the floor (law 13.3), and presences that are earlier than their absence (law
    /// 14.4).
    pub(super) fn prune(&mut self, floor: Timestamp) {
        let is_held = |at: &Timestamp| *at >= floor;
        self.listed_at = self.listed_at.filter(is_held);
        for entry in self.entries.values_mut() {
            entry.absent_at = entry.absent_at.filter(is_held);
            let absent_at = entry.absent_at;
            // A leave that is earlier than the absence closes no presence that is still held.
            entry.left_at = entry.left_at.filter(|at| is_held(at) && Some(*at) >= absent_at);
            entry
                .present
                .retain(|present| present.seen.at >= floor && Some(present.seen.at) >= absent_at);
        }
    }

    /// Drops entries without a presence if a = W: they say what no entry says (law 14.4).
    pub(super) fn drop_idle(&mut self) {
        let listed_at = self.listed_at;
        self.entries.retain(|_, entry| !entry.present.is_empty() || entry.absent_at != listed_at);
    }

    /// Closes the presences of whoever has this place, up to the latest (law 16.2).
    pub(crate) fn leave(&mut self, place: usize) {
        if let Some(entry) = self.entries.at_mut(place) {
            let latest = entry.present.iter().map(|present| present.seen.at).max();
            entry.left_at = entry.left_at.max(latest);
        }
    }

    /// Returns a: the latest complete list without whoever has this place. Whoever has no place was absent
    /// from the latest of all.
    pub(crate) fn absent_at(&self, place: Option<usize>) -> Option<Timestamp> {
        let entry = place.and_then(|place| self.entries.at(place));
        entry.map_or(self.listed_at, |(_, entry)| entry.absent_at)
    }

    /// Returns the entry that stands in a place.
    pub(crate) fn entry_at(&self, place: Option<usize>) -> Option<&RosterEntry<D>> {
        self.entries.at(place?).map(|(_, entry)| entry)
    }

    /// Forgets the presences of these session names (law 16.6). Then the entry is dropped if it says no
    /// more than the latest complete list. An entry that had no presence is dropped whatever it says: the
    /// caller made sure that nothing under the id counts. Returns whether the entry was dropped.
    pub(crate) fn forget(&mut self, place: usize, idle: &[Option<SessionId>]) -> bool {
        let Some(entry) = self.entries.at_mut(place) else { return false };
        let had_presence = !entry.present.is_empty();
        entry.present.retain(|present| !idle.contains(&present.session_id));
        let goes = !had_presence || entry.present.is_empty() && entry.absent_at == self.listed_at;
        if goes {
            self.entries.swap_remove_at(place);
        }
        goes
    }

    /// Returns what no observations can have made: too many presences, or not in order, or an absence after
    /// the latest complete list. For what comes from a store.
    #[cfg(feature = "serde")]
    pub(super) fn impossible(&self) -> Option<&'static str> {
        self.entries.values().find_map(|entry| {
            let in_order = entry.present.is_sorted_by(|a, b| a.session_id < b.session_id);
            if !in_order || entry.present.len() > MAX_PRESENCES {
                Some("a set of presences")
            } else {
                (entry.absent_at > self.listed_at).then_some("an absence")
            }
        })
    }

    /// Whether it says nothing of anybody.
    pub(crate) fn is_empty(&self) -> bool {
        self.listed_at.is_none() && self.entries.is_empty()
    }

    /// Whether any entry has a presence.
    pub(super) fn has_presence(&self) -> bool {
        self.entries.values().any(|entry| !entry.present.is_empty())
    }

    /// Returns when each presence was seen, to pull local times back.
    pub(super) fn seen_mut(&mut self) -> impl Iterator<Item = &mut SeenAt> {
        let present = self.entries.values_mut().flat_map(|entry| &mut entry.present);
        present.map(|present| &mut present.seen)
    }

    /// Returns the local time at which the last presence was received.
    pub(super) fn last_received_at(&self) -> Option<Timestamp> {
        let present = self.entries.values().flat_map(|entry| &entry.present);
        present.map(|present| present.seen.received_at).max()
    }

    /// Returns the latest event time of a presence or a complete list.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        let present = self.entries.values().flat_map(|entry| &entry.present);
        present.map(|present| present.seen.at).max().max(self.listed_at)
    }
}

impl<D> RosterEntry<D> {
    /// Whether a list named it as present.
    pub(crate) fn is_present(&self) -> bool {
        !self.present.is_empty()
    }
}

impl<D: Ord> RosterEntry<D> {
    /// Joins a presence: for each session name the latest counts, and at equal times the greater details.
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

    /// Beyond the cap, drops the oldest presence that names a session (law 14.5).
    fn cap(&mut self) {
        if self.present.len() <= MAX_PRESENCES {
            return;
        }
        let named = self.present.iter().enumerate().filter(|(_, held)| held.session_id.is_some());
        let oldest = named.min_by_key(|(_, held)| held.seen.at).map(|(index, _)| index);
        self.present.remove(oldest.expect("one at most names no session, and there are more"));
    }
}
