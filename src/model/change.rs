//! What the last call made different.
//!
//! A mutating call notes *who* changed; what became of them is read from the state when somebody
//! asks. So nobody who ignores changes pays for them, and the buffer is used again by the next call.

use std::fmt;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::id::{RoomId, SessionId, StreamId, UserId};
use crate::model::named::{named_enum, print_name};
use crate::model::suspicion::{Sign, SuspectedList, Suspicion};
use crate::model::visible::{RoomInfo, Session, Stream, User};
use crate::room::state::RoomState;

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

named_enum! {
    /// What became different.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum ChangeKind {
        /// The room came into the list. It has no users and streams yet: the changes that follow
        /// bring them.
        RoomListed {
            /// What commands made of the room.
            info: Option<RoomInfo>,
            /// The visible session.
            session: Option<Session>,
        } = "room_listed",
        /// The business info of the room is different.
        RoomUpdated {
            /// What commands made of the room.
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
        /// A user looks different, or gained or lost one of two facets.
        UserUpdated(User) = "user_updated",
        /// A user left the list of the room.
        UserLeft {
            /// The user.
            user_id: UserId,
        } = "user_left",
        /// A stream became visible.
        StreamOpened(Stream) = "stream_opened",
        /// A stream looks different.
        StreamUpdated(Stream) = "stream_updated",
        /// A stream is no longer visible.
        StreamClosed {
            /// The stream.
            stream_id: StreamId,
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
