//! Step 2: is an input let in? Nothing has changed yet, and nothing changes here.
//!
//! Callbacks and observations are admitted by their times: laws 5.2, 5.3, 5.8 and 16.4. They are never an
//! error. A command is an error if it does not fit the state of the room, as the documentation of its
//! method says. Heartbeats of those who are gone get an answer at once (laws 18.1 and 18.5).

use crate::model::command::{
    Answer, CheckedUser, Heartbeat, RoomUpdate, UserUpdate, check_name, check_role,
    updated_attributes,
};
use crate::model::error::{Error, id_text};
use crate::model::id::{ConnectionId, UserId};
use crate::model::observation::Observation;
use crate::model::outcome::Outcome;
use crate::model::time::Timestamp;
use crate::model::visible::{Membership, RoomInfo};
use crate::registers::connections::{ConnectionState, End, MAX_CONNECTIONS};
use crate::registers::kind::Users;
use crate::registers::members::{Left, MemberRef};
use crate::registers::places::{Target, UserPlaces};
use crate::room::context::Context;
use crate::room::resolve::Resolved;
use crate::room::state::RoomState;
use crate::room::work::{CallbackWork, Work};

/// What becomes of an input before anything changes.
#[derive(Debug)]
pub(crate) enum Admission {
    /// It goes on to the next step.
    Admitted,
    /// The pass ends with this answer.
    Answered(Answer),
    /// A callback came too late (law 5.3). The door records a refused opening, and ends the pass.
    TooLate,
    /// The membership at this place timed out. The door ends it first, in a pass of its own. A heartbeat
    /// then gets that as its answer, and a join goes on.
    AfterTimeout(usize),
}

impl RoomState {
    /// Decides whether an input is admitted. An error leaves everything as it was.
    pub(super) fn admit(
        &self,
        work: &Work<'_>,
        resolved: &Resolved<'_>,
        cx: &Context<'_>,
    ) -> Result<Admission, Error> {
        match work {
            Work::Callback(callback) => Ok(self.admit_callback(callback, resolved, cx)),
            Work::Observation(observation, _) => Ok(self.admit_observation(observation, cx)),
            Work::Create(_) if self.registers.info.is_some() => {
                Err(Error::RoomAlreadyExists { room_id: id_text(self.id.as_str()) })
            }
            Work::End => self.check_listed().map(|()| Admission::Admitted),
            Work::Join(user) => self.admit_join(user, resolved, cx),
            Work::Leave(user_id, connection) => {
                self.check_listed()?;
                self.check_visible_user(resolved, user_id.id)?;
                // Without a connection, the whole user leaves, who may be logged in only.
                match (self.connection_state(resolved, *connection, cx), connection) {
                    (ConnectionState::Holds, _) | (_, None) => Ok(Admission::Admitted),
                    (_, Some(_)) => Err(self.not_in_room(user_id.id)),
                }
            }
            Work::Remove(user_id, _) => {
                self.check_listed()?;
                self.check_visible_user(resolved, user_id.id)?;
                Ok(Admission::Admitted)
            }
            Work::Heartbeat(user_id, connection, update) => {
                self.check_listed()?;
                self.admit_heartbeat(user_id.id, *connection, update.as_ref(), resolved, cx)
            }
            Work::UpdateUser(user_id, update) => {
                self.check_listed()?;
                self.check_visible_user(resolved, user_id.id)?;
                updated_membership(&self.app_word(resolved, cx), update)?;
                Ok(Admission::Admitted)
            }
            Work::UpdateStream(stream_id, attributes) => {
                self.check_listed()?;
                let places = match &resolved.target {
                    Target::Stream(_, places) => Some(places),
                    Target::Session | Target::User(..) => None, // no table has the stream
                };
                let Some(stream) = places.and_then(|places| self.stream_at(places)) else {
                    let (room_id, stream_id) = (id_text(self.id.as_str()), id_text(stream_id.id));
                    return Err(Error::StreamNotInRoom { room_id, stream_id });
                };
                updated_attributes(stream.attributes, attributes.clone())?;
                Ok(Admission::Admitted)
            }
            Work::Update(update) => {
                self.updated_info(update)?;
                Ok(Admission::Admitted)
            }
            Work::Create(_)
            | Work::TakeHeartbeats(_)
            | Work::GrantGrace
            | Work::Merge(_)
            | Work::CarryOver(_)
            | Work::Tick
            | Work::ClockSetBack
            | Work::TimeOut(_)
            | Work::EndByLifecycle
            | Work::Unlist
            | Work::Forget(_)
            | Work::ForgetSession => Ok(Admission::Admitted),
        }
    }

