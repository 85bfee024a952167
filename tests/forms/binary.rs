//! Snapshots, rooms and journals in a format that does not describe itself: what is read must be
//! all that was written, in its order.

use proptest::prelude::*;
use room_registry::journal::{Command, Input, JournalEntry};
use room_registry::{Config, ManualClock, Mirror, NewRoom, NewUser, Room, RoomRegistry, Timestamp};
use room_registry_world::effort::properties;
use room_registry_world::history::{Options, valid_history};
use room_registry_world::inputs::input;
use room_registry_world::junk::junk_callback;

type Registry = RoomRegistry<ManualClock>;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// A registry after some inputs, each so long after the one before.
fn played(inputs: Vec<(u64, Input)>) -> Registry {
    let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    let mut now = 1_004_000; // where the junk is stamped
    for (pause, input) in inputs {
        now += pause;
        let _refusals_are_part_of_the_play = registry.replay(&JournalEntry::new(at(now), input));
    }
    registry
}

fn inputs() -> impl Strategy<Value = Vec<(u64, Input)>> {
    let input = prop_oneof![input(), junk_callback().prop_map(Input::from)];
    prop::collection::vec((0..2_000_u64, input), 0..40)
}

fn restored(bytes: &[u8]) -> Result<Registry, postcard::Error> {
    let mut reader = postcard::Deserializer::from_bytes(bytes);
    let clock = ManualClock::default();
    let registry = RoomRegistry::restore_exactly(Config::default(), clock, &mut reader)?;
    let rest = reader.finalize()?;
    if rest.is_empty() { Ok(registry) } else { Err(postcard::Error::DeserializeBadEncoding) }
}

fn saved(registry: &Registry) -> Vec<u8> {
    postcard::to_stdvec(&registry.snapshot()).unwrap()
}

proptest! {
    #![proptest_config(properties(100))]

    #[test]
    fn what_is_read_from_bytes_is_what_was_written_as_whole_and_room_by_room(inputs in inputs()) {
        let registry = played(inputs);
        let restored = restored(&saved(&registry)).unwrap();
        let json = |registry: &Registry| serde_json::to_value(registry.snapshot()).unwrap();
        prop_assert_eq!(json(&restored), json(&registry));
        prop_assert_eq!(restored.rooms().collect::<Mirror>(), registry.rooms().collect());
        prop_assert_eq!(restored.next_expiry().is_some(), registry.next_expiry().is_some());
        for room_id in ["room", "other"] {
            let Some(room) = registry.export(room_id) else { continue };
            let bytes = postcard::to_stdvec(&room).unwrap();
            let read: Room = postcard::from_bytes(&bytes).unwrap();
            prop_assert_eq!(serde_json::to_value(&read).unwrap(), serde_json::to_value(&room).unwrap());
        }
    }

    #[test]
    fn entries_of_a_journal_are_read_from_bytes(received_at: u64, input in input()) {
        let entry = JournalEntry::new(at(received_at), input);
        let bytes = postcard::to_stdvec(&entry).unwrap();
        prop_assert_eq!(postcard::from_bytes::<JournalEntry>(&bytes).unwrap(), entry);
    }

    #[test]
    fn bytes_of_any_kind_are_an_error_or_a_registry(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(registry) = restored(&bytes) {
            prop_assert_eq!(saved(&registry).is_empty(), false);
        }
    }
}

/// A registry with something of everything.
fn full() -> Registry {
    let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    let history = valid_history(7, Options { callbacks: 25, skew: 50, ..Options::default() });
    let start = history[0].latest_time();
    let create = NewRoom::new("room", "tom").name("Tom's show").attribute("mode", "talk");
    registry.replay(&JournalEntry::new(start, Command::CreateRoom(create))).unwrap();
    for callback in history {
        let at = callback.latest_time();
        registry.replay(&JournalEntry::new(at, callback)).unwrap();
    }
    registry.join_room("room", NewUser::new("ann").name("Ann")).unwrap();
    registry
}

#[test]
fn bytes_that_lost_their_end_are_an_error() {
    let bytes = saved(&full());
    restored(&bytes).unwrap();
    for end in 0..bytes.len() {
        assert!(restored(&bytes[..end]).is_err(), "{end} of {} bytes", bytes.len());
    }
}

#[test]
fn a_bit_that_fell_over_is_an_error_or_gives_a_registry_that_is_whole() {
    let bytes = saved(&full());
    let mut errors = 0;
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << bit;
            let Ok(mut registry) = restored(&damaged) else {
                errors += 1;
                continue;
            };
            // A name or a time is another. Whatever it is, all of it is there and can be used.
            let again = restored(&saved(&registry)).unwrap();
            assert_eq!(saved(&again), saved(&registry), "byte {place}, bit {bit}");
            let users: usize = registry.rooms().map(|room| room.users().count()).sum();
            assert_eq!(registry.user_count(), users, "byte {place}, bit {bit}");
            registry.grant_grace();
            registry.expire();
        }
    }
    assert!(errors > bytes.len(), "most of what is damaged is noticed: {errors}");
}
