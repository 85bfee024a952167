//! What the application's own clients ask for.
//!
//! Commands take effect in the order in which they arrive, at *our* time. Their texts come from
//! clients and are checked when the command is carried out: a refused command changes nothing.

use std::collections::BTreeMap;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::id::{RoomId, StreamId, UserId};
use crate::text::{Attributes, Role, Text};

/// The longest name or role that a command may carry, in bytes.
pub const MAX_NAME_LEN: usize = 1_024;

/// What ends a created room besides [`end_room`](crate::RoomRegistry::end_room).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Lifecycle {
    /// Stays until it is ended; an empty room stays listed. The default of created rooms.
    #[default]
    UntilEnded,
    /// Ends when nobody has been in it for the empty grace, counted from its creation on.
    UntilEmpty,
    /// Ends when no session of it is visible any more. A room that was created before its first
    /// session waits for that session. Rooms known only from callbacks live like this.
    FollowsSession,
    /// Stays whatever happens: only `end_room` ends it. For lobbies and official channels; readers
    /// can tell it from [`UntilEnded`](Self::UntilEnded).
    Permanent,
}

/// A room to create.
///
/// # Example
///
/// ```
/// use room_registry::{Lifecycle, NewRoom};
/// let room = NewRoom::new("r1", "tom")
///     .name("Tom's show")
///     .attribute("cover", "a.jpg")
///     .lifecycle(Lifecycle::UntilEmpty);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[must_use]
pub struct NewRoom {
    pub(crate) room_id: Text,
    pub(crate) host_id: Text,
    #[cfg_attr(feature = "serde", serde(default))]
    pub(crate) room_name: Option<Text>,
    #[cfg_attr(feature = "serde", serde(default))]
    pub(crate) attributes: BTreeMap<Text, Text>,
    #[cfg_attr(feature = "serde", serde(default))]
    pub(crate) lifecycle: Lifecycle,
}

impl NewRoom {
    /// A room of this id and host. The ids are checked when the room is created.
    ///
    /// ```
    /// # use room_registry::NewRoom;
    /// let room = NewRoom::new("r1", "tom");
    /// ```
    pub fn new(room_id: impl Into<Text>, host_id: impl Into<Text>) -> Self {
        Self {
            room_id: room_id.into(),
            host_id: host_id.into(),
            room_name: None,
            attributes: BTreeMap::new(),
            lifecycle: Lifecycle::default(),
        }
    }

    /// The name to show, at most [`MAX_NAME_LEN`] bytes. An empty one reads as none.
    ///
    /// ```
    /// # use room_registry::NewRoom;
    /// let room = NewRoom::new("r1", "tom").name("Tom's show");
    /// ```
    pub fn name(mut self, name: impl Into<Text>) -> Self {
        self.room_name = Some(name.into());
        self
    }

    /// Sets an attribute; within the limits of [`Attributes`].
    ///
    /// ```
    /// # use room_registry::NewRoom;
    /// let room = NewRoom::new("r1", "tom").attribute("mode", "karaoke");
    /// ```
    pub fn attribute(mut self, key: impl Into<Text>, value: impl Into<Text>) -> Self {
        self.attributes.insert(key.into(), value.into());
        self
    }

    /// What ends the room. Default [`Lifecycle::UntilEnded`].
    ///
    /// ```
    /// # use room_registry::{Lifecycle, NewRoom};
    /// let room = NewRoom::new("lobby", "staff").lifecycle(Lifecycle::Permanent);
    /// ```
    pub fn lifecycle(mut self, lifecycle: Lifecycle) -> Self {
        self.lifecycle = lifecycle;
        self
    }

    pub(crate) fn check(self) -> Result<CheckedRoom, Error> {
        Ok(CheckedRoom {
            room_id: RoomId::new(&self.room_id)?,
            host_id: UserId::new(&self.host_id)?,
            name: check_name("the room's name", self.room_name)?,
            attributes: check_attributes(self.attributes)?,
            lifecycle: self.lifecycle,
        })
    }
}

/// A [`NewRoom`] whose texts are within their limits.
#[derive(Debug, Clone)]
pub(crate) struct CheckedRoom {
    pub(crate) room_id: RoomId,
    pub(crate) host_id: UserId,
    pub(crate) name: Option<Text>,
    pub(crate) attributes: Attributes,
    pub(crate) lifecycle: Lifecycle,
}

/// What to change of a room; what is not named stays.
///
/// # Example
///
/// ```
/// use room_registry::RoomUpdate;
/// let update = RoomUpdate::new().name("Tom's late show").attribute("cover", "b.jpg");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(default))]
#[must_use]
pub struct RoomUpdate {
    pub(crate) host_id: Option<Text>,
    pub(crate) room_name: Option<Text>,
    pub(crate) attributes: BTreeMap<Text, Option<Text>>,
    pub(crate) lifecycle: Option<Lifecycle>,
}

