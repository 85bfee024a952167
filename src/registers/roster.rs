//! What observations said of a room: the registers that mend what callbacks lost.
//!
//! Every fact here has an event time, *q*: the time of the observation less the clock skew. A list that
//! was asked for completely says that everybody in it was present at q, and that everybody else was
//! absent then. These are joins too. So neither the order nor the repetition of observations matters,
//! nor how they mix with callbacks.
//!
//! | an answer says | fact at q |
//! |---|---|
//! | the room is not open | `not_open_at`; both lists are complete and empty |
//! | a named session is closed | the close of that session, as a callback would tell it |
//! | the room is open | `open_at` |
//! | a named session is open | the `confirmed_open_at` of that session |
//! | somebody is in a list | a presence, with the name of the session or without |
//! | the list is complete | the absence of everybody else |
//!
//! What a presence means for readers stands in [`visibility`](crate::rules::visibility).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use crate::collections::hashed::Hashed;
use crate::collections::id_table::IdTable;
use crate::model::callback::StreamDetails;
use crate::model::id::{SessionId, StreamId, UserId};
use crate::model::observation::{Observation, ObservedList};
use crate::model::time::Timestamp;
use crate::model::visible::Presence;

/// How many sessions may name one user or stream as present. More come only from hostile input.
const MAX_PRESENCES: usize = 16;

/// Everything that observations said of a room, without what they said of single sessions.
#[derive(Debug, Clone, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Observed {
    /// When the room was last seen not to be open.
    pub(crate) not_open_at: Option<Timestamp>,
    /// When the room was last seen to be open, in a session that was not named.
    pub(crate) open_at: Option<SeenAt>,
    /// When the room last ended and hid what observations had told until then, in local time.
    pub(crate) hidden_at: Option<Timestamp>,
    pub(crate) users: Roster<UserId, Presence>,
    pub(crate) streams: Roster<StreamId, StreamPresence>,
}

/// When something was seen, in event time, and when the answer was received, in local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct SeenAt {
    pub(crate) at: Timestamp,
    pub(crate) received_at: Timestamp,
}

/// The observed roster: who was in a list, and who was not.
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
    /// The latest complete list. Whoever has no entry was absent from it.
    pub(crate) listed_at: Option<Timestamp>,
    pub(crate) entries: IdTable<I, RosterEntry<D>>,
}

/// What lists said of one user or stream.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct RosterEntry<D> {
    /// The latest complete list without it.
    pub(crate) absent_at: Option<Timestamp>,
    /// The latest list with it, for each name of a session and for none, ordered by that.
    pub(crate) present: Vec<Present<D>>,
    /// A leave that the application told closed the presences until here.
    pub(crate) left_at: Option<Timestamp>,
}

/// A presence: a list had the user or stream.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Present<D> {
    pub(crate) session_id: Option<SessionId>,
    pub(crate) seen: SeenAt,
    pub(crate) details: D,
}

/// What a list told of a stream.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct StreamPresence {
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) details: StreamDetails,
}

/// What observations said of a room, in one word of memory as long as they said nothing. Most rooms are
/// never asked about.
#[derive(Debug, Clone, Default)]
pub(crate) struct MaybeObserved(Option<Box<Observed>>);

impl MaybeObserved {
    /// Returns what they said, to change it, if they said anything.
    pub(crate) fn held(&mut self) -> Option<&mut Observed> {
        self.0.as_deref_mut()
    }

    /// Returns what they said, to add to it.
    pub(crate) fn held_or_new(&mut self) -> &mut Observed {
        self.0.get_or_insert_default()
    }

    /// Drops the entries that say no more than the latest complete list.
    pub(crate) fn drop_idle(&mut self) {
        if let Some(observed) = &mut self.0 {
            observed.drop_idle();
        }
        self.0.take_if(|observed| observed.is_empty());
    }
}

impl Deref for MaybeObserved {
    type Target = Observed;

    fn deref(&self) -> &Observed {
        static NOTHING: Observed = Observed {
            not_open_at: None,
            open_at: None,
            hidden_at: None,
            users: Roster { listed_at: None, entries: IdTable::new() },
            streams: Roster { listed_at: None, entries: IdTable::new() },
        };
        self.0.as_deref().unwrap_or(&NOTHING)
    }
}

