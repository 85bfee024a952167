//! A server that takes a journal and a page that follows it, with JSON between them. The same code runs here and in node.

use room_registry::journal::{Command, Input};
use room_registry::vendor::zego::Event;
use room_registry::{Change, Clock, Config, Mirror, RoomRegistry, Timestamp};
use serde::Deserialize;

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod exports;

/// A line of a journal, as the example `replay` reads them.
#[derive(Debug, Deserialize)]
pub struct Line {
    /// When it came (local time).
    pub at: Timestamp,
    #[serde(flatten)]
    input: LineInput,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LineInput {
    Command(Command),
    Callback(Event),
    Expire {},
}

impl Line {
    pub fn read(json: &[u8]) -> Self {
        serde_json::from_slice(json).expect("a line of a journal")
    }

    /// Returns what it brings; `None` if it is not about rooms.
    fn input(self) -> Option<Input> {
        match self.input {
            LineInput::Command(command) => Some(command.into()),
            LineInput::Callback(Event::Callback(callback)) => Some(callback.into()),
            LineInput::Callback(_) => None,
            LineInput::Expire {} => Some(Input::Expire),
        }
    }
}

/// Holds the rooms.
#[derive(Debug)]
pub struct Server<C>(RoomRegistry<C>);

impl<C: Clock> Server<C> {
    pub fn new(clock: C) -> Self {
        Self(RoomRegistry::with_clock(Config::default(), clock))
    }

    /// Takes what came, at the time of the clock. Returns the changes as JSON.
    pub fn hand_in(&mut self, line: Line) -> Vec<u8> {
        let Some(input) = line.input() else { return b"[]".to_vec() };
        let _refusals_are_part_of_the_play = self.0.apply_input(&input);
        let changes: Vec<Change> = self.0.changes().collect();
        serde_json::to_vec(&changes).expect("changes serialise")
    }

    /// Returns what readers see, as JSON.
    pub fn rooms(&self) -> Vec<u8> {
        let copy: Mirror = self.0.rooms().collect();
        serde_json::to_vec(&copy).expect("rooms serialise")
    }

    pub fn snapshot(&self) -> Vec<u8> {
        postcard::to_stdvec(&self.0.snapshot()).expect("a snapshot serialises")
    }

    pub fn restore(clock: C, snapshot: &[u8]) -> Self {
        let mut reader = postcard::Deserializer::from_bytes(snapshot);
        let registry = RoomRegistry::restore_exactly(Config::default(), clock, &mut reader);
        Self(registry.expect("a snapshot"))
    }
}

/// Shows the rooms, as the server's changes tell of them.
#[derive(Debug, Default)]
pub struct Page(Mirror);

impl Page {
    /// Takes changes as JSON.
    pub fn apply(&mut self, changes: &[u8]) {
        let changes: Vec<Change> = serde_json::from_slice(changes).expect("changes");
        for change in &changes {
            self.0.apply(change);
        }
    }

    /// Returns what it shows, as JSON.
    pub fn rooms(&self) -> Vec<u8> {
        serde_json::to_vec(&self.0).expect("a mirror serialises")
    }
}
