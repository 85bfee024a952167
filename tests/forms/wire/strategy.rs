//! Callbacks and JSON of every kind.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use room_registry::event::{
    CallbackEvent, LogoutReason, RoomCloseReason, RoomClosed, RoomCreated, StreamCloseReason,
    StreamClosed, StreamCreated, UserLoggedIn, UserLoggedOut,
};
use room_registry::{
    Callback, Role, RoomId, SessionId, StreamId, StreamSessionId, Text, Timestamp, UserId,
    UserSessionId,
};
use serde_json::Value;

pub(crate) fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[0-9]{0,25}".prop_map(Value::from),
        " ?[-+]?[0-9]{1,3} ?".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "a{250,260}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((any::<String>(), inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

pub(crate) fn callback() -> impl Strategy<Value = Callback> {
    (id(RoomId::new), session(SessionId::new), event())
        .prop_map(|(room_id, session_id, event)| Callback::new(room_id, session_id, event))
}

fn event() -> impl Strategy<Value = CallbackEvent> {
    prop_oneof![
        (time(), option::of(id(UserId::new))).prop_map(|(created_at, creator_id)| {
            let mut created = RoomCreated::new(created_at);
            created.creator_id = creator_id;
            created.into()
        }),
        (time(), option::of(room_close_reason())).prop_map(|(closed_at, reason)| {
            let mut closed = RoomClosed::new(closed_at);
            closed.reason = reason;
            closed.into()
        }),
        logged_in().prop_map(CallbackEvent::from),
        logged_out().prop_map(CallbackEvent::from),
        stream_created().prop_map(CallbackEvent::from),
        stream_closed().prop_map(CallbackEvent::from),
    ]
}

prop_compose! {
    fn logged_in()(
        user_id in id(UserId::new),
        session_id in session(UserSessionId::new),
        login_at in time(),
        counter in any::<u64>(),
        [user_name, room_name] in [text(), text()],
        role in option::of(role()),
    ) -> UserLoggedIn {
        let mut login = UserLoggedIn::new(user_id, login_at).user_session_id(session_id).counter(counter);
        login.details.user_name = user_name;
        login.details.role = role;
        login.room_name = room_name;
        login
    }
}

prop_compose! {
    fn logged_out()(
        user_id in id(UserId::new),
        session_id in session(UserSessionId::new),
        login_at in option::of(time()),
        logout_at in time(),
        counter in any::<u64>(),
        reason in option::of(logout_reason()),
    ) -> UserLoggedOut {
        let mut logout = UserLoggedOut::new(user_id, logout_at).user_session_id(session_id).counter(counter);
        (logout.login_at, logout.reason) = (login_at, reason);
        logout
    }
}

prop_compose! {
    fn stream_created()(
        stream_id in id(StreamId::new),
        session_id in stream_session(),
        created_at in time(),
        counter in option::of(any::<u64>()),
        publisher_id in id(UserId::new),
        [publisher_name, title, extra_info] in [text(), text(), text()],
        [rtmp, hls, flv, pictures] in [urls(), urls(), urls(), urls()],
    ) -> StreamCreated {
        let mut created = StreamCreated::new(stream_id, created_at).stream_session_id(session_id).order(counter).counter(counter);
        let details = &mut created.details;
        details.publisher_id = Some(publisher_id);
        details.publisher_name = publisher_name;
        details.title = title;
        details.extra_info = extra_info;
        details.playback.rtmp = rtmp;
        details.playback.hls = hls;
        details.playback.flv = flv;
        details.playback.pictures = pictures;
        created
    }
}

prop_compose! {
    fn stream_closed()(
        stream_id in id(StreamId::new),
        session_id in stream_session(),
        created_at in option::of(time()),
        closed_at in time(),
        counter in option::of(any::<u64>()),
        reason in option::of(stream_close_reason()),
    ) -> StreamClosed {
        let mut closed = StreamClosed::new(stream_id, closed_at).stream_session_id(session_id).order(counter).counter(counter);
        (closed.created_at, closed.reason) = (created_at, reason);
        closed
    }
}

fn id<T: std::fmt::Debug, E: std::fmt::Debug>(
    new: fn(String) -> Result<T, E>,
) -> impl Strategy<Value = T> {
    r#"\PC{1,40}|[0-9]{1,20}|["\\]{1,3}"#.prop_map(move |text| new(text).unwrap())
}

/// As the decoder gives them: a number has no zeros before it.
fn session<T: std::fmt::Debug, E: std::fmt::Debug>(
    new: fn(String) -> Result<T, E>,
) -> impl Strategy<Value = T> {
    prop_oneof![
        any::<u64>().prop_map(|number| number.to_string()),
        "[1-9][0-9]{15,40}",
        "s-\\PC{1,40}"
    ]
    .prop_map(move |text| new(text).unwrap())
}

fn stream_session() -> impl Strategy<Value = StreamSessionId> {
    "0{0,2}[0-9]{1,19}|s-[0-9]{1,40}".prop_map(|text| StreamSessionId::new(text).unwrap())
}

fn time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![1_763_000_000_000..1_764_000_000_000_u64, any::<u64>()]
        .prop_map(Timestamp::from_millis)
}

fn text() -> impl Strategy<Value = Option<Text>> {
    option::of(any::<String>().prop_filter("as good as none", |text| !text.is_empty()))
        .prop_map(|text| text.map(Text::from))
}

fn urls() -> impl Strategy<Value = Vec<Text>> {
    vec("https://[a-z/\"é]{1,40}".prop_map(Text::from), 0..3)
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![
        select(vec![Role::HOST, Role::AUDIENCE, Role::ADMINISTRATOR]),
        (5..u64::MAX).prop_map(|number| Role::new(number.to_string())),
        "[a-z]{1,30}".prop_map(Role::new),
    ]
}

fn room_close_reason() -> impl Strategy<Value = RoomCloseReason> {
    use RoomCloseReason as R;
    prop_oneof![
        select(vec![R::Normal, R::HeartbeatTimeout, R::WentOffline, R::KickedOut]),
        unnamed().prop_map(|number| R::Other(number.to_string().into())),
    ]
}

fn logout_reason() -> impl Strategy<Value = LogoutReason> {
    use LogoutReason as R;
    let named =
        vec![R::Normal, R::HeartbeatTimeout, R::ConnectionLost, R::KickedOut, R::TokenExpired];
    prop_oneof![select(named), unnamed().prop_map(|number| R::Other(number.to_string().into()))]
}

fn stream_close_reason() -> impl Strategy<Value = StreamCloseReason> {
    use StreamCloseReason as R;
    let named = vec![
        R::Normal,
        R::HeartbeatTimeout,
        R::LoggedInAgain,
        R::KickedOut,
        R::ConnectionLost,
        R::RoomCleared,
        R::ClosedByServer,
    ];
    prop_oneof![select(named), unnamed().prop_map(|number| R::Other(number.to_string().into()))]
}

/// A number that is no reason's.
fn unnamed() -> impl Strategy<Value = i64> {
    prop_oneof![i64::MIN..0, 101..i64::MAX]
}
