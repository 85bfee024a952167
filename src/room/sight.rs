//! What of the live part readers see, callbacks and observations taken together.
//!
//! A login or stream that callbacks tell of counts unless a later complete list was without it. A
//! presence that an observation tells of counts while nothing newer is known: no list without it,
//! no creation or close of the room, and no fact of a callback about the same user or stream. A
//! user who has both is shown by the login, one who has only a presence in a session that nobody
//! named; and a room of which only presences are known is open in an unknown session.

use crate::collections::id_table::Key;
use crate::model::config::Fingerprint;
use crate::model::id::{SessionId, StreamId, UserId};
use crate::model::time::Timestamp;
use crate::model::visible::{Login, Presence};
use crate::room::live::Live;
use crate::room::observed::{Entry, Present, Sighting, StreamPresence};
use crate::room::session::{Closings, SessionRegister};
use crate::room::stream::{HeldStream, StreamRegister};
use crate::room::user::UserRegister;

/// The session that readers see.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Visible<'a> {
    /// One that callbacks or observations named.
    Session(&'a SessionRegister),
    /// The room is known to be open, and nothing else.
    Unknown,
}

impl<'a> Visible<'a> {
    pub(crate) fn session(self) -> Option<&'a SessionRegister> {
        match self {
            Self::Session(session) => Some(session),
            Self::Unknown => None,
        }
    }

    pub(crate) fn session_id(self) -> Option<&'a SessionId> {
        self.session().map(|session| &session.id)
    }
}

/// What the media server says of a user.
#[derive(Debug, Clone, Copy)]
pub(crate) enum LiveUser<'a> {
    Login(&'a Login),
    Presence(&'a Present<Presence>),
}

impl LiveUser<'_> {
    /// When the login began, where that is known.
    pub(crate) fn login_at(self) -> Option<Timestamp> {
        match self {
            Self::Login(login) => Some(login.login_at),
            Self::Presence(present) => present.details.login_at,
        }
    }
}

/// What the media server says of a stream.
#[derive(Debug, Clone, Copy)]
pub(crate) enum LiveStream<'a> {
    Held(&'a HeldStream),
    Presence(&'a Present<StreamPresence>),
}

impl LiveStream<'_> {
    /// When it came, where that is known.
    pub(crate) fn created_at(self) -> Option<Timestamp> {
        match self {
            Self::Held(held) => Some(held.at),
            Self::Presence(present) => present.details.created_at,
        }
    }
}

/// How readers look at a room: which session they see, and what hides presences from them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sight<'a> {
    live: &'a Live,
    session: Option<&'a SessionRegister>,
    shows_from: Option<Timestamp>,
}

impl Live {
    /// What decides, beside its own registers, whether a session counts as closed.
    pub(crate) fn closings(&self, shows_from: Option<Timestamp>) -> Closings {
        Closings { shows_from, not_open_at: self.observed.not_open_at }
    }

    /// The session that readers see, if the room is open.
    pub(crate) fn visible(
        &self,
        rules: &Fingerprint,
        shows_from: Option<Timestamp>,
    ) -> Option<Visible<'_>> {
        self.visible_of(self.current(rules, shows_from), shows_from)
    }

    /// The same, where it is known which session is current.
    pub(crate) fn visible_of(
        &self,
        current: Option<usize>,
        shows_from: Option<Timestamp>,
    ) -> Option<Visible<'_>> {
        let closings = self.closings(shows_from);
        let current = current.map(|index| &self.sessions[index]);
        if let Some(session) = current.filter(|session| !session.is_closed(closings))
            && self.sight(Some(session), shows_from).is_session_open(session)
        {
            return Some(Visible::Session(session));
        }
        self.sight(None, shows_from).is_room_open().then_some(Visible::Unknown)
    }

    /// How readers look at a session, or at a room in an unknown one.
    pub(crate) fn sight<'a>(
        &'a self,
        session: Option<&'a SessionRegister>,
        shows_from: Option<Timestamp>,
    ) -> Sight<'a> {
        Sight { live: self, session, shows_from }
    }

    /// How readers look at the room as it is.
    pub(crate) fn sight_of_visible(
        &self,
        rules: &Fingerprint,
        shows_from: Option<Timestamp>,
    ) -> Sight<'_> {
        let session = self.visible(rules, shows_from).and_then(Visible::session);
        self.sight(session, shows_from)
    }

    /// The login of a user that counts: the highest (counter, login time, user session) of those
    /// that are no earlier than the latest list without the user.
    pub(crate) fn login<'u>(&self, user_id: &UserId, user: &'u UserRegister) -> Option<&'u Login> {
        user.shown_since(self.observed.users.absent_at(user_id))
    }

    /// The open fact of a stream, if it counts.
    pub(crate) fn open_stream<'s>(
        &self,
        stream_id: &StreamId,
        stream: &'s StreamRegister,
    ) -> Option<&'s HeldStream> {
        let held = stream.shown()?;
        (Some(held.at) >= self.observed.streams.absent_at(stream_id)).then_some(held)
    }

    /// After what a presence without a session's name must be: every creation and close.
    pub(crate) fn outdated_until(&self) -> Option<Timestamp> {
        let closed_at = self.sessions.iter().map(|session| session.closed_at).max().flatten();
        closed_at.max(self.latest_create)
    }
}

