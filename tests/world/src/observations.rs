//! Tells a room callbacks, and true observations of the one room that histories are about.

use std::time::Duration;

use room_registry::event::CallbackEvent;
use room_registry::repair::{ObservedList, ObservedStream, ObservedUser};
use room_registry::{Callback, Config, Observation, Outcome, Room, StreamId, Timestamp, UserId};

use super::history::room_id;
use super::rng::Rng;
use super::truth::truth;

/// What a room is told.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "a test holds few of them")]
pub enum Told {
    /// By a callback.
    Heard(Callback),
    /// By an observation.
    Saw(Observation),
}

impl Told {
    /// Tells it. Junk observations do not contradict themselves.
    pub fn to(&self, room: &mut Room, config: &Config, now: Timestamp) -> Outcome {
        let outcome = match self {
            Self::Heard(callback) => room.apply(callback, config, now),
            Self::Saw(observation) => room.apply_observation(observation, config, now),
        };
        outcome.expect("it is about this room, and consistent")
    }

    /// Answers the same, all of it so much later.
    #[must_use]
    pub fn later(mut self, by: Duration) -> Self {
        let later = |at: &mut Timestamp| *at = *at + by;
        let known_later = |at: &mut Option<Timestamp>| *at = at.map(|at| at + by);
        match &mut self {
            Self::Heard(callback) => match &mut callback.event {
                CallbackEvent::RoomCreated(event) => later(&mut event.created_at),
                CallbackEvent::RoomClosed(event) => later(&mut event.closed_at),
                CallbackEvent::UserLoggedIn(event) => later(&mut event.login_at),
                CallbackEvent::UserLoggedOut(event) => {
                    later(&mut event.logout_at);
                    known_later(&mut event.login_at);
                }
                CallbackEvent::StreamCreated(event) => later(&mut event.created_at),
                CallbackEvent::StreamClosed(event) => {
                    later(&mut event.closed_at);
                    known_later(&mut event.created_at);
                }
                other => panic!("an event that the model does not know: {other:?}"),
            },
            Self::Saw(observation) => {
                later(&mut observation.observed_at);
                if let ObservedList::Partial(users) | ObservedList::Complete(users) =
                    &mut observation.users
                {
                    for user in users {
                        known_later(&mut user.login_at);
                    }
                }
                if let ObservedList::Partial(streams) | ObservedList::Complete(streams) =
                    &mut observation.streams
                {
                    for stream in streams {
                        known_later(&mut stream.created_at);
                    }
                }
            }
        }
        self
    }
}

/// Begins an observation that was made then.
pub fn observed_at(millis: u64) -> Observation {
    Observation::new(room_id(), Timestamp::from_millis(millis))
}

/// Makes a user who is there.
pub fn present_user(id: &str) -> ObservedUser {
    ObservedUser::new(UserId::new(id).expect("a valid id"))
}

/// Makes a stream that is there.
pub fn present_stream(id: &str) -> ObservedStream {
    ObservedStream::new(StreamId::new(id).expect("a valid id"))
}

/// How a media server answers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Answers {
    /// Whether it names the session.
    pub named: bool,
    /// How often, in percent, a list is not asked for, or some pages of it only.
    pub partly: u64,
}

/// Answers what a media server shows that has told this part of a history and nothing since. Its answer
/// says whether the room is open, since a room of these histories may be open and empty.
pub fn true_observation(
    told: &[Callback],
    next: Option<&Callback>,
    answers: Answers,
    rng: &mut Rng,
) -> Observation {
    let latest = told.iter().map(|callback| callback.latest_time().as_millis()).max();
    let latest = latest.expect("something was told");
    let pause = next.map_or(0, |next| next.latest_time().as_millis().saturating_sub(latest));
    let observation = observed_at(latest + rng.below(pause.max(1)));
    let Some(truth) = truth(told) else {
        let empty = observation.users([]).streams([]);
        return if rng.chance(50) { empty } else { empty.open(false) };
    };
    let mut users: Vec<_> = truth.users.keys().map(|id| present_user(id.as_str())).collect();
    let mut streams: Vec<_> = truth.streams.keys().map(|id| present_stream(id.as_str())).collect();
    let mut observation = observation.open(true);
    observation.session_id = truth.session_id.filter(|_| answers.named);
    if rng.chance(answers.partly) {
        users.truncate(1);
        observation = observation.some_users(users);
    } else if !rng.chance(answers.partly) {
        observation = observation.users(users);
    }
    if rng.chance(answers.partly) {
        streams.truncate(1);
        observation = observation.some_streams(streams);
    } else if !rng.chance(answers.partly) {
        observation = observation.streams(streams);
    }
    observation
}
