//! Bodies of the first vendor as they come over HTTP, in each of their forms.

use crate::wire::body::{Body, decoded, fixture};
use crate::wire::form::{Lists, encoded, form};
use room_registry::event::{CallbackEvent, PlaybackUrls};
use room_registry::vendor::zego::{Answer, Decoder, Event, Notification, StreamList};
use room_registry::{Callback, Text};
use serde_json::json;

#[test]
fn a_body_is_the_same_as_json_percent_encoded_and_as_a_form() {
    for text in [
        fixture!("room_create"),
        fixture!("room_login_relogin_leading_zeros"),
        fixture!("room_logout"),
        fixture!("stream_create"),
        fixture!("stream_close"),
    ] {
        let expected = Event::Callback(decoded(text));
        let body = Body::of(text);
        let mut bodies = vec![
            text.to_owned(),
            format!(" \r\n{text}\n"),
            encoded(text),
            encoded(text).replace('+', "%20").replace("%7B", "%7b"),
        ];
        bodies.extend(Lists::ALL.map(|lists| form(&body.0, lists)));
        for body in bodies {
            assert_eq!(
                Decoder::new().decode::<Event>(body.as_bytes()).unwrap(),
                expected,
                "{body}"
            );
        }
    }
}

#[test]
fn a_form_has_playback_addresses_in_each_way_of_writing_a_list() {
    let (a, b) = ("rtmp://a.example.com/x?y=1&z=2", "rtmp://b.example.com/[x]");
    let body = Body::of(fixture!("stream_create")).with("rtmp_url", json!([a, b]));
    let body = body.with("hls_url", json!([])).with("hdl_url", json!([a])).with("pic_url", a);
    for lists in Lists::ALL {
        let urls = urls(&form(&body.0, lists));
        assert_eq!(urls.rtmp, [Text::from(a), Text::from(b)], "{lists:?}");
        assert!(urls.hls.is_empty(), "{lists:?}");
        assert_eq!((urls.flv, urls.pictures), (vec![Text::from(a)], vec![Text::from(a)]));
    }
    let start = form(&body.without("rtmp_url").0, Lists::Repeated);
    for (end, expected) in [
        ("rtmp_url=a", &["a"][..]),
        ("rtmp_url%5B%5D=a", &["a"]),
        ("rtmp_url[]=a", &["a"]),
        ("rtmp_url[0]=a&rtmp_url[1]=b", &["a", "b"]),
        ("rtmp_url[99999999999999999999]=a", &["a"]),
        ("rtmp_url=a&rtmp_url=b", &["a", "b"]),
        ("rtmp_url=[%22a%22,%22b%22]", &["a", "b"]),
        ("rtmp_url=[%22a%22,7,null,[%22b%22]]&rtmp_url[]=c", &["a", "c"]),
        ("rtmp_url=[]", &[]),
        ("rtmp_url=", &[]),
        ("rtmp_url=[%22a%22", &["[\"a\""]),
        ("rtmp_url[x]=a&rtmp_url[=b&rtmp_url[]]=c&rtmp_url[0][1]=d", &[]),
    ] {
        assert_eq!(urls(&format!("{start}&{end}")).rtmp, texts(expected), "{end}");
    }
}

#[test]
fn of_any_other_field_that_comes_twice_in_a_form_the_last_counts() {
    let body = "event=ping&event=room_close&room_id=r1&room_session_id=1&room_session_id=2\
                &room_close_time=soon&room_close_time=5&room_id=r+2&close_reason";
    let callback = callback(body);
    assert_eq!((callback.room_id.as_str(), callback.session_id.unwrap().as_str()), ("r 2", "2"));
}

#[test]
fn a_byte_order_mark_is_skipped() {
    let text = fixture!("room_login");
    let expected = Event::Callback(decoded(text));
    for body in [
        format!("\u{feff}{text}"),
        format!("\n\u{feff}\r\n{text}"),
        format!("\u{feff}{}", encoded(text)),
        encoded(&format!("\u{feff}{text}")),
        format!("%ef%Bb%bF{}", encoded(text).replace("%7B", "%7b")),
        format!("\u{feff}{}", form(&Body::of(text).0, Lists::Json)),
        format!("%EF%BB%BF{}", form(&Body::of(text).0, Lists::Json)),
    ] {
        assert_eq!(Decoder::new().decode::<Event>(body.as_bytes()).unwrap(), expected, "{body}");
    }
}

#[test]
fn a_notification_and_an_answer_are_decoded_with_the_same_options() {
    let decoder = Decoder::new().ignore_user_role(true);
    let body = form(&Body::of(fixture!("room_login")).0, Lists::Json);
    let notification: Notification = decoder.decode(body.as_bytes()).unwrap();
    assert!(notification.timestamp.is_some() && notification.nonce.is_some());
    let Event::Callback(Callback { event: CallbackEvent::UserLoggedIn(login), .. }) =
        notification.event
    else {
        panic!("it is a login");
    };
    assert_eq!(login.details.role, None);
    let answer: Answer<StreamList> = decoder.decode(b"\xef\xbb\xbf{\"Code\":104}").unwrap();
    assert!(answer.into_data().unwrap_err().is_no_such_room());
}

#[test]
fn what_has_no_known_form_is_refused_and_said() {
    for (body, said) in [
        (&b""[..], "the body is neither a JSON object nor a form"),
        (b"[]", "the body is neither a JSON object nor a form"),
        (b"%7", "the body is neither a JSON object nor a form"),
        ("\u{feff}".as_bytes(), "the body is neither a JSON object nor a form"),
        (b"\xff\xfe{", "the body is not UTF-8"),
        (b"%7B%ff", "the body is not UTF-8"),
        (b"event=%ff", "the body is not UTF-8"),
        (b"a=b", "field `event` is missing"),
        (b"event=room_close&room_id=r1", "room_close: field `room_session_id` is missing"),
    ] {
        assert_eq!(Decoder::new().decode::<Event>(body).unwrap_err().to_string(), said);
    }
}

#[test]
fn what_is_refused_has_a_name_that_stays_and_serialises_with_it() {
    for (body, name) in [
        (&b"ping"[..], "unknown_form"),
        (b"", "unknown_form"),
        (b"event=%ff", "not_utf8"),
        (b"\xff\xfe{", "not_utf8"),
        (b"{", "malformed_json"),
        (b"%7B", "malformed_json"),
        (b"{\"event\":\"ping\"}}", "malformed_json"),
        (b"{\"event\":\"\xff\"}", "malformed_json"),
        (b"{}", "invalid_field"),
        (b"a=b", "invalid_field"),
        (b"event=room_close&room_id=r1", "invalid_field"),
        (br#"{"event":"room_close","room_id":"r1","room_session_id":1.5}"#, "invalid_field"),
    ] {
        let error = Decoder::new().decode::<Event>(body).unwrap_err();
        assert_eq!(error.name(), name, "{error}");
        let told = serde_json::to_value(&error).unwrap();
        assert_eq!(told, json!({"name": name, "message": error.to_string()}));
    }
}

#[track_caller]
fn callback(body: &str) -> Callback {
    match Decoder::new().decode(body.as_bytes()).unwrap() {
        Event::Callback(callback) => callback,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn urls(body: &str) -> PlaybackUrls {
    match callback(body).event {
        CallbackEvent::StreamCreated(created) => created.details.playback,
        other => panic!("{other:?}"),
    }
}

fn texts(texts: &[&str]) -> Vec<Text> {
    texts.iter().copied().map(Text::from).collect()
}
