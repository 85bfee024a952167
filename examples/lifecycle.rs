//! The life of a room, from its creation to its end, on a clock that is moved by hand.
//!
//! Read it from top to bottom; run it with `cargo run --example lifecycle`.
#![allow(clippy::disallowed_macros, reason = "a program, not the library")]

use std::time::Duration;

use room_registry::{
    Callback, Clock, Config, Error, Heartbeat, ManualClock, NewRoom, NewUser, Role, RoomClosed,
    RoomCreated, RoomId, RoomRegistry, SessionId, UserUpdate,
};

fn main() -> Result<(), Error> {
    // The registry reads the time from its clock. Here it stands still until it is told otherwise.
    let clock = ManualClock::at(room_registry::Timestamp::from_secs(1_763_596_800));
    let config = Config::default();
    let timeout = config.heartbeat_timeout();
    let mut registry = RoomRegistry::with_clock(config, clock.clone());

    // Tom opens a room and goes in; Ann follows. Each call tells what it made different.
    registry
        .create_room(NewRoom::new("show", "tom").name("Tom's show").attribute("mode", "talk"))?;
    tell("Tom creates the room", &registry);
    registry.join_room("show", NewUser::new("tom").name("Tom").role(Role::HOST))?;
    registry.join_room("show", NewUser::new("ann").name("Ann"))?;
    tell("Ann joins", &registry);

    // Heartbeats keep a membership up. One can carry an update; Tom's does, Ann's phone is silent.
    clock.advance(timeout);
    let points = UserUpdate::new().attribute("points", "12");
    assert_eq!(registry.heartbeat_with("show", "tom", points)?, Heartbeat::Alive);
    tell("Tom's heartbeat, exactly at the timeout, carries points", &registry);

    // A millisecond later Ann is due. Nothing happens until somebody looks: a sweep does.
    clock.advance(Duration::from_millis(1));
    assert_eq!(registry.next_expiry(), Some(clock.now()));
    assert_eq!(registry.expire().memberships, 1);
    tell("the sweep finds that Ann is gone", &registry);

    // Meanwhile the media server ran the room, too. Its callbacks come late, and the close of the
    // session comes before the create: it is held, and the late create brings nothing back.
    let (room, session) = (RoomId::new("show")?, SessionId::new("858012925204410401")?);
    let created = RoomCreated::new(clock.now() - Duration::from_secs(80));
    let closed = RoomClosed::new(clock.now() - Duration::from_secs(2));
    for callback in [
        Callback::new(room.clone(), session.clone(), closed),
        Callback::new(room, session, created),
    ] {
        let outcome = registry.apply_callback(&callback);
        println!("\n{}", outcome.explain(&callback));
    }
    assert!(registry.room("show").is_some_and(|room| room.session().is_none()));

    // Tom ends it all: the room leaves the list with everybody in it.
    registry.end_room("show")?;
    tell("Tom ends the room", &registry);
    assert_eq!(registry.room_count(), 0);
    Ok(())
}

/// Prints what the last call made different.
fn tell(what: &str, registry: &RoomRegistry<ManualClock>) {
    println!("\n{what}:");
    for change in registry.changes() {
        println!("  {} ({}): {:?}", change.room_id, change.cause, change.kind);
    }
}
