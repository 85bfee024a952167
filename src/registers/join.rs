//! The joins of whole callbacks, observations and replicas into the registers of a room.
//!
//! Step 4 of the door (`room/join.rs`) calls them, and so does the reading of stored rooms. They return
//! what they changed. What that means for readers is decided later, in steps 5 and 6. The joins of single
//! registers stand beside these: in `session.rs`, `stays.rs`, `observed.rs` and `members/merge.rs`.
//!
//! This file carries the laws of sections 3 and 7, and laws 4.11, 6.1, 10.8, 12.2, 13.1, 14.3 to 14.5,
//! 16.1, 16.2, 16.7 and 21.3.

use smallvec::SmallVec;

use crate::collections::hashed::{Hashed, HashedId};
use crate::collections::id_table::IdTable;
use crate::model::config::Rules;
use crate::model::id::{SessionId, StreamId, UserId};
use crate::model::observation::{Observation, Verdict};
use crate::model::time::Timestamp;
use crate::registers::bounds::Bounds;
use crate::registers::emptiness::Emptiness;
use crate::registers::facts::{Closing, Effect, Facts, StayEvent, StayFact, StayFacts, Tally};
use crate::registers::kind::{Kind, Users};
use crate::registers::places::{SessionSet, Target};
use crate::registers::roster::SeenAt;
use crate::registers::session::{Create, Name, SessionRegister};
use crate::registers::state::{Registers, StreamAttributes};
use crate::registers::stays::StayRegister;
use crate::registers::stays::held::HeldFact;
use crate::registers::tables::Tables;

/// What a join of facts did.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Joined {
    /// The effects of the facts.
    pub(crate) tally: Tally,
    /// The sessions in which a user or stream lost something, because a bound rose.
    pub(crate) lost_in: SessionSet,
    /// Whether a creation or close is new. It may outdate what observations saw (laws 14.5 and 15.4).
    pub(crate) outdates: bool,
    /// Whether an exit outdated P, that the room was seen open (law 14.5). P resolves the sign `NoCreate`,
    /// so signs may come back.
    pub(crate) is_open_outdated: bool,
    /// Whether the first opening of the session changed (law 6.8).
    pub(crate) is_first_opening_changed: bool,
}

/// What a join of observations did.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct JoinedObservation {
    /// Whether anything changed that readers may see.
    pub(crate) is_changed: bool,
    /// Whether it resolved signs of loss (law 16.1).
    pub(crate) resolves_signs: bool,
}

impl Registers {
    /// Joins facts of a session, and of a user or stream in it. `session` is its index, `target` is the
    /// user or stream, and `changed_at` is the local time at which the facts count as received.
    ///
    /// Nothing that is held loses its place by that. What is left empty is dropped at the end of the
    /// operation, by [`drop_empty`](Self::drop_empty).
    ///
    /// The order of the steps matters: the creation raises C, which raises the floor of everything else.
    /// The close of the session raises the bound of its users and streams.
    pub(crate) fn join(
        &mut self,
        facts: &Facts<'_>,
        session: usize,
        target: &mut Target<'_>,
        changed_at: Timestamp,
        rules: &Rules,
    ) -> Joined {
        let mut joined = Joined::default();
        let tally = &mut joined.tally;
        // Join the creation (law 3.1).
        if let Some(fact) = facts.create {
            let effect = if fact.created_at < self.anchors_from(rules) {
                Effect::Beaten
            } else {
                self.sessions[session].join_create(fact)
            };
            tally.add_main(effect);
            if effect == Effect::Changed {
                joined.lost_in = self.raise(fact.created_at, rules);
            }
        }
        // Join the first opening. It changes something if it puts the session before an end (law 6.8).
        let floor = self.floor(rules);
        let ended_at = self.ended_at;
        let register = &mut self.sessions[session];
        let hidden_until = register.hidden_until(ended_at, rules);
        joined.is_first_opening_changed = register.join_first_opening(facts);
        if register.hidden_until(ended_at, rules) != hidden_until {
            tally.add(Effect::Changed);
        }
        // Join the other facts of the session. A close drops what is no later in it (law 3.3).
        let closed_at = register.closed_at;
        register.join(facts, floor, tally);
        if register.closed_at != closed_at && register.prune_inside(floor, rules) {
            joined.lost_in.insert(session);
        }
        // Join the facts of the user or stream.
        let bounds = register.bounds(floor);
        match target {
            Target::Session => {}
            Target::User(user_id, places) => {
                if let Some(facts) = &facts.user {
                    let place = &mut places.told.in_sessions[session];
                    let users = &mut register.users;
                    join_stays(users, user_id, place, facts, bounds, changed_at, rules, tally);
                }
            }
            Target::Stream(stream_id, places) => {
                if let Some(facts) = &facts.stream {
                    let place = &mut places.told.in_sessions[session];
                    let streams = &mut register.streams;
                    join_stays(streams, stream_id, place, facts, bounds, changed_at, rules, tally);
                }
            }
        }
        if joined.tally.changed {
            register.changed_at = register.changed_at.max(changed_at);
        }
        // Drop what the facts outdate of observations (law 14.5).
        joined.outdates = joined.tally.changed && (facts.create.is_some() || facts.close.is_some());
        if joined.outdates {
            self.prune_observed(floor);
        }
        if facts.exit.is_some() && self.observed.open_at.is_some() {
            let outdated_until = self.open_outdated_until();
            if let Some(observed) = self.observed.held() {
                observed.outdate_open(outdated_until);
            }
            joined.is_open_outdated = self.observed.open_at.is_none();
        }
        joined
    }

