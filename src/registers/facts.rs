//! A callback as facts: what it says, each fact with an event time of its own.
//!
//! | callback | main fact | further facts |
//! |---|---|---|
//! | room created | `create` | |
//! | room closed | `close`; `nameless_close` if it names no session | |
//! | logged in | the opening in `user` | its `latest_opening`; `opening` and `name` of the session |
//! | logged out | the closing in `user` | `exit` if it names no session; `latest_opening` and `opening` if it tells the login time |
//! | stream created | the opening in `stream` | its `latest_opening`; `opening` of the session |
//! | stream closed | the closing in `stream` | `exit` if it names no session; `latest_opening` and `opening` if it tells the creation time |
//!
//! The creation of a room without a session states no fact (law 21.1). `latest_opening` is told of named
//! stays only that exclude others. `opening` comes from opening times alone: a closing is never a sign of
//! life (law 2.2).
//!
//! `room/work.rs` makes the facts once for each callback, and the joins and `rules/retention.rs` read them.
//! They borrow from the callback, so a repeat allocates nothing. Merges make the same values of another
//! replica's registers.
//!
//! This file carries laws 2.1 to 2.5, 2.7, 3.11, 21.1 and 21.3. The effects serve the outcomes of law 8.1.

use std::cmp::Ordering;

use crate::collections::hashed::HashedId;
use crate::model::callback::{Callback, CallbackEvent};
use crate::model::config::Rules;
use crate::model::id::{StreamId, UserId};
use crate::model::text::Text;
use crate::model::time::Timestamp;
use crate::registers::kind::{Kind, Streams, Users, copy};

/// The facts of one callback, or of one session, user or stream of another replica. Times are event times.
///
/// They name no session, user or stream: the door looked those up before (see `places.rs`).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Facts<'a> {
    /// The session was created.
    pub(crate) create: Option<CreateFact<'a>>,
    /// The session closed.
    pub(crate) close: Option<Timestamp>,
    /// The room closed, and the callback names no session (law 21.3).
    pub(crate) nameless_close: Option<Timestamp>,
    /// The *latest opening* of the session: a user or stream came into it.
    pub(crate) opening: Option<Timestamp>,
    /// A user or stream left the nameless session. It outdates that the room was seen open (law 14.5).
    pub(crate) exit: Option<Timestamp>,
    /// The room's name, as a login told it.
    pub(crate) name: Option<NameFact<'a>>,
    /// An observation confirmed that the session is open (law 13.1).
    pub(crate) confirmed_open: Option<Timestamp>,
    /// What is told of the user whom the callback is about.
    pub(crate) user: Option<StayFacts<'a, Users>>,
    /// What is told of the stream that the callback is about.
    pub(crate) stream: Option<StayFacts<'a, Streams>>,
}

/// Whom a callback is about, apart from its session, before the id is looked up.
#[derive(Debug, Clone)]
pub(crate) enum Subject<'a> {
    /// The session itself, or the room.
    Session,
    User(HashedId<'a, UserId>),
    Stream(HashedId<'a, StreamId>),
}

/// A creation. The order of the fields is the rule: the later creation counts (law 3.1), and at equal times
/// the greater payload (law 2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CreateFact<'a> {
    pub(crate) created_at: Timestamp,
    pub(crate) creator_id: Option<&'a UserId>,
}

/// A room's name. The order of the fields is the rule: the latest counts (law 2.7), and at equal times the
/// greater (law 2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NameFact<'a> {
    pub(crate) at: Timestamp,
    pub(crate) name: &'a Text,
}

/// What is told of one user or stream in one session.
#[derive(Debug)]
pub(crate) struct StayFacts<'a, K: Kind> {
    /// The *latest opening* of the user or stream, in event time. Only a named stay that excludes others
    /// tells it (laws 2.1 and 3.11). It raises the bound of law 3.4.
    pub(crate) latest_opening: Option<Timestamp>,
    /// The opening or closing itself. `None` if a merge joins the latest opening alone.
    pub(crate) fact: Option<StayFact<'a, K>>,
}

