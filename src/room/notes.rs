//! Notes of changes: who changed, in the order in which a mirror applies it (law 1.6).
//!
//! Only the projection writes them, and [`remove`](crate::RoomRegistry::remove) one. What became of
//! whoever changed is read from the room when somebody asks, in `changes.rs`. So nobody who ignores changes
//! pays for them, and the next call uses the buffer again.

use crate::model::change::{Cause, EndReason};
use crate::model::id::{RoomId, SessionId, StreamId, UserId};
use crate::model::suspicion::{Sign, SuspectedList};
use crate::model::time::Timestamp;

/// A note, with its room and its cause.
#[derive(Debug, Clone)]
pub(super) struct Record {
    /// The room that changed.
    pub(super) room_id: RoomId,
    /// What caused it.
    pub(super) cause: Cause,
    /// Who or what changed in the room.
    pub(super) note: Note,
}

/// Who or what changed in a room. Each variant becomes the [`ChangeKind`](crate::ChangeKind) of its name.
/// Those who are gone carry what could not be read from the room any more.
#[derive(Debug, Clone)]
pub(crate) enum Note {
    RoomListed,
    RoomUpdated,
    RoomUnlisted,
    SessionOpened,
    SessionUpdated,
    SessionClosed(Option<SessionId>),
    UserJoined(UserId),
    UserUpdated(UserId),
    UserLeft(UserId, Ended),
    StreamOpened(StreamId),
    StreamUpdated(StreamId),
    StreamClosed(StreamId, Ended),
    SuspicionRaised(SuspectedList, Sign),
    SuspicionWithdrawn(SuspectedList, Sign),
}

/// When and why somebody or something is gone.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    /// In event time if a callback or an observation took them away, else in local time (law 1.8).
    pub(crate) at: Timestamp,
    /// Why they went.
    pub(crate) reason: EndReason,
}

/// The notes of one call. A registry keeps one for all rooms that the call touches.
#[derive(Debug, Clone, Default)]
pub(crate) struct ChangeLog(Vec<Record>);

impl ChangeLog {
    /// Begins another call.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Returns the notes after the first `seen`.
    pub(crate) fn since(&self, seen: usize) -> impl Iterator<Item = &Note> {
        self.0.iter().skip(seen).map(|record| &record.note)
    }

    pub(super) fn records(&self) -> &[Record] {
        &self.0
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds a note.
    pub(crate) fn note(&mut self, room_id: &RoomId, cause: Cause, note: Note) {
        self.0.push(Record { room_id: room_id.clone(), cause, note });
    }
}
