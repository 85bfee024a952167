//! What the media server tells, in words of no vendor.
//!
//! A vendor's module (the first is [`zego`](crate::zego)) decodes its own wire forms into a
//! [`Callback`]. All times in it are *theirs*: stamped by the media server, unix milliseconds.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::id::{RoomId, SessionId, StreamId, StreamSessionId, UserId, UserSessionId};
use crate::model::text::{Role, Text};
use crate::model::time::Timestamp;

/// One callback of the media server: in one life of one room, something came or went.
///
/// # Example
///
/// ```
/// use room_registry::{Callback, RoomCreated, RoomId, SessionId, Timestamp};
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
    /// Which life of the room.
    pub session_id: SessionId,
    /// What came or went.
    pub event: CallbackEvent,
}

impl Callback {
    /// A callback about one life of a room.
    ///
    /// ```
    /// use room_registry::{Callback, RoomClosed, RoomId, SessionId, Timestamp};
    /// let closed = RoomClosed::new(Timestamp::from_secs(9));
    /// let callback = Callback::new(RoomId::new("r1")?, SessionId::new("1")?, closed);
    /// assert_eq!(callback.session_id.as_str(), "1");
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn new(room_id: RoomId, session_id: SessionId, event: impl Into<CallbackEvent>) -> Self {
        Self { room_id, session_id, event: event.into() }
    }

    /// The latest time stamped in it, which the future guard looks at.
    ///
    /// ```
    /// use room_registry::{Callback, RoomClosed, RoomId, SessionId, Timestamp};
    /// let closed = RoomClosed::new(Timestamp::from_secs(9));
    /// let callback = Callback::new(RoomId::new("r1")?, SessionId::new("1")?, closed);
    /// assert_eq!(callback.latest_time(), Timestamp::from_secs(9));
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn latest_time(&self) -> Timestamp {
        match &self.event {
            CallbackEvent::RoomCreated(event) => event.created_at,
            CallbackEvent::RoomClosed(event) => event.closed_at,
            CallbackEvent::UserLoggedIn(event) => event.login_at,
            CallbackEvent::UserLoggedOut(event) => {
                event.logout_at.max(event.login_at.unwrap_or_default())
            }
            CallbackEvent::StreamCreated(event) => event.created_at,
            CallbackEvent::StreamClosed(event) => {
                event.closed_at.max(event.created_at.unwrap_or_default())
            }
        }
    }
}

/// What a [`Callback`] tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum CallbackEvent {
    /// A life of the room began.
    RoomCreated(RoomCreated),
    /// A life of the room ended.
    RoomClosed(RoomClosed),
    /// A user came.
    UserLoggedIn(UserLoggedIn),
    /// A user went.
    UserLoggedOut(UserLoggedOut),
    /// A stream came, or was published again.
    StreamCreated(StreamCreated),
    /// A stream went.
    StreamClosed(StreamClosed),
}

impl CallbackEvent {
    /// Whether something went.
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

/// A life of the room began.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct RoomCreated {
    /// When, in their time.
    pub created_at: Timestamp,
    /// Who created it; the host of a room that no command created.
    pub creator_id: Option<UserId>,
}

impl RoomCreated {
    /// With a creation time.
    ///
    /// ```
    /// # use room_registry::{RoomCreated, Timestamp};
    /// assert_eq!(RoomCreated::new(Timestamp::from_secs(1)).creator_id, None);
    /// ```
    #[must_use]
    pub fn new(created_at: Timestamp) -> Self {
        Self { created_at, creator_id: None }
    }

    /// Names the creator.
    ///
    /// ```
    /// # use room_registry::{RoomCreated, Timestamp, UserId};
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

/// A life of the room ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct RoomClosed {
    /// When, in their time.
    pub closed_at: Timestamp,
    /// Why. Told to the application; decides nothing.
    pub reason: Option<RoomCloseReason>,
}

impl RoomClosed {
    /// With a closing time.
    ///
    /// ```
    /// # use room_registry::{RoomClosed, Timestamp};
    /// assert_eq!(RoomClosed::new(Timestamp::from_secs(1)).reason, None);
    /// ```
    #[must_use]
    pub fn new(closed_at: Timestamp) -> Self {
        Self { closed_at, reason: None }
    }
}

/// Why a life of a room ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum RoomCloseReason {
    /// It was left or closed.
    Normal,
    /// The last user's heartbeat (to the media server) timed out.
    HeartbeatTimeout,
    /// The last user lost the connection.
    WentOffline,
    /// The last user was kicked out.
    KickedOut,
    /// A number that has no name here.
    Other(i64),
}

