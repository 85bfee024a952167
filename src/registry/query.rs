//! Pages of the room list.

use std::fmt;

use crate::model::cursor::{CursorError, RoomCursor, RoomOrder};
use crate::model::id::RoomId;
use crate::model::time::Timestamp;
use crate::read::RoomRef;
use crate::registry::RoomRegistry;
use crate::registry::clock::Clock;
use crate::registry::orders::Listed;

/// How many rooms a page has by default.
const DEFAULT_LIMIT: usize = 20;
/// How many rooms a page looks at by default.
const DEFAULT_LOOK: usize = 10_000;

/// Says which rooms to list, in which order, and how many.
///
/// Without filters a page costs the logarithm of the rooms, and the rooms that it has. With filters
/// it also costs the rooms that it looks at, which [`look_at_most`](Self::look_at_most) bounds.
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
#[must_use]
pub struct RoomQuery<'q> {
    order: RoomOrder,
    limit: usize,
    look_at_most: usize,
    after: Option<RoomCursor>,
    attributes: Vec<(&'q str, &'q str)>,
    name_prefix: Option<&'q str>,
    host_id: Option<&'q str>,
    open_session: Option<bool>,
    without_full: bool,
    predicate: Option<&'q dyn Fn(RoomRef<'_>) -> bool>,
}

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

impl<'q> RoomQuery<'q> {
    /// Lists rooms in an order that is known only when the program runs.
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
            open_session: None,
            without_full: false,
            predicate: None,
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

    /// Lists those with most users first. Of equally many, the lower id comes first.
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

    /// Sets how many rooms a page has at most: at least one, and 20 by default.
    ///
    #[doc = query_example!("assert_eq!(ids(&RoomQuery::newest().limit(2))?, [\"c\", \"b\"]);")]
    pub fn limit(mut self, rooms: usize) -> Self {
        self.limit = rooms.max(1);
        self
    }

    /// Sets how many rooms a page looks at, because filters may reject many: at least one, and 10,000
    /// by default. After that the page ends early, with its cursor.
    ///
    #[doc = query_example!(
        "let page = registry.page(&RoomQuery::newest().attribute(\"mode\", \"talk\").look_at_most(1))?;",
        "assert!(page.rooms.is_empty()); // it looked at \"c\" only",
        "assert!(page.next.is_some());"
    )]
    pub fn look_at_most(mut self, rooms: usize) -> Self {
        self.look_at_most = rooms.max(1);
        self
    }

    /// Goes on behind the end of a page.
    ///
    #[doc = query_example!(
        "let next = registry.page(&RoomQuery::newest().limit(2))?.next.unwrap();",
        "assert_eq!(ids(&RoomQuery::newest().after(next))?, [\"a\"]);"
    )]
    pub fn after(mut self, cursor: RoomCursor) -> Self {
        self.after = Some(cursor);
        self
    }

    /// Keeps only rooms that have this attribute. Of several, a room must have all.
    ///
    #[doc = query_example!("assert_eq!(ids(&RoomQuery::by_id().attribute(\"mode\", \"talk\"))?, [\"a\", \"b\"]);")]
    pub fn attribute(mut self, key: &'q str, value: &'q str) -> Self {
        self.attributes.push((key, value));
        self
    }

    /// Keeps only rooms whose name begins like this.
    ///
    #[doc = query_example!("assert_eq!(ids(&RoomQuery::by_id().name_prefix(\"c\"))?, [\"c\"]);")]
    pub fn name_prefix(mut self, prefix: &'q str) -> Self {
        self.name_prefix = Some(prefix);
        self
    }

    /// Keeps only rooms that this user runs.
    ///
    #[doc = query_example!("assert!(ids(&RoomQuery::by_id().host(\"ann\"))?.is_empty());")]
    pub fn host(mut self, host_id: &'q str) -> Self {
        self.host_id = Some(host_id);
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
    #[doc = query_example!(
        "let none_has_a_limit = RoomQuery::by_id().without_full();",
        "assert_eq!(ids(&none_has_a_limit)?, [\"a\", \"b\", \"c\"]);"
    )]
    pub fn without_full(mut self) -> Self {
        self.without_full = true;
        self
    }

    /// Keeps only rooms of which this is true.
    ///
    #[doc = query_example!(
        "let lively = |room: RoomRef<'_>| room.user_count() > 0;",
        "assert_eq!(ids(&RoomQuery::by_id().filter(&lively))?, [\"b\"]);"
    )]
    pub fn filter(mut self, predicate: &'q dyn Fn(RoomRef<'_>) -> bool) -> Self {
        self.predicate = Some(predicate);
        self
    }

    fn accepts(&self, room: RoomRef<'_>) -> bool {
        self.open_session.is_none_or(|is_open| room.session().is_some() == is_open)
            && self.host_id.is_none_or(|host_id| room.host_id().is_some_and(|id| id == host_id))
            && self
                .name_prefix
                .is_none_or(|prefix| room.name().is_some_and(|name| name.starts_with(prefix)))
            && self.attributes.iter().all(|(key, value)| room.attributes().get(key) == Some(value))
            && self.predicate.is_none_or(|predicate| predicate(room))
    }
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
            .field("open_session", &self.open_session)
            .field("without_full", &self.without_full)
            .field("predicate", &self.predicate.is_some())
            .finish()
    }
}

