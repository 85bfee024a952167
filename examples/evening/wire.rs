//! JSON objects whose fields stay in the order in which they were written, as on the wire.

use std::fmt::Write;

/// An object under construction.
pub(crate) struct Object(String);

impl Object {
    pub(crate) fn new() -> Self {
        Self(String::from("{"))
    }

    /// What every callback begins with. Events about streams and users bring their numbers as text.
    pub(crate) fn callback(event: &str, at: u64, nonce: u64, numbers: Numbers) -> Self {
        let body = Self::new().text("event", event);
        let body = match numbers {
            Numbers::Plain => body.number("appid", 1).number("timestamp", at / 1_000),
            Numbers::AsText => body.text("appid", "1").text("timestamp", (at / 1_000).to_string()),
        };
        body.text("nonce", nonce.to_string()).text("signature", "signature")
    }

    pub(crate) fn text(self, field: &str, value: impl AsRef<str>) -> Self {
        let value = serde_json::to_string(value.as_ref()).expect("a text is JSON");
        self.raw(field, &value)
    }

    pub(crate) fn number(self, field: &str, value: u64) -> Self {
        self.raw(field, &value.to_string())
    }

    pub(crate) fn texts(self, field: &str, values: &[String]) -> Self {
        let values = serde_json::to_string(values).expect("texts are JSON");
        self.raw(field, &values)
    }

    pub(crate) fn object(self, field: &str, value: Self) -> Self {
        self.raw(field, &value.finish())
    }

    pub(crate) fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }

    fn raw(mut self, field: &str, value: &str) -> Self {
        let comma = if self.0.len() > 1 { "," } else { "" };
        write!(self.0, "{comma}\"{field}\":{value}").expect("a String takes all");
        self
    }
}

/// How an event writes its numbers.
#[derive(Clone, Copy)]
pub(crate) enum Numbers {
    Plain,
    AsText,
}
