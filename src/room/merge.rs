//! Merging two replicas of a room.
//!
//! The live part is a join of every register, by the same code that applies callbacks. Of the
//! business info the one updated last counts, unless an end outranks it; of memberships the later
//! joined, at equal times its end, and of the same membership the later heartbeat. Merging is
//! commutative, associative and idempotent; for valid histories, with delay and the time between two
//! merges below the retention, replicas become what one would hold that saw everything.

use crate::collections::id_table::Hashed;
use crate::model::change::ChangeLog;
use crate::model::config::Fingerprint;
use crate::model::id::UserId;
use crate::model::time::Timestamp;
use crate::room::facts::{Concerned, Facts};
use crate::room::live::Live;
use crate::room::members::{Left, MemberRef, Members};
use crate::room::session::{Create, Name, SessionRegister};
use crate::room::state::{Context, RoomState};

impl RoomState {
    /// Joins another replica of the room into this one. Both are brought up to date first: what
    /// our clock left in the other's future is pulled back there too.
    pub(crate) fn merge(&mut self, mut other: Self, cx: &mut Context<'_>) {
        self.clock = self.clock.max(other.clock);
        other.clock = self.clock;
        self.begin(cx);
        let mut untold = ChangeLog::default();
        other.tick(&mut Context::new(cx.config, cx.now, cx.cause, &mut untold));
        other.live.sweep(cx.now, other.shows_from(), &self.settings, &mut usize::MAX.clone());
        let before = self.copy_visible();

        self.live.merge(&other.live, cx.now, &self.settings);
        self.ended_at = self.ended_at.max(other.ended_at);
        let info = self.info.take().max(other.info.take());
        self.info = info.filter(|info| Some(info.updated_at) > self.ended_at);
        let ended_at = self.ended_at;
        self.members.merge(&other.members, ended_at);
        self.empty_since = self.empty_since.max(other.empty_since);
        self.sessionless_since = self.sessionless_since.max(other.sessionless_since);
        for (stream_id, note) in other.notes {
            let held = self.notes.entry(stream_id).or_insert_with(|| note.clone());
            *held = note.max(held.clone());
        }
        self.cap_sessions();
        self.live.sweep(cx.now, self.shows_from(), &self.settings, &mut usize::MAX.clone());
        self.restore_derived();
        self.keep_notes();
        self.assess(Concerned::Everybody, false, cx.now);
        self.tell_difference(&before, cx);
        self.finish(cx);
    }
}

impl Live {
    /// Joins every register of another replica.
    fn merge(&mut self, other: &Self, now: Timestamp, rules: &Fingerprint) {
        if let Some(latest) = other.latest_create {
            self.raise(latest, None, rules);
        }
        for session in &other.sessions {
            self.merge_session(session, now, rules);
        }
        self.observed.merge(&other.observed);
        self.observed.settle(self.floor(rules), self.outdated_until());
        self.resolve();
        self.recount(rules);
    }

    fn merge_session(&mut self, other: &SessionRegister, now: Timestamp, rules: &Fingerprint) {
        let none = Facts::none(&other.id);
        let own = Facts {
            create: other.create.as_ref().map(Create::fact),
            close: other.closed_at,
            seen: other.seen_at,
            name: other.name.as_ref().map(Name::fact),
            alive: other.alive_at,
            ..none
        };
        self.join(&own, other.touched_at, None, rules);
        for (user_id, user) in other.users_by_id() {
            for facts in user.facts() {
                self.join(
                    &Facts { user: Some((Hashed::new(user_id), facts)), ..none },
                    user.touched_at,
                    None,
                    rules,
                );
            }
        }
        for (stream_id, stream) in &other.streams {
            for held in &stream.facts {
                let facts = Facts { stream: Some((stream_id, held.fact())), ..none };
                self.join(&facts, stream.touched_at, None, rules);
            }
        }
        self.merge_our_times(other, now);
    }

    /// Of our times the later counts: it only delays forgetting.
    fn merge_our_times(&mut self, other: &SessionRegister, now: Timestamp) {
        if self.session(&other.id).is_none() {
            if other.hidden_at.is_none() {
                return;
            }
            self.insert(SessionRegister::new(other.id.clone()));
        }
        let Some(session) = self.session_mut(&other.id) else { return };
        session.hidden_at = session.hidden_at.max(other.hidden_at);
        session.touched_at = session.touched_at.max(other.touched_at);
        session.evidence.merge(&other.evidence, now);
        for (user_id, user) in other.users_by_id() {
            if let Some(held) = session.users.get_mut(user_id) {
                held.touched_at = held.touched_at.max(user.touched_at);
            }
        }
        for (stream_id, stream) in &other.streams {
            if let Some(held) = session.streams.get_mut(stream_id) {
                held.touched_at = held.touched_at.max(stream.touched_at);
            }
        }
    }
}

impl Members {
    /// Joins the memberships of another replica. What joined no later than the room's last end
    /// ended with it.
    fn merge(&mut self, other: &Self, ended_at: Option<Timestamp>) {
        for member in other.by_id() {
            self.merge_member(member);
        }
        for (user_id, left) in other.ends() {
            self.merge_end(user_id, *left);
        }
        self.reorder();
        if let Some(ended_at) = ended_at {
            self.end_before(ended_at);
        }
    }

    fn merge_member(&mut self, member: MemberRef<'_>) {
        let MemberRef { user_id, mut heartbeat_at, .. } = member;
        let joined_at = member.membership().joined_at;
        if let Some(left) = self.end_of(user_id.as_str()) {
            if left.joined_at >= joined_at {
                return;
            }
            self.forget_end(user_id.as_str());
        }
        let (mut membership, mut updated_at) = (member.membership().clone(), member.updated_at());
        if let Some(held) = self.get(user_id.as_str()) {
            if held.membership().joined_at > joined_at {
                return;
            }
            if held.membership().joined_at == joined_at {
                // A heartbeat keeps up the membership that it was sent for, and no later one: that
                // the earlier one ended may be known to a third replica only.
                heartbeat_at = heartbeat_at.max(held.heartbeat_at);
                if (held.updated_at(), held.membership()) >= (updated_at, &membership) {
                    (membership, updated_at) = (held.membership().clone(), held.updated_at());
                }
            }
        }
        self.insert(Hashed::new(user_id), membership, heartbeat_at, updated_at);
    }

    fn merge_end(&mut self, user_id: &UserId, left: Left) {
        if let Some(held) = self.get(user_id.as_str()) {
            if held.membership().joined_at > left.joined_at {
                return;
            }
            self.leave(user_id, left.left_at);
        }
        let left = match self.end_of(user_id.as_str()) {
            Some(held) if (held.joined_at, held.left_at) > (left.joined_at, left.left_at) => *held,
            Some(_) | None => left,
        };
        self.remember(user_id.clone(), left);
    }
}
