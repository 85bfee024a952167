//! The view of a stream, as readers see it.

use std::fmt;

use crate::model::callback::StreamDetails;
use crate::model::id::{StreamId, StreamSessionId, UserId};
use crate::model::text::Attributes;
use crate::model::time::Timestamp;
use crate::model::visible::Stream;
use crate::room::visible::VisibleStream;

/// Documents a stream view's method with an example on one open stream.
macro_rules! stream_example {
    ($assertion:literal) => {
        concat!(
            "```\n",
            "# use room_registry::*;\n",
            "# use room_registry::{event::*, journal::*, page::*, repair::*, visible::*};\n",
            "# let clock = ManualClock::at(Timestamp::from_secs(100));\n",
            "# let mut registry = RoomRegistry::with_clock(Config::default(), clock);\n",
            "let camera = StreamId::new(\"camera\")?;\n",
            "let mut created = StreamCreated::new(camera, Timestamp::from_secs(99))\n",
            "    .stream_session_id(StreamSessionId::new(\"s-1\")?)\n",
            "    .order(1);\n",
            "created.details.publisher_id = Some(UserId::new(\"tom\")?);\n",
            "registry.apply_callback(&Callback::new(RoomId::new(\"r1\")?, SessionId::new(\"7\")?, created));\n",
            "let room = registry.room(\"r1\").unwrap();\n",
            "let stream = room.stream(\"camera\").unwrap();\n",
            $assertion,
            "\n# Ok::<(), room_registry::Error>(())\n",
            "```"
        )
    };
}

/// A stream of a room's list.
///
#[doc = stream_example!("assert_eq!(stream.publisher_id().unwrap(), \"tom\");")]
#[derive(Clone, Copy)]
pub struct StreamRef<'a>(VisibleStream<'a>);

impl<'a> StreamRef<'a> {
    pub(crate) fn new(stream: VisibleStream<'a>) -> Self {
        Self(stream)
    }

    /// Returns its id.
    ///
    #[doc = stream_example!("assert_eq!(stream.id(), \"camera\");")]
    #[must_use]
    pub fn id(self) -> &'a StreamId {
        self.0.id
    }

    /// Returns the media server's name for this life of the stream; `None` if an observation alone knows
    /// it.
    ///
    #[doc = stream_example!("assert_eq!(stream.stream_session_id(), Some(&StreamSessionId::new(\"s-1\")?));")]
    #[must_use]
    pub fn stream_session_id(self) -> Option<&'a StreamSessionId> {
        self.0.stream_session_id()
    }

    /// Returns when it came, or was last published again (event time). It is `None` if an observation
    /// alone knows the stream and gave no time. Such streams come first in order.
    ///
    #[doc = stream_example!("assert_eq!(stream.created_at(), Some(Timestamp::from_secs(99)));")]
    #[must_use]
    pub fn created_at(self) -> Option<Timestamp> {
        self.0.created_at()
    }

    /// Returns the room's counter of stream changes at that moment, or the creation time in milliseconds if
    /// the vendor gives none. It is `None` if an observation alone knows the stream.
    ///
    #[doc = stream_example!("assert_eq!(stream.counter(), Some(1));")]
    #[must_use]
    pub fn counter(self) -> Option<u64> {
        self.0.counter()
    }

    /// Returns who publishes it.
    ///
    #[doc = stream_example!("assert_eq!(stream.publisher_id().unwrap(), \"tom\");")]
    #[must_use]
    pub fn publisher_id(self) -> Option<&'a UserId> {
        self.0.details().publisher_id.as_ref()
    }

    /// Returns what its callback said of it: publisher, title, URLs.
    ///
    #[doc = stream_example!("assert_eq!(stream.details().title, None);")]
    #[must_use]
    pub fn details(self) -> &'a StreamDetails {
        self.0.details()
    }

    /// Returns the application's own attributes.
    ///
    #[doc = stream_example!("assert!(stream.attributes().is_empty());")]
    #[must_use]
    pub fn attributes(self) -> &'a Attributes {
        self.0.attributes
    }

    /// Returns the stream as an owned value. Cost: its texts, addresses and attributes.
    ///
    #[doc = stream_example!("assert_eq!(stream.to_owned().stream_id, \"camera\");")]
    #[must_use]
    pub fn to_owned(self) -> Stream {
        self.0.to_owned()
    }
}

/// Serialises as the [`Stream`](crate::visible::Stream) that [`to_owned`](StreamRef::to_owned) returns.
#[cfg(feature = "serde")]
impl serde::Serialize for StreamRef<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (*self).to_owned().serialize(serializer)
    }
}

impl fmt::Debug for StreamRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamRef")
            .field("id", self.id())
            .field("created_at", &self.created_at())
            .finish()
    }
}
