//! All rooms in the memory of one process, behind one lock. A restart begins with nothing.
//!
//! It believes whoever asks. Put your own login before it, and check the vendor's signature in `callback`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, post};
use axum::{Json, Router};
use room_registry::page::{Direction::OldestFirst, RoomCursor, UserCursor};
use room_registry::vendor::zego::{Decoder, Event};
use room_registry::{
    Config, Error, Heartbeat, Lifecycle, NewRoom, NewUser, RoomQuery, RoomRegistry,
};

type Rooms = State<Arc<Mutex<RoomRegistry>>>;
type User = Path<(String, String)>;
type Refused = (StatusCode, Json<Error>);
type Done = Result<(), Refused>;

#[derive(serde::Deserialize)]
struct Page<Cursor> {
    after: Option<Cursor>,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let rooms = Arc::new(Mutex::new(RoomRegistry::new(Config::default())));
    let app = Router::new()
        .route("/rooms", post(create).get(list))
        .route("/rooms/{room}", delete(end))
        .route("/rooms/{room}/users", post(join).get(users))
        .route("/rooms/{room}/users/{user}", delete(leave))
        .route("/rooms/{room}/users/{user}/heartbeat", post(heartbeat))
        .route("/callbacks", post(callback))
        .layer(DefaultBodyLimit::max(64 * 1024))
        .with_state(Arc::clone(&rooms));
    tokio::spawn(async move {
        loop {
            lock(&rooms).expire();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:3000".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, app).await
}

async fn create(State(rooms): Rooms, Json(room): Json<NewRoom>) -> Done {
    lock(&rooms).create_room(room.lifecycle(Lifecycle::UntilEmpty)).map_err(refused)
}
async fn end(State(rooms): Rooms, Path(room): Path<String>) -> Done {
    lock(&rooms).end_room(&room).map_err(refused)
}
async fn join(State(rooms): Rooms, Path(room): Path<String>, Json(user): Json<NewUser>) -> Done {
    lock(&rooms).join_room(&room, user).map_err(refused)
}
async fn leave(State(rooms): Rooms, Path((room, user)): User) -> Done {
    lock(&rooms).leave_room(&room, user.as_str()).map_err(refused)
}
async fn heartbeat(rooms: Rooms, Path((room, user)): User) -> Result<Json<Heartbeat>, Refused> {
    lock(&rooms).heartbeat(&room, user.as_str()).map(Json).map_err(refused)
}
async fn callback(State(rooms): Rooms, body: Bytes) -> Result<&'static str, (StatusCode, String)> {
    match Decoder::new().decode(&body).map_err(invalid)? {
        Event::Callback(callback) => Ok(lock(&rooms).apply_callback(&callback).name()),
        _ => Ok("ignored"), // what is no callback for the registry need not come again
    }
}
async fn list(State(rooms): Rooms, page: Query<Page<RoomCursor>>) -> Response {
    let query = RoomQuery::newest().after(page.0.after);
    lock(&rooms).page(&query).map(Json).map_err(invalid).into_response()
}
async fn users(rooms: Rooms, Path(room): Path<String>, page: Query<Page<UserCursor>>) -> Response {
    match lock(&rooms).room(&room) {
        Some(room) => Json(room.user_page(20, page.after.as_ref(), OldestFirst)).into_response(),
        None => refused(Error::RoomNotFound { room_id: room }).into_response(),
    }
}

fn lock(rooms: &Mutex<RoomRegistry>) -> MutexGuard<'_, RoomRegistry> {
    rooms.lock().unwrap_or_else(PoisonError::into_inner)
}

fn invalid(error: impl std::error::Error) -> (StatusCode, String) {
    (StatusCode::BAD_REQUEST, error.to_string())
}

fn refused(error: Error) -> Refused {
    let status = StatusCode::from_u16(error.http_status());
    (status.expect("the library's are valid"), Json(error))
}
