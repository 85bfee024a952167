//! The contract around the rules: errors and their texts, hostile texts, settings, threads.

use std::time::Duration;

use room_registry::event::{CallbackEvent, RoomCreated};
use room_registry::{
    Attributes, Callback, Change, Clock, Config, ConfigError, Error, IdError, ManualClock, Mirror,
    NewRoom, NewUser, Outcome, Role, Room, RoomId, RoomRegistry, SessionId, SystemClock, Timestamp,
    UserId, UserUpdate,
};

fn registry() -> RoomRegistry<ManualClock> {
    let mut registry =
        RoomRegistry::with_clock(Config::default(), ManualClock::at(Timestamp::from_secs(1_000)));
    registry.create_room(NewRoom::new("r", "tom").name("Room").attribute("mode", "talk")).unwrap();
    registry.join_room("r", NewUser::new("ann")).unwrap();
    registry
}

/// Everything of a room, as text.
fn stored(registry: &RoomRegistry<ManualClock>) -> (Mirror, Option<Timestamp>) {
    (registry.rooms().collect(), registry.next_expiry())
}

/// Asserts that a refused command prints a text and leaves everything as it was.
#[track_caller]
fn refused<T: std::fmt::Debug>(
    text: &str,
    command: impl FnOnce(&mut RoomRegistry<ManualClock>) -> Result<T, Error>,
) {
    let mut registry = registry();
    let before = stored(&registry);
    let error = command(&mut registry).unwrap_err();
    assert_eq!(error.to_string(), text);
    assert_eq!(stored(&registry), before);
    assert_eq!(registry.changes().count(), 0);
}

