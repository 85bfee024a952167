//! The memberships of a room: who joined by command, and whose heartbeats keep that alive. All times are
//! local.
//!
//! Every membership has the same timeout. So memberships time out in the order of their last heartbeats.
//! [`LastSeen`] tells who is next, and a heartbeat costs no more than writing its own time.
//!
//! Commands and heartbeats write them (`room/join/members.rs`), and so do timeouts and ends of the room.
//! Rules, the projection and the stored form read them. Connections are in `members/connections.rs`, and
//! merges in `members/merge.rs`.
//!
//! This file carries laws 6.1, 6.2, 6.5, 7.4 and 18.1 to 18.6.

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
/// It lies in memory in this order: what a heartbeat looks at comes first. A *place* is an index in both
/// `last_seen` and `held`. It holds until a membership ends: the last one then takes its place.
#[derive(Debug, Clone, Default)]
#[repr(C)]
pub(crate) struct Members {
    /// The users who have a membership, and the last heartbeat of each.
    last_seen: LastSeen<UserId>,
    /// The connections of users who named one. Users whose end is remembered have an entry, too.
    connections: BTreeMap<UserId, Connections>,
    /// The memberships, by place.
    held: Vec<Member>,
    /// The memberships that ended, of users who have none now.
    left: BTreeMap<UserId, Left>,
    /// The same users by when they left, the oldest first. An entry is out of date if `left` says
    /// otherwise. The first one never is: see `drop_outdated`.
    left_order: VecDeque<(Timestamp, UserId)>,
}

/// A membership that holds, without its last heartbeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    /// What readers see of it, and when it joined.
    pub(crate) membership: Membership,
    /// When a command last changed what it shows.
    pub(crate) updated_at: Timestamp,
}

/// A membership that holds, with its user and its last heartbeat.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MemberRef<'a> {
    pub(crate) user_id: &'a UserId,
    /// The last heartbeat of any of its connections.
    pub(crate) heartbeat_at: Timestamp,
    member: &'a Member,
}

/// A membership that ended. It is remembered for the retention. A replica that has not seen the end must
/// not bring the membership back (law 7.4). A late heartbeat learns how it ended (law 18.1). The order of
/// the fields is the rule of a merge: of two, the greater counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::struct_field_names, reason = "it is when the user left, and not anybody else")]
pub(crate) struct Left {
    /// The end outranks every membership that joined no later than this. It is when the membership joined.
    /// If the user was removed or had no membership, it is when the user left (law 18.2).
    pub(crate) joined_at: Timestamp,
    /// When the user left.
    pub(crate) left_at: Timestamp,
    /// How the membership ended.
    pub(crate) how: End,
}

impl Members {
    /// Returns the place of a member.
    #[inline]
    pub(crate) fn place_of(&self, user_id: &(impl Key + ?Sized)) -> Option<usize> {
        self.last_seen.place_of(user_id)
    }

    /// Returns what [`place_of`](Self::place_of) does, faster if the user stands beside the one found
    /// before.
    pub(crate) fn place_beside(&self, user_id: &UserId, found: &mut usize) -> Option<usize> {
        self.last_seen.place_beside(user_id, found)
    }

    /// Returns what [`IdTable::place_hint`](crate::collections::id_table::IdTable::place_hint) does.
    pub(crate) fn place_hint(&self, user_id: &(impl Key + ?Sized)) -> Option<usize> {
        self.last_seen.place_hint(user_id)
    }

