//! Checks texts that clients send against their limits.

use std::collections::BTreeMap;

use crate::model::command::MAX_NAME_LEN;
use crate::model::error::Error;
use crate::model::text::{Attributes, RemovalReason, Role, Text};

/// Checks a name; an empty one reads as none.
pub(crate) fn check_name(what: &str, name: Option<Text>) -> Result<Option<Text>, Error> {
    match name {
        Some(name) => {
            check_len(what, &name, MAX_NAME_LEN)?;
            Ok(name.non_empty())
        }
        None => Ok(None),
    }
}

/// Checks a role; an empty one reads as none.
pub(crate) fn check_role(role: Option<Role>) -> Result<Option<Role>, Error> {
    match role {
        Some(role) => {
            check_len("the role", role.as_str(), MAX_NAME_LEN)?;
            Ok((!role.as_str().is_empty()).then_some(role))
        }
        None => Ok(None),
    }
}

/// Checks the reason of a removal.
pub(crate) fn check_reason(reason: RemovalReason) -> Result<RemovalReason, Error> {
    check_len("the reason", reason.as_str(), MAX_NAME_LEN)?;
    Ok(reason)
}

pub(crate) fn check_attributes(attributes: BTreeMap<Text, Text>) -> Result<Attributes, Error> {
    for (key, value) in &attributes {
        check_attribute(key, value)?;
    }
    check_attribute_count(attributes.len())?;
    Ok(Attributes::of(attributes))
}

/// Returns the attributes after an update, or `None` if nothing changes.
pub(crate) fn updated_attributes(
    attributes: &Attributes,
    update: BTreeMap<Text, Option<Text>>,
) -> Result<Option<Attributes>, Error> {
    if update.is_empty() {
        return Ok(None);
    }
    let mut updated = attributes.clone();
    for (key, value) in update {
        if let Some(value) = &value {
            check_attribute(&key, value)?;
        }
        updated.set(key, value);
    }
    check_attribute_count(updated.len())?;
    Ok((updated != *attributes).then_some(updated))
}

fn check_attribute(key: &str, value: &str) -> Result<(), Error> {
    check_len("an attribute's key", key, Attributes::MAX_KEY_LEN)?;
    check_len("an attribute's value", value, Attributes::MAX_VALUE_LEN)
}

fn check_attribute_count(len: usize) -> Result<(), Error> {
    if len > Attributes::MAX_LEN {
        return Err(Error::TooManyAttributes { len, limit: Attributes::MAX_LEN });
    }
    Ok(())
}

fn check_len(what: &str, text: &str, limit: usize) -> Result<(), Error> {
    if text.len() > limit {
        return Err(Error::TextTooLong { what: what.to_owned(), len: text.len(), limit });
    }
    Ok(())
}
