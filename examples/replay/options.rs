//! The arguments.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use lexopt::{Arg, Parser};
use room_registry::Config;
use room_registry::page::{RoomCursor, RoomOrder};

pub(crate) const USAGE: &str = "\
Usage: replay [--json] [--explain] [--retention-ms N] [--clock-skew-ms N] [--tie-window-ms N]
              [--heartbeat-timeout-ms N] [--report-after-ms N] [--order newest|oldest|users|id]
              [--limit N] [--cursor TEXT] [--snapshot-in FILE] [--snapshot-out FILE]
              FILE…                        (\"-\": standard input; --help tells more)";

pub(crate) const HELP: &str = "\
Replays journals of commands and callbacks, and prints the rooms that they lead to.

Usage: replay [OPTIONS] FILE…        (\"-\": standard input)

  --json                      print one JSON document instead of a table
  --explain                   print what became of each input (with --json: on standard error)
  --retention-ms N            how long closings are remembered; \"none\": for ever  [600000]
  --clock-skew-ms N           how far the vendor's clocks may differ              [5000]
  --tie-window-ms N           openings this close are not ordered by time         [100]
  --heartbeat-timeout-ms N    how long a member may be silent                     [90000]
  --report-after-ms N         how long a sign of a lost callback is waited with    [90000]
  --order ORDER               of the table: newest, oldest, users or id           [newest]
  --limit N                   how many rooms the table has                        [all]
  --cursor TEXT               go on where a table ended
  --snapshot-in FILE          start from the state that --snapshot-out saved; then no other FILE is
                              needed. The settings must be the same
  --snapshot-out FILE         save the state at the end. Written whole or not at all
  -h, --help                  print this

A journal holds one JSON object a line, `at` being the local time in unix milliseconds:

  {\"at\": MS, \"callback\": {…}}   a callback's body, as the media server sent it
  {\"at\": MS, \"command\": {…}}    such as {\"join_room\": {\"room_id\": \"r1\", \"user_id\": \"ann\"}}
  {\"at\": MS, \"observed\": {…}}   what the media server showed of a room when it was asked:
                                {\"room_id\", \"observed_at\": MS, \"session_id\", \"open\",
                                \"users\": [{\"user_id\", \"user_name\"}], \"users_partial\",
                                \"streams\": [{\"stream_id\", \"user_id\", \"create_time_ms\"}],
                                \"streams_partial\"}
  {\"at\": MS, \"expire\": {}}      what is due by now happens
  {\"event\": …}                  a bare body: received at the later of its `timestamp` and the
                                line before

With a snapshot the outcomes of callbacks go on counting; the other totals are of this run's lines.

Exit status: 0; 1 if a line was bad (each is named on standard error, the rest is replayed) or a
file could not be read, or a snapshot could not be read or written (then no rooms are printed); 2 if the arguments make no sense.
";

/// What to do.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one, once")]
pub(crate) enum Parsed {
    Replay(Options),
    Help,
}

/// How to replay what.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) json: bool,
    pub(crate) explain: bool,
    pub(crate) config: Config,
    pub(crate) table: Window,
    pub(crate) snapshot_in: Option<PathBuf>,
    pub(crate) snapshot_out: Option<PathBuf>,
    pub(crate) files: Vec<PathBuf>,
}

/// Which part of the room list the table shows.
#[derive(Debug, Default)]
pub(crate) struct Window {
    pub(crate) order: RoomOrder,
    pub(crate) limit: Option<usize>,
    pub(crate) cursor: Option<RoomCursor>,
}

/// Reads the arguments; an error is a sentence.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Parsed, String> {
    let mut parser = Parser::from_args(args);
    let mut config = Config::builder();
    let (mut json, mut explain, mut files) = (false, false, Vec::new());
    let mut table = Window::default();
    let (mut snapshot_in, mut snapshot_out) = (None, None);
    while let Some(arg) = parser.next().map_err(|error| error.to_string())? {
        match arg {
            Arg::Long("json") => json = true,
            Arg::Long("explain") => explain = true,
            Arg::Long("retention-ms") => {
                let value = parser.value().map_err(|error| error.to_string())?;
                let retention =
                    if value == "none" { None } else { Some(span("retention-ms", &value)?) };
                config = config.retention(retention);
            }
            Arg::Long("clock-skew-ms") => {
                config = config.clock_skew(next_span("clock-skew-ms", &mut parser)?);
            }
            Arg::Long("tie-window-ms") => {
                config = config.tie_window(next_span("tie-window-ms", &mut parser)?);
            }
            Arg::Long("heartbeat-timeout-ms") => {
                config = config.heartbeat_timeout(next_span("heartbeat-timeout-ms", &mut parser)?);
            }
            Arg::Long("report-after-ms") => {
                config = config.report_after(next_span("report-after-ms", &mut parser)?);
            }
            Arg::Long("order") => table.order = next("order", "no order", &mut parser)?,
            Arg::Long("limit") => {
                table.limit = Some(next("limit", "no whole number", &mut parser)?);
            }
            Arg::Long("cursor") => table.cursor = Some(next("cursor", "no cursor", &mut parser)?),
            Arg::Long("snapshot-in") => snapshot_in = Some(next_path(&mut parser)?),
            Arg::Long("snapshot-out") => snapshot_out = Some(next_path(&mut parser)?),
            Arg::Short('h') | Arg::Long("help") => return Ok(Parsed::Help),
            Arg::Value(path) => files.push(PathBuf::from(path)),
            Arg::Short(_) | Arg::Long(_) => return Err(arg.unexpected().to_string()),
        }
    }
    if files.is_empty() && snapshot_in.is_none() {
        return Err("no file was named".to_owned());
    }
    if let Some(cursor) = table.cursor.as_ref().filter(|cursor| cursor.order() != table.order) {
        return Err(format!(
            "--cursor: it is of a list by {}, not by {}",
            cursor.order(),
            table.order
        ));
    }
    let config = config.build().map_err(|error| error.to_string())?;
    Ok(Parsed::Replay(Options { json, explain, config, table, snapshot_in, snapshot_out, files }))
}

fn next<T: FromStr>(option: &str, kind: &str, parser: &mut Parser) -> Result<T, String> {
    let value = parser.value().map_err(|error| error.to_string())?;
    let parsed = value.to_str().and_then(|text| text.parse().ok());
    parsed.ok_or_else(|| format!("--{option}: {} is {kind}", value.display()))
}

fn next_path(parser: &mut Parser) -> Result<PathBuf, String> {
    parser.value().map(PathBuf::from).map_err(|error| error.to_string())
}

fn next_span(option: &str, parser: &mut Parser) -> Result<Duration, String> {
    span(option, &parser.value().map_err(|error| error.to_string())?)
}

fn span(option: &str, value: &OsStr) -> Result<Duration, String> {
    let millis = value.to_str().and_then(|digits| digits.parse().ok());
    millis
        .map(Duration::from_millis)
        .ok_or_else(|| format!("--{option}: {} is no whole number", value.display()))
}
