//! Rooms shared out over threads by a hash of their ids, and one list of all of them.
//! `cargo run --example sharded`
//!
//! Each thread owns a registry, so there is no lock. A router sends every input to the thread that
//! has the room; a page of the list is merged from a page of each. With sockets in place of the
//! channels the same goes for processes: see `room_registry::guide::embedding::sharded`.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a program, not the library: it may start threads and print"
)]

use std::collections::BinaryHeap;
use std::error::Error;
use std::iter::Peekable;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::vec::IntoIter;

use room_registry::event::{CallbackEvent, RoomCreated, UserLoggedIn};
use room_registry::journal::{Command, Input};
use room_registry::page::{RoomCursor, RoomOrder};
use room_registry::{
    Callback, Clock, Config, ManualClock, NewRoom, RoomId, RoomQuery, RoomRef, RoomRegistry,
    SessionId, Timestamp, UserId, UserSessionId,
};

type Failure = Box<dyn Error + Send + Sync>;

const SHARDS: usize = 4;
const ROOMS: u64 = 1_000;
const PAGE: usize = 30;

fn main() -> Result<(), Failure> {
    let clock = ManualClock::at(Timestamp::from_secs(1_763_665_200)); // a server: `SystemClock`
    let mut alone = RoomRegistry::with_clock(Config::default(), clock.clone());

    thread::scope(|scope| -> Result<(), Failure> {
        // The threads end when the router, which holds all the senders, is dropped.
        let router = Router::new(|messages| {
            let registry = RoomRegistry::with_clock(Config::default(), clock.clone());
            scope.spawn(|| run(registry, messages));
        });

        // The same evening for the shards and, to compare, for one registry that has everything.
        for input in evening(clock.now())? {
            _ = alone.apply_input(&input);
            router.send(input)?;
        }

        // A walk through the list of all shards, while more rooms are created.
        let (mut walked, mut cursors) = (Vec::new(), vec![Cursor::Top; SHARDS]);
        let mut pages = 0;
        while cursors.iter().any(|cursor| *cursor != Cursor::End) {
            walked.extend(router.page(&mut cursors)?);
            pages += 1;
            let late = NewRoom::new(format!("late-{pages:03}"), "ann");
            router.send(Input::from(Command::CreateRoom(late)))?;
        }

        // Each room that was there all the time was met exactly once, and in order.
        let there = |room_id: &RoomId| !room_id.as_str().starts_with("late");
        let met: Vec<_> =
            walked.iter().map(|entry| &entry.room_id).filter(|id| there(id)).collect();
        let expected: Vec<_> = alone.rooms().map(RoomRef::id).collect();
        assert_eq!(met, expected);
        let users: usize = walked.iter().map(|entry| entry.users).sum();
        assert_eq!(users, alone.user_count());
        println!("{} rooms and {users} users on {pages} pages, merged from {SHARDS}", met.len());
        for entry in &walked[..3] {
            println!("    {} began at {}, {} in", entry.room_id, entry.began_at, entry.users);
        }
        Ok(())
    })
}

/// Which of the shards has a room. Must be the same on every machine and for ever, so no hasher of
/// the standard library's.
fn shard_of(room_id: &str) -> usize {
    let fnv = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let hash = room_id.bytes().fold(0xcbf2_9ce4_8422_2325, fnv);
    usize::try_from(hash % SHARDS as u64).unwrap_or(0)
}

/// What reaches a shard.
enum Message {
    Input(Box<Input>),
    /// The newest rooms from a place on; the answer goes back through the sender.
    Page(Cursor, Sender<Vec<Entry>>),
}

/// One shard: inputs and questions, in the order in which they come. A server also calls `expire`
/// (`examples/host_loop.rs`), each shard for itself, and passes on `changes`.
fn run(mut registry: RoomRegistry<ManualClock>, messages: Receiver<Message>) {
    for message in messages {
        match message {
            // What came of it is for the client that asked.
            Message::Input(input) => _ = registry.apply_input(&input),
            Message::Page(from, answer) => _ = answer.send(entries(&registry, from)),
        }
    }
}

/// How far a walk has come in one shard. Whoever walks keeps one a shard, as text if it likes.
#[derive(Clone, PartialEq)]
enum Cursor {
    Top,
    After(RoomCursor),
    End,
}

/// A room in a shard's page.
struct Entry {
    began_at: Timestamp,
    room_id: RoomId,
    users: usize,
    /// Where its shard goes on behind it.
    next: Cursor,
}

