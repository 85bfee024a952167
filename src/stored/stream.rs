//! The stored form of the streams of a session.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::model::callback::StreamDetails;
use crate::model::id::{StreamId, StreamSessionId};
use crate::model::time::Timestamp;
use crate::registers::facts::{Facts, StreamFact, StreamKey};
use crate::registers::stream::{MAX_FACTS, StreamRegister};
use crate::stored::inside::{Inside, StoredError};

#[derive(Serialize, Deserialize)]
pub(super) struct StoredStream<'a> {
    stream_id: Cow<'a, StreamId>,
    facts: Vec<StoredFact<'a>>,
    touched_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct StoredFact<'a> {
    counter: u64,
    closed: bool,
    stream_session_id: Cow<'a, StreamSessionId>,
    at: Timestamp,
    details: Option<Cow<'a, StreamDetails>>,
}

impl<'a> StoredStream<'a> {
    pub(super) fn of(stream_id: &'a StreamId, stream: &'a StreamRegister) -> Self {
        let facts = stream.facts.iter().map(|held| StoredFact {
            counter: held.counter,
            closed: held.closed,
            stream_session_id: Cow::Borrowed(&held.stream_session_id),
            at: held.at,
            details: held.details.as_deref().map(Cow::Borrowed),
        });
        Self {
            stream_id: Cow::Borrowed(stream_id),
            facts: facts.collect(),
            touched_at: stream.changed_at,
        }
    }

    pub(super) fn restore(self, inside: &mut Inside<'_>) -> Result<(), StoredError> {
        let stream_id = &*self.stream_id;
        let mut target = inside.registers.target_stream(stream_id);
        let is_known = inside.session().streams.contains_key(stream_id);
        if is_known || self.facts.len() > MAX_FACTS {
            return Err((inside.refuse)(&format!(
                "a second register, or too large a one, of stream {stream_id}"
            )));
        }
        // From the highest key down: each must be later than all above it.
        for fact in self.facts.iter().rev() {
            let key = StreamKey {
                counter: fact.counter,
                closed: fact.closed,
                stream_session_id: &fact.stream_session_id,
            };
            let fact = StreamFact { key, at: fact.at, details: fact.details.as_deref() };
            let facts = Facts { stream: Some(fact), ..Facts::default() };
            let is_possible = fact.key.closed == fact.details.is_none();
            if !is_possible || !inside.join(&facts, &mut target, self.touched_at).changed {
                return Err((inside.refuse)(&format!("a fact of stream {stream_id}")));
            }
        }
        let Some(stream) = inside.session().streams.get_mut(stream_id) else {
            return Err((inside.refuse)(&format!("the empty register of stream {stream_id}")));
        };
        stream.changed_at = self.touched_at;
        Ok(())
    }
}
