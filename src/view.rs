//! Views: how the visible state is read. Small `Copy` values that borrow from the registry or room.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Bound;
use std::time::Duration;

use crate::callback::StreamDetails;
use crate::command::Lifecycle;
use crate::cursor::{Direction, StreamCursor, UserCursor};
use crate::id::{RoomId, SessionId, StreamId, StreamSessionId, UserId};
use crate::room::members::Member;
use crate::room::sight::{LiveStream, LiveUser};
use crate::room::state::RoomState;
use crate::suspicion::Suspicion;
use crate::text::{Attributes, Role, Text};
use crate::time::Timestamp;
use crate::visible::{Login, Membership, Presence, RoomInfo, Session, Stream, User};

/// A listed room.
///
/// # Example
///
/// ```
/// use room_registry::{Config, ManualClock, NewRoom, NewUser, RoomRegistry};
///
/// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
/// registry.create_room(NewRoom::new("r1", "tom").name("Tom's show"))?;
/// registry.join_room("r1", NewUser::new("ann"))?;
///
/// let room = registry.room("r1").unwrap();
/// assert_eq!(room.id(), "r1");
/// assert_eq!(room.name().unwrap(), "Tom's show");
/// assert_eq!(room.host_id().unwrap(), "tom");
/// assert_eq!(room.users().map(|user| user.id().as_str()).collect::<Vec<_>>(), ["ann"]);
/// # Ok::<(), room_registry::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct RoomRef<'a>(&'a RoomState);

/// Documents a view's method with an example on a room that has one user and no session.
macro_rules! room_example {
    ($($assertion:literal),+) => {
        concat!(
            "```\n",
            "# use room_registry::*;\n",
            "# let clock = ManualClock::at(Timestamp::from_secs(100));\n",
            "let mut registry = RoomRegistry::with_clock(Config::default(), clock);\n",
            "registry.create_room(NewRoom::new(\"r1\", \"tom\").name(\"Tom's show\").attribute(\"mode\", \"chat\"))?;\n",
            "registry.join_room(\"r1\", NewUser::new(\"ann\").name(\"Ann\"))?;\n",
            "let room = registry.room(\"r1\").unwrap();\n",
            $($assertion, "\n",)+
            "# Ok::<(), room_registry::Error>(())\n",
            "```"
        )
    };
}

/// Documents a stream view's method with an example on one open stream.
macro_rules! stream_example {
    ($assertion:literal) => {
        concat!(
            "```\n",
            "# use room_registry::*;\n",
            "# let clock = ManualClock::at(Timestamp::from_secs(100));\n",
            "# let mut registry = RoomRegistry::with_clock(Config::default(), clock);\n",
            "let mut created = StreamCreated::new(\n",
            "    StreamId::new(\"camera\")?,\n",
            "    StreamSessionId::new(\"s-1\")?,\n",
            "    Timestamp::from_secs(99),\n",
            "    Some(1),\n",
            ");\n",
            "created.details.publisher_id = Some(UserId::new(\"tom\")?);\n",
            "registry.apply_callback(&Callback::new(RoomId::new(\"r1\")?, SessionId::new(\"7\")?, created));\n",
            "let room = registry.room(\"r1\").unwrap();\n",
            "let stream = room.stream(\"camera\").unwrap();\n",
            $assertion,
            "\n# Ok::<(), room_registry::Error>(())\n",
            "```"
        )
    };
}

impl<'a> RoomRef<'a> {
    pub(crate) fn new(room: &'a RoomState) -> Self {
        Self(room)
    }

