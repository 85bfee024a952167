//! How every store behaves. `store_suite!` runs all of them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use room_registry::journal::Command;
use room_registry::page::RoomOrder;
use room_registry::repair::ObservedUser;
use room_registry::{Error, Heartbeat, NewRoom, Observation, Outcome};
use room_service::store::{Page, StoreError};
use tokio::task::JoinSet;

use super::World;
use super::inputs::{
    at, callback, closed, create, end, heartbeat, heartbeat_with, join, leave, login, logout,
    opened, remove, room_id, stream_closed, stream_opened, user_id,
};
use super::reading::{
    Listener, all_rooms, all_streams, all_users, room_ids, shown, stream_ids, user_ids, wanted,
};

const ORDERS: [RoomOrder; 4] =
    [RoomOrder::Newest, RoomOrder::Oldest, RoomOrder::MostUsers, RoomOrder::Id];

pub async fn what_is_created_is_listed(world: World) {
    assert_eq!(world.store.room("r1").await.unwrap(), None);
    let room = NewRoom::new("r1", "tom").name("Tom's show").attribute("mode", "talk");
    world.done(Command::CreateRoom(room)).await;

    let room = world.store.room("r1").await.unwrap().unwrap();
    assert_eq!((room.room_id.as_str(), room.host_id.as_str()), ("r1", "tom"));
    assert_eq!(room.room_name, "Tom's show");
    assert_eq!(room.attributes.get("mode"), Some("talk"));
    assert_eq!((room.user_count, room.stream_count), (0, 0));
    assert_eq!(room.began_at, Some(at(0)));
    assert_eq!(all_rooms(&*world.store, RoomOrder::Newest, 10).await, [room]);
    assert_eq!(all_users(&*world.store, "r1", 10).await, Some(Vec::new()));
    assert_eq!(all_streams(&*world.store, "r1", 10).await, Some(Vec::new()));
}

pub async fn what_is_refused_changes_nothing(world: World) {
    world.done(create("r1")).await;
    world.done(join("r1", "ann")).await;
    let before = shown(&*world.store).await;

    let (r1, none) = (|| "r1".to_owned(), || "none".to_owned());
    assert_eq!(world.refused(create("r1")).await, Error::RoomAlreadyExists { room_id: r1() });
    assert_eq!(world.refused(end("none")).await, Error::RoomNotFound { room_id: none() });
    assert_eq!(world.refused(join("none", "ann")).await, Error::RoomNotFound { room_id: none() });
    assert_eq!(world.refused(leave("none", "ann")).await, Error::RoomNotFound { room_id: none() });
    let beat = world.refused(heartbeat("none", "ann")).await;
    assert_eq!(beat, Error::RoomNotFound { room_id: none() });
    let joined = Error::UserAlreadyJoined { room_id: r1(), user_id: "ann".to_owned() };
    assert_eq!(world.refused(join("r1", "ann")).await, joined);
    let absent = Error::UserNotInRoom { room_id: r1(), user_id: "bob".to_owned() };
    assert_eq!(world.refused(leave("r1", "bob")).await, absent);
    assert_eq!(world.refused(heartbeat("r1", "bob")).await, absent);

    assert_eq!(shown(&*world.store).await, before);
}

pub async fn users_join_beat_and_leave(world: World) {
    world.done(create("r1")).await;
    world.done(join("r1", "ann")).await;
    world.passes(Duration::from_secs(1));
    world.done(join("r1", "bob")).await;
    world.passes(Duration::from_secs(1));
    assert_eq!(world.beat(heartbeat("r1", "ann")).await, Heartbeat::Alive);

    let users = all_users(&*world.store, "r1", 10).await.unwrap();
    let told = |user: &room_service::rows::RoomUser| {
        let name = user.user_name.to_string();
        (user.user_id.to_string(), name, user.join_time, user.heartbeat_time, user.joined)
    };
    let users: Vec<_> = users.iter().map(told).collect();
    let expected = [
        ("ann".to_owned(), "ANN".to_owned(), Some(at(0)), Some(at(2)), true),
        ("bob".to_owned(), "BOB".to_owned(), Some(at(1)), Some(at(1)), true),
    ];
    assert_eq!(users, expected);

    world.done(leave("r1", "ann")).await;
    assert_eq!(user_ids(&*world.store, "r1").await, ["bob"]);
    world.done(join("r1", "ann")).await;
    assert_eq!(user_ids(&*world.store, "r1").await, ["bob", "ann"]);
}

