//! `cargo bench --bench observations`: whole user lists, as the media server answers them. They are of
//! rooms that are as they should be, and of rooms of which one user was lost.
#![allow(clippy::disallowed_methods, reason = "it measures time")]
#![allow(missing_docs, unreachable_pub, reason = "a program of its own")]

mod support;

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use room_registry::repair::ObservedUser;
use room_registry::{Observation, Outcome, RoomId, UserId};

use support::filled::{LOGGED_IN, logged_in};
use support::floor::Floor;
use support::obvious::Obvious;
use support::side::Side;
use support::topic::{criterion, passes};
use support::world::{MEDIUM, SKEWED, SMALL, World, at, room_id, user_id};

/// How many rooms of 20 users a pass is about.
const ROOMS: usize = 200;
/// Between two passes, in milliseconds.
const STEP: u64 = 60_000;

struct Scene {
    world: World,
    side: Side,
    /// In milliseconds after the start.
    now: u64,
    /// Whether somebody is in each room of whom no callback told.
    has_stranger: Vec<bool>,
}

fn main() {
    let mut criterion = criterion();
    for world in [SMALL, MEDIUM, SKEWED] {
        let (registry, clock, _) = logged_in(world);
        let mut sides = vec![Side::Ours(registry, clock)];
        if world.name == MEDIUM.name {
            sides.push(Side::Floor(Floor::new(world)));
            sides.push(Side::Obvious(Obvious::new(world, at(LOGGED_IN))));
        }
        let rooms: Vec<_> = world.shuffled_rooms(51).into_iter().map(|place| place.room).collect();
        for side in sides {
            let has_stranger = vec![false; world.room_count()];
            let mut scene = Scene { world, side, now: LOGGED_IN, has_stranger };
            for (name, repairs) in [
                ("list of 20 users, as they are", false),
                ("list of 20 users, one to be mended", true),
            ] {
                observe(&mut criterion, name, &mut scene, &rooms, ROOMS, repairs);
            }
            if world.large > 0 {
                let large = [world.rooms];
                for (name, repairs) in [
                    ("list of 200,000 users, as they are", false),
                    ("list of 200,000 users, one to be mended", true),
                ] {
                    observe(&mut criterion, name, &mut scene, &large, 1, repairs);
                }
            }
        }
    }
    criterion.final_summary();
}

impl Scene {
    /// Everybody who is in a room just now; `turn`, and somebody came or went of whom no callback
    /// told.
    fn answer(&mut self, room: usize, turn: bool) -> Observation {
        self.has_stranger[room] ^= turn;
        let stranger = self.has_stranger[room].then(|| self.world.users() + room);
        let users = self.world.users_of(room).chain(stranger);
        let users =
            users.map(|user| ObservedUser::new(UserId::new(user_id(user)).expect("a valid id")));
        let room_id = RoomId::new(room_id(room)).expect("a valid id");
        Observation::new(room_id, at(self.now)).users(users)
    }

    /// What became of it; the others do not tell.
    fn apply(&mut self, observation: &Observation) -> Option<Outcome> {
        let room_id = observation.room_id.as_str();
        let users = observation.users.entries().iter().map(|user| user.user_id.as_str());
        match &mut self.side {
            Side::Ours(registry, _) => registry.apply_observation(observation).ok(),
            Side::Floor(floor) => {
                let known = users.filter(|user_id| floor.get(room_id, user_id).is_some()).count();
                std::hint::black_box(known);
                None
            }
            Side::Obvious(obvious) => {
                obvious.replace(room_id, users, at(self.now));
                None
            }
        }
    }
}

fn observe(
    criterion: &mut Criterion,
    name: &str,
    scene: &mut Scene,
    rooms: &[usize],
    size: usize,
    repairs: bool,
) {
    let passes_a_round = rooms.len() / size;
    let (mut number, mut changed, mut others) = (0, 0_usize, 0_usize);
    let mut group = criterion.benchmark_group(name);
    let users: usize = rooms[..size].iter().map(|room| scene.world.users_of(*room).len()).sum();
    group.throughput(Throughput::Elements(users as u64)).sampling_mode(SamplingMode::Flat);
    let id = BenchmarkId::new(scene.side.name(), scene.world.name);
    group.bench_function(id, |bencher| {
        passes(
            bencher,
            scene,
            |scene| {
                scene.now += STEP;
                scene.side.pass_time(at(scene.now));
                let rooms = &rooms[number % passes_a_round * size..][..size];
                number += 1;
                rooms.iter().map(|room| scene.answer(*room, repairs)).collect::<Vec<_>>()
            },
            |scene, answers| {
                for answer in answers {
                    match scene.apply(answer) {
                        Some(Outcome::Applied) => changed += 1,
                        outcome => others += usize::from(outcome.is_some()),
                    }
                }
            },
        );
    });
    group.finish();
    let wrong = if repairs { others } else { changed };
    assert_eq!(wrong, 0, "{name}: of {changed} that changed something and {others} that did not");
}
