//! Makes inputs of every kind, as a journal of a few small rooms may hold them.

use std::collections::BTreeMap;

use proptest::prelude::*;
use room_registry::journal::{Command, Input};
use room_registry::repair::{ObservedStream, ObservedUser};
use room_registry::{
    ConnectionId, Lifecycle, NewRoom, NewUser, Observation, Role, RoomId, RoomUpdate, SessionId,
    StreamId, Text, Timestamp, UserId, UserUpdate,
};

use super::history::room_id;
use super::junk::{junk_callback, junk_time};

/// Makes commands, callbacks, observations and expiries, some of which are refused. Callbacks and
/// observations are of one room and stamped between 1,000,000 and 1,012,000 ms.
pub fn input() -> impl Strategy<Value = Input> {
    prop_oneof![
        8 => junk_callback().prop_map(Input::from),
        8 => command().prop_map(Input::from),
        2 => observation().prop_map(Input::from),
        2 => Just(Input::Expire),
    ]
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        3 => (room(), who(), name(), lifecycle()).prop_map(|(room_id, host, name, lifecycle)| {
            let room = NewRoom::new(room_id.as_str(), host).lifecycle(lifecycle);
            Command::CreateRoom(match name {
                Some(name) => room.name(name).attribute("mode", "talk"),
                None => room,
            })
        }),
        1 => (room(), prop::option::of(who()), name(), prop::option::of(lifecycle())).prop_map(
            |(room_id, host_id, room_name, lifecycle)| {
                let mut update = RoomUpdate::new();
                (update.host_id, update.room_name, update.lifecycle) = (host_id, room_name, lifecycle);
                Command::UpdateRoom { room_id, update }
            }
        ),
        1 => room().prop_map(|room_id| Command::EndRoom { room_id }),
        4 => (room(), user(), name(), role(), by()).prop_map(|(room_id, user_id, user_name, role, by)| {
            let mut user = NewUser::new(&user_id);
            (user.user_name, user.role, user.connection_id) = (user_name, role, by.map(Into::into));
            Command::JoinRoom { room_id, user }
        }),
        1 => (room(), user(), by()).prop_map(|(room_id, user_id, connection_id)| {
            Command::LeaveRoom { room_id, user_id, connection_id }
        }),
        1 => (room(), user()).prop_map(|(room_id, user_id)| {
            Command::RemoveUser { room_id, user_id, reason: "spam".into() }
        }),
        4 => (room(), user(), name(), by()).prop_map(|(room_id, user_id, user_name, connection_id)| {
            let update = user_name.into_iter().fold(UserUpdate::new(), UserUpdate::name);
            Command::Heartbeat { room_id, user_id, connection_id, update }
        }),
        1 => (room(), user(), name(), role()).prop_map(|(room_id, user_id, user_name, role)| {
            let mut update = UserUpdate::new();
            (update.user_name, update.role, update.attributes) = (user_name, role, attributes());
            Command::UpdateUser { room_id, user_id, update }
        }),
        1 => (room(), stream()).prop_map(|(room_id, stream_id)| {
            Command::UpdateStream { room_id, stream_id, attributes: attributes() }
        }),
        1 => Just(Command::GrantGrace),
    ]
}

/// Makes what an answer of the media server may say: also what contradicts itself.
fn observation() -> impl Strategy<Value = Observation> {
    let session = prop::option::of(prop::sample::select(vec!["7", "8", "10"]));
    let users = prop::option::of(prop::collection::vec(user(), 0..3));
    let streams = prop::option::of(prop::collection::vec(stream(), 0..2));
    (junk_time(), session, prop::option::weighted(0.3, any::<bool>()), users, streams).prop_map(
        |(observed_at, session, open, users, streams)| {
            let at = Timestamp::from_millis(observed_at);
            let mut observation = Observation::new(room_id(), at);
            observation.session_id = session.map(|id| SessionId::new(id).expect("a valid id"));
            observation.open = open;
            if let Some(users) = users {
                observation = observation.users(users.into_iter().map(ObservedUser::new));
            }
            if let Some(streams) = streams {
                observation =
                    observation.some_streams(streams.into_iter().map(ObservedStream::new));
            }
            observation
        },
    )
}

fn room() -> impl Strategy<Value = RoomId> {
    prop::sample::select(vec!["room", "room", "other"])
        .prop_map(|id| RoomId::new(id).expect("a valid id"))
}

fn user() -> impl Strategy<Value = UserId> {
    (0..3_u8).prop_map(|which| UserId::new(format!("user{which}")).expect("a valid id"))
}

/// Makes a user's id as a client may send it.
fn who() -> impl Strategy<Value = Text> {
    prop::sample::select(vec!["user0", "user1", "user1", ""]).prop_map(Text::from)
}

/// Makes a connection, mostly the unnamed one.
fn by() -> impl Strategy<Value = Option<ConnectionId>> {
    let named = prop::sample::select(vec!["a", "b"]);
    prop::option::weighted(0.3, named.prop_map(|id| ConnectionId::new(id).expect("a valid id")))
}

fn stream() -> impl Strategy<Value = StreamId> {
    (0..2_u8).prop_map(|which| StreamId::new(format!("stream{which}")).expect("a valid id"))
}

fn name() -> impl Strategy<Value = Option<Text>> {
    let too_long = "x".repeat(room_registry::MAX_NAME_LEN + 1);
    prop_oneof![
        6 => Just(None),
        3 => prop::sample::select(vec!["Ann", "Bob", ""]).prop_map(|name| Some(Text::from(name))),
        1 => Just(Some(Text::from(too_long.as_str()))),
    ]
}

fn role() -> impl Strategy<Value = Option<Role>> {
    prop::option::of(prop::sample::select(vec![Role::HOST, Role::new("juggler")]))
}

fn lifecycle() -> impl Strategy<Value = Lifecycle> {
    prop::sample::select(vec![
        Lifecycle::UntilEnded,
        Lifecycle::UntilEmpty,
        Lifecycle::FollowsSession,
        Lifecycle::Permanent,
    ])
}

fn attributes() -> BTreeMap<Text, Option<Text>> {
    [(Text::from("seat"), Some(Text::from("2"))), (Text::from("mode"), None)].into()
}
