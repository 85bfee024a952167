//! Pages of the room list (law 4.12).
//!
//! A page *walks* along an order of the list and looks at each room, or it *picks* from the rooms that a
//! lookup names. Both give the same rooms. [`RoomRegistry::page_into`] takes the one that likely looks at fewer.

use std::cmp::Ordering;

use crate::collections::hashed::Hashed;
use crate::model::cursor::{CursorError, RoomCursor, RoomOrder};
use crate::model::id::RoomId;
use crate::model::text::Text;
use crate::model::time::Timestamp;
use crate::read::RoomRef;
use crate::registry::RoomRegistry;
use crate::registry::clock::Clock;
use crate::registry::orders::Listed;
use crate::registry::prefetch::prefetch_users;
use crate::registry::query::{RoomQuery, query_example};

/// A page of the room list. It serialises each room in one line, as its
/// [`summary`](RoomRef::summary).
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct RoomPage<'r> {
    /// The rooms, in the order that was asked for.
    pub rooms: Vec<RoomRef<'r>>,
    /// Where to continue; `None` at the end of the list.
    pub next: Option<RoomCursor>,
    /// Whether the page stopped before it was full, because it had looked at as many rooms as
    /// [`RoomQuery::look_at_most`] allows. `next` continues after the last of them.
    pub stopped_early: bool,
}

impl<C: Clock> RoomRegistry<C> {
    /// Returns a page of the room list.
    ///
    /// A walk through all pages meets every room that kept its place exactly once, whatever came and went
    /// meanwhile. A room moves in the list by users when users come or go, and in those by age when it is
    /// created again. The walk may then meet it again. It may also miss a room that moved to a place
    /// already passed. In the list by id, no room ever moves.
    ///
    /// Cost: the logarithm of the rooms, and the rooms that are looked at: see
    /// [`RoomQuery`](RoomQuery#cost).
    ///
    /// # Errors
    ///
    /// [`CursorError::OtherOrder`] if the cursor comes from a list in another order.
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

