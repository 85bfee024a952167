//! Many processes, each with the rooms of its own: sharded by room id.
//!
//! Nothing in the rules reaches from one room to another, so each process holds the rooms that a
//! function of the id gives it, as [`one_process`](super::one_process) or
//! [`restarts`](super::restarts) tells. A router in front sends every command and callback to the
//! process that has the room:
//!
//! ```
//! use room_registry::Input;
//!
//! /// Which of so many processes has a room. Must be the same on every machine and for ever, so no
//! /// hasher of the standard library's: its results may differ from one version to the next.
//! fn shard_of(room_id: &str, shards: u64) -> u64 {
//!     let fnv = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
//!     room_id.bytes().fold(0xcbf2_9ce4_8422_2325, fnv) % shards
//! }
//!
//! /// `None`: for all of them.
//! fn route(input: &Input, shards: u64) -> Option<u64> {
//!     input.room_id().map(|room_id| shard_of(room_id, shards))
//! }
//!
//! assert_eq!(shard_of("r1", 4), shard_of("r1", 4));
//! assert_eq!(route(&Input::Expire, 4), None);
//! ```
//!
//! **To move a room** to another process (a machine goes, or comes), hand it over as it is:
//!
//! ```
//! use room_registry::{Clock, Error, RoomRegistry};
//!
//! fn move_room<C: Clock>(
//!     room_id: &str,
//!     from: &mut RoomRegistry<C>,
//!     to: &mut RoomRegistry<C>,
//! ) -> Result<(), Error> {
//!     // First route its inputs to the new process, then hand over what the old one has. What was
//!     // under way to the old one makes a room there again: do this once more a little later.
//!     from.remove(room_id).map_or(Ok(()), |room| to.import(room))
//! }
//! # use room_registry::{Config, ManualClock, NewRoom};
//! # let mut one = RoomRegistry::with_clock(Config::default(), ManualClock::default());
//! # let mut other = RoomRegistry::with_clock(Config::default(), ManualClock::default());
//! # one.create_room(NewRoom::new("r1", "tom"))?;
//! # move_room("r1", &mut one, &mut other)?;
//! # assert!(one.room("r1").is_none() && other.room("r1").is_some());
//! # Ok::<(), Error>(())
//! ```
//!
//! **The room list** of all processes is a merge of their pages: ask each for a page of the same
//! order and limit, merge by the key of that order, and keep a cursor for each process.
//! `examples/sharded.rs` does it with threads in place of processes. Or feed the changes of all into
//! one [`Mirror`](crate::Mirror), and list from there.
//!
//! A merged page ends behind any room of a process's page: go on in each process behind the last
//! room that was taken of it, whose place [`RoomRef::cursor`](crate::RoomRef::cursor) tells.
//!
//! # What it guarantees
//!
//! - All that one process does, for each room. The processes share nothing.
//! - A room that moved lost nothing: [`import`](crate::RoomRegistry::import) merges, so it does not
//!   matter which of the two saw which callback.
//!
//! # Where it ends
//!
//! - Limits on rooms, and on rooms of a host, are those of each process.
//! - Commands take effect where they arrive. For the moment in which a room moves, one may be
//!   refused that would have been carried out (the room is not there yet): let clients try again.
//! - Totals, `top` and lists across all rooms are sums and merges of your own.
