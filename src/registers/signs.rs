//! Signs of loss in one session: what shows that callbacks of it were lost.
//!
//! A session keeps them with its sequence gaps (`gaps.rs`). Each has two times. `told_at` is the newest
//! *event time* of its evidence, so an observation that is no earlier resolves it (law 16.1). `noticed_at`
//! is the *local time* at which it was noticed, so that what is merely late has time to arrive (law 10.5).
//!
//! There are two sorts of signs. One *follows from the registers*, such as a session without a creation. It
//! is assessed anew after each change (`rules/signs.rs`), and an observation only hides it. The other
//! *waits for a callback*, such as a logout without its login. It is noted when the closing arrives, and
//! dropped when the opening does, or when an observation resolves it.
//!
//! Step 4 of the door and `room/record.rs` write them. Signs look only at what the media server told: a
//! user whom a command closed out is present to them (law 6.7).
//!
//! This file carries laws 10.3 to 10.6, 10.8, 10.9 and 16.1.

use crate::model::id::{StreamId, StreamSessionId, UserId, UserSessionId};
use crate::model::suspicion::{Sign, SuspectedList};
use crate::model::time::Timestamp;
use crate::registers::gaps::Sequence;

/// How many signs other than gaps a session remembers. Beyond that, a new one is not noted (law 10.9).
const MAX_SIGNS: usize = 64;

/// The signs of loss in one session. The stored form has other names for some fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Evidence {
    /// The counter of logins and logouts.
    pub(crate) users: Sequence,
    /// The counter of stream openings and closings.
    pub(crate) streams: Sequence,
    /// All other signs.
    #[cfg_attr(feature = "serde", serde(rename = "doubts"))]
    pub(crate) signs: Signs,
}

/// The signs other than gaps, each subject once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Signs(Vec<HeldSign>);

/// One sign other than a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct HeldSign {
    /// Which sign it is, and whom it is about.
    #[cfg_attr(feature = "serde", serde(rename = "about"))]
    pub(crate) subject: SignSubject,
    /// The newest event time of its evidence. An observation that is no earlier resolves it.
    pub(crate) told_at: Timestamp,
    /// When it was noticed, in local time.
    #[cfg_attr(feature = "serde", serde(rename = "seen_at"))]
    pub(crate) noticed_at: Timestamp,
    /// Whether the application was told of it (law 10.5).
    pub(crate) reported: bool,
}

/// What a sign is about. [`Sign`] is the same without whom it is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum SignSubject {
    /// The session has facts, and no creation.
    NoCreate,
    /// The session is open, and nobody is in it.
    NobodyPresent,
    /// A user has two logins that exclude each other.
    TwoLogins(UserId),
    /// A stream is open, and its publisher is not in the room.
    PublisherAbsent(StreamId),
    /// A named login ended, and no callback told of its opening.
    LogoutWithoutLogin(UserId, UserSessionId),
    /// An ordered user who was in already came in again, and left within δ. One of two devices may have
    /// gone (law 10.13).
    AmbiguousExit(UserId),
    /// A named stay of a stream closed, and no callback told of its opening.
    CloseWithoutOpening(StreamId, StreamSessionId),
}

/// A gap, another sign, or an opening that came too late, as rules and the planner look at it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SignRef {
    /// Which sign it is.
    pub(crate) sign: Sign,
    /// The list that may be wrong. It decides which observations resolve the sign.
    pub(crate) list: SuspectedList,
    /// The newest event time of the evidence.
    pub(crate) told_at: Timestamp,
    /// When it was noticed, in local time.
    pub(crate) noticed_at: Timestamp,
    /// Whether the application was told of it.
    pub(crate) reported: bool,
    /// The first and the last number that is missing, if it is a gap.
    pub(crate) missing: Option<(u64, u64)>,
}

impl Evidence {
    /// Whether there is no sign at all. Numbers that were seen are no sign.
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

    /// Marks as reported each sign that is due. `is_due` takes its list, `told_at` and `noticed_at`.
    /// Returns how many were marked just now.
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

    /// Drops the gaps and the signs that wait for a callback, if a complete list resolved them (law 16.1).
    /// The arguments are W of the users and of the streams. Returns whether any were dropped.
    pub(crate) fn resolve(&mut self, users: Option<Timestamp>, streams: Option<Timestamp>) -> bool {
        let len = |evidence: &Self| {
            let gaps = evidence.users.gaps().len() + evidence.streams.gaps().len();
            gaps + evidence.signs.0.len()
        };
        let before = len(self);
        self.users.retain(|gap| Some(gap.told_at) > users);
        self.streams.retain(|gap| Some(gap.told_at) > streams);
        self.signs.0.retain(|held| {
            // Signs that wait for a callback concern one list.
            let until = if held.subject.list() == SuspectedList::Users { users } else { streams };
            held.subject.follows_from_state() || Some(held.told_at) > until
        });
        before != len(self)
    }

    /// Joins the signs of another replica (law 10.8).
    pub(crate) fn merge(&mut self, other: &Self, now: Timestamp) {
        self.users.merge(&other.users, now);
        self.streams.merge(&other.streams, now);
        self.signs.merge(&other.signs);
    }

    /// Pulls local times that lie in the future back to now.
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
    /// Returns which sign it is.
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

    /// Returns which list may be wrong.
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

    /// Whether the sign follows from the registers, and does not wait for a callback.
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
    /// `told_at` is the newest event time of its evidence, or `None` if the sign does not hold. If an
    /// observation had resolved the sign, newer evidence raises it again: it is noticed now (law 16.1).
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

    /// Whether a sign is held, resolved or not.
    #[inline]
    pub(crate) fn has(&self, subject: &SignSubject) -> bool {
        self.0.iter().any(|held| held.subject == *subject)
    }

    /// Removes a sign, because the missing callback arrived (law 10.6). Returns whether there was one.
    pub(crate) fn clear(&mut self, subject: &SignSubject) -> bool {
        let before = self.0.len();
        self.0.retain(|held| held.subject != *subject);
        before != self.0.len()
    }

    /// Removes the signs that follow from the registers, because the session is not visible any more (law
    /// 10.4).
    pub(crate) fn clear_state(&mut self) {
        self.0.retain(|held| !held.subject.follows_from_state());
    }

    /// Joins the signs of another replica: the newer evidence and the earlier notice count (law 10.8).
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

    /// Whether callbacks can have made them: no more than a session remembers, and none twice. For what
    /// comes from a store.
    #[cfg(feature = "serde")]
    fn is_possible(&self) -> bool {
        let twice = |(index, sign): (usize, &HeldSign)| {
            self.0[..index].iter().any(|held| held.subject == sign.subject)
        };
        self.0.len() <= MAX_SIGNS && !self.0.iter().enumerate().any(twice)
    }
}
