//! The media server: many rooms, what happens in them, and its own lists.
//!
//! What it tells is a valid history. A room is created with its first user and closes with its last,
//! or when it is ended; it is created again later, in a new session. Users log in, log out, and log
//! in again elsewhere, where either of the two callbacks may be told first; when they go, so do
//! their streams. Streams come, go, and are published again. Counters run per session. Several
//! machines stamp the callbacks, any of them any callback, and their clocks differ.

use room_registry::event::{CallbackEvent, RoomClosed, RoomCreated};
use room_registry::repair::{ObservedStream, ObservedUser};
use room_registry::{
    Callback, SessionId, StreamId, StreamSessionId, Text, Timestamp, UserId, UserSessionId,
};

use super::names::{Names, STREAMS_A_USER, USERS, bit, index};
use super::rng::{Dice, Share};
use super::room::{Login, MediaRoom};

/// How many machines of the vendor's stamp callbacks.
const MACHINES: usize = 8;

/// What a callback is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The room as a whole, and so everything in it.
    Room,
    /// A user, by number.
    User(usize),
    /// A stream, by number.
    Stream(usize),
}

/// A callback that the server told.
#[derive(Debug)]
pub struct Told {
    /// The number of the room.
    pub room: usize,
    /// What in the room it is about.
    pub subject: Subject,
    /// What it says.
    pub callback: Callback,
}

/// Who and what is in a room, a bit an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lists {
    /// Whether a session runs.
    pub open: bool,
    /// A bit for each user.
    pub users: u64,
    /// A bit for each stream.
    pub streams: u64,
}

/// How the media server behaves.
#[derive(Debug, Clone)]
pub struct Manners {
    /// How many rooms it has.
    pub rooms: usize,
    /// The average time between two callbacks of a room.
    pub change_every: u64,
    /// How far its clocks are apart, at most.
    pub skew: u64,
    /// How often a logout comes without its login time.
    pub without_login_time: Share,
}

/// A media server that behaves as its manners say, by chance.
#[derive(Debug)]
pub struct MediaServer {
    manners: Manners,
    rng: Dice,
    clocks: [u64; MACHINES],
    names: Names,
    rooms: Vec<Room>,
    next_id: u64,
    told: Vec<Told>,
}

#[derive(Debug)]
struct Room {
    media: MediaRoom,
    /// How many users the session attracts.
    crowd: u64,
    /// When each list was last asked for.
    asked_at: [Option<u64>; 2],
}

/// A list of the server's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// Who is in a room.
    Users,
    /// What is published in a room.
    Streams,
}