    /// Its id.
    ///
    #[doc = room_example!("assert_eq!(room.id(), \"r1\");")]
    #[must_use]
    pub fn id(self) -> &'a RoomId {
        self.0.id()
    }

    /// The name to show: the business info's where it says, else the one that a login named.
    ///
    #[doc = room_example!("assert_eq!(room.name().unwrap(), \"Tom's show\");")]
    #[must_use]
    pub fn name(self) -> Option<&'a Text> {
        let named = self.info().and_then(|info| info.name.as_ref());
        named.or_else(|| self.session().and_then(|session| session.room_name.as_ref()))
    }

    /// Who runs it: the business info's host, else the creator that its callback named.
    ///
    #[doc = room_example!("assert_eq!(room.host_id().unwrap(), \"tom\");")]
    #[must_use]
    pub fn host_id(self) -> Option<&'a UserId> {
        let host_id = self.info().map(|info| &info.host_id);
        host_id.or_else(|| self.session().and_then(|session| session.creator_id.as_ref()))
    }

    /// Attributes of the application's own; none where no command created the room.
    ///
    #[doc = room_example!("assert_eq!(room.attributes().get(\"mode\"), Some(\"chat\"));")]
    #[must_use]
    pub fn attributes(self) -> &'a Attributes {
        self.info().map_or(Attributes::NONE, |info| &info.attributes)
    }

    /// What ends it. A room that no command created follows its session.
    ///
    #[doc = room_example!("assert_eq!(room.lifecycle(), room_registry::Lifecycle::UntilEnded);")]
    #[must_use]
    pub fn lifecycle(self) -> Lifecycle {
        self.info().map_or(Lifecycle::FollowsSession, |info| info.lifecycle)
    }

    /// What commands made of it; `None` for a room that is known only by callbacks.
    ///
    #[doc = room_example!("assert_eq!(room.info().unwrap().created_at, Timestamp::from_secs(100));")]
    #[must_use]
    pub fn info(self) -> Option<&'a RoomInfo> {
        self.0.info()
    }

    /// The session that is visible; `None` for a room that was created and does not run.
    ///
    #[doc = room_example!("assert!(room.session().is_none());")]
    #[must_use]
    pub fn session(self) -> Option<&'a Session> {
        self.0.session()
    }

    /// The media server's name of the visible session, where it is known.
    ///
    #[doc = room_example!("assert!(room.session_id().is_none());")]
    #[must_use]
    pub fn session_id(self) -> Option<&'a SessionId> {
        self.session().and_then(|session| session.session_id.as_ref())
    }

    /// What is suspected of it: signs that callbacks were lost, by list and sign, as the last
    /// [`expire`](crate::RoomRegistry::expire) or other change of the room found them.
    ///
    #[doc = room_example!("assert!(room.suspicions().is_empty());")]
    #[must_use]
    pub fn suspicions(self) -> &'a [Suspicion] {
        self.0.suspicions()
    }

    /// What would be suspected of it at an instant, with a grace of the caller's own in place of
    /// [`report_after`](crate::ConfigBuilder::report_after). Cost: the evidence that is held.
    ///
    #[doc = room_example!(
        "let grace = std::time::Duration::from_secs(20);",
        "assert!(room.suspicions_as_of(Timestamp::from_secs(200), grace).is_empty());"
    )]
    #[must_use]
    pub fn suspicions_as_of(self, now: Timestamp, grace: Duration) -> Vec<Suspicion> {
        self.0.suspicions_as_of(now, u64::try_from(grace.as_millis()).unwrap_or(u64::MAX))
    }

    /// Until when an observation confirmed both the users and the streams, in their time; `None`
    /// where none did.
    ///
    #[doc = room_example!("assert!(room.confirmed_at().is_none());")]
    #[must_use]
    pub fn confirmed_at(self) -> Option<Timestamp> {
        self.0.confirmed_at()
    }

    /// When the room began: created by command (our time), else opened (their time). What the list
    /// of newest rooms orders by.
    ///
    #[doc = room_example!("assert_eq!(room.began_at(), Some(Timestamp::from_secs(100)));")]
    #[must_use]
    pub fn began_at(self) -> Option<Timestamp> {
        let created_at = self.info().map(|info| info.created_at);
        created_at.or_else(|| self.session().and_then(|session| session.opened_at))
    }

    /// How many users are in its list. Cost: constant.
    ///
    #[doc = room_example!("assert_eq!(room.user_count(), 1);")]
    #[must_use]
    pub fn user_count(self) -> usize {
        self.0.user_count()
    }

    /// How many streams are in its list. Cost: constant.
    ///
    #[doc = room_example!("assert_eq!(room.stream_count(), 0);")]
    #[must_use]
    pub fn stream_count(self) -> usize {
        self.0.stream_count()
    }

    /// Its users in order of (joined at, else login time; id). Cost: the users that are read.
    ///
    #[doc = room_example!("assert_eq!(room.users().next().unwrap().id(), \"ann\");")]
    #[must_use]
    pub fn users(self) -> impl DoubleEndedIterator<Item = UserRef<'a>> {
        let room = self.0;
        room.users_in_order().filter_map(|id| room.user(id.as_str()))
    }

    /// A page of its users: in joining order, or the last who came first. Goes on after a cursor, and
    /// answers where to go on; `None` at the end of the list.
    ///
    /// A walk through the pages meets everybody who kept the place from the first page to the last
    /// exactly once, whoever comes and goes meanwhile. Who left and came back, or joined beside a
    /// login, has another place, and may be met again there, or missed. Cost: the logarithm of the
    /// users, and the page.
    ///
    #[doc = room_example!(
        "let (users, next) = room.user_page(10, None, Direction::OldestFirst);",
        "assert_eq!(users[0].id(), \"ann\");",
        "assert!(next.is_none());"
    )]
    #[must_use]
    pub fn user_page(
        self,
        limit: usize,
        after: Option<&UserCursor>,
        direction: Direction,
    ) -> (Vec<UserRef<'a>>, Option<UserCursor>) {
        let after = after.map(|cursor| (cursor.since, &cursor.user_id));
        let (users, next) = page(self.0.user_order(), limit, after, direction);
        let users = users.into_iter().filter_map(|id| self.user(id.as_str())).collect();
        (users, next.map(|(since, user_id)| UserCursor { since, user_id }))
    }

    /// One of its users. Cost: constant.
    ///
    #[doc = room_example!("assert!(room.user(\"ann\").is_some());", "assert!(room.user(\"bob\").is_none());")]
    #[must_use]
    pub fn user(self, user_id: &str) -> Option<UserRef<'a>> {
        self.0.user(user_id)
    }

    /// Its streams in order of (created at, id). Cost: the streams that are read.
    ///
    #[doc = room_example!("assert_eq!(room.streams().count(), 0);")]
    #[must_use]
    pub fn streams(self) -> impl DoubleEndedIterator<Item = StreamRef<'a>> {
        let room = self.0;
        room.streams_in_order().filter_map(|id| room.stream(id.as_str()))
    }

    /// A page of its streams: in order of creation, or the newest first; as
    /// [`user_page`](Self::user_page).
    ///
    #[doc = room_example!("assert!(room.stream_page(10, None, Direction::OldestFirst).0.is_empty());")]
    #[must_use]
    pub fn stream_page(
        self,
        limit: usize,
        after: Option<&StreamCursor>,
        direction: Direction,
    ) -> (Vec<StreamRef<'a>>, Option<StreamCursor>) {
        let after = after.map(|cursor| (cursor.created_at, &cursor.stream_id));
        let (streams, next) = page(self.0.stream_order(), limit, after, direction);
        let streams = streams.into_iter().filter_map(|id| self.stream(id.as_str())).collect();
        (streams, next.map(|(created_at, stream_id)| StreamCursor { created_at, stream_id }))
    }

    /// One of its streams. Cost: the logarithm of the room's streams.
    ///
    #[doc = room_example!("assert!(room.stream(\"camera\").is_none());")]
    #[must_use]
    pub fn stream(self, stream_id: &str) -> Option<StreamRef<'a>> {
        self.0.stream(stream_id)
    }
}

