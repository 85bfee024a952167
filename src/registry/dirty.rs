//! Which rooms the last call touched, for those who keep each room in a store.

use crate::model::id::RoomId;
use crate::registry::RoomRegistry;
use crate::registry::clock::Clock;

impl<C: Clock> RoomRegistry<C> {
    /// The rooms of which the last call that changes something may have made different what is held,
    /// whether readers see the difference or not: those to write again, where rooms are kept in a
    /// store, and to delete where [`export`](Self::export) has nothing of them any more. A room may
    /// come up more than once. The next such call overwrites it.
    ///
    /// A command that is refused touches nothing, but where it finds that nothing is remembered of
    /// its room any more. What else it finds too old to be remembered, a stored copy forgets when it is
    /// next worked on: readers see no difference. A callback or an observation touches a room that is
    /// held, whatever the outcome, as a room that is worked on also forgets what is too old.
    ///
    /// A heartbeat that carries no update and finds its membership alive does not count, so that it
    /// needs no write: after a restart give all memberships one fresh timeout, with
    /// [`grant_grace`](Self::grant_grace). What a [`Room`](crate::Room) keeps of our clock does not count
    /// either, nor what the planner keeps of [`next_question`](Self::next_question).
    ///
    /// Cost: what is read.
    ///
    /// ```
    /// use std::time::Duration;
    /// use room_registry::{Config, ManualClock, NewRoom, NewUser, RoomRegistry};
    ///
    /// let clock = ManualClock::default();
    /// let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// registry.join_room("r1", NewUser::new("ann"))?;
    /// assert!(registry.dirty_rooms().eq(["r1"]));
    /// registry.heartbeat("r1", "ann")?;
    /// assert_eq!(registry.dirty_rooms().count(), 0);
    ///
    /// registry.end_room("r1")?;
    /// clock.advance(Duration::from_secs(601)); // the default retention is 10 minutes
    /// registry.expire(); // changes nothing that readers see, and lets go of what was remembered
    /// assert_eq!(registry.changes().count(), 0);
    /// assert!(registry.dirty_rooms().eq(["r1"]) && registry.export("r1").is_none());
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    pub fn dirty_rooms(&self) -> impl Iterator<Item = &RoomId> {
        self.dirty.iter()
    }
}
