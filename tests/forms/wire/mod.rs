//! Bodies of the first vendor: samples to change, and callbacks of every kind to write and read back.

pub(crate) mod answer;
pub(crate) mod body;
pub(crate) mod form;
pub(crate) mod strategy;
