//! The stored form of a room, and the checks on the way in.
//!
//! What is stored are the registers and nothing that follows from them. On the way in every
//! register is joined into an empty room by the same code that applies callbacks: one that would
//! not be held there is impossible, and the error names it.

mod stream;
mod user;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::collections::id_table::{Hashed, IdTable};
use crate::model::change::ChangeLog;
use crate::model::config::Fingerprint;
use crate::model::id::{RoomId, SessionId, StreamId, UserId};
use crate::model::time::Timestamp;
use crate::model::visible::{Membership, RoomInfo};
use crate::room::Room;
use crate::room::evidence::Evidence;
use crate::room::facts::{Facts, Tally};
use crate::room::live::{Live, MAX_SESSIONS};
use crate::room::members::{Left, Members};
use crate::room::observed::Observed;
use crate::room::session::{Create, Name, SessionRegister};
use crate::room::state::{RoomState, StreamNote};
use crate::room::stored::stream::StoredStream;
use crate::room::stored::user::StoredUsers;

/// The version of the stored form that this crate writes and reads.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
pub(crate) struct StoredRoom<'a> {
    version: u32,
    room_id: Cow<'a, RoomId>,
    settings: Fingerprint,
    clock: Timestamp,
    info: Option<Cow<'a, RoomInfo>>,
    ended_at: Option<Timestamp>,
    empty_since: Option<Timestamp>,
    sessionless_since: Option<Timestamp>,
    members: Vec<StoredMember<'a>>,
    left: Vec<StoredLeft<'a>>,
    live: StoredLive<'a>,
    stream_notes: Cow<'a, BTreeMap<StreamId, StreamNote>>,
}

#[derive(Serialize, Deserialize)]
struct StoredMember<'a> {
    user_id: Cow<'a, UserId>,
    membership: Cow<'a, Membership>,
    heartbeat_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct StoredLeft<'a> {
    user_id: Cow<'a, UserId>,
    joined_at: Timestamp,
    left_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct StoredLive<'a> {
    latest_create: Option<Timestamp>,
    sessions: Vec<StoredSession<'a>>,
    observed: Cow<'a, Observed>,
}

#[derive(Serialize, Deserialize)]
struct StoredSession<'a> {
    session_id: Cow<'a, SessionId>,
    create: Option<Cow<'a, Create>>,
    closed_at: Option<Timestamp>,
    seen_at: Option<Timestamp>,
    name: Option<Cow<'a, Name>>,
    alive_at: Option<Timestamp>,
    hidden_at: Option<Timestamp>,
    touched_at: Timestamp,
    evidence: Cow<'a, Evidence>,
    users: StoredUsers<'a>,
    streams: Vec<StoredStream<'a>>,
}

/// Why what was stored is no room.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum StoredError {
    #[error("a stored room of version {found} cannot be read: this is version {VERSION}")]
    Version { found: u32 },
    #[error("room {room_id}: {what} is stored twice")]
    Twice { room_id: RoomId, what: String },
    #[error(
        "room {room_id}: {what} cannot be: it is below a bound, or outranked by what is stored beside it"
    )]
    Impossible { room_id: RoomId, what: String },
    #[error("room {room_id}: {what} holds more than any room does")]
    TooMuch { room_id: RoomId, what: String },
}

/// Everything but what follows from it, in a form of version 1. Lists are ordered by id, but for the
/// members: the longest silent is the first, so that those who are silent for equally long time out
/// in the same order as if the room had not been stored.
impl Serialize for Room {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        StoredRoom::of(&self.state).serialize(serializer)
    }
}

/// Checked: a room that no callbacks and commands could have made is an error that names what is
/// wrong with it.
impl<'de> Deserialize<'de> for Room {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let state = StoredRoom::deserialize(deserializer)?.restore().map_err(de::Error::custom)?;
        Ok(Self { state, log: ChangeLog::default() })
    }
}

