//! One value on the wire, as it came: what is wrong with it is said only where it is needed.

use std::fmt;

use compact_str::CompactString;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::text::Text;

/// A value that should be a number or a text.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Scalar {
    #[default]
    Missing,
    Number(u64),
    Negative(i64),
    Text(CompactString),
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

impl Scalar {
    /// The whole number that it is, as a number or as text. `Ok(None)` where it is missing or empty.
    pub(super) fn number(&self) -> Result<Option<u64>, NotANumber<'_>> {
        match self {
            Self::Missing => Ok(None),
            Self::Number(number) => Ok(Some(*number)),
            Self::Text(text) if text.trim().is_empty() => Ok(None),
            Self::Text(text) => {
                let digits = text.trim();
                let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
                digits.parse().ok().filter(|_| is_number).map(Some).ok_or(NotANumber(self))
            }
            Self::Negative(_) | Self::Odd(_) => Err(NotANumber(self)),
        }
    }

    /// The text that it is; of a number its digits. `None` where it is missing, empty or neither.
    pub(super) fn into_text(self) -> Option<Text> {
        match self {
            Self::Text(text) => Text::from_compact(text).non_empty(),
            Self::Number(number) => {
                Some(Text::from_compact(compact_str::format_compact!("{number}")))
            }
            Self::Negative(number) => {
                Some(Text::from_compact(compact_str::format_compact!("{number}")))
            }
            Self::Missing | Self::Odd(_) => None,
        }
    }

    /// Whether the field was not there, or `null`.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }
}

/// A value that is no whole number, to print: escaped and cut.
#[derive(Debug)]
pub(super) struct NotANumber<'a>(&'a Scalar);

impl fmt::Display for NotANumber<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Scalar::Missing => f.write_str("nothing"),
            Scalar::Number(number) => write!(f, "{number}"),
            Scalar::Negative(number) => write!(f, "{number}"),
            Scalar::Text(text) => {
                let shown: String = text.chars().take(64).collect();
                write!(f, "{shown:?}")
            }
            Scalar::Odd(odd) => odd.fmt(f),
        }
    }
}

impl fmt::Display for Odd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Float(number) => write!(f, "{number}"),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::List => f.write_str("a list"),
            Self::Object => f.write_str("an object"),
        }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Scalar, E> {
        Ok(Scalar::Odd(Odd::Bool(truth)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
        Ok(u64::try_from(number).map_or(Scalar::Negative(number), Scalar::Number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
        Ok(Scalar::Number(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Scalar, E> {
        Ok(Scalar::Odd(Odd::Float(number)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(CompactString::from(text)))
    }

    fn visit_string<E>(self, text: String) -> Result<Scalar, E> {
        Ok(Scalar::Text(CompactString::from(text)))
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Missing)
    }

    fn visit_none<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Missing)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Scalar, D::Error> {
        Scalar::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scalar, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Odd(Odd::List))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Scalar, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Odd(Odd::Object))
    }
}

/// A list of texts; a text alone is a list of one, and what is no text is passed over.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Texts(pub(super) Vec<Text>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextsVisitor)
    }
}

struct TextsVisitor;

impl<'de> Visitor<'de> for TextsVisitor {
    type Value = Texts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of texts")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Texts, E> {
        Ok(Texts::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Texts, E> {
        Ok(Texts::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Texts, E> {
        Ok(Texts::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Texts, E> {
        Ok(Texts::default())
    }

    fn visit_str<E>(self, text: &str) -> Result<Texts, E> {
        Ok(Texts(Text::from(text).non_empty().into_iter().collect()))
    }

    fn visit_unit<E>(self) -> Result<Texts, E> {
        Ok(Texts::default())
    }

    fn visit_none<E>(self) -> Result<Texts, E> {
        Ok(Texts::default())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Texts, D::Error> {
        Texts::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Texts, A::Error> {
        let mut texts = Vec::new();
        while let Some(scalar) = list.next_element::<Scalar>()? {
            if let Scalar::Text(text) = scalar {
                texts.extend(Text::from_compact(text).non_empty());
            }
        }
        Ok(Texts(texts))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Texts, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Texts::default())
    }
}
