//! Decodes the wire forms of ZEGOCLOUD, as its public documentation has them in 2026.
//!
//! A callback is an HTTP POST whose body is JSON. Decode it with any serde format that reads JSON. A
//! [`Decoder`] adds options. With the feature `json` it takes the bytes of the request:
//!
//! ```
//! use room_registry::vendor::zego;
//! use room_registry::{Config, ManualClock, Outcome, RoomRegistry, Timestamp};
//!
//! let clock = ManualClock::at(Timestamp::from_millis(1_763_596_801_000));
//! let mut registry = RoomRegistry::with_clock(Config::default(), clock);
//! let body = br#"{
//!     "event": "room_create", "appid": 1, "timestamp": 1763596800, "nonce": "350176",
//!     "signature": "signature", "room_id": "room1", "room_session_id": 858012925204410401,
//!     "room_create_time": "1763596800027", "id_name": "tom"
//! }"#;
//! match serde_json::from_slice::<zego::Event>(body)? {
//!     zego::Event::Callback(callback) => {
//!         assert_eq!(registry.apply_callback(&callback), Outcome::Applied);
//!     }
//!     zego::Event::Other(name) => println!("not about rooms, users or streams: {name}"),
//!     _ => {}
//! }
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! | event | room session | subject | its session | time (unix ms) | counter |
//! |---|---|---|---|---|---|
//! | `room_create` | `room_session_id` | `id_name`: the creator | | `room_create_time` | |
//! | `room_close` | `room_session_id` | | | `room_close_time` | |
//! | `room_login` | `room_seq` | `user_account` | `session_id` | `login_time` | `user_update_seq` |
//! | `room_logout` | `room_seq` | `user_account` | `session_id` | `logout_time`, `login_time` | `user_update_seq` |
//! | `stream_create` | `room_session_id` | `stream_id`, `user_id` | `stream_sid` | `create_time_ms` | `stream_seq` |
//! | `stream_close` | `room_session_id` | `stream_id` | `stream_sid` | `destroy_timemillis`, `create_time_ms` | `stream_seq` |
//!
//! - `room_session_id` and `room_seq` name the same thing, and so do `stream_id` and
//!   `stream_alias`. The decoder reads either in every event.
//! - Every number may come as a JSON number or as text, with leading zeros. Session ids exceed
//!   2^53, and never go through a float. All-digit ones lose their leading zeros, so that the number
//!   and the text are the same session. Other ids stay as they are; a number becomes its digits.
//! - A negative session id is refused, as a number and as text. It went through a signed number, so
//!   it is not the session that other events name.
//! - The decoder skips unknown fields, and keeps unknown reasons and roles as their numbers. A
//!   reason that is no number reads as none. An unknown event is [`Event::Other`], whatever its
//!   fields hold.
//! - Events of the vendor's other products are [`Event::Other`], too. An error would make the vendor
//!   send them again. The chat product has a `room_create` of its own, with `operator_account` and
//!   with neither a session nor a time. The AI agent names its events in `Event`. The cloud recording
//!   numbers them in `event_type`.
//! - If an id, a session or the time of the event is missing, the error names the event and the
//!   field. Only `id_name`, and the opening time in an event that ends something, may be missing. A
//!   missing counter is none.
//! - A `session_id` of 0 is no id. Such a login or logout has no name, so the event time tells what is
//!   the last of its user. `user_update_seq` counts the room, so it orders no user. `stream_seq` is
//!   both the order of a stream's events and the counter of the room's streams.
//! - A malformed id, counter or time is an error, even in a field that may be missing. The vendor then
//!   tries again, which is better than a guess. A float is malformed, whole or not.
//! - `null` and `""` count as missing, but an id that must be there and is `""` is refused as empty.
//!   The last value of a field counts.
//!
//! The decoder reads a body in one pass and does not recurse. From a slice or a `str` it borrows
//! text, and allocates only what the callback keeps. From a reader it first copies text of over 24
//! bytes. It does not shorten names, titles and addresses, so limit what you accept over HTTP: no
//! callback comes near 64 KiB.
//!
//! The signature covers the timestamp and the nonce, not the body: see [`Notification`].
//!
//! # How to answer
//!
//! | what came | answer |
//! |---|---|
//! | a callback, whatever its [`Outcome`](crate::Outcome); [`Event::Other`] | 2xx, as soon as it is safely yours |
//! | a body that does not decode, or a signature that is wrong | 4xx; log the error, which names the field |
//! | your store failed, or too many requests wait | 503 |
//!
//! The vendor does not read the body of the answer. After no answer, or any but 2xx, it sends the callback
//! again, up to five times. The pauses are 2, 4, 8, 16 and 32 s.
//!
//! # From the bytes of a request
//!
//! The vendor percent-encodes some bodies, and sends forms on request. Some servers and proxies add a
//! byte order mark, which JSON crates refuse. With the feature `json`, `Decoder::decode` takes the
//! bytes in each of these forms.
//!
//! # Traps
//!
//! - **A session id that went through a JavaScript number matches nothing.** These ids are larger than
//!   2^53, and JavaScript rounds what is larger: 858012925204410401 becomes 858012925204410400. JavaScript
//!   that parses the body and writes it again rounds `room_session_id` in `room_create` and `room_close`.
//!   There it is a JSON number. In logins it is text and stays as it was. So the room has two sessions: the
//!   rounded one never sees its logins and streams, and its close ends none of them. Hand on the bytes as
//!   they came. Other languages round, too, if they parse numbers as floats.
//! - **A room that your server closes by `CloseRoom` may never be told as closed.** Call it with
//!   `RoomCloseCallback: true`. The default is *false*: the logouts and the ends of the streams come,
//!   and `room_close` never does. Nothing is lost, so no retry helps. A room that no command created
//!   leaves the list after the [empty listing time](crate::ConfigBuilder::empty_listing_time). One that
//!   a command created ends by its [`Lifecycle`](crate::Lifecycle), or stays listed until your
//!   application [ends](crate::RoomRegistry::end_room) it.
//! - **With the Express SDK, everybody is a host.** [`Decoder::ignore_user_role`] says when to use it.
//!
//! # Asking
//!
//! An [`Observation`](crate::Observation) mends what lost callbacks leave wrong. The application
//! asks the server of the vendor, and these types decode its answers:
//!
//! | question | answer | what it tells |
//! |---|---|---|
//! | `DescribeUserList` | [`UserPage`], with [`RoomAnswers`] | who is in the room and who is not; that an empty room is closed |
//! | `DescribeSimpleStreamList` | [`StreamList`], with [`RoomAnswers`] | which streams there are and which not |
//! | `DescribeUsers` | [`UserStatuses`] | that some users are in the room, or that there is no room |
//! | `DescribeUserNum` | [`UserCounts`] | which of ten rooms are open and which are empty |
//!
//! The codes 104, 5024 and 50001 all say that there is no such room. [`RoomAnswers`] and
//! [`UserStatuses`] take that as an answer: the room is not open.

