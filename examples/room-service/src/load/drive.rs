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

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub(super) enum Until {
    /// So many requests were made.
    Made(u64),
    /// So long.
    Passed(Duration),
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

/// Each connection sends when it was answered.
pub(super) async fn saturate(
    address: SocketAddr,
    connections: usize,
    first: u64,
    until: Until,
    make: &Make,
) -> Result<Driven, LoadError> {
    let next = Arc::new(AtomicU64::new(first));
    let begun_at = Instant::now();
    let mut senders = JoinSet::new();
    for _ in 0..connections {
        let mut client = Client::connect(address).await?;
        let (next, make) = (Arc::clone(&next), Arc::clone(make));
        senders.spawn(async move {
            let mut sent = Sent::default();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let is_over = match until {
                    Until::Made(count) => number >= first + count,
                    Until::Passed(span) => begun_at.elapsed() >= span,
                };
                if is_over {
                    return sent;
                }
                let at = Instant::now();
                let is_good = succeeds(&mut client, &make(number)).await;
                if !sent.note(at, is_good) {
                    client = match Client::connect(address).await {
                        Ok(client) => client,
                        Err(_) => return sent,
                    };
                }
            }
        });
    }
    Ok(gather(senders, begun_at, next.load(Ordering::Relaxed)).await)
}

/// Requests are sent at a rate, whether or not those before were answered: each connection has its
/// share of the times, and a latency counts from when the request was to be sent.
pub(super) async fn pace(
    address: SocketAddr,
    connections: usize,
    first: u64,
    rate: f64,
    span: Duration,
    make: &Make,
) -> Result<Driven, LoadError> {
    let next = Arc::new(AtomicU64::new(first));
    let mut clients = Vec::new();
    for _ in 0..connections {
        clients.push(Client::connect(address).await?);
    }
    // From when all are connected: who still connects would be late from the first request on.
    let begun_at = Instant::now() + Duration::from_millis(20);
    let mut senders = JoinSet::new();
    for mut client in clients {
        let (next, make) = (Arc::clone(&next), Arc::clone(make));
        senders.spawn(async move {
            let mut sent = Sent::default();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                #[expect(clippy::cast_precision_loss, reason = "a count of some seconds")]
                let after = Duration::from_secs_f64((number - first) as f64 / rate);
                if after >= span {
                    return sent;
                }
                let at = begun_at + after;
                // A timer is a millisecond late at most, which counts; who is late already waits for none.
                if Instant::now() < at {
                    tokio::time::sleep_until(at.into()).await;
                }
                let is_good = succeeds(&mut client, &make(number)).await;
                if !sent.note(at, is_good) {
                    client = match Client::connect(address).await {
                        Ok(client) => client,
                        Err(_) => return sent,
                    };
                }
            }
        });
    }
    Ok(gather(senders, begun_at, next.load(Ordering::Relaxed)).await)
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

/// Whether the answer says that it was done; nothing where there was none.
async fn succeeds(client: &mut Client, ask: &Ask) -> Option<bool> {
    let (status, body) = client.ask(ask).await?;
    let says_done = || body.starts_with(br#"{"code":0"#) || body.is_empty();
    Some(status.is_success() && says_done())
}

async fn gather(mut senders: JoinSet<Sent>, begun_at: Instant, made: u64) -> Driven {
    let mut all = Sent::default();
    while let Some(sent) = senders.join_next().await {
        let sent = sent.expect("a sender does not panic");
        all.latencies.add(sent.latencies).expect("all have the same bounds");
        all.failures += sent.failures;
    }
    let Sent { latencies, failures } = all;
    Driven { latencies, span: begun_at.elapsed(), failures, made }
}
