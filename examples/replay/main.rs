//! Reads journals of commands and callbacks, and prints the rooms that they lead to.
//!
//! ```text
//! cargo run --release --example replay -- tests/fixtures/evening.jsonl
//! ```
//!
//! The data flow, a file a step:
//!
//! ```text
//! bytes ─▶ lines.rs ─▶ journal.rs ─▶ replay.rs ─▶ report.rs     table, totals, JSON
//!          a line      an input      registry ├─▶ explain.rs    a sentence an input
//!                                             └─▶ snapshot.rs   the state, to go on from
//! ```
//!
//! The registry runs on a manual clock that is set to the time of each line. So a journal of a whole
//! evening is replayed in milliseconds, and always with the same result.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a program, not the library: it may read files and print"
)]

mod explain;
mod journal;
mod lines;
mod observed;
mod options;
mod progress;
mod replay;
mod report;
mod snapshot;
mod text;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use options::{Options, Parsed};
use progress::Progress;
use replay::Replay;

fn main() -> ExitCode {
    let shows_progress = io::stderr().is_terminal();
    let mut console = Console {
        stdin: &mut io::stdin().lock(),
        stdout: &mut io::BufWriter::new(io::stdout().lock()),
        stderr: &mut io::LineWriter::new(io::stderr()),
        shows_progress,
    };
    ExitCode::from(run(std::env::args_os().skip(1), &mut console).code())
}

/// Where the program reads and prints, so that tests can look on.
pub(crate) struct Console<'a> {
    pub(crate) stdin: &'a mut dyn BufRead,
    pub(crate) stdout: &'a mut dyn Write,
    pub(crate) stderr: &'a mut dyn Write,
    /// Whether somebody watches standard error.
    pub(crate) shows_progress: bool,
}

/// The longest sentence about a snapshot, in characters: it may quote the file.
const MAX_PROBLEM_LEN: usize = 600;

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// All of the input was replayed.
    Fine,
    /// Some of the input was bad and the rest was replayed, or a snapshot could not be used.
    BadInput,
    /// The arguments make no sense; nothing was read.
    Usage,
}

impl Status {
    /// The exit status that says so.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::BadInput => 1,
            Self::Usage => 2,
        }
    }
}

/// The program, on a console of its own. `args` come without the program's name.
pub(crate) fn run(args: impl IntoIterator<Item = OsString>, console: &mut Console<'_>) -> Status {
    let options = match options::parse(args) {
        Ok(Parsed::Replay(options)) => options,
        Ok(Parsed::Help) => {
            let printed = console.stdout.write_all(options::HELP.as_bytes());
            return end(printed.and_then(|()| console.stdout.flush()), Status::Fine, console);
        }
        Err(problem) => {
            _ = writeln!(console.stderr, "replay: {}\n\n{}", text::Clean(&problem), options::USAGE);
            return Status::Usage;
        }
    };
    let mut replay = match Replay::start(&options) {
        Ok(replay) => replay,
        Err(problem) => return refuse(options.snapshot_in.as_deref(), &problem, console),
    };
    let replayed = replay_files(&options, &mut replay, console);
    if replayed.is_ok()
        && let Err(problem) = replay.save(options.snapshot_out.as_deref())
    {
        return refuse(options.snapshot_out.as_deref(), &problem, console);
    }
    let printed = replayed.and_then(|()| {
        if options.json {
            report::json(&replay, console.stdout)?;
        } else {
            if options.explain {
                writeln!(console.stdout)?;
            }
            report::table(&replay, options.table, console.stdout)?;
        }
        console.stdout.flush()
    });
    let status = if replay.saw_bad_input() { Status::BadInput } else { Status::Fine };
    end(printed, status, console)
}

/// Names a snapshot that could not be read or written: then nothing is printed as if all were well.
fn refuse(path: Option<&Path>, problem: &str, console: &mut Console<'_>) -> Status {
    let name = path.map(|path| path.display().to_string()).unwrap_or_default();
    let problem = text::cut(problem, MAX_PROBLEM_LEN);
    _ = writeln!(console.stderr, "{}: {problem}", text::Clean(&name));
    _ = console.stdout.flush();
    Status::BadInput
}

/// A reader of our output that went away (`| head`) is no problem of ours.
fn end(printed: io::Result<()>, status: Status, console: &mut Console<'_>) -> Status {
    match printed {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            _ = writeln!(console.stderr, "replay: cannot print: {error}");
            Status::BadInput
        }
        Ok(()) | Err(_) => status,
    }
}

fn replay_files(
    options: &Options,
    replay: &mut Replay,
    console: &mut Console<'_>,
) -> io::Result<()> {
    for path in &options.files {
        if path.as_os_str() == "-" {
            let name = "standard input";
            replay.read(name, console.stdin, Progress::none(), console.stdout, console.stderr)?;
            continue;
        }
        let name = path.display().to_string();
        match open(path) {
            Ok((mut file, len)) => {
                // A bar and sentences on one terminal would overwrite each other.
                let is_watched = console.shows_progress && !options.explain;
                let progress = if is_watched { Progress::of(len) } else { Progress::none() };
                replay.read(&name, &mut file, progress, console.stdout, console.stderr)?;
            }
            Err(error) => replay.cannot_read(&name, &error, console.stderr),
        }
    }
    Ok(())
}

fn open(path: &Path) -> io::Result<(BufReader<File>, u64)> {
    let file = File::open(path)?;
    let len = file.metadata()?.len();
    Ok((BufReader::with_capacity(256 * 1024, file), len))
}