impl MediaServer {
    /// Starts the media server of a seed. All its rooms are closed.
    pub fn new(manners: Manners, seed: u64) -> Self {
        let mut rng = Dice::new(seed, 1);
        let clocks = [(); MACHINES].map(|()| rng.between(0, manners.skew));
        let room = |index| Room {
            media: MediaRoom::new(Names::room(index)),
            crowd: 0,
            asked_at: [None; 2],
        };
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

    /// Answers when the first thing happens in a room, counted from the start.
    pub fn first_step(&mut self) -> u64 {
        let mean = self.manners.change_every * 2;
        self.rng.pause(mean)
    }

    /// Lets something happen in a room. Answers in how long the next thing does.
    pub fn step(&mut self, room: usize, now: u64) -> u64 {
        let before = self.told.len();
        let mut scene = Scene { server: self, room, now };
        if scene.room().is_open() {
            scene.go_on();
        } else {
            scene.open();
        }
        // So that a callback comes at the stated rate, however many a step tells.
        let told = (self.told.len() - before) as u64;
        if self.rng.chance(Share::percent(10)) {
            return self.rng.between(0, 40); // people act on what they see
        }
        self.rng.pause(self.manners.change_every * told * 10 / 9)
    }

    /// Answers what was told since the last call.
    pub fn told(&mut self) -> impl Iterator<Item = Told> {
        self.told.drain(..)
    }

    /// Answers what is true now.
    pub fn lists(&self, room: usize) -> Lists {
        let room = &self.rooms[room].media;
        Lists {
            open: room.is_open(),
            users: room.logins().fold(0, |bits, (id, _)| bits | bit(id.as_str())),
            streams: room.streams().fold(0, |bits, (id, _)| bits | bit(id.as_str())),
        }
    }

    /// Answers the session that runs in a room.
    pub fn session_id(&self, room: usize) -> Option<&SessionId> {
        self.rooms[room].media.session_id()
    }

    /// Answers whether the API takes a call: 1 a second a room for users, 1 in 10 s a room for streams.
    pub fn admits(&mut self, room: usize, list: List, now: u64) -> bool {
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

    /// Answers the user list as the API tells it: names, no session, no login time.
    pub fn users(&self, room: usize) -> Vec<ObservedUser> {
        let users = self.rooms[room].media.logins();
        users.map(|(id, _)| ObservedUser::new(id.clone()).name(id.as_str())).collect()
    }

    /// Answers the stream list as the API tells it: with the creation time.
    pub fn streams(&self, room: usize) -> Vec<ObservedStream> {
        let streams = self.rooms[room].media.streams();
        streams
            .map(|(id, held)| {
                let mut stream = ObservedStream::new(id.clone());
                stream = stream.publisher_id(held.publisher_id.clone());
                stream.created_at = Some(held.at);
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
        let session_id = SessionId::new(self.new_id()).expect("a number is an id");
        self.server.rooms[self.room].crowd = self.server.rng.between(2, 11);
        let creator = self.server.rng.index(USERS);
        let created = RoomCreated::new(self.stamp()).creator_id(self.user_id(creator));
        let told = self.room_mut().open(session_id, created);
        self.told(Subject::Room, told);
        self.login(creator);
        if self.server.rng.chance(Share::percent(60)) {
            self.publish(creator * STREAMS_A_USER);
        }
    }

    fn go_on(&mut self) {
        let (users, crowd) = (self.room().user_count(), self.server.rooms[self.room].crowd);
        let which = self.server.rng.index(users);
        let user = self.room().logins().nth(which).map_or(0, |(id, _)| index(id.as_str()));
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
        let is_elsewhere =
            |user: &usize| self.room().login(self.server.names.user(*user)).is_none();
        (0..USERS).map(|step| (first + step) % USERS).find(is_elsewhere)
    }

    fn login(&mut self, user: usize) {
        let session = UserSessionId::new(self.new_id()).expect("a number is an id");
        let at = self.stamp();
        let user_id = self.user_id(user);
        let name = Text::from(user_id.as_str());
        let mut login = self.room_mut().log_in(user_id, session, at);
        login.details.user_name = Some(name);
        self.tell(Subject::User(user), login);
    }

    /// A login elsewhere ends the one before, and either may be told first.
    fn login_again(&mut self, user: usize) {
        let user_id = self.user_id(user);
        let Some(replaced) = self.room_mut().take_login(&user_id) else { return self.login(user) };
        if self.server.rng.chance(Share::percent(50)) {
            self.tell_logout(user, replaced);
            self.login(user);
        } else {
            self.login(user);
            self.tell_logout(user, replaced);
        }
    }

    fn leave(&mut self, user: usize) {
        if self.room().user_count() == 1 {
            return self.end(); // the last one out
        }
        for stream in user * STREAMS_A_USER..(user + 1) * STREAMS_A_USER {
            self.unpublish(stream);
        }
        self.log_out(user);
    }

    fn log_out(&mut self, user: usize) {
        let user_id = self.user_id(user);
        if let Some(login) = self.room_mut().take_login(&user_id) {
            self.tell_logout(user, login);
        }
    }

    fn tell_logout(&mut self, user: usize, login: Login) {
        let at = self.stamp();
        let user_id = self.user_id(user);
        let mut logout = self.room_mut().tell_logout(&user_id, login, at);
        if self.server.rng.chance(self.server.manners.without_login_time) {
            logout.login_at = None;
        }
        self.tell(Subject::User(user), logout);
    }

    fn change_stream(&mut self, user: usize) {
        let stream = user * STREAMS_A_USER + self.server.rng.index(STREAMS_A_USER);
        let is_published = self.room().stream(self.server.names.stream(stream)).is_some();
        if is_published && self.server.rng.chance(Share::percent(60)) {
            self.unpublish(stream);
        } else {
            self.publish(stream);
        }
    }

    /// Published again, it is the same life of the stream.
    fn publish(&mut self, stream: usize) {
        let stream_id = self.stream_id(stream);
        let held = self.room().stream(&stream_id).map(|held| held.id.clone());
        let session =
            held.unwrap_or_else(|| StreamSessionId::new(self.new_id()).expect("a number is an id"));
        let at = self.stamp();
        let publisher_id = self.user_id(stream / STREAMS_A_USER);
        let created = self.room_mut().publish(stream_id, publisher_id, session, at);
        self.tell(Subject::Stream(stream), created);
    }

    fn unpublish(&mut self, stream: usize) {
        let stream_id = self.stream_id(stream);
        if self.room().stream(&stream_id).is_some() {
            let at = self.stamp();
            let closed = self.room_mut().unpublish(&stream_id, at);
            self.tell(Subject::Stream(stream), closed);
        }
    }

    /// Everything in the room ends with it, told or (now and then) not.
    fn end(&mut self) {
        if self.server.rng.chance(Share::percent(85)) {
            let streams: Vec<_> = self.room().streams().map(|(id, _)| index(id.as_str())).collect();
            for stream in streams {
                self.unpublish(stream);
            }
            let users: Vec<_> = self.room().logins().map(|(id, _)| index(id.as_str())).collect();
            for user in users {
                self.log_out(user);
            }
        }
        let closed = RoomClosed::new(self.stamp());
        let told = self.room_mut().close(closed);
        self.told(Subject::Room, told);
    }

    fn tell(&mut self, subject: Subject, event: impl Into<CallbackEvent>) {
        let told = self.room().tell(event);
        self.told(subject, told);
    }

    fn told(&mut self, subject: Subject, callback: Callback) {
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

    fn room(&self) -> &MediaRoom {
        &self.server.rooms[self.room].media
    }

    fn room_mut(&mut self) -> &mut MediaRoom {
        &mut self.server.rooms[self.room].media
    }

    fn user_id(&self, user: usize) -> UserId {
        self.server.names.user(user).clone()
    }

    fn stream_id(&self, stream: usize) -> StreamId {
        self.server.names.stream(stream).clone()
    }
}
