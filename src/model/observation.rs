//! Observations: what the application saw when it asked the media server.
//!
//! A callback that is lost for good leaves a ghost in a list, or keeps a live room out of it. The
//! media server can be asked what is there at one moment, and an [`Observation`] is its answer. The
//! library never asks by itself: it says what to ask, and takes the answer in.
//!
//! An observation counts as made one clock skew before its time. Callbacks alone decide about
//! everything later, so an observation never undoes what is newer, however late it arrives.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::callback::StreamDetails;
use crate::model::error::{Error, id_text};
use crate::model::id::{RoomId, SessionId, StreamId, UserId};
use crate::model::text::{Role, Text};
use crate::model::time::Timestamp;

/// What the media server answered when it was asked about one room.
///
/// # Example
///
/// ```
/// use room_registry::repair::ObservedUser;
/// use room_registry::{
///     Config, ManualClock, Observation, Outcome, RoomId, RoomRegistry, Timestamp, UserId,
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
    /// The event time of the answer: when the media server read its data. For a list of several pages, it
    /// is the moment before the application asked for the first one.
    pub observed_at: Timestamp,
    /// The session, if the answer named one.
    pub session_id: Option<SessionId>,
    /// Whether the room is open; `None` if the answer did not say.
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
    /// The application did not ask for the list, so it says nothing.
    #[default]
    NotAsked,
    /// Some entries of the list: they were there, and it says nothing about others.
    Partial(Vec<T>),
    /// The complete list: what is not in it was not there.
    Complete(Vec<T>),
}

/// A user in an [`Observation`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct ObservedUser {
    /// The user.
    pub user_id: UserId,
    /// The name to show.
    pub user_name: Option<Text>,
    /// What the user is in the room.
    pub role: Option<Role>,
    /// When the login began, if the answer says. Readers see it, but it never orders facts.
    pub login_at: Option<Timestamp>,
}

/// A stream in an [`Observation`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct ObservedStream {
    /// The stream.
    pub stream_id: StreamId,
    /// When the stream was created, if the answer says. Readers see it, but it never orders facts: the
    /// vendor may give either time of a stream that was published again.
    pub created_at: Option<Timestamp>,
    /// The publisher, the title, and what else the answer says.
    pub details: StreamDetails,
}

/// Writes the example of a method that is called on a fresh observation.
macro_rules! observation_example {
    ($($line:literal),+) => {
        concat!(
            "```\n",
            "# use room_registry::*;\n",
            "# use room_registry::{event::*, journal::*, page::*, repair::*, visible::*};\n",
            "# let observation = Observation::new(RoomId::new(\"r1\")?, Timestamp::from_secs(9));\n",
            $($line, "\n",)+
            "# Ok::<(), IdError>(())\n",
            "```"
        )
    };
}

impl Observation {
    /// Makes an observation of a room that says nothing yet.
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

    /// Adds the session that the answer named.
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

    /// Adds whether the room is open.
    ///
    #[doc = observation_example!("assert_eq!(observation.open(false).open, Some(false));")]
    #[must_use]
    pub fn open(mut self, open: bool) -> Self {
        self.open = Some(open);
        self
    }

    /// Adds the complete list of users.
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

    /// Adds some of the users who are in the room.
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

    /// Adds the complete list of streams.
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

    /// Adds some of the streams that are in the room.
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

    /// Returns what the answer says about the room as a whole.
    ///
    /// An entry of either list means that the room is open. With `empty_means_closed`, a complete
    /// list without users means that it is not.
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

/// What an answer says about the room as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict<'a> {
    /// The room is not open, whatever session was meant. Both lists are empty.
    NotOpen,
    /// This session is closed.
    Closed(&'a SessionId),
    /// The room is open.
    Open,
    /// The room is open in the named session.
    Alive(&'a SessionId),
    /// The answer says nothing about the room.
    Unsaid,
}

impl<T> ObservedList<T> {
    /// Returns the entries of the list.
    ///
    /// ```
    /// # use room_registry::repair::ObservedList;
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
    /// Makes a user who is in the room.
    ///
    /// ```
    /// # use room_registry::repair::ObservedUser;
    /// # use room_registry::UserId;
    /// assert_eq!(ObservedUser::new(UserId::new("ann")?).user_name, None);
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn new(user_id: UserId) -> Self {
        Self { user_id, user_name: None, role: None, login_at: None }
    }

    /// Adds the name to show. An empty one reads as none.
    ///
    /// ```
    /// # use room_registry::repair::ObservedUser;
    /// # use room_registry::UserId;
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
    /// Makes a stream that is in the room.
    ///
    /// ```
    /// # use room_registry::repair::ObservedStream;
    /// # use room_registry::StreamId;
    /// assert_eq!(ObservedStream::new(StreamId::new("camera")?).created_at, None);
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn new(stream_id: StreamId) -> Self {
        Self { stream_id, created_at: None, details: StreamDetails::default() }
    }

    /// Adds the user who publishes the stream.
    ///
    /// ```
    /// # use room_registry::repair::ObservedStream;
    /// # use room_registry::{StreamId, UserId};
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
