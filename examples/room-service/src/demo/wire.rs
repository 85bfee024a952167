//! Callbacks as the vendor writes them: JSON, with numbers as text in events about users and
//! streams.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use crate::signature;

/// What a callback tells, before it is sent.
#[derive(Debug, Clone)]
pub(super) struct Told {
    event: &'static str,
    fields: Map<String, Value>,
}

impl Told {
    pub(super) fn new(event: &'static str) -> Self {
        Self { event, fields: Map::new() }
    }

    pub(super) fn text(mut self, name: &str, value: impl Into<String>) -> Self {
        self.fields.insert(name.to_owned(), Value::String(value.into()));
        self
    }

    /// A number that is written as text.
    pub(super) fn digits(self, name: &str, value: u64) -> Self {
        self.text(name, value.to_string())
    }

    pub(super) fn number(mut self, name: &str, value: u64) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }

    pub(super) fn texts(mut self, name: &str, values: &[String]) -> Self {
        self.fields.insert(name.to_owned(), json!(values));
        self
    }

    #[cfg(test)]
    pub(super) fn event(&self) -> &'static str {
        self.event
    }

    /// The body that is sent, the same at every try.
    pub(super) fn into_body(
        mut self,
        app_id: u32,
        secret: Option<&SecretString>,
        seconds: u64,
        nonce: u64,
    ) -> String {
        let (timestamp, nonce) = (seconds.to_string(), nonce.to_string());
        let secret = secret.map_or("", |secret| secret.expose_secret());
        let signature = hex::encode(signature::sign(secret, &timestamp, &nonce));
        self.fields.insert("event".to_owned(), self.event.into());
        self.number("appid", u64::from(app_id))
            .text("timestamp", timestamp)
            .text("nonce", nonce)
            .text("signature", signature)
            .finish()
    }

    fn finish(self) -> String {
        Value::Object(self.fields).to_string()
    }
}

#[cfg(test)]
mod tests {
    use room_registry::zego::{Event, Notification};

    use super::*;

    #[test]
    fn a_body_is_what_the_library_decodes_with_the_vendors_signature() {
        let told = Told::new("room_create")
            .text("room_id", "r1")
            .number("room_session_id", 858_012_925_204_410_401)
            .digits("room_create_time", 1_470_820_198_000)
            .text("id_name", "tom");
        let body = told.into_body(1, Some(&SecretString::from("secret")), 1_470_820_198, 123_412);
        let notification: Notification = serde_json::from_str(&body).unwrap();
        let signature = notification.signature.unwrap();
        assert_eq!(signature, "5bd59fd62953a8059fb7eaba95720f66d19e4517");
        let Event::Callback(callback) = notification.event else { panic!("{body}") };
        assert_eq!(callback.session_id, "858012925204410401");
    }
}
