//! Evaluates the rules of repair, slowly and obviously. It takes the whole set of callbacks and
//! observations of one room at once, with an infinite retention. It consists of filters and maxima over the
//! set.
//!
//! It is written from the rules and not from the library, and shares nothing with the library but the
//! input. The rules of callbacks are those of [`model`](super::model).

use std::collections::{BTreeMap, BTreeSet};

use room_registry::event::StreamDetails;
use room_registry::repair::ObservedList;
use room_registry::{Callback, Observation, SessionId, StreamId, Timestamp, UserId};

use super::model::{Facts, Seen, SessionKey, Settings, Stored, StoredSession, StoredStays, pick};

/// The settings of the rules.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Those for callbacks.
    pub settings: Settings,
    /// Whether an empty room counts as closed.
    pub empty_means_closed: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self { settings: Settings::default(), empty_means_closed: true }
    }
}

/// What a list tells of a user: name, role, login time. The greater counts.
pub type PresentUser = (Option<String>, Option<String>, Option<u64>);
/// What a list tells of a stream. The greater counts.
pub type PresentStream = (Option<u64>, StreamDetails);

/// Every register of repair that is held, but for those of sessions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// The last time at which no session was open.
    pub not_open: Option<u64>,
    /// The last time at which a session was open.
    pub open: Option<u64>,
    /// What was seen of users.
    pub users: Listed<UserId, PresentUser>,
    /// What was seen of streams.
    pub streams: Listed<StreamId, PresentStream>,
}

/// The registers of one list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<Id: Ord, What> {
    /// The last time at which the whole list was seen.
    pub whole: Option<u64>,
    /// What was seen of each.
    pub entries: BTreeMap<Id, Entry<What>>,
}

/// When an id was last absent, and when it was last there, by session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<What> {
    /// The last time at which it was missing.
    pub absent: Option<u64>,
    /// By session, the last time at which it was there, and what was seen of it.
    pub present: BTreeMap<Option<SessionId>, (u64, What)>,
}

/// The visible session, and what readers see in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisibleSession {
    /// The session that shows, if it is known.
    pub session_id: Option<SessionId>,
    /// Whether its creation was not heard of.
    pub inferred: bool,
    /// When it opened.
    pub opened_at: Option<u64>,
    /// Who created it.
    pub creator_id: Option<UserId>,
    /// What the room is called.
    pub room_name: Option<String>,
    /// Who is there.
    pub users: BTreeMap<UserId, SeenUser>,
    /// What is published.
    pub streams: BTreeMap<StreamId, SeenStream>,
}

/// A user whom readers see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeenUser {
    /// By a login.
    LoggedIn(Seen),
    /// By an observation alone.
    Present(PresentUser),
}

/// A stream that readers see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeenStream {
    /// By a callback.
    Published(Seen),
    /// By an observation alone.
    Present(PresentStream),
}

/// What an end of the room hides.
#[derive(Debug, Clone, Default)]
pub struct Hidden {
    /// Sessions with a name.
    pub sessions: BTreeSet<SessionId>,
    /// What is in the session without a name, if it opened by then.
    pub openings_until: Option<u64>,
    /// What these observations saw.
    pub observations: Vec<Observation>,
}

/// Evaluates a set of callbacks and observations: what is stored, and what is visible.
pub fn evaluate_all(
    callbacks: &[Callback],
    observations: &[Observation],
    rules: Rules,
) -> (Stored, Observed, Option<VisibleSession>) {
    evaluate_but(&Hidden::default(), callbacks, observations, rules)
}

/// Evaluates the same, and shows nothing of what is hidden.
pub fn evaluate_but(
    hidden: &Hidden,
    callbacks: &[Callback],
    observations: &[Observation],
    rules: Rules,
) -> (Stored, Observed, Option<VisibleSession>) {
    let mut callbacks = Facts::of(callbacks, rules.settings);
    let mut answers = Answers::of(observations, rules);
    callbacks.not_open.iter().for_each(|q| answers.take_not_open(*q));
    callbacks.closes.extend(answers.closes.iter().cloned());
    let mut stored = callbacks.hold(rules.settings);
    let floor = stored.latest_create.unwrap_or(0).saturating_sub(rules.settings.clock_skew);
    for (id, at) in answers.alive.iter().filter(|(_, at)| *at >= floor) {
        let session = stored.sessions.entry(id.clone()).or_default();
        session.alive_at = session.alive_at.max(Some(*at));
    }
    let latest = |times: &[u64]| times.iter().copied().filter(|at| *at >= floor).max();
    let not_open = latest(&answers.not_open);
    let open = latest(&answers.open).filter(|open| {
        let closed = stored.sessions.values().filter_map(|session| session.closed_at).max();
        let exit = stored.sessions.get(&None).and_then(|session| session.exit_at);
        let outdated = stored.latest_create.max(closed).max(exit);
        Some(*open) >= not_open && Some(*open) > outdated
    });
    let users = answers.users.hold(floor);
    let streams = answers.streams.hold(floor);
    let observed = Observed { not_open, open, users, streams };
    let shown = observed.without(&Answers::of(&hidden.observations, rules));
    let room = Held { stored, observed: shown, hidden };
    let visible = room.visible(rules.settings);
    (room.stored, observed, visible)
}

