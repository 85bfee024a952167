//! Who was here, from when to when (section 19 of the rules).
//!
//! Logins follow from callbacks ([`Visits::apply`]), and memberships from changes ([`Visits::follow`]). Here is
//! what an input or a change means, and when something is due. `held.rs` keeps what is known of each room.

mod held;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::callback::{Callback, CallbackEvent};
use crate::model::change::{Cause, Change, ChangeKind, EndReason};
use crate::model::config::Config;
use crate::model::id::{RoomId, SessionId, UserId, UserSessionId};
use crate::model::input::Input;
use crate::model::time::{Timestamp, millis};
use crate::model::visible::User;
use held::{Close, Heard, HeldRoom, Limits, StayKey};

/// One visit of a user to a room, with both its ends.
///
/// Facet, room, session, user and user session identify a login for ever. Facet, room, user and `from`
/// identify a membership. Each replica reports a visit, so store it by that key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Visit {
    /// The room.
    pub room_id: RoomId,
    /// Which facet of the user it was.
    pub facet: Facet,
    /// The session of the room; `None` for a membership.
    pub session_id: Option<SessionId>,
    /// The user.
    pub user_id: UserId,
    /// The id of the login; `None` for a membership.
    pub user_session_id: Option<UserSessionId>,
    /// When it began: in event time for a login, in local time for a membership.
    pub from: Timestamp,
    /// When it ended, in the same time, and never before it began.
    pub to: Timestamp,
    /// Why it ended.
    pub reason: EndReason,
}

/// Which of the two facets of a user a [`Visit`] was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Facet {
    /// The user was logged in at the media server.
    Login,
    /// The user had joined by a command.
    Membership,
}

/// Reports each visit once both its ends are known, for attendance, billing, and "who was here".
///
/// Logins follow from inputs. Hand in every [`Input`] with the local time of its receipt, as a journal has
/// them, whatever the registry made of it. Callbacks may come in any order, late and repeatedly, and
/// readers need not have seen the login. Memberships follow from changes: hand these in, too, if you need
/// memberships. Only the registry knows which joins it refused, and who timed out.
///
/// Section 19 of [`guide::rules`](crate::guide::rules) has the laws. Memory is bounded: what is complete
/// goes after the retention and the clock skew, and what is open after the
/// [`longest_stay`](Self::longest_stay).
///
/// # Example
///
/// ```
/// use room_registry::event::{UserLoggedIn, UserLoggedOut};
/// use room_registry::journal::Input;
/// use room_registry::*;
///
/// let (ann, life) = (UserId::new("ann")?, UserSessionId::new("1")?);
/// let at = Timestamp::from_secs;
/// let told = |event: event::CallbackEvent| {
///     Input::from(Callback::new(RoomId::new("r1").unwrap(), SessionId::new("7").unwrap(), event))
/// };
/// let login = told(UserLoggedIn::new(ann.clone(), at(1_010)).user_session_id(life.clone()).counter(1).into());
/// let logout = told(UserLoggedOut::new(ann, at(1_060)).user_session_id(life).counter(2).into());
///
/// let mut visits = Visits::new(&Config::default());
/// assert_eq!(visits.apply(&logout, at(1_061)), []); // it overtook the login
/// let visit = visits.apply(&login, at(1_063)).remove(0);
/// assert_eq!((visit.from, visit.to), (at(1_010), at(1_060)));
/// assert_eq!(visits.apply(&logout, at(1_123)), []); // repeated
/// # Ok::<(), IdError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(from = "Stored"))]
pub struct Visits {
    /// The settings that count here.
    limits: Limits,
    /// The local time of the last call.
    clock: Timestamp,
    /// What is held of each room. A room of which nothing is held goes.
    rooms: BTreeMap<RoomId, HeldRoom>,
    /// When (local time) something is due of a user in a room; without a user, of the closings of the room's
    /// sessions. It follows from the rooms, so it is not stored.
    #[cfg_attr(feature = "serde", serde(skip))]
    queue: BTreeSet<(Timestamp, RoomId, Option<UserId>)>,
}

