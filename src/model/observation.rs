//! What the application saw when it asked the media server: the input that mends lost callbacks.
//!
//! A callback that is lost for good leaves a ghost in a list, or a live room out of it. Asking the
//! media server's own API tells what is there at one moment. An [`Observation`] is such an answer.
//! The library never asks by itself; it says what to ask about, and takes the answer in.
//!
//! An observation counts as made a clock skew before it was: whatever changed since is left to
//! callbacks. So it never undoes what is newer than itself, however late it is handed in.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::callback::StreamDetails;
use crate::model::error::{Error, id_text};
use crate::model::id::{RoomId, SessionId, StreamId, UserId};
use crate::model::text::{Role, Text};
use crate::model::time::Timestamp;

/// What the media server showed of one room when it was asked.
///
/// # Example
///
/// ```
/// use room_registry::{
///     Config, ManualClock, Observation, ObservedUser, Outcome, RoomId, RoomRegistry, Timestamp, UserId,
/// };
///
/// let clock = ManualClock::at(Timestamp::from_secs(1_000));
/// let mut registry = RoomRegistry::with_clock(Config::default(), clock);
///
/// // No callback of this room ever came, but the media server has it:
/// let observation = Observation::new(RoomId::new("r1")?, Timestamp::from_secs(999))
///     .users([ObservedUser::new(UserId::new("ann")?)])
///     .streams([]);
/// assert_eq!(registry.apply_observation(&observation)?, Outcome::Applied);
/// assert!(registry.room("r1").unwrap().user("ann").is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Observation {
    /// The room that was asked about.
    pub room_id: RoomId,
    /// When the media server's data was read, in their time. Of a list of several pages the moment
    /// at which the first page was asked for.
    pub observed_at: Timestamp,
    /// The session that the answer named, where it named one.
    pub session_id: Option<SessionId>,
    /// Whether the answer said that the room is open.
    pub open: Option<bool>,
    /// The users.
    pub users: ObservedList<ObservedUser>,
    /// The streams.
    pub streams: ObservedList<ObservedStream>,
}

/// A list of an [`Observation`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
pub enum ObservedList<T> {
    /// It was not asked for: nothing is said.
    #[default]
    NotAsked,
    /// Some pages of it: what is in it was there, and nothing is said of others.
    Partial(Vec<T>),
    /// All of it: what is not in it was not there.
    Complete(Vec<T>),
}

/// A user in an [`Observation`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct ObservedUser {
    /// Who.
    pub user_id: UserId,
    /// The name to show.
    pub user_name: Option<Text>,
    /// What the user is in the room.
    pub role: Option<Role>,
    /// When the login began, where the answer tells. Shown, and never used to order facts.
    pub login_at: Option<Timestamp>,
}

/// A stream in an [`Observation`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct ObservedStream {
    /// Which stream.
    pub stream_id: StreamId,
    /// When it was created, where the answer tells. Shown, and never used to order facts: of a
    /// stream that was published again it may be either time.
    pub created_at: Option<Timestamp>,
    /// Publisher, title, and what else the answer tells.
    pub details: StreamDetails,
}

/// Documents a method of an observation with an example on a fresh one.
macro_rules! observation_example {
    ($($line:literal),+) => {
        concat!(
            "```\n",
            "# use room_registry::*;\n",
            "# let observation = Observation::new(RoomId::new(\"r1\")?, Timestamp::from_secs(9));\n",
            $($line, "\n",)+
            "# Ok::<(), IdError>(())\n",
            "```"
        )
    };
}

impl Observation {
    /// An answer about a room, in which nothing was asked yet.
    ///
    #[doc = observation_example!("assert_eq!(observation.users, ObservedList::NotAsked);")]
    #[must_use]
    pub fn new(room_id: RoomId, observed_at: Timestamp) -> Self {
        Self {
            room_id,
            observed_at,
            session_id: None,
            open: None,
            users: ObservedList::NotAsked,
            streams: ObservedList::NotAsked,
        }
    }

