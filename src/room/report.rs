//! Reporting of losses: which signs have been there for long enough to be told (laws 10.5 and 10.6).
//!
//! `record.rs` notes when each sign was noticed. Here signs become [suspicions](crate::repair::Suspicion)
//! that readers see, once they have held for `report_after`.

use crate::model::config::Config;
use crate::model::suspicion::SuspectedList;
use crate::model::time::Timestamp;
use crate::room::context::Context;
use crate::room::projection::ProjectionSource;
use crate::room::state::RoomState;
use crate::rules::visibility::Visible;

impl RoomState {
    /// Reports the signs that held for long enough, and withdraws those that hold no more. Returns how many
    /// were reported.
    #[inline]
    pub(super) fn report(&mut self, cx: &mut Context<'_>) -> usize {
        let since = self.projection.unreported_since;
        let is_due = since.is_some_and(|since| since.plus(cx.config.report_after_ms) <= cx.now);
        if cx.signs_changed || is_due { self.tell_signs(cx) } else { 0 }
    }

    /// Does the same. Most operations do not come here, because no sign changed.
    #[inline(never)] // rare, and the question whether anything is due is not
    fn tell_signs(&mut self, cx: &mut Context<'_>) -> usize {
        cx.signs_changed = false;
        cx.is_dirty = true;
        let reported = self.mark_reported(cx.now, cx.config);
        let source =
            ProjectionSource { id: &self.id, registers: &self.registers, settings: &self.settings };
        self.projection.tell_signs(source, cx);
        reported
    }

    /// Marks the signs of the visible session that are due and that no observation resolved (law 16.1).
    /// Returns how many.
    fn mark_reported(&mut self, now: Timestamp, config: &Config) -> usize {
        let Some(index) = self.projection.visible.and_then(Visible::index) else { return 0 };
        let session = &self.registers.sessions[index];
        if session.evidence.is_empty() {
            return 0;
        }
        // Asked beforehand, because marking borrows the session mutably.
        let confirmed_at = |list: SuspectedList| self.rulebook().confirmed_at(list, Some(session));
        let [room, users, streams, both] = [
            confirmed_at(SuspectedList::Room),
            confirmed_at(SuspectedList::Users),
            confirmed_at(SuspectedList::Streams),
            confirmed_at(SuspectedList::Both),
        ];
        let report_after_ms = config.report_after_ms;
        self.registers.sessions[index].evidence.mark_reported(|list, told_at, noticed_at| {
            let confirmed_at = match list {
                SuspectedList::Room => room,
                SuspectedList::Users => users,
                SuspectedList::Streams => streams,
                SuspectedList::Both => both,
            };
            Some(told_at) > confirmed_at && noticed_at.plus(report_after_ms) <= now
        })
    }
}
