//! One room: the live part, the business info and the memberships together, and the visible state
//! that follows from them.
//!
//! The registers are the truth; what is visible is kept beside them (`shown`, the orders), so that
//! reading costs nothing and a change is told without comparing whole rooms. Every operation ends
//! in [`RoomState::show`] or [`RoomState::user_turned`], the two places that move the visible state.

use std::collections::{BTreeMap, BTreeSet};

use crate::callback::Callback;
use crate::change::{Cause, ChangeLog};
use crate::config::{Config, Fingerprint};
use crate::id::{RoomId, StreamId, StreamSessionId, UserId};
use crate::outcome::Outcome;
use crate::room::facts::Facts;
use crate::room::live::Live;
use crate::room::members::Members;
use crate::room::shown::{earliest, shown, visible_session};
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
    pub(super) since: Option<Timestamp>,
    pub(super) login: Option<LoginKey>,
}

/// Whom an operation concerned, and what readers saw before.
#[derive(Debug, Default)]
pub(super) struct Before<'a> {
    pub(super) user: Option<(&'a UserId, UserBefore)>,
    pub(super) stream: Option<(&'a StreamId, Option<Timestamp>)>,
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

    pub(super) fn login(&self, user_id: &str) -> Option<&Login> {
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

    pub(crate) fn user_order(&self) -> &BTreeSet<(Timestamp, UserId)> {
        &self.users
    }

    pub(crate) fn stream_order(&self) -> &BTreeSet<(Timestamp, StreamId)> {
        &self.streams
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
