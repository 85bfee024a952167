//! Connections: how many, how slow they may be, and how they end.
//!
//! A connection is closed when its client does not send the head of its next request in time. It is also
//! closed when the client does not read what it asked for. When the service stops, requests under way are
//! finished, and whoever takes too long is cut off.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutStream;

use super::Service;
use crate::metrics::Counted;

/// How long the head of a request may be, in bytes: also the parameters in an address.
const MAX_HEAD_LEN: usize = 64 * 1024;
/// After an error that is not of one connection, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves connections until it is told to stop, and they have ended.
pub(crate) async fn serve(listener: TcpListener, router: Router, service: &Service) {
    let Service { limits, metrics, stop, .. } = service;
    let places = Arc::new(Semaphore::new(limits.max_connections as usize));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.client_timeout)
        .max_buf_size(MAX_HEAD_LEN);
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accept(&listener, &places) => accepted,
            // Ended connections are let go of as they end.
            Some(_) = connections.join_next() => continue,
        };
        let (stream, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        // Answers are small; to wait for more to send would only delay them.
        _ = stream.set_nodelay(true);
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(limits.client_timeout));
        let router = TowerToHyperService::new(router.clone());
        let connection = http.serve_connection(TokioIo::new(Box::pin(stream)), router);
        let connection = graceful.watch(connection);
        let counted = Counted::one_of(&metrics.connections);
        connections.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke");
            }
            drop((place, counted));
        });
    }
    drop(listener);
    let ended = tokio::time::timeout(limits.stop_timeout, graceful.shutdown()).await;
    if ended.is_err() {
        tracing::warn!("some requests took too long to finish, and were cut off");
    }
    connections.shutdown().await;
}

/// A connection, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}
