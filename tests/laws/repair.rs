//! Observations beside callbacks, held against the slow evaluation of the set of both.

use std::time::Duration;

use proptest::prelude::*;
use room_registry::event::{
    CallbackEvent, RoomClosed, RoomCreated, StreamClosed, StreamCreated, UserLoggedIn,
    UserLoggedOut,
};
use room_registry::{
    Callback, Cause, Config, Mirror, Observation, Outcome, Room, SessionId, StreamId,
    StreamSessionId, Timestamp, UserId, UserSessionId,
};
use room_registry_world::effort::properties;
use room_registry_world::history::{permutations, room_id};
use room_registry_world::junk::junk;
use room_registry_world::model::Settings;
use room_registry_world::observations::{Told, observed_at, present_stream, present_user};
use room_registry_world::repair_model::{Rules, evaluate_all};
use room_registry_world::repair_view::{observed_of, visible_session_of};
use room_registry_world::rng::Rng;
use room_registry_world::view::stored_of;

const NOW: Timestamp = Timestamp::from_millis(1_764_000_000_000);

/// The usual settings, and those at the ends of what makes sense.
fn rules() -> impl Strategy<Value = Rules> {
    let spans = vec![(5_000, 100), (5_000, 100), (5_000, 0), (5_000, 5_000), (100, 100), (0, 0)];
    let flags = (prop::bool::weighted(0.85), prop::bool::weighted(0.8));
    (prop::sample::select(spans), flags).prop_map(
        |((clock_skew, tie_window), (infer, empty_means_closed))| Rules {
            settings: Settings { clock_skew, tie_window, infer },
            empty_means_closed,
        },
    )
}

/// Settings, and a set of what a room is told under them.
fn play(sizes: std::ops::Range<usize>) -> impl Strategy<Value = (Rules, Vec<Told>)> {
    rules().prop_flat_map(move |rules| {
        let told = prop::collection::vec(junk(rules.settings.clock_skew), sizes.clone());
        (Just(rules), told)
    })
}

proptest! {
    #![proptest_config(properties(800))]

    /// Holds laws 12.1, 12.2, 12.5, 13.1, 13.2, 13.3, 14.1, 14.2, 14.3, 14.4, 14.5, 14.6, 15.1,
    /// 15.2, 15.3, 15.4, 15.5, 15.6, 15.7, 21.1, 21.2, 21.3 and 21.5.
    #[test]
    fn any_set_of_callbacks_and_observations_in_any_order_equals_the_slow_evaluation(
        (rules, told) in play(0..14),
        seed: u64,
    ) {
        check(&told, rules);
        check(&shuffled_with_repeats(&told, seed), rules);
    }
}

proptest! {
    #![proptest_config(properties(60))]

    /// Holds law 14.6.
    #[test]
    fn any_large_set_of_callbacks_and_observations_equals_the_slow_evaluation(
        (rules, told) in play(30..60),
    ) {
        check(&told, rules);
    }
}

proptest! {
    #![proptest_config(properties(30))]

    /// Holds law 14.6.
    #[test]
    fn every_order_of_a_small_set_equals_the_slow_evaluation((rules, told) in play(2..6)) {
        check_every_order(&told, rules);
    }
}

