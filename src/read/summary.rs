//! The lines of the rooms that a call changed: a room without its users and streams.

use crate::model::id::RoomId;
use crate::model::summary::SummaryChange;
use crate::read::RoomRef;
use crate::room::changes::Changes;
use crate::room::state::RoomState;

impl Changes<'_> {
    /// Returns the lines of the rooms that the call changed, for a lobby that shows no users. Each comes
    /// once, in the order in which the rooms first changed. A line that stayed the same may be among them.
    ///
    /// Followers of lines alone need no [`Mirror`](crate::Mirror) of all users. Cost: the logarithm of the
    /// rooms, for each change.
    ///
    /// ```
    /// use room_registry::visible::SummaryChange;
    /// use room_registry::{Config, ManualClock, NewRoom, NewUser, RoomRegistry};
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// registry.join_room("r1", NewUser::new("ann"))?;
    /// let lines = registry.changes().summaries();
    /// assert!(matches!(&lines[..], [SummaryChange::RoomSummary(room)] if room.user_count == 1));
    /// registry.end_room("r1")?;
    /// let lines = registry.changes().summaries();
    /// assert!(matches!(&lines[..], [SummaryChange::RoomUnlisted { room_id }] if room_id == "r1"));
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    #[must_use]
    pub fn summaries(&self) -> Vec<SummaryChange> {
        let line = |(room_id, room): (&RoomId, Option<&RoomState>)| match room {
            Some(room) => SummaryChange::RoomSummary(RoomRef::new(room).summary()),
            None => SummaryChange::RoomUnlisted { room_id: room_id.clone() },
        };
        self.changed_lines().into_iter().map(line).collect()
    }
}
