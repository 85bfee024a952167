//! What readers get, as JSON and as bytes: changes, lines of a lobby, views, pages and errors.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use room_registry::event::StreamCreated;
use room_registry::journal::Input;
use room_registry::page::{
    CursorError, Direction, RoomCursor, RoomOrder, StreamCursor, UserCursor,
};
use room_registry::visible::{RoomSummary, Stream, SummaryChange, User};
use room_registry::{
    Callback, Change, ChangeKind, Config, Error, MAX_ID_LEN, ManualClock, Mirror, NewRoom, NewUser,
    RoomId, RoomQuery, RoomRegistry, SessionId, StreamId, Timestamp, UserRef,
};
use room_registry_world::effort::properties;
use room_registry_world::inputs::input;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

type Registry = RoomRegistry<ManualClock>;

fn steps() -> impl Strategy<Value = Vec<(u64, Input)>> {
    prop::collection::vec((0..20_000_u64, input()), 0..40)
}

/// Plays inputs, some of which are refused, and looks after each.
fn play(
    steps: Vec<(u64, Input)>,
    mut look: impl FnMut(&Registry) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    let clock = ManualClock::at(Timestamp::from_millis(1_004_000));
    let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
    for (pause, input) in steps {
        clock.advance(Duration::from_millis(pause));
        if registry.apply_input(&input).is_ok() {
            look(&registry)?;
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(properties(60))]

    #[test]
    fn changes_are_flat_as_json_and_an_enum_as_bytes(steps in steps()) {
        play(steps, |registry| {
            for change in registry.changes() {
                let told = serde_json::to_value(&change).unwrap();
                prop_assert_eq!(&told["kind"], change.kind.name());
                prop_assert_eq!(&told["room_id"], change.room_id.as_str());
                prop_assert_eq!(&serde_json::from_value::<Change>(told).unwrap(), &change);
                let text = serde_json::to_string(&change).unwrap();
                prop_assert_eq!(&serde_json::from_str::<Change>(&text).unwrap(), &change);
                let bytes = postcard::to_stdvec(&change).unwrap();
                prop_assert_eq!(&postcard::from_bytes::<Change>(&bytes).unwrap(), &change);
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_lobby_that_follows_lines_shows_every_room_as_it_is(steps in steps()) {
        let mut lobby = BTreeMap::<RoomId, RoomSummary>::new();
        play(steps, |registry| {
            for line in registry.changes().summaries() {
                let bytes = postcard::to_stdvec(&line).unwrap();
                prop_assert_eq!(&postcard::from_bytes::<SummaryChange>(&bytes).unwrap(), &line);
                let text = serde_json::to_string(&line).unwrap();
                prop_assert_eq!(&serde_json::from_str::<SummaryChange>(&text).unwrap(), &line);
                match line {
                    SummaryChange::RoomSummary(room) => _ = lobby.insert(room.room_id.clone(), room),
                    SummaryChange::RoomUnlisted { room_id } => _ = lobby.remove(&room_id),
                    other => panic!("a line that the lobby does not know: {other:?}"),
                }
            }
            let rooms = registry.rooms().map(|room| (room.id().clone(), room.summary()));
            prop_assert_eq!(&lobby, &rooms.collect());
            Ok(())
        })?;
    }

    #[test]
    fn a_user_serialises_as_the_value_and_with_what_its_methods_return(steps in steps()) {
        play(steps, |registry| {
            for user in registry.rooms().flat_map(|room| room.users().collect::<Vec<_>>()) {
                let value = user.to_owned();
                let mut told = serde_json::to_value(user).unwrap();
                prop_assert_eq!(&serde_json::from_value::<User>(told.clone()).unwrap(), &value);
                for (key, shown) in [
                    ("name", json!(user.name())),
                    ("role", json!(user.role())),
                    ("attributes", json!(user.attributes())),
                    ("since", json!(user.since())),
                ] {
                    prop_assert_eq!(told.as_object_mut().unwrap().remove(key), Some(shown));
                }
                prop_assert_eq!(told, json!(value), "and nothing else");
                let bytes = postcard::to_stdvec(&user).unwrap();
                prop_assert_eq!(bytes, postcard::to_stdvec(&value).unwrap());
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_room_of_a_mirror_reads_as_the_view_does(steps in steps()) {
        play(steps, |registry| {
            let mirror: Mirror = registry.rooms().collect();
            for room in registry.rooms() {
                let held = &mirror.rooms()[room.id()];
                prop_assert_eq!(held, &room.to_owned());
                prop_assert_eq!(held.summary(), room.summary());
                let ids = held.users_in_order().into_iter().map(|user| &user.user_id);
                prop_assert!(ids.eq(room.users().map(UserRef::id)));
                prop_assert_eq!(serde_json::to_value(room).unwrap(), json!(room.summary()));
            }
            Ok(())
        })?;
    }
}

#[test]
fn a_change_that_makes_no_sense_is_an_error() {
    for line in [
        json!({}),
        json!({"room_id": "r1", "cause": "command"}),
        json!({"room_id": "r1", "cause": "command", "kind": "no_such_kind"}),
        json!({"room_id": "r1", "cause": "command", "kind": "user_joined"}),
        json!({"room_id": "", "cause": "command", "kind": "room_unlisted"}),
        json!({"room_id": "r1", "cause": "whim", "kind": "room_unlisted"}),
    ] {
        assert!(serde_json::from_value::<Change>(line.clone()).is_err(), "{line}");
    }
}

#[test]
fn views_pages_cursors_and_errors_serialise() {
    let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    registry.create_room(NewRoom::new("r1", "tom").name("Tom's show").max_users(9)).unwrap();
    for user in ["ann", "bob"] {
        registry.join_room("r1", NewUser::new(user)).unwrap();
    }
    let room = registry.room("r1").unwrap();
    let told = serde_json::to_value(room).unwrap();
    assert_eq!(told["name"], "Tom's show");
    assert_eq!((&told["user_count"], &told["max_users"]), (&json!(2), &json!(9)));
    let page = room.user_page(1, None, Direction::OldestFirst);
    let told = serde_json::to_value(&page).unwrap();
    assert_eq!((&told["users"][0]["name"], &told["users"][0]["since"]), (&Value::Null, &json!(0)));
    let user: User = serde_json::from_value(told["users"][0].clone()).unwrap();
    assert_eq!(user, room.user("ann").unwrap().to_owned());
    let next: UserCursor = serde_json::from_value(told["next"].clone()).unwrap();
    assert_eq!(Some(&next), page.next.as_ref());
    assert_eq!(told["next"], json!(next.to_string()));
    let rest = room.user_page(9, Some(&next), Direction::OldestFirst);
    assert_eq!(serde_json::to_value(&rest).unwrap()["next"], Value::Null);
    let streams = room.stream_page(1, None, Direction::NewestFirst);
    assert_eq!(serde_json::to_value(&streams).unwrap(), json!({"streams": [], "next": null}));
    assert!(serde_json::from_value::<Stream>(json!({})).is_err());

    let rooms = serde_json::to_value(registry.page(&RoomQuery::newest()).unwrap()).unwrap();
    assert_eq!(rooms["rooms"], json!([room.summary()]));
    assert_eq!((&rooms["next"], &rooms["stopped_early"]), (&Value::Null, &json!(false)));

    let cursor = room.cursor(RoomOrder::MostUsers);
    let bytes = postcard::to_stdvec(&cursor).unwrap();
    assert_eq!(postcard::from_bytes::<RoomCursor>(&bytes).unwrap(), cursor);
    assert_eq!(serde_json::from_value::<RoomOrder>(json!("users")).unwrap(), RoomOrder::MostUsers);
    assert!(serde_json::from_value::<UserCursor>(json!("no cursor")).is_err());

    let error: Error = registry.end_room("r\u{7}").unwrap_err();
    let told = serde_json::to_value(&error).unwrap();
    assert_eq!(told, json!({"name": error.name(), "message": error.to_string()}));
    let cursor: RoomCursor = "newest~17~2~r1".parse().unwrap();
    let other = registry.page(&RoomQuery::by_id().after(cursor)).unwrap_err();
    for (error, name) in
        [(CursorError::Malformed, "malformed_cursor"), (other, "cursor_of_other_order")]
    {
        let told = serde_json::to_value(&error).unwrap();
        assert_eq!(told, json!({"name": name, "message": error.to_string()}));
    }
}

#[test]
fn errors_of_ids_have_one_name_wherever_the_id_was_refused() {
    let long = "r".repeat(MAX_ID_LEN + 1);
    for text in ["", "r\u{7}", &long] {
        let refused = RoomId::new(text).unwrap_err();
        let told = serde_json::to_value(refused).unwrap();
        assert_eq!(told, json!({"name": "invalid_id", "message": refused.to_string()}));
        assert_eq!(told, json!(Error::from(refused)), "{text:?}");
        let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
        assert_eq!(told, json!(registry.create_room(NewRoom::new(text, "tom")).unwrap_err()));
    }
}

#[test]
fn errors_of_settings_serialise_with_a_name_for_each() {
    let builder = Config::builder;
    let (short, long) = (Duration::from_millis(1), Duration::from_secs(60));
    for (settings, name) in [
        (builder().heartbeat_timeout(Duration::ZERO), "zero_heartbeat_timeout"),
        (builder().tie_window(long), "tie_window_above_clock_skew"),
        (builder().retention(Some(short)), "retention_below_tie_window"),
        (builder().retention(Some(Duration::ZERO)), "zero_retention"),
        (builder().max_rooms(Some(0)), "zero_limit"),
        (builder().max_users_per_room(Some(0)), "zero_limit"),
    ] {
        let error = settings.build().unwrap_err();
        assert_eq!(error.name(), name);
        let told = serde_json::to_value(error).unwrap();
        assert_eq!(told, json!({"name": name, "message": error.to_string()}));
    }
}

#[test]
fn settings_are_read_as_they_were_written_and_checked() {
    let config = Config::builder()
        .heartbeat_timeout(Duration::from_secs(30))
        .retention(None)
        .auto_create_rooms(Some(room_registry::Lifecycle::UntilEmpty))
        .uncounted_roles(vec![room_registry::Role::HOST])
        .max_rooms(Some(7))
        .build()
        .unwrap();
    let told = serde_json::to_value(&config).unwrap();
    assert_eq!((&told["heartbeat_timeout_ms"], &told["max_rooms"]), (&json!(30_000), &json!(7)));
    assert_eq!(serde_json::from_value::<Config>(told.clone()).unwrap(), config);
    let bytes = postcard::to_stdvec(&config).unwrap();
    assert_eq!(postcard::from_bytes::<Config>(&bytes).unwrap(), config);
    assert_eq!(serde_json::from_value::<Config>(json!({})).unwrap(), Config::default());

    let mut wrong = told;
    wrong["rules"]["tie_window_ms"] = json!(60_000);
    let error = serde_json::from_value::<Config>(wrong).unwrap_err().to_string();
    assert!(error.contains("must not exceed the clock skew"), "{error}");
    for wrong in
        [json!({"heartbeat_timeout_ms": 0}), json!({"hearbeat": 1}), json!({"max_rooms": 0})]
    {
        assert!(serde_json::from_value::<Config>(wrong.clone()).is_err(), "{wrong}");
        assert!(Config::deserialize(wrong.clone()).is_err(), "{wrong}");
    }
}

/// No function of a type's own reads or writes another form than its traits do.
#[test]
fn a_path_call_reads_and_writes_the_form_for_people() {
    let line = json!({"kind": "room_unlisted", "value": {"room_id": "r1"}});
    let read = SummaryChange::deserialize(&line).unwrap();
    assert_eq!(SummaryChange::serialize(&read, serde_json::value::Serializer).unwrap(), line);
    let kind = json!({"kind": "room_unlisted"});
    let read = ChangeKind::deserialize(&kind).unwrap();
    assert_eq!(ChangeKind::serialize(&read, serde_json::value::Serializer).unwrap(), kind);
}

#[test]
fn a_change_keeps_its_names_in_json_and_the_enum_in_binary() {
    let mut registry =
        RoomRegistry::with_clock(Config::default(), ManualClock::at(Timestamp::from_secs(1)));
    registry.create_room(NewRoom::new("r1", "tom")).unwrap();
    registry.join_room("r1", NewUser::new("ann")).unwrap();
    registry.leave_room("r1", "ann").unwrap();
    let left = registry.changes().next().unwrap();
    let told = json!({
        "room_id": "r1", "cause": "command", "kind": "user_left",
        "value": {"user_id": "ann", "at": 1_000, "reason": "left"},
    });
    assert_eq!(serde_json::to_value(&left).unwrap(), told);
    // The room, the cause, the place of the kind among the kinds, and what it carries.
    let bytes = postcard::to_stdvec(&left).unwrap();
    assert_eq!(bytes, [b"\x02r1\x00\x08\x03ann".as_slice(), &[0xe8, 0x07], &[2]].concat());
}

#[test]
fn a_page_of_streams_serialises_and_its_cursor_goes_on() {
    let clock = ManualClock::at(Timestamp::from_secs(10));
    let mut registry = RoomRegistry::with_clock(Config::default(), clock);
    for (second, stream) in [(1, "camera"), (2, "screen")] {
        let created =
            StreamCreated::new(StreamId::new(stream).unwrap(), Timestamp::from_secs(second));
        let room_id = RoomId::new("r1").unwrap();
        let session = SessionId::new("1").unwrap();
        registry.apply_callback(&Callback::new(room_id, session, created));
    }
    let room = registry.room("r1").unwrap();
    let page = room.stream_page(1, None, Direction::OldestFirst);
    let told = serde_json::to_value(&page).unwrap();
    let camera: Stream = serde_json::from_value(told["streams"][0].clone()).unwrap();
    assert_eq!(camera, room.streams().next().unwrap().to_owned());
    let next: StreamCursor = serde_json::from_value(told["next"].clone()).unwrap();
    let rest = room.stream_page(1, Some(&next), Direction::OldestFirst);
    assert_eq!(rest.streams[0].id(), "screen");
}

#[test]
fn ids_are_made_of_strings_and_compare_with_texts_from_either_side() {
    let id = RoomId::try_from(String::from("r1")).unwrap();
    assert!(RoomId::try_from(String::new()).is_err());
    assert_eq!(id, "r1");
    assert_eq!("r1", id);
    assert_eq!(id, *"r1");
    assert_eq!(*"r1", id);
    assert_eq!(id, String::from("r1"));
    assert_eq!(String::from("r1"), id);
    assert_ne!(id, "r2");
    assert_ne!("r2", id);
}
