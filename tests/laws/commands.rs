//! Commands in any order: against a naive model, and beside callbacks and observations.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use room_registry::{
    Clock, Config, Error, Heartbeat, Lifecycle, ManualClock, Mirror, NewRoom, NewUser, Role,
    RoomRegistry, RoomUpdate, Timestamp, UserUpdate,
};
use room_registry_world::commands::{Limits, Model, ModelRoom, START, TIMEOUT, registry_with};
use room_registry_world::effort::properties;
use room_registry_world::junk::junk;
use room_registry_world::observations::Told;

#[derive(Debug, Clone)]
enum Step {
    Pass(u64),
    Create(u8, u8, Lifecycle, Own),
    Update(u8, u8, Option<Lifecycle>, Own),
    End(u8),
    Join(u8, u8, u8, bool),
    Leave(u8, u8),
    LeaveBy(u8, u8, u8),
    Remove(u8, u8),
    Heartbeat(u8, u8, u8),
    UpdateUser(u8, u8, u8),
    Expire,
    ExpireAtMost(usize),
    GrantGrace,
}

/// What a room, or an update of it, says of its limits.
#[derive(Debug, Clone, Copy)]
struct Own {
    /// 0 is no limit.
    max_users: u32,
    ends: Ends,
    /// In milliseconds, as the others.
    first_join_grace: Option<u64>,
    empty_grace: Option<u64>,
}

/// When a room ends whatever its lifecycle is.
#[derive(Debug, Clone, Copy)]
enum Ends {
    /// Nothing is said of it.
    Unsaid,
    /// It has no such time, or no longer.
    Never,
    /// So long ago.
    Ago(u64),
    /// In so long.
    In(u64),
}

impl Ends {
    /// The time that is said. That of an end which is to go is the first of all.
    fn at(self, now: u64) -> Option<u64> {
        match self {
            Self::Unsaid => None,
            Self::Never => Some(0),
            Self::Ago(span) => Some(now.saturating_sub(span)),
            Self::In(span) => Some(now.saturating_add(span).min(Timestamp::MAX.as_millis())),
        }
    }
}

impl Own {
    fn of_room(self, mut room: NewRoom, now: u64) -> NewRoom {
        room = room.max_users(self.max_users);
        room.ends_at = self.ends.at(now).filter(|at| *at > 0).map(Timestamp::from_millis);
        (room.first_join_grace_ms, room.empty_grace_ms) = (self.first_join_grace, self.empty_grace);
        room
    }

    fn of_update(self, update: RoomUpdate, now: u64) -> RoomUpdate {
        let mut update = update.max_users(self.max_users);
        update.ends_at = self.ends.at(now).map(Timestamp::from_millis);
        (update.first_join_grace_ms, update.empty_grace_ms) =
            (self.first_join_grace, self.empty_grace);
        update
    }

    /// What the model takes over. What is not said stays.
    fn over(self, room: &mut ModelRoom, now: u64) {
        room.max_users = self.max_users;
        room.ends_at = self.ends.at(now).or(room.ends_at).filter(|at| *at > 0);
        room.first_join_grace = self.first_join_grace.or(room.first_join_grace);
        room.empty_grace = self.empty_grace.or(room.empty_grace);
    }
}

/// Spans that end about when a step does: each takes two milliseconds, and a pause is a step.
fn span() -> impl Strategy<Value = u64> {
    let spans = [0, 1, 2, 4, 5, 30_002, 30_004, 30_005, 60_004, 300_004, 400_000, u64::MAX];
    prop_oneof![2 => prop::sample::select(spans.to_vec()), 1 => 0..200_000_u64]
}

