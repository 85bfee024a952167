//! What readers see, moved along with the registers, and told.
//!
//! A callback or command concerns one user, one stream, or the session as a whole. Where the session
//! that is to be seen stays the same, only whom it concerns is looked at; where it is another, what
//! was shown is hidden in one change and what is to be seen is shown anew.

use std::collections::BTreeSet;
use std::ops::AddAssign;

use crate::collections::id_table::Hashed;
use crate::model::change::Who;
use crate::model::id::{SessionId, StreamId, UserId};
use crate::model::text::Text;
use crate::model::time::Timestamp;
use crate::model::visible::Session;
use crate::read::StreamRef;
use crate::room::before::{Before, LiveKey, StreamBefore, UserBefore};
use crate::room::facts::{Concerned, Facts};
use crate::room::forget::earlier;
use crate::room::live::{Joined, Live};
use crate::room::session::SessionRegister;
use crate::room::sight::{LiveStream, LiveUser, Sight, Visible};
use crate::room::state::{Context, RoomState};

/// The known times of what left the session that is shown, and of what came into it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moved {
    /// The earliest.
    gone: Option<Timestamp>,
    /// The earliest.
    came: Option<Timestamp>,
}

impl Moved {
    fn new(gone: Option<Timestamp>, came: Option<Timestamp>) -> Self {
        Self { gone, came }
    }
}

impl AddAssign for Moved {
    fn add_assign(&mut self, other: Self) {
        self.gone = earlier(self.gone, other.gone);
        self.came = earlier(self.came, other.came);
    }
}

impl RoomState {
    /// Shows the session that is to be seen now, and tells what is different from before.
    pub(super) fn show(
        &mut self,
        facts: &Facts<'_>,
        before: Before<'_>,
        joined: Joined,
        cx: &mut Context<'_>,
    ) {
        if !self.shows_the_same() || joined.watched_lost {
            let was_unknown = self.shown.as_ref().is_some_and(|shown| shown.session_id.is_none());
            let visible = self.live.visible(&self.settings, self.shows_from());
            match visible.and_then(Visible::session_id).cloned() {
                Some(session_id) if was_unknown => self.name_session(&session_id, &before, cx),
                Some(_) | None => self.show_anew(cx),
            }
            return;
        }
        let mut moved = Moved::default();
        if let Some((user_id, before)) = before.user {
            let renewed = facts.user.and_then(|(_, user)| user.login).map(|(id, _)| id);
            moved += self.user_turned(
                user_id,
                &before,
                |user| matches!(user, LiveUser::Login(login) if Some(&login.user_session_id) == renewed),
                cx,
            );
        }
        if let Some((stream_id, before)) = before.stream {
            moved += self.stream_turned(stream_id, before, Some(facts), cx);
        }
        if joined.outdates {
            for (user_id, before) in before.present_users {
                moved += self.user_turned(Hashed::new(&user_id), &before, |_| false, cx);
            }
            for (stream_id, before) in before.present_streams {
                moved += self.stream_turned(&stream_id, before, None, cx);
            }
        }
        self.show_session(moved, cx);
        self.assess(facts.concerned(), joined.tally.two_logins, cx.now);
        if !self.live.observed.is_empty() {
            self.note_listed(facts, joined.outdates);
        }
    }

    /// The session that was not known turns out to be one that is: the same people are in it, and
    /// whom else it has.
    fn name_session(&mut self, session_id: &SessionId, before: &Before<'_>, cx: &mut Context<'_>) {
        let shows_from = self.shows_from();
        let Some(session) = self.live.session(session_id) else { return };
        let opened_at = earliest(Some(session), self.live.sight(Some(session), shows_from));
        let sight = self.live.sight(Some(session), shows_from);
        let users: Vec<_> = sight.users().into_iter().map(|(id, _)| id.clone()).collect();
        let streams: Vec<_> = sight.streams().into_iter().map(|(id, _)| id.clone()).collect();
        self.shown = Some(shown(Some(session), opened_at));
        cx.log.note(&self.id, cx.cause, Who::SessionUpdated);
        for (user_id, before) in &before.present_users {
            self.user_turned(Hashed::new(user_id), before, |_| false, cx);
        }
        for (stream_id, before) in &before.present_streams {
            self.stream_turned(stream_id, *before, None, cx);
        }
        let were_present: BTreeSet<_> = before.present_users.iter().map(|(id, _)| id).collect();
        for user_id in users.iter().filter(|user_id| !were_present.contains(user_id)) {
            let member = self.members.get(user_id.as_str());
            let since = member.map(|member| member.membership().joined_at);
            let unseen = UserBefore { since, live: None, login_at: None };
            self.user_turned(Hashed::new(user_id), &unseen, |_| false, cx);
        }
        let were_present: BTreeSet<_> = before.present_streams.iter().map(|(id, _)| id).collect();
        for stream_id in streams.iter().filter(|stream_id| !were_present.contains(stream_id)) {
            self.stream_turned(stream_id, None, None, cx);
        }
        self.live.note_all_listed(shows_from, &self.settings);
        self.assess(Concerned::Everybody, false, cx.now);
    }

