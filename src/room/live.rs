//! The live part of a room: what the media server's callbacks say of it.
//!
//! Every register is a *join*: a maximum, or a maximum a key. Applying a callback is merging a room
//! that holds nothing else, so one piece of code ([`Live::join`]) serves both, and what is held is
//! a function of the set of callbacks, not of their order.
//!
//! 1. **Held.** C is the latest creation known. Sessions with a creation within the tie window of C
//!    are the *anchors*. The floor, C less the clock skew, bounds everything else; see
//!    [`SessionRegister`] for what its own close, and [`UserRegister`](super::user::UserRegister) for what
//!    a user's latest opening bounds.
//! 2. **Current.** The *current session* is the anchor, unless a session without creation shows
//!    signs of life after it: see [`Live::current`].
//! 3. **Forgotten.** What has closed is remembered for the retention, so that no late opening
//!    brings it back, and then let go: [`forget`](super::forget).

use smallvec::SmallVec;

use crate::collections::id_table::Hashed;
use crate::model::config::Fingerprint;
use crate::model::id::{SessionId, UserId};
use crate::model::observation::{Observation, Verdict};
use crate::model::time::Timestamp;
use crate::room::facts::{CloserFact, Effect, Facts, Tally, UserFacts};
use crate::room::forget::Forgetting;
use crate::room::observed::{Observed, Sighting};
use crate::room::session::SessionRegister;

/// How many sessions one room may hold. More come only from hostile input.
pub(crate) const MAX_SESSIONS: usize = 16;

/// Everything held of a room from callbacks, in memory as it stands here.
#[derive(Debug, Clone, Default)]
#[repr(C)]
pub(crate) struct Live {
    /// C: the latest creation known, their time.
    pub(crate) latest_create: Option<Timestamp>,
    /// Ordered by id.
    pub(crate) sessions: SmallVec<[SessionRegister; 1]>,
    /// What observations said.
    pub(crate) observed: Observed,
    /// What is to be let go when.
    pub(crate) forgetting: Forgetting,
}

/// What a join did, for those who keep the visible state beside the registers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Joined {
    pub(crate) tally: Tally,
    /// The floor rose, and a user or a stream of the watched session lost something by it.
    pub(crate) watched_lost: bool,
    /// A creation or close is new, which may outdate what observations saw.
    pub(crate) outdates: bool,
}

impl Live {
    /// Joins the facts of a callback. `watched` is the session that readers see.
    pub(crate) fn join(
        &mut self,
        facts: &Facts<'_>,
        touched_at: Timestamp,
        watched: Option<&SessionId>,
        rules: &Fingerprint,
    ) -> Joined {
        let mut joined = Joined::default();
        let mut index = self.session_or_insert(facts.session_id);
        if let Some(fact) = facts.create {
            let effect = if fact.created_at < self.anchors_from(rules) {
                Effect::Beaten
            } else {
                self.sessions[index].join_create(fact)
            };
            joined.tally.note_main(effect);
            if effect == Effect::Changed {
                let session = &mut self.sessions[index];
                session.touched_at = session.touched_at.max(touched_at);
                joined.watched_lost = self.raise(fact.created_at, watched, rules);
                // That may have let sessions go before this one.
                index = self.session_or_insert(facts.session_id);
            }
        }
        let floor = self.floor(rules);
        let session = &mut self.sessions[index];
        session.join(facts, floor, touched_at, rules, &mut joined.tally);
        if joined.tally.changed {
            self.note_changed(index, facts, rules);
        }
        if joined.tally.lost {
            self.note_all(index, rules);
        }
        if self.sessions[index].is_empty() {
            self.remove(index);
        }
        joined.outdates = joined.tally.changed && (facts.create.is_some() || facts.close.is_some());
        if joined.outdates && !self.observed.is_empty() {
            self.observed.settle(floor, self.outdated_until());
        }
        joined
    }

    /// Joins what an observation says, and tells whether anything that is held changed. It counts
    /// as made a clock skew before it was: whatever changed since is left to callbacks.
    pub(crate) fn observe(
        &mut self,
        observation: &Observation,
        verdict: Verdict<'_>,
        now: Timestamp,
        rules: &Fingerprint,
    ) -> bool {
        let at = observation.observed_at.minus(rules.clock_skew_ms);
        let floor = self.floor(rules);
        if at < floor {
            return false;
        }
        let before = self.observed.clone();
        let seen = Sighting { at, received_at: self.observed.received_at(now) };
        let none = |session_id| Facts::none(session_id);
        let mut changed = false;
        match verdict {
            Verdict::Closed(session_id) => {
                let close = Facts { close: Some(at), ..none(session_id) };
                // That it is closed, said again, is not to be heard of again.
                let closed = self.session(session_id).filter(|held| held.closed_at.is_some());
                let touched_at = closed.map_or(now, |held| held.touched_at);
                return self.join(&close, touched_at, None, rules).tally.changed;
            }
            Verdict::Alive(session_id) => {
                let alive = Facts { alive: Some(at), ..none(session_id) };
                changed = self.join(&alive, now, None, rules).tally.changed;
            }
            Verdict::NotOpen => {
                self.observed.not_open_at = self.observed.not_open_at.max(Some(at));
            }
            Verdict::Open => self.observed.join_open(seen),
            Verdict::Unsaid => {}
        }
        self.observed.join_lists(observation, verdict == Verdict::NotOpen, seen);
        self.observed.settle(floor, self.outdated_until());
        self.resolve();
        changed || self.observed != before
    }

