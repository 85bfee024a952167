//! The service: its parts put together, started and stopped.
//!
//! ```text
//! settings ─▶ Parts ─▶ serve: connections; for each store a sweeper, repair and a count of changes
//!                         └─▶ stop: connections end, then these, then stores close
//! ```

use std::error::Error;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use room_registry::Lifecycle;
use room_registry::vendor::zego::Decoder;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::auth::{self, Authoriser, Everybody};
use crate::http::{self, Service, connections};
use crate::metrics::{self, Metrics};
use crate::repair::{self, MediaServer, Zego};
use crate::settings::{Limits, Settings, SettingsError};
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
    /// Decodes callbacks.
    pub decoder: Decoder,
    /// What ends a room whose client names no lifecycle.
    pub default_lifecycle: Lifecycle,
    /// Whom to ask about lost callbacks; without one nothing is asked.
    pub media_server: Option<Arc<dyn MediaServer>>,
    pub limits: Limits,
}

impl Parts {
    /// These stores, open to everybody.
    #[must_use]
    pub fn new(stores: Stores) -> Self {
        Self {
            stores,
            authoriser: Arc::new(Everybody),
            verifier: None,
            decoder: Decoder::new(),
            default_lifecycle: Lifecycle::UntilEnded,
            media_server: None,
            limits: Limits::default(),
        }
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
        let media_server = media_server(settings)?;
        let limits = settings.limits.clone();
        let decoder = settings.callbacks.decoder();
        let default_lifecycle = settings.rules.default_lifecycle;
        Ok(Self { stores, authoriser, verifier, decoder, default_lifecycle, media_server, limits })
    }
}

/// The vendor's API, if the settings tell how to ask it.
fn media_server(settings: &Settings) -> Result<Option<Arc<dyn MediaServer>>, SettingsError> {
    let calls_per_second = settings.rules.repair_calls_per_second;
    let vendor = &settings.media_server;
    match (vendor.zego_app_id, vendor.server_secret()?) {
        (Some(app_id), Some(secret)) if calls_per_second > 0 => {
            let zego = Zego::new(&vendor.zego_url, app_id, secret, calls_per_second)?;
            Ok(Some(Arc::new(zego.decoding(settings.callbacks.decoder()))))
        }
        (Some(_), None) => Err(SettingsError::Missing { name: "zego-server-secret" }),
        (None, Some(_)) => Err(SettingsError::Missing { name: "zego-app-id" }),
        (Some(_), Some(_)) | (None, None) => {
            tracing::info!(
                "no repair: there is no app id and server secret, or no budget of calls"
            );
            Ok(None)
        }
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
    let Parts { stores, authoriser, verifier, decoder, default_lifecycle, media_server, limits } =
        parts;
    let metrics = Arc::new(Metrics::default());
    let mut tasks = JoinSet::new();
    for store in stores.all() {
        tasks.spawn(metrics::watch(Arc::clone(&metrics), Arc::clone(&store)));
        if let Some(media_server) = &media_server {
            let (media_server, metrics) = (Arc::clone(media_server), Arc::clone(&metrics));
            tasks.spawn(repair::run(Arc::clone(&store), media_server, metrics));
        }
        tasks.spawn(sweeper::run(store));
    }
    let listeners = Arc::new(Semaphore::new(limits.max_listeners as usize));
    let service = Arc::new(Service {
        stores: stores.clone(),
        authoriser,
        verifier,
        decoder,
        default_lifecycle,
        metrics,
        limits: limits.clone(),
        listeners,
        stop: stop.clone(),
    });
    connections::serve(listener, http::router(&service), &service).await;
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
