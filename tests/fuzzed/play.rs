//! What a host does with a registry, step by step, with everything checked after each step.

use std::time::Duration;

use room_registry::journal::Command;
use room_registry::vendor::zego::{
    Answer, Decoder, Event, Notification, RoomAnswers, StreamList, UserCounts, UserPage,
    UserStatuses,
};
use room_registry::{
    Callback, Cause, ChangeKind, Config, Error, Lifecycle, ManualClock, Mirror, NewRoom, NewUser,
    Observation, Outcome, Role, Room, RoomId, RoomQuery, RoomRegistry, RoomUpdate, Timestamp,
    UserUpdate,
};
use serde::Deserialize;
use serde_json::Value;

use super::bytes::Bytes;
use super::callbacks::{ROOMS, START, STREAMS, USERS, callback, observation};

/// The longest play: what takes more steps finds nothing that a shorter one would not.
const MAX_STEPS: usize = 48;

/// Some settings.
pub fn config(bytes: &mut Bytes<'_>) -> Config {
    let retention = bytes.pick(&[Some(600), Some(10), Some(1), None]);
    let rules = bytes.byte();
    let (skew, tie) = bytes.pick(&[(5_000, 100), (0, 0), (100, 100), (50, 0)]);
    Config::builder()
        .retention(retention.map(Duration::from_secs))
        .clock_skew(Duration::from_millis(skew))
        .tie_window(Duration::from_millis(tie))
        .infer_sessions(rules & 1 == 0)
        .empty_means_closed(rules & 64 == 0)
        .heartbeats_end_logins(rules & 2 != 0)
        .auto_create_rooms((rules & 4 != 0).then_some(Lifecycle::UntilEmpty))
        .max_users_per_room((rules & 8 != 0).then_some(2))
        .max_rooms((rules & 16 != 0).then_some(2))
        .max_rooms_per_host((rules & 32 != 0).then_some(1))
        .index_users(rules & 128 != 0)
        .uncounted_roles(if rules & 128 == 0 { Vec::new() } else { vec![Role::HOST] })
        .build()
        .expect("these settings fit")
}

/// A registry in use, and a mirror beside it.
pub struct Player {
    config: Config,
    clock: ManualClock,
    registry: RoomRegistry<ManualClock>,
    mirror: Mirror,
}

impl Player {
    pub fn new(config: Config) -> Self {
        let clock = ManualClock::at(Timestamp::from_millis(START));
        let registry = RoomRegistry::with_clock(config.clone(), clock.clone());
        Self { config, clock, registry, mirror: Mirror::default() }
    }

    /// Goes on with a registry that was restored.
    pub fn resume(config: Config, clock: ManualClock, registry: RoomRegistry<ManualClock>) -> Self {
        let mirror = registry.rooms().collect();
        let player = Self { config, clock, registry, mirror };
        player.check();
        player
    }

    pub fn registry(&self) -> &RoomRegistry<ManualClock> {
        &self.registry
    }

    pub fn play(&mut self, bytes: &mut Bytes<'_>) {
        for _ in 0..MAX_STEPS {
            if bytes.is_empty() {
                return;
            }
            self.step(bytes);
        }
    }

    fn step(&mut self, bytes: &mut Bytes<'_>) {
        match bytes.byte() % 40 {
            0..=11 => {
                let now = self.now();
                let Some(callback) = callback(bytes, now) else { return };
                self.apply(&callback);
                if bytes.one_in(4) {
                    self.repeat(&callback);
                }
            }
            12..=20 => {
                let answer = command(bytes, &mut self.registry);
                if answer.is_err() {
                    self.nothing_changed();
                }
            }
            21 | 22 => self.clock.advance(Duration::from_millis(bytes.pick(SPANS))),
            23 => self.clock.advance(Duration::from_millis(u64::from(bytes.byte()) * 10)),
            24 => {
                let back = bytes.pick(SPANS);
                self.clock.set(self.clock_at() - Duration::from_millis(back));
            }
            25 => self.expire(),
            26 => {
                let steps = usize::from(bytes.byte() % 4);
                let expired = self.registry.expire_at_most(steps);
                assert!(expired.steps() - expired.suspected <= steps, "{expired:?}");
            }
            27 => self.registry.grant_grace(),
            28 => self.save_and_restore(bytes.one_in(2)),
            29 => self.export_and_import(bytes),
            30 => {
                let len = bytes.index(512);
                let body = bytes.take(len);
                self.deliver(body);
                self.answer(body);
            }
            31..=37 => self.observe(bytes),
            38 => self.ask(bytes),
            // At the very end of time nothing can be later than anything: no clock gets there.
            _ => self.clock.set(Timestamp::from_millis(bytes.number() / 2)),
        }
        self.follow();
    }

