//! What each body of the first vendor decodes to.

use crate::wire::body::{Body, decoded, fixture, room_login};
use room_registry::event::{
    CallbackEvent, LogoutReason, RoomCloseReason, RoomClosed, RoomCreated, StreamCloseReason,
    StreamClosed, StreamCreated, UserLoggedIn, UserLoggedOut,
};
use room_registry::vendor::zego::{Decoder, Event, Notification};
use room_registry::{
    Callback, Config, ManualClock, Role, RoomId, RoomRegistry, SessionId, StreamId,
    StreamSessionId, Text, Timestamp, UserId, UserSessionId,
};
use serde_json::{Value, json};

const SESSION: &str = "858012925204410401";

#[test]
fn a_room_create_tells_the_creator() {
    let created = RoomCreated::new(at(1_763_596_800_027)).creator_id(user("tom"));
    assert_eq!(decoded(fixture!("room_create")), of_room("room1", SESSION, created));
}

#[test]
fn a_room_create_of_numbers_alone_decodes_with_the_event_at_its_end() {
    let created = RoomCreated::new(at(1_763_596_800_027)).creator_id(user("12"));
    assert_eq!(
        decoded(fixture!("room_create_all_numbers")),
        of_room("5", "18446744073709551615", created)
    );
}

#[test]
fn a_room_close_tells_why() {
    let mut closed = RoomClosed::new(at(1_763_596_869_909));
    closed.reason = Some(RoomCloseReason::HeartbeatTimeout);
    assert_eq!(decoded(fixture!("room_close")), of_room("room1", SESSION, closed));
}

#[test]
fn a_room_close_may_name_its_session_as_a_login_does() {
    let mut closed = RoomClosed::new(at(1_763_596_869_909));
    closed.reason = Some(RoomCloseReason::Other("77".into()));
    assert_eq!(decoded(fixture!("room_close_by_room_seq")), of_room("room1", SESSION, closed));
}

#[test]
fn a_room_login_tells_names_and_role() {
    let mut login = login("tom", "792148503087288320", 1_763_596_800_027, 1);
    login.details.user_name = Some("Tom".into());
    login.room_name = Some("Tom's show".into());
    login.details.role = Some(Role::HOST);
    assert_eq!(decoded(fixture!("room_login")), of_room("room1", SESSION, login));
}

#[test]
fn a_relogin_with_leading_zeros_and_escapes_is_a_login() {
    let mut login = login("tom", "792148503087288321", 1_763_596_900_001, 7);
    login.details.user_name = Some("汤姆 \"Tom\"".into());
    login.details.role = Some(Role::ADMINISTRATOR);
    assert_eq!(
        decoded(fixture!("room_login_relogin_leading_zeros")),
        of_room("room1", SESSION, login)
    );
}

#[test]
fn fields_that_nobody_knows_are_passed_over() {
    let mut login = login("ann", "9007199254740993", 1_763_596_803_000, 2);
    login.details.role = Some(Role::new("9"));
    assert_eq!(decoded(fixture!("room_login_unknown_fields")), of_room("room1", SESSION, login));
}

#[test]
fn a_room_logout_tells_when_the_login_began_and_why_it_ended() {
    let session = UserSessionId::new("792148503087288320").unwrap();
    let mut logout = UserLoggedOut::new(user("tom"), at(1_763_596_860_986))
        .user_session_id(session)
        .counter(4)
        .login_at(at(1_763_596_800_027));
    logout.reason = Some(LogoutReason::Normal);
    assert_eq!(decoded(fixture!("room_logout")), of_room("room1", SESSION, logout.clone()));

    logout.login_at = None;
    logout.reason = Some(LogoutReason::ConnectionLost);
    assert_eq!(
        decoded(fixture!("room_logout_without_login_time")),
        of_room("room1", SESSION, logout)
    );
}

#[test]
fn a_stream_create_tells_the_publisher_and_where_to_play_it() {
    let mut created = StreamCreated::new(StreamId::new("camera").unwrap(), at(1_763_596_803_742))
        .stream_session_id(StreamSessionId::new("s-115205136669740000000000104").unwrap())
        .order(1)
        .counter(1);
    created.details.publisher_id = Some(user("tom"));
    created.details.publisher_name = Some("Tom".into());
    created.details.title = Some("main camera".into());
    created.details.playback.rtmp = texts(&["rtmp://cdn.example.com/live/camera"]);
    created.details.playback.hls = texts(&["https://cdn.example.com/live/camera.m3u8"]);
    created.details.playback.flv = texts(&["https://cdn.example.com/live/camera.flv"]);
    created.details.playback.pictures = texts(&["https://cdn.example.com/live/camera.jpg"]);
    assert_eq!(decoded(fixture!("stream_create")), of_room("room1", SESSION, created));
}

