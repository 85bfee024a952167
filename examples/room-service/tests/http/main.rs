//! The service over HTTP, in this process, on a free port. The tests check what each path answers, and what
//! becomes of requests that are malformed, forged, too large or too slow.

#![allow(clippy::unwrap_used, reason = "a test that meets what it does not expect fails")]

mod callbacks;
mod endpoints;
mod events;
mod failing;
mod limits;
mod operation;
mod parameters;
mod repair;
mod support;
mod tokens;
