//! What a store shows: whole lists, walked through page by page, and the feed.

use std::collections::BTreeMap;

use room_registry::page::RoomOrder;
use room_registry::{Change, Mirror};
use room_service::feed::{Event, Listening};
use room_service::rows::{Room, RoomStream, RoomUser};
use room_service::store::{Page, RoomsWanted, Store};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{PATIENCE, World};

pub fn wanted(order: RoomOrder, limit: usize, cursor: Option<String>) -> RoomsWanted {
    RoomsWanted { order, page: Page { limit, cursor } }
}

/// The whole room list, in pages of so many.
pub async fn all_rooms(store: &dyn Store, order: RoomOrder, limit: usize) -> Vec<Room> {
    let (mut rooms, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.rooms(&wanted(order, limit, cursor)).await.unwrap();
        assert!(page.rooms.len() <= limit);
        rooms.extend(page.rooms);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return rooms;
        }
    }
}

pub async fn room_ids(store: &dyn Store, order: RoomOrder, limit: usize) -> Vec<String> {
    let rooms = all_rooms(store, order, limit).await;
    rooms.into_iter().map(|room| room.room_id.to_string()).collect()
}

/// All users of a room, in pages of so many; none if the room is not listed.
pub async fn all_users(store: &dyn Store, room: &str, limit: usize) -> Option<Vec<RoomUser>> {
    let (mut users, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.users(room, &Page { limit, cursor }).await.unwrap()?;
        assert!(page.users.len() <= limit);
        users.extend(page.users);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Some(users);
        }
    }
}

pub async fn user_ids(store: &dyn Store, room: &str) -> Vec<String> {
    let users = all_users(store, room, 100).await.unwrap_or_default();
    users.into_iter().map(|user| user.user_id.to_string()).collect()
}

/// All streams of a room, in pages of so many; none if the room is not listed.
pub async fn all_streams(store: &dyn Store, room: &str, limit: usize) -> Option<Vec<RoomStream>> {
    let (mut streams, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.streams(room, &Page { limit, cursor }).await.unwrap()?;
        assert!(page.streams.len() <= limit);
        streams.extend(page.streams);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Some(streams);
        }
    }
}

pub async fn stream_ids(store: &dyn Store, room: &str) -> Vec<String> {
    let streams = all_streams(store, room, 100).await.unwrap_or_default();
    streams.into_iter().map(|stream| stream.stream_id.to_string()).collect()
}

/// Everything that a store shows, but the heartbeats: equal for equal stores.
pub async fn shown(store: &dyn Store) -> BTreeMap<String, Value> {
    let mut shown = BTreeMap::new();
    for room in all_rooms(store, RoomOrder::Id, 100).await {
        let id = room.room_id.as_str();
        let users = all_users(store, id, 100).await.unwrap();
        let streams = all_streams(store, id, 100).await.unwrap();
        assert_eq!((room.user_count, room.stream_count), (users.len(), streams.len()));
        let users: BTreeMap<_, _> = users
            .iter()
            .map(|user| {
                (
                    user.user_id.clone(),
                    json!({
                        "name": user.user_name, "joined": user.joined, "logged_in": user.logged_in,
                        "role": user.role, "attributes": user.attributes, "since": user.join_time,
                    }),
                )
            })
            .collect();
        let streams: BTreeMap<_, _> = streams
            .iter()
            .map(|stream| {
                (
                    stream.stream_id.clone(),
                    json!({
                        "life": stream.stream_session_id, "created_at": stream.created_at,
                        "attributes": stream.attributes,
                    }),
                )
            })
            .collect();
        let session = room.session.as_ref();
        shown.insert(id.to_owned(), json!({
            "attributes": room.attributes,
            "session": session.map(|session| (&session.session_id, session.opened_at, session.inferred)),
            "suspicions": room.suspicions, "users": users, "streams": streams,
        }));
    }
    shown
}

/// The same of a mirror.
pub fn mirrored(mirror: &Mirror) -> BTreeMap<String, Value> {
    let rooms = mirror.rooms().iter().map(|(id, room)| {
        let users: BTreeMap<_, _> = room.users.iter().map(|(id, user)| {
            let membership = user.membership.as_ref();
            let login = user.login.as_ref().map(|login| login.login_at);
            let presence = user.presence.as_ref().and_then(|presence| presence.login_at);
            let attributes = membership.map(|membership| membership.attributes.clone());
            (id.clone(), json!({
                "name": user.name().cloned().unwrap_or_default(), "role": user.role(),
                "joined": membership.is_some(),
                "logged_in": user.login.is_some() || user.presence.is_some(),
                "attributes": attributes.unwrap_or_default(),
                "since": membership.map(|membership| membership.joined_at).or(login).or(presence),
            }))
        }).collect();
        let streams: BTreeMap<_, _> = room.streams.iter().map(|(id, stream)| (id.clone(), json!({
            "life": stream.stream_session_id, "created_at": stream.created_at,
            "attributes": stream.attributes,
        }))).collect();
        let attributes = room.info.as_ref().map(|info| info.attributes.clone());
        let session = room.session.as_ref();
        (id.to_string(), json!({
            "attributes": attributes.unwrap_or_default(),
            "session": session.map(|session| (&session.session_id, session.opened_at, session.inferred)),
            "suspicions": room.suspicions, "users": users, "streams": streams,
        }))
    });
    rooms.collect()
}

/// Reads the feed, and mirrors what it tells.
pub struct Listener {
    listening: Listening,
    pub mirror: Mirror,
    /// The ids of all events, in their order.
    pub ids: Vec<String>,
}

impl Listener {
    /// Listens from after an event on, which nothing may be missed of.
    pub fn after(world: &World, after: Option<&str>) -> Self {
        let mut listening = world.store.feed().listen(after);
        assert!(!listening.missed);
        let past = std::mem::take(&mut listening.past);
        let mut listener = Self { listening, mirror: Mirror::default(), ids: Vec::new() };
        for event in past {
            listener.hear(&event);
        }
        listener
    }

    /// Waits until the mirror shows what the store shows.
    pub async fn catch_up(&mut self, world: &World) {
        let expected = shown(&*world.store).await;
        while mirrored(&self.mirror) != expected {
            let Ok(event) = timeout(PATIENCE, self.listening.coming.recv()).await else {
                panic!("the feed led to {:#?}\nand not to {expected:#?}", mirrored(&self.mirror));
            };
            self.hear(&event.expect("a test is not that slow"));
        }
    }

    /// Waits until it heard this event.
    pub async fn hear_until(&mut self, id: &str) {
        while self.ids.last().is_none_or(|last| last != id) {
            let event = timeout(PATIENCE, self.listening.coming.recv()).await;
            self.hear(&event.expect("it comes").expect("a test is not that slow"));
        }
    }

    fn hear(&mut self, event: &Event) {
        let told: Change = serde_json::from_str(event.json()).unwrap();
        assert_eq!(&told, event.change());
        assert!(!event.json().contains('\n') && !self.ids.iter().any(|id| id == event.id()));
        self.mirror.apply(&told);
        self.ids.push(event.id().to_owned());
    }
}
