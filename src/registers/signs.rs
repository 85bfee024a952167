//! Signs of loss: what tells that callbacks of a session were lost.
//!
//! A session keeps them with its sequence gaps. Each has two times. The *event time* is the newest of
//! what it consists of, so an observation made no earlier resolves it. The *local time* is when it was
//! noticed, so what is merely late has time to come. Signs look at what the media server told alone: a
//! user whom the application closed out is present to them.

use crate::model::id::{StreamId, StreamSessionId, UserId, UserSessionId};
use crate::model::suspicion::{Sign, SuspectedList};
use crate::model::time::Timestamp;
use crate::registers::gaps::Sequence;

/// How many signs a session remembers. More come only from hostile input.
const MAX_SIGNS: usize = 64;

/// The signs of loss in one session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Evidence {
    /// The counter of logins and logouts.
    pub(crate) users: Sequence,
    /// The counter of stream openings and closings.
    pub(crate) streams: Sequence,
    #[cfg_attr(feature = "serde", serde(rename = "doubts"))]
    pub(crate) signs: Signs,
}

/// The signs other than gaps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Signs(Vec<HeldSign>);

/// One sign, and since when it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct HeldSign {
    #[cfg_attr(feature = "serde", serde(rename = "about"))]
    pub(crate) subject: SignSubject,
    /// The newest event time of what tells it: an observation made no earlier resolves it.
    pub(crate) told_at: Timestamp,
    /// When it was noticed, in local time.
    #[cfg_attr(feature = "serde", serde(rename = "seen_at"))]
    pub(crate) noticed_at: Timestamp,
    /// Whether it was told to the application.
    pub(crate) reported: bool,
}

/// What a sign is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum SignSubject {
    /// The session has facts, and no creation.
    NoCreate,
    /// The session is open, and nobody is in it.
    NobodyPresent,
    /// A user has two logins.
    TwoLogins(UserId),
    /// A stream is open, and its publisher is not there.
    PublisherAbsent(StreamId),
    /// A login ended that no callback opened.
    LogoutWithoutLogin(UserId, UserSessionId),
    /// A user went right after coming in, and was in already before: by another device, or the same one.
    AmbiguousExit(UserId),
    /// A stream closed that no callback opened.
    CloseWithoutOpening(StreamId, StreamSessionId),
}

/// A gap or another sign, as readers and the planner look at it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SignRef {
    pub(crate) sign: Sign,
    pub(crate) list: SuspectedList,
    pub(crate) told_at: Timestamp,
    pub(crate) noticed_at: Timestamp,
    pub(crate) reported: bool,
    pub(crate) missing: Option<(u64, u64)>,
}

impl Evidence {
    pub(crate) fn is_empty(&self) -> bool {
        self.users.gaps().is_empty() && self.streams.gaps().is_empty() && self.signs.is_empty()
    }

    /// Returns every gap and every other sign.
    pub(crate) fn iter(&self) -> impl Iterator<Item = SignRef> {
        let gaps = |sequence: &Sequence, list| {
            sequence.gaps().to_vec().into_iter().map(move |gap| SignRef {
                sign: Sign::Gap,
                list,
                told_at: gap.told_at,
                noticed_at: gap.noticed_at,
                reported: gap.reported,
                missing: Some((gap.from, gap.to)),
            })
        };
        let signs = self.signs.iter().map(|held| SignRef {
            sign: held.subject.sign(),
            list: held.subject.list(),
            told_at: held.told_at,
            noticed_at: held.noticed_at,
            reported: held.reported,
            missing: None,
        });
        gaps(&self.users, SuspectedList::Users)
            .chain(gaps(&self.streams, SuspectedList::Streams))
            .chain(signs)
    }

    /// Marks as told whatever `is_due` says of its list, its event time and the time it was noticed.
    /// Returns how many were not marked before.
    pub(crate) fn mark_reported(
        &mut self,
        is_due: impl Fn(SuspectedList, Timestamp, Timestamp) -> bool,
    ) -> usize {
        let gaps = |sequence: &mut Sequence, list| {
            let due = sequence
                .gaps_mut()
                .iter_mut()
                .filter(|gap| !gap.reported && is_due(list, gap.told_at, gap.noticed_at));
            due.map(|gap| gap.reported = true).count()
        };
        let of_gaps = gaps(&mut self.users, SuspectedList::Users)
            + gaps(&mut self.streams, SuspectedList::Streams);
        let due = self.signs.0.iter_mut().filter(|held| {
            !held.reported && is_due(held.subject.list(), held.told_at, held.noticed_at)
        });
        of_gaps + due.map(|held| held.reported = true).count()
    }

    /// Drops the gaps, and the signs that wait for a callback, that an observation of the users or the
    /// streams resolved. Returns whether there were any.
    pub(crate) fn resolve(&mut self, users: Option<Timestamp>, streams: Option<Timestamp>) -> bool {
        let len = |evidence: &Self| {
            let gaps = evidence.users.gaps().len() + evidence.streams.gaps().len();
            gaps + evidence.signs.0.len()
        };
        let before = len(self);
        self.users.retain(|gap| Some(gap.told_at) > users);
        self.streams.retain(|gap| Some(gap.told_at) > streams);
        self.signs.0.retain(|held| {
            let until = if held.subject.list() == SuspectedList::Users { users } else { streams };
            held.subject.follows_from_state() || Some(held.told_at) > until
        });
        before != len(self)
    }

