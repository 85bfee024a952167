//! Users who join, and changes to users.

use std::collections::BTreeMap;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::command::check::{check_attributes, check_name, check_role};
use crate::model::error::Error;
use crate::model::id::UserId;
use crate::model::text::{Attributes, Role, Text};

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
    /// Makes a user of this id. Joining checks it.
    ///
    /// ```
    /// # use room_registry::NewUser;
    /// let user = NewUser::new("tom");
    /// ```
    pub fn new(user_id: impl Into<Text>) -> Self {
        Self { user_id: user_id.into(), user_name: None, role: None, attributes: BTreeMap::new() }
    }

    pub(crate) fn from_parts(
        user_id: &UserId,
        user_name: Option<Text>,
        role: Option<Role>,
        attributes: Attributes,
    ) -> Self {
        Self { user_id: user_id.into(), user_name, role, attributes: attributes.0 }
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

/// A change to a user. What it does not name stays.
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
    /// Makes an update that changes nothing yet.
    ///
    /// ```
    /// # use room_registry::UserUpdate;
    /// assert_eq!(UserUpdate::new(), UserUpdate::default());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets another name. An empty one takes the name away.
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

    /// Takes an attribute away. It is no error if there is none.
    ///
    /// ```
    /// # use room_registry::UserUpdate;
    /// let update = UserUpdate::new().remove_attribute("points");
    /// ```
    pub fn remove_attribute(mut self, key: impl Into<Text>) -> Self {
        self.attributes.insert(key.into(), None);
        self
    }

    /// Returns the update, if it changes anything.
    pub(crate) fn non_empty(self) -> Option<Self> {
        let is_empty =
            self.user_name.is_none() && self.role.is_none() && self.attributes.is_empty();
        (!is_empty).then_some(self)
    }
}
