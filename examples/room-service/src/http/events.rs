//! The changes of a store, as server-sent events.
//!
//! A listener first gets the id of the latest event. So he can go on from there even if nothing comes
//! before he is cut off. Then he gets what he missed since the event that he names, and then what happens.
//! Where something was missed for good he gets a `reset`, and reads the lists again.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::At;
use super::answer::Problem;
use super::parameters::{Parameters, bearer};
use crate::auth::Action;
use crate::feed::{Event, Listening};
use crate::metrics::Counted;

/// How often a connection without events shows that it is alive.
const ALIVE_EVERY: Duration = Duration::from_secs(15);
/// What shows it: a comment.
const ALIVE: &str = ":\n\n";
/// A browser passes over an event that has no line of data at all.
const RESET: &str = "event: reset\ndata:\n\n";

pub(super) async fn events(State(at): State<At>, request: Request) -> Result<Response, Problem> {
    let parameters = Parameters::of_query(request.uri())?;
    // A browser's event source sends no headers of the page's own.
    let token = match bearer(request.headers()) {
        Some(token) => Some(token),
        None => parameters.text("access_token")?.map(Into::into),
    };
    at.allow_token(token.as_deref(), Action::Read).await?;
    let last = request.headers().get("last-event-id").and_then(|id| id.to_str().ok());
    let after = parameters.text("after")?;
    let after = last.or(after.as_deref()).filter(|id| !id.is_empty());
    let listeners = Arc::clone(&at.service.listeners);
    let Ok(place) = listeners.try_acquire_owned() else {
        return Err(Problem::Unavailable("too many are listening".to_owned()));
    };
    let counted = Counted::one_of(&at.service.metrics.listeners);
    let listening = at.store.feed().listen(after);
    let frames = frames(listening, at.service.stop.clone()).map(move |frame| {
        // Both are given back when the listener leaves.
        _ = (&place, &counted);
        Ok::<_, Infallible>(frame)
    });
    let content_type = (CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    Ok(([content_type], Body::from_stream(frames)).into_response())
}

fn frames(listening: Listening, stop: CancellationToken) -> impl Stream<Item = Bytes> {
    let Listening { missed, latest, past, coming } = listening;
    // Who gets the past is told by it where he is.
    let place = latest.filter(|_| past.is_empty()).map(|id| format!("id: {id}\n"));
    let begin = match (missed, place) {
        (true, place) => place.unwrap_or_default() + RESET,
        (false, Some(place)) => place + "\n",
        (false, None) => ALIVE.to_owned(),
    };
    let past = past.into_iter().map(|event| frame(&event));
    let live = stream::unfold(coming, next).take_until(stop.cancelled_owned());
    stream::once(async { Bytes::from(begin) }).chain(stream::iter(past)).chain(live)
}

async fn next(
    mut coming: broadcast::Receiver<Arc<Event>>,
) -> Option<(Bytes, broadcast::Receiver<Arc<Event>>)> {
    match timeout(ALIVE_EVERY, coming.recv()).await {
        Ok(Ok(event)) => Some((frame(&event), coming)),
        Ok(Err(RecvError::Lagged(_))) => Some((Bytes::from_static(RESET.as_bytes()), coming)),
        Ok(Err(RecvError::Closed)) => None,
        Err(_) => Some((Bytes::from_static(ALIVE.as_bytes()), coming)),
    }
}

fn frame(event: &Event) -> Bytes {
    format!("id: {}\nevent: change\ndata: {}\n\n", event.id(), event.json()).into()
}
