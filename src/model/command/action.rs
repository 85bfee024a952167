//! Commands with the values of the methods that carry them out.

use std::collections::BTreeMap;

use crate::model::command::{Command, NewRoom, NewUser, RoomUpdate, UserUpdate};
use crate::model::id::{ConnectionId, RoomId, StreamId, UserId};
use crate::model::text::{RemovalReason, Text};

/// What a [`Command`] does to its room. A command is flat, as journals have it; this is not.
#[derive(Debug)]
pub(crate) enum Action {
    Create(NewRoom),
    Update(RoomId, RoomUpdate),
    End(RoomId),
    Join(RoomId, NewUser),
    Leave(RoomId, UserId, Option<ConnectionId>),
    Remove(RoomId, UserId, RemovalReason),
    Heartbeat(RoomId, UserId, Option<ConnectionId>, UserUpdate),
    UpdateUser(RoomId, UserId, UserUpdate),
    UpdateStream(RoomId, StreamId, BTreeMap<Text, Option<Text>>),
    GrantGrace,
}

impl From<Command> for Action {
    fn from(command: Command) -> Self {
        match command {
            Command::CreateRoom(room) => Self::Create(room),
            Command::UpdateRoom {
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
                Self::Update(room_id, update)
            }
            Command::EndRoom { room_id } => Self::End(room_id),
            Command::JoinRoom { room_id, user_id, user_name, role, attributes, connection_id } => {
                let connection_id = connection_id.as_ref();
                let user =
                    NewUser::from_parts(&user_id, user_name, role, attributes, connection_id);
                Self::Join(room_id, user)
            }
            Command::LeaveRoom { room_id, user_id, connection_id } => {
                Self::Leave(room_id, user_id, connection_id)
            }
            Command::RemoveUser { room_id, user_id, reason } => {
                Self::Remove(room_id, user_id, reason)
            }
            Command::Heartbeat { room_id, user_id, connection_id, user_name, role, attributes } => {
                let update = UserUpdate { user_name, role, attributes };
                Self::Heartbeat(room_id, user_id, connection_id, update)
            }
            Command::UpdateUser { room_id, user_id, user_name, role, attributes } => {
                Self::UpdateUser(room_id, user_id, UserUpdate { user_name, role, attributes })
            }
            Command::UpdateStream { room_id, stream_id, attributes } => {
                Self::UpdateStream(room_id, stream_id, attributes)
            }
            Command::GrantGrace => Self::GrantGrace,
        }
    }
}
