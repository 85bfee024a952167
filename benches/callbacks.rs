//! `cargo bench --bench callbacks`: callbacks of each kind, repeats, and what comes late or in the
//! wrong order.
//!
//! Each measurement is of a pass of callbacks about rooms or users in shuffled order. Some things have to
//! be so before: a room is open, a user is in. They are brought about some passes earlier, so that they are
//! not in the cache again.
#![allow(clippy::disallowed_methods, reason = "it measures time")]
#![allow(missing_docs, unreachable_pub, reason = "a program of its own")]

mod support;

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use room_registry::event::CallbackEvent;
use room_registry::{Callback, Outcome, Timestamp};

use support::filled::{ENDED_SESSION, LOGGED_IN, SESSION, logged_in};
use support::floor::Floor;
use support::media::Media;
use support::obvious::Obvious;
use support::side::Side;
use support::topic::{criterion, passes};
use support::world::{Callbacks, MEDIUM, Place, Rng, SKEWED, SMALL, World, at};

/// How many callbacks about users a pass has.
const USERS: usize = 1_000;
/// How many rooms a pass is about.
const ROOMS: usize = 200;
/// Between two passes, in milliseconds: longer than closings are remembered.
const STEP: u64 = 700_000;
/// How many passes before its own turn a room or user is made ready.
const AHEAD: usize = 16;

/// What is measured: callbacks about a place.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    a_room_each: bool,
    /// What has to happen before, if anything.
    before: fn(&mut Media, World, Place, Timestamp) -> Vec<Callback>,
    timed: fn(&mut Media, Place, Timestamp) -> Vec<Callback>,
    /// What becomes of them, in turns.
    outcomes: &'static [Outcome],
}

const KINDS: [Kind; 7] = [
    Kind {
        name: "user logged out",
        a_room_each: false,
        before: |media, _, place, at| {
            if media.is_in(place) { vec![] } else { vec![media.log_in(place, at)] }
        },
        timed: |media, place, at| vec![media.log_out(place, at)],
        outcomes: &[Outcome::Applied],
    },
    Kind {
        name: "user logged in",
        a_room_each: false,
        before: |media, _, place, at| {
            if media.is_in(place) { vec![media.log_out(place, at)] } else { vec![] }
        },
        timed: |media, place, at| vec![media.log_in(place, at)],
        outcomes: &[Outcome::Applied],
    },
    Kind {
        name: "logout, then its login",
        a_room_each: false,
        before: |_, _, _, _| vec![],
        timed: |media, place, at| {
            let [login, logout] =
                media.visit(place, at, Timestamp::from_millis(at.as_millis() + 1_000));
            vec![logout, login]
        },
        outcomes: &[Outcome::Held, Outcome::Stale],
    },
    Kind {
        name: "stream created",
        a_room_each: true,
        before: |media, _, place, at| {
            let is_published = media.is_published(place.room);
            if is_published { vec![media.unpublish(place.room, at)] } else { vec![] }
        },
        timed: |media, place, at| vec![media.publish(place.room, at)],
        outcomes: &[Outcome::Applied],
    },
    Kind {
        name: "stream closed",
        a_room_each: true,
        before: |media, _, place, at| {
            let is_published = media.is_published(place.room);
            if is_published { vec![] } else { vec![media.publish(place.room, at)] }
        },
        timed: |media, place, at| vec![media.unpublish(place.room, at)],
        outcomes: &[Outcome::Applied],
    },
    Kind {
        name: "room closed, with its 20 users",
        a_room_each: true,
        before: |media, world, place, at| {
            let Place { room, .. } = place;
            let open = (!media.is_open(room)).then(|| media.open(room, at));
            let mut callbacks: Vec<_> = open.into_iter().collect();
            for user in world.users_of(room) {
                let place = Place { room, user };
                if !media.is_in(place) {
                    callbacks.push(media.log_in(place, at));
                }
            }
            callbacks
        },
        timed: |media, place, at| vec![media.close(place.room, at)],
        outcomes: &[Outcome::Applied],
    },
    Kind {
        name: "room created",
        a_room_each: true,
        before: |media, _, place, at| {
            if media.is_open(place.room) { vec![media.close(place.room, at)] } else { vec![] }
        },
        timed: |media, place, at| vec![media.open(place.room, at)],
        outcomes: &[Outcome::Applied],
    },
];

/// Whoever takes callbacks, in one world.
struct Scene {
    world: World,
    side: Side,
    media: Media,
    /// In milliseconds after the start.
    now: u64,
}

fn main() {
    let mut criterion = criterion();
    for world in [SMALL, MEDIUM, SKEWED] {
        let (registry, clock, _) = logged_in(world);
        let mut sides = vec![(Side::Ours(registry, clock), Media::new(world))];
        if world.name == MEDIUM.name {
            sides.push((Side::Floor(Floor::new(world)), Media::new(world)));
            sides.push((Side::Obvious(Obvious::new(world, at(LOGGED_IN))), Media::new(world)));
        }
        for (side, media) in sides {
            let mut scene = Scene { world, side, media, now: LOGGED_IN };
            // These two while the ended sessions are still remembered.
            let again = repeats(world);
            nothing_new(
                &mut criterion,
                &mut scene,
                "repeat of a login",
                &again,
                Outcome::Duplicate,
            );
            let late = late_logins(world);
            let name = "login of an ended session";
            nothing_new(&mut criterion, &mut scene, name, &late, Outcome::Stale);
            for kind in KINDS {
                of_kind(&mut criterion, &mut scene, kind);
            }
        }
    }
    large_room(&mut criterion);
    criterion.final_summary();
}

