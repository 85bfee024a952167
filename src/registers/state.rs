//! The registers of a room, and the places in them.

use smallvec::SmallVec;

use crate::collections::hashed::{HashedId, Key};
use crate::collections::id_table::IdTable;
use crate::model::config::Rules;
use crate::model::id::{SessionId, StreamId, StreamSessionId, UserId};
use crate::model::text::Attributes;
use crate::model::time::Timestamp;
use crate::model::visible::RoomInfo;
use crate::registers::emptiness::Emptiness;
use crate::registers::kind::{Streams, Users};
use crate::registers::members::Members;
use crate::registers::notes::UserNotes;
use crate::registers::observed::MaybeObserved;
use crate::registers::places::{InSessions, Places, StreamPlaces, Target, UserPlaces};
use crate::registers::refused::RefusedOpenings;
use crate::registers::session::SessionRegister;
use crate::registers::stays::StayRegister;
use crate::registers::tables::Tables;

/// How many sessions one room may hold. More come only from hostile input.
pub(crate) const MAX_SESSIONS: usize = 16;

/// Everything that is known of a room. It lies in memory in this order.
#[derive(Debug, Clone, Default)]
#[repr(C)]
pub(crate) struct Registers {
    pub(crate) members: Members,
    /// C: the latest creation known, in event time.
    pub(crate) latest_create: Option<Timestamp>,
    /// When the business info last ended, in local time.
    pub(crate) ended_at: Option<Timestamp>,
    /// What commands made of the room.
    pub(crate) info: Option<RoomInfo>,
    /// Ordered by id.
    pub(crate) sessions: SmallVec<[SessionRegister; 1]>,
    /// What observations said.
    pub(crate) observed: MaybeObserved,
    /// Openings that came too late.
    pub(crate) refused: RefusedOpenings,
    /// Since when readers see it empty in a session that is not known. The projection decides it.
    pub(crate) unknown_emptiness: Option<Emptiness>,
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
    pub(crate) user_notes: UserNotes,
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

/// What decides whether a session counts as closed, apart from its own registers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Closings {
    /// When the business info was made, in local time. An end before it hides nothing.
    pub(crate) shows_from: Option<Timestamp>,
    /// When the room was last seen not to be open.
    pub(crate) not_open_at: Option<Timestamp>,
    /// When the business info last ended, in local time.
    pub(crate) ended_at: Option<Timestamp>,
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
        self.observed = MaybeObserved::default();
        self.unknown_emptiness = None;
    }

    /// Pulls local times that lie in the future back to now. What was made after an end stays after it.
    pub(crate) fn pull_back(&mut self, now: Timestamp, rules: &Rules) {
        for session in &mut self.sessions {
            session.pull_back(now, self.ended_at, rules);
        }
        let back = |at: &mut Option<Timestamp>| *at = at.map(|at| at.min(now));
        back(&mut self.ended_at);
        self.ended_before = self.ended_before.filter(|at| *at < now);
        back(&mut self.empty_since);
        back(&mut self.sessionless_since);
        if let Some(observed) = self.observed.held() {
            observed.pull_back(now);
        }
        self.refused.pull_back(now);
        self.unknown_emptiness = self.unknown_emptiness.map(|held| held.pull_back(now));
        let ended = self.ended_at.is_some()
            || self.sessions.iter().any(|session| session.hidden_at.is_some());
        let from = now.plus(u64::from(ended));
        if let Some(info) = &mut self.info {
            info.created_at = info.created_at.min(from);
            info.updated_at = info.updated_at.min(from);
        }
        self.user_notes.pull_back(now);
        self.members.pull_back(now, from);
    }

    /// Returns the local time at which something happens. After an end it is later than the end, even if the
    /// clock stood still.
    pub(crate) fn after_end(&self, now: Timestamp) -> Timestamp {
        self.ended_at.map_or(now, |ended_at| now.max(ended_at.plus(1)))
    }

    /// Forgets the last ends of the room. Sessions that they hide stay hidden.
    pub(crate) fn forget_ends(&mut self, rules: &Rules) {
        for session in &mut self.sessions {
            session.hidden_at = session.hidden_until(self.ended_at, rules);
            if let Some((until, hidden_at)) = session.hides_openings(self.ended_at, rules) {
                session.hidden_openings_until = Some(until);
                session.hidden_at = Some(hidden_at);
            }
        }
        (self.ended_at, self.ended_before) = (None, None);
    }

    /// Joins an end of the business info: the latest two count.
    pub(crate) fn join_end(&mut self, ended_at: Option<Timestamp>) {
        if ended_at > self.ended_at {
            self.ended_before = std::mem::replace(&mut self.ended_at, ended_at);
        } else if ended_at < self.ended_at {
            self.ended_before = self.ended_before.max(ended_at);
        }
    }

    pub(crate) fn session(&self, id: Option<&SessionId>) -> Option<&SessionRegister> {
        self.session_index(id).map(|index| &self.sessions[index])
    }

    /// Returns where a session stands. A room rarely holds more than two.
    #[inline]
    pub(crate) fn session_index(&self, id: Option<&SessionId>) -> Option<usize> {
        self.sessions.iter().position(|session| session.id.as_ref() == id)
    }

    /// Returns where a session stands, and whether it was put there just now.
    pub(crate) fn session_or_insert(
        &mut self,
        id: Option<&SessionId>,
        heard_at: Timestamp,
    ) -> (usize, bool) {
        if let Some(index) = self.session_index(id) {
            return (index, false);
        }
        (self.insert_session(SessionRegister::new(id.cloned(), heard_at)), true)
    }

    /// Puts a session in its place.
    pub(crate) fn insert_session(&mut self, session: SessionRegister) -> usize {
        let index = self.sessions.partition_point(|held| held.id < session.id);
        self.sessions.insert(index, session);
        index
    }

    /// Returns the register of a user or stream in a session.
    #[inline]
    pub(crate) fn stays_at<K: Tables>(
        &self,
        session: usize,
        places: &Places,
    ) -> Option<&StayRegister<K>> {
        let place = (*places.in_sessions.get(session)?)?;
        K::table(&self.sessions[session]).at(place).map(|(_, stays)| stays)
    }

    /// Returns the register of a user or stream in each session, by its index.
    #[inline]
    pub(crate) fn stays_by_session<K: Tables>(
        &self,
        places: &Places,
    ) -> impl Iterator<Item = Option<&StayRegister<K>>> {
        let in_sessions = self.sessions.iter().zip(&places.in_sessions);
        in_sessions.map(|(session, place)| K::table(session).at((*place)?).map(|(_, stays)| stays))
    }

    /// Returns the registers that there are of a user or stream.
    #[inline]
    pub(crate) fn stays_of<K: Tables>(
        &self,
        places: &Places,
    ) -> impl Iterator<Item = &StayRegister<K>> {
        self.stays_by_session(places).flatten()
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

    /// Returns what an observation that saw the room open must be later than. In the nameless session users
    /// and streams alone decide that, so whoever leaves it outdates what was seen before.
    pub(crate) fn open_outdated_until(&self) -> Option<Timestamp> {
        let exit_at = self.sessions.iter().map(|session| session.latest_exit_at).max().flatten();
        exit_at.max(self.outdated_until())
    }

    #[inline]
    pub(crate) fn closings(&self) -> Closings {
        let shows_from = self.info.as_ref().map(|info| info.created_at);
        let not_open_at = self.observed.not_open_at;
        Closings { shows_from, not_open_at, ended_at: self.ended_at }
    }

    /// Returns since when a session is empty, if readers see it. No index means the one that is not known.
    #[inline]
    pub(crate) fn emptiness(&self, session: Option<usize>) -> Option<Emptiness> {
        session.map_or(self.unknown_emptiness, |index| self.sessions[index].emptiness)
    }

    /// Whether the room left the list for a session that was empty.
    pub(crate) fn is_any_unlisted(&self) -> bool {
        let of_sessions = self.sessions.iter().map(|session| session.emptiness);
        of_sessions.chain([self.unknown_emptiness]).flatten().any(|held| held.is_unlisted)
    }

    /// As [`emptiness`](Self::emptiness), to change it.
    pub(crate) fn emptiness_mut(&mut self, session: Option<usize>) -> &mut Option<Emptiness> {
        match session {
            Some(index) => &mut self.sessions[index].emptiness,
            None => &mut self.unknown_emptiness,
        }
    }

    /// Whether callbacks and observations left nothing.
    #[inline]
    pub(crate) fn is_live_empty(&self) -> bool {
        self.latest_create.is_none() && self.sessions.is_empty() && self.observed.is_empty()
    }

    /// Looks a user or stream up, in every table of what the media server told.
    pub(crate) fn places<K: Tables>(&self, id: &(impl Key + ?Sized)) -> Places {
        let mut in_sessions = InSessions::new();
        for session in &self.sessions {
            in_sessions.push(K::table(session).place_of(id)); // nearly always the only one
        }
        Places { in_sessions, in_roster: K::roster(&self.observed).entries.place_of(id) }
    }

    /// Looks a user up, in every table.
    #[inline]
    pub(crate) fn user_places(&self, user_id: &(impl Key + ?Sized)) -> UserPlaces {
        self.user_places_beside(self.members.place_of(user_id), user_id)
    }

    /// Looks a user up whose membership, if there is one, was found before.
    #[inline]
    pub(crate) fn user_places_beside(
        &self,
        member: Option<usize>,
        user_id: &(impl Key + ?Sized),
    ) -> UserPlaces {
        UserPlaces { member, told: self.places::<Users>(user_id) }
    }

    /// Looks a stream up, in every table.
    pub(crate) fn stream_places(&self, stream_id: &(impl Key + ?Sized)) -> StreamPlaces {
        let attributes = self.stream_attributes.place_of(stream_id);
        StreamPlaces { attributes, told: self.places::<Streams>(stream_id) }
    }

    /// Returns every user or stream of a session, with the places. None is looked up in the session
    /// itself, nor in tables that are empty.
    pub(crate) fn all_in<K: Tables>(
        &self,
        session: usize,
    ) -> impl Iterator<Item = (&K::Id, Places)> {
        let table = K::table(&self.sessions[session]).iter().enumerate();
        table.map(move |(place, (id, _))| {
            let sessions = self.sessions.iter().enumerate();
            let in_sessions = sessions.map(|(index, held)| {
                if index == session { Some(place) } else { K::table(held).place_of(id) }
            });
            let in_roster = K::roster(&self.observed).entries.place_of(id);
            (id, Places { in_sessions: in_sessions.collect(), in_roster })
        })
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
        let member = places.member.and_then(|place| self.members.at(place));
        member.map(|member| member.user_id).or_else(|| self.told_id::<Users>(&places.told))
    }

    /// Returns the id of a user or stream, as what the media server told has it.
    pub(crate) fn told_id<K: Tables>(&self, places: &Places) -> Option<&K::Id> {
        let in_sessions = self.sessions.iter().zip(&places.in_sessions);
        let mut ids = in_sessions.filter_map(|(held, place)| K::table(held).at((*place)?));
        ids.next().map(|(id, _)| id).or_else(|| {
            let in_roster = K::roster(&self.observed).entries.at(places.in_roster?);
            in_roster.map(|(id, _)| id)
        })
    }
}
