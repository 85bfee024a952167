//! Plays a story: the app's clients, its timer, and the network on which callbacks travel.

use std::fmt::Display;

use room_registry::RoomId;
use room_registry_world::network::RETRIES;
use room_registry_world::rng::Rng;
use room_registry_world::room::MediaRoom;
use room_registry_world::wire::Body;
use room_registry_world::zego::{Envelope, Style, begin};

/// 2025-11-20, 19:00 UTC, in unix milliseconds.
const START: u64 = 1_763_665_200_000;

/// The evening so far.
pub(crate) struct Stage {
    pub(super) rng: Rng,
    /// By the time of receipt.
    lines: Vec<(u64, String)>,
    next_id: u64,
}

impl Stage {
    pub(crate) fn new(seed: u64) -> Self {
        Self { rng: Rng::new(seed), lines: Vec::new(), next_id: 858_012_925_204_410_401 }
    }

    /// Begins a scene: what happens in one room, `minutes` into the evening.
    pub(crate) fn room<'a>(
        &'a mut self,
        room_id: &'a str,
        name: &'a str,
        minutes: u64,
    ) -> Scene<'a> {
        let now = START + minutes * 60_000 + self.between(0, 20_000);
        let media = MediaRoom::new(RoomId::new(room_id).expect("the story has valid ids"));
        Scene { stage: self, room_id, name, now, media }
    }

    /// The app's own timer.
    pub(crate) fn expire_every_minute(&mut self, minutes: u64) {
        for minute in 1..=minutes {
            self.receive(START + minute * 60_000, "expire", &Body::default());
        }
    }

    /// Something of the vendor's that is not about rooms, users or streams.
    pub(crate) fn other_event(&mut self, minutes: u64, event: &str) {
        let at = START + minutes * 60_000;
        let envelope = Envelope::unsigned(at / 1_000, self.nonce());
        let body = begin(event, &envelope, Style::Numbers).with("result", "pass");
        self.receive(at + 80, "callback", &body);
    }

    /// All lines in the order of their receipt.
    pub(crate) fn into_journal(mut self) -> String {
        self.lines.sort_by_key(|(at, _)| *at); // stable: equal times stay as they were told
        self.lines.into_iter().map(|(_, line)| line + "\n").collect()
    }

    fn receive(&mut self, at: u64, kind: &str, what: &impl Display) {
        self.lines.push((at, format!("{{\"at\":{at},\"{kind}\":{what}}}")));
    }

    /// Sends a callback through a network that loses requests and answers. In the end it arrives.
    pub(super) fn deliver(&mut self, sent_at: u64, body: &Body) {
        let mut sent_at = sent_at;
        for retry_after in RETRIES {
            let travel =
                if self.rng.chance(20) { self.between(500, 3_000) } else { self.between(15, 250) };
            let request_lost = self.rng.chance(22);
            let answer_lost = self.rng.chance(15);
            if !request_lost {
                self.receive(sent_at + travel, "callback", body);
                if !answer_lost {
                    return;
                }
            }
            sent_at += retry_after;
        }
        self.receive(sent_at + 40, "callback", body);
    }

    /// A number from `low` up to and without `high`.
    fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.rng.below(high - low)
    }

    pub(super) fn nonce(&mut self) -> u64 {
        self.between(100_000, 999_999)
    }

    pub(super) fn id(&mut self) -> u64 {
        self.next_id += self.between(1_000_000, 900_000_000);
        self.next_id
    }
}

/// One room's part of the evening, with a time of its own.
pub(crate) struct Scene<'a> {
    pub(super) stage: &'a mut Stage,
    pub(super) room_id: &'a str,
    pub(super) name: &'a str,
    pub(super) now: u64,
    pub(super) media: MediaRoom,
}

/// What the app's clients ask for.
impl Scene<'_> {
    pub(crate) fn wait(&mut self, seconds: u64) -> &mut Self {
        self.now += seconds * 1_000 + self.stage.between(0, 900);
        self
    }

    /// Waits until so long after the evening began.
    pub(crate) fn wait_until(&mut self, minutes: u64, seconds: u64) -> &mut Self {
        self.now = START + (minutes * 60 + seconds) * 1_000;
        self
    }

    pub(crate) fn create(&mut self, host: &str, lifecycle: &str) -> &mut Self {
        let room = Body::default()
            .with("room_id", self.room_id)
            .with("room_name", self.name)
            .with("host_id", host)
            .with("lifecycle", lifecycle);
        self.command("create_room", &room)
    }

    pub(crate) fn end(&mut self) -> &mut Self {
        let room = Body::default().with("room_id", self.room_id);
        self.command("end_room", &room)
    }

    pub(crate) fn join(&mut self, user: &str) -> &mut Self {
        let body = self.user(user).with("user_name", shown(user));
        self.command("join_room", &body)
    }

    pub(crate) fn leave(&mut self, user: &str) -> &mut Self {
        let body = self.user(user);
        self.command("leave_room", &body)
    }

    pub(crate) fn heartbeat(&mut self, user: &str) -> &mut Self {
        let body = self.user(user);
        self.command("heartbeat", &body)
    }

    /// So many heartbeats of all these users, every 30 s. Time passes.
    pub(crate) fn heartbeats(&mut self, users: &[&str], times: u64) -> &mut Self {
        let began_at = self.now;
        for time in 1..=times {
            self.now = began_at + time * 30_000;
            for user in users {
                self.now += 130;
                self.heartbeat(user);
            }
        }
        self
    }

    fn command(&mut self, name: &str, what: &Body) -> &mut Self {
        self.stage.receive(self.now, "command", &format!("{{\"{name}\":{what}}}"));
        self
    }

    fn user(&self, user: &str) -> Body {
        Body::default().with("room_id", self.room_id).with("user_id", user)
    }
}

/// The name to show of a user: the id with a capital.
pub(super) fn shown(user: &str) -> String {
    let mut chars = user.chars();
    chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect()
}
