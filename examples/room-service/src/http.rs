//! Requests: which path does what, and who is let in.
//!
//! ```text
//! connections ─▶ time limit, metrics ─▶ path ─▶ parameters ─▶ authoriser ─▶ Store ─▶ answer
//! ```
//!
//! `/room/…` is the configured default store, `/api/room/mem/…` the one in memory and `/api/room/redis/…`
//! the one in Redis. Callbacks, observations and events of a store are beside its rooms.

mod answer;
mod callback;
mod commands;
pub mod connections;
mod events;
mod lists;
mod observed;
mod page;
mod parameters;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use room_registry::vendor::zego::Decoder;
use room_registry::{Lifecycle, Role, RoomId, UserId};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use self::answer::{AnswerCode, Problem};
use self::parameters::Asked;
pub use self::parameters::{DEFAULT_LIMIT, MAX_BODY_LEN, MAX_LIMIT};
use crate::auth::{Action, Asking, Authoriser, Permission};
use crate::metrics::{self, Metrics};
use crate::settings::Limits;
use crate::signature::Verifier;
use crate::store::Store;
use crate::stores::Stores;

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) stores: Stores,
    pub(crate) authoriser: Arc<dyn Authoriser>,
    pub(crate) verifier: Option<Verifier>,
    pub(crate) decoder: Decoder,
    pub(crate) default_lifecycle: Lifecycle,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) limits: Limits,
    /// The places for those who listen to events.
    pub(crate) listeners: Arc<Semaphore>,
    pub(crate) stop: CancellationToken,
}

/// Where a request arrives: a store, and what all share.
#[derive(Debug, Clone)]
struct At {
    store: Arc<dyn Store>,
    service: Arc<Service>,
}

impl At {
    async fn allow(
        &self,
        asked: &Asked,
        action: Action,
        room_id: Option<&RoomId>,
        user_id: Option<&UserId>,
        role: Option<&Role>,
    ) -> Result<Permission, Problem> {
        let token = asked.token.as_deref();
        let asking = Asking { token, action, room_id, user_id, role };
        Ok(self.service.authoriser.check(&asking).await?)
    }

    /// What is about all rooms.
    async fn allow_token(&self, token: Option<&str>, action: Action) -> Result<(), Problem> {
        let asking = Asking { token, action, room_id: None, user_id: None, role: None };
        self.service.authoriser.check(&asking).await?;
        Ok(())
    }
}

/// All paths.
pub(crate) fn router(service: &Arc<Service>) -> Router {
    let at = |store: &Arc<dyn Store>| At { store: Arc::clone(store), service: Arc::clone(service) };
    let stores = &service.stores;
    let mut router = Router::new()
        .merge(page::routes())
        .route("/healthz", others(get(healthz), "GET").with_state(Arc::clone(service)))
        .route("/metrics", others(get(metrics), "GET").with_state(Arc::clone(service)))
        .nest("/room", rooms().with_state(at(&stores.default)))
        .merge(beside_rooms().with_state(at(&stores.default)))
        .nest("/api/room/mem", of_store(at(&stores.memory)));
    if let Some(redis) = &stores.redis {
        router = router.nest("/api/room/redis", of_store(at(redis)));
    }
    router
        .fallback(async || Problem::NoSuchPath)
        .layer(middleware::from_fn_with_state(Arc::clone(service), around))
}

fn of_store(at: At) -> Router {
    rooms().merge(beside_rooms()).with_state(at)
}

fn rooms() -> Router<At> {
    let either = "GET, POST";
    Router::new()
        .route("/create_room", command(get(commands::create_room).post(commands::create_room)))
        .route("/update_room", command(get(commands::update_room).post(commands::update_room)))
        .route("/end_room", command(get(commands::end_room).post(commands::end_room)))
        .route("/join_room", command(get(commands::join_room).post(commands::join_room)))
        .route("/leave_room", command(get(commands::leave_room).post(commands::leave_room)))
        .route("/remove_user", command(get(commands::remove_user).post(commands::remove_user)))
        .route("/heartbeat", command(get(commands::heartbeat).post(commands::heartbeat)))
        .route("/update_user", command(get(commands::update_user).post(commands::update_user)))
        .route(
            "/get_room_list",
            others(get(lists::get_room_list).post(lists::get_room_list), either),
        )
        .route(
            "/get_room_user_list",
            others(get(lists::get_room_user_list).post(lists::get_room_user_list), either),
        )
        .route("/get_room", others(get(lists::get_room).post(lists::get_room), either))
        .route("/get_counts", others(get(lists::get_counts).post(lists::get_counts), either))
}

fn beside_rooms() -> Router<At> {
    Router::new()
        .route("/callback", others(post(callback::callback), "POST"))
        .route("/observed", others(post(observed::observed), "POST"))
        .route("/events", others(get(events::events), "GET"))
}

/// A command; to look at its head would carry it out.
fn command(methods: MethodRouter<At>) -> MethodRouter<At> {
    others(methods.head(async || Problem::WrongMethod("GET, POST")), "GET, POST")
}

fn others<S: Clone + Send + Sync + 'static>(
    methods: MethodRouter<S>,
    allowed: &'static str,
) -> MethodRouter<S> {
    methods.fallback(async move || Problem::WrongMethod(allowed))
}

/// Whether all stores answer.
async fn healthz(State(service): State<Arc<Service>>) -> Response {
    for store in service.stores.all() {
        if let Err(error) = store.counts().await {
            return Problem::from(error).into_response();
        }
    }
    answer::done()
}

/// What is counted.
async fn metrics(State(service): State<Arc<Service>>) -> Response {
    let text = service.metrics.text(&service.stores.all()).await;
    ([(CONTENT_TYPE, HeaderValue::from_static(metrics::CONTENT_TYPE))], text).into_response()
}

/// What is done around every request: it is limited in time, counted and logged.
async fn around(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let began_at = Instant::now();
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>().cloned();
    let path = path.as_ref().map_or("other", MatchedPath::as_str);
    let answered = tokio::time::timeout(service.limits.request_timeout, next.run(request)).await;
    let mut response = answered
        .unwrap_or_else(|_| Problem::Unavailable("it took too long".to_owned()).into_response());
    let (status, took) = (response.status().as_u16(), began_at.elapsed());
    let code = response.extensions().get::<AnswerCode>().map(|code| code.0);
    service.metrics.request(path, status, code, took);
    tracing::debug!(%method, path, status, code, ?took, "answered");
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
