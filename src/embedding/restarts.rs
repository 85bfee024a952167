//! One process that goes on where it was: snapshots, and a journal if nothing may be lost.
//!
//! **Snapshots alone** lose what came since the last one. Save one every minute and at shutdown:
//!
//! ```
//! # #[cfg(feature = "serde")] {
//! use room_registry::{Config, RoomRegistry, SystemClock};
//!
//! fn save(registry: &RoomRegistry, mut to: impl std::io::Write) -> serde_json::Result<()> {
//!     serde_json::to_writer(&mut to, &registry.snapshot()) // room after room: no second copy
//! }
//!
//! fn start(from: impl std::io::Read) -> serde_json::Result<RoomRegistry> {
//!     let mut reader = serde_json::Deserializer::from_reader(from);
//!     let registry = RoomRegistry::restore(Config::default(), SystemClock, &mut reader)?;
//!     reader.end()?; // nothing may follow
//!     Ok(registry)
//! }
//!
//! let mut file = Vec::new();
//! save(&RoomRegistry::new(Config::default()), &mut file).unwrap();
//! assert_eq!(start(&file[..]).unwrap().room_count(), 0);
//! # }
//! ```
//!
//! Write to a file beside the last snapshot and rename it when it is whole. Any serde format will
//! do; a binary one is smaller and faster than JSON.
//!
//! **With a journal** nothing is lost: write each input before it is handed in, and answer when it
//! is written. A snapshot now and then, with its place in the journal, keeps the replay short:
//!
//! ```
//! # #[cfg(feature = "serde")] {
//! use room_registry::*;
//!
//! /// Every input goes this way.
//! fn hand_in<C: Clock>(
//!     registry: &mut RoomRegistry<C>,
//!     clock: &C,
//!     journal: &mut Vec<String>,
//!     input: Input,
//! ) -> Result<Answer, Error> {
//!     let entry = JournalEntry::new(clock.now(), input);
//!     journal.push(serde_json::to_string(&entry).expect("an entry is JSON")); // a file, with a flush
//!     registry.replay(entry)
//! }
//!
//! /// From a snapshot, and what the journal has since.
//! fn start<C: Clock>(snapshot: &str, since: &[String], clock: C) -> serde_json::Result<RoomRegistry<C>> {
//!     let mut reader = serde_json::Deserializer::from_str(snapshot);
//!     let mut registry = RoomRegistry::restore_exactly(Config::default(), clock, &mut reader)?;
//!     for line in since {
//!         // What was refused then is refused again.
//!         let _answer = registry.replay(serde_json::from_str(line)?);
//!     }
//!     Ok(registry)
//! }
//!
//! let clock = ManualClock::at(Timestamp::from_secs(1_000));
//! let mut journal = Vec::new();
//! let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
//! let create = |room: &str| Input::from(Command::CreateRoom(NewRoom::new(room, "tom")));
//! hand_in(&mut registry, &clock, &mut journal, create("r1")).unwrap();
//! let (snapshot, place) = (serde_json::to_string(&registry.snapshot()).unwrap(), journal.len());
//! hand_in(&mut registry, &clock, &mut journal, create("r2")).unwrap();
//!
//! let mut again = start(&snapshot, &journal[place..], clock.clone()).unwrap();
//! assert_eq!(again.room_count(), 2);
//! // Nobody could be heard meanwhile. The grace goes into the journal like everything else:
//! hand_in(&mut again, &clock, &mut journal, Input::from(Command::GrantGrace)).unwrap();
//! # }
//! ```
//!
//! # What it guarantees
//!
//! - After `RoomRegistry::restore` everything equals what was saved, but for the
//!   one fresh timeout that memberships get.
//! - A snapshot and the journal since give the same state as the whole journal from the beginning,
//!   and the same as the process had that wrote it.
//! - What is read is checked: a snapshot that is damaged, of another version or other settings, or
//!   that nothing could have made, is an error that names what is wrong, and nothing is restored.
//!
//! # Where it ends
//!
//! - While the process is away callbacks are not received. The media server retries for about a
//!   minute; what is lost beyond that, [`next_question`](crate::RoomRegistry::next_question) finds
//!   out with time. After a long outage, ask about every room.
//! - Serialising holds the lock on the registry. Where that takes too long, write the journal, and
//!   let a second process make the snapshots from it.
//! - [`import`](crate::RoomRegistry::import) and [`remove`](crate::RoomRegistry::remove) are no
//!   inputs: take a snapshot after them.
