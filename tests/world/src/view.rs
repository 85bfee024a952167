//! The library's state in the words of the model.

use std::collections::BTreeMap;

use room_registry::{Callback, Config, Room, RoomRef, SessionId, StreamSessionId, UserSessionId};
use serde_json::Value;

use super::model::{Stored, StoredSession, StoredUser, Visible};

/// What readers see of a room's session.
pub fn visible_of(room: Option<RoomRef<'_>>) -> Option<Visible> {
    let room = room?;
    let session = room.session()?;
    Some(Visible {
        session_id: session.session_id.clone().expect("callbacks name their session"),
        inferred: session.inferred,
        opened_at: session.opened_at.map(room_registry::Timestamp::as_millis),
        creator_id: session.creator_id.clone(),
        room_name: session.room_name.as_ref().map(ToString::to_string),
        users: room
            .users()
            .filter_map(|user| {
                let login = user.login()?;
                let name = login.user_name.as_ref().map(ToString::to_string);
                let role = login.role.as_ref().map(ToString::to_string);
                let held = (login.login_at.as_millis(), login.counter, name, role);
                Some((user.id().clone(), (login.user_session_id.clone(), held)))
            })
            .collect(),
        streams: room
            .streams()
            .filter_map(|stream| {
                let stream_session = stream.stream_session_id()?.clone();
                let created_at = stream.created_at()?.as_millis();
                let shown =
                    (created_at, stream_session, stream.counter()?, stream.details().clone());
                Some((stream.id().clone(), shown))
            })
            .collect(),
    })
}

/// What readers see of a room that got a history, but for one callback of it.
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

/// Every register of a room, read out of its stored form.
pub fn stored_of(room: &Room) -> Stored {
    let json = serde_json::to_value(room).expect("a room serialises");
    let live = &json["live"];
    let sessions = list(&live["sessions"]).map(|session| {
        let stored = StoredSession {
            create: session["create"].as_object().map(|create| {
                (create["created_at"].as_u64().expect("a time"), parsed(&create["creator_id"]))
            }),
            closed_at: session["closed_at"].as_u64(),
            seen_at: session["seen_at"].as_u64(),
            alive_at: session["alive_at"].as_u64(),
            name: session["name"].as_object().map(|name| {
                (name["at"].as_u64().expect("a time"), text(&name["name"]).expect("a name"))
            }),
            users: list(&session["users"])
                .map(|user| (parsed(&user["user_id"]).expect("an id"), user_of(user)))
                .collect(),
            streams: list(&session["streams"])
                .map(|stream| {
                    let facts = list(&stream["facts"]).map(|fact| {
                        let session: StreamSessionId =
                            parsed(&fact["stream_session_id"]).expect("an id");
                        let key = (
                            fact["counter"].as_u64().expect("a counter"),
                            fact["closed"].as_bool().expect("a truth"),
                            session,
                        );
                        let details =
                            serde_json::from_value(fact["details"].clone()).expect("details");
                        (key, (fact["at"].as_u64().expect("a time"), details))
                    });
                    (parsed(&stream["stream_id"]).expect("an id"), facts.collect())
                })
                .collect(),
        };
        (parsed::<SessionId>(&session["session_id"]).expect("an id"), stored)
    });
    Stored { latest_create: live["latest_create"].as_u64(), sessions: sessions.collect() }
}

fn user_of(user: &Value) -> StoredUser {
    let logins: BTreeMap<UserSessionId, _> = list(&user["logins"])
        .map(|login| {
            let held = (
                login["login_at"].as_u64().expect("a time"),
                login["counter"].as_u64().expect("a counter"),
                text(&login["user_name"]),
                text(&login["role"]),
            );
            (parsed(&login["user_session_id"]).expect("an id"), held)
        })
        .collect();
    let closers = list(&user["closers"])
        .map(|closer| {
            (
                parsed(&closer["user_session_id"]).expect("an id"),
                closer["at"].as_u64().expect("a time"),
            )
        })
        .collect();
    StoredUser { key_at: user["key_at"].as_u64(), logins, closers }
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
