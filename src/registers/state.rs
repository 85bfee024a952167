//! The registers of a whole room, and the look-up of ids in them.
//!
//! The joins in `join.rs`, the commands in `room/join.rs` and the notes of `room/record.rs` write them. The
//! rules, the projection and the stored form read them.
//!
//! This file carries laws 3.1, 3.2, 3.5, 3.10, 6.3 to 6.5, 6.8, 7.3, 7.5, 14.5 and 15.4.

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

/// How many sessions one room may hold. More come only from hostile input (law 3.10). Within an operation
/// it may hold more, until step 5 of the door takes out those beyond the cap. A merge holds up to twice as
/// many.
pub(crate) const MAX_SESSIONS: usize = 16;

/// Everything that is known of a room.
///
/// It lies in memory in this order: what a heartbeat or an outdated callback looks at comes first. Fields
/// that "the projection decides" follow from what readers see, and from when. `room/record.rs` writes them.
#[derive(Debug, Clone, Default)]
#[repr(C)]
pub(crate) struct Registers {
    /// The memberships, and for the retention those that ended.
    pub(crate) members: Members,
    /// C: the latest creation known, in event time (law 3.1).
    pub(crate) latest_create: Option<Timestamp>,
    /// When the business info last ended, in local time. It is remembered for the retention (law 7.3).
    pub(crate) ended_at: Option<Timestamp>,
    /// The business info: what commands set for the room.
    pub(crate) info: Option<RoomInfo>,
    /// The sessions, ordered by id. The nameless one comes first. The rest of the crate names a session by
    /// its index here.
    pub(crate) sessions: SmallVec<[SessionRegister; 1]>,
    /// What observations said, but for closes and confirmations of single sessions.
    pub(crate) observed: MaybeObserved,
    /// Openings that came too late (law 10.11).
    pub(crate) refused: RefusedOpenings,
    /// Since when the room is empty while its session is unknown (law 15.8). The projection decides it.
    pub(crate) unknown_emptiness: Option<Emptiness>,
    /// When the business info ended before `ended_at`, in local time. Nothing is remembered of memberships
    /// that joined before that (law 18.3).
    pub(crate) ended_before: Option<Timestamp>,
    /// Since when no user who counts is in the room, in local time. Lifecycles read it (law 18.7). The
    /// projection decides it.
    pub(crate) empty_since: Option<Timestamp>,
    /// Whether a user who counts has been in the room since a command created it. Lifecycles read it (law
    /// 18.7). The projection decides it.
    pub(crate) is_entered: bool,
    /// Since when no session is visible any more, in local time. `None` while one is, and if none was since
    /// the room was created. Lifecycles and the planner read it. The projection decides it.
    pub(crate) sessionless_since: Option<Timestamp>,
    /// The application's own attributes of visible streams. They are dropped with the stay of the
    /// stream.
    pub(crate) stream_attributes: IdTable<StreamId, StreamAttributes>,
    /// What the application says of users who have no membership (law 18.11).
    pub(crate) user_notes: UserNotes,
}

/// The application's own attributes of one stay of a stream. The order of the fields is the rule of a
/// merge: of two, the greater counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct StreamAttributes {
    /// When a command last set them, in local time.
    pub(crate) updated_at: Timestamp,
    /// The stay that they belong to. `None` if nobody knows its id yet, because only an observation saw the
    /// stream. They then belong to the stay that a callback names first.
    pub(crate) stream_session_id: Option<StreamSessionId>,
    /// What the application set.
    pub(crate) attributes: Attributes,
}

/// What decides whether a session counts as closed, beside its own registers. See
/// [`is_closed`](crate::rules::current::is_closed).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Closings {
    /// When a command made the business info, in local time. An end before it hides nothing (law 6.4).
    pub(crate) shows_from: Option<Timestamp>,
    /// N: when observations last said that the room is not open, in event time (law 15.1).
    pub(crate) not_open_at: Option<Timestamp>,
    /// When the business info last ended, in local time (law 6.3).
    pub(crate) ended_at: Option<Timestamp>,
}

impl Registers {
    /// Drops registers, sessions and entries that hold nothing any more (law 3.5). Places change, so step 7
    /// of the door does it, and nothing before.
    pub(crate) fn drop_empty(&mut self) {
        for session in &mut self.sessions {
            session.drop_empty();
        }
        self.observed.drop_idle();
        self.retain_sessions(|session| !session.is_empty());
    }

    /// Drops the sessions that `keep` does not want to keep.
    pub(crate) fn retain_sessions(&mut self, keep: impl FnMut(&mut SessionRegister) -> bool) {
        self.sessions.retain(keep);
        self.sessions.shrink_to_fit(); // a single session lies in the room itself again
    }

    /// Drops the session that has an index. Those after it move up.
    pub(crate) fn remove_session(&mut self, index: usize) {
        self.sessions.remove(index);
        self.sessions.shrink_to_fit();
    }

