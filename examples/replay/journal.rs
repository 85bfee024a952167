//! Journals: one JSON object a line, read one at a time.

use std::io::{self, BufRead};

use room_registry::{Command, Timestamp, zego};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

/// A longer line is a bad line; it is not read into memory.
pub(crate) const MAX_LINE: usize = 1 << 20;

/// What a line says.
#[derive(Debug)]
pub(crate) struct Entry {
    /// When it was received, in our time.
    pub(crate) at: Timestamp,
    pub(crate) input: Input,
}

/// What was received.
#[derive(Debug)]
pub(crate) enum Input {
    Command(Command),
    Event(zego::Event),
    Expire,
}

/// A line, before it is known what it holds.
#[derive(Deserialize)]
struct Line<'a> {
    at: Option<Timestamp>,
    #[serde(borrow)]
    callback: Option<&'a RawValue>,
    #[serde(borrow)]
    command: Option<&'a RawValue>,
    expire: Option<IgnoredAny>,
    event: Option<IgnoredAny>,
}

/// Reads a line. `before` is when the line before was received.
pub(crate) fn entry(line: &[u8], before: Timestamp) -> Result<Entry, String> {
    let text = std::str::from_utf8(line).map_err(|error| format!("not UTF-8: {error}"))?;
    let parts: Line<'_> =
        serde_json::from_str(text).map_err(|error| format!("not a journal entry: {error}"))?;
    let inputs = [parts.callback.is_some(), parts.command.is_some(), parts.expire.is_some()];
    match (inputs.into_iter().filter(|is_there| *is_there).count(), parts.at) {
        (0, _) if parts.event.is_some() => bare(text, before),
        (0, _) => Err("neither a callback nor a command nor an expiry".to_owned()),
        (1, None) => Err("`at` is missing: when it was received, in milliseconds".to_owned()),
        (1, Some(at)) => Ok(Entry { at, input: input(&parts)? }),
        _ => Err("more than one of callback, command and expire".to_owned()),
    }
}

fn input(parts: &Line<'_>) -> Result<Input, String> {
    if let Some(callback) = parts.callback {
        let event =
            serde_json::from_str(callback.get()).map_err(|error| format!("callback: {error}"))?;
        return Ok(Input::Event(event));
    }
    if let Some(command) = parts.command {
        let command =
            serde_json::from_str(command.get()).map_err(|error| format!("command: {error}"))?;
        return Ok(Input::Command(command));
    }
    Ok(Input::Expire)
}

/// A vendor's payload alone was received at the later of its timestamp and the line before.
fn bare(text: &str, before: Timestamp) -> Result<Entry, String> {
    let notification: zego::Notification =
        serde_json::from_str(text).map_err(|error| format!("callback: {error}"))?;
    let at = notification.timestamp.unwrap_or(before).max(before);
    Ok(Entry { at, input: Input::Event(notification.event) })
}

/// Reads the next line into `line`, without its end. Answers how many bytes were read, and whether
/// the line was too long, in which case it is passed over.
pub(crate) fn next_line(
    input: &mut dyn BufRead,
    line: &mut Vec<u8>,
) -> io::Result<Option<(usize, bool)>> {
    line.clear();
    let (mut read, mut too_long) = (0, false);
    loop {
        let buffer = match input.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if buffer.is_empty() {
            return Ok((read > 0).then_some((read, too_long)));
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let part = &buffer[..end.unwrap_or(buffer.len())];
        too_long |= line.len() + part.len() > MAX_LINE;
        if !too_long {
            line.extend_from_slice(part);
        }
        let used = end.map_or(buffer.len(), |end| end + 1);
        input.consume(used);
        read += used;
        if end.is_some() {
            return Ok(Some((read, too_long)));
        }
    }
}
