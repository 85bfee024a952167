//! Lost callbacks, mended from what the vendor's API answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use md5::{Digest, Md5};
use room_registry::vendor::zego::Decoder;
use room_service::repair::Zego;
use room_service::settings::SecretString;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::endpoints::now_ms;
use crate::support::{Served, eventually};

const SECRET: &str = "the-server-secret";

/// The vendor's server, as far as its API shows it.
#[derive(Debug, Default)]
struct Vendor {
    /// Who is in a room, page after page.
    users: BTreeMap<&'static str, Vec<Vec<&'static str>>>,
    streams: BTreeMap<&'static str, Vec<&'static str>>,
    /// What was wrong with calls.
    complaints: Vec<String>,
    nonces: BTreeSet<String>,
    calls: BTreeMap<String, usize>,
}

type Shared = Arc<Mutex<Vendor>>;

/// Ends the vendor's server when it is dropped.
struct Api {
    url: String,
    vendor: Shared,
    task: JoinHandle<()>,
}

impl Drop for Api {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn api(vendor: Vendor) -> Api {
    let vendor = Arc::new(Mutex::new(vendor));
    let router = Router::new().route("/", get(answer)).with_state(Arc::clone(&vendor));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        axum::serve(listener, router).await.unwrap();
    });
    Api { url, vendor, task }
}

async fn answer(
    State(vendor): State<Shared>,
    Query(given): Query<BTreeMap<String, String>>,
) -> Result<String, StatusCode> {
    let mut vendor = vendor.lock().unwrap();
    let get = |name: &str| given.get(name).map_or("", String::as_str);
    let (nonce, timestamp) = (get("SignatureNonce"), get("Timestamp"));
    let signed = format!("{}{nonce}{SECRET}{timestamp}", get("AppId"));
    let fresh = timestamp.parse::<u64>().is_ok_and(|at| at.abs_diff(now_ms() / 1_000) < 60);
    let is_hex = nonce.len() == 16 && nonce.bytes().all(|byte| byte.is_ascii_hexdigit());
    let good = get("Signature") == hex::encode(Md5::digest(signed))
        && get("SignatureVersion") == "2.0"
        && get("AppId") == "12345";
    if !(good && fresh && is_hex && vendor.nonces.insert(nonce.to_owned())) {
        vendor.complaints.push(format!("{given:?}"));
        return Ok(json!({"Code": 100_000_004, "Message": "signature"}).to_string());
    }
    let (action, room_id) = (get("Action").to_owned(), get("RoomId").to_owned());
    *vendor.calls.entry(format!("{action} {room_id}")).or_default() += 1;
    if room_id == "broken" {
        return Err(StatusCode::BAD_GATEWAY);
    }
    if room_id == "refused" {
        return Ok(json!({"Code": 50_000, "Message": "not now"}).to_string());
    }
    let data = match action.as_str() {
        "DescribeUserList" => {
            let page: usize = get("Marker").parse().unwrap_or(0);
            let pages = vendor.users.get(room_id.as_str()).cloned().unwrap_or_default();
            let users: Vec<Value> = pages
                .get(page)
                .into_iter()
                .flatten()
                .map(|user| json!({"UserId": user, "UserName": user, "UserRole": 2}))
                .collect();
            let marker =
                if page + 1 < pages.len() { (page + 1).to_string() } else { String::new() };
            json!({"Marker": marker, "UserList": users})
        }
        "DescribeSimpleStreamList" if room_id == "without streams" => {
            return Ok(json!({"Code": 206, "Message": "qps over limit"}).to_string());
        }
        "DescribeSimpleStreamList" if !vendor.users.contains_key(room_id.as_str()) => {
            return Ok(json!({"Code": 104, "Message": "room not exist"}).to_string());
        }
        "DescribeSimpleStreamList" => {
            let streams = vendor.streams.get(room_id.as_str()).cloned().unwrap_or_default();
            let streams: Vec<Value> = streams
                .into_iter()
                .map(|stream| json!({"StreamId": stream, "UserId": "ann", "CreateTime": now_ms() - 60_000}))
                .collect();
            json!({"StreamList": streams})
        }
        _ => return Err(StatusCode::NOT_FOUND),
    };
    Ok(json!({"Code": 0, "Message": "success", "RequestId": "1", "Data": data}).to_string())
}

async fn served(api: &Api, secret: &str) -> Served {
    served_with(api, secret, Decoder::new()).await
}

async fn served_with(api: &Api, secret: &str, decoder: Decoder) -> Served {
    let zego = Zego::new(&api.url, 12_345, SecretString::from(secret), 100).unwrap();
    assert!(!format!("{zego:?}").contains(secret));
    Served::with(|parts| parts.media_server = Some(Arc::new(zego.decoding(decoder)))).await
}

/// A room and its logins, a minute ago.
async fn tell(service: &Served, room_id: &str, users: &[&str]) {
    let at = now_ms() - 60_000;
    let created = json!({
        "event": "room_create", "room_id": room_id, "room_session_id": 7, "room_create_time": at,
    });
    assert_eq!(service.post_json("/callback", &created).await.0, 200);
    for (n, user) in users.iter().enumerate() {
        let login = json!({
            "event": "room_login", "room_id": room_id, "room_seq": "7", "user_account": user,
            "user_nickname": user, "session_id": (n + 1).to_string(), "login_time": at + 1,
            "user_update_seq": n + 1,
        });
        assert_eq!(service.post_json("/callback", &login).await.0, 200);
    }
}

