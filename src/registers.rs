//! What is known of one room, and nothing that follows from it.
//!
//! Every register is a *join*: a maximum, or a maximum a key. Applying a callback is merging a room that
//! holds nothing else. So one piece of code ([`Registers::join`]) serves both, and what is stored is a
//! function of the set of callbacks, not of their order.
//!
//! *C* is the latest creation known. Sessions created within the tie window of C are the *anchors*. The
//! *floor*, C less the clock skew, bounds everything else. [`SessionRegister`] says what the close of a
//! session bounds, and [`UserRegister`](user::UserRegister) what the latest opening of a user bounds.
//!
//! A join returns what it changed, and calls no rule.

pub(crate) mod facts;
pub(crate) mod gaps;
pub(crate) mod members;
pub(crate) mod places;
pub(crate) mod roster;
pub(crate) mod session;
pub(crate) mod signs;
pub(crate) mod stream;
pub(crate) mod user;

use smallvec::SmallVec;

use crate::collections::id_table::IdTable;
use crate::model::config::Rules;
use crate::model::id::{SessionId, StreamId, StreamSessionId};
use crate::model::observation::{Observation, Verdict};
use crate::model::text::Attributes;
use crate::model::time::Timestamp;
use crate::model::visible::RoomInfo;
use crate::registers::facts::{ClosingFact, Effect, Facts, StreamFact, Tally, UserFacts};
use crate::registers::members::Members;
use crate::registers::places::{StreamPlaces, Target, UserPlaces};
use crate::registers::roster::{Observed, SeenAt};
use crate::registers::session::{Create, Name, SessionRegister};
use crate::registers::stream::StreamRegister;
use crate::registers::user::UserRegister;

/// How many sessions one room may hold. More come only from hostile input.
pub(crate) const MAX_SESSIONS: usize = 16;

/// Everything that is known of a room.
#[derive(Debug, Clone, Default)]
pub(crate) struct Registers {
    pub(crate) members: Members,
    /// C: the latest creation known, in event time.
    pub(crate) latest_create: Option<Timestamp>,
    /// Ordered by id.
    pub(crate) sessions: SmallVec<[SessionRegister; 1]>,
    /// What observations said.
    pub(crate) observed: Observed,
    /// What commands made of the room.
    pub(crate) info: Option<RoomInfo>,
    /// When the business info last ended, in local time.
    pub(crate) ended_at: Option<Timestamp>,
    /// Since when nobody is in the room, in local time. The projection decides it.
    pub(crate) empty_since: Option<Timestamp>,
    /// Since when no session is visible any more, in local time. `None` if none was since the room was
    /// created. The projection decides it.
    pub(crate) sessionless_since: Option<Timestamp>,
    /// The application's own attributes of visible streams.
    pub(crate) stream_attributes: IdTable<StreamId, StreamAttributes>,
}

/// The application's own attributes of one life of a stream.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct StreamAttributes {
    /// In local time.
    pub(crate) updated_at: Timestamp,
    /// `None` if only an observation knows the stream: then they are for whatever life it turns out to
    /// be.
    pub(crate) stream_session_id: Option<StreamSessionId>,
    pub(crate) attributes: Attributes,
}

/// What decides whether a session counts as closed, apart from its own registers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Closings {
    /// When the business info was made, in local time. An end before it hides nothing.
    pub(crate) shows_from: Option<Timestamp>,
    /// When the room was last seen not to be open.
    pub(crate) not_open_at: Option<Timestamp>,
}

/// What a join did.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Joined {
    pub(crate) tally: Tally,
    /// Whose users or streams lost something, because a bound rose: a bit for each session.
    pub(crate) lost_in: u32,
    /// Whether a creation or close is new. That may outdate what observations saw.
    pub(crate) outdates: bool,
}

