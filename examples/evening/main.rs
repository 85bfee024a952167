//! Makes the journal of a plausible evening: the commands of an app's clients, and the callbacks of its
//! media server. These come as they really arrive: out of order, repeated and late.
//!
//! ```text
//! cargo run --example evening -- [--seed N] > evening.jsonl
//! ```
//!
//! The same seed makes the same journal. `tests/fixtures/evening.jsonl` is that of the default seed.
//!
//! [`story`] says what happens, a scene a room; [`stage`] plays it, on a network that is not to be
//! trusted; [`media`] is what the media server tells, in the vendor's words.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a program, not the library: it may read its arguments and print"
)]

mod media;
mod stage;
mod story;

use std::io::{self, Write};
use std::process::ExitCode;

/// The seed of the journal that the project ships.
pub(crate) const SEED: u64 = 2026;

fn main() -> ExitCode {
    let Some(seed) = seed() else {
        eprintln!(
            "Usage: evening [--seed N]        prints a journal; N is a whole number [{SEED}]"
        );
        return ExitCode::from(2);
    };
    match io::stdout().write_all(journal(seed).as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("evening: cannot print: {error}");
            ExitCode::FAILURE
        }
        Ok(()) | Err(_) => ExitCode::SUCCESS,
    }
}

/// The journal of an evening, a line an input.
pub(crate) fn journal(seed: u64) -> String {
    story::evening(seed).into_journal()
}

/// The seed that the arguments name; `None` if they make no sense.
fn seed() -> Option<u64> {
    use lexopt::{Arg, ValueExt};
    let mut parser = lexopt::Parser::from_env();
    let mut seed = SEED;
    while let Some(arg) = parser.next().ok()? {
        match arg {
            Arg::Long("seed") => seed = parser.value().ok()?.parse().ok()?,
            Arg::Long(_) | Arg::Short(_) | Arg::Value(_) => return None,
        }
    }
    Some(seed)
}