impl<'a> StoredRoom<'a> {
    pub(crate) fn of(room: &'a RoomState) -> Self {
        let members = room.members.by_silence().map(|member| StoredMember {
            user_id: Cow::Borrowed(member.user_id),
            membership: Cow::Borrowed(member.membership()),
            heartbeat_at: member.heartbeat_at,
            updated_at: member.updated_at(),
        });
        let left = room.members.ends().map(|(user_id, left)| StoredLeft {
            user_id: Cow::Borrowed(user_id),
            joined_at: left.joined_at,
            left_at: left.left_at,
        });
        Self {
            version: VERSION,
            room_id: Cow::Borrowed(&room.id),
            settings: room.settings,
            clock: room.clock,
            info: room.info.as_ref().map(Cow::Borrowed),
            ended_at: room.ended_at,
            empty_since: room.empty_since,
            sessionless_since: room.sessionless_since,
            members: members.collect(),
            left: left.collect(),
            live: StoredLive {
                latest_create: room.live.latest_create,
                sessions: room.live.sessions.iter().map(StoredSession::of).collect(),
                observed: Cow::Borrowed(&room.live.observed),
            },
            stream_notes: Cow::Borrowed(&room.notes),
        }
    }

    fn restore(self) -> Result<RoomState, StoredError> {
        if self.version != VERSION {
            return Err(StoredError::Version { found: self.version });
        }
        self.check_end()?;
        let mut room = RoomState::new(self.room_id.into_owned(), self.settings);
        room.clock = self.clock;
        room.info = self.info.map(Cow::into_owned);
        room.ended_at = self.ended_at;
        room.empty_since = self.empty_since;
        room.sessionless_since = self.sessionless_since;
        room.members = restore_members(&room.id, self.members, self.left)?;
        room.live = self.live.restore(&room.id, &room.settings)?;
        room.restore_derived();
        room.restore_suspicions();
        let notes = self.stream_notes.into_owned();
        room.notes =
            notes.into_iter().filter(|(stream_id, note)| room.note_fits(stream_id, note)).collect();
        Ok(room)
    }
}

impl StoredRoom<'_> {
    /// The room's end let go of everything before it.
    fn check_end(&self) -> Result<(), StoredError> {
        let is_before_end = |at: Timestamp| Some(at) <= self.ended_at;
        let info = self.info.iter().filter(|info| is_before_end(info.updated_at));
        let members =
            self.members.iter().filter(|member| is_before_end(member.membership.joined_at));
        let left = self.left.iter().filter(|left| is_before_end(left.joined_at));
        let what = info
            .map(|_| "the business info".to_owned())
            .chain(members.map(|member| format!("the membership of user {}", member.user_id)))
            .chain(left.map(|left| format!("the leave of user {}", left.user_id)))
            .next();
        match what {
            Some(what) => {
                let room_id = self.room_id.clone().into_owned();
                Err(StoredError::Impossible { room_id, what })
            }
            None => Ok(()),
        }
    }
}

fn restore_members(
    room_id: &RoomId,
    mut members: Vec<StoredMember<'_>>,
    left: Vec<StoredLeft<'_>>,
) -> Result<Members, StoredError> {
    let twice = |user_id: &UserId| StoredError::Twice {
        room_id: room_id.clone(),
        what: format!("the membership of user {user_id}"),
    };
    let mut restored = Members::default();
    members.sort_by_key(|member| member.heartbeat_at); // as it is, unless it was forged
    for StoredMember { user_id, membership, heartbeat_at, updated_at } in members {
        let user_id = Hashed::new(&*user_id);
        if restored.get(&user_id).is_some() {
            return Err(twice(user_id.id));
        }
        restored.insert(user_id, membership.into_owned(), heartbeat_at, updated_at);
    }
    for StoredLeft { user_id, joined_at, left_at } in left {
        if restored.get(&*user_id).is_some() || restored.end_of(user_id.as_str()).is_some() {
            return Err(twice(&user_id));
        }
        restored.remember(user_id.into_owned(), Left { joined_at, left_at });
    }
    restored.reorder_ends();
    Ok(restored)
}

impl StoredLive<'_> {
    /// What bounds the rest is joined first, so that nothing joined later can make room for it.
    fn restore(self, room_id: &RoomId, rules: &Fingerprint) -> Result<Live, StoredError> {
        let mut live = Live { latest_create: self.latest_create, ..Live::default() };
        if self.sessions.len() > MAX_SESSIONS {
            return Err(StoredError::TooMuch {
                room_id: room_id.clone(),
                what: "the room".to_owned(),
            });
        }
        for session in self.sessions {
            session.restore(&mut live, room_id, rules)?;
        }
        live.observed = self.observed.into_owned();
        let mut settled = live.observed.clone();
        settled.settle(live.floor(rules), live.outdated_until());
        if let Some(what) =
            live.observed.impossible().or((settled != live.observed).then_some("a sighting"))
        {
            return Err(StoredError::Impossible {
                room_id: room_id.clone(),
                what: format!("{what} of the observations"),
            });
        }
        Ok(live)
    }
}

