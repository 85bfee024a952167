//! Inputs to the registry, and what became of them.

use std::fmt;
use std::io::{self, BufRead, Write};
use std::path::Path;

use room_registry::journal::Command;
use room_registry::vendor::zego::Event;
use room_registry::{ManualClock, Observation, RoomRegistry, Timestamp};

use super::explain;
use super::journal::{self, Entry, Input};
use super::lines::{Line, Lines, MAX_LINE_LEN};
use super::options::Options;
use super::progress::Progress;
use super::snapshot;
use super::text::{Clean, cut};

/// The longest reason for a bad line, in characters: it may quote the line.
const MAX_REASON_LEN: usize = 300;

/// The state of the replay.
pub(crate) struct Replay {
    pub(crate) registry: RoomRegistry<ManualClock>,
    pub(crate) totals: Totals,
    /// The time of the line before.
    pub(crate) last_at: Timestamp,
    clock: ManualClock,
    explain: bool,
    /// Standard output is for the document alone.
    json: bool,
    /// With several files, a line is named with its file.
    names_files: bool,
    unreadable_files: u64,
}

/// What became of the input, apart from the outcomes of callbacks, which the registry counts.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) lines: u64,
    pub(crate) commands: u64,
    pub(crate) refused_commands: u64,
    pub(crate) other_events: u64,
    pub(crate) expiries: u64,
    pub(crate) observations: u64,
    /// Refused commands among them.
    pub(crate) bad_lines: u64,
}

/// Where lines come from and what is printed about them.
struct Desk<'a> {
    file: &'a str,
    number: u64,
    progress: &'a Progress,
    stdout: &'a mut dyn Write,
    stderr: &'a mut dyn Write,
}

impl Replay {
    /// Starts from nothing, or from a snapshot. An error is a sentence about the snapshot.
    pub(crate) fn start(options: &Options) -> Result<Self, String> {
        let (config, clock) = (options.config.clone(), ManualClock::default());
        let registry = match &options.snapshot_in {
            Some(path) => snapshot::read(path, config, clock.clone())?,
            None => RoomRegistry::with_clock(config, clock.clone()),
        };
        Ok(Self {
            last_at: registry.snapshot().taken_at(),
            registry,
            totals: Totals::default(),
            clock,
            explain: options.explain,
            json: options.json,
            names_files: options.files.len() > 1,
            unreadable_files: 0,
        })
    }

    /// Saves the state, if that was asked for. An error is a sentence about the snapshot.
    pub(crate) fn save(&self, snapshot_out: Option<&Path>) -> Result<(), String> {
        let Some(path) = snapshot_out else { return Ok(()) };
        if self.unreadable_files > 0 {
            return Err("no snapshot was written, as not all of the journal was read".to_owned());
        }
        snapshot::write(path, &self.registry)
    }

    /// Whether a line was bad or a file could not be read.
    pub(crate) fn saw_bad_input(&self) -> bool {
        self.totals.bad_lines + self.unreadable_files > 0
    }

    /// Names a file that could not be read.
    pub(crate) fn cannot_read(&mut self, file: &str, error: &io::Error, stderr: &mut dyn Write) {
        self.unreadable_files += 1;
        _ = writeln!(stderr, "{}: {error}", Clean(file));
    }

    /// Replays all of a file. An error is one of standard output.
    pub(crate) fn read(
        &mut self,
        file: &str,
        reader: &mut dyn BufRead,
        mut progress: Progress,
        stdout: &mut dyn Write,
        stderr: &mut dyn Write,
    ) -> io::Result<()> {
        let mut lines = Lines::new(reader);
        loop {
            let bytes = lines.bytes;
            progress.reach(bytes);
            let number = lines.number + 1;
            let line = match lines.next() {
                Ok(Some(line)) => line,
                Ok(None) => return Ok(()),
                Err(error) => {
                    progress.suspend(|| self.cannot_read(file, &error, stderr));
                    return Ok(());
                }
            };
            self.totals.lines += 1;
            let mut desk = Desk { file, number, progress: &progress, stdout, stderr };
            match line {
                Line::Text(text) if text.trim_ascii().is_empty() => {}
                Line::Text(text) => match journal::parse(text, self.last_at) {
                    Ok(entry) => self.apply(entry, &mut desk)?,
                    Err(reason) => self.bad_line(&reason, &mut desk),
                },
                Line::TooLong => {
                    self.bad_line(&format!("longer than {MAX_LINE_LEN} bytes"), &mut desk);
                }
                Line::NotUtf8 => self.bad_line("not UTF-8", &mut desk),
            }
        }
    }

    fn apply(&mut self, Entry { at, input }: Entry, desk: &mut Desk<'_>) -> io::Result<()> {
        self.last_at = at;
        self.clock.set(at);
        match input {
            Input::Event(Event::Callback(callback)) => {
                let outcome = self.registry.apply_callback(&callback);
                self.tell(desk, || outcome.explain(&callback))
            }
            Input::Event(Event::Other(name)) => {
                self.totals.other_events += 1;
                self.tell(desk, || format!("ignored: event {name} is not about rooms"))
            }
            Input::Event(_) => {
                self.totals.other_events += 1;
                self.tell(desk, || "ignored: not about rooms, users or streams")
            }
            Input::Command(command) => self.command(&command, desk),
            Input::Observed(observation) => self.observe(&observation, desk),
            Input::Expire => {
                self.totals.expiries += 1;
                let expired = self.registry.expire();
                self.tell(desk, || explain::expired(expired, self.registry.changes()))
            }
        }
    }

    fn command(&mut self, command: &Command, desk: &mut Desk<'_>) -> io::Result<()> {
        self.totals.commands += 1;
        let subject = self.explain.then(|| explain::subject(command));
        match self.registry.apply_command(command) {
            Ok(answer) => self.tell(desk, || {
                explain::done(subject.unwrap_or_default(), answer, self.registry.changes())
            }),
            Err(error) => {
                self.totals.refused_commands += 1;
                self.bad_line(&format!("command refused: {error}"), desk);
                self.tell(desk, || format!("refused: {error}"))
            }
        }
    }

    fn observe(&mut self, observation: &Observation, desk: &mut Desk<'_>) -> io::Result<()> {
        self.totals.observations += 1;
        match self.registry.apply_observation(observation) {
            Ok(outcome) => self.tell(desk, || {
                explain::observed(&observation.room_id, outcome, self.registry.changes())
            }),
            Err(error) => {
                self.bad_line(&format!("observation refused: {error}"), desk);
                self.tell(desk, || format!("refused: {error}"))
            }
        }
    }

    fn bad_line(&mut self, reason: &str, desk: &mut Desk<'_>) {
        self.totals.bad_lines += 1;
        let reason = cut(reason, MAX_REASON_LEN);
        desk.progress.suspend(|| {
            _ = writeln!(desk.stderr, "{}:{}: {reason}", Clean(desk.file), desk.number);
        });
    }

    /// Prints what became of an input, if that was asked for.
    fn tell<T: fmt::Display>(
        &self,
        desk: &mut Desk<'_>,
        sentence: impl FnOnce() -> T,
    ) -> io::Result<()> {
        if !self.explain {
            return Ok(());
        }
        let sentence = sentence().to_string();
        let out = if self.json { &mut *desk.stderr } else { &mut *desk.stdout };
        if self.names_files {
            write!(out, "{}:", Clean(desk.file))?;
        }
        writeln!(out, "{} at {}: {}", desk.number, self.last_at, Clean(&sentence))
    }
}
