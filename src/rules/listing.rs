//! How long a room without business info is listed while it is empty, and which users count.
//!
//! A media server may not tell that a room closed, and a close may get lost. So such a room leaves the list
//! once its visible session has been empty for the empty listing time. What is known of the session stays.
//! Whoever comes into it lists the room again.
//!
//! The projection and [`expire`](crate::RoomRegistry::expire) ask. `room/record.rs` writes the registers
//! that this reads.
//!
//! This file carries laws 4.7, 4.8, 4.10 and 18.9.

use crate::model::id::UserId;
use crate::model::text::Role;
use crate::model::time::Timestamp;
use crate::model::visible::UserNote;
use crate::registers::emptiness::Emptiness;
use crate::registers::kind::{Streams, Users};
use crate::registers::members::MemberRef;
use crate::rules::Rulebook;
use crate::rules::lists::{shown, users_of};
use crate::rules::visibility::{Source, Visible};

impl<'a> Rulebook<'a> {
    /// Whether the room is in the list if that session is visible (law 4.7). It is if it was created and
    /// has not ended, or if there is such a session.
    #[inline]
    pub(crate) fn is_listed(self, visible: Option<Visible>) -> bool {
        self.registers.info.is_some() || visible.is_some()
    }

    /// Whether the room left the list because its open session was empty for too long. Business info lists
    /// it again, and so does a setting that leaves empty rooms in the list.
    #[inline]
    pub(crate) fn is_unlisted(self, session: Visible) -> bool {
        self.registers.info.is_none()
            && self.registers.emptiness(session.index()).is_some_and(|held| held.is_unlisted)
            && self.settings.empty_listing_ms.is_some()
    }

    /// Returns the local time at which the room leaves the list unless somebody comes. `None` if it is not
    /// empty, or has business info, or left the list already.
    #[inline]
    pub(crate) fn listing_ends_at(self, visible: Option<Visible>) -> Option<Timestamp> {
        if self.registers.info.is_some() {
            return None;
        }
        let Emptiness { since, is_unlisted: false } = self.registers.emptiness(visible?.index())?
        else {
            return None;
        };
        Some(since.plus(self.settings.empty_listing_ms?))
    }

    /// Whether a user who counts, or a stream, is in the room. Cost: all users and streams.
    pub(crate) fn is_occupied(self, session: Visible) -> bool {
        let visible = Some(session);
        shown::<Streams>(self, visible).next().is_some()
            || users_of(self, visible).any(|user| self.counts(user.id, user.member, user.source))
    }

    /// Whether a user counts: the role is none of the uncounted roles (law 18.9).
    #[inline]
    pub(crate) fn counts(
        self,
        user_id: &UserId,
        member: Option<MemberRef<'a>>,
        source: Option<Source<'a, Users>>,
    ) -> bool {
        let uncounted = &self.settings.uncounted_roles;
        let note = || self.note(user_id, member.is_some(), source);
        uncounted.is_empty() || !uncounted.contains(role_of(member, note(), source))
    }
}

/// Returns the role of a user (laws 4.8 and 18.11). That of the membership comes first, then that of the
/// application's note, and then that of the media server.
pub(crate) fn role_of<'a>(
    member: Option<MemberRef<'a>>,
    note: Option<&'a UserNote>,
    source: Option<Source<'a, Users>>,
) -> Option<&'a Role> {
    let of_member = member.and_then(|member| member.membership().role.as_ref());
    let of_note = || note?.role.as_ref();
    of_member.or_else(of_note).or_else(|| match source? {
        Source::Stay(login) => login.details()?.role.as_ref(),
        Source::Presence(presence, _) => presence.role.as_ref(),
    })
}