async fn users(service: &Served, room_id: &str) -> Vec<String> {
    let (_, list) = service.get(&format!("/room/get_room_user_list?RoomID={room_id}")).await;
    let users = list["data"].as_array().cloned().unwrap_or_default();
    let mut ids: Vec<_> =
        users.iter().map(|user| user["user_id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn answers_are_decoded_with_the_options_of_callbacks() {
    for (ignores_role, role) in [(false, json!("audience")), (true, Value::Null)] {
        let users = BTreeMap::from([("r1", vec![vec!["ann", "carl"]])]);
        let api = api(Vendor { users, ..Vendor::default() }).await;
        let decoder = Decoder::new().ignore_user_role(ignores_role);
        let service = served_with(&api, SECRET, decoder).await;
        // Carl's login was lost.
        tell(&service, "r1", &["ann"]).await;
        eventually("carl has the role that the answer tells", || async {
            let (_, list) = service.get("/room/get_room_user_list?RoomID=r1").await;
            let users = list["data"].as_array().cloned().unwrap_or_default();
            users.iter().any(|user| user["user_id"] == "carl" && user["role"] == role)
        })
        .await;
    }
}

#[tokio::test]
async fn lost_callbacks_are_mended() {
    let api = api(Vendor {
        users: BTreeMap::from([("r1", vec![vec!["ann", "carl"], vec!["dora"]])]),
        streams: BTreeMap::from([("r1", vec!["camera"])]),
        ..Vendor::default()
    })
    .await;
    let service = served(&api, SECRET).await;
    // Bob's logout, the logins of Carl and Dora, Ann's stream and the end of r2 were lost.
    tell(&service, "r1", &["ann", "bob"]).await;
    tell(&service, "r2", &["eve"]).await;
    eventually("the users are those of the media server", || async {
        users(&service, "r1").await == ["ann", "carl", "dora"]
    })
    .await;
    eventually("the stream is there", || async {
        let (_, room) = service.get("/room/get_room?RoomID=r1").await;
        room["data"]["streams"][0]["stream_id"] == "camera"
    })
    .await;
    eventually("the room that ended is gone", || async {
        service.get("/room/get_room?RoomID=r2").await.1["message"] == "room not exists"
    })
    .await;
    eventually("it was counted", || async {
        let metrics = service.client.get(service.url("/metrics")).send().await.unwrap();
        let text = metrics.text().await.unwrap();
        let count = |start: &str| -> u64 {
            let lines = text.lines().filter(|line| line.starts_with(start));
            lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
        };
        let questions = text.lines().filter(|line| {
            line.starts_with("room_service_questions_total") && line.contains("answered")
        });
        count("room_service_repairs_total") >= 5 && questions.count() > 0
    })
    .await;
    let vendor = api.vendor.lock().unwrap();
    assert!(vendor.complaints.is_empty(), "{:?}", vendor.complaints);
    assert!(vendor.calls["DescribeUserList r1"] >= 2, "{:?}", vendor.calls);
}

#[tokio::test]
async fn a_good_list_of_users_mends_also_if_that_of_streams_fails() {
    let users_of = |user| vec![vec![user]];
    let api = api(Vendor {
        users: BTreeMap::from([("without streams", users_of("carl"))]),
        ..Vendor::default()
    })
    .await;
    let service = served(&api, SECRET).await;
    tell(&service, "without streams", &["bob"]).await;
    eventually("the users are those of the media server", || async {
        users(&service, "without%20streams").await == ["carl"]
    })
    .await;
}

#[tokio::test]
async fn who_does_not_answer_changes_nothing_and_is_asked_again_later() {
    let api = api(Vendor::default()).await;
    let service = served(&api, SECRET).await;
    tell(&service, "broken", &["ann"]).await;
    tell(&service, "refused", &["bob"]).await;
    eventually("both were asked about", || async {
        let vendor = api.vendor.lock().unwrap();
        ["broken", "refused"]
            .iter()
            .all(|room| vendor.calls.contains_key(&format!("DescribeUserList {room}")))
    })
    .await;
    eventually("the failures were counted", || async {
        let metrics = service.client.get(service.url("/metrics")).send().await.unwrap();
        let text = metrics.text().await.unwrap();
        text.lines().any(|line| {
            line.starts_with("room_service_questions_total")
                && line.contains("failed")
                && line.ends_with(" 2")
        })
    })
    .await;
    assert_eq!(users(&service, "broken").await, ["ann"]);
    assert_eq!(users(&service, "refused").await, ["bob"]);
}

#[tokio::test]
async fn a_wrong_server_secret_mends_nothing() {
    let api = api(Vendor::default()).await;
    let service = served(&api, "another-secret").await;
    tell(&service, "r1", &["ann"]).await;
    eventually("the vendor complained", || async {
        !api.vendor.lock().unwrap().complaints.is_empty()
    })
    .await;
    assert_eq!(users(&service, "r1").await, ["ann"]);
}
