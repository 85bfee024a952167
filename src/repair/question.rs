//! What to ask the media server, and why. The planner makes questions, and the application carries them out.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::id::RoomId;
use crate::model::named::{named_enum, print_name};

/// A question for the media server: what is in this room?
///
/// Hand in the answer with [`apply_observation`](crate::RoomRegistry::apply_observation), or report
/// a failure with [`question_failed`](crate::RoomRegistry::question_failed).
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Question {
    /// The room.
    pub room_id: RoomId,
    /// Whether to ask for its users.
    pub users: bool,
    /// Whether to ask for its streams.
    pub streams: bool,
    /// Why the room is worth asking about.
    pub reason: Reason,
}

impl Question {
    /// Returns how many calls the question costs: one for each list.
    ///
    /// ```
    /// use room_registry::repair::{Planner, RepairStatus};
    /// use room_registry::{RoomId, Timestamp};
    /// let mut planner = Planner::new(10);
    /// planner.update(&RoomId::new("r1")?, Some(RepairStatus::default()));
    /// let question = planner.next(Timestamp::from_secs(100), |_| None).unwrap();
    /// assert_eq!(question.calls(), 2);
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn calls(&self) -> u32 {
        u32::from(self.users) + u32::from(self.streams)
    }
}

named_enum! {
    /// Why a room is worth asking about, the most urgent reason first.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Reason {
        /// An opening in it came too late to be let in.
        Refused = "refused",
        /// Its counters have gaps.
        Gap = "hole",
        /// It has another sign of a lost callback.
        Sign = "sign",
        /// It has been quiet since a change that no observation confirmed.
        Quiet = "tail",
        /// Its turn in the rotation has come.
        Rotation = "turn",
    }

    /// Returns the name of the reason, as it is stored and printed.
    ///
    /// ```
    /// # use room_registry::repair::Reason;
    /// assert_eq!(Reason::Rotation.name(), "turn");
    /// ```
    fn name(Self);
}

print_name!(Reason);
