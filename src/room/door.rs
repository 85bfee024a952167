//! The one door of a room: whatever comes in takes the same seven steps, in [`RoomState::pass`].
//!
//! | step | file | returns | |
//! |---|---|---|---|
//! | 1 resolve | `resolve.rs` | [`Resolved`] | Session, user and stream are looked up once. |
//! | 2 admit | `admit.rs` | [`Admission`] | Is a callback too late, or from the future? Is a command refused? |
//! | 3 look | `look.rs` | [`Before`] | What do readers see of those whom the input concerns? |
//! | 4 join | `join.rs` | [`JoinResult`] | The facts go into the registers. Kinds of input differ here. |
//! | 5 widen | here | [`Widened`] | Which session is visible now, and does that concern everybody? |
//! | 6 project | `projection.rs` | `Projected` | What readers see is computed, and each difference noted. |
//! | 7 schedule | here | the answer | What is empty is dropped, and what is due next is found. |
//!
//! A step may end the pass: a heartbeat that only refreshes ends after step 4, and so does a stale or
//! repeated callback.
//!
//! [`Room`](crate::Room) and the registry call [`take`](RoomState::take) and [`merge`](RoomState::merge),
//! and `expire` and `set_clock` in `time.rs`, which has what time does to a room. What is reported of
//! losses is in `report.rs`. The laws of this file are 3.10, 4.10 and 8.1. Those of a step stand in its own
//! file.

use crate::model::change::Cause;
use crate::model::command::{Answer, Heartbeat};
use crate::model::error::Error;
use crate::model::outcome::Outcome;
use crate::model::time::Timestamp;
use crate::registers::MAX_SESSIONS;
use crate::registers::places::Target;
use crate::room::admit::Admission;
use crate::room::before::{Before, Looked};
use crate::room::context::Context;
use crate::room::ended::ended_by;
use crate::room::join::JoinResult;
use crate::room::notes::{ChangeLog, Ended};
use crate::room::projection::{Projection, ProjectionSource, Widened};
use crate::room::resolve::Resolved;
use crate::room::state::RoomState;
use crate::room::work::Work;
use crate::rules::Rulebook;
use crate::rules::visibility::Visible;

impl RoomState {
    /// Takes an input. First the clock of the room is set, and what is due is forgotten (law 5.1). Then
    /// comes the input itself, and at last what is to be reported of losses (law 10.5).
    pub(crate) fn take(
        &mut self,
        work: &mut Work<'_>,
        cx: &mut Context<'_>,
    ) -> Result<Answer, Error> {
        self.tick(cx)?;
        let is_heartbeat = work.is_heartbeat();
        let is_carried_over = matches!(work, Work::CarryOver(_));
        // A room that is carried over still has its old settings, and may keep what is due by those.
        if !is_heartbeat && !is_carried_over {
            self.sweep_all(cx)?;
        }
        let is_merge = matches!(work, Work::Merge(_));
        // A merge brings the other replica up to date by a tick.
        let tells_of_sessions =
            matches!(work, Work::Callback(_) | Work::Observation(..) | Work::Tick);
        if tells_of_sessions || is_merge {
            self.forget_due_ends(cx);
        }
        let answer = self.pass(work, cx);
        if is_merge || is_carried_over {
            self.sweep_all(cx)?; // what came together, or came under other settings, may go now
        }
        // A refused command changes nothing, so it reports nothing that is merely due either.
        if (answer.is_ok() && !is_heartbeat) || cx.signs_changed {
            self.report(cx);
        }
        #[cfg(room_registry_check)]
        self.check();
        answer
    }

    /// Joins another replica of the room into this one. Both are brought up to date at the same local time
    /// first (law 7.2). If that is a clock that was set back, the other replica is pulled back, too.
    pub(crate) fn merge(&mut self, mut other: Self, cx: &mut Context<'_>) -> Result<(), Error> {
        self.clock = self.clock.max(other.clock);
        other.clock = self.clock;
        let mut discarded = ChangeLog::default(); // nobody follows the other replica here
        other.take(
            &mut Work::Tick,
            &mut Context::new(cx.config, cx.now, cx.cause, &mut discarded),
        )?;
        self.take(&mut Work::Merge(Box::new(other)), cx).map(|_| ())
    }

