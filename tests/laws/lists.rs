//! Lists: orders, pages, cursors.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use room_registry::event::{CallbackEvent, RoomClosed, StreamCreated, UserLoggedIn, UserLoggedOut};
use room_registry::page::{
    CursorError, Direction, RoomCursor, RoomOrder, StreamCursor, UserCursor,
};
use room_registry::{
    Callback, Clock, Config, ManualClock, NewRoom, NewUser, RoomId, RoomQuery, RoomRef,
    RoomRegistry, SessionId, StreamId, StreamRef, StreamSessionId, Timestamp, UserId, UserRef,
    UserSessionId,
};
use room_registry_world::effort::properties;
use room_registry_world::room::Stays;

const ORDERS: [RoomOrder; 4] =
    [RoomOrder::Newest, RoomOrder::Oldest, RoomOrder::MostUsers, RoomOrder::Id];

#[derive(Debug, Clone)]
enum Step {
    Create(u8),
    End(u8),
    Join(u8, u8),
    Leave(u8, u8),
    /// The media server tells of a user, in one of its forms.
    LogIn(u8, u8, Form),
    LogOut(u8, u8, Form),
    Close(u8, Form),
    Pass,
}

/// How callbacks name a session, and a stay in it.
#[derive(Debug, Clone, Copy)]
struct Form {
    names_session: bool,
    stays: Stays,
}

impl Form {
    fn session(self) -> Option<SessionId> {
        self.names_session.then(|| SessionId::new("7").unwrap())
    }

    fn names(self) -> bool {
        matches!(self.stays, Stays::Named | Stays::Shared)
    }
}

fn form() -> impl Strategy<Value = Form> {
    let stays = vec![Stays::Named, Stays::Shared, Stays::Counted, Stays::Timed];
    (any::<bool>(), prop::sample::select(stays))
        .prop_map(|(names_session, stays)| Form { names_session, stays })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..12_u8).prop_map(Step::Create),
        1 => (0..12_u8).prop_map(Step::End),
        4 => (0..12_u8, 0..4_u8).prop_map(|(room, user)| Step::Join(room, user)),
        2 => (0..12_u8, 0..4_u8).prop_map(|(room, user)| Step::Leave(room, user)),
        3 => (0..12_u8, 0..4_u8, form()).prop_map(|(room, user, form)| Step::LogIn(room, user, form)),
        2 => (0..12_u8, 0..4_u8, form()).prop_map(|(room, user, form)| Step::LogOut(room, user, form)),
        1 => (0..12_u8, form()).prop_map(|(room, form)| Step::Close(room, form)),
        3 => Just(Step::Pass),
    ]
}

struct Play {
    registry: RoomRegistry<ManualClock>,
    clock: ManualClock,
}

impl Play {
    fn new() -> Self {
        let clock = ManualClock::at(Timestamp::from_secs(1_000));
        Self { registry: RoomRegistry::with_clock(Config::default(), clock.clone()), clock }
    }

    /// Refusals are part of the play.
    fn step(&mut self, step: &Step) {
        let room = |room: &u8| format!("room{room}");
        let user = |user: &u8| format!("user{user}");
        let _ = match step {
            Step::Create(id) => self.registry.create_room(NewRoom::new(room(id), "tom")),
            Step::End(id) => self.registry.end_room(&room(id)),
            Step::Join(id, who) => self.registry.join_room(&room(id), NewUser::new(user(who))),
            Step::Leave(id, who) => self.registry.leave_room(&room(id), &user(who)),
            Step::LogIn(id, who, form) => return self.hear(*id, *form, self.login(*who, *form)),
            Step::LogOut(id, who, form) => return self.hear(*id, *form, self.logout(*who, *form)),
            Step::Close(id, form) => {
                return self.hear(*id, *form, RoomClosed::new(self.clock.now()));
            }
            Step::Pass => {
                self.clock.advance(Duration::from_millis(1));
                Ok(())
            }
        };
    }

    fn hear(&mut self, room: u8, form: Form, event: impl Into<CallbackEvent>) {
        let room_id = RoomId::new(format!("room{room}")).unwrap();
        self.registry.apply_callback(&Callback::new(room_id, form.session(), event));
    }

    /// A user has one stay of each form.
    fn login(&self, who: u8, form: Form) -> UserLoggedIn {
        let at = self.clock.now();
        UserLoggedIn::new(UserId::new(format!("user{who}")).unwrap(), at)
            .user_session_id(form.names().then(|| UserSessionId::new(who.to_string()).unwrap()))
            .order((form.stays == Stays::Counted).then_some(at.as_millis()))
            .exclusive(form.stays != Stays::Shared)
    }

