//! One store behaves as a registry in memory does, whatever the ids, and reads no more than it must.

use std::collections::BTreeMap;
use std::time::Duration;

use redis::Commands;
use room_registry::event::{RoomClosed, StreamCreated, UserLoggedOut};
use room_registry::journal::Input;
use room_registry::page::RoomOrder;
use room_registry::{
    Change, Config, Lifecycle, ManualClock, RoomQuery, RoomRegistry, StreamId, StreamSessionId,
    UserId, UserSessionId,
};
use room_service::rows;
use room_service::store::{Page, Store, StoreError};

use crate::checker::{check, connection, version};
use crate::redis_server::RedisServer;
use crate::*;

const ORDERS: [RoomOrder; 4] =
    [RoomOrder::Newest, RoomOrder::Oldest, RoomOrder::MostUsers, RoomOrder::Id];

/// Something that could come, by chance.
fn anything(rng: &mut fastrand::Rng) -> Input {
    let room = format!("room{}", rng.u32(0..6));
    let user = format!("user{}", rng.u32(0..5));
    let number = rng.u64(1..9);
    match rng.u32(0..14) {
        0 => create(&room),
        1 => end(&room),
        2 | 3 => join(&room, &user),
        4 => leave(&room, &user),
        5..=7 => beat(&room, &user),
        8 => beat_with(&room, &user, Some(&format!("name {number}"))),
        9 => opened(&room),
        10 => login(&room, &user, number),
        11 => {
            let user_session = UserSessionId::new(number.to_string()).unwrap();
            let at = START + Duration::from_millis(number);
            let user_id = UserId::new(user).unwrap();
            callback(
                &room,
                UserLoggedOut::new(user_id, at).user_session_id(user_session).counter(number),
            )
        }
        12 => {
            let stream_id = StreamId::new(format!("stream{number}")).unwrap();
            let life = StreamSessionId::new(number.to_string()).unwrap();
            callback(
                &room,
                StreamCreated::new(stream_id, START)
                    .stream_session_id(life)
                    .order(number)
                    .counter(number),
            )
        }
        _ => callback(&room, RoomClosed::new(START + Duration::from_secs(number))),
    }
}

/// All pages of a list, with their cursors.
async fn pages(store: &Redis, order: RoomOrder) -> Vec<rows::RoomList> {
    let mut pages = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = store.rooms(&wanted(order, 2, cursor.clone())).await.unwrap();
        cursor.clone_from(&page.next_cursor);
        pages.push(page);
        if cursor.is_none() {
            return pages;
        }
    }
}