#[test]
fn a_stream_create_has_an_alias_for_an_id_and_urls_in_any_shape() {
    let mut created = StreamCreated::new(StreamId::new("camera").unwrap(), at(1_763_596_830_000))
        .stream_session_id(StreamSessionId::new("115205136669740104").unwrap())
        .order(3)
        .counter(3);
    created.details.publisher_id = Some(user("tom"));
    created.details.playback.rtmp = texts(&["rtmp://cdn.example.com/live/camera"]);
    created.details.playback.hls =
        texts(&["https://a.example.com/camera.m3u8", "https://b.example.com/camera.m3u8"]);
    assert_eq!(decoded(fixture!("stream_create_recreate")), of_room("room1", SESSION, created));
}

#[test]
fn a_stream_close_tells_when_it_came_and_why_it_went() {
    let mut closed =
        stream_closed("s-115205136669740000000000104", Some(2)).created_at(at(1_763_596_803_742));
    closed.reason = Some(StreamCloseReason::Normal);
    assert_eq!(decoded(fixture!("stream_close")), of_room("room1", SESSION, closed));
}

#[test]
fn a_stream_close_needs_no_more_than_its_key_fields_and_its_session_keeps_its_zeros() {
    let closed = stream_closed("0007", None);
    assert_eq!(decoded(fixture!("stream_close_minimal")), of_room("room1", SESSION, closed));
}

#[test]
fn an_unknown_event_is_told_by_its_name_whatever_its_fields_hold() {
    let event: Event = serde_json::from_str(fixture!("unknown_event")).unwrap();
    assert_eq!(event, Event::Other("user_update_count".into()));
    let notification: Notification = serde_json::from_str(fixture!("unknown_event")).unwrap();
    assert_eq!(notification.event, event);
    assert_eq!(notification.timestamp, None);
}

#[test]
fn an_event_of_another_product_is_another_event() {
    for (body, name) in [
        (fixture!("other_chat_room_create"), "room_create"),
        (fixture!("other_agent_event"), "Interrupted"),
        (fixture!("other_recording_event"), "5"),
    ] {
        assert_eq!(serde_json::from_str::<Event>(body).unwrap(), Event::Other(name.into()));
    }
    let named = Body::of(fixture!("other_recording_event")).with("event", "ping");
    let event: Event = serde_json::from_value(named.0).unwrap();
    assert_eq!(event, Event::Other("ping".into()), "a name goes before a number");
}

/// What else a body may lack of a room's creation is an error as before.
#[test]
fn a_room_create_with_a_session_or_a_time_is_not_one_of_the_chat_product() {
    let chat = || Body::of(fixture!("other_chat_room_create"));
    let missing = |field| format!("room_create: field `{field}` is missing");
    assert_eq!(chat().without("operator_account").refused(), missing("room_session_id"));
    assert_eq!(chat().with("operator_account", "").refused(), missing("room_session_id"));
    assert_eq!(chat().with("room_session_id", 1).refused(), missing("room_create_time"));
    assert_eq!(chat().with("room_seq", "1").refused(), missing("room_create_time"));
    assert_eq!(chat().with("room_create_time", 5).refused(), missing("room_session_id"));
    let both = Body::of(fixture!("room_create")).with("operator_account", "tom");
    assert_eq!(both.decoded(), decoded(fixture!("room_create")));
}

#[test]
fn the_role_of_a_user_can_be_ignored() {
    let decode = |decoder: Decoder| {
        let mut json = serde_json::Deserializer::from_str(fixture!("room_login"));
        let event: Event = decoder.deserialize(&mut json).unwrap();
        let Event::Callback(callback) = event else { panic!("{event:?}") };
        callback
    };
    let mut expected = decoded(fixture!("room_login"));
    assert_eq!(decode(Decoder::new()), expected);
    assert_eq!(decode(Decoder::new().ignore_user_role(false)), expected);
    let CallbackEvent::UserLoggedIn(login) = &mut expected.event else { panic!("{expected:?}") };
    assert_eq!(login.details.role.take(), Some(Role::HOST));
    assert_eq!(decode(Decoder::new().ignore_user_role(true)), expected);
    let mut json = serde_json::Deserializer::from_str(fixture!("room_login"));
    let decoder = Decoder::new().ignore_user_role(true);
    let notification: Notification = decoder.deserialize(&mut json).unwrap();
    assert_eq!(notification.event, Event::Callback(expected));
}