impl Registers {
    /// Joins facts of a session, and of a user or stream in it.
    ///
    /// No session, user or stream loses its place by that; what is left empty goes at the end of the
    /// operation. See [`drop_empty`](Self::drop_empty).
    pub(crate) fn join(
        &mut self,
        facts: &Facts<'_>,
        session: usize,
        target: &mut Target<'_>,
        changed_at: Timestamp,
        rules: &Rules,
    ) -> Joined {
        let mut joined = Joined::default();
        let tally = &mut joined.tally;
        if let Some(fact) = facts.create {
            let effect = if fact.created_at < self.anchors_from(rules) {
                Effect::Beaten
            } else {
                self.sessions[session].join_create(fact)
            };
            tally.add_main(effect);
            if effect == Effect::Changed {
                joined.lost_in = self.raise(fact.created_at, rules);
            }
        }
        let floor = self.floor(rules);
        let register = &mut self.sessions[session];
        let closed_at = register.closed_at;
        register.join(facts, floor, tally);
        if register.closed_at != closed_at {
            joined.lost_in |= u32::from(register.prune_inside(floor, rules)) << session;
        }
        match target {
            Target::Session => {}
            Target::User(user_id, places) => {
                if let Some(facts) = &facts.user {
                    let place = &mut places.in_sessions[session];
                    let mut join = |user: &mut UserRegister| {
                        join_user(user, facts, register.closed_at, floor, changed_at, rules, tally);
                    };
                    if let Some(user) = place.and_then(|place| register.users.at_mut(place)) {
                        join(user);
                    } else {
                        let mut user = UserRegister::default();
                        join(&mut user);
                        if !user.is_empty() {
                            *place = Some(register.users.insert_new(user_id.as_hashed(), user));
                        }
                    }
                }
            }
            Target::Stream(stream_id, places) => {
                if let Some(fact) = &facts.stream {
                    let place = &mut places.in_sessions[session];
                    let bounds = register.bounds(floor);
                    let mut join = |stream: &mut StreamRegister| {
                        join_stream(stream, fact, bounds, changed_at, tally);
                    };
                    if let Some(stream) = place.and_then(|place| register.streams.at_mut(place)) {
                        join(stream);
                    } else {
                        let mut stream = StreamRegister::default();
                        join(&mut stream);
                        if !stream.is_empty() {
                            *place =
                                Some(register.streams.insert_new(stream_id.as_hashed(), stream));
                        }
                    }
                }
            }
        }
        if joined.tally.changed {
            register.changed_at = register.changed_at.max(changed_at);
        }
        joined.outdates = joined.tally.changed && (facts.create.is_some() || facts.close.is_some());
        if joined.outdates && !self.observed.is_empty() {
            self.observed.prune(floor, self.outdated_until());
        }
        joined
    }

    /// Joins what an observation says. Returns whether anything that readers may see changed, and whether
    /// it resolved signs of loss.
    ///
    /// The observation counts as made a clock skew before it was: whatever changed since then is left
    /// to callbacks.
    pub(crate) fn join_observation(
        &mut self,
        observation: &Observation,
        verdict: Verdict<'_>,
        now: Timestamp,
        rules: &Rules,
    ) -> (bool, bool) {
        let at = observation.observed_at.minus(rules.clock_skew_ms);
        let floor = self.floor(rules);
        if at < floor {
            return (false, false);
        }
        let before = self.observed.clone();
        let seen = SeenAt { at, received_at: self.observed.received_at(now) };
        let mut changed = false;
        match verdict {
            Verdict::Closed(session_id) => {
                let facts = Facts { close: Some(at), ..Facts::default() };
                // Hearing again that it is closed is no news.
                let closed = self.session(session_id).filter(|held| held.closed_at.is_some());
                let changed_at = closed.map_or(now, |held| held.changed_at);
                return (self.join_session(&facts, session_id, changed_at, rules), false);
            }
            Verdict::Alive(session_id) => {
                let facts = Facts { confirmed_open: Some(at), ..Facts::default() };
                changed = self.join_session(&facts, session_id, now, rules);
            }
            Verdict::NotOpen => {
                self.observed.not_open_at = self.observed.not_open_at.max(Some(at));
            }
            Verdict::Open => self.observed.join_open(seen),
            Verdict::Unsaid => {}
        }
        self.observed.join_lists(observation, verdict == Verdict::NotOpen, seen);
        self.observed.prune(floor, self.outdated_until());
        self.observed.drop_idle();
        let resolved = self.resolve_signs();
        (changed || self.observed != before, resolved)
    }