impl Observed {
    /// Leaves out what these answers had told already.
    fn without(&self, told: &Answers) -> Self {
        Self {
            not_open: self.not_open,
            open: self.open.filter(|at| !told.open.contains(at)),
            users: self.users.without(&told.users),
            streams: self.streams.without(&told.streams),
        }
    }
}

/// The facts of a set of observations.
#[derive(Debug, Default)]
struct Answers {
    not_open: Vec<u64>,
    open: Vec<u64>,
    closes: Vec<(SessionKey, u64)>,
    alive: Vec<(SessionKey, u64)>,
    users: Lists<UserId, PresentUser>,
    streams: Lists<StreamId, PresentStream>,
}

/// The facts of the lists of one kind.
#[derive(Debug)]
struct Lists<Id, What> {
    complete: Vec<(u64, BTreeSet<Id>)>,
    present: Vec<(Id, Option<SessionId>, u64, What)>,
}

impl Answers {
    fn of(observations: &[Observation], rules: Rules) -> Self {
        let mut answers = Self::default();
        for observation in observations {
            answers.take(observation, rules);
        }
        answers
    }

    fn take(&mut self, observation: &Observation, rules: Rules) {
        let q = observation.observed_at.as_millis().saturating_sub(rules.settings.clock_skew);
        let session = observation.session_id.as_ref();
        let users = read(&observation.users, |user| {
            let name = user.user_name.as_ref().map(ToString::to_string);
            let role = user.role.as_ref().map(ToString::to_string);
            (user.user_id.clone(), (name, role, user.login_at.map(Timestamp::as_millis)))
        });
        let streams = read(&observation.streams, |stream| {
            let created_at = stream.created_at.map(Timestamp::as_millis);
            (stream.stream_id.clone(), (created_at, stream.details.clone()))
        });
        let nobody = users.1.is_empty() && streams.1.is_empty();
        let inferred = rules.empty_means_closed
            && observation.open.is_none()
            && users.0 == Extent::Whole
            && nobody;
        match (observation.open, session) {
            (Some(false), Some(session)) => return self.closes.push((Some(session.clone()), q)),
            (Some(false), None) => {
                assert!(nobody, "a contradiction is no input of the model");
                return self.take_not_open(q);
            }
            _ if inferred => return self.take_not_open(q),
            (None, _) if nobody => {}
            (_, Some(session)) => self.alive.push((Some(session.clone()), q)),
            (_, None) => self.open.push(q),
        }
        self.users.take(q, session, users);
        self.streams.take(q, session, streams);
    }

    fn take_not_open(&mut self, q: u64) {
        self.not_open.push(q);
        self.users.take(q, None, (Extent::Whole, Vec::new()));
        self.streams.take(q, None, (Extent::Whole, Vec::new()));
    }
}

/// How much of a list was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Nothing,
    Some,
    Whole,
}

fn read<T, Id, What>(
    list: &ObservedList<T>,
    entry: impl Fn(&T) -> (Id, What),
) -> (Extent, Vec<(Id, What)>) {
    match list {
        ObservedList::NotAsked => (Extent::Nothing, Vec::new()),
        ObservedList::Partial(entries) => (Extent::Some, entries.iter().map(entry).collect()),
        ObservedList::Complete(entries) => (Extent::Whole, entries.iter().map(entry).collect()),
    }
}

impl<Id: Ord + Clone, What: Ord + Clone> Lists<Id, What> {
    fn take(
        &mut self,
        q: u64,
        session: Option<&SessionId>,
        (extent, entries): (Extent, Vec<(Id, What)>),
    ) {
        if extent == Extent::Whole {
            self.complete.push((q, entries.iter().map(|(id, _)| id.clone()).collect()));
        }
        let present = entries.into_iter().map(|(id, what)| (id, session.cloned(), q, what));
        self.present.extend(present);
    }

