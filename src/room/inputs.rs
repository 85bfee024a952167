//! Inputs as values, for one room: a store loads the room, hands in whatever came, and saves it. Each variant
//! of [`Input`] and [`Command`] calls the method of its name. `registry/replay.rs` and `registry/commands.rs`
//! do the same for a registry.

use crate::model::command::{Answer, Command};
use crate::model::config::Config;
use crate::model::error::Error;
use crate::model::id::ConnectionId;
use crate::model::input::Input;
use crate::model::time::Timestamp;
use crate::room::Room;

impl Room {
    /// Applies whatever came for this room: the one method that a store needs. An input that names
    /// no room ([`Input::Expire`], [`Command::GrantGrace`]) is for each. Cost: that of the method that the
    /// input names, and a copy of a command.
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
    /// assert_eq!(room.apply_input(&create.into(), &config, now)?, Answer::Done);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn apply_input(
        &mut self,
        input: &Input,
        config: &Config,
        now: Timestamp,
    ) -> Result<Answer, Error> {
        if let Some(room_id) = input.room_id() {
            self.check_id(room_id)?;
        }
        match input {
            Input::Command(command) => self.apply_command(command, config, now),
            Input::Callback(callback) => self.apply(callback, config, now).map(Answer::Outcome),
            Input::Observation(observation) => {
                self.apply_observation(observation, config, now).map(Answer::Outcome)
            }
            Input::Expire => self.expire(config, now).map(Answer::Expired),
        }
    }

    /// Carries out a command as a value, which names this room or none.
    fn apply_command(
        &mut self,
        command: &Command,
        config: &Config,
        now: Timestamp,
    ) -> Result<Answer, Error> {
        match command {
            Command::CreateRoom(room) => self.create(room.clone(), config, now)?,
            Command::UpdateRoom { update, .. } => self.update(update.clone(), config, now)?,
            Command::EndRoom { .. } => self.end(config, now)?,
            Command::JoinRoom { user, .. } => self.join(user.clone(), config, now)?,
            Command::LeaveRoom { user_id, connection_id, .. } => {
                let connection_id = connection_id.as_ref().map(ConnectionId::as_str);
                self.leave((user_id.as_str(), connection_id), config, now)?;
            }
            Command::RemoveUser { user_id, reason, .. } => {
                self.remove_user(user_id.as_str(), reason.clone(), config, now)?;
            }
            Command::Heartbeat { user_id, connection_id, update, .. } => {
                let user = (user_id.as_str(), connection_id.as_ref().map(ConnectionId::as_str));
                return self.heartbeat(user, update.clone(), config, now).map(Answer::Heartbeat);
            }
            Command::UpdateUser { user_id, update, .. } => {
                self.update_user(user_id.as_str(), update.clone(), config, now)?;
            }
            Command::UpdateStream { stream_id, attributes, .. } => {
                self.update_stream(stream_id.as_str(), attributes.clone(), config, now)?;
            }
            Command::GrantGrace => self.grant_grace(config, now)?,
        }
        Ok(Answer::Done)
    }
}
