//! What the media server sends: in each form, signed and forged.

use std::time::Duration;

use clap::Parser;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use room_service::settings::{Action, Arguments, SecretString};
use room_service::signature::Verifier;
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use crate::endpoints::now_ms;
use crate::support::Served;

const SECRET: &str = "secret";
const WINDOW: Duration = Duration::from_secs(250);

async fn with_secret() -> Served {
    Served::with(|parts| parts.verifier = Some(Verifier::new(SecretString::from(SECRET), WINDOW)))
        .await
}

/// A room that was just created at the media server.
fn created(room_id: &str) -> Value {
    json!({
        "event": "room_create", "appid": 1, "room_id": room_id,
        "room_session_id": 858_012_925_204_410_401_u64, "room_create_time": now_ms().to_string(),
        "id_name": "tom",
    })
}

/// The same, signed.
fn signed(mut body: Value, secret: &str, timestamp: u64, nonce: &str) -> Value {
    let time = timestamp.to_string();
    let mut parts = [secret, &time, nonce];
    parts.sort_unstable();
    let signature = hex::encode(Sha1::digest(parts.concat()));
    let object = body.as_object_mut().unwrap();
    object.insert("timestamp".into(), timestamp.into());
    object.insert("nonce".into(), nonce.into());
    object.insert("signature".into(), signature.into());
    body
}

async fn rooms(service: &Served) -> Vec<String> {
    let (_, list) = service.get("/room/get_room_list?Order=id&Limit=500").await;
    let rooms = list["data"].as_array().unwrap().iter();
    rooms.map(|room| room["room_id"].as_str().unwrap().to_owned()).collect()
}

fn now() -> u64 {
    now_ms() / 1_000
}

#[tokio::test]
async fn a_callback_is_read_in_each_of_its_forms() {
    let service = Served::start().await;
    let done = (200, json!({"code": 0, "message": "success"}));
    let json = "application/json";
    let form = "application/x-www-form-urlencoded";
    assert_eq!(service.post("/callback", json, &created("r 1").to_string()).await, done);
    assert_eq!(service.post("/callback", "", &format!("\n {}\n", created("r2"))).await, done);
    let encoded = utf8_percent_encode(&created("r3").to_string(), NON_ALPHANUMERIC).to_string();
    assert_eq!(service.post("/callback", json, &encoded).await, done);
    let encoded = utf8_percent_encode(&created("r 4").to_string(), NON_ALPHANUMERIC).to_string();
    let with_plus = encoded.replace("%20", "+").replace("%7B", "%7b");
    assert_eq!(service.post("/callback", form, &with_plus).await, done);
    let fields = format!(
        "event=room_create&room_id=r+5&room_session_id=858012925204410401&room_create_time={}",
        now_ms(),
    );
    assert_eq!(service.post("/callback", form, &fields).await, done);
    let marked = format!("\u{feff}{}", created("r7"));
    assert_eq!(service.post("/callback", json, &marked).await, done);
    assert_eq!(rooms(&service).await, ["r 1", "r 4", "r 5", "r2", "r3", "r7"]);
    let in_memory = "/api/room/mem/callback";
    assert_eq!(service.post(in_memory, json, &created("r6").to_string()).await, done);
}

#[tokio::test]
async fn every_sample_of_the_vendor_is_answered_as_it_should() {
    let service = Served::start().await;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/zego");
    let mut samples = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let body = std::fs::read_to_string(&path).unwrap();
        let encoded = utf8_percent_encode(&body, NON_ALPHANUMERIC).to_string();
        for body in [body, encoded] {
            let (status, answer) = service.post("/callback", "application/json", &body).await;
            let expected = if name.contains("missing") { (400, 2) } else { (200, 0) };
            assert_eq!((status, answer["code"].as_u64().unwrap()), expected, "{name}: {answer}");
        }
        samples += 1;
    }
    assert!(samples >= 18, "only {samples} samples were found");
}