pub async fn a_heartbeat_may_carry_an_update(world: World) {
    world.done(create("r1")).await;
    world.done(join("r1", "ann")).await;
    let beat = heartbeat_with("r1", "ann", [("points", "12")]);
    assert_eq!(world.beat(beat).await, Heartbeat::Alive);
    let users = all_users(&*world.store, "r1", 10).await.unwrap();
    assert_eq!(users[0].attributes.get("points"), Some("12"));
    assert_eq!(users[0].user_name, "ANN");

    // Somebody who is only logged in becomes a member by a heartbeat.
    world.outcome(callback("r1", "1", opened(0))).await;
    world.outcome(callback("r1", "1", login("cleo", 1, 0))).await;
    let cleo = async || {
        let users = all_users(&*world.store, "r1", 10).await.unwrap();
        users.into_iter().find(|user| user.user_id == "cleo").unwrap()
    };
    let before = cleo().await;
    assert_eq!((before.joined, before.logged_in, before.heartbeat_time), (false, true, None));
    assert_eq!(world.beat(heartbeat("r1", "cleo")).await, Heartbeat::Alive);
    let after = cleo().await;
    assert_eq!((after.joined, after.logged_in, after.heartbeat_time), (true, true, Some(at(0))));
}

pub async fn an_ended_room_is_gone_with_everybody(world: World) {
    for room in ["r1", "r2"] {
        world.done(create(room)).await;
        world.done(join(room, "ann")).await;
    }
    world.outcome(callback("r1", "1", opened(0))).await;
    world.done(end("r1")).await;
    assert_eq!(world.store.room("r1").await.unwrap(), None);
    assert_eq!(all_users(&*world.store, "r1", 10).await, None);
    assert_eq!(all_streams(&*world.store, "r1", 10).await, None);
    assert_eq!(room_ids(&*world.store, RoomOrder::Id, 10).await, ["r2"]);
    // A late callback of the session does not bring it back, a new session does.
    world.outcome(callback("r1", "1", login("bob", 1, 0))).await;
    assert_eq!(world.store.room("r1").await.unwrap(), None);
    world.passes(Duration::from_secs(20));
    assert_eq!(world.outcome(callback("r1", "2", opened(20))).await, Outcome::Applied);
    assert_eq!(room_ids(&*world.store, RoomOrder::Id, 10).await, ["r1", "r2"]);
    assert!(user_ids(&*world.store, "r1").await.is_empty());
}

pub async fn callbacks_in_any_order_come_to_the_same(world: World) {
    world.passes(Duration::from_secs(30));
    let events = |room: &str| {
        [
            callback(room, "1", opened(1)),
            callback(room, "1", login("ann", 1, 2)),
            callback(room, "1", login("bob", 2, 3)),
            callback(room, "1", stream_opened("camera", 1, 4)),
            callback(room, "1", stream_opened("screen", 2, 5)),
            callback(room, "1", stream_closed("screen", 3, 6)),
            callback(room, "1", logout("bob", 3, 3, 7)),
        ]
    };
    let orders: [[usize; 7]; 4] = [
        [0, 1, 2, 3, 4, 5, 6],
        [6, 5, 4, 3, 2, 1, 0],
        [5, 2, 6, 0, 3, 1, 4],
        [3, 6, 1, 5, 0, 4, 2],
    ];
    for (number, order) in orders.into_iter().enumerate() {
        let room = format!("r{number}");
        let events = events(&room);
        for place in order {
            world.outcome(events[place].clone()).await;
            let repeated = world.outcome(events[place].clone()).await;
            assert!(matches!(repeated, Outcome::Duplicate | Outcome::Stale), "{repeated:?}");
        }
    }
    let shown = shown(&*world.store).await;
    assert_eq!(shown.len(), orders.len());
    for room in shown.values() {
        assert_eq!(room, &shown["r0"]);
    }
    assert_eq!(user_ids(&*world.store, "r3").await, ["ann"]);
    assert_eq!(stream_ids(&*world.store, "r3").await, ["camera"]);
}

