//! What time does to a room: its clock, what is forgotten, and what `expire` ends.
//!
//! `take` in `door.rs` sets the clock and forgets before each input (law 5.1). [`RoomState::expire`] also
//! does what readers can see: timeouts, the lifecycle, leaving the list, and signs that are due (laws 6.2,
//! 18.7, 4.10 and 10.5). Each end is a pass through the door, with a cause of its own.

use crate::model::change::Cause;
use crate::model::command::Answer;
use crate::model::error::Error;
use crate::model::expired::Expired;
use crate::model::time::Timestamp;
use crate::room::context::Context;
use crate::room::state::RoomState;
use crate::room::work::Work;

impl RoomState {
    /// Sets the clock of the room, and notes what that changes. It forgets nothing and times nobody out. The
    /// registry calls it for every room if its clock was set back.
    pub(crate) fn set_clock(&mut self, cx: &mut Context<'_>) -> Result<(), Error> {
        self.tick(cx)?;
        self.report(cx);
        #[cfg(room_registry_check)]
        self.check();
        Ok(())
    }

    /// Does what is due, at most `budget` steps of it. Each membership, room and part that goes is a step,
    /// and so is each sign that is reported. What is left stays due.
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
        // All signs at once, whatever the budget: one room has few.
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
        let budget_before = *budget;
        self.sweep(budget, cx)?;
        self.forget_aged(budget, cx);
        expired.forgotten += budget_before - *budget;
        cx.is_dirty |= expired.steps() > 0;
        self.report(cx);
        #[cfg(room_registry_check)]
        self.check();
        Ok(expired)
    }

    /// Forgets what stands in no schedule, at most `budget` steps. That is ends of memberships (law 18.1), the
    /// last ends of the room (law 7.3), and openings that came too late (law 10.11).
    pub(super) fn forget_aged(&mut self, budget: &mut usize, cx: &mut Context<'_>) {
        let Some(retention_ms) = self.settings.retention_ms else { return };
        let old = cx.now.minus(retention_ms);
        self.forget_membership_ends(old, budget, cx.now);
        if *budget > 0 && self.forget_last_ends(old) {
            *budget -= 1;
        }
        let threshold = old.minus(self.settings.clock_skew_ms);
        if *budget > 0 && self.registers.refused.forget(threshold) {
            cx.signs_changed = true;
            *budget -= 1;
        }
    }

    /// Sets the clock of the room. A step back of up to the clock skew reads as standing still. A larger
    /// one is believed, and local times that lie in the future are pulled back to now (section 11).
    #[inline]
    pub(super) fn tick(&mut self, cx: &mut Context<'_>) -> Result<(), Error> {
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

    /// Forgets everything that the retention lets go by now.
    #[inline]
    pub(super) fn sweep_all(&mut self, cx: &mut Context<'_>) -> Result<(), Error> {
        let mut unlimited = usize::MAX;
        self.sweep(&mut unlimited, cx)
    }

    /// Forgets the last ends of the room if the retention lets them go by now. Whether an end is remembered
    /// decides which session it hides, so this comes before anything that may tell of one. A sweep makes no
    /// difference then (laws 5.1 and 7.3). Commands tell of none.
    #[inline]
    pub(super) fn forget_due_ends(&mut self, cx: &mut Context<'_>) {
        if let Some(retention_ms) = self.settings.retention_ms {
            cx.is_dirty |= self.forget_last_ends(cx.now.minus(retention_ms));
        }
    }

    /// Forgets the last ends of the room if they were before `old`.
    fn forget_last_ends(&mut self, old: Timestamp) -> bool {
        let is_due = self.registers.ended_at.is_some_and(|ended_at| ended_at < old);
        if is_due {
            self.registers.forget_ends(&self.settings);
        }
        is_due
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

    /// Forgets what is due first, and returns how many parts went. That is something of a user or a stream,
    /// or else a session, or everything that the media server told.
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
}
