//! A callback as facts: what it says, each with an event time of its own.
//!
//! | callback | facts |
//! |---|---|
//! | room created | `create` |
//! | room closed | `close` |
//! | logged in | `login`; `key`, `opening` and `name`, all at login time |
//! | logged out | `closing`; if the callback tells a login time also `key` and `opening` at that time |
//! | stream created | `stream` and `opening`, both at creation time |
//! | stream closed | `stream`; `opening` at creation time |
//!
//! `opening` is made of opening times only: a close is never a sign of life. Facts borrow from the
//! callback, so a repeat allocates nothing.

use crate::collections::id_table::HashedId;
use crate::model::callback::{Callback, CallbackEvent, StreamDetails};
use crate::model::config::Rules;
use crate::model::id::{StreamId, StreamSessionId, UserId, UserSessionId};
use crate::model::text::{Role, Text};
use crate::model::time::Timestamp;

/// The facts of one callback, or of one session, user or stream of a replica.
///
/// They name no session, user or stream: the door resolved those to places.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Facts<'a> {
    pub(crate) create: Option<CreateFact<'a>>,
    pub(crate) close: Option<Timestamp>,
    /// A sign of life.
    pub(crate) opening: Option<Timestamp>,
    pub(crate) name: Option<NameFact<'a>>,
    /// An observation saw the session open.
    pub(crate) confirmed_open: Option<Timestamp>,
    pub(crate) user: Option<UserFacts<'a>>,
    pub(crate) stream: Option<StreamFact<'a>>,
}

/// Whom a callback is about, apart from its session.
#[derive(Debug, Clone)]
pub(crate) enum Subject<'a> {
    Session,
    User(HashedId<'a, UserId>),
    Stream(HashedId<'a, StreamId>),
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
    pub(crate) closing: Option<ClosingFact<'a>>,
}

/// A closing of a login.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClosingFact<'a> {
    pub(crate) user_session_id: &'a UserSessionId,
    pub(crate) at: Timestamp,
    /// Whether the application closed the login, and not the media server.
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
    /// Returns what a callback says, and about whom.
    #[inline]
    pub(crate) fn of(callback: &'a Callback, rules: &Rules) -> (Self, Subject<'a>) {
        let none = Self::default();
        match &callback.event {
            CallbackEvent::RoomCreated(event) => {
                let creator_id = event.creator_id.as_ref();
                let create = CreateFact { created_at: event.created_at, creator_id };
                (Self { create: Some(create), ..none }, Subject::Session)
            }
            CallbackEvent::RoomClosed(event) => {
                (Self { close: Some(event.closed_at), ..none }, Subject::Session)
            }
            CallbackEvent::UserLoggedIn(event) => {
                let at = event.login_at;
                let login = LoginFact {
                    login_at: at,
                    counter: event.counter,
                    user_name: event.user_name.as_ref(),
                    role: event.role.as_ref(),
                };
                let user = UserFacts {
                    key: Some(at),
                    login: Some((&event.user_session_id, login)),
                    closing: None,
                };
                let name = event.room_name.as_ref().map(|name| NameFact { at, name });
                let facts = Self { opening: Some(at), name, user: Some(user), ..none };
                (facts, Subject::User(HashedId::borrowed(&event.user_id)))
            }
            CallbackEvent::UserLoggedOut(event) => {
                // A logout that tells no login time counts as later by the clock skew, so that it
                // closes a login which another server stamped.
                let at = match event.login_at {
                    Some(login_at) => event.logout_at.max(login_at),
                    None => event.logout_at.plus(rules.clock_skew_ms),
                };
                let user_session_id = &event.user_session_id;
                let closing = ClosingFact { user_session_id, at, by_us: false };
                let user = UserFacts { key: event.login_at, login: None, closing: Some(closing) };
                let facts = Self { opening: event.login_at, user: Some(user), ..none };
                (facts, Subject::User(HashedId::borrowed(&event.user_id)))
            }
            CallbackEvent::StreamCreated(event) => {
                let at = event.created_at;
                let key = StreamKey {
                    counter: event.counter.unwrap_or(at.as_millis()),
                    closed: false,
                    stream_session_id: &event.stream_session_id,
                };
                let stream = StreamFact { key, at, details: Some(&event.details) };
                let facts = Self { opening: Some(at), stream: Some(stream), ..none };
                (facts, Subject::Stream(HashedId::borrowed(&event.stream_id)))
            }
            CallbackEvent::StreamClosed(event) => {
                let at = event.closed_at.max(event.created_at.unwrap_or_default());
                let key = StreamKey {
                    counter: event.counter.unwrap_or(at.as_millis()),
                    closed: true,
                    stream_session_id: &event.stream_session_id,
                };
                let stream = StreamFact { key, at, details: None };
                let facts = Self { opening: event.created_at, stream: Some(stream), ..none };
                (facts, Subject::Stream(HashedId::borrowed(&event.stream_id)))
            }
        }
    }

    /// Whether a fact is no earlier than a bound. The creation does not count: it has one of its own.
    #[inline]
    pub(crate) fn is_any_from(&self, bound: Timestamp) -> bool {
        let is_from = |at: Timestamp| at >= bound;
        self.opening.is_some_and(is_from)
            || self.user.as_ref().is_some_and(|user| {
                user.key.is_some_and(is_from)
                    || user.login.as_ref().is_some_and(|(_, login)| is_from(login.login_at))
                    || user.closing.as_ref().is_some_and(|closing| is_from(closing.at))
            })
            || self.stream.as_ref().is_some_and(|stream| is_from(stream.at))
            || self.name.as_ref().is_some_and(|name| is_from(name.at))
            || self.close.is_some_and(is_from)
            || self.confirmed_open.is_some_and(is_from)
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
    /// The effect of the main fact: the first in its row of the table above.
    pub(crate) main: Option<Effect>,
    /// Whether anything that is stored changed.
    pub(crate) changed: bool,
}

impl Tally {
    #[inline]
    pub(crate) fn add(&mut self, effect: Effect) {
        self.changed |= effect == Effect::Changed;
    }

    #[inline]
    pub(crate) fn add_main(&mut self, effect: Effect) {
        self.main = Some(effect);
        self.add(effect);
    }

    /// Whether the main fact is new.
    #[inline]
    pub(crate) fn is_new(self) -> bool {
        self.main == Some(Effect::Changed)
    }

    /// Whether the main fact is stored already, exactly so, and nothing changed.
    #[inline]
    pub(crate) fn is_repeat(self) -> bool {
        !self.changed && self.main == Some(Effect::Same)
    }
}

/// Joins a value into a register that keeps the greatest.
#[inline]
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
