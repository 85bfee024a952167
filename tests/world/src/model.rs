//! The slow, obvious evaluation of the ordering rules: the whole set of callbacks of one room at
//! once, with an infinite retention, as filters and maxima over the set of facts.
//!
//! Written from the rules and not from the library: it shares nothing with it but the input.

use std::collections::{BTreeMap, BTreeSet};

use room_registry::event::{CallbackEvent, StreamDetails};
use room_registry::{Callback, SessionId, StreamId, StreamSessionId, UserId, UserSessionId};

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

/// A login: (login time, counter, name, role). The order is the rule.
pub type Login = (u64, u64, Option<String>, Option<String>);
/// The facts of a stream that are held, each with its time.
pub type StoredStream = BTreeMap<StreamKey, (u64, Option<StreamDetails>)>;
/// What orders the facts of a stream.
pub type StreamKey = (u64, bool, StreamSessionId);

/// Every register that is held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    /// The latest creation of a session.
    pub latest_create: Option<u64>,
    /// What is held of each session.
    pub sessions: BTreeMap<SessionId, StoredSession>,
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
    /// The last time at which an observation named it as open.
    pub alive_at: Option<u64>,
    /// The name of the room, and when it was told.
    pub name: Option<(u64, String)>,
    /// What is held of each user.
    pub users: BTreeMap<UserId, StoredUser>,
    /// What is held of each stream.
    pub streams: BTreeMap<StreamId, StoredStream>,
}

/// What is held of a user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredUser {
    /// The latest login that was heard of.
    pub key_at: Option<u64>,
    /// The logins that may count.
    pub logins: BTreeMap<UserSessionId, Login>,
    /// The ends of logins, each with its time.
    pub closers: BTreeMap<UserSessionId, u64>,
}

/// What readers see of an open room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visible {
    /// The session that shows.
    pub session_id: SessionId,
    /// Whether its creation was not heard of.
    pub inferred: bool,
    /// When it opened.
    pub opened_at: Option<u64>,
    /// Who created it.
    pub creator_id: Option<UserId>,
    /// What the room is called.
    pub room_name: Option<String>,
    /// Who is logged in.
    pub users: BTreeMap<UserId, (UserSessionId, Login)>,
    /// What is published: time, session, counter and details.
    pub streams: BTreeMap<StreamId, (u64, StreamSessionId, u64, StreamDetails)>,
}

/// The facts of a set of callbacks.
#[derive(Debug, Default)]
pub(super) struct Facts {
    creates: Vec<(SessionId, u64, Option<UserId>)>,
    pub(super) closes: Vec<(SessionId, u64)>,
    seens: Vec<(SessionId, u64)>,
    names: Vec<(SessionId, u64, String)>,
    keys: Vec<(SessionId, UserId, u64)>,
    logins: Vec<(SessionId, UserId, UserSessionId, Login)>,
    closers: Vec<(SessionId, UserId, UserSessionId, u64)>,
    streams: Vec<(SessionId, StreamId, StreamKey, u64, Option<StreamDetails>)>,
}

/// Evaluates a set of callbacks: what is stored, and what is visible.
pub fn evaluate(callbacks: &[Callback], settings: Settings) -> (Stored, Option<Visible>) {
    let facts = Facts::of(callbacks, settings);
    let stored = facts.hold(settings);
    let visible = stored.visible(settings);
    (stored, visible)
}

