//! One room: the live part, the business info and the memberships together, and the visible state
//! that follows from them.
//!
//! The registers are the truth; what is visible is kept beside them (`shown`, the orders), so that
//! reading costs nothing and a change is told without comparing whole rooms. Every operation ends
//! in [`RoomState::show`] or [`RoomState::user_turned`], the two places that move the visible state.

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;

use crate::collections::id_table::Key;
use crate::collections::order::Order;
use crate::model::change::{Cause, ChangeLog};
use crate::model::config::{Config, Fingerprint};
use crate::model::id::{RoomId, StreamId, StreamSessionId, UserId};
use crate::model::suspicion::{SuspectedList, Suspicion};
use crate::model::text::Attributes;
use crate::model::time::Timestamp;
use crate::model::visible::{RoomInfo, Session};
use crate::read::{StreamRef, UserRef};
use crate::room::facts::Concerned;
use crate::room::live::Live;
use crate::room::members::Members;
use crate::room::shown::{earliest, shown, visible_session};
use crate::room::sight::{LiveStream, LiveUser, Sight, Visible};
use crate::room::suspect::Doubtful;

/// Everything of one room, in memory as it stands here: what a heartbeat looks at and what tells that a
/// callback is outdated come first.
#[derive(Debug, Clone)]
#[repr(C)]
pub(crate) struct RoomState {
    pub(super) id: RoomId,
    /// Our time, as of the last operation.
    pub(super) clock: Timestamp,
    /// When something is next to be forgotten; follows from the rest.
    pub(super) sweep_at: Option<Timestamp>,
    /// Since when something is suspicious that was not reported yet; follows from the rest.
    pub(super) unreported_since: Option<Timestamp>,
    pub(super) members: Members,
    /// What is worth asking about; follows from the rest.
    pub(super) doubtful: Doubtful,
    /// What was reported.
    pub(super) suspicions: Vec<Suspicion>,
    pub(super) live: Live,
    pub(super) info: Option<RoomInfo>,

    /// The settings that decide what is stored here.
    pub(super) settings: Fingerprint,
    /// When the business info last ended, for the retention.
    pub(super) ended_at: Option<Timestamp>,
    /// Since when nobody is in it, our time.
    pub(super) empty_since: Option<Timestamp>,
    /// Since when no session is visible any more, our time; none where none was since the creation.
    pub(super) sessionless_since: Option<Timestamp>,
    /// The application's own attributes of visible streams.
    pub(super) notes: BTreeMap<StreamId, StreamNote>,

    // What follows from the above, kept up to date.
    pub(super) shown: Option<Session>,
    pub(super) users: Order<(Timestamp, UserId)>,
    pub(super) streams: Order<(Timestamp, StreamId)>,
    /// Who is seen by an observation alone, as far as the media server is concerned.
    pub(super) present_users: BTreeSet<UserId>,
    pub(super) present_streams: BTreeSet<StreamId>,
}

/// Attributes of the application's own, for one life of a stream.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct StreamNote {
    /// Our time.
    pub(crate) updated_at: Timestamp,
    /// None where only an observation knows the stream: then whatever life it turns out to be.
    pub(crate) stream_session_id: Option<StreamSessionId>,
    pub(crate) attributes: Attributes,
}

/// What an operation works with.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) config: &'a Config,
    pub(crate) now: Timestamp,
    pub(crate) cause: Cause,
    pub(crate) log: &'a mut ChangeLog,
    /// Whether anything but the clock of the room may be different. What is told of it to a registry
    /// or a planner follows from the rest.
    pub(crate) is_moved: bool,
}

