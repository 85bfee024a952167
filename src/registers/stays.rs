//! The register of one user or stream in one session: its openings, and its closing tombstones.
//!
//! A *stay* is one period for which a user or stream is there. It lasts from one login to its logout, or
//! from one opening of a stream to its closing. A fact of a stay has one of two forms (law 2.5).
//!
//! - *Named*: each stay has an id. The register keeps the latest opening and the latest closing tombstone
//!   of each stay (law 3.6). Of all stays that exclude others, it also keeps the latest opening (law 3.4).
//!   Readers see the highest (rank, opening time, stay) that no closing of its own ended (law 3.7).
//! - *Ordered*: a number tells what was last. A fact is dropped when another is at least as great in both
//!   its key and its time (law 3.8). So normally one fact remains, but two do if order and clock disagree.
//!   The user or stream is there while the highest key is not a closing (law 3.9).
//!
//! A media server tells all facts of one user or stream in one form. If facts of both arrive, the user or
//! stream is there while either form says so, and readers see the named stay (law 3.14).
//!
//! The joins in `join.rs` write it, and so does the retention (`room/forget.rs`). The files of `rules` read
//! it.
//!
//! This file carries laws 3.3 to 3.14, 5.4, 5.5, 6.6, 9.10 and 10.13.

pub(crate) mod held;

use std::cmp::Ordering;

use smallvec::SmallVec;

use crate::model::config::Rules;
use crate::model::time::Timestamp;
use crate::registers::bounds::{Bounds, Hiding};
use crate::registers::facts::{Effect, Form, StayEvent, StayFact, StayFacts, join_max};
use crate::registers::kind::Kind;
use crate::registers::stays::held::{ClosingTombstone, HeldFact, StayState};

/// How many named stays that exclude others one register holds at most, and how many ordered facts. More
/// come only from hostile input (law 3.10).
pub(crate) const MAX_STAYS: usize = 16;

/// How many named stays that do not exclude others one register holds at most (law 3.10).
pub(crate) const MAX_SHARED_STAYS: usize = 64;

/// What is held of one user or stream in one session.
#[derive(Debug, Clone)]
pub(crate) struct StayRegister<K: Kind> {
    /// L: the latest opening that any callback told of a stay that excludes others, in event time. No fact
    /// of such a stay is stored below L − ε (law 3.4).
    pub(crate) latest_opening_at: Option<Timestamp>,
    /// First the openings of named stays that no closing ended, ordered by name. Then the ordered facts,
    /// ordered by key. Of these the last one counts (law 3.9).
    pub(crate) facts: SmallVec<[HeldFact<K>; 1]>,
    /// The latest closing tombstone of each named stay, ordered by name. One may stand beside an opening of
    /// the same stay that is later.
    pub(crate) closings: Vec<ClosingTombstone<K>>,
    /// The event time of the ordered opening that was joined last, if something was open already when it
    /// arrived. It depends on the order of arrival, so nothing but a sign of loss may look at it (law
    /// 10.13).
    pub(crate) found_open_at: Option<Timestamp>,
    /// When the register last changed, in local time. It delays forgetting (law 5.4).
    pub(crate) changed_at: Timestamp,
}

impl<K: Kind> Default for StayRegister<K> {
    fn default() -> Self {
        Self {
            latest_opening_at: None,
            facts: SmallVec::new(),
            closings: Vec::new(),
            found_open_at: None,
            changed_at: Timestamp::MIN,
        }
    }
}

impl<K: Kind> StayRegister<K> {
    /// Returns the register of one opening, as if its facts had been joined into an empty one. Returns
    /// `None` if the bounds do not admit them. Nearly all registers hold one opening, so reading them from
    /// a store takes this shorter way.
    #[cfg(feature = "serde")]
    pub(crate) fn of_one(held: HeldFact<K>, bounds: Bounds, changed_at: Timestamp) -> Option<Self> {
        let at = Some(held.at).filter(|at| bounds.admit(*at))?;
        let latest_opening_at = held.is_exclusive().then_some(at);
        let facts = SmallVec::from_buf([held]);
        Some(Self { latest_opening_at, facts, changed_at, ..Self::default() })
    }

