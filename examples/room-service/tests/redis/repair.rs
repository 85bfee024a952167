//! One process plans the repair, for all.

use std::time::Duration;

use room_registry::repair::{Question, Reason};
use room_registry::{Clock, Config, ManualClock, Observation, RoomId};
use room_service::store::Store;

use crate::checker::{check, connection};
use crate::redis_server::RedisServer;
use crate::*;

async fn question(store: &Redis) -> Option<Question> {
    store.next_question().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_store_asks_and_another_takes_over_when_it_is_gone() {
    let Some(server) = RedisServer::start() else { return };
    let clock = ManualClock::at(START);
    let (one, other) = (store(&server, &clock).await, store(&server, &clock).await);
    one.apply(create("r1")).await.unwrap();
    other.apply(create("r2")).await.unwrap();
    assert_eq!(question(&one).await.unwrap().room_id, "r1");
    assert_eq!(question(&other).await, None);
    assert_eq!(question(&one).await.unwrap().room_id, "r2");
    clock.advance(Duration::from_secs(9));
    assert_eq!(question(&one).await, None, "all answers are outstanding");
    drop(one);
    clock.advance(Duration::from_secs(9));
    assert_eq!(question(&other).await, None, "the lease holds");
    clock.advance(Duration::from_secs(2));
    assert_eq!(question(&other).await.unwrap().room_id, "r1");

    // One that ends in order does not let others wait.
    other.close().await.unwrap();
    let third = store(&server, &clock).await;
    assert!(question(&third).await.is_some());
    assert_eq!(question(&other).await, None, "it leads no more");
    check(&server, &Config::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_a_question_reaches_the_leader_from_any_store() {
    let Some(server) = RedisServer::start() else { return };
    let clock = ManualClock::at(START);
    let (one, other) = (store(&server, &clock).await, store(&server, &clock).await);
    for room in ["r1", "r2"] {
        other.apply(create(room)).await.unwrap();
    }
    let asked = [question(&one).await.unwrap(), question(&one).await.unwrap()];
    assert_eq!(asked.map(|question| question.room_id.to_string()), ["r1", "r2"]);
    let observation = Observation::new(RoomId::new("r1").unwrap(), clock.now());
    other.apply(observation.users([]).streams([]).into()).await.unwrap();
    other.question_failed("r2").await.unwrap();
    assert_eq!(question(&one).await, None);
    clock.advance(Duration::from_millis(9_999));
    assert_eq!(question(&one).await, None, "both are left alone for ten seconds");
    // Without the two words they would be outstanding for thirty.
    clock.advance(Duration::from_millis(1));
    let mut asked = [question(&one).await.unwrap(), question(&one).await.unwrap()]
        .map(|question| question.room_id.to_string());
    asked.sort_unstable();
    assert_eq!(asked, ["r1", "r2"]);
    check(&server, &Config::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_seen_by_one_store_is_asked_about_by_the_leader() {
    let Some(server) = RedisServer::start() else { return };
    let clock = ManualClock::at(START);
    let (one, other) = (store(&server, &clock).await, store(&server, &clock).await);
    assert_eq!(question(&one).await, None);
    other.apply(opened("r1")).await.unwrap();
    other.apply(login("r1", "ann", 1)).await.unwrap();
    other.apply(login("r1", "bob", 3)).await.unwrap(); // where is the second?
    // The leader asks so that its lease holds.
    let mut reasons = Vec::new();
    for _ in 0..12 {
        clock.advance(Duration::from_secs(5));
        assert_eq!(question(&other).await, None);
        reasons.extend(question(&one).await.map(|question| question.reason));
    }
    assert!(reasons.contains(&Reason::Gap), "{reasons:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_missed_too_much_begins_anew() {
    let Some(server) = RedisServer::start() else { return };
    let clock = ManualClock::at(START);
    let store = store(&server, &clock).await;
    assert_eq!(question(&store).await, None);
    store.apply(create("r1")).await.unwrap();
    // The stream was cut before the leader read it.
    let mut redis = connection(&server);
    let trim = redis::cmd("XTRIM")
        .arg(format!("{PREFIX}standings"))
        .arg("MAXLEN")
        .arg(0)
        .query(&mut redis);
    let _: () = trim.unwrap();
    assert_eq!(question(&store).await.unwrap().room_id, "r1");
}
