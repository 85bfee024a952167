//! What is due: claimed by one process, and done room by room.
//!
//! Heartbeats do not move their room in the order of what is due. So a lively room comes up about once a
//! heartbeat timeout. Its heartbeats are taken over, and nobody goes. The room is put off until the one who
//! is silent longest would time out.

use futures_util::StreamExt;
use futures_util::stream;
use room_registry::journal::{Answer, Input};
use room_registry::{Expired, RoomId, Timestamp};

use super::Redis;
use super::link::failed;
use crate::store::StoreError;

/// How many rooms one step takes.
const STEP: usize = 64;
/// How many of them at once.
const AT_ONCE: usize = 8;
/// For how long a room is left to the process that took it.
const LEASE_MS: u64 = 10_000;

/// What a step of a sweep did.
#[derive(Debug)]
pub(super) struct Step {
    /// When something is due next: now, if this step left something.
    pub(super) next: Option<Timestamp>,
    expired: Expired,
    is_last: bool,
}

impl Redis {
    /// Does what is due in some rooms.
    pub(super) async fn sweep_step(&self) -> Result<Step, StoreError> {
        let (now, room_ids) = self.claim().await?;
        let is_last = room_ids.len() < STEP;
        let done = stream::iter(room_ids).map(|room_id| self.expire_room(room_id));
        let done: Vec<_> = done.buffer_unordered(AT_ONCE).collect().await;
        let mut expired = Expired::default();
        // A room that fails keeps no other from its turn, and comes up again after the lease.
        let mut failure = None;
        for room in done {
            match room {
                Ok(room) => add(&mut expired, room),
                Err(error) => failure = Some(error),
            }
        }
        if let Some(error) = failure {
            return Err(error);
        }
        let next = if is_last { self.next_due().await? } else { Some(now) };
        Ok(Step { next, expired, is_last })
    }

    /// Does everything that is due.
    pub(super) async fn expire(&self) -> Result<Expired, StoreError> {
        let mut expired = Expired::default();
        loop {
            let step = self.sweep_step().await?;
            add(&mut expired, step.expired);
            if step.is_last {
                return Ok(expired);
            }
        }
    }

    async fn expire_room(&self, room_id: String) -> Result<Expired, StoreError> {
        let room_id = RoomId::new(room_id).map_err(|error| failed(error.to_string()))?;
        match self.update(&room_id, &Input::Expire).await? {
            Answer::Expired(expired) => Ok(expired),
            _ => Ok(Expired::default()),
        }
    }

    async fn claim(&self) -> Result<(Timestamp, Vec<String>), StoreError> {
        let mut call = self.shared.scripts.claim.prepare_invoke();
        call.key(self.shared.keys.named("due")).arg(self.shared.link.time_of_scripts());
        call.arg(LEASE_MS).arg(STEP);
        let mut claimed: Vec<String> = self.shared.link.call(&call).await?;
        let rooms = claimed.split_off(1.min(claimed.len()));
        let now = claimed.first().and_then(|now| now.parse().ok());
        let now = now.ok_or_else(|| failed("a claim tells no time".to_owned()))?;
        Ok((Timestamp::from_millis(now), rooms))
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let mut commands = redis::pipe();
        let due = self.shared.keys.named("due");
        commands.cmd("ZRANGE").arg(due).arg(0).arg(0).arg("WITHSCORES");
        let (first,): (Vec<(String, u64)>,) = self.shared.link.send(&commands).await?;
        Ok(first.first().map(|(_, at)| Timestamp::from_millis(*at)))
    }
}

fn add(total: &mut Expired, more: Expired) {
    total.memberships += more.memberships;
    total.rooms += more.rooms;
    total.forgotten += more.forgotten;
    total.suspected += more.suspected;
}