impl Facts {
    pub(super) fn of(callbacks: &[Callback], settings: Settings) -> Self {
        let mut facts = Self::default();
        for callback in callbacks {
            let session = || callback.session_id.clone();
            match callback.event.clone() {
                CallbackEvent::RoomCreated(event) => {
                    facts.creates.push((session(), event.created_at.as_millis(), event.creator_id));
                }
                CallbackEvent::RoomClosed(event) => {
                    facts.closes.push((session(), event.closed_at.as_millis()));
                }
                CallbackEvent::UserLoggedIn(event) => {
                    let at = event.login_at.as_millis();
                    let name = event.user_name.map(|name| name.to_string());
                    let role = event.role.map(|role| role.to_string());
                    facts.keys.push((session(), event.user_id.clone(), at));
                    facts.seens.push((session(), at));
                    let login = (at, event.counter, name, role);
                    facts.logins.push((session(), event.user_id, event.user_session_id, login));
                    if let Some(name) = event.room_name {
                        facts.names.push((session(), at, name.to_string()));
                    }
                }
                CallbackEvent::UserLoggedOut(event) => {
                    let logout = event.logout_at.as_millis();
                    let at = match event.login_at {
                        Some(login) => logout.max(login.as_millis()),
                        None => logout + settings.clock_skew,
                    };
                    if let Some(login) = event.login_at {
                        facts.keys.push((session(), event.user_id.clone(), login.as_millis()));
                        facts.seens.push((session(), login.as_millis()));
                    }
                    facts.closers.push((session(), event.user_id, event.user_session_id, at));
                }
                CallbackEvent::StreamCreated(event) => {
                    let at = event.created_at.as_millis();
                    let key = (event.counter.unwrap_or(at), false, event.stream_session_id);
                    facts.seens.push((session(), at));
                    facts.streams.push((session(), event.stream_id, key, at, Some(event.details)));
                }
                CallbackEvent::StreamClosed(event) => {
                    let created = event.created_at.map(room_registry::Timestamp::as_millis);
                    let at = event.closed_at.as_millis().max(created.unwrap_or(0));
                    let key = (event.counter.unwrap_or(at), true, event.stream_session_id);
                    facts.seens.extend(created.map(|created| (session(), created)));
                    facts.streams.push((session(), event.stream_id, key, at, None));
                }
                other => panic!("an event that the model does not know: {other:?}"),
            }
        }
        facts
    }

    /// What the bounds let be held.
    pub(super) fn hold(&self, settings: Settings) -> Stored {
        let c = self.creates.iter().map(|(_, at, _)| *at).max();
        let anchors_from = c.unwrap_or(0).saturating_sub(settings.tie_window);
        let lo = c.unwrap_or(0).saturating_sub(settings.clock_skew);

        let mut sessions: BTreeSet<SessionId> = BTreeSet::new();
        sessions.extend(self.creates.iter().map(|fact| fact.0.clone()));
        sessions.extend(self.closes.iter().map(|fact| fact.0.clone()));
        sessions.extend(self.seens.iter().map(|fact| fact.0.clone()));
        sessions.extend(self.closers.iter().map(|fact| fact.0.clone()));
        sessions.extend(self.streams.iter().map(|fact| fact.0.clone()));

        let mut stored = Stored { latest_create: c, sessions: BTreeMap::new() };
        for id in sessions {
            let creates = self
                .creates
                .iter()
                .filter(|(session, at, _)| *session == id && *at >= anchors_from);
            let closes = self.closes.iter().filter(|(session, at)| *session == id && *at >= lo);
            let seens = self.seens.iter().filter(|(session, at)| *session == id && *at >= lo);
            let names = self.names.iter().filter(|(session, at, _)| *session == id && *at >= lo);
            let x = closes.map(|(_, at)| *at).max();
            let session = StoredSession {
                create: creates.map(|(_, at, creator)| (*at, creator.clone())).max(),
                closed_at: x,
                seen_at: seens.map(|(_, at)| *at).max(),
                alive_at: None,
                name: names.map(|(_, at, name)| (*at, name.clone())).max(),
                users: self.hold_users(&id, lo, x, settings),
                streams: self.hold_streams(&id, lo, x),
            };
            if session != StoredSession::default() {
                stored.sessions.insert(id, session);
            }
        }
        stored
    }

