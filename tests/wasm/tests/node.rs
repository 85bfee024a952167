//! An evening in WebAssembly is the same as here: its rooms, and its snapshots to the byte.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a test, not the library: it has files, and says why it is skipped"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use room_registry::ManualClock;
use room_registry_wasm_tests::{Line, Server};

const TARGET: &str = "wasm32-unknown-unknown";
const JOURNAL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/evening.jsonl");
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/run.mjs");

#[test]
fn an_evening_in_node_shows_and_stores_what_it_does_here() {
    if let Some(missing) = missing() {
        assert!(std::env::var_os("CI").is_none(), "there is no {missing}");
        eprintln!("skipped: there is no {missing}");
        return;
    }
    let server = play_here();
    let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let snapshot = tmp.join("evening.postcard");
    std::fs::write(&snapshot, server.snapshot()).expect("the file is written");

    let module = build(tmp.parent().expect("it is in the target folder"));
    let args = [Path::new(SCRIPT), &module, Path::new(JOURNAL), &snapshot];
    let played = ran(Command::new("node").args(args));

    let rooms = String::from_utf8(server.rooms()).expect("JSON is text");
    let snapshot = serde_json::to_string(&server.snapshot()).expect("bytes serialise");
    let expected = [rooms.as_str(), &snapshot, &snapshot];
    let names = ["the rooms", "the snapshot", "the snapshot of what was restored"];
    let played = String::from_utf8(played.stdout).expect("JSON is text");
    assert_eq!(played.lines().count(), expected.len());
    for ((played, expected), name) in played.lines().zip(expected).zip(names) {
        assert!(played == expected, "{name}: in node\n{played}\nand here\n{expected}");
    }
}

/// Tells what the test needs and this machine lacks.
fn missing() -> Option<&'static str> {
    let answer = |command: &mut Command| command.output().ok().filter(|it| it.status.success());
    let libraries =
        answer(Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]));
    let libraries = libraries.and_then(|it| String::from_utf8(it.stdout).ok());
    if !libraries.is_some_and(|path| Path::new(path.trim()).exists()) {
        return Some(
            "wasm32-unknown-unknown; install it (rustup target add wasm32-unknown-unknown)",
        );
    }
    if answer(Command::new("node").arg("--version")).is_none() {
        return Some("node; install it (apt-get install nodejs)");
    }
    None
}

/// Plays the evening on this machine.
fn play_here() -> Server<ManualClock> {
    let clock = ManualClock::default();
    let mut server = Server::new(clock.clone());
    let journal = std::fs::read(JOURNAL).expect("the journal is there");
    for line in journal.trim_ascii().split(|byte| *byte == b'\n').map(Line::read) {
        clock.set(line.at);
        server.hand_in(line);
    }
    server
}

/// Compiles this package to WebAssembly. Returns where the module is.
fn build(target_dir: &Path) -> PathBuf {
    ran(Command::new(env!("CARGO"))
        .args(["build", "--locked", "--lib", "--target", TARGET, "--target-dir"])
        .arg(target_dir)
        .args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]));
    target_dir.join(TARGET).join("debug/room_registry_wasm_tests.wasm")
}

fn ran(command: &mut Command) -> Output {
    let output = command.output().expect("it runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{errors}");
    output
}
