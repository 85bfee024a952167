//! Rooms in Redis 7, shared by many processes. There is one value a room, and beside it what lists, sweeps
//! and heartbeats need, so that none of them reads rooms.
//!
//! ```text
//!  command, callback, observation ─▶ room ──▶ save.lua ──▶ body, lists, due, totals, streams: one step
//!  heartbeat ──────────────────────▶ beat.lua ─▶ one score; the room only if that does not do
//!  a page of rooms ────────────────▶ lists ──▶ page.lua ─▶ an index, and the summary of each room
//!  Store::sweep ───────────────────▶ due ────▶ claim.lua ▶ a lease on rooms that are due
//!  events (a task) ◀── the stream of changes ── every process
//!  Store::next_question ───────────▶ leader ─▶ lead.lua ─▶ one process plans the repair
//! ```
//!
//! # What it needs
//!
//! One Redis 7, or what speaks like it, behind one address; all keys are under one prefix. A cluster is
//! out of scope: lists, totals and streams are of all rooms. Set `maxmemory-policy noeviction`, and
//! persistence as dear as the rooms are: what Redis acknowledged is kept as well as Redis keeps it.
//!
//! # When something dies
//!
//! A process may die at any moment. Every save is one step, and a room that it had claimed is due again
//! after the lease. Another process leads the repair. While Redis is gone every operation fails in bounded
//! time, and the first one after its return succeeds. Where no process reached Redis for long, all members
//! get a grace, as their heartbeats could not be heard.

mod due;
mod events;
mod keys;
mod leader;
mod link;
mod lists;
mod room;
mod scripts;
#[cfg(test)]
#[path = "../../tests/support/redis_server.rs"]
mod test_server;
#[cfg(test)]
mod tests;

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use room_registry::journal::{Answer, Input};
use room_registry::repair::Question;
use room_registry::{Clock, Config, ConnectionId, Heartbeat, Outcomes, RoomId, Timestamp, UserId};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout_at};

use self::events::Follower;
use self::keys::{Keys, beat_of};
use self::leader::Leader;
use self::link::{Link, OtherClock, ServerTime};
use self::room::{Loaded, Saved};
use self::scripts::Scripts;
use super::locked::{streams_of, users_of};
use super::{Counts, Page, RoomsWanted, Store, StoreError, plain_heartbeat};
use crate::feed::Feed;
use crate::rows::{Room, RoomList, StreamList, UserList};

const NAME: &str = "redis";
/// How long an operation on a room may take, others that wait for the same room included.
const UPDATE_TIMEOUT: Duration = Duration::from_secs(5);
/// How often an operation is tried while other processes save the same room.
const ATTEMPTS: u32 = 64;
/// The longest wait after a conflict, in milliseconds.
const LONGEST_PAUSE_MS: u64 = 32;
/// Into how many groups rooms fall of which one process changes one at a time.
const TURNS: usize = 256;
/// About how many events, and how many standings, the streams keep.
const EVENTS_KEPT: usize = 10_000;

/// The store in Redis.
pub struct Redis {
    shared: Arc<Shared>,
    leader: Leader,
    outcomes: Mutex<Outcomes>,
    /// Operations of this process on one room take turns: they would only make conflicts.
    turns: Vec<tokio::sync::Mutex<()>>,
    hasher: RandomState,
    conflicts: AtomicU64,
    follower: AbortHandle,
}

/// What requests and the reader of events both need.
#[derive(Debug)]
struct Shared {
    link: Link,
    keys: Keys,
    scripts: Scripts,
    config: Config,
    feed: Arc<Feed>,
}

impl Redis {
    /// Connects. `url` is as the crate `redis` takes it (`redis://:password@host:port/database`), and
    /// `prefix` what all keys begin with. All processes on one prefix need the same settings.
    ///
    /// Fails at once if no Redis answers: a service that is set up wrongly does not start. Once connected
    /// it outlives any outage.
    pub async fn connect(url: &str, prefix: &str, config: Config) -> Result<Self, StoreError> {
        Self::open(url, prefix, config, None).await
    }

