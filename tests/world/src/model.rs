//! Evaluates the ordering rules, slowly and obviously. It takes the whole set of callbacks of one room at
//! once, with an infinite retention. It consists of filters and maxima over the set of facts.
//!
//! It is written from the rules and not from the library, and shares nothing with the library but the
//! input.

use std::collections::{BTreeMap, BTreeSet};

use room_registry::event::{CallbackEvent, StreamDetails};
use room_registry::{Callback, SessionId, StreamId, UserId};

/// The name of a session; `None` for the one that has none.
pub type SessionKey = Option<SessionId>;

/// The settings of the rules, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How far apart clocks may be.
    pub clock_skew: u64,
    /// Within what span the later time tells nothing.
    pub tie_window: u64,
    /// Whether users and streams show a session whose creation was not heard of.
    pub infer: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { clock_skew: 5_000, tie_window: 100, infer: true }
    }
}

/// What an opening shows: the name and role of a user, or the details of a stream. The order is the
/// rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shown {
    /// Of a user.
    User(Option<String>, Option<String>),
    /// Of a stream.
    Stream(StreamDetails),
}

/// The name of a stay: whether it excludes others, and its id.
pub type Name = (bool, String);
/// A named opening: time, rank, and what it shows. The order is the rule.
pub type Opening = (u64, u64, Shown);
/// What orders the facts of what has an order: order, whether it is a closing, and the stay.
pub type OrderedKey = (u64, bool, Option<String>);

/// Every register that is held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    /// The latest creation of a session.
    pub latest_create: Option<u64>,
    /// What is held of each session.
    pub sessions: BTreeMap<SessionKey, StoredSession>,
}

/// What is held of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredSession {
    /// When it was created, and by whom.
    pub create: Option<(u64, Option<UserId>)>,
    /// When it was closed.
    pub closed_at: Option<u64>,
    /// The last time at which something in it opened.
    pub seen_at: Option<u64>,
    /// The last time at which something in it closed, if it is the one without a name.
    pub exit_at: Option<u64>,
    /// The last time at which an observation named it as open.
    pub alive_at: Option<u64>,
    /// The name of the room, and when it was told.
    pub name: Option<(u64, String)>,
    /// What is held of each user.
    pub users: BTreeMap<UserId, StoredStays>,
    /// What is held of each stream.
    pub streams: BTreeMap<StreamId, StoredStays>,
}

/// What is held of a user or stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredStays {
    /// The latest opening that was heard of, of a stay that excludes others.
    pub key_at: Option<u64>,
    /// The named openings that may count.
    pub openings: BTreeMap<Name, Opening>,
    /// The named closings: when each counts, and when it was.
    pub closings: BTreeMap<Name, (u64, u64)>,
    /// The facts with an order, each with its time, and what it shows.
    pub ordered: BTreeMap<OrderedKey, (u64, Option<Shown>)>,
}

/// What readers see of a user or stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The stay.
    pub stay: Option<String>,
    /// When it began.
    pub at: u64,
    /// The counter or order.
    pub rank: u64,
    /// What it shows.
    pub shown: Shown,
}

impl StoredStays {
    /// Answers what shows, if openings before the last complete list without it do not count.
    pub fn seen(&self, absent: Option<u64>) -> Option<Seen> {
        let named = self.openings.iter().filter(|(_, opening)| Some(opening.0) >= absent);
        let named = named.max_by_key(|(name, opening)| {
            let (is_exclusive, stay) = name;
            (opening.1, opening.0, place_of(stay), *is_exclusive)
        });
        if let Some(((_, stay), (at, rank, shown))) = named {
            let (stay, shown) = (Some(stay.clone()), shown.clone());
            return Some(Seen { stay, at: *at, rank: *rank, shown });
        }
        let ((rank, _, stay), (at, shown)) = self.ordered.last_key_value()?;
        let shown = shown.clone().filter(|_| Some(*at) >= absent)?;
        Some(Seen { stay: stay.clone(), at: *at, rank: *rank, shown })
    }

    /// Answers how many stays do not show, because the last complete list without them is later.
    pub fn hidden(&self, absent: Option<u64>) -> usize {
        let named = self.openings.values().map(|opening| opening.0);
        let ordered = self.ordered.values().map(|(at, _)| *at);
        named.chain(ordered).filter(|at| Some(*at) < absent).count()
    }

    /// Answers the latest time of any fact, as it was told.
    pub fn newest(&self) -> Option<u64> {
        let openings = self.openings.values().map(|opening| opening.0);
        let closings = self.closings.values().map(|(_, told)| *told);
        let ordered = self.ordered.values().map(|(at, _)| *at);
        openings.chain(closings).chain(ordered).chain(self.key_at).max()
    }
}

