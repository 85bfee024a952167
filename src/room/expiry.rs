//! What time does to one room: heartbeats that stopped, lifecycles, forgetting, and our clock.

use crate::model::change::{Cause, Who};
use crate::model::command::Lifecycle;
use crate::model::config::Config;
use crate::model::error::Error;
use crate::model::time::Timestamp;
use crate::room::Room;
use crate::room::forget::earlier;
use crate::room::state::{Context, RoomState};

/// What an expiry did.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use room_registry::{Config, ManualClock, NewRoom, NewUser, RoomRegistry};
///
/// let clock = ManualClock::default();
/// let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
/// registry.create_room(NewRoom::new("r1", "tom"))?;
/// registry.join_room("r1", NewUser::new("tom"))?;
/// clock.advance(Duration::from_secs(91));
/// let expired = registry.expire();
/// assert_eq!((expired.memberships, expired.rooms), (1, 0));
/// # Ok::<(), room_registry::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub struct Expired {
    /// How many memberships ended because their heartbeats stopped.
    pub memberships: usize,
    /// How many rooms their lifecycle ended.
    pub rooms: usize,
    /// How many remembered closings were forgotten.
    pub forgotten: usize,
    /// How many signs of lost callbacks were reported.
    pub suspected: usize,
}

impl Expired {
    /// How many steps these were, as [`expire_at_most`](crate::RoomRegistry::expire_at_most)
    /// counts them.
    ///
    /// ```
    /// # use room_registry::{Config, ManualClock, RoomRegistry};
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// assert_eq!(registry.expire().steps(), 0);
    /// ```
    #[must_use]
    pub fn steps(&self) -> usize {
        self.memberships + self.rooms + self.forgotten + self.suspected
    }
}

impl Room {
    /// Does everything that is due; see [`RoomRegistry::expire`](crate::RoomRegistry::expire).
    /// Cost: what is due.
    ///
    /// # Errors
    ///
    /// [`Error::OtherSettings`].
    ///
    #[doc = room_example!(
        "room.join(NewUser::new(\"ann\"), &config, now)?;",
        "let later = Timestamp::from_secs(1_091);",
        "assert_eq!(room.expire(&config, later)?.memberships, 1);"
    )]
    pub fn expire(&mut self, config: &Config, now: Timestamp) -> Result<Expired, Error> {
        self.run(config, now, Cause::Command, |room, cx| {
            Ok(room.expire(&mut usize::MAX.clone(), cx))
        })
    }

    /// Takes over last heartbeats that were kept outside the room, then does everything that is
    /// due. A heartbeat counts where it is later than what the room knows, and no later than now.
    ///
    /// Heartbeats are too frequent to rewrite a stored room for each: keep them beside it, and hand
    /// them in when something is due. Cost: the memberships of the room.
    ///
    /// # Errors
    ///
    /// [`Error::OtherSettings`].
    ///
    #[doc = room_example!(
        "room.join(NewUser::new(\"ann\"), &config, now)?;",
        "let heartbeats = [(\"ann\", Timestamp::from_secs(1_080))];",
        "let later = Timestamp::from_secs(1_091);",
        "assert_eq!(room.expire_with(heartbeats, &config, later)?.memberships, 0);"
    )]
    pub fn expire_with(
        &mut self,
        heartbeats: impl IntoIterator<Item = (impl AsRef<str>, Timestamp)>,
        config: &Config,
        now: Timestamp,
    ) -> Result<Expired, Error> {
        self.run(config, now, Cause::Command, |room, cx| {
            room.take_heartbeats(heartbeats, cx);
            Ok(room.expire(&mut usize::MAX.clone(), cx))
        })
    }

    /// Takes over last heartbeats that were kept outside the room, and does nothing that is due:
    /// before a command whose answer depends on who is still there. Cost: the memberships of the
    /// room.
    ///
    /// # Errors
    ///
    /// [`Error::OtherSettings`].
    ///
    #[doc = room_example!(
        "room.join(NewUser::new(\"ann\"), &config, now)?;",
        "let later = Timestamp::from_secs(1_091);",
        "room.take_heartbeats([(\"ann\", Timestamp::from_secs(1_080))], &config, later)?;",
        "assert!(room.join(NewUser::new(\"ann\"), &config, later).is_err(), \"she is still there\");"
    )]
    pub fn take_heartbeats(
        &mut self,
        heartbeats: impl IntoIterator<Item = (impl AsRef<str>, Timestamp)>,
        config: &Config,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.run(config, now, Cause::Command, |room, cx| {
            room.take_heartbeats(heartbeats, cx);
            Ok(())
        })
    }

    /// When [`expire`](Self::expire) can next change something; `None` where it never will. It is never
    /// too late; where there are more than some dozens of members, it may be early, and an `expire` then
    /// finds nothing due. Cost: constant.
    ///
    #[doc = room_example!(
        "room.join(NewUser::new(\"ann\"), &config, now)?;",
        "let timeout = Timestamp::from_millis(1_090_001); // exactly the timeout is in time",
        "assert_eq!(room.next_expiry(&config), Some(timeout));"
    )]
    #[must_use]
    pub fn next_expiry(&self, config: &Config) -> Option<Timestamp> {
        self.state.next_expiry(config)
    }

    /// Gives all memberships one fresh timeout; see
    /// [`RoomRegistry::grant_grace`](crate::RoomRegistry::grant_grace). Cost: the memberships.
    ///
    /// # Errors
    ///
    /// [`Error::OtherSettings`].
    ///
    #[doc = room_example!("room.grant_grace(&config, now)?;")]
    pub fn grant_grace(&mut self, config: &Config, now: Timestamp) -> Result<(), Error> {
        self.run(config, now, Cause::Command, |room, cx| {
            room.grant_grace(cx);
            Ok(())
        })
    }
}

