//! What growth costs: the same operations at ten thousand users and at a million, and the worst
//! single call on the way there.

use std::time::Instant;

use room_registry::{Config, ManualClock, NewRoom, NewUser, RoomQuery, RoomRegistry};

use super::method::{Pair, Rounds, alone, nanos};
use super::support::filled::{LOGGED_IN, SESSION, joined, logged_in};
use super::support::floor::Floor;
use super::support::world::{Ids, MEDIUM, Place, World, at, room_id};
use super::table::Line;

const SMALL: World = World::of(10_000);
/// Everybody of the small world, several times over; as many of the large one.
const ROUNDS: Rounds = Rounds { rounds: 9, operations: 9_000 };
/// How often a world is grown: what the system does meanwhile should not come every time.
const GROWTHS: usize = 3;

pub fn lines() -> Vec<Line> {
    let mut lines = vec![
        Line::new("heartbeat, 1 M users ÷ 10,000", of(heartbeat), 6.0),
        Line::new("logout and login, 1 M users ÷ 10,000", of(relogin), 6.0),
        Line::new("first page by users, 1 M users ÷ 10,000", of(page), 6.0),
    ];
    lines.push(worst());
    lines
}

fn of(cost: fn(World) -> f64) -> Pair {
    Pair { ours: cost(MEDIUM), floor: cost(SMALL) }
}

fn heartbeat(world: World) -> f64 {
    let (mut registry, clock) = joined(world);
    clock.set(at(1_000));
    let ids: Vec<_> = world.shuffled(7).into_iter().map(Place::ids).collect();
    alone(ROUNDS, |index| {
        let ids = &ids[index % ids.len()];
        registry.heartbeat(&ids.room_id, &ids.user_id).is_ok()
    })
}

fn relogin(world: World) -> f64 {
    let (mut registry, clock, mut callbacks) = logged_in(world);
    let places = world.shuffled(8);
    let turns: Vec<_> = (0..ROUNDS.total())
        .map(|index| {
            let (place, turn) = (places[index % places.len()], (index / places.len()) as u64);
            let login_at = at(LOGGED_IN + 2_000 * turn);
            let out_at = at(LOGGED_IN + 2_000 * turn + 1_000);
            let out = callbacks.logged_out(place, SESSION, (turn + 1, login_at), out_at);
            let back_at = at(LOGGED_IN + 2_000 * (turn + 1));
            (out, callbacks.logged_in(place, SESSION, turn + 2, back_at))
        })
        .collect();
    clock.set(at(LOGGED_IN + 60_000));
    alone(ROUNDS, |index| {
        registry.apply_callback(&turns[index].0);
        registry.apply_callback(&turns[index].1)
    })
}

fn page(world: World) -> f64 {
    let (registry, _) = joined(world);
    let rounds = Rounds { rounds: 9, operations: 500 };
    alone(rounds, |_| registry.page(&RoomQuery::most_users()).map_or(0, |page| page.rooms.len()))
}

/// Everybody comes, one by one.
fn worst() -> Line {
    let (mut ours, mut floor) = (f64::MAX, f64::MAX);
    for _ in 0..GROWTHS {
        floor = floor.min(worst_of_floor());
        ours = ours.min(worst_of_ours());
    }
    Line::new(
        "worst single call while growing to 1 M users; floor: its own",
        Pair { ours, floor },
        1.5,
    )
}

fn worst_of_floor() -> f64 {
    let mut floor = Floor::default();
    let mut worst = 0.0_f64;
    for place in MEDIUM.places() {
        let Ids { room_id, user_id } = place.ids();
        let begun_at = Instant::now();
        floor.insert(&room_id, &user_id);
        worst = worst.max(nanos(begun_at.elapsed()));
    }
    worst
}

fn worst_of_ours() -> f64 {
    let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::at(at(0)));
    let mut worst = 0.0_f64;
    let mut last = usize::MAX;
    for place in MEDIUM.places() {
        let Ids { room_id: id, user_id } = place.ids();
        if place.room != last {
            last = place.room;
            let begun_at = Instant::now();
            registry.create_room(NewRoom::new(room_id(last).as_str(), "host")).expect("it is new");
            worst = worst.max(nanos(begun_at.elapsed()));
        }
        let user = NewUser::new(user_id.as_str());
        let begun_at = Instant::now();
        registry.join_room(&id, user).expect("the user is new");
        worst = worst.max(nanos(begun_at.elapsed()));
    }
    worst
}
