//! `cargo bench --bench lists`: pages of 20 rooms in each order, and of 20 users of a room. They are from
//! the top and from the middle of the list.
#![allow(clippy::disallowed_methods, reason = "it measures time")]
#![allow(missing_docs, unreachable_pub, reason = "a program of its own")]

mod support;

use criterion::{BenchmarkId, Criterion, Throughput};
use room_registry::page::{Direction, RoomCursor, RoomOrder, RoomPage, UserCursor, UserPage};
use room_registry::{RoomQuery, UserRef};

use support::filled::{Registry, joined};
use support::obvious::Obvious;
use support::topic::criterion;
use support::walk::{PAGE, Walk};
use support::world::{MEDIUM, SKEWED, SMALL, World, at, room_id, user_id};

const ORDERS: [RoomOrder; 4] =
    [RoomOrder::Newest, RoomOrder::Oldest, RoomOrder::MostUsers, RoomOrder::Id];

fn main() {
    let mut criterion = criterion();
    for world in [SMALL, MEDIUM, SKEWED] {
        let registry = joined(world).0;
        for order in ORDERS {
            rooms(&mut criterion, world, &registry, order);
        }
        others(&mut criterion, world);
        users(&mut criterion, world, &registry);
    }
    criterion.final_summary();
}

/// All rooms began at one time, and all but the large one have as many users: ids decide.
fn middle(world: World, order: RoomOrder) -> RoomCursor {
    let key = match order {
        RoomOrder::Newest | RoomOrder::Oldest => at(0).as_millis(),
        RoomOrder::MostUsers => world.users_a_room as u64,
        _ => 0,
    };
    let room_id = room_id(world.rooms / 2);
    format!("{order}~{key}~{}~{room_id}", room_id.len()).parse().expect("a valid cursor")
}

fn rooms(criterion: &mut Criterion, world: World, registry: &Registry, order: RoomOrder) {
    let query = |cursor: Option<&RoomCursor>| {
        let query = RoomQuery::new(order).limit(PAGE);
        if let Some(cursor) = cursor { query.after(cursor.clone()) } else { query }
    };
    let middle = middle(world, order);
    // Somewhere else than at the top.
    let top = registry.page(&query(None)).expect("no cursor");
    let deep = registry.page(&query(Some(&middle))).expect("its own cursor");
    assert!(top.rooms.len() == PAGE && deep.rooms.len() == PAGE);
    assert_ne!(top.rooms[0].id(), deep.rooms[0].id());

    for (place, cursor) in [("top", None), ("middle", Some(&middle))] {
        let mut group = criterion.benchmark_group(format!("page of rooms by {order}, {place}"));
        group.throughput(Throughput::Elements(PAGE as u64));
        let mut page = RoomPage::default();
        group.bench_function(BenchmarkId::new("this crate", world.name), |bencher| {
            bencher.iter(|| {
                registry.page_into(&query(cursor), &mut page).expect("its own cursor");
                page.rooms.len()
            });
        });
        group.finish();
    }
}

/// Neither has more than one order.
fn others(criterion: &mut Criterion, world: World) {
    let walk = Walk::new((0..world.rooms as u64).map(|room| (20, room)));
    let obvious = (world.name == MEDIUM.name).then(|| Obvious::new(world, at(0)));
    for (place, from) in [("top", 0), ("middle", world.rooms / 2)] {
        let mut group = criterion.benchmark_group(format!("page of rooms by users, {place}"));
        group.throughput(Throughput::Elements(PAGE as u64));
        group.bench_function(BenchmarkId::new("floor", world.name), |bencher| {
            bencher.iter(|| walk.page((20, from as u64)));
        });
        if let Some(obvious) = &obvious {
            assert_eq!(obvious.page(from, PAGE).len(), PAGE);
            group.bench_function(BenchmarkId::new("obvious", world.name), |bencher| {
                bencher.iter(|| obvious.page(from, PAGE).len());
            });
        }
        group.finish();
    }
}

/// Of the last room, which is the large one if there is one.
fn users(criterion: &mut Criterion, world: World, registry: &Registry) {
    let last = world.room_count() - 1;
    let there = world.users_of(last);
    let room = registry.room(&room_id(last)).expect("it is listed");
    let half = there.start + there.len() / 2;
    let walk = Walk::new(there.map(|user| (0, user as u64)));
    let user_id = user_id(half);
    let since = room.user(&user_id).and_then(UserRef::since).expect("the user is in");
    let text = format!("{}~{}~{user_id}", since.as_millis(), user_id.len());
    let middle: UserCursor = text.parse().expect("a valid cursor");

    for (place, cursor) in [("top", None), ("middle", Some(&middle))] {
        let mut group = criterion.benchmark_group(format!("page of users of a room, {place}"));
        let mut page = UserPage::default();
        room.user_page_into(PAGE, cursor, Direction::OldestFirst, &mut page);
        assert!(!page.users.is_empty());
        group.throughput(Throughput::Elements(page.users.len() as u64));
        group.bench_function(BenchmarkId::new("this crate", world.name), |bencher| {
            bencher.iter(|| {
                room.user_page_into(PAGE, cursor, Direction::OldestFirst, &mut page);
                page.users.len()
            });
        });
        let from = if cursor.is_some() { half as u64 } else { 0 };
        group.bench_function(BenchmarkId::new("floor", world.name), |bencher| {
            bencher.iter(|| walk.page((0, from)));
        });
        group.finish();
    }
}
