//! Too late, and forgetting: what the retention lets in, and what it lets go.
//!
//! *old* is now less the retention, the *threshold* is old less the clock skew, both compared with
//! their times and ours. An opening older than *old* is too late; a closing older than the
//! threshold is, unless what it closes is known. What has closed is forgotten once its newest fact
//! and its last change are both below the threshold. What is visible never goes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::config::Fingerprint;
use crate::id::{SessionId, StreamId, UserId};
use crate::room::facts::Facts;
use crate::room::live::Live;
use crate::room::session::SessionRegister;
use crate::room::stream::StreamRegister;
use crate::room::user::UserRegister;
use crate::time::Timestamp;

/// Which users and streams are to be looked at when.
///
/// An entry that its register has outlived is passed over, so that nothing is searched for when a
/// closed thing opens again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Forgetting(BinaryHeap<Reverse<(Timestamp, Subject)>>);

/// What is forgotten by itself; a session goes with all that is in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    User(SessionId, UserId),
    Stream(SessionId, StreamId),
}

impl Forgetting {
    /// Takes note of what a join changed.
    pub(crate) fn note(
        &mut self,
        session: &SessionRegister,
        facts: &Facts<'_>,
        rules: &Fingerprint,
    ) {
        if let Some((user_id, _)) = facts.user {
            self.note_user(session, user_id, rules);
        }
        if let Some((stream_id, _)) = facts.stream {
            self.note_stream(session, stream_id, rules);
        }
    }

    /// Takes note of everybody and everything in a session.
    #[expect(
        clippy::disallowed_methods,
        clippy::iter_over_hash_type,
        reason = "a heap does not depend on the order it is filled in"
    )]
    pub(crate) fn note_all(&mut self, session: &SessionRegister, rules: &Fingerprint) {
        for user_id in session.users.keys() {
            self.note_user(session, user_id, rules);
        }
        for stream_id in session.streams.keys() {
            self.note_stream(session, stream_id, rules);
        }
    }

    fn note_user(&mut self, session: &SessionRegister, user_id: &UserId, rules: &Fingerprint) {
        let forgettable_at = session.users.get(user_id).and_then(UserRegister::forgettable_at);
        if let Some(at) = due(forgettable_at, rules) {
            self.0.push(Reverse((at, Subject::User(session.id.clone(), user_id.clone()))));
        }
    }

    fn note_stream(
        &mut self,
        session: &SessionRegister,
        stream_id: &StreamId,
        rules: &Fingerprint,
    ) {
        let forgettable_at =
            session.streams.get(stream_id).and_then(StreamRegister::forgettable_at);
        if let Some(at) = due(forgettable_at, rules) {
            self.0.push(Reverse((at, Subject::Stream(session.id.clone(), stream_id.clone()))));
        }
    }
}

