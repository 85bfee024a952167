//! Rooms to create, and changes to rooms.

use std::collections::BTreeMap;
use std::time::Duration;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::command::Lifecycle;
use crate::model::command::check::{check_attributes, check_name};
use crate::model::error::Error;
use crate::model::id::{RoomId, UserId};
use crate::model::text::{Attributes, Text};
use crate::model::time::{Timestamp, millis};

/// A room to create.
///
/// In JSON, `room_id` and `host_id` are required, and everything else is optional.
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
#[non_exhaustive]
#[must_use]
pub struct NewRoom {
    /// The room.
    pub room_id: Text,
    /// The user who runs the room.
    pub host_id: Text,
    /// The name to show.
    #[cfg_attr(feature = "serde", serde(default))]
    pub room_name: Option<Text>,
    /// Attributes that the application chose.
    #[cfg_attr(feature = "serde", serde(default))]
    pub attributes: BTreeMap<Text, Text>,
    /// What ends the room. [`new`](Self::new) sets [`Lifecycle::UntilEmpty`]. JSON that names none reads as
    /// [`Lifecycle::UntilEnded`], so name one in what clients send: otherwise a room that nobody ends stays.
    #[cfg_attr(feature = "serde", serde(default = "Lifecycle::unsaid"))]
    pub lifecycle: Lifecycle,
    /// How many users it may have, checked at each join. 0 and `None` mean no limit.
    #[cfg_attr(feature = "serde", serde(default))]
    pub max_users: Option<u32>,
    /// When it ends (local time), whatever its lifecycle is.
    #[cfg_attr(feature = "serde", serde(default))]
    pub ends_at: Option<Timestamp>,
    /// How long it stays if nobody has come yet, in milliseconds. `None`: as the configuration says.
    #[cfg_attr(feature = "serde", serde(default))]
    pub first_join_grace_ms: Option<u64>,
    /// How long it stays after the last one left, in milliseconds. `None`: as the configuration says.
    #[cfg_attr(feature = "serde", serde(default))]
    pub empty_grace_ms: Option<u64>,
}

impl NewRoom {
    /// Makes a room with this id and host. Creating the room checks both ids.
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
            max_users: None,
            ends_at: None,
            first_join_grace_ms: None,
            empty_grace_ms: None,
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

    /// Sets what ends the room. Default: [`Lifecycle::UntilEmpty`].
    ///
    /// ```
    /// # use room_registry::{Lifecycle, NewRoom};
    /// let room = NewRoom::new("lobby", "staff").lifecycle(Lifecycle::Permanent);
    /// ```
    pub fn lifecycle(mut self, lifecycle: Lifecycle) -> Self {
        self.lifecycle = lifecycle;
        self
    }

    /// Sets how many users the room may have, checked at each join. 0 means no limit. The lower of this
    /// limit and [`max_users_per_room`](crate::ConfigBuilder::max_users_per_room) counts.
    ///
    /// ```
    /// # use room_registry::NewRoom;
    /// let room = NewRoom::new("r1", "tom").max_users(8);
    /// ```
    pub fn max_users(mut self, users: u32) -> Self {
        self.max_users = Some(users);
        self
    }

    /// Sets when the room ends (local time), whatever its lifecycle is. The first
    /// [`expire`](crate::RoomRegistry::expire) from then on ends it.
    ///
    /// ```
    /// # use room_registry::{NewRoom, Timestamp};
    /// let room = NewRoom::new("r1", "tom").ends_at(Timestamp::from_secs(1_763_600_400));
    /// ```
    pub fn ends_at(mut self, at: Timestamp) -> Self {
        self.ends_at = Some(at);
        self
    }

    /// Sets how long the room stays if nobody has come yet, for [`Lifecycle::UntilEmpty`]. Default:
    /// [`first_join_grace`](crate::ConfigBuilder::first_join_grace) of the configuration.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use room_registry::NewRoom;
    /// let room = NewRoom::new("r1", "tom").first_join_grace(Duration::from_secs(900));
    /// ```
    pub fn first_join_grace(mut self, grace: Duration) -> Self {
        self.first_join_grace_ms = Some(millis(grace));
        self
    }

