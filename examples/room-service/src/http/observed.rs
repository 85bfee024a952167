//! What an operator saw at the media server, handed in by hand or by a script.
//!
//! `{"room_id", "observed_at", "session_id", "open", "users": [{"user_id", "user_name", "role",
//! "login_time"}], "users_partial", "streams": [{"stream_id", "user_id", "create_time_ms"}],
//! "streams_partial"}`; times in unix milliseconds. A list that is left out was not asked for, and
//! one that is not partial tells that nobody else is there.

use axum::extract::{Request, State};
use axum::response::Response;
use room_registry::journal::Answer;
use room_registry::repair::{ObservedList, ObservedStream, ObservedUser};
use room_registry::{
    Observation, Outcome, Role, RoomId, SessionId, StreamId, Text, Timestamp, UserId,
};
use serde::{Deserialize, Deserializer, Serialize, de};

use super::At;
use super::answer::{Problem, success};
use super::parameters::{bearer, read};
use crate::auth::Action;

/// How long such a body may be, in bytes: a room of ten thousand users.
const MAX_BODY_LEN: usize = 1024 * 1024;

#[derive(Serialize)]
struct Observed {
    outcome: Option<Outcome>,
}

pub(super) async fn observed(State(at): State<At>, request: Request) -> Result<Response, Problem> {
    let token = bearer(request.headers());
    at.allow_token(token.as_deref(), Action::Observe).await?;
    let body = read(request.into_body(), MAX_BODY_LEN, at.service.limits.client_timeout).await?;
    let observation: Told = serde_json::from_slice(&body)
        .map_err(|error| Problem::Body(format!("the body is no observation: {error}")))?;
    let outcome = match at.store.apply(Observation::from(observation).into()).await? {
        Answer::Outcome(outcome) => Some(outcome),
        _ => None,
    };
    Ok(success(Observed { outcome }))
}

/// An observation on the wire.
#[derive(Deserialize)]
struct Told {
    room_id: RoomId,
    observed_at: Timestamp,
    #[serde(default, deserialize_with = "session_id")]
    session_id: Option<SessionId>,
    open: Option<bool>,
    users: Option<Vec<ToldUser>>,
    #[serde(default)]
    users_partial: bool,
    streams: Option<Vec<ToldStream>>,
    #[serde(default)]
    streams_partial: bool,
}

#[derive(Deserialize)]
struct ToldUser {
    user_id: UserId,
    user_name: Option<Text>,
    role: Option<Role>,
    login_time: Option<Timestamp>,
}

#[derive(Deserialize)]
struct ToldStream {
    stream_id: StreamId,
    user_id: Option<UserId>,
    create_time_ms: Option<Timestamp>,
}

impl From<Told> for Observation {
    fn from(told: Told) -> Self {
        let mut observation = Self::new(told.room_id, told.observed_at);
        observation.session_id = told.session_id;
        observation.open = told.open;
        observation.users = list(told.users, told.users_partial);
        observation.streams = list(told.streams, told.streams_partial);
        observation
    }
}

impl From<ToldUser> for ObservedUser {
    fn from(told: ToldUser) -> Self {
        let mut user = Self::new(told.user_id);
        user.user_name = told.user_name.filter(|name| !name.is_empty());
        user.role = told.role.filter(|role| !role.as_str().is_empty());
        user.login_at = told.login_time;
        user
    }
}

impl From<ToldStream> for ObservedStream {
    fn from(told: ToldStream) -> Self {
        let mut stream = Self::new(told.stream_id);
        stream.details.publisher_id = told.user_id;
        stream.created_at = told.create_time_ms;
        stream
    }
}

fn list<T, U: From<T>>(told: Option<Vec<T>>, is_partial: bool) -> ObservedList<U> {
    let Some(told) = told else {
        return ObservedList::NotAsked;
    };
    let entries = told.into_iter().map(U::from).collect();
    if is_partial { ObservedList::Partial(entries) } else { ObservedList::Complete(entries) }
}

/// The name of a session, as text or as a number.
fn session_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SessionId>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Name {
        Number(u64),
        Text(String),
    }
    let name = Option::<Name>::deserialize(deserializer)?.map(|name| match name {
        Name::Number(number) => number.to_string(),
        Name::Text(text) => text,
    });
    name.map(SessionId::new).transpose().map_err(de::Error::custom)
}