    /// Hides everything that is held, in our time.
    pub(crate) fn hide_all(&mut self, hidden_at: Timestamp, now: Timestamp) {
        self.observed.hide(hidden_at);
        for session in &mut self.sessions {
            session.hidden_at = session.hidden_at.max(Some(hidden_at));
            session.touched_at = session.touched_at.max(now);
        }
    }

    /// A closing of our own for every login of a user, each at its own login time: a late repeat
    /// cannot bring the user back, a new login does. Presences that observations saw end likewise.
    pub(crate) fn close_logins(&mut self, user_id: &UserId, now: Timestamp, rules: &Fingerprint) {
        self.observed.leave(user_id.as_str());
        let floor = self.floor(rules);
        for index in 0..self.sessions.len() {
            let session = &self.sessions[index];
            let Some((user_id, user)) = session.users.get_key_value(user_id) else { continue };
            let (session_id, user_id) = (session.id.clone(), user_id.clone());
            let logins: Vec<_> = user
                .logins
                .iter()
                .map(|login| (login.user_session_id.clone(), login.login_at))
                .collect();
            for (user_session_id, login_at) in &logins {
                let closer = CloserFact { user_session_id, at: *login_at, by_us: true };
                let closer = UserFacts { closer: Some(closer), ..UserFacts::default() };
                let facts = Facts {
                    user: Some((Hashed::new(&user_id), closer)),
                    ..Facts::none(&session_id)
                };
                self.sessions[index].join(&facts, floor, now, rules, &mut Tally::default());
                self.note_changed(index, &facts, rules);
            }
        }
    }

    /// Pulls our times that lie in the future back to now.
    pub(crate) fn pull_back(&mut self, now: Timestamp, rules: &Fingerprint) {
        for session in &mut self.sessions {
            session.touched_at = session.touched_at.min(now);
            session.hidden_at = session.hidden_at.map(|at| at.min(now));
            session.evidence.pull_back(now);
            for user in session.users.values_mut() {
                user.touched_at = user.touched_at.min(now);
            }
            for stream in session.streams.values_mut() {
                stream.touched_at = stream.touched_at.min(now);
            }
        }
        self.observed.pull_back(now);
        self.recount(rules);
    }

    /// C rose, or a session became an anchor: lets go what is below the new bounds. Tells whether
    /// the watched session lost a user or a stream.
    pub(super) fn raise(
        &mut self,
        created_at: Timestamp,
        watched: Option<&SessionId>,
        rules: &Fingerprint,
    ) -> bool {
        if self.latest_create.is_some_and(|latest| created_at <= latest) {
            return false;
        }
        self.latest_create = Some(created_at);
        let anchors_from = self.anchors_from(rules);
        let floor = self.floor(rules);
        let mut watched_lost = false;
        let mut any_lost = false;
        if !self.observed.is_empty() {
            self.observed.settle(floor, Some(created_at));
        }
        self.retain(|session| {
            session.create =
                session.create.take().filter(|create| create.created_at >= anchors_from);
            let lost = session.prune(floor, rules);
            any_lost |= lost;
            watched_lost |= lost && Some(&session.id) == watched;
            !session.is_empty()
        });
        if any_lost {
            for index in 0..self.sessions.len() {
                self.note_all(index, rules);
            }
        }
        watched_lost
    }

    pub(crate) fn is_over_cap(&self) -> bool {
        self.sessions.len() > MAX_SESSIONS
    }

    /// Beyond the cap go those that readers do not see, oldest first.
    pub(crate) fn cap(&mut self, visible: Option<&SessionId>) {
        while self.is_over_cap() {
            let oldest = self
                .sessions
                .iter()
                .enumerate()
                .filter(|(_, session)| Some(&session.id) != visible)
                .min_by_key(|(_, session)| session.newest)
                .map(|(index, _)| index);
            self.remove(oldest.expect("at most one session is visible, and there are more"));
        }
    }

