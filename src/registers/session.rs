//! The registers of one session: one life of a room, with its users and streams.

use crate::collections::id_table::IdTable;
use crate::model::config::Rules;
use crate::model::id::{SessionId, StreamId, UserId};
use crate::model::text::Text;
use crate::model::time::Timestamp;
use crate::registers::bounds::Bounds;
use crate::registers::emptiness::Emptiness;
use crate::registers::facts::{CreateFact, Effect, Facts, NameFact, Tally, join_max};
use crate::registers::kind::{Streams, Users};
use crate::registers::signs::Evidence;
use crate::registers::stays::StayRegister;

/// Everything that is known of one session. Times are event times unless said.
#[derive(Debug, Clone)]
pub(crate) struct SessionRegister {
    /// The name; `None` for the one session of the room that has none.
    pub(crate) id: Option<SessionId>,
    /// Its creation, as long as no later creation of the room outdates it. It makes the session an
    /// anchor.
    pub(crate) create: Option<Create>,
    pub(crate) closed_at: Option<Timestamp>,
    /// The latest sign of life. Only opening times count.
    pub(crate) latest_opening_at: Option<Timestamp>,
    /// The latest closing of a user or stream in the nameless session, also one that closed nothing.
    pub(crate) latest_exit_at: Option<Timestamp>,
    pub(crate) name: Option<Name>,
    /// When an observation last saw it open.
    pub(crate) confirmed_open_at: Option<Timestamp>,
    /// The earliest opening that any callback of it told, also one below its bound.
    pub(crate) first_opening_at: Option<Timestamp>,
    /// When it was first heard of, in local time. In the millisecond of an end of the room it is one later.
    pub(crate) heard_at: Timestamp,
    /// When the room ended and hid it, in local time. It is set once that end is forgotten, and of the
    /// nameless session with the end.
    pub(crate) hidden_at: Option<Timestamp>,
    /// Which openings of the nameless session that end hides: those until here, in event time.
    pub(crate) hidden_openings_until: Option<Timestamp>,
    /// Since when readers see it empty. The projection decides it.
    pub(crate) emptiness: Option<Emptiness>,
    pub(crate) users: IdTable<UserId, StayRegister<Users>>,
    pub(crate) streams: IdTable<StreamId, StayRegister<Streams>>,
    /// What tells that callbacks of it were lost.
    pub(crate) evidence: Evidence,
    /// When anything in it last changed, in local time.
    pub(crate) changed_at: Timestamp,
}

/// A session's creation as its callback told it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Create {
    pub(crate) created_at: Timestamp,
    pub(crate) creator_id: Option<UserId>,
}

/// The room's name as a login told it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Name {
    pub(crate) at: Timestamp,
    pub(crate) name: Text,
}

impl SessionRegister {
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

    /// Joins the facts of the session itself, without its creation, which concerns the whole room.
    /// Adds their effects to the tally.
    pub(crate) fn join(&mut self, facts: &Facts<'_>, floor: Timestamp, tally: &mut Tally) {
        let admitted = |at: Timestamp, join: &mut dyn FnMut() -> Effect| {
            if at >= floor { join() } else { Effect::Beaten }
        };
        if let Some(at) = facts.close {
            tally.add_main(admitted(at, &mut || join_max(&mut self.closed_at, at)));
        }
        if let Some(at) = facts.opening {
            tally.add(admitted(at, &mut || join_max(&mut self.latest_opening_at, at)));
        }
        // A stored form may claim one of a session with a name.
        if let Some(at) = facts.exit.filter(|_| self.id.is_none()) {
            tally.add(admitted(at, &mut || join_max(&mut self.latest_exit_at, at)));
        }
        if let Some(name) = facts.name {
            tally.add(admitted(name.at, &mut || self.join_name(name)));
        }
        if let Some(at) = facts.confirmed_open {
            tally.add(admitted(at, &mut || join_max(&mut self.confirmed_open_at, at)));
        }
    }

    /// Joins the earliest opening that is told, whatever bounds it. Returns whether it is another now.
    pub(crate) fn join_first_opening(&mut self, facts: &Facts<'_>) -> bool {
        let told = facts.opening.into_iter().chain(facts.create.map(|create| create.created_at));
        let first = told.chain(self.first_opening_at).min();
        let is_other = first != self.first_opening_at;
        self.first_opening_at = first;
        is_other
    }

    /// Joins the creation.
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