    fn hold_users(
        &self,
        id: &SessionId,
        lo: u64,
        x: Option<u64>,
        settings: Settings,
    ) -> BTreeMap<UserId, StoredUser> {
        let admits = |at: u64| at >= lo && x.is_none_or(|x| at > x);
        let mut users: BTreeMap<UserId, StoredUser> = BTreeMap::new();
        for (_, user, at) in
            self.keys.iter().filter(|(session, _, at)| session == id && admits(*at))
        {
            let user = users.entry(user.clone()).or_default();
            user.key_at = user.key_at.max(Some(*at));
        }
        let top = |users: &BTreeMap<UserId, StoredUser>, user: &UserId| {
            let key = users.get(user).and_then(|user| user.key_at);
            key.unwrap_or(0).saturating_sub(settings.tie_window)
        };
        for (_, user, session, at) in self.closers.iter().filter(|(session, ..)| session == id) {
            if admits(*at) && *at >= top(&users, user) {
                let closer = users
                    .entry(user.clone())
                    .or_default()
                    .closers
                    .entry(session.clone())
                    .or_insert(0);
                *closer = (*closer).max(*at);
            }
        }
        for (_, user, session, login) in self.logins.iter().filter(|(session, ..)| session == id) {
            let closed = users.get(user).and_then(|user| user.closers.get(session));
            if admits(login.0)
                && login.0 >= top(&users, user)
                && closed.is_none_or(|at| *at < login.0)
            {
                let logins = &mut users.entry(user.clone()).or_default().logins;
                let held = logins.entry(session.clone()).or_insert_with(|| login.clone());
                *held = held.clone().max(login.clone());
            }
        }
        users
    }

    fn hold_streams(
        &self,
        id: &SessionId,
        lo: u64,
        x: Option<u64>,
    ) -> BTreeMap<StreamId, StoredStream> {
        let admits = |at: u64| at >= lo && x.is_none_or(|x| at > x);
        let facts: Vec<_> = self
            .streams
            .iter()
            .filter(|(session, _, _, at, _)| session == id && admits(*at))
            .collect();
        let mut streams: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for (_, stream, key, at, details) in &facts {
            let outranked = facts.iter().any(|(_, other, other_key, other_at, other_details)| {
                other == stream
                    && other_key >= key
                    && other_at >= at
                    && (other_key, other_at, other_details) != (key, at, details)
                    && (other_key != key || other_at != at || other_details > details)
            });
            if !outranked {
                streams
                    .entry(stream.clone())
                    .or_default()
                    .insert(key.clone(), (*at, details.clone()));
            }
        }
        streams
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
            let contends = settings.infer
                && session.create.is_none()
                && limit.is_none_or(|limit| seen_at > limit);
            contends.then_some((seen_at, is_closed(session), id))
        });
        let (_, closed, id) = pick(contenders.collect(), settings).or(anchor)?;
        let session = &self.sessions[id];

        let users: BTreeMap<_, _> = session
            .users
            .iter()
            .filter_map(|(id, user)| {
                let shown = user
                    .logins
                    .iter()
                    .max_by_key(|(session, login)| (login.1, login.0, (*session).clone()))?;
                Some((id.clone(), (shown.0.clone(), shown.1.clone())))
            })
            .collect();
        let streams: BTreeMap<_, _> = session
            .streams
            .iter()
            .filter_map(|(id, facts)| {
                let ((counter, closed, stream_session), (at, details)) = facts.last_key_value()?;
                let shown = (*at, stream_session.clone(), *counter, details.clone()?);
                (!closed).then(|| (id.clone(), shown))
            })
            .collect();
        let inferred = session.create.is_none();
        if closed || (inferred && users.is_empty() && streams.is_empty()) {
            return None;
        }
        let logins = users.values().map(|(_, login)| login.0);
        let earliest = logins.chain(streams.values().map(|stream| stream.0)).min();
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

/// Of those within the tie window of the latest, an unclosed one first, then the highest (time, id).
pub(super) fn pick(
    candidates: Vec<(u64, bool, &SessionId)>,
    settings: Settings,
) -> Option<(u64, bool, &SessionId)> {
    let latest = candidates.iter().map(|(at, ..)| *at).max()?;
    let window = candidates.into_iter().filter(|(at, ..)| at + settings.tie_window >= latest);
    window.max_by_key(|(at, closed, id)| (!closed, *at, *id))
}