    /// As [`connect`](Self::connect), with a clock of the caller's own in place of the server's: for
    /// tests.
    pub async fn connect_with_clock(
        url: &str,
        prefix: &str,
        config: Config,
        clock: Arc<dyn Clock + Send + Sync>,
    ) -> Result<Self, StoreError> {
        Self::open(url, prefix, config, Some(clock)).await
    }

    /// How often another process was faster, since the start.
    #[must_use]
    pub fn conflicts(&self) -> u64 {
        self.conflicts.load(Ordering::Relaxed)
    }

    async fn open(
        url: &str,
        prefix: &str,
        config: Config,
        clock: OtherClock,
    ) -> Result<Self, StoreError> {
        let link = Link::connect(url, clock).await?;
        let (keys, scripts) = (Keys::new(prefix), Scripts::new());
        let shared = Arc::new(Shared { link, keys, scripts, config, feed: Arc::default() });
        let follower = Follower::start(Arc::clone(&shared)).await?;
        Ok(Self {
            leader: Leader::new(),
            outcomes: Mutex::default(),
            turns: (0..TURNS).map(|_| tokio::sync::Mutex::default()).collect(),
            hasher: RandomState::new(),
            conflicts: AtomicU64::new(0),
            follower,
            shared,
        })
    }

    /// Loads, works, saves; from the start if another process saved meanwhile.
    async fn update(&self, room_id: &RoomId, input: &Input) -> Result<Answer, StoreError> {
        let Shared { link, keys, scripts, config, .. } = &*self.shared;
        let deadline = Instant::now() + UPDATE_TIMEOUT;
        let busy = || StoreError::Busy { room_id: room_id.clone() };
        let _turn = timeout_at(deadline, self.turn(room_id).lock()).await.map_err(|_| busy())?;
        for attempt in 0..ATTEMPTS {
            let loaded = self.shared.load(room_id.as_str()).await?;
            let (answer, worked) = loaded.work(room_id, input, config)?;
            let Some(worked) = worked else { return Ok(answer) };
            let saved = worked.save(&loaded, link, keys, scripts, config).await?;
            if let Some(refusal) = worked.refusal(&saved, config) {
                return Err(refusal.into());
            }
            if saved == Saved::Done {
                return Ok(answer);
            }
            self.conflicts.fetch_add(1, Ordering::Relaxed);
            if Instant::now() >= deadline {
                break;
            }
            let longest = LONGEST_PAUSE_MS.min(1 << attempt.min(16));
            sleep(Duration::from_millis(fastrand::u64(0..=longest))).await;
        }
        Err(busy())
    }

    fn turn(&self, room_id: &RoomId) -> &tokio::sync::Mutex<()> {
        let hash = self.hasher.hash_one(room_id);
        let places = self.turns.len() as u64;
        let place = usize::try_from(hash % places).expect("below the number of places");
        &self.turns[place]
    }

    /// A heartbeat and nothing else: whether that was all.
    async fn is_kept_alive(
        &self,
        room_id: &RoomId,
        user_id: &UserId,
        connection_id: Option<&ConnectionId>,
    ) -> Result<bool, StoreError> {
        let connection_id = connection_id.map(ConnectionId::as_str);
        let user = (user_id.as_str(), connection_id).into();
        let Shared { link, keys, scripts, config, .. } = &*self.shared;
        let mut call = scripts.beat.prepare_invoke();
        call.key(keys.beats(room_id.as_str())).key(keys.named("grace")).arg(beat_of(user));
        call.arg(millis(config.heartbeat_timeout())).arg(millis(config.clock_skew()));
        call.arg(link.time_of_scripts());
        link.call::<bool>(&call).await
    }
}

impl Shared {
    /// A room as it is now.
    async fn load(&self, room_id: &str) -> Result<Loaded, StoreError> {
        let loaded = Loaded::read(&self.link, &self.keys, room_id).await?;
        if loaded.unreached_ms <= self.outage_ms() {
            return Ok(loaded);
        }
        // The first request after an outage: nobody is judged before the grace is given.
        self.link.call::<u8>(&self.beacon()).await?;
        Loaded::read(&self.link, &self.keys, room_id).await
    }

