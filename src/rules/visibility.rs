//! Who and what readers see, callbacks and observations taken together.
//!
//! A login or stream that callbacks tell of counts, unless a later complete list was without it. A
//! presence that an observation tells of counts as long as nothing newer is known: no list without it,
//! no creation or close of the room, and no fact of a callback about the same user or stream.
//!
//! A user who has both is shown by the login. One who has only a presence is shown in a session that
//! nobody named. A room of which only presences are known is open in an unknown session.

use crate::model::id::{SessionId, UserSessionId};
use crate::model::time::Timestamp;
use crate::model::visible::{Login, Presence};
use crate::registers::places::{StreamPlaces, UserPlaces};
use crate::registers::roster::{Present, RosterEntry, SeenAt, StreamPresence};
use crate::registers::stream::{HeldStream, StreamRegister};
use crate::registers::user::UserRegister;
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

/// What the media server says of a user.
#[derive(Debug, Clone, Copy)]
pub(crate) enum UserSource<'a> {
    Login(&'a Login),
    Presence(&'a Presence),
}

impl UserSource<'_> {
    /// Returns when the login began, if that is known.
    #[inline]
    pub(crate) fn login_at(self) -> Option<Timestamp> {
        match self {
            Self::Login(login) => Some(login.login_at),
            Self::Presence(presence) => presence.login_at,
        }
    }
}

impl<'a> UserSource<'a> {
    /// Returns which login it is, if that is known.
    pub(crate) fn user_session_id(self) -> Option<&'a UserSessionId> {
        match self {
            Self::Login(login) => Some(&login.user_session_id),
            Self::Presence(_) => None,
        }
    }
}

