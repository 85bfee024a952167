//! The registers of one session: one life of a room at the media server, with its users and streams.
//!
//! The joins of `join.rs` write it. `room/record.rs` writes the fields that the projection decides, and
//! `end_room` writes what an end hides. Rules, the projection and the stored form read it.
//!
//! This file carries laws 2.2, 2.4, 2.7, 3.1 to 3.3, 3.5, 6.3, 6.4, 6.8, 14.1, 21.1 and 21.4.

use crate::collections::id_table::IdTable;
use crate::model::config::Rules;
use crate::model::id::{SessionId, StreamId, UserId};
use crate::model::text::Text;
use crate::model::time::Timestamp;
use crate::registers::bounds::{Bounds, HidingEnd};
use crate::registers::emptiness::Emptiness;
use crate::registers::facts::{CreateFact, Effect, Facts, NameFact, Tally, join_max};
use crate::registers::kind::{Streams, Users};
use crate::registers::signs::Evidence;
use crate::registers::stays::StayRegister;

/// Everything that is known of one session. Times are event times, unless a field says otherwise.
#[derive(Debug, Clone)]
pub(crate) struct SessionRegister {
    /// The name that the media server gave it; `None` for the nameless session (section 21 of the rules).
    pub(crate) id: Option<SessionId>,
    /// Its creation, as long as that is no earlier than C − ε. It makes the session an anchor (law 3.1).
    pub(crate) create: Option<Create>,
    /// Its latest close. Facts of users and streams are stored only above it (law 3.3).
    pub(crate) closed_at: Option<Timestamp>,
    /// The latest opening time that any callback of it told: a sign of life. A closing never is one (law
    /// 2.2).
    pub(crate) latest_opening_at: Option<Timestamp>,
    /// The latest closing of a user or stream, also one that ended nothing. Only the nameless session keeps
    /// it (law 14.5).
    pub(crate) latest_exit_at: Option<Timestamp>,
    /// The latest room name that a login of it told (law 2.7).
    pub(crate) name: Option<Name>,
    /// When an observation last confirmed that it is open (law 14.1).
    pub(crate) confirmed_open_at: Option<Timestamp>,
    /// *First*: the earliest opening time that any admitted callback of it told, even one below its bound.
    /// It decides whether an end of the room hides the session (law 6.8).
    pub(crate) first_opening_at: Option<Timestamp>,
    /// *Heard*: the local time of its first callback. In the millisecond of an end of the room it is one
    /// later (law 6.8).
    pub(crate) heard_at: Timestamp,
    /// The local time of an end of the room that hides it. A session gets it when the room forgets that end
    /// (law 6.8). The nameless session gets it with the end itself (law 21.4).
    pub(crate) hidden_at: Option<Timestamp>,
    /// *h*: the end at `hidden_at` hides openings up to here. Only the nameless session has it (law 21.4).
    pub(crate) hidden_openings_until: Option<Timestamp>,
    /// Since when it is empty, if readers see it or would (law 4.10). The projection decides it.
    pub(crate) emptiness: Option<Emptiness>,
    /// Its users, by id: those who are logged in, and those whose closings are remembered.
    pub(crate) users: IdTable<UserId, StayRegister<Users>>,
    /// Its streams, by id: those that are open, and those whose closings are remembered.
    pub(crate) streams: IdTable<StreamId, StayRegister<Streams>>,
    /// The signs that callbacks of it were lost.
    pub(crate) evidence: Evidence,
    /// When a fact in it was last joined that changed something, in local time. It delays forgetting (law
    /// 5.4).
    pub(crate) changed_at: Timestamp,
}

/// A session's creation as its callback told it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Create {
    /// Its event time.
    pub(crate) created_at: Timestamp,
    /// Who created the room, if the callback told it.
    pub(crate) creator_id: Option<UserId>,
}

/// The room's name, as the login told it that is stamped `at`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Name {
    /// The login time, in event time.
    pub(crate) at: Timestamp,
    pub(crate) name: Text,
}

impl SessionRegister {
    /// Makes a session of which nothing is known but its id, and the local time at which it was heard of.
    pub(crate) fn new(id: Option<SessionId>, heard_at: Timestamp) -> Self {
        Self {
            id,
            create: None,
            closed_at: None,
            latest_opening_at: None,
            latest_exit_at: None,
            name: None,
            confirmed_open_at: None,
            first_opening_at: None,
            heard_at,
            hidden_at: None,
            hidden_openings_until: None,
            emptiness: None,
            users: IdTable::default(),
            streams: IdTable::default(),
            evidence: Evidence::default(),
            changed_at: Timestamp::MIN,
        }
    }

