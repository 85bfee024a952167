//! `cargo bench --bench instructions`: how many instructions the operations take.
//!
//! Times move from run to run on a shared machine; the number of instructions hardly does. So a change
//! of one in a hundred shows here, and not in `ratios`. What memory costs shows there alone: a miss of
//! the cache adds nothing here.
//!
//! # What is counted
//!
//! The world has 2,000 rooms of 20 users, all of them in. Each row runs under callgrind in a process of
//! its own. That process fills the world, makes 2,000 operations of the row's kind, and then counts
//! 10,000 more. Each is about another user, in random order; a stream's is about a room, and rooms come
//! again. The count has all that the calls do: allocation, list orders, the expiry schedule, changes.
//! It has the loop around the calls as well, less than ten instructions an operation. Inputs are made
//! before.
//!
//! - *logout or login*: each user logs out and in again; both count.
//! - *`join_room`*, *`leave_room`*: each user leaves and joins again; one of the two counts. A join
//!   frees the input that it was handed.
//! - *expire*: one sweep ends the memberships of one user in ten, about two in each room. It puts off what
//!   is due of the others. So its cost for a room is shared by two; one sweep like it went before.
//! - *a room with a sign*: it has a session and twenty members, and nobody is logged in. The sign was
//!   raised before. In the room without a sign one of the twenty is logged in too.
//!
//! The hash of ids has a random key in each process, as in production. Some probes are longer for one
//! key than for another, which moves the count of 10,000 operations by less than one in a hundred.
//!
//! # What it needs
//!
//! Valgrind, and the runner of `gungraun`. Without either it says so, and counts nothing. The runner has
//! to be of the version that `Cargo.lock` names for `gungraun`; it refuses to work with another:
//!
//! ```text
//! cargo install --locked gungraun-runner@0.20.0
//! ```
//!
//! A pattern picks rows, as in `-- '*callbacks*'`. With `-- --output-format=default` gungraun shows its
//! own report; it keeps callgrind's profiles in `target/gungraun`, where `callgrind_annotate` reads
//! them.
#![allow(clippy::print_stdout, clippy::disallowed_macros, reason = "a program of its own")]
#![allow(clippy::disallowed_methods, reason = "it reads its arguments and the path")]
#![allow(missing_docs, unreachable_pub, reason = "a program of its own")]

mod rows;
mod scenes;
#[path = "../support/mod.rs"]
mod support;
mod table;

use std::env;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

/// The runner, if it is not to be found by the path; gungraun asks for it when it is compiled, too.
const RUNNER: Option<&str> = option_env!("GUNGRAUN_RUNNER");

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let is_for_gungraun =
        |argument: &String| argument == "--gungraun-run" || argument.starts_with("--output-format");
    if arguments.iter().any(is_for_gungraun) {
        rows::run();
        return ExitCode::SUCCESS;
    }
    for program in ["valgrind", RUNNER.unwrap_or("gungraun-runner")] {
        if !is_installed(program) {
            println!("nothing is counted: {program} is not installed");
            return ExitCode::SUCCESS;
        }
    }
    count(&arguments)
}

fn is_installed(program: &str) -> bool {
    let folders = env::var_os("PATH").unwrap_or_default();
    Path::new(program).is_file()
        || env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}

/// Has gungraun run this program once more, and shows what it found.
fn count(arguments: &[String]) -> ExitCode {
    let program = env::current_exe().expect("this program has a path");
    let mut command = Command::new(program);
    command.args(arguments).arg("--output-format=json").stderr(Stdio::inherit());
    let output = command.output().expect("this program runs once more");
    if !output.status.success() {
        print!("{}", String::from_utf8_lossy(&output.stdout));
        return ExitCode::FAILURE;
    }
    println!("{}", table::of(&String::from_utf8_lossy(&output.stdout)));
    ExitCode::SUCCESS
}