impl<'a> Context<'a> {
    pub(crate) fn new(
        config: &'a Config,
        now: Timestamp,
        cause: Cause,
        log: &'a mut ChangeLog,
    ) -> Self {
        Self { config, now, cause, log, is_moved: false }
    }
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
            users: Order::default(),
            streams: Order::default(),
            present_users: BTreeSet::new(),
            present_streams: BTreeSet::new(),
            sweep_at: None,
            unreported_since: None,
            doubtful: Doubtful::default(),
            suspicions: Vec::new(),
        }
    }

    /// Lets sessions go beyond the cap, never the one that readers see. Tells whether there were more.
    pub(super) fn cap_sessions(&mut self) -> bool {
        let is_over_cap = self.live.is_over_cap();
        if is_over_cap {
            let visible = self.live.visible(&self.settings, self.shows_from());
            let visible = visible.and_then(Visible::session_id).cloned();
            self.live.cap(visible.as_ref());
        }
        is_over_cap
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
    pub(super) fn finish(&mut self, cx: &mut Context<'_>) {
        self.finish_for(Concerned::Everybody, cx);
    }

    /// The same after a callback that concerned nobody else.
    pub(super) fn finish_for(&mut self, concerned: Concerned<'_>, cx: &mut Context<'_>) {
        cx.is_moved = true;
        if self.users.is_empty() {
            self.empty_since.get_or_insert(cx.now);
        } else {
            self.empty_since = None;
        }
        if self.shown.is_some() {
            self.sessionless_since = None;
        }
        self.live.trim(concerned, self.shows_from(), &self.settings);
        self.sweep_at = self.live.next_sweep(self.shows_from(), &self.settings);
        self.report(cx);
    }

    /// Counts anew all that follows from the registers.
    pub(super) fn restore_derived(&mut self) {
        self.live.recount(&self.settings);
        let shows_from = self.shows_from();
        let visible = self.live.visible(&self.settings, shows_from);
        self.shown = visible.map(|visible| {
            let sight = self.live.sight(visible.session(), shows_from);
            shown(visible.session(), earliest(visible.session(), sight))
        });
        self.reorder_users();
        self.reorder_streams();
        self.live.note_all_listed(shows_from, &self.settings);
        self.live.trim(Concerned::Everybody, shows_from, &self.settings);
        self.sweep_at = self.live.next_sweep(self.shows_from(), &self.settings);
    }

    /// Whether attributes are for a stream that is visible.
    pub(super) fn note_fits(&self, stream_id: &StreamId, note: &StreamNote) -> bool {
        let stream = self.stream(stream_id.as_str());
        stream.is_some_and(|stream| {
            note.stream_session_id
                .as_ref()
                .is_none_or(|life| stream.stream_session_id() == Some(life))
        })
    }

    /// Counts the order of the users anew.
    pub(super) fn reorder_users(&mut self) {
        self.users.clear();
        self.present_users.clear();
        if !self.is_listed() {
            return;
        }
        // Put in order all at once, and not one by one.
        let members = self.members.iter();
        let mut users: Vec<_> =
            members.map(|member| (member.membership().joined_at, member.user_id.clone())).collect();
        let mut present = BTreeSet::new();
        if let Some(sight) = self.sight() {
            users.reserve(sight.user_count_at_most());
            for (user_id, user) in sight.users_in_any_order() {
                if let LiveUser::Presence(_) = user {
                    present.insert(user_id.clone());
                }
                if self.members.get(user_id.as_str()).is_none() {
                    users.push((user.login_at().unwrap_or_default(), user_id.clone()));
                }
            }
        }
        self.users = users.into_iter().collect();
        self.present_users = present;
    }

    /// Counts the order of the streams anew.
    pub(super) fn reorder_streams(&mut self) {
        self.streams.clear();
        self.present_streams.clear();
        let Some(sight) = self.sight() else { return };
        let mut present = BTreeSet::new();
        let mut streams = Vec::new();
        for (stream_id, stream) in sight.streams() {
            if let LiveStream::Presence(_) = stream {
                present.insert(stream_id.clone());
            }
            streams.push((stream.created_at().unwrap_or_default(), stream_id.clone()));
        }
        self.streams = streams.into_iter().collect();
        self.present_streams = present;
    }

    /// Business info made after an end shows again a session that the end had hidden.
    pub(super) fn shows_from(&self) -> Option<Timestamp> {
        self.info.as_ref().map(|info| info.created_at)
    }

    /// How readers look at what is shown.
    pub(super) fn sight(&self) -> Option<Sight<'_>> {
        let shown = self.shown.as_ref()?;
        Some(self.live.sight(visible_session(&self.live, Some(shown)), self.shows_from()))
    }

    /// What the media server says of a user.
    pub(super) fn live_user(
        &self,
        user_id: &(impl Key + ?Sized),
    ) -> Option<(&UserId, LiveUser<'_>)> {
        self.sight()?.user(user_id)
    }

    pub(crate) fn settings(&self) -> Fingerprint {
        self.settings
    }

    pub(crate) fn id(&self) -> &RoomId {
        &self.id
    }

    /// Has the memory of the room itself brought here that a heartbeat looks at.
    pub(crate) fn fetch(&self) {
        self.members.fetch();
        black_box((self.id.as_str().len(), self.clock, self.is_listed()));
    }

    /// Has the memory of all of the room itself brought here, at once and not as it is come upon.
    pub(crate) fn fetch_all(&self) {
        self.fetch();
        black_box((self.sweep_at, self.unreported_since, self.doubtful, self.suspicions.len()));
        black_box((self.empty_since, self.ended_at));
        black_box((self.live.latest_create, self.live.observed.is_empty()));
    }

    /// Has the memory brought here that the room refers to.
    pub(crate) fn fetch_lists(&self) {
        // Two stand in a line of memory.
        self.users.few().iter().step_by(2).for_each(|(since, _)| _ = black_box(*since));
        self.live.forgetting.fetch();
        for session in &self.live.sessions {
            session.fetch_all();
        }
    }

    /// The place where a heartbeat of this user finds the membership, likely.
    pub(crate) fn likely_member(&self, user_id: &(impl Key + ?Sized)) -> Option<usize> {
        self.members.likely(user_id)
    }

    /// Has the memory of such a place brought here.
    pub(crate) fn fetch_member(&self, place: usize) {
        self.members.fetch_at(place);
    }

    /// The session and the place in it where a callback about this user finds what is held, likely.
    pub(crate) fn likely_user(&self, user_id: &(impl Key + ?Sized)) -> Option<(usize, usize)> {
        let mut sessions = self.live.sessions.iter().enumerate();
        sessions.find_map(|(index, session)| Some((index, session.users.likely(user_id)?)))
    }

    /// Has the memory of such a place brought here.
    pub(crate) fn fetch_user(&self, (session, place): (usize, usize)) {
        if let Some(session) = self.live.sessions.get(session) {
            session.fetch(place);
        }
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

    pub(crate) fn suspicions(&self) -> &[Suspicion] {
        &self.suspicions
    }

    /// Until when both lists were confirmed.
    pub(crate) fn confirmed_at(&self) -> Option<Timestamp> {
        self.live.confirmed_at(SuspectedList::Both, None)
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

    pub(crate) fn users_in_order(&self) -> impl DoubleEndedIterator<Item = UserRef<'_>> {
        let mut reading = self.reading();
        self.users.iter().filter_map(move |(_, user_id)| reading.user(user_id))
    }

    pub(crate) fn user_order(&self) -> &Order<(Timestamp, UserId)> {
        &self.users
    }

    pub(crate) fn stream_order(&self) -> &Order<(Timestamp, StreamId)> {
        &self.streams
    }

    pub(crate) fn streams_in_order(&self) -> impl DoubleEndedIterator<Item = &StreamId> {
        self.streams.iter().map(|(_, stream_id)| stream_id)
    }

    pub(crate) fn user(&self, user_id: &(impl Key + ?Sized)) -> Option<UserRef<'_>> {
        let user_id = &user_id.hashed();
        UserRef::of(self.members.get(user_id), self.live_user(user_id))
    }

    /// Its users one after the other, for those who read the list.
    pub(crate) fn reading(&self) -> Reading<'_> {
        Reading { room: self, sight: self.sight(), member: usize::MAX, live: usize::MAX }
    }

    pub(crate) fn stream(&self, stream_id: &str) -> Option<StreamRef<'_>> {
        let (stream_id, stream) = self.sight()?.stream(stream_id)?;
        let attributes =
            self.notes.get(stream_id).map_or(Attributes::NONE, |note| &note.attributes);
        StreamRef::new(stream_id, stream, attributes)
    }
}

/// Somebody who reads the list of users, and keeps in mind who was read last.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    room: &'a RoomState,
    sight: Option<Sight<'a>>,
    /// Where the last one was found.
    member: usize,
    live: usize,
}

impl<'a> Reading<'a> {
    pub(crate) fn user(&mut self, user_id: &UserId) -> Option<UserRef<'a>> {
        let live = self.sight.and_then(|sight| sight.user_beside(user_id, &mut self.live));
        let member = self.room.members.get_beside(user_id, &mut self.member);
        UserRef::of(member, live)
    }
}
