//! Expiry: tells when something is due in any room, and does it. What is done in a room is in `room/time.rs`.
//!
//! The schedule says when to examine each room (`schedule.rs`). Heartbeats put off what is due in a room, and
//! do not move the room for that. So a room that comes up is looked at first, and moved if nothing is due in it.

use crate::model::change::Cause;
use crate::model::expired::Expired;
use crate::model::time::Timestamp;
use crate::registry::RoomRegistry;
use crate::registry::clock::Clock;
use crate::registry::prefetch::BATCH_LEN;
use crate::registry::rooms::HeldRoom;
use crate::room::context::Context;
use crate::room::work::Work;
use crate::rules::earlier;

/// How many rooms `next_expiry` looks at. Beyond that it returns a time that may be too early.
const LOOK_AHEAD: usize = 32;

impl<C: Clock> RoomRegistry<C> {
    /// Does everything that is due. It ends memberships whose heartbeats stopped for more than the
    /// timeout, and rooms that their lifecycle ends. It unlists rooms that no command created and that were
    /// empty for the [empty listing time](crate::ConfigBuilder::empty_listing_time). It forgets what has
    /// outlived the retention.
    ///
    /// Early, late or repeated calls are harmless. [`next_expiry`](Self::next_expiry) tells when one
    /// is worth making. Until that call, reads still show a membership that timed out, so readers, changes
    /// and mirrors see one state.
    ///
    /// Cost: what is due, times the logarithm of the rooms. A heartbeat puts off what is due, at a constant
    /// cost. A room may come up although its members sent heartbeats meanwhile. It then costs an
    /// examination of its members.
    ///
    /// ```
    /// use std::time::Duration;
    /// use room_registry::{Config, ManualClock, NewRoom, NewUser, RoomRegistry};
    ///
    /// let clock = ManualClock::default();
    /// let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// registry.join_room("r1", NewUser::new("tom"))?;
    ///
    /// clock.advance(Duration::from_secs(90)); // exactly the timeout is in time
    /// assert_eq!(registry.expire().memberships, 0);
    /// clock.advance(Duration::from_millis(1));
    /// assert_eq!(registry.expire().memberships, 1);
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    pub fn expire(&mut self) -> Expired {
        self.expire_at_most(usize::MAX)
    }

    /// Does at most `steps` of what is due: each ends a membership or a room, or forgets a closing. So a
    /// large backlog does not hold up the host. What is left stays due: call again while [`Expired::steps`]
    /// returns `steps` or more. It returns more if a room has signs of loss to report, because it reports
    /// all signs of a room together.
    ///
    /// Cost: the steps, times the logarithm of the rooms. A room that ends counts as one step and costs
    /// its users. A room in which heartbeats put off what was due does not count as a step.
    ///
    /// ```
    /// use std::time::Duration;
    /// use room_registry::{Config, ManualClock, NewRoom, NewUser, RoomRegistry};
    ///
    /// let clock = ManualClock::default();
    /// let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// for user in ["ann", "bob", "cleo"] {
    ///     registry.join_room("r1", NewUser::new(user))?;
    /// }
    /// clock.advance(Duration::from_secs(91));
    /// assert_eq!(registry.expire_at_most(2).steps(), 2);
    /// assert_eq!(registry.expire_at_most(2).steps(), 1);
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    pub fn expire_at_most(&mut self, steps: usize) -> Expired {
        self.begin();
        let mut expired = Expired::default();
        let mut budget = steps;
        let mut looked_at = 0_usize;
        while budget > 0 {
            let next = self.due().next();
            // Rooms of a second that begins before the first near room is due come before that room. Without a
            // near room that is due, seconds that have begun by now are opened. One second is opened at a time,
            // as far as the budget goes.
            if let Some(rooms) = self.index.schedule.open(next.map_or(self.now, |(at, _)| at)) {
                self.put_off_all(&rooms);
                continue;
            }
            let Some((_, number)) = next else { break };
            if looked_at.is_multiple_of(BATCH_LEN) {
                self.prefetch_due();
            }
            looked_at += 1;
            if self.put_off(number) {
                continue;
            }
            let Some(room) = self.expire_room(number, &mut budget) else { break };
            // A room that is due makes a step. Otherwise this loop would not end.
            if room.steps() == 0 && !self.put_off(number) {
                break;
            }
            expired.memberships += room.memberships;
            expired.rooms += room.rooms;
            expired.unlisted += room.unlisted;
            expired.forgotten += room.forgotten;
            expired.suspected += room.suspected;
        }
        expired
    }

