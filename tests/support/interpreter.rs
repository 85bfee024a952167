//! The truth of a valid history: what a reader who saw everything in order would know.

use std::collections::BTreeMap;

use room_registry::{
    Callback, CallbackEvent, SessionId, StreamId, StreamSessionId, UserId, UserSessionId,
};

use super::model::Visible;

/// Who and what is in the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truth {
    pub session_id: SessionId,
    pub users: BTreeMap<UserId, UserSessionId>,
    pub streams: BTreeMap<StreamId, StreamSessionId>,
}

/// Interprets a history in the order in which it happened. `None` where no session runs.
pub fn truth(history: &[Callback]) -> Option<Truth> {
    let mut truth: Option<Truth> = None;
    for callback in history {
        if let CallbackEvent::RoomCreated(_) = &callback.event {
            let session_id = callback.session_id.clone();
            truth = Some(Truth { session_id, users: BTreeMap::new(), streams: BTreeMap::new() });
            continue;
        }
        let Some(room) = &mut truth else { continue };
        match &callback.event {
            CallbackEvent::RoomClosed(_) => truth = None,
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
    truth
}

/// The part of what is visible that a truth tells of.
pub fn as_truth(visible: Option<&Visible>) -> Option<Truth> {
    visible.map(|visible| Truth {
        session_id: visible.session_id.clone(),
        users: visible
            .users
            .iter()
            .map(|(id, (session, _))| (id.clone(), session.clone()))
            .collect(),
        streams: visible
            .streams
            .iter()
            .map(|(id, (_, session, ..))| (id.clone(), session.clone()))
            .collect(),
    })
}
