//! Heartbeats, one by one and in batches.

use std::hash::RandomState;
use std::hint::black_box;

use room_registry::Heartbeat;

use super::method::{Pair, Rounds, count};
use super::support::filled::joined;
use super::support::floor::{Floor, KeyedFloor, LadenFloor};
use super::support::obvious::Obvious;
use super::support::world::{Ids, MEDIUM, Place, at};
use super::table::Line;

const ROUNDS: Rounds = Rounds { rounds: 15, operations: 20_000 };
const BATCH: usize = 16;

pub fn lines() -> Vec<Line> {
    let (mut registry, clock) = joined(MEDIUM);
    clock.set(at(1_000));
    let ids: Vec<_> = MEDIUM.shuffled(1).into_iter().map(Place::ids).collect();
    let mut floor = Floor::new(MEDIUM);

    let single = ROUNDS.alternate(
        &mut (&mut registry, &mut floor),
        (&ids, |(registry, _), ids| {
            registry.heartbeat(&ids.room_id, ids.user_id.as_str()) == Ok(Heartbeat::Alive)
        }),
        (&ids, |(_, floor), ids| floor.store(&ids.room_id, &ids.user_id, 1_000)),
    );

    let keyed = floor_with(KeyedFloor::of(MEDIUM), &mut floor, &ids);
    let laden = floor_with(LadenFloor::of(MEDIUM), &mut floor, &ids);

    // Those of whom nobody was heard above.
    let rest = &ids[ROUNDS.total()..];
    let batches: Vec<[Ids; BATCH]> =
        rest.chunks_exact(BATCH).filter_map(|batch| batch.to_vec().try_into().ok()).collect();
    let rounds = Rounds { rounds: ROUNDS.rounds, operations: batches.len() / (ROUNDS.rounds * 17) };
    let alone = &rest[rounds.total() * BATCH..];
    let mut answers = Vec::new();
    let in_batches = rounds.alternate(
        &mut registry,
        (&batches, |registry, batch| {
            let heartbeats = batch.each_ref().map(|ids| (&*ids.room_id, &*ids.user_id));
            registry.heartbeats(&heartbeats, &mut answers);
            black_box(answers.len())
        }),
        (alone, |registry, ids| registry.heartbeat(&ids.room_id, ids.user_id.as_str()).is_ok()),
    );
    let in_batches = Pair { ours: in_batches.ours / count(BATCH), floor: in_batches.floor };

    drop(floor);
    let mut obvious = Obvious::new(MEDIUM, at(0));
    let obvious = ROUNDS.alternate(
        &mut (&mut registry, &mut obvious),
        (&ids, |(registry, _), ids| registry.heartbeat(&ids.room_id, ids.user_id.as_str()).is_ok()),
        (&ids, |(_, obvious), ids| obvious.heartbeat(&ids.room_id, &ids.user_id, at(1))),
    );

    let allocations = allocation_counter::measure(|| {
        for ids in &ids[..1_000] {
            black_box(registry.heartbeat(&ids.room_id, ids.user_id.as_str()).is_ok());
        }
    });
    vec![
        Line::new("heartbeat, isolated; floor: look-up and store", single, 1.25),
        Line::known("the floor with a keyed hash; floor: look-up and store", keyed),
        Line::known("the same with our bytes a user; floor: look-up and store", laden),
        Line::new("heartbeat in a batch of 16; floor: our single one", in_batches, 0.5),
        Line::known("heartbeat, isolated; floor: the obvious version", obvious),
        Line::allocations("heartbeats, 1,000", count_of(allocations.count_total)),
    ]
}

/// What the floor would cost with something that a registry cannot do without.
fn floor_with<const BALLAST: usize>(
    mut with: Floor<RandomState, BALLAST>,
    floor: &mut Floor,
    ids: &[Ids],
) -> Pair {
    ROUNDS.alternate(
        &mut (&mut with, floor),
        (ids, |(with, _), ids| with.store(&ids.room_id, &ids.user_id, 1_000)),
        (ids, |(_, floor), ids| floor.store(&ids.room_id, &ids.user_id, 1_000)),
    )
}

pub fn count_of(number: u64) -> f64 {
    count(usize::try_from(number).unwrap_or(usize::MAX))
}
