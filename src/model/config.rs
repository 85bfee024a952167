//! The settings of a registry, checked when built.

#[cfg(feature = "serde")]
mod form;
mod table;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::command::Lifecycle;
#[cfg(feature = "serde")]
use crate::model::named::serialize_error;
use crate::model::suspicion::CanAsk;
use crate::model::text::{Role, Roles, Text};
use table::{changeable, form, optional_span, roles, settings, span, value};

settings! {
    /// The settings that decide what a room stores. Stored rooms and snapshots carry them. Rooms
    /// made under different rules neither merge nor import. [`Room::carry_over`](crate::Room::carry_over)
    /// and `RoomRegistry::restore_carried_over` bring them under other rules.
    ///
    /// The other settings of a [`Config`] (timeouts, graces, guards, limits) may differ from process
    /// to process, and may change from day to day.
    ///
    /// # Example
    ///
    /// ```
    /// use room_registry::Config;
    /// assert_eq!(
    ///     Config::default().rules().to_string(),
    ///     "clock skew 5000 ms, tie window 100 ms, retention 600000 ms, sessions inferred, empty is closed, \
    ///      listed 300000 ms while empty",
    /// );
    /// ```
    #[derive(Debug, Clone, PartialEq, Eq, Hash)]
    #[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
    pub struct Rules at rules {
        /// how far apart the clocks of the media server may be.
        ///
        /// The first login can be stamped earlier than the creation of its room, and the clock skew must
        /// exceed that difference. A step back of the local clock up to this size reads as standing still.
        clock_skew: Duration = Duration::from_secs(5), for example Duration::from_secs(2);
            kept as span in clock_skew_ms: u64,

        /// the span within which the times of two openings do not order them. It is at most the clock skew.
        ///
        /// The clocks of the media server may differ by half of the tie window. The clock skew
        /// should be at least one and a half times the tie window. Otherwise a close that is
        /// stamped before its own creation gets lost if another session follows within the window.
        tie_window: Duration = Duration::from_millis(100), for example Duration::from_millis(50);
            kept as span in tie_window_ms: u64,

        /// how long closings are remembered, and how late an opening may come. It is at least the tie
        /// window.
        ///
        /// Keep it well above the time for which the vendor retries, which is 62 s for ZEGOCLOUD. With
        /// `None`, closings are remembered for ever: memory grows with every room and user that ever was.
        retention: Option<Duration> = Some(Duration::from_secs(600)), for example None;
            kept as optional_span in retention_ms: Option<u64>,

        /// whether the users and streams of a session make it visible if its create callback is missing.
        ///
        /// Keep it on if a session may stay open and empty for longer than the retention. An answer can
        /// hide such a session, and once it is forgotten, nothing else shows who comes back.
        infer_sessions: bool = true, for example false;
            kept as value in infer_sessions: bool,

        /// whether an observation of a complete, empty list of users means that the room is not
        /// open, if the answer does not say.
        ///
        /// ZEGOCLOUD destroys a room when its last user leaves. Turn it off for vendors whose rooms
        /// can stay open and empty.
        empty_means_closed: bool = true, for example false;
            kept as value in empty_means_closed: bool,

        /// how long an empty room that no command created stays listed.
        ///
        /// ZEGOCLOUD reports that a room closed only if its `CloseRoom` call asked for that, and any
        /// close may get lost. Such a room leaves the list once nobody who counts and no stream was in it
        /// for this long (local time). [`expire`](crate::RoomRegistry::expire) takes it out, with
        /// [`Cause::EmptyRoom`](crate::Cause::EmptyRoom). The next login or stream lists it again. With
        /// `None`, it is listed until its close. A room that a command created follows its [`Lifecycle`].
        empty_listing_time: Option<Duration> = Some(Duration::from_secs(300)), for example None;
            kept as optional_span in empty_listing_ms: Option<u64>,

        /// the roles of users who do not count: recorders, bots, hidden operators, people in a waiting
        /// room.
        ///
        /// Such users are listed and marked. They do not count in the number of users, in the order by
        /// users, or towards a limit. A room with only such users is empty.
        uncounted_roles: Vec<Role> = Vec::<Role>::new(), for example vec![Role::ADMINISTRATOR];
            kept as roles in uncounted_roles: Roles,
    }
}