#[test]
fn every_refused_command_says_why_and_leaves_the_state_as_it_was() {
    refused(r#"room "r" already exists"#, |registry| {
        registry.create_room(NewRoom::new("r", "ann"))
    });
    refused(r#"room "x" not found"#, |registry| registry.end_room("x"));
    refused(r#"room "x" not found"#, |registry| {
        registry.update_room("x", room_registry::RoomUpdate::new())
    });
    refused(r#"room "x" not found"#, |registry| registry.join_room("x", NewUser::new("ann")));
    refused(r#"room "x" not found"#, |registry| registry.leave_room("x", "ann"));
    refused(r#"room "x" not found"#, |registry| registry.heartbeat("x", "ann"));
    refused(r#"user "ann" already joined room "r""#, |registry| {
        registry.join_room("r", NewUser::new("ann"))
    });
    refused(r#"user "bob" is not in room "r""#, |registry| registry.leave_room("r", "bob"));
    refused(r#"user "bob" is not in room "r""#, |registry| registry.heartbeat("r", "bob"));
    refused(r#"user "bob" is not in room "r""#, |registry| {
        registry.update_user("r", "bob", UserUpdate::new().name("Bob"))
    });
    refused(r#"stream "camera" is not in room "r""#, |registry| {
        registry.update_stream("r", "camera", [("seat".into(), Some("1".into()))].into())
    });
}

#[test]
fn texts_beyond_their_limits_are_named() {
    refused("a room id must not be empty", |registry| {
        registry.create_room(NewRoom::new("", "tom"))
    });
    refused("a user id must not be empty", |registry| registry.create_room(NewRoom::new("x", "")));
    refused("a user id must be at most 255 bytes long; this one has 256", |registry| {
        registry.join_room("r", NewUser::new("x".repeat(256)))
    });
    refused("a user id must not contain control characters; there is one at byte 1", |registry| {
        registry.join_room("r", NewUser::new("a\u{1b}[2J"))
    });
    refused("the room's name is 1025 bytes long; at most 1024 are allowed", |registry| {
        registry.create_room(NewRoom::new("x", "tom").name("n".repeat(1_025)))
    });
    refused("the user's name is 1025 bytes long; at most 1024 are allowed", |registry| {
        registry.heartbeat_with("r", "ann", UserUpdate::new().name("n".repeat(1_025)))
    });
    refused("the role is 1025 bytes long; at most 1024 are allowed", |registry| {
        registry.join_room("r", NewUser::new("bob").role(Role::new("r".repeat(1_025))))
    });
    refused("an attribute's key is 256 bytes long; at most 255 are allowed", |registry| {
        registry.update_user("r", "ann", UserUpdate::new().attribute("k".repeat(256), "v"))
    });
    refused("an attribute's value is 4097 bytes long; at most 4096 are allowed", |registry| {
        registry.update_user("r", "ann", UserUpdate::new().attribute("k", "v".repeat(4_097)))
    });
    refused("too many attributes: 65; at most 64 are allowed", |registry| {
        let many = (0..=Attributes::MAX_LEN)
            .fold(UserUpdate::new(), |update, key| update.attribute(key.to_string(), "v"));
        registry.update_user("r", "ann", many)
    });
}

#[test]
fn attributes_may_be_as_long_and_as_many_as_is_allowed() {
    let mut registry = RoomRegistry::new(Config::default());
    registry.create_room(NewRoom::new("r", "tom")).unwrap();
    let longest = ("k".repeat(Attributes::MAX_KEY_LEN), "v".repeat(Attributes::MAX_VALUE_LEN));
    let mut ann = NewUser::new("ann").attribute(longest.0, longest.1);
    for key in 1..Attributes::MAX_LEN {
        ann = ann.attribute(key.to_string(), "v");
    }
    registry.join_room("r", ann).unwrap();
    let room = registry.room("r").unwrap();
    assert_eq!(room.user("ann").unwrap().attributes().len(), Attributes::MAX_LEN);
}

#[test]
fn hostile_ids_are_escaped_and_cut_in_errors() {
    let mut registry = registry();
    let error = registry.end_room("\u{1b}[2J\"é").unwrap_err();
    assert_eq!(error.to_string(), r#"room "\u{1b}[2J\"é" not found"#);
    let error = registry.end_room(&"é".repeat(1_000_000)).unwrap_err();
    assert_eq!(error, Error::RoomNotFound { room_id: "é".repeat(127) });
}

#[test]
fn an_id_is_not_empty_not_long_and_prints() {
    assert_eq!(RoomId::new("").unwrap_err().to_string(), "a room id must not be empty");
    assert_eq!(SessionId::new("").unwrap_err().to_string(), "a session id must not be empty");
    assert!(RoomId::new("x".repeat(255)).is_ok());
    assert!(matches!(RoomId::new("x".repeat(256)), Err(IdError::TooLong { len: 256, .. })));
    assert!(matches!(RoomId::new("ab\u{7f}"), Err(IdError::ControlCharacter { at: 2, .. })));
    assert!(serde_json::from_str::<UserId>("\"\"").is_err());
    assert!(serde_json::from_str::<UserId>("\"\\u0000\"").is_err());
    assert_eq!(serde_json::from_str::<UserId>("\"tom\"").unwrap(), "tom");
}

#[test]
fn settings_that_make_no_sense_are_refused_when_built() {
    let error = |builder: room_registry::ConfigBuilder| builder.build().unwrap_err();
    let millis = Duration::from_millis;
    assert_eq!(
        error(Config::builder().heartbeat_timeout(Duration::from_micros(999))),
        ConfigError::ZeroHeartbeatTimeout
    );
    assert_eq!(
        error(Config::builder().tie_window(millis(5_001))).to_string(),
        "the tie window (5.001s) must not exceed the clock skew (5s)"
    );
    assert_eq!(
        error(Config::builder().retention(Some(millis(99)))).to_string(),
        "the retention (99ms) must not be below the tie window (100ms)"
    );
    assert_eq!(error(Config::builder().retention(Some(millis(0)))), ConfigError::ZeroRetention);
    let limit = error(Config::builder().max_rooms_per_host(Some(0)));
    assert_eq!(limit.to_string(), "the limit on rooms a host must be at least 1, or none");
}

#[test]
fn a_room_refuses_what_is_not_its_own_and_stays_as_it_was() {
    let config = Config::default();
    let now = Timestamp::from_secs(1_000);
    let mut room = Room::new(RoomId::new("r").unwrap(), &config);
    room.create(NewRoom::new("r", "tom"), &config, now).unwrap();
    let before = serde_json::to_string(&room).unwrap();

    let created = RoomCreated::new(Timestamp::from_secs(999));
    let callback = Callback::new(RoomId::new("x").unwrap(), SessionId::new("7").unwrap(), created);
    let error = room.apply(&callback, &config, now).unwrap_err();
    assert_eq!(error.to_string(), r#"the input is for room "x", but this is room "r""#);
    assert!(room.create(NewRoom::new("x", "tom"), &config, now).is_err());

    let other = Config::builder().infer_sessions(false).build().unwrap();
    assert!(matches!(room.end(&other, now), Err(Error::OtherSettings { .. })));
    assert_eq!(serde_json::to_string(&room).unwrap(), before);
}

#[test]
fn a_damaged_room_is_refused_with_a_reason() {
    let config = Config::default();
    let now = Timestamp::from_secs(1_000);
    let mut room = Room::new(RoomId::new("r").unwrap(), &config);
    let login = room_registry::event::UserLoggedIn::new(
        UserId::new("ann").unwrap(),
        Timestamp::from_secs(990),
    )
    .user_session_id(room_registry::UserSessionId::new("11").unwrap())
    .counter(1);
    let created = RoomCreated::new(Timestamp::from_secs(989));
    for event in [CallbackEvent::from(created), login.into()] {
        let callback =
            Callback::new(RoomId::new("r").unwrap(), SessionId::new("7").unwrap(), event);
        assert_eq!(room.apply(&callback, &config, now).unwrap(), Outcome::Applied);
    }
    let good = serde_json::to_value(&room).unwrap();
    serde_json::from_value::<Room>(good.clone()).unwrap();
    let session = "/live/sessions/0";
    let refused = |at: &str, value: serde_json::Value| {
        let mut damaged = good.clone();
        *damaged.pointer_mut(at).unwrap() = value;
        serde_json::from_value::<Room>(damaged).unwrap_err().to_string()
    };
    assert_eq!(
        refused("/version", 1.into()),
        "a stored room of version 1 cannot be read: this is version 2"
    );
    assert_eq!(refused("/room_id", "".into()), "a room id must not be empty");
    let cannot = |what: &str| {
        format!(
            "room r: {what} of session 7 is impossible: it is below a bound, or outranked by what is stored beside it"
        )
    };
    assert_eq!(
        refused(&format!("{session}/create/created_at"), 999_000.into()),
        cannot("the creation")
    );
    assert_eq!(refused(&format!("{session}/seen_at"), 1.into()), cannot("the latest opening"));
    let exit_at = format!("{session}/exit_at");
    assert_eq!(refused(&exit_at, 1_000_000.into()), cannot("the latest exit"));
    assert_eq!(
        refused(&format!("{session}/users/0/facts/0/at"), 1.into()),
        cannot("a fact of user ann")
    );
    assert_eq!(
        refused(&format!("{session}/closed_at"), 990_000.into()),
        cannot("a fact of user ann")
    );
    let sessions = good["live"]["sessions"][0].clone();
    assert_eq!(
        refused("/live/sessions", serde_json::json!([sessions, sessions])),
        "room r: session 7 is stored twice"
    );
    let many: Vec<_> = (0..17).map(|_| good["live"]["sessions"][0].clone()).collect();
    assert_eq!(
        refused("/live/sessions", many.into()),
        "room r: the room exceeds what a room can hold"
    );
}

#[test]
fn public_types_go_between_threads() {
    fn check<T: Send + Sync>() {}
    check::<RoomRegistry<SystemClock>>();
    check::<RoomRegistry<ManualClock>>();
    check::<Room>();
    check::<Callback>();
    check::<Change>();
    check::<Mirror>();
    check::<Config>();
    check::<Error>();
    check::<room_registry::RoomRef<'_>>();
    check::<room_registry::UserRef<'_>>();
    check::<room_registry::StreamRef<'_>>();
    check::<room_registry::journal::Command>();
}

#[test]
fn a_shared_clock_is_a_clock() {
    let clock = std::sync::Arc::new(ManualClock::at(Timestamp::from_secs(1)));
    let registry = RoomRegistry::with_clock(Config::default(), std::sync::Arc::clone(&clock));
    clock.advance(Duration::from_secs(1));
    assert_eq!((*clock).now(), Timestamp::from_secs(2));
    assert_eq!(registry.room_count(), 0);
}

#[test]
fn times_at_the_ends_of_what_can_be_told_do_not_overflow() {
    let config = Config::builder()
        .future_guard(Duration::MAX)
        .retention(Some(Duration::MAX))
        .build()
        .unwrap();
    let clock = ManualClock::at(Timestamp::MAX);
    let mut registry = RoomRegistry::with_clock(config, clock.clone());
    let room = || RoomId::new("r").unwrap();
    for at in [Timestamp::MAX, Timestamp::MIN] {
        for session in ["1", "2"] {
            let session = SessionId::new(session).unwrap();
            registry.apply_callback(&Callback::new(room(), session.clone(), RoomCreated::new(at)));
            let logout = room_registry::event::UserLoggedOut::new(UserId::new("u").unwrap(), at)
                .user_session_id(room_registry::UserSessionId::new("1").unwrap());
            registry.apply_callback(&Callback::new(room(), session, logout));
        }
        registry.expire();
    }
    registry.create_room(NewRoom::new("r", "tom")).unwrap();
    registry.join_room("r", NewUser::new("tom")).unwrap();
    registry.end_room("r").unwrap();
    registry.expire();
    clock.set(Timestamp::MIN);
    registry.create_room(NewRoom::new("r", "tom")).unwrap();
    registry.join_room("r", NewUser::new("tom")).unwrap();
    registry.expire();
    assert_eq!(registry.room_count(), 1);
}

#[test]
fn at_the_end_of_time_a_room_ends_and_begins_and_is_read_back() {
    let clock = ManualClock::at(Timestamp::MAX);
    let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
    for _ in 0..3 {
        registry.create_room(NewRoom::new("r1", "tom")).unwrap();
        registry.join_room("r1", NewUser::new("ann")).unwrap();
        registry.leave_room("r1", "ann").unwrap();
        registry.join_room("r1", NewUser::new("ann")).unwrap();
        let saved = serde_json::to_value(registry.snapshot()).unwrap();
        let again = RoomRegistry::restore_exactly(Config::default(), clock.clone(), &saved);
        assert_eq!(serde_json::to_value(again.unwrap().snapshot()).unwrap(), saved);
        registry.end_room("r1").unwrap();
    }
}
