//! The settings: each by a flag, and by an environment variable of the same name with the prefix
//! `ROOM_SERVICE_`.
//!
//! Secrets also come from files, as flags can be read by every user of the machine. None of them is
//! shown in help, logs, errors or debug output.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use room_registry::{Config, ConfigError, Lifecycle};
use secrecy::ExposeSecret;
pub use secrecy::SecretString;

use crate::demo::DemoSettings;

/// How long a secret may be, in bytes.
const MAX_SECRET_LEN: u64 = 4_096;

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
    /// What to do; serving where nothing is said.
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

/// The rules of rooms; all times in seconds.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Rules")]
pub struct RuleSettings {
    /// How long a membership holds after its last heartbeat.
    #[arg(
        long,
        env = "ROOM_SERVICE_HEARTBEAT_TIMEOUT",
        default_value_t = 90,
        value_name = "SECONDS"
    )]
    pub heartbeat_timeout: u64,

    /// How long a room that lives until it is empty stays with nobody in it.
    #[arg(long, env = "ROOM_SERVICE_EMPTY_GRACE", default_value_t = 60, value_name = "SECONDS")]
    pub empty_grace: u64,

    /// How long closings are remembered, and how late callbacks may be.
    #[arg(long, env = "ROOM_SERVICE_RETENTION", default_value_t = 600, value_name = "SECONDS")]
    pub retention: u64,

    /// How far the media server's clocks may be apart.
    #[arg(long, env = "ROOM_SERVICE_CLOCK_SKEW", default_value_t = 5, value_name = "SECONDS")]
    pub clock_skew: u64,

    /// A heartbeat that times out ends the user's logins as well.
    #[arg(long, env = "ROOM_SERVICE_HEARTBEATS_END_LOGINS")]
    pub heartbeats_end_logins: bool,

    /// Joining a room that is not there creates it, with this lifecycle.
    #[arg(
        long,
        env = "ROOM_SERVICE_AUTO_CREATE_ROOMS",
        value_name = "LIFECYCLE",
        value_parser = lifecycle,
    )]
    pub auto_create_rooms: Option<Lifecycle>,

    /// How many users a join lets into one room.
    #[arg(long, env = "ROOM_SERVICE_MAX_USERS_PER_ROOM", value_name = "N")]
    pub max_users_per_room: Option<usize>,

    /// How many rooms there may be.
    #[arg(long, env = "ROOM_SERVICE_MAX_ROOMS", value_name = "N")]
    pub max_rooms: Option<usize>,

    /// How many rooms one host may have.
    #[arg(long, env = "ROOM_SERVICE_MAX_ROOMS_PER_HOST", value_name = "N")]
    pub max_rooms_per_host: Option<usize>,

    /// How long a sign of a lost callback is there before the media server is asked.
    #[arg(long, env = "ROOM_SERVICE_ASK_AFTER", default_value_t = 20, value_name = "SECONDS")]
    pub ask_after: u64,

    /// How long a sign of a lost callback is there before it is reported.
    #[arg(long, env = "ROOM_SERVICE_REPORT_AFTER", default_value_t = 90, value_name = "SECONDS")]
    pub report_after: u64,

    /// After how long a silence the last change of a room is confirmed.
    #[arg(long, env = "ROOM_SERVICE_QUIET_FOR", default_value_t = 60, value_name = "SECONDS")]
    pub quiet_for: u64,

    /// How many questions a second the media server is asked at most; 0 asks nothing.
    #[arg(
        long,
        env = "ROOM_SERVICE_REPAIR_CALLS_PER_SECOND",
        default_value_t = 10,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(0..=250),
    )]
    pub repair_calls_per_second: u32,
}

impl RuleSettings {
    /// The same, for the library.
    pub fn config(&self) -> Result<Config, ConfigError> {
        Config::builder()
            .heartbeat_timeout(Duration::from_secs(self.heartbeat_timeout))
            .empty_grace(Duration::from_secs(self.empty_grace))
            .retention(Some(Duration::from_secs(self.retention)))
            .clock_skew(Duration::from_secs(self.clock_skew))
            .heartbeats_end_logins(self.heartbeats_end_logins)
            .auto_create_rooms(self.auto_create_rooms)
            .max_users_per_room(self.max_users_per_room)
            .max_rooms(self.max_rooms)
            .max_rooms_per_host(self.max_rooms_per_host)
            .ask_after(Duration::from_secs(self.ask_after))
            .report_after(Duration::from_secs(self.report_after))
            .quiet_for(Duration::from_secs(self.quiet_for))
            .repair_calls_per_second(self.repair_calls_per_second)
            .build()
    }
}

