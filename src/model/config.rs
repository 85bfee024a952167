//! The settings of a registry, checked when built.

mod builder;

use std::fmt;
use std::time::Duration;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::command::Lifecycle;
pub use builder::ConfigBuilder;

/// The settings of a registry or of rooms on their own. Made by [`Config::builder`]; the default is
/// a sound choice for the first vendor.
///
/// | setting | default |
/// |---|---|
/// | [`heartbeat_timeout`](ConfigBuilder::heartbeat_timeout) | 90 s |
/// | [`empty_grace`](ConfigBuilder::empty_grace) | 60 s |
/// | [`clock_skew`](ConfigBuilder::clock_skew) | 5 s |
/// | [`tie_window`](ConfigBuilder::tie_window) | 100 ms |
/// | [`retention`](ConfigBuilder::retention) | 10 min |
/// | [`future_guard`](ConfigBuilder::future_guard) | 10 min |
/// | [`infer_sessions`](ConfigBuilder::infer_sessions) | on |
/// | [`empty_means_closed`](ConfigBuilder::empty_means_closed) | on |
/// | [`ask_after`](ConfigBuilder::ask_after) | 20 s |
/// | [`report_after`](ConfigBuilder::report_after) | 90 s |
/// | [`quiet_for`](ConfigBuilder::quiet_for) | 60 s |
/// | [`repair_calls_per_second`](ConfigBuilder::repair_calls_per_second) | 10 |
/// | [`heartbeats_end_logins`](ConfigBuilder::heartbeats_end_logins) | off |
/// | [`auto_create_rooms`](ConfigBuilder::auto_create_rooms) | off |
/// | [`max_users_per_room`](ConfigBuilder::max_users_per_room), [`max_rooms`](ConfigBuilder::max_rooms), [`max_rooms_per_host`](ConfigBuilder::max_rooms_per_host) | none |
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use room_registry::Config;
///
/// let config = Config::builder()
///     .heartbeat_timeout(Duration::from_secs(30))
///     .retention(Some(Duration::from_secs(15 * 60)))
///     .build()?;
/// assert_eq!(config.heartbeat_timeout(), Duration::from_secs(30));
/// # Ok::<(), room_registry::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) heartbeat_timeout_ms: u64,
    pub(crate) empty_grace_ms: u64,
    pub(crate) future_guard_ms: u64,
    pub(crate) ask_after_ms: u64,
    pub(crate) report_after_ms: u64,
    pub(crate) quiet_for_ms: u64,
    pub(crate) repair_calls_per_second: u32,
    pub(crate) heartbeats_end_logins: bool,
    pub(crate) auto_create_rooms: Option<Lifecycle>,
    pub(crate) max_users_per_room: Option<usize>,
    pub(crate) max_rooms: Option<usize>,
    pub(crate) max_rooms_per_host: Option<usize>,
}

/// The settings that decide what a room stores. Rooms and snapshots carry them; rooms made under
/// different ones do not merge and are not imported.
///
/// The other settings (timeouts, graces, guards, limits) may differ from process to process and
/// from day to day.
///
/// # Example
///
/// ```
/// use room_registry::Config;
/// assert_eq!(
///     Config::default().fingerprint().to_string(),
///     "clock skew 5000 ms, tie window 100 ms, retention 600000 ms, sessions inferred, empty is closed",
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Fingerprint {
    pub(crate) clock_skew_ms: u64,
    pub(crate) tie_window_ms: u64,
    pub(crate) retention_ms: Option<u64>,
    pub(crate) infer_sessions: bool,
    pub(crate) empty_means_closed: bool,
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "clock skew {} ms, tie window {} ms, ", self.clock_skew_ms, self.tie_window_ms)?;
        match self.retention_ms {
            Some(retention) => write!(f, "retention {retention} ms, ")?,
            None => f.write_str("no retention, ")?,
        }
        let inferred = if self.infer_sessions { "inferred" } else { "not inferred" };
        let empty = if self.empty_means_closed { "closed" } else { "not closed" };
        write!(f, "sessions {inferred}, empty is {empty}")
    }
}

