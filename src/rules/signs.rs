//! Signs of loss: which of them hold, which an observation resolved, and what they add up to.
//!
//! `registers/signs.rs` says what a sign is, and how one that *follows from the registers* differs from one
//! that *waits for a callback*. Here, [`raised_by`](Rulebook::raised_by) finds out the latter when a
//! closing arrives, and [`assess`](Rulebook::assess) the former after each change. The rest serves
//! suspicions, which readers see, and the planner.
//!
//! Steps 4 and 6 of the door ask, and write the answers down (`room/join.rs`, `room/record.rs`).
//!
//! This file carries laws 6.7, 10.3 to 10.7, 10.11 to 10.13, 16.1, 17.1, 17.5, 17.9 and 21.6.

use crate::model::callback::{Callback, CallbackEvent};
use crate::model::id::{StreamId, UserId};
use crate::model::suspicion::{CanAsk, Sign, SuspectedList, Suspicion};
use crate::model::time::Timestamp;
use crate::registers::kind::{Streams, Users};
use crate::registers::places::{Places, Target};
use crate::registers::session::SessionRegister;
use crate::registers::signs::{SignRef, SignSubject};
use crate::registers::stays::StayRegister;
use crate::registers::stays::held::HeldFact;
use crate::registers::tables::Tables;
use crate::rules::visibility::Visible;
use crate::rules::{Rulebook, earlier};

/// Whose signs an operation may have changed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Concerned<'a> {
    /// A user, with the register in the visible session if there is one.
    User(&'a UserId, Option<&'a StayRegister<Users>>),
    /// A stream, with the register in the visible session if there is one.
    Stream(&'a StreamId, Option<&'a StayRegister<Streams>>),
    /// All users and streams of the visible session.
    Everybody,
}

/// Whether a sign holds now, for [`Signs::set`](crate::registers::signs::Signs::set).
#[derive(Debug)]
pub(crate) struct Assessed {
    /// Which sign it is, and whom it is about.
    pub(crate) subject: SignSubject,
    /// The newest event time of its evidence; `None` if the sign does not hold.
    pub(crate) told_at: Option<Timestamp>,
    /// Up to which event time observations resolve it.
    pub(crate) resolved_until: Option<Timestamp>,
}

/// A sign, and the newest event time of its evidence; `None` if the sign does not hold.
type Finding = (SignSubject, Option<Timestamp>);

/// What is worth asking the media server about, and since when. The planner orders rooms by it (law 17.1).
/// Times are local.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct WorthAsking {
    /// When the first opening arrived too late.
    pub(crate) refused_noticed_at: Option<Timestamp>,
    /// When the first gap was noticed.
    pub(crate) gap_noticed_at: Option<Timestamp>,
    /// When the first other sign was noticed.
    pub(crate) sign_noticed_at: Option<Timestamp>,
    /// Whether to ask for the users.
    pub(crate) users: bool,
    /// Whether to ask for the streams.
    pub(crate) streams: bool,
}

impl<'a> Rulebook<'a> {
    /// Returns the sign that a closing raises, if the closing turns out to be new. Either nothing is known
    /// of the stay that it closes, so that its opening may be lost (law 10.7). Or it is an ambiguous exit
    /// (law 10.13).
    ///
    /// It must be asked before the closing is joined. A closing that says that it may come alone lacks
    /// nothing.
    #[inline]
    pub(crate) fn raised_by(
        self,
        callback: &Callback,
        session: Option<usize>,
        target: &Target<'_>,
    ) -> Option<SignSubject> {
        match (&callback.event, target) {
            (CallbackEvent::UserLoggedOut(event), Target::User(_, places)) => {
                let user_id = || event.user_id.clone();
                let stay_id = event.user_session_id.as_ref().filter(|_| event.order.is_none());
                // Only ordered closings can be ambiguous, and only named ones can lack their opening.
                let Some(stay_id) = stay_id else {
                    let is_ambiguous =
                        self.exits_ambiguously(event.logout_at, session, &places.told);
                    return is_ambiguous.then(|| SignSubject::AmbiguousExit(user_id()));
                };
                let lacks = !event.opening_optional
                    && self.lacks_stay::<Users>(stay_id, event.login_at, session, &places.told);
                lacks.then(|| SignSubject::LogoutWithoutLogin(user_id(), stay_id.clone()))
            }
            (CallbackEvent::StreamClosed(event), Target::Stream(_, places)) => {
                let stay_id = event.stream_session_id.as_ref().filter(|_| event.order.is_none())?;
                let lacks = !event.opening_optional
                    && self.lacks_stay::<Streams>(stay_id, event.created_at, session, &places.told);
                let stream_id = || event.stream_id.clone();
                lacks.then(|| SignSubject::CloseWithoutOpening(stream_id(), stay_id.clone()))
            }
            _ => None,
        }
    }

