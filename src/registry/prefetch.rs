//! Prefetching: asks for memory ahead, so that one wait serves several lines. Rules know nothing of it.
//!
//! A registry of a million users does not fit into the caches of a processor. An operation that comes
//! upon one line after the other waits for each. If it asks for all of them first, it waits once. Asking
//! is a read whose value nobody uses. A batch asks step by step for all of its inputs. Each step is so short
//! that the processor is at the next input while it waits for this one.

use std::hint::black_box;

use crate::collections::hashed::{Hashed, Key};
use crate::model::id::RoomId;
use crate::registry::RoomRegistry;
use crate::registry::clock::Clock;
use crate::registry::rooms::HeldRoom;
use crate::registry::users::UserIndex;
use crate::room::state::RoomState;
use crate::room::work::Work;

/// How many rooms or inputs wait for memory together.
pub(super) const BATCH_LEN: usize = 16;

impl<C: Clock> RoomRegistry<C> {
    /// Asks for what work on a room looks at.
    pub(super) fn prefetch_work(&self, number: usize, work: &Work<'_>) {
        let Some(held) = self.rooms.held(number) else { return };
        match work {
            // It looks at the room and at one membership.
            Work::Heartbeat(..) => {}
            Work::Callback(callback) => {
                let latest = callback.callback.latest_time();
                let registers = &held.room.registers;
                let settings = &self.config.rules;
                let bound = registers.floor(settings).min(registers.anchors_from(settings));
                if latest < bound {
                    return; // likely outdated: then little is looked at
                }
                self.prefetch_room(held, number);
                prefetch_lists(&held.room);
            }
            Work::Observation(..)
            | Work::Create(_)
            | Work::Update(_)
            | Work::End
            | Work::Join(_)
            | Work::Leave(..)
            | Work::Remove(..)
            | Work::UpdateUser(..)
            | Work::UpdateStream(..)
            | Work::TakeHeartbeats(_)
            | Work::GrantGrace
            | Work::Merge(_)
            | Work::CarryOver(_)
            | Work::Tick
            | Work::ClockSetBack
            | Work::TimeOut(_)
            | Work::EndByLifecycle
            | Work::Unlist
            | Work::Forget(_)
            | Work::ForgetSession => {
                self.prefetch_room(held, number);
                prefetch_lists(&held.room);
            }
        }
    }

    /// Asks for the rooms in which something is due.
    pub(super) fn prefetch_due(&self) {
        let rooms = self.due().take(BATCH_LEN);
        for (_, number) in rooms {
            if let Some(held) = self.rooms.held(number) {
                self.prefetch_room(held, number);
            }
        }
    }

    /// Asks for what tells when something is due in these rooms.
    pub(super) fn prefetch_timeouts(&self, numbers: &[u32]) {
        for number in numbers {
            if let Some(HeldRoom { room, keys }) = self.rooms.held(*number as usize) {
                black_box(keys.next(room, &self.config));
            }
        }
    }

    /// Asks for the rooms that a query looks at, and for where they stand.
    pub(super) fn prefetch_listed(&self, room_ids: &[Hashed<'_, RoomId>]) {
        let numbers: Vec<_> = room_ids.iter().filter_map(|id| self.rooms.place_hint(id)).collect();
        for held in numbers.iter().filter_map(|number| self.rooms.held(*number)) {
            black_box((held.room.id.as_str().as_bytes().first(), held.keys.standing()));
        }
    }

    /// Asks for what a batch of heartbeats looks at: the room and the user of each, hashed.
    pub(super) fn prefetch_heartbeats<'a, K: Key + 'a>(
        &self,
        batch: impl Iterator<Item = (&'a K, &'a K)> + Clone,
    ) {
        let rooms = self.prefetch_rooms(batch.clone().map(|(room_id, _)| room_id));
        let mut places = [None; BATCH_LEN];
        for ((place, room), (_, user_id)) in places.iter_mut().zip(&rooms).zip(batch) {
            *place = room.and_then(|room| room.registers.members.place_hint(user_id));
        }
        for (room, place) in rooms.iter().zip(places) {
            if let Some((room, place)) = room.zip(place) {
                black_box(room.registers.members.peek(place));
            }
        }
    }

    /// Asks for what a batch of callbacks looks at: the hashed room of each, and its work.
    pub(super) fn prefetch_callbacks<'a, K: Key + 'a>(
        &self,
        batch: impl Iterator<Item = (&'a K, &'a Work<'a>)> + Clone,
    ) {
        let rooms = self.prefetch_rooms(batch.clone().map(|(room_id, _)| room_id));
        for (room, (_, work)) in rooms.iter().zip(batch) {
            if let (Some(room), Work::Callback(callback)) = (room, work) {
                prefetch_lists(room);
                if let Some(user_id) = callback.user_id() {
                    prefetch_user(room, user_id);
                }
            }
        }
    }

    fn prefetch_rooms<'a, K: Key + 'a>(
        &self,
        room_ids: impl Iterator<Item = &'a K>,
    ) -> [Option<&RoomState>; BATCH_LEN] {
        let mut rooms = [None; BATCH_LEN];
        for (room, room_id) in rooms.iter_mut().zip(room_ids) {
            let number = self.rooms.place_hint(room_id);
            *room = number.and_then(|number| self.rooms.at(number));
        }
        for room in rooms.into_iter().flatten() {
            prefetch_head(room);
        }
        rooms
    }

    /// Asks for all of the memory of a room itself.
    fn prefetch_room(&self, held: &HeldRoom, number: usize) {
        let HeldRoom { room, keys } = held;
        prefetch_head(room);
        let registers = &room.registers;
        black_box((registers.latest_create, registers.observed.is_empty(), registers.ended_at));
        black_box((registers.empty_since, room.info().is_some(), room.suspicions().len()));
        black_box(keys.peek());
        black_box(self.index.schedule.at(number));
    }
}

/// Asks for what is known of these users. Each step is done for all of them before the next.
pub(super) fn prefetch_users(users: &UserIndex, user_ids: &[Hashed<'_, str>]) {
    let places: Vec<_> = user_ids.iter().filter_map(|id| users.place_hint(id)).collect();
    for place in places {
        black_box(users.peek(place));
    }
}

/// Asks for what every operation on a room looks at.
fn prefetch_head(room: &RoomState) {
    let members = &room.registers.members;
    black_box((room.id.as_str().len(), room.clock, room.is_listed()));
    black_box((members.unseen_since(), members.len()));
}

/// Asks for what a room refers to.
#[inline]
fn prefetch_lists(room: &RoomState) {
    // Two stand in a line of memory.
    room.users().few().iter().step_by(2).for_each(|(since, _)| _ = black_box(*since));
    for session in &room.registers.sessions {
        black_box((session.closed_at, session.changed_at, session.name.is_some()));
        black_box((session.evidence.is_empty(), session.users.is_empty()));
    }
}

/// Asks for what is known of a user.
fn prefetch_user(room: &RoomState, user_id: &impl Key) {
    for session in &room.registers.sessions {
        if let Some(place) = session.users.place_hint(user_id)
            && let Some((id, user)) = session.users.at(place)
        {
            black_box((id.as_str().len(), id.as_str().as_bytes().first()));
            black_box((user.latest_opening_at, user.closings.len()));
        }
    }
}
