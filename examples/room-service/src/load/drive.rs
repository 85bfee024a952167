//! Sends requests of one kind: as fast as it goes, or by the clock.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use super::client::{Ask, Client};
use super::{Latencies, LoadError};

/// What takes longer than a minute counts as a minute.
const LONGEST_MICROS: u64 = 60_000_000;

/// Makes the nth request of a kind.
pub(super) type Make = Arc<dyn Fn(u64) -> Ask + Send + Sync>;

/// What came of it.
#[derive(Debug)]
pub(super) struct Driven {
    pub(super) latencies: Histogram<u64>,
    pub(super) span: Duration,
    pub(super) failures: u64,
    /// How many requests were made: the number of the next one.
    pub(super) made: u64,
}

/// When requests are sent.
#[derive(Debug, Clone, Copy)]
pub(super) enum Schedule {
    /// So many, as fast as it goes: each connection sends when it was answered.
    Count(u64),
    /// The same, for so long.
    Saturating(Duration),
    /// At a rate for so long, whether or not those before were answered. A request has its time, and its
    /// latency counts from that time. The next connection that is free sends it.
    Paced { per_second: f64, span: Duration },
}

impl Schedule {
    /// When the nth request is to be sent, of those that began then; `None` once it is over.
    fn time_of(self, nth: u64, begun_at: Instant) -> Option<Instant> {
        match self {
            Self::Count(count) => (nth < count).then(Instant::now),
            Self::Saturating(span) => Some(Instant::now()).filter(|now| *now < begun_at + span),
            Self::Paced { per_second, span } => {
                #[expect(clippy::cast_precision_loss, reason = "a count of some seconds")]
                let after = Duration::from_secs_f64(nth as f64 / per_second);
                (after < span).then(|| begun_at + after)
            }
        }
    }
}

impl Driven {
    pub(super) fn rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a count of some seconds")]
        let answers = self.latencies.len() as f64;
        answers / self.span.as_secs_f64()
    }

    pub(super) fn latencies(&self) -> Latencies {
        Latencies {
            count: self.latencies.len(),
            p50: self.latencies.value_at_quantile(0.5),
            p99: self.latencies.value_at_quantile(0.99),
            max: self.latencies.max(),
        }
    }
}

/// Sends the requests from the first number on, over so many connections.
pub(super) async fn drive(
    address: SocketAddr,
    connections: usize,
    first: u64,
    schedule: Schedule,
    make: &Make,
) -> Result<Driven, LoadError> {
    let mut clients = Vec::new();
    for _ in 0..connections {
        clients.push(Client::connect(address).await?);
    }
    let next = Arc::new(AtomicU64::new(0));
    // From when all are connected: who still connects would be late from the first request on.
    let begun_at = Instant::now();
    let mut senders = JoinSet::new();
    for mut client in clients {
        let (next, make) = (Arc::clone(&next), Arc::clone(make));
        senders.spawn(async move {
            let mut sent = Sent::default();
            loop {
                let nth = next.fetch_add(1, Ordering::Relaxed);
                let Some(at) = schedule.time_of(nth, begun_at) else { return sent };
                while Instant::now() < at {
                    tokio::task::yield_now().await;
                }
                let is_good = succeeds(&mut client, &make(first + nth)).await;
                if !sent.note(at, is_good) {
                    client = match Client::connect(address).await {
                        Ok(client) => client,
                        Err(_) => return sent,
                    };
                }
            }
        });
    }
    let mut all = Sent::default();
    while let Some(sent) = senders.join_next().await {
        let sent = sent.expect("a sender does not panic");
        all.latencies.add(sent.latencies).expect("all have the same bounds");
        all.failures += sent.failures;
    }
    let Sent { latencies, failures } = all;
    Ok(Driven {
        latencies,
        span: begun_at.elapsed(),
        failures,
        made: first + next.load(Ordering::Relaxed),
    })
}

/// What one connection saw.
#[derive(Debug)]
struct Sent {
    latencies: Histogram<u64>,
    failures: u64,
}

impl Default for Sent {
    fn default() -> Self {
        let latencies = Histogram::new_with_max(LONGEST_MICROS, 3).expect("the bounds are allowed");
        Self { latencies, failures: 0 }
    }
}

impl Sent {
    /// Notes an answer, or that there was none. Tells whether the connection can be used again.
    fn note(&mut self, at: Instant, is_good: Option<bool>) -> bool {
        let micros = u64::try_from(at.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.latencies.saturating_record(micros);
        self.failures += u64::from(is_good != Some(true));
        is_good.is_some()
    }
}

/// Whether the answer says that it was done; nothing if there was none.
async fn succeeds(client: &mut Client, ask: &Ask) -> Option<bool> {
    let (status, body) = client.ask(ask).await?;
    let says_done = || body.starts_with(br#"{"code":0"#) || body.is_empty();
    Some(status.is_success() && says_done())
}
