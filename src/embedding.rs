//! How to build this crate into a server: four ways, from one process to many.
//!
//! | | rooms live in | restarts | grows by |
//! |---|---|---|---|
//! | [`one_process`] | memory | start empty | a larger machine |
//! | [`restarts`] | memory, snapshots and a journal | go on where they were | a larger machine |
//! | [`sharded`] | memory of many processes, each room in one | as each process does | more processes |
//! | [`shared_store`] | a store that all processes share | nothing to do | more processes, and the store |
//!
//! Start with one process: it holds some hundred thousand users, and a list of rooms across all of
//! them costs nothing there. The rules are the same everywhere, as [`Room`](crate::Room) has them
//! all; to move on from one way to the next is to move rooms, with
//! [`remove`](crate::RoomRegistry::remove) and [`import`](crate::RoomRegistry::import).
//!
//! What holds for every way:
//!
//! - **Answer the media server before anything else can fail**, once a callback is safely yours.
//!   Whatever the [`Outcome`](crate::Outcome), it is no reason to have it delivered again.
//! - **Check the vendor's signature** before decoding.
//! - **One configuration for all**: what is stored carries the settings' fingerprint, and rooms of
//!   different settings do not mix.
//! - **Clocks of ours** may differ by no more than the clock skew between processes that hand one
//!   room to each other.

pub mod one_process;
pub mod restarts;
pub mod sharded;
pub mod shared_store;
