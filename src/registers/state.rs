//! The registers of a room, and the places in them.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use crate::collections::id_table::{HashedId, IdTable, Key};
use crate::model::config::Rules;
use crate::model::id::{SessionId, StreamId, StreamSessionId, UserId, UserSessionId};
use crate::model::text::Attributes;
use crate::model::time::Timestamp;
use crate::model::visible::{RoomInfo, UserNote};
use crate::registers::members::Members;
use crate::registers::places::{InSessions, StreamPlaces, Target, UserPlaces};
use crate::registers::roster::Observed;
use crate::registers::session::SessionRegister;
use crate::registers::stream::StreamRegister;
use crate::registers::user::UserRegister;

/// How many sessions one room may hold. More come only from hostile input.
pub(crate) const MAX_SESSIONS: usize = 16;

/// Everything that is known of a room.
#[derive(Debug, Clone, Default)]
pub(crate) struct Registers {
    pub(crate) members: Members,
    /// C: the latest creation known, in event time.
    pub(crate) latest_create: Option<Timestamp>,
    /// Ordered by id.
    pub(crate) sessions: SmallVec<[SessionRegister; 1]>,
    /// What observations said.
    pub(crate) observed: Observed,
    /// What commands made of the room.
    pub(crate) info: Option<RoomInfo>,
    /// When the business info last ended, in local time.
    pub(crate) ended_at: Option<Timestamp>,
    /// When it ended the time before. Nothing is remembered of whoever joined before that.
    pub(crate) ended_before: Option<Timestamp>,
    /// Since when nobody is in the room, in local time. The projection decides it.
    pub(crate) empty_since: Option<Timestamp>,
    /// Whether anybody has been in the room since it was created. The projection decides it.
    pub(crate) is_entered: bool,
    /// Since when no session is visible any more, in local time. `None` if none was since the room was
    /// created. The projection decides it.
    pub(crate) sessionless_since: Option<Timestamp>,
    /// The application's own attributes of visible streams.
    pub(crate) stream_attributes: IdTable<StreamId, StreamAttributes>,
    /// The app's word on users who have no membership.
    pub(crate) user_notes: BTreeMap<UserId, HeldNote>,
}

/// The application's own attributes of one life of a stream.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct StreamAttributes {
    /// In local time.
    pub(crate) updated_at: Timestamp,
    /// `None` if only an observation knows the stream: then they are for whatever life it turns out to
    /// be.
    pub(crate) stream_session_id: Option<StreamSessionId>,
    pub(crate) attributes: Attributes,
}

/// The app's word on a user, for a stay at the media server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct HeldNote {
    pub(crate) note: UserNote,
    /// `None` if only an observation knows the user: then it is for whatever stay it turns out to be.
    pub(crate) user_session_id: Option<UserSessionId>,
}

/// What decides whether a session counts as closed, apart from its own registers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Closings {
    /// When the business info was made, in local time. An end before it hides nothing.
    pub(crate) shows_from: Option<Timestamp>,
    /// When the room was last seen not to be open.
    pub(crate) not_open_at: Option<Timestamp>,
}

impl Registers {
    /// Drops registers, sessions and entries that hold nothing any more. Places change.
    pub(crate) fn drop_empty(&mut self) {
        for session in &mut self.sessions {
            session.drop_empty();
        }
        self.observed.drop_idle();
        self.retain_sessions(|session| !session.is_empty());
    }

    /// Drops sessions that are not to be kept.
    pub(crate) fn retain_sessions(&mut self, keep: impl FnMut(&mut SessionRegister) -> bool) {
        self.sessions.retain(keep);
        self.sessions.shrink_to_fit(); // the only one lies in the room itself again
    }

    /// Drops a session.
    pub(crate) fn remove_session(&mut self, index: usize) {
        self.sessions.remove(index);
        self.sessions.shrink_to_fit();
    }

    /// Drops what callbacks and observations said, all of it.
    pub(crate) fn forget_live(&mut self) {
        self.latest_create = None;
        self.sessions = SmallVec::new();
        self.observed = Observed::default();
    }

    /// Pulls local times that lie in the future back to now. What was made after an end stays after it.
    pub(crate) fn pull_back(&mut self, now: Timestamp) {
        let back = |at: &mut Option<Timestamp>| *at = at.map(|at| at.min(now));
        back(&mut self.ended_at);
        self.ended_before = self.ended_before.filter(|at| *at < now);
        back(&mut self.empty_since);
        back(&mut self.sessionless_since);
        for session in &mut self.sessions {
            session.pull_back(now);
        }
        self.observed.pull_back(now);
        let ended = self.ended_at.is_some()
            || self.sessions.iter().any(|session| session.hidden_at.is_some());
        let from = now.plus(u64::from(ended));
        if let Some(info) = &mut self.info {
            info.created_at = info.created_at.min(from);
            info.updated_at = info.updated_at.min(from);
        }
        for held in self.user_notes.values_mut() {
            held.note.updated_at = held.note.updated_at.min(now);
        }
        self.members.pull_back(now, from);
    }

    /// Joins an end of the business info: the latest two count.
    pub(crate) fn join_end(&mut self, ended_at: Option<Timestamp>) {
        if ended_at > self.ended_at {
            self.ended_before = std::mem::replace(&mut self.ended_at, ended_at);
        } else if ended_at < self.ended_at {
            self.ended_before = self.ended_before.max(ended_at);
        }
    }

