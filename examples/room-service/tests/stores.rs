//! One suite of behaviours, over every store.
#![allow(clippy::unwrap_used, reason = "a test that meets what it does not expect fails")]

mod support;

use std::sync::Arc;

use room_registry::{Config, ManualClock};
use room_service::store::Store;
use room_service::store::file::FileStore;
use room_service::store::memory::Memory;
use tempfile::TempDir;

store_suite!(memory, crate::memory_store);
store_suite!(file, crate::file_store);

async fn memory_store(config: Config, clock: ManualClock) -> (Arc<dyn Store>, ()) {
    (Arc::new(Memory::with_clock(config, clock)), ())
}

async fn file_store(config: Config, clock: ManualClock) -> (Arc<dyn Store>, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rooms.redb");
    (Arc::new(FileStore::open_with_clock(&path, config, clock).unwrap()), directory)
}
