//! What the command line says.

use std::ffi::OsString;
use std::time::Duration;

use lexopt::prelude::{Long, Short, Value, ValueExt};
use room_registry::{Config, ConfigBuilder};

/// The help text.
pub(crate) const HELP: &str = "\
Replays a journal of commands and callbacks, and prints the rooms that are open at its end.

Usage: replay [OPTIONS] FILE…        (\"-\": standard input)

  --json                      print one JSON document instead of the table
  --explain                   print what became of each input, in words
  --retention-ms N            how long closings are remembered (\"none\": for ever) [600000]
  --clock-skew-ms N           how far apart the media server's clocks may be [5000]
  --tie-window-ms N           how close in time two openings are not ordered by time [100]
  --heartbeat-timeout-ms N    how long a membership holds after its last heartbeat [90000]
  -h, --help                  print this

A line of a journal is one JSON object:
  {\"at\": MS, \"callback\": {the vendor's payload}}
  {\"at\": MS, \"command\": {\"join_room\": {\"room_id\": …, \"user_id\": …, \"user_name\": …}}}
  {\"at\": MS, \"expire\": {}}
  {the vendor's payload}, received at the later of its timestamp and the line before
";

/// What is asked for.
#[derive(Debug)]
pub(crate) enum Request {
    Help,
    Replay(Options),
}

/// How to replay, and what.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) json: bool,
    pub(crate) explain: bool,
    pub(crate) config: Config,
    pub(crate) files: Vec<OsString>,
}

/// Reads the command line. The error says what is wrong with it.
pub(crate) fn parse(args: impl Iterator<Item = OsString>) -> Result<Request, String> {
    let mut parser = lexopt::Parser::from_args(args);
    let mut config = Config::builder();
    let (mut json, mut explain, mut files) = (false, false, Vec::new());
    while let Some(arg) = parser.next().map_err(|error| error.to_string())? {
        match arg {
            Short('h') | Long("help") => return Ok(Request::Help),
            Long("json") => json = true,
            Long("explain") => explain = true,
            Long("retention-ms") => {
                let value = parser.value().map_err(|error| error.to_string())?;
                let span =
                    if value == "none" { None } else { Some(millis("--retention-ms", &value)?) };
                config = config.retention(span);
            }
            Long("clock-skew-ms") => {
                config = span("--clock-skew-ms", &mut parser, config, ConfigBuilder::clock_skew)?;
            }
            Long("tie-window-ms") => {
                config = span("--tie-window-ms", &mut parser, config, ConfigBuilder::tie_window)?;
            }
            Long("heartbeat-timeout-ms") => {
                config = span(
                    "--heartbeat-timeout-ms",
                    &mut parser,
                    config,
                    ConfigBuilder::heartbeat_timeout,
                )?;
            }
            Value(file) => files.push(file),
            other => return Err(other.unexpected().to_string()),
        }
    }
    if files.is_empty() {
        return Err("no FILE is named (\"-\" is standard input)".to_owned());
    }
    let config = config.build().map_err(|error| error.to_string())?;
    Ok(Request::Replay(Options { json, explain, config, files }))
}

fn span(
    name: &str,
    parser: &mut lexopt::Parser,
    config: ConfigBuilder,
    set: fn(ConfigBuilder, Duration) -> ConfigBuilder,
) -> Result<ConfigBuilder, String> {
    let value = parser.value().map_err(|error| error.to_string())?;
    Ok(set(config, millis(name, &value)?))
}

fn millis(name: &str, value: &OsString) -> Result<Duration, String> {
    let millis = value
        .parse::<u64>()
        .map_err(|_| format!("{name} takes a number of milliseconds, not {}", value.display()))?;
    Ok(Duration::from_millis(millis))
}
