//! One value on the wire, as it came: what is wrong with it is said only where it is needed.

use std::fmt;

use compact_str::{CompactString, ToCompactString};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::model::text::Text;

/// A value that should be a number or a text.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Scalar<'de> {
    /// Not there, or `null`.
    #[default]
    Missing,
    Number(u64),
    Negative(i64),
    /// Text that stands in the body as it is.
    Borrowed(&'de str),
    /// Text that had escapes, or that the body's reader could not lend.
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

/// A value that was to be a whole number, and is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotANumber;

impl Scalar<'_> {
    /// The text that it is.
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Borrowed(text) => Some(text),
            Self::Owned(text) => Some(text),
            Self::Missing | Self::Number(_) | Self::Negative(_) | Self::Odd(_) => None,
        }
    }

    /// The whole number that it is, as a number or as text between blanks. `Ok(None)` where it is
    /// missing or blank.
    pub(super) fn number(&self) -> Result<Option<u64>, NotANumber> {
        match self {
            Self::Missing => Ok(None),
            Self::Number(number) => Ok(Some(*number)),
            Self::Borrowed(text) => number(text),
            Self::Owned(text) => number(text),
            Self::Negative(_) | Self::Odd(_) => Err(NotANumber),
        }
    }

    /// The whole number that it is, of either sign, if it is one.
    pub(super) fn signed(&self) -> Option<i64> {
        match self {
            Self::Number(number) => i64::try_from(*number).ok(),
            Self::Negative(number) => Some(*number),
            Self::Borrowed(text) => text.trim().parse().ok(),
            Self::Owned(text) => text.trim().parse().ok(),
            Self::Missing | Self::Odd(_) => None,
        }
    }

    /// The text that it is; of a number its digits. `None` where it is missing, empty or neither.
    pub(super) fn into_text(self) -> Option<Text> {
        match self {
            Self::Borrowed(text) => Text::from(text).non_empty(),
            Self::Owned(text) => Text::from_compact(text).non_empty(),
            Self::Number(number) => Some(Text::from_compact(number.to_compact_string())),
            Self::Negative(number) => Some(Text::from_compact(number.to_compact_string())),
            Self::Missing | Self::Odd(_) => None,
        }
    }

    /// Whether it tells nothing: the field was not there, was `null`, or was an empty text.
    pub(super) fn is_blank(&self) -> bool {
        match self {
            Self::Missing => true,
            Self::Borrowed(text) => text.is_empty(),
            Self::Owned(text) => text.is_empty(),
            Self::Number(_) | Self::Negative(_) | Self::Odd(_) => false,
        }
    }
}

/// Digits only: `str::parse` alone would take a sign.
fn number(text: &str) -> Result<Option<u64>, NotANumber> {
    let digits = text.trim();
    if digits.is_empty() {
        return Ok(None);
    }
    if !all_digits(digits) {
        return Err(NotANumber);
    }
    digits.parse().map(Some).map_err(|_| NotANumber)
}

pub(super) fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// To be said in an error: escaped, and cut where it is long, as it is a stranger's.
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

/// The longest text, in bytes, that an error says in full.
const SHOWN: usize = 64;

/// A stranger's text, to be said in an error.
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

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Odd(Odd::Bool(truth)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(u64::try_from(number).map_or(Scalar::Negative(number), Scalar::Number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Odd(Odd::Float(number)))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Owned(CompactString::from(text)))
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(Scalar::Owned(CompactString::from(text)))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Missing)
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Missing)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        Scalar::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Odd(Odd::List))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut value = Scalar::Odd(Odd::Object);
        while let Some(key) = object.next_key::<ObjectKey>()? {
            match key {
                ObjectKey::Number => value = in_full(object.next_value()?),
                ObjectKey::Other => {
                    object.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(value)
    }
}

/// A number of any length. Where any crate of the application turns on `arbitrary_precision` of
/// `serde_json`, every number comes as an object of this one key with the number's text.
#[derive(serde::Deserialize)]
#[serde(field_identifier)]
enum ObjectKey {
    #[serde(rename = "$serde_json::private::Number")]
    Number,
    #[serde(other)]
    Other,
}

/// The same value as `serde_json` gives for the number's text when it is not asked for precision,
/// except that whole numbers beyond `u64` stay whole.
fn in_full(value: Scalar<'_>) -> Scalar<'_> {
    let Some(text) = value.as_text() else {
        return Scalar::Odd(Odd::Object);
    };
    let whole = text.parse().map(Scalar::Number).or_else(|_| text.parse().map(Scalar::Negative));
    match (whole, text.parse()) {
        (Ok(number), _) => number,
        (Err(_), _) if !text.is_empty() && all_digits(text) => value,
        (Err(_), Ok(number)) => Scalar::Odd(Odd::Float(number)),
        (Err(_), Err(_)) => Scalar::Odd(Odd::Object),
    }
}

/// A list of texts; a text alone is a list of one, and what is no text is passed over.
#[derive(Debug, Default)]
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
        while let Some(value) = list.next_element::<Scalar<'de>>()? {
            if value.as_text().is_some() {
                texts.extend(value.into_text());
            }
        }
        Ok(Texts(texts))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Texts, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Texts::default())
    }
}

#[cfg(test)]
mod tests {
    use serde::de::value::{BorrowedStrDeserializer, Error};
    use serde::de::{DeserializeSeed, IntoDeserializer};
    use serde::forward_to_deserialize_any;

    use super::*;

    /// A number as `serde_json` gives it with `arbitrary_precision`: its key is a text and no enum.
    struct Precise<'de>(Option<&'de str>);

    struct Key;

    impl<'de> Deserializer<'de> for Key {
        type Error = Error;

        fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.visit_borrowed_str("$serde_json::private::Number")
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
            unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
            ignored_any
        }
    }

    impl<'de> MapAccess<'de> for Precise<'de> {
        type Error = Error;

        fn next_key_seed<K: DeserializeSeed<'de>>(
            &mut self,
            seed: K,
        ) -> Result<Option<K::Value>, Error> {
            self.0.map(|_| seed.deserialize(Key)).transpose()
        }

        fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
            match self.0.take() {
                Some(number) => seed.deserialize(BorrowedStrDeserializer::new(number)),
                None => seed.deserialize(().into_deserializer()),
            }
        }
    }

    #[test]
    fn a_number_in_full_is_the_number_and_stays_whole_beyond_u64() {
        for (text, expected) in [
            ("18446744073709551615", Scalar::Number(u64::MAX)),
            ("18446744073709551616", Scalar::Borrowed("18446744073709551616")),
            ("-3", Scalar::Negative(-3)),
            ("1.5", Scalar::Odd(Odd::Float(1.5))),
            ("1e3", Scalar::Odd(Odd::Float(1e3))),
            ("-18446744073709551616", Scalar::Odd(Odd::Float(-18_446_744_073_709_551_616.0))),
            ("", Scalar::Odd(Odd::Object)),
        ] {
            assert_eq!(ScalarVisitor.visit_map(Precise(Some(text))), Ok(expected), "{text}");
        }
    }
}
