//! Histories of one room: valid ones, made by a media server in small, and junk.

use std::collections::BTreeMap;

use proptest::prelude::*;
use room_registry::{
    Callback, CallbackEvent, Role, RoomClosed, RoomCreated, RoomId, SessionId, StreamClosed,
    StreamCreated, StreamId, StreamSessionId, Text, Timestamp, UserId, UserLoggedIn, UserLoggedOut,
    UserSessionId,
};

/// A small generator of numbers (splitmix64), the same on every machine.
#[derive(Debug, Clone)]
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    /// True `percent` times in a hundred.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, usize::try_from(self.below(end as u64 + 1)).expect("an index"));
        }
    }
}

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

/// A media server in small: it has one room, and writes down what it tells.
#[derive(Debug)]
struct Server {
    rng: Rng,
    options: Options,
    now: u64,
    /// What the clocks of the room, user and stream servers are ahead.
    clocks: [u64; 3],
    session: Option<SessionId>,
    sessions: u64,
    users: BTreeMap<UserId, (UserSessionId, u64)>,
    streams: BTreeMap<StreamId, (StreamSessionId, u64, UserId)>,
    ids: u64,
    user_counter: u64,
    stream_counter: u64,
    told: Vec<Callback>,
}

/// A valid history of one room, in the order in which it happened.
pub fn valid_history(seed: u64, options: Options) -> Vec<Callback> {
    let mut rng = Rng(seed);
    let clocks = [(); 3].map(|()| rng.below(options.skew + 1));
    let mut server = Server {
        now: 1_763_596_800_000 + rng.below(1_000),
        rng,
        options,
        clocks,
        session: None,
        sessions: 0,
        users: BTreeMap::new(),
        streams: BTreeMap::new(),
        ids: 0,
        user_counter: 0,
        stream_counter: 0,
        told: Vec::new(),
    };
    while server.told.len() < options.callbacks {
        server.step();
    }
    server.told
}

