//! Tables over ids. Entries stand densely in *places*, 0 to n − 1, and each is found by its id.
//!
//! A place is an index, and costs nothing to look up again. It holds until an entry is removed: then the
//! last entry takes the place of the removed one, or entries move up. Sessions keep users and streams so,
//! rooms their memberships, and the registry its index of users.

use std::ops::Range;

use hashbrown::HashTable;

use crate::collections::hashed::{Hashed, Key};

/// How many ids a table may have without an index.
const MAX_TAGS: usize = 32;

/// Tells in which place each id of a table stands. The owner of the table keeps the entries themselves.
///
/// Most rooms are small, and then an index costs more than it saves. It is memory of its own, and a look-up
/// waits for it before it can wait for the entry. A *tag* for each id, right here, does nearly as well: one
/// byte of its hash. An id can only stand in a place that has its tag.
#[derive(Debug, Clone)]
pub(crate) enum Slots {
    /// The tags, by place. Those from `len` on mean nothing.
    Few { tags: [u8; MAX_TAGS], len: u8 },
    /// An index of the places, by hash.
    Many(HashTable<Slot>),
}

/// An entry of the index: a place, and the hash of the id there. With the hash, an index grows without
/// reading the ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    /// The hash of the id.
    hash: u32,
    place: u32,
}

impl Slot {
    #[inline]
    fn new(hash: u32, place: usize) -> Self {
        let place = u32::try_from(place).expect("four billion ids do not fit in memory");
        Self { hash, place }
    }

    /// Returns a hash of 64 bits, as the index needs it. It uses both ends of that, so both get the hash.
    fn spread(self) -> u64 {
        u64::from(self.hash) << 32 | u64::from(self.hash)
    }
}

impl Default for Slots {
    fn default() -> Self {
        Self::new()
    }
}

impl Slots {
    const fn new() -> Self {
        Self::Few { tags: [0; MAX_TAGS], len: 0 }
    }

    /// Returns the place of an id. `id_at` tells what stands in a place.
    pub(crate) fn find<'t>(
        &self,
        key: &(impl Key + ?Sized),
        id_at: impl Fn(usize) -> Option<&'t str>,
    ) -> Option<usize> {
        let stands_at = |place: usize| id_at(place).is_some_and(|id| id == key.text());
        let hash = key.hash();
        match self {
            Self::Few { tags, len } => {
                // Two sets of places follow, with bit i for place i: those that are filled, and those with
                // the same tag.
                let filled = !u32::MAX.checked_shl((*len).into()).unwrap_or(0);
                let mut alike = alike(tags, tag(hash)) & filled;
                while alike != 0 {
                    let place = alike.trailing_zeros() as usize;
                    if stands_at(place) {
                        return Some(place);
                    }
                    alike &= alike - 1; // takes out the lowest
                }
                None
            }
            Self::Many(slots) => {
                let is_it = |slot: &Slot| slot.hash == hash && stands_at(slot.place as usize);
                slots.find(Slot::new(hash, 0).spread(), is_it).map(|slot| slot.place as usize)
            }
        }
    }

    /// Returns the place where an id likely stands, without reading what stands there. It may be wrong.
    /// Only the prefetch of the registry uses it.
    pub(crate) fn place_hint(&self, key: &(impl Key + ?Sized)) -> Option<usize> {
        let hash = key.hash();
        match self {
            Self::Few { tags, len } => {
                let place = alike(tags, tag(hash)).trailing_zeros() as usize;
                (place < usize::from(*len)).then_some(place)
            }
            Self::Many(slots) => {
                let slot = slots.find(Slot::new(hash, 0).spread(), |slot| slot.hash == hash);
                slot.map(|slot| slot.place as usize)
            }
        }
    }

    /// Adds an id with this hash in `place`, which must come right after all others. `hash_at` tells the
    /// hash of the id in a place, in case that an index has to be made.
    pub(crate) fn push(&mut self, hash: u32, place: usize, hash_at: impl Fn(usize) -> u32) {
        match self {
            Self::Few { tags, len } if place < MAX_TAGS => {
                tags[place] = tag(hash);
                *len += 1;
            }
            Self::Few { .. } => {
                let mut slots = HashTable::with_capacity(2 * MAX_TAGS);
                for place in 0..place {
                    insert(&mut slots, Slot::new(hash_at(place), place));
                }
                insert(&mut slots, Slot::new(hash, place));
                *self = Self::Many(slots);
            }
            Self::Many(slots) => insert(slots, Slot::new(hash, place)),
        }
    }

    /// Takes an id out of its place. `last` is the id in the last place, if it is another one. It takes
    /// this place. Both are hashed only if that is needed.
    pub(crate) fn swap_remove(
        &mut self,
        hash: impl FnOnce() -> u32,
        place: usize,
        last: Option<(impl FnOnce() -> u32, usize)>,
    ) {
        match self {
            Self::Few { tags, len } => {
                *len -= 1;
                tags[place] = tags[usize::from(*len)];
            }
            Self::Many(slots) => {
                let slot = Slot::new(hash(), place);
                if let Ok(held) = slots.find_entry(slot.spread(), |held| *held == slot) {
                    held.remove();
                }
                if let Some((hash, from)) = last {
                    let moved = Slot::new(hash(), from);
                    if let Some(held) = slots.find_mut(moved.spread(), |held| *held == moved) {
                        held.place = slot.place;
                    }
                }
            }
        }
    }

    /// Whether there is no index.
    fn is_few(&self) -> bool {
        matches!(self, Self::Few { .. })
    }

    /// Makes empty slots for as many ids as there will be.
    #[cfg(feature = "serde")]
    fn with_capacity(capacity: usize) -> Self {
        if capacity > MAX_TAGS {
            Self::Many(HashTable::with_capacity(capacity))
        } else {
            Self::new()
        }
    }
}