    /// Drops all that callbacks and observations told (law 5.6). What commands set stays.
    pub(crate) fn forget_live(&mut self) {
        self.latest_create = None;
        self.sessions = SmallVec::new();
        self.observed = MaybeObserved::default();
        self.unknown_emptiness = None;
    }

    /// Pulls local times that lie in the future back to now. What was made after an end stays after it, so
    /// it may be one millisecond later than now (laws 6.5 and 6.8).
    pub(crate) fn pull_back(&mut self, now: Timestamp, rules: &Rules) {
        // This comes before `ended_at` changes, because each session must stay on its side of the end.
        for session in &mut self.sessions {
            session.pull_back(now, self.ended_at, rules);
        }
        let back = |at: &mut Option<Timestamp>| *at = at.map(|at| at.min(now));
        if let Some(observed) = self.observed.held() {
            observed.pull_back(now, self.ended_at); // before `ended_at` changes, for the same reason
        }
        back(&mut self.ended_at);
        // It must stay earlier than the last end, which is now at the latest.
        self.ended_before = self.ended_before.filter(|at| *at < now);
        back(&mut self.empty_since);
        back(&mut self.sessionless_since);
        self.refused.pull_back(now);
        self.unknown_emptiness = self.unknown_emptiness.map(|held| held.pull_back(now));
        // A session keeps an end that the room has forgotten.
        let is_any_end_known = self.ended_at.is_some()
            || self.sessions.iter().any(|session| session.hidden_at.is_some());
        let after_end = now.plus(u64::from(is_any_end_known));
        if let Some(info) = &mut self.info {
            info.created_at = info.created_at.min(after_end);
            info.updated_at = info.updated_at.min(after_end);
        }
        self.user_notes.pull_back(after_end);
        self.members.pull_back(now, after_end);
    }

    /// Returns the local time at which something counts as made. After an end it is later than the end,
    /// even if the clock stood still (law 6.5).
    pub(crate) fn after_end(&self, now: Timestamp) -> Timestamp {
        self.ended_at.map_or(now, |ended_at| now.max(ended_at.plus(1)))
    }

    /// Forgets the last ends of the room. What they hide keeps them, and stays hidden: sessions (laws 6.8 and
    /// 21.4), and what observations said (law 16.3).
    pub(crate) fn forget_ends(&mut self, rules: &Rules) {
        if let (Some(ended_at), Some(observed)) = (self.ended_at, self.observed.held()) {
            observed.hide(ended_at);
        }
        for session in &mut self.sessions {
            session.hidden_at = session.hidden_until(self.ended_at, rules);
            if let Some(end) = session.hides_openings(self.ended_at, rules) {
                session.hidden_openings_until = Some(end.until);
                session.hidden_at = Some(end.ended_at);
            }
        }
        (self.ended_at, self.ended_before) = (None, None);
    }

    /// Joins an end of the business info: the latest two that differ are kept (law 7.5).
    pub(crate) fn join_end(&mut self, ended_at: Option<Timestamp>) {
        if ended_at > self.ended_at {
            self.ended_before = std::mem::replace(&mut self.ended_at, ended_at);
        } else if ended_at < self.ended_at {
            self.ended_before = self.ended_before.max(ended_at);
        }
    }

    /// Returns a session by its id. `None` is the id of the nameless session.
    pub(crate) fn session(&self, id: Option<&SessionId>) -> Option<&SessionRegister> {
        self.session_index(id).map(|index| &self.sessions[index])
    }

    /// Returns the index of a session. A room rarely holds more than two, so a search costs nothing.
    #[inline]
    pub(crate) fn session_index(&self, id: Option<&SessionId>) -> Option<usize> {
        self.sessions.iter().position(|session| session.id.as_ref() == id)
    }

    /// Returns the index of a session, and whether it was inserted just now. `heard_at` is the local time
    /// at which a new one counts as heard of (law 6.8).
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

    /// Inserts a session in the order of the ids. Returns its index. Those after it move down.
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

    /// Returns the registers of a user or stream, of the sessions that have one.
    #[inline]
    pub(crate) fn stays_of<K: Tables>(
        &self,
        places: &Places,
    ) -> impl Iterator<Item = &StayRegister<K>> {
        self.stays_by_session(places).flatten()
    }

    /// Returns C − ε: a creation below it is not stored (law 3.1).
    #[inline]
    pub(crate) fn anchors_from(&self, rules: &Rules) -> Timestamp {
        self.latest_create.unwrap_or_default().minus(rules.tie_window_ms)
    }

    /// Returns the floor C − δ: no other fact is stored below it (law 3.2).
    #[inline]
    pub(crate) fn floor(&self, rules: &Rules) -> Timestamp {
        self.latest_create.unwrap_or_default().minus(rules.clock_skew_ms)
    }

