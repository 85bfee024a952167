//! What is said of a body of the first vendor that does not decode.

use crate::wire::body::{Body, fixture, refused, room_login};
use room_registry::vendor::zego::Event;
use serde_json::json;

#[test]
fn a_key_field_that_is_missing_is_named_with_its_event() {
    for (body, fields) in [
        (fixture!("room_create"), &["room_id", "room_session_id", "room_create_time"][..]),
        (fixture!("room_close"), &["room_id", "room_session_id", "room_close_time"]),
        (
            fixture!("room_login"),
            &["room_id", "room_seq", "user_account", "session_id", "login_time"],
        ),
        (
            fixture!("room_logout"),
            &["room_id", "room_seq", "user_account", "session_id", "logout_time"],
        ),
        (
            fixture!("stream_create"),
            &["room_id", "room_session_id", "stream_sid", "create_time_ms", "user_id"],
        ),
        (
            fixture!("stream_close"),
            &["room_id", "room_session_id", "stream_sid", "destroy_timemillis"],
        ),
    ] {
        for field in fields {
            let body = Body::of(body);
            let event = body.0["event"].as_str().unwrap().to_owned();
            let expected = format!("{event}: field `{field}` is missing");
            assert_eq!(body.clone().with(field, json!(null)).refused(), expected);
            assert_eq!(body.without(field).refused(), expected);
        }
    }
    let body = Body::of(fixture!("stream_create")).without("stream_id").without("stream_alias");
    assert_eq!(body.refused(), "stream_create: field `stream_id` is missing");
    assert_eq!(
        refused(fixture!("room_login_missing_user")),
        "room_login: field `user_account` is missing"
    );
}

