//! What is handed to the door of a room: every kind of input, as a value.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::collections::hashed::{Hashed, HashedId};
use crate::model::callback::Callback;
use crate::model::command::{
    Answer, CheckedRoom, CheckedUser, Heartbeat, UserConnection, UserUpdate,
};
use crate::model::config::Rules;
use crate::model::error::Error;
use crate::model::id::UserId;
use crate::model::observation::{Observation, Verdict};
use crate::model::outcome::Outcome;
use crate::model::text::{RemovalReason, Text};
use crate::model::time::Timestamp;
use crate::model::visible::RoomInfo;
use crate::registers::facts::{Facts, Subject};
use crate::room::schedule::Forgettable;
use crate::room::state::RoomState;

/// Work for one room.
#[derive(Debug)]
pub(crate) enum Work<'a> {
    Callback(CallbackWork<'a>),
    Observation(&'a Observation, Verdict<'a>),
    Create(CheckedRoom),
    Update(RoomInfo),
    End,
    Join(CheckedUser),
    /// With the connection that ends; none for all.
    Leave(Hashed<'a, str>, Option<&'a str>),
    Remove(Hashed<'a, str>, RemovalReason),
    /// With the connection, and the update that it carries if that changes anything.
    Heartbeat(Hashed<'a, str>, Option<&'a str>, Option<UserUpdate>),
    UpdateUser(Hashed<'a, str>, UserUpdate),
    UpdateStream(Hashed<'a, str>, BTreeMap<Text, Option<Text>>),
    TakeHeartbeats(Vec<(UserConnection<'a>, Timestamp)>),
    GrantGrace,
    Merge(Box<RoomState>),
    /// Other settings, under which everything that is known is joined anew.
    CarryOver(Arc<Rules>),
    /// Nothing but what is due: the clock of the room goes on.
    Tick,

    // What time does to a room. Each is a pass through the door, with a cause of its own.
    /// The clock was set back.
    ClockSetBack,
    /// The heartbeats of the member who has this place stopped.
    TimeOut(usize),
    /// The lifecycle ends the room.
    EndByLifecycle,
    /// The room was empty for so long that it leaves the list.
    Unlist,
    /// Something of a user or stream is forgotten.
    Forget(Forgettable),
    /// A session, or everything that the media server told, is forgotten.
    ForgetSession,
}

/// A callback, its facts, and whom they are about.
#[derive(Debug)]
pub(crate) struct CallbackWork<'a> {
    pub(crate) callback: &'a Callback,
    pub(crate) facts: Facts<'a>,
    pub(crate) subject: Subject<'a>,
}

impl<'a> Work<'a> {
    /// Makes work of an observation. An observation that contradicts itself is an error.
    pub(crate) fn observation(
        observation: &'a Observation,
        settings: &Rules,
    ) -> Result<Self, Error> {
        let verdict = observation.verdict(settings.empty_means_closed)?;
        Ok(Self::Observation(observation, verdict))
    }
}

impl<'a> CallbackWork<'a> {
    #[inline]
    pub(crate) fn new(callback: &'a Callback) -> Self {
        let (facts, subject) = Facts::of(callback);
        Self { callback, facts, subject }
    }

    /// Returns the user whom it is about, with the hash.
    pub(crate) fn user_id(&self) -> Option<&HashedId<'a, UserId>> {
        match &self.subject {
            Subject::User(user_id) => Some(user_id),
            Subject::Session | Subject::Stream(_) => None,
        }
    }
}

/// Returns what became of a callback or an observation.
#[inline]
pub(crate) fn outcome_of(answer: Answer) -> Outcome {
    let Answer::Outcome(outcome) = answer else {
        unreachable!("the door answers a callback or an observation with an outcome")
    };
    outcome
}

/// Returns what became of a heartbeat.
#[inline]
pub(crate) fn heartbeat_of(answer: Answer) -> Heartbeat {
    let Answer::Heartbeat(heartbeat) = answer else {
        unreachable!("the door answers a heartbeat with what became of it")
    };
    heartbeat
}
