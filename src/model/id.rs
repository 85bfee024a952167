//! Identifiers: newtypes over short inline text, checked when they are made or deserialised.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use compact_str::CompactString;
#[cfg(feature = "serde")]
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

#[cfg(feature = "serde")]
use crate::model::named::serialize_error;
use crate::model::text::{Text, read_as_str};

/// The longest id, in bytes of UTF-8.
pub const MAX_ID_LEN: usize = 255;

/// The kind of identifier that a text was refused as.
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
    /// A [`ConnectionId`].
    Connection,
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
            Self::Connection => "connection id",
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
        /// The kind that was asked for.
        kind: IdKind,
    },
    /// The text is longer than [`MAX_ID_LEN`] bytes.
    #[error("a {kind} must be at most {MAX_ID_LEN} bytes long; this one has {len}")]
    TooLong {
        /// The kind that was asked for.
        kind: IdKind,
        /// The length of the text in bytes.
        len: usize,
    },
    /// The text has a control character.
    #[error("a {kind} must not contain control characters; there is one at byte {at}")]
    ControlCharacter {
        /// The kind that was asked for.
        kind: IdKind,
        /// The position of the first control character, in bytes.
        at: usize,
    },
}

impl IdError {
    /// Returns the name of the error: that of [`Error::InvalidId`](crate::Error::InvalidId), whatever is
    /// wrong with the text. So a client learns the same name whether your server makes the id or the
    /// library does. The fault is the client's, so an HTTP server answers 400.
    ///
    /// ```
    /// use room_registry::RoomId;
    /// assert_eq!(RoomId::new("").unwrap_err().name(), "invalid_id");
    /// ```
    #[must_use]
    pub const fn name(&self) -> &'static str {
        "invalid_id"
    }
}

/// Serialises the [name](IdError::name) and the text of the error, as `name` and `message`.
#[cfg(feature = "serde")]
impl Serialize for IdError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_error(self.name(), self, serializer)
    }
}

fn check(kind: IdKind, text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty { kind });
    }
    if text.len() > MAX_ID_LEN {
        return Err(IdError::TooLong { kind, len: text.len() });
    }
    // Nearly all ids are plain ASCII, and this loop over bytes is several times faster.
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    match text.char_indices().find(|(_, c)| c.is_control()) {
        Some((at, _)) => Err(IdError::ControlCharacter { kind, at }),
        None => Ok(()),
    }
}

/// Orders all-digit ids as numbers, before all others; the others order as text. Equal numbers order
/// as text, so that 1 and 01 differ.
fn numeric_order(a: &str, b: &str) -> Ordering {
    // Most ids that are compared are equal.
    if a == b {
        return Ordering::Equal;
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

/// Orders ids as text.
fn text_order(a: &str, b: &str) -> Ordering {
    a.cmp(b)
}

macro_rules! id {
    ($(#[$about:meta])* $name:ident, $kind:ident, $order:ident, $example:literal) => {
        $(#[$about])*
        ///
        /// An id has 1 to [`MAX_ID_LEN`] bytes and no control characters. Up to 24 bytes are kept
        /// inline, without an allocation.
        #[derive(Clone, PartialEq, Eq, Hash)]
        pub struct $name(CompactString);

        impl $name {
            /// Makes an id from a text.
            ///
            /// # Errors
            ///
            /// [`IdError`] if the text is empty, too long or has a control character.
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

            /// Returns the id as text.
            ///
            /// ```
            #[doc = concat!("# use room_registry::", stringify!($name), ";")]
            #[doc = concat!("let id = ", stringify!($name), "::new(\"", $example, "\")?;")]
            #[doc = concat!("assert_eq!(id.as_str(), \"", $example, "\");")]
            /// # Ok::<(), room_registry::IdError>(())
            /// ```
            #[must_use]
            #[inline]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        read_as_str!($name);

        impl From<$name> for Text {
            fn from(id: $name) -> Self {
                Self::from_compact(id.0)
            }
        }

        impl From<&$name> for Text {
            fn from(id: &$name) -> Self {
                Self::from_compact(id.0.clone())
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

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                check(IdKind::$kind, &text)?;
                Ok(Self(CompactString::from(text)))
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                $order(&self.0, &other.0)
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

id! {
    /// The id of a room, chosen by the application. A room that is created again after it ended has
    /// the same id.
    RoomId, Room, text_order, "r1"
}
id! {
    /// The id of a user, chosen by the application.
    UserId, User, text_order, "tom"
}
id! {
    /// The id of a stream, chosen by the application; unique among the streams of a room.
    StreamId, Stream, text_order, "camera"
}
id! {
    /// The id that the media server gives to one session of a room. All-digit ids order as numbers.
    SessionId, Session, numeric_order, "858012925204410401"
}
id! {
    /// The id that the media server gives to one login of a user. All-digit ids order as numbers.
    UserSessionId, UserSession, numeric_order, "792148503087288320"
}
id! {
    /// The id that the media server gives to one opening of a stream. All-digit ids order as numbers.
    StreamSessionId, StreamSession, numeric_order, "s-115205136669740000000000104"
}
id! {
    /// The id of a connection of a user: a device, a tab, a socket. The application chooses it.
    ConnectionId, Connection, text_order, "phone"
}

/// Lets maps look ids up by text. Only ids that order as text may be found so.
macro_rules! found_by_text {
    ($($name:ident),+) => {$(
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    )+};
}

found_by_text!(RoomId, UserId, StreamId);

#[cfg(test)]
mod tests {
    use super::*;

    /// Holds law 2.6.
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
