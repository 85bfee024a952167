//! What growth costs: the same operations at ten thousand users and at a million, and the worst
//! single call on the way there.

use room_registry::{Config, Lifecycle, ManualClock, NewRoom, NewUser, RoomQuery, RoomRegistry};

use super::method::{Pair, Rounds, alone, once};
use super::support::filled::{LOGGED_IN, SESSION, joined, logged_in};
use super::support::floor::Floor;
use super::support::world::{Ids, MEDIUM, Place, World, at, room_id};
use super::table::Line;

const SMALL: World = World::of(10_000);
/// Everybody of the small world, several times over; as many of the large one.
const ROUNDS: Rounds = Rounds { rounds: 9, operations: 9_000 };
/// Logouts and logins, in turns.
const TURNS: Rounds = Rounds { operations: 2 * ROUNDS.operations, ..ROUNDS };
/// How often a world is grown.
const GROWTHS: usize = 3;

pub fn lines() -> Vec<Line> {
    let mut lines = vec![
        Line::new("heartbeat, 1 M users ÷ 10,000", of(heartbeat), 6.0),
        Line::known("the floor's look-up and store, 1 M users ÷ 10,000", of(store)),
        Line::new("logout or login, 1 M users ÷ 10,000", of(relogin), 6.0),
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
    alone(ROUNDS, &ids, |ids| registry.heartbeat(&ids.room_id, ids.user_id.as_str()).is_ok())
}

fn store(world: World) -> f64 {
    let mut floor = Floor::new(world);
    let ids: Vec<_> = world.shuffled(7).into_iter().map(Place::ids).collect();
    alone(ROUNDS, &ids, |ids| floor.store(&ids.room_id, &ids.user_id, 1_000))
}

fn relogin(world: World) -> f64 {
    let (mut registry, clock, mut callbacks) = logged_in(world);
    let places = world.shuffled(8);
    let turns: Vec<_> = (0..ROUNDS.total())
        .flat_map(|index| {
            let (place, turn) = (places[index % places.len()], (index / places.len()) as u64);
            let login_at = at(LOGGED_IN + 2_000 * turn);
            let out_at = at(LOGGED_IN + 2_000 * turn + 1_000);
            let out = callbacks.logged_out(place, SESSION, (turn + 1, login_at), out_at);
            let back_at = at(LOGGED_IN + 2_000 * (turn + 1));
            [out, callbacks.logged_in(place, SESSION, turn + 2, back_at)]
        })
        .collect();
    clock.set(at(LOGGED_IN + 60_000));
    alone(TURNS, &turns, |callback| registry.apply_callback(callback))
}

fn page(world: World) -> f64 {
    let (registry, _) = joined(world);
    let rounds = Rounds { rounds: 9, operations: 500 };
    alone(rounds, &[()], |()| {
        registry.page(&RoomQuery::most_users()).map_or(0, |page| page.rooms.len())
    })
}

/// Everybody comes, one by one.
fn worst() -> Line {
    let (mut ours, mut floor) = (Calls::default(), Calls::default());
    for _ in 0..GROWTHS {
        grow_floor(&mut floor);
        grow_ours(&mut ours);
    }
    Line::new(
        "worst single call while growing to 1 M users; floor: its own",
        Pair { ours: ours.worst(), floor: floor.worst() },
        1.5,
    )
}

/// What each call of a growth took, the least of several growths. The same call does the same each time,
/// and what the system does meanwhile comes at another.
#[derive(Default)]
struct Calls {
    nanos: Vec<f64>,
    next: usize,
}

impl Calls {
    fn time<T>(&mut self, call: impl FnOnce() -> T) -> T {
        let (answer, nanos) = once(call);
        match self.nanos.get_mut(self.next) {
            Some(least) => *least = least.min(nanos),
            None => self.nanos.push(nanos),
        }
        self.next += 1;
        answer
    }

    fn worst(&self) -> f64 {
        self.nanos.iter().copied().fold(0.0, f64::max)
    }
}

fn grow_floor(calls: &mut Calls) {
    calls.next = 0;
    let mut floor: Floor = Floor::default();
    for place in MEDIUM.places() {
        let Ids { room_id, user_id } = place.ids();
        calls.time(|| floor.insert(&room_id, &user_id));
    }
}

fn grow_ours(calls: &mut Calls) {
    calls.next = 0;
    let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::at(at(0)));
    let mut last = usize::MAX;
    for place in MEDIUM.places() {
        let Ids { room_id: id, user_id } = place.ids();
        if place.room != last {
            last = place.room;
            let room =
                NewRoom::new(room_id(last).as_str(), "host").lifecycle(Lifecycle::UntilEnded);
            calls.time(|| registry.create_room(room)).expect("it is new");
        }
        let user = NewUser::new(user_id.as_str());
        calls.time(|| registry.join_room(&id, user)).expect("the user is new");
    }
}
