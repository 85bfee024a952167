//! Finds the truth of a valid history: what a reader who saw everything in order would know.

use std::collections::BTreeMap;

use room_registry::event::CallbackEvent;
use room_registry::{
    Callback, SessionId, StreamId, StreamSessionId, Timestamp, UserId, UserSessionId,
};

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

/// Interprets a history in the order in which it happened. `None` if no session runs, or if nobody and
/// nothing is in the one without a name.
pub fn truth(history: &[Callback]) -> Option<Truth> {
    let mut reader = Reader::default();
    for callback in history {
        reader.follow(callback);
    }
    reader.truth()
}

/// Takes callbacks over, just as they come.
#[derive(Debug, Default)]
pub struct Reader(Option<Scene>);

/// A session that runs.
#[derive(Debug, Default)]
struct Scene {
    session_id: Option<SessionId>,
    users: BTreeMap<UserId, Vec<Stay<UserSessionId>>>,
    streams: BTreeMap<StreamId, Vec<Stay<StreamSessionId>>>,
}

/// The stay of a user or stream: its counter, when it began, and its name. Law 3.7: of several, readers
/// see the highest.
type Stay<Id> = (Option<u64>, Timestamp, Option<Id>);

impl Reader {
    /// Answers who and what is in the room.
    pub fn truth(&self) -> Option<Truth> {
        self.0.as_ref().map(|scene| Truth {
            session_id: scene.session_id.clone(),
            users: highest(&scene.users),
            streams: highest(&scene.streams),
        })
    }

    /// Takes over one more callback.
    pub fn follow(&mut self, callback: &Callback) {
        let is_nameless = callback.session_id.is_none();
        match &callback.event {
            // Law 21.1: without a name it says nothing.
            CallbackEvent::RoomCreated(_) if is_nameless => {}
            CallbackEvent::RoomCreated(_) => {
                let session_id = callback.session_id.clone();
                self.0 = Some(Scene { session_id, ..Scene::default() });
            }
            CallbackEvent::RoomClosed(_) => self.0 = None,
            event => {
                let opens = matches!(
                    event,
                    CallbackEvent::UserLoggedIn(_) | CallbackEvent::StreamCreated(_)
                );
                if is_nameless && opens {
                    self.0.get_or_insert_default();
                }
                let Some(scene) = &mut self.0 else { return };
                scene.follow(event);
                // Law 21.2: it is open while somebody or something is in it.
                let is_empty = scene.users.is_empty() && scene.streams.is_empty();
                if is_nameless && is_empty {
                    self.0 = None;
                }
            }
        }
    }
}

impl Scene {
    fn follow(&mut self, event: &CallbackEvent) {
        match event {
            CallbackEvent::UserLoggedIn(event) => {
                let stay = (event.counter, event.login_at, event.user_session_id.clone());
                open(&mut self.users, &event.user_id, stay, event.exclusive);
            }
            // The logout of a login that another replaced leaves the other.
            CallbackEvent::UserLoggedOut(event) => {
                let ends = |stay: &Stay<_>| stay.2 == event.user_session_id;
                close(&mut self.users, &event.user_id, ends);
            }
            CallbackEvent::StreamCreated(event) => {
                let stay = (event.counter, event.created_at, event.stream_session_id.clone());
                open(&mut self.streams, &event.stream_id, stay, event.exclusive);
            }
            CallbackEvent::StreamClosed(event) => {
                let ends = |stay: &Stay<_>| event.exclusive || stay.2 == event.stream_session_id;
                close(&mut self.streams, &event.stream_id, ends);
            }
            other => panic!("an event that the interpreter does not know: {other:?}"),
        }
    }
}

fn open<Id: Ord + Clone, Of>(
    held: &mut BTreeMap<Id, Vec<Stay<Of>>>,
    id: &Id,
    stay: Stay<Of>,
    exclusive: bool,
) {
    let stays = held.entry(id.clone()).or_default();
    if exclusive {
        stays.clear();
    }
    stays.push(stay);
}

fn close<Id: Ord, Of>(
    held: &mut BTreeMap<Id, Vec<Stay<Of>>>,
    id: &Id,
    ends: impl Fn(&Stay<Of>) -> bool,
) {
    let Some(stays) = held.get_mut(id) else { return };
    stays.retain(|stay| !ends(stay));
    if stays.is_empty() {
        held.remove(id);
    }
}

fn highest<Id: Ord + Clone, Of: Ord + Clone>(
    held: &BTreeMap<Id, Vec<Stay<Of>>>,
) -> BTreeMap<Id, Option<Of>> {
    let highest = |stays: &Vec<Stay<Of>>| stays.iter().max().and_then(|stay| stay.2.clone());
    held.iter().map(|(id, stays)| (id.clone(), highest(stays))).collect()
}