fn pages_in_memory<C: room_registry::Clock>(
    registry: &RoomRegistry<C>,
    order: RoomOrder,
) -> Vec<rows::RoomList> {
    let mut pages = Vec::new();
    let mut query = RoomQuery::new(order).limit(2);
    loop {
        let page = registry.page(&query).unwrap();
        let rooms = page.rooms.into_iter().map(Into::into).collect();
        let next_cursor = page.next.as_ref().map(ToString::to_string);
        pages.push(rows::RoomList { rooms, next_cursor });
        match page.next {
            Some(cursor) => query = RoomQuery::new(order).limit(2).after(cursor),
            None => return pages,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_answers_lists_and_tells_what_a_registry_in_memory_does() {
    let Some(server) = RedisServer::start() else { return };
    for seed in 0..4 {
        let _: () = redis::cmd("FLUSHALL").query(&mut connection(&server)).unwrap();
        let mut rng = fastrand::Rng::with_seed(seed);
        let lifecycle = (seed % 2 == 1).then_some(Lifecycle::UntilEmpty);
        let config = Config::builder().auto_create_rooms(lifecycle).build().unwrap();
        let clock = ManualClock::at(START + Duration::from_mins(1));
        let store = store_with(&server, &clock, config.clone()).await;
        let mut registry = RoomRegistry::with_clock(config.clone(), clock.clone());
        let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for step in 0..300 {
            let input = if rng.u32(0..12) == 0 {
                clock.advance(Duration::from_secs(rng.u64(1..120)));
                Input::Expire
            } else {
                clock.advance(Duration::from_millis(rng.u64(0..3_000)));
                anything(&mut rng)
            };
            let expected = registry.apply_input(&input);
            for change in registry.changes() {
                let told = told.entry(change.room_id.to_string()).or_default();
                told.push(room_service::feed::json(&change));
            }
            let answer = store.apply(input.clone()).await;
            match (answer, expected) {
                (Ok(answer), Ok(expected)) => assert_eq!(answer, expected, "{input:?}"),
                (Err(StoreError::Refused(refusal)), Err(expected)) => assert_eq!(refusal, expected),
                other => panic!("seed {seed}, step {step}: {input:?}: {other:?}"),
            }
            if step % 10 == 0 {
                check(&server, &config);
                for order in ORDERS {
                    let found = pages(&store, order).await;
                    assert_eq!(found, pages_in_memory(&registry, order), "seed {seed}");
                }
            }
            let room_id = input.room_id().unwrap_or("room0");
            let page = Page { limit: 100, cursor: None };
            let held = registry.room(room_id);
            assert_eq!(store.room(room_id).await.unwrap(), held.map(Into::into));
            let users = store.users(room_id, &page).await.unwrap();
            let expected: Option<Vec<rows::RoomUser>> =
                held.map(|room| room.users().map(Into::into).collect());
            assert_eq!(users.map(|list| list.users), expected, "seed {seed}, step {step}");
            let streams = store.streams(room_id, &page).await.unwrap();
            let expected: Option<Vec<rows::RoomStream>> =
                held.map(|room| room.streams().map(Into::into).collect());
            assert_eq!(streams.map(|list| list.streams), expected);
        }
        let counts = store.counts().await.unwrap();
        assert_eq!(counts.rooms, registry.room_count() as u64);
        assert_eq!(counts.users, registry.user_count() as u64);
        assert_eq!(counts.streams, registry.stream_count() as u64);
        assert_eq!(counts.outcomes, registry.outcomes());
        // Room by room the same changes in the same order, each told once.
        let expected: usize = told.values().map(Vec::len).sum();
        let events: redis::streams::StreamRangeReply =
            connection(&server).xrange_all(format!("{PREFIX}events")).unwrap();
        assert_eq!(events.ids.len(), expected);
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for event in events.ids {
            let json: String = event.get("change").unwrap();
            let change: Change = serde_json::from_str(&json).unwrap();
            found.entry(change.room_id.to_string()).or_default().push(json);
        }
        assert_eq!(found, told, "seed {seed}");

        // After a silence nothing is left of rooms that were not created.
        for room in 0..6 {
            _ = store.apply(end(&format!("room{room}"))).await;
        }
        clock.advance(Duration::from_secs(100_000));
        for _ in 0..3 {
            store.apply(Input::Expire).await.unwrap();
            clock.advance(Duration::from_secs(100_000));
        }
        check(&server, &config);
        let held: Vec<String> = connection(&server).zrange(format!("{PREFIX}held"), 0, -1).unwrap();
        assert!(held.is_empty(), "{held:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_may_be_anything_that_is_no_control_character() {
    let Some(server) = RedisServer::start() else { return };
    let clock = ManualClock::at(START);
    let store = store(&server, &clock).await;
    let long = "x".repeat(255);
    let ids = [
        "{}", "{a}b", "a b", "房间 1", "🎤", "~1~2", "*", "\\", "\"", "(", "[a", "+", "-", ":",
        &long,
    ];
    for id in ids {
        store.apply(create(id)).await.unwrap();
        for user in ids {
            store.apply(join(id, user)).await.unwrap();
            assert_eq!(store.apply(beat(id, user)).await.unwrap(), ALIVE);
        }
        assert_eq!(user_ids(&store, id).await.len(), ids.len());
    }
    check(&server, &Config::default());
    for order in ORDERS {
        let met = pages(&store, order).await;
        let mut met: Vec<_> =
            met.into_iter().flat_map(|page| page.rooms).map(|room| room.room_id).collect();
        met.sort_unstable();
        let mut expected = ids;
        expected.sort_unstable();
        assert!(met.iter().eq(expected.iter()), "{order}: {met:?}");
    }
    assert!(refused(store.apply(create("")).await).contains("empty"));
    assert!(refused(store.apply(create("a\n")).await).contains("control"));
    assert_eq!(store.room("nobody").await.unwrap(), None);
    assert!(store.users("a\0", &Page { limit: 1, cursor: None }).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn cursors_of_another_list_or_of_none_are_refused() {
    let Some(server) = RedisServer::start() else { return };
    let store = store(&server, &ManualClock::at(START)).await;
    for text in ["", "id", "id~0~1~ab", "users~1~1~a", "(", "+"] {
        let answer = store.rooms(&wanted(RoomOrder::Id, 1, Some(text.to_owned()))).await;
        assert!(matches!(answer, Err(StoreError::Cursor(_))), "{text:?}: {answer:?}");
    }
    let forged = format!("users~{}~1~a", u64::MAX);
    let page = store.rooms(&wanted(RoomOrder::MostUsers, 1, Some(forged))).await.unwrap();
    assert!(page.rooms.is_empty() && page.next_cursor.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_heartbeat_touches_no_room_and_a_page_reads_no_body() {
    let Some(server) = RedisServer::start() else { return };
    let clock = ManualClock::at(START);
    let store = store(&server, &clock).await;
    for room in 0..50 {
        let room = format!("r{room}");
        store.apply(create(&room)).await.unwrap();
        store.apply(join(&room, "ann")).await.unwrap();
    }
    let before = version(&server, "r7");
    let reset = || redis::cmd("CONFIG").arg("RESETSTAT").query::<()>(&mut connection(&server));
    reset().unwrap();
    for _ in 0..20 {
        clock.advance(Duration::from_secs(10));
        assert_eq!(store.apply(beat("r7", "ann")).await.unwrap(), ALIVE);
    }
    assert_eq!(version(&server, "r7"), before);
    let calls = calls(&server);
    assert_eq!((calls.get("zadd"), calls.get("zscore")), (Some(&20), Some(&20)), "{calls:?}");
    for command in ["hmget", "hgetall", "hset", "zrange", "keys", "scan"] {
        assert!(!calls.contains_key(command), "{calls:?}");
    }
    assert_eq!(calls.get("hget"), Some(&1), "the one by which this test reads versions: {calls:?}");

    reset().unwrap();
    for order in ORDERS {
        let page = store.rooms(&wanted(order, 10, None)).await.unwrap();
        assert_eq!(page.rooms.len(), 10);
    }
    let calls = self::calls(&server);
    assert_eq!((calls.get("zrange"), calls.get("hget")), (Some(&4), Some(&44)), "{calls:?}");
    for command in ["hmget", "hgetall", "keys", "scan", "sort"] {
        assert!(!calls.contains_key(command), "{calls:?}");
    }
}

/// How often each command was called.
fn calls(server: &RedisServer) -> BTreeMap<String, u64> {
    let info: String =
        redis::cmd("INFO").arg("commandstats").query(&mut connection(server)).unwrap();
    let stat = |line: &str| {
        let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        Some((name.to_owned(), rest.split_once(',')?.0.parse().ok()?))
    };
    info.lines().filter_map(stat).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_nothing_is_not_saved() {
    let Some(server) = RedisServer::start() else { return };
    let clock = ManualClock::at(START);
    let store = store(&server, &clock).await;
    store.apply(opened("r1")).await.unwrap();
    store.apply(login("r1", "ann", 1)).await.unwrap();
    let before = version(&server, "r1");
    clock.advance(Duration::from_secs(1));
    store.apply(opened("r1")).await.unwrap();
    store.apply(login("r1", "ann", 1)).await.unwrap();
    refused(store.apply(leave("r1", "bob")).await);
    assert_eq!(version(&server, "r1"), before);
    store.apply(login("r1", "ann", 2)).await.unwrap();
    assert_ne!(version(&server, "r1"), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_on_rooms_hold() {
    let Some(server) = RedisServer::start() else { return };
    let config = Config::builder().max_rooms(Some(3)).max_rooms_per_host(Some(2));
    let config = config.build().unwrap();
    let store = store_with(&server, &ManualClock::at(START), config.clone()).await;
    let of = |room: &str, host: &str| Command::CreateRoom(NewRoom::new(room, host)).into();
    store.apply(of("a", "tom")).await.unwrap();
    store.apply(of("b", "tom")).await.unwrap();
    assert!(refused(store.apply(of("c", "tom")).await).contains("one host may have 2"));
    store.apply(of("c", "mei")).await.unwrap();
    assert!(refused(store.apply(of("d", "mei")).await).contains("too many rooms"));
    store.apply(opened("d")).await.unwrap(); // limits never refuse a callback
    store.apply(end("a")).await.unwrap();
    store.apply(end("b")).await.unwrap();
    store.apply(of("a", "tom")).await.unwrap();
    check(&server, &config);
}
