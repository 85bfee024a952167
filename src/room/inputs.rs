//! Inputs as values, into one room: what a store does that loads a room, hands in whatever came,
//! and saves it.

use crate::model::command::{Answer, Command, NewUser, RoomUpdate, UserUpdate};
use crate::model::config::Config;
use crate::model::error::Error;
use crate::model::id::ConnectionId;
use crate::model::input::Input;
use crate::model::time::Timestamp;
use crate::room::Room;

impl Room {
    /// Applies whatever came for this room: the one method that a store needs. An input that names
    /// no room ([`Input::Expire`], [`Command::GrantGrace`]) is for each.
    ///
    /// # Errors
    ///
    /// Those of the method that the [`Input`] names; [`Error::OtherRoom`] if it is for another
    /// room.
    ///
    /// ```
    /// use room_registry::journal::{Answer, Command};
    /// use room_registry::{Config, NewRoom, Room, RoomId, Timestamp};
    /// let (config, now) = (Config::default(), Timestamp::from_secs(1_000));
    /// let mut room = Room::new(RoomId::new("r1")?, &config);
    /// let create = Command::CreateRoom(NewRoom::new("r1", "tom"));
    /// assert_eq!(room.apply_input(create.into(), &config, now)?, Answer::Done);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn apply_input(
        &mut self,
        input: Input,
        config: &Config,
        now: Timestamp,
    ) -> Result<Answer, Error> {
        if let Some(room_id) = input.room_id() {
            self.check_id(room_id)?;
        }
        match input {
            Input::Command(command) => self.apply_command(command, config, now),
            Input::Callback(callback) => self.apply(&callback, config, now).map(Answer::Outcome),
            Input::Observation(observation) => {
                self.apply_observation(&observation, config, now).map(Answer::Outcome)
            }
            Input::Expire => self.expire(config, now).map(Answer::Expired),
        }
    }

    fn apply_command(
        &mut self,
        command: Command,
        config: &Config,
        now: Timestamp,
    ) -> Result<Answer, Error> {
        match command {
            Command::CreateRoom(room) => self.create(room, config, now)?,
            Command::UpdateRoom {
                room_id: _,
                host_id,
                room_name,
                attributes,
                lifecycle,
                max_users,
                ends_at,
                first_join_grace_ms,
                empty_grace_ms,
            } => {
                let update = RoomUpdate {
                    host_id,
                    room_name,
                    attributes,
                    lifecycle,
                    max_users,
                    ends_at,
                    first_join_grace_ms,
                    empty_grace_ms,
                };
                self.update(update, config, now)?;
            }
            Command::EndRoom { room_id: _ } => self.end(config, now)?,
            Command::JoinRoom {
                room_id: _,
                user_id,
                user_name,
                role,
                attributes,
                connection_id,
            } => {
                let connection_id = connection_id.as_ref();
                let user =
                    NewUser::from_parts(&user_id, user_name, role, attributes, connection_id);
                self.join(user, config, now)?;
            }
            Command::LeaveRoom { room_id: _, user_id, connection_id } => {
                let connection_id = connection_id.as_ref().map(ConnectionId::as_str);
                self.leave((user_id.as_str(), connection_id), config, now)?;
            }
            Command::RemoveUser { room_id: _, user_id, reason } => {
                self.remove_user(user_id.as_str(), reason, config, now)?;
            }
            Command::Heartbeat {
                room_id: _,
                user_id,
                connection_id,
                user_name,
                role,
                attributes,
            } => {
                let update = UserUpdate { user_name, role, attributes };
                let connection_id = connection_id.as_ref().map(ConnectionId::as_str);
                let user = (user_id.as_str(), connection_id);
                let heartbeat = self.heartbeat(user, update, config, now)?;
                return Ok(Answer::Heartbeat(heartbeat));
            }
            Command::UpdateUser { room_id: _, user_id, user_name, role, attributes } => {
                let update = UserUpdate { user_name, role, attributes };
                self.update_user(user_id.as_str(), update, config, now)?;
            }
            Command::UpdateStream { room_id: _, stream_id, attributes } => {
                self.update_stream(stream_id.as_str(), attributes, config, now)?;
            }
            Command::GrantGrace => self.grant_grace(config, now)?,
        }
        Ok(Answer::Done)
    }
}
