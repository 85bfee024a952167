//! Observations of the one room that histories are about: junk, and true ones.

use proptest::prelude::*;
use room_registry::{
    Callback, Config, Observation, ObservedList, ObservedStream, ObservedUser, Outcome, Room,
    SessionId, StreamId, Text, Timestamp, UserId,
};

use super::history::{Rng, junk_callback, junk_time, room_id};
use super::truth::truth;

/// What a room is told.
#[derive(Debug, Clone)]
pub enum Told {
    Heard(Callback),
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
}

/// Callbacks and observations that fit no history.
pub fn junk(clock_skew: u64) -> impl Strategy<Value = Told> {
    prop_oneof![
        3 => junk_callback().prop_map(Told::Heard),
        2 => junk_observation(clock_skew).prop_map(Told::Saw),
    ]
}

/// A list that says anything.
fn junk_list<T: Clone + std::fmt::Debug>(
    entry: impl Strategy<Value = T>,
) -> impl Strategy<Value = ObservedList<T>> {
    let entries = prop::collection::vec(entry, 0..4);
    (0..6_u8, entries).prop_map(|(kind, mut entries)| match kind {
        0 => ObservedList::NotAsked,
        1 => ObservedList::Partial(entries),
        2 => ObservedList::Complete(Vec::new()),
        _ => {
            entries.truncate(2);
            ObservedList::Complete(entries)
        }
    })
}

fn junk_user() -> impl Strategy<Value = ObservedUser> {
    let name = prop::option::weighted(0.3, prop::sample::select(vec!["Ann", "Bob"]));
    (0..3_u64, name, prop::option::weighted(0.2, junk_time())).prop_map(|(who, name, login_at)| {
        let mut user = present_user(&format!("user{who}"));
        user.user_name = name.map(Text::from);
        user.login_at = login_at.map(Timestamp::from_millis);
        user
    })
}

fn junk_stream() -> impl Strategy<Value = ObservedStream> {
    let title = prop::option::weighted(0.3, prop::sample::select(vec!["one", "two"]));
    (0..3_u64, title, prop::option::weighted(0.2, junk_time())).prop_map(|(which, title, at)| {
        let mut stream = present_stream(&format!("stream{which}"));
        stream.details.title = title.map(Text::from);
        stream.created_at = at.map(Timestamp::from_millis);
        stream
    })
}

/// A consistent observation that fits no history. It counts as made this long before it was read.
pub fn junk_observation(clock_skew: u64) -> impl Strategy<Value = Observation> {
    let session = prop::option::weighted(0.4, prop::sample::select(vec!["7", "8", "10"]));
    let open = prop_oneof![4 => Just(None), 2 => Just(Some(true)), 1 => Just(Some(false))];
    let lists = (junk_list(junk_user()), junk_list(junk_stream()));
    (junk_time(), session, open, lists).prop_map(move |(counts_at, session, open, lists)| {
        let mut observation = observed_at(counts_at + clock_skew);
        observation.session_id = session.map(|id| SessionId::new(id).expect("a valid id"));
        observation.open = open;
        (observation.users, observation.streams) = lists;
        if open == Some(false) {
            observation.users = without_entries(&observation.users);
            observation.streams = without_entries(&observation.streams);
        }
        observation
    })
}

fn without_entries<T>(list: &ObservedList<T>) -> ObservedList<T> {
    match list {
        ObservedList::NotAsked => ObservedList::NotAsked,
        ObservedList::Partial(_) => ObservedList::Partial(Vec::new()),
        ObservedList::Complete(_) => ObservedList::Complete(Vec::new()),
    }
}

pub fn observed_at(millis: u64) -> Observation {
    Observation::new(room_id(), Timestamp::from_millis(millis))
}

pub fn present_user(id: &str) -> ObservedUser {
    ObservedUser::new(UserId::new(id).expect("a valid id"))
}

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

/// What a media server shows that has told this part of a history and nothing since. Its answer
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
    observation.session_id = answers.named.then_some(truth.session_id);
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
