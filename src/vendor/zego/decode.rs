//! From the fields of a body to a callback.

use serde::{Deserialize, Deserializer, de};

use crate::model::callback::{
    Callback, CallbackEvent, RoomClosed, RoomCreated, StreamClosed, StreamCreated, StreamDetails,
    UserLoggedIn, UserLoggedOut,
};
use crate::model::id::{SessionId, StreamSessionId, UserSessionId};
use crate::model::text::Text;
use crate::vendor::zego::body::{Body, Fields};
use crate::vendor::zego::code::{logout_reason, role, room_close_reason, stream_close_reason};
use crate::vendor::zego::decoder::Decoder;
use crate::vendor::zego::decoder::sealed::Read;
use crate::vendor::zego::event::Event;
use crate::vendor::zego::payload::{Field, Payload, Values};
use crate::vendor::zego::problem::{Fault, Problem};
use crate::vendor::zego::scalar::Scalar;

type CallbackBody<'a, 'de> = Body<'a, Values<'de>>;

/// One of the six events.
struct Kind {
    name: &'static str,
    /// The fields that name the session of the room. The second counts if only it is there.
    session: [Field; 2],
    read: fn(&mut CallbackBody<'_, '_>) -> Result<CallbackEvent, Problem>,
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

impl Read for Event {
    fn read<'de, D: Deserializer<'de>>(body: D, decoder: Decoder) -> Result<Self, D::Error> {
        let mut payload = Payload::empty();
        payload.fill(body)?;
        event(&mut payload, decoder).map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(body: D) -> Result<Self, D::Error> {
        Decoder::new().deserialize(body)
    }
}

/// Decodes the event. Only the fields that the event reads can be wrong.
pub(super) fn event(payload: &mut Payload<'_>, decoder: Decoder) -> Result<Event, Problem> {
    let name = std::mem::take(payload.values.value_mut(Field::Event));
    if name.is_blank() {
        return of_another_product(payload).ok_or(Problem::Event { fault: Fault::Missing });
    }
    let Some(text) = name.as_text() else {
        return Err(Problem::Event { fault: Fault::NotAText { found: name.to_string() } });
    };
    match KINDS.iter().find(|kind| kind.name == text) {
        Some(kind) if !is_of_chat(kind, payload) => {
            if decoder.ignores_user_role() {
                *payload.values.value_mut(Field::UserRole) = Scalar::Missing;
            }
            let mut callback = callback(kind, payload)?;
            if decoder.orders_users() {
                order_user(&mut callback.event);
            }
            Ok(Event::Callback(callback))
        }
        _ => Ok(Event::Other(Text::from(text))),
    }
}

/// Returns the event of a body without `event`. The AI agent names its events under another key, and
/// the cloud recording numbers them. An error would make the vendor send them again.
fn of_another_product(payload: &mut Payload<'_>) -> Option<Event> {
    let names = [Field::AgentEvent, Field::EventType].into_iter();
    let mut names = names.map(|field| std::mem::take(payload.values.value_mut(field)));
    names.find_map(Scalar::into_text).map(Event::Other)
}

/// Returns whether an event is one of the chat product. Its rooms are other rooms, without sessions,
/// and its `room_create` has the name of ours.
fn is_of_chat(kind: &Kind, payload: &Payload<'_>) -> bool {
    let is_blank = |field| payload.values.value(field).is_blank();
    kind.name == "room_create"
        && !is_blank(Field::OperatorAccount)
        && kind.session.into_iter().chain([Field::RoomCreateTime]).all(is_blank)
}

fn callback(kind: &Kind, payload: &mut Payload<'_>) -> Result<Callback, Problem> {
    let mut body = Body { name: kind.name, fields: &mut payload.values };
    // The room and its session come first, so that errors name them before what is in the room.
    let room_id = body.id(Field::RoomId)?;
    let session_id: SessionId = body.session(body.first_of(kind.session))?;
    let mut event = (kind.read)(&mut body)?;
    if let CallbackEvent::StreamCreated(created) = &mut event {
        created.details.playback = std::mem::take(&mut payload.playback);
    }
    Ok(Callback { room_id, session_id: Some(session_id), event })
}

fn room_created(body: &mut CallbackBody<'_, '_>) -> Result<CallbackEvent, Problem> {
    let creator_id = body.optional_id(Field::IdName)?;
    Ok(RoomCreated { created_at: body.time(Field::RoomCreateTime)?, creator_id }.into())
}

fn room_closed(body: &mut CallbackBody<'_, '_>) -> Result<CallbackEvent, Problem> {
    let closed_at = body.time(Field::RoomCloseTime)?;
    Ok(RoomClosed { closed_at, reason: reason(body, Field::CloseReason, room_close_reason) }.into())
}

fn logged_in(body: &mut CallbackBody<'_, '_>) -> Result<CallbackEvent, Problem> {
    let login = UserLoggedIn::new(body.id(Field::UserAccount)?, body.time(Field::LoginTime)?)
        .user_session_id(user_session(body)?)
        .counter(body.optional_number(Field::UserUpdateSeq)?)
        .user_name(body.text(Field::UserNickname))
        .role(role(body.take(Field::UserRole)))
        .room_name(body.text(Field::RoomName));
    Ok(login.into())
}

fn logged_out(body: &mut CallbackBody<'_, '_>) -> Result<CallbackEvent, Problem> {
    let logout = UserLoggedOut::new(body.id(Field::UserAccount)?, body.time(Field::LogoutTime)?)
        .user_session_id(user_session(body)?)
        .login_at(body.optional_time(Field::LoginTime)?)
        .counter(body.optional_number(Field::UserUpdateSeq)?)
        .reason(reason(body, Field::Reason, logout_reason));
    Ok(logout.into())
}

/// Lets the event time tell what is the last of a user.
fn order_user(event: &mut CallbackEvent) {
    match event {
        CallbackEvent::UserLoggedIn(login) => login.order = Some(login.login_at.as_millis()),
        CallbackEvent::UserLoggedOut(logout) => {
            let at = logout.logout_at.max(logout.login_at.unwrap_or_default());
            logout.order = Some(at.as_millis());
        }
        CallbackEvent::RoomCreated(_)
        | CallbackEvent::RoomClosed(_)
        | CallbackEvent::StreamCreated(_)
        | CallbackEvent::StreamClosed(_) => {}
    }
}

/// Reads the id of a login; 0 is none. `user_update_seq` counts the room, so it orders no user.
fn user_session(body: &CallbackBody<'_, '_>) -> Result<Option<UserSessionId>, Problem> {
    let id: UserSessionId = body.session(Field::SessionId)?;
    Ok(Some(id).filter(|id| *id != "0"))
}

/// Reads the id of one life of a stream.
fn stream_session(body: &CallbackBody<'_, '_>) -> Result<StreamSessionId, Problem> {
    body.read(Field::StreamSid, Scalar::session_as_it_came)
}

/// `stream_seq` orders the events of a stream, and counts those of the room.
fn stream_created(body: &mut CallbackBody<'_, '_>) -> Result<CallbackEvent, Problem> {
    let stream_id = body.id(body.first_of([Field::StreamId, Field::StreamAlias]))?;
    let number = body.optional_number(Field::StreamSeq)?;
    let details = StreamDetails {
        publisher_id: Some(body.id(Field::UserId)?),
        publisher_name: body.text(Field::UserName),
        title: body.text(Field::Title),
        extra_info: body.text(Field::ExtraInfo),
        ..StreamDetails::default()
    };
    let created = StreamCreated::new(stream_id, body.time(Field::CreateTimeMs)?)
        .stream_session_id(stream_session(body)?)
        .order(number)
        .counter(number)
        .details(details);
    Ok(created.into())
}

fn stream_closed(body: &mut CallbackBody<'_, '_>) -> Result<CallbackEvent, Problem> {
    let stream_id = body.id(body.first_of([Field::StreamId, Field::StreamAlias]))?;
    let number = body.optional_number(Field::StreamSeq)?;
    let closed = StreamClosed::new(stream_id, body.time(Field::DestroyTimemillis)?)
        .stream_session_id(stream_session(body)?)
        .created_at(body.optional_time(Field::CreateTimeMs)?)
        .order(number)
        .counter(number)
        .reason(reason(body, Field::Type, stream_close_reason));
    Ok(closed.into())
}

/// Reads a reason. One that is no number is none, because it decides nothing.
fn reason<T>(body: &CallbackBody<'_, '_>, field: Field, named: fn(i64) -> T) -> Option<T> {
    body.fields.value(field).signed().map(named)
}
