//! Queries: whatever is indexed, a walk through the pages has the rooms that a look at all of them finds.

use std::time::Duration;

use proptest::prelude::*;
use room_registry::event::{RoomClosed, RoomCreated, UserLoggedIn};
use room_registry::page::{RoomCursor, RoomOrder};
use room_registry::{
    Callback, Clock, Config, Lifecycle, ManualClock, NewRoom, NewUser, RoomId, RoomQuery, RoomRef,
    RoomRegistry, RoomUpdate, SessionId, Text, Timestamp, UserId,
};
use room_registry_world::effort::properties;

const ORDERS: [RoomOrder; 4] =
    [RoomOrder::Newest, RoomOrder::Oldest, RoomOrder::MostUsers, RoomOrder::Id];
const NAMES: [&str; 6] = ["Karaoke", "karaoke Night", "KÄRNTEN", "kärnten 2", "", "Été"];
const PREFIXES: [&str; 6] = ["", "k", "KAR", "Kär", "été", "karaoke night of the long names"];
const VALUES: [&str; 3] = ["talk", "song", ""];
const KEYS: [&str; 3] = ["mode", "language", "plain"]; // the last one is indexed nowhere
/// The beginning of a text that an index does not hold to the end.
const LONG: &str = "a beginning of more than sixty-four characters that many rooms share, ";

#[derive(Debug, Clone)]
enum Step {
    Create { room: u8, host: u8, name: usize, value: Option<usize>, max_users: Option<u32> },
    Update { room: u8, host: u8, name: usize, value: Option<usize> },
    End(u8),
    Join(u8, u8),
    Leave(u8, u8),
    Opened { room: u8, session: u8, creator: u8 },
    LoggedIn { room: u8, session: u8, user: u8, name: usize },
    Closed { room: u8, session: u8 },
    Pass(u64),
    Restore,
}

fn step() -> impl Strategy<Value = Step> {
    let (room, user, name, value) =
        (0..14_u8, 0..4_u8, 0..NAMES.len() + 2, prop::option::of(0..VALUES.len() + 2));
    let max_users = prop::option::of(1..3_u32);
    prop_oneof![
        6 => (room.clone(), user.clone(), name.clone(), value.clone(), max_users).prop_map(
            |(room, host, name, value, max_users)| Step::Create { room, host, name, value, max_users }
        ),
        3 => (room.clone(), user.clone(), name.clone(), value)
            .prop_map(|(room, host, name, value)| Step::Update { room, host, name, value }),
        1 => room.clone().prop_map(Step::End),
        5 => (room.clone(), user.clone()).prop_map(|(room, user)| Step::Join(room, user)),
        2 => (room.clone(), user.clone()).prop_map(|(room, user)| Step::Leave(room, user)),
        3 => (room.clone(), 0..3_u8, user.clone())
            .prop_map(|(room, session, creator)| Step::Opened { room, session, creator }),
        3 => (room.clone(), 0..3_u8, user, name)
            .prop_map(|(room, session, user, name)| Step::LoggedIn { room, session, user, name }),
        2 => (room, 0..3_u8).prop_map(|(room, session)| Step::Closed { room, session }),
        2 => (0..400_u64).prop_map(Step::Pass),
        1 => Just(Step::Restore),
    ]
}

fn long(texts: &[&str], which: usize) -> String {
    let long = |last: usize| format!("{LONG}{last}");
    texts.get(which).map_or_else(|| long(which - texts.len()), |text| (*text).to_owned())
}

/// What a query asks for, to be asked in two ways.
#[derive(Debug, Clone)]
struct Asked {
    limit: usize,
    look_at_most: usize,
    host: Option<u8>,
    prefix: Option<usize>,
    attributes: Vec<(usize, usize)>,
    users: Option<Vec<u8>>,
    without_full: bool,
    at_least: Option<usize>,
}

fn asked() -> impl Strategy<Value = Asked> {
    (
        1..4_usize,
        prop_oneof![1..6_usize, Just(10_000)],
        prop::option::weighted(0.3, 0..5_u8),
        prop::option::weighted(0.4, 0..PREFIXES.len() + 2),
        prop::collection::vec((0..KEYS.len(), 0..VALUES.len() + 2), 0..2),
        prop::option::weighted(0.3, prop::collection::vec(0..5_u8, 0..4)),
        any::<bool>(),
        prop::option::weighted(0.3, 0..3_usize),
    )
        .prop_map(
            |(limit, look_at_most, host, prefix, attributes, users, without_full, at_least)| {
                Asked {
                    limit,
                    look_at_most,
                    host,
                    prefix,
                    attributes,
                    users,
                    without_full,
                    at_least,
                }
            },
        )
}