#[test]
fn a_notification_holds_what_the_signature_covers_and_does_not_print_the_signature() {
    let body = r#"{"event":"e","timestamp":1470820198,"nonce":123412,"signature":"5bd59f"}"#;
    let notification: Notification = serde_json::from_str(body).unwrap();
    assert_eq!(notification.timestamp, Some(Timestamp::from_secs(1_470_820_198)));
    assert_eq!(notification.nonce.as_deref(), Some("123412"));
    assert_eq!(notification.signature.as_deref(), Some("5bd59f"));
    assert!(!format!("{notification:?}").contains("5bd59f"));
}

#[test]
fn a_malformed_envelope_does_not_fail_the_callback_in_it() {
    let body =
        room_login().with("timestamp", "now").with("nonce", json!([])).with("signature", 1.5);
    let notification: Notification = serde_json::from_value(body.0).unwrap();
    assert_eq!(notification.event, Event::Callback(decoded(fixture!("room_login"))));
    assert_eq!(
        (notification.timestamp, notification.nonce, notification.signature),
        (None, None, None)
    );
}

#[test]
fn a_session_is_the_same_as_a_number_as_a_text_and_with_zeros_or_blanks_around() {
    for session in [json!(858), json!("858"), json!("0858"), json!("000858"), json!(" 858 ")] {
        let callback = room_login().with("room_seq", session.clone()).with("session_id", session);
        let callback = callback.decoded();
        assert_eq!(callback.session_id.as_ref().unwrap(), "858");
        assert_eq!(logged_in(callback).user_session_id.unwrap(), "858");
    }
    for (session, expected) in
        [("000", "0"), ("0x10", "0x10"), ("-x", "-x"), ("-", "-"), ("１", "１")]
    {
        assert_eq!(room_login().with("room_seq", session).decoded().session_id.unwrap(), expected);
    }
    let beyond_u64 = "0123456789012345678901234567890";
    let callback = room_login().with("room_seq", beyond_u64).decoded();
    assert_eq!(callback.session_id.as_ref().unwrap(), &beyond_u64[1..]);
}

#[test]
fn the_usual_name_of_a_session_goes_before_the_other_unless_it_is_blank() {
    let both = room_login().with("room_session_id", 7);
    assert_eq!(both.decoded().session_id.unwrap(), SESSION);
    for blank in [json!(null), json!("")] {
        let other = room_login().with("room_session_id", 7).with("room_seq", blank);
        assert_eq!(other.decoded().session_id.unwrap(), "7");
    }
}

#[test]
fn roles_have_words_and_unknown_ones_are_kept() {
    for (role, expected) in [
        (json!(1), Some("host")),
        (json!("01"), Some("host")),
        (json!("2"), Some("audience")),
        (json!(4), Some("administrator")),
        (json!("03"), Some("3")),
        (json!(-1), Some("-1")),
        (json!("guest"), Some("guest")),
        (json!(""), None),
        (json!(null), None),
        (json!(true), None),
        (json!({"a": 1}), None),
    ] {
        let login = logged_in(room_login().with("user_role", role.clone()).decoded());
        assert_eq!(login.details.role, expected.map(Role::new), "{role}");
    }
}

#[test]
fn reasons_have_names_and_unknown_ones_are_kept_if_they_are_numbers() {
    use LogoutReason as R;
    for (reason, expected) in [
        (json!(0), Some(R::Normal)),
        (json!("01"), Some(R::HeartbeatTimeout)),
        (json!(2), Some(R::ConnectionLost)),
        (json!(3), Some(R::KickedOut)),
        (json!(4), Some(R::TokenExpired)),
        (json!("12"), Some(R::Other("12".into()))),
        (json!(-3), Some(R::Other("-3".into()))),
        (json!("-3"), Some(R::Other("-3".into()))),
        (json!(u64::MAX), None),
        (json!("bored"), None),
        (json!(1.0), None),
        (json!(null), None),
    ] {
        let body = Body::of(fixture!("room_logout")).with("reason", reason.clone());
        let CallbackEvent::UserLoggedOut(logout) = body.decoded().event else { panic!("{reason}") };
        assert_eq!(logout.reason, expected, "{reason}");
    }
    for (reason, expected) in [
        (2, StreamCloseReason::LoggedInAgain),
        (5, StreamCloseReason::RoomCleared),
        (100, StreamCloseReason::ClosedByServer),
        (6, StreamCloseReason::Other("6".into())),
    ] {
        let body = Body::of(fixture!("stream_close")).with("type", reason);
        let CallbackEvent::StreamClosed(closed) = body.decoded().event else { panic!("{reason}") };
        assert_eq!(closed.reason, Some(expected));
    }
}

#[test]
fn a_missing_counter_is_zero_for_users_and_none_for_streams() {
    for blank in [json!(null), json!(""), json!(" ")] {
        let login = room_login().with("user_update_seq", blank.clone());
        assert_eq!(logged_in(login.decoded()).counter, None);
        let body = Body::of(fixture!("stream_close")).with("stream_seq", blank);
        let CallbackEvent::StreamClosed(closed) = body.decoded().event else { panic!() };
        assert_eq!(closed.counter, None);
    }
}

