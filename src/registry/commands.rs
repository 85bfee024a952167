//! The commands of a registry. Each finds the room, and hands it a [`Work`] as [`Room`](crate::Room) does.
//! Whatever concerns more than one room is in `create.rs`: creating rooms, and their limits.

use std::collections::BTreeMap;

use crate::collections::hashed::Hashed;
use crate::model::command::{
    Answer, Command, Heartbeat, NewRoom, NewUser, RoomUpdate, UserConnection, UserUpdate,
    check_reason,
};
use crate::model::error::Error;
use crate::model::id::{ConnectionId, UserId};
use crate::model::text::{RemovalReason, Text};
use crate::registry::RoomRegistry;
use crate::registry::clock::Clock;
use crate::room::state::RoomState;
use crate::room::work::{Work, heartbeat_of};

impl<C: Clock> RoomRegistry<C> {
    /// Creates a room. It adopts a session that callbacks opened before, because the command and the
    /// callback race in practice. A room that is created again after an end shows the session that the end
    /// had hidden, if that session still runs.
    ///
    /// Cost: the logarithm of the rooms, and the users of a session that shows again. With
    /// [`max_rooms_per_host`](crate::ConfigBuilder::max_rooms_per_host), also the rooms that the host runs.
    ///
    /// # Errors
    ///
    /// [`Error::RoomAlreadyExists`] if the room was created and not ended;
    /// [`Error::TooManyRooms`], [`Error::TooManyRoomsOfHost`]; [`Error::InvalidId`],
    /// [`Error::TextTooLong`], [`Error::TooManyAttributes`].
    ///
    /// ```
    /// use room_registry::{Config, ManualClock, NewRoom, RoomRegistry};
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// registry.create_room(NewRoom::new("r1", "tom").name("Tom's show"))?;
    /// assert!(registry.create_room(NewRoom::new("r1", "ann")).is_err());
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    pub fn create_room(&mut self, room: NewRoom) -> Result<(), Error> {
        self.begin();
        self.create(room.check()?)
    }

    /// Changes the name, host, attributes, lifecycle or limits of a room. What the update does not name
    /// stays as it is.
    ///
    /// Cost: the attributes of the room, and the logarithm of the rooms. With
    /// [`max_rooms_per_host`](crate::ConfigBuilder::max_rooms_per_host), another host costs the rooms that
    /// this host runs.
    ///
    /// # Errors
    ///
    /// [`Error::RoomNotFound`] if no command created the room, or if it ended;
    /// [`Error::TooManyRoomsOfHost`]; [`Error::InvalidId`], [`Error::TextTooLong`],
    /// [`Error::TooManyAttributes`].
    ///
    /// ```
    /// use room_registry::{Config, ManualClock, NewRoom, RoomRegistry, RoomUpdate};
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// registry.update_room("r1", RoomUpdate::new().name("Late show").host("ann"))?;
    /// assert_eq!(registry.room("r1").unwrap().host_id().unwrap(), "ann");
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    pub fn update_room(&mut self, room_id: &str, update: RoomUpdate) -> Result<(), Error> {
        self.begin();
        let number = self.rooms.number_of(room_id);
        let room = number.and_then(|number| self.rooms.at(number));
        if let (Some(info), Some(host_id)) = (room.and_then(RoomState::info), &update.host_id)
            && info.host_id != host_id.as_str()
        {
            self.check_rooms_of(&UserId::new(host_id)?)?;
        }
        self.take(number, room_id, &mut Work::Update(update)).map(|_| ())
    }

    /// Ends a room, with its business info and all memberships. It hides every session that is known at
    /// this moment, and late callbacks of those do not bring the room back. A session that was not known
    /// yet brings it back.
    ///
    /// Cost: everything that is stored of the room, and the logarithm of the rooms.
    ///
    /// # Errors
    ///
    /// [`Error::RoomNotFound`] if the room is not listed.
    ///
    /// ```
    /// use room_registry::{Config, ManualClock, NewRoom, RoomRegistry};
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// registry.end_room("r1")?;
    /// assert!(registry.room("r1").is_none());
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    pub fn end_room(&mut self, room_id: &str) -> Result<(), Error> {
        self.command(room_id, Work::End)
    }

