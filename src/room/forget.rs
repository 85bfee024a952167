//! Too late, and forgetting: what the retention lets in, and what it lets go.
//!
//! *old* is now less the retention, the *threshold* is old less the clock skew, both compared with
//! their times and ours. An opening older than *old* is too late; a closing older than the
//! threshold is, unless what it closes is known. What has closed is forgotten once its newest fact
//! and its last change are both below the threshold. What is visible never goes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;

use crate::model::config::Fingerprint;
use crate::model::id::{SessionId, StreamId, UserId};
use crate::model::time::Timestamp;
use crate::room::facts::{Concerned, Facts};
use crate::room::live::Live;
use crate::room::session::{Closings, SessionRegister};

/// Which users and streams are to be looked at when.
///
/// An entry that its register has outlived is passed over, so that nothing is searched for when a
/// closed thing opens again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Forgetting(BinaryHeap<Reverse<(Timestamp, Subject)>>);

/// What is forgotten by itself; a session goes with all that is in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    // What observations saw goes before what callbacks told of the same time outdates it no more.
    ListedUser(UserId),
    ListedStream(StreamId),
    User(SessionId, UserId),
    Stream(SessionId, StreamId),
}

impl Subject {
    fn is_among(&self, concerned: Concerned<'_>) -> bool {
        match (self, concerned) {
            (_, Concerned::Everybody) => true,
            (Self::ListedUser(held) | Self::User(_, held), Concerned::User(id)) => held == id,
            (Self::ListedStream(held) | Self::Stream(_, held), Concerned::Stream(id)) => held == id,
            (Self::ListedUser(_) | Self::User(..), Concerned::Stream(_))
            | (Self::ListedStream(_) | Self::Stream(..), Concerned::User(_)) => false,
        }
    }
}

impl Forgetting {
    /// Has the memory brought here of what is next.
    pub(super) fn fetch(&self) {
        black_box(self.0.peek().map(|Reverse((at, _))| *at));
    }

    fn note(
        &mut self,
        forgettable_at: Option<Timestamp>,
        rules: &Fingerprint,
        subject: impl FnOnce() -> Subject,
    ) {
        if let Some(at) = due(forgettable_at, rules) {
            self.0.push(Reverse((at, subject())));
        }
    }
}

impl Live {
    /// Takes note of what a join changed in a session.
    pub(super) fn note_changed(&mut self, index: usize, facts: &Facts<'_>, rules: &Fingerprint) {
        let session = &self.sessions[index];
        if let Some((user_id, _)) = facts.user
            && let Some(user) = session.users.get(&user_id)
        {
            let at = user.forgettable_at(self.login(user_id.id, user).is_some());
            let subject = || Subject::User(session.id.clone(), user_id.id.clone());
            self.forgetting.note(at, rules, subject);
        }
        if let Some((stream_id, _)) = facts.stream
            && let Some(stream) = session.streams.get(stream_id)
        {
            let at = stream.forgettable_at(self.open_stream(stream_id, stream).is_some());
            let subject = || Subject::Stream(session.id.clone(), stream_id.clone());
            self.forgetting.note(at, rules, subject);
        }
    }

    /// Takes note of everybody and everything in a session.
    pub(super) fn note_all(&mut self, index: usize, rules: &Fingerprint) {
        let mut forgetting = std::mem::take(&mut self.forgetting);
        let session = &self.sessions[index];
        for (user_id, user) in session.users.iter() {
            let at = user.forgettable_at(self.login(user_id, user).is_some());
            forgetting.note(at, rules, || Subject::User(session.id.clone(), user_id.clone()));
        }
        for (stream_id, stream) in &session.streams {
            let at = stream.forgettable_at(self.open_stream(stream_id, stream).is_some());
            forgetting.note(at, rules, || Subject::Stream(session.id.clone(), stream_id.clone()));
        }
        self.forgetting = forgetting;
    }

    /// Takes note of a user that observations named.
    pub(super) fn note_listed_user(
        &mut self,
        user_id: &UserId,
        shows_from: Option<Timestamp>,
        rules: &Fingerprint,
    ) {
        let at = self.listed_user_forgettable_at(user_id, shows_from, rules);
        self.forgetting.note(at, rules, || Subject::ListedUser(user_id.clone()));
    }

    /// Takes note of a stream that observations named.
    pub(super) fn note_listed_stream(
        &mut self,
        stream_id: &StreamId,
        shows_from: Option<Timestamp>,
        rules: &Fingerprint,
    ) {
        let at = self.listed_stream_forgettable_at(stream_id, shows_from, rules);
        self.forgetting.note(at, rules, || Subject::ListedStream(stream_id.clone()));
    }

