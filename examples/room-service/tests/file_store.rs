//! What only the store in a file promises: restarts, kills, damage, and disks that fail.
#![allow(clippy::unwrap_used, reason = "a test that meets what it does not expect fails")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command as Process, Stdio};
use std::sync::Arc;
use std::time::Duration;

use redb::{ReadableDatabase, ReadableTableMetadata, TableDefinition};
use room_registry::page::RoomOrder;
use room_registry::{Config, ManualClock};
use room_service::store::Store;
use room_service::store::file::{FileStore, OpenError};
use support::inputs::{
    callback, create, end, heartbeat, heartbeat_with, join, leave, login, opened, stream_opened,
};
use support::medium::Disk;
use support::reading::{Listener, all_users, room_ids, shown, user_ids};
use support::{START, World};

const ROOMS: TableDefinition<&str, &[u8]> = TableDefinition::new("rooms");
/// Set for the process that a test starts: the file to write to.
const CHILD: &str = "ROOM_SERVICE_TEST_FILE";
/// Set for it too: how many operations each of its writers has done before.
const DONE: &str = "ROOM_SERVICE_TEST_DONE";

fn open(path: &Path, clock: &ManualClock) -> World {
    let store = FileStore::open_with_clock(path, Config::default(), clock.clone()).unwrap();
    World::new(Arc::new(store), clock.clone())
}

fn refusal(path: &Path) -> OpenError {
    FileStore::open(path, Config::default()).map(drop).expect_err("it cannot be opened")
}

/// A few rooms of commands and of callbacks.
async fn play(world: &World) {
    for room in ["r1", "r2", "r3"] {
        world.done(create(room)).await;
        world.done(join(room, "ann")).await;
        world.beat(heartbeat_with(room, "ann", [("seat", "2")])).await;
    }
    world.done(end("r2")).await;
    world.outcome(callback("live", "1", opened(0))).await;
    world.outcome(callback("live", "1", login("bob", 1, 0))).await;
    world.outcome(callback("live", "1", stream_opened("camera", 1, 0))).await;
}

#[tokio::test]
async fn a_restart_keeps_everything() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("made/by/the/store/rooms.redb");
    let clock = ManualClock::at(START);
    let world = open(&path, &clock);
    play(&world).await;
    let before = shown(&*world.store).await;
    assert_eq!(before.len(), 3);
    world.store.close().await.unwrap();
    // After the end there is an answer, and it is no success.
    assert!(world.store.apply(create("late").into()).await.is_err());
    assert!(world.store.sweep().await.is_err());
    world.store.close().await.unwrap();

    // The first store is still there, but its file is free. The second is not closed.
    for _ in 0..2 {
        let world = open(&path, &clock);
        assert_eq!(shown(&*world.store).await, before);
    }
    let world = open(&path, &clock);
    world.refused(create("r1")).await;
    // What is remembered of an ended room is kept too.
    world.outcome(callback("r2", "1", opened(0))).await;
    world.done(leave("r1", "ann")).await;
    drop(world);
    let world = open(&path, &clock);
    assert!(user_ids(&*world.store, "r1").await.is_empty());
    assert_eq!(user_ids(&*world.store, "live").await, ["bob"]);
}

#[tokio::test]
async fn a_restart_gives_memberships_one_fresh_timeout() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rooms.redb");
    let clock = ManualClock::at(START);
    let world = open(&path, &clock);
    play(&world).await;
    drop(world);
    clock.advance(Duration::from_hours(1));
    let world = open(&path, &clock);
    world.passes(Duration::from_secs(90));
    world.sweep().await;
    assert_eq!(user_ids(&*world.store, "r1").await, ["ann"]);
    world.passes(Duration::from_secs(1));
    world.sweep().await;
    assert!(user_ids(&*world.store, "r1").await.is_empty());
}

#[tokio::test]
async fn what_is_forgotten_leaves_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rooms.redb");
    let world = open(&path, &ManualClock::at(START));
    play(&world).await;
    for room in ["r1", "r3", "live"] {
        world.done(end(room)).await;
    }
    world.store.close().await.unwrap();
    assert_eq!(rows(&path), 4);

    let world = open(&path, &world.clock);
    for _ in 0..2 {
        world.passes(Duration::from_secs(601)); // the retention
        world.sweep().await;
    }
    world.store.close().await.unwrap();
    assert_eq!(rows(&path), 0);
}

fn rows(path: &Path) -> u64 {
    let database = redb::Database::open(path).unwrap();
    let transaction = database.begin_read().unwrap();
    transaction.open_table(ROOMS).unwrap().len().unwrap()
}

