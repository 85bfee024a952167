//! What several test files share.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

pub mod commands;
pub mod effort;
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

/// Whether a value is stored under a name: as the name itself, or as an object with this one field.
pub fn is_stored_as<T: serde::Serialize>(value: &T, name: &str) -> bool {
    match serde_json::to_value(value).expect("it can be stored") {
        serde_json::Value::Object(fields) => fields.keys().eq([name]),
        value => value == name,
    }
}
