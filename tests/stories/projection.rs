//! What is kept up beside the registers stays what they say.

use std::time::Duration;

use room_registry::event::{RoomCreated, UserLoggedIn, UserLoggedOut};
use room_registry::repair::{ObservedUser, Reason};
use room_registry::{
    Callback, Config, ManualClock, Observation, Room, RoomId, RoomRegistry, SessionId, Timestamp,
    UserId,
};

type Registry = RoomRegistry<ManualClock>;

fn secs(secs: u64) -> Timestamp {
    Timestamp::from_secs(secs)
}

/// Ann stays, Bob leaves, and his closing is the newest fact until the sweep forgets it.
fn after_the_sweep() -> (Registry, ManualClock) {
    let clock = ManualClock::default();
    let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
    let tell = |registry: &mut Registry, at: u64, event: room_registry::event::CallbackEvent| {
        clock.set(secs(at));
        let (room_id, session_id) = (RoomId::new("r").unwrap(), SessionId::new("7").unwrap());
        registry.apply_callback(&Callback::new(room_id, session_id, event));
    };
    let user = |id: &str| UserId::new(id).unwrap();
    let stay = |id: &str| room_registry::UserSessionId::new(id).unwrap();
    tell(&mut registry, 1_000, RoomCreated::new(secs(1_000)).into());
    tell(
        &mut registry,
        1_001,
        UserLoggedIn::new(user("ann"), secs(1_001)).user_session_id(stay("1")).counter(1).into(),
    );
    tell(
        &mut registry,
        1_050,
        UserLoggedIn::new(user("bob"), secs(1_050)).user_session_id(stay("2")).counter(2).into(),
    );
    clock.set(secs(1_065));
    let seen = Observation::new(RoomId::new("r").unwrap(), secs(1_065))
        .users(["ann", "bob"].map(|id| ObservedUser::new(user(id))))
        .streams([]);
    registry.apply_observation(&seen).unwrap();
    let bob = UserLoggedOut::new(user("bob"), secs(1_110)).user_session_id(stay("2")).counter(3);
    tell(&mut registry, 1_110, bob.into());
    clock.set(secs(1_735));
    registry.expire();
    (registry, clock)
}

#[test]
fn a_closing_that_was_forgotten_is_not_the_newest_fact_any_more() {
    let (registry, _) = after_the_sweep();
    let room = registry.export("r").unwrap();
    let stored = serde_json::to_string(&room).unwrap();
    let read_back: Room = serde_json::from_str(&stored).unwrap();
    let config = registry.config();
    assert_eq!(room.repair_status(config), read_back.repair_status(config));
    assert_eq!(room.repair_status(config).quiet_at, None, "all that is known was confirmed");
}

#[test]
fn a_registry_and_its_exact_copy_ask_for_the_same_reason() {
    let (mut registry, clock) = after_the_sweep();
    let saved = serde_json::to_string(&registry.snapshot()).unwrap();
    let mut reader = serde_json::Deserializer::from_str(&saved);
    let mut copy =
        RoomRegistry::restore_exactly(Config::default(), clock.clone(), &mut reader).unwrap();
    clock.advance(Duration::from_secs(60));
    let question = registry.next_question().unwrap();
    assert_eq!(copy.next_question(), Some(question.clone()));
    assert_eq!(question.reason, Reason::Rotation);
}