/// One opening or closing of a user or stream.
#[derive(Debug)]
pub(crate) struct StayFact<'a, K: Kind> {
    /// The id of the stay. A named stay has one, and an ordered fact may have one.
    pub(crate) stay_id: Option<&'a K::StayId>,
    pub(crate) form: Form,
    /// Of a named stay the counter, which decides which of several is shown (law 3.7). Of an ordered fact
    /// the order, which decides which fact is the last (law 3.8).
    pub(crate) rank: u64,
    /// When the stay opened or closed, as the callback told, in event time.
    pub(crate) at: Timestamp,
    /// Whether it is an opening or a closing.
    pub(crate) event: StayEvent<'a, K>,
}

/// The two forms of a fact (law 2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub(crate) enum Form {
    /// The stay has an id. The flag says whether it excludes other stays, and is part of the name of the
    /// stay (law 3.11).
    Named { exclusive: bool },
    /// A number orders all facts of the user or stream.
    Ordered,
}

/// What a callback tells of the stay that it is about, opening or closing.
#[derive(Debug)]
struct StayTold<'a, K: Kind> {
    /// The id of the stay.
    stay_id: Option<&'a K::StayId>,
    /// Orders the facts of this user or stream.
    order: Option<u64>,
    /// Counts the events of all users, or of all streams (law 2.5).
    counter: Option<u64>,
    /// Whether the stay excludes others.
    exclusive: bool,
}

impl<'a, K: Kind> StayTold<'a, K> {
    /// Makes the facts of an opening.
    fn opened(&self, at: Timestamp, details: &'a K::Told) -> StayFacts<'a, K> {
        self.facts(at, Some(at), StayEvent::Opened(details))
    }

    /// Makes the facts of a closing, which may tell when its stay opened.
    fn closed(&self, at: Timestamp, opened_at: Option<Timestamp>) -> StayFacts<'a, K> {
        // The order of an ordered closing says what it ends, so only a named one lacks the time (law 2.3).
        let lacks_opening_time = opened_at.is_none() && self.is_named();
        let closing = Closing { by_us: false, lacks_opening_time };
        // No stay closes before it opened, whatever two servers stamped (law 2.1).
        let at = at.max(opened_at.unwrap_or_default());
        self.facts(at, opened_at, StayEvent::Closed(closing))
    }

    /// Whether the facts are named: an id is told, and no order (law 2.5).
    fn is_named(&self) -> bool {
        self.order.is_none() && self.stay_id.is_some()
    }

    /// Makes the facts in their form: an order that is told decides, else the id of the stay, else the
    /// event time (law 2.5).
    fn facts(
        &self,
        at: Timestamp,
        opened_at: Option<Timestamp>,
        event: StayEvent<'a, K>,
    ) -> StayFacts<'a, K> {
        let (form, rank) = match (self.order, self.stay_id) {
            (Some(order), _) => (Form::Ordered, order),
            (None, Some(_)) => {
                (Form::Named { exclusive: self.exclusive }, self.counter.unwrap_or(0))
            }
            (None, None) => (Form::Ordered, at.as_millis()),
        };
        let latest_opening = opened_at.filter(|_| form.is_exclusive());
        let fact = StayFact { stay_id: self.stay_id, form, rank, at, event };
        StayFacts { latest_opening, fact: Some(fact) }
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
    /// With what the callback tells of the user or stream.
    Opened(&'a K::Told),
    Closed(Closing),
}

copy!(StayFacts, StayFact, StayEvent);

/// What is known of a closing beside its event time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Closing {
    /// Whether a command closed the stay, and not the media server (law 6.1).
    pub(crate) by_us: bool,
    /// Whether the closing of a named stay did not tell when the stay opened. It then counts as later by δ,
    /// so that it closes an opening that another machine stamped (law 2.3).
    pub(crate) lacks_opening_time: bool,
}

impl Closing {
    /// Returns the event time by which a closing counts for bounds, admission and forgetting, and against
    /// openings of its own stay (law 2.3).
    #[inline]
    pub(crate) fn counts_at(self, at: Timestamp, rules: &Rules) -> Timestamp {
        if self.lacks_opening_time { at.plus(rules.clock_skew_ms) } else { at }
    }
}