pub async fn a_late_opening_brings_nothing_back(world: World) {
    world.passes(Duration::from_secs(30));
    assert_eq!(world.outcome(callback("r1", "1", closed(9))).await, Outcome::Held);
    world.outcome(callback("r1", "1", opened(1))).await;
    world.outcome(callback("r1", "1", login("ann", 1, 2))).await;
    assert_eq!(world.store.room("r1").await.unwrap(), None);
    assert!(all_rooms(&*world.store, RoomOrder::Newest, 10).await.is_empty());
}

pub async fn an_observation_mends_what_was_lost(world: World) {
    world.outcome(callback("r1", "1", opened(0))).await;
    world.outcome(callback("r1", "1", login("ann", 1, 0))).await;
    world.passes(Duration::from_mins(1));
    // That ann left and bob came was lost.
    let seen = Observation::new(room_id("r1"), at(60)).users([ObservedUser::new(user_id("bob"))]);
    assert_eq!(world.outcome(seen).await, Outcome::Applied);
    assert_eq!(user_ids(&*world.store, "r1").await, ["bob"]);

    let contradictory = Observation::new(room_id("r1"), at(60))
        .open(false)
        .users([ObservedUser::new(user_id("bob"))]);
    let refused = world.refused(contradictory).await;
    assert_eq!(refused, Error::ContradictoryObservation { room_id: "r1".to_owned() });

    world.passes(Duration::from_mins(1));
    let gone = Observation::new(room_id("r1"), at(120)).users([]).streams([]);
    assert_eq!(world.outcome(gone).await, Outcome::Applied);
    assert_eq!(world.store.room("r1").await.unwrap(), None);
}

/// Rooms `a` to `e`, in this order, with as many users each as the digit says.
async fn five_rooms(world: &World) {
    for (room, users) in [("a", 1), ("b", 3), ("c", 0), ("d", 3), ("e", 2)] {
        world.done(create(room)).await;
        for user in 0..users {
            world.done(join(room, &format!("u{user}"))).await;
        }
        world.passes(Duration::from_secs(1));
    }
}

pub async fn rooms_are_listed_in_every_order(world: World) {
    five_rooms(&world).await;
    for limit in [1, 2, 5, 100] {
        let ids = async |order| room_ids(&*world.store, order, limit).await.concat();
        assert_eq!(ids(RoomOrder::Newest).await, "edcba");
        assert_eq!(ids(RoomOrder::Oldest).await, "abcde");
        assert_eq!(ids(RoomOrder::MostUsers).await, "bdeac");
        assert_eq!(ids(RoomOrder::Id).await, "abcde");
    }
    world.done(leave("b", "u0")).await;
    world.done(leave("b", "u1")).await;
    world.done(end("d")).await;
    assert_eq!(room_ids(&*world.store, RoomOrder::MostUsers, 2).await.concat(), "eabc");
    assert_eq!(room_ids(&*world.store, RoomOrder::Newest, 2).await.concat(), "ecba");
}

