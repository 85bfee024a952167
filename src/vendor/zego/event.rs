//! What the body of a callback tells.

use crate::model::callback::Callback;
use crate::model::text::Text;

/// What the body of a callback tells.
///
/// # Example
///
/// ```
/// use room_registry::vendor::zego::Event;
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
#[allow(
    clippy::large_enum_variant,
    reason = "nearly every event is a callback, and a box would cost it an allocation. With pointers of 32 bits it is \
              small enough for the lint"
)]
pub enum Event {
    /// The event is about a room, a user or a stream: input for
    /// [`apply_callback`](crate::RoomRegistry::apply_callback).
    Callback(Callback),
    /// Another event, by its name; by its number if it has no name. Answer it as received, so that the
    /// vendor does not try again.
    Other(Text),
}
