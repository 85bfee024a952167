//! Tells a story of one room: what is heard and seen of it, second by second.

use room_registry::event::{
    CallbackEvent, RoomCreated, StreamClosed, StreamCreated, UserLoggedIn, UserLoggedOut,
};
use room_registry::repair::{ObservedStream, ObservedUser};
use room_registry::{
    Callback, Config, ManualClock, Observation, Outcome, RoomId, RoomRef, RoomRegistry, SessionId,
    StreamId, StreamSessionId, Timestamp, UserId, UserSessionId,
};

const START: u64 = 1_000_000;

/// A registry on a manual clock.
#[derive(Debug)]
pub struct Story {
    /// The local clock, moved by hand.
    pub clock: ManualClock,
    /// What the story is told to.
    pub registry: RoomRegistry<ManualClock>,
}

impl Default for Story {
    fn default() -> Self {
        Self::new()
    }
}

impl Story {
    /// Begins a story with the default configuration.
    pub fn new() -> Self {
        Self::with(Config::default())
    }

    /// Begins a story.
    pub fn with(config: Config) -> Self {
        let clock = ManualClock::at(at(0));
        let registry = RoomRegistry::with_clock(config, clock.clone());
        Self { clock, registry }
    }

    /// Lets time pass.
    pub fn passes_to(&mut self, seconds: u64) {
        self.clock.set(at(seconds));
    }

    /// Hears of an event in session 1.
    pub fn hears(&mut self, now: Timestamp, event: impl Into<CallbackEvent>) -> Outcome {
        self.hears_of("1", now, event)
    }

    /// Hears of an event.
    pub fn hears_of(
        &mut self,
        session: &str,
        now: Timestamp,
        event: impl Into<CallbackEvent>,
    ) -> Outcome {
        self.clock.set(now);
        let session = SessionId::new(session).expect("a valid id");
        self.registry.apply_callback(&Callback::new(room_id(), session, event))
    }

    /// Takes an observation in.
    pub fn sees(&mut self, observation: &Observation) -> Outcome {
        self.registry.apply_observation(observation).expect("it is consistent")
    }

    /// Answers the session that shows.
    pub fn session(&self) -> Option<String> {
        Some(self.registry.room("r")?.session_id()?.to_string())
    }

    /// Answers whether a session shows.
    pub fn is_open(&self) -> bool {
        self.registry.room("r").is_some_and(|room| room.session().is_some())
    }

    /// Answers who shows.
    pub fn users(&self) -> Vec<String> {
        let room = self.registry.room("r");
        room.into_iter().flat_map(RoomRef::users).map(|user| user.id().to_string()).collect()
    }

    /// Answers what shows.
    pub fn streams(&self) -> Vec<String> {
        let room = self.registry.room("r");
        let streams = room.into_iter().flat_map(RoomRef::streams);
        streams.map(|stream| stream.id().to_string()).collect()
    }
}

/// Answers the moment so many seconds after the story begins.
pub fn at(seconds: u64) -> Timestamp {
    Timestamp::from_secs(START + seconds)
}

/// Names the room of the story.
pub fn room_id() -> RoomId {
    RoomId::new("r").expect("a valid id")
}

/// Names session 1.
pub fn session() -> SessionId {
    SessionId::new("1").expect("a valid id")
}

/// Begins an observation.
pub fn observation(seconds: u64) -> Observation {
    Observation::new(room_id(), at(seconds))
}

/// Makes an observation of an empty room.
pub fn empty(seconds: u64) -> Observation {
    observation(seconds).users([]).streams([])
}

/// Makes a user who is there.
pub fn user(id: &str) -> ObservedUser {
    ObservedUser::new(UserId::new(id).expect("a valid id"))
}

/// Makes a stream that is there.
pub fn stream(id: &str) -> ObservedStream {
    ObservedStream::new(StreamId::new(id).expect("a valid id"))
}

/// Creates the room.
pub fn created(seconds: u64) -> RoomCreated {
    RoomCreated::new(at(seconds))
}

/// Logs a user in.
pub fn login(id: &str, life: u64, seconds: u64) -> UserLoggedIn {
    let user_session_id = UserSessionId::new(life.to_string()).expect("a valid id");
    UserLoggedIn::new(UserId::new(id).expect("a valid id"), at(seconds))
        .user_session_id(user_session_id)
        .counter(life)
}

/// Logs a user out.
pub fn logout(id: &str, life: u64, login: u64, logout: u64) -> UserLoggedOut {
    let user_session_id = UserSessionId::new(life.to_string()).expect("a valid id");
    UserLoggedOut::new(UserId::new(id).expect("a valid id"), at(logout))
        .user_session_id(user_session_id)
        .counter(life + 1)
        .login_at(at(login))
}

/// Publishes a stream.
pub fn stream_created(id: &str, counter: u64, seconds: u64) -> StreamCreated {
    let life = StreamSessionId::new(format!("s-{id}")).expect("a valid id");
    StreamCreated::new(StreamId::new(id).expect("a valid id"), at(seconds))
        .stream_session_id(life)
        .order(counter)
        .counter(counter)
}

/// Ends a stream.
pub fn stream_closed(id: &str, counter: u64, seconds: u64) -> StreamClosed {
    let life = StreamSessionId::new(format!("s-{id}")).expect("a valid id");
    StreamClosed::new(StreamId::new(id).expect("a valid id"), at(seconds))
        .stream_session_id(life)
        .order(counter)
        .counter(counter)
}
