//! What restoring the inside of a session works with, and what can be wrong with a stored room.

use crate::model::config::Rules;
use crate::model::id::RoomId;
use crate::model::time::Timestamp;
use crate::registers::Registers;
use crate::registers::facts::{Facts, Tally};
use crate::registers::places::Target;
use crate::registers::session::SessionRegister;

/// The version of the stored form that this crate writes and reads.
pub(super) const VERSION: u32 = 2;

/// Why what was stored is no room.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum StoredError {
    /// It has another version.
    #[error("a stored room of version {found} cannot be read: this is version {VERSION}")]
    Version { found: u32 },
    /// A session or a membership is there twice.
    #[error("room {room_id}: {what} is stored twice")]
    Twice { room_id: RoomId, what: String },
    /// A join of everything else would not have kept it.
    #[error(
        "room {room_id}: {what} is impossible: it is below a bound, or outranked by what is stored beside it"
    )]
    Impossible { room_id: RoomId, what: String },
    /// A local time leaves no room for a later one.
    #[error("room {room_id}: {what} has a time beyond any clock")]
    BeyondClocks { room_id: RoomId, what: &'static str },
    /// A cap of law 3.10 is exceeded.
    #[error("room {room_id}: {what} exceeds what a room can hold")]
    TooMuch { room_id: RoomId, what: String },
}

/// A session into which users and streams are put back.
pub(super) struct Inside<'s> {
    /// The registers of its room.
    pub(super) registers: &'s mut Registers,
    /// The index of the session.
    pub(super) index: usize,
    /// The settings of the room.
    pub(super) rules: &'s Rules,
    /// Makes the error that something of the room's session is impossible.
    pub(super) refuse: &'s dyn Fn(&str) -> StoredError,
}

impl Inside<'_> {
    /// Returns the session.
    pub(super) fn session(&mut self) -> &mut SessionRegister {
        &mut self.registers.sessions[self.index]
    }

    /// Joins facts of a user or stream, as a callback would.
    pub(super) fn join(
        &mut self,
        facts: &Facts<'_>,
        target: &mut Target<'_>,
        changed_at: Timestamp,
    ) -> Tally {
        self.registers.join(facts, self.index, target, changed_at, self.rules).tally
    }
}
