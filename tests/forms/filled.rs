//! Which fields of stored forms never hold anything: what a file does not show, it does not pin.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Fields whose names are ids or chosen by an application.
const KEYED: [&str; 6] =
    ["attributes", "connections", "entries", "refused", "stream_notes", "user_notes"];

/// The fields that are empty wherever they stand, and the flags that are the same everywhere.
pub(crate) fn never_varied(values: impl IntoIterator<Item: Borrow<Value>>) -> Vec<String> {
    let mut seen = BTreeMap::new();
    for value in values {
        look(value.borrow(), String::new(), &mut seen);
    }
    let mut found = Vec::new();
    for (path, kinds) in seen {
        if !kinds.contains("filled") && kinds.len() < 2 {
            found.push(format!("{path} is always {}", kinds.into_iter().collect::<String>()));
        }
    }
    found
}

fn look(value: &Value, path: String, seen: &mut BTreeMap<String, BTreeSet<&'static str>>) {
    let kind = match value {
        Value::Null => "empty",
        Value::Bool(true) => "true",
        Value::Bool(false) => "false",
        Value::Array(items) if items.is_empty() => "empty",
        Value::Object(fields) if fields.is_empty() => "empty",
        _ => "filled",
    };
    match value {
        Value::Array(items) => {
            for item in items {
                look(item, format!("{path}[]"), seen);
            }
        }
        Value::Object(fields) => {
            let is_keyed = KEYED.iter().any(|name| path.ends_with(&format!(".{name}")));
            for (name, field) in fields {
                let name = if is_keyed { "*" } else { name };
                look(field, format!("{path}.{name}"), seen);
            }
        }
        _ => {}
    }
    seen.entry(path).or_default().insert(kind);
}

/// The names of the variants of an enum, as the library itself lists them. Nobody outside it can match all of
/// them, but what reads one says which there are.
pub(crate) fn variants<T: DeserializeOwned>() -> BTreeSet<String> {
    variants_by::<T>(&json!("no such variant"))
}

/// The same of an enum that is read from another form.
pub(crate) fn variants_by<T: DeserializeOwned>(unknown: &Value) -> BTreeSet<String> {
    let Err(error) = serde_json::from_value::<T>(unknown.clone()) else { panic!("it is known") };
    let error = error.to_string();
    let (_, names) = error.split_once(", expected").expect("what is expected is told");
    names.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect()
}

/// A value of each variant: alone, or with something in it.
pub(crate) fn each<T: DeserializeOwned>() -> Vec<T> {
    let value = |name: String| {
        let forms = [json!(name), json!({ &name: "7" }), json!({ &name: null })];
        let value = forms.into_iter().find_map(|form| serde_json::from_value(form).ok());
        value.unwrap_or_else(|| panic!("{name} is made in another way"))
    };
    variants::<T>().into_iter().map(value).collect()
}
