//! The register of one user or stream in one session: the stays that hold, and the closings that are
//! remembered.
//!
//! A *stay* is one time that a user or stream is there, from its opening to its closing. A fact of it
//! has one of two forms.
//!
//! - *Named*: each stay has an id. The register keeps the latest opening and the latest closing of each,
//!   and the latest opening of all. Shown is the highest (rank, opening time, stay) that no closing of
//!   its own ended.
//! - *Ordered*: a number tells what was last. A fact goes when another is at least as great in both its
//!   key and its time. Normally one remains, and two if number and clock disagree. The highest is shown
//!   if it is not a closing.
//!
//! A media server tells all its facts of one user or stream in one form. If facts of both arrive, either
//! shows it, and the named one first.

pub(crate) mod held;

use std::cmp::Ordering;

use smallvec::SmallVec;

use crate::model::config::Rules;
use crate::model::time::Timestamp;
use crate::registers::bounds::Bounds;
use crate::registers::facts::{Effect, Form, StayEvent, StayFact, StayFacts, join_max};
use crate::registers::kind::Kind;
use crate::registers::stays::held::{ClosingTombstone, HeldFact, StayState};

/// How many named stays that exclude each other one register may have, and how many ordered facts. More
/// come only from hostile input.
pub(crate) const MAX_STAYS: usize = 16;

/// How many named stays that do not exclude each other one register may have.
pub(crate) const MAX_SHARED_STAYS: usize = 64;

/// What is held of one user or stream in one session.
#[derive(Debug, Clone)]
pub(crate) struct StayRegister<K: Kind> {
    /// The latest opening that any callback told of a stay that excludes others. With the tie window it
    /// bounds all named facts that do.
    pub(crate) latest_opening_at: Option<Timestamp>,
    /// The named stays that no closing ended, by name; then the ordered facts, by key.
    pub(crate) facts: SmallVec<[HeldFact<K>; 1]>,
    /// The latest closing of each named stay, by name.
    pub(crate) closings: Vec<ClosingTombstone<K>>,
    /// When the last ordered opening was that found something open already when it arrived. Signs of loss
    /// alone look at it, because it depends on the order of arrival.
    pub(crate) found_open_at: Option<Timestamp>,
    /// When it last changed, in local time.
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
    /// `None` if the bounds do not admit them.
    #[cfg(feature = "serde")]
    pub(crate) fn of_one(held: HeldFact<K>, bounds: Bounds, changed_at: Timestamp) -> Option<Self> {
        let at = Some(held.at).filter(|at| bounds.admit(*at))?;
        let latest_opening_at = held.is_exclusive().then_some(at);
        let facts = SmallVec::from_buf([held]);
        Some(Self { latest_opening_at, facts, changed_at, ..Self::default() })
    }

    /// Joins the latest opening, if it is told, and then a fact. Returns both effects.
    ///
    /// The latest opening comes first, because it raises the bound of the other.
    #[inline]
    pub(crate) fn join(
        &mut self,
        facts: &StayFacts<'_, K>,
        bounds: Bounds,
        rules: &Rules,
    ) -> [Option<Effect>; 2] {
        let key = facts.key.map(|at| self.join_key(at, bounds, rules));
        let main = facts.fact.as_ref().map(|fact| match (fact.form, fact.event, fact.stay_id) {
            (Form::Named { exclusive }, StayEvent::Closed(closing), Some(stay_id)) => {
                let stay_id = stay_id.clone();
                let closing = ClosingTombstone { stay_id, exclusive, at: fact.at, closing };
                self.join_closing(closing, bounds, rules)
            }
            (Form::Named { exclusive }, StayEvent::Opened(details), Some(stay_id)) => {
                self.join_opening(fact, stay_id, exclusive, details, bounds, rules)
            }
            (Form::Ordered | Form::Named { .. }, ..) => self.join_ordered(fact, bounds),
        });
        [key, main]
    }