pub async fn cursors_neither_repeat_nor_skip_while_rooms_come_and_go(world: World) {
    let stays = |number| format!("stays-{number:02}");
    let mut goes: Vec<_> = (0..10).map(|number| format!("goes-{number:02}")).collect();
    for number in 0..20 {
        world.done(create(&stays(number))).await;
        if number % 2 == 0 {
            world.done(create(&goes[number / 2])).await;
            world.done(join(&stays(number), "ann")).await;
        }
        world.passes(Duration::from_secs(1));
    }
    let mut come = 0;
    for order in ORDERS {
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page = world.store.rooms(&wanted(order, 3, cursor)).await.unwrap();
            seen.extend(page.rooms.into_iter().map(|room| room.room_id.to_string()));
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
            // While somebody reads, a room goes and one comes.
            if let Some(room) = goes.pop() {
                world.done(end(&room)).await;
            }
            come += 1;
            world.done(create(&format!("comes-{come:03}"))).await;
        }
        let stayed: Vec<_> = seen.iter().filter(|id| id.starts_with("stays")).collect();
        let once: BTreeSet<_> = stayed.iter().collect();
        assert_eq!((stayed.len(), once.len()), (20, 20), "{order}: {seen:?}");
    }
}

pub async fn users_and_streams_come_in_pages(world: World) {
    world.done(create("r1")).await;
    world.outcome(callback("r1", "1", opened(0))).await;
    world.passes(Duration::from_secs(20));
    for number in 0..7_u64 {
        world.done(join("r1", &format!("u{number}"))).await;
        let stream = stream_opened(&format!("s{number}"), number + 1, number);
        world.outcome(callback("r1", "1", stream)).await;
        world.passes(Duration::from_secs(1));
    }
    for limit in [1, 3, 7, 50] {
        let users = all_users(&*world.store, "r1", limit).await.unwrap();
        let ids: String = users.iter().map(|user| user.user_id.as_str()).collect();
        assert_eq!(ids, "u0u1u2u3u4u5u6");
        let streams = all_streams(&*world.store, "r1", limit).await.unwrap();
        let ids: String = streams.iter().map(|stream| stream.stream_id.as_str()).collect();
        assert_eq!(ids, "s0s1s2s3s4s5s6");
    }
    // A reader goes on although the user who ended the page left meanwhile.
    let first = world.store.users("r1", &Page { limit: 3, cursor: None }).await.unwrap().unwrap();
    world.done(leave("r1", "u2")).await;
    let rest = Page { limit: 10, cursor: first.next_cursor };
    let rest = world.store.users("r1", &rest).await.unwrap().unwrap();
    let ids: String = rest.users.iter().map(|user| user.user_id.as_str()).collect();
    assert_eq!(ids, "u3u4u5u6");
}

pub async fn cursors_that_are_none_are_refused(world: World) {
    five_rooms(&world).await;
    for cursor in ["", "x", "newest~", "newest~1~9~a", "\u{0}", "~~~~"] {
        let page = || Page { limit: 2, cursor: Some(cursor.to_owned()) };
        let rooms = world.store.rooms(&wanted(RoomOrder::Newest, 2, page().cursor)).await;
        assert!(matches!(rooms, Err(StoreError::Cursor(_))), "{cursor:?}: {rooms:?}");
        let users = world.store.users("b", &page()).await;
        assert!(matches!(users, Err(StoreError::Cursor(_))), "{cursor:?}: {users:?}");
        let streams = world.store.streams("b", &page()).await;
        assert!(matches!(streams, Err(StoreError::Cursor(_))), "{cursor:?}: {streams:?}");
    }
    let newest = world.store.rooms(&wanted(RoomOrder::Newest, 2, None)).await.unwrap();
    let other = world.store.rooms(&wanted(RoomOrder::MostUsers, 2, newest.next_cursor)).await;
    assert!(matches!(other, Err(StoreError::Cursor(_))), "{other:?}");
}

pub async fn a_sweep_ends_what_timed_out(world: World) {
    world.done(create("r1")).await;
    for user in ["ann", "bob"] {
        world.done(join("r1", user)).await;
    }
    world.outcome(callback("r1", "1", opened(0))).await;
    world.outcome(callback("r1", "1", login("bob", 1, 0))).await;
    world.passes(Duration::from_mins(1));
    assert_eq!(world.beat(heartbeat("r1", "ann")).await, Heartbeat::Alive);
    world.passes(Duration::from_millis(30_001));
    world.sweep().await;
    // The media server still has bob.
    let users = all_users(&*world.store, "r1", 10).await.unwrap();
    let joined: Vec<_> = users.iter().map(|user| (user.user_id.as_str(), user.joined)).collect();
    assert_eq!(joined, [("ann", true), ("bob", false)]);
    world.passes(Duration::from_mins(1));
    world.sweep().await;
    assert_eq!(user_ids(&*world.store, "r1").await, ["bob"]);
}

