//! A registry behind a lock, and what both stores that have one do with it.
//!
//! An operation takes a few microseconds, which a lock shared by all requests does not feel. The two long
//! ones, sweeping and listing, go in bounded steps.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use room_registry::page::{CursorError, Direction, RoomCursor, StreamCursor, UserCursor};
use room_registry::{Change, Clock, RoomQuery, RoomRef, RoomRegistry, SystemClock, Timestamp};

use super::{Counts, Page, RoomsWanted, StoreError};
use crate::feed::Feed;
use crate::rows::{Room, RoomList, StreamList, UserList};

/// How many users and rooms one step of a sweep takes.
const SWEEP_STEPS: usize = 256;

/// A registry that many requests share, and the feed of its changes.
#[derive(Debug)]
pub(super) struct Locked<C = SystemClock> {
    registry: Mutex<RoomRegistry<C>>,
    feed: Arc<Feed>,
    epoch: u64,
}

impl<C: Clock> Locked<C> {
    pub(super) fn new(registry: RoomRegistry<C>) -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // Finer than any restart is fast.
        let epoch = u64::try_from(since_1970.as_nanos()).unwrap_or(u64::MAX);
        Self { registry: Mutex::new(registry), feed: Arc::default(), epoch }
    }

    pub(super) fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }

    /// Tells of changes.
    pub(super) fn tell(&self, changes: impl Iterator<Item = Change>) {
        self.feed.tell(self.epoch, changes);
    }

    pub(super) fn rooms(&self, wanted: &RoomsWanted) -> Result<RoomList, CursorError> {
        let cursor: Option<RoomCursor> =
            wanted.page.cursor.as_ref().map(|cursor| cursor.parse()).transpose()?;
        let query = RoomQuery::new(wanted.order).limit(wanted.page.limit).after(cursor);
        let registry = self.lock();
        let page = registry.page(&query)?;
        let rooms = page.rooms.into_iter().map(Room::from).collect();
        Ok(RoomList { rooms, next_cursor: page.next.map(|cursor| cursor.to_string()) })
    }

    pub(super) fn room(&self, room_id: &str) -> Option<Room> {
        self.lock().room(room_id).map(Room::from)
    }

    pub(super) fn users(&self, room_id: &str, page: &Page) -> Result<Option<UserList>, StoreError> {
        self.lock().room(room_id).map(|room| users_of(room, page)).transpose()
    }

    pub(super) fn streams(
        &self,
        room_id: &str,
        page: &Page,
    ) -> Result<Option<StreamList>, StoreError> {
        self.lock().room(room_id).map(|room| streams_of(room, page)).transpose()
    }

    pub(super) fn counts(&self) -> Counts {
        let registry = self.lock();
        Counts {
            rooms: registry.room_count() as u64,
            users: registry.user_count() as u64,
            streams: registry.stream_count() as u64,
            outcomes: registry.outcomes(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, RoomRegistry<C>> {
        // The registry does not panic; a panic while rows were made of it left it whole.
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does what is due, in a bounded step. Tells when something is due next.
pub(super) fn sweep<C: Clock>(registry: &mut RoomRegistry<C>) -> Option<Timestamp> {
    registry.expire_at_most(SWEEP_STEPS);
    registry.next_expiry()
}

/// A page of the users of a room.
pub(super) fn users_of(room: RoomRef<'_>, page: &Page) -> Result<UserList, StoreError> {
    let cursor = page.cursor.as_deref().map(str::parse::<UserCursor>).transpose()?;
    let users = room.user_page(page.limit, cursor.as_ref(), Direction::OldestFirst);
    let next_cursor = users.next.map(|cursor| cursor.to_string());
    Ok(UserList { users: users.users.into_iter().map(Into::into).collect(), next_cursor })
}

/// A page of the streams of a room.
pub(super) fn streams_of(room: RoomRef<'_>, page: &Page) -> Result<StreamList, StoreError> {
    let cursor = page.cursor.as_deref().map(str::parse::<StreamCursor>).transpose()?;
    let streams = room.stream_page(page.limit, cursor.as_ref(), Direction::OldestFirst);
    let next_cursor = streams.next.map(|cursor| cursor.to_string());
    Ok(StreamList { streams: streams.streams.into_iter().map(Into::into).collect(), next_cursor })
}
