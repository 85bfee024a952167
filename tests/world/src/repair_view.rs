//! Reads the library's state in the words of the model of repair.

use std::collections::BTreeMap;

use room_registry::{Room, RoomRef, SessionId, StreamRef, Timestamp, UserRef};
use serde_json::Value;

use super::log_model::Listing;
use super::repair_model::{
    Entry, Listed, Observed, PresentStream, PresentUser, SeenStream, SeenUser, VisibleSession,
};
use super::view::{list, login_of, opening_of, parsed, text};

/// Answers what readers see of a room's session.
pub fn visible_session_of(room: Option<RoomRef<'_>>) -> Option<VisibleSession> {
    let room = room?;
    let session = room.session()?;
    Some(VisibleSession {
        session_id: session.session_id.clone(),
        inferred: session.inferred,
        opened_at: session.opened_at.map(Timestamp::as_millis),
        creator_id: session.creator_id.clone(),
        room_name: session.room_name.as_ref().map(ToString::to_string),
        users: room
            .users()
            .filter_map(|user| Some((user.id().clone(), seen_user(user)?)))
            .collect(),
        streams: room.streams().map(|stream| (stream.id().clone(), seen_stream(stream))).collect(),
    })
}

/// Answers what readers see of a room, and since when it is in the list.
pub fn listing_of(room: Option<RoomRef<'_>>) -> Option<Listing> {
    let view = room?;
    Some(Listing {
        created_at: view.info().map(|info| info.created_at.as_millis()),
        began_at: view.began_at().map(Timestamp::as_millis),
        visible: visible_session_of(room),
    })
}

/// Answers what readers see of a user; `None` for one who is only a member.
fn seen_user(user: UserRef<'_>) -> Option<SeenUser> {
    let Some(login) = login_of(user) else {
        let present = user.presence()?;
        let name = present.user_name.as_ref().map(ToString::to_string);
        let role = present.role.as_ref().map(ToString::to_string);
        return Some(SeenUser::Present((name, role, present.login_at.map(Timestamp::as_millis))));
    };
    assert_eq!(user.presence(), None, "a login that counts is shown alone");
    Some(SeenUser::LoggedIn(login))
}

fn seen_stream(stream: StreamRef<'_>) -> SeenStream {
    opening_of(stream).map_or_else(
        || {
            let created_at = stream.created_at().map(Timestamp::as_millis);
            SeenStream::Present((created_at, stream.details().clone()))
        },
        SeenStream::Published,
    )
}

/// Reads every register of repair that is of no session out of a room's stored form.
pub fn observed_of(room: &Room) -> Observed {
    let json = serde_json::to_value(room).expect("a room serialises");
    let observed = &json["live"]["observed"];
    Observed {
        not_open: observed["not_open_at"].as_u64(),
        open: observed["open_at"]["at"].as_u64(),
        users: listed_of(&observed["users"], present_user),
        streams: listed_of(&observed["streams"], present_stream),
    }
}

fn listed_of<Id, What>(roll: &Value, what: impl Fn(&Value) -> What) -> Listed<Id, What>
where
    Id: Ord + std::str::FromStr<Err = room_registry::IdError>,
{
    let entries = roll["entries"].as_object().expect("a map").iter().map(|(id, entry)| {
        let present: BTreeMap<Option<SessionId>, _> = list(&entry["present"])
            .map(|present| {
                let at = present["seen"]["at"].as_u64().expect("a time");
                (parsed(&present["session_id"]), (at, what(&present["details"])))
            })
            .collect();
        let id = id.parse().expect("a stored id is one");
        (id, Entry { absent: entry["absent_at"].as_u64(), present })
    });
    Listed { whole: roll["listed_at"].as_u64(), entries: entries.collect() }
}

fn present_user(told: &Value) -> PresentUser {
    (text(&told["user_name"]), text(&told["role"]), told["login_at"].as_u64())
}

fn present_stream(told: &Value) -> PresentStream {
    let details = serde_json::from_value(told["details"].clone()).expect("details");
    (told["created_at"].as_u64(), details)
}
