//! The stores that a service has, made from its settings.

use std::sync::Arc;

use room_registry::Config;

use crate::settings::{Settings, StoreKind};
use crate::store::memory::Memory;
use crate::store::{Store, StoreError};

/// The stores, by where they are found.
#[derive(Debug, Clone)]
pub struct Stores {
    /// Behind `/room/…`.
    pub default: Arc<dyn Store>,
    /// Behind `/api/room/mem/…`.
    pub memory: Arc<dyn Store>,
    /// Behind `/api/room/redis/…`.
    pub redis: Option<Arc<dyn Store>>,
}

impl Stores {
    /// A store in memory, and nothing else.
    #[must_use]
    pub fn in_memory(config: Config) -> Self {
        let memory: Arc<dyn Store> = Arc::new(Memory::new(config));
        Self { default: Arc::clone(&memory), memory, redis: None }
    }

    /// Opens the stores that the settings name.
    #[expect(clippy::unused_async, reason = "stores with a connection or a file open it here")]
    pub async fn open(settings: &Settings, config: Config) -> Result<Self, StoreError> {
        let stores = Self::in_memory(config);
        match settings.store {
            StoreKind::Memory => Ok(stores),
            StoreKind::File => Err(not_there("file")),
            StoreKind::Redis => Err(not_there("redis")),
        }
    }

    /// Each store once.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<dyn Store>> {
        let mut all: Vec<Arc<dyn Store>> = Vec::new();
        for store in [Some(&self.default), Some(&self.memory), self.redis.as_ref()] {
            if let Some(store) = store
                && !all.iter().any(|known| Arc::ptr_eq(known, store))
            {
                all.push(Arc::clone(store));
            }
        }
        all
    }
}

fn not_there(store: &'static str) -> StoreError {
    StoreError::Failed { store, reason: "this build has no such store".to_owned() }
}
