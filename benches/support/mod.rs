//! What the benchmarks share: worlds of ids, what there is to compare with, and filled registries.
#![allow(dead_code, unreachable_pub, reason = "each benchmark that includes it uses a part of it")]

pub mod filled;
pub mod floor;
pub mod obvious;
pub mod world;
