//! The memberships of a room: who joined by command, kept up by heartbeats.
//!
//! As every membership has the same timeout, the order in which they end is the order of their last
//! heartbeats: [`Silence`] tells the next to end, and a heartbeat costs it nothing but its own time.

use std::collections::{BTreeMap, VecDeque};

use crate::collections::id_table::{Hashed, Key, grow_slowly};
use crate::collections::last_seen::Silence;
use crate::model::id::UserId;
use crate::model::text::Attributes;
use crate::model::time::Timestamp;
use crate::model::visible::Membership;

/// The memberships of one room, and for the retention those that ended. All times are ours.
///
/// What a heartbeat looks at stands together, and what it does not, elsewhere.
#[derive(Debug, Clone, Default)]
pub(crate) struct Members {
    /// Who they are, and when each was last heard of.
    silence: Silence<UserId>,
    /// The memberships, by their places in that.
    held: Vec<Member>,
    left: BTreeMap<UserId, Left>,
    /// Those who left, oldest first; an entry that a new membership outlived is passed over.
    left_order: VecDeque<(Timestamp, UserId)>,
}

/// A membership that holds, but for its last heartbeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) membership: Membership,
    pub(crate) updated_at: Timestamp,
}

/// A membership that holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MemberRef<'a> {
    pub(crate) user_id: &'a UserId,
    pub(crate) heartbeat_at: Timestamp,
    member: &'a Member,
}

/// A membership that ended: kept for the retention, so that a replica that has not seen the end
/// does not bring it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) joined_at: Timestamp,
    pub(crate) left_at: Timestamp,
}

impl Members {
    /// A user joins. A user who comes back within the millisecond counts as joined one later, so
    /// that the new membership outranks the old one's end.
    pub(crate) fn join(
        &mut self,
        user_id: Hashed<'_, UserId>,
        mut membership: Membership,
        now: Timestamp,
    ) {
        if let Some(left) = self.left.remove(user_id.id) {
            membership.joined_at = membership.joined_at.max(left.joined_at.plus(1));
            self.trim();
        }
        self.insert(user_id, membership, now, now);
    }

    /// Puts a membership in place of what is held.
    pub(crate) fn insert(
        &mut self,
        user_id: Hashed<'_, UserId>,
        membership: Membership,
        heartbeat_at: Timestamp,
        updated_at: Timestamp,
    ) {
        let member = Member { membership, updated_at };
        if let Some(place) = self.place_of(&user_id) {
            self.held[place] = member;
            self.silence.note(place, heartbeat_at);
            return;
        }
        self.silence.insert_new(user_id, heartbeat_at);
        grow_slowly(&mut self.held);
        self.held.push(member);
    }

    /// A membership ends. Tells whether there was one.
    pub(crate) fn leave(&mut self, user_id: &(impl Key + ?Sized), now: Timestamp) -> bool {
        let Some((user_id, member)) = self.remove(user_id) else { return false };
        let left = Left { joined_at: member.membership.joined_at, left_at: now };
        self.remember(user_id, left);
        true
    }

    fn remove(&mut self, user_id: &(impl Key + ?Sized)) -> Option<(UserId, Member)> {
        let (user_id, place) = self.silence.swap_remove(user_id)?;
        Some((user_id, self.held.swap_remove(place)))
    }

    /// Keeps an end in mind.
    pub(crate) fn remember(&mut self, user_id: UserId, left: Left) {
        self.left_order.push_back((left.left_at, user_id.clone()));
        self.left.insert(user_id, left);
    }

    /// The place of a member, until one goes.
    pub(crate) fn place_of(&self, user_id: &(impl Key + ?Sized)) -> Option<usize> {
        if self.held.is_empty() {
            return None; // before the id is hashed
        }
        self.silence.place_of(&user_id.hashed())
    }

    /// A heartbeat.
    pub(crate) fn beat(&mut self, user_id: &(impl Key + ?Sized), now: Timestamp) {
        if let Some(place) = self.place_of(user_id) {
            self.silence.note(place, now);
        }
    }

