//! The view of a user, as readers see them. Laws 4.8, 15.6 and 18.11 say whose word counts.

use std::fmt;

use crate::model::id::{UserId, UserSessionId};
use crate::model::text::{Attributes, Role, Text};
use crate::model::time::Timestamp;
use crate::model::visible::{Login, Membership, Presence, User, UserNote};
use crate::room::visible::VisibleUser;
use crate::rules::visibility::Source;

/// A user of a room's list.
///
/// # Example
///
/// ```
/// use room_registry::{Config, ManualClock, NewRoom, NewUser, Role, RoomRegistry};
///
/// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
/// registry.create_room(NewRoom::new("r1", "tom"))?;
/// registry.join_room("r1", NewUser::new("tom").name("Tom").role(Role::HOST))?;
///
/// let user = registry.room("r1").unwrap().user("tom").unwrap();
/// assert_eq!(user.name().unwrap(), "Tom");
/// assert_eq!(user.role(), Some(&Role::HOST));
/// # Ok::<(), room_registry::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct UserRef<'a>(VisibleUser<'a>);

impl<'a> UserRef<'a> {
    pub(crate) fn new(user: VisibleUser<'a>) -> Self {
        Self(user)
    }

    /// Returns the id of the user.
    ///
    #[doc = room_example!("assert_eq!(room.user(\"ann\").unwrap().id(), \"ann\");")]
    #[must_use]
    pub fn id(self) -> &'a UserId {
        self.0.id
    }

    /// Returns the name to show: that of the membership if it has one, or else the media server's.
    ///
    #[doc = room_example!("assert_eq!(room.user(\"ann\").unwrap().name().unwrap(), \"Ann\");")]
    #[must_use]
    pub fn name(self) -> Option<&'a Text> {
        let name = self.membership().and_then(|membership| membership.name.as_ref());
        let name = name.or_else(|| self.0.note?.name.as_ref());
        name.or_else(|| match self.0.source? {
            Source::Stay(login) => login.details()?.user_name.as_ref(),
            Source::Presence(presence, _) => presence.user_name.as_ref(),
        })
    }

    /// Returns the role in the room: that of the membership if it has one, or else that of the login.
    ///
    #[doc = room_example!("assert_eq!(room.user(\"ann\").unwrap().role(), None);")]
    #[must_use]
    pub fn role(self) -> Option<&'a Role> {
        self.0.role()
    }

    /// Returns what the application says about a user who has no membership.
    ///
    #[doc = room_example!("assert!(room.user(\"ann\").unwrap().note().is_none());")]
    #[must_use]
    pub fn note(self) -> Option<&'a UserNote> {
        self.0.note
    }

    /// Tells whether the user counts: the role is none of the
    /// [`uncounted_roles`](crate::ConfigBuilder::uncounted_roles).
    ///
    #[doc = room_example!("assert!(room.user(\"ann\").unwrap().is_counted());")]
    #[must_use]
    pub fn is_counted(self) -> bool {
        self.0.is_counted
    }

    /// Returns the application's own attributes: those of the membership, or of the note.
    ///
    #[doc = room_example!("assert!(room.user(\"ann\").unwrap().attributes().is_empty());")]
    #[must_use]
    pub fn attributes(self) -> &'a Attributes {
        let note = self.0.note.map_or(Attributes::NONE, |note| &note.attributes);
        self.membership().map_or(note, |membership| &membership.attributes)
    }

    /// Returns what commands say about the user.
    ///
    #[doc = room_example!(
        "let membership = room.user(\"ann\").unwrap().membership().unwrap();",
        "assert_eq!(membership.joined_at, Timestamp::from_secs(100));"
    )]
    #[must_use]
    pub fn membership(self) -> Option<&'a Membership> {
        self.0.membership()
    }

    /// Returns what the media server says about the user. Of several logins that hold, it is the one with
    /// the highest (counter, login time, user session).
    ///
    #[doc = room_example!("assert!(room.user(\"ann\").unwrap().login().is_none());")]
    #[must_use]
    pub fn login(self) -> Option<Login> {
        self.0.login()
    }

    /// Returns the media server's id of the login; `None` if there is no login, or if it has no id.
    ///
    #[doc = room_example!("assert!(room.user(\"ann\").unwrap().user_session_id().is_none());")]
    #[must_use]
    pub fn user_session_id(self) -> Option<&'a UserSessionId> {
        self.0.source?.stay_id()
    }

    /// Returns what an observation says about the user, if no login counts.
    ///
    #[doc = room_example!("assert!(room.user(\"ann\").unwrap().presence().is_none());")]
    #[must_use]
    pub fn presence(self) -> Option<&'a Presence> {
        self.0.presence()
    }

    /// Returns when a heartbeat last came (local time); `None` if the user is only logged in. A join
    /// counts as a heartbeat.
    ///
    #[doc = room_example!("assert_eq!(room.user(\"ann\").unwrap().heartbeat_at(), Some(Timestamp::from_secs(100)));")]
    #[must_use]
    pub fn heartbeat_at(self) -> Option<Timestamp> {
        self.0.member.map(|member| member.heartbeat_at)
    }

    /// Returns since when the user has been in the list: since the join (local time), or else since the
    /// login (event time). It is `None` if an observation alone knows the user and gave no time. Such users
    /// come first in order.
    ///
    #[doc = room_example!("assert_eq!(room.user(\"ann\").unwrap().since(), Some(Timestamp::from_secs(100)));")]
    #[must_use]
    pub fn since(self) -> Option<Timestamp> {
        let joined_at = self.membership().map(|membership| membership.joined_at);
        joined_at.or_else(|| self.0.source?.began_at())
    }

    /// Returns the user as an owned value. Cost: the texts and attributes of the user.
    ///
    #[doc = room_example!("assert_eq!(room.user(\"ann\").unwrap().to_owned().user_id, \"ann\");")]
    #[must_use]
    pub fn to_owned(self) -> User {
        self.0.to_owned()
    }
}