impl<'a> Sight<'a> {
    /// What the media server says of a user; a login, where there is one.
    pub(crate) fn user(self, user_id: &(impl Key + ?Sized)) -> Option<(&'a UserId, LiveUser<'a>)> {
        let place = self.session.and_then(|session| session.users.place_of(user_id));
        self.user_at(place, user_id)
    }

    /// As [`user`](Self::user) of one who likely stands beside the one that was found before.
    pub(crate) fn user_beside(
        self,
        user_id: &UserId,
        found: &mut usize,
    ) -> Option<(&'a UserId, LiveUser<'a>)> {
        let place = self.session.and_then(|session| session.users.place_beside(user_id, found));
        self.user_at(place, user_id)
    }

    fn user_at(
        self,
        place: Option<usize>,
        user_id: &(impl Key + ?Sized),
    ) -> Option<(&'a UserId, LiveUser<'a>)> {
        let live = self.live;
        if let Some((user_id, user)) =
            self.session.zip(place).and_then(|(session, place)| session.users.at(place))
            && let Some(login) = live.login(user_id, user)
        {
            return Some((user_id, LiveUser::Login(login)));
        }
        if live.observed.users.entries.is_empty() {
            return None;
        }
        let (user_id, entry) = live.observed.users.entries.get_key_value(user_id.text())?;
        let present = self.presence_of_user(user_id, entry)?;
        Some((user_id, LiveUser::Presence(present)))
    }

    /// What the media server says of a stream; what callbacks told, where they did.
    pub(crate) fn stream(self, stream_id: &str) -> Option<(&'a StreamId, LiveStream<'a>)> {
        let live = self.live;
        if let Some((stream_id, stream)) =
            self.session.and_then(|session| session.streams.get_key_value(stream_id))
            && let Some(held) = live.open_stream(stream_id, stream)
        {
            return Some((stream_id, LiveStream::Held(held)));
        }
        if live.observed.streams.entries.is_empty() {
            return None;
        }
        let (stream_id, entry) = live.observed.streams.entries.get_key_value(stream_id)?;
        let present = self.presence_of_stream(stream_id, entry)?;
        Some((stream_id, LiveStream::Presence(present)))
    }

    /// Everybody of whom the media server says something, by id.
    pub(crate) fn users(self) -> Vec<(&'a UserId, LiveUser<'a>)> {
        let mut users: Vec<_> = self.users_in_any_order().collect();
        users.sort_unstable_by_key(|(user_id, _)| *user_id);
        users
    }

    /// Everybody whom readers see, in an order that differs from run to run.
    pub(crate) fn users_in_any_order(self) -> impl Iterator<Item = (&'a UserId, LiveUser<'a>)> {
        let live = self.live;
        let logins = self.session.into_iter().flat_map(|session| session.users.iter());
        let logins = logins.filter_map(|(user_id, user)| {
            Some((user_id, LiveUser::Login(live.login(user_id, user)?)))
        });
        logins.chain(self.presences_of_users())
    }

    /// How many those may be.
    pub(crate) fn user_count_at_most(self) -> usize {
        let session = self.session.map_or(0, |session| session.users.iter().len());
        session + self.live.observed.users.entries.len()
    }

    /// All streams of which the media server says something, by id.
    pub(crate) fn streams(self) -> Vec<(&'a StreamId, LiveStream<'a>)> {
        let live = self.live;
        let held = self.session.into_iter().flat_map(|session| &session.streams);
        let held = held.filter_map(|(stream_id, stream)| {
            Some((stream_id, LiveStream::Held(live.open_stream(stream_id, stream)?)))
        });
        let mut streams: Vec<_> = held.collect();
        streams.extend(self.presences_of_streams());
        streams.sort_unstable_by_key(|(stream_id, _)| *stream_id);
        streams
    }

