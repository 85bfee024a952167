//! `cargo bench --bench sharded`: heartbeats and callbacks on one thread and on two. The registries share
//! the rooms by a hash of their ids and nothing else.
//!
//! What comes in is routed into a queue for each shard beforehand: measured is what the registries do. One
//! thread works on the shards one after the other, two threads on one each; both take turns, and of each
//! the median counts. A room is in one shard, so a large one makes for uneven shards. The table tells how
//! much of the work is in the larger one, and how much two threads can gain by it at most.
#![allow(clippy::print_stdout, clippy::disallowed_macros, reason = "a program of its own")]
#![allow(clippy::disallowed_methods, reason = "it measures time, and starts threads")]
#![allow(missing_docs, unreachable_pub, reason = "a program of its own")]

mod support;

use std::thread;

use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};
use room_registry::{Callback, Config, Heartbeat, ManualClock, Outcome, RoomRegistry};

use support::filled::{ENDED_SESSION, LOGGED_IN, OPENED, Registry, SESSION};
use support::media::Media;
use support::method::{count, median, once};
use support::world::{Callbacks, Ids, MEDIUM, Place, SKEWED, World, at};

const SHARDS: usize = 2;
/// How often each number of threads has its turn.
const ROUNDS: usize = 7;
/// What comes in, in a turn.
const HEARTBEATS: usize = 400_000;
/// Logouts, each with the login after it.
const RELOGINS: usize = 50_000;

fn main() {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header([
        "world",
        "input",
        "1 thread, a second",
        "2 threads, a second",
        "ratio",
        "in the larger shard",
        "at most",
    ]);
    for world in [MEDIUM, SKEWED] {
        for line in measure(world) {
            table.add_row(line);
        }
    }
    for column in 2..7 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    println!("{table}");
    let processors = thread::available_parallelism().map_or(0, usize::from);
    println!("{processors} processors");
}

/// Which shard has a room.
fn shard_of(room_id: &str) -> usize {
    let fnv = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let hash = room_id.bytes().fold(0xcbf2_9ce4_8422_2325, fnv);
    usize::try_from(hash % SHARDS as u64).unwrap_or(0)
}

/// One of the registries.
struct Shard {
    registry: Registry,
    clock: ManualClock,
}

/// What comes in, in one turn, for one shard.
#[derive(Default)]
struct Queue<'a> {
    heartbeats: Vec<&'a Ids>,
    callbacks: Vec<Callback>,
}

impl Shard {
    fn beat(&mut self, queue: &Queue<'_>) -> usize {
        let alive = queue.heartbeats.iter().filter(|ids| {
            self.registry.heartbeat(&ids.room_id, ids.user_id.as_str()) == Ok(Heartbeat::Alive)
        });
        alive.count()
    }

    fn apply(&mut self, queue: &Queue<'_>) -> usize {
        let applied = queue
            .callbacks
            .iter()
            .filter(|callback| self.registry.apply_callback(callback) == Outcome::Applied);
        applied.count()
    }
}

/// Everybody is logged in, and has a membership by a heartbeat.
fn filled(world: World) -> (Vec<Shard>, Media) {
    let mut shards: Vec<_> = (0..SHARDS)
        .map(|_| {
            let clock = ManualClock::at(at(LOGGED_IN));
            Shard { registry: RoomRegistry::with_clock(Config::default(), clock.clone()), clock }
        })
        .collect();
    let mut callbacks = Callbacks::new(world);
    let mut apply = |callback: Callback| {
        shards[shard_of(callback.room_id.as_str())].registry.apply_callback(&callback)
    };
    for room in 0..world.room_count() {
        apply(Callbacks::closed(room, ENDED_SESSION, at(1_000)));
        apply(Callbacks::created(room, SESSION, at(OPENED)));
    }
    for place in world.places() {
        apply(callbacks.logged_in(place, SESSION, 1, at(LOGGED_IN)));
    }
    (shards, Media::new(world))
}

