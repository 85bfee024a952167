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

use std::collections::BTreeMap;
use std::ops::Deref;

use crate::collections::id_table::IdTable;
use crate::model::id::{StreamId, UserId};
use crate::model::observation::Observation;
use crate::model::time::Timestamp;
use crate::model::visible::Presence;
use crate::registers::roster::{Roster, SeenAt, StreamPresence, greatest};

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

/// What observations said of a room, in one word of memory as long as they said nothing. Most rooms are
/// never asked about.
#[derive(Debug, Clone, Default)]
pub(crate) struct MaybeObserved(Option<Box<Observed>>);

impl MaybeObserved {
    /// Whether no observation left anything.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|observed| observed.is_empty())
    }

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
        if !self.is_empty() {
            self.hidden_at = self.hidden_at.max(Some(hidden_at));
        }
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

    fn is_empty(&self) -> bool {
        self.not_open_at.is_none()
            && self.open_at.is_none()
            && self.users.is_empty()
            && self.streams.is_empty()
            && self.hidden_at.is_none()
    }
}