    /// Joins facts of a session alone. Returns whether anything changed.
    fn join_session(
        &mut self,
        facts: &Facts<'_>,
        session_id: &SessionId,
        changed_at: Timestamp,
        rules: &Rules,
    ) -> bool {
        let (session, _) = self.session_or_insert(session_id);
        self.join(facts, session, &mut Target::Session, changed_at, rules).tally.changed
    }

    /// Closes every login of a user, each at its own login time, so that a late repeat cannot bring the
    /// user back and a new login does. Presences that observations saw end likewise.
    pub(crate) fn close_logins(&mut self, target: &mut Target<'_>, now: Timestamp, rules: &Rules) {
        let Target::User(_, places) = target else { return };
        if let Some(place) = places.in_roster {
            self.observed.users.leave(place);
        }
        for session in 0..self.sessions.len() {
            for (user_session_id, at) in self.logins_at(session, target) {
                let user_session_id = &user_session_id;
                let closing = ClosingFact { user_session_id, at, by_us: true };
                let user = UserFacts { closing: Some(closing), ..UserFacts::default() };
                let facts = Facts { user: Some(user), ..Facts::default() };
                self.join(&facts, session, target, now, rules);
            }
        }
    }

    fn logins_at(
        &self,
        session: usize,
        target: &Target<'_>,
    ) -> SmallVec<[(crate::model::id::UserSessionId, Timestamp); 1]> {
        let Target::User(_, places) = target else { return SmallVec::new() };
        let user = self.user_at(session, places);
        let logins = user.into_iter().flat_map(|user| &user.logins);
        logins.map(|login| (login.user_session_id.clone(), login.login_at)).collect()
    }

    /// Hides everything that is stored: the room ends.
    pub(crate) fn hide_all(&mut self, hidden_at: Timestamp, now: Timestamp) {
        self.observed.hide(hidden_at);
        for session in &mut self.sessions {
            session.hidden_at = session.hidden_at.max(Some(hidden_at));
            session.changed_at = session.changed_at.max(now);
        }
    }

    /// Raises C, and drops what is below the new bounds. Returns in which sessions a user or a stream
    /// lost something: a bit for each.
    fn raise(&mut self, created_at: Timestamp, rules: &Rules) -> u32 {
        if self.latest_create.is_some_and(|latest| created_at <= latest) {
            return 0;
        }
        self.latest_create = Some(created_at);
        let (anchors_from, floor) = (self.anchors_from(rules), self.floor(rules));
        if !self.observed.is_empty() {
            self.observed.prune(floor, Some(created_at));
        }
        let mut lost_in = 0;
        for (index, session) in self.sessions.iter_mut().enumerate() {
            let create = session.create.take();
            session.create = create.filter(|create| create.created_at >= anchors_from);
            lost_in |= u32::from(session.prune(floor, rules)) << index;
        }
        lost_in
    }

    /// Joins every register of another replica. Returns whose membership is another now.
    pub(crate) fn merge(
        &mut self,
        other: Self,
        now: Timestamp,
        rules: &Rules,
    ) -> Vec<crate::model::id::UserId> {
        if let Some(latest) = other.latest_create {
            self.raise(latest, rules);
        }
        for session in &other.sessions {
            self.merge_session(session, now, rules);
        }
        self.observed.merge(&other.observed);
        self.observed.prune(self.floor(rules), self.outdated_until());
        self.observed.drop_idle();
        self.resolve_signs();
        self.drop_empty();

        self.ended_at = self.ended_at.max(other.ended_at);
        let info = self.info.take().max(other.info);
        self.info = info.filter(|info| Some(info.updated_at) > self.ended_at);
        let updated = self.members.merge(&other.members, self.ended_at);
        self.empty_since = self.empty_since.max(other.empty_since);
        self.sessionless_since = self.sessionless_since.max(other.sessionless_since);
        for (stream_id, attributes) in other.stream_attributes.iter() {
            self.stream_attributes.join(stream_id, attributes.clone());
        }
        updated
    }

