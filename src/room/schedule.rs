//! Step 7: when something of a room can next be forgotten, and of whom (laws 5.4 to 5.6 and 16.6).
//!
//! The rules tell when (`rules/retention.rs`). The schedule keeps the answers in order, so that a sweep
//! finds at once whether anything is due. What the registry waits for in each room is another schedule,
//! `registry/schedule.rs`.

use crate::collections::order::Order;
use crate::model::id::{StreamId, UserId};
use crate::model::time::Timestamp;
use crate::registers::kind::{Streams, Users};
use crate::registers::places::Target;
use crate::registers::tables::Tables;
use crate::rules::visibility::Visible;
use crate::rules::{Rulebook, earlier};

/// When a sweep can next forget something. It follows from the registers, as all of the projection does.
/// All times are local.
#[derive(Debug, Clone, Default)]
pub(crate) struct Schedule {
    /// When a sweep can next forget something of a user, a stream or a session.
    pub(crate) sweep_at: Option<Timestamp>,
    /// Users and streams, by when something of them can next be forgotten. Nobody is in it twice.
    order: Order<(Timestamp, Forgettable)>,
}

/// A user or stream, of which a part can be forgotten. Sessions have no entry: there are few of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Forgettable {
    User(UserId),
    Stream(StreamId),
}

impl Schedule {
    /// Schedules what can next be forgotten of one user or stream. `scheduled` is the time at which it stands
    /// in the schedule now.
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
        let mut entry = (scheduled.unwrap_or_default(), id); // one id serves both entries
        if scheduled.is_some() {
            self.order.remove(&entry);
        }
        if let Some(at) = at {
            entry.0 = at;
            self.order.insert(entry);
        }
    }

    /// Schedules everything anew. Cost: the users, streams and sessions of the room.
    pub(crate) fn rebuild(&mut self, book: Rulebook<'_>, visible: Option<Visible>) {
        let mut schedule = Vec::new();
        if book.settings.retention_ms.is_some() {
            schedule.extend(all::<Users>(book, visible, Forgettable::User));
            schedule.extend(all::<Streams>(book, visible, Forgettable::Stream));
        }
        self.order = schedule.into_iter().collect(); // equal entries become one
        self.set_sweep(book, visible);
    }

    /// Returns all users and streams, by when something of them can next be forgotten.
    #[cfg(room_registry_check)]
    pub(crate) fn entries(&self) -> impl Iterator<Item = &(Timestamp, Forgettable)> {
        self.order.iter()
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

/// Returns when something of each user or stream can next be forgotten. One that is in more than one table
/// comes more than once, with the same time.
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
