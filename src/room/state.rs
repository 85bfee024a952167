//! One room: what is known (the registers), and what follows from it (the projection). Here are its fields,
//! and the questions that readers, the registry and the planner ask. None of them changes anything, except
//! [`RoomState::look_for_timeouts`].
//!
//! What changes a room is in the door and the files of its steps.

use std::sync::Arc;

use crate::collections::hashed::Key;
use crate::collections::order::Order;
use crate::model::command::Lifecycle;
use crate::model::config::{Config, Rules};
use crate::model::id::{RoomId, StreamId, UserId};
use crate::model::suspicion::{CanAsk, Suspicion};
use crate::model::text::Attributes;
use crate::model::time::Timestamp;
use crate::model::visible::{RoomInfo, Session};
use crate::registers::Registers;
use crate::registers::kind::{Streams, Users};
#[cfg(feature = "serde")]
use crate::registers::places::Target;
use crate::registers::places::{StreamPlaces, UserPlaces};
use crate::room::projection::Projection;
use crate::room::roles::Roles;
use crate::room::visible::{VisibleStream, VisibleUser};
use crate::rules::signs::WorthAsking;
use crate::rules::visibility::{Source, Visible};
use crate::rules::{Rulebook, earlier, summary};

/// Everything of one room. The fields lie in memory in this order, so that a heartbeat or an outdated
/// callback finds what it looks at side by side.
#[derive(Debug, Clone)]
#[repr(C)]
pub(crate) struct RoomState {
    /// What follows from the registers. Only the door writes it.
    pub(super) projection: Projection,
    /// The id of the room.
    pub(crate) id: RoomId,
    /// The local time of the last operation. What readers see is as of then.
    pub(crate) clock: Timestamp,
    /// The settings that decide what is stored here. A room keeps those under which it was made (section 22).
    pub(crate) settings: Arc<Rules>,
    /// What is known. It is all that is stored, beside the three fields above.
    pub(crate) registers: Registers,
}

impl RoomState {
    /// Makes a room about which nothing is known.
    pub(crate) fn new(id: RoomId, settings: Arc<Rules>) -> Self {
        Self {
            id,
            clock: Timestamp::MIN,
            settings,
            registers: Registers::default(),
            projection: Projection::default(),
        }
    }

    /// Makes a room of registers that came from a store.
    #[cfg(feature = "serde")]
    pub(crate) fn from_registers(
        id: RoomId,
        clock: Timestamp,
        settings: Arc<Rules>,
        registers: Registers,
    ) -> Self {
        let projection = Projection::of(&registers, &settings);
        let mut room = Self { projection, id, clock, settings, registers };
        room.keep_stream_attributes(&Target::Session, true);
        room
    }

