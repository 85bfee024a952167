//! The wire forms of the first vendor, ZEGOCLOUD, as its public documentation has them in 2026.
//!
//! A callback is an HTTP POST whose body is JSON. Decode it with any serde format that reads JSON:
//!
//! ```
//! use room_registry::{Config, ManualClock, Outcome, RoomRegistry, Timestamp, zego};
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
//! - `room_session_id` and `room_seq` name the same thing, and either is read in every event; so
//!   are `stream_id` and `stream_alias`.
//! - Every number may come as a JSON number or as text, with leading zeros. Session ids exceed
//!   2^53 and never go through a float; all-digit ones lose their leading zeros, so that the number
//!   and the text are the same session. Other ids stay as they are; of a number its digits.
//! - Fields that are not known are passed over; reasons and roles that are not known are kept as
//!   their numbers, and a reason that is no number is none; an event that is not known is
//!   [`Event::Other`], whatever its fields hold.
//! - An id, a session or the event's own time that is missing is an error that names the event and
//!   the field; only `id_name` and the `login_time` and `create_time_ms` of an event that ends
//!   something may be missing. A missing counter is 0 for users and `None` for streams.
//! - A malformed id, counter or time is an error as well, even where it may be missing: to guess
//!   one would be worse than to have the vendor try again. A float is malformed, whole or not.
//! - `null` and `""` are as good as missing, except that an id that must be there and is `""` is
//!   refused as empty. A field that stands twice counts as its last value.
//!
//! A body is read in one pass. From a slice or a `str` its text is borrowed, so that nothing is
//! allocated but what the callback keeps; from a reader, text of over 24 bytes is copied first.
//! Nothing recurses with the body. What is kept of names, titles and addresses is as long as the
//! body has it, so limit what you accept over HTTP: no callback comes near 64 KiB.
//!
//! The signature covers the timestamp and the nonce, not the body: see [`Notification`].
//!
//! # Asking
//!
//! What lost callbacks leave wrong is mended by an [`Observation`](crate::Observation), made of what
//! the vendor's server answers when it is asked. The application asks; answers decode here.
//!
//! | question | answer | what it tells |
//! |---|---|---|
//! | `DescribeUserList` | [`UserPage`], with [`RoomAnswers`] | who is in the room and who is not; of an empty room that it is closed |
//! | `DescribeSimpleStreamList` | [`StreamList`], with [`RoomAnswers`] | which streams there are and which not |
//! | `DescribeUsers` | [`UserStatuses`] | that some users are in the room, or that there is no room |
//! | `DescribeUserNum` | [`UserCounts`] | of ten rooms which are open and which are empty |

mod answer;
mod code;
mod decode;
mod payload;
mod problem;
mod room_answers;
mod scalar;

use serde::{Deserialize, Deserializer, de};

use crate::model::callback::Callback;
use crate::model::text::Text;
use crate::model::time::Timestamp;
pub use answer::{
    Answer, Failure, StreamList, UserCount, UserCounts, UserPage, UserStatus, UserStatuses,
};
use payload::Payload;
pub use room_answers::RoomAnswers;

/// What a callback's body tells.
///
/// # Example
///
/// ```
/// use room_registry::zego::Event;
///
/// let event: Event = serde_json::from_str(r#"{"event":"audio_moderation","level":2}"#)?;
/// assert_eq!(event, Event::Other("audio_moderation".into()));
///
/// let body = r#"{"event":"room_close","room_id":"r1"}"#;
/// let error = serde_json::from_str::<Event>(body).unwrap_err();
/// assert_eq!(error.to_string(), "room_close: field `room_session_id` is missing");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every event is a callback, and a box would cost it an allocation"
)]
pub enum Event {
    /// Something about a room, a user or a stream: input for
    /// [`apply_callback`](crate::RoomRegistry::apply_callback).
    Callback(Callback),
    /// Another event, by its name. To be answered as received, so that the vendor does not try
    /// again.
    Other(Text),
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut payload = Payload::empty();
        payload.fill(deserializer)?;
        decode::event(payload).map_err(de::Error::custom)
    }
}

/// A callback's body with what its signature covers.
///
/// The vendor signs with SHA-1, as lower-case hex, over three strings that are sorted and joined:
/// the callback secret, `timestamp` and `nonce`. The body is not covered, so a verifier also needs a
/// window on the timestamp and a memory of the nonces seen within it. Verifying is the
/// application's: this crate holds no secrets.
///
/// # Example
///
/// ```
/// use room_registry::{Timestamp, zego::Notification};
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
    /// What it tells.
    pub event: Event,
    /// When the vendor sent it; on the wire in unix seconds. `None` where it is missing or no
    /// number.
    pub timestamp: Option<Timestamp>,
    /// The nonce, as text.
    pub nonce: Option<Text>,
    /// The signature, as lower-case hex. Not printed by `Debug`.
    pub signature: Option<Text>,
}

impl<'de> Deserialize<'de> for Notification {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut payload = Payload::empty();
        payload.fill(deserializer)?;
        let (timestamp, nonce, signature) = payload.take_signed();
        let event = decode::event(payload).map_err(de::Error::custom)?;
        Ok(Self { event, timestamp, nonce, signature })
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