    fn logout(&self, who: u8, form: Form) -> UserLoggedOut {
        let at = self.clock.now();
        UserLoggedOut::new(UserId::new(format!("user{who}")).unwrap(), at)
            .user_session_id(form.names().then(|| UserSessionId::new(who.to_string()).unwrap()))
            .order((form.stays == Stays::Counted).then_some(at.as_millis()))
            .exclusive(form.stays != Stays::Shared)
    }

    /// Where every room stands in an order.
    fn places(&self, order: RoomOrder) -> BTreeMap<String, u64> {
        let place = |room: RoomRef<'_>| match order {
            RoomOrder::Newest | RoomOrder::Oldest => room.began_at().unwrap().as_millis(),
            RoomOrder::MostUsers => room.user_count() as u64,
            _ => 0,
        };
        self.registry.rooms().map(|room| (room.id().to_string(), place(room))).collect()
    }

    /// What a first server does: collect and sort.
    fn sorted(&self, order: RoomOrder) -> Vec<String> {
        let mut rooms: Vec<_> = self.places(order).into_iter().collect();
        match order {
            RoomOrder::Newest => rooms.sort_by(|a, b| (b.1, &b.0).cmp(&(a.1, &a.0))),
            RoomOrder::Oldest => rooms.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0))),
            RoomOrder::MostUsers => rooms.sort_by(|a, b| (b.1, &a.0).cmp(&(a.1, &b.0))),
            _ => rooms.sort(),
        }
        rooms.into_iter().map(|(id, _)| id).collect()
    }
}

/// A query whose cursor went to a client and came back.
fn query<'q>(order: RoomOrder, limit: usize, after: Option<&str>) -> RoomQuery<'q> {
    let after: Option<RoomCursor> = after.map(|cursor| cursor.parse().unwrap());
    RoomQuery::new(order).limit(limit).after(after)
}

