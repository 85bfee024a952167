//! The changes, as they happen: for `GET /events` and whoever else listens.
//!
//! A feed remembers the latest events, so that a listener who was cut off goes on where he was. One who
//! comes back too late, or listens too slowly, is told that he *missed* something. He reads the lists
//! again, and goes on from there.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use room_registry::Change;
use tokio::sync::broadcast;

/// How many events are remembered.
const REMEMBERED: usize = 8_192;
/// How far a listener may be behind.
const BEHIND: usize = 1_024;

/// One change.
#[derive(Debug)]
pub struct Event {
    id: String,
    change: Change,
    json: OnceLock<String>,
}

impl Event {
    #[must_use]
    pub fn new(id: String, change: Change) -> Self {
        Self { id, change, json: OnceLock::new() }
    }

    /// Names its place in the feed: what a listener goes on after.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    #[must_use]
    pub fn change(&self) -> &Change {
        &self.change
    }

    /// The change, as JSON in one line; written once, when somebody first asks.
    #[must_use]
    pub fn json(&self) -> &str {
        self.json.get_or_init(|| json(&self.change))
    }
}

/// Where changes are told.
#[derive(Debug)]
pub struct Feed {
    remembered: Mutex<Remembered>,
}

#[derive(Debug)]
struct Remembered {
    events: VecDeque<Arc<Event>>,
    listeners: broadcast::Sender<Arc<Event>>,
    /// How many events there were, for feeds that number them themselves.
    count: u64,
}

/// What a listener gets.
#[derive(Debug)]
pub struct Listening {
    /// Events between the one that was asked for and this one are not remembered any more.
    pub missed: bool,
    /// The latest event; none if nothing happened yet.
    pub latest: Option<String>,
    /// What is remembered after the event that was asked for.
    pub past: Vec<Arc<Event>>,
    /// What comes from here on. Closed if events were lost: listen again, after the last one.
    pub coming: broadcast::Receiver<Arc<Event>>,
}

impl Default for Feed {
    fn default() -> Self {
        let (listeners, _) = broadcast::channel(BEHIND);
        let remembered = Remembered { events: VecDeque::new(), listeners, count: 0 };
        Self { remembered: Mutex::new(remembered) }
    }
}

impl Feed {
    /// Tells of changes, and numbers them. `epoch` tells this run of the process from another.
    pub fn tell(&self, epoch: u64, changes: impl Iterator<Item = Change>) {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            remembered.count += 1;
            let id = format!("{epoch:x}-{}", remembered.count);
            remembered.push(Event::new(id, change));
        }
    }

    /// Tells of an event that has its id already.
    pub fn pass_on(&self, event: Event) {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.push(event);
    }

    /// Remembers these events in place of what it had. Events before them may be lost, so everybody
    /// who listens is cut off, and told on coming back.
    pub fn start_anew(&self, past: impl IntoIterator<Item = Event>) {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.listeners = broadcast::channel(BEHIND).0;
        remembered.events.clear();
        for event in past {
            remembered.push(event);
        }
    }

    /// Listens, from after an event on; from now on if none is named.
    #[must_use]
    pub fn listen(&self, after: Option<&str>) -> Listening {
        // Under the lock, so that nothing falls between what was and what comes.
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let coming = remembered.listeners.subscribe();
        let latest = remembered.events.back().map(|event| event.id.clone());
        let Some(after) = after else {
            return Listening { missed: false, latest, past: Vec::new(), coming };
        };
        match remembered.events.iter().rposition(|event| event.id == after) {
            Some(place) => {
                let past = remembered.events.iter().skip(place + 1).cloned().collect();
                Listening { missed: false, latest, past, coming }
            }
            None => Listening { missed: true, latest, past: Vec::new(), coming },
        }
    }
}

impl Remembered {
    fn push(&mut self, event: Event) {
        let event = Arc::new(event);
        if self.events.len() == REMEMBERED {
            self.events.pop_front();
        }
        self.events.push_back(Arc::clone(&event));
        // That nobody listens is no error.
        _ = self.listeners.send(event);
    }
}

/// A change, as JSON in one line.
#[must_use]
pub fn json(change: &Change) -> String {
    serde_json::to_string(change).expect("a change has no key that is no text")
}
