//! What everybody with a token may read: the room list, a room, its users and streams, and counts.

use axum::extract::State;
use axum::response::Response;
use room_registry::RoomId;
use serde::Serialize;

use super::At;
use super::answer::{Problem, success};
use super::parameters::Asked;
use crate::auth::Action;
use crate::rows::{Room, RoomStream, RoomUser};
use crate::store::{Counts, RoomsWanted};

type Answered = Result<Response, Problem>;

#[derive(Serialize)]
struct Rooms {
    data: Vec<Room>,
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct Users<'a> {
    data: &'a [RoomUser],
    #[serde(rename = "userList")]
    user_list: &'a [RoomUser],
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct Counted {
    data: Totals,
}

/// How much is listed.
#[derive(Serialize)]
struct Totals {
    rooms: u64,
    users: u64,
    streams: u64,
}

#[derive(Serialize)]
struct One {
    data: RoomWithStreams,
}

#[derive(Serialize)]
struct RoomWithStreams {
    #[serde(flatten)]
    room: Room,
    streams: Vec<RoomStream>,
    streams_next_cursor: Option<String>,
}

pub(super) async fn get_room_list(State(at): State<At>, asked: Asked) -> Answered {
    let given = &asked.parameters;
    let wanted = RoomsWanted { order: given.order()?, page: given.page()? };
    at.allow(&asked, Action::Read, None, None, None).await?;
    let list = at.store.rooms(&wanted).await?;
    Ok(success(Rooms { data: list.rooms, next_cursor: list.next_cursor }))
}

pub(super) async fn get_room_user_list(State(at): State<At>, asked: Asked) -> Answered {
    let room_id: RoomId = asked.parameters.id("RoomID")?;
    let page = asked.parameters.page()?;
    at.allow(&asked, Action::Read, Some(&room_id), None, None).await?;
    let list = at.store.users(room_id.as_str(), &page).await?.ok_or_else(not_listed)?;
    Ok(success(Users { data: &list.users, user_list: &list.users, next_cursor: list.next_cursor }))
}

/// A room with the first of its streams; `Limit` and `Cursor` are those of the streams.
pub(super) async fn get_room(State(at): State<At>, asked: Asked) -> Answered {
    let room_id: RoomId = asked.parameters.id("RoomID")?;
    let page = asked.parameters.page()?;
    at.allow(&asked, Action::Read, Some(&room_id), None, None).await?;
    let room = at.store.room(room_id.as_str()).await?.ok_or_else(not_listed)?;
    let streams = at.store.streams(room_id.as_str(), &page).await?.unwrap_or_default();
    let data = RoomWithStreams {
        room,
        streams: streams.streams,
        streams_next_cursor: streams.next_cursor,
    };
    Ok(success(One { data }))
}

pub(super) async fn get_counts(State(at): State<At>, asked: Asked) -> Answered {
    at.allow(&asked, Action::Read, None, None, None).await?;
    let Counts { rooms, users, streams, .. } = at.store.counts().await?;
    Ok(success(Counted { data: Totals { rooms, users, streams } }))
}

fn not_listed() -> Problem {
    Problem::Refused("room not exists".into())
}
