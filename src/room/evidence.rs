//! Evidence: what tells that callbacks of a session were lost.
//!
//! It is held with the session: holes in its two counters, and doubts. Each piece has two times:
//! *theirs*, the newest of what it consists of, so that an observation made no earlier resolves it;
//! and *ours*, when it became visible, so that what is merely late has time to come. Evidence looks
//! at what the media server told alone: a user whom we closed out is present to it.

use crate::model::callback::{Callback, CallbackEvent};
use crate::model::id::{SessionId, StreamId, UserId};
use crate::model::suspicion::{Sign, SuspectedList};
use crate::model::time::Timestamp;
use crate::room::doubts::{About, Doubts};
use crate::room::facts::{Concerned, Facts};
use crate::room::live::Live;
use crate::room::numbers::Numbers;
use crate::room::session::SessionRegister;
use crate::room::user::UserRegister;

/// The evidence of losses in one session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Evidence {
    pub(crate) users: Numbers,
    pub(crate) streams: Numbers,
    pub(crate) doubts: Doubts,
}

/// One piece of evidence.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub(super) sign: Sign,
    pub(super) list: SuspectedList,
    pub(super) told_at: Timestamp,
    pub(super) seen_at: Timestamp,
    pub(super) reported: bool,
    pub(super) missing: Option<(u64, u64)>,
}

impl Evidence {
    pub(super) fn is_empty(&self) -> bool {
        self.users.holes().is_empty() && self.streams.holes().is_empty() && self.doubts.is_empty()
    }

    pub(super) fn pieces(&self) -> impl Iterator<Item = Piece> {
        let holes = |numbers: &Numbers, list| {
            numbers.holes().to_vec().into_iter().map(move |hole| Piece {
                sign: Sign::Hole,
                list,
                told_at: hole.told_at,
                seen_at: hole.seen_at,
                reported: hole.reported,
                missing: Some((hole.from, hole.to)),
            })
        };
        let doubts = self.doubts.iter().map(|doubt| Piece {
            sign: doubt.about.sign(),
            list: doubt.about.list(),
            told_at: doubt.told_at,
            seen_at: doubt.seen_at,
            reported: doubt.reported,
            missing: None,
        });
        holes(&self.users, SuspectedList::Users)
            .chain(holes(&self.streams, SuspectedList::Streams))
            .chain(doubts)
    }

    pub(super) fn merge(&mut self, other: &Self, now: Timestamp) {
        self.users.merge(&other.users, now);
        self.streams.merge(&other.streams, now);
        self.doubts.merge(&other.doubts);
    }

    pub(crate) fn pull_back(&mut self, now: Timestamp) {
        self.users.pull_back(now);
        self.streams.pull_back(now);
        self.doubts.pull_back(now);
    }

    /// Whether it can have come from callbacks, of what came from a store.
    #[cfg(feature = "serde")]
    pub(crate) fn is_possible(&self) -> bool {
        self.users.is_possible() && self.streams.is_possible() && self.doubts.is_possible()
    }
}

impl Live {
    /// Whether a callback closes something of which nothing is held, so that its opening seems to
    /// be missing. To be asked before it is joined.
    pub(super) fn lacks_opening(&self, facts: &Facts<'_>, callback: &Callback) -> bool {
        let session = || self.session(facts.session_id);
        match &callback.event {
            CallbackEvent::UserLoggedOut(event) => {
                let Some(user) = facts
                    .user
                    .and_then(|(user_id, _)| session().and_then(|held| held.users.get(&user_id)))
                else {
                    return true;
                };
                // The closing of a life that a later login of the user replaced lacks nothing.
                event.login_at.is_none_or(|login_at| Some(login_at) >= user.key_at)
                    && user.logins.iter().all(|held| held.user_session_id != event.user_session_id)
                    && user.closers.iter().all(|held| held.user_session_id != event.user_session_id)
            }
            CallbackEvent::StreamClosed(event) => {
                let stream = session().and_then(|session| session.streams.get(&event.stream_id));
                stream.is_none_or(|stream| {
                    let mut facts = stream.facts.iter();
                    facts.all(|held| held.stream_session_id != event.stream_session_id)
                })
            }
            CallbackEvent::RoomCreated(_)
            | CallbackEvent::RoomClosed(_)
            | CallbackEvent::UserLoggedIn(_)
            | CallbackEvent::StreamCreated(_) => false,
        }
    }