    /// Joins the latest opening, if it is told, and then a fact. Returns both effects, in this order.
    ///
    /// The latest opening comes first, because it raises the bound of the fact.
    #[inline]
    pub(crate) fn join(
        &mut self,
        facts: &StayFacts<'_, K>,
        bounds: Bounds,
        rules: &Rules,
    ) -> [Option<Effect>; 2] {
        let latest_opening =
            facts.latest_opening.map(|at| self.join_latest_opening(at, bounds, rules));
        let main = facts.fact.as_ref().map(|fact| match (fact.form, fact.event, fact.stay_id) {
            (Form::Named { exclusive }, StayEvent::Closed(closing), Some(stay_id)) => {
                let stay_id = stay_id.clone();
                let closing = ClosingTombstone { stay_id, exclusive, at: fact.at, closing };
                self.join_closing(closing, bounds, rules)
            }
            (Form::Named { exclusive }, StayEvent::Opened(details), Some(stay_id)) => {
                self.join_opening(fact, stay_id, exclusive, details, bounds, rules)
            }
            // No callback makes a named fact without an id, and no stored form may hold one.
            (Form::Ordered | Form::Named { .. }, ..) => self.join_ordered(fact, bounds),
        });
        [latest_opening, main]
    }

    /// Joins the latest opening of a stay that excludes others, and drops what is below the new bound
    /// (law 3.5).
    #[inline]
    fn join_latest_opening(&mut self, at: Timestamp, bounds: Bounds, rules: &Rules) -> Effect {
        if !bounds.admit(at) {
            return Effect::Beaten;
        }
        let effect = join_max(&mut self.latest_opening_at, at);
        if effect == Effect::Changed {
            self.prune(bounds, rules);
        }
        effect
    }

    /// Joins the closing of a named stay. It removes the opening of its own stay if that is no later (law
    /// 3.6). It becomes the tombstone of the stay, unless a greater one is held (law 6.6).
    #[inline]
    fn join_closing(
        &mut self,
        closing: ClosingTombstone<K>,
        bounds: Bounds,
        rules: &Rules,
    ) -> Effect {
        let (counts_at, exclusive) = (closing.counts_at(rules), closing.exclusive);
        if !self.named_bounds(exclusive, bounds, rules).admit(counts_at) {
            return Effect::Beaten;
        }
        // A closing that a greater tombstone beats finds nothing to end: the greater one ended it.
        let is_ended = |held: &HeldFact<K>| held.name() == Some(closing.name());
        if let Some(place) = self.facts.iter().position(is_ended)
            && self.facts[place].at <= counts_at
        {
            self.facts.remove(place);
        }
        match self.closings.binary_search_by(|held| held.name().cmp(&closing.name())) {
            Ok(index) => {
                let held = &mut self.closings[index];
                match closing.strength(rules).cmp(&held.strength(rules)) {
                    Ordering::Less => return Effect::Beaten,
                    Ordering::Equal => return Effect::Same,
                    Ordering::Greater => *held = closing,
                }
            }
            Err(_) if self.closings.is_empty() => self.closings = vec![closing], // as nearly always
            Err(index) => self.closings.insert(index, closing),
        }
        self.cap(exclusive);
        Effect::Changed
    }

    /// Joins the opening of a named stay, unless a tombstone of the same stay is no earlier (laws 3.6 and
    /// 3.13). Of two openings of one stay, the greater (time, rank, details) counts.
    #[inline]
    fn join_opening(
        &mut self,
        fact: &StayFact<'_, K>,
        stay_id: &K::StayId,
        exclusive: bool,
        details: &K::Told,
        bounds: Bounds,
        rules: &Rules,
    ) -> Effect {
        let name = (exclusive, stay_id);
        let is_closed =
            |held: &ClosingTombstone<K>| held.name() == name && held.counts_at(rules) >= fact.at;
        if self.closings.iter().any(is_closed)
            || !self.named_bounds(exclusive, bounds, rules).admit(fact.at)
        {
            return Effect::Beaten;
        }
        let held = || HeldFact {
            stay_id: Some(stay_id.clone()),
            form: fact.form,
            rank: fact.rank,
            at: fact.at,
            state: StayState::Open(K::hold(details)),
        };
        let index = self.facts.partition_point(|held| held.name().is_some_and(|held| held < name));
        match self.facts.get_mut(index).filter(|held| held.name() == Some(name)) {
            Some(other) => {
                let order = (fact.at, fact.rank).cmp(&(other.at, other.rank));
                match order.then_with(|| Some(details).cmp(&other.details().map(K::told))) {
                    Ordering::Less => return Effect::Beaten,
                    Ordering::Equal => return Effect::Same,
                    Ordering::Greater => *other = held(),
                }
            }
            None => self.facts.insert(index, held()),
        }
        self.cap(exclusive);
        Effect::Changed
    }

