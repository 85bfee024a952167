//! The projection: what follows from the registers, kept beside them so that reading costs nothing.
//!
//! It is a function of the registers and the settings: [`Projection::of`]. The door alone writes it, here
//! and in `schedule.rs`. This file notes each difference as a change. If the visible session stays, only
//! those are compared whom the operation concerns. If not, one change hides all, and the rest shows it anew.

use std::collections::BTreeSet;

use smallvec::SmallVec;

use crate::collections::order::Order;
use crate::model::config::Rules;
use crate::model::id::{RoomId, StreamId, UserId};
use crate::model::suspicion::Suspicion;
use crate::model::time::Timestamp;
use crate::model::visible::Session;
use crate::registers::Registers;
use crate::registers::kind::{Streams, Users};
use crate::registers::places::{StreamPlaces, Target, UserPlaces};
use crate::room::before::{Before, Looked, StreamBefore, UserBefore};
use crate::room::context::Context;
use crate::room::notes::{Ended, Note};
use crate::room::schedule::Schedule;
use crate::room::visible::VisibleUser;
use crate::rules::Rulebook;
use crate::rules::lists::{earliest, session_of, streams_of, users_of};
use crate::rules::signs::WorthAsking;
use crate::rules::summary::Summary;
use crate::rules::visibility::{self, Visible};

/// What follows from the registers of a room.
#[derive(Debug, Clone, Default)]
pub(crate) struct Projection {
    /// When something can next be forgotten, and of whom.
    pub(crate) schedule: Schedule,
    /// Since when there is a sign of loss that was not reported yet.
    pub(crate) unreported_since: Option<Timestamp>,
    /// Which session is visible.
    pub(crate) visible: Option<Visible>,
    /// One summary a session, by its index.
    pub(crate) summaries: SmallVec<[Summary; 1]>,
    /// The users, by since when they are in the list.
    pub(crate) users: Order<(Timestamp, UserId)>,
    /// Those of the users who do not count.
    pub(crate) uncounted: BTreeSet<UserId>,
    /// The streams, by when they came.
    pub(crate) streams: Order<(Timestamp, StreamId)>,
    /// What readers see of the visible session.
    pub(crate) session: Option<Session>,
    /// What was reported of losses.
    pub(crate) suspicions: Vec<Suspicion>,
    pub(crate) worth_asking: WorthAsking,
}

/// What the steps before found out, for the projection.
#[derive(Debug)]
pub(crate) struct Found {
    /// Which session is visible now.
    pub(crate) visible: Option<Visible>,
    /// Whether the business info is another.
    pub(crate) is_info_other: bool,
    /// Whether a membership or attributes of the concerned user or stream are others.
    pub(crate) is_content_other: bool,
    /// Whose membership a merge replaced.
    pub(crate) updated: Vec<UserId>,
    /// Whether the visible session lost a user or a stream to a bound.
    pub(crate) is_visible_lost: bool,
    /// When and why those went who did.
    pub(crate) ended: Ended,
}

/// What projecting did, for those who write it down in the registers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Projected {
    /// Whether the session that was visible is not any more.
    pub(crate) is_session_hidden: bool,
    /// Whether a session became visible, or another one.
    pub(crate) is_session_other: bool,
}

/// The registers of a room, as the projection reads them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) id: &'a RoomId,
    pub(crate) registers: &'a Registers,
    pub(crate) settings: &'a Rules,
}

/// What may have moved the opening of an inferred session.
#[derive(Debug, Clone, Copy)]
enum Moved {
    Nobody,
    /// One user or stream: the known times of what left the visible session, and of what came into it.
    One {
        gone: Option<Timestamp>,
        came: Option<Timestamp>,
    },
    Everybody,
}

impl Projection {
    /// Projects the registers from nothing. Cost: everything that is known of the room.
    #[cfg(any(feature = "serde", room_registry_check))]
    pub(crate) fn of(registers: &Registers, settings: &Rules) -> Self {
        let mut projection = Self::default();
        projection.summarise(registers, settings);
        let book = Rulebook { registers, settings, summaries: &projection.summaries };
        let visible = book.visible();
        let session = session_of(book, visible);
        let is_listed = registers.info.is_some() || visible.is_some();
        let users = if is_listed { users_of(book, visible) } else { Order::default() };
        let streams = streams_of(book, visible);
        projection = Self { visible, users, streams, session, ..projection };
        projection.recount(registers, settings);
        let book = Rulebook { registers, settings, summaries: &projection.summaries };
        projection.schedule.rebuild(book, visible);
        projection.sign(registers, settings);
        projection
    }

