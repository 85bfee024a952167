//! What waits to be written, and who waits for it.
//!
//! A batch is filled while the one before is under way. Whoever made a room dirty, or asks about one that
//! is in a batch, is answered with that batch. A batch that could not be written is put in front of
//! the next.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use room_registry::{Change, Clock, RoomId, RoomRegistry};
use tokio::sync::oneshot;

/// How long after a failure the next try is made: at first, and at most.
const RETRY_AFTER: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

const CLOSED: &str = "it is closed";

/// What became of a batch; if it failed, why.
pub(super) type Written = Result<(), String>;

/// Where requests leave what the committer takes.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    next: Batch,
    under_way: Batch,
    /// Set while batches fail.
    failing: Option<Failing>,
    closing: bool,
    closed: Option<Written>,
    end_waiters: Vec<oneshot::Sender<Written>>,
}

#[derive(Debug)]
struct Failing {
    reason: String,
    retry_after: Duration,
    retry_at: Instant,
}

#[derive(Debug, Default)]
struct Batch {
    rooms: BTreeSet<RoomId>,
    changes: Vec<Change>,
    waiters: Vec<oneshot::Sender<Written>>,
}

/// For whoever waits.
#[derive(Debug)]
pub(super) struct Receipt {
    coming: Option<oneshot::Receiver<Written>>,
    dirty: bool,
}

/// For whoever waits for the end.
#[derive(Debug)]
pub(super) struct Closing(oneshot::Receiver<Written>);

impl Receipt {
    pub(super) fn left_nothing_dirty(&self) -> bool {
        !self.dirty
    }

    /// Waits until everything is written that this is about.
    pub(super) async fn written(self) -> Written {
        match self.coming {
            Some(coming) => coming.await.unwrap_or_else(|_| Err(CLOSED.to_owned())),
            None => Ok(()),
        }
    }
}

impl Closing {
    pub(super) async fn closed(self) -> Written {
        self.0.await.unwrap_or_else(|_| Err(CLOSED.to_owned()))
    }
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.rooms.is_empty() && self.changes.is_empty()
    }

    fn wait(&mut self) -> oneshot::Receiver<Written> {
        let (waiter, coming) = oneshot::channel();
        self.waiters.push(waiter);
        coming
    }
}

impl Queue {
    /// Whether inputs are taken in: not while writing fails, nor after the end. A plain heartbeat of
    /// somebody in this room is, if what is known of the room is in the file.
    pub(super) fn admit(&self, heartbeat_in: Option<&str>) -> Result<(), String> {
        let state = self.lock();
        if state.closing {
            return Err(CLOSED.to_owned());
        }
        match &state.failing {
            Some(failing) if heartbeat_in.is_none_or(|room_id| state.holds(room_id)) => {
                Err(failing.reason.clone())
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Takes in what the last call of a registry made dirty and changed.
    pub(super) fn put<C: Clock>(
        &self,
        registry: &RoomRegistry<C>,
        room_id: Option<&str>,
    ) -> Receipt {
        let mut dirty_rooms = registry.dirty_rooms().peekable();
        let mut changes = registry.changes().peekable();
        let mut state = self.lock();
        if dirty_rooms.peek().is_none() && changes.peek().is_none() {
            let coming = room_id.and_then(|room_id| state.wait_for(room_id));
            return Receipt { coming, dirty: false };
        }
        let (waiter, coming) = oneshot::channel();
        if state.closed.is_some() {
            // Whoever came after the end: the dropped waiter says so.
            return Receipt { coming: Some(coming), dirty: true };
        }
        state.next.rooms.extend(dirty_rooms.cloned());
        state.next.changes.extend(changes);
        state.next.waiters.push(waiter);
        drop(state);
        self.wake.notify_one();
        Receipt { coming: Some(coming), dirty: true }
    }

    /// The rooms of the next batch, which is under way then. Waits for one. `None` if no more come.
    pub(super) fn next(&self) -> Option<Vec<RoomId>> {
        let mut state = self.lock();
        loop {
            if state.next.is_empty() {
                if state.closing {
                    return None;
                }
                state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            match &state.failing {
                Some(failing) if !state.closing && failing.retry_at > Instant::now() => {
                    let patience = failing.retry_at.saturating_duration_since(Instant::now());
                    let waited = self.wake.wait_timeout(state, patience);
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
                Some(_) | None => break,
            }
        }
        state.under_way = std::mem::take(&mut state.next);
        Some(state.under_way.rooms.iter().cloned().collect())
    }

    /// The batch is written. `tell` gets its changes before anybody is answered. Tells whether the
    /// one before had failed.
    pub(super) fn wrote(&self, tell: impl FnOnce(Vec<Change>)) -> bool {
        let changes = std::mem::take(&mut self.lock().under_way.changes);
        tell(changes);
        let mut state = self.lock();
        let batch = std::mem::take(&mut state.under_way);
        let recovered = state.failing.take().is_some();
        drop(state);
        answer(batch.waiters, &Ok(()));
        recovered
    }

    /// The batch could not be written: it is tried again, with whatever comes until then.
    pub(super) fn failed(&self, reason: &str) {
        let mut state = self.lock();
        let mut batch = std::mem::take(&mut state.under_way);
        let waiters = std::mem::take(&mut batch.waiters);
        batch.rooms.append(&mut state.next.rooms);
        batch.changes.append(&mut state.next.changes);
        batch.waiters = std::mem::take(&mut state.next.waiters);
        state.next = batch;
        let retry_after = match &state.failing {
            Some(failing) => (failing.retry_after * 2).min(RETRY_AFTER.1),
            None => RETRY_AFTER.0,
        };
        let retry_at = Instant::now() + retry_after;
        state.failing = Some(Failing { reason: reason.to_owned(), retry_after, retry_at });
        drop(state);
        answer(waiters, &Err(reason.to_owned()));
    }

    /// Takes in no more. What is there is written still.
    pub(super) fn close(&self) -> Closing {
        let (closer, coming) = oneshot::channel();
        let mut state = self.lock();
        state.closing = true;
        match &state.closed {
            Some(written) => _ = closer.send(written.clone()),
            None => state.end_waiters.push(closer),
        }
        drop(state);
        self.wake.notify_all();
        Closing(coming)
    }

    /// Whether this is the last try.
    pub(super) fn is_closing(&self) -> bool {
        self.lock().closing
    }

    /// The end: nothing is written any more.
    pub(super) fn closed(&self, written: Written) {
        let mut state = self.lock();
        state.closing = true;
        let written = state.closed.get_or_insert(written).clone();
        let waiters = std::mem::take(&mut state.next).waiters;
        let under_way = std::mem::take(&mut state.under_way).waiters;
        let end_waiters = std::mem::take(&mut state.end_waiters);
        drop(state);
        answer(waiters.into_iter().chain(under_way), &Err(CLOSED.to_owned()));
        answer(end_waiters, &written);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that is done under the lock panics half way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn holds(&self, room_id: &str) -> bool {
        self.next.rooms.contains(room_id) || self.under_way.rooms.contains(room_id)
    }

    /// Waits for the batch that a room is in, if it is in one.
    fn wait_for(&mut self, room_id: &str) -> Option<oneshot::Receiver<Written>> {
        let batches = [&mut self.next, &mut self.under_way];
        let batch = batches.into_iter().find(|batch| batch.rooms.contains(room_id))?;
        Some(batch.wait())
    }
}

/// That somebody does not wait any more is no error.
fn answer(waiters: impl IntoIterator<Item = oneshot::Sender<Written>>, written: &Written) {
    for waiter in waiters {
        _ = waiter.send(written.clone());
    }
}
