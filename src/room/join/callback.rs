//! What a callback joins: its facts (laws 2.1 to 3.14), its number (law 10.1), and the sign of loss that
//! it raises or clears.
//!
//! The outcome (law 8.1) is decided here if nothing changed: `Stale` or `Duplicate`. Otherwise it is
//! `Held`, and step 7 makes it `Applied` if readers see a change.

use crate::model::callback::{Callback, CallbackEvent};
use crate::model::command::Answer;
use crate::model::id::SessionId;
use crate::model::outcome::Outcome;
use crate::model::time::Timestamp;
use crate::registers::Joined;
use crate::registers::kind::Users;
use crate::registers::places::Target;
use crate::registers::session::SessionRegister;
use crate::registers::signs::{Evidence, SignSubject};
use crate::registers::stays::StayRegister;
use crate::room::before::Before;
use crate::room::context::Context;
use crate::room::join::JoinResult;
use crate::room::resolve::Resolved;
use crate::room::state::RoomState;
use crate::room::work::CallbackWork;
use crate::rules::summary::Summary;

impl RoomState {
    /// Joins a callback that was admitted.
    #[inline]
    pub(super) fn join_callback(
        &mut self,
        work: &CallbackWork<'_>,
        resolved: &mut Resolved<'_>,
        before: &mut Before,
        cx: &mut Context<'_>,
    ) -> JoinResult {
        let CallbackWork { callback, facts, .. } = work;
        if facts.is_none() {
            // A room creation without a session states no fact (law 21.1).
            return JoinResult::unchanged(Answer::Outcome(Outcome::Held));
        }
        if resolved.is_outdated {
            // Its facts are below every bound. Its number counts as seen all the same (law 10.1).
            if let Some(session) = resolved.session {
                self.record_counters(session, callback, &resolved.target, None, cx);
            }
            return JoinResult::unchanged(Answer::Outcome(Outcome::Stale));
        }
        // It states what an observation states (law 21.3), and names no session to join it into.
        if let Some(closed_at) = facts.nameless_close {
            let (registers, rules) = (&mut self.registers, &self.settings);
            let joined = registers.join_nameless_close(closed_at, cx.now, rules);
            return self.observed(joined, cx);
        }
        // After the join, the closing itself would be what is known of its stay.
        let raised = self.rulebook().raised_by(callback, resolved.session, &resolved.target);
        let is_new = resolved.session.is_none();
        let session = resolved.session.unwrap_or_else(|| {
            self.insert_session(callback.session_id.as_ref(), &mut resolved.target, before, cx.now)
        });
        resolved.session = Some(session);
        let (registers, target) = (&mut self.registers, &mut resolved.target);
        let joined = registers.join(facts, session, target, cx.now, &self.settings);
        let Joined { tally, lost_in, outdates, is_open_outdated, is_first_opening_changed } =
            joined;
        // The first opening of the session counts for ends alone (law 6.8). Readers need not see it.
        cx.is_dirty |= is_first_opening_changed;
        cx.signs_changed |= is_open_outdated;
        if is_new && self.registers.sessions[session].is_empty() {
            self.remove_session(session, resolved); // every fact was below its bound
        } else {
            let raised = raised.filter(|_| tally.is_new());
            self.record_counters(session, callback, &resolved.target, raised, cx);
        }
        if !tally.changed {
            let is_repeat = tally.is_repeat();
            let outcome = if is_repeat { Outcome::Duplicate } else { Outcome::Stale };
            return JoinResult::unchanged(Answer::Outcome(outcome));
        }
        let is_session_changed = outdates || matches!(resolved.target, Target::Session);
        // Only a creation raises a bound that concerns other sessions (laws 3.1 and 3.5).
        let sessions = &self.registers.sessions;
        let may_have_emptied =
            facts.create.is_some() && sessions.iter().any(SessionRegister::is_empty);
        let held = JoinResult::changed(Answer::Outcome(Outcome::Held));
        JoinResult { lost_in, may_have_emptied, is_session_changed, ..held }
    }

    /// Puts in a session that is not known yet, and returns its index. Whatever goes by the index of a
    /// session follows: the summaries, the places of the target, and the parts that step 3 noted.
    fn insert_session(
        &mut self,
        session_id: Option<&SessionId>,
        target: &mut Target<'_>,
        before: &mut Before,
        now: Timestamp,
    ) -> usize {
        let heard_at = self.registers.after_end(now);
        let session = SessionRegister::new(session_id.cloned(), heard_at);
        let index = self.registers.insert_session(session);
        self.projection.session_inserted(index);
        target.session_inserted(index);
        if !matches!(target, Target::Session) {
            before.parts.insert(index, Summary::default());
        }
        index
    }

    /// Records the number of a callback (law 10.1), the sign that it raises, and the signs that an opening
    /// withdraws (laws 10.6 and 10.13).
    fn record_counters(
        &mut self,
        session: usize,
        callback: &Callback,
        target: &Target<'_>,
        raised: Option<SignSubject>,
        cx: &mut Context<'_>,
    ) {
        let (at, now) = (callback.latest_time(), cx.now);
        let is_in = || match target {
            Target::User(_, places) => {
                let stays = self.registers.stays_at::<Users>(session, &places.told);
                stays.is_some_and(StayRegister::is_open)
            }
            Target::Session | Target::Stream(..) => false,
        };
        // A user who is still in did not go by this logout, so the exit is not ambiguous (law 10.13).
        let raised =
            raised.filter(|subject| !matches!(subject, SignSubject::AmbiguousExit(_)) || !is_in());
        // Without signs nothing is cleared, so nobody is looked up.
        let is_in = !self.registers.sessions[session].evidence.signs.is_empty() && is_in();
        let Evidence { users, streams, signs } = &mut self.registers.sessions[session].evidence;
        if let Some(subject) = raised {
            cx.signs_changed |= signs.set(subject, Some(at), now, None);
        }
        let (sequence, counter) = match &callback.event {
            CallbackEvent::RoomCreated(_) | CallbackEvent::RoomClosed(_) => return,
            CallbackEvent::UserLoggedIn(event) => {
                if !signs.is_empty() {
                    let user_id = || event.user_id.clone();
                    if is_in {
                        cx.signs_changed |= signs.clear(&SignSubject::AmbiguousExit(user_id()));
                    }
                    if let Some(stay) = &event.user_session_id {
                        let subject = SignSubject::LogoutWithoutLogin(user_id(), stay.clone());
                        cx.signs_changed |= signs.clear(&subject);
                    }
                }
                (users, event.counter)
            }
            CallbackEvent::UserLoggedOut(event) => (users, event.counter),
            CallbackEvent::StreamCreated(event) => {
                if !signs.is_empty()
                    && let Some(stay) = &event.stream_session_id
                {
                    let stream_id = event.stream_id.clone();
                    let subject = SignSubject::CloseWithoutOpening(stream_id, stay.clone());
                    cx.signs_changed |= signs.clear(&subject);
                }
                (streams, event.counter)
            }
            CallbackEvent::StreamClosed(event) => (streams, event.counter),
        };
        let recorded = sequence.record(counter.unwrap_or(0), at, now);
        cx.is_dirty |= recorded.is_any;
        cx.signs_changed |= recorded.is_gap;
    }
}
