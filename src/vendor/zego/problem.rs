//! What is wrong with a body, and how the value of a field is read or found wrong.

use std::str::FromStr;

use compact_str::ToCompactString;

use crate::model::id::IdError;
use crate::model::time::Timestamp;
use crate::vendor::zego::scalar::{Scalar, all_digits};

/// What is wrong with a body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Problem {
    #[error("field `event` is missing")]
    NoEvent,
    #[error("field `event` is not a text: {found}")]
    OddEvent { found: String },
    #[error("{body}: field `{field}` is missing")]
    Missing { body: &'static str, field: &'static str },
    #[error("{body}: field `{field}` is not a whole number: {found}")]
    NotANumber { body: &'static str, field: &'static str, found: String },
    #[error("{body}: field `{field}` is neither a text nor a whole number: {found}")]
    NotAText { body: &'static str, field: &'static str, found: String },
    #[error("{body}: field `{field}` is not a list of objects")]
    NotAList { body: &'static str, field: &'static str },
    #[error("{body}: field `{field}`: {problem}")]
    Id { body: &'static str, field: &'static str, problem: IdError },
}

/// A field of a body, to be named where it is wrong.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The event or the answer.
    pub(super) body: &'static str,
    pub(super) field: &'static str,
}

impl Place {
    pub(super) fn id<T: FromStr<Err = IdError>>(self, value: Scalar<'_>) -> Result<T, Problem> {
        match value {
            Scalar::Missing => Err(self.missing()),
            Scalar::Borrowed(text) => self.checked(text),
            Scalar::Owned(text) => self.checked(&text),
            Scalar::Number(number) => self.checked(&number.to_compact_string()),
            odd @ (Scalar::Negative(_) | Scalar::Odd(_)) => Err(self.not_a_text(&odd)),
        }
    }

    /// A session that is a number is the same with leading zeros and without.
    pub(super) fn session<T: FromStr<Err = IdError>>(
        self,
        value: Scalar<'_>,
    ) -> Result<T, Problem> {
        if let Some(text) = value.as_text() {
            let digits = text.trim();
            if !digits.is_empty() && all_digits(digits) {
                let significant = digits.trim_start_matches('0');
                return self.checked(if significant.is_empty() { "0" } else { significant });
            }
        }
        self.id(value)
    }

    fn checked<T: FromStr<Err = IdError>>(self, text: &str) -> Result<T, Problem> {
        let Self { body, field } = self;
        text.parse().map_err(|problem| Problem::Id { body, field, problem })
    }

    pub(super) fn number(self, value: &Scalar<'_>) -> Result<Option<u64>, Problem> {
        value.number().map_err(|_| self.not_a_number(value))
    }

    pub(super) fn time(self, value: &Scalar<'_>) -> Result<Option<Timestamp>, Problem> {
        Ok(self.number(value)?.map(Timestamp::from_millis))
    }

    pub(super) fn missing(self) -> Problem {
        Problem::Missing { body: self.body, field: self.field }
    }

    pub(super) fn not_a_number(self, value: &Scalar<'_>) -> Problem {
        Problem::NotANumber { body: self.body, field: self.field, found: value.to_string() }
    }

    pub(super) fn not_a_list(self) -> Problem {
        Problem::NotAList { body: self.body, field: self.field }
    }

    pub(super) fn not_a_text(self, value: &Scalar<'_>) -> Problem {
        Problem::NotAText { body: self.body, field: self.field, found: value.to_string() }
    }
}