    /// Admits a callback by its times. The guard against the future looks at stamps alone (law 5.8).
    fn admit_callback(
        &self,
        work: &CallbackWork<'_>,
        resolved: &Resolved<'_>,
        cx: &Context<'_>,
    ) -> Admission {
        if work.callback.latest_time() > cx.now.plus(cx.config.future_guard_ms) {
            return Admission::Answered(Answer::Outcome(Outcome::Refused));
        }
        let visible = self.projection.visible;
        if self.rulebook().admits(&work.facts, resolved.session, &resolved.target, visible, cx.now)
        {
            Admission::Admitted
        } else {
            Admission::TooLate
        }
    }

    /// Admits an observation by the time at which the media server was read (law 16.4).
    fn admit_observation(&self, observation: &Observation, cx: &Context<'_>) -> Admission {
        let observed_at = observation.observed_at;
        let retention_ms = self.settings.retention_ms;
        let outcome = if observed_at > cx.now.plus(cx.config.future_guard_ms) {
            Outcome::Refused
        } else if retention_ms.is_some_and(|span| observed_at < cx.now.minus(span)) {
            Outcome::TooLate
        } else {
            return Admission::Admitted;
        };
        Admission::Answered(Answer::Outcome(outcome))
    }

    /// Admits the heartbeat of a member whose connection holds. Otherwise the answer says how it ended.
    fn admit_heartbeat(
        &self,
        user_id: &str,
        connection: Option<&str>,
        update: Option<&UserUpdate>,
        resolved: &Resolved<'_>,
        cx: &Context<'_>,
    ) -> Result<Admission, Error> {
        let Some(place) = resolved.member else {
            return self.admit_heartbeat_of_none(user_id, connection, update, resolved, cx);
        };
        let members = &self.registers.members;
        let Some(member) = members.at(place) else { return Err(self.not_in_room(user_id)) };
        if member.is_timed_out(cx.config.heartbeat_timeout_ms, cx.now) {
            return Ok(Admission::AfterTimeout(place));
        }
        match members.connection_state(place, connection, cx.judge(&self.settings)) {
            ConnectionState::Holds => {}
            ConnectionState::Ended(how) => {
                return Ok(Admission::Answered(Answer::Heartbeat(heartbeat_of_end(&how))));
            }
            ConnectionState::Unknown => return Err(self.not_in_room(user_id)),
        }
        if let Some(update) = update {
            updated_membership(member.membership(), update)?;
        }
        Ok(Admission::Admitted)
    }

    /// Admits the heartbeat of somebody who has no membership (law 18.1).
    ///
    /// A user who is logged in, and was not removed, gets a membership by a heartbeat without a connection.
    /// A connection would have to join first. A user who is gone is told how.
    fn admit_heartbeat_of_none(
        &self,
        user_id: &str,
        connection: Option<&str>,
        update: Option<&UserUpdate>,
        resolved: &Resolved<'_>,
        cx: &Context<'_>,
    ) -> Result<Admission, Error> {
        let is_visible = self.check_visible_user(resolved, user_id);
        let gone = self.gone(user_id, is_visible.is_ok(), cx);
        match (is_visible, gone) {
            (Ok(()), None | Some(Heartbeat::TimedOut | Heartbeat::Left))
                if connection.is_none() =>
            {
                if let Some(update) = update {
                    updated_membership(&self.app_word(resolved, cx), update)?;
                }
                Ok(Admission::Admitted)
            }
            (_, Some(gone)) => Ok(Admission::Answered(Answer::Heartbeat(gone))),
            (_, None) => Err(self.not_in_room(user_id)),
        }
    }

