//! Step 6, person by person: each difference between what readers saw and what they see now becomes a note
//! (law 1.6). Those concerned also move in the orders of the lists.
//!
//! `tell_user` and `tell_stream` compare one, at the cost of a look-up in the order. `tell_users`,
//! `tell_gone` and `tell_streams` compare everybody.

use std::collections::BTreeSet;

use crate::model::id::{StreamId, UserId};
use crate::model::visible::Session;
use crate::registers::kind::{Streams, Users};
use crate::registers::places::{StreamPlaces, Target, UserPlaces};
use crate::room::before::{Before, EverybodyBefore, Looked, StreamBefore, UserBefore};
use crate::room::context::Context;
use crate::room::notes::Note;
use crate::room::projection::{Moved, Projection, ProjectionSource, Widened};
use crate::room::visible::VisibleUser;
use crate::rules::Rulebook;
use crate::rules::lists::{earliest, listed_since, streams_of};
use crate::rules::visibility::{Source, Visible};

impl Projection {
    /// Notes that the session that stays visible looks different. Its creation may have come, its opening time
    /// may have moved, a login may have named the room, or a callback the session (`is_named`).
    pub(super) fn tell_session(
        &mut self,
        source: ProjectionSource<'_>,
        moved: Moved,
        is_named: bool,
        cx: &mut Context<'_>,
    ) {
        let ProjectionSource { id, registers, settings } = source;
        let Some(shown) = &self.session else { return };
        let book = Rulebook { registers, settings, summaries: &self.summaries };
        let index = self.visible.and_then(Visible::index);
        let session = index.map(|index| &registers.sessions[index]);
        let create = session.and_then(|session| session.create.as_ref());
        let earliest_in_it = || earliest(book, self.visible);
        let opened_at = match (create, shown.opened_at.filter(|_| shown.inferred)) {
            (Some(create), _) => Some(create.created_at),
            (None, Some(before)) => moved.opening_time(before, earliest_in_it),
            // It was not inferred before, or nothing in it told a time.
            (None, None) => earliest_in_it(),
        };
        let name = index.and_then(|index| book.shown_name(index));
        let is_same = !is_named
            && shown.opened_at == opened_at
            && shown.inferred == create.is_none()
            && shown.creator_id.as_ref() == create.and_then(|create| create.creator_id.as_ref())
            && shown.room_name.as_ref() == name;
        if !is_same {
            self.session = Some(Session {
                session_id: session.and_then(|session| session.id.clone()),
                opened_at,
                inferred: create.is_none(),
                creator_id: create.and_then(|create| create.creator_id.clone()),
                room_name: name.cloned(),
            });
            cx.log.note(id, cx.cause, Note::SessionUpdated);
        }
    }

    /// Notes what became of one user. Returns how that may move the opening time of the session.
    #[inline]
    pub(super) fn tell_user(
        &mut self,
        source: ProjectionSource<'_>,
        user_id: &UserId,
        places: &UserPlaces,
        before: &UserBefore,
        widened: &Widened,
        cx: &mut Context<'_>,
    ) -> Moved {
        let ProjectionSource { id, registers, settings } = source;
        let book = Rulebook { registers, settings, summaries: &self.summaries };
        let held = book.source::<Users>(self.visible, &places.told);
        let member = places.member.and_then(|place| registers.members.at(place));
        let login_at = held.and_then(Source::began_at);
        let since = listed_since(member, held);
        let moved = Moved::One { gone: before.login_at(), came: login_at };
        let is_same = before.since == since
            && before.is_member == member.is_some()
            && !widened.is_content_changed
            && before.is_source(held)
            && before.note.as_deref() == book.note(user_id, member.is_some(), held);
        if is_same {
            return moved;
        }
        if before.since.is_some() {
            self.roles.remove(user_id, before.role.as_ref());
        }
        if since.is_some() {
            self.roles.add(VisibleUser::of(user_id, member, held, book));
        }
        if before.since != since {
            if let Some(since) = before.since {
                self.users.remove(&(since, user_id.clone()));
            }
            if let Some(since) = since {
                self.users.insert((since, user_id.clone()));
            }
        }
        let note = match (before.since, since) {
            (None, None) => return moved,
            (None, Some(_)) => Note::UserJoined(user_id.clone()),
            (Some(_), Some(_)) => Note::UserUpdated(user_id.clone()),
            (Some(_), None) => Note::UserLeft(user_id.clone(), widened.ended.clone()),
        };
        cx.log.note(id, cx.cause, note);
        moved
    }

