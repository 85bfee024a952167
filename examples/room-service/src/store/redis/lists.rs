//! Pages of the room list, and single rooms, read from what saves left beside the rooms.

use room_registry::RoomId;
use room_registry::page::{CursorError, RoomCursor, RoomOrder};

use super::Shared;
use super::keys::{self, KEY_LEN};
use super::link::failed;
use crate::rows::{Room, RoomList};
use crate::store::{RoomsWanted, StoreError};

/// The most rooms of a page: it is read in one step, for which all others wait.
const LONGEST_PAGE: usize = 1_000;

impl Shared {
    /// A page of the room list: an index and the summaries, read at once.
    pub(super) async fn rooms(&self, wanted: &RoomsWanted) -> Result<RoomList, StoreError> {
        let order = wanted.order;
        let Some(list) = self.keys.list(order) else {
            return Err(failed(format!("no list is kept by {order}")));
        };
        let after = wanted.page.cursor.as_deref().map(str::parse::<RoomCursor>).transpose()?;
        if let Some(found) = after.as_ref().map(RoomCursor::order).filter(|found| *found != order) {
            return Err(CursorError::OtherOrder { expected: order, found }.into());
        }
        let limit = wanted.page.limit.clamp(1, LONGEST_PAGE);
        let wanted = IndexPage {
            list,
            key_len: if order == RoomOrder::Id { 0 } else { KEY_LEN },
            field: "summary",
            after: after.as_ref().map(keys::place),
            limit: limit + 1,
            is_backwards: order == RoomOrder::Newest,
        };
        let page = self.index_page(&wanted).await?;
        let end = page.get(limit - 1).filter(|_| page.len() > limit);
        let next_cursor = end.and_then(|(place, _)| keys::cursor(order, place));
        let rooms = page.iter().take(limit).map(|(_, summary)| read_summary(summary));
        Ok(RoomList {
            rooms: rooms.collect::<Result<_, _>>()?,
            next_cursor: next_cursor.map(|cursor| cursor.to_string()),
        })
    }

    /// One room, without those who are in it.
    pub(super) async fn room(&self, room_id: &str) -> Result<Option<Room>, StoreError> {
        let mut commands = redis::pipe();
        commands.cmd("HGET").arg(self.keys.room(room_id)).arg("summary");
        let (summary,): (Option<Vec<u8>>,) = self.link.send(&commands).await?;
        summary.map(|summary| read_summary(&summary)).transpose()
    }

    /// One room with everybody and everything in it; `None` if nothing is held of it.
    pub(super) async fn whole_room(
        &self,
        room_id: &str,
    ) -> Result<Option<room_registry::Room>, StoreError> {
        let Ok(room_id) = RoomId::new(room_id) else { return Ok(None) };
        let loaded = self.load(room_id.as_str()).await?;
        loaded.room(&room_id, &self.config).map(Some)
    }

    /// How many rooms, users and streams there are.
    pub(super) async fn totals(&self) -> Result<(u64, u64, u64), StoreError> {
        let mut commands = redis::pipe();
        commands.cmd("ZCARD").arg(self.keys.named("by-id"));
        commands.cmd("HMGET").arg(self.keys.named("totals")).arg("users").arg("streams");
        let (rooms, (users, streams)): (u64, (Option<u64>, Option<u64>)) =
            self.link.send(&commands).await?;
        Ok((rooms, users.unwrap_or(0), streams.unwrap_or(0)))
    }

    /// A page of an index, with one field of each room.
    pub(super) async fn index_page(
        &self,
        wanted: &IndexPage,
    ) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let (first, last) = if wanted.is_backwards { ("+", "-") } else { ("-", "+") };
        let mut call = self.scripts.page.prepare_invoke();
        call.key(&wanted.list).arg(self.keys.named("room:"));
        call.arg(wanted.key_len).arg(wanted.field);
        match &wanted.after {
            Some(place) => call.arg(format!("({place}")),
            None => call.arg(first),
        };
        call.arg(last).arg(wanted.limit).arg(u8::from(wanted.is_backwards));
        self.link.call(&call).await
    }
}

/// Which page of an index.
#[derive(Debug)]
pub(super) struct IndexPage {
    pub(super) list: String,
    /// How many bytes stand before the id.
    pub(super) key_len: usize,
    pub(super) field: &'static str,
    /// The place that the page before ended with.
    pub(super) after: Option<String>,
    pub(super) limit: usize,
    pub(super) is_backwards: bool,
}

fn read_summary(summary: &[u8]) -> Result<Room, StoreError> {
    serde_json::from_slice(summary)
        .map_err(|error| failed(format!("the summary of a room cannot be read: {error}")))
}
