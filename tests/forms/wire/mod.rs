//! Callbacks as the first vendor writes them: the decoder's other half, for tests only.
#![allow(dead_code, unreachable_pub, unused_imports, reason = "each test file uses a part of it")]

pub mod body;
pub mod strategy;

use room_registry::{
    Callback, CallbackEvent, LogoutReason, RoomCloseReason, StreamCloseReason, Text, Timestamp,
    UserId,
};
use serde_json::{Map, Value, json};

/// How the numbers of a body are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// As JSON numbers, session ids that are numbers included.
    Numbers,
    /// As texts.
    Texts,
    /// As texts with leading zeros.
    LeadingZeros,
}

impl Style {
    pub const ALL: [Self; 3] = [Self::Numbers, Self::Texts, Self::LeadingZeros];

    fn number(self, number: u64) -> Value {
        match self {
            Self::Numbers => json!(number),
            Self::Texts => json!(number.to_string()),
            Self::LeadingZeros => json!(format!("00{number}")),
        }
    }

    fn signed(self, number: i64) -> Value {
        match (u64::try_from(number), self) {
            (Ok(number), style) => style.number(number),
            (Err(_), Self::Numbers) => json!(number),
            (Err(_), Self::Texts | Self::LeadingZeros) => json!(number.to_string()),
        }
    }

    /// A session that is a number of any length; other sessions have no zeros to add.
    fn session(self, id: &str) -> Value {
        match canonical_number(id) {
            Some(number) => self.number(number),
            None if self == Self::LeadingZeros && id.bytes().all(|byte| byte.is_ascii_digit()) => {
                json!(format!("00{id}"))
            }
            None => json!(id),
        }
    }

    /// A session that is a text to the decoder, of which only the digits of a number are changed.
    fn text_or_number(self, id: &str) -> Value {
        match (canonical_number(id), self) {
            (Some(number), Self::Numbers) => json!(number),
            _ => json!(id),
        }
    }
}

fn canonical_number(id: &str) -> Option<u64> {
    id.parse::<u64>().ok().filter(|number| number.to_string() == id)
}

