//! Rooms in a SQLite file: each input loads one room, applies, and saves it, in one transaction. A
//! restart loses nothing, and several processes may share the file.
//!
//! It believes whoever asks. Put your own login before it, and check the vendor's signature in
//! `callback`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use room_registry::journal::{Answer, Command, Input};
use room_registry::page::{Direction, RoomCursor, RoomOrder, UserCursor};
use room_registry::vendor::zego::{Decoder, Event};
use room_registry::visible::RoomSummary;
use room_registry::{
    Clock, Config, Error, Heartbeat, Lifecycle, Room, RoomId, RoomRef, SystemClock, Timestamp,
};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use serde::Deserialize;
use serde_json::json;

/// A listed room has a summary, and its place in the list. `due_at` tells when a room expires next.
/// Heartbeats lie beside the rooms, because they are too frequent to write a room for each.
const TABLES: &str = "
    PRAGMA journal_mode = WAL;
    CREATE TABLE IF NOT EXISTS rooms (
        room_id TEXT PRIMARY KEY,
        room TEXT NOT NULL,
        due_at INTEGER,
        began_at INTEGER,
        summary TEXT
    ) STRICT;
    CREATE INDEX IF NOT EXISTS due ON rooms (due_at) WHERE due_at IS NOT NULL;
    CREATE INDEX IF NOT EXISTS listed ON rooms (began_at, room_id) WHERE summary IS NOT NULL;
    CREATE TABLE IF NOT EXISTS heartbeats (
        room_id TEXT,
        user_id TEXT,
        connection_id TEXT, -- '' for none
        at INTEGER NOT NULL,
        PRIMARY KEY (room_id, user_id, connection_id)
    ) STRICT, WITHOUT ROWID;";
const DUE_EVER: &str = "SELECT room_id FROM rooms WHERE due_at >= ?1";
const DUE: &str = "SELECT room_id FROM rooms WHERE due_at <= ?1 ORDER BY due_at LIMIT 100";
const LISTED: &str = "SELECT summary FROM rooms
    WHERE summary IS NOT NULL AND (began_at, room_id) < (?1, ?2)
    ORDER BY began_at DESC, room_id DESC LIMIT 20";
const PAGE: usize = 20; // as in `LISTED`

type Failure = Box<dyn std::error::Error + Send + Sync>;

struct Store {
    database: Mutex<Connection>,
    config: Config,
}

impl Store {
    fn open(file: &str, config: Config) -> Result<Self, Failure> {
        let database = Connection::open(file)?;
        database.busy_timeout(Duration::from_secs(5))?;
        database.execute_batch(TABLES)?;
        let store = Self { database: Mutex::new(database), config };
        // No heartbeat could arrive while the server was away.
        store.apply_to_each(&store.ids(DUE_EVER, 0)?, &Command::GrantGrace.into());
        Ok(store)
    }

    /// Applies one input to one room.
    fn apply(&self, room_id: &str, input: &Input) -> Result<Answer, Failure> {
        let mut database = self.lock();
        // It writes from the beginning, so no other process comes between the load and the save.
        let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let now = SystemClock.now();
        let mut room = match load(&transaction, room_id)? {
            Some(room) => room,
            None => Room::new(RoomId::new(room_id).map_err(Error::from)?, &self.config),
        };
        room.carry_over(&self.config, now); // if the settings have changed since it was saved
        let beside = heartbeats(&transaction, room_id)?;
        let beside = beside.iter().map(|(user_id, connection_id, at)| {
            let connection_id = Some(connection_id.as_str()).filter(|id| !id.is_empty());
            ((user_id.as_str(), connection_id), Timestamp::from_millis(at.unsigned_abs()))
        });
        room.take_heartbeats(beside, &self.config, now)?;
        let answer = room.apply_input(input, &self.config, now)?;
        match input {
            Input::Command(Command::Heartbeat { user_id, connection_id, .. })
                if answer == Answer::Heartbeat(Heartbeat::Alive) && !room.is_dirty() =>
            {
                let connection_id = connection_id.as_ref().map_or("", |id| id.as_str());
                transaction.execute(
                    "INSERT OR REPLACE INTO heartbeats VALUES (?1, ?2, ?3, ?4)",
                    params![room_id, user_id.as_str(), connection_id, integer(now.as_millis())],
                )?;
            }
            _ => self.save(&transaction, &room)?,
        }
        transaction.commit()?;
        Ok(answer)
    }

