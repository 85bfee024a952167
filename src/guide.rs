//! Explains how the lists stay right, how to build a server, and how to run it.
//!
//! The reference says what each method does. The guide says what holds for all of them.
//!
//! | to build | read |
//! |---|---|
//! | [lifecycles] | to choose what ends a room |
//! | [embedding] | to build a server: in one process or task, with restarts, over a shared store, or sharded; and what runs in a browser |
//! | [migrating] | to move from the vendor's published recipe, or from rooms as JSON values |
//!
//! | to run | read |
//! |---|---|
//! | [operating] | to know what to count, to alert on and to log |
//! | [settings] | to change settings of rooms that are stored |
//! | [security] | to know what the library defends against, and what you must |
//! | [versions] | to know what a new version may change |
//!
//! | to be sure | read |
//! |---|---|
//! | [rules] | what the lists show, whatever arrives in whatever order, and what followers tell |
//! | [repair] | what an observation mends, and what the planner asks |
//! | [memberships] | who is in a room by the app's own word |
//! | [laws] | which tests hold each law of these three pages |
//!
//! | to change the library | read |
//! |---|---|
//! | [architecture] | how it is built, and where to add what |
//! | [contributing] | how to check a change, and what it comes with |
//!
//! [`rules`], [`repair`] and [`memberships`] are the specification. If the code and a law differ, one of them has
//! a defect, and a test decides which.
//!
//! # Files
//!
//! The pages name files by their paths from the root of the repository. [architecture] also names them by
//! their paths from `src/`. The package has `src/` and the examples of one file, and docs.rs shows both under
//! *Source*. The starters, the room service, the benchmarks and the tests are in the repository alone. From
//! the first release on, the crate's page on its registry links to it.

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

#[doc = include_str!("guide/migrating.md")]
pub mod migrating {}

#[doc = include_str!("guide/operating.md")]
pub mod operating {}

#[doc = include_str!("guide/security.md")]
pub mod security {}

#[doc = include_str!("guide/versions.md")]
pub mod versions {}

#[doc = include_str!("guide/contributing.md")]
pub mod contributing {}

#[doc = include_str!("guide/settings.md")]
pub mod settings {}

#[doc = include_str!("guide/embedding.md")]
pub mod embedding {
    #[doc = include_str!("guide/embedding/one_process.md")]
    pub mod one_process {}

    #[doc = include_str!("guide/embedding/one_task.md")]
    pub mod one_task {}

    #[doc = include_str!("guide/embedding/restarts.md")]
    pub mod restarts {}

    #[doc = include_str!("guide/embedding/shared_store.md")]
    pub mod shared_store {}

    #[doc = include_str!("guide/embedding/sharded.md")]
    pub mod sharded {}
}
