//! The usual first server, to compare with: what a team writes in an afternoon.
//!
//! Objects in memory, or a JSON value a room in Redis that is read whole, changed, and written whole.
//! The room list is all rooms at once, in Redis by `KEYS`. Heartbeats are looked at user by user,
//! each second. Callbacks count in the order in which they arrive. It is right while nothing happens
//! at the same time and nothing gets lost; it is here for its speed alone.

use std::collections::HashMap;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Json, Query, State};
use axum::routing::{get, post};
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use room_registry::{Clock, SystemClock};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::LoadError;

/// How long a user may be silent, in milliseconds.
const TIMEOUT_MS: u64 = 90_000;

/// Where it listens, and what it keeps rooms in.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    #[arg(long)]
    pub listen: SocketAddr,
    /// A JSON value a room in Redis, in place of objects in memory.
    #[arg(long)]
    pub on_redis: bool,
    #[arg(long, env = "ROOM_SERVICE_REDIS", hide_env_values = true)]
    pub redis: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "answers name them so")]
struct Room {
    room_id: String,
    room_name: String,
    host_id: String,
    users: HashMap<String, User>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "answers name them so")]
struct User {
    user_id: String,
    user_name: String,
    join_time: u64,
    heartbeat_time: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Parameters {
    #[serde(rename = "RoomID")]
    room_id: String,
    room_name: String,
    #[serde(rename = "HostID")]
    host_id: String,
    #[serde(rename = "UserID")]
    user_id: String,
    user_name: String,
}

/// Runs it on a runtime of its own, until the process ends.
pub fn start(options: Options) -> Result<(), Box<dyn Error>> {
    Ok(Runtime::new()?.block_on(run(options))?)
}

/// Runs it, until the process ends.
pub async fn run(options: Options) -> Result<(), LoadError> {
    let rooms = if options.on_redis {
        let url = options.redis.ok_or(LoadError::NoRedis(super::Server::PlainRedis))?;
        Rooms::Redis(redis::Client::open(url)?.get_multiplexed_async_connection().await?)
    } else {
        let rooms = Arc::default();
        tokio::spawn(look_at_everybody(Arc::clone(&rooms)));
        Rooms::Memory(rooms)
    };
    let router = Router::new()
        .route("/healthz", get(async || ()))
        .route("/room/create_room", get(create_room))
        .route("/room/join_room", get(join_room))
        .route("/room/heartbeat", get(heartbeat))
        .route("/room/get_room_list", get(get_room_list))
        .route("/callback", post(callback))
        .with_state(rooms);
    let listener = tokio::net::TcpListener::bind(options.listen).await?;
    Ok(axum::serve(listener, router).await?)
}

/// Where the rooms are.
#[derive(Debug, Clone)]
enum Rooms {
    Memory(Arc<Mutex<HashMap<String, Room>>>),
    Redis(MultiplexedConnection),
}

type Answer = Json<Value>;

async fn create_room(State(mut rooms): State<Rooms>, Query(it): Query<Parameters>) -> Answer {
    let Parameters { room_id, room_name, host_id, .. } = it;
    let room = Room { room_id: room_id.clone(), room_name, host_id, users: HashMap::new() };
    rooms
        .change(&room_id, |held| {
            let is_new = held.is_none();
            (is_new.then_some(room), if is_new { done() } else { refused("room already exists") })
        })
        .await
}

async fn join_room(State(mut rooms): State<Rooms>, Query(it): Query<Parameters>) -> Answer {
    rooms.with_room(&it.room_id, |room| join(room, &it.user_id, &it.user_name)).await
}

async fn heartbeat(State(mut rooms): State<Rooms>, Query(it): Query<Parameters>) -> Answer {
    rooms
        .with_room(&it.room_id, |room| match room.users.get_mut(&it.user_id) {
            Some(user) => {
                user.heartbeat_time = now();
                done()
            }
            None => refused("user not joined or heartbeat timeout"),
        })
        .await
}

async fn callback(State(mut rooms): State<Rooms>, Json(event): Json<Value>) -> Answer {
    let text = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
    let user_id = text("user_account");
    rooms
        .with_room(&text("room_id"), |room| {
            match event["event"].as_str() {
                Some("room_login") => _ = join(room, &user_id, &text("user_nickname")),
                Some("room_logout") => _ = room.users.remove(&user_id),
                _ => {}
            }
            done()
        })
        .await
}

async fn get_room_list(State(mut rooms): State<Rooms>) -> Answer {
    let row = |room: &Room| json!({ "room_id": room.room_id, "room_name": room.room_name, "host_id": room.host_id });
    let rows: Vec<_> = match &mut rooms {
        Rooms::Memory(rooms) => {
            let rooms = rooms.lock().unwrap_or_else(PoisonError::into_inner);
            rooms.values().map(row).collect()
        }
        Rooms::Redis(connection) => match all(connection).await {
            Ok(rooms) => rooms.iter().map(row).collect(),
            Err(error) => return refused(&error.to_string()),
        },
    };
    Json(json!({ "code": 0, "message": "success", "data": rows }))
}

impl Rooms {
    /// Changes a room that is there.
    async fn with_room(
        &mut self,
        room_id: &str,
        change: impl FnOnce(&mut Room) -> Answer,
    ) -> Answer {
        self.change(room_id, |held| match held {
            Some(mut room) => {
                let answer = change(&mut room);
                (Some(room), answer)
            }
            None => (None, refused("room not exists")),
        })
        .await
    }

