//! Asks the service, as an app's server does.

use std::error::Error;
use std::time::Duration;

use reqwest::{Client as Http, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::rows::{RoomSession, RoomStream, RoomUser};

/// How long the service may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How many entries a page has.
const PAGE: &str = "500";

#[derive(Debug)]
pub(super) struct Client {
    http: Http,
    url: Url,
    token: Option<SecretString>,
}

/// What the service answers to a command.
#[derive(Debug, Deserialize)]
pub(super) struct Answered {
    pub(super) code: u8,
}

#[derive(Deserialize)]
struct Listed {
    data: Vec<RoomUser>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct One {
    data: WithStreams,
}

#[derive(Deserialize)]
struct WithStreams {
    session: Option<RoomSession>,
    streams: Vec<RoomStream>,
    streams_next_cursor: Option<String>,
}

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

impl Client {
    pub(super) fn new(url: &str, token: Option<SecretString>) -> Result<Self> {
        // Whoever installed another one before keeps it.
        _ = rustls::crypto::ring::default_provider().install_default();
        let url = Url::parse(url)?;
        if url.cannot_be_a_base() {
            return Err("the service's URL must be one of HTTP".into());
        }
        let http = Http::builder().timeout(TIMEOUT).no_proxy().build()?;
        Ok(Self { http, url, token })
    }

    /// Carries out a command.
    pub(super) async fn command(
        &self,
        name: &str,
        parameters: &[(&'static str, String)],
    ) -> Result<Answered> {
        let parameters: Vec<(&str, &str)> =
            parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.get(name, &parameters).await
    }

    /// Delivers a callback. Tells whether it was taken.
    pub(super) async fn callback(&self, body: String) -> bool {
        let request = self.http.post(self.at(&["callback"])).body(body);
        let answer = request.header("content-type", "application/json").send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// Whether a session of a room is shown, and its streams; none if it is not listed.
    pub(super) async fn room(&self, room_id: &str) -> Result<Option<(bool, Vec<RoomStream>)>> {
        let mut streams = Vec::new();
        let mut cursor = String::new();
        loop {
            let parameters = [("RoomID", room_id), ("Limit", PAGE), ("Cursor", &cursor)];
            let one: Option<One> = self.listed("get_room", &parameters).await?;
            let Some(One { data: room }) = one else { return Ok(None) };
            streams.extend(room.streams);
            match room.streams_next_cursor {
                Some(next) => cursor = next,
                None => return Ok(Some((room.session.is_some(), streams))),
            }
        }
    }

    /// The users of a room; nobody if it is not listed.
    pub(super) async fn users(&self, room_id: &str) -> Result<Vec<RoomUser>> {
        let mut users = Vec::new();
        let mut cursor = String::new();
        loop {
            let parameters = [("RoomID", room_id), ("Limit", PAGE), ("Cursor", &cursor)];
            let page: Option<Listed> = self.listed("get_room_user_list", &parameters).await?;
            let Some(page) = page else { return Ok(users) };
            users.extend(page.data);
            match page.next_cursor {
                Some(next) => cursor = next,
                None => return Ok(users),
            }
        }
    }

    /// A page; none if the service refuses, as the room is not listed.
    async fn listed<T: DeserializeOwned>(
        &self,
        name: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Option<T>> {
        let answer: serde_json::Value = self.get(name, parameters).await?;
        match answer["code"].as_u64() {
            Some(0) => Ok(Some(serde_json::from_value(answer)?)),
            _ => Ok(None),
        }
    }

    async fn get<T: DeserializeOwned>(&self, name: &str, parameters: &[(&str, &str)]) -> Result<T> {
        let mut url = self.at(&["room", name]);
        url.query_pairs_mut().extend_pairs(parameters);
        let mut request = self.http.get(url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose_secret());
        }
        let answer = request.send().await.map_err(reqwest::Error::without_url)?;
        if answer.status() != StatusCode::OK {
            return Err(format!("{name} was answered with HTTP {}", answer.status()).into());
        }
        Ok(serde_json::from_slice(&answer.bytes().await?)?)
    }

    /// The address of a path below the service's.
    fn at(&self, path: &[&str]) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }
}
