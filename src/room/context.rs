//! What an operation on a room works with, beside the room. [`Room`](crate::Room) and the registry make
//! one for each operation, and read `is_dirty` from it afterwards.

use crate::model::change::Cause;
use crate::model::config::{Config, Rules};
use crate::model::time::Timestamp;
use crate::registers::connections::Judge;
use crate::room::notes::ChangeLog;

/// What an operation works with, and what it tells.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    /// The settings of the process. Those that decide what is stored are in the room itself.
    pub(crate) config: &'a Config,
    /// The local time of the operation. If the clock stepped back a little, `tick` puts the room's own
    /// clock in its place.
    pub(crate) now: Timestamp,
    /// What the changes tell as their cause. A pass that time causes sets another one meanwhile.
    pub(crate) cause: Cause,
    /// Where changes are noted.
    pub(crate) log: &'a mut ChangeLog,
    /// Whether the stored form may differ, apart from the clock and the last heartbeats of the room.
    pub(crate) is_dirty: bool,
    /// Whether other signs of loss may hold than before, or the room entered or left the list. Then
    /// `report.rs` finds out what is suspected.
    pub(crate) signs_changed: bool,
}

impl<'a> Context<'a> {
    pub(crate) fn new(
        config: &'a Config,
        now: Timestamp,
        cause: Cause,
        log: &'a mut ChangeLog,
    ) -> Self {
        let now = now.min(Timestamp::LATEST_NOW); // something later than now must stay possible
        Self { config, now, cause, log, is_dirty: false, signs_changed: false }
    }

    /// Returns what decides whether a connection of a member holds.
    pub(super) fn judge<'r>(&self, settings: &'r Rules) -> Judge<'r> {
        Judge { now: self.now, timeout_ms: self.config.heartbeat_timeout_ms, settings }
    }
}
