//! Queries: which rooms to list, in which order, and how many. `pages.rs` answers them.

use std::fmt;
use std::sync::Arc;

use crate::model::cursor::{RoomCursor, RoomOrder};
use crate::model::text::Text;
use crate::read::RoomRef;
use crate::registry::lookups::folded;

/// How many rooms a page has by default.
const DEFAULT_LIMIT: usize = 20;
/// How many rooms a page looks at by default, at most.
const DEFAULT_LOOK: usize = 10_000;

/// Says which rooms to list, in which order, and how many.
///
/// A query owns what it is made of, so it can be kept, cloned and returned from a function. Only a
/// predicate or a score may borrow: a query that borrows nothing is a `RoomQuery<'static>`.
///
/// # Cost
///
/// Without filters, a page costs the logarithm of the rooms, and the rooms that it holds. Filters cost the
/// rooms that a page looks at, which [`look_at_most`](Self::look_at_most) bounds. A room must pass all
/// filters. If an index serves one of them, the page looks at few other rooms:
///
/// | filter | index |
/// |---|---|
/// | [`host`](Self::host) | always there |
/// | [`name_prefix`](Self::name_prefix) | [`index_names`](crate::ConfigBuilder::index_names) |
/// | [`attribute`](Self::attribute) | [`index_attributes`](crate::ConfigBuilder::index_attributes) |
/// | [`with_any_user`](Self::with_any_user) | [`index_users`](crate::ConfigBuilder::index_users) |
/// | [`without_full`](Self::without_full) | always there |
///
/// If an index names few rooms, a page looks at those alone. If it names many, a short walk along the list
/// usually fills the page. The page looks at the named rooms only if that walk does not. So an index
/// changes what a page costs, and how soon it stops early. It never changes which rooms all the pages
/// together hold.
///
/// # Example
///
/// ```
/// use room_registry::{Config, ManualClock, NewRoom, NewUser, RoomQuery, RoomRegistry};
///
/// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
/// registry.create_room(NewRoom::new("talk", "tom").attribute("mode", "talk"))?;
/// registry.create_room(NewRoom::new("song", "mei").attribute("mode", "karaoke"))?;
/// registry.join_room("song", NewUser::new("mei"))?;
///
/// let page = registry.page(&RoomQuery::most_users().limit(10))?;
/// assert_eq!(page.rooms.iter().map(|room| room.id().as_str()).collect::<Vec<_>>(), ["song", "talk"]);
/// let page = registry.page(&RoomQuery::newest().attribute("mode", "talk"))?;
/// assert_eq!(page.rooms.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A query that is kept:
///
/// ```
/// use room_registry::{RoomQuery, RoomRef};
///
/// fn lively(at_least: usize) -> RoomQuery<'static> {
///     RoomQuery::newest().filter(move |room: RoomRef<'_>| room.user_count() >= at_least).without_full()
/// }
/// let kept: Vec<RoomQuery<'static>> = vec![lively(2), lively(10).attribute("mode", "talk")];
/// assert_eq!(kept.clone().len(), 2);
/// ```
#[derive(Clone)]
#[must_use]
pub struct RoomQuery<'q> {
    /// The order of the list.
    pub(super) order: RoomOrder,
    /// How many rooms a page has at most: at least one.
    pub(super) limit: usize,
    /// How many rooms a page looks at at most: at least one.
    pub(super) look_at_most: usize,
    /// Where the page before ended; `None` for the first page.
    pub(super) after: Option<RoomCursor>,
    /// The attributes that a room must have, as key and value.
    pub(super) attributes: Vec<(Text, Text)>,
    /// What the name of a room must begin with, in lower case. It is not empty.
    pub(super) name_prefix: Option<Text>,
    /// Who must run a room.
    pub(super) host_id: Option<Text>,
    /// The users of whom a room must list one.
    pub(super) with_any_user: Option<Vec<Text>>,
    /// Whether a room must have a visible session, or must have none.
    open_session: Option<bool>,
    /// Whether to leave out full rooms.
    pub(super) without_full: bool,
    /// What else must be true of a room.
    predicates: Vec<Arc<OfRoom<'q, bool>>>,
    /// The score, if the order is by score.
    pub(super) score: Option<Arc<OfRoom<'q, u64>>>,
}

