//! Who is where: rooms, users and the callbacks about them, the same in every run.

use std::ops::Range;

use compact_str::{CompactString, format_compact};
use room_registry::event::{
    CallbackEvent, RoomClosed, RoomCreated, StreamClosed, StreamCreated, UserLoggedIn,
    UserLoggedOut,
};
use room_registry::{
    Callback, RoomId, SessionId, StreamId, StreamSessionId, Text, Timestamp, UserId, UserSessionId,
};

/// When everything begins, in event time and local time.
pub const START: u64 = 1_700_000_000_000;

/// How many users are in how many rooms.
#[derive(Debug, Clone, Copy)]
pub struct World {
    pub name: &'static str,
    pub rooms: usize,
    pub users_a_room: usize,
    /// Users of one room more, which comes last.
    pub large: usize,
}

/// 1,000 rooms of 20 users.
pub const SMALL: World = World { name: "small", rooms: 1_000, users_a_room: 20, large: 0 };
/// A million users.
pub const MEDIUM: World = World { name: "medium", rooms: 50_000, users_a_room: 20, large: 0 };
/// One room of 200,000 users beside 20,000 of 20.
pub const SKEWED: World = World { name: "skewed", rooms: 20_000, users_a_room: 20, large: 200_000 };

/// One user in one room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub room: usize,
    pub user: usize,
}

/// The ids of a place, owned, as a server has them when a request arrives.
#[derive(Debug, Clone)]
pub struct Ids {
    pub room_id: CompactString,
    pub user_id: CompactString,
}

impl World {
    /// A world of so many users, 20 a room.
    pub const fn of(users: usize) -> Self {
        Self { name: "", rooms: users / 20, users_a_room: 20, large: 0 }
    }

    pub const fn users(self) -> usize {
        self.rooms * self.users_a_room + self.large
    }

    pub const fn room_count(self) -> usize {
        self.rooms + if self.large > 0 { 1 } else { 0 }
    }

    /// Everybody, room by room.
    pub fn places(self) -> impl Iterator<Item = Place> {
        (0..self.users()).map(move |user| Place { room: self.room_of(user), user })
    }

    pub const fn room_of(self, user: usize) -> usize {
        let room = user / self.users_a_room;
        if room < self.rooms { room } else { self.rooms }
    }

    /// Whoever is in a room.
    pub fn users_of(self, room: usize) -> Range<usize> {
        let from = room * self.users_a_room;
        from..from + if room < self.rooms { self.users_a_room } else { self.large }
    }

    /// The first user of each room, but for the large one, in an order that no cache foresees.
    pub fn shuffled_rooms(self, seed: u64) -> Vec<Place> {
        let place = |room| Place { room, user: room * self.users_a_room };
        let mut places: Vec<_> = (0..self.rooms).map(place).collect();
        Rng::new(seed).shuffle(&mut places);
        places
    }

    /// Everybody, in an order that no cache foresees.
    pub fn shuffled(self, seed: u64) -> Vec<Place> {
        let mut places: Vec<_> = self.places().collect();
        Rng::new(seed).shuffle(&mut places);
        places
    }
}

impl Place {
    pub fn ids(self) -> Ids {
        Ids { room_id: room_id(self.room), user_id: user_id(self.user) }
    }
}

pub fn room_id(room: usize) -> CompactString {
    format_compact!("room_{room:07}")
}

pub fn user_id(user: usize) -> CompactString {
    format_compact!("user_{user:08}")
}

/// A name of twelve bytes.
pub fn user_name(user: usize) -> CompactString {
    format_compact!("name{user:08}")
}

/// Their time, so many milliseconds after the start.
pub fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(START + millis)
}

/// The callbacks of a world. A room has one session at a time, a user a session for each login. The
/// counters of a room count its logins and logouts, as the vendor's do.
#[derive(Debug)]
pub struct Callbacks {
    /// The counter of each room.
    counters: Vec<u64>,
}

impl Callbacks {
    pub fn new(world: World) -> Self {
        Self { counters: vec![0; world.room_count()] }
    }

    pub fn created(room: usize, session: u64, at: Timestamp) -> Callback {
        callback(room, session, RoomCreated::new(at))
    }

    pub fn closed(room: usize, session: u64, at: Timestamp) -> Callback {
        callback(room, session, RoomClosed::new(at))
    }

    pub fn logged_in(&mut self, place: Place, session: u64, login: u64, at: Timestamp) -> Callback {
        let counter = self.count(place.room);
        let user_id = UserId::new(user_id(place.user)).expect("a valid id");
        let mut event = UserLoggedIn::new(user_id, at)
            .user_session_id(user_session(place, login))
            .counter(counter);
        event.details.user_name = Some(Text::from(user_name(place.user).as_str()));
        callback(place.room, session, event)
    }

    pub fn logged_out(
        &mut self,
        place: Place,
        session: u64,
        login: (u64, Timestamp),
        at: Timestamp,
    ) -> Callback {
        let counter = self.count(place.room);
        let user_id = UserId::new(user_id(place.user)).expect("a valid id");
        let event = UserLoggedOut::new(user_id, at)
            .user_session_id(user_session(place, login.0))
            .counter(counter);
        callback(place.room, session, event.login_at(login.1))
    }

    /// A room has one stream, whose lives and changes are counted by whoever asks.
    pub fn published(room: usize, session: u64, life: u64, at: Timestamp) -> Callback {
        let (stream_id, life_id) = stream_ids(room, life);
        let mut event = StreamCreated::new(stream_id, at)
            .stream_session_id(life_id)
            .order(2 * life - 1)
            .counter(2 * life - 1);
        event.details.title = Some(Text::from("The evening"));
        callback(room, session, event)
    }

    pub fn unpublished(
        room: usize,
        session: u64,
        life: (u64, Timestamp),
        at: Timestamp,
    ) -> Callback {
        let (stream_id, life_id) = stream_ids(room, life.0);
        let event = StreamClosed::new(stream_id, at)
            .stream_session_id(life_id)
            .order(2 * life.0)
            .counter(2 * life.0);
        callback(room, session, event.created_at(life.1))
    }

    fn count(&mut self, room: usize) -> u64 {
        self.counters[room] += 1;
        self.counters[room]
    }
}

fn callback(room: usize, session: u64, event: impl Into<CallbackEvent>) -> Callback {
    let room_id = RoomId::new(room_id(room)).expect("a valid id");
    Callback::new(room_id, session_id(room, session), event)
}

/// Eighteen digits, as the vendor's are.
pub fn session_id(room: usize, session: u64) -> SessionId {
    SessionId::new(format_compact!("7{room:010}{session:07}")).expect("a valid id")
}

pub fn stream_ids(room: usize, life: u64) -> (StreamId, StreamSessionId) {
    let stream_id = StreamId::new(format_compact!("camera_{room:07}")).expect("a valid id");
    let life_id = format_compact!("9{room:010}{life:07}");
    (stream_id, StreamSessionId::new(life_id).expect("a valid id"))
}

/// Eighteen digits, as the vendor's are.
pub fn user_session(place: Place, login: u64) -> UserSessionId {
    let id = format_compact!("8{:010}{login:07}", place.user);
    UserSessionId::new(id).expect("a valid id")
}

/// Xorshift with a multiplication: enough to shuffle, and the same everywhere.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 32).unwrap_or(0) % limit.max(1)
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for index in (1..items.len()).rev() {
            items.swap(index, self.below(index + 1));
        }
    }
}
