//! One value on the wire, as it came.

use std::fmt;
use std::str::FromStr;

use compact_str::{CompactString, ToCompactString};

use crate::model::id::IdError;
use crate::model::text::Text;
use crate::vendor::zego::problem::Fault;

/// A value that should be a number or a text.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Scalar<'de> {
    /// The field is not there, or `null`.
    #[default]
    Missing,
    Number(u64),
    Negative(i64),
    /// A text that stands in the body as it is.
    Borrowed(&'de str),
    /// A text that had escapes, or that the reader of the body could not lend.
    Owned(CompactString),
    /// A float, a truth value, a list or an object.
    Odd(Odd),
}

/// A value that is neither a whole number nor a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Odd {
    Float(f64),
    Bool(bool),
    List,
    Object,
}

impl Scalar<'_> {
    /// Returns the text, if the value is one.
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Borrowed(text) => Some(text),
            Self::Owned(text) => Some(text),
            Self::Missing | Self::Number(_) | Self::Negative(_) | Self::Odd(_) => None,
        }
    }

    /// Returns the text, or the digits of a number; `None` if the value is empty or neither.
    pub(super) fn into_text(self) -> Option<Text> {
        match self {
            Self::Borrowed(text) => Text::from(text).non_empty(),
            Self::Owned(text) => Text::from_compact(text).non_empty(),
            Self::Number(number) => Some(Text::from_compact(number.to_compact_string())),
            Self::Negative(number) => Some(Text::from_compact(number.to_compact_string())),
            Self::Missing | Self::Odd(_) => None,
        }
    }

    /// Returns whether the value tells nothing: it is missing, `null` or an empty text.
    pub(super) fn is_blank(&self) -> bool {
        matches!(self, Self::Missing) || self.as_text().is_some_and(str::is_empty)
    }

    /// Returns the whole number, which may stand as text between blanks; `None` if there is only
    /// blank.
    pub(super) fn number(&self) -> Result<Option<u64>, Fault> {
        let digits = match self {
            Self::Missing => return Ok(None),
            Self::Number(number) => return Ok(Some(*number)),
            Self::Negative(_) | Self::Odd(_) => return Err(self.not_a_number()),
            Self::Borrowed(text) => text.trim(),
            Self::Owned(text) => text.trim(),
        };
        match digits.parse() {
            _ if digits.is_empty() => Ok(None),
            // `parse` alone would take a sign.
            Ok(number) if all_digits(digits) => Ok(Some(number)),
            Ok(_) | Err(_) => Err(self.not_a_number()),
        }
    }

    /// Returns the whole number of either sign, if the value is one that fits.
    pub(super) fn signed(&self) -> Option<i64> {
        match self {
            Self::Number(number) => i64::try_from(*number).ok(),
            Self::Negative(number) => Some(*number),
            Self::Borrowed(text) => text.trim().parse().ok(),
            Self::Owned(text) => text.trim().parse().ok(),
            Self::Missing | Self::Odd(_) => None,
        }
    }

    /// Returns the whole number of either sign that must be there.
    pub(super) fn required_signed(&self) -> Result<i64, Fault> {
        match self.signed() {
            Some(number) => Ok(number),
            None if self.is_blank() => Err(Fault::Missing),
            None => Err(self.not_a_number()),
        }
    }

    /// Returns the id that must be there.
    pub(super) fn id<T: FromStr<Err = IdError>>(&self) -> Result<T, Fault> {
        match self {
            Self::Missing => Err(Fault::Missing),
            Self::Borrowed(text) => Ok(text.parse()?),
            Self::Owned(text) => Ok(text.parse()?),
            Self::Number(number) => Ok(number.to_compact_string().parse()?),
            Self::Negative(_) | Self::Odd(_) => Err(self.neither()),
        }
    }

    /// Returns the session that must be there, just as it came. A negative one is refused in both
    /// forms: it went through a signed number, and is not the session that other events name.
    pub(super) fn session_as_it_came<T: FromStr<Err = IdError>>(&self) -> Result<T, Fault> {
        if self.is_negative() {
            return Err(Fault::Negative { found: self.to_string() });
        }
        self.id()
    }

    /// Returns the session that must be there. Leading zeros of a number make no other session.
    pub(super) fn session<T: FromStr<Err = IdError>>(&self) -> Result<T, Fault> {
        let text = self.as_text().map(str::trim);
        let digits = text.filter(|text| !text.is_empty() && all_digits(text));
        match digits.map(|digits| digits.trim_start_matches('0')) {
            Some("") => Ok("0".parse()?),
            Some(significant) => Ok(significant.parse()?),
            None => self.session_as_it_came(),
        }
    }

    /// Returns whether the value is a whole number below 0, as a number or as text.
    fn is_negative(&self) -> bool {
        let digits = self.as_text().and_then(|text| text.trim().strip_prefix('-'));
        matches!(self, Self::Negative(_))
            || digits.is_some_and(|digits| !digits.is_empty() && all_digits(digits))
    }

    pub(super) fn neither(&self) -> Fault {
        Fault::Neither { found: self.to_string() }
    }

    fn not_a_number(&self) -> Fault {
        Fault::NotANumber { found: self.to_string() }
    }
}

/// Whether a text has digits only.
pub(super) fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Prints the value for an error: escaped, and cut if it is long, because a stranger sent it.
impl fmt::Display for Scalar<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("nothing"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Negative(number) => write!(f, "{number}"),
            Self::Borrowed(text) => Cut(text).fmt(f),
            Self::Owned(text) => Cut(text).fmt(f),
            Self::Odd(Odd::Float(number)) => write!(f, "{number:?}"),
            Self::Odd(Odd::Bool(truth)) => write!(f, "{truth}"),
            Self::Odd(Odd::List) => f.write_str("a list"),
            Self::Odd(Odd::Object) => f.write_str("an object"),
        }
    }
}

/// The longest text, in bytes, that an error shows in full.
const SHOWN: usize = 64;

/// Prints the text of a stranger for an error.
pub(super) struct Cut<'a>(pub(super) &'a str);

impl fmt::Display for Cut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text) = self;
        if text.len() <= SHOWN {
            return write!(f, "{text:?}");
        }
        let mut end = SHOWN;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        write!(f, "{:?} and {} more bytes", &text[..end], text.len() - end)
    }
}
