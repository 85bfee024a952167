//! A line to an input.

use room_registry::zego::{Event, Notification};
use room_registry::{Command, Timestamp};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// What a line asks for, and when, in our time.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) at: Timestamp,
    pub(crate) input: Input,
}

#[derive(Debug)]
pub(crate) enum Input {
    Command(Command),
    Event(Event),
    Expire,
}

/// The forms of a line, told apart by the fields that are there.
#[derive(Deserialize)]
struct Line {
    at: Option<Timestamp>,
    callback: Option<Event>,
    command: Option<Command>,
    expire: Option<Expire>,
    event: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Expire {}

/// Reads a line that came after one of `last_at`. An error is a sentence.
pub(crate) fn parse(line: &str, last_at: Timestamp) -> Result<Entry, String> {
    let Line { at, callback, command, expire, event } = decode(line)?;
    let input = match (callback, command, expire, event) {
        (Some(event), None, None, _) => Input::Event(event),
        (None, Some(command), None, _) => Input::Command(command),
        (None, None, Some(Expire {}), _) => Input::Expire,
        (None, None, None, Some(_)) => return parse_bare(line, last_at),
        (None, None, None, None) => {
            return Err("none of `callback`, `command`, `expire` and `event` is there".to_owned());
        }
        (_, _, _, _) => {
            return Err("more than one of `callback`, `command` and `expire` is there".to_owned());
        }
    };
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
