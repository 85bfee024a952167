//! Mends what lost callbacks left wrong: takes the store's questions, asks the media server, and
//! hands the answers in.
//!
//! ```text
//! Store::next_question ─▶ MediaServer::observe ─▶ Store::apply (an observation)
//!                                            └──▶ Store::question_failed
//! ```
//!
//! The store plans within a budget of calls a second. Some questions are under way at a time, and
//! never two about one room.

mod zego;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use room_registry::repair::Question;
use room_registry::{Observation, RoomId};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::metrics::Metrics;
use crate::store::Store;
pub use zego::{Zego, ZegoError};

/// How many questions are under way at a time.
const UNDER_WAY: usize = 16;
/// Between two looks, while there is nothing to ask.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
/// How long a question may take, with all pages of a large room.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(150);
/// After failures of the store in a row.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Where the truth is.
#[async_trait]
pub trait MediaServer: fmt::Debug + Send + Sync {
    /// What is in a room, as far as the question asks.
    async fn observe(&self, question: &Question) -> Result<Observation, NoAnswer>;
}

/// Why a media server did not answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NoAnswer(pub String);

/// Asks about a store's rooms, until it is aborted.
pub async fn run(store: Arc<dyn Store>, media_server: Arc<dyn MediaServer>, metrics: Arc<Metrics>) {
    let places = Arc::new(Semaphore::new(UNDER_WAY));
    let asked = Arc::new(Mutex::new(BTreeSet::new()));
    let mut questions = JoinSet::new();
    let mut pause = FIRST_PAUSE;
    loop {
        while questions.try_join_next().is_some() {}
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match store.next_question().await {
            Ok(Some(question)) => {
                pause = FIRST_PAUSE;
                let Some(asking) = Asking::begin(&asked, &question.room_id) else { continue };
                let repair = Repair {
                    store: Arc::clone(&store),
                    media_server: Arc::clone(&media_server),
                    metrics: Arc::clone(&metrics),
                };
                questions.spawn(async move {
                    repair.ask(question).await;
                    drop((asking, place));
                });
            }
            Ok(None) => {
                pause = FIRST_PAUSE;
                sleep(BETWEEN_LOOKS).await;
            }
            Err(error) => {
                tracing::error!(store = store.name(), %error, "no question could be had");
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// A room that is being asked about.
struct Asking {
    room_id: RoomId,
    asked: Arc<Mutex<BTreeSet<RoomId>>>,
}

impl Asking {
    /// None if it is being asked about already.
    fn begin(asked: &Arc<Mutex<BTreeSet<RoomId>>>, room_id: &RoomId) -> Option<Self> {
        let is_new = asked.lock().unwrap_or_else(PoisonError::into_inner).insert(room_id.clone());
        is_new.then(|| Self { room_id: room_id.clone(), asked: Arc::clone(asked) })
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.room_id);
    }
}

struct Repair {
    store: Arc<dyn Store>,
    media_server: Arc<dyn MediaServer>,
    metrics: Arc<Metrics>,
}

impl Repair {
    async fn ask(&self, question: Question) {
        let Question { room_id, reason, .. } = &question;
        let began_at = Instant::now();
        let result = self.answer(&question).await;
        let took = began_at.elapsed();
        let store = self.store.name();
        match result {
            Ok(()) => {
                tracing::debug!(store, %room_id, ?reason, "the media server was asked");
                self.metrics.question(store, *reason, "answered", took);
            }
            Err(error) => {
                tracing::warn!(store, %room_id, error, "the media server could not be asked");
                self.metrics.question(store, *reason, "failed", took);
                if let Err(error) = self.store.question_failed(room_id.as_str()).await {
                    tracing::error!(store, %error, "a failed question could not be noted");
                }
            }
        }
    }

    async fn answer(&self, question: &Question) -> Result<(), String> {
        let observation = timeout(QUESTION_TIMEOUT, self.media_server.observe(question))
            .await
            .map_err(|_| "it took too long".to_owned())?
            .map_err(|error| error.to_string())?;
        let applied = self.store.apply(observation.into()).await;
        applied.map(|_| ()).map_err(|error| error.to_string())
    }
}