    /// Returns what a presence without the name of a session must be later than: C, and every close (law
    /// 15.4).
    #[inline]
    pub(crate) fn outdated_until(&self) -> Option<Timestamp> {
        let closed_at = self.sessions.iter().map(|session| session.closed_at).max().flatten();
        closed_at.max(self.latest_create)
    }

    /// Returns what P, that the room was seen open, must be later than (law 14.5). Whoever is in the
    /// nameless session keeps it open, so each of its closings may have been that of the last one there.
    pub(crate) fn open_outdated_until(&self) -> Option<Timestamp> {
        let exit_at = self.sessions.iter().map(|session| session.latest_exit_at).max().flatten();
        exit_at.max(self.outdated_until())
    }

    /// Returns what decides whether sessions count as closed, beside their own registers.
    #[inline]
    pub(crate) fn closings(&self) -> Closings {
        let shows_from = self.info.as_ref().map(|info| info.created_at);
        let not_open_at = self.observed.not_open_at;
        Closings { shows_from, not_open_at, ended_at: self.ended_at }
    }

    /// Returns since when a session is empty, if readers see it or would. `None` is the unknown session of
    /// law 15.8.
    #[inline]
    pub(crate) fn emptiness(&self, session: Option<usize>) -> Option<Emptiness> {
        session.map_or(self.unknown_emptiness, |index| self.sessions[index].emptiness)
    }

    /// Whether the room left the list because a session was empty for too long (law 4.10).
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

    /// Whether nothing is stored that callbacks or observations told.
    #[inline]
    pub(crate) fn is_live_empty(&self) -> bool {
        self.latest_create.is_none() && self.sessions.is_empty() && self.observed.is_empty()
    }

    /// Looks a user or stream up in every table of what callbacks and observations told.
    pub(crate) fn places<K: Tables>(&self, id: &(impl Key + ?Sized)) -> Places {
        let mut in_sessions = InSessions::new();
        for session in &self.sessions {
            in_sessions.push(K::table(session).place_of(id)); // nearly always the only one
        }
        Places { in_sessions, in_roster: K::roster(&self.observed).entries.place_of(id) }
    }

    /// Looks a user up in every table of the room.
    #[inline]
    pub(crate) fn user_places(&self, user_id: &(impl Key + ?Sized)) -> UserPlaces {
        let user_id = user_id.hashed();
        self.user_places_beside(self.members.place_of(&user_id), &user_id)
    }

    /// Looks a user up whose place among the memberships, if there is one, is known already.
    #[inline]
    pub(crate) fn user_places_beside(
        &self,
        member: Option<usize>,
        user_id: &(impl Key + ?Sized),
    ) -> UserPlaces {
        UserPlaces { member, told: self.places::<Users>(user_id) }
    }

    /// Looks a stream up in every table of the room.
    pub(crate) fn stream_places(&self, stream_id: &(impl Key + ?Sized)) -> StreamPlaces {
        let attributes = self.stream_attributes.place_of(stream_id);
        StreamPlaces { attributes, told: self.places::<Streams>(stream_id) }
    }

    /// Returns the application's own attributes of a stream, if it set any.
    pub(crate) fn attributes_at(&self, places: &StreamPlaces) -> Option<&Attributes> {
        let (_, held) = self.stream_attributes.at(places.attributes?)?;
        Some(&held.attributes)
    }

    /// Returns every user or stream of a session, with its places. A walk through the session gives the
    /// places there, so only other tables are searched.
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

    /// Looks a user up, as what facts are joined into.
    pub(crate) fn target_user<'a>(&self, user_id: &'a UserId) -> Target<'a> {
        let user_id = HashedId::borrowed(user_id);
        let places = self.user_places(&user_id);
        Target::User(user_id, places)
    }

    /// Looks a stream up, as what facts are joined into.
    pub(crate) fn target_stream<'a>(&self, stream_id: &'a StreamId) -> Target<'a> {
        let stream_id = HashedId::borrowed(stream_id);
        let places = self.stream_places(&stream_id);
        Target::Stream(stream_id, places)
    }

    /// Returns the id of a user from any table that has it, so that none is copied from an input.
    pub(crate) fn user_id(&self, places: &UserPlaces) -> Option<&UserId> {
        let member = places.member.and_then(|place| self.members.at(place));
        member.map(|member| member.user_id).or_else(|| self.told_id::<Users>(&places.told))
    }

    /// Returns the id of a user or stream from any table of what callbacks and observations told.
    pub(crate) fn told_id<K: Tables>(&self, places: &Places) -> Option<&K::Id> {
        let in_sessions = self.sessions.iter().zip(&places.in_sessions);
        let mut ids = in_sessions.filter_map(|(held, place)| K::table(held).at((*place)?));
        ids.next().map(|(id, _)| id).or_else(|| {
            let in_roster = K::roster(&self.observed).entries.at(places.in_roster?);
            in_roster.map(|(id, _)| id)
        })
    }
}