    /// Notes what became of one stream. Returns how that may move the opening time of the session.
    pub(super) fn tell_stream(
        &mut self,
        source: ProjectionSource<'_>,
        stream_id: &StreamId,
        places: &StreamPlaces,
        before: &StreamBefore,
        widened: &Widened,
        cx: &mut Context<'_>,
    ) -> Moved {
        let ProjectionSource { id, registers, settings } = source;
        let book = Rulebook { registers, settings, summaries: &self.summaries };
        let held = book.source::<Streams>(self.visible, &places.told);
        let created_at = held.and_then(Source::began_at);
        let moved = Moved::One { gone: before.created_at(), came: created_at };
        if before.is_source(held) && !widened.is_content_changed {
            return moved;
        }
        if let Some(at) = before.place() {
            self.streams.remove(&(at, stream_id.clone()));
        }
        if held.is_some() {
            self.streams.insert((created_at.unwrap_or_default(), stream_id.clone()));
        }
        let note = match (before.place(), held) {
            (None, None) => return moved,
            (None, Some(_)) => Note::StreamOpened(stream_id.clone()),
            (Some(_), Some(_)) => Note::StreamUpdated(stream_id.clone()),
            (Some(_), None) => Note::StreamClosed(stream_id.clone(), widened.ended.clone()),
        };
        cx.log.note(id, cx.cause, note);
        moved
    }

    /// Lists the users anew, and notes who came and who looks different, in the order of the list. `before`
    /// says what readers saw of a user; `None` if they did not see the user.
    pub(super) fn tell_users(
        &mut self,
        source: ProjectionSource<'_>,
        before: impl Fn(&UserId) -> Option<UserBefore>,
        widened: &Widened,
        cx: &mut Context<'_>,
    ) {
        let ProjectionSource { id, registers, settings } = source;
        let roles = std::mem::take(&mut self.roles);
        self.list_users(registers, settings);
        let book = Rulebook { registers, settings, summaries: &self.summaries };
        for (since, user_id) in &self.users {
            let Some(before) = before(user_id) else {
                cx.log.note(id, cx.cause, Note::UserJoined(user_id.clone()));
                continue;
            };
            let places = registers.user_places(user_id);
            let (is_member, held) =
                (places.member.is_some(), book.source::<Users>(self.visible, &places.told));
            let is_same = before.since == Some(*since)
                && before.is_member == is_member
                && before.is_source(held)
                && before.note.as_deref() == book.note(user_id, is_member, held)
                && roles.is_counted(user_id) == self.roles.is_counted(user_id)
                && !widened.updated.contains(user_id);
            if !is_same {
                cx.log.note(id, cx.cause, Note::UserUpdated(user_id.clone()));
            }
        }
    }

    /// Notes who left. If the session does not stay (`keeps`), its close took along those whom only the media
    /// server showed. Then only members are noted.
    pub(super) fn tell_gone(
        &self,
        source: ProjectionSource<'_>,
        looked: &Looked,
        target: &Target<'_>,
        keeps: bool,
        widened: &Widened,
        cx: &mut Context<'_>,
    ) {
        let mut tell = |user_id: &UserId, before: &UserBefore| {
            if (keeps || before.is_member) && !self.has_user(source, user_id, before) {
                let ended = widened.ended.clone();
                cx.log.note(source.id, cx.cause, Note::UserLeft(user_id.clone(), ended));
            }
        };
        match (looked, target) {
            (Looked::User(before), Target::User(user_id, _)) => tell(&user_id.id, before),
            (Looked::Everybody(everybody), _) => {
                everybody.users.iter().for_each(|(user_id, before)| tell(user_id, before));
            }
            (Looked::Nobody | Looked::User(_) | Looked::Stream(_), _) => {}
        }
    }