impl RoomUpdate {
    /// Changes nothing yet.
    ///
    /// ```
    /// # use room_registry::RoomUpdate;
    /// assert_eq!(RoomUpdate::new(), RoomUpdate::default());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Another name; an empty one takes the name away.
    ///
    /// ```
    /// # use room_registry::RoomUpdate;
    /// let update = RoomUpdate::new().name("Late show");
    /// ```
    pub fn name(mut self, name: impl Into<Text>) -> Self {
        self.room_name = Some(name.into());
        self
    }

    /// Another host. The id is checked when the update is carried out.
    ///
    /// ```
    /// # use room_registry::RoomUpdate;
    /// let update = RoomUpdate::new().host("ann");
    /// ```
    pub fn host(mut self, host_id: impl Into<Text>) -> Self {
        self.host_id = Some(host_id.into());
        self
    }

    /// Sets an attribute.
    ///
    /// ```
    /// # use room_registry::RoomUpdate;
    /// let update = RoomUpdate::new().attribute("mode", "karaoke");
    /// ```
    pub fn attribute(mut self, key: impl Into<Text>, value: impl Into<Text>) -> Self {
        self.attributes.insert(key.into(), Some(value.into()));
        self
    }

    /// Takes an attribute away; one that is not there is no error.
    ///
    /// ```
    /// # use room_registry::RoomUpdate;
    /// let update = RoomUpdate::new().remove_attribute("mode");
    /// ```
    pub fn remove_attribute(mut self, key: impl Into<Text>) -> Self {
        self.attributes.insert(key.into(), None);
        self
    }

    /// Another lifecycle.
    ///
    /// ```
    /// # use room_registry::{Lifecycle, RoomUpdate};
    /// let update = RoomUpdate::new().lifecycle(Lifecycle::Permanent);
    /// ```
    pub fn lifecycle(mut self, lifecycle: Lifecycle) -> Self {
        self.lifecycle = Some(lifecycle);
        self
    }
}

/// A user who joins.
///
/// # Example
///
/// ```
/// use room_registry::{NewUser, Role};
/// let user = NewUser::new("tom").name("Tom").role(Role::HOST).attribute("level", "7");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[must_use]
pub struct NewUser {
    pub(crate) user_id: Text,
    #[cfg_attr(feature = "serde", serde(default))]
    pub(crate) user_name: Option<Text>,
    #[cfg_attr(feature = "serde", serde(default))]
    pub(crate) role: Option<Role>,
    #[cfg_attr(feature = "serde", serde(default))]
    pub(crate) attributes: BTreeMap<Text, Text>,
}

impl NewUser {
    /// A user of this id, which is checked when the user joins.
    ///
    /// ```
    /// # use room_registry::NewUser;
    /// let user = NewUser::new("tom");
    /// ```
    pub fn new(user_id: impl Into<Text>) -> Self {
        Self { user_id: user_id.into(), user_name: None, role: None, attributes: BTreeMap::new() }
    }

    /// The name to show, at most [`MAX_NAME_LEN`] bytes. An empty one reads as none.
    ///
    /// ```
    /// # use room_registry::NewUser;
    /// let user = NewUser::new("tom").name("Tom");
    /// ```
    pub fn name(mut self, name: impl Into<Text>) -> Self {
        self.user_name = Some(name.into());
        self
    }

    /// What the user is in the room.
    ///
    /// ```
    /// # use room_registry::{NewUser, Role};
    /// let user = NewUser::new("tom").role(Role::HOST);
    /// ```
    pub fn role(mut self, role: Role) -> Self {
        self.role = Some(role);
        self
    }

    /// Sets an attribute; within the limits of [`Attributes`].
    ///
    /// ```
    /// # use room_registry::NewUser;
    /// let user = NewUser::new("tom").attribute("avatar", "cat.png");
    /// ```
    pub fn attribute(mut self, key: impl Into<Text>, value: impl Into<Text>) -> Self {
        self.attributes.insert(key.into(), value.into());
        self
    }

    pub(crate) fn check(self) -> Result<CheckedUser, Error> {
        Ok(CheckedUser {
            user_id: UserId::new(&self.user_id)?,
            name: check_name("the user's name", self.user_name)?,
            role: check_role(self.role)?,
            attributes: check_attributes(self.attributes)?,
        })
    }
}

/// A [`NewUser`] whose texts are within their limits.
#[derive(Debug, Clone)]
pub(crate) struct CheckedUser {
    pub(crate) user_id: UserId,
    pub(crate) name: Option<Text>,
    pub(crate) role: Option<Role>,
    pub(crate) attributes: Attributes,
}