fn own() -> impl Strategy<Value = Own> {
    let max_users = prop_oneof![2 => Just(0_u32), 1 => 1..3_u32];
    let ends = prop_oneof![
        4 => Just(Ends::Unsaid),
        1 => Just(Ends::Never),
        1 => (0..100_000_u64).prop_map(Ends::Ago),
        4 => span().prop_map(Ends::In),
    ];
    let grace = || prop::option::weighted(0.4, span());
    (max_users, ends, grace(), grace()).prop_map(
        |(max_users, ends, first_join_grace, empty_grace)| Own {
            max_users,
            ends,
            first_join_grace,
            empty_grace,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let pause = prop_oneof![
        prop::sample::select(vec![
            0,
            1,
            30_000,
            59_996,
            59_999,
            60_000,
            299_996,
            299_999,
            300_000,
            TIMEOUT - 1,
            TIMEOUT,
            TIMEOUT + 1
        ]),
        0..100_000_u64
    ];
    let lifecycle = || {
        prop::sample::select(vec![
            Lifecycle::UntilEnded,
            Lifecycle::UntilEmpty,
            Lifecycle::UntilEmpty,
            Lifecycle::FollowsSession,
            Lifecycle::Permanent,
        ])
    };
    let (room, user) = (|| 0..3_u8, || 0..3_u8);
    let connection = || prop_oneof![2 => Just(0_u8), 1 => 1..3_u8]; // 0 is the unnamed one
    prop_oneof![
        4 => pause.prop_map(Step::Pass),
        2 => (room(), user(), lifecycle(), own()).prop_map(|(room, host, lifecycle, own)| {
            Step::Create(room, host, lifecycle, own)
        }),
        1 => (room(), 0..3_u8, prop::option::weighted(0.3, lifecycle()), own()).prop_map(
            |(room, name, lifecycle, own)| Step::Update(room, name, lifecycle, own)
        ),
        1 => room().prop_map(Step::End),
        4 => (room(), user(), connection(), prop::bool::weighted(0.8)).prop_map(|(room, user, by, counts)| {
            Step::Join(room, user, by, counts)
        }),
        1 => (room(), user(), 1..3_u8).prop_map(|(room, user, by)| Step::LeaveBy(room, user, by)),
        1 => (room(), user()).prop_map(|(room, user)| Step::Leave(room, user)),
        1 => (room(), user()).prop_map(|(room, user)| Step::Remove(room, user)),
        4 => (room(), user(), connection()).prop_map(|(room, user, by)| Step::Heartbeat(room, user, by)),
        1 => (room(), user(), 0..3_u8).prop_map(|(room, user, name)| Step::UpdateUser(room, user, name)),
        2 => Just(Step::Expire),
        1 => (0..3_usize).prop_map(Step::ExpireAtMost),
        1 => Just(Step::GrantGrace),
    ]
}

#[track_caller]
fn assert_same(registry: &RoomRegistry<ManualClock>, model: &Model) {
    let ids: Vec<_> = registry.rooms().map(|room| room.id().to_string()).collect();
    assert_eq!(ids.len(), model.rooms.len());
    for (id, expected) in &model.rooms {
        let room = registry.room(id).unwrap();
        assert_eq!(room.name().unwrap(), expected.name.as_str());
        assert_eq!(room.host_id().unwrap(), expected.host.as_str());
        assert_eq!(room.lifecycle(), expected.lifecycle);
        let info = room.info().unwrap();
        assert_eq!(info.max_users.unwrap_or(0), expected.max_users);
        assert_eq!(info.ends_at.map(Timestamp::as_millis), expected.ends_at);
        assert_eq!(info.first_join_grace_ms, expected.first_join_grace);
        assert_eq!(info.empty_grace_ms, expected.empty_grace);
        let counted = expected.members.values().filter(|held| held.counts).count();
        assert_eq!(room.user_count(), counted);
        let users: BTreeMap<_, _> = room
            .users()
            .map(|user| {
                let held = (
                    user.membership().unwrap().joined_at.as_millis(),
                    user.heartbeat_at().unwrap().as_millis(),
                    user.name().unwrap().to_string(),
                    user.is_counted(),
                );
                (user.id().to_string(), held)
            })
            .collect();
        let expected = expected.members.iter().map(|(id, held)| {
            (id.clone(), (held.joined_at, held.beat(), held.name.clone(), held.counts))
        });
        assert_eq!(users, expected.collect());
    }
    let members = model.rooms.values().flat_map(|room| room.members.values());
    assert_eq!(registry.user_count(), members.filter(|held| held.counts).count());
}

/// A sweep does something exactly when it is due, and leaves nothing due.
#[track_caller]
fn expire_when_due(registry: &mut RoomRegistry<ManualClock>, clock: &ManualClock) {
    let is_due =
        |registry: &RoomRegistry<_>| registry.next_expiry().is_some_and(|at| at <= clock.now());
    let was_due = is_due(registry);
    assert_eq!(registry.expire().steps() > 0, was_due);
    assert!(!is_due(registry));
}

/// A connection; the unnamed one has an empty name.
fn named(connection: u8) -> String {
    if connection == 0 { String::new() } else { connection.to_string() }
}

fn uncounted() -> Role {
    Role::new("recorder")
}

fn limits() -> impl Strategy<Value = Limits> {
    let limit = || prop_oneof![2 => Just(None), 1 => (1..3_usize).prop_map(Some)];
    let limits = (limit(), limit(), limit());
    limits.prop_map(|(rooms, rooms_of_host, users)| Limits { rooms, rooms_of_host, users })
}

/// Carries out a step on both, and compares the answers.
fn play(
    registry: &mut RoomRegistry<ManualClock>,
    clock: &ManualClock,
    model: &mut Model,
    step: &Step,
) {
    let room = |room: &u8| format!("room{room}");
    let user = |user: &u8| format!("user{user}");
    let text = |answer: Result<(), Error>| answer.map_err(|error| error.to_string());
    match step {
        Step::Pass(span) => {
            clock.advance(Duration::from_millis(*span));
            model.now += span;
        }
        Step::Create(id, host, lifecycle, own) => {
            let new = NewRoom::new(room(id), user(host)).name("a room").lifecycle(*lifecycle);
            let mut expected = ModelRoom {
                host: user(host),
                name: "a room".to_owned(),
                lifecycle: *lifecycle,
                max_users: 0,
                ends_at: None,
                first_join_grace: None,
                empty_grace: None,
                empty_since: Some(model.now),
                is_entered: false,
                members: BTreeMap::new(),
            };
            own.over(&mut expected, model.now);
            let expected = model.create(&room(id), expected);
            let new = own.of_room(new, model.now);
            let created_again = registry.held_room_count() > registry.room_count();
            assert_eq!(text(registry.create_room(new)), expected);
            if let (Ok(()), false) = (expected, created_again) {
                let created_at = registry.room(&room(id)).unwrap().info().unwrap().created_at;
                assert_eq!(created_at, clock.now());
            }
        }
        Step::Update(id, name, lifecycle, own) => {
            let now = model.now;
            let expected = model.room(&room(id)).map(|held| {
                held.name = format!("name {name}");
                held.lifecycle = lifecycle.unwrap_or(held.lifecycle);
                own.over(held, now);
            });
            let mut update = own.of_update(RoomUpdate::new(), now).name(format!("name {name}"));
            update.lifecycle = *lifecycle;
            assert_eq!(text(registry.update_room(&room(id), update)), expected);
        }
        Step::End(id) => {
            let expected = model.room(&room(id)).map(|_| ());
            model.end(&room(id));
            assert_eq!(text(registry.end_room(&room(id))), expected);
        }
        Step::Join(id, who, by, counts) => {
            let expected = model.join(&room(id), &user(who), &named(*by), *counts);
            let new = NewUser::new(user(who)).name(user(who));
            let new = if *counts { new } else { new.role(uncounted()) };
            let new = if *by == 0 { new } else { new.connection(named(*by)) };
            assert_eq!(text(registry.join_room(&room(id), new)), expected);
        }
        Step::Leave(id, who) => {
            let expected = model.leave(&room(id), &user(who), Heartbeat::Left);
            assert_eq!(text(registry.leave_room(&room(id), &user(who))), expected);
        }
        Step::LeaveBy(id, who, by) => {
            let expected = model.leave_by(&room(id), &user(who), &named(*by));
            let (who, by) = (user(who), named(*by));
            assert_eq!(text(registry.leave_room(&room(id), (who.as_str(), by.as_str()))), expected);
        }
        Step::Remove(id, who) => {
            let expected = model.leave(&room(id), &user(who), Heartbeat::Removed);
            assert_eq!(text(registry.remove_user(&room(id), &user(who), "spam")), expected);
        }
        Step::Heartbeat(id, who, by) => {
            let expected = model.heartbeat(&room(id), &user(who), &named(*by));
            let (who, by) = (user(who), named(*by));
            let by = (!by.is_empty()).then_some(by.as_str());
            let answer = registry.heartbeat(&room(id), (who.as_str(), by));
            assert_eq!(answer.map_err(|error| error.to_string()), expected);
        }
        Step::UpdateUser(id, who, name) => {
            let missing = format!("user {:?} is not in room {:?}", user(who), room(id));
            let expected = model.room(&room(id)).and_then(|held| {
                held.members
                    .get_mut(&user(who))
                    .map(|held| held.name = format!("name {name}"))
                    .ok_or(missing)
            });
            let update = UserUpdate::new().name(format!("name {name}"));
            assert_eq!(text(registry.update_user(&room(id), &user(who), update)), expected);
        }
        Step::Expire => {
            expire_when_due(registry, clock);
            model.expire();
        }
        Step::ExpireAtMost(steps) => {
            assert!(registry.expire_at_most(*steps).steps() <= *steps);
            while registry.expire_at_most(1).steps() > 0 {}
            model.expire();
        }
        Step::GrantGrace => {
            registry.grant_grace();
            model.grant_grace();
        }
    }
}

proptest! {
    #![proptest_config(properties(300))]

    /// Holds laws 4.7, 4.8, 18.1, 18.3, 18.4, 18.5, 18.7, 18.8 and 18.9.
    #[test]
    fn commands_do_what_a_naive_model_does(
        limits in limits(),
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let config = Config::builder()
            .uncounted_roles(vec![uncounted()])
            .max_rooms(limits.rooms)
            .max_rooms_per_host(limits.rooms_of_host)
            .max_users_per_room(limits.users)
            .build()
            .unwrap();
        let (mut registry, clock) = registry_with(config);
        let mut model = Model { now: START, limits, ..Model::default() };
        let mut mirror = Mirror::default();
        for step in &steps {
            // A room created again, or a user who comes back, within one millisecond counts as one
            // later; the model knows no such thing.
            clock.advance(Duration::from_millis(2));
            model.now += 2;
            play(&mut registry, &clock, &mut model, step);
            if matches!(step, Step::Pass(_) | Step::ExpireAtMost(_)) {
                mirror = registry.rooms().collect();
            } else {
                registry.changes().for_each(|change| mirror.apply(&change));
                prop_assert_eq!(&mirror, &registry.rooms().collect());
            }
            assert_same(&registry, &model);
        }
    }

    /// Holds law 1.6.
    #[test]
    fn beside_callbacks_and_observations_the_mirror_equals_the_view_after_every_step(
        steps in prop::collection::vec((step(), prop::option::of(junk(5_000)), 0..10_000_u64), 0..60),
        heartbeats_end_logins: bool,
        retention in prop::sample::select(vec![None, Some(4_u64), Some(600)]),
    ) {
        let config = Config::builder()
            .heartbeats_end_logins(heartbeats_end_logins)
            .retention(retention.map(Duration::from_secs))
            .build()
            .unwrap();
        let clock = ManualClock::at(Timestamp::from_millis(1_004_000)); // where the junk is stamped
        let mut registry = RoomRegistry::with_clock(config, clock.clone());
        let mut mirror = Mirror::default();
        for (step, told, pause) in steps {
            let room = |room: u8| if room == 0 { "room".to_owned() } else { format!("room{room}") };
            let user = |user: u8| format!("user{user}");
            let refused = match step {
                Step::Pass(span) => { clock.advance(Duration::from_millis(span.min(pause))); Ok(()) }
                Step::Create(id, host, lifecycle, own) => {
                    let new = NewRoom::new(room(id), user(host)).lifecycle(lifecycle);
                    registry.create_room(own.of_room(new, clock.now().as_millis()))
                }
                Step::Update(id, name, lifecycle, own) => {
                    let update = own.of_update(RoomUpdate::new(), clock.now().as_millis());
                    let update = lifecycle.into_iter().fold(update, RoomUpdate::lifecycle);
                    registry.update_room(&room(id), update.host(user(name)))
                }
                Step::End(id) => registry.end_room(&room(id)),
                Step::Join(id, who, ..) => registry.join_room(&room(id), NewUser::new(user(who)).role(Role::HOST)),
                Step::Leave(id, who) => registry.leave_room(&room(id), &user(who)),
                Step::Remove(id, who) => registry.remove_user(&room(id), &user(who), 7),
                Step::LeaveBy(id, who, _) => {
                    let who = user(who);
                    registry.leave_room(&room(id), (who.as_str(), "1"))
                }
                Step::Heartbeat(id, who, _) => registry.heartbeat(&room(id), &user(who)).map(|_| ()),
                Step::UpdateUser(id, who, _) => {
                    let stream = format!("stream{who}");
                    registry.update_stream(&room(id), &stream, [("seat".into(), Some("1".into()))].into())
                }
                Step::GrantGrace => {
                    // The clock goes back, a little or a lot.
                    let back = clock.now().as_millis().saturating_sub(pause * 3);
                    clock.set(Timestamp::from_millis(back));
                    registry.grant_grace();
                    Ok(())
                }
                Step::Expire => {
                    registry.expire();
                    prop_assert!(registry.next_expiry().is_none_or(|at| at > clock.now()));
                    Ok(())
                }
                Step::ExpireAtMost(steps) => { registry.expire_at_most(steps); Ok(()) }
            };
            if refused.is_err() {
                prop_assert_eq!(registry.changes().count(), 0, "an error changes nothing");
            }
            if !matches!(step, Step::Pass(_)) {
                registry.changes().for_each(|change| mirror.apply(&change));
            }
            prop_assert_eq!(&mirror, &registry.rooms().collect(), "after {:?}", step);
            if let Some(told) = told {
                match &told {
                    Told::Heard(callback) => registry.apply_callback(callback),
                    Told::Saw(observation) => registry.apply_observation(observation).unwrap(),
                };
                registry.changes().for_each(|change| mirror.apply(&change));
                prop_assert_eq!(&mirror, &registry.rooms().collect(), "after {:?}", told);
            }
            let users: usize = registry.rooms().map(|room| room.users().count()).sum();
            let streams: usize = registry.rooms().map(|room| room.streams().count()).sum();
            prop_assert_eq!(registry.user_count(), users);
            prop_assert_eq!(registry.stream_count(), streams);
            prop_assert_eq!(registry.room_count(), registry.rooms().count());
            for room in registry.rooms() {
                prop_assert_eq!(room.user_count(), room.users().count());
                let order: Vec<_> = room.users().map(|user| (user.since(), user.id().clone())).collect();
                prop_assert!(order.is_sorted());
                let order: Vec<_> = room.streams().map(|stream| (stream.created_at(), stream.id().clone())).collect();
                prop_assert!(order.is_sorted());
            }
        }
    }
}