    /// Sets how long the room stays after the last one left, for [`Lifecycle::UntilEmpty`]. Default:
    /// [`empty_grace`](crate::ConfigBuilder::empty_grace) of the configuration.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use room_registry::NewRoom;
    /// let room = NewRoom::new("r1", "tom").empty_grace(Duration::ZERO);
    /// ```
    pub fn empty_grace(mut self, grace: Duration) -> Self {
        self.empty_grace_ms = Some(millis(grace));
        self
    }

    pub(crate) fn check(self) -> Result<CheckedRoom, Error> {
        Ok(CheckedRoom {
            room_id: RoomId::new(&self.room_id)?,
            host_id: UserId::new(&self.host_id)?,
            name: check_name("the room's name", self.room_name)?,
            attributes: check_attributes(self.attributes)?,
            lifecycle: self.lifecycle,
            max_users: self.max_users.filter(|limit| *limit > 0),
            ends_at: self.ends_at,
            first_join_grace_ms: self.first_join_grace_ms,
            empty_grace_ms: self.empty_grace_ms,
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
    pub(crate) max_users: Option<u32>,
    pub(crate) ends_at: Option<Timestamp>,
    pub(crate) first_join_grace_ms: Option<u64>,
    pub(crate) empty_grace_ms: Option<u64>,
}

/// A change to a room. What it does not name stays as it is.
///
/// # Example
///
/// ```
/// use room_registry::RoomUpdate;
/// let update = RoomUpdate::new().name("Tom's late show").attribute("cover", "b.jpg");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(default))]
#[non_exhaustive]
#[must_use]
pub struct RoomUpdate {
    /// Another host.
    pub host_id: Option<Text>,
    /// Another name to show. An empty one removes the name.
    pub room_name: Option<Text>,
    /// Attributes to set. `None` removes an attribute.
    pub attributes: BTreeMap<Text, Option<Text>>,
    /// Another lifecycle.
    pub lifecycle: Option<Lifecycle>,
    /// Another limit on its users. 0 removes the limit.
    pub max_users: Option<u32>,
    /// Another time at which it ends. [`Timestamp::MIN`] removes the end.
    pub ends_at: Option<Timestamp>,
    /// Another grace if nobody has come yet, in milliseconds.
    pub first_join_grace_ms: Option<u64>,
    /// Another grace after the last one left, in milliseconds.
    pub empty_grace_ms: Option<u64>,
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

    /// Sets another name. An empty one removes the name.
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

    /// Removes an attribute. It is not an error if there is none.
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

    /// Sets how many users the room may have, checked at each join. 0 removes the limit. The lower of this
    /// limit and [`max_users_per_room`](crate::ConfigBuilder::max_users_per_room) counts.
    ///
    /// ```
    /// # use room_registry::RoomUpdate;
    /// let update = RoomUpdate::new().max_users(8);
    /// ```
    pub fn max_users(mut self, users: u32) -> Self {
        self.max_users = Some(users);
        self
    }

    /// Sets when the room ends (local time), whatever its lifecycle is. The first
    /// [`expire`](crate::RoomRegistry::expire) from then on ends it. [`Timestamp::MIN`] removes the end.
    ///
    /// ```
    /// # use room_registry::{RoomUpdate, Timestamp};
    /// let update = RoomUpdate::new().ends_at(Timestamp::from_secs(1_763_600_400));
    /// ```
    pub fn ends_at(mut self, at: Timestamp) -> Self {
        self.ends_at = Some(at);
        self
    }

    /// Sets how long the room stays if nobody has come yet, for [`Lifecycle::UntilEmpty`]. Default:
    /// [`first_join_grace`](crate::ConfigBuilder::first_join_grace) of the configuration.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use room_registry::RoomUpdate;
    /// let update = RoomUpdate::new().first_join_grace(Duration::from_secs(900));
    /// ```
    pub fn first_join_grace(mut self, grace: Duration) -> Self {
        self.first_join_grace_ms = Some(millis(grace));
        self
    }

    /// Sets how long the room stays after the last one left, for [`Lifecycle::UntilEmpty`]. Default:
    /// [`empty_grace`](crate::ConfigBuilder::empty_grace) of the configuration.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use room_registry::RoomUpdate;
    /// let update = RoomUpdate::new().empty_grace(Duration::ZERO);
    /// ```
    pub fn empty_grace(mut self, grace: Duration) -> Self {
        self.empty_grace_ms = Some(millis(grace));
        self
    }
}