/// A page of the room list.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct RoomPage<'r> {
    /// The rooms, in the order that was asked for.
    pub rooms: Vec<RoomRef<'r>>,
    /// Where to go on; `None` at the end of the list.
    pub next: Option<RoomCursor>,
}

impl<C: Clock> RoomRegistry<C> {
    /// Returns a page of the room list.
    ///
    /// A walk through all pages meets every room that kept its place exactly once, whatever came and
    /// went meanwhile. A room moves in the list by users when
    /// users come or go, and in those by age when it is created again. The walk may meet it once more
    /// for each move, or miss it if it moved to a place that the walk had passed. In the list by id no
    /// room ever moves.
    ///
    /// Cost: the logarithm of the rooms, and the rooms that are looked at.
    ///
    /// # Errors
    ///
    /// [`CursorError::OtherOrder`] if the cursor is of a list in another order.
    ///
    #[doc = query_example!(
        "let page = registry.page(&RoomQuery::oldest().limit(2))?;",
        "assert_eq!(page.rooms[0].id(), \"a\");",
        "let page = registry.page(&RoomQuery::oldest().limit(2).after(page.next.unwrap()))?;",
        "assert_eq!(page.rooms[0].id(), \"c\");",
        "assert!(page.next.is_none());"
    )]
    pub fn page(&self, query: &RoomQuery<'_>) -> Result<RoomPage<'_>, CursorError> {
        let mut page = RoomPage::default();
        self.page_into(query, &mut page)?;
        Ok(page)
    }

    /// Fills a page as [`page`](Self::page) does. A page that is large enough already costs no
    /// allocation.
    ///
    /// # Errors
    ///
    /// [`CursorError::OtherOrder`] if the cursor is of a list in another order. The page stays as it
    /// was.
    ///
    #[doc = query_example!(
        "let mut page = RoomPage::default();",
        "registry.page_into(&RoomQuery::oldest().limit(2), &mut page)?;",
        "assert_eq!(page.rooms.len(), 2);"
    )]
    pub fn page_into<'r>(
        &'r self,
        query: &RoomQuery<'_>,
        page: &mut RoomPage<'r>,
    ) -> Result<(), CursorError> {
        if let Some(cursor) = query.after.as_ref().filter(|cursor| cursor.order != query.order) {
            return Err(CursorError::OtherOrder { expected: query.order, found: cursor.order });
        }
        let after = query.after.as_ref().map(|cursor| (cursor.key, &cursor.room_id));
        let by_age = after.map(|(key, id)| (Timestamp::from_millis(key), id));
        let (orders, full) = (self.index.orders(), !query.without_full);
        match query.order {
            RoomOrder::Newest => self.collect(query, orders.newest_after(by_age, full), page),
            RoomOrder::Oldest => self.collect(query, orders.oldest_after(by_age, full), page),
            RoomOrder::MostUsers => self.collect(query, orders.most_users_after(after, full), page),
            RoomOrder::Id => {
                let after = after.map(|(_, id)| id);
                self.collect(query, orders.ids_after(after, full), page);
            }
        }
        Ok(())
    }

    /// Returns the rooms with the highest scores, in descending order. Of equal scores, the lower id
    /// comes first.
    ///
    /// Cost: all rooms, times the logarithm of `rooms`.
    ///
    #[doc = query_example!(
        "let top = registry.top(2, |room| room.user_count() * 10 + room.stream_count());",
        "assert_eq!(top[0].id(), \"b\");"
    )]
    #[must_use]
    pub fn top<S: Ord>(&self, rooms: usize, score: impl Fn(RoomRef<'_>) -> S) -> Vec<RoomRef<'_>> {
        use std::cmp::Reverse;
        use std::collections::BinaryHeap;

        // The lowest of the best is on top, so that it goes when a better one comes.
        let mut best: BinaryHeap<Reverse<(S, Reverse<&RoomId>)>> = BinaryHeap::new();
        for room in
            self.index.orders().ids_after(None, true).filter_map(|(_, _, at)| self.listed_room(at))
        {
            best.push(Reverse((score(room), Reverse(room.id()))));
            if best.len() > rooms {
                best.pop();
            }
        }
        let best = best.into_sorted_vec().into_iter();
        best.filter_map(|Reverse((_, Reverse(id)))| self.room(id.as_str())).collect()
    }

    /// Returns the rooms of these ids that are listed, in this order. Such are a user's own favourites,
    /// before the pages of the list. It passes over ids that are not listed. Cost: the ids.
    ///
    #[doc = query_example!(
        "let preferred: Vec<_> = registry.rooms_of([\"c\", \"gone\", \"a\"]).map(|room| room.id()).collect();",
        "assert_eq!(preferred, [\"c\", \"a\"]);"
    )]
    pub fn rooms_of<'a>(
        &'a self,
        room_ids: impl IntoIterator<Item = impl AsRef<str>> + 'a,
    ) -> impl Iterator<Item = RoomRef<'a>> {
        room_ids.into_iter().filter_map(|room_id| self.room(room_id.as_ref()))
    }

    /// Returns the rooms in whose lists a user is, by id. It needs
    /// [`index_users`](crate::ConfigBuilder::index_users), and returns none without it.
    ///
    /// Cost: those rooms.
    ///
    /// ```
    /// use room_registry::{Config, ManualClock, NewRoom, NewUser, RoomRegistry};
    /// let config = Config::builder().index_users(true).build().unwrap();
    /// let mut registry = RoomRegistry::with_clock(config, ManualClock::default());
    /// for room in ["a", "b", "c"] {
    ///     registry.create_room(NewRoom::new(room, "tom"))?;
    /// }
    /// registry.join_room("a", NewUser::new("ann"))?;
    /// registry.join_room("c", NewUser::new("ann"))?;
    /// let ids: Vec<_> = registry.rooms_with_user("ann").map(|room| room.id().as_str()).collect();
    /// assert_eq!(ids, ["a", "c"]);
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    pub fn rooms_with_user(&self, user_id: &str) -> impl Iterator<Item = RoomRef<'_>> {
        let rooms = self.users.as_ref().map(|users| users.rooms_of(user_id));
        rooms.into_iter().flatten().filter_map(|room_id| self.room(room_id.as_str()))
    }

    fn collect<'a>(
        &'a self,
        query: &RoomQuery<'_>,
        places: impl Iterator<Item = Listed<'a>>,
        page: &mut RoomPage<'a>,
    ) {
        let mut places = places.peekable();
        let mut looked_at = 0;
        let mut last = None;
        page.rooms.clear();
        while page.rooms.len() < query.limit
            && looked_at < query.look_at_most
            && let Some((key, room_id, number)) = places.next()
        {
            looked_at += 1;
            last = Some((key, room_id));
            page.rooms.extend(self.listed_room(number).filter(|room| query.accepts(*room)));
        }
        let more = places.peek().is_some();
        page.next = last
            .filter(|_| more)
            .map(|(key, room_id)| RoomCursor::new(query.order, key, room_id.id()));
    }
}
