//! The values that come in or go out: ids, times, texts, callbacks, commands, observations,
//! outcomes, changes, errors and settings. They know no rules.

pub(crate) mod callback;
pub(crate) mod change;
pub(crate) mod command;
pub(crate) mod config;
pub(crate) mod cursor;
pub(crate) mod error;
pub(crate) mod expired;
pub(crate) mod id;
pub(crate) mod input;
pub(crate) mod named;
pub(crate) mod observation;
pub(crate) mod outcome;
pub(crate) mod summary;
pub(crate) mod suspicion;
pub(crate) mod text;
pub(crate) mod time;
pub(crate) mod visible;