    /// Joins what an observation says (law 13.1).
    ///
    /// The observation counts as made at q, which is δ before it was read (laws 11.4 and 12.2). What
    /// changed since then is left to callbacks. Below the floor it states nothing (law 13.3).
    pub(crate) fn join_observation(
        &mut self,
        observation: &Observation,
        verdict: Verdict<'_>,
        now: Timestamp,
        rules: &Rules,
    ) -> JoinedObservation {
        let at = observation.observed_at.minus(rules.clock_skew_ms);
        let floor = self.floor(rules);
        if at < floor {
            return JoinedObservation::default();
        }
        let before = self.observed.clone();
        let seen = SeenAt { at, received_at: self.observed.received_at(now, self.ended_at) };
        let mut is_changed = false;
        match verdict {
            Verdict::Closed(session_id) => {
                let facts = Facts { close: Some(at), ..Facts::default() };
                // Hearing again of a close that is known must not delay forgetting.
                let closed = self.session(Some(session_id)).filter(|held| held.closed_at.is_some());
                let changed_at = closed.map_or(now, |held| held.changed_at);
                let is_changed = self.join_session(&facts, session_id, changed_at, now, rules);
                return JoinedObservation { is_changed, resolves_signs: false };
            }
            Verdict::Alive(session_id) => {
                let facts = Facts { confirmed_open: Some(at), ..Facts::default() };
                is_changed = self.join_session(&facts, session_id, now, now, rules);
            }
            Verdict::NotOpen => self.observed.held_or_new().join_not_open(seen),
            Verdict::Open => self.observed.held_or_new().join_open(seen),
            Verdict::Unsaid => {}
        }
        // To be not open includes two complete and empty lists, which are joined already.
        if verdict != Verdict::NotOpen {
            self.observed.held_or_new().join_lists(observation, seen);
        }
        let resolves_signs = self.prune_and_resolve(floor);
        JoinedObservation { is_changed: is_changed || self.observed != before, resolves_signs }
    }

    /// Joins a close of the room that names no session: the same as an observation that finds the room not
    /// open (law 21.3).
    ///
    /// Its q is only ε before it, and not δ: the media server stamped the moment itself.
    pub(crate) fn join_nameless_close(
        &mut self,
        closed_at: Timestamp,
        now: Timestamp,
        rules: &Rules,
    ) -> JoinedObservation {
        let (at, floor) = (closed_at.minus(rules.tie_window_ms), self.floor(rules));
        if at < floor {
            return JoinedObservation::default();
        }
        let before = self.observed.clone();
        let seen = SeenAt { at, received_at: self.observed.received_at(now, self.ended_at) };
        self.observed.held_or_new().join_not_open(seen);
        let resolves_signs = self.prune_and_resolve(floor);
        JoinedObservation { is_changed: self.observed != before, resolves_signs }
    }

    /// Ends the join of what was observed: drops what is outdated of it, and the signs of loss that it
    /// resolved. Returns whether it resolved any.
    fn prune_and_resolve(&mut self, floor: Timestamp) -> bool {
        self.prune_observed(floor);
        self.observed.drop_idle();
        self.resolve_signs()
    }

    /// Drops what was observed below the floor, and what other registers outdate (laws 13.3, 14.4 and
    /// 14.5).
    fn prune_observed(&mut self, floor: Timestamp) {
        let outdated_until = self.open_outdated_until();
        if let Some(observed) = self.observed.held() {
            observed.prune(floor, outdated_until);
        }
    }

    /// Joins what an observation says of one session, which may be new. Returns whether anything changed.
    fn join_session(
        &mut self,
        facts: &Facts<'_>,
        session_id: &SessionId,
        changed_at: Timestamp,
        now: Timestamp,
        rules: &Rules,
    ) -> bool {
        let (session, _) = self.session_or_insert(Some(session_id), self.after_end(now));
        self.join(facts, session, &mut Target::Session, changed_at, rules).tally.changed
    }

