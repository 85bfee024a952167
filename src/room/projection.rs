//! Step 6: the projection. It is what follows from the registers, kept beside them so that reading costs
//! nothing.
//!
//! It is a function of the registers and the settings: [`Projection::of`]. The door alone writes it,
//! through the methods here, in `tell.rs`, `roles.rs` and `schedule.rs`. With `--cfg room_registry_check`,
//! the door compares it with [`Projection::of`] after each operation.
//!
//! [`Projection::project`] also notes each difference as a change, in the order in which a mirror applies
//! changes (law 1.6). If the visible session stays, only those are compared whom the input concerns. If it
//! does not, one change hides all of it, and further changes show what is visible now.

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
use crate::room::before::{Before, Looked};
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

/// What follows from the registers of a room. The fields lie in memory in this order, before the rest of
/// the room. So a heartbeat finds what it looks at side by side.
#[derive(Debug, Clone, Default)]
#[repr(C)]
pub(crate) struct Projection {
    /// What the users and streams of each session come to, by the index of the session.
    pub(crate) summaries: SmallVec<[Summary; 1]>,
    /// The users, in the order of law 4.9: since when each is in the list, then the id.
    pub(crate) users: Order<(Timestamp, UserId)>,
    /// How many users have each role, and whose role does not count (laws 18.9 and 18.12).
    pub(crate) roles: Roles,
    /// The streams, in the order of law 4.9: the creation time, then the id.
    pub(crate) streams: Order<(Timestamp, StreamId)>,
    /// The signs of loss that readers see, because they were reported (law 10.5).
    pub(crate) suspicions: Vec<Suspicion>,
    /// Since when there are signs that an answer of the media server could resolve, for the planner.
    pub(crate) worth_asking: WorthAsking,
    /// When something can next be forgotten, and of whom. Step 7 writes it.
    pub(crate) schedule: Schedule,
    /// Since when (local time) there is a sign of loss that was not reported yet.
    pub(crate) unreported_since: Option<Timestamp>,
    /// Which session is visible (laws 4.4 and 15.7); `None` if none is.
    pub(crate) visible: Option<Visible>,
    /// What readers see of the visible session. It is there if and only if `visible` is.
    pub(crate) session: Option<Session>,
}

/// What step 5 found out, for the projection.
#[derive(Debug)]
pub(crate) struct Widened {
    /// Which session is visible now.
    pub(crate) visible: Option<Visible>,
    /// Whether the business info changed.
    pub(crate) is_info_changed: bool,
    /// Whether a membership, a note or attributes of the concerned user or stream changed.
    pub(crate) is_content_changed: bool,
    /// Whose membership a merge replaced.
    pub(crate) updated: Vec<UserId>,
    /// Whether users or streams of the visible session lost facts to a bound that rose (law 3.5). Nobody
    /// looked at these, unless step 3 looked at everybody.
    pub(crate) is_visible_lost: bool,
    /// When and why those went who are gone now (law 1.8).
    pub(crate) ended: Ended,
}

/// What projecting did, for the registers that follow from it (`record.rs`).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Projected {
    /// Whether the session that was visible is hidden now. Another one may be visible in its place.
    pub(crate) is_session_hidden: bool,
    /// Whether what is visible now was shown anew: a session that was not visible before, or the same one
    /// after a bound rose.
    pub(crate) is_session_changed: bool,
}

/// What the projection is computed from. It is borrowed field by field, because the projection itself is
/// borrowed to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProjectionSource<'a> {
    /// The id of the room, for notes of changes.
    pub(crate) id: &'a RoomId,
    /// What is known.
    pub(crate) registers: &'a Registers,
    /// The settings of the room.
    pub(crate) settings: &'a Rules,
}

/// Whose coming or going may have moved the opening time of an inferred session. That time is the earliest
/// login or stream creation in it (law 4.6).
#[derive(Debug, Clone, Copy)]
enum Moved {
    /// The input concerned no user and no stream.
    Nobody,
    /// One user or stream: the times, if known, of what left the visible session and of what came into it.
    One { gone: Option<Timestamp>, came: Option<Timestamp> },
    /// Anybody may have.
    Everybody,
}

impl Moved {
    /// Returns when an inferred session opened that opened at `before` until now (law 4.6). To find the
    /// `earliest` login or stream in it costs everybody, so that is asked only if the one of `before` may have
    /// gone.
    fn opening_time(
        self,
        before: Timestamp,
        earliest: impl FnOnce() -> Option<Timestamp>,
    ) -> Option<Timestamp> {
        match self {
            Self::Nobody => Some(before),
            Self::One { gone, came } if gone == came => Some(before),
            Self::One { gone, came } if gone != Some(before) => {
                Some(came.map_or(before, |came| came.min(before)))
            }
            Self::One { .. } | Self::Everybody => earliest(),
        }
    }
}

