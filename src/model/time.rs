//! Instants, in unix milliseconds.
//!
//! The crate knows two kinds of time. The media server stamps *event time* into a callback, and it
//! orders facts. The [`Clock`](crate::Clock) gives *local time*, which drives heartbeats, graces and
//! forgetting. Both are [`Timestamp`]s, and the documentation of a field or argument says which.

use std::fmt;
use std::num::NonZeroU64;
use std::time::Duration;

#[cfg(feature = "serde")]
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant in unix milliseconds (milliseconds since 1970-01-01T00:00:00Z), never negative.
///
/// Arithmetic saturates at both ends, so no stamp that a vendor or a client can send overflows.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use room_registry::Timestamp;
///
/// let opened_at = Timestamp::from_millis(1_763_596_800_027);
/// let closed_at = opened_at + Duration::from_secs(60);
/// assert_eq!(closed_at.as_millis(), 1_763_596_860_027);
/// assert_eq!(closed_at.since(opened_at), Duration::from_secs(60));
/// assert!(opened_at < closed_at);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(
    /// One more than the milliseconds. An optional instant then takes no more memory than an
    /// instant, and a room has dozens of them.
    NonZeroU64,
);

impl Timestamp {
    /// The earliest instant, 1970-01-01T00:00:00Z.
    ///
    /// ```
    /// # use room_registry::Timestamp;
    /// assert_eq!(Timestamp::MIN.as_millis(), 0);
    /// ```
    pub const MIN: Self = Self(NonZeroU64::MIN);

    /// The latest instant that a timestamp can hold.
    ///
    /// ```
    /// # use room_registry::Timestamp;
    /// assert_eq!(Timestamp::MAX.as_millis(), u64::MAX - 1);
    /// ```
    pub const MAX: Self = Self(NonZeroU64::MAX);

    /// Makes the instant that is so many milliseconds after 1970-01-01T00:00:00Z, saturating.
    ///
    /// ```
    /// # use room_registry::Timestamp;
    /// assert_eq!(Timestamp::from_millis(27).as_millis(), 27);
    /// ```
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(NonZeroU64::MIN.saturating_add(millis))
    }

    /// Makes the instant that is so many seconds after 1970-01-01T00:00:00Z, saturating.
    ///
    /// ```
    /// # use room_registry::Timestamp;
    /// assert_eq!(Timestamp::from_secs(2).as_millis(), 2_000);
    /// ```
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self::from_millis(secs.saturating_mul(1_000))
    }

    /// Returns the milliseconds since 1970-01-01T00:00:00Z.
    ///
    /// ```
    /// # use room_registry::Timestamp;
    /// assert_eq!(Timestamp::from_secs(1).as_millis(), 1_000);
    /// ```
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0.get() - 1
    }

    /// Returns the time that has passed since `earlier`; zero if `earlier` is later.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use room_registry::Timestamp;
    /// let (a, b) = (Timestamp::from_millis(10), Timestamp::from_millis(25));
    /// assert_eq!(b.since(a), Duration::from_millis(15));
    /// assert_eq!(a.since(b), Duration::ZERO);
    /// ```
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.get().saturating_sub(earlier.0.get()))
    }

    /// Returns the instant that is so many milliseconds later, saturating.
    pub(crate) const fn plus(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Returns the instant that is so many milliseconds earlier, saturating.
    ///
    /// Bounds have the form `time − span`. Since no time is negative, a bound that saturates at zero
    /// admits what the true one would.
    pub(crate) const fn minus(self, millis: u64) -> Self {
        Self::from_millis(self.as_millis().saturating_sub(millis))
    }
}

impl Default for Timestamp {
    fn default() -> Self {
        Self::MIN
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Timestamp").field(&self.as_millis()).finish()
    }
}

#[cfg(feature = "serde")]
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_millis().serialize(serializer)
    }
}

#[cfg(feature = "serde")]
impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer).map(Self::from_millis)
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    /// Saturates, and drops parts of a millisecond.
    fn add(self, span: Duration) -> Self {
        self.plus(millis(span))
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;

    /// Saturates at 1970, and drops parts of a millisecond.
    fn sub(self, span: Duration) -> Self {
        self.minus(millis(span))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.as_millis())
    }
}

/// Returns a span in whole milliseconds, saturating.
pub(crate) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
