//! Makes ids, and leads back from them to what they name. Ids of a kind have one length, so that their
//! order is that of the numbers in them.

use room_registry::{RoomId, StreamId, UserId};

/// How many users there are. The same come to all rooms.
pub const USERS: usize = 32;
/// How many streams each can publish in a room.
pub const STREAMS_A_USER: usize = 2;

/// The ids of users and streams.
#[derive(Debug)]
pub struct Names {
    users: Vec<UserId>,
    streams: Vec<StreamId>,
}

impl Default for Names {
    fn default() -> Self {
        Self::new()
    }
}

impl Names {
    /// Makes them all, once.
    pub fn new() -> Self {
        let user = |index| UserId::new(format!("user-{index:02}")).expect("a valid id");
        let stream = |index| StreamId::new(format!("stream-{index:02}")).expect("a valid id");
        Self {
            users: (0..USERS).map(user).collect(),
            streams: (0..USERS * STREAMS_A_USER).map(stream).collect(),
        }
    }

    /// Names a user.
    pub fn user(&self, index: usize) -> &UserId {
        &self.users[index]
    }

    /// Names a stream.
    pub fn stream(&self, index: usize) -> &StreamId {
        &self.streams[index]
    }

    /// Names a room.
    pub fn room(index: usize) -> RoomId {
        RoomId::new(format!("room-{index:04}")).expect("a valid id")
    }
}

/// Answers the bit of a user or stream in [`Lists`](super::server::Lists).
pub fn bit(id: &str) -> u64 {
    1 << index(id)
}

/// Answers which room, user or stream an id names.
pub fn index(id: &str) -> usize {
    let digits = id.bytes().skip_while(|byte| *byte != b'-').skip(1);
    digits.fold(0, |index, digit| index * 10 + usize::from(digit - b'0'))
}
