//! What readers see, moved along with the registers, and told.
//!
//! A callback or command concerns one user, one stream, or the session as a whole. Where the session
//! that is to be seen stays the same, only whom it concerns is looked at; where it is another, what
//! was shown is hidden in one change and what is to be seen is shown anew.

use crate::change::Who;
use crate::id::{StreamId, UserId};
use crate::room::facts::Facts;
use crate::room::live::Live;
use crate::room::session::SessionRegister;
use crate::room::state::{Before, Context, RoomState, UserBefore};
use crate::time::Timestamp;
use crate::visible::{Login, Session};

impl RoomState {
    /// Shows the session that is to be seen now, and tells what is different from before.
    pub(super) fn show(
        &mut self,
        facts: &Facts<'_>,
        before: Before<'_>,
        lost: bool,
        cx: &mut Context<'_>,
    ) {
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

    /// Business info was made, or our times were pulled back: a session that an end had hidden may
    /// show again, and be the current one in place of another.
    pub(super) fn show_if_other(&mut self, cx: &mut Context<'_>) {
        let session =
            self.live.visible(&self.settings, self.shows_from()).map(|session| &session.id);
        if session != self.shown.as_ref().and_then(|shown| shown.session_id.as_ref()) {
            self.show_anew(cx);
        }
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
}

/// The session that is shown.
pub(super) fn visible_session<'a>(
    live: &'a Live,
    shown: Option<&Session>,
) -> Option<&'a SessionRegister> {
    live.session(shown?.session_id.as_ref()?)
}

/// What readers see of a session. An inferred one opened no later than what is in it.
pub(super) fn shown(session: &SessionRegister, earliest: Option<Timestamp>) -> Session {
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
pub(super) fn earliest(session: &SessionRegister) -> Option<Timestamp> {
    if session.is_anchor() {
        return None;
    }
    let logins = session.users.values().filter_map(|user| user.shown()).map(|login| login.login_at);
    let streams = session.streams.values().filter_map(|stream| stream.shown()).map(|held| held.at);
    logins.chain(streams).min()
}