    /// Takes note of a callback's number, and of an opening that is missing or came.
    pub(super) fn watch(&mut self, callback: &Callback, lacks_opening: bool, now: Timestamp) {
        let told_at = callback.latest_time();
        let Some(session) = self.session_mut(&callback.session_id) else { return };
        let Evidence { users, streams, doubts } = &mut session.evidence;
        match &callback.event {
            CallbackEvent::RoomCreated(_) | CallbackEvent::RoomClosed(_) => {}
            CallbackEvent::UserLoggedIn(event) => {
                users.see(event.counter, told_at, now);
                if !doubts.is_empty() {
                    let life = event.user_session_id.clone();
                    doubts.clear(&About::LogoutWithoutLogin(event.user_id.clone(), life));
                }
            }
            CallbackEvent::UserLoggedOut(event) => {
                users.see(event.counter, told_at, now);
                if lacks_opening {
                    let life = event.user_session_id.clone();
                    let about = About::LogoutWithoutLogin(event.user_id.clone(), life);
                    doubts.set(about, Some(told_at), now, None);
                }
            }
            CallbackEvent::StreamCreated(event) => {
                streams.see(event.counter.unwrap_or(0), told_at, now);
                if !doubts.is_empty() {
                    let life = event.stream_session_id.clone();
                    doubts.clear(&About::CloseWithoutOpening(event.stream_id.clone(), life));
                }
            }
            CallbackEvent::StreamClosed(event) => {
                streams.see(event.counter.unwrap_or(0), told_at, now);
                if lacks_opening {
                    let life = event.stream_session_id.clone();
                    let about = About::CloseWithoutOpening(event.stream_id.clone(), life);
                    doubts.set(about, Some(told_at), now, None);
                }
            }
        }
    }

    /// Until when a list was confirmed, in their time.
    pub(super) fn confirmed_at(
        &self,
        list: SuspectedList,
        session: Option<&SessionRegister>,
    ) -> Option<Timestamp> {
        let users = self.observed.users.listed_at;
        let streams = self.observed.streams.listed_at;
        match list {
            SuspectedList::Users => users,
            SuspectedList::Streams => streams,
            SuspectedList::Both => users.min(streams),
            SuspectedList::Room => {
                let open = self.observed.open_at.map(|seen| seen.at);
                let alive = session.and_then(|session| session.alive_at);
                users.max(streams).max(open).max(alive)
            }
        }
    }

    /// Gives up what an observation resolved: holes, and openings that will not come any more.
    pub(super) fn resolve(&mut self) {
        let [users, streams] = [SuspectedList::Users, SuspectedList::Streams]
            .map(|list| self.confirmed_at(list, None));
        for session in &mut self.sessions {
            let evidence = &mut session.evidence;
            evidence.users.retain(|hole| Some(hole.told_at) > users);
            evidence.streams.retain(|hole| Some(hole.told_at) > streams);
            evidence.doubts.retain_awaited(|doubt| {
                let until =
                    if doubt.about.list() == SuspectedList::Users { users } else { streams };
                Some(doubt.told_at) > until
            });
        }
    }

    /// Whether a user is in the session as far as the media server told: also one whom we closed
    /// out ourselves.
    fn was_told_present(&self, session: &SessionRegister, user_id: &UserId) -> bool {
        let user = session.users.get(user_id);
        user.is_some_and(|user| !user.logins.is_empty() || user.is_closed_by_us())
            || self.sight(Some(session), None).was_seen(user_id)
    }