mod answer;
mod any;
mod body;
#[cfg(feature = "json")]
mod bytes;
mod code;
mod decode;
mod decoder;
mod event;
mod payload;
mod problem;
mod room_answers;
mod scalar;

use serde::{Deserialize, Deserializer, de};

use crate::model::text::Text;
use crate::model::time::Timestamp;
pub use answer::{
    Answer, Failure, StreamList, UserCount, UserCounts, UserPage, UserStatus, UserStatuses,
};
use body::Body;
#[cfg(feature = "json")]
pub use bytes::DecodeError;
pub use decoder::{Decode, Decoder};
pub use event::Event;
use payload::{Field, Payload};
pub use room_answers::RoomAnswers;

/// The body of a callback, with what its signature covers.
///
/// Other products of the vendor may sign in other fields; these are then `None`.
///
/// The vendor sorts and joins the callback secret, `timestamp` and `nonce`, and signs with SHA-1, as
/// lower-case hex. The signature does not cover the body. So a verifier also needs a window on the
/// timestamp, and a memory of the nonces within it. The application verifies: this crate holds no
/// secrets. `examples/room-service/src/signature.rs`
/// [in the repository](crate::guide#files) does all of this, to copy.
///
/// # Example
///
/// ```
/// use room_registry::vendor::zego::Notification;
/// use room_registry::Timestamp;
///
/// let body = r#"{"event":"ping","timestamp":"1763596800","nonce":"350176","signature":"5bd5"}"#;
/// let notification: Notification = serde_json::from_str(body)?;
/// assert_eq!(notification.timestamp, Some(Timestamp::from_secs(1_763_596_800)));
/// assert_eq!(notification.nonce.unwrap(), "350176");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notification {
    /// The event.
    pub event: Event,
    /// When the vendor sent the callback, in unix seconds on the wire. `None` if it is missing or no
    /// number.
    pub timestamp: Option<Timestamp>,
    /// The nonce, as text.
    pub nonce: Option<Text>,
    /// The signature, as lower-case hex. Not printed by `Debug`.
    pub signature: Option<Text>,
}

impl decoder::sealed::Read for Notification {
    fn read<'de, D: Deserializer<'de>>(body: D, decoder: Decoder) -> Result<Self, D::Error> {
        let mut payload = Payload::empty();
        payload.fill(body)?;
        let mut body = Body { name: "callback", fields: &mut payload.values };
        let timestamp = body.optional_number(Field::Timestamp).ok().flatten();
        let (nonce, signature) = (body.text(Field::Nonce), body.text(Field::Signature));
        let event = decode::event(&mut payload, decoder).map_err(de::Error::custom)?;
        Ok(Self { event, timestamp: timestamp.map(Timestamp::from_secs), nonce, signature })
    }
}

impl<'de> Deserialize<'de> for Notification {
    fn deserialize<D: Deserializer<'de>>(body: D) -> Result<Self, D::Error> {
        Decoder::new().deserialize(body)
    }
}

impl std::fmt::Debug for Notification {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notification")
            .field("event", &self.event)
            .field("timestamp", &self.timestamp)
            .field("nonce", &self.nonce)
            .finish_non_exhaustive()
    }
}
