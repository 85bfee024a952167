//! Reads the log of a room, slowly and obviously. A log has callbacks and observations with the local time
//! of their receipt, and what the application did to the room in between.
//!
//! The model keeps everything, and decides each time anew. What callbacks and observations say is left to
//! the model of repair. This one decides what the latest end hides of it: section 6 of the rules, and laws
//! 16.3 and 21.4. A room that forgets shows the same, but for what [`Log::forget`] says.

use std::collections::BTreeSet;

use room_registry::event::CallbackEvent;
use room_registry::{Callback, Observation, SessionId, Timestamp};

use super::model::{SessionKey, Stored, StoredSession, StoredStays};
use super::observations::Told;
use super::repair_model::{Hidden, Rules, VisibleSession, evaluate_all, evaluate_but};

/// What happens to a room.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "most are of this kind")]
pub enum Event {
    /// It is told something.
    Told(Told),
    /// The application creates it.
    Created,
    /// The application ends it.
    Ended,
}

/// What readers see of a room that is in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// When the application created it.
    pub created_at: Option<u64>,
    /// Since when it is there, if that is known.
    pub began_at: Option<u64>,
    /// The session that shows.
    pub visible: Option<VisibleSession>,
}

/// All that happened to a room, in the order in which it did.
#[derive(Debug, Clone)]
pub struct Log {
    rules: Rules,
    /// The local time that counts, and what happened.
    entries: Vec<(u64, Event)>,
    /// What is stored after each.
    stored: Vec<Stored>,
    /// Ends before that are forgotten.
    remembers_from: u64,
    /// The sessions that keep an end which is forgotten.
    kept_hidden: BTreeSet<SessionId>,
}

