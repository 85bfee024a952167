//! The stored form of a room (law 1.7), and the checks on the way in.
//!
//! The registers are stored, and nothing that follows from them. On the way in, every register is joined into an
//! empty room by the same code that applies callbacks. What would not be kept there is impossible, and the error
//! names it. So a stored room that was tampered with breaks no promise of a room.
//!
//! Fields of the stored form keep their names from version to version. If a register has another name in the code,
//! the field says so. To add a register, add its field here, to [`StoredRoom::of`], and to `restore`, which says
//! what is impossible of it. Each change of the form raises [`VERSION`].

mod inside;
mod stays;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::collections::hashed::Hashed;
use crate::collections::id_table::IdTable;
use crate::model::config::Rules;
use crate::model::id::{RoomId, SessionId, StreamId, UserId};
use crate::model::time::Timestamp;
use crate::model::visible::{Membership, RoomInfo};
use crate::registers::connections::{Connections, End};
use crate::registers::emptiness::Emptiness;
use crate::registers::facts::{Facts, StayFacts};
use crate::registers::kind::{Streams, Users};
use crate::registers::members::{Left, Members};
use crate::registers::notes::UserNotes;
use crate::registers::observed::Observed;
use crate::registers::places::Target;
use crate::registers::refused::RefusedOpenings;
use crate::registers::session::{Create, Name, SessionRegister};
use crate::registers::signs::Evidence;
use crate::registers::{MAX_SESSIONS, Registers, StreamAttributes};
use crate::room::Room;
use crate::room::state::RoomState;
use crate::stored::inside::{Inside, StoredError, VERSION};
use crate::stored::stays::{Stored, StoredTable};

/// The stored form of a room. Fields without a comment are those of [`Registers`] that have the same name. Times
/// are local, except in [`StoredLive`].
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredRoom<'a> {
    /// The [`VERSION`] of the form.
    version: u32,
    room_id: Cow<'a, RoomId>,
    /// The settings under which it was made.
    settings: Cow<'a, Rules>,
    /// The local time of its last operation.
    clock: Timestamp,
    info: Option<Cow<'a, RoomInfo>>,
    ended_at: Option<Timestamp>,
    ended_before: Option<Timestamp>,
    empty_since: Option<Timestamp>,
    is_entered: bool,
    sessionless_since: Option<Timestamp>,
    unknown_emptiness: Option<Emptiness>,
    refused: Cow<'a, RefusedOpenings>,
    /// The memberships that hold, the longest silent first.
    members: Vec<StoredMember<'a>>,
    /// The memberships that ended, by user.
    left: Vec<StoredLeft<'a>>,
    /// The connections of those who named one, also of memberships that ended.
    connections: Cow<'a, BTreeMap<UserId, Connections>>,
    /// What the media server told.
    live: StoredLive<'a>,
    /// `Registers::stream_attributes`.
    stream_notes: Cow<'a, IdTable<StreamId, StreamAttributes>>,
    user_notes: Cow<'a, UserNotes>,
}

/// A membership that holds, with the local times of the last heartbeat and of the last update.
#[derive(Serialize, Deserialize)]
struct StoredMember<'a> {
    user_id: Cow<'a, UserId>,
    membership: Cow<'a, Membership>,
    heartbeat_at: Timestamp,
    updated_at: Timestamp,
}

/// A membership that ended: see [`Left`].
#[derive(Serialize, Deserialize)]
struct StoredLeft<'a> {
    user_id: Cow<'a, UserId>,
    joined_at: Timestamp,
    left_at: Timestamp,
    how: Cow<'a, End>,
}

/// What the media server told in callbacks and observations.
#[derive(Serialize, Deserialize)]
struct StoredLive<'a> {
    /// C, in event time.
    latest_create: Option<Timestamp>,
    sessions: Vec<StoredSession<'a>>,
    observed: Cow<'a, Observed>,
}

/// A session. Fields without a comment are those of [`SessionRegister`] that have the same name. Times are event
/// times unless said.
#[derive(Serialize, Deserialize)]
struct StoredSession<'a> {
    /// `None` for the nameless session.
    session_id: Option<Cow<'a, SessionId>>,
    create: Option<Cow<'a, Create>>,
    closed_at: Option<Timestamp>,
    /// `SessionRegister::latest_opening_at`.
    seen_at: Option<Timestamp>,
    /// `SessionRegister::latest_exit_at`.
    exit_at: Option<Timestamp>,
    name: Option<Cow<'a, Name>>,
    /// `SessionRegister::confirmed_open_at`.
    alive_at: Option<Timestamp>,
    first_opening_at: Option<Timestamp>,
    /// In local time.
    heard_at: Timestamp,
    /// In local time.
    hidden_at: Option<Timestamp>,
    hidden_openings_until: Option<Timestamp>,
    emptiness: Option<Emptiness>,
    /// `SessionRegister::changed_at`, in local time.
    touched_at: Timestamp,
    evidence: Cow<'a, Evidence>,
    users: StoredTable<'a, Users>,
    streams: StoredTable<'a, Streams>,
}