    /// Returns what has become of a connection of the user whom an input is about.
    fn connection_state(
        &self,
        resolved: &Resolved<'_>,
        connection: Option<&str>,
        cx: &Context<'_>,
    ) -> ConnectionState {
        let Target::User(_, places) = &resolved.target else { return ConnectionState::Unknown };
        let Some(place) = places.member else { return ConnectionState::Unknown };
        self.registers.members.connection_state(place, connection, cx.judge(&self.settings))
    }

    /// Returns how somebody went who has no membership, as long as that counts. An end counts for the
    /// retention (law 18.1), and a removal also while the media server shows the user (law 18.2).
    fn gone(&self, user_id: &str, is_visible: bool, cx: &Context<'_>) -> Option<Heartbeat> {
        let Left { left_at, how, .. } = self.registers.members.end_of(user_id)?;
        let old = self.settings.retention_ms.map(|retention| cx.now.minus(retention));
        let is_old = old.is_some_and(|old| *left_at < old);
        match how {
            End::Removed(_) if is_visible || !is_old => Some(Heartbeat::Removed),
            _ if is_old => None,
            how => Some(heartbeat_of_end(how)),
        }
    }

    /// Admits a join: of a member by another connection, or of a user who has no membership that holds.
    fn admit_join(
        &self,
        user: &CheckedUser,
        resolved: &Resolved<'_>,
        cx: &Context<'_>,
    ) -> Result<Admission, Error> {
        self.check_listed()?;
        let Target::User(_, places) = &resolved.target else { return Ok(Admission::Admitted) };
        match self.member_at(resolved) {
            Some(member) if !member.is_timed_out(cx.config.heartbeat_timeout_ms, cx.now) => {
                self.admit_connection(user, resolved, cx)
            }
            timed_out => self.admit_newcomer(user, places, timed_out, cx),
        }
    }

    /// Admits another connection of a member (law 18.4).
    fn admit_connection(
        &self,
        user: &CheckedUser,
        resolved: &Resolved<'_>,
        cx: &Context<'_>,
    ) -> Result<Admission, Error> {
        let Target::User(user_id, places) = &resolved.target else {
            return Ok(Admission::Admitted);
        };
        let connection = user.connection_id.as_ref().map(ConnectionId::as_str);
        let by = cx.judge(&self.settings);
        let holding = places.member.map(|place| self.registers.members.holding(place, by));
        let room_id = || id_text(self.id.as_str());
        let user_id = || id_text(user_id.id.as_str());
        if self.connection_state(resolved, connection, cx) == ConnectionState::Holds {
            Err(Error::UserAlreadyJoined { room_id: room_id(), user_id: user_id() })
        } else if holding >= Some(MAX_CONNECTIONS) {
            let limit = MAX_CONNECTIONS;
            Err(Error::TooManyConnections { room_id: room_id(), user_id: user_id(), limit })
        } else {
            Ok(Admission::Admitted)
        }
    }

    /// Admits a user who has no membership that holds, unless the room is full (law 18.8). A membership
    /// that timed out ends first.
    fn admit_newcomer(
        &self,
        user: &CheckedUser,
        places: &UserPlaces,
        timed_out: Option<MemberRef<'_>>,
        cx: &Context<'_>,
    ) -> Result<Admission, Error> {
        let visible = self.projection.visible;
        let is_visible = self.rulebook().source::<Users>(visible, &places.told).is_some();
        let counts = |role| !self.settings.uncounted_roles.contains(role);
        // Whoever timed out, and shows by nothing else, gives up a place first.
        let own = timed_out.filter(|held| counts(held.membership().role.as_ref()));
        let others = self.user_count() - usize::from(own.is_some() && !is_visible);
        match self.user_limit(cx.config) {
            Some(limit) if counts(user.role.as_ref()) && !is_visible && others >= limit => {
                Err(Error::RoomFull { room_id: id_text(self.id.as_str()), limit })
            }
            Some(_) | None => {
                Ok(places.member.map_or(Admission::Admitted, Admission::AfterTimeout))
            }
        }
    }

