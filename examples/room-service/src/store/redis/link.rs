//! The connection to Redis: shared by all requests, made anew by itself, and never waited for long.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig, MultiplexedConnection};
use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{
    AsyncConnectionConfig, Client, FromRedisValue, IntoConnectionInfo, Pipeline, ProtocolVersion,
    RedisError, ScriptInvocation,
};
use room_registry::{Clock, Timestamp};
use tokio::time::timeout;

use crate::store::StoreError;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long an answer may take.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a request may take with the connection that is made for it.
const REQUEST_TIMEOUT: Duration = Duration::from_millis(1_500);
/// After how long without an acknowledgement a peer counts as gone.
const PEER_TIMEOUT: Duration = Duration::from_secs(5);
/// How many requests may wait for the connection to take them.
const QUEUED_REQUESTS: usize = 1_024;
/// The oldest version that has all that is used here.
const OLDEST_VERSION: u32 = 7;

/// A clock of the caller's own in place of the server's.
pub(super) type OtherClock = Option<Arc<dyn Clock + Send + Sync>>;

/// The connection.
#[derive(Clone)]
pub(super) struct Link {
    client: Client,
    manager: ConnectionManager,
    /// Where the server is, without the password.
    address: String,
    clock: OtherClock,
}

impl Link {
    /// Connects, or says why not.
    pub(super) async fn connect(url: &str, clock: OtherClock) -> Result<Self, StoreError> {
        let info = url.into_connection_info().map_err(|error| failed(error.to_string()))?;
        let keepalive = TcpKeepalive::new().with_time(PEER_TIMEOUT).with_interval(PEER_TIMEOUT);
        let tcp = TcpSettings::default().set_nodelay(true).set_keepalive(keepalive);
        #[cfg(target_os = "linux")]
        let tcp = tcp.set_user_timeout(PEER_TIMEOUT);
        // Answers are read in the older form of the protocol.
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP2);
        let info = info.set_tcp_settings(tcp).set_redis_settings(settings);
        let address = info.addr().to_string();
        let unreachable = |reason: &dyn Display| failed(format!("no Redis at {address}: {reason}"));
        let client = Client::open(info).map_err(|error| unreachable(&error))?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            .set_number_of_retries(2)
            .set_min_delay(Duration::from_millis(50))
            .set_max_delay(Duration::from_millis(500))
            .set_pipeline_buffer_size(QUEUED_REQUESTS);
        let connecting = ConnectionManager::new_with_config(client.clone(), config);
        let manager = timeout(CONNECT_TIMEOUT * 3, connecting)
            .await
            .map_err(|_| unreachable(&"it does not answer"))?
            .map_err(|error| unreachable(&error))?;
        let link = Self { client, manager, address, clock };
        link.check_server().await?;
        Ok(link)
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Calls a script.
    pub(super) async fn call<T: FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, StoreError> {
        let mut manager = self.manager.clone();
        bounded(script.invoke_async(&mut manager)).await
    }

    /// Sends several commands at once.
    pub(super) async fn send<T: FromRedisValue>(
        &self,
        commands: &Pipeline,
    ) -> Result<T, StoreError> {
        let mut manager = self.manager.clone();
        bounded(commands.query_async(&mut manager)).await
    }

    /// A connection for one reader, who may wait for so long.
    pub(super) async fn reader(
        &self,
        waits: Duration,
    ) -> Result<MultiplexedConnection, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(waits + RESPONSE_TIMEOUT));
        self.client.get_multiplexed_async_connection_with_config(&config).await
    }

    /// The local time, for scripts: empty if they read the server's.
    pub(super) fn time_of_scripts(&self) -> String {
        self.clock.as_ref().map(|clock| clock.now().as_millis().to_string()).unwrap_or_default()
    }

    /// The local time, if the server's is this.
    pub(super) fn time(&self, (seconds, micros): ServerTime) -> Timestamp {
        let server = Timestamp::from_millis(seconds * 1_000 + micros / 1_000);
        self.clock.as_ref().map_or(server, Clock::now)
    }

    /// Old servers and forgetful ones are told of now, not at the first request.
    async fn check_server(&self) -> Result<(), StoreError> {
        let mut commands = redis::pipe();
        commands.cmd("INFO");
        let Ok((info,)) = self.send::<(String,)>(&commands).await else {
            return Ok(()); // not every account may ask
        };
        let value = |name: &str| {
            let line = info.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|rest| rest.strip_prefix(':'))
        };
        let version = value("redis_version").unwrap_or_default();
        let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
        if major.is_some_and(|major| major < OLDEST_VERSION) {
            let address = &self.address;
            return Err(failed(format!("Redis at {address} is version {version}, 7 is needed")));
        }
        if let Some(policy) = value("maxmemory_policy").filter(|policy| *policy != "noeviction") {
            tracing::warn!(policy, "Redis may evict keys, and rooms with them: set noeviction");
        }
        Ok(())
    }
}

/// What `TIME` answers: seconds, and microseconds of the second.
pub(super) type ServerTime = (u64, u64);

/// Waits for an answer, and not for long.
async fn bounded<T>(request: impl Future<Output = Result<T, RedisError>>) -> Result<T, StoreError> {
    match timeout(REQUEST_TIMEOUT, request).await {
        Ok(answer) => answer.map_err(|error| failed(error.to_string())),
        Err(_) => Err(failed("Redis does not answer".to_owned())),
    }
}

pub(super) fn failed(reason: String) -> StoreError {
    StoreError::Failed { store: super::NAME, reason }
}
