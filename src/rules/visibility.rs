//! What readers see: which session is visible, and who and what is in it, callbacks and observations taken
//! together.
//!
//! - A *stay* counts if it is no earlier than the absence of its user or stream (law 15.3).
//! - A *presence* counts as long as nothing newer is known (laws 15.4 and 15.5). Newer would be a list
//!   without the user or stream, a creation or close of the room, or a callback about it.
//! - A stay that counts comes before a presence (law 15.6).
//! - A room of which only presences are known, or only that it is open, is open in an *unknown* session
//!   (law 15.8).
//!
//! Nearly everything that looks at a room asks these questions.
//!
//! This file carries laws 4.4, 15.3 to 15.8, 16.2, 16.3, 16.5, 16.6, 21.2 and 21.4.

use crate::model::id::SessionId;
use crate::model::time::Timestamp;
use crate::registers::bounds::{Hiding, HidingEnd};
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
    /// A session that is stored, by its index.
    Session(usize),
    /// An unknown session: observations saw the room open, and no session of it is open (law 15.8).
    Unknown,
}

impl Visible {
    /// Returns the index of the session, unless it is unknown.
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
    /// A stay of which callbacks told, and which counts. It is an opening.
    Stay(&'a HeldFact<K>),
    /// A presence that counts, and its event time q.
    Presence(&'a K::Presence, Timestamp),
}

copy!(Source);

impl<'a, K: Kind> Source<'a, K> {
    /// Returns when the user logged in or the stream opened, in event time, if that is known.
    #[inline]
    pub(crate) fn began_at(self) -> Option<Timestamp> {
        match self {
            Self::Stay(held) => Some(held.at),
            Self::Presence(presence, _) => K::began_at(presence),
        }
    }

    /// Returns the stay, if the source is one.
    #[inline]
    pub(crate) fn stay(self) -> Option<&'a HeldFact<K>> {
        match self {
            Self::Stay(held) => Some(held),
            Self::Presence(..) => None,
        }
    }

    /// Returns the id of the stay, if callbacks told one.
    pub(crate) fn stay_id(self) -> Option<&'a K::StayId> {
        self.stay()?.stay_id.as_ref()
    }

    /// Returns the presence, if the source is one.
    #[inline]
    pub(crate) fn presence(self) -> Option<&'a K::Presence> {
        match self {
            Self::Stay(_) => None,
            Self::Presence(presence, _) => Some(presence),
        }
    }
}

/// The event times of the newest facts of a user or stream. A presence counts only if it is later.
#[derive(Debug, Clone, Copy)]
struct NewestFacts {
    /// In any session: for presences without the name of a session (law 15.4).
    in_any: Option<Timestamp>,
    /// In the visible session: for presences with its name (law 15.5).
    in_visible: Option<Timestamp>,
}

impl<'a> Rulebook<'a> {
    /// Returns the session that readers see. It is the one that is open, unless that was empty for so long
    /// that the room left the list (law 4.10).
    #[inline]
    pub(crate) fn visible(self) -> Option<Visible> {
        self.open().filter(|session| !self.is_unlisted(*session))
    }

    /// Returns the session that is open: the current one (laws 4.4 and 15.7), or else an unknown one (law
    /// 15.8).
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

