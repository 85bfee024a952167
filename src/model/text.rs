//! Texts that are shown: names, roles, and the small ordered maps called attributes.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;

use compact_str::CompactString;
#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// A name or another text to show. Up to 24 bytes are held inline, without an allocation.
///
/// # Example
///
/// ```
/// use room_registry::Text;
/// let name = Text::from("Tom's show");
/// assert_eq!(name.as_str(), "Tom's show");
/// assert_eq!(name.len(), 10); // it derefs to `str`
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(transparent))]
pub struct Text(CompactString);

impl Text {
    pub(crate) const fn constant(text: &'static str) -> Self {
        Self(CompactString::const_new(text))
    }

    #[cfg(feature = "serde")]
    pub(crate) fn from_compact(text: CompactString) -> Self {
        Self(text)
    }

    /// The text.
    ///
    /// ```
    /// # use room_registry::Text;
    /// assert_eq!(Text::from("Tom").as_str(), "Tom");
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `None` for an empty text: vendors send `""` for what they don't know.
    pub(crate) fn non_empty(self) -> Option<Self> {
        (!self.0.is_empty()).then_some(self)
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for Text {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(CompactString::from(text))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(CompactString::from(text))
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0.into_string()
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.0.as_str(), f)
    }
}

/// What a user is in a room, in the application's own words.
///
/// [`HOST`](Role::HOST), [`AUDIENCE`](Role::AUDIENCE) and [`ADMINISTRATOR`](Role::ADMINISTRATOR)
/// are the words that a vendor's numbers map to; any other text may be used. A vendor's number that
/// has no word is kept as its digits.
///
/// # Example
///
/// ```
/// use room_registry::Role;
/// assert_eq!(Role::HOST.as_str(), "host");
/// assert_eq!(Role::new("moderator").as_str(), "moderator");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(transparent))]
pub struct Role(Text);

impl Role {
    /// Runs the room: `host`.
    pub const HOST: Self = Self(Text::constant("host"));
    /// Watches and listens: `audience`.
    pub const AUDIENCE: Self = Self(Text::constant("audience"));
    /// Records or moderates, and is normally hidden from user lists: `administrator`.
    pub const ADMINISTRATOR: Self = Self(Text::constant("administrator"));

    /// A role of any name.
    ///
    /// ```
    /// # use room_registry::Role;
    /// assert_eq!(Role::new("host"), Role::HOST);
    /// ```
    #[must_use]
    pub fn new(text: impl Into<Text>) -> Self {
        Self(text.into())
    }

    /// The role as text.
    ///
    /// ```
    /// # use room_registry::Role;
    /// assert_eq!(Role::AUDIENCE.as_str(), "audience");
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Attributes of the application's own: a small ordered map of text to text (cover, mode, level,
/// avatar, permissions …).
///
/// Limits are checked when a command carries them: see [`Attributes::MAX_LEN`],
/// [`Attributes::MAX_KEY_LEN`] and [`Attributes::MAX_VALUE_LEN`].
///
/// # Example
///
/// ```
/// use room_registry::{Config, ManualClock, NewRoom, RoomRegistry};
/// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
/// registry.create_room(NewRoom::new("r1", "tom").attribute("cover", "a.jpg"))?;
/// let room = registry.room("r1").unwrap();
/// assert_eq!(room.attributes().get("cover"), Some("a.jpg"));
/// # Ok::<(), room_registry::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(transparent))]
pub struct Attributes(pub(crate) BTreeMap<Text, Text>);

impl Attributes {
    /// How many attributes one room, user or stream may have.
    pub const MAX_LEN: usize = 64;
    /// The longest key, in bytes.
    pub const MAX_KEY_LEN: usize = 255;
    /// The longest value, in bytes.
    pub const MAX_VALUE_LEN: usize = 4_096;

    /// No attributes.
    pub(crate) const NONE: &'static Self = &Self(BTreeMap::new());

    /// The value of a key. Cost: the logarithm of the attributes.
    ///
    /// ```
    /// # use room_registry::Attributes;
    /// assert_eq!(Attributes::default().get("cover"), None);
    /// ```
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(Text::as_str)
    }

    /// All keys and values, ordered by key.
    ///
    /// ```
    /// # use room_registry::Attributes;
    /// assert_eq!(Attributes::default().iter().count(), 0);
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// How many there are.
    ///
    /// ```
    /// # use room_registry::Attributes;
    /// assert_eq!(Attributes::default().len(), 0);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    ///
    /// ```
    /// # use room_registry::Attributes;
    /// assert!(Attributes::default().is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Of a key that comes twice, the later value.
///
/// ```
/// # use room_registry::Attributes;
/// let attributes: Attributes = [("cover", "a.jpg"), ("mode", "music")].into_iter().collect();
/// assert_eq!(attributes.get("mode"), Some("music"));
/// ```
impl<K: Into<Text>, V: Into<Text>> FromIterator<(K, V)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(attributes: I) -> Self {
        let texts = attributes.into_iter().map(|(key, value)| (key.into(), value.into()));
        Self(texts.collect())
    }
}
