//! One suite of behaviours, over every store.
#![allow(clippy::unwrap_used, reason = "a test that meets what it does not expect fails")]

mod support;

use std::sync::Arc;

use room_registry::{Config, ManualClock};
use room_service::store::Store;
use room_service::store::file::FileStore;
use room_service::store::memory::Memory;
use room_service::store::redis::Redis;
use support::redis_server::RedisServer;
use tempfile::TempDir;

store_suite!(memory, crate::memory_store);
store_suite!(file, crate::file_store);
store_suite!(redis, crate::redis_store);

type Opened<N> = Option<(Arc<dyn Store>, N)>;

async fn memory_store(config: Config, clock: ManualClock) -> Opened<()> {
    Some((Arc::new(Memory::with_clock(config, clock)), ()))
}

async fn file_store(config: Config, clock: ManualClock) -> Opened<TempDir> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rooms.redb");
    Some((Arc::new(FileStore::open_with_clock(&path, config, clock).unwrap()), directory))
}

async fn redis_store(config: Config, clock: ManualClock) -> Opened<RedisServer> {
    let server = RedisServer::start()?;
    let clock = Arc::new(clock);
    let store = Redis::connect_with_clock(&server.url(), "suite:", config, clock).await.unwrap();
    Some((Arc::new(store), server))
}
