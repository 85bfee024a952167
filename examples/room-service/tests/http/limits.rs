//! Clients that send too much, too slowly, or do not read.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::support::{DEADLINE, Served, eventually};

const SHORT: Duration = Duration::from_millis(300);

async fn impatient() -> Served {
    Served::with(|parts| parts.limits.client_timeout = SHORT).await
}

/// Everything that comes until the connection ends.
async fn rest(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    // A connection that is cut off may end in an error; what came before it counts.
    _ = timeout(DEADLINE, stream.read_to_end(&mut text)).await.expect("it is cut off");
    String::from_utf8_lossy(&text).into_owned()
}

async fn metric(service: &Served, name: &str) -> f64 {
    let text = service.client.get(service.url("/metrics")).send().await.unwrap();
    let text = text.text().await.unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{text}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn bodies_have_a_limit_whether_they_tell_their_length_or_not() {
    let service = Served::start().await;
    let json = "application/json";
    let body = |len: usize| format!("{{\"RoomID\":\"r1\",\"x\":\"{}\"}}", "x".repeat(len - 22));
    let full = body(64 * 1024);
    assert_eq!(full.len(), 64 * 1024);
    assert_eq!(service.post("/room/end_room", json, &full).await.0, 200);
    for path in ["/room/end_room", "/callback"] {
        let (status, answer) = service.post(path, json, &body(64 * 1024 + 1)).await;
        assert_eq!((status, &answer["code"]), (413, &json!(2)), "{path}");
    }
    let mut stream = TcpStream::connect(&service.address).await.unwrap();
    let head = "POST /callback HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
    for _ in 0..5 {
        stream.write_all(chunk.as_bytes()).await.unwrap();
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    stream.shutdown().await.unwrap();
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 413"), "of no stated length");
    let (status, _) = service.post("/observed", json, &"x".repeat(1024 * 1024 + 1)).await;
    assert_eq!(status, 413);
    // One that goes on and on is cut off.
    let mut stream = TcpStream::connect(&service.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let endless = async { while stream.write_all(chunk.as_bytes()).await.is_ok() {} };
    timeout(DEADLINE, endless).await.expect("it is cut off");
}

#[tokio::test]
async fn heads_have_a_limit() {
    let service = Served::start().await;
    let mut stream = TcpStream::connect(&service.address).await.unwrap();
    let head = format!("GET /room/end_room?RoomID={} HTTP/1.1\r\n", "x".repeat(200_000));
    _ = stream.write_all(head.as_bytes()).await;
    let answer = rest(&mut stream).await;
    let refused = answer.starts_with("HTTP/1.1 4") || answer.is_empty();
    assert!(refused, "{answer}");
    service.says("/healthz", 0, "success").await;
}

#[tokio::test]
async fn a_client_that_sends_nothing_or_half_a_head_is_cut_off() {
    let service = impatient().await;
    for head in ["", "GET /healthz HT", "GET /healthz HTTP/1.1\r\nhost: x\r\n"] {
        let mut stream = TcpStream::connect(&service.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let answer = rest(&mut stream).await;
        assert!(!answer.contains("200 OK"), "{head}: {answer}");
    }
}

#[tokio::test]
async fn a_client_that_does_not_send_its_body_is_told_and_cut_off() {
    let service = impatient().await;
    for path in ["/room/end_room", "/callback", "/observed"] {
        let mut stream = TcpStream::connect(&service.address).await.unwrap();
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nRoomID");
        stream.write_all(head.as_bytes()).await.unwrap();
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_request_and_ends_when_none_comes() {
    let service = impatient().await;
    let mut stream = TcpStream::connect(&service.address).await.unwrap();
    for _ in 0..2 {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut answer = vec![0; 15];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, b"HTTP/1.1 200 OK");
        // The rest of the answer ends with its body.
        let mut rest = String::new();
        while !rest.ends_with('}') {
            rest.push(char::from(stream.read_u8().await.unwrap()));
        }
    }
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn a_listener_that_does_not_read_is_cut_off() {
    let service = impatient().await;
    service.says("/room/create_room?RoomID=r1&HostID=tom", 0, "success").await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut stream = socket.connect(service.address.parse().unwrap()).await.unwrap();
    stream.write_all(b"GET /events HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    eventually("he listens", || async { metric(&service, "room_service_listeners ").await > 0.0 })
        .await;
    let mut n = 0;
    loop {
        n += 1;
        let attributes: serde_json::Map<_, _> =
            (0..14).map(|key| (key.to_string(), Value::String(format!("{n:04000}")))).collect();
        let update = json!({"RoomID": "r1", "Attributes": attributes});
        assert_eq!(service.post_json("/room/update_room", &update).await.0, 200);
        if n % 50 == 0 && metric(&service, "room_service_listeners ").await < 1.0 {
            break;
        }
        assert!(n < 20_000, "he is still there after {n} changes");
    }
    drop(stream);
}

#[tokio::test]
async fn there_is_a_limit_of_connections_and_others_wait() {
    let service = Served::with(|parts| {
        parts.limits.client_timeout = DEADLINE;
        parts.limits.max_connections = 1;
    })
    .await;
    let mut first = TcpStream::connect(&service.address).await.unwrap();
    first.write_all(b"GET /healthz HTTP/1.1\r\n").await.unwrap();
    let mut second = TcpStream::connect(&service.address).await.unwrap();
    let request = b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    second.write_all(request).await.unwrap();
    assert!(timeout(SHORT, second.readable()).await.is_err(), "the first holds the only place");
    drop(first);
    assert!(rest(&mut second).await.starts_with("HTTP/1.1 200"));
}
