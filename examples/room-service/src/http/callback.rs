//! What the media server tells.
//!
//! A body is JSON, or JSON that is percent-encoded, or a form with the same fields. Where a secret
//! is configured, its signature is checked before anything is done. Whatever was understood is
//! answered with 200, also what has no effect, so that the vendor does not send it again; what the
//! store could not take in is answered with 503, so that he does.

use axum::extract::{Request, State};
use axum::response::Response;
use room_registry::Callback;
use room_registry::journal::Answer;
use room_registry::vendor::zego::{Event, Notification};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::At;
use super::answer::{Problem, done};
use super::parameters::{MAX_BODY_LEN, decoded, pairs, read};

pub(super) async fn callback(State(at): State<At>, request: Request) -> Result<Response, Problem> {
    let body = read(request.into_body(), MAX_BODY_LEN, at.service.limits.client_timeout).await?;
    let notification = decode(&body).map_err(|reason| {
        tracing::warn!(store = at.store.name(), reason, "a callback could not be decoded");
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

/// Reads a body in any of its forms.
fn decode(body: &[u8]) -> Result<Notification, String> {
    let body = body.trim_ascii();
    if body.first() == Some(&b'{') {
        return serde_json::from_slice(body).map_err(|error| error.to_string());
    }
    let text = std::str::from_utf8(body).map_err(|_| "the body is not UTF-8".to_owned())?;
    if text.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("%7b")) {
        let json = decoded(text).ok_or_else(|| "the decoded body is not UTF-8".to_owned())?;
        return serde_json::from_str(&json).map_err(|error| error.to_string());
    }
    if !text.contains('=') {
        return Err("the body is neither JSON nor a form".to_owned());
    }
    let mut fields = Map::new();
    for pair in pairs(text) {
        let (Some(name), Some(value)) = pair else {
            return Err("the form is not UTF-8".to_owned());
        };
        fields.insert(name, Value::String(value));
    }
    Notification::deserialize(Value::Object(fields)).map_err(|error| error.to_string())
}
