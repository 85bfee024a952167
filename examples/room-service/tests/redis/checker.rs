//! Reads everything that is in Redis, and holds it against the bodies of the rooms: all else is
//! counted anew from them.

use std::collections::{BTreeMap, BTreeSet};

use redis::Commands;
use room_registry::page::RoomOrder;
use room_registry::{Config, Room, RoomRef};
use room_service::rows;

use crate::PREFIX;
use crate::redis_server::RedisServer;

fn named(name: &str) -> String {
    format!("{PREFIX}{name}")
}

pub(crate) fn connection(server: &RedisServer) -> redis::Connection {
    redis::Client::open(server.url()).unwrap().get_connection().unwrap()
}

/// The version of a room, which every save changes.
pub(crate) fn version(server: &RedisServer, room: &str) -> String {
    connection(server).hget(named(&format!("room:{room}")), "version").unwrap()
}

/// Lists, heartbeats, what is due, totals and the rest are those of the bodies, at a moment at which
/// nothing is under way.
#[track_caller]
pub(crate) fn check(server: &RedisServer, config: &Config) {
    let mut redis = connection(server);
    let keys: Vec<String> = redis.scan_match(named("*")).unwrap().map(Result::unwrap).collect();
    let beginning = named("room:");
    let mut by_time = BTreeSet::new();
    let mut by_users = BTreeSet::new();
    let (mut by_id, mut held) = (BTreeSet::new(), BTreeSet::new());
    let mut due = BTreeMap::new();
    let mut hosts: BTreeMap<String, u64> = BTreeMap::new();
    let mut beats = BTreeSet::new();
    let (mut users, mut streams) = (0, 0);
    for key in keys.iter().filter(|key| key.starts_with(&beginning)) {
        let room_id = key[beginning.len()..].to_owned();
        let fields: BTreeMap<String, String> = redis.hgetall(key).unwrap();
        let room: Room = serde_json::from_str(&fields["body"]).unwrap();
        assert_eq!(room.id(), room_id.as_str());
        assert!(!room.is_forgotten(), "{room_id} should be gone");
        let standing = serde_json::to_string(&room.repair_status(config)).unwrap();
        assert_eq!(fields["standing"], standing, "{room_id}");
        if let Some(at) = room.next_expiry(config) {
            due.insert(room_id.clone(), at.as_millis());
        }
        held.insert(room_id.clone());
        let beats_key = named(&format!("beats:{room_id}"));
        let stored: BTreeMap<String, u64> = redis.zrange_withscores(&beats_key, 0, -1).unwrap();
        let Some(view) = room.view() else {
            assert!(stored.is_empty() && !fields.contains_key("summary"), "{room_id}");
            continue;
        };
        let summary: rows::Room = serde_json::from_str(&fields["summary"]).unwrap();
        assert_eq!(summary, rows::Room::from(view));
        let members = view.users().filter_map(|user| Some((user.id(), user.heartbeat_at()?)));
        let members: BTreeMap<_, _> = members.map(|(id, at)| (id.to_string(), at)).collect();
        assert!(stored.keys().eq(members.keys()), "{room_id}: {stored:?} of {members:?}");
        for (user_id, at) in &members {
            assert!(stored[user_id] >= at.as_millis(), "{user_id} lost a heartbeat");
        }
        if !stored.is_empty() {
            beats.insert(beats_key);
        }
        let began_at = view.cursor(RoomOrder::Newest).key();
        by_time.insert(format!("{began_at:016x}{room_id}"));
        by_users.insert(format!("{:016x}{room_id}", u64::MAX - view.user_count() as u64));
        by_id.insert(room_id);
        users += view.user_count() as u64;
        streams += view.stream_count() as u64;
        if let Some(info) = RoomRef::info(view) {
            *hosts.entry(info.host_id.to_string()).or_default() += 1;
        }
    }
    let mut members =
        |name: &str| -> BTreeSet<String> { redis.zrange(named(name), 0, -1).unwrap() };
    assert_eq!(members("by-time"), by_time);
    assert_eq!(members("by-users"), by_users);
    assert_eq!(members("by-id"), by_id);
    assert_eq!(members("held"), held);
    let stored: BTreeMap<String, u64> = redis.zrange_withscores(named("due"), 0, -1).unwrap();
    assert_eq!(stored, due);
    let stored: BTreeMap<String, u64> = redis.hgetall(named("hosts")).unwrap();
    assert_eq!(stored, hosts);
    let stored: BTreeMap<String, u64> = redis.hgetall(named("totals")).unwrap();
    let total = |name: &str| stored.get(name).copied().unwrap_or(0);
    assert_eq!((total("users"), total("streams")), (users, streams));
    let beginning = named("beats:");
    let stored: BTreeSet<_> = keys.into_iter().filter(|key| key.starts_with(&beginning)).collect();
    assert_eq!(stored, beats, "heartbeats of rooms that are not there");
}