impl Server {
    fn step(&mut self) {
        // Things often happen within one millisecond.
        if !self.rng.chance(15) {
            self.now += 1 + self.rng.below(self.options.max_gap);
        }
        if self.session.is_none() {
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
        self.session = Some(SessionId::new(id.to_string()).expect("a valid id"));
        (self.user_counter, self.stream_counter) = (0, 0);
        let creator = user(self.rng.below(3));
        self.tell(RoomCreated::new(self.stamp(0)).creator_id(creator));
    }

    fn login(&mut self) {
        let user_id = user(self.rng.below(3));
        // A login elsewhere ends the one before, and either may be told first.
        let replaced = self.users.remove(&user_id);
        let after = self.rng.chance(50);
        if let (Some(login), false) = (&replaced, after) {
            self.tell_logout(&user_id, login.clone());
        }
        self.ids += 1;
        self.user_counter += 1;
        let id = if self.rng.chance(80) { self.ids } else { 9_000 - self.ids };
        let session = UserSessionId::new(id.to_string()).expect("a valid id");
        let at = self.stamp(1);
        let mut login = UserLoggedIn::new(user_id.clone(), session.clone(), at, self.user_counter);
        login.user_name = Some(Text::from(user_id.as_str()));
        login.room_name = Some(Text::from("the room"));
        self.tell(login);
        self.users.insert(user_id.clone(), (session, at.as_millis()));
        if let (Some(login), true) = (replaced, after) {
            self.tell_logout(&user_id, login);
        }
    }

    fn logout_somebody(&mut self) {
        let which = usize::try_from(self.rng.below(3)).expect("an index");
        if let Some(user_id) = self.users.keys().nth(which).cloned() {
            let login = self.users.remove(&user_id).expect("named just now");
            self.tell_logout(&user_id, login);
        }
    }

    fn tell_logout(&mut self, user_id: &UserId, (session, login_at): (UserSessionId, u64)) {
        self.user_counter += 1;
        let at = self.stamp(1);
        let mut logout = UserLoggedOut::new(user_id.clone(), session, at, self.user_counter);
        if !self.rng.chance(self.options.without_login_time) {
            logout = logout.login_at(Timestamp::from_millis(login_at));
        }
        self.tell(logout);
    }

    fn publish(&mut self) {
        let Some(publisher) = self.users.keys().next().cloned() else { return };
        let which = self.rng.below(2);
        let stream_id = StreamId::new(format!("stream{which}")).expect("a valid id");
        // Published again, it is the same life of the stream.
        let session = if let Some((session, ..)) = self.streams.get(&stream_id) {
            session.clone()
        } else {
            self.ids += 1;
            StreamSessionId::new(format!("s-{}", self.ids)).expect("a valid id")
        };
        self.stream_counter += 1;
        let at = self.stamp(2);
        let mut created =
            StreamCreated::new(stream_id.clone(), session.clone(), at, Some(self.stream_counter));
        created.details.publisher_id = Some(publisher.clone());
        self.tell(created);
        self.streams.insert(stream_id, (session, at.as_millis(), publisher));
    }

    fn unpublish_something(&mut self) {
        let which = usize::try_from(self.rng.below(2)).expect("an index");
        if let Some(stream_id) = self.streams.keys().nth(which).cloned() {
            self.unpublish(stream_id);
        }
    }

    fn unpublish(&mut self, stream_id: StreamId) {
        let (session, created_at, _) = self.streams.remove(&stream_id).expect("it is published");
        self.stream_counter += 1;
        let at = self.stamp(2);
        let closed = StreamClosed::new(stream_id, session, at, Some(self.stream_counter));
        self.tell(closed.created_at(Timestamp::from_millis(created_at)));
    }

    /// Everything in the room ends with it, told or (now and then) not.
    fn close(&mut self) {
        if self.rng.chance(80) {
            for stream_id in self.streams.keys().cloned().collect::<Vec<_>>() {
                self.unpublish(stream_id);
            }
            for (user_id, login) in std::mem::take(&mut self.users) {
                self.tell_logout(&user_id, login);
            }
        }
        self.users.clear();
        self.streams.clear();
        self.tell(RoomClosed::new(self.stamp(0)));
        self.session = None;
    }

    /// The time by one of the servers' clocks.
    fn stamp(&self, server: usize) -> Timestamp {
        Timestamp::from_millis(self.now + self.clocks[server])
    }

    fn tell(&mut self, event: impl Into<CallbackEvent>) {
        let session = self.session.clone().expect("a session runs");
        self.told.push(Callback::new(room_id(), session, event));
    }
}

/// The one room that histories are about.
pub fn room_id() -> RoomId {
    RoomId::new("room").expect("a valid id")
}

fn user(which: u64) -> UserId {
    UserId::new(format!("user{which}")).expect("a valid id")
}

/// The same history as it might arrive: shuffled, and with this share repeated, in percent.
pub fn as_it_arrives(history: &[Callback], seed: u64, duplicates: u64) -> Vec<Callback> {
    let mut rng = Rng(seed);
    let mut arrived = history.to_vec();
    arrived.extend(history.iter().filter(|_| rng.chance(duplicates)).cloned());
    rng.shuffle(&mut arrived);
    arrived
}

/// Every order of so many items.
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

/// Times that meet the bounds of the rules: ties, the skew, and their edges.
pub fn junk_time() -> impl Strategy<Value = u64> {
    let edges = [
        0_u64, 1, 50, 99, 100, 101, 150, 2_500, 4_900, 4_999, 5_000, 5_001, 5_099, 5_100, 5_101,
        10_000, 10_050, 10_101,
    ];
    prop_oneof![prop::sample::select(edges.to_vec()), 0..12_000_u64]
        .prop_map(|after| 1_000_000 + after)
}

/// A well-formed callback that fits no history.
pub fn junk_callback() -> impl Strategy<Value = Callback> {
    let session = prop::sample::select(vec!["7", "8", "10"]);
    let name = || prop::option::of(prop::sample::select(vec!["Ann", "Bob"]));
    let event = prop_oneof![
        2 => (junk_time(), prop::option::of(0..2_u64)).prop_map(|(at, creator)| {
            let created = RoomCreated::new(Timestamp::from_millis(at));
            let created = creator.map_or(created.clone(), |creator| created.creator_id(user(creator)));
            CallbackEvent::from(created)
        }),
        2 => junk_time().prop_map(|at| RoomClosed::new(Timestamp::from_millis(at)).into()),
        4 => (0..2_u64, 0..3_u64, junk_time(), 0..3_u64, name(), name(), name()).prop_map(
            |(who, session, at, counter, name, role, room_name)| {
                let session = UserSessionId::new(session.to_string()).expect("a valid id");
                let mut login = UserLoggedIn::new(user(who), session, Timestamp::from_millis(at), counter);
                login.user_name = name.map(Text::from);
                login.role = role.map(Role::new);
                login.room_name = room_name.map(Text::from);
                login.into()
            }
        ),
        4 => (0..2_u64, 0..3_u64, junk_time(), prop::option::of(junk_time())).prop_map(|(who, session, at, login_at)| {
            let session = UserSessionId::new(session.to_string()).expect("a valid id");
            let mut logout = UserLoggedOut::new(user(who), session, Timestamp::from_millis(at), 0);
            logout.login_at = login_at.map(Timestamp::from_millis);
            logout.into()
        }),
        4 => (0..2_u64, 0..3_u64, junk_time(), prop::option::of(0..4_u64), name()).prop_map(
            |(which, session, at, counter, title)| {
                let stream_id = StreamId::new(format!("stream{which}")).expect("a valid id");
                let session = StreamSessionId::new(format!("s-{session}")).expect("a valid id");
                let mut created = StreamCreated::new(stream_id, session, Timestamp::from_millis(at), counter);
                created.details.title = title.map(Text::from);
                created.into()
            }
        ),
        4 => (0..2_u64, 0..3_u64, junk_time(), prop::option::of(0..4_u64), prop::option::of(junk_time())).prop_map(
            |(which, session, at, counter, created_at)| {
                let stream_id = StreamId::new(format!("stream{which}")).expect("a valid id");
                let session = StreamSessionId::new(format!("s-{session}")).expect("a valid id");
                let mut closed = StreamClosed::new(stream_id, session, Timestamp::from_millis(at), counter);
                closed.created_at = created_at.map(Timestamp::from_millis);
                closed.into()
            }
        ),
    ];
    (session, event).prop_map(|(session, event)| {
        Callback::new(room_id(), SessionId::new(session).expect("a valid id"), event)
    })
}