    /// The answer named the session.
    ///
    #[doc = observation_example!(
        "let observation = observation.session_id(SessionId::new(\"7\")?);",
        "assert_eq!(observation.session_id.unwrap().as_str(), \"7\");"
    )]
    #[must_use]
    pub fn session_id(mut self, session_id: SessionId) -> Self {
        self.session_id = Some(session_id);
        self
    }

    /// The answer said whether the room is open.
    ///
    #[doc = observation_example!("assert_eq!(observation.open(false).open, Some(false));")]
    #[must_use]
    pub fn open(mut self, open: bool) -> Self {
        self.open = Some(open);
        self
    }

    /// All users that are in the room.
    ///
    #[doc = observation_example!(
        "let observation = observation.users([ObservedUser::new(UserId::new(\"ann\")?)]);",
        "assert!(matches!(observation.users, ObservedList::Complete(users) if users.len() == 1));"
    )]
    #[must_use]
    pub fn users(mut self, users: impl IntoIterator<Item = ObservedUser>) -> Self {
        self.users = ObservedList::Complete(users.into_iter().collect());
        self
    }

    /// Some of the users that are in the room.
    ///
    #[doc = observation_example!(
        "let observation = observation.some_users([ObservedUser::new(UserId::new(\"ann\")?)]);",
        "assert!(matches!(observation.users, ObservedList::Partial(users) if users.len() == 1));"
    )]
    #[must_use]
    pub fn some_users(mut self, users: impl IntoIterator<Item = ObservedUser>) -> Self {
        self.users = ObservedList::Partial(users.into_iter().collect());
        self
    }

    /// All streams that are in the room.
    ///
    #[doc = observation_example!(
        "let observation = observation.streams([]);",
        "assert_eq!(observation.streams, ObservedList::Complete(vec![]));"
    )]
    #[must_use]
    pub fn streams(mut self, streams: impl IntoIterator<Item = ObservedStream>) -> Self {
        self.streams = ObservedList::Complete(streams.into_iter().collect());
        self
    }

    /// Some of the streams that are in the room.
    ///
    #[doc = observation_example!(
        "let observation = observation.some_streams([]);",
        "assert_eq!(observation.streams, ObservedList::Partial(vec![]));"
    )]
    #[must_use]
    pub fn some_streams(mut self, streams: impl IntoIterator<Item = ObservedStream>) -> Self {
        self.streams = ObservedList::Partial(streams.into_iter().collect());
        self
    }

    /// Makes the answer consistent: what it says of the room as a whole. Any entry means that it is
    /// open; no user in the whole list that it is not, where `empty_means_closed`.
    pub(crate) fn verdict(&self, empty_means_closed: bool) -> Result<Verdict<'_>, Error> {
        let has_entries = !self.users.entries().is_empty() || !self.streams.entries().is_empty();
        let session_id = self.session_id.as_ref();
        match self.open {
            Some(false) if has_entries => {
                Err(Error::ContradictoryObservation { room_id: id_text(self.room_id.as_str()) })
            }
            Some(false) => Ok(session_id.map_or(Verdict::NotOpen, Verdict::Closed)),
            None if !has_entries => {
                let is_empty = matches!(self.users, ObservedList::Complete(_));
                Ok(if is_empty && empty_means_closed { Verdict::NotOpen } else { Verdict::Unsaid })
            }
            Some(true) | None => Ok(session_id.map_or(Verdict::Open, Verdict::Alive)),
        }
    }
}

/// What an answer says of the room as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict<'a> {
    /// It is not open, whatever session was meant; both lists are empty.
    NotOpen,
    /// This session was said to be closed.
    Closed(&'a SessionId),
    /// It is open.
    Open,
    /// It is open, and the session of this name runs.
    Alive(&'a SessionId),
    /// Nothing.
    Unsaid,
}

impl<T> ObservedList<T> {
    /// What is in it.
    ///
    /// ```
    /// # use room_registry::ObservedList;
    /// assert_eq!(ObservedList::Partial(vec![1, 2]).entries(), [1, 2]);
    /// assert!(ObservedList::<u8>::NotAsked.entries().is_empty());
    /// ```
    #[must_use]
    pub fn entries(&self) -> &[T] {
        match self {
            Self::NotAsked => &[],
            Self::Partial(entries) | Self::Complete(entries) => entries,
        }
    }
}

impl ObservedUser {
    /// A user who is there.
    ///
    /// ```
    /// # use room_registry::{ObservedUser, UserId};
    /// assert_eq!(ObservedUser::new(UserId::new("ann")?).user_name, None);
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn new(user_id: UserId) -> Self {
        Self { user_id, user_name: None, role: None, login_at: None }
    }

    /// Names the user.
    ///
    /// ```
    /// # use room_registry::{ObservedUser, UserId};
    /// let ann = ObservedUser::new(UserId::new("ann")?).name("Ann");
    /// assert_eq!(ann.user_name.unwrap(), "Ann");
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn name(mut self, user_name: impl Into<Text>) -> Self {
        self.user_name = user_name.into().non_empty();
        self
    }
}

impl ObservedStream {
    /// A stream that is there.
    ///
    /// ```
    /// # use room_registry::{ObservedStream, StreamId};
    /// assert_eq!(ObservedStream::new(StreamId::new("camera")?).created_at, None);
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn new(stream_id: StreamId) -> Self {
        Self { stream_id, created_at: None, details: StreamDetails::default() }
    }

    /// Names the publisher.
    ///
    /// ```
    /// # use room_registry::{ObservedStream, StreamId, UserId};
    /// let camera = ObservedStream::new(StreamId::new("camera")?).publisher_id(UserId::new("tom")?);
    /// assert_eq!(camera.details.publisher_id.unwrap(), "tom");
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn publisher_id(mut self, publisher_id: UserId) -> Self {
        self.details.publisher_id = Some(publisher_id);
        self
    }
}
