//! What a client may take.

use std::time::Duration;

use clap::Args;

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

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 1..=86_400) => Ok(Duration::from_secs(seconds)),
        Ok(_) | Err(_) => Err("not a number of seconds from 1 to 86400".to_owned()),
    }
}
