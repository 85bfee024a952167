//! Putting the users and streams of a session back, and what can be wrong with them.

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
    #[error("a stored room of version {found} cannot be read: this is version {VERSION}")]
    Version { found: u32 },
    #[error("room {room_id}: {what} is stored twice")]
    Twice { room_id: RoomId, what: String },
    #[error(
        "room {room_id}: {what} cannot be: it is below a bound, or outranked by what is stored beside it"
    )]
    Impossible { room_id: RoomId, what: String },
    #[error("room {room_id}: {what} has a time that no clock shows")]
    BeyondClocks { room_id: RoomId, what: &'static str },
    #[error("room {room_id}: {what} holds more than any room does")]
    TooMuch { room_id: RoomId, what: String },
}

/// A session whose users and streams are put back.
pub(super) struct Inside<'s> {
    pub(super) registers: &'s mut Registers,
    pub(super) index: usize,
    pub(super) rules: &'s Rules,
    pub(super) refuse: &'s dyn Fn(&str) -> StoredError,
}

impl Inside<'_> {
    pub(super) fn session(&mut self) -> &mut SessionRegister {
        &mut self.registers.sessions[self.index]
    }

    pub(super) fn join(
        &mut self,
        facts: &Facts<'_>,
        target: &mut Target<'_>,
        changed_at: Timestamp,
    ) -> Tally {
        self.registers.join(facts, self.index, target, changed_at, self.rules).tally
    }
}
