//! Whole registries, saved and restored.

use std::time::Duration;

use proptest::prelude::*;
use room_registry::event::{RoomCreated, UserLoggedIn, UserLoggedOut};
use room_registry::repair::{ObservedStream, ObservedUser};
use room_registry::{
    Callback, Config, ManualClock, Mirror, NewRoom, NewUser, Observation, Role, RoomId,
    RoomRegistry, SessionId, StreamId, Timestamp, UserId, UserSessionId, UserUpdate,
};
use room_registry_world::effort::properties;
use room_registry_world::junk::junk_callback;
use serde_json::{Value, json};

const START: u64 = 1_003_000;

/// A registry with a few rooms, of commands and of callbacks.
fn played(callbacks: &[(u64, Callback)]) -> (RoomRegistry<ManualClock>, ManualClock) {
    let clock = ManualClock::at(Timestamp::from_millis(START));
    let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
    for (room, user) in [("a", "ann"), ("b", "bob"), ("room", "cleo")] {
        registry
            .create_room(NewRoom::new(room, "tom").name(room).attribute("mode", "talk"))
            .unwrap();
        registry.join_room(room, NewUser::new(user).name(user)).unwrap();
    }
    registry.end_room("b").unwrap();
    for (pause, callback) in callbacks {
        clock.advance(Duration::from_millis(*pause));
        registry.apply_callback(callback);
    }
    (registry, clock)
}

fn saved(registry: &RoomRegistry<ManualClock>) -> Value {
    serde_json::to_value(registry.snapshot()).unwrap()
}

fn restored(saved: Value, clock: &ManualClock) -> Result<RoomRegistry<ManualClock>, String> {
    RoomRegistry::restore(Config::default(), clock.clone(), saved)
        .map_err(|error| error.to_string())
}

proptest! {
    #![proptest_config(properties(100))]

    /// Holds law 1.7.
    #[test]
    fn what_is_restored_is_what_was_saved_and_goes_on_the_same(
        callbacks in prop::collection::vec((0..2_000_u64, junk_callback()), 0..30),
        more in prop::collection::vec((0..2_000_u64, junk_callback()), 0..10),
    ) {
        let (mut registry, clock) = played(&callbacks);
        let text = serde_json::to_string(&registry.snapshot()).unwrap();
        let mut reader = serde_json::Deserializer::from_str(&text);
        let mut restored = RoomRegistry::restore(Config::default(), clock.clone(), &mut reader).unwrap();
        registry.grant_grace(); // as a restore does by itself
        prop_assert_eq!(saved(&restored), saved(&registry));
        for (pause, callback) in more {
            clock.advance(Duration::from_millis(pause));
            prop_assert_eq!(restored.apply_callback(&callback), registry.apply_callback(&callback));
            prop_assert_eq!(restored.next_expiry(), registry.next_expiry());
        }
        prop_assert_eq!(restored.rooms().collect::<Mirror>(), registry.rooms().collect());
        prop_assert_eq!(restored.outcomes(), registry.outcomes());
        prop_assert_eq!(restored.user_count(), registry.user_count());
        prop_assert_eq!(restored.session_count(), registry.session_count());
        clock.advance(Duration::from_secs(3_600));
        prop_assert_eq!(restored.expire(), registry.expire());
        prop_assert_eq!(saved(&restored), saved(&registry));
    }
}

#[test]
fn memberships_have_their_grace_after_a_restore() {
    let (registry, clock) = played(&[]);
    let saved = saved(&registry);
    clock.advance(Duration::from_secs(3_600)); // the process was away
    let mut restored = restored(saved, &clock).unwrap();
    assert_eq!(restored.changes().count(), 0);
    assert_eq!(restored.expire().memberships, 0);
    clock.advance(Duration::from_millis(90_001));
    assert_eq!(restored.expire().memberships, 2);
}

