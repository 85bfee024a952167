//! The virtual media server: many rooms, what happens in them, and its own lists.
//!
//! What it tells is a valid history. A room is created with its first user and closes with its last,
//! or when it is ended; it is created again later, in a new session. Users log in, log out, and log
//! in again elsewhere, where either of the two callbacks may be told first; when they go, so do
//! their streams. Streams come, go, and are published again. Counters run per session. Several
//! machines stamp the callbacks, any of them any callback, and their clocks differ.

use std::collections::BTreeMap;

use room_registry::{
    Callback, CallbackEvent, ObservedStream, ObservedUser, RoomClosed, RoomCreated, RoomId,
    SessionId, StreamClosed, StreamCreated, StreamId, StreamSessionId, Text, Timestamp, UserId,
    UserLoggedIn, UserLoggedOut, UserSessionId,
};

use super::names::{Names, STREAMS_A_USER, USERS};
use super::rng::{Rng, Share};

/// How many machines of the vendor's stamp callbacks.
const MACHINES: usize = 8;

/// What a callback is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// The room as a whole, and so everything in it.
    Room,
    User(usize),
    Stream(usize),
}

/// A callback that the server told.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) room: usize,
    pub(crate) subject: Subject,
    pub(crate) callback: Callback,
}

/// Who and what is in a room, a bit an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Lists {
    pub(crate) open: bool,
    pub(crate) users: u64,
    pub(crate) streams: u64,
}

/// How it behaves.
#[derive(Debug, Clone)]
pub(crate) struct Manners {
    pub(crate) rooms: usize,
    /// The average time between two callbacks of a room.
    pub(crate) change_every: u64,
    /// How far its clocks are apart, at most.
    pub(crate) skew: u64,
    /// How often a logout comes without its login time.
    pub(crate) without_login_time: Share,
}

#[derive(Debug)]
pub(crate) struct MediaServer {
    manners: Manners,
    rng: Rng,
    clocks: [u64; MACHINES],
    names: Names,
    rooms: Vec<Room>,
    next_id: u64,
    told: Vec<Told>,
}

#[derive(Debug)]
struct Room {
    id: RoomId,
    live: Option<Live>,
    /// When each list was last asked for.
    asked_at: [Option<u64>; 2],
}

/// A session that runs.
#[derive(Debug)]
struct Live {
    session_id: SessionId,
    /// How many users it attracts.
    crowd: u64,
    users: BTreeMap<usize, (UserSessionId, Timestamp)>,
    streams: BTreeMap<usize, (StreamSessionId, Timestamp)>,
    user_counter: u64,
    stream_counter: u64,
}

/// A list of the server's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    Users,
    Streams,
}

impl MediaServer {
    pub(crate) fn new(manners: Manners, seed: u64) -> Self {
        let mut rng = Rng::new(seed, 1);
        let clocks = [(); MACHINES].map(|()| rng.between(0, manners.skew));
        let room = |index| Room { id: Names::room(index), live: None, asked_at: [None; 2] };
        Self {
            rooms: (0..manners.rooms).map(room).collect(),
            manners,
            rng,
            clocks,
            names: Names::new(),
            next_id: 858_012_925_204_410_401,
            told: Vec::new(),
        }
    }

    /// When the first thing happens in a room, counted from the start.
    pub(crate) fn first_step(&mut self) -> u64 {
        let mean = self.manners.change_every * 2;
        self.rng.pause(mean)
    }

    /// Something happens in a room. Answers in how long the next thing does.
    pub(crate) fn step(&mut self, room: usize, now: u64) -> u64 {
        let before = self.told.len();
        let mut scene = Scene { server: self, room, now };
        if scene.server.rooms[room].live.is_none() {
            scene.open();
        } else {
            scene.go_on();
        }
        // So that a callback comes at the stated rate, however many a step tells.
        let told = (self.told.len() - before) as u64;
        if self.rng.chance(Share::percent(10)) {
            return self.rng.between(0, 40); // people act on what they see
        }
        self.rng.pause(self.manners.change_every * told * 10 / 9)
    }

    /// What was told since the last call.
    pub(crate) fn told(&mut self) -> impl Iterator<Item = Told> {
        self.told.drain(..)
    }

