//! An HTTP service that keeps an app's rooms, users and streams right: what `room-registry` leaves to
//! applications, done once.
//!
//! ```text
//!  the app's clients ─▶ http ─▶ authoriser ─┐                 ┌─ memory: the registry behind a lock
//!  the media server  ─▶ /callback, signed ──┼─▶ Store::apply ─┼─ file:   the same, each room saved
//!  the repair loop   ─▶ asks, observes ─────┘        │        └─ redis:  one value a room
//!  the sweeper       ─▶ Store::sweep, when due       ▼
//!                                                  Feed ─▶ GET /events, the page, the metrics
//! ```
//!
//! A [`Store`](store::Store) is all that tells one kind of storage from another. Everything that changes a
//! room is an [`Input`](room_registry::journal::Input) of the library. So stores know nothing of HTTP, and
//! the layers above nothing of storage.

pub mod auth;
pub mod demo;
pub mod feed;
pub mod http;
pub mod load;
pub mod logs;
pub mod metrics;
pub mod repair;
pub mod rows;
pub mod service;
pub mod settings;
pub mod signature;
pub mod store;
pub mod stores;
pub mod sweeper;
