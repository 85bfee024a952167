//! The roles of a room's users: how many have each (law 18.12), and who does not count (law 18.9). It is a
//! part of the projection.

use std::collections::BTreeSet;

use smallvec::SmallVec;

use crate::model::id::UserId;
use crate::model::text::Role;
use crate::room::visible::VisibleUser;

/// What follows from the roles of the users in the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Roles {
    /// How many users have each role, ordered by role; `None` stands for no role. A room rarely has more
    /// than three.
    counts: SmallVec<[(Option<Role>, usize); 1]>,
    /// The users whose roles do not count.
    uncounted: BTreeSet<UserId>,
}

impl Roles {
    /// Takes a user in who came into the list. Cost: the logarithm of the roles, and all of them if the role
    /// is new.
    #[inline]
    pub(super) fn add(&mut self, user: VisibleUser<'_>) {
        let role = user.role();
        match self.place(role) {
            Ok(place) => self.counts[place].1 += 1,
            Err(place) => self.counts.insert(place, (role.cloned(), 1)),
        }
        if !user.is_counted {
            self.uncounted.insert(user.id.clone());
        }
    }

    /// Takes a user out who had this role. Cost: as of [`add`](Self::add).
    #[inline]
    pub(super) fn remove(&mut self, user_id: &UserId, role: Option<&Role>) {
        if let Ok(place) = self.place(role) {
            self.counts[place].1 -= 1;
            if self.counts[place].1 == 0 {
                self.counts.remove(place);
            }
        }
        self.uncounted.remove(user_id);
    }

    /// Returns how many users have each role.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (Option<&Role>, usize)> {
        self.counts.iter().map(|(role, count)| (role.as_ref(), *count))
    }

    /// Returns how many users do not count.
    #[inline]
    pub(crate) fn uncounted(&self) -> usize {
        self.uncounted.len()
    }

    /// Whether the role of a user in the list is one that counts.
    pub(super) fn is_counted(&self, user_id: &UserId) -> bool {
        !self.uncounted.contains(user_id)
    }

    /// Returns where a role stands among the counts, or where it would stand.
    fn place(&self, role: Option<&Role>) -> Result<usize, usize> {
        self.counts.binary_search_by(|(held, _)| held.as_ref().cmp(&role))
    }
}
