//! A room in one line, for the lists of a lobby.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::command::Lifecycle;
use crate::model::id::{RoomId, SessionId, UserId};
use crate::model::named::tagged_enum;
use crate::model::text::{Attributes, Text};
use crate::model::time::Timestamp;
use crate::model::visible::{RoomInfo, Session};

/// A listed room without its users and streams: what a lobby shows of it.
///
/// [`RoomRef::summary`](crate::RoomRef::summary) returns it, and a [`RoomRef`](crate::RoomRef) serialises
/// as it.
///
/// # Example
///
/// ```
/// use room_registry::{Config, ManualClock, NewRoom, NewUser, RoomRegistry};
/// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
/// registry.create_room(NewRoom::new("r1", "tom").name("Tom's show"))?;
/// registry.join_room("r1", NewUser::new("ann"))?;
/// let summary = registry.room("r1").unwrap().summary();
/// assert_eq!((summary.name.unwrap().as_str(), summary.user_count), ("Tom's show", 1));
/// # Ok::<(), room_registry::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct RoomSummary {
    /// The room.
    pub room_id: RoomId,
    /// The name to show: that of the business info, or else the one that a login named.
    pub name: Option<Text>,
    /// Who runs it: the host of the business info, or else the creator that its callback named.
    pub host_id: Option<UserId>,
    /// The application's own attributes.
    pub attributes: Attributes,
    /// What ends it.
    pub lifecycle: Lifecycle,
    /// When it began: created (local time), or else when its session opened (event time).
    pub began_at: Option<Timestamp>,
    /// Whether a session of it runs at the media server.
    pub is_running: bool,
    /// The media server's name of that session, if it is known.
    pub session_id: Option<SessionId>,
    /// How many users are in its list, without those whose roles do not count.
    pub user_count: usize,
    /// How many users it may have by its own limit.
    pub max_users: Option<u32>,
    /// How many streams are in its list.
    pub stream_count: usize,
}

tagged_enum! {
    /// What a call made of one room's line in a lobby.
    ///
    /// [`Changes::summaries`](crate::Changes::summaries) returns it. In formats for people it is an object
    /// with a `kind` and a `value`, which has the `room_id` in either kind. Binary formats keep the enum.
    ///
    /// ```
    /// # #[cfg(feature = "serde")] {
    /// use room_registry::{Config, ManualClock, NewRoom, RoomRegistry};
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// let lines = serde_json::to_string(&registry.changes().summaries()).unwrap();
    /// assert!(lines.starts_with(r#"[{"kind":"room_summary","value":{"room_id":"r1","#));
    /// registry.end_room("r1")?;
    /// let lines = serde_json::to_string(&registry.changes().summaries()).unwrap();
    /// assert_eq!(lines, r#"[{"kind":"room_unlisted","value":{"room_id":"r1"}}]"#);
    /// # }
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum SummaryChange("SummaryChange", TaggedChange, PlainChange) {
        /// The room is listed, and this is its line now.
        RoomSummary(RoomSummary) = "room_summary",
        /// The room left the list.
        RoomUnlisted {
            /// The room.
            room_id: RoomId,
        } = "room_unlisted",
    }

    /// Returns the name of the kind, as it is stored, without what the kind carries.
    ///
    /// ```
    /// use room_registry::visible::SummaryChange;
    /// use room_registry::RoomId;
    /// let gone = SummaryChange::RoomUnlisted { room_id: RoomId::new("r1")? };
    /// assert_eq!(gone.name(), "room_unlisted");
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    fn name(&Self);
}

impl SummaryChange {
    /// Returns the room.
    ///
    /// ```
    /// use room_registry::{Config, ManualClock, NewRoom, RoomRegistry};
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// assert!(registry.changes().summaries().iter().all(|line| line.room_id() == "r1"));
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    #[must_use]
    pub fn room_id(&self) -> &RoomId {
        match self {
            Self::RoomSummary(summary) => &summary.room_id,
            Self::RoomUnlisted { room_id } => room_id,
        }
    }
}

/// What readers see of a room beside its users and streams. Views and mirrors read it in the same way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head<'a> {
    pub(crate) room_id: &'a RoomId,
    pub(crate) info: Option<&'a RoomInfo>,
    pub(crate) session: Option<&'a Session>,
}

impl<'a> Head<'a> {
    pub(crate) fn name(self) -> Option<&'a Text> {
        let named = self.info.and_then(|info| info.name.as_ref());
        named.or_else(|| self.session?.room_name.as_ref())
    }

    pub(crate) fn host_id(self) -> Option<&'a UserId> {
        let host_id = self.info.map(|info| &info.host_id);
        host_id.or_else(|| self.session?.creator_id.as_ref())
    }

    pub(crate) fn attributes(self) -> &'a Attributes {
        self.info.map_or(Attributes::NONE, |info| &info.attributes)
    }

    pub(crate) fn lifecycle(self) -> Lifecycle {
        self.info.map_or(Lifecycle::FollowsSession, |info| info.lifecycle)
    }

    pub(crate) fn began_at(self) -> Option<Timestamp> {
        let created_at = self.info.map(|info| info.created_at);
        created_at.or_else(|| self.session?.opened_at)
    }

    pub(crate) fn session_id(self) -> Option<&'a SessionId> {
        self.session?.session_id.as_ref()
    }

    /// Returns the room in one line, with these counts.
    pub(crate) fn summary(self, user_count: usize, stream_count: usize) -> RoomSummary {
        RoomSummary {
            room_id: self.room_id.clone(),
            name: self.name().cloned(),
            host_id: self.host_id().cloned(),
            attributes: self.attributes().clone(),
            lifecycle: self.lifecycle(),
            began_at: self.began_at(),
            is_running: self.session.is_some(),
            session_id: self.session_id().cloned(),
            user_count,
            max_users: self.info.and_then(|info| info.max_users),
            stream_count,
        }
    }
}
