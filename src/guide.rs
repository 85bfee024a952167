//! Explains how the lists stay right, which lifecycle to choose, and how to build a server.
//!
//! The reference tells what each method does. The guide tells what holds for all of them.
//!
//! | page | read it to |
//! |---|---|
//! | [`lifecycles`] | choose what ends a room |
//! | [`embedding`] | build a server, in one process or in many |
//! | [`settings`] | change settings of rooms that are stored |
//! | [`rules`] | know what the lists show, whatever arrives in whatever order, and what followers tell |
//! | [`repair`] | know what an observation mends, and what the planner asks |
//! | [`memberships`] | know who is in a room by the app's own word |
//! | [`laws`] | find the tests that hold each law of the three pages above |
//! | [`architecture`] | change the library |
//!
//! [`rules`], [`repair`] and [`memberships`] are the specification. If the code and a law differ, one of them has
//! a defect, and a test decides which.

#[doc = include_str!("guide/rules.md")]
pub mod rules {}

#[doc = include_str!("guide/repair.md")]
pub mod repair {}

#[doc = include_str!("guide/memberships.md")]
pub mod memberships {}

#[doc = include_str!("guide/laws.md")]
pub mod laws {}

#[doc = include_str!("guide/architecture.md")]
pub mod architecture {}

#[doc = include_str!("guide/lifecycles.md")]
pub mod lifecycles {}

#[doc = include_str!("guide/settings.md")]
pub mod settings {}

#[doc = include_str!("guide/embedding.md")]
pub mod embedding {
    #[doc = include_str!("guide/embedding/one_process.md")]
    pub mod one_process {}

    #[doc = include_str!("guide/embedding/restarts.md")]
    pub mod restarts {}

    #[doc = include_str!("guide/embedding/shared_store.md")]
    pub mod shared_store {}

    #[doc = include_str!("guide/embedding/sharded.md")]
    pub mod sharded {}
}
