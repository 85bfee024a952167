//! From the fields of a body to a callback.

use std::str::FromStr;

use crate::model::callback::{
    Callback, CallbackEvent, RoomClosed, RoomCreated, StreamClosed, StreamCreated, StreamDetails,
    UserLoggedIn, UserLoggedOut,
};
use crate::model::id::{IdError, SessionId};
use crate::model::text::Text;
use crate::model::time::Timestamp;
use crate::vendor::zego::Event;
use crate::vendor::zego::code::{logout_reason, role, room_close_reason, stream_close_reason};
use crate::vendor::zego::payload::{Field, Payload};
use crate::vendor::zego::problem::{Place, Problem};

/// One of the six events.
struct Kind {
    name: &'static str,
    /// The fields that name the room's session: the usual one, and the one to read without it.
    session: [Field; 2],
    read: fn(&mut Body<'_, '_>) -> Result<CallbackEvent, Problem>,
}

const KINDS: [Kind; 6] = {
    const BY_ID: [Field; 2] = [Field::RoomSessionId, Field::RoomSeq];
    const BY_SEQ: [Field; 2] = [Field::RoomSeq, Field::RoomSessionId];
    [
        Kind { name: "room_create", session: BY_ID, read: room_created },
        Kind { name: "room_close", session: BY_ID, read: room_closed },
        Kind { name: "room_login", session: BY_SEQ, read: logged_in },
        Kind { name: "room_logout", session: BY_SEQ, read: logged_out },
        Kind { name: "stream_create", session: BY_ID, read: stream_created },
        Kind { name: "stream_close", session: BY_ID, read: stream_closed },
    ]
};

/// The event that the payload tells of. What is wrong with fields that it does not read is nobody's
/// business.
pub(super) fn event(mut payload: Payload<'_>) -> Result<Event, Problem> {
    let name = payload.take(Field::Event);
    if name.is_blank() {
        return Err(Problem::NoEvent);
    }
    let Some(text) = name.as_text() else {
        return Err(Problem::OddEvent { found: name.to_string() });
    };
    match KINDS.iter().find(|kind| kind.name == text) {
        Some(kind) => {
            Body { event: kind.name, payload: &mut payload }.callback(kind).map(Event::Callback)
        }
        None => Ok(Event::Other(Text::from(text))),
    }
}

fn room_created(body: &mut Body<'_, '_>) -> Result<CallbackEvent, Problem> {
    let is_known = !body.payload.field(Field::IdName).is_blank();
    let creator_id = if is_known { Some(body.id(Field::IdName)?) } else { None };
    Ok(RoomCreated { created_at: body.time(Field::RoomCreateTime)?, creator_id }.into())
}

fn room_closed(body: &mut Body<'_, '_>) -> Result<CallbackEvent, Problem> {
    Ok(RoomClosed {
        closed_at: body.time(Field::RoomCloseTime)?,
        reason: body.reason(Field::CloseReason, room_close_reason),
    }
    .into())
}

fn logged_in(body: &mut Body<'_, '_>) -> Result<CallbackEvent, Problem> {
    Ok(UserLoggedIn {
        user_id: body.id(Field::UserAccount)?,
        user_session_id: body.session(Field::SessionId)?,
        login_at: body.time(Field::LoginTime)?,
        counter: body.number(Field::UserUpdateSeq)?.unwrap_or(0),
        user_name: body.text(Field::UserNickname),
        role: role(body.payload.take(Field::UserRole)),
        room_name: body.text(Field::RoomName),
    }
    .into())
}

fn logged_out(body: &mut Body<'_, '_>) -> Result<CallbackEvent, Problem> {
    Ok(UserLoggedOut {
        user_id: body.id(Field::UserAccount)?,
        user_session_id: body.session(Field::SessionId)?,
        login_at: body.optional_time(Field::LoginTime)?,
        logout_at: body.time(Field::LogoutTime)?,
        counter: body.number(Field::UserUpdateSeq)?.unwrap_or(0),
        reason: body.reason(Field::Reason, logout_reason),
    }
    .into())
}

fn stream_created(body: &mut Body<'_, '_>) -> Result<CallbackEvent, Problem> {
    Ok(StreamCreated {
        stream_id: body.id(body.first_of([Field::StreamId, Field::StreamAlias]))?,
        stream_session_id: body.id(Field::StreamSid)?,
        created_at: body.time(Field::CreateTimeMs)?,
        counter: body.number(Field::StreamSeq)?,
        details: StreamDetails {
            publisher_id: Some(body.id(Field::UserId)?),
            publisher_name: body.text(Field::UserName),
            title: body.text(Field::Title),
            extra_info: body.text(Field::ExtraInfo),
            playback: body.payload.take_playback(),
        },
    }
    .into())
}

fn stream_closed(body: &mut Body<'_, '_>) -> Result<CallbackEvent, Problem> {
    Ok(StreamClosed {
        stream_id: body.id(body.first_of([Field::StreamId, Field::StreamAlias]))?,
        stream_session_id: body.id(Field::StreamSid)?,
        created_at: body.optional_time(Field::CreateTimeMs)?,
        closed_at: body.time(Field::DestroyTimemillis)?,
        counter: body.number(Field::StreamSeq)?,
        reason: body.reason(Field::Type, stream_close_reason),
    }
    .into())
}

/// The body of one event, which is named where a field is wrong.
struct Body<'a, 'de> {
    event: &'static str,
    payload: &'a mut Payload<'de>,
}

impl Body<'_, '_> {
    /// The room and its session first, then what the event tells of them.
    fn callback(mut self, kind: &Kind) -> Result<Callback, Problem> {
        let room_id = self.id(Field::RoomId)?;
        let session_id: SessionId = self.session(self.first_of(kind.session))?;
        Ok(Callback { room_id, session_id, event: (kind.read)(&mut self)? })
    }

    /// Of two fields that tell the same, the first, unless only the other is there.
    fn first_of(&self, [first, second]: [Field; 2]) -> Field {
        let is_blank = |field| self.payload.field(field).is_blank();
        if is_blank(first) && !is_blank(second) { second } else { first }
    }

    fn id<T: FromStr<Err = IdError>>(&mut self, field: Field) -> Result<T, Problem> {
        self.place(field).id(self.payload.take(field))
    }

    fn session<T: FromStr<Err = IdError>>(&mut self, field: Field) -> Result<T, Problem> {
        self.place(field).session(self.payload.take(field))
    }

    fn number(&self, field: Field) -> Result<Option<u64>, Problem> {
        self.place(field).number(self.payload.field(field))
    }

    fn optional_time(&self, field: Field) -> Result<Option<Timestamp>, Problem> {
        self.place(field).time(self.payload.field(field))
    }

    fn time(&self, field: Field) -> Result<Timestamp, Problem> {
        self.optional_time(field)?.ok_or_else(|| self.place(field).missing())
    }

    fn reason<T>(&self, field: Field, name: fn(i64) -> T) -> Option<T> {
        self.payload.field(field).signed().map(name)
    }

    fn text(&mut self, field: Field) -> Option<Text> {
        self.payload.take(field).into_text()
    }

    fn place(&self, field: Field) -> Place {
        Place { body: self.event, field: field.name() }
    }
}
