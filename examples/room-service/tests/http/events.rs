//! Events: live, resumed, and after something was missed.

use std::collections::VecDeque;

use reqwest::Response;
use serde_json::Value;
use tokio::time::timeout;

use crate::support::{DEADLINE, Served};

/// One event as it was sent.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) id: Option<String>,
    pub(crate) event: Option<String>,
    pub(crate) data: Option<String>,
}

/// A listener.
pub(crate) struct Listener {
    response: Response,
    text: String,
    sent: VecDeque<Sent>,
}

impl Listener {
    pub(crate) async fn at(service: &Served, path: &str, last: Option<&str>) -> Self {
        let mut request = service.client.get(service.url(path));
        if let Some(id) = last {
            request = request.header("Last-Event-ID", id);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new(), sent: VecDeque::new() }
    }

    /// The next event; none when the service ended the connection.
    pub(crate) async fn next(&mut self) -> Option<Sent> {
        while self.sent.is_empty() {
            let chunk = timeout(DEADLINE, self.response.chunk()).await.expect("an event in time");
            let chunk = chunk.ok().flatten()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let mut sent = Sent::default();
                for line in event.lines() {
                    match line.split_once(':').expect("a field") {
                        ("id", text) => sent.id = Some(text.trim().to_owned()),
                        ("event", text) => sent.event = Some(text.trim().to_owned()),
                        ("data", text) => sent.data = Some(text.trim().to_owned()),
                        (field, _) => assert_eq!(field, "", "an unknown field"),
                    }
                }
                if sent != Sent::default() {
                    self.sent.push_back(sent);
                }
                let rest = rest.to_owned();
                self.text = rest;
            }
        }
        self.sent.pop_front()
    }

    /// The next change.
    pub(crate) async fn change(&mut self) -> (String, Value) {
        loop {
            let sent = self.next().await.expect("an event");
            if sent.event.as_deref() == Some("change") {
                let change = serde_json::from_str(&sent.data.unwrap()).unwrap();
                return (sent.id.unwrap(), change);
            }
            assert_eq!((sent.event, sent.data), (None, None), "only its place came before");
        }
    }
}

#[tokio::test]
async fn a_listener_gets_changes_as_they_happen() {
    let service = Served::start().await;
    let mut listener = Listener::at(&service, "/events", None).await;
    service.says("/room/create_room?RoomID=r1&HostID=tom", 0, "success").await;
    service.says("/room/join_room?RoomID=r1&UserID=ann&UserName=Ann", 0, "success").await;
    service.says("/room/end_room?RoomID=r1", 0, "success").await;
    let (_, listed) = listener.change().await;
    assert_eq!((&listed["room_id"], &listed["cause"]), (&"r1".into(), &"command".into()));
    assert_eq!(listed["value"]["info"]["host_id"], "tom");
    let (_, joined) = listener.change().await;
    assert_eq!(joined["value"]["user_id"], "ann");
    loop {
        let (_, change) = listener.change().await;
        if change["kind"] == "room_unlisted" {
            break;
        }
    }
}

#[tokio::test]
async fn a_listener_goes_on_after_the_event_that_he_names() {
    let service = Served::start().await;
    let mut first = Listener::at(&service, "/events", None).await;
    for n in 0..4 {
        service.says(&format!("/room/create_room?RoomID=r{n}&HostID=tom"), 0, "success").await;
    }
    let (id, _) = first.change().await;
    drop(first);
    let after = format!("/api/room/mem/events?after={id}");
    for mut resumed in [
        Listener::at(&service, "/events", Some(&id)).await,
        Listener::at(&service, &after, None).await,
    ] {
        for n in 1..4 {
            assert_eq!(resumed.change().await.1["room_id"], format!("r{n}"));
        }
    }
    // The latest place is told first, so that one who got nothing yet can go on from there.
    let mut idle = Listener::at(&service, "/events", None).await;
    let place = idle.next().await.unwrap();
    assert_eq!((&place.event, &place.data), (&None, &None));
    service.says("/room/end_room?RoomID=r0", 0, "success").await;
    let mut resumed = Listener::at(&service, "/events", place.id.as_deref()).await;
    assert_eq!(resumed.change().await.1["room_id"], "r0");
}

#[tokio::test]
async fn who_comes_back_too_late_is_told_to_begin_again() {
    let service = Served::start().await;
    service.says("/room/create_room?RoomID=r1&HostID=tom", 0, "success").await;
    let mut late = Listener::at(&service, "/events", Some("an-id-of-another-run")).await;
    let reset = late.next().await.unwrap();
    assert_eq!(reset.event.as_deref(), Some("reset"));
    assert_eq!(reset.data.as_deref(), Some(""), "without data a browser passes it over");
    assert!(reset.id.is_some(), "it is told where to go on");
    service.says("/room/end_room?RoomID=r1", 0, "success").await;
    assert_eq!(late.change().await.1["room_id"], "r1");
}

#[tokio::test]
async fn there_is_a_limit_of_listeners_and_a_place_is_free_again_when_one_leaves() {
    let service = Served::with(|parts| parts.limits.max_listeners = 1).await;
    let first = Listener::at(&service, "/events", None).await;
    let (status, answer) = service.get("/events").await;
    assert_eq!((status, &answer["code"]), (503, &3.into()), "{answer}");
    drop(first);
    crate::support::eventually("a place is free", || async {
        service.client.get(service.url("/events")).send().await.unwrap().status() == 200
    })
    .await;
}
