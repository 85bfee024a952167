//! Makes the sample journal: a plausible evening of an app with live shows, voice rooms and
//! meetings, with its callbacks in the vendor's wire form, delivered out of order, repeated, and
//! some of them late.
//!
//! ```text
//! cargo run --example evening -- [SEED] > evening.jsonl
//! ```
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a program, not the library"
)]

mod app;
mod script;
mod server;

use std::io::{self, Write};
use std::process::ExitCode;

/// The seed of the journal that the project ships.
const SEED: u64 = 7;

fn main() -> ExitCode {
    let seed = match std::env::args().nth(1).map(|seed| seed.parse()) {
        None => SEED,
        Some(Ok(seed)) => seed,
        Some(Err(_)) => {
            eprintln!("Usage: evening [SEED]");
            return ExitCode::from(2);
        }
    };
    match io::stdout().lock().write_all(script::evening(seed).as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("evening: {error}");
            ExitCode::FAILURE
        }
    }
}
