//! What the commands about one user or one stream join. That is memberships and their connections (section
//! 18), closings of our own (laws 6.1 and 6.2), and what the app says (law 18.11).
//!
//! Step 2 admitted each command, so nothing here refuses one. What would be refused changes nothing.

use std::collections::BTreeMap;

use crate::collections::hashed::HashedId;
use crate::model::command::{Answer, CheckedUser, Heartbeat, UserUpdate, updated_attributes};
use crate::model::id::UserId;
use crate::model::text::Text;
use crate::model::visible::{Membership, UserNote};
use crate::registers::StreamAttributes;
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
    /// A user joins, or a member joins by another connection. The latter changes nothing that readers see
    /// (law 18.4).
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
            cx.is_dirty = true;
            return JoinResult::unchanged(Answer::Done);
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

    /// Whether the user has more than one connection that holds, so that leaving by one ends no membership.
    pub(super) fn is_one_of_several(&self, resolved: &Resolved<'_>, cx: &Context<'_>) -> bool {
        let Target::User(_, UserPlaces { member: Some(place), .. }) = resolved.target else {
            return false;
        };
        self.registers.members.holding(place, cx.judge(&self.settings)) > 1
    }

    /// One of several connections ends, and the membership goes on (law 18.4).
    pub(super) fn leave_connection(
        &mut self,
        connection: &str,
        resolved: &Resolved<'_>,
        cx: &mut Context<'_>,
    ) -> JoinResult {
        if let Target::User(_, UserPlaces { member: Some(place), .. }) = resolved.target {
            self.registers.members.leave_connection(place, connection, cx.now);
            cx.is_dirty = true;
        }
        JoinResult::unchanged(Answer::Done)
    }

    /// A user goes: the membership ends, and with `with_logins` every login that is known (law 6.1).
    ///
    /// How the user went is remembered, even of somebody who had no membership (law 18.1). A removal
    /// outranks every membership that joined before it, on any replica (law 18.2).
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

    /// Takes a heartbeat. A user who is only logged in gets a membership by it (law 18.1).
    pub(super) fn beat(
        &mut self,
        connection: Option<&str>,
        update: Option<&UserUpdate>,
        resolved: &mut Resolved<'_>,
        cx: &Context<'_>,
    ) -> JoinResult {
        let alive = Answer::Heartbeat(Heartbeat::Alive);
        let Some(place) = resolved.member else {
            let membership = self.app_word(resolved, cx); // it takes over the note (law 18.11)
            let membership = match update.map(|update| updated_membership(&membership, update)) {
                Some(Ok((updated, _))) => updated,
                Some(Err(_)) | None => membership, // step 2 refuses an update that is an error
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
            None => JoinResult::unchanged(alive),
            Some(update) => self.update_member(update, resolved, alive, cx),
        }
    }

    /// Changes what the app says of a user: in the membership, or in a note if there is none (law 18.11).
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
            return JoinResult::unchanged(answer);
        };
        if let Some(place) = places.member {
            self.registers.members.update(place, updated, cx.now);
        } else {
            let source = self.rulebook().source::<Users>(self.visible(), &places.told);
            let Some(on) = source.map(Source::note_subject) else {
                return JoinResult::unchanged(answer);
            };
            let Membership { name, role, attributes, .. } = updated;
            let updated_at = self.registers.after_end(cx.now);
            let note = UserNote { updated_at, name, role, attributes };
            self.registers.user_notes.set(user_id.id.clone().into_owned(), on, note);
        }
        JoinResult { is_content_changed: true, ..JoinResult::changed(answer) }
    }

    /// Changes the app's own attributes of a stream that readers see. They last as long as this life of
    /// the stream does.
    pub(super) fn update_stream(
        &mut self,
        attributes: &mut BTreeMap<Text, Option<Text>>,
        resolved: &mut Resolved<'_>,
        cx: &Context<'_>,
    ) -> JoinResult {
        let Target::Stream(stream_id, places) = &mut resolved.target else {
            return JoinResult::unchanged(Answer::Done);
        };
        let Some(stream) = self.stream_at(places) else {
            return JoinResult::unchanged(Answer::Done);
        };
        let Ok(Some(attributes)) =
            updated_attributes(stream.attributes, std::mem::take(attributes))
        else {
            return JoinResult::unchanged(Answer::Done);
        };
        let stream_session_id = stream.stream_session_id().cloned();
        let held = StreamAttributes { updated_at: cx.now, stream_session_id, attributes };
        let table = &mut self.registers.stream_attributes;
        match places.attributes.and_then(|place| table.at_mut(place)) {
            Some(before) => *before = held,
            None => places.attributes = Some(table.insert_new(stream_id.as_hashed(), held)),
        }
        JoinResult { is_content_changed: true, ..JoinResult::changed(Answer::Done) }
    }
}
