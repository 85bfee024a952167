//! What readers saw of those whom an input concerns, before it changed anything. `look.rs` makes it in
//! step 3. The projection compares it with what readers see now, in step 6.
//!
//! Everything in it is owned, because the registers change under it.

use std::collections::BTreeMap;

use crate::model::id::{StreamId, UserId};
use crate::model::text::{Attributes, Role};
use crate::model::time::Timestamp;
use crate::model::visible::{RoomInfo, UserNote};
use crate::registers::kind::{Kind, Streams, Users};
use crate::registers::places::Target;
use crate::registers::stays::held::HeldFact;
use crate::rules::summary::Parts;
use crate::rules::visibility::Source;

/// What readers saw of a room, as far as the input concerns it.
#[derive(Debug)]
pub(crate) struct Before {
    /// Whether the room was listed.
    pub(crate) was_listed: bool,
    /// Who was looked at, and what readers saw of them.
    pub(crate) looked: Looked,
    /// What the concerned user or stream added to the summary of each session, by the session's index.
    pub(crate) parts: Parts,
    /// When something of the concerned user or stream was to be forgotten, in local time. It is the key of
    /// that user or stream in the schedule.
    pub(crate) due: Option<Timestamp>,
}

/// Who was looked at.
#[derive(Debug)]
pub(crate) enum Looked {
    /// The input is about no user or stream in particular, or changes nothing that readers see.
    Nobody,
    /// The user whom the input is about.
    User(UserBefore),
    /// The stream that the input is about.
    Stream(StreamBefore),
    /// All users and streams that readers saw.
    Everybody(Box<EverybodyBefore>),
}

/// What readers saw of a whole room.
#[derive(Debug, Default)]
pub(crate) struct EverybodyBefore {
    /// The business info. A merge may replace it.
    pub(crate) info: Option<RoomInfo>,
    pub(crate) users: BTreeMap<UserId, UserBefore>,
    pub(crate) streams: BTreeMap<StreamId, StreamBefore>,
    /// The application's own attributes of these streams. A merge may bring others.
    pub(crate) attributes: BTreeMap<StreamId, Attributes>,
}

/// What readers saw of a user.
#[derive(Debug, Clone, Default)]
pub(crate) struct UserBefore {
    /// Where the user stood in the list (laws 4.9 and 15.6); `None` if the user was not in it. It is when the
    /// user joined (local time), else the login (event time), else the zero of time.
    pub(crate) since: Option<Timestamp>,
    /// Whether the user had a membership.
    pub(crate) is_member: bool,
    /// The role that the user had in the list.
    pub(crate) role: Option<Role>,
    /// What the media server said of the user; `None` if only a membership showed the user.
    pub(super) source: Option<OwnedSource<Users>>,
    /// What the app said of a user without a membership (law 18.11).
    pub(crate) note: Option<Box<UserNote>>,
}

/// What the media server said of a user or stream: an owned copy of [`Source`].
#[derive(Debug, Clone)]
pub(super) enum OwnedSource<K: Kind> {
    /// A login or an open stream that callbacks told.
    Stay(HeldFact<K>),
    /// What an observation saw. Its event time is left out, because seeing the same again is no change.
    Presence(K::Presence),
}

/// What readers saw of a stream.
#[derive(Debug, Clone, Default)]
pub(crate) struct StreamBefore {
    /// What the media server said of the stream; `None` if it was not in the list.
    pub(super) source: Option<OwnedSource<Streams>>,
}

impl<K: Kind> OwnedSource<K> {
    pub(super) fn of(source: Source<'_, K>) -> Self {
        match source {
            Source::Stay(held) => Self::Stay(held.clone()),
            Source::Presence(presence, _) => Self::Presence(presence.clone()),
        }
    }

    /// Returns when it came, if it was there and that is known.
    fn began_at(source: Option<&Self>) -> Option<Timestamp> {
        match source? {
            Self::Stay(held) => Some(held.at),
            Self::Presence(presence) => K::began_at(presence),
        }
    }

    /// Whether the media server says the same now.
    fn is_same(before: Option<&Self>, now: Option<Source<'_, K>>) -> bool {
        match (before, now) {
            (None, None) => true,
            (Some(Self::Stay(was)), Some(Source::Stay(is))) => was == is,
            (Some(Self::Presence(was)), Some(Source::Presence(is, _))) => was == is,
            _ => false,
        }
    }
}

impl Before {
    /// Makes what step 3 returns if it looked at nobody.
    #[inline]
    pub(crate) fn nobody(was_listed: bool) -> Self {
        Self { was_listed, looked: Looked::Nobody, parts: Parts::new(), due: None }
    }

    /// Returns what readers saw of a user, if the operation concerns the user.
    pub(crate) fn user(&self, target: &Target<'_>, user_id: &UserId) -> Option<&UserBefore> {
        match (&self.looked, target) {
            (Looked::User(user), Target::User(id, _)) if *id.id == *user_id => Some(user),
            (Looked::Everybody(everybody), _) => everybody.users.get(user_id),
            (Looked::Nobody | Looked::User(_) | Looked::Stream(_), _) => None,
        }
    }
}

impl UserBefore {
    /// Makes what is seen of a member whom the media server did not show.
    pub(crate) fn member(joined_at: Timestamp) -> Self {
        Self { since: Some(joined_at), is_member: true, ..Self::default() }
    }

    /// Returns what is left of a user for readers once the change of the session has hidden all that the
    /// media server said.
    pub(crate) fn without_source(&self) -> Self {
        Self { since: self.since, is_member: self.is_member, ..Self::default() }
    }

    /// Returns when the media server says that the user came, in event time.
    pub(crate) fn login_at(&self) -> Option<Timestamp> {
        OwnedSource::began_at(self.source.as_ref())
    }

    /// Whether the media server says the same of the user.
    pub(crate) fn is_source(&self, now: Option<Source<'_, Users>>) -> bool {
        OwnedSource::is_same(self.source.as_ref(), now)
    }
}

impl StreamBefore {
    /// Returns when the media server says that the stream came, in event time.
    pub(crate) fn created_at(&self) -> Option<Timestamp> {
        OwnedSource::began_at(self.source.as_ref())
    }

    /// Returns where the stream stood in the list; `None` if it was not in it. A stream whose creation time
    /// is unknown stands at the zero of time.
    pub(crate) fn place(&self) -> Option<Timestamp> {
        self.source.as_ref().map(|_| self.created_at().unwrap_or_default())
    }

    /// Whether the media server says the same of the stream.
    pub(crate) fn is_source(&self, now: Option<Source<'_, Streams>>) -> bool {
        OwnedSource::is_same(self.source.as_ref(), now)
    }
}
