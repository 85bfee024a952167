//! What the registry keeps beside its rooms: orders of the list, lookups for queries, the expiry schedule, totals,
//! and the planner.
//!
//! All of it follows from the rooms, and nothing of it is stored. After a room changed, the registry calls
//! [`Index::update`]. That compares the room's [`IndexKeys`] with those from before, and moves the room in each
//! part in which they differ. With `--cfg room_registry_check`, `check.rs` compares the index with the rooms.

use crate::model::config::Config;
use crate::model::id::RoomId;
use crate::model::time::Timestamp;
use crate::read::RoomRef;
use crate::registry::lookups::{LookedUp, Lookups};
use crate::registry::orders::{Orders, Standing};
use crate::registry::schedule::{Schedule, narrow};
use crate::repair::planner::Planner;
use crate::repair::status::RepairStatus;
use crate::room::state::RoomState;
use crate::rules::earlier;

/// A room in which something is due within this time is examined exactly then, in milliseconds.
const SOON_MS: u64 = 20_000;
/// How long before something is due in it a room is examined, at most, in milliseconds.
const EARLIEST_MS: u64 = 60_000;

/// The keys under which a room stands in the indexes. They lie beside the room, so that an update finds what
/// to move without a look-up.
#[derive(Debug, Clone)]
pub(crate) struct IndexKeys {
    /// Its keys in the orders of the list, the totals and the planner.
    ranks: Ranks,
    /// Its keys in the lookups that serve queries.
    looked_up: LookedUp,
    /// When (local time) something is due in it that heartbeats do not put off.
    due: Option<Timestamp>,
    /// Whether it stands in the indexes. The planner must be told of a room that does not.
    is_indexed: bool,
}

/// What orders a room among the others, and what it adds to the totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Ranks {
    /// When it began (law 4.9); `None` if it is not listed.
    listed: Option<Timestamp>,
    /// Whether it has as many users as it may have (law 18.8).
    is_full: bool,
    /// What it adds to the totals. The users also order it in the list by users.
    totals: Totals,
    /// What the planner knows of it.
    repair_status: RepairStatus,
}

/// How many rooms are listed, and how many sessions, users and streams are in their lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Totals {
    /// The listed rooms.
    pub(crate) rooms: usize,
    /// The visible sessions.
    pub(crate) sessions: usize,
    /// The users who count (law 18.9). Whoever is in two rooms counts twice.
    pub(crate) users: usize,
    /// The streams.
    pub(crate) streams: usize,
}

/// What is kept of all rooms. Rooms stand in it by their numbers, and in the planner by id.
#[derive(Debug)]
pub(crate) struct Index {
    /// The orders of the list (law 4.9).
    orders: Orders,
    /// When to examine each room next: never after something is due in it. It may be earlier, if heartbeats
    /// put that off since, or if it is far off.
    pub(super) schedule: Schedule,
    /// What queries find rooms by (law 4.12).
    lookups: Lookups,
    /// Kept up with each update, so that counting costs nothing.
    totals: Totals,
    /// Which room to ask about next (section 17).
    pub(super) planner: Planner,
}

impl IndexKeys {
    /// Returns the keys of a room that stands in no index yet.
    pub(crate) fn nowhere() -> Self {
        let (ranks, looked_up) = (Ranks::default(), LookedUp::default());
        Self { ranks, looked_up, due: None, is_indexed: false }
    }

    /// Returns where the room stands in the orders of the list, if it is listed.
    pub(super) fn standing(&self) -> Option<Standing> {
        self.ranks.standing()
    }

    /// Reads what an update compares, for a prefetch.
    pub(super) fn peek(&self) -> (bool, Option<Timestamp>, Option<Timestamp>, bool) {
        (self.is_indexed, self.due, self.ranks.listed, self.looked_up.is_run())
    }

    /// Returns when something is due in the room, if nothing but heartbeats came since the last update.
    pub(super) fn next(&self, room: &RoomState, config: &Config) -> Option<Timestamp> {
        earlier(room.next_timeout(config), self.due)
    }
}

impl Ranks {
    /// Returns the ranks of a room as it is now.
    fn of(room: &RoomState, config: &Config) -> Self {
        let is_listed = room.is_listed();
        Self {
            is_full: room.is_full(config),
            listed: is_listed.then(|| RoomRef::new(room).began_at().unwrap_or_default()),
            totals: Totals {
                rooms: usize::from(is_listed),
                sessions: usize::from(room.session().is_some()),
                users: room.user_count(),
                streams: room.streams().len(),
            },
            repair_status: RepairStatus::of(room, config),
        }
    }

