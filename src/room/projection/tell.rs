//! What readers are told: each difference between what was shown and what is shown now.

use std::collections::BTreeSet;

use crate::model::id::{StreamId, UserId};
use crate::model::visible::Session;
use crate::registers::kind::{Streams, Users};
use crate::registers::places::{StreamPlaces, Target, UserPlaces};
use crate::room::before::{Looked, StreamBefore, UserBefore};
use crate::room::context::Context;
use crate::room::notes::Note;
use crate::room::projection::{Moved, Projection, ProjectionSource, Widened};
use crate::room::visible::VisibleUser;
use crate::rules::Rulebook;
use crate::rules::lists::{earliest, listed_since, streams_of};
use crate::rules::visibility::{Source, Visible};

impl Projection {
    /// Tells how the session that stays visible looks different.
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
        let opened_at = match (create, shown.opened_at.filter(|_| shown.inferred)) {
            (Some(create), _) => Some(create.created_at),
            (None, None) => earliest(book, self.visible),
            // An inferred session opened no later than what is in it.
            (None, Some(before)) => match moved {
                Moved::Nobody => Some(before),
                Moved::One { gone, came } if gone == came => Some(before),
                Moved::One { gone, came } if gone != Some(before) => {
                    Some(came.map_or(before, |came| came.min(before)))
                }
                Moved::One { .. } | Moved::Everybody => earliest(book, self.visible),
            },
        };
        let name = session.and_then(|session| session.name.as_ref()).map(|name| &name.name);
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

    /// Notes what became of one user.
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

    /// Notes what became of one stream.
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

    /// Orders the users anew, and notes who came and who looks different, in that order.
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

    /// Notes who left: members alone if what the media server told is hidden anyway.
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

    /// Whether somebody who was in the list is in it still.
    fn has_user(
        &self,
        source: ProjectionSource<'_>,
        user_id: &UserId,
        before: &UserBefore,
    ) -> bool {
        if before.since.is_none() {
            return true; // never was
        }
        let ProjectionSource { registers, settings, .. } = source;
        let book = Rulebook { registers, settings, summaries: &self.summaries };
        let places = registers.user_places(user_id);
        places.member.is_some() || book.source::<Users>(self.visible, &places.told).is_some()
    }

    /// Orders the streams anew, and notes those that came, look different, or went.
    pub(super) fn tell_streams(
        &mut self,
        source: ProjectionSource<'_>,
        before: impl Fn(&StreamId) -> Option<StreamBefore>,
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
            match before(stream_id).filter(|before| before.place().is_some()) {
                None => cx.log.note(id, cx.cause, Note::StreamOpened(stream_id.clone())),
                Some(before) if !before.is_source(held) => {
                    cx.log.note(id, cx.cause, Note::StreamUpdated(stream_id.clone()));
                }
                Some(_) => {}
            }
        }
        self.streams = streams;
    }
}
