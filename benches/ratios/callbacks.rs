//! Callbacks: a logout and the login after it, repeats, and what comes too late to matter.

use std::hint::black_box;

use room_registry::event::CallbackEvent;
use room_registry::{Callback, Outcome};

use super::heartbeats::count_of;
use super::method::{Pair, Rounds, count};
use super::support::filled::{ENDED_SESSION, LOGGED_IN, Registry, SESSION, logged_in};
use super::support::floor::Floor;
use super::support::lists::Lists;
use super::support::obvious::Obvious;
use super::support::world::{Callbacks, Ids, MEDIUM, Place, at};
use super::table::Line;

use Move::{In, Out};

const ROUNDS: Rounds = Rounds { rounds: 15, operations: 10_000 };
/// Logouts and logins, in turns.
const TURNS: Rounds = Rounds { operations: 2 * ROUNDS.operations, ..ROUNDS };
const BATCH: usize = 16;

pub fn lines() -> Vec<Line> {
    let (mut registry, clock, mut callbacks) = logged_in(MEDIUM);
    clock.set(at(LOGGED_IN + 30_000));
    let places = MEDIUM.shuffled(2);
    let ids: Vec<Ids> = places.iter().map(|place| place.ids()).collect();
    let (leaving, rest) = places.split_at(ROUNDS.total());
    let (leaving_ids, rest_ids) = ids.split_at(ROUNDS.total());
    let mut floor = Floor::new(MEDIUM);

    let turns = turns_of(leaving, &mut callbacks);
    let moves: Vec<_> =
        leaving_ids.iter().flat_map(|ids| [Out(ids.clone()), In(ids.clone())]).collect();
    let applied = TURNS.alternate(
        &mut (&mut registry, &mut floor),
        (&turns, |(registry, _), callback| registry.apply_callback(callback)),
        (&moves, |(_, floor), change| change.make(floor)),
    );
    let outcomes = registry.outcomes();
    let filled = 3 * MEDIUM.rooms + MEDIUM.users();
    assert_eq!(outcomes.of(Outcome::Applied), (filled + TURNS.total()) as u64);
    assert_eq!(registry.user_count(), MEDIUM.users());

    let mut again = Callbacks::new(MEDIUM);
    let repeats: Vec<_> =
        MEDIUM.places().map(|place| again.logged_in(place, SESSION, 1, at(LOGGED_IN))).collect();
    let repeats: Vec<_> = rest.iter().map(|place| &repeats[place.user]).cloned().collect();
    let duplicate = ROUNDS.alternate(
        &mut (&mut registry, &mut floor),
        (&repeats, |(registry, _), callback| registry.apply_callback(callback)),
        (rest_ids, |(_, floor), ids| floor.get(&ids.room_id, &ids.user_id)),
    );
    let outcomes = registry.outcomes();
    assert_eq!(outcomes.of(Outcome::Duplicate), ROUNDS.total() as u64);

    let late: Vec<_> = rest[ROUNDS.total()..]
        .iter()
        .map(|place| again.logged_in(*place, ENDED_SESSION, 9, at(500)))
        .collect();
    let stale = ROUNDS.alternate(
        &mut (&mut registry, &mut floor),
        (&late, |(registry, _), callback| registry.apply_callback(callback)),
        (&rest_ids[ROUNDS.total()..], |(_, floor), ids| floor.get(&ids.room_id, &ids.user_id)),
    );
    let outcomes = registry.outcomes();
    assert_eq!(outcomes.of(Outcome::Stale), ROUNDS.total() as u64);

    let mut allocations = |callbacks: &[Callback]| {
        let counted = allocation_counter::measure(|| {
            for callback in &callbacks[..1_000] {
                black_box(registry.apply_callback(callback));
            }
        });
        count_of(counted.count_total)
    };
    let [lists_alone, known_alone] =
        by_lists_alone((&turns, &moves), (&repeats, rest_ids), &mut floor);
    let (of_repeats, of_late) = (allocations(&repeats), allocations(&late));

    drop(floor);
    let mut obvious = Obvious::new(MEDIUM, at(LOGGED_IN));
    let turns = turns_of(&rest[2 * ROUNDS.total()..][..ROUNDS.total()], &mut callbacks);
    let against_obvious = TURNS.alternate(
        &mut (&mut registry, &mut obvious),
        (&turns, |(registry, _), callback| registry.apply_callback(callback)),
        (&turns, |(_, obvious), callback| obvious.apply(callback)),
    );
    let in_batches = in_batches(&mut registry, &rest[3 * ROUNDS.total()..], &mut callbacks);
    vec![
        Line::new("logout or login, applied; floor: remove or insert", applied, 3.0),
        Line::new("logout or login, applied; floor: the obvious version", against_obvious, 1.0),
        Line::known(
            "the same by the lists alone, without rules; floor: remove or insert",
            lists_alone,
        ),
        Line::known("logout in a batch of 16; floor: our single one", in_batches),
        Line::new("repeat of a login; floor: look-up", duplicate, 1.3),
        Line::known("the same by the lists alone, without rules; floor: look-up", known_alone),
        Line::new("login of an ended session; floor: look-up", stale, 1.3),
        Line::allocations("repeats, 1,000", of_repeats),
        Line::allocations("logins of ended sessions, 1,000", of_late),
    ]
}