/// A page of an order, and the place of its last item where more follow. At least one item.
fn page<'a, I: Ord + Clone>(
    order: &'a BTreeSet<(Timestamp, I)>,
    limit: usize,
    after: Option<(Timestamp, &I)>,
    direction: Direction,
) -> (Vec<&'a I>, Option<(Timestamp, I)>) {
    let place = after.map_or(Bound::Unbounded, |(at, id)| Bound::Excluded((at, id.clone())));
    let bounds = match direction {
        Direction::OldestFirst => (place, Bound::Unbounded),
        Direction::NewestFirst => (Bound::Unbounded, place),
    };
    let mut items = order.range(bounds);
    let mut next = || match direction {
        Direction::OldestFirst => items.next(),
        Direction::NewestFirst => items.next_back(),
    };
    let mut page = Vec::new();
    let mut last = None;
    while page.len() < limit.max(1)
        && let Some(item) = next()
    {
        page.push(&item.1);
        last = Some(item);
    }
    (page, last.filter(|_| next().is_some()).cloned())
}

impl fmt::Debug for RoomRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoomRef")
            .field("id", self.id())
            .field("info", &self.info())
            .field("session", &self.session())
            .field("users", &self.user_count())
            .field("streams", &self.stream_count())
            .finish()
    }
}

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
pub struct UserRef<'a> {
    id: &'a UserId,
    member: Option<&'a Member>,
    live: Option<LiveUser<'a>>,
}

