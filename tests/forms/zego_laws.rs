//! What holds for every body of the first vendor, and for every body that is none.

use std::collections::BTreeSet;

use room_registry_world::effort::properties;
use room_registry_world::zego::{Envelope, Style, encode};

use crate::wire::body::fixture;
use crate::wire::form::{Lists, form};
use crate::wire::strategy::{callback, json};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use room_registry::event::CallbackEvent;
use room_registry::vendor::zego::{Decoder, Event, Notification};
use room_registry::{Callback, StreamSessionId, Text, Timestamp, UserId, UserSessionId};
use serde_json::{Map, Value, json};

const FIXTURES: [&str; 18] = [
    fixture!("other_agent_event"),
    fixture!("other_chat_room_create"),
    fixture!("other_recording_event"),
    fixture!("room_close"),
    fixture!("room_close_by_room_seq"),
    fixture!("room_create"),
    fixture!("room_create_all_numbers"),
    fixture!("room_login"),
    fixture!("room_login_missing_user"),
    fixture!("room_login_relogin_leading_zeros"),
    fixture!("room_login_unknown_fields"),
    fixture!("room_logout"),
    fixture!("room_logout_without_login_time"),
    fixture!("stream_close"),
    fixture!("stream_close_minimal"),
    fixture!("stream_create"),
    fixture!("stream_create_recreate"),
    fixture!("unknown_event"),
];

proptest! {
    #![proptest_config(properties(60))]

    #[test]
    fn a_callback_in_the_vendors_words_decodes_to_itself(
        callback in callback(),
        sent_at in 0..4_000_000_000_u64,
        style in select(Style::ALL.to_vec()),
    ) {
        let body = encode(&callback, &Envelope::unsigned(sent_at, 350_176), style);
        let decoded: Notification = serde_json::from_str(&body.to_string()).unwrap();
        prop_assert_eq!(decoded.event, Event::Callback(callback));
        prop_assert_eq!(decoded.timestamp, Some(Timestamp::from_secs(sent_at)));
    }

    #[test]
    fn a_callback_in_the_vendors_words_decodes_to_itself_from_a_form(
        callback in callback(),
        style in select(Style::ALL.to_vec()),
        lists in select(Lists::ALL.to_vec()),
    ) {
        let body = encode(&callback, &Envelope::unsigned(1_763_596_800, 350_176), style);
        let form = form(&Value::from(body), lists);
        let event: Event = Decoder::new().decode(form.as_bytes()).unwrap();
        prop_assert_eq!(event, Event::Callback(callback), "{}", form);
    }

    #[test]
    fn a_form_with_changed_fields_makes_nothing_else_of_its_event(
        mut body in body(),
        changes in vec((any::<Index>(), json()), 1..4),
        lists in select(Lists::ALL.to_vec()),
    ) {
        let names: Vec<String> = body.keys().cloned().collect();
        for (at, value) in changes {
            body[at.get(&names)] = value;
        }
        let event = body.get("event").and_then(Value::as_str).unwrap_or_default().to_owned();
        let form = form(&Value::Object(body), lists);
        if let Ok(Event::Callback(callback)) = Decoder::new().decode(form.as_bytes()) {
            prop_assert_eq!(name_of(&callback), event, "{}", form);
        }
    }

    #[test]
    fn bytes_of_any_kind_decode_to_the_same_each_time_and_never_panic(
        form in body().prop_map(|body| form(&Value::Object(body), Lists::Json)),
        flips in vec((any::<Index>(), any::<u8>()), 0..6),
        bytes in vec(any::<u8>(), 0..200),
    ) {
        let mut flipped = form.into_bytes();
        for (at, byte) in flips {
            let at = at.index(flipped.len());
            flipped[at] = byte;
        }
        for body in [flipped, bytes] {
            let decode = || {
                let event = Decoder::new().decode::<Event>(&body);
                event.map_err(|error| error.to_string())
            };
            let event = decode();
            prop_assert!(event.as_ref().err().is_none_or(|error| error.len() < 2_000));
            prop_assert_eq!(event, decode());
        }
    }

    #[test]
    fn the_order_of_the_fields_changes_nothing(
        (body, fields) in body().prop_flat_map(|body| {
            let fields: Vec<_> = body.clone().into_iter().collect();
            (Just(body), Just(fields).prop_shuffle())
        }),
    ) {
        prop_assert_eq!(outcome(&text_of(&fields)), outcome(&Value::Object(body).to_string()));
    }

    #[test]
    fn a_body_with_changed_fields_yields_no_id_that_is_not_in_it(
        body in body(),
        changes in vec((any::<Index>(), change()), 1..4),
    ) {
        let mut fields: Vec<_> = body.into_iter().collect();
        for (at, change) in changes {
            change.apply(&mut fields, at);
        }
        check(text_of(&fields).as_bytes());
    }

    #[test]
    fn a_body_with_flipped_or_lost_bytes_yields_no_id_that_is_not_in_it(
        body in select(FIXTURES.to_vec()),
        flips in vec((any::<Index>(), any::<u8>()), 0..4),
        keep in option::of(any::<Index>()),
    ) {
        let mut bytes = body.as_bytes().to_vec();
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(keep) = keep {
            bytes.truncate(keep.index(bytes.len()));
        }
        check(&bytes);
    }

    #[test]
    fn json_that_is_no_body_is_no_callback(value in json()) {
        prop_assert!(!matches!(serde_json::from_value(value.clone()), Ok(Event::Callback(_))));
        check(value.to_string().as_bytes());
    }

    #[test]
    fn an_event_that_is_not_known_never_fails(
        mut body in body(),
        name in "[a-z]{1,30}",
        values in vec((any::<Index>(), json()), 0..8),
    ) {
        let names: Vec<String> = body.keys().cloned().collect();
        for (at, value) in values {
            body[at.get(&names)] = value;
        }
        body.insert("event".to_owned(), json!(name));
        let event: Event = serde_json::from_str(&Value::Object(body).to_string()).unwrap();
        prop_assert_eq!(event, Event::Other(Text::from(name)));
    }
}