    /// Whether an observation saw the user, and the media server told nothing newer. The room's end and
    /// the user's leave are ours, and hide nobody here.
    pub(crate) fn was_seen(self, user_id: &UserId) -> bool {
        let entry = self.live.observed.users.entries.get(user_id);
        entry.is_some_and(|entry| self.is_seen(user_id, entry))
    }

    /// The same of anybody at all.
    pub(crate) fn was_anybody_seen(self) -> bool {
        let mut entries = self.live.observed.users.entries.iter();
        entries.any(|(user_id, entry)| self.is_seen(user_id, entry))
    }

    fn is_seen(self, user_id: &UserId, entry: &Entry<Presence>) -> bool {
        let newest = |session: &SessionRegister| session.users.get(user_id)?.newest();
        entry.present.iter().any(|present| self.is_latest(entry, present, newest))
    }

    /// Whether the user's presence, of any name, can be let go once it is old: nobody sees it.
    pub(crate) fn oldest_idle_user(self, user_id: &UserId) -> Option<Timestamp> {
        let entry = self.live.observed.users.entries.get(user_id)?;
        let newest = |session: &SessionRegister| session.users.get(user_id)?.newest();
        self.oldest_idle(entry, newest)
    }

    /// As [`oldest_idle_user`](Self::oldest_idle_user).
    pub(crate) fn oldest_idle_stream(self, stream_id: &StreamId) -> Option<Timestamp> {
        let entry = self.live.observed.streams.entries.get(stream_id)?;
        let newest = |session: &SessionRegister| session.streams.get(stream_id)?.newest();
        self.oldest_idle(entry, newest)
    }

    /// The presences of a user that nobody sees and that are older than the threshold.
    pub(crate) fn idle_user(
        self,
        user_id: &UserId,
        threshold: Timestamp,
    ) -> Vec<Option<SessionId>> {
        let Some(entry) = self.live.observed.users.entries.get(user_id) else { return Vec::new() };
        let newest = |session: &SessionRegister| session.users.get(user_id)?.newest();
        self.idle(entry, threshold, newest)
    }

    /// As [`idle_user`](Self::idle_user).
    pub(crate) fn idle_stream(
        self,
        stream_id: &StreamId,
        threshold: Timestamp,
    ) -> Vec<Option<SessionId>> {
        let Some(entry) = self.live.observed.streams.entries.get(stream_id) else {
            return Vec::new();
        };
        let newest = |session: &SessionRegister| session.streams.get(stream_id)?.newest();
        self.idle(entry, threshold, newest)
    }

    /// Whether the session, which is current and not closed, is open: it is an anchor, was seen to
    /// be alive, or somebody or something is in it.
    fn is_session_open(self, session: &SessionRegister) -> bool {
        if session.is_anchor() || session.is_alive_after(self.live.latest_create) {
            return true;
        }
        if self.live.observed.is_empty() {
            return session.logged_in > 0 || session.open_streams > 0;
        }
        session.logged_in > 0 && self.has_login(session)
            || session.open_streams > 0 && self.has_open_stream(session)
            || self.presences_of_users().next().is_some()
            || self.presences_of_streams().next().is_some()
    }

    /// Whether the room is open in a session that is not known.
    fn is_room_open(self) -> bool {
        let observed = &self.live.observed;
        if observed.is_empty() {
            return false;
        }
        observed.open_at.is_some_and(|seen| !self.hides(seen))
            || self.presences_of_users().next().is_some()
            || self.presences_of_streams().next().is_some()
    }

    fn has_login(self, session: &SessionRegister) -> bool {
        session.users.iter().any(|(user_id, user)| self.live.login(user_id, user).is_some())
    }

    fn has_open_stream(self, session: &SessionRegister) -> bool {
        let mut streams = session.streams.iter();
        streams.any(|(stream_id, stream)| self.live.open_stream(stream_id, stream).is_some())
    }

    /// Those who are seen by a presence alone.
    fn presences_of_users(self) -> impl Iterator<Item = (&'a UserId, LiveUser<'a>)> {
        self.live.observed.users.entries.iter().filter_map(move |(user_id, entry)| {
            let user = self.session.and_then(|session| session.users.get(user_id));
            if user.is_some_and(|user| self.live.login(user_id, user).is_some()) {
                return None;
            }
            Some((user_id, LiveUser::Presence(self.presence_of_user(user_id, entry)?)))
        })
    }