/// A user came.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct UserLoggedIn {
    /// Who.
    pub user_id: UserId,
    /// The name of this one login.
    pub user_session_id: UserSessionId,
    /// When, in their time.
    pub login_at: Timestamp,
    /// The room's counter of logins and logouts; 0 where the vendor tells none.
    pub counter: u64,
    /// The user's name to show.
    pub user_name: Option<Text>,
    /// What the user is in the room.
    pub role: Option<Role>,
    /// The room's name to show, where no command gave it one.
    pub room_name: Option<Text>,
}

impl UserLoggedIn {
    /// With what orders it; names and role can be set after.
    ///
    /// ```
    /// # use room_registry::{Timestamp, UserId, UserLoggedIn, UserSessionId};
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

/// A user went.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct UserLoggedOut {
    /// Who.
    pub user_id: UserId,
    /// Which login ended.
    pub user_session_id: UserSessionId,
    /// When that login began, where the payload tells.
    pub login_at: Option<Timestamp>,
    /// When it ended, in their time.
    pub logout_at: Timestamp,
    /// The room's counter of logins and logouts; 0 where the vendor tells none.
    pub counter: u64,
    /// Why. Told to the application; decides nothing.
    pub reason: Option<LogoutReason>,
}

impl UserLoggedOut {
    /// With what orders it; the login time and the reason can be set after.
    ///
    /// ```
    /// # use room_registry::{Timestamp, UserId, UserLoggedOut, UserSessionId};
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

    /// Tells when the login began.
    ///
    /// ```
    /// # use room_registry::{Timestamp, UserId, UserLoggedOut, UserSessionId};
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
    /// Logged in again elsewhere, or kicked out.
    KickedOut,
    /// The token expired.
    TokenExpired,
    /// A number that has no name here.
    Other(i64),
}

/// A stream came, or was published again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct StreamCreated {
    /// Which stream.
    pub stream_id: StreamId,
    /// The name of this one life of the stream.
    pub stream_session_id: StreamSessionId,
    /// When, in their time.
    pub created_at: Timestamp,
    /// The room's counter of stream changes. Streams of a vendor without counters are ordered by
    /// time in the counter's place.
    pub counter: Option<u64>,
    /// What the stream shows to readers.
    pub details: StreamDetails,
}

impl StreamCreated {
    /// With what orders it; the details can be set after.
    ///
    /// ```
    /// # use room_registry::{StreamCreated, StreamId, StreamSessionId, Timestamp};
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

/// What a stream shows to readers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct StreamDetails {
    /// Who publishes it.
    pub publisher_id: Option<UserId>,
    /// The publisher's name to show.
    pub publisher_name: Option<Text>,
    /// The stream's title.
    pub title: Option<Text>,
    /// What the publishing client added.
    pub extra_info: Option<Text>,
    /// Where it can be played.
    pub playback: PlaybackUrls,
}

/// Where a stream can be played, a list for each protocol, as the vendor tells them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct PlaybackUrls {
    /// RTMP.
    pub rtmp: Vec<Text>,
    /// HLS.
    pub hls: Vec<Text>,
    /// HTTP-FLV (`hdl_url` on the first vendor's wire).
    pub flv: Vec<Text>,
    /// Snapshots, as pictures.
    pub pictures: Vec<Text>,
}

/// A stream went.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct StreamClosed {
    /// Which stream.
    pub stream_id: StreamId,
    /// Which life of it.
    pub stream_session_id: StreamSessionId,
    /// When it came, where the payload tells.
    pub created_at: Option<Timestamp>,
    /// When it went, in their time.
    pub closed_at: Timestamp,
    /// The room's counter of stream changes; see [`StreamCreated::counter`].
    pub counter: Option<u64>,
    /// Why. Told to the application; decides nothing.
    pub reason: Option<StreamCloseReason>,
}

impl StreamClosed {
    /// With what orders it; the creation time and the reason can be set after.
    ///
    /// ```
    /// # use room_registry::{StreamClosed, StreamId, StreamSessionId, Timestamp};
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

    /// Tells when the stream came.
    ///
    /// ```
    /// # use room_registry::{StreamClosed, StreamId, StreamSessionId, Timestamp};
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

/// Why a stream went.
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
    /// Closed through the media server's API.
    ClosedByServer,
    /// A number that has no name here.
    Other(i64),
}
