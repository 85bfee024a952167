//! Bodies as forms, which the vendor sends on request.

use std::fmt::Write as _;

use serde_json::Value;

/// How a form has a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lists {
    /// `name=a&name=b`
    Repeated,
    /// `name[]=a&name[]=b`
    Brackets,
    /// `name[0]=a&name[1]=b`
    Indexed,
    /// `name=["a","b"]`
    Json,
}

impl Lists {
    pub(crate) const ALL: [Self; 4] = [Self::Repeated, Self::Brackets, Self::Indexed, Self::Json];
}

/// Writes a body as a form. Numbers are texts there, and what is `null` is left out.
pub(crate) fn form(body: &Value, lists: Lists) -> String {
    let mut pairs = Vec::new();
    for (name, value) in body.as_object().unwrap() {
        match value {
            Value::Null => {}
            Value::Array(_) if lists == Lists::Json => {
                pairs.push((name.clone(), value.to_string()));
            }
            Value::Array(values) => {
                for (n, value) in values.iter().enumerate() {
                    let index = match lists {
                        Lists::Brackets => "[]".to_owned(),
                        Lists::Indexed => format!("[{n}]"),
                        Lists::Repeated | Lists::Json => String::new(),
                    };
                    pairs.push((format!("{name}{index}"), text(value)));
                }
            }
            value => pairs.push((name.clone(), text(value))),
        }
    }
    let pairs = pairs.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Percent-encodes a text; a blank is a plus.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b' ' => encoded.push('+'),
            byte if byte.is_ascii_alphanumeric() => encoded.push(char::from(byte)),
            byte => write!(encoded, "%{byte:02X}").unwrap(),
        }
        encoded
    })
}
