//! What is wrong with a body.

use crate::model::id::IdError;

/// What is wrong with a body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Problem {
    #[error("field `event`{fault}")]
    Event { fault: Fault },
    #[error("{body}: field `{field}`{fault}")]
    Field { body: &'static str, field: &'static str, fault: Fault },
}

/// What is wrong with the value of a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error(" is missing")]
    Missing,
    #[error(" is not a text: {found}")]
    NotAText { found: String },
    #[error(" is not a whole number: {found}")]
    NotANumber { found: String },
    #[error(" is neither a text nor a whole number: {found}")]
    Neither { found: String },
    #[error(" is negative: {found}")]
    Negative { found: String },
    #[error(" is not a list of objects")]
    NotAList,
    #[error(": {0}")]
    Id(#[from] IdError),
}