    /// Takes note of everybody and everything that observations named.
    pub(super) fn note_all_listed(&mut self, shows_from: Option<Timestamp>, rules: &Fingerprint) {
        let mut forgetting = std::mem::take(&mut self.forgetting);
        for user_id in self.observed.users.entries.keys() {
            let at = self.listed_user_forgettable_at(user_id, shows_from, rules);
            forgetting.note(at, rules, || Subject::ListedUser(user_id.clone()));
        }
        for stream_id in self.observed.streams.entries.keys() {
            let at = self.listed_stream_forgettable_at(stream_id, shows_from, rules);
            forgetting.note(at, rules, || Subject::ListedStream(stream_id.clone()));
        }
        self.forgetting = forgetting;
    }

    /// Of a user that observations named, the oldest presence that nobody sees; where there is no
    /// presence, the last list, unless a login counts, in whichever session: without the entry the
    /// last list would hide it, also from those who see that session again later.
    fn listed_user_forgettable_at(
        &self,
        user_id: &UserId,
        shows_from: Option<Timestamp>,
        rules: &Fingerprint,
    ) -> Option<Timestamp> {
        let users = &self.observed.users;
        let entry = users.entries.get(user_id)?;
        let sight = self.sight_of_visible(rules, shows_from);
        if entry.present.is_empty() {
            let is_needed = sight.user(user_id.as_str()).is_some()
                || self.sessions.iter().any(|session| {
                    let user = session.users.get(user_id);
                    user.is_some_and(|user| self.login(user_id, user).is_some())
                });
            return users.listed_at.filter(|_| !is_needed);
        }
        sight.oldest_idle_user(user_id)
    }

    /// As [`listed_user_forgettable_at`](Self::listed_user_forgettable_at).
    fn listed_stream_forgettable_at(
        &self,
        stream_id: &StreamId,
        shows_from: Option<Timestamp>,
        rules: &Fingerprint,
    ) -> Option<Timestamp> {
        let streams = &self.observed.streams;
        let entry = streams.entries.get(stream_id)?;
        let sight = self.sight_of_visible(rules, shows_from);
        if entry.present.is_empty() {
            let is_needed = sight.stream(stream_id.as_str()).is_some()
                || self.sessions.iter().any(|session| {
                    let stream = session.streams.get(stream_id);
                    stream.is_some_and(|stream| self.open_stream(stream_id, stream).is_some())
                });
            return streams.listed_at.filter(|_| !is_needed);
        }
        sight.oldest_idle_stream(stream_id)
    }

