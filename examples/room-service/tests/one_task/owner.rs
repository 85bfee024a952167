use std::sync::Arc;
use std::time::Duration;

use room_registry::{Change, Clock, Config, Mirror, RoomRegistry, SystemClock};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::timeout;

/// What the task is asked to do.
enum Job {
    Change(Box<dyn FnOnce(&mut RoomRegistry) + Send>),
    Read(Box<dyn FnOnce(&RoomRegistry) + Send>),
}

/// A handle on the task, which ends with the last of its handles.
#[derive(Clone)]
pub struct Rooms {
    jobs: mpsc::Sender<Job>,
    changes: broadcast::Sender<Arc<[Change]>>,
}

impl Rooms {
    /// How many jobs may wait.
    pub const QUEUE: usize = 1_024;
    /// How many calls' changes a follower may be behind.
    const BEHIND: usize = 1_024;

    pub fn start(config: Config) -> Self {
        let (jobs, queue) = mpsc::channel(Self::QUEUE);
        let (changes, _) = broadcast::channel(Self::BEHIND);
        tokio::spawn(own(RoomRegistry::new(config), queue, changes.clone()));
        Self { jobs, changes }
    }

    /// Makes one call that changes something. `None`: too many wait, so the caller answers 503.
    pub async fn change<T, F>(&self, call: F) -> Option<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut RoomRegistry) -> T + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let call = Box::new(move |registry: &mut _| _ = reply.send(call(registry)));
        self.jobs.try_send(Job::Change(call)).ok()?;
        answer.await.ok()
    }

    /// Reads. `None`: too many wait.
    pub async fn read<T, F>(&self, call: F) -> Option<T>
    where
        T: Send + 'static,
        F: FnOnce(&RoomRegistry) -> T + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let call = Box::new(move |registry: &_| _ = reply.send(call(registry)));
        self.jobs.try_send(Job::Read(call)).ok()?;
        answer.await.ok()
    }

    /// Starts to follow: a copy of what is visible now, and all changes from now on.
    pub async fn follow(&self) -> Option<(Mirror, broadcast::Receiver<Arc<[Change]>>)> {
        let changes = self.changes.clone();
        self.read(move |registry| (registry.rooms().collect(), changes.subscribe())).await
    }

    /// Returns how many more jobs may wait: a gauge for your metrics.
    pub fn free(&self) -> usize {
        self.jobs.capacity()
    }
}

/// The task.
async fn own(
    mut registry: RoomRegistry,
    mut queue: mpsc::Receiver<Job>,
    changes: broadcast::Sender<Arc<[Change]>>,
) {
    loop {
        let due_in = registry.next_expiry().map(|at| at.since(SystemClock.now()));
        let patience = due_in.unwrap_or(Duration::MAX).min(Duration::from_secs(1));
        // What is due goes first. Otherwise a queue that is never empty would put it off for ever.
        if patience.is_zero() {
            registry.expire();
        } else {
            match timeout(patience, queue.recv()).await {
                Ok(Some(Job::Change(call))) => call(&mut registry),
                Ok(Some(Job::Read(call))) => {
                    call(&registry);
                    continue; // the last call's changes were told
                }
                Ok(None) => return,
                Err(_) => _ = registry.expire(),
            }
        }
        let told: Arc<[Change]> = registry.changes().collect();
        if !told.is_empty() {
            _ = changes.send(told); // an error says that nobody follows
        }
    }
}
