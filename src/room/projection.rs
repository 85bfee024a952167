//! The projection: what follows from the registers, kept beside them so that reading costs nothing.
//!
//! It is a function of the registers and the settings: [`Projection::of`]. The door alone writes it, here
//! and in `schedule.rs`. This file notes each difference as a change. If the visible session stays, only
//! those are compared whom the operation concerns. If not, one change hides all, and the rest shows it anew.

mod tell;

use smallvec::SmallVec;

use crate::collections::order::Order;
use crate::model::config::Rules;
use crate::model::id::{RoomId, StreamId, UserId};
use crate::model::suspicion::{CanAsk, Suspicion};
use crate::model::time::Timestamp;
use crate::model::visible::Session;
use crate::registers::Registers;
use crate::registers::kind::{Streams, Users};
use crate::registers::places::Target;
use crate::room::before::{Before, Looked, UserBefore};
use crate::room::context::Context;
use crate::room::notes::{Ended, Note};
use crate::room::roles::Roles;
use crate::room::schedule::Schedule;
use crate::room::visible::VisibleUser;
use crate::rules::Rulebook;
#[cfg(any(feature = "serde", room_registry_check))]
use crate::rules::lists::streams_of;
use crate::rules::lists::{ListedUser, listed_since, session_of, users_of};
use crate::rules::signs::WorthAsking;
use crate::rules::summary::Summary;
use crate::rules::visibility::Visible;

/// What follows from the registers of a room. It lies in memory in this order, before the rest of the room.
#[derive(Debug, Clone, Default)]
#[repr(C)]
pub(crate) struct Projection {
    /// One summary a session, by its index.
    pub(crate) summaries: SmallVec<[Summary; 1]>,
    /// The users, by since when they are in the list.
    pub(crate) users: Order<(Timestamp, UserId)>,
    /// The roles of the users.
    pub(crate) roles: Roles,
    /// The streams, by when they came.
    pub(crate) streams: Order<(Timestamp, StreamId)>,
    /// What was reported of losses.
    pub(crate) suspicions: Vec<Suspicion>,
    pub(crate) worth_asking: WorthAsking,
    /// When something can next be forgotten, and of whom.
    pub(crate) schedule: Schedule,
    /// Since when there is a sign of loss that was not reported yet.
    pub(crate) unreported_since: Option<Timestamp>,
    /// Which session is visible.
    pub(crate) visible: Option<Visible>,
    /// What readers see of the visible session.
    pub(crate) session: Option<Session>,
}

/// What the steps before found out, for the projection.
#[derive(Debug)]
pub(crate) struct Widened {
    /// Which session is visible now.
    pub(crate) visible: Option<Visible>,
    /// Whether the business info is another.
    pub(crate) is_info_changed: bool,
    /// Whether a membership or attributes of the concerned user or stream are others.
    pub(crate) is_content_changed: bool,
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
    pub(crate) is_session_changed: bool,
}

