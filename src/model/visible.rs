//! The visible state, as values: what readers, [`Change`](crate::Change)s and
//! [`Mirror`](crate::Mirror)s have in common.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::callback::StreamDetails;
use crate::model::command::Lifecycle;
use crate::model::id::{SessionId, StreamId, StreamSessionId, UserId, UserSessionId};
use crate::model::text::{Attributes, Role, Text};
use crate::model::time::Timestamp;

/// The business info of a room: what commands made of it. Times are ours.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct RoomInfo {
    /// When it was last created or updated.
    pub updated_at: Timestamp,
    /// When it was created.
    pub created_at: Timestamp,
    /// Who runs the room.
    pub host_id: UserId,
    /// The name to show.
    pub name: Option<Text>,
    /// Attributes of the application's own.
    pub attributes: Attributes,
    /// What ends it.
    pub lifecycle: Lifecycle,
}

/// The visible session of a room: the life of it that runs at the media server. Times are theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Session {
    /// The media server's name of it; `None` where it is known only to run.
    pub session_id: Option<SessionId>,
    /// When it opened. Of an inferred session the earliest login or stream that is in it now, so
    /// it opened no later than that.
    pub opened_at: Option<Timestamp>,
    /// Whether its create callback is missing, so that it is shown on the evidence of its users and
    /// streams.
    pub inferred: bool,
    /// Who created it, where its create callback told.
    pub creator_id: Option<UserId>,
    /// The room's name, where a login told one.
    pub room_name: Option<Text>,
}

/// A user of a room: a membership, and a login or presence, of which at least one holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct User {
    /// Who.
    pub user_id: UserId,
    /// What commands say: the user joined, and heartbeats keep it up.
    pub membership: Option<Membership>,
    /// What callbacks say: the user is logged in.
    pub login: Option<Login>,
    /// What an observation says, where no login counts: the media server has the user.
    pub presence: Option<Presence>,
}

impl User {
    /// The name to show: the membership's where it says, else the login's.
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
        let membership = self.membership.as_ref().and_then(|membership| membership.name.as_ref());
        let login = || self.login.as_ref().and_then(|login| login.user_name.as_ref());
        let presence = || self.presence.as_ref().and_then(|presence| presence.user_name.as_ref());
        membership.or_else(login).or_else(presence)
    }

    /// What the user is in the room: the membership's word where it says, else the login's.
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
        let membership = self.membership.as_ref().and_then(|membership| membership.role.as_ref());
        let login = || self.login.as_ref().and_then(|login| login.role.as_ref());
        let presence = || self.presence.as_ref().and_then(|presence| presence.role.as_ref());
        membership.or_else(login).or_else(presence)
    }
}

/// The facet of a user that commands made. Times are ours.
///
/// The last heartbeat is not part of it: it is no change that readers are told of.
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
    /// Attributes of the application's own.
    pub attributes: Attributes,
}

/// The facet of a user that callbacks made. Times are theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Login {
    /// The media server's name of this login.
    pub user_session_id: UserSessionId,
    /// When it began.
    pub login_at: Timestamp,
    /// The room's counter of logins and logouts at that moment; 0 where the vendor tells none.
    pub counter: u64,
    /// The name to show.
    pub user_name: Option<Text>,
    /// What the user is in the room.
    pub role: Option<Role>,
}

/// The facet of a user that an observation made: the media server has the user, in a session that
/// is not known, since no callback told of a login. It is what is shown until one does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Presence {
    /// The name to show.
    pub user_name: Option<Text>,
    /// What the user is in the room.
    pub role: Option<Role>,
    /// When the login began, in their time, where the answer told.
    pub login_at: Option<Timestamp>,
}

/// A stream of the visible session. Times are theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Stream {
    /// Which stream.
    pub stream_id: StreamId,
    /// The media server's name of this life of it; `None` where only an observation knows it.
    pub stream_session_id: Option<StreamSessionId>,
    /// When it came, or was last published again; `None` where that is not known.
    pub created_at: Option<Timestamp>,
    /// The room's counter of stream changes at that moment; the creation time in milliseconds where
    /// the vendor tells none; `None` where only an observation knows the stream.
    pub counter: Option<u64>,
    /// What its callback, or the observation, told: publisher, title, URLs.
    pub details: StreamDetails,
    /// Attributes of the application's own.
    pub attributes: Attributes,
}
