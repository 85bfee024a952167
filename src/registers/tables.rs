//! In which tables a room keeps users, and in which it keeps streams.
//!
//! One rule serves both: it is generic over [`Tables`], and finds the tables of its kind here.

use crate::collections::id_table::IdTable;
use crate::model::id::{StreamId, UserId};
use crate::model::visible::Presence;
use crate::registers::kind::{Kind, Streams, Users};
use crate::registers::observed::Observed;
use crate::registers::places::{Places, Target};
use crate::registers::roster::{Roster, StreamPresence};
use crate::registers::session::SessionRegister;
use crate::registers::stays::StayRegister;

/// A kind whose tables can be found.
pub(crate) trait Tables: Kind {
    /// Returns the stays of a session, by id.
    fn table(session: &SessionRegister) -> &IdTable<Self::Id, StayRegister<Self>>;
    fn table_mut(session: &mut SessionRegister) -> &mut IdTable<Self::Id, StayRegister<Self>>;
    /// Returns the observed roster of the list.
    fn roster(observed: &Observed) -> &Roster<Self::Id, Self::Presence>;
    fn roster_mut(observed: &mut Observed) -> &mut Roster<Self::Id, Self::Presence>;
    /// Returns the places of a target, if it is of this kind.
    fn places<'t>(target: &'t mut Target<'_>) -> Option<&'t mut Places>;
}

impl Tables for Users {
    fn table(session: &SessionRegister) -> &IdTable<UserId, StayRegister<Self>> {
        &session.users
    }

    fn table_mut(session: &mut SessionRegister) -> &mut IdTable<UserId, StayRegister<Self>> {
        &mut session.users
    }

    fn roster(observed: &Observed) -> &Roster<UserId, Presence> {
        &observed.users
    }

    fn roster_mut(observed: &mut Observed) -> &mut Roster<UserId, Presence> {
        &mut observed.users
    }

    fn places<'t>(target: &'t mut Target<'_>) -> Option<&'t mut Places> {
        match target {
            Target::User(_, places) => Some(&mut places.told),
            Target::Session | Target::Stream(..) => None,
        }
    }
}

impl Tables for Streams {
    fn table(session: &SessionRegister) -> &IdTable<StreamId, StayRegister<Self>> {
        &session.streams
    }

    fn table_mut(session: &mut SessionRegister) -> &mut IdTable<StreamId, StayRegister<Self>> {
        &mut session.streams
    }

    fn roster(observed: &Observed) -> &Roster<StreamId, StreamPresence> {
        &observed.streams
    }

    fn roster_mut(observed: &mut Observed) -> &mut Roster<StreamId, StreamPresence> {
        &mut observed.streams
    }

    fn places<'t>(target: &'t mut Target<'_>) -> Option<&'t mut Places> {
        match target {
            Target::Stream(_, places) => Some(&mut places.told),
            Target::Session | Target::User(..) => None,
        }
    }
}
