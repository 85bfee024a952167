//! Plays journals into a registry.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressStyle};
use room_registry::{Answer, Command, Heartbeat, ManualClock, RoomRegistry, Timestamp, zego};

use crate::journal::{self, Input};
use crate::options::{self, HELP, Options, Request};
use crate::report;

/// A file that is smaller is read before anybody could look at a progress bar.
const SHOW_PROGRESS_FROM: u64 = 16 << 20;

/// How many of what the journals held.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) lines: u64,
    pub(crate) commands: u64,
    pub(crate) expiries: u64,
    /// Events that are not about rooms, users or streams.
    pub(crate) other_events: u64,
    pub(crate) bad_lines: u64,
}

/// Runs the program; answers its exit status.
pub(crate) fn run(
    args: impl Iterator<Item = OsString>,
    stdin: &mut dyn BufRead,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> u8 {
    let done = match options::parse(args) {
        Ok(Request::Help) => out.write_all(HELP.as_bytes()).and_then(|()| out.flush()).map(|()| 0),
        Ok(Request::Replay(options)) => Player::new(&options, out, err).play(&options, stdin),
        Err(problem) => writeln!(err, "replay: {problem}\nTry --help.").map(|()| 2),
    };
    match done {
        Ok(status) => status,
        // Whoever read along has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(error) => {
            // Nothing is left to tell it to where this fails too.
            let _ = writeln!(err, "replay: {error}");
            1
        }
    }
}

struct Player<'a> {
    registry: RoomRegistry<ManualClock>,
    clock: ManualClock,
    at: Timestamp,
    counts: Counts,
    failed: bool,
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
    progress: ProgressBar,
}

impl<'a> Player<'a> {
    fn new(options: &Options, out: &'a mut dyn Write, err: &'a mut dyn Write) -> Self {
        let clock = ManualClock::default();
        Self {
            registry: RoomRegistry::with_clock(options.config.clone(), clock.clone()),
            clock,
            at: Timestamp::MIN,
            counts: Counts::default(),
            failed: false,
            out,
            err,
            progress: ProgressBar::hidden(),
        }
    }

    fn play(mut self, options: &Options, stdin: &mut dyn BufRead) -> io::Result<u8> {
        for file in &options.files {
            let name = file.to_string_lossy();
            if file == "-" {
                self.play_file("standard input", stdin, options)?;
                continue;
            }
            match open(file) {
                Ok((mut input, progress)) => {
                    self.progress = progress;
                    self.play_file(&name, &mut input, options)?;
                    self.progress.finish_and_clear();
                }
                Err(error) => self.complain(&format!("{name}: {error}"))?,
            }
        }
        if options.json {
            report::json(&self.registry, self.out)?;
        } else {
            report::table(&self.registry, self.at, &self.counts, self.out)?;
        }
        self.out.flush()?;
        Ok(u8::from(self.failed))
    }

    fn play_file(
        &mut self,
        name: &str,
        input: &mut dyn BufRead,
        options: &Options,
    ) -> io::Result<()> {
        let mut line = Vec::new();
        let mut number = 0_u64;
        loop {
            let (read, too_long) = match journal::next_line(input, &mut line) {
                Ok(Some(next)) => next,
                Ok(None) => return Ok(()),
                // What can't be read (a directory, say) ends this file, not the others.
                Err(error) => return self.complain(&format!("{name}: {error}")),
            };
            number += 1;
            self.progress.inc(u64::try_from(read).unwrap_or(u64::MAX));
            if !too_long && line.trim_ascii().is_empty() {
                continue;
            }
            self.counts.lines += 1;
            let played = if too_long {
                Err(format!("longer than {} bytes", journal::MAX_LINE))
            } else {
                self.play_line(&line)
            };
            match played {
                Ok(explained) if options.explain => {
                    let sentence = format!("{number} at {}: {explained}", self.at.as_millis());
                    let to: &mut dyn Write =
                        if options.json { &mut *self.err } else { &mut *self.out };
                    writeln!(to, "{}", report::printable(&sentence, usize::MAX))?;
                }
                Ok(_) => {}
                Err(problem) => {
                    self.counts.bad_lines += 1;
                    self.complain(&format!("{name}:{number}: {problem}"))?;
                }
            }
        }
    }

