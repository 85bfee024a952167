//! What is where in Redis.
//!
//! All keys begin with one prefix, so that several services share a server.
//!
//! | key | type | holds |
//! |---|---|---|
//! | `room:<id>` | hash | a room: its version, body, summary, standing, and its places in the lists |
//! | `beats:<id>` | sorted set | the connections of the members of a listed room, by their last heartbeat |
//! | `by-time`, `by-users`, `by-id` | sorted sets | the listed rooms, ordered by text |
//! | `held` | sorted set | all rooms, also those that are only remembered |
//! | `due` | sorted set | rooms, by when something is due |
//! | `totals`, `hosts` | hashes | users and streams in all; how many rooms a host has |
//! | `events`, `standings` | streams | what changed, for listeners; and for the repair |
//! | `versions` | counter | the last version that a room was given |
//! | `leader` | hash | which process leads the repair, and until when |
//! | `alive`, `grace` | instants | when a process last reached the server; when all were given a grace |

use room_registry::UserConnection;
use room_registry::page::{RoomCursor, RoomOrder};

/// How many bytes stand before the id in the lists by time and by users.
pub(super) const KEY_LEN: usize = 16;

/// The names of the keys.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    prefix: String,
}

impl Keys {
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(super) fn room(&self, room_id: &str) -> String {
        self.named("room:") + room_id
    }

    pub(super) fn beats(&self, room_id: &str) -> String {
        self.named("beats:") + room_id
    }

    /// A key that is there once, or what the keys of rooms begin with.
    pub(super) fn named(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The list that serves an order.
    pub(super) fn list(&self, order: RoomOrder) -> Option<String> {
        let name = match order {
            RoomOrder::Newest | RoomOrder::Oldest => "by-time",
            RoomOrder::MostUsers => "by-users",
            RoomOrder::Id => "by-id",
            _ => return None,
        };
        Some(self.named(name))
    }
}

/// The place of a room in the list that serves an order: as text, so that rooms with equal keys are
/// ordered by id. Most users come first, so their number is counted down.
pub(super) fn place(cursor: &RoomCursor) -> String {
    let key = match cursor.order() {
        RoomOrder::MostUsers => u64::MAX - cursor.key(),
        RoomOrder::Id => return cursor.room_id().to_string(),
        _ => cursor.key(),
    };
    format!("{key:016x}{}", cursor.room_id())
}

/// The cursor of a place, the reverse of [`place`]; `None` if it is none.
pub(super) fn cursor(order: RoomOrder, place: &str) -> Option<RoomCursor> {
    let (key, room_id) = if order == RoomOrder::Id {
        (0, place)
    } else {
        let (key, room_id) = place.split_at_checked(KEY_LEN)?;
        (u64::from_str_radix(key, 16).ok()?, room_id)
    };
    let key = if order == RoomOrder::MostUsers { u64::MAX - key } else { key };
    Some(RoomCursor::new(order, key, room_id.parse().ok()?))
}

/// The name of a connection among the heartbeats of a room. No id holds a tab.
pub(super) fn beat_of(user: UserConnection<'_>) -> String {
    match user.connection_id {
        None => user.user_id.to_owned(),
        Some(connection_id) => format!("{}\t{connection_id}", user.user_id),
    }
}

/// The connection that has a name among the heartbeats.
pub(super) fn user_of(beat: &str) -> UserConnection<'_> {
    match beat.split_once('\t') {
        None => beat.into(),
        Some(pair) => pair.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_and_its_cursor_tell_the_same() {
        for text in ["newest~0~1~a", "oldest~1763596800027~3~é ", "users~12~2~{}", "id~0~2~zz"] {
            let held: RoomCursor = text.parse().unwrap();
            assert_eq!(cursor(held.order(), &place(&held)), Some(held), "{text}");
        }
        let forged: RoomCursor = "users~18446744073709551615~1~a".parse().unwrap();
        assert_eq!(place(&forged), "0000000000000000a");
    }

    #[test]
    fn rooms_with_more_users_stand_before_those_with_fewer() {
        let place_of = |text: &str| place(&text.parse().unwrap());
        assert!(place_of("users~10~1~b") < place_of("users~9~1~a"));
        assert!(place_of("users~9~1~a") < place_of("users~9~1~b"));
    }
}
