//! Who and what readers see, callbacks and observations taken together.
//!
//! A login or stream that callbacks tell of counts, unless a later complete list was without it. A
//! presence that an observation tells of counts as long as nothing newer is known: no list without it,
//! no creation or close of the room, and no fact of a callback about the same user or stream.
//!
//! A user who has both is shown by the login. One who has only a presence is shown in a session that
//! nobody named. A room of which only presences are known is open in an unknown session.

use crate::model::id::SessionId;
use crate::model::time::Timestamp;
use crate::registers::kind::{Kind, Streams, Users, copy};
use crate::registers::places::Places;
use crate::registers::roster::{Present, RosterEntry, SeenAt};
use crate::registers::stays::StayRegister;
use crate::registers::stays::held::HeldFact;
use crate::registers::tables::Tables;
use crate::rules::Rulebook;
use crate::rules::current::is_closed;

/// The session that readers see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visible {
    /// One that callbacks or observations named, by its index.
    Session(usize),
    /// The room is known to be open, and nothing else.
    Unknown,
}

impl Visible {
    #[inline]
    pub(crate) fn index(self) -> Option<usize> {
        match self {
            Self::Session(index) => Some(index),
            Self::Unknown => None,
        }
    }
}

/// What the media server says of a user or stream.
#[derive(Debug)]
pub(crate) enum Source<'a, K: Kind> {
    /// Callbacks told of a stay that holds.
    Stay(&'a HeldFact<K>),
    /// An observation saw it, at an event time.
    Presence(&'a K::Presence, Timestamp),
}

copy!(Source);

impl<'a, K: Kind> Source<'a, K> {
    /// Returns when it came, if that is known.
    #[inline]
    pub(crate) fn began_at(self) -> Option<Timestamp> {
        match self {
            Self::Stay(held) => Some(held.at),
            Self::Presence(presence, _) => K::began_at(presence),
        }
    }

    /// Returns the stay, if callbacks told of it.
    #[inline]
    pub(crate) fn stay(self) -> Option<&'a HeldFact<K>> {
        match self {
            Self::Stay(held) => Some(held),
            Self::Presence(..) => None,
        }
    }

    /// Returns the id of the stay, if callbacks told it.
    pub(crate) fn stay_id(self) -> Option<&'a K::StayId> {
        self.stay()?.stay_id.as_ref()
    }

    /// Returns the presence, if an observation alone tells of it.
    #[inline]
    pub(crate) fn presence(self) -> Option<&'a K::Presence> {
        match self {
            Self::Stay(_) => None,
            Self::Presence(presence, _) => Some(presence),
        }
    }
}

/// What a presence of a user or stream is held against.
#[derive(Debug, Clone, Copy)]
struct NewestFacts {
    /// The newest fact that any session holds of it.
    in_any: Option<Timestamp>,
    /// The newest fact that the visible session holds of it.
    in_visible: Option<Timestamp>,
}

impl<'a> Rulebook<'a> {
    /// Returns the session that readers see, if the room is open and was not empty for too long.
    #[inline]
    pub(crate) fn visible(self) -> Option<Visible> {
        self.open().filter(|session| !self.is_unlisted(*session))
    }

    /// Returns the session that is open. Readers see it unless the room was empty for too long.
    #[inline]
    pub(crate) fn open(self) -> Option<Visible> {
        let closings = self.registers.closings();
        if let Some(index) = self.current()
            && !is_closed(&self.registers.sessions[index], closings, self.settings)
            && self.is_session_open(index)
        {
            return Some(Visible::Session(index));
        }
        self.is_room_open().then_some(Visible::Unknown)
    }

