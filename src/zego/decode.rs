//! From the flat fields of a body to a callback.

use std::str::FromStr;

use serde::Deserialize;

use crate::callback::{
    Callback, CallbackEvent, LogoutReason, PlaybackUrls, RoomCloseReason, RoomClosed, RoomCreated,
    StreamCloseReason, StreamClosed, StreamCreated, StreamDetails, UserLoggedIn, UserLoggedOut,
};
use crate::id::{IdError, StreamId};
use crate::text::{Role, Text};
use crate::time::Timestamp;
use crate::zego::Event;
use crate::zego::scalar::{Scalar, Texts};

/// Every field of the six events that is read, in one pass.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Payload {
    event: Scalar,
    timestamp: Scalar,
    nonce: Scalar,
    signature: Scalar,
    room_id: Scalar,
    room_session_id: Scalar,
    room_seq: Scalar,
    room_name: Scalar,
    room_create_time: Scalar,
    room_close_time: Scalar,
    id_name: Scalar,
    close_reason: Scalar,
    user_account: Scalar,
    user_nickname: Scalar,
    session_id: Scalar,
    login_time: Scalar,
    logout_time: Scalar,
    user_update_seq: Scalar,
    user_role: Scalar,
    reason: Scalar,
    stream_id: Scalar,
    stream_alias: Scalar,
    stream_sid: Scalar,
    stream_seq: Scalar,
    user_id: Scalar,
    user_name: Scalar,
    title: Scalar,
    extra_info: Scalar,
    create_time_ms: Scalar,
    destroy_timemillis: Scalar,
    #[serde(rename = "type")]
    close_type: Scalar,
    rtmp_url: Texts,
    hls_url: Texts,
    hdl_url: Texts,
    pic_url: Texts,
}

/// What is wrong with a body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Problem {
    #[error("field `event` is missing or not a text")]
    NoEvent,
    #[error("{event}: field `{field}` is missing")]
    Missing { event: &'static str, field: &'static str },
    #[error("{event}: field `{field}` is not a whole number: {found}")]
    NotANumber { event: &'static str, field: &'static str, found: String },
    #[error("{event}: field `{field}` is neither a text nor a whole number")]
    NotAText { event: &'static str, field: &'static str },
    #[error("{event}: field `{field}`: {problem}")]
    Id { event: &'static str, field: &'static str, problem: IdError },
}

