//! Step 4: what each kind of input joins into the registers.

mod members;

use crate::model::callback::{Callback, CallbackEvent};
use crate::model::command::updated_attributes;
use crate::model::command::{Answer, CheckedRoom};
use crate::model::expired::Expired;
use crate::model::id::{SessionId, UserId};
use crate::model::outcome::Outcome;
use crate::model::time::Timestamp;
use crate::model::visible::RoomInfo;
use crate::registers::connections::End;
use crate::registers::kind::{Streams, Users};
use crate::registers::places::Target;
use crate::registers::session::SessionRegister;
use crate::registers::signs::{Evidence, SignSubject};
use crate::registers::stays::StayRegister;
use crate::registers::{Joined, MAX_SESSIONS, Registers, StreamAttributes};
use crate::room::before::Before;
use crate::room::context::Context;
use crate::room::resolve::Resolved;
use crate::room::schedule::Forgettable;
use crate::room::state::RoomState;
use crate::room::work::{CallbackWork, Work};
use crate::rules::summary::Summary;
use crate::rules::visibility::Visible;

/// What joining did.
#[expect(clippy::struct_excessive_bools, reason = "each tells a later step one thing")]
#[derive(Debug)]
pub(crate) struct JoinResult {
    pub(crate) answer: Answer,
    /// Whether anything may look different, or is due at another time. If nothing is, the pass ends.
    pub(crate) is_changed: bool,
    /// Whose users or streams lost something to a bound: a bit for each session.
    pub(crate) lost_in: u32,
    /// Whether registers may have been left empty.
    pub(crate) is_lost: bool,
    /// Whether a fact of a session itself is new.
    pub(crate) is_session_changed: bool,
    pub(crate) is_info_changed: bool,
    pub(crate) is_merge: bool,
    /// Whether what a membership or stream shows of the application's own is other.
    pub(crate) is_content_changed: bool,
    /// Whose membership a merge replaced.
    pub(crate) updated: Vec<UserId>,
}

impl JoinResult {
    /// Nothing changed.
    fn ended(answer: Answer) -> Self {
        Self {
            answer,
            is_changed: false,
            lost_in: 0,
            is_lost: false,
            is_session_changed: false,
            is_info_changed: false,
            is_merge: false,
            is_content_changed: false,
            updated: Vec::new(),
        }
    }

    fn changed(answer: Answer) -> Self {
        Self { is_changed: true, ..Self::ended(answer) }
    }
}

impl RoomState {
    /// Whether an input concerns everybody in the room, whatever it says.
    pub(super) fn concerns_everybody(&self, work: &Work<'_>, resolved: &Resolved<'_>) -> bool {
        let Registers { observed, sessions, .. } = &self.registers;
        match work {
            Work::Observation(..) | Work::Merge(_) | Work::CarryOver(_) | Work::ClockSetBack => {
                true
            }
            // Business info shows again what an end had hidden.
            Work::Create(_) => observed.hidden_at.is_some() || self.has_nameless_session(),
            // A session without a name outlives the end, without those who were in it.
            Work::End | Work::EndByLifecycle => self.has_nameless_session(),
            // A creation or close outdates what observations saw, and a session that was not known may
            // become known. One more session may be one too many. With the one that goes, facts go that
            // outdated what observations saw.
            Work::Callback(work) => {
                let is_outdating = work.facts.create.is_some() || work.facts.close.is_some();
                let is_unknown = self.visible() == Some(Visible::Unknown);
                let is_beyond_cap = resolved.session.is_none() && sessions.len() >= MAX_SESSIONS;
                work.facts.nameless_close.is_some()
                    || !observed.is_empty() && (is_outdating || is_unknown || is_beyond_cap)
            }
            Work::Update(_)
            | Work::Join(_)
            | Work::Leave(..)
            | Work::Remove(..)
            | Work::Heartbeat(..)
            | Work::UpdateUser(..)
            | Work::UpdateStream(..)
            | Work::TakeHeartbeats(_)
            | Work::GrantGrace
            | Work::Tick
            | Work::TimeOut(_)
            | Work::Unlist
            | Work::Forget(_)
            | Work::ForgetSession => false,
        }
    }

    fn has_nameless_session(&self) -> bool {
        self.registers.sessions.iter().any(|session| session.id.is_none())
    }

