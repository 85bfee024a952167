//! What the benchmarks share: worlds of ids, what there is to compare with, filled registries, and
//! how to measure.
#![allow(dead_code, unreachable_pub, reason = "each benchmark that includes it uses a part of it")]

pub mod filled;
pub mod floor;
pub mod lists;
pub mod media;
pub mod method;
pub mod obvious;
pub mod plain;
pub mod side;
pub mod topic;
pub mod walk;
pub mod world;