/// Reads the fields of one event, and names it where one is wrong.
#[derive(Debug, Clone, Copy)]
struct Reader(&'static str);

impl Payload {
    /// What the signature covers, and the signature.
    pub(super) fn signed(&mut self) -> (Option<Timestamp>, Option<Text>, Option<Text>) {
        let timestamp = self.timestamp.number().ok().flatten().map(Timestamp::from_secs);
        let nonce = std::mem::take(&mut self.nonce).into_text();
        (timestamp, nonce, std::mem::take(&mut self.signature).into_text())
    }

    pub(super) fn event(mut self) -> Result<Event, Problem> {
        let Scalar::Text(name) = std::mem::take(&mut self.event) else {
            return Err(Problem::NoEvent);
        };
        let (read, event, session_field): (fn(Self, Reader) -> _, _, _) = match name.as_str() {
            "room_create" => (Self::room_created, "room_create", "room_session_id"),
            "room_close" => (Self::room_closed, "room_close", "room_session_id"),
            "room_login" => (Self::logged_in, "room_login", "room_seq"),
            "room_logout" => (Self::logged_out, "room_logout", "room_seq"),
            "stream_create" => (Self::stream_created, "stream_create", "room_session_id"),
            "stream_close" => (Self::stream_closed, "stream_close", "room_session_id"),
            _ => return Ok(Event::Other(Text::from_compact(name))),
        };
        let reader = Reader(event);
        let room_id = reader.id("room_id", std::mem::take(&mut self.room_id))?;
        // Either of two fields names the session.
        let [session, seq] = [&mut self.room_session_id, &mut self.room_seq].map(std::mem::take);
        let session_id =
            reader.session(session_field, if session.is_missing() { seq } else { session })?;
        Ok(Event::Callback(Callback { room_id, session_id, event: read(self, reader)? }))
    }

    fn room_created(self, reader: Reader) -> Result<CallbackEvent, Problem> {
        let created = RoomCreated {
            created_at: reader.time("room_create_time", &self.room_create_time)?,
            creator_id: reader.optional_id("id_name", self.id_name)?,
        };
        Ok(created.into())
    }

    fn room_closed(self, reader: Reader) -> Result<CallbackEvent, Problem> {
        let closed = RoomClosed {
            closed_at: reader.time("room_close_time", &self.room_close_time)?,
            reason: named(&self.close_reason, room_close_reason),
        };
        Ok(closed.into())
    }

    fn logged_in(self, reader: Reader) -> Result<CallbackEvent, Problem> {
        let login = UserLoggedIn {
            user_id: reader.id("user_account", self.user_account)?,
            user_session_id: reader.session("session_id", self.session_id)?,
            login_at: reader.time("login_time", &self.login_time)?,
            counter: reader.number("user_update_seq", &self.user_update_seq)?.unwrap_or(0),
            user_name: self.user_nickname.into_text(),
            role: role(self.user_role),
            room_name: self.room_name.into_text(),
        };
        Ok(login.into())
    }

    fn logged_out(self, reader: Reader) -> Result<CallbackEvent, Problem> {
        let logout = UserLoggedOut {
            user_id: reader.id("user_account", self.user_account)?,
            user_session_id: reader.session("session_id", self.session_id)?,
            login_at: reader.number("login_time", &self.login_time)?.map(Timestamp::from_millis),
            logout_at: reader.time("logout_time", &self.logout_time)?,
            counter: reader.number("user_update_seq", &self.user_update_seq)?.unwrap_or(0),
            reason: named(&self.reason, logout_reason),
        };
        Ok(logout.into())
    }

    fn stream_created(self, reader: Reader) -> Result<CallbackEvent, Problem> {
        let publisher_id = reader.id("user_id", self.user_id)?;
        let created = StreamCreated {
            stream_id: reader.stream(self.stream_id, self.stream_alias)?,
            stream_session_id: reader.id("stream_sid", self.stream_sid)?,
            created_at: reader.time("create_time_ms", &self.create_time_ms)?,
            counter: reader.number("stream_seq", &self.stream_seq)?,
            details: StreamDetails {
                publisher_id: Some(publisher_id),
                publisher_name: self.user_name.into_text(),
                title: self.title.into_text(),
                extra_info: self.extra_info.into_text(),
                playback: PlaybackUrls {
                    rtmp: self.rtmp_url.0,
                    hls: self.hls_url.0,
                    flv: self.hdl_url.0,
                    pictures: self.pic_url.0,
                },
            },
        };
        Ok(created.into())
    }

    fn stream_closed(self, reader: Reader) -> Result<CallbackEvent, Problem> {
        let closed = StreamClosed {
            stream_id: reader.stream(self.stream_id, self.stream_alias)?,
            stream_session_id: reader.id("stream_sid", self.stream_sid)?,
            created_at: reader
                .number("create_time_ms", &self.create_time_ms)?
                .map(Timestamp::from_millis),
            closed_at: reader.time("destroy_timemillis", &self.destroy_timemillis)?,
            counter: reader.number("stream_seq", &self.stream_seq)?,
            reason: named(&self.close_type, stream_close_reason),
        };
        Ok(closed.into())
    }
}

impl Reader {
    /// `stream_alias` is the same as `stream_id`.
    fn stream(self, stream_id: Scalar, alias: Scalar) -> Result<StreamId, Problem> {
        self.id("stream_id", if stream_id.is_missing() { alias } else { stream_id })
    }

    fn number(self, field: &'static str, value: &Scalar) -> Result<Option<u64>, Problem> {
        value.number().map_err(|found| Problem::NotANumber {
            event: self.0,
            field,
            found: found.to_string(),
        })
    }

    fn time(self, field: &'static str, value: &Scalar) -> Result<Timestamp, Problem> {
        let millis = self.number(field, value)?.ok_or(Problem::Missing { event: self.0, field })?;
        Ok(Timestamp::from_millis(millis))
    }

    fn id<T: FromStr<Err = IdError>>(
        self,
        field: &'static str,
        value: Scalar,
    ) -> Result<T, Problem> {
        match value {
            Scalar::Missing => Err(Problem::Missing { event: self.0, field }),
            Scalar::Text(text) => self.checked(field, text.parse()),
            Scalar::Number(number) => self.checked(field, number.to_string().parse()),
            Scalar::Negative(_) | Scalar::Odd(_) => Err(Problem::NotAText { event: self.0, field }),
        }
    }

    /// A session that is a number is the same whether it came with leading zeros or without.
    fn session<T: FromStr<Err = IdError>>(
        self,
        field: &'static str,
        value: Scalar,
    ) -> Result<T, Problem> {
        match &value {
            Scalar::Text(text)
                if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                let digits = text.trim_start_matches('0');
                self.checked(field, if digits.is_empty() { "0" } else { digits }.parse())
            }
            _ => self.id(field, value),
        }
    }

    fn optional_id<T: FromStr<Err = IdError>>(
        self,
        field: &'static str,
        value: Scalar,
    ) -> Result<Option<T>, Problem> {
        match &value {
            Scalar::Missing => Ok(None),
            Scalar::Text(text) if text.is_empty() => Ok(None),
            _ => self.id(field, value).map(Some),
        }
    }

    fn checked<T>(self, field: &'static str, id: Result<T, IdError>) -> Result<T, Problem> {
        id.map_err(|problem| Problem::Id { event: self.0, field, problem })
    }
}

