//! What no snapshot can beat: nested maps of what logins tell, without any rules or checks.

use compact_str::CompactString;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use super::filled::LOGGED_IN;
use super::world::{Ids, START, World, user_name};

/// What a login tells of a user.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plain {
    user_session_id: CompactString,
    login_at: u64,
    counter: u64,
    name: CompactString,
}

/// Rooms, their users, and what is known of each.
pub type Rooms = HashMap<CompactString, HashMap<CompactString, Plain>>;

/// Everybody is logged in.
pub fn rooms(world: World) -> Rooms {
    let mut rooms = Rooms::new();
    for place in world.places() {
        let Ids { room_id, user_id } = place.ids();
        let user = Plain {
            user_session_id: format!("8{:010}{:07}", place.user, 1).into(),
            login_at: START + LOGGED_IN,
            counter: 1,
            name: user_name(place.user),
        };
        rooms.entry(room_id).or_default().insert(user_id, user);
    }
    rooms
}
