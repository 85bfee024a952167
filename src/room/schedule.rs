//! When something of a room can next be forgotten, and of whom.

use crate::collections::order::Order;
use crate::model::id::{StreamId, UserId};
use crate::model::time::Timestamp;
use crate::registers::kind::{Streams, Users};
use crate::registers::places::Target;
use crate::registers::tables::Tables;
use crate::rules::visibility::Visible;
use crate::rules::{Rulebook, earlier};

/// When a sweep can next forget something. It follows from the registers, as all of the projection does.
#[derive(Debug, Clone, Default)]
pub(crate) struct Schedule {
    /// When a sweep can next forget something, a session included.
    pub(crate) sweep_at: Option<Timestamp>,
    /// Users and streams, by when something of them can next be forgotten.
    order: Order<(Timestamp, Forgettable)>,
}

/// Something of which a part is forgotten by itself. A session goes with all that is in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Forgettable {
    User(UserId),
    Stream(StreamId),
}

impl Schedule {
    /// Schedules what can next be forgotten of one user or stream. `scheduled` is when it is scheduled
    /// already.
    #[inline]
    pub(crate) fn set(
        &mut self,
        book: Rulebook<'_>,
        visible: Option<Visible>,
        scheduled: Option<Timestamp>,
        target: &Target<'_>,
    ) {
        let at = book.due(match target {
            Target::Session => return,
            Target::User(_, places) => book.stays_forgettable_at::<Users>(visible, &places.told),
            Target::Stream(_, places) => {
                book.stays_forgettable_at::<Streams>(visible, &places.told)
            }
        });
        if at == scheduled {
            return;
        }
        let id = match target {
            Target::Session => return,
            Target::User(id, _) => Forgettable::User((*id.id).clone()),
            Target::Stream(id, _) => Forgettable::Stream((*id.id).clone()),
        };
        let mut entry = (scheduled.unwrap_or_default(), id);
        if scheduled.is_some() {
            self.order.remove(&entry);
        }
        if let Some(at) = at {
            entry.0 = at;
            self.order.insert(entry);
        }
    }

    /// Schedules everything anew. Cost: everybody and everything.
    pub(crate) fn rebuild(&mut self, book: Rulebook<'_>, visible: Option<Visible>) {
        let mut schedule = Vec::new();
        if book.settings.retention_ms.is_some() {
            schedule.extend(all::<Users>(book, visible, Forgettable::User));
            schedule.extend(all::<Streams>(book, visible, Forgettable::Stream));
        }
        self.order = schedule.into_iter().collect(); // somebody who is met twice stands there once
        self.set_sweep(book, visible);
    }

    /// Returns the next user or stream of which something can be forgotten by now.
    pub(crate) fn next_due(&self, now: Timestamp) -> Option<Forgettable> {
        let (at, subject) = self.order.first()?;
        (*at <= now).then(|| subject.clone())
    }

    /// Finds out when a sweep can next forget something.
    #[inline]
    pub(crate) fn set_sweep(&mut self, book: Rulebook<'_>, visible: Option<Visible>) {
        let current = book.current();
        let sessions = book.sessions_due(current, visible.is_some());
        self.sweep_at = earlier(self.order.first().map(|(at, _)| *at), sessions);
    }
}

/// Returns when something of each user or stream can next be forgotten. Who stands in more than one
/// table comes more than once.
fn all<'a, K: Tables>(
    book: Rulebook<'a>,
    visible: Option<Visible>,
    subject: impl Fn(K::Id) -> Forgettable + 'a,
) -> impl Iterator<Item = (Timestamp, Forgettable)> + 'a {
    let registers = book.registers;
    let in_sessions = (0..registers.sessions.len()).flat_map(|index| registers.all_in::<K>(index));
    let in_roster = K::roster(&registers.observed).entries.iter().map(|(id, _)| id);
    let in_roster = in_roster.map(|id| (id, registers.places::<K>(id)));
    in_sessions.chain(in_roster).filter_map(move |(id, places)| {
        let at = book.due(book.stays_forgettable_at::<K>(visible, &places))?;
        Some((at, subject(id.clone())))
    })
}
