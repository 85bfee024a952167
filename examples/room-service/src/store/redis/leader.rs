//! One process plans the repair: which room to ask the media server about next.
//!
//! Whoever asks for a question while nobody leads becomes the leader, and leads on as long as it goes on
//! asking. It begins with where every room stands, which saves keep beside each. What becomes of them is
//! told by a stream, also which questions were answered or failed, through whichever process.

use redis::streams::{StreamId, StreamRangeReply};
use room_registry::repair::{Planner, Question, RepairStatus};
use room_registry::{RoomId, Timestamp};
use tokio::sync::Mutex;

use super::lists::IndexPage;
use super::{EVENTS_KEPT, Shared};
use crate::store::StoreError;

/// For how long a leader that asks no more keeps others from leading.
const LEASE_MS: u64 = 10_000;
/// How many entries of the stream are read at once.
const AT_ONCE: usize = 1_000;
/// How many rooms are read at once.
const PAGE: usize = 1_000;

/// The planner, in the process that leads.
#[derive(Debug)]
pub(super) struct Leader {
    /// By which name this process leads.
    token: String,
    leading: Mutex<Option<Leading>>,
}

#[derive(Debug)]
struct Leading {
    planner: Planner,
    /// The entry of the stream that was read last.
    last: String,
}

impl Leader {
    pub(super) fn new() -> Self {
        Self { token: format!("{:032x}", fastrand::u128(..)), leading: Mutex::default() }
    }

    /// The next question, in the process that leads.
    pub(super) async fn next_question(
        &self,
        shared: &Shared,
    ) -> Result<Option<Question>, StoreError> {
        let mut held = self.leading.lock().await;
        loop {
            let last = held.as_ref().map(|leading| leading.last.as_str()).unwrap_or_default();
            let mut call = shared.scripts.lead.prepare_invoke();
            call.key(shared.keys.named("leader")).key(shared.keys.named("standings"));
            call.arg(&self.token).arg(shared.link.time_of_scripts()).arg(LEASE_MS);
            call.arg(last).arg(AT_ONCE);
            let (now, role, entries): (u64, String, StreamRangeReply) =
                shared.link.call(&call).await?;
            let now = Timestamp::from_millis(now);
            let leading = match (role.as_str(), &mut *held) {
                ("leads", Some(leading)) => leading,
                ("lost" | "leads", _) => {
                    *held = Some(Leading::begin(shared).await?);
                    continue;
                }
                _another_leads => {
                    *held = None;
                    return Ok(None);
                }
            };
            for entry in &entries.ids {
                leading.take(entry, now);
            }
            if entries.ids.len() < AT_ONCE {
                return Ok(leading.planner.next(now, |_| None));
            }
        }
    }

    /// Tells the leader, whoever it is, that a question failed.
    pub(super) async fn question_failed(shared: &Shared, room_id: &str) -> Result<(), StoreError> {
        let mut commands = redis::pipe();
        commands.cmd("XADD").arg(shared.keys.named("standings"));
        commands.arg("MAXLEN").arg("~").arg(EVENTS_KEPT).arg("*");
        commands.arg("room").arg(room_id).arg("failed").arg(shared.link.time_of_scripts()).ignore();
        shared.link.send(&commands).await
    }

    /// Lets another process lead.
    pub(super) async fn resign(&self, shared: &Shared) -> Result<(), StoreError> {
        *self.leading.lock().await = None;
        let mut call = shared.scripts.resign.prepare_invoke();
        call.key(shared.keys.named("leader")).arg(&self.token);
        shared.link.call::<u8>(&call).await.map(drop)
    }
}

impl Leading {
    /// Reads where all rooms stand, page by page. What happens meanwhile is in the stream, after the
    /// entry that is written here.
    async fn begin(shared: &Shared) -> Result<Self, StoreError> {
        let mut commands = redis::pipe();
        commands.cmd("XADD").arg(shared.keys.named("standings"));
        commands.arg("MAXLEN").arg("~").arg(EVENTS_KEPT).arg("*").arg("leads").arg("");
        let (last,): (String,) = shared.link.send(&commands).await?;
        let mut planner =
            Planner::new(shared.config.repair_calls_per_second()).can_ask(shared.config.can_ask());
        let mut wanted = IndexPage {
            list: shared.keys.named("held"),
            key_len: 0,
            field: "standing",
            after: None,
            limit: PAGE,
            is_backwards: false,
        };
        loop {
            let page = shared.index_page(&wanted).await?;
            for (room_id, standing) in &page {
                note(&mut planner, room_id, standing);
            }
            if page.len() < PAGE {
                tracing::info!(rooms = planner.room_count(), "this process leads the repair");
                return Ok(Self { planner, last });
            }
            wanted.after = page.last().map(|(room_id, _)| room_id.clone());
        }
    }

    fn take(&mut self, entry: &StreamId, now: Timestamp) {
        self.last.clone_from(&entry.id);
        let Some(room_id) = entry.get::<String>("room") else { return };
        if let Some(standing) = entry.get::<Vec<u8>>("stands") {
            note(&mut self.planner, &room_id, &standing);
        } else if entry.contains_key("answered") {
            self.planner.answered(&room_id, now);
        } else if let Some(at) = entry.get::<String>("failed") {
            self.planner.failed(
                &room_id,
                at.parse().map_or_else(|_| told_at(entry, now), Timestamp::from_millis),
            );
        }
    }
}

/// When an entry was written, by the server's clock, which its id begins with.
fn told_at(entry: &StreamId, now: Timestamp) -> Timestamp {
    let millis = entry.id.split('-').next().and_then(|millis| millis.parse().ok());
    millis.map_or(now, Timestamp::from_millis).min(now)
}

/// Takes note of where a room stands; an empty text if nothing is held of it any more.
fn note(planner: &mut Planner, room_id: &str, standing: &[u8]) {
    if let Ok(room_id) = RoomId::new(room_id) {
        planner.update(&room_id, serde_json::from_slice::<RepairStatus>(standing).ok());
    }
}
