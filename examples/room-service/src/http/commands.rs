//! What the app's clients do: one handler a command.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use room_registry::journal::{Answer, Command};
use room_registry::{
    ConnectionId, Heartbeat, NewRoom, NewUser, Role, RoomId, RoomUpdate, Timestamp, UserId,
    UserUpdate,
};

use super::At;
use super::answer::{Problem, done, heartbeat as told};
use super::parameters::Asked;
use crate::auth::Action;

type Answered = Result<Response, Problem>;

pub(super) async fn create_room(State(at): State<At>, asked: Asked) -> Answered {
    let given = &asked.parameters;
    let room_id: RoomId = given.id("RoomID")?;
    let host_id: UserId = given.id("HostID")?;
    let mut room = NewRoom::new(&room_id, &host_id);
    if let Some(name) = given.name("RoomName")? {
        room = room.name(name);
    }
    room = room.lifecycle(given.lifecycle()?.unwrap_or(at.service.default_lifecycle));
    if let Some(users) = given.number("MaxUsers")? {
        room = room.max_users(users);
    }
    if let Some(at) = given.number("EndsAt")? {
        room = room.ends_at(Timestamp::from_millis(at));
    }
    if let Some(grace) = given.number("FirstJoinGraceMs")? {
        room = room.first_join_grace(Duration::from_millis(grace));
    }
    if let Some(grace) = given.number("EmptyGraceMs")? {
        room = room.empty_grace(Duration::from_millis(grace));
    }
    for (key, value) in given.attributes()?.iter() {
        room = room.attribute(key, value);
    }
    at.allow(&asked, Action::CreateRoom, Some(&room_id), Some(&host_id), None).await?;
    at.store.apply(Command::CreateRoom(room).into()).await?;
    Ok(done())
}

pub(super) async fn update_room(State(at): State<At>, asked: Asked) -> Answered {
    let given = &asked.parameters;
    let room_id: RoomId = given.id("RoomID")?;
    let mut update = RoomUpdate::new();
    update.host_id = given.optional_id::<UserId>("HostID")?.map(Into::into);
    update.room_name = given.name("RoomName")?;
    update.attributes = given.attribute_update()?;
    update.lifecycle = given.lifecycle()?;
    update.max_users = given.number("MaxUsers")?;
    update.ends_at = given.number("EndsAt")?.map(Timestamp::from_millis);
    update.first_join_grace_ms = given.number("FirstJoinGraceMs")?;
    update.empty_grace_ms = given.number("EmptyGraceMs")?;
    at.allow(&asked, Action::UpdateRoom, Some(&room_id), None, None).await?;
    at.store.apply(Command::UpdateRoom { room_id, update }.into()).await?;
    Ok(done())
}

pub(super) async fn end_room(State(at): State<At>, asked: Asked) -> Answered {
    let room_id: RoomId = asked.parameters.id("RoomID")?;
    at.allow(&asked, Action::EndRoom, Some(&room_id), None, None).await?;
    at.store.apply(Command::EndRoom { room_id }.into()).await?;
    Ok(done())
}

pub(super) async fn join_room(State(at): State<At>, asked: Asked) -> Answered {
    let given = &asked.parameters;
    let (room_id, user_id): (RoomId, UserId) = (given.id("RoomID")?, given.id("UserID")?);
    let mut user = NewUser::new(&user_id);
    user.user_name = given.name("UserName")?;
    for (key, value) in given.attributes()?.iter() {
        user = user.attribute(key, value);
    }
    user.connection_id = given.optional_id::<ConnectionId>("ConnectionID")?.map(Into::into);
    user.role = join_role(&at, &asked, &room_id, &user_id, given.role()?).await?;
    at.store.apply(Command::JoinRoom { room_id, user }.into()).await?;
    Ok(done())
}

/// The role that a user joins with: the one he names, else the one of his token.
async fn join_role(
    at: &At,
    asked: &Asked,
    room_id: &RoomId,
    user_id: &UserId,
    role: Option<Role>,
) -> Result<Option<Role>, Problem> {
    let permission =
        at.allow(asked, Action::JoinRoom, Some(room_id), Some(user_id), role.as_ref()).await?;
    Ok(role.or(permission.role))
}

pub(super) async fn leave_room(State(at): State<At>, asked: Asked) -> Answered {
    let given = &asked.parameters;
    let (room_id, user_id): (RoomId, UserId) = (given.id("RoomID")?, given.id("UserID")?);
    let connection_id = given.optional_id("ConnectionID")?;
    at.allow(&asked, Action::LeaveRoom, Some(&room_id), Some(&user_id), None).await?;
    at.store.apply(Command::LeaveRoom { room_id, user_id, connection_id }.into()).await?;
    Ok(done())
}

pub(super) async fn remove_user(State(at): State<At>, asked: Asked) -> Answered {
    let given = &asked.parameters;
    let (room_id, user_id): (RoomId, UserId) = (given.id("RoomID")?, given.id("UserID")?);
    let reason = given.name("Reason")?.unwrap_or_default();
    at.allow(&asked, Action::RemoveUser, Some(&room_id), Some(&user_id), None).await?;
    let command = Command::RemoveUser { room_id, user_id, reason: reason.as_str().into() };
    at.store.apply(command.into()).await?;
    Ok(done())
}

pub(super) async fn heartbeat(State(at): State<At>, asked: Asked) -> Answered {
    let given = &asked.parameters;
    let (room_id, user_id): (RoomId, UserId) = (given.id("RoomID")?, given.id("UserID")?);
    let (update, connection_id) = (user_update(&asked)?, given.optional_id("ConnectionID")?);
    let role = update.role.as_ref();
    at.allow(&asked, Action::Heartbeat, Some(&room_id), Some(&user_id), role).await?;
    let command = Command::Heartbeat { room_id, user_id, connection_id, update };
    match at.store.apply(command.into()).await.map_err(Problem::of_heartbeat)? {
        Answer::Heartbeat(answer) => told(answer),
        _ => told(Heartbeat::Alive),
    }
}

pub(super) async fn update_user(State(at): State<At>, asked: Asked) -> Answered {
    let given = &asked.parameters;
    let (room_id, user_id): (RoomId, UserId) = (given.id("RoomID")?, given.id("UserID")?);
    let update = user_update(&asked)?;
    let role = update.role.as_ref();
    at.allow(&asked, Action::UpdateUser, Some(&room_id), Some(&user_id), role).await?;
    at.store.apply(Command::UpdateUser { room_id, user_id, update }.into()).await?;
    Ok(done())
}

/// What a client changes about a user.
fn user_update(asked: &Asked) -> Result<UserUpdate, Problem> {
    let given = &asked.parameters;
    let mut update = UserUpdate::new();
    update.user_name = given.name("UserName")?;
    update.role = given.role()?;
    update.attributes = given.attribute_update()?;
    Ok(update)
}
