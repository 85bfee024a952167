//! Rooms in memory: nothing outlives the process.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use room_registry::journal::{Answer, Input};
use room_registry::repair::Question;
use room_registry::{Clock, Config, RoomRegistry, SystemClock, Timestamp};

use super::locked::{Locked, sweep};
use super::{Counts, Page, RoomsWanted, Store, StoreError};
use crate::feed::Feed;
use crate::rows::{Room, RoomList, StreamList, UserList};

/// The store in memory.
#[derive(Debug)]
pub struct Memory<C = SystemClock> {
    locked: Locked<C>,
}

impl Memory {
    /// An empty store.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self::with_clock(config, SystemClock)
    }
}

impl<C: Clock> Memory<C> {
    /// An empty store on a clock of your own.
    #[must_use]
    pub fn with_clock(config: Config, clock: C) -> Self {
        Self { locked: Locked::new(RoomRegistry::with_clock(config, clock)) }
    }

    /// Changes something, and tells what became different. Even what is refused may do that, if
    /// the clock was set back.
    fn change<T>(&self, operation: impl FnOnce(&mut RoomRegistry<C>) -> T) -> T {
        let mut registry = self.locked.lock();
        let answer = operation(&mut registry);
        self.locked.tell(registry.changes());
        answer
    }
}

#[async_trait]
impl<C: Clock + Debug + Send + Sync> Store for Memory<C> {
    fn name(&self) -> &'static str {
        "memory"
    }

    async fn apply(&self, input: Input) -> Result<Answer, StoreError> {
        Ok(self.change(|registry| registry.apply_input(&input))?)
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
        Ok(self.change(sweep))
    }

    async fn next_question(&self) -> Result<Option<Question>, StoreError> {
        Ok(self.change(RoomRegistry::next_question))
    }

    async fn question_failed(&self, room_id: &str) -> Result<(), StoreError> {
        self.change(|registry| registry.question_failed(room_id));
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