/// The registers of a room, as the projection reads them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProjectionSource<'a> {
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
        let streams = streams_of(book, visible);
        projection = Self { streams, visible, session, ..projection };
        if registers.info.is_some() || visible.is_some() {
            projection.list_users(registers, settings);
        }
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
        if let (Some(Visible::Session(_)), Some(session)) = (self.visible, &self.session)
            && let Some(index) = registers.session_index(session.session_id.as_ref())
        {
            self.visible = Some(Visible::Session(index));
        }
    }

    /// Summarises every session anew. Cost: everybody in them.
    pub(crate) fn summarise(&mut self, registers: &Registers, rules: &Rules) {
        let sessions = registers.sessions.iter();
        self.summaries = sessions.map(|session| Summary::of(session, rules)).collect();
    }

    /// Brings the summaries up to date after an operation that concerned one user or stream.
    #[inline]
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

    #[inline]
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
        source: ProjectionSource<'_>,
        before: &Before,
        target: &Target<'_>,
        widened: &Widened,
        cx: &mut Context<'_>,
    ) -> Projected {
        let ProjectionSource { id, registers, settings } = source;
        let is_listed = registers.info.is_some() || widened.visible.is_some();
        let index = widened.visible.map(Visible::index);
        let is_known = |session: Option<Visible>| matches!(session, Some(Visible::Session(_)));
        let session_id =
            index.map(|index| index.and_then(|index| registers.sessions[index].id.as_ref()));
        let was = self.session.as_ref().map(|session| session.session_id.as_ref());
        let is_same = was == session_id && is_known(self.visible) == is_known(widened.visible);
        // The session that was not known turns out to be one that is: the same people are in it.
        let is_named = self.visible == Some(Visible::Unknown) && is_known(widened.visible);
        let keeps = is_same && !widened.is_visible_lost
            || (is_same || is_named) && matches!(before.looked, Looked::Everybody(_));
        self.visible = widened.visible;
        let mut projected = Projected::default();
        let mut note = |note| cx.log.note(id, cx.cause, note);

        if !keeps && let Some(session) = self.session.take() {
            note(Note::SessionClosed(session.session_id));
            projected.is_session_hidden = true;
        }
        if !is_listed {
            if before.was_listed {
                self.users.clear();
                self.roles = Roles::default();
                self.streams.clear();
                note(Note::RoomUnlisted);
            }
            return projected;
        }
        if before.was_listed && widened.is_info_changed {
            note(Note::RoomUpdated);
        }
        if !keeps {
            self.streams.clear();
            let book = Rulebook { registers, settings, summaries: &self.summaries };
            self.session = session_of(book, self.visible);
            projected.is_session_changed = true;
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
                self.tell_users(source, |id| everybody.users.get(id).cloned(), widened, cx);
                self.tell_gone(source, &before.looked, target, keeps, widened, cx);
                self.tell_streams(source, |id| everybody.streams.get(id).cloned(), widened, cx);
            }
            (Looked::User(user), Target::User(user_id, places)) if keeps && before.was_listed => {
                moved = self.tell_user(source, &user_id.id, places, user, widened, cx);
            }
            (Looked::Stream(stream), Target::Stream(stream_id, places)) if keeps => {
                moved = self.tell_stream(source, &stream_id.id, places, stream, widened, cx);
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
                self.tell_users(source, hidden, widened, cx);
                self.tell_gone(source, looked, target, keeps, widened, cx);
                self.tell_streams(source, |_| None, widened, cx);
            }
        }
        if keeps && !matches!(before.looked, Looked::Everybody(_)) {
            self.tell_session(source, moved, is_named, cx);
        }
        projected
    }

    /// Lists the users anew, with their roles.
    fn list_users(&mut self, registers: &Registers, settings: &Rules) {
        let book = Rulebook { registers, settings, summaries: &self.summaries };
        self.roles = Roles::default();
        let users = users_of(book, self.visible).filter_map(|ListedUser { id, member, source }| {
            self.roles.add(VisibleUser::of(id, member, source, book));
            Some((listed_since(member, source)?, id.clone()))
        });
        self.users = users.collect();
    }

    /// Finds out which signs of loss are raised.
    fn sign(&mut self, registers: &Registers, settings: &Rules) {
        let book = Rulebook { registers, settings, summaries: &self.summaries };
        let is_listed = registers.info.is_some() || self.visible.is_some();
        self.suspicions = book.suspicions(self.visible, |sign| is_listed && sign.reported);
        self.unreported_since = book.unreported_since(self.visible);
        self.worth_asking = book.worth_asking(self.visible, CanAsk::Both);
    }

    /// Finds out which signs of loss are raised, and notes what is suspected now that was not, or is not
    /// any more.
    pub(crate) fn tell_signs(&mut self, source: ProjectionSource<'_>, cx: &mut Context<'_>) {
        let ProjectionSource { id, registers, settings } = source;
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
