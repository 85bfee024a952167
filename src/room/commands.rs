//! What commands do to one room.

use std::collections::BTreeMap;

use crate::collections::id_table::{Hashed, Key};
use crate::model::change::{Cause, Who};
use crate::model::command::{
    CheckedRoom, CheckedUser, Heartbeat, RoomUpdate, UserUpdate, check_name, check_role,
    updated_attributes,
};
use crate::model::error::{Error, id_text};
use crate::model::id::UserId;
use crate::model::text::Text;
use crate::model::time::Timestamp;
use crate::model::visible::{Membership, RoomInfo};
use crate::room::before::UserBefore;
use crate::room::facts::Concerned;
use crate::room::members::Members;
use crate::room::state::{Context, RoomState, StreamNote};

impl RoomState {
    /// Gives the room business info. A session that callbacks opened is adopted; one that an end
    /// had hidden and that still runs shows again.
    pub(crate) fn create(&mut self, room: CheckedRoom, cx: &mut Context<'_>) -> Result<(), Error> {
        self.begin(cx);
        if self.info.is_some() {
            return Err(Error::RoomAlreadyExists { room_id: id_text(self.id.as_str()) });
        }
        let was_listed = self.is_listed();
        let before = self.before_showing_again();
        // Created again in the millisecond of its end, the room counts as created one later, so
        // that what the end hid and what the creation shows can be told apart.
        let created_at = self.ended_at.map_or(cx.now, |ended_at| cx.now.max(ended_at.plus(1)));
        self.info = Some(RoomInfo {
            updated_at: created_at,
            created_at,
            host_id: room.host_id,
            name: room.name,
            attributes: room.attributes,
            lifecycle: room.lifecycle,
        });
        self.empty_since = None;
        self.sessionless_since = None;
        if let Some(before) = before {
            self.show_difference(&before, cx);
            return Ok(());
        }
        self.tell_info(was_listed, cx);
        if !was_listed {
            self.show_members(cx);
        }
        self.show_if_other(cx);
        self.finish(cx);
        Ok(())
    }

    /// Checks an update against the business info: what it would become, or none where nothing
    /// changes.
    pub(crate) fn updated_info(&self, update: RoomUpdate) -> Result<Option<RoomInfo>, Error> {
        let Some(info) = &self.info else { return Err(self.not_found()) };
        let mut updated = info.clone();
        if let Some(host_id) = update.host_id {
            updated.host_id = UserId::new(&host_id)?;
        }
        if update.room_name.is_some() {
            updated.name = check_name("the room's name", update.room_name)?;
        }
        if let Some(attributes) = updated_attributes(&info.attributes, update.attributes)? {
            updated.attributes = attributes;
        }
        if let Some(lifecycle) = update.lifecycle {
            updated.lifecycle = lifecycle;
        }
        Ok((updated != *info).then_some(updated))
    }

    /// Puts updated business info in place.
    pub(crate) fn update(&mut self, mut updated: RoomInfo, cx: &mut Context<'_>) {
        self.begin(cx);
        updated.updated_at = updated.updated_at.max(cx.now);
        self.info = Some(updated);
        self.tell_info(true, cx);
        self.finish(cx);
    }

    /// Ends the business info and all memberships, and hides every session known at this moment.
    pub(crate) fn end(&mut self, cx: &mut Context<'_>) -> Result<(), Error> {
        self.begin(cx);
        if !self.is_listed() {
            return Err(self.not_found());
        }
        self.end_now(cx);
        Ok(())
    }

    pub(super) fn end_now(&mut self, cx: &mut Context<'_>) {
        // An end outranks everything of the room before it, also where the clock stood still.
        let updated_at = self.info.take().map(|info| info.updated_at);
        let joined_at = self.members.latest_join();
        let received_at = self.live.observed.last_received_at();
        let before = updated_at.max(joined_at).max(received_at);
        let ended_at = cx.now.max(before.unwrap_or_default());
        self.ended_at = self.ended_at.max(Some(ended_at));
        self.members = Members::default();
        self.live.hide_all(ended_at, cx.now);
        if self.shown.is_some() {
            self.show_anew(cx);
        } else {
            self.unlist(true, cx);
        }
        self.finish(cx);
    }

