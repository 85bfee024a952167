//! Makes histories of one room: all that a media server tells of it, in the order in which it happened.

use std::collections::BTreeMap;
use std::time::Duration;

use room_registry::event::{CallbackEvent, RoomClosed, RoomCreated};
use room_registry::{
    Callback, RoomId, SessionId, StreamId, StreamSessionId, Text, Timestamp, UserId, UserSessionId,
};

use super::rng::Rng;
use super::room::{Login, MediaRoom, Stays};
use super::server::Sessions;
use super::vendor::Vendor;

/// The default tie window. The clocks of a valid history differ by no more than half of it.
const TIE_WINDOW: Duration = Duration::from_millis(100);

/// What a valid history is like.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How many callbacks, at least; the last steps may add a few.
    pub callbacks: usize,
    /// How far apart the clocks of the room, user and stream servers are, at most.
    pub skew: u64,
    /// How often, in percent, a logout comes without its login time. A stream that no counter orders closes as
    /// often without its creation time.
    pub without_login_time: u64,
    /// How often, in percent, the next thing that happens is that the room closes.
    pub closings: u64,
    /// How often, in percent, a room closes and nothing tells of those who were still in it. If no reader could
    /// know of them otherwise, it is told all the same.
    pub untold_ends: u64,
    /// The longest time between two things that happen.
    pub max_gap: u64,
    /// In which forms the media server tells of it.
    pub vendor: Vendor,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            callbacks: 30,
            skew: 0,
            without_login_time: 0,
            closings: 8,
            untold_ends: 20,
            max_gap: 2_000,
            vendor: Vendor::default(),
        }
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
    /// The last stamp of each user and stream whose stays are ordered by time.
    stamps: BTreeMap<String, u64>,
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
        room: options.vendor.room(room_id()),
        stamps: BTreeMap::new(),
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
        let told = self.room.open(session_id, created);
        self.push(told);
    }

    fn login(&mut self) {
        let stays = self.options.vendor.users;
        let user_id = user(self.rng.below(3));
        if stays == Stays::Shared && self.rng.chance(50) {
            return self.log_in(&user_id); // by another device
        }
        // A login elsewhere ends the one before, and either may be told first, unless the last that is told
        // counts. Of ordered users, "in, in, out" has two truths. See the end of the rules.
        let mut replaced = self.take_login(&user_id);
        let after = self.rng.chance(50) && !stays.is_ordered();
        if let Some(login) = replaced.take_if(|_| !after) {
            self.tell_logout(&user_id, login);
        }
        self.log_in(&user_id);
        if let Some(login) = replaced {
            self.tell_logout(&user_id, login);
        }
    }

    fn log_in(&mut self, user_id: &UserId) {
        self.ids += 1;
        let id = if self.rng.chance(80) { self.ids } else { 9_000 - self.ids };
        let session = UserSessionId::new(id.to_string()).expect("a valid id");
        let at = self.stamp_of(1, user_id.as_str());
        let mut login = self.room.log_in(user_id.clone(), session, at);
        login.details.user_name = Some(Text::from(user_id.as_str()));
        login.room_name = Some(Text::from("the room"));
        self.tell(login);
    }

    fn logout_somebody(&mut self) {
        let which = usize::try_from(self.rng.below(3)).expect("an index");
        let user_id = self.room.logins().nth(which).map(|(id, _)| id.clone());
        if let Some(user_id) = user_id {
            self.log_out(&user_id);
        }
    }

    /// Lets a user go by any of the devices.
    fn log_out(&mut self, user_id: &UserId) {
        if let Some(login) = self.take_login(user_id) {
            self.tell_logout(user_id, login);
        }
    }

    fn take_login(&mut self, user_id: &UserId) -> Option<Login> {
        let count = self.room.login_count(user_id);
        (count > 0).then(|| {
            let which = self.any_of(count);
            self.room.take_one_login(user_id, which)
        })
    }

    fn tell_logout(&mut self, user_id: &UserId, login: Login) {
        let at = self.stamp_of(1, user_id.as_str());
        let mut logout = self.room.tell_logout(user_id, login, at);
        if self.rng.chance(self.options.without_login_time) {
            logout.login_at = None;
        }
        self.tell(logout);
    }

    fn publish(&mut self) {
        let Some(publisher) = self.room.logins().next().map(|(id, _)| id.clone()) else { return };
        let which = self.rng.below(2);
        let stream_id = StreamId::new(format!("stream{which}")).expect("a valid id");
        let is_shared = self.options.vendor.streams == Stays::Shared;
        self.ids += u64::from(is_shared || self.room.stream(&stream_id).is_none());
        let new = StreamSessionId::new(format!("s-{}", self.ids)).expect("a valid id");
        let at = self.stamp_of(2, stream_id.as_str());
        let created = self.room.publish(stream_id, publisher, new, at);
        self.tell(created);
    }

    fn unpublish_something(&mut self) {
        let which = usize::try_from(self.rng.below(2)).expect("an index");
        let stream_id = self.room.streams().nth(which).map(|(id, _)| id.clone());
        if let Some(stream_id) = stream_id {
            self.unpublish(&stream_id);
        }
    }

    /// Ends any publication of a stream.
    fn unpublish(&mut self, stream_id: &StreamId) {
        let which = self.any_of(self.room.stream_count(stream_id));
        let at = self.stamp_of(2, stream_id.as_str());
        let mut closed = self.room.unpublish_one(stream_id, which, at);
        let may_forget = self.options.vendor.streams != Stays::Counted;
        if may_forget && self.rng.chance(self.options.without_login_time) {
            closed.created_at = None;
        }
        self.tell(closed);
    }

    /// Closes the room. Everything in it ends, too, told or (now and then) not.
    fn close(&mut self) {
        let closed = RoomClosed::new(self.stamp(0));
        if self.rng.chance(100 - self.options.untold_ends) || self.has_to_tell_all(closed.closed_at)
        {
            for stream_id in self.room.streams().map(|(id, _)| id.clone()).collect::<Vec<_>>() {
                while self.room.stream_count(&stream_id) > 0 {
                    self.unpublish(&stream_id);
                }
            }
            for user_id in self.room.logins().map(|(id, _)| id.clone()).collect::<Vec<_>>() {
                while self.room.login_count(&user_id) > 0 {
                    self.log_out(&user_id);
                }
            }
        }
        let told = self.room.close(closed);
        self.push(told);
    }

    /// Answers whether the end of everything in the room has to be told. By law 21.3 a close without a
    /// session says that nobody and nothing was there a tie window before it. What opened since shows until
    /// a closing of its own arrives. If no close is told, only closings tell of it.
    fn has_to_tell_all(&self, closed_at: Timestamp) -> bool {
        let Sessions::Nameless { closes, .. } = self.options.vendor.sessions else { return false };
        let logins = self.room.logins().map(|(_, login)| login.at);
        let latest = logins.chain(self.room.streams().map(|(_, stream)| stream.at)).max();
        !closes || latest.is_some_and(|at| at + TIE_WINDOW >= closed_at)
    }

    /// Picks one of so many. Without a choice, it makes none, so that the first vendor's histories stay the
    /// same.
    fn any_of(&mut self, count: usize) -> usize {
        if count < 2 {
            return 0;
        }
        usize::try_from(self.rng.below(count as u64)).expect("an index")
    }

    /// Answers the time by one of the servers' clocks.
    fn stamp(&self, server: usize) -> Timestamp {
        Timestamp::from_millis(self.now + self.clocks[server])
    }

    /// Answers the time at which something happens to a user or stream. If time alone orders that, one
    /// thing is at least 1 ms after the other. Law 3.9: at equal orders the closing is higher.
    fn stamp_of(&mut self, server: usize, id: &str) -> Timestamp {
        let vendor = self.options.vendor;
        let stays = if server == 1 { vendor.users } else { vendor.streams };
        let at = self.stamp(server);
        if stays != Stays::Timed {
            return at;
        }
        let last = self.stamps.entry(id.to_owned()).or_default();
        *last = at.as_millis().max(*last + 1);
        Timestamp::from_millis(*last)
    }

    fn tell(&mut self, event: impl Into<CallbackEvent>) {
        self.push(self.room.tell(event));
    }

    fn push(&mut self, callback: Callback) {
        if self.options.vendor.sessions.tells(&callback) {
            self.told.push(callback);
        }
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

/// Makes of a history what is delivered of it, and when: each with a delay of up to `longest`, now and then
/// repeated. It is in the order of arrival.
pub fn delivered(history: &[Callback], seed: u64, longest: u64) -> Vec<(Timestamp, Callback)> {
    let mut rng = Rng::new(seed);
    let mut deliveries = Vec::new();
    for callback in history {
        for _ in 0..=u64::from(rng.chance(20)) {
            let delay = if rng.chance(70) { rng.below(1_000) } else { rng.below(longest) };
            let at = callback.latest_time().as_millis() + delay;
            deliveries.push((Timestamp::from_millis(at), callback.clone()));
        }
    }
    deliveries.sort_by_key(|(at, _)| *at);
    deliveries
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
