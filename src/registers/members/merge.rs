//! The memberships of two replicas, joined: of each user what is latest, whatever came first.

use std::collections::BTreeMap;

use crate::collections::hashed::Hashed;
use crate::model::id::UserId;
use crate::model::time::Timestamp;
use crate::registers::connections::Connections;
use crate::registers::members::{Left, MemberRef, Members};

impl Members {
    /// Joins the memberships of another replica. What joined no later than the last end of the room
    /// ended with it. Returns whose membership is another now.
    pub(crate) fn merge(
        &mut self,
        other: &Self,
        ended_at: Option<Timestamp>,
        ended_before: Option<Timestamp>,
    ) -> Vec<UserId> {
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

    /// Takes over what the connections of two replicas come to. `None` if only one knows anybody.
    fn put_connections(&mut self, merged: Option<BTreeMap<UserId, Connections>>) {
        let Some(merged) = merged else { return };
        self.connections.clear();
        for (user_id, mut connections) in merged {
            let Some(place) = self.place_of(&user_id) else { continue };
            connections.keep_of(self.held[place].membership.joined_at);
            if let Some(heartbeat_at) = connections.only_unnamed() {
                self.last_seen.record(place, heartbeat_at);
            } else {
                self.connections.insert(user_id, connections);
                self.follow_connections(place);
            }
        }
    }

    /// Joins the connections of everybody who named one, here or there, as both stand before the merge.
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

    fn merge_member(&mut self, member: MemberRef<'_>) -> bool {
        let MemberRef { user_id, mut heartbeat_at, .. } = member;
        let joined_at = member.membership().joined_at;
        if let Some(left) = self.end_of(user_id.as_str()) {
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
                // A heartbeat keeps up the membership that it was sent for, and no later one: maybe a
                // third replica alone knows that the earlier one ended.
                heartbeat_at = heartbeat_at.max(held.heartbeat_at);
                if (held.updated_at(), held.membership()) >= (updated_at, &membership) {
                    (membership, updated_at) = (held.membership().clone(), held.updated_at());
                }
            }
        }
        let is_other = before.as_ref() != Some(&membership);
        self.insert(Hashed::new(user_id), membership, heartbeat_at, updated_at);
        is_other
    }

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
