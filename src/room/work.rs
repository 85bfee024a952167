//! What is handed to the door of a room: every kind of input, as a value.
//!
//! The methods of [`Room`](crate::Room) and of the registry make a [`Work`], and hand it to `take` in
//! `door.rs`. A new kind of input is a variant here. The compiler then leads to each file that must decide
//! about it. All of them match without a wildcard: `resolve.rs`, `admit.rs`, `join.rs`, `ended.rs` and
//! `registry/prefetch.rs`. Only [`Work::is_heartbeat`] must be looked at by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::collections::hashed::{Hashed, HashedId};
use crate::model::callback::Callback;
use crate::model::command::{
    Answer, CheckedRoom, CheckedUser, Heartbeat, RoomUpdate, UserConnection, UserUpdate,
};
use crate::model::config::Rules;
use crate::model::error::Error;
use crate::model::id::UserId;
use crate::model::observation::{Observation, Verdict};
use crate::model::outcome::Outcome;
use crate::model::text::{RemovalReason, Text};
use crate::model::time::Timestamp;
use crate::registers::facts::{Facts, Subject};
use crate::room::schedule::Forgettable;
use crate::room::state::RoomState;

/// Work for one room. Ids in it are hashed once, and texts in it are checked.
#[derive(Debug)]
pub(crate) enum Work<'a> {
    // What the media server tells.
    /// A callback, as facts (section 2).
    Callback(CallbackWork<'a>),
    /// An answer of the media server, and what it says of the room (sections 12 and 13).
    Observation(&'a Observation, Verdict<'a>),

    // Commands.
    /// Business info for a room that has none.
    Create(CheckedRoom),
    /// An update of the business info.
    Update(RoomUpdate),
    /// The end of the business info and of everything from before it (law 6.3).
    End,
    /// A membership, or another connection of a member (law 18.4).
    Join(CheckedUser),
    /// The user who leaves, and by which connection. Without one, all of them end.
    Leave(Hashed<'a, str>, Option<&'a str>),
    /// The user whom the app removes, and why (law 18.2).
    Remove(Hashed<'a, str>, RemovalReason),
    /// The user, the connection if one is named, and the update that the heartbeat carries. An update that
    /// names nothing is `None`.
    Heartbeat(Hashed<'a, str>, Option<&'a str>, Option<UserUpdate>),
    /// The user, and what the app says of that user (law 18.11).
    UpdateUser(Hashed<'a, str>, UserUpdate),
    /// The stream, and its attributes that are set or, with `None`, removed.
    UpdateStream(Hashed<'a, str>, BTreeMap<Text, Option<Text>>),
    /// Last heartbeats that a store kept beside the room, with their local times (law 18.5).
    TakeHeartbeats(Vec<(UserConnection<'a>, Timestamp)>),
    /// A fresh timeout for all memberships.
    GrantGrace,

    // Whole rooms.
    /// Another replica of the room (section 7).
    Merge(Box<RoomState>),
    /// Other settings, under which everything that is known is joined anew (section 22).
    CarryOver(Arc<Rules>),
    /// No input: the clock of the room goes on, and what is due is forgotten.
    Tick,

    // What time does to a room. `time.rs` makes these, each with a cause of its own.
    /// The clock was set back.
    ClockSetBack,
    /// The heartbeats of the member who has this place stopped (law 6.2).
    TimeOut(usize),
    /// The lifecycle ends the room (law 18.7).
    EndByLifecycle,
    /// The room was empty for so long that it leaves the list (law 4.10).
    Unlist,
    /// Something of a user or stream is forgotten (laws 5.4 and 5.5).
    Forget(Forgettable),
    /// A session, or everything that the media server told, is forgotten (laws 5.4 and 5.6).
    ForgetSession,
}

/// A callback, its facts, and whom they are about.
#[derive(Debug)]
pub(crate) struct CallbackWork<'a> {
    /// The callback as it came: its number, its times and its texts.
    pub(crate) callback: &'a Callback,
    /// What it says (law 2.1).
    pub(crate) facts: Facts<'a>,
    /// Whom it is about, beside the session.
    pub(crate) subject: Subject<'a>,
}

impl<'a> Work<'a> {
    /// Makes work of an observation. An observation that contradicts itself is an error (law 12.4).
    pub(crate) fn observation(
        observation: &'a Observation,
        settings: &Rules,
    ) -> Result<Self, Error> {
        let verdict = observation.verdict(settings.empty_means_closed)?;
        Ok(Self::Observation(observation, verdict))
    }

    /// Whether it only says who is still there. Such an input forgets nothing that is due (law 5.1), and
    /// raises no sign (law 10.5). So a store may take heartbeats without loading the room.
    pub(super) fn is_heartbeat(&self) -> bool {
        matches!(self, Self::Heartbeat(..) | Self::GrantGrace | Self::TakeHeartbeats(_))
    }
}

impl<'a> CallbackWork<'a> {
    #[inline]
    pub(crate) fn new(callback: &'a Callback) -> Self {
        let (facts, subject) = Facts::of(callback);
        Self { callback, facts, subject }
    }

    /// Returns the user whom it is about, if it is about one.
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
