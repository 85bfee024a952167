//! Does what is due, in every store: a task each.
//!
//! A step is bounded, and between two steps others have their turn. While nothing is due the next look
//! comes when the store says. It comes within a second whatever the store says, since what comes meanwhile
//! can be due earlier. A store that fails is left alone for a while.

use std::sync::Arc;
use std::time::Duration;

use room_registry::{Clock, SystemClock, Timestamp};
use tokio::time::sleep;

use crate::store::Store;

/// Between two steps while there is more to do.
const BETWEEN_STEPS: Duration = Duration::from_millis(5);
/// Between two looks.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
/// After many failures in a row.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Sweeps a store, until it is aborted.
pub async fn run(store: Arc<dyn Store>) {
    let mut pause = BETWEEN_LOOKS;
    loop {
        match store.sweep().await {
            Ok(due) => {
                pause = BETWEEN_LOOKS;
                sleep(until(due, SystemClock.now())).await;
            }
            Err(error) => {
                tracing::error!(store = store.name(), %error, "sweeping failed");
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

fn until(due: Option<Timestamp>, now: Timestamp) -> Duration {
    due.map_or(BETWEEN_LOOKS, |due| due.since(now)).clamp(BETWEEN_STEPS, BETWEEN_LOOKS)
}