/// Serialises all registers, in a form of version 2. Lists are ordered by id, except that of the members. There,
/// whoever has been silent for longest comes first. So members who were silent for equally long time out in the
/// same order as if the room had not been stored.
impl Serialize for Room {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        StoredRoom::of(self.state()).serialize(serializer)
    }
}

/// Checks what it reads: a room that no callbacks and commands could have made is an error that names what is
/// wrong with it.
impl<'de> Deserialize<'de> for Room {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let state = StoredRoom::deserialize(deserializer)?.restore().map_err(de::Error::custom)?;
        Ok(Self::from_state(state))
    }
}

impl<'a> StoredRoom<'a> {
    /// Returns the stored form of a room, which borrows from it.
    pub(crate) fn of(room: &'a RoomState) -> Self {
        let registers = &room.registers;
        let members = registers.members.by_last_seen().map(|member| StoredMember {
            user_id: Cow::Borrowed(member.user_id),
            membership: Cow::Borrowed(member.membership()),
            heartbeat_at: member.heartbeat_at,
            updated_at: member.updated_at(),
        });
        let left = registers.members.ends().map(|(user_id, left)| StoredLeft {
            user_id: Cow::Borrowed(user_id),
            joined_at: left.joined_at,
            left_at: left.left_at,
            how: Cow::Borrowed(&left.how),
        });
        Self {
            version: VERSION,
            room_id: Cow::Borrowed(&room.id),
            settings: Cow::Borrowed(&room.settings),
            clock: room.clock,
            info: registers.info.as_ref().map(Cow::Borrowed),
            ended_at: registers.ended_at,
            ended_before: registers.ended_before,
            empty_since: registers.empty_since,
            is_entered: registers.is_entered,
            sessionless_since: registers.sessionless_since,
            unknown_emptiness: registers.unknown_emptiness,
            refused: Cow::Borrowed(&registers.refused),
            members: members.collect(),
            left: left.collect(),
            connections: Cow::Borrowed(registers.members.all_connections()),
            live: StoredLive {
                latest_create: registers.latest_create,
                sessions: registers.sessions.iter().map(StoredSession::of).collect(),
                observed: Cow::Borrowed(&registers.observed),
            },
            stream_notes: Cow::Borrowed(&registers.stream_attributes),
            user_notes: Cow::Borrowed(&registers.user_notes),
        }
    }

    /// Makes the room again. What bounds the rest is checked and joined first.
    fn restore(self) -> Result<RoomState, StoredError> {
        if self.version != VERSION {
            return Err(StoredError::Version { found: self.version });
        }
        self.check_end()?;
        let (room_id, settings) = (self.room_id.into_owned(), self.settings.into_owned());
        let mut registers = self.live.restore(&room_id, &settings)?;
        registers.info = self.info.map(Cow::into_owned);
        registers.ended_at = self.ended_at;
        registers.ended_before = self.ended_before;
        registers.empty_since = self.empty_since;
        registers.is_entered = self.is_entered;
        registers.sessionless_since = self.sessionless_since;
        registers.unknown_emptiness = self.unknown_emptiness;
        registers.refused = self.refused.into_owned();
        registers.members = restore_members(&room_id, self.members, self.left)?;
        for (user_id, connections) in self.connections.into_owned() {
            let is_known = registers.members.get(&user_id).is_some()
                || registers.members.end_of(user_id.as_str()).is_some();
            if connections.is_impossible() || !is_known {
                let what = format!("a connection of user {user_id}");
                return Err(StoredError::Impossible { room_id, what });
            }
            registers.members.restore_connections(user_id, connections);
        }
        registers.stream_attributes = self.stream_notes.into_owned();
        if let Some(user_id) = self.user_notes.impossible() {
            let what = format!("the notes on user {user_id}");
            return Err(StoredError::Impossible { room_id, what });
        }
        registers.user_notes = self.user_notes.into_owned();
        check_times(&registers, &room_id)?;
        Ok(RoomState::from_registers(room_id, self.clock, Arc::new(settings), registers))
    }
}