    /// Makes room for the summary of a session that was put in.
    pub(crate) fn session_inserted(&mut self, index: usize) {
        self.summaries.insert(index, Summary::default());
        if let Some(Visible::Session(visible)) = &mut self.visible
            && *visible >= index
        {
            *visible += 1;
        }
    }

    /// Takes out the summary of a session that was taken out.
    pub(crate) fn session_removed(&mut self, index: usize) {
        self.summaries.remove(index);
        if let Some(Visible::Session(visible)) = &mut self.visible
            && *visible > index
        {
            *visible -= 1;
        }
    }

    /// Finds the sessions anew: some were dropped.
    pub(crate) fn sessions_dropped(&mut self, registers: &Registers, rules: &Rules) {
        self.summarise(registers, rules);
        let id = self.session.as_ref().and_then(|session| session.session_id.as_ref());
        if let Some(index) = id.and_then(|id| registers.session_index(id)) {
            self.visible = Some(Visible::Session(index));
        }
    }

    /// Summarises every session anew. Cost: everybody in them.
    pub(crate) fn summarise(&mut self, registers: &Registers, rules: &Rules) {
        let sessions = registers.sessions.iter();
        self.summaries = sessions.map(|session| Summary::of(session, rules)).collect();
    }

    /// Brings the summaries up to date after an operation that concerned one user or stream.
    pub(crate) fn summarise_target(
        &mut self,
        registers: &Registers,
        rules: &Rules,
        before: &[Summary],
        target: &Target<'_>,
    ) {
        match target {
            Target::Session => {}
            Target::User(_, places) => {
                let after = Summary::parts::<Users>(registers, &places.told, rules);
                self.replace_parts(registers, rules, before, after);
            }
            Target::Stream(_, places) => {
                let after = Summary::parts::<Streams>(registers, &places.told, rules);
                self.replace_parts(registers, rules, before, after);
            }
        }
    }

    fn replace_parts(
        &mut self,
        registers: &Registers,
        rules: &Rules,
        before: &[Summary],
        after: impl Iterator<Item = Summary>,
    ) {
        for (index, (before, after)) in before.iter().zip(after).enumerate() {
            if self.summaries[index].replace(*before, after) {
                self.summaries[index] = Summary::of(&registers.sessions[index], rules);
            }
        }
    }

    /// Brings what readers see up to date, and notes each difference as a change.
    pub(crate) fn project(
        &mut self,
        source: Source<'_>,
        before: &Before,
        target: &Target<'_>,
        found: &Found,
        cx: &mut Context<'_>,
    ) -> Projected {
        let Source { id, registers, settings } = source;
        let is_listed = registers.info.is_some() || found.visible.is_some();
        let index = found.visible.map(Visible::index);
        let session_id = index.map(|index| index.map(|index| &registers.sessions[index].id));
        let was = self.session.as_ref().map(|session| session.session_id.as_ref());
        let is_same = was == session_id;
        // The session that was not known turns out to be one that is: the same people are in it.
        let is_named = was == Some(None) && session_id.flatten().is_some();
        let keeps = is_same && !found.is_visible_lost
            || (is_same || is_named) && matches!(before.looked, Looked::Everybody(_));
        self.visible = found.visible;
        let mut projected = Projected::default();
        let mut note = |note| cx.log.note(id, cx.cause, note);

        if !keeps && let Some(session) = self.session.take() {
            note(Note::SessionClosed(session.session_id));
            projected.is_session_hidden = true;
        }
        if !is_listed {
            if before.was_listed {
                self.users.clear();
                self.uncounted.clear();
                self.streams.clear();
                note(Note::RoomUnlisted);
            }
            return projected;
        }
        if before.was_listed && found.is_info_other {
            note(Note::RoomUpdated);
        }
        if !keeps {
            self.streams.clear();
            let book = Rulebook { registers, settings, summaries: &self.summaries };
            self.session = session_of(book, self.visible);
            projected.is_session_other = true;
        }
        if !before.was_listed {
            note(Note::RoomListed);
        } else if !keeps && self.session.is_some() {
            note(Note::SessionOpened);
        }
        let mut moved = Moved::Nobody;
        match (&before.looked, target) {
            (Looked::Everybody(everybody), _) if keeps => {
                self.tell_session(source, Moved::Everybody, is_named, cx);
                self.tell_users(source, |id| everybody.users.get(id).cloned(), found, cx);
                self.tell_gone(source, &before.looked, target, keeps, found, cx);
                self.tell_streams(source, |id| everybody.streams.get(id).cloned(), found, cx);
            }
            (Looked::User(user), Target::User(user_id, places)) if keeps && before.was_listed => {
                moved = self.tell_user(source, &user_id.id, places, user, found, cx);
            }
            (Looked::Stream(stream), Target::Stream(stream_id, places)) if keeps => {
                moved = self.tell_stream(source, &stream_id.id, places, stream, found, cx);
            }
            _ if keeps && before.was_listed => {}
            (looked, _) => {
                // What was shown of the media server's is hidden; memberships stayed as they were.
                let was_listed = before.was_listed;
                let hidden = |user_id: &UserId| match (looked, target) {
                    (Looked::User(user), Target::User(id, _)) if *id.id == *user_id => {
                        Some(user.without_source()).filter(|user| user.is_member)
                    }
                    (Looked::Everybody(everybody), _) => {
                        let user = everybody.users.get(user_id)?;
                        Some(user.without_source()).filter(|user| user.is_member)
                    }
                    _ => {
                        let member = registers.members.get(user_id).filter(|_| was_listed)?;
                        Some(UserBefore::member(member.membership().joined_at))
                    }
                };
                self.tell_users(source, hidden, found, cx);
                self.tell_gone(source, looked, target, keeps, found, cx);
                self.tell_streams(source, |_| None, found, cx);
            }
        }
        if keeps && !matches!(before.looked, Looked::Everybody(_)) {
            self.tell_session(source, moved, is_named, cx);
        }
        projected
    }

