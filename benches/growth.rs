//! `cargo bench --bench growth`: what operations cost while the users grow from ten thousand to five
//! million, twenty a room.
//!
//! `-- --users N` goes no further than N users, `--plot FILE` draws what was measured.
//!
//! Operations are isolated, as `support/method.rs` has it, each about another user or place in shuffled
//! order. Most of what grows is the time that memory takes. The floor looks a user up in two maps and
//! stores a number, and grows as well.
#![allow(clippy::print_stdout, clippy::disallowed_macros, reason = "a program of its own")]
#![allow(clippy::disallowed_methods, reason = "it measures time, and writes a file")]
#![allow(missing_docs, unreachable_pub, reason = "a program of its own")]

#[path = "growth/plot.rs"]
mod plot;
mod support;

use std::error::Error;
use std::path::PathBuf;

use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};
use lexopt::prelude::*;
use room_registry::page::{RoomCursor, RoomOrder, RoomPage};
use room_registry::{Config, ManualClock, RoomQuery, RoomRegistry};

use support::filled::{LOGGED_IN, Registry, joined, logged_in};
use support::floor::Floor;
use support::media::Media;
use support::method::{Rounds, alone, count, median, once};
use support::walk::PAGE;
use support::world::{Ids, Place, Rng, World, at, room_id};

/// How many users there are.
const USERS: [usize; 7] = [10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 5_000_000];
const ROUNDS: Rounds = Rounds { rounds: 9, operations: 9_000 };
/// Logouts and logins, in turns.
const TURNS: Rounds = Rounds { operations: 2 * ROUNDS.operations, ..ROUNDS };
const PAGES: Rounds = Rounds { rounds: 9, operations: 1_000 };
/// A heartbeat of everybody every so many seconds, and a sweep each second.
const EVERY_SECS: usize = 30;
/// How many rounds of sweeps are measured. With those before them, they last until what everybody was due
/// to when they joined has come up twice.
const SWEEPS: usize = 3;
const SWEEPS_BEFORE: usize = 2;
const RESTORES: usize = 3;

/// What is measured.
const OPERATIONS: [&str; 7] = [
    "heartbeat",
    "floor of a heartbeat",
    "logout or login",
    "page by most users",
    "page of the newest",
    "sweep",
    "restored, a user",
];

/// What each operation took, in nanoseconds.
struct Row {
    users: usize,
    nanos: [f64; OPERATIONS.len()],
}

fn main() -> Result<(), Box<dyn Error>> {
    let (mut most, mut plot) = (usize::MAX, None::<PathBuf>);
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("users") => most = arguments.value()?.parse()?,
            Long("plot") => plot = Some(arguments.value()?.into()),
            Long("bench") => {} // `cargo bench` adds it by itself
            _ => return Err(argument.unexpected().into()),
        }
    }
    let rows: Vec<_> = USERS.into_iter().filter(|users| *users <= most).map(row).collect();
    println!("{}", table(&rows));
    if let Some(file) = plot {
        std::fs::write(file, plot::svg(&rows))?;
    }
    Ok(())
}

fn row(users: usize) -> Row {
    let world = World::of(users);
    let places = world.shuffled(71);
    let (heartbeat, by_users, newest, expire) = of_joined(world, &places);
    let floor = of_floor(world, &places);
    let (callback, restored) = of_logged_in(world, &places);
    eprintln!("{users} users are measured");
    Row { users, nanos: [heartbeat, floor, callback, by_users, newest, expire, restored] }
}

fn of_joined(world: World, places: &[Place]) -> (f64, f64, f64, f64) {
    let (mut registry, clock) = joined(world);
    clock.set(at(1_000));
    let ids: Vec<_> = places.iter().copied().map(Place::ids).collect();
    let heartbeat =
        alone(ROUNDS, &ids, |ids| registry.heartbeat(&ids.room_id, ids.user_id.as_str()).is_ok());
    let by_users = page(&registry, world, RoomOrder::MostUsers, world.users_a_room as u64);
    let newest = page(&registry, world, RoomOrder::Newest, at(0).as_millis());
    (heartbeat, by_users, newest, sweep(&mut registry, &clock, &ids))
}

