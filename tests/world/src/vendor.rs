//! Lists the forms in which media servers tell of their rooms.

use std::ops::Range;

use room_registry::RoomId;

use super::rng::Rng;
use super::room::{MediaRoom, Stays};
use super::server::Sessions;

/// What a media server tells stays and sessions apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vendor {
    /// How it tells the stays of users apart.
    pub users: Stays,
    /// How it tells the stays of streams apart.
    pub streams: Stays,
    /// How it tells of sessions.
    pub sessions: Sessions,
    /// Whether it counts its callbacks about users, and those about streams.
    pub counts: bool,
}

impl Default for Vendor {
    /// Names the first vendor.
    fn default() -> Self {
        Self {
            users: Stays::Named,
            streams: Stays::Counted,
            sessions: Sessions::Named,
            counts: true,
        }
    }
}

impl Vendor {
    /// Makes a room of this vendor in which no session runs.
    pub fn room(self, id: RoomId) -> MediaRoom {
        let room = MediaRoom::new(id).stays(self.users, self.streams);
        let room = if self.counts { room } else { room.without_counters() };
        if self.sessions == Sessions::Named { room } else { room.nameless() }
    }

    /// Answers every vendor that there may be.
    pub fn all() -> impl Iterator<Item = Self> {
        let stays = [Stays::Named, Stays::Shared, Stays::Counted, Stays::Timed];
        let sessions = [
            Sessions::Named,
            Sessions::Nameless { creates: true, closes: true },
            Sessions::Nameless { creates: false, closes: true },
            Sessions::Nameless { creates: false, closes: false },
        ];
        let sessions = sessions.into_iter().flat_map(|it| [(it, true), (it, false)]);
        sessions.flat_map(move |(sessions, counts)| {
            stays.into_iter().flat_map(move |users| {
                stays.into_iter().map(move |streams| Self { users, streams, sessions, counts })
            })
        })
    }

    /// Answers every vendor that there may be, each with seeds of its own, as many as there are numbers. So
    /// what tests make of a seed comes to all forms in time.
    pub fn each_with_seeds(numbers: Range<u64>) -> impl Iterator<Item = (Self, u64)> {
        (0..).zip(Self::all()).flat_map(move |(which, vendor)| {
            let mut rng = Rng::new(which);
            numbers.clone().map(move |_| (vendor, rng.below(1_000_000_000)))
        })
    }
}
