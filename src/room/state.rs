//! One room: the live part, the business info and the memberships together, and the visible state
//! that follows from them.
//!
//! The registers are the truth; what is visible is kept beside them (`shown`, the orders), so that
//! reading costs nothing and a change is told without comparing whole rooms. Every operation ends
//! in [`RoomState::show`] or [`RoomState::user_turned`], the two places that move the visible state.

use std::collections::{BTreeMap, BTreeSet};

use crate::callback::Callback;
use crate::change::{Cause, ChangeLog, Who};
use crate::config::{Config, Fingerprint};
use crate::id::{RoomId, StreamId, StreamSessionId, UserId};
use crate::outcome::Outcome;
use crate::room::facts::Facts;
use crate::room::live::Live;
use crate::room::members::Members;
use crate::room::session::SessionRegister;
use crate::room::user::{LoginKey, UserRegister};
use crate::text::Attributes;
use crate::time::Timestamp;
use crate::view::{StreamRef, UserRef};
use crate::visible::{Login, RoomInfo, Session};

/// Everything of one room.
#[derive(Debug, Clone)]
pub(crate) struct RoomState {
    pub(super) id: RoomId,
    /// The settings that decide what is stored here.
    pub(super) settings: Fingerprint,
    /// Our time, as of the last operation.
    pub(super) clock: Timestamp,
    pub(super) info: Option<RoomInfo>,
    /// When the business info last ended, for the retention.
    pub(super) ended_at: Option<Timestamp>,
    /// Since when nobody is in it, our time.
    pub(super) empty_since: Option<Timestamp>,
    /// Since when no session is visible any more, our time; none where none was since the creation.
    pub(super) sessionless_since: Option<Timestamp>,
    pub(super) members: Members,
    pub(super) live: Live,
    /// The application's own attributes of visible streams.
    pub(super) notes: BTreeMap<StreamId, StreamNote>,

    // What follows from the above, kept up to date.
    pub(super) shown: Option<Session>,
    pub(super) users: BTreeSet<(Timestamp, UserId)>,
    pub(super) streams: BTreeSet<(Timestamp, StreamId)>,
    pub(super) sweep_at: Option<Timestamp>,
}

/// Attributes of the application's own, for one life of a stream.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct StreamNote {
    /// Our time.
    pub(crate) updated_at: Timestamp,
    pub(crate) stream_session_id: StreamSessionId,
    pub(crate) attributes: Attributes,
}

/// What an operation works with.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) config: &'a Config,
    pub(crate) now: Timestamp,
    pub(crate) cause: Cause,
    pub(crate) log: &'a mut ChangeLog,
}

/// What readers saw of a user before something changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UserBefore {
    since: Option<Timestamp>,
    login: Option<LoginKey>,
}

