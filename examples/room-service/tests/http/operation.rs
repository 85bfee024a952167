//! Running it: health, metrics, starting, stopping, and what is never printed.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use room_registry::Config;
use room_service::stores::Stores;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::endpoints::now_ms;
use crate::events::Listener;
use crate::support::{DEADLINE, Served, client, eventually};

#[tokio::test]
async fn metrics_count_what_happens() {
    let service = Served::start().await;
    service.says("/healthz", 0, "success").await;
    service.says("/room/create_room?RoomID=r1&HostID=tom", 0, "success").await;
    service.says("/room/create_room?RoomID=r1&HostID=tom", 1, "room already exists").await;
    service.says("/room/join_room?RoomID=r1&UserID=ann", 0, "success").await;
    assert_eq!(service.get("/no/such/path").await.0, 404);
    let callback = json!({
        "event": "room_create", "room_id": "r2", "room_session_id": 1, "room_create_time": now_ms(),
    });
    for _ in 0..2 {
        assert_eq!(service.post_json("/callback", &callback).await.0, 200);
    }
    let expected = [
        r#"room_service_rooms{store="memory"} 2"#,
        r#"room_service_users{store="memory"} 1"#,
        r#"room_service_streams{store="memory"} 0"#,
        r#"room_service_up{store="memory"} 1"#,
        r#"room_service_callbacks_total{store="memory",outcome="applied"} 1"#,
        r#"room_service_callbacks_total{store="memory",outcome="duplicate"} 1"#,
        r#"room_service_requests_total{endpoint="/room/create_room",status="200",code="0"} 1"#,
        r#"room_service_requests_total{endpoint="/room/create_room",status="200",code="1"} 1"#,
        r#"room_service_requests_total{endpoint="other",status="404",code="2"} 1"#,
        r#"room_service_request_seconds_count{endpoint="/room/join_room"} 1"#,
        r#"room_service_changes_total{store="memory",kind="user_joined",cause="command"} 1"#,
        r#"room_service_changes_total{store="memory",kind="room_listed",cause="callback"} 1"#,
        "# EOF",
    ];
    eventually("everything was counted", || async {
        let response = service.client.get(service.url("/metrics")).send().await.unwrap();
        let content_type = response.headers()["content-type"].to_str().unwrap().to_owned();
        assert!(content_type.starts_with("application/openmetrics-text"), "{content_type}");
        let text = response.text().await.unwrap();
        expected.iter().all(|line| text.lines().any(|found| found == *line))
    })
    .await;
}

#[tokio::test]
async fn changes_are_counted_on_if_a_store_lost_some() {
    let stores = Stores::in_memory(Config::default());
    let feed = Arc::clone(stores.default.feed());
    let service = Served::with(|parts| parts.stores = stores).await;
    let joined = async |count: usize| {
        let line = r#"changes_total{store="memory",kind="user_joined",cause="command"}"#;
        let text = service.client.get(service.url("/metrics")).send().await.unwrap();
        text.text().await.unwrap().contains(&format!("{line} {count}\n"))
    };
    service.says("/room/create_room?RoomID=r1&HostID=tom", 0, "success").await;
    service.says("/room/join_room?RoomID=r1&UserID=ann", 0, "success").await;
    eventually("the first is counted", || joined(1)).await;
    feed.start_anew([]);
    // Who joins before the count goes on is among those that were lost.
    let mut users = 0;
    while joined(1).await {
        users += 1;
        assert!(users < 100, "it does not count on");
        service.says(&format!("/room/join_room?RoomID=r1&UserID={users}"), 0, "success").await;
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn who_is_under_way_is_finished_and_listeners_are_let_go_when_it_stops() {
    let service = Served::with(|parts| {
        parts.limits.client_timeout = DEADLINE;
        parts.limits.request_timeout = DEADLINE;
        parts.limits.stop_timeout = DEADLINE;
    })
    .await;
    let mut listener = Listener::at(&service, "/events", None).await;
    let mut stream = TcpStream::connect(&service.address).await.unwrap();
    let head = "POST /room/create_room HTTP/1.1\r\nhost: x\r\ncontent-length: 22\r\n\
                content-type: application/x-www-form-urlencoded\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    eventually("the request arrived", || async { service.get("/healthz").await.0 == 200 }).await;
    service.tell_to_stop();
    while listener.next().await.is_some() {}
    eventually("nobody new is let in", || async {
        TcpStream::connect(&service.address).await.is_err()
    })
    .await;
    stream.write_all(b"RoomID=r1&HostID=tom&x").await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(DEADLINE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    service.stop().await.unwrap();
}

#[tokio::test]
async fn who_takes_too_long_does_not_keep_it_from_stopping() {
    let service = Served::with(|parts| {
        parts.limits.client_timeout = Duration::from_secs(1_000);
        parts.limits.request_timeout = Duration::from_secs(1_000);
        parts.limits.stop_timeout = Duration::from_millis(200);
    })
    .await;
    let mut stream = TcpStream::connect(&service.address).await.unwrap();
    let head = "POST /room/create_room HTTP/1.1\r\nhost: x\r\ncontent-length: 22\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    service.stop().await.unwrap();
}

/// The program, ended when this is dropped.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_room-service"));
    command.args(arguments).stdin(Stdio::null());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ROOM_SERVICE_")) {
        command.env_remove(name);
    }
    command
}

fn texts(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err))
}