proptest! {
    #![proptest_config(properties(200))]

    /// Holds law 4.9.
    #[test]
    fn pages_one_after_the_other_are_the_sorted_list(
        steps in prop::collection::vec(step(), 0..80),
        limit in 1..5_usize,
    ) {
        let mut play = Play::new();
        for step in &steps {
            play.step(step);
        }
        for order in ORDERS {
            let mut walked = Vec::new();
            let mut cursor: Option<String> = None;
            loop {
                let page = play.registry.page(&query(order, limit, cursor.as_deref())).unwrap();
                prop_assert!(page.next.is_none() || page.rooms.len() == limit);
                walked.extend(page.rooms.iter().map(|room| room.id().to_string()));
                let Some(next) = page.next else { break };
                cursor = Some(next.to_string());
            }
            prop_assert_eq!(walked, play.sorted(order), "{}", order);
        }
    }

    /// Holds law 11.1.
    #[test]
    fn a_room_that_kept_its_place_is_met_exactly_once_whatever_happens_between_pages(
        before in prop::collection::vec(step(), 0..80),
        between in prop::collection::vec(prop::collection::vec(step(), 0..8), 1..12),
        limit in 1..4_usize,
        order in prop::sample::select(ORDERS.to_vec()),
    ) {
        let mut play = Play::new();
        for step in &before {
            play.step(step);
        }
        let start = play.places(order);
        let mut kept: BTreeSet<String> = start.keys().cloned().collect();
        let mut moves: BTreeMap<String, usize> = BTreeMap::new();
        let mut met: BTreeMap<String, usize> = BTreeMap::new();
        let mut cursor: Option<String> = None;
        let mut changes = between.iter().cycle();
        for _ in 0..500 {
            let page = play.registry.page(&query(order, limit, cursor.as_deref())).unwrap();
            for room in &page.rooms {
                *met.entry(room.id().to_string()).or_default() += 1;
            }
            let Some(next) = page.next else { break };
            cursor = Some(next.to_string());
            for step in changes.next().unwrap() {
                let was = play.places(order);
                play.step(step);
                let is = play.places(order);
                kept.retain(|id| is.get(id) == start.get(id));
                for id in was.keys().chain(is.keys()).collect::<BTreeSet<_>>() {
                    if was.get(id) != is.get(id) {
                        *moves.entry(id.clone()).or_default() += 1;
                    }
                }
            }
        }
        for id in &kept {
            prop_assert_eq!(met.get(id), Some(&1), "{} kept its place", id);
        }
        for (id, times) in &met {
            prop_assert!(*times <= 1 + moves.get(id).copied().unwrap_or(0), "{} moved less often", id);
        }
    }

    #[test]
    fn any_text_is_a_cursor_or_an_error(text in "(newest|oldest|users|id|)~?[0-9]{0,22}~?[0-9]{0,4}~?.{0,12}") {
        if let Ok(cursor) = text.parse::<RoomCursor>() {
            prop_assert_eq!(cursor.to_string(), text.as_str());
            let query = RoomQuery::new(cursor.order()).after(cursor);
            prop_assert!(Play::new().registry.page(&query).is_ok());
        }
        if let Ok(cursor) = text.parse::<UserCursor>() {
            prop_assert_eq!(cursor.to_string(), text.as_str());
        }
        let _ = text.parse::<StreamCursor>();
    }

    /// Holds law 4.9.
    #[test]
    fn pages_of_users_are_the_list_of_users(
        users in prop::collection::vec(prop::option::of(form()), 0..12),
        limit in 1..5_usize,
        descending: bool,
    ) {
        let mut play = Play::new();
        play.step(&Step::Create(0));
        for (index, form) in users.iter().enumerate() {
            let who = u8::try_from(index * 7 % 12).unwrap();
            // In one of the sessions, or else without a login.
            let names_session = users.iter().flatten().next().is_some_and(|form| form.names_session);
            play.step(&match form {
                Some(form) => Step::LogIn(0, who, Form { names_session, ..*form }),
                None => Step::Join(0, who),
            });
            if index % 3 == 0 {
                play.step(&Step::Pass);
            }
        }
        let room = play.registry.room("room0").unwrap();
        prop_assert_eq!(room.users().count(), users.len());
        let place = |user: UserRef<'_>| {
            let joined_at = user.membership().map(|membership| membership.joined_at);
            let at = joined_at.or(user.login().map(|login| login.login_at)).unwrap();
            (at, user.id().to_string())
        };
        let mut expected: Vec<_> = room.users().map(place).collect();
        expected.sort();
        let mut expected: Vec<_> = expected.into_iter().map(|(_, id)| id).collect();
        let direction = if descending { Direction::NewestFirst } else { Direction::OldestFirst };
        if descending {
            expected.reverse();
        }
        let mut walked = Vec::new();
        let mut cursor: Option<UserCursor> = None;
        loop {
            let page = room.user_page(limit, cursor.as_ref(), direction);
            walked.extend(page.users.iter().map(|user| user.id().to_string()));
            let Some(next) = page.next else { break };
            cursor = Some(next.to_string().parse().unwrap());
        }
        prop_assert_eq!(walked, expected);
    }

    #[test]
    fn the_list_goes_on_behind_any_room_of_a_page(steps in prop::collection::vec(step(), 1..60)) {
        let mut play = Play::new();
        for step in &steps {
            play.step(step);
        }
        for order in ORDERS {
            let all = play.registry.page(&RoomQuery::new(order).limit(1_000)).unwrap().rooms;
            for (index, room) in all.iter().enumerate() {
                let rest = RoomQuery::new(order).limit(1_000).after(room.cursor(order));
                let rest = play.registry.page(&rest).unwrap().rooms;
                prop_assert!(rest.iter().map(|room| room.id()).eq(all[index + 1..].iter().map(|room| room.id())));
            }
            if let [room, .., last] = all[..] {
                // The cursor of a page is that of its last room.
                let page = play.registry.page(&RoomQuery::new(order).limit(1)).unwrap();
                prop_assert_eq!(page.next, Some(room.cursor(order)));
                prop_assert_ne!(room.cursor(order), last.cursor(order));
            }
        }
    }

    /// Holds law 4.9.
    #[test]
    fn pages_of_streams_are_the_list_of_streams(
        created in prop::collection::vec((0..6_u64, form()), 0..12),
        limit in 1..5_usize,
        descending: bool,
    ) {
        let clock = ManualClock::at(Timestamp::from_secs(100));
        let mut registry = RoomRegistry::with_clock(Config::default(), clock);
        for (which, (seconds, form)) in created.iter().enumerate() {
            let form = Form { names_session: created[0].1.names_session, ..*form };
            registry.apply_callback(&stream_created(which * 7 % 12, *seconds, form));
        }
        let Some(room) = registry.room("room") else { return Ok(()) };
        let place =
            |stream: StreamRef<'_>| (stream.created_at().unwrap(), stream.id().to_string());
        let mut expected: Vec<_> = room.streams().map(place).collect();
        expected.sort();
        let mut expected: Vec<_> = expected.into_iter().map(|(_, id)| id).collect();
        prop_assert_eq!(expected.len(), created.len());
        let direction = if descending { Direction::NewestFirst } else { Direction::OldestFirst };
        if descending {
            expected.reverse();
        }
        let mut walked = Vec::new();
        let mut cursor: Option<StreamCursor> = None;
        loop {
            let page = room.stream_page(limit, cursor.as_ref(), direction);
            walked.extend(page.streams.iter().map(|stream| stream.id().to_string()));
            let Some(next) = page.next else { break };
            cursor = Some(next.to_string().parse().unwrap());
        }
        prop_assert_eq!(walked, expected);
    }

    /// Holds law 11.1.
    #[test]
    fn whoever_stays_is_met_exactly_once_by_a_walk_through_the_users_whoever_comes_and_goes(
        before in prop::collection::vec((0..12_u8, any::<bool>()), 0..40),
        between in prop::collection::vec(prop::collection::vec((0..12_u8, any::<bool>()), 0..6), 1..8),
        limit in 1..4_usize,
        descending: bool,
    ) {
        let clock = ManualClock::at(Timestamp::from_secs(100));
        let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
        registry.create_room(NewRoom::new("room", "tom")).unwrap();
        let come_or_go = |registry: &mut RoomRegistry<ManualClock>, (user, comes): (u8, bool)| {
            clock.advance(Duration::from_millis(u64::from(user % 2)));
            let user = format!("user{user}");
            // Who is there does not come, and who is not does not go.
            let _ = if comes {
                registry.join_room("room", NewUser::new(user.as_str()))
            } else {
                registry.leave_room("room", &user)
            };
        };
        let users = |registry: &RoomRegistry<ManualClock>| -> BTreeMap<String, Timestamp> {
            let room = registry.room("room").unwrap();
            let joined_at = |user: UserRef<'_>| user.membership().unwrap().joined_at;
            room.users().map(|user| (user.id().to_string(), joined_at(user))).collect()
        };
        for step in before {
            come_or_go(&mut registry, step);
        }
        let mut stayed = users(&registry);
        let direction = if descending { Direction::NewestFirst } else { Direction::OldestFirst };
        let mut met: BTreeMap<String, usize> = BTreeMap::new();
        let mut cursor: Option<UserCursor> = None;
        let mut between = between.into_iter().cycle();
        for _ in 0..100 {
            let page = registry.room("room").unwrap().user_page(limit, cursor.as_ref(), direction);
            let next = page.next.clone();
            for user in page.users {
                *met.entry(user.id().to_string()).or_default() += 1;
            }
            let Some(next) = next else { break };
            cursor = Some(next);
            for step in between.next().unwrap() {
                come_or_go(&mut registry, step);
                let are = users(&registry);
                stayed.retain(|user, joined_at| are.get(user) == Some(joined_at));
            }
        }
        for user in stayed.keys() {
            prop_assert_eq!(met.get(user), Some(&1), "{} stayed", user);
        }
    }
}

