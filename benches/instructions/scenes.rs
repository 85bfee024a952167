//! What is counted about: full worlds, and the operations to come. Nothing here is counted.

use room_registry::{Callback, NewUser, Outcome};

use super::support::filled::{ENDED_SESSION, LOGGED_IN, Registry, SESSION, joined, logged_in};
use super::support::lists::Lists;
use super::support::world::{Callbacks, Ids, Place, Rng, World, at, room_id, user_name};

/// 2,000 rooms of 20 users.
const WORLD: World = World::of(40_000);
/// How many operations a row counts.
pub const OPERATIONS: usize = 10_000;
/// How many operations of the same kind go before them.
const WARM_UP: usize = 2_000;
/// How many users are due in one sweep: one in ten, two a room.
pub const DUE: usize = WORLD.users() / 10;

/// What takes operations, and those that it is about to take.
#[derive(Debug)]
pub struct Scene<R, T> {
    pub registry: R,
    pub operations: Vec<T>,
}

impl<R, T> Scene<R, T> {
    /// Makes the first operations, and keeps as many of the others as are counted.
    fn warm(
        mut registry: R,
        operations: impl IntoIterator<Item = T>,
        mut operation: impl FnMut(&mut R, T),
    ) -> Self {
        let mut operations: Vec<_> = operations.into_iter().take(WARM_UP + OPERATIONS).collect();
        assert_eq!(operations.len(), WARM_UP + OPERATIONS);
        operations.drain(..WARM_UP).for_each(|first| operation(&mut registry, first));
        Self { registry, operations }
    }
}

impl Scene<Registry, Callback> {
    fn of_callbacks(
        registry: Registry,
        callbacks: impl IntoIterator<Item = Callback>,
        outcome: Outcome,
    ) -> Self {
        Self::warm(registry, callbacks, |registry, callback| {
            assert_eq!(registry.apply_callback(&callback), outcome);
        })
    }

    /// Logouts, and after each the login that follows it.
    pub fn turns() -> Self {
        let (registry, clock, callbacks) = logged_in(WORLD);
        clock.set(at(LOGGED_IN + 30_000));
        Self::of_callbacks(registry, turns(callbacks), Outcome::Applied)
    }

    /// Logins that are held already.
    pub fn repeats() -> Self {
        let (registry, clock, _) = logged_in(WORLD);
        clock.set(at(LOGGED_IN + 30_000));
        Self::of_callbacks(registry, repeats(), Outcome::Duplicate)
    }

    /// Logins of the session before the one that is open.
    pub fn late() -> Self {
        let (registry, clock, _) = logged_in(WORLD);
        clock.set(at(LOGGED_IN + 30_000));
        Self::of_callbacks(registry, late(), Outcome::Stale)
    }

    /// The same, in rooms that have a sign of loss or have none.
    pub fn late_in_members(has_sign: bool) -> Self {
        Self::of_callbacks(members(has_sign), late(), Outcome::Stale)
    }

    /// A stream of a room opens and closes, in rooms that have a sign of loss or have none.
    pub fn streams_of_members(has_sign: bool) -> Self {
        Self::of_callbacks(members(has_sign), streams(), Outcome::Applied)
    }
}

impl Scene<Lists, Callback> {
    fn of_lists(callbacks: impl IntoIterator<Item = Callback>, is_new: bool) -> Self {
        let lists = Lists::new(WORLD, SESSION, at(LOGGED_IN));
        Self::warm(lists, callbacks, |lists, callback| assert_eq!(lists.apply(&callback), is_new))
    }

    pub fn turns() -> Self {
        let (_, _, callbacks) = logged_in(WORLD);
        Self::of_lists(turns(callbacks), true)
    }

    pub fn repeats() -> Self {
        Self::of_lists(repeats(), false)
    }
}

impl Scene<Registry, Ids> {
    /// Users who joined a second ago and are heard of.
    pub fn heartbeats() -> Self {
        let (registry, clock) = joined(WORLD);
        clock.set(at(1_000));
        let ids = WORLD.shuffled(1).into_iter().map(Place::ids);
        Self::warm(registry, ids, |registry, Ids { room_id, user_id }| {
            registry.heartbeat(&room_id, user_id.as_str()).expect("the user joined");
        })
    }
}