    /// What is seen by a presence alone.
    fn presences_of_streams(self) -> impl Iterator<Item = (&'a StreamId, LiveStream<'a>)> {
        self.live.observed.streams.entries.iter().filter_map(move |(stream_id, entry)| {
            let stream = self.session.and_then(|session| session.streams.get(stream_id));
            if stream.is_some_and(|stream| self.live.open_stream(stream_id, stream).is_some()) {
                return None;
            }
            Some((stream_id, LiveStream::Presence(self.presence_of_stream(stream_id, entry)?)))
        })
    }

    fn presence_of_user(
        self,
        user_id: &UserId,
        entry: &'a Entry<Presence>,
    ) -> Option<&'a Present<Presence>> {
        self.presence(entry, |session| session.users.get(user_id)?.newest())
    }

    fn presence_of_stream(
        self,
        stream_id: &StreamId,
        entry: &'a Entry<StreamPresence>,
    ) -> Option<&'a Present<StreamPresence>> {
        self.presence(entry, |session| session.streams.get(stream_id)?.newest())
    }

    /// The latest presence that counts. `newest` is the newest fact that a session's register holds
    /// for the same user or stream.
    fn presence<D>(
        self,
        entry: &'a Entry<D>,
        newest: impl Fn(&SessionRegister) -> Option<Timestamp>,
    ) -> Option<&'a Present<D>> {
        let counting = entry.present.iter().filter(|present| self.counts(entry, present, &newest));
        counting.max_by_key(|present| present.seen.at)
    }

    fn counts<D>(
        self,
        entry: &Entry<D>,
        present: &Present<D>,
        newest: impl Fn(&SessionRegister) -> Option<Timestamp>,
    ) -> bool {
        !self.hides(present.seen) && self.would_count(entry, present, newest)
    }

    /// Whether a presence counts unless an end hides it.
    fn would_count<D>(
        self,
        entry: &Entry<D>,
        present: &Present<D>,
        newest: impl Fn(&SessionRegister) -> Option<Timestamp>,
    ) -> bool {
        Some(present.seen.at) > entry.left_at && self.is_latest(entry, present, newest)
    }

    /// Whether the media server told nothing newer than a presence.
    fn is_latest<D>(
        self,
        entry: &Entry<D>,
        present: &Present<D>,
        newest: impl Fn(&SessionRegister) -> Option<Timestamp>,
    ) -> bool {
        let at = Some(present.seen.at);
        if at < entry.absent_at {
            return false;
        }
        match &present.session_id {
            // A tie goes to the callback.
            None => {
                let facts = self.live.sessions.iter().filter_map(newest).max();
                at > self.live.outdated_until() && at > facts
            }
            Some(named) => self.session.is_some_and(|session| {
                session.id == *named && at > self.live.latest_create && at > newest(session)
            }),
        }
    }

    /// Whether the room's end hides what was received until then. Business info made after the end
    /// shows it again.
    fn hides(self, seen: Sighting) -> bool {
        self.live.observed.hidden_at.is_some_and(|hidden_at| {
            seen.received_at <= hidden_at && self.shows_from.is_none_or(|from| hidden_at >= from)
        })
    }

    fn oldest_idle<D>(
        self,
        entry: &Entry<D>,
        newest: impl Fn(&SessionRegister) -> Option<Timestamp>,
    ) -> Option<Timestamp> {
        entry.present.iter().filter_map(|present| self.idle_since(entry, present, &newest)).min()
    }

    fn idle<D>(
        self,
        entry: &Entry<D>,
        threshold: Timestamp,
        newest: impl Fn(&SessionRegister) -> Option<Timestamp>,
    ) -> Vec<Option<SessionId>> {
        let idle = entry.present.iter().filter(|present| {
            self.idle_since(entry, present, &newest).is_some_and(|at| at < threshold)
        });
        idle.map(|present| present.session_id.clone()).collect()
    }

    /// What keeps a presence that nobody sees: its own time; where nothing but an end hides it,
    /// also that, since the room may be created again.
    fn idle_since<D>(
        self,
        entry: &Entry<D>,
        present: &Present<D>,
        newest: impl Fn(&SessionRegister) -> Option<Timestamp>,
    ) -> Option<Timestamp> {
        let at = present.seen.at;
        if !self.would_count(entry, present, newest) {
            return Some(at);
        }
        let hidden_at = self.live.observed.hidden_at.filter(|_| self.hides(present.seen))?;
        Some(hidden_at.max(at))
    }
}
