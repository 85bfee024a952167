//! A callback as facts: what it says, each with a time of its own.
//!
//! | callback | facts |
//! |---|---|
//! | room created | `create` |
//! | room closed | `close` |
//! | logged in | `login`; `key`, `seen` and `name`, at login time |
//! | logged out | `closer`; with a login time also `key` and `seen` at login time |
//! | stream created | `stream` and `seen`, both at creation time |
//! | stream closed | `stream`; `seen` at creation time |
//!
//! `seen` is made of opening times only: a close is never a sign of life. Facts borrow from the
//! callback, so that a repeat allocates nothing.

use crate::collections::id_table::Hashed;
use crate::model::callback::{Callback, CallbackEvent, StreamDetails};
use crate::model::config::Fingerprint;
use crate::model::id::{SessionId, StreamId, StreamSessionId, UserId, UserSessionId};
use crate::model::text::{Role, Text};
use crate::model::time::Timestamp;

/// The facts of one callback, or of one session, user or stream of a replica.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) session_id: &'a SessionId,
    pub(crate) create: Option<CreateFact<'a>>,
    pub(crate) close: Option<Timestamp>,
    pub(crate) seen: Option<Timestamp>,
    pub(crate) name: Option<NameFact<'a>>,
    /// Seen open by an observation.
    pub(crate) alive: Option<Timestamp>,
    pub(crate) user: Option<(Hashed<'a, UserId>, UserFacts<'a>)>,
    pub(crate) stream: Option<(&'a StreamId, StreamFact<'a>)>,
}

/// Whom a change concerns.
#[derive(Debug, Clone, Copy)]
pub(super) enum Concerned<'a> {
    User(&'a UserId),
    Stream(&'a StreamId),
    Everybody,
}

/// The field order is the rule: the later creation counts, at equal times the greater payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CreateFact<'a> {
    pub(crate) created_at: Timestamp,
    pub(crate) creator_id: Option<&'a UserId>,
}

/// The field order is the rule: the latest name counts, at equal times the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NameFact<'a> {
    pub(crate) at: Timestamp,
    pub(crate) name: &'a Text,
}

/// What is said of one user in one session.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct UserFacts<'a> {
    pub(crate) key: Option<Timestamp>,
    pub(crate) login: Option<(&'a UserSessionId, LoginFact<'a>)>,
    pub(crate) closer: Option<CloserFact<'a>>,
}

/// The end of a login.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CloserFact<'a> {
    pub(crate) user_session_id: &'a UserSessionId,
    pub(crate) at: Timestamp,
    /// Whether it is our own, which the media server did not tell.
    pub(crate) by_us: bool,
}

/// The field order is the rule: of one user session the latest login counts, at equal times the
/// greater payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LoginFact<'a> {
    pub(crate) login_at: Timestamp,
    pub(crate) counter: u64,
    pub(crate) user_name: Option<&'a Text>,
    pub(crate) role: Option<&'a Role>,
}

/// What is said of one stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StreamFact<'a> {
    pub(crate) key: StreamKey<'a>,
    pub(crate) at: Timestamp,
    pub(crate) details: Option<&'a StreamDetails>,
}

/// The field order is the rule: at equal counters, closed wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StreamKey<'a> {
    pub(crate) counter: u64,
    pub(crate) closed: bool,
    pub(crate) stream_session_id: &'a StreamSessionId,
}

impl<'a> Facts<'a> {
    /// Nothing about a session.
    pub(crate) fn none(session_id: &'a SessionId) -> Self {
        Self {
            session_id,
            create: None,
            close: None,
            seen: None,
            name: None,
            alive: None,
            user: None,
            stream: None,
        }
    }

    /// The times of all but the creation, which has a bound of its own.
    pub(crate) fn times_but_creation(&self) -> impl Iterator<Item = Timestamp> {
        let user = self.user.map(|(_, user)| user).unwrap_or_default();
        let times = [
            self.seen,
            user.closer.map(|closer| closer.at),
            user.login.map(|(_, login)| login.login_at),
            user.key,
            self.stream.map(|(_, stream)| stream.at),
            self.name.map(|name| name.at),
            self.close,
            self.alive,
        ];
        times.into_iter().flatten()
    }

