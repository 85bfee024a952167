//! What really happens: rooms that come and go, at the app and at the media server.
//!
//! What is told is a valid history. A room opens with its host, and a new session. Users join, log in,
//! publish, move to another device, and leave, or vanish without a word. Its host ends it, and some time
//! later it opens again. Some rooms are known to the media server only. Counters run by session, and two
//! machines stamp the callbacks.

mod scene;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use room_registry::{Callback, RoomId};
use room_registry_world::room::MediaRoom;

use self::scene::Scene;
use super::DemoSettings;

/// How long between two things that happen in a room, on average, in milliseconds of the evening.
const HAPPENS_EVERY: f64 = 4_000.0;
/// How often a client beats, in milliseconds of the evening.
const BEATS_EVERY: u64 = 30_000;
/// More than so much on the way, and nothing happens until some of it arrived.
const MOST_UNDER_WAY: usize = 5_000;
const MOST_UNDER_WAY_IN_A_ROOM: usize = 64;
/// How long after its timeout a membership may still be shown.
const SWEPT_WITHIN: Duration = Duration::from_secs(10);

const HEARTBEAT: &str = "heartbeat";

/// The vendor's numbers of roles.
const HOST: u64 = 1;
const AUDIENCE: u64 = 2;

const ROOM_NAMES: [&str; 12] = [
    "Late night talk",
    "Karaoke & friends",
    "Sunday quiz",
    "Study together",
    "Chess for beginners",
    "Open mic",
    "Cooking with Ann",
    "Night owls",
    "Language exchange",
    "Guitar lessons",
    "Film club",
    "Morning in Tokyo",
];

/// What a thing on its way is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Subject {
    /// The room as a whole, and so everything in it.
    Room,
    User(String),
    Stream(String),
}

/// Something that the service is to hear of.
#[derive(Debug)]
pub(super) enum Happening {
    Command(ToldCommand),
    Callback(Box<ToldCallback>),
}

/// What a client of the app asks for.
#[derive(Debug)]
pub(super) struct ToldCommand {
    pub(super) room: usize,
    pub(super) subject: Subject,
    pub(super) name: &'static str,
    pub(super) parameters: Vec<(&'static str, String)>,
}

impl ToldCommand {
    pub(super) fn is_heartbeat(&self) -> bool {
        self.name == HEARTBEAT
    }
}

/// What the media server tells.
#[derive(Debug)]
pub(super) struct ToldCallback {
    pub(super) room: usize,
    pub(super) subject: Subject,
    pub(super) callback: Callback,
}

/// What is true of a room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Truth {
    pub(super) listed: bool,
    pub(super) open: bool,
    pub(super) users: BTreeSet<String>,
    /// They vanished: each may be shown until his heartbeat times out.
    pub(super) fading: BTreeSet<String>,
    pub(super) streams: BTreeSet<String>,
    /// What the service has yet to hear of.
    pub(super) under_way: BTreeSet<Subject>,
}

/// How much there is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) rooms: usize,
    pub(super) users: usize,
    pub(super) streams: usize,
}

#[derive(Debug)]
pub(super) struct World {
    rng: StdRng,
    rooms: Vec<Room>,
    /// By room and subject, how much is on its way.
    under_way: Vec<HashMap<Subject, usize>>,
    under_way_count: usize,
    next_session: u64,
    heartbeat_timeout: Duration,
    /// The shortest pause between two sessions of a room, in milliseconds of the evening. Sessions that are
    /// milliseconds apart in real time are nobody's evening.
    shortest_pause: u64,
    is_calm: bool,
}

#[derive(Debug)]
struct Room {
    media: MediaRoom,
    name: &'static str,
    /// Whether the app creates it; else only the media server knows it.
    is_created: bool,
    /// When the next thing happens, in the evening's time.
    next_at: u64,
    /// Whether it was created and not ended.
    is_listed: bool,
    host: String,
    crowd: usize,
    /// Of each who joined when he beats next, in the evening's time.
    members: BTreeMap<String, u64>,
    /// Of each who vanished until when he may be shown, in real time.
    fading: BTreeMap<String, u64>,
    /// Who vanished, and when the media server notices, in the evening's time.
    dropping: Vec<(u64, String)>,
}

