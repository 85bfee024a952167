//! One room: what is known, and what follows from it.

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
use crate::room::projection::Projection;
use crate::room::roles::Roles;
use crate::room::visible::{VisibleStream, VisibleUser};
use crate::rules::signs::WorthAsking;
use crate::rules::visibility::{Source, Visible};
use crate::rules::{Rulebook, earlier, summary};

/// Everything of one room. It lies in memory in this order, so that a heartbeat or an outdated callback
/// finds what it looks at side by side.
#[derive(Debug, Clone)]
#[repr(C)]
pub(crate) struct RoomState {
    pub(super) projection: Projection,
    pub(crate) id: RoomId,
    /// The local time of the last operation. What readers see is as of then.
    pub(crate) clock: Timestamp,
    /// The settings that decide what is stored here.
    pub(crate) settings: Arc<Rules>,
    pub(crate) registers: Registers,
}

impl RoomState {
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

    /// Whether the room was created and not ended, or a session of it is visible.
    #[inline]
    pub(crate) fn is_listed(&self) -> bool {
        self.registers.info.is_some() || self.projection.session.is_some()
    }

    /// Whether nothing at all is known of it.
    #[inline]
    pub(crate) fn is_forgotten(&self) -> bool {
        !self.is_listed()
            && self.registers.ended_at.is_none()
            && self.registers.is_live_empty()
            && self.registers.refused.is_empty()
            && self.registers.members.is_forgotten()
    }

    #[inline]
    pub(crate) fn info(&self) -> Option<&RoomInfo> {
        self.registers.info.as_ref()
    }

    #[inline]
    pub(crate) fn session(&self) -> Option<&Session> {
        self.projection.session.as_ref()
    }

    #[inline]
    pub(crate) fn visible(&self) -> Option<Visible> {
        self.projection.visible
    }

    pub(crate) fn suspicions(&self) -> &[Suspicion] {
        &self.projection.suspicions
    }

    /// Returns what would be suspected at an instant, if signs count after a grace.
    pub(crate) fn suspicions_as_of(&self, now: Timestamp, grace_ms: u64) -> Vec<Suspicion> {
        let counts = |noticed_at: Timestamp| noticed_at.plus(grace_ms) <= now;
        self.rulebook().suspicions(self.visible(), |sign| counts(sign.noticed_at))
    }

    /// Returns until when those lists were confirmed that can be asked for.
    pub(crate) fn confirmed_at(&self, can_ask: CanAsk) -> Option<Timestamp> {
        self.rulebook().confirmed_at(can_ask.list()?, None)
    }

    #[inline]
    pub(crate) fn users(&self) -> &Order<(Timestamp, UserId)> {
        &self.projection.users
    }

    #[inline]
    pub(crate) fn streams(&self) -> &Order<(Timestamp, StreamId)> {
        &self.projection.streams
    }

