//! The service: its parts put together, started and stopped.
//!
//! ```text
//! settings ─▶ Parts ─▶ serve: connections, a sweeper a store ─▶ stop: connections end, stores close
//! ```

use std::error::Error;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::auth::{self, Authoriser, Everybody};
use crate::http::{self, Service, connections};
use crate::settings::{Limits, Settings};
use crate::signature::Verifier;
use crate::stores::Stores;
use crate::sweeper;

/// How long a store may take to close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// What a service is made of.
#[derive(Debug)]
pub struct Parts {
    pub stores: Stores,
    pub authoriser: Arc<dyn Authoriser>,
    /// Checks callbacks; without it any is believed.
    pub verifier: Option<Verifier>,
    pub limits: Limits,
}

impl Parts {
    /// These stores, open to everybody.
    #[must_use]
    pub fn new(stores: Stores) -> Self {
        Self { stores, authoriser: Arc::new(Everybody), verifier: None, limits: Limits::default() }
    }

    /// What the settings say.
    pub async fn from_settings(settings: &Settings) -> Result<Self, Box<dyn Error>> {
        let config = settings.rules.config()?;
        let authoriser = auth::from_settings(&settings.access)?;
        let window = Duration::from_secs(settings.callbacks.callback_window);
        let verifier = settings.callbacks.secret()?.map(|secret| Verifier::new(secret, window));
        if verifier.is_none() {
            tracing::warn!("no callback secret: any callback is believed");
        }
        let stores = Stores::open(settings, config).await?;
        Ok(Self { stores, authoriser, verifier, limits: settings.limits.clone() })
    }
}

/// Runs the service until a signal stops it.
pub fn run(settings: &Settings) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let stop = CancellationToken::new();
        stop_on_signals(stop.clone())?;
        let listener = TcpListener::bind(settings.listen)
            .await
            .map_err(|error| format!("{} cannot be listened on: {error}", settings.listen))?;
        let parts = Parts::from_settings(settings).await?;
        let address = listener.local_addr()?;
        writeln!(io::stdout(), "rooms are shown at http://{address}/")?;
        serve(listener, parts, stop).await
    })
}

/// Serves until it is told to stop; then requests under way are finished and stores closed.
pub async fn serve(
    listener: TcpListener,
    parts: Parts,
    stop: CancellationToken,
) -> Result<(), Box<dyn Error>> {
    let Parts { stores, authoriser, verifier, limits } = parts;
    let mut tasks = JoinSet::new();
    for store in stores.all() {
        tasks.spawn(sweeper::run(store));
    }
    let listeners = Arc::new(Semaphore::new(limits.max_listeners as usize));
    let service = Arc::new(Service {
        stores: stores.clone(),
        authoriser,
        verifier,
        limits: limits.clone(),
        listeners,
        stop: stop.clone(),
    });
    connections::serve(listener, http::router(&service), &limits, &stop).await;
    tasks.shutdown().await;
    close(&stores).await
}

async fn close(stores: &Stores) -> Result<(), Box<dyn Error>> {
    let mut failed = None;
    for store in stores.all() {
        match tokio::time::timeout(CLOSE_TIMEOUT, store.close()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => failed = Some(error.to_string()),
            Err(_) => failed = Some(format!("the {} store took too long to close", store.name())),
        }
    }
    tracing::info!("stopped");
    failed.map_or(Ok(()), |error| Err(error.into()))
}

fn stop_on_signals(stop: CancellationToken) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("told to stop");
        stop.cancel();
    });
    Ok(())
}