    /// Tells how the session that stays visible looks different.
    fn tell_session(
        &mut self,
        source: Source<'_>,
        moved: Moved,
        is_named: bool,
        cx: &mut Context<'_>,
    ) {
        let Source { id, registers, settings } = source;
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
                session_id: session.map(|session| session.id.clone()),
                opened_at,
                inferred: create.is_none(),
                creator_id: create.and_then(|create| create.creator_id.clone()),
                room_name: name.cloned(),
            });
            cx.log.note(id, cx.cause, Note::SessionUpdated);
        }
    }

    /// Notes what became of one user.
    fn tell_user(
        &mut self,
        source: Source<'_>,
        user_id: &UserId,
        places: &UserPlaces,
        before: &UserBefore,
        found: &Found,
        cx: &mut Context<'_>,
    ) -> Moved {
        let Source { id, registers, settings } = source;
        let book = Rulebook { registers, settings, summaries: &self.summaries };
        let held = book.source::<Users>(self.visible, &places.told);
        let member = places.member.and_then(|place| registers.members.at(place));
        let login_at = held.and_then(visibility::Source::began_at);
        let joined_at = member.map(|member| member.membership().joined_at);
        let since = joined_at.or_else(|| held.map(|_| login_at.unwrap_or_default()));
        let moved = Moved::One { gone: before.login_at(), came: login_at };
        let is_same = before.since == since
            && before.is_member == member.is_some()
            && !found.is_content_other
            && before.is_source(held)
            && before.note.as_ref() == book.note(user_id, member.is_some(), held);
        if is_same {
            return moved;
        }
        if !settings.uncounted_roles.is_empty() {
            let user = VisibleUser::of(user_id, member, held, book);
            if since.is_some() && !user.is_counted {
                self.uncounted.insert(user_id.clone());
            } else {
                self.uncounted.remove(user_id);
            }
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
            (Some(_), None) => Note::UserLeft(user_id.clone(), found.ended.clone()),
        };
        cx.log.note(id, cx.cause, note);
        moved
    }

    /// Notes what became of one stream.
    fn tell_stream(
        &mut self,
        source: Source<'_>,
        stream_id: &StreamId,
        places: &StreamPlaces,
        before: &StreamBefore,
        found: &Found,
        cx: &mut Context<'_>,
    ) -> Moved {
        let Source { id, registers, settings } = source;
        let book = Rulebook { registers, settings, summaries: &self.summaries };
        let held = book.source::<Streams>(self.visible, &places.told);
        let created_at = held.and_then(visibility::Source::began_at);
        let moved = Moved::One { gone: before.created_at(), came: created_at };
        if before.is_source(held) && !found.is_content_other {
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
            (Some(_), None) => Note::StreamClosed(stream_id.clone(), found.ended.clone()),
        };
        cx.log.note(id, cx.cause, note);
        moved
    }

    /// Orders the users anew, and notes who came and who looks different, in that order.
    fn tell_users(
        &mut self,
        source: Source<'_>,
        before: impl Fn(&UserId) -> Option<UserBefore>,
        found: &Found,
        cx: &mut Context<'_>,
    ) {
        let Source { id, registers, settings } = source;
        let book = Rulebook { registers, settings, summaries: &self.summaries };
        self.users = users_of(book, self.visible);
        let uncounted = std::mem::take(&mut self.uncounted);
        self.recount(registers, settings);
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
                && before.note.as_ref() == book.note(user_id, is_member, held)
                && uncounted.contains(user_id) == self.uncounted.contains(user_id)
                && !found.updated.contains(user_id);
            if !is_same {
                cx.log.note(id, cx.cause, Note::UserUpdated(user_id.clone()));
            }
        }
    }

    /// Finds out anew who does not count.
    fn recount(&mut self, registers: &Registers, settings: &Rules) {
        self.uncounted.clear();
        if settings.uncounted_roles.is_empty() {
            return; // as nearly always
        }
        let book = Rulebook { registers, settings, summaries: &self.summaries };
        for (_, id) in &self.users {
            let places = registers.user_places(id);
            let member = places.member.and_then(|place| registers.members.at(place));
            let source = book.source::<Users>(self.visible, &places.told);
            if !VisibleUser::of(id, member, source, book).is_counted {
                self.uncounted.insert(id.clone());
            }
        }
    }

    /// Notes who left: members alone if what the media server told is hidden anyway.
    fn tell_gone(
        &self,
        source: Source<'_>,
        looked: &Looked,
        target: &Target<'_>,
        keeps: bool,
        found: &Found,
        cx: &mut Context<'_>,
    ) {
        let mut tell = |user_id: &UserId, before: &UserBefore| {
            if (keeps || before.is_member) && !self.has_user(source, user_id, before) {
                let ended = found.ended.clone();
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
    fn has_user(&self, source: Source<'_>, user_id: &UserId, before: &UserBefore) -> bool {
        if before.since.is_none() {
            return true; // never was
        }
        let Source { registers, settings, .. } = source;
        let book = Rulebook { registers, settings, summaries: &self.summaries };
        let places = registers.user_places(user_id);
        places.member.is_some() || book.source::<Users>(self.visible, &places.told).is_some()
    }

    /// Orders the streams anew, and notes those that came, look different, or went.
    fn tell_streams(
        &mut self,
        source: Source<'_>,
        before: impl Fn(&StreamId) -> Option<StreamBefore>,
        found: &Found,
        cx: &mut Context<'_>,
    ) {
        let Source { id, registers, settings } = source;
        let book = Rulebook { registers, settings, summaries: &self.summaries };
        let streams = streams_of(book, self.visible);
        let is_open: BTreeSet<_> = streams.iter().map(|(_, id)| id).collect();
        for (_, stream_id) in &self.streams {
            if !is_open.contains(stream_id) {
                let ended = found.ended.clone();
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

    /// Finds out which signs of loss are raised.
    fn sign(&mut self, registers: &Registers, settings: &Rules) {
        let book = Rulebook { registers, settings, summaries: &self.summaries };
        self.suspicions = book.suspicions(self.visible, |sign| sign.reported);
        self.unreported_since = book.unreported_since(self.visible);
        self.worth_asking = book.worth_asking(self.visible);
    }

    /// Finds out which signs of loss are raised, and notes what is suspected now that was not, or is not
    /// any more.
    pub(crate) fn tell_signs(&mut self, source: Source<'_>, cx: &mut Context<'_>) {
        let Source { id, registers, settings } = source;
        let before = std::mem::take(&mut self.suspicions);
        self.sign(registers, settings);
        let is_listed = registers.info.is_some() || self.session.is_some();
        if before == self.suspicions || !is_listed {
            return;
        }
        let subject = |suspicion: &Suspicion| (suspicion.list, suspicion.sign);
        for gone in &before {
            if self.suspicions.iter().all(|held| subject(held) != subject(gone)) {
                cx.log.note(id, cx.cause, Note::SuspicionWithdrawn(gone.list, gone.sign));
            }
        }
        for held in self.suspicions.iter().filter(|held| !before.contains(held)) {
            cx.log.note(id, cx.cause, Note::SuspicionRaised(held.list, held.sign));
        }
    }
}