    #[inline]
    fn join_key(&mut self, at: Timestamp, bounds: Bounds, rules: &Rules) -> Effect {
        if !bounds.admit(at) {
            return Effect::Beaten;
        }
        let effect = join_max(&mut self.latest_opening_at, at);
        if effect == Effect::Changed {
            self.prune(bounds, rules);
        }
        effect
    }

    #[inline]
    fn join_closing(
        &mut self,
        closing: ClosingTombstone<K>,
        bounds: Bounds,
        rules: &Rules,
    ) -> Effect {
        let (counts_at, exclusive) = (closing.counts_at(rules), closing.exclusive);
        if !self.bound(exclusive, bounds, rules).admit(counts_at) {
            return Effect::Beaten;
        }
        // A closing that is beaten finds nothing to end: the one that beats it did.
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
            || !self.bound(exclusive, bounds, rules).admit(fact.at)
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
                let same = (fact.at, fact.rank).cmp(&(other.at, other.rank));
                match same.then_with(|| Some(details).cmp(&other.details().map(K::told))) {
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

    fn join_ordered(&mut self, fact: &StayFact<'_, K>, bounds: Bounds) -> Effect {
        if !bounds.admit(fact.at) {
            return Effect::Beaten;
        }
        let key = (fact.rank, matches!(fact.event, StayEvent::Closed(_)), fact.stay_id);
        let first = self.named();
        for held in &mut self.facts[first..] {
            if held.key() < key || held.at < fact.at {
                continue;
            }
            if held.key() > key || held.at > fact.at {
                return Effect::Beaten;
            }
            return match fact.event.strength(&held.state.event()) {
                Ordering::Less => Effect::Beaten,
                Ordering::Equal => Effect::Same,
                Ordering::Greater => {
                    held.state = StayState::hold(fact.event);
                    Effect::Changed
                }
            };
        }
        if matches!(fact.event, StayEvent::Opened(_)) {
            self.found_open_at = Some(fact.at).filter(|_| self.is_open());
        }
        self.facts.retain(|held| held.name().is_some() || held.key() > key || held.at > fact.at);
        let index = self.facts.partition_point(|held| held.name().is_some() || held.key() < key);
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
            self.facts.remove(first);
        }
        Effect::Changed
    }

    /// Drops what is below the bounds. Returns whether something went.
    pub(crate) fn prune(&mut self, bounds: Bounds, rules: &Rules) -> bool {
        let before = (self.latest_opening_at, self.facts.len(), self.closings.len());
        self.latest_opening_at = self.latest_opening_at.filter(|at| bounds.admit(*at));
        let exclusive = self.bound(true, bounds, rules);
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

    /// Forgets the closings that are older than the threshold.
    pub(crate) fn forget_closings(&mut self, threshold: Timestamp, rules: &Rules) {
        self.closings.retain(|held| held.counts_at(rules) >= threshold);
    }

    /// Returns every fact in it, for a merge or a store: the latest opening, then the closings, then the
    /// others from the highest down.
    pub(crate) fn facts(&self) -> impl Iterator<Item = StayFacts<'_, K>> {
        let key = self.latest_opening_at.map(|at| StayFacts { key: Some(at), fact: None });
        let closings = self.closings.iter().map(ClosingTombstone::fact);
        let facts = closings.chain(self.facts.iter().rev().map(HeldFact::fact));
        key.into_iter().chain(facts.map(|fact| StayFacts { key: None, fact: Some(fact) }))
    }

    /// Returns the opening that counts: of those that are no earlier than the latest complete list
    /// without the user or stream.
    #[inline]
    pub(crate) fn open_since(&self, absent_at: Option<Timestamp>) -> Option<&HeldFact<K>> {
        match &*self.facts {
            [] => None,
            [only] => Some(only).filter(|held| held.is_open() && Some(held.at) >= absent_at),
            _ => self.highest_since(absent_at),
        }
    }

    /// The same of several facts.
    #[inline(never)] // rare
    fn highest_since(&self, absent_at: Option<Timestamp>) -> Option<&HeldFact<K>> {
        let counts = |held: &&HeldFact<K>| held.is_open() && Some(held.at) >= absent_at;
        let (named, ordered) = self.facts.split_at(self.named());
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

    /// Returns the named stays that hold and exclude each other.
    pub(crate) fn exclusive(&self) -> impl Iterator<Item = &HeldFact<K>> {
        self.facts.iter().filter(|held| held.is_exclusive())
    }

    /// Whether anything in it tells about a stay.
    pub(crate) fn has_stay(&self, stay_id: &K::StayId) -> bool {
        let in_facts = self.facts.iter().any(|held| held.stay_id.as_ref() == Some(stay_id));
        in_facts || self.closings.iter().any(|held| held.stay_id == *stay_id)
    }

    /// Returns the latest time of any fact in it, as it was told.
    #[inline]
    pub(crate) fn newest(&self) -> Option<Timestamp> {
        self.newest_of(|held| held.at)
    }

    /// Returns the latest time of any fact in it, as it counts for forgetting.
    #[inline]
    pub(crate) fn newest_counting(&self, rules: &Rules) -> Option<Timestamp> {
        self.newest_of(|held| held.counts_at(rules))
    }

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

    /// Returns the instant that the threshold of forgetting must pass before something can go: the
    /// oldest closing beside an opening that counts, else the whole register.
    #[inline]
    pub(crate) fn forgettable_at(&self, is_open: bool, rules: &Rules) -> Option<Timestamp> {
        if is_open {
            self.closings.iter().map(|held| held.counts_at(rules)).min()
        } else {
            Some(self.newest_counting(rules).unwrap_or_default().max(self.changed_at))
        }
    }

    /// Whether the application closed a stay, and the media server did not.
    #[inline]
    pub(crate) fn is_closed_by_us(&self) -> bool {
        let is_ours = |held: &HeldFact<K>| held.state == StayState::Closed { by_us: true };
        self.closings.iter().any(|held| held.closing.by_us) || self.facts.iter().any(is_ours)
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.latest_opening_at.is_none() && self.facts.is_empty() && self.closings.is_empty()
    }

    /// Returns the bounds of named facts. Openings of stays that exclude each other are not ordered by
    /// time within the tie window of the latest, and what is older is below the bound.
    #[inline]
    fn bound(&self, exclusive: bool, bounds: Bounds, rules: &Rules) -> Bounds {
        match self.latest_opening_at.filter(|_| exclusive) {
            Some(at) => Bounds { floor: bounds.floor.max(at.minus(rules.tie_window_ms)), ..bounds },
            None => bounds,
        }
    }

    /// Returns how many of the facts are named.
    #[inline]
    fn named(&self) -> usize {
        self.facts.partition_point(|held| held.name().is_some())
    }

    /// Drops named stays beyond the cap: those without an opening first, the oldest closing first, then
    /// the lowest openings. A valid history shows none of them.
    #[inline]
    fn cap(&mut self, exclusive: bool) {
        let cap = if exclusive { MAX_STAYS } else { MAX_SHARED_STAYS };
        if self.facts.len() + self.closings.len() > cap {
            self.drop_beyond(cap, exclusive);
        }
    }

    #[inline(never)] // rare
    fn drop_beyond(&mut self, cap: usize, exclusive: bool) {
        while self.stays(exclusive) > cap {
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

    /// Counts the named stays of one kind.
    fn stays(&self, exclusive: bool) -> usize {
        let closings = self.closings.iter().filter(|held| held.exclusive == exclusive);
        let unclosed = self.facts.iter().filter(|held| {
            held.is_named(exclusive)
                && self.closings.iter().all(|closing| held.name() != Some(closing.name()))
        });
        closings.count() + unclosed.count()
    }
}