/// Who may do what. Without any of these everybody may do everything.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Access (without any of these everybody may do everything)")]
pub struct AccessSettings {
    /// The token of the app's own server, which may do everything.
    #[arg(long, env = "ROOM_SERVICE_SERVER_TOKEN", hide_env_values = true, value_name = "SECRET")]
    pub server_token: Option<SecretString>,

    /// A file with the server token.
    #[arg(
        long,
        env = "ROOM_SERVICE_SERVER_TOKEN_FILE",
        conflicts_with = "server_token",
        value_name = "PATH"
    )]
    pub server_token_file: Option<PathBuf>,

    #[command(flatten)]
    pub key: TokenKeySettings,
}

/// The key that user tokens are signed with.
#[derive(Debug, Clone, Default, Args)]
pub struct TokenKeySettings {
    /// The key that user tokens are signed with (HMAC-SHA256), at least 16 bytes.
    #[arg(long, env = "ROOM_SERVICE_TOKEN_KEY", hide_env_values = true, value_name = "SECRET")]
    pub token_key: Option<SecretString>,

    /// A file with the key of user tokens.
    #[arg(
        long,
        env = "ROOM_SERVICE_TOKEN_KEY_FILE",
        conflicts_with = "token_key",
        value_name = "PATH"
    )]
    pub token_key_file: Option<PathBuf>,
}

impl TokenKeySettings {
    pub fn key(&self) -> Result<Option<SecretString>, SettingsError> {
        secret("token-key", self.token_key.as_ref(), self.token_key_file.as_deref())
    }
}

impl AccessSettings {
    pub fn server_token(&self) -> Result<Option<SecretString>, SettingsError> {
        secret("server-token", self.server_token.as_ref(), self.server_token_file.as_deref())
    }
}

/// What the media server calls.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Callbacks")]
pub struct CallbackSettings {
    /// The secret that the media server signs its callbacks with. Without it any callback is
    /// believed.
    #[arg(
        long,
        env = "ROOM_SERVICE_CALLBACK_SECRET",
        hide_env_values = true,
        value_name = "SECRET"
    )]
    pub callback_secret: Option<SecretString>,

    /// A file with the callback secret.
    #[arg(
        long,
        env = "ROOM_SERVICE_CALLBACK_SECRET_FILE",
        conflicts_with = "callback_secret",
        value_name = "PATH"
    )]
    pub callback_secret_file: Option<PathBuf>,

    /// How far the time that a callback is signed with may be from ours. The vendor tries again for
    /// 62 seconds, with the time of the first try.
    #[arg(
        long,
        env = "ROOM_SERVICE_CALLBACK_WINDOW",
        default_value_t = 300,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..=86_400),
    )]
    pub callback_window: u64,
}

impl CallbackSettings {
    pub fn secret(&self) -> Result<Option<SecretString>, SettingsError> {
        secret(
            "callback-secret",
            self.callback_secret.as_ref(),
            self.callback_secret_file.as_deref(),
        )
    }
}

/// Whom to ask about lost callbacks.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Repair (without an app id and secret nothing is asked)")]
pub struct MediaServerSettings {
    /// The app's number at the vendor.
    #[arg(long, env = "ROOM_SERVICE_ZEGO_APP_ID", value_name = "NUMBER")]
    pub zego_app_id: Option<u32>,