    /// Returns when [`expire`](Self::expire) can next change something; `None` if it never will.
    ///
    /// The time is never too late. It may be early, and a call then finds nothing due. That happens if
    /// heartbeats put off what was due in dozens of rooms since the last `expire`. It also happens if a
    /// room has more than a few dozen members, or the registry has a thousand rooms or more. Cost:
    /// constant, at most a few dozen rooms.
    ///
    /// ```
    /// use room_registry::{
    ///     Config, Lifecycle, ManualClock, NewRoom, NewUser, RoomRegistry, Timestamp,
    /// };
    ///
    /// let clock = ManualClock::at(Timestamp::from_secs(1_000));
    /// let mut registry = RoomRegistry::with_clock(Config::default(), clock);
    /// registry.create_room(NewRoom::new("r1", "tom").lifecycle(Lifecycle::UntilEnded))?;
    /// assert_eq!(registry.next_expiry(), None);
    /// registry.join_room("r1", NewUser::new("tom"))?;
    /// assert_eq!(registry.next_expiry(), Some(Timestamp::from_millis(1_090_001)));
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    #[must_use]
    pub fn next_expiry(&self) -> Option<Timestamp> {
        let mut next: Option<Timestamp> = None;
        let far = self.index.schedule.far();
        for (looked_at, (scheduled_at, number)) in self.index.schedule.near().enumerate() {
            if earlier(next, far).is_some_and(|next| next <= scheduled_at) {
                break;
            }
            if looked_at == LOOK_AHEAD {
                return earlier(Some(scheduled_at), far);
            }
            let due = self.rooms.at(number).and_then(|room| room.next_expiry(&self.config));
            next = earlier(next, due);
        }
        earlier(next, far)
    }

    /// Gives all memberships a fresh timeout, as if everybody's heartbeat had come just now. Call it after
    /// your machine was suspended, or after an outage on your side. Cost: all memberships.
    ///
    /// ```
    /// use std::time::Duration;
    /// use room_registry::{Config, ManualClock, NewRoom, NewUser, RoomRegistry};
    ///
    /// let clock = ManualClock::default();
    /// let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// registry.join_room("r1", NewUser::new("tom"))?;
    /// clock.advance(Duration::from_secs(3_600)); // the machine slept
    /// registry.grant_grace();
    /// assert_eq!(registry.expire().memberships, 0);
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    pub fn grant_grace(&mut self) {
        self.begin();
        self.grant_grace_because(Cause::Command);
    }

    /// Does the same, with the cause that the changes then tell. It also updates the indexes of every room.
    pub(super) fn grant_grace_because(&mut self, cause: Cause) {
        for number in self.rooms.numbers_by_id() {
            let Some(held) = self.rooms.at_mut(number) else { continue };
            let mut cx = Context::new(&self.config, self.now, cause, &mut self.log);
            held.room.take(&mut Work::GrantGrace, &mut cx).expect("a grace is no error");
            self.index.update(number, &held.room, &mut held.keys, &self.config, self.now);
            self.dirty.push(held.room.id.clone());
        }
    }

    /// Does what is due in one room, at most `budget` steps of it. It returns `None` if no room has the number.
    fn expire_room(&mut self, number: usize, budget: &mut usize) -> Option<Expired> {
        let held = self.rooms.at_mut(number)?;
        let mut cx = Context::new(&self.config, self.now, Cause::Command, &mut self.log);
        let expired = held.room.expire(budget, &mut cx).expect("an expiry is no error");
        if cx.is_dirty {
            self.update(number);
        }
        Some(expired)
    }

    /// Returns the rooms to examine by now, with the longest due first. Seconds that are not opened yet are
    /// missing.
    pub(super) fn due(&self) -> impl Iterator<Item = (Timestamp, usize)> {
        self.index.schedule.near().take_while(|(at, _)| *at <= self.now)
    }

    /// Puts a room where it belongs in the schedule. Returns whether it moved.
    ///
    /// A heartbeat puts off what is due without moving the room, because most such moves would be for
    /// nothing. So a room may come up too early, and this moves it then. A room in which something is due by
    /// now moves, too, if that became due later than the room was to be examined. So the longest due comes
    /// first.
    fn put_off(&mut self, number: usize) -> bool {
        let Some(HeldRoom { room, keys }) = self.rooms.at_mut(number) else { return false };
        room.look_for_timeouts(&self.config, self.now);
        let due = keys.next(room, &self.config);
        debug_assert_eq!(
            due,
            earlier(due, room.next_expiry(&self.config)),
            "the index is up to date"
        );
        self.index.put_off(number, due, self.now)
    }

    /// Does the same for many rooms, whose memory it asks for together.
    fn put_off_all(&mut self, rooms: &[u32]) {
        for numbers in rooms.chunks(BATCH_LEN) {
            self.prefetch_timeouts(numbers);
            for number in numbers {
                self.put_off(*number as usize);
            }
        }
    }
}
