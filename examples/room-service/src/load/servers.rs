//! The servers under measurement: each a process of its own, so that it shares nothing with who
//! measures it but the machine.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};

use super::client::{Ask, Client};
use super::{LoadError, Options, Server};

/// How long a server may take until it answers.
const STARTS_WITHIN: Duration = Duration::from_secs(30);

/// A server that answers.
#[derive(Debug)]
pub(super) struct Running {
    process: Child,
    address: SocketAddr,
    /// Goes with the server.
    file: Option<PathBuf>,
}

impl Running {
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) async fn stop(mut self) {
        // A measurement is over: nothing of it is to be kept.
        _ = self.process.kill().await;
        if let Some(file) = &self.file {
            _ = std::fs::remove_file(file);
        }
    }
}

pub(super) async fn start(server: Server, options: &Options) -> Result<Running, LoadError> {
    let redis = || options.redis.clone().ok_or(LoadError::NoRedis(server));
    let address = free_address()?;
    let file = std::env::temp_dir().join(format!("room-service-load-{}.redb", std::process::id()));
    let mut command = Command::new(std::env::current_exe()?);
    command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let listen = address.to_string();
    let mut serve =
        |store: &str| _ = command.args(["serve", "--listen", &listen, "--store", store]);
    let mut running_file = None;
    match server {
        Server::Memory => serve("memory"),
        Server::File => {
            serve("file");
            _ = std::fs::remove_file(&file);
            command.arg("--file").arg(&file);
            running_file = Some(file);
        }
        Server::Redis => {
            serve("redis");
            command.args(["--redis-prefix", "load-"]).env("ROOM_SERVICE_REDIS", redis()?);
            forget(&redis()?).await?;
        }
        Server::PlainMemory => _ = command.args(["plain", "--listen", &listen]),
        Server::PlainRedis => {
            command.args(["plain", "--listen", &listen]).env("ROOM_SERVICE_REDIS", redis()?);
            command.arg("--on-redis");
            forget(&redis()?).await?;
        }
    }
    let mut running = Running { process: command.spawn()?, address, file: running_file };
    running.answers().await?;
    Ok(running)
}

impl Running {
    async fn answers(&mut self) -> Result<(), LoadError> {
        let begun_at = Instant::now();
        let ask = Ask { path: "/healthz".into(), body: None };
        loop {
            if let Some(status) = self.process.try_wait()? {
                return Err(LoadError::Start(status.to_string()));
            }
            if let Ok(mut client) = Client::connect(self.address).await
                && client.ask(&ask).await.is_some_and(|(status, _)| status.is_success())
            {
                return Ok(());
            }
            if begun_at.elapsed() > STARTS_WITHIN {
                return Err(LoadError::Start("it does not answer".into()));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// An address that nobody listens at just now.
fn free_address() -> Result<SocketAddr, LoadError> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// Deletes what an earlier measurement left in Redis.
async fn forget(url: &str) -> Result<(), LoadError> {
    let client = redis::Client::open(url)?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    let mut cursor = 0_u64;
    loop {
        let (next, keys): (u64, Vec<Vec<u8>>) = redis::cmd("SCAN")
            .arg(cursor)
            .arg(&["MATCH", "load-*", "COUNT", "1000"])
            .query_async(&mut connection)
            .await?;
        if !keys.is_empty() {
            () = redis::cmd("UNLINK").arg(keys).query_async(&mut connection).await?;
        }
        if next == 0 {
            return Ok(());
        }
        cursor = next;
    }
}