    /// What is true now.
    pub(crate) fn lists(&self, room: usize) -> Lists {
        let bits = |ids: &mut dyn Iterator<Item = &usize>| ids.fold(0, |bits, id| bits | 1 << id);
        self.rooms[room].live.as_ref().map_or_else(Lists::default, |live| Lists {
            open: true,
            users: bits(&mut live.users.keys()),
            streams: bits(&mut live.streams.keys()),
        })
    }

    pub(crate) fn session_id(&self, room: usize) -> Option<&SessionId> {
        self.rooms[room].live.as_ref().map(|live| &live.session_id)
    }

    /// Whether the API takes a call: 1 a second a room for users, 1 in 10 s a room for streams.
    pub(crate) fn admits(&mut self, room: usize, list: List, now: u64) -> bool {
        let (which, pause) = match list {
            List::Users => (0, 1_000),
            List::Streams => (1, 10_000),
        };
        let asked_at = &mut self.rooms[room].asked_at[which];
        let admitted = asked_at.is_none_or(|at| at + pause <= now);
        if admitted {
            *asked_at = Some(now);
        }
        admitted
    }

    /// The user list as the API tells it: names, no session, no login time.
    pub(crate) fn users(&self, room: usize) -> Vec<ObservedUser> {
        let live = self.rooms[room].live.as_ref();
        let users = live.into_iter().flat_map(|live| live.users.keys());
        users
            .map(|index| {
                let user_id = self.names.user(*index);
                ObservedUser::new(user_id.clone()).name(user_id.as_str())
            })
            .collect()
    }

    /// The stream list as the API tells it: with the creation time.
    pub(crate) fn streams(&self, room: usize) -> Vec<ObservedStream> {
        let live = self.rooms[room].live.as_ref();
        let streams = live.into_iter().flat_map(|live| &live.streams);
        streams
            .map(|(index, (_, created_at))| {
                let publisher_id = self.names.user(index / STREAMS_A_USER).clone();
                let stream = ObservedStream::new(self.names.stream(*index).clone());
                let mut stream = stream.publisher_id(publisher_id);
                stream.created_at = Some(*created_at);
                stream
            })
            .collect()
    }
}

/// One moment in one room.
struct Scene<'a> {
    server: &'a mut MediaServer,
    room: usize,
    now: u64,
}

