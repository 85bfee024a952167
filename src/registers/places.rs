//! Places: where a user or a stream stands in every table of a room.
//!
//! The door looks an id up once. What follows works with places. They hold until an operation drops
//! what it left empty, at its end.

use smallvec::SmallVec;

use crate::collections::hashed::HashedId;
use crate::model::id::{StreamId, UserId};

/// A place in each session, by the index of the session.
pub(crate) type InSessions = SmallVec<[Option<usize>; 1]>;

/// Where a user or a stream stands in what the media server told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    pub(crate) in_sessions: InSessions,
    pub(crate) in_roster: Option<usize>,
}

/// Where a user stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct UserPlaces {
    pub(crate) member: Option<usize>,
    pub(crate) told: Places,
}

/// Where a stream stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct StreamPlaces {
    pub(crate) attributes: Option<usize>,
    pub(crate) told: Places,
}

/// What facts are joined into, apart from their session.
#[derive(Debug)]
pub(crate) enum Target<'a> {
    Session,
    User(HashedId<'a, UserId>, UserPlaces),
    Stream(HashedId<'a, StreamId>, StreamPlaces),
}

impl Target<'_> {
    /// A session was put in at this index.
    pub(crate) fn session_inserted(&mut self, index: usize) {
        match self {
            Self::Session => {}
            Self::User(_, places) => places.told.in_sessions.insert(index, None),
            Self::Stream(_, places) => places.told.in_sessions.insert(index, None),
        }
    }

    /// A session was taken out at this index.
    pub(crate) fn session_removed(&mut self, index: usize) {
        match self {
            Self::Session => {}
            Self::User(_, places) => _ = places.told.in_sessions.remove(index),
            Self::Stream(_, places) => _ = places.told.in_sessions.remove(index),
        }
    }
}
