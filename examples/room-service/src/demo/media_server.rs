//! The virtual media server's API, as the vendor's: who is in a room, and what is published there.
//!
//! Whoever asks signs with the server secret, and may not ask too often.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use md5::{Digest, Md5};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;

use super::Stage;

/// How far the time of a call may be from the local time, in seconds.
const WINDOW: u64 = 600;
/// How many users a page has at most.
const MOST_USERS: usize = 200;
/// How many rooms one question about numbers names at most.
const MOST_ROOMS: usize = 10;
/// The vendor's rates a room: one call in so long. Its own clock may be a little behind.
const USERS_EVERY: Duration = Duration::from_millis(950);
const STREAMS_EVERY: Duration = Duration::from_millis(9_500);

/// What is wrong with a call. The numbers are this server's own; 0 would be success.
const MALFORMED: u64 = 1;
const WRONG_SIGNATURE: u64 = 2;
const TOO_OFTEN: u64 = 3;

/// When each list of each room was last asked for.
type Asked = Arc<Mutex<HashMap<(&'static str, String), Instant>>>;

#[derive(Clone)]
struct Api {
    stage: Arc<Stage>,
    secret: String,
    asked: Asked,
}

struct Failure(u64, &'static str);

/// Answers, until it is aborted.
pub(super) async fn serve(listener: TcpListener, stage: Arc<Stage>, secret: String) {
    let api = Api { stage, secret, asked: Asked::default() };
    let router = Router::new().route("/", get(answer)).with_state(api);
    // It ends by an error of no connection but of the listener; then nobody is answered any more.
    _ = axum::serve(listener, router).await;
}

async fn answer(State(api): State<Api>, Query(query): Query<Vec<(String, String)>>) -> Response {
    let request_id = format!("{:016x}", rand::random::<u64>());
    let answer = match api.ask(&Parameters(query), super::unix_millis() / 1_000) {
        Ok(data) => {
            api.stage.report().answered += 1;
            json!({ "Code": 0, "Message": "success", "RequestId": request_id, "Data": data })
        }
        Err(Failure(code, message)) => {
            json!({ "Code": code, "Message": message, "RequestId": request_id })
        }
    };
    ([(CONTENT_TYPE, "application/json")], answer.to_string()).into_response()
}

impl Api {
    fn ask(&self, parameters: &Parameters, now: u64) -> Result<Value, Failure> {
        let action = parameters.one("Action")?;
        check_signature(parameters, self.stage.app_id, &self.secret, now)?;
        match action {
            "DescribeUserList" => self.users(parameters),
            "DescribeSimpleStreamList" => self.streams(parameters),
            "DescribeUserNum" => self.user_numbers(parameters),
            _ => Err(Failure(MALFORMED, "no such action")),
        }
    }

    fn users(&self, parameters: &Parameters) -> Result<Value, Failure> {
        let room_id = parameters.one("RoomId")?;
        self.admit("users", room_id, USERS_EVERY)?;
        let limit = parameters.number("Limit", MOST_USERS)?.clamp(1, MOST_USERS);
        // A marker is the number of those who are on the pages before.
        let first = parameters.number("Marker", 0)?;
        let mut logins = self.stage.world().logins(room_id);
        if parameters.one("Mode").is_ok_and(|mode| mode == "1") {
            logins.reverse();
        }
        let end = first.saturating_add(limit);
        let marker = if end < logins.len() { end.to_string() } else { String::new() };
        let page = logins.into_iter().skip(first).take(limit);
        let users: Vec<Value> = page
            .map(|(user, role)| json!({ "UserId": user, "UserName": user, "UserRole": role }))
            .collect();
        Ok(json!({ "Marker": marker, "UserList": users }))
    }

    fn streams(&self, parameters: &Parameters) -> Result<Value, Failure> {
        let room_id = parameters.one("RoomId")?;
        self.admit("streams", room_id, STREAMS_EVERY)?;
        let streams = self.stage.world().streams(room_id).into_iter();
        let streams: Vec<Value> = streams
            .map(|(id, user, created_at)| {
                json!({ "StreamId": id, "UserId": user, "UserName": user, "CreateTime": created_at })
            })
            .collect();
        Ok(json!({ "StreamList": streams }))
    }

    fn user_numbers(&self, parameters: &Parameters) -> Result<Value, Failure> {
        let rooms: Vec<&str> = parameters.all("RoomId[]").take(MOST_ROOMS + 1).collect();
        if rooms.is_empty() || rooms.len() > MOST_ROOMS {
            return Err(Failure(MALFORMED, "from 1 to 10 rooms"));
        }
        let world = self.stage.world();
        let counts = rooms.into_iter().map(|room_id| {
            let users = world.logins(room_id).len();
            json!({ "RoomId": room_id, "UserCount": users, "AdminUserCount": 0 })
        });
        Ok(json!({ "UserCountList": counts.collect::<Vec<Value>>() }))
    }

    fn admit(&self, list: &'static str, room_id: &str, every: Duration) -> Result<(), Failure> {
        let now = Instant::now();
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.retain(|_, at| now.duration_since(*at) < STREAMS_EVERY);
        let key = (list, room_id.to_owned());
        if asked.get(&key).is_some_and(|at| now.duration_since(*at) < every) {
            return Err(Failure(TOO_OFTEN, "asked too often"));
        }
        asked.insert(key, now);
        Ok(())
    }
}

struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn one(&self, name: &str) -> Result<&str, Failure> {
        let value = self.0.iter().find(|(known, _)| known == name);
        value.map(|(_, value)| value.as_str()).ok_or(Failure(MALFORMED, "a parameter is missing"))
    }

    /// A number; what stands for it if it is missing or empty.
    fn number(&self, name: &str, otherwise: usize) -> Result<usize, Failure> {
        match self.one(name) {
            Ok("") | Err(_) => Ok(otherwise),
            Ok(text) => text.parse().map_err(|_| Failure(MALFORMED, "a number is malformed")),
        }
    }
}

/// The signature is the MD5 of app, nonce, secret and time.
fn check_signature(
    parameters: &Parameters,
    app_id: u32,
    secret: &str,
    now: u64,
) -> Result<(), Failure> {
    let wrong = Failure(WRONG_SIGNATURE, "the signature is wrong");
    let (app, nonce) = (parameters.one("AppId")?, parameters.one("SignatureNonce")?);
    let (timestamp, version) = (parameters.one("Timestamp")?, parameters.one("SignatureVersion")?);
    let given = parameters.one("Signature")?;
    let signed_at: u64 = timestamp.parse().map_err(|_| Failure(MALFORMED, "no time"))?;
    let nonce_is_hex = nonce.len() == 16 && nonce.bytes().all(|byte| byte.is_ascii_hexdigit());
    if version != "2.0" || app != app_id.to_string() || !nonce_is_hex {
        return Err(wrong);
    }
    let parts = [app, nonce, secret, timestamp];
    let signature = hex::encode(parts.into_iter().fold(Md5::new(), Md5::chain_update).finalize());
    if !bool::from(signature.as_bytes().ct_eq(given.as_bytes())) || now.abs_diff(signed_at) > WINDOW
    {
        return Err(wrong);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// md5sum of the text 100000000000000absecret1700000000, which is these joined.
    const SIGNED: [(&str, &str); 5] = [
        ("AppId", "1"),
        ("SignatureNonce", "00000000000000ab"),
        ("Timestamp", "1700000000"),
        ("SignatureVersion", "2.0"),
        ("Signature", "d42dbadc0aee6b7f6dcdf673906b4e5e"),
    ];

    fn checked(change: &str, to: &str, now: u64) -> bool {
        let pairs = SIGNED.iter().map(|(name, value)| {
            let value = if *name == change { to } else { value };
            ((*name).to_owned(), value.to_owned())
        });
        check_signature(&Parameters(pairs.collect()), 1, "secret", now).is_ok()
    }

    #[test]
    fn only_a_call_signed_for_this_app_now_is_answered() {
        assert!(checked("", "", 1_700_000_300));
        assert!(!checked("", "", 1_700_000_601));
        assert!(!checked("AppId", "2", 1_700_000_000));
        assert!(!checked("SignatureNonce", "00000000000000ac", 1_700_000_000));
        assert!(!checked("Timestamp", "1700000001", 1_700_000_000));
        assert!(!checked("SignatureVersion", "1.0", 1_700_000_000));
        assert!(!checked("Signature", "", 1_700_000_000));
    }
}
