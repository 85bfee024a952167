//! Step 3: looks at those whom an input concerns, as readers see them. Step 6 compares this with what they
//! see afterwards (law 1.6), so nothing may have changed before.
//!
//! To look at one user or stream costs a constant. To look at everybody costs the whole room:
//! [`RoomState::concerns_everybody`] says which inputs need that.

use crate::model::id::UserId;
use crate::registers::kind::{Streams, Users};
use crate::registers::places::{StreamPlaces, Target, UserPlaces};
use crate::room::before::{Before, EverybodyBefore, Looked, OwnedSource, StreamBefore, UserBefore};
use crate::room::state::RoomState;
use crate::rules::listing::role_of;
use crate::rules::lists::listed_since;
use crate::rules::summary::{Parts, Summary};

impl RoomState {
    /// Looks at the user or stream whom an input concerns, or at everybody.
    ///
    /// It also notes what the user or stream adds to the summaries, and when something of it can be
    /// forgotten. So step 5 can replace the one, and step 7 the other, without a walk through the room.
    #[inline] // what it returns is large
    pub(super) fn look(&self, target: &Target<'_>, everybody: bool) -> Before {
        let registers = &self.registers;
        let book = self.rulebook();
        let visible = self.visible();
        let mut parts = Parts::new();
        let due = match target {
            Target::Session => None,
            Target::User(_, places) => {
                // A room has one session nearly always. Pushing it takes a third of the time of `extend`.
                for part in Summary::parts::<Users>(registers, &places.told, &self.settings) {
                    parts.push(part);
                }
                book.due(book.stays_forgettable_at::<Users>(visible, &places.told))
            }
            Target::Stream(_, places) => {
                for part in Summary::parts::<Streams>(registers, &places.told, &self.settings) {
                    parts.push(part);
                }
                book.due(book.stays_forgettable_at::<Streams>(visible, &places.told))
            }
        };
        let looked = if everybody {
            Looked::Everybody(Box::new(self.look_at_everybody()))
        } else {
            match target {
                Target::Session => Looked::Nobody,
                Target::User(user_id, places) => {
                    Looked::User(self.look_at_user(&user_id.id, places))
                }
                Target::Stream(_, places) => Looked::Stream(self.look_at_stream(places)),
            }
        };
        Before { was_listed: self.is_listed(), looked, parts, due }
    }

    /// Looks at all users and streams that readers see. Cost: the users and streams.
    fn look_at_everybody(&self) -> EverybodyBefore {
        let users = self.users().iter().map(|(_, user_id)| {
            (user_id.clone(), self.look_at_user(user_id, &self.registers.user_places(user_id)))
        });
        let streams = self.streams().iter().map(|(_, stream_id)| {
            (stream_id.clone(), self.look_at_stream(&self.registers.stream_places(stream_id)))
        });
        let attributes = self.registers.stream_attributes.iter();
        let attributes = attributes.map(|(id, held)| (id.clone(), held.attributes.clone()));
        EverybodyBefore {
            info: self.registers.info.clone(),
            users: users.collect(),
            streams: streams.collect(),
            attributes: attributes.collect(),
        }
    }

    /// Looks at one user. Whoever is not in the list gives the default.
    #[inline]
    fn look_at_user(&self, user_id: &UserId, places: &UserPlaces) -> UserBefore {
        if !self.is_listed() {
            return UserBefore::default();
        }
        let source = self.rulebook().source(self.visible(), &places.told);
        let member = places.member.and_then(|place| self.registers.members.at(place));
        let note = self.rulebook().note(user_id, member.is_some(), source);
        UserBefore {
            since: listed_since(member, source),
            is_member: member.is_some(),
            role: role_of(member, note, source).cloned(),
            source: source.map(OwnedSource::of),
            note: note.map(|note| Box::new(note.clone())),
        }
    }

    /// Looks at one stream. One that is not in the list gives the default.
    fn look_at_stream(&self, places: &StreamPlaces) -> StreamBefore {
        let source = self.rulebook().source(self.visible(), &places.told);
        StreamBefore { source: source.map(OwnedSource::of) }
    }
}
