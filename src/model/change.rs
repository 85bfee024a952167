//! What a call made different.

#[cfg(feature = "serde")]
mod form;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::callback::{LogoutReason, StreamCloseReason};
use crate::model::id::{RoomId, SessionId, StreamId, UserId};
use crate::model::named::{named_enum, print_name, tagged_enum};
use crate::model::suspicion::{Sign, SuspectedList, Suspicion};
use crate::model::text::RemovalReason;
use crate::model::time::Timestamp;
use crate::model::visible::{RoomInfo, Session, Stream, User};

/// One thing that became visible, looks different, or stopped being visible.
///
/// A [`Mirror`](crate::Mirror) that applies all changes of a call, in order, shows exactly what is
/// visible after the call.
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
///
/// In JSON and other human-readable formats a change is flat, and its `kind` says what `value` is. A
/// [`ChangeKind`] without a value has none. Binary formats keep the enum.
///
/// ```
/// # #[cfg(feature = "serde")] {
/// use room_registry::{Config, ManualClock, NewRoom, RoomRegistry};
/// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
/// registry.create_room(NewRoom::new("r1", "tom"))?;
/// registry.end_room("r1")?;
/// let change = registry.changes().next().unwrap();
/// let line = r#"{"room_id":"r1","cause":"command","kind":"room_unlisted"}"#;
/// assert_eq!(serde_json::to_string(&change).unwrap(), line);
/// # }
/// # Ok::<(), room_registry::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Returns the room.
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

named_enum! {
    /// Why something changed.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Cause {
        /// The application gave a command.
        Command = "command",
        /// The media server sent a callback.
        Callback = "callback",
        /// An observation mended what lost callbacks had left wrong.
        Repaired = "repaired",
        /// A heartbeat did not come in time.
        HeartbeatTimeout = "heartbeat_timeout",
        /// The lifecycle of the room ended it.
        Lifecycle = "lifecycle",
        /// A room that no command created was empty for the
        /// [empty listing time](crate::ConfigBuilder::empty_listing_time).
        EmptyRoom = "empty_room",
        /// The local clock went back, and local times that lay in its future were pulled back.
        ClockSetBack = "clock_set_back",
        /// A room was imported, merged or removed.
        Import = "import",
    }

    /// Returns the name of the cause, as it is stored and printed.
    ///
    /// ```
    /// # use room_registry::Cause;
    /// assert_eq!(Cause::HeartbeatTimeout.name(), "heartbeat_timeout");
    /// ```
    fn name(Self);
}

print_name!(Cause);

tagged_enum! {
    /// What became different.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum ChangeKind("ChangeKind", TaggedKind, PlainKind) {
        /// The room came into the list. It has no users and streams yet: the changes that follow
        /// bring them.
        RoomListed {
            /// What commands set for the room.
            info: Option<RoomInfo>,
            /// The visible session.
            session: Option<Session>,
        } = "room_listed",
        /// The business info of the room is different.
        RoomUpdated {
            /// What commands set for the room.
            info: Option<RoomInfo>,
        } = "room_updated",
        /// The room left the list, with all its users and streams.
        RoomUnlisted = "room_unlisted",
        /// A session of the room became visible. It has no users and streams yet: the changes that
        /// follow bring them.
        SessionOpened(Session) = "session_opened",
        /// The visible session looks different.
        SessionUpdated(Session) = "session_updated",
        /// The session is no longer visible.
        ///
        /// This one change also takes away the streams of the session, and the logins and presences
        /// of its users. Users without a membership leave with it.
        SessionClosed {
            /// The session.
            session_id: Option<SessionId>,
        } = "session_closed",
        /// A user came into the list of the room.
        UserJoined(User) = "user_joined",
        /// A user looks different, or gained or lost one of the two facets.
        UserUpdated(User) = "user_updated",
        /// A user left the list of the room.
        UserLeft {
            /// The user.
            user_id: UserId,
            /// When: in event time if a callback or an observation reported it, else in local time.
            at: Timestamp,
            /// Why.
            reason: EndReason,
        } = "user_left",
        /// A stream became visible.
        StreamOpened(Stream) = "stream_opened",
        /// A stream looks different.
        StreamUpdated(Stream) = "stream_updated",
        /// A stream is no longer visible.
        StreamClosed {
            /// The stream.
            stream_id: StreamId,
            /// When: in event time if a callback or an observation reported it, else in local time.
            at: Timestamp,
            /// Why.
            reason: EndReason,
        } = "stream_closed",
        /// A callback of the visible session seems to be lost, or a suspicion that was raised
        /// before looks different.
        SuspicionRaised(Suspicion) = "suspicion_raised",
        /// A suspicion no longer holds.
        SuspicionWithdrawn {
            /// The list that the suspicion was about.
            list: SuspectedList,
            /// The sign that had raised it.
            sign: Sign,
        } = "suspicion_withdrawn",
    }

    /// Returns the name of the kind, as it is stored, without what the kind carries.
    ///
    /// ```
    /// # use room_registry::ChangeKind;
    /// assert_eq!(ChangeKind::RoomUnlisted.name(), "room_unlisted");
    /// ```
    fn name(&Self);
}