    /// Joins an ordered opening or closing. Only the floor and the close of the session bound it (law
    /// 3.12). Only facts are held that no other dominates, that is, beats or equals in both key and time
    /// (law 3.8).
    fn join_ordered(&mut self, fact: &StayFact<'_, K>, bounds: Bounds) -> Effect {
        if !bounds.admit(fact.at) {
            return Effect::Beaten;
        }
        let key = (fact.rank, matches!(fact.event, StayEvent::Closed(_)), fact.stay_id);
        let first = self.named_len();
        for held in &mut self.facts[first..] {
            if held.order_key() < key || held.at < fact.at {
                continue; // it does not dominate the new fact
            }
            if held.order_key() > key || held.at > fact.at {
                return Effect::Beaten;
            }
            // Both key and time are equal: the greater payload counts (laws 2.4 and 6.6).
            return match fact.event.strength(&held.state.event()) {
                Ordering::Less => Effect::Beaten,
                Ordering::Equal => Effect::Same,
                Ordering::Greater => {
                    held.state = StayState::hold(fact.event);
                    Effect::Changed
                }
            };
        }
        // Before the fact itself is in: only what was open already counts.
        if matches!(fact.event, StayEvent::Opened(_)) {
            self.found_open_at = Some(fact.at).filter(|_| self.is_open());
        }
        let is_undominated = |held: &HeldFact<K>| held.order_key() > key || held.at > fact.at;
        self.facts.retain(|held| held.name().is_some() || is_undominated(held));
        let is_before = |held: &HeldFact<K>| held.name().is_some() || held.order_key() < key;
        let index = self.facts.partition_point(is_before);
        self.facts.insert(
            index,
            HeldFact {
                stay_id: fact.stay_id.cloned(),
                form: Form::Ordered,
                rank: fact.rank,
                at: fact.at,
                state: StayState::hold(fact.event),
            },
        );
        if self.facts.len() - first > MAX_STAYS {
            self.facts.remove(first); // the lowest (law 3.10)
        }
        Effect::Changed
    }

    /// Drops what is below the bounds (law 3.5). Returns whether something was dropped.
    pub(crate) fn prune(&mut self, bounds: Bounds, rules: &Rules) -> bool {
        let before = (self.latest_opening_at, self.facts.len(), self.closings.len());
        self.latest_opening_at = self.latest_opening_at.filter(|at| bounds.admit(*at));
        let exclusive = self.named_bounds(true, bounds, rules);
        self.facts.retain(|held| match held.form {
            Form::Named { exclusive: true } => exclusive.admit(held.at),
            Form::Named { exclusive: false } | Form::Ordered => bounds.admit(held.at),
        });
        self.closings.retain(|held| {
            let bounds = if held.exclusive { exclusive } else { bounds };
            bounds.admit(held.counts_at(rules))
        });
        before != (self.latest_opening_at, self.facts.len(), self.closings.len())
    }

    /// Forgets what is below the threshold beside an opening that shows: tombstones, and named openings
    /// that are hidden (law 5.5).
    pub(crate) fn forget_beside_shown(
        &mut self,
        threshold: Timestamp,
        hiding: Hiding,
        rules: &Rules,
    ) {
        let changed_at = self.changed_at;
        self.closings.retain(|held| held.forgettable_at(changed_at, rules) >= threshold);
        let is_due = |at: Timestamp| at < threshold;
        self.facts.retain(|held| !held.hidden_forgettable_at(hiding).is_some_and(is_due));
    }