#[tokio::test]
async fn other_settings_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rooms.redb");
    drop(FileStore::open(&path, Config::default()).unwrap());
    let other = Config::builder().clock_skew(Duration::from_secs(7)).build().unwrap();
    let error = FileStore::open(&path, other).map(drop).unwrap_err();
    assert!(matches!(error, OpenError::OtherSettings { .. }), "{error}");
    assert!(error.to_string().contains("clock skew 7000 ms"), "{error}");
    // A setting that is not part of what is stored may change.
    let other = Config::builder().heartbeat_timeout(Duration::from_secs(7)).build().unwrap();
    drop(FileStore::open(&path, other).unwrap());
}

#[tokio::test]
async fn what_is_no_file_of_rooms_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rooms.redb");
    for garbage in [&b"x"[..], &[0; 10_000], "not a database at all ".repeat(1_000).as_bytes()] {
        fs::write(&path, garbage).unwrap();
        let error = refusal(&path);
        assert!(matches!(error, OpenError::Unreadable { .. }), "{error}");
        assert!(error.to_string().contains("rooms.redb"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), garbage, "it stays as it was");
    }

    fs::remove_file(&path).unwrap();
    let database = redb::Database::create(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    let table = TableDefinition::<u64, u64>::new("somebody else's");
    transaction.open_table(table).unwrap().insert(1, 1).unwrap();
    transaction.commit().unwrap();
    drop(database);
    assert!(matches!(refusal(&path), OpenError::Foreign { .. }));

    fs::create_dir(directory.path().join("directory")).unwrap();
    assert!(matches!(refusal(&directory.path().join("directory")), OpenError::Unreadable { .. }));
    let below_a_file = path.join("below/rooms.redb");
    assert!(matches!(refusal(&below_a_file), OpenError::Directory { .. }));
}

#[tokio::test]
async fn damage_is_an_error_or_does_no_harm() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rooms.redb");
    let clock = ManualClock::at(START);
    let world = open(&path, &clock);
    play(&world).await;
    let before = shown(&*world.store).await;
    world.store.close().await.unwrap();
    let whole = fs::read(&path).unwrap();

    for length in [1, 100, 4_096, 8_192, whole.len() / 2, whole.len() - 4_096, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        let error = FileStore::open_with_clock(&path, Config::default(), clock.clone())
            .map(drop)
            .expect_err("a truncated file");
        assert!(matches!(error, OpenError::Unreadable { .. }), "{length}: {error}");
    }

    // One byte in each of the places that are used.
    let used: Vec<_> = (0..whole.len()).filter(|place| whole[*place] != 0).collect();
    let mut refused = 0;
    for place in used.iter().step_by(used.len() / 60) {
        let mut damaged = whole.clone();
        damaged[*place] ^= 0x41;
        fs::write(&path, &damaged).unwrap();
        match FileStore::open_with_clock(&path, Config::default(), clock.clone()) {
            Ok(store) => assert_eq!(shown(&store).await, before, "byte {place}"),
            Err(error) => {
                assert!(error.to_string().contains("rooms.redb"), "byte {place}: {error}");
                refused += 1;
            }
        }
    }
    assert!(refused > 2, "{refused} of 60");
}

