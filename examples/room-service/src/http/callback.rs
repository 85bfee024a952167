//! What the media server tells.
//!
//! The library decodes a body in each form that the vendor sends. If a secret is configured, the
//! signature is checked before anything is done. Whatever was understood is answered with 200, also
//! what has no effect, so that the vendor does not send it again. What the store could not take in is
//! answered with 503, so that the vendor does.

use axum::extract::{Request, State};
use axum::response::Response;
use room_registry::Callback;
use room_registry::journal::Answer;
use room_registry::vendor::zego::{Event, Notification};

use super::At;
use super::answer::{Problem, done};
use super::parameters::{MAX_BODY_LEN, read};

pub(super) async fn callback(State(at): State<At>, request: Request) -> Result<Response, Problem> {
    let body = read(request.into_body(), MAX_BODY_LEN, at.service.limits.client_timeout).await?;
    let notification: Notification = at.service.decoder.decode(&body).map_err(|reason| {
        tracing::warn!(store = at.store.name(), %reason, "a callback could not be decoded");
        Problem::Body(format!("the callback could not be decoded: {reason}"))
    })?;
    if let Some(verifier) = &at.service.verifier {
        verifier.verify(&notification, &body).map_err(|error| {
            tracing::warn!(store = at.store.name(), %error, "a callback was not believed");
            Problem::Unauthenticated
        })?;
    }
    match notification.event {
        Event::Callback(callback) => apply(&at, callback).await?,
        Event::Other(name) => tracing::debug!(%name, "a callback about something else"),
        _ => {}
    }
    Ok(done())
}

async fn apply(at: &At, callback: Callback) -> Result<(), Problem> {
    if let Answer::Outcome(outcome) = at.store.apply(callback.clone().into()).await? {
        tracing::debug!(store = at.store.name(), "{}", outcome.explain(&callback));
    }
    Ok(())
}