#[test]
fn a_snapshot_that_cannot_be_is_an_error_that_names_what_is_wrong() {
    let (registry, clock) = played(&[]);
    let good = saved(&registry);
    restored(good.clone(), &clock).unwrap();
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut damaged = good.clone();
        change(&mut damaged);
        restored(damaged, &clock).unwrap_err()
    };
    assert_eq!(
        refused(&|saved| saved["version"] = json!(1)),
        "a snapshot of version 1 cannot be read: this is version 2"
    );
    assert!(
        refused(&|saved| saved["settings"]["clock_skew_ms"] = json!(1))
            .starts_with("the snapshot was taken under other settings (clock skew 1 ms, ")
    );
    assert!(
        refused(&|saved| saved["rooms"][0]["settings"]["clock_skew_ms"] = json!(1))
            .starts_with("the snapshot was taken under other settings (clock skew 1 ms, ")
    );
    assert_eq!(
        refused(&|saved| saved["rooms"][1] = saved["rooms"][0].clone()),
        "room a is in the snapshot twice"
    );
    assert_eq!(
        refused(&|saved| saved["rooms"][0]["room_id"] = json!("")),
        "a room id must not be empty"
    );
    for field in ["version", "settings", "taken_at", "outcomes", "rooms"] {
        let error = refused(&|saved| {
            saved.as_object_mut().unwrap().remove(field);
        });
        assert!(error.contains(field), "{field}: {error}");
    }
    assert!(refused(&|saved| *saved = json!({"a": 1})).contains("unknown field `a`"));
    assert!(refused(&|saved| *saved = json!(7)).contains("a snapshot of version 2"));
}

#[test]
fn a_snapshot_of_other_settings_is_carried_over_and_what_cannot_be_is_still_refused() {
    let (mut registry, clock) = played(&[]);
    let good = saved(&registry);
    let config = Config::builder()
        .retention(Some(Duration::from_secs(3_600)))
        .uncounted_roles(vec![Role::HOST])
        .index_users(true)
        .build()
        .unwrap();
    let carried = |saved: Value| {
        RoomRegistry::restore_carried_over(config.clone(), clock.clone(), saved)
            .map_err(|error| error.to_string())
    };
    let restored = carried(good.clone()).unwrap();
    assert_eq!(restored.changes().count(), 0);
    assert_eq!(restored.rooms().collect::<Mirror>(), registry.rooms().collect());
    assert_eq!(restored.rooms_with_user("ann").count(), 1);
    assert_eq!(restored.outcomes(), registry.outcomes());
    // It has the new settings, and all that was known.
    let again = saved(&restored);
    RoomRegistry::restore(config.clone(), clock.clone(), again.clone()).unwrap();
    registry.grant_grace(); // as a restore does by itself
    let mut expected = saved(&registry);
    expected["settings"] = again["settings"].clone();
    for room in expected["rooms"].as_array_mut().unwrap() {
        room["settings"] = again["settings"].clone();
    }
    assert_eq!(again, expected);

    let refused = |change: &dyn Fn(&mut Value)| {
        let mut damaged = good.clone();
        change(&mut damaged);
        carried(damaged).map(|_| ()).unwrap_err()
    };
    assert!(refused(&|saved| saved["version"] = json!(1)).contains("of version 1"));
    assert!(refused(&|saved| saved["settings"] = json!(7)).contains("struct Rules"));
    assert!(refused(&|saved| saved["rooms"][0]["settings"] = json!(7)).contains("struct Rules"));
    assert_eq!(
        refused(&|saved| saved["rooms"][1] = saved["rooms"][0].clone()),
        "room a is in the snapshot twice"
    );
    let error = refused(&|saved| saved["rooms"][0]["ended_at"] = json!(START));
    assert!(error.starts_with("room a: the business info is impossible"), "{error}");
}

#[test]
fn a_room_of_which_a_shorter_retention_leaves_nothing_is_not_restored() {
    let clock = ManualClock::at(Timestamp::from_millis(START));
    let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
    let room_id: RoomId = "gone".parse().unwrap();
    let at = |millis| Timestamp::from_millis(START + millis);
    let session: SessionId = "7".parse().unwrap();
    let created = RoomCreated::new(at(0));
    registry.apply_callback(&Callback::new(room_id.clone(), session.clone(), created));
    let closed = room_registry::event::RoomClosed::new(at(1));
    registry.apply_callback(&Callback::new(room_id.clone(), session, closed));
    clock.advance(Duration::from_secs(60));
    registry.apply_observation(&Observation::new(room_id, at(2)).open(false)).unwrap(); // its clock goes on
    assert_eq!(registry.held_room_count(), 1);
    let config = Config::builder().retention(Some(Duration::from_millis(100))).build().unwrap();
    let restored = RoomRegistry::restore_carried_over(config, clock, saved(&registry)).unwrap();
    assert_eq!(restored.held_room_count(), 0);
}

