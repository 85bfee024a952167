//! Keeps one room at the media server: its session, who is logged in, what is published, and the counters.
//!
//! The room decides nothing. Whoever drives it says what happens and when, and hands out the ids. Each step
//! changes the room and answers what the media server tells of it. So everything that is told is a valid
//! history, whatever the driver does.

use std::collections::BTreeMap;

use room_registry::event::{
    CallbackEvent, RoomClosed, RoomCreated, StreamClosed, StreamCreated, UserLoggedIn,
    UserLoggedOut,
};
use room_registry::{
    Callback, RoomId, SessionId, StreamId, StreamSessionId, Timestamp, UserId, UserSessionId,
};

use super::truth::Truth;

/// How the stays of users, or of streams, are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stays {
    /// Each has a name, and excludes others of the same user or stream.
    Named,
    /// Each has a name, and others of the same user or stream may be there beside it.
    Shared,
    /// A counter orders them. Users have no name for a stay.
    Counted,
    /// A counter orders them, and each has a name as well: also a stream that is published again.
    NamedAndCounted,
    /// The event time orders them. They have no names.
    Timed,
}

/// A room at the media server.
#[derive(Debug, Clone)]
pub struct MediaRoom {
    id: RoomId,
    users: Stays,
    streams: Stays,
    /// Whether callbacks name the session. If they do not, the counters go on from one to the next.
    names_sessions: bool,
    /// Whether callbacks tell the counters.
    counts: bool,
    user_counter: u64,
    stream_counter: u64,
    session: Option<Session>,
}

impl Stays {
    /// Answers whether each stay of a user has a name.
    fn names_users(self) -> bool {
        matches!(self, Self::Named | Self::Shared | Self::NamedAndCounted)
    }

    fn is_counted(self) -> bool {
        matches!(self, Self::Counted | Self::NamedAndCounted)
    }

    /// Answers whether the last thing that is told of a user or stream counts.
    pub(crate) fn is_ordered(self) -> bool {
        self.is_counted() || self == Self::Timed
    }

    /// Answers whether a stream that is published again goes on under the name that it has.
    pub(crate) fn keeps_name(self) -> bool {
        !matches!(self, Self::Shared | Self::NamedAndCounted)
    }
}

/// A session that runs.
#[derive(Debug, Clone)]
struct Session {
    id: SessionId,
    /// Of each user who is there, the logins, the latest last.
    logins: BTreeMap<UserId, Vec<Login>>,
    /// Of each stream that is there, the publications, the latest last.
    streams: BTreeMap<StreamId, Vec<Publication>>,
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
    /// Makes a room in which no session runs. It tells of users and streams as the first vendor does.
    pub fn new(id: RoomId) -> Self {
        Self {
            id,
            users: Stays::Named,
            streams: Stays::Counted,
            names_sessions: true,
            counts: true,
            user_counter: 0,
            stream_counter: 0,
            session: None,
        }
    }

    /// Sets how it tells the stays of users and of streams apart.
    #[must_use]
    pub fn stays(mut self, users: Stays, streams: Stays) -> Self {
        (self.users, self.streams) = (users, streams);
        self
    }

    /// Lets its callbacks name no session.
    #[must_use]
    pub fn nameless(mut self) -> Self {
        self.names_sessions = false;
        self
    }

    /// Lets its callbacks tell no counters. Those that order stays are orders, and are told.
    #[must_use]
    pub fn without_counters(mut self) -> Self {
        self.counts = false;
        self
    }

    /// Begins a session. A session that ran is gone, untold.
    pub fn open(&mut self, session_id: SessionId, created: RoomCreated) -> Callback {
        self.session =
            Some(Session { id: session_id, logins: BTreeMap::new(), streams: BTreeMap::new() });
        if self.names_sessions {
            (self.user_counter, self.stream_counter) = (0, 0);
        }
        self.tell(created)
    }

