//! Tells this process what changed, whichever process did it: a task follows the stream of changes,
//! and passes them on to the feed. Its ids are the stream's, so that a listener may go on anywhere.
//!
//! The task also lights the beacon: it tells that some process reaches the server, by which an outage
//! is noticed.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use redis::RedisError;
use redis::aio::MultiplexedConnection;
use redis::streams::{StreamId, StreamRangeReply, StreamReadReply};
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::Shared;
use super::link::failed;
use crate::feed::Event;
use crate::store::StoreError;

/// How many events are read at a start, for listeners who come back to another process.
const BACKLOG: usize = 4_000;
/// How many are read at once.
const AT_ONCE: usize = 500;
/// How long one read waits for events.
const WAITS: Duration = Duration::from_secs(1);
/// How long after a failure it is tried again.
const PAUSE: Duration = Duration::from_millis(250);

/// Follows the stream.
#[derive(Debug)]
pub(super) struct Follower {
    shared: Arc<Shared>,
    stream: String,
    /// The event that was read last.
    last: Option<String>,
}

impl Follower {
    /// Reads what was, so that who comes back at once can go on; then follows what comes.
    pub(super) async fn start(shared: Arc<Shared>) -> Result<AbortHandle, StoreError> {
        let stream = shared.keys.named("events");
        let mut follower = Self { shared, stream, last: None };
        let connected = follower.connect().await.map_err(|error| failed(error.to_string()))?;
        Ok(tokio::spawn(follower.run(connected)).abort_handle())
    }

    async fn run(mut self, connection: MultiplexedConnection) {
        let mut connection = Some(connection);
        let mut is_down = false;
        loop {
            let Err(error) = self.follow(connection.take(), &mut is_down).await;
            if !is_down {
                is_down = true;
                tracing::warn!(%error, "Redis is gone: events are not followed until it is back");
            }
            sleep(PAUSE).await;
        }
    }

    async fn follow(
        &mut self,
        connection: Option<MultiplexedConnection>,
        is_down: &mut bool,
    ) -> Result<Infallible, RedisError> {
        let mut connection = match connection {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        if std::mem::take(is_down) {
            tracing::info!("Redis is back: events are followed again");
        }
        loop {
            let reply: Option<StreamReadReply> = redis::cmd("XREAD")
                .arg("COUNT")
                .arg(AT_ONCE)
                .arg("BLOCK")
                .arg(WAITS.as_millis().to_string())
                .arg("STREAMS")
                .arg(&self.stream)
                .arg(self.last.as_deref().unwrap_or("0-0"))
                .query_async(&mut connection)
                .await?;
            for entry in reply.into_iter().flat_map(|reply| reply.keys).flat_map(|key| key.ids) {
                self.last = Some(entry.id.clone());
                if let Some(event) = event(&entry) {
                    self.shared.feed.pass_on(event);
                }
            }
            let _granted: u8 = self.shared.beacon().invoke_async(&mut connection).await?;
        }
    }

    /// Connects, and makes sure that nothing was missed: if the last event is not there any more,
    /// listeners are told so.
    async fn connect(&mut self) -> Result<MultiplexedConnection, RedisError> {
        let mut connection = self.shared.link.reader(WAITS).await?;
        let granted: u8 = self.shared.beacon().invoke_async(&mut connection).await?;
        if granted == 1 {
            tracing::info!("no process had reached Redis for long: all members get a grace");
        }
        if let Some(last) = &self.last {
            let mut command = redis::cmd("XRANGE");
            command.arg(&self.stream).arg(last).arg(last);
            let held: StreamRangeReply = command.query_async(&mut connection).await?;
            if !held.ids.is_empty() {
                return Ok(connection);
            }
        }
        let mut command = redis::cmd("XREVRANGE");
        command.arg(&self.stream).arg("+").arg("-").arg("COUNT").arg(BACKLOG);
        let past: StreamRangeReply = command.query_async(&mut connection).await?;
        self.last = past.ids.first().map(|newest| newest.id.clone());
        self.shared.feed.start_anew(past.ids.iter().rev().filter_map(event));
        Ok(connection)
    }
}

/// An entry of the stream; `None` of one that is no change that this version knows.
fn event(entry: &StreamId) -> Option<Event> {
    let json: String = entry.get("change")?;
    match serde_json::from_str(&json) {
        Ok(change) => Some(Event::new(entry.id.clone(), change)),
        Err(error) => {
            tracing::warn!(id = entry.id, %error, "an event is no change: it is passed over");
            None
        }
    }
}
