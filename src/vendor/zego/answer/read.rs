//! From JSON to answers.
//!
//! The code may stand behind the data, and data that come with a failure are nobody's business: so
//! reading never fails but for the JSON itself, and what is wrong is kept until it matters.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::vendor::zego::answer::item::{Data, Item, Row};
use crate::vendor::zego::answer::{Answer, Failure};
use crate::vendor::zego::problem::{Place, Problem};
use crate::vendor::zego::scalar::Scalar;

/// An answer as it came.
pub(super) struct Envelope<'de, T> {
    code: Scalar<'de>,
    message: Scalar<'de>,
    request_id: Scalar<'de>,
    data: Content<'de, T>,
}

/// The data of an answer as they came.
struct Content<'de, T> {
    marker: Scalar<'de>,
    items: Items<T>,
}

/// A list as it came.
enum Items<T> {
    Missing,
    Odd,
    /// All that there are, or what is wrong with the first that is wrong.
    Read(Result<Vec<T>, Problem>),
}

impl<T: Item> Envelope<'_, T> {
    pub(super) fn open<D: Data<Item = T>>(mut self) -> Result<Answer<D>, Problem> {
        let place = Place { body: T::QUESTION, field: "Code" };
        let code = match self.code.signed() {
            Some(code) => code,
            None if self.code.is_blank() => return Err(place.missing()),
            None => return Err(place.not_a_number(&self.code)),
        };
        let data = if code == 0 {
            let items = self.data.items.into_list()?;
            Ok(D::of(items, &mut self.data.marker)?)
        } else {
            Err(Failure { code, message: self.message.into_text() })
        };
        Ok(Answer { request_id: self.request_id.into_text(), data })
    }
}

impl<T: Item> Items<T> {
    fn into_list(self) -> Result<Vec<T>, Problem> {
        let place = Place { body: T::QUESTION, field: T::LIST };
        match self {
            Self::Missing => Err(place.missing()),
            Self::Odd => Err(place.not_a_list()),
            Self::Read(items) => items,
        }
    }
}

impl<T> Content<'_, T> {
    const MISSING: Self = Self { marker: Scalar::Missing, items: Items::Missing };
}

impl<'de, T: Item> Deserialize<'de> for Envelope<'de, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EnvelopeVisitor(PhantomData))
    }
}

struct EnvelopeVisitor<T>(PhantomData<T>);

impl<'de, T: Item> Visitor<'de> for EnvelopeVisitor<T> {
    type Value = Envelope<'de, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the object of an answer to {}", T::QUESTION)
    }

    /// A field that stands twice counts as its last value, as in callbacks.
    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let (mut code, mut message) = (Scalar::Missing, Scalar::Missing);
        let (mut request_id, mut data) = (Scalar::Missing, Content::MISSING);
        while let Some(key) = object.next_key::<Scalar<'de>>()? {
            match key.as_text().unwrap_or_default() {
                "Code" => code = object.next_value()?,
                "Message" => message = object.next_value()?,
                "RequestId" => request_id = object.next_value()?,
                "Data" => data = object.next_value()?,
                _ => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Envelope { code, message, request_id, data })
    }
}

/// What a visitor makes of all that is neither a list nor an object.
macro_rules! of_anything_else {
    ($missing:expr, $odd:expr) => {
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok($odd)
        }

        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok($odd)
        }

        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok($odd)
        }

        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok($odd)
        }

        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            Ok($odd)
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok($missing)
        }

        fn visit_none<E>(self) -> Result<Self::Value, E> {
            Ok($missing)
        }

        fn visit_some<D: Deserializer<'de>>(
            self,
            deserializer: D,
        ) -> Result<Self::Value, D::Error> {
            deserializer.deserialize_any(self)
        }
    };
}

impl<'de, T: Item> Deserialize<'de> for Content<'de, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor(PhantomData))
    }
}

struct ContentVisitor<T>(PhantomData<T>);

impl<'de, T: Item> Visitor<'de> for ContentVisitor<T> {
    type Value = Content<'de, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("data")
    }

    of_anything_else!(Content::MISSING, Content::MISSING);

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Content::MISSING)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut content = Content::MISSING;
        while let Some(key) = object.next_key::<Scalar<'de>>()? {
            match key.as_text().unwrap_or_default() {
                "Marker" => content.marker = object.next_value()?,
                name if name == T::LIST => content.items = object.next_value()?,
                _ => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(content)
    }
}

impl<'de, T: Item> Deserialize<'de> for Items<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ItemsVisitor(PhantomData))
    }
}

struct ItemsVisitor<T>(PhantomData<T>);

impl<'de, T: Item> Visitor<'de> for ItemsVisitor<T> {
    type Value = Items<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    of_anything_else!(Items::Missing, Items::Odd);

    /// Row by row, so that no more is held than comes of it.
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Ok(Vec::new());
        while let Some(AnyRow(row)) = list.next_element()? {
            if let Ok(read) = &mut items {
                let place = Place { body: T::QUESTION, field: T::LIST };
                match row.ok_or_else(|| place.not_a_list()).and_then(T::of) {
                    Ok(item) => read.push(item),
                    Err(problem) => items = Err(problem),
                }
            }
        }
        Ok(Items::Read(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Items::Odd)
    }
}

/// An object, or none.
struct AnyRow<'de>(Option<Row<'de>>);

impl<'de> Deserialize<'de> for AnyRow<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RowVisitor)
    }
}

struct RowVisitor;

impl<'de> Visitor<'de> for RowVisitor {
    type Value = AnyRow<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    of_anything_else!(AnyRow(None), AnyRow(None));

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(AnyRow(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut row = Row::default();
        while let Some(key) = object.next_key::<Scalar<'de>>()? {
            let name = key.as_text().unwrap_or_default();
            match row.named(name) {
                Some(field) => *field = object.next_value()?,
                None => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(AnyRow(Some(row)))
    }
}