impl<'a> UserRef<'a> {
    pub(crate) fn new(
        id: &'a UserId,
        member: Option<&'a Member>,
        live: Option<LiveUser<'a>>,
    ) -> Self {
        Self { id, member, live }
    }

    /// Who.
    ///
    #[doc = room_example!("assert_eq!(room.user(\"ann\").unwrap().id(), \"ann\");")]
    #[must_use]
    pub fn id(self) -> &'a UserId {
        self.id
    }

    /// The name to show: the membership's where it says, else the media server's.
    ///
    #[doc = room_example!("assert_eq!(room.user(\"ann\").unwrap().name().unwrap(), \"Ann\");")]
    #[must_use]
    pub fn name(self) -> Option<&'a Text> {
        let name = self.membership().and_then(|membership| membership.name.as_ref());
        name.or_else(|| match self.live? {
            LiveUser::Login(login) => login.user_name.as_ref(),
            LiveUser::Presence(present) => present.details.user_name.as_ref(),
        })
    }

    /// What the user is in the room: the membership's word where it says, else the login's.
    ///
    #[doc = room_example!("assert_eq!(room.user(\"ann\").unwrap().role(), None);")]
    #[must_use]
    pub fn role(self) -> Option<&'a Role> {
        let role = self.membership().and_then(|membership| membership.role.as_ref());
        role.or_else(|| match self.live? {
            LiveUser::Login(login) => login.role.as_ref(),
            LiveUser::Presence(present) => present.details.role.as_ref(),
        })
    }

    /// Attributes of the application's own; none where the user is only logged in.
    ///
    #[doc = room_example!("assert!(room.user(\"ann\").unwrap().attributes().is_empty());")]
    #[must_use]
    pub fn attributes(self) -> &'a Attributes {
        self.membership().map_or(Attributes::NONE, |membership| &membership.attributes)
    }

    /// What commands say of the user.
    ///
    #[doc = room_example!(
        "let membership = room.user(\"ann\").unwrap().membership().unwrap();",
        "assert_eq!(membership.joined_at, Timestamp::from_secs(100));"
    )]
    #[must_use]
    pub fn membership(self) -> Option<&'a Membership> {
        self.member.map(|member| &member.membership)
    }

    /// What the media server says of the user. Of several logins that hold, the one with the
    /// highest (counter, login time, user session).
    ///
    #[doc = room_example!("assert!(room.user(\"ann\").unwrap().login().is_none());")]
    #[must_use]
    pub fn login(self) -> Option<&'a Login> {
        match self.live? {
            LiveUser::Login(login) => Some(login),
            LiveUser::Presence(_) => None,
        }
    }

    /// What an observation says of the user, where no login counts.
    ///
    #[doc = room_example!("assert!(room.user(\"ann\").unwrap().presence().is_none());")]
    #[must_use]
    pub fn presence(self) -> Option<&'a Presence> {
        match self.live? {
            LiveUser::Login(_) => None,
            LiveUser::Presence(present) => Some(&present.details),
        }
    }

    /// When a heartbeat last came, in our time; `None` where the user is only logged in. A join
    /// counts as a heartbeat.
    ///
    #[doc = room_example!("assert_eq!(room.user(\"ann\").unwrap().heartbeat_at(), Some(Timestamp::from_secs(100)));")]
    #[must_use]
    pub fn heartbeat_at(self) -> Option<Timestamp> {
        self.member.map(|member| member.heartbeat_at)
    }

    /// Since when the user is in the list: joined (our time), else logged in (their time); `None`
    /// where an observation alone knows the user, and did not tell. Such users come first in order.
    ///
    #[doc = room_example!("assert_eq!(room.user(\"ann\").unwrap().since(), Some(Timestamp::from_secs(100)));")]
    #[must_use]
    pub fn since(self) -> Option<Timestamp> {
        let joined_at = self.membership().map(|membership| membership.joined_at);
        joined_at.or_else(|| self.live?.login_at())
    }

    /// The user as a value of its own.
    ///
    #[doc = room_example!("assert_eq!(room.user(\"ann\").unwrap().to_owned().user_id, \"ann\");")]
    #[must_use]
    pub fn to_owned(self) -> User {
        User {
            user_id: self.id.clone(),
            membership: self.membership().cloned(),
            login: self.login().cloned(),
            presence: self.presence().cloned(),
        }
    }
}