    /// Answers what is held: an entry for each id with a presence that is no older than its absence.
    fn hold(&self, floor: u64) -> Listed<Id, What> {
        let complete = || self.complete.iter().filter(|(at, _)| *at >= floor);
        let whole = complete().map(|(at, _)| *at).max();
        let mut entries = BTreeMap::new();
        for (id, ..) in &self.present {
            let absent = complete().filter(|(_, ids)| !ids.contains(id)).map(|(at, _)| *at).max();
            let held = self.present.iter().filter(|(other, _, at, _)| {
                other == id && *at >= floor && absent.is_none_or(|absent| *at >= absent)
            });
            let mut present: BTreeMap<Option<SessionId>, (u64, What)> = BTreeMap::new();
            for (_, session, at, what) in held {
                let told = (*at, what.clone());
                let latest = present.entry(session.clone()).or_insert_with(|| told.clone());
                *latest = latest.clone().max(told);
            }
            if !present.is_empty() {
                entries.insert(id.clone(), Entry { absent, present });
            }
        }
        Listed { whole, entries }
    }
}

impl<Id: Ord + Clone, What: Clone> Listed<Id, What> {
    /// Leaves out the presences that these lists had told already.
    fn without(&self, told: &Lists<Id, What>) -> Self {
        let mut shown = self.clone();
        for (id, entry) in &mut shown.entries {
            entry.present.retain(|session, (at, _)| {
                let is_told = |(other, named, q, _): &(Id, Option<SessionId>, u64, What)| {
                    other == id && named == session && q == at
                };
                !told.present.iter().any(is_told)
            });
        }
        shown
    }
}

impl<Id: Ord, What> Listed<Id, What> {
    /// Answers when an id was last absent.
    pub fn absent(&self, id: &Id) -> Option<u64> {
        self.entries.get(id).map_or(self.whole, |entry| entry.absent)
    }
}

impl<Id: Ord, What> Default for Listed<Id, What> {
    fn default() -> Self {
        Self { whole: None, entries: BTreeMap::new() }
    }
}

impl<Id, What> Default for Lists<Id, What> {
    fn default() -> Self {
        Self { complete: Vec::new(), present: Vec::new() }
    }
}

/// All that is held of a room, without the presences that an end hides.
struct Held<'a> {
    stored: Stored,
    observed: Observed,
    hidden: &'a Hidden,
}

