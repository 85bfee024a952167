//! Callbacks of the media server, in words of no vendor.
//!
//! The module of a vendor (the first is [`zego`](crate::vendor::zego)) decodes its wire forms into a
//! [`Callback`]. All times in a callback are event times, which the media server stamped.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::id::{RoomId, SessionId, StreamId, StreamSessionId, UserId, UserSessionId};
use crate::model::text::{Role, Text};
use crate::model::time::Timestamp;

/// One callback of the media server: something came or went in one session of a room.
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
    /// The session of the room.
    pub session_id: SessionId,
    /// What came or went.
    pub event: CallbackEvent,
}

impl Callback {
    /// Makes a callback about one session of a room.
    ///
    /// ```
    /// use room_registry::event::RoomClosed;
    /// use room_registry::{Callback, RoomId, SessionId, Timestamp};
    /// let closed = RoomClosed::new(Timestamp::from_secs(9));
    /// let callback = Callback::new(RoomId::new("r1")?, SessionId::new("1")?, closed);
    /// assert_eq!(callback.session_id.as_str(), "1");
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn new(room_id: RoomId, session_id: SessionId, event: impl Into<CallbackEvent>) -> Self {
        Self { room_id, session_id, event: event.into() }
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

/// What came or went, by a [`Callback`].
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
    /// Makes the event with its closing time; the reason can be set after.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    /// The vendor gave a number that has no name here.
    Other(i64),
}

/// A user logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct UserLoggedIn {
    /// The user.
    pub user_id: UserId,
    /// The id of this login.
    pub user_session_id: UserSessionId,
    /// The event time of the login.
    pub login_at: Timestamp,
    /// The counter of logins and logouts in the room; 0 if the vendor tells none.
    pub counter: u64,
    /// The name of the user to show.
    pub user_name: Option<Text>,
    /// What the user is in the room.
    pub role: Option<Role>,
    /// The name of the room to show, if no command gave it one.
    pub room_name: Option<Text>,
}

impl UserLoggedIn {
    /// Makes the event with what orders it; names and role can be set after.
    ///
    /// ```
    /// # use room_registry::event::UserLoggedIn;
    /// # use room_registry::{Timestamp, UserId, UserSessionId};
    /// let login = UserLoggedIn::new(UserId::new("tom")?, UserSessionId::new("7")?, Timestamp::from_secs(1), 1);
    /// assert_eq!(login.counter, 1);
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn new(
        user_id: UserId,
        user_session_id: UserSessionId,
        login_at: Timestamp,
        counter: u64,
    ) -> Self {
        Self {
            user_id,
            user_session_id,
            login_at,
            counter,
            user_name: None,
            role: None,
            room_name: None,
        }
    }
}

/// A user logged out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct UserLoggedOut {
    /// The user.
    pub user_id: UserId,
    /// The id of the login that ended.
    pub user_session_id: UserSessionId,
    /// When that login began, if the vendor tells.
    pub login_at: Option<Timestamp>,
    /// The event time of the logout.
    pub logout_at: Timestamp,
    /// The counter of logins and logouts in the room; 0 if the vendor tells none.
    pub counter: u64,
    /// Why, for the application. It decides nothing.
    pub reason: Option<LogoutReason>,
}

impl UserLoggedOut {
    /// Makes the event with what orders it; the login time and the reason can be set after.
    ///
    /// ```
    /// # use room_registry::event::UserLoggedOut;
    /// # use room_registry::{Timestamp, UserId, UserSessionId};
    /// let logout = UserLoggedOut::new(UserId::new("tom")?, UserSessionId::new("7")?, Timestamp::from_secs(9), 2);
    /// assert_eq!(logout.login_at, None);
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn new(
        user_id: UserId,
        user_session_id: UserSessionId,
        logout_at: Timestamp,
        counter: u64,
    ) -> Self {
        Self { user_id, user_session_id, login_at: None, logout_at, counter, reason: None }
    }

