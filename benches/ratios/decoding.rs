//! Decoding a vendor's payload.

use room_registry::vendor::zego::Event;
use serde::Deserialize;

use super::method::Rounds;
use super::table::Line;

const ROUNDS: Rounds = Rounds { rounds: 15, operations: 20_000 };

const LOGIN: &str = r#"{"event":"room_login","appid":"1","timestamp":"1499676978","nonce":"123412",
"signature":"2ff3a6a1bc9b8a0ab1d8f5b7ad5c4d5a4e0f4c3b","room_id":"room_0001234","room_name":"The evening",
"room_seq":"858012925204410400","user_account":"user_00012345","user_nickname":"name00012345",
"session_id":"858012925204411401","login_time":"1499676978027","user_role":"2","user_update_seq":"17"}"#;

/// The same fields, each as it stands.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only filled")]
struct Plain {
    event: String,
    appid: String,
    timestamp: String,
    nonce: String,
    signature: String,
    room_id: String,
    room_name: String,
    room_seq: String,
    user_account: String,
    user_nickname: String,
    session_id: String,
    login_time: String,
    user_role: String,
    user_update_seq: String,
}

pub fn lines() -> Vec<Line> {
    assert!(matches!(serde_json::from_str(LOGIN), Ok(Event::Callback(_))));
    let pair = ROUNDS.alternate(
        &mut (),
        (&[LOGIN], |(), text| serde_json::from_str::<Event>(text).is_ok()),
        (&[LOGIN], |(), text| serde_json::from_str::<Plain>(text).is_ok()),
    );
    vec![Line::new("decoding a login; floor: all fields as `String`", pair, 1.2)]
}
