//! Bodies to change and to decode.

use room_registry::Callback;
use room_registry::vendor::zego::Event;
use serde_json::Value;

/// The text of a sample body.
macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/zego/", $name, ".json"))
    };
}
pub(crate) use fixture;

/// A body to change.
#[derive(Debug, Clone)]
pub(crate) struct Body(pub(crate) Value);

impl Body {
    pub(crate) fn of(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap())
    }

    pub(crate) fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.0[field] = value.into();
        self
    }

    pub(crate) fn without(mut self, field: &str) -> Self {
        self.0.as_object_mut().unwrap().remove(field).unwrap();
        self
    }

    #[track_caller]
    pub(crate) fn decoded(&self) -> Callback {
        decoded(&self.0.to_string())
    }

    #[track_caller]
    pub(crate) fn refused(&self) -> String {
        refused(&self.0.to_string())
    }
}

pub(crate) fn room_login() -> Body {
    Body::of(fixture!("room_login"))
}

#[track_caller]
pub(crate) fn decoded(body: &str) -> Callback {
    match serde_json::from_str(body).unwrap() {
        Event::Callback(callback) => callback,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub(crate) fn refused(body: &str) -> String {
    serde_json::from_str::<Event>(body).unwrap_err().to_string()
}
