//! `cargo bench --bench queries`: pages of 20 rooms out of 50,000 that pass a filter, with the indexes and
//! without. It also tells what the indexes take. A million users are in the rooms. Each page asks for
//! something else than the one before, as the clients of a lobby do.
#![allow(clippy::disallowed_methods, reason = "it measures time")]
#![allow(clippy::disallowed_macros, reason = "it prints what it found")]
#![allow(missing_docs, unreachable_pub, reason = "a program of its own")]

mod support;

use allocation_counter::measure;
use compact_str::CompactString;
use criterion::{BenchmarkId, Criterion};
use room_registry::page::RoomPage;
use room_registry::{
    Config, ConfigBuilder, Lifecycle, ManualClock, NewRoom, NewUser, RoomQuery, RoomRegistry, Text,
};

use support::filled::Registry;
use support::topic::criterion;
use support::walk::PAGE;
use support::world::{Ids, MEDIUM, Rng, at, room_id, user_id};

/// How many values the attribute has: each of them is that of 50 rooms.
const TOPICS: usize = 1_000;
/// Each runs two rooms.
const HOSTS: usize = MEDIUM.rooms / 2;
const FRIENDS: usize = 100;

fn main() {
    let mut criterion = criterion();
    memory();
    let all = |config: ConfigBuilder| names(topics(users(config)));
    for (name, settings) in [("with indexes", all as fn(_) -> _), ("without", |config| config)] {
        let registry = filled(settings);
        lobby(&mut criterion, name, &registry);
    }
    criterion.final_summary();
}

fn names(config: ConfigBuilder) -> ConfigBuilder {
    config.index_names(true)
}

fn topics(config: ConfigBuilder) -> ConfigBuilder {
    config.index_attributes(vec![Text::from("topic")])
}

fn users(config: ConfigBuilder) -> ConfigBuilder {
    config.index_users(true)
}

fn filled(settings: fn(ConfigBuilder) -> ConfigBuilder) -> Registry {
    let config = settings(Config::builder()).build().expect("good settings");
    let clock = ManualClock::at(at(0));
    let mut registry = RoomRegistry::with_clock(config, clock.clone());
    for room in 0..MEDIUM.rooms {
        clock.set(at(room as u64));
        let new = NewRoom::new(room_id(room).as_str(), user_id(room % HOSTS).as_str())
            .name(room_name(room))
            .attribute("topic", topic(room % TOPICS))
            .attribute("mode", if room % 2 == 0 { "talk" } else { "song" })
            .lifecycle(Lifecycle::UntilEnded);
        registry.create_room(new).expect("the room is new");
    }
    for place in MEDIUM.places() {
        let Ids { room_id, user_id } = place.ids();
        registry.join_room(&room_id, NewUser::new(user_id.as_str())).expect("the user is new");
    }
    registry
}

/// A hundred rooms have the first eight characters in common.
fn room_name(room: usize) -> String {
    format!("Lounge{room:05}")
}

fn topic(topic: usize) -> String {
    format!("topic {topic}")
}

fn lobby(criterion: &mut Criterion, with: &str, registry: &Registry) {
    let mut measure = |what: &str, query: &dyn Fn(&mut Rng) -> RoomQuery<'static>, rooms: usize| {
        let mut rng = Rng::new(7);
        let mut page = RoomPage::default();
        registry
            .page_into(&query(&mut rng).look_at_most(usize::MAX), &mut page)
            .expect("no cursor");
        assert_eq!(page.rooms.len(), rooms, "{what}");
        criterion.benchmark_group(what).bench_function(BenchmarkId::new("", with), |bencher| {
            bencher.iter(|| {
                registry.page_into(&query(&mut rng), &mut page).expect("no cursor");
                page.rooms.len()
            });
        });
    };
    let one_in_a_thousand = |rng: &mut Rng| {
        RoomQuery::most_users().limit(PAGE).attribute("topic", topic(rng.below(TOPICS)))
    };
    measure("an attribute that one room in a thousand has", &one_in_a_thousand, PAGE);
    let every_other = |_: &mut Rng| RoomQuery::newest().limit(PAGE).attribute("mode", "talk");
    measure("an attribute that every other room has", &every_other, PAGE);
    let prefix = |rng: &mut Rng| {
        let prefix = &room_name(rng.below(MEDIUM.rooms)).to_uppercase()[..9];
        RoomQuery::newest().limit(PAGE).name_prefix(prefix)
    };
    measure("a prefix that a hundred names have", &prefix, PAGE);
    let all_have_it = |_: &mut Rng| RoomQuery::newest().limit(PAGE).name_prefix("lou");
    measure("a prefix that all names have", &all_have_it, PAGE);
    let host =
        |rng: &mut Rng| RoomQuery::newest().limit(PAGE).host(user_id(rng.below(HOSTS)).as_str());
    measure("a host of two rooms", &host, 2);
    let mut rng = Rng::new(11);
    let friends =
        (0..FRIENDS * 1_000).map(|_| user_id(rng.below(MEDIUM.users()))).collect::<Vec<_>>();
    let friends = |rng: &mut Rng| {
        let from = rng.below(1_000) * FRIENDS;
        let friends = friends[from..from + FRIENDS].iter().map(CompactString::as_str);
        RoomQuery::most_users().limit(PAGE).with_any_user(friends)
    };
    measure("the rooms that a hundred friends are in", &friends, PAGE);
    let score = |_: &mut Rng| {
        RoomQuery::by_score(|room| (room.user_count() * 10 + room.stream_count()) as u64)
            .limit(PAGE)
    };
    measure("by a score, which looks at every room", &score, PAGE);
}

/// What each index takes, beside a registry without.
fn memory() {
    let bytes = |settings| {
        let mut held = None;
        let counted = measure(|| held = Some(filled(settings)));
        drop(held);
        counted.bytes_current
    };
    let without = bytes(|config| config);
    let rooms = i64::try_from(MEDIUM.rooms).expect("few rooms");
    for (name, settings, of, count) in [
        ("index_names", names as fn(_) -> _, "room", rooms),
        ("index_attributes, one key", topics, "room that has it", rooms),
        ("index_users", users, "user in a room", rooms * 20),
    ] {
        let more = bytes(settings) - without;
        eprintln!("{name}: {} bytes a {of}", more / count);
    }
}
