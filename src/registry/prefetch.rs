//! Prefetching: reads memory ahead of use, so that the processor waits for several cache lines at once. It
//! changes no result, and no rule knows of it. Without this file everything works, only slower.
//!
//! A registry of a million users does not fit into the caches of a processor. An operation that meets one
//! line after the other waits for each. If it reads all of them first, it waits once. `black_box` keeps the
//! compiler from leaving out a read whose value nobody uses. A batch goes step by step, each step for all of
//! its inputs. A step is so short that the processor begins the next input while it waits for this one.

use std::hint::black_box;

use crate::collections::hashed::{Hashed, Key};
use crate::model::id::RoomId;
use crate::registry::RoomRegistry;
use crate::registry::clock::Clock;
use crate::registry::rooms::HeldRoom;
use crate::registry::users::UserIndex;
use crate::room::state::RoomState;
use crate::room::work::Work;

/// How many rooms or inputs a batch prefetches together.
pub(super) const BATCH_LEN: usize = 16;

impl<C: Clock> RoomRegistry<C> {
    /// Prefetches what work on a room reads.
    pub(super) fn prefetch_work(&self, number: usize, work: &Work<'_>) {
        let Some(held) = self.rooms.held(number) else { return };
        match work {
            // It reads the head of the room and one membership, which wait for nothing else.
            Work::Heartbeat(..) => {}
            Work::Callback(callback) => {
                let latest = callback.callback.latest_time();
                let registers = &held.room.registers;
                let settings = &self.config.rules;
                let bound = registers.floor(settings).min(registers.anchors_from(settings));
                if latest < bound {
                    return; // it is likely outdated, and then reads little
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

    /// Prefetches the rooms in which something is due.
    pub(super) fn prefetch_due(&self) {
        let rooms = self.due().take(BATCH_LEN);
        for (_, number) in rooms {
            if let Some(held) = self.rooms.held(number) {
                self.prefetch_room(held, number);
            }
        }
    }

    /// Prefetches what tells when something is due in these rooms.
    pub(super) fn prefetch_timeouts(&self, numbers: &[u32]) {
        for number in numbers {
            if let Some(HeldRoom { room, keys }) = self.rooms.held(*number as usize) {
                black_box(keys.next(room, &self.config));
            }
        }
    }

    /// Prefetches the rooms that a query looks at, and their keys.
    pub(super) fn prefetch_listed(&self, room_ids: &[Hashed<'_, RoomId>]) {
        let numbers: Vec<_> = room_ids.iter().filter_map(|id| self.rooms.place_hint(id)).collect();
        for held in numbers.iter().filter_map(|number| self.rooms.held(*number)) {
            black_box((held.room.id.as_str().as_bytes().first(), held.keys.standing()));
        }
    }

    /// Prefetches what a batch of heartbeats reads. Each comes as the room and the user, hashed.
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

    /// Prefetches what a batch of callbacks reads. Each comes as the hashed room, and its work.
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

    /// Looks up the rooms of a batch, and prefetches the head of each.
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

    /// Prefetches all cache lines of a room, but not what it refers to.
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

/// Prefetches the rooms of these users. Each step is done for all of them before the next.
pub(super) fn prefetch_users(users: &UserIndex, user_ids: &[Hashed<'_, str>]) {
    let places: Vec<_> = user_ids.iter().filter_map(|id| users.place_hint(id)).collect();
    for place in places {
        black_box(users.peek(place));
    }
}

/// Prefetches the cache lines that every operation on a room reads.
fn prefetch_head(room: &RoomState) {
    let members = &room.registers.members;
    black_box((room.id.as_str().len(), room.clock, room.is_listed()));
    black_box((members.unseen_since(), members.len()));
}

/// Prefetches what a room refers to: its first users, and its sessions.
#[inline]
fn prefetch_lists(room: &RoomState) {
    // Two users lie in one cache line.
    room.users().few().iter().step_by(2).for_each(|(since, _)| _ = black_box(*since));
    for session in &room.registers.sessions {
        black_box((session.closed_at, session.changed_at, session.name.is_some()));
        black_box((session.evidence.is_empty(), session.users.is_empty()));
    }
}

/// Prefetches the register of a user in each session.
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
