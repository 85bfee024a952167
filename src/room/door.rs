//! The one door of a room: whatever comes in takes the same seven steps, in [`RoomState::pass`].
//!
//! 1. **Resolve**: session, user and stream are looked up once. What follows works with places.
//! 2. **Admit**: is a callback too late, or from the future? Is a command refused?
//! 3. **Look** at those whom it concerns.
//! 4. **Join** the facts into the registers. Inputs differ in this step.
//! 5. **Widen**: if a bound rose, or another session is visible, everybody is concerned.
//! 6. **Project** those concerned, and note each difference as a change.
//! 7. **Schedule** what is due next.
//!
//! A step may end the pass: a heartbeat that only refreshes ends after step 4, and so does a stale or
//! repeated callback.

use crate::model::change::Cause;
use crate::model::command::{Answer, Heartbeat};
use crate::model::config::Config;
use crate::model::error::Error;
use crate::model::expired::Expired;
use crate::model::outcome::Outcome;
use crate::model::suspicion::SuspectedList;
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
    /// Takes an input: first what is due, then the input itself, then what is to be reported of losses.
    pub(crate) fn take(
        &mut self,
        work: &mut Work<'_>,
        cx: &mut Context<'_>,
    ) -> Result<Answer, Error> {
        self.tick(cx)?;
        // Heartbeats wait for nothing that is merely due. So a store may take them without the room.
        let is_heartbeat =
            matches!(work, Work::Heartbeat(..) | Work::GrantGrace | Work::TakeHeartbeats(_));
        // What is due by other settings than these may stay.
        let is_carried_over = matches!(work, Work::CarryOver(_));
        if !is_heartbeat && !is_carried_over {
            self.sweep(&mut usize::MAX.clone(), cx)?;
        }
        let is_merge = matches!(work, Work::Merge(_));
        let answer = self.pass(work, cx);
        if is_merge || is_carried_over {
            // Both replicas were swept. What came together may be swept too.
            self.sweep(&mut usize::MAX.clone(), cx)?;
        }
        // What is refused reports nothing that is merely due either.
        if (answer.is_ok() && !is_heartbeat) || cx.signs_changed {
            self.report(cx);
        }
        #[cfg(room_registry_check)]
        self.check();
        answer
    }

    /// Sets the clock of the room, and tells what that changes. It forgets nothing and times nobody out.
    pub(crate) fn set_clock(&mut self, cx: &mut Context<'_>) -> Result<(), Error> {
        self.tick(cx)?;
        self.report(cx);
        #[cfg(room_registry_check)]
        self.check();
        Ok(())
    }

    /// Joins another replica of the room into this one. Both are brought up to date first: what the clock
    /// left in the future of the other is pulled back there too.
    pub(crate) fn merge(&mut self, mut other: Self, cx: &mut Context<'_>) -> Result<(), Error> {
        self.clock = self.clock.max(other.clock);
        other.clock = self.clock;
        let mut untold = ChangeLog::default();
        other.take(&mut Work::Tick, &mut Context::new(cx.config, cx.now, cx.cause, &mut untold))?;
        self.take(&mut Work::Merge(Box::new(other)), cx).map(|_| ())
    }

    /// Does what is due, at most `budget` steps of it.
    pub(crate) fn expire(
        &mut self,
        budget: &mut usize,
        cx: &mut Context<'_>,
    ) -> Result<Expired, Error> {
        self.tick(cx)?;
        let mut expired = Expired::default();
        while *budget > 0
            && let Some(place) =
                self.registers.members.overdue(cx.config.heartbeat_timeout_ms, cx.now)
        {
            self.pass_because(Cause::HeartbeatTimeout, Work::TimeOut(place), cx)?;
            expired.memberships += 1;
            *budget -= 1;
        }
        // All at once, whatever the budget: one room has few.
        expired.suspected = self.report(cx);
        *budget = budget.saturating_sub(expired.suspected);
        if *budget > 0 && self.lifecycle_end(cx.config).is_some_and(|at| at <= cx.now) {
            self.pass_because(Cause::Lifecycle, Work::EndByLifecycle, cx)?;
            expired.rooms += 1;
            *budget -= 1;
        }
        if *budget > 0
            && self.rulebook().listing_ends_at(self.visible()).is_some_and(|at| at <= cx.now)
        {
            self.pass_because(Cause::EmptyRoom, Work::Unlist, cx)?;
            expired.unlisted += 1;
            *budget -= 1;
        }
        let before = *budget;
        self.sweep(budget, cx)?;
        if let Some(retention_ms) = self.settings.retention_ms {
            let old = cx.now.minus(retention_ms);
            self.forget_ends(old, budget, cx.now);
            if *budget > 0 && self.registers.ended_at.is_some_and(|ended_at| ended_at < old) {
                self.registers.forget_ends(&self.settings);
                *budget -= 1;
            }
            let threshold = old.minus(self.settings.clock_skew_ms);
            if *budget > 0 && self.registers.refused.forget(threshold) {
                cx.signs_changed = true;
                *budget -= 1;
            }
        }
        expired.forgotten += before - *budget;
        cx.is_dirty |= expired.steps() > 0;
        self.report(cx);
        #[cfg(room_registry_check)]
        self.check();
        Ok(expired)
    }

    /// Takes the seven steps.
    fn pass(&mut self, work: &mut Work<'_>, cx: &mut Context<'_>) -> Result<Answer, Error> {
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
                self.pass_because(Cause::HeartbeatTimeout, Work::TimeOut(place), cx)?;
                if let Work::Heartbeat(..) = work {
                    return Ok(Answer::Heartbeat(Heartbeat::TimedOut));
                }
                resolved = self.resolve(work);
            }
        }

        // 3. Look.
        let concerns_everybody = self.concerns_everybody(work, &resolved);
        let is_refresh = resolved.member.is_some() && matches!(resolved.target, Target::Session);
        let mut before = if resolved.is_outdated || is_refresh {
            Before::nobody(self.is_listed()) // it changes nothing that readers see
        } else {
            self.look(&resolved.target, concerns_everybody)
        };

        // 4. Join.
        let told = cx.log.len();
        let mut joined = self.join(work, &mut resolved, &mut before, cx);
        if !joined.is_changed {
            return Ok(joined.answer);
        }
        cx.is_dirty = true;

        // 5. Widen.
        let visible_before = self.projection.visible;
        let ended = ended_by(work, cx.cause, cx.now);
        let widened = self.widen(&mut joined, &mut resolved, &before, ended, cx.now);
        let is_visible_changed = widened.visible != visible_before;

        self.keep_user_notes(&resolved, &before, &joined);

        // 6. Project.
        let source =
            ProjectionSource { id: &self.id, registers: &self.registers, settings: &self.settings };
        let projected = self.projection.project(source, &before, &resolved.target, &widened, cx);
        if before.was_listed != self.is_listed() && !self.registers.refused.is_empty() {
            cx.signs_changed = true; // such a sign needs no session
        }
        let is_everybody = matches!(before.looked, Looked::Everybody(_));
        let is_all_shown_anew = is_everybody
            || is_visible_changed
            || projected.is_session_hidden
            || projected.is_session_changed;
        self.record_since(projected.is_session_hidden, cx.now);
        self.keep_stream_attributes(&resolved.target, is_all_shown_anew);
        if !matches!(joined.answer, Answer::Expired(_)) {
            self.record_signs(&resolved, &joined, is_all_shown_anew, cx);
        }

        // 7. Schedule.
        self.schedule(&joined, &resolved, &before, is_all_shown_anew);
        if let Answer::Outcome(outcome) = &mut joined.answer {
            *outcome = if cx.log.len() > told { Outcome::Applied } else { Outcome::Held };
        }
        Ok(joined.answer)
    }

    /// Takes the seven steps for another reason than the input gives.
    fn pass_because(
        &mut self,
        cause: Cause,
        mut work: Work<'_>,
        cx: &mut Context<'_>,
    ) -> Result<Answer, Error> {
        let before = std::mem::replace(&mut cx.cause, cause);
        let answer = self.pass(&mut work, cx);
        cx.cause = before;
        answer
    }

    /// Sets the clock of the room. A small step back reads as standing still. A larger one is believed,
    /// and what lies in the future is pulled back to now.
    #[inline]
    fn tick(&mut self, cx: &mut Context<'_>) -> Result<(), Error> {
        if cx.now >= self.clock {
            self.clock = cx.now;
        } else if self.clock.minus(self.settings.clock_skew_ms) <= cx.now {
            cx.now = self.clock;
        } else {
            self.clock = cx.now;
            self.pass_because(Cause::ClockSetBack, Work::ClockSetBack, cx)?;
        }
        Ok(())
    }

    /// Forgets what the retention lets go by now, at most `budget` steps. Nothing visible changes.
    #[inline]
    fn sweep(&mut self, budget: &mut usize, cx: &mut Context<'_>) -> Result<(), Error> {
        while *budget > 0 && self.projection.schedule.sweep_at.is_some_and(|at| at <= cx.now) {
            let forgotten = self.forget_next(cx)?;
            if forgotten == 0 {
                break; // nothing was due after all, and nothing else is
            }
            *budget = budget.saturating_sub(forgotten);
        }
        Ok(())
    }

    /// Forgets what is due first. Returns how many parts went.
    #[inline(never)] // rare, and the question whether anything is due is not
    fn forget_next(&mut self, cx: &mut Context<'_>) -> Result<usize, Error> {
        let due = self.projection.schedule.next_due(cx.now);
        #[cfg(room_registry_check)]
        let described = format!("{due:?} {:?} {:?}", cx.now, self.registers);
        let mut work = due.map_or(Work::ForgetSession, Work::Forget);
        let Answer::Expired(expired) = self.pass(&mut work, cx)? else { return Ok(0) };
        #[cfg(room_registry_check)]
        assert!(expired.forgotten > 0, "nothing was due: {described}");
        Ok(expired.forgotten)
    }

    /// Step 5: brings the summaries up to date, finds out which session is visible, and who loses a place
    /// by that.
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
        if is_everybody || joined.lost_in != 0 {
            self.projection.summarise(&self.registers, &self.settings);
        } else {
            let (registers, rules) = (&self.registers, &self.settings);
            self.projection.summarise_target(registers, rules, &before.parts, &resolved.target);
        }
        let was_visible = self.projection.visible.and_then(Visible::index);
        let is_visible_lost = was_visible.is_some_and(|index| joined.lost_in & 1 << index != 0);
        let is_told = matches!(joined.answer, Answer::Outcome(_)) || joined.is_merge;
        while self.registers.sessions.len() > MAX_SESSIONS
            && let Some(index) = self.rulebook().session_beyond_cap()
        {
            self.remove_session(index, resolved);
            joined.may_have_emptied = true;
        }
        let open = self.rulebook().open();
        if is_told
            && let Some(session) = open
            && self.rulebook().is_unlisted(session)
            && self.rulebook().is_occupied(session)
        {
            *self.registers.emptiness_mut(session.index()) = None; // somebody came: it is listed again
        }
        let visible = open.filter(|session| !self.rulebook().is_unlisted(*session));
        let is_listed = self.registers.info.is_some() || visible.is_some();
        if before.was_listed && !is_listed && !joined.is_merge {
            // Nobody stays a member of a room that left the list. After a merge somebody may: it must not
            // matter which of two replicas knew what.
            self.registers.members.leave_all(now);
            if let Target::User(_, places) = &mut resolved.target {
                places.member = None;
            }
        }
        joined.may_have_emptied |= joined.lost_in != 0;
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

    /// Takes a session out, with its summary and its places.
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
    #[inline]
    fn schedule(
        &mut self,
        joined: &JoinResult,
        resolved: &Resolved<'_>,
        before: &Before,
        all: bool,
    ) {
        let is_everybody = matches!(before.looked, Looked::Everybody(_));
        if joined.may_have_emptied || is_everybody {
            self.registers.drop_empty();
            self.projection.sessions_dropped(&self.registers, &self.settings);
        }
        let (registers, settings) = (&self.registers, &self.settings);
        let Projection { visible, summaries, schedule, .. } = &mut self.projection;
        let book = Rulebook { registers, settings, summaries };
        let observed_all = (all || joined.is_session_changed) && !registers.observed.is_empty();
        if joined.may_have_emptied || is_everybody || observed_all {
            schedule.rebuild(book, *visible);
        } else {
            schedule.set(book, *visible, before.due, &resolved.target);
            schedule.set_sweep(book, *visible);
        }
    }

    /// Reports the signs that held for long enough, and tells what is suspected now that was not, or is
    /// not any more. Returns how many were reported.
    #[inline]
    fn report(&mut self, cx: &mut Context<'_>) -> usize {
        let since = self.projection.unreported_since;
        let is_due = since.is_some_and(|since| since.plus(cx.config.report_after_ms) <= cx.now);
        if cx.signs_changed || is_due { self.tell_signs(cx) } else { 0 }
    }

    #[inline(never)] // rare, as above
    fn tell_signs(&mut self, cx: &mut Context<'_>) -> usize {
        cx.signs_changed = false;
        cx.is_dirty = true;
        let reported = self.mark_reported(cx.now, cx.config);
        let source =
            ProjectionSource { id: &self.id, registers: &self.registers, settings: &self.settings };
        self.projection.tell_signs(source, cx);
        reported
    }

    fn mark_reported(&mut self, now: Timestamp, config: &Config) -> usize {
        let Some(index) = self.projection.visible.and_then(Visible::index) else { return 0 };
        let session = &self.registers.sessions[index];
        if session.evidence.is_empty() {
            return 0;
        }
        let confirmed_at = |list: SuspectedList| self.rulebook().confirmed_at(list, Some(session));
        let [room, users, streams, both] = [
            confirmed_at(SuspectedList::Room),
            confirmed_at(SuspectedList::Users),
            confirmed_at(SuspectedList::Streams),
            confirmed_at(SuspectedList::Both),
        ];
        let report_after_ms = config.report_after_ms;
        self.registers.sessions[index].evidence.mark_reported(|list, told_at, noticed_at| {
            let confirmed_at = match list {
                SuspectedList::Room => room,
                SuspectedList::Users => users,
                SuspectedList::Streams => streams,
                SuspectedList::Both => both,
            };
            Some(told_at) > confirmed_at && noticed_at.plus(report_after_ms) <= now
        })
    }

    /// Holds the projection against one that is made from nothing.
    #[cfg(room_registry_check)]
    fn check(&self) {
        if let Some(difference) = self.projection.difference(&self.registers, &self.settings) {
            panic!("room {}: the projection is not what the registers say: {difference}", self.id);
        }
    }
}
