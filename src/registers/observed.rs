//! What observations said of a room: the registers that mend what lost callbacks left wrong.
//!
//! Every fact here has the event time *q*: the time of the observation less δ (law 12.2). A complete list
//! says that everybody in it was present at q, and that everybody else was absent. These are joins too. So
//! neither the order nor the repetition of observations matters, nor how they mix with callbacks (law
//! 14.6).
//!
//! | an answer says | fact at q (law 13.1) |
//! |---|---|
//! | the room is not open | `not_open_at`; both lists are complete and empty |
//! | a named session is closed | the close of that session, as a callback would tell it |
//! | the room is open, in a session that is not named | `open_at` |
//! | a named session is open | the `confirmed_open_at` of that session |
//! | an entry is in a list | a presence, with the name of the session or without |
//! | the list is complete | the absence of everybody else |
//!
//! `join.rs` writes it, and `end_room`, `leave_room` and the retention (`room/forget.rs`) take back from
//! it. What it means for readers stands in [`visibility`](crate::rules::visibility).
//!
//! This file carries laws 13.1 to 13.3, 14.1, 14.5, 14.6, 16.3, 16.6 and 16.7.

use std::collections::BTreeMap;
use std::ops::Deref;

use crate::collections::id_table::IdTable;
use crate::model::id::{StreamId, UserId};
use crate::model::observation::Observation;
use crate::model::time::Timestamp;
use crate::model::visible::Presence;
use crate::registers::roster::{Roster, SeenAt, StreamPresence, greatest};

/// Everything that observations said of a room, without closes and confirmations of single sessions. The
/// names of the fields are those of the stored form.
#[derive(Debug, Clone, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Observed {
    /// N: the latest `not open`, in event time (law 14.1).
    pub(crate) not_open_at: Option<Timestamp>,
    /// P: the latest `open` of a room whose session the answer did not name (law 14.1).
    pub(crate) open_at: Option<SeenAt>,
    /// When the room last ended, in local time, if the room forgot that end. It hides what was received by
    /// then (law 16.3).
    pub(crate) hidden_at: Option<Timestamp>,
    /// The observed roster of the users (law 14.2).
    pub(crate) users: Roster<UserId, Presence>,
    /// The observed roster of the streams (law 14.2).
    pub(crate) streams: Roster<StreamId, StreamPresence>,
}

/// What observations said of a room. Most rooms are never asked about, so nothing takes one word of memory.
/// It reads as an empty [`Observed`].
#[derive(Debug, Clone, Default)]
pub(crate) struct MaybeObserved(Option<Box<Observed>>);