    pub(crate) fn merge(&mut self, other: &Self, now: Timestamp) {
        self.users.merge(&other.users, now);
        self.streams.merge(&other.streams, now);
        self.signs.merge(&other.signs);
    }

    pub(crate) fn pull_back(&mut self, now: Timestamp) {
        self.users.pull_back(now);
        self.streams.pull_back(now);
        for held in &mut self.signs.0 {
            held.noticed_at = held.noticed_at.min(now);
        }
    }

    /// Whether callbacks can have made it. For what comes from a store.
    #[cfg(feature = "serde")]
    pub(crate) fn is_possible(&self) -> bool {
        self.users.is_possible() && self.streams.is_possible() && self.signs.is_possible()
    }
}

impl SignSubject {
    pub(crate) fn sign(&self) -> Sign {
        match self {
            Self::NoCreate => Sign::NoCreate,
            Self::NobodyPresent => Sign::NobodyPresent,
            Self::TwoLogins(_) => Sign::TwoLogins,
            Self::PublisherAbsent(_) => Sign::PublisherAbsent,
            Self::LogoutWithoutLogin(..) => Sign::LogoutWithoutLogin,
            Self::AmbiguousExit(_) => Sign::AmbiguousExit,
            Self::CloseWithoutOpening(..) => Sign::CloseWithoutOpening,
        }
    }

    pub(crate) fn list(&self) -> SuspectedList {
        match self {
            Self::NoCreate => SuspectedList::Room,
            Self::NobodyPresent
            | Self::TwoLogins(_)
            | Self::LogoutWithoutLogin(..)
            | Self::AmbiguousExit(_) => SuspectedList::Users,
            Self::CloseWithoutOpening(..) => SuspectedList::Streams,
            Self::PublisherAbsent(_) => SuspectedList::Both,
        }
    }

    /// Whether the sign follows from the registers, so that it is assessed again after each change.
    /// The others stay until the missing callback comes.
    fn follows_from_state(&self) -> bool {
        match self {
            Self::NoCreate
            | Self::NobodyPresent
            | Self::TwoLogins(_)
            | Self::PublisherAbsent(_) => true,
            Self::LogoutWithoutLogin(..)
            | Self::CloseWithoutOpening(..)
            | Self::AmbiguousExit(_) => false,
        }
    }
}

impl Signs {
    /// Sets or removes a sign. Returns whether that changed anything.
    ///
    /// `told_at` is the newest event time of what tells it, or `None` if the sign does not hold. If that
    /// is newer than what resolved the sign before, the sign is noticed again now.
    pub(crate) fn set(
        &mut self,
        subject: SignSubject,
        told_at: Option<Timestamp>,
        now: Timestamp,
        resolved_until: Option<Timestamp>,
    ) -> bool {
        let index = self.0.iter().position(|held| held.subject == subject);
        match (index, told_at) {
            (None, None) => false,
            (None, Some(told_at)) => {
                let has_room = self.0.len() < MAX_SIGNS;
                if has_room {
                    self.0.push(HeldSign { subject, told_at, noticed_at: now, reported: false });
                }
                has_room
            }
            (Some(index), None) => {
                self.0.remove(index);
                true
            }
            (Some(index), Some(told_at)) => {
                let held = &mut self.0[index];
                let is_newer = told_at > held.told_at;
                if is_newer {
                    if Some(held.told_at) <= resolved_until {
                        held.noticed_at = now;
                    }
                    held.told_at = told_at;
                }
                is_newer
            }
        }
    }

    #[inline]
    pub(crate) fn has(&self, subject: &SignSubject) -> bool {
        self.0.iter().any(|held| held.subject == *subject)
    }

    /// Removes the sign of a callback that came after all. Returns whether there was one.
    pub(crate) fn clear(&mut self, subject: &SignSubject) -> bool {
        let before = self.0.len();
        self.0.retain(|held| held.subject != *subject);
        before != self.0.len()
    }

    /// Removes the signs that follow from the registers: the session is not visible any more. Returns
    /// whether there were any.
    pub(crate) fn clear_state(&mut self) -> bool {
        let before = self.0.len();
        self.0.retain(|held| !held.subject.follows_from_state());
        before != self.0.len()
    }

    /// Joins the signs of another replica.
    fn merge(&mut self, other: &Self) {
        for sign in &other.0 {
            let has_room = self.0.len() < MAX_SIGNS;
            match self.0.iter_mut().find(|held| held.subject == sign.subject) {
                Some(held) => {
                    held.told_at = held.told_at.max(sign.told_at);
                    held.noticed_at = held.noticed_at.min(sign.noticed_at);
                    held.reported |= sign.reported;
                }
                None if has_room => self.0.push(sign.clone()),
                None => {}
            }
        }
        self.0.sort_unstable_by(|a, b| a.subject.cmp(&b.subject));
    }

    #[inline]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &HeldSign> {
        self.0.iter()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is no more than a session remembers, and nothing twice.
    #[cfg(feature = "serde")]
    fn is_possible(&self) -> bool {
        let twice = |(index, sign): (usize, &HeldSign)| {
            self.0[..index].iter().any(|held| held.subject == sign.subject)
        };
        self.0.len() <= MAX_SIGNS && !self.0.iter().enumerate().any(twice)
    }
}
