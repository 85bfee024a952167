//! The store in Redis: what it shares between processes, and what it does when something dies.

#![allow(
    clippy::unwrap_used,
    clippy::similar_names,
    clippy::duration_suboptimal_units,
    reason = "tests: what fails is seen where it fails, and spans are told in the unit of the settings"
)]

mod behaviour;
mod checker;
mod outages;
mod processes;
#[path = "../support/redis_server.rs"]
mod redis_server;
mod repair;
mod sharing;

use std::sync::Arc;
use std::time::{Duration, Instant};

use redis_server::RedisServer;
use room_registry::event::{RoomCreated, UserLoggedIn};
use room_registry::journal::{Answer, Command, Input};
use room_registry::page::RoomOrder;
use room_registry::{
    Callback, Config, Heartbeat, ManualClock, NewRoom, NewUser, RoomId, SessionId, Timestamp,
    UserId, UserSessionId, UserUpdate,
};
use room_service::store::redis::Redis;
use room_service::store::{Page, RoomsWanted, Store, StoreError};

const PREFIX: &str = "test:";
const START: Timestamp = Timestamp::from_millis(1_763_596_800_000);

/// A store on a clock that is moved by hand.
async fn store(server: &RedisServer, clock: &ManualClock) -> Redis {
    store_with(server, clock, Config::default()).await
}

async fn store_with(server: &RedisServer, clock: &ManualClock, config: Config) -> Redis {
    let clock = Arc::new(clock.clone());
    Redis::connect_with_clock(&server.url(), PREFIX, config, clock).await.unwrap()
}

fn create(room: &str) -> Input {
    Command::CreateRoom(NewRoom::new(room, "tom")).into()
}

fn end(room: &str) -> Input {
    Command::EndRoom { room_id: RoomId::new(room).unwrap() }.into()
}

fn join(room: &str, user: &str) -> Input {
    Command::JoinRoom { room_id: RoomId::new(room).unwrap(), user: NewUser::new(user) }.into()
}

fn leave(room: &str, user: &str) -> Input {
    let (room_id, user_id) = (RoomId::new(room).unwrap(), UserId::new(user).unwrap());
    Command::LeaveRoom { room_id, user_id, connection_id: None }.into()
}

fn beat(room: &str, user: &str) -> Input {
    beat_with(room, user, None)
}

fn beat_with(room: &str, user: &str, user_name: Option<&str>) -> Input {
    let (room_id, user_id) = (RoomId::new(room).unwrap(), UserId::new(user).unwrap());
    let update = user_name.into_iter().fold(UserUpdate::new(), UserUpdate::name);
    Command::Heartbeat { room_id, user_id, connection_id: None, update }.into()
}

fn callback(room: &str, event: impl Into<room_registry::event::CallbackEvent>) -> Input {
    Callback::new(RoomId::new(room).unwrap(), SessionId::new("7").unwrap(), event).into()
}

fn opened(room: &str) -> Input {
    callback(room, RoomCreated::new(START))
}

fn login(room: &str, user: &str, number: u64) -> Input {
    let user_session = UserSessionId::new(number.to_string()).unwrap();
    callback(
        room,
        UserLoggedIn::new(UserId::new(user).unwrap(), START)
            .user_session_id(user_session)
            .counter(number),
    )
}

const ALIVE: Answer = Answer::Heartbeat(Heartbeat::Alive);
const LEFT: Answer = Answer::Heartbeat(Heartbeat::Left);
const TIMED_OUT: Answer = Answer::Heartbeat(Heartbeat::TimedOut);

fn wanted(order: RoomOrder, limit: usize, cursor: Option<String>) -> RoomsWanted {
    RoomsWanted { order, page: Page { limit, cursor } }
}

async fn user_ids(store: &Redis, room: &str) -> Vec<String> {
    let page = Page { limit: 10_000, cursor: None };
    let list = store.users(room, &page).await.unwrap();
    list.into_iter().flat_map(|list| list.users).map(|user| user.user_id.to_string()).collect()
}

#[track_caller]
fn refused(answer: Result<Answer, StoreError>) -> String {
    match answer {
        Err(StoreError::Refused(error)) => error.to_string(),
        other => panic!("not refused: {other:?}"),
    }
}

/// Waits for something to become so.
async fn until<F: Future<Output = bool>>(what: &str, condition: impl Fn() -> F) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !condition().await {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