    /// Whether somebody who was in the list is still in it. Whoever was not in it cannot have left.
    fn has_user(
        &self,
        source: ProjectionSource<'_>,
        user_id: &UserId,
        before: &UserBefore,
    ) -> bool {
        if before.since.is_none() {
            return true;
        }
        let ProjectionSource { registers, settings, .. } = source;
        let book = Rulebook { registers, settings, summaries: &self.summaries };
        let places = registers.user_places(user_id);
        places.member.is_some() || book.source::<Users>(self.visible, &places.told).is_some()
    }

    /// Shows everybody anew, because the session or the room was not shown before.
    ///
    /// What the media server said before is hidden by then: by the change that closed the session, or
    /// because the room was not listed. Memberships were seen all along if the room was listed.
    pub(super) fn tell_all_anew(
        &mut self,
        source: ProjectionSource<'_>,
        before: &Before,
        target: &Target<'_>,
        keeps: bool,
        widened: &Widened,
        cx: &mut Context<'_>,
    ) {
        let (looked, members) = (&before.looked, &source.registers.members);
        let left_over = |user_id: &UserId| match (looked, target) {
            (Looked::User(user), Target::User(id, _)) if *id.id == *user_id => {
                Some(user.without_source()).filter(|user| user.is_member)
            }
            (Looked::Everybody(everybody), _) => {
                let user = everybody.users.get(user_id)?;
                Some(user.without_source()).filter(|user| user.is_member)
            }
            _ => {
                // The input concerns somebody else, so the membership is as it was.
                let member = members.get(user_id).filter(|_| before.was_listed)?;
                Some(UserBefore::member(member.membership().joined_at))
            }
        };
        self.tell_users(source, left_over, widened, cx);
        self.tell_gone(source, looked, target, keeps, widened, cx);
        self.tell_streams(source, None, widened, cx);
    }

    /// Lists the streams anew, and notes which went, came, or look different. `before` is what readers saw;
    /// `None` if they saw no stream.
    pub(super) fn tell_streams(
        &mut self,
        source: ProjectionSource<'_>,
        before: Option<&EverybodyBefore>,
        widened: &Widened,
        cx: &mut Context<'_>,
    ) {
        let ProjectionSource { id, registers, settings } = source;
        let book = Rulebook { registers, settings, summaries: &self.summaries };
        let streams = streams_of(book, self.visible);
        let is_open: BTreeSet<_> = streams.iter().map(|(_, id)| id).collect();
        for (_, stream_id) in &self.streams {
            if !is_open.contains(stream_id) {
                let ended = widened.ended.clone();
                cx.log.note(id, cx.cause, Note::StreamClosed(stream_id.clone(), ended));
            }
        }
        for (_, stream_id) in &streams {
            let places = registers.stream_places(stream_id);
            let held = book.source::<Streams>(self.visible, &places.told);
            let seen = before.and_then(|before| Some((before, before.streams.get(stream_id)?)));
            match seen.filter(|(_, stream)| stream.place().is_some()) {
                None => cx.log.note(id, cx.cause, Note::StreamOpened(stream_id.clone())),
                Some((before, stream))
                    if !stream.is_source(held)
                        || before.attributes.get(stream_id) != registers.attributes_at(&places) =>
                {
                    cx.log.note(id, cx.cause, Note::StreamUpdated(stream_id.clone()));
                }
                Some(_) => {}
            }
        }
        self.streams = streams;
    }
}
