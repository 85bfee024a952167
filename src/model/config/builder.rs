//! How settings are made: one by one, then checked against each other.

use std::time::Duration;

use crate::model::command::Lifecycle;
use crate::model::config::{Config, ConfigError};
use crate::model::time::millis;

/// Builds a [`Config`]. Spans count in whole milliseconds; parts of one are dropped.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use room_registry::{Config, Lifecycle};
///
/// let config = Config::builder()
///     .heartbeat_timeout(Duration::from_secs(45))
///     .empty_grace(Duration::from_secs(20))
///     .clock_skew(Duration::from_secs(2))
///     .tie_window(Duration::from_millis(50))
///     .retention(None)
///     .future_guard(Duration::from_secs(60))
///     .infer_sessions(false)
///     .empty_means_closed(false)
///     .ask_after(Duration::from_secs(30))
///     .report_after(Duration::from_secs(120))
///     .quiet_for(Duration::from_secs(90))
///     .repair_calls_per_second(50)
///     .heartbeats_end_logins(true)
///     .auto_create_rooms(Some(Lifecycle::UntilEmpty))
///     .max_users_per_room(Some(500))
///     .max_rooms(Some(10_000))
///     .max_rooms_per_host(Some(3))
///     .build()?;
/// assert_eq!(config.max_rooms_per_host(), Some(3));
/// # Ok::<(), room_registry::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct ConfigBuilder {
    pub(super) config: Config,
}

impl ConfigBuilder {
    /// How long a membership holds after its last heartbeat: exactly this long is in time.
    /// Default 90 s, three times the usual heartbeat interval of 30 s.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use room_registry::Config;
    /// let config = Config::builder().heartbeat_timeout(Duration::from_secs(30)).build()?;
    /// assert_eq!(config.heartbeat_timeout(), Duration::from_secs(30));
    /// # Ok::<(), room_registry::ConfigError>(())
    /// ```
    pub fn heartbeat_timeout(mut self, span: Duration) -> Self {
        self.config.heartbeat_timeout_ms = millis(span);
        self
    }

    /// How long a room of [`Lifecycle::UntilEmpty`] stays with nobody in it. Default 60 s; zero
    /// ends it at the next [`expire`](crate::RoomRegistry::expire).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use room_registry::Config;
    /// let config = Config::builder().empty_grace(Duration::ZERO).build()?;
    /// assert_eq!(config.empty_grace(), Duration::ZERO);
    /// # Ok::<(), room_registry::ConfigError>(())
    /// ```
    pub fn empty_grace(mut self, span: Duration) -> Self {
        self.config.empty_grace_ms = millis(span);
        self
    }

    /// How far apart the vendor's own clocks may be. Default 5 s. It must exceed how much earlier
    /// than the creation of its room the first login can be stamped.
    ///
    /// Steps back of our clock up to this size read as standing still.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use room_registry::Config;
    /// let config = Config::builder().clock_skew(Duration::from_secs(2)).build()?;
    /// assert_eq!(config.clock_skew(), Duration::from_secs(2));
    /// # Ok::<(), room_registry::ConfigError>(())
    /// ```
    pub fn clock_skew(mut self, span: Duration) -> Self {
        self.config.fingerprint.clock_skew_ms = millis(span);
        self
    }

    /// How close in time two openings are not ordered by time; at most the clock skew. Default
    /// 100 ms. The vendor's clocks may differ by half of it, and the clock skew should be half as
    /// long again: else the close of a short session that another follows within the window is
    /// lost where it is stamped before its own creation.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use room_registry::Config;
    /// assert!(Config::builder().tie_window(Duration::from_secs(6)).build().is_err()); // skew 5 s
    /// ```
    pub fn tie_window(mut self, span: Duration) -> Self {
        self.config.fingerprint.tie_window_ms = millis(span);
        self
    }

