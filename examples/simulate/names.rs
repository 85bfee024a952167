//! Ids, and back from them to what they name.

use room_registry::{RoomId, StreamId, UserId};

/// How many users there are. The same come to all rooms.
pub(crate) const USERS: usize = 32;
/// How many streams each can publish in a room.
pub(crate) const STREAMS_A_USER: usize = 2;

/// The ids of users and streams.
#[derive(Debug)]
pub(crate) struct Names {
    users: Vec<UserId>,
    streams: Vec<StreamId>,
}

impl Names {
    pub(crate) fn new() -> Self {
        let user = |index| UserId::new(format!("user-{index}")).expect("a valid id");
        let stream = |index| StreamId::new(format!("stream-{index}")).expect("a valid id");
        Self {
            users: (0..USERS).map(user).collect(),
            streams: (0..USERS * STREAMS_A_USER).map(stream).collect(),
        }
    }

    pub(crate) fn user(&self, index: usize) -> &UserId {
        &self.users[index]
    }

    pub(crate) fn stream(&self, index: usize) -> &StreamId {
        &self.streams[index]
    }

    pub(crate) fn room(index: usize) -> RoomId {
        RoomId::new(format!("room-{index:04}")).expect("a valid id")
    }
}

/// The bit of a user or stream.
pub(crate) fn bit(id: &str) -> u64 {
    1 << index(id)
}

/// Which room, user or stream an id names.
pub(crate) fn index(id: &str) -> usize {
    let digits = id.bytes().skip_while(|byte| *byte != b'-').skip(1);
    digits.fold(0, |index, digit| index * 10 + usize::from(digit - b'0'))
}
