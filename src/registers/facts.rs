//! A callback as facts: what it says, each with an event time of its own.
//!
//! | callback | facts |
//! |---|---|
//! | room created | `create` |
//! | room closed | `close` |
//! | logged in | `login`; `key`, `opening` and `name`, all at login time |
//! | logged out | `closing`; `exit` if no session is named; `key` and `opening` if it tells a login time |
//! | stream created | `stream` and `opening`, both at creation time |
//! | stream closed | `stream`; `exit` if no session is named; `opening` at creation time |
//!
//! `opening` is made of opening times only: a close is never a sign of life. Facts borrow from the
//! callback, so a repeat allocates nothing.

use std::cmp::Ordering;

use crate::collections::hashed::HashedId;
use crate::model::callback::{Callback, CallbackEvent};
use crate::model::config::Rules;
use crate::model::id::{StreamId, UserId};
use crate::model::text::Text;
use crate::model::time::Timestamp;
use crate::registers::kind::{Kind, Streams, Users, copy};

/// The facts of one callback, or of one session, user or stream of a replica.
///
/// They name no session, user or stream: the door resolved those to places.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Facts<'a> {
    pub(crate) create: Option<CreateFact<'a>>,
    pub(crate) close: Option<Timestamp>,
    /// The room closed, and nobody says which session of it.
    pub(crate) nameless_close: Option<Timestamp>,
    /// A sign of life.
    pub(crate) opening: Option<Timestamp>,
    /// Somebody or something left the nameless session.
    pub(crate) exit: Option<Timestamp>,
    pub(crate) name: Option<NameFact<'a>>,
    /// An observation saw the session open.
    pub(crate) confirmed_open: Option<Timestamp>,
    pub(crate) user: Option<StayFacts<'a, Users>>,
    pub(crate) stream: Option<StayFacts<'a, Streams>>,
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

/// What is said of one user or stream in one session.
#[derive(Debug)]
pub(crate) struct StayFacts<'a, K: Kind> {
    /// The opening of a named stay that excludes others.
    pub(crate) key: Option<Timestamp>,
    pub(crate) fact: Option<StayFact<'a, K>>,
}

/// One opening or closing of a user or stream.
#[derive(Debug)]
pub(crate) struct StayFact<'a, K: Kind> {
    pub(crate) stay_id: Option<&'a K::StayId>,
    pub(crate) form: Form,
    /// Which of several named stays is shown; which of several ordered facts is the last.
    pub(crate) rank: u64,
    /// When it came or went, as the callback told.
    pub(crate) at: Timestamp,
    pub(crate) event: StayEvent<'a, K>,
}

/// What tells facts of one user or stream apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub(crate) enum Form {
    /// An id of each stay. The flag says whether it excludes other stays, and is part of the name.
    Named { exclusive: bool },
    /// A number that orders all facts.
    Ordered,
}

/// What a callback tells of the stay that it is about.
#[derive(Debug)]
struct StayTold<'a, K: Kind> {
    stay_id: Option<&'a K::StayId>,
    order: Option<u64>,
    counter: Option<u64>,
    exclusive: bool,
}

impl<'a, K: Kind> StayTold<'a, K> {
    fn opened(&self, at: Timestamp, details: &'a K::Told) -> StayFacts<'a, K> {
        let fact = self.fact(at, StayEvent::Opened(details));
        StayFacts { key: Some(at).filter(|_| fact.form.is_exclusive()), fact: Some(fact) }
    }

    fn closed(&self, at: Timestamp, opened_at: Option<Timestamp>) -> StayFacts<'a, K> {
        let mut closing = Closing { by_us: false, lacks_opening_time: false };
        let mut fact = self.fact(at.max(opened_at.unwrap_or_default()), StayEvent::Closed(closing));
        if fact.form != Form::Ordered {
            closing.lacks_opening_time = opened_at.is_none();
            fact.event = StayEvent::Closed(closing);
        }
        StayFacts { key: opened_at.filter(|_| fact.form.is_exclusive()), fact: Some(fact) }
    }

    /// A given order decides, else the id of the stay, else the event time.
    fn fact(&self, at: Timestamp, event: StayEvent<'a, K>) -> StayFact<'a, K> {
        let (form, rank) = match (self.order, self.stay_id) {
            (Some(order), _) => (Form::Ordered, order),
            (None, Some(_)) => {
                (Form::Named { exclusive: self.exclusive }, self.counter.unwrap_or(0))
            }
            (None, None) => (Form::Ordered, at.as_millis()),
        };
        StayFact { stay_id: self.stay_id, form, rank, at, event }
    }
}

impl Form {
    /// Whether the stay has a name and excludes others.
    #[inline]
    pub(crate) fn is_exclusive(self) -> bool {
        self == Self::Named { exclusive: true }
    }
}

/// Whether a stay began or ended.
#[derive(Debug)]
pub(crate) enum StayEvent<'a, K: Kind> {
    Opened(&'a K::Told),
    Closed(Closing),
}

copy!(StayFacts, StayFact, StayEvent);

/// What is known of a closing beside its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Closing {
    /// Whether the application closed the stay, and not the media server.
    pub(crate) by_us: bool,
    /// Whether it did not tell when the stay opened. Then a named one counts as later by the clock skew,
    /// so that it closes an opening which another server stamped.
    pub(crate) lacks_opening_time: bool,
}