#[test]
fn what_is_stored_beside_an_end_that_outranks_it_is_refused() {
    let clock = ManualClock::at(Timestamp::from_millis(START));
    let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
    registry.create_room(NewRoom::new("r", "tom")).unwrap();
    for user_id in ["ann", "bob"] {
        registry.join_room("r", NewUser::new(user_id)).unwrap();
    }
    registry.remove_user("r", "bob", "spam").unwrap();
    let ended = |at: u64, without: &[&str]| {
        let mut saved = saved(&registry);
        let room = &mut saved["rooms"][0];
        room["ended_at"] = json!(at);
        for name in without {
            room[name] = if *name == "info" { Value::Null } else { json!([]) };
        }
        restored(saved, &clock).map(|_| ())
    };
    assert_eq!(ended(START - 1, &[]), Ok(()));
    for (without, what) in [
        (&[][..], "the business info"),
        (&["info"], "the membership of user ann"),
        (&["info", "members"], "the leave of user bob"),
    ] {
        let error = ended(START, without).unwrap_err();
        assert!(error.starts_with(&format!("room r: {what} is impossible")), "{error}");
    }
}

#[test]
fn a_time_that_no_clock_shows_is_refused() {
    let clock = ManualClock::at(Timestamp::from_millis(START));
    let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
    registry.create_room(NewRoom::new("r", "tom")).unwrap();
    registry.join_room("r", NewUser::new("ann")).unwrap();
    registry.join_room("r", NewUser::new("bob")).unwrap();
    registry.leave_room("r", "bob").unwrap();
    let room_id = RoomId::new("r").unwrap();
    let session = SessionId::new("1").unwrap();
    let created = RoomCreated::new(Timestamp::from_millis(START));
    registry.apply_callback(&Callback::new(room_id.clone(), session, created));
    let ann = ObservedUser::new(UserId::new("ann").unwrap());
    let seen = Observation::new(room_id, Timestamp::from_millis(START)).users([ann]);
    registry.apply_observation(&seen).unwrap();
    for (path, what) in [
        ("/ended_at", "the business info is impossible"),
        ("/info/updated_at", "the business info has a time beyond any clock"),
        ("/members/0/membership/joined_at", "a membership has a time beyond any clock"),
        ("/left/0/joined_at", "a leave has a time beyond any clock"),
        ("/live/sessions/0/heard_at", "a session has a time beyond any clock"),
        (
            "/live/observed/users/entries/ann/present/0/seen/received_at",
            "an observation has a time beyond any clock",
        ),
    ] {
        let mut saved = saved(&registry);
        let value = saved["rooms"][0].pointer_mut(path).unwrap_or_else(|| panic!("{path}"));
        *value = json!(u64::MAX - 1);
        let error = restored(saved, &clock).map(|_| ()).unwrap_err();
        assert!(error.starts_with(&format!("room r: {what}")), "{path}: {error}");
    }
}

#[test]
fn lists_that_no_observation_can_have_left_are_refused() {
    let clock = ManualClock::at(Timestamp::from_millis(START));
    let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
    let seen = |id: u64, observed_at: u64| {
        Observation::new(RoomId::new("r").unwrap(), Timestamp::from_millis(START - observed_at))
            .session_id(SessionId::new(id.to_string()).unwrap())
            .some_users([ObservedUser::new(UserId::new("ann").unwrap())])
            .some_streams([ObservedStream::new(StreamId::new("camera").unwrap())])
    };
    let lists = [("users", "ann"), ("streams", "camera")];
    let entry_of = |saved: &mut Value, (list, id): (&str, &str)| {
        saved["rooms"][0]["live"]["observed"][list]["entries"][id].take()
    };
    let with = |registry: &RoomRegistry<ManualClock>, list: (&str, &str), entry: &Value| {
        let mut changed = saved(registry);
        let (name, id) = list;
        changed["rooms"][0]["live"]["observed"][name]["entries"][id] = entry.clone();
        restored(changed, &clock).map(|_| ())
    };

    // As many names as fit: more leave no more.
    for id in 10..26 {
        registry.apply_observation(&seen(id, 100 - id)).unwrap();
    }
    registry.apply_observation(&seen(26, 1)).unwrap();
    for list in lists {
        let good = entry_of(&mut saved(&registry), list);
        assert_eq!(good["present"].as_array().unwrap().len(), 16);
        assert_eq!(with(&registry, list, &good), Ok(()));
        let refused = |what: &str, change: &dyn Fn(&mut Value)| {
            let mut entry = good.clone();
            change(&mut entry);
            let error = with(&registry, list, &entry).unwrap_err();
            let named = format!("room r: {what} of the observations is impossible");
            assert!(error.starts_with(&named), "{error}");
        };
        refused("a set of presences", &|entry| entry["present"][7]["session_id"] = json!("90"));
        refused("a set of presences", &|entry| entry["present"][8] = entry["present"][7].clone());
        refused("a set of presences", &|entry| {
            let mut one_more = entry["present"][15].clone();
            one_more["session_id"] = json!("90");
            entry["present"].as_array_mut().unwrap().push(one_more);
        });
        refused("an absence", &|entry| entry["absent_at"] = json!(START - 6_000));
    }
}

