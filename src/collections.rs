//! Collections that no well-kept crate has.

pub(crate) mod hashed;
pub(crate) mod id_table;
pub(crate) mod order;
