//! What is counted and measured, for `GET /metrics` in the text form of Prometheus.
//!
//! ```text
//! requests, questions ─▶ counted as they happen
//! changes             ─▶ counted from the feed of each store: suspicions, repairs and all others
//! rooms, users, …     ─▶ asked of each store when somebody looks
//! ```
//!
//! Labels are names that this program knows, never what a client sent, so that their number is
//! bounded.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use room_registry::repair::{Reason, Suspicion};
use room_registry::{Cause, Change, ChangeKind, Outcome};
use tokio::sync::broadcast::error::RecvError;

use crate::feed::Listening;
use crate::store::{Counts, Store};

/// The type of what [`Metrics::text`] gives.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The upper bounds of the histograms of requests, in seconds.
const BOUNDS: [f64; 14] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// The upper bounds of the histograms of questions, which other machines answer, in seconds.
const QUESTION_BOUNDS: [f64; 10] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 120.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StoreLabels {
    store: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    store: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ChangeLabels {
    store: &'static str,
    kind: &'static str,
    cause: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SuspicionLabels {
    store: &'static str,
    sign: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QuestionLabels {
    store: &'static str,
    reason: &'static str,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    endpoint: String,
    status: u16,
    code: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndpointLabels {
    endpoint: String,
}

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// What is counted.
pub struct Metrics {
    registry: Registry,
    rooms: Family<StoreLabels, Gauge>,
    users: Family<StoreLabels, Gauge>,
    streams: Family<StoreLabels, Gauge>,
    up: Family<StoreLabels, Gauge>,
    callbacks: Family<OutcomeLabels, Counter>,
    changes: Family<ChangeLabels, Counter>,
    raised: Family<SuspicionLabels, Counter>,
    withdrawn: Family<SuspicionLabels, Counter>,
    repairs: Family<StoreLabels, Counter>,
    questions: Family<QuestionLabels, Counter>,
    question_seconds: Histograms<StoreLabels>,
    requests: Family<RequestLabels, Counter>,
    request_seconds: Histograms<EndpointLabels>,
    pub(crate) connections: Gauge,
    pub(crate) listeners: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("room_service");
        let request_seconds: Histograms<EndpointLabels> =
            Family::new_with_constructor(|| Histogram::new(BOUNDS));
        let question_seconds: Histograms<StoreLabels> =
            Family::new_with_constructor(|| Histogram::new(QUESTION_BOUNDS));
        macro_rules! registered {
            ($($name:ident: $help:literal,)*) => {
                $(
                    let $name = $name.clone();
                    registry.register(stringify!($name), $help, $name.clone());
                )*
            };
        }
        let metrics = Self {
            registry: Registry::default(),
            rooms: Family::default(),
            users: Family::default(),
            streams: Family::default(),
            up: Family::default(),
            callbacks: Family::default(),
            changes: Family::default(),
            raised: Family::default(),
            withdrawn: Family::default(),
            repairs: Family::default(),
            questions: Family::default(),
            question_seconds,
            requests: Family::default(),
            request_seconds,
            connections: Gauge::default(),
            listeners: Gauge::default(),
        };
        let Self {
            rooms,
            users,
            streams,
            up,
            callbacks,
            changes,
            raised: signs_raised,
            withdrawn: signs_withdrawn,
            repairs,
            questions,
            question_seconds,
            requests,
            request_seconds,
            connections,
            listeners,
            registry: _,
        } = &metrics;
        registered! {
            rooms: "Rooms that are listed",
            users: "Users in listed rooms",
            streams: "Streams of listed rooms",
            up: "Whether the store answers",
            callbacks: "What became of callbacks",
            changes: "What became different, by kind and cause",
            signs_raised: "Signs of lost callbacks that were reported",
            signs_withdrawn: "Signs of lost callbacks that were cleared up",
            repairs: "Changes that came of asking the media server",
            questions: "Questions to the media server",
            question_seconds: "How long the media server took to answer",
            requests: "Requests, by endpoint, HTTP status and code of the answer",
            request_seconds: "How long requests took",
            connections: "Open connections",
            listeners: "Listeners to events",
        }
        Self { registry, ..metrics }
    }
}

impl Metrics {
    /// Everything, as text.
    pub async fn text(&self, stores: &[Arc<dyn Store>]) -> String {
        for store in stores {
            let labels = StoreLabels { store: store.name() };
            let counts = store.counts().await;
            self.up.get_or_create(&labels).set(i64::from(counts.is_ok()));
            match counts {
                Ok(counts) => self.note(&labels, &counts),
                Err(error) => tracing::error!(store = labels.store, %error, "counting failed"),
            }
        }
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a text takes whatever is written");
        text
    }

    fn note(&self, labels: &StoreLabels, counts: &Counts) {
        let gauge = |count| i64::try_from(count).unwrap_or(i64::MAX);
        self.rooms.get_or_create(labels).set(gauge(counts.rooms));
        self.users.get_or_create(labels).set(gauge(counts.users));
        self.streams.get_or_create(labels).set(gauge(counts.streams));
        for outcome in Outcome::ALL {
            let labels = OutcomeLabels { store: labels.store, outcome: outcome.name() };
            let counter = self.callbacks.get_or_create(&labels);
            counter.inner().store(counts.outcomes.of(outcome), Ordering::Relaxed);
        }
    }

    /// A request was answered. `code` is none of what is no answer of the service's own.
    pub(crate) fn request(&self, endpoint: &str, status: u16, code: Option<u8>, took: Duration) {
        let endpoint = endpoint.to_owned();
        let code = code.map(|code| code.to_string()).unwrap_or_default();
        let labels = RequestLabels { endpoint: endpoint.clone(), status, code };
        self.requests.get_or_create(&labels).inc();
        self.request_seconds
            .get_or_create(&EndpointLabels { endpoint })
            .observe(took.as_secs_f64());
    }

    /// A question was answered, or was not.
    pub(crate) fn question(
        &self,
        store: &'static str,
        reason: Reason,
        result: &'static str,
        took: Duration,
    ) {
        let reason = reason.name();
        self.questions.get_or_create(&QuestionLabels { store, reason, result }).inc();
        self.question_seconds.get_or_create(&StoreLabels { store }).observe(took.as_secs_f64());
    }

    fn change(&self, store: &'static str, change: &Change) {
        let (kind, cause) = (change.kind.name(), change.cause.name());
        self.changes.get_or_create(&ChangeLabels { store, kind, cause }).inc();
        match &change.kind {
            ChangeKind::SuspicionRaised(Suspicion { sign, .. }) => {
                self.raised.get_or_create(&SuspicionLabels { store, sign: sign.name() }).inc();
            }
            ChangeKind::SuspicionWithdrawn { sign, .. } => {
                self.withdrawn.get_or_create(&SuspicionLabels { store, sign: sign.name() }).inc();
            }
            _ if change.cause == Cause::Repaired => {
                self.repairs.get_or_create(&StoreLabels { store }).inc();
            }
            _ => {}
        }
    }
}

/// One of those that a gauge counts, for as long as this is there.
pub(crate) struct Counted(Gauge);

impl Counted {
    pub(crate) fn one_of(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// Counts the changes of a store, until it is aborted.
pub async fn watch(metrics: Arc<Metrics>, store: Arc<dyn Store>) {
    let mut last = None;
    loop {
        let Listening { missed, latest, past, mut coming } = store.feed().listen(last.as_deref());
        if missed {
            tracing::warn!(store = store.name(), "changes were lost, and not counted");
        }
        for event in past {
            metrics.change(store.name(), event.change());
        }
        last = latest;
        loop {
            match coming.recv().await {
                Ok(event) => {
                    metrics.change(store.name(), event.change());
                    last = Some(event.id().to_owned());
                }
                Err(RecvError::Lagged(missed)) => {
                    tracing::warn!(store = store.name(), missed, "changes were not counted");
                }
                Err(RecvError::Closed) => break,
            }
        }
    }
}
