//! Builds JSON objects whose fields stay in the order in which they were written, as on the wire.

use std::fmt;

use serde_json::Value;

/// An object under construction.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Body(Vec<(&'static str, Value)>);

impl Body {
    /// Sets a field: in its place, or at the end.
    #[must_use]
    pub fn with(mut self, field: &'static str, value: impl Into<Value>) -> Self {
        match self.0.iter_mut().find(|(name, _)| *name == field) {
            Some((_, held)) => *held = value.into(),
            None => self.put(field, value.into()),
        }
        self
    }

    /// Inserts a field behind another one, or at the end if there is no such other one.
    #[must_use]
    pub fn with_after(mut self, other: &str, field: &'static str, value: impl Into<Value>) -> Self {
        let place = self.0.iter().position(|(name, _)| *name == other);
        self.0.insert(place.map_or(self.0.len(), |place| place + 1), (field, value.into()));
        self
    }

    pub(crate) fn put(&mut self, field: &'static str, value: Value) {
        self.0.push((field, value));
    }
}

/// Prints it as it goes over the wire.
impl fmt::Display for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (index, (field, value)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}\"{field}\":{value}")?;
        }
        f.write_str("}")
    }
}

impl From<Body> for Value {
    fn from(body: Body) -> Self {
        Self::Object(body.0.into_iter().map(|(field, value)| (field.to_owned(), value)).collect())
    }
}
