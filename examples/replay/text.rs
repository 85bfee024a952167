//! Texts from outside, fit for a terminal.

use std::fmt::{self, Write};
use std::time::Duration;

/// A text with everything escaped that could move the cursor, break the line or turn the reading
/// direction.
pub(crate) struct Clean<'a>(pub &'a str);

impl fmt::Display for Clean<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            if c.is_control() || is_format(c) {
                write!(f, "{}", c.escape_default())?;
            } else {
                f.write_char(c)?;
            }
        }
        Ok(())
    }
}

/// Characters that are no control characters but change how their neighbours are laid out.
fn is_format(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Cleans a text and cuts it to so many characters, the last of which then is an ellipsis.
pub(crate) fn cut(text: &str, max: usize) -> String {
    let clean = Clean(text).to_string();
    if clean.chars().nth(max).is_none() {
        return clean;
    }
    clean.chars().take(max - 1).chain(['…']).collect()
}

/// A span in its two largest units: "2 h 13 min".
pub(crate) fn span(span: Duration) -> String {
    let secs = span.as_secs();
    let (days, hours, minutes) = (secs / 86_400, secs / 3_600 % 24, secs / 60 % 60);
    if days > 0 {
        format!("{days} d {hours} h")
    } else if hours > 0 {
        format!("{hours} h {minutes} min")
    } else if minutes > 0 {
        format!("{minutes} min")
    } else {
        format!("{secs} s")
    }
}
