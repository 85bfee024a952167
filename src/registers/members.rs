//! The memberships of a room: who joined by command, kept up by heartbeats. All times are local.
//!
//! Every membership has the same timeout. So memberships time out in the order of their last
//! heartbeats: [`LastSeen`] tells who is next, and a heartbeat costs it nothing but its own time.

mod connections;
mod merge;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};

use crate::collections::hashed::{Hashed, Key};
use crate::collections::id_table::grow_slowly;
use crate::model::command::UserConnection;
use crate::model::id::{ConnectionId, UserId};
use crate::model::text::Attributes;
use crate::model::time::Timestamp;
use crate::model::visible::Membership;
use crate::registers::connections::{Connections, End, is_timed_out};
use crate::registers::last_seen::LastSeen;

/// The memberships of one room, and for the retention those that ended.
///
/// What a heartbeat looks at stands together, and everything else apart from it.
#[derive(Debug, Clone, Default)]
#[repr(C)]
pub(crate) struct Members {
    /// Who they are, and when each was last seen.
    last_seen: LastSeen<UserId>,
    /// The connections of those who named one, also of those who are gone and remembered.
    connections: BTreeMap<UserId, Connections>,
    /// The memberships, by the same places.
    held: Vec<Member>,
    left: BTreeMap<UserId, Left>,
    /// Who left, the oldest first. An entry that a new membership outlived is passed over.
    left_order: VecDeque<(Timestamp, UserId)>,
}

/// A membership that holds, without its last heartbeat.
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

/// A membership that ended. It is kept for the retention: a replica that has not seen the end must not
/// bring the membership back, and a late heartbeat learns how it ended. The order is the rule: of two,
/// the greater counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::struct_field_names, reason = "it is when the user left, and not anybody else")]
pub(crate) struct Left {
    /// The end outranks every membership that joined no later. Of a membership, it is when that joined.
    pub(crate) joined_at: Timestamp,
    pub(crate) left_at: Timestamp,
    pub(crate) how: End,
}

impl Members {
    /// Returns the place of a member, which holds until one goes.
    #[inline]
    pub(crate) fn place_of(&self, user_id: &(impl Key + ?Sized)) -> Option<usize> {
        self.last_seen.place_of(user_id)
    }

    /// As [`place_of`](Self::place_of), for somebody who likely stands beside the member found before.
    pub(crate) fn place_beside(&self, user_id: &UserId, found: &mut usize) -> Option<usize> {
        self.last_seen.place_beside(user_id, found)
    }

    /// As [`IdTable::place_hint`](crate::collections::id_table::IdTable::place_hint).
    pub(crate) fn place_hint(&self, user_id: &(impl Key + ?Sized)) -> Option<usize> {
        self.last_seen.place_hint(user_id)
    }

