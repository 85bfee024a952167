//! The registers of one session: one life of a room, with its users and streams.

use std::collections::BTreeMap;
use std::hint::black_box;

use crate::collections::id_table::{Hashed, IdTable};
use crate::model::config::Fingerprint;
use crate::model::id::{SessionId, StreamId, UserId};
use crate::model::text::Text;
use crate::model::time::Timestamp;
use crate::room::evidence::Evidence;
use crate::room::facts::{
    CreateFact, Effect, Facts, NameFact, StreamFact, Tally, UserFacts, join_max,
};
use crate::room::stream::StreamRegister;
use crate::room::user::UserRegister;

/// Everything held of one session. Times are theirs unless said.
#[derive(Debug, Clone)]
pub(crate) struct SessionRegister {
    pub(crate) id: SessionId,
    /// Held only while no later creation of the room outdates it: it makes the session an anchor.
    pub(crate) create: Option<Create>,
    pub(crate) closed_at: Option<Timestamp>,
    /// The latest sign of life, of opening times only.
    pub(crate) seen_at: Option<Timestamp>,
    pub(crate) name: Option<Name>,
    /// When an observation last saw it open.
    pub(crate) alive_at: Option<Timestamp>,
    /// When the room's end hid it, in our time.
    pub(crate) hidden_at: Option<Timestamp>,
    pub(crate) users: IdTable<UserId, UserRegister>,
    pub(crate) streams: BTreeMap<StreamId, StreamRegister>,
    /// What tells that callbacks of it were lost.
    pub(crate) evidence: Evidence,
    /// When anything in it last changed, in our time.
    pub(crate) touched_at: Timestamp,
    /// The latest time of any fact in it. What goes by a bound or another fact leaves something at
    /// least as late, so this only has to be counted anew when the floor rises.
    pub(crate) newest: Option<Timestamp>,
    /// How many of its users are logged in.
    pub(crate) logged_in: usize,
    /// How many of its users have a login that we closed ourselves.
    pub(crate) closed_by_us: usize,
    /// How many of its streams are open.
    pub(crate) open_streams: usize,
}

/// A session's creation as told by its callback.
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

/// What a fact of a user or a stream must not be below.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// The latest creation less the clock skew.
    pub(crate) floor: Timestamp,
    /// When the session closed.
    pub(crate) closed_at: Option<Timestamp>,
}

/// What decides, beside its own registers, whether a session counts as closed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Closings {
    /// When the business info was made, in our time: an end before it hides nothing.
    pub(crate) shows_from: Option<Timestamp>,
    /// When the room was last seen not to be open.
    pub(crate) not_open_at: Option<Timestamp>,
}

impl Bounds {
    pub(crate) fn admit(self, at: Timestamp) -> bool {
        at >= self.floor && self.closed_at.is_none_or(|closed_at| at > closed_at)
    }
}

impl SessionRegister {
    pub(crate) fn new(id: SessionId) -> Self {
        Self {
            id,
            create: None,
            closed_at: None,
            seen_at: None,
            name: None,
            alive_at: None,
            hidden_at: None,
            users: IdTable::default(),
            streams: BTreeMap::new(),
            evidence: Evidence::default(),
            touched_at: Timestamp::MIN,
            newest: None,
            logged_in: 0,
            closed_by_us: 0,
            open_streams: 0,
        }
    }

    /// Joins everything but the creation, which concerns the whole room.
    pub(crate) fn join(
        &mut self,
        facts: &Facts<'_>,
        floor: Timestamp,
        touched_at: Timestamp,
        rules: &Fingerprint,
        tally: &mut Tally,
    ) {
        if let Some(at) = facts.close {
            let effect = self.join_close(at, floor);
            tally.note_main(effect);
            tally.lost = effect == Effect::Changed && self.prune_inside(floor, rules);
        }
        if let Some(at) = facts.seen {
            tally.note(if at >= floor { join_max(&mut self.seen_at, at) } else { Effect::Beaten });
            self.saw(at, floor);
        }
        if let Some(name) = facts.name {
            tally.note(self.join_name(name, floor));
        }
        if let Some(at) = facts.alive {
            tally.note(if at >= floor { join_max(&mut self.alive_at, at) } else { Effect::Beaten });
            self.saw(at, floor);
        }
        if let Some((user_id, facts)) = &facts.user {
            self.join_user(*user_id, facts, floor, touched_at, rules, tally);
        }
        if let Some((stream_id, fact)) = &facts.stream {
            self.join_stream(stream_id, fact, floor, touched_at, tally);
        }
        if tally.changed {
            self.touched_at = self.touched_at.max(touched_at);
        }
    }

