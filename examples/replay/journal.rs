//! A line to an input.

use room_registry::journal::Command;
use room_registry::vendor::zego::{Event, Notification};
use room_registry::{Observation, Timestamp};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::observed::WireObservation;

/// What a line asks for, and when (local time).
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) at: Timestamp,
    pub(crate) input: Input,
}

#[derive(Debug)]
pub(crate) enum Input {
    Command(Command),
    Event(Event),
    Observed(Observation),
    Expire,
}

/// The forms of a line, told apart by the fields that are there.
#[derive(Deserialize)]
struct Line {
    at: Option<Timestamp>,
    callback: Option<Event>,
    command: Option<Command>,
    observed: Option<WireObservation>,
    expire: Option<Expire>,
    event: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Expire {}

/// Reads a line that came after one of `last_at`. An error is a sentence.
pub(crate) fn parse(line: &str, last_at: Timestamp) -> Result<Entry, String> {
    let Line { at, callback, command, observed, expire, event } = decode(line)?;
    let inputs = [
        callback.map(Input::Event),
        command.map(Input::Command),
        observed.map(|observed| Input::Observed(observed.into())),
        expire.map(|Expire {}| Input::Expire),
    ];
    let mut inputs = inputs.into_iter().flatten();
    let input = match (inputs.next(), event) {
        (Some(input), _) => input,
        (None, Some(_)) => return parse_bare(line, last_at),
        (None, None) => {
            let expected = "`callback`, `command`, `observed`, `expire` and `event`";
            return Err(format!("none of {expected} is there"));
        }
    };
    if inputs.next().is_some() {
        let expected = "`callback`, `command`, `observed` and `expire`";
        return Err(format!("more than one of {expected} is there"));
    }
    let at = at.ok_or("`at` is missing")?;
    Ok(Entry { at, input })
}

/// A body that was kept just as it came.
fn parse_bare(line: &str, last_at: Timestamp) -> Result<Entry, String> {
    let notification: Notification = decode(line)?;
    let at = notification.timestamp.unwrap_or(last_at).max(last_at);
    Ok(Entry { at, input: Input::Event(notification.event) })
}

/// Says what is wrong, without the position that JSON errors end in: it is always line 1.
fn decode<'de, T: Deserialize<'de>>(line: &'de str) -> Result<T, String> {
    serde_json::from_str(line).map_err(|error| {
        let sentence = error.to_string();
        let position = format!(" at line 1 column {}", error.column());
        let reason = sentence.strip_suffix(&position).unwrap_or(&sentence);
        match error.classify() {
            serde_json::error::Category::Data => reason.to_owned(),
            _ => format!("not JSON: {reason}, column {}", error.column()),
        }
    })
}
