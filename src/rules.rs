//! The rules: questions to the registers, by shared reference.
//!
//! A rule changes nothing, and calls nothing that does. It is a method of [`Rulebook`], which borrows the
//! registers, the settings, and the [summaries](summary::Summary) of the sessions. Most steps of the
//! door ask them, and so do views.
//!
//! | file | the question | section of the guide |
//! |---|---|---|
//! | `current` | which session is current? | 4 |
//! | `visibility` | who and what is in it, callbacks and observations taken together? | 4, 15 |
//! | `lists` | what do readers see, in which order? | 4 |
//! | `listing` | how long is an empty room listed, and who counts? | 4, 18 |
//! | `retention` | what is too late, and what may be forgotten? | 5, 16 |
//! | `signs` | which signs of loss hold? | 10, 16 |
//! | `notes` | which of the application's notes do readers see? | 18 |
//! | `summary` | what do the users and streams of a session add up to? | |
//!
//! How to read instants and bounds stands in [`registers`](crate::registers). A session of type `usize` is
//! an index in `registers.sessions`.

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
    /// What is known of the room.
    pub(crate) registers: &'a Registers,
    /// The settings that decide what is stored and visible: δ, ε, R and others.
    pub(crate) settings: &'a Rules,
    /// One for each session, by the same index. The projection keeps them up to date.
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

/// Returns the earlier of two optional instants. `None` means never here, so the other one counts. (`min`
/// would return `None`.)
#[inline]
pub(crate) fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
