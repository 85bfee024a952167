//! The expiry schedule: when the registry examines each room next. What can next be forgotten within a room is
//! another schedule, `room/schedule.rs`. All times are local.
//!
//! Nearly every time nothing is due in the room, because heartbeats put it off. So a room that is *far* stands
//! in the list of its second only, in no order. It costs next to nothing to put it there and to take it away.
//! When a second begins, its rooms become *near* if they are still due in it, and get an order. If there are
//! not many rooms, all are near, so the next time is known exactly.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::time::Timestamp;

/// Below this number of rooms, all are near.
const EXACT_UNTIL: usize = 1_000;

/// When to examine each room, by the number of the room.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    /// One for each room, by its number.
    slots: Vec<Slot>,
    /// The rooms that are near, by when to examine them.
    near: BTreeSet<(Timestamp, u32)>,
    /// The rooms that are far, by the second in which to examine them.
    far: BTreeMap<Second, Vec<u32>>,
}

/// When to examine a room.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    /// When; `None` if nothing is due in the room.
    at: Option<Timestamp>,
    /// Its position in the list of its second; `None` if it is near.
    place: Option<u32>,
}

/// A second, counted from 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Second(u64);

impl Second {
    fn of(at: Timestamp) -> Self {
        Self(at.as_millis() / 1_000)
    }

    fn begins_at(self) -> Timestamp {
        Timestamp::from_millis(self.0 * 1_000)
    }
}

impl Schedule {
    /// Returns whether there are so many rooms that the next time is not known exactly.
    pub(super) fn has_many(&self) -> bool {
        self.slots.len() >= EXACT_UNTIL
    }

    /// Returns when to examine a room.
    pub(super) fn at(&self, number: usize) -> Option<Timestamp> {
        self.slots.get(number)?.at
    }

    /// Sets when to examine a room. Returns whether that is another time than before.
    pub(super) fn set(&mut self, number: u32, at: Option<Timestamp>, now: Timestamp) -> bool {
        let before = self.slot(number).at;
        if before == at {
            return false;
        }
        self.strike_out(number);
        if let Some(at) = at {
            let place = self.put(number, at, now);
            *self.slot(number) = Slot { at: Some(at), place };
        }
        true
    }

    /// Gives the room that has the last number the number of a room that is gone.
    pub(super) fn renumber(&mut self, last: u32, number: u32) {
        let moved = *self.slot(last);
        if let Slot { at: Some(at), place: None } = moved {
            self.near.remove(&(at, last));
            self.near.insert((at, number));
        }
        if let Slot { at: Some(at), place: Some(place) } = moved
            && let Some(numbers) = self.far.get_mut(&Second::of(at))
        {
            numbers[place as usize] = number;
        }
        *self.slot(number) = moved;
        *self.slot(last) = Slot::default();
    }

    /// Drops the slots of numbers that no room has any more.
    pub(super) fn truncate(&mut self, rooms: usize) {
        debug_assert!(
            self.slots.iter().skip(rooms).all(|slot| slot.at.is_none()),
            "those are gone"
        );
        self.slots.truncate(rooms);
    }

    /// Takes out all rooms of the first second that has any, if that second has begun by then. The caller sets
    /// each of them again, with the time at which something is due in it now.
    pub(super) fn open(&mut self, by: Timestamp) -> Option<Vec<u32>> {
        let second = self.far.first_entry()?;
        if *second.key() > Second::of(by) {
            return None;
        }
        let numbers = second.remove();
        for number in &numbers {
            *self.slot(*number) = Slot::default();
        }
        Some(numbers)
    }

    /// Returns the rooms that are near, with the longest due first.
    pub(super) fn near(&self) -> impl Iterator<Item = (Timestamp, usize)> {
        self.near.iter().map(|(at, number)| (*at, *number as usize))
    }

    /// Returns the start of the first second of those that are far.
    pub(super) fn far(&self) -> Option<Timestamp> {
        self.far.first_key_value().map(|(second, _)| second.begins_at())
    }

    /// Puts a room among those that are near or far. Returns its position in the list of its second, if it is
    /// far.
    fn put(&mut self, number: u32, at: Timestamp, now: Timestamp) -> Option<u32> {
        let second = Second::of(at);
        if !self.has_many() || second <= Second::of(now) {
            self.near.insert((at, number));
            return None;
        }
        let numbers = self.far.entry(second).or_default();
        numbers.push(number);
        Some(narrow(numbers.len() - 1))
    }

