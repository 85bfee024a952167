//! Signs that a callback was lost: reasons for the application to ask the media server.

use std::fmt;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::named::{named_enum, print_name};
use crate::model::time::Timestamp;

/// A reason to believe that a callback about the visible session of a room was lost.
///
/// A suspicion is raised when its sign has been there for
/// [`report_after`](crate::ConfigBuilder::report_after). It is withdrawn when the missing callback
/// comes, when the session is no longer visible, or when an observation is newer than the sign.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use room_registry::*;
/// use room_registry::event::*;
/// use room_registry::repair::*;
///
/// let clock = ManualClock::at(Timestamp::from_secs(1_000));
/// let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
/// let (room_id, session_id) = (RoomId::new("r1")?, SessionId::new("7")?);
/// let created = RoomCreated::new(Timestamp::from_secs(999));
/// registry.apply_callback(&Callback::new(room_id.clone(), session_id.clone(), created));
/// for (user, counter) in [("ann", 1), ("bob", 3)] {
///     let login_id = UserSessionId::new(counter.to_string())?;
///     let login_at = Timestamp::from_secs(1_000);
///     let login = UserLoggedIn::new(UserId::new(user)?, login_at).user_session_id(login_id).counter(counter);
///     registry.apply_callback(&Callback::new(room_id.clone(), session_id.clone(), login));
/// }
/// clock.advance(Duration::from_secs(90));
/// registry.expire();
///
/// let suspicion = registry.room("r1").unwrap().suspicions()[0].clone();
/// assert_eq!((suspicion.sign, suspicion.list), (Sign::Gap, SuspectedList::Users));
/// assert_eq!(suspicion.missing, [(2, 2)]);
/// assert_eq!(suspicion.to_string(), "the callback counter of users skips 2");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Suspicion {
    /// The sign of a loss.
    pub sign: Sign,
    /// The list that the loss may have left wrong.
    pub list: SuspectedList,
    /// The local time when the sign was noticed; the earliest, if there are several.
    pub suspected_since: Timestamp,
    /// The counters that are missing, as ascending ranges from the first to the last. Empty unless
    /// the sign is a gap.
    pub missing: Vec<(u64, u64)>,
}

named_enum! {
    /// What shows that a callback was lost.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Sign {
        /// A counter that rises by one skips some values.
        Gap = "hole",
        /// The session has users or streams, but its create callback never came.
        NoCreate = "no_create",
        /// A logout came without its login.
        LogoutWithoutLogin = "logout_without_login",
        /// A user has two open logins.
        TwoLogins = "two_logins",
        /// The room is open, but no user is in it.
        NobodyPresent = "nobody_present",
        /// The closing of a stream came without its opening.
        CloseWithoutOpening = "close_without_opening",
        /// A stream is open, but its publisher is not in the room.
        PublisherAbsent = "publisher_absent",
        /// A user came in, was in already, and went within the clock skew. It was another device, or the
        /// same one. Only users whose stays have no id of their own raise it.
        AmbiguousExit = "ambiguous_exit",
        /// A room, a login or a stream was told of too late to be let in, and may be live. This sign
        /// counts at once, and concerns the room whatever session is visible.
        RefusedOpening = "refused_opening",
    }

    /// Returns the name of the sign, as it is stored and printed.
    ///
    /// ```
    /// # use room_registry::repair::Sign;
    /// assert_eq!(Sign::NoCreate.name(), "no_create");
    /// ```
    fn name(Self);
}

named_enum! {
    /// The part of a room that a lost callback may have left wrong.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum SuspectedList {
        /// The visible session itself.
        Room = "room",
        /// The list of users.
        Users = "users",
        /// The list of streams.
        Streams = "streams",
        /// One of the two lists.
        Both = "both",
    }

    /// Returns the name of the list, as it is stored and printed.
    ///
    /// ```
    /// # use room_registry::repair::SuspectedList;
    /// assert_eq!(SuspectedList::Users.name(), "users");
    /// ```
    fn name(Self);
}

named_enum! {
    /// Which lists of a room the media server answers with, if the application asks.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum CanAsk {
        /// The users and the streams of a room.
        Both = "both",
        /// The users alone.
        Users = "users",
        /// The streams alone.
        Streams = "streams",
        /// Nothing: this media server cannot be asked.
        Neither = "neither",
    }

    /// Returns the name of the value, as it is stored and printed.
    ///
    /// ```
    /// # use room_registry::repair::CanAsk;
    /// assert_eq!(CanAsk::Neither.name(), "neither");
    /// ```
    fn name(Self);
}

print_name!(Sign, SuspectedList, CanAsk);

impl CanAsk {
    /// Whether the users can be asked for.
    pub(crate) fn users(self) -> bool {
        matches!(self, Self::Both | Self::Users)
    }

    /// Whether the streams can be asked for.
    pub(crate) fn streams(self) -> bool {
        matches!(self, Self::Both | Self::Streams)
    }

    /// Whether an answer can resolve a suspicion of a list.
    pub(crate) fn resolves(self, list: SuspectedList) -> bool {
        match list {
            SuspectedList::Room => self != Self::Neither,
            SuspectedList::Users => self.users(),
            SuspectedList::Streams => self.streams(),
            SuspectedList::Both => self == Self::Both,
        }
    }

    /// Returns what answers confirm, if there are any.
    pub(crate) fn list(self) -> Option<SuspectedList> {
        match self {
            Self::Both => Some(SuspectedList::Both),
            Self::Users => Some(SuspectedList::Users),
            Self::Streams => Some(SuspectedList::Streams),
            Self::Neither => None,
        }
    }
}

impl SuspectedList {
    /// Whether an answer must have the users to resolve the suspicion.
    pub(crate) fn concerns_users(self) -> bool {
        match self {
            Self::Users | Self::Both => true,
            Self::Room | Self::Streams => false,
        }
    }

    /// Whether an answer must have the streams to resolve the suspicion.
    pub(crate) fn concerns_streams(self) -> bool {
        match self {
            Self::Streams | Self::Both => true,
            Self::Room | Self::Users => false,
        }
    }
}

/// Prints a sentence that a person on call understands.
impl fmt::Display for Suspicion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.sign {
            Sign::Gap => return self.fmt_gap(f),
            Sign::NoCreate => {
                "the session has users or streams, but its create callback is missing"
            }
            Sign::LogoutWithoutLogin => "a logout came, but its login is missing",
            Sign::TwoLogins => "a user has two open logins",
            Sign::NobodyPresent => "the room is open, but no user is in it",
            Sign::CloseWithoutOpening => "a stream closed, but its opening is missing",
            Sign::PublisherAbsent => "a stream is open, but its publisher is not in the room",
            Sign::AmbiguousExit => "a user who was in twice went once, and may still be there",
            Sign::RefusedOpening => "something opened, but was told of too late to be shown",
        })
    }
}

impl Suspicion {
    fn fmt_gap(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the callback counter of {} skips ", self.list)?;
        for (index, (from, to)) in self.missing.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{from}")?;
            if from != to {
                write!(f, " to {to}")?;
            }
        }
        Ok(())
    }
}