    /// The current session: the one whose users and streams readers see, if it is open.
    ///
    /// It is picked among the anchors by creation, unless a session was seen to be alive after C, or
    /// one that is no anchor has a sign of life later than the limit; then among those, by that.
    /// The limit leaves the clock skew to an anchor that is not closed, and nothing to one that is.
    ///
    /// An anchor that was seen alive contends too: of two created within the tie window only one can
    /// be alive after both, and where the close of the other is lost, nothing else would tell.
    pub(crate) fn current(
        &self,
        rules: &Fingerprint,
        shows_from: Option<Timestamp>,
    ) -> Option<usize> {
        if let [only] = &*self.sessions
            && only.is_anchor()
        {
            return Some(0); // as nearly always: nothing contends
        }
        let closings = self.closings(shows_from);
        let anchors = self.sessions.iter().enumerate().filter_map(|(index, session)| {
            let created_at = session.create.as_ref()?.created_at;
            Some(Candidate { at: created_at, is_open: !session.is_closed(closings), index })
        });
        let anchor = pick(anchors, rules.tie_window_ms);
        let limit = self.latest_create.map(|latest| match anchor {
            Some(Candidate { is_open: true, .. }) => latest.plus(rules.clock_skew_ms),
            Some(Candidate { is_open: false, .. }) | None => latest,
        });
        let contenders = self.sessions.iter().enumerate().filter_map(|(index, session)| {
            let infers = rules.infer_sessions && !session.is_anchor();
            let is_inferred = |at: &Timestamp| infers && Some(*at) > limit;
            let seen_at = session.seen_at.filter(is_inferred);
            let alive_at = session.alive_at.filter(|at| Some(*at) > self.latest_create);
            let at = seen_at.max(alive_at)?;
            Some(Candidate { at, is_open: !session.is_closed(closings), index })
        });
        pick(contenders, rules.tie_window_ms).or(anchor).map(|current| current.index)
    }

    /// Whether an observation saw the room open, or somebody or something in it.
    pub(super) fn is_seen_open(&self) -> bool {
        self.observed.open_at.is_some()
            || self.sessions.iter().any(|session| session.alive_at.is_some())
            || self.observed.has_presence()
    }

    pub(crate) fn session(&self, id: &SessionId) -> Option<&SessionRegister> {
        // A room rarely holds more than two.
        self.sessions.iter().find(|session| session.id == *id)
    }

    pub(crate) fn session_mut(&mut self, id: &SessionId) -> Option<&mut SessionRegister> {
        self.sessions.iter_mut().find(|session| session.id == *id)
    }

    /// Puts a session in its place.
    pub(crate) fn insert(&mut self, session: SessionRegister) -> usize {
        let index = self.sessions.partition_point(|held| held.id < session.id);
        self.sessions.insert(index, session);
        index
    }

    /// Takes a session out.
    pub(super) fn remove(&mut self, index: usize) {
        self.sessions.remove(index);
        self.gather();
    }

    /// Lets sessions go that are not to be kept.
    pub(super) fn retain(&mut self, keep: impl FnMut(&mut SessionRegister) -> bool) {
        self.sessions.retain(keep);
        self.gather();
    }

    /// One that is left of several lies in the room itself again.
    fn gather(&mut self) {
        self.sessions.shrink_to_fit();
    }

    /// What creations must not be below for their sessions to be anchors.
    pub(crate) fn anchors_from(&self, rules: &Fingerprint) -> Timestamp {
        self.latest_create.unwrap_or_default().minus(rules.tie_window_ms)
    }

    /// What facts of sessions must not be below.
    pub(crate) fn floor(&self, rules: &Fingerprint) -> Timestamp {
        self.latest_create.unwrap_or_default().minus(rules.clock_skew_ms)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.latest_create.is_none() && self.sessions.is_empty() && self.observed.is_empty()
    }

    /// Whether every fact is below the bound of the room, so that nothing of it can be held.
    pub(super) fn is_outdated(&self, facts: &Facts<'_>, rules: &Fingerprint) -> bool {
        let (anchors_from, floor) = (self.anchors_from(rules), self.floor(rules));
        facts.create.is_none_or(|fact| fact.created_at < anchors_from)
            && facts.times_but_creation().all(|at| at < floor)
    }

    fn session_or_insert(&mut self, id: &SessionId) -> usize {
        if let Some(index) = self.sessions.iter().position(|session| session.id == *id) {
            return index;
        }
        self.insert(SessionRegister::new(id.clone()))
    }
}

/// One of those among which the current session is picked.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    at: Timestamp,
    is_open: bool,
    /// Sessions are ordered by id, so the index stands for it.
    index: usize,
}

/// Of those within the tie window of the latest, an unclosed one first, then the highest (time,
/// session id).
fn pick(
    candidates: impl Iterator<Item = Candidate> + Clone,
    tie_window_ms: u64,
) -> Option<Candidate> {
    let latest = candidates.clone().map(|candidate| candidate.at).max()?;
    candidates
        .filter(|candidate| candidate.at >= latest.minus(tie_window_ms))
        .max_by_key(|candidate| (candidate.is_open, candidate.at, candidate.index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_session_lies_in_the_room_itself_also_where_there_were_more() {
        let id = |id: &str| SessionId::new(id).unwrap();
        let filled = || {
            let mut live = Live::default();
            for number in ["1", "2", "3"] {
                live.insert(SessionRegister::new(id(number)));
            }
            assert!(live.sessions.spilled());
            live
        };
        let mut removed = filled();
        removed.remove(0);
        removed.remove(1);
        let mut retained = filled();
        retained.retain(|session| session.id == id("2"));
        for live in [removed, retained] {
            assert_eq!((live.sessions.len(), live.sessions.spilled()), (1, false));
            assert!(live.session(&id("2")).is_some());
        }
    }
}