    /// How long closings are remembered, and how late an opening may be. Default 10 min; keep it
    /// well above the 62 s for which the first vendor retries. `None` remembers for ever, and its
    /// memory grows with every room and user that ever was.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use room_registry::Config;
    /// let config = Config::builder().retention(None).build()?;
    /// assert_eq!(config.retention(), None);
    /// # Ok::<(), room_registry::ConfigError>(())
    /// ```
    pub fn retention(mut self, span: Option<Duration>) -> Self {
        self.config.fingerprint.retention_ms = span.map(millis);
        self
    }

    /// How far in the future a callback may be stamped before it is refused. Default 10 min. One
    /// far-future creation would outrank every real one.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use room_registry::Config;
    /// let config = Config::builder().future_guard(Duration::from_secs(60)).build()?;
    /// assert_eq!(config.future_guard(), Duration::from_secs(60));
    /// # Ok::<(), room_registry::ConfigError>(())
    /// ```
    pub fn future_guard(mut self, span: Duration) -> Self {
        self.config.future_guard_ms = millis(span);
        self
    }

    /// Whether a session whose create callback is missing is shown on the evidence of its users
    /// and streams. Default on.
    ///
    /// ```
    /// # use room_registry::Config;
    /// assert!(!Config::builder().infer_sessions(false).build()?.infer_sessions());
    /// # Ok::<(), room_registry::ConfigError>(())
    /// ```
    pub fn infer_sessions(mut self, on: bool) -> Self {
        self.config.fingerprint.infer_sessions = on;
        self
    }

    /// Whether an observation of no user in the whole list means that the room is not open, where
    /// the answer does not say. Default on, as the first vendor destroys a room with its last user;
    /// off for vendors whose rooms can stay open and empty.
    ///
    /// ```
    /// # use room_registry::Config;
    /// assert!(!Config::builder().empty_means_closed(false).build()?.empty_means_closed());
    /// # Ok::<(), room_registry::ConfigError>(())
    /// ```
    pub fn empty_means_closed(mut self, on: bool) -> Self {
        self.config.fingerprint.empty_means_closed = on;
        self
    }

    /// How long a sign of a lost callback must be there before the media server is worth asking.
    /// Default 20 s: what is merely late has mostly come by then, and the damage stays small. At
    /// least the clock skew, since an answer tells nothing of what is younger.
    ///
    /// ```
    /// # use room_registry::Config;
    /// # use std::time::Duration;
    /// let config = Config::builder().ask_after(Duration::from_secs(30)).build()?;
    /// assert_eq!(config.ask_after().as_secs(), 30);
    /// # Ok::<(), room_registry::ConfigError>(())
    /// ```
    pub fn ask_after(mut self, span: Duration) -> Self {
        self.config.ask_after_ms = millis(span);
        self
    }

    /// How long a sign of a lost callback must be there before it is reported as a suspicion.
    /// Default 90 s, more than the vendor's longest retry.
    ///
    /// ```
    /// # use room_registry::Config;
    /// # use std::time::Duration;
    /// let config = Config::builder().report_after(Duration::from_secs(120)).build()?;
    /// assert_eq!(config.report_after().as_secs(), 120);
    /// # Ok::<(), room_registry::ConfigError>(())
    /// ```
    pub fn report_after(mut self, span: Duration) -> Self {
        self.config.report_after_ms = millis(span);
        self
    }

    /// After how long a silence the last change of a room is worth confirming: that nothing came
    /// after it may mean that what came is lost. Default 60 s.
    ///
    /// ```
    /// # use room_registry::Config;
    /// # use std::time::Duration;
    /// let config = Config::builder().quiet_for(Duration::from_secs(30)).build()?;
    /// assert_eq!(config.quiet_for().as_secs(), 30);
    /// # Ok::<(), room_registry::ConfigError>(())
    /// ```
    pub fn quiet_for(mut self, span: Duration) -> Self {
        self.config.quiet_for_ms = millis(span);
        self
    }