/// A function of a room that the caller gives: a predicate, or a score.
type OfRoom<'q, T> = dyn Fn(RoomRef<'_>) -> T + Send + Sync + 'q;

/// Documents a query's method with an example on three rooms, a to c.
macro_rules! query_example {
    ($($line:literal),+) => {
        concat!(
            "```\n",
            "# use room_registry::*;\n",
            "# use room_registry::{event::*, journal::*, page::*, repair::*, visible::*};\n",
            "# let clock = ManualClock::at(Timestamp::from_secs(1));\n",
            "# let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());\n",
            "# for (room, mode) in [(\"a\", \"talk\"), (\"b\", \"talk\"), (\"c\", \"song\")] {\n",
            "#     registry.create_room(NewRoom::new(room, \"tom\").name(room).attribute(\"mode\", mode))?;\n",
            "#     clock.advance(std::time::Duration::from_secs(1));\n",
            "# }\n",
            "# registry.join_room(\"b\", NewUser::new(\"ann\"))?;\n",
            "# let ids = |query: &RoomQuery<'_>| -> Result<Vec<String>, CursorError> {\n",
            "#     Ok(registry.page(query)?.rooms.iter().map(|room| room.id().to_string()).collect())\n",
            "# };\n",
            $($line, "\n",)+
            "# Ok::<(), Box<dyn std::error::Error>>(())\n",
            "```"
        )
    };
}

pub(super) use query_example;

impl<'q> RoomQuery<'q> {
    /// Lists rooms in an order that is known only at run time.
    ///
    #[doc = query_example!("assert_eq!(ids(&RoomQuery::new(\"users\".parse()?))?, [\"b\", \"a\", \"c\"]);")]
    pub fn new(order: RoomOrder) -> Self {
        Self {
            order,
            limit: DEFAULT_LIMIT,
            look_at_most: DEFAULT_LOOK,
            after: None,
            attributes: Vec::new(),
            name_prefix: None,
            host_id: None,
            with_any_user: None,
            open_session: None,
            without_full: false,
            predicates: Vec::new(),
            score: None,
        }
    }

    /// Lists the newest first: by (created at, else opened at; id), descending.
    ///
    #[doc = query_example!("assert_eq!(ids(&RoomQuery::newest())?, [\"c\", \"b\", \"a\"]);")]
    pub fn newest() -> Self {
        Self::new(RoomOrder::Newest)
    }

    /// Lists the oldest first.
    ///
    #[doc = query_example!("assert_eq!(ids(&RoomQuery::oldest())?, [\"a\", \"b\", \"c\"]);")]
    pub fn oldest() -> Self {
        Self::new(RoomOrder::Oldest)
    }

    /// Lists the rooms with the most users first. Among equals, the lower id comes first.
    ///
    #[doc = query_example!("assert_eq!(ids(&RoomQuery::most_users())?, [\"b\", \"a\", \"c\"]);")]
    pub fn most_users() -> Self {
        Self::new(RoomOrder::MostUsers)
    }

    /// Lists by id.
    ///
    #[doc = query_example!("assert_eq!(ids(&RoomQuery::by_id())?, [\"a\", \"b\", \"c\"]);")]
    pub fn by_id() -> Self {
        Self::new(RoomOrder::Id)
    }

