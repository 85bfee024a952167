//! The form in which a journal tells of an observation.

use room_registry::repair::{ObservedList, ObservedStream, ObservedUser};
use room_registry::{Observation, RoomId, SessionId, StreamId, Text, Timestamp, UserId};
use serde::{Deserialize, Deserializer, de};

/// An observation on a line. A list that is left out was not asked.
#[derive(Deserialize)]
pub(crate) struct WireObservation {
    room_id: RoomId,
    observed_at: Timestamp,
    #[serde(default, deserialize_with = "session")]
    session_id: Option<SessionId>,
    open: Option<bool>,
    users: Option<Vec<WireUser>>,
    #[serde(default)]
    users_partial: bool,
    streams: Option<Vec<WireStream>>,
    #[serde(default)]
    streams_partial: bool,
}

#[derive(Deserialize)]
struct WireUser {
    user_id: UserId,
    user_name: Option<Text>,
}

#[derive(Deserialize)]
struct WireStream {
    stream_id: StreamId,
    user_id: Option<UserId>,
    create_time_ms: Option<Timestamp>,
}

impl From<WireObservation> for Observation {
    fn from(observed: WireObservation) -> Self {
        let mut observation = Self::new(observed.room_id, observed.observed_at);
        observation.session_id = observed.session_id;
        observation.open = observed.open;
        observation.users = list(observed.users, observed.users_partial, |user| {
            let mut seen = ObservedUser::new(user.user_id);
            seen.user_name = user.user_name.filter(|name| !name.is_empty());
            seen
        });
        observation.streams = list(observed.streams, observed.streams_partial, |stream| {
            let mut seen = ObservedStream::new(stream.stream_id);
            seen.created_at = stream.create_time_ms;
            seen.details.publisher_id = stream.user_id;
            seen
        });
        observation
    }
}

fn list<T, U>(
    entries: Option<Vec<T>>,
    is_partial: bool,
    seen: impl FnMut(T) -> U,
) -> ObservedList<U> {
    match entries {
        None => ObservedList::NotAsked,
        Some(entries) => {
            let entries = entries.into_iter().map(seen).collect();
            if is_partial {
                ObservedList::Partial(entries)
            } else {
                ObservedList::Complete(entries)
            }
        }
    }
}

/// A session's name, as text or as a number.
fn session<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SessionId>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Name {
        Text(String),
        Number(u64),
    }
    let name = match Option::deserialize(deserializer)? {
        None => return Ok(None),
        Some(Name::Text(text)) => text,
        Some(Name::Number(number)) => number.to_string(),
    };
    SessionId::new(name).map(Some).map_err(de::Error::custom)
}