    /// Lets a user join a room. A user who is only logged in gains a membership. A membership whose
    /// heartbeats timed out counts as gone, even if [`expire`](Self::expire) has not ended it yet. If the
    /// configuration says so, a join creates a room that is not known.
    ///
    /// A member may join with further [connections](NewUser::connection), 16 in all. Only the connection
    /// counts then: name, role and attributes stay as they are, and no change is reported.
    ///
    /// Cost: the logarithm of the room's users. A join that creates a room of which something is stored
    /// copies that once.
    ///
    /// # Errors
    ///
    /// - [`Error::RoomNotFound`]; [`Error::RoomFull`]; [`Error::TooManyConnections`].
    /// - [`Error::UserAlreadyJoined`] if a membership by this connection holds.
    /// - [`Error::InvalidId`], [`Error::TextTooLong`], [`Error::TooManyAttributes`].
    /// - If the join would create the room: [`Error::TooManyRooms`], [`Error::TooManyRoomsOfHost`].
    ///
    /// ```
    /// use room_registry::{Config, ManualClock, NewRoom, NewUser, RoomRegistry};
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// registry.join_room("r1", NewUser::new("ann").name("Ann"))?;
    /// assert!(registry.join_room("r1", NewUser::new("ann")).is_err());
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    pub fn join_room(&mut self, room_id: &str, user: NewUser) -> Result<(), Error> {
        self.begin();
        let user = user.check()?;
        let number = self.rooms.number_of(room_id);
        let room = number.and_then(|number| self.rooms.at(number));
        match self.config.auto_create_rooms {
            Some(lifecycle) if !room.is_some_and(RoomState::is_listed) => {
                self.create_for(number, room_id, user, lifecycle)
            }
            Some(_) | None => self.take(number, room_id, &mut Work::Join(user)).map(|_| ()),
        }
    }

