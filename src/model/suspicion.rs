//! Signs that a callback was lost: what the application may want to ask the media server about.

use std::fmt;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::time::Timestamp;

/// A reason to believe that a callback about the visible session of a room was lost.
///
/// It is raised when the evidence has been there for
/// [`report_after`](crate::ConfigBuilder::report_after), and withdrawn when the missing callback
/// came, when the session is no longer visible, or when an observation was made after the evidence.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use room_registry::*;
///
/// let clock = ManualClock::at(Timestamp::from_secs(1_000));
/// let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
/// let (room_id, session_id) = (RoomId::new("r1")?, SessionId::new("7")?);
/// let created = RoomCreated::new(Timestamp::from_secs(999));
/// registry.apply_callback(&Callback::new(room_id.clone(), session_id.clone(), created));
/// for (user, counter) in [("ann", 1), ("bob", 3)] {
///     let life = UserSessionId::new(counter.to_string())?;
///     let login = UserLoggedIn::new(UserId::new(user)?, life, Timestamp::from_secs(1_000), counter);
///     registry.apply_callback(&Callback::new(room_id.clone(), session_id.clone(), login));
/// }
/// clock.advance(Duration::from_secs(90));
/// registry.expire();
///
/// let suspicion = registry.room("r1").unwrap().suspicions()[0].clone();
/// assert_eq!((suspicion.sign, suspicion.list), (Sign::Hole, SuspectedList::Users));
/// assert_eq!(suspicion.missing, [(2, 2)]);
/// assert_eq!(suspicion.to_string(), "callbacks 2 of the users' counter are missing");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Suspicion {
    /// What tells of a loss.
    pub sign: Sign,
    /// What may be wrong by it.
    pub list: SuspectedList,
    /// When the evidence became visible, in our time; of several the first.
    pub suspected_since: Timestamp,
    /// The numbers that are missing, as ranges from the first to the last, ascending. Empty where
    /// the sign is not a hole.
    pub missing: Vec<(u64, u64)>,
}

/// What tells that a callback was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Sign {
    /// Between two numbers seen of a counter that rises by one, some are missing.
    Hole,
    /// The session has users or streams, and no create callback.
    NoCreate,
    /// A login ended that nobody told of.
    LogoutWithoutLogin,
    /// A user has two logins at a time.
    TwoLogins,
    /// The room is open, and nobody is in it.
    NobodyPresent,
    /// A stream closed that nobody told of.
    CloseWithoutOpening,
    /// A stream is open, and its publisher is not in the room.
    PublisherAbsent,
}

/// What may be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum SuspectedList {
    /// Which session it is.
    Room,
    /// The list of users.
    Users,
    /// The list of streams.
    Streams,
    /// One of the two lists.
    Both,
}

impl Sign {
    /// The sign's name, as it is stored and printed.
    ///
    /// ```
    /// # use room_registry::Sign;
    /// assert_eq!(Sign::NoCreate.name(), "no_create");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hole => "hole",
            Self::NoCreate => "no_create",
            Self::LogoutWithoutLogin => "logout_without_login",
            Self::TwoLogins => "two_logins",
            Self::NobodyPresent => "nobody_present",
            Self::CloseWithoutOpening => "close_without_opening",
            Self::PublisherAbsent => "publisher_absent",
        }
    }
}

impl SuspectedList {
    /// The list's name, as it is stored and printed.
    ///
    /// ```
    /// # use room_registry::SuspectedList;
    /// assert_eq!(SuspectedList::Users.name(), "users");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Room => "room",
            Self::Users => "users",
            Self::Streams => "streams",
            Self::Both => "both",
        }
    }

    /// Whether an answer must have the users to resolve it.
    pub(crate) fn concerns_users(self) -> bool {
        match self {
            Self::Users | Self::Both => true,
            Self::Room | Self::Streams => false,
        }
    }

    /// Whether an answer must have the streams to resolve it.
    pub(crate) fn concerns_streams(self) -> bool {
        match self {
            Self::Streams | Self::Both => true,
            Self::Room | Self::Users => false,
        }
    }
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for SuspectedList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A sentence that a person on call understands.
impl fmt::Display for Suspicion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.sign {
            Sign::Hole => {
                f.write_str("callbacks ")?;
                for (index, (from, to)) in self.missing.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    if from == to {
                        write!(f, "{comma}{from}")?;
                    } else {
                        write!(f, "{comma}{from} to {to}")?;
                    }
                }
                return write!(f, " of the {}' counter are missing", self.list);
            }
            Sign::NoCreate => "the session has users or streams, and nobody told of its creation",
            Sign::LogoutWithoutLogin => "a login ended that nobody told of",
            Sign::TwoLogins => "a user has two logins at a time",
            Sign::NobodyPresent => "the room is open, and nobody is in it",
            Sign::CloseWithoutOpening => "a stream closed that nobody told of",
            Sign::PublisherAbsent => "a stream is open, and its publisher is not in the room",
        })
    }
}