/// From anywhere in the list. All rooms have as many users, and began at one time: ids decide.
fn page(registry: &Registry, world: World, order: RoomOrder, key: u64) -> f64 {
    let mut rng = Rng::new(72);
    let cursors: Vec<RoomCursor> = (0..PAGES.total())
        .map(|_| {
            let room_id = room_id(rng.below(world.rooms));
            let cursor = format!("{order}~{key}~{}~{room_id}", room_id.len());
            cursor.parse().expect("a valid cursor")
        })
        .collect();
    let mut page = RoomPage::default();
    alone(PAGES, &cursors, |cursor| {
        let query = RoomQuery::new(order).limit(PAGE).after(cursor.clone());
        registry.page_into(&query, &mut page).expect("its own cursor");
        page.rooms.len()
    })
}

/// The mean of the sweeps of a minute and a half, each beside the heartbeats of a second, which put off
/// what was due.
fn sweep(registry: &mut Registry, clock: &ManualClock, ids: &[Ids]) -> f64 {
    let mut sum = 0.0;
    for round in 0..SWEEPS_BEFORE + SWEEPS {
        for (second, beating) in ids.chunks(ids.len().div_ceil(EVERY_SECS)).enumerate() {
            clock.set(at(2_000 + 1_000 * (round * EVERY_SECS + second) as u64));
            for ids in beating {
                assert!(registry.heartbeat(&ids.room_id, ids.user_id.as_str()).is_ok());
            }
            let (expired, span) = once(|| registry.expire());
            assert_eq!(expired.steps(), 0);
            sum += if round < SWEEPS_BEFORE { 0.0 } else { span };
        }
    }
    sum / count(SWEEPS * EVERY_SECS)
}

fn of_floor(world: World, places: &[Place]) -> f64 {
    let mut floor = Floor::new(world);
    let ids: Vec<_> = places.iter().take(ROUNDS.total()).copied().map(Place::ids).collect();
    alone(ROUNDS, &ids, |ids| floor.store(&ids.room_id, &ids.user_id, 1_000))
}

fn of_logged_in(world: World, places: &[Place]) -> (f64, f64) {
    let (mut registry, clock, _) = logged_in(world);
    let mut media = Media::new(world);
    // One a millisecond, and back after a second.
    let turns: Vec<_> = (0..ROUNDS.total())
        .flat_map(|index| {
            let (place, now) = (places[index % places.len()], LOGGED_IN + 1_000 + index as u64);
            [media.log_out(place, at(now)), media.log_in(place, at(now + 1_000))]
        })
        .collect();
    clock.set(at(LOGGED_IN + 2_000 + ROUNDS.total() as u64));
    let before = registry.outcomes();
    let turn = alone(TURNS, &turns, |callback| registry.apply_callback(callback));
    let applied = registry.outcomes().total() - before.total();
    assert_eq!(applied, TURNS.total() as u64);
    assert_eq!(
        registry.outcomes().of(room_registry::Outcome::Applied),
        registry.outcomes().total()
    );
    drop((media, turns));

    let bytes = postcard::to_stdvec(&registry.snapshot()).expect("plain values");
    drop(registry);
    let mut restores: Vec<_> = (0..RESTORES)
        .map(|_| {
            let (restored, span) = once(|| {
                let mut reader = postcard::Deserializer::from_bytes(&bytes);
                RoomRegistry::restore(Config::default(), clock.clone(), &mut reader)
                    .expect("just written")
            });
            assert_eq!(restored.user_count(), world.users());
            span / count(world.users())
        })
        .collect();
    (turn, median(&mut restores))
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    let users = rows.iter().map(|row| short_count(row.users));
    table.set_header(["one of it, ns".to_owned()].into_iter().chain(users));
    for (index, operation) in OPERATIONS.into_iter().enumerate() {
        let nanos = rows.iter().map(|row| format!("{:.0}", row.nanos[index]));
        table.add_row([operation.to_owned()].into_iter().chain(nanos));
    }
    for column in 1..=rows.len() {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn short_count(number: usize) -> String {
    match number {
        1_000_000.. => format!("{} M", number / 1_000_000),
        _ => format!("{} k", number / 1_000),
    }
}
