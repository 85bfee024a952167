//! What the door writes into the registers beside the facts, because nobody could compute it later: when
//! something was noticed.
//!
//! - An opening came too late: law 10.11.
//! - The room is empty, or no session of it is visible: laws 4.10 and 18.7.
//! - A sign of loss holds: law 10.3.
//!
//! Here the notes and attributes of the app also go with the stays that they are on (law 18.11). Only
//! `door.rs` and `state.rs` call this.

use crate::model::callback::CallbackEvent;
use crate::model::id::UserId;
use crate::model::suspicion::SuspectedList;
use crate::model::time::Timestamp;
use crate::registers::emptiness::Emptiness;
use crate::registers::kind::{Streams, Users};
use crate::registers::places::{Places, StreamPlaces, Target};
use crate::room::before::Before;
use crate::room::context::Context;
use crate::room::join::JoinResult;
use crate::room::resolve::Resolved;
use crate::room::state::RoomState;
use crate::room::work::Work;
use crate::rules::signs::Concerned;
use crate::rules::visibility::{self, Visible};

impl RoomState {
    /// Records an opening that came too late, unless it is no sign (law 10.11).
    pub(super) fn record_refused(
        &mut self,
        work: &Work<'_>,
        resolved: &Resolved<'_>,
        cx: &mut Context<'_>,
    ) {
        let Work::Callback(work) = work else { return };
        if resolved.is_outdated {
            return; // it is below the bounds of the room
        }
        let (book, visible) = (self.rulebook(), self.visible());
        let (list, is_shown) = match (&work.callback.event, &resolved.target) {
            (CallbackEvent::RoomCreated(_), _) => (SuspectedList::Room, visible.is_some()),
            (CallbackEvent::UserLoggedIn(_), Target::User(_, places)) => {
                (SuspectedList::Users, book.source::<Users>(visible, &places.told).is_some())
            }
            (CallbackEvent::StreamCreated(_), Target::Stream(_, places)) => {
                (SuspectedList::Streams, book.source::<Streams>(visible, &places.told).is_some())
            }
            _ => return, // a closing hides nothing that is live
        };
        let told_at = work.callback.event.at();
        if is_shown || Some(told_at) <= book.confirmed_at(list, None) {
            return;
        }
        cx.signs_changed |= self.registers.refused.record(list, told_at, cx.now);
    }

    /// Writes down since when the room is empty, and since when no session of it is visible.
    ///
    /// The lifecycle `UntilEmpty` counts users alone, and the empty listing time counts streams, too (laws
    /// 18.7 and 4.10). The lifecycle `FollowsSession` ends a room only if it had a session before.
    #[inline]
    pub(super) fn record_since(&mut self, is_session_hidden: bool, now: Timestamp) {
        let has_no_users = self.user_count() == 0;
        self.record_emptiness(has_no_users && self.streams().len() == 0, now);
        let registers = &mut self.registers;
        if has_no_users {
            registers.empty_since.get_or_insert(now);
        } else {
            (registers.empty_since, registers.is_entered) = (None, true);
        }
        if self.projection.session.is_some() {
            registers.sessionless_since = None;
        } else if is_session_hidden {
            registers.sessionless_since = Some(now);
        }
    }

    /// Writes down since when the visible session is empty (law 4.10), and wipes that of every other session.
    /// A session that is open, but not listed because it was empty for too long, keeps it. So it stays off
    /// the list. A room that a command created follows its lifecycle instead.
    fn record_emptiness(&mut self, is_empty: bool, now: Timestamp) {
        let visible = self.projection.visible;
        let can_unlist = self.registers.info.is_none() && self.settings.empty_listing_ms.is_some();
        let has_unlisted = visible.is_none() && can_unlist && self.registers.is_any_unlisted();
        let unlisted = if has_unlisted { self.rulebook().open() } else { None };
        let record = |session: Visible, held: &mut Option<Emptiness>| {
            *held = if visible == Some(session) && is_empty && can_unlist {
                held.or(Some(Emptiness::new(now)))
            } else if unlisted == Some(session) {
                *held
            } else {
                None
            };
        };
        for (index, session) in self.registers.sessions.iter_mut().enumerate() {
            record(Visible::Session(index), &mut session.emptiness);
        }
        record(Visible::Unknown, &mut self.registers.unknown_emptiness);
    }

