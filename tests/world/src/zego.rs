//! Writes callbacks as ZEGOCLOUD does: the other half of the decoder in `room_registry::vendor::zego`.
//!
//! [`encode`] makes the body of a callback. Its fields stand in the vendor's order. A test may change them,
//! add others, or take some away, before the body is printed or turned into a [`Value`].

use room_registry::event::{CallbackEvent, LogoutReason, RoomCloseReason, StreamCloseReason};
use room_registry::{Callback, Text, Timestamp, UserId, UserSessionId};
use serde_json::{Value, json};

use super::wire::Body;

/// What a body says of its own delivery.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// The vendor's number of the app.
    pub app_id: u64,
    /// When it was sent, in seconds.
    pub timestamp: u64,
    /// A number used once.
    pub nonce: String,
    /// The signature of time and nonce.
    pub signature: String,
}

impl Envelope {
    /// Signs nothing: for receivers that do not check.
    pub fn unsigned(timestamp: u64, nonce: u64) -> Self {
        let signature = "signature".to_owned();
        Self { app_id: 1, timestamp, nonce: nonce.to_string(), signature }
    }
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// As the vendor's servers do: numbers as texts, but for some of those of events about rooms. What
    /// is empty is left out.
    Vendor,
    /// All numbers as JSON numbers, session ids that are numbers included. Nothing is left out.
    Numbers,
    /// All numbers as texts. Nothing is left out.
    Texts,
    /// All numbers as texts with leading zeros. Nothing is left out.
    LeadingZeros,
}

impl Style {
    /// Every style.
    pub const ALL: [Self; 4] = [Self::Vendor, Self::Numbers, Self::Texts, Self::LeadingZeros];

    fn number(self, number: u64) -> Value {
        match self {
            Self::Numbers => json!(number),
            Self::Vendor | Self::Texts => json!(number.to_string()),
            Self::LeadingZeros => json!(format!("00{number}")),
        }
    }

    fn signed(self, number: i64) -> Value {
        match (u64::try_from(number), self) {
            (Ok(number), style) => style.number(number),
            (Err(_), Self::Numbers) => json!(number),
            (Err(_), Self::Vendor | Self::Texts | Self::LeadingZeros) => json!(number.to_string()),
        }
    }

    /// Writes a session that is a number of any length; other sessions have no zeros to add.
    fn session(self, id: &str) -> Value {
        match canonical_number(id) {
            Some(number) => self.number(number),
            None if self == Self::LeadingZeros && id.bytes().all(|byte| byte.is_ascii_digit()) => {
                json!(format!("00{id}"))
            }
            None => json!(id),
        }
    }

    /// Writes a session that is a text to the decoder. Only the digits of a number are changed.
    fn text_or_number(self, id: &str) -> Value {
        match (canonical_number(id), self) {
            (Some(number), Self::Numbers) => json!(number),
            _ => json!(id),
        }
    }

    /// Answers how it writes the numbers of events about rooms that the vendor does not write as texts.
    fn of_rooms(self) -> Self {
        if self == Self::Vendor { Self::Numbers } else { self }
    }

    fn is_complete(self) -> bool {
        self != Self::Vendor
    }
}

fn canonical_number(id: &str) -> Option<u64> {
    id.parse::<u64>().ok().filter(|number| number.to_string() == id)
}

/// Begins the body of any event, of the vendor's or not.
pub fn begin(event: &str, envelope: &Envelope, style: Style) -> Body {
    let mut body = Body::default();
    body.put("event", json!(event));
    body.put("appid", style.number(envelope.app_id));
    body.put("timestamp", style.number(envelope.timestamp));
    body.put("nonce", json!(envelope.nonce));
    body.put("signature", json!(envelope.signature));
    body
}

/// Writes a callback.
pub fn encode(callback: &Callback, envelope: &Envelope, style: Style) -> Body {
    match &callback.event {
        CallbackEvent::RoomCreated(_) | CallbackEvent::RoomClosed(_) => {
            of_a_room(callback, envelope, style)
        }
        CallbackEvent::UserLoggedIn(_) | CallbackEvent::UserLoggedOut(_) => {
            of_a_user(callback, envelope, style)
        }
        CallbackEvent::StreamCreated(_) | CallbackEvent::StreamClosed(_) => {
            of_a_stream(callback, envelope, style)
        }
        other => unreachable!("the vendor has no such event: {other:?}"),
    }
}