    /// Returns a user that readers see.
    pub(crate) fn user(&self, user_id: &(impl Key + ?Sized)) -> Option<VisibleUser<'_>> {
        if !self.is_listed() {
            return None;
        }
        let places = self.registers.user_places(&user_id.hashed());
        let member = places.member.and_then(|place| self.registers.members.at(place));
        let source = self.rulebook().source::<Users>(self.visible(), &places.told);
        if member.is_none() && source.is_none() {
            return None;
        }
        let id = self.registers.user_id(&places)?;
        Some(VisibleUser::of(id, member, source, self.rulebook()))
    }

    /// Returns a stream that readers see.
    pub(crate) fn stream(&self, stream_id: &(impl Key + ?Sized)) -> Option<VisibleStream<'_>> {
        let places = self.registers.stream_places(&stream_id.hashed());
        let source = self.rulebook().source(self.visible(), &places.told)?;
        let attributes = places.attributes.and_then(|at| self.registers.stream_attributes.at(at));
        let attributes = attributes.map_or(Attributes::NONE, |(_, held)| &held.attributes);
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

    /// Returns when an expiry can next change something. If there are many members, it may be earlier.
    pub(crate) fn next_expiry(&self, config: &Config) -> Option<Timestamp> {
        let timeout = timeout(self.registers.members.unseen_since_exactly(), config);
        earlier(timeout, self.next_expiry_of_others(config))
    }

    /// Returns when a heartbeat is next overdue, or earlier: those that came since somebody looked may
    /// have put it off.
    #[inline]
    pub(crate) fn next_timeout(&self, config: &Config) -> Option<Timestamp> {
        timeout(self.registers.members.unseen_since(), config)
    }

    /// Returns when anything else is due, which heartbeats do not put off.
    #[inline]
    pub(crate) fn next_expiry_of_others(&self, config: &Config) -> Option<Timestamp> {
        let ends = earlier(self.registers.members.oldest_end(), self.registers.ended_at);
        let forgotten =
            ends.zip(self.settings.retention_ms).map(|(at, retention)| at.plus(retention).plus(1));
        let report = self.projection.unreported_since.map(|at| at.plus(config.report_after_ms));
        let refused = self.rulebook().due(self.registers.refused.first_noticed_at());
        let kept = earlier(self.projection.schedule.sweep_at, refused);
        let kept = earlier(earlier(kept, report), forgotten);
        let unlisted = self.rulebook().listing_ends_at(self.visible());
        ever(earlier(earlier(self.lifecycle_end(config), unlisted), kept))
    }

    /// Returns when the lifecycle ends the room, as things are.
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

    /// Returns how many users the room may have when one more joins.
    #[inline]
    pub(crate) fn user_limit(&self, config: &Config) -> Option<usize> {
        let own =
            self.registers.info.as_ref().and_then(|info| info.max_users).map(|own| own as usize);
        match (own, config.max_users_per_room) {
            (Some(own), Some(of_all)) => Some(own.min(of_all)),
            (own, of_all) => own.or(of_all),
        }
    }

    /// Whether nobody more may join.
    #[inline]
    pub(crate) fn is_full(&self, config: &Config) -> bool {
        self.user_limit(config).is_some_and(|limit| self.user_count() >= limit)
    }

    /// Returns how many users count.
    #[inline]
    pub(crate) fn user_count(&self) -> usize {
        self.projection.users.len() - self.projection.roles.uncounted()
    }

    /// Returns the roles of its users.
    pub(crate) fn roles(&self) -> &Roles {
        &self.projection.roles
    }

    /// Finds out when a heartbeat is next overdue, if that is now or within a fraction of the timeout.
    pub(crate) fn look_for_timeouts(&mut self, config: &Config, now: Timestamp) {
        let timeout_ms = config.heartbeat_timeout_ms;
        self.registers.members.overdue(timeout_ms, now.plus(timeout_ms / LOOK_AHEAD_FRACTION));
    }

    /// Returns the newest fact of the visible session if observations did not confirm it yet, and when
    /// the session last changed.
    pub(crate) fn unconfirmed(&self, can_ask: CanAsk) -> Option<Timestamp> {
        let index = self.visible()?.index()?;
        let session = &self.registers.sessions[index];
        let newest = summary::newest(session, &self.projection.summaries[index]);
        (newest > self.confirmed_at(can_ask)).then_some(session.changed_at)
    }

    /// Returns since when nobody sees the room and nothing was told of it. A callback that opens nothing
    /// is a reason to ask all the same.
    pub(crate) fn unlisted_since(&self) -> Option<Timestamp> {
        if self.is_listed() {
            return None;
        }
        let changed_at = self.registers.sessions.iter().map(|session| session.changed_at).max();
        let since = self.registers.sessionless_since.max(self.registers.ended_at).max(changed_at);
        Some(since.max(self.registers.refused.last_noticed_at()).unwrap_or(self.clock))
    }

    /// Returns which signs are worth asking about. Cost: constant if both lists can be asked for, else the
    /// signs.
    pub(crate) fn worth_asking(&self, can_ask: CanAsk) -> WorthAsking {
        match can_ask {
            CanAsk::Both => self.projection.worth_asking,
            _ => self.rulebook().worth_asking(self.visible(), can_ask),
        }
    }
}

/// Who is overdue within this fraction of the timeout is found out when a room is looked at. Of many
/// rooms each is looked at up to an eighth of the timeout before something is due.
const LOOK_AHEAD_FRACTION: u64 = 4;

/// Reads a list of users, and remembers the place of the last one. Users who came one after the other
/// mostly stand side by side.
#[derive(Debug)]
pub(crate) struct UserReader<'a> {
    room: &'a RoomState,
    member: usize,
    login: usize,
}

impl<'a> UserReader<'a> {
    pub(crate) fn read(&mut self, user_id: &UserId) -> Option<VisibleUser<'a>> {
        let registers = &self.room.registers;
        let visible = self.room.visible();
        // With observations, or more than one session, the places in all of them count. What an end hides
        // of a session without a name is looked at one by one.
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
        Some(VisibleUser::of(id, member, source, self.room.rulebook()))
    }
}

/// Returns when somebody is overdue, if the longest unseen was last seen then.
#[inline]
fn timeout(unseen_since: Option<Timestamp>, config: &Config) -> Option<Timestamp> {
    ever(unseen_since.map(|at| at.plus(config.heartbeat_timeout_ms).plus(1)))
}

/// What no clock reaches is never due.
#[inline]
fn ever(due: Option<Timestamp>) -> Option<Timestamp> {
    due.filter(|at| *at <= Timestamp::LATEST_NOW)
}
