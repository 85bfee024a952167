//! Callbacks as they are sent: in the vendor's words, and signed as the vendor signs.

use room_registry::Callback;
use room_registry_world::zego::{Envelope, Style, encode};
use secrecy::{ExposeSecret, SecretString};

use crate::signature;

/// The body of a callback, the same at every try.
pub(super) fn body(
    callback: &Callback,
    app_id: u32,
    secret: Option<&SecretString>,
    seconds: u64,
    nonce: u64,
) -> String {
    let nonce = nonce.to_string();
    let secret = secret.map_or("", |secret| secret.expose_secret());
    let signature = hex::encode(signature::sign(secret, &seconds.to_string(), &nonce));
    let envelope = Envelope { app_id: app_id.into(), timestamp: seconds, nonce, signature };
    encode(callback, &envelope, Style::Vendor).to_string()
}

#[cfg(test)]
mod tests {
    use room_registry::event::RoomCreated;
    use room_registry::vendor::zego::{Event, Notification};
    use room_registry::{RoomId, SessionId, Timestamp, UserId};

    use super::*;

    #[test]
    fn a_body_is_what_the_library_decodes_with_the_vendors_signature() {
        let room_id = RoomId::new("r1").unwrap();
        let session_id = SessionId::new("858012925204410401").unwrap();
        let created = RoomCreated::new(Timestamp::from_millis(1_470_820_198_000));
        let created = created.creator_id(UserId::new("tom").unwrap());
        let callback = Callback::new(room_id, session_id, created);
        let secret = SecretString::from("secret");
        let body = body(&callback, 1, Some(&secret), 1_470_820_198, 123_412);
        let notification: Notification = serde_json::from_str(&body).unwrap();
        let signature = notification.signature.unwrap();
        assert_eq!(signature, "5bd59fd62953a8059fb7eaba95720f66d19e4517");
        let Event::Callback(decoded) = notification.event else { panic!("{body}") };
        assert_eq!(decoded, callback);
    }
}
