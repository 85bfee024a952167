//! Many processes over one store: load a room, apply, save it unless somebody else did.
//!
//! [`Room`](crate::Room) carries all the rules, takes the configuration and our time in every call,
//! and serialises. Any process may take any request, as long as the store can save a value on the
//! condition that it is still the one that was loaded (compare-and-swap: a version column, `WATCH`,
//! an entity tag):
//!
//! ```
//! # #[cfg(feature = "serde")] {
//! use room_registry::{Clock, Config, Error, NewRoom, NewUser, Room, RoomId, SystemClock, Timestamp};
//!
//! /// What your store offers.
//! trait Store {
//!     fn load(&self, room_id: &str) -> (u64, Option<String>);
//!     fn save_if(&mut self, room_id: &str, version: u64, room: String) -> bool;
//! }
//!
//! fn update(
//!     store: &mut impl Store,
//!     room_id: &str,
//!     config: &Config,
//!     operation: impl Fn(&mut Room, Timestamp) -> Result<(), Error>,
//! ) -> Result<(), Box<dyn std::error::Error>> {
//!     loop {
//!         let (version, stored) = store.load(room_id);
//!         let mut room = match stored {
//!             Some(json) => serde_json::from_str(&json)?,
//!             None => Room::new(RoomId::new(room_id)?, config),
//!         };
//!         operation(&mut room, SystemClock.now())?;
//!         if store.save_if(room_id, version, serde_json::to_string(&room)?) {
//!             return Ok(()); // now publish `room.changes()`
//!         }
//!     }
//! }
//! # struct One(u64, Option<String>);
//! # impl Store for One {
//! #     fn load(&self, _: &str) -> (u64, Option<String>) { (self.0, self.1.clone()) }
//! #     fn save_if(&mut self, _: &str, version: u64, room: String) -> bool {
//! #         if version != self.0 { return false }
//! #         *self = One(version + 1, Some(room));
//! #         true
//! #     }
//! # }
//! # let mut store = One(0, None);
//! # let config = Config::default();
//! # update(&mut store, "r1", &config, |room, now| room.create(NewRoom::new("r1", "tom"), &config, now)).unwrap();
//! # update(&mut store, "r1", &config, |room, now| room.join(NewUser::new("ann"), &config, now)).unwrap();
//! # assert_eq!(store.0, 2);
//! # }
//! ```
//!
//! **Heartbeats** are too frequent to rewrite a room for each. Write them beside it, a small value
//! for each user, and hand them to [`Room::expire_with`](crate::Room::expire_with) when
//! [`Room::next_expiry`](crate::Room::next_expiry) says that something is due. Keep those times in
//! a sorted set of the store, so that one process finds the rooms that are due.
//!
//! **Delete** a room of which [`Room::is_forgotten`](crate::Room::is_forgotten) is true.
//!
//! `examples/key_value.rs` is all of this over a plain map, with two writers at once.
//!
//! # What it guarantees
//!
//! - The rules of every room, whichever process applies what: order and repetition of callbacks do
//!   not matter, so neither does which process they reach.
//! - What is loaded is checked like a snapshot.
//! - Where stores are copied and may part (several regions), [`Room::merge`](crate::Room::merge)
//!   joins the copies into what one would hold that saw everything, for valid histories whose delay
//!   plus the time between two merges stays below the retention.
//!
//! # Where it ends
//!
//! - Limits on rooms, and on rooms of one host, are yours to keep; those on users of a room hold.
//! - The room list is the store's: keep the sorted sets that you page through up to date from
//!   [`changes`](crate::Room::changes), after the save, or feed one reader's
//!   [`RoomRegistry`](crate::RoomRegistry) by [`import`](crate::RoomRegistry::import).
//! - A room costs its size for each change. Rooms of many thousand users belong into one process:
//!   [`sharded`](super::sharded).
//! - What to ask the media server is [`Planner`](crate::Planner)'s to say, in one of the processes.
