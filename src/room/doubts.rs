//! Signs in one session that a callback was lost, other than holes in its counters.

use crate::model::id::{StreamId, StreamSessionId, UserId, UserSessionId};
use crate::model::suspicion::{Sign, SuspectedList};
use crate::model::time::Timestamp;

/// How many doubts a session remembers. More come only from hostile input.
const MAX_DOUBTS: usize = 64;

/// The doubts about a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Doubts(Vec<Doubt>);

/// One sign, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Doubt {
    pub(crate) about: About,
    /// The newest time of the evidence, theirs: an observation made no earlier resolves it.
    pub(crate) told_at: Timestamp,
    /// When it became visible, in our time.
    pub(crate) seen_at: Timestamp,
    /// Whether it was told to the application.
    pub(crate) reported: bool,
}

/// What is doubtful.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum About {
    /// The session has facts, and no create.
    NoCreate,
    /// It is open without anybody.
    NobodyPresent,
    /// A user has two logins.
    TwoLogins(UserId),
    /// A stream is open without its publisher.
    PublisherAbsent(StreamId),
    /// A login ended that nobody told of.
    LogoutWithoutLogin(UserId, UserSessionId),
    /// A stream closed that nobody told of.
    CloseWithoutOpening(StreamId, StreamSessionId),
}

impl About {
    pub(crate) fn sign(&self) -> Sign {
        match self {
            Self::NoCreate => Sign::NoCreate,
            Self::NobodyPresent => Sign::NobodyPresent,
            Self::TwoLogins(_) => Sign::TwoLogins,
            Self::PublisherAbsent(_) => Sign::PublisherAbsent,
            Self::LogoutWithoutLogin(..) => Sign::LogoutWithoutLogin,
            Self::CloseWithoutOpening(..) => Sign::CloseWithoutOpening,
        }
    }

    pub(crate) fn list(&self) -> SuspectedList {
        match self {
            Self::NoCreate => SuspectedList::Room,
            Self::NobodyPresent | Self::TwoLogins(_) | Self::LogoutWithoutLogin(..) => {
                SuspectedList::Users
            }
            Self::CloseWithoutOpening(..) => SuspectedList::Streams,
            Self::PublisherAbsent(_) => SuspectedList::Both,
        }
    }

    /// Whether it follows from what is held, so that it is looked at again after each change; the
    /// others stay until the missing callback comes.
    fn is_of_state(&self) -> bool {
        match self {
            Self::NoCreate
            | Self::NobodyPresent
            | Self::TwoLogins(_)
            | Self::PublisherAbsent(_) => true,
            Self::LogoutWithoutLogin(..) | Self::CloseWithoutOpening(..) => false,
        }
    }
}

impl Doubts {
    /// Takes note of whether there is a sign. `told_at` is the newest time of its evidence; where
    /// that is newer than what resolved the sign before, it is visible since now again.
    pub(crate) fn set(
        &mut self,
        about: About,
        told_at: Option<Timestamp>,
        now: Timestamp,
        resolved_until: Option<Timestamp>,
    ) {
        let index = self.0.iter().position(|doubt| doubt.about == about);
        match (index, told_at) {
            (None, None) => {}
            (None, Some(told_at)) => {
                if self.0.len() < MAX_DOUBTS {
                    self.0.push(Doubt { about, told_at, seen_at: now, reported: false });
                }
            }
            (Some(index), None) => {
                self.0.remove(index);
            }
            (Some(index), Some(told_at)) => {
                let doubt = &mut self.0[index];
                if told_at > doubt.told_at {
                    if Some(doubt.told_at) <= resolved_until {
                        doubt.seen_at = now;
                    }
                    doubt.told_at = told_at;
                }
            }
        }
    }

    /// Whether there is a sign.
    pub(crate) fn has(&self, about: &About) -> bool {
        self.0.iter().any(|doubt| doubt.about == *about)
    }

    /// The missing callback came.
    pub(crate) fn clear(&mut self, about: &About) {
        self.0.retain(|doubt| doubt.about != *about);
    }

    /// The session is not the visible one any more.
    pub(crate) fn clear_state(&mut self) {
        self.0.retain(|doubt| !doubt.about.is_of_state());
    }

    /// Gives up those that wait for a callback and that were resolved without it.
    pub(crate) fn retain_awaited(&mut self, is_kept: impl Fn(&Doubt) -> bool) {
        self.0.retain(|doubt| doubt.about.is_of_state() || is_kept(doubt));
    }

    /// Joins what another replica has doubts about.
    pub(crate) fn merge(&mut self, other: &Self) {
        for doubt in &other.0 {
            let has_room = self.0.len() < MAX_DOUBTS;
            match self.0.iter_mut().find(|held| held.about == doubt.about) {
                Some(held) => {
                    held.told_at = held.told_at.max(doubt.told_at);
                    held.seen_at = held.seen_at.min(doubt.seen_at);
                    held.reported |= doubt.reported;
                }
                None if has_room => self.0.push(doubt.clone()),
                None => {}
            }
        }
        self.0.sort_unstable_by(|a, b| a.about.cmp(&b.about));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Doubt> {
        self.0.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Doubt> {
        self.0.iter_mut()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn pull_back(&mut self, now: Timestamp) {
        for doubt in &mut self.0 {
            doubt.seen_at = doubt.seen_at.min(now);
        }
    }

    /// Whether it is no more than a session remembers, and nothing twice.
    #[cfg(feature = "serde")]
    pub(crate) fn is_possible(&self) -> bool {
        let twice = |(index, doubt): (usize, &Doubt)| {
            self.0[..index].iter().any(|held| held.about == doubt.about)
        };
        self.0.len() <= MAX_DOUBTS && !self.0.iter().enumerate().any(twice)
    }
}
