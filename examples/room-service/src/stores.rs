//! The stores that a service has, made from its settings.

use std::error::Error;
use std::sync::Arc;

use room_registry::Config;
use secrecy::ExposeSecret;
use tokio::task::spawn_blocking;

use crate::settings::{Settings, StoreKind};
use crate::store::Store;
use crate::store::file::FileStore;
use crate::store::memory::Memory;
use crate::store::redis::Redis;

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
    pub async fn open(settings: &Settings, config: Config) -> Result<Self, Box<dyn Error>> {
        let redis: Option<Arc<dyn Store>> = match &settings.redis {
            Some(url) => {
                let (url, prefix) = (url.expose_secret(), &settings.redis_prefix);
                Some(Arc::new(Redis::connect(url, prefix, config.clone()).await?))
            }
            None => None,
        };
        let Self { memory, .. } = Self::in_memory(config.clone());
        let default: Arc<dyn Store> = match settings.store {
            StoreKind::Memory => Arc::clone(&memory),
            StoreKind::File => {
                let path = settings.file.clone();
                let opened = spawn_blocking(move || FileStore::open(&path, config)).await?;
                Arc::new(opened?)
            }
            StoreKind::Redis => {
                redis.clone().ok_or("--store redis needs to know where Redis is: --redis URL")?
            }
        };
        Ok(Self { default, memory, redis })
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
