//! Texts that are shown: names, roles, and the small ordered maps called attributes.

use std::collections::{BTreeMap, btree_map};
use std::iter;
use std::ops::Deref;
use std::sync::Arc;

use compact_str::CompactString;
#[cfg(feature = "serde")]
use serde::{Deserialize, Deserializer, Serialize};

/// Lets a newtype over text print, read and compare as the text that `as_str` gives.
macro_rules! read_as_str {
    ($name:ident) => {
        impl AsRef<str> for $name {
            #[inline]
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(self.as_str(), f)
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

        impl PartialEq<String> for $name {
            fn eq(&self, other: &String) -> bool {
                self.as_str() == other
            }
        }

        impl PartialEq<$name> for str {
            fn eq(&self, other: &$name) -> bool {
                self == other.as_str()
            }
        }

        impl PartialEq<$name> for &str {
            fn eq(&self, other: &$name) -> bool {
                *self == other.as_str()
            }
        }

        impl PartialEq<$name> for String {
            fn eq(&self, other: &$name) -> bool {
                self == other.as_str()
            }
        }
    };
}

pub(super) use read_as_str;

/// A name or another text to show. Up to 24 bytes are kept inline, without an allocation.
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

read_as_str!(Text);

impl Text {
    pub(crate) const fn constant(text: &'static str) -> Self {
        Self(CompactString::const_new(text))
    }

    pub(crate) fn from_compact(text: CompactString) -> Self {
        Self(text)
    }

    /// Returns the text.
    ///
    /// ```
    /// # use room_registry::Text;
    /// assert_eq!(Text::from("Tom").as_str(), "Tom");
    /// ```
    #[must_use]
    #[inline]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns `None` for an empty text, because vendors send `""` for what they don't know.
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

/// What a user is in a room, in the words of the application.
///
/// The numbers of a vendor read as [`HOST`](Role::HOST), [`AUDIENCE`](Role::AUDIENCE) or
/// [`ADMINISTRATOR`](Role::ADMINISTRATOR). A number without such a word keeps its digits. Commands
/// may carry any text.
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

read_as_str!(Role);

impl Role {
    /// Runs the room: `host`.
    pub const HOST: Self = Self(Text::constant("host"));
    /// Watches and listens: `audience`.
    pub const AUDIENCE: Self = Self(Text::constant("audience"));
    /// Records or moderates, and is normally hidden from user lists: `administrator`.
    pub const ADMINISTRATOR: Self = Self(Text::constant("administrator"));

    /// Makes a role of any name.
    ///
    /// ```
    /// # use room_registry::Role;
    /// assert_eq!(Role::new("host"), Role::HOST);
    /// ```
    #[must_use]
    pub fn new(text: impl Into<Text>) -> Self {
        Self(text.into())
    }

    /// Returns the role as text.
    ///
    /// ```
    /// # use room_registry::Role;
    /// assert_eq!(Role::AUDIENCE.as_str(), "audience");
    /// ```
    #[must_use]
    #[inline]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A few roles, which many rooms share. None take no memory of their own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(from = "Vec<Role>", into = "Vec<Role>"))]
pub(crate) struct Roles(Option<Arc<Vec<Role>>>);

impl Roles {
    pub(crate) fn new(mut roles: Vec<Role>) -> Self {
        roles.sort_unstable();
        roles.dedup();
        Self((!roles.is_empty()).then(|| Arc::new(roles)))
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Role> {
        self.0.iter().flat_map(|roles| roles.iter())
    }

    #[inline]
    pub(crate) fn contains(&self, role: Option<&Role>) -> bool {
        self.0.as_ref().is_some_and(|roles| role.is_some_and(|role| roles.contains(role)))
    }
}

#[cfg(feature = "serde")]
impl From<Vec<Role>> for Roles {
    fn from(roles: Vec<Role>) -> Self {
        Self::new(roles)
    }
}

#[cfg(feature = "serde")]
impl From<Roles> for Vec<Role> {
    fn from(roles: Roles) -> Self {
        roles.iter().cloned().collect()
    }
}

/// Why the application removed a user: a number or a word of its own, kept as text.
///
/// In JSON it reads from either, and prints as a string.
///
/// # Example
///
/// ```
/// use room_registry::RemovalReason;
/// assert_eq!(RemovalReason::from("spam").as_str(), "spam");
/// assert_eq!(RemovalReason::from(7).as_str(), "7");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(Serialize), serde(transparent))]
pub struct RemovalReason(Text);

read_as_str!(RemovalReason);

impl RemovalReason {
    /// Returns the reason as text.
    ///
    /// ```
    /// # use room_registry::RemovalReason;
    /// assert_eq!(RemovalReason::default().as_str(), "");
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for RemovalReason {
    fn from(word: &str) -> Self {
        Self(Text::from(word))
    }
}

impl From<i64> for RemovalReason {
    fn from(number: i64) -> Self {
        Self(Text::from(number.to_string()))
    }
}

/// Reads a number or a word, in formats that tell which it is.
#[cfg(feature = "serde")]
impl<'de> Deserialize<'de> for RemovalReason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Told {
            Number(i64),
            Word(Text),
        }

        if !deserializer.is_human_readable() {
            return Text::deserialize(deserializer).map(Self);
        }
        Ok(match Told::deserialize(deserializer)? {
            Told::Number(number) => Self::from(number),
            Told::Word(word) => Self(word),
        })
    }
}

/// Attributes that the application chooses: a small ordered map of text to text (cover, mode, level,
/// avatar, permissions …).
///
/// A command that carries attributes is checked against their limits: see [`Attributes::MAX_LEN`],
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
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[expect(
    clippy::box_collection,
    reason = "nearly always there are none, and then it takes one word"
)]
pub struct Attributes(Option<Box<BTreeMap<Text, Text>>>);

impl Attributes {
    /// The most attributes that one room, user or stream may have.
    pub const MAX_LEN: usize = 64;
    /// The longest key, in bytes.
    pub const MAX_KEY_LEN: usize = 255;
    /// The longest value, in bytes.
    pub const MAX_VALUE_LEN: usize = 4_096;

    /// No attributes.
    pub(crate) const NONE: &'static Self = &Self(None);

    pub(crate) fn of(texts: BTreeMap<Text, Text>) -> Self {
        Self((!texts.is_empty()).then(|| Box::new(texts)))
    }

    /// Sets the value of a key, or takes the key away.
    pub(crate) fn set(&mut self, key: Text, value: Option<Text>) {
        let mut texts = self.0.take().unwrap_or_default();
        match value {
            Some(value) => _ = texts.insert(key, value),
            None => _ = texts.remove(&key),
        }
        self.0 = Some(texts).filter(|texts| !texts.is_empty());
    }

    /// Returns the value of a key. Cost: the logarithm of the attributes.
    ///
    /// ```
    /// # use room_registry::Attributes;
    /// assert_eq!(Attributes::default().get("cover"), None);
    /// ```
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.as_ref()?.get(key).map(Text::as_str)
    }

    /// Returns all keys and values, ordered by key.
    ///
    /// ```
    /// # use room_registry::Attributes;
    /// assert_eq!(Attributes::default().iter().count(), 0);
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.into_iter()
    }

    /// Counts the attributes. Cost: constant.
    ///
    /// ```
    /// # use room_registry::Attributes;
    /// assert_eq!(Attributes::default().len(), 0);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |texts| texts.len())
    }

    /// Returns whether there are no attributes.
    ///
    /// ```
    /// # use room_registry::Attributes;
    /// assert!(Attributes::default().is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

/// Walks through all keys and values, ordered by key.
///
/// ```
/// # use room_registry::Attributes;
/// let attributes: Attributes = [("cover", "a.jpg"), ("mode", "music")].into_iter().collect();
/// for (key, value) in &attributes {
///     assert!(!key.is_empty() && !value.is_empty());
/// }
/// ```
impl<'a> IntoIterator for &'a Attributes {
    type Item = (&'a str, &'a str);
    type IntoIter = iter::Map<btree_map::Iter<'a, Text, Text>, AsTexts<'a>>;

    fn into_iter(self) -> Self::IntoIter {
        let texts = self.0.as_ref().map(|texts| texts.iter()).unwrap_or_default();
        texts.map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

/// Reads a key and its value.
type AsTexts<'a> = fn((&'a Text, &'a Text)) -> (&'a str, &'a str);

/// Collects pairs of key and value. The later of two values of one key counts.
///
/// ```
/// # use room_registry::Attributes;
/// let attributes: Attributes = [("cover", "a.jpg"), ("mode", "music")].into_iter().collect();
/// assert_eq!(attributes.get("mode"), Some("music"));
/// ```
impl<K: Into<Text>, V: Into<Text>> FromIterator<(K, V)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(attributes: I) -> Self {
        let texts = attributes.into_iter().map(|(key, value)| (key.into(), value.into()));
        Self::of(texts.collect())
    }
}

impl std::fmt::Debug for Attributes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

#[cfg(feature = "serde")]
impl Serialize for Attributes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(Self::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_the_last_attribute_there_are_none() {
        let mut attributes = Attributes::default();
        attributes.set("mode".into(), None);
        assert_eq!(attributes, Attributes::default());
        attributes.set("mode".into(), Some("music".into()));
        assert_eq!((attributes.get("mode"), attributes.len()), (Some("music"), 1));
        attributes.set("mode".into(), None);
        assert_eq!(attributes, Attributes::default());
        assert_eq!(attributes, Attributes::of(BTreeMap::new()));
    }
}
