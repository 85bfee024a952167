//! The visible state, as values that readers, [`Change`](crate::Change)s and
//! [`Mirror`](crate::Mirror)s share.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::callback::StreamDetails;
use crate::model::command::Lifecycle;
use crate::model::id::{SessionId, StreamId, StreamSessionId, UserId, UserSessionId};
use crate::model::text::{Attributes, Role, Text};
use crate::model::time::Timestamp;

/// The business info of a room: what commands made of it. Its times are local times.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct RoomInfo {
    /// When the room was last created or updated.
    pub updated_at: Timestamp,
    /// When the room was created.
    pub created_at: Timestamp,
    /// The user who runs the room.
    pub host_id: UserId,
    /// The name to show.
    pub name: Option<Text>,
    /// Attributes that the application chose.
    pub attributes: Attributes,
    /// What ends the room.
    #[cfg_attr(feature = "serde", serde(default = "Lifecycle::unsaid"))]
    pub lifecycle: Lifecycle,
    /// How many users it may have when one more joins; `None` if it has no limit of its own.
    #[cfg_attr(feature = "serde", serde(default))]
    pub max_users: Option<u32>,
    /// When it ends, whatever its lifecycle is.
    #[cfg_attr(feature = "serde", serde(default))]
    pub ends_at: Option<Timestamp>,
    /// How long it stays if nobody came yet, in milliseconds. `None`: as the configuration says.
    #[cfg_attr(feature = "serde", serde(default))]
    pub first_join_grace_ms: Option<u64>,
    /// How long it stays after the last one left, in milliseconds. `None`: as the configuration says.
    #[cfg_attr(feature = "serde", serde(default))]
    pub empty_grace_ms: Option<u64>,
}

/// The visible session of a room: the one that runs at the media server. Its times are event times.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Session {
    /// The id that the media server gave to the session; `None` if it names none, or if the session is only
    /// known to run.
    pub session_id: Option<SessionId>,
    /// When the session opened. An inferred session opened no later than this: it is the time of
    /// the earliest login or stream that is in the session now.
    pub opened_at: Option<Timestamp>,
    /// Whether the create callback is missing, as it always is of a session without a name. Users and
    /// streams are then the evidence of the session.
    pub inferred: bool,
    /// The user who created the room, if the create callback told.
    pub creator_id: Option<UserId>,
    /// The name of the room, if a login told it.
    pub room_name: Option<Text>,
}

/// A user of a room, who has a membership, a login or a presence, or a membership with one of the
/// other two.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct User {
    /// The user.
    pub user_id: UserId,
    /// The facet from commands: the user joined, and heartbeats keep the membership up.
    pub membership: Option<Membership>,
    /// The facet from callbacks: the user is logged in.
    pub login: Option<Login>,
    /// The facet from an observation, if there is no login: the media server has the user.
    pub presence: Option<Presence>,
    /// What the application says of the user, if there is no membership.
    pub note: Option<UserNote>,
    /// Whether the user counts: the role is none of the
    /// [`uncounted_roles`](crate::ConfigBuilder::uncounted_roles).
    pub is_counted: bool,
}

impl User {
    /// Returns the name to show: that of the membership or the note, or else of the login, or of the
    /// presence.
    ///
    /// ```
    /// use room_registry::{ChangeKind, Config, ManualClock, NewRoom, NewUser, RoomRegistry};
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// registry.join_room("r1", NewUser::new("tom").name("Tom"))?;
    /// let change = registry.changes().next().unwrap();
    /// let ChangeKind::UserJoined(user) = change.kind else { panic!() };
    /// assert_eq!(user.name().unwrap(), "Tom");
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    #[must_use]
    pub fn name(&self) -> Option<&Text> {
        let membership = self.membership.as_ref().and_then(|facet| facet.name.as_ref());
        let login = || self.login.as_ref().and_then(|facet| facet.user_name.as_ref());
        let presence = || self.presence.as_ref().and_then(|facet| facet.user_name.as_ref());
        let note = || self.note.as_ref().and_then(|facet| facet.name.as_ref());
        membership.or_else(note).or_else(login).or_else(presence)
    }

