//! What a call made different.

use std::fmt;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::id::{RoomId, SessionId, StreamId, UserId};
use crate::model::suspicion::{Sign, SuspectedList, Suspicion};
use crate::model::visible::{RoomInfo, Session, Stream, User};

/// One thing that became visible, looks different, or stopped being visible.
///
/// The changes of a call, applied in order by a [`Mirror`](crate::Mirror), lead from what was
/// visible before the call to what is visible after it, exactly.
///
/// # Example
///
/// ```
/// use room_registry::{Cause, ChangeKind, Config, ManualClock, NewRoom, RoomRegistry};
///
/// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
/// registry.create_room(NewRoom::new("r1", "tom"))?;
/// let change = registry.changes().next().unwrap();
/// assert_eq!(change.room_id, "r1");
/// assert_eq!(change.cause, Cause::Command);
/// assert!(matches!(change.kind, ChangeKind::RoomListed { .. }));
/// # Ok::<(), room_registry::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Change {
    /// The room.
    pub room_id: RoomId,
    /// Why it changed.
    pub cause: Cause,
    /// What became different.
    pub kind: ChangeKind,
}

impl Change {
    /// The room.
    ///
    /// ```
    /// use room_registry::{Config, ManualClock, NewRoom, RoomRegistry};
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// for change in registry.changes() {
    ///     assert!(registry.room(change.room_id().as_str()).is_some());
    /// }
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    #[must_use]
    pub fn room_id(&self) -> &RoomId {
        &self.room_id
    }
}

/// Why something changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Cause {
    /// A command of the application.
    Command,
    /// A callback of the media server.
    Callback,
    /// An observation that mended what callbacks had lost.
    Repaired,
    /// A heartbeat that did not come in time.
    HeartbeatTimeout,
    /// The room's lifecycle.
    Lifecycle,
    /// Our clock went back, and what lay in the future was pulled back with it.
    ClockSetBack,
    /// A room was imported, merged or removed.
    Import,
}

impl Cause {
    /// The cause's name, as it is stored and printed.
    ///
    /// ```
    /// # use room_registry::Cause;
    /// assert_eq!(Cause::HeartbeatTimeout.name(), "heartbeat_timeout");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Callback => "callback",
            Self::Repaired => "repaired",
            Self::HeartbeatTimeout => "heartbeat_timeout",
            Self::Lifecycle => "lifecycle",
            Self::ClockSetBack => "clock_set_back",
            Self::Import => "import",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What became different.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum ChangeKind {
    /// The room came into the list, so far without users and streams; those that it has follow.
    RoomListed {
        /// What commands made of it.
        info: Option<RoomInfo>,
        /// The session that is visible.
        session: Option<Session>,
    },
    /// The room's business info is another.
    RoomUpdated {
        /// What commands made of it.
        info: Option<RoomInfo>,
    },
    /// The room left the list, with everybody and everything in it.
    RoomUnlisted,
    /// A session of the room became visible, so far without users and streams; those that it has
    /// follow.
    SessionOpened(Session),
    /// The visible session looks different.
    SessionUpdated(Session),
    /// The session is not visible any more, nor are its streams, the logins and presences of its
    /// users, and the users who have nothing else. One change, however many they are.
    SessionClosed {
        /// Which session.
        session_id: Option<SessionId>,
    },
    /// A user came into the room's list.
    UserJoined(User),
    /// A user looks different, or gained or lost one of two facets.
    UserUpdated(User),
    /// A user left the room's list.
    UserLeft {
        /// Who.
        user_id: UserId,
    },
    /// A stream became visible.
    StreamOpened(Stream),
    /// A stream looks different.
    StreamUpdated(Stream),
    /// A stream is not visible any more.
    StreamClosed {
        /// Which stream.
        stream_id: StreamId,
    },
    /// A callback of the visible session seems to be lost, or what seems to be is different now.
    SuspicionRaised(Suspicion),
    /// A suspicion does not hold any more.
    SuspicionWithdrawn {
        /// What it was about.
        list: SuspectedList,
        /// What had told of a loss.
        sign: Sign,
    },
}

impl ChangeKind {
    /// The kind's name, as it is stored; what it carries has no part in it.
    ///
    /// ```
    /// # use room_registry::ChangeKind;
    /// assert_eq!(ChangeKind::RoomUnlisted.name(), "room_unlisted");
    /// ```
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::RoomListed { .. } => "room_listed",
            Self::RoomUpdated { .. } => "room_updated",
            Self::RoomUnlisted => "room_unlisted",
            Self::SessionOpened(_) => "session_opened",
            Self::SessionUpdated(_) => "session_updated",
            Self::SessionClosed { .. } => "session_closed",
            Self::UserJoined(_) => "user_joined",
            Self::UserUpdated(_) => "user_updated",
            Self::UserLeft { .. } => "user_left",
            Self::StreamOpened(_) => "stream_opened",
            Self::StreamUpdated(_) => "stream_updated",
            Self::StreamClosed { .. } => "stream_closed",
            Self::SuspicionRaised(_) => "suspicion_raised",
            Self::SuspicionWithdrawn { .. } => "suspicion_withdrawn",
        }
    }
}