    /// Assesses the signs of loss of those whom the input concerns, and notes when each was noticed (law
    /// 10.3). With `all`, it assesses those of the whole visible session. The others then lose the signs that
    /// follow from their registers: a session takes its signs along (law 10.4).
    #[inline]
    pub(super) fn record_signs(
        &mut self,
        resolved: &Resolved<'_>,
        joined: &JoinResult,
        all: bool,
        cx: &mut Context<'_>,
    ) {
        let visible = self.projection.visible.and_then(Visible::index);
        if all {
            cx.signs_changed = true;
            for (index, session) in self.registers.sessions.iter_mut().enumerate() {
                if Some(index) != visible {
                    session.evidence.signs.clear_state();
                }
            }
        }
        let Some(index) = visible else { return };
        let concerned = match &resolved.target {
            _ if all => Concerned::Everybody,
            Target::User(user_id, places) => {
                Concerned::User(&user_id.id, self.registers.stays_at(index, &places.told))
            }
            Target::Stream(stream_id, places) => {
                Concerned::Stream(&stream_id.id, self.registers.stays_at(index, &places.told))
            }
            Target::Session if joined.is_session_changed => Concerned::Everybody,
            Target::Session => return,
        };
        let assessed = self.rulebook().assess(index, concerned);
        let signs = &mut self.registers.sessions[index].evidence.signs;
        for sign in assessed {
            let resolved_until = sign.resolved_until;
            cx.signs_changed |= signs.set(sign.subject, sign.told_at, cx.now, resolved_until);
        }
    }

    /// Keeps the app's notes on users whom the media server shows, and drops the others (law 18.11).
    ///
    /// A note belongs to one stay. If the user shows by another one without a gap, the note passes to that.
    /// After a merge nobody knows whether there was a gap, so a note stays with its stay, as long as that is
    /// stored. So it does after a sweep, which may follow a merge at once.
    pub(super) fn keep_user_notes(
        &mut self,
        resolved: &Resolved<'_>,
        before: &Before,
        joined: &JoinResult,
    ) {
        let visible = self.rulebook().open(); // even if the room is not listed, because it was empty
        let concerned: Vec<(UserId, Places)> = match &resolved.target {
            Target::User(user_id, places)
                if visible == self.projection.visible && !joined.is_merge =>
            {
                vec![(user_id.id.clone().into_owned(), places.told.clone())]
            }
            _ => {
                let users = self.registers.user_notes.users();
                users.map(|id| (id.clone(), self.registers.places::<Users>(id))).collect()
            }
        };
        for (user_id, places) in concerned {
            let on = self.rulebook().source::<Users>(visible, &places);
            let on = on.map(visibility::Source::note_subject).filter(|_| !joined.is_merge);
            let shown =
                before.user(&resolved.target, &user_id).and_then(|user| user.note.as_deref());
            // Taken out of the registers, because the rulebook borrows these meanwhile.
            let mut notes = std::mem::take(&mut self.registers.user_notes);
            if let (Some(on), Some(shown)) = (&on, shown)
                && notes.get(&user_id, on).is_none()
            {
                notes.set(user_id.clone(), on.clone(), shown.clone());
            }
            let is_gone = on.is_none() && !joined.is_merge && !joined.is_sweep();
            let book = self.rulebook();
            notes.retain(&user_id, |held| !is_gone && book.holds(held, &places));
            self.registers.user_notes = notes;
        }
    }

    /// Keeps the app's attributes of streams whose life is still visible, and drops the others. Attributes of
    /// a stream that only an observation knew belong to the life that a callback then names.
    pub(super) fn keep_stream_attributes(&mut self, target: &Target<'_>, all: bool) {
        let ids: Vec<_> = match target {
            _ if all => self.registers.stream_attributes.iter().map(|(id, _)| id.clone()).collect(),
            Target::Stream(_, places) => return self.keep_attributes_at(places),
            Target::Session | Target::User(..) => return,
        };
        for stream_id in ids {
            self.keep_attributes_at(&self.registers.stream_places(&stream_id));
        }
    }

    /// Does so for the stream that stands in these places.
    fn keep_attributes_at(&mut self, places: &StreamPlaces) {
        let life = self.stream_at(places).map(|stream| stream.stream_session_id().cloned());
        let attributes = &mut self.registers.stream_attributes;
        let Some(place) = places.attributes else { return };
        let Some(held) = attributes.at_mut(place) else { return };
        match life {
            Some(life) if held.stream_session_id.is_none() || held.stream_session_id == life => {
                held.stream_session_id = life;
            }
            Some(_) | None => _ = attributes.swap_remove_at(place),
        }
    }
}
