//! What a callback does to a room.
//!
//! Whether it is outdated is found out first, for which little of the room is looked at. For any other
//! the memory is asked for at once that the room refers to: nearly always something of it changes.

use crate::model::callback::Callback;
use crate::model::config::Fingerprint;
use crate::model::outcome::Outcome;
use crate::room::facts::{Concerned, Facts};
use crate::room::state::{Context, RoomState};

impl RoomState {
    /// Applies a callback.
    pub(crate) fn apply(&mut self, callback: &Callback, cx: &mut Context<'_>) -> Outcome {
        // Those that the room was made under, which are at hand.
        let rules = &cx.config.fingerprint;
        debug_assert_eq!(self.settings, *rules, "a room of other settings is refused before");
        let mut facts = Facts::of(callback, rules);
        self.begin(cx);
        if callback.latest_time() > cx.now.plus(cx.config.future_guard_ms) {
            return Outcome::Refused;
        }
        let is_outdated = self.live.is_outdated(&facts, rules);
        if !is_outdated {
            self.fetch_of(&mut facts);
        }
        let visible = || self.shown.as_ref().and_then(|shown| shown.session_id.as_ref());
        if !self.live.lets_in(&facts, cx.now, visible, rules) {
            return Outcome::TooLate;
        }
        if is_outdated {
            // Nothing of it can be held, whatever is: it counts as heard of, and no more.
            self.live.watch(callback, false, cx.now);
            self.report(cx);
            return Outcome::Stale;
        }
        let lacks_opening = self.live.lacks_opening(&facts, callback);
        let before = self.before(&facts);
        let joined = self.live.join(&facts, cx.now, visible(), rules);
        self.live.watch(callback, lacks_opening && joined.tally.is_new(), cx.now);
        if !joined.tally.changed {
            self.report(cx);
            return if joined.tally.is_repeat() { Outcome::Duplicate } else { Outcome::Stale };
        }
        let told = cx.log.len();
        self.show(&facts, before, joined, cx);
        let outcome = if cx.log.len() > told { Outcome::Applied } else { Outcome::Held };
        let concerned = if self.cap_sessions() { Concerned::Everybody } else { facts.concerned() };
        self.finish_for(concerned, cx);
        outcome
    }

    /// Whether a callback is outdated, likely: to be asked before more of the room is fetched.
    pub(crate) fn likely_outdates(&self, callback: &Callback, rules: &Fingerprint) -> bool {
        callback.latest_time() < self.live.floor(rules).min(self.live.anchors_from(rules))
    }

    /// Has the memory brought here that the room refers to, and the user's whom the facts concern.
    fn fetch_of(&self, facts: &mut Facts<'_>) {
        self.fetch_lists();
        if let Some((user_id, _)) = &mut facts.user
            && let Some((session, place)) = self.likely_user(user_id)
        {
            self.fetch_user((session, place));
            *user_id = user_id.likely_at(Some(place));
        }
    }
}
