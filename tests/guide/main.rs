//! What the guide says, held against the library: its laws, its server, its clocks, and what it counts. And what the
//! README says, and where links lead.
#![allow(clippy::unwrap_used, reason = "a test that meets what it does not expect fails")]

mod architecture;
mod laws;
mod links;
mod one_process;
mod one_task;
mod operating;
mod readme;
mod times;