    /// Whom it concerns.
    pub(super) fn concerned(&self) -> Concerned<'a> {
        match (self.create, self.close, self.user, self.stream) {
            (None, None, Some((user_id, _)), None) => Concerned::User(user_id.id),
            (None, None, None, Some((stream_id, _))) => Concerned::Stream(stream_id),
            _ => Concerned::Everybody,
        }
    }

    /// What a callback says.
    pub(crate) fn of(callback: &'a Callback, rules: &Fingerprint) -> Self {
        let none = Self::none(&callback.session_id);
        match &callback.event {
            CallbackEvent::RoomCreated(event) => {
                let creator_id = event.creator_id.as_ref();
                Self {
                    create: Some(CreateFact { created_at: event.created_at, creator_id }),
                    ..none
                }
            }
            CallbackEvent::RoomClosed(event) => Self { close: Some(event.closed_at), ..none },
            CallbackEvent::UserLoggedIn(event) => {
                let login = LoginFact {
                    login_at: event.login_at,
                    counter: event.counter,
                    user_name: event.user_name.as_ref(),
                    role: event.role.as_ref(),
                };
                let user = UserFacts {
                    key: Some(event.login_at),
                    login: Some((&event.user_session_id, login)),
                    closer: None,
                };
                Self {
                    seen: Some(event.login_at),
                    name: event
                        .room_name
                        .as_ref()
                        .map(|name| NameFact { at: event.login_at, name }),
                    user: Some((Hashed::new(&event.user_id), user)),
                    ..none
                }
            }
            CallbackEvent::UserLoggedOut(event) => {
                // Without its login time a logout counts as later by the clock skew, so that it
                // closes a login which another server stamped.
                let closed_at = match event.login_at {
                    Some(login_at) => event.logout_at.max(login_at),
                    None => event.logout_at.plus(rules.clock_skew_ms),
                };
                let user = UserFacts {
                    key: event.login_at,
                    login: None,
                    closer: Some(CloserFact {
                        user_session_id: &event.user_session_id,
                        at: closed_at,
                        by_us: false,
                    }),
                };
                Self {
                    seen: event.login_at,
                    user: Some((Hashed::new(&event.user_id), user)),
                    ..none
                }
            }
            CallbackEvent::StreamCreated(event) => {
                let at = event.created_at;
                let key = StreamKey {
                    counter: event.counter.unwrap_or(at.as_millis()),
                    closed: false,
                    stream_session_id: &event.stream_session_id,
                };
                let fact = StreamFact { key, at, details: Some(&event.details) };
                Self { seen: Some(at), stream: Some((&event.stream_id, fact)), ..none }
            }
            CallbackEvent::StreamClosed(event) => {
                let at = event.closed_at.max(event.created_at.unwrap_or_default());
                let key = StreamKey {
                    counter: event.counter.unwrap_or(at.as_millis()),
                    closed: true,
                    stream_session_id: &event.stream_session_id,
                };
                let fact = StreamFact { key, at, details: None };
                Self { seen: event.created_at, stream: Some((&event.stream_id, fact)), ..none }
            }
        }
    }
}

/// What joining one fact did to a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The register holds it now.
    Changed,
    /// It was stored already, exactly so.
    Same,
    /// It was below its bound, or the register holds something greater.
    Beaten,
}

/// What joining all facts of a callback did.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    /// The effect of the main fact, the first in its row of the table above.
    pub(crate) main: Option<Effect>,
    pub(crate) changed: bool,
    /// The session closed, and a user or a stream of it lost something by that.
    pub(crate) lost: bool,
    /// The user has more than one login.
    pub(crate) two_logins: bool,
}

impl Tally {
    pub(crate) fn note(&mut self, effect: Effect) {
        self.changed |= effect == Effect::Changed;
    }

    pub(crate) fn note_main(&mut self, effect: Effect) {
        self.main = Some(effect);
        self.note(effect);
    }

    /// Whether the main fact is new.
    pub(crate) fn is_new(self) -> bool {
        self.main == Some(Effect::Changed)
    }

    /// Whether the main fact is stored already, exactly so, and nothing changed.
    pub(crate) fn is_repeat(self) -> bool {
        !self.changed && self.main == Some(Effect::Same)
    }
}

/// Joins a value into a register that keeps the greatest.
pub(crate) fn join_max<T: Ord>(register: &mut Option<T>, value: T) -> Effect {
    match register.as_ref().map(|held| value.cmp(held)) {
        Some(std::cmp::Ordering::Less) => Effect::Beaten,
        Some(std::cmp::Ordering::Equal) => Effect::Same,
        Some(std::cmp::Ordering::Greater) | None => {
            *register = Some(value);
            Effect::Changed
        }
    }
}
