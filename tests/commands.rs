//! Commands: against a naive model, and beside callbacks.
#![allow(clippy::unwrap_used, reason = "a test that meets what it does not expect fails")]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use room_registry::{
    Callback, Cause, ChangeKind, Clock, Config, Error, Heartbeat, Lifecycle, ManualClock, Mirror,
    NewRoom, NewUser, Role, RoomId, RoomRegistry, RoomUpdate, SessionId, Timestamp, UserId,
    UserLoggedIn, UserSessionId, UserUpdate,
};
use support::history::{Options, valid_history};
use support::sightings::{Told, junk};

const START: u64 = 1_763_596_800_000;
const TIMEOUT: u64 = 90_000;

fn registry_with(config: Config) -> (RoomRegistry<ManualClock>, ManualClock) {
    let clock = ManualClock::at(Timestamp::from_millis(START));
    (RoomRegistry::with_clock(config, clock.clone()), clock)
}

fn registry() -> (RoomRegistry<ManualClock>, ManualClock) {
    registry_with(Config::default())
}

#[derive(Debug, Clone)]
enum Step {
    Pass(u64),
    Create(u8, u8, Lifecycle),
    Update(u8, u8),
    End(u8),
    Join(u8, u8),
    Leave(u8, u8),
    Heartbeat(u8, u8),
    UpdateUser(u8, u8, u8),
    Expire,
    ExpireAtMost(usize),
    GrantGrace,
}

fn step() -> impl Strategy<Value = Step> {
    let pause = prop_oneof![
        prop::sample::select(vec![0, 1, 30_000, 59_999, 60_000, TIMEOUT - 1, TIMEOUT, TIMEOUT + 1]),
        0..100_000_u64
    ];
    let lifecycle = prop::sample::select(vec![
        Lifecycle::UntilEnded,
        Lifecycle::UntilEmpty,
        Lifecycle::Permanent,
    ]);
    let (room, user) = (|| 0..3_u8, || 0..3_u8);
    prop_oneof![
        4 => pause.prop_map(Step::Pass),
        2 => (room(), user(), lifecycle).prop_map(|(room, host, lifecycle)| Step::Create(room, host, lifecycle)),
        1 => (room(), 0..3_u8).prop_map(|(room, name)| Step::Update(room, name)),
        1 => room().prop_map(Step::End),
        4 => (room(), user()).prop_map(|(room, user)| Step::Join(room, user)),
        1 => (room(), user()).prop_map(|(room, user)| Step::Leave(room, user)),
        4 => (room(), user()).prop_map(|(room, user)| Step::Heartbeat(room, user)),
        1 => (room(), user(), 0..3_u8).prop_map(|(room, user, name)| Step::UpdateUser(room, user, name)),
        2 => Just(Step::Expire),
        1 => (0..3_usize).prop_map(Step::ExpireAtMost),
        1 => Just(Step::GrantGrace),
    ]
}

/// A room as a first server would keep it.
#[derive(Debug, Clone)]
struct ModelRoom {
    host: String,
    name: String,
    lifecycle: Lifecycle,
    empty_since: Option<u64>,
    /// Users with the time of joining, the last heartbeat, and the name.
    members: BTreeMap<String, (u64, u64, String)>,
}

/// Commands alone, as plainly as can be.
#[derive(Debug, Default)]
struct Model {
    now: u64,
    rooms: BTreeMap<String, ModelRoom>,
}

impl Model {
    fn room(&mut self, id: &str) -> Result<&mut ModelRoom, String> {
        self.rooms.get_mut(id).ok_or_else(|| format!("room {id:?} not found"))
    }

    fn note_empty(&mut self, id: &str) {
        let now = self.now;
        if let Some(room) = self.rooms.get_mut(id) {
            room.empty_since =
                if room.members.is_empty() { room.empty_since.or(Some(now)) } else { None };
        }
    }