    /// The server secret of that app.
    #[arg(
        long,
        env = "ROOM_SERVICE_ZEGO_SERVER_SECRET",
        hide_env_values = true,
        value_name = "SECRET"
    )]
    pub zego_server_secret: Option<SecretString>,

    /// A file with the server secret.
    #[arg(
        long,
        env = "ROOM_SERVICE_ZEGO_SERVER_SECRET_FILE",
        conflicts_with = "zego_server_secret",
        value_name = "PATH"
    )]
    pub zego_server_secret_file: Option<PathBuf>,

    /// Where the vendor's API is.
    #[arg(
        long,
        env = "ROOM_SERVICE_ZEGO_URL",
        default_value = "https://rtc-api.zego.im/",
        value_name = "URL"
    )]
    pub zego_url: String,
}

impl MediaServerSettings {
    pub fn server_secret(&self) -> Result<Option<SecretString>, SettingsError> {
        secret(
            "zego-server-secret",
            self.zego_server_secret.as_ref(),
            self.zego_server_secret_file.as_deref(),
        )
    }
}

/// What a client may take.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct Limits {
    /// How many connections there may be at a time; more have to wait.
    #[arg(
        long,
        env = "ROOM_SERVICE_MAX_CONNECTIONS",
        default_value_t = 4_096,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000),
    )]
    pub max_connections: u32,

    /// How many of them may listen to `/events` at a time.
    #[arg(
        long,
        env = "ROOM_SERVICE_MAX_LISTENERS",
        default_value_t = 1_000,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(0..=1_000_000),
    )]
    pub max_listeners: u32,

    /// How long a client may take to send a request, and to read some of the answer.
    #[arg(
        long,
        env = "ROOM_SERVICE_CLIENT_TIMEOUT",
        default_value = "10",
        value_name = "SECONDS",
        value_parser = seconds,
    )]
    pub client_timeout: Duration,

    /// How long a request may take in all, before it is given up.
    #[arg(
        long,
        env = "ROOM_SERVICE_REQUEST_TIMEOUT",
        default_value = "20",
        value_name = "SECONDS",
        value_parser = seconds,
    )]
    pub request_timeout: Duration,

    /// How long requests under way may take to finish when the service is told to stop.
    #[arg(
        long,
        env = "ROOM_SERVICE_STOP_TIMEOUT",
        default_value = "10",
        value_name = "SECONDS",
        value_parser = seconds,
    )]
    pub stop_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 4_096,
            max_listeners: 1_000,
            client_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(20),
            stop_timeout: Duration::from_secs(10),
        }
    }
}

/// A token to make.
#[derive(Debug, Clone, Args)]
pub struct TokenSettings {
    /// The room.
    #[arg(long, value_name = "ID")]
    pub room: String,

    /// The user.
    #[arg(long, value_name = "ID")]
    pub user: String,

    /// What the user is in the room; a host may end and change it.
    #[arg(long, default_value = "audience", value_name = "ROLE")]
    pub role: String,

    /// For how long the token is good.
    #[arg(
        long,
        default_value_t = 3_600,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..=31_536_000),
    )]
    pub valid_for: u64,

    #[command(flatten)]
    pub key: TokenKeySettings,
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

/// A secret from its setting or its file, without the white space around it.
fn secret(
    name: &'static str,
    value: Option<&SecretString>,
    file: Option<&Path>,
) -> Result<Option<SecretString>, SettingsError> {
    let secret = match (value, file) {
        (Some(value), _) => SecretString::from(value.expose_secret().trim()),
        (None, Some(path)) => {
            let unreadable = |error| SettingsError::Unreadable { name, error };
            if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_SECRET_LEN {
                return Err(SettingsError::TooLong { name });
            }
            let text = SecretString::from(std::fs::read_to_string(path).map_err(unreadable)?);
            SecretString::from(text.expose_secret().trim())
        }
        (None, None) => return Ok(None),
    };
    if secret.expose_secret().is_empty() {
        return Err(SettingsError::Empty { name });
    }
    Ok(Some(secret))
}

/// A lifecycle by its name on the wire.
pub fn lifecycle(name: &str) -> Result<Lifecycle, String> {
    let name = serde_json::Value::String(name.to_owned());
    serde_json::from_value(name).map_err(|_| {
        "not one of until_ended, until_empty, follows_session and permanent".to_owned()
    })
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 1..=86_400) => Ok(Duration::from_secs(seconds)),
        Ok(_) | Err(_) => Err("not a number of seconds from 1 to 86400".to_owned()),
    }
}
