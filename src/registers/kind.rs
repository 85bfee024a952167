//! Users and streams as one kind of thing: the types that differ between them.
//!
//! Both come into a session and leave it, and the same laws (section 3 of the guide's rules) hold for both.
//! So registers, joins and rules are generic over [`Kind`]. `tables.rs` adds in which tables each is kept.

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
    /// The same, as a register holds it. It may be shared.
    type Details: Eq + Clone + fmt::Debug + 'static;
    /// What an entry in a list of an observation tells.
    type Presence: Ord + Clone + fmt::Debug + 'static;

    /// Makes what a register holds of what an opening tells.
    fn hold(told: &Self::Told) -> Self::Details;
    /// Returns what the opening told.
    fn told(held: &Self::Details) -> &Self::Told;
    /// Returns when the user logged in, or the stream opened, if the observation told that. Event time.
    fn began_at(presence: &Self::Presence) -> Option<Timestamp>;
}

/// Users. A stay is a login, up to its logout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Users {}

/// Streams. A stay is one life of a stream, from its opening to its closing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Streams {}

/// What an opening tells of a stream. It is shared, because each operation copies what readers saw before.
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

/// Makes types that only borrow from a kind `Copy`. A derived impl would ask that what they borrow is
/// `Copy`, too.
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