    fn join(&mut self, id: &str, user: &str) -> Result<(), String> {
        let now = self.now;
        let room = self.room(id)?;
        if room.members.get(user).is_some_and(|(_, beat, _)| now <= beat + TIMEOUT) {
            return Err(format!("user {user:?} already joined room {id:?}"));
        }
        room.members.insert(user.to_owned(), (now, now, user.to_owned()));
        self.note_empty(id);
        Ok(())
    }

    fn leave(&mut self, id: &str, user: &str) -> Result<(), String> {
        let room = self.room(id)?;
        room.members.remove(user).ok_or_else(|| format!("user {user:?} is not in room {id:?}"))?;
        self.note_empty(id);
        Ok(())
    }

    fn heartbeat(&mut self, id: &str, user: &str) -> Result<Heartbeat, String> {
        let now = self.now;
        let room = self.room(id)?;
        let (_, beat, _) = room
            .members
            .get_mut(user)
            .ok_or_else(|| format!("user {user:?} is not in room {id:?}"))?;
        if now > *beat + TIMEOUT {
            room.members.remove(user);
            self.note_empty(id);
            return Ok(Heartbeat::TimedOut);
        }
        *beat = now;
        Ok(Heartbeat::Alive)
    }

    fn expire(&mut self) {
        let now = self.now;
        for id in self.rooms.keys().cloned().collect::<Vec<_>>() {
            let room = self.rooms.get_mut(&id).unwrap();
            room.members.retain(|_, (_, beat, _)| now <= *beat + TIMEOUT);
            self.note_empty(&id);
            let room = &self.rooms[&id];
            let empty_for = room.empty_since.map(|since| now - since);
            if room.lifecycle == Lifecycle::UntilEmpty
                && empty_for.is_some_and(|span| span >= 60_000)
            {
                self.rooms.remove(&id);
            }
        }
    }
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
        let users: BTreeMap<_, _> = room
            .users()
            .map(|user| {
                let held = (
                    user.membership().unwrap().joined_at.as_millis(),
                    user.heartbeat_at().unwrap().as_millis(),
                    user.name().unwrap().to_string(),
                );
                (user.id().to_string(), held)
            })
            .collect();
        assert_eq!(users, expected.members);
    }
    let users: usize = model.rooms.values().map(|room| room.members.len()).sum();
    assert_eq!(registry.user_count(), users);
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
        Step::Create(id, host, lifecycle) => {
            let new = NewRoom::new(room(id), user(host)).name("a room").lifecycle(*lifecycle);
            let expected = if model.rooms.contains_key(&room(id)) {
                Err(format!("room {:?} already exists", room(id)))
            } else {
                let (host, name) = (user(host), "a room".to_owned());
                let empty_since = Some(model.now);
                let new = ModelRoom {
                    host,
                    name,
                    lifecycle: *lifecycle,
                    empty_since,
                    members: BTreeMap::new(),
                };
                model.rooms.insert(room(id), new);
                Ok(())
            };
            let created_again = registry.held_room_count() > registry.room_count();
            assert_eq!(text(registry.create_room(new)), expected);
            if let (Ok(()), false) = (expected, created_again) {
                let created_at = registry.room(&room(id)).unwrap().info().unwrap().created_at;
                assert_eq!(created_at, clock.now());
            }
        }
        Step::Update(id, name) => {
            let expected = model.room(&room(id)).map(|held| held.name = format!("name {name}"));
            let update = RoomUpdate::new().name(format!("name {name}"));
            assert_eq!(text(registry.update_room(&room(id), update)), expected);
        }
        Step::End(id) => {
            let expected = model.room(&room(id)).map(|_| ());
            model.rooms.remove(&room(id));
            assert_eq!(text(registry.end_room(&room(id))), expected);
        }
        Step::Join(id, who) => {
            let expected = model.join(&room(id), &user(who));
            let new = NewUser::new(user(who)).name(user(who));
            assert_eq!(text(registry.join_room(&room(id), new)), expected);
        }
        Step::Leave(id, who) => {
            let expected = model.leave(&room(id), &user(who));
            assert_eq!(text(registry.leave_room(&room(id), &user(who))), expected);
        }
        Step::Heartbeat(id, who) => {
            let expected = model.heartbeat(&room(id), &user(who));
            let answer = registry.heartbeat(&room(id), &user(who));
            assert_eq!(answer.map_err(|error| error.to_string()), expected);
        }
        Step::UpdateUser(id, who, name) => {
            let missing = format!("user {:?} is not in room {:?}", user(who), room(id));
            let expected = model.room(&room(id)).and_then(|held| {
                held.members
                    .get_mut(&user(who))
                    .map(|held| held.2 = format!("name {name}"))
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
            let now = model.now;
            let members = model.rooms.values_mut().flat_map(|room| room.members.values_mut());
            members.for_each(|(_, beat, _)| *beat = now);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn commands_do_what_a_naive_model_does(steps in prop::collection::vec(step(), 0..60)) {
        let (mut registry, clock) = registry();
        let mut model = Model { now: START, ..Model::default() };
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
                Step::Create(id, host, _) => {
                    let lifecycle = [Lifecycle::UntilEnded, Lifecycle::UntilEmpty, Lifecycle::FollowsSession];
                    registry.create_room(NewRoom::new(room(id), user(host)).lifecycle(lifecycle[usize::from(host)]))
                }
                Step::Update(id, name) => registry.update_room(&room(id), RoomUpdate::new().host(user(name))),
                Step::End(id) => registry.end_room(&room(id)),
                Step::Join(id, who) => registry.join_room(&room(id), NewUser::new(user(who)).role(Role::HOST)),
                Step::Leave(id, who) => registry.leave_room(&room(id), &user(who)),
                Step::Heartbeat(id, who) => registry.heartbeat(&room(id), &user(who)).map(|_| ()),
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

#[test]
fn a_heartbeat_is_in_time_until_exactly_the_timeout() {
    for (span, expected) in [
        (TIMEOUT - 1, Heartbeat::Alive),
        (TIMEOUT, Heartbeat::Alive),
        (TIMEOUT + 1, Heartbeat::TimedOut),
    ] {
        let (mut registry, clock) = registry();
        registry.create_room(NewRoom::new("r", "tom")).unwrap();
        registry.join_room("r", NewUser::new("tom")).unwrap();
        clock.advance(Duration::from_millis(span));
        assert_eq!(registry.heartbeat("r", "tom"), Ok(expected), "after {span} ms");
        assert_eq!(registry.room("r").unwrap().user("tom").is_some(), expected == Heartbeat::Alive);
    }
}

#[test]
fn a_sweep_ends_a_membership_after_the_timeout_and_not_at_it() {
    for (span, ended) in [(TIMEOUT - 1, 0), (TIMEOUT, 0), (TIMEOUT + 1, 1)] {
        let (mut registry, clock) = registry();
        registry.create_room(NewRoom::new("r", "tom")).unwrap();
        registry.join_room("r", NewUser::new("tom")).unwrap();
        clock.advance(Duration::from_millis(span));
        assert_eq!(registry.expire().memberships, ended, "after {span} ms");
    }
}

#[test]
fn a_timed_out_membership_that_was_not_swept_counts_as_gone_for_a_join() {
    let (mut registry, clock) = registry();
    registry.create_room(NewRoom::new("r", "tom")).unwrap();
    registry.join_room("r", NewUser::new("ann").name("Ann")).unwrap();
    clock.advance(Duration::from_millis(TIMEOUT + 1));
    assert!(
        registry.room("r").unwrap().user("ann").is_some(),
        "a read shows it until it is touched"
    );
    registry.join_room("r", NewUser::new("ann").name("Ann again")).unwrap();
    let kinds: Vec<_> = registry.changes().map(|change| (change.cause, change.kind)).collect();
    assert!(
        matches!(&kinds[0], (Cause::HeartbeatTimeout, ChangeKind::UserLeft { .. })),
        "{kinds:?}"
    );
    assert!(matches!(&kinds[1], (Cause::Command, ChangeKind::UserJoined(_))), "{kinds:?}");
    assert_eq!(registry.room("r").unwrap().user("ann").unwrap().name().unwrap(), "Ann again");
}

/// A room that only callbacks know, with its first user logged in.
fn room_of_callbacks(config: Config) -> (RoomRegistry<ManualClock>, ManualClock, Vec<Callback>) {
    let (mut registry, clock) = registry_with(config);
    let history = (0..100)
        .map(|seed| valid_history(seed, Options { callbacks: 2, max_gap: 1, ..Options::default() }))
        .find(|history| matches!(history[1].event, room_registry::CallbackEvent::UserLoggedIn(_)))
        .unwrap();
    clock.set(history[1].latest_time());
    for callback in &history {
        registry.apply_callback(callback);
    }
    assert_eq!(registry.user_count(), 1);
    (registry, clock, history)
}

fn only_user(registry: &RoomRegistry<ManualClock>) -> String {
    registry.room("room").unwrap().users().next().unwrap().id().to_string()
}

#[test]
fn a_heartbeat_of_a_user_who_is_only_logged_in_gives_a_membership() {
    let (mut registry, clock, _) = room_of_callbacks(Config::default());
    let user = only_user(&registry);
    assert_eq!(registry.heartbeat("room", &user), Ok(Heartbeat::Alive));
    let view = registry.room("room").unwrap().user(&user).unwrap();
    assert_eq!(view.membership().unwrap().joined_at, clock.now());
    assert!(view.login().is_some());
}

#[test]
fn a_timeout_leaves_a_login_alone_unless_heartbeats_decide_for_both() {
    for decides in [false, true] {
        let config = Config::builder().heartbeats_end_logins(decides).build().unwrap();
        let (mut registry, clock, history) = room_of_callbacks(config);
        let user = only_user(&registry);
        registry.heartbeat("room", &user).unwrap();
        clock.advance(Duration::from_millis(TIMEOUT + 1));
        assert_eq!(registry.expire().memberships, 1);
        assert_eq!(registry.room("room").unwrap().user(&user).is_some(), !decides);
        registry.apply_callback(&history[1]);
        assert_eq!(
            registry.room("room").unwrap().user(&user).is_some(),
            !decides,
            "a repeat brings nobody back"
        );
    }
}

#[test]
fn leaving_ends_the_login_and_a_late_repeat_does_not_bring_the_user_back() {
    let (mut registry, _, history) = room_of_callbacks(Config::default());
    let user = only_user(&registry);
    registry.join_room("room", NewUser::new(user.as_str())).unwrap();
    registry.leave_room("room", &user).unwrap();
    assert_eq!(registry.user_count(), 0);
    registry.apply_callback(&history[1]);
    assert_eq!(registry.user_count(), 0);
}

#[test]
fn a_created_room_adopts_the_session_that_callbacks_opened() {
    let (mut registry, _, _) = room_of_callbacks(Config::default());
    registry.create_room(NewRoom::new("room", "host").name("Named")).unwrap();
    let room = registry.room("room").unwrap();
    assert_eq!(room.name().unwrap(), "Named");
    assert!(room.session().is_some());
    assert_eq!(room.user_count(), 1);
}

#[test]
fn a_room_that_only_callbacks_know_takes_its_host_and_name_from_them() {
    let (registry, _, history) = room_of_callbacks(Config::default());
    let room_registry::CallbackEvent::RoomCreated(created) = &history[0].event else { panic!() };
    let room = registry.room("room").unwrap();
    assert_eq!(room.host_id(), created.creator_id.as_ref());
    assert_eq!(room.name().unwrap(), "the room");
    assert_eq!(room.lifecycle(), Lifecycle::FollowsSession);
    assert!(room.info().is_none());
}

#[test]
fn an_empty_room_of_each_lifecycle_ends_when_its_lifecycle_says() {
    for (lifecycle, ends) in [
        (Lifecycle::UntilEnded, false),
        (Lifecycle::UntilEmpty, true),
        (Lifecycle::FollowsSession, false), // it waits for its first session
        (Lifecycle::Permanent, false),
    ] {
        let (mut registry, clock) = registry();
        registry.create_room(NewRoom::new("r", "tom").lifecycle(lifecycle)).unwrap();
        clock.advance(Duration::from_millis(59_999));
        assert_eq!(registry.expire().rooms, 0);
        clock.advance(Duration::from_millis(1));
        assert_eq!(registry.expire().rooms, usize::from(ends), "{lifecycle:?}");
        if ends {
            assert_eq!(registry.changes().next().unwrap().cause, Cause::Lifecycle);
        }
    }
}

#[test]
fn a_room_that_follows_its_session_ends_after_it() {
    let (mut registry, clock, history) = room_of_callbacks(Config::default());
    let follows = NewRoom::new("room", "tom").lifecycle(Lifecycle::FollowsSession);
    registry.create_room(follows).unwrap();
    assert_eq!(registry.expire().rooms, 0);
    let closed = room_registry::RoomClosed::new(clock.now());
    registry.apply_callback(&Callback::new(
        history[0].room_id.clone(),
        history[0].session_id.clone(),
        closed,
    ));
    assert_eq!(registry.next_expiry(), Some(clock.now()), "at once");
    assert_eq!(registry.expire().rooms, 1);
    assert!(registry.room("room").is_none());
}

#[test]
fn a_join_creates_an_unknown_room_where_the_configuration_says_so() {
    let config = Config::builder()
        .auto_create_rooms(Some(Lifecycle::UntilEmpty))
        .max_rooms(Some(1))
        .build()
        .unwrap();
    let (mut registry, clock) = registry_with(config);
    registry.join_room("r", NewUser::new("tom")).unwrap();
    assert_eq!(registry.changes().count(), 2, "the room and the user");
    let room = registry.room("r").unwrap();
    assert_eq!(room.host_id().unwrap(), "tom");
    assert_eq!(room.user_count(), 1);
    let error = registry.join_room("r2", NewUser::new("tom")).unwrap_err();
    assert_eq!(error, Error::TooManyRooms { limit: 1 });
    registry.leave_room("r", "tom").unwrap();
    clock.advance(Duration::from_secs(60));
    assert_eq!(registry.expire().rooms, 1);
}

/// The room that a join creates may be full at once, with those whom its end had hidden.
#[test]
fn a_join_that_finds_the_room_full_that_it_created_leaves_it_uncreated() {
    let config = Config::builder()
        .auto_create_rooms(Some(Lifecycle::UntilEmpty))
        .max_users_per_room(Some(1))
        .build()
        .unwrap();
    let (mut registry, clock) = registry_with(config);
    let login = UserLoggedIn::new(
        UserId::new("ann").unwrap(),
        UserSessionId::new("1").unwrap(),
        clock.now(),
        1,
    );
    let session = SessionId::new("7").unwrap();
    registry.apply_callback(&Callback::new(RoomId::new("r").unwrap(), session, login));
    registry.end_room("r").unwrap();
    let before = serde_json::to_string(&registry.snapshot()).unwrap();
    let error = registry.join_room("r", NewUser::new("tom")).unwrap_err();
    assert_eq!(error, Error::RoomFull { room_id: "r".into(), limit: 1 });
    assert_eq!(registry.changes().count(), 0);
    assert_eq!((registry.room_count(), registry.user_count()), (0, 0));
    assert_eq!(serde_json::to_string(&registry.snapshot()).unwrap(), before);
    registry.join_room("r", NewUser::new("ann")).unwrap(); // she is in the room already
    assert_eq!(registry.user_count(), 1);
}

#[test]
fn limits_refuse_commands_and_never_callbacks() {
    let config = Config::builder()
        .max_users_per_room(Some(1))
        .max_rooms(Some(2))
        .max_rooms_per_host(Some(1))
        .build()
        .unwrap();
    let (mut registry, clock) = registry_with(config);
    registry.create_room(NewRoom::new("a", "tom")).unwrap();
    let error = registry.create_room(NewRoom::new("b", "tom")).unwrap_err();
    assert_eq!(error, Error::TooManyRoomsOfHost { host_id: "tom".into(), limit: 1 });
    assert_eq!(error.to_string(), r#"host "tom" has too many rooms: one host may have 1"#);
    registry.create_room(NewRoom::new("b", "ann")).unwrap();
    let error = registry.update_room("b", RoomUpdate::new().host("tom")).unwrap_err();
    assert_eq!(error, Error::TooManyRoomsOfHost { host_id: "tom".into(), limit: 1 });
    let error = registry.create_room(NewRoom::new("c", "bob")).unwrap_err();
    assert_eq!(error, Error::TooManyRooms { limit: 2 });
    assert_eq!(error.to_string(), "there are too many rooms: 2 may be listed");

    registry.join_room("a", NewUser::new("tom")).unwrap();
    let error = registry.join_room("a", NewUser::new("ann")).unwrap_err();
    assert_eq!(error, Error::RoomFull { room_id: "a".into(), limit: 1 });
    assert_eq!(error.to_string(), r#"room "a" is full: it may have 1 users"#);

    clock.set(Timestamp::from_millis(START + 100_000_000));
    for callback in valid_history(3, Options { callbacks: 20, ..Options::default() }) {
        assert_ne!(registry.apply_callback(&callback), room_registry::Outcome::Refused);
    }
    registry.end_room("b").unwrap();
    registry.create_room(NewRoom::new("c", "ann")).unwrap();
}

#[test]
fn a_small_step_back_of_the_clock_reads_as_standing_still() {
    let (mut registry, clock) = registry();
    registry.create_room(NewRoom::new("r", "tom")).unwrap();
    clock.set(Timestamp::from_millis(START - 5_000)); // the clock skew
    registry.join_room("r", NewUser::new("tom")).unwrap();
    let joined_at =
        registry.room("r").unwrap().user("tom").unwrap().membership().unwrap().joined_at;
    assert_eq!(joined_at, Timestamp::from_millis(START));
}

#[test]
fn a_large_step_back_of_the_clock_is_believed_and_pulls_the_future_back() {
    let (mut registry, clock) = registry();
    let mut mirror = Mirror::default();
    registry.create_room(NewRoom::new("r", "tom")).unwrap();
    registry.changes().for_each(|change| mirror.apply(&change));
    registry.join_room("r", NewUser::new("tom")).unwrap();
    registry.changes().for_each(|change| mirror.apply(&change));
    let earlier = Timestamp::from_millis(START - 3_600_000);
    clock.set(earlier);
    registry.expire();
    registry.changes().for_each(|change| mirror.apply(&change));
    assert_eq!(mirror, registry.rooms().collect());
    let room = registry.room("r").unwrap();
    assert_eq!(room.info().unwrap().created_at, earlier);
    assert_eq!(room.user("tom").unwrap().membership().unwrap().joined_at, earlier);
    // The membership ends a timeout after the new now, not after the old future.
    clock.advance(Duration::from_millis(TIMEOUT));
    assert_eq!(registry.expire().memberships, 0);
    clock.advance(Duration::from_millis(1));
    assert_eq!(registry.expire().memberships, 1);
}

#[test]
fn heartbeats_kept_outside_a_room_count() {
    use room_registry::{Room, RoomId};
    let config = Config::default();
    let at = |millis| Timestamp::from_millis(START + millis);
    let mut room = Room::new(RoomId::new("r").unwrap(), &config);
    room.create(NewRoom::new("r", "tom"), &config, at(0)).unwrap();
    for user in ["ann", "bob", "cleo"] {
        room.join(NewUser::new(user), &config, at(0)).unwrap();
    }
    let heartbeats = [("ann", at(60_000)), ("bob", at(70_000)), ("nobody", at(1)), ("cleo", at(0))];
    assert_eq!(room.expire_with(heartbeats, &config, at(TIMEOUT + 1)).unwrap().memberships, 1);
    assert_eq!(room.next_expiry(&config), Some(at(60_000 + TIMEOUT + 1)));
    let users: Vec<_> = room.view().unwrap().users().map(|user| user.id().to_string()).collect();
    assert_eq!(users, ["ann", "bob"]);
}
