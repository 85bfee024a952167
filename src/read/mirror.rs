//! The visible state, rebuilt from changes.

use std::collections::BTreeMap;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::change::{Change, ChangeKind};
use crate::model::id::{RoomId, StreamId, UserId};
use crate::model::suspicion::Suspicion;
use crate::model::visible::{RoomInfo, Session, Stream, User};
use crate::read::RoomRef;

/// A copy of the visible state, kept by applying every [`Change`] in order.
///
/// It serves caches and clients. It also says what "visible" means: all that it holds, and nothing
/// else (not the heartbeats). A mirror that starts empty, or as a copy of a registry, equals what the
/// registry shows after each call.
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
    rooms: BTreeMap<RoomId, MirrorRoom>,
}

/// A listed room, as a [`Mirror`] has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct MirrorRoom {
    /// What commands made of it.
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
    /// Applies a change. Apply all changes, in the order in which the registry told them. The mirror
    /// passes over a change that does not fit, because its room is not here.
    ///
    /// Cost: the logarithm of what is here. A session that closes costs what was in it.
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
                info: info.clone(),
                session: session.clone(),
                ..MirrorRoom::default()
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
    fn suspect(&mut self, suspicion: Suspicion) {
        let subject = |held: &Suspicion| (held.list, held.sign);
        self.suspicions.retain(|held| subject(held) != subject(&suspicion));
        self.suspicions.push(suspicion);
        self.suspicions.sort_unstable_by_key(subject);
    }

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