impl Log {
    /// Begins a log.
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            entries: Vec::new(),
            stored: Vec::new(),
            remembers_from: 0,
            kept_hidden: BTreeSet::new(),
        }
    }

    /// Adds what happens, by the local clock.
    pub fn push(&mut self, clock: u64, event: Event) {
        let at = if let Event::Ended = event {
            // An end is no earlier than anything that is in the room.
            let heard = self.sessions().into_iter().filter_map(|id| self.heard_at(&id));
            heard.chain(self.created_at()).fold(clock, u64::max)
        } else {
            // What comes in the millisecond of an end counts as later than it.
            self.ended_at().map_or(clock, |ended_at| clock.max(ended_at + 1))
        };
        self.entries.push((at, event));
        let (callbacks, observations) = told(&[self]);
        self.stored.push(evaluate_all(&callbacks, &observations, self.rules).0);
    }

    /// Forgets what is due.
    ///
    /// An end is remembered for the retention. Whatever was told is forgotten once readers see no session,
    /// and all that is stored of any is old. What is old is older than the retention and the clock skew, by
    /// each of three times. These are its own time, that of its last change, and that of an end which hides
    /// it. What goes before that, one by one, makes no difference to readers if all callbacks of a valid
    /// history arrive within the retention.
    pub fn forget(&mut self, now: u64, retention: u64) {
        if self.is_end_due(now, retention) {
            self.kept_hidden = hidden(&[self]).sessions;
        }
        let old = now.saturating_sub(retention);
        self.remembers_from = old;
        let threshold = old.saturating_sub(self.rules.settings.clock_skew);
        let is_seen = listing(&[self]).is_some_and(|listing| listing.visible.is_some());
        if !is_seen && self.newest().is_some_and(|newest| newest < threshold) {
            self.entries.retain(|(_, event)| !matches!(event, Event::Told(_)));
            self.stored = vec![Stored::default(); self.entries.len()];
            self.kept_hidden.clear();
        }
    }

    /// Answers whether the last end is to be forgotten by then, and is not yet.
    fn is_end_due(&self, now: u64, retention: u64) -> bool {
        self.remembered_end().is_some_and(|ended_at| ended_at < now.saturating_sub(retention))
    }

    /// Answers whether an observation told anything that is not forgotten.
    pub fn saw_something(&self) -> bool {
        self.entries.iter().any(|(_, event)| saw(event).is_some())
    }

    /// Answers how many things were told that are not forgotten.
    pub fn told_count(&self) -> usize {
        self.entries.iter().filter(|(_, event)| matches!(event, Event::Told(_))).count()
    }

    /// Answers whether readers would see a session if no end hid it.
    pub fn hides_something(&self) -> bool {
        let (callbacks, observations) = told(&[self]);
        let (.., visible) = evaluate_all(&callbacks, &observations, self.rules);
        listing(&[self]).and_then(|listing| listing.visible) != visible
    }

    /// Answers the latest of what keeps the room from being forgotten, if anything was told.
    fn newest(&self) -> Option<u64> {
        let (callbacks, observations) = told(&[self]);
        let (stored, observed, _) = evaluate_all(&callbacks, &observations, self.rules);
        let hidden = hidden(&[self]).sessions;
        let of_sessions = stored.sessions.iter().map(|(id, session)| {
            let is_hidden = id.as_ref().is_none_or(|id| hidden.contains(id));
            let ended_at = self.ended_at().filter(|_| is_hidden);
            newest_in(session).max(self.changed_at(id)).max(ended_at)
        });
        let presences = observed.users.entries.values().flat_map(|entry| entry.present.values());
        let users = presences.map(|(at, _)| *at).max();
        let presences = observed.streams.entries.values().flat_map(|entry| entry.present.values());
        let streams = presences.map(|(at, _)| *at).max();
        let lists = observed.users.whole.max(observed.streams.whole).max(users).max(streams);
        let seen = observed.not_open.max(observed.open).max(lists);
        let ended_at = seen.and(self.ended_at());
        of_sessions.max().flatten().max(stored.latest_create).max(seen).max(ended_at)
    }

    /// Answers when a callback last changed what is stored of a session, in local time.
    fn changed_at(&self, id: &SessionKey) -> Option<u64> {
        let changed = self.entries.iter().enumerate().rev().find(|(index, (_, event))| {
            let before = index.checked_sub(1).and_then(|index| self.stored[index].sessions.get(id));
            named_by(event) == Some(id) && before != self.stored[*index].sessions.get(id)
        });
        changed.map(|(_, (at, _))| *at)
    }

    fn sessions(&self) -> BTreeSet<SessionKey> {
        let stored = self.stored.last();
        stored.into_iter().flat_map(|stored| stored.sessions.keys().cloned()).collect()
    }

    /// Answers when the application last ended the room, in local time.
    pub fn ended_at(&self) -> Option<u64> {
        let ends = self.entries.iter().filter(|(_, event)| matches!(event, Event::Ended));
        ends.map(|(at, _)| *at).max()
    }

    /// Answers the same, unless that is forgotten.
    fn remembered_end(&self) -> Option<u64> {
        self.ended_at().filter(|at| *at >= self.remembers_from)
    }

    /// Answers when the application last created the room, if it did not end it since.
    fn created_at(&self) -> Option<u64> {
        let mut commands = self.entries.iter().rev();
        let (at, last) = commands.find(|(_, event)| !matches!(event, Event::Told(_)))?;
        matches!(last, Event::Created).then_some(*at)
    }

    /// Answers the entry since which a session is known.
    fn known_from(&self, id: &SessionKey) -> Option<usize> {
        let unknown = self.stored.iter().rposition(|stored| !stored.sessions.contains_key(id));
        let from = unknown.map_or(0, |last| last + 1);
        (from < self.entries.len()).then_some(from)
    }

    /// Answers when a session was first heard of, in local time.
    fn heard_at(&self, id: &SessionKey) -> Option<u64> {
        Some(self.entries[self.known_from(id)?].0)
    }

    /// Answers the earliest time at which anything opened in a session, of all that was told since it is
    /// known.
    fn first_opening_at(&self, id: &SessionKey) -> Option<u64> {
        let since = &self.entries[self.known_from(id)?..];
        let callbacks = since.iter().filter_map(|(_, event)| heard(event));
        callbacks.filter(|callback| callback.session_id == *id).filter_map(opening_in).min()
    }

    /// Answers until which opening the ends hide what is in the session without a name.
    fn hides_openings_until(&self) -> Option<u64> {
        let mut until = None;
        for ((at, event), stored) in self.entries.iter().zip(&self.stored) {
            if let Event::Ended = event {
                let opened_by = at.saturating_sub(self.rules.settings.clock_skew);
                let latest = stored.sessions.get(&None).and_then(|session| session.seen_at);
                until = until.max(Some(opened_by)).max(latest);
            }
        }
        until
    }
}