impl Scene<'_> {
    fn open(&mut self) {
        let session_id = self.new_id();
        let crowd = self.server.rng.between(2, 11);
        let creator = self.server.rng.index(USERS);
        self.server.rooms[self.room].live = Some(Live {
            session_id: SessionId::new(session_id).expect("a number is an id"),
            crowd,
            users: BTreeMap::new(),
            streams: BTreeMap::new(),
            user_counter: 0,
            stream_counter: 0,
        });
        let created = RoomCreated::new(self.stamp()).creator_id(self.user_id(creator));
        self.tell(Subject::Room, created);
        self.login(creator);
        if self.server.rng.chance(Share::percent(60)) {
            self.publish(creator * STREAMS_A_USER);
        }
    }

    fn go_on(&mut self) {
        let live = self.live();
        let (users, crowd) = (live.users.len(), live.crowd);
        let which = self.server.rng.index(users);
        let user = self.live().users.keys().nth(which).copied().unwrap_or(0);
        match self.server.rng.below(100) {
            0 => self.end(),
            1..6 => self.login_again(user),
            6..30 => self.change_stream(user),
            _ => {
                let goes = self.server.rng.below(crowd + users as u64) < users as u64;
                let newcomer = self.newcomer();
                match newcomer {
                    Some(newcomer) if !goes => self.login(newcomer),
                    Some(_) | None => self.leave(user),
                }
            }
        }
    }

    fn newcomer(&mut self) -> Option<usize> {
        let first = self.server.rng.index(USERS);
        let users = &self.live().users;
        (0..USERS).map(|step| (first + step) % USERS).find(|user| !users.contains_key(user))
    }

    fn login(&mut self, user: usize) {
        let session = UserSessionId::new(self.new_id()).expect("a number is an id");
        let at = self.stamp();
        let live = self.live();
        live.user_counter += 1;
        let counter = live.user_counter;
        live.users.insert(user, (session.clone(), at));
        let user_id = self.user_id(user);
        let name = Text::from(user_id.as_str());
        let mut login = UserLoggedIn::new(user_id, session, at, counter);
        login.user_name = Some(name);
        self.tell(Subject::User(user), login);
    }

    /// A login elsewhere ends the one before, and either may be told first.
    fn login_again(&mut self, user: usize) {
        let Some(replaced) = self.live().users.remove(&user) else { return self.login(user) };
        if self.server.rng.chance(Share::percent(50)) {
            self.tell_logout(user, replaced);
            self.login(user);
        } else {
            self.login(user);
            self.tell_logout(user, replaced);
        }
    }

    fn leave(&mut self, user: usize) {
        if self.live().users.len() == 1 {
            return self.end(); // the last one out
        }
        for stream in user * STREAMS_A_USER..(user + 1) * STREAMS_A_USER {
            self.unpublish(stream);
        }
        if let Some(login) = self.live().users.remove(&user) {
            self.tell_logout(user, login);
        }
    }

    fn tell_logout(&mut self, user: usize, (session, login_at): (UserSessionId, Timestamp)) {
        let at = self.stamp();
        let live = self.live();
        live.user_counter += 1;
        let counter = live.user_counter;
        let mut logout = UserLoggedOut::new(self.user_id(user), session, at, counter);
        if !self.server.rng.chance(self.server.manners.without_login_time) {
            logout = logout.login_at(login_at);
        }
        self.tell(Subject::User(user), logout);
    }

    fn change_stream(&mut self, user: usize) {
        let stream = user * STREAMS_A_USER + self.server.rng.index(STREAMS_A_USER);
        let is_published = self.live().streams.contains_key(&stream);
        if is_published && self.server.rng.chance(Share::percent(60)) {
            self.unpublish(stream);
        } else {
            self.publish(stream);
        }
    }

    /// Published again, it is the same life of the stream.
    fn publish(&mut self, stream: usize) {
        let held = self.live().streams.get(&stream).map(|(session, _)| session.clone());
        let session =
            held.unwrap_or_else(|| StreamSessionId::new(self.new_id()).expect("a number is an id"));
        let at = self.stamp();
        let live = self.live();
        live.stream_counter += 1;
        let counter = live.stream_counter;
        live.streams.insert(stream, (session.clone(), at));
        let mut created = StreamCreated::new(self.stream_id(stream), session, at, Some(counter));
        created.details.publisher_id = Some(self.user_id(stream / STREAMS_A_USER));
        self.tell(Subject::Stream(stream), created);
    }

    fn unpublish(&mut self, stream: usize) {
        let Some((session, created_at)) = self.live().streams.remove(&stream) else { return };
        let at = self.stamp();
        let live = self.live();
        live.stream_counter += 1;
        let counter = live.stream_counter;
        let closed = StreamClosed::new(self.stream_id(stream), session, at, Some(counter));
        self.tell(Subject::Stream(stream), closed.created_at(created_at));
    }

    /// Everything in the room ends with it, told or (now and then) not.
    fn end(&mut self) {
        if self.server.rng.chance(Share::percent(85)) {
            while let Some(stream) = self.live().streams.keys().next().copied() {
                self.unpublish(stream);
            }
            while let Some((user, login)) = self.live().users.pop_first() {
                self.tell_logout(user, login);
            }
        }
        let closed = RoomClosed::new(self.stamp());
        self.tell(Subject::Room, closed);
        self.server.rooms[self.room].live = None;
    }

    fn tell(&mut self, subject: Subject, event: impl Into<CallbackEvent>) {
        let room_id = self.server.rooms[self.room].id.clone();
        let session_id = self.live().session_id.clone();
        let callback = Callback::new(room_id, session_id, event);
        self.server.told.push(Told { room: self.room, subject, callback });
    }

    /// The time by one of the machines' clocks.
    fn stamp(&mut self) -> Timestamp {
        let machine = self.server.rng.index(MACHINES);
        Timestamp::from_millis(self.now + self.server.clocks[machine])
    }

    fn new_id(&mut self) -> String {
        self.server.next_id += self.server.rng.between(1, 1_000);
        self.server.next_id.to_string()
    }

    fn live(&mut self) -> &mut Live {
        self.server.rooms[self.room].live.as_mut().expect("a session runs")
    }

    fn user_id(&self, user: usize) -> UserId {
        self.server.names.user(user).clone()
    }

    fn stream_id(&self, stream: usize) -> StreamId {
        self.server.names.stream(stream).clone()
    }
}
