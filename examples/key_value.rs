//! Rooms in a key-value store, without a registry: load, apply, save with compare-and-swap, and
//! heartbeats kept apart. `cargo run --example key_value`
//!
//! Two threads stand for two processes behind a load balancer. The store is a map, and could be
//! Redis, Postgres, or whatever else saves a value only while nobody else has.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a program, not the library: it may start threads and print"
)]

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use room_registry::event::{RoomCreated, UserLoggedIn};
use room_registry::{
    Callback, Clock, Config, ManualClock, NewRoom, NewUser, Room, RoomId, RoomRef, SessionId,
    Timestamp, UserId, UserSessionId,
};

type Failure = Box<dyn Error + Send + Sync>;

/// How many users join through each of the writers.
const USERS: usize = 200;

fn main() -> Result<(), Failure> {
    let clock = ManualClock::at(Timestamp::from_secs(1_763_665_200)); // a server: `SystemClock`
    let service = Service { store: Store::default(), config: Config::default(), clock };
    service
        .update("r1", |room, config, now| room.create(NewRoom::new("r1", "tom"), config, now))?;

    // Both writers work on the one room at once. Each also delivers every callback, as a media
    // server does that gets no answer in time and tries the other process.
    thread::scope(|scope| -> Result<(), Failure> {
        let writers = ["a", "b"].map(|name| scope.spawn(|| write(&service, name)));
        for writer in writers {
            let lost = writer.join().map_err(|_| "a writer panicked")??;
            println!("a writer tried again {lost} times, as the other was faster");
        }
        Ok(())
    })?;

    // Nobody was lost, and nobody is there twice.
    let room = service.load("r1")?.1;
    let users: Vec<_> = room.view().into_iter().flat_map(RoomRef::users).collect();
    let mut ids: Vec<_> = users.iter().map(|user| user.id().to_string()).collect();
    ids.sort_unstable();
    let joined = ["a", "b"].into_iter().flat_map(|name| (0..USERS).map(move |n| user(name, n)));
    let mut expected: Vec<_> = joined.chain(["tom".to_owned()]).collect();
    expected.sort_unstable();
    assert_eq!(ids, expected);
    println!("{} users are in the room, each once", ids.len());

    // For a minute and a half only the users of one writer are heard of. No room is rewritten.
    let version = service.load("r1")?.0;
    service.clock.advance(Duration::from_secs(60));
    for n in 0..USERS {
        service.heartbeat("r1", &user("a", n));
    }
    assert_eq!(service.load("r1")?.0, version);

    // When something is due, the heartbeats are handed in: they count as if the room had had them.
    service.clock.advance(Duration::from_secs(31));
    service.expire("r1")?;
    let room = service.load("r1")?.1;
    let there = |id: &str| room.view().is_some_and(|room| room.user(id).is_some());
    for n in 0..USERS {
        assert!(there(&user("a", n)) && !there(&user("b", n)));
    }
    assert!(there("tom"), "he never joined: the media server has him");
    println!("{USERS} of them were silent, and went");
    Ok(())
}

/// What one process does: users join through it, and callbacks reach it. Tells how often another
/// process had been faster.
fn write(service: &Service, name: &str) -> Result<usize, Failure> {
    let (room_id, session) = (RoomId::new("r1")?, SessionId::new("858012925204410401")?);
    let now = service.clock.now();
    let opened = Callback::new(room_id.clone(), session.clone(), RoomCreated::new(now));
    let login = UserLoggedIn::new(UserId::new("tom")?, now)
        .user_session_id(UserSessionId::new("1")?)
        .counter(1);
    let login = Callback::new(room_id, session, login);
    let mut lost = 0;
    for n in 0..USERS {
        let joins = NewUser::new(user(name, n));
        lost += service.update("r1", |room, config, now| room.join(joins.clone(), config, now))?;
        let callback = if n % 2 == 0 { &login } else { &opened }; // again and again: no matter
        lost += service.update("r1", |room, config, now| {
            room.apply(callback, config, now).map(|_outcome| ())
        })?;
    }
    Ok(lost)
}

fn user(writer: &str, number: usize) -> String {
    format!("{writer}{number:03}")
}

/// What every process has: the same store, the same settings, and its clock.
struct Service {
    store: Store,
    config: Config,
    clock: ManualClock,
}

impl Service {
    /// Load, apply, save; from the start if somebody else saved meanwhile. Tells how often.
    ///
    /// An error of the room is an answer for the client, and nothing is saved: it left the room as
    /// it was.
    fn update(
        &self,
        room_id: &str,
        operation: impl Fn(&mut Room, &Config, Timestamp) -> Result<(), room_registry::Error>,
    ) -> Result<usize, Failure> {
        let mut lost = 0;
        loop {
            let (version, mut room) = self.load(room_id)?;
            operation(&mut room, &self.config, self.clock.now())?;
            let value =
                if room.is_forgotten() { None } else { Some(serde_json::to_string(&room)?) };
            if self.store.compare_and_swap(room_id, version, value) {
                // Here `room.changes()` tells what became different, for clients and subscribers.
                return Ok(lost);
            }
            lost += 1;
        }
    }

    /// A room as it is stored, with the version that a save must name.
    fn load(&self, room_id: &str) -> Result<(u64, Room), Failure> {
        let (version, value) = self.store.load(room_id);
        let room = match value {
            Some(json) => serde_json::from_str(&json)?, // checked on the way in
            None => Room::new(RoomId::new(room_id)?, &self.config),
        };
        Ok((version, room))
    }

    /// A heartbeat is one small write beside the room, and no read of it.
    fn heartbeat(&self, room_id: &str, user_id: &str) {
        self.store.set_heartbeat(room_id, user_id, self.clock.now());
    }

    /// Does what is due, with the heartbeats that came meanwhile. A timer in any of the processes
    /// calls it when `next_expiry` says so; two at once do no harm.
    fn expire(&self, room_id: &str) -> Result<(), Failure> {
        self.update(room_id, |room, config, now| {
            if room.next_expiry(config).is_none_or(|due_at| due_at > now) {
                return Ok(());
            }
            let heartbeats = self.store.heartbeats(room_id);
            let heartbeats = heartbeats.iter().map(|(user_id, at)| (user_id, *at));
            let expired = room.expire_with(heartbeats, config, now)?;
            println!("due: {expired:?}");
            Ok(())
        })?;
        Ok(())
    }
}

/// Two maps: rooms with a version each, and last heartbeats.
#[derive(Default)]
struct Store {
    rooms: Mutex<HashMap<String, (u64, Option<String>)>>,
    heartbeats: Mutex<HashMap<String, HashMap<String, Timestamp>>>,
}

impl Store {
    fn load(&self, key: &str) -> (u64, Option<String>) {
        let rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.get(key).cloned().unwrap_or_default()
    }

    /// Saves, unless somebody else did since this version was loaded.
    fn compare_and_swap(&self, key: &str, version: u64, value: Option<String>) -> bool {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        let held = rooms.entry(key.to_owned()).or_default();
        if held.0 != version {
            return false;
        }
        *held = (version + 1, value);
        true
    }

    fn set_heartbeat(&self, key: &str, user_id: &str, at: Timestamp) {
        let mut heartbeats = self.heartbeats.lock().unwrap_or_else(PoisonError::into_inner);
        heartbeats.entry(key.to_owned()).or_default().insert(user_id.to_owned(), at);
    }

    fn heartbeats(&self, key: &str) -> HashMap<String, Timestamp> {
        let heartbeats = self.heartbeats.lock().unwrap_or_else(PoisonError::into_inner);
        heartbeats.get(key).cloned().unwrap_or_default()
    }
}
