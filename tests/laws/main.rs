//! The laws: properties that hold for every input, and the library held against slow models of it.

#![allow(clippy::unwrap_used, reason = "a test that meets what it does not expect fails")]

mod batches;
mod commands;
mod comparison;
mod debounce;
mod dirty_rooms;
mod empty_rooms;
mod ends;
mod expiry;
#[path = "../fuzzed/mod.rs"]
mod fuzzed;
mod fuzzing;
mod inputs;
mod lists;
mod members;
mod merging;
mod nameless;
mod ordering;
mod queries;
mod regressions;
mod repair;
mod repair_truth;
mod replicas;
mod retention;
mod settings;
mod visits;
