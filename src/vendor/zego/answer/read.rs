//! From JSON to answers.
//!
//! The code may stand behind the data, and data beside a failure do not matter. So reading fails
//! only if the JSON itself is broken, and what is wrong with the data is kept until it matters.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::vendor::zego::answer::item::{Data, Item, Row};
use crate::vendor::zego::answer::{
    Answer, Failure, StreamList, UserCounts, UserPage, UserStatuses,
};
use crate::vendor::zego::any::{Any, FromAny};
use crate::vendor::zego::decoder::Decoder;
use crate::vendor::zego::decoder::sealed::Read;
use crate::vendor::zego::problem::{Fault, Problem};
use crate::vendor::zego::scalar::Scalar;

/// An answer as it came.
struct Envelope<'de, T> {
    code: Scalar<'de>,
    message: Scalar<'de>,
    request_id: Scalar<'de>,
    data: Content<'de, T>,
}

/// The data of an answer as they came.
struct Content<'de, T> {
    marker: Scalar<'de>,
    items: Result<Vec<T>, Problem>,
}

impl<T: Item> Envelope<'_, T> {
    /// Returns the answer, if nothing that matters is wrong.
    fn open<D: Data<Item = T>>(self) -> Result<Answer<D>, Problem> {
        let code = self.code.required_signed().map_err(|fault| in_field::<T>("Code", fault))?;
        let data = if code == 0 {
            Ok(D::new(self.data.items?, self.data.marker)?)
        } else {
            Err(Failure { code, message: self.message.into_text() })
        };
        Ok(Answer { request_id: self.request_id.into_text(), data })
    }
}

fn in_field<T: Item>(field: &'static str, fault: Fault) -> Problem {
    Problem::Field { body: T::QUESTION, field, fault }
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

    /// Reads all fields. The last value of a field counts, as in callbacks.
    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let (mut code, mut message) = (Scalar::Missing, Scalar::Missing);
        let (mut request_id, mut data) = (Scalar::Missing, Content::from_scalar(Scalar::Missing));
        while let Some(key) = object.next_key::<Scalar<'de>>()? {
            match key.as_text().unwrap_or_default() {
                "Code" => code = object.next_value()?,
                "Message" => message = object.next_value()?,
                "RequestId" => request_id = object.next_value()?,
                "Data" => Any(data) = object.next_value()?,
                _ => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Envelope { code, message, request_id, data })
    }
}

impl<'de, T: Item> FromAny<'de> for Content<'de, T> {
    fn from_scalar(_: Scalar<'de>) -> Self {
        Self { marker: Scalar::Missing, items: Err(in_field::<T>(T::LIST, Fault::Missing)) }
    }

    fn from_object<A: MapAccess<'de>>(mut object: A) -> Result<Self, A::Error> {
        let mut content = Self::from_scalar(Scalar::Missing);
        while let Some(key) = object.next_key::<Scalar<'de>>()? {
            match key.as_text().unwrap_or_default() {
                "Marker" => content.marker = object.next_value()?,
                name if name == T::LIST => Any(Items(content.items)) = object.next_value()?,
                _ => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(content)
    }
}

/// The entries of a list, or what is wrong with the first that is wrong.
struct Items<T>(Result<Vec<T>, Problem>);

impl<'de, T: Item> FromAny<'de> for Items<T> {
    /// Reads `null` as an empty list, as a server in Go writes one.
    fn from_scalar(value: Scalar<'de>) -> Self {
        match value {
            Scalar::Missing => Self(Ok(Vec::new())),
            _ => Self(Err(in_field::<T>(T::LIST, Fault::NotAList))),
        }
    }

    /// Reads entry by entry, so that no more is held than the entries are made into.
    fn from_list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut items = Ok(Vec::new());
        while let Some(Any(values)) = list.next_element::<Any<Option<_>>>()? {
            if let Ok(read) = &mut items {
                let item = match values {
                    Some(mut values) => {
                        T::read(&mut Row { name: T::QUESTION, fields: &mut values })
                    }
                    None => Err(in_field::<T>(T::LIST, Fault::NotAList)),
                };
                match item {
                    Ok(item) => read.push(item),
                    Err(problem) => items = Err(problem),
                }
            }
        }
        Ok(Self(items))
    }
}

/// Decodes the envelope of an answer, and its data unless the answer is a failure.
macro_rules! answers {
    ($($data:ty),*) => {$(
        impl Read for Answer<$data> {
            fn read<'de, D: Deserializer<'de>>(body: D, decoder: Decoder) -> Result<Self, D::Error> {
                let mut answer: Self = Envelope::deserialize(body)?.open().map_err(D::Error::custom)?;
                if decoder.ignores_user_role() && let Ok(data) = &mut answer.data {
                    data.forget_roles();
                }
                Ok(answer)
            }
        }

        impl<'de> Deserialize<'de> for Answer<$data> {
            fn deserialize<D: Deserializer<'de>>(body: D) -> Result<Self, D::Error> {
                Decoder::new().deserialize(body)
            }
        }
    )*};
}

answers! { UserPage, UserStatuses, StreamList, UserCounts }
