//! One room as a value with all the rules: the unit of storage.
//!
//! ```text
//! input ─▶ work ─▶ door: resolve ─▶ admit ─▶ look ─▶ join ─▶ widen ─▶ project ─▶ schedule ─▶ answer
//!                                    │               │               │
//!                                    ▼               ▼               ▼
//!                                  rules ◀─────── registers ──▶ projection ─▶ changes
//! ```
//!
//! This file has the public methods of a [`Room`]. Each makes a [`Work`] and hands it to the door. The registry
//! does the same with the [`RoomState`] in each of its rooms, so both follow the same rules. To read on, begin
//! with `door.rs`, and then take the files of the steps in the order in which it lists them.

/// Documents a method of a room with an example on a created room.
macro_rules! room_example {
    ($($line:literal),+) => {
        concat!(
            "```\n",
            "# use room_registry::*;\n",
            "# use room_registry::{event::*, journal::*, page::*, repair::*, visible::*};\n",
            "# let config = Config::default();\n",
            "# let now = Timestamp::from_secs(1_000);\n",
            "# let mut room = Room::new(RoomId::new(\"r1\")?, &config);\n",
            "room.create(NewRoom::new(\"r1\", \"tom\"), &config, now)?;\n",
            $($line, "\n",)+
            "# Ok::<(), Error>(())\n",
            "```"
        )
    };
}

mod admit;
mod before;
mod carry;
pub(crate) mod changes;
#[cfg(room_registry_check)]
mod check;
pub(crate) mod context;
pub(crate) mod door;
mod ended;
mod expiry;
mod forget;
mod inputs;
mod join;
mod look;
pub(crate) mod notes;
pub(crate) mod projection;
mod record;
mod report;
mod resolve;
mod roles;
mod schedule;
pub(crate) mod state;
mod time;
pub(crate) mod visible;
pub(crate) mod work;

use std::collections::BTreeMap;

use crate::collections::hashed::Hashed;
use crate::model::callback::Callback;
use crate::model::change::Cause;
use crate::model::command::{
    Answer, Heartbeat, NewRoom, NewUser, RoomUpdate, UserConnection, UserUpdate, check_reason,
};
use crate::model::config::{Config, Rules};
use crate::model::error::{Error, id_text};
use crate::model::id::RoomId;
use crate::model::observation::Observation;
use crate::model::outcome::Outcome;
use crate::model::text::{RemovalReason, Text};
use crate::model::time::Timestamp;
use crate::room::changes::Changes;
use crate::room::context::Context;
use crate::room::notes::ChangeLog;
use crate::room::state::RoomState;
use crate::room::work::{CallbackWork, Work, heartbeat_of, outcome_of};

/// One room, with all the rules and without a registry: load, apply, save.
///
/// An application that has outgrown one process keeps its rooms in a store, or each in an actor of its own.
/// Every operation takes the configuration and the local time, and follows the very same rules as a
/// [`RoomRegistry`](crate::RoomRegistry). Limits on the number of rooms are then up to the application.
///
/// # Example
///
/// ```
/// use room_registry::{Config, NewRoom, NewUser, Room, RoomId, Timestamp};
///
/// let config = Config::default();
/// let now = Timestamp::from_secs(1_000);
/// let mut room = Room::new(RoomId::new("r1")?, &config);
/// room.create(NewRoom::new("r1", "tom"), &config, now)?;
/// room.join(NewUser::new("ann"), &config, now)?;
/// assert_eq!(room.view().unwrap().user_count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Room {
    /// What is known of it, and what follows from that.
    state: RoomState,
    /// The changes of the last mutating call.
    log: ChangeLog,
    /// Whether the last mutating call changed the stored form.
    is_dirty: bool,
}

impl Room {
    /// Makes a room about which nothing is known yet.
    ///
    #[doc = room_example!("assert_eq!(room.id(), \"r1\");")]
    #[must_use]
    pub fn new(room_id: RoomId, config: &Config) -> Self {
        Self::from_state(RoomState::new(room_id, config.rules.clone()))
    }

