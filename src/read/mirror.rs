//! The visible state, rebuilt from changes (law 1.6). The tests hold it against the registry after each call:
//! it also states what a change means for whoever follows.

use std::collections::BTreeMap;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::change::{Change, ChangeKind};
use crate::model::command::Lifecycle;
use crate::model::id::{RoomId, StreamId, UserId};
use crate::model::summary::{Head, RoomSummary};
use crate::model::suspicion::Suspicion;
use crate::model::text::{Attributes, Text};
use crate::model::time::Timestamp;
use crate::model::visible::{RoomInfo, Session, Stream, User};
use crate::read::RoomRef;

/// A copy of the visible state, kept by applying every [`Change`] in order.
///
/// It serves caches and clients. It also says what "visible" means: all that it holds, and nothing else (so
/// not the heartbeats). A mirror that starts empty, or as a copy of a registry, equals what the registry
/// shows after each call.
///
/// # Example
///
/// ```
/// use room_registry::{Config, ManualClock, Mirror, NewRoom, NewUser, RoomRegistry};
///
/// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
/// let mut mirror = Mirror::default();
///
/// registry.create_room(NewRoom::new("r1", "tom"))?;
/// registry.changes().for_each(|change| mirror.apply(&change));
/// registry.join_room("r1", NewUser::new("tom"))?;
/// registry.changes().for_each(|change| mirror.apply(&change));
///
/// assert_eq!(mirror, registry.rooms().collect());
/// assert_eq!(mirror.rooms()["r1"].users.len(), 1);
/// # Ok::<(), room_registry::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Mirror {
    /// The listed rooms.
    rooms: BTreeMap<RoomId, MirrorRoom>,
}

/// A listed room, as a [`Mirror`] holds it.
///
/// It reads like a [`RoomRef`]: the fields hold all that a mirror is told, and the methods derive from it
/// what readers see.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct MirrorRoom {
    /// The room.
    pub room_id: RoomId,
    /// What commands set for it.
    pub info: Option<RoomInfo>,
    /// The visible session.
    pub session: Option<Session>,
    /// Everybody in it, by id.
    pub users: BTreeMap<UserId, User>,
    /// Its streams, by id.
    pub streams: BTreeMap<StreamId, Stream>,
    /// Its signs of loss, by list and sign.
    pub suspicions: Vec<Suspicion>,
}

impl Mirror {
    /// Applies a change. Apply all changes, in the order in which the registry reported them. The mirror
    /// ignores a change if it does not hold the room.
    ///
    /// Cost: the logarithm of what it holds. A session that closes costs what was in it.
    ///
    /// ```
    /// use room_registry::{Config, ManualClock, Mirror, NewRoom, RoomRegistry};
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// let mut mirror = Mirror::default();
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// for change in registry.changes() {
    ///     mirror.apply(&change);
    /// }
    /// assert!(mirror.rooms().contains_key("r1"));
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    pub fn apply(&mut self, change: &Change) {
        if let ChangeKind::RoomListed { info, session } = &change.kind {
            let room = MirrorRoom {
                room_id: change.room_id.clone(),
                info: info.clone(),
                session: session.clone(),
                users: BTreeMap::new(),
                streams: BTreeMap::new(),
                suspicions: Vec::new(),
            };
            self.rooms.insert(change.room_id.clone(), room);
            return;
        }
        let Some(room) = self.rooms.get_mut(&change.room_id) else { return };
        match &change.kind {
            ChangeKind::RoomListed { .. } => {}
            ChangeKind::RoomUpdated { info } => room.info.clone_from(info),
            ChangeKind::RoomUnlisted => {
                self.rooms.remove(&change.room_id);
            }
            ChangeKind::SessionOpened(session) | ChangeKind::SessionUpdated(session) => {
                room.session = Some(session.clone());
            }
            ChangeKind::SessionClosed { .. } => room.close_session(),
            ChangeKind::UserJoined(user) | ChangeKind::UserUpdated(user) => {
                room.users.insert(user.user_id.clone(), user.clone());
            }
            ChangeKind::UserLeft { user_id, .. } => {
                room.users.remove(user_id);
            }
            ChangeKind::StreamOpened(stream) | ChangeKind::StreamUpdated(stream) => {
                room.streams.insert(stream.stream_id.clone(), stream.clone());
            }
            ChangeKind::StreamClosed { stream_id, .. } => {
                room.streams.remove(stream_id);
            }
            ChangeKind::SuspicionRaised(suspicion) => room.suspect(suspicion.clone()),
            ChangeKind::SuspicionWithdrawn { list, sign } => {
                room.suspicions.retain(|held| (held.list, held.sign) != (*list, *sign));
            }
        }
    }

    /// Returns the listed rooms, by id.
    ///
    /// ```
    /// # use room_registry::Mirror;
    /// assert!(Mirror::default().rooms().is_empty());
    /// ```
    #[must_use]
    pub fn rooms(&self) -> &BTreeMap<RoomId, MirrorRoom> {
        &self.rooms
    }
}

