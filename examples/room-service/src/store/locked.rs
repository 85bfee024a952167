//! A registry behind a lock, and what both stores that have one do with it.
//!
//! An operation takes a few microseconds, which a lock shared by all requests does not feel; the two
//! long ones, sweeping and listing, go in bounded steps.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use room_registry::{
    Answer, Config, CursorError, Direction, Error, Input, Question, RoomQuery, RoomRef,
    RoomRegistry, StreamCursor, Timestamp, UserCursor,
};

use super::{Counts, Page, RoomsWanted, StoreError};
use crate::feed::Feed;
use crate::rows::{Room, RoomList, StreamList, UserList};

/// How many users and rooms one step of a sweep takes.
pub(super) const SWEEP_STEPS: usize = 256;

/// A registry that many requests share.
#[derive(Debug)]
pub(super) struct Locked {
    registry: Mutex<RoomRegistry>,
    feed: Arc<Feed>,
    epoch: u64,
}

impl Locked {
    pub(super) fn new(registry: RoomRegistry) -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let epoch = u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX);
        Self { registry: Mutex::new(registry), feed: Arc::default(), epoch }
    }

    pub(super) fn empty(config: Config) -> Self {
        Self::new(RoomRegistry::new(config))
    }

    pub(super) fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }

    /// Takes an input in, and tells what became different. `touched` sees the registry before
    /// anybody else does.
    pub(super) fn apply<T>(
        &self,
        input: Input,
        touched: impl FnOnce(&RoomRegistry) -> T,
    ) -> Result<(Answer, T), Error> {
        let mut registry = self.lock();
        let answer = registry.apply_input(input)?;
        let touched = touched(&registry);
        self.feed.tell(self.epoch, registry.changes());
        Ok((answer, touched))
    }

    /// Does what is due, in a bounded step. Tells when something is due next.
    pub(super) fn sweep<T>(
        &self,
        touched: impl FnOnce(&RoomRegistry) -> T,
    ) -> (Option<Timestamp>, T) {
        let mut registry = self.lock();
        registry.expire_at_most(SWEEP_STEPS);
        let touched = touched(&registry);
        self.feed.tell(self.epoch, registry.changes());
        (registry.next_expiry(), touched)
    }

    pub(super) fn rooms(&self, wanted: &RoomsWanted) -> Result<RoomList, CursorError> {
        let mut query = RoomQuery::new(wanted.order).limit(wanted.page.limit);
        if let Some(cursor) = &wanted.page.cursor {
            query = query.after(cursor.parse()?);
        }
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

    pub(super) fn next_question(&self) -> Option<Question> {
        self.lock().next_question()
    }

    pub(super) fn question_failed(&self, room_id: &str) {
        self.lock().question_failed(room_id);
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

    pub(super) fn lock(&self) -> MutexGuard<'_, RoomRegistry> {
        // The registry does not panic; a panic while rows were made of it left it whole.
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