/// Returns the tag of an id with this hash.
fn tag(hash: u32) -> u8 {
    hash.to_le_bytes()[0]
}

/// Returns the places that have a tag, with bit i for place i. The loop has no branch, so that it can
/// become a few vector instructions.
#[inline]
fn alike(tags: &[u8; MAX_TAGS], tag: u8) -> u32 {
    tags.iter().zip(0..).fold(0, |alike, (held, place)| alike | u32::from(*held == tag) << place)
}

/// Adds an entry to the index.
fn insert(slots: &mut HashTable<Slot>, slot: Slot) {
    slots.insert_unique(slot.spread(), slot, |slot| slot.spread());
}

/// Holds entries by place, and finds them by id. The order of the places depends on what was removed.
#[derive(Debug, Clone)]
pub(crate) struct IdTable<I, T> {
    /// In which place each id stands.
    slots: Slots,
    /// The entries, by place.
    entries: Vec<(I, T)>,
}

impl<I, T> Default for IdTable<I, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<I, T> IdTable<I, T> {
    pub(crate) const fn new() -> Self {
        Self { slots: Slots::new(), entries: Vec::new() }
    }
}

impl<I: AsRef<str>, T> IdTable<I, T> {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the place of an id. It holds until an entry is removed.
    #[inline]
    pub(crate) fn place_of(&self, key: &(impl Key + ?Sized)) -> Option<usize> {
        if self.entries.is_empty() {
            return None; // an empty table does not need the hash
        }
        self.slots.find(key, |place| self.entries.get(place).map(|(id, _)| id.as_ref()))
    }

    /// Returns what [`place_of`](Self::place_of) does, but first tries both places beside `found`, the one
    /// that was found before. Ids that came one after the other mostly stand side by side.
    pub(crate) fn place_beside(
        &self,
        key: &(impl Key + ?Sized),
        found: &mut usize,
    ) -> Option<usize> {
        let beside = [found.wrapping_add(1), found.wrapping_sub(1)];
        let is_here = |place: &usize| {
            self.entries.get(*place).is_some_and(|(id, _)| id.as_ref() == key.text())
        };
        let place = beside.into_iter().find(is_here).or_else(|| self.place_of(key))?;
        *found = place;
        Some(place)
    }

