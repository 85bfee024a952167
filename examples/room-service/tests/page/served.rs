//! A service in this process, whose page is looked at.

use std::time::Duration;

use reqwest::{Client, Url};
use room_registry::Config;
use room_service::service::{self, Parts};
use room_service::stores::Stores;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) struct Served {
    pub(crate) address: String,
    client: Client,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Served {
    pub(crate) async fn start() -> Self {
        Self::at("127.0.0.1:0", |_| ()).await
    }

    /// An empty service at an address, with parts changed.
    pub(crate) async fn at(address: &str, change: impl FnOnce(&mut Parts)) -> Self {
        let config = Config::builder()
            .ask_after(Duration::from_millis(100))
            .report_after(Duration::from_millis(200))
            .build()
            .unwrap();
        let mut parts = Parts::new(Stores::in_memory(config));
        change(&mut parts);
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            service::serve(listener, parts, stopped).await.unwrap();
        });
        _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().build().unwrap();
        Self { address, client, stop, task }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Carries out a command, which succeeds.
    pub(crate) async fn command(&self, name: &str, parameters: &[(&str, &str)]) {
        let url = Url::parse_with_params(&self.url(&format!("/room/{name}")), parameters).unwrap();
        let answer = self.client.get(url).send().await.unwrap().bytes().await.unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer["code"], 0, "{name}: {answer}");
    }

    pub(crate) async fn create(&self, room_id: &str, name: &str) {
        let parameters = [("RoomID", room_id), ("RoomName", name), ("HostID", "tom")];
        self.command("create_room", &parameters).await;
    }

    pub(crate) async fn join(&self, room_id: &str, user_id: &str, name: &str) {
        let parameters = [("RoomID", room_id), ("UserID", user_id), ("UserName", name)];
        self.command("join_room", &parameters).await;
    }

    pub(crate) async fn callback(&self, body: Value) {
        let request = self.client.post(self.url("/callback")).body(body.to_string());
        let answer = request.header("content-type", "application/json").send().await.unwrap();
        assert_eq!(answer.status(), 200, "{body}");
    }

    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        (&mut self.task).await.unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
