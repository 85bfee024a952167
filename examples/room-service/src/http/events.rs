//! The changes of a store, as server-sent events.
//!
//! A listener first gets the id of the latest event, so that he can go on from there even where
//! nothing comes before he is cut off; then what he missed since the event that he names; then what
//! happens. Where something was missed for good he gets a `reset`, and reads the lists again.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio_util::sync::CancellationToken;

use super::At;
use super::answer::Problem;
use super::parameters::{Parameters, bearer};
use crate::auth::Action;
use crate::feed::{Event, Listening};
use crate::metrics::Counted;

/// How often a connection without events shows that it is alive.
const ALIVE_EVERY: Duration = Duration::from_secs(15);

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
    let events = stream_of(listening, at.service.stop.clone()).map(move |event| {
        _ = (&place, &counted);
        Ok::<_, Infallible>(event)
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE_EVERY)).into_response())
}

fn stream_of(listening: Listening, stop: CancellationToken) -> impl Stream<Item = Sent> {
    let Listening { missed, latest, past, coming } = listening;
    let reset = missed.then(reset);
    let place = latest.map(|id| Sent::default().id(id));
    // The latest is after the past; a listener who gets the past is told by it where he is.
    let place = if past.is_empty() { place } else { None };
    let past = past.into_iter().map(|event| sent(&event));
    let live = stream::unfold(coming, next).take_until(stop.cancelled_owned());
    stream::iter(reset.into_iter().chain(place).chain(past)).chain(live)
}

async fn next(
    mut coming: broadcast::Receiver<Arc<Event>>,
) -> Option<(Sent, broadcast::Receiver<Arc<Event>>)> {
    match coming.recv().await {
        Ok(event) => Some((sent(&event), coming)),
        Err(RecvError::Lagged(_)) => Some((reset(), coming)),
        Err(RecvError::Closed) => None,
    }
}

fn sent(event: &Event) -> Sent {
    Sent::default().id(&event.id).event("change").data(&event.json)
}

fn reset() -> Sent {
    Sent::default().event("reset").data("")
}