/// Answers where an id sorts: those of digits as numbers, and before all others. The order is the rule.
fn place_of(id: &str) -> (bool, usize, &str, &str) {
    let is_number = id.bytes().all(|byte| byte.is_ascii_digit());
    let number = id.trim_start_matches('0');
    if is_number { (false, number.len(), number, id) } else { (true, 0, id, id) }
}

/// What readers see of an open room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visible {
    /// The session that shows.
    pub session_id: SessionKey,
    /// Whether its creation was not heard of.
    pub inferred: bool,
    /// When it opened.
    pub opened_at: Option<u64>,
    /// Who created it.
    pub creator_id: Option<UserId>,
    /// What the room is called.
    pub room_name: Option<String>,
    /// Who is logged in.
    pub users: BTreeMap<UserId, Seen>,
    /// What is published.
    pub streams: BTreeMap<StreamId, Seen>,
}

/// The facts of a set of callbacks.
#[derive(Debug, Default)]
pub(super) struct Facts {
    creates: Vec<(SessionKey, u64, Option<UserId>)>,
    pub(super) closes: Vec<(SessionKey, u64)>,
    /// When the room was not open, as closes without a name tell.
    pub(super) not_open: Vec<u64>,
    seens: Vec<(SessionKey, u64)>,
    /// The closings of the session without a name.
    exits: Vec<u64>,
    names: Vec<(SessionKey, u64, String)>,
    keys: Vec<(SessionKey, Thing, u64)>,
    openings: Vec<(SessionKey, Thing, Name, Opening)>,
    closings: Vec<(SessionKey, Thing, Name, (u64, u64))>,
    ordered: Vec<(SessionKey, Thing, OrderedKey, u64, Option<Shown>)>,
}

/// A user or a stream.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    User(UserId),
    Stream(StreamId),
}

/// How a callback names the stay that it is about.
#[derive(Debug)]
struct Told {
    session: SessionKey,
    thing: Thing,
    stay: Option<String>,
    order: Option<u64>,
    counter: Option<u64>,
    exclusive: bool,
}

/// Evaluates a set of callbacks: what is stored, and what is visible.
pub fn evaluate(callbacks: &[Callback], settings: Settings) -> (Stored, Option<Visible>) {
    let facts = Facts::of(callbacks, settings);
    let stored = facts.hold(settings);
    let visible = stored.visible(settings);
    (stored, visible)
}

/// Takes what an event tells of its stay.
macro_rules! told_by {
    ($session:expr, $thing:expr, $event:ident, $stay:ident) => {
        Told {
            session: $session,
            thing: $thing,
            stay: $event.$stay.map(|stay| stay.to_string()),
            order: $event.order,
            counter: $event.counter,
            exclusive: $event.exclusive,
        }
    };
}

impl Facts {
    pub(super) fn of(callbacks: &[Callback], settings: Settings) -> Self {
        let mut facts = Self::default();
        for callback in callbacks {
            let session = || callback.session_id.clone();
            match callback.event.clone() {
                // Without a name, nothing opened by itself.
                CallbackEvent::RoomCreated(_) if callback.session_id.is_none() => {}
                CallbackEvent::RoomClosed(event) if callback.session_id.is_none() => {
                    let at = event.closed_at.as_millis();
                    facts.not_open.push(at.saturating_sub(settings.tie_window));
                }
                CallbackEvent::RoomCreated(event) => {
                    facts.creates.push((session(), event.created_at.as_millis(), event.creator_id));
                }
                CallbackEvent::RoomClosed(event) => {
                    facts.closes.push((session(), event.closed_at.as_millis()));
                }
                CallbackEvent::UserLoggedIn(event) => {
                    let at = event.login_at.as_millis();
                    let name = event.details.user_name.map(|name| name.to_string());
                    let role = event.details.role.map(|role| role.to_string());
                    if let Some(name) = event.room_name {
                        facts.names.push((session(), at, name.to_string()));
                    }
                    let told =
                        told_by!(session(), Thing::User(event.user_id), event, user_session_id);
                    facts.open(told, at, Shown::User(name, role));
                }
                CallbackEvent::UserLoggedOut(event) => {
                    let told =
                        told_by!(session(), Thing::User(event.user_id), event, user_session_id);
                    let opened = event.login_at.map(room_registry::Timestamp::as_millis);
                    facts.close(told, event.logout_at.as_millis(), opened, settings);
                }
                CallbackEvent::StreamCreated(event) => {
                    let told = told_by!(
                        session(),
                        Thing::Stream(event.stream_id),
                        event,
                        stream_session_id
                    );
                    facts.open(told, event.created_at.as_millis(), Shown::Stream(event.details));
                }
                CallbackEvent::StreamClosed(event) => {
                    let told = told_by!(
                        session(),
                        Thing::Stream(event.stream_id),
                        event,
                        stream_session_id
                    );
                    let opened = event.created_at.map(room_registry::Timestamp::as_millis);
                    facts.close(told, event.closed_at.as_millis(), opened, settings);
                }
                other => panic!("an event that the model does not know: {other:?}"),
            }
        }
        facts
    }

