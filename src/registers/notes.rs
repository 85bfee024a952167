//! Notes: what the application says of users who have no membership.
//!
//! Updates of users write them (`room/join/members.rs`), and `room/record.rs` keeps or drops them after
//! each operation. `rules/notes.rs` says which note readers see.
//!
//! This file carries law 18.11.

use std::collections::BTreeMap;

use crate::model::id::{UserId, UserSessionId};
use crate::model::time::Timestamp;
use crate::model::visible::UserNote;

/// The notes by user, ordered by what each is on.
///
/// A note belongs to one stay, so that merging is a join. A note is dropped when its stay is stored in no
/// session any more, so it does not matter in which order replicas merge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub(crate) struct UserNotes(BTreeMap<UserId, Vec<HeldNote>>);

/// A note, and what it is on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct HeldNote {
    /// The stay or presence that it belongs to.
    pub(crate) on: NoteSubject,
    /// Name, role and attributes, and the local time of their last update.
    pub(crate) note: UserNote,
}

/// What a note is on: a stay of a user, or a presence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub(crate) enum NoteSubject {
    /// A named login.
    Named { exclusive: bool, user_session_id: UserSessionId },
    /// An ordered login: its order, and its event time.
    Ordered { rank: u64, at: Timestamp },
    /// A presence at an event time, of a user of whose login no callback told.
    Seen { at: Timestamp },
}

impl UserNotes {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the note on a stay or presence of a user.
    pub(crate) fn get(&self, user_id: &UserId, on: &NoteSubject) -> Option<&UserNote> {
        self.0.get(user_id)?.iter().find(|held| held.on == *on).map(|held| &held.note)
    }

    /// Sets the note on a stay or presence of a user.
    pub(crate) fn set(&mut self, user_id: UserId, on: NoteSubject, note: UserNote) {
        let notes = self.0.entry(user_id).or_default();
        match notes.binary_search_by(|held| held.on.cmp(&on)) {
            Ok(index) => notes[index].note = note,
            Err(index) => notes.insert(index, HeldNote { on, note }),
        }
    }

    /// Returns the users who have notes.
    pub(crate) fn users(&self) -> impl Iterator<Item = &UserId> {
        self.0.keys()
    }

    /// Drops the notes on one user that `keep` does not want to keep.
    pub(crate) fn retain(&mut self, user_id: &UserId, keep: impl Fn(&NoteSubject) -> bool) {
        if let Some(notes) = self.0.get_mut(user_id) {
            notes.retain(|held| keep(&held.on));
            if notes.is_empty() {
                self.0.remove(user_id);
            }
        }
    }

    /// Joins the notes of another replica: of two on one stay or presence, the one updated later counts.
    pub(crate) fn merge(&mut self, other: Self) {
        for (user_id, notes) in other.0 {
            for HeldNote { on, note } in notes {
                if self.get(&user_id, &on).is_none_or(|held| *held < note) {
                    self.set(user_id.clone(), on, note);
                }
            }
        }
    }

    /// Drops the notes that an end of the room outranks: those that were updated no later than it (law 6.5).
    pub(crate) fn end_before(&mut self, ended_at: Timestamp) {
        self.0.retain(|_, notes| {
            notes.retain(|held| held.note.updated_at > ended_at);
            !notes.is_empty()
        });
    }

    /// Returns the local time of the latest update. An end must not be earlier (law 6.5).
    pub(crate) fn latest_update(&self) -> Option<Timestamp> {
        self.0.values().flatten().map(|held| held.note.updated_at).max()
    }

    /// Returns the local time of the earliest update. For what comes from a store.
    #[cfg(feature = "serde")]
    pub(crate) fn earliest_update(&self) -> Option<Timestamp> {
        self.0.values().flatten().map(|held| held.note.updated_at).min()
    }

    /// Pulls local times that lie in the future back to the latest that an update may have by now. After an
    /// end, that is one millisecond later (law 6.5).
    pub(crate) fn pull_back(&mut self, latest_update: Timestamp) {
        for held in self.0.values_mut().flatten() {
            held.note.updated_at = held.note.updated_at.min(latest_update);
        }
    }

    /// Returns a user with notes that no room can have made: none, more than `most`, or not in order. For
    /// what comes from a store.
    #[cfg(feature = "serde")]
    pub(crate) fn impossible(&self, most: usize) -> Option<&UserId> {
        let mut users = self.0.iter();
        let is_possible = |notes: &[HeldNote]| {
            (1..=most).contains(&notes.len()) && notes.is_sorted_by(|a, b| a.on < b.on)
        };
        users.find(|(_, notes)| !is_possible(notes)).map(|(user_id, _)| user_id)
    }
}
