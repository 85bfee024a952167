//! Questions to the registers, by shared reference: which session is current, who is visible, what the
//! retention lets in and lets go, which signs of loss hold.
//!
//! A rule changes nothing. What it needs beside the registers is passed in: the settings, and the
//! [summaries](summary::Summary) of the sessions, which spare it a walk through their users.

pub(crate) mod current;
pub(crate) mod listing;
pub(crate) mod lists;
mod notes;
pub(crate) mod retention;
pub(crate) mod signs;
pub(crate) mod summary;
pub(crate) mod visibility;

use crate::model::config::Rules;
use crate::model::time::Timestamp;
use crate::registers::Registers;
use crate::registers::session::SessionRegister;
use crate::rules::summary::Summary;

/// The registers of a room, and what its rules need beside them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rulebook<'a> {
    pub(crate) registers: &'a Registers,
    pub(crate) settings: &'a Rules,
    /// One a session, by the same index.
    pub(crate) summaries: &'a [Summary],
}

impl<'a> Rulebook<'a> {
    /// Returns the sessions with their indexes and summaries.
    #[inline]
    fn sessions(self) -> impl Iterator<Item = (usize, &'a SessionRegister, &'a Summary)> + Clone {
        let sessions = self.registers.sessions.iter().zip(self.summaries).enumerate();
        sessions.map(|(index, (session, summary))| (index, session, summary))
    }
}

/// Returns the earlier of two instants that may be none.
#[inline]
pub(crate) fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
