//! What the guide says, held against the library: its laws, its server, and its clocks. And
//! what the README says.
#![allow(clippy::unwrap_used, reason = "a test that meets what it does not expect fails")]

mod architecture;
mod laws;
mod one_process;
mod one_task;
mod readme;
mod times;