/// A reason, where the value is a number at all.
fn named<T>(value: &Scalar, name: fn(i64) -> T) -> Option<T> {
    if let Scalar::Negative(number) = value {
        return Some(name(*number));
    }
    value.number().ok().flatten().and_then(|number| i64::try_from(number).ok()).map(name)
}

fn room_close_reason(number: i64) -> RoomCloseReason {
    match number {
        0 => RoomCloseReason::Normal,
        1 => RoomCloseReason::HeartbeatTimeout,
        2 => RoomCloseReason::WentOffline,
        3 => RoomCloseReason::KickedOut,
        other => RoomCloseReason::Other(other),
    }
}

fn logout_reason(number: i64) -> LogoutReason {
    match number {
        0 => LogoutReason::Normal,
        1 => LogoutReason::HeartbeatTimeout,
        2 => LogoutReason::ConnectionLost,
        3 => LogoutReason::KickedOut,
        4 => LogoutReason::TokenExpired,
        other => LogoutReason::Other(other),
    }
}

fn stream_close_reason(number: i64) -> StreamCloseReason {
    match number {
        0 => StreamCloseReason::Normal,
        1 => StreamCloseReason::HeartbeatTimeout,
        2 => StreamCloseReason::LoggedInAgain,
        3 => StreamCloseReason::KickedOut,
        4 => StreamCloseReason::ConnectionLost,
        5 => StreamCloseReason::RoomCleared,
        100 => StreamCloseReason::ClosedByServer,
        other => StreamCloseReason::Other(other),
    }
}

/// The application's word for a role; a number that has none is kept as its digits.
fn role(value: Scalar) -> Option<Role> {
    match value.number() {
        Ok(Some(1)) => Some(Role::HOST),
        Ok(Some(2)) => Some(Role::AUDIENCE),
        Ok(Some(4)) => Some(Role::ADMINISTRATOR),
        Ok(Some(number)) => Some(Role::new(number.to_string())),
        Ok(None) => None,
        Err(_) => value.into_text().map(Role::new),
    }
}
