//! Plays the media server: many rooms, what happens in them, and its own lists.
//!
//! What it tells is a valid history. A room is created with its first user and closes with its last, or
//! when it is ended. It is created again later, in a new session. Users log in, log out, and log in again
//! elsewhere. If they do that, either of the two callbacks may be told first. When users go, so do their
//! streams. Streams come, go, and are published again. Counters run per session. Several machines stamp the
//! callbacks, any of them any callback, and their clocks differ.
//!
//! [`Manners`] say what another vendor does otherwise: how it tells stays apart, whether it names sessions,
//! and whether it tells that one is over. If no rule could know the truth, the server waits, or tells more.
//! Each such place says which condition of the promise would fail.

use std::collections::BTreeMap;

use room_registry::event::{CallbackEvent, RoomClosed, RoomCreated};
use room_registry::repair::{ObservedStream, ObservedUser};
use room_registry::{
    Callback, SessionId, StreamId, StreamSessionId, Text, Timestamp, UserId, UserSessionId,
};

use super::names::{Names, STREAMS_A_USER, USERS, bit, index};
use super::rng::{Dice, Share};
use super::room::{Login, MediaRoom, Stays};

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

/// How a media server tells of the lives of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sessions {
    /// Each has a name, and its creation is told.
    Named,
    /// None has a name.
    Nameless {
        /// Whether creations are told. They say nothing.
        creates: bool,
        /// Whether closes are told.
        closes: bool,
    },
}

impl Sessions {
    /// Answers whether a callback is told. All are that are not of the room as a whole.
    pub fn tells(self, callback: &Callback) -> bool {
        match (self, &callback.event) {
            (Self::Nameless { creates, .. }, CallbackEvent::RoomCreated(_)) => creates,
            (Self::Nameless { closes, .. }, CallbackEvent::RoomClosed(_)) => closes,
            _ => true,
        }
    }
}

/// How the media server behaves: by default as the first vendor's, in one room.
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
    /// How it tells the stays of users apart.
    pub users: Stays,
    /// How it tells the stays of streams apart.
    pub streams: Stays,
    /// How it tells of sessions.
    pub sessions: Sessions,
    /// How often the last one out leaves a session that stays open, so that no close is told.
    pub untold_closes: Share,
    /// For how long it waits if no rule could know the truth otherwise. That is longer than the tie window
    /// and the skew of its clocks together.
    pub apart: u64,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            rooms: 1,
            change_every: 17_000,
            skew: 0,
            without_login_time: Share::default(),
            users: Stays::Named,
            streams: Stays::Counted,
            sessions: Sessions::Named,
            untold_closes: Share::default(),
            apart: 0,
        }
    }
}

impl Manners {
    /// Answers whether sessions have no names.
    pub fn are_nameless(&self) -> bool {
        self.sessions != Sessions::Named
    }
}

/// One time that a user was in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// The number of the room.
    pub room: usize,
    /// The session of the room, if it has a name.
    pub session_id: Option<SessionId>,
    /// The number of the user.
    pub user: usize,
    /// The name of the stay, unless an order tells what is the last.
    pub id: Option<UserSessionId>,
    /// When it began.
    pub from: Timestamp,
    /// When it ended, if a logout told that, and of which stay.
    pub to: Option<Timestamp>,
}

/// What happened, if that is kept.
#[derive(Debug, Default)]
pub struct Chronicle {
    /// Every stay that ended.
    pub stays: Vec<Stay>,
    /// When the sessions closed of which that was told, by name.
    pub closes: BTreeMap<SessionId, Timestamp>,
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
    chronicle: Option<Chronicle>,
}