    /// Returns where it stands in the orders of the list.
    fn standing(&self) -> Option<Standing> {
        let (users, is_full) = (self.totals.users, self.is_full);
        self.listed.map(|began_at| Standing { began_at, users, is_full })
    }
}

impl Index {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            orders: Orders::default(),
            schedule: Schedule::default(),
            lookups: Lookups::new(config),
            totals: Totals::default(),
            planner: Planner::new(config.repair_calls_per_second).can_ask(config.can_ask),
        }
    }

    /// Moves a room to where it belongs now in every index. Returns whether nothing is stored of it any more:
    /// then it stands in none, and the caller drops it.
    pub(crate) fn update(
        &mut self,
        number: usize,
        room: &RoomState,
        keys: &mut IndexKeys,
        config: &Config,
        now: Timestamp,
    ) -> bool {
        let after = Ranks::of(room, config);
        let is_forgotten = room.is_forgotten();
        keys.due = if is_forgotten { None } else { room.next_expiry_of_others(config) };
        let due = keys.next(room, config);
        if is_forgotten {
            self.put_off(number, None, now);
        } else {
            self.keep_up(number, due, now);
        }
        self.rank(narrow(number), &room.id, &keys.ranks, &after);
        self.lookups.update(narrow(number), listed(room), &mut keys.looked_up);
        let status = after.repair_status;
        if is_forgotten {
            self.planner.update(&room.id, None);
        } else if status.differs_from(&keys.ranks.repair_status) || !keys.is_indexed {
            self.planner.update(&room.id, Some(status));
        }
        (keys.ranks, keys.is_indexed) = (after, true);
        is_forgotten
    }

    #[inline]
    /// Moves a room in the orders of the list, and counts it in the totals.
    fn rank(&mut self, number: u32, room_id: &RoomId, before: &Ranks, after: &Ranks) {
        self.orders.reorder(number, room_id, before.standing(), after.standing());
        self.totals.replace(before.totals, after.totals);
    }

    /// Gives a room another number in every index, because it takes the number of one that is gone.
    pub(crate) fn renumber(&mut self, room_id: &RoomId, keys: &IndexKeys, from: usize, to: usize) {
        let (from, to) = (narrow(from), narrow(to));
        self.schedule.renumber(from, to);
        self.orders.renumber(room_id, keys.ranks.standing(), to);
        self.lookups.renumber(&keys.looked_up, from, to);
    }

    /// Takes another time at which something is due in a room. If that is later, the room mostly keeps its place
    /// in the schedule, because heartbeats soon put it off again. It moves if it would be examined before half of
    /// the time until then is over.
    pub(crate) fn keep_up(&mut self, number: usize, due: Option<Timestamp>, now: Timestamp) {
        let examine_at = self.schedule.at(number);
        let is_too_late = earlier(examine_at, due) != examine_at;
        let is_much_too_early = examine_at
            .zip(due)
            .is_some_and(|(examine_at, due)| due.since(examine_at) > examine_at.since(now));
        if is_too_late || is_much_too_early {
            self.put_off(number, due, now);
        }
    }

    /// Sets when to examine a room: when something is due in it, or a little before if there are many rooms.
    /// Returns whether that is another time than before.
    pub(crate) fn put_off(
        &mut self,
        number: usize,
        due: Option<Timestamp>,
        now: Timestamp,
    ) -> bool {
        let number = narrow(number);
        let is_one_of_many = self.schedule.has_many();
        let examine_at =
            if is_one_of_many { due.map(|due| examine_at(due, now, number)) } else { due };
        self.schedule.set(number, examine_at, now)
    }

    /// Returns in which orders and counts it differs from another one.
    #[cfg(room_registry_check)]
    pub(super) fn difference(&self, expected: &Self) -> String {
        let parts = |index: &Self| {
            [
                format!("orders {:?}", index.orders),
                format!("lookups {:?}", index.lookups),
                format!("totals {:?}", index.totals),
            ]
        };
        let pairs = parts(self).into_iter().zip(parts(expected));
        let others = pairs.filter(|(held, expected)| held != expected);
        others.map(|(held, expected)| format!("{held} is not {expected}; ")).collect()
    }

    /// Returns how what it knows of a room differs from what the room says.
    #[cfg(room_registry_check)]
    pub(super) fn difference_of(
        &self,
        number: usize,
        room: &RoomState,
        keys: &IndexKeys,
        config: &Config,
    ) -> String {
        let ranks = Ranks::of(room, config);
        let mut difference = String::new();
        // The planner need not know that a quiet time moved, nor a room that left the list long ago.
        let is_unlisted = ranks.listed.is_none();
        // Since when a room is not listed may follow from its clock alone, which no update tells.
        let told = |status: &RepairStatus| RepairStatus {
            unlisted_since: status.unlisted_since.map(|_| Timestamp::MIN),
            ..*status
        };
        let is_same = |known: &RepairStatus| !told(&ranks.repair_status).differs_from(&told(known));
        if (keys.ranks.standing(), keys.ranks.totals) != (ranks.standing(), ranks.totals) {
            difference += &format!("{:?} is not {ranks:?}; ", keys.ranks);
        }
        let mut looked_up = LookedUp::default();
        Lookups::new(config).update(narrow(number), listed(room), &mut looked_up);
        if keys.looked_up != looked_up {
            difference += &format!("{:?} is not {looked_up:?}; ", keys.looked_up);
        }
        let known = self.planner.status(&room.id);
        if !known.as_ref().map_or(is_unlisted, is_same) {
            difference += &format!("{known:?} is not {:?}; ", ranks.repair_status);
        }
        let due = room.next_expiry(config);
        let slot = self.schedule.at(number);
        if due.is_some() && earlier(slot, due) != slot {
            difference += &format!("it is examined at {slot:?}, and something is due {due:?}; ");
        }
        difference
    }

    pub(crate) fn orders(&self) -> &Orders {
        &self.orders
    }

    pub(crate) fn totals(&self) -> Totals {
        self.totals
    }

    pub(super) fn lookups(&self) -> &Lookups {
        &self.lookups
    }
}

