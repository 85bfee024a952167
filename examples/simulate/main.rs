//! Simulates what a media server's callbacks go through on their way, and how wrong those become
//! who keep a copy of its lists.
//!
//! ```text
//! cargo run --release --example simulate -- [--loss P] [--outage SECONDS] … [--plot FILE]
//! ```
//!
//! A virtual media server ([`server`]) has many rooms, in which people come and go. Its callbacks travel
//! ([`network`]) at different speeds, so that they overtake each other. They come again if a try failed or
//! its answer got lost, by the vendor's schedule, or never come. Four contestants ([`contestants`]) get the
//! very same deliveries. The fourth also asks the media server's API what its planner wants to know, within
//! the budget ([`repair`]).
//!
//! ```text
//! [server]  ─▶ [network]  ─▶ contestants.rs ─▶ measure.rs ─▶ report.rs   table, JSON
//!     ▲  └────── truth ────────── │ ──────────────▲     └──▶ plot.rs     SVG
//!     └──────── repair.rs ◀───────┘             simulation.rs: one thing after the other
//! ```
//!
//! # What counts as wrong
//!
//! At each moment, what a contestant shows of a room is held against what the media server has. Is the room
//! open? Which users and streams are in it? A difference that a callback on its way may still settle is
//! nobody's fault, and does not count. To be exact: **a room is wrong while it differs from the truth in
//! something of which no callback is under way.**
//!
//! - Each callback is about one thing: a user, a stream, or the room as a whole, and then about
//!   everything in it.
//! - A callback is under way from the moment it is told until it first arrives. A lost one is under way
//!   until it would have arrived had it not been lost. One that failed six times is under way until the
//!   last try.
//!
//! So the delays of the network are left out, and what is lost counts from when it should have come.
//! Whoever shows something before its callback came is not wrong for it. The sum over all rooms of
//! the time wrong, to the end of the simulation, is the **room-seconds wrong**.
//!
//! When the stated number of callbacks was told, nothing happens any more at the media server. The **last
//! callback** is the last that arrived, or would have. The **end** comes after the larger of two minutes
//! and one round of the planner. A round is the clock skew (an answer tells nothing of what is younger),
//! then two calls for each room at the budget's speed.
//!
//! [`storm`] tests the crate on many such worlds with random settings.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a program, not the library: it may read its arguments, print, and write a file"
)]

mod contestants;
mod measure;
mod options;
mod plot;
mod progress;
mod repair;
mod report;
mod settings;
mod simulation;
mod storm;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use contestants::{Contestant, Ours};
use options::{Output, Parsed};
use progress::Progress;
use room_registry_world::{names, network, rng, room, server};
use settings::Settings;
use simulation::Simulation;

fn main() -> ExitCode {
    let shows_progress = io::stderr().is_terminal();
    let mut console = Console {
        stdout: &mut io::BufWriter::new(io::stdout().lock()),
        stderr: &mut io::LineWriter::new(io::stderr()),
        shows_progress,
    };
    ExitCode::from(run(std::env::args_os().skip(1), &mut console).code())
}

/// Where the program prints, so that tests can look on.
pub(crate) struct Console<'a> {
    pub(crate) stdout: &'a mut dyn Write,
    pub(crate) stderr: &'a mut dyn Write,
    /// Whether somebody watches standard error.
    pub(crate) shows_progress: bool,
}

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Fine,
    /// The storm found a divergence, or something could not be written.
    Failed,
    /// The arguments make no sense; nothing was done.
    Usage,
}

impl Status {
    /// The exit status that says so.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Failed => 1,
            Self::Usage => 2,
        }
    }
}

/// The program, on a console of its own. `args` come without the program's name.
pub(crate) fn run(args: impl IntoIterator<Item = OsString>, console: &mut Console<'_>) -> Status {
    let done = match options::parse(args) {
        Ok(Parsed::Simulate(settings, output)) => simulate(*settings, &output, console),
        Ok(Parsed::Storm { seconds, seed }) => storm::run(seconds, seed, console),
        Ok(Parsed::Help) => {
            console.stdout.write_all(options::HELP.as_bytes()).map(|()| Status::Fine)
        }
        Err(problem) => {
            _ = writeln!(console.stderr, "simulate: {problem}\n\n{}", options::USAGE);
            return Status::Usage;
        }
    };
    // A reader of our output that went away (`| head`) is no problem of ours.
    match done.and_then(|status| console.stdout.flush().map(|()| status)) {
        Ok(status) => status,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Status::Fine,
        Err(error) => {
            _ = writeln!(console.stderr, "simulate: cannot print: {error}");
            Status::Failed
        }
    }
}

fn simulate(settings: Settings, output: &Output, console: &mut Console<'_>) -> io::Result<Status> {
    let rooms = settings.manners.rooms;
    let contestants = vec![
        Contestant::arrival_order(rooms),
        Contestant::published_recipe(rooms),
        Contestant::ThisCrate(Ours::new(rooms, &settings.config, false)),
        Contestant::ThisCrate(Ours::new(rooms, &settings.config, true)),
    ];
    let mut progress = Progress::of(settings.events, console.shows_progress);
    let mut simulation = Simulation::new(settings, contestants, report::STEP);
    while simulation.step() {
        progress.reach(simulation.traffic().callbacks);
    }
    drop(progress);
    if let Some(path) = &output.plot
        && let Err(error) = std::fs::write(path, plot::svg(&simulation))
    {
        _ = writeln!(console.stderr, "simulate: cannot write {}: {error}", path.display());
        return Ok(Status::Failed);
    }
    if output.json {
        report::json(&simulation, console.stdout)?;
    } else {
        report::table(&simulation, console.stdout)?;
    }
    Ok(Status::Fine)
}
