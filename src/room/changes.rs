//! The changes that notes turn into (law 1.6). What became of whoever changed is read from the room when
//! somebody asks, so a change shows the state after the whole call.

use std::collections::BTreeSet;
use std::fmt;

use crate::model::change::{Change, ChangeKind};
use crate::model::id::RoomId;
use crate::room::notes::{ChangeLog, Ended, Note, Record};
use crate::room::state::RoomState;

/// Finds rooms, for those who ask what became of them.
pub(crate) trait FindRoom {
    /// Returns a room, listed or not.
    fn find(&self, room_id: &RoomId) -> Option<&RoomState>;
}

/// The changes of the last call that changed something, in the order in which a mirror applies them.
///
/// [`RoomRegistry::changes`](crate::RoomRegistry::changes) and
/// [`Room::changes`](crate::Room::changes) return it. Cost: what is read is looked up.
#[derive(Clone)]
pub struct Changes<'a> {
    /// The notes that are left.
    records: std::slice::Iter<'a, Record>,
    /// Where to read what became of a room.
    rooms: &'a dyn FindRoom,
}

impl<'a> Changes<'a> {
    pub(crate) fn new(log: &'a ChangeLog, rooms: &'a dyn FindRoom) -> Self {
        Self { records: log.records().iter(), rooms }
    }

    /// Returns the rooms whose line in a list of rooms may differ, in the order in which they first changed.
    /// A room that left the list comes as its id alone. A stream's details and signs of loss are in no line.
    pub(crate) fn changed_lines(&self) -> Vec<(&'a RoomId, Option<&'a RoomState>)> {
        let is_in_line = |note: &Note| match note {
            Note::StreamUpdated(_) | Note::SuspicionRaised(..) | Note::SuspicionWithdrawn(..) => {
                false
            }
            Note::RoomListed
            | Note::RoomUpdated
            | Note::RoomUnlisted
            | Note::SessionOpened
            | Note::SessionUpdated
            | Note::SessionClosed(_)
            | Note::UserJoined(_)
            | Note::UserUpdated(_)
            | Note::UserLeft(..)
            | Note::StreamOpened(_)
            | Note::StreamClosed(..) => true,
        };
        let mut seen = BTreeSet::new();
        let changed = self.records.clone().filter(|record| is_in_line(&record.note));
        let first = changed.map(|record| &record.room_id).filter(|id| seen.insert(*id));
        let listed = |id: &RoomId| self.rooms.find(id).filter(|room| room.is_listed());
        first.map(|id| (id, listed(id))).collect()
    }
}

impl Iterator for Changes<'_> {
    type Item = Change;

    fn next(&mut self) -> Option<Change> {
        // A note becomes no change if the room does not show any more what it is about. A user may have joined
        // and left within one call, which readers never saw.
        loop {
            let Record { room_id, cause, note } = self.records.next()?;
            if let Some(kind) = kind_of(note, self.rooms.find(room_id)) {
                return Some(Change { room_id: room_id.clone(), cause: *cause, kind });
            }
        }
    }
}

impl std::iter::FusedIterator for Changes<'_> {}

impl fmt::Debug for Changes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

/// Returns what a note tells, as the room is now; `None` if the room does not show that any more.
fn kind_of(note: &Note, room: Option<&RoomState>) -> Option<ChangeKind> {
    let room = room.filter(|room| room.is_listed());
    Some(match note {
        Note::RoomListed => {
            let room = room?;
            ChangeKind::RoomListed { info: room.info().cloned(), session: room.session().cloned() }
        }
        Note::RoomUpdated => ChangeKind::RoomUpdated { info: room?.info().cloned() },
        Note::RoomUnlisted => ChangeKind::RoomUnlisted,
        Note::SessionOpened => ChangeKind::SessionOpened(room?.session()?.clone()),
        Note::SessionUpdated => ChangeKind::SessionUpdated(room?.session()?.clone()),
        Note::SessionClosed(session_id) => {
            ChangeKind::SessionClosed { session_id: session_id.clone() }
        }
        Note::UserJoined(user_id) => ChangeKind::UserJoined(room?.user(user_id)?.to_owned()),
        Note::UserUpdated(user_id) => ChangeKind::UserUpdated(room?.user(user_id)?.to_owned()),
        Note::UserLeft(user_id, ended) => {
            let Ended { at, reason } = ended.clone();
            ChangeKind::UserLeft { user_id: user_id.clone(), at, reason }
        }
        Note::StreamOpened(stream_id) => {
            ChangeKind::StreamOpened(room?.stream(stream_id)?.to_owned())
        }
        Note::StreamUpdated(stream_id) => {
            ChangeKind::StreamUpdated(room?.stream(stream_id)?.to_owned())
        }
        Note::StreamClosed(stream_id, ended) => {
            let Ended { at, reason } = ended.clone();
            ChangeKind::StreamClosed { stream_id: stream_id.clone(), at, reason }
        }
        Note::SuspicionRaised(list, sign) => {
            let mut held = room?.suspicions().iter();
            let suspicion = held.find(|held| (held.list, held.sign) == (*list, *sign))?;
            ChangeKind::SuspicionRaised(suspicion.clone())
        }
        Note::SuspicionWithdrawn(list, sign) => {
            ChangeKind::SuspicionWithdrawn { list: *list, sign: *sign }
        }
    })
}

impl FindRoom for RoomState {
    fn find(&self, room_id: &RoomId) -> Option<&RoomState> {
        (self.id == *room_id).then_some(self)
    }
}