impl fmt::Debug for UserRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserRef")
            .field("id", self.id)
            .field("membership", &self.membership())
            .field("login", &self.login())
            .field("presence", &self.presence())
            .finish()
    }
}

/// A stream of a room's list.
///
#[doc = stream_example!("assert_eq!(stream.publisher_id().unwrap(), \"tom\");")]
#[derive(Clone, Copy)]
pub struct StreamRef<'a> {
    id: &'a StreamId,
    live: LiveStream<'a>,
    details: &'a StreamDetails,
    attributes: &'a Attributes,
}

impl<'a> StreamRef<'a> {
    pub(crate) fn new(
        id: &'a StreamId,
        live: LiveStream<'a>,
        attributes: &'a Attributes,
    ) -> Option<Self> {
        let details = match live {
            LiveStream::Held(held) => held.details.as_deref()?,
            LiveStream::Presence(present) => &present.details.details,
        };
        Some(Self { id, live, details, attributes })
    }

    /// Which stream.
    ///
    #[doc = stream_example!("assert_eq!(stream.id(), \"camera\");")]
    #[must_use]
    pub fn id(self) -> &'a StreamId {
        self.id
    }

    /// The media server's name of this life of the stream; `None` where an observation alone knows
    /// it.
    ///
    #[doc = stream_example!("assert_eq!(stream.stream_session_id(), Some(&StreamSessionId::new(\"s-1\")?));")]
    #[must_use]
    pub fn stream_session_id(self) -> Option<&'a StreamSessionId> {
        match self.live {
            LiveStream::Held(held) => Some(&held.stream_session_id),
            LiveStream::Presence(_) => None,
        }
    }

    /// When it came, or was last published again, in their time; `None` where an observation alone
    /// knows it, and did not tell. Such streams come first in order.
    ///
    #[doc = stream_example!("assert_eq!(stream.created_at(), Some(Timestamp::from_secs(99)));")]
    #[must_use]
    pub fn created_at(self) -> Option<Timestamp> {
        self.live.created_at()
    }

    /// The room's counter of stream changes at that moment; the creation time in milliseconds where
    /// the vendor tells none; `None` where an observation alone knows the stream.
    ///
    #[doc = stream_example!("assert_eq!(stream.counter(), Some(1));")]
    #[must_use]
    pub fn counter(self) -> Option<u64> {
        match self.live {
            LiveStream::Held(held) => Some(held.counter),
            LiveStream::Presence(_) => None,
        }
    }

    /// Who publishes it.
    ///
    #[doc = stream_example!("assert_eq!(stream.publisher_id().unwrap(), \"tom\");")]
    #[must_use]
    pub fn publisher_id(self) -> Option<&'a UserId> {
        self.details.publisher_id.as_ref()
    }

    /// What its callback told: publisher, title, URLs.
    ///
    #[doc = stream_example!("assert_eq!(stream.details().title, None);")]
    #[must_use]
    pub fn details(self) -> &'a StreamDetails {
        self.details
    }

    /// Attributes of the application's own.
    ///
    #[doc = stream_example!("assert!(stream.attributes().is_empty());")]
    #[must_use]
    pub fn attributes(self) -> &'a Attributes {
        self.attributes
    }

    /// The stream as a value of its own.
    ///
    #[doc = stream_example!("assert_eq!(stream.to_owned().stream_id, \"camera\");")]
    #[must_use]
    pub fn to_owned(self) -> Stream {
        Stream {
            stream_id: self.id.clone(),
            stream_session_id: self.stream_session_id().cloned(),
            created_at: self.created_at(),
            counter: self.counter(),
            details: self.details.clone(),
            attributes: self.attributes.clone(),
        }
    }
}

impl fmt::Debug for StreamRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamRef").field("id", self.id).field("live", &self.live).finish()
    }
}
