//! Users and streams as readers see them, by reference. The views of `read/` wrap them, and changes copy
//! them.

use crate::model::callback::StreamDetails;
use crate::model::id::{StreamId, StreamSessionId, UserId};
use crate::model::text::{Attributes, Role};
use crate::model::time::Timestamp;
use crate::model::visible::{Login, Membership, Presence, Stream, User, UserNote};
use crate::registers::kind::{Streams, Users};
use crate::registers::members::MemberRef;
use crate::rules::Rulebook;
use crate::rules::listing::role_of;
use crate::rules::visibility::Source;

/// A user of a room: a membership, what the media server says, or both.
#[derive(Debug, Clone, Copy)]
pub(crate) struct VisibleUser<'a> {
    /// The id.
    pub(crate) id: &'a UserId,
    /// The membership, if there is one.
    pub(crate) member: Option<MemberRef<'a>>,
    /// What the media server says: a login, or else a presence (law 15.6).
    pub(crate) source: Option<Source<'a, Users>>,
    /// What the app says, if there is no membership (law 18.11).
    pub(crate) note: Option<&'a UserNote>,
    /// Whether the role is one that counts (law 18.9).
    pub(crate) is_counted: bool,
}

impl<'a> VisibleUser<'a> {
    pub(crate) fn membership(self) -> Option<&'a Membership> {
        self.member.map(MemberRef::membership)
    }

    /// Returns the role: that of the membership, else that of the note, else the media server's.
    pub(crate) fn role(self) -> Option<&'a Role> {
        role_of(self.member, self.note, self.source)
    }

    /// Makes a user of a membership and of what the media server says. The rules add the note, and whether
    /// the role counts.
    pub(crate) fn of(
        id: &'a UserId,
        member: Option<MemberRef<'a>>,
        source: Option<Source<'a, Users>>,
        book: Rulebook<'a>,
    ) -> Self {
        let note = book.note(id, member.is_some(), source);
        Self { id, member, source, note, is_counted: book.counts(id, member, source) }
    }

    pub(crate) fn login(self) -> Option<Login> {
        let held = self.source?.stay()?;
        let details = held.details()?;
        Some(Login {
            user_session_id: held.stay_id.clone(),
            login_at: held.at,
            counter: held.rank,
            user_name: details.user_name.clone(),
            role: details.role.clone(),
        })
    }

    pub(crate) fn presence(self) -> Option<&'a Presence> {
        self.source?.presence()
    }

    pub(crate) fn to_owned(self) -> User {
        User {
            user_id: self.id.clone(),
            membership: self.membership().cloned(),
            login: self.login(),
            presence: self.presence().cloned(),
            note: self.note.cloned(),
            is_counted: self.is_counted,
        }
    }
}

/// A stream of the visible session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct VisibleStream<'a> {
    /// The id.
    pub(crate) id: &'a StreamId,
    /// What the media server says: an open stay, or else a presence (law 15.6).
    pub(crate) source: Source<'a, Streams>,
    /// The app's own attributes.
    pub(crate) attributes: &'a Attributes,
}

impl<'a> VisibleStream<'a> {
    pub(crate) fn created_at(self) -> Option<Timestamp> {
        self.source.began_at()
    }

    pub(crate) fn stream_session_id(self) -> Option<&'a StreamSessionId> {
        self.source.stay_id()
    }

    pub(crate) fn counter(self) -> Option<u64> {
        self.source.stay().map(|held| held.rank)
    }

    pub(crate) fn to_owned(self) -> Stream {
        Stream {
            stream_id: self.id.clone(),
            stream_session_id: self.stream_session_id().cloned(),
            created_at: self.created_at(),
            counter: self.counter(),
            details: self.details().clone(),
            attributes: self.attributes.clone(),
        }
    }

    pub(crate) fn details(self) -> &'a StreamDetails {
        match self.source {
            Source::Stay(held) => {
                let details = held.details().expect("a stream that is open has details");
                &details.0
            }
            Source::Presence(presence, _) => &presence.details,
        }
    }
}
