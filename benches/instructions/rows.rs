//! What is counted: each operation of a scene, one after the other.
#![allow(missing_docs, unused_qualifications, reason = "what the macros make of it")]

use std::hint::black_box;

use gungraun::{Callgrind, EntryPoint, LibraryBenchmarkConfig};
use gungraun::{library_benchmark, library_benchmark_group, main};
use room_registry::{Callback, NewUser};

use super::scenes::{self, Scene};
use super::support::filled::Registry;
use super::support::lists::Lists;
use super::support::world::Ids;

#[library_benchmark]
#[bench::turns(Scene::<Registry, Callback>::turns())]
#[bench::repeats(Scene::<Registry, Callback>::repeats())]
#[bench::late(Scene::<Registry, Callback>::late())]
#[bench::late_without_sign(Scene::late_in_members(false))]
#[bench::late_with_sign(Scene::late_in_members(true))]
#[bench::streams_without_sign(Scene::streams_of_members(false))]
#[bench::streams_with_sign(Scene::streams_of_members(true))]
fn callbacks(mut scene: Scene<Registry, Callback>) -> Scene<Registry, Callback> {
    for callback in &scene.operations {
        black_box(scene.registry.apply_callback(callback));
    }
    scene
}

#[library_benchmark]
#[bench::turns(Scene::<Lists, Callback>::turns())]
#[bench::repeats(Scene::<Lists, Callback>::repeats())]
fn lists_alone(mut scene: Scene<Lists, Callback>) -> Scene<Lists, Callback> {
    for callback in &scene.operations {
        black_box(scene.registry.apply(callback));
    }
    scene
}

#[library_benchmark]
#[bench::of_members(Scene::<Registry, Ids>::heartbeats())]
fn heartbeats(mut scene: Scene<Registry, Ids>) -> Scene<Registry, Ids> {
    for Ids { room_id, user_id } in &scene.operations {
        let _ = black_box(scene.registry.heartbeat(room_id, user_id.as_str()));
    }
    scene
}

// Users leave, and each joins again at once; one of the two is counted.
#[library_benchmark]
#[bench::leave(args = (Scene::members()), config = within("*::rows::leave"))]
#[bench::join(args = (Scene::members()), config = within("*::rows::join"))]
fn members(scene: Scene<Registry, (Ids, NewUser)>) -> Registry {
    let Scene { mut registry, operations } = scene;
    for (ids, user) in operations {
        leave(&mut registry, &ids);
        join(&mut registry, &ids, user);
    }
    registry
}

#[inline(never)]
fn leave(registry: &mut Registry, Ids { room_id, user_id }: &Ids) {
    let _ = black_box(registry.leave_room(room_id, user_id.as_str()));
}

#[inline(never)]
fn join(registry: &mut Registry, Ids { room_id, .. }: &Ids, user: NewUser) {
    let _ = black_box(registry.join_room(room_id, user));
}

#[library_benchmark]
#[bench::silent_users(scenes::due())]
fn expire(mut registry: Registry) -> Registry {
    black_box(registry.expire());
    registry
}

library_benchmark_group!(
    name = instructions,
    benchmarks = [callbacks, lists_alone, heartbeats, members, expire]
);
main!(
    config = LibraryBenchmarkConfig::default().tool(callgrind()),
    library_benchmark_groups = instructions
);

fn callgrind() -> Callgrind {
    Callgrind::with_args(["--cache-sim=no"])
}

/// Counts what a function does and not the whole loop.
fn within(function: &str) -> LibraryBenchmarkConfig {
    let mut callgrind = callgrind();
    callgrind.entry_point(EntryPoint::Custom(function.to_owned()));
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(callgrind);
    config
}

/// Hands over to gungraun: it starts its runner, or makes the operations that the runner asks for.
pub fn run() {
    main();
}
