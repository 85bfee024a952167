//! The registers of one room: what is known of it, and nothing that follows from that.
//!
//! Every register is a *join*: a maximum, or a maximum for each key (section 3 of the guide's rules).
//! Applying a callback is merging a room that holds that callback alone. So one function,
//! [`Registers::join`], serves both, and what is stored is a function of the set of callbacks. Their order
//! makes no difference.
//!
//! Step 4 of the door writes them, through the functions of this folder. So does `room/record.rs`, which
//! notes what follows from what readers see. The [`rules`](crate::rules), the projection and the stored
//! form read them. A join returns what it changed, and calls no rule.
//!
//! # Where to find what
//!
//! | file | it holds |
//! |---|---|
//! | `state` | [`Registers`]: a whole room, and the look-up of ids |
//! | `session` | one session, with a table of users and a table of streams |
//! | `stays` | one user or stream in one session: its openings, and its closing tombstones |
//! | `observed`, `roster` | what observations said: of the room, and of each id in a list |
//! | `members`, `connections`, `last_seen` | memberships, and the heartbeats that keep them alive |
//! | `notes` | what the application says of users who have no membership |
//! | `gaps`, `signs`, `refused` | signs of loss: of a counter, of a session, of openings that came too late |
//! | `emptiness` | since when a visible session is empty |
//! | `facts` | one callback as facts: the values that are joined |
//! | `join` | the joins of whole callbacks, observations and replicas |
//! | `kind`, `tables` | what differs between users and streams, so that one join serves both |
//! | `places`, `bounds` | small values that joins and rules hand on |
//!
//! # How to read this code
//!
//! - A name that ends in `_at` or `_until`, or begins with `latest_`, is an instant. Facts have *event
//!   times*. Business info, memberships, connections, notes and emptiness have *local times*, and so have
//!   `changed_at`, `heard_at`, `hidden_at`, `ended_at`, `received_at` and `noticed_at`. The two are
//!   compared only at the places that section 11 of the rules names. A number that ends in `_ms` is a span
//!   in milliseconds.
//! - `None` sorts before every instant. So `Some(at) > bound` holds if there is no bound, and `a.max(b)` of
//!   two optional instants is the later one that is known.
//! - Bounds saturate at [`Timestamp::MIN`](crate::Timestamp::MIN), which is also the default. So an unknown
//!   bound may be written as `unwrap_or_default`, and admits everything.
//! - *Told* is what an input says, and *held* is what a register keeps of it. *By us* means that a command
//!   did it, and not the media server.
//! - A `session` of type `usize` is an index in [`Registers::sessions`]. A *place* is an index in an
//!   [`IdTable`](crate::collections::id_table::IdTable).
//! - `impossible` and `is_possible` check what comes from a store. A stored form may be hostile.
//! - `pull_back` serves a local clock that was set back by more than δ. No local time may stay in the
//!   future: see the end of section 11.
//!
//! *C* is the latest creation known of the room. Sessions whose creation is within the tie window of C are
//! the *anchors* (law 3.1). The *floor*, C less the clock skew, bounds all other facts (law 3.2).

pub(crate) mod bounds;
pub(crate) mod connections;
pub(crate) mod emptiness;
pub(crate) mod facts;
pub(crate) mod gaps;
mod join;
pub(crate) mod kind;
mod last_seen;
pub(crate) mod members;
pub(crate) mod notes;
pub(crate) mod observed;
pub(crate) mod places;
pub(crate) mod refused;
pub(crate) mod roster;
pub(crate) mod session;
pub(crate) mod signs;
mod state;
pub(crate) mod stays;
pub(crate) mod tables;

pub(crate) use join::{Joined, JoinedObservation};
pub(crate) use state::{Closings, MAX_SESSIONS, Registers, StreamAttributes};
