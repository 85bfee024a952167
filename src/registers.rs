//! What is known of one room, and nothing that follows from it.
//!
//! Every register is a *join*: a maximum, or a maximum a key. Applying a callback is merging a room that
//! holds nothing else. So one piece of code ([`Registers::join`]) serves both, and what is stored is a
//! function of the set of callbacks, not of their order.
//!
//! *C* is the latest creation known. Sessions created within the tie window of C are the *anchors*. The
//! *floor*, C less the clock skew, bounds everything else. [`SessionRegister`] says what the close of a
//! session bounds, and [`StayRegister`](stays::StayRegister) what the latest opening of a user bounds.
//!
//! A join returns what it changed, and calls no rule.

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

pub(crate) use join::Joined;
pub(crate) use state::{Closings, MAX_SESSIONS, Registers, StreamAttributes};
