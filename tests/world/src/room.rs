//! One room at the media server: its session, who is logged in, what is published, and the counters.
//!
//! The room decides nothing. Whoever drives it says what happens and when, and hands out the ids; each
//! step changes the room and answers what the media server tells of it. So everything that is told is a
//! valid history, whatever the driver does.

use std::collections::BTreeMap;

use room_registry::event::{
    CallbackEvent, RoomClosed, RoomCreated, StreamClosed, StreamCreated, UserLoggedIn,
    UserLoggedOut,
};
use room_registry::{
    Callback, RoomId, SessionId, StreamId, StreamSessionId, Timestamp, UserId, UserSessionId,
};

use super::truth::Truth;

/// A room at the media server.
#[derive(Debug, Clone)]
pub struct MediaRoom {
    id: RoomId,
    session: Option<Session>,
}

/// A session that runs.
#[derive(Debug, Clone)]
struct Session {
    id: SessionId,
    logins: BTreeMap<UserId, Login>,
    streams: BTreeMap<StreamId, Publication>,
    user_counter: u64,
    stream_counter: u64,
}

/// A login that lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The session of the user.
    pub id: UserSessionId,
    /// When the user logged in.
    pub at: Timestamp,
}

/// A stream that is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// The session of the stream.
    pub id: StreamSessionId,
    /// When it was last published.
    pub at: Timestamp,
    /// Who publishes it.
    pub publisher_id: UserId,
}

impl MediaRoom {
    /// Makes a room in which no session runs.
    pub fn new(id: RoomId) -> Self {
        Self { id, session: None }
    }

    /// Begins a session. A session that ran is gone, untold.
    pub fn open(&mut self, session_id: SessionId, created: RoomCreated) -> Callback {
        self.session = Some(Session {
            id: session_id,
            logins: BTreeMap::new(),
            streams: BTreeMap::new(),
            user_counter: 0,
            stream_counter: 0,
        });
        self.tell(created)
    }

    /// Ends the session, and everything in it. What was not told to end before stays untold.
    pub fn close(&mut self, closed: RoomClosed) -> Callback {
        let told = self.tell(closed);
        self.session = None;
        told
    }

    /// Logs a user in. Another login of the same user is gone: see [`take_login`](Self::take_login).
    pub fn log_in(&mut self, user_id: UserId, id: UserSessionId, at: Timestamp) -> UserLoggedIn {
        let session = self.running_mut();
        session.user_counter += 1;
        session.logins.insert(user_id.clone(), Login { id: id.clone(), at });
        UserLoggedIn::new(user_id, at).user_session_id(id).counter(session.user_counter)
    }

    /// Takes away the login that another one is about to replace. Its logout is told by
    /// [`tell_logout`](Self::tell_logout), before the other login or after it.
    pub fn take_login(&mut self, user_id: &UserId) -> Option<Login> {
        self.session.as_mut()?.logins.remove(user_id)
    }

    /// Tells that a login ended which is no longer in the room.
    pub fn tell_logout(&mut self, user_id: &UserId, login: Login, at: Timestamp) -> UserLoggedOut {
        let session = self.running_mut();
        session.user_counter += 1;
        UserLoggedOut::new(user_id.clone(), at)
            .user_session_id(login.id)
            .counter(session.user_counter)
            .login_at(login.at)
    }

    /// Logs a user out who is logged in.
    pub fn log_out(&mut self, user_id: &UserId, at: Timestamp) -> UserLoggedOut {
        let login = self.take_login(user_id).expect("who logs out was logged in");
        self.tell_logout(user_id, login, at)
    }

    /// Publishes a stream. Published again, it goes on under the session that it has, and not under
    /// this one.
    pub fn publish(
        &mut self,
        stream_id: StreamId,
        publisher_id: UserId,
        new: StreamSessionId,
        at: Timestamp,
    ) -> StreamCreated {
        let session = self.running_mut();
        session.stream_counter += 1;
        let held = session.streams.get(&stream_id).map(|stream| stream.id.clone());
        let id = held.unwrap_or(new);
        let stream = Publication { id: id.clone(), at, publisher_id: publisher_id.clone() };
        session.streams.insert(stream_id.clone(), stream);
        let counter = Some(session.stream_counter);
        let mut created =
            StreamCreated::new(stream_id, at).stream_session_id(id).order(counter).counter(counter);
        created.details.publisher_id = Some(publisher_id);
        created
    }

    /// Takes a stream away that is published.
    pub fn unpublish(&mut self, stream_id: &StreamId, at: Timestamp) -> StreamClosed {
        let session = self.running_mut();
        session.stream_counter += 1;
        let stream = session.streams.remove(stream_id).expect("what ends was published");
        let counter = Some(session.stream_counter);
        StreamClosed::new(stream_id.clone(), at)
            .stream_session_id(stream.id)
            .order(counter)
            .counter(counter)
            .created_at(stream.at)
    }

    /// Makes a callback of an event in the session that runs.
    pub fn tell(&self, event: impl Into<CallbackEvent>) -> Callback {
        Callback::new(self.id.clone(), self.running().id.clone(), event)
    }

    /// Answers the id of the room.
    pub fn id(&self) -> &RoomId {
        &self.id
    }

    /// Answers whether a session runs.
    pub fn is_open(&self) -> bool {
        self.session.is_some()
    }

    /// Answers the session that runs.
    pub fn session_id(&self) -> Option<&SessionId> {
        self.session.as_ref().map(|session| &session.id)
    }

    /// Answers the login of a user.
    pub fn login(&self, user_id: &UserId) -> Option<&Login> {
        self.session.as_ref()?.logins.get(user_id)
    }

    /// Answers who is logged in, by id.
    pub fn logins(&self) -> impl Iterator<Item = (&UserId, &Login)> {
        self.session.iter().flat_map(|session| &session.logins)
    }

    /// Answers a stream that is published.
    pub fn stream(&self, stream_id: &StreamId) -> Option<&Publication> {
        self.session.as_ref()?.streams.get(stream_id)
    }

    /// Answers what is published, by id.
    pub fn streams(&self) -> impl Iterator<Item = (&StreamId, &Publication)> {
        self.session.iter().flat_map(|session| &session.streams)
    }

    /// Answers how many users are logged in.
    pub fn user_count(&self) -> usize {
        self.session.as_ref().map_or(0, |session| session.logins.len())
    }

    /// Answers what is true of the room now.
    pub fn truth(&self) -> Option<Truth> {
        self.session.as_ref().map(|session| Truth {
            session_id: Some(session.id.clone()),
            users: session
                .logins
                .iter()
                .map(|(id, login)| (id.clone(), Some(login.id.clone())))
                .collect(),
            streams: session
                .streams
                .iter()
                .map(|(id, it)| (id.clone(), Some(it.id.clone())))
                .collect(),
        })
    }

    fn running(&self) -> &Session {
        self.session.as_ref().expect("a session runs, or nothing can happen in it")
    }

    fn running_mut(&mut self) -> &mut Session {
        self.session.as_mut().expect("a session runs, or nothing can happen in it")
    }
}