    /// Returns what [`Slots::place_hint`] does.
    pub(crate) fn place_hint(&self, key: &(impl Key + ?Sized)) -> Option<usize> {
        self.slots.place_hint(key)
    }

    /// Returns what stands in a place.
    #[inline]
    pub(crate) fn at(&self, place: usize) -> Option<(&I, &T)> {
        self.entries.get(place).map(|(id, held)| (id, held))
    }

    #[inline]
    pub(crate) fn at_mut(&mut self, place: usize) -> Option<&mut T> {
        self.entries.get_mut(place).map(|(_, held)| held)
    }

    pub(crate) fn contains_key(&self, key: &(impl Key + ?Sized)) -> bool {
        self.place_of(key).is_some()
    }

    pub(crate) fn get_key_value(&self, key: &(impl Key + ?Sized)) -> Option<(&I, &T)> {
        self.at(self.place_of(key)?)
    }

    pub(crate) fn get(&self, key: &(impl Key + ?Sized)) -> Option<&T> {
        self.get_key_value(key).map(|(_, held)| held)
    }

    pub(crate) fn get_mut(&mut self, key: &(impl Key + ?Sized)) -> Option<&mut T> {
        self.at_mut(self.place_of(key)?)
    }

    /// Adds an entry of an id that has none. Returns its place.
    pub(crate) fn insert_new(&mut self, id: Hashed<'_, I>, held: T) -> usize
    where
        I: Clone,
    {
        debug_assert!(!self.contains_key(&id), "{} is there", id.text());
        let place = self.entries.len();
        self.slots.push(id.hash(), place, |place| self.entries[place].0.hash());
        grow_slowly(&mut self.entries);
        self.entries.push((id.id.clone(), held));
        place
    }

    /// Takes out what stands in a place. The last entry takes the place.
    pub(crate) fn swap_remove_at(&mut self, place: usize) -> Option<(I, T)> {
        if place >= self.entries.len() {
            return None;
        }
        let (id, held) = self.entries.swap_remove(place);
        let moved = self.entries.get(place).map(|(id, _)| (|| id.hash(), self.entries.len()));
        self.slots.swap_remove(|| id.hash(), place, moved);
        // The index goes at half as many, so that one entry that comes and goes does not make one each
        // time.
        if !self.slots.is_few() && self.entries.len() <= MAX_TAGS / 2 {
            self.rebuild_slots();
        }
        Some((id, held))
    }

    /// Removes what `keep` does not want to keep. The others move up, and keep their order.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&I, &mut T) -> bool) {
        let before = self.entries.len();
        self.entries.retain_mut(|(id, held)| keep(id, held));
        if self.entries.len() < before {
            self.rebuild_slots();
        }
    }

    /// Computes all slots anew, and releases the memory of a table that is not large any more.
    fn rebuild_slots(&mut self) {
        self.slots = Slots::new();
        for (place, (id, _)) in self.entries.iter().enumerate() {
            self.slots.push(id.hash(), place, |place| self.entries[place].0.hash());
        }
        if self.entries.len() <= MAX_TAGS {
            self.entries.shrink_to(MAX_TAGS);
        }
    }

    /// Makes an empty table for as many entries as there will be.
    #[cfg(feature = "serde")]
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { slots: Slots::with_capacity(capacity), entries: Vec::with_capacity(capacity) }
    }

    /// Returns what stands in these places, or in those of them that exist.
    pub(crate) fn range(&self, places: Range<usize>) -> &[(I, T)] {
        let end = places.end.min(self.entries.len());
        self.entries.get(places.start..end).unwrap_or_default()
    }

    /// Returns all entries, by place.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&I, &T)> {
        self.entries.iter().map(|(id, held)| (id, held))
    }

    pub(crate) fn values(&self) -> impl ExactSizeIterator<Item = &T> {
        self.entries.iter().map(|(_, held)| held)
    }

    pub(crate) fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&I, &mut T)> {
        self.entries.iter_mut().map(|(id, held)| (&*id, held))
    }

    pub(crate) fn values_mut(&mut self) -> impl ExactSizeIterator<Item = &mut T> {
        self.entries.iter_mut().map(|(_, held)| held)
    }
}