fn of_a_room(callback: &Callback, envelope: &Envelope, style: Style) -> Body {
    let event = match &callback.event {
        CallbackEvent::RoomCreated(_) => "room_create",
        _ => "room_close",
    };
    let mut body = begin(event, envelope, style.of_rooms());
    body.put("room_id", json!(callback.room_id.as_str()));
    body.put("room_session_id", style.of_rooms().session(session_of(callback)));
    match &callback.event {
        CallbackEvent::RoomCreated(event) => {
            body.put("room_create_time", time(event.created_at, style));
            if let Some(creator) = &event.creator_id {
                body.put("id_name", json!(creator.as_str()));
            }
        }
        CallbackEvent::RoomClosed(event) => {
            if let Some(reason) = &event.reason {
                body.put("close_reason", style.of_rooms().signed(room_close_reason(reason)));
            }
            body.put("room_close_time", time(event.closed_at, style));
        }
        _ => {}
    }
    body
}

fn of_a_user(callback: &Callback, envelope: &Envelope, style: Style) -> Body {
    let mut body;
    match &callback.event {
        CallbackEvent::UserLoggedIn(event) => {
            body = begin("room_login", envelope, style);
            body.put("room_id", json!(callback.room_id.as_str()));
            text(&mut body, "room_name", event.room_name.as_ref(), style);
            body.put("room_seq", style.session(session_of(callback)));
            body.put("user_account", json!(event.user_id.as_str()));
            text(&mut body, "user_nickname", event.details.user_name.as_ref(), style);
            put_user_session(&mut body, event.user_session_id.as_ref(), style);
            body.put("login_time", time(event.login_at, style));
            if let Some(role) = &event.details.role {
                body.put("user_role", user_role(role.as_str(), style));
            }
            body.put("relogin", style.number(0));
            if let Some(counter) = event.counter {
                body.put("user_update_seq", style.number(counter));
            }
        }
        CallbackEvent::UserLoggedOut(event) => {
            body = begin("room_logout", envelope, style);
            body.put("room_id", json!(callback.room_id.as_str()));
            body.put("room_seq", style.session(session_of(callback)));
            body.put("user_account", json!(event.user_id.as_str()));
            put_user_session(&mut body, event.user_session_id.as_ref(), style);
            if let Some(login_at) = event.login_at {
                body.put("login_time", time(login_at, style));
            }
            body.put("logout_time", time(event.logout_at, style));
            if let Some(reason) = &event.reason {
                body.put("reason", style.signed(logout_reason(reason)));
            }
            if let Some(counter) = event.counter {
                body.put("user_update_seq", style.number(counter));
            }
        }
        _ => unreachable!("it is about a user"),
    }
    body
}

