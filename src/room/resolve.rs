//! Step 1: session, user and stream are looked up once. The later steps work with places, and hash no id
//! again.
//!
//! The places hold for the whole pass: a join drops nothing that it leaves empty (see
//! [`places`](crate::registers::places)). A session that is put in or taken out moves them, by
//! [`Target::session_inserted`] and [`Target::session_removed`].

use crate::collections::hashed::{Hashed, HashedId};
use crate::registers::facts::{StayFact, Subject};
use crate::registers::kind::Streams;
use crate::registers::places::Target;
use crate::room::schedule::Forgettable;
use crate::room::state::RoomState;
use crate::room::work::{CallbackWork, Work};

/// What an input names, as places in the registers.
#[derive(Debug)]
pub(crate) struct Resolved<'a> {
    /// The index of the session that a callback names; `None` if it is not stored, and for other inputs.
    pub(crate) session: Option<usize>,
    /// Whom the input is about. [`Target::Session`] also stands for inputs that are about nobody, or about
    /// somebody who is not known.
    pub(crate) target: Target<'a>,
    /// Whether every fact of a callback is below its bound (laws 3.1 and 3.2), so that nothing of it can be
    /// stored.
    pub(crate) is_outdated: bool,
    /// The place of the member whom a heartbeat is from. A heartbeat without an update needs no other.
    pub(crate) member: Option<usize>,
}

impl RoomState {
    /// Looks up what an input names. It changes nothing.
    pub(super) fn resolve<'a>(&self, work: &Work<'a>) -> Resolved<'a> {
        let registers = &self.registers;
        let mut member = None;
        let target = match work {
            Work::Callback(callback) => return self.resolve_callback(callback),
            Work::Join(user) => {
                let user_id = HashedId::owned(user.user_id.clone());
                let places = registers.user_places(&user_id);
                Target::User(user_id, places)
            }
            Work::Heartbeat(user_id, _, update) => {
                member = registers.members.place_of(user_id);
                if member.is_none() || update.is_some() {
                    self.resolve_user(member, *user_id)
                } else {
                    Target::Session
                }
            }
            Work::Leave(user_id, _) | Work::Remove(user_id, _) | Work::UpdateUser(user_id, _) => {
                self.resolve_user(registers.members.place_of(user_id), *user_id)
            }
            Work::UpdateStream(stream_id, _) => {
                let places = registers.stream_places(stream_id);
                match registers.told_id::<Streams>(&places.told) {
                    Some(id) => Target::Stream(stream_id.of(id.clone()), places),
                    None => Target::Session,
                }
            }
            Work::TimeOut(place) => match registers.members.at(*place) {
                Some(member) => {
                    let user_id = HashedId::owned(member.user_id.clone());
                    let places = registers.user_places_beside(Some(*place), &user_id);
                    Target::User(user_id, places)
                }
                None => Target::Session,
            },
            Work::Forget(Forgettable::User(user_id)) => {
                let user_id = HashedId::owned(user_id.clone());
                let places = registers.user_places(&user_id);
                Target::User(user_id, places)
            }
            Work::Forget(Forgettable::Stream(stream_id)) => {
                let stream_id = HashedId::owned(stream_id.clone());
                let places = registers.stream_places(&stream_id);
                Target::Stream(stream_id, places)
            }
            Work::Observation(..)
            | Work::Create(_)
            | Work::Update(_)
            | Work::End
            | Work::TakeHeartbeats(_)
            | Work::GrantGrace
            | Work::Merge(_)
            | Work::CarryOver(_)
            | Work::Tick
            | Work::ClockSetBack
            | Work::EndByLifecycle
            | Work::Unlist
            | Work::ForgetSession => Target::Session,
        };
        Resolved { session: None, target, is_outdated: false, member }
    }

    /// Looks up what a callback names. One that is outdated needs fewer places.
    #[inline]
    fn resolve_callback<'a>(&self, work: &CallbackWork<'a>) -> Resolved<'a> {
        let registers = &self.registers;
        let CallbackWork { callback, facts, subject } = work;
        let session = registers.session_index(callback.session_id.as_ref());
        // A fact below the bounds may still tell that a session opened before an end. That may be an end
        // that only another replica knows (law 6.8). Then the callback is not outdated.
        let lowers_first = |session: usize| registers.sessions[session].is_first_later_than(facts);
        let is_outdated = self.rulebook().is_outdated(facts) && !session.is_some_and(lowers_first);
        let user = facts.user.as_ref().and_then(|user| user.fact.as_ref());
        let stream = facts.stream.as_ref().and_then(|stream| stream.fact.as_ref());
        let closes =
            user.is_some_and(StayFact::is_closing) || stream.is_some_and(StayFact::is_closing);
        let target = match subject {
            // An outdated opening changes nothing. A closing may be admitted by what is stored of its user
            // or stream (law 5.2), so that is looked up.
            _ if is_outdated && !closes => Target::Session,
            Subject::Session => Target::Session,
            Subject::User(user_id) => Target::User(user_id.clone(), registers.user_places(user_id)),
            Subject::Stream(stream_id) => {
                Target::Stream(stream_id.clone(), registers.stream_places(stream_id))
            }
        };
        Resolved { session, target, is_outdated, member: None }
    }

    /// Looks up a user whom a command names, whose place as a member was looked up before.
    #[inline]
    fn resolve_user<'a>(&self, member: Option<usize>, user_id: Hashed<'a, str>) -> Target<'a> {
        let places = self.registers.user_places_beside(member, &user_id);
        match self.registers.user_id(&places) {
            Some(id) => Target::User(user_id.of(id.clone()), places),
            None => Target::Session,
        }
    }
}
