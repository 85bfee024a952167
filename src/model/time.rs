//! Instants, in unix milliseconds.
//!
//! The crate knows two kinds of time. The media server stamps *event time* into a callback, and it
//! orders facts. The [`Clock`](crate::Clock) gives *local time*, which drives heartbeats, graces and
//! forgetting. Both are [`Timestamp`]s, and the documentation of a field or argument says which.

use std::fmt;
use std::num::NonZeroU64;
use std::time::{Duration, SystemTime};

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

    /// The latest local time that counts. What has to be later than anything that happened then still can
    /// be.
    pub(crate) const LATEST_NOW: Self = Self::from_millis(1 << 62);

    /// No local time that is stored is later: whatever happens takes a millisecond more at most.
    #[cfg(feature = "serde")]
    pub(crate) const LATEST_STORED: Self = Self::from_millis(1 << 63);

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

    /// Returns the same instant as a system time; `None` if the platform's cannot hold it.
    ///
    /// ```
    /// # use std::time::{Duration, SystemTime};
    /// # use room_registry::Timestamp;
    /// let time = Timestamp::from_secs(2).to_system_time().unwrap();
    /// assert_eq!(time, SystemTime::UNIX_EPOCH + Duration::from_secs(2));
    /// ```
    #[must_use]
    pub fn to_system_time(self) -> Option<SystemTime> {
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(self.as_millis()))
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

/// Takes the milliseconds over. What is before 1970 becomes [`Timestamp::MIN`].
///
/// ```
/// # use std::time::SystemTime;
/// # use room_registry::Timestamp;
/// assert_eq!(Timestamp::from(SystemTime::UNIX_EPOCH), Timestamp::MIN);
/// ```
impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        time.duration_since(SystemTime::UNIX_EPOCH)
            .map_or(Self::MIN, |since| Self::from_millis(millis(since)))
    }
}

/// Prints the instant as RFC 3339 has it, in UTC. An instant after the year 9999 prints as its
/// milliseconds.
///
/// ```
/// # use room_registry::Timestamp;
/// assert_eq!(Timestamp::from_millis(1_763_596_800_027).to_string(), "2025-11-20T00:00:00.027Z");
/// ```
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.as_millis();
        let (days, of_day) = (millis / DAY_MS, millis % DAY_MS);
        let (year, month, day) = date(days);
        if year > 9_999 {
            return write!(f, "{millis} ms");
        }
        let (hour, minute) = (of_day / 3_600_000, of_day / 60_000 % 60);
        let (second, milli) = (of_day / 1_000 % 60, of_day % 1_000);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
    }
}

/// A day, in milliseconds.
const DAY_MS: u64 = 86_400_000;

/// Returns the year, month and day of a day since 1970-01-01, in the proleptic Gregorian calendar.
///
/// It counts from 0000-03-01, so that the leap day is the last day of a year.
fn date(days_since_1970: u64) -> (u64, u64, u64) {
    let days = days_since_1970 + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097); // of 400 years
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

/// Returns a span in whole milliseconds, saturating.
pub(crate) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_prints_as_its_date_in_utc() {
        let text = |secs: u64| Timestamp::from_secs(secs).to_string();
        assert_eq!(text(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(text(951_782_399), "2000-02-28T23:59:59.000Z");
        assert_eq!(text(951_782_400), "2000-02-29T00:00:00.000Z");
        assert_eq!(text(951_868_800), "2000-03-01T00:00:00.000Z");
        assert_eq!(text(1_709_164_800), "2024-02-29T00:00:00.000Z");
        assert_eq!(text(4_107_542_399), "2100-02-28T23:59:59.000Z");
        assert_eq!(text(4_107_542_400), "2100-03-01T00:00:00.000Z", "2100 has no leap day");
        assert_eq!(text(253_402_300_799), "9999-12-31T23:59:59.000Z");
        assert_eq!(text(253_402_300_800), "253402300800000 ms");
        assert_eq!(Timestamp::MAX.to_string(), format!("{} ms", u64::MAX - 1));
    }

    #[test]
    fn each_day_follows_the_one_before() {
        let lengths = |year: u64| {
            let leap =
                year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
            [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        };
        let (mut year, mut month, mut day) = (1_970, 1, 1);
        for days in 0..400_000 {
            assert_eq!(date(days), (year, month, day));
            day += 1;
            if day > lengths(year)[usize::try_from(month - 1).unwrap()] {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
    }
}
