//! Identifiers: newtypes over short inline text, checked when made and when deserialised.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use compact_str::CompactString;
#[cfg(feature = "serde")]
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::model::text::Text;

/// The longest id, in bytes of UTF-8.
pub const MAX_ID_LEN: usize = 255;

/// Which kind of identifier a text was refused as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IdKind {
    /// A [`RoomId`].
    Room,
    /// A [`UserId`].
    User,
    /// A [`StreamId`].
    Stream,
    /// A [`SessionId`].
    Session,
    /// A [`UserSessionId`].
    UserSession,
    /// A [`StreamSessionId`].
    StreamSession,
}

impl fmt::Display for IdKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Room => "room id",
            Self::User => "user id",
            Self::Stream => "stream id",
            Self::Session => "session id",
            Self::UserSession => "user session id",
            Self::StreamSession => "stream session id",
        })
    }
}

/// Why a text is no identifier. Nothing was changed.
///
/// ```
/// use room_registry::{IdError, RoomId};
/// let error: IdError = RoomId::new("").unwrap_err();
/// assert_eq!(error.to_string(), "a room id must not be empty");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// The text is empty.
    #[error("a {kind} must not be empty")]
    Empty {
        /// What it was to be.
        kind: IdKind,
    },
    /// The text is longer than [`MAX_ID_LEN`] bytes.
    #[error("a {kind} must be at most {MAX_ID_LEN} bytes long, this one has {len}")]
    TooLong {
        /// What it was to be.
        kind: IdKind,
        /// Its length in bytes.
        len: usize,
    },
    /// The text holds a control character.
    #[error("a {kind} must hold no control characters, this one has one at byte {at}")]
    ControlCharacter {
        /// What it was to be.
        kind: IdKind,
        /// Where, in bytes.
        at: usize,
    },
}

fn check(kind: IdKind, text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty { kind });
    }
    if text.len() > MAX_ID_LEN {
        return Err(IdError::TooLong { kind, len: text.len() });
    }
    // As nearly all ids are.
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    match text.char_indices().find(|(_, c)| c.is_control()) {
        Some((at, _)) => Err(IdError::ControlCharacter { kind, at }),
        None => Ok(()),
    }
}

/// Ids that are all digits order as numbers, then as text (so that 1 and 01 differ), and before
/// all others; others order as text.
fn numeric_order(a: &str, b: &str) -> Ordering {
    if a == b {
        return Ordering::Equal; // as most are that are compared, and soon told
    }
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match (is_number(a), is_number(b)) {
        (true, true) => {
            let (x, y) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
            x.len().cmp(&y.len()).then_with(|| x.cmp(y)).then_with(|| a.cmp(b))
        }
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => a.cmp(b),
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:ident, $article:literal, $example:literal) => {
        $(#[$doc])*
        ///
        /// Not empty, at most [`MAX_ID_LEN`] bytes, no control characters. Up to 24 bytes are held
        /// inline, without an allocation.
        #[derive(Clone, PartialEq, Eq, Hash)]
        pub struct $name(CompactString);

        impl $name {
            #[doc = concat!("Makes ", $article, " of a text.")]
            ///
            /// # Errors
            ///
            /// [`IdError`] where the text is empty, too long or holds a control character.
            ///
            /// ```
            #[doc = concat!("use room_registry::", stringify!($name), ";")]
            #[doc = concat!("let id = ", stringify!($name), "::new(\"", $example, "\")?;")]
            #[doc = concat!("assert_eq!(id.as_str(), \"", $example, "\");")]
            #[doc = concat!("assert!(", stringify!($name), "::new(\"\").is_err());")]
            /// # Ok::<(), room_registry::IdError>(())
            /// ```
            pub fn new(text: impl AsRef<str>) -> Result<Self, IdError> {
                let text = text.as_ref();
                check(IdKind::$kind, text)?;
                Ok(Self(CompactString::from(text)))
            }

            /// The id as text.
            ///
            /// ```
            #[doc = concat!("# use room_registry::", stringify!($name), ";")]
            #[doc = concat!("assert_eq!(", stringify!($name), "::new(\"", $example, "\")?.as_str(), \"", $example, "\");")]
            /// # Ok::<(), room_registry::IdError>(())
            /// ```
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.0.as_str(), f)
            }
        }

        impl From<$name> for Text {
            fn from(id: $name) -> Self {
                Self::from(id.as_str())
            }
        }

        impl From<&$name> for Text {
            fn from(id: &$name) -> Self {
                Self::from(id.as_str())
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = IdError;

            fn try_from(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.as_str() == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.as_str() == *other
            }
        }

        #[cfg(feature = "serde")]
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = CompactString::deserialize(deserializer)?;
                check(IdKind::$kind, &text).map_err(de::Error::custom)?;
                Ok(Self(text))
            }
        }
    };
}

/// Ids that the application or its users choose order as text, and are looked up by `&str`.
macro_rules! text_id {
    ($($tokens:tt)*) => {
        id! { $($tokens)* }
        text_order! { $($tokens)* }
    };
}

macro_rules! text_order {
    ($(#[$doc:meta])* $name:ident, $($rest:tt)*) => {
        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                self.0.cmp(&other.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

/// Ids that the media server gives order as numbers where they are numbers. They are no
/// `Borrow<str>`, as their order is not the text's.
macro_rules! session_id {
    ($($tokens:tt)*) => {
        id! { $($tokens)* }
        number_order! { $($tokens)* }
    };
}

macro_rules! number_order {
    ($(#[$doc:meta])* $name:ident, $($rest:tt)*) => {
        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                numeric_order(&self.0, &other.0)
            }
        }
    };
}

text_id! {
    /// The name of a room, chosen by the application; a room that is created again after it ended
    /// has the same id.
    RoomId, Room, "a room id", "r1"
}
text_id! {
    /// The name of a user, chosen by the application.
    UserId, User, "a user id", "tom"
}
text_id! {
    /// The name of a stream, chosen by the application; unique among the streams of a room.
    StreamId, Stream, "a stream id", "camera"
}
session_id! {
    /// The media server's name of one life of a room. All-digit ids order as numbers.
    SessionId, Session, "a session id", "858012925204410401"
}
session_id! {
    /// The media server's name of one login of a user. All-digit ids order as numbers.
    UserSessionId, UserSession, "a user session id", "792148503087288320"
}
session_id! {
    /// The media server's name of one life of a stream. All-digit ids order as numbers.
    StreamSessionId, StreamSession, "a stream session id", "s-115205136669740000000000104"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_digit_ids_order_as_numbers_and_before_text() {
        let ascending =
            ["0", "00", "01", "1", "9", "010", "10", "858012925204410401", "-1", "1a", "s-1"];
        for pair in ascending.windows(2) {
            assert_eq!(numeric_order(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(numeric_order(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
        }
    }
}
