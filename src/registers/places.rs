//! Places: the index of a user or a stream in every table of a room.
//!
//! Step 1 of the door looks an id up once (`room/resolve.rs`), and every later step works with the places.
//! They hold until the end of the operation: joins keep empty registers in their places, and step 7 drops
//! those. Whatever removes an entry earlier must update the places that the operation still uses.

use smallvec::SmallVec;

use crate::collections::hashed::HashedId;
use crate::model::id::{StreamId, UserId};

/// The place in the table of each session, by the index of the session. `None` if the session has no entry.
pub(crate) type InSessions = SmallVec<[Option<usize>; 1]>;

/// Some sessions of a room, by index. A room has 32 at most: while two full replicas merge.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SessionSet(u32);

impl SessionSet {
    pub(crate) fn insert(&mut self, index: usize) {
        self.0 |= 1 << index;
    }

    #[inline]
    pub(crate) fn contains(self, index: usize) -> bool {
        self.0 & 1 << index != 0
    }

    #[inline]
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Where a user or a stream stands in what callbacks and observations told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    /// The places in the sessions.
    pub(crate) in_sessions: InSessions,
    /// The place among the entries of the observed roster.
    pub(crate) in_roster: Option<usize>,
}

/// Where a user stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct UserPlaces {
    /// The place among the memberships.
    pub(crate) member: Option<usize>,
    /// The places in what callbacks and observations told.
    pub(crate) told: Places,
}

/// Where a stream stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct StreamPlaces {
    /// The place among the attributes that the application gave to streams.
    pub(crate) attributes: Option<usize>,
    /// The places in what callbacks and observations told.
    pub(crate) told: Places,
}

/// What an input is about, apart from its session: facts are joined into its registers.
#[derive(Debug)]
pub(crate) enum Target<'a> {
    /// The session itself, or nobody that is known.
    Session,
    User(HashedId<'a, UserId>, UserPlaces),
    Stream(HashedId<'a, StreamId>, StreamPlaces),
}

impl Target<'_> {
    /// Makes room in the places for a session that was inserted at this index. It has no entry yet.
    pub(crate) fn session_inserted(&mut self, index: usize) {
        match self {
            Self::Session => {}
            Self::User(_, places) => places.told.in_sessions.insert(index, None),
            Self::Stream(_, places) => places.told.in_sessions.insert(index, None),
        }
    }

    /// Takes the session that had this index out of the places.
    pub(crate) fn session_removed(&mut self, index: usize) {
        match self {
            Self::Session => {}
            Self::User(_, places) => _ = places.told.in_sessions.remove(index),
            Self::Stream(_, places) => _ = places.told.in_sessions.remove(index),
        }
    }
}
