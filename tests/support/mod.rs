//! What several test files share.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

pub mod history;
pub mod inputs;
pub mod interpreter;
pub mod model;
pub mod recipe;
pub mod repair_model;
pub mod repair_view;
pub mod sightings;
pub mod story;
pub mod truth;
pub mod view;