/// Whom an operation concerned, and what readers saw before.
#[derive(Debug, Default)]
struct Before<'a> {
    user: Option<(&'a UserId, UserBefore)>,
    stream: Option<(&'a StreamId, Option<Timestamp>)>,
}

impl RoomState {
    pub(crate) fn new(id: RoomId, settings: Fingerprint) -> Self {
        Self {
            id,
            settings,
            clock: Timestamp::MIN,
            info: None,
            ended_at: None,
            empty_since: None,
            sessionless_since: None,
            members: Members::default(),
            live: Live::default(),
            notes: BTreeMap::new(),
            shown: None,
            users: BTreeSet::new(),
            streams: BTreeSet::new(),
            sweep_at: None,
        }
    }

    /// Applies a callback.
    pub(crate) fn apply(&mut self, callback: &Callback, cx: &mut Context<'_>) -> Outcome {
        self.begin(cx);
        if callback.latest_time() > cx.now.plus(cx.config.future_guard_ms) {
            return Outcome::Refused;
        }
        let facts = Facts::of(callback, &self.settings);
        let visible = self.shown.as_ref().and_then(|shown| shown.session_id.as_ref());
        if !self.live.lets_in(&facts, cx.now, visible, &self.settings) {
            return Outcome::TooLate;
        }
        let before = self.before(&facts);
        let joined = self.live.join(&facts, cx.now, visible, &self.settings);
        if !joined.tally.changed {
            return if joined.tally.is_repeat() { Outcome::Duplicate } else { Outcome::Stale };
        }
        let told = cx.log.len();
        self.show(&facts, before, joined.watched_lost, cx);
        let visible = self.shown.as_ref().and_then(|shown| shown.session_id.as_ref());
        self.live.cap(visible);
        self.finish(cx);
        if cx.log.len() > told { Outcome::Applied } else { Outcome::Held }
    }

    /// Brings the clock and what is forgotten up to date, before an operation.
    pub(super) fn begin(&mut self, cx: &mut Context<'_>) {
        self.tick(cx);
        if self.sweep_at.is_some_and(|at| at <= cx.now) {
            self.live.sweep(cx.now, self.shows_from(), &self.settings, &mut usize::MAX.clone());
            self.finish(cx);
        }
    }

    /// Takes note of when the next thing is due, after an operation.
    pub(super) fn finish(&mut self, cx: &Context<'_>) {
        if self.users.is_empty() {
            self.empty_since.get_or_insert(cx.now);
        } else {
            self.empty_since = None;
        }
        if self.shown.is_some() {
            self.sessionless_since = None;
        }
        self.live.trim(&self.settings);
        self.sweep_at = self.live.next_sweep(self.shows_from(), &self.settings);
    }

    /// Shows the session that is to be seen now, and tells what is different from before.
    fn show(&mut self, facts: &Facts<'_>, before: Before<'_>, lost: bool, cx: &mut Context<'_>) {
        let session = self.live.visible(&self.settings, self.shows_from());
        let same = self
            .shown
            .as_ref()
            .zip(session)
            .is_some_and(|(shown, session)| shown.session_id.as_ref() == Some(&session.id));
        if !same || lost {
            self.show_anew(cx);
            return;
        }
        let mut gone = None;
        let mut came = None;
        if let Some((user_id, before)) = before.user {
            let renewed = facts.user.and_then(|(_, user)| user.login).map(|(id, _)| id);
            (gone, came) = self.user_turned(
                user_id,
                before,
                |login| Some(&login.user_session_id) == renewed,
                cx,
            );
        }
        if let Some((stream_id, before)) = before.stream {
            (gone, came) = self.stream_turned(stream_id, before, facts, cx);
        }
        self.show_session(gone, came, cx);
    }

    /// Hides what was shown, and shows what is to be seen now: in general another session, with all
    /// its users and streams.
    pub(super) fn show_anew(&mut self, cx: &mut Context<'_>) {
        let was_listed = self.is_listed();
        self.hide(cx);
        let session = self.live.visible(&self.settings, self.shows_from());
        let Some(session) = session else {
            self.unlist(was_listed, cx);
            return;
        };
        let opened_at = earliest(session);
        self.shown = Some(shown(session, opened_at));
        let who = if was_listed { Who::SessionOpened } else { Who::RoomListed };
        cx.log.note(&self.id, cx.cause, who);
        self.show_users_and_streams(was_listed, cx);
    }

    /// Tells of a room that just came into the list, or of its business info, without a change of
    /// the session.
    pub(super) fn tell_info(&self, was_listed: bool, cx: &mut Context<'_>) {
        let who = if was_listed { Who::RoomUpdated } else { Who::RoomListed };
        cx.log.note(&self.id, cx.cause, who);
    }

    /// The room may have left the list; nobody stays a member of such a room.
    pub(super) fn unlist(&mut self, was_listed: bool, cx: &mut Context<'_>) {
        if !was_listed || self.is_listed() {
            return;
        }
        for user_id in self.users.iter().map(|(_, user_id)| user_id.as_str()) {
            self.members.leave(user_id, cx.now);
        }
        self.users.clear();
        cx.log.note(&self.id, cx.cause, Who::RoomUnlisted);
    }

    /// Shows the members of a room that just came into the list. There are none but after a merge
    /// with a replica in which it had not left.
    pub(super) fn show_members(&mut self, cx: &mut Context<'_>) {
        self.reorder_users();
        for (_, user_id) in &self.users {
            cx.log.note(&self.id, cx.cause, Who::UserJoined(user_id.clone()));
        }
    }

    /// Hides the session: its streams, and the users who have nothing but a login.
    fn hide(&mut self, cx: &mut Context<'_>) {
        let Some(shown) = self.shown.take() else { return };
        self.sessionless_since = Some(cx.now);
        self.streams.clear();
        self.notes.clear();
        self.users.retain(|(_, user_id)| self.members.get(user_id.as_str()).is_some());
        cx.log.note(&self.id, cx.cause, Who::SessionClosed(shown.session_id));
    }

    fn show_users_and_streams(&mut self, was_listed: bool, cx: &mut Context<'_>) {
        self.reorder_users();
        let Some(session) = visible_session(&self.live, self.shown.as_ref()) else { return };
        for (_, user_id) in &self.users {
            let logged_in = session.users.get(user_id).is_some_and(|user| !user.logins.is_empty());
            match self.members.get(user_id.as_str()) {
                Some(_) if was_listed && logged_in => {
                    cx.log.note(&self.id, cx.cause, Who::UserUpdated(user_id.clone()));
                }
                Some(_) if was_listed => {}
                Some(_) | None => cx.log.note(&self.id, cx.cause, Who::UserJoined(user_id.clone())),
            }
        }
        for (stream_id, stream) in &session.streams {
            if let Some(held) = stream.shown() {
                self.streams.insert((held.at, stream_id.clone()));
            }
        }
        for (_, stream_id) in &self.streams {
            cx.log.note(&self.id, cx.cause, Who::StreamOpened(stream_id.clone()));
        }
    }

    /// Tells where the session that stays visible looks different: `gone` and `came` are the times
    /// of what left it and of what came into it.
    pub(super) fn show_session(
        &mut self,
        gone: Option<Timestamp>,
        came: Option<Timestamp>,
        cx: &mut Context<'_>,
    ) {
        let Some(session) = visible_session(&self.live, self.shown.as_ref()) else { return };
        let before =
            self.shown.as_ref().filter(|shown| shown.inferred).and_then(|shown| shown.opened_at);
        let opened_at = match before {
            Some(before) if gone != Some(before) => {
                Some(came.map_or(before, |came| came.min(before)))
            }
            _ => earliest(session),
        };
        let now_shown = Some(shown(session, opened_at));
        if self.shown != now_shown {
            self.shown = now_shown;
            cx.log.note(&self.id, cx.cause, Who::SessionUpdated);
        }
    }

    /// What readers see of a user now.
    pub(super) fn user_before(&self, user_id: &str) -> UserBefore {
        let login = self.login(user_id);
        let joined_at = self.members.get(user_id).map(|member| member.membership.joined_at);
        UserBefore {
            since: joined_at.or_else(|| login.map(|login| login.login_at)),
            login: self.live_user(user_id).and_then(|(_, user)| user.shown_key()),
        }
    }

    /// Tells what became of a user. `renewed` says whether the login that is shown was told anew,
    /// or the membership changed. Returns the login times that went and came.
    pub(super) fn user_turned(
        &mut self,
        user_id: &UserId,
        before: UserBefore,
        renewed: impl Fn(&Login) -> bool,
        cx: &mut Context<'_>,
    ) -> (Option<Timestamp>, Option<Timestamp>) {
        let after = self.user_before(user_id.as_str());
        let content = self.login(user_id.as_str()).is_some_and(renewed);
        if before == after && !content {
            return (None, None);
        }
        if !self.is_listed() {
            return (None, None);
        }
        if before.since != after.since {
            if let Some(since) = before.since {
                self.users.remove(&(since, user_id.clone()));
            }
            if let Some(since) = after.since {
                self.users.insert((since, user_id.clone()));
            }
        }
        let who = match (before.since, after.since) {
            (None, None) => None,
            (None, Some(_)) => Some(Who::UserJoined(user_id.clone())),
            (Some(_), Some(_)) => Some(Who::UserUpdated(user_id.clone())),
            (Some(_), None) => Some(Who::UserLeft(user_id.clone())),
        };
        if let Some(who) = who {
            cx.log.note(&self.id, cx.cause, who);
        }
        (before.login.map(|login| login.login_at), after.login.map(|login| login.login_at))
    }

    fn stream_turned(
        &mut self,
        stream_id: &StreamId,
        before: Option<Timestamp>,
        facts: &Facts<'_>,
        cx: &mut Context<'_>,
    ) -> (Option<Timestamp>, Option<Timestamp>) {
        let session = visible_session(&self.live, self.shown.as_ref());
        let held = session
            .and_then(|session| session.streams.get(stream_id))
            .and_then(|stream| stream.shown());
        let after = held.map(|held| held.at);
        // What was told changed the register, so if it is what is shown, readers see it anew.
        let renewed = held.zip(facts.stream).is_some_and(|(held, (_, fact))| {
            let shown = held.fact();
            shown.key == fact.key && shown.at == fact.at
        });
        let same_life = held
            .zip(self.notes.get(stream_id))
            .is_some_and(|(held, note)| held.stream_session_id == note.stream_session_id);
        if before == after && !renewed {
            return (None, None);
        }
        if !same_life {
            self.notes.remove(stream_id);
        }
        if let Some(at) = before {
            self.streams.remove(&(at, stream_id.clone()));
        }
        if let Some(at) = after {
            self.streams.insert((at, stream_id.clone()));
        }
        let who = match (before, after) {
            (None, None) => None,
            (None, Some(_)) => Some(Who::StreamOpened(stream_id.clone())),
            (Some(_), Some(_)) => Some(Who::StreamUpdated(stream_id.clone())),
            (Some(_), None) => Some(Who::StreamClosed(stream_id.clone())),
        };
        if let Some(who) = who {
            cx.log.note(&self.id, cx.cause, who);
        }
        (before, after)
    }

    /// What readers see of those whom the facts concern, where it is the visible session's.
    fn before<'f>(&self, facts: &Facts<'f>) -> Before<'f> {
        let is_visible = self
            .shown
            .as_ref()
            .is_some_and(|shown| shown.session_id.as_ref() == Some(facts.session_id));
        if !is_visible {
            return Before::default();
        }
        let user = facts.user.map(|(user_id, _)| (user_id, self.user_before(user_id.as_str())));
        let stream = facts.stream.map(|(stream_id, _)| {
            (stream_id, self.stream(stream_id.as_str()).map(StreamRef::created_at))
        });
        Before { user, stream }
    }

    /// Counts anew all that follows from the registers.
    pub(super) fn restore_derived(&mut self) {
        self.live.recount(&self.settings);
        let session = self.live.visible(&self.settings, self.shows_from());
        self.shown = session.map(|session| shown(session, earliest(session)));
        self.reorder_users();
        self.streams.clear();
        if let Some(session) = visible_session(&self.live, self.shown.as_ref()) {
            let held =
                session.streams.iter().filter_map(|(id, stream)| Some((stream.shown()?.at, id)));
            self.streams = held.map(|(at, stream_id)| (at, stream_id.clone())).collect();
        }
        self.live.trim(&self.settings);
        self.sweep_at = self.live.next_sweep(self.shows_from(), &self.settings);
    }

    /// Whether attributes are for a stream that is visible.
    pub(super) fn note_fits(&self, stream_id: &StreamId, note: &StreamNote) -> bool {
        let stream = self.stream(stream_id.as_str());
        stream.is_some_and(|stream| *stream.stream_session_id() == note.stream_session_id)
    }

    /// Counts the orders anew.
    #[expect(
        clippy::iter_over_hash_type,
        reason = "an ordered set does not depend on the order it is filled in"
    )]
    pub(super) fn reorder_users(&mut self) {
        self.users.clear();
        if !self.is_listed() {
            return;
        }
        let members = self.members.by_id().into_iter();
        self.users = members
            .map(|(user_id, member)| (member.membership.joined_at, user_id.clone()))
            .collect();
        let Some(session) = visible_session(&self.live, self.shown.as_ref()) else { return };
        for (user_id, user) in &session.users {
            if let Some(login) = user.shown()
                && self.members.get(user_id.as_str()).is_none()
            {
                self.users.insert((login.login_at, user_id.clone()));
            }
        }
    }

    /// Business info made after an end shows again a session that the end had hidden.
    pub(super) fn shows_from(&self) -> Option<Timestamp> {
        self.info.as_ref().map(|info| info.created_at)
    }

    /// Whether the visible session has this user's login.
    pub(super) fn live_user(&self, user_id: &str) -> Option<(&UserId, &UserRegister)> {
        visible_session(&self.live, self.shown.as_ref())?.users.get_key_value(user_id)
    }

    fn login(&self, user_id: &str) -> Option<&Login> {
        self.live_user(user_id).and_then(|(_, user)| user.shown())
    }

    pub(crate) fn settings(&self) -> Fingerprint {
        self.settings
    }

    pub(crate) fn id(&self) -> &RoomId {
        &self.id
    }

    /// Whether it was created and not ended, or a session of it is visible.
    pub(crate) fn is_listed(&self) -> bool {
        self.info.is_some() || self.shown.is_some()
    }

    /// Whether nothing at all is held of it.
    pub(crate) fn is_forgotten(&self) -> bool {
        !self.is_listed()
            && self.ended_at.is_none()
            && self.live.is_empty()
            && self.members.is_forgotten()
    }

    pub(crate) fn info(&self) -> Option<&RoomInfo> {
        self.info.as_ref()
    }

    pub(crate) fn session(&self) -> Option<&Session> {
        self.shown.as_ref()
    }

    pub(crate) fn user_count(&self) -> usize {
        self.users.len()
    }

    pub(crate) fn stream_count(&self) -> usize {
        self.streams.len()
    }

    pub(crate) fn users_in_order(&self) -> impl DoubleEndedIterator<Item = &UserId> {
        self.users.iter().map(|(_, user_id)| user_id)
    }

    pub(crate) fn streams_in_order(&self) -> impl DoubleEndedIterator<Item = &StreamId> {
        self.streams.iter().map(|(_, stream_id)| stream_id)
    }

    pub(crate) fn user(&self, user_id: &str) -> Option<UserRef<'_>> {
        let live = self.live_user(user_id);
        let login = live.and_then(|(_, user)| user.shown());
        match self.members.get_key_value(user_id) {
            Some((user_id, member)) => Some(UserRef::new(user_id, Some(member), login)),
            None => login.and(live).map(|(user_id, _)| UserRef::new(user_id, None, login)),
        }
    }

    pub(crate) fn stream(&self, stream_id: &str) -> Option<StreamRef<'_>> {
        let session = visible_session(&self.live, self.shown.as_ref())?;
        let (stream_id, stream) = session.streams.get_key_value(stream_id)?;
        let attributes =
            self.notes.get(stream_id).map_or(Attributes::NONE, |note| &note.attributes);
        StreamRef::new(stream_id, stream.shown()?, attributes)
    }
}

/// The session that is shown.
pub(super) fn visible_session<'a>(
    live: &'a Live,
    shown: Option<&Session>,
) -> Option<&'a SessionRegister> {
    live.session(shown?.session_id.as_ref()?)
}

/// What readers see of a session. An inferred one opened no later than what is in it.
fn shown(session: &SessionRegister, earliest: Option<Timestamp>) -> Session {
    let create = session.create.as_ref();
    Session {
        session_id: Some(session.id.clone()),
        opened_at: create.map(|create| create.created_at).or(earliest),
        inferred: create.is_none(),
        creator_id: create.and_then(|create| create.creator_id.clone()),
        room_name: session.name.as_ref().map(|name| name.name.clone()),
    }
}

/// The earliest login or stream that is in an inferred session now. Cost: what is in it.
#[expect(clippy::disallowed_methods, reason = "a minimum does not depend on the order")]
fn earliest(session: &SessionRegister) -> Option<Timestamp> {
    if session.is_anchor() {
        return None;
    }
    let logins = session.users.values().filter_map(|user| user.shown()).map(|login| login.login_at);
    let streams = session.streams.values().filter_map(|stream| stream.shown()).map(|held| held.at);
    logins.chain(streams).min()
}
