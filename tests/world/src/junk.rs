//! Makes junk: callbacks and observations that are well formed, and fit no history.

use proptest::prelude::*;
use room_registry::event::{
    CallbackEvent, RoomClosed, RoomCreated, StreamClosed, StreamCreated, UserLoggedIn,
    UserLoggedOut,
};
use room_registry::repair::{ObservedList, ObservedStream, ObservedUser};
use room_registry::{
    Callback, Observation, Role, SessionId, StreamId, StreamSessionId, Text, Timestamp,
    UserSessionId,
};

use super::history::{room_id, user};
use super::observations::{Told, observed_at, present_stream, present_user};

/// Callbacks and observations that fit no history.
pub fn junk(clock_skew: u64) -> impl Strategy<Value = Told> {
    prop_oneof![
        3 => junk_callback().prop_map(Told::Heard),
        1 => junk_time().prop_map(|at| {
            let closed = RoomClosed::new(Timestamp::from_millis(at));
            Told::Heard(Callback::new(room_id(), None, closed))
        }),
        2 => junk_observation(clock_skew).prop_map(Told::Saw),
    ]
}

/// Makes a list that says anything.
fn junk_list<T: Clone + std::fmt::Debug>(
    entry: impl Strategy<Value = T>,
) -> impl Strategy<Value = ObservedList<T>> {
    let entries = prop::collection::vec(entry, 0..4);
    (0..6_u8, entries).prop_map(|(kind, mut entries)| match kind {
        0 => ObservedList::NotAsked,
        1 => ObservedList::Partial(entries),
        2 => ObservedList::Complete(Vec::new()),
        _ => {
            entries.truncate(2);
            ObservedList::Complete(entries)
        }
    })
}

fn junk_user() -> impl Strategy<Value = ObservedUser> {
    let name = prop::option::weighted(0.3, prop::sample::select(vec!["Ann", "Bob"]));
    (0..3_u64, name, prop::option::weighted(0.2, junk_time())).prop_map(|(who, name, login_at)| {
        let mut user = present_user(&format!("user{who}"));
        user.user_name = name.map(Text::from);
        user.login_at = login_at.map(Timestamp::from_millis);
        user
    })
}

fn junk_stream() -> impl Strategy<Value = ObservedStream> {
    let title = prop::option::weighted(0.3, prop::sample::select(vec!["one", "two"]));
    (0..3_u64, title, prop::option::weighted(0.2, junk_time())).prop_map(|(which, title, at)| {
        let mut stream = present_stream(&format!("stream{which}"));
        stream.details.title = title.map(Text::from);
        stream.created_at = at.map(Timestamp::from_millis);
        stream
    })
}

/// Makes a consistent observation that fits no history. It counts as made this long before it was read.
pub fn junk_observation(clock_skew: u64) -> impl Strategy<Value = Observation> {
    let session = prop::option::weighted(0.4, prop::sample::select(vec!["7", "8", "10"]));
    let open = prop_oneof![4 => Just(None), 2 => Just(Some(true)), 1 => Just(Some(false))];
    let lists = (junk_list(junk_user()), junk_list(junk_stream()));
    (junk_time(), session, open, lists).prop_map(move |(counts_at, session, open, lists)| {
        let mut observation = observed_at(counts_at + clock_skew);
        observation.session_id = session.map(|id| SessionId::new(id).expect("a valid id"));
        observation.open = open;
        (observation.users, observation.streams) = lists;
        if open == Some(false) {
            observation.users = without_entries(&observation.users);
            observation.streams = without_entries(&observation.streams);
        }
        observation
    })
}

fn without_entries<T>(list: &ObservedList<T>) -> ObservedList<T> {
    match list {
        ObservedList::NotAsked => ObservedList::NotAsked,
        ObservedList::Partial(_) => ObservedList::Partial(Vec::new()),
        ObservedList::Complete(_) => ObservedList::Complete(Vec::new()),
    }
}

/// Times that meet the bounds of the rules: ties, the skew, and their edges.
pub fn junk_time() -> impl Strategy<Value = u64> {
    let edges = [
        0_u64, 1, 50, 99, 100, 101, 150, 2_500, 4_900, 4_999, 5_000, 5_001, 5_099, 5_100, 5_101,
        10_000, 10_050, 10_101,
    ];
    prop_oneof![prop::sample::select(edges.to_vec()), 0..12_000_u64]
        .prop_map(|after| 1_000_000 + after)
}