impl Closing {
    /// Returns when a closing of a named stay counts, for bounds and for forgetting.
    #[inline]
    pub(crate) fn counts_at(self, at: Timestamp, rules: &Rules) -> Timestamp {
        if self.lacks_opening_time { at.plus(rules.clock_skew_ms) } else { at }
    }
}

impl<K: Kind> StayEvent<'_, K> {
    /// Returns which of two that are equal otherwise counts: the greater details, or the closing of the
    /// media server.
    pub(crate) fn strength(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Opened(own), Self::Opened(other)) => own.cmp(other),
            (Self::Closed(own), Self::Closed(other)) => other.by_us.cmp(&own.by_us),
            (Self::Opened(_), Self::Closed(_)) => Ordering::Less,
            (Self::Closed(_), Self::Opened(_)) => Ordering::Greater,
        }
    }
}

impl<K: Kind> StayFacts<'_, K> {
    /// Returns when the stay closed, if they say so.
    #[inline]
    fn closed_at(&self) -> Option<Timestamp> {
        self.fact.as_ref().filter(|fact| fact.is_closing()).map(|fact| fact.at)
    }

    /// Whether one of them is no earlier than a bound.
    #[inline]
    fn is_any_from(&self, bound: Timestamp, rules: &Rules) -> bool {
        self.key.is_some_and(|at| at >= bound)
            || self.fact.as_ref().is_some_and(|fact| fact.counts_at(rules) >= bound)
    }
}

impl<K: Kind> StayFact<'_, K> {
    #[inline]
    pub(crate) fn is_closing(&self) -> bool {
        matches!(self.event, StayEvent::Closed(_))
    }

    /// Returns when it counts, for bounds, admission and forgetting.
    #[inline]
    pub(crate) fn counts_at(&self, rules: &Rules) -> Timestamp {
        match self.event {
            StayEvent::Opened(_) => self.at,
            StayEvent::Closed(closing) => closing.counts_at(self.at, rules),
        }
    }
}

/// Takes what an event tells of its stay. Four types of events have the same fields.
macro_rules! told_by {
    ($event:ident, $stay_id:ident) => {
        StayTold {
            stay_id: $event.$stay_id.as_ref(),
            order: $event.order,
            counter: $event.counter,
            exclusive: $event.exclusive,
        }
    };
}

impl<'a> Facts<'a> {
    /// Returns what a callback says, and about whom.
    #[inline]
    pub(crate) fn of(callback: &'a Callback) -> (Self, Subject<'a>) {
        let none = Self::default();
        match &callback.event {
            // Without a name, what opened is whatever is in the room.
            CallbackEvent::RoomCreated(_) if callback.session_id.is_none() => {
                (none, Subject::Session)
            }
            CallbackEvent::RoomClosed(event) if callback.session_id.is_none() => {
                (Self { nameless_close: Some(event.closed_at), ..none }, Subject::Session)
            }
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
                let stay = told_by!(event, user_session_id);
                let user = stay.opened(at, &event.details);
                let name = event.room_name.as_ref().map(|name| NameFact { at, name });
                let facts = Self { opening: Some(at), name, user: Some(user), ..none };
                (facts, Subject::User(HashedId::borrowed(&event.user_id)))
            }
            CallbackEvent::UserLoggedOut(event) => {
                let stay = told_by!(event, user_session_id);
                let user = stay.closed(event.logout_at, event.login_at);
                let exit = user.closed_at().filter(|_| callback.session_id.is_none());
                let facts = Self { opening: event.login_at, exit, user: Some(user), ..none };
                (facts, Subject::User(HashedId::borrowed(&event.user_id)))
            }
            CallbackEvent::StreamCreated(event) => {
                let stay = told_by!(event, stream_session_id);
                let stream = stay.opened(event.created_at, &event.details);
                let facts = Self { opening: Some(event.created_at), stream: Some(stream), ..none };
                (facts, Subject::Stream(HashedId::borrowed(&event.stream_id)))
            }
            CallbackEvent::StreamClosed(event) => {
                let stay = told_by!(event, stream_session_id);
                let stream = stay.closed(event.closed_at, event.created_at);
                let exit = stream.closed_at().filter(|_| callback.session_id.is_none());
                let facts = Self { opening: event.created_at, exit, stream: Some(stream), ..none };
                (facts, Subject::Stream(HashedId::borrowed(&event.stream_id)))
            }
        }
    }

    /// Whether it says nothing at all.
    pub(crate) fn is_none(&self) -> bool {
        self.create.is_none()
            && self.close.is_none()
            && self.nameless_close.is_none()
            && self.opening.is_none()
            && self.exit.is_none()
            && self.user.is_none()
            && self.stream.is_none()
    }

    /// Whether a fact is no earlier than a bound. The creation does not count: it has one of its own.
    #[inline]
    pub(crate) fn is_any_from(&self, bound: Timestamp, rules: &Rules) -> bool {
        let is_from = |at: Timestamp| at >= bound;
        self.opening.is_some_and(is_from)
            || self.user.as_ref().is_some_and(|user| user.is_any_from(bound, rules))
            || self.stream.as_ref().is_some_and(|stream| stream.is_any_from(bound, rules))
            || self.name.as_ref().is_some_and(|name| is_from(name.at))
            || self.close.is_some_and(is_from)
            || self.nameless_close.is_some_and(|at| is_from(at.minus(rules.tie_window_ms)))
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
        Some(Ordering::Less) => Effect::Beaten,
        Some(Ordering::Equal) => Effect::Same,
        Some(Ordering::Greater) | None => {
            *register = Some(value);
            Effect::Changed
        }
    }
}
