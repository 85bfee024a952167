//! Commands, each as a story of one room: heartbeats and timeouts, beside callbacks, lifecycles,
//! limits, and a clock that goes back.

use std::time::Duration;

use room_registry::event::{RoomCreated, UserLoggedIn};
use room_registry::{
    Callback, Cause, ChangeKind, Clock, Config, ConfigBuilder, Error, Heartbeat, Lifecycle,
    ManualClock, Mirror, NewRoom, NewUser, RoomId, RoomRegistry, RoomUpdate, SessionId, Timestamp,
    UserId, UserSessionId,
};
use room_registry_world::commands::{START, TIMEOUT, registry, registry_with};
use room_registry_world::history::{Options, valid_history};

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
        "a read shows it until an operation on the room or an expiry"
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
        .find(|history| {
            matches!(history[1].event, room_registry::event::CallbackEvent::UserLoggedIn(_))
        })
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

/// Holds law 4.8.
#[test]
fn a_heartbeat_of_a_user_who_is_only_logged_in_gives_a_membership() {
    let (mut registry, clock, _) = room_of_callbacks(Config::default());
    let user = only_user(&registry);
    assert_eq!(registry.heartbeat("room", &user), Ok(Heartbeat::Alive));
    let view = registry.room("room").unwrap().user(&user).unwrap();
    assert_eq!(view.membership().unwrap().joined_at, clock.now());
    assert!(view.login().is_some());
}

/// Holds law 6.2.
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

/// Holds law 6.1.
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

/// Holds law 4.7.
#[test]
fn a_created_room_adopts_the_session_that_callbacks_opened() {
    let (mut registry, _, _) = room_of_callbacks(Config::default());
    registry.create_room(NewRoom::new("room", "host").name("Named")).unwrap();
    let room = registry.room("room").unwrap();
    assert_eq!(room.name().unwrap(), "Named");
    assert!(room.session().is_some());
    assert_eq!(room.user_count(), 1);
}

/// Holds law 4.8.
#[test]
fn a_room_that_only_callbacks_know_takes_its_host_and_name_from_them() {
    let (registry, _, history) = room_of_callbacks(Config::default());
    let room_registry::event::CallbackEvent::RoomCreated(created) = &history[0].event else {
        panic!()
    };
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
        clock.advance(Duration::from_millis(299_999));
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
    let closed = room_registry::event::RoomClosed::new(clock.now());
    registry.apply_callback(&Callback::new(
        history[0].room_id.clone(),
        history[0].session_id.clone(),
        closed,
    ));
    assert_eq!(registry.next_expiry(), Some(clock.now()), "at once");
    assert_eq!(registry.expire().rooms, 1);
    assert!(registry.room("room").is_none());
}

fn rooms_made_by_joins() -> ConfigBuilder {
    Config::builder().auto_create_rooms(Some(Lifecycle::UntilEmpty))
}