/// Makes a well-formed callback that fits no history. One in seven names no session; none of those is a
/// close.
pub fn junk_callback() -> impl Strategy<Value = Callback> {
    let session = prop::sample::select(vec!["7", "8", "10"]);
    let name = || prop::option::of(prop::sample::select(vec!["Ann", "Bob"]));
    let event = prop_oneof![
        2 => (junk_time(), prop::option::of(0..2_u64)).prop_map(|(at, creator)| {
            let created = RoomCreated::new(Timestamp::from_millis(at));
            let created = creator.map_or(created.clone(), |creator| created.creator_id(user(creator)));
            CallbackEvent::from(created)
        }),
        2 => junk_time().prop_map(|at| RoomClosed::new(Timestamp::from_millis(at)).into()),
        4 => (0..2_u64, junk_stay(), junk_time(), name(), name(), name()).prop_map(
            |(who, stay, at, name, role, room_name)| {
                let login = UserLoggedIn::new(user(who), Timestamp::from_millis(at))
                    .user_session_id(stay.id.map(user_session))
                    .order(stay.order)
                    .counter(stay.counter)
                    .exclusive(stay.exclusive)
                    .user_name(name.map(Text::from))
                    .role(role.map(Role::new));
                login.room_name(room_name.map(Text::from)).into()
            }
        ),
        4 => (0..2_u64, junk_stay(), junk_time(), prop::option::of(junk_time())).prop_map(
            |(who, stay, at, login_at)| {
                let logout = UserLoggedOut::new(user(who), Timestamp::from_millis(at))
                    .user_session_id(stay.id.map(user_session))
                    .order(stay.order)
                    .counter(stay.counter)
                    .exclusive(stay.exclusive);
                logout.login_at(login_at.map(Timestamp::from_millis)).into()
            }
        ),
        4 => (0..2_u64, junk_stay(), junk_time(), name()).prop_map(|(which, stay, at, title)| {
            let mut created = StreamCreated::new(stream(which), Timestamp::from_millis(at))
                .stream_session_id(stay.id.map(stream_session))
                .order(stay.order)
                .counter(stay.counter)
                .exclusive(stay.exclusive);
            created.details.title = title.map(Text::from);
            created.into()
        }),
        4 => (0..2_u64, junk_stay(), junk_time(), prop::option::of(junk_time())).prop_map(
            |(which, stay, at, created_at)| {
                let closed = StreamClosed::new(stream(which), Timestamp::from_millis(at))
                    .stream_session_id(stay.id.map(stream_session))
                    .order(stay.order)
                    .counter(stay.counter)
                    .exclusive(stay.exclusive);
                closed.created_at(created_at.map(Timestamp::from_millis)).into()
            }
        ),
    ];
    (session, event, 0..7_u8).prop_map(|(session, event, named)| {
        let is_close = matches!(event, CallbackEvent::RoomClosed(_));
        let session = SessionId::new(session).expect("a valid id");
        Callback::new(room_id(), Some(session).filter(|_| is_close || named > 0), event)
    })
}

/// How a callback names the stay that it is about, in any form.
#[derive(Debug, Clone, Copy)]
struct JunkStay {
    id: Option<u64>,
    order: Option<u64>,
    counter: Option<u64>,
    exclusive: bool,
}

/// Makes mostly named stays that exclude each other, or orders, as vendors have them; and all else.
fn junk_stay() -> impl Strategy<Value = JunkStay> {
    let (id, number) = (0..3_u64, 0..4_u64);
    (id, number, prop::option::of(0..3_u64), 0..8_u8).prop_map(|(id, number, counter, form)| {
        let named = JunkStay { id: Some(id), order: None, counter, exclusive: true };
        match form {
            0..=2 => named,
            3..=4 => JunkStay { order: Some(number), ..named },
            5 => JunkStay { exclusive: false, ..named },
            6 => JunkStay { id: None, ..named },
            _ => JunkStay { id: None, order: Some(number), ..named },
        }
    })
}

fn user_session(id: u64) -> UserSessionId {
    UserSessionId::new(id.to_string()).expect("a valid id")
}

fn stream_session(id: u64) -> StreamSessionId {
    StreamSessionId::new(format!("s-{id}")).expect("a valid id")
}

fn stream(which: u64) -> StreamId {
    StreamId::new(format!("stream{which}")).expect("a valid id")
}