    /// Joins an input into the registers.
    pub(super) fn join(
        &mut self,
        work: &mut Work<'_>,
        resolved: &mut Resolved<'_>,
        before: &mut Before,
        cx: &mut Context<'_>,
    ) -> JoinResult {
        match work {
            Work::Callback(callback) => self.join_callback(callback, resolved, before, cx),
            Work::Observation(observation, verdict) => {
                let (registers, rules) = (&mut self.registers, &self.settings);
                let joined = registers.join_observation(observation, *verdict, cx.now, rules);
                self.observed(joined, cx)
            }
            Work::Create(room) => {
                self.create(room, cx);
                JoinResult { is_info_changed: true, ..JoinResult::changed(Answer::Done) }
            }
            Work::Update(info) => {
                let updated_at = info.updated_at.max(cx.now);
                self.registers.info = Some(RoomInfo { updated_at, ..info.clone() });
                JoinResult { is_info_changed: true, ..JoinResult::changed(Answer::Done) }
            }
            Work::End | Work::EndByLifecycle => {
                self.end(cx);
                JoinResult {
                    is_info_changed: true,
                    is_session_changed: true,
                    ..JoinResult::changed(Answer::Done)
                }
            }
            Work::Unlist => {
                let emptiness = self
                    .visible()
                    .map(Visible::index)
                    .and_then(|session| self.registers.emptiness_mut(session).as_mut());
                match emptiness {
                    Some(emptiness) => emptiness.is_unlisted = true,
                    None => return JoinResult::ended(Answer::Done),
                }
                JoinResult::changed(Answer::Done)
            }
            Work::Join(user) => self.join_member(user, resolved, cx),
            Work::Leave(_, Some(connection)) if self.is_one_of_several(resolved, cx) => {
                self.leave_connection(connection, resolved, cx)
            }
            Work::Leave(..) => self.end_membership(resolved, End::Left, true, cx),
            Work::Remove(_, reason) => {
                let how = End::Removed(reason.clone()); // whoever is told needs it, too
                self.end_membership(resolved, how, true, cx)
            }
            Work::TimeOut(_) => {
                self.end_membership(resolved, End::TimedOut, cx.config.heartbeats_end_logins, cx)
            }
            Work::Heartbeat(_, connection, update) => {
                self.beat(*connection, update.as_ref(), resolved, cx)
            }
            Work::UpdateUser(_, update) => self.update_member(update, resolved, Answer::Done, cx),
            Work::UpdateStream(_, attributes) => {
                let Target::Stream(stream_id, places) = &mut resolved.target else {
                    return JoinResult::ended(Answer::Done);
                };
                let Some(stream) = self.stream(&stream_id.as_hashed()) else {
                    return JoinResult::ended(Answer::Done);
                };
                let Ok(Some(attributes)) =
                    updated_attributes(stream.attributes, std::mem::take(attributes))
                else {
                    return JoinResult::ended(Answer::Done);
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
            Work::TakeHeartbeats(heartbeats) => {
                self.registers.members.take_heartbeats(heartbeats, cx.now);
                JoinResult::ended(Answer::Done)
            }
            Work::GrantGrace => {
                self.registers.members.beat_all(cx.config.heartbeat_timeout_ms, cx.now);
                cx.is_moved = true;
                JoinResult::ended(Answer::Done)
            }
            Work::Merge(other) => {
                let other = std::mem::take(&mut other.registers);
                let updated = self.registers.merge(other, cx.now, &self.settings);
                JoinResult { updated, is_merge: true, ..JoinResult::changed(Answer::Done) }
            }
            Work::CarryOver(rules) => {
                self.settings = rules.clone();
                let known = std::mem::take(&mut self.registers);
                self.registers.merge(known, cx.now, &self.settings);
                JoinResult { is_merge: true, ..JoinResult::changed(Answer::Done) }
            }
            Work::ClockSetBack => {
                self.registers.pull_back(cx.now, &self.settings);
                JoinResult::changed(Answer::Done)
            }
            Work::Forget(subject) => self.forget_subject(subject, resolved, cx),
            Work::ForgetSession => self.forget_session(resolved, cx),
            Work::Tick => JoinResult::ended(Answer::Done),
        }
    }

    /// Ends the joining of what was observed: whether it changed anything, and resolved signs.
    fn observed(
        &mut self,
        (changed, resolves_signs): (bool, bool),
        cx: &mut Context<'_>,
    ) -> JoinResult {
        self.registers.drop_empty();
        cx.is_moved |= resolves_signs;
        cx.signs_changed |= resolves_signs;
        self.projection.sessions_dropped(&self.registers, &self.settings);
        let outcome = Answer::Outcome(Outcome::Stale);
        if changed { JoinResult::changed(outcome) } else { JoinResult::ended(outcome) }
    }

    #[inline]
    fn join_callback(
        &mut self,
        work: &CallbackWork<'_>,
        resolved: &mut Resolved<'_>,
        before: &mut Before,
        cx: &mut Context<'_>,
    ) -> JoinResult {
        let CallbackWork { callback, facts, .. } = work;
        if facts.is_none() {
            return JoinResult::ended(Answer::Outcome(Outcome::Held)); // the creation of a session without a name
        }
        if resolved.is_outdated {
            // Nothing of it can be stored, whatever else is. Only its counter is news.
            if let Some(session) = resolved.session {
                self.record_counters(session, callback, &resolved.target, None, cx);
            }
            return JoinResult::ended(Answer::Outcome(Outcome::Stale));
        }
        if let Some(closed_at) = facts.nameless_close {
            let (registers, rules) = (&mut self.registers, &self.settings);
            let joined = registers.join_nameless_close(closed_at, cx.now, rules);
            return self.observed(joined, cx);
        }
        let raised = self.rulebook().raised_by(callback, resolved.session, &resolved.target);
        let is_new = resolved.session.is_none();
        let session = resolved.session.unwrap_or_else(|| {
            self.insert_session(callback.session_id.as_ref(), &mut resolved.target, before, cx.now)
        });
        resolved.session = Some(session);
        let (registers, target) = (&mut self.registers, &mut resolved.target);
        let joined = registers.join(facts, session, target, cx.now, &self.settings);
        let Joined { tally, lost_in, outdates, is_open_outdated, is_first_other } = joined;
        cx.is_moved |= is_first_other;
        cx.signs_changed |= is_open_outdated;
        if is_new && self.registers.sessions[session].is_empty() {
            self.remove_session(session, resolved);
        } else {
            let raised = raised.filter(|_| tally.is_new());
            self.record_counters(session, callback, &resolved.target, raised, cx);
        }
        if !tally.changed {
            let is_repeat = tally.is_repeat();
            let outcome = if is_repeat { Outcome::Duplicate } else { Outcome::Stale };
            return JoinResult::ended(Answer::Outcome(outcome));
        }
        let is_session_changed = outdates || matches!(resolved.target, Target::Session);
        // A bound that rose may have left nothing of another session.
        let sessions = &self.registers.sessions;
        let is_lost = facts.create.is_some() && sessions.iter().any(SessionRegister::is_empty);
        let held = JoinResult::changed(Answer::Outcome(Outcome::Held));
        JoinResult { lost_in, is_lost, is_session_changed, ..held }
    }

    /// Puts in a session that is not known yet, with its summary and its places.
    fn insert_session(
        &mut self,
        session_id: Option<&SessionId>,
        target: &mut Target<'_>,
        before: &mut Before,
        now: Timestamp,
    ) -> usize {
        let heard_at = self.registers.after_end(now);
        let session = SessionRegister::new(session_id.cloned(), heard_at);
        let index = self.registers.insert_session(session);
        self.projection.session_inserted(index);
        target.session_inserted(index);
        if !matches!(target, Target::Session) {
            before.parts.insert(index, Summary::default());
        }
        index
    }

    /// Records the counter of a callback, the sign that it raises, and those that an opening clears.
    fn record_counters(
        &mut self,
        session: usize,
        callback: &Callback,
        target: &Target<'_>,
        raised: Option<SignSubject>,
        cx: &mut Context<'_>,
    ) {
        let (at, now) = (callback.latest_time(), cx.now);
        let is_in = || match target {
            Target::User(_, places) => {
                let stays = self.registers.stays_at::<Users>(session, &places.told);
                stays.is_some_and(StayRegister::is_open)
            }
            Target::Session | Target::Stream(..) => false,
        };
        // Whoever is in after a logout did not go by it.
        let raised =
            raised.filter(|subject| !matches!(subject, SignSubject::AmbiguousExit(_)) || !is_in());
        let is_in = !self.registers.sessions[session].evidence.signs.is_empty() && is_in();
        let Evidence { users, streams, signs } = &mut self.registers.sessions[session].evidence;
        if let Some(subject) = raised {
            cx.signs_changed |= signs.set(subject, Some(at), now, None);
        }
        let (sequence, counter) = match &callback.event {
            CallbackEvent::RoomCreated(_) | CallbackEvent::RoomClosed(_) => return,
            CallbackEvent::UserLoggedIn(event) => {
                if !signs.is_empty() {
                    let user_id = || event.user_id.clone();
                    if is_in {
                        cx.signs_changed |= signs.clear(&SignSubject::AmbiguousExit(user_id()));
                    }
                    if let Some(stay) = &event.user_session_id {
                        let subject = SignSubject::LogoutWithoutLogin(user_id(), stay.clone());
                        cx.signs_changed |= signs.clear(&subject);
                    }
                }
                (users, event.counter)
            }
            CallbackEvent::UserLoggedOut(event) => (users, event.counter),
            CallbackEvent::StreamCreated(event) => {
                if !signs.is_empty()
                    && let Some(stay) = &event.stream_session_id
                {
                    let stream_id = event.stream_id.clone();
                    let subject = SignSubject::CloseWithoutOpening(stream_id, stay.clone());
                    cx.signs_changed |= signs.clear(&subject);
                }
                (streams, event.counter)
            }
            CallbackEvent::StreamClosed(event) => (streams, event.counter),
        };
        let recorded = sequence.record(counter.unwrap_or(0), at, now);
        cx.is_moved |= recorded.is_any;
        cx.signs_changed |= recorded.is_gap;
    }

    /// Gives the room business info. A session that callbacks opened is adopted. One that an end had
    /// hidden, and that still runs, shows again.
    fn create(&mut self, room: &CheckedRoom, cx: &Context<'_>) {
        let registers = &mut self.registers;
        // What the end hid and what the creation shows can be told apart.
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
        (registers.empty_since, registers.is_entered) = (None, false);
        registers.sessionless_since = None;
    }

    /// Ends the business info and all memberships, and hides every session that is known or opened before.
    fn end(&mut self, cx: &Context<'_>) {
        let registers = &mut self.registers;
        // An end outranks everything of the room before it, even if the clock stood still.
        let updated_at = registers.info.take().map(|info| info.updated_at);
        let joined_at = registers.members.latest_join();
        let received_at = registers.observed.last_received_at();
        let heard_at = registers.sessions.iter().map(|session| session.heard_at).max();
        let before = updated_at.max(joined_at).max(received_at).max(heard_at);
        let ended_at = cx.now.max(before.unwrap_or_default());
        registers.join_end(Some(ended_at));
        registers.members.end_before(ended_at, registers.ended_before);
        if let Some(observed) = registers.observed.held() {
            observed.hide(ended_at);
        }
        for session in &mut registers.sessions {
            session.hide_openings(ended_at, &self.settings);
        }
    }

    /// Forgets of a user or a stream what the threshold has passed.
    fn forget_subject(
        &mut self,
        subject: &Forgettable,
        resolved: &mut Resolved<'_>,
        cx: &Context<'_>,
    ) -> JoinResult {
        let Some(retention_ms) = self.settings.retention_ms else {
            return JoinResult::ended(Answer::Expired(Expired::default()));
        };
        let threshold = cx.now.minus(retention_ms).minus(self.settings.clock_skew_ms);
        let forgotten = match (&mut resolved.target, subject) {
            (Target::User(_, places), Forgettable::User(_)) => {
                self.forget::<Users>(&mut places.told, threshold)
            }
            (Target::Stream(_, places), Forgettable::Stream(_)) => {
                self.forget::<Streams>(&mut places.told, threshold)
            }
            _ => 0,
        };
        let expired = Expired { forgotten, ..Expired::default() };
        let is_lost = self.registers.sessions.iter().any(SessionRegister::is_empty);
        JoinResult { is_lost, ..JoinResult::changed(Answer::Expired(expired)) }
    }

    /// Forgets a session that may go, or everything that the media server told.
    fn forget_session(&mut self, resolved: &mut Resolved<'_>, cx: &Context<'_>) -> JoinResult {
        let ended = JoinResult::ended(Answer::Expired(Expired::default()));
        let Some(retention_ms) = self.settings.retention_ms else { return ended };
        let threshold = cx.now.minus(retention_ms).minus(self.settings.clock_skew_ms);
        if let Some(index) = self.rulebook().forgettable_sighting(threshold) {
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
            return ended;
        }
        let expired = Expired { forgotten: 1, ..Expired::default() };
        // What observations told may have stayed for the sake of a login in it.
        JoinResult { is_lost: true, ..JoinResult::changed(Answer::Expired(expired)) }
    }
}