#[test]
fn bytes_that_are_no_json_are_refused() {
    for bytes in [&b""[..], b"\xff", b"{\"event\":\"\xff\"}", b"{", b"{\"event\"", b"{}}"] {
        assert!(serde_json::from_slice::<Event>(bytes).is_err(), "{bytes:?}");
    }
}

#[test]
fn a_body_of_any_depth_is_decoded_or_refused() {
    for field in ["room_id", "login_time", "rtmp_url", "added"] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let deep = format!("{}1{}", open.repeat(50_000), close.repeat(50_000));
            check(format!(r#"{{"event":"room_login","{field}":{deep}}}"#).as_bytes());
        }
    }
}

/// Decodes it every way there is. It looks for the ids and times of what comes out, and for an opening
/// that a closing became.
#[track_caller]
fn check(bytes: &[u8]) {
    let event = serde_json::from_slice::<Event>(bytes).ok();
    if let Some(event) = &event {
        assert_eq!(Some(event), Decoder::new().decode(bytes).ok().as_ref());
        let mut event = event.clone();
        if let Event::Callback(callback) = &mut event
            && let CallbackEvent::UserLoggedIn(login) = &mut callback.event
        {
            login.details.role = None;
        }
        let without_roles = Decoder::new().ignore_user_role(true);
        assert_eq!(Some(event), without_roles.decode(bytes).ok());
    }
    assert_eq!(event, serde_json::from_reader(bytes).ok());
    let notification = serde_json::from_slice::<Notification>(bytes).ok();
    assert_eq!(event, notification.map(|notification| notification.event));
    // `Value` refuses what stands in fields that are passed over: depth, and numbers beyond floats.
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return };
    assert_eq!(event, serde_json::from_value(value.clone()).ok());
    if let (Some(Event::Callback(callback)), Value::Object(body)) = (event, value) {
        let known = ids_in(&body);
        for id in ids_of(&callback) {
            assert!(known.contains(id), "{id:?} is not in {body:?}");
        }
        for time in times_of(&callback) {
            let time = time.as_millis().to_string();
            assert!(known.contains(&time), "{time} is not in {body:?}");
        }
        assert_eq!(body["event"], name_of(&callback), "{body:?}");
    }
}

/// Every text and whole number of a body, and what is left of a number without its zeros.
fn ids_in(body: &Map<String, Value>) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for value in body.values() {
        let id = value.as_str().map(str::to_owned).or(value.as_u64().map(|id| id.to_string()));
        if let Some(id) = id {
            let digits = id.trim().trim_start_matches('0');
            ids.insert(if digits.is_empty() { "0" } else { digits }.to_owned());
            ids.insert(id);
        }
    }
    ids
}