    fn now(&self) -> u64 {
        self.clock_at().as_millis()
    }

    fn clock_at(&self) -> Timestamp {
        room_registry::Clock::now(&self.clock)
    }

    fn apply(&mut self, callback: &Callback) {
        let before = self.registry.outcomes().total();
        let outcome = self.registry.apply_callback(callback);
        assert_eq!(self.registry.outcomes().total(), before.saturating_add(1));
        assert!(!outcome.explain(callback).to_string().is_empty());
        if outcome == Outcome::Applied {
            assert_ne!(self.registry.changes().count(), 0, "{callback:?}");
        }
        self.follow();
    }

    /// A callback that comes again changes nothing, but for what is due to be forgotten meanwhile. A
    /// closing that is too old to be remembered, but let in as its user is known, is held each time.
    fn repeat(&mut self, callback: &Callback) {
        let before = self.saved();
        let outcome = self.registry.apply_callback(callback);
        let retention = self.config.retention();
        let is_old = retention.is_some_and(|span| callback.latest_time() < self.clock_at() - span);
        assert_ne!(outcome, Outcome::Applied, "{callback:?}");
        assert!(outcome != Outcome::Held || is_old, "{callback:?}");
        self.nothing_changed();
        if self.config.retention().is_none() {
            assert_eq!(self.saved()["rooms"], before["rooms"], "{callback:?}");
        }
    }

    /// What somebody saw, by half of the times again.
    fn observe(&mut self, bytes: &mut Bytes<'_>) {
        let observation = observation(bytes, self.now());
        let outcome = self.registry.apply_observation(&observation);
        match outcome {
            Err(_) | Ok(Outcome::Stale | Outcome::TooLate | Outcome::Refused) => {
                self.nothing_changed();
            }
            Ok(Outcome::Applied) => assert_ne!(self.registry.changes().count(), 0),
            Ok(_) => {}
        }
        self.follow();
        if bytes.one_in(2) {
            let again = self.registry.apply_observation(&observation);
            assert_eq!(again.is_ok(), outcome.is_ok());
            assert!(!matches!(again, Ok(Outcome::Applied | Outcome::Held)), "{again:?}");
            self.nothing_changed();
        }
    }

    /// Asks what to ask, and hears nothing, or that nobody could be asked.
    fn ask(&mut self, bytes: &mut Bytes<'_>) {
        for _ in 0..bytes.byte() % 4 {
            let Some(question) = self.registry.next_question() else { return };
            self.nothing_changed();
            self.follow();
            assert!(question.users || question.streams);
            if bytes.one_in(2) {
                self.registry.question_failed(question.room_id.as_str());
                self.nothing_changed();
                self.follow();
            }
        }
    }

    /// Whatever came as a body.
    fn deliver(&mut self, body: &[u8]) {
        let event = serde_json::from_slice::<Event>(body);
        let notification = serde_json::from_slice::<Notification>(body);
        let decoded = Decoder::new().decode::<Event>(body);
        match (event, notification) {
            (Ok(event), Ok(notification)) => {
                assert_eq!(event, notification.event);
                assert_eq!(Some(event), decoded.as_ref().ok().cloned());
            }
            (Err(event), Err(notification)) => {
                assert_eq!(event.to_string(), notification.to_string());
                assert!(event.to_string().len() < 2_000, "an error cuts what strangers say");
            }
            (event, notification) => panic!("{event:?} {notification:?}"),
        }
        match decoded {
            Ok(Event::Callback(callback)) => self.apply(&callback),
            Ok(_) => {}
            Err(error) => assert!(error.to_string().len() < 2_000),
        }
    }

