//! Pages: of the list of a million rooms, and of the users of a large one.

use std::hint::black_box;

use room_registry::page::{Direction, RoomCursor, RoomPage, UserCursor, UserPage};
use room_registry::{Config, Lifecycle, ManualClock, NewRoom, NewUser, RoomQuery, RoomRegistry};

use super::heartbeats::count_of;
use super::method::Rounds;
use super::support::walk::{PAGE, Walk};
use super::support::world::{Rng, at, room_id, user_id};
use super::table::Line;

const ROOMS: usize = 1_000_000;
const USERS: usize = 200_000;
const ROUNDS: Rounds = Rounds { rounds: 11, operations: 4_000 };

pub fn lines() -> Vec<Line> {
    let mut lines = of_rooms();
    lines.extend(of_users());
    lines
}

fn of_rooms() -> Vec<Line> {
    let clock = ManualClock::at(at(0));
    let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
    let mut rng = Rng::new(5);
    let mut users = Vec::with_capacity(ROOMS);
    for room in 0..ROOMS {
        clock.set(at(room as u64));
        registry
            .create_room(
                NewRoom::new(room_id(room).as_str(), "host").lifecycle(Lifecycle::UntilEnded),
            )
            .expect("it is new");
        let count = [0, 0, 0, 1, 1, 2, 3, 5][rng.below(8)];
        for user in 0..count {
            let user = NewUser::new(user_id(user).as_str());
            registry.join_room(&room_id(room), user).expect("the user is new");
        }
        users.push(u32::try_from(count).unwrap_or(u32::MAX));
    }
    let by_users =
        Walk::new(users.iter().enumerate().map(|(room, users)| (u32::MAX - users, room as u64)));
    let newest = Walk::new((0..ROOMS as u64).map(|room| (0, room)));
    let picked: Vec<_> = (0..ROUNDS.total()).map(|_| rng.below(ROOMS)).collect();
    let cursor = |order: &str, key: u64, room: usize| -> RoomCursor {
        let room_id = room_id(room);
        format!("{order}~{key}~{}~{room_id}", room_id.len()).parse().expect("a valid cursor")
    };
    let most_users: Vec<_> =
        picked.iter().map(|room| cursor("users", u64::from(users[*room]), *room)).collect();
    let by_age: Vec<_> =
        picked.iter().map(|room| cursor("newest", at(*room as u64).as_millis(), *room)).collect();

    let measure = |cursors: &[RoomCursor],
                   query: fn() -> RoomQuery<'static>,
                   walk: &Walk,
                   from: &dyn Fn(usize) -> (u32, u64)| {
        let mut page = RoomPage::default();
        let pair = ROUNDS.alternate(
            &mut (),
            (cursors, |(), cursor| {
                let query = query().limit(PAGE).after(cursor.clone());
                registry.page_into(&query, &mut page).expect("its own cursor");
                page.rooms.len()
            }),
            (&picked, |(), room| walk.page(from(*room))),
        );
        let counted = allocation_counter::measure(|| {
            for cursor in &cursors[..100] {
                let query = query().limit(PAGE).after(cursor.clone());
                registry.page_into(&query, &mut page).expect("its own cursor");
                black_box(page.rooms.len());
            }
        });
        (pair, count_of(counted.count_total))
    };
    let (users_pair, users_allocations) =
        measure(&most_users, RoomQuery::most_users, &by_users, &|room| {
            (u32::MAX - users[room], room as u64)
        });
    let (newest_pair, newest_allocations) =
        measure(&by_age, RoomQuery::newest, &newest, &|room| (0, (ROOMS - 1 - room) as u64));
    vec![
        Line::new("page of 20 of 1 M rooms, most users first; floor: walk", users_pair, 2.0),
        Line::new("page of 20 of 1 M rooms, newest first; floor: walk", newest_pair, 2.0),
        Line::allocations("pages of rooms, 200", users_allocations + newest_allocations),
    ]
}

fn of_users() -> Vec<Line> {
    let clock = ManualClock::at(at(0));
    let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
    registry
        .create_room(NewRoom::new("large", "host").lifecycle(Lifecycle::UntilEnded))
        .expect("it is new");
    for user in 0..USERS {
        // Several in a millisecond, as in a rush.
        clock.set(at(user as u64 / 4));
        registry.join_room("large", NewUser::new(user_id(user).as_str())).expect("the user is new");
    }
    let walk =
        Walk::new((0..USERS as u64).map(|user| (u32::try_from(user / 4).unwrap_or(0), user)));
    let mut rng = Rng::new(6);
    let picked: Vec<_> = (0..ROUNDS.total()).map(|_| rng.below(USERS)).collect();
    let cursors: Vec<UserCursor> = picked
        .iter()
        .map(|user| {
            let user_id = user_id(*user);
            let since = at(*user as u64 / 4).as_millis();
            format!("{since}~{}~{user_id}", user_id.len()).parse().expect("a valid cursor")
        })
        .collect();
    let room = registry.room("large").expect("it is listed");
    let mut page = UserPage::default();
    let pair = ROUNDS.alternate(
        &mut (),
        (&cursors, |(), cursor| {
            room.user_page_into(PAGE, Some(cursor), Direction::OldestFirst, &mut page);
            page.users.len()
        }),
        (&picked, |(), user| walk.page((u32::try_from(user / 4).unwrap_or(0), *user as u64))),
    );
    let counted = allocation_counter::measure(|| {
        for cursor in &cursors[..100] {
            room.user_page_into(PAGE, Some(cursor), Direction::OldestFirst, &mut page);
            black_box(page.users.len());
        }
    });
    vec![
        Line::new("page of 20 of 200,000 users; floor: walk", pair, 2.0),
        Line::allocations("pages of users, 100", count_of(counted.count_total)),
    ]
}