/// Holds laws 13.2, 14.3 and 14.6.
#[test]
fn every_order_of_what_is_close_in_time_equals_the_slow_evaluation() {
    let saw = |q| Seen(observed_at(BASE + q + 5_000));
    let tom = |seen: Seen| seen.users(["tom"]);
    let sets = [
        // A user seen between two logins, with and without the logout.
        vec![
            create(7, 0),
            login(7, 1, 10),
            tom(saw(15)).told(),
            login(7, 2, 20),
            logout(7, 1, 10, 20),
        ],
        // All in one millisecond.
        vec![
            create(7, 0),
            login(7, 1, 0),
            tom(saw(0)).told(),
            saw(0).users([]).told(),
            saw(0).named(8).told(),
            saw(0).open(true).told(),
        ],
        // The room seen closed, and open, around a new create.
        vec![
            create(7, 0),
            saw(4_999).open(false).told(),
            tom(saw(5_000)).told(),
            create(8, 10_000),
            tom(saw(10_000)).told(),
            login(8, 1, 5_000),
        ],
        // A session that was seen by name, closed and seen again.
        vec![
            create(7, 0),
            tom(saw(10).named(8)).told(),
            saw(20).named(8).open(false).told(),
            tom(saw(30).named(8)).told(),
            login(8, 1, 5_001),
        ],
        // Partial lists beside complete ones.
        vec![
            saw(10).some_users(["tom"]).told(),
            saw(9).users(["ann"]).told(),
            saw(10).users(["ann"]).told(),
            saw(11).users(["tom"]).told(),
            saw(12).users([]).open(true).told(),
        ],
        // A stream of two lives, seen in between.
        vec![
            publish(7, 1, 10, 1),
            saw(10).streams(["camera"]).told(),
            unpublish(7, 1, 12, 2),
            saw(12).streams([]).told(),
            saw(14).streams(["camera"]).told(),
            publish(7, 2, 14, 3),
        ],
        // The lost close of one session and the lost create of the next.
        vec![
            create(7, 0),
            saw(6_000).open(true).told(),
            saw(6_001).open(false).told(),
            login(8, 1, 6_002),
            tom(saw(6_002)).told(),
            close(8, 6_003),
        ],
    ];
    for set in sets {
        check_every_order(&set, Rules::default());
    }
}

/// Remembers everything, so that junk has one result too.
fn config(rules: Rules) -> Config {
    Config::builder()
        .retention(None)
        .clock_skew(Duration::from_millis(rules.settings.clock_skew))
        .tie_window(Duration::from_millis(rules.settings.tie_window))
        .infer_sessions(rules.settings.infer)
        .empty_means_closed(rules.empty_means_closed)
        .build()
        .unwrap()
}

/// What is stored and visible is what the slow evaluation of the set says.
#[track_caller]
fn check(told: &[Told], rules: Rules) {
    let (stored, observed, visible) = evaluate(told, rules);
    let room = room_told(told, &config(rules));
    assert_eq!(visible_session_of(room.view()), visible, "{rules:?}");
    assert_eq!(stored_of(&room), stored, "{rules:?}");
    assert_eq!(observed_of(&room), observed, "{rules:?}");
}

#[track_caller]
fn check_every_order(told: &[Told], rules: Rules) {
    let config = config(rules);
    let (stored, observed, visible) = evaluate(told, rules);
    for order in permutations(told.len()) {
        let mut room = Room::new(room_id(), &config);
        for index in &order {
            told[*index].to(&mut room, &config, NOW);
        }
        assert_eq!(visible_session_of(room.view()), visible, "{rules:?}, in the order {order:?}");
        assert_eq!(stored_of(&room), stored, "{rules:?}, in the order {order:?}");
        assert_eq!(observed_of(&room), observed, "{rules:?}, in the order {order:?}");
    }
}

fn evaluate(
    told: &[Told],
    rules: Rules,
) -> (
    room_registry_world::model::Stored,
    room_registry_world::repair_model::Observed,
    Option<room_registry_world::repair_model::VisibleSession>,
) {
    let (mut callbacks, mut observations) = (Vec::new(), Vec::new());
    for told in told {
        match told {
            Told::Heard(callback) => callbacks.push(callback.clone()),
            Told::Saw(observation) => observations.push(observation.clone()),
        }
    }
    evaluate_all(&callbacks, &observations, rules)
}

/// Tells a room, and follows it with a mirror.
#[track_caller]
fn room_told(told: &[Told], config: &Config) -> Room {
    let mut room = Room::new(room_id(), config);
    let mut mirror = Mirror::default();
    for told in told {
        tell(&mut room, told, config);
        room.changes().for_each(|change| mirror.apply(&change));
        assert_eq!(mirror, room.view().into_iter().collect(), "after {told:?}");
    }
    room
}