fn of_a_stream(callback: &Callback, envelope: &Envelope, style: Style) -> Body {
    let (event, stream_id, session_id, counter) = match &callback.event {
        CallbackEvent::StreamCreated(event) => {
            ("stream_create", &event.stream_id, &event.stream_session_id, event.counter)
        }
        CallbackEvent::StreamClosed(event) => {
            ("stream_close", &event.stream_id, &event.stream_session_id, event.counter)
        }
        _ => unreachable!("it is about a stream"),
    };
    let mut body = begin(event, envelope, style);
    body.put("room_id", json!(callback.room_id.as_str()));
    body.put("room_session_id", style.session(session_of(callback)));
    if let CallbackEvent::StreamCreated(event) = &callback.event {
        let details = &event.details;
        if details.publisher_id.is_some() || style.is_complete() {
            body.put("user_id", json!(details.publisher_id.as_ref().map(UserId::as_str)));
        }
        text(&mut body, "user_name", details.publisher_name.as_ref(), style);
    }
    if let CallbackEvent::StreamClosed(event) = &callback.event
        && let Some(reason) = &event.reason
    {
        body.put("type", style.signed(stream_close_reason(reason)));
    }
    body.put("stream_id", json!(stream_id.as_str()));
    body.put("stream_alias", json!(stream_id.as_str()));
    let session_id = session_id.as_ref().expect("the vendor names openings");
    body.put("stream_sid", style.text_or_number(session_id.as_str()));
    if let Some(counter) = counter {
        body.put("stream_seq", style.number(counter));
    }
    match &callback.event {
        CallbackEvent::StreamCreated(event) => {
            let details = &event.details;
            body.put("create_time_ms", time(event.created_at, style));
            if style.is_complete() {
                body.put("create_time", style.number(event.created_at.as_millis() / 1_000));
            }
            body.put("recreate", style.number(0));
            text(&mut body, "title", details.title.as_ref(), style);
            text(&mut body, "extra_info", details.extra_info.as_ref(), style);
            urls(&mut body, "rtmp_url", &details.playback.rtmp, style);
            urls(&mut body, "hls_url", &details.playback.hls, style);
            urls(&mut body, "hdl_url", &details.playback.flv, style);
            urls(&mut body, "pic_url", &details.playback.pictures, style);
        }
        CallbackEvent::StreamClosed(event) => {
            if let Some(created_at) = event.created_at {
                body.put("create_time_ms", time(created_at, style));
            }
            body.put("destroy_timemillis", time(event.closed_at, style));
        }
        _ => {}
    }
    body
}

fn time(at: Timestamp, style: Style) -> Value {
    style.number(at.as_millis())
}

fn text(body: &mut Body, field: &'static str, text: Option<&Text>, style: Style) {
    if text.is_some() || style.is_complete() {
        body.put(field, json!(text.map(Text::as_str).unwrap_or_default()));
    }
}

fn urls(body: &mut Body, field: &'static str, urls: &[Text], style: Style) {
    if !urls.is_empty() || style.is_complete() {
        body.put(field, urls.iter().map(Text::as_str).collect());
    }
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

fn number_of(reason: &Text) -> i64 {
    reason.parse().expect("the vendor's reasons are numbers")
}

fn room_close_reason(reason: &RoomCloseReason) -> i64 {
    match reason {
        RoomCloseReason::Normal => 0,
        RoomCloseReason::HeartbeatTimeout => 1,
        RoomCloseReason::WentOffline => 2,
        RoomCloseReason::KickedOut => 3,
        RoomCloseReason::Other(number) => number_of(number),
        other => unreachable!("the vendor has no such reason: {other:?}"),
    }
}

fn logout_reason(reason: &LogoutReason) -> i64 {
    match reason {
        LogoutReason::Normal => 0,
        LogoutReason::HeartbeatTimeout => 1,
        LogoutReason::ConnectionLost => 2,
        LogoutReason::KickedOut => 3,
        LogoutReason::TokenExpired => 4,
        LogoutReason::Other(number) => number_of(number),
        other => unreachable!("the vendor has no such reason: {other:?}"),
    }
}

fn stream_close_reason(reason: &StreamCloseReason) -> i64 {
    match reason {
        StreamCloseReason::Normal => 0,
        StreamCloseReason::HeartbeatTimeout => 1,
        StreamCloseReason::LoggedInAgain => 2,
        StreamCloseReason::KickedOut => 3,
        StreamCloseReason::ConnectionLost => 4,
        StreamCloseReason::RoomCleared => 5,
        StreamCloseReason::ClosedByServer => 100,
        StreamCloseReason::Other(number) => number_of(number),
        other => unreachable!("the vendor has no such reason: {other:?}"),
    }
}

/// Answers the session, as the vendor names each.
fn session_of(callback: &Callback) -> &str {
    callback.session_id.as_ref().expect("a name").as_str()
}

/// Writes a user session; 0 stands for none.
fn put_user_session(body: &mut Body, id: Option<&UserSessionId>, style: Style) {
    body.put("session_id", style.session(id.map_or("0", UserSessionId::as_str)));
}
