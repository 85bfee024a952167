//! Snapshots in a binary format, against plain nested maps of the same data.

use room_registry::{Config, RoomRegistry};

use super::method::{Pair, median, once};
use super::support::filled::logged_in;
use super::support::plain::{self, Rooms};
use super::support::world::MEDIUM;
use super::table::Line;

const ROUNDS: usize = 3;

pub fn lines() -> Vec<Line> {
    let (registry, clock, _) = logged_in(MEDIUM);
    let plain = plain::rooms(MEDIUM);
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
