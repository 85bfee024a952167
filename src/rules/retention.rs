//! Too late, and forgetting: what the retention lets in, and what it lets go.
//!
//! *Old* is now − R, and the *threshold* is old − δ (section 5 of the rules). Both are compared with event
//! times and with local times: laws 11.2 and 11.3 say what that costs. What is visible never goes.
//!
//! Step 2 of the door (`room/admit.rs`) asks what is let in. Step 7 (`room/schedule.rs`) asks when
//! something can be forgotten, and step 4 (`room/forget.rs`, `room/join.rs`) takes it out.
//!
//! This file carries laws 3.10, 5.1 to 5.7, 6.8, 16.5, 16.6 and 21.3.
//!
//! A function that ends in `forgettable_at` returns the instant that must be below the threshold before
//! something can be forgotten. [`due`](Rulebook::due) makes of it the local time at which that is so.

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
    /// Whether every fact of a callback is below its bound (laws 3.1 and 3.2), so that none can be stored
    /// whatever else is known. Most late callbacks end here.
    #[inline]
    pub(crate) fn is_outdated(self, facts: &Facts<'_>) -> bool {
        let anchors_from = self.registers.anchors_from(self.settings);
        let floor = self.registers.floor(self.settings);
        facts.create.is_none_or(|fact| fact.created_at < anchors_from)
            && !facts.is_any_from(floor, self.settings)
    }

    /// Whether the retention lets a callback in: one row of law 5.2 for each main fact. One that it does
    /// not let in is refused as a whole (law 5.3).
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
        // A creation is let in late if its session is an anchor already, or is visible without its
        // creation.
        if let Some(create) = facts.create {
            return create.created_at >= old
                || session.is_some_and(|session| {
                    registers.sessions[session].is_anchor()
                        || visible == Some(Visible::Session(session))
                });
        }
        // A close without a session is never let in late (law 21.3).
        if let Some(closed_at) = facts.nameless_close {
            return closed_at >= old;
        }
        // A close is let in late if its session is stored, or if an observation saw the room open (law
        // 16.5).
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

    /// Whether the retention lets an opening or closing of a user or stream in (law 5.2). However old, an
    /// ordered opening is let in if the user or stream is there already by the same stay.
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
        // A closing is let in late if what it closes is known, by a stay or by a presence (law 16.5).
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

    /// Returns the instant that must be below the threshold before something of a user or stream can be
    /// forgotten. `None` if nothing of it can.
    #[inline]
    pub(crate) fn stays_forgettable_at<K: Tables>(
        self,
        visible: Option<Visible>,
        places: &Places,
    ) -> Option<Timestamp> {
        let mut next = self.presence_forgettable_at::<K>(visible, places);
        for (session, stays) in self.registers.stays_by_session::<K>(places).enumerate() {
            let Some(stays) = stays else { continue };
            let hiding = self.hiding::<K>(session, places.in_roster);
            next = earlier(next, stays.forgettable_at(hiding, self.settings));
        }
        next
    }

    /// Returns the same of what observations said: of presences that do not count, or of the entry if it
    /// has none (law 16.6).
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
        // An id without an entry was absent from the latest complete list. So without the entry, that list
        // would hide a stay that counts, even in a session that becomes visible later.
        let mut stays = self.registers.stays_by_session::<K>(places).enumerate();
        let is_open = |(session, stays): (usize, Option<&'_ StayRegister<K>>)| {
            stays.is_some_and(|stays| self.open_stay(session, stays, places.in_roster).is_some())
        };
        let is_needed = stays.any(is_open) || self.source::<K>(visible, places).is_some();
        roster.listed_at.filter(|_| !is_needed)
    }

    /// Returns a session that may be forgotten now (law 5.4).
    pub(crate) fn forgettable_session(self, threshold: Timestamp) -> Option<usize> {
        let current = self.current();
        let mut sessions = self.sessions();
        let forgettable = sessions.find(|(index, session, summary)| {
            Some(*index) != current
                && !self.is_kept_beside(session)
                && self.session_forgettable_at(session, summary) < threshold
        });
        forgettable.map(|(index, ..)| index)
    }

    /// Returns a session whose confirmation may be forgotten now: it is not current (law 16.6).
    pub(crate) fn forgettable_confirmation(self, threshold: Timestamp) -> Option<usize> {
        if self.registers.sessions.iter().all(|session| session.confirmed_open_at.is_none()) {
            return None; // as nearly always, and before the current session is picked
        }
        let current = self.current();
        self.registers.sessions.iter().enumerate().position(|(index, session)| {
            let is_old = session.confirmed_open_at.is_some_and(|at| at < threshold);
            Some(index) != current && is_old
        })
    }

    /// Whether all that callbacks and observations told may be forgotten now (laws 5.6 and 16.6).
    ///
    /// The current session is forgotten last, and C with it. It must not be visible, and only anchors
    /// without a close may be left beside it. All other sessions are forgotten before.
    pub(crate) fn is_forgettable(self, threshold: Timestamp) -> bool {
        let registers = self.registers;
        let latest = registers.latest_create.max(registers.observed.newest(registers.ended_at));
        !registers.is_live_empty()
            && self.sessions().all(|(_, session, summary)| {
                self.session_forgettable_at(session, summary) < threshold
            })
            && latest.is_none_or(|at| at < threshold)
            && self.visible().is_none()
    }

    /// Returns the local time at which a session, a confirmation, or all that the media server told can
    /// next be forgotten. `None` without a retention, or if none can.
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
                continue; // it is forgotten last, with all the rest
            }
            next = earlier(next, self.due(session.confirmed_open_at));
            if !self.is_kept_beside(session) {
                next = earlier(next, self.due(Some(self.session_forgettable_at(session, summary))));
            }
        }
        if is_visible {
            return next;
        }
        // All the rest is forgotten at once, when the newest of it is below the threshold: see
        // `is_forgettable`.
        let registers = self.registers;
        let mut last = registers.latest_create.max(registers.observed.newest(registers.ended_at));
        for (_, session, summary) in self.sessions() {
            last = last.max(Some(self.session_forgettable_at(session, summary)));
        }
        earlier(next, self.due(last))
    }

    /// Returns the instant that must be below the threshold before a session can be forgotten, if it may
    /// be.
    ///
    /// It is the latest of its newest fact (event time), its last change, and the end that hides it (both
    /// local time, law 6.8). Law 11.3 says why this is safe: each can only keep the session longer.
    #[inline]
    fn session_forgettable_at(self, session: &SessionRegister, summary: &Summary) -> Timestamp {
        let hidden_until = session.hidden_until(self.registers.ended_at, self.settings);
        let newest = newest(session, summary).max(hidden_until).unwrap_or_default();
        newest.max(session.changed_at)
    }

    /// Returns which session is dropped beyond the cap: of those that are not current, the one whose newest
    /// fact is the oldest (law 3.10). The current one stays even if it closed, because it hides the others.
    pub(crate) fn session_beyond_cap(self) -> Option<usize> {
        let current = self.current();
        let others = self.sessions().filter(|(index, ..)| Some(*index) != current);
        let oldest = others.min_by_key(|(_, session, summary)| newest(session, summary));
        oldest.map(|(index, ..)| index)
    }

    /// Returns the first local time at which an instant is below the threshold: R + δ and one millisecond
    /// later. `None` if that never comes.
    #[inline]
    pub(crate) fn due(self, forgettable_at: Option<Timestamp>) -> Option<Timestamp> {
        let after = forgettable_at?.plus(self.settings.retention_ms?);
        let after = after.plus(self.settings.clock_skew_ms);
        (after < Timestamp::MAX).then(|| after.plus(1))
    }

    /// Whether a session that is not current stays until the current one goes: an anchor without a close
    /// (law 5.4).
    #[inline]
    fn is_kept_beside(self, session: &SessionRegister) -> bool {
        session.is_anchor() && !is_closed(session, self.registers.closings(), self.settings)
    }
}