#[test]
fn a_field_that_stands_twice_counts_as_its_last_value() {
    let body = r#"{"event":"room_create","room_id":"r1","room_id":"r2","room_session_id":1,
        "room_create_time":"soon","room_create_time":5,"event":"room_create"}"#;
    assert_eq!(decoded(body), of_room("r2", "1", RoomCreated::new(at(5))));
    let body = r#"{"event":"room_create","title":1,"title":2,"event":"ping"}"#;
    assert_eq!(serde_json::from_str::<Event>(body).unwrap(), Event::Other("ping".into()));
}

/// With its feature `arbitrary_precision`, `serde_json` gives numbers as such objects.
#[test]
fn numbers_decode_if_another_crate_asks_for_arbitrary_precision() {
    let precise = |number: &str| json!({"$serde_json::private::Number": number});
    let body = room_login()
        .with("room_seq", precise("858012925204410401"))
        .with("session_id", precise("123456789012345678901234567890"))
        .with("login_time", precise("1763596800027"));
    let callback = body.decoded();
    assert_eq!(callback.session_id.as_ref().unwrap(), SESSION);
    let login = logged_in(callback);
    assert_eq!(login.user_session_id.unwrap(), "123456789012345678901234567890");
    assert_eq!(login.login_at, at(1_763_596_800_027));
    for (number, said) in [("-1", "-1"), ("1.5", "1.5")] {
        assert_eq!(
            room_login().with("login_time", precise(number)).refused(),
            format!("room_login: field `login_time` is not a whole number: {said}")
        );
    }
}

#[track_caller]
fn logged_in(callback: Callback) -> UserLoggedIn {
    match callback.event {
        CallbackEvent::UserLoggedIn(login) => login,
        other => panic!("{other:?}"),
    }
}

fn of_room(room_id: &str, session_id: &str, event: impl Into<CallbackEvent>) -> Callback {
    Callback::new(RoomId::new(room_id).unwrap(), SessionId::new(session_id).unwrap(), event)
}

fn login(user_id: &str, session_id: &str, login_at: u64, counter: u64) -> UserLoggedIn {
    let session_id = UserSessionId::new(session_id).unwrap();
    UserLoggedIn::new(user(user_id), at(login_at)).user_session_id(session_id).counter(counter)
}

fn stream_closed(session_id: &str, counter: Option<u64>) -> StreamClosed {
    let session_id = StreamSessionId::new(session_id).unwrap();
    let stream_id = StreamId::new("camera").unwrap();
    StreamClosed::new(stream_id, at(1_763_596_859_248))
        .stream_session_id(session_id)
        .order(counter)
        .counter(counter)
}

fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn texts(texts: &[&str]) -> Vec<Text> {
    texts.iter().copied().map(Text::from).collect()
}

/// Tells a registry of a login at 1 s, a logout at 20 s and a login at 22 s. All are under one session id,
/// and the logout has no time of its login. Returns the session id of everybody who is there then.
fn back_within_the_clock_skew(session_id: &Value, decoder: Decoder) -> Vec<Option<String>> {
    let clock = ManualClock::at(Timestamp::from_secs(30));
    let mut registry = RoomRegistry::with_clock(Config::default(), clock);
    let told = [("room_create", "room_create_time", 0), ("room_login", "login_time", 1)];
    let then = [("room_logout", "logout_time", 20), ("room_login", "login_time", 22)];
    for (event, field, seconds) in told.into_iter().chain(then) {
        let body = json!({
            "event": event, "room_id": "r", "room_session_id": "9", "user_account": "ann",
            "session_id": session_id, field: seconds * 1_000,
        });
        let event = decoder.deserialize(body).unwrap();
        let Event::Callback(callback) = event else { panic!("{event:?}") };
        registry.apply_callback(&callback);
    }
    let users = registry.room("r").unwrap().users();
    users.map(|user| user.user_session_id().map(ToString::to_string)).collect()
}

#[test]
fn a_session_id_of_zero_is_none_and_the_last_event_counts() {
    for zero in [json!(0), json!("0"), json!("00")] {
        assert_eq!(back_within_the_clock_skew(&zero, Decoder::new()), [None], "{zero}");
    }
}

#[test]
fn a_session_id_that_comes_back_at_once_needs_users_to_be_ordered() {
    assert!(back_within_the_clock_skew(&json!(7), Decoder::new()).is_empty());
    let ordered = Decoder::new().order_users(true);
    assert_eq!(back_within_the_clock_skew(&json!(7), ordered), [Some("7".into())]);
}