    pub(crate) fn join_create(&mut self, fact: CreateFact<'_>) -> Effect {
        let held = self.create.as_ref().map(Create::fact);
        match held.map(|held| fact.cmp(&held)) {
            Some(std::cmp::Ordering::Less) => Effect::Beaten,
            Some(std::cmp::Ordering::Equal) => Effect::Same,
            Some(std::cmp::Ordering::Greater) | None => {
                let CreateFact { created_at, creator_id } = fact;
                self.create = Some(Create { created_at, creator_id: creator_id.cloned() });
                self.newest = self.newest.max(Some(created_at));
                Effect::Changed
            }
        }
    }

    fn join_close(&mut self, at: Timestamp, floor: Timestamp) -> Effect {
        if at < floor {
            return Effect::Beaten;
        }
        let effect = join_max(&mut self.closed_at, at);
        if effect == Effect::Changed {
            self.saw(at, floor);
        }
        effect
    }

    fn join_name(&mut self, fact: NameFact<'_>, floor: Timestamp) -> Effect {
        if fact.at < floor {
            return Effect::Beaten;
        }
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

    fn join_user(
        &mut self,
        user_id: Hashed<'_, UserId>,
        facts: &UserFacts<'_>,
        floor: Timestamp,
        touched_at: Timestamp,
        rules: &Fingerprint,
        tally: &mut Tally,
    ) {
        let bounds = self.bounds(floor);
        let mut unknown = UserRegister::default();
        let known = self.users.get_mut(&user_id);
        let is_known = known.is_some();
        let user = known.unwrap_or(&mut unknown);
        let was_logged_in = !user.logins.is_empty();
        let was_closed_by_us = user.is_closed_by_us();

        let [key, login, closer] = user.join(facts, bounds, rules);
        let main = login.or(closer); // a callback has one of the two
        let changed = [key, login, closer].contains(&Some(Effect::Changed));
        if changed {
            user.touched_at = user.touched_at.max(touched_at);
        }
        let newest = if changed { user.newest() } else { None };
        let is_logged_in = !user.logins.is_empty();
        let is_closed_by_us = user.is_closed_by_us();
        tally.two_logins = user.logins.len() > 1;
        if !is_known && !unknown.is_empty() {
            self.users.insert_new(user_id, unknown);
        }
        self.logged_in = self.logged_in + usize::from(is_logged_in) - usize::from(was_logged_in);
        self.closed_by_us =
            self.closed_by_us + usize::from(is_closed_by_us) - usize::from(was_closed_by_us);
        self.newest = self.newest.max(newest);

        if let Some(main) = main {
            tally.note_main(main);
        }
        if let Some(key) = key {
            tally.note(key);
        }
    }

    fn join_stream(
        &mut self,
        stream_id: &StreamId,
        fact: &StreamFact<'_>,
        floor: Timestamp,
        touched_at: Timestamp,
        tally: &mut Tally,
    ) {
        let bounds = self.bounds(floor);
        let mut unknown = StreamRegister::default();
        let known = self.streams.get_mut(stream_id);
        let is_known = known.is_some();
        let stream = known.unwrap_or(&mut unknown);
        let was_open = stream.shown().is_some();

        let effect = stream.join(fact, bounds);
        if effect == Effect::Changed {
            stream.touched_at = stream.touched_at.max(touched_at);
        }
        let is_open = stream.shown().is_some();
        if !is_known && !unknown.is_empty() {
            self.streams.insert(stream_id.clone(), unknown);
        }
        self.open_streams = self.open_streams + usize::from(is_open) - usize::from(was_open);
        if effect == Effect::Changed {
            self.saw(fact.at, floor);
        }
        tally.note_main(effect);
    }

    /// Lets go what is below a floor that rose. Tells whether a user or a stream lost something.
    pub(crate) fn prune(&mut self, floor: Timestamp, rules: &Fingerprint) -> bool {
        let is_held = |at: &Timestamp| *at >= floor;
        self.closed_at = self.closed_at.filter(is_held);
        self.seen_at = self.seen_at.filter(is_held);
        self.alive_at = self.alive_at.filter(is_held);
        self.name = self.name.take().filter(|name| is_held(&name.at));
        let lost = self.prune_inside(floor, rules);
        self.recount();
        lost
    }

    /// Lets go users and streams that are below the bounds.
    fn prune_inside(&mut self, floor: Timestamp, rules: &Fingerprint) -> bool {
        let bounds = self.bounds(floor);
        let mut lost = false;
        let mut logged_in = 0;
        let mut closed_by_us = 0;
        self.users.retain(|_, user| {
            let before = (user.key_at, user.logins.len(), user.closers.len());
            user.prune(bounds, rules);
            lost |= before != (user.key_at, user.logins.len(), user.closers.len());
            logged_in += usize::from(!user.logins.is_empty());
            closed_by_us += usize::from(user.is_closed_by_us());
            !user.is_empty()
        });
        let mut open_streams = 0;
        self.streams.retain(|_, stream| {
            let before = stream.facts.len();
            stream.prune(bounds);
            lost |= before != stream.facts.len();
            open_streams += usize::from(stream.shown().is_some());
            !stream.is_empty()
        });
        self.logged_in = logged_in;
        self.closed_by_us = closed_by_us;
        self.open_streams = open_streams;
        lost
    }

    /// Lets a user go. One whose login does not count any more may still have one.
    pub(crate) fn forget_user(&mut self, user_id: &UserId) {
        if let Some((_, _, user)) = self.users.swap_remove(user_id) {
            self.logged_in -= usize::from(!user.logins.is_empty());
            self.closed_by_us -= usize::from(user.is_closed_by_us());
        }
    }

    /// Lets a stream go. One that does not count any more may still be open.
    pub(crate) fn forget_stream(&mut self, stream_id: &StreamId) {
        if let Some(stream) = self.streams.remove(stream_id) {
            self.open_streams -= usize::from(stream.shown().is_some());
        }
    }

    /// Counts anew what is derived from the registers.
    pub(crate) fn recount(&mut self) {
        self.logged_in = self.users.values().filter(|user| !user.logins.is_empty()).count();
        self.closed_by_us = self.users.values().filter(|user| user.is_closed_by_us()).count();
        self.open_streams = self.streams.values().filter(|stream| stream.shown().is_some()).count();
        let created_at = self.create.as_ref().map(|create| create.created_at);
        let own = [created_at, self.closed_at, self.seen_at, self.alive_at];
        let users = self.users.values().filter_map(UserRegister::newest);
        let streams = self.streams.values().filter_map(StreamRegister::newest);
        self.newest = own.into_iter().flatten().chain(users).chain(streams).max();
        let users = self.users.values().map(|user| user.touched_at);
        let streams = self.streams.values().map(|stream| stream.touched_at);
        self.touched_at = users.chain(streams).fold(self.touched_at, Timestamp::max);
    }

    /// Has the memory of the session itself brought here.
    pub(crate) fn fetch_all(&self) {
        black_box((
            self.closed_at,
            self.seen_at,
            self.newest,
            self.touched_at,
            self.name.is_some(),
        ));
        black_box((self.evidence.is_empty(), self.users.is_empty(), self.create.is_some()));
    }

    /// Has the memory of a user's place brought here.
    pub(crate) fn fetch(&self, place: usize) {
        self.users.fetch_id(place);
        if let Some((_, user)) = self.users.at(place) {
            black_box((user.key_at, user.closers.len()));
        }
    }

    pub(crate) fn bounds(&self, floor: Timestamp) -> Bounds {
        Bounds { floor, closed_at: self.closed_at }
    }

    /// Whether it has a creation that no later one outdates.
    pub(crate) fn is_anchor(&self) -> bool {
        self.create.is_some()
    }

    /// Whether it has a close, the room was seen not to be open after every sign of life of it, or
    /// the room's end hides it. Business info made after the end shows again what still runs.
    pub(crate) fn is_closed(&self, closings: Closings) -> bool {
        let shows_from = closings.shows_from;
        let hidden = self.hidden_at.is_some_and(|at| shows_from.is_none_or(|from| at >= from));
        self.closed_at.is_some() || hidden || self.is_seen_closed(closings.not_open_at)
    }

    fn is_seen_closed(&self, not_open_at: Option<Timestamp>) -> bool {
        let created_at = self.create.as_ref().map(|create| create.created_at);
        not_open_at > created_at.max(self.seen_at).max(self.alive_at)
    }

    /// Whether an observation saw it open after an instant.
    pub(crate) fn is_alive_after(&self, after: Option<Timestamp>) -> bool {
        self.alive_at > after
    }

    /// The instant that the threshold of forgetting must pass for it to be let go, if it may go.
    pub(crate) fn forgettable_at(&self) -> Timestamp {
        self.newest.unwrap_or_default().max(self.touched_at)
    }

    /// The latest time of its creation, its signs of life, and its users. Cost: the users.
    pub(crate) fn newest_opening_or_user(&self) -> Option<Timestamp> {
        let created_at = self.create.as_ref().map(|create| create.created_at);
        let users = self.users.values().filter_map(UserRegister::newest).max();
        created_at.max(self.seen_at).max(users)
    }

    /// Its users, by id.
    pub(crate) fn users_by_id(&self) -> Vec<(&UserId, &UserRegister)> {
        let mut users: Vec<_> = self.users.iter().collect();
        users.sort_unstable_by_key(|(user_id, _)| *user_id);
        users
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.create.is_none()
            && self.closed_at.is_none()
            && self.seen_at.is_none()
            && self.name.is_none()
            && self.alive_at.is_none()
            && self.hidden_at.is_none()
            && self.users.is_empty()
            && self.streams.is_empty()
    }

    fn saw(&mut self, at: Timestamp, floor: Timestamp) {
        if at >= floor {
            self.newest = self.newest.max(Some(at));
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