impl Held<'_> {
    fn is_closed(&self, id: &SessionKey, session: &StoredSession) -> bool {
        let create = session.create.as_ref().map(|create| create.0);
        session.closed_at.is_some()
            || id.as_ref().is_some_and(|id| self.hidden.sessions.contains(id))
            || self.observed.not_open > create.max(session.seen_at).max(session.alive_at)
    }

    /// Answers the current session, and whether it is closed.
    fn current(&self, settings: Settings) -> Option<(&SessionKey, bool)> {
        let c = self.stored.latest_create;
        let sessions = &self.stored.sessions;
        let anchors = sessions.iter().filter_map(|(id, session)| {
            Some((session.create.as_ref()?.0, self.is_closed(id, session), id))
        });
        let anchor = pick(anchors.collect(), settings);
        let margin = match anchor {
            Some((_, false, _)) => settings.clock_skew,
            Some((_, true, _)) | None => 0,
        };
        let contenders = sessions.iter().filter_map(|(id, session)| {
            let hidden = self.hidden.openings_until.filter(|_| id.is_none());
            let limit = c.map(|c| c + margin).max(hidden);
            let infer = (settings.infer || id.is_none()) && session.create.is_none();
            let seen_at = session.seen_at.filter(|at| infer && Some(*at) > limit);
            let alive_at = session.alive_at.filter(|at| Some(*at) > c);
            Some((seen_at.max(alive_at)?, self.is_closed(id, session), id))
        });
        let (_, closed, id) = pick(contenders.collect(), settings).or(anchor)?;
        Some((id, closed))
    }

    fn visible(&self, settings: Settings) -> Option<VisibleSession> {
        let current = self.current(settings);
        let running = current.filter(|(_, closed)| !closed).map(|(id, _)| id);
        let session = running.map(|id| &self.stored.sessions[id]);
        let closed = self.stored.sessions.values().filter_map(|session| session.closed_at).max();

        // The user has facts in many sessions, and those of a presence are in all or in one.
        let counts =
            |named: Option<&SessionId>, q: u64, newest: &dyn Fn(&SessionKey) -> Option<u64>| {
                let is_after_create = Some(q) > self.stored.latest_create;
                let sessions = self.stored.sessions.keys();
                is_after_create
                    && match named {
                        None => Some(q) > closed && Some(q) > sessions.filter_map(newest).max(),
                        Some(named) => {
                            let named = Some(named.clone());
                            running == Some(&named) && Some(q) > newest(&named)
                        }
                    }
            };
        let present_users: BTreeMap<_, _> = (self.observed.users.entries.iter())
            .filter_map(|(id, entry)| {
                let newest = |session: &SessionKey| {
                    self.stored.sessions.get(session)?.users.get(id).and_then(StoredStays::newest)
                };
                Some((id, shown(entry, |named, q| counts(named, q, &newest))?))
            })
            .collect();
        let present_streams: BTreeMap<_, _> = (self.observed.streams.entries.iter())
            .filter_map(|(id, entry)| {
                let newest = |session: &SessionKey| {
                    self.stored.sessions.get(session)?.streams.get(id).and_then(StoredStays::newest)
                };
                Some((id, shown(entry, |named, q| counts(named, q, &newest))?))
            })
            .collect();

        // What is hidden in the session without a name shows as little as what a list was without.
        let nameless = running.filter(|id| id.is_none());
        let shows_from = nameless.and(self.hidden.openings_until).map(|until| until + 1);
        let mut users = BTreeMap::new();
        let mut streams = BTreeMap::new();
        users.extend(
            present_users.iter().map(|(id, what)| ((*id).clone(), SeenUser::Present(what.clone()))),
        );
        streams.extend(
            present_streams
                .iter()
                .map(|(id, what)| ((*id).clone(), SeenStream::Present(what.clone()))),
        );
        for (id, user) in session.into_iter().flat_map(|session| &session.users) {
            let absent = self.observed.users.absent(id).max(shows_from);
            users.extend(user.seen(absent).map(|seen| (id.clone(), SeenUser::LoggedIn(seen))));
        }
        for (id, stream) in session.into_iter().flat_map(|session| &session.streams) {
            let absent = self.observed.streams.absent(id).max(shows_from);
            streams
                .extend(stream.seen(absent).map(|seen| (id.clone(), SeenStream::Published(seen))));
        }

        let something = !users.is_empty() || !streams.is_empty();
        let is_open = session.is_some_and(|session| {
            session.create.is_some()
                || session.alive_at.is_some_and(|at| Some(at) > self.stored.latest_create)
                || something
        });
        // Without a session that is open, no presence with a name and no login counts.
        if !is_open && !something && self.observed.open.is_none() {
            return None;
        }
        let session = session.filter(|_| is_open);
        let create = session.and_then(|session| session.create.as_ref());
        let earliest = users.values().filter_map(SeenUser::since);
        let earliest = earliest.chain(streams.values().filter_map(SeenStream::since)).min();
        Some(VisibleSession {
            session_id: running.filter(|_| is_open).cloned().flatten(),
            inferred: create.is_none(),
            opened_at: create.map(|create| create.0).or(earliest),
            creator_id: create.and_then(|create| create.1.clone()),
            room_name: session.and_then(|session| {
                let (at, name) = session.name.as_ref()?;
                (Some(*at) >= shows_from).then(|| name.clone())
            }),
            users,
            streams,
        })
    }
}

/// Answers the presence that is shown, of those that count: the latest, and of two as late the one that
/// names its session.
fn shown<What: Ord + Clone>(
    entry: &Entry<What>,
    counts: impl Fn(Option<&SessionId>, u64) -> bool,
) -> Option<What> {
    let present = entry.present.iter();
    present
        .filter(|(session, (q, _))| counts(session.as_ref(), *q))
        .max_by_key(|(session, (q, _))| (*q, session.is_some()))
        .map(|(_, (_, what))| what.clone())
}

impl SeenUser {
    fn since(&self) -> Option<u64> {
        match self {
            Self::LoggedIn(seen) => Some(seen.at),
            Self::Present((_, _, login_at)) => *login_at,
        }
    }
}

impl SeenStream {
    fn since(&self) -> Option<u64> {
        match self {
            Self::Published(seen) => Some(seen.at),
            Self::Present((created_at, _)) => *created_at,
        }
    }
}