    /// Adds when the login began.
    ///
    /// ```
    /// # use room_registry::event::UserLoggedOut;
    /// # use room_registry::{Timestamp, UserId, UserSessionId};
    /// let logout = UserLoggedOut::new(UserId::new("tom")?, UserSessionId::new("7")?, Timestamp::from_secs(9), 2)
    ///     .login_at(Timestamp::from_secs(1));
    /// assert_eq!(logout.login_at, Some(Timestamp::from_secs(1)));
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn login_at(mut self, login_at: Timestamp) -> Self {
        self.login_at = Some(login_at);
        self
    }
}

/// Why a login ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum LogoutReason {
    /// The user left.
    Normal,
    /// The heartbeat to the media server timed out.
    HeartbeatTimeout,
    /// The connection was lost.
    ConnectionLost,
    /// The user logged in again elsewhere, or was kicked out.
    KickedOut,
    /// The token expired.
    TokenExpired,
    /// The vendor gave a number that has no name here.
    Other(i64),
}

/// A stream was created, or published again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct StreamCreated {
    /// The stream.
    pub stream_id: StreamId,
    /// The id of this opening of the stream.
    pub stream_session_id: StreamSessionId,
    /// The event time of the creation.
    pub created_at: Timestamp,
    /// The counter of stream changes in the room. If the vendor tells none, the time orders streams
    /// in its place.
    pub counter: Option<u64>,
    /// What readers see of the stream.
    pub details: StreamDetails,
}

impl StreamCreated {
    /// Makes the event with what orders it; the details can be set after.
    ///
    /// ```
    /// # use room_registry::event::StreamCreated;
    /// # use room_registry::{StreamId, StreamSessionId, Timestamp};
    /// let created = StreamCreated::new(
    ///     StreamId::new("camera")?,
    ///     StreamSessionId::new("s-1")?,
    ///     Timestamp::from_secs(1),
    ///     Some(1),
    /// );
    /// assert_eq!(created.details.title, None);
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn new(
        stream_id: StreamId,
        stream_session_id: StreamSessionId,
        created_at: Timestamp,
        counter: Option<u64>,
    ) -> Self {
        Self {
            stream_id,
            stream_session_id,
            created_at,
            counter,
            details: StreamDetails::default(),
        }
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
    /// HTTP-FLV (`hdl_url` on the wire of the first vendor).
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
    /// The id of the opening that ended.
    pub stream_session_id: StreamSessionId,
    /// When the stream was created, if the vendor tells.
    pub created_at: Option<Timestamp>,
    /// The event time of the closing.
    pub closed_at: Timestamp,
    /// The counter of stream changes in the room; see [`StreamCreated::counter`].
    pub counter: Option<u64>,
    /// Why, for the application. It decides nothing.
    pub reason: Option<StreamCloseReason>,
}

impl StreamClosed {
    /// Makes the event with what orders it; the creation time and the reason can be set after.
    ///
    /// ```
    /// # use room_registry::event::StreamClosed;
    /// # use room_registry::{StreamId, StreamSessionId, Timestamp};
    /// let closed = StreamClosed::new(
    ///     StreamId::new("camera")?,
    ///     StreamSessionId::new("s-1")?,
    ///     Timestamp::from_secs(9),
    ///     Some(2),
    /// );
    /// assert_eq!(closed.created_at, None);
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn new(
        stream_id: StreamId,
        stream_session_id: StreamSessionId,
        closed_at: Timestamp,
        counter: Option<u64>,
    ) -> Self {
        Self { stream_id, stream_session_id, created_at: None, closed_at, counter, reason: None }
    }

    /// Adds when the stream was created.
    ///
    /// ```
    /// # use room_registry::event::StreamClosed;
    /// # use room_registry::{StreamId, StreamSessionId, Timestamp};
    /// let (id, session) = (StreamId::new("camera")?, StreamSessionId::new("s-1")?);
    /// let closed = StreamClosed::new(id, session, Timestamp::from_secs(9), Some(2))
    ///     .created_at(Timestamp::from_secs(1));
    /// assert_eq!(closed.created_at, Some(Timestamp::from_secs(1)));
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn created_at(mut self, created_at: Timestamp) -> Self {
        self.created_at = Some(created_at);
        self
    }
}

/// Why a stream closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    /// The vendor gave a number that has no name here.
    Other(i64),
}