/// The body of a callback.
pub fn encode(callback: &Callback, timestamp_secs: u64, style: Style) -> Value {
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| {
        body.insert(name.to_owned(), value);
    };
    put("appid", style.number(1));
    put("timestamp", style.number(timestamp_secs));
    put("nonce", json!("350176"));
    put("signature", json!("5bd59fd62953a8059fb7eaba95720f66d19e4517"));
    put("room_id", json!(callback.room_id.as_str()));
    let session = style.session(callback.session_id.as_str());
    let time = |at: Timestamp| style.number(at.as_millis());
    let text = |text: &Option<Text>| json!(text.as_deref().unwrap_or_default());
    match &callback.event {
        CallbackEvent::RoomCreated(event) => {
            put("event", json!("room_create"));
            put("room_session_id", session);
            put("room_create_time", time(event.created_at));
            if let Some(creator) = &event.creator_id {
                put("id_name", json!(creator.as_str()));
            }
        }
        CallbackEvent::RoomClosed(event) => {
            put("event", json!("room_close"));
            put("room_session_id", session);
            put("room_close_time", time(event.closed_at));
            if let Some(reason) = event.reason {
                put("close_reason", style.signed(room_close_reason(reason)));
            }
        }
        CallbackEvent::UserLoggedIn(event) => {
            put("event", json!("room_login"));
            put("room_seq", session);
            put("room_name", text(&event.room_name));
            put("user_account", json!(event.user_id.as_str()));
            put("user_nickname", text(&event.user_name));
            put("session_id", style.session(event.user_session_id.as_str()));
            put("login_time", time(event.login_at));
            put("user_update_seq", style.number(event.counter));
            put("relogin", style.number(0));
            if let Some(role) = &event.role {
                put("user_role", user_role(role.as_str(), style));
            }
        }
        CallbackEvent::UserLoggedOut(event) => {
            put("event", json!("room_logout"));
            put("room_seq", session);
            put("user_account", json!(event.user_id.as_str()));
            put("session_id", style.session(event.user_session_id.as_str()));
            put("logout_time", time(event.logout_at));
            put("user_update_seq", style.number(event.counter));
            if let Some(login_at) = event.login_at {
                put("login_time", time(login_at));
            }
            if let Some(reason) = event.reason {
                put("reason", style.signed(logout_reason(reason)));
            }
        }
        CallbackEvent::StreamCreated(event) => {
            let details = &event.details;
            put("event", json!("stream_create"));
            put("room_session_id", session);
            put("stream_id", json!(event.stream_id.as_str()));
            put("stream_alias", json!(event.stream_id.as_str()));
            put("stream_sid", style.text_or_number(event.stream_session_id.as_str()));
            put("create_time_ms", time(event.created_at));
            put("create_time", style.number(event.created_at.as_millis() / 1_000));
            put("user_id", json!(details.publisher_id.as_ref().map(UserId::as_str)));
            put("user_name", text(&details.publisher_name));
            put("title", text(&details.title));
            put("extra_info", text(&details.extra_info));
            put("recreate", style.number(0));
            put("rtmp_url", urls(&details.playback.rtmp));
            put("hls_url", urls(&details.playback.hls));
            put("hdl_url", urls(&details.playback.flv));
            put("pic_url", urls(&details.playback.pictures));
            if let Some(counter) = event.counter {
                put("stream_seq", style.number(counter));
            }
        }
        CallbackEvent::StreamClosed(event) => {
            put("event", json!("stream_close"));
            put("room_session_id", session);
            put("stream_id", json!(event.stream_id.as_str()));
            put("stream_alias", json!(event.stream_id.as_str()));
            put("stream_sid", style.text_or_number(event.stream_session_id.as_str()));
            put("destroy_timemillis", time(event.closed_at));
            if let Some(created_at) = event.created_at {
                put("create_time_ms", time(created_at));
            }
            if let Some(counter) = event.counter {
                put("stream_seq", style.number(counter));
            }
            if let Some(reason) = event.reason {
                put("type", style.signed(stream_close_reason(reason)));
            }
        }
        other => unreachable!("the vendor has no such event: {other:?}"),
    }
    Value::Object(body)
}

fn urls(urls: &[Text]) -> Value {
    urls.iter().map(Text::as_str).collect()
}

fn user_role(role: &str, style: Style) -> Value {
    match role {
        "host" => style.number(1),
        "audience" => style.number(2),
        "administrator" => style.number(4),
        other => {
            canonical_number(other).map_or_else(|| json!(other), |number| style.number(number))
        }
    }
}

fn room_close_reason(reason: RoomCloseReason) -> i64 {
    match reason {
        RoomCloseReason::Normal => 0,
        RoomCloseReason::HeartbeatTimeout => 1,
        RoomCloseReason::WentOffline => 2,
        RoomCloseReason::KickedOut => 3,
        RoomCloseReason::Other(number) => number,
        other => unreachable!("the vendor has no such reason: {other:?}"),
    }
}

fn logout_reason(reason: LogoutReason) -> i64 {
    match reason {
        LogoutReason::Normal => 0,
        LogoutReason::HeartbeatTimeout => 1,
        LogoutReason::ConnectionLost => 2,
        LogoutReason::KickedOut => 3,
        LogoutReason::TokenExpired => 4,
        LogoutReason::Other(number) => number,
        other => unreachable!("the vendor has no such reason: {other:?}"),
    }
}

fn stream_close_reason(reason: StreamCloseReason) -> i64 {
    match reason {
        StreamCloseReason::Normal => 0,
        StreamCloseReason::HeartbeatTimeout => 1,
        StreamCloseReason::LoggedInAgain => 2,
        StreamCloseReason::KickedOut => 3,
        StreamCloseReason::ConnectionLost => 4,
        StreamCloseReason::RoomCleared => 5,
        StreamCloseReason::ClosedByServer => 100,
        StreamCloseReason::Other(number) => number,
        other => unreachable!("the vendor has no such reason: {other:?}"),
    }
}
