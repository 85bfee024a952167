//! The client in JavaScript keeps the same mirror as the library's, from the changes as JSON.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use room_registry::repair::{ObservedStream, ObservedUser};
use room_registry::{
    Clock, Config, ManualClock, Mirror, NewRoom, NewUser, Observation, RoomRegistry, StreamId,
    UserId, UserUpdate,
};
use room_registry_world::history::{Options, room_id, valid_history};
use serde_json::{Value, json};

/// Lines for the client: changes, and copies of the mirror to compare with.
#[derive(Default)]
struct Lines {
    text: String,
    copies: usize,
}

impl Lines {
    fn take(&mut self, registry: &RoomRegistry<ManualClock>) {
        for change in registry.changes() {
            self.push(&json!({ "change": change }));
        }
        let copy: Mirror = registry.rooms().collect();
        self.push(&json!({ "copy": copy }));
        self.copies += 1;
    }

    fn push(&mut self, line: &Value) {
        self.text += &line.to_string();
        self.text.push('\n');
    }
}

/// An evening of one room, with all kinds of inputs.
fn play(seed: u64, lines: &mut Lines) {
    let history = valid_history(seed, Options { callbacks: 60, ..Options::default() });
    let clock = ManualClock::at(history[0].latest_time());
    let config = Config::builder().report_after(Duration::ZERO).build().expect("it makes sense");
    let mut registry = RoomRegistry::with_clock(config, clock.clone());
    for (number, callback) in history.iter().enumerate() {
        clock.set(callback.latest_time());
        let room_id = room_id();
        let room = room_id.as_str();
        match number % 9 {
            1 => _ = registry.create_room(NewRoom::new(room, "tom").name("Tom's \"show\"")),
            2 => _ = registry.join_room(room, NewUser::new("user1").attribute("seat", "1")),
            3 => _ = registry.join_room(room, NewUser::new("__proto__")),
            4 => _ = registry.update_user(room, "user0", UserUpdate::new().name("Ann")),
            5 => _ = registry.leave_room(room, "user1"),
            6 => {
                let mut observed = Observation::new(room_id.clone(), clock.now());
                observed = observed.users([ObservedUser::new(UserId::new("eve").expect("an id"))]);
                let stream = ObservedStream::new(StreamId::new("screen").expect("an id"));
                _ = registry.apply_observation(&observed.some_streams([stream]));
            }
            7 => _ = registry.end_room(room),
            _ => {}
        }
        lines.take(&registry);
        // Some are lost, so that there are signs of it.
        if number % 5 > 0 {
            registry.apply_callback(callback);
            lines.take(&registry);
        }
        registry.expire();
        lines.take(&registry);
    }
    clock.advance(Duration::from_hours(1));
    registry.expire();
    lines.take(&registry);
}

#[test]
fn the_client_keeps_the_same_mirror() {
    let mut lines = Lines::default();
    (0..20).for_each(|seed| {
        let begun = lines.text.len();
        play(seed, &mut lines);
        let whole = &lines.text[begun..];
        assert!(whole.contains("user_joined"), "something happens");
        // The next evening begins with an empty list: this one is taken away.
        lines.text += "{\"change\":{\"room_id\":\"room\",\"kind\":\"room_unlisted\"}}\n";
    });
    for kind in ["session_closed", "user_updated", "suspicion_raised", "suspicion_withdrawn"] {
        assert!(lines.text.contains(&format!("\"kind\":\"{kind}\"")), "{kind} is played");
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/client/check.mjs");
    let node = Command::new("node")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut node) = node else {
        assert!(std::env::var_os("CI").is_none(), "there is no node");
        eprintln!("skipped: there is no node; install it (apt-get install nodejs)");
        return;
    };
    let mut input = node.stdin.take().unwrap();
    let text = lines.text;
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    writer.join().unwrap().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), lines.copies.to_string());
}