/// What the media server says of a stream.
#[derive(Debug, Clone, Copy)]
pub(crate) enum StreamSource<'a> {
    Fact(&'a HeldStream),
    Presence(&'a StreamPresence),
}

impl StreamSource<'_> {
    /// Returns when it came, if that is known.
    #[inline]
    pub(crate) fn created_at(self) -> Option<Timestamp> {
        match self {
            Self::Fact(held) => Some(held.at),
            Self::Presence(presence) => presence.created_at,
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
    /// Returns the session that readers see, if the room is open.
    #[inline]
    pub(crate) fn visible(self) -> Option<Visible> {
        self.visible_of(self.current())
    }

    /// As [`visible`](Self::visible), if it is known which session is current.
    #[inline]
    pub(crate) fn visible_of(self, current: Option<usize>) -> Option<Visible> {
        let closings = self.registers.closings();
        if let Some(index) = current
            && !is_closed(&self.registers.sessions[index], closings)
            && self.is_session_open(index)
        {
            return Some(Visible::Session(index));
        }
        self.is_room_open().then_some(Visible::Unknown)
    }

    /// Returns what the media server says of a user: a login, if there is one.
    #[inline]
    pub(crate) fn user_source(
        self,
        visible: Option<Visible>,
        places: &UserPlaces,
    ) -> Option<UserSource<'a>> {
        let session = visible?.index();
        if let Some(user) = session.and_then(|session| self.registers.user_at(session, places))
            && let Some(login) = self.login(user, places.in_roster)
        {
            return Some(UserSource::Login(login));
        }
        let present = self.present_user(session, places)?;
        Some(UserSource::Presence(&present.details))
    }

    /// Returns what the media server says of a stream: what callbacks told, if they did.
    #[inline]
    pub(crate) fn stream_source(
        self,
        visible: Option<Visible>,
        places: &StreamPlaces,
    ) -> Option<StreamSource<'a>> {
        let session = visible?.index();
        if let Some(stream) = session.and_then(|session| self.stream_at(session, places))
            && let Some(held) = self.open_fact(stream, places.in_roster)
        {
            return Some(StreamSource::Fact(held));
        }
        let present = self.present_stream(session, places)?;
        Some(StreamSource::Presence(&present.details))
    }

    /// Returns the login of a user that counts: one that is no earlier than the latest complete list
    /// without the user.
    #[inline]
    pub(crate) fn login(
        self,
        user: &'a UserRegister,
        in_roster: Option<usize>,
    ) -> Option<&'a Login> {
        user.login_since(self.registers.observed.users.absent_at(in_roster))
    }

    /// Returns the open fact of a stream, if it counts.
    #[inline]
    pub(crate) fn open_fact(
        self,
        stream: &'a StreamRegister,
        in_roster: Option<usize>,
    ) -> Option<&'a HeldStream> {
        let held = stream.open_fact()?;
        let absent_at = self.registers.observed.streams.absent_at(in_roster);
        (Some(held.at) >= absent_at).then_some(held)
    }

    /// Whether an observation saw a user, and the media server told nothing newer. The end of the room
    /// and a leave come from the application, and hide nobody here.
    pub(crate) fn was_seen(self, session: usize, places: &UserPlaces) -> bool {
        let entry = self.registers.observed.users.entry_at(places.in_roster);
        entry.is_some_and(|entry| {
            let facts = self.facts_of_user(Some(session), places);
            let mut present = entry.present.iter();
            present.any(|present| self.is_latest(entry, present, Some(session), facts))
        })
    }

    /// The same of anybody at all. Cost: who was observed.
    pub(crate) fn was_anybody_seen(self, session: usize) -> bool {
        let mut entries = self.registers.observed.users.entries.iter();
        entries.any(|(user_id, _)| self.was_seen(session, &self.registers.user_places(user_id)))
    }

    /// Whether an observation saw the room open, or somebody or something in it.
    pub(crate) fn was_seen_open(self) -> bool {
        let registers = self.registers;
        registers.observed.open_at.is_some()
            || registers.sessions.iter().any(|session| session.confirmed_open_at.is_some())
            || registers.observed.has_presence()
    }

    /// Returns the presences of a user that nobody sees, each with what keeps it.
    pub(crate) fn idle_presences_of_user(
        self,
        visible: Option<Visible>,
        places: &UserPlaces,
    ) -> impl Iterator<Item = (&'a Option<SessionId>, Timestamp)> {
        let session = visible.and_then(Visible::index);
        let entry = self.registers.observed.users.entry_at(places.in_roster);
        self.idle_presences(entry, session, self.facts_of_user(session, places))
    }

    /// As [`idle_presences_of_user`](Self::idle_presences_of_user).
    pub(crate) fn idle_presences_of_stream(
        self,
        visible: Option<Visible>,
        places: &StreamPlaces,
    ) -> impl Iterator<Item = (&'a Option<SessionId>, Timestamp)> {
        let session = visible.and_then(Visible::index);
        let entry = self.registers.observed.streams.entry_at(places.in_roster);
        self.idle_presences(entry, session, self.facts_of_stream(session, places))
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
        if registers.observed.is_empty() {
            return summary.logged_in > 0 || summary.open_streams > 0;
        }
        let in_users = |id| registers.observed.users.entries.place_of(id);
        let in_streams = |id| registers.observed.streams.entries.place_of(id);
        let mut users = session.users.iter();
        let mut streams = session.streams.iter();
        summary.logged_in > 0 && users.any(|(id, user)| self.login(user, in_users(id)).is_some())
            || summary.open_streams > 0
                && streams.any(|(id, stream)| self.open_fact(stream, in_streams(id)).is_some())
            || self.is_anybody_present(Some(index))
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
        let registers = self.registers;
        let mut users = registers.observed.users.entries.iter();
        let mut streams = registers.observed.streams.entries.iter();
        users.any(|(id, _)| self.present_user(session, &registers.user_places(id)).is_some())
            || streams
                .any(|(id, _)| self.present_stream(session, &registers.stream_places(id)).is_some())
    }

    #[inline]
    fn present_user(
        self,
        session: Option<usize>,
        places: &UserPlaces,
    ) -> Option<&'a Present<Presence>> {
        let entry = self.registers.observed.users.entry_at(places.in_roster)?;
        self.presence(entry, session, self.facts_of_user(session, places))
    }

    #[inline]
    fn present_stream(
        self,
        session: Option<usize>,
        places: &StreamPlaces,
    ) -> Option<&'a Present<StreamPresence>> {
        let entry = self.registers.observed.streams.entry_at(places.in_roster)?;
        self.presence(entry, session, self.facts_of_stream(session, places))
    }

    fn stream_at(self, session: usize, places: &StreamPlaces) -> Option<&'a StreamRegister> {
        self.registers.stream_at(session, places)
    }

    fn facts_of_user(self, session: Option<usize>, places: &UserPlaces) -> NewestFacts {
        if places.in_roster.is_none() {
            return NewestFacts { in_any: None, in_visible: None };
        }
        let newest = |session| self.registers.user_at(session, places)?.newest();
        self.newest_facts(session, newest)
    }

    fn facts_of_stream(self, session: Option<usize>, places: &StreamPlaces) -> NewestFacts {
        if places.in_roster.is_none() {
            return NewestFacts { in_any: None, in_visible: None };
        }
        let newest = |session| self.stream_at(session, places)?.newest();
        self.newest_facts(session, newest)
    }

    fn newest_facts(
        self,
        session: Option<usize>,
        newest: impl Fn(usize) -> Option<Timestamp>,
    ) -> NewestFacts {
        let in_any = (0..self.registers.sessions.len()).filter_map(&newest).max();
        NewestFacts { in_any, in_visible: session.and_then(newest) }
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
                self.registers.sessions[session].id == *named
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

    fn idle_presences<D>(
        self,
        entry: Option<&'a RosterEntry<D>>,
        session: Option<usize>,
        facts: NewestFacts,
    ) -> impl Iterator<Item = (&'a Option<SessionId>, Timestamp)> {
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
}