fn ids_of(callback: &Callback) -> Vec<&str> {
    let mut ids = vec![callback.room_id.as_str(), callback.session_id.as_ref().unwrap().as_str()];
    match &callback.event {
        CallbackEvent::RoomCreated(event) => {
            ids.extend(event.creator_id.as_ref().map(UserId::as_str));
        }
        CallbackEvent::RoomClosed(_) => {}
        CallbackEvent::UserLoggedIn(event) => {
            ids.push(event.user_id.as_str());
            ids.extend(event.user_session_id.as_ref().map(UserSessionId::as_str));
        }
        CallbackEvent::UserLoggedOut(event) => {
            ids.push(event.user_id.as_str());
            ids.extend(event.user_session_id.as_ref().map(UserSessionId::as_str));
        }
        CallbackEvent::StreamCreated(event) => {
            ids.push(event.stream_id.as_str());
            ids.extend(event.stream_session_id.as_ref().map(StreamSessionId::as_str));
            ids.extend(event.details.publisher_id.as_ref().map(UserId::as_str));
        }
        CallbackEvent::StreamClosed(event) => {
            ids.push(event.stream_id.as_str());
            ids.extend(event.stream_session_id.as_ref().map(StreamSessionId::as_str));
        }
        other => unreachable!("the vendor has no such event: {other:?}"),
    }
    ids
}

fn times_of(callback: &Callback) -> Vec<Timestamp> {
    let (at, opened_at) = match &callback.event {
        CallbackEvent::RoomCreated(event) => (event.created_at, None),
        CallbackEvent::RoomClosed(event) => (event.closed_at, None),
        CallbackEvent::UserLoggedIn(event) => (event.login_at, None),
        CallbackEvent::UserLoggedOut(event) => (event.logout_at, event.login_at),
        CallbackEvent::StreamCreated(event) => (event.created_at, None),
        CallbackEvent::StreamClosed(event) => (event.closed_at, event.created_at),
        other => unreachable!("the vendor has no such event: {other:?}"),
    };
    opened_at.into_iter().chain([at]).collect()
}

/// The only event of the vendor that such a callback may come from.
fn name_of(callback: &Callback) -> &'static str {
    match &callback.event {
        CallbackEvent::RoomCreated(_) => "room_create",
        CallbackEvent::RoomClosed(_) => "room_close",
        CallbackEvent::UserLoggedIn(_) => "room_login",
        CallbackEvent::UserLoggedOut(_) => "room_logout",
        CallbackEvent::StreamCreated(_) => "stream_create",
        CallbackEvent::StreamClosed(_) => "stream_close",
        other => unreachable!("the vendor has no such event: {other:?}"),
    }
}

fn outcome(body: &str) -> Result<Event, String> {
    serde_json::from_str(body).map_err(|error| error.to_string())
}

/// JSON with its fields in this order, the same one twice if need be.
fn text_of(fields: &[(String, Value)]) -> String {
    let fields: Vec<_> =
        fields.iter().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
    format!("{{{}}}", fields.join(","))
}

/// A change to one field of a body.
#[derive(Debug, Clone)]
enum Change {
    Remove,
    Replace(Value),
    Duplicate(Value),
    Rename(String),
}

impl Change {
    fn apply(self, fields: &mut Vec<(String, Value)>, at: Index) {
        if fields.is_empty() {
            return;
        }
        let at = at.index(fields.len());
        match self {
            Self::Remove => drop(fields.remove(at)),
            Self::Replace(value) => fields[at].1 = value,
            Self::Duplicate(value) => fields.push((fields[at].0.clone(), value)),
            Self::Rename(name) => fields[at].0 = name,
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        Just(Change::Remove),
        json().prop_map(Change::Replace),
        json().prop_map(Change::Duplicate),
        select(vec!["room_id", "room_seq", "stream_alias", "session_id", "added"])
            .prop_map(|name| Change::Rename(name.to_owned())),
    ]
}

/// The body of a fixture.
fn body() -> impl Strategy<Value = Map<String, Value>> {
    select(FIXTURES.to_vec()).prop_map(|text| serde_json::from_str(text).unwrap())
}
