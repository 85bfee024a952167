//! What is due: when, and done.

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

/// How many rooms are looked at to tell what is due next, where they were put off.
const LOOK_AHEAD: usize = 32;

impl<C: Clock> RoomRegistry<C> {
    /// Does everything that is due: ends the memberships whose heartbeats stopped for more than the
    /// timeout and the rooms that their lifecycle ends, and forgets what the retention lets go.
    ///
    /// Early, late or repeated calls are harmless; [`next_expiry`](Self::next_expiry) tells when one
    /// is worth making. A read shows a timed-out membership until it is swept or touched: readers,
    /// changes and mirrors see one state.
    ///
    /// Cost: what is due, times the logarithm of the rooms. Heartbeats put off what is due at a constant
    /// cost of theirs; a room that comes up all the same, though its members were heard of since, costs
    /// a look at them.
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

    /// Does at most `steps` of what is due (a membership or a room that ends, a closing that is
    /// forgotten), so that a large backlog does not hold up the host. What is left stays due: call
    /// again while [`Expired::steps`] answers `steps` or more. It is more where losses are suspected in
    /// a room: they are reported together, with what else is done there.
    ///
    /// Cost: the steps, times the logarithm of the rooms; a room that ends counts as one step and
    /// costs its users. Rooms that are put off, as of [`expire`](Self::expire), are no steps.
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
            // Second by second, as far as the budget goes.
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
            // A room that is due makes a step; were it otherwise, this would not end.
            if room.steps() == 0 && !self.put_off(number) {
                break;
            }
            expired.memberships += room.memberships;
            expired.rooms += room.rooms;
            expired.forgotten += room.forgotten;
            expired.suspected += room.suspected;
        }
        expired
    }

    /// When [`expire`](Self::expire) can next change something; `None` where it never will.
    ///
    /// It is never too late. Where what was due in dozens of rooms was put off since the last `expire`,
    /// by heartbeats mostly, where a room has more than some dozens of members, or where there are more
    /// than a thousand rooms, it may be early; a call then finds nothing due. Cost: constant, at most some
    /// dozens of rooms.
    ///
    /// ```
    /// use room_registry::{Config, ManualClock, NewRoom, NewUser, RoomRegistry, Timestamp};
    ///
    /// let clock = ManualClock::at(Timestamp::from_secs(1_000));
    /// let mut registry = RoomRegistry::with_clock(Config::default(), clock);
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// assert_eq!(registry.next_expiry(), None);
    /// registry.join_room("r1", NewUser::new("tom"))?;
    /// assert_eq!(registry.next_expiry(), Some(Timestamp::from_millis(1_090_001)));
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    #[must_use]
    pub fn next_expiry(&self) -> Option<Timestamp> {
        let mut next: Option<Timestamp> = None;
        let far = self.index.schedule.far();
        for (looked_at, (thought_at, number)) in self.index.schedule.near().enumerate() {
            if earlier(next, far).is_some_and(|next| next <= thought_at) {
                break;
            }
            if looked_at == LOOK_AHEAD {
                return earlier(Some(thought_at), far);
            }
            let due = self.rooms.at(number).and_then(|room| room.next_expiry(&self.config));
            next = earlier(next, due);
        }
        earlier(next, far)
    }

    /// Gives all memberships one fresh timeout, as if everybody's heartbeat had come just now:
    /// after a suspended machine, or an outage on our side. Cost: all memberships.
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

    /// Does the same for another reason.
    pub(super) fn grant_grace_because(&mut self, cause: Cause) {
        for number in self.rooms.numbers_by_id() {
            let Some(held) = self.rooms.at_mut(number) else { continue };
            let mut cx = Context::new(&self.config, self.now, cause, &mut self.log);
            held.room.take(&mut Work::GrantGrace, &mut cx).expect("a grace is no error");
            self.index.update(number, &held.room, &mut held.place, &self.config, self.now);
            self.dirty.push(held.room.id.clone());
        }
    }

    /// Does what is due in one room, at most `budget` steps of it.
    fn expire_room(&mut self, number: usize, budget: &mut usize) -> Option<Expired> {
        let held = self.rooms.at_mut(number)?;
        let mut cx = Context::new(&self.config, self.now, Cause::Command, &mut self.log);
        let expired = held.room.expire(budget, &mut cx).expect("an expiry is no error");
        if cx.is_moved {
            self.update(number);
        }
        Some(expired)
    }

    /// The rooms that are to be looked at by now, of the seconds that are open, the longest due first.
    pub(super) fn due(&self) -> impl Iterator<Item = (Timestamp, usize)> {
        self.index.schedule.near().take_while(|(at, _)| *at <= self.now)
    }

    /// What puts something off does not always move its room in the agenda, as most moves would be for
    /// nothing: a room that has come up too early is put off now. Something paid for that, each time
    /// but those few that the room was to be looked at a little early. What is due by now is put where
    /// it belongs, so that the longest due comes first. Tells whether the room was put elsewhere.
    fn put_off(&mut self, number: usize) -> bool {
        let Some(HeldRoom { room, place }) = self.rooms.at_mut(number) else { return false };
        room.look_for_timeouts(&self.config, self.now);
        let due = place.next(room, &self.config);
        debug_assert_eq!(due, earlier(due, room.next_expiry(&self.config)), "it was turned since");
        self.index.put_off(number, due, self.now)
    }

    /// The same of many, whose memory is brought here together: that waits for little else.
    fn put_off_all(&mut self, rooms: &[u32]) {
        for numbers in rooms.chunks(BATCH_LEN) {
            self.prefetch_timeouts(numbers);
            for number in numbers {
                self.put_off(*number as usize);
            }
        }
    }
}