    /// Ends the session, and everything in it. What was not told to end before stays untold.
    pub fn close(&mut self, closed: RoomClosed) -> Callback {
        let told = self.tell(closed);
        self.session = None;
        told
    }

    /// Logs a user in. Another login of the same user is gone, unless logins are shared: see
    /// [`take_login`](Self::take_login).
    pub fn log_in(&mut self, user_id: UserId, id: UserSessionId, at: Timestamp) -> UserLoggedIn {
        let stays = self.users;
        self.user_counter += 1;
        let logins = self.running_mut().logins.entry(user_id.clone()).or_default();
        if stays != Stays::Shared {
            logins.clear();
        }
        logins.push(Login { id: id.clone(), at });
        UserLoggedIn::new(user_id, at)
            .user_session_id(stays.names_users().then_some(id))
            .order(stays.is_counted().then_some(self.user_counter))
            .exclusive(stays != Stays::Shared)
            .counter(self.counts.then_some(self.user_counter))
    }

    /// Takes away the latest login of a user: as another one is about to replace it, or to log it out. Its
    /// logout is told by [`tell_logout`](Self::tell_logout), before the other login or after it.
    pub fn take_login(&mut self, user_id: &UserId) -> Option<Login> {
        let latest = self.login_count(user_id).checked_sub(1)?;
        Some(self.take_one_login(user_id, latest))
    }

    /// Takes away one of several logins of a user, by number, the earliest first.
    pub fn take_one_login(&mut self, user_id: &UserId, which: usize) -> Login {
        let logins = &mut self.running_mut().logins;
        take(logins, user_id, which)
    }

    /// Tells that a login ended which is no longer in the room.
    pub fn tell_logout(&mut self, user_id: &UserId, login: Login, at: Timestamp) -> UserLoggedOut {
        let stays = self.users;
        self.user_counter += 1;
        UserLoggedOut::new(user_id.clone(), at)
            .user_session_id(stays.names_users().then_some(login.id))
            .order(stays.is_counted().then_some(self.user_counter))
            .exclusive(stays != Stays::Shared)
            .counter(self.counts.then_some(self.user_counter))
            .login_at(login.at)
    }

    /// Logs a user out who is logged in.
    pub fn log_out(&mut self, user_id: &UserId, at: Timestamp) -> UserLoggedOut {
        let login = self.take_login(user_id).expect("who logs out was logged in");
        self.tell_logout(user_id, login, at)
    }

    /// Publishes a stream. If it is published again, it goes on under the session that it has, and not
    /// under this one. That is not so if publications are shared or each has a name.
    pub fn publish(
        &mut self,
        stream_id: StreamId,
        publisher_id: UserId,
        new: StreamSessionId,
        at: Timestamp,
    ) -> StreamCreated {
        let stays = self.streams;
        self.stream_counter += 1;
        let publications = self.running_mut().streams.entry(stream_id.clone()).or_default();
        let held = if stays == Stays::Shared { None } else { publications.pop() };
        let id = held.filter(|_| stays.keeps_name()).map_or(new, |stream| stream.id);
        publications.push(Publication { id: id.clone(), at, publisher_id: publisher_id.clone() });
        let mut created = StreamCreated::new(stream_id, at)
            .stream_session_id((stays != Stays::Timed).then_some(id))
            .order(stays.is_counted().then_some(self.stream_counter))
            .exclusive(stays != Stays::Shared)
            .counter(self.counts.then_some(self.stream_counter));
        created.details.publisher_id = Some(publisher_id);
        created
    }

    /// Takes a stream away that is published, or the latest of its publications.
    pub fn unpublish(&mut self, stream_id: &StreamId, at: Timestamp) -> StreamClosed {
        let latest = self.stream_count(stream_id).checked_sub(1).expect("what ends was published");
        self.unpublish_one(stream_id, latest, at)
    }