    pub(crate) fn session(&self, id: &SessionId) -> Option<&SessionRegister> {
        self.session_index(id).map(|index| &self.sessions[index])
    }

    /// Returns where a session stands. A room rarely holds more than two.
    #[inline]
    pub(crate) fn session_index(&self, id: &SessionId) -> Option<usize> {
        self.sessions.iter().position(|session| session.id == *id)
    }

    /// Returns where a session stands, and whether it was put there just now.
    pub(crate) fn session_or_insert(&mut self, id: &SessionId) -> (usize, bool) {
        if let Some(index) = self.session_index(id) {
            return (index, false);
        }
        (self.insert_session(SessionRegister::new(id.clone())), true)
    }

    /// Puts a session in its place.
    pub(crate) fn insert_session(&mut self, session: SessionRegister) -> usize {
        let index = self.sessions.partition_point(|held| held.id < session.id);
        self.sessions.insert(index, session);
        index
    }

    /// Returns the register of a user in a session.
    #[inline]
    pub(crate) fn user_at(&self, session: usize, places: &UserPlaces) -> Option<&UserRegister> {
        let place = (*places.in_sessions.get(session)?)?;
        self.sessions[session].users.at(place).map(|(_, user)| user)
    }

    /// Returns the register of a stream in a session.
    #[inline]
    pub(crate) fn stream_at(
        &self,
        session: usize,
        places: &StreamPlaces,
    ) -> Option<&StreamRegister> {
        let place = (*places.in_sessions.get(session)?)?;
        self.sessions[session].streams.at(place).map(|(_, stream)| stream)
    }

    /// Returns what creations must not be below for their sessions to be anchors.
    #[inline]
    pub(crate) fn anchors_from(&self, rules: &Rules) -> Timestamp {
        self.latest_create.unwrap_or_default().minus(rules.tie_window_ms)
    }

    /// Returns what facts of sessions must not be below.
    #[inline]
    pub(crate) fn floor(&self, rules: &Rules) -> Timestamp {
        self.latest_create.unwrap_or_default().minus(rules.clock_skew_ms)
    }

    /// Returns what a presence without the name of a session must be later than: every creation and
    /// close.
    #[inline]
    pub(crate) fn outdated_until(&self) -> Option<Timestamp> {
        let closed_at = self.sessions.iter().map(|session| session.closed_at).max().flatten();
        closed_at.max(self.latest_create)
    }

    #[inline]
    pub(crate) fn closings(&self) -> Closings {
        let shows_from = self.info.as_ref().map(|info| info.created_at);
        Closings { shows_from, not_open_at: self.observed.not_open_at }
    }

    /// Whether callbacks and observations left nothing.
    #[inline]
    pub(crate) fn is_live_empty(&self) -> bool {
        self.latest_create.is_none() && self.sessions.is_empty() && self.observed.is_empty()
    }

    /// Looks a user up, in every table.
    pub(crate) fn user_places(&self, user_id: &(impl Key + ?Sized)) -> UserPlaces {
        self.user_places_beside(self.members.place_of(user_id), user_id)
    }

    /// Looks a user up whose membership, if there is one, was found before.
    pub(crate) fn user_places_beside(
        &self,
        member: Option<usize>,
        user_id: &(impl Key + ?Sized),
    ) -> UserPlaces {
        let mut in_sessions = InSessions::new();
        for session in &self.sessions {
            in_sessions.push(session.users.place_of(user_id)); // nearly always the only one
        }
        let in_roster = self.observed.users.entries.place_of(user_id);
        UserPlaces { member, in_sessions, in_roster }
    }

    /// Returns everybody in a session, with their places in every table but that of the memberships.
    /// Nobody is looked up in the session itself, nor in tables that are empty.
    pub(crate) fn users_in(&self, session: usize) -> impl Iterator<Item = (&UserId, UserPlaces)> {
        let users = self.sessions[session].users.iter().enumerate();
        users.map(move |(place, (user_id, _))| {
            let sessions = self.sessions.iter().enumerate();
            let in_sessions = sessions.map(|(index, held)| {
                if index == session { Some(place) } else { held.users.place_of(user_id) }
            });
            let places = UserPlaces {
                member: None,
                in_sessions: in_sessions.collect(),
                in_roster: self.observed.users.entries.place_of(user_id),
            };
            (user_id, places)
        })
    }

    /// As [`users_in`](Self::users_in), with the streams of a session and without their attributes.
    pub(crate) fn streams_in(
        &self,
        session: usize,
    ) -> impl Iterator<Item = (&StreamId, StreamPlaces)> {
        let streams = self.sessions[session].streams.iter().enumerate();
        streams.map(move |(place, (stream_id, _))| {
            let sessions = self.sessions.iter().enumerate();
            let in_sessions = sessions.map(|(index, held)| {
                if index == session { Some(place) } else { held.streams.place_of(stream_id) }
            });
            let places = StreamPlaces {
                in_sessions: in_sessions.collect(),
                in_roster: self.observed.streams.entries.place_of(stream_id),
                attributes: None,
            };
            (stream_id, places)
        })
    }

    /// Looks a stream up, in every table.
    pub(crate) fn stream_places(&self, stream_id: &(impl Key + ?Sized)) -> StreamPlaces {
        let mut in_sessions = InSessions::new();
        for session in &self.sessions {
            in_sessions.push(session.streams.place_of(stream_id));
        }
        StreamPlaces {
            in_sessions,
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