    /// Returns the member who has a place.
    #[inline]
    pub(crate) fn at(&self, place: usize) -> Option<MemberRef<'_>> {
        let (user_id, heartbeat_at) = self.last_seen.at(place)?;
        Some(MemberRef { user_id, heartbeat_at, member: self.held.get(place)? })
    }

    /// Returns the first byte of the id, and the last heartbeat, of whoever has a place. It only serves to
    /// bring both into the processor's cache before a heartbeat needs them.
    pub(crate) fn peek(&self, place: usize) -> Option<(u8, Timestamp)> {
        let (user_id, at) = self.last_seen.at(place)?;
        Some((*user_id.as_str().as_bytes().first()?, at))
    }

    /// Returns the last heartbeat of the member who has a place.
    pub(crate) fn heartbeat_at(&self, place: usize) -> Option<Timestamp> {
        self.last_seen.at(place).map(|(_, at)| at)
    }

    /// Returns the member with an id.
    pub(crate) fn get(&self, user_id: &(impl Key + ?Sized)) -> Option<MemberRef<'_>> {
        self.at(self.place_of(user_id)?)
    }

    /// Joins a user who is no member. Returns the place. A user who comes back within the millisecond
    /// counts as joined one later. So the new membership outranks the end of the old one.
    pub(crate) fn join(
        &mut self,
        user_id: Hashed<'_, UserId>,
        connection_id: Option<&ConnectionId>,
        mut membership: Membership,
        now: Timestamp,
    ) -> usize {
        if let Some(left) = self.left.remove(user_id.id) {
            membership.joined_at = membership.joined_at.max(left.joined_at.plus(1));
            self.drop_outdated();
            // The unnamed connection of the membership before gets an entry, so that its heartbeats still
            // learn how it ended (law 18.5).
            if connection_id.is_some() && !self.connections.contains_key(user_id.id) {
                let mut before = Connections::unnamed(left.joined_at, left.left_at);
                before.end(None, left.how, left.left_at);
                self.connections.insert(user_id.id.clone(), before);
            }
        }
        if connection_id.is_some() || self.connections.contains_key(user_id.id) {
            let connections = self.connections.entry(user_id.id.clone()).or_default();
            // Some may still be open here: those of a membership whose end came with a merge.
            connections.end_all(&End::Left, now);
            connections.join(connection_id.cloned(), membership.joined_at, now);
        }
        self.push(user_id, membership, now, now)
    }

    /// Sets the membership of a user, whether or not there is one. Returns its place.
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

    /// Adds the membership of a user who has none. Returns its place.
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

    /// Replaces what a membership shows, by a command of now.
    pub(crate) fn update(&mut self, place: usize, membership: Membership, now: Timestamp) {
        if let Some(held) = self.held.get_mut(place) {
            *held = Member { membership, updated_at: now };
        }
    }

    /// Ends a membership and remembers its end. The last member takes its place.
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

    /// Takes out the member who has a place. The last one takes the place.
    fn remove(&mut self, place: usize) -> Option<(UserId, Member)> {
        let user_id = self.last_seen.swap_remove_at(place)?;
        Some((user_id, self.held.swap_remove(place)))
    }

    /// Remembers an end, unless one is remembered that is at least as great.
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
            self.drop_outdated();
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

    /// Takes over heartbeats that a store kept, if they are later. One from the future counts as of now.
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

    /// Grants everybody a fresh timeout, as if a heartbeat came now. Of connections, only those get it that
    /// held when the user was last heard of (law 18.5).
    pub(crate) fn beat_all(&mut self, timeout_ms: u64, now: Timestamp) {
        self.last_seen.map(|_| now);
        for (user_id, connections) in &mut self.connections {
            if let Some(place) = self.last_seen.place_of(user_id) {
                let joined_at = self.held[place].membership.joined_at;
                connections.beat_all(joined_at, timeout_ms, now);
            }
        }
    }

    /// Returns the place of the member whose last heartbeat is the oldest, if that is overdue.
    pub(crate) fn overdue(&mut self, timeout_ms: u64, now: Timestamp) -> Option<usize> {
        self.last_seen.longest(now.minus(timeout_ms))
    }

    /// Returns a lower bound of the last heartbeats. It may be too early, and never too late.
    #[inline]
    pub(crate) fn unseen_since(&self) -> Option<Timestamp> {
        self.last_seen.since()
    }

    /// Returns the oldest last heartbeat if there are few members, else the lower bound.
    pub(crate) fn unseen_since_exactly(&self) -> Option<Timestamp> {
        self.last_seen.since_exactly()
    }

    /// Returns the oldest end that is remembered, and whose it is, if it is from before `old`.
    pub(crate) fn forgettable(&self, old: Timestamp) -> Option<(&UserId, &Left)> {
        let (left_at, user_id) = self.left_order.front()?;
        Some((user_id, self.left.get(user_id)?)).filter(|_| *left_at < old)
    }

    /// Forgets the oldest end, and the connections of its user, who is nowhere any more.
    pub(crate) fn forget_oldest(&mut self) {
        if let Some((_, user_id)) = self.left_order.pop_front() {
            self.left.remove(&user_id);
            if self.place_of(&user_id).is_none() {
                self.connections.remove(&user_id);
            }
        }
        self.drop_outdated();
    }

    /// Remembers the oldest end for another retention: a removal counts as long as the media server shows
    /// the user (law 18.2).
    pub(crate) fn renew_oldest(&mut self, now: Timestamp) {
        if let Some((_, user_id)) = self.left_order.pop_front()
            && let Some(left) = self.left.get_mut(&user_id)
        {
            left.left_at = now;
            self.left_order.push_back((now, user_id));
        }
        self.drop_outdated();
    }

    /// Returns when the oldest end that is remembered took place.
    pub(crate) fn oldest_end(&self) -> Option<Timestamp> {
        self.left_order.front().map(|(left_at, _)| *left_at)
    }

    /// Returns how many memberships hold.
    pub(crate) fn len(&self) -> usize {
        self.held.len()
    }

    /// Returns all memberships that hold, by place.
    pub(crate) fn iter(&self) -> impl Iterator<Item = MemberRef<'_>> {
        (0..self.held.len()).filter_map(|place| self.at(place))
    }

    /// Returns the memberships, in the order in which they time out.
    #[cfg(feature = "serde")]
    pub(crate) fn by_last_seen(&self) -> impl Iterator<Item = MemberRef<'_>> {
        self.last_seen.in_order().into_iter().filter_map(|place| self.at(place))
    }

    /// Returns how the last membership of a user ended, if the user has none and that is remembered.
    pub(crate) fn end_of(&self, user_id: &str) -> Option<&Left> {
        self.left.get(user_id)
    }

    /// Returns every end that is remembered, by user.
    pub(crate) fn ends(&self) -> impl Iterator<Item = (&UserId, &Left)> {
        self.left.iter()
    }

    /// Returns when the last member joined. Cost: the members.
    pub(crate) fn latest_join(&self) -> Option<Timestamp> {
        self.held.iter().map(|member| member.membership.joined_at).max()
    }

    /// Ends every membership that an end of the room outranks: those that joined no later. Those that had
    /// ended before count as left with the room, even those of removed users. Nothing is remembered of
    /// memberships that joined before the last end but one (law 18.3).
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

    /// Drops the connections of users who have no membership, and whose end is not remembered.
    fn drop_connections(&mut self) {
        let (last_seen, left) = (&self.last_seen, &self.left);
        self.connections.retain(|user_id, _| {
            last_seen.place_of(user_id).is_some() || left.contains_key(user_id)
        });
    }

    /// Pulls times that lie in the future back to now. Join times are pulled back to `latest_join`. It may
    /// be one millisecond later than now, because joins must stay after an end of the room (law 6.5).
    pub(crate) fn pull_back(&mut self, now: Timestamp, latest_join: Timestamp) {
        self.last_seen.map(|at| at.min(now));
        for member in &mut self.held {
            member.updated_at = member.updated_at.min(now);
            member.membership.joined_at = member.membership.joined_at.min(latest_join);
        }
        for left in self.left.values_mut() {
            left.joined_at = left.joined_at.min(latest_join);
            left.left_at = left.left_at.min(now);
        }
        for connections in self.connections.values_mut() {
            connections.pull_back(now, latest_join);
        }
        for (left_at, _) in &mut self.left_order {
            *left_at = (*left_at).min(now);
        }
    }

    /// Orders the members anew by their last heartbeats, then by id. Heartbeats came from elsewhere, so the
    /// order in which they were recorded says nothing.
    fn reorder(&mut self) {
        let mut order: Vec<_> = self.iter().enumerate().collect();
        order.sort_unstable_by_key(|(_, member)| (member.heartbeat_at, member.user_id));
        let places: Vec<_> = order.into_iter().map(|(place, _)| place).collect();
        self.last_seen.order(&places, |at| at);
        self.reorder_ends();
    }

    /// Orders the remembered ends anew by when they took place, then by id.
    pub(crate) fn reorder_ends(&mut self) {
        self.left_order =
            self.left.iter().map(|(user_id, left)| (left.left_at, user_id.clone())).collect();
        self.left_order.make_contiguous().sort_unstable();
    }

    /// Whether nothing is known of anybody.
    pub(crate) fn is_forgotten(&self) -> bool {
        self.held.is_empty() && self.left.is_empty()
    }

    /// Drops the first entries of the order as long as they are out of date. An end is out of date if the
    /// user has a membership again, or if another end of the user replaced it.
    fn drop_outdated(&mut self) {
        while let Some((left_at, user_id)) = self.left_order.front() {
            if self.left.get(user_id).is_some_and(|left| left.left_at == *left_at) {
                return;
            }
            self.left_order.pop_front();
        }
    }
}

impl<'a> MemberRef<'a> {
    /// Returns what the membership shows.
    pub(crate) fn membership(self) -> &'a Membership {
        &self.member.membership
    }

    /// Returns when a command last changed that.
    pub(crate) fn updated_at(self) -> Timestamp {
        self.member.updated_at
    }

    /// Whether the heartbeats stopped for longer than the timeout.
    pub(crate) fn is_timed_out(self, timeout_ms: u64, now: Timestamp) -> bool {
        is_timed_out(self.heartbeat_at, timeout_ms, now)
    }
}

impl Membership {
    /// Makes a membership that shows nothing yet.
    pub(crate) fn new(joined_at: Timestamp) -> Self {
        Self { joined_at, name: None, role: None, attributes: Attributes::default() }
    }
}
