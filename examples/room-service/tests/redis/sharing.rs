//! Two stores on one Redis: sweeps, heartbeats and events are shared.

use std::sync::Arc;
use std::time::Duration;

use redis::Commands;
use room_registry::journal::Input;
use room_registry::{ChangeKind, Clock, Config, ManualClock};
use room_service::feed::{Event, Listening};
use room_service::store::Store;

use crate::checker::{check, connection, version};
use crate::redis_server::RedisServer;
use crate::*;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_is_done_once_whoever_sweeps() {
    let Some(server) = RedisServer::start() else { return };
    let clock = ManualClock::at(START);
    let stores = [store(&server, &clock).await, store(&server, &clock).await].map(Arc::new);
    for number in 0..150 {
        let room = format!("r{number}");
        stores[0].apply(create(&room)).await.unwrap();
        stores[0].apply(join(&room, "ann")).await.unwrap();
        stores[1].apply(join(&room, "bob")).await.unwrap();
    }
    clock.advance(Duration::from_mins(1));
    for number in 0..150 {
        stores[1].apply(beat(&format!("r{number}"), "bob")).await.unwrap();
    }
    assert!(stores[0].sweep().await.unwrap().unwrap() > clock.now());
    clock.advance(Duration::from_secs(31));
    let sweeps = stores.clone().map(|store| {
        tokio::spawn(async move {
            let (mut memberships, mut rounds) = (0, 0);
            loop {
                let Ok(Answer::Expired(expired)) = store.apply(Input::Expire).await else {
                    panic!("no expiry")
                };
                memberships += expired.memberships;
                rounds += 1;
                if rounds == 3 {
                    return memberships;
                }
            }
        })
    });
    let mut memberships = 0;
    for sweep in sweeps {
        memberships += sweep.await.unwrap();
    }
    assert_eq!(memberships, 150, "each of them went once");
    check(&server, &Config::default());
    for number in 0..150 {
        assert_eq!(user_ids(&stores[0], &format!("r{number}")).await, ["bob"]);
    }
    // The next is due when Bob, who was heard of at 60 s, would time out.
    let next = stores[1].sweep().await.unwrap().unwrap();
    assert_eq!(next, START + Duration::from_millis(150_001));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lively_room_is_put_off_once_a_timeout() {
    let Some(server) = RedisServer::start() else { return };
    let clock = ManualClock::at(START);
    let store = store(&server, &clock).await;
    store.apply(create("r1")).await.unwrap();
    store.apply(join("r1", "ann")).await.unwrap();
    let mut saves = 0;
    let mut before = version(&server, "r1");
    for _ in 0..60 {
        clock.advance(Duration::from_secs(10));
        assert_eq!(store.apply(beat("r1", "ann")).await.unwrap(), ALIVE);
        store.sweep().await.unwrap();
        let now = version(&server, "r1");
        saves += u32::from(now != before);
        before = now;
    }
    assert!((1..=8).contains(&saves), "{saves} saves in ten minutes");
    check(&server, &Config::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_claimed_by_a_process_that_died_is_due_again_after_the_lease() {
    let Some(server) = RedisServer::start() else { return };
    let clock = ManualClock::at(START);
    let store = store(&server, &clock).await;
    store.apply(create("r1")).await.unwrap();
    store.apply(join("r1", "ann")).await.unwrap();
    clock.advance(Duration::from_secs(91));
    // Another process claimed it just now, and is never heard of again.
    let lease = clock.now() + Duration::from_secs(10);
    let due = format!("{PREFIX}due");
    let _: () = connection(&server).zadd(&due, "r1", lease.as_millis()).unwrap();
    assert_eq!(store.sweep().await.unwrap(), Some(lease));
    assert_eq!(user_ids(&store, "r1").await, ["ann"]);
    clock.advance(Duration::from_secs(10));
    store.sweep().await.unwrap();
    assert!(user_ids(&store, "r1").await.is_empty());
    check(&server, &Config::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_heartbeat_and_a_sweep_at_once_agree_though_their_clocks_do_not() {
    let Some(server) = RedisServer::start() else { return };
    // By the one clock she is silent for too long, by the other just in time.
    let clocks = [ManualClock::at(START), ManualClock::at(START)];
    let [sweeper, beater] = [&clocks[0], &clocks[1]];
    let (swept, beaten) = (store(&server, sweeper).await, store(&server, beater).await);
    swept.apply(create("r1")).await.unwrap();
    let mut alive = 0;
    for _ in 0..100 {
        let now = sweeper.now();
        beater.set(now);
        swept.apply(join("r1", "ann")).await.unwrap();
        sweeper.set(now + Duration::from_millis(90_001));
        beater.set(now + Duration::from_millis(90_000));
        let (sweep, answer) = tokio::join!(swept.sweep(), beaten.apply(beat("r1", "ann")));
        sweep.unwrap();
        let is_there = user_ids(&swept, "r1").await == ["ann"];
        match answer {
            Ok(ALIVE) => assert!(is_there, "she was told that she is there"),
            answer => assert!(!is_there, "she was told that she is not: {answer:?}"),
        }
        alive += u32::from(is_there);
        check(&server, &Config::default());
        if is_there {
            swept.apply(leave("r1", "ann")).await.unwrap();
        }
        // Both clocks must be at the same time again when she joins.
        sweeper.advance(Duration::from_secs(1));
    }
    println!("the heartbeat was faster {alive} times of 100");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_membership_that_timed_out_ends_with_its_late_heartbeat() {
    let Some(server) = RedisServer::start() else { return };
    let clock = ManualClock::at(START);
    let store = store(&server, &clock).await;
    store.apply(create("r1")).await.unwrap();
    store.apply(join("r1", "ann")).await.unwrap();
    clock.advance(Duration::from_secs(90));
    assert_eq!(store.apply(beat("r1", "ann")).await.unwrap(), ALIVE, "exactly the timeout");
    assert!(refused(store.apply(join("r1", "ann")).await).contains("already joined"));
    clock.advance(Duration::from_millis(90_001));
    assert_eq!(store.apply(beat("r1", "ann")).await.unwrap(), TIMED_OUT);
    assert_eq!(store.apply(beat("r1", "ann")).await.unwrap(), TIMED_OUT);
    assert!(refused(store.apply(beat("r2", "ann")).await).contains("not found"));
    store.apply(join("r1", "ann")).await.unwrap();
    clock.advance(Duration::from_millis(90_001));
    store.apply(join("r1", "ann")).await.unwrap(); // one who timed out counts as gone
    store.apply(login("r1", "bob", 1)).await.unwrap();
    assert_eq!(store.apply(beat("r1", "bob")).await.unwrap(), ALIVE, "gains a membership");
    check(&server, &Config::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_membership_and_its_heartbeats_go_with_a_room_that_its_session_ends() {
    let Some(server) = RedisServer::start() else { return };
    let clock = ManualClock::at(START);
    let store = store(&server, &clock).await;
    store.apply(opened("r1")).await.unwrap();
    store.apply(join("r1", "ann")).await.unwrap();
    clock.advance(Duration::from_mins(1));
    assert_eq!(store.apply(beat("r1", "ann")).await.unwrap(), ALIVE);
    let closed = room_registry::event::RoomClosed::new(START + Duration::from_mins(1));
    store.apply(callback("r1", closed)).await.unwrap();
    assert!(refused(store.apply(beat("r1", "ann")).await).contains("not found"));
    check(&server, &Config::default());
    clock.advance(Duration::from_mins(1));
    store.apply(create("r1")).await.unwrap();
    assert!(user_ids(&store, "r1").await.is_empty());
    assert_eq!(store.apply(beat("r1", "ann")).await.unwrap(), LEFT);
    check(&server, &Config::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grace_counts_for_everybody_without_reading_a_room() {
    let Some(server) = RedisServer::start() else { return };
    let clock = ManualClock::at(START);
    let store = store(&server, &clock).await;
    store.apply(create("r1")).await.unwrap();
    for user in ["ann", "bob"] {
        store.apply(join("r1", user)).await.unwrap();
    }
    let before = version(&server, "r1");
    clock.advance(Duration::from_secs(3_600));
    store.apply(Command::GrantGrace.into()).await.unwrap();
    assert_eq!(version(&server, "r1"), before);
    store.sweep().await.unwrap();
    clock.advance(Duration::from_secs(90));
    assert_eq!(store.apply(beat("r1", "ann")).await.unwrap(), ALIVE);
    clock.advance(Duration::from_secs(1));
    store.sweep().await.unwrap();
    assert_eq!(user_ids(&store, "r1").await, ["ann"]);
    check(&server, &Config::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn events_pass_from_store_to_store_and_go_on_after_any_of_them() {
    let Some(server) = RedisServer::start() else { return };
    let clock = ManualClock::at(START);
    let (one, other) = (store(&server, &clock).await, store(&server, &clock).await);
    let mut coming = other.feed().listen(None).coming;
    one.apply(create("r1")).await.unwrap();
    one.apply(join("r1", "ann")).await.unwrap();
    let first = coming.recv().await.unwrap();
    assert!(matches!(kind(&first), ChangeKind::RoomListed { .. }));
    let second = coming.recv().await.unwrap();
    assert!(matches!(kind(&second), ChangeKind::UserJoined(user) if user.user_id == "ann"));

    // Go on in the other process, and in one that starts later.
    until("the first store has its own events", async || {
        one.feed().listen(Some(second.id())).past.is_empty()
            && !one.feed().listen(Some(first.id())).missed
    })
    .await;
    let third = store(&server, &clock).await;
    for store in [&one, &other, &third] {
        let Listening { missed, past, .. } = store.feed().listen(Some(first.id()));
        assert!(!missed);
        assert_eq!(past.iter().map(|event| event.id()).collect::<Vec<_>>(), [second.id()]);
        assert!(store.feed().listen(Some("1-1")).missed);
    }
}

fn kind(event: &Event) -> ChangeKind {
    event.change().kind.clone()
}
