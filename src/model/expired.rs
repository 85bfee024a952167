//! What an expiry did.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// What an expiry did.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use room_registry::{Config, ManualClock, NewRoom, NewUser, RoomRegistry};
///
/// let clock = ManualClock::default();
/// let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
/// registry.create_room(NewRoom::new("r1", "tom"))?;
/// registry.join_room("r1", NewUser::new("tom"))?;
/// clock.advance(Duration::from_secs(91));
/// let expired = registry.expire();
/// assert_eq!((expired.memberships, expired.rooms), (1, 0));
/// # Ok::<(), room_registry::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Expired {
    /// How many memberships ended because their heartbeats stopped.
    pub memberships: usize,
    /// How many rooms their lifecycle ended.
    pub rooms: usize,
    /// How many rooms left the list because they were empty for too long.
    pub unlisted: usize,
    /// How many remembered closings were forgotten.
    pub forgotten: usize,
    /// How many signs of lost callbacks were reported.
    pub suspected: usize,
}

impl Expired {
    /// How many steps these were, as [`expire_at_most`](crate::RoomRegistry::expire_at_most)
    /// counts them.
    ///
    /// ```
    /// # use room_registry::{Config, ManualClock, RoomRegistry};
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// assert_eq!(registry.expire().steps(), 0);
    /// ```
    #[must_use]
    pub fn steps(&self) -> usize {
        self.memberships + self.rooms + self.unlisted + self.forgotten + self.suspected
    }
}