    fn open(&mut self, told: Told, at: u64, shown: Shown) {
        let Told { session, thing, stay, order, counter, exclusive } = told;
        self.seens.push((session.clone(), at));
        match (order, stay) {
            (None, Some(stay)) => {
                if exclusive {
                    self.keys.push((session.clone(), thing.clone(), at));
                }
                let opening = (at, counter.unwrap_or(0), shown);
                self.openings.push((session, thing, (exclusive, stay), opening));
            }
            (order, stay) => {
                let key = (order.unwrap_or(at), false, stay);
                self.ordered.push((session, thing, key, at, Some(shown)));
            }
        }
    }

    fn close(&mut self, told: Told, closed: u64, opened: Option<u64>, settings: Settings) {
        let Told { session, thing, stay, order, exclusive, .. } = told;
        let at = closed.max(opened.unwrap_or(0));
        self.exits.extend(session.is_none().then_some(at));
        self.seens.extend(opened.map(|opened| (session.clone(), opened)));
        match (order, stay) {
            (None, Some(stay)) => {
                if exclusive {
                    self.keys.extend(opened.map(|at| (session.clone(), thing.clone(), at)));
                }
                let counts = if opened.is_none() { at + settings.clock_skew } else { at };
                self.closings.push((session, thing, (exclusive, stay), (counts, at)));
            }
            (order, stay) => {
                let key = (order.unwrap_or(at), true, stay);
                self.ordered.push((session, thing, key, at, None));
            }
        }
    }

    /// Answers what the bounds let be held.
    pub(super) fn hold(&self, settings: Settings) -> Stored {
        let c = self.creates.iter().map(|(_, at, _)| *at).max();
        let anchors_from = c.unwrap_or(0).saturating_sub(settings.tie_window);
        let lo = c.unwrap_or(0).saturating_sub(settings.clock_skew);

        let mut sessions: BTreeSet<SessionKey> = BTreeSet::new();
        sessions.extend(self.creates.iter().map(|fact| fact.0.clone()));
        sessions.extend(self.closes.iter().map(|fact| fact.0.clone()));
        sessions.extend(self.seens.iter().map(|fact| fact.0.clone()));
        sessions.extend(self.closings.iter().map(|fact| fact.0.clone()));
        sessions.extend(self.ordered.iter().map(|fact| fact.0.clone()));

        let mut stored = Stored { latest_create: c, sessions: BTreeMap::new() };
        for id in sessions {
            let creates = self
                .creates
                .iter()
                .filter(|(session, at, _)| *session == id && *at >= anchors_from);
            let closes = self.closes.iter().filter(|(session, at)| *session == id && *at >= lo);
            let seens = self.seens.iter().filter(|(session, at)| *session == id && *at >= lo);
            let names = self.names.iter().filter(|(session, at, _)| *session == id && *at >= lo);
            let exits = self.exits.iter().filter(|at| id.is_none() && **at >= lo);
            let x = closes.map(|(_, at)| *at).max();
            let (mut users, mut streams) = (BTreeMap::new(), BTreeMap::new());
            for (thing, stays) in self.hold_stays(&id, lo, x, settings) {
                match thing {
                    Thing::User(user) => _ = users.insert(user, stays),
                    Thing::Stream(stream) => _ = streams.insert(stream, stays),
                }
            }
            let session = StoredSession {
                create: creates.map(|(_, at, creator)| (*at, creator.clone())).max(),
                closed_at: x,
                seen_at: seens.map(|(_, at)| *at).max(),
                exit_at: exits.copied().max(),
                alive_at: None,
                name: names.map(|(_, at, name)| (*at, name.clone())).max(),
                users,
                streams,
            };
            if session != StoredSession::default() {
                stored.sessions.insert(id, session);
            }
        }
        stored
    }