    /// How many calls a second the questions to the media server may cost, one call being one list.
    /// Default 10; 0 asks nothing.
    ///
    /// ```
    /// # use room_registry::Config;
    /// # use std::time::Duration;
    /// let config = Config::builder().repair_calls_per_second(50).build()?;
    /// assert_eq!(config.repair_calls_per_second(), 50);
    /// # Ok::<(), room_registry::ConfigError>(())
    /// ```
    pub fn repair_calls_per_second(mut self, calls: u32) -> Self {
        self.config.repair_calls_per_second = calls;
        self
    }

    /// Whether a heartbeat that times out ends the user's logins as well. Default off: the media
    /// server still has the user.
    ///
    /// ```
    /// # use room_registry::Config;
    /// assert!(Config::builder().heartbeats_end_logins(true).build()?.heartbeats_end_logins());
    /// # Ok::<(), room_registry::ConfigError>(())
    /// ```
    pub fn heartbeats_end_logins(mut self, on: bool) -> Self {
        self.config.heartbeats_end_logins = on;
        self
    }

    /// Lets a join of an unknown room create it, with this lifecycle and the joining user as its
    /// host. Default off.
    ///
    /// ```
    /// # use room_registry::{Config, Lifecycle};
    /// let config = Config::builder().auto_create_rooms(Some(Lifecycle::UntilEmpty)).build()?;
    /// assert_eq!(config.auto_create_rooms(), Some(Lifecycle::UntilEmpty));
    /// # Ok::<(), room_registry::ConfigError>(())
    /// ```
    pub fn auto_create_rooms(mut self, lifecycle: Option<Lifecycle>) -> Self {
        self.config.auto_create_rooms = lifecycle;
        self
    }

    /// How many users a join lets into one room. Default none. Callbacks are never refused by a
    /// limit, else their order would matter.
    ///
    /// ```
    /// # use room_registry::Config;
    /// assert!(Config::builder().max_users_per_room(Some(0)).build().is_err());
    /// ```
    pub fn max_users_per_room(mut self, limit: Option<usize>) -> Self {
        self.config.max_users_per_room = limit;
        self
    }

    /// How many rooms may be listed when one more is created. Default none.
    ///
    /// ```
    /// # use room_registry::Config;
    /// assert!(Config::builder().max_rooms(Some(0)).build().is_err());
    /// ```
    pub fn max_rooms(mut self, limit: Option<usize>) -> Self {
        self.config.max_rooms = limit;
        self
    }

    /// How many created rooms one host may have. Default none.
    ///
    /// ```
    /// # use room_registry::Config;
    /// assert!(Config::builder().max_rooms_per_host(Some(0)).build().is_err());
    /// ```
    pub fn max_rooms_per_host(mut self, limit: Option<usize>) -> Self {
        self.config.max_rooms_per_host = limit;
        self
    }

    /// Checks the settings against each other.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the setting that makes no sense.
    ///
    /// ```
    /// # use room_registry::Config;
    /// assert!(Config::builder().build().is_ok());
    /// ```
    pub fn build(self) -> Result<Config, ConfigError> {
        let config = self.config;
        let rules = &config.fingerprint;
        if config.heartbeat_timeout_ms == 0 {
            return Err(ConfigError::ZeroHeartbeatTimeout);
        }
        if rules.tie_window_ms > rules.clock_skew_ms {
            return Err(ConfigError::TieWindowAboveClockSkew {
                tie_window: config.tie_window(),
                clock_skew: config.clock_skew(),
            });
        }
        if let Some(retention) = config.retention() {
            if retention.is_zero() {
                return Err(ConfigError::ZeroRetention);
            }
            if retention < config.tie_window() {
                return Err(ConfigError::RetentionBelowTieWindow {
                    retention,
                    tie_window: config.tie_window(),
                });
            }
        }
        let limits = [
            ("users a room", config.max_users_per_room),
            ("rooms", config.max_rooms),
            ("rooms a host", config.max_rooms_per_host),
        ];
        match limits.into_iter().find(|(_, limit)| *limit == Some(0)) {
            Some((what, _)) => Err(ConfigError::ZeroLimit { what }),
            None => Ok(config),
        }
    }
}
