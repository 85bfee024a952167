//! The stored form of a room (law 1.7), and the checks on the way in.
//!
//! The registers are stored, and nothing that follows from them. On the way in, every register is joined into an
//! empty room by the same code that applies callbacks. What would not be kept there is impossible, and the error
//! names it. So a stored room that was tampered with breaks no promise of a room.
//!
//! Fields of the stored form keep their names from version to version. If a register has another name in the code,
//! the field says so. To add a register, add its field here or in `live.rs`, to `of`, and to `restore`, which says
//! what is impossible of it. Each change of the form raises [`VERSION`].

mod inside;
mod live;
mod stays;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::collections::hashed::Hashed;
use crate::collections::id_table::IdTable;
use crate::model::config::Rules;
use crate::model::id::{RoomId, StreamId, UserId};
use crate::model::time::Timestamp;
use crate::model::visible::{Membership, RoomInfo};
use crate::registers::connections::{Connections, End};
use crate::registers::emptiness::Emptiness;
use crate::registers::members::{Left, Members};
use crate::registers::notes::UserNotes;
use crate::registers::refused::RefusedOpenings;
use crate::registers::roster::MAX_PRESENCES;
use crate::registers::stays::{MAX_SHARED_STAYS, MAX_STAYS};
use crate::registers::{MAX_SESSIONS, Registers, StreamAttributes};
use crate::room::Room;
use crate::room::state::RoomState;
use crate::stored::inside::{StoredError, VERSION};
use crate::stored::live::StoredLive;

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
            live: StoredLive::of(registers),
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
        if let Some(user_id) = self.user_notes.impossible(MAX_NOTES) {
            let what = format!("the notes on user {user_id}");
            return Err(StoredError::Impossible { room_id, what });
        }
        registers.user_notes = self.user_notes.into_owned();
        check_times(&registers, &room_id)?;
        Ok(RoomState::from_registers(room_id, self.clock, Arc::new(settings), registers))
    }
}

impl StoredRoom<'_> {
    /// Checks that nothing is stored that the last end of the room ended (laws 6.5 and 18.3). The end
    /// before it must be earlier.
    fn check_end(&self) -> Result<(), StoredError> {
        let is_before_end = |at: Timestamp| Some(at) <= self.ended_at;
        let info = self.info.iter().filter(|info| is_before_end(info.updated_at));
        let members =
            self.members.iter().filter(|member| is_before_end(member.membership.joined_at));
        let left =
            self.left.iter().filter(|left| is_before_end(left.joined_at) && *left.how != End::Left);
        let notes = self.user_notes.earliest_update().filter(|at| is_before_end(*at));
        let before = self.ended_before.filter(|before| Some(*before) >= self.ended_at);
        let what = before
            .map(|_| "the end before the last".to_owned())
            .into_iter()
            .chain(info.map(|_| "the business info".to_owned()))
            .chain(members.map(|member| format!("the membership of user {}", member.user_id)))
            .chain(left.map(|left| format!("the leave of user {}", left.user_id)))
            .chain(notes.map(|_| "a note".to_owned()))
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

/// How many notes on one user a stored form may have. It is one for each stay and each presence that a room
/// can hold of a user (laws 3.10 and 14.5). An exclusive stay counts like an ordered one.
const MAX_NOTES: usize = MAX_SESSIONS * (2 * MAX_STAYS + MAX_SHARED_STAYS) + MAX_PRESENCES;

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
        (registers.user_notes.latest_update(), "a note"),
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