/// Who is overdue within a fourth of the timeout is found out when a room is looked at: of many rooms
/// each is looked at up to an eighth of it before something is due.
const AHEAD: u64 = 4;

impl RoomState {
    /// Does what is due, at most `budget` steps of it.
    pub(crate) fn expire(&mut self, budget: &mut usize, cx: &mut Context<'_>) -> Expired {
        self.tick(cx);
        let mut expired = Expired::default();
        while *budget > 0
            && let Some(user_id) = self.members.overdue(cx.config.heartbeat_timeout_ms, cx.now)
        {
            let user_id = user_id.clone();
            self.time_out(&user_id, cx);
            expired.memberships += 1;
            *budget -= 1;
        }
        // All at once, whatever the budget: one room has few.
        expired.suspected = self.report(cx);
        *budget = budget.saturating_sub(expired.suspected);
        // Those who went just now made the room empty just now.
        self.finish(cx);
        if *budget > 0 && self.lifecycle_end(cx.config).is_some_and(|at| at <= cx.now) {
            cx.cause = Cause::Lifecycle;
            self.end_now(cx);
            expired.rooms += 1;
            *budget -= 1;
        }
        let before = *budget;
        self.live.sweep(cx.now, self.shows_from(), &self.settings, budget);
        if let Some(retention_ms) = self.settings.retention_ms {
            let old = cx.now.minus(retention_ms);
            self.members.forget(old, budget);
            if *budget > 0 && self.ended_at.is_some_and(|ended_at| ended_at < old) {
                self.ended_at = None;
                *budget -= 1;
            }
        }
        if *budget < before {
            expired.forgotten += before - *budget;
            self.finish(cx);
        }
        expired
    }

    /// When an expiry can next change something; where there are many members, maybe earlier.
    pub(crate) fn next_expiry(&self, config: &Config) -> Option<Timestamp> {
        let timeout = timeout(self.members.silent_since_exactly(), config);
        earlier(timeout, self.next_expiry_of_others(config))
    }

    /// When a heartbeat is next overdue, or earlier: those that came since it was last settled may
    /// have put it off.
    pub(crate) fn next_timeout(&self, config: &Config) -> Option<Timestamp> {
        timeout(self.members.silent_since(), config)
    }

    /// Finds out when a heartbeat is next overdue, if that is now, or may be soon.
    pub(crate) fn settle_silence(&mut self, config: &Config, now: Timestamp) {
        let timeout_ms = config.heartbeat_timeout_ms;
        self.members.overdue(timeout_ms, now.plus(timeout_ms / AHEAD));
    }

    /// Since when everybody is silent, or earlier.
    pub(crate) fn silent_since(&self) -> Option<Timestamp> {
        self.members.silent_since()
    }

