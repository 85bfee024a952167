//! Asks the media server what the planner wants to know.
//!
//! A question costs a call for each list. Each call travels, and is answered from what the server has when
//! it gets there. It may fail, or find the server's limits in its way. The answer is handed in when all of
//! it is there. It counts as made when it was asked for, by the local clock.

use std::collections::BTreeMap;

use room_registry::repair::{ObservedStream, ObservedUser, Question};
use room_registry::{Observation, Timestamp};

use super::contestants::Ours;
use super::names::index;
use super::rng::{Dice, Share};
use super::server::{List, MediaServer};

/// How the media server's API behaves.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    /// How long a call takes, there and back: at least and at most, in ms.
    pub(crate) latency: (u64, u64),
    /// How often a call fails.
    pub(crate) failures: Share,
    /// How often only some of a list comes.
    pub(crate) partial: Share,
    /// Whether its answers name the session and say whether the room is open.
    pub(crate) names_sessions: bool,
}

/// What was asked and what became of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Calls {
    /// Rooms that were asked about.
    pub(crate) questions: u64,
    /// Calls, one a list.
    pub(crate) made: u64,
    /// Calls that failed.
    pub(crate) failed: u64,
    /// Of these, calls beyond the server's limits.
    pub(crate) refused: u64,
}

/// What comes next for a question.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Leg {
    /// A call reaches the server.
    Read(List),
    /// Everything is back.
    Back,
}

/// One who asks.
#[derive(Debug)]
pub(crate) struct Asker {
    api: Api,
    rng: Dice,
    pub(crate) calls: Calls,
    under_way: BTreeMap<u64, Asked>,
    /// What was handed in, if that is checked.
    record: Option<Vec<Observation>>,
}

#[derive(Debug)]
struct Asked {
    room: usize,
    answer: Observation,
    failed: bool,
}

impl Asker {
    pub(crate) fn new(api: Api, seed: u64) -> Self {
        let calls = Calls::default();
        Self { api, rng: Dice::new(seed, 3), calls, under_way: BTreeMap::new(), record: None }
    }

    pub(crate) fn keep_record(&mut self) {
        self.record = Some(Vec::new());
    }

    /// What was handed in, if records are kept.
    pub(crate) fn record(&self) -> &[Observation] {
        self.record.as_deref().unwrap_or_default()
    }

    /// Asks all that the planner wants now. Answers what happens when.
    pub(crate) fn ask(&mut self, ours: &mut Ours, now: u64) -> Vec<(u64, u64, Leg)> {
        ours.clock.set(Timestamp::from_millis(now));
        let mut legs = Vec::new();
        while let Some(question) = ours.registry.next_question() {
            self.calls.questions += 1;
            self.calls.made += u64::from(question.calls());
            let number = self.calls.questions;
            let mut back_at = now;
            let mut latency = self.latency();
            for list in lists(&question) {
                // An answer that names one session is of one moment.
                if !self.api.names_sessions {
                    latency = self.latency();
                }
                legs.push((now + latency / 2, number, Leg::Read(list)));
                back_at = back_at.max(now + latency);
            }
            legs.push((back_at, number, Leg::Back));
            let room = index(question.room_id.as_str());
            let answer = Observation::new(question.room_id, Timestamp::from_millis(now));
            self.under_way.insert(number, Asked { room, answer, failed: false });
        }
        legs
    }

    /// A call reaches the server.
    pub(crate) fn read(&mut self, number: u64, list: List, server: &mut MediaServer, now: u64) {
        let Some(asked) = self.under_way.get_mut(&number) else { return };
        let refused = !server.admits(asked.room, list, now);
        if refused || self.rng.chance(self.api.failures) {
            self.calls.failed += 1;
            self.calls.refused += u64::from(refused);
            asked.failed = true;
            return;
        }
        let is_partial = self.rng.chance(self.api.partial);
        let mut answer = asked.answer.clone();
        answer = match list {
            List::Users => {
                let mut users: Vec<ObservedUser> = server.users(asked.room);
                if is_partial {
                    users.truncate(self.rng.index(users.len()));
                    answer.some_users(users)
                } else {
                    answer.users(users)
                }
            }
            List::Streams => {
                let mut streams: Vec<ObservedStream> = server.streams(asked.room);
                if is_partial {
                    streams.truncate(self.rng.index(streams.len()));
                    answer.some_streams(streams)
                } else {
                    answer.streams(streams)
                }
            }
        };
        if self.api.names_sessions && answer.open.is_none() {
            answer = answer.open(server.lists(asked.room).open);
            if let Some(session_id) = server.session_id(asked.room) {
                answer = answer.session_id(session_id.clone());
            }
        }
        asked.answer = answer;
    }

    fn latency(&mut self) -> u64 {
        self.rng.between(self.api.latency.0, self.api.latency.1)
    }

    /// All that was asked is back: hands it in.
    pub(crate) fn back(&mut self, number: u64, ours: &mut Ours, now: u64) {
        let Some(asked) = self.under_way.remove(&number) else { return };
        let now = Timestamp::from_millis(now);
        if asked.failed {
            ours.clock.set(now);
            ours.registry.question_failed(asked.answer.room_id.as_str());
            return;
        }
        ours.observe(&asked.answer, now);
        if let Some(record) = &mut self.record {
            record.push(asked.answer);
        }
    }
}

fn lists(question: &Question) -> impl Iterator<Item = List> {
    let users = question.users.then_some(List::Users);
    users.into_iter().chain(question.streams.then_some(List::Streams))
}