    fn hold_stays(
        &self,
        id: &SessionKey,
        lo: u64,
        x: Option<u64>,
        settings: Settings,
    ) -> BTreeMap<Thing, StoredStays> {
        let admits = |at: u64| at >= lo && x.is_none_or(|x| at > x);
        let mut held: BTreeMap<Thing, StoredStays> = BTreeMap::new();
        for (_, thing, at) in self.keys.iter().filter(|(s, _, at)| s == id && admits(*at)) {
            let stays = held.entry(thing.clone()).or_default();
            stays.key_at = stays.key_at.max(Some(*at));
        }
        // What excludes others must not be older than the latest opening, but for the tie window.
        let from = |held: &BTreeMap<Thing, StoredStays>, thing: &Thing, name: &Name| {
            let key = held.get(thing).and_then(|stays| stays.key_at).filter(|_| name.0);
            key.unwrap_or(0).saturating_sub(settings.tie_window)
        };
        for (_, thing, name, closing) in self.closings.iter().filter(|(s, ..)| s == id) {
            if admits(closing.0) && closing.0 >= from(&held, thing, name) {
                let closings = &mut held.entry(thing.clone()).or_default().closings;
                let latest = closings.entry(name.clone()).or_insert(*closing);
                *latest = (*latest).max(*closing);
            }
        }
        for (_, thing, name, opening) in self.openings.iter().filter(|(s, ..)| s == id) {
            let closed = held.get(thing).and_then(|stays| stays.closings.get(name));
            if admits(opening.0)
                && opening.0 >= from(&held, thing, name)
                && closed.is_none_or(|(counts, _)| *counts < opening.0)
            {
                let openings = &mut held.entry(thing.clone()).or_default().openings;
                let latest = openings.entry(name.clone()).or_insert_with(|| opening.clone());
                *latest = latest.clone().max(opening.clone());
            }
        }
        let ordered: Vec<_> =
            self.ordered.iter().filter(|(s, _, _, at, _)| s == id && admits(*at)).collect();
        for (_, thing, key, at, shown) in &ordered {
            let outranked = ordered.iter().any(|(_, other, other_key, other_at, other_shown)| {
                other == thing
                    && other_key >= key
                    && other_at >= at
                    && (other_key, other_at, other_shown) != (key, at, shown)
                    && (other_key != key || other_at != at || other_shown > shown)
            });
            if !outranked {
                let held = &mut held.entry(thing.clone()).or_default().ordered;
                held.insert(key.clone(), (*at, shown.clone()));
            }
        }
        held
    }
}

impl Stored {
    fn visible(&self, settings: Settings) -> Option<Visible> {
        let is_closed = |session: &StoredSession| session.closed_at.is_some();
        let anchors = self
            .sessions
            .iter()
            .filter_map(|(id, session)| Some((session.create.as_ref()?.0, is_closed(session), id)));
        let anchor = pick(anchors.collect(), settings);
        let limit = self.latest_create.map(|c| match anchor {
            Some((_, false, _)) => c + settings.clock_skew,
            Some((_, true, _)) | None => c,
        });
        let contenders = self.sessions.iter().filter_map(|(id, session)| {
            let seen_at = session.seen_at?;
            let contends = (settings.infer || id.is_none())
                && session.create.is_none()
                && limit.is_none_or(|limit| seen_at > limit);
            contends.then_some((seen_at, is_closed(session), id))
        });
        let (_, closed, id) = pick(contenders.collect(), settings).or(anchor)?;
        let session = &self.sessions[id];

        let users = session.users.iter();
        let users: BTreeMap<_, _> =
            users.filter_map(|(id, user)| Some((id.clone(), user.seen(None)?))).collect();
        let streams = session.streams.iter();
        let streams: BTreeMap<_, _> =
            streams.filter_map(|(id, stream)| Some((id.clone(), stream.seen(None)?))).collect();
        let inferred = session.create.is_none();
        if closed || (inferred && users.is_empty() && streams.is_empty()) {
            return None;
        }
        let earliest = users.values().chain(streams.values()).map(|seen| seen.at).min();
        Some(Visible {
            session_id: id.clone(),
            inferred,
            opened_at: session.create.as_ref().map(|create| create.0).or(earliest),
            creator_id: session.create.as_ref().and_then(|create| create.1.clone()),
            room_name: session.name.as_ref().map(|name| name.1.clone()),
            users,
            streams,
        })
    }
}

/// Picks of those within the tie window of the latest: an unclosed one first, then the highest (time, id).
pub(super) fn pick(
    candidates: Vec<(u64, bool, &SessionKey)>,
    settings: Settings,
) -> Option<(u64, bool, &SessionKey)> {
    let latest = candidates.iter().map(|(at, ..)| *at).max()?;
    let window = candidates.into_iter().filter(|(at, ..)| at + settings.tie_window >= latest);
    window.max_by_key(|(at, closed, id)| (!closed, *at, *id))
}
