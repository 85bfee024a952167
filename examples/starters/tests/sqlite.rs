//! The starter `sqlite`.

use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

use crate::server::{Server, eventually, fields, login};

fn start(folder: &TempDir) -> Server {
    let file = folder.path().join("rooms.sqlite");
    Server::start(env!("CARGO_BIN_EXE_sqlite"), &[file.to_str().unwrap()])
}

fn database(folder: &TempDir) -> Connection {
    Connection::open(folder.path().join("rooms.sqlite")).unwrap()
}

fn create(room: &str, more: &str) -> String {
    format!(r#"{{"create_room":{{"room_id":"{room}","host_id":"tom"{more}}}}}"#)
}

fn join(room: &str, user: &str) -> String {
    format!(r#"{{"join_room":{{"room_id":"{room}","user_id":"{user}"}}}}"#)
}

fn heartbeat(room: &str, user: &str) -> String {
    format!(r#"{{"heartbeat":{{"room_id":"{room}","user_id":"{user}"}}}}"#)
}

#[test]
fn goes_on_after_a_restart() {
    let folder = TempDir::new().unwrap();
    let server = start(&folder);
    server.post("/commands", &create("r1", r#","room_name":"Tom's show""#));
    server.post("/commands", &join("r1", "tom"));
    assert_eq!(server.post("/callbacks", &login("r1", "ann")), r#"{"outcome":"applied"}"#);
    assert_eq!(server.post("/commands", &heartbeat("r1", "tom")), r#"{"heartbeat":"alive"}"#);
    let (rooms, users) = (server.get("/rooms"), server.get("/rooms/r1/users"));
    assert_eq!(rooms["rooms"][0]["user_count"], 2);
    drop(server); // killed, as by a power cut

    let server = start(&folder);
    assert_eq!(server.get("/rooms"), rooms);
    assert_eq!(
        fields(&server.get("/rooms/r1/users")["users"], "user_id"),
        fields(&users["users"], "user_id")
    );
    assert_eq!(server.post("/commands", &heartbeat("r1", "tom")), r#"{"heartbeat":"alive"}"#);
    server.post("/commands", r#"{"end_room":{"room_id":"r1"}}"#);
    assert!(server.get("/rooms")["rooms"].as_array().unwrap().is_empty());
}

/// Two processes on one file, and two threads on each of them.
#[test]
fn loses_nothing_if_many_write_to_one_room() {
    let folder = TempDir::new().unwrap();
    let servers = [start(&folder), start(&folder)];
    servers[0].post("/commands", &create("r1", ""));
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let server = &servers[writer % 2];
            scope.spawn(move || {
                for user in 0..10 {
                    server.post("/commands", &join("r1", &format!("u{writer}-{user}")));
                }
            });
        }
    });
    assert_eq!(servers[1].get("/rooms")["rooms"][0]["user_count"], 40);
}

/// Nobody's heartbeats could arrive meanwhile, so nobody times out for that.
#[test]
fn gives_a_grace_after_a_restart() {
    let folder = TempDir::new().unwrap();
    let server = start(&folder);
    server.post("/commands", &create("r1", ""));
    server.post("/commands", &join("r1", "ann"));
    drop(server);
    set_room_back(&database(&folder));
    let server = start(&folder);
    assert_eq!(server.post("/commands", &heartbeat("r1", "ann")), r#"{"heartbeat":"alive"}"#);
}

/// A heartbeat of one who is there rewrites no room, and counts all the same.
#[test]
fn keeps_heartbeats_beside_the_rooms() {
    let folder = TempDir::new().unwrap();
    let server = start(&folder);
    server.post("/commands", &create("r1", ""));
    server.post("/commands", &join("r1", "ann"));
    server.post("/commands", &join("r1", "bob"));
    let database = database(&folder);
    let stored = || -> (String, i64) {
        let query = "SELECT room, (SELECT count(*) FROM heartbeats) FROM rooms";
        database.query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    };
    let before = stored().0;
    assert_eq!(server.post("/commands", &heartbeat("r1", "ann")), r#"{"heartbeat":"alive"}"#);
    assert_eq!(stored(), (before, 1));

    // The timeout has passed for all whom nothing beside the room keeps.
    set_room_back(&database);
    eventually(|| fields(&server.get("/rooms/r1/users")["users"], "user_id") == ["ann"]);
    assert_eq!(stored().1, 0, "the room has taken them over");
    assert_eq!(server.post("/commands", &heartbeat("r1", "bob")), r#"{"heartbeat":"timed_out"}"#);
}

/// Two minutes pass for the one room that is stored.
fn set_room_back(database: &Connection) {
    let room: String = database.query_row("SELECT room FROM rooms", [], |row| row.get(0)).unwrap();
    let mut room = serde_json::from_str(&room).unwrap();
    set_back(&mut room, 120_000);
    database.execute("UPDATE rooms SET room = ?1, due_at = 0", [room.to_string()]).unwrap();
}

/// Sets each time in it back by so many milliseconds.
fn set_back(value: &mut Value, millis: u64) {
    match value {
        Value::Number(number) => match number.as_u64() {
            Some(time) if time > 1_000_000_000_000 => *value = (time - millis).into(),
            _ => {}
        },
        Value::Array(values) => values.iter_mut().for_each(|value| set_back(value, millis)),
        Value::Object(values) => values.values_mut().for_each(|value| set_back(value, millis)),
        _ => {}
    }
}

#[test]
fn ends_what_is_due_and_touches_nothing_else() {
    let folder = TempDir::new().unwrap();
    let server = start(&folder);
    let later = r#","first_join_grace_ms":600000"#;
    server.post("/commands", &create("later", later));
    // A save would put something else here.
    database(&folder).execute("UPDATE rooms SET began_at = 7", []).unwrap();
    server.post("/commands", &create("broken", ""));
    let broken = "UPDATE rooms SET room = 'junk', due_at = 0 WHERE room_id = 'broken'";
    database(&folder).execute(broken, []).unwrap();
    let soon = r#","first_join_grace_ms":1"#;
    server.post("/commands", &create("soon", soon));
    eventually(|| fields(&server.get("/rooms")["rooms"], "room_id") == ["broken", "later"]);
    let query = "SELECT began_at FROM rooms WHERE room_id = 'later'";
    let began_at: i64 = database(&folder).query_row(query, [], |row| row.get(0)).unwrap();
    assert_eq!(began_at, 7, "it was not due, and yet it was saved again");
    assert_eq!(server.ask("GET", "/rooms/broken/users", "").0, 500);
    for (constant, index) in [("DUE", "due"), ("LISTED", "listed")] {
        assert!(plan(&folder, constant).contains(&format!("USING INDEX {index} ")), "{constant}");
    }
}

/// Returns how SQLite carries out a query of the starter.
fn plan(folder: &TempDir, constant: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("sqlite/main.rs");
    let source = std::fs::read_to_string(path).unwrap();
    let query = source.split_once(&format!("const {constant}: &str = \"")).unwrap().1;
    let query =
        query.split_once('"').unwrap().0.replace("?1", "1").replace("?2", "2").replace("?3", "3");
    let explain = format!("EXPLAIN QUERY PLAN {query}");
    database(folder).query_row(&explain, [], |row| row.get("detail")).unwrap()
}

#[test]
fn walks_the_list_page_by_page() {
    let folder = TempDir::new().unwrap();
    let server = start(&folder);
    for room in 0..25 {
        server.post("/commands", &create(&format!("r{room:02}"), ""));
    }
    let first = server.get("/rooms");
    let after = first["next"].as_str().unwrap();
    let second = server.get(&format!("/rooms?after={after}"));
    assert!(second["next"].is_null());
    let mut ids = fields(&first["rooms"], "room_id");
    ids.extend(fields(&second["rooms"], "room_id"));
    let newest_first: Vec<_> = (0..25).rev().map(|room| format!("r{room:02}")).collect();
    assert_eq!(ids, newest_first);
}

#[test]
fn refuses_bad_input() {
    let folder = TempDir::new().unwrap();
    let server = start(&folder);
    server.post("/commands", &create("r1", &format!(r#","ends_at":{}"#, u64::MAX - 2)));
    server.refuses("POST", "/commands", &create("r1", ""), 409, "room_already_exists");
    server.refuses("POST", "/commands", &create("", ""), 400, "invalid_id");
    server.refuses("POST", "/commands", &join("r2", "ann"), 404, "room_not_found");
    server.refuses("GET", "/rooms/r2/users", "", 404, "room_not_found");
    server.refuses("POST", "/commands", &heartbeat("r1", "ann"), 404, "user_not_in_room");
    for (method, path, body, status) in [
        ("POST", "/commands", "{", 400),
        ("POST", "/commands", r#"{"burn_room":{"room_id":"r1"}}"#, 422),
        ("POST", "/commands", r#""grant_grace""#, 400),
        ("POST", "/callbacks", "junk", 400),
        ("GET", "/rooms?after=junk", "", 400),
        ("GET", "/rooms?after=users~12~2~r1", "", 400),
        ("POST", "/callbacks", &" ".repeat(65 * 1024), 413),
    ] {
        let answer = server.ask(method, path, body);
        assert_eq!(answer.0, status, "{method} {path}: {}", answer.1);
    }
    assert_eq!(fields(&server.get("/rooms")["rooms"], "room_id"), ["r1"]);
    let rows: i64 =
        database(&folder).query_row("SELECT count(*) FROM rooms", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1, "a refused command stores nothing");
}