    /// Closes every login of a user, each at its own login time. So a late repeat of that login does not
    /// bring the user back, but a new login does (law 6.1). Presences end likewise (law 16.2).
    pub(crate) fn close_logins(&mut self, target: &mut Target<'_>, now: Timestamp, rules: &Rules) {
        let Target::User(_, places) = target else { return };
        if let (Some(place), Some(observed)) = (places.told.in_roster, self.observed.held()) {
            observed.users.leave(place);
        }
        for session in 0..self.sessions.len() {
            let Target::User(_, places) = target else { return };
            let user = self.stays_at::<Users>(session, &places.told);
            let open = user.into_iter().flat_map(|user| &user.facts).filter(|held| held.is_open());
            let open: SmallVec<[HeldFact<Users>; 1]> = open.cloned().collect();
            for held in &open {
                let closing = Closing { by_us: true, lacks_opening_time: false };
                let fact = StayFact { event: StayEvent::Closed(closing), ..held.fact() };
                let user = Some(StayFacts { latest_opening: None, fact: Some(fact) });
                let facts = Facts { user, ..Facts::default() };
                self.join(&facts, session, target, now, rules);
            }
        }
    }

    /// Raises C, and drops what is below the new bounds (laws 3.1, 3.2 and 3.5). Returns the sessions in
    /// which a user or stream lost something.
    fn raise(&mut self, created_at: Timestamp, rules: &Rules) -> SessionSet {
        if self.latest_create.is_some_and(|latest| created_at <= latest) {
            return SessionSet::default();
        }
        self.latest_create = Some(created_at);
        let (anchors_from, floor) = (self.anchors_from(rules), self.floor(rules));
        if let Some(observed) = self.observed.held() {
            // C outdates P by itself, and what other registers outdate is pruned already.
            observed.prune(floor, Some(created_at));
        }
        let mut lost_in = SessionSet::default();
        for (index, session) in self.sessions.iter_mut().enumerate() {
            let create = session.create.take();
            session.create = create.filter(|create| create.created_at >= anchors_from);
            if session.prune(floor, rules) {
                lost_in.insert(index);
            }
        }
        lost_in
    }

    /// Joins every register of another replica (section 7 of the rules). Returns the users whose membership
    /// changed.
    ///
    /// C comes first, so that every fact of either replica meets the bound of both (law 7.2).
    pub(crate) fn merge(&mut self, other: Self, now: Timestamp, rules: &Rules) -> Vec<UserId> {
        if let Some(latest) = other.latest_create {
            self.raise(latest, rules);
        }
        for session in &other.sessions {
            self.merge_session(session, now, rules);
        }
        // A replica without observations does not know the unknown session, so the other's time counts (law
        // 4.11). The question must come before the observations are merged.
        self.unknown_emptiness = if self.observed.is_empty() {
            other.unknown_emptiness
        } else if other.observed.is_empty() {
            self.unknown_emptiness
        } else {
            Emptiness::merge(self.unknown_emptiness, other.unknown_emptiness)
        };
        if !other.observed.is_empty() {
            self.observed.held_or_new().merge(&other.observed);
        }
        self.prune_observed(self.floor(rules));
        self.observed.drop_idle();
        self.refused.merge(other.refused);
        self.resolve_signs();
        self.drop_empty();

        // An end outranks business info, memberships and notes that are no later (laws 7.3, 7.4 and 18.11).
        self.join_end(other.ended_at);
        self.join_end(other.ended_before);
        let info = self.info.take().max(other.info);
        self.info = info.filter(|info| Some(info.updated_at) > self.ended_at);
        let updated = self.members.merge(&other.members, self.ended_at, self.ended_before);
        self.empty_since = self.empty_since.max(other.empty_since);
        self.is_entered |= other.is_entered;
        self.sessionless_since = self.sessionless_since.max(other.sessionless_since);
        self.user_notes.merge(other.user_notes);
        if let Some(ended_at) = self.ended_at {
            self.user_notes.end_before(ended_at);
        }
        for (stream_id, attributes) in other.stream_attributes.iter() {
            self.stream_attributes.join(stream_id, attributes.clone());
        }
        updated
    }

