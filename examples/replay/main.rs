//! Replays a journal of commands and callbacks, and prints the rooms that are open at its end.
//!
//! ```text
//! cargo run --release --example replay -- [--json] [--explain] [--retention-ms N] [--clock-skew-ms N]
//!     [--tie-window-ms N] [--heartbeat-timeout-ms N] FILE…      ("-": standard input)
//! ```
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a program, not the library"
)]

mod journal;
mod options;
mod player;
mod report;

use std::io::{self, BufWriter};
use std::process::ExitCode;

fn main() -> ExitCode {
    let stdin = io::stdin();
    let stdout = io::stdout();
    let mut out = BufWriter::new(stdout.lock());
    let mut err = io::stderr();
    ExitCode::from(player::run(std::env::args_os().skip(1), &mut stdin.lock(), &mut out, &mut err))
}
