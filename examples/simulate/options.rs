//! The arguments.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use lexopt::{Arg, Parser};

use super::rng::Share;
use super::settings::{Settings, Wishes};

pub(crate) const USAGE: &str = "\
Usage: simulate [--rooms N] [--events N] [--loss P] [--duplicates P] [--outage SECONDS] [--skew MS]
                [--budget CALLS_PER_SECOND] [--seed N] [--json] [--plot FILE]
                [--storm SECONDS [--check]]                               (--help tells more)";

pub(crate) const HELP: &str = "\
Simulates a media server, the way of its callbacks, and four who keep a copy of its lists: in
arrival order; by the published recipe; with this crate; with this crate and repair.

Usage: simulate [OPTIONS]

  --rooms N            how many rooms there are                                   [1000]
  --events N           after how many callbacks nothing happens any more          [200000]
  --loss P             how many callbacks are lost for good, from 0 to 1          [0.01]
  --duplicates P       how many answers to callbacks are lost, so that these are
                       sent again, from 0 to 1                                    [0.02]
  --outage SECONDS     how long the receiver is down, in the middle; what fails
                       six times in it is lost                                    [0]
  --skew MS            how far the media server's clocks are apart, at most       [50]
  --budget N           how many calls a second repair may make, one a list        [10]
  --seed N             another number is another story                            [1]
  --json               print one JSON document instead of a table
  --plot FILE          draw the rooms wrong over time, as an SVG
  --storm SECONDS      test the crate instead, for so long: random settings, every property checked
                       (with --seed: of the first round; 0 s: one round)
  --check              with --storm: compare everything that is kept up with what it follows from,
                       after each operation; needs a build with RUSTFLAGS=\"--cfg room_registry_check\"
  -h, --help           print this

A room changes each 17 s on average. A room is wrong while it is shown open or closed against the
truth, or a user or a stream is in its lists against the truth, and no callback that is still on its
way explains it. The same arguments print the same.

Exit status: 0; 1 if the storm found a divergence or a file could not be written; 2 if the arguments
make no sense.
";

/// What to do.
#[derive(Debug)]
pub(crate) enum Parsed {
    Simulate(Box<Settings>, Output),
    Storm { seconds: u64, seed: u64 },
    Help,
}

/// What to make of it.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) json: bool,
    pub(crate) plot: Option<PathBuf>,
}

/// Reads the arguments; an error is a sentence.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Parsed, String> {
    let mut parser = Parser::from_args(args);
    let mut wishes = Wishes::default();
    let mut output = Output { json: false, plot: None };
    let mut storm = None;
    let mut is_checked = false;
    while let Some(arg) = parser.next().map_err(|error| error.to_string())? {
        match arg {
            Arg::Long("rooms") => {
                wishes.rooms = usize::try_from(number("rooms", 1..=100_000, &mut parser)?)
                    .map_err(|error| error.to_string())?;
            }
            Arg::Long("events") => {
                wishes.events = number("events", 1..=1_000_000_000, &mut parser)?;
            }
            Arg::Long("loss") => wishes.loss = share("loss", &mut parser)?,
            Arg::Long("duplicates") => wishes.duplicates = share("duplicates", &mut parser)?,
            Arg::Long("outage") => {
                wishes.outage = 1_000 * number("outage", 0..=86_400, &mut parser)?;
            }
            Arg::Long("skew") => wishes.skew = number("skew", 0..=60_000, &mut parser)?,
            Arg::Long("budget") => {
                wishes.budget = u32::try_from(number("budget", 0..=1_000_000, &mut parser)?)
                    .map_err(|error| error.to_string())?;
            }
            Arg::Long("seed") => wishes.seed = number("seed", 0..=u64::MAX, &mut parser)?,
            Arg::Long("json") => output.json = true,
            Arg::Long("plot") => output.plot = Some(PathBuf::from(value(&mut parser)?)),
            Arg::Long("storm") => storm = Some(number("storm", 0..=1_000_000, &mut parser)?),
            Arg::Long("check") => is_checked = true,
            Arg::Short('h') | Arg::Long("help") => return Ok(Parsed::Help),
            Arg::Short(_) | Arg::Long(_) | Arg::Value(_) => {
                return Err(arg.unexpected().to_string());
            }
        }
    }
    if is_checked && storm.is_none() {
        return Err("--check belongs to --storm".to_owned());
    }
    if is_checked && !cfg!(room_registry_check) {
        return Err("--check needs a build with RUSTFLAGS=\"--cfg room_registry_check\"".to_owned());
    }
    if let Some(seconds) = storm {
        return Ok(Parsed::Storm { seconds, seed: wishes.seed });
    }
    let settings = Settings::new(&wishes).map_err(|error| error.to_string())?;
    Ok(Parsed::Simulate(Box::new(settings), output))
}

fn value(parser: &mut Parser) -> Result<OsString, String> {
    parser.value().map_err(|error| error.to_string())
}

fn number(
    option: &str,
    range: std::ops::RangeInclusive<u64>,
    parser: &mut Parser,
) -> Result<u64, String> {
    let value = value(parser)?;
    let number = value.to_str().and_then(|digits| digits.parse().ok());
    number.filter(|number| range.contains(number)).ok_or_else(|| {
        let (low, high) = range.into_inner();
        format!("--{option}: {} is no whole number from {low} to {high}", value.display())
    })
}

fn share(option: &str, parser: &mut Parser) -> Result<Share, String> {
    let value = value(parser)?;
    parse_share(&value)
        .ok_or_else(|| format!("--{option}: {} is no number from 0 to 1", value.display()))
}

fn parse_share(value: &OsStr) -> Option<Share> {
    let share: f64 = value.to_str()?.parse().ok()?;
    // As a span, it becomes a whole number of millionths without a cast.
    let millionths = Duration::try_from_secs_f64(share).ok()?.as_micros();
    u32::try_from(millionths).ok().filter(|millionths| *millionths <= 1_000_000).map(Share)
}