pub async fn a_sweep_goes_in_bounded_steps(world: World) {
    for room in ["r1", "r2", "r3"] {
        world.done(create(room)).await;
        for user in 0..200 {
            world.done(join(room, &format!("u{user}"))).await;
        }
    }
    world.passes(Duration::from_secs(91));
    world.sweep().await;
    assert_eq!(world.store.counts().await.unwrap().users, 0);
    for room in ["r1", "r2", "r3"] {
        assert_eq!(all_users(&*world.store, room, 10).await, Some(Vec::new()));
    }
    // What ended is forgotten after the retention; then nothing is due any more.
    for room in ["r1", "r2", "r3"] {
        world.done(end(room)).await;
    }
    world.passes(Duration::from_secs(601));
    world.sweep().await;
    assert_eq!(world.store.sweep().await.unwrap(), None);
}

pub async fn a_heartbeat_too_late_ends_the_membership(world: World) {
    world.done(create("r1")).await;
    world.done(join("r1", "ann")).await;
    world.passes(Duration::from_secs(90));
    assert_eq!(world.beat(heartbeat("r1", "ann")).await, Heartbeat::Alive);
    world.passes(Duration::from_millis(90_001));
    assert_eq!(world.beat(heartbeat("r1", "ann")).await, Heartbeat::TimedOut);
    assert!(user_ids(&*world.store, "r1").await.is_empty());
    assert_eq!(world.beat(heartbeat("r1", "ann")).await, Heartbeat::TimedOut);
    let absent = Error::UserNotInRoom { room_id: "r1".to_owned(), user_id: "bob".to_owned() };
    assert_eq!(world.refused(heartbeat("r1", "bob")).await, absent);
    world.done(join("r1", "ann")).await;
    world.done(remove("r1", "ann")).await;
    assert_eq!(world.beat(heartbeat("r1", "ann")).await, Heartbeat::Removed);
}

pub async fn a_question_is_asked_once(world: World) {
    assert_eq!(world.store.next_question().await.unwrap(), None);
    world.done(create("r1")).await;
    let question = world.store.next_question().await.unwrap().unwrap();
    assert_eq!((question.room_id.as_str(), question.users, question.streams), ("r1", true, true));
    assert_eq!(world.store.next_question().await.unwrap(), None);
    let answer = Observation::new(question.room_id, at(0)).users([]).streams([]);
    world.outcome(answer).await;
    world.passes(Duration::from_secs(1));
    assert_eq!(world.store.next_question().await.unwrap(), None);
}

pub async fn a_question_that_failed_is_asked_later(world: World) {
    world.done(create("r1")).await;
    assert!(world.store.next_question().await.unwrap().is_some());
    world.store.question_failed("r1").await.unwrap();
    world.passes(Duration::from_secs(9));
    assert_eq!(world.store.next_question().await.unwrap(), None);
    world.passes(Duration::from_secs(2));
    assert!(world.store.next_question().await.unwrap().is_some());
}

/// A little of everything.
async fn evening(world: &World) {
    five_rooms(world).await;
    world.outcome(callback("live", "1", opened(5))).await;
    for (number, user) in ["ann", "bob", "cleo"].into_iter().enumerate() {
        world.outcome(callback("live", "1", login(user, number as u64 + 1, 5))).await;
    }
    world.outcome(callback("live", "1", stream_opened("camera", 1, 5))).await;
    world.done(create("live")).await;
    world.done(join("live", "ann")).await;
    world.beat(heartbeat_with("live", "ann", [("seat", "2")])).await;
    world.outcome(callback("live", "1", logout("bob", 4, 5, 5))).await;
    world.outcome(callback("live", "1", stream_closed("camera", 2, 5))).await;
    world.done(leave("a", "u0")).await;
    world.done(end("b")).await;
    world.passes(Duration::from_secs(95));
    world.sweep().await;
    let seen =
        Observation::new(room_id("live"), at(100)).users([ObservedUser::new(user_id("dan"))]);
    world.outcome(seen).await;
    world.done(join("c", "ann")).await;
}

