//! A host around the registry: one thread owns it, waits until the next input or the next expiry,
//! whichever comes first, and acts.
//!
//! Run it with `cargo run --example host_loop`; it ends by itself within two seconds.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a program, not the library"
)]

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use room_registry::{
    Clock, Command, Config, ConfigError, Lifecycle, RoomRegistry, SystemClock, Timestamp,
};

/// How much of a backlog is worked off before inputs get their turn again.
const STEPS: usize = 1_000;

fn main() -> Result<(), ConfigError> {
    // Short times, so that there is something to see.
    let config = Config::builder()
        .heartbeat_timeout(Duration::from_millis(400))
        .empty_grace(Duration::from_millis(300))
        .auto_create_rooms(Some(Lifecycle::UntilEmpty))
        .build()?;
    let mut registry = RoomRegistry::new(config);

    // Inputs come from elsewhere: an HTTP server, a queue. Here, from a thread that plays clients.
    let (sender, inputs) = mpsc::channel::<Command>();
    let clients = thread::spawn(move || play_clients(&sender));

    let started_at = SystemClock.now();
    loop {
        // Wait for the next input, but no longer than until something is due.
        let input = match registry.next_expiry().filter(|_| registry.room_count() > 0) {
            Some(due_at) => inputs.recv_timeout(due_at.since(SystemClock.now())),
            None => inputs.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match input {
            Ok(command) => {
                println!("{} {command:?}", stamp(started_at));
                if let Err(error) = registry.apply_command(command) {
                    println!("{} refused: {error}", stamp(started_at));
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                registry.expire_at_most(STEPS);
            }
            // Nobody sends any more: sleep until the next expiry, and stop when no room is left.
            Err(RecvTimeoutError::Disconnected) if registry.room_count() == 0 => break,
            Err(RecvTimeoutError::Disconnected) => {
                let due_at = registry.next_expiry().unwrap_or(Timestamp::MIN);
                thread::sleep(due_at.since(SystemClock.now()));
                registry.expire_at_most(STEPS);
            }
        }
        // Whatever the last call made different goes to those who watch.
        for change in registry.changes() {
            println!(
                "{}   {} ({}): {:?}",
                stamp(started_at),
                change.room_id,
                change.cause,
                change.kind
            );
        }
    }
    clients.join().expect("the clients only send");
    println!("{} no room is left", stamp(started_at));
    Ok(())
}

/// Ann and Bob join a room; Ann sends heartbeats for a while, Bob does not.
fn play_clients(inputs: &mpsc::Sender<Command>) {
    let command = |json: &str| serde_json::from_str(json).expect("a command");
    let script = [
        r#"{"join_room": {"room_id": "voice", "user_id": "ann", "user_name": "Ann"}}"#,
        r#"{"join_room": {"room_id": "voice", "user_id": "bob", "user_name": "Bob"}}"#,
        r#"{"heartbeat": {"room_id": "voice", "user_id": "ann"}}"#,
        r#"{"heartbeat": {"room_id": "voice", "user_id": "ann"}}"#,
        r#"{"heartbeat": {"room_id": "voice", "user_id": "ann"}}"#,
    ];
    for line in script {
        if inputs.send(command(line)).is_err() {
            return;
        }
        thread::sleep(Duration::from_millis(150));
    }
}

/// How long the program has run.
fn stamp(started_at: Timestamp) -> String {
    format!("{:>5} ms", SystemClock.now().since(started_at).as_millis())
}
