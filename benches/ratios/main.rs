//! `cargo bench --bench ratios`: what the operations cost, against what no registry can beat, at a
//! million users, in one run.
//!
//! `-- --json` prints the same for a machine; words after `--` pick the groups of lines that have
//! one of them in their names.
#![allow(clippy::print_stdout, clippy::disallowed_macros, reason = "a program of its own")]
#![allow(clippy::disallowed_methods, reason = "it measures time, and reads its arguments")]
#![allow(missing_docs, unreachable_pub, reason = "a program of its own")]

mod callbacks;
mod decoding;
mod expiry;
mod growth;
mod heartbeats;
mod memory;
mod pages;
mod snapshots;
#[path = "../support/mod.rs"]
mod support;
mod table;

use support::method;
use table::Line;

/// A group of lines that need the same registry.
type Group = (&'static str, fn() -> Vec<Line>);

const GROUPS: [Group; 8] = [
    ("heartbeats", heartbeats::lines),
    ("callbacks", callbacks::lines),
    ("expiry", expiry::lines),
    ("pages", pages::lines),
    ("snapshots", snapshots::lines),
    ("decoding", decoding::lines),
    ("memory", memory::lines),
    ("growth", growth::lines),
];

fn main() {
    // What `cargo bench` adds by itself is not for us.
    let arguments: Vec<_> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let is_json = arguments.iter().any(|argument| argument == "--json");
    let words: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let picked =
        |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
    let groups = GROUPS.iter().filter(|(name, _)| picked(name));
    let lines: Vec<_> = groups.flat_map(|(_, lines)| lines()).collect();
    if is_json {
        println!("{}", table::as_json(&lines));
    } else {
        println!("{}", table::as_text(&lines));
        let missed = lines.iter().filter(|line| !line.is_ok()).count();
        println!("{} lines, {missed} missed", lines.len());
    }
}