    /// A heartbeat of a member whose membership has not timed out, who likely stands where a batch found
    /// the place.
    pub(crate) fn keep_alive(
        &mut self,
        user_id: &(impl Key + ?Sized),
        now: Timestamp,
        timeout_ms: u64,
    ) -> bool {
        let Some(place) = self.silence.place_of(user_id) else { return false };
        let heard = self.silence.at(place);
        let is_alive = heard.is_some_and(|(_, at)| !is_timed_out(at, timeout_ms, now));
        if is_alive {
            self.silence.note(place, now);
        }
        is_alive
    }

    /// A heartbeat that was kept elsewhere, where it is the later one. Who was silent for longest is to
    /// be counted anew after it.
    pub(crate) fn take_heartbeat(&mut self, user_id: &str, at: Timestamp) {
        if let Some(place) = self.place_of(user_id)
            && self.silence.at(place).is_some_and(|(_, heard_at)| heard_at < at)
        {
            self.silence.note(place, at);
        }
    }

    /// All memberships count as alive now.
    pub(crate) fn beat_all(&mut self, now: Timestamp) {
        self.silence.map(|_| now);
    }

    pub(crate) fn get(&self, user_id: &(impl Key + ?Sized)) -> Option<MemberRef<'_>> {
        self.at(self.place_of(user_id)?)
    }

    /// As [`get`](Self::get) of one who likely stands beside the one that was found before.
    pub(crate) fn get_beside(&self, user_id: &UserId, found: &mut usize) -> Option<MemberRef<'_>> {
        self.at(self.silence.place_beside(user_id, found)?)
    }

    /// A membership, to change what it shows.
    pub(crate) fn get_mut(&mut self, user_id: &(impl Key + ?Sized)) -> Option<&mut Member> {
        let place = self.place_of(user_id)?;
        self.held.get_mut(place)
    }

    /// As [`Places::likely`](crate::collections::id_table::Places::likely).
    pub(crate) fn likely(&self, user_id: &(impl Key + ?Sized)) -> Option<usize> {
        self.silence.likely(user_id)
    }

    /// Has the memory brought here that every heartbeat looks at.
    pub(crate) fn fetch(&self) {
        self.silence.fetch();
    }

    /// Has the memory of a place brought here that a heartbeat looks at.
    pub(crate) fn fetch_at(&self, place: usize) {
        self.silence.fetch_at(place);
    }

    fn at(&self, place: usize) -> Option<MemberRef<'_>> {
        let (user_id, heartbeat_at) = self.silence.at(place)?;
        Some(MemberRef { user_id, heartbeat_at, member: self.held.get(place)? })
    }

    /// The one who has been silent for longest, if that is for longer than the timeout.
    pub(crate) fn overdue(&mut self, timeout_ms: u64, now: Timestamp) -> Option<&UserId> {
        let place = self.silence.longest(now.minus(timeout_ms))?;
        self.silence.at(place).map(|(user_id, _)| user_id)
    }

    /// Since when everybody is silent, or earlier.
    pub(crate) fn silent_since(&self) -> Option<Timestamp> {
        self.silence.since()
    }

    /// The same, exactly where they are few.
    pub(crate) fn silent_since_exactly(&self) -> Option<Timestamp> {
        self.silence.since_exactly()
    }

    /// Forgets ends from before `old`, at most `budget`.
    pub(crate) fn forget(&mut self, old: Timestamp, budget: &mut usize) {
        while *budget > 0 && self.left_order.front().is_some_and(|(left_at, _)| *left_at < old) {
            if let Some((left_at, user_id)) = self.left_order.pop_front()
                && self.left.get(&user_id).is_some_and(|left| left.left_at == left_at)
            {
                self.left.remove(&user_id);
                *budget -= 1;
            }
        }
        self.trim();
    }

    /// The oldest end that is remembered.
    pub(crate) fn oldest_end(&self) -> Option<Timestamp> {
        self.left_order.front().map(|(left_at, _)| *left_at)
    }

    /// Everybody, in an order that depends on who left.
    pub(crate) fn iter(&self) -> impl Iterator<Item = MemberRef<'_>> {
        (0..self.held.len()).filter_map(|place| self.at(place))
    }

    /// Every membership that holds, by id.
    pub(crate) fn by_id(&self) -> Vec<MemberRef<'_>> {
        let mut members: Vec<_> = self.iter().collect();
        members.sort_unstable_by_key(|member| member.user_id);
        members
    }

    /// The memberships that hold, the longest silent first: the order in which they time out.
    #[cfg(feature = "serde")]
    pub(crate) fn by_silence(&self) -> impl Iterator<Item = MemberRef<'_>> {
        self.silence.in_order().into_iter().filter_map(|place| self.at(place))
    }

    /// The end of a user's last membership, if it is remembered.
    pub(crate) fn end_of(&self, user_id: &str) -> Option<&Left> {
        self.left.get(user_id)
    }

    /// Forgets the end of a user's last membership: a later one outranks it.
    pub(crate) fn forget_end(&mut self, user_id: &str) {
        self.left.remove(user_id);
    }

    /// Every end that is remembered, by id.
    pub(crate) fn ends(&self) -> impl Iterator<Item = (&UserId, &Left)> {
        self.left.iter()
    }

    /// When the last of those who are members joined. Cost: all of them.
    pub(crate) fn latest_join(&self) -> Option<Timestamp> {
        self.held.iter().map(|member| member.membership.joined_at).max()
    }

    /// Lets go all that the room's end at this time outranks.
    pub(crate) fn end_before(&mut self, ended_at: Timestamp) {
        let members = self.iter().filter(|member| member.membership().joined_at <= ended_at);
        let outranked: Vec<_> = members.map(|member| member.user_id.clone()).collect();
        for user_id in outranked {
            self.remove(&user_id);
        }
        self.left.retain(|_, left| left.joined_at > ended_at);
        self.reorder();
    }

    /// Pulls times that lie in the future back to now, and joins to `from`, which stays above an
    /// end of the room. Tells whose membership changed, by id.
    pub(crate) fn pull_back(&mut self, now: Timestamp, from: Timestamp) -> Vec<UserId> {
        let mut changed = Vec::new();
        self.silence.map(|heard_at| heard_at.min(now));
        for (place, member) in self.held.iter_mut().enumerate() {
            member.updated_at = member.updated_at.min(now);
            if member.membership.joined_at > from {
                member.membership.joined_at = from;
                changed.extend(self.silence.at(place).map(|(user_id, _)| user_id.clone()));
            }
        }
        changed.sort_unstable();
        for left in self.left.values_mut() {
            left.joined_at = left.joined_at.min(from);
            left.left_at = left.left_at.min(now);
        }
        for (left_at, _) in &mut self.left_order {
            *left_at = (*left_at).min(now);
        }
        changed
    }

    /// Orders those who are silent anew, after heartbeats came from outside.
    pub(crate) fn reorder(&mut self) {
        let mut order: Vec<_> = self.iter().enumerate().collect();
        order.sort_unstable_by_key(|(_, member)| (member.heartbeat_at, member.user_id));
        let places: Vec<_> = order.into_iter().map(|(place, _)| place).collect();
        self.silence.order(&places, |heard_at| heard_at);
        self.reorder_ends();
    }

    /// Counts anew in which order the ends are forgotten.
    pub(crate) fn reorder_ends(&mut self) {
        self.left_order =
            self.left.iter().map(|(user_id, left)| (left.left_at, user_id.clone())).collect();
        self.left_order.make_contiguous().sort_unstable();
    }

    pub(crate) fn is_forgotten(&self) -> bool {
        self.held.is_empty() && self.left.is_empty()
    }

    /// Lets entries go that a new membership outlived, so that the first one is true.
    fn trim(&mut self) {
        while let Some((left_at, user_id)) = self.left_order.front() {
            if self.left.get(user_id).is_some_and(|left| left.left_at == *left_at) {
                return;
            }
            self.left_order.pop_front();
        }
    }
}

impl<'a> MemberRef<'a> {
    pub(crate) fn membership(self) -> &'a Membership {
        &self.member.membership
    }

    pub(crate) fn updated_at(self) -> Timestamp {
        self.member.updated_at
    }

    pub(crate) fn is_timed_out(self, timeout_ms: u64, now: Timestamp) -> bool {
        is_timed_out(self.heartbeat_at, timeout_ms, now)
    }
}

/// Whether the heartbeats stopped for more than the timeout. Exactly the timeout is in time.
pub(crate) fn is_timed_out(heartbeat_at: Timestamp, timeout_ms: u64, now: Timestamp) -> bool {
    now > heartbeat_at.plus(timeout_ms)
}

impl Membership {
    pub(crate) fn new(joined_at: Timestamp) -> Self {
        Self { joined_at, name: None, role: None, attributes: Attributes::default() }
    }
}
