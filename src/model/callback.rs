//! Callbacks of the media server, in words of no vendor.
//!
//! The module of a vendor (the first is [`zego`](crate::vendor::zego)) decodes its wire forms into a
//! [`Callback`]. All times in a callback are event times, which the media server stamped.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::id::{RoomId, SessionId, UserId};
use crate::model::text::Text;
use crate::model::time::Timestamp;

mod stay;
mod stream;
mod user;

pub use stream::{PlaybackUrls, StreamCloseReason, StreamClosed, StreamCreated, StreamDetails};
pub use user::{LogoutReason, UserDetails, UserLoggedIn, UserLoggedOut};

/// One callback from the media server: something came or went in one session of a room.
///
/// # Example
///
/// ```
/// use room_registry::event::RoomCreated;
/// use room_registry::{Callback, RoomId, SessionId, Timestamp};
///
/// let callback = Callback::new(
///     RoomId::new("r1")?,
///     SessionId::new("858012925204410401")?,
///     RoomCreated::new(Timestamp::from_millis(1_763_596_800_027)),
/// );
/// assert_eq!(callback.room_id.as_str(), "r1");
/// # Ok::<(), room_registry::IdError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Callback {
    /// The room.
    pub room_id: RoomId,
    /// The session of the room; `None` if the media server does not name it. All callbacks of a room that
    /// name none belong to one session, the nameless one: section 21 of [`rules`](crate::guide::rules).
    #[cfg_attr(feature = "serde", serde(default))]
    pub session_id: Option<SessionId>,
    /// What came or went.
    pub event: CallbackEvent,
}

impl Callback {
    /// Makes a callback about one session of a room, or about the one that has no name.
    ///
    /// ```
    /// use room_registry::event::RoomClosed;
    /// use room_registry::{Callback, RoomId, SessionId, Timestamp};
    /// let closed = RoomClosed::new(Timestamp::from_secs(9));
    /// let callback = Callback::new(RoomId::new("r1")?, SessionId::new("1")?, closed);
    /// assert_eq!(callback.session_id.unwrap(), "1");
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn new(
        room_id: RoomId,
        session_id: impl Into<Option<SessionId>>,
        event: impl Into<CallbackEvent>,
    ) -> Self {
        Self { room_id, session_id: session_id.into(), event: event.into() }
    }

    /// Returns the latest event time in the callback. The future guard looks at it.
    ///
    /// ```
    /// use room_registry::event::RoomClosed;
    /// use room_registry::{Callback, RoomId, SessionId, Timestamp};
    /// let closed = RoomClosed::new(Timestamp::from_secs(9));
    /// let callback = Callback::new(RoomId::new("r1")?, SessionId::new("1")?, closed);
    /// assert_eq!(callback.latest_time(), Timestamp::from_secs(9));
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    #[inline]
    pub fn latest_time(&self) -> Timestamp {
        let opened_at = match &self.event {
            CallbackEvent::UserLoggedOut(event) => event.login_at,
            CallbackEvent::StreamClosed(event) => event.created_at,
            CallbackEvent::RoomCreated(_)
            | CallbackEvent::RoomClosed(_)
            | CallbackEvent::UserLoggedIn(_)
            | CallbackEvent::StreamCreated(_) => None,
        };
        self.event.at().max(opened_at.unwrap_or_default())
    }
}

/// What came or went, as a [`Callback`] reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum CallbackEvent {
    /// A session of the room opened.
    RoomCreated(RoomCreated),
    /// A session of the room closed.
    RoomClosed(RoomClosed),
    /// A user logged in.
    UserLoggedIn(UserLoggedIn),
    /// A user logged out.
    UserLoggedOut(UserLoggedOut),
    /// A stream was created, or published again.
    StreamCreated(StreamCreated),
    /// A stream closed.
    StreamClosed(StreamClosed),
}

impl CallbackEvent {
    /// Returns the event time when it happened.
    pub(crate) fn at(&self) -> Timestamp {
        match self {
            Self::RoomCreated(event) => event.created_at,
            Self::RoomClosed(event) => event.closed_at,
            Self::UserLoggedIn(event) => event.login_at,
            Self::UserLoggedOut(event) => event.logout_at,
            Self::StreamCreated(event) => event.created_at,
            Self::StreamClosed(event) => event.closed_at,
        }
    }

    /// Whether something ended.
    pub(crate) fn is_closing(&self) -> bool {
        match self {
            Self::RoomClosed(_) | Self::UserLoggedOut(_) | Self::StreamClosed(_) => true,
            Self::RoomCreated(_) | Self::UserLoggedIn(_) | Self::StreamCreated(_) => false,
        }
    }
}

macro_rules! into_event {
    ($($name:ident),*) => {$(
        impl From<$name> for CallbackEvent {
            fn from(event: $name) -> Self {
                Self::$name(event)
            }
        }
    )*};
}
into_event!(RoomCreated, RoomClosed, UserLoggedIn, UserLoggedOut, StreamCreated, StreamClosed);

/// A session of the room opened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct RoomCreated {
    /// The event time of the creation.
    pub created_at: Timestamp,
    /// The user who created the room. A room that no command created has this user as its host.
    pub creator_id: Option<UserId>,
}

impl RoomCreated {
    /// Makes the event with its creation time.
    ///
    /// ```
    /// # use room_registry::event::RoomCreated;
    /// # use room_registry::Timestamp;
    /// assert_eq!(RoomCreated::new(Timestamp::from_secs(1)).creator_id, None);
    /// ```
    #[must_use]
    pub fn new(created_at: Timestamp) -> Self {
        Self { created_at, creator_id: None }
    }

    /// Adds the user who created the room.
    ///
    /// ```
    /// # use room_registry::event::RoomCreated;
    /// # use room_registry::{Timestamp, UserId};
    /// let created = RoomCreated::new(Timestamp::from_secs(1)).creator_id(UserId::new("tom")?);
    /// assert_eq!(created.creator_id.unwrap(), "tom");
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn creator_id(mut self, creator_id: UserId) -> Self {
        self.creator_id = Some(creator_id);
        self
    }
}

/// A session of the room closed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct RoomClosed {
    /// The event time of the closing.
    pub closed_at: Timestamp,
    /// Why, for the application. It decides nothing.
    pub reason: Option<RoomCloseReason>,
}

impl RoomClosed {
    /// Makes the event with its closing time; the reason can be set afterwards.
    ///
    /// ```
    /// # use room_registry::event::RoomClosed;
    /// # use room_registry::Timestamp;
    /// assert_eq!(RoomClosed::new(Timestamp::from_secs(1)).reason, None);
    /// ```
    #[must_use]
    pub fn new(closed_at: Timestamp) -> Self {
        Self { closed_at, reason: None }
    }
}

/// Why a session of a room closed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum RoomCloseReason {
    /// The last user left, or the application closed the room.
    Normal,
    /// The heartbeat of the last user to the media server timed out.
    HeartbeatTimeout,
    /// The last user lost the connection.
    WentOffline,
    /// The last user was kicked out.
    KickedOut,
    /// The vendor gave a number or a word that has no name here.
    Other(Text),
}
