//! What concerns the business info: a command creates the room, and a command or its lifecycle ends it.
//! An empty room that no command created leaves the list. Laws 6.3 to 6.5, 16.3, 18.3 and 4.10.

use crate::model::command::{Answer, CheckedRoom, RoomUpdate};
use crate::model::visible::RoomInfo;
use crate::room::context::Context;
use crate::room::join::JoinResult;
use crate::room::state::RoomState;
use crate::rules::visibility::Visible;

impl RoomState {
    /// Gives the room business info. A session that callbacks opened is adopted. A session that an earlier
    /// end hid shows again if it still runs (law 6.4): rules compare that end with `created_at`.
    pub(super) fn create(&mut self, room: &CheckedRoom, cx: &Context<'_>) -> JoinResult {
        let registers = &mut self.registers;
        // In the millisecond of an end, it counts as made one millisecond later (law 6.5).
        let created_at = registers.after_end(cx.now);
        registers.info = Some(RoomInfo {
            updated_at: created_at,
            created_at,
            host_id: room.host_id.clone(),
            name: room.name.clone(),
            attributes: room.attributes.clone(),
            lifecycle: room.lifecycle,
            max_users: room.max_users,
            ends_at: room.ends_at,
            first_join_grace_ms: room.first_join_grace_ms,
            empty_grace_ms: room.empty_grace_ms,
        });
        // The graces of the lifecycle begin now (law 18.7). After step 6, the door writes the times.
        (registers.empty_since, registers.is_entered) = (None, false);
        registers.sessionless_since = None;
        JoinResult { is_info_changed: true, ..JoinResult::changed(Answer::Done) }
    }

    /// Updates the business info. The last update counts (law 7.3).
    pub(super) fn update(&mut self, update: &RoomUpdate, cx: &Context<'_>) -> JoinResult {
        // Step 2 refused what is wrong, so nothing is left but an update that changes nothing.
        let Ok(Some(updated)) = self.updated_info(update) else {
            return JoinResult::unchanged(Answer::Done);
        };
        let updated_at = updated.updated_at.max(cx.now);
        self.registers.info = Some(RoomInfo { updated_at, ..updated });
        JoinResult { is_info_changed: true, ..JoinResult::changed(Answer::Done) }
    }

    /// Ends the business info and all memberships (law 18.3). Sessions and presences from before the end
    /// are hidden (laws 6.8 and 16.3). Nothing is removed for that: rules compare their times with the end.
    /// The nameless session notes which of its openings are hidden (law 21.4).
    pub(super) fn end(&mut self, cx: &mut Context<'_>) -> JoinResult {
        // What is due goes first, so that a sweep makes no difference to what the end outranks or renews.
        let mut unlimited = usize::MAX;
        self.forget_aged(&mut unlimited, cx);
        let registers = &mut self.registers;
        // The end outranks everything before it, even if the clock stood still (law 6.5). Some of that
        // counts as made a millisecond late, because it followed an earlier end at once.
        let updated_at = registers.info.take().map(|info| info.updated_at);
        let joined_at = registers.members.latest_join();
        let received_at = registers.observed.last_received_at();
        let heard_at = registers.sessions.iter().map(|session| session.heard_at).max();
        let noted_at = registers.user_notes.latest_update();
        let before = updated_at.max(joined_at).max(received_at).max(heard_at).max(noted_at);
        let ended_at = cx.now.max(before.unwrap_or_default());
        registers.join_end(Some(ended_at));
        registers.members.end_before(ended_at, registers.ended_before);
        registers.user_notes.end_before(ended_at);
        for session in &mut registers.sessions {
            session.hide_openings(ended_at, &self.settings);
        }
        JoinResult {
            is_info_changed: true,
            is_session_changed: true,
            ..JoinResult::changed(Answer::Done)
        }
    }

    /// Takes the room off the list, because its visible session was empty for the empty listing time (law
    /// 4.10). The session stays open, and whoever comes lists the room again.
    pub(super) fn unlist(&mut self) -> JoinResult {
        let emptiness = self
            .visible()
            .map(Visible::index)
            .and_then(|session| self.registers.emptiness_mut(session).as_mut());
        match emptiness {
            Some(emptiness) => emptiness.is_unlisted = true,
            None => return JoinResult::unchanged(Answer::Done),
        }
        JoinResult::changed(Answer::Done)
    }
}