impl Live {
    /// Whether the retention lets a callback in. One that it does not is refused whole.
    pub(crate) fn lets_in(
        &self,
        facts: &Facts<'_>,
        now: Timestamp,
        visible: Option<&SessionId>,
        rules: &Fingerprint,
    ) -> bool {
        let Some(retention_ms) = rules.retention_ms else { return true };
        let old = now.minus(retention_ms);
        let threshold = old.minus(rules.clock_skew_ms);
        let session = self.session(facts.session_id);
        if let Some(create) = facts.create {
            let is_known = session.is_some_and(SessionRegister::is_anchor)
                || visible == Some(facts.session_id);
            return create.created_at >= old || is_known;
        }
        if let Some(closed_at) = facts.close {
            return closed_at >= threshold || session.is_some();
        }
        if let Some((user_id, user)) = &facts.user {
            let is_known = || session.is_some_and(|session| session.users.contains_key(*user_id));
            return user.login.is_none_or(|(_, login)| login.login_at >= old)
                && user.closer.is_none_or(|(_, at)| at >= threshold || is_known());
        }
        if let Some((stream_id, fact)) = &facts.stream {
            let known = session.and_then(|session| session.streams.get(*stream_id));
            return if fact.key.closed {
                fact.at >= threshold || known.is_some()
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
        while *budget > 0 && self.forgetting.0.peek().is_some_and(|Reverse((at, _))| *at <= now) {
            let Some(Reverse((_, subject))) = self.forgetting.0.pop() else { return };
            if self.forget(&subject, threshold, rules) {
                *budget -= 1;
            }
        }
        while *budget > 0 && self.forget_session(threshold, shows_from, rules) {
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
        let mut may_go_whole = true;
        let mut last = self.latest_create;
        let mut next = None;
        for (index, session) in self.sessions.iter().enumerate() {
            let forgettable_at = session.forgettable_at();
            if Some(index) == current {
                may_go_whole = !session.is_open(shows_from);
            } else if !is_kept_beside(session, shows_from) {
                next = earlier(next, due(Some(forgettable_at), rules));
            }
            last = last.max(Some(forgettable_at));
        }
        let whole = if may_go_whole { due(last, rules) } else { None };
        earlier(inside, earlier(next, whole))
    }

    /// Lets entries go that their registers have outlived, so that the first one is true.
    pub(crate) fn trim(&mut self, rules: &Fingerprint) {
        while let Some(Reverse((at, subject))) = self.forgetting.0.peek() {
            if due(self.forgettable_at(subject), rules) == Some(*at) {
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
            self.forgetting.note_all(session, rules);
        }
    }

    fn forgettable_at(&self, subject: &Subject) -> Option<Timestamp> {
        match subject {
            Subject::User(session, user) => {
                self.session(session)?.users.get(user)?.forgettable_at()
            }
            Subject::Stream(session, stream) => {
                self.session(session)?.streams.get(stream)?.forgettable_at()
            }
        }
    }

    /// Lets a user or a stream go, if it is due. Tells whether something went.
    fn forget(&mut self, subject: &Subject, threshold: Timestamp, rules: &Fingerprint) -> bool {
        if self.forgettable_at(subject).is_none_or(|at| at >= threshold) {
            return false;
        }
        let (Subject::User(session_id, _) | Subject::Stream(session_id, _)) = subject;
        let Some(session) = self.sessions.iter_mut().find(|session| session.id == *session_id)
        else {
            return false;
        };
        match subject {
            Subject::User(_, user_id) => {
                let Some(user) = session.users.get_mut(user_id) else { return false };
                if user.logins.is_empty() {
                    session.users.remove(user_id);
                } else {
                    user.forget_closers(threshold);
                    self.forgetting.note_user(session, user_id, rules);
                }
            }
            Subject::Stream(_, stream_id) => {
                session.streams.remove(stream_id);
            }
        }
        if session.is_empty() {
            self.sessions.retain(|session| session.id != *session_id);
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
        let gone = self.sessions.iter().enumerate().position(|(index, session)| {
            Some(index) != current
                && !is_kept_beside(session, shows_from)
                && session.forgettable_at() < threshold
        });
        if let Some(gone) = gone {
            self.sessions.remove(gone);
            return true;
        }
        // The current session goes last: when it is not visible, and no other is left but unclosed
        // anchors, all below the threshold. They and C go with it.
        let all_below = self.sessions.iter().all(|session| session.forgettable_at() < threshold);
        let is_visible = current.is_some_and(|index| self.sessions[index].is_open(shows_from));
        let create_below = self.latest_create.is_none_or(|at| at < threshold);
        if self.is_empty() || !all_below || is_visible || !create_below {
            return false;
        }
        *self = Self::default();
        true
    }
}

/// Whether a session that is not current stays until the current one goes: an unclosed anchor.
fn is_kept_beside(session: &SessionRegister, shows_from: Option<Timestamp>) -> bool {
    session.is_anchor() && !session.is_closed(shows_from)
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
