//! Makes a world to test an embedding of `room-registry` in. It has a media server of which everything is
//! known, a network that nobody should trust, and the truth to hold lists against.
//!
//! ```text
//! MediaRoom, MediaServer ─▶ Callback ─▶ Network, as_it_arrives ─▶ your embedding ─▶ what it shows
//!            │                  └▶ zego::encode: its wire form                            │
//!            └──────────────────── truth, recipe, models ◀────────────────── must equal ──┘
//! ```
//!
//! A seed makes the same history on every machine. Shuffle it, repeat some of it, hand it to whatever
//! keeps your lists, and hold what is shown against the truth:
//!
//! ```
//! use room_registry::{Config, ManualClock, RoomRegistry};
//! use room_registry_world::history::{Options, as_it_arrives, valid_history};
//! use room_registry_world::truth::truth;
//!
//! for seed in 0..10 {
//!     let history = valid_history(seed, Options { callbacks: 40, ..Options::default() });
//!     let clock = ManualClock::at(history[0].latest_time());
//!     let mut lists = RoomRegistry::with_clock(Config::default(), clock);
//!     for callback in as_it_arrives(&history, seed, 20) {
//!         lists.apply_callback(&callback);
//!     }
//!     let shown = lists.room("room").and_then(|room| room.session_id());
//!     let truth = truth(&history);
//!     assert_eq!(shown, truth.as_ref().and_then(|room| room.session_id.as_ref()), "seed {seed}");
//! }
//! ```
//!
//! - [`room`], [`server`]: one room at the media server, driven step by step; and many, in which things
//!   happen by chance.
//! - [`history`]: all that is told of one room, in order, and as it may arrive.
//! - [`vendor`]: the forms in which media servers tell of users, streams and sessions.
//! - [`network`]: the way between, by the vendor's schedule of tries.
//! - [`zego`], [`wire`]: the vendor's words for a callback.
//! - [`truth`], [`observations`]: what a reader who saw everything in order would know, and what the media
//!   server's API answers.
//! - [`model`], [`repair_model`], [`log_model`], [`commands`]: the library's rules, slowly and plainly; [`view`],
//!   [`repair_view`], [`interpreter`]: the library's state in the words of these models. [`recipe`]: the
//!   vendor's published flow charts.
//! - [`story`]: a registry that is told one thing after the other.
//! - [`rng`]: numbers by chance, the same everywhere. With the feature `proptest`, `junk` and `inputs`
//!   are strategies for well-formed inputs, and `effort` says how hard to try.

pub mod commands;
#[cfg(feature = "proptest")]
pub mod effort;
pub mod history;
#[cfg(feature = "proptest")]
pub mod inputs;
pub mod interpreter;
#[cfg(feature = "proptest")]
pub mod junk;
pub mod log_model;
pub mod model;
pub mod names;
pub mod network;
pub mod observations;
pub mod recipe;
pub mod repair_model;
pub mod repair_view;
pub mod rng;
pub mod room;
pub mod server;
pub mod story;
pub mod truth;
pub mod vendor;
pub mod view;
pub mod wire;
pub mod zego;

/// Answers whether a value is stored under a name: as the name itself, or as an object of this kind.
pub fn is_stored_as<T: serde::Serialize>(value: &T, name: &str) -> bool {
    match serde_json::to_value(value).expect("it can be stored") {
        serde_json::Value::Object(fields) => fields["kind"] == name,
        value => value == name,
    }
}