    /// Takes a room out, wherever it stands. The last room of a second takes its position.
    fn strike_out(&mut self, number: u32) {
        let Slot { at: Some(at), place } = std::mem::take(self.slot(number)) else { return };
        let Some(place) = place else {
            self.near.remove(&(at, number));
            return;
        };
        let second = Second::of(at);
        let Some(numbers) = self.far.get_mut(&second) else { return };
        numbers.swap_remove(place as usize);
        if let Some(moved) = numbers.get(place as usize) {
            self.slots[*moved as usize].place = Some(place);
        } else if numbers.is_empty() {
            self.far.remove(&second);
        }
    }

    /// Returns the slot of a room, and makes it if there is none.
    fn slot(&mut self, number: u32) -> &mut Slot {
        let number = number as usize;
        if number >= self.slots.len() {
            self.slots.resize_with(number + 1, Slot::default);
        }
        &mut self.slots[number]
    }
}

/// Returns the number of a room in four bytes, as the indexes hold it.
pub(super) fn narrow(number: usize) -> u32 {
    u32::try_from(number).expect("four billion rooms do not fit in memory")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn all_come_up_in_the_order_of_a_plain_list(
            filled in prop_oneof![0..40_u32, 900..1_100_u32],
            steps in prop::collection::vec((0..8_u8, any::<prop::sample::Index>(), 0..9_000_u64), 0..300),
        ) {
            let ms = Timestamp::from_millis;
            let mut schedule = Schedule::default();
            let mut list: Vec<Option<Timestamp>> = Vec::new();
            let mut now = 50_000;
            for number in 0..filled {
                let at = ms(now + u64::from(number) * 37 % 10_000);
                prop_assert!(schedule.set(number, Some(at), ms(now)));
                list.push(Some(at));
            }
            for (step, which, span) in steps {
                let which = which.index(list.len().max(1));
                match step {
                    0..=2 => {
                        let at = ms((now + span).saturating_sub(1_000));
                        let is_other = list.get(which) != Some(&Some(at));
                        prop_assert_eq!(schedule.set(narrow(which), Some(at), ms(now)), is_other);
                        list.resize(list.len().max(which + 1), None);
                        list[which] = Some(at);
                    }
                    3 => {
                        let was_set = list.get(which).is_some_and(Option::is_some);
                        prop_assert_eq!(schedule.set(narrow(which), None, ms(now)), was_set);
                        list.resize(list.len().max(which + 1), None);
                        list[which] = None;
                    }
                    4 if which < list.len() => {
                        schedule.set(narrow(which), None, ms(now));
                        list.swap_remove(which);
                        if which < list.len() {
                            schedule.renumber(narrow(list.len()), narrow(which));
                        }
                        schedule.truncate(list.len());
                    }
                    5 => {
                        let at = ms(now + span * 2);
                        schedule.set(narrow(list.len()), Some(at), ms(now));
                        list.push(Some(at));
                    }
                    _ => {
                        now += span / 4;
                        while let Some(opened) = schedule.open(ms(now)) {
                            for number in opened {
                                prop_assert_eq!(schedule.at(number as usize), None);
                                schedule.set(number, list[number as usize], ms(now));
                            }
                        }
                        let mut due: Vec<_> = (0..)
                            .zip(&list)
                            .filter_map(|(number, at)| Some(((*at)?, number)))
                            .filter(|(at, _)| *at <= ms(now))
                            .collect();
                        due.sort_unstable();
                        let near = schedule.near().take_while(|(at, _)| *at <= ms(now));
                        prop_assert!(near.eq(due.iter().copied()));
                    }
                }
                let far = schedule.far.values().map(Vec::len).sum::<usize>();
                prop_assert_eq!(schedule.near.len() + far, list.iter().flatten().count());
                for (number, at) in list.iter().enumerate() {
                    prop_assert_eq!(schedule.at(number), *at);
                }
                let next = schedule.near().next().map(|(at, _)| at).into_iter().chain(schedule.far()).min();
                prop_assert!(schedule.slots.len() <= list.len());
                prop_assert!(next.is_some() == list.iter().any(Option::is_some));
                prop_assert!(next <= list.iter().flatten().min().copied());
                prop_assert!(filled >= 900 || schedule.far().is_none());
            }
        }
    }
}