impl World {
    pub(super) fn new(settings: &DemoSettings) -> Self {
        let mut rng = StdRng::seed_from_u64(settings.seed);
        // Another evening at the same service is in other rooms.
        let run = super::unix_millis() / 1_000 % 100_000;
        let rooms: Vec<Room> = (0..settings.rooms as usize)
            .map(|index| Room {
                media: MediaRoom::new(
                    RoomId::new(format!("ev{run:05}-{index:03}")).expect("letters and digits"),
                ),
                name: ROOM_NAMES[index % ROOM_NAMES.len()],
                is_created: index % 4 != 3,
                next_at: rng.random_range(0..20_000),
                is_listed: false,
                host: String::new(),
                crowd: 0,
                members: BTreeMap::new(),
                fading: BTreeMap::new(),
                dropping: Vec::new(),
            })
            .collect();
        Self {
            rng,
            under_way: rooms.iter().map(|_| HashMap::new()).collect(),
            rooms,
            under_way_count: 0,
            next_session: super::unix_millis() * 1_000_000,
            heartbeat_timeout: Duration::from_secs(settings.heartbeat_timeout),
            shortest_pause: 500 * u64::from(settings.speed),
            is_calm: false,
        }
    }

    /// Goes on until now; `now` is the evening's time, `real` the real one.
    pub(super) fn advance(&mut self, now: u64, real: u64) -> Vec<Happening> {
        let mut happenings = Vec::new();
        for index in 0..self.rooms.len() {
            let mut scene = Scene::new(self, index, now, real, &mut happenings);
            scene.beat();
            scene.drop_who_vanished();
            if self.may_go_on(index, now) {
                Scene::new(self, index, now, real, &mut happenings).step();
            }
        }
        happenings
    }

    /// From now on nothing new happens; clients beat on.
    pub(super) fn calm_down(&mut self) {
        self.is_calm = true;
    }

    pub(super) fn is_calm(&self) -> bool {
        self.is_calm
    }

    /// Everything ends.
    pub(super) fn end_all(&mut self, real: u64) -> Vec<Happening> {
        self.is_calm = true;
        let mut happenings = Vec::new();
        for index in 0..self.rooms.len() {
            let mut scene = Scene::new(self, index, 0, real, &mut happenings);
            if scene.is_running() {
                scene.end();
            }
        }
        happenings
    }

    pub(super) fn room_count(&self) -> usize {
        self.rooms.len()
    }

    pub(super) fn room_id(&self, room: usize) -> &str {
        self.rooms[room].media.id().as_str()
    }

    pub(super) fn counts(&self) -> Counts {
        self.rooms.iter().fold(Counts::default(), |counts, room| {
            let truth = room.truth();
            Counts {
                rooms: counts.rooms + usize::from(truth.listed),
                users: counts.users + truth.users.len(),
                streams: counts.streams + truth.streams.len(),
            }
        })
    }

    pub(super) fn truth(&self, room: usize, real: u64) -> Truth {
        let mut truth = self.rooms[room].truth();
        let fading = self.rooms[room].fading.iter().filter(|(_, until)| **until > real);
        truth.fading = fading.map(|(user, _)| user.clone()).collect();
        truth.under_way = self.under_way[room].keys().cloned().collect();
        truth
    }

    /// Who is logged in to a room: id and role, in the order of their logins.
    pub(super) fn logins(&self, room_id: &str) -> Vec<(String, u64)> {
        let Some(room) = self.room(room_id) else { return Vec::new() };
        let mut logins: Vec<_> =
            room.media.logins().map(|(id, login)| (login.at, id.to_string())).collect();
        logins.sort();
        let role = |user: &str| if user == room.host { HOST } else { AUDIENCE };
        logins.into_iter().map(|(_, user)| (user.clone(), role(&user))).collect()
    }

