//! Which users and streams are to be looked at when, to forget them.
//!
//! A closed thing may open again, and its entry then comes up for nothing. Such an entry is passed over
//! instead of being searched for. The first entry is always true, so that the next sweep is known.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::model::id::{StreamId, UserId};
use crate::model::time::Timestamp;

/// Users and streams, by when something of them can next be forgotten.
#[derive(Debug, Clone, Default)]
pub(super) struct Schedule(BinaryHeap<Reverse<(Timestamp, Forgettable)>>);

/// Something of which a part is forgotten by itself. A session goes with all that is in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Forgettable {
    User(UserId),
    Stream(StreamId),
}

impl Schedule {
    pub(super) fn push(&mut self, at: Timestamp, subject: Forgettable) {
        self.0.push(Reverse((at, subject)));
    }

    pub(super) fn first(&self) -> Option<(Timestamp, &Forgettable)> {
        self.0.peek().map(|Reverse((at, subject))| (*at, subject))
    }

    pub(super) fn pop(&mut self) -> Option<(Timestamp, Forgettable)> {
        self.0.pop().map(|Reverse(entry)| entry)
    }
}

impl FromIterator<(Timestamp, Forgettable)> for Schedule {
    fn from_iter<T: IntoIterator<Item = (Timestamp, Forgettable)>>(entries: T) -> Self {
        Self(entries.into_iter().map(Reverse).collect())
    }
}
