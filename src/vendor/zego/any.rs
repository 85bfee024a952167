//! Reads any JSON value, so that what is wrong with it matters only if somebody needs it.

use std::fmt;
use std::marker::PhantomData;

use compact_str::CompactString;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::model::text::Text;
use crate::vendor::zego::scalar::{Odd, Scalar, all_digits};

/// A type that has a value for whatever stands in a body.
pub(super) trait FromAny<'de>: Sized {
    /// Reads a value that is no list and no object. A list or an object comes here as
    /// [`Scalar::Odd`], unless the type reads it.
    fn from_scalar(value: Scalar<'de>) -> Self;

    /// Reads a list. It must be read to its end.
    fn from_list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::from_scalar(Scalar::Odd(Odd::List)))
    }

    /// Reads an object. It must be read to its end.
    fn from_object<A: MapAccess<'de>>(mut object: A) -> Result<Self, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::from_scalar(Scalar::Odd(Odd::Object)))
    }
}

/// A value of any form: deserialising it fails only if the JSON itself is broken.
pub(super) struct Any<T>(pub(super) T);

impl<'de, T: FromAny<'de>> Deserialize<'de> for Any<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyVisitor(PhantomData)).map(Self)
    }
}

struct AnyVisitor<T>(PhantomData<T>);

impl<'de, T: FromAny<'de>> Visitor<'de> for AnyVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, truth: bool) -> Result<T, E> {
        Ok(T::from_scalar(Scalar::Odd(Odd::Bool(truth))))
    }

    fn visit_i64<E>(self, number: i64) -> Result<T, E> {
        let number = u64::try_from(number).map_or(Scalar::Negative(number), Scalar::Number);
        Ok(T::from_scalar(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<T, E> {
        Ok(T::from_scalar(Scalar::Number(number)))
    }

    fn visit_f64<E>(self, number: f64) -> Result<T, E> {
        Ok(T::from_scalar(Scalar::Odd(Odd::Float(number))))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<T, E> {
        Ok(T::from_scalar(Scalar::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok(T::from_scalar(Scalar::Owned(CompactString::from(text))))
    }

    fn visit_string<E>(self, text: String) -> Result<T, E> {
        Ok(T::from_scalar(Scalar::Owned(CompactString::from(text))))
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::from_scalar(Scalar::Missing))
    }

    fn visit_none<E>(self) -> Result<T, E> {
        Ok(T::from_scalar(Scalar::Missing))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        T::from_list(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<T, A::Error> {
        T::from_object(object)
    }
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyVisitor(PhantomData))
    }
}

impl<'de> FromAny<'de> for Scalar<'de> {
    fn from_scalar(value: Self) -> Self {
        value
    }

    fn from_object<A: MapAccess<'de>>(mut object: A) -> Result<Self, A::Error> {
        let mut value = Scalar::Odd(Odd::Object);
        while let Some(key) = object.next_key::<ObjectKey>()? {
            match key {
                ObjectKey::Number => value = in_full(object.next_value()?),
                ObjectKey::Other => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(value)
    }
}

/// The key of a number of any length. Any crate of the application may turn on the feature
/// `arbitrary_precision` of `serde_json`. Every number then comes as an object with this one key,
/// which holds the text of the number.
#[derive(serde::Deserialize)]
#[serde(field_identifier)]
enum ObjectKey {
    #[serde(rename = "$serde_json::private::Number")]
    Number,
    #[serde(other)]
    Other,
}

/// Reads the text of a number as `serde_json` does without `arbitrary_precision`, except that whole
/// numbers beyond `u64` stay whole.
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

/// A list of texts. A text alone is a list of one; what is no text is skipped.
#[derive(Debug, Default)]
pub(super) struct Texts(pub(super) Vec<Text>);

impl<'de> FromAny<'de> for Texts {
    fn from_scalar(value: Scalar<'de>) -> Self {
        let mut texts = Self::default();
        texts.add(value);
        texts
    }

    fn from_list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut texts = Self::default();
        while let Some(Any(value)) = list.next_element()? {
            texts.add(value);
        }
        Ok(texts)
    }
}

impl Texts {
    fn add(&mut self, value: Scalar<'_>) {
        if value.as_text().is_some() {
            self.0.extend(value.into_text());
        }
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
            assert_eq!(Scalar::from_object(Precise(Some(text))), Ok(expected), "{text}");
        }
    }
}