impl PartialEq for MaybeObserved {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

#[cfg(feature = "serde")]
impl From<Observed> for MaybeObserved {
    fn from(observed: Observed) -> Self {
        Self((!observed.is_empty()).then(|| Box::new(observed)))
    }
}

impl Observed {
    /// Joins that the room was not open: nobody and nothing was in it.
    pub(crate) fn join_not_open(&mut self, seen: SeenAt) {
        self.not_open_at = self.not_open_at.max(Some(seen.at));
        self.users.join_complete(BTreeMap::new(), None, seen);
        self.streams.join_complete(BTreeMap::new(), None, seen);
    }

    /// Joins what the lists of an observation say.
    pub(crate) fn join_lists(&mut self, observation: &Observation, seen: SeenAt) {
        let session_id = observation.session_id.as_ref();
        let users = observation.users.entries().iter().map(|user| {
            let presence = Presence {
                user_name: user.user_name.clone(),
                role: user.role.clone(),
                login_at: user.login_at,
            };
            (&user.user_id, presence)
        });
        let streams = observation.streams.entries().iter().map(|stream| {
            let presence =
                StreamPresence { created_at: stream.created_at, details: stream.details.clone() };
            (&stream.stream_id, presence)
        });
        self.users.join(greatest(users), &observation.users, session_id, seen);
        self.streams.join(greatest(streams), &observation.streams, session_id, seen);
    }