impl StoredRoom<'_> {
    /// Checks that nothing is stored that the last end of the room ended (laws 6.5 and 18.3), and that the end
    /// before it was earlier.
    fn check_end(&self) -> Result<(), StoredError> {
        let is_before_end = |at: Timestamp| Some(at) <= self.ended_at;
        let info = self.info.iter().filter(|info| is_before_end(info.updated_at));
        let members =
            self.members.iter().filter(|member| is_before_end(member.membership.joined_at));
        let left =
            self.left.iter().filter(|left| is_before_end(left.joined_at) && *left.how != End::Left);
        let before = self.ended_before.filter(|before| Some(*before) >= self.ended_at);
        let what = before
            .map(|_| "the end before the last".to_owned())
            .into_iter()
            .chain(info.map(|_| "the business info".to_owned()))
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

/// Checks that no local time is beyond what clocks show. What comes next may have to be a millisecond later than
/// these (law 6.5), and that must be possible.
fn check_times(registers: &Registers, room_id: &RoomId) -> Result<(), StoredError> {
    let members = &registers.members;
    let times = [
        (registers.ended_at, "the end"),
        (registers.info.as_ref().map(|info| info.updated_at), "the business info"),
        (members.latest_join(), "a membership"),
        (members.ends().map(|(_, left)| left.joined_at).max(), "a leave"),
        (registers.observed.last_received_at(), "an observation"),
        (registers.sessions.iter().map(|session| session.heard_at).max(), "a session"),
    ];
    let beyond = times.into_iter().find(|(at, _)| *at > Some(Timestamp::LATEST_STORED));
    match beyond {
        Some((_, what)) => Err(StoredError::BeyondClocks { room_id: room_id.clone(), what }),
        None => Ok(()),
    }
}

/// Makes the memberships again, those that hold and those that ended. No user may have two.
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
    members.sort_by_key(|member| member.heartbeat_at); // it is in this order already, unless somebody changed it
    for StoredMember { user_id, membership, heartbeat_at, updated_at } in members {
        let hashed = Hashed::new(&*user_id);
        if restored.place_of(&hashed).is_some() {
            return Err(twice(&user_id));
        }
        restored.insert(hashed, membership.into_owned(), heartbeat_at, updated_at);
    }
    for StoredLeft { user_id, joined_at, left_at, how } in left {
        if restored.get(&*user_id).is_some() || restored.end_of(user_id.as_str()).is_some() {
            return Err(twice(&user_id));
        }
        let left = Left { joined_at, left_at, how: how.into_owned() };
        restored.remember(user_id.into_owned(), left);
    }
    restored.reorder_ends();
    Ok(restored)
}

impl StoredLive<'_> {
    /// Makes the registers of what the media server told. C is set first. It bounds everything else, so what is
    /// below it is found to be impossible.
    fn restore(self, room_id: &RoomId, rules: &Rules) -> Result<Registers, StoredError> {
        let mut registers = Registers { latest_create: self.latest_create, ..Registers::default() };
        if self.sessions.len() > MAX_SESSIONS {
            return Err(StoredError::TooMuch {
                room_id: room_id.clone(),
                what: "the room".to_owned(),
            });
        }
        for session in self.sessions {
            session.restore(&mut registers, room_id, rules)?;
        }
        // Observations are not joined again. They must be as pruning leaves them.
        registers.observed = self.observed.into_owned().into();
        let mut pruned = registers.observed.clone();
        if let Some(observed) = pruned.held() {
            observed.prune(registers.floor(rules), registers.open_outdated_until());
        }
        pruned.drop_idle();
        if let Some(what) = registers
            .observed
            .impossible()
            .or((pruned != registers.observed).then_some("a sighting"))
        {
            return Err(StoredError::Impossible {
                room_id: room_id.clone(),
                what: format!("{what} of the observations"),
            });
        }
        Ok(registers)
    }
}

impl<'a> StoredSession<'a> {
    fn of(session: &'a SessionRegister) -> Self {
        Self {
            session_id: session.id.as_ref().map(Cow::Borrowed),
            create: session.create.as_ref().map(Cow::Borrowed),
            closed_at: session.closed_at,
            seen_at: session.latest_opening_at,
            exit_at: session.latest_exit_at,
            name: session.name.as_ref().map(Cow::Borrowed),
            alive_at: session.confirmed_open_at,
            first_opening_at: session.first_opening_at,
            heard_at: session.heard_at,
            hidden_at: session.hidden_at,
            hidden_openings_until: session.hidden_openings_until,
            emptiness: session.emptiness,
            touched_at: session.changed_at,
            evidence: Cow::Borrowed(&session.evidence),
            users: StoredTable::of(&session.users),
            streams: StoredTable::of(&session.streams),
        }
    }

