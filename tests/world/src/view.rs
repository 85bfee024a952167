//! Reads the library's state in the words of the model.

use std::collections::BTreeMap;

use room_registry::{Callback, Config, Room, RoomRef, SessionId, StreamRef, UserRef};
use serde_json::Value;

use super::model::{Seen, Shown, Stored, StoredSession, StoredStays, Visible};

/// Answers what readers see of a room's session.
pub fn visible_of(room: Option<RoomRef<'_>>) -> Option<Visible> {
    let room = room?;
    let session = room.session()?;
    Some(Visible {
        session_id: session.session_id.clone(),
        inferred: session.inferred,
        opened_at: session.opened_at.map(room_registry::Timestamp::as_millis),
        creator_id: session.creator_id.clone(),
        room_name: session.room_name.as_ref().map(ToString::to_string),
        users: room.users().filter_map(|user| Some((user.id().clone(), login_of(user)?))).collect(),
        streams: room
            .streams()
            .filter_map(|stream| Some((stream.id().clone(), opening_of(stream)?)))
            .collect(),
    })
}

/// Answers what readers see of a user's login.
pub(super) fn login_of(user: UserRef<'_>) -> Option<Seen> {
    let login = user.login()?;
    let name = login.user_name.as_ref().map(ToString::to_string);
    let role = login.role.as_ref().map(ToString::to_string);
    Some(Seen {
        stay: login.user_session_id.map(|stay| stay.to_string()),
        at: login.login_at.as_millis(),
        rank: login.counter,
        shown: Shown::User(name, role),
    })
}

/// Answers what readers see of a stream that callbacks told of.
pub(super) fn opening_of(stream: StreamRef<'_>) -> Option<Seen> {
    Some(Seen {
        stay: stream.stream_session_id().map(ToString::to_string),
        at: stream.created_at()?.as_millis(),
        rank: stream.counter()?,
        shown: Shown::Stream(stream.details().clone()),
    })
}

/// Answers what readers see of a room that got a history, but for one callback of it.
pub fn visible_in(history: &[Callback], left_out: Option<usize>) -> Option<Visible> {
    let config = Config::builder().retention(None).build().expect("it makes sense");
    let mut room = Room::new(history[0].room_id.clone(), &config);
    for (index, callback) in history.iter().enumerate() {
        if Some(index) != left_out {
            room.apply(callback, &config, callback.latest_time()).expect("the same room");
        }
    }
    visible_of(room.view())
}

/// Reads every register of a room out of its stored form.
pub fn stored_of(room: &Room) -> Stored {
    let json = serde_json::to_value(room).expect("a room serialises");
    let live = &json["live"];
    let clock_skew = json["settings"]["clock_skew_ms"].as_u64().expect("a span");
    let sessions = list(&live["sessions"]).map(|session| {
        let stored = StoredSession {
            create: session["create"].as_object().map(|create| {
                (create["created_at"].as_u64().expect("a time"), parsed(&create["creator_id"]))
            }),
            closed_at: session["closed_at"].as_u64(),
            seen_at: session["seen_at"].as_u64(),
            exit_at: session["exit_at"].as_u64(),
            alive_at: session["alive_at"].as_u64(),
            name: session["name"].as_object().map(|name| {
                (name["at"].as_u64().expect("a time"), text(&name["name"]).expect("a name"))
            }),
            users: stays_in(&session["users"], clock_skew),
            streams: stays_in(&session["streams"], clock_skew),
        };
        (parsed::<SessionId>(&session["session_id"]), stored)
    });
    Stored { latest_create: live["latest_create"].as_u64(), sessions: sessions.collect() }
}

fn stays_in<Id>(table: &Value, clock_skew: u64) -> BTreeMap<Id, StoredStays>
where
    Id: Ord + std::str::FromStr<Err = room_registry::IdError>,
{
    let stays = list(table).map(|stays| {
        let id = parsed(&stays["id"]).expect("an id");
        (id, stays_of(stays, clock_skew))
    });
    stays.collect()
}

fn stays_of(stays: &Value, clock_skew: u64) -> StoredStays {
    let mut stored =
        StoredStays { key_at: stays["latest_opening_at"].as_u64(), ..StoredStays::default() };
    for fact in list(&stays["facts"]) {
        let stay = text(&fact["stay_id"]);
        let rank = fact["rank"].as_u64().expect("a number");
        let at = fact["at"].as_u64().expect("a time");
        let shown = fact["state"].get("open").map(|shown| {
            if shown.get("playback").is_some() {
                Shown::Stream(serde_json::from_value(shown.clone()).expect("details"))
            } else {
                Shown::User(text(&shown["user_name"]), text(&shown["role"]))
            }
        });
        if let Some(exclusive) = fact["form"]["named"]["exclusive"].as_bool() {
            let opening = (at, rank, shown.expect("an opening"));
            stored.openings.insert((exclusive, stay.expect("an id")), opening);
        } else {
            stored.ordered.insert((rank, shown.is_none(), stay), (at, shown));
        }
    }
    for closing in list(&stays["closings"]) {
        let at = closing["at"].as_u64().expect("a time");
        let lacks_opening = closing["closing"]["lacks_opening_time"].as_bool().expect("a truth");
        let counts = if lacks_opening { at + clock_skew } else { at };
        let exclusive = closing["exclusive"].as_bool().expect("a truth");
        let name = (exclusive, text(&closing["stay_id"]).expect("an id"));
        stored.closings.insert(name, (counts, at));
    }
    stored
}

pub(super) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().expect("a list").iter()
}

pub(super) fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

pub(super) fn parsed<T: std::str::FromStr<Err = room_registry::IdError>>(
    value: &Value,
) -> Option<T> {
    value.as_str().map(|id| id.parse().expect("a stored id is one"))
}
