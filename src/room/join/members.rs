//! What the application's commands about one user join into the registers.

use crate::collections::hashed::HashedId;
use crate::model::command::{Answer, CheckedUser, Heartbeat, UserUpdate};
use crate::model::id::UserId;
use crate::model::visible::{Membership, UserNote};
use crate::registers::connections::End;
use crate::registers::kind::Users;
use crate::registers::members::Left;
use crate::registers::places::{Target, UserPlaces};
use crate::room::admit::updated_membership;
use crate::room::context::Context;
use crate::room::join::JoinResult;
use crate::room::resolve::Resolved;
use crate::room::state::RoomState;
use crate::rules::visibility::Source;

impl RoomState {
    /// A user joins, or another connection of a member. The latter changes nothing that readers see.
    pub(super) fn join_member(
        &mut self,
        user: &mut CheckedUser,
        resolved: &mut Resolved<'_>,
        cx: &mut Context<'_>,
    ) -> JoinResult {
        let connection_id = user.connection_id.as_ref();
        if let Target::User(_, UserPlaces { member: Some(place), .. }) = resolved.target {
            let by = cx.judge(&self.settings);
            self.registers.members.join_connection(place, connection_id, by);
            cx.is_moved = true;
            return JoinResult::ended(Answer::Done);
        }
        let membership = Membership {
            joined_at: self.registers.after_end(cx.now),
            name: user.name.take(),
            role: user.role.take(),
            attributes: std::mem::take(&mut user.attributes),
        };
        if let Target::User(user_id, places) = &mut resolved.target {
            let user_id: &HashedId<'_, UserId> = user_id;
            let members = &mut self.registers.members;
            let place = members.join(user_id.as_hashed(), connection_id, membership, cx.now);
            places.member = Some(place);
        }
        JoinResult { is_content_changed: true, ..JoinResult::changed(Answer::Done) }
    }

    /// Whether a member has more than one connection that holds.
    pub(super) fn is_one_of_several(&self, resolved: &Resolved<'_>, cx: &Context<'_>) -> bool {
        let Target::User(_, UserPlaces { member: Some(place), .. }) = resolved.target else {
            return false;
        };
        self.registers.members.holding(place, cx.judge(&self.settings)) > 1
    }

    /// One of several connections ends, which touches no login.
    pub(super) fn leave_connection(
        &mut self,
        connection: &str,
        resolved: &Resolved<'_>,
        cx: &mut Context<'_>,
    ) -> JoinResult {
        if let Target::User(_, UserPlaces { member: Some(place), .. }) = resolved.target {
            self.registers.members.leave_connection(place, connection, cx.now);
            cx.is_moved = true;
        }
        JoinResult::ended(Answer::Done)
    }

    /// A user goes: the membership ends, and every login that is known if so desired. How is remembered,
    /// also of somebody who had no membership. A removal outranks every membership until now.
    #[inline]
    pub(super) fn end_membership(
        &mut self,
        resolved: &mut Resolved<'_>,
        how: End,
        with_logins: bool,
        cx: &Context<'_>,
    ) -> JoinResult {
        if let Target::User(user_id, places) = &mut resolved.target {
            let outranks_all = places.member.is_none() || matches!(how, End::Removed(_));
            if let Some(place) = places.member.take() {
                self.registers.members.leave(place, how.clone(), cx.now);
            }
            if outranks_all {
                let joined_at = self.registers.after_end(cx.now);
                let left = Left { joined_at, left_at: cx.now, how };
                self.registers.members.remember(user_id.id.clone().into_owned(), left);
            }
        }
        if with_logins {
            self.registers.close_logins(&mut resolved.target, cx.now, &self.settings);
        }
        JoinResult { is_content_changed: true, ..JoinResult::changed(Answer::Done) }
    }

    /// A heartbeat. That of a user who is only logged in gives that user a membership.
    pub(super) fn beat(
        &mut self,
        connection: Option<&str>,
        update: Option<&UserUpdate>,
        resolved: &mut Resolved<'_>,
        cx: &Context<'_>,
    ) -> JoinResult {
        let alive = Answer::Heartbeat(Heartbeat::Alive);
        let Some(place) = resolved.member else {
            let membership = self.app_word(resolved, cx); // what was said before holds on
            let membership = match update.map(|update| updated_membership(&membership, update)) {
                Some(Ok((updated, _))) => updated,
                Some(Err(_)) | None => membership, // an update that is refused is not admitted
            };
            if let Target::User(user_id, places) = &mut resolved.target {
                let members = &mut self.registers.members;
                let place = members.join(user_id.as_hashed(), None, membership, cx.now);
                places.member = Some(place);
            }
            return JoinResult { is_content_changed: true, ..JoinResult::changed(alive) };
        };
        self.registers.members.beat(place, connection, cx.now);
        match update {
            None => JoinResult::ended(alive),
            Some(update) => self.update_member(update, resolved, alive, cx),
        }
    }

    /// Changes what a membership shows.
    pub(super) fn update_member(
        &mut self,
        update: &UserUpdate,
        resolved: &Resolved<'_>,
        answer: Answer,
        cx: &Context<'_>,
    ) -> JoinResult {
        let updated = updated_membership(&self.app_word(resolved, cx), update);
        let (Ok((updated, true)), Target::User(user_id, places)) = (updated, &resolved.target)
        else {
            return JoinResult::ended(answer);
        };
        if let Some(place) = places.member {
            self.registers.members.update(place, updated, cx.now);
        } else {
            let source = self.rulebook().source::<Users>(self.visible(), &places.told);
            let Some(on) = source.map(Source::note_subject) else {
                return JoinResult::ended(answer);
            };
            let Membership { name, role, attributes, .. } = updated;
            let note = UserNote { updated_at: cx.now, name, role, attributes };
            self.registers.user_notes.set(user_id.id.clone().into_owned(), on, note);
        }
        JoinResult { is_content_changed: true, ..JoinResult::changed(answer) }
    }
}