    /// Joins everything of a session into the registers. Its close comes before its users and streams, because it
    /// bounds them (law 3.3). Each fact must change something: it is neither below a bound, nor stored twice.
    fn restore(
        self,
        registers: &mut Registers,
        room_id: &RoomId,
        rules: &Rules,
    ) -> Result<(), StoredError> {
        let session_id = self.session_id.map(Cow::into_owned);
        let session_name = session_id
            .as_ref()
            .map_or("the session without a name".to_owned(), |id| format!("session {id}"));
        let refuse = |what: &str| StoredError::Impossible {
            room_id: room_id.clone(),
            what: format!("{what} of {session_name}"),
        };
        if registers.session(session_id.as_ref()).is_some() {
            return Err(StoredError::Twice { room_id: room_id.clone(), what: session_name });
        }
        // The nameless session has no creation, no close and no confirmation (laws 21.1 and 21.5).
        let named = [
            (self.create.is_some(), "the creation"),
            (self.closed_at.is_some(), "the close"),
            (self.alive_at.is_some(), "the sighting"),
        ];
        if session_id.is_none()
            && let Some((_, what)) = named.iter().find(|(is_told, _)| *is_told)
        {
            return Err(refuse(what));
        }
        if session_id.is_some() && self.hidden_openings_until.is_some() {
            return Err(refuse("the end of what has no name"));
        }
        let created_at = self.create.as_ref().map(|create| create.created_at);
        if created_at > registers.latest_create {
            return Err(refuse("the creation"));
        }
        let mut session = SessionRegister::new(session_id.clone(), self.heard_at);
        session.hidden_at = self.hidden_at;
        session.hidden_openings_until = self.hidden_openings_until;
        session.emptiness = self.emptiness;
        let index = registers.insert_session(session);
        let none = Facts::default();
        let create = self.create.as_deref().map(Create::fact);
        let name = self.name.as_deref().map(Name::fact);
        let parts = [
            (create.is_some(), Facts { create, ..none }, "the creation"),
            (self.closed_at.is_some(), Facts { close: self.closed_at, ..none }, "the close"),
            (self.seen_at.is_some(), Facts { opening: self.seen_at, ..none }, "the sign of life"),
            (self.exit_at.is_some(), Facts { exit: self.exit_at, ..none }, "the latest exit"),
            (name.is_some(), Facts { name, ..none }, "the name"),
            (
                self.alive_at.is_some(),
                Facts { confirmed_open: self.alive_at, ..none },
                "the sighting",
            ),
        ];
        for (_, facts, what) in parts.into_iter().filter(|(is_stored, ..)| *is_stored) {
            let target = &mut Target::Session;
            if !registers.join(&facts, index, target, self.touched_at, rules).tally.changed {
                return Err(refuse(what));
            }
        }
        let mut inside = Inside { registers, index, rules, refuse: &refuse };
        self.users.restore(&mut inside)?;
        self.streams.restore(&mut inside)?;
        let session = &mut registers.sessions[index];
        if session.is_empty() {
            return Err(refuse("nothing"));
        }
        session.changed_at = self.touched_at;
        session.first_opening_at = self.first_opening_at;
        // A session changed no earlier than what is in it.
        for changed_at in session.users.values().map(|user| user.changed_at) {
            session.changed_at = session.changed_at.max(changed_at);
        }
        for changed_at in session.streams.values().map(|stream| stream.changed_at) {
            session.changed_at = session.changed_at.max(changed_at);
        }
        session.evidence = self.evidence.into_owned();
        if session.evidence.is_possible() { Ok(()) } else { Err(refuse("the evidence of losses")) }
    }
}

impl Stored for Users {
    const NAME: &'static str = "user";

    fn target<'a>(inside: &Inside<'_>, id: &'a UserId) -> Target<'a> {
        inside.registers.target_user(id)
    }

    fn facts(facts: StayFacts<'_, Self>) -> Facts<'_> {
        Facts { user: Some(facts), ..Facts::default() }
    }
}

impl Stored for Streams {
    const NAME: &'static str = "stream";

    fn target<'a>(inside: &Inside<'_>, id: &'a StreamId) -> Target<'a> {
        inside.registers.target_stream(id)
    }

    fn facts(facts: StayFacts<'_, Self>) -> Facts<'_> {
        Facts { stream: Some(facts), ..Facts::default() }
    }
}