/// Serialises the [`User`](crate::visible::User) that [`to_owned`](UserRef::to_owned) returns. In a format
/// for people, four more keys say what a client shows: `name`, `role`, `attributes` and `since`. They are
/// what the methods of these names return. A [`User`](crate::visible::User) reads back from either form.
///
/// ```
/// # #[cfg(feature = "serde")] {
/// use room_registry::{Config, ManualClock, NewRoom, NewUser, Role, RoomRegistry};
/// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
/// registry.create_room(NewRoom::new("r1", "tom"))?;
/// registry.join_room("r1", NewUser::new("tom").name("Tom").role(Role::HOST))?;
/// let user = serde_json::to_value(registry.room("r1").unwrap().user("tom").unwrap()).unwrap();
/// assert_eq!(user["name"], "Tom");
/// assert_eq!(user["role"], "host");
/// # }
/// # Ok::<(), room_registry::Error>(())
/// ```
#[cfg(feature = "serde")]
impl serde::Serialize for UserRef<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        struct Shown<'a> {
            #[serde(flatten)]
            user: User,
            name: Option<&'a Text>,
            role: Option<&'a Role>,
            attributes: &'a Attributes,
            since: Option<Timestamp>,
        }
        let user = (*self).to_owned();
        if !serializer.is_human_readable() {
            return user.serialize(serializer);
        }
        let (name, role) = (self.name(), self.role());
        let (attributes, since) = (self.attributes(), self.since());
        Shown { user, name, role, attributes, since }.serialize(serializer)
    }
}

impl fmt::Debug for UserRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserRef")
            .field("id", self.id())
            .field("membership", &self.membership())
            .field("login", &self.login())
            .field("presence", &self.presence())
            .finish()
    }
}