    /// Takes the seven steps. An error leaves the room as it was.
    pub(super) fn pass(
        &mut self,
        work: &mut Work<'_>,
        cx: &mut Context<'_>,
    ) -> Result<Answer, Error> {
        // 1. Resolve.
        let mut resolved = self.resolve(work);

        // 2. Admit.
        match self.admit(work, &resolved, cx)? {
            Admission::Admitted => {}
            Admission::Answered(answer) => return Ok(answer),
            Admission::TooLate => {
                self.record_refused(work, &resolved, cx);
                return Ok(Answer::Outcome(Outcome::TooLate));
            }
            Admission::AfterTimeout(place) => {
                // Nobody called `expire` yet. The timeout comes first, as a pass of its own.
                self.pass_because(Cause::HeartbeatTimeout, Work::TimeOut(place), cx)?;
                if let Work::Heartbeat(..) = work {
                    return Ok(Answer::Heartbeat(Heartbeat::TimedOut));
                }
                resolved = self.resolve(work);
            }
        }

        // 3. Look.
        // A heartbeat without an update resolves its member, and no target.
        let is_refresh = resolved.member.is_some() && matches!(resolved.target, Target::Session);
        let mut before = if resolved.is_outdated || is_refresh {
            Before::nobody(self.is_listed()) // neither changes anything that readers see
        } else {
            self.look(&resolved.target, self.concerns_everybody(work, &resolved))
        };

        // 4. Join.
        let notes_before = cx.log.len();
        let mut joined = self.join(work, &mut resolved, &mut before, cx);
        if !joined.is_changed {
            return Ok(joined.answer);
        }
        cx.is_dirty = true;

        // 5. Widen.
        let visible_before = self.projection.visible;
        let ended = ended_by(work, cx.cause, cx.now);
        let widened = self.widen(&mut joined, &mut resolved, &before, ended, cx.now);
        // An index may have moved because a session went. Then everybody is assessed for nothing.
        let is_visible_changed = widened.visible != visible_before;

        // Step 6 compares notes, too. So they follow the stays first (law 18.11).
        if !self.registers.user_notes.is_empty() {
            self.keep_user_notes(&resolved, &before, &joined);
        }

        // 6. Project.
        let source =
            ProjectionSource { id: &self.id, registers: &self.registers, settings: &self.settings };
        let projected = self.projection.project(source, &before, &resolved.target, &widened, cx);
        if !self.registers.refused.is_empty() && before.was_listed != self.is_listed() {
            cx.signs_changed = true; // the sign of law 10.11 needs no session, but a listed room
        }
        let is_everybody = matches!(before.looked, Looked::Everybody(_));
        let is_all_shown_anew = is_everybody
            || is_visible_changed
            || projected.is_session_hidden
            || projected.is_session_changed;
        self.record_since(projected.is_session_hidden, cx.now);
        if !self.registers.stream_attributes.is_empty() {
            self.keep_stream_attributes(&resolved.target, is_all_shown_anew);
        }
        // A sweep raises and withdraws no sign.
        if !joined.is_sweep() {
            self.record_signs(&resolved, &joined, is_all_shown_anew, cx);
        }

        // 7. Schedule.
        self.schedule(&joined, &resolved, &before, is_all_shown_anew);
        if let Answer::Outcome(outcome) = &mut joined.answer {
            *outcome = if cx.log.len() > notes_before { Outcome::Applied } else { Outcome::Held };
        }
        Ok(joined.answer)
    }

    /// Takes the seven steps for another reason than the input gives, which the changes then tell.
    pub(super) fn pass_because(
        &mut self,
        cause: Cause,
        mut work: Work<'_>,
        cx: &mut Context<'_>,
    ) -> Result<Answer, Error> {
        let cause_before = std::mem::replace(&mut cx.cause, cause);
        let answer = self.pass(&mut work, cx);
        cx.cause = cause_before;
        answer
    }