/// The stored form of visits: all but the queue.
#[cfg(feature = "serde")]
#[derive(Deserialize)]
struct Stored {
    limits: Limits,
    clock: Timestamp,
    rooms: BTreeMap<RoomId, HeldRoom>,
}

#[cfg(feature = "serde")]
impl From<Stored> for Visits {
    fn from(Stored { limits, clock, rooms }: Stored) -> Self {
        let mut visits = Self { limits, clock, rooms, queue: BTreeSet::new() };
        visits.schedule_all();
        visits
    }
}

impl Visits {
    /// How many logins of one user in one room are held at a time. Beyond that, the one whose newest time
    /// is the oldest goes. It is one that was reported, if there is any, else one that then never will be.
    pub const MAX_STAYS: usize = held::MAX_STAYS;

    /// How many closings of sessions are held for one room. Beyond that, the earliest goes.
    pub const MAX_CLOSES: usize = held::MAX_CLOSES;

    /// Starts without any visit. Of the settings, the retention, the clock skew, the future guard and
    /// `report_after` count. Without a retention, only what is open is ever forgotten.
    ///
    /// ```
    /// # use room_registry::{Config, Visits};
    /// assert_eq!(Visits::new(&Config::default()).held_count(), 0);
    /// ```
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let limits = Limits {
            retention_ms: config.rules.retention_ms,
            clock_skew_ms: config.rules.clock_skew_ms,
            future_guard_ms: config.future_guard_ms,
            report_after_ms: config.report_after_ms,
            longest_stay_ms: millis(Duration::from_secs(24 * 60 * 60)),
        };
        let (rooms, queue) = (BTreeMap::new(), BTreeSet::new());
        Self { limits, clock: Timestamp::MIN, rooms, queue }
    }

    /// Sets how long a login that nothing ended is held, from the last news of it on. After that it goes,
    /// and is never reported. The default is 24 hours.
    ///
    /// ```
    /// # use room_registry::{Config, Visits};
    /// # use std::time::Duration;
    /// let visits = Visits::new(&Config::default()).longest_stay(Duration::from_secs(3_600));
    /// assert_eq!(visits.held_count(), 0);
    /// ```
    #[must_use]
    pub fn longest_stay(mut self, span: Duration) -> Self {
        self.limits.longest_stay_ms = millis(span);
        self.schedule_all();
        self
    }

    /// Takes an input with the local time of its receipt. Returns the visits that are complete now,
    /// beginning with those that are due by then. Inputs other than callbacks only let time pass.
    ///
    /// Cost: the logarithm of what is held, and the stays of the user. A closing of a session costs the
    /// users who are held for the room.
    ///
    /// ```
    /// # use room_registry::{journal::Input, Config, Timestamp, Visits};
    /// let mut visits = Visits::new(&Config::default());
    /// assert_eq!(visits.apply(&Input::Expire, Timestamp::from_secs(1)), []);
    /// ```
    pub fn apply(&mut self, input: &Input, now: Timestamp) -> Vec<Visit> {
        let mut told = self.take_due(now);
        if let Input::Callback(callback) = input {
            told.extend(self.hear(callback));
        }
        told
    }

    /// Takes a change with the local time of its call. Returns the memberships that it ended, after what is
    /// due by then. Apply all changes, in order.
    ///
    /// Cost: the logarithm of what is held. A room that leaves the list costs its users.
    ///
    /// ```
    /// use std::time::Duration;
    /// use room_registry::{Clock, Config, EndReason, ManualClock, NewRoom, NewUser, RoomRegistry, Visits};
    /// let clock = ManualClock::default();
    /// let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
    /// let mut visits = Visits::new(registry.config());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// registry.join_room("r1", NewUser::new("ann"))?;
    /// registry.changes().for_each(|change| _ = visits.follow(&change, clock.now()));
    ///
    /// clock.advance(Duration::from_secs(60));
    /// registry.leave_room("r1", "ann")?;
    /// let told: Vec<_> =
    ///     registry.changes().flat_map(|change| visits.follow(&change, clock.now())).collect();
    /// assert_eq!(told[0].to.since(told[0].from), Duration::from_secs(60));
    /// assert_eq!(told[0].reason, EndReason::Left);
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    pub fn follow(&mut self, change: &Change, now: Timestamp) -> Vec<Visit> {
        let mut told = self.take_due(now);
        let room_id = &change.room_id;
        match &change.kind {
            ChangeKind::UserJoined(user) | ChangeKind::UserUpdated(user) => {
                told.extend(self.see_membership(room_id, user, change.cause));
            }
            ChangeKind::UserLeft { user_id, at, reason } => {
                told.extend(self.end_membership(room_id, user_id, *at, reason.clone()));
            }
            ChangeKind::RoomUnlisted => {
                let users = self.rooms.get(room_id).into_iter().flat_map(HeldRoom::members);
                for user_id in users.cloned().collect::<Vec<_>>() {
                    let reason = match change.cause {
                        Cause::Lifecycle | Cause::EmptyRoom => EndReason::Lifecycle,
                        Cause::Import => EndReason::Imported,
                        _ => EndReason::RoomClosed,
                    };
                    told.extend(self.end_membership(room_id, &user_id, self.clock, reason));
                }
            }
            _ => {}
        }
        told
    }

    /// Returns the visits that are due by now: their session closed and no logout came. It also forgets
    /// what is no longer needed. The other methods do so first, so it makes no difference how often you
    /// call this.
    ///
    /// Cost: what is due, times the logarithm of what is held.
    ///
    /// ```
    /// # use room_registry::{Config, Timestamp, Visits};
    /// let mut visits = Visits::new(&Config::default());
    /// assert_eq!(visits.take_due(Timestamp::from_secs(1)), []);
    /// ```
    pub fn take_due(&mut self, now: Timestamp) -> Vec<Visit> {
        self.set_clock(now);
        let mut told = Vec::new();
        while let Some((at, ..)) = self.queue.first()
            && *at <= self.clock
            && let Some((at, room_id, user_id)) = self.queue.pop_first()
        {
            let Some(room) = self.rooms.get_mut(&room_id) else { continue };
            match &user_id {
                None => room.forget_closes(at, &self.limits),
                Some(user_id) => {
                    let ended = room.settle(user_id, at, &self.limits);
                    told.extend(ended.into_iter().map(|(key, from, to, reason)| {
                        login_visit(&room_id, user_id, key, from, to, reason)
                    }));
                }
            }
            self.schedule(&room_id, user_id.as_ref());
        }
        told
    }

    /// Returns when [`take_due`](Self::take_due) can next do something; `None` if it never will without
    /// another input. Cost: the logarithm of what waits.
    ///
    /// ```
    /// # use room_registry::{Config, Visits};
    /// assert_eq!(Visits::new(&Config::default()).next_due(), None);
    /// ```
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.queue.first().map(|(at, ..)| *at)
    }

    /// Returns how many logins, memberships and closings of sessions are held. Cost: the users.
    ///
    /// ```
    /// # use room_registry::{Config, Visits};
    /// assert_eq!(Visits::new(&Config::default()).held_count(), 0);
    /// ```
    #[must_use]
    pub fn held_count(&self) -> usize {
        self.rooms.values().map(HeldRoom::len).sum()
    }

    /// Takes a callback. Returns the visit that it completes, if it completes one.
    fn hear(&mut self, callback: &Callback) -> Option<Visit> {
        let Callback { room_id, session_id, event } = callback;
        if callback.latest_time() > self.clock.plus(self.limits.future_guard_ms) {
            return None; // law 5.8 refuses it
        }
        if let CallbackEvent::RoomClosed(event) = event {
            // A close without a session may belong to any earlier life of the room (law 21.7).
            let session_id = session_id.as_ref()?;
            self.close(room_id, session_id, event.closed_at);
            return None;
        }
        let (user_id, stay, heard) = self.heard(event)?;
        let (user_session_id, opened_at) = stay;
        let session_id = session_id.clone();
        let key = StayKey { session_id, user_session_id, opened_at };
        // It came too late to make an entry, and there is none (law 19.3).
        if !heard.makes && !self.rooms.get(room_id)?.has_stay(user_id, &key) {
            return None;
        }
        let room = self.rooms.entry(room_id.clone()).or_default();
        let ended = room.join(user_id, key, heard, self.clock);
        self.schedule(room_id, Some(user_id));
        let (key, from, to, reason) = ended?;
        Some(login_visit(room_id, user_id, key, from, to, reason))
    }

    /// Returns the user whom a callback is about, which login it is about, and what it says of that.
    ///
    /// Callbacks other than logins and logouts say nothing. Neither does a login without an id or with an order,
    /// because nobody knows which logout ends it. Such a logout counts if it tells when its login began: it
    /// gives both ends (law 19.1).
    fn heard<'a>(&self, event: &'a CallbackEvent) -> Option<(&'a UserId, Named, Heard)> {
        match event {
            CallbackEvent::UserLoggedIn(event) => {
                let makes = self.limits.admits_opening(event.login_at, self.clock);
                let heard = Heard { from: Some(event.login_at), to: None, makes };
                let named = named(event.order, event.user_session_id.as_ref())?;
                Some((&event.user_id, named, heard))
            }
            CallbackEvent::UserLoggedOut(event) => {
                let named = named(event.order, event.user_session_id.as_ref());
                let stay = named.or_else(|| Some((None, Some(event.login_at?))))?;
                let at = event.logout_at.max(event.login_at.unwrap_or_default());
                let to = Some((at, EndReason::LoggedOut(event.reason.clone())));
                let makes = self.limits.admits_closing(at, self.clock);
                let heard = Heard { from: event.login_at, to, makes };
                Some((&event.user_id, stay, heard))
            }
            CallbackEvent::RoomCreated(_)
            | CallbackEvent::RoomClosed(_)
            | CallbackEvent::StreamCreated(_)
            | CallbackEvent::StreamClosed(_) => None,
        }
    }

    /// Takes the close of a session, which may end logins in it (law 19.4).
    fn close(&mut self, room_id: &RoomId, session_id: &SessionId, at: Timestamp) {
        let concerned = self.rooms.get(room_id).map(|room| room.open_in(session_id));
        let mut concerned = concerned.unwrap_or_default();
        if concerned.is_empty() && !self.limits.admits_closing(at, self.clock) {
            return; // it came too late, and ends nothing that is held
        }
        let room = self.rooms.entry(room_id.clone()).or_default();
        if let Some(gone) = room.close(session_id, Close { at, received_at: self.clock }) {
            concerned.extend(room.open_in(&gone)); // nothing closes these any more
        }
        self.schedule(room_id, None);
        for user_id in &concerned {
            self.schedule(room_id, Some(user_id));
        }
    }

    /// Brings a membership up to date with what a change shows of the user (law 19.7). Returns the visit that
    /// ended by that.
    fn see_membership(&mut self, room_id: &RoomId, user: &User, cause: Cause) -> Option<Visit> {
        let user_id = &user.user_id;
        let held = self.rooms.get(room_id).and_then(|room| room.member_since(user_id));
        let Some(membership) = &user.membership else {
            // The membership ended, and the user is still logged in.
            let reason = match cause {
                Cause::HeartbeatTimeout => EndReason::HeartbeatTimeout,
                Cause::Import => EndReason::Imported,
                _ => EndReason::Left,
            };
            return self.end_membership(room_id, user_id, self.clock, reason);
        };
        let since = membership.joined_at;
        if held == Some(since) {
            return None;
        }
        // A clock that is set back pulls back the join of the same membership. In all other cases, another
        // membership took its place.
        let is_same = cause == Cause::ClockSetBack;
        let reason = match cause {
            Cause::HeartbeatTimeout => EndReason::HeartbeatTimeout,
            _ => EndReason::Superseded,
        };
        let ended = held.filter(|_| !is_same);
        let ended = ended.and_then(|_| self.end_membership(room_id, user_id, since, reason));
        self.rooms.entry(room_id.clone()).or_default().set_member(user_id, since);
        ended
    }

    /// Ends a membership at a local time, if one is held. Returns its visit.
    fn end_membership(
        &mut self,
        room_id: &RoomId,
        user_id: &UserId,
        at: Timestamp,
        reason: EndReason,
    ) -> Option<Visit> {
        let from = self.rooms.get_mut(room_id)?.end_member(user_id)?;
        self.schedule(room_id, Some(user_id));
        Some(Visit {
            room_id: room_id.clone(),
            facet: Facet::Membership,
            session_id: None,
            user_id: user_id.clone(),
            user_session_id: None,
            from,
            to: at.max(from),
            reason,
        })
    }

    /// Brings the queue up to date with what is held of a user, or of the sessions of a room.
    fn schedule(&mut self, room_id: &RoomId, user_id: Option<&UserId>) {
        let Some(room) = self.rooms.get_mut(room_id) else { return };
        let (was, due) = room.reschedule(user_id, &self.limits);
        let is_empty = room.is_empty();
        if was != due {
            if let Some(at) = was {
                self.queue.remove(&(at, room_id.clone(), user_id.cloned()));
            }
            if let Some(at) = due {
                self.queue.insert((at, room_id.clone(), user_id.cloned()));
            }
        }
        if is_empty {
            self.rooms.remove(room_id);
        }
    }

    /// Fills the queue from the rooms. Cost: all that is held.
    fn schedule_all(&mut self) {
        let rooms: Vec<_> =
            self.rooms.iter().map(|(id, room)| (id.clone(), room.users())).collect();
        for (room_id, users) in rooms {
            self.schedule(&room_id, None);
            for user_id in &users {
                self.schedule(&room_id, Some(user_id));
            }
        }
    }

    /// Sets the clock. A step back of up to the clock skew reads as standing still. After a larger one, local
    /// times that lie in the future are pulled back to now (law 19.8).
    fn set_clock(&mut self, now: Timestamp) {
        if now >= self.clock {
            self.clock = now;
        } else if now < self.clock.minus(self.limits.clock_skew_ms) {
            self.clock = now;
            self.rooms.values_mut().for_each(|room| room.pull_back(now));
            self.schedule_all();
        }
    }
}

/// Makes the visit of a login that has both ends.
fn login_visit(
    room_id: &RoomId,
    user_id: &UserId,
    key: StayKey,
    from: Timestamp,
    to: Timestamp,
    reason: EndReason,
) -> Visit {
    Visit {
        room_id: room_id.clone(),
        facet: Facet::Login,
        session_id: key.session_id,
        user_id: user_id.clone(),
        user_session_id: key.user_session_id,
        from,
        to,
        reason,
    }
}

/// What names a login of a user: its id, or else when it began.
type Named = (Option<UserSessionId>, Option<Timestamp>);

/// Returns the name of a login by its id. If the callback tells an order, the id may come again, and names
/// nothing (law 2.5).
fn named(order: Option<u64>, user_session_id: Option<&UserSessionId>) -> Option<Named> {
    let user_session_id = user_session_id.filter(|_| order.is_none())?;
    Some((Some(user_session_id.clone()), None))
}