settings! {
    /// The settings of a registry, or of rooms on their own. [`Config::builder`] makes one. The
    /// defaults suit ZEGOCLOUD.
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
    ///
    /// # Settings
    ///
    /// [`Rules`] has those that decide what a room stores. The others are:
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Config with rules: SharedRules read as ConfigForm {
        /// how long a membership holds after its last heartbeat. A heartbeat after exactly this
        /// long is in time.
        ///
        /// The default is three times the usual interval of heartbeats.
        heartbeat_timeout: Duration = Duration::from_secs(90), for example Duration::from_secs(30);
            kept as span in heartbeat_timeout_ms: u64,

        /// how long a room of [`Lifecycle::UntilEmpty`] stays if nobody has come yet. A room may have a
        /// grace of its own.
        first_join_grace: Duration = Duration::from_secs(300), for example Duration::from_secs(60);
            kept as span in first_join_grace_ms: u64,

        /// how long a room of [`Lifecycle::UntilEmpty`] stays after the last one left. Zero ends it at
        /// the next [`expire`](crate::RoomRegistry::expire). A room may have a grace of its own.
        empty_grace: Duration = Duration::from_secs(60), for example Duration::ZERO;
            kept as span in empty_grace_ms: u64,

        /// how far in the future a callback may be stamped before it is refused.
        ///
        /// Without this guard, one creation from the far future would outrank every real one.
        future_guard: Duration = Duration::from_secs(600), for example Duration::from_secs(60);
            kept as span in future_guard_ms: u64,

        /// how long a sign of a lost callback must be there before the media server is asked. It counts as
        /// at least the clock skew, since an answer tells nothing about what is younger.
        ///
        /// After the default time, most late callbacks have come, and the damage is still small.
        ask_after: Duration = Duration::from_secs(20), for example Duration::from_secs(30);
            kept as span in ask_after_ms: u64,

        /// how long a sign of a lost callback must be there before it is reported as a suspicion.
        ///
        /// The default exceeds the time for which ZEGOCLOUD retries.
        report_after: Duration = Duration::from_secs(90), for example Duration::from_secs(120);
            kept as span in report_after_ms: u64,

        /// how long a room must be quiet before its last change is worth confirming: a later callback may
        /// have been lost.
        quiet_for: Duration = Duration::from_secs(60), for example Duration::from_secs(30);
            kept as span in quiet_for_ms: u64,

        /// how many calls a second the questions to the media server may cost. A call asks for one
        /// list; 0 asks for nothing.
        repair_calls_per_second: u32 = 10, for example 50;
            kept as value in repair_calls_per_second: u32,

        /// which lists of a room the media server can be asked for.
        ///
        /// [`next_question`](crate::RoomRegistry::next_question) proposes nothing else, and leaves out signs
        /// of loss that no answer could resolve.
        can_ask: CanAsk = CanAsk::Both, for example CanAsk::Users;
            kept as value in can_ask: CanAsk,

        /// whether a heartbeat that times out also ends the logins of the user.
        ///
        /// Off by default, because the media server still has the user.
        heartbeats_end_logins: bool = false, for example true;
            kept as value in heartbeats_end_logins: bool,

        /// the lifecycle of a room that a join creates, with the user who joins as its host. With `None`,
        /// no join creates a room.
        auto_create_rooms: Option<Lifecycle> = None, for example Some(Lifecycle::UntilEmpty);
            kept as value in auto_create_rooms: Option<Lifecycle>,

        /// whether the registry indexes the rooms of each user, for
        /// [`rooms_with_user`](crate::RoomRegistry::rooms_with_user).
        ///
        /// Off by default, because it takes about 150 bytes for each user of each room.
        index_users: bool = false, for example true;
            kept as value in index_users: bool,

        /// whether the registry indexes the rooms by name, for
        /// [`RoomQuery::name_prefix`](crate::RoomQuery::name_prefix).
        ///
        /// Off by default, because it takes about 100 bytes a room.
        index_names: bool = false, for example true;
            kept as value in index_names: bool,

        /// the keys of the attributes by which the registry indexes the rooms, for
        /// [`RoomQuery::attribute`](crate::RoomQuery::attribute).
        ///
        /// Empty by default, because each key takes about 125 bytes for each room that has it. The index
        /// holds the first 64 characters of each value.
        index_attributes: Vec<Text> = Vec::<Text>::new(), for example vec![Text::from("mode")];
            kept as value in index_attributes: Vec<Text>,

        /// how many users a room may have, checked at each join. At least 1; `None` means no limit.
        ///
        /// Limits never refuse a callback, because then the order of callbacks would matter.
        max_users_per_room: Option<usize> = None, for example Some(500);
            kept as value in max_users_per_room: Option<usize>,

        /// how many rooms may be listed, checked when one is created. At least 1; `None` means no limit.
        max_rooms: Option<usize> = None, for example Some(10_000);
            kept as value in max_rooms: Option<usize>,

        /// how many created rooms one host may have. At least 1; `None` means no limit.
        max_rooms_per_host: Option<usize> = None, for example Some(3);
            kept as value in max_rooms_per_host: Option<usize>,
    }
}

/// All rooms of a registry share them.
type SharedRules = Arc<Rules>;

/// Builds a [`Config`]. Spans count in whole milliseconds; the rest of a span is dropped.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use room_registry::{Config, Lifecycle};
///
/// let config = Config::builder()
///     .clock_skew(Duration::from_secs(2))
///     .tie_window(Duration::from_millis(50))
///     .auto_create_rooms(Some(Lifecycle::UntilEmpty))
///     .max_rooms_per_host(Some(3))
///     .build()?;
/// assert_eq!(config.max_rooms_per_host(), Some(3));
/// # Ok::<(), room_registry::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct ConfigBuilder {
    config: Config,
}

