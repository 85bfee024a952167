//! The rooms whose stored form the last call changed, for applications that keep each room in a store.
//! `update` in `registry.rs` notes them, if the [`Context`](crate::room::context::Context) says so.

use crate::model::id::RoomId;
use crate::registry::RoomRegistry;
use crate::registry::clock::Clock;

impl<C: Clock> RoomRegistry<C> {
    /// Returns the rooms whose stored form the last call that changes something made different, whether
    /// readers see the difference or not. If you keep rooms in a store, write these again. Delete one if
    /// [`export`](Self::export) has nothing of it any more. A room may come up more than once. The next
    /// such call overwrites the list.
    ///
    /// A repeated or stale callback changes nothing, and neither does a refused command. But each
    /// operation on a room first forgets what is too old, so even such an input may name its room.
    ///
    /// A heartbeat that carries no update and finds its membership alive does not count, so it needs no
    /// write. After a restart, give all memberships one fresh timeout with
    /// [`grant_grace`](Self::grant_grace). The clock that a [`Room`](crate::Room) keeps does not count
    /// either, nor does what the planner keeps of [`next_question`](Self::next_question).
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
