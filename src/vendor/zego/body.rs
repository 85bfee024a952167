//! The fields of a body, by their names on the wire.

use std::str::FromStr;

use crate::model::id::IdError;
use crate::model::text::Text;
use crate::model::time::Timestamp;
use crate::vendor::zego::problem::{Fault, Problem};
use crate::vendor::zego::scalar::Scalar;

/// Declares the fields of a kind of body, with their names on the wire, and a type that has a value
/// for each.
macro_rules! fields {
    ($($field:ident = $name:literal,)+) => {
        /// A field of one value that some body has.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Field {
            $(
                #[doc = concat!("`", $name, "`.")]
                $field,
            )+
        }

        impl Field {
            /// Returns the field of this name on the wire.
            fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$field),)+
                    _ => None,
                }
            }

            /// Returns the name on the wire.
            const fn name(self) -> &'static str {
                match self {
                    $(Self::$field => $name,)+
                }
            }
        }

        /// The values of the fields, as they came.
        #[derive(Debug)]
        pub(super) struct Values<'de>([Scalar<'de>; [$($name),+].len()]);

        impl Values<'_> {
            const EMPTY: Self = Self([const { Scalar::Missing }; [$($name),+].len()]);
        }

        impl<'de> $crate::vendor::zego::body::Fields<'de> for Values<'de> {
            type Field = Field;

            fn name(field: Field) -> &'static str {
                field.name()
            }

            fn value(&self, field: Field) -> &Scalar<'de> {
                &self.0[field as usize]
            }

            fn value_mut(&mut self, field: Field) -> &mut Scalar<'de> {
                &mut self.0[field as usize]
            }
        }
    };
}

pub(super) use fields;

/// Values by field.
pub(super) trait Fields<'de> {
    type Field: Copy;

    fn name(field: Self::Field) -> &'static str;

    fn value(&self, field: Self::Field) -> &Scalar<'de>;

    fn value_mut(&mut self, field: Self::Field) -> &mut Scalar<'de>;
}

/// A body, whose name stands in errors beside the name of the field.
pub(super) struct Body<'a, F> {
    /// The event or the question.
    pub(super) name: &'static str,
    pub(super) fields: &'a mut F,
}

impl<'de, F: Fields<'de>> Body<'_, F> {
    /// Reads a field, and names it if something is wrong with it.
    pub(super) fn read<T>(
        &self,
        field: F::Field,
        read: impl FnOnce(&Scalar<'de>) -> Result<T, Fault>,
    ) -> Result<T, Problem> {
        let name_it = |fault| Problem::Field { body: self.name, field: F::name(field), fault };
        read(self.fields.value(field)).map_err(name_it)
    }

    pub(super) fn id<T: FromStr<Err = IdError>>(&self, field: F::Field) -> Result<T, Problem> {
        self.read(field, Scalar::id)
    }

    /// Reads an id that may be missing, or empty.
    pub(super) fn optional_id<T: FromStr<Err = IdError>>(
        &self,
        field: F::Field,
    ) -> Result<Option<T>, Problem> {
        if self.is_blank(field) { Ok(None) } else { self.id(field).map(Some) }
    }

    pub(super) fn session<T: FromStr<Err = IdError>>(&self, field: F::Field) -> Result<T, Problem> {
        self.read(field, Scalar::session)
    }

    pub(super) fn number(&self, field: F::Field) -> Result<u64, Problem> {
        self.read(field, |value| value.number()?.ok_or(Fault::Missing))
    }

    pub(super) fn optional_number(&self, field: F::Field) -> Result<Option<u64>, Problem> {
        self.read(field, Scalar::number)
    }

    pub(super) fn time(&self, field: F::Field) -> Result<Timestamp, Problem> {
        self.number(field).map(Timestamp::from_millis)
    }

    pub(super) fn optional_time(&self, field: F::Field) -> Result<Option<Timestamp>, Problem> {
        Ok(self.optional_number(field)?.map(Timestamp::from_millis))
    }

    pub(super) fn text(&mut self, field: F::Field) -> Option<Text> {
        self.take(field).into_text()
    }

    pub(super) fn take(&mut self, field: F::Field) -> Scalar<'de> {
        std::mem::take(self.fields.value_mut(field))
    }

    pub(super) fn is_blank(&self, field: F::Field) -> bool {
        self.fields.value(field).is_blank()
    }

    /// Of two fields that tell the same, returns the first, unless only the other has a value.
    pub(super) fn first_of(&self, [first, second]: [F::Field; 2]) -> F::Field {
        if self.is_blank(first) && !self.is_blank(second) { second } else { first }
    }
}
