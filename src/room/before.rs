//! What readers saw of those whom an operation concerns, before something changed.
//!
//! Only whom it concerns is looked at, so that a change is told without comparing whole rooms.

use crate::collections::id_table::{Hashed, Key};
use crate::model::id::{StreamId, UserId};
use crate::model::time::Timestamp;
use crate::room::facts::Facts;
use crate::room::observed::PresenceKey;
use crate::room::sight::{LiveStream, LiveUser};
use crate::room::state::RoomState;
use crate::room::user::LoginKey;

/// What readers saw of a user before something changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UserBefore {
    /// The place in the order; the first where it is not known since when the user is here.
    pub(super) since: Option<Timestamp>,
    pub(super) live: Option<LiveKey>,
    /// When the login began, where that is known.
    pub(super) login_at: Option<Timestamp>,
}

/// What tells one login or presence that readers see from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LiveKey {
    Login(LoginKey),
    Presence(PresenceKey),
}

/// What readers saw of a stream before something changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StreamBefore {
    pub(super) created_at: Option<Timestamp>,
    /// Where nothing but an observation knows it.
    pub(super) presence: Option<PresenceKey>,
}

/// Whom an operation concerned, and what readers saw before.
#[derive(Debug, Default)]
pub(super) struct Before<'a> {
    pub(super) user: Option<(Hashed<'a, UserId>, UserBefore)>,
    pub(super) stream: Option<(&'a StreamId, Option<StreamBefore>)>,
    /// Those whom an observation alone shows, where a creation or close may outdate it, or the
    /// session is not known.
    pub(super) present_users: Vec<(UserId, UserBefore)>,
    pub(super) present_streams: Vec<(StreamId, Option<StreamBefore>)>,
}

impl RoomState {
    /// What readers see of those whom the facts concern: in the visible session, or in any where
    /// observations count as well.
    pub(super) fn before<'f>(&self, facts: &Facts<'f>) -> Before<'f> {
        let Some(shown) = &self.shown else { return Before::default() };
        let is_visible = shown.session_id.as_ref() == Some(facts.session_id);
        if !is_visible && self.live.observed.is_empty() {
            return Before::default();
        }
        let user = facts.user.map(|(user_id, _)| (user_id, self.user_before(&user_id)));
        let stream =
            facts.stream.map(|(stream_id, _)| (stream_id, self.stream_before(stream_id.as_str())));
        let mut before = Before { user, stream, ..Before::default() };
        if facts.create.is_some() || facts.close.is_some() || shown.session_id.is_none() {
            let users = self.present_users.iter();
            before.present_users = users.map(|id| (id.clone(), self.user_before(id))).collect();
            let streams = self.present_streams.iter();
            before.present_streams =
                streams.map(|id| (id.clone(), self.stream_before(id.as_str()))).collect();
        }
        before
    }

    /// What readers see of a user now.
    pub(super) fn user_before(&self, user_id: &(impl Key + ?Sized)) -> UserBefore {
        let user_id = &user_id.hashed();
        self.before_of(user_id, self.live_user(user_id).map(|(_, user)| user))
    }

    pub(super) fn before_of(
        &self,
        user_id: &(impl Key + ?Sized),
        live: Option<LiveUser<'_>>,
    ) -> UserBefore {
        let joined_at = self.members.get(user_id).map(|member| member.membership().joined_at);
        let since = joined_at.or_else(|| live.map(|user| user.login_at().unwrap_or_default()));
        let login_at = live.and_then(LiveUser::login_at);
        let live = live.map(|user| match user {
            LiveUser::Login(login) => LiveKey::Login(LoginKey {
                counter: login.counter,
                login_at: login.login_at,
                user_session_id: login.user_session_id.clone(),
            }),
            LiveUser::Presence(present) => LiveKey::Presence(present.key()),
        });
        UserBefore { since, live, login_at }
    }

    /// What readers see of a stream now.
    pub(super) fn stream_before(&self, stream_id: &str) -> Option<StreamBefore> {
        let (_, stream) = self.sight()?.stream(stream_id)?;
        let presence = match stream {
            LiveStream::Held(_) => None,
            LiveStream::Presence(present) => Some(present.key()),
        };
        Some(StreamBefore { created_at: stream.created_at(), presence })
    }
}
