//! The rules of rooms.

use std::time::Duration;

use clap::Args;
use room_registry::{Config, ConfigError, Lifecycle};

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

    /// What ends a room whose client names no lifecycle. With `until_ended`, a room stays listed, empty,
    /// until somebody ends it; with `until_empty` it ends a grace after the last one left.
    #[arg(
        long,
        env = "ROOM_SERVICE_DEFAULT_LIFECYCLE",
        default_value = "until_ended",
        value_name = "LIFECYCLE",
        value_parser = lifecycle,
    )]
    pub default_lifecycle: Lifecycle,

    /// How long a room that lives until it is empty stays with nobody in it.
    #[arg(long, env = "ROOM_SERVICE_EMPTY_GRACE", default_value_t = 60, value_name = "SECONDS")]
    pub empty_grace: u64,

    /// How long a room is listed that no command created and that is empty; 0 for ever.
    #[arg(
        long,
        env = "ROOM_SERVICE_EMPTY_LISTING_TIME",
        default_value_t = 300,
        value_name = "SECONDS"
    )]
    pub empty_listing_time: u64,

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
            .empty_listing_time(
                Some(Duration::from_secs(self.empty_listing_time)).filter(|time| !time.is_zero()),
            )
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

/// A lifecycle by its name on the wire.
pub fn lifecycle(name: &str) -> Result<Lifecycle, String> {
    let name = serde_json::Value::String(name.to_owned());
    serde_json::from_value(name).map_err(|_| {
        "not one of until_ended, until_empty, follows_session and permanent".to_owned()
    })
}
