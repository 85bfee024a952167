//! Users who join, and changes to users.

use std::collections::BTreeMap;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::command::check::{check_attributes, check_name, check_role};
use crate::model::error::Error;
use crate::model::id::{ConnectionId, UserId};
use crate::model::text::{Attributes, Role, Text};

/// A user who joins.
///
/// In JSON, `user_id` is required, and everything else is optional.
///
/// # Example
///
/// ```
/// use room_registry::{NewUser, Role};
/// let user = NewUser::new("tom").name("Tom").role(Role::HOST).attribute("level", "7");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
#[must_use]
pub struct NewUser {
    /// The user.
    pub user_id: Text,
    /// The name to show.
    #[cfg_attr(feature = "serde", serde(default))]
    pub user_name: Option<Text>,
    /// What the user is in the room.
    #[cfg_attr(feature = "serde", serde(default))]
    pub role: Option<Role>,
    /// Attributes that the application chose.
    #[cfg_attr(feature = "serde", serde(default))]
    pub attributes: BTreeMap<Text, Text>,
    /// The connection by which the user joins; `None` for the unnamed one.
    #[cfg_attr(feature = "serde", serde(default))]
    pub connection_id: Option<Text>,
}

impl NewUser {
    /// Makes a user with this id. Joining checks it.
    ///
    /// ```
    /// # use room_registry::NewUser;
    /// let user = NewUser::new("tom");
    /// ```
    pub fn new(user_id: impl Into<Text>) -> Self {
        Self {
            user_id: user_id.into(),
            user_name: None,
            role: None,
            attributes: BTreeMap::new(),
            connection_id: None,
        }
    }

    /// Sets the name to show, of at most [`MAX_NAME_LEN`](crate::MAX_NAME_LEN) bytes. An empty one
    /// reads as none.
    ///
    /// ```
    /// # use room_registry::NewUser;
    /// let user = NewUser::new("tom").name("Tom");
    /// ```
    pub fn name(mut self, name: impl Into<Text>) -> Self {
        self.user_name = Some(name.into());
        self
    }

    /// Sets what the user is in the room.
    ///
    /// ```
    /// # use room_registry::{NewUser, Role};
    /// let user = NewUser::new("tom").role(Role::HOST);
    /// ```
    pub fn role(mut self, role: Role) -> Self {
        self.role = Some(role);
        self
    }

    /// Sets an attribute, within the limits of [`Attributes`].
    ///
    /// ```
    /// # use room_registry::NewUser;
    /// let user = NewUser::new("tom").attribute("avatar", "cat.png");
    /// ```
    pub fn attribute(mut self, key: impl Into<Text>, value: impl Into<Text>) -> Self {
        self.attributes.insert(key.into(), value.into());
        self
    }

    /// Sets the connection by which the user joins: a device, a tab, a socket. Joining checks the id. A
    /// user who joins without one has one unnamed connection.
    ///
    /// ```
    /// # use room_registry::NewUser;
    /// let user = NewUser::new("tom").connection("phone");
    /// ```
    pub fn connection(mut self, connection_id: impl Into<Text>) -> Self {
        self.connection_id = Some(connection_id.into());
        self
    }

    pub(crate) fn check(self) -> Result<CheckedUser, Error> {
        let connection_id = self.connection_id.map(|id| ConnectionId::new(&id));
        Ok(CheckedUser {
            connection_id: connection_id.transpose()?,
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
    pub(crate) connection_id: Option<ConnectionId>,
}

/// A user, or one connection of the user, that sends a heartbeat or leaves.
///
/// It is made from a user's id alone, or from a pair of that and the id of a connection. Methods that take
/// one take either form.
///
/// # Example
///
/// ```
/// use room_registry::{Config, Heartbeat, ManualClock, NewRoom, NewUser, RoomRegistry};
/// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
/// registry.create_room(NewRoom::new("r1", "tom"))?;
/// registry.join_room("r1", NewUser::new("ann").connection("phone"))?;
/// registry.join_room("r1", NewUser::new("ann").connection("laptop"))?;
/// registry.leave_room("r1", ("ann", "phone"))?;
/// assert_eq!(registry.heartbeat("r1", ("ann", "laptop"))?, Heartbeat::Alive);
/// assert_eq!(registry.heartbeat("r1", ("ann", "phone"))?, Heartbeat::Left);
/// # Ok::<(), room_registry::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserConnection<'a> {
    /// The user.
    pub user_id: &'a str,
    /// The connection; `None` for the unnamed one, or for the user as a whole.
    pub connection_id: Option<&'a str>,
}

macro_rules! user_alone {
    ($($text:ty),+) => {$(
        impl<'a> From<&'a $text> for UserConnection<'a> {
            fn from(user_id: &'a $text) -> Self {
                Self { user_id: user_id.as_ref(), connection_id: None }
            }
        }
    )+};
}

user_alone!(str, String, Text, UserId);

impl<'a> From<(&'a str, &'a str)> for UserConnection<'a> {
    fn from((user_id, connection_id): (&'a str, &'a str)) -> Self {
        Self { user_id, connection_id: Some(connection_id) }
    }
}

impl<'a> From<(&'a str, Option<&'a str>)> for UserConnection<'a> {
    fn from((user_id, connection_id): (&'a str, Option<&'a str>)) -> Self {
        Self { user_id, connection_id }
    }
}

/// A change to a user. What it does not name stays as it is.
///
/// # Example
///
/// ```
/// use room_registry::UserUpdate;
/// let update = UserUpdate::new().attribute("viewing_seconds", "360");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(default))]
#[non_exhaustive]
#[must_use]
pub struct UserUpdate {
    /// Another name to show. An empty one removes the name.
    pub user_name: Option<Text>,
    /// Another role. An empty one removes the role.
    pub role: Option<Role>,
    /// Attributes to set. `None` removes an attribute.
    pub attributes: BTreeMap<Text, Option<Text>>,
}

impl UserUpdate {
    /// Makes an update that changes nothing yet.
    ///
    /// ```
    /// # use room_registry::UserUpdate;
    /// assert_eq!(UserUpdate::new(), UserUpdate::default());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets another name. An empty one removes the name.
    ///
    /// ```
    /// # use room_registry::UserUpdate;
    /// let update = UserUpdate::new().name("Tom T.");
    /// ```
    pub fn name(mut self, name: impl Into<Text>) -> Self {
        self.user_name = Some(name.into());
        self
    }

    /// Sets another role. An empty one takes the role away.
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

    /// Removes an attribute. It is not an error if there is none.
    ///
    /// ```
    /// # use room_registry::UserUpdate;
    /// let update = UserUpdate::new().remove_attribute("points");
    /// ```
    pub fn remove_attribute(mut self, key: impl Into<Text>) -> Self {
        self.attributes.insert(key.into(), None);
        self
    }

    /// Tells whether the update changes nothing.
    ///
    /// ```
    /// # use room_registry::UserUpdate;
    /// assert!(UserUpdate::new().is_empty());
    /// assert!(!UserUpdate::new().name("Tom T.").is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.user_name.is_none() && self.role.is_none() && self.attributes.is_empty()
    }

    /// Returns the update, if it changes anything.
    pub(crate) fn non_empty(self) -> Option<Self> {
        (!self.is_empty()).then_some(self)
    }
}