    /// Whether the retention lets a callback in. One that it does not is refused whole.
    pub(crate) fn lets_in<'s>(
        &self,
        facts: &Facts<'_>,
        now: Timestamp,
        visible: impl FnOnce() -> Option<&'s SessionId>,
        rules: &Fingerprint,
    ) -> bool {
        let Some(retention_ms) = rules.retention_ms else { return true };
        let old = now.minus(retention_ms);
        let threshold = old.minus(rules.clock_skew_ms);
        let session = || self.session(facts.session_id);
        if let Some(create) = facts.create {
            let is_known = session().is_some_and(SessionRegister::is_anchor)
                || visible() == Some(facts.session_id);
            return create.created_at >= old || is_known;
        }
        if let Some(closed_at) = facts.close {
            return closed_at >= threshold || session().is_some() || self.is_seen_open();
        }
        if let Some((user_id, user)) = &facts.user {
            let is_known = || {
                session().is_some_and(|session| session.users.contains_key(user_id))
                    || self.observed.users.names(user_id.id)
            };
            return user.login.is_none_or(|(_, login)| login.login_at >= old)
                && user.closer.is_none_or(|closer| closer.at >= threshold || is_known());
        }
        if let Some((stream_id, fact)) = &facts.stream {
            let known = session().and_then(|session| session.streams.get(*stream_id));
            return if fact.key.closed {
                let is_known = || known.is_some() || self.observed.streams.names(stream_id);
                fact.at >= threshold || is_known()
            } else {
                let republished = known
                    .and_then(|stream| stream.shown())
                    .is_some_and(|shown| shown.stream_session_id == *fact.key.stream_session_id);
                fact.at >= old || republished
            };
        }
        true
    }

    /// Lets go what the retention lets go at this time, at most `budget` registers. Nothing visible
    /// changes.
    pub(crate) fn sweep(
        &mut self,
        now: Timestamp,
        shows_from: Option<Timestamp>,
        rules: &Fingerprint,
        budget: &mut usize,
    ) {
        let Some(retention_ms) = rules.retention_ms else { return };
        let threshold = now.minus(retention_ms).minus(rules.clock_skew_ms);
        self.sweep_registers(now, threshold, shows_from, rules, budget);
        while *budget > 0 && self.forget_session(threshold, shows_from, rules) {
            *budget -= 1;
            // An entry of a list may have stayed for the sake of a login in that session.
            self.note_all_listed(shows_from, rules);
            self.sweep_registers(now, threshold, shows_from, rules, budget);
        }
    }

    fn sweep_registers(
        &mut self,
        now: Timestamp,
        threshold: Timestamp,
        shows_from: Option<Timestamp>,
        rules: &Fingerprint,
        budget: &mut usize,
    ) {
        while *budget > 0 && self.forgetting.0.peek().is_some_and(|Reverse((at, _))| *at <= now) {
            let Some(Reverse((at, subject))) = self.forgetting.0.pop() else { return };
            // One that was outlived is passed over also where its register is due by now: its turn
            // comes later. A closing let go early would bring a presence back that it had ended.
            let is_true = due(self.forgettable_at(&subject, shows_from, rules), rules) == Some(at);
            if is_true && self.forget(&subject, threshold, shows_from, rules) {
                *budget -= 1;
            }
        }
        while *budget > 0 && self.forget_alive(threshold, shows_from, rules) {
            *budget -= 1;
        }
    }

    /// When a sweep can next let something go.
    pub(crate) fn next_sweep(
        &self,
        shows_from: Option<Timestamp>,
        rules: &Fingerprint,
    ) -> Option<Timestamp> {
        rules.retention_ms?;
        let inside = self.forgetting.0.peek().map(|Reverse((at, _))| *at);
        let current = self.current(rules, shows_from);
        let closings = self.closings(shows_from);
        let mut last = self.latest_create.max(self.observed.newest());
        let mut next = None;
        for (index, session) in self.sessions.iter().enumerate() {
            let forgettable_at = session.forgettable_at();
            if Some(index) != current {
                next = earlier(next, due(session.alive_at, rules));
                if !is_kept_beside(session, closings) {
                    next = earlier(next, due(Some(forgettable_at), rules));
                }
            }
            last = last.max(Some(forgettable_at));
        }
        let may_go_whole = self.visible_of(current, shows_from).is_none();
        let whole = if may_go_whole { due(last, rules) } else { None };
        earlier(inside, earlier(next, whole))
    }

    /// Lets entries go that their registers have outlived, so that the first one is true. It was
    /// before: without observations, which take users and streams together, it still is where nothing
    /// concerned it since. What comes up behind it may have been outlived before.
    pub(super) fn trim(
        &mut self,
        concerned: Concerned<'_>,
        shows_from: Option<Timestamp>,
        rules: &Fingerprint,
    ) {
        let mut was_true = self.observed.is_empty();
        while let Some(Reverse((at, subject))) = self.forgetting.0.peek() {
            if was_true && !subject.is_among(concerned) {
                return;
            }
            was_true = false;
            if due(self.forgettable_at(subject, shows_from, rules), rules) == Some(*at) {
                return;
            }
            self.forgetting.0.pop();
        }
    }

    /// Counts anew what is to be let go when.
    pub(crate) fn recount(&mut self, rules: &Fingerprint) {
        self.forgetting = Forgetting::default();
        for session in &mut self.sessions {
            session.recount();
        }
        for index in 0..self.sessions.len() {
            self.note_all(index, rules);
        }
    }

    fn forgettable_at(
        &self,
        subject: &Subject,
        shows_from: Option<Timestamp>,
        rules: &Fingerprint,
    ) -> Option<Timestamp> {
        match subject {
            Subject::ListedUser(user_id) => {
                self.listed_user_forgettable_at(user_id, shows_from, rules)
            }
            Subject::ListedStream(stream_id) => {
                self.listed_stream_forgettable_at(stream_id, shows_from, rules)
            }
            Subject::User(session, user_id) => {
                let user = self.session(session)?.users.get(user_id)?;
                user.forgettable_at(self.login(user_id, user).is_some())
            }
            Subject::Stream(session, stream_id) => {
                let stream = self.session(session)?.streams.get(stream_id)?;
                stream.forgettable_at(self.open_stream(stream_id, stream).is_some())
            }
        }
    }

    /// Lets a user or a stream go, if it is due. Tells whether something went.
    fn forget(
        &mut self,
        subject: &Subject,
        threshold: Timestamp,
        shows_from: Option<Timestamp>,
        rules: &Fingerprint,
    ) -> bool {
        let forgettable_at = self.forgettable_at(subject, shows_from, rules);
        if forgettable_at.is_none_or(|at| at >= threshold) {
            return false;
        }
        match subject {
            Subject::ListedUser(user_id) => {
                let idle = self.sight_of_visible(rules, shows_from).idle_user(user_id, threshold);
                self.observed.users.forget(user_id, &idle);
                self.note_listed_user(user_id, shows_from, rules);
            }
            Subject::ListedStream(stream_id) => {
                let sight = self.sight_of_visible(rules, shows_from);
                let idle = sight.idle_stream(stream_id, threshold);
                self.observed.streams.forget(stream_id, &idle);
                self.note_listed_stream(stream_id, shows_from, rules);
            }
            Subject::User(session_id, user_id) => {
                self.forget_user(session_id, user_id, threshold, rules);
            }
            Subject::Stream(session_id, stream_id) => {
                if let Some(session) = self.session_mut(session_id) {
                    session.forget_stream(stream_id);
                }
            }
        }
        self.retain(|session| !session.is_empty());
        true
    }

    fn forget_user(
        &mut self,
        session_id: &SessionId,
        user_id: &UserId,
        threshold: Timestamp,
        rules: &Fingerprint,
    ) {
        let absent_at = self.observed.users.absent_at(user_id);
        let Some(session) = self.session_mut(session_id) else { return };
        let Some(user) = session.users.get_mut(user_id) else { return };
        if user.shown_since(absent_at).is_none() {
            session.forget_user(user_id);
            return;
        }
        user.forget_closers(threshold);
        let at = user.forgettable_at(true);
        let subject = || Subject::User(session_id.clone(), user_id.clone());
        self.forgetting.note(at, rules, subject);
    }

    /// Lets one sighting of a session go that is not current.
    fn forget_alive(
        &mut self,
        threshold: Timestamp,
        shows_from: Option<Timestamp>,
        rules: &Fingerprint,
    ) -> bool {
        if self.sessions.iter().all(|session| session.alive_at.is_none()) {
            return false;
        }
        let current = self.current(rules, shows_from);
        let index = self.sessions.iter().enumerate().position(|(index, session)| {
            Some(index) != current && session.alive_at.is_some_and(|at| at < threshold)
        });
        let Some(index) = index else { return false };
        self.sessions[index].alive_at = None;
        if self.sessions[index].is_empty() {
            self.remove(index);
        }
        true
    }

    /// Lets one session go that may go, or at last the whole live part.
    fn forget_session(
        &mut self,
        threshold: Timestamp,
        shows_from: Option<Timestamp>,
        rules: &Fingerprint,
    ) -> bool {
        let current = self.current(rules, shows_from);
        let closings = self.closings(shows_from);
        let gone = self.sessions.iter().enumerate().position(|(index, session)| {
            Some(index) != current
                && !is_kept_beside(session, closings)
                && session.forgettable_at() < threshold
        });
        if let Some(gone) = gone {
            self.remove(gone);
            return true;
        }
        // The current session goes last: when it is not visible, and no other is left but unclosed
        // anchors, all below the threshold. They and C go with it.
        let all_below = self.sessions.iter().all(|session| session.forgettable_at() < threshold);
        let is_visible = self.visible(rules, shows_from).is_some();
        let newest = self.latest_create.max(self.observed.newest());
        let create_below = newest.is_none_or(|at| at < threshold);
        if self.is_empty() || !all_below || is_visible || !create_below {
            return false;
        }
        *self = Self::default();
        true
    }
}

/// Whether a session that is not current stays until the current one goes: an unclosed anchor.
fn is_kept_beside(session: &SessionRegister, closings: Closings) -> bool {
    session.is_anchor() && !session.is_closed(closings)
}

/// The first instant at which the threshold has passed: the threshold must lie above it.
fn due(forgettable_at: Option<Timestamp>, rules: &Fingerprint) -> Option<Timestamp> {
    let after = forgettable_at?.plus(rules.retention_ms?).plus(rules.clock_skew_ms);
    (after < Timestamp::MAX).then(|| after.plus(1))
}

/// The earlier of two instants that may be none.
pub(crate) fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
