//! Commands as journals have them: flat, each value of a command beside the room that it names.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::command::{Command, Lifecycle, NewRoom, NewUser, RoomUpdate, UserUpdate};
use crate::model::error::Error;
use crate::model::id::{ConnectionId, RoomId, StreamId, UserId};
use crate::model::text::{RemovalReason, Role, Text};
use crate::model::time::Timestamp;

/// The serialised form of a [`Command`]. It names its fields in an order that binary formats keep.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename = "Command", rename_all = "snake_case")]
pub(super) enum CommandForm {
    CreateRoom(NewRoom),
    UpdateRoom {
        room_id: RoomId,
        #[serde(default)]
        host_id: Option<Text>,
        #[serde(default)]
        room_name: Option<Text>,
        #[serde(default)]
        attributes: BTreeMap<Text, Option<Text>>,
        #[serde(default)]
        lifecycle: Option<Lifecycle>,
        #[serde(default)]
        max_users: Option<u32>,
        #[serde(default)]
        ends_at: Option<Timestamp>,
        #[serde(default)]
        first_join_grace_ms: Option<u64>,
        #[serde(default)]
        empty_grace_ms: Option<u64>,
    },
    EndRoom {
        room_id: RoomId,
    },
    JoinRoom {
        room_id: RoomId,
        user_id: Text,
        #[serde(default)]
        user_name: Option<Text>,
        #[serde(default)]
        role: Option<Role>,
        #[serde(default)]
        attributes: BTreeMap<Text, Text>,
        #[serde(default)]
        connection_id: Option<Text>,
    },
    LeaveRoom {
        room_id: RoomId,
        user_id: UserId,
        #[serde(default)]
        connection_id: Option<ConnectionId>,
    },
    RemoveUser {
        room_id: RoomId,
        user_id: UserId,
        #[serde(default)]
        reason: RemovalReason,
    },
    Heartbeat {
        room_id: RoomId,
        user_id: UserId,
        #[serde(default)]
        connection_id: Option<ConnectionId>,
        #[serde(default)]
        user_name: Option<Text>,
        #[serde(default)]
        role: Option<Role>,
        #[serde(default)]
        attributes: BTreeMap<Text, Option<Text>>,
    },
    UpdateUser {
        room_id: RoomId,
        user_id: UserId,
        #[serde(default)]
        user_name: Option<Text>,
        #[serde(default)]
        role: Option<Role>,
        #[serde(default)]
        attributes: BTreeMap<Text, Option<Text>>,
    },
    UpdateStream {
        room_id: RoomId,
        stream_id: StreamId,
        #[serde(default)]
        attributes: BTreeMap<Text, Option<Text>>,
    },
    GrantGrace,
}

impl From<Command> for CommandForm {
    fn from(command: Command) -> Self {
        match command {
            Command::CreateRoom(room) => Self::CreateRoom(room),
            Command::UpdateRoom { room_id, update } => Self::UpdateRoom {
                room_id,
                host_id: update.host_id,
                room_name: update.room_name,
                attributes: update.attributes,
                lifecycle: update.lifecycle,
                max_users: update.max_users,
                ends_at: update.ends_at,
                first_join_grace_ms: update.first_join_grace_ms,
                empty_grace_ms: update.empty_grace_ms,
            },
            Command::EndRoom { room_id } => Self::EndRoom { room_id },
            Command::JoinRoom { room_id, user } => Self::JoinRoom {
                room_id,
                user_id: user.user_id,
                user_name: user.user_name,
                role: user.role,
                attributes: user.attributes,
                connection_id: user.connection_id,
            },
            Command::LeaveRoom { room_id, user_id, connection_id } => {
                Self::LeaveRoom { room_id, user_id, connection_id }
            }
            Command::RemoveUser { room_id, user_id, reason } => {
                Self::RemoveUser { room_id, user_id, reason }
            }
            Command::Heartbeat { room_id, user_id, connection_id, update } => {
                let UserUpdate { user_name, role, attributes } = update;
                Self::Heartbeat { room_id, user_id, connection_id, user_name, role, attributes }
            }
            Command::UpdateUser { room_id, user_id, update } => {
                let UserUpdate { user_name, role, attributes } = update;
                Self::UpdateUser { room_id, user_id, user_name, role, attributes }
            }
            Command::UpdateStream { room_id, stream_id, attributes } => {
                Self::UpdateStream { room_id, stream_id, attributes }
            }
            Command::GrantGrace => Self::GrantGrace,
        }
    }
}

impl TryFrom<CommandForm> for Command {
    type Error = Error;

    fn try_from(form: CommandForm) -> Result<Self, Error> {
        Ok(match form {
            CommandForm::CreateRoom(room) => Self::CreateRoom(room),
            CommandForm::UpdateRoom {
                room_id,
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
                Self::UpdateRoom { room_id, update }
            }
            CommandForm::EndRoom { room_id } => Self::EndRoom { room_id },
            CommandForm::JoinRoom {
                room_id,
                user_id,
                user_name,
                role,
                attributes,
                connection_id,
            } => {
                UserId::new(&user_id)?;
                connection_id.as_ref().map(ConnectionId::new).transpose()?;
                let user = NewUser { user_id, user_name, role, attributes, connection_id };
                Self::JoinRoom { room_id, user }
            }
            CommandForm::LeaveRoom { room_id, user_id, connection_id } => {
                Self::LeaveRoom { room_id, user_id, connection_id }
            }
            CommandForm::RemoveUser { room_id, user_id, reason } => {
                Self::RemoveUser { room_id, user_id, reason }
            }
            CommandForm::Heartbeat {
                room_id,
                user_id,
                connection_id,
                user_name,
                role,
                attributes,
            } => {
                let update = UserUpdate { user_name, role, attributes };
                Self::Heartbeat { room_id, user_id, connection_id, update }
            }
            CommandForm::UpdateUser { room_id, user_id, user_name, role, attributes } => {
                let update = UserUpdate { user_name, role, attributes };
                Self::UpdateUser { room_id, user_id, update }
            }
            CommandForm::UpdateStream { room_id, stream_id, attributes } => {
                Self::UpdateStream { room_id, stream_id, attributes }
            }
            CommandForm::GrantGrace => Self::GrantGrace,
        })
    }
}