    /// Plays one line. Answers what became of it, or what is wrong with it.
    fn play_line(&mut self, line: &[u8]) -> Result<Explained, String> {
        let entry = journal::entry(line, self.at)?;
        self.at = entry.at;
        self.clock.set(entry.at);
        match entry.input {
            Input::Event(zego::Event::Callback(callback)) => {
                let outcome = self.registry.apply_callback(&callback);
                Ok(Explained::Callback(outcome, Box::new(callback)))
            }
            Input::Event(event) => {
                self.counts.other_events += 1;
                Ok(Explained::Event(event))
            }
            Input::Command(command) => {
                self.counts.commands += 1;
                let told = command.clone();
                let answer = self
                    .registry
                    .apply_command(command)
                    .map_err(|error| format!("refused: {error}"))?;
                Ok(Explained::Command(answer, told))
            }
            Input::Expire => {
                self.counts.expiries += 1;
                Ok(Explained::Expired(self.registry.expire()))
            }
        }
    }

    /// Tells of something that makes the exit status 1.
    fn complain(&mut self, problem: &str) -> io::Result<()> {
        self.failed = true;
        let problem = report::printable(problem, usize::MAX);
        let err = &mut *self.err;
        self.progress.suspend(|| writeln!(err, "{problem}"))
    }
}

/// What became of a line, told only where somebody asks.
#[derive(Debug)]
enum Explained {
    Callback(room_registry::Outcome, Box<room_registry::Callback>),
    Event(zego::Event),
    Command(Answer, Command),
    Expired(room_registry::Expired),
}

impl std::fmt::Display for Explained {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Callback(outcome, callback) => outcome.explain(callback).fmt(f),
            Self::Event(zego::Event::Other(name)) => {
                write!(f, "ignored: {name} is not about rooms, users or streams")
            }
            Self::Event(_) => f.write_str("ignored"),
            Self::Expired(expired) => write!(
                f,
                "expired: {} memberships and {} rooms ended, {} closings forgotten",
                expired.memberships, expired.rooms, expired.forgotten
            ),
            Self::Command(answer, command) => {
                match command {
                    Command::CreateRoom(_) => f.write_str("room created")?,
                    Command::UpdateRoom { room_id, .. } => write!(f, "room {room_id} updated")?,
                    Command::EndRoom { room_id } => write!(f, "room {room_id} ended")?,
                    Command::JoinRoom { room_id, user_id, .. } => {
                        write!(f, "user {user_id} joined room {room_id}")?;
                    }
                    Command::LeaveRoom { room_id, user_id } => {
                        write!(f, "user {user_id} left room {room_id}")?;
                    }
                    Command::Heartbeat { room_id, user_id, .. } => {
                        write!(f, "heartbeat of user {user_id} in room {room_id}")?;
                    }
                    Command::UpdateUser { room_id, user_id, .. } => {
                        write!(f, "user {user_id} of room {room_id} updated")?;
                    }
                    Command::UpdateStream { room_id, stream_id, .. } => {
                        write!(f, "stream {stream_id} of room {room_id} updated")?;
                    }
                    Command::GrantGrace => f.write_str("grace granted")?,
                    _ => f.write_str("done")?,
                }
                match answer {
                    Answer::Heartbeat(Heartbeat::Alive) => f.write_str(": alive"),
                    Answer::Heartbeat(Heartbeat::TimedOut) => {
                        f.write_str(": timed out, the membership ended")
                    }
                    _ => Ok(()),
                }
            }
        }
    }
}

/// Opens a file, with a progress bar where it is large and somebody can see it.
fn open(file: &OsStr) -> io::Result<(BufReader<File>, ProgressBar)> {
    let file = File::open(file)?;
    let len = file.metadata()?.len();
    let progress = if len >= SHOW_PROGRESS_FROM && io::stderr().is_terminal() {
        let style =
            ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
        ProgressBar::new(len).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
    } else {
        ProgressBar::hidden()
    };
    Ok((BufReader::with_capacity(1 << 16, file), progress))
}