    /// Step 5: brings the summaries of the sessions up to date, and finds out which session is visible.
    ///
    /// Three things follow for the registers, each in a function of its own below.
    #[inline]
    fn widen(
        &mut self,
        joined: &mut JoinResult,
        resolved: &mut Resolved<'_>,
        before: &Before,
        ended: Ended,
        now: Timestamp,
    ) -> Widened {
        let is_everybody = matches!(before.looked, Looked::Everybody(_));
        if is_everybody || !joined.lost_in.is_empty() {
            self.projection.summarise(&self.registers, &self.settings);
        } else {
            let (registers, rules) = (&self.registers, &self.settings);
            self.projection.summarise_target(registers, rules, &before.parts, &resolved.target);
        }
        let was_visible = self.projection.visible.and_then(Visible::index);
        let is_visible_lost = was_visible.is_some_and(|index| joined.lost_in.contains(index));
        let is_from_media_server = matches!(joined.answer, Answer::Outcome(_)) || joined.is_merge;
        self.remove_sessions_beyond_cap(joined, resolved);
        let open = self.rulebook().open();
        if let Some(session) = open.filter(|_| is_from_media_server) {
            self.list_again(session);
        }
        let visible = open.filter(|session| !self.rulebook().is_unlisted(*session));
        let is_listed = self.rulebook().is_listed(visible);
        // After a merge somebody may stay, because the result must not depend on which of two replicas
        // knew what (law 7.1).
        if before.was_listed && !is_listed && !joined.is_merge {
            self.end_all_memberships(resolved, now);
        }
        joined.may_have_emptied |= !joined.lost_in.is_empty();
        // A merge and other settings may bring another info without saying so.
        let is_info_changed = joined.is_info_changed
            || matches!(&before.looked, Looked::Everybody(before) if before.info != self.registers.info);
        Widened {
            visible,
            is_info_changed,
            is_content_changed: joined.is_content_changed,
            updated: std::mem::take(&mut joined.updated),
            is_visible_lost,
            ended,
        }
    }

    /// Takes out what is beyond the cap of sessions (law 3.10).
    #[inline]
    fn remove_sessions_beyond_cap(&mut self, joined: &mut JoinResult, resolved: &mut Resolved<'_>) {
        while self.registers.sessions.len() > MAX_SESSIONS
            && let Some(index) = self.rulebook().session_beyond_cap()
        {
            self.remove_session(index, resolved);
            joined.may_have_emptied = true;
        }
    }

    /// Lists a session again that was empty for too long, if somebody or something is in it now (law 4.10).
    #[inline]
    fn list_again(&mut self, session: Visible) {
        if self.rulebook().is_unlisted(session) && self.rulebook().is_occupied(session) {
            *self.registers.emptiness_mut(session.index()) = None;
        }
    }

    /// Ends every membership, because the room left the list.
    fn end_all_memberships(&mut self, resolved: &mut Resolved<'_>, now: Timestamp) {
        self.registers.members.leave_all(now);
        if let Target::User(_, places) = &mut resolved.target {
            places.member = None;
        }
    }

    /// Takes a session out. Whatever goes by the index of a session follows: the summaries, the visible
    /// session, and the places of the input.
    pub(super) fn remove_session(&mut self, index: usize, resolved: &mut Resolved<'_>) {
        self.registers.remove_session(index);
        self.projection.session_removed(index);
        resolved.target.session_removed(index);
        resolved.session = resolved
            .session
            .filter(|session| *session != index)
            .map(|session| session - usize::from(session > index));
    }

    /// Step 7: drops what was left empty, and schedules what can next be forgotten.
    ///
    /// Mostly the times of one user or stream move. All of them are computed anew if registers went, or if
    /// everybody was looked at. Which session is visible, and what bounds it, decides which presences can
    /// go (law 16.6). So that also moves all times, once observations are stored.
    #[inline]
    fn schedule(
        &mut self,
        joined: &JoinResult,
        resolved: &Resolved<'_>,
        before: &Before,
        is_all_shown_anew: bool,
    ) {
        let is_everybody = matches!(before.looked, Looked::Everybody(_));
        if joined.may_have_emptied || is_everybody {
            self.registers.drop_empty();
            self.projection.sessions_dropped(&self.registers, &self.settings);
        }
        let (registers, settings) = (&self.registers, &self.settings);
        let Projection { visible, summaries, schedule, .. } = &mut self.projection;
        let book = Rulebook { registers, settings, summaries };
        let moves_presences =
            (is_all_shown_anew || joined.is_session_changed) && !registers.observed.is_empty();
        if joined.may_have_emptied || is_everybody || moves_presences {
            schedule.rebuild(book, *visible);
        } else {
            schedule.set(book, *visible, before.due, &resolved.target);
            schedule.set_sweep(book, *visible);
        }
    }

    /// Panics if the projection is not the one that the registers alone give.
    #[cfg(room_registry_check)]
    pub(super) fn check(&self) {
        if let Some(difference) = self.projection.difference(&self.registers, &self.settings) {
            panic!("room {}: the projection is not what the registers say: {difference}", self.id);
        }
    }
}
