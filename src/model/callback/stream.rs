//! Events of streams.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::callback::stay::{closing_setters, stay_setters};
use crate::model::id::{StreamId, StreamSessionId, UserId};
use crate::model::text::Text;
use crate::model::time::Timestamp;

/// A stream was created, or published again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct StreamCreated {
    /// The stream.
    pub stream_id: StreamId,
    /// The id of this opening of the stream, if the vendor names openings.
    pub stream_session_id: Option<StreamSessionId>,
    /// The event time of the creation.
    pub created_at: Timestamp,
    /// The counter of stream changes in the session of the room, if the vendor counts them. Its gaps tell
    /// of losses.
    pub counter: Option<u64>,
    /// What orders all events of the stream, if the vendor gives it. The highest is the last.
    pub order: Option<u64>,
    /// Whether the stay excludes others of the stream.
    pub exclusive: bool,
    /// What readers see of the stream.
    pub details: StreamDetails,
}

impl StreamCreated {
    /// Makes the creation of a stream. Without an id and an order, the event time tells which event of
    /// the stream is the last.
    ///
    /// ```
    /// use room_registry::event::StreamCreated;
    /// use room_registry::{StreamId, Timestamp};
    /// let created = StreamCreated::new(StreamId::new("camera")?, Timestamp::from_secs(9));
    /// assert_eq!(created.stream_session_id, None);
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn new(stream_id: StreamId, created_at: Timestamp) -> Self {
        Self {
            stream_id,
            stream_session_id: None,
            created_at,
            counter: None,
            order: None,
            exclusive: true,
            details: StreamDetails::default(),
        }
    }

    /// Sets what readers see of the stream.
    ///
    /// ```
    /// use room_registry::event::{StreamCreated, StreamDetails};
    /// use room_registry::{StreamId, Text, Timestamp};
    /// let mut details = StreamDetails::default();
    /// details.title = Some(Text::from("Camera"));
    /// let created = StreamCreated::new(StreamId::new("camera")?, Timestamp::from_secs(9));
    /// assert_eq!(created.details(details).details.title.unwrap(), "Camera");
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn details(mut self, details: StreamDetails) -> Self {
        self.details = details;
        self
    }
}

/// What readers see of a stream.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct StreamDetails {
    /// The user who publishes the stream.
    pub publisher_id: Option<UserId>,
    /// The name of the publisher to show.
    pub publisher_name: Option<Text>,
    /// The title of the stream.
    pub title: Option<Text>,
    /// Further text from the client that publishes.
    pub extra_info: Option<Text>,
    /// Where the stream can be played.
    pub playback: PlaybackUrls,
}

/// Where a stream can be played: a list of addresses for each protocol, as the vendor gives them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct PlaybackUrls {
    /// RTMP.
    pub rtmp: Vec<Text>,
    /// HLS.
    pub hls: Vec<Text>,
    /// HTTP-FLV (`hdl_url` on ZEGOCLOUD's wire).
    pub flv: Vec<Text>,
    /// Snapshots, as pictures.
    pub pictures: Vec<Text>,
}

/// A stream closed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct StreamClosed {
    /// The stream.
    pub stream_id: StreamId,
    /// The id of the opening that ended, if the vendor names openings.
    pub stream_session_id: Option<StreamSessionId>,
    /// When the stream was created, if the vendor gives it.
    pub created_at: Option<Timestamp>,
    /// The event time of the closing.
    pub closed_at: Timestamp,
    /// The counter of stream changes in the session of the room, if the vendor counts them. Its gaps tell
    /// of losses.
    pub counter: Option<u64>,
    /// What orders all events of the stream, if the vendor gives it. The highest is the last.
    pub order: Option<u64>,
    /// Whether the stay excludes others of the stream.
    pub exclusive: bool,
    /// Why, for the application. It decides nothing.
    pub reason: Option<StreamCloseReason>,
    /// Whether it may come without an opening. Then a missing opening is no sign of loss.
    pub opening_optional: bool,
}

impl StreamClosed {
    /// Makes the closing of a stream. It has to tell the stream session and the order as the creation
    /// does.
    ///
    /// ```
    /// use room_registry::event::StreamClosed;
    /// use room_registry::{StreamId, Timestamp};
    /// let closed = StreamClosed::new(StreamId::new("camera")?, Timestamp::from_secs(9));
    /// assert_eq!(closed.created_at, None);
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn new(stream_id: StreamId, closed_at: Timestamp) -> Self {
        Self {
            stream_id,
            stream_session_id: None,
            created_at: None,
            closed_at,
            counter: None,
            order: None,
            exclusive: true,
            reason: None,
            opening_optional: false,
        }
    }
}

stay_setters!(
    StreamCreated,
    stream_session_id: StreamSessionId,
    "stream changes",
    "use room_registry::event::StreamCreated;\nuse room_registry::*;\nlet event = StreamCreated::new(StreamId::new(\"camera\")?, Timestamp::from_secs(9));"
);
stay_setters!(
    StreamClosed,
    stream_session_id: StreamSessionId,
    "stream changes",
    "use room_registry::event::StreamClosed;\nuse room_registry::*;\nlet event = StreamClosed::new(StreamId::new(\"camera\")?, Timestamp::from_secs(9));"
);
closing_setters!(
    StreamClosed,
    created_at,
    StreamCloseReason,
    "use room_registry::event::StreamClosed;\nuse room_registry::*;\nlet event = StreamClosed::new(StreamId::new(\"camera\")?, Timestamp::from_secs(9));",
    "StreamCloseReason::KickedOut"
);

/// Why a stream closed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum StreamCloseReason {
    /// The user stopped it.
    Normal,
    /// The heartbeat to the media server timed out.
    HeartbeatTimeout,
    /// The same user logged in again.
    LoggedInAgain,
    /// The user was kicked out.
    KickedOut,
    /// The connection was lost.
    ConnectionLost,
    /// The room was cleared.
    RoomCleared,
    /// The application closed it through the API of the media server.
    ClosedByServer,
    /// The vendor gave a number or a word that has no name here.
    Other(Text),
}
