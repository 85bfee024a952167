//! Too late, and forgetting: what the retention lets in, and what it lets go.
//!
//! *Old* is now less the retention. The *threshold* is old less the clock skew. Both are compared with
//! event times and local times. An opening older than old is too late. A closing older than the threshold
//! is too late, unless what it closes is known. What has closed is forgotten once its newest fact and its
//! last change are both below the threshold. What is visible never goes.

use crate::model::time::Timestamp;
use crate::registers::facts::{Facts, Form, StayFacts};
use crate::registers::places::{Places, Target};
use crate::registers::roster::RosterEntry;
use crate::registers::session::SessionRegister;
use crate::registers::stays::StayRegister;
use crate::registers::tables::Tables;
use crate::rules::current::is_closed;
use crate::rules::summary::{Summary, newest};
use crate::rules::visibility::Visible;
use crate::rules::{Rulebook, earlier};

impl Rulebook<'_> {
    /// Whether every fact is below the bound of the room, so that nothing of it can be stored.
    #[inline]
    pub(crate) fn is_outdated(self, facts: &Facts<'_>) -> bool {
        let anchors_from = self.registers.anchors_from(self.settings);
        let floor = self.registers.floor(self.settings);
        facts.create.is_none_or(|fact| fact.created_at < anchors_from)
            && !facts.is_any_from(floor, self.settings)
    }

    /// Whether the retention lets a callback in. One that it does not let in is refused whole.
    pub(crate) fn admits(
        self,
        facts: &Facts<'_>,
        session: Option<usize>,
        target: &Target<'_>,
        visible: Option<Visible>,
        now: Timestamp,
    ) -> bool {
        let Some(retention_ms) = self.settings.retention_ms else { return true };
        let registers = self.registers;
        let old = now.minus(retention_ms);
        let threshold = old.minus(self.settings.clock_skew_ms);
        if let Some(create) = facts.create {
            return create.created_at >= old
                || session.is_some_and(|session| {
                    registers.sessions[session].is_anchor()
                        || visible == Some(Visible::Session(session))
                });
        }
        if let Some(closed_at) = facts.nameless_close {
            return closed_at >= old;
        }
        if let Some(closed_at) = facts.close {
            return closed_at >= threshold || session.is_some() || self.was_seen_open();
        }
        match target {
            Target::Session => true,
            Target::User(_, places) => {
                self.admits_stay(facts.user.as_ref(), session, &places.told, old, threshold)
            }
            Target::Stream(_, places) => {
                self.admits_stay(facts.stream.as_ref(), session, &places.told, old, threshold)
            }
        }
    }

    /// Whether the retention lets a fact of a user or stream in. An ordered opening may repeat one that
    /// is shown, however old.
    fn admits_stay<K: Tables>(
        self,
        facts: Option<&StayFacts<'_, K>>,
        session: Option<usize>,
        places: &Places,
        old: Timestamp,
        threshold: Timestamp,
    ) -> bool {
        let Some(fact) = facts.and_then(|facts| facts.fact.as_ref()) else { return true };
        let held = || session.and_then(|session| self.registers.stays_at::<K>(session, places));
        if fact.is_closing() {
            let entry = K::roster(&self.registers.observed).entry_at(places.in_roster);
            return fact.counts_at(self.settings) >= threshold
                || held().is_some()
                || entry.is_some_and(RosterEntry::is_present);
        }
        let is_shown = |stays: &StayRegister<K>| {
            let open = stays.open_since(None);
            open.is_some_and(|open| open.stay_id.as_ref() == fact.stay_id)
        };
        fact.at >= old || fact.form == Form::Ordered && held().is_some_and(is_shown)
    }

    /// Returns the instant that the threshold must pass before something of a user or stream can go.
    /// `None` if nothing of it can.
    #[inline]
    pub(crate) fn stays_forgettable_at<K: Tables>(
        self,
        visible: Option<Visible>,
        places: &Places,
    ) -> Option<Timestamp> {
        let mut next = self.presence_forgettable_at::<K>(visible, places);
        for (session, stays) in self.registers.stays_by_session::<K>(places).enumerate() {
            let Some(stays) = stays else { continue };
            let is_open = self.open_stay(session, stays, places.in_roster).is_some();
            next = earlier(next, stays.forgettable_at(is_open, self.settings));
        }
        next
    }

    /// Returns the same of what observations said: of idle presences, or of the entry if it has none.
    #[inline]
    pub(crate) fn presence_forgettable_at<K: Tables>(
        self,
        visible: Option<Visible>,
        places: &Places,
    ) -> Option<Timestamp> {
        let roster = K::roster(&self.registers.observed);
        if roster.entry_at(places.in_roster)?.is_present() {
            return self.idle_presences::<K>(visible, places).map(|(_, at)| at).min();
        }
        // Without the entry the last complete list would hide a stay that counts, also from those who
        // see its session again later.
        let mut stays = self.registers.stays_by_session::<K>(places).enumerate();
        let is_open = |(session, stays): (usize, Option<&'_ StayRegister<K>>)| {
            stays.is_some_and(|stays| self.open_stay(session, stays, places.in_roster).is_some())
        };
        let is_needed = stays.any(is_open) || self.source::<K>(visible, places).is_some();
        roster.listed_at.filter(|_| !is_needed)
    }

    /// Returns the session that may go now, if one may.
    pub(crate) fn forgettable_session(self, threshold: Timestamp) -> Option<usize> {
        let current = self.current();
        let mut sessions = self.sessions();
        let gone = sessions.find(|(index, session, summary)| {
            Some(*index) != current
                && !self.is_kept_beside(session)
                && self.session_forgettable_at(session, summary) < threshold
        });
        gone.map(|(index, ..)| index)
    }

    /// Returns a session that an observation saw alive too long ago for that to count.
    pub(crate) fn forgettable_sighting(self, threshold: Timestamp) -> Option<usize> {
        if self.registers.sessions.iter().all(|session| session.confirmed_open_at.is_none()) {
            return None;
        }
        let current = self.current();
        self.registers.sessions.iter().enumerate().position(|(index, session)| {
            let is_old = session.confirmed_open_at.is_some_and(|at| at < threshold);
            Some(index) != current && is_old
        })
    }

    /// Whether everything that callbacks and observations told may go.
    ///
    /// The current session goes last: when it is not visible, and no other is left but unclosed anchors,
    /// all below the threshold. They and C go with it.
    pub(crate) fn is_forgettable(self, threshold: Timestamp) -> bool {
        let registers = self.registers;
        let latest = registers.latest_create.max(registers.observed.newest());
        !registers.is_live_empty()
            && self.sessions().all(|(_, session, summary)| {
                self.session_forgettable_at(session, summary) < threshold
            })
            && latest.is_none_or(|at| at < threshold)
            && self.visible().is_none()
    }

    /// Returns when a session, or everything, can next go.
    #[inline]
    pub(crate) fn sessions_due(
        self,
        current: Option<usize>,
        is_visible: bool,
    ) -> Option<Timestamp> {
        self.settings.retention_ms?;
        if self.registers.is_live_empty() {
            return None;
        }
        let mut next = None;
        for (index, session, summary) in self.sessions() {
            if Some(index) == current {
                continue; // it goes last
            }
            next = earlier(next, self.due(session.confirmed_open_at));
            if !self.is_kept_beside(session) {
                next = earlier(next, self.due(Some(self.session_forgettable_at(session, summary))));
            }
        }
        if is_visible {
            return next;
        }
        let mut last = self.registers.latest_create.max(self.registers.observed.newest());
        for (_, session, summary) in self.sessions() {
            last = last.max(Some(self.session_forgettable_at(session, summary)));
        }
        earlier(next, self.due(last))
    }

    /// Returns the instant that the threshold of forgetting must pass before a session can go, if it may
    /// go.
    ///
    /// It is the latest of an event time and local times. Each keeps the session longer than the others
    /// would, and none lets it go early.
    #[inline]
    fn session_forgettable_at(self, session: &SessionRegister, summary: &Summary) -> Timestamp {
        let hidden_until = session.hidden_until(self.registers.ended_at, self.settings);
        let newest = newest(session, summary).max(hidden_until).unwrap_or_default();
        newest.max(session.changed_at)
    }

    /// Returns which session goes beyond the cap: the oldest but the current one, which hides others even
    /// if it closed.
    pub(crate) fn session_beyond_cap(self) -> Option<usize> {
        let current = self.current();
        let others = self.sessions().filter(|(index, ..)| Some(*index) != current);
        let oldest = others.min_by_key(|(_, session, summary)| newest(session, summary));
        oldest.map(|(index, ..)| index)
    }

    /// Returns the first instant at which the threshold has passed: it must lie above.
    #[inline]
    pub(crate) fn due(self, forgettable_at: Option<Timestamp>) -> Option<Timestamp> {
        let after = forgettable_at?.plus(self.settings.retention_ms?);
        let after = after.plus(self.settings.clock_skew_ms);
        (after < Timestamp::MAX).then(|| after.plus(1))
    }

    /// Whether a session that is not current stays until the current one goes: an unclosed anchor.
    #[inline]
    fn is_kept_beside(self, session: &SessionRegister) -> bool {
        session.is_anchor() && !is_closed(session, self.registers.closings(), self.settings)
    }
}