    /// Whether the session that is to be seen now is the one that is shown.
    pub(super) fn shows_the_same(&self) -> bool {
        let visible = self.live.visible(&self.settings, self.shows_from());
        let shown = self.shown.as_ref().map(|shown| shown.session_id.as_ref());
        shown.is_some() && shown == visible.map(Visible::session_id)
    }

    /// Takes note of when the presences can go of those whom facts concern, or of everybody.
    fn note_listed(&mut self, facts: &Facts<'_>, all: bool) {
        let shows_from = self.shows_from();
        if all {
            self.live.note_all_listed(shows_from, &self.settings);
            return;
        }
        if let Some((user_id, _)) = facts.user {
            self.live.note_listed_user(user_id.id, shows_from, &self.settings);
        }
        if let Some((stream_id, _)) = facts.stream {
            self.live.note_listed_stream(stream_id, shows_from, &self.settings);
        }
    }

    /// Business info was made, or our times were pulled back: a session that an end had hidden may
    /// show again, and be the current one in place of another.
    pub(super) fn show_if_other(&mut self, cx: &mut Context<'_>) {
        let visible = self.live.visible(&self.settings, self.shows_from());
        let shown = self.shown.as_ref().map(|shown| shown.session_id.as_ref());
        if shown != visible.map(Visible::session_id) {
            self.show_anew(cx);
        }
    }

    /// Hides what was shown, and shows what is to be seen now: in general another session, with all
    /// its users and streams.
    pub(super) fn show_anew(&mut self, cx: &mut Context<'_>) {
        let was_listed = self.is_listed();
        self.hide(cx);
        let shows_from = self.shows_from();
        self.live.note_all_listed(shows_from, &self.settings);
        let Some(visible) = self.live.visible(&self.settings, shows_from) else {
            self.assess(Concerned::Everybody, false, cx.now);
            self.unlist(was_listed, cx);
            return;
        };
        let session = visible.session();
        let opened_at = earliest(session, self.live.sight(session, shows_from));
        self.shown = Some(shown(session, opened_at));
        let who = if was_listed { Who::SessionOpened } else { Who::RoomListed };
        cx.log.note(&self.id, cx.cause, who);
        self.show_users_and_streams(was_listed, cx);
        self.assess(Concerned::Everybody, false, cx.now);
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
        self.present_users.clear();
        self.present_streams.clear();
        self.notes.clear();
        self.users.retain(|(_, user_id)| self.members.get(user_id.as_str()).is_some());
        cx.log.note(&self.id, cx.cause, Who::SessionClosed(shown.session_id));
    }

    fn show_users_and_streams(&mut self, was_listed: bool, cx: &mut Context<'_>) {
        self.reorder_users();
        self.reorder_streams();
        for (_, user_id) in &self.users {
            let logged_in = self.live_user(user_id).is_some();
            match self.members.get(user_id.as_str()) {
                Some(_) if was_listed && logged_in => {
                    cx.log.note(&self.id, cx.cause, Who::UserUpdated(user_id.clone()));
                }
                Some(_) if was_listed => {}
                Some(_) | None => cx.log.note(&self.id, cx.cause, Who::UserJoined(user_id.clone())),
            }
        }
        for (_, stream_id) in &self.streams {
            cx.log.note(&self.id, cx.cause, Who::StreamOpened(stream_id.clone()));
        }
    }

    /// Tells where the session that stays visible looks different.
    pub(super) fn show_session(&mut self, moved: Moved, cx: &mut Context<'_>) {
        let Some(shown) = &self.shown else { return };
        let session = visible_session(&self.live, Some(shown));
        let opened_at = match shown.opened_at.filter(|_| shown.inferred) {
            Some(before) if moved.gone != Some(before) => {
                Some(moved.came.map_or(before, |came| came.min(before)))
            }
            _ => earliest(session, self.live.sight(session, self.shows_from())),
        };
        let look = Look::at(session, opened_at);
        if Look::of(shown) != look {
            self.shown = Some(look.to_session());
            cx.log.note(&self.id, cx.cause, Who::SessionUpdated);
        }
    }

