//! Who may do what, with tokens.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use room_registry::{Role, RoomId, UserId};
use room_service::auth::{Claims, TokenKey, Tokens};
use room_service::settings::SecretString;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::endpoints::now_ms;
use crate::support::{Served, answer};

const SERVER: &str = "the-token-of-the-server";
const KEY: &str = "a-key-of-user-tokens";

async fn served() -> Served {
    Served::with(|parts| {
        let key = TokenKey::new(&SecretString::from(KEY)).unwrap();
        parts.authoriser = Arc::new(Tokens::new(Some(&SecretString::from(SERVER)), Some(key)));
    })
    .await
}

fn token(room_id: &str, user_id: &str, role: &str) -> String {
    expiring(room_id, user_id, role, now_ms() / 1_000 + 600)
}

fn expiring(room_id: &str, user_id: &str, role: &str, exp: u64) -> String {
    let key = TokenKey::new(&SecretString::from(KEY)).unwrap();
    key.sign(&Claims {
        room_id: RoomId::new(room_id).unwrap(),
        user_id: UserId::new(user_id).unwrap(),
        role: Role::new(role),
        exp,
    })
}

/// Signs anything, as another library would.
fn signed(key: &str, header: &Value, claims: &Value) -> String {
    let part = |json: &Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    let text = format!("{}.{}", part(header), part(claims));
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap().chain_update(&text);
    format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

async fn ask(service: &Served, path: &str, token: &str) -> (u16, Value) {
    answer(service.client.get(service.url(path)).bearer_auth(token)).await
}

#[track_caller]
fn is((found, answer): (u16, Value), status: u16, code: u8, what: &str) {
    assert_eq!((found, &answer["code"]), (status, &json!(code)), "{what}: {answer}");
}

#[tokio::test]
async fn without_a_good_token_nothing_is_told_or_done() {
    let service = served().await;
    let exp = now_ms() / 1_000 + 600;
    let header = json!({"alg": "HS256", "typ": "JWT"});
    let claims = json!({"room_id": "r1", "user_id": "ann", "role": "host", "exp": exp});
    let good = token("r1", "ann", "host");
    let (signed_part, signature) = good.rsplit_once('.').unwrap();
    let mut forged: Vec<String> = vec![
        String::new(),
        "wrong".to_owned(),
        format!("{SERVER}x"),
        SERVER[1..].to_owned(),
        expiring("r1", "ann", "host", now_ms() / 1_000),
        expiring("r1", "ann", "host", 0),
        signed("another key of tokens", &header, &claims),
        signed(KEY, &json!({"alg": "none"}), &claims),
        signed(KEY, &json!({"alg": "HS512"}), &claims),
        signed(KEY, &json!({"alg": "HS256", "crit": ["x"]}), &claims),
        signed(KEY, &header, &json!({"room_id": "r1", "user_id": "ann", "role": "host"})),
        signed(KEY, &header, &json!({"room_id": "", "user_id": "ann", "role": "", "exp": exp})),
        format!("{signed_part}."),
        signed_part.to_owned(),
        format!("{signed_part}.{}", &signature[..signature.len() - 2]),
        format!("{good}.{good}"),
        ".".repeat(9_000),
    ];
    // Another room in the claims, under the signature of the first.
    let other = token("r2", "ann", "host");
    forged.push(format!("{}.{signature}", other.rsplit_once('.').unwrap().0));
    for path in ["/room/get_room_list", "/room/create_room?RoomID=r1&HostID=ann", "/events"] {
        is(service.get(path).await, 401, 4, path);
        for token in &forged {
            is(ask(&service, path, token).await, 401, 4, token);
        }
    }
    let basic =
        service.client.get(service.url("/room/get_room_list")).basic_auth("a", Some(SERVER));
    let response = basic.send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["www-authenticate"]),
        (401, &"Bearer".parse().unwrap())
    );
    let (_, list) = ask(&service, "/room/get_room_list", SERVER).await;
    assert_eq!(list["data"], json!([]));
    let own = signed(KEY, &header, &claims);
    is(ask(&service, "/room/create_room?RoomID=r1&HostID=ann", &own).await, 200, 0, "its own");
}

