//! Redis gone and back.

use std::time::{Duration, Instant};

use redis::Commands;
use room_registry::page::RoomOrder;
use room_registry::{Config, ManualClock};
use room_service::store::{Page, Store, StoreError};
use tokio::sync::broadcast::error::RecvError;

use crate::checker::{check, connection};
use crate::redis_server::RedisServer;
use crate::*;

#[tokio::test(flavor = "multi_thread")]
async fn while_redis_is_gone_all_fails_in_bounded_time_and_then_goes_on() {
    let Some(mut server) = RedisServer::start_that_keeps() else { return };
    let store = Redis::connect(&server.url(), PREFIX, Config::default()).await.unwrap();
    store.apply(create("r1")).await.unwrap();
    store.apply(join("r1", "ann")).await.unwrap();
    let page = Page { limit: 10, cursor: None };
    let mut coming = store.feed().listen(None).coming;
    store.apply(join("r1", "zoe")).await.unwrap();
    // What happened before may still be on its way.
    let seen = loop {
        let event = coming.recv().await.unwrap();
        if event.json().contains("zoe") {
            break event;
        }
    };

    server.kill();
    for _ in 0..3 {
        let began = Instant::now();
        let failures = [
            store.apply(join("r1", "bob")).await.map(drop),
            store.apply(beat("r1", "ann")).await.map(drop),
            store.rooms(&wanted(RoomOrder::Newest, 1, None)).await.map(drop),
            store.room("r1").await.map(drop),
            store.users("r1", &page).await.map(drop),
            store.streams("r1", &page).await.map(drop),
            store.sweep().await.map(drop),
            store.next_question().await.map(drop),
            store.question_failed("r1").await,
            store.counts().await.map(drop),
        ];
        // Each takes a second and a half at most; a slow machine may take its time besides.
        assert!(began.elapsed() < Duration::from_secs(45), "{:?}", began.elapsed());
        for failure in failures {
            assert!(
                matches!(failure, Err(StoreError::Failed { store: "redis", .. })),
                "{failure:?}"
            );
        }
    }
    assert!(Redis::connect(&server.url(), PREFIX, Config::default()).await.is_err());

    server.start_again();
    until("it recovers", async || store.counts().await.is_ok()).await;
    // What was acknowledged is there, and scripts are sent again.
    assert_eq!(user_ids(&store, "r1").await, ["ann", "zoe"]);
    assert_eq!(store.apply(beat("r1", "ann")).await.unwrap(), ALIVE);
    store.apply(join("r1", "cleo")).await.unwrap();
    assert!(store.sweep().await.is_ok());
    check(&server, &Config::default());
    // The listener was not cut off, as nothing was lost: the next event is the next that happened.
    let next = coming.recv().await.unwrap();
    assert!(next.json().contains("cleo"), "{}", next.json());
    assert!(!store.feed().listen(Some(seen.id())).missed);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_that_lost_everything_listeners_are_told() {
    let Some(mut server) = RedisServer::start() else { return };
    let store = Redis::connect(&server.url(), PREFIX, Config::default()).await.unwrap();
    let mut coming = store.feed().listen(None).coming;
    store.apply(create("r1")).await.unwrap();
    let seen = coming.recv().await.unwrap();
    assert_eq!(store.next_question().await.unwrap().unwrap().room_id, "r1");
    server.kill();
    server.start_again();
    assert!(matches!(coming.recv().await, Err(RecvError::Closed)));
    assert!(store.feed().listen(Some(seen.id())).missed);
    until("it recovers", async || store.counts().await.is_ok()).await;
    assert!(refused(store.apply(beat("r1", "ann")).await).contains("not found"));
    assert_eq!(store.counts().await.unwrap().rooms, 0);
    // The planner begins anew, and knows of no room.
    assert!(store.next_question().await.unwrap().is_none());
    store.apply(create("r2")).await.unwrap();
    assert_eq!(store.next_question().await.unwrap().unwrap().room_id, "r2");
    check(&server, &Config::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_outage_members_get_a_grace() {
    let Some(server) = RedisServer::start() else { return };
    let clock = ManualClock::at(START);
    let before = store(&server, &clock).await;
    before.apply(create("r1")).await.unwrap();
    before.apply(join("r1", "ann")).await.unwrap();
    drop(before);
    // For an hour nobody could be heard. The beacon of the store that is gone may still be under way.
    clock.advance(Duration::from_secs(3_600));
    let alive = format!("{PREFIX}alive");
    until("the beacon stays out", async || {
        let _: () = connection(&server).set(&alive, 1).unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        connection(&server).get::<_, u64>(&alive).unwrap() == 1
    })
    .await;
    let store = store(&server, &clock).await;
    store.sweep().await.unwrap();
    assert_eq!(user_ids(&store, "r1").await, ["ann"]);
    clock.advance(Duration::from_secs(80));
    assert_eq!(store.apply(beat("r1", "ann")).await.unwrap(), ALIVE);
    clock.advance(Duration::from_secs(91));
    store.sweep().await.unwrap();
    assert!(user_ids(&store, "r1").await.is_empty(), "one grace, not for ever");
    check(&server, &Config::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_tells_no_password() {
    let Some(server) = RedisServer::start() else { return };
    let url = server.url().replace("redis://", "redis://:hunter2@");
    let error = Redis::connect(&url, PREFIX, Config::default()).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    let _: () = redis::cmd("CONFIG")
        .arg(&["SET", "requirepass", "hunter2"])
        .query(&mut connection(&server))
        .unwrap();
    let store = Redis::connect(&url, PREFIX, Config::default()).await.unwrap();
    store.apply(create("r1")).await.unwrap();
    assert!(!format!("{store:?}").contains("hunter2"));
    let error = Redis::connect(&server.url(), PREFIX, Config::default()).await.unwrap_err();
    assert!(matches!(error, StoreError::Failed { .. }), "{error:?}");
    let error = Redis::connect("redis://:hunter2@[", PREFIX, Config::default()).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_of_other_settings_and_damaged_rooms_fail_and_change_nothing() {
    let Some(server) = RedisServer::start() else { return };
    let clock = ManualClock::at(START);
    let store = store(&server, &clock).await;
    store.apply(create("r1")).await.unwrap();
    let config = Config::builder().retention(None).build().unwrap();
    let other = store_with(&server, &clock, config).await;
    let answer = other.apply(join("r1", "ann")).await;
    assert!(matches!(answer, Err(StoreError::Failed { .. })), "{answer:?}");
    check(&server, &Config::default());

    let room = format!("{PREFIX}room:r1");
    let _: () = connection(&server).hset(&room, "body", "{\"version\":1").unwrap();
    let answer = store.apply(join("r1", "ann")).await;
    assert!(matches!(answer, Err(StoreError::Failed { .. })), "{answer:?}");
}
