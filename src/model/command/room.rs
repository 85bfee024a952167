//! Rooms to create, and changes to rooms.

use std::collections::BTreeMap;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::command::Lifecycle;
use crate::model::command::check::{check_attributes, check_name};
use crate::model::error::Error;
use crate::model::id::{RoomId, UserId};
use crate::model::text::{Attributes, Text};

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
    /// Makes a room of this id and host. Creating the room checks both ids.
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

    /// Sets the name to show, of at most [`MAX_NAME_LEN`](crate::MAX_NAME_LEN) bytes. An empty one
    /// reads as none.
    ///
    /// ```
    /// # use room_registry::NewRoom;
    /// let room = NewRoom::new("r1", "tom").name("Tom's show");
    /// ```
    pub fn name(mut self, name: impl Into<Text>) -> Self {
        self.room_name = Some(name.into());
        self
    }

    /// Sets an attribute, within the limits of [`Attributes`].
    ///
    /// ```
    /// # use room_registry::NewRoom;
    /// let room = NewRoom::new("r1", "tom").attribute("mode", "karaoke");
    /// ```
    pub fn attribute(mut self, key: impl Into<Text>, value: impl Into<Text>) -> Self {
        self.attributes.insert(key.into(), value.into());
        self
    }

    /// Sets what ends the room. Default: [`Lifecycle::UntilEnded`].
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

/// A change to a room. What it does not name stays.
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
    /// Makes an update that changes nothing yet.
    ///
    /// ```
    /// # use room_registry::RoomUpdate;
    /// assert_eq!(RoomUpdate::new(), RoomUpdate::default());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets another name. An empty one takes the name away.
    ///
    /// ```
    /// # use room_registry::RoomUpdate;
    /// let update = RoomUpdate::new().name("Late show");
    /// ```
    pub fn name(mut self, name: impl Into<Text>) -> Self {
        self.room_name = Some(name.into());
        self
    }

    /// Sets another host. Carrying out the update checks the id.
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

    /// Takes an attribute away. It is no error if there is none.
    ///
    /// ```
    /// # use room_registry::RoomUpdate;
    /// let update = RoomUpdate::new().remove_attribute("mode");
    /// ```
    pub fn remove_attribute(mut self, key: impl Into<Text>) -> Self {
        self.attributes.insert(key.into(), None);
        self
    }

    /// Sets another lifecycle.
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