/// A stream, so long after the room's first.
fn stream_created(which: usize, seconds: u64, form: Form) -> Callback {
    let stream_id = StreamId::new(format!("stream{which}")).unwrap();
    let life = StreamSessionId::new(format!("s-{which}")).unwrap();
    let created = StreamCreated::new(stream_id, Timestamp::from_secs(90 + seconds))
        .stream_session_id((form.stays != Stays::Timed).then_some(life))
        .order((form.stays == Stays::Counted).then_some(which as u64))
        .exclusive(form.stays != Stays::Shared)
        .counter(which as u64);
    Callback::new(RoomId::new("room").unwrap(), form.session(), created)
}

#[test]
fn a_truncated_cursor_is_an_error() {
    let cursor: RoomCursor = "newest~1763596800027~5~room1".parse().unwrap();
    let text = cursor.to_string();
    for end in 0..text.len() {
        assert!(text[..end].parse::<RoomCursor>().is_err(), "{}", &text[..end]);
    }
}

#[test]
fn a_cursor_made_of_its_parts_is_the_one_that_a_list_makes() {
    let mut play = Play::new();
    play.step(&Step::Create(3));
    let room = play.registry.room("room3").unwrap();
    for order in [RoomOrder::Newest, RoomOrder::Oldest, RoomOrder::MostUsers, RoomOrder::Id] {
        let cursor = room.cursor(order);
        let made = RoomCursor::new(cursor.order(), cursor.key(), cursor.room_id().clone());
        assert_eq!(made, cursor);
        assert_eq!(made.to_string().parse(), Ok(cursor));
    }
}