    /// Reads a room whole, and writes it whole.
    async fn change(
        &mut self,
        room_id: &str,
        change: impl FnOnce(Option<Room>) -> (Option<Room>, Answer),
    ) -> Answer {
        match self {
            Self::Memory(rooms) => {
                let mut rooms = rooms.lock().unwrap_or_else(PoisonError::into_inner);
                let held = rooms.remove(room_id);
                let (room, answer) = change(held);
                rooms.extend(room.map(|room| (room_id.to_owned(), room)));
                answer
            }
            Self::Redis(connection) => {
                let key = format!("load-plain:{room_id}");
                let held: Option<String> = match connection.get(&key).await {
                    Ok(held) => held,
                    Err(error) => return refused(&error.to_string()),
                };
                let (room, answer) =
                    change(held.as_deref().and_then(|json| serde_json::from_str(json).ok()));
                if let Some(room) = room {
                    let json = serde_json::to_string(&room).expect("plain values");
                    let written: redis::RedisResult<()> = connection.set(&key, json).await;
                    if let Err(error) = written {
                        return refused(&error.to_string());
                    }
                }
                answer
            }
        }
    }
}

fn join(room: &mut Room, user_id: &str, user_name: &str) -> Answer {
    if room.users.contains_key(user_id) {
        return refused("user already joined");
    }
    let (user_id, user_name) = (user_id.to_owned(), user_name.to_owned());
    let user =
        User { user_id: user_id.clone(), user_name, join_time: now(), heartbeat_time: now() };
    room.users.insert(user_id, user);
    done()
}

async fn all(connection: &mut MultiplexedConnection) -> redis::RedisResult<Vec<Room>> {
    let keys: Vec<String> = connection.keys("load-plain:*").await?;
    let mut rooms = Vec::with_capacity(keys.len());
    for keys in keys.chunks(1_000) {
        let values: Vec<Option<String>> = connection.mget(keys).await?;
        let values = values.into_iter().flatten();
        rooms.extend(values.filter_map(|json| serde_json::from_str::<Room>(&json).ok()));
    }
    Ok(rooms)
}

/// Each second, who was silent for too long goes.
async fn look_at_everybody(rooms: Arc<Mutex<HashMap<String, Room>>>) {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = now();
        let mut rooms = rooms.lock().unwrap_or_else(PoisonError::into_inner);
        for room in rooms.values_mut() {
            room.users.retain(|_, user| user.heartbeat_time + TIMEOUT_MS >= now);
        }
    }
}

fn done() -> Answer {
    Json(json!({ "code": 0, "message": "success" }))
}

fn refused(message: &str) -> Answer {
    Json(json!({ "code": 1, "message": message }))
}

fn now() -> u64 {
    SystemClock.now().as_millis()
}
