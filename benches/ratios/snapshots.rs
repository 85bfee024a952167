//! Snapshots in a binary format, against plain nested maps of the same data.

use compact_str::CompactString;
use hashbrown::HashMap;
use room_registry::{Config, RoomRegistry};
use serde::{Deserialize, Serialize};

use super::method::{Pair, median, once};
use super::support::filled::{LOGGED_IN, logged_in};
use super::support::world::{Ids, MEDIUM, START, user_name};
use super::table::Line;

const ROUNDS: usize = 3;

/// What a login tells of a user.
#[derive(Debug, Serialize, Deserialize)]
struct Plain {
    user_session_id: CompactString,
    login_at: u64,
    counter: u64,
    name: CompactString,
}

/// Rooms, their users, and what is known of each.
type Rooms = HashMap<CompactString, HashMap<CompactString, Plain>>;

pub fn lines() -> Vec<Line> {
    let (registry, clock, _) = logged_in(MEDIUM);
    let mut plain = Rooms::new();
    for place in MEDIUM.places() {
        let Ids { room_id, user_id } = place.ids();
        let user = Plain {
            user_session_id: format!("8{:010}{:07}", place.user, 1).into(),
            login_at: START + LOGGED_IN,
            counter: 1,
            name: user_name(place.user),
        };
        plain.entry(room_id).or_default().insert(user_id, user);
    }
    let (mut writes, mut plain_writes) = (Vec::new(), Vec::new());
    let (mut reads, mut plain_reads) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (bytes, span) = once(|| postcard::to_stdvec(&plain).expect("plain values"));
        plain_writes.push(span);
        let (read, span) = once(|| postcard::from_bytes::<Rooms>(&bytes).expect("just written"));
        plain_reads.push(span);
        assert_eq!(read.len(), MEDIUM.rooms);
        drop((read, bytes));
        let (bytes, span) =
            once(|| postcard::to_stdvec(&registry.snapshot()).expect("plain values"));
        writes.push(span);
        let (read, span) = once(|| {
            let mut reader = postcard::Deserializer::from_bytes(&bytes);
            RoomRegistry::restore(Config::default(), clock.clone(), &mut reader)
                .expect("just written")
        });
        reads.push(span);
        assert_eq!(read.user_count(), MEDIUM.users());
    }
    let write = Pair { ours: median(&mut writes), floor: median(&mut plain_writes) };
    let read = Pair { ours: median(&mut reads), floor: median(&mut plain_reads) };
    vec![
        Line::new("snapshot, write; floor: plain nested maps", write, 2.0),
        Line::new("snapshot, restore; floor: plain nested maps", read, 4.0),
    ]
}