impl MaybeObserved {
    /// Whether nothing is stored that observations said.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|observed| observed.is_empty())
    }

    /// Returns what they said, to take back from it. `None` if they said nothing.
    pub(crate) fn held(&mut self) -> Option<&mut Observed> {
        self.0.as_deref_mut()
    }

    /// Returns what they said, to add to it.
    pub(crate) fn held_or_new(&mut self) -> &mut Observed {
        self.0.get_or_insert_default()
    }

    /// Drops the entries that say no more than the latest complete list (law 14.4), and all of it if
    /// nothing is left. Places in the rosters change.
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
    /// Joins that the room was not open: both lists were complete and empty.
    pub(crate) fn join_not_open(&mut self, seen: SeenAt) {
        self.not_open_at = self.not_open_at.max(Some(seen.at));
        self.users.join_complete(BTreeMap::new(), None, seen);
        self.streams.join_complete(BTreeMap::new(), None, seen);
    }

    /// Joins what the lists of an observation say. Somebody who is in a list twice counts once, with the
    /// greater details (law 12.5).
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

    /// Joins everything that another replica holds of observations (law 16.7). The caller prunes it.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.not_open_at = self.not_open_at.max(other.not_open_at);
        self.hidden_at = self.hidden_at.max(other.hidden_at);
        if let Some(seen) = other.open_at {
            self.join_open(seen);
        }
        self.users.merge(&other.users);
        self.streams.merge(&other.streams);
    }

    /// Drops what is below the floor (law 13.3). P is also dropped if it is earlier than N, or no later
    /// than `outdated_until` (law 14.5). That is C, a close, or an exit from the nameless session.
    ///
    /// An entry that says nothing any more keeps its place until the end of the operation.
    /// [`drop_idle`](MaybeObserved::drop_idle) then drops it.
    pub(crate) fn prune(&mut self, floor: Timestamp, outdated_until: Option<Timestamp>) {
        self.not_open_at = self.not_open_at.filter(|at| *at >= floor);
        self.open_at =
            self.open_at.filter(|seen| seen.at >= floor && Some(seen.at) >= self.not_open_at);
        self.outdate_open(outdated_until);
        self.users.prune(floor);
        self.streams.prune(floor);
    }

    /// Drops P if it is no later than what outdates it (law 14.5).
    pub(crate) fn outdate_open(&mut self, outdated_until: Option<Timestamp>) {
        self.open_at = self.open_at.filter(|seen| Some(seen.at) > outdated_until);
    }

    /// Drops the entries that say no more than the latest complete list (law 14.4).
    fn drop_idle(&mut self) {
        self.users.drop_idle();
        self.streams.drop_idle();
    }

    /// Keeps an end that the room forgets. It hides what was received by then (law 16.3).
    pub(crate) fn hide(&mut self, hidden_at: Timestamp) {
        if !self.is_empty() {
            self.hidden_at = self.hidden_at.max(Some(hidden_at));
        }
    }

    /// Returns the local time at which something counts as received. After an end it is later than the end,
    /// even if the clock stood still (law 6.5).
    pub(crate) fn received_at(&self, now: Timestamp, ended_at: Option<Timestamp>) -> Timestamp {
        self.hidden_until(ended_at).map_or(now, |hidden_until| now.max(hidden_until.plus(1)))
    }

    /// Returns the local time of the latest end that hides what was received by then. It is the one that it
    /// keeps, or that the room remembers. Business info that was made later shows it again (law 16.3);
    /// callers check that.
    #[inline]
    pub(crate) fn hidden_until(&self, ended_at: Option<Timestamp>) -> Option<Timestamp> {
        self.hidden_at.max(ended_at)
    }

    /// Returns the local time at which the last of it was received. An end must not be earlier (law 6.5).
    pub(crate) fn last_received_at(&self) -> Option<Timestamp> {
        let open = self.open_at.map(|seen| seen.received_at);
        open.max(self.users.last_received_at()).max(self.streams.last_received_at())
    }

    /// Pulls local times that lie in the future back to now. What was received before an end stays before
    /// it, and what was received after it stays after it.
    pub(crate) fn pull_back(&mut self, now: Timestamp, ended_at: Option<Timestamp>) {
        let hidden_until = self.hidden_until(ended_at);
        self.hidden_at = self.hidden_at.map(|at| at.min(now));
        let after_end = self.received_at(now, ended_at.map(|at| at.min(now)));
        let pull_back = |seen: &mut SeenAt| {
            let is_before_end = Some(seen.received_at) <= hidden_until;
            seen.received_at = seen.received_at.min(if is_before_end { now } else { after_end });
        };
        self.open_at.iter_mut().for_each(pull_back);
        self.users.seen_mut().for_each(pull_back);
        self.streams.seen_mut().for_each(pull_back);
    }

    /// Whether a presence is held of any user or stream, whether it counts or not.
    pub(crate) fn has_presence(&self) -> bool {
        self.users.has_presence() || self.streams.has_presence()
    }

    /// Returns the latest time in it. The room is forgotten only when it is below the threshold (law 16.6).
    /// An end that hides something counts, although it is a local time.
    pub(crate) fn newest(&self, ended_at: Option<Timestamp>) -> Option<Timestamp> {
        let ended_at = ended_at.filter(|_| !self.is_empty());
        let open_at = self.open_at.map(|seen| seen.at);
        let own = [self.not_open_at, open_at, self.hidden_until(ended_at)];
        let rosters = self.users.newest().max(self.streams.newest());
        own.into_iter().max().flatten().max(rosters)
    }

    /// Returns what in it no observations can have made. For what comes from a store.
    #[cfg(feature = "serde")]
    pub(crate) fn impossible(&self) -> Option<&'static str> {
        self.users.impossible().or(self.streams.impossible())
    }

    fn is_empty(&self) -> bool {
        self.not_open_at.is_none()
            && self.open_at.is_none()
            && self.users.is_empty()
            && self.streams.is_empty()
            && self.hidden_at.is_none()
    }
}