#[derive(Debug)]
struct Room {
    media: MediaRoom,
    /// How many users the session attracts.
    crowd: u64,
    /// When each list was last asked for.
    asked_at: [Option<u64>; 2],
    /// When the session began.
    began_at: u64,
    /// When somebody or something last came.
    came_at: u64,
    /// Until when nothing happens.
    quiet_until: u64,
    /// The last stamp of each user and stream whose stays are ordered by time.
    stamps: BTreeMap<usize, u64>,
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
        let room = |index| {
            let media = MediaRoom::new(Names::room(index)).stays(manners.users, manners.streams);
            Room {
                media: if manners.are_nameless() { media.nameless() } else { media },
                crowd: 0,
                asked_at: [None; 2],
                began_at: 0,
                came_at: 0,
                quiet_until: 0,
                stamps: BTreeMap::new(),
            }
        };
        Self {
            rooms: (0..manners.rooms).map(room).collect(),
            manners,
            rng,
            clocks,
            names: Names::new(),
            next_id: 858_012_925_204_410_401,
            told: Vec::new(),
            chronicle: None,
        }
    }

    /// Keeps what happens from here on.
    pub fn keep_chronicle(&mut self) {
        self.chronicle = Some(Chronicle::default());
    }

    /// Answers what happened, if that is kept.
    pub fn chronicle(&self) -> Option<&Chronicle> {
        self.chronicle.as_ref()
    }

    /// Answers when the first thing happens in a room, counted from the start.
    pub fn first_step(&mut self) -> u64 {
        let mean = self.manners.change_every * 2;
        self.rng.pause(mean)
    }

    /// Lets something happen in a room. Answers in how long the next thing does.
    pub fn step(&mut self, room: usize, now: u64) -> u64 {
        let quiet_until = self.rooms[room].quiet_until;
        if now < quiet_until {
            return quiet_until - now;
        }
        let before = self.told.len();
        let mut scene = Scene { server: self, room, now };
        if scene.room().is_open() {
            scene.go_on();
        } else {
            scene.open();
        }
        // So that a callback comes at the stated rate, however many a step tells.
        let told = (self.told.len() - before).max(1) as u64;
        if self.rng.chance(Share::percent(10)) {
            return self.rng.between(0, 40); // people act on what they see
        }
        self.rng.pause(self.manners.change_every * told * 10 / 9)
    }

    /// Lets the app end the session that runs, told or not. Untold, it is over for whoever asks, and no
    /// callback says so.
    pub fn close(&mut self, room: usize, now: u64, is_told: bool) {
        if self.manners.are_nameless() {
            // By law 21.4 an end hides all that came no later than the latest opening that is stored then.
            // One of the clocks may be ahead.
            self.rooms[room].quiet_until = now + self.manners.apart;
        }
        let mut scene = Scene { server: self, room, now };
        match scene.room().is_open() {
            true if is_told => scene.end(),
            true => scene.vanish(),
            false => {}
        }
    }

    /// Answers since when all has been going on that an end by the app has to hide in the session. That is
    /// since the session began, or since somebody or something last came if it has no name.
    pub fn settled_since(&self, room: usize) -> u64 {
        let is_nameless = self.manners.are_nameless();
        let room = &self.rooms[room];
        if is_nameless { room.came_at } else { room.began_at }
    }

    /// Lets the app throw a user out, by all devices.
    pub fn throw_out(&mut self, room: usize, user: usize, now: u64) {
        let mut scene = Scene { server: self, room, now };
        if scene.room().login(scene.server.names.user(user)).is_some() {
            scene.go(user);
        }
    }

    /// Answers what was told since the last call.
    pub fn told(&mut self) -> impl Iterator<Item = Told> {
        self.told.drain(..)
    }

    /// Answers what is true now.
    pub fn lists(&self, room: usize) -> Lists {
        let room = &self.rooms[room].media;
        let users = room.logins().fold(0, |bits, (id, _)| bits | bit(id.as_str()));
        let streams = room.streams().fold(0, |bits, (id, _)| bits | bit(id.as_str()));
        // Law 21.2: without a name, a session is open while somebody or something is in it.
        let open = if self.manners.are_nameless() { users | streams != 0 } else { room.is_open() };
        Lists { open, users, streams }
    }

    /// Answers the session that runs in a room, if it has a name.
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
        self.server.rooms[self.room].began_at = self.now;
        if self.server.manners.sessions.tells(&told) {
            self.told(Subject::Room, told);
        }
        self.login(creator);
        if self.server.rng.chance(Share::percent(60)) {
            self.publish(creator * STREAMS_A_USER);
        }
    }

    fn go_on(&mut self) {
        let (users, crowd) = (self.room().user_count(), self.server.rooms[self.room].crowd);
        if users == 0 {
            return self.come_back();
        }
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

    /// Lets a room go on that everybody left without a close. Somebody comes into the same session, or a
    /// new one begins.
    fn come_back(&mut self) {
        // Law 4.1: of two creations within the tie window, that of the larger id may count. No close
        // decides between them. Law 4.2: a login stamped after the creation of the next session shows this
        // one again once that one closed.
        let state = &self.server.rooms[self.room];
        let is_late = self.now >= state.began_at.max(state.came_at) + self.server.manners.apart;
        if is_late && self.server.rng.chance(Share::percent(50)) {
            return self.open();
        }
        if let Some(newcomer) = self.newcomer() {
            self.login(newcomer);
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
        let at = self.stamp_of(Subject::User(user));
        self.server.rooms[self.room].came_at = self.now;
        let user_id = self.user_id(user);
        let name = Text::from(user_id.as_str());
        let mut login = self.room_mut().log_in(user_id, session, at);
        login.details.user_name = Some(name);
        self.tell(Subject::User(user), login);
    }

    /// Logs a user in elsewhere. That ends the login before, and either may be told first, unless the last
    /// that is told counts. If logins are shared, it may also come beside the other.
    fn login_again(&mut self, user: usize) {
        let stays = self.server.manners.users;
        if stays == Stays::Shared && self.server.rng.chance(Share::percent(50)) {
            return self.login(user);
        }
        let user_id = self.user_id(user);
        let Some(replaced) = self.room_mut().take_login(&user_id) else { return self.login(user) };
        // Of ordered users "in, in, out" has two truths: see the end of the rules.
        if self.server.rng.chance(Share::percent(50)) || stays.is_ordered() {
            self.tell_logout(user, replaced);
            self.login(user);
        } else {
            self.login(user);
            self.tell_logout(user, replaced);
        }
    }

    fn leave(&mut self, user: usize) {
        if self.room().login_count(self.server.names.user(user)) > 1 {
            return self.log_out(user); // by one of several devices
        }
        self.go(user);
    }

    /// Lets a user go, by all devices.
    fn go(&mut self, user: usize) {
        let is_last = self.room().user_count() == 1;
        let untold = self.server.manners.untold_closes;
        let stays_open = is_last && untold != Share::default() && self.server.rng.chance(untold);
        if is_last && !stays_open {
            return self.end();
        }
        for stream in user * STREAMS_A_USER..(user + 1) * STREAMS_A_USER {
            self.unpublish_all(stream);
        }
        self.log_out_everywhere(user);
    }

    fn log_out_everywhere(&mut self, user: usize) {
        while self.room().login(self.server.names.user(user)).is_some() {
            self.log_out(user);
        }
    }

    fn log_out(&mut self, user: usize) {
        let user_id = self.user_id(user);
        if let Some(login) = self.room_mut().take_login(&user_id) {
            self.tell_logout(user, login);
        }
    }

    fn tell_logout(&mut self, user: usize, login: Login) {
        let at = self.stamp_of(Subject::User(user));
        let user_id = self.user_id(user);
        let from = login.at;
        let mut logout = self.room_mut().tell_logout(&user_id, login, at);
        if self.server.rng.chance(self.server.manners.without_login_time) {
            logout.login_at = None;
        }
        // If an order tells what is the last, a name tells nothing.
        let id = logout.user_session_id.clone().filter(|_| logout.order.is_none());
        let is_known = id.is_some() || logout.login_at.is_some();
        self.note_stay(user, id, from, is_known.then(|| at.max(from)));
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

    /// Publishes a stream. If it is published again, it is the same life of the stream, unless publications
    /// are shared or each has a name.
    fn publish(&mut self, stream: usize) {
        let stays = self.server.manners.streams;
        let stream_id = self.stream_id(stream);
        let held = self.room().stream(&stream_id).map(|held| (held.id.clone(), held.at));
        let held = held.filter(|_| stays.keeps_name());
        let last_at = held.as_ref().map(|(_, at)| *at);
        let session = held.map_or_else(
            || StreamSessionId::new(self.new_id()).expect("a number is an id"),
            |it| it.0,
        );
        let at = self.stamp_of(Subject::Stream(stream));
        // Law 3.6: of one named stay, time alone says which opening is the later.
        if stays == Stays::Named && last_at >= Some(at) {
            return;
        }
        self.server.rooms[self.room].came_at = self.now;
        let publisher_id = self.user_id(stream / STREAMS_A_USER);
        let created = self.room_mut().publish(stream_id, publisher_id, session, at);
        self.tell(Subject::Stream(stream), created);
    }

    fn unpublish(&mut self, stream: usize) {
        let stream_id = self.stream_id(stream);
        if self.room().stream(&stream_id).is_some() {
            let at = self.stamp_of(Subject::Stream(stream));
            let mut closed = self.room_mut().unpublish(&stream_id, at);
            let forgets = !self.server.manners.streams.is_ordered();
            if forgets && self.server.rng.chance(self.server.manners.without_login_time) {
                closed.created_at = None;
            }
            self.tell(Subject::Stream(stream), closed);
        }
    }

    /// Ends all publications of a stream.
    fn unpublish_all(&mut self, stream: usize) {
        while self.room().stream(self.server.names.stream(stream)).is_some() {
            self.unpublish(stream);
        }
    }

    /// Ends the session. Everything in the room ends, too, told or (now and then) not.
    fn end(&mut self) {
        if self.server.rng.chance(Share::percent(85)) || self.has_to_tell_all() {
            let streams: Vec<_> = self.room().streams().map(|(id, _)| index(id.as_str())).collect();
            for stream in streams {
                self.unpublish_all(stream);
            }
            let users: Vec<_> = self.room().logins().map(|(id, _)| index(id.as_str())).collect();
            for user in users {
                self.log_out_everywhere(user);
            }
        }
        let closed = RoomClosed::new(self.stamp());
        self.note_untold_stays();
        let session_id = self.room().session_id().cloned();
        if let (Some(chronicle), Some(session_id)) = (&mut self.server.chronicle, session_id) {
            chronicle.closes.insert(session_id, closed.closed_at);
        }
        let told = self.room_mut().close(closed);
        if self.server.manners.sessions.tells(&told) {
            self.told(Subject::Room, told);
        }
    }

    /// Answers whether the end of everything in the room has to be told. By law 21.3 a close without a
    /// session counts a tie window before its stamp. Who came within that time shows until an own closing
    /// arrives. If no close is told, only these closings tell of the end.
    fn has_to_tell_all(&self) -> bool {
        let has_just_come =
            self.now < self.server.rooms[self.room].came_at + self.server.manners.apart;
        match self.server.manners.sessions {
            Sessions::Named => false,
            Sessions::Nameless { closes, .. } => !closes || has_just_come,
        }
    }

    /// Ends everything in the room, and tells nothing.
    fn vanish(&mut self) {
        self.note_untold_stays();
        let closed = RoomClosed::new(Timestamp::from_millis(self.now));
        self.room_mut().close(closed);
    }

    fn tell(&mut self, subject: Subject, event: impl Into<CallbackEvent>) {
        let told = self.room().tell(event);
        self.told(subject, told);
    }

    fn told(&mut self, subject: Subject, callback: Callback) {
        self.server.told.push(Told { room: self.room, subject, callback });
    }

    /// Notes a stay that ended, if that is kept.
    fn note_stay(
        &mut self,
        user: usize,
        id: Option<UserSessionId>,
        from: Timestamp,
        to: Option<Timestamp>,
    ) {
        let session_id = self.room().session_id().cloned();
        let stay = Stay { room: self.room, session_id, user, id, from, to };
        if let Some(chronicle) = &mut self.server.chronicle {
            chronicle.stays.push(stay);
        }
    }

    /// Notes the stays that end with the session, if that is kept.
    fn note_untold_stays(&mut self) {
        if self.server.chronicle.is_none() {
            return;
        }
        let users: Vec<_> = self.room().logins().map(|(id, _)| id.clone()).collect();
        for user_id in users {
            while let Some(login) = self.room_mut().take_login(&user_id) {
                let id = Some(login.id).filter(|_| !self.server.manners.users.is_ordered());
                self.note_stay(index(user_id.as_str()), id, login.at, None);
            }
        }
    }

    /// Answers the time by the clock that stamps a user or stream. What time alone orders is stamped by one
    /// machine a room. Things of one user or stream are at least 1 ms apart, or else no rule could know the
    /// last.
    fn stamp_of(&mut self, subject: Subject) -> Timestamp {
        let (stays, key) = match subject {
            Subject::Room => return self.stamp(),
            Subject::User(user) => (self.server.manners.users, user),
            Subject::Stream(stream) => (self.server.manners.streams, USERS + stream),
        };
        if stays != Stays::Timed {
            return self.stamp();
        }
        let at = self.now + self.server.clocks[self.room % MACHINES];
        let last = self.server.rooms[self.room].stamps.entry(key).or_default();
        *last = at.max(*last + 1);
        Timestamp::from_millis(*last)
    }

    /// Answers the time by one of the machines' clocks.
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