    /// Checks an update of the business info. Returns what the info would become, or `None` if nothing
    /// changes. A limit or an end of zero removes the one that is set.
    pub(super) fn updated_info(&self, update: &RoomUpdate) -> Result<Option<RoomInfo>, Error> {
        let Some(info) = &self.registers.info else { return Err(self.not_found()) };
        let mut updated = info.clone();
        if let Some(host_id) = &update.host_id {
            updated.host_id = UserId::new(host_id)?;
        }
        if update.room_name.is_some() {
            updated.name = check_name("the room's name", update.room_name.clone())?;
        }
        if let Some(attributes) = updated_attributes(&info.attributes, update.attributes.clone())? {
            updated.attributes = attributes;
        }
        if let Some(lifecycle) = update.lifecycle {
            updated.lifecycle = lifecycle;
        }
        if let Some(limit) = update.max_users {
            updated.max_users = Some(limit).filter(|limit| *limit > 0);
        }
        if let Some(at) = update.ends_at {
            updated.ends_at = Some(at).filter(|at| *at > Timestamp::MIN);
        }
        updated.first_join_grace_ms = update.first_join_grace_ms.or(updated.first_join_grace_ms);
        updated.empty_grace_ms = update.empty_grace_ms.or(updated.empty_grace_ms);
        Ok((updated != *info).then_some(updated))
    }

    /// Returns the membership that an input is about.
    pub(super) fn member_at(&self, resolved: &Resolved<'_>) -> Option<MemberRef<'_>> {
        let Target::User(_, places) = &resolved.target else { return None };
        self.registers.members.at(places.member?)
    }

    /// Makes a membership without a name, a role and attributes that begins now. After an end it begins a
    /// millisecond later if need be (law 6.5).
    pub(super) fn new_membership(&self, cx: &Context<'_>) -> Membership {
        Membership::new(self.registers.after_end(cx.now))
    }

    /// Returns what the app says of a user: the membership, or else the note (law 18.11) in the form of one.
    pub(super) fn app_word(&self, resolved: &Resolved<'_>, cx: &Context<'_>) -> Membership {
        if let Some(member) = self.member_at(resolved) {
            return member.membership().clone();
        }
        let Target::User(user_id, places) = &resolved.target else {
            return self.new_membership(cx);
        };
        let mut word = self.new_membership(cx);
        let source = self.rulebook().source::<Users>(self.projection.visible, &places.told);
        if let Some(note) = self.rulebook().note(&user_id.id, false, source) {
            word.name.clone_from(&note.name);
            word.role.clone_from(&note.role);
            word.attributes.clone_from(&note.attributes);
        }
        word
    }

    /// Checks that readers see the room: commands concern listed rooms only.
    fn check_listed(&self) -> Result<(), Error> {
        if self.is_listed() { Ok(()) } else { Err(self.not_found()) }
    }

    /// Checks that readers see the user whom the input is about.
    fn check_visible_user(&self, resolved: &Resolved<'_>, user_id: &str) -> Result<(), Error> {
        let Target::User(_, places) = &resolved.target else {
            return Err(self.not_in_room(user_id));
        };
        let is_visible = places.member.is_some()
            || self.rulebook().source::<Users>(self.projection.visible, &places.told).is_some();
        if is_visible { Ok(()) } else { Err(self.not_in_room(user_id)) }
    }

    pub(crate) fn not_found(&self) -> Error {
        Error::RoomNotFound { room_id: id_text(self.id.as_str()) }
    }

    fn not_in_room(&self, user_id: &str) -> Error {
        Error::UserNotInRoom { room_id: id_text(self.id.as_str()), user_id: id_text(user_id) }
    }
}

/// Returns the answer to a heartbeat of whoever ended like this.
fn heartbeat_of_end(how: &End) -> Heartbeat {
    match how {
        End::TimedOut => Heartbeat::TimedOut,
        End::Left => Heartbeat::Left,
        End::Removed(_) => Heartbeat::Removed,
    }
}

/// Returns a membership as an update leaves it, and whether the update changes anything.
pub(super) fn updated_membership(
    membership: &Membership,
    update: &UserUpdate,
) -> Result<(Membership, bool), Error> {
    let mut updated = membership.clone();
    if update.user_name.is_some() {
        updated.name = check_name("the user's name", update.user_name.clone())?;
    }
    if update.role.is_some() {
        updated.role = check_role(update.role.clone())?;
    }
    if let Some(attributes) = updated_attributes(&membership.attributes, update.attributes.clone())?
    {
        updated.attributes = attributes;
    }
    let is_changed = updated != *membership;
    Ok((updated, is_changed))
}