impl Scene<Registry, (Ids, NewUser)> {
    /// Users who joined a second ago, about to leave and to join again.
    pub fn members() -> Self {
        let (registry, clock) = joined(WORLD);
        clock.set(at(1_000));
        let join = |place: Place| {
            let ids = place.ids();
            let name = user_name(place.user);
            let user = NewUser::new(ids.user_id.as_str()).name(name.as_str());
            (ids, user)
        };
        let users = WORLD.shuffled(4).into_iter().map(join);
        Self::warm(registry, users, |registry, (Ids { room_id, user_id }, user)| {
            registry.leave_room(&room_id, user_id.as_str()).expect("the user joined");
            registry.join_room(&room_id, user).expect("the user left");
        })
    }
}

/// Some users fell silent: the next sweep ends their memberships. One sweep did so with others
/// before.
pub fn due() -> Registry {
    let (mut registry, clock) = joined(WORLD);
    let ids: Vec<_> = WORLD.shuffled(3).into_iter().map(Place::ids).collect();
    let hear = |registry: &mut Registry, ids: &[Ids]| {
        for Ids { room_id, user_id } in ids {
            registry.heartbeat(room_id, user_id.as_str()).expect("the user is here");
        }
    };
    let mut now = 0;
    for (ended, silent) in [(DUE, 0), (0, DUE)] {
        hear(&mut registry, &ids[silent..]);
        for second in 0..90 {
            if second == 60 {
                hear(&mut registry, &ids[silent + DUE..]);
            }
            now += 1_000;
            clock.set(at(now));
            assert_eq!(registry.expire().memberships, 0);
        }
        now += 1_000;
        clock.set(at(now));
        if ended > 0 {
            assert_eq!(registry.expire().memberships, ended);
        }
    }
    registry
}

/// Everybody joined rooms that have a session. Nobody is logged in, which is a sign of loss; or one
/// user a room is, and there is no sign.
fn members(has_sign: bool) -> Registry {
    let (mut registry, clock) = joined(WORLD);
    let mut callbacks = Callbacks::new(WORLD);
    for room in 0..WORLD.rooms {
        registry.apply_callback(&Callbacks::created(room, ENDED_SESSION, at(0)));
        registry.apply_callback(&Callbacks::closed(room, ENDED_SESSION, at(1_000)));
        registry.apply_callback(&Callbacks::created(room, SESSION, at(LOGGED_IN)));
        if !has_sign {
            let user = WORLD.users_of(room).start;
            let place = Place { room, user };
            registry.apply_callback(&callbacks.logged_in(place, SESSION, 1, at(LOGGED_IN)));
        }
    }
    for seconds in [60, 120, 180] {
        clock.set(at(1_000 * seconds));
        for Ids { room_id, user_id } in WORLD.places().map(Place::ids) {
            registry.heartbeat(&room_id, user_id.as_str()).expect("the user joined");
        }
        registry.expire();
    }
    for room in 0..WORLD.rooms {
        let room = registry.room(&room_id(room)).expect("it has a session");
        assert_eq!(room.suspicions().is_empty(), !has_sign);
        assert_eq!(room.user_count(), WORLD.users_a_room);
    }
    registry
}

fn turns(mut callbacks: Callbacks) -> impl Iterator<Item = Callback> {
    WORLD.shuffled(2).into_iter().flat_map(move |place| {
        let out_at = at(LOGGED_IN + 20_000);
        let out = callbacks.logged_out(place, SESSION, (1, at(LOGGED_IN)), out_at);
        [out, callbacks.logged_in(place, SESSION, 2, at(LOGGED_IN + 21_000))]
    })
}

fn repeats() -> Vec<Callback> {
    let mut callbacks = Callbacks::new(WORLD);
    let mut logins: Vec<_> =
        WORLD.places().map(|place| callbacks.logged_in(place, SESSION, 1, at(LOGGED_IN))).collect();
    Rng::new(2).shuffle(&mut logins);
    logins
}

fn late() -> impl Iterator<Item = Callback> {
    let mut callbacks = Callbacks::new(WORLD);
    let places = WORLD.shuffled(2).into_iter();
    places.map(move |place| callbacks.logged_in(place, ENDED_SESSION, 9, at(500)))
}

fn streams() -> impl Iterator<Item = Callback> {
    (1..).flat_map(|life| {
        WORLD.shuffled_rooms(life).into_iter().flat_map(move |Place { room, .. }| {
            let opened_at = at(LOGGED_IN + 2_000 * life);
            let closed_at = at(LOGGED_IN + 2_000 * life + 1_000);
            [
                Callbacks::published(room, SESSION, life, opened_at),
                Callbacks::unpublished(room, SESSION, (life, opened_at), closed_at),
            ]
        })
    })
}