    /// Saves a room that has taken over its heartbeats.
    fn save(&self, transaction: &Transaction<'_>, room: &Room) -> Result<(), Failure> {
        let room_id = room.id().as_str();
        transaction.execute("DELETE FROM heartbeats WHERE room_id = ?1", [room_id])?;
        if room.is_forgotten() {
            transaction.execute("DELETE FROM rooms WHERE room_id = ?1", [room_id])?;
            return Ok(());
        }
        let due_at = room.next_expiry(&self.config).map(|at| integer(at.as_millis()));
        let summary = room.view().map(RoomRef::summary);
        transaction.execute(
            "INSERT OR REPLACE INTO rooms VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                room_id,
                serde_json::to_string(room)?,
                due_at,
                summary.as_ref().map(|summary| integer(place(summary))),
                summary.as_ref().map(serde_json::to_string).transpose()?,
            ],
        )?;
        Ok(())
    }

    /// One that is broken does not hold up the others.
    fn apply_to_each(&self, room_ids: &[String], input: &Input) {
        for room_id in room_ids {
            if let Err(error) = self.apply(room_id, input) {
                eprintln!("room {room_id:?}: {error}");
            }
        }
    }

    /// Does what is due, and touches no other room.
    fn expire(&self) -> Result<(), Failure> {
        let due = self.ids(DUE, integer(SystemClock.now().as_millis()))?;
        self.apply_to_each(&due, &Input::Expire);
        Ok(())
    }

    fn list(&self, after: Option<&RoomCursor>) -> Result<Vec<RoomSummary>, Failure> {
        let (began_at, room_id) =
            after.map_or((i64::MAX, ""), |at| (integer(at.key()), at.room_id().as_str()));
        let database = self.lock();
        let mut query = database.prepare(LISTED)?;
        let mut rows = query.query(params![began_at, room_id])?;
        let mut rooms = Vec::new();
        while let Some(row) = rows.next()? {
            rooms.push(serde_json::from_str(row.get_ref(0)?.as_str()?)?);
        }
        Ok(rooms)
    }

    fn ids(&self, query: &str, time: i64) -> Result<Vec<String>, Failure> {
        let database = self.lock();
        let mut query = database.prepare(query)?;
        Ok(query.query_map([time], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn load(database: &Connection, room_id: &str) -> Result<Option<Room>, Failure> {
    let query = "SELECT room FROM rooms WHERE room_id = ?1";
    let room: Option<String> = database.query_row(query, [room_id], |row| row.get(0)).optional()?;
    Ok(room.map(|room| serde_json::from_str(&room)).transpose()?)
}

fn heartbeats(
    database: &Connection,
    room_id: &str,
) -> rusqlite::Result<Vec<(String, String, i64)>> {
    let query = "SELECT user_id, connection_id, at FROM heartbeats WHERE room_id = ?1";
    let mut query = database.prepare(query)?;
    query.query_map([room_id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
}

/// Returns the place of a room in the list, which its cursor carries.
fn place(summary: &RoomSummary) -> u64 {
    summary.began_at.map_or(0, Timestamp::as_millis)
}

fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[derive(Deserialize)]
struct Paging<Cursor> {
    after: Option<Cursor>,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or("127.0.0.1:3000".to_owned());
    let file = arguments.next().unwrap_or("rooms.sqlite".to_owned());
    let store = Arc::new(Store::open(&file, Config::default())?);
    let app = Router::new()
        .route("/commands", post(command))
        .route("/callbacks", post(callback))
        .route("/rooms", get(rooms))
        .route("/rooms/{room}/users", get(users))
        .layer(DefaultBodyLimit::max(64 * 1024))
        .with_state(Arc::clone(&store));
    std::thread::spawn(move || {
        loop {
            if let Err(error) = store.expire() {
                eprintln!("expiry: {error}");
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    });
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

async fn command(State(store): State<Arc<Store>>, Json(mut command): Json<Command>) -> Response {
    if let Command::CreateRoom(room) = &mut command {
        room.lifecycle = Lifecycle::UntilEmpty; // whatever the client names
    }
    hand_in(store, command.into()).await
}

async fn callback(State(store): State<Arc<Store>>, body: Bytes) -> Response {
    match Decoder::new().decode(&body) {
        Ok(Event::Callback(callback)) => hand_in(store, callback.into()).await,
        Ok(_) => "ignored".into_response(),
        Err(error) => invalid(&error),
    }
}

async fn hand_in(store: Arc<Store>, input: Input) -> Response {
    blocking(move || {
        let Some(room_id) = input.room_id() else {
            return Ok(StatusCode::BAD_REQUEST.into_response()); // it is for all rooms
        };
        Ok(Json(store.apply(room_id, &input)?).into_response())
    })
    .await
}

async fn rooms(
    State(store): State<Arc<Store>>,
    Query(Paging { after }): Query<Paging<RoomCursor>>,
) -> Response {
    blocking(move || {
        if after.as_ref().is_some_and(|after| after.order() != RoomOrder::Newest) {
            return Ok(StatusCode::BAD_REQUEST.into_response());
        }
        let rooms = store.list(after.as_ref())?;
        let next = rooms
            .last()
            .filter(|_| rooms.len() == PAGE)
            .map(|last| RoomCursor::new(RoomOrder::Newest, place(last), last.room_id.clone()));
        Ok(Json(json!({ "rooms": rooms, "next": next })).into_response())
    })
    .await
}

async fn users(
    State(store): State<Arc<Store>>,
    Path(room_id): Path<String>,
    Query(Paging { after }): Query<Paging<UserCursor>>,
) -> Response {
    blocking(move || {
        let room = load(&store.lock(), &room_id)?;
        let Some(room) = room.as_ref().and_then(Room::view) else {
            return Err(Error::RoomNotFound { room_id }.into());
        };
        let page = room.user_page(PAGE, after.as_ref(), Direction::OldestFirst);
        Ok(Json(page).into_response())
    })
    .await
}

/// Runs what waits for the disk on a thread of its own.
async fn blocking(call: impl FnOnce() -> Result<Response, Failure> + Send + 'static) -> Response {
    match tokio::task::spawn_blocking(call).await {
        Ok(Ok(response)) => response,
        Ok(Err(failure)) => failed(failure),
        Err(panic) => failed(panic.into()),
    }
}

fn failed(failure: Failure) -> Response {
    let error = match failure.downcast::<Error>() {
        Ok(error) => error,
        Err(failure) => {
            eprintln!("{failure}");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let status = StatusCode::from_u16(error.http_status()).expect("the library's are valid");
    (status, Json(error)).into_response()
}

fn invalid(error: &dyn std::error::Error) -> Response {
    (StatusCode::BAD_REQUEST, error.to_string()).into_response()
}
