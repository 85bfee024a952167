//! A service under test, and its client.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response};
use room_registry::Config;
use room_service::service::{Parts, serve};
use room_service::stores::Stores;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How long anything may take before a test fails.
pub(crate) const DEADLINE: Duration = Duration::from_secs(59);

/// A service that runs until this is dropped.
pub(crate) struct Served {
    pub(crate) address: String,
    pub(crate) client: Client,
    stop: CancellationToken,
    task: JoinHandle<Result<(), String>>,
}

impl Served {
    /// A service with the store in memory, open to everybody.
    pub(crate) async fn start() -> Self {
        Self::with(|_| ()).await
    }

    /// The same, with parts changed.
    pub(crate) async fn with(change: impl FnOnce(&mut Parts)) -> Self {
        let mut parts = Parts::new(Stores::in_memory(Config::default()));
        change(&mut parts);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            serve(listener, parts, stopped).await.map_err(|error| error.to_string())
        });
        Self { address, client: client(), stop, task }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        answer(self.client.get(self.url(path))).await
    }

    pub(crate) async fn post(&self, path: &str, content_type: &str, body: &str) -> (u16, Value) {
        let request = self.client.post(self.url(path)).header("content-type", content_type);
        answer(request.body(body.to_owned())).await
    }

    pub(crate) async fn post_json(&self, path: &str, body: &Value) -> (u16, Value) {
        self.post(path, "application/json", &body.to_string()).await
    }

    pub(crate) async fn post_form(&self, path: &str, body: &str) -> (u16, Value) {
        self.post(path, "application/x-www-form-urlencoded", body).await
    }

    /// The answer is this code and message, with HTTP 200.
    #[track_caller]
    pub(crate) fn says(
        &self,
        path: &str,
        code: u8,
        message: &str,
    ) -> impl Future<Output = ()> + use<'_> {
        let expected = (200, serde_json::json!({"code": code, "message": message}));
        let (path, caller) = (path.to_owned(), std::panic::Location::caller());
        async move { assert_eq!(self.get(&path).await, expected, "{path} at {caller}") }
    }

    /// Tells it to stop, and waits until it has.
    pub(crate) async fn stop(mut self) -> Result<(), String> {
        self.stop.cancel();
        timeout(DEADLINE, &mut self.task).await.expect("it stops").expect("it does not panic")
    }

    pub(crate) fn tell_to_stop(&self) {
        self.stop.cancel();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) fn client() -> Client {
    _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().timeout(DEADLINE).build().unwrap()
}

/// Sends a request, and reads its answer as JSON.
pub(crate) async fn answer(request: RequestBuilder) -> (u16, Value) {
    read(request.send().await.expect("an answer")).await
}

pub(crate) async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.expect("a text");
    let json = serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {status} {text}"));
    (status, json)
}

/// Waits until a condition holds.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let until = Instant::now() + DEADLINE;
    while !holds().await {
        assert!(Instant::now() < until, "it never came about that {what}");
        sleep(Duration::from_millis(20)).await;
    }
}