    /// Returns who has a place.
    #[inline]
    pub(crate) fn at(&self, place: usize) -> Option<MemberRef<'_>> {
        let (user_id, heartbeat_at) = self.last_seen.at(place)?;
        Some(MemberRef { user_id, heartbeat_at, member: self.held.get(place)? })
    }

    /// Returns what a heartbeat of a place looks at.
    pub(crate) fn peek(&self, place: usize) -> Option<(u8, Timestamp)> {
        let (user_id, at) = self.last_seen.at(place)?;
        Some((*user_id.as_str().as_bytes().first()?, at))
    }

    /// Returns when the last heartbeat of a place came.
    pub(crate) fn heartbeat_at(&self, place: usize) -> Option<Timestamp> {
        self.last_seen.at(place).map(|(_, at)| at)
    }

    pub(crate) fn get(&self, user_id: &(impl Key + ?Sized)) -> Option<MemberRef<'_>> {
        self.at(self.place_of(user_id)?)
    }

    /// A user joins who is no member. Somebody who comes back within the millisecond counts as joined one later, so that
    /// the new membership outranks the end of the old one.
    pub(crate) fn join(
        &mut self,
        user_id: Hashed<'_, UserId>,
        connection_id: Option<&ConnectionId>,
        mut membership: Membership,
        now: Timestamp,
    ) -> usize {
        if let Some(left) = self.left.remove(user_id.id) {
            membership.joined_at = membership.joined_at.max(left.joined_at.plus(1));
            self.drop_outlived();
            if connection_id.is_some() && !self.connections.contains_key(user_id.id) {
                let mut before = Connections::unnamed(left.joined_at, left.left_at);
                before.end(None, left.how, left.left_at);
                self.connections.insert(user_id.id.clone(), before);
            }
        }
        if connection_id.is_some() || self.connections.contains_key(user_id.id) {
            let connections = self.connections.entry(user_id.id.clone()).or_default();
            connections.end_all(&End::Left, now); // of whose end this replica heard elsewhere
            connections.join(connection_id.cloned(), membership.joined_at, now);
        }
        self.push(user_id, membership, now, now)
    }

    /// Puts a membership in place of what is held. Returns its place.
    pub(crate) fn insert(
        &mut self,
        user_id: Hashed<'_, UserId>,
        membership: Membership,
        heartbeat_at: Timestamp,
        updated_at: Timestamp,
    ) -> usize {
        if let Some(place) = self.place_of(&user_id) {
            self.held[place] = Member { membership, updated_at };
            self.last_seen.record(place, heartbeat_at);
            return place;
        }
        self.push(user_id, membership, heartbeat_at, updated_at)
    }

    /// Puts in a membership of somebody who has none. Returns its place.
    #[inline]
    fn push(
        &mut self,
        user_id: Hashed<'_, UserId>,
        membership: Membership,
        heartbeat_at: Timestamp,
        updated_at: Timestamp,
    ) -> usize {
        self.last_seen.insert_new(user_id, heartbeat_at);
        grow_slowly(&mut self.held);
        self.held.push(Member { membership, updated_at });
        self.held.len() - 1
    }

    /// Replaces what a membership shows.
    pub(crate) fn update(&mut self, place: usize, membership: Membership, now: Timestamp) {
        if let Some(held) = self.held.get_mut(place) {
            *held = Member { membership, updated_at: now };
        }
    }

    /// Ends a membership and remembers that. The last member has its place from then on.
    #[inline]
    pub(crate) fn leave(&mut self, place: usize, how: End, now: Timestamp) {
        let Some((user_id, member)) = self.remove(place) else { return };
        if let Some(connections) = self.connections.get_mut(&user_id) {
            connections.end_all(&how, now);
        }
        let left = Left { joined_at: member.membership.joined_at, left_at: now, how };
        self.remember(user_id, left);
    }

    /// Ends every membership, because the room left the list.
    pub(crate) fn leave_all(&mut self, now: Timestamp) {
        for place in (0..self.held.len()).rev() {
            self.leave(place, End::Left, now);
        }
    }

    fn remove(&mut self, place: usize) -> Option<(UserId, Member)> {
        let user_id = self.last_seen.swap_remove_at(place)?;
        Some((user_id, self.held.swap_remove(place)))
    }

    /// Remembers an end, unless a greater one is remembered.
    #[inline]
    pub(crate) fn remember(&mut self, user_id: UserId, left: Left) {
        let left_at = left.left_at;
        let is_replaced = match self.left.entry(user_id.clone()) {
            Entry::Occupied(held) if *held.get() >= left => return,
            Entry::Occupied(mut held) => {
                held.insert(left);
                true
            }
            Entry::Vacant(place) => {
                place.insert(left);
                false
            }
        };
        self.left_order.push_back((left_at, user_id));
        if is_replaced {
            self.drop_outlived();
        }
    }

    /// Records a heartbeat of a connection that holds.
    #[inline]
    pub(crate) fn beat(&mut self, place: usize, connection: Option<&str>, now: Timestamp) {
        self.last_seen.record(place, now);
        if !self.connections.is_empty()
            && let Some((user_id, _)) = self.last_seen.at(place)
            && let Some(connections) = self.connections.get_mut(user_id.as_str())
        {
            connections.beat(connection, now);
        }
    }

    /// Takes over heartbeats that were kept elsewhere, if they are later and not in the future.
    pub(crate) fn take_heartbeats(
        &mut self,
        heartbeats: &[(UserConnection<'_>, Timestamp)],
        now: Timestamp,
    ) {
        for (UserConnection { user_id, connection_id }, at) in heartbeats {
            let at = (*at).min(now);
            let Some(place) = self.place_of(*user_id) else { continue };
            if let Some(connections) = self.connections.get_mut(*user_id) {
                connections.beat(*connection_id, at);
                self.follow_connections(place);
            } else if connection_id.is_none()
                && self.heartbeat_at(place).is_some_and(|held| held < at)
            {
                self.last_seen.record(place, at);
            }
        }
        self.reorder();
    }

    /// Counts all members as seen now, and of their connections those that held when they were last seen.
    pub(crate) fn beat_all(&mut self, timeout_ms: u64, now: Timestamp) {
        self.last_seen.map(|_| now);
        for (user_id, connections) in &mut self.connections {
            if let Some(place) = self.last_seen.place_of(user_id) {
                let joined_at = self.held[place].membership.joined_at;
                connections.beat_all(joined_at, timeout_ms, now);
            }
        }
    }

    /// Returns the place of the member that was not seen for longest, if that is longer than the
    /// timeout.
    pub(crate) fn overdue(&mut self, timeout_ms: u64, now: Timestamp) -> Option<usize> {
        self.last_seen.longest(now.minus(timeout_ms))
    }

    /// Returns a time before which nobody was last seen. It may be too early.
    #[inline]
    pub(crate) fn unseen_since(&self) -> Option<Timestamp> {
        self.last_seen.since()
    }

    /// Returns the same, exactly if they are few.
    pub(crate) fn unseen_since_exactly(&self) -> Option<Timestamp> {
        self.last_seen.since_exactly()
    }

    /// Returns whose end is the oldest, if it is from before `old`.
    pub(crate) fn forgettable(&self, old: Timestamp) -> Option<(&UserId, &Left)> {
        let (left_at, user_id) = self.left_order.front()?;
        Some((user_id, self.left.get(user_id)?)).filter(|_| *left_at < old)
    }

    /// Forgets the oldest end.
    pub(crate) fn forget_oldest(&mut self) {
        if let Some((_, user_id)) = self.left_order.pop_front() {
            self.left.remove(&user_id);
            if self.place_of(&user_id).is_none() {
                self.connections.remove(&user_id);
            }
        }
        self.drop_outlived();
    }

    /// Remembers the oldest end from now on again.
    pub(crate) fn renew_oldest(&mut self, now: Timestamp) {
        if let Some((_, user_id)) = self.left_order.pop_front()
            && let Some(left) = self.left.get_mut(&user_id)
        {
            left.left_at = now;
            self.left_order.push_back((now, user_id));
        }
        self.drop_outlived();
    }

    /// Returns the oldest end that is remembered.
    pub(crate) fn oldest_end(&self) -> Option<Timestamp> {
        self.left_order.front().map(|(left_at, _)| *left_at)
    }

    pub(crate) fn len(&self) -> usize {
        self.held.len()
    }

    /// Returns everybody, in an order that depends on who left.
    pub(crate) fn iter(&self) -> impl Iterator<Item = MemberRef<'_>> {
        (0..self.held.len()).filter_map(|place| self.at(place))
    }

    /// Returns the memberships, in the order in which they time out.
    #[cfg(feature = "serde")]
    pub(crate) fn by_last_seen(&self) -> impl Iterator<Item = MemberRef<'_>> {
        self.last_seen.in_order().into_iter().filter_map(|place| self.at(place))
    }

    /// Returns the end of the last membership of a user, if it is remembered.
    pub(crate) fn end_of(&self, user_id: &str) -> Option<&Left> {
        self.left.get(user_id)
    }

    /// Returns every end that is remembered, by id.
    pub(crate) fn ends(&self) -> impl Iterator<Item = (&UserId, &Left)> {
        self.left.iter()
    }

    /// Returns when the last member joined. Cost: the members.
    pub(crate) fn latest_join(&self) -> Option<Timestamp> {
        self.held.iter().map(|member| member.membership.joined_at).max()
    }

    /// Ends everything that an end of the room at this time outranks. Whoever was gone before has left
    /// with the others: with the room ends what was held against anybody. Of those who joined before the
    /// end before it, nothing is remembered.
    pub(crate) fn end_before(&mut self, ended_at: Timestamp, ended_before: Option<Timestamp>) {
        for place in (0..self.held.len()).rev() {
            if self.held[place].membership.joined_at <= ended_at {
                self.leave(place, End::Left, ended_at);
            }
        }
        self.left.retain(|_, left| Some(left.joined_at) > ended_before);
        for left in self.left.values_mut().filter(|left| left.joined_at <= ended_at) {
            (left.left_at, left.how) = (ended_at, End::Left);
        }
        self.drop_connections();
        self.reorder();
    }

    /// Drops the connections of those who are neither members nor remembered.
    fn drop_connections(&mut self) {
        let (last_seen, left) = (&self.last_seen, &self.left);
        self.connections.retain(|user_id, _| {
            last_seen.place_of(user_id).is_some() || left.contains_key(user_id)
        });
    }

    /// Pulls times that lie in the future back to now, and joins to `from`, which stays above an end of
    /// the room.
    pub(crate) fn pull_back(&mut self, now: Timestamp, from: Timestamp) {
        self.last_seen.map(|at| at.min(now));
        for member in &mut self.held {
            member.updated_at = member.updated_at.min(now);
            member.membership.joined_at = member.membership.joined_at.min(from);
        }
        for left in self.left.values_mut() {
            left.joined_at = left.joined_at.min(from);
            left.left_at = left.left_at.min(now);
        }
        for connections in self.connections.values_mut() {
            connections.pull_back(now, from);
        }
        for (left_at, _) in &mut self.left_order {
            *left_at = (*left_at).min(now);
        }
    }

    /// Orders the members anew by their last heartbeats, then by id: heartbeats came from outside.
    fn reorder(&mut self) {
        let mut order: Vec<_> = self.iter().enumerate().collect();
        order.sort_unstable_by_key(|(_, member)| (member.heartbeat_at, member.user_id));
        let places: Vec<_> = order.into_iter().map(|(place, _)| place).collect();
        self.last_seen.order(&places, |at| at);
        self.reorder_ends();
    }

    /// Orders the ends anew.
    pub(crate) fn reorder_ends(&mut self) {
        self.left_order =
            self.left.iter().map(|(user_id, left)| (left.left_at, user_id.clone())).collect();
        self.left_order.make_contiguous().sort_unstable();
    }

    pub(crate) fn is_forgotten(&self) -> bool {
        self.held.is_empty() && self.left.is_empty()
    }

    /// Drops entries that a new membership outlived, so that the first one is true.
    fn drop_outlived(&mut self) {
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

impl Membership {
    pub(crate) fn new(joined_at: Timestamp) -> Self {
        Self { joined_at, name: None, role: None, attributes: Attributes::default() }
    }
}