    /// Drops what is below a floor that rose. Returns whether a user or a stream lost something.
    pub(crate) fn prune(&mut self, floor: Timestamp, rules: &Rules) -> bool {
        let is_held = |at: &Timestamp| *at >= floor;
        self.closed_at = self.closed_at.filter(is_held);
        self.latest_opening_at = self.latest_opening_at.filter(is_held);
        self.latest_exit_at = self.latest_exit_at.filter(is_held);
        self.confirmed_open_at = self.confirmed_open_at.filter(is_held);
        self.name = self.name.take().filter(|name| is_held(&name.at));
        self.prune_inside(floor, rules)
    }

    /// Drops what is below the bounds of users and streams. Returns whether something went.
    ///
    /// A register that is left empty keeps its place until the end of the operation, so that places
    /// stay true; see [`drop_empty`](Self::drop_empty).
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

    /// Drops the registers that hold nothing any more.
    pub(crate) fn drop_empty(&mut self) {
        self.users.retain(|_, user| !user.is_empty());
        self.streams.retain(|_, stream| !stream.is_empty());
    }

    #[inline]
    pub(crate) fn bounds(&self, floor: Timestamp) -> Bounds {
        Bounds { floor, closed_at: self.closed_at }
    }

    /// Whether it has a creation that no later one outdates.
    #[inline]
    pub(crate) fn is_anchor(&self) -> bool {
        self.create.is_some()
    }

    /// Returns when its creation took place, if that is known.
    #[inline]
    pub(crate) fn created_at(&self) -> Option<Timestamp> {
        self.create.as_ref().map(|create| create.created_at)
    }

    /// Returns the latest time of its own facts, without those of its users and streams.
    #[inline]
    pub(crate) fn newest_of_its_own(&self) -> Option<Timestamp> {
        let opened_at = self.created_at().max(self.latest_opening_at);
        opened_at.max(self.latest_exit_at).max(self.closed_at).max(self.confirmed_open_at)
    }

    /// Returns the latest time of its creation, its signs of life, and its users. Cost: the users.
    pub(crate) fn newest_opening_or_user(&self) -> Option<Timestamp> {
        let users = self.users.values().filter_map(StayRegister::newest).max();
        self.created_at().max(self.latest_opening_at).max(users)
    }

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

    /// Whether an end of the room, at a local time, is about all of it: it was heard of by then, or it
    /// opened before. The nameless session outlives an end.
    #[inline]
    pub(crate) fn is_before_end(&self, ended_at: Timestamp, rules: &Rules) -> bool {
        let opened_by = ended_at.minus(rules.clock_skew_ms);
        self.id.is_some()
            && (self.heard_at <= ended_at
                || self.first_opening_at.is_some_and(|at| at <= opened_by))
    }

    /// Returns the latest end of the room that is about it, in local time.
    #[inline]
    pub(crate) fn hidden_until(
        &self,
        ended_at: Option<Timestamp>,
        rules: &Rules,
    ) -> Option<Timestamp> {
        self.hidden_at.max(ended_at.filter(|at| self.is_before_end(*at, rules)))
    }

    /// Returns until which opening time an end hides what is in the nameless session, and when that end
    /// was, in local time.
    pub(crate) fn hides_openings(
        &self,
        ended_at: Option<Timestamp>,
        rules: &Rules,
    ) -> Option<(Timestamp, Timestamp)> {
        if self.id.is_some() {
            return None;
        }
        let until = ended_at.map(|at| at.minus(rules.clock_skew_ms));
        Some((self.hidden_openings_until.max(until)?, self.hidden_at.max(ended_at)?))
    }

    /// Ends the nameless session: nobody and nothing that is in it now shows any more.
    pub(crate) fn hide_openings(&mut self, ended_at: Timestamp, rules: &Rules) {
        if let Some((until, hidden_at)) = self.hides_openings(Some(ended_at), rules) {
            self.hidden_openings_until = Some(until).max(self.latest_opening_at);
            self.hidden_at = Some(hidden_at);
        }
    }

    /// Pulls local times that lie in the future back to now. It stays on its side of an end of the room.
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

impl Name {
    pub(crate) fn fact(&self) -> NameFact<'_> {
        NameFact { at: self.at, name: &self.name }
    }
}

impl Create {
    pub(crate) fn fact(&self) -> CreateFact<'_> {
        CreateFact { created_at: self.created_at, creator_id: self.creator_id.as_ref() }
    }
}