    /// Tells that this process reached the server.
    fn beacon(&self) -> redis::ScriptInvocation<'_> {
        let mut call = self.scripts.beacon.prepare_invoke();
        call.key(self.keys.named("alive")).key(self.keys.named("grace"));
        call.arg(self.outage_ms()).arg(self.link.time_of_scripts());
        call
    }

    /// After how long without a process that reached the server members need a grace.
    fn outage_ms(&self) -> u64 {
        (millis(self.config.heartbeat_timeout()) / 4).max(5_000)
    }

    /// The local time.
    async fn now(&self) -> Result<Timestamp, StoreError> {
        let mut commands = redis::pipe();
        commands.cmd("TIME");
        let (time,): (ServerTime,) = self.link.send(&commands).await?;
        Ok(self.link.time(time))
    }

    /// All members count as heard of now. No room is read: whoever reads one later is told.
    async fn grant_grace(&self) -> Result<(), StoreError> {
        let now = self.now().await?;
        let mut commands = redis::pipe();
        commands.cmd("SET").arg(self.keys.named("grace")).arg(now.as_millis()).ignore();
        self.link.send(&commands).await
    }
}

#[async_trait]
impl Store for Redis {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn apply(&self, input: Input) -> Result<Answer, StoreError> {
        let Some(room_id) = input.room_id() else {
            return match input {
                Input::Expire => self.expire().await.map(Answer::Expired),
                _ => self.shared.grant_grace().await.map(|()| Answer::Done),
            };
        };
        let room_id = RoomId::new(room_id).map_err(room_registry::Error::from)?;
        if let Some((user_id, connection_id)) = plain_heartbeat(&input)
            && self.is_kept_alive(&room_id, user_id, connection_id).await?
        {
            return Ok(Answer::Heartbeat(Heartbeat::Alive));
        }
        let is_callback = matches!(input, Input::Callback(_));
        let answer = self.update(&room_id, &input).await?;
        if let (Answer::Outcome(outcome), true) = (answer, is_callback) {
            self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).count(outcome);
        }
        Ok(answer)
    }

    async fn rooms(&self, wanted: &RoomsWanted) -> Result<RoomList, StoreError> {
        self.shared.rooms(wanted).await
    }

    async fn room(&self, room_id: &str) -> Result<Option<Room>, StoreError> {
        self.shared.room(room_id).await
    }

    async fn users(&self, room_id: &str, page: &Page) -> Result<Option<UserList>, StoreError> {
        let Some(room) = self.shared.whole_room(room_id).await? else { return Ok(None) };
        room.view().map(|view| users_of(view, page)).transpose()
    }

    async fn streams(&self, room_id: &str, page: &Page) -> Result<Option<StreamList>, StoreError> {
        let Some(room) = self.shared.whole_room(room_id).await? else { return Ok(None) };
        room.view().map(|view| streams_of(view, page)).transpose()
    }

    async fn sweep(&self) -> Result<Option<Timestamp>, StoreError> {
        self.sweep_step().await.map(|step| step.next)
    }

    async fn next_question(&self) -> Result<Option<Question>, StoreError> {
        self.leader.next_question(&self.shared).await
    }

    async fn question_failed(&self, room_id: &str) -> Result<(), StoreError> {
        Leader::question_failed(&self.shared, room_id).await
    }

    fn feed(&self) -> &Arc<Feed> {
        &self.shared.feed
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        let (rooms, users, streams) = self.shared.totals().await?;
        let outcomes = *self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Counts { rooms, users, streams, outcomes })
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.leader.resign(&self.shared).await
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis")
            .field("link", &self.shared.link)
            .field("prefix", &self.shared.keys.prefix())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the client: it has the password.
        f.debug_struct("Link").field("address", &self.address()).finish_non_exhaustive()
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