/// Why settings make no sense together.
///
/// ```
/// use std::time::Duration;
/// use room_registry::{Config, ConfigError};
/// let error = Config::builder().heartbeat_timeout(Duration::ZERO).build().unwrap_err();
/// assert_eq!(error, ConfigError::ZeroHeartbeatTimeout);
/// assert_eq!(error.to_string(), "the heartbeat timeout must be at least 1 ms");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Every membership would end at once.
    #[error("the heartbeat timeout must be at least 1 ms")]
    ZeroHeartbeatTimeout,
    /// Openings further apart than the clocks differ are ordered by time.
    #[error("the tie window ({tie_window:?}) must not exceed the clock skew ({clock_skew:?})")]
    TieWindowAboveClockSkew {
        /// The tie window asked for.
        tie_window: Duration,
        /// The clock skew asked for.
        clock_skew: Duration,
    },
    /// Closings would be forgotten before what they tie with.
    #[error("the retention ({retention:?}) must not be below the tie window ({tie_window:?})")]
    RetentionBelowTieWindow {
        /// The retention asked for.
        retention: Duration,
        /// The tie window asked for.
        tie_window: Duration,
    },
    /// Every closing would be too late at once.
    #[error("the retention must be at least 1 ms, or none")]
    ZeroRetention,
    /// Nothing could ever be let in.
    #[error("the limit on {what} must be at least 1, or none")]
    ZeroLimit {
        /// Which limit.
        what: &'static str,
    },
}

impl Default for Config {
    fn default() -> Self {
        Self {
            fingerprint: Fingerprint {
                clock_skew_ms: 5_000,
                tie_window_ms: 100,
                retention_ms: Some(600_000),
                infer_sessions: true,
                empty_means_closed: true,
            },
            heartbeat_timeout_ms: 90_000,
            empty_grace_ms: 60_000,
            future_guard_ms: 600_000,
            ask_after_ms: 20_000,
            report_after_ms: 90_000,
            quiet_for_ms: 60_000,
            repair_calls_per_second: 10,
            heartbeats_end_logins: false,
            auto_create_rooms: None,
            max_users_per_room: None,
            max_rooms: None,
            max_rooms_per_host: None,
        }
    }
}

impl Config {
    /// Starts from the defaults.
    ///
    /// ```
    /// # use room_registry::Config;
    /// assert_eq!(Config::builder().build()?, Config::default());
    /// # Ok::<(), room_registry::ConfigError>(())
    /// ```
    pub fn builder() -> ConfigBuilder {
        ConfigBuilder { config: Self::default() }
    }

    /// The settings that decide what a room stores.
    ///
    /// ```
    /// # use room_registry::Config;
    /// let other = Config::builder().max_rooms(Some(10)).build()?;
    /// assert_eq!(other.fingerprint(), Config::default().fingerprint()); // limits don't count
    /// # Ok::<(), room_registry::ConfigError>(())
    /// ```
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// How long a membership holds after its last heartbeat.
    ///
    /// ```
    /// # use room_registry::Config;
    /// assert_eq!(Config::default().heartbeat_timeout().as_secs(), 90);
    /// ```
    #[must_use]
    pub fn heartbeat_timeout(&self) -> Duration {
        Duration::from_millis(self.heartbeat_timeout_ms)
    }

    /// How long a room that lives until it is empty stays without anybody in it.
    ///
    /// ```
    /// # use room_registry::Config;
    /// assert_eq!(Config::default().empty_grace().as_secs(), 60);
    /// ```
    #[must_use]
    pub fn empty_grace(&self) -> Duration {
        Duration::from_millis(self.empty_grace_ms)
    }

    /// How far apart the vendor's own clocks may be.
    ///
    /// ```
    /// # use room_registry::Config;
    /// assert_eq!(Config::default().clock_skew().as_secs(), 5);
    /// ```
    #[must_use]
    pub fn clock_skew(&self) -> Duration {
        Duration::from_millis(self.fingerprint.clock_skew_ms)
    }

    /// How close in time two openings are not ordered by time.
    ///
    /// ```
    /// # use room_registry::Config;
    /// assert_eq!(Config::default().tie_window().as_millis(), 100);
    /// ```
    #[must_use]
    pub fn tie_window(&self) -> Duration {
        Duration::from_millis(self.fingerprint.tie_window_ms)
    }