#[test]
fn a_malformed_time_or_counter_is_named_and_said() {
    for (value, said) in [
        (json!("abc"), r#""abc""#),
        (json!("1\n2"), r#""1\n2""#),
        (json!("+1"), r#""+1""#),
        (json!("99999999999999999999"), r#""99999999999999999999""#),
        (json!(-1), "-1"),
        (json!(1.5), "1.5"),
        (json!(1.0), "1.0"),
        (json!(1e300), "1e300"),
        (json!(true), "true"),
        (json!([1]), "a list"),
        (json!({"a": 1}), "an object"),
    ] {
        for (body, field) in [
            (fixture!("room_login"), "login_time"),
            (fixture!("room_login"), "user_update_seq"),
            (fixture!("room_logout"), "login_time"),
            (fixture!("stream_create"), "stream_seq"),
            (fixture!("stream_close"), "create_time_ms"),
            (fixture!("stream_close"), "destroy_timemillis"),
        ] {
            let body = Body::of(body);
            let event = body.0["event"].as_str().unwrap().to_owned();
            assert_eq!(
                body.with(field, value.clone()).refused(),
                format!("{event}: field `{field}` is not a whole number: {said}")
            );
        }
    }
}

#[test]
fn a_malformed_id_is_named_and_said() {
    for (field, value, said) in [
        ("room_id", json!(""), ": a room id must not be empty"),
        ("room_seq", json!(""), ": a session id must not be empty"),
        ("session_id", json!(""), ": a user session id must not be empty"),
        (
            "user_account",
            json!("a\u{0}b"),
            ": a user id must not contain control characters; there is one at byte 1",
        ),
        (
            "room_id",
            json!("r".repeat(256)),
            ": a room id must be at most 255 bytes long; this one has 256",
        ),
        ("room_seq", json!(8.5e20), " is neither a text nor a whole number: 8.5e20"),
        ("user_account", json!(-4), " is neither a text nor a whole number: -4"),
        ("user_account", json!(false), " is neither a text nor a whole number: false"),
        ("session_id", json!([]), " is neither a text nor a whole number: a list"),
    ] {
        let expected = format!("room_login: field `{field}`{said}");
        assert_eq!(room_login().with(field, value).refused(), expected);
    }
}

/// A session above 2^63 that went through a signed number is not the session that it was.
#[test]
fn a_negative_session_is_refused_as_a_number_and_as_a_text() {
    for (body, field) in [
        (fixture!("room_create"), "room_session_id"),
        (fixture!("room_close"), "room_session_id"),
        (fixture!("room_login"), "room_seq"),
        (fixture!("room_login"), "session_id"),
        (fixture!("room_logout"), "session_id"),
        (fixture!("stream_create"), "stream_sid"),
        (fixture!("stream_close"), "stream_sid"),
    ] {
        for (session, said) in [
            (json!(-4), "-4"),
            (json!(i64::MIN), "-9223372036854775808"),
            (json!("-4"), r#""-4""#),
            (json!(" -04 "), r#"" -04 ""#),
            (json!("-9223372036854775809"), r#""-9223372036854775809""#),
        ] {
            let body = Body::of(body);
            let event = body.0["event"].as_str().unwrap().to_owned();
            let expected = format!("{event}: field `{field}` is negative: {said}");
            assert_eq!(body.with(field, session).refused(), expected);
        }
    }
    assert_eq!(room_login().with("user_account", "-4").decoded().room_id, "room1");
}

#[test]
fn what_an_error_says_of_a_value_is_cut() {
    for (value, said) in [
        ("x".repeat(64), format!("{:?}", "x".repeat(64))),
        ("x".repeat(65), format!("{:?} and 1 more bytes", "x".repeat(64))),
        (format!("x{}", "é".repeat(500)), format!("\"x{}\" and 938 more bytes", "é".repeat(31))),
    ] {
        assert_eq!(
            room_login().with("login_time", value).refused(),
            format!("room_login: field `login_time` is not a whole number: {said}")
        );
    }
}

#[test]
fn a_body_without_an_event_is_refused() {
    assert_eq!(refused("{}"), "field `event` is missing");
    assert_eq!(refused(r#"{"event":null}"#), "field `event` is missing");
    assert_eq!(
        refused(r#"{"room_id":"r1","Event":"","event_type":null}"#),
        "field `event` is missing"
    );
    assert_eq!(refused(r#"{"Event":{},"event_type":1.5}"#), "field `event` is missing");
    assert_eq!(refused(r#"{"event":""}"#), "field `event` is missing");
    assert_eq!(refused(r#"{"event":7}"#), "field `event` is not a text: 7");
    assert_eq!(refused(r#"{"event":["room_login"]}"#), "field `event` is not a text: a list");
}

/// What nests is passed over without recursion, and what lists much is read as it comes.
#[test]
fn a_body_that_is_deep_wide_or_long_is_read_or_refused_without_harm() {
    let body = crate::wire::body::fixture!("stream_create").trim_end().strip_suffix('}').unwrap();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for field in ["unknown", "room_name", "hls_url", "title"] {
        let event = serde_json::from_str(&format!(r#"{body},"{field}":{deep}}}"#)).unwrap();
        assert!(matches!(event, Event::Callback(_)), "{field}");
    }
    assert_eq!(
        refused(&format!(r#"{body},"stream_id":{deep}}}"#)),
        "stream_create: field `stream_id` is neither a text nor a whole number: a list"
    );
    let wide = r"[{}],".repeat(100_000);
    let event: Event = serde_json::from_str(&format!(r#"{body},"hls_url":[{wide}1]}}"#)).unwrap();
    let Event::Callback(callback) = event else { panic!("{event:?}") };
    let room_registry::event::CallbackEvent::StreamCreated(created) = callback.event else {
        panic!()
    };
    assert_eq!(created.details.playback.hls.len(), 0);
    let long = "9".repeat(1_000_000);
    assert!(refused(&format!(r#"{body},"stream_seq":{long}}}"#)).len() < 200);
    assert!(refused(&format!(r#"{body},"room_id":"{long}"}}"#)).len() < 200);
}

#[test]
fn a_body_that_is_no_object_is_refused() {
    for body in [r#"["room_login"]"#, "null", r#""room_login""#, "7", ""] {
        assert!(serde_json::from_str::<Event>(body).is_err(), "{body}");
    }
}