#[test]
fn a_join_creates_an_unknown_room_if_the_configuration_says_so() {
    let config = rooms_made_by_joins().max_rooms(Some(1)).build().unwrap();
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

/// It is listed already, so nothing is created, and one more room is none too many.
#[test]
fn a_room_that_callbacks_opened_is_joined_as_it_is_and_created_beyond_the_limit() {
    let config = rooms_made_by_joins().max_rooms(Some(1)).build().unwrap();
    let (mut registry, clock) = registry_with(config);
    let session = SessionId::new("7").unwrap();
    let created = RoomCreated::new(clock.now());
    registry.apply_callback(&Callback::new(RoomId::new("r").unwrap(), session, created));
    registry.join_room("r", NewUser::new("tom")).unwrap();
    assert!(registry.room("r").unwrap().info().is_none());
    registry.create_room(NewRoom::new("r", "tom")).unwrap();
    assert!(registry.room("r").unwrap().info().is_some());
    let error = registry.create_room(NewRoom::new("r2", "tom")).unwrap_err();
    assert_eq!(error, Error::TooManyRooms { limit: 1 });
}

/// The room that a join creates may be full at once, with those whom its end had hidden.
#[test]
fn a_join_that_finds_the_room_full_that_it_created_leaves_it_uncreated() {
    let config = rooms_made_by_joins().max_users_per_room(Some(1)).build().unwrap();
    let (mut registry, clock) = registry_with(config);
    let login = UserLoggedIn::new(UserId::new("ann").unwrap(), clock.now())
        .user_session_id(UserSessionId::new("1").unwrap())
        .counter(1);
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
    assert_eq!(error.to_string(), "too many rooms: at most 2 may be listed");

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

/// A room alone, whose first input after the step back is an update.
#[test]
fn an_update_after_a_large_step_back_of_the_clock_leaves_nothing_in_the_future() {
    use room_registry::{Room, RoomId};
    let config = Config::default();
    let [early, late] = [START - 3_600_000, START].map(Timestamp::from_millis);
    let mut room = Room::new(RoomId::new("r").unwrap(), &config);
    room.create(NewRoom::new("r", "tom"), &config, late).unwrap();
    room.update(RoomUpdate::new().name("Late show"), &config, early).unwrap();
    let info = room.view().unwrap().info().unwrap().clone();
    assert_eq!((info.created_at, info.updated_at), (early, early));
    assert_eq!(info.name.unwrap(), "Late show");

    // Neither an update that is refused nor one that changes nothing keeps the room in the future.
    for host in ["", "tom"] {
        let mut room = Room::new(RoomId::new("r").unwrap(), &config);
        room.create(NewRoom::new("r", "tom"), &config, late).unwrap();
        let updated = room.update(RoomUpdate::new().host(host), &config, early);
        assert_eq!(updated.is_ok(), host == "tom");
        assert_eq!(room.view().unwrap().info().unwrap().created_at, early);
    }
}

/// Both are kept, and both may be from the local future then. What is read back must have two that differ.
#[test]
fn the_last_two_ends_of_a_room_differ_also_after_the_local_clock_was_set_back() {
    use room_registry::{Room, RoomId};
    let config = Config::default();
    let at = |seconds: u64| Timestamp::from_millis(START + 1_000 * seconds);
    let mut room = Room::new(RoomId::new("r").unwrap(), &config);
    for ended_at in [100, 200] {
        room.create(NewRoom::new("r", "tom"), &config, at(ended_at)).unwrap();
        room.end(&config, at(ended_at)).unwrap();
    }
    for (now, before) in [(150, Some(at(100))), (100, None), (50, None)] {
        let mut room = room.clone();
        room.expire(&config, at(now)).unwrap();
        let stored = serde_json::to_value(&room).unwrap();
        assert_eq!(stored["ended_at"], serde_json::to_value(at(now)).unwrap());
        assert_eq!(stored["ended_before"], serde_json::to_value(before).unwrap());
        serde_json::from_value::<Room>(stored).unwrap();
    }
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

/// A room that a join creates goes again if the join is refused. What the clock did to other rooms in the
/// same call is told all the same.
/// Holds law 1.6.
#[test]
fn a_refused_join_that_would_create_a_room_takes_back_no_change_of_another_room() {
    let config = Config::builder()
        .max_users_per_room(Some(1))
        .auto_create_rooms(Some(Lifecycle::UntilEmpty))
        .build()
        .unwrap();
    let clock = ManualClock::at(Timestamp::from_secs(1_000));
    let mut registry = RoomRegistry::with_clock(config, clock.clone());
    let mut mirror = Mirror::default();
    // In the other room the media server has somebody. An end hides it, and a creation shows it again.
    let bob = UserLoggedIn::new(UserId::new("bob").unwrap(), Timestamp::from_secs(999));
    let session_id = SessionId::new("7").unwrap();
    registry.apply_callback(&Callback::new(RoomId::new("other").unwrap(), session_id, bob));
    registry.end_room("other").unwrap();
    registry.create_room(NewRoom::new("show", "tom")).unwrap();
    mirror.apply(&registry.changes().next().unwrap());
    clock.set(Timestamp::from_secs(900));
    assert!(registry.join_room("other", NewUser::new("ann")).is_err());
    registry.changes().for_each(|change| mirror.apply(&change));
    assert_eq!(mirror, registry.rooms().collect());
}