    /// Returns since when the user is in the list: joined (local time), or else logged in (event time). It is
    /// `None` if an observation alone knows the user and told no time. Such users come first in order.
    ///
    /// ```
    /// use room_registry::{ChangeKind, Config, ManualClock, NewRoom, NewUser, RoomRegistry, Timestamp};
    /// let clock = ManualClock::at(Timestamp::from_secs(100));
    /// let mut registry = RoomRegistry::with_clock(Config::default(), clock);
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// registry.join_room("r1", NewUser::new("tom"))?;
    /// let change = registry.changes().next().unwrap();
    /// let ChangeKind::UserJoined(user) = change.kind else { panic!() };
    /// assert_eq!(user.since(), Some(Timestamp::from_secs(100)));
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    #[must_use]
    pub fn since(&self) -> Option<Timestamp> {
        let joined_at = self.membership.as_ref().map(|facet| facet.joined_at);
        let login_at = || self.login.as_ref().map(|facet| facet.login_at);
        joined_at.or_else(login_at).or_else(|| self.presence.as_ref()?.login_at)
    }

    /// Returns the role in the room: that of the membership or the note, else that of the login, else that
    /// of the presence.
    ///
    /// ```
    /// use room_registry::{ChangeKind, Config, ManualClock, NewRoom, NewUser, Role, RoomRegistry};
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// registry.join_room("r1", NewUser::new("tom").role(Role::HOST))?;
    /// let change = registry.changes().next().unwrap();
    /// let ChangeKind::UserJoined(user) = change.kind else { panic!() };
    /// assert_eq!(user.role(), Some(&Role::HOST));
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    #[must_use]
    pub fn role(&self) -> Option<&Role> {
        let membership = self.membership.as_ref().and_then(|facet| facet.role.as_ref());
        let login = || self.login.as_ref().and_then(|facet| facet.role.as_ref());
        let presence = || self.presence.as_ref().and_then(|facet| facet.role.as_ref());
        let note = || self.note.as_ref().and_then(|facet| facet.role.as_ref());
        membership.or_else(note).or_else(login).or_else(presence)
    }
}

/// The facet of a user that commands made. Its times are local times.
///
/// The last heartbeat is not part of it, because a heartbeat is no change for readers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Membership {
    /// When the user joined.
    pub joined_at: Timestamp,
    /// The name to show.
    pub name: Option<Text>,
    /// What the user is in the room.
    pub role: Option<Role>,
    /// Attributes that the application chose.
    pub attributes: Attributes,
}

/// What the application says of a user who has no membership. Its times are local times.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct UserNote {
    /// When it was last updated.
    pub updated_at: Timestamp,
    /// The name to show.
    pub name: Option<Text>,
    /// What the user is in the room.
    pub role: Option<Role>,
    /// Attributes that the application chose.
    pub attributes: Attributes,
}

/// The facet of a user that callbacks made. Its times are event times.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Login {
    /// The id that the media server gave to this login; `None` if it names no logins.
    pub user_session_id: Option<UserSessionId>,
    /// When the login began.
    pub login_at: Timestamp,
    /// The order of the login if the vendor gives one, or else the counter of logins and logouts in the
    /// room. Without either it is 0, or the login time in milliseconds if the login has no id.
    pub counter: u64,
    /// The name to show.
    pub user_name: Option<Text>,
    /// What the user is in the room.
    pub role: Option<Role>,
}

/// The facet of a user that an observation made: the media server has the user, but no login
/// callback came. The presence is shown until one comes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Presence {
    /// The name to show.
    pub user_name: Option<Text>,
    /// What the user is in the room.
    pub role: Option<Role>,
    /// The event time when the login began, if the answer told it.
    pub login_at: Option<Timestamp>,
}

/// A stream of the visible session. Its times are event times.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Stream {
    /// The stream.
    pub stream_id: StreamId,
    /// The id that the media server gave to this opening of the stream; `None` if only an observation
    /// knows the stream.
    pub stream_session_id: Option<StreamSessionId>,
    /// When the stream was created, or last published again; `None` if that is unknown.
    pub created_at: Option<Timestamp>,
    /// The counter of stream changes in the room at that moment. It is the creation time in
    /// milliseconds if the vendor gives none, and `None` if only an observation knows the stream.
    pub counter: Option<u64>,
    /// What the callback or the observation told: publisher, title, URLs.
    pub details: StreamDetails,
    /// Attributes that the application chose.
    pub attributes: Attributes,
}