/// Tells a room one thing, and checks that the outcome says what became of it.
#[track_caller]
fn tell(room: &mut Room, told: &Told, config: &Config) {
    let before = room.clone();
    let outcome = told.to(room, config, NOW);
    let cause = match told {
        Told::Heard(_) => Cause::Callback,
        Told::Saw(_) => Cause::Repaired,
    };
    assert!(room.changes().all(|change| change.cause == cause), "{told:?}");
    let is_same =
        |a: &Room, b: &Room| (stored_of(a), observed_of(a)) == (stored_of(b), observed_of(b));
    match outcome {
        Outcome::Applied => assert!(room.changes().next().is_some(), "{told:?}"),
        Outcome::Held => {
            assert!(room.changes().next().is_none(), "{told:?}");
            assert!(is_nameless_create(told) || !is_same(&before, room), "{told:?}");
        }
        Outcome::Duplicate | Outcome::Stale => {
            assert!(room.changes().next().is_none() && is_same(&before, room), "{told:?}");
        }
        other => panic!("{other:?} without a retention, after {told:?}"),
    }
}

/// Whether something opened that has no name, which tells nothing.
fn is_nameless_create(told: &Told) -> bool {
    let Told::Heard(callback) = told else { return false };
    callback.session_id.is_none() && matches!(callback.event, CallbackEvent::RoomCreated(_))
}

fn shuffled_with_repeats(told: &[Told], seed: u64) -> Vec<Told> {
    let mut rng = Rng::new(seed);
    let mut all = told.to_vec();
    all.extend(told.iter().filter(|_| rng.chance(40)).cloned());
    rng.shuffle(&mut all);
    all
}

/// When the hand-picked sets happen.
const BASE: u64 = 1_000_000;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(BASE + millis)
}

fn heard(session: u64, event: impl Into<CallbackEvent>) -> Told {
    let session = SessionId::new(session.to_string()).unwrap();
    Told::Heard(Callback::new(room_id(), session, event))
}

fn create(session: u64, millis: u64) -> Told {
    heard(session, RoomCreated::new(at(millis)))
}

fn close(session: u64, millis: u64) -> Told {
    heard(session, RoomClosed::new(at(millis)))
}

fn login(session: u64, life: u64, millis: u64) -> Told {
    let life_id = UserSessionId::new(life.to_string()).unwrap();
    heard(
        session,
        UserLoggedIn::new(UserId::new("tom").unwrap(), at(millis))
            .user_session_id(life_id)
            .counter(life),
    )
}

fn logout(session: u64, life: u64, since: u64, millis: u64) -> Told {
    let life_id = UserSessionId::new(life.to_string()).unwrap();
    let event = UserLoggedOut::new(UserId::new("tom").unwrap(), at(millis))
        .user_session_id(life_id)
        .counter(life);
    heard(session, event.login_at(at(since)))
}

fn publish(session: u64, life: u64, millis: u64, counter: u64) -> Told {
    let life = StreamSessionId::new(format!("s-{life}")).unwrap();
    let id = StreamId::new("camera").unwrap();
    heard(
        session,
        StreamCreated::new(id, at(millis)).stream_session_id(life).order(counter).counter(counter),
    )
}

fn unpublish(session: u64, life: u64, millis: u64, counter: u64) -> Told {
    let life = StreamSessionId::new(format!("s-{life}")).unwrap();
    let id = StreamId::new("camera").unwrap();
    heard(
        session,
        StreamClosed::new(id, at(millis)).stream_session_id(life).order(counter).counter(counter),
    )
}

/// An observation in the making.
struct Seen(Observation);

impl Seen {
    fn named(self, session: u64) -> Self {
        Self(self.0.session_id(SessionId::new(session.to_string()).unwrap()).open(true))
    }

    fn open(self, open: bool) -> Self {
        Self(self.0.open(open))
    }

    fn users<const N: usize>(self, ids: [&str; N]) -> Self {
        Self(self.0.users(ids.map(present_user)))
    }

    fn some_users<const N: usize>(self, ids: [&str; N]) -> Self {
        Self(self.0.some_users(ids.map(present_user)))
    }

    fn streams<const N: usize>(self, ids: [&str; N]) -> Self {
        Self(self.0.streams(ids.map(present_stream)))
    }

    fn told(self) -> Told {
        Told::Saw(self.0)
    }
}