    /// Returns every fact in it, for a merge or from a store. The latest opening comes first, then the
    /// tombstones, then the others from the highest down. The latest opening raises the bound of the
    /// others, so it must come first.
    pub(crate) fn facts(&self) -> impl Iterator<Item = StayFacts<'_, K>> {
        let latest_opening =
            self.latest_opening_at.map(|at| StayFacts { latest_opening: Some(at), fact: None });
        let closings = self.closings.iter().map(ClosingTombstone::fact);
        let facts = closings.chain(self.facts.iter().rev().map(HeldFact::fact));
        let facts = facts.map(|fact| StayFacts { latest_opening: None, fact: Some(fact) });
        latest_opening.into_iter().chain(facts)
    }

    /// Returns the opening that readers would see: of those that are no earlier than an instant, the
    /// highest (law 3.7). The instant is the absence of law 15.3, or later; `None` lets all of them count.
    #[inline]
    pub(crate) fn open_since(&self, absent_at: Option<Timestamp>) -> Option<&HeldFact<K>> {
        match &*self.facts {
            [] => None,
            [only] => Some(only).filter(|held| held.is_open() && Some(held.at) >= absent_at),
            _ => self.highest_since(absent_at),
        }
    }

    /// The same if several facts are held. A named stay comes before an ordered one (law 3.14). The highest
    /// ordered fact decides alone: if it is a closing, or hidden, no lower one shows (law 3.9).
    #[inline(never)] // rare
    fn highest_since(&self, absent_at: Option<Timestamp>) -> Option<&HeldFact<K>> {
        let counts = |held: &&HeldFact<K>| held.is_open() && Some(held.at) >= absent_at;
        let (named, ordered) = self.facts.split_at(self.named_len());
        let rank = |held: &&HeldFact<K>| (held.rank, held.at);
        let highest = named.iter().filter(counts).max_by(|a, b| {
            rank(a).cmp(&rank(b)).then_with(|| (&a.stay_id, a.form).cmp(&(&b.stay_id, b.form)))
        });
        highest.or_else(|| ordered.last().filter(counts))
    }

    /// Whether something in it is open, whatever observations say.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.open_since(None).is_some()
    }

    /// Returns the open named stays that exclude others. Two of them are a sign of loss.
    pub(crate) fn exclusive(&self) -> impl Iterator<Item = &HeldFact<K>> {
        self.facts.iter().filter(|held| held.is_exclusive())
    }

    /// Whether an opening or a tombstone of a stay is held.
    pub(crate) fn has_stay(&self, stay_id: &K::StayId) -> bool {
        let in_facts = self.facts.iter().any(|held| held.stay_id.as_ref() == Some(stay_id));
        in_facts || self.closings.iter().any(|held| held.stay_id == *stay_id)
    }

    /// Returns the latest event time of any fact in it, as it was told. Observations are compared with it
    /// (law 2.3).
    #[inline]
    pub(crate) fn newest(&self) -> Option<Timestamp> {
        self.newest_of(|held| held.at)
    }

    /// Returns the latest event time of any fact in it, as it counts for forgetting (law 2.3).
    #[inline]
    pub(crate) fn newest_counting(&self, rules: &Rules) -> Option<Timestamp> {
        self.newest_of(|held| held.counts_at(rules))
    }

    /// Returns the latest time of any fact in it, if tombstones count as `closed_at` says.
    #[inline]
    fn newest_of(
        &self,
        closed_at: impl Fn(&ClosingTombstone<K>) -> Timestamp,
    ) -> Option<Timestamp> {
        let mut newest = self.latest_opening_at;
        for held in &self.facts {
            newest = newest.max(Some(held.at));
        }
        for held in &self.closings {
            newest = newest.max(Some(closed_at(held)));
        }
        newest
    }

    /// Returns the instant that must be below the threshold before something can be forgotten.
    ///
    /// Beside an opening that shows, that is the oldest tombstone or hidden opening (law 5.5). Otherwise all
    /// of it is forgotten at once, when its newest fact and its last change are below the threshold (law
    /// 5.4). An end that alone hides an opening counts as such a fact.
    #[inline]
    pub(crate) fn forgettable_at(&self, hiding: Hiding, rules: &Rules) -> Option<Timestamp> {
        if self.open_since(hiding.shown_from()).is_none() {
            let at = self.newest_counting(rules).unwrap_or_default().max(self.changed_at);
            let end = hiding.end.filter(|_| self.open_since(hiding.absent_at).is_some());
            return Some(end.map_or(at, |end| at.max(end.ended_at)));
        }
        let closings = self.closings.iter();
        let closing = closings.map(|held| held.forgettable_at(self.changed_at, rules)).min();
        if self.facts.len() == 1 {
            return closing; // as nearly always: the opening that shows
        }
        let hidden = self.facts.iter().filter_map(|held| held.hidden_forgettable_at(hiding));
        closing.into_iter().chain(hidden).min()
    }

    /// Whether a command closed a stay, and the media server did not. To signs of loss, such a user is
    /// still there (law 6.7).
    #[inline]
    pub(crate) fn is_closed_by_us(&self) -> bool {
        let is_ours = |held: &HeldFact<K>| held.state == StayState::Closed { by_us: true };
        self.closings.iter().any(|held| held.closing.by_us) || self.facts.iter().any(is_ours)
    }

    /// Whether it holds no fact, so that it can be dropped.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.latest_opening_at.is_none() && self.facts.is_empty() && self.closings.is_empty()
    }

    /// Returns the bounds of named facts. Those of stays that exclude others must be no earlier than L − ε
    /// (law 3.4): two openings within ε are not ordered by time.
    #[inline]
    fn named_bounds(&self, exclusive: bool, bounds: Bounds, rules: &Rules) -> Bounds {
        match self.latest_opening_at.filter(|_| exclusive) {
            Some(at) => Bounds { floor: bounds.floor.max(at.minus(rules.tie_window_ms)), ..bounds },
            None => bounds,
        }
    }

    /// Returns how many of the facts are named. They come first.
    #[inline]
    fn named_len(&self) -> usize {
        self.facts.partition_point(|held| held.name().is_some())
    }

    /// Drops named stays beyond the cap (law 3.10). Those without an opening are dropped first,
    /// beginning with the oldest tombstone. Then the lowest openings are.
    #[inline]
    fn cap(&mut self, exclusive: bool) {
        let cap = if exclusive { MAX_STAYS } else { MAX_SHARED_STAYS };
        // As long as all facts together are no more, there is nothing to count.
        if self.facts.len() + self.closings.len() > cap {
            self.drop_beyond(cap, exclusive);
        }
    }

    /// Drops one named stay after the other until no more are left than the cap allows.
    #[inline(never)] // rare
    fn drop_beyond(&mut self, cap: usize, exclusive: bool) {
        while self.count_named(exclusive) > cap {
            let is_open = |closing: &ClosingTombstone<K>| {
                self.facts.iter().any(|held| held.name() == Some(closing.name()))
            };
            let closings = self.closings.iter().filter(|held| held.exclusive == exclusive);
            let idle = closings
                .filter(|held| !is_open(held))
                .min_by(|a, b| (a.at, &a.stay_id).cmp(&(b.at, &b.stay_id)));
            let lowest = || {
                let of_kind = self.facts.iter().filter(|held| held.is_named(exclusive));
                of_kind.min_by(|a, b| (a.rank, a.at, &a.stay_id).cmp(&(b.rank, b.at, &b.stay_id)))
            };
            let victim = idle.map(|held| held.stay_id.clone());
            let Some(victim) = victim.or_else(|| lowest()?.stay_id.clone()) else { return };
            self.facts.retain(|held| held.name() != Some((exclusive, &victim)));
            self.closings.retain(|held| held.name() != (exclusive, &victim));
        }
    }

    /// Counts the named stays that exclude others, or those that do not: tombstones, and openings without
    /// one.
    fn count_named(&self, exclusive: bool) -> usize {
        let closings = self.closings.iter().filter(|held| held.exclusive == exclusive);
        let unclosed = self.facts.iter().filter(|held| {
            held.is_named(exclusive)
                && self.closings.iter().all(|closing| held.name() != Some(closing.name()))
        });
        closings.count() + unclosed.count()
    }
}