    fn merge_session(&mut self, other: &SessionRegister, now: Timestamp, rules: &Rules) {
        let (index, _) = self.session_or_insert(&other.id);
        let own = Facts {
            create: other.create.as_ref().map(Create::fact),
            close: other.closed_at,
            opening: other.latest_opening_at,
            name: other.name.as_ref().map(Name::fact),
            confirmed_open: other.confirmed_open_at,
            ..Facts::default()
        };
        self.join(&own, index, &mut Target::Session, other.changed_at, rules);
        for (user_id, user) in other.users.iter() {
            let mut target = self.target_user(user_id);
            for facts in user.facts() {
                let facts = Facts { user: Some(facts), ..Facts::default() };
                self.join(&facts, index, &mut target, user.changed_at, rules);
            }
            if let Target::User(_, places) = &target
                && let Some(held) = places.in_sessions[index]
                    .and_then(|place| self.sessions[index].users.at_mut(place))
            {
                held.changed_at = held.changed_at.max(user.changed_at);
            }
        }
        for (stream_id, stream) in other.streams.iter() {
            let mut target = self.target_stream(stream_id);
            for held in &stream.facts {
                let facts = Facts { stream: Some(held.fact()), ..Facts::default() };
                self.join(&facts, index, &mut target, stream.changed_at, rules);
            }
            if let Target::Stream(_, places) = &target
                && let Some(held) = places.in_sessions[index]
                    .and_then(|place| self.sessions[index].streams.at_mut(place))
            {
                held.changed_at = held.changed_at.max(stream.changed_at);
            }
        }
        let session = &mut self.sessions[index];
        session.hidden_at = session.hidden_at.max(other.hidden_at);
        if session.is_empty() {
            return; // nothing of the other is held, and it goes
        }
        session.changed_at = session.changed_at.max(other.changed_at);
        session.evidence.merge(&other.evidence, now);
    }

    /// Drops gaps, and signs that wait for a callback, that an observation resolved. Returns whether
    /// there were any.
    pub(crate) fn resolve_signs(&mut self) -> bool {
        let (users, streams) = (self.observed.users.listed_at, self.observed.streams.listed_at);
        let mut any = false;
        for session in &mut self.sessions {
            any |= session.evidence.resolve(users, streams);
        }
        any
    }

    /// Drops registers, sessions and entries that hold nothing any more. Places change.
    pub(crate) fn drop_empty(&mut self) {
        for session in &mut self.sessions {
            session.drop_empty();
        }
        self.observed.drop_idle();
        self.retain_sessions(|session| !session.is_empty());
    }

    /// Drops sessions that are not to be kept.
    pub(crate) fn retain_sessions(&mut self, keep: impl FnMut(&mut SessionRegister) -> bool) {
        self.sessions.retain(keep);
        self.sessions.shrink_to_fit(); // the only one lies in the room itself again
    }

    /// Drops a session.
    pub(crate) fn remove_session(&mut self, index: usize) {
        self.sessions.remove(index);
        self.sessions.shrink_to_fit();
    }

    /// Drops what callbacks and observations said, all of it.
    pub(crate) fn forget_live(&mut self) {
        self.latest_create = None;
        self.sessions = SmallVec::new();
        self.observed = Observed::default();
    }

    /// Pulls local times that lie in the future back to now. What was made after an end stays after it.
    pub(crate) fn pull_back(&mut self, now: Timestamp) {
        let back = |at: &mut Option<Timestamp>| *at = at.map(|at| at.min(now));
        back(&mut self.ended_at);
        back(&mut self.empty_since);
        back(&mut self.sessionless_since);
        for session in &mut self.sessions {
            session.pull_back(now);
        }
        self.observed.pull_back(now);
        let ended = self.ended_at.is_some()
            || self.sessions.iter().any(|session| session.hidden_at.is_some());
        let from = now.plus(u64::from(ended));
        if let Some(info) = &mut self.info {
            info.created_at = info.created_at.min(from);
            info.updated_at = info.updated_at.min(from);
        }
        self.members.pull_back(now, from);
    }

    pub(crate) fn session(&self, id: &SessionId) -> Option<&SessionRegister> {
        self.session_index(id).map(|index| &self.sessions[index])
    }