#[test]
fn connections_and_notes_that_no_room_can_have_are_refused() {
    let (mut registry, clock) = played(&[]);
    for connection in ["1", "2"] {
        registry.join_room("a", NewUser::new("tom").connection(connection)).unwrap();
    }
    let room_id = RoomId::new("a").unwrap();
    let login = |user_session: &str| {
        let user_session_id = UserSessionId::new(user_session).unwrap();
        let login = UserLoggedIn::new(UserId::new("zoe").unwrap(), Timestamp::from_millis(START))
            .user_session_id(user_session_id);
        Callback::new(room_id.clone(), SessionId::new("7").unwrap(), login)
    };
    registry.apply_callback(&login("1"));
    registry.update_user("a", "zoe", UserUpdate::new().name("Zoe")).unwrap();
    let good = saved(&registry);
    let refused = |what: &str, change: &dyn Fn(&mut Value)| {
        let mut damaged = good.clone();
        change(&mut damaged["rooms"][0]);
        let error = restored(damaged, &clock).unwrap_err();
        assert!(error.contains(what), "{error}");
    };
    for (what, list) in [
        ("a connection of user tom", "/connections/tom"),
        ("the notes on user zoe", "/user_notes/zoe"),
    ] {
        let held =
            |room: &mut Value| room.pointer_mut(list).unwrap().as_array_mut().unwrap().clone();
        let set = |room: &mut Value, held| *room.pointer_mut(list).unwrap() = Value::Array(held);
        refused(what, &|room| set(room, vec![]));
        refused(what, &|room| {
            let twice = vec![held(room).remove(0); 2];
            set(room, twice);
        });
    }
    // As many as there can be are read back, and one more is not.
    let with = |count: usize| {
        let mut saved = good.clone();
        let held = saved["rooms"][0]["connections"]["tom"].as_array_mut().unwrap();
        let first = held[0].clone();
        *held = (0..count)
            .map(|number| {
                let mut held = first.clone();
                held["connection_id"] = json!(format!("{number:02}"));
                held
            })
            .collect();
        restored(saved, &clock).map(|_| ())
    };
    assert_eq!(with(64), Ok(()));
    assert!(with(65).unwrap_err().contains("a connection of user tom"));
}

#[test]
fn registers_of_users_that_no_room_can_have_are_refused() {
    let (mut registry, clock) = played(&[]);
    let login = UserLoggedIn::new(UserId::new("zoe").unwrap(), Timestamp::from_millis(START))
        .user_session_id(UserSessionId::new("1").unwrap());
    let session_id = SessionId::new("7").unwrap();
    registry.apply_callback(&Callback::new(RoomId::new("a").unwrap(), session_id, login));
    let good = saved(&registry);
    let refused = |what: &str, change: &dyn Fn(&mut Vec<Value>)| {
        let mut damaged = good.clone();
        let users = damaged["rooms"][0]["live"]["sessions"][0]["users"].as_array_mut().unwrap();
        change(users);
        let error = restored(damaged, &clock).unwrap_err();
        assert!(error.contains(what), "{error}");
    };
    let second = "a second register, or too large a one, of user zoe";
    refused(second, &|users| users.push(users[0].clone()));
    refused(second, &|users| {
        let fact = users[0]["facts"][0].clone();
        users[0]["facts"] = vec![fact; 2_000].into();
    });
    refused(second, &|users| {
        let by = json!({"by_us": false, "lacks_opening_time": false});
        let closing = json!({"stay_id": "2", "exclusive": true, "at": START, "closing": by});
        users[0]["closings"] = vec![closing; 2_000].into();
    });
    refused("a stay without a name", &|users| users[0]["facts"][0]["stay_id"] = Value::Null);
}