impl Projection {
    /// Computes the projection from the registers alone, for a room that comes from a store. Cost:
    /// everything that is known of the room.
    #[cfg(any(feature = "serde", room_registry_check))]
    pub(crate) fn of(registers: &Registers, settings: &Rules) -> Self {
        let mut projection = Self::default();
        projection.summarise(registers, settings);
        let book = Rulebook { registers, settings, summaries: &projection.summaries };
        let visible = book.visible();
        let session = session_of(book, visible);
        let streams = streams_of(book, visible);
        let is_listed = book.is_listed(visible);
        projection = Self { streams, visible, session, ..projection };
        if is_listed {
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

    /// Summarises the sessions that are left after some were dropped, and finds the visible one again.
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

    /// Brings the summaries up to date after a join that concerned one user or stream. `before` is what
    /// that one added to each summary before.
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

    /// Replaces what one user or stream adds to the summary of each session. If its fact was the newest of a
    /// session and went, that session is summarised anew.
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

    /// Returns whether the visible session stays, so that those whom the input concerns can be compared one by
    /// one. Also returns whether it was unknown and has a name now: the same people are in it (law 15.8).
    ///
    /// If a bound took facts of others in the session, that is not enough: nobody looked at those. Then the
    /// session counts as another one. To have had no session, and to have none, counts as staying.
    #[inline]
    fn compare_session(
        &self,
        registers: &Registers,
        before: &Before,
        widened: &Widened,
    ) -> (bool, bool) {
        let is_known = |session: Option<Visible>| matches!(session, Some(Visible::Session(_)));
        let index = widened.visible.map(Visible::index);
        let session_id =
            index.map(|index| index.and_then(|index| registers.sessions[index].id.as_ref()));
        let was = self.session.as_ref().map(|session| session.session_id.as_ref());
        // Neither the unknown session nor the nameless one has an id.
        let is_same = was == session_id && is_known(self.visible) == is_known(widened.visible);
        let is_named = self.visible == Some(Visible::Unknown) && is_known(widened.visible);
        let is_everybody = matches!(before.looked, Looked::Everybody(_));
        let keeps = is_same && !widened.is_visible_lost || (is_same || is_named) && is_everybody;
        (keeps, is_named)
    }

    /// Brings what readers see up to date, and notes each difference as a change.
    ///
    /// The order of the notes is that in which a mirror applies them. The session that closed comes first,
    /// and takes all that the media server said along. The room and the session that opened come next, and
    /// then those who are in it.
    pub(crate) fn project(
        &mut self,
        source: ProjectionSource<'_>,
        before: &Before,
        target: &Target<'_>,
        widened: &Widened,
        cx: &mut Context<'_>,
    ) -> Projected {
        let ProjectionSource { id, registers, settings } = source;
        let book = Rulebook { registers, settings, summaries: &self.summaries };
        let is_listed = book.is_listed(widened.visible);
        let (keeps, is_named) = self.compare_session(registers, before, widened);
        self.visible = widened.visible;
        let mut projected = Projected::default();
        let mut note = |note| cx.log.note(id, cx.cause, note);

        if !keeps && let Some(session) = self.session.take() {
            note(Note::SessionClosed(session.session_id));
            projected.is_session_hidden = true;
        }
        if !is_listed {
            if before.was_listed {
                // One change takes everybody along (law 1.8).
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
                self.tell_streams(source, Some(everybody), widened, cx);
            }
            (Looked::User(user), Target::User(user_id, places)) if keeps && before.was_listed => {
                moved = self.tell_user(source, &user_id.id, places, user, widened, cx);
            }
            (Looked::Stream(stream), Target::Stream(stream_id, places)) if keeps => {
                moved = self.tell_stream(source, &stream_id.id, places, stream, widened, cx);
            }
            _ if keeps && before.was_listed => {} // nobody was looked at, and nobody is concerned
            _ => self.tell_all_anew(source, before, target, keeps, widened, cx),
        }
        // Nobody else can have moved the opening time. If everybody was looked at, it was told above.
        if keeps && !matches!(before.looked, Looked::Everybody(_)) {
            self.tell_session(source, moved, is_named, cx);
        }
        projected
    }

    /// Lists the users anew, with their roles. Cost: the users.
    fn list_users(&mut self, registers: &Registers, settings: &Rules) {
        let book = Rulebook { registers, settings, summaries: &self.summaries };
        self.roles = Roles::default();
        let users = users_of(book, self.visible).filter_map(|ListedUser { id, member, source }| {
            self.roles.add(VisibleUser::of(id, member, source, book));
            Some((listed_since(member, source)?, id.clone()))
        });
        self.users = users.collect();
    }

    /// Finds out which signs of loss readers see, since when others wait, and what is worth asking about.
    fn sign(&mut self, registers: &Registers, settings: &Rules) {
        let book = Rulebook { registers, settings, summaries: &self.summaries };
        let is_listed = book.is_listed(self.visible);
        self.suspicions = book.suspicions(self.visible, |sign| is_listed && sign.reported);
        self.unreported_since = book.unreported_since(self.visible);
        self.worth_asking = book.worth_asking(self.visible, CanAsk::Both);
    }

    /// Does the same, and notes which suspicions were raised or withdrawn (laws 10.5 and 10.6). If one
    /// changed, such as by another gap, it is raised again as it is now.
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