/// A shard's page. A merged page may end behind any room of it, so each comes with its own cursor.
fn entries(registry: &RoomRegistry<ManualClock>, from: Cursor) -> Vec<Entry> {
    let query = match from {
        Cursor::Top => RoomQuery::newest(),
        Cursor::After(cursor) => RoomQuery::newest().after(cursor),
        Cursor::End => return Vec::new(),
    };
    let Ok(page) = registry.page(&query.limit(PAGE)) else { return Vec::new() };
    let entry = |room: &RoomRef<'_>| Entry {
        began_at: room.began_at().unwrap_or_default(),
        room_id: room.id().clone(),
        users: room.user_count(),
        next: Cursor::After(room.cursor(RoomOrder::Newest)),
    };
    let mut entries: Vec<_> = page.rooms.iter().map(entry).collect();
    if page.next.is_none()
        && let Some(last) = entries.last_mut()
    {
        last.next = Cursor::End;
    }
    entries
}

/// Knows the way to every shard.
struct Router {
    shards: Vec<Sender<Message>>,
}

impl Router {
    fn new(mut start: impl FnMut(Receiver<Message>)) -> Self {
        let shards = (0..SHARDS).map(|_| {
            let (sender, messages) = channel();
            start(messages);
            sender
        });
        Self { shards: shards.collect() }
    }

    /// To the shard of its room; what is about no room, to all.
    fn send(&self, input: Input) -> Result<(), Failure> {
        if let Some(room_id) = input.room_id() {
            let shard = shard_of(room_id);
            self.shards[shard].send(Message::Input(Box::new(input)))?;
        } else {
            for shard in &self.shards {
                shard.send(Message::Input(Box::new(input.clone())))?;
            }
        }
        Ok(())
    }

    /// The next page of all shards: the newest of what each has next, over and over. A shard that
    /// has no more will get rooms again, but only newer ones, which the walk has passed.
    fn page(&self, cursors: &mut [Cursor]) -> Result<Vec<Entry>, Failure> {
        // Ask all of them before waiting for the first.
        let mut answers = Vec::new();
        for (shard, cursor) in self.shards.iter().zip(&*cursors) {
            let (sender, answer) = channel();
            shard.send(Message::Page(cursor.clone(), sender))?;
            answers.push(answer);
        }
        let mut pages = Vec::new();
        for answer in answers {
            pages.push(answer.recv()?.into_iter().peekable());
        }
        // By age, of one age by id, as a registry's own list has them.
        let head = |pages: &mut [Page], shard: usize| {
            let entry = pages[shard].peek()?;
            Some((entry.began_at, entry.room_id.clone(), shard))
        };
        let mut heads: BinaryHeap<_> =
            (0..SHARDS).filter_map(|shard| head(&mut pages, shard)).collect();
        let mut merged = Vec::new();
        while merged.len() < PAGE
            && let Some((_, _, shard)) = heads.pop()
            && let Some(entry) = pages[shard].next()
        {
            cursors[shard] = entry.next.clone();
            merged.push(entry);
            heads.extend(head(&mut pages, shard));
        }
        Ok(merged)
    }
}

/// What one shard answered, as far as it is not merged yet.
type Page = Peekable<IntoIter<Entry>>;

/// Rooms that opened one after the other, with some users each. Every second one's callbacks come in
/// the wrong order; every tenth room is then created by a command, which makes it the newest.
fn evening(now: Timestamp) -> Result<Vec<Input>, Failure> {
    let mut inputs = Vec::new();
    for number in 0..ROOMS {
        let room_id = RoomId::new(format!("room-{number:04}"))?;
        let session_id = SessionId::new(number.to_string())?;
        // Several at once, as in a rush.
        let opened_at = Timestamp::from_millis(now.as_millis() - 60_000 - number / 3 * 1_000);
        let mut events = vec![CallbackEvent::from(RoomCreated::new(opened_at))];
        for login in 1..=number % 4 {
            let (user_id, login_id) = (format!("user-{login}"), login.to_string());
            let (user_id, login_id) = (UserId::new(user_id)?, UserSessionId::new(login_id)?);
            events.push(
                UserLoggedIn::new(user_id, opened_at)
                    .user_session_id(login_id)
                    .counter(login)
                    .into(),
            );
        }
        if number % 2 == 1 {
            events.reverse();
        }
        for event in events {
            let callback = Callback::new(room_id.clone(), session_id.clone(), event);
            inputs.push(Input::from(callback));
        }
        if number % 10 == 0 {
            inputs.push(Input::from(Command::CreateRoom(NewRoom::new(room_id.as_str(), "tom"))));
        }
    }
    Ok(inputs)
}
