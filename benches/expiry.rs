//! `cargo bench --bench expiry`: sweeps each second, beside the heartbeats of everybody each half a minute.
//! In them nobody, a few and many turn out to be gone.
#![allow(clippy::disallowed_methods, reason = "it measures time")]
#![allow(missing_docs, unreachable_pub, reason = "a program of its own")]

mod support;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use room_registry::{NewUser, Timestamp};

use support::filled::joined;
use support::floor::Floor;
use support::obvious::Obvious;
use support::side::Side;
use support::topic::{criterion, passes};
use support::world::{Ids, MEDIUM, Place, Rng, SKEWED, SMALL, World, at};

/// A heartbeat of everybody every so many seconds.
const EVERY_SECS: usize = 30;
/// In so many sweeps after they came those are gone who are never heard of again.
const GONE_AFTER: usize = 91;

fn main() {
    let mut criterion = criterion();
    for world in [SMALL, MEDIUM, SKEWED] {
        let ids: Vec<_> = world.shuffled(41).into_iter().map(Place::ids).collect();
        for (name, due) in
            [("sweep, nobody due", 0), ("sweep, 16 due", 16), ("sweep, 1,000 due", 1_000)]
        {
            let (registry, clock) = joined(world);
            let ours = Side::Ours(registry, clock);
            sweep(&mut criterion, name, &mut Scene::new(world, &ids, ours, due));
            if world.name == MEDIUM.name {
                let floor = Side::Floor(Floor::new(world));
                sweep(&mut criterion, name, &mut Scene::new(world, &ids, floor, due));
                let obvious = Side::Obvious(Obvious::new(world, at(0)));
                sweep(&mut criterion, name, &mut Scene::new(world, &ids, obvious, due));
            }
        }
    }
    criterion.final_summary();
}

/// Whoever is swept, in one world, second by second.
struct Scene<'a> {
    world: World,
    ids: &'a [Ids],
    side: Side,
    /// Last heartbeats in an array, which the floor scans; it removes those who are due by name.
    times: Vec<u64>,
    /// How many come each second and are never heard of again.
    due: usize,
    second: usize,
    /// Those who came in each of the last seconds.
    came: Vec<Vec<Ids>>,
    /// Those of them who are due now.
    gone: Vec<Ids>,
    rng: Rng,
}

impl<'a> Scene<'a> {
    fn new(world: World, ids: &'a [Ids], side: Side, due: usize) -> Self {
        let came = vec![Vec::new(); GONE_AFTER];
        let times = vec![0; world.users()];
        let mut scene =
            Self { world, ids, side, times, due, second: 0, came, gone: vec![], rng: Rng::new(42) };
        for _ in 0..GONE_AFTER {
            scene.next_second();
            scene.sweep();
        }
        scene
    }

    /// Some users are heard of, and some new ones come. Those who came long enough ago are due now.
    fn next_second(&mut self) {
        self.second += 1;
        let now = at(1_000 * self.second as u64);
        self.side.set_time(now);
        let beating = self.ids.len() / EVERY_SECS;
        for ids in &self.ids[self.second % EVERY_SECS * beating..][..beating] {
            let is_in = match &mut self.side {
                Side::Ours(registry, _) => {
                    registry.heartbeat(&ids.room_id, ids.user_id.as_str()).is_ok()
                }
                Side::Floor(floor) => floor.store(&ids.room_id, &ids.user_id, self.second as u64),
                Side::Obvious(obvious) => obvious.heartbeat(&ids.room_id, &ids.user_id, now),
            };
            assert!(is_in);
        }
        let newcomers: Vec<_> = (0..self.due)
            .map(|number| {
                // Nobody's else, nor that of anybody who came lately.
                let user = self.world.users() + self.second % 1_000 * 1_000 + number;
                let room = self.world.room_of(self.rng.below(self.world.users()));
                Place { room, user }.ids()
            })
            .collect();
        let slot = self.second % GONE_AFTER;
        for Ids { room_id, user_id } in &newcomers {
            match &mut self.side {
                Side::Ours(registry, _) => {
                    registry.join_room(room_id, NewUser::new(user_id.as_str())).expect("it is new");
                }
                Side::Floor(floor) => floor.insert(room_id, user_id),
                Side::Obvious(obvious) => obvious.join(room_id, user_id, now),
            }
        }
        self.gone = std::mem::replace(&mut self.came[slot], newcomers);
    }

    /// How many went.
    fn sweep(&mut self) -> usize {
        let since = 1_000 * (self.second as u64).saturating_sub(90);
        match &mut self.side {
            Side::Ours(registry, _) => registry.expire().memberships,
            Side::Floor(floor) => {
                let late = black_box(&self.times).iter().filter(|at| **at > since + 1_000).count();
                black_box(late);
                self.gone
                    .iter()
                    .filter(|ids| floor.remove(&ids.room_id, &ids.user_id).is_some())
                    .count()
            }
            Side::Obvious(obvious) => obvious.expire(Timestamp::from_millis(at(since).as_millis())),
        }
    }
}

fn sweep(criterion: &mut Criterion, name: &str, scene: &mut Scene<'_>) {
    let due = scene.due;
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(due.max(1) as u64)).sampling_mode(SamplingMode::Flat);
    // The heartbeats of a second take far longer than its sweep.
    group.measurement_time(Duration::from_secs(1));
    let id = BenchmarkId::new(scene.side.name(), scene.world.name);
    group.bench_function(id, |bencher| {
        passes(bencher, scene, Scene::next_second, |scene, ()| {
            assert_eq!(scene.sweep(), due);
        });
    });
    group.finish();
}
