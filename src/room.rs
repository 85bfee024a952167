//! One room as a value with all the rules: the unit of storage.
//!
//! ```text
//! callback ─▶ apply ─▶ facts ─▶ live (sessions ─▶ users, streams) ─┐
//!                                ├─▶ forget                        ├─▶ sight ─▶ shown ─▶ changes
//! observation ─▶ observe ─▶ observed ──────────────────────────────┤
//! command ─▶ commands ─▶ info, members ────────────────────────────┘
//!                                └─▶ evidence (numbers, doubts) ─▶ suspect ─▶ suspicions
//! time ─▶ expiry
//! ```

/// Documents a method of a room with an example on a created room.
macro_rules! room_example {
    ($($line:literal),+) => {
        concat!(
            "```\n",
            "# use room_registry::*;\n",
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

mod apply;
mod before;
pub(crate) mod commands;
mod difference;
mod doubts;
pub(crate) mod evidence;
pub(crate) mod expiry;
pub(crate) mod facts;
pub(crate) mod forget;
mod inputs;
pub(crate) mod live;
pub(crate) mod members;
mod merge;
mod numbers;
mod observe;
pub(crate) mod observed;
pub(crate) mod session;
mod shown;
pub(crate) mod sight;

pub(crate) mod state;
#[cfg(feature = "serde")]
pub(crate) mod stored;
pub(crate) mod stream;
pub(crate) mod suspect;
pub(crate) mod user;

pub use expiry::Expired;

use std::collections::BTreeMap;

use crate::model::callback::Callback;
use crate::model::change::{Cause, ChangeLog, Changes, FindRoom};
use crate::model::command::{Heartbeat, NewRoom, NewUser, RoomUpdate, UserUpdate};
use crate::model::config::Config;
use crate::model::error::{Error, id_text};
use crate::model::id::RoomId;
use crate::model::observation::Observation;
use crate::model::outcome::Outcome;
use crate::model::text::Text;
use crate::model::time::Timestamp;
use crate::read::RoomRef;
use crate::repair::planner::Standing;
use crate::room::state::{Context, RoomState};

/// One room, with all the rules and without a registry: load, apply, save.
///
/// An application that has outgrown one process keeps rooms in a store or in an actor each. Every
/// operation takes the configuration and our time, and the rules are the very same that a
/// [`RoomRegistry`](crate::RoomRegistry) follows. Limits on the number of rooms are the
/// application's then.
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
    state: RoomState,
    log: ChangeLog,
}

impl Room {
    /// A room that nothing is known of yet.
    ///
    #[doc = room_example!("assert_eq!(room.id(), \"r1\");")]
    #[must_use]
    pub fn new(room_id: RoomId, config: &Config) -> Self {
        Self { state: RoomState::new(room_id, config.fingerprint), log: ChangeLog::default() }
    }

    /// Applies a callback. Cost: constant, but for a session that opens, closes or switches: the
    /// users of that session.
    ///
    /// # Errors
    ///
    /// [`Error::OtherRoom`] where the callback is for another room, [`Error::OtherSettings`] where
    /// the room was made under other settings.
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
        self.run(config, now, Cause::Callback, |room, cx| Ok(room.apply(callback, cx)))
    }

    /// Takes an observation in; see
    /// [`RoomRegistry::apply_observation`](crate::RoomRegistry::apply_observation). Cost: the room.
    ///
    /// # Errors
    ///
    /// [`Error::ContradictoryObservation`]; [`Error::OtherRoom`] where it is of another room;
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
        self.run(config, now, Cause::Repaired, |room, cx| room.observe(observation, cx))
    }

    /// Creates the room; see [`RoomRegistry::create_room`](crate::RoomRegistry::create_room).
    ///
    /// # Errors
    ///
    /// [`Error::RoomAlreadyExists`]; an error that names a text that is not within its limits;
    /// [`Error::OtherRoom`]; [`Error::OtherSettings`].
    ///
    #[doc = room_example!("assert!(room.create(NewRoom::new(\"r1\", \"ann\"), &config, now).is_err());")]
    pub fn create(&mut self, room: NewRoom, config: &Config, now: Timestamp) -> Result<(), Error> {
        self.check_id(&room.room_id.clone())?;
        let checked = room.check()?;
        self.run(config, now, Cause::Command, |room, cx| room.create(checked, cx))
    }

    /// Updates the room; see [`RoomRegistry::update_room`](crate::RoomRegistry::update_room).
    ///
    /// # Errors
    ///
    /// [`Error::RoomNotFound`] where no command created it; an error that names a text that is not
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
        self.run(config, now, Cause::Command, |room, cx| {
            if let Some(updated) = room.updated_info(update)? {
                room.update(updated, cx);
            }
            Ok(())
        })
    }

    /// Ends the room; see [`RoomRegistry::end_room`](crate::RoomRegistry::end_room).
    ///
    /// # Errors
    ///
    /// [`Error::RoomNotFound`]; [`Error::OtherSettings`].
    ///
    #[doc = room_example!("room.end(&config, now)?;", "assert!(room.view().is_none());")]
    pub fn end(&mut self, config: &Config, now: Timestamp) -> Result<(), Error> {
        self.run(config, now, Cause::Command, RoomState::end)
    }

    /// A user joins; see [`RoomRegistry::join_room`](crate::RoomRegistry::join_room).
    ///
    /// # Errors
    ///
    /// [`Error::RoomNotFound`]; [`Error::UserAlreadyJoined`]; [`Error::RoomFull`]; an error that
    /// names a text that is not within its limits; [`Error::OtherSettings`].
    ///
    #[doc = room_example!(
        "room.join(NewUser::new(\"ann\"), &config, now)?;",
        "assert!(room.view().unwrap().user(\"ann\").is_some());"
    )]
    pub fn join(&mut self, user: NewUser, config: &Config, now: Timestamp) -> Result<(), Error> {
        let checked = user.check()?;
        self.run(config, now, Cause::Command, |room, cx| room.join(checked, cx))
    }

    /// A user leaves; see [`RoomRegistry::leave_room`](crate::RoomRegistry::leave_room).
    ///
    /// # Errors
    ///
    /// [`Error::RoomNotFound`]; [`Error::UserNotInRoom`]; [`Error::OtherSettings`].
    ///
    #[doc = room_example!("assert!(room.leave(\"ann\", &config, now).is_err());")]
    pub fn leave(&mut self, user_id: &str, config: &Config, now: Timestamp) -> Result<(), Error> {
        self.run(config, now, Cause::Command, |room, cx| room.leave(user_id, cx))
    }

    /// A heartbeat, which may carry an update; see
    /// [`RoomRegistry::heartbeat_with`](crate::RoomRegistry::heartbeat_with).
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
    pub fn heartbeat(
        &mut self,
        user_id: &str,
        update: UserUpdate,
        config: &Config,
        now: Timestamp,
    ) -> Result<Heartbeat, Error> {
        self.run(config, now, Cause::Command, |room, cx| room.heartbeat(user_id, update, cx))
    }

    /// Updates a user; see [`RoomRegistry::update_user`](crate::RoomRegistry::update_user).
    ///
    /// # Errors
    ///
    /// [`Error::RoomNotFound`]; [`Error::UserNotInRoom`] where the user has no membership; an error
    /// that names a text that is not within its limits; [`Error::OtherSettings`].
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
        self.run(config, now, Cause::Command, |room, cx| room.update_user(user_id, update, cx))
    }

    /// Updates the application's own attributes of a stream; see
    /// [`RoomRegistry::update_stream`](crate::RoomRegistry::update_stream).
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
        self.run(config, now, Cause::Command, |room, cx| {
            room.update_stream(stream_id, attributes, cx)
        })
    }

    /// Joins another replica of the room into this one: what either saw, both saw. Commutative,
    /// associative and idempotent. Cost: everything that is held of the room.
    ///
    /// # Errors
    ///
    /// [`Error::OtherRoom`] where the other is another room; [`Error::OtherSettings`] where one of
    /// the two was made under other settings.
    ///
    #[doc = room_example!(
        "let mut replica = room.clone();",
        "replica.join(NewUser::new(\"ann\"), &config, now)?;",
        "room.merge(replica, &config, now)?;",
        "assert!(room.view().unwrap().user(\"ann\").is_some());"
    )]
    pub fn merge(&mut self, other: Self, config: &Config, now: Timestamp) -> Result<(), Error> {
        self.check_id(other.id().as_str())?;
        let found = other.state.settings();
        if found != config.fingerprint {
            return Err(Error::OtherSettings { expected: config.fingerprint, found });
        }
        self.run(config, now, Cause::Import, |room, cx| {
            room.merge(other.state, cx);
            Ok(())
        })
    }

    /// Where the room stands in the eyes of a [`Planner`](crate::Planner). Cost: constant.
    ///
    #[doc = room_example!("assert_eq!(room.standing(&config).confirmed_at, None);")]
    #[must_use]
    pub fn standing(&self, config: &Config) -> Standing {
        self.state.standing(config)
    }

    /// What the last call that changes something made different. Overwritten by the next.
    ///
    #[doc = room_example!("assert_eq!(room.changes().count(), 1);")]
    #[must_use]
    pub fn changes(&self) -> Changes<'_> {
        Changes::new(&self.log, &self.state)
    }

    /// Its id.
    ///
    #[doc = room_example!("assert_eq!(room.id().as_str(), \"r1\");")]
    #[must_use]
    pub fn id(&self) -> &RoomId {
        self.state.id()
    }

    /// What readers see; `None` where the room is not listed.
    ///
    #[doc = room_example!("assert!(room.view().is_some());")]
    #[must_use]
    pub fn view(&self) -> Option<RoomRef<'_>> {
        self.state.is_listed().then(|| RoomRef::new(&self.state))
    }

    /// Whether nothing at all is held of it, so that a store may delete it.
    ///
    #[doc = room_example!("assert!(!room.is_forgotten());")]
    #[must_use]
    pub fn is_forgotten(&self) -> bool {
        self.state.is_forgotten()
    }

    pub(crate) fn from_state(state: RoomState) -> Self {
        Self { state, log: ChangeLog::default() }
    }

    pub(crate) fn into_state(self) -> RoomState {
        self.state
    }

    fn run<T>(
        &mut self,
        config: &Config,
        now: Timestamp,
        cause: Cause,
        operation: impl FnOnce(&mut RoomState, &mut Context<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let found = self.state.settings();
        if found != config.fingerprint {
            return Err(Error::OtherSettings { expected: config.fingerprint, found });
        }
        self.log.clear();
        operation(&mut self.state, &mut Context::new(config, now, cause, &mut self.log))
    }

    fn check_id(&self, found: &str) -> Result<(), Error> {
        if self.state.id() == found {
            return Ok(());
        }
        Err(Error::OtherRoom { expected: id_text(self.state.id().as_str()), found: id_text(found) })
    }
}

impl FindRoom for RoomState {
    fn find(&self, room_id: &RoomId) -> Option<&RoomState> {
        (self.id() == room_id).then_some(self)
    }
}
