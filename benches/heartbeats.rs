//! `cargo bench --bench heartbeats`: heartbeats of everybody in shuffled order, one by one and in
//! batches of 16.
#![allow(clippy::disallowed_methods, reason = "it measures time")]
#![allow(missing_docs, unreachable_pub, reason = "a program of its own")]

mod support;

use criterion::{BenchmarkId, Criterion, Throughput};
use room_registry::{Heartbeat, ManualClock, Timestamp};

use support::filled::{Registry, joined};
use support::floor::Floor;
use support::obvious::Obvious;
use support::topic::criterion;
use support::world::{Ids, MEDIUM, Place, SKEWED, SMALL, World, at};

const BATCH: usize = 16;

fn main() {
    let mut criterion = criterion();
    for world in [SMALL, MEDIUM, SKEWED] {
        let ids: Vec<_> = world.shuffled(31).into_iter().map(Place::ids).collect();
        let (mut registry, clock) = joined(world);
        let mut now = 0;
        single(&mut criterion, world, &ids, (&mut registry, &clock), &mut now);
        in_batches(&mut criterion, world, &ids, (&mut registry, &clock), &mut now);
        drop(registry);
        of_others(&mut criterion, world, &ids);
    }
    criterion.final_summary();
}

/// Whose turn it is. When everybody had one, a second has passed.
struct Turns {
    next: usize,
    of: usize,
}

impl Turns {
    fn new(of: usize) -> Self {
        Self { next: 0, of }
    }

    fn turn(&mut self, now: &mut u64) -> usize {
        let turn = self.next;
        self.next += 1;
        if self.next == self.of {
            self.next = 0;
            *now += 1_000;
        }
        turn
    }
}

fn single(
    criterion: &mut Criterion,
    world: World,
    ids: &[Ids],
    (registry, clock): (&mut Registry, &ManualClock),
    now: &mut u64,
) {
    let mut turns = Turns::new(ids.len());
    let mut failed = 0;
    *now += 1_000;
    let mut group = criterion.benchmark_group("heartbeat");
    group.throughput(Throughput::Elements(1));
    group.bench_function(BenchmarkId::new("this crate", world.name), |bencher| {
        bencher.iter(|| {
            clock.set(at(*now));
            let ids = &ids[turns.turn(now)];
            let answer = registry.heartbeat(&ids.room_id, ids.user_id.as_str());
            failed += usize::from(answer != Ok(Heartbeat::Alive));
        });
    });
    group.finish();
    assert_eq!(failed, 0, "everybody is in, and in time");
}

fn in_batches(
    criterion: &mut Criterion,
    world: World,
    ids: &[Ids],
    (registry, clock): (&mut Registry, &ManualClock),
    now: &mut u64,
) {
    let ids = ids.iter().map(|ids| (ids.room_id.as_str(), ids.user_id.as_str()));
    let ids: Vec<_> = ids.collect();
    let batches: Vec<_> = ids.chunks_exact(BATCH).collect();
    let mut turns = Turns::new(batches.len());
    let mut answers = Vec::new();
    let mut failed = 0;
    *now += 1_000;
    let mut group = criterion.benchmark_group("heartbeats in batches of 16");
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function(BenchmarkId::new("this crate", world.name), |bencher| {
        bencher.iter(|| {
            clock.set(at(*now));
            registry.heartbeats(batches[turns.turn(now)], &mut answers);
            failed += answers.iter().filter(|answer| **answer != Ok(Heartbeat::Alive)).count();
        });
    });
    group.finish();
    assert_eq!(failed, 0, "everybody is in, and in time");
}

/// What no registry can beat, and what a first server does; they have no batches.
fn of_others(criterion: &mut Criterion, world: World, ids: &[Ids]) {
    let mut group = criterion.benchmark_group("heartbeat");
    group.throughput(Throughput::Elements(1));
    let mut floor = Floor::new(world);
    let (mut turns, mut now) = (Turns::new(ids.len()), 0);
    group.bench_function(BenchmarkId::new("floor", world.name), |bencher| {
        bencher.iter(|| {
            let ids = &ids[turns.turn(&mut now)];
            floor.store(&ids.room_id, &ids.user_id, now)
        });
    });
    drop(floor);
    let mut obvious = Obvious::new(world, Timestamp::MIN);
    let mut turns = Turns::new(ids.len());
    group.bench_function(BenchmarkId::new("obvious", world.name), |bencher| {
        bencher.iter(|| {
            let ids = &ids[turns.turn(&mut now)];
            obvious.heartbeat(&ids.room_id, &ids.user_id, at(now))
        });
    });
    group.finish();
}
