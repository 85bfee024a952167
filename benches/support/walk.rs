//! What no page of a list can beat: a walk through an order, and a look-up of each whom it names.

use std::collections::BTreeSet;
use std::ops::Bound;

use hashbrown::HashMap;

/// How many entries a page has.
pub const PAGE: usize = 20;

#[derive(Debug)]
pub struct Walk {
    order: BTreeSet<(u32, u64)>,
    named: HashMap<u64, u64>,
}

impl Walk {
    pub fn new(entries: impl Iterator<Item = (u32, u64)>) -> Self {
        let order: BTreeSet<_> = entries.collect();
        let named = order.iter().map(|(_, name)| (*name, *name)).collect();
        Self { order, named }
    }

    pub fn page(&self, from: (u32, u64)) -> u64 {
        let entries = self.order.range((Bound::Excluded(from), Bound::Unbounded)).take(PAGE);
        entries.map(|(_, name)| self.named[name]).fold(0, u64::wrapping_add)
    }
}
