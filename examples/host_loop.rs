//! How a program of your own drives a registry. It waits for the next input or the next expiry, whichever
//! comes first. It acts, and passes on what changed. `cargo run --example host_loop`
//!
//! One thread owns the registry, so there is no lock, and inputs reach it through a channel. An
//! async program has the same loop with its own channel and timer.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a program, not the library: it may start threads, wait and print"
)]

use std::error::Error;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use room_registry::event::RoomCreated;
use room_registry::{
    Callback, ChangeKind, Clock, Config, Lifecycle, NewRoom, NewUser, RoomId, RoomRegistry,
    SessionId, SystemClock,
};

type Failure = Box<dyn Error + Send + Sync>;

/// What reaches the loop. A web server sends these from its request handlers.
enum Input {
    Create(NewRoom),
    Join { room_id: &'static str, user: NewUser },
    Heartbeat { room_id: &'static str, user_id: &'static str },
    Callback(Box<Callback>),
}

fn main() -> Result<(), Failure> {
    // Far shorter than anybody wants, so that the example is over in a second.
    let config = Config::builder()
        .heartbeat_timeout(Duration::from_millis(300))
        .empty_grace(Duration::from_millis(200))
        .build()?;
    let mut registry = RoomRegistry::new(config);

    // The media server tells of the room before the app does: that happens, and does no harm.
    let opened = RoomCreated::new(SystemClock.now());
    let opened = Callback::new(RoomId::new("r1")?, SessionId::new("858012925204410401")?, opened);
    let (sender, inputs) = channel();
    let clients = thread::spawn(move || play_clients(&sender, opened));
    run(&mut registry, &inputs);
    clients.join().map_err(|_| "the clients' thread panicked")??;
    Ok(())
}

/// The loop. It ends with the last sender, when no membership can time out any more.
fn run(registry: &mut RoomRegistry, inputs: &Receiver<Input>) {
    loop {
        // `next_expiry` is a time of the wall clock, which may be set, and machines sleep: so look
        // again now and then. Early, late and repeated calls of `expire` are harmless.
        let due_in = registry.next_expiry().map(|at| at.since(SystemClock.now()));
        let patience = due_in.unwrap_or(Duration::MAX).min(Duration::from_secs(1));
        match inputs.recv_timeout(patience) {
            Ok(input) => println!("{}", act(registry, input)),
            Err(RecvTimeoutError::Timeout) => println!("due: {:?}", registry.expire()),
            Err(RecvTimeoutError::Disconnected) if registry.user_count() == 0 => return,
            Err(RecvTimeoutError::Disconnected) => {
                thread::sleep(patience);
                println!("due: {:?}", registry.expire());
            }
        }
        // Here a server tells its other clients, its caches and its subscribers.
        for change in registry.changes() {
            let (room_id, cause) = (&change.room_id, change.cause);
            match &change.kind {
                ChangeKind::RoomListed { .. } => println!("    {room_id} is listed ({cause})"),
                ChangeKind::RoomUpdated { .. } => println!("    {room_id} is described ({cause})"),
                ChangeKind::RoomUnlisted => println!("    {room_id} is listed no more ({cause})"),
                ChangeKind::UserJoined(user) => println!("    {} came ({cause})", user.user_id),
                ChangeKind::UserLeft { user_id, .. } => println!("    {user_id} went ({cause})"),
                ChangeKind::SessionOpened(_) => println!("    {room_id} is live ({cause})"),
                ChangeKind::SessionClosed { .. } => println!("    {room_id} is off air ({cause})"),
                other => println!("    {other:?} ({cause})"),
            }
        }
    }
}

/// Hands an input on. A refused command changed nothing: its client is told, and the loop goes on.
fn act(registry: &mut RoomRegistry, input: Input) -> String {
    let answer = match input {
        Input::Create(room) => registry.create_room(room).map(|()| "created".to_owned()),
        Input::Join { room_id, user } => {
            registry.join_room(room_id, user).map(|()| "joined".to_owned())
        }
        Input::Heartbeat { room_id, user_id } => {
            registry.heartbeat(room_id, user_id).map(|answer| format!("heartbeat: {answer:?}"))
        }
        Input::Callback(callback) => {
            Ok(registry.apply_callback(&callback).explain(&callback).to_string())
        }
    };
    answer.unwrap_or_else(|error| format!("refused: {error}"))
}

/// Tom creates a room and joins it, is there for half a second, and is never heard of again.
fn play_clients(sender: &Sender<Input>, opened: Callback) -> Result<(), Failure> {
    sender.send(Input::Callback(Box::new(opened)))?;
    let room = NewRoom::new("r1", "tom").name("Tom's show").lifecycle(Lifecycle::UntilEmpty);
    sender.send(Input::Create(room.clone()))?;
    sender.send(Input::Create(room))?; // an impatient finger: refused
    sender.send(Input::Join { room_id: "r1", user: NewUser::new("tom").name("Tom") })?;
    for _ in 0..3 {
        thread::sleep(Duration::from_millis(150));
        sender.send(Input::Heartbeat { room_id: "r1", user_id: "tom" })?;
    }
    thread::sleep(Duration::from_millis(700)); // the membership times out, then the empty room ends
    sender.send(Input::Heartbeat { room_id: "r1", user_id: "tom" })?;
    Ok(())
}