impl<'a> StoredSession<'a> {
    fn of(session: &'a SessionRegister) -> Self {
        let streams =
            session.streams.iter().map(|(stream_id, stream)| StoredStream::of(stream_id, stream));
        Self {
            session_id: Cow::Borrowed(&session.id),
            create: session.create.as_ref().map(Cow::Borrowed),
            closed_at: session.closed_at,
            seen_at: session.seen_at,
            name: session.name.as_ref().map(Cow::Borrowed),
            alive_at: session.alive_at,
            hidden_at: session.hidden_at,
            touched_at: session.touched_at,
            evidence: Cow::Borrowed(&session.evidence),
            users: StoredUsers::Held(session.users_by_id()),
            streams: streams.collect(),
        }
    }

    /// Joins everything of a session, what bounds the rest first.
    fn restore(
        self,
        live: &mut Live,
        room_id: &RoomId,
        rules: &Fingerprint,
    ) -> Result<(), StoredError> {
        let session_id = self.session_id.into_owned();
        let refuse = |what: &str| StoredError::Impossible {
            room_id: room_id.clone(),
            what: format!("{what} of session {session_id}"),
        };
        if live.session(&session_id).is_some() {
            return Err(StoredError::Twice {
                room_id: room_id.clone(),
                what: format!("session {session_id}"),
            });
        }
        let none = Facts::none(&session_id);
        let close = Facts { close: self.closed_at, ..none };
        let seen = Facts { seen: self.seen_at, ..none };
        let name = Facts { name: self.name.as_deref().map(Name::fact), ..none };
        let alive = Facts { alive: self.alive_at, ..none };
        let create = Facts { create: self.create.as_deref().map(Create::fact), ..none };
        if self.create.as_ref().is_some_and(|create| Some(create.created_at) > live.latest_create) {
            return Err(refuse("the creation"));
        }
        let mut session = SessionRegister::new(session_id.clone());
        session.hidden_at = self.hidden_at;
        let users = self.users.into_read();
        session.users = IdTable::with_capacity(users.len());
        live.insert(session);
        let parts = [
            (create.create.is_some(), create, "the creation"),
            (close.close.is_some(), close, "the close"),
            (seen.seen.is_some(), seen, "the sign of life"),
            (name.name.is_some(), name, "the name"),
            (alive.alive.is_some(), alive, "the sighting"),
        ];
        for (_, facts, what) in parts.into_iter().filter(|(is_stored, ..)| *is_stored) {
            if !live.join(&facts, self.touched_at, None, rules).tally.changed {
                return Err(refuse(what));
            }
        }
        let floor = live.floor(rules);
        let Some(session) = live.session_mut(&session_id) else { return Err(refuse("nothing")) };
        let mut inside = Inside { session, none, floor, rules, refuse: &refuse };
        for user in users {
            user.restore(&mut inside)?;
        }
        for stream in self.streams {
            stream.restore(&mut inside)?;
        }
        if session.is_empty() {
            return Err(refuse("nothing"));
        }
        session.touched_at = self.touched_at;
        session.evidence = self.evidence.into_owned();
        if session.evidence.is_possible() { Ok(()) } else { Err(refuse("the evidence of losses")) }
    }
}

/// A session whose users and streams are put back.
struct Inside<'s> {
    session: &'s mut SessionRegister,
    /// Nothing about it.
    none: Facts<'s>,
    floor: Timestamp,
    rules: &'s Fingerprint,
    refuse: &'s dyn Fn(&str) -> StoredError,
}

impl Inside<'_> {
    fn join(&mut self, facts: &Facts<'_>, touched_at: Timestamp) -> Tally {
        let mut tally = Tally::default();
        self.session.join(facts, self.floor, touched_at, self.rules, &mut tally);
        tally
    }
}
