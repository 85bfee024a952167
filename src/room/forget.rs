//! Forgetting: takes out of the registers what the retention lets go.

use crate::model::time::Timestamp;
use crate::registers::connections::End;
use crate::registers::places::Places;
use crate::registers::tables::Tables;
use crate::room::state::RoomState;

impl RoomState {
    /// Forgets how memberships ended before `old`, at most `budget` of them. The removal of somebody whom
    /// the media server shows counts on, and is looked at again after another retention.
    pub(super) fn forget_ends(&mut self, old: Timestamp, budget: &mut usize, now: Timestamp) {
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

    /// Forgets what is below the threshold of a user or stream. Returns how many parts went.
    ///
    /// Presences go first: a closing that goes before them would bring back what it had ended.
    pub(super) fn forget<K: Tables>(&mut self, places: &mut Places, threshold: Timestamp) -> usize {
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
            let is_open = self.rulebook().open_stay(session, stays, places.in_roster).is_some();
            let due = stays.forgettable_at(is_open, &self.settings);
            if due.is_none_or(|at| at >= threshold) {
                continue;
            }
            forgotten += 1;
            let Some(place) = places.in_sessions[session] else { continue };
            let table = K::table_mut(&mut self.registers.sessions[session]);
            if !is_open {
                table.swap_remove_at(place);
                places.in_sessions[session] = None;
            } else if let Some(stays) = table.at_mut(place) {
                stays.forget_closings(threshold, &self.settings);
            }
        }
        forgotten
    }
}