    /// Returns where a session stands. A room rarely holds more than two.
    pub(crate) fn session_index(&self, id: &SessionId) -> Option<usize> {
        self.sessions.iter().position(|session| session.id == *id)
    }

    /// Returns where a session stands, and whether it was put there just now.
    pub(crate) fn session_or_insert(&mut self, id: &SessionId) -> (usize, bool) {
        if let Some(index) = self.session_index(id) {
            return (index, false);
        }
        (self.insert_session(SessionRegister::new(id.clone())), true)
    }

    /// Puts a session in its place.
    pub(crate) fn insert_session(&mut self, session: SessionRegister) -> usize {
        let index = self.sessions.partition_point(|held| held.id < session.id);
        self.sessions.insert(index, session);
        index
    }

    /// Returns the register of a user in a session.
    pub(crate) fn user_at(&self, session: usize, places: &UserPlaces) -> Option<&UserRegister> {
        let place = (*places.in_sessions.get(session)?)?;
        self.sessions[session].users.at(place).map(|(_, user)| user)
    }

    /// Returns the register of a stream in a session.
    pub(crate) fn stream_at(
        &self,
        session: usize,
        places: &StreamPlaces,
    ) -> Option<&StreamRegister> {
        let place = (*places.in_sessions.get(session)?)?;
        self.sessions[session].streams.at(place).map(|(_, stream)| stream)
    }

    /// Returns what creations must not be below for their sessions to be anchors.
    pub(crate) fn anchors_from(&self, rules: &Rules) -> Timestamp {
        self.latest_create.unwrap_or_default().minus(rules.tie_window_ms)
    }

    /// Returns what facts of sessions must not be below.
    pub(crate) fn floor(&self, rules: &Rules) -> Timestamp {
        self.latest_create.unwrap_or_default().minus(rules.clock_skew_ms)
    }

    /// Returns what a presence without the name of a session must be later than: every creation and
    /// close.
    pub(crate) fn outdated_until(&self) -> Option<Timestamp> {
        let closed_at = self.sessions.iter().map(|session| session.closed_at).max().flatten();
        closed_at.max(self.latest_create)
    }

    pub(crate) fn closings(&self) -> Closings {
        let shows_from = self.info.as_ref().map(|info| info.created_at);
        Closings { shows_from, not_open_at: self.observed.not_open_at }
    }

    /// Whether callbacks and observations left nothing.
    pub(crate) fn is_live_empty(&self) -> bool {
        self.latest_create.is_none() && self.sessions.is_empty() && self.observed.is_empty()
    }
}

fn join_user(
    user: &mut UserRegister,
    facts: &UserFacts<'_>,
    closed_at: Option<Timestamp>,
    floor: Timestamp,
    changed_at: Timestamp,
    rules: &Rules,
    tally: &mut Tally,
) {
    let bounds = session::Bounds { floor, closed_at };
    let [key, login, closing] = user.join(facts, bounds, rules);
    if [key, login, closing].contains(&Some(Effect::Changed)) {
        user.changed_at = user.changed_at.max(changed_at);
    }
    if let Some(main) = login.or(closing) {
        tally.add_main(main);
    }
    if let Some(key) = key {
        tally.add(key);
    }
}

fn join_stream(
    stream: &mut StreamRegister,
    fact: &StreamFact<'_>,
    bounds: session::Bounds,
    changed_at: Timestamp,
    tally: &mut Tally,
) {
    let effect = stream.join(fact, bounds);
    if effect == Effect::Changed {
        stream.changed_at = stream.changed_at.max(changed_at);
    }
    tally.add_main(effect);
}

impl IdTable<StreamId, StreamAttributes> {
    /// Keeps the greater of two of one stream.
    fn join(&mut self, stream_id: &StreamId, attributes: StreamAttributes) {
        let stream_id = crate::collections::id_table::Hashed::new(stream_id);
        match self.get_mut(&stream_id) {
            Some(held) if *held < attributes => *held = attributes,
            Some(_) => {}
            None => _ = self.insert_new(stream_id, attributes),
        }
    }
}
