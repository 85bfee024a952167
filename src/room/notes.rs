//! Notes of what became different.
//!
//! An operation notes *who* changed. What became of them is read from the room when somebody asks. So
//! nobody who ignores changes pays for them, and the next call uses the buffer again.

use crate::model::change::{Cause, EndReason};
use crate::model::id::{RoomId, SessionId, StreamId, UserId};
use crate::model::suspicion::{Sign, SuspectedList};
use crate::model::time::Timestamp;

/// Who changed, before anybody asks what became of them.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) room_id: RoomId,
    pub(super) cause: Cause,
    pub(super) note: Note,
}

/// Who or what changed in a room.
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
    /// In event time if the media server told it, else in local time.
    pub(crate) at: Timestamp,
    pub(crate) reason: EndReason,
}

/// The buffer of one call.
#[derive(Debug, Clone, Default)]
pub(crate) struct ChangeLog(Vec<Record>);

impl ChangeLog {
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Takes back the notes behind the first so many.
    pub(crate) fn truncate(&mut self, told: usize) {
        self.0.truncate(told);
    }

    /// Returns the notes behind the first so many.
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

    pub(crate) fn note(&mut self, room_id: &RoomId, cause: Cause, note: Note) {
        self.0.push(Record { room_id: room_id.clone(), cause, note });
    }
}