    /// Fills a page as [`page`](Self::page) does. If the page is already large enough, this costs no
    /// allocation.
    ///
    /// # Errors
    ///
    /// [`CursorError::OtherOrder`] if the cursor comes from a list in another order. The page stays as it
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
        let with_user = self.with_any_user(query);
        let find = Find { query, with_user: with_user.as_deref() };
        if query.score.is_some() {
            match self.fewest_named(find, usize::MAX) {
                Some(numbers) => self.pick(find, numbers, page),
                None => self.pick(find, 0..self.rooms.len(), page),
            }
            return Ok(());
        }
        // Let a lookup name n of all rooms. To pick costs n. If the named rooms lie evenly in the list, a walk
        // finds a page of them among limit × rooms / n. The two are equal at the square root.
        let few = (query.limit.saturating_mul(self.room_count())).isqrt().min(query.look_at_most);
        if let Some(numbers) = self.fewest_named(find, few) {
            self.pick(find, numbers, page);
            return Ok(());
        }
        if self.is_any_named(find) {
            // It names many. If they lie together elsewhere in the list, a short walk finds none. Then they are
            // picked after all, if that looks at no more rooms than the query allows.
            self.walk(find, few, page);
            if !page.stopped_early {
                return Ok(());
            }
            if let Some(numbers) = self.fewest_named(find, query.look_at_most - few) {
                self.pick(find, numbers, page);
                return Ok(());
            }
        }
        self.walk(find, query.look_at_most, page);
        Ok(())
    }

    /// Returns the rooms with the highest scores, in descending order. Among equal scores, the lower id
    /// comes first. [`RoomQuery::by_score`] has filters and a cursor.
    ///
    /// Cost: *every* room, times the logarithm of `rooms`.
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

    /// Returns the listed rooms with these ids, in this order. Use it to show a user's favourites before
    /// the pages of the list. It skips ids that are not listed. Cost: the ids.
    ///
    #[doc = query_example!(
        "let preferred: Vec<_> = registry.rooms_by_id([\"c\", \"gone\", \"a\"]).map(|room| room.id()).collect();",
        "assert_eq!(preferred, [\"c\", \"a\"]);"
    )]
    pub fn rooms_by_id<'a>(
        &'a self,
        room_ids: impl IntoIterator<Item = impl AsRef<str>> + 'a,
    ) -> impl Iterator<Item = RoomRef<'a>> {
        room_ids.into_iter().filter_map(|room_id| self.room(room_id.as_ref()))
    }

    /// Returns the rooms that list a user, by id. It needs
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

    /// Returns the numbers of the rooms that list any of the users of a query, in ascending order. `None` if the
    /// query asks for no users, or the setting `index_users` is off.
    fn with_any_user(&self, query: &RoomQuery<'_>) -> Option<Vec<usize>> {
        let (user_ids, users) = (query.with_any_user.as_ref()?, self.users.as_ref()?);
        let user_ids: Vec<_> = user_ids.iter().map(|user_id| Hashed::new(&**user_id)).collect();
        prefetch_users(users, &user_ids);
        let room_ids = user_ids.iter().flat_map(|user_id| users.rooms_of(user_id));
        let room_ids: Vec<_> = room_ids.map(Hashed::new).collect();
        self.prefetch_listed(&room_ids);
        let mut numbers: Vec<_> =
            room_ids.iter().filter_map(|room_id| self.rooms.number_of(room_id)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        Some(numbers)
    }

    /// Returns the numbers of the rooms that one lookup names: the lookup that names the fewest. `None` if each
    /// names more than `most`, or none serves a filter of the query. Cost: `most` for each lookup.
    ///
    /// A lookup may name a room too many, because it holds only the beginning of a text. Whoever takes the
    /// rooms looks at each.
    fn fewest_named(&self, find: Find<'_, '_>, most: usize) -> Option<Vec<usize>> {
        let (query, lookups) = (find.query, self.index.lookups());
        let mut fewest: Option<Vec<usize>> = None;
        let mut consider = |named: &mut dyn Iterator<Item = usize>| {
            let most = fewest.as_ref().map_or(most, Vec::len);
            let numbers: Vec<_> = named.take(most.saturating_add(1)).collect();
            if numbers.len() <= most {
                fewest = Some(numbers);
            }
        };
        if let Some(numbers) = find.with_user {
            consider(&mut numbers.iter().copied());
        }
        if let Some(host_id) = &query.host_id {
            consider(&mut lookups.of_host(host_id));
        }
        for (key, value) in &query.attributes {
            if let Some(mut named) = lookups.with(key, value) {
                consider(&mut named);
            }
        }
        if let Some(prefix) = &query.name_prefix
            && let Some(mut named) = lookups.named(prefix)
        {
            consider(&mut named);
        }
        fewest
    }

    /// Returns whether a lookup serves one of the filters.
    fn is_any_named(&self, find: Find<'_, '_>) -> bool {
        let (query, lookups) = (find.query, self.index.lookups());
        let has = |(key, value): &(Text, Text)| lookups.with(key, value).is_some();
        find.with_user.is_some()
            || query.host_id.is_some()
            || query.attributes.iter().any(has)
            || query.name_prefix.as_ref().is_some_and(|prefix| lookups.named(prefix).is_some())
    }

    /// Fills a page with the first of these rooms, in the order of the query, that pass the filters and come
    /// after the cursor. Cost: the rooms.
    fn pick<'r>(
        &'r self,
        find: Find<'_, '_>,
        numbers: impl IntoIterator<Item = usize>,
        page: &mut RoomPage<'r>,
    ) {
        let query = find.query;
        let mut found: Vec<(u64, RoomRef<'r>)> = Vec::new();
        for number in numbers {
            let Some(held) = self.rooms.held(number) else { continue };
            let Some(standing) = held.keys.standing() else { continue };
            let room = RoomRef::new(&held.room);
            if query.without_full && standing.is_full || !find.accepts(number, room) {
                continue;
            }
            let key = match &query.score {
                Some(score) => score(room),
                None => standing.key(query.order),
            };
            let is_behind = |after: &RoomCursor| {
                in_order(query.order, (after.key, &after.room_id), (key, room.id())).is_lt()
            };
            if query.after.as_ref().is_none_or(is_behind) {
                found.push((key, room));
            }
        }
        let place = |(key, room): &(u64, RoomRef<'r>)| (*key, room.id());
        found.sort_unstable_by(|a, b| in_order(query.order, place(a), place(b)));
        let last = found.get(query.limit - 1).filter(|_| found.len() > query.limit);
        page.next = last.map(|(key, room)| RoomCursor::new(query.order, *key, room.id().clone()));
        page.stopped_early = false;
        page.rooms.clear();
        page.rooms.extend(found.into_iter().take(query.limit).map(|(_, room)| room));
    }

    /// Fills a page with the rooms that pass the filters, along the order of the list. It looks at
    /// `look_at_most` rooms.
    fn walk<'r>(&'r self, find: Find<'_, '_>, look_at_most: usize, page: &mut RoomPage<'r>) {
        let query = find.query;
        let after = query.after.as_ref().map(|cursor| (cursor.key, &cursor.room_id));
        let by_age = after.map(|(key, id)| (Timestamp::from_millis(key), id));
        let (orders, full) = (self.index.orders(), !query.without_full);
        match query.order {
            RoomOrder::Newest => {
                self.collect(find, look_at_most, orders.newest_after(by_age, full), page);
            }
            RoomOrder::Oldest => {
                self.collect(find, look_at_most, orders.oldest_after(by_age, full), page);
            }
            RoomOrder::MostUsers => {
                self.collect(find, look_at_most, orders.most_users_after(after, full), page);
            }
            // An order by score without a score: all rooms are equal, and ids decide.
            RoomOrder::Id | RoomOrder::Score => {
                let after = after.map(|(_, id)| id);
                self.collect(find, look_at_most, orders.ids_after(after, full), page);
            }
        }
    }

    /// Fills a page from rooms that come in the order of the list. The cursor continues after the last room
    /// that was looked at, whether it passed the filters or not.
    fn collect<'r>(
        &'r self,
        find: Find<'_, '_>,
        look_at_most: usize,
        places: impl Iterator<Item = Listed<'r>>,
        page: &mut RoomPage<'r>,
    ) {
        let query = find.query;
        let mut places = places.peekable();
        let mut looked_at = 0;
        let mut last = None;
        page.rooms.clear();
        while page.rooms.len() < query.limit
            && looked_at < look_at_most
            && let Some((key, room_id, number)) = places.next()
        {
            looked_at += 1;
            last = Some((key, room_id));
            page.rooms.extend(self.listed_room(number).filter(|room| find.accepts(number, *room)));
        }
        let more = places.peek().is_some();
        page.stopped_early = more && page.rooms.len() < query.limit;
        page.next = last
            .filter(|_| more)
            .map(|(key, room_id)| RoomCursor::new(query.order, key, room_id.id()));
    }
}

