//! The merge of the memberships of two replicas: of each user the latest counts, in whatever order it came.
//!
//! `join.rs` calls it at the end of a merge, when the ends of the room are known.
//!
//! This file carries laws 7.3, 7.4, 18.2, 18.3 and 18.6.

use std::collections::BTreeMap;

use crate::collections::hashed::Hashed;
use crate::model::id::UserId;
use crate::model::time::Timestamp;
use crate::registers::connections::Connections;
use crate::registers::members::{Left, MemberRef, Members};

impl Members {
    /// Joins the memberships of another replica. What joined no later than the last end of the room ended
    /// with it. Returns the users whose membership changed.
    pub(crate) fn merge(
        &mut self,
        other: &Self,
        ended_at: Option<Timestamp>,
        ended_before: Option<Timestamp>,
    ) -> Vec<UserId> {
        // Connections are merged as both stand before the merge of memberships, and kept as that decides.
        // If one replica knows nobody, the connections of the other stay as they are, even those of
        // memberships that ended: they still tell how.
        let connections =
            (!self.is_forgotten() && !other.is_forgotten()).then(|| self.merged_connections(other));
        if self.is_forgotten() {
            self.connections.clone_from(&other.connections);
        }
        let mut members: Vec<_> = other.iter().collect();
        members.sort_unstable_by_key(|member| member.user_id);
        let mut updated = Vec::new();
        for member in members {
            if self.merge_member(member) {
                updated.push(member.user_id.clone());
            }
        }
        for (user_id, left) in other.ends() {
            self.merge_end(user_id, left);
        }
        if let Some(ended_at) = ended_at {
            self.end_before(ended_at, ended_before);
        }
        self.put_connections(connections);
        self.reorder();
        updated
    }

    /// Keeps of the merged connections those of the memberships that hold. `None` if only one replica knew
    /// anybody.
    fn put_connections(&mut self, merged: Option<BTreeMap<UserId, Connections>>) {
        let Some(merged) = merged else { return };
        self.connections.clear();
        for (user_id, mut connections) in merged {
            let Some(place) = self.place_of(&user_id) else { continue };
            connections.keep_of(self.held[place].membership.joined_at);
            // One that needs no entry gets none, as if no other connection had been named.
            if let Some(heartbeat_at) = connections.only_unnamed() {
                self.last_seen.record(place, heartbeat_at);
            } else {
                self.connections.insert(user_id, connections);
                self.follow_connections(place);
            }
        }
    }

    /// Merges the connections of every user who has an entry in either replica. A replica without one has
    /// the unnamed connection of its membership.
    fn merged_connections(&self, other: &Self) -> BTreeMap<UserId, Connections> {
        let of = |members: &Self, user_id: &UserId| {
            members.connections.get(user_id).cloned().or_else(|| {
                let member = members.get(user_id)?;
                let joined_at = member.membership().joined_at;
                Some(Connections::unnamed(joined_at, member.heartbeat_at))
            })
        };
        let users = self.connections.keys().chain(other.connections.keys());
        let merged = users.map(|user_id| {
            let mut connections = of(self, user_id).unwrap_or_default();
            connections.merge(&of(other, user_id).unwrap_or_default());
            (user_id.clone(), connections)
        });
        merged.collect()
    }

    /// Joins a membership of another replica, unless an end or a later membership outranks it (law 7.4).
    /// Returns whether what readers see of it changed.
    fn merge_member(&mut self, member: MemberRef<'_>) -> bool {
        let MemberRef { user_id, mut heartbeat_at, .. } = member;
        let joined_at = member.membership().joined_at;
        if let Some(left) = self.end_of(user_id.as_str()) {
            // An end wins against a membership that joined at the same time.
            if left.joined_at >= joined_at {
                return false;
            }
            self.left.remove(user_id.as_str());
        }
        let (mut membership, mut updated_at) = (member.membership().clone(), member.updated_at());
        let held = self.get(user_id.as_str());
        let before = held.map(|held| held.membership().clone());
        if let Some(held) = held {
            if held.membership().joined_at > joined_at {
                return false;
            }
            if held.membership().joined_at == joined_at {
                // A heartbeat keeps alive the membership for which it was sent, and no later one. A third
                // replica may be the only one that knows the end of the earlier one.
                heartbeat_at = heartbeat_at.max(held.heartbeat_at);
                if (held.updated_at(), held.membership()) >= (updated_at, &membership) {
                    (membership, updated_at) = (held.membership().clone(), held.updated_at());
                }
            }
        }
        let is_changed = before.as_ref() != Some(&membership);
        self.insert(Hashed::new(user_id), membership, heartbeat_at, updated_at);
        is_changed
    }

    /// Joins an end of a membership. It wins against a membership that joined no later than it says.
    fn merge_end(&mut self, user_id: &UserId, left: &Left) {
        if let Some(place) = self.place_of(user_id) {
            if self.held[place].membership.joined_at > left.joined_at {
                return;
            }
            self.remove(place);
        }
        self.remember(user_id.clone(), left.clone());
    }
}