/// Two tables are equal if they hold the same entries, in whatever places.
impl<I: AsRef<str>, T: PartialEq> PartialEq for IdTable<I, T> {
    fn eq(&self, other: &Self) -> bool {
        self.entries.len() == other.entries.len()
            && self.entries.iter().all(|(id, held)| other.get(id) == Some(held))
    }
}

impl<I: AsRef<str>, T: Eq> Eq for IdTable<I, T> {}

/// Serialises a map that is ordered by id, so that equal tables have equal stored forms.
#[cfg(feature = "serde")]
impl<I: Ord + serde::Serialize, T: serde::Serialize> serde::Serialize for IdTable<I, T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_unstable_by_key(|(id, _)| id);
        serializer.collect_map(entries.into_iter().map(|(id, held)| (id, held)))
    }
}

#[cfg(feature = "serde")]
impl<'de, I, T> serde::Deserialize<'de> for IdTable<I, T>
where
    I: Ord + Clone + AsRef<str> + serde::Deserialize<'de>,
    T: serde::Deserialize<'de>,
{
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = std::collections::BTreeMap::<I, T>::deserialize(deserializer)?;
        let mut table = Self::with_capacity(entries.len());
        for (id, held) in entries {
            table.insert_new(Hashed::new(&id), held);
        }
        Ok(table)
    }
}

/// By how many entries a vector grows at least.
pub(crate) const LEAST_GROWTH: usize = 4;

/// Makes room for one more entry. Most tables are small, and there are many of them. So they grow by a
/// quarter, and not to twice the size.
pub(crate) fn grow_slowly<T>(entries: &mut Vec<T>) {
    let len = entries.len();
    if len == entries.capacity() {
        entries.reserve_exact((len / 4).max(LEAST_GROWTH));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_holds_what_a_plain_map_holds(steps in prop::collection::vec((0..8_u8, 0..60_u8), 0..200)) {
            let mut table: IdTable<String, usize> = IdTable::default();
            let mut map: BTreeMap<String, usize> = BTreeMap::new();
            for (step, (what, id)) in steps.into_iter().enumerate() {
                let id = format!("u{id}");
                match what {
                    0..=4 => {
                        if let Some(held) = table.get_mut(&id) {
                            *held = step;
                        } else {
                            let place = table.insert_new(Hashed::new(&id), step);
                            prop_assert_eq!(table.at(place), Some((&id, &step)));
                        }
                        map.insert(id, step);
                    }
                    5 | 6 => {
                        let place = table.place_of(&Hashed::new(id.as_str()));
                        let removed = place.and_then(|place| table.swap_remove_at(place));
                        prop_assert_eq!(removed.map(|(_, held)| held), map.remove(&id));
                    }
                    _ => {
                        table.retain(|_, held| *held % 5 != 0);
                        map.retain(|_, held| *held % 5 != 0);
                    }
                }
                prop_assert_eq!((table.iter().len(), table.is_empty()), (map.len(), map.is_empty()));
                for id in 0..60 {
                    let id = format!("u{id}");
                    prop_assert_eq!(table.get(&id), map.get(&id));
                }
            }
            let mut found = usize::MAX;
            for (place, (id, _)) in table.iter().enumerate() {
                prop_assert_eq!(table.place_of(id), Some(place));
                prop_assert_eq!(table.place_beside(id, &mut found), Some(place));
                prop_assert_eq!(found, place);
                prop_assert!(table.place_hint(id).is_some());
            }
            prop_assert_eq!(table.place_beside("nobody", &mut found), None);
        }
    }
}
