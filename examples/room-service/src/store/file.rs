//! Rooms in a file: the default. What was acknowledged survives the process, however it ends.
//!
//! ```text
//! apply ─▶ the registry, behind its lock ─▶ queue: dirty rooms, changes, who waits
//!                    ▲                         │
//!                    └─ export, room by room ── committer ─▶ one transaction ─▶ the file
//!                                                  └─ then: the feed is told, who waits is answered
//! ```
//!
//! All reads are answered from the registry in memory. The file is read once, when it is opened.
//!
//! # What is written
//!
//! The file is a redb database with one row a room: the room in postcard. That is a third of the size of
//! JSON, and the library checks it on the way in. A row beside them has the settings under which the rooms
//! were made.
//!
//! A transaction writes every room that became dirty since the one before. A hundred joins that come while
//! one transaction is synced to the disk share the next. What a transaction costs grows with the rooms in
//! it. A room of 10,000 users is about a megabyte, written anew for each transaction in which one of them
//! came or went. Very large rooms that are busy all the time are the limit of this store.
//!
//! # What is promised
//!
//! - An input is answered once it is in the file, synced. So is an answer that changed nothing but may
//!   rest on what is not there yet: a repeat of a callback, a refusal. The feed hears of a change after
//!   that. Reads may be ahead of the file by one transaction.
//! - The process may be killed at any moment: a transaction is in the file whole, or not at all.
//! - Plain heartbeats are not written and do not wait. After a restart every membership gets one fresh
//!   timeout, so a heartbeat that was acknowledged counts for no less than it did. That is why
//!   [`close`](Store::close) does not write them either.
//! - If writing fails (the disk is full), whoever waits gets an error. The rooms stay to be written, and
//!   the committer tries again by itself, with the database opened anew. Until then no input is taken in
//!   but heartbeats, and no sweep is done. So what is waiting stays bounded. Then all memberships get one
//!   fresh timeout.
//! - One process has the file at a time. It is opened only whole: a row that cannot be read is an
//!   error that names the room, and so are other settings.

mod committer;
mod database;
mod queue;

pub use database::{Medium, OpenError};

use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use async_trait::async_trait;
use room_registry::journal::{Answer, Input};
use room_registry::repair::Question;
use room_registry::{Clock, Config, Heartbeat, RoomRegistry, SystemClock, Timestamp};

use self::committer::Committer;
use self::database::{Database, OnDisk};
use self::queue::{Queue, Receipt};
use super::locked::{Locked, sweep};
use super::{Counts, Page, RoomsWanted, Store, StoreError, plain_heartbeat};
use crate::feed::Feed;
use crate::rows::{Room, RoomList, StreamList, UserList};

const NAME: &str = "file";

/// The store in a file.
#[derive(Debug)]
pub struct FileStore<C = SystemClock> {
    shared: Arc<Shared<C>>,
    committer: Option<JoinHandle<()>>,
}

/// What requests and the committer share.
#[derive(Debug)]
struct Shared<C> {
    locked: Locked<C>,
    queue: Queue,
}

impl FileStore {
    /// Opens a file, which is made if there is none, as are the directories above it. Reads all of it.
    pub fn open(path: &Path, config: Config) -> Result<Self, OpenError> {
        Self::open_with_clock(path, config, SystemClock)
    }
}

impl<C: Clock + Debug + Send + Sync + 'static> FileStore<C> {
    /// Opens a file, on a clock of your own.
    pub fn open_with_clock(path: &Path, config: Config, clock: C) -> Result<Self, OpenError> {
        Self::open_medium(OnDisk::at(path)?, config, clock)
    }

    /// Opens what is not a file, but is used as one.
    pub fn open_medium(medium: impl Medium, config: Config, clock: C) -> Result<Self, OpenError> {
        let mut database = Database::open(Box::new(medium), config.rules())?;
        let mut registry = RoomRegistry::with_clock(config, clock);
        database.read(|room| registry.import(room))?;
        // Nobody could be heard meanwhile.
        registry.grant_grace();
        tracing::info!(rooms = registry.held_room_count(), "the file of rooms is open");
        let shared = Arc::new(Shared { locked: Locked::new(registry), queue: Queue::default() });
        let committer = Committer::new(Arc::clone(&shared), database);
        let committer = thread::Builder::new()
            .name("room-committer".to_owned())
            .spawn(move || committer.run())
            .map_err(OpenError::Thread)?;
        Ok(Self { shared, committer: Some(committer) })
    }
}

impl<C> Drop for FileStore<C> {
    fn drop(&mut self) {
        self.shared.queue.close();
        // The file is free for the next one when this returns. A panic of the committer was told
        // when it happened.
        _ = self.committer.take().map(JoinHandle::join);
    }
}

impl<C: Clock> Shared<C> {
    /// Changes something, and has the committer write what is dirty. `room_id` is of the room that
    /// the answer is about: it is waited for even if it was dirty before.
    fn change<T>(
        &self,
        room_id: Option<&str>,
        operation: impl FnOnce(&mut RoomRegistry<C>) -> T,
    ) -> (T, Receipt) {
        let mut registry = self.locked.lock();
        let answer = operation(&mut registry);
        // Under the registry's lock, so that changes are queued in their order.
        let receipt = self.queue.put(&registry, room_id);
        (answer, receipt)
    }
}

#[async_trait]
impl<C: Clock + Debug + Send + Sync + 'static> Store for FileStore<C> {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn apply(&self, input: Input) -> Result<Answer, StoreError> {
        let beats = plain_heartbeat(&input).is_some();
        self.shared.queue.admit(if beats { input.room_id() } else { None }).map_err(failed)?;
        let (answer, receipt) =
            self.shared.change(input.room_id(), |registry| registry.apply_input(&input));
        let alive = matches!(answer, Ok(Answer::Heartbeat(Heartbeat::Alive)));
        if !(alive && beats && receipt.left_nothing_dirty()) {
            receipt.written().await.map_err(failed)?;
        }
        Ok(answer?)
    }

    async fn rooms(&self, wanted: &RoomsWanted) -> Result<RoomList, StoreError> {
        Ok(self.shared.locked.rooms(wanted)?)
    }

    async fn room(&self, room_id: &str) -> Result<Option<Room>, StoreError> {
        Ok(self.shared.locked.room(room_id))
    }

    async fn users(&self, room_id: &str, page: &Page) -> Result<Option<UserList>, StoreError> {
        self.shared.locked.users(room_id, page)
    }

    async fn streams(&self, room_id: &str, page: &Page) -> Result<Option<StreamList>, StoreError> {
        self.shared.locked.streams(room_id, page)
    }

    async fn sweep(&self) -> Result<Option<Timestamp>, StoreError> {
        self.shared.queue.admit(None).map_err(failed)?;
        let (next, receipt) = self.shared.change(None, sweep);
        receipt.written().await.map_err(failed)?;
        Ok(next)
    }

    async fn next_question(&self) -> Result<Option<Question>, StoreError> {
        // What is asked is not written, so there is nothing to wait for.
        Ok(self.shared.change(None, RoomRegistry::next_question).0)
    }

    async fn question_failed(&self, room_id: &str) -> Result<(), StoreError> {
        self.shared.change(None, |registry| registry.question_failed(room_id));
        Ok(())
    }

    fn feed(&self) -> &Arc<Feed> {
        self.shared.locked.feed()
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        Ok(self.shared.locked.counts())
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.shared.queue.close().closed().await.map_err(failed)
    }
}

fn failed(reason: String) -> StoreError {
    StoreError::Failed { store: NAME, reason }
}