    /// Returns the registers with what rules need beside them.
    #[inline]
    pub(crate) fn rulebook(&self) -> Rulebook<'_> {
        let summaries = &self.projection.summaries;
        Rulebook { registers: &self.registers, settings: &self.settings, summaries }
    }

    /// Whether the room is in the list: it was created and has not ended, or a session of it is visible (law
    /// 4.7).
    #[inline]
    pub(crate) fn is_listed(&self) -> bool {
        self.registers.info.is_some() || self.projection.session.is_some()
    }

    /// Whether nothing at all is stored of it.
    #[inline]
    pub(crate) fn is_forgotten(&self) -> bool {
        !self.is_listed()
            && self.registers.ended_at.is_none()
            && self.registers.is_live_empty()
            && self.registers.refused.is_empty()
            && self.registers.members.is_forgotten()
    }

    /// Returns what commands set for the room; `None` if no command created it, or it ended.
    #[inline]
    pub(crate) fn info(&self) -> Option<&RoomInfo> {
        self.registers.info.as_ref()
    }

    /// Returns what readers see of the visible session.
    #[inline]
    pub(crate) fn session(&self) -> Option<&Session> {
        self.projection.session.as_ref()
    }

    /// Returns which session is visible.
    #[inline]
    pub(crate) fn visible(&self) -> Option<Visible> {
        self.projection.visible
    }

    /// Returns the signs of loss that were reported, by list and sign.
    pub(crate) fn suspicions(&self) -> &[Suspicion] {
        &self.projection.suspicions
    }

    /// Returns what would be suspected at an instant, if signs counted after this grace.
    pub(crate) fn suspicions_as_of(&self, now: Timestamp, grace_ms: u64) -> Vec<Suspicion> {
        let counts = |noticed_at: Timestamp| noticed_at.plus(grace_ms) <= now;
        self.rulebook().suspicions(self.visible(), |sign| counts(sign.noticed_at))
    }

    /// Returns until when (event time) observations confirmed the lists that can be asked for.
    pub(crate) fn confirmed_at(&self, can_ask: CanAsk) -> Option<Timestamp> {
        self.rulebook().confirmed_at(can_ask.list()?, None)
    }

    /// Returns the users that readers see, in order. It is empty if the room is not listed.
    #[inline]
    pub(crate) fn users(&self) -> &Order<(Timestamp, UserId)> {
        &self.projection.users
    }

    /// Returns the streams that readers see, in order.
    #[inline]
    pub(crate) fn streams(&self) -> &Order<(Timestamp, StreamId)> {
        &self.projection.streams
    }

    /// Returns a user whom readers see, by the id or by one that was hashed before.
    pub(crate) fn user(&self, user_id: &(impl Key + ?Sized)) -> Option<VisibleUser<'_>> {
        self.user_at(&self.registers.user_places(user_id))
    }

    /// Returns the user who stands in these places, if readers see one.
    fn user_at(&self, places: &UserPlaces) -> Option<VisibleUser<'_>> {
        if !self.is_listed() {
            return None;
        }
        let member = places.member.and_then(|place| self.registers.members.at(place));
        let source = self.rulebook().source::<Users>(self.visible(), &places.told);
        if member.is_none() && source.is_none() {
            return None;
        }
        let id = self.registers.user_id(places)?;
        Some(VisibleUser::of(id, member, source, self.rulebook()))
    }

    /// Returns a stream that readers see.
    pub(crate) fn stream(&self, stream_id: &(impl Key + ?Sized)) -> Option<VisibleStream<'_>> {
        self.stream_at(&self.registers.stream_places(stream_id))
    }

    /// Returns the stream that stands in these places, if readers see one.
    pub(super) fn stream_at(&self, places: &StreamPlaces) -> Option<VisibleStream<'_>> {
        let source = self.rulebook().source(self.visible(), &places.told)?;
        let attributes = self.registers.attributes_at(places).unwrap_or(Attributes::NONE);
        Some(VisibleStream {
            id: self.registers.told_id::<Streams>(&places.told)?,
            source,
            attributes,
        })
    }

    /// Returns a reader of users one after the other.
    pub(crate) fn reader(&self) -> UserReader<'_> {
        UserReader { room: self, member: usize::MAX, login: usize::MAX }
    }

    /// Returns when an expiry can next change something. The time may be too early if there are many members.
    pub(crate) fn next_expiry(&self, config: &Config) -> Option<Timestamp> {
        let timeout = timeout_at(self.registers.members.unseen_since_exactly(), config);
        earlier(timeout, self.next_expiry_of_others(config))
    }

    /// Returns when a heartbeat is next overdue, or a time before that. Heartbeats that came since the last
    /// look for timeouts may have put it off.
    #[inline]
    pub(crate) fn next_timeout(&self, config: &Config) -> Option<Timestamp> {
        timeout_at(self.registers.members.unseen_since(), config)
    }

    /// Returns when anything else is due, which heartbeats do not put off. It is the first of all that
    /// `expire` does, in the order of `time.rs`.
    #[inline]
    pub(crate) fn next_expiry_of_others(&self, config: &Config) -> Option<Timestamp> {
        let report = self.projection.unreported_since.map(|at| at.plus(config.report_after_ms));
        let lifecycle = self.lifecycle_end(config);
        let unlisted = self.rulebook().listing_ends_at(self.visible());
        let sweep = self.projection.schedule.sweep_at;
        // An end is forgotten once it is older than the retention, so a millisecond after that span.
        let oldest_end = earlier(self.registers.members.oldest_end(), self.registers.ended_at);
        let retention_ms = self.settings.retention_ms;
        let ends = oldest_end.zip(retention_ms).map(|(at, span_ms)| at.plus(span_ms).plus(1));
        let refused = self.rulebook().due(self.registers.refused.first_noticed_at());
        let readers_see = earlier(earlier(report, lifecycle), unlisted);
        if_reachable(earlier(readers_see, earlier(sweep, earlier(ends, refused))))
    }

    /// Returns when the lifecycle ends the room, if nothing changes until then (law 18.7).
    #[inline]
    pub(super) fn lifecycle_end(&self, config: &Config) -> Option<Timestamp> {
        let info = self.registers.info.as_ref()?;
        let end = match info.lifecycle {
            Lifecycle::UntilEnded | Lifecycle::Permanent => None,
            Lifecycle::UntilEmpty => {
                let grace_ms = if self.registers.is_entered {
                    info.empty_grace_ms.unwrap_or(config.empty_grace_ms)
                } else {
                    info.first_join_grace_ms.unwrap_or(config.first_join_grace_ms)
                };
                self.registers.empty_since.map(|since| since.plus(grace_ms))
            }
            Lifecycle::FollowsSession => self.registers.sessionless_since,
        };
        earlier(end, info.ends_at)
    }

    /// Returns how many users the room may have (law 18.8); `None` for any number.
    #[inline]
    pub(crate) fn user_limit(&self, config: &Config) -> Option<usize> {
        let own =
            self.registers.info.as_ref().and_then(|info| info.max_users).map(|own| own as usize);
        match (own, config.max_users_per_room) {
            (Some(own), Some(of_all)) => Some(own.min(of_all)),
            (own, of_all) => own.or(of_all),
        }
    }

    /// Whether the room is full (law 18.8).
    #[inline]
    pub(crate) fn is_full(&self, config: &Config) -> bool {
        self.user_limit(config).is_some_and(|limit| self.user_count() >= limit)
    }

    /// Returns how many users of the list count (law 18.9).
    #[inline]
    pub(crate) fn user_count(&self) -> usize {
        self.projection.users.len() - self.projection.roles.uncounted()
    }

    /// Returns the roles of its users.
    pub(crate) fn roles(&self) -> &Roles {
        &self.projection.roles
    }

    /// Finds out exactly when a heartbeat is next overdue, if that may be now or within a fraction of the
    /// timeout. Then [`next_timeout`](Self::next_timeout) is right, and not only early.
    pub(crate) fn look_for_timeouts(&mut self, config: &Config, now: Timestamp) {
        let timeout_ms = config.heartbeat_timeout_ms;
        self.registers.members.overdue(timeout_ms, now.plus(timeout_ms / LOOK_AHEAD_FRACTION));
    }

    /// Returns when (local time) the visible session last changed, if observations did not confirm its newest
    /// fact yet. The room is quiet once that was long ago (law 17.1).
    pub(crate) fn unconfirmed(&self, can_ask: CanAsk) -> Option<Timestamp> {
        let index = self.visible()?.index()?;
        let session = &self.registers.sessions[index];
        let newest = summary::newest(session, &self.projection.summaries[index]);
        (newest > self.confirmed_at(can_ask)).then_some(session.changed_at)
    }

    /// Returns since when (local time) the room has not been listed and nothing about it has come; `None` if
    /// it is listed. The planner asks about such a room for a while (law 17.3). An opening that came too late
    /// starts that time again, although it left the session as it was.
    pub(crate) fn unlisted_since(&self) -> Option<Timestamp> {
        if self.is_listed() {
            return None;
        }
        let changed_at = self.registers.sessions.iter().map(|session| session.changed_at).max();
        let since = self.registers.sessionless_since.max(self.registers.ended_at).max(changed_at);
        Some(since.max(self.registers.refused.last_noticed_at()).unwrap_or(self.clock))
    }

    /// Returns since when signs are worth asking about (law 17.4). Cost: constant if both lists can be asked
    /// for, else the signs.
    pub(crate) fn worth_asking(&self, can_ask: CanAsk) -> WorthAsking {
        match can_ask {
            CanAsk::Both => self.projection.worth_asking,
            _ => self.rulebook().worth_asking(self.visible(), can_ask),
        }
    }
}

