//! Bytes to lines, through one buffer that is used again.

use std::io::{self, BufRead, Read};

/// The longest line that is read, in bytes. No input is anywhere near it; a file that is no journal
/// must not fill the memory.
pub(crate) const MAX_LINE_LEN: u64 = 1024 * 1024;

/// The lines of one file.
pub(crate) struct Lines<'a> {
    reader: &'a mut dyn BufRead,
    buffer: Vec<u8>,
    /// The number of the line that was read last, from 1.
    pub(crate) number: u64,
    /// How many bytes were read.
    pub(crate) bytes: u64,
}

/// One line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    Text(&'a str),
    TooLong,
    NotUtf8,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(reader: &'a mut dyn BufRead) -> Self {
        Self { reader, buffer: Vec::new(), number: 0, bytes: 0 }
    }

    /// The next line, or `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.buffer.clear();
        // One byte more than a line may have, and its end.
        let mut limited = Read::take(&mut *self.reader, MAX_LINE_LEN + 1);
        let len = limited.read_until(b'\n', &mut self.buffer)?;
        if len == 0 {
            return Ok(None);
        }
        self.number += 1;
        self.bytes += len as u64;
        if self.buffer.last() == Some(&b'\n') {
            self.buffer.pop();
        } else if len as u64 > MAX_LINE_LEN {
            self.bytes += self.reader.skip_until(b'\n')? as u64;
            return Ok(Some(Line::TooLong));
        }
        Ok(Some(std::str::from_utf8(&self.buffer).map_or(Line::NotUtf8, Line::Text)))
    }
}