    /// Applies a callback. Cost: constant. A session that opens, closes or switches costs its users.
    ///
    /// # Errors
    ///
    /// [`Error::OtherRoom`] if the callback is for another room; [`Error::OtherSettings`] if the room was
    /// made under other settings.
    ///
    #[doc = room_example!(
        "let created = RoomCreated::new(Timestamp::from_secs(999));",
        "let callback = Callback::new(RoomId::new(\"r1\")?, SessionId::new(\"7\")?, created);",
        "assert_eq!(room.apply(&callback, &config, now)?, Outcome::Applied);",
        "assert_eq!(room.apply(&callback, &config, now)?, Outcome::Duplicate);"
    )]
    pub fn apply(
        &mut self,
        callback: &Callback,
        config: &Config,
        now: Timestamp,
    ) -> Result<Outcome, Error> {
        self.check_id(callback.room_id.as_str())?;
        self.check_settings(config)?;
        let work = Work::Callback(CallbackWork::new(callback));
        self.take(work, Cause::Callback, config, now).map(outcome_of)
    }

    /// Applies an observation, as
    /// [`RoomRegistry::apply_observation`](crate::RoomRegistry::apply_observation) does. Cost: the room.
    ///
    /// # Errors
    ///
    /// [`Error::ContradictoryObservation`]; [`Error::OtherRoom`] if it is about another room;
    /// [`Error::OtherSettings`].
    ///
    #[doc = room_example!(
        "let observation = Observation::new(RoomId::new(\"r1\")?, Timestamp::from_secs(999))",
        "    .users([ObservedUser::new(UserId::new(\"ann\")?)]);",
        "assert_eq!(room.apply_observation(&observation, &config, now)?, Outcome::Applied);"
    )]
    pub fn apply_observation(
        &mut self,
        observation: &Observation,
        config: &Config,
        now: Timestamp,
    ) -> Result<Outcome, Error> {
        self.check_id(observation.room_id.as_str())?;
        self.check_settings(config)?;
        let work = Work::observation(observation, &config.rules)?;
        self.take(work, Cause::Repaired, config, now).map(outcome_of)
    }

    /// Creates the room; see [`RoomRegistry::create_room`](crate::RoomRegistry::create_room). Cost: constant.
    /// After an end, it may cost the users of the room.
    ///
    /// # Errors
    ///
    /// [`Error::RoomAlreadyExists`]; an error that names a text that is not within its limits;
    /// [`Error::OtherRoom`]; [`Error::OtherSettings`].
    ///
    #[doc = room_example!("assert!(room.create(NewRoom::new(\"r1\", \"ann\"), &config, now).is_err());")]
    pub fn create(&mut self, room: NewRoom, config: &Config, now: Timestamp) -> Result<(), Error> {
        self.check_id(&room.room_id.clone())?;
        self.command(Work::Create(room.check()?), config, now)
    }

    /// Updates the room; see [`RoomRegistry::update_room`](crate::RoomRegistry::update_room). Cost: the
    /// attributes of the room.
    ///
    /// # Errors
    ///
    /// [`Error::RoomNotFound`] if no command created it; an error that names a text that is not
    /// within its limits; [`Error::OtherSettings`].
    ///
    #[doc = room_example!(
        "room.update(RoomUpdate::new().name(\"Late show\"), &config, now)?;",
        "assert_eq!(room.view().unwrap().name().unwrap(), \"Late show\");"
    )]
    pub fn update(
        &mut self,
        update: RoomUpdate,
        config: &Config,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.command(Work::Update(update), config, now)
    }

    /// Ends the room; see [`RoomRegistry::end_room`](crate::RoomRegistry::end_room). Cost: everything that is
    /// stored of the room.
    ///
    /// # Errors
    ///
    /// [`Error::RoomNotFound`]; [`Error::OtherSettings`].
    ///
    #[doc = room_example!("room.end(&config, now)?;", "assert!(room.view().is_none());")]
    pub fn end(&mut self, config: &Config, now: Timestamp) -> Result<(), Error> {
        self.command(Work::End, config, now)
    }

    /// Lets a user join; see [`RoomRegistry::join_room`](crate::RoomRegistry::join_room). Cost: the logarithm
    /// of the room's users.
    ///
    /// # Errors
    ///
    /// [`Error::RoomNotFound`]; [`Error::UserAlreadyJoined`]; [`Error::TooManyConnections`];
    /// [`Error::RoomFull`]; an error that names a text that is not within its limits;
    /// [`Error::OtherSettings`].
    ///
    #[doc = room_example!(
        "room.join(NewUser::new(\"ann\"), &config, now)?;",
        "assert!(room.view().unwrap().user(\"ann\").is_some());"
    )]
    pub fn join(&mut self, user: NewUser, config: &Config, now: Timestamp) -> Result<(), Error> {
        self.command(Work::Join(user.check()?), config, now)
    }

    /// Lets a user leave; see [`RoomRegistry::leave_room`](crate::RoomRegistry::leave_room). Cost: the
    /// logarithm of the room's users.
    ///
    /// # Errors
    ///
    /// [`Error::RoomNotFound`]; [`Error::UserNotInRoom`]; [`Error::OtherSettings`].
    ///
    #[doc = room_example!("assert!(room.leave(\"ann\", &config, now).is_err());")]
    pub fn leave<'u>(
        &mut self,
        user: impl Into<UserConnection<'u>>,
        config: &Config,
        now: Timestamp,
    ) -> Result<(), Error> {
        let UserConnection { user_id, connection_id } = user.into();
        self.command(Work::Leave(Hashed::new(user_id), connection_id), config, now)
    }

    /// Removes a user; see [`RoomRegistry::remove_user`](crate::RoomRegistry::remove_user). Cost: the
    /// logarithm of the room's users.
    ///
    /// # Errors
    ///
    /// [`Error::RoomNotFound`]; [`Error::UserNotInRoom`]; [`Error::TextTooLong`] if the reason is not
    /// within its limit; [`Error::OtherSettings`].
    ///
    #[doc = room_example!(
        "room.join(NewUser::new(\"ann\"), &config, now)?;",
        "room.remove_user(\"ann\", \"spam\", &config, now)?;",
        "let heartbeat = room.heartbeat(\"ann\", UserUpdate::new(), &config, now)?;",
        "assert_eq!(heartbeat, Heartbeat::Removed);"
    )]
    pub fn remove_user(
        &mut self,
        user_id: &str,
        reason: impl Into<RemovalReason>,
        config: &Config,
        now: Timestamp,
    ) -> Result<(), Error> {
        let reason = check_reason(reason.into())?;
        self.command(Work::Remove(Hashed::new(user_id), reason), config, now)
    }

    /// Takes a heartbeat, which may carry an update; see
    /// [`RoomRegistry::heartbeat_with`](crate::RoomRegistry::heartbeat_with). Cost: constant.
    ///
    /// # Errors
    ///
    /// [`Error::RoomNotFound`]; [`Error::UserNotInRoom`]; an error that names a text of the update
    /// that is not within its limits; [`Error::OtherSettings`].
    ///
    #[doc = room_example!(
        "room.join(NewUser::new(\"ann\"), &config, now)?;",
        "let heartbeat = room.heartbeat(\"ann\", UserUpdate::new(), &config, now)?;",
        "assert_eq!(heartbeat, Heartbeat::Alive);"
    )]
    pub fn heartbeat<'u>(
        &mut self,
        user: impl Into<UserConnection<'u>>,
        update: UserUpdate,
        config: &Config,
        now: Timestamp,
    ) -> Result<Heartbeat, Error> {
        let UserConnection { user_id, connection_id } = user.into();
        let work = Work::Heartbeat(Hashed::new(user_id), connection_id, update.non_empty());
        self.take(work, Cause::Command, config, now).map(heartbeat_of)
    }

    /// Updates a user; see [`RoomRegistry::update_user`](crate::RoomRegistry::update_user). Cost: constant,
    /// and the attributes of the user.
    ///
    /// # Errors
    ///
    /// [`Error::RoomNotFound`]; [`Error::UserNotInRoom`]; an error that names a text that is not within its
    /// limits; [`Error::OtherSettings`].
    ///
    #[doc = room_example!(
        "room.join(NewUser::new(\"ann\"), &config, now)?;",
        "room.update_user(\"ann\", UserUpdate::new().name(\"Ann\"), &config, now)?;"
    )]
    pub fn update_user(
        &mut self,
        user_id: &str,
        update: UserUpdate,
        config: &Config,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.command(Work::UpdateUser(Hashed::new(user_id), update), config, now)
    }

    /// Updates the application's own attributes of a stream; see
    /// [`RoomRegistry::update_stream`](crate::RoomRegistry::update_stream). Cost: the logarithm of the room's
    /// streams.
    ///
    /// # Errors
    ///
    /// [`Error::RoomNotFound`]; [`Error::StreamNotInRoom`]; an error that names an attribute that
    /// is not within its limits; [`Error::OtherSettings`].
    ///
    #[doc = room_example!(
        "let seat = [(Text::from(\"seat\"), Some(Text::from(\"2\")))].into();",
        "assert!(room.update_stream(\"camera\", seat, &config, now).is_err()); // no such stream"
    )]
    pub fn update_stream(
        &mut self,
        stream_id: &str,
        attributes: BTreeMap<Text, Option<Text>>,
        config: &Config,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.command(Work::UpdateStream(Hashed::new(stream_id), attributes), config, now)
    }

    /// Merges another replica of the room into this one, which then has seen what either saw. This is
    /// commutative, associative and idempotent. Cost: everything that is stored of the room.
    ///
    /// # Errors
    ///
    /// [`Error::OtherRoom`] if the other replica is of another room; [`Error::OtherSettings`] if one of the
    /// two was made under other settings.
    ///
    #[doc = room_example!(
        "let mut replica = room.clone();",
        "replica.join(NewUser::new(\"ann\"), &config, now)?;",
        "room.merge(replica, &config, now)?;",
        "assert!(room.view().unwrap().user(\"ann\").is_some());"
    )]
    pub fn merge(&mut self, other: Self, config: &Config, now: Timestamp) -> Result<(), Error> {
        self.check_id(other.id().as_str())?;
        other.check_settings(config)?;
        self.check_settings(config)?;
        self.log.clear();
        let mut cx = Context::new(config, now, Cause::Import, &mut self.log);
        let merged = self.state.merge(other.state, &mut cx);
        self.is_dirty = cx.is_dirty;
        merged
    }

    /// Returns what the last mutating call changed. The next such call overwrites it. Cost: what is read.
    ///
    #[doc = room_example!("assert_eq!(room.changes().count(), 1);")]
    #[must_use]
    pub fn changes(&self) -> Changes<'_> {
        Changes::new(&self.log, &self.state)
    }

    /// Tells whether the last mutating call changed the stored form, whether or not readers see the
    /// difference. If it did and you keep rooms in a store, write the room again.
    ///
    /// A repeated or stale callback changes nothing, and neither does a heartbeat that finds its membership
    /// alive. But each operation first forgets what is too old, so even such an input may change the form.
    ///
    #[doc = room_example!(
        "assert!(room.is_dirty());",
        "room.join(NewUser::new(\"ann\"), &config, now)?;",
        "room.heartbeat(\"ann\", UserUpdate::new(), &config, now)?;",
        "assert!(!room.is_dirty());"
    )]
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        self.is_dirty
    }

    /// Returns its id.
    ///
    #[doc = room_example!("assert_eq!(room.id().as_str(), \"r1\");")]
    #[must_use]
    pub fn id(&self) -> &RoomId {
        &self.state.id
    }

    /// Tells whether nothing at all is stored about it, so that a store may delete it.
    ///
    #[doc = room_example!("assert!(!room.is_forgotten());")]
    #[must_use]
    pub fn is_forgotten(&self) -> bool {
        self.state.is_forgotten()
    }

    pub(crate) fn state(&self) -> &RoomState {
        &self.state
    }

    pub(crate) fn from_state(state: RoomState) -> Self {
        Self { state, log: ChangeLog::default(), is_dirty: false }
    }

    pub(crate) fn into_state(self) -> RoomState {
        self.state
    }

    /// Hands in a command that has no answer but an error.
    fn command(&mut self, work: Work<'_>, config: &Config, now: Timestamp) -> Result<(), Error> {
        self.take(work, Cause::Command, config, now).map(|_| ())
    }

    /// Hands work to the door, in a call of its own: what the last call noted is gone.
    fn take(
        &mut self,
        mut work: Work<'_>,
        cause: Cause,
        config: &Config,
        now: Timestamp,
    ) -> Result<Answer, Error> {
        self.check_settings(config)?;
        self.log.clear();
        let mut cx = Context::new(config, now, cause, &mut self.log);
        let answer = self.state.take(&mut work, &mut cx);
        self.is_dirty = cx.is_dirty;
        answer
    }

    /// Checks that the room was made under these settings (law 7.6).
    fn check_settings(&self, config: &Config) -> Result<(), Error> {
        let found = &self.state.settings;
        if *found == config.rules {
            return Ok(());
        }
        let (expected, found) = (Box::new(config.rules()), Box::new(Rules::clone(found)));
        Err(Error::OtherSettings { expected, found })
    }

    /// Checks that an input is for this room.
    fn check_id(&self, found: &str) -> Result<(), Error> {
        if self.state.id == *found {
            return Ok(());
        }
        Err(Error::OtherRoom { expected: id_text(self.state.id.as_str()), found: id_text(found) })
    }
}