#[test]
fn forged_cursors_are_errors_that_say_so() {
    for (text, message) in [
        ("", "the cursor is malformed or truncated"),
        ("newest", "the cursor is malformed or truncated"),
        ("tallest~1~1~a", "the cursor is malformed or truncated"),
        ("newest~-1~1~a", "the cursor is malformed or truncated"),
        ("newest~01~1~a", "the cursor is malformed or truncated"),
        ("newest~18446744073709551616~1~a", "the cursor is malformed or truncated"),
        ("newest~1~1~ab", "the cursor is malformed or truncated"),
        ("newest~1~0~", "the cursor is malformed: a room id must not be empty"),
        (
            "newest~1~1~\u{7}",
            "the cursor is malformed: a room id must not contain control characters; there is one at byte 0",
        ),
    ] {
        assert_eq!(text.parse::<RoomCursor>().unwrap_err().to_string(), message, "{text:?}");
    }
    // There is no such time.
    let forged = "18446744073709551615~1~a";
    assert_eq!(forged.parse::<UserCursor>(), Err(CursorError::Malformed));
    assert_eq!(forged.parse::<StreamCursor>(), Err(CursorError::Malformed));
    let last = "18446744073709551614~1~a";
    assert_eq!(last.parse::<UserCursor>().unwrap().to_string(), last);
}

#[test]
fn a_cursor_of_another_order_is_an_error_that_says_so() {
    let registry = Play::new().registry;
    let query = RoomQuery::newest().after("users~3~5~room1".parse::<RoomCursor>().unwrap());
    let error = registry.page(&query).unwrap_err();
    assert_eq!(
        error,
        CursorError::OtherOrder { expected: RoomOrder::Newest, found: RoomOrder::MostUsers }
    );
    assert_eq!(
        error.to_string(),
        "the cursor belongs to a list ordered by users, but this list is ordered by newest"
    );
}

/// What follows the first sixteen bytes decides, too.
#[test]
fn rooms_with_long_ids_that_begin_alike_are_told_apart_and_come_in_order() {
    let mut play = Play::new();
    let ids = ["sixteen-bytes-id", "sixteen-bytes-id-a", "sixteen-bytes-id-b"];
    for id in ids.into_iter().rev() {
        play.registry.create_room(NewRoom::new(id, "tom")).unwrap();
    }
    let page = play.registry.page(&RoomQuery::by_id()).unwrap();
    let listed: Vec<_> = page.rooms.iter().map(|room| room.id().as_str()).collect();
    assert_eq!(listed, ids);
}

#[test]
fn a_list_has_the_rooms_with_an_open_session_or_those_without() {
    let mut play = Play::new();
    play.step(&Step::Create(0));
    play.step(&Step::Create(1));
    play.step(&Step::LogIn(1, 0, Form { names_session: true, stays: Stays::Named }));
    for (is_open, expected) in [(false, "room0"), (true, "room1")] {
        let page = play.registry.page(&RoomQuery::by_id().open_session(is_open)).unwrap();
        let listed: Vec<_> = page.rooms.iter().map(|room| room.id().as_str()).collect();
        assert_eq!(listed, [expected]);
    }
}

#[test]
fn a_page_that_looks_at_few_rooms_ends_early_and_goes_on() {
    let mut play = Play::new();
    for id in 0..10 {
        play.step(&Step::Create(id));
    }
    play.registry.join_room("room9", NewUser::new("ann")).unwrap();
    let lively = |room: RoomRef<'_>| room.user_count() > 0;
    let mut cursor: Option<RoomCursor> = None;
    let mut found = Vec::new();
    let mut pages = 0;
    loop {
        let query = RoomQuery::by_id().filter(lively).look_at_most(4);
        let query = match cursor.take() {
            Some(cursor) => query.after(cursor),
            None => query,
        };
        let page = play.registry.page(&query).unwrap();
        pages += 1;
        found.extend(page.rooms.iter().map(|room| room.id().to_string()));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!((found, pages), (vec!["room9".to_owned()], 3));
}

#[test]
fn the_best_by_a_score_come_in_order_and_ties_by_id() {
    let mut play = Play::new();
    for id in 0..5 {
        play.step(&Step::Create(id));
    }
    play.step(&Step::Join(3, 0));
    let users = |room: RoomRef<'_>| room.user_count();
    let best = |rooms| -> Vec<String> {
        play.registry.top(rooms, users).iter().map(|room| room.id().to_string()).collect()
    };
    assert_eq!(best(3), ["room3", "room0", "room1"]);
    assert!(best(0).is_empty());
    assert_eq!(best(100).len(), 5);
}