fn measure(world: World) -> Vec<[String; 7]> {
    let (mut shards, mut media) = filled(world);
    let places = world.shuffled(61);
    let ids: Vec<_> = places.iter().copied().map(Place::ids).collect();
    for ids in &ids {
        let shard = &mut shards[shard_of(&ids.room_id)];
        assert!(shard.registry.heartbeat(&ids.room_id, ids.user_id.as_str()).is_ok());
    }
    let (mut beats, mut relogins) = ([vec![], vec![]], [vec![], vec![]]);
    let mut larger = [0.0, 0.0];
    let mut now = LOGGED_IN;
    for turn in 0..2 * ROUNDS {
        now += 4_000;
        let from = turn * HEARTBEATS % ids.len();
        let heartbeats = ids.iter().cycle().skip(from).take(HEARTBEATS);
        let from = turn * RELOGINS % places.len();
        let turns = places.iter().copied().cycle().skip(from).take(RELOGINS);
        let queues = routed(heartbeats, turns, &mut media, now);
        larger = [
            share(&queues, |queue| queue.heartbeats.len()),
            share(&queues, |queue| queue.callbacks.len()),
        ];
        for shard in &shards {
            shard.clock.set(at(now + 2_000));
        }
        let threads = turn % 2;
        let (alive, span) = once(|| on_threads(threads + 1, &mut shards, &queues, Shard::beat));
        assert_eq!(alive, HEARTBEATS);
        beats[threads].push(span);
        let (applied, span) = once(|| on_threads(threads + 1, &mut shards, &queues, Shard::apply));
        assert_eq!(applied, 2 * RELOGINS);
        relogins[threads].push(span);
    }
    let line = |input: &str, operations: usize, spans: &mut [Vec<f64>; 2], larger: f64| {
        let [one, two] = spans.each_mut().map(|spans| median(spans));
        let a_second = |span: f64| format!("{:.2} M", count(operations) / span * 1e3);
        [
            world.name.to_owned(),
            input.to_owned(),
            a_second(one),
            a_second(two),
            format!("{:.2}", one / two),
            format!("{:.0} %", larger * 100.0),
            format!("{:.2}", 1.0 / larger),
        ]
    };
    vec![
        line("heartbeats", HEARTBEATS, &mut beats, larger[0]),
        line("logouts and logins", 2 * RELOGINS, &mut relogins, larger[1]),
    ]
}

/// A queue for each shard.
fn routed<'a>(
    heartbeats: impl Iterator<Item = &'a Ids>,
    relogins: impl Iterator<Item = Place>,
    media: &mut Media,
    now: u64,
) -> Vec<Queue<'a>> {
    let mut queues: Vec<_> = (0..SHARDS).map(|_| Queue::default()).collect();
    for ids in heartbeats {
        queues[shard_of(&ids.room_id)].heartbeats.push(ids);
    }
    for place in relogins {
        let (out, back) = (media.log_out(place, at(now)), media.log_in(place, at(now + 1_000)));
        queues[shard_of(out.room_id.as_str())].callbacks.extend([out, back]);
    }
    queues
}

/// How much of the work is in the shard that has the most.
fn share(queues: &[Queue<'_>], work: impl Fn(&Queue<'_>) -> usize) -> f64 {
    let most = queues.iter().map(&work).max().unwrap_or(0);
    count(most) / count(queues.iter().map(&work).sum())
}

/// How many went as they should.
fn on_threads(
    threads: usize,
    shards: &mut [Shard],
    queues: &[Queue<'_>],
    work: fn(&mut Shard, &Queue<'_>) -> usize,
) -> usize {
    let pairs = shards.iter_mut().zip(queues);
    if threads == 1 {
        return pairs.map(|(shard, queue)| work(shard, queue)).sum();
    }
    thread::scope(|scope| {
        let workers: Vec<_> =
            pairs.map(|(shard, queue)| scope.spawn(move || work(shard, queue))).collect();
        workers.into_iter().map(|worker| worker.join().expect("no panic")).sum()
    })
}