    /// Joins that the room was seen open.
    pub(crate) fn join_open(&mut self, seen: SeenAt) {
        self.open_at = Some(self.open_at.map_or(seen, |held| held.join(seen)));
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

    /// Drops what is below the floor, and what other registers outdate: that the room was seen open
    /// before it was seen not to be, before the latest creation, before a close, or before the latest exit
    /// from the nameless session.
    ///
    /// An entry that is left without meaning keeps its place until the end of the operation; see
    /// [`drop_idle`](MaybeObserved::drop_idle).
    pub(crate) fn prune(&mut self, floor: Timestamp, outdated_until: Option<Timestamp>) {
        self.not_open_at = self.not_open_at.filter(|at| *at >= floor);
        self.open_at =
            self.open_at.filter(|seen| seen.at >= floor && Some(seen.at) >= self.not_open_at);
        self.outdate_open(outdated_until);
        self.users.prune(floor);
        self.streams.prune(floor);
    }

    /// Drops that the room was seen open, if that was no later than what outdates it.
    pub(crate) fn outdate_open(&mut self, outdated_until: Option<Timestamp>) {
        self.open_at = self.open_at.filter(|seen| Some(seen.at) > outdated_until);
    }

    /// Drops the entries that say no more than the latest complete list.
    fn drop_idle(&mut self) {
        self.users.drop_idle();
        self.streams.drop_idle();
    }

    /// Hides what was seen until now: the room ends.
    pub(crate) fn hide(&mut self, hidden_at: Timestamp) {
        self.hidden_at = self.hidden_at.max(Some(hidden_at));
    }

    /// Returns the local time of receipt. After an end it is later than the end, even if the clock
    /// stood still.
    pub(crate) fn received_at(&self, now: Timestamp) -> Timestamp {
        self.hidden_at.map_or(now, |hidden_at| now.max(hidden_at.plus(1)))
    }

    /// Returns when the last of it was received, in local time.
    pub(crate) fn last_received_at(&self) -> Option<Timestamp> {
        let open = self.open_at.map(|seen| seen.received_at);
        open.max(self.users.last_received_at()).max(self.streams.last_received_at())
    }

    /// Pulls local times that lie in the future back to now. What was received before an end stays
    /// before it, and what was received after it stays after it.
    pub(crate) fn pull_back(&mut self, now: Timestamp) {
        let hidden_at = self.hidden_at;
        self.hidden_at = hidden_at.map(|at| at.min(now));
        let after_end = self.received_at(now);
        let pull_back = |seen: &mut SeenAt| {
            let is_before_end = Some(seen.received_at) <= hidden_at;
            seen.received_at = seen.received_at.min(if is_before_end { now } else { after_end });
        };
        self.open_at.iter_mut().for_each(pull_back);
        self.users.seen_mut().for_each(pull_back);
        self.streams.seen_mut().for_each(pull_back);
    }

    /// Whether somebody or something was seen in the room.
    pub(crate) fn has_presence(&self) -> bool {
        self.users.has_presence() || self.streams.has_presence()
    }

    /// Returns the latest time in it that keeps the room from being forgotten.
    pub(crate) fn newest(&self) -> Option<Timestamp> {
        let own = [self.not_open_at, self.open_at.map(|seen| seen.at), self.hidden_at];
        let rosters = self.users.newest().max(self.streams.newest());
        own.into_iter().max().flatten().max(rosters)
    }

    /// Returns what in it cannot have come from observations. For what comes from a store.
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

/// Keeps the greater of two entries of one id, so that one list has one meaning.
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

impl SeenAt {
    /// Joins two: the later event time counts. At equal times the earlier receipt does, as a repeat is
    /// nothing new.
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
    fn join<T>(
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

    fn join_complete(
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

    fn merge(&mut self, other: &Self) {
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

    /// Returns the entry of an id. Whoever has none was absent from the latest complete list.
    fn entry(&mut self, id: &I) -> &mut RosterEntry<D> {
        let id = Hashed::new(id);
        let place = self.entries.place_of(&id).unwrap_or_else(|| {
            let absent_at = self.listed_at;
            let unknown = RosterEntry { absent_at, present: Vec::new(), left_at: None };
            self.entries.insert_new(id, unknown)
        });
        self.entries.at_mut(place).expect("it was found or put there just now")
    }

    fn prune(&mut self, floor: Timestamp) {
        let is_held = |at: &Timestamp| *at >= floor;
        self.listed_at = self.listed_at.filter(is_held);
        for entry in self.entries.values_mut() {
            entry.absent_at = entry.absent_at.filter(is_held);
            let absent_at = entry.absent_at;
            // A leave from before the absence closes nothing that is still held.
            entry.left_at = entry.left_at.filter(|at| is_held(at) && Some(*at) >= absent_at);
            entry
                .present
                .retain(|present| present.seen.at >= floor && Some(present.seen.at) >= absent_at);
        }
    }

    fn drop_idle(&mut self) {
        let listed_at = self.listed_at;
        self.entries.retain(|_, entry| !entry.present.is_empty() || entry.absent_at != listed_at);
    }

    /// Closes the presences of a user or stream, until the latest. Returns whether that is new.
    pub(crate) fn leave(&mut self, place: usize) -> bool {
        let Some(entry) = self.entries.at_mut(place) else { return false };
        let before = entry.left_at;
        let latest = entry.present.iter().map(|present| present.seen.at).max();
        entry.left_at = entry.left_at.max(latest);
        entry.left_at != before
    }

    /// Returns the latest complete list that did not name whoever has this place, or no place.
    pub(crate) fn absent_at(&self, place: Option<usize>) -> Option<Timestamp> {
        let entry = place.and_then(|place| self.entries.at(place));
        entry.map_or(self.listed_at, |(_, entry)| entry.absent_at)
    }

    /// Returns the entry that has a place.
    pub(crate) fn entry_at(&self, place: Option<usize>) -> Option<&RosterEntry<D>> {
        self.entries.at(place?).map(|(_, entry)| entry)
    }

    /// Drops presences, by the names of their sessions, and the entry if nothing is left that readers
    /// could miss. Returns whether the entry went.
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

    /// Returns presences that are too many or not in the order of their names, and an absence after the
    /// last list.
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

    fn has_presence(&self) -> bool {
        self.entries.values().any(|entry| !entry.present.is_empty())
    }

    fn seen_mut(&mut self) -> impl Iterator<Item = &mut SeenAt> {
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

impl<D> RosterEntry<D> {
    /// Whether a list named it as present.
    pub(crate) fn is_present(&self) -> bool {
        !self.present.is_empty()
    }
}

impl<D: Ord> RosterEntry<D> {
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

    /// Drops the oldest presence that names a session, beyond the cap.
    fn cap(&mut self) {
        if self.present.len() <= MAX_PRESENCES {
            return;
        }
        let named = self.present.iter().enumerate().filter(|(_, held)| held.session_id.is_some());
        let oldest = named.min_by_key(|(_, held)| held.seen.at).map(|(index, _)| index);
        self.present.remove(oldest.expect("one at most names no session, and there are more"));
    }
}