/// A query, with what a lookup found for it beforehand.
#[derive(Clone, Copy)]
struct Find<'f, 'q> {
    query: &'f RoomQuery<'q>,
    /// The numbers of the rooms that list any of its users, in ascending order; `None` if no lookup knows.
    with_user: Option<&'f [usize]>,
}

impl Find<'_, '_> {
    /// Returns whether a room passes the filters, except the one that leaves out full rooms: the orders keep
    /// those apart.
    fn accepts(self, number: usize, room: RoomRef<'_>) -> bool {
        let is_with_user = match (self.with_user, &self.query.with_any_user) {
            (Some(numbers), _) => numbers.binary_search(&number).is_ok(),
            (None, Some(user_ids)) => user_ids.iter().any(|user_id| room.user(user_id).is_some()),
            (None, None) => true,
        };
        is_with_user && self.query.accepts(room)
    }
}

/// Compares the keys and ids of two rooms in an order of the list. The newest first reverses both, and the
/// most users first reverses the key alone (law 4.9).
fn in_order(order: RoomOrder, a: (u64, &RoomId), b: (u64, &RoomId)) -> Ordering {
    match order {
        RoomOrder::Newest => b.cmp(&a),
        RoomOrder::Oldest | RoomOrder::Id => a.cmp(&b),
        RoomOrder::MostUsers | RoomOrder::Score => b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)),
    }
}