    /// The last call changed nothing. The exceptions are what a clock that was set back pulls back with it,
    /// and what is suspected by now.
    fn nothing_changed(&self) {
        let is_suspicion = |kind: &ChangeKind| {
            matches!(kind, ChangeKind::SuspicionRaised(_) | ChangeKind::SuspicionWithdrawn { .. })
        };
        let changes = self.registry.changes();
        let changes: Vec<_> = changes
            .filter(|change| change.cause != Cause::ClockSetBack && !is_suspicion(&change.kind))
            .collect();
        assert!(changes.is_empty(), "{changes:?}");
    }

    /// Whatever came as an answer.
    fn answer(&mut self, body: &[u8]) {
        let room_id = RoomId::new(ROOMS[0]).expect("an id");
        let at = self.clock_at();
        let mut answers = RoomAnswers::new(room_id.clone(), at);
        if let Ok(page) = serde_json::from_slice::<Answer<UserPage>>(body) {
            let added = answers.add_users(page.clone());
            assert_eq!(answers.add_users(page).is_ok(), added.is_ok());
        }
        if let Ok(list) = serde_json::from_slice::<Answer<StreamList>>(body) {
            let before = answers.clone();
            if answers.add_streams(list).is_err() {
                assert_eq!(answers, before);
            }
        }
        let mut observations = vec![answers.observation()];
        if let Ok(answer) = serde_json::from_slice::<Answer<UserStatuses>>(body) {
            match answer.observation(room_id, at) {
                Ok(observation) => observations.push(observation),
                Err(failure) => assert!(failure.to_string().len() < 2_000),
            }
        }
        if let Ok(Answer { data: Ok(counts), .. }) =
            serde_json::from_slice::<Answer<UserCounts>>(body)
        {
            observations.extend(counts.rooms.into_iter().map(|room| room.observation(at)));
        }
        for observation in observations {
            self.registry.apply_observation(&observation).expect("no answer contradicts itself");
            self.follow();
        }
    }

    fn expire(&mut self) {
        self.registry.expire();
        self.follow();
        let next = self.registry.next_expiry();
        assert!(next.is_none_or(|next| next > self.clock_at()), "{next:?} {}", self.clock_at());
        assert_eq!(self.registry.expire().steps(), 0);
    }

    fn saved(&self) -> Value {
        serde_json::to_value(self.registry.snapshot()).expect("a registry serialises")
    }

    /// Goes on with what comes back from storage. It equals what was saved, but for the grace of
    /// the memberships.
    fn save_and_restore(&mut self, as_text: bool) {
        let (config, clock) = (self.config.clone(), self.clock.clone());
        let restored = if as_text {
            let text = serde_json::to_string(&self.registry.snapshot()).expect("it serialises");
            let mut reader = serde_json::Deserializer::from_str(&text);
            RoomRegistry::restore(config, clock, &mut reader).expect("what was saved is good")
        } else {
            let bytes = postcard::to_allocvec(&self.registry.snapshot()).expect("it serialises");
            let mut reader = postcard::Deserializer::from_bytes(&bytes);
            RoomRegistry::restore(config, clock, &mut reader).expect("what was saved is good")
        };
        self.registry.grant_grace();
        self.follow();
        assert_eq!(restored.changes().count(), 0);
        let before = self.saved();
        self.registry = restored;
        // A registry that is restored has not read its clock yet if it was set back.
        self.registry.grant_grace();
        self.follow();
        assert_eq!(self.saved(), before);
    }

    /// A room that is merged with itself stays what it is.
    fn export_and_import(&mut self, bytes: &mut Bytes<'_>) {
        let Some(room) = self.registry.export(bytes.pick(&ROOMS)) else { return };
        let json = serde_json::to_string(&room).expect("a room serialises");
        let again: Room = serde_json::from_str(&json).expect("what was saved is good");
        assert_eq!(serde_json::to_string(&again).expect("a room serialises"), json);
        self.registry.import(again).expect("one config");
        self.nothing_changed();
    }

    /// Long after everything, what is visible is held and nothing else.
    pub fn fall_silent(&mut self) {
        self.clock.advance(Duration::from_secs(1_000_000));
        self.expire();
        self.clock.advance(Duration::from_secs(1_000_000));
        self.expire();
    }

    /// Applies what changed to the mirror, and compares.
    fn follow(&mut self) {
        let Self { registry, mirror, .. } = self;
        registry.changes().for_each(|change| mirror.apply(&change));
        self.check();
    }