    /// Whether a logout takes an ordered user out within δ after an opening that found the user in already
    /// (law 10.13).
    fn exits_ambiguously(
        self,
        logout_at: Timestamp,
        session: Option<usize>,
        places: &Places,
    ) -> bool {
        let held = session.and_then(|session| self.registers.stays_at::<Users>(session, places));
        let found_open_at = held.filter(|held| held.is_open()).and_then(|held| held.found_open_at);
        let skew_ms = self.settings.clock_skew_ms;
        found_open_at.is_some_and(|at| (at..=at.plus(skew_ms)).contains(&logout_at))
    }

    /// Whether nothing is known of a named stay that closes. One that a later opening replaced lacks
    /// nothing: its opening is below the bound (law 10.7).
    fn lacks_stay<K: Tables>(
        self,
        stay_id: &K::StayId,
        opened_at: Option<Timestamp>,
        session: Option<usize>,
        places: &Places,
    ) -> bool {
        let held = session.and_then(|session| self.registers.stays_at::<K>(session, places));
        held.is_none_or(|stays| {
            opened_at.is_none_or(|at| Some(at) >= stays.latest_opening_at)
                && !stays.has_stay(stay_id)
        })
    }

    /// Returns up to which event time observations confirmed a list, and so resolve its signs (law 16.1).
    /// The session is only needed for the room itself.
    pub(crate) fn confirmed_at(
        self,
        list: SuspectedList,
        session: Option<&SessionRegister>,
    ) -> Option<Timestamp> {
        let users = self.registers.observed.users.listed_at;
        let streams = self.registers.observed.streams.listed_at;
        match list {
            SuspectedList::Users => users,
            SuspectedList::Streams => streams,
            SuspectedList::Both => users.min(streams),
            SuspectedList::Room => {
                let open = self.registers.observed.open_at.map(|seen| seen.at);
                let alive = session.and_then(|session| session.confirmed_open_at);
                users.max(streams).max(open).max(alive)
            }
        }
    }

    /// Assesses the signs of a session that follow from the registers. Returns those that may differ from
    /// what the session remembers, whether they hold or not.
    ///
    /// Most operations change no sign, so nothing is copied before something may have changed.
    #[inline]
    pub(crate) fn assess(self, index: usize, concerned: Concerned<'_>) -> Vec<Assessed> {
        let session = &self.registers.sessions[index];
        let signs = &session.evidence.signs;
        let mut assessed: Vec<Finding> = Vec::new();
        // Assess the signs of the session as a whole. A sign that goes on keeps its evidence, so only a
        // change is told.
        let mut state = |subject: &SignSubject, holds: bool| {
            if holds != signs.has(subject) {
                let told_at = if holds { session.newest_opening_or_user() } else { None };
                assessed.push((subject.clone(), told_at));
            }
        };
        // A nameless session has no creation, and lasts only while somebody is in it (law 21.6).
        let is_named = session.id.is_some();
        state(&SignSubject::NoCreate, is_named && session.create.is_none());
        state(&SignSubject::NobodyPresent, is_named && self.is_nobody_present(index));
        // Of the signs of single users and streams, one that neither holds nor is remembered is left out.
        let is_news = |sign: &Finding| sign.1.is_some() || signs.has(&sign.0);
        match concerned {
            Concerned::User(user_id, user) => {
                if !signs.is_empty() || user.is_some_and(|user| user.exclusive().nth(1).is_some()) {
                    assessed.extend(Some(two_logins(user_id, user)).filter(is_news));
                }
                // The publisher of a stream may have come or gone.
                if self.summaries[index].open_streams > 0 {
                    let published = session.streams.iter().filter(|(_, stream)| {
                        stream.open_since(None).and_then(publisher_of) == Some(user_id)
                    });
                    let published = published
                        .map(|(id, stream)| self.absent_publisher(index, id, Some(stream)));
                    assessed.extend(published.filter(is_news));
                }
            }
            Concerned::Stream(stream_id, stream) => {
                let sign = self.absent_publisher(index, stream_id, stream);
                assessed.extend(Some(sign).filter(is_news));
            }
            Concerned::Everybody => assessed.extend(self.assess_everybody(index).filter(is_news)),
        }
        if assessed.is_empty() {
            return Vec::new();
        }
        let assessed = assessed.into_iter().map(|(subject, told_at)| {
            let resolved_until = self.confirmed_at(subject.list(), Some(session));
            Assessed { subject, told_at, resolved_until }
        });
        assessed.collect()
    }