    /// Joins a session of another replica: first its own facts, then those of each user and stream, then
    /// what no callback tells.
    fn merge_session(&mut self, other: &SessionRegister, now: Timestamp, rules: &Rules) {
        let (index, is_new) = self.session_or_insert(other.id.as_ref(), other.heard_at);
        let own = Facts {
            create: other.create.as_ref().map(Create::fact),
            close: other.closed_at,
            opening: other.latest_opening_at,
            exit: other.latest_exit_at,
            name: other.name.as_ref().map(Name::fact),
            confirmed_open: other.confirmed_open_at,
            ..Facts::default()
        };
        self.join(&own, index, &mut Target::Session, other.changed_at, rules);
        for (user_id, user) in other.users.iter() {
            let target = self.target_user(user_id);
            let facts_of = |user| Facts { user: Some(user), ..Facts::default() };
            self.merge_stays(index, target, user, facts_of, is_new, rules);
        }
        for (stream_id, stream) in other.streams.iter() {
            let target = self.target_stream(stream_id);
            let facts_of = |stream| Facts { stream: Some(stream), ..Facts::default() };
            self.merge_stays(index, target, stream, facts_of, is_new, rules);
        }
        // Ends: the later of each counts (laws 7.5 and 21.4).
        let session = &mut self.sessions[index];
        session.hidden_at = session.hidden_at.max(other.hidden_at);
        session.emptiness = if is_new {
            other.emptiness
        } else {
            Emptiness::merge(session.emptiness, other.emptiness)
        };
        session.hidden_openings_until =
            session.hidden_openings_until.max(other.hidden_openings_until);
        // Heard and first: the earlier of each counts (law 6.8).
        session.heard_at = session.heard_at.min(other.heard_at);
        let first = session.first_opening_at.into_iter().chain(other.first_opening_at).min();
        session.first_opening_at = first;
        if session.is_empty() {
            return; // the bounds admitted nothing of the other replica's, so the session is dropped
        }
        session.changed_at = session.changed_at.max(other.changed_at);
        session.evidence.merge(&other.evidence, now);
    }

    /// Joins the register that another replica holds of a user or stream in a session. That is its facts,
    /// when it last changed (law 7.5), and which opening found something open (law 10.13). Of the last two,
    /// the later counts.
    ///
    /// If the session is new here, the facts were joined just now in another order than there. What they
    /// found open says nothing then, and what the other replica found counts alone.
    fn merge_stays<'a, K: Tables>(
        &mut self,
        session: usize,
        mut target: Target<'a>,
        stays: &'a StayRegister<K>,
        facts_of: impl Fn(StayFacts<'a, K>) -> Facts<'a>,
        is_new: bool,
        rules: &Rules,
    ) {
        for facts in stays.facts() {
            self.join(&facts_of(facts), session, &mut target, stays.changed_at, rules);
        }
        let place = K::places(&mut target).and_then(|places| places.in_sessions[session]);
        let table = K::table_mut(&mut self.sessions[session]);
        if let Some(held) = place.and_then(|place| table.at_mut(place)) {
            held.changed_at = held.changed_at.max(stays.changed_at);
            let found_here = held.found_open_at.filter(|_| !is_new);
            held.found_open_at = found_here.max(stays.found_open_at);
        }
    }

    /// Drops the gaps and signs that complete lists resolved (law 16.1). Signs that follow from the
    /// registers stay, and are hidden instead: see `Signs` in `signs.rs`. Returns whether any were dropped.
    pub(crate) fn resolve_signs(&mut self) -> bool {
        let (users, streams) = (self.observed.users.listed_at, self.observed.streams.listed_at);
        let mut any = self.refused.resolve(users, streams);
        for session in &mut self.sessions {
            any |= session.evidence.resolve(users, streams);
        }
        any
    }
}

/// Joins facts of a user or stream into its register, and adds their effects to the tally. If there is no
/// register yet, and the bounds admit something, one is inserted, and `place` becomes its place.
#[expect(clippy::too_many_arguments, reason = "each is needed, and it is called in two places")]
fn join_stays<K: Kind>(
    table: &mut IdTable<K::Id, StayRegister<K>>,
    id: &HashedId<'_, K::Id>,
    place: &mut Option<usize>,
    facts: &StayFacts<'_, K>,
    bounds: Bounds,
    changed_at: Timestamp,
    rules: &Rules,
    tally: &mut Tally,
) {
    let mut join = |stays: &mut StayRegister<K>| {
        let [latest_opening, main] = stays.join(facts, bounds, rules);
        if [latest_opening, main].contains(&Some(Effect::Changed)) {
            stays.changed_at = stays.changed_at.max(changed_at);
        }
        if let Some(main) = main {
            tally.add_main(main);
        }
        if let Some(latest_opening) = latest_opening {
            tally.add(latest_opening);
        }
    };
    if let Some(stays) = place.and_then(|place| table.at_mut(place)) {
        join(stays);
        return;
    }
    let mut stays = StayRegister::default();
    join(&mut stays);
    if !stays.is_empty() {
        *place = Some(table.insert_new(id.as_hashed(), stays));
    }
}

impl IdTable<StreamId, StreamAttributes> {
    /// Keeps the greater of two attributes of one stream: those that were updated last.
    fn join(&mut self, stream_id: &StreamId, attributes: StreamAttributes) {
        let stream_id = Hashed::new(stream_id);
        match self.get_mut(&stream_id) {
            Some(held) if *held < attributes => *held = attributes,
            Some(_) => {}
            None => _ = self.insert_new(stream_id, attributes),
        }
    }
}