impl<K: Kind> StayEvent<'_, K> {
    /// Compares two events of facts that are equal in all that orders them. The greater counts: of two
    /// openings the greater details (law 2.4), and of two closings that of the media server (law 6.6).
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
    /// Returns when the stay closed, if they tell a closing.
    #[inline]
    fn closed_at(&self) -> Option<Timestamp> {
        self.fact.as_ref().filter(|fact| fact.is_closing()).map(|fact| fact.at)
    }

    /// Whether one of them is no earlier than a bound.
    #[inline]
    fn is_any_from(&self, bound: Timestamp, rules: &Rules) -> bool {
        self.latest_opening.is_some_and(|at| at >= bound)
            || self.fact.as_ref().is_some_and(|fact| fact.counts_at(rules) >= bound)
    }
}

impl<K: Kind> StayFact<'_, K> {
    /// Whether it is a closing.
    #[inline]
    pub(crate) fn is_closing(&self) -> bool {
        matches!(self.event, StayEvent::Closed(_))
    }

    /// Returns the event time by which it counts: the one that was told, but for law 2.3.
    #[inline]
    pub(crate) fn counts_at(&self, rules: &Rules) -> Timestamp {
        match self.event {
            StayEvent::Opened(_) => self.at,
            StayEvent::Closed(closing) => closing.counts_at(self.at, rules),
        }
    }
}

/// Takes what an event tells of its stay. Four types of events have these fields under the same names.
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
    /// Returns the earliest opening time in it: that of a user or stream, or the creation of the session.
    #[inline]
    pub(crate) fn earliest_opening_at(&self) -> Option<Timestamp> {
        let created_at = self.create.map(|create| create.created_at);
        match (self.opening, created_at) {
            (Some(opened_at), Some(created_at)) => Some(opened_at.min(created_at)),
            (opened_at, created_at) => opened_at.or(created_at),
        }
    }

    /// Returns what a callback says, and about whom.
    #[inline]
    pub(crate) fn of(callback: &'a Callback) -> (Self, Subject<'a>) {
        let none = Self::default();
        match &callback.event {
            // A nameless session has no creation: it opened with what is visible in it (law 21.1).
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

    /// Whether the callback states no fact: the creation of a room without a session (law 21.1).
    pub(crate) fn is_none(&self) -> bool {
        self.create.is_none()
            && self.close.is_none()
            && self.nameless_close.is_none()
            && self.opening.is_none()
            && self.exit.is_none()
            && self.user.is_none()
            && self.stream.is_none()
    }

    /// Whether a fact is no earlier than a bound. The creation is left out, because it has a bound of its
    /// own (law 3.1).
    #[inline]
    pub(crate) fn is_any_from(&self, bound: Timestamp, rules: &Rules) -> bool {
        let is_from = |at: Timestamp| at >= bound;
        self.opening.is_some_and(is_from)
            || self.user.as_ref().is_some_and(|user| user.is_any_from(bound, rules))
            || self.stream.as_ref().is_some_and(|stream| stream.is_any_from(bound, rules))
            || self.name.as_ref().is_some_and(|name| is_from(name.at))
            || self.close.is_some_and(is_from)
            // It counts as made a tie window earlier (law 21.3).
            || self.nameless_close.is_some_and(|at| is_from(at.minus(rules.tie_window_ms)))
            || self.confirmed_open.is_some_and(is_from)
    }
}

/// What joining one fact did to a register. The outcome of a callback follows from it (law 8.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The register holds it now.
    Changed,
    /// It was stored already, exactly so.
    Same,
    /// It was below its bound, or the register holds something greater. A repeat of a fact that was dropped
    /// looks the same (law 8.2).
    Beaten,
}

/// What joining all facts of a callback did.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    /// The effect of the main fact, which the table above names. `None` if none was joined.
    pub(crate) main: Option<Effect>,
    /// Whether anything that is stored changed.
    pub(crate) changed: bool,
}

impl Tally {
    /// Adds the effect of a further fact.
    #[inline]
    pub(crate) fn add(&mut self, effect: Effect) {
        self.changed |= effect == Effect::Changed;
    }

    /// Adds the effect of the main fact.
    #[inline]
    pub(crate) fn add_main(&mut self, effect: Effect) {
        self.main = Some(effect);
        self.add(effect);
    }

    /// Whether the main fact was not stored before, and is now.
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

/// Joins a value into a register that keeps the greatest. Every register of one value is joined so.
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