/// Answers what readers see of a room that knows all these logs: one, or those of replicas that merged.
pub fn listing(replicas: &[&Log]) -> Option<Listing> {
    let (callbacks, observations) = told(replicas);
    let hidden = hidden(replicas);
    let (.., visible) = evaluate_but(&hidden, &callbacks, &observations, replicas[0].rules);
    let created_at = created_at(replicas);
    if created_at.is_none() && visible.is_none() {
        return None;
    }
    let opened_at = visible.as_ref().and_then(|visible| visible.opened_at);
    Some(Listing { created_at, began_at: created_at.or(opened_at), visible })
}

/// Answers when the application created the room, if no replica ended it since.
fn created_at(replicas: &[&Log]) -> Option<u64> {
    let created_at = replicas.iter().filter_map(|log| log.created_at()).max();
    created_at.filter(|at| Some(*at) > replicas.iter().filter_map(|log| log.ended_at()).max())
}

/// Answers what ends hide, if the room was not created since.
fn hidden(replicas: &[&Log]) -> Hidden {
    if created_at(replicas).is_some() {
        return Hidden::default();
    }
    let clock_skew = replicas[0].rules.settings.clock_skew;
    let remembered = replicas.iter().filter_map(|log| log.remembered_end()).max();
    let sessions: BTreeSet<_> = replicas.iter().flat_map(|log| log.sessions()).collect();
    let is_hidden = |id: &SessionId| {
        let key = Some(id.clone());
        let heard_at = replicas.iter().filter_map(|log| log.heard_at(&key)).min();
        let first = replicas.iter().filter_map(|log| log.first_opening_at(&key)).min();
        let is_before = |ended_at: u64| {
            let opened_by = ended_at.saturating_sub(clock_skew);
            heard_at.is_some_and(|at| at <= ended_at) || first.is_some_and(|at| at <= opened_by)
        };
        remembered.is_some_and(is_before) || replicas.iter().any(|log| log.kept_hidden.contains(id))
    };
    let ended_at = replicas.iter().filter_map(|log| log.ended_at()).max();
    let received = replicas.iter().flat_map(|log| &log.entries);
    let received = received.filter(|(at, _)| Some(*at) <= ended_at);
    Hidden {
        sessions: sessions.into_iter().flatten().filter(is_hidden).collect(),
        openings_until: replicas.iter().filter_map(|log| log.hides_openings_until()).max(),
        observations: received.filter_map(|(_, event)| saw(event)).cloned().collect(),
    }
}

fn told(replicas: &[&Log]) -> (Vec<Callback>, Vec<Observation>) {
    let events = || replicas.iter().flat_map(|log| &log.entries).map(|(_, event)| event);
    (events().filter_map(heard).cloned().collect(), events().filter_map(saw).cloned().collect())
}

fn heard(event: &Event) -> Option<&Callback> {
    if let Event::Told(Told::Heard(callback)) = event { Some(callback) } else { None }
}

fn saw(event: &Event) -> Option<&Observation> {
    if let Event::Told(Told::Saw(observation)) = event { Some(observation) } else { None }
}

fn named_by(event: &Event) -> Option<&SessionKey> {
    heard(event).map(|heard| &heard.session_id).or(saw(event).map(|saw| &saw.session_id))
}

/// Answers the opening that a callback tells of.
fn opening_in(callback: &Callback) -> Option<u64> {
    let at = match &callback.event {
        CallbackEvent::RoomCreated(event) => Some(event.created_at),
        CallbackEvent::UserLoggedIn(event) => Some(event.login_at),
        CallbackEvent::UserLoggedOut(event) => event.login_at,
        CallbackEvent::StreamCreated(event) => Some(event.created_at),
        CallbackEvent::StreamClosed(event) => event.created_at,
        _ => None,
    };
    at.map(Timestamp::as_millis)
}

/// Answers the latest fact that is stored of a session.
fn newest_in(session: &StoredSession) -> Option<u64> {
    let newest_of = |stays: &StoredStays| {
        let openings = stays.openings.values().map(|opening| opening.0);
        let closings = stays.closings.values().map(|(counts, _)| *counts);
        let ordered = stays.ordered.values().map(|(at, _)| *at);
        openings.chain(closings).chain(ordered).chain(stays.key_at).max()
    };
    let users = session.users.values().filter_map(newest_of);
    let stays = users.chain(session.streams.values().filter_map(newest_of)).max();
    let create = session.create.as_ref().map(|create| create.0);
    let own = create.max(session.closed_at).max(session.seen_at).max(session.exit_at);
    own.max(session.alive_at).max(stays)
}
