//! What the last call made different.
//!
//! A mutating call notes *who* changed; what became of them is read from the state when somebody
//! asks. So nobody who ignores changes pays for them, and the buffer is used again by the next call.

use std::fmt;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::id::{RoomId, SessionId, StreamId, UserId};
use crate::model::suspicion::{Sign, SuspectedList, Suspicion};
use crate::model::visible::{RoomInfo, Session, Stream, User};
use crate::room::state::RoomState;

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

/// Who changed, before anybody asks what became of them.
#[derive(Debug, Clone)]
struct Record {
    room_id: RoomId,
    cause: Cause,
    who: Who,
}

#[derive(Debug, Clone)]
pub(crate) enum Who {
    RoomListed,
    RoomUpdated,
    RoomUnlisted,
    SessionOpened,
    SessionUpdated,
    SessionClosed(Option<SessionId>),
    UserJoined(UserId),
    UserUpdated(UserId),
    UserLeft(UserId),
    StreamOpened(StreamId),
    StreamUpdated(StreamId),
    StreamClosed(StreamId),
    SuspicionRaised(SuspectedList, Sign),
    SuspicionWithdrawn(SuspectedList, Sign),
}

/// The buffer of one call.
#[derive(Debug, Clone, Default)]
pub(crate) struct ChangeLog(Vec<Record>);

impl ChangeLog {
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Takes back what was noted since there were so many.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn note(&mut self, room_id: &RoomId, cause: Cause, who: Who) {
        self.0.push(Record { room_id: room_id.clone(), cause, who });
    }
}

/// Finds rooms, for those who ask what became of them.
pub(crate) trait FindRoom {
    fn find(&self, room_id: &RoomId) -> Option<&RoomState>;
}

/// The changes of the last mutating call, in the order in which a mirror applies them.
///
/// Made by [`RoomRegistry::changes`](crate::RoomRegistry::changes) and
/// [`Room::changes`](crate::Room::changes). Cost: what is read, is looked up.
#[derive(Clone)]
pub struct Changes<'a> {
    records: std::slice::Iter<'a, Record>,
    rooms: &'a dyn FindRoom,
}

impl<'a> Changes<'a> {
    pub(crate) fn new(log: &'a ChangeLog, rooms: &'a dyn FindRoom) -> Self {
        Self { records: log.0.iter(), rooms }
    }
}

impl Iterator for Changes<'_> {
    type Item = Change;

    fn next(&mut self) -> Option<Change> {
        // A user who joined and left within one call was never there for readers.
        loop {
            let Record { room_id, cause, who } = self.records.next()?;
            if let Some(kind) = what_became_of(who, self.rooms.find(room_id)) {
                return Some(Change { room_id: room_id.clone(), cause: *cause, kind });
            }
        }
    }
}

impl std::iter::FusedIterator for Changes<'_> {}

impl fmt::Debug for Changes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

fn what_became_of(who: &Who, room: Option<&RoomState>) -> Option<ChangeKind> {
    let room = room.filter(|room| room.is_listed());
    Some(match who {
        Who::RoomListed => {
            let room = room?;
            ChangeKind::RoomListed { info: room.info().cloned(), session: room.session().cloned() }
        }
        Who::RoomUpdated => ChangeKind::RoomUpdated { info: room?.info().cloned() },
        Who::RoomUnlisted => ChangeKind::RoomUnlisted,
        Who::SessionOpened => ChangeKind::SessionOpened(room?.session()?.clone()),
        Who::SessionUpdated => ChangeKind::SessionUpdated(room?.session()?.clone()),
        Who::SessionClosed(session_id) => {
            ChangeKind::SessionClosed { session_id: session_id.clone() }
        }
        Who::UserJoined(user_id) => {
            ChangeKind::UserJoined(room?.user(user_id.as_str())?.to_owned())
        }
        Who::UserUpdated(user_id) => {
            ChangeKind::UserUpdated(room?.user(user_id.as_str())?.to_owned())
        }
        Who::UserLeft(user_id) => ChangeKind::UserLeft { user_id: user_id.clone() },
        Who::StreamOpened(stream_id) => {
            ChangeKind::StreamOpened(room?.stream(stream_id.as_str())?.to_owned())
        }
        Who::StreamUpdated(stream_id) => {
            ChangeKind::StreamUpdated(room?.stream(stream_id.as_str())?.to_owned())
        }
        Who::StreamClosed(stream_id) => ChangeKind::StreamClosed { stream_id: stream_id.clone() },
        Who::SuspicionRaised(list, sign) => {
            let mut held = room?.suspicions().iter();
            let suspicion = held.find(|held| (held.list, held.sign) == (*list, *sign))?;
            ChangeKind::SuspicionRaised(suspicion.clone())
        }
        Who::SuspicionWithdrawn(list, sign) => {
            ChangeKind::SuspicionWithdrawn { list: *list, sign: *sign }
        }
    })
}
