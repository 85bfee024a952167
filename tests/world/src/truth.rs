//! The truth of a valid history: what a reader who saw everything in order would know.

use std::collections::BTreeMap;

use room_registry::event::CallbackEvent;
use room_registry::{Callback, SessionId, StreamId, StreamSessionId, UserId, UserSessionId};

/// Who and what is in the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truth {
    /// The session that runs, if it has a name.
    pub session_id: Option<SessionId>,
    /// Who is logged in, and under which session.
    pub users: BTreeMap<UserId, Option<UserSessionId>>,
    /// What is published, and under which session.
    pub streams: BTreeMap<StreamId, Option<StreamSessionId>>,
}

/// Interprets a history in the order in which it happened. `None` if no session runs.
pub fn truth(history: &[Callback]) -> Option<Truth> {
    let mut truth = None;
    for callback in history {
        follow(&mut truth, callback);
    }
    truth
}

/// Takes one callback over, just as it comes.
pub fn follow(truth: &mut Option<Truth>, callback: &Callback) {
    if let CallbackEvent::RoomCreated(_) = &callback.event {
        let session_id = callback.session_id.clone();
        *truth = Some(Truth { session_id, users: BTreeMap::new(), streams: BTreeMap::new() });
        return;
    }
    let Some(room) = truth else { return };
    match &callback.event {
        CallbackEvent::RoomClosed(_) => *truth = None,
        CallbackEvent::UserLoggedIn(event) => {
            room.users.insert(event.user_id.clone(), event.user_session_id.clone());
        }
        CallbackEvent::UserLoggedOut(event) => {
            // The logout of a login that another replaced leaves the other.
            if room.users.get(&event.user_id) == Some(&event.user_session_id) {
                room.users.remove(&event.user_id);
            }
        }
        CallbackEvent::StreamCreated(event) => {
            room.streams.insert(event.stream_id.clone(), event.stream_session_id.clone());
        }
        CallbackEvent::StreamClosed(event) => {
            room.streams.remove(&event.stream_id);
        }
        other => panic!("an event that the interpreter does not know: {other:?}"),
    }
}