    /// Lists the rooms with the highest score first. Among equal scores, the lower id comes first.
    ///
    /// **Cost:** each page looks at *every* room that no index leaves out, whatever
    /// [`look_at_most`](Self::look_at_most) says, because nobody knows a score beforehand. A score that
    /// changes between two pages moves its room, as users who come and go do in the list by users. The
    /// cursor does not know which score made it: hand it to a query with the same score.
    /// [`RoomRegistry::top`] needs no cursor, and takes scores of any type.
    ///
    #[doc = query_example!(
        "let liveliness = |room: RoomRef<'_>| room.user_count() as u64 * 10 + room.stream_count() as u64;",
        "let page = registry.page(&RoomQuery::by_score(liveliness).limit(1))?;",
        "assert_eq!(page.rooms[0].id(), \"b\");",
        "let next = RoomQuery::by_score(liveliness).after(page.next.unwrap());",
        "assert_eq!(ids(&next)?, [\"a\", \"c\"]);"
    )]
    ///
    /// [`RoomRegistry::top`]: crate::RoomRegistry::top
    pub fn by_score(score: impl Fn(RoomRef<'_>) -> u64 + Send + Sync + 'q) -> Self {
        Self { score: Some(Arc::new(score)), ..Self::new(RoomOrder::Score) }
    }

    /// Sets how many rooms a page has at most: at least one, and 20 by default. The library does not cap
    /// it, so cap a number that a client chooses.
    ///
    #[doc = query_example!("assert_eq!(ids(&RoomQuery::newest().limit(2))?, [\"c\", \"b\"]);")]
    pub fn limit(mut self, rooms: usize) -> Self {
        self.limit = rooms.max(1);
        self
    }

    /// Sets how many rooms a page may look at, because filters may reject many: at least one, and 10,000 by
    /// default. After that the page ends early. It [says so](crate::page::RoomPage::stopped_early), and its
    /// cursor continues from there.
    ///
    #[doc = query_example!(
        "let page = registry.page(&RoomQuery::newest().attribute(\"mode\", \"talk\").look_at_most(1))?;",
        "assert!(page.rooms.is_empty()); // it looked at \"c\" only",
        "assert!(page.stopped_early && page.next.is_some());"
    )]
    pub fn look_at_most(mut self, rooms: usize) -> Self {
        self.look_at_most = rooms.max(1);
        self
    }

    /// Continues after the end of a page; `None` starts at the beginning. So you can pass a request's
    /// optional cursor as it came.
    ///
    #[doc = query_example!(
        "let next = registry.page(&RoomQuery::newest().limit(2))?.next.unwrap();",
        "assert_eq!(ids(&RoomQuery::newest().after(next))?, [\"a\"]);",
        "assert_eq!(ids(&RoomQuery::newest().after(None))?.len(), 3);"
    )]
    pub fn after(mut self, cursor: impl Into<Option<RoomCursor>>) -> Self {
        self.after = cursor.into();
        self
    }

    /// Keeps only rooms that have this attribute. If you name several, a room must have them all.
    ///
    /// [`index_attributes`](crate::ConfigBuilder::index_attributes) finds them without looking at the
    /// others.
    ///
    #[doc = query_example!("assert_eq!(ids(&RoomQuery::by_id().attribute(\"mode\", \"talk\"))?, [\"a\", \"b\"]);")]
    pub fn attribute(mut self, key: impl Into<Text>, value: impl Into<Text>) -> Self {
        self.attributes.push((key.into(), value.into()));
        self
    }

    /// Keeps only rooms whose name begins with this prefix, in upper or lower case. An empty prefix keeps
    /// every room, like a search box into which nobody has typed yet. A second prefix replaces the first.
    ///
    /// Each character is compared in lower case, as Unicode defines it. Nothing else is folded: `é` in one
    /// character and in two differ, and so do `ß` and `ss`. Normalise names and prefixes yourself if that
    /// matters.
    ///
    /// [`index_names`](crate::ConfigBuilder::index_names) finds them without looking at the others. It
    /// holds the first 64 characters of each name, and a page looks at the rooms that share these with the
    /// prefix.
    ///
    #[doc = query_example!(
        "assert_eq!(ids(&RoomQuery::by_id().name_prefix(\"C\"))?, [\"c\"]);",
        "assert_eq!(ids(&RoomQuery::by_id().name_prefix(\"\"))?.len(), 3);"
    )]
    pub fn name_prefix(mut self, prefix: impl AsRef<str>) -> Self {
        let prefix: String = folded(prefix.as_ref()).collect();
        self.name_prefix = Text::from(prefix).non_empty();
        self
    }

    /// Keeps only rooms that this user runs, as [`RoomRef::host_id`] tells. An index always finds them. A
    /// second host replaces the first.
    ///
    #[doc = query_example!("assert!(ids(&RoomQuery::by_id().host(\"ann\"))?.is_empty());")]
    pub fn host(mut self, host_id: impl Into<Text>) -> Self {
        self.host_id = Some(host_id.into());
        self
    }

    /// Keeps only rooms that list any of these users, such as a user's friends. Without users, it keeps no
    /// room. A second call replaces the first.
    ///
    /// With [`index_users`](crate::ConfigBuilder::index_users) this costs a look-up for each user. Without
    /// it, each room that the page looks at costs that.
    ///
    #[doc = query_example!(
        "assert_eq!(ids(&RoomQuery::newest().with_any_user([\"ann\", \"bob\"]))?, [\"b\"]);"
    )]
    pub fn with_any_user(mut self, user_ids: impl IntoIterator<Item = impl Into<Text>>) -> Self {
        self.with_any_user = Some(user_ids.into_iter().map(Into::into).collect());
        self
    }

    /// Keeps only rooms with a visible session, or only those without.
    ///
    #[doc = query_example!("assert!(ids(&RoomQuery::by_id().open_session(true))?.is_empty());")]
    pub fn open_session(mut self, is_open: bool) -> Self {
        self.open_session = Some(is_open);
        self
    }

    /// Leaves out full rooms: those with as many users as their own limit or
    /// [`max_users_per_room`](crate::ConfigBuilder::max_users_per_room) allows. It costs nothing: a page
    /// does not look at them.
    ///
    /// ```
    /// use room_registry::{Config, ManualClock, NewRoom, NewUser, RoomQuery, RoomRegistry};
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// registry.create_room(NewRoom::new("booth", "ann").max_users(1))?;
    /// registry.create_room(NewRoom::new("hall", "ann"))?;
    /// registry.join_room("booth", NewUser::new("ann"))?;
    /// let page = registry.page(&RoomQuery::by_id().without_full())?;
    /// assert!(page.rooms.iter().map(|room| room.id()).eq(["hall"]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn without_full(mut self) -> Self {
        self.without_full = true;
        self
    }

    /// Keeps only rooms for which this is true. Of several predicates, all must be true.
    ///
    #[doc = query_example!(
        "let at_least = 1; // a closure may capture",
        "let lively = RoomQuery::by_id().filter(move |room: RoomRef<'_>| room.user_count() >= at_least);",
        "assert_eq!(ids(&lively)?, [\"b\"]);",
        "assert!(ids(&lively.filter(|room: RoomRef<'_>| room.id() != \"b\"))?.is_empty());"
    )]
    pub fn filter(mut self, predicate: impl Fn(RoomRef<'_>) -> bool + Send + Sync + 'q) -> Self {
        self.predicates.push(Arc::new(predicate));
        self
    }

    /// Returns whether a room passes the filters, except those by users and by full rooms, which `pages.rs`
    /// applies.
    pub(super) fn accepts(&self, room: RoomRef<'_>) -> bool {
        let is_named = |prefix: &Text| room.name().is_some_and(|name| is_named(name, prefix));
        self.open_session.is_none_or(|is_open| room.session().is_some() == is_open)
            && self.host_id.as_ref().is_none_or(|host_id| {
                room.host_id().is_some_and(|id| id.as_str() == host_id.as_str())
            })
            && self.name_prefix.as_ref().is_none_or(is_named)
            && (self.attributes.is_empty() || self.has_attributes(room))
            && self.predicates.iter().all(|predicate| predicate(room))
    }

    fn has_attributes(&self, room: RoomRef<'_>) -> bool {
        let held = room.attributes();
        self.attributes
            .iter()
            .all(|(key, value)| held.get(key).is_some_and(|is| is == value.as_str()))
    }
}

/// Returns whether a name begins with a prefix that is in lower case.
fn is_named(name: &str, prefix: &str) -> bool {
    let mut name = folded(name);
    prefix.chars().all(|expected| name.next() == Some(expected))
}

impl fmt::Debug for RoomQuery<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoomQuery")
            .field("order", &self.order)
            .field("limit", &self.limit)
            .field("look_at_most", &self.look_at_most)
            .field("after", &self.after)
            .field("attributes", &self.attributes)
            .field("name_prefix", &self.name_prefix)
            .field("host_id", &self.host_id)
            .field("with_any_user", &self.with_any_user)
            .field("open_session", &self.open_session)
            .field("without_full", &self.without_full)
            .field("predicates", &self.predicates.len())
            .finish_non_exhaustive()
    }
}
