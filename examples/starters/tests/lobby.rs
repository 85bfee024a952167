//! The starter `lobby`.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::server::{Server, fields, login};

fn start() -> Server {
    Server::start(env!("CARGO_BIN_EXE_lobby"), &[])
}

fn create(room: &str, more: &str) -> String {
    format!(r#"{{"create_room":{{"room_id":"{room}","host_id":"tom"{more}}}}}"#)
}

/// What a page hears.
struct Events(BufReader<TcpStream>);

impl Events {
    fn of(server: &Server) -> Self {
        Self(BufReader::new(server.send("GET", "/events", "")))
    }

    /// Returns the next event and its data; `None` at the end of the stream.
    fn next(&mut self) -> Option<(String, Value)> {
        let name = self.line("event: ")?;
        let data = self.line("data: ")?;
        Some((name, serde_json::from_str(&data).unwrap()))
    }

    /// Returns what stands behind a prefix, in the next line that has it.
    fn line(&mut self, prefix: &str) -> Option<String> {
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            if let Some(rest) = line.strip_prefix(prefix) {
                return Some(rest.trim_end().to_owned());
            }
        }
    }

    /// The next event as `page.mjs` reads it.
    fn event(&mut self) -> Value {
        let (name, data) = self.next().unwrap();
        json!({ "name": name, "data": data })
    }

    fn changed(&mut self) -> Value {
        let (name, mut lines) = self.next().unwrap();
        assert_eq!(name, "changed");
        assert_eq!(lines.as_array().unwrap().len(), 1, "{lines}");
        lines[0].take()
    }

    fn rooms(&mut self) -> Value {
        let (name, rooms) = self.next().unwrap();
        assert_eq!(name, "rooms");
        rooms
    }
}

