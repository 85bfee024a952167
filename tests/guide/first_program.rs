use room_registry::vendor::zego::{Decoder, Event};
use room_registry::{Config, ManualClock, NewRoom, NewUser, RoomRegistry, Timestamp};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A server uses `RoomRegistry::new`, which runs on the system's clock. This one stands still.
    let clock = ManualClock::at(Timestamp::from_secs(1_763_596_865));
    let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());

    // The app's clients send commands.
    registry.create_room(NewRoom::new("r1", "tom").name("Tom's show"))?;
    registry.join_room("r1", NewUser::new("tom").name("Tom"))?;

    // The media server sends callbacks. It says that r2 closed, and only then that it opened.
    for body in [
        r#"{"event":"room_close","room_id":"r2","room_session_id":858012925204410401,
            "close_reason":1,"room_close_time":"1763596860000"}"#,
        r#"{"event":"room_create","room_id":"r2","room_session_id":858012925204410401,
            "room_create_time":"1763596800000","id_name":"ann"}"#,
    ] {
        if let Event::Callback(callback) = Decoder::new().decode(body.as_bytes())? {
            println!("{}", registry.apply_callback(&callback).explain(&callback));
        }
    }
    for room in registry.rooms() {
        let users: Vec<_> = room.users().map(|user| user.id().as_str()).collect();
        println!("{} is listed with the users {users:?}", room.id());
    }

    // Tom sends no heartbeats. After 90 s his membership ends, and 60 s later the empty room.
    while let Some(due_at) = registry.next_expiry().filter(|_| registry.room_count() > 0) {
        clock.set(due_at);
        registry.expire();
        for change in registry.changes() {
            println!("{}: {} ({})", change.room_id, change.kind.name(), change.cause);
        }
    }
    Ok(())
}
