//! What can happen between the load of a room and its save, made to happen.

use std::time::Duration;

use room_registry::journal::Command;
use room_registry::{ManualClock, NewRoom, NewUser, Room, UserId, UserUpdate};

use super::test_server::RedisServer;
use super::*;

const START: Timestamp = Timestamp::from_millis(1_763_596_800_000);

fn id() -> RoomId {
    RoomId::new("r1").unwrap()
}

/// A store with a room of which Ann is a member.
async fn store(server: &RedisServer, clock: &ManualClock) -> Redis {
    let clock = Arc::new(clock.clone());
    let config = Config::default();
    let store = Redis::connect_with_clock(&server.url(), "test:", config, clock).await.unwrap();
    store.apply(Command::CreateRoom(NewRoom::new("r1", "tom")).into()).await.unwrap();
    store.apply(join("ann")).await.unwrap();
    store
}

fn join(user: &str) -> Input {
    Command::JoinRoom { room_id: id(), user: NewUser::new(user) }.into()
}

fn beat(user: &str) -> Input {
    Command::Heartbeat {
        room_id: id(),
        user_id: UserId::new(user).unwrap(),
        connection_id: None,
        update: UserUpdate::new(),
    }
    .into()
}

/// Loads and works; what is to be saved is saved by the caller, later.
async fn begin(store: &Redis, input: Input) -> (Loaded, Answer, room::Worked) {
    let loaded = store.shared.load("r1").await.unwrap();
    let (answer, worked) = loaded.work(&id(), &input, &store.shared.config).unwrap();
    (loaded, answer, worked.unwrap())
}

async fn save(store: &Redis, loaded: &Loaded, worked: &room::Worked) -> Saved {
    let Shared { link, keys, scripts, config, .. } = &*store.shared;
    worked.save(loaded, link, keys, scripts, config).await.unwrap()
}

fn memberships(answer: Answer) -> usize {
    match answer {
        Answer::Expired(expired) => expired.memberships,
        other => panic!("no expiry: {other:?}"),
    }
}

#[tokio::test]
async fn a_heartbeat_that_comes_while_a_sweep_is_under_way_saves_the_member() {
    let Some(mut server) = RedisServer::start() else { return };
    let clock = ManualClock::at(START);
    let store = store(&server, &clock).await;
    clock.set(START + Duration::from_millis(90_001));
    let (loaded, answer, worked) = begin(&store, Input::Expire).await;
    assert_eq!(memberships(answer), 1);
    // A process whose clock is a little behind hears of her in time.
    clock.set(START + Duration::from_secs(90));
    assert_eq!(store.apply(beat("ann")).await.unwrap(), Answer::Heartbeat(Heartbeat::Alive));
    clock.set(START + Duration::from_millis(90_001));
    assert_eq!(save(&store, &loaded, &worked).await, Saved::Conflict);
    assert_eq!(memberships(store.update(&id(), &Input::Expire).await.unwrap()), 0);
    server.kill();
}

#[tokio::test]
async fn heartbeats_of_others_do_not_hold_up_a_sweep() {
    let Some(server) = RedisServer::start() else { return };
    let clock = ManualClock::at(START);
    let store = store(&server, &clock).await;
    clock.set(START + Duration::from_mins(1));
    store.apply(join("bob")).await.unwrap();
    clock.set(START + Duration::from_millis(90_001));
    let (loaded, answer, worked) = begin(&store, Input::Expire).await;
    assert_eq!(memberships(answer), 1);
    clock.set(START + Duration::from_secs(95));
    assert_eq!(store.apply(beat("bob")).await.unwrap(), Answer::Heartbeat(Heartbeat::Alive));
    assert_eq!(save(&store, &loaded, &worked).await, Saved::Done);
    // The save knew of an older heartbeat of his, and left the newer one alone.
    let room: Room = store.shared.whole_room("r1").await.unwrap().unwrap();
    let bob = room.view().unwrap().user("bob").unwrap();
    assert_eq!(bob.heartbeat_at(), Some(START + Duration::from_secs(95)));
    assert!(room.view().unwrap().user("ann").is_none());
}

#[tokio::test]
async fn a_save_of_a_room_that_was_saved_or_forgotten_since_is_a_conflict() {
    let Some(server) = RedisServer::start() else { return };
    let clock = ManualClock::at(START);
    let store = store(&server, &clock).await;
    let (loaded, _, worked) = begin(&store, join("bob")).await;
    store.apply(join("cleo")).await.unwrap();
    assert_eq!(save(&store, &loaded, &worked).await, Saved::Conflict);

    // Ended, forgotten, and there again with as many saves: it is another room.
    let (loaded, _, worked) = begin(&store, join("bob")).await;
    store.apply(Command::EndRoom { room_id: id() }.into()).await.unwrap();
    clock.set(START + Duration::from_secs(100_000));
    store.apply(Input::Expire).await.unwrap();
    assert_eq!(save(&store, &loaded, &worked).await, Saved::Conflict);
    let mut room = store.shared.whole_room("r1").await.unwrap().unwrap();
    assert!(room.is_forgotten());
    assert!(room.join(NewUser::new("ann"), &store.shared.config, clock.now()).is_err());
    store.apply(Command::CreateRoom(NewRoom::new("r1", "tom")).into()).await.unwrap();
    store.apply(join("ann")).await.unwrap();
    store.apply(join("cleo")).await.unwrap();
    assert_eq!(save(&store, &loaded, &worked).await, Saved::Conflict);
}