/// What to change of a user; what is not named stays.
///
/// # Example
///
/// ```
/// use room_registry::UserUpdate;
/// let update = UserUpdate::new().attribute("viewing_seconds", "360");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(default))]
#[must_use]
pub struct UserUpdate {
    pub(crate) user_name: Option<Text>,
    pub(crate) role: Option<Role>,
    pub(crate) attributes: BTreeMap<Text, Option<Text>>,
}

impl UserUpdate {
    /// Changes nothing yet.
    ///
    /// ```
    /// # use room_registry::UserUpdate;
    /// assert_eq!(UserUpdate::new(), UserUpdate::default());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Another name; an empty one takes the name away.
    ///
    /// ```
    /// # use room_registry::UserUpdate;
    /// let update = UserUpdate::new().name("Tom T.");
    /// ```
    pub fn name(mut self, name: impl Into<Text>) -> Self {
        self.user_name = Some(name.into());
        self
    }

    /// Another role; an empty one takes the role away.
    ///
    /// ```
    /// # use room_registry::{Role, UserUpdate};
    /// let update = UserUpdate::new().role(Role::HOST);
    /// ```
    pub fn role(mut self, role: Role) -> Self {
        self.role = Some(role);
        self
    }

    /// Sets an attribute.
    ///
    /// ```
    /// # use room_registry::UserUpdate;
    /// let update = UserUpdate::new().attribute("points", "12");
    /// ```
    pub fn attribute(mut self, key: impl Into<Text>, value: impl Into<Text>) -> Self {
        self.attributes.insert(key.into(), Some(value.into()));
        self
    }

    /// Takes an attribute away; one that is not there is no error.
    ///
    /// ```
    /// # use room_registry::UserUpdate;
    /// let update = UserUpdate::new().remove_attribute("points");
    /// ```
    pub fn remove_attribute(mut self, key: impl Into<Text>) -> Self {
        self.attributes.insert(key.into(), None);
        self
    }

    /// Whether it changes nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.user_name.is_none() && self.role.is_none() && self.attributes.is_empty()
    }
}

/// The answer to a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Heartbeat {
    /// In time: the membership holds for another heartbeat timeout.
    Alive,
    /// Too late: the membership ended just now. The user has to join again.
    TimedOut,
}

/// A command as a value, for journals and queues: what
/// [`apply_command`](crate::RoomRegistry::apply_command) carries out.
///
/// Each variant is the method of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Command {
    /// [`create_room`](crate::RoomRegistry::create_room).
    CreateRoom(NewRoom),
    /// [`update_room`](crate::RoomRegistry::update_room).
    UpdateRoom {
        /// The room.
        room_id: RoomId,
        /// Another host.
        #[cfg_attr(feature = "serde", serde(default))]
        host_id: Option<Text>,
        /// Another name to show; an empty one takes it away.
        #[cfg_attr(feature = "serde", serde(default))]
        room_name: Option<Text>,
        /// Attributes to set, or with `None` to take away.
        #[cfg_attr(feature = "serde", serde(default))]
        attributes: BTreeMap<Text, Option<Text>>,
        /// Another lifecycle.
        #[cfg_attr(feature = "serde", serde(default))]
        lifecycle: Option<Lifecycle>,
    },
    /// [`end_room`](crate::RoomRegistry::end_room).
    EndRoom {
        /// The room.
        room_id: RoomId,
    },
    /// [`join_room`](crate::RoomRegistry::join_room).
    JoinRoom {
        /// The room.
        room_id: RoomId,
        /// Who joins.
        user_id: UserId,
        /// The name to show.
        #[cfg_attr(feature = "serde", serde(default))]
        user_name: Option<Text>,
        /// What the user is in the room.
        #[cfg_attr(feature = "serde", serde(default))]
        role: Option<Role>,
        /// Attributes of the application's own.
        #[cfg_attr(feature = "serde", serde(default))]
        attributes: Attributes,
    },
    /// [`leave_room`](crate::RoomRegistry::leave_room).
    LeaveRoom {
        /// The room.
        room_id: RoomId,
        /// Who leaves.
        user_id: UserId,
    },
    /// [`heartbeat`](crate::RoomRegistry::heartbeat), or
    /// [`heartbeat_with`](crate::RoomRegistry::heartbeat_with) where it carries an update.
    Heartbeat {
        /// The room.
        room_id: RoomId,
        /// Who is alive.
        user_id: UserId,
        /// Another name to show; an empty one takes it away.
        #[cfg_attr(feature = "serde", serde(default))]
        user_name: Option<Text>,
        /// Another role; an empty one takes it away.
        #[cfg_attr(feature = "serde", serde(default))]
        role: Option<Role>,
        /// Attributes to set, or with `None` to take away.
        #[cfg_attr(feature = "serde", serde(default))]
        attributes: BTreeMap<Text, Option<Text>>,
    },
    /// [`update_user`](crate::RoomRegistry::update_user).
    UpdateUser {
        /// The room.
        room_id: RoomId,
        /// The user.
        user_id: UserId,
        /// Another name to show; an empty one takes it away.
        #[cfg_attr(feature = "serde", serde(default))]
        user_name: Option<Text>,
        /// Another role; an empty one takes it away.
        #[cfg_attr(feature = "serde", serde(default))]
        role: Option<Role>,
        /// Attributes to set, or with `None` to take away.
        #[cfg_attr(feature = "serde", serde(default))]
        attributes: BTreeMap<Text, Option<Text>>,
    },
    /// [`update_stream`](crate::RoomRegistry::update_stream).
    UpdateStream {
        /// The room.
        room_id: RoomId,
        /// The stream.
        stream_id: StreamId,
        /// Attributes to set, or with `None` to take away.
        #[cfg_attr(feature = "serde", serde(default))]
        attributes: BTreeMap<Text, Option<Text>>,
    },
    /// [`grant_grace`](crate::RoomRegistry::grant_grace).
    GrantGrace,
}

