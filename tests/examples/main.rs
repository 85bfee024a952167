//! The examples that are programs: what they print, and that what they promise holds.

#![allow(clippy::disallowed_methods, reason = "programs are tested, which read and write files")]
#![allow(clippy::unwrap_used, reason = "a test that meets what it does not expect fails")]

mod replay;
mod simulate;