    /// Joins the facts of the session itself, and adds their effects to the tally. The creation is joined
    /// before, because it may raise C and with it the floor of the whole room.
    pub(crate) fn join(&mut self, facts: &Facts<'_>, floor: Timestamp, tally: &mut Tally) {
        if let Some(at) = facts.close {
            tally.add_main(join_from(floor, &mut self.closed_at, at));
        }
        if let Some(at) = facts.opening {
            tally.add(join_from(floor, &mut self.latest_opening_at, at));
        }
        // Only a stored form can claim an exit of a session with a name.
        if let Some(at) = facts.exit.filter(|_| self.id.is_none()) {
            tally.add(join_from(floor, &mut self.latest_exit_at, at));
        }
        if let Some(name) = facts.name {
            let is_admitted = name.at >= floor;
            tally.add(if is_admitted { self.join_name(name) } else { Effect::Beaten });
        }
        if let Some(at) = facts.confirmed_open {
            tally.add(join_from(floor, &mut self.confirmed_open_at, at));
        }
    }

    /// Joins the earliest opening time that is told, even one below its bound (law 6.8). Returns whether it
    /// changed.
    pub(crate) fn join_first_opening(&mut self, facts: &Facts<'_>) -> bool {
        let is_changed = self.is_first_later_than(facts);
        if is_changed {
            self.first_opening_at = facts.earliest_opening_at();
        }
        is_changed
    }

    /// Whether an earlier opening is told than any before, or the first one.
    #[inline]
    pub(crate) fn is_first_later_than(&self, facts: &Facts<'_>) -> bool {
        let is_earlier = |at: Timestamp| self.first_opening_at.is_none_or(|first| at < first);
        facts.earliest_opening_at().is_some_and(is_earlier)
    }

    /// Joins the creation: of two, the later counts (law 3.1). The caller checks its bound.
    pub(crate) fn join_create(&mut self, fact: CreateFact<'_>) -> Effect {
        let held = self.create.as_ref().map(Create::fact);
        match held.map(|held| fact.cmp(&held)) {
            Some(std::cmp::Ordering::Less) => Effect::Beaten,
            Some(std::cmp::Ordering::Equal) => Effect::Same,
            Some(std::cmp::Ordering::Greater) | None => {
                let CreateFact { created_at, creator_id } = fact;
                self.create = Some(Create { created_at, creator_id: creator_id.cloned() });
                Effect::Changed
            }
        }
    }

    /// Joins a room name: the latest counts (law 2.7). The caller checks its bound.
    fn join_name(&mut self, fact: NameFact<'_>) -> Effect {
        let held = self.name.as_ref().map(Name::fact);
        match held.map(|held| fact.cmp(&held)) {
            Some(std::cmp::Ordering::Less) => Effect::Beaten,
            Some(std::cmp::Ordering::Equal) => Effect::Same,
            Some(std::cmp::Ordering::Greater) | None => {
                self.name = Some(Name { at: fact.at, name: fact.name.clone() });
                Effect::Changed
            }
        }
    }

    /// Drops what is below a floor that rose (law 3.5). Returns whether a user or a stream lost something.
    pub(crate) fn prune(&mut self, floor: Timestamp, rules: &Rules) -> bool {
        let is_held = |at: &Timestamp| *at >= floor;
        self.closed_at = self.closed_at.filter(is_held);
        self.latest_opening_at = self.latest_opening_at.filter(is_held);
        self.latest_exit_at = self.latest_exit_at.filter(is_held);
        self.confirmed_open_at = self.confirmed_open_at.filter(is_held);
        self.name = self.name.take().filter(|name| is_held(&name.at));
        self.prune_inside(floor, rules)
    }

    /// Drops the facts of users and streams that are below their bounds (law 3.5). Returns whether there
    /// were any.
    ///
    /// A register that is left empty keeps its place until the end of the operation: other steps still use
    /// places. [`drop_empty`](Self::drop_empty) then drops it.
    pub(crate) fn prune_inside(&mut self, floor: Timestamp, rules: &Rules) -> bool {
        let bounds = self.bounds(floor);
        let mut lost = false;
        for user in self.users.values_mut() {
            lost |= user.prune(bounds, rules);
        }
        for stream in self.streams.values_mut() {
            lost |= stream.prune(bounds, rules);
        }
        lost
    }

    /// Drops the registers of users and streams that hold nothing any more. Places change.
    pub(crate) fn drop_empty(&mut self) {
        self.users.retain(|_, user| !user.is_empty());
        self.streams.retain(|_, stream| !stream.is_empty());
    }

    /// Returns the bounds of facts of its users and streams.
    #[inline]
    pub(crate) fn bounds(&self, floor: Timestamp) -> Bounds {
        Bounds { floor, closed_at: self.closed_at }
    }

    /// Whether it is an anchor: its creation is stored (law 3.1).
    #[inline]
    pub(crate) fn is_anchor(&self) -> bool {
        self.create.is_some()
    }

    /// Returns the event time of its creation, if that is stored.
    #[inline]
    pub(crate) fn created_at(&self) -> Option<Timestamp> {
        self.create.as_ref().map(|create| create.created_at)
    }