    /// The newest time of what tells that a stream is open without its publisher.
    fn publisher_absent(
        &self,
        session: &SessionRegister,
        stream_id: &StreamId,
    ) -> Option<Timestamp> {
        let held = self.open_stream(stream_id, session.streams.get(stream_id)?)?;
        let publisher_id = held.details.as_ref()?.publisher_id.as_ref()?;
        if self.was_told_present(session, publisher_id) {
            return None;
        }
        let publisher = session.users.get(publisher_id);
        let told_at = publisher.and_then(UserRegister::newest);
        Some(told_at.map_or(held.at, |told_at| told_at.max(held.at)))
    }

    /// Looks at the signs again that follow from what is held of a session.
    pub(super) fn assess(
        &mut self,
        session_id: &SessionId,
        concerned: Concerned<'_>,
        is_two_logins: bool,
        now: Timestamp,
    ) {
        let Some(session) = self.session(session_id) else { return };
        let nobody = session.logged_in == 0
            && session.closed_by_us == 0
            && !self.sight(Some(session), None).was_anybody_seen();
        let mut signs: Vec<(About, Option<Timestamp>)> = Vec::new();
        let doubts = &session.evidence.doubts;
        // Of most callbacks nothing is to be noted.
        for (about, holds) in
            [(About::NoCreate, session.create.is_none()), (About::NobodyPresent, nobody)]
        {
            if holds != doubts.has(&about) {
                let told_at = if holds { session.newest_opening_or_user() } else { None };
                signs.push((about, told_at));
            }
        }
        let two_logins = |user_id: &UserId| {
            let user = session.users.get(user_id).filter(|user| user.logins.len() > 1);
            let told_at =
                user.and_then(|user| user.logins.iter().map(|login| login.login_at).max());
            (About::TwoLogins(user_id.clone()), told_at)
        };
        let absent = |stream_id: &StreamId| {
            let told_at = self.publisher_absent(session, stream_id);
            (About::PublisherAbsent(stream_id.clone()), told_at)
        };
        let is_any = |sign: &(About, Option<Timestamp>)| sign.1.is_some() || doubts.has(&sign.0);
        match concerned {
            Concerned::User(user_id) => {
                if is_two_logins || !doubts.is_empty() {
                    signs.extend(Some(two_logins(user_id)).filter(is_any));
                }
                if session.open_streams > 0 {
                    let published = session.streams.iter().filter(|(_, stream)| {
                        let details = stream.shown().and_then(|held| held.details.as_ref());
                        details
                            .is_some_and(|details| details.publisher_id.as_ref() == Some(user_id))
                    });
                    signs.extend(published.map(|(stream_id, _)| absent(stream_id)).filter(is_any));
                }
            }
            Concerned::Stream(stream_id) => signs.extend(Some(absent(stream_id)).filter(is_any)),
            Concerned::Everybody => {
                let users = session.users_by_id().into_iter();
                signs.extend(users.map(|(user_id, _)| two_logins(user_id)).filter(is_any));
                signs.extend(session.streams.keys().map(absent).filter(is_any));
                let gone = doubts.iter().filter_map(|doubt| match &doubt.about {
                    About::TwoLogins(user_id) => {
                        (!session.users.contains_key(user_id)).then(|| (doubt.about.clone(), None))
                    }
                    About::PublisherAbsent(stream_id) => {
                        let is_gone = !session.streams.contains_key(stream_id);
                        is_gone.then(|| (doubt.about.clone(), None))
                    }
                    About::NoCreate
                    | About::NobodyPresent
                    | About::LogoutWithoutLogin(..)
                    | About::CloseWithoutOpening(..) => None,
                });
                signs.extend(gone.collect::<Vec<_>>());
            }
        }
        if signs.is_empty() {
            return;
        }
        let resolved: Vec<_> =
            signs.iter().map(|(about, _)| self.confirmed_at(about.list(), Some(session))).collect();
        let Some(session) = self.session_mut(session_id) else { return };
        for ((about, told_at), resolved_until) in signs.into_iter().zip(resolved) {
            session.evidence.doubts.set(about, told_at, now, resolved_until);
        }
    }
}
