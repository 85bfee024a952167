//! Which of the application's notes readers see of a user, and which notes are kept.
//!
//! Views and the projection ask the first, and `room/record.rs` the second.
//!
//! This file carries law 18.11.

use crate::model::id::UserId;
use crate::model::time::Timestamp;
use crate::model::visible::UserNote;
use crate::registers::facts::Form;
use crate::registers::kind::Users;
use crate::registers::notes::NoteSubject;
use crate::registers::places::Places;
use crate::registers::stays::StayRegister;
use crate::registers::stays::held::HeldFact;
use crate::rules::Rulebook;
use crate::rules::visibility::Source;

impl Source<'_, Users> {
    /// Returns what a note on the user belongs to: the stay or presence that readers see.
    pub(crate) fn note_subject(self) -> NoteSubject {
        match self {
            Source::Stay(held) => match (held.form, &held.stay_id) {
                (Form::Named { exclusive }, Some(user_session_id)) => {
                    NoteSubject::Named { exclusive, user_session_id: user_session_id.clone() }
                }
                (Form::Named { .. } | Form::Ordered, _) => {
                    NoteSubject::Ordered { rank: held.rank, at: held.at }
                }
            },
            Source::Presence(_, at) => NoteSubject::Seen { at },
        }
    }
}

impl<'a> Rulebook<'a> {
    /// Returns the note that readers see of a user. Of a member they see none, because the membership says
    /// what the note would.
    #[inline]
    pub(crate) fn note(
        self,
        user_id: &UserId,
        is_member: bool,
        source: Option<Source<'a, Users>>,
    ) -> Option<&'a UserNote> {
        let notes = &self.registers.user_notes;
        if is_member || notes.is_empty() {
            return None; // as nearly always
        }
        notes.get(user_id, &source?.note_subject())
    }

    /// Whether the stay or presence that a note belongs to is stored in any session, visible or not. A
    /// merge can only take that away, so the order in which replicas merge does not matter.
    pub(crate) fn holds(self, on: &NoteSubject, places: &Places) -> bool {
        let mut stays = self.registers.stays_of::<Users>(places);
        let mut any = |is_subject: &dyn Fn(&HeldFact<Users>) -> bool| {
            stays.any(|stays| stays.facts.iter().any(is_subject))
        };
        match on {
            NoteSubject::Named { exclusive, user_session_id } => any(&|held| {
                held.form == Form::Named { exclusive: *exclusive }
                    && held.stay_id.as_ref() == Some(user_session_id)
            }),
            NoteSubject::Ordered { rank, at } => any(&|held| {
                held.form == Form::Ordered && held.is_open() && (held.rank, held.at) == (*rank, *at)
            }),
            NoteSubject::Seen { at } => self.was_seen_last(*at, places),
        }
    }

    /// Whether a presence of a user at an event time is stored, and nothing newer is known. Newer would be
    /// a fact of the user, a creation or close of the room, or a leave.
    fn was_seen_last(self, at: Timestamp, places: &Places) -> bool {
        let facts = self.registers.stays_of::<Users>(places).filter_map(StayRegister::newest);
        let after = facts.max().max(self.registers.outdated_until());
        let entry = self.registers.observed.users.entry_at(places.in_roster);
        entry.is_some_and(|entry| {
            Some(at) > after.max(entry.left_at)
                && entry.present.iter().any(|present| present.seen.at == at)
        })
    }
}