pub async fn the_feed_leads_from_empty_to_what_is_listed(world: World) {
    let mut listener = Listener::after(&world, None);
    evening(&world).await;
    listener.catch_up(&world).await;
    assert_eq!(listener.mirror.rooms().len(), 5);
    // What changes nothing is not told of: the next event is that of the next change.
    let before = listener.ids.len();
    world.refused(join("c", "ann")).await;
    world.beat(heartbeat("c", "ann")).await;
    world.done(leave("c", "ann")).await;
    listener.catch_up(&world).await;
    assert_eq!(listener.ids.len(), before + 1);
}

pub async fn the_feed_goes_on_where_a_listener_was_cut_off(world: World) {
    let mut listener = Listener::after(&world, None);
    five_rooms(&world).await;
    listener.catch_up(&world).await;
    let (middle, mirror) = (listener.ids[3].clone(), listener.ids.len());
    assert_eq!(mirror, 14);
    evening_after(&world).await;
    listener.catch_up(&world).await;

    let mut resumed = Listener::after(&world, Some(&middle));
    assert_eq!(resumed.ids, listener.ids[4..]);
    // It hears on, like everybody.
    world.done(create("later")).await;
    listener.catch_up(&world).await;
    let last = listener.ids.last().unwrap().clone();
    resumed.hear_until(&last).await;
    assert_eq!(resumed.ids, listener.ids[4..]);
}

async fn evening_after(world: &World) {
    world.done(end("a")).await;
    world.done(leave("b", "u0")).await;
}

pub async fn what_is_not_remembered_counts_as_missed(world: World) {
    world.done(create("r1")).await;
    assert!(world.store.feed().listen(Some("never")).missed);
    assert!(world.store.feed().listen(Some("")).missed);
    assert!(!world.store.feed().listen(None).missed);
}

pub async fn counts_are_of_what_is_listed(world: World) {
    five_rooms(&world).await;
    world.outcome(callback("a", "1", opened(5))).await;
    world.outcome(callback("a", "1", login("ann", 1, 5))).await;
    world.outcome(callback("a", "1", login("ann", 1, 5))).await;
    world.outcome(callback("a", "1", stream_opened("camera", 1, 5))).await;
    world.done(end("b")).await;
    let counts = world.store.counts().await.unwrap();
    assert_eq!((counts.rooms, counts.users, counts.streams), (4, 7, 1));
    assert_eq!(counts.outcomes.of(Outcome::Applied), 3);
    assert_eq!(counts.outcomes.of(Outcome::Duplicate), 1);
}

pub async fn joins_at_once_lose_nobody(world: World) {
    for room in ["r1", "r2"] {
        world.done(create(room)).await;
    }
    let world = Arc::new(world);
    let mut tasks = JoinSet::new();
    for task in 0..16 {
        let world = Arc::clone(&world);
        tasks.spawn(async move {
            for user in 0..10 {
                // Each joins in two rooms, one leaves the first, and all of that is tried twice.
                let user = format!("u{task}-{user}");
                world.done(join("r1", &user)).await;
                world.refused(join("r1", &user)).await;
                world.done(join("r2", &user)).await;
                if user.ends_with('7') {
                    world.done(leave("r1", &user)).await;
                    world.refused(leave("r1", &user)).await;
                }
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    for (room, expected) in [("r1", 144), ("r2", 160)] {
        let users = user_ids(&*world.store, room).await;
        let once: BTreeSet<_> = users.iter().collect();
        assert_eq!((users.len(), once.len()), (expected, expected));
    }
    world.store.close().await.unwrap();
}