/// Why a user or a stream is gone.
///
/// [`ChangeKind::UserLeft`] and [`ChangeKind::StreamClosed`] carry it, and so does a
/// [`Visit`](crate::Visit).
///
/// In JSON it is the name of the variant in snake case. A variant that carries something is an object with the
/// name as its key: `"left"`, `{"logged_out":"kicked_out"}`, `{"removed":"spam"}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum EndReason {
    /// A callback reported that the user logged out, and why, if the vendor says so.
    LoggedOut(Option<LogoutReason>),
    /// A callback reported that the stream closed, and why, if the vendor says so.
    StreamClosed(Option<StreamCloseReason>),
    /// The application let the user leave.
    Left,
    /// The application removed the user, for this reason.
    Removed(RemovalReason),
    /// The heartbeats to the application stopped.
    HeartbeatTimeout,
    /// The lifecycle of the room ended it.
    Lifecycle,
    /// The media server closed the session, or the application ended the room.
    RoomClosed,
    /// A later login, stream or session took its place, and no closing reported the end.
    Superseded,
    /// An observation did not find the user or stream.
    Absent,
    /// A replica that was merged, or the store that a room came from, knew of the end.
    Imported,
}

impl EndReason {
    /// Tells whether the end was deliberate. It was if the user left, was kicked out or logged in
    /// elsewhere, if the room closed, or if the application asked for it. Lost connections, timeouts, and
    /// unknown reasons are not deliberate. [`Debounce`](crate::Debounce) holds back those alone.
    ///
    /// ```
    /// use room_registry::EndReason;
    /// use room_registry::event::LogoutReason;
    /// assert!(EndReason::LoggedOut(Some(LogoutReason::Normal)).is_deliberate());
    /// assert!(!EndReason::LoggedOut(Some(LogoutReason::ConnectionLost)).is_deliberate());
    /// assert!(!EndReason::LoggedOut(None).is_deliberate());
    /// ```
    #[must_use]
    pub fn is_deliberate(&self) -> bool {
        match self {
            Self::LoggedOut(reason) => {
                matches!(reason, Some(LogoutReason::Normal | LogoutReason::KickedOut))
            }
            Self::StreamClosed(reason) => matches!(
                reason,
                Some(
                    StreamCloseReason::Normal
                        | StreamCloseReason::LoggedInAgain
                        | StreamCloseReason::KickedOut
                        | StreamCloseReason::RoomCleared
                        | StreamCloseReason::ClosedByServer
                )
            ),
            Self::Left
            | Self::Removed(_)
            | Self::Lifecycle
            | Self::RoomClosed
            | Self::Superseded => true,
            Self::HeartbeatTimeout | Self::Absent | Self::Imported => false,
        }
    }
}
