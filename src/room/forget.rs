//! Forgetting: takes out of the registers what the retention lets go. It is step 4 of a pass that time
//! causes (`Work::Forget`, `Work::ForgetSession`).
//!
//! The rules say what may go: `rules/retention.rs` has laws 5.4 to 5.7 and 16.6. The door's sweep calls
//! this before every operation but heartbeats (law 5.1). The ends of memberships (laws 7.4 and 18.1)
//! follow no projection, so `expire` calls [`RoomState::forget_membership_ends`] without a pass.

use crate::model::command::Answer;
use crate::model::expired::Expired;
use crate::model::time::Timestamp;
use crate::registers::connections::End;
use crate::registers::kind::{Streams, Users};
use crate::registers::places::{Places, Target};
use crate::registers::session::SessionRegister;
use crate::registers::tables::Tables;
use crate::room::context::Context;
use crate::room::join::JoinResult;
use crate::room::resolve::Resolved;
use crate::room::schedule::Forgettable;
use crate::room::state::RoomState;

impl RoomState {
    /// Forgets how memberships ended before `old`, at most `budget` of them.
    ///
    /// A removal counts for as long as the media server shows the user (law 18.2). Such a user is looked
    /// at again after another retention.
    pub(super) fn forget_membership_ends(
        &mut self,
        old: Timestamp,
        budget: &mut usize,
        now: Timestamp,
    ) {
        while *budget > 0
            && let Some((user_id, left)) = self.registers.members.forgettable(old)
        {
            if matches!(left.how, End::Removed(_)) && self.user(user_id).is_some() {
                self.registers.members.renew_oldest(now);
            } else {
                self.registers.members.forget_oldest();
            }
            *budget -= 1;
        }
    }

    /// Forgets of one user or stream what is below the threshold, and returns how many parts went.
    ///
    /// Presences go first (law 16.6): a presence would show again if the closing that outdates it went
    /// before it.
    fn forget_parts<K: Tables>(&mut self, places: &mut Places, threshold: Timestamp) -> usize {
        let mut forgotten = 0;
        if let Some(place) = places.in_roster {
            let (book, visible) = (self.rulebook(), self.visible());
            let due = book.presence_forgettable_at::<K>(visible, places);
            if due.is_some_and(|at| at < threshold) {
                let idle = book.idle_presences::<K>(visible, places);
                let idle = idle.filter(|(_, at)| *at < threshold);
                let idle: Vec<_> = idle.map(|(session_id, _)| session_id.clone()).collect();
                if let Some(observed) = self.registers.observed.held()
                    && K::roster_mut(observed).forget(place, &idle)
                {
                    places.in_roster = None;
                }
                forgotten += 1;
            }
        }
        for session in 0..places.in_sessions.len() {
            let Some(stays) = self.registers.stays_at::<K>(session, places) else { continue };
            let hiding = self.rulebook().hiding::<K>(session, places.in_roster);
            let is_open = stays.open_since(hiding.shown_from()).is_some();
            let due = stays.forgettable_at(hiding, &self.settings);
            if due.is_none_or(|at| at >= threshold) {
                continue;
            }
            forgotten += 1;
            let Some(place) = places.in_sessions[session] else { continue };
            let table = K::table_mut(&mut self.registers.sessions[session]);
            if !is_open {
                table.swap_remove_at(place); // law 5.4
                places.in_sessions[session] = None;
            } else if let Some(stays) = table.at_mut(place) {
                stays.forget_beside_shown(threshold, hiding, &self.settings); // law 5.5
            }
        }
        forgotten
    }

    /// Forgets what is due of the user or stream that is first in the schedule. If nothing was due after
    /// all, the answer counts no part, and the sweep stops.
    pub(super) fn forget_subject(
        &mut self,
        subject: &Forgettable,
        resolved: &mut Resolved<'_>,
        cx: &Context<'_>,
    ) -> JoinResult {
        let Some(retention_ms) = self.settings.retention_ms else {
            return JoinResult::unchanged(Answer::Expired(Expired::default()));
        };
        let threshold = cx.now.minus(retention_ms).minus(self.settings.clock_skew_ms);
        let forgotten = match (&mut resolved.target, subject) {
            (Target::User(_, places), Forgettable::User(_)) => {
                self.forget_parts::<Users>(&mut places.told, threshold)
            }
            (Target::Stream(_, places), Forgettable::Stream(_)) => {
                self.forget_parts::<Streams>(&mut places.told, threshold)
            }
            _ => 0,
        };
        let expired = Expired { forgotten, ..Expired::default() };
        let may_have_emptied = self.registers.sessions.iter().any(SessionRegister::is_empty);
        JoinResult { may_have_emptied, ..JoinResult::changed(Answer::Expired(expired)) }
    }

    /// Forgets what is due first: a confirmation, a session that is not current, or everything that the
    /// media server told (laws 16.6, 5.4 and 5.6).
    pub(super) fn forget_session(
        &mut self,
        resolved: &mut Resolved<'_>,
        cx: &Context<'_>,
    ) -> JoinResult {
        let nothing_due = JoinResult::unchanged(Answer::Expired(Expired::default()));
        let Some(retention_ms) = self.settings.retention_ms else { return nothing_due };
        let threshold = cx.now.minus(retention_ms).minus(self.settings.clock_skew_ms);
        if let Some(index) = self.rulebook().forgettable_confirmation(threshold) {
            self.registers.sessions[index].confirmed_open_at = None;
            if self.registers.sessions[index].is_empty() {
                self.remove_session(index, resolved);
            }
        } else if let Some(index) = self.rulebook().forgettable_session(threshold) {
            self.remove_session(index, resolved);
        } else if self.rulebook().is_forgettable(threshold) {
            self.registers.forget_live();
            self.projection.summarise(&self.registers, &self.settings);
        } else {
            return nothing_due;
        }
        let expired = Expired { forgotten: 1, ..Expired::default() };
        // An entry of the observed roster may have stayed for the sake of a login in the session.
        JoinResult { may_have_emptied: true, ..JoinResult::changed(Answer::Expired(expired)) }
    }
}