#[tokio::test]
async fn what_is_no_callback_is_told_so() {
    let service = Served::start().await;
    for body in [
        "",
        "{",
        "[]",
        "null",
        "hello",
        "%7",
        "%7B",
        "%7B%ff",
        "a=%ff",
        "a=b",
        "\u{0}",
        "{}",
        r#"{"event":7}"#,
        r#"{"event":"room_close","room_id":"r1"}"#,
        r#"{"event":"room_close","room_id":"r1","room_session_id":1.5,"room_close_time":"1"}"#,
    ] {
        let (status, answer) = service.post("/callback", "application/json", body).await;
        assert_eq!((status, &answer["code"]), (400, &json!(2)), "{body}: {answer}");
    }
    let (_, answer) =
        service.post("/callback", "", r#"{"event":"room_close","room_id":"r1"}"#).await;
    assert!(answer["message"].as_str().unwrap().contains("room_session_id"), "{answer}");
    let bytes = service.client.post(service.url("/callback")).body(vec![0xff, 0xfe, 0xfd]);
    assert_eq!(crate::support::answer(bytes).await.0, 400);
}

#[tokio::test]
async fn only_what_the_secret_signed_is_believed() {
    let service = with_secret().await;
    let send = |body: Value| {
        let service = &service;
        async move { service.post_json("/callback", &body).await }
    };
    let good = signed(created("r1"), SECRET, now(), "123412");
    let mut bad: Vec<Value> = vec![
        created("r1"),
        signed(created("r1"), "another secret", now(), "123412"),
        signed(created("r1"), "", now(), "123412"),
        signed(created("r1"), SECRET, now() - 330, "123412"),
        signed(created("r1"), SECRET, now() + 330, "123412"),
        signed(created("r1"), SECRET, 0, "123412"),
        signed(created("r1"), SECRET, u64::MAX, "123412"),
    ];
    for field in ["timestamp", "nonce", "signature"] {
        for value in [Value::Null, "".into(), "1".into(), "x".repeat(40).into()] {
            let mut body = good.clone();
            body[field] = value;
            bad.push(body);
        }
    }
    let mut shortened = good.clone();
    shortened["signature"] = good["signature"].as_str().unwrap()[..38].into();
    bad.push(shortened);
    for body in bad {
        let (status, answer) = send(body.clone()).await;
        assert_eq!((status, &answer["code"]), (401, &json!(4)), "{body}");
    }
    assert!(rooms(&service).await.is_empty());
    assert_eq!(send(good).await.0, 200);
    let ping = signed(json!({"event": "ping"}), SECRET, now(), "123413");
    assert_eq!(send(ping).await.0, 200);
    // A minute late, as the last of the vendor's tries is.
    let late = signed(created("r2"), SECRET, now() - 62, "123412");
    assert_eq!(send(late).await.0, 200);
    assert_eq!(rooms(&service).await, ["r1", "r2"]);
}

#[tokio::test]
async fn a_signature_is_good_for_one_body_only() {
    let service = with_secret().await;
    let timestamp = now();
    let first = signed(created("r1"), SECRET, timestamp, "77").to_string();
    let other = signed(created("r2"), SECRET, timestamp, "77").to_string();
    let json = "application/json";
    assert_eq!(service.post("/callback", json, &first).await.0, 200);
    assert_eq!(service.post("/callback", json, &first).await.0, 200, "tried again by the vendor");
    assert_eq!(service.post("/callback", json, &other).await.0, 401, "another body");
    assert_eq!(service.post("/api/room/mem/callback", json, &other).await.0, 401, "elsewhere");
    let next = signed(created("r2"), SECRET, timestamp + 1, "77").to_string();
    assert_eq!(service.post("/callback", json, &next).await.0, 200, "the nonce at another time");
}

#[tokio::test]
async fn the_options_of_the_vendors_clients_are_heeded() {
    let users = |flags: &[&str]| {
        let arguments = Arguments::parse_from([&["room-service"], flags].concat());
        async move {
            let Action::Serve(settings) = arguments.action() else { panic!("it serves") };
            let decoder = settings.callbacks.decoder();
            let service = Served::with(|parts| parts.decoder = decoder).await;
            let at = now_ms() - 3_000;
            let login = |at: u64| {
                json!({
                    "event": "room_login", "room_id": "r1", "room_seq": "7", "user_account": "ann",
                    "session_id": "12", "user_role": 1, "login_time": at,
                })
            };
            let logout = json!({
                "event": "room_logout", "room_id": "r1", "room_seq": "7", "user_account": "ann",
                "session_id": "12", "logout_time": at + 1_000,
            });
            // Somebody comes back under the session id of before, within the clock skew.
            for body in [login(at), logout, login(at + 2_000)] {
                assert_eq!(service.post_json("/callback", &body).await.0, 200);
            }
            let (_, list) = service.get("/room/get_room_user_list?RoomID=r1").await;
            let users = list["data"].as_array().cloned().unwrap_or_default();
            users.iter().map(|user| user["role"].clone()).collect::<Vec<_>>()
        }
    };
    assert_eq!(users(&[]).await, Vec::<Value>::new());
    assert_eq!(users(&["--zego-order-users"]).await, [json!("host")]);
    assert_eq!(users(&["--zego-order-users", "--zego-ignore-user-role"]).await, [Value::Null]);
}
