//! The settings: each by a flag, and by an environment variable of the same name with the prefix
//! `ROOM_SERVICE_`.
//!
//! Secrets also come from files, as flags can be read by every user of the machine. None of them is
//! shown in help, logs, errors or debug output.

mod access;
mod limits;
mod media_server;
mod rules;
mod secret;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use room_registry::ConfigError;
pub use secrecy::SecretString;

pub use self::access::{AccessSettings, TokenKeySettings, TokenSettings};
pub use self::limits::Limits;
pub use self::media_server::{CallbackSettings, MediaServerSettings};
pub use self::rules::{RuleSettings, lifecycle};
use self::secret::MAX_SECRET_LEN;

use crate::demo::DemoSettings;
use crate::load;

/// Keeps the room list, user lists and stream lists of a live-streaming app right, over HTTP.
#[derive(Debug, Parser)]
#[command(name = "room-service", version, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    serve: Settings,
}

impl Arguments {
    /// What to do; serving if nothing is said.
    #[must_use]
    pub fn action(self) -> Action {
        self.action.unwrap_or_else(|| Action::Serve(Box::new(self.serve)))
    }
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Serves (the default).
    Serve(Box<Settings>),
    /// Plays a lively evening against a running service, with a virtual media server.
    Demo(DemoSettings),
    /// Makes a token for one user of one room, and prints it.
    Token(TokenSettings),
    /// Measures how much each store bears, beside the usual first server.
    Load(load::Options),
    /// Runs the usual first server: for `load`.
    #[command(hide = true)]
    Plain(load::plain::Options),
}

/// Where rooms are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StoreKind {
    Memory,
    File,
    Redis,
}

/// What log lines look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

/// How a service is set up.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// The address to listen on.
    #[arg(
        long,
        env = "ROOM_SERVICE_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS"
    )]
    pub listen: SocketAddr,

    /// The store behind `/room/…`. `/api/room/mem/…` is always a store in memory.
    #[arg(long, env = "ROOM_SERVICE_STORE", default_value = "file", value_name = "KIND")]
    pub store: StoreKind,

    /// The file of the file store.
    #[arg(long, env = "ROOM_SERVICE_FILE", default_value = "rooms.db", value_name = "PATH")]
    pub file: PathBuf,

    /// The Redis behind `/api/room/redis/…`, such as `redis://127.0.0.1:6379/`.
    #[arg(long, env = "ROOM_SERVICE_REDIS", hide_env_values = true, value_name = "URL")]
    pub redis: Option<SecretString>,

    /// What the names of all keys in Redis begin with.
    #[arg(
        long,
        env = "ROOM_SERVICE_REDIS_PREFIX",
        default_value = "room-registry:",
        value_name = "PREFIX"
    )]
    pub redis_prefix: String,

    #[command(flatten)]
    pub rules: RuleSettings,
    #[command(flatten)]
    pub access: AccessSettings,
    #[command(flatten)]
    pub callbacks: CallbackSettings,
    #[command(flatten)]
    pub media_server: MediaServerSettings,
    #[command(flatten)]
    pub limits: Limits,

    /// What log lines look like.
    #[arg(long, env = "ROOM_SERVICE_LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    pub log_format: LogFormat,

    /// What is logged: a level, or levels by module such as `info,room_service=debug`.
    #[arg(long, env = "ROOM_SERVICE_LOG", default_value = "info", value_name = "FILTER")]
    pub log: String,
}

/// Settings that make no sense.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("--{name}-file: {error}")]
    Unreadable { name: &'static str, error: std::io::Error },
    #[error("--{name}: the secret is empty")]
    Empty { name: &'static str },
    #[error("--{name}: the secret is longer than {MAX_SECRET_LEN} bytes")]
    TooLong { name: &'static str },
    #[error("--{name}: the secret is too short, it needs at least {least} bytes")]
    TooShort { name: &'static str, least: usize },
    #[error("--{name} is missing")]
    Missing { name: &'static str },
    #[error("--{name}: {reason}")]
    Malformed { name: &'static str, reason: String },
    #[error(transparent)]
    Rules(#[from] ConfigError),
}