impl Config {
    /// Starts a builder from the defaults.
    ///
    /// ```
    /// # use room_registry::Config;
    /// assert_eq!(Config::builder().build()?, Config::default());
    /// # Ok::<(), room_registry::ConfigError>(())
    /// ```
    pub fn builder() -> ConfigBuilder {
        ConfigBuilder { config: Self::default() }
    }

    /// Returns the settings that decide what a room stores.
    ///
    /// ```
    /// # use room_registry::Config;
    /// let other = Config::builder().max_rooms(Some(10)).build()?;
    /// assert_eq!(other.rules(), Config::default().rules()); // limits don't count
    /// # Ok::<(), room_registry::ConfigError>(())
    /// ```
    #[must_use]
    pub fn rules(&self) -> Rules {
        Rules::clone(&self.rules)
    }
}

impl ConfigBuilder {
    /// Checks the settings against each other, and returns the [`Config`].
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the setting that makes no sense.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use room_registry::{Config, ConfigError};
    /// let error = Config::builder().retention(Some(Duration::ZERO)).build().unwrap_err();
    /// assert_eq!(error, ConfigError::ZeroRetention);
    /// ```
    pub fn build(self) -> Result<Config, ConfigError> {
        let config = self.config;
        let (clock_skew, tie_window) = (config.clock_skew(), config.tie_window());
        if config.heartbeat_timeout_ms == 0 {
            return Err(ConfigError::ZeroHeartbeatTimeout);
        }
        if tie_window > clock_skew {
            return Err(ConfigError::TieWindowAboveClockSkew { tie_window, clock_skew });
        }
        if let Some(retention) = config.retention() {
            if retention.is_zero() {
                return Err(ConfigError::ZeroRetention);
            }
            if retention < tie_window {
                return Err(ConfigError::RetentionBelowTieWindow { retention, tie_window });
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

impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "clock skew {} ms, tie window {} ms, ", self.clock_skew_ms, self.tie_window_ms)?;
        match self.retention_ms {
            Some(retention) => write!(f, "retention {retention} ms, ")?,
            None => f.write_str("no retention, ")?,
        }
        let inferred = if self.infer_sessions { "inferred" } else { "not inferred" };
        let empty = if self.empty_means_closed { "closed" } else { "not closed" };
        write!(f, "sessions {inferred}, empty is {empty}, ")?;
        match self.empty_listing_ms {
            Some(listed) => write!(f, "listed {listed} ms while empty")?,
            None => f.write_str("listed while empty")?,
        }
        let mut separator = ", not counted: ";
        for role in self.uncounted_roles.iter() {
            write!(f, "{separator}{role}")?;
            separator = " and ";
        }
        Ok(())
    }
}

/// Why settings make no sense together. No config was built.
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
    /// The heartbeat timeout is zero, so every membership would end at once.
    #[error("the heartbeat timeout must be at least 1 ms")]
    ZeroHeartbeatTimeout,
    /// The tie window exceeds the clock skew. Time must order openings that are further apart than
    /// the clocks differ.
    #[error("the tie window ({tie_window:?}) must not exceed the clock skew ({clock_skew:?})")]
    TieWindowAboveClockSkew {
        /// The tie window that was set.
        tie_window: Duration,
        /// The clock skew that was set.
        clock_skew: Duration,
    },
    /// The retention is below the tie window, so closings would be forgotten before what they tie
    /// with.
    #[error("the retention ({retention:?}) must not be below the tie window ({tie_window:?})")]
    RetentionBelowTieWindow {
        /// The retention that was set.
        retention: Duration,
        /// The tie window that was set.
        tie_window: Duration,
    },
    /// The retention is zero, so every closing would be too late at once.
    #[error("the retention must be at least 1 ms, or none")]
    ZeroRetention,
    /// A limit is zero, so nothing could ever be let in.
    #[error("the limit on {what} must be at least 1, or none")]
    ZeroLimit {
        /// The limit that is zero.
        what: &'static str,
    },
}

impl ConfigError {
    /// Returns the name of the error, without what it carries: for metrics, logs and answers. Names stay as
    /// they are.
    ///
    /// ```
    /// use room_registry::Config;
    /// let error = Config::builder().max_rooms(Some(0)).build().unwrap_err();
    /// assert_eq!(error.name(), "zero_limit");
    /// ```
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ZeroHeartbeatTimeout => "zero_heartbeat_timeout",
            Self::TieWindowAboveClockSkew { .. } => "tie_window_above_clock_skew",
            Self::RetentionBelowTieWindow { .. } => "retention_below_tie_window",
            Self::ZeroRetention => "zero_retention",
            Self::ZeroLimit { .. } => "zero_limit",
        }
    }
}

/// Serialises the [name](ConfigError::name) and the text of the error, as `name` and `message`.
#[cfg(feature = "serde")]
impl Serialize for ConfigError {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_error(self.name(), self, serializer)
    }
}
