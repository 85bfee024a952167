//! Histories of one room: all that a media server tells of it, in the order in which it happened.

use room_registry::event::{CallbackEvent, RoomClosed, RoomCreated};
use room_registry::{
    Callback, RoomId, SessionId, StreamId, StreamSessionId, Text, Timestamp, UserId, UserSessionId,
};

use super::rng::Rng;
use super::room::{Login, MediaRoom};

/// What a valid history is like.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How many callbacks, at least; the last steps may add a few.
    pub callbacks: usize,
    /// How far apart the clocks of the room, user and stream servers are, at most.
    pub skew: u64,
    /// How often, in percent, a logout comes without its login time.
    pub without_login_time: u64,
    /// How often, in percent, the next thing that happens is that the room closes.
    pub closings: u64,
    /// The longest time between two things that happen.
    pub max_gap: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { callbacks: 30, skew: 0, without_login_time: 0, closings: 8, max_gap: 2_000 }
    }
}

/// What happens in the room, and what is told of it.
#[derive(Debug)]
struct Story {
    rng: Rng,
    options: Options,
    now: u64,
    /// What the clocks of the room, user and stream servers are ahead.
    clocks: [u64; 3],
    room: MediaRoom,
    sessions: u64,
    ids: u64,
    told: Vec<Callback>,
}

/// Makes a valid history of one room, in the order in which it happened.
pub fn valid_history(seed: u64, options: Options) -> Vec<Callback> {
    let mut rng = Rng::new(seed);
    let clocks = [(); 3].map(|()| rng.below(options.skew + 1));
    let mut story = Story {
        now: 1_763_596_800_000 + rng.below(1_000),
        rng,
        options,
        clocks,
        room: MediaRoom::new(room_id()),
        sessions: 0,
        ids: 0,
        told: Vec::new(),
    };
    while story.told.len() < options.callbacks {
        story.step();
    }
    story.told
}

impl Story {
    fn step(&mut self) {
        // Things often happen within one millisecond.
        if !self.rng.chance(15) {
            self.now += 1 + self.rng.below(self.options.max_gap);
        }
        if !self.room.is_open() {
            return self.open();
        }
        if self.rng.chance(self.options.closings) {
            return self.close();
        }
        match self.rng.below(92) {
            0..30 => self.login(),
            30..50 => self.logout_somebody(),
            50..75 => self.publish(),
            _ => self.unpublish_something(),
        }
    }

    fn open(&mut self) {
        // Session ids mostly rise, as the vendor's do, but need not.
        self.sessions += 1;
        let id = if self.rng.chance(80) { self.sessions * 10 } else { 10_000 - self.sessions };
        let session_id = SessionId::new(id.to_string()).expect("a valid id");
        let created = RoomCreated::new(self.stamp(0)).creator_id(user(self.rng.below(3)));
        self.told.push(self.room.open(session_id, created));
    }

    fn login(&mut self) {
        let user_id = user(self.rng.below(3));
        // A login elsewhere ends the one before, and either may be told first.
        let mut replaced = self.room.take_login(&user_id);
        let after = self.rng.chance(50);
        if let Some(login) = replaced.take_if(|_| !after) {
            self.tell_logout(&user_id, login);
        }
        self.ids += 1;
        let id = if self.rng.chance(80) { self.ids } else { 9_000 - self.ids };
        let session = UserSessionId::new(id.to_string()).expect("a valid id");
        let mut login = self.room.log_in(user_id.clone(), session, self.stamp(1));
        login.details.user_name = Some(Text::from(user_id.as_str()));
        login.room_name = Some(Text::from("the room"));
        self.tell(login);
        if let Some(login) = replaced {
            self.tell_logout(&user_id, login);
        }
    }

    fn logout_somebody(&mut self) {
        let which = usize::try_from(self.rng.below(3)).expect("an index");
        let user_id = self.room.logins().nth(which).map(|(id, _)| id.clone());
        if let Some(user_id) = user_id {
            self.log_out(&user_id);
        }
    }

    fn log_out(&mut self, user_id: &UserId) {
        if let Some(login) = self.room.take_login(user_id) {
            self.tell_logout(user_id, login);
        }
    }

    fn tell_logout(&mut self, user_id: &UserId, login: Login) {
        let mut logout = self.room.tell_logout(user_id, login, self.stamp(1));
        if self.rng.chance(self.options.without_login_time) {
            logout.login_at = None;
        }
        self.tell(logout);
    }

    fn publish(&mut self) {
        let Some(publisher) = self.room.logins().next().map(|(id, _)| id.clone()) else { return };
        let which = self.rng.below(2);
        let stream_id = StreamId::new(format!("stream{which}")).expect("a valid id");
        self.ids += u64::from(self.room.stream(&stream_id).is_none());
        let new = StreamSessionId::new(format!("s-{}", self.ids)).expect("a valid id");
        let created = self.room.publish(stream_id, publisher, new, self.stamp(2));
        self.tell(created);
    }

    fn unpublish_something(&mut self) {
        let which = usize::try_from(self.rng.below(2)).expect("an index");
        let stream_id = self.room.streams().nth(which).map(|(id, _)| id.clone());
        if let Some(stream_id) = stream_id {
            self.unpublish(&stream_id);
        }
    }

    fn unpublish(&mut self, stream_id: &StreamId) {
        let closed = self.room.unpublish(stream_id, self.stamp(2));
        self.tell(closed);
    }

    /// Everything in the room ends with it, told or (now and then) not.
    fn close(&mut self) {
        if self.rng.chance(80) {
            for stream_id in self.room.streams().map(|(id, _)| id.clone()).collect::<Vec<_>>() {
                self.unpublish(&stream_id);
            }
            for user_id in self.room.logins().map(|(id, _)| id.clone()).collect::<Vec<_>>() {
                self.log_out(&user_id);
            }
        }
        let closed = RoomClosed::new(self.stamp(0));
        self.told.push(self.room.close(closed));
    }

    /// The time by one of the servers' clocks.
    fn stamp(&self, server: usize) -> Timestamp {
        Timestamp::from_millis(self.now + self.clocks[server])
    }

    fn tell(&mut self, event: impl Into<CallbackEvent>) {
        self.told.push(self.room.tell(event));
    }
}

/// Names the one room that histories are about.
pub fn room_id() -> RoomId {
    RoomId::new("room").expect("a valid id")
}

pub(crate) fn user(which: u64) -> UserId {
    UserId::new(format!("user{which}")).expect("a valid id")
}

/// Makes of a history what may arrive of it: shuffled, and with this share repeated, in percent.
pub fn as_it_arrives(history: &[Callback], seed: u64, duplicates: u64) -> Vec<Callback> {
    let mut rng = Rng::new(seed);
    let mut arrived = history.to_vec();
    arrived.extend(history.iter().filter(|_| rng.chance(duplicates)).cloned());
    rng.shuffle(&mut arrived);
    arrived
}

/// Answers every order of so many items.
pub fn permutations(len: usize) -> Vec<Vec<usize>> {
    if len == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(len - 1);
    shorter
        .iter()
        .flat_map(|order| {
            (0..len).map(move |place| {
                let mut order = order.clone();
                order.insert(place, len - 1);
                order
            })
        })
        .collect()
}
