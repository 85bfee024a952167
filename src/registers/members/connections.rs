//! The connections of members: which user has an entry, and how it follows the membership.
//!
//! A member without a named connection has a single unnamed one, and no entry. The last heartbeat of the
//! membership is that of the connection. The first named connection makes the entry.
//!
//! This file carries laws 18.4 and 18.5.

#[cfg(feature = "serde")]
use std::collections::BTreeMap;

use crate::model::id::ConnectionId;
#[cfg(feature = "serde")]
use crate::model::id::UserId;
use crate::model::time::Timestamp;
use crate::registers::connections::{ConnectionState, Connections, End, Judge};
use crate::registers::members::{MemberRef, Members};

impl Members {
    /// Returns what has become of a connection of a member.
    pub(crate) fn connection_state(
        &self,
        place: usize,
        connection: Option<&str>,
        by: Judge<'_>,
    ) -> ConnectionState {
        let Some(member) = self.at(place) else { return ConnectionState::Unknown };
        match self.connections_of(member.user_id.as_str()) {
            Some(connections) => {
                connections.connection_state(connection, member.membership().joined_at, by)
            }
            None if connection.is_some() => ConnectionState::Unknown,
            None if member.is_timed_out(by.timeout_ms, by.now) => {
                ConnectionState::Ended(End::TimedOut)
            }
            None => ConnectionState::Holds,
        }
    }

    /// Returns how many connections of a member hold.
    pub(crate) fn holding(&self, place: usize, by: Judge<'_>) -> usize {
        let Some(member) = self.at(place) else { return 0 };
        let connections = self.connections_of(member.user_id.as_str());
        connections.map_or(1, |held| held.holding(member.membership().joined_at, by))
    }

    /// Joins another connection of a member. The unnamed one that the member had before gets an entry, too.
    pub(crate) fn join_connection(
        &mut self,
        place: usize,
        connection_id: Option<&ConnectionId>,
        by: Judge<'_>,
    ) {
        let Some(MemberRef { user_id, heartbeat_at, member }) = self.at(place) else { return };
        let (user_id, joined_at) = (user_id.clone(), member.membership.joined_at);
        let unnamed = || Connections::unnamed(joined_at, heartbeat_at);
        let connections = self.connections.entry(user_id).or_insert_with(unnamed);
        connections.forget(joined_at, by);
        connections.join(connection_id.cloned(), joined_at, by.now);
        self.last_seen.record(place, by.now);
    }

    /// Ends one of several connections of a member, because it left.
    pub(crate) fn leave_connection(&mut self, place: usize, connection: &str, now: Timestamp) {
        let Some((user_id, _)) = self.last_seen.at(place) else { return };
        if let Some(connections) = self.connections.get_mut(user_id.as_str()) {
            connections.end(Some(connection), End::Left, now);
        }
        self.follow_connections(place);
    }

    /// Takes the last heartbeat of a member from the connections. If all of them ended, which only a merge
    /// can bring about, the membership is overdue: the next expiry ends it (law 18.6).
    pub(super) fn follow_connections(&mut self, place: usize) {
        let Some(member) = self.at(place) else { return };
        let joined_at = member.membership().joined_at;
        if let Some(connections) = self.connections_of(member.user_id.as_str()) {
            let heartbeat_at = connections.heartbeat_at(joined_at).unwrap_or_default();
            self.last_seen.record(place, heartbeat_at);
        }
    }

    /// Returns the connections of a user, if the user named one.
    pub(super) fn connections_of(&self, user_id: &str) -> Option<&Connections> {
        if self.connections.is_empty() {
            return None; // as nearly always
        }
        self.connections.get(user_id)
    }

    /// Returns the last heartbeat of each connection of a member.
    pub(crate) fn heartbeats(
        &self,
        place: usize,
    ) -> impl Iterator<Item = (Option<&ConnectionId>, Timestamp)> {
        let member = self.at(place);
        let joined_at = member.map(|member| member.membership().joined_at).unwrap_or_default();
        let connections = member.and_then(|member| self.connections_of(member.user_id.as_str()));
        let alone = member.filter(|_| connections.is_none());
        let named = connections.into_iter().flat_map(move |held| held.heartbeats(joined_at));
        alone.map(|member| (None, member.heartbeat_at)).into_iter().chain(named)
    }

    /// Returns the connections of all users who have an entry. For the stored form.
    #[cfg(feature = "serde")]
    pub(crate) fn all_connections(&self) -> &BTreeMap<UserId, Connections> {
        &self.connections
    }

    /// Sets the connections of a user, as a stored form has them.
    #[cfg(feature = "serde")]
    pub(crate) fn restore_connections(&mut self, user_id: UserId, connections: Connections) {
        self.connections.insert(user_id, connections);
    }
}
