//! Dense places, 0 to n − 1, in the order in which they were last heard of: to touch, to remove and
//! to name the oldest cost the same however many there are.
//!
//! It names places and not users, so that a heartbeat in a small room stays within a line or two of
//! memory. The places are those of a table that puts its last entry where one goes.

/// No place.
const NONE: u32 = u32::MAX;

/// A doubly linked list over the places of a table.
#[derive(Debug, Clone)]
pub(crate) struct Recency {
    links: Vec<Link>,
    oldest: u32,
    newest: u32,
}

#[derive(Debug, Clone, Copy)]
struct Link {
    older: u32,
    newer: u32,
}

impl Default for Recency {
    fn default() -> Self {
        Self { links: Vec::new(), oldest: NONE, newest: NONE }
    }
}

impl Recency {
    /// One place more, the newest.
    pub(crate) fn push(&mut self) {
        let place = u32::try_from(self.links.len())
            .expect("a room of four billion users does not fit in memory");
        self.links.push(Link { older: NONE, newer: NONE });
        self.link_newest(place);
    }

    /// Makes a place the newest.
    pub(crate) fn touch(&mut self, place: usize) {
        let place = index(place);
        if self.newest != place {
            self.unlink(place);
            self.link_newest(place);
        }
    }

    /// Takes a place out; the last one takes its number.
    pub(crate) fn swap_remove(&mut self, place: usize) {
        let place = index(place);
        self.unlink(place);
        self.links.swap_remove(place as usize);
        // Those beside the one that was the last know it by its new number.
        if let Some(Link { older, newer }) = self.links.get(place as usize).copied() {
            *self.newer_of(older) = place;
            *self.older_of(newer) = place;
        }
    }

    /// The one that was silent for longest.
    pub(crate) fn oldest(&self) -> Option<usize> {
        (self.oldest != NONE).then_some(self.oldest as usize)
    }

    /// From the longest silent on.
    #[cfg(any(test, feature = "serde"))]
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        let mut place = self.oldest;
        std::iter::from_fn(move || {
            let link = self.links.get(place as usize)?;
            let here = std::mem::replace(&mut place, link.newer);
            Some(here as usize)
        })
    }

    fn link_newest(&mut self, place: u32) {
        let older = std::mem::replace(&mut self.newest, place);
        self.links[place as usize] = Link { older, newer: NONE };
        *self.newer_of(older) = place;
    }

    fn unlink(&mut self, place: u32) {
        let Link { older, newer } = self.links[place as usize];
        *self.newer_of(older) = newer;
        *self.older_of(newer) = older;
    }

    /// What names the place after this one; of none, the oldest of all.
    fn newer_of(&mut self, place: u32) -> &mut u32 {
        self.links.get_mut(place as usize).map_or(&mut self.oldest, |link| &mut link.newer)
    }

    /// What names the place before this one; of none, the newest of all.
    fn older_of(&mut self, place: u32) -> &mut u32 {
        self.links.get_mut(place as usize).map_or(&mut self.newest, |link| &mut link.older)
    }
}

fn index(place: usize) -> u32 {
    u32::try_from(place).expect("no more places than were pushed")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_keeps_the_order_of_a_plain_queue(steps in prop::collection::vec((0..3_u8, 0..8_usize), 0..60)) {
            let mut list = Recency::default();
            // The places, the longest silent first.
            let mut queue: Vec<usize> = Vec::new();
            for (step, which) in steps {
                let which = which.checked_rem(queue.len()).unwrap_or(0);
                match step {
                    0 => {
                        list.push();
                        queue.push(queue.len());
                    }
                    1 if !queue.is_empty() => {
                        let touched = queue.remove(which);
                        list.touch(touched);
                        queue.push(touched);
                    }
                    2 if !queue.is_empty() => {
                        let gone = queue.remove(which);
                        list.swap_remove(gone);
                        let last = queue.len();
                        for place in queue.iter_mut().filter(|place| **place == last) {
                            *place = gone;
                        }
                    }
                    _ => {}
                }
                prop_assert_eq!(list.oldest(), queue.first().copied());
                prop_assert!(list.iter().eq(queue.iter().copied()));
            }
        }
    }
}