impl MirrorRoom {
    /// Returns the name to show, as [`RoomRef::name`] does.
    ///
    #[doc = room_example!("assert_eq!(room.to_owned().name(), room.name());")]
    #[must_use]
    pub fn name(&self) -> Option<&Text> {
        self.head().name()
    }

    /// Returns who runs it, as [`RoomRef::host_id`] does.
    ///
    #[doc = room_example!("assert_eq!(room.to_owned().host_id(), room.host_id());")]
    #[must_use]
    pub fn host_id(&self) -> Option<&UserId> {
        self.head().host_id()
    }

    /// Returns the application's own attributes, as [`RoomRef::attributes`] does.
    ///
    #[doc = room_example!("assert_eq!(room.to_owned().attributes(), room.attributes());")]
    #[must_use]
    pub fn attributes(&self) -> &Attributes {
        self.head().attributes()
    }

    /// Returns what ends it, as [`RoomRef::lifecycle`] does.
    ///
    #[doc = room_example!("assert_eq!(room.to_owned().lifecycle(), room.lifecycle());")]
    #[must_use]
    pub fn lifecycle(&self) -> Lifecycle {
        self.head().lifecycle()
    }

    /// Returns when it began, as [`RoomRef::began_at`] does.
    ///
    #[doc = room_example!("assert_eq!(room.to_owned().began_at(), room.began_at());")]
    #[must_use]
    pub fn began_at(&self) -> Option<Timestamp> {
        self.head().began_at()
    }

    /// Returns how many users count, as [`RoomRef::user_count`] does. Cost: the users.
    ///
    #[doc = room_example!("assert_eq!(room.to_owned().user_count(), room.user_count());")]
    #[must_use]
    pub fn user_count(&self) -> usize {
        self.users.values().filter(|user| user.is_counted).count()
    }

    /// Returns how many streams are in its list. Cost: constant.
    ///
    #[doc = room_example!("assert_eq!(room.to_owned().stream_count(), room.stream_count());")]
    #[must_use]
    pub fn stream_count(&self) -> usize {
        self.streams.len()
    }

    /// Returns its users in the order of [`RoomRef::users`]. Cost: the users, sorted.
    ///
    #[doc = room_example!("assert_eq!(room.to_owned().users_in_order()[0].user_id, \"ann\");")]
    #[must_use]
    pub fn users_in_order(&self) -> Vec<&User> {
        let mut users: Vec<_> = self.users.values().collect();
        users.sort_by_key(|user| user.since().unwrap_or_default());
        users
    }

    /// Returns the room in one line, as [`RoomRef::summary`] does. Cost: the users.
    ///
    #[doc = room_example!("assert_eq!(room.to_owned().summary(), room.summary());")]
    #[must_use]
    pub fn summary(&self) -> RoomSummary {
        self.head().summary(self.user_count(), self.stream_count())
    }

    /// Returns what names and describes the room, as [`RoomRef`] has it.
    fn head(&self) -> Head<'_> {
        let (info, session) = (self.info.as_ref(), self.session.as_ref());
        Head { room_id: &self.room_id, info, session }
    }

    /// Takes a suspicion in, in the place of one of the same list and sign.
    fn suspect(&mut self, suspicion: Suspicion) {
        let subject = |held: &Suspicion| (held.list, held.sign);
        self.suspicions.retain(|held| subject(held) != subject(&suspicion));
        self.suspicions.push(suspicion);
        self.suspicions.sort_unstable_by_key(subject);
    }

    /// Takes out what only the media server said: streams, logins and presences. Members stay.
    fn close_session(&mut self) {
        self.session = None;
        self.streams.clear();
        self.users.retain(|_, user| {
            user.login = None;
            user.presence = None;
            user.note = None;
            user.membership.is_some()
        });
    }
}

impl RoomRef<'_> {
    /// Returns the room as an owned value, with all users and streams. Cost: what is returned.
    ///
    #[doc = room_example!("assert_eq!(room.to_owned().users.len(), 1);")]
    #[must_use]
    pub fn to_owned(self) -> MirrorRoom {
        self.into()
    }
}

/// Copies what views show, so that a mirror can start beside a registry that is already in use.
impl<'a> FromIterator<RoomRef<'a>> for Mirror {
    fn from_iter<I: IntoIterator<Item = RoomRef<'a>>>(rooms: I) -> Self {
        let rooms = rooms.into_iter().map(|room| (room.id().clone(), room.into())).collect();
        Self { rooms }
    }
}

impl From<RoomRef<'_>> for MirrorRoom {
    fn from(room: RoomRef<'_>) -> Self {
        Self {
            room_id: room.id().clone(),
            info: room.info().cloned(),
            session: room.session().cloned(),
            users: room.users().map(|user| (user.id().clone(), user.to_owned())).collect(),
            streams: room
                .streams()
                .map(|stream| (stream.id().clone(), stream.to_owned()))
                .collect(),
            suspicions: room.suspicions().to_vec(),
        }
    }
}