/// What a logout or login is to the floor.
#[derive(Debug, Clone)]
enum Move {
    Out(Ids),
    In(Ids),
}

impl Move {
    fn make(&self, floor: &mut Floor) -> bool {
        match self {
            Out(Ids { room_id, user_id }) => floor.remove(room_id, user_id).is_some(),
            In(Ids { room_id, user_id }) => {
                floor.insert(room_id, user_id);
                true
            }
        }
    }
}

/// What of it is due to the lists themselves: logouts and logins, and repeats of logins.
fn by_lists_alone(
    (turns, moves): (&[Callback], &[Move]),
    (repeats, ids): (&[Callback], &[Ids]),
    floor: &mut Floor,
) -> [Pair; 2] {
    let mut lists = Lists::new(MEDIUM, SESSION, at(LOGGED_IN));
    let applied = TURNS.alternate(
        &mut (&mut lists, &mut *floor),
        (turns, |(lists, _), callback| assert!(lists.apply(callback), "it is new")),
        (moves, |(_, floor), change| change.make(floor)),
    );
    let known = ROUNDS.alternate(
        &mut (&mut lists, floor),
        (repeats, |(lists, _), callback| assert!(!lists.apply(callback), "it is a repeat")),
        (ids, |(_, floor), ids| floor.get(&ids.room_id, &ids.user_id)),
    );
    [applied, known]
}

/// Everybody logs out, and logs in again a second later.
fn turns_of(places: &[Place], callbacks: &mut Callbacks) -> Vec<Callback> {
    let turn = |place: &Place| {
        let out_at = at(LOGGED_IN + 20_000);
        let out = callbacks.logged_out(*place, SESSION, (1, at(LOGGED_IN)), out_at);
        [out, callbacks.logged_in(*place, SESSION, 2, at(LOGGED_IN + 21_000))]
    };
    places.iter().flat_map(turn).collect()
}

/// Some log out in batches, as many others one by one.
fn in_batches(registry: &mut Registry, places: &[Place], callbacks: &mut Callbacks) -> Pair {
    let out = |place: &Place| {
        let out_at = at(LOGGED_IN + 22_000);
        let mut out = callbacks.logged_out(*place, SESSION, (1, at(LOGGED_IN)), out_at);
        if let CallbackEvent::UserLoggedOut(event) = &mut out.event {
            // They are not applied in this order, and gaps in the counters are another matter.
            event.counter = None;
        }
        out
    };
    let outs: Vec<_> = places.iter().map(out).collect();
    let rounds = Rounds { rounds: 15, operations: outs.len() / (15 * (BATCH + 1)) };
    let (together, alone) = outs.split_at(rounds.total() * BATCH);
    let batches: Vec<_> = together.chunks(BATCH).map(<[_]>::to_vec).collect();
    let mut outcomes = Vec::new();
    let pair = rounds.alternate(
        registry,
        (&batches, |registry, batch| {
            registry.apply_callbacks(batch, &mut outcomes);
            outcomes.len()
        }),
        (alone, |registry, callback| registry.apply_callback(callback)),
    );
    Pair { ours: pair.ours / count(BATCH), floor: pair.floor }
}
