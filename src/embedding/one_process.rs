//! All rooms in the memory of one process.
//!
//! Put a [`RoomRegistry`](crate::RoomRegistry) behind a lock or into one task. Commands and
//! callbacks go in, changes go out to whoever watches, and a timer does what is due:
//!
//! ```
//! use std::sync::{Mutex, PoisonError};
//! use std::time::Duration;
//! use room_registry::{Answer, Change, Clock, Config, Error, Input, RoomRegistry, SystemClock};
//!
//! struct Server {
//!     registry: Mutex<RoomRegistry>,
//! }
//!
//! impl Server {
//!     /// For request handlers, the callback endpoint and the timer alike.
//!     fn hand_in(&self, input: Input) -> (Result<Answer, Error>, Vec<Change>) {
//!         let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
//!         let answer = registry.apply_input(input);
//!         (answer, registry.changes().collect()) // to clients, caches and subscribers
//!     }
//!
//!     /// How long the timer may sleep; then it hands in `Input::Expire`. Early, late and repeated
//!     /// calls are harmless, so look again now and then: clocks are set, and machines sleep.
//!     fn patience(&self) -> Duration {
//!         let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
//!         let due_in = registry.next_expiry().map(|at| at.since(SystemClock.now()));
//!         due_in.unwrap_or(Duration::MAX).min(Duration::from_secs(1))
//!     }
//! }
//!
//! let server = Server { registry: Mutex::new(RoomRegistry::new(Config::default())) };
//! let (answer, changes) = server.hand_in(Input::Expire);
//! assert!(answer.is_ok() && changes.is_empty());
//! assert_eq!(server.patience(), Duration::from_secs(1));
//! ```
//!
//! A room list that is read far more often than it changes can be kept outside the lock: feed a
//! [`Mirror`](crate::Mirror) with the changes, in their order. `examples/host_loop.rs` has the
//! registry in a thread of its own, without a lock.
//!
//! # What it guarantees
//!
//! - Everything that the crate promises, for all rooms at once; limits on rooms and on rooms of a
//!   host are exact.
//! - A call is short: the room that it concerns, and the logarithm of the rooms. After an outage,
//!   [`expire_at_most`](crate::RoomRegistry::expire_at_most) spreads the backlog over many calls.
//!
//! # Where it ends
//!
//! - A restart begins with nothing. Members join again when their heartbeats are answered with
//!   [`RoomNotFound`](crate::Error::RoomNotFound); of running sessions callbacks tell as they come,
//!   and an [`Observation`](crate::Observation) at once. See [`restarts`](super::restarts).
//! - After a suspended machine or an outage on your side call
//!   [`grant_grace`](crate::RoomRegistry::grant_grace) before the next expiry, or all go who could
//!   not be heard.
