//! Pages of the users and streams of a room, in the orders of law 4.9.

use std::ops::Bound;

use crate::collections::order::Order;
use crate::model::cursor::{Direction, StreamCursor, UserCursor};
use crate::model::time::Timestamp;
use crate::read::{StreamRef, UserRef};

/// A page of a room's users.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct UserPage<'a> {
    /// The users, in the order that was asked for.
    pub users: Vec<UserRef<'a>>,
    /// Where to continue; `None` at the end of the list.
    pub next: Option<UserCursor>,
}

/// A page of a room's streams.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct StreamPage<'a> {
    /// The streams, in the order that was asked for.
    pub streams: Vec<StreamRef<'a>>,
    /// Where to continue; `None` at the end of the list.
    pub next: Option<StreamCursor>,
}

/// Fills a page with the items of an order that follow a place: `limit` of them, and at least one. Returns the
/// place of the last one if more follow. `find` returns the view of an item.
pub(super) fn fill_page<'a, I: Ord + Clone, V>(
    order: &'a Order<(Timestamp, I)>,
    limit: usize,
    after: Option<(Timestamp, &I)>,
    direction: Direction,
    mut find: impl FnMut(&'a I) -> Option<V>,
    page: &mut Vec<V>,
) -> Option<(Timestamp, &'a I)> {
    let after = after.map(|(at, id)| (at, id.clone()));
    let place = after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
    let bounds = match direction {
        Direction::OldestFirst => (place, Bound::Unbounded),
        Direction::NewestFirst => (Bound::Unbounded, place),
    };
    let mut items = order.range(bounds);
    let mut next = || match direction {
        Direction::OldestFirst => items.next(),
        Direction::NewestFirst => items.next_back(),
    };
    page.clear();
    let mut last = None;
    let mut taken = 0;
    while taken < limit.max(1)
        && let Some((at, id)) = next()
    {
        page.extend(find(id));
        last = Some((*at, id));
        taken += 1;
    }
    last.filter(|_| next().is_some())
}
