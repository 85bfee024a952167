//! What the planner must know about a room: the repair status. The room computes it from its registers and its
//! projection, and a store keeps it beside the room. Laws 17.1, 17.4 and 17.5.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::config::Config;
use crate::model::time::Timestamp;
use crate::repair::question::Reason;
use crate::room::Room;
use crate::room::state::RoomState;

/// What a [`Planner`](crate::repair::Planner) must know about a room.
/// [`Room::repair_status`](crate::Room::repair_status) returns it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct RepairStatus {
    /// The local time from which an opening that came too late is worth asking about.
    pub refused_at: Option<Timestamp>,
    /// The local time from which a gap is worth asking about.
    #[cfg_attr(feature = "serde", serde(rename = "hole_at"))]
    pub gap_at: Option<Timestamp>,
    /// The local time from which another sign is worth asking about.
    pub sign_at: Option<Timestamp>,
    /// The local time from which the room counts as quiet.
    #[cfg_attr(feature = "serde", serde(rename = "tail_at"))]
    pub quiet_at: Option<Timestamp>,
    /// The event time until which observations confirmed the lists that can be asked for.
    pub confirmed_at: Option<Timestamp>,
    /// The local time since which the room has not been listed and nothing has been heard about it.
    #[cfg_attr(feature = "serde", serde(rename = "unseen_since"))]
    pub unlisted_since: Option<Timestamp>,
    /// Whether gaps and signs concern its users.
    pub users: bool,
    /// Whether gaps and signs concern its streams.
    pub streams: bool,
}

impl RepairStatus {
    /// Returns whether the planner must be told. It need not know that a quiet time only moved, because it asks
    /// for the present status before it asks about a quiet room.
    #[inline]
    pub(crate) fn differs_from(&self, before: &Self) -> bool {
        self.quiet_at.is_some() != before.quiet_at.is_some()
            || Self { quiet_at: None, ..*self } != Self { quiet_at: None, ..*before }
    }

    /// Returns the times from which the room has signs that are worth asking about, by their reasons.
    pub(super) fn urgent(&self) -> impl Iterator<Item = (Timestamp, Reason)> {
        let refused = self.refused_at.map(|at| (at, Reason::Refused));
        let gap = self.gap_at.map(|at| (at, Reason::Gap));
        let sign = self.sign_at.map(|at| (at, Reason::Sign));
        refused.into_iter().chain(gap).chain(sign)
    }

    /// Returns the repair status of a room. Cost: constant if both lists can be asked for, else its signs.
    #[inline]
    pub(crate) fn of(room: &RoomState, config: &Config) -> Self {
        // An answer resolves nothing that is younger than the clock skew (law 12.2). So a question waits for
        // that and a second more (law 17.4).
        let skew_ms = room.settings.clock_skew_ms.saturating_add(1_000);
        let grace_ms = config.ask_after_ms.max(skew_ms);
        let ask_at = |noticed_at: Option<Timestamp>| noticed_at.map(|at| at.plus(grace_ms));
        let worth = room.worth_asking(config.can_ask);
        Self {
            // It does not wait (law 17.4): an opening that comes too late is older than the retention.
            refused_at: worth.refused_noticed_at,
            gap_at: ask_at(worth.gap_noticed_at),
            sign_at: ask_at(worth.sign_noticed_at),
            quiet_at: room
                .unconfirmed(config.can_ask)
                .map(|changed_at| changed_at.plus(config.quiet_for_ms)),
            confirmed_at: room.confirmed_at(config.can_ask),
            unlisted_since: room.unlisted_since(),
            users: worth.users,
            streams: worth.streams,
        }
    }
}

impl Room {
    /// Returns what a [`Planner`](crate::repair::Planner) must know about the room. Cost: constant.
    ///
    /// ```
    /// use room_registry::{Config, Room, RoomId};
    /// let config = Config::default();
    /// let room = Room::new(RoomId::new("r1")?, &config);
    /// assert_eq!(room.repair_status(&config).confirmed_at, None);
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn repair_status(&self, config: &Config) -> RepairStatus {
        RepairStatus::of(self.state(), config)
    }
}
