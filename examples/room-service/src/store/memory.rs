//! Rooms in memory: nothing outlives the process.

use std::sync::Arc;

use async_trait::async_trait;
use room_registry::{Answer, Config, Input, Question, Timestamp};

use super::locked::Locked;
use super::{Counts, Page, RoomsWanted, Store, StoreError};
use crate::feed::Feed;
use crate::rows::{Room, RoomList, StreamList, UserList};

/// The store in memory.
#[derive(Debug)]
pub struct Memory {
    locked: Locked,
}

impl Memory {
    /// An empty store.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { locked: Locked::empty(config) }
    }
}

#[async_trait]
impl Store for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    async fn apply(&self, input: Input) -> Result<Answer, StoreError> {
        Ok(self.locked.apply(input, |_| ())?.0)
    }

    async fn rooms(&self, wanted: &RoomsWanted) -> Result<RoomList, StoreError> {
        Ok(self.locked.rooms(wanted)?)
    }

    async fn room(&self, room_id: &str) -> Result<Option<Room>, StoreError> {
        Ok(self.locked.room(room_id))
    }

    async fn users(&self, room_id: &str, page: &Page) -> Result<Option<UserList>, StoreError> {
        self.locked.users(room_id, page)
    }

    async fn streams(&self, room_id: &str, page: &Page) -> Result<Option<StreamList>, StoreError> {
        self.locked.streams(room_id, page)
    }

    async fn sweep(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.locked.sweep(|_| ()).0)
    }

    async fn next_question(&self) -> Result<Option<Question>, StoreError> {
        Ok(self.locked.next_question())
    }

    async fn question_failed(&self, room_id: &str) -> Result<(), StoreError> {
        self.locked.question_failed(room_id);
        Ok(())
    }

    fn feed(&self) -> &Arc<Feed> {
        self.locked.feed()
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        Ok(self.locked.counts())
    }

    async fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
