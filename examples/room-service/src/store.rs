//! Where rooms are kept: one trait, three stores.
//!
//! A store takes in inputs, lists what is visible, does what is due, and says what to ask the media
//! server. What it answers to an input, it keeps: an answer is given only once the input is as safe
//! as the store promises.

pub mod file;
mod locked;
pub mod memory;
pub mod redis;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use room_registry::journal::{Answer, Command, Input};
use room_registry::page::{CursorError, RoomOrder};
use room_registry::repair::Question;
use room_registry::{ConnectionId, Error, Outcomes, RoomId, Timestamp, UserId};
use serde::Serialize;

use crate::feed::Feed;
use crate::rows::{Room, RoomList, StreamList, UserList};

/// Keeps rooms.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync {
    /// What it is called in addresses, logs and metrics.
    fn name(&self) -> &'static str;

    /// Takes in a command, a callback or an observation.
    async fn apply(&self, input: Input) -> Result<Answer, StoreError>;

    /// A page of the room list.
    async fn rooms(&self, wanted: &RoomsWanted) -> Result<RoomList, StoreError>;

    /// A room; `None` if none is listed.
    async fn room(&self, room_id: &str) -> Result<Option<Room>, StoreError>;

    /// A page of the users of a room; `None` if none is listed.
    async fn users(&self, room_id: &str, page: &Page) -> Result<Option<UserList>, StoreError>;

    /// A page of the streams of a room; `None` if none is listed.
    async fn streams(&self, room_id: &str, page: &Page) -> Result<Option<StreamList>, StoreError>;

    /// Does what is due, in one bounded step. Tells when the next call can next change something:
    /// now or earlier if this one left something, `None` if nothing will be due.
    async fn sweep(&self) -> Result<Option<Timestamp>, StoreError>;

    /// What to ask the media server next, within the budget; `None` if there is nothing just now,
    /// or if another process asks for this store.
    async fn next_question(&self) -> Result<Option<Question>, StoreError>;

    /// A question could not be answered.
    async fn question_failed(&self, room_id: &str) -> Result<(), StoreError>;

    /// What became different, as it happens, whoever did it.
    fn feed(&self) -> &Arc<Feed>;

    /// How much it holds.
    async fn counts(&self) -> Result<Counts, StoreError>;

    /// Saves what is not saved yet, before the process ends.
    async fn close(&self) -> Result<(), StoreError>;
}

/// Why a store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The rules refuse it: an answer for the client. Nothing changed.
    #[error(transparent)]
    Refused(#[from] Error),
    /// The cursor is none of this list's: an answer for the client.
    #[error(transparent)]
    Cursor(#[from] CursorError),
    /// The store is out of order, or too slow. The input may or may not have been taken in; all
    /// inputs can be sent again.
    #[error("the {store} store failed: {reason}")]
    Failed { store: &'static str, reason: String },
    /// Too many operations wait for the same room. Nothing changed; send the input again.
    #[error("room {:?} is too busy", room_id.as_str())]
    Busy { room_id: RoomId },
}

/// Which page of the room list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomsWanted {
    pub order: RoomOrder,
    pub page: Page,
}

/// Which page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// How many entries at most; at least one.
    pub limit: usize,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

/// How much a store holds.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Counts {
    /// Rooms that are listed.
    pub rooms: u64,
    pub users: u64,
    pub streams: u64,
    /// What became of all callbacks and observations that this process took in.
    pub outcomes: Outcomes,
}

/// Whose heartbeat this is, by which connection, if it carries nothing else.
fn plain_heartbeat(input: &Input) -> Option<(&UserId, Option<&ConnectionId>)> {
    match input {
        Input::Command(Command::Heartbeat { user_id, connection_id, update, .. })
            if update.is_empty() =>
        {
            Some((user_id, connection_id.as_ref()))
        }
        _ => None,
    }
}