#[test]
fn a_page_hears_of_each_change() {
    let server = start();
    let mut events = Events::of(&server);
    assert!(events.rooms().as_array().unwrap().is_empty());
    server.post("/commands", &create("r1", r#","room_name":"<b>Tom's show</b>""#));
    let line = events.changed();
    assert_eq!(line["kind"], "room_summary");
    assert_eq!(line["value"]["name"], "<b>Tom's show</b>");
    server.post("/callbacks", &login("r1", "ann"));
    assert_eq!(events.changed()["value"]["user_count"], 1);
    server.post("/commands", r#"{"end_room":{"room_id":"r1"}}"#);
    let line = events.changed();
    assert_eq!((&line["kind"], &line["value"]["room_id"]), (&"room_unlisted".into(), &"r1".into()));
}

#[test]
fn a_page_that_was_cut_off_misses_nothing() {
    let server = start();
    server.post("/commands", &create("before", ""));
    let mut events = Events::of(&server);
    assert_eq!(fields(&events.rooms(), "room_id"), ["before"]);
    drop(events);

    server.post("/commands", &create("meanwhile", ""));
    server.post("/commands", r#"{"end_room":{"room_id":"before"}}"#);
    let mut events = Events::of(&server);
    assert_eq!(fields(&events.rooms(), "room_id"), ["meanwhile"]);
    server.post("/commands", &create("after", ""));
    assert_eq!(events.changed()["value"]["room_id"], "after");
}

/// Each page applies what it hears to what it began with, while four clients change one room.
#[test]
fn pages_hear_changes_in_their_order() {
    let server = start();
    server.post("/commands", &create("r1", ""));
    let mut pages: Vec<_> = (0..3).map(|_| Events::of(&server)).collect();
    for page in &mut pages {
        assert_eq!(page.rooms()[0]["user_count"], 0);
    }
    std::thread::scope(|scope| {
        for client in 0..4 {
            let server = &server;
            scope.spawn(move || {
                for user in 0..20 {
                    let join = format!(
                        r#"{{"join_room":{{"room_id":"r1","user_id":"u{client}-{user}"}}}}"#
                    );
                    server.post("/commands", &join);
                }
            });
        }
    });
    for page in &mut pages {
        for users in 1..=80 {
            assert_eq!(page.changed()["value"]["user_count"], users);
        }
    }
}

/// It sends more than sockets and queues hold to a page that does not read.
#[test]
fn a_page_that_is_too_far_behind_is_cut_off() {
    let server = start();
    server.post("/commands", &create("r1", ""));
    let mut slow = Events::of(&server);
    slow.rooms();
    let long = "x".repeat(4_000);
    for change in 0..800 {
        let attributes: Vec<_> =
            (0..8).map(|key| format!(r#""{key}":"{change} {long}""#)).collect();
        let attributes = attributes.join(",");
        server.post(
            "/commands",
            &format!(r#"{{"update_room":{{"room_id":"r1","attributes":{{{attributes}}}}}}}"#),
        );
    }
    let heard = std::iter::from_fn(|| slow.next()).count();
    assert!(heard < 800, "{heard} changes waited for it");
    Events::of(&server).rooms();
}

#[test]
fn ends_what_is_due() {
    let server = start();
    let mut events = Events::of(&server);
    events.rooms();
    let room = create("r1", r#","first_join_grace_ms":1"#);
    server.post("/commands", &room);
    assert_eq!(events.changed()["kind"], "room_summary");
    assert_eq!(events.changed()["kind"], "room_unlisted");
}

#[test]
fn refuses_bad_input() {
    let server = start();
    server.post("/commands", &create("r1", ""));
    server.refuses("POST", "/commands", &create("r1", ""), 409, "room_already_exists");
    server.refuses("POST", "/commands", &create("", ""), 400, "invalid_id");
    server.refuses("POST", "/commands", r#"{"end_room":{"room_id":"r2"}}"#, 404, "room_not_found");
    for (path, body, status) in [
        ("/commands", "{", 400),
        ("/commands", r#"{"burn_room":{"room_id":"r1"}}"#, 422),
        ("/commands", r#""grant_grace""#, 400),
        ("/callbacks", "junk", 400),
        ("/callbacks", &" ".repeat(65 * 1024), 413),
    ] {
        let answer = server.ask("POST", path, body);
        assert_eq!(answer.0, status, "{path}: {}", answer.1);
    }
}

/// Names come from strangers, so the page must never read them as markup.
#[test]
fn the_page_shows_text_alone() {
    let (status, page) = start().ask("GET", "/", "");
    assert_eq!(status, 200);
    assert!(page.contains("textContent"), "{page}");
    for markup in
        ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "parseFromString"]
    {
        assert!(!page.contains(markup), "{markup}");
    }
}

/// Lets node run the script of the page, with these events. Returns what it shows after each; `None` without
/// node.
fn shown(events: &[Value]) -> Option<Vec<Value>> {
    let harness = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/page.mjs");
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/lobby/page.html");
    let mut node = Command::new("node");
    node.args([harness, page]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut node) = node.spawn() else {
        assert!(std::env::var_os("CI").is_none(), "there is no node");
        eprintln!("skipped: there is no node; install it (apt-get install nodejs)");
        return None;
    };
    let mut input = node.stdin.take().unwrap();
    for event in events {
        writeln!(input, "{event}").unwrap();
    }
    drop(input);
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    Some(lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[test]
fn the_page_shows_what_it_hears_and_connects_again() {
    let server = start();
    server.post("/commands", &create("r1", r#","room_name":"<b>Tom's show</b>""#));
    let mut stream = Events::of(&server);
    let mut heard = vec![stream.event()];
    server.post("/callbacks", &login("r1", "ann"));
    heard.push(stream.event());
    std::thread::sleep(std::time::Duration::from_millis(2)); // the next room is a newer one
    server.post("/commands", &create("r2", ""));
    heard.push(stream.event());
    server.post("/commands", r#"{"end_room":{"room_id":"r1"}}"#);
    heard.push(stream.event());
    heard.push(json!({ "name": "error" }));
    heard.push(json!({ "name": "error", "closed": true }));
    heard.push(Events::of(&server).event());

    let Some(shown) = shown(&heard) else { return };
    let [tom, with_ann] = [0, 1].map(|users| json!(["<b>Tom's show</b>", "tom", users, 0]));
    let newer = json!(["r2", "tom", 0, 0]);
    let (once, twice) = (json!(["events"]), json!(["events", "events"]));
    let expected = [
        json!({ "rows": [tom], "state": "1 live", "urls": once }),
        json!({ "rows": [with_ann], "state": "1 live", "urls": once }),
        json!({ "rows": [newer, with_ann], "state": "2 live", "urls": once }),
        json!({ "rows": [newer], "state": "1 live", "urls": once }),
        json!({ "rows": [newer], "state": "connecting …", "urls": once }),
        json!({ "rows": [newer], "state": "connecting …", "urls": twice }),
        json!({ "rows": [newer], "state": "1 live", "urls": twice }),
    ];
    assert_eq!(shown, expected);
}