    /// How long closings are remembered, and how late an opening may be.
    ///
    /// ```
    /// # use room_registry::Config;
    /// assert_eq!(Config::default().retention().unwrap().as_secs(), 600);
    /// ```
    #[must_use]
    pub fn retention(&self) -> Option<Duration> {
        self.fingerprint.retention_ms.map(Duration::from_millis)
    }

    /// How far in the future a callback may be stamped.
    ///
    /// ```
    /// # use room_registry::Config;
    /// assert_eq!(Config::default().future_guard().as_secs(), 600);
    /// ```
    #[must_use]
    pub fn future_guard(&self) -> Duration {
        Duration::from_millis(self.future_guard_ms)
    }

    /// Whether a session whose create callback is missing is shown on the evidence of its users
    /// and streams.
    ///
    /// ```
    /// # use room_registry::Config;
    /// assert!(Config::default().infer_sessions());
    /// ```
    #[must_use]
    pub fn infer_sessions(&self) -> bool {
        self.fingerprint.infer_sessions
    }

    /// Whether an observation of no user in the whole list means that the room is not open.
    ///
    /// ```
    /// # use room_registry::Config;
    /// assert!(Config::default().empty_means_closed());
    /// ```
    #[must_use]
    pub fn empty_means_closed(&self) -> bool {
        self.fingerprint.empty_means_closed
    }

    /// How long a sign of a lost callback must be there before the media server is worth asking.
    ///
    /// ```
    /// # use room_registry::Config;
    /// assert_eq!(Config::default().ask_after().as_secs(), 20);
    /// ```
    #[must_use]
    pub fn ask_after(&self) -> Duration {
        Duration::from_millis(self.ask_after_ms)
    }

    /// How long a sign of a lost callback must be there before it is reported.
    ///
    /// ```
    /// # use room_registry::Config;
    /// assert_eq!(Config::default().report_after().as_secs(), 90);
    /// ```
    #[must_use]
    pub fn report_after(&self) -> Duration {
        Duration::from_millis(self.report_after_ms)
    }

    /// After how long a silence the last change of a room is worth confirming.
    ///
    /// ```
    /// # use room_registry::Config;
    /// assert_eq!(Config::default().quiet_for().as_secs(), 60);
    /// ```
    #[must_use]
    pub fn quiet_for(&self) -> Duration {
        Duration::from_millis(self.quiet_for_ms)
    }

    /// How many calls a second the questions to the media server may cost.
    ///
    /// ```
    /// # use room_registry::Config;
    /// assert_eq!(Config::default().repair_calls_per_second(), 10);
    /// ```
    #[must_use]
    pub fn repair_calls_per_second(&self) -> u32 {
        self.repair_calls_per_second
    }

    /// Whether a heartbeat that times out ends the user's logins as well.
    ///
    /// ```
    /// # use room_registry::Config;
    /// assert!(!Config::default().heartbeats_end_logins());
    /// ```
    #[must_use]
    pub fn heartbeats_end_logins(&self) -> bool {
        self.heartbeats_end_logins
    }

    /// The lifecycle of a room that is created by the first user who joins it, or none where a join
    /// does not create.
    ///
    /// ```
    /// # use room_registry::Config;
    /// assert_eq!(Config::default().auto_create_rooms(), None);
    /// ```
    #[must_use]
    pub fn auto_create_rooms(&self) -> Option<Lifecycle> {
        self.auto_create_rooms
    }

    /// How many users a join lets into one room.
    ///
    /// ```
    /// # use room_registry::Config;
    /// assert_eq!(Config::default().max_users_per_room(), None);
    /// ```
    #[must_use]
    pub fn max_users_per_room(&self) -> Option<usize> {
        self.max_users_per_room
    }

    /// How many rooms may be listed when one more is created.
    ///
    /// ```
    /// # use room_registry::Config;
    /// assert_eq!(Config::default().max_rooms(), None);
    /// ```
    #[must_use]
    pub fn max_rooms(&self) -> Option<usize> {
        self.max_rooms
    }

    /// How many created rooms one host may have.
    ///
    /// ```
    /// # use room_registry::Config;
    /// assert_eq!(Config::default().max_rooms_per_host(), None);
    /// ```
    #[must_use]
    pub fn max_rooms_per_host(&self) -> Option<usize> {
        self.max_rooms_per_host
    }
}
