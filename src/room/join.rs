//! Step 4: what each kind of input joins into the registers.
//!
//! The door calls [`RoomState::join`] once a pass. This file decides by the kind of input. `callback.rs`
//! has callbacks, `info.rs` the commands about the room itself, and `members.rs` those about one user or
//! stream. Forgetting joins nothing: it takes out, in `room/forget.rs`. Whatever follows from the registers
//! waits for steps 5 and 6.

mod callback;
mod info;
mod members;

use crate::model::command::Answer;
use crate::model::id::UserId;
use crate::model::outcome::Outcome;
use crate::registers::connections::End;
use crate::registers::places::SessionSet;
use crate::registers::{JoinedObservation, MAX_SESSIONS, Registers};
use crate::room::before::Before;
use crate::room::context::Context;
use crate::room::resolve::Resolved;
use crate::room::state::RoomState;
use crate::room::work::Work;
use crate::rules::visibility::Visible;

/// What joining did, as the later steps need it.
#[expect(clippy::struct_excessive_bools, reason = "each tells a later step one thing")]
#[derive(Debug)]
pub(crate) struct JoinResult {
    /// What the caller gets. If something changed, step 7 replaces an outcome by `Applied` or `Held`.
    pub(crate) answer: Answer,
    /// Whether anything may look different, or is due at another time. If not, the pass ends.
    pub(crate) is_changed: bool,
    /// In which sessions users or streams lost facts to a bound that rose (law 3.5).
    pub(crate) lost_in: SessionSet,
    /// Whether registers, entries or sessions may hold nothing any more. Step 7 then drops them, and
    /// makes the schedule anew.
    pub(crate) may_have_emptied: bool,
    /// Whether a fact of a session itself is new. Step 6 then assesses the signs of loss of everybody.
    pub(crate) is_session_changed: bool,
    /// Whether the business info changed.
    pub(crate) is_info_changed: bool,
    /// Whether registers of another replica, or of other settings, came in. Several rules then wait, so
    /// that the order in which replicas merge makes no difference (law 7.1).
    pub(crate) is_merge: bool,
    /// Whether what the app says of the concerned user or stream changed: the membership, the note or
    /// the attributes.
    pub(crate) is_content_changed: bool,
    /// Whose membership a merge replaced. Readers see that even if the place in the list is the same.
    pub(crate) updated: Vec<UserId>,
}

impl JoinResult {
    /// Nothing that readers see or that is due changed, so the pass ends.
    pub(super) fn unchanged(answer: Answer) -> Self {
        Self {
            answer,
            is_changed: false,
            lost_in: SessionSet::default(),
            may_have_emptied: false,
            is_session_changed: false,
            is_info_changed: false,
            is_merge: false,
            is_content_changed: false,
            updated: Vec::new(),
        }
    }

    /// Something changed, so the pass goes on.
    pub(super) fn changed(answer: Answer) -> Self {
        Self { is_changed: true, ..Self::unchanged(answer) }
    }

    /// Whether the retention let something go. That is no news from the media server, and nobody goes by it
    /// whom readers saw.
    #[inline]
    pub(super) fn is_sweep(&self) -> bool {
        matches!(self.answer, Answer::Expired(_))
    }
}

impl RoomState {
    /// Whether an input may change what readers see of people in a session that stays, apart from those whom
    /// the input names. Step 3 then looks at everybody, which costs the whole room.
    ///
    /// An input that opens or closes the visible session need not. One change then hides everybody, and
    /// further changes show who is there (step 6).
    pub(super) fn concerns_everybody(&self, work: &Work<'_>, resolved: &Resolved<'_>) -> bool {
        let Registers { observed, sessions, ended_at, .. } = &self.registers;
        match work {
            Work::Observation(..) | Work::Merge(_) | Work::CarryOver(_) | Work::ClockSetBack => {
                true
            }
            // Business info shows again what an end had hidden (laws 6.4, 16.3 and 21.4).
            Work::Create(_) => {
                let is_hidden = observed.hidden_until(*ended_at).is_some();
                !observed.is_empty() && is_hidden || self.has_nameless_session()
            }
            // The nameless session outlives an end, but those who were in it go (law 21.4).
            Work::End | Work::EndByLifecycle => self.has_nameless_session(),
            // A creation or a close outdates presences (laws 15.4 and 15.5). A callback may name the
            // session that was unknown (law 15.8). A session beyond the cap takes facts along that
            // outdated presences (law 3.10). A close without a session is an observation (law 21.3).
            Work::Callback(work) => {
                let is_outdating = work.facts.create.is_some() || work.facts.close.is_some();
                let is_unknown = self.visible() == Some(Visible::Unknown);
                let is_beyond_cap = resolved.session.is_none() && sessions.len() >= MAX_SESSIONS;
                work.facts.nameless_close.is_some()
                    || !observed.is_empty() && (is_outdating || is_unknown || is_beyond_cap)
            }
            Work::Update(_)
            | Work::Join(_)
            | Work::Leave(..)
            | Work::Remove(..)
            | Work::Heartbeat(..)
            | Work::UpdateUser(..)
            | Work::UpdateStream(..)
            | Work::TakeHeartbeats(_)
            | Work::GrantGrace
            | Work::Tick
            | Work::TimeOut(_)
            | Work::Unlist
            | Work::Forget(_)
            | Work::ForgetSession => false,
        }
    }

