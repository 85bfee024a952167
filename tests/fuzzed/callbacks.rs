//! Bodies of callbacks in the vendor's words, from few ids, so that they meet.

use room_registry::repair::{ObservedStream, ObservedUser};
use room_registry::vendor::zego::Event;
use room_registry::{Callback, Observation, RoomId, SessionId, StreamId, Timestamp, UserId};
use serde_json::{Map, Value, json};

use super::bytes::Bytes;

/// When plays begin.
pub const START: u64 = 1_000_000_000;

pub const ROOMS: [&str; 3] = ["r", "room", "r2"];
pub const USERS: [&str; 4] = ["ann", "bob", "cleo", "汤姆"];
pub const STREAMS: [&str; 3] = ["camera", "screen", "ann"];

/// A callback; none if the bytes make a body that is refused.
pub fn callback(bytes: &mut Bytes<'_>, now: u64) -> Option<Callback> {
    let body = body(bytes, now).to_string();
    match serde_json::from_str(&body) {
        Ok(Event::Callback(callback)) => Some(callback),
        Ok(other) => unreachable!("{other:?}"),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            None
        }
    }
}

/// A time: mostly near the start, where ties, the skew and the retention can be met exactly.
pub fn time(bytes: &mut Bytes<'_>, now: u64) -> u64 {
    let unit = bytes.pick(&[1, 1, 25, 50, 1_000, 5_000, 60_000, 300_000]);
    let steps = u64::from(bytes.byte());
    match bytes.byte() % 16 {
        0..=9 => START + unit * (steps % 16),
        10 | 11 => now.saturating_sub(unit * steps),
        12 => now.saturating_add(unit * steps),
        13 => START.saturating_sub(unit * steps),
        14 => {
            let guard = now.saturating_add(600_000);
            bytes.pick(&[0, 1, u64::MAX, u64::MAX - 1, guard, guard.saturating_add(1)])
        }
        _ => bytes.number(),
    }
}

/// What somebody saw of a room.
pub fn observation(bytes: &mut Bytes<'_>, now: u64) -> Observation {
    let id = "an id";
    let room_id = RoomId::new(bytes.pick(&ROOMS)).expect(id);
    let seen = Observation::new(room_id, Timestamp::from_millis(time(bytes, now)));
    let seen = match bytes.byte() % 8 {
        session @ 0..=3 => seen.session_id(SessionId::new(session.to_string()).expect(id)),
        _ => seen,
    };
    let seen = match bytes.byte() % 8 {
        0 => seen.open(true),
        1 => seen.open(false),
        _ => seen,
    };
    let users = bytes.byte();
    let seen_users = (0..USERS.len()).filter(|user| users >> user & 1 == 1).map(|user| {
        let user = ObservedUser::new(UserId::new(USERS[user]).expect(id));
        if users & 16 == 0 { user } else { user.name("A") }
    });
    let seen = match users >> 5 {
        0..=4 => seen.users(seen_users),
        5 | 6 => seen.some_users(seen_users),
        _ => seen,
    };
    let streams = bytes.byte();
    let seen_streams =
        (0..STREAMS.len()).filter(|stream| streams >> stream & 1 == 1).map(|stream| {
            let stream = ObservedStream::new(StreamId::new(STREAMS[stream]).expect(id));
            if streams & 8 == 0 {
                stream
            } else {
                stream.publisher_id(UserId::new("ann").expect(id))
            }
        });
    match streams >> 5 {
        0..=4 => seen.streams(seen_streams),
        5 | 6 => seen.some_streams(seen_streams),
        _ => seen,
    }
}

fn body(bytes: &mut Bytes<'_>, now: u64) -> Value {
    let mut body = Map::new();
    let style = bytes.byte();
    let number = |number: u64| match style % 3 {
        0 => json!(number),
        1 => json!(number.to_string()),
        _ => json!(format!("0{number}")),
    };
    let event = bytes.pick(&[
        "room_create",
        "room_login",
        "stream_create",
        "room_close",
        "room_logout",
        "stream_close",
    ]);
    let session = u64::from(bytes.byte() % 4);
    body.insert("event".into(), json!(event));
    body.insert("room_id".into(), json!(bytes.pick(&ROOMS)));
    body.insert("room_session_id".into(), number(session));
    let mut put = |field: &str, value| {
        if !value_is_absent(&value) {
            body.insert(field.to_owned(), value);
        }
    };
    match event {
        "room_create" => {
            put("room_create_time", number(time(bytes, now)));
            put("id_name", json!(bytes.pick(&["", "ann", "bob"])));
        }
        "room_close" => {
            put("room_close_time", number(time(bytes, now)));
            put("close_reason", number(u64::from(bytes.byte() % 6)));
        }
        "room_login" | "room_logout" => {
            put("user_account", json!(bytes.pick(&USERS)));
            put("session_id", number(u64::from(bytes.byte() % 4)));
            put("user_update_seq", number(u64::from(bytes.byte() % 8)));
            if event == "room_login" {
                put("login_time", number(time(bytes, now)));
                put("user_nickname", json!(bytes.pick(&["", "Ann", "Bob"])));
                put("user_role", number(u64::from(bytes.byte() % 6)));
                put("room_name", json!(bytes.pick(&["", "A", "B"])));
            } else {
                put("logout_time", number(time(bytes, now)));
                let is_known = !bytes.one_in(3);
                put("login_time", if is_known { number(time(bytes, now)) } else { Value::Null });
                put("reason", number(u64::from(bytes.byte() % 6)));
            }
        }
        _ => {
            put("stream_id", json!(bytes.pick(&STREAMS)));
            put("stream_sid", json!(bytes.pick(&["s-1", "1"])));
            let counter = u64::from(bytes.byte() % 5);
            put("stream_seq", if counter == 4 { Value::Null } else { number(counter) });
            let is_known = event == "stream_create" || !bytes.one_in(3);
            put("create_time_ms", if is_known { number(time(bytes, now)) } else { Value::Null });
            if event == "stream_create" {
                put("user_id", json!(bytes.pick(&USERS)));
                put("title", json!(bytes.pick(&["", "A", "B"])));
                put("hls_url", json!([bytes.pick(&["", "https://a", "https://b"])]));
            } else {
                put("destroy_timemillis", number(time(bytes, now)));
                put("type", number(u64::from(bytes.byte() % 8)));
            }
        }
    }
    Value::Object(body)
}

fn value_is_absent(value: &Value) -> bool {
    value.is_null()
}

/// The local time at which all of a set is applied: late enough for everything near the start.
pub fn evening() -> Timestamp {
    Timestamp::from_millis(START + 10_000_000)
}
