//! The source of local time.
//!
//! [`RoomRegistry`](crate::RoomRegistry) reads its clock once, at the start of each call that changes
//! something, and hands the value on. Nothing below the registry can name a clock. Tests,
//! simulations and replays use [`ManualClock`], so no test waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::model::time::Timestamp;

/// Tells the time.
///
/// A clock may stand still and may go back. A step back of up to the clock skew of the
/// [`Config`](crate::Config) reads as standing still, and a larger one is believed. A time later than 2⁶² ms
/// reads as that.
///
/// # Example
///
/// ```
/// use room_registry::{Clock, Timestamp};
///
/// /// Time as a journal tells it.
/// struct JournalClock { at: Timestamp }
///
/// impl Clock for JournalClock {
///     fn now(&self) -> Timestamp { self.at }
/// }
///
/// assert_eq!(JournalClock { at: Timestamp::from_secs(9) }.now(), Timestamp::from_secs(9));
/// ```
pub trait Clock {
    /// Returns the present instant, in unix milliseconds.
    ///
    /// ```
    /// use room_registry::{Clock, ManualClock, Timestamp};
    /// assert_eq!(ManualClock::at(Timestamp::from_secs(9)).now(), Timestamp::from_secs(9));
    /// ```
    fn now(&self) -> Timestamp;
}

/// Reads the system's wall clock.
///
/// It is not there on `wasm32-unknown-unknown`, which has no clock. Give a registry a [`Clock`] of your own
/// there: [`guide::embedding`](crate::guide::embedding#in-the-browser-and-on-wasm) has one.
///
/// # Example
///
/// ```
/// use room_registry::{Clock, SystemClock, Timestamp};
/// assert!(SystemClock.now() > Timestamp::from_secs(1_700_000_000));
/// ```
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that may read the system's clock")]
    fn now(&self) -> Timestamp {
        Timestamp::from(std::time::SystemTime::now())
    }
}

/// Stands still until you move it, for tests, simulations and replays.
///
/// Clones share one time: keep one, and give the other to the registry.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use room_registry::{Config, ManualClock, NewRoom, NewUser, RoomRegistry, Timestamp};
///
/// let clock = ManualClock::at(Timestamp::from_secs(1_000));
/// let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
/// registry.create_room(NewRoom::new("r1", "tom"))?;
/// registry.join_room("r1", NewUser::new("tom"))?;
///
/// clock.advance(Duration::from_secs(91)); // the default heartbeat timeout is 90 s
/// registry.expire();
/// assert_eq!(registry.room("r1").unwrap().user_count(), 0);
/// # Ok::<(), room_registry::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// Makes a clock that shows `now`.
    ///
    /// ```
    /// use room_registry::{Clock, ManualClock, Timestamp};
    /// assert_eq!(ManualClock::at(Timestamp::from_secs(5)).now(), Timestamp::from_secs(5));
    /// ```
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(AtomicU64::new(now.as_millis())))
    }

    /// Sets the time, forwards or back.
    ///
    /// ```
    /// use room_registry::{Clock, ManualClock, Timestamp};
    /// let clock = ManualClock::default();
    /// clock.set(Timestamp::from_secs(5));
    /// assert_eq!(clock.now(), Timestamp::from_secs(5));
    /// ```
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_millis(), Ordering::Relaxed);
    }

    /// Moves the time forwards, saturating.
    ///
    /// ```
    /// use std::time::Duration;
    /// use room_registry::{Clock, ManualClock, Timestamp};
    /// let clock = ManualClock::at(Timestamp::from_secs(5));
    /// clock.advance(Duration::from_millis(1));
    /// assert_eq!(clock.now(), Timestamp::from_millis(5_001));
    /// ```
    pub fn advance(&self, span: Duration) {
        self.set(self.now() + span);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// A shared clock is a clock.
impl<C: Clock + ?Sized> Clock for &C {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}

/// A shared clock is a clock.
impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}