/// Every eighth of the logins that everybody had.
fn repeats(world: World) -> Vec<Callback> {
    let mut callbacks = Callbacks::new(world);
    let logins = world.places().map(|place| callbacks.logged_in(place, SESSION, 1, at(LOGGED_IN)));
    let mut logins: Vec<_> = logins.step_by(8).collect();
    Rng::new(21).shuffle(&mut logins);
    logins
}

fn late_logins(world: World) -> Vec<Callback> {
    let mut callbacks = Callbacks::new(world);
    let places = world.shuffled(22).into_iter().step_by(8);
    places.map(|place| callbacks.logged_in(place, ENDED_SESSION, 9, at(500))).collect()
}

/// Callbacks that change nothing, over and over. What no registry can beat looks the user up.
fn nothing_new(
    criterion: &mut Criterion,
    scene: &mut Scene,
    name: &str,
    callbacks: &[Callback],
    expected: Outcome,
) {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(1));
    let Scene { world, side, .. } = scene;
    let mut turns = callbacks.iter().cycle();
    let mut others = 0;
    group.bench_function(BenchmarkId::new(side.name(), world.name), |bencher| {
        bencher.iter(|| {
            let callback = turns.next().expect("there are some");
            match (&mut *side, &callback.event) {
                (Side::Floor(floor), CallbackEvent::UserLoggedIn(login)) => {
                    floor.get(callback.room_id.as_str(), login.user_id.as_str())
                }
                (side, _) => {
                    let outcome = side.apply(callback);
                    others += usize::from(outcome.is_some_and(|outcome| outcome != expected));
                    None
                }
            }
        });
    });
    group.finish();
    assert_eq!(others, 0, "{name}: not all were {expected:?}");
}

fn of_kind(criterion: &mut Criterion, scene: &mut Scene, kind: Kind) {
    if matches!(scene.side, Side::Obvious(_)) && kind.name.starts_with("stream") {
        return; // it knows nothing of streams
    }
    let (places, size) = if kind.a_room_each {
        (scene.world.shuffled_rooms(23), ROOMS)
    } else {
        (scene.world.shuffled(24), USERS)
    };
    let passes_a_round = places.len() / size;
    let ahead = AHEAD.min(passes_a_round / 2);
    let pass = |number: usize| &places[number % passes_a_round * size..][..size];
    let before = |scene: &mut Scene, places: &[Place]| {
        for place in places {
            let callbacks = (kind.before)(&mut scene.media, scene.world, *place, at(scene.now));
            for callback in callbacks {
                scene.side.apply(&callback);
            }
        }
    };
    let timed = |scene: &mut Scene, places: &[Place]| -> Vec<Callback> {
        let (media, now) = (&mut scene.media, at(scene.now));
        places.iter().flat_map(|place| (kind.timed)(media, *place, now)).collect()
    };

    scene.now += STEP;
    scene.side.pass_time(at(scene.now));
    (0..ahead).for_each(|number| before(scene, pass(number)));
    let (mut number, mut others) = (0, 0);
    let mut group = criterion.benchmark_group(kind.name);
    let callbacks = size * kind.outcomes.len();
    group.throughput(Throughput::Elements(callbacks as u64)).sampling_mode(SamplingMode::Flat);
    let id = BenchmarkId::new(scene.side.name(), scene.world.name);
    group.bench_function(id, |bencher| {
        passes(
            bencher,
            scene,
            |scene| {
                before(scene, pass(number + ahead));
                scene.now += STEP;
                scene.side.pass_time(at(scene.now));
                let callbacks = timed(scene, pass(number));
                number += 1;
                callbacks
            },
            |scene, callbacks| {
                for (callback, expected) in callbacks.iter().zip(kind.outcomes.iter().cycle()) {
                    let outcome = scene.side.apply(callback);
                    others += usize::from(outcome.is_some_and(|outcome| outcome != *expected));
                }
            },
        );
    });
    group.finish();
    assert_eq!(others, 0, "{}: not all were {:?}", kind.name, kind.outcomes);
}

/// The session of the large room closes, with everybody in it.
fn large_room(criterion: &mut Criterion) {
    let (registry, clock, _) = logged_in(SKEWED);
    let media = Media::new(SKEWED);
    let side = Side::Ours(registry, clock);
    let mut scene = Scene { world: SKEWED, side, media, now: LOGGED_IN };
    let room = SKEWED.rooms;
    let mut group = criterion.benchmark_group("room closed, with its 200,000 users");
    group
        .sampling_mode(SamplingMode::Flat)
        .throughput(Throughput::Elements(1))
        .warm_up_time(Duration::from_millis(1));
    group.bench_function(BenchmarkId::new(scene.side.name(), scene.world.name), |bencher| {
        passes(
            bencher,
            &mut scene,
            |scene| {
                scene.now += STEP;
                scene.side.pass_time(at(scene.now));
                let now = at(scene.now);
                if !scene.media.is_open(room) {
                    scene.side.apply(&scene.media.open(room, now));
                    for user in scene.world.users_of(room) {
                        scene.side.apply(&scene.media.log_in(Place { room, user }, now));
                    }
                }
                scene.media.close(room, Timestamp::from_millis(now.as_millis() + 1_000))
            },
            |scene, callback| assert_eq!(scene.side.apply(callback), Some(Outcome::Applied)),
        );
    });
    group.finish();
}