    /// Tells what became of a user. `renewed` says whether what is shown was told anew, or the
    /// membership changed.
    pub(super) fn user_turned(
        &mut self,
        user_id: Hashed<'_, UserId>,
        before: &UserBefore,
        renewed: impl Fn(LiveUser<'_>) -> bool,
        cx: &mut Context<'_>,
    ) -> Moved {
        let live = self.live_user(&user_id).map(|(_, user)| user);
        let after = self.before_of(&user_id, live);
        let content = live.is_some_and(renewed);
        let user_id = user_id.id;
        if *before == after && !content || !self.is_listed() {
            return Moved::default();
        }
        if before.since != after.since {
            if let Some(since) = before.since {
                self.users.remove(&(since, user_id.clone()));
            }
            if let Some(since) = after.since {
                self.users.insert((since, user_id.clone()));
            }
        }
        if let Some(LiveKey::Presence(_)) = after.live {
            self.present_users.insert(user_id.clone());
        } else if !self.present_users.is_empty() {
            self.present_users.remove(user_id);
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
        Moved::new(before.login_at, after.login_at)
    }

    fn stream_turned(
        &mut self,
        stream_id: &StreamId,
        before: Option<StreamBefore>,
        facts: Option<&Facts<'_>>,
        cx: &mut Context<'_>,
    ) -> Moved {
        let after = self.stream_before(stream_id.as_str());
        let shown = self.sight().and_then(|sight| sight.stream(stream_id.as_str()));
        let held = match shown {
            Some((_, LiveStream::Held(held))) => Some(held),
            Some((_, LiveStream::Presence(_))) | None => None,
        };
        // What was told changed the register, so if it is what is shown, readers see it anew.
        let renewed =
            held.zip(facts.and_then(|facts| facts.stream)).is_some_and(|(held, (_, fact))| {
                let shown = held.fact();
                shown.key == fact.key && shown.at == fact.at
            });
        if before == after && !renewed {
            return Moved::default();
        }
        self.keep_note(stream_id);
        if let Some(before) = before {
            self.streams.remove(&(before.created_at.unwrap_or_default(), stream_id.clone()));
        }
        self.present_streams.remove(stream_id);
        if let Some(after) = after {
            self.streams.insert((after.created_at.unwrap_or_default(), stream_id.clone()));
            if after.presence.is_some() {
                self.present_streams.insert(stream_id.clone());
            }
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
        let created_at = |stream: Option<StreamBefore>| stream.and_then(|stream| stream.created_at);
        Moved::new(created_at(before), created_at(after))
    }

    /// Keeps the attributes of those streams that are visible still.
    pub(super) fn keep_notes(&mut self) {
        let noted: Vec<_> = self.notes.keys().cloned().collect();
        for stream_id in noted {
            self.keep_note(&stream_id);
        }
    }

    /// Attributes last as long as the life of the stream that they were given to.
    fn keep_note(&mut self, stream_id: &StreamId) {
        let Some(note) = self.notes.get(stream_id) else { return };
        if !self.note_fits(stream_id, note) {
            self.notes.remove(stream_id);
            return;
        }
        let life = self.stream(stream_id.as_str()).and_then(StreamRef::stream_session_id).cloned();
        if let Some(note) = self.notes.get_mut(stream_id) {
            note.stream_session_id = note.stream_session_id.take().or(life);
        }
    }
}

/// The session that is shown, where it is known which.
pub(super) fn visible_session<'a>(
    live: &'a Live,
    shown: Option<&Session>,
) -> Option<&'a SessionRegister> {
    live.session(shown?.session_id.as_ref()?)
}

/// What readers see of a session, or of one that is not known. An inferred one opened no later than
/// what is in it.
#[derive(Debug, PartialEq, Eq)]
struct Look<'a> {
    session_id: Option<&'a SessionId>,
    opened_at: Option<Timestamp>,
    inferred: bool,
    creator_id: Option<&'a UserId>,
    room_name: Option<&'a Text>,
}

impl<'a> Look<'a> {
    fn at(session: Option<&'a SessionRegister>, earliest: Option<Timestamp>) -> Self {
        let create = session.and_then(|session| session.create.as_ref());
        let name = session.and_then(|session| session.name.as_ref());
        Self {
            session_id: session.map(|session| &session.id),
            opened_at: create.map(|create| create.created_at).or(earliest),
            inferred: create.is_none(),
            creator_id: create.and_then(|create| create.creator_id.as_ref()),
            room_name: name.map(|name| &name.name),
        }
    }

    fn of(shown: &'a Session) -> Self {
        Self {
            session_id: shown.session_id.as_ref(),
            opened_at: shown.opened_at,
            inferred: shown.inferred,
            creator_id: shown.creator_id.as_ref(),
            room_name: shown.room_name.as_ref(),
        }
    }

    fn to_session(&self) -> Session {
        Session {
            session_id: self.session_id.cloned(),
            opened_at: self.opened_at,
            inferred: self.inferred,
            creator_id: self.creator_id.cloned(),
            room_name: self.room_name.cloned(),
        }
    }
}

/// As [`Look`], to keep.
pub(super) fn shown(session: Option<&SessionRegister>, earliest: Option<Timestamp>) -> Session {
    Look::at(session, earliest).to_session()
}

/// The earliest login or stream that is in an inferred session now. Cost: what is in it.
pub(super) fn earliest(session: Option<&SessionRegister>, sight: Sight<'_>) -> Option<Timestamp> {
    if session.is_some_and(SessionRegister::is_anchor) {
        return None;
    }
    let users = sight.users().into_iter().filter_map(|(_, user)| user.login_at());
    let streams = sight.streams().into_iter().filter_map(|(_, stream)| stream.created_at());
    users.chain(streams).min()
}