/// [`RoomState::look_for_timeouts`] looks this fraction of the timeout ahead: a quarter. If there are many
/// rooms, the registry examines each up to an eighth of the timeout before something is due in it. So a
/// quarter is enough.
const LOOK_AHEAD_FRACTION: u64 = 4;

/// Reads a list of users, and remembers the places of the last one. Users who came one after the other
/// mostly stand side by side in the tables. So the next place is tried before the id is looked up.
#[derive(Debug)]
pub(crate) struct UserReader<'a> {
    room: &'a RoomState,
    /// The place of the last member that was read; `usize::MAX` before the first.
    member: usize,
    /// The place of the last login that was read; `usize::MAX` before the first.
    login: usize,
}

impl<'a> UserReader<'a> {
    /// Reads one user. It returns what [`RoomState::user`] does, and is faster for lists.
    pub(crate) fn read(&mut self, user_id: &UserId) -> Option<VisibleUser<'a>> {
        let registers = &self.room.registers;
        let visible = self.room.visible();
        // With observations, or with more than one session, the places in all of them count. An end hides
        // single logins of the nameless session (law 21.4). In both cases the rulebook decides. In all others
        // it says what follows here, and a page costs a third more: a check compares the two.
        let is_named = registers.sessions.iter().all(|session| session.id.is_some());
        let is_simple = is_named
            && registers.sessions.len() <= 1
            && registers.observed.is_empty()
            && visible != Some(Visible::Unknown);
        if !is_simple {
            return self.room.user(user_id);
        }
        let member = registers.members.place_beside(user_id, &mut self.member);
        let member = member.and_then(|place| registers.members.at(place));
        let session = registers.sessions.first().filter(|_| visible.is_some());
        let login = session.and_then(|session| {
            session.users.at(session.users.place_beside(user_id, &mut self.login)?)
        });
        let source = login.and_then(|(id, user)| Some((id, user.open_since(None)?)));
        let id = member.map(|member| member.user_id).or(source.map(|(id, _)| id))?;
        let source = source.map(|(_, login)| Source::Stay(login));
        #[cfg(room_registry_check)]
        {
            let places = registers.places::<Users>(user_id);
            let expected = self.room.rulebook().source::<Users>(visible, &places);
            let stay = |source: Option<Source<'a, Users>>| source?.stay().map(std::ptr::from_ref);
            assert_eq!(stay(source), stay(expected), "a page shows {user_id} by another stay");
        }
        Some(VisibleUser::of(id, member, source, self.room.rulebook()))
    }
}

/// Returns when the next member times out: a millisecond after the timeout, because exactly the timeout is
/// in time. `unseen_since` is when the member who was silent for longest was last seen.
#[inline]
fn timeout_at(unseen_since: Option<Timestamp>, config: &Config) -> Option<Timestamp> {
    if_reachable(unseen_since.map(|at| at.plus(config.heartbeat_timeout_ms).plus(1)))
}

/// Returns when something is due, unless no clock that counts ever shows that time.
#[inline]
fn if_reachable(due: Option<Timestamp>) -> Option<Timestamp> {
    due.filter(|at| *at <= Timestamp::LATEST_NOW)
}