fn user_id(user: u8) -> String {
    format!("user{user}")
}

impl Asked {
    fn query(&self, query: RoomQuery<'static>) -> RoomQuery<'static> {
        let mut query = query.limit(self.limit).look_at_most(self.look_at_most);
        if let Some(host) = self.host {
            query = query.host(user_id(host));
        }
        if let Some(prefix) = self.prefix {
            query = query.name_prefix(long(&PREFIXES, prefix));
        }
        for (key, value) in &self.attributes {
            query = query.attribute(KEYS[*key], long(&VALUES, *value));
        }
        if let Some(users) = &self.users {
            query = query.with_any_user(users.iter().map(|user| user_id(*user)));
        }
        if self.without_full {
            query = query.without_full();
        }
        if let Some(at_least) = self.at_least {
            query = query.filter(move |room: RoomRef<'_>| room.user_count() >= at_least);
            query = query.filter(|room: RoomRef<'_>| room.id() != "room3");
        }
        query
    }

    fn accepts(&self, room: RoomRef<'_>) -> bool {
        let limit =
            room.info().and_then(|info| info.max_users).map_or(3, |own| own.min(3) as usize);
        let is_named = |prefix: usize| {
            let prefix = long(&PREFIXES, prefix).to_lowercase();
            let name = room.name().map(|name| name.to_lowercase());
            prefix.is_empty() || name.is_some_and(|name| name.starts_with(&prefix))
        };
        self.host.is_none_or(|host| room.host_id().is_some_and(|id| id == user_id(host).as_str()))
            && self.prefix.is_none_or(is_named)
            && self.attributes.iter().all(|(key, value)| {
                room.attributes().get(KEYS[*key]) == Some(&long(&VALUES, *value))
            })
            && self.users.as_ref().is_none_or(|users| {
                room.users()
                    .any(|listed| users.iter().any(|user| listed.id() == user_id(*user).as_str()))
            })
            && !(self.without_full && room.user_count() >= limit)
            && self
                .at_least
                .is_none_or(|at_least| room.user_count() >= at_least && room.id() != "room3")
    }
}

struct Play {
    registry: RoomRegistry<ManualClock>,
    clock: ManualClock,
}

impl Play {
    fn new(is_indexed: bool) -> Self {
        let clock = ManualClock::at(Timestamp::from_secs(1_000));
        let mut config = Config::builder()
            .auto_create_rooms(Some(Lifecycle::UntilEmpty))
            .max_users_per_room(Some(3));
        if is_indexed {
            let keys = vec![Text::from("mode"), Text::from("language"), Text::from("mode")];
            config = config.index_names(true).index_attributes(keys).index_users(true);
        }
        let config = config.build().unwrap();
        Self { registry: RoomRegistry::with_clock(config, clock.clone()), clock }
    }

    /// Refusals are part of the play.
    fn step(&mut self, step: &Step) {
        let now = self.clock.now();
        let id = |room: &u8| format!("room{room}");
        let told = |room: &u8, session: &u8, event: room_registry::event::CallbackEvent| {
            let session_id = SessionId::new(session.to_string()).unwrap();
            Callback::new(RoomId::new(id(room)).unwrap(), session_id, event)
        };
        match step {
            Step::Create { room, host, name, value, max_users } => {
                let mut new = NewRoom::new(id(room), user_id(*host)).name(long(&NAMES, *name));
                if let Some(value) = value {
                    for key in KEYS {
                        new = new.attribute(key, long(&VALUES, *value));
                    }
                }
                if let Some(max_users) = max_users {
                    new = new.max_users(*max_users);
                }
                let _ = self.registry.create_room(new);
            }
            Step::Update { room, host, name, value } => {
                let mut update = RoomUpdate::new().host(user_id(*host)).name(long(&NAMES, *name));
                update = match value {
                    Some(value) => update.attribute("mode", long(&VALUES, *value)),
                    None => update.remove_attribute("mode"),
                };
                let _ = self.registry.update_room(&id(room), update);
            }
            Step::End(room) => _ = self.registry.end_room(&id(room)),
            Step::Join(room, user) => {
                _ = self.registry.join_room(&id(room), NewUser::new(user_id(*user)));
            }
            Step::Leave(room, user) => _ = self.registry.leave_room(&id(room), &user_id(*user)),
            Step::Opened { room, session, creator } => {
                let creator = UserId::new(user_id(*creator)).unwrap();
                let created = RoomCreated::new(now).creator_id(creator);
                self.registry.apply_callback(&told(room, session, created.into()));
            }
            Step::LoggedIn { room, session, user, name } => {
                let user_id = UserId::new(user_id(*user)).unwrap();
                let login =
                    UserLoggedIn::new(user_id, now).room_name(Text::from(long(&NAMES, *name)));
                self.registry.apply_callback(&told(room, session, login.into()));
            }
            Step::Closed { room, session } => {
                self.registry.apply_callback(&told(room, session, RoomClosed::new(now).into()));
            }
            Step::Pass(secs) => {
                self.clock.advance(Duration::from_secs(*secs));
                self.registry.expire();
            }
            Step::Restore => {
                let saved = serde_json::to_value(self.registry.snapshot()).unwrap();
                let config = self.registry.config().clone();
                let clock = self.clock.clone();
                self.registry = RoomRegistry::restore_exactly(config, clock, saved).unwrap();
            }
        }
        self.clock.advance(Duration::from_millis(1));
        #[cfg(room_registry_check)]
        self.registry.check();
    }

    /// The rooms of all pages. Each page must keep what it says of itself.
    fn walked(&self, asked: &Asked, query: &RoomQuery<'static>) -> Vec<String> {
        let mut walked = Vec::new();
        let mut cursor: Option<RoomCursor> = None;
        loop {
            let query = cursor.take().into_iter().fold(query.clone(), RoomQuery::after);
            let page = self.registry.page(&query).unwrap();
            walked.extend(page.rooms.iter().map(|room| room.id().to_string()));
            assert!(page.rooms.len() <= asked.limit);
            let is_short = page.rooms.len() < asked.limit;
            assert_eq!(page.stopped_early, is_short && page.next.is_some());
            assert!(!page.stopped_early || asked.look_at_most < self.registry.room_count());
            let Some(next) = page.next else { return walked };
            cursor = Some(next.to_string().parse().unwrap());
        }
    }
}

proptest! {
    #![proptest_config(properties(200))]

    /// Holds law 4.12.
    #[test]
    fn the_pages_of_a_query_have_the_rooms_that_a_look_at_all_of_them_finds(
        steps in prop::collection::vec(step(), 0..60),
        asked in prop::collection::vec(asked(), 1..12),
    ) {
        for is_indexed in [true, false] {
            let mut play = Play::new(is_indexed);
            for step in &steps {
                play.step(step);
            }
            for asked in &asked {
                for order in ORDERS {
                    let mut expected: Vec<_> =
                        play.registry.rooms().filter(|room| asked.accepts(*room)).collect();
                    let key = |room: &RoomRef<'_>| (room.cursor(order).key(), room.id().clone());
                    expected.sort_by(|a, b| {
                        let ((a_key, a_id), (b_key, b_id)) = (key(a), key(b));
                        match order {
                            RoomOrder::Newest => (b_key, b_id).cmp(&(a_key, a_id)),
                            RoomOrder::MostUsers => (b_key, a_id).cmp(&(a_key, b_id)),
                            _ => (a_key, a_id).cmp(&(b_key, b_id)),
                        }
                    });
                    let expected: Vec<_> = expected.iter().map(|room| room.id().to_string()).collect();
                    let query = asked.query(RoomQuery::new(order));
                    prop_assert_eq!(play.walked(asked, &query), expected, "{} {:?}", order, is_indexed);
                }
                let score = |room: RoomRef<'_>| (room.id().as_str().len() + room.user_count()) as u64 % 3;
                let mut expected: Vec<_> = play.registry.rooms().filter(|room| asked.accepts(*room)).collect();
                expected.sort_by(|a, b| score(*b).cmp(&score(*a)).then(a.id().cmp(b.id())));
                let expected: Vec<_> = expected.iter().map(|room| room.id().to_string()).collect();
                let query = asked.query(RoomQuery::by_score(score));
                prop_assert_eq!(play.walked(asked, &query), expected, "by score");
            }
        }
    }
}

#[test]
fn a_prefix_finds_a_name_whatever_the_case_and_what_follows() {
    for is_indexed in [true, false] {
        let mut play = Play::new(is_indexed);
        // The lower case of a whole word ends in another sigma.
        for (room, name) in [("a", "ΟΔΟΣΑ"), ("b", "straße"), ("c", "STRASSE"), ("d", "İstanbul")]
        {
            play.registry.create_room(NewRoom::new(room, "tom").name(name)).unwrap();
        }
        let found = |prefix: &str| -> Vec<String> {
            let page = play.registry.page(&RoomQuery::by_id().name_prefix(prefix)).unwrap();
            page.rooms.iter().map(|room| room.id().to_string()).collect()
        };
        assert_eq!(found("ΟΔΟΣ"), ["a"]);
        assert_eq!(found("οδοσα"), ["a"]);
        assert_eq!(found("STRAß"), ["b"]);
        assert_eq!(found("strass"), ["c"]);
        assert_eq!(found("İST"), ["d"]);
        assert_eq!(found(""), ["a", "b", "c", "d"]);
        assert!(found(&"k".repeat(1_000_000)).is_empty());
    }
}

#[test]
fn a_page_that_looked_at_as_many_rooms_as_it_may_says_so() {
    for is_indexed in [true, false] {
        let mut play = Play::new(is_indexed);
        for room in 0..30 {
            let mode = if room == 27 { "song" } else { "talk" };
            let room = NewRoom::new(format!("room{room:02}"), "tom").attribute("mode", mode);
            play.registry.create_room(room).unwrap();
        }
        let query = RoomQuery::by_id().attribute("mode", "song").limit(2).look_at_most(10);
        let page = play.registry.page(&query).unwrap();
        assert_eq!(page.rooms.len(), usize::from(is_indexed));
        assert_eq!(page.stopped_early, !is_indexed);
        assert_eq!(page.next.is_some(), !is_indexed);

        // As many as are named lie together at the end: the page looks at them and not at the others.
        let late = |room: RoomRef<'_>| room.id().as_str() >= "room20";
        let query = RoomQuery::by_id().attribute("mode", "talk").filter(late).limit(9);
        let page = play.registry.page(&query.clone().look_at_most(46)).unwrap();
        assert_eq!((page.rooms.len(), page.stopped_early), (9, false));
        let page = play.registry.page(&query.look_at_most(22)).unwrap();
        assert_eq!((page.rooms.len(), page.stopped_early), (2, true));
    }
}

#[test]
fn a_cursor_of_a_list_by_score_fits_no_other() {
    let registry = Play::new(true).registry;
    let query = RoomQuery::newest().after("score~3~5~room1".parse::<RoomCursor>().unwrap());
    assert_eq!(
        registry.page(&query).unwrap_err().to_string(),
        "the cursor belongs to a list ordered by score, but this list is ordered by newest"
    );
    let query = RoomQuery::by_score(|_| 0).after("users~3~5~room1".parse::<RoomCursor>().unwrap());
    assert_eq!(
        registry.page(&query).unwrap_err().to_string(),
        "the cursor belongs to a list ordered by users, but this list is ordered by score"
    );
}

#[test]
fn a_query_is_kept_cloned_and_sent() {
    fn at_least(users: usize) -> RoomQuery<'static> {
        RoomQuery::newest().filter(move |room: RoomRef<'_>| room.user_count() >= users)
    }
    fn is_kept<T: Clone + Send + Sync + 'static>(kept: T) -> T {
        kept
    }
    let mut play = Play::new(false);
    play.registry.create_room(NewRoom::new("a", "tom")).unwrap();
    let kept = is_kept(at_least(0));
    assert_eq!(play.registry.page(&kept.clone()).unwrap().rooms.len(), 1);
    assert!(play.registry.page(&kept.filter(|_| false)).unwrap().rooms.is_empty());
    // What is needed for one call may borrow.
    let wanted = [RoomId::new("a").unwrap()];
    let query = RoomQuery::newest().filter(|room: RoomRef<'_>| wanted.contains(room.id()));
    assert_eq!(play.registry.page(&query).unwrap().rooms.len(), 1);
}
