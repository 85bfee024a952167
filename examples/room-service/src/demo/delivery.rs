//! The way from the media server to the service, by the vendor's schedule. Each callback is tried up to six
//! times, until the service answers that it has it.
//!
//! On the way it is late, overtaken by others, sent again if the answer got lost, or lost itself.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use room_registry_world::network::RETRIES;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::world::ToldCallback;
use super::{Stage, wire};

/// How often a try gets lost, though not the callback.
const TRY_LOST: f64 = 0.15;
/// How often the answer gets lost, so that the callback is sent again.
const ANSWER_LOST: f64 = 0.08;
/// How often a try takes the long way.
const LONG_WAY: f64 = 0.2;
/// How many tries meet the service at a time.
const AT_A_TIME: usize = 64;

#[derive(Debug)]
pub(super) struct Deliveries {
    stage: Arc<Stage>,
    rng: StdRng,
    loss: f64,
    places: Arc<Semaphore>,
    /// They end with this.
    under_way: JoinSet<()>,
}

/// How one try goes.
#[derive(Debug, Clone, Copy)]
struct Try {
    travels: Duration,
    arrives: bool,
    is_answered: bool,
}

impl Deliveries {
    pub(super) fn new(stage: &Arc<Stage>, loss: u32, seed: u64) -> Self {
        Self {
            stage: Arc::clone(stage),
            rng: StdRng::seed_from_u64(seed.wrapping_add(1)),
            loss: f64::from(loss) / 100.0,
            places: Arc::new(Semaphore::new(AT_A_TIME)),
            under_way: JoinSet::new(),
        }
    }

    pub(super) fn lose_nothing(&mut self) {
        self.loss = 0.0;
    }

    pub(super) fn send(&mut self, callback: ToldCallback) {
        while self.under_way.try_join_next().is_some() {}
        self.stage.report().callbacks += 1;
        let ToldCallback { room, subject, callback } = callback;
        let is_lost = self.rng.random_bool(self.loss);
        let tries: Vec<Try> = (0..=RETRIES.len()).map(|_| self.next_try()).collect();
        let (seconds, nonce) = (super::unix_millis() / 1_000, self.rng.random());
        let stage = Arc::clone(&self.stage);
        let secret = stage.callback_secret.as_ref();
        let body = wire::body(&callback, stage.app_id, secret, seconds, nonce);
        let places = Arc::clone(&self.places);
        self.under_way.spawn(async move {
            if is_lost {
                sleep(stage.real(tries[0].travels)).await;
                stage.report().lost += 1;
            } else {
                deliver(&stage, &places, &tries, body).await;
            }
            stage.world().arrived(room, &subject);
        });
    }

    fn next_try(&mut self) -> Try {
        let longest = if self.rng.random_bool(LONG_WAY) { 3_000 } else { 250 };
        Try {
            travels: Duration::from_millis(self.rng.random_range(15..longest)),
            arrives: !self.rng.random_bool(TRY_LOST),
            is_answered: !self.rng.random_bool(ANSWER_LOST),
        }
    }
}

async fn deliver(stage: &Stage, places: &Semaphore, tries: &[Try], body: String) {
    let mut arrivals = 0_u32;
    let last = tries.len() - 1;
    for (index, attempt) in tries.iter().enumerate() {
        sleep(stage.real(attempt.travels)).await;
        // Nothing is lost by chance but what the settings say.
        if attempt.arrives || (index == last && arrivals == 0) {
            let Ok(_place) = places.acquire().await else { return };
            let is_taken = stage.client.callback(body.clone()).await;
            arrivals += u32::from(is_taken);
            if is_taken && (attempt.is_answered || index == last) {
                break;
            }
        }
        if let Some(millis) = RETRIES.get(index) {
            sleep(stage.real(Duration::from_millis(*millis))).await;
        }
    }
    let mut report = stage.report();
    report.repeated += u64::from(arrivals > 1);
    report.given_up += u64::from(arrivals == 0);
}
