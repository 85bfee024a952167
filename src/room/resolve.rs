//! Step 1: session, user and stream are looked up once.

use crate::collections::id_table::{Hashed, HashedId};
use crate::registers::facts::Subject;
use crate::registers::places::Target;
use crate::room::schedule::Forgettable;
use crate::room::state::RoomState;
use crate::room::work::Work;

/// Holds the places of the session, and of the user or stream, of an input.
#[derive(Debug)]
pub(crate) struct At<'a> {
    pub(crate) session: Option<usize>,
    /// Whom the input is about.
    pub(crate) target: Target<'a>,
    /// Whether nothing of a callback can be stored, whatever else is known.
    pub(crate) is_outdated: bool,
    /// The member whom a heartbeat is from. It needs no other place.
    pub(crate) member: Option<usize>,
}

impl RoomState {
    /// Looks up what an input names.
    pub(super) fn resolve<'a>(&self, work: &Work<'a>) -> At<'a> {
        let registers = &self.registers;
        let mut at =
            At { session: None, target: Target::Session, is_outdated: false, member: None };
        match work {
            Work::Callback(callback) => {
                at.session = registers.session_index(&callback.callback.session_id);
                at.is_outdated = self.rulebook().is_outdated(&callback.facts);
                let (user, stream) = (&callback.facts.user, &callback.facts.stream);
                let closes = user.as_ref().is_some_and(|user| user.closing.is_some())
                    || stream.as_ref().is_some_and(|stream| stream.key.closed);
                if at.is_outdated && !closes {
                    return at; // only a closing is admitted by what is known of its subject
                }
                at.target = match &callback.subject {
                    Subject::Session => Target::Session,
                    Subject::User(user_id) => {
                        Target::User(user_id.clone(), registers.user_places(user_id))
                    }
                    Subject::Stream(stream_id) => {
                        Target::Stream(stream_id.clone(), registers.stream_places(stream_id))
                    }
                };
            }
            Work::Join(user) => {
                let user_id = HashedId::owned(user.user_id.clone());
                let places = registers.user_places(&user_id);
                at.target = Target::User(user_id, places);
            }
            Work::Heartbeat(user_id, _, update) => {
                at.member = registers.members.place_of(user_id);
                if at.member.is_none() || update.is_some() {
                    at.target = self.resolve_user(at.member, *user_id);
                }
            }
            Work::Leave(user_id, _) | Work::Remove(user_id, _) | Work::UpdateUser(user_id, _) => {
                at.target = self.resolve_user(registers.members.place_of(user_id), *user_id);
            }
            Work::UpdateStream(stream_id, _) => {
                let places = registers.stream_places(stream_id);
                if let Some(id) = registers.stream_id(&places) {
                    at.target = Target::Stream(stream_id.of(id.clone()), places);
                }
            }
            Work::TimeOut(place) => {
                if let Some(member) = registers.members.at(*place) {
                    let user_id = HashedId::owned(member.user_id.clone());
                    let places = registers.user_places_beside(Some(*place), &user_id);
                    at.target = Target::User(user_id, places);
                }
            }
            Work::Forget(Forgettable::User(user_id)) => {
                let user_id = HashedId::owned(user_id.clone());
                let places = registers.user_places(&user_id);
                at.target = Target::User(user_id, places);
            }
            Work::Forget(Forgettable::Stream(stream_id)) => {
                let stream_id = HashedId::owned(stream_id.clone());
                let places = registers.stream_places(&stream_id);
                at.target = Target::Stream(stream_id, places);
            }
            Work::Observation(..)
            | Work::Create(_)
            | Work::Update(_)
            | Work::End
            | Work::TakeHeartbeats(_)
            | Work::GrantGrace
            | Work::Merge(_)
            | Work::Tick
            | Work::ClockSetBack
            | Work::EndByLifecycle
            | Work::ForgetSession => {}
        }
        at
    }

    /// Looks up a user whom a command names. Nobody is the target if nothing is known of the user.
    fn resolve_user<'a>(&self, member: Option<usize>, user_id: Hashed<'a, str>) -> Target<'a> {
        let places = self.registers.user_places_beside(member, &user_id);
        match self.registers.user_id(&places) {
            Some(id) => Target::User(user_id.of(id.clone()), places),
            None => Target::Session,
        }
    }
}