    /// Assesses the signs of all users and streams of a session, and those that are remembered of others.
    fn assess_everybody(self, index: usize) -> impl Iterator<Item = Finding> + use<'a> {
        let session = &self.registers.sessions[index];
        // They are sorted by id, so that a cap drops the same signs whatever the order of the tables.
        let mut users: Vec<_> = session.users.iter().collect();
        users.sort_unstable_by_key(|(user_id, _)| *user_id);
        let users = users.into_iter().map(|(id, user)| two_logins(id, Some(user)));
        let mut streams: Vec<_> = session.streams.iter().collect();
        streams.sort_unstable_by_key(|(stream_id, _)| *stream_id);
        let streams = streams
            .into_iter()
            .map(move |(id, stream)| self.absent_publisher(index, id, Some(stream)));
        // Signs of users and streams that have no register any more do not hold.
        let gone = session.evidence.signs.iter().filter(move |held| match &held.subject {
            SignSubject::TwoLogins(user_id) => !session.users.contains_key(user_id),
            SignSubject::PublisherAbsent(stream_id) => !session.streams.contains_key(stream_id),
            SignSubject::NoCreate
            | SignSubject::NobodyPresent
            | SignSubject::LogoutWithoutLogin(..)
            | SignSubject::AmbiguousExit(_)
            | SignSubject::CloseWithoutOpening(..) => false,
        });
        let gone = gone.map(|held| (held.subject.clone(), None));
        users.chain(streams).chain(gone)
    }

    /// Whether no user is in a session, as far as the media server told. A user whom a command closed out
    /// is in it (law 6.7).
    fn is_nobody_present(self, index: usize) -> bool {
        let summary = &self.summaries[index];
        summary.logged_in == 0 && summary.closed_by_us == 0 && !self.was_anybody_seen(index)
    }

    /// Finds out whether a stream is open without its publisher.
    fn absent_publisher(
        self,
        index: usize,
        stream_id: &StreamId,
        stream: Option<&StayRegister<Streams>>,
    ) -> Finding {
        let told_at = stream.and_then(|held| self.publisher_absent(index, stream_id, held));
        (SignSubject::PublisherAbsent(stream_id.clone()), told_at)
    }

    /// Returns the newest event time of the evidence that a stream is open without its publisher. `None` if
    /// it is not.
    fn publisher_absent(
        self,
        index: usize,
        stream_id: &StreamId,
        stream: &StayRegister<Streams>,
    ) -> Option<Timestamp> {
        let in_roster = self.registers.observed.streams.entries.place_of(stream_id);
        let held = self.open_stay(index, stream, in_roster)?;
        let places = self.registers.places::<Users>(publisher_of(held)?);
        let publisher = self.registers.stays_at::<Users>(index, &places);
        let is_present = publisher.is_some_and(|user| user.is_open() || user.is_closed_by_us())
            || self.was_seen(index, &places);
        // A server may publish under an id that never logs in, so callbacks must have told of the publisher
        // (law 10.12). Once the sign is raised, it stays even if the publisher is forgotten.
        let signs = &self.registers.sessions[index].evidence.signs;
        let is_known =
            || publisher.is_some() || signs.has(&SignSubject::PublisherAbsent(stream_id.clone()));
        if is_present || !is_known() {
            return None;
        }
        let told_at = publisher.and_then(StayRegister::newest);
        Some(told_at.map_or(held.at, |told_at| told_at.max(held.at)))
    }

    /// Returns the signs that no observation resolved: those of openings that came too late, and those of
    /// the visible session (law 10.4).
    pub(crate) fn unresolved_signs(
        self,
        visible: Option<Visible>,
    ) -> impl Iterator<Item = SignRef> + use<'a> {
        let index = visible.and_then(Visible::index);
        let session = index.map(|index| &self.registers.sessions[index]);
        let session = session.filter(|session| !session.evidence.is_empty());
        let of_session = session.into_iter().flat_map(move |session| {
            session.evidence.iter().filter(move |sign| {
                Some(sign.told_at) > self.confirmed_at(sign.list, Some(session))
            })
        });
        self.registers.refused.signs().chain(of_session)
    }

    /// Returns since when, in local time, there is a sign that was not reported yet (law 10.5).
    pub(crate) fn unreported_since(self, visible: Option<Visible>) -> Option<Timestamp> {
        let waiting = self.unresolved_signs(visible).filter(|sign| !sign.reported);
        waiting.map(|sign| sign.noticed_at).min()
    }

    /// Returns the suspicions of the room: its unresolved signs, joined by list and sign. `counts` says
    /// which signs count.
    pub(crate) fn suspicions(
        self,
        visible: Option<Visible>,
        counts: impl Fn(&SignRef) -> bool,
    ) -> Vec<Suspicion> {
        let mut suspicions: Vec<Suspicion> = Vec::new();
        for sign in self.unresolved_signs(visible).filter(counts) {
            let is_same = |held: &&mut Suspicion| (held.list, held.sign) == (sign.list, sign.sign);
            match suspicions.iter_mut().find(is_same) {
                Some(held) => {
                    held.suspected_since = held.suspected_since.min(sign.noticed_at);
                    held.missing.extend(sign.missing);
                }
                None => suspicions.push(Suspicion {
                    sign: sign.sign,
                    list: sign.list,
                    suspected_since: sign.noticed_at,
                    missing: sign.missing.into_iter().collect(),
                }),
            }
        }
        suspicions.sort_unstable_by_key(|held| (held.list, held.sign));
        suspicions
    }

    /// Returns what is worth asking about, and since when. It leaves out signs that an answer cannot
    /// resolve, because the media server cannot be asked for the list that they concern (law 17.9).
    pub(crate) fn worth_asking(self, visible: Option<Visible>, can_ask: CanAsk) -> WorthAsking {
        let mut worth = WorthAsking::default();
        for sign in self.unresolved_signs(visible).filter(|sign| can_ask.resolves(sign.list)) {
            let noticed_at = match sign.sign {
                Sign::RefusedOpening => &mut worth.refused_noticed_at,
                Sign::Gap => &mut worth.gap_noticed_at,
                Sign::NoCreate
                | Sign::LogoutWithoutLogin
                | Sign::AmbiguousExit
                | Sign::TwoLogins
                | Sign::NobodyPresent
                | Sign::CloseWithoutOpening
                | Sign::PublisherAbsent => &mut worth.sign_noticed_at,
            };
            *noticed_at = earlier(*noticed_at, Some(sign.noticed_at));
            // A sign of the room itself is in neither list, so it takes both (law 17.5).
            let (users, streams) = (sign.list.concerns_users(), sign.list.concerns_streams());
            let is_of_room = !users && !streams;
            worth.users |= users || is_of_room;
            worth.streams |= streams || is_of_room;
        }
        worth
    }
}

/// Finds out whether a user has two logins that exclude each other.
fn two_logins(user_id: &UserId, user: Option<&StayRegister<Users>>) -> Finding {
    let user = user.filter(|user| user.exclusive().nth(1).is_some());
    let told_at = user.and_then(|user| user.exclusive().map(|login| login.at).max());
    (SignSubject::TwoLogins(user_id.clone()), told_at)
}

/// Returns who publishes a stream, if its opening told.
fn publisher_of(held: &HeldFact<Streams>) -> Option<&UserId> {
    held.details()?.0.publisher_id.as_ref()
}
