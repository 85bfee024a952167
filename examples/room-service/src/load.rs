//! How much the service bears: requests a second and the latency of each kind of request, for each store.
//! The same is told for the usual first server, one after the other in one run.
//!
//! ```text
//! options ─▶ phases of each server ─▶ drive ─▶ client ─▶ [ the server, a process of its own ]
//!              │ fill, then each kind     │ as fast as it goes, then at half that rate
//!              ▼                          ▼
//!           report ◀──────────────── latencies
//! ```
//!
//! Each kind of request is sent as fast as the server takes it, over a few connections that wait for each
//! answer. That gives the rate at which it is saturated. Then it is sent at half that rate, by the clock: a
//! request has its time whether or not the one before was answered. Its latency counts from that time, so a
//! server that stalls cannot hide what it kept waiting. This is done in rounds, and in turn with requests
//! that ask for no room at all. Those show what the client, the HTTP and the machine take by themselves. A
//! machine that stops for some milliseconds shows in every latency.
//!
//! All is sent by one thread, which waits without sleeping: a timer would add its millisecond.
//!
//! The usual first server ([`plain`]) is what a team writes in an afternoon. It has objects in memory, or a
//! JSON value a room in Redis. It reads whole lists at once, and looks at every user for heartbeats.

mod client;
mod drive;
mod phases;
pub mod plain;
mod report;
mod servers;

use std::error::Error;
use std::time::Duration;

use serde::Serialize;
use tokio::runtime;

/// What to measure.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// How many users join, in rooms of 200.
    #[arg(long, default_value_t = 100_000)]
    pub users: usize,
    /// How many rooms are listed when pages of the list are read.
    #[arg(long, default_value_t = 50_000)]
    pub rooms: usize,
    /// How long each kind of request is sent, at each rate, in seconds.
    #[arg(long, default_value_t = 5)]
    pub seconds: u64,
    /// How many connections send at once.
    #[arg(long, default_value_t = 16)]
    pub connections: usize,
    /// Which servers: memory, file, redis, plain-memory, plain-redis. Those on Redis need --redis.
    #[arg(long, value_delimiter = ',', default_value = "memory,file,plain-memory")]
    pub servers: Vec<Server>,
    /// Where Redis is. Its keys that begin with `load-` are deleted.
    #[arg(long, env = "ROOM_SERVICE_REDIS", hide_env_values = true)]
    pub redis: Option<String>,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
}

/// A server to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Server {
    /// This service, in memory.
    Memory,
    /// This service, with its file.
    File,
    /// This service, on Redis.
    Redis,
    /// The usual first server, in memory.
    PlainMemory,
    /// The usual first server, with a JSON value a room in Redis.
    PlainRedis,
}

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Create,
    Join,
    Heartbeat,
    Callback,
    ListPage,
}

/// What was measured of one kind of request at one server.
#[derive(Debug, Clone, Serialize)]
pub struct Measured {
    pub server: Server,
    pub kind: Kind,
    /// Answers a second, as fast as it goes.
    pub saturated: f64,
    /// Latencies then.
    pub full: Latencies,
    /// At half that rate; none of what only fills the server.
    pub half: Option<Half>,
    /// Answers that were no success.
    pub failures: u64,
}

/// What was measured at half the rate of saturation.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Half {
    /// Of the median round, by its 99th percentile.
    pub median: Latencies,
    /// Of the worst round.
    pub worst: Latencies,
    /// Of the median round of requests that ask for no room.
    pub floor: Latencies,
}

/// Latencies in microseconds.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Latencies {
    pub count: u64,
    pub p50: u64,
    pub p99: u64,
    pub max: u64,
}

/// Why it could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("{0:?} needs --redis")]
    NoRedis(Server),
    #[error("the server does not start: {0}")]
    Start(String),
    #[error("the server cannot be reached: {0}")]
    Connect(String),
    #[error("Redis: {0}")]
    Redis(#[from] redis::RedisError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Runs it on a thread of its own.
pub fn start(options: Options) -> Result<(), Box<dyn Error>> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(run(options))?)
}

/// Measures, and prints what it measured.
pub async fn run(options: Options) -> Result<(), LoadError> {
    let mut measured = Vec::new();
    for &server in &options.servers {
        if !options.json {
            eprintln!("measuring {server:?} …");
        }
        let running = servers::start(server, &options).await?;
        measured.extend(phases::all(server, running.address(), &options).await?);
        running.stop().await;
    }
    if options.json {
        println!("{}", serde_json::to_string(&measured).expect("plain values"));
    } else {
        println!("{}", report::table(&measured));
        println!("{}", report::verdicts(&measured));
    }
    Ok(())
}

impl Options {
    fn span(&self) -> Duration {
        Duration::from_secs(self.seconds.max(1))
    }
}
