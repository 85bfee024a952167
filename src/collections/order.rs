//! Ordered sets that are small most of the time, as the users and streams of a room are.
//!
//! A tree of a few dozen items takes twice their memory, and a reader waits for each of its nodes. So few
//! items stand in a sorted vector, and more stand in a tree. The projection keeps its lists and its
//! schedule so.

use std::collections::{BTreeSet, btree_set};
use std::ops::Bound;
use std::slice;

use crate::collections::id_table::{LEAST_GROWTH, grow_slowly};

/// How many items may stand in a vector. To insert one moves half of them, on average.
const MAX_SIDE_BY_SIDE: usize = 64;

/// Holds an ordered set.
#[derive(Debug, Clone)]
pub(crate) struct Order<T>(Held<T>);

#[derive(Debug, Clone)]
enum Held<T> {
    /// Sorted, and at most `MAX_SIDE_BY_SIDE` items.
    Few(Vec<T>),
    /// More than half of that many: see `shrink`.
    Many(BTreeSet<T>),
}

/// Iterates over a part of a set, in order.
#[derive(Debug, Clone)]
pub(crate) enum Items<'a, T> {
    Few(slice::Iter<'a, T>),
    Many(btree_set::Range<'a, T>),
}

impl<T> Default for Order<T> {
    fn default() -> Self {
        Self(Held::Few(Vec::new()))
    }
}

impl<T: Ord> Order<T> {
    pub(crate) fn len(&self) -> usize {
        match &self.0 {
            Held::Few(items) => items.len(),
            Held::Many(items) => items.len(),
        }
    }

    /// Returns all items if they stand in a vector, and an empty slice if they stand in a tree.
    pub(crate) fn few(&self) -> &[T] {
        match &self.0 {
            Held::Few(items) => items,
            Held::Many(_) => &[],
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Inserts an item, unless it is there already.
    pub(crate) fn insert(&mut self, item: T) {
        match &mut self.0 {
            Held::Few(items) => {
                // Most items come after all others, so the last one is compared first.
                let place = match items.last() {
                    Some(last) if *last >= item => items.binary_search(&item).err(),
                    Some(_) | None => Some(items.len()),
                };
                let Some(place) = place else { return };
                if items.len() < MAX_SIDE_BY_SIDE {
                    grow_slowly(items);
                    items.insert(place, item);
                } else {
                    let mut many: BTreeSet<T> = std::mem::take(items).into_iter().collect();
                    many.insert(item);
                    self.0 = Held::Many(many);
                }
            }
            Held::Many(items) => _ = items.insert(item),
        }
    }

    /// Removes an item, if it is there.
    pub(crate) fn remove(&mut self, item: &T) {
        match &mut self.0 {
            Held::Few(items) => {
                let Ok(place) = items.binary_search(item) else { return };
                items.remove(place);
                // The least capacity is kept, because one item often comes and goes.
                if items.capacity() > LEAST_GROWTH && items.len() < items.capacity() / 4 {
                    items.shrink_to_fit();
                }
            }
            Held::Many(items) => {
                items.remove(item);
                self.shrink();
            }
        }
    }

    /// Moves the items of a tree back into a vector once half as many are left as a vector may have. So one
    /// item that comes and goes does not move all others each time.
    fn shrink(&mut self) {
        if let Held::Many(items) = &mut self.0
            && items.len() <= MAX_SIDE_BY_SIDE / 2
        {
            self.0 = Held::Few(std::mem::take(items).into_iter().collect());
        }
    }

    pub(crate) fn first(&self) -> Option<&T> {
        match &self.0 {
            Held::Few(items) => items.first(),
            Held::Many(items) => items.first(),
        }
    }

    pub(crate) fn iter(&self) -> Items<'_, T> {
        self.range((Bound::Unbounded, Bound::Unbounded))
    }

    /// Returns the items between two bounds, in order. The first bound must not be above the second: this
    /// may panic.
    pub(crate) fn range(&self, (from, to): (Bound<&T>, Bound<&T>)) -> Items<'_, T> {
        match &self.0 {
            Held::Few(items) => {
                let begin = match from {
                    Bound::Included(from) => items.partition_point(|item| item < from),
                    Bound::Excluded(from) => items.partition_point(|item| item <= from),
                    Bound::Unbounded => 0,
                };
                let end = match to {
                    Bound::Included(to) => items.partition_point(|item| item <= to),
                    Bound::Excluded(to) => items.partition_point(|item| item < to),
                    Bound::Unbounded => items.len(),
                };
                Items::Few(items[begin..end].iter())
            }
            Held::Many(items) => Items::Many(items.range((from, to))),
        }
    }
}

/// Collects items in any order, and sorts them once.
impl<T: Ord> FromIterator<T> for Order<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut items: Vec<T> = items.into_iter().collect();
        items.sort_unstable();
        items.dedup();
        if items.len() <= MAX_SIDE_BY_SIDE {
            items.shrink_to_fit();
            Self(Held::Few(items))
        } else {
            Self(Held::Many(items.into_iter().collect()))
        }
    }
}

impl<'a, T: Ord> IntoIterator for &'a Order<T> {
    type Item = &'a T;
    type IntoIter = Items<'a, T>;

    fn into_iter(self) -> Items<'a, T> {
        self.iter()
    }
}

impl<'a, T> Iterator for Items<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<&'a T> {
        match self {
            Self::Few(items) => items.next(),
            Self::Many(items) => items.next(),
        }
    }
}

impl<'a, T> DoubleEndedIterator for Items<'a, T> {
    fn next_back(&mut self) -> Option<&'a T> {
        match self {
            Self::Few(items) => items.next_back(),
            Self::Many(items) => items.next_back(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Insert(u8),
        Remove(u8),
        CollectAnew,
        Clear,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            300 => any::<u8>().prop_map(Step::Insert),
            150 => any::<u8>().prop_map(Step::Remove),
            2 => Just(Step::CollectAnew),
            1 => Just(Step::Clear),
        ];
        prop::collection::vec(step, 0..600)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

        #[test]
        fn an_order_is_an_ordered_set(steps in steps()) {
            let (mut order, mut model) = (Order::default(), BTreeSet::new());
            for step in steps {
                match step {
                    Step::Insert(item) => {
                        order.insert(item);
                        model.insert(item);
                    }
                    Step::Remove(item) => {
                        order.remove(&item);
                        model.remove(&item);
                    }
                    Step::CollectAnew => {
                        order = order.iter().rev().chain(&order).copied().collect();
                    }
                    Step::Clear => {
                        order.clear();
                        model.clear();
                    }
                }
                prop_assert_eq!(order.len(), model.len());
                prop_assert!(order.iter().eq(&model), "{:?} is not {:?}", order, model);
                prop_assert_eq!(order.first(), model.first());
                prop_assert!(order.iter().rev().eq(model.iter().rev()));
                match &order.0 {
                    Held::Few(items) => prop_assert!(items.len() <= MAX_SIDE_BY_SIDE),
                    Held::Many(items) => prop_assert!(items.len() > MAX_SIDE_BY_SIDE / 2),
                }
            }
            for place in 0..=u8::MAX {
                for bound in [Bound::Included(&place), Bound::Excluded(&place), Bound::Unbounded] {
                    let (from, to) = ((bound, Bound::Unbounded), (Bound::Unbounded, bound));
                    prop_assert!(order.range(from).eq(model.range(from)));
                    prop_assert!(order.range(to).rev().eq(model.range(to).rev()));
                }
            }
        }
    }
}