    /// Returns what the media server says of a user or stream in the visible session (law 15.6). It is the
    /// stay that counts, or else the presence that does. `None` if readers do not see it.
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
        let present = self.counting_presence::<K>(session, places)?;
        Some(Source::Presence(&present.details, present.seen.at))
    }

    /// Returns the stay of a user or stream that counts in a session. It is the highest that is no earlier
    /// than the absence (law 15.3), and that no end hides (law 21.4).
    #[inline]
    pub(crate) fn open_stay<K: Tables>(
        self,
        session: usize,
        stays: &'a StayRegister<K>,
        in_roster: Option<usize>,
    ) -> Option<&'a HeldFact<K>> {
        stays.open_since(self.hiding::<K>(session, in_roster).shown_from())
    }

    /// Returns what hides openings of a user or stream in a session.
    #[inline]
    pub(crate) fn hiding<K: Tables>(self, session: usize, in_roster: Option<usize>) -> Hiding {
        let absent_at = K::roster(&self.registers.observed).absent_at(in_roster);
        Hiding { absent_at, end: self.hiding_end(session) }
    }

    /// Returns h, up to which an end hides openings of a session, in event time.
    #[inline]
    pub(crate) fn hidden_openings_until(self, session: usize) -> Option<Timestamp> {
        self.hiding_end(session).map(|end| end.until)
    }

    /// Returns the end that hides openings of a session. Only the nameless session has it. Business info that
    /// was made after the end shows everything again (law 21.4).
    #[inline]
    fn hiding_end(self, session: usize) -> Option<HidingEnd> {
        let register = &self.registers.sessions[session];
        if register.id.is_some() {
            return None; // as nearly always
        }
        let end = register.hides_openings(self.registers.ended_at, self.settings)?;
        let shows_from = self.registers.closings().shows_from;
        Some(end).filter(|end| shows_from.is_none_or(|from| end.ended_at >= from))
    }

    /// Whether a presence of a user is stored, and the media server told nothing newer. Ends of the room
    /// and `leave_room` are commands: for signs of loss, they hide nobody (law 6.7).
    pub(crate) fn was_seen(self, session: usize, places: &Places) -> bool {
        let entry = self.registers.observed.users.entry_at(places.in_roster);
        entry.is_some_and(|entry| {
            let facts = self.newest_facts::<Users>(Some(session), places);
            let mut present = entry.present.iter();
            present.any(|present| self.is_latest(entry, present, Some(session), facts))
        })
    }

    /// Whether the same holds of any user. Cost: the entries of the observed roster.
    pub(crate) fn was_anybody_seen(self, session: usize) -> bool {
        let mut entries = self.registers.observed.users.entries.iter();
        let places = |user_id| self.registers.places::<Users>(user_id);
        entries.any(|(user_id, _)| self.was_seen(session, &places(user_id)))
    }

    /// Whether the room has P, a presence, or a session that was confirmed open (law 16.5).
    pub(crate) fn was_seen_open(self) -> bool {
        let registers = self.registers;
        registers.observed.open_at.is_some()
            || registers.sessions.iter().any(|session| session.confirmed_open_at.is_some())
            || registers.observed.has_presence()
    }

    /// Returns the presences of a user or stream that do not count. Each comes with its session name, and
    /// with the instant that must be below the threshold before it is forgotten (law 16.6).
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
                // If only an end hides it, it is kept as if it were as new as the end. A room that is
                // created again shows it.
                let ended_at = self.registers.observed.hidden_until(self.registers.ended_at);
                let ended_at = ended_at.filter(|_| self.hides(present.seen))?;
                Some((&present.session_id, ended_at.max(at)))
            })
        })
    }

    /// Whether the current session is open, if it does not count as closed (law 15.7). It is open as an
    /// anchor, if it was confirmed open after C, or if a user or stream that counts is in it.
    #[inline]
    fn is_session_open(self, index: usize) -> bool {
        let registers = self.registers;
        let session = &registers.sessions[index];
        if session.is_anchor() || session.confirmed_open_at > registers.latest_create {
            return true;
        }
        // If nothing can hide a stay or show a presence, the summary has the answer.
        let summary = &self.summaries[index];
        if registers.observed.is_empty() && self.hidden_openings_until(index).is_none() {
            return summary.logged_in > 0 || summary.open_streams > 0;
        }
        summary.logged_in > 0 && self.is_any_open::<Users>(index)
            || summary.open_streams > 0 && self.is_any_open::<Streams>(index)
            || self.is_anybody_present(Some(index))
    }

    /// Whether a stay of any user or stream of a session counts. Cost: all users or streams.
    fn is_any_open<K: Tables>(self, session: usize) -> bool {
        let in_roster = |id| K::roster(&self.registers.observed).entries.place_of(id);
        let mut stays = K::table(&self.registers.sessions[session]).iter();
        stays.any(|(id, stays)| self.open_stay(session, stays, in_roster(id)).is_some())
    }

    /// Whether the room is open in an unknown session: P is there, or a presence without the name of a
    /// session counts (law 15.8).
    #[inline]
    fn is_room_open(self) -> bool {
        let observed = &self.registers.observed;
        if observed.is_empty() {
            return false;
        }
        observed.open_at.is_some_and(|seen| !self.hides(seen)) || self.is_anybody_present(None)
    }

    /// Whether a presence of any user or stream counts.
    fn is_anybody_present(self, session: Option<usize>) -> bool {
        self.is_any_present::<Users>(session) || self.is_any_present::<Streams>(session)
    }

    /// Whether a presence of any user, or of any stream, counts. Cost: the entries of the observed roster.
    fn is_any_present<K: Tables>(self, session: Option<usize>) -> bool {
        let mut entries = K::roster(&self.registers.observed).entries.iter();
        entries.any(|(id, _)| {
            self.counting_presence::<K>(session, &self.registers.places::<K>(id)).is_some()
        })
    }

    /// Returns the latest presence of a user or stream that counts.
    ///
    /// A presence counts if no end hides it ([`hides`](Self::hides)), no `leave_room` closed it
    /// ([`would_count`](Self::would_count)), and nothing newer is known ([`is_latest`](Self::is_latest)).
    /// Forgetting asks the last two, because an end may be undone. Signs of loss ask the last one alone.
    #[inline]
    fn counting_presence<K: Tables>(
        self,
        session: Option<usize>,
        places: &Places,
    ) -> Option<&'a Present<K::Presence>> {
        let entry = K::roster(&self.registers.observed).entry_at(places.in_roster)?;
        self.latest_counting(entry, session, self.newest_facts::<K>(session, places))
    }

    /// Returns the newest facts of a user or stream. Without an entry in the roster, nobody needs them.
    fn newest_facts<K: Tables>(self, session: Option<usize>, places: &Places) -> NewestFacts {
        if places.in_roster.is_none() {
            return NewestFacts { in_any: None, in_visible: None };
        }
        let in_any = self.registers.stays_of::<K>(places).filter_map(StayRegister::newest).max();
        let visible = session.and_then(|session| self.registers.stays_at::<K>(session, places));
        NewestFacts { in_any, in_visible: visible.and_then(StayRegister::newest) }
    }

    /// Returns the latest presence of an entry that counts.
    fn latest_counting<D>(
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

    /// Whether a presence counts, unless an end hides it: no `leave_room` closed it (law 16.2), and the
    /// media server told nothing newer.
    fn would_count<D>(
        self,
        entry: &RosterEntry<D>,
        present: &Present<D>,
        session: Option<usize>,
        facts: NewestFacts,
    ) -> bool {
        Some(present.seen.at) > entry.left_at && self.is_latest(entry, present, session, facts)
    }

    /// Whether the media server told nothing newer than a presence (laws 15.4 and 15.5). At equal times,
    /// the absence loses against the presence, and the presence against facts of callbacks.
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

    /// Whether an end of the room hides what was received at a local time: it was no later than the end.
    /// Business info that was made after the end shows it again (law 16.3).
    fn hides(self, seen: SeenAt) -> bool {
        let shows_from = self.registers.closings().shows_from;
        self.registers.observed.hidden_until(self.registers.ended_at).is_some_and(|ended_at| {
            seen.received_at <= ended_at && shows_from.is_none_or(|from| ended_at >= from)
        })
    }
}
