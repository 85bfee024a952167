//! The memberships of a room: who joined by command, kept up by heartbeats.
//!
//! As every membership has the same timeout, the order in which they end is the order of their last
//! heartbeats: a list with the longest silent at its head gives the next to end in no time, and a
//! heartbeat moves its user to the tail.

use std::collections::{BTreeMap, VecDeque};
use std::hash::BuildHasher;

use indexmap::IndexMap;
use indexmap::map::raw_entry_v1::RawEntryApiV1;

use crate::id::UserId;
use crate::room::recency::Recency;
use crate::text::Attributes;
use crate::time::Timestamp;
use crate::visible::Membership;

/// The memberships of one room, and for the retention those that ended. All times are ours.
#[derive(Debug, Clone, Default)]
pub(crate) struct Members {
    held: IndexMap<UserId, Member>,
    /// The places of `held`.
    silent: Recency,
    left: BTreeMap<UserId, Left>,
    /// Those who left, oldest first; an entry that a new membership outlived is passed over.
    left_order: VecDeque<(Timestamp, UserId)>,
}

/// A membership that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) membership: Membership,
    pub(crate) heartbeat_at: Timestamp,
    pub(crate) updated_at: Timestamp,
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
    pub(crate) fn join(&mut self, user_id: &UserId, mut membership: Membership, now: Timestamp) {
        if let Some(left) = self.left.remove(user_id) {
            membership.joined_at = membership.joined_at.max(left.joined_at.plus(1));
            self.trim();
        }
        self.insert(user_id.clone(), membership, now, now);
    }

    /// Puts a membership in place of what is held.
    pub(crate) fn insert(
        &mut self,
        user_id: UserId,
        membership: Membership,
        heartbeat_at: Timestamp,
        updated_at: Timestamp,
    ) {
        let member = Member { membership, heartbeat_at, updated_at };
        match self.held.insert_full(user_id, member) {
            (place, Some(_)) => self.silent.touch(place),
            (_, None) => self.silent.push(),
        }
    }

    /// A membership ends. Tells whether there was one.
    pub(crate) fn leave(&mut self, user_id: &str, now: Timestamp) -> bool {
        let Some((place, user_id, member)) = self.held.swap_remove_full(user_id) else {
            return false;
        };
        self.silent.swap_remove(place);
        let left = Left { joined_at: member.membership.joined_at, left_at: now };
        self.remember(user_id, left);
        true
    }

    /// Keeps an end in mind.
    pub(crate) fn remember(&mut self, user_id: UserId, left: Left) {
        self.left_order.push_back((left.left_at, user_id.clone()));
        self.left.insert(user_id, left);
    }

    /// A heartbeat.
    pub(crate) fn beat(&mut self, user_id: &str, now: Timestamp) {
        if let Some((place, _, member)) = self.held.get_full_mut(user_id) {
            member.heartbeat_at = now;
            self.silent.touch(place);
        }
    }

    /// The hash of an id, for [`place_by_hash`](Self::place_by_hash).
    pub(crate) fn hash(&self, user_id: &str) -> u64 {
        self.held.hasher().hash_one(user_id)
    }

    /// As [`place_of`](Self::place_of), with the hash at hand: short enough for a processor to look for
    /// several at once.
    pub(crate) fn place_by_hash(&self, hash: u64, user_id: &str) -> Option<usize> {
        self.held.raw_entry_v1().index_from_hash(hash, |held| held.as_str() == user_id)
    }

    /// The place of a member, until one goes.
    pub(crate) fn place_of(&self, user_id: &str) -> Option<usize> {
        self.held.get_index_of(user_id)
    }

    /// A heartbeat of a user who was found in a place, where the membership has not timed out.
    pub(crate) fn keep_alive(
        &mut self,
        place: usize,
        user_id: &str,
        now: Timestamp,
        timeout_ms: u64,
    ) -> bool {
        let Some((held_id, member)) = self.held.get_index_mut(place) else { return false };
        if *held_id != *user_id || member.is_timed_out(timeout_ms, now) {
            return false;
        }
        member.heartbeat_at = now;
        self.silent.touch(place);
        true
    }

    /// All memberships count as alive now.
    pub(crate) fn beat_all(&mut self, now: Timestamp) {
        for member in self.held.values_mut() {
            member.heartbeat_at = now;
        }
    }

    pub(crate) fn get(&self, user_id: &str) -> Option<&Member> {
        self.held.get(user_id)
    }

    pub(crate) fn get_key_value(&self, user_id: &str) -> Option<(&UserId, &Member)> {
        self.held.get_key_value(user_id)
    }

    pub(crate) fn get_mut(&mut self, user_id: &str) -> Option<&mut Member> {
        self.held.get_mut(user_id)
    }

    /// The one who is silent longest.
    pub(crate) fn most_silent(&self) -> Option<(&UserId, &Member)> {
        self.held.get_index(self.silent.oldest()?)
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
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&UserId, &Member)> {
        self.held.iter()
    }

    /// Every membership that holds, by id.
    pub(crate) fn by_id(&self) -> Vec<(&UserId, &Member)> {
        let mut members: Vec<_> = self.held.iter().collect();
        members.sort_unstable_by_key(|(user_id, _)| *user_id);
        members
    }

    /// The memberships that hold, the longest silent first: the order in which they time out.
    #[cfg(feature = "serde")]
    pub(crate) fn by_silence(&self) -> impl Iterator<Item = (&UserId, &Member)> {
        self.silent.iter().filter_map(|place| self.held.get_index(place))
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
        self.held.values().map(|member| member.membership.joined_at).max()
    }

    /// Lets go all that the room's end at this time outranks.
    pub(crate) fn end_before(&mut self, ended_at: Timestamp) {
        self.held.retain(|_, member| member.membership.joined_at > ended_at);
        self.left.retain(|_, left| left.joined_at > ended_at);
        self.reorder();
    }

    /// Pulls times that lie in the future back to now, and joins to `from`, which stays above an
    /// end of the room. Tells whose membership changed, by id.
    pub(crate) fn pull_back(&mut self, now: Timestamp, from: Timestamp) -> Vec<UserId> {
        let ahead: Vec<UserId> = self
            .by_id()
            .into_iter()
            .filter(|(_, member)| {
                member.heartbeat_at.max(member.updated_at).max(member.membership.joined_at) > now
            })
            .map(|(user_id, _)| user_id.clone())
            .collect();
        let mut changed = Vec::new();
        for user_id in ahead {
            let member = self.held.get_mut(&user_id).expect("found just now");
            member.heartbeat_at = member.heartbeat_at.min(now);
            member.updated_at = member.updated_at.min(now);
            if member.membership.joined_at > from {
                member.membership.joined_at = from;
                changed.push(user_id);
            }
        }
        for left in self.left.values_mut() {
            left.joined_at = left.joined_at.min(from);
            left.left_at = left.left_at.min(now);
        }
        for (left_at, _) in &mut self.left_order {
            *left_at = (*left_at).min(now);
        }
        changed
    }

    /// Orders the list of the silent anew, after heartbeats came from outside.
    pub(crate) fn reorder(&mut self) {
        let mut order: Vec<(Timestamp, UserId)> = self
            .by_id()
            .into_iter()
            .map(|(user_id, member)| (member.heartbeat_at, user_id.clone()))
            .collect();
        order.sort_unstable();
        self.silent = Recency::default();
        self.held.keys().for_each(|_| self.silent.push());
        for place in order.iter().filter_map(|(_, user_id)| self.held.get_index_of(user_id)) {
            self.silent.touch(place);
        }
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

impl Member {
    /// Whether the heartbeats stopped for more than the timeout. Exactly the timeout is in time.
    pub(crate) fn is_timed_out(&self, timeout_ms: u64, now: Timestamp) -> bool {
        now > self.heartbeat_at.plus(timeout_ms)
    }
}

impl Membership {
    pub(crate) fn new(joined_at: Timestamp) -> Self {
        Self { joined_at, name: None, role: None, attributes: Attributes::default() }
    }
}
