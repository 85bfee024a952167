//! The view of a room, as readers see it. It decides nothing: each method reads the projection.

use std::fmt;
use std::time::Duration;

use crate::model::command::{Lifecycle, UserConnection};
use crate::model::cursor::{Direction, RoomCursor, RoomOrder, StreamCursor, UserCursor};
use crate::model::id::{ConnectionId, RoomId, SessionId, StreamId, UserId};
use crate::model::summary::{Head, RoomSummary};
use crate::model::suspicion::{CanAsk, Suspicion};
use crate::model::text::{Attributes, Role, Text};
use crate::model::time::Timestamp;
use crate::model::visible::{RoomInfo, Session};
use crate::read::page::{StreamPage, UserPage, fill_page};
use crate::read::{StreamRef, UserRef};
use crate::room::Room;
use crate::room::state::RoomState;

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

impl<'a> RoomRef<'a> {
    pub(crate) fn new(room: &'a RoomState) -> Self {
        Self(room)
    }

    /// Returns what names and describes the room. A [`MirrorRoom`](crate::visible::MirrorRoom) has the same,
    /// so that both derive the rest in the same way.
    fn head(self) -> Head<'a> {
        Head { room_id: self.id(), info: self.info(), session: self.session() }
    }

    /// Returns its id.
    ///
    #[doc = room_example!("assert_eq!(room.id(), \"r1\");")]
    #[must_use]
    pub fn id(self) -> &'a RoomId {
        &self.0.id
    }

    /// Returns the name to show: that of the business info, or else the one that a login named.
    ///
    #[doc = room_example!("assert_eq!(room.name().unwrap(), \"Tom's show\");")]
    #[must_use]
    pub fn name(self) -> Option<&'a Text> {
        self.head().name()
    }

    /// Returns who runs it: the host of the business info, or else the creator whom its callback named.
    ///
    #[doc = room_example!("assert_eq!(room.host_id().unwrap(), \"tom\");")]
    #[must_use]
    pub fn host_id(self) -> Option<&'a UserId> {
        self.head().host_id()
    }

    /// Returns the application's own attributes. There are none if no command created the room.
    ///
    #[doc = room_example!("assert_eq!(room.attributes().get(\"mode\"), Some(\"chat\"));")]
    #[must_use]
    pub fn attributes(self) -> &'a Attributes {
        self.head().attributes()
    }

    /// Returns what ends it. A room that no command created follows its session.
    ///
    #[doc = room_example!("assert_eq!(room.lifecycle(), room_registry::Lifecycle::UntilEmpty);")]
    #[must_use]
    pub fn lifecycle(self) -> Lifecycle {
        self.head().lifecycle()
    }

    /// Returns what commands set for it; `None` for a room that is known only from callbacks.
    ///
    #[doc = room_example!("assert_eq!(room.info().unwrap().created_at, Timestamp::from_secs(100));")]
    #[must_use]
    pub fn info(self) -> Option<&'a RoomInfo> {
        self.0.info()
    }

    /// Returns the visible session; `None` for a room that was created but does not run.
    ///
    #[doc = room_example!("assert!(room.session().is_none());")]
    #[must_use]
    pub fn session(self) -> Option<&'a Session> {
        self.0.session()
    }

    /// Returns the media server's name for the visible session, if it is known.
    ///
    #[doc = room_example!("assert!(room.session_id().is_none());")]
    #[must_use]
    pub fn session_id(self) -> Option<&'a SessionId> {
        self.head().session_id()
    }

    /// Returns the signs that callbacks for it were lost, by list and sign. They are as of the last
    /// [`expire`](crate::RoomRegistry::expire) or other change of the room.
    ///
    #[doc = room_example!("assert!(room.suspicions().is_empty());")]
    #[must_use]
    pub fn suspicions(self) -> &'a [Suspicion] {
        self.0.suspicions()
    }

    /// Returns the signs that it would have at an instant, with the caller's own grace in place of
    /// [`report_after`](crate::ConfigBuilder::report_after). Cost: the evidence that is stored.
    ///
    #[doc = room_example!(
        "let grace = std::time::Duration::from_secs(20);",
        "assert!(room.suspicions_as_of(Timestamp::from_secs(200), grace).is_empty());"
    )]
    #[must_use]
    pub fn suspicions_as_of(self, now: Timestamp, grace: Duration) -> Vec<Suspicion> {
        self.0.suspicions_as_of(now, u64::try_from(grace.as_millis()).unwrap_or(u64::MAX))
    }

    /// Returns until when (event time) an observation confirmed both the users and the streams; `None`
    /// if none did.
    ///
    #[doc = room_example!("assert!(room.confirmed_at().is_none());")]
    #[must_use]
    pub fn confirmed_at(self) -> Option<Timestamp> {
        self.0.confirmed_at(CanAsk::Both)
    }

    /// Returns when the room began: when a command created it (local time), or else when its session
    /// opened (event time). The list of the newest rooms has this order.
    ///
    #[doc = room_example!("assert_eq!(room.began_at(), Some(Timestamp::from_secs(100)));")]
    #[must_use]
    pub fn began_at(self) -> Option<Timestamp> {
        self.head().began_at()
    }

    /// Returns its place in the room list of this order: a page after that cursor begins behind this room.
    /// Use it for lists that are merged from several registries. There, a page of the merged list ends
    /// inside a page of each registry. A store that keeps the list itself orders it by the cursor's
    /// [key](crate::page::RoomCursor::key) and the id.
    ///
    #[doc = room_example!(
        "assert_eq!(room.cursor(RoomOrder::Newest).order(), RoomOrder::Newest);",
        "let page = registry.page(&RoomQuery::newest().after(room.cursor(RoomOrder::Newest)));",
        "assert!(page.unwrap().rooms.is_empty());"
    )]
    #[must_use]
    pub fn cursor(self, order: RoomOrder) -> RoomCursor {
        let key = match order {
            RoomOrder::Newest | RoomOrder::Oldest => {
                self.began_at().unwrap_or_default().as_millis()
            }
            RoomOrder::MostUsers => u64::try_from(self.user_count()).unwrap_or(u64::MAX),
            RoomOrder::Id | RoomOrder::Score => 0, // only the query knows the score
        };
        RoomCursor::new(order, key, self.id().clone())
    }

    /// Returns how many users are in its list, not counting those whose roles do not count. Cost: constant.
    ///
    #[doc = room_example!("assert_eq!(room.user_count(), 1);")]
    #[must_use]
    pub fn user_count(self) -> usize {
        self.0.user_count()
    }

    /// Returns how many users of its list have each role, by role. Users without a role come first. Users
    /// whose roles do not count are included. Cost: the roles.
    ///
    #[doc = room_example!("assert_eq!(room.role_counts().collect::<Vec<_>>(), [(None, 1)]);")]
    pub fn role_counts(self) -> impl Iterator<Item = (Option<&'a Role>, usize)> {
        self.0.roles().counts()
    }

    /// Returns how many streams are in its list. Cost: constant.
    ///
    #[doc = room_example!("assert_eq!(room.stream_count(), 0);")]
    #[must_use]
    pub fn stream_count(self) -> usize {
        self.0.streams().len()
    }

    /// Returns its users in order of (joined at, else login time; id). Cost: the users that are read.
    ///
    #[doc = room_example!("assert_eq!(room.users().next().unwrap().id(), \"ann\");")]
    #[must_use]
    pub fn users(self) -> impl DoubleEndedIterator<Item = UserRef<'a>> {
        let mut reader = self.0.reader();
        self.0.users().iter().filter_map(move |(_, id)| reader.read(id).map(UserRef::new))
    }

    /// Returns a page of its users: in joining order, or with the latest to come first. The page begins
    /// after the cursor, if there is one. It has at least one user if any is left. The library does not cap
    /// a page, so cap a `limit` that a client chooses.
    ///
    /// A walk through the pages meets each user who kept their place exactly once, whoever comes and goes
    /// meanwhile. A user who left and came back, or who joined while logged in, has another place. The walk
    /// may meet such a user again there, or miss one.
    ///
    /// Cost: the logarithm of the users, and the page.
    ///
    #[doc = room_example!(
        "let page = room.user_page(10, None, Direction::OldestFirst);",
        "assert_eq!(page.users[0].id(), \"ann\");",
        "assert!(page.next.is_none());"
    )]
    #[must_use]
    pub fn user_page(
        self,
        limit: usize,
        after: Option<&UserCursor>,
        direction: Direction,
    ) -> UserPage<'a> {
        let mut page = UserPage::default();
        self.user_page_into(limit, after, direction, &mut page);
        page
    }

    /// Fills a page as [`user_page`](Self::user_page) does, at the same cost. If the page is already large
    /// enough, this takes no allocation.
    ///
    #[doc = room_example!(
        "let mut page = UserPage::default();",
        "room.user_page_into(10, None, Direction::OldestFirst, &mut page);",
        "assert_eq!(page.users.len(), 1);"
    )]
    pub fn user_page_into(
        self,
        limit: usize,
        after: Option<&UserCursor>,
        direction: Direction,
        page: &mut UserPage<'a>,
    ) {
        let after = after.map(|cursor| (cursor.since, &cursor.user_id));
        let mut reader = self.0.reader();
        let find = |user_id: &UserId| reader.read(user_id).map(UserRef::new);
        let next = fill_page(self.0.users(), limit, after, direction, find, &mut page.users);
        page.next = next.map(|(since, user_id)| UserCursor { since, user_id: user_id.clone() });
    }

    /// Returns one of its users. Cost: constant.
    ///
    #[doc = room_example!("assert!(room.user(\"ann\").is_some());", "assert!(room.user(\"bob\").is_none());")]
    #[must_use]
    pub fn user(self, user_id: &str) -> Option<UserRef<'a>> {
        self.0.user(user_id).map(UserRef::new)
    }

    /// Returns the last heartbeat of each connection of its members, for a store that keeps heartbeats
    /// beside the room. [`Room::take_heartbeats`](crate::Room::take_heartbeats) takes them back. Cost: the
    /// memberships.
    ///
    #[doc = room_example!(
        "let (ann, at) = room.heartbeats().next().unwrap();",
        "assert_eq!((ann.user_id, ann.connection_id), (\"ann\", None));",
        "assert_eq!(at, Timestamp::from_secs(100));"
    )]
    pub fn heartbeats(self) -> impl Iterator<Item = (UserConnection<'a>, Timestamp)> {
        let members = &self.0.registers.members;
        (0..members.len()).filter_map(|place| Some((place, members.at(place)?))).flat_map(
            move |(place, member)| {
                members.heartbeats(place).map(move |(connection_id, at)| {
                    let user_id = member.user_id.as_str();
                    let connection_id = connection_id.map(ConnectionId::as_str);
                    (UserConnection { user_id, connection_id }, at)
                })
            },
        )
    }

    /// Returns the room in one line, without its users and streams, for the list of a lobby. Cost: the
    /// attributes.
    ///
    #[doc = room_example!("assert_eq!(room.summary().name.unwrap(), \"Tom's show\");")]
    #[must_use]
    pub fn summary(self) -> RoomSummary {
        self.head().summary(self.user_count(), self.stream_count())
    }

    /// Returns its streams in order of (created at, id). Cost: the streams that are read.
    ///
    #[doc = room_example!("assert_eq!(room.streams().count(), 0);")]
    #[must_use]
    pub fn streams(self) -> impl DoubleEndedIterator<Item = StreamRef<'a>> {
        let room = self.0;
        room.streams().iter().filter_map(|(_, id)| room.stream(id).map(StreamRef::new))
    }

    /// Returns a page of its streams, in order of creation or with the newest first, as
    /// [`user_page`](Self::user_page) does. Cost: the page, times the logarithm of the streams.
    ///
    #[doc = room_example!("assert!(room.stream_page(10, None, Direction::OldestFirst).streams.is_empty());")]
    #[must_use]
    pub fn stream_page(
        self,
        limit: usize,
        after: Option<&StreamCursor>,
        direction: Direction,
    ) -> StreamPage<'a> {
        let mut page = StreamPage::default();
        self.stream_page_into(limit, after, direction, &mut page);
        page
    }

    /// Fills a page as [`stream_page`](Self::stream_page) does, for a page that is reused. The cost is the
    /// same.
    ///
    #[doc = room_example!(
        "let mut page = StreamPage::default();",
        "room.stream_page_into(10, None, Direction::NewestFirst, &mut page);",
        "assert!(page.streams.is_empty());"
    )]
    pub fn stream_page_into(
        self,
        limit: usize,
        after: Option<&StreamCursor>,
        direction: Direction,
        page: &mut StreamPage<'a>,
    ) {
        let after = after.map(|cursor| (cursor.created_at, &cursor.stream_id));
        let find = |stream_id: &StreamId| self.stream(stream_id.as_str());
        let next = fill_page(self.0.streams(), limit, after, direction, find, &mut page.streams);
        page.next = next.map(|(created_at, stream_id)| StreamCursor {
            created_at,
            stream_id: stream_id.clone(),
        });
    }

    /// Returns one of its streams. Cost: the logarithm of the room's streams.
    ///
    #[doc = room_example!("assert!(room.stream(\"camera\").is_none());")]
    #[must_use]
    pub fn stream(self, stream_id: &str) -> Option<StreamRef<'a>> {
        self.0.stream(stream_id).map(StreamRef::new)
    }
}

/// Serialises the room in one line, as its [`summary`](RoomRef::summary). Pages serialise users and
/// streams, and [`to_owned`](RoomRef::to_owned) returns the room with all of them.
#[cfg(feature = "serde")]
impl serde::Serialize for RoomRef<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.summary().serialize(serializer)
    }
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

impl Room {
    /// Returns what readers see; `None` if the room is not listed.
    ///
    /// ```
    /// use room_registry::{Config, NewRoom, Room, RoomId, Timestamp};
    /// let config = Config::default();
    /// let mut room = Room::new(RoomId::new("r1")?, &config);
    /// assert!(room.view().is_none());
    /// room.create(NewRoom::new("r1", "tom"), &config, Timestamp::from_secs(1_000))?;
    /// assert!(room.view().is_some());
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    #[must_use]
    pub fn view(&self) -> Option<RoomRef<'_>> {
        self.state().is_listed().then(|| RoomRef::new(self.state()))
    }
}
