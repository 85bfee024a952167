//! Summaries of sessions: what its users and streams add up to.
//!
//! They spare rules a walk through all users. The projection keeps one for each session. Step 5 of the
//! door brings it up to date, by replacing what the concerned user or stream adds. They carry no law by
//! themselves.

use smallvec::SmallVec;

use crate::model::config::Rules;
use crate::model::time::Timestamp;
use crate::registers::Registers;
use crate::registers::kind::{Streams, Users};
use crate::registers::places::Places;
use crate::registers::session::SessionRegister;
use crate::registers::stays::StayRegister;
use crate::registers::tables::Tables;

/// What the users and streams of one session add up to, whatever observations say of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Summary {
    /// How many users have an open login.
    pub(crate) logged_in: usize,
    /// How many users have a login that a command closed. To signs of loss they are present (law 6.7).
    pub(crate) closed_by_us: usize,
    /// How many streams are open.
    pub(crate) open_streams: usize,
    /// The latest event time of any fact of a user or stream, as it counts for forgetting (law 2.3).
    pub(crate) newest: Option<Timestamp>,
}

/// What one user or stream adds to the summary of each session, by the index of the session.
pub(crate) type Parts = SmallVec<[Summary; 1]>;

impl Summary {
    /// Summarises a session from nothing. Cost: its users and streams.
    pub(crate) fn of(session: &SessionRegister, rules: &Rules) -> Self {
        let mut summary = Self::default();
        for user in session.users.values() {
            summary.add(Users::summary(user, rules));
        }
        for stream in session.streams.values() {
            summary.add(Streams::summary(stream, rules));
        }
        summary
    }

    /// Returns what one user or stream adds to the summary of each session.
    #[inline]
    pub(crate) fn parts<K: Summed>(
        registers: &Registers,
        places: &Places,
        rules: &Rules,
    ) -> impl Iterator<Item = Self> {
        let stays = registers.stays_by_session::<K>(places);
        stays.map(move |stays| stays.map(|stays| K::summary(stays, rules)).unwrap_or_default())
    }

    /// Adds what one user or stream adds.
    fn add(&mut self, part: Self) {
        self.logged_in += part.logged_in;
        self.closed_by_us += part.closed_by_us;
        self.open_streams += part.open_streams;
        self.newest = self.newest.max(part.newest);
    }

    /// Replaces what one user or stream adds. Returns whether `newest` may have to go down. A sum can be
    /// corrected, but a maximum cannot, so the session is then summarised from nothing.
    #[inline]
    pub(crate) fn replace(&mut self, before: Self, after: Self) -> bool {
        self.logged_in = self.logged_in + after.logged_in - before.logged_in;
        self.closed_by_us = self.closed_by_us + after.closed_by_us - before.closed_by_us;
        self.open_streams = self.open_streams + after.open_streams - before.open_streams;
        let is_lower = after.newest < before.newest && before.newest >= self.newest;
        self.newest = self.newest.max(after.newest);
        is_lower
    }
}

/// A kind that says what one of its things adds to the summary of a session.
pub(crate) trait Summed: Tables {
    /// Returns what a user or stream adds, by its register in one session.
    fn summary(stays: &StayRegister<Self>, rules: &Rules) -> Summary;
}

impl Summed for Users {
    #[inline]
    fn summary(user: &StayRegister<Self>, rules: &Rules) -> Summary {
        Summary {
            logged_in: usize::from(user.is_open()),
            closed_by_us: usize::from(user.is_closed_by_us()),
            open_streams: 0,
            newest: user.newest_counting(rules),
        }
    }
}

impl Summed for Streams {
    #[inline]
    fn summary(stream: &StayRegister<Self>, rules: &Rules) -> Summary {
        let open_streams = usize::from(stream.is_open());
        Summary { open_streams, newest: stream.newest_counting(rules), ..Summary::default() }
    }
}

/// Returns the latest event time of any fact in a session, as it counts for forgetting (law 5.4).
#[inline]
pub(crate) fn newest(session: &SessionRegister, summary: &Summary) -> Option<Timestamp> {
    session.newest_of_its_own().max(summary.newest)
}