#[tokio::test]
async fn a_host_creates_changes_and_ends_his_room_and_no_other() {
    let service = served().await;
    let host = token("r1", "tom", "host");
    is(
        ask(&service, "/room/create_room?RoomID=r2&HostID=tom", &host).await,
        403,
        4,
        "another room",
    );
    is(ask(&service, "/room/create_room?RoomID=r1&HostID=ann", &host).await, 403, 4, "for another");
    is(ask(&service, "/room/create_room?RoomID=r1&HostID=tom", &host).await, 200, 0, "his own");
    is(ask(&service, "/room/create_room?RoomID=r2&HostID=ann", SERVER).await, 200, 0, "the server");
    for path in ["update_room?RoomName=x&RoomID=", "end_room?RoomID="] {
        let audience = token("r1", "ann", "audience");
        is(ask(&service, &format!("/room/{path}r1"), &audience).await, 403, 4, path);
        is(ask(&service, &format!("/room/{path}r2"), &host).await, 403, 4, path);
        is(ask(&service, &format!("/room/{path}r1"), &host).await, 200, 0, path);
        is(ask(&service, &format!("/room/{path}r2"), SERVER).await, 200, 0, path);
    }
}

#[tokio::test]
async fn a_user_joins_leaves_and_beats_for_himself_only() {
    let service = served().await;
    is(ask(&service, "/room/create_room?RoomID=r1&HostID=tom", SERVER).await, 200, 0, "create");
    is(ask(&service, "/room/create_room?RoomID=r2&HostID=tom", SERVER).await, 200, 0, "create");
    let ann = token("r1", "ann", "audience");
    for path in ["join_room", "heartbeat", "update_user", "leave_room"] {
        let path = |room: &str, user: &str| format!("/room/{path}?RoomID={room}&UserID={user}");
        is(ask(&service, &path("r1", "bob"), &ann).await, 403, 4, "as another");
        is(ask(&service, &path("r2", "ann"), &ann).await, 403, 4, "in another room");
        if !path("", "").contains("leave") {
            let as_host = format!("{}&Role=host", path("r1", "ann"));
            is(ask(&service, &as_host, &ann).await, 403, 4, "in another role");
        }
        is(ask(&service, &path("r1", "ann"), &ann).await, 200, 0, "as herself");
        is(ask(&service, &path("r2", "bob"), SERVER).await, 200, 0, "the server");
        if path("", "").contains("join") {
            let (_, users) = ask(&service, "/room/get_room_user_list?RoomID=r1", &ann).await;
            assert_eq!(users["data"][0]["role"], "audience", "the role of the token");
        }
    }
}

#[tokio::test]
async fn any_token_reads_and_only_the_server_observes() {
    let service = served().await;
    is(ask(&service, "/room/create_room?RoomID=r1&HostID=tom", SERVER).await, 200, 0, "create");
    let ann = token("r9", "ann", "audience");
    for path in ["get_room_list", "get_room_user_list?RoomID=r1", "get_room?RoomID=r1"] {
        is(ask(&service, &format!("/room/{path}"), &ann).await, 200, 0, path);
    }
    let observe = |token: String| {
        let observed = json!({"room_id": "r1", "observed_at": now_ms()}).to_string();
        answer(service.client.post(service.url("/observed")).bearer_auth(token).body(observed))
    };
    is(observe(ann.clone()).await, 403, 4, "a user");
    is(observe(token("r1", "tom", "host")).await, 403, 4, "the host");
    is(observe("wrong".to_owned()).await, 401, 4, "nobody");
    is(observe(SERVER.to_owned()).await, 200, 0, "the server");
    // A browser's event source sends no header; a list does not take its token from the address.
    let events = service.client.get(service.url(&format!("/events?access_token={ann}")));
    assert_eq!(events.send().await.unwrap().status(), 200);
    let list = format!("/room/get_room_list?access_token={ann}");
    is(service.get(&list).await, 401, 4, "in the address");
    for path in ["/", "/healthz", "/metrics"] {
        assert_eq!(service.client.get(service.url(path)).send().await.unwrap().status(), 200);
    }
}

#[test]
fn keys_that_are_too_short_are_refused_and_none_is_ever_printed() {
    let error = TokenKey::new(&SecretString::from("short")).unwrap_err().to_string();
    assert!(!error.contains("short key") && error.contains("16 bytes"), "{error}");
    let key = TokenKey::new(&SecretString::from(KEY)).unwrap();
    let tokens = format!("{:?}", Tokens::new(Some(&SecretString::from(SERVER)), Some(key)));
    assert!(!tokens.contains(SERVER) && !tokens.contains(KEY), "{tokens}");
}
