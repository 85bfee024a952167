//! Forgetting: takes out of the registers what the retention lets go.

use crate::model::time::Timestamp;
use crate::registers::connections::End;
use crate::registers::places::{StreamPlaces, UserPlaces};
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

    /// Forgets what is below the threshold of a user. Returns how many parts went.
    ///
    /// Presences go first: a closing that goes before them would bring back what it had ended.
    pub(super) fn forget_user(&mut self, places: &mut UserPlaces, threshold: Timestamp) -> usize {
        let mut forgotten = 0;
        if let Some(place) = places.in_roster {
            let (book, visible) = (self.rulebook(), self.visible());
            let due = book.presence_of_user_forgettable_at(visible, places);
            if due.is_some_and(|at| at < threshold) {
                let idle = book.idle_presences_of_user(visible, places);
                let idle = idle.filter(|(_, at)| *at < threshold);
                let idle: Vec<_> = idle.map(|(session_id, _)| session_id.clone()).collect();
                if self.registers.observed.users.forget(place, &idle) {
                    places.in_roster = None;
                }
                forgotten += 1;
            }
        }
        for session in 0..places.in_sessions.len() {
            let Some(user) = self.registers.user_at(session, places) else { continue };
            let has_login = self.rulebook().login(user, places.in_roster).is_some();
            if user.forgettable_at(has_login).is_none_or(|at| at >= threshold) {
                continue;
            }
            forgotten += 1;
            let Some(place) = places.in_sessions[session] else { continue };
            let users = &mut self.registers.sessions[session].users;
            if !has_login {
                users.swap_remove_at(place);
                places.in_sessions[session] = None;
            } else if let Some(user) = users.at_mut(place) {
                user.forget_closings(threshold);
            }
        }
        forgotten
    }

    /// Forgets what is below the threshold of a stream. Returns how many parts went.
    pub(super) fn forget_stream(
        &mut self,
        places: &mut StreamPlaces,
        threshold: Timestamp,
    ) -> usize {
        let mut forgotten = 0;
        if let Some(place) = places.in_roster {
            let (book, visible) = (self.rulebook(), self.visible());
            let due = book.presence_of_stream_forgettable_at(visible, places);
            if due.is_some_and(|at| at < threshold) {
                let idle = book.idle_presences_of_stream(visible, places);
                let idle = idle.filter(|(_, at)| *at < threshold);
                let idle: Vec<_> = idle.map(|(session_id, _)| session_id.clone()).collect();
                if self.registers.observed.streams.forget(place, &idle) {
                    places.in_roster = None;
                }
                forgotten += 1;
            }
        }
        for session in 0..places.in_sessions.len() {
            let Some(stream) = self.registers.stream_at(session, places) else { continue };
            let is_open = self.rulebook().open_fact(stream, places.in_roster).is_some();
            if stream.forgettable_at(is_open).is_none_or(|at| at >= threshold) {
                continue;
            }
            forgotten += 1;
            let Some(place) = places.in_sessions[session].take() else { continue };
            self.registers.sessions[session].streams.swap_remove_at(place);
        }
        forgotten
    }
}
