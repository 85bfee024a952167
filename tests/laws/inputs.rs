//! Inputs as values: into one room as into a registry.

use proptest::prelude::*;
use room_registry::event::CallbackEvent;
use room_registry::journal::{Answer, Command, Input};
use room_registry::repair::Reason;
use room_registry::{
    Callback, Cause, Change, Config, Error, Heartbeat, ManualClock, Mirror, NewRoom, NewUser, Role,
    Room, RoomId, RoomRegistry, RoomUpdate, SessionId, StreamId, UserId, UserUpdate,
};
use room_registry_world::effort::properties;
use room_registry_world::is_stored_as;
use room_registry_world::story::{at, created, login, observation, room_id, stream_created, user};

fn callback(event: impl Into<CallbackEvent>) -> Input {
    Callback::new(room_id(), SessionId::new("1").expect("a valid id"), event).into()
}

fn user_id(id: &str) -> UserId {
    UserId::new(id).expect("a valid id")
}

/// One input of each kind, and more that meet them.
fn inputs() -> impl Strategy<Value = Input> {
    let users = prop_oneof![Just("ann"), Just("bob")];
    let by_user = users.prop_flat_map(|id| {
        let (room_id, user_id) = (room_id(), user_id(id));
        let joins = Command::JoinRoom {
            room_id: room_id.clone(),
            user: NewUser::new(id).name(id).attribute("level", "7"),
        };
        let updates = Command::UpdateUser {
            room_id: room_id.clone(),
            user_id: user_id.clone(),
            update: UserUpdate::new().role(Role::HOST).remove_attribute("level"),
        };
        let beats = Command::Heartbeat {
            room_id: room_id.clone(),
            user_id: user_id.clone(),
            connection_id: None,
            update: UserUpdate::new().name("beating").attribute("mood", "good"),
        };
        let leaves = Command::LeaveRoom { room_id, user_id, connection_id: None };
        let commands = [joins, updates, beats, leaves].map(Input::from);
        prop::sample::select(commands.to_vec())
    });
    let others = [
        Command::CreateRoom(NewRoom::new("r", "ann").name("a show")).into(),
        Command::UpdateRoom {
            room_id: room_id(),
            update: RoomUpdate::new().host("bob").name("another").attribute("cover", "red"),
        }
        .into(),
        Command::EndRoom { room_id: room_id() }.into(),
        Command::UpdateStream {
            room_id: room_id(),
            stream_id: StreamId::new("camera").expect("a valid id"),
            attributes: [("muted".into(), Some("yes".into()))].into(),
        }
        .into(),
        Command::GrantGrace.into(),
        callback(created(0)),
        callback(login("ann", 1, 1)),
        callback(stream_created("camera", 1, 2)),
        observation(30).users([user("ann"), user("tom")]).streams([]).into(),
        Input::Expire,
    ];
    prop_oneof![by_user, prop::sample::select(others.to_vec())]
}

/// A registry also counts the record of a room that it lets go.
fn without_forgotten(answer: &Result<Answer, Error>) -> Result<Answer, Error> {
    let mut answer = answer.clone();
    if let Ok(Answer::Expired(expired)) = &mut answer {
        expired.forgotten = 0;
    }
    answer
}

proptest! {
    #![proptest_config(properties(60))]

    #[test]
    fn a_room_takes_inputs_as_a_registry_does(
        inputs in prop::collection::vec((inputs(), 0_u64..100), 1..40),
    ) {
        let config = Config::default();
        let clock = ManualClock::at(at(60));
        let mut registry = RoomRegistry::with_clock(config.clone(), clock.clone());
        let mut room = Room::new(room_id(), &config);
        let mut seconds = 60;
        for (input, later) in inputs {
            seconds += later;
            clock.set(at(seconds));
            let expected = registry.apply_input(&input);
            let answer = room.apply_input(&input, &config, at(seconds));
            prop_assert_eq!(without_forgotten(&answer), without_forgotten(&expected));
            let changes = |changes: room_registry::Changes<'_>| changes.collect::<Vec<_>>();
            if answer.is_ok() {
                prop_assert_eq!(changes(room.changes()), changes(registry.changes()));
                for Change { kind, cause, .. } in room.changes() {
                    prop_assert!(is_stored_as(&kind, kind.name()), "{:?}", kind);
                    prop_assert!(is_stored_as(&cause, cause.name()), "{:?}", cause);
                }
            }
        }
    }
}

#[test]
fn causes_and_reasons_are_named_as_they_are_stored() {
    for cause in [
        Cause::Command,
        Cause::Callback,
        Cause::Repaired,
        Cause::HeartbeatTimeout,
        Cause::Lifecycle,
        Cause::ClockSetBack,
        Cause::Import,
    ] {
        assert!(is_stored_as(&cause, cause.name()), "{cause}");
    }
    for reason in [Reason::Gap, Reason::Sign, Reason::Quiet, Reason::Rotation] {
        assert!(is_stored_as(&reason, reason.name()), "{reason}");
    }
}

#[test]
fn an_input_for_another_room_is_refused() {
    let config = Config::default();
    let mut room = Room::new(RoomId::new("other").expect("a valid id"), &config);
    let refused = room.apply_input(&callback(created(0)), &config, at(0));
    let (expected, found) = ("other".to_owned(), "r".to_owned());
    assert_eq!(refused, Err(Error::OtherRoom { expected, found }));
    assert!(room.is_forgotten());
}

#[test]
fn heartbeats_kept_outside_hold_a_membership_and_expire_nobody() {
    let config = Config::default();
    let mut room = Room::new(room_id(), &config);
    room.create(NewRoom::new("r", "ann"), &config, at(0)).expect("it is new");
    for id in ["ann", "bob"] {
        room.join(NewUser::new(id), &config, at(0)).expect("nobody joined");
    }
    room.take_heartbeats([("ann", at(80)), ("nobody", at(80))], &config, at(120)).expect("allowed");
    assert_eq!(room.view().expect("it is listed").user_count(), 2, "nobody was swept");
    assert!(room.changes().next().is_none());
    let again = Command::JoinRoom { room_id: room_id(), user: NewUser::new("ann") };
    let refused = room.apply_input(&again.into(), &config, at(120));
    assert!(matches!(refused, Err(Error::UserAlreadyJoined { .. })));
    let beat = Command::Heartbeat {
        room_id: room_id(),
        user_id: user_id("bob"),
        connection_id: None,
        update: UserUpdate::new(),
    };
    let answer = room.apply_input(&beat.into(), &config, at(120));
    assert_eq!(answer, Ok(Answer::Heartbeat(Heartbeat::TimedOut)));
}

#[test]
fn expiring_with_heartbeats_tells_what_a_clock_that_went_back_changed() {
    let config = Config::default();
    let mut room = Room::new(room_id(), &config);
    room.create(NewRoom::new("r", "ann"), &config, at(1_000)).expect("it is new");
    room.join(NewUser::new("ann"), &config, at(1_000)).expect("nobody joined");
    let mut mirror: Mirror = room.view().into_iter().collect();
    room.expire_with([("ann", at(500))], &config, at(500)).expect("allowed");
    room.changes().for_each(|change| mirror.apply(&change));
    assert_eq!(mirror, room.view().into_iter().collect());
    assert!(room.is_dirty() && room.changes().next().is_some());
}