#[test]
fn signs_of_loss_that_no_callbacks_can_have_left_are_refused() {
    let (mut registry, clock) = played(&[]);
    for (user, counter) in [("zoe", 1), ("yan", 3)] {
        let logout = UserLoggedOut::new(UserId::new(user).unwrap(), Timestamp::from_millis(START))
            .user_session_id(UserSessionId::new(user).unwrap())
            .counter(counter);
        let session_id = SessionId::new("7").unwrap();
        registry.apply_callback(&Callback::new(RoomId::new("a").unwrap(), session_id, logout));
    }
    let good = saved(&registry);
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut damaged = good.clone();
        change(&mut damaged["rooms"][0]["live"]["sessions"][0]["evidence"]);
        let error = restored(damaged, &clock).unwrap_err();
        assert!(error.contains("the evidence of losses"), "{error}");
    };
    refused(&|evidence| evidence["users"]["range"] = Value::Null);
    refused(&|evidence| evidence["streams"]["holes"] = evidence["users"]["holes"].clone());
    refused(&|evidence| evidence["doubts"][1] = evidence["doubts"][0].clone());
}

#[test]
fn a_user_who_both_is_a_member_and_left_is_refused() {
    let (registry, clock) = played(&[]);
    let mut damaged = saved(&registry);
    let room = &mut damaged["rooms"][0];
    let left = json!({"user_id": "ann", "joined_at": START, "left_at": START, "how": "left"});
    room["left"] = json!([left]);
    let error = restored(damaged, &clock).unwrap_err();
    assert!(error.contains("the membership of user ann"), "{error}");
}

/// What was seen before an end stays hidden, what was seen after it stays visible, and a restore
/// counts neither twice.
#[test]
fn a_snapshot_may_be_restored_on_a_clock_that_was_set_back() {
    let (mut registry, clock) = played(&[]);
    let seen = |at| {
        Observation::new(RoomId::new("a").unwrap(), Timestamp::from_millis(START + at)).open(true)
    };
    let stream = |id| ObservedStream::new(StreamId::new(id).unwrap());
    registry.apply_observation(&seen(0).some_streams([stream("screen")])).unwrap();
    registry.end_room("a").unwrap();
    registry.apply_observation(&seen(1).some_streams([stream("camera")])).unwrap();
    assert_eq!((registry.room_count(), registry.stream_count()), (2, 1));
    let saved = saved(&registry);
    clock.set(Timestamp::from_millis(1));
    let restored = restored(saved, &clock).unwrap();
    registry.grant_grace(); // as a restore does by itself
    for registry in [&restored, &registry] {
        assert_eq!((registry.room_count(), registry.stream_count()), (2, 1));
        assert!(registry.room("a").unwrap().stream("camera").is_some());
    }
    assert_eq!(restored.rooms().collect::<Mirror>(), registry.rooms().collect());
}

#[test]
fn a_snapshot_may_have_counted_as_much_as_it_likes() {
    let (registry, clock) = played(&[]);
    let mut good = saved(&registry);
    good["outcomes"]["applied"] = json!(u64::MAX);
    good["outcomes"]["stale"] = json!(u64::MAX);
    let mut restored = restored(good, &clock).unwrap();
    assert_eq!(restored.outcomes().total(), u64::MAX);
    let room = "a".parse().unwrap();
    let session: SessionId = "7".parse().unwrap();
    let created = RoomCreated::new(Timestamp::from_millis(START));
    restored.apply_callback(&Callback::new(room, session, created));
    assert_eq!(restored.outcomes().of(room_registry::Outcome::Applied), u64::MAX);
}

#[test]
fn a_snapshot_that_has_its_rooms_twice_is_refused() {
    let (registry, clock) = played(&[]);
    let text = serde_json::to_string(&registry.snapshot()).unwrap();
    let twice = format!(r#"{{"rooms":[],{}"#, &text[1..]);
    let mut reader = serde_json::Deserializer::from_str(&twice);
    let error = RoomRegistry::restore(Config::default(), clock, &mut reader).unwrap_err();
    assert!(error.to_string().contains("duplicate field `rooms`"), "{error}");
}

#[test]
fn a_snapshot_in_a_binary_format_is_as_good() {
    let (mut registry, clock) = played(&[]);
    let bytes = postcard::to_allocvec(&registry.snapshot()).unwrap();
    let mut reader = postcard::Deserializer::from_bytes(&bytes);
    let restored = RoomRegistry::restore(Config::default(), clock, &mut reader).unwrap();
    registry.grant_grace(); // as a restore does by itself
    assert_eq!(saved(&restored), saved(&registry));
}

#[test]
fn a_snapshot_that_lost_its_end_is_an_error() {
    let (registry, clock) = played(&[]);
    let text = serde_json::to_string(&registry.snapshot()).unwrap();
    for end in 0..text.len() {
        let mut reader = serde_json::Deserializer::from_str(&text[..end]);
        let restored = RoomRegistry::restore(Config::default(), clock.clone(), &mut reader);
        assert!(restored.is_err(), "{}", &text[..end]);
    }
}
