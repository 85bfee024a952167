//! The vendor's server API: who is in a room, and what is streamed there.
//!
//! A call is a GET whose signature is the MD5 of the app's number, a nonce, the server secret and
//! the time. Calls keep to the vendor's documented rates, and to the budget that is configured.

use std::error::Error;
use std::time::Duration;
use std::{fmt, iter};

use async_trait::async_trait;
use md5::{Digest, Md5};
use reqwest::{Client, Url};
use room_registry::repair::Question;
use room_registry::vendor::zego::{Answer, Decode, Decoder, RoomAnswers};
use room_registry::{Clock, Observation, RoomId, SystemClock};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use super::{MediaServer, NoAnswer};
use crate::settings::SettingsError;

/// How long a call may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an answer may be, in bytes.
const MAX_ANSWER_LEN: usize = 4 * 1024 * 1024;
/// How many users a page has: as many as the vendor gives.
const PAGE_LEN: &str = "200";
/// How many pages of one room are read: of a larger room only those who came first are seen.
const MAX_PAGES: usize = 100;
/// The vendor's rates an app: calls a second for users and for streams.
const USER_CALLS_PER_SECOND: u32 = 200;
const STREAM_CALLS_PER_SECOND: u32 = 50;
/// The vendor's rate a room: the time between two pages of users, and a little more.
const BETWEEN_PAGES: Duration = Duration::from_millis(1_050);

/// The vendor's API.
pub struct Zego {
    client: Client,
    url: Url,
    app_id: u32,
    server_secret: SecretString,
    decoder: Decoder,
    all: Pace,
    users: Pace,
    streams: Pace,
}

