//! The entries of a table in the order in which they were last heard of: to touch, to remove and to
//! name the oldest cost the same however many there are.
//!
//! The links stand in the entries and name places, so that a heartbeat in a small room stays within
//! a few lines of memory.

use std::mem;

use crate::time::Timestamp;

/// No place.
const NONE: u32 = u32::MAX;

/// The two ends of a list through the entries of a table, which hold its links.
#[derive(Debug, Clone)]
pub(crate) struct Recency {
    oldest: u32,
    newest: u32,
}

/// When an entry was last heard of, and which others before and after.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) heard_at: Timestamp,
    older: u32,
    newer: u32,
}

impl Link {
    pub(crate) fn new(heard_at: Timestamp) -> Self {
        Self { heard_at, older: NONE, newer: NONE }
    }
}

/// A table whose entries stand densely and hold links.
pub(crate) trait Linked {
    fn link(&self, place: usize) -> Option<&Link>;
    fn link_mut(&mut self, place: usize) -> Option<&mut Link>;
}

impl Default for Recency {
    fn default() -> Self {
        Self { oldest: NONE, newest: NONE }
    }
}

impl Recency {
    /// Takes in a place that is in no list, as the newest.
    pub(crate) fn push(&mut self, links: &mut impl Linked, place: usize) {
        let place = index(place);
        let older = mem::replace(&mut self.newest, place);
        if let Some(link) = links.link_mut(place as usize) {
            (link.older, link.newer) = (older, NONE);
        }
        *self.newer_of(links, older) = place;
    }

    /// Makes a place the newest.
    pub(crate) fn touch(&mut self, links: &mut impl Linked, place: usize) {
        if self.newest != index(place) {
            self.unlink(links, place);
            self.push(links, place);
        }
    }

    /// Takes a place out, before the table does, whose last entry then takes its number.
    pub(crate) fn swap_remove(&mut self, links: &mut impl Linked, place: usize, last: usize) {
        self.unlink(links, place);
        // Those beside the last one know it by its new number.
        if place != last
            && let Some(&Link { older, newer, .. }) = links.link(last)
        {
            *self.newer_of(links, older) = index(place);
            *self.older_of(links, newer) = index(place);
        }
    }

    /// The one that was silent for longest.
    pub(crate) fn oldest(&self) -> Option<usize> {
        (self.oldest != NONE).then_some(self.oldest as usize)
    }

    /// From the longest silent on.
    #[cfg(any(test, feature = "serde"))]
    pub(crate) fn iter(&self, links: &impl Linked) -> impl Iterator<Item = usize> {
        let mut place = self.oldest;
        std::iter::from_fn(move || {
            let link = links.link(place as usize)?;
            Some(mem::replace(&mut place, link.newer) as usize)
        })
    }

    fn unlink(&mut self, links: &mut impl Linked, place: usize) {
        let Some(&Link { older, newer, .. }) = links.link(place) else { return };
        *self.newer_of(links, older) = newer;
        *self.older_of(links, newer) = older;
    }

    /// What names the place after this one; of none, the oldest of all.
    fn newer_of<'a>(&'a mut self, links: &'a mut impl Linked, place: u32) -> &'a mut u32 {
        links.link_mut(place as usize).map_or(&mut self.oldest, |link| &mut link.newer)
    }

    /// What names the place before this one; of none, the newest of all.
    fn older_of<'a>(&'a mut self, links: &'a mut impl Linked, place: u32) -> &'a mut u32 {
        links.link_mut(place as usize).map_or(&mut self.newest, |link| &mut link.older)
    }
}

fn index(place: usize) -> u32 {
    u32::try_from(place).expect("a table of four billion entries does not fit in memory")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    impl Linked for Vec<Link> {
        fn link(&self, place: usize) -> Option<&Link> {
            self.get(place)
        }

        fn link_mut(&mut self, place: usize) -> Option<&mut Link> {
            self.get_mut(place)
        }
    }

    proptest! {
        #[test]
        fn it_keeps_the_order_of_a_plain_queue(steps in prop::collection::vec((0..3_u8, 0..8_usize), 0..60)) {
            let mut list = Recency::default();
            let mut links: Vec<Link> = Vec::new();
            // The places, the longest silent first.
            let mut queue: Vec<usize> = Vec::new();
            for (step, which) in steps {
                let which = which.checked_rem(queue.len()).unwrap_or(0);
                match step {
                    0 => {
                        links.push(Link::new(Timestamp::MIN));
                        list.push(&mut links, queue.len());
                        queue.push(queue.len());
                    }
                    1 if !queue.is_empty() => {
                        let touched = queue.remove(which);
                        list.touch(&mut links, touched);
                        queue.push(touched);
                    }
                    2 if !queue.is_empty() => {
                        let gone = queue.remove(which);
                        let last = queue.len();
                        list.swap_remove(&mut links, gone, last);
                        links.swap_remove(gone);
                        for place in queue.iter_mut().filter(|place| **place == last) {
                            *place = gone;
                        }
                    }
                    _ => {}
                }
                prop_assert_eq!(list.oldest(), queue.first().copied());
                prop_assert!(list.iter(&links).eq(queue.iter().copied()));
            }
        }
    }
}