    /// Whether callbacks came that named no session (section 21).
    fn has_nameless_session(&self) -> bool {
        self.registers.sessions.iter().any(|session| session.id.is_none())
    }

    /// Joins an input into the registers. An input that changes nothing readers see, and nothing that is
    /// due, returns [`JoinResult::unchanged`].
    pub(super) fn join(
        &mut self,
        work: &mut Work<'_>,
        resolved: &mut Resolved<'_>,
        before: &mut Before,
        cx: &mut Context<'_>,
    ) -> JoinResult {
        match work {
            Work::Callback(callback) => self.join_callback(callback, resolved, before, cx),
            Work::Observation(observation, verdict) => {
                let (registers, rules) = (&mut self.registers, &self.settings);
                let joined = registers.join_observation(observation, *verdict, cx.now, rules);
                self.observed(joined, cx)
            }
            Work::Create(room) => self.create(room, cx),
            Work::Update(update) => self.update(update, cx),
            Work::End | Work::EndByLifecycle => self.end(cx),
            Work::Unlist => self.unlist(),
            Work::Join(user) => self.join_member(user, resolved, cx),
            Work::Leave(_, Some(connection)) if self.is_one_of_several(resolved, cx) => {
                self.leave_connection(connection, resolved, cx)
            }
            Work::Leave(..) => self.end_membership(resolved, End::Left, true, cx),
            Work::Remove(_, reason) => {
                let how = End::Removed(reason.clone()); // the change tells the reason, too
                self.end_membership(resolved, how, true, cx)
            }
            Work::TimeOut(_) => {
                self.end_membership(resolved, End::TimedOut, cx.config.heartbeats_end_logins, cx)
            }
            Work::Heartbeat(_, connection, update) => {
                self.beat(*connection, update.as_ref(), resolved, cx)
            }
            Work::UpdateUser(_, update) => self.update_member(update, resolved, Answer::Done, cx),
            Work::UpdateStream(_, attributes) => self.update_stream(attributes, resolved, cx),
            Work::TakeHeartbeats(heartbeats) => {
                self.registers.members.take_heartbeats(heartbeats, cx.now);
                JoinResult::unchanged(Answer::Done)
            }
            Work::GrantGrace => {
                self.registers.members.beat_all(cx.config.heartbeat_timeout_ms, cx.now);
                cx.is_dirty = true;
                JoinResult::unchanged(Answer::Done)
            }
            Work::Merge(other) => {
                let other = std::mem::take(&mut other.registers);
                let updated = self.registers.merge(other, cx.now, &self.settings);
                JoinResult { updated, is_merge: true, ..JoinResult::changed(Answer::Done) }
            }
            Work::CarryOver(rules) => {
                // Joining anew drops what the new bounds do not admit (section 22 of the rules).
                self.settings = rules.clone();
                let known = std::mem::take(&mut self.registers);
                self.registers.merge(known, cx.now, &self.settings);
                JoinResult { is_merge: true, ..JoinResult::changed(Answer::Done) }
            }
            Work::ClockSetBack => {
                self.registers.pull_back(cx.now, &self.settings);
                JoinResult::changed(Answer::Done)
            }
            Work::Forget(subject) => self.forget_subject(subject, resolved, cx),
            Work::ForgetSession => self.forget_session(resolved, cx),
            Work::Tick => JoinResult::unchanged(Answer::Done),
        }
    }

    /// Makes the result of a join of observations.
    ///
    /// The outcome is `Stale` if nothing changed. An observation has no main fact that could be a
    /// duplicate.
    fn observed(&mut self, joined: JoinedObservation, cx: &mut Context<'_>) -> JoinResult {
        let JoinedObservation { is_changed, resolves_signs } = joined;
        // Pruning may have emptied sessions. The projection finds them by index, so it follows at once.
        self.registers.drop_empty();
        cx.is_dirty |= resolves_signs;
        cx.signs_changed |= resolves_signs;
        self.projection.sessions_dropped(&self.registers, &self.settings);
        let outcome = Answer::Outcome(Outcome::Stale);
        if is_changed { JoinResult::changed(outcome) } else { JoinResult::unchanged(outcome) }
    }
}