    /// Returns what the media server says of a user or stream: a stay, if there is one.
    #[inline]
    pub(crate) fn source<K: Tables>(
        self,
        visible: Option<Visible>,
        places: &Places,
    ) -> Option<Source<'a, K>> {
        let session = visible?.index();
        if let Some(stays) = session.and_then(|session| self.registers.stays_at(session, places))
            && let Some(session) = session
            && let Some(held) = self.open_stay(session, stays, places.in_roster)
        {
            return Some(Source::Stay(held));
        }
        let present = self.present::<K>(session, places)?;
        Some(Source::Presence(&present.details, present.seen.at))
    }

    /// Returns the stay of a user or stream that counts: one that is no earlier than the latest complete
    /// list without it.
    #[inline]
    pub(crate) fn open_stay<K: Tables>(
        self,
        session: usize,
        stays: &'a StayRegister<K>,
        in_roster: Option<usize>,
    ) -> Option<&'a HeldFact<K>> {
        let absent_at = K::roster(&self.registers.observed).absent_at(in_roster);
        let hidden_until = self.hidden_openings_until(session);
        stays.open_since(absent_at.max(hidden_until.map(|until| until.plus(1))))
    }

    /// Returns until which opening time an end hides what is in the nameless session. Business info made
    /// after the end shows it again.
    #[inline]
    pub(crate) fn hidden_openings_until(self, session: usize) -> Option<Timestamp> {
        let register = &self.registers.sessions[session];
        if register.id.is_some() {
            return None; // as nearly always
        }
        let (until, hidden_at) = register.hides_openings(self.registers.ended_at, self.settings)?;
        let shows_from = self.registers.closings().shows_from;
        Some(until).filter(|_| shows_from.is_none_or(|from| hidden_at >= from))
    }

    /// Whether an observation saw a user, and the media server told nothing newer. The end of the room
    /// and a leave come from the application, and hide nobody here.
    pub(crate) fn was_seen(self, session: usize, places: &Places) -> bool {
        let entry = self.registers.observed.users.entry_at(places.in_roster);
        entry.is_some_and(|entry| {
            let facts = self.newest_facts::<Users>(Some(session), places);
            let mut present = entry.present.iter();
            present.any(|present| self.is_latest(entry, present, Some(session), facts))
        })
    }

    /// The same of anybody at all. Cost: who was observed.
    pub(crate) fn was_anybody_seen(self, session: usize) -> bool {
        let mut entries = self.registers.observed.users.entries.iter();
        let places = |user_id| self.registers.places::<Users>(user_id);
        entries.any(|(user_id, _)| self.was_seen(session, &places(user_id)))
    }

    /// Whether an observation saw the room open, or somebody or something in it.
    pub(crate) fn was_seen_open(self) -> bool {
        let registers = self.registers;
        registers.observed.open_at.is_some()
            || registers.sessions.iter().any(|session| session.confirmed_open_at.is_some())
            || registers.observed.has_presence()
    }

    /// Returns the presences of a user or stream that nobody sees, each with what keeps it.
    pub(crate) fn idle_presences<K: Tables>(
        self,
        visible: Option<Visible>,
        places: &Places,
    ) -> impl Iterator<Item = (&'a Option<SessionId>, Timestamp)> {
        let session = visible.and_then(Visible::index);
        let entry = K::roster(&self.registers.observed).entry_at(places.in_roster);
        let facts = self.newest_facts::<K>(session, places);
        entry.into_iter().flat_map(move |entry| {
            entry.present.iter().filter_map(move |present| {
                let at = present.seen.at;
                if !self.would_count(entry, present, session, facts) {
                    return Some((&present.session_id, at));
                }
                // Nothing but an end hides it. The room may be created again, so the end keeps it too.
                let hidden_at = self.registers.observed.hidden_at;
                let hidden_at = hidden_at.filter(|_| self.hides(present.seen))?;
                Some((&present.session_id, hidden_at.max(at)))
            })
        })
    }

    /// Whether the current session, which is not closed, is open: it is an anchor, it was seen to be
    /// alive, or somebody or something is in it.
    #[inline]
    fn is_session_open(self, index: usize) -> bool {
        let registers = self.registers;
        let session = &registers.sessions[index];
        if session.is_anchor() || session.confirmed_open_at > registers.latest_create {
            return true;
        }
        let summary = &self.summaries[index];
        if registers.observed.is_empty() && self.hidden_openings_until(index).is_none() {
            return summary.logged_in > 0 || summary.open_streams > 0;
        }
        summary.logged_in > 0 && self.is_any_open::<Users>(index)
            || summary.open_streams > 0 && self.is_any_open::<Streams>(index)
            || self.is_anybody_present(Some(index))
    }

    /// Whether a stay of some user or stream of a session counts. Cost: all of them.
    fn is_any_open<K: Tables>(self, session: usize) -> bool {
        let in_roster = |id| K::roster(&self.registers.observed).entries.place_of(id);
        let mut stays = K::table(&self.registers.sessions[session]).iter();
        stays.any(|(id, stays)| self.open_stay(session, stays, in_roster(id)).is_some())
    }

    /// Whether the room is open in a session that is not known.
    #[inline]
    fn is_room_open(self) -> bool {
        let observed = &self.registers.observed;
        if observed.is_empty() {
            return false;
        }
        observed.open_at.is_some_and(|seen| !self.hides(seen)) || self.is_anybody_present(None)
    }

    /// Whether somebody or something is shown by a presence.
    fn is_anybody_present(self, session: Option<usize>) -> bool {
        self.is_any_present::<Users>(session) || self.is_any_present::<Streams>(session)
    }

    fn is_any_present<K: Tables>(self, session: Option<usize>) -> bool {
        let mut entries = K::roster(&self.registers.observed).entries.iter();
        entries.any(|(id, _)| self.present::<K>(session, &self.registers.places::<K>(id)).is_some())
    }

    #[inline]
    fn present<K: Tables>(
        self,
        session: Option<usize>,
        places: &Places,
    ) -> Option<&'a Present<K::Presence>> {
        let entry = K::roster(&self.registers.observed).entry_at(places.in_roster)?;
        self.presence(entry, session, self.newest_facts::<K>(session, places))
    }

    /// Returns what a presence is held against. Without one, nothing is.
    fn newest_facts<K: Tables>(self, session: Option<usize>, places: &Places) -> NewestFacts {
        if places.in_roster.is_none() {
            return NewestFacts { in_any: None, in_visible: None };
        }
        let in_any = self.registers.stays_of::<K>(places).filter_map(StayRegister::newest).max();
        let visible = session.and_then(|session| self.registers.stays_at::<K>(session, places));
        NewestFacts { in_any, in_visible: visible.and_then(StayRegister::newest) }
    }

    /// Returns the latest presence that counts.
    fn presence<D>(
        self,
        entry: &'a RosterEntry<D>,
        session: Option<usize>,
        facts: NewestFacts,
    ) -> Option<&'a Present<D>> {
        let counting = entry.present.iter().filter(|present| {
            !self.hides(present.seen) && self.would_count(entry, present, session, facts)
        });
        counting.max_by_key(|present| present.seen.at)
    }

    /// Whether a presence counts unless an end hides it.
    fn would_count<D>(
        self,
        entry: &RosterEntry<D>,
        present: &Present<D>,
        session: Option<usize>,
        facts: NewestFacts,
    ) -> bool {
        Some(present.seen.at) > entry.left_at && self.is_latest(entry, present, session, facts)
    }

    /// Whether the media server told nothing newer than a presence. A tie goes to the callback.
    fn is_latest<D>(
        self,
        entry: &RosterEntry<D>,
        present: &Present<D>,
        session: Option<usize>,
        facts: NewestFacts,
    ) -> bool {
        let at = Some(present.seen.at);
        if at < entry.absent_at {
            return false;
        }
        match &present.session_id {
            None => at > self.registers.outdated_until() && at > facts.in_any,
            Some(named) => session.is_some_and(|session| {
                self.registers.sessions[session].id.as_ref() == Some(named)
                    && at > self.registers.latest_create
                    && at > facts.in_visible
            }),
        }
    }

    /// Whether an end of the room hides what was received until then. Business info made after the end
    /// shows it again.
    fn hides(self, seen: SeenAt) -> bool {
        let shows_from = self.registers.closings().shows_from;
        self.registers.observed.hidden_at.is_some_and(|hidden_at| {
            seen.received_at <= hidden_at && shows_from.is_none_or(|from| hidden_at >= from)
        })
    }
}
