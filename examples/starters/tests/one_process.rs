//! The starter `one_process`.

use crate::server::{Server, eventually, fields, login};

fn start() -> Server {
    Server::start(env!("CARGO_BIN_EXE_one_process"), &[])
}

#[test]
fn lists_what_commands_and_callbacks_made() {
    let server = start();
    server.post("/rooms", r#"{"room_id":"r1","host_id":"tom","room_name":"Tom's show"}"#);
    server.post("/rooms/r1/users", r#"{"user_id":"tom"}"#);
    assert_eq!(server.post("/rooms/r1/users/tom/heartbeat", ""), r#""alive""#);
    assert_eq!(server.post("/callbacks", &login("r1", "ann")), "applied");

    let rooms = server.get("/rooms");
    assert_eq!(rooms["rooms"][0]["name"], "Tom's show");
    assert_eq!(rooms["rooms"][0]["user_count"], 2);
    let users = server.get("/rooms/r1/users");
    let mut ids = fields(&users["users"], "user_id");
    ids.sort();
    assert_eq!(ids, ["ann", "tom"]);

    assert_eq!(server.ask("DELETE", "/rooms/r1/users/tom", "").0, 200);
    assert_eq!(server.post("/rooms/r1/users/tom/heartbeat", ""), r#""left""#);
    assert_eq!(server.ask("DELETE", "/rooms/r1", "").0, 200);
    assert!(fields(&server.get("/rooms")["rooms"], "room_id").is_empty());
}

#[test]
fn walks_the_list_page_by_page() {
    let server = start();
    for room in 0..25 {
        server.post("/rooms", &format!(r#"{{"room_id":"r{room:02}","host_id":"tom"}}"#));
    }
    let first = server.get("/rooms");
    let after = first["next"].as_str().unwrap();
    let second = server.get(&format!("/rooms?after={after}"));
    assert!(second["next"].is_null());
    let mut ids = fields(&first["rooms"], "room_id");
    assert_eq!(ids.len(), 20);
    ids.extend(fields(&second["rooms"], "room_id"));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 25);

    for user in 0..25 {
        server.post("/rooms/r00/users", &format!(r#"{{"user_id":"u{user:02}"}}"#));
    }
    let first = server.get("/rooms/r00/users");
    let after = first["next"].as_str().unwrap();
    let second = server.get(&format!("/rooms/r00/users?after={after}"));
    assert_eq!(fields(&second["users"], "user_id").len(), 5);
}

#[test]
fn ends_what_is_due() {
    let server = start();
    let room = r#"{"room_id":"r1","host_id":"tom","first_join_grace_ms":1}"#;
    server.post("/rooms", room);
    eventually(|| server.get("/rooms")["rooms"].as_array().unwrap().is_empty());
}

#[test]
fn refuses_bad_input() {
    let server = start();
    server.post("/rooms", r#"{"room_id":"r1","host_id":"tom"}"#);
    server.refuses(
        "POST",
        "/rooms",
        r#"{"room_id":"r1","host_id":"tom"}"#,
        409,
        "room_already_exists",
    );
    server.refuses("POST", "/rooms", r#"{"room_id":"","host_id":"tom"}"#, 400, "invalid_id");
    server.refuses("DELETE", "/rooms/r2", "", 404, "room_not_found");
    server.refuses("GET", "/rooms/r2/users", "", 404, "room_not_found");
    server.refuses("POST", "/rooms/r1/users/ann/heartbeat", "", 404, "user_not_in_room");
    server.refuses("DELETE", "/rooms/r1/users/%0A", "", 404, "user_not_in_room");
    for (method, path, body, status) in [
        ("POST", "/rooms", "{", 400),
        ("POST", "/rooms", r#"{"room_id":"r2"}"#, 422),
        ("POST", "/callbacks", "junk", 400),
        ("POST", "/callbacks", r#"{"event":"room_close","room_id":"r1"}"#, 400),
        ("GET", "/rooms?after=junk", "", 400),
        ("GET", "/rooms?after=users~12~2~r1", "", 400),
        ("POST", "/callbacks", &" ".repeat(65 * 1024), 413),
    ] {
        let answer = server.ask(method, path, body);
        assert_eq!(answer.0, status, "{method} {path}: {}", answer.1);
    }
    assert_eq!(server.get("/rooms")["rooms"].as_array().unwrap().len(), 1);
}