#[tokio::test]
async fn a_row_that_is_no_room_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rooms.redb");
    let world = open(&path, &ManualClock::at(START));
    play(&world).await;
    world.store.close().await.unwrap();

    let row = |key: &str| -> Vec<u8> {
        let database = redb::Database::open(&path).unwrap();
        let table = database.begin_read().unwrap().open_table(ROOMS).unwrap();
        table.get(key).unwrap().unwrap().value().to_vec()
    };
    let set = |key: &str, value: &[u8]| {
        let database = redb::Database::open(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(ROOMS).unwrap().insert(key, value).unwrap();
        transaction.commit().unwrap();
    };
    let (r1, r3) = (row("r1"), row("r3"));
    let longer = [&r1[..], b"x"].concat();
    for damaged in [&b""[..], &r1[..r1.len() - 1], &longer, &r3, &[0xff; 40]] {
        set("r1", damaged);
        let error = refusal(&path);
        assert!(matches!(&error, OpenError::Room { room_id, .. } if room_id == "r1"), "{error}");
        assert!(error.to_string().contains(r#"room "r1""#), "{error}");
    }
    set("r1", &r1);
    drop(FileStore::open(&path, Config::default()).unwrap());
}

#[tokio::test]
async fn what_is_acknowledged_survives_the_loss_of_all_that_was_not_synced() {
    let disk = Disk::default();
    let clock = ManualClock::at(START);
    let store = FileStore::open_medium(disk.clone(), Config::default(), clock.clone()).unwrap();
    let operations = [
        create("r1").into(),
        join("r1", "ann").into(),
        callback("r1", "1", opened(0)).into(),
        callback("r1", "1", login("bob", 1, 0)).into(),
        heartbeat("r1", "bob").into(),
        leave("r1", "ann").into(),
        end("r1").into(),
    ];
    for operation in operations {
        let operation: room_registry::journal::Input = operation;
        store.apply(operation.clone()).await.unwrap();
        let after =
            FileStore::open_medium(disk.synced(), Config::default(), clock.clone()).unwrap();
        assert_eq!(shown(&after).await, shown(&store).await, "{operation:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fails_is_told_and_comes_back() {
    let disk = Disk::default();
    let clock = ManualClock::at(START);
    let open = |disk: Disk| {
        let store = FileStore::open_medium(disk, Config::default(), clock.clone()).unwrap();
        World::new(Arc::new(store), clock.clone())
    };
    let world = open(disk.clone());
    let mut listener = Listener::after(&world, None);
    for room in ["r1", "r2"] {
        world.done(create(room)).await;
        world.done(join(room, "ann")).await;
    }
    listener.catch_up(&world).await;
    let heard = listener.ids.clone();

    disk.fail(true);
    let failed = world.store.apply(join("r1", "bob").into()).await.unwrap_err();
    assert!(failed.to_string().contains("no space left on the test's disk"), "{failed}");
    for input in [join("r1", "bob"), leave("r2", "ann"), create("r3"), heartbeat("r1", "ann")] {
        world.store.apply(input.into()).await.expect_err("nothing can be acknowledged");
    }
    world.store.sweep().await.expect_err("nor swept");
    // A heartbeat of somebody in a room that is in the file is as good as ever, and so is reading.
    world.beat(heartbeat("r2", "ann")).await;
    assert_eq!(room_ids(&*world.store, RoomOrder::Id, 10).await, ["r1", "r2"]);
    // Nobody heard of what may be lost.
    assert_eq!(Listener::after(&world, Some(&heard[0])).ids, heard[1..]);

    disk.fail(false);
    let deadline = tokio::time::Instant::now() + support::PATIENCE;
    while world.store.apply(join("r1", "cleo").into()).await.is_err() {
        assert!(tokio::time::Instant::now() < deadline, "it does not come back");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    world.done(leave("r2", "ann")).await;
    listener.catch_up(&world).await;
    assert_eq!(user_ids(&*world.store, "r1").await, ["ann", "bob", "cleo"]);
    let before = shown(&*world.store).await;
    let after = open(disk.synced());
    assert_eq!(shown(&*after.store).await, before);
}

#[tokio::test]
async fn what_could_not_be_written_is_told_at_the_end() {
    let disk = Disk::default();
    let store =
        FileStore::open_medium(disk.clone(), Config::default(), ManualClock::at(START)).unwrap();
    store.apply(create("r1").into()).await.unwrap();
    disk.fail(true);
    store.apply(create("r2").into()).await.unwrap_err();
    let error = store.close().await.unwrap_err();
    assert!(error.to_string().contains("no space left"), "{error}");
    assert!(store.close().await.is_err(), "and told again");
}

/// The other process, if a test starts one. Four writers do one operation after the other, and
/// tell of each when it is acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_that_writes() {
    let Ok(path) = std::env::var(CHILD) else { return };
    let done: Vec<usize> =
        std::env::var(DONE).unwrap().split(',').map(|done| done.parse().unwrap()).collect();
    let store = Arc::new(open_now(Path::new(&path)));
    println!("\nack open");
    let writers = done.into_iter().enumerate().map(|(writer, done)| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for step in done.. {
                store.apply(operation(writer, step)).await.unwrap();
                println!("\nack {writer} {step}");
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
}

/// The clock stands where the callbacks are stamped.
fn open_now(path: &Path) -> FileStore<ManualClock> {
    FileStore::open_with_clock(path, Config::default(), ManualClock::at(START)).unwrap()
}

/// What a writer does: rooms of its own, with people who come and go, and one room with the others.
fn operation(writer: usize, step: usize) -> room_registry::journal::Input {
    let room = format!("{writer}-{}", step / 5);
    match step % 5 {
        0 => create(&room).into(),
        1 => join(&room, "ann").into(),
        2 => callback(&room, "1", login("bob", 1, 0)).into(),
        3 => leave(&room, "ann").into(),
        // The first one makes it.
        _ => callback("all", "1", login(&room, (writer * 1_000_000 + step) as u64, 0)).into(),
    }
}

/// Rooms and the users in them, after so many steps of a writer.
fn expected(writer: usize, steps: usize) -> BTreeMap<String, BTreeSet<String>> {
    let mut rooms = BTreeMap::<String, BTreeSet<String>>::new();
    for step in 0..steps {
        let room = format!("{writer}-{}", step / 5);
        match step % 5 {
            0 => _ = rooms.entry(room).or_default(),
            1 => _ = rooms.entry(room).or_default().insert("ann".to_owned()),
            2 => _ = rooms.entry(room).or_default().insert("bob".to_owned()),
            3 => _ = rooms.entry(room).or_default().remove("ann"),
            _ => _ = rooms.entry("all".to_owned()).or_default().insert(room),
        }
    }
    rooms
}

/// The same, as the store has it.
async fn found(store: &dyn Store, writer: usize) -> BTreeMap<String, BTreeSet<String>> {
    let mine = format!("{writer}-");
    let mut rooms = BTreeMap::new();
    for room in room_ids(store, RoomOrder::Id, 100).await {
        let users = all_users(store, &room, 100).await.unwrap();
        let users = users.into_iter().map(|user| user.user_id.to_string());
        if room.starts_with(&mine) {
            rooms.insert(room, users.collect());
        } else if room == "all" {
            let users: BTreeSet<_> = users.filter(|user| user.starts_with(&mine)).collect();
            if !users.is_empty() {
                rooms.insert(room, users);
            }
        }
    }
    rooms
}

/// A process that writes; killed when nobody needs it any more.
struct Writers(Child);

impl Drop for Writers {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

impl Writers {
    fn start(path: &Path, done: &[usize]) -> (Self, impl Iterator<Item = String> + use<>) {
        let done: Vec<_> = done.iter().map(ToString::to_string).collect();
        let mut child = Process::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_writes", "--nocapture"])
            .env(CHILD, path)
            .env(DONE, done.join(","))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let acknowledged = std::iter::from_fn(move || {
            loop {
                let mut line = String::new();
                // A line that the kill cut is of nobody who was answered.
                if output.read_line(&mut line).unwrap() == 0 || !line.ends_with('\n') {
                    return None;
                }
                if let Some(acknowledged) = line.trim_end().strip_prefix("ack ") {
                    return Some(acknowledged.to_owned());
                }
            }
        });
        (Self(child), acknowledged)
    }
}

#[tokio::test]
async fn killed_at_any_moment_it_keeps_what_was_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rooms.redb");
    let mut done = vec![0; 4];
    let mut seed = 20_261_121_u64;
    for round in 0..6 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let until = 1 + (seed >> 33) % 150;
        let (mut writers, acknowledged) = Writers::start(&path, &done);
        let mut answers = 0;
        for line in acknowledged {
            answers += 1;
            if answers == until {
                writers.0.kill().unwrap(); // SIGKILL; what was acknowledged until then still comes
            }
            let Some((writer, step)) = line.split_once(' ') else { continue };
            let (writer, step): (usize, usize) = (writer.parse().unwrap(), step.parse().unwrap());
            assert_eq!(step, done[writer], "each in its turn");
            done[writer] += 1;
        }
        assert!(answers >= until, "it ended by itself after {answers} answers");
        drop(writers);

        let store = open_now(&path);
        for (writer, done) in done.iter_mut().enumerate() {
            let found = found(&store, writer).await;
            // What was sent and not answered may be there.
            if found == expected(writer, *done + 1) {
                *done += 1;
            }
            assert_eq!(found, expected(writer, *done), "round {round}, writer {writer}");
        }
    }
    assert!(done.iter().sum::<usize>() > 6);
}

#[tokio::test]
async fn a_file_is_of_one_process_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rooms.redb");
    let (writers, mut acknowledged) = Writers::start(&path, &[0]);
    assert_eq!(acknowledged.next().as_deref(), Some("open"));
    let error = refusal(&path);
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    drop(writers);

    let first = FileStore::open(&path, Config::default()).unwrap();
    assert!(matches!(refusal(&path), OpenError::InUse { .. }));
    drop(first);
    drop(FileStore::open(&path, Config::default()).unwrap());
}