#[tokio::test]
async fn the_program_tells_where_the_page_is_and_stops_at_a_signal() {
    for start in [&["serve"][..], &[]] {
        let arguments =
            [start, &["--store", "memory", "--log-format", "json", "--log", "debug"]].concat();
        let mut command = program(&arguments);
        command
            .env("ROOM_SERVICE_LISTEN", "127.0.0.1:0")
            .env("ROOM_SERVICE_CALLBACK_SECRET", "hush-hush");
        command
            .env("ROOM_SERVICE_SERVER_TOKEN", "hush-hush")
            .env("ROOM_SERVICE_TOKEN_KEY", "hush-hush-hush-hush");
        command
            .env("ROOM_SERVICE_ZEGO_APP_ID", "1")
            .env("ROOM_SERVICE_ZEGO_SERVER_SECRET", "hush-hush");
        command.env("ROOM_SERVICE_ZEGO_URL", "http://127.0.0.1:9/");
        let mut child =
            Program(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
        let mut out = BufReader::new(child.0.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("rooms are shown at ").expect("the address of the page");
        let list = client().get(format!("{url}room/get_room_list")).bearer_auth("hush-hush");
        assert_eq!(list.send().await.unwrap().status(), 200);
        let id = child.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(child.0.wait().unwrap().success());
        let mut log = String::new();
        child.0.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        assert!(!log.is_empty() && !log.contains("hush"), "{log}");
        for line in log.lines() {
            assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
        }
    }
}

#[test]
fn secrets_stand_neither_in_help_nor_in_errors() {
    let secrets = ["SERVER_TOKEN", "TOKEN_KEY", "CALLBACK_SECRET", "ZEGO_SERVER_SECRET", "REDIS"];
    for arguments in [
        &["--help"][..],
        &["serve", "--help"],
        &["token", "--help"],
        &["--listen", "nowhere"],
        &["--store", "memory", "--heartbeat-timeout", "0"],
        &["--token-key", "hush"],
        &["--store", "memory", "--zego-url", "ftp://x/", "--zego-app-id", "1"],
        &["--callback-secret", "hush-hush", "--callback-secret-file", "x"],
    ] {
        let mut command = program(arguments);
        for name in secrets {
            command.env(format!("ROOM_SERVICE_{name}"), "hush-hush-hush-hush");
        }
        let output = command.output().unwrap();
        let help = arguments.contains(&"--help");
        let text = texts(&output);
        assert_eq!(output.status.success(), help, "{arguments:?}: {text}");
        assert!(!text.is_empty() && !text.contains("hush"), "{arguments:?}: {text}");
    }
}

#[tokio::test]
async fn a_token_that_the_program_made_is_taken() {
    let arguments = ["token", "--room", "r1", "--user", "tom", "--role", "host"];
    let folder = std::env::temp_dir().join(format!("room-service-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("key");
    std::fs::write(&file, "a-key-of-user-tokens\n").unwrap();
    let output = program(&arguments).arg("--token-key-file").arg(&file).output().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(output.status.success(), "{}", texts(&output));
    let token = String::from_utf8(output.stdout).unwrap();
    let service = Served::with(|parts| {
        let key = room_service::settings::SecretString::from("a-key-of-user-tokens");
        let key = room_service::auth::TokenKey::new(&key).unwrap();
        parts.authoriser = Arc::new(room_service::auth::Tokens::new(None, Some(key)));
    })
    .await;
    let create = service.client.get(service.url("/room/create_room?RoomID=r1&HostID=tom"));
    let (status, answer) = crate::support::answer(create.bearer_auth(token.trim())).await;
    assert_eq!((status, &answer["code"]), (200, &json!(0)), "{answer}");

    let without_key = program(&arguments).output().unwrap();
    assert!(!without_key.status.success() && texts(&without_key).contains("token-key"));
}