    /// A user joins. One who is only logged in gains a membership; a membership that timed out but
    /// was not swept yet counts as gone.
    pub(crate) fn join(&mut self, user: CheckedUser, cx: &mut Context<'_>) -> Result<(), Error> {
        self.begin(cx);
        if !self.is_listed() {
            return Err(self.not_found());
        }
        let user_id = user.user_id;
        let held = self.members.get(user_id.as_str());
        let timed_out =
            held.map(|member| member.is_timed_out(cx.config.heartbeat_timeout_ms, cx.now));
        if timed_out == Some(false) {
            let user_id = id_text(user_id.as_str());
            return Err(Error::UserAlreadyJoined { room_id: id_text(self.id.as_str()), user_id });
        }
        let is_listed = self.user(user_id.as_str()).is_some();
        if let Some(limit) = cx.config.max_users_per_room
            && !is_listed
            && self.user_count() >= limit
        {
            return Err(Error::RoomFull { room_id: id_text(self.id.as_str()), limit });
        }
        if timed_out == Some(true) {
            self.time_out(&user_id, cx);
        }
        let mut membership = self.new_membership(cx);
        membership.name = user.name;
        membership.role = user.role;
        membership.attributes = user.attributes;
        self.add_member(&user_id, membership, cx);
        self.finish(cx);
        Ok(())
    }

    /// A user leaves: the membership, and every login known.
    pub(crate) fn leave(&mut self, user_id: &str, cx: &mut Context<'_>) -> Result<(), Error> {
        self.begin(cx);
        let user_id = self.listed_user(user_id)?;
        self.remove_user(&user_id, true, cx);
        self.finish(cx);
        Ok(())
    }

    /// A heartbeat of a member who is there and not timed out, which changes nothing else. Anything
    /// else is left to [`heartbeat`](Self::heartbeat).
    pub(crate) fn is_kept_alive(
        &mut self,
        user_id: &(impl Key + ?Sized),
        now: Timestamp,
        timeout_ms: u64,
    ) -> bool {
        let is_alive = now >= self.clock
            && self.is_listed()
            && self.members.keep_alive(user_id, now, timeout_ms);
        if is_alive {
            self.clock = now;
        }
        is_alive
    }

    /// A heartbeat, which may carry an update.
    pub(crate) fn heartbeat(
        &mut self,
        user_id: &str,
        update: UserUpdate,
        cx: &mut Context<'_>,
    ) -> Result<Heartbeat, Error> {
        self.tick(cx);
        if !self.is_listed() {
            return Err(self.not_found());
        }
        let Some(member) = self.members.get(user_id) else {
            return self.heartbeat_of_login(user_id, update, cx);
        };
        if member.is_timed_out(cx.config.heartbeat_timeout_ms, cx.now) {
            self.begin(cx);
            let user_id = self.listed_user(user_id)?;
            self.time_out(&user_id, cx);
            self.finish(cx);
            return Ok(Heartbeat::TimedOut);
        }
        if !update.is_empty() {
            self.update_user(user_id, update, cx)?;
        }
        self.members.beat(user_id, cx.now);
        Ok(Heartbeat::Alive)
    }

    /// A heartbeat of a user who is only logged in gives that user a membership.
    fn heartbeat_of_login(
        &mut self,
        user_id: &str,
        update: UserUpdate,
        cx: &mut Context<'_>,
    ) -> Result<Heartbeat, Error> {
        let user_id = self.listed_user(user_id)?;
        let (membership, _) = updated_membership(&self.new_membership(cx), update)?;
        self.begin(cx);
        self.add_member(&user_id, membership, cx);
        self.finish(cx);
        Ok(Heartbeat::Alive)
    }

    /// Changes what a user shows. One who is only logged in has no membership to change.
    pub(crate) fn update_user(
        &mut self,
        user_id: &str,
        update: UserUpdate,
        cx: &mut Context<'_>,
    ) -> Result<(), Error> {
        self.begin(cx);
        if !self.is_listed() {
            return Err(self.not_found());
        }
        let Some(member) = self.members.get(user_id) else {
            return Err(self.not_in_room(user_id));
        };
        let (updated, changed) = updated_membership(member.membership(), update)?;
        if changed {
            let user_id = member.user_id.clone();
            let member = self.members.get_mut(user_id.as_str()).expect("found just now");
            member.membership = updated;
            member.updated_at = cx.now;
            cx.log.note(&self.id, cx.cause, Who::UserUpdated(user_id));
        }
        Ok(())
    }