    /// Returns the latest event time of its own facts, without those of its users and streams.
    #[inline]
    pub(crate) fn newest_of_its_own(&self) -> Option<Timestamp> {
        let opened_at = self.created_at().max(self.latest_opening_at);
        opened_at.max(self.latest_exit_at).max(self.closed_at).max(self.confirmed_open_at)
    }

    /// Returns the latest event time of its creation, its signs of life, and its users. Signs of loss take
    /// it as the time of their evidence (law 10.3). Cost: the users.
    pub(crate) fn newest_opening_or_user(&self) -> Option<Timestamp> {
        let users = self.users.values().filter_map(StayRegister::newest).max();
        self.created_at().max(self.latest_opening_at).max(users)
    }

    /// Whether it stores nothing for which it must be kept. *Heard*, *first* and signs of loss alone keep
    /// no session (law 7.1 names that as an exception).
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.create.is_none()
            && self.closed_at.is_none()
            && self.latest_opening_at.is_none()
            && self.latest_exit_at.is_none()
            && self.name.is_none()
            && self.confirmed_open_at.is_none()
            && self.hidden_at.is_none()
            && self.users.is_empty()
            && self.streams.is_empty()
    }

    /// Whether an end of the room hides all of it (law 6.8). Either it was heard of by the local time of
    /// the end, or its first opening is no later than the end less δ. Law 11.6 says what it costs to
    /// compare these two times. The nameless session outlives an end: only openings in it are hidden.
    #[inline]
    pub(crate) fn is_before_end(&self, ended_at: Timestamp, rules: &Rules) -> bool {
        let opened_by = ended_at.minus(rules.clock_skew_ms);
        self.id.is_some()
            && (self.heard_at <= ended_at
                || self.first_opening_at.is_some_and(|at| at <= opened_by))
    }

    /// Returns the local time of the latest end that hides it: the one that it keeps, or the one that the
    /// room remembers. Business info that was made later shows the session again (law 6.4); callers check
    /// that.
    #[inline]
    pub(crate) fn hidden_until(
        &self,
        ended_at: Option<Timestamp>,
        rules: &Rules,
    ) -> Option<Timestamp> {
        self.hidden_at.max(ended_at.filter(|at| self.is_before_end(*at, rules)))
    }

    /// Returns the end that hides openings of the nameless session. `None` if the session has a name, or if
    /// no end is known (law 21.4).
    pub(crate) fn hides_openings(
        &self,
        ended_at: Option<Timestamp>,
        rules: &Rules,
    ) -> Option<HidingEnd> {
        if self.id.is_some() {
            return None;
        }
        let until = ended_at.map(|at| at.minus(rules.clock_skew_ms));
        Some(HidingEnd {
            until: self.hidden_openings_until.max(until)?,
            ended_at: self.hidden_at.max(ended_at)?,
        })
    }

    /// Hides whoever and whatever is in the nameless session, because the room ends. h becomes the latest
    /// of the previous h, the end less δ, and the latest opening (law 21.4).
    pub(crate) fn hide_openings(&mut self, ended_at: Timestamp, rules: &Rules) {
        if let Some(end) = self.hides_openings(Some(ended_at), rules) {
            self.hidden_openings_until = Some(end.until).max(self.latest_opening_at);
            self.hidden_at = Some(end.ended_at);
        }
    }

    /// Pulls local times that lie in the future back to now. The session stays on its side of an end of the
    /// room: hidden, or heard of one millisecond after the end (law 6.8).
    pub(crate) fn pull_back(&mut self, now: Timestamp, ended_at: Option<Timestamp>, rules: &Rules) {
        self.changed_at = self.changed_at.min(now);
        self.hidden_at = self.hidden_until(ended_at, rules).map(|at| at.min(now));
        let is_after_end = ended_at.is_some_and(|ended_at| self.heard_at > ended_at);
        self.heard_at = self.heard_at.min(now.plus(u64::from(is_after_end)));
        self.emptiness = self.emptiness.map(|held| held.pull_back(now));
        self.evidence.pull_back(now);
        for user in self.users.values_mut() {
            user.changed_at = user.changed_at.min(now);
        }
        for stream in self.streams.values_mut() {
            stream.changed_at = stream.changed_at.min(now);
        }
    }
}

/// Joins an event time into a register that keeps the latest, unless it is below the floor (law 3.2).
fn join_from(floor: Timestamp, register: &mut Option<Timestamp>, at: Timestamp) -> Effect {
    if at < floor { Effect::Beaten } else { join_max(register, at) }
}

impl Name {
    /// Returns the name as the fact that was joined.
    pub(crate) fn fact(&self) -> NameFact<'_> {
        NameFact { at: self.at, name: &self.name }
    }
}

impl Create {
    /// Returns the creation as the fact that was joined.
    pub(crate) fn fact(&self) -> CreateFact<'_> {
        CreateFact { created_at: self.created_at, creator_id: self.creator_id.as_ref() }
    }
}