    fn check(&self) {
        let registry = &self.registry;
        let shown: Mirror = registry.rooms().collect();
        assert_eq!(self.mirror, shown);
        assert_eq!(shown.rooms().len(), registry.room_count());
        let (mut users, mut streams, mut sessions) = (0, 0, 0);
        for room in registry.rooms() {
            let counted = room.users().filter(|user| user.is_counted()).count();
            assert_eq!(room.user_count(), counted);
            assert_eq!(room.stream_count(), room.streams().count());
            users += room.user_count();
            streams += room.stream_count();
            sessions += usize::from(room.session().is_some());
            assert!(registry.room(room.id().as_str()).is_some());
        }
        assert_eq!(users, registry.user_count());
        assert_eq!(streams, registry.stream_count());
        assert_eq!(sessions, registry.session_count());
        assert!(registry.held_room_count() >= registry.room_count());
        for query in [RoomQuery::newest(), RoomQuery::most_users(), RoomQuery::by_id()] {
            let page = registry.page(&query.limit(100)).expect("no cursor");
            assert_eq!(page.rooms.len(), registry.room_count());
        }
    }
}

/// Spans at which something is due, or just not yet.
const SPANS: &[u64] = &[
    0, 1, 100, 1_000, 4_999, 5_000, 5_001, 10_000, 10_001, 15_001, 60_000, 60_001, 90_000, 90_001,
    600_000, 605_001, 3_600_000,
];

fn command(bytes: &mut Bytes<'_>, registry: &mut RoomRegistry<ManualClock>) -> Result<(), Error> {
    let room_id = bytes.pick(&ROOMS);
    let user_id = bytes.pick(&USERS);
    let key = bytes.pick(&["mode", "seat"]);
    let value = bytes.pick(&[None, Some("1"), Some("2")]);
    let lifecycle = bytes.pick(&[
        Lifecycle::UntilEnded,
        Lifecycle::UntilEmpty,
        Lifecycle::FollowsSession,
        Lifecycle::Permanent,
    ]);
    let update = match value {
        None => UserUpdate::new().remove_attribute(key),
        Some("1") => UserUpdate::new().attribute(key, "1").name("A"),
        Some(value) => UserUpdate::new().attribute(key, value).role(Role::HOST),
    };
    match bytes.byte() % 12 {
        0 | 1 => registry.create_room(NewRoom::new(room_id, user_id).lifecycle(lifecycle)),
        2 => {
            let update = RoomUpdate::new().lifecycle(lifecycle).host(user_id);
            registry.update_room(room_id, update)
        }
        3 => registry.end_room(room_id),
        4..=6 => registry.join_room(room_id, NewUser::new(user_id).name(user_id)),
        7 if bytes.one_in(3) => registry.remove_user(room_id, user_id, "spam"),
        7 => registry.leave_room(room_id, user_id),
        8 => registry.heartbeat(room_id, user_id).map(|_| ()),
        9 => registry.heartbeat_with(room_id, user_id, update).map(|_| ()),
        10 => registry.update_user(room_id, user_id, update),
        _ => {
            let attributes = [(key.into(), value.map(Into::into))].into();
            registry.update_stream(room_id, bytes.pick(&STREAMS), attributes)
        }
    }
}

/// A line of a journal, as the example `replay` takes it.
#[derive(Deserialize)]
struct Line {
    at: Timestamp,
    #[serde(default)]
    callback: Option<Event>,
    #[serde(default)]
    command: Option<Command>,
    #[serde(default)]
    observation: Option<Observation>,
}

/// Plays the lines that can be read.
pub fn journal(text: &[u8]) {
    let mut player = Player::new(Config::default());
    for line in text.split(|byte| *byte == b'\n').take(MAX_STEPS) {
        player.deliver(line);
        player.answer(line);
        let Ok(Line { at, callback, command, observation }) = serde_json::from_slice(line) else {
            continue;
        };
        player.clock.set(at);
        if let Some(Event::Callback(callback)) = callback {
            player.apply(&callback);
        }
        if let Some(command) = command {
            let answer = player.registry.apply_command(&command);
            if answer.is_err() {
                player.nothing_changed();
            }
            player.follow();
        }
        if let Some(observation) = observation
            && player.registry.apply_observation(&observation).is_err()
        {
            player.nothing_changed();
        }
        player.follow();
        player.expire();
    }
    player.save_and_restore(true);
    player.fall_silent();
}