    /// Lets a user leave a room: the membership and every known login end. A late repeat of such a login
    /// does not bring the user back, but a new login does.
    ///
    /// If a connection is named, that connection ends. If another one of the user still holds, the
    /// membership goes on, no login is touched, and no change is reported.
    ///
    /// Cost: the logarithm of the room's users.
    ///
    /// # Errors
    ///
    /// [`Error::RoomNotFound`]; [`Error::UserNotInRoom`], also if the named connection does not hold.
    ///
    /// ```
    /// use room_registry::{Config, ManualClock, NewRoom, NewUser, RoomRegistry};
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// registry.join_room("r1", NewUser::new("ann"))?;
    /// registry.leave_room("r1", "ann")?;
    /// assert!(registry.leave_room("r1", "ann").is_err());
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    pub fn leave_room<'u>(
        &mut self,
        room_id: &str,
        user: impl Into<UserConnection<'u>>,
    ) -> Result<(), Error> {
        let UserConnection { user_id, connection_id } = user.into();
        self.command(room_id, Work::Leave(Hashed::new(user_id), connection_id))
    }

    /// Removes a user from a room, for a reason that the application chooses: a number or a word, of at
    /// most [`MAX_NAME_LEN`](crate::MAX_NAME_LEN) bytes.
    ///
    /// It does what [`leave_room`](Self::leave_room) does. In addition, no heartbeat gives the user a
    /// membership until the next [`join_room`](Self::join_room), even if the media server still shows the
    /// user. Such a heartbeat is answered with [`Heartbeat::Removed`]. This is no ban: a join or a new
    /// login is let in. Refusing it is up to the application.
    ///
    /// Cost: the logarithm of the room's users.
    ///
    /// # Errors
    ///
    /// [`Error::RoomNotFound`]; [`Error::UserNotInRoom`]; [`Error::TextTooLong`].
    ///
    /// ```
    /// use room_registry::{Config, Heartbeat, ManualClock, NewRoom, NewUser, RoomRegistry};
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// registry.join_room("r1", NewUser::new("ann"))?;
    /// registry.remove_user("r1", "ann", "spam")?;
    /// assert_eq!(registry.heartbeat("r1", "ann")?, Heartbeat::Removed);
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    pub fn remove_user(
        &mut self,
        room_id: &str,
        user_id: &str,
        reason: impl Into<RemovalReason>,
    ) -> Result<(), Error> {
        self.begin();
        let reason = check_reason(reason.into())?;
        let number = self.rooms.number_of(room_id);
        let mut work = Work::Remove(Hashed::new(user_id), reason);
        self.take(number, room_id, &mut work).map(|_| ())
    }

    /// Takes a heartbeat, which says that the user is still there. It gives a membership to a user who is
    /// only logged in.
    ///
    /// A heartbeat exactly one timeout after the last one is in time. A later one ends the membership at
    /// once, and the answer is [`Heartbeat::TimedOut`]. A login stays, unless the configuration makes
    /// heartbeats decide about both.
    ///
    /// Each connection has its own heartbeat, and the membership holds while one of them does. A heartbeat
    /// of a connection that ended revives nothing, and its answer says how the connection ended.
    ///
    /// A heartbeat of a user who is gone changes nothing. Within the retention, its answer says how the
    /// user went: [`Heartbeat::TimedOut`], [`Heartbeat::Left`] or [`Heartbeat::Removed`].
    ///
    /// Cost: constant, without an allocation.
    ///
    /// # Errors
    ///
    /// [`Error::RoomNotFound`]; [`Error::UserNotInRoom`] if the user was never there, or the connection
    /// never joined.
    ///
    /// ```
    /// use std::time::Duration;
    /// use room_registry::{Config, Heartbeat, ManualClock, NewRoom, NewUser, RoomRegistry};
    ///
    /// let clock = ManualClock::default();
    /// let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// registry.join_room("r1", NewUser::new("ann"))?;
    /// clock.advance(Duration::from_secs(90));
    /// assert_eq!(registry.heartbeat("r1", "ann")?, Heartbeat::Alive);
    /// clock.advance(Duration::from_millis(90_001));
    /// assert_eq!(registry.heartbeat("r1", "ann")?, Heartbeat::TimedOut);
    /// assert!(registry.room("r1").unwrap().user("ann").is_none());
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    pub fn heartbeat<'u>(
        &mut self,
        room_id: &str,
        user: impl Into<UserConnection<'u>>,
    ) -> Result<Heartbeat, Error> {
        self.begin();
        let UserConnection { user_id, connection_id } = user.into();
        self.beat(Hashed::new(room_id), Hashed::new(user_id), connection_id, None)
    }

    /// Takes a heartbeat that carries an update (viewing time, points, seat). If the heartbeat is too
    /// late, the update is lost together with the membership.
    ///
    /// Cost: constant.
    ///
    /// # Errors
    ///
    /// Those of [`heartbeat`](Self::heartbeat) and [`update_user`](Self::update_user). If the update is
    /// refused, the heartbeat does not count.
    ///
    /// ```
    /// use room_registry::{Config, ManualClock, NewRoom, NewUser, RoomRegistry, UserUpdate};
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// registry.join_room("r1", NewUser::new("ann"))?;
    /// registry.heartbeat_with("r1", "ann", UserUpdate::new().attribute("points", "12"))?;
    /// let room = registry.room("r1").unwrap();
    /// assert_eq!(room.user("ann").unwrap().attributes().get("points"), Some("12"));
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    pub fn heartbeat_with<'u>(
        &mut self,
        room_id: &str,
        user: impl Into<UserConnection<'u>>,
        update: UserUpdate,
    ) -> Result<Heartbeat, Error> {
        self.begin();
        let UserConnection { user_id, connection_id } = user.into();
        self.beat(Hashed::new(room_id), Hashed::new(user_id), connection_id, update.non_empty())
    }

    /// Hands a heartbeat to its room.
    pub(super) fn beat(
        &mut self,
        room_id: Hashed<'_, str>,
        user_id: Hashed<'_, str>,
        connection_id: Option<&str>,
        update: Option<UserUpdate>,
    ) -> Result<Heartbeat, Error> {
        let number = self.rooms.number_of(&room_id);
        let mut work = Work::Heartbeat(user_id, connection_id, update);
        self.take(number, room_id.id, &mut work).map(heartbeat_of)
    }

    /// Hands a command to its room, in a call of its own.
    fn command(&mut self, room_id: &str, mut work: Work<'_>) -> Result<(), Error> {
        self.begin();
        let number = self.rooms.number_of(room_id);
        self.take(number, room_id, &mut work).map(|_| ())
    }

    /// Changes the name, role or attributes of a user. What the update does not name stays as it is. For a
    /// user who has no membership, the change is kept until the user is gone.
    ///
    /// Cost: constant.
    ///
    /// # Errors
    ///
    /// [`Error::RoomNotFound`]; [`Error::UserNotInRoom`]; [`Error::TextTooLong`],
    /// [`Error::TooManyAttributes`].
    ///
    /// ```
    /// use room_registry::{Config, ManualClock, NewRoom, NewUser, Role, RoomRegistry, UserUpdate};
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// registry.join_room("r1", NewUser::new("ann"))?;
    /// registry.update_user("r1", "ann", UserUpdate::new().role(Role::ADMINISTRATOR))?;
    /// let room = registry.room("r1").unwrap();
    /// assert_eq!(room.user("ann").unwrap().role(), Some(&Role::ADMINISTRATOR));
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    pub fn update_user(
        &mut self,
        room_id: &str,
        user_id: &str,
        update: UserUpdate,
    ) -> Result<(), Error> {
        self.command(room_id, Work::UpdateUser(Hashed::new(user_id), update))
    }

    /// Changes the application's own attributes of a stream: `Some` sets one, `None` removes it. They last
    /// as long as this life of the stream is visible.
    ///
    /// Cost: the logarithm of the room's streams.
    ///
    /// # Errors
    ///
    /// [`Error::RoomNotFound`]; [`Error::StreamNotInRoom`]; [`Error::TextTooLong`],
    /// [`Error::TooManyAttributes`].
    ///
    /// ```
    /// use room_registry::*;
    /// use room_registry::event::*;
    /// let clock = ManualClock::at(Timestamp::from_secs(100));
    /// let mut registry = RoomRegistry::with_clock(Config::default(), clock);
    /// let created = StreamCreated::new(StreamId::new("camera")?, Timestamp::from_secs(99)).stream_session_id(StreamSessionId::new("s-1")?).order(1).counter(1);
    /// registry.apply_callback(&Callback::new(RoomId::new("r1")?, SessionId::new("7")?, created));
    /// registry.update_stream("r1", "camera", [("seat".into(), Some("2".into()))].into())?;
    /// let room = registry.room("r1").unwrap();
    /// assert_eq!(room.stream("camera").unwrap().attributes().get("seat"), Some("2"));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn update_stream(
        &mut self,
        room_id: &str,
        stream_id: &str,
        attributes: BTreeMap<Text, Option<Text>>,
    ) -> Result<(), Error> {
        self.command(room_id, Work::UpdateStream(Hashed::new(stream_id), attributes))
    }

    /// Carries out a command that came as a value, from a journal or a queue. Cost: that of the method of
    /// the same name, and a copy of the command.
    ///
    /// # Errors
    ///
    /// Those of the method of the same name.
    ///
    /// ```
    /// use room_registry::journal::{Answer, Command};
    /// use room_registry::{Config, ManualClock, NewRoom, RoomRegistry};
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// let answer = registry.apply_command(&Command::CreateRoom(NewRoom::new("r1", "tom")))?;
    /// assert_eq!(answer, Answer::Done);
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    pub fn apply_command(&mut self, command: &Command) -> Result<Answer, Error> {
        match command {
            Command::CreateRoom(room) => self.create_room(room.clone())?,
            Command::UpdateRoom { room_id, update } => {
                self.update_room(room_id.as_str(), update.clone())?;
            }
            Command::EndRoom { room_id } => self.end_room(room_id.as_str())?,
            Command::JoinRoom { room_id, user } => {
                self.join_room(room_id.as_str(), user.clone())?;
            }
            Command::LeaveRoom { room_id, user_id, connection_id } => {
                let connection_id = connection_id.as_ref().map(ConnectionId::as_str);
                self.leave_room(room_id.as_str(), (user_id.as_str(), connection_id))?;
            }
            Command::RemoveUser { room_id, user_id, reason } => {
                self.remove_user(room_id.as_str(), user_id.as_str(), reason.clone())?;
            }
            Command::Heartbeat { room_id, user_id, connection_id, update } => {
                let user = (user_id.as_str(), connection_id.as_ref().map(ConnectionId::as_str));
                let heartbeat = self.heartbeat_with(room_id.as_str(), user, update.clone())?;
                return Ok(Answer::Heartbeat(heartbeat));
            }
            Command::UpdateUser { room_id, user_id, update } => {
                self.update_user(room_id.as_str(), user_id.as_str(), update.clone())?;
            }
            Command::UpdateStream { room_id, stream_id, attributes } => {
                self.update_stream(room_id.as_str(), stream_id.as_str(), attributes.clone())?;
            }
            Command::GrantGrace => self.grant_grace(),
        }
        Ok(Answer::Done)
    }
}
