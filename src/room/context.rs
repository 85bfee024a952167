//! What an operation on a room works with, beside the room.

use crate::model::change::Cause;
use crate::model::config::{Config, Rules};
use crate::model::time::Timestamp;
use crate::registers::connections::Judge;
use crate::room::notes::ChangeLog;

/// What an operation works with, and what it tells.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) config: &'a Config,
    pub(crate) now: Timestamp,
    pub(crate) cause: Cause,
    pub(crate) log: &'a mut ChangeLog,
    /// Whether anything but the clock and the last heartbeats of the room may be different.
    pub(crate) is_dirty: bool,
    /// Whether the signs of loss may come to something else.
    pub(crate) signs_changed: bool,
}

impl<'a> Context<'a> {
    pub(crate) fn new(
        config: &'a Config,
        now: Timestamp,
        cause: Cause,
        log: &'a mut ChangeLog,
    ) -> Self {
        let now = now.min(Timestamp::LATEST_NOW);
        Self { config, now, cause, log, is_dirty: false, signs_changed: false }
    }

    /// Returns what connections are judged by, by the settings of a room.
    pub(super) fn judge<'r>(&self, settings: &'r Rules) -> Judge<'r> {
        Judge { now: self.now, timeout_ms: self.config.heartbeat_timeout_ms, settings }
    }
}
