//! The life of one room, from top to bottom: commands, heartbeats, expiry, and callbacks that
//! arrive in the wrong order. `cargo run --example lifecycle`
#![allow(clippy::disallowed_macros, reason = "a program, not the library: it may print")]

use std::error::Error;
use std::time::Duration;

use room_registry::event::{RoomClosed, RoomCreated};
use room_registry::{
    Callback, ChangeKind, Clock, Config, Heartbeat, ManualClock, NewRoom, NewUser, RoomId,
    RoomRegistry, SessionId, Timestamp,
};

fn main() -> Result<(), Box<dyn Error>> {
    // A clock that we move by hand, so that nothing here waits. A server uses `RoomRegistry::new`,
    // which runs on the system's clock.
    let clock = ManualClock::at(Timestamp::from_secs(1_763_665_200));
    let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());

    // Commands come from the app's own clients. Each call tells what it made different.
    registry.create_room(NewRoom::new("r1", "tom").name("Tom's show"))?;
    print_changes("Tom creates a room", &registry);
    registry.join_room("r1", NewUser::new("tom").name("Tom"))?;
    print_changes("Tom joins", &registry);
    registry.join_room("r1", NewUser::new("ann").name("Ann"))?;
    print_changes("Ann joins", &registry);

    // Members say now and then that they are there: at least every 90 s, exactly 90 s being in time.
    clock.advance(Duration::from_secs(60));
    assert_eq!(registry.heartbeat("r1", "tom")?, Heartbeat::Alive);

    // Ann is silent. `next_expiry` says when to look again, and `expire` does what is due then.
    let due_at = registry.next_expiry().ok_or("two memberships can time out")?;
    clock.set(due_at);
    registry.expire();
    print_changes("Ann was silent for more than 90 s", &registry);

    // The media server tells of the same room, and its callbacks arrive in any order. Here the
    // closing of a life of the room comes before its opening: neither shows anything.
    let room_id = RoomId::new("r1")?;
    let first = SessionId::new("858012925204410401")?;
    let opened_at = clock.now();
    clock.advance(Duration::from_secs(20));
    let closed = RoomClosed::new(opened_at + Duration::from_secs(10));
    let closed = Callback::new(room_id.clone(), first.clone(), closed);
    let outcome = registry.apply_callback(&closed);
    print_changes(outcome.explain(&closed), &registry);
    let opened = Callback::new(room_id.clone(), first, RoomCreated::new(opened_at));
    let outcome = registry.apply_callback(&opened);
    print_changes(outcome.explain(&opened), &registry);

    // The next life of the room is seen at once.
    let second = SessionId::new("858012925204999999")?;
    let opened = Callback::new(room_id, second, RoomCreated::new(clock.now()));
    let outcome = registry.apply_callback(&opened);
    print_changes(outcome.explain(&opened), &registry);

    // Ending the room hides what is known of it: late repeats do not bring it back.
    registry.end_room("r1")?;
    print_changes("Tom ends the room", &registry);
    let outcome = registry.apply_callback(&opened);
    print_changes(outcome.explain(&opened), &registry);
    assert!(registry.room("r1").is_none());
    Ok(())
}

fn print_changes(what: impl std::fmt::Display, registry: &RoomRegistry<ManualClock>) {
    println!("{what}");
    for change in registry.changes() {
        let (room_id, cause) = (&change.room_id, change.cause);
        match &change.kind {
            ChangeKind::RoomListed { .. } => println!("    {room_id} is listed ({cause})"),
            ChangeKind::RoomUnlisted => println!("    {room_id} is listed no more ({cause})"),
            ChangeKind::UserJoined(user) => println!("    {} came ({cause})", user.user_id),
            ChangeKind::UserLeft { user_id, .. } => println!("    {user_id} went ({cause})"),
            ChangeKind::SessionOpened(_) => println!("    {room_id} is live ({cause})"),
            ChangeKind::SessionClosed { .. } => println!("    {room_id} is off air ({cause})"),
            other => println!("    {other:?} ({cause})"),
        }
    }
}