    /// Takes away one of several publications of a stream, by number, the earliest first.
    pub fn unpublish_one(
        &mut self,
        stream_id: &StreamId,
        which: usize,
        at: Timestamp,
    ) -> StreamClosed {
        let stays = self.streams;
        self.stream_counter += 1;
        let stream = take(&mut self.running_mut().streams, stream_id, which);
        StreamClosed::new(stream_id.clone(), at)
            .stream_session_id((stays != Stays::Timed).then_some(stream.id))
            .order(stays.is_counted().then_some(self.stream_counter))
            .exclusive(stays != Stays::Shared)
            .counter(self.counts.then_some(self.stream_counter))
            .created_at(stream.at)
    }

    /// Makes a callback of an event in the session that runs.
    pub fn tell(&self, event: impl Into<CallbackEvent>) -> Callback {
        let session_id = self.names_sessions.then(|| self.running().id.clone());
        Callback::new(self.id.clone(), session_id, event)
    }

    /// Answers the id of the room.
    pub fn id(&self) -> &RoomId {
        &self.id
    }

    /// Answers whether a session runs.
    pub fn is_open(&self) -> bool {
        self.session.is_some()
    }

    /// Answers the session that runs, if it has a name.
    pub fn session_id(&self) -> Option<&SessionId> {
        self.session.as_ref().filter(|_| self.names_sessions).map(|session| &session.id)
    }

    /// Answers the latest login of a user.
    pub fn login(&self, user_id: &UserId) -> Option<&Login> {
        self.session.as_ref()?.logins.get(user_id)?.last()
    }

    /// Answers how many logins a user has.
    pub fn login_count(&self, user_id: &UserId) -> usize {
        let logins = self.session.as_ref().and_then(|session| session.logins.get(user_id));
        logins.map_or(0, Vec::len)
    }

    /// Answers who is logged in, by id, with the latest login.
    pub fn logins(&self) -> impl Iterator<Item = (&UserId, &Login)> {
        latest(self.session.as_ref().map(|session| &session.logins))
    }

    /// Answers a stream that is published.
    pub fn stream(&self, stream_id: &StreamId) -> Option<&Publication> {
        self.session.as_ref()?.streams.get(stream_id)?.last()
    }

    /// Answers how many publications a stream has.
    pub fn stream_count(&self, stream_id: &StreamId) -> usize {
        let streams = self.session.as_ref().and_then(|session| session.streams.get(stream_id));
        streams.map_or(0, Vec::len)
    }

    /// Answers what is published, by id, with the latest publication.
    pub fn streams(&self) -> impl Iterator<Item = (&StreamId, &Publication)> {
        latest(self.session.as_ref().map(|session| &session.streams))
    }

    /// Answers how many users are logged in.
    pub fn user_count(&self) -> usize {
        self.session.as_ref().map_or(0, |session| session.logins.len())
    }

    /// Answers what is true of the room now.
    pub fn truth(&self) -> Option<Truth> {
        self.session.as_ref().map(|_| Truth {
            session_id: self.session_id().cloned(),
            users: self.logins().map(|(id, login)| (id.clone(), Some(login.id.clone()))).collect(),
            streams: self.streams().map(|(id, it)| (id.clone(), Some(it.id.clone()))).collect(),
        })
    }

    fn running(&self) -> &Session {
        self.session.as_ref().expect("a session runs, or nothing can happen in it")
    }

    fn running_mut(&mut self) -> &mut Session {
        self.session.as_mut().expect("a session runs, or nothing can happen in it")
    }
}

/// Takes away one of the stays of a user or stream.
fn take<Id: Ord, Stay>(held: &mut BTreeMap<Id, Vec<Stay>>, id: &Id, which: usize) -> Stay {
    let stays = held.get_mut(id).expect("what ends was there");
    let stay = stays.remove(which);
    if stays.is_empty() {
        held.remove(id);
    }
    stay
}

/// Answers the latest stay of each user or stream.
fn latest<Id, Stay>(held: Option<&BTreeMap<Id, Vec<Stay>>>) -> impl Iterator<Item = (&Id, &Stay)> {
    held.into_iter().flatten().filter_map(|(id, stays)| Some((id, stays.last()?)))
}