/// Why a call failed. No text of it has the secret, or an address with a signature.
#[derive(Debug, thiserror::Error)]
pub enum ZegoError {
    #[error("the call failed: {}", with_causes(.0))]
    Http(reqwest::Error),
    #[error("the call was answered with HTTP {0}")]
    Status(u16),
    #[error("the answer is longer than {MAX_ANSWER_LEN} bytes")]
    TooLong,
    #[error("the answer could not be decoded: {0}")]
    Malformed(serde_json::Error),
    #[error(transparent)]
    Failure(#[from] room_registry::vendor::zego::Failure),
}

impl From<reqwest::Error> for ZegoError {
    fn from(error: reqwest::Error) -> Self {
        Self::Http(error.without_url())
    }
}

/// What went wrong, and what that came of: that a certificate is not known stands there only.
fn with_causes(error: &reqwest::Error) -> String {
    let errors = iter::successors(Some::<&dyn Error>(error), |&error| error.source());
    errors.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

impl Zego {
    /// Asks at this address about the rooms of this app, so many times a second at most.
    pub fn new(
        url: &str,
        app_id: u32,
        server_secret: SecretString,
        calls_per_second: u32,
    ) -> Result<Self, SettingsError> {
        let malformed = |reason: String| SettingsError::Malformed { name: "zego-url", reason };
        let url = Url::parse(url).map_err(|error| malformed(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(malformed("it is no address of HTTP or HTTPS".to_owned()));
        }
        // Whoever installed another one before keeps it.
        _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder()
            .timeout(CALL_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("room-service/", env!("CARGO_PKG_VERSION")));
        if matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]")) {
            client = client.no_proxy();
        }
        let client = client.build().map_err(|error| malformed(error.to_string()))?;
        Ok(Self {
            client,
            url,
            app_id,
            server_secret,
            decoder: Decoder::new(),
            all: Pace::new(calls_per_second),
            users: Pace::new(USER_CALLS_PER_SECOND),
            streams: Pace::new(STREAM_CALLS_PER_SECOND),
        })
    }

    /// Decodes answers with these options.
    #[must_use]
    pub fn decoding(self, decoder: Decoder) -> Self {
        Self { decoder, ..self }
    }

    async fn ask(&self, question: &Question) -> Result<Observation, ZegoError> {
        let mut answers = None;
        if question.users {
            self.ask_users(&question.room_id, &mut answers).await?;
        }
        if question.streams {
            self.all.turn().await;
            self.streams.turn().await;
            let answers = begun(&mut answers, &question.room_id);
            let room_id = question.room_id.as_str();
            let list = self.call("DescribeSimpleStreamList", &[("RoomId", room_id)]).await;
            match list.and_then(|list| Ok(answers.add_streams(list)?)) {
                Err(error) if question.users => {
                    tracing::warn!(room_id, %error, "the users are known, and the streams are not");
                }
                result => result?,
            }
        }
        Ok(answers
            .unwrap_or_else(|| RoomAnswers::new(question.room_id.clone(), SystemClock.now()))
            .observation())
    }

    async fn ask_users(
        &self,
        room_id: &RoomId,
        answers: &mut Option<RoomAnswers>,
    ) -> Result<(), ZegoError> {
        for _ in 0..MAX_PAGES {
            self.all.turn().await;
            self.users.turn().await;
            let next_page_at = Instant::now() + BETWEEN_PAGES;
            let answers = begun(answers, room_id);
            let marker = answers.next_marker().unwrap_or_default().to_owned();
            let parameters = [
                ("RoomId", room_id.as_str()),
                ("Mode", "0"),
                ("Limit", PAGE_LEN),
                ("Marker", &marker),
            ];
            answers.add_users(self.call("DescribeUserList", &parameters).await?)?;
            if answers.next_marker().is_none() {
                break;
            }
            sleep_until(next_page_at).await;
        }
        Ok(())
    }

    async fn call<T>(
        &self,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Answer<T>, ZegoError>
    where
        Answer<T>: Decode,
    {
        let nonce = format!("{:016x}", rand::random::<u64>());
        let timestamp = (SystemClock.now().as_millis() / 1_000).to_string();
        let app_id = self.app_id.to_string();
        let signature = sign(&app_id, &nonce, self.server_secret.expose_secret(), &timestamp);
        let mut url = self.url.clone();
        url.query_pairs_mut()
            .append_pair("Action", action)
            .append_pair("AppId", &app_id)
            .append_pair("SignatureNonce", &nonce)
            .append_pair("Timestamp", &timestamp)
            .append_pair("SignatureVersion", "2.0")
            .append_pair("Signature", &signature)
            .extend_pairs(parameters);
        let mut response = self.client.get(url).send().await?;
        if !response.status().is_success() {
            return Err(ZegoError::Status(response.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > MAX_ANSWER_LEN {
                return Err(ZegoError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        let mut json = serde_json::Deserializer::from_slice(&body);
        let answer = self.decoder.deserialize(&mut json).map_err(ZegoError::Malformed)?;
        json.end().map_err(ZegoError::Malformed)?;
        Ok(answer)
    }
}

#[async_trait]
impl MediaServer for Zego {
    async fn observe(&self, question: &Question) -> Result<Observation, NoAnswer> {
        self.ask(question).await.map_err(|error| NoAnswer(error.to_string()))
    }
}

impl fmt::Debug for Zego {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zego")
            .field("url", &self.url.as_str())
            .field("app_id", &self.app_id)
            .finish_non_exhaustive()
    }
}

/// The answers, which begin with the first call.
fn begun<'a>(answers: &'a mut Option<RoomAnswers>, room_id: &RoomId) -> &'a mut RoomAnswers {
    answers.get_or_insert_with(|| RoomAnswers::new(room_id.clone(), SystemClock.now()))
}

/// The vendor's signature of a call.
fn sign(app_id: &str, nonce: &str, server_secret: &str, timestamp: &str) -> String {
    let parts = [app_id, nonce, server_secret, timestamp];
    hex::encode(parts.into_iter().fold(Md5::new(), Md5::chain_update).finalize())
}

/// Lets so many through a second, evenly.
struct Pace {
    next: Mutex<Instant>,
    between: Duration,
}

impl Pace {
    fn new(per_second: u32) -> Self {
        let between = Duration::from_secs(1) / per_second.max(1);
        Self { next: Mutex::new(Instant::now()), between }
    }

    async fn turn(&self) {
        let mut next = self.next.lock().await;
        let at = (*next).max(Instant::now());
        *next = at + self.between;
        drop(next);
        sleep_until(at).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_signed_with_the_md5_of_its_four_parts_joined() {
        // md5sum of the text 1234567890abcdefsecret1700000000
        let signature = sign("12345", "67890abcdef", "secret", "1700000000");
        assert_eq!(signature, hex::encode(Md5::digest("1234567890abcdefsecret1700000000")));
        assert_eq!(signature, "a022380361f4a93d8551e5696a3c5f53");
    }

    #[tokio::test]
    async fn a_call_that_fails_says_of_what_and_tells_no_secret() {
        let zego = Zego::new("https://127.0.0.1:1/", 12_345, "a secret".into(), 10).unwrap();
        let error =
            zego.call::<room_registry::vendor::zego::UserPage>("DescribeUserList", &[]).await;
        let error = error.err().unwrap().to_string();
        assert!(error.starts_with("the call failed: "), "{error}");
        assert!(error.contains("Connection refused"), "{error}");
        assert!(!error.contains("ignature") && !error.contains("a secret"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pace_lets_through_no_more_than_so_many_a_second() {
        let pace = Pace::new(10);
        let began_at = Instant::now();
        for _ in 0..21 {
            pace.turn().await;
        }
        assert_eq!(began_at.elapsed(), Duration::from_secs(2));
    }
}