    /// When anything else is due, which heartbeats do not put off.
    pub(crate) fn next_expiry_of_others(&self, config: &Config) -> Option<Timestamp> {
        let ends = earlier(self.members.oldest_end(), self.ended_at);
        let forgotten =
            ends.zip(self.settings.retention_ms).map(|(at, retention)| at.plus(retention).plus(1));
        let report = self.unreported_since.map(|since| since.plus(config.report_after_ms));
        let kept = earlier(earlier(self.sweep_at, report), forgotten);
        ever(earlier(self.lifecycle_end(config), kept))
    }

    /// When the lifecycle ends the room, as things are.
    fn lifecycle_end(&self, config: &Config) -> Option<Timestamp> {
        match self.info.as_ref()?.lifecycle {
            Lifecycle::UntilEnded | Lifecycle::Permanent => None,
            Lifecycle::UntilEmpty => {
                self.empty_since.map(|since| since.plus(config.empty_grace_ms))
            }
            Lifecycle::FollowsSession => self.sessionless_since,
        }
    }

    /// Takes over heartbeats that were kept outside.
    pub(crate) fn take_heartbeats(
        &mut self,
        heartbeats: impl IntoIterator<Item = (impl AsRef<str>, Timestamp)>,
        cx: &mut Context<'_>,
    ) {
        self.tick(cx);
        for (user_id, at) in heartbeats {
            self.members.take_heartbeat(user_id.as_ref(), at.min(cx.now));
        }
        self.members.reorder();
    }

    /// All memberships count as alive now.
    pub(crate) fn grant_grace(&mut self, cx: &mut Context<'_>) {
        self.tick(cx);
        self.members.beat_all(cx.now);
    }

    /// Takes note of our time. A small step back reads as standing still; a larger one is
    /// believed, and what lies in the future is pulled back to now.
    pub(crate) fn tick(&mut self, cx: &mut Context<'_>) {
        if cx.now >= self.clock {
            self.clock = cx.now;
        } else if self.clock.minus(self.settings.clock_skew_ms) <= cx.now {
            cx.now = self.clock;
        } else {
            self.clock = cx.now;
            self.pull_back(cx);
        }
    }

    fn pull_back(&mut self, cx: &mut Context<'_>) {
        let now = cx.now;
        cx.is_moved = true;
        let cause = std::mem::replace(&mut cx.cause, Cause::ClockSetBack);
        let before_showing_again = self.before_showing_again();
        let back = |at: &mut Option<Timestamp>| *at = at.map(|at| at.min(now));
        back(&mut self.ended_at);
        back(&mut self.empty_since);
        back(&mut self.sessionless_since);
        self.live.pull_back(now, &self.settings);
        // What an end before hid or outranked stays apart from what was made after it.
        let ended = self.ended_at.is_some()
            || self.live.sessions.iter().any(|session| session.hidden_at.is_some());
        let from = now.plus(u64::from(ended));
        if let Some(info) = &mut self.info {
            let before = (info.created_at, info.updated_at);
            info.created_at = info.created_at.min(from);
            info.updated_at = info.updated_at.min(from);
            if before != (info.created_at, info.updated_at) && before_showing_again.is_none() {
                cx.log.note(&self.id, cx.cause, Who::RoomUpdated);
            }
        }
        let members = self.members.pull_back(now, from);
        if let Some(before) = before_showing_again {
            self.show_difference(&before, cx);
            cx.cause = cause;
            return;
        }
        for user_id in members {
            cx.log.note(&self.id, cx.cause, Who::UserUpdated(user_id));
        }
        // What observations saw was counted anew with the rest.
        self.live.note_all_listed(self.shows_from(), &self.settings);
        self.reorder_users();
        self.show_if_other(cx);
        self.finish(cx);
        cx.cause = cause;
    }
}

/// When somebody is overdue, where the longest silent was last heard of then.
fn timeout(silent_since: Option<Timestamp>, config: &Config) -> Option<Timestamp> {
    ever(silent_since.map(|at| at.plus(config.heartbeat_timeout_ms).plus(1)))
}

/// What saturated is never due.
fn ever(due: Option<Timestamp>) -> Option<Timestamp> {
    due.filter(|at| *at < Timestamp::MAX)
}
