//! What readers saw of those whom an operation concerns, before it changed anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::callback::StreamDetails;
use crate::model::id::{StreamId, UserId};
use crate::model::time::Timestamp;
use crate::model::visible::{Login, Presence, RoomInfo};
use crate::registers::roster::StreamPresence;
use crate::registers::stream::HeldStream;
use crate::rules::summary::Parts;
use crate::rules::visibility::{StreamSource, UserSource};

/// What readers saw of a room, as far as the operation concerns it.
#[derive(Debug)]
pub(crate) struct Before {
    pub(crate) was_listed: bool,
    pub(crate) looked: Looked,
    /// What the concerned user or stream added to the summary of each session.
    pub(crate) parts: Parts,
    /// When something of the concerned user or stream was to be forgotten.
    pub(crate) due: Option<Timestamp>,
}

#[derive(Debug)]
pub(crate) enum Looked {
    Nobody,
    User(UserBefore),
    Stream(StreamBefore),
    Everybody(Box<EverybodyBefore>),
}

/// What readers saw of a whole room.
#[derive(Debug, Default)]
pub(crate) struct EverybodyBefore {
    pub(crate) info: Option<RoomInfo>,
    pub(crate) users: BTreeMap<UserId, UserBefore>,
    pub(crate) streams: BTreeMap<StreamId, StreamBefore>,
}

/// What readers saw of a user.
#[derive(Debug, Clone, Default)]
pub(crate) struct UserBefore {
    /// Where the user stood in the list; `None` if the user was not in it.
    pub(crate) since: Option<Timestamp>,
    pub(crate) is_member: bool,
    pub(super) source: Option<OwnedUserSource>,
}

#[derive(Debug, Clone)]
pub(super) enum OwnedUserSource {
    Login(Login),
    Presence(Presence),
}

/// What readers saw of a stream.
#[derive(Debug, Clone, Default)]
pub(crate) struct StreamBefore {
    pub(super) source: Option<OwnedStreamSource>,
}

#[derive(Debug, Clone)]
pub(super) enum OwnedStreamSource {
    Fact { held: HeldStream },
    Presence(StreamPresence),
}

impl Before {
    /// Nobody was looked at.
    #[inline]
    pub(crate) fn nobody(was_listed: bool) -> Self {
        Self { was_listed, looked: Looked::Nobody, parts: Parts::new(), due: None }
    }
}

impl UserBefore {
    /// A member of whom nothing else was seen.
    pub(crate) fn member(joined_at: Timestamp) -> Self {
        Self { since: Some(joined_at), is_member: true, source: None }
    }

    /// The same user, if what the media server says is hidden.
    pub(crate) fn without_source(&self) -> Self {
        Self { since: self.since, is_member: self.is_member, source: None }
    }

    pub(crate) fn login_at(&self) -> Option<Timestamp> {
        match self.source.as_ref()? {
            OwnedUserSource::Login(login) => Some(login.login_at),
            OwnedUserSource::Presence(presence) => presence.login_at,
        }
    }

    /// Whether the media server says the same of the user.
    pub(crate) fn is_source(&self, now: Option<UserSource<'_>>) -> bool {
        match (&self.source, now) {
            (None, None) => true,
            (Some(OwnedUserSource::Login(was)), Some(UserSource::Login(is))) => was == is,
            (Some(OwnedUserSource::Presence(was)), Some(UserSource::Presence(is))) => was == is,
            _ => false,
        }
    }
}

impl StreamBefore {
    pub(crate) fn created_at(&self) -> Option<Timestamp> {
        match self.source.as_ref()? {
            OwnedStreamSource::Fact { held } => Some(held.at),
            OwnedStreamSource::Presence(presence) => presence.created_at,
        }
    }

    /// Returns where the stream stood in the list; `None` if it was not in it.
    pub(crate) fn place(&self) -> Option<Timestamp> {
        self.source.as_ref().map(|_| self.created_at().unwrap_or_default())
    }

    /// Whether the media server says the same of the stream.
    pub(crate) fn is_source(&self, now: Option<StreamSource<'_>>) -> bool {
        let same = |a: &Option<Arc<StreamDetails>>, b: &Option<Arc<StreamDetails>>| match (a, b) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b) || a == b,
            (a, b) => a.is_none() && b.is_none(),
        };
        match (&self.source, now) {
            (None, None) => true,
            (Some(OwnedStreamSource::Fact { held: was }), Some(StreamSource::Fact(is))) => {
                (was.counter, was.at, &was.stream_session_id)
                    == (is.counter, is.at, &is.stream_session_id)
                    && same(&was.details, &is.details)
            }
            (Some(OwnedStreamSource::Presence(was)), Some(StreamSource::Presence(is))) => was == is,
            _ => false,
        }
    }
}
