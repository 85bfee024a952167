//! A list of users in the order in which they were last heard of: to touch, to remove and to name
//! the oldest cost the same however many there are.

use crate::id::UserId;

const NONE: u32 = u32::MAX;

/// A doubly linked list in a slab. A place stays the same until its user is removed.
#[derive(Debug, Clone)]
pub(crate) struct Recency {
    places: Vec<Place>,
    oldest: u32,
    newest: u32,
    /// The first of the free places, which are chained by `newer`.
    free: u32,
}

#[derive(Debug, Clone)]
struct Place {
    /// `None` where the place is free.
    user_id: Option<UserId>,
    older: u32,
    newer: u32,
}

impl Default for Recency {
    fn default() -> Self {
        Self { places: Vec::new(), oldest: NONE, newest: NONE, free: NONE }
    }
}

impl Recency {
    /// Adds a user as the newest. Returns the user's place.
    pub(crate) fn push(&mut self, user_id: UserId) -> u32 {
        let place = Place { user_id: Some(user_id), older: NONE, newer: NONE };
        let index = if self.free == NONE {
            self.places.push(place);
            u32::try_from(self.places.len() - 1)
                .expect("a room of four billion users does not fit in memory")
        } else {
            let index = self.free;
            self.free = self.at(index).newer;
            *self.at_mut(index) = place;
            index
        };
        self.link_newest(index);
        index
    }

    /// Makes a user the newest.
    pub(crate) fn touch(&mut self, index: u32) {
        if self.newest != index {
            self.unlink(index);
            self.link_newest(index);
        }
    }

    /// Removes the user of a place.
    pub(crate) fn remove(&mut self, index: u32) {
        self.unlink(index);
        *self.at_mut(index) = Place { user_id: None, older: NONE, newer: self.free };
        self.free = index;
    }

    /// The user who was touched longest ago.
    pub(crate) fn oldest(&self) -> Option<&UserId> {
        self.places.get(self.oldest as usize)?.user_id.as_ref()
    }

    /// All users, who was touched longest ago first.
    #[cfg(any(test, feature = "serde"))]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &UserId> {
        let mut index = self.oldest;
        std::iter::from_fn(move || {
            let place = self.places.get(index as usize)?;
            index = place.newer;
            place.user_id.as_ref()
        })
    }

    fn link_newest(&mut self, index: u32) {
        let older = self.newest;
        self.newest = index;
        let place = self.at_mut(index);
        place.older = older;
        place.newer = NONE;
        if older == NONE {
            self.oldest = index;
        } else {
            self.at_mut(older).newer = index;
        }
    }

    fn unlink(&mut self, index: u32) {
        let Place { older, newer, .. } = *self.at(index);
        if older == NONE {
            self.oldest = newer;
        } else {
            self.at_mut(older).newer = newer;
        }
        if newer == NONE {
            self.newest = older;
        } else {
            self.at_mut(newer).older = older;
        }
    }

    fn at(&self, index: u32) -> &Place {
        &self.places[index as usize]
    }

    fn at_mut(&mut self, index: u32) -> &mut Place {
        &mut self.places[index as usize]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_keeps_the_order_of_a_plain_queue(steps in prop::collection::vec((0..3_u8, 0..8_usize), 0..60)) {
            let mut list = Recency::default();
            let mut queue: VecDeque<(u32, UserId)> = VecDeque::new();
            for (step, which) in steps {
                let which = which.checked_rem(queue.len()).unwrap_or(0);
                match step {
                    0 => {
                        let user_id = UserId::new(format!("u{}", queue.len())).unwrap();
                        queue.push_back((list.push(user_id.clone()), user_id));
                    }
                    1 if !queue.is_empty() => {
                        let touched = queue.remove(which).unwrap();
                        list.touch(touched.0);
                        queue.push_back(touched);
                    }
                    2 if !queue.is_empty() => list.remove(queue.remove(which).unwrap().0),
                    _ => {}
                }
                prop_assert_eq!(list.oldest(), queue.front().map(|(_, user_id)| user_id));
                prop_assert!(list.iter().eq(queue.iter().map(|(_, user_id)| user_id)));
            }
            while let Some((place, user_id)) = queue.pop_front() {
                prop_assert_eq!(list.oldest(), Some(&user_id));
                list.remove(place);
            }
            prop_assert_eq!(list.oldest(), None);
        }
    }
}
