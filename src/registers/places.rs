//! Places: where a user or a stream stands in every table of a room.
//!
//! The door looks an id up once. What follows works with places. They hold until an operation drops
//! what it left empty, at its end.

use smallvec::SmallVec;

use crate::collections::id_table::{HashedId, Key};
use crate::model::id::{StreamId, UserId};
use crate::registers::Registers;

/// A place in each session, by the index of the session.
type InSessions = SmallVec<[Option<usize>; 1]>;

/// Where a user stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct UserPlaces {
    pub(crate) member: Option<usize>,
    pub(crate) in_sessions: InSessions,
    pub(crate) in_roster: Option<usize>,
}

/// Where a stream stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct StreamPlaces {
    pub(crate) in_sessions: InSessions,
    pub(crate) in_roster: Option<usize>,
    pub(crate) attributes: Option<usize>,
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
            Self::User(_, places) => places.in_sessions.insert(index, None),
            Self::Stream(_, places) => places.in_sessions.insert(index, None),
        }
    }

    /// A session was taken out at this index.
    pub(crate) fn session_removed(&mut self, index: usize) {
        match self {
            Self::Session => {}
            Self::User(_, places) => _ = places.in_sessions.remove(index),
            Self::Stream(_, places) => _ = places.in_sessions.remove(index),
        }
    }
}

impl Registers {
    /// Looks a user up, in every table.
    pub(crate) fn user_places(&self, user_id: &(impl Key + ?Sized)) -> UserPlaces {
        UserPlaces {
            member: self.members.place_of(user_id),
            in_sessions: self.sessions.iter().map(|held| held.users.place_of(user_id)).collect(),
            in_roster: self.observed.users.entries.place_of(user_id),
        }
    }

    /// Looks a stream up, in every table.
    pub(crate) fn stream_places(&self, stream_id: &(impl Key + ?Sized)) -> StreamPlaces {
        StreamPlaces {
            in_sessions: self
                .sessions
                .iter()
                .map(|held| held.streams.place_of(stream_id))
                .collect(),
            in_roster: self.observed.streams.entries.place_of(stream_id),
            attributes: self.stream_attributes.place_of(stream_id),
        }
    }

    pub(crate) fn target_user<'a>(&self, user_id: &'a UserId) -> Target<'a> {
        let user_id = HashedId::borrowed(user_id);
        let places = self.user_places(&user_id);
        Target::User(user_id, places)
    }

    pub(crate) fn target_stream<'a>(&self, stream_id: &'a StreamId) -> Target<'a> {
        let stream_id = HashedId::borrowed(stream_id);
        let places = self.stream_places(&stream_id);
        Target::Stream(stream_id, places)
    }

    /// Returns the id of a user, as it is stored somewhere.
    pub(crate) fn user_id(&self, places: &UserPlaces) -> Option<&UserId> {
        if let Some(place) = places.member {
            return self.members.at(place).map(|member| member.user_id);
        }
        let in_sessions = self.sessions.iter().zip(&places.in_sessions);
        let held = in_sessions.filter_map(|(held, place)| held.users.at((*place)?));
        let mut ids = held.map(|(user_id, _)| user_id);
        ids.next().or_else(|| {
            let in_roster = self.observed.users.entries.at(places.in_roster?);
            in_roster.map(|(user_id, _)| user_id)
        })
    }

    /// Returns the id of a stream, as it is stored somewhere.
    pub(crate) fn stream_id(&self, places: &StreamPlaces) -> Option<&StreamId> {
        let in_sessions = self.sessions.iter().zip(&places.in_sessions);
        let held = in_sessions.filter_map(|(held, place)| held.streams.at((*place)?));
        let mut ids = held.map(|(stream_id, _)| stream_id);
        ids.next().or_else(|| {
            let in_roster = self.observed.streams.entries.at(places.in_roster?);
            in_roster.map(|(stream_id, _)| stream_id)
        })
    }
}
