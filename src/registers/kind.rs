//! Users and streams: the same kind of thing to the rules, and what differs between them.

use std::fmt;
use std::sync::Arc;

use crate::model::callback::{StreamDetails, UserDetails};
use crate::model::id::{StreamId, StreamSessionId, UserId, UserSessionId};
use crate::model::time::Timestamp;
use crate::model::visible::Presence;
use crate::registers::roster::StreamPresence;

/// Things that come into a session and go again: users, or streams.
pub(crate) trait Kind: Copy + Eq + fmt::Debug + 'static {
    type Id: AsRef<str> + Ord + Clone + fmt::Debug + 'static;
    /// The id of one stay.
    type StayId: Ord + Clone + fmt::Debug + 'static;
    /// What an opening tells.
    type Told: Ord + Clone + fmt::Debug + 'static;
    /// The same, as a register holds it.
    type Details: Eq + Clone + fmt::Debug + 'static;
    /// What an observation shows.
    type Presence: Ord + Clone + fmt::Debug + 'static;

    fn hold(told: &Self::Told) -> Self::Details;
    fn told(held: &Self::Details) -> &Self::Told;
    /// Returns when what an observation saw began, if it told that.
    fn began_at(presence: &Self::Presence) -> Option<Timestamp>;
}

/// Users. A stay is a login, up to its logout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Users {}

/// Streams. A stay is one life of a stream, from its opening to its closing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Streams {}

/// What a stream shows. It is shared, so that a copy of what readers saw costs nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SharedDetails(pub(crate) Arc<StreamDetails>);

impl Kind for Users {
    type Id = UserId;
    type StayId = UserSessionId;
    type Told = UserDetails;
    type Details = UserDetails;
    type Presence = Presence;

    fn hold(told: &UserDetails) -> UserDetails {
        told.clone()
    }

    fn told(held: &UserDetails) -> &UserDetails {
        held
    }

    fn began_at(presence: &Presence) -> Option<Timestamp> {
        presence.login_at
    }
}

impl Kind for Streams {
    type Id = StreamId;
    type StayId = StreamSessionId;
    type Told = StreamDetails;
    type Details = SharedDetails;
    type Presence = StreamPresence;

    fn hold(told: &StreamDetails) -> SharedDetails {
        SharedDetails(Arc::new(told.clone()))
    }

    fn told(held: &SharedDetails) -> &StreamDetails {
        &held.0
    }

    fn began_at(presence: &StreamPresence) -> Option<Timestamp> {
        presence.created_at
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for SharedDetails {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for SharedDetails {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        StreamDetails::deserialize(deserializer).map(|details| Self(Arc::new(details)))
    }
}

/// Copies types that borrow what a kind has. Deriving it would ask for more than it needs.
macro_rules! copy {
    ($($name:ident),+) => {$(
        #[expect(clippy::expl_impl_clone_on_copy, reason = "deriving it would ask for `K::Id: Clone`")]
        impl<K: Kind> Clone for $name<'_, K> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<K: Kind> Copy for $name<'_, K> {}
    )+};
}

pub(crate) use copy;
