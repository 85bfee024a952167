//! `cargo bench --bench snapshots`: a registry written and restored, in a binary format and in JSON,
//! beside plain nested maps of the same data.
#![allow(clippy::disallowed_methods, reason = "it measures time")]
#![allow(missing_docs, unreachable_pub, reason = "a program of its own")]

mod support;

use criterion::{BatchSize, BenchmarkId, Criterion, SamplingMode, Throughput};
use room_registry::{Config, ManualClock, RoomRegistry};

use support::filled::{Registry, logged_in};
use support::plain::{self, Rooms};
use support::topic::criterion;
use support::world::{MEDIUM, SMALL, World};

/// To bytes in some format, and back.
#[derive(Clone, Copy)]
struct Format<T> {
    name: &'static str,
    write: fn(&T) -> Vec<u8>,
    read: fn(&[u8], &ManualClock) -> T,
}

const OURS: [Format<Registry>; 2] = [
    Format {
        name: "postcard",
        write: |registry| postcard::to_stdvec(&registry.snapshot()).expect("plain values"),
        read: |bytes, clock| {
            let mut reader = postcard::Deserializer::from_bytes(bytes);
            RoomRegistry::restore(Config::default(), clock.clone(), &mut reader)
                .expect("just written")
        },
    },
    Format {
        name: "JSON",
        write: |registry| serde_json::to_vec(&registry.snapshot()).expect("plain values"),
        read: |bytes, clock| {
            let mut reader = serde_json::Deserializer::from_slice(bytes);
            RoomRegistry::restore(Config::default(), clock.clone(), &mut reader)
                .expect("just written")
        },
    },
];

const FLOOR: [Format<Rooms>; 2] = [
    Format {
        name: "postcard",
        write: |rooms| postcard::to_stdvec(rooms).expect("plain values"),
        read: |bytes, _| postcard::from_bytes(bytes).expect("just written"),
    },
    Format {
        name: "JSON",
        write: |rooms| serde_json::to_vec(rooms).expect("plain values"),
        read: |bytes, _| serde_json::from_slice(bytes).expect("just written"),
    },
];

fn main() {
    let mut criterion = criterion();
    for world in [SMALL, MEDIUM] {
        let (registry, clock, _) = logged_in(world);
        let plain = plain::rooms(world);
        for (ours, floor) in OURS.into_iter().zip(FLOOR) {
            let restored = (ours.read)(&(ours.write)(&registry), &clock);
            assert_eq!(restored.user_count(), world.users());
            drop(restored);
            measure(&mut criterion, "this crate", world, &registry, &clock, ours);
            measure(&mut criterion, "floor", world, &plain, &clock, floor);
        }
    }
    criterion.final_summary();
}

fn measure<T>(
    criterion: &mut Criterion,
    side: &str,
    world: World,
    value: &T,
    clock: &ManualClock,
    Format { name, write, read }: Format<T>,
) {
    let bytes = write(value);
    let mut group = criterion.benchmark_group(format!("write, {name}"));
    group.throughput(Throughput::Bytes(bytes.len() as u64)).sampling_mode(SamplingMode::Flat);
    group.bench_function(BenchmarkId::new(side, world.name), |bencher| {
        bencher.iter_batched(|| (), |()| write(value), BatchSize::PerIteration);
    });
    group.finish();
    let mut group = criterion.benchmark_group(format!("restore, {name}"));
    group.throughput(Throughput::Bytes(bytes.len() as u64)).sampling_mode(SamplingMode::Flat);
    group.bench_function(BenchmarkId::new(side, world.name), |bencher| {
        // What was read is dropped before the next one is, outside of the time.
        bencher.iter_batched(|| (), |()| read(&bytes, clock), BatchSize::PerIteration);
    });
    group.finish();
}
