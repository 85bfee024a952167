//! Follows the recipe that the vendor publishes for an application's own copy, as its flow charts have it.
//! Callbacks that come too early are put into a queue, which is read again after something was added.
//! Beside it is what a first server does: everything in arrival order.

use std::collections::{BTreeMap, VecDeque};

use room_registry::event::CallbackEvent;
use room_registry::{
    Callback, SessionId, StreamId, StreamSessionId, Timestamp, UserId, UserSessionId,
};

use super::truth::Truth;

/// The published recipe, for one room.
#[derive(Debug, Default)]
pub struct Recipe {
    room: Option<Copy>,
    queue: VecDeque<Callback>,
}

#[derive(Debug)]
struct Copy {
    session_id: Option<SessionId>,
    created_at: Timestamp,
    users: BTreeMap<UserId, (Option<UserSessionId>, Timestamp)>,
    streams: BTreeMap<StreamId, (Option<StreamSessionId>, u64)>,
}

/// What a box of a flow chart says.
enum Step {
    Added,
    Done,
    Queue,
}

impl Recipe {
    /// Follows the flow charts for one callback.
    pub fn apply(&mut self, callback: &Callback) {
        match self.step(callback) {
            Step::Added => {
                // Each once: what still does not fit goes to the end again.
                for _ in 0..self.queue.len() {
                    if let Some(queued) = self.queue.pop_front() {
                        self.apply(&queued);
                    }
                }
            }
            Step::Queue => self.queue.push_back(callback.clone()),
            Step::Done => {}
        }
    }

    /// Answers what the copy shows.
    pub fn truth(&self) -> Option<Truth> {
        self.room.as_ref().map(|room| Truth {
            session_id: room.session_id.clone(),
            users: room
                .users
                .iter()
                .map(|(id, (session, _))| (id.clone(), session.clone()))
                .collect(),
            streams: room
                .streams
                .iter()
                .map(|(id, (session, _))| (id.clone(), session.clone()))
                .collect(),
        })
    }

    fn step(&mut self, callback: &Callback) -> Step {
        if let CallbackEvent::RoomCreated(event) = &callback.event {
            return self.create(callback.session_id.as_ref(), event.created_at);
        }
        let Some(room) = &mut self.room else { return Step::Queue };
        let same = room.session_id == callback.session_id;
        let queue_if = |is_later: bool| if is_later { Step::Queue } else { Step::Done };
        match &callback.event {
            CallbackEvent::RoomClosed(_) if same => {
                self.room = None;
                self.queue.retain(|queued| queued.session_id != callback.session_id);
                Step::Done
            }
            CallbackEvent::RoomClosed(event) => queue_if(event.closed_at > room.created_at),
            CallbackEvent::UserLoggedIn(event) if !same => {
                queue_if(event.login_at >= room.created_at)
            }
            CallbackEvent::UserLoggedIn(event) => {
                let login = (event.user_session_id.clone(), event.login_at);
                match room.users.get_mut(&event.user_id) {
                    None => {
                        room.users.insert(event.user_id.clone(), login);
                        Step::Added
                    }
                    Some(held) if held.0 == event.user_session_id => {
                        held.1 = held.1.max(event.login_at);
                        Step::Done
                    }
                    Some(held) if event.login_at > held.1 => {
                        *held = login;
                        Step::Added
                    }
                    Some(_) => Step::Done,
                }
            }
            CallbackEvent::UserLoggedOut(event) if !same => {
                queue_if(event.logout_at > room.created_at)
            }
            CallbackEvent::UserLoggedOut(event) => match room.users.get(&event.user_id) {
                None => Step::Queue,
                Some(held) if held.0 == event.user_session_id => {
                    room.users.remove(&event.user_id);
                    Step::Done
                }
                Some(held) => queue_if(event.logout_at > held.1),
            },
            CallbackEvent::StreamCreated(event) if !same => {
                queue_if(event.created_at >= room.created_at)
            }
            CallbackEvent::StreamCreated(event) => {
                let counter = event.counter.expect("the vendor has counters");
                let held = room.streams.entry(event.stream_id.clone());
                let held = held.or_insert_with(|| (event.stream_session_id.clone(), counter));
                if counter > held.1 {
                    *held = (event.stream_session_id.clone(), counter);
                }
                Step::Added
            }
            CallbackEvent::StreamClosed(event) if !same => {
                queue_if(event.closed_at > room.created_at)
            }
            CallbackEvent::StreamClosed(event) => match room.streams.get(&event.stream_id) {
                None => Step::Queue,
                Some((_, counter))
                    if event.counter.expect("the vendor has counters") > *counter =>
                {
                    room.streams.remove(&event.stream_id);
                    Step::Done
                }
                Some(_) => Step::Done,
            },
            other => panic!("an event that the recipe does not know: {other:?}"),
        }
    }

    fn create(&mut self, session_id: Option<&SessionId>, created_at: Timestamp) -> Step {
        match &mut self.room {
            Some(room) if room.session_id.as_ref() == session_id => {
                room.created_at = room.created_at.max(created_at);
                Step::Added
            }
            Some(room) if created_at <= room.created_at => Step::Done,
            _ => {
                let session_id = session_id.cloned();
                let (users, streams) = (BTreeMap::new(), BTreeMap::new());
                self.room = Some(Copy { session_id, created_at, users, streams });
                Step::Added
            }
        }
    }
}