impl Totals {
    /// Replaces what one room adds.
    fn replace(&mut self, before: Self, after: Self) {
        self.rooms = self.rooms + after.rooms - before.rooms;
        self.sessions = self.sessions + after.sessions - before.sessions;
        self.users = self.users + after.users - before.users;
        self.streams = self.streams + after.streams - before.streams;
    }
}

/// Returns a room as readers see it, if it is listed.
fn listed(room: &RoomState) -> Option<RoomRef<'_>> {
    room.is_listed().then(|| RoomRef::new(room))
}

/// Returns when to examine one of many rooms, if something is due in it at `due`.
///
/// After a restart, all memberships have the same timeout. All rooms would come up together, though
/// heartbeats put off nearly all of them by then. So a room in which nothing is due soon comes up earlier, by
/// up to an eighth of the time that is left. The number of the room decides by how much. Then it is put off
/// once more.
fn examine_at(due: Timestamp, now: Timestamp, number: u32) -> Timestamp {
    let left = due.as_millis().saturating_sub(now.as_millis());
    if left < SOON_MS {
        return due;
    }
    // Multiplying by the golden ratio spreads neighbouring numbers evenly over 0 to 65,535.
    let part = number.wrapping_mul(0x9e37_79b9) >> 16;
    due.minus(((left / 8).min(EARLIEST_MS) * u64::from(part)) >> 16)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_room_is_examined_when_something_is_due_or_a_little_before(
            now in 0..=u64::MAX,
            left in prop_oneof![0..700_000_u64, any::<u64>()],
            number: u32,
        ) {
            let [now, due] = [now, now.saturating_add(left)].map(Timestamp::from_millis);
            let examined_at = examine_at(due, now, number);
            let early = due.since(examined_at).as_millis();
            prop_assert!((now..=due).contains(&examined_at));
            prop_assert!(early <= u128::from(left / 8).min(u128::from(EARLIEST_MS)));
            // What is examined too early is so a few times at most.
            let mut examined_at = examined_at;
            for _ in 0..8 {
                examined_at = examine_at(due, examined_at, number);
            }
            prop_assert!(left > 1_000_000 || examined_at == due);
        }
    }

    #[test]
    fn what_is_put_off_by_far_is_moved_and_what_is_put_off_a_little_stays() {
        let mut index = Index::new(&Config::default());
        let now = Timestamp::from_secs(100);
        let mut examined_at_due = |secs| {
            index.keep_up(0, Some(Timestamp::from_secs(secs)), now);
            index.schedule.at(0).map(|at| at.since(now).as_secs())
        };
        assert_eq!(examined_at_due(130), Some(30));
        assert_eq!(examined_at_due(160), Some(30), "by as long again");
        assert_eq!(examined_at_due(161), Some(61));
        assert_eq!(examined_at_due(160), Some(60), "never too late");
    }

    #[test]
    fn rooms_that_fill_at_once_come_up_one_after_the_other() {
        let due = Timestamp::from_secs(90);
        let mut sweeps = BTreeMap::<_, usize>::new();
        for number in 0..50_000 {
            let examined_at = examine_at(due, Timestamp::MIN, number);
            *sweeps.entry(examined_at.as_millis() / 1_000).or_default() += 1;
        }
        assert!(sweeps.values().all(|rooms| *rooms < 5_000), "{sweeps:?}");
    }
}
