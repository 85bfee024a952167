//! The thread that writes: batch after batch, each in one transaction.

use std::sync::Arc;

use room_registry::{Clock, RoomId};

use super::Shared;
use super::database::{Database, WriteError};

/// Writes what is queued.
#[derive(Debug)]
pub(super) struct Committer<C> {
    shared: Arc<Shared<C>>,
    database: Database,
}

/// Whatever happens to the thread, nobody waits for it in vain.
struct LastWord<C>(Arc<Shared<C>>);

impl<C> Drop for LastWord<C> {
    fn drop(&mut self) {
        self.0.queue.closed(Err("its thread ended".to_owned()));
    }
}

impl<C: Clock> Committer<C> {
    pub(super) fn new(shared: Arc<Shared<C>>, database: Database) -> Self {
        Self { shared, database }
    }

    /// Writes until the queue is closed, and the file after that.
    pub(super) fn run(mut self) {
        let last_word = LastWord(Arc::clone(&self.shared));
        let mut written = Ok(());
        while let Some(rooms) = self.shared.queue.next() {
            let last = self.shared.queue.is_closing();
            match self.write(&rooms) {
                Ok(()) => {
                    let locked = &self.shared.locked;
                    if self.shared.queue.wrote(|changes| locked.tell(changes.into_iter())) {
                        self.recovered();
                    }
                }
                Err(error) => {
                    tracing::error!(%error, rooms = rooms.len(), "rooms could not be written");
                    self.shared.queue.failed(&error.to_string());
                    if last {
                        written = Err(error.to_string());
                        break;
                    }
                }
            }
        }
        let Self { shared, database } = self;
        // First the file is free, then it is said so.
        drop(database);
        shared.queue.closed(written);
        drop(last_word);
    }

    /// Each room is copied when its turn comes: later than it became dirty, so with all that its
    /// batch is about.
    fn write(&mut self, rooms: &[RoomId]) -> Result<(), WriteError> {
        let locked = &self.shared.locked;
        self.database.write(rooms, |room_id| locked.lock().export(room_id))
    }

    /// While nothing could be written, members were turned away.
    fn recovered(&self) {
        tracing::info!("rooms can be written again");
        let mut registry = self.shared.locked.lock();
        registry.grant_grace();
        // A grace needs no write. A clock that was set back does.
        if registry.changes().next().is_some() {
            self.shared.queue.put(&registry, None);
        }
    }
}
