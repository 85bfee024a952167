//! A lobby: a page that shows all live rooms, each in one line, and follows them by server-sent events.
//!
//! It believes whoever asks. Put your own login before it, and check the vendor's signature in
//! `callback`.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::{StreamExt, stream};
use room_registry::journal::{Answer, Command, Input};
use room_registry::vendor::zego;
use room_registry::visible::RoomSummary;
use room_registry::{Config, Error, Lifecycle, RoomRef, RoomRegistry};
use tokio::sync::broadcast::{self, Receiver, Sender};

/// How many listeners there may be, and how many calls' changes one may be behind.
const LISTENERS: usize = 10_000;
const BEHIND: usize = 256;

struct Lobby {
    registry: RoomRegistry,
    changes: Sender<Event>,
}

type Shared = Arc<Mutex<Lobby>>;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let (changes, _) = broadcast::channel(BEHIND);
    let registry = RoomRegistry::new(Config::default());
    let lobby = Arc::new(Mutex::new(Lobby { registry, changes }));
    let app = Router::new()
        .route("/", get(Html(include_str!("page.html"))))
        .route("/events", get(events))
        .route("/commands", post(command))
        .route("/callbacks", post(callback))
        .layer(DefaultBodyLimit::max(64 * 1024))
        .with_state(Arc::clone(&lobby));
    tokio::spawn(async move {
        loop {
            _ = hand_in(&lobby, &Input::Expire);
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:3000".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, app).await
}

/// Takes every input, and tells the listeners what it changed. It tells them before it unlocks, so
/// that they hear of the changes in the order of the calls.
fn hand_in(lobby: &Mutex<Lobby>, input: &Input) -> Result<Answer, Error> {
    let mut lobby = lock(lobby);
    let answer = lobby.registry.apply_input(input);
    let changed = lobby.registry.changes().summaries();
    if !changed.is_empty() && lobby.changes.receiver_count() > 0 {
        _ = lobby.changes.send(event("changed", &changed)); // the last listener may go meanwhile
    }
    answer
}

/// Starts to follow: the lines of all rooms, and what changes from now on. One lock covers both, so
/// nothing is missing between them. `None`: too many follow already.
fn follow(lobby: &Mutex<Lobby>) -> Option<(Event, Receiver<Event>)> {
    let lobby = lock(lobby);
    let changes =
        (lobby.changes.receiver_count() < LISTENERS).then(|| lobby.changes.subscribe())?;
    let rooms: Vec<RoomSummary> = lobby.registry.rooms().map(RoomRef::summary).collect();
    drop(lobby); // others need not wait for the JSON
    Some((event("rooms", &rooms), changes))
}

/// Whoever connects, for the first time or again, begins with the lines of all rooms.
async fn events(State(lobby): State<Shared>) -> Response {
    let Some((rooms, changes)) = follow(&lobby) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let changes = stream::unfold(changes, |mut changes| async {
        // An error says that the listener is too far behind. The stream ends, and the page connects again.
        let event = changes.recv().await.ok()?;
        Some((Ok::<_, Infallible>(event), changes))
    });
    let events = stream::iter([Ok(rooms)]).chain(changes);
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

async fn command(State(lobby): State<Shared>, Json(mut command): Json<Command>) -> Response {
    if let Command::CreateRoom(room) = &mut command {
        room.lifecycle = Lifecycle::UntilEmpty; // whatever the client names
    }
    if command == Command::GrantGrace {
        return StatusCode::BAD_REQUEST.into_response(); // for the operator, not for clients
    }
    match hand_in(&lobby, &command.into()) {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => {
            let status = StatusCode::from_u16(error.http_status());
            (status.expect("the library's are valid"), Json(error)).into_response()
        }
    }
}

async fn callback(State(lobby): State<Shared>, body: Bytes) -> Response {
    match zego::Decoder::new().decode(&body) {
        Ok(zego::Event::Callback(callback)) => {
            _ = hand_in(&lobby, &callback.into()); // whatever became of it: it need not come again
            StatusCode::OK.into_response()
        }
        Ok(_) => StatusCode::OK.into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

fn event(name: &str, data: &impl serde::Serialize) -> Event {
    Event::default().event(name).json_data(data).expect("lines of rooms are JSON")
}

fn lock(lobby: &Mutex<Lobby>) -> MutexGuard<'_, Lobby> {
    lobby.lock().unwrap_or_else(PoisonError::into_inner)
}