    /// Changes the application's own attributes of a visible stream. They last as long as that life
    /// of the stream is visible.
    pub(crate) fn update_stream(
        &mut self,
        stream_id: &str,
        attributes: BTreeMap<Text, Option<Text>>,
        cx: &mut Context<'_>,
    ) -> Result<(), Error> {
        self.begin(cx);
        if !self.is_listed() {
            return Err(self.not_found());
        }
        let Some(stream) = self.stream(stream_id) else {
            let stream_id = id_text(stream_id);
            return Err(Error::StreamNotInRoom { room_id: id_text(self.id.as_str()), stream_id });
        };
        let Some(attributes) = updated_attributes(stream.attributes(), attributes)? else {
            return Ok(());
        };
        let (stream_id, stream_session_id) =
            (stream.id().clone(), stream.stream_session_id().cloned());
        let note = StreamNote { updated_at: cx.now, stream_session_id, attributes };
        self.notes.insert(stream_id.clone(), note);
        cx.log.note(&self.id, cx.cause, Who::StreamUpdated(stream_id));
        Ok(())
    }

    /// A membership ends because its heartbeats stopped, with the user's logins where the
    /// configuration makes heartbeats decide for both.
    pub(super) fn time_out(&mut self, user_id: &UserId, cx: &mut Context<'_>) {
        let cause = std::mem::replace(&mut cx.cause, Cause::HeartbeatTimeout);
        self.remove_user(user_id, cx.config.heartbeats_end_logins, cx);
        cx.cause = cause;
    }

    /// A membership as of now. It outranks the room's last end, also where the clock stood still.
    fn new_membership(&self, cx: &Context<'_>) -> Membership {
        Membership::new(self.ended_at.map_or(cx.now, |ended_at| cx.now.max(ended_at.plus(1))))
    }

    fn add_member(&mut self, user_id: &UserId, membership: Membership, cx: &mut Context<'_>) {
        let user_id = Hashed::new(user_id);
        let before = self.user_before(&user_id);
        self.members.join(user_id, membership, cx.now);
        self.member_turned(user_id, &before, cx);
    }

    fn remove_user(&mut self, user_id: &UserId, with_logins: bool, cx: &mut Context<'_>) {
        let user_id = Hashed::new(user_id);
        let before = self.user_before(&user_id);
        self.members.leave(&user_id, cx.now);
        if with_logins {
            self.live.close_logins(user_id.id, cx.now, &self.settings);
        }
        self.member_turned(user_id, &before, cx);
    }

    /// Tells what became of a user whose membership came or went, and whether that closed an
    /// inferred session: without create, it is open only while somebody or something is in it.
    fn member_turned(
        &mut self,
        user_id: Hashed<'_, UserId>,
        before: &UserBefore,
        cx: &mut Context<'_>,
    ) {
        let moved = self.user_turned(user_id, before, |_| true, cx);
        let user_id = user_id.id;
        self.live.note_listed_user(user_id, self.shows_from(), &self.settings);
        if self.shown.is_none() || self.shows_the_same() {
            self.assess(Concerned::User(user_id), false, cx.now);
            self.show_session(moved, cx);
        } else {
            self.show_anew(cx);
        }
    }

    /// The id of a user who is in the list.
    fn listed_user(&self, user_id: &str) -> Result<UserId, Error> {
        if !self.is_listed() {
            return Err(self.not_found());
        }
        match self.user(user_id) {
            Some(user) => Ok(user.id().clone()),
            None => Err(self.not_in_room(user_id)),
        }
    }

    pub(crate) fn not_found(&self) -> Error {
        Error::RoomNotFound { room_id: id_text(self.id.as_str()) }
    }

    fn not_in_room(&self, user_id: &str) -> Error {
        Error::UserNotInRoom { room_id: id_text(self.id.as_str()), user_id: id_text(user_id) }
    }
}

/// A membership as an update leaves it, and whether that is different.
fn updated_membership(
    membership: &Membership,
    update: UserUpdate,
) -> Result<(Membership, bool), Error> {
    let mut updated = membership.clone();
    if update.user_name.is_some() {
        updated.name = check_name("the user's name", update.user_name)?;
    }
    if update.role.is_some() {
        updated.role = check_role(update.role)?;
    }
    if let Some(attributes) = updated_attributes(&membership.attributes, update.attributes)? {
        updated.attributes = attributes;
    }
    let changed = updated != *membership;
    Ok((updated, changed))
}