    /// What is published in a room: id, publisher and time.
    pub(super) fn streams(&self, room_id: &str) -> Vec<(String, String, u64)> {
        let streams = self.room(room_id).into_iter().flat_map(|room| room.media.streams());
        streams
            .map(|(id, held)| (id.to_string(), held.publisher_id.to_string(), held.at.as_millis()))
            .collect()
    }

    /// Whether a client still means to be in a room.
    pub(super) fn is_member(&self, room: usize, user: &str) -> bool {
        self.rooms[room].members.contains_key(user)
    }

    /// Something arrived, or never will.
    pub(super) fn arrived(&mut self, room: usize, subject: &Subject) {
        if let Some(count) = self.under_way[room].get_mut(subject) {
            self.under_way_count -= 1;
            *count -= 1;
            if *count == 0 {
                self.under_way[room].remove(subject);
            }
        }
    }

    /// Something is sent.
    pub(super) fn sent(&mut self, room: usize, subject: &Subject) {
        *self.under_way[room].entry(subject.clone()).or_default() += 1;
        self.under_way_count += 1;
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.under_way_count > 0
    }

    fn may_go_on(&self, room: usize, now: u64) -> bool {
        !self.is_calm
            && self.rooms[room].next_at <= now
            && self.under_way_count < MOST_UNDER_WAY
            && self.under_way[room].len() < MOST_UNDER_WAY_IN_A_ROOM
    }

    fn room(&self, room_id: &str) -> Option<&Room> {
        self.rooms.iter().find(|room| *room.media.id() == room_id)
    }

    fn new_session(&mut self) -> u64 {
        self.next_session += self.rng.random_range(1..1_000);
        self.next_session
    }
}

impl Room {
    fn truth(&self) -> Truth {
        let mut users: BTreeSet<String> = self.members.keys().cloned().collect();
        users.extend(self.media.logins().map(|(id, _)| id.to_string()));
        let streams = self.media.streams().map(|(id, _)| id.to_string()).collect();
        let open = self.media.is_open();
        Truth { listed: self.is_listed || open, open, users, streams, ..Truth::default() }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use room_registry_world::zego::{Envelope, Style, encode};
    use serde_json::Value;

    use super::*;

    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        settings: DemoSettings,
    }

    fn evening(seed: &str) -> Vec<String> {
        let arguments = Arguments::parse_from(["demo", "--seed", seed, "--rooms", "6"]);
        let mut world = World::new(&arguments.settings);
        let mut told = Vec::new();
        for second in 0..600 {
            for happening in world.advance(second * 1_000, 1_000_000 + second * 250) {
                let (room, subject, name) = match &happening {
                    Happening::Command(it) => (it.room, &it.subject, it.name.to_owned()),
                    Happening::Callback(it) => (it.room, &it.subject, event(&it.callback)),
                };
                told.push(format!("{room} {subject:?} {name}"));
                world.arrived(room, subject);
            }
        }
        assert!(!world.is_under_way());
        told
    }

    fn event(callback: &Callback) -> String {
        let envelope = Envelope::unsigned(0, 0);
        let body = Value::from(encode(callback, &envelope, Style::Vendor));
        body["event"].as_str().expect("every callback has its event").to_owned()
    }

    #[test]
    fn the_same_seed_is_the_same_evening() {
        assert_eq!(evening("7"), evening("7"));
        assert_ne!(evening("7"), evening("8"));
    }

    #[test]
    fn an_evening_has_everything_that_can_happen() {
        let told = evening("7").join("\n");
        for what in [
            "create_room",
            "end_room",
            "join_room",
            "leave_room",
            "heartbeat",
            "update_room",
            "room_create",
            "room_close",
            "room_login",
            "room_logout",
            "stream_create",
            "stream_close",
        ] {
            assert!(told.contains(what), "no {what}");
        }
    }
}