impl Command {
    /// The room that it is about, as it was named; `None` where it is about all.
    ///
    /// ```
    /// use room_registry::{Command, NewRoom};
    /// assert_eq!(Command::CreateRoom(NewRoom::new("r1", "tom")).room_id(), Some("r1"));
    /// assert_eq!(Command::GrantGrace.room_id(), None);
    /// ```
    #[must_use]
    pub fn room_id(&self) -> Option<&str> {
        match self {
            Self::CreateRoom(room) => Some(&room.room_id),
            Self::UpdateRoom { room_id, .. }
            | Self::EndRoom { room_id }
            | Self::JoinRoom { room_id, .. }
            | Self::LeaveRoom { room_id, .. }
            | Self::Heartbeat { room_id, .. }
            | Self::UpdateUser { room_id, .. }
            | Self::UpdateStream { room_id, .. } => Some(room_id.as_str()),
            Self::GrantGrace => None,
        }
    }
}

/// What a [`Command`] that was carried out answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Answer {
    /// It is done.
    Done,
    /// What became of a heartbeat.
    Heartbeat(Heartbeat),
}

/// Checks a name; an empty one reads as none.
pub(crate) fn check_name(what: &str, name: Option<Text>) -> Result<Option<Text>, Error> {
    match name {
        Some(name) => {
            check_len(what, &name, MAX_NAME_LEN)?;
            Ok(name.non_empty())
        }
        None => Ok(None),
    }
}

/// Checks a role; an empty one reads as none.
pub(crate) fn check_role(role: Option<Role>) -> Result<Option<Role>, Error> {
    match role {
        Some(role) => {
            check_len("the role", role.as_str(), MAX_NAME_LEN)?;
            Ok((!role.as_str().is_empty()).then_some(role))
        }
        None => Ok(None),
    }
}

fn check_attributes(attributes: BTreeMap<Text, Text>) -> Result<Attributes, Error> {
    for (key, value) in &attributes {
        check_attribute(key, value)?;
    }
    check_attribute_count(attributes.len())?;
    Ok(Attributes(attributes))
}

/// What attributes become by an update, or `None` where nothing changes.
pub(crate) fn updated_attributes(
    attributes: &Attributes,
    update: BTreeMap<Text, Option<Text>>,
) -> Result<Option<Attributes>, Error> {
    if update.is_empty() {
        return Ok(None);
    }
    let mut updated = attributes.clone();
    for (key, value) in update {
        match value {
            Some(value) => {
                check_attribute(&key, &value)?;
                updated.0.insert(key, value);
            }
            None => {
                updated.0.remove(&*key);
            }
        }
    }
    check_attribute_count(updated.len())?;
    Ok((updated != *attributes).then_some(updated))
}

fn check_attribute(key: &str, value: &str) -> Result<(), Error> {
    check_len("an attribute's key", key, Attributes::MAX_KEY_LEN)?;
    check_len("an attribute's value", value, Attributes::MAX_VALUE_LEN)
}

fn check_attribute_count(len: usize) -> Result<(), Error> {
    if len > Attributes::MAX_LEN {
        return Err(Error::TooManyAttributes { len, limit: Attributes::MAX_LEN });
    }
    Ok(())
}

fn check_len(what: &str, text: &str, limit: usize) -> Result<(), Error> {
    if text.len() > limit {
        return Err(Error::TextTooLong { what: what.to_owned(), len: text.len(), limit });
    }
    Ok(())
}
