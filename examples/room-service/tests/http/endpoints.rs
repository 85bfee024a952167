//! Each endpoint, with each of its answers.

use clap::Parser;
use room_service::settings::{Action, Arguments};
use serde_json::{Value, json};

use crate::support::Served;

#[tokio::test]
async fn a_room_lives_from_its_creation_to_its_end() {
    let service = Served::start().await;
    for base in ["/room", "/api/room/mem"] {
        let says = |path: &str, code, message: &'static str| {
            let path = format!("{base}/{path}");
            let service = &service;
            async move { service.says(&path, code, message).await }
        };
        says("create_room?RoomID=r1&RoomName=Show&HostID=tom", 0, "success").await;
        says("create_room?RoomID=r1&RoomName=Show&HostID=tom", 1, "room already exists").await;
        says("join_room?RoomID=r1&UserID=ann&UserName=Ann", 0, "success").await;
        says("join_room?RoomID=r1&UserID=ann&UserName=Ann", 1, "user already joined").await;
        says("heartbeat?RoomID=r1&UserID=ann", 0, "heartbeat success").await;
        says("leave_room?RoomID=r1&UserID=ann", 0, "success").await;
        says("leave_room?RoomID=r1&UserID=ann", 1, "user not exists in room").await;
        says("heartbeat?RoomID=r1&UserID=ann", 1, "user left").await;
        says("join_room?RoomID=r1&UserID=ann", 0, "success").await;
        says("remove_user?RoomID=r1&UserID=ann&Reason=7", 0, "success").await;
        says("remove_user?RoomID=r1&UserID=ann&Reason=7", 1, "user not exists in room").await;
        says("heartbeat?RoomID=r1&UserID=ann", 1, "user removed").await;
        for connection in ["a", "b"] {
            let path = format!("join_room?RoomID=r1&UserID=bob&ConnectionID={connection}");
            says(&path, 0, "success").await;
            says(&path, 1, "user already joined").await;
        }
        says("leave_room?RoomID=r1&UserID=bob&ConnectionID=a", 0, "success").await;
        says("heartbeat?RoomID=r1&UserID=bob&ConnectionID=a", 1, "user left").await;
        says("heartbeat?RoomID=r1&UserID=bob&ConnectionID=b", 0, "heartbeat success").await;
        says("end_room?RoomID=r1", 0, "success").await;
    }
}

#[tokio::test]
async fn what_is_not_there_is_refused_in_the_words_that_clients_know() {
    let service = Served::start().await;
    for path in [
        "/room/end_room?RoomID=r1",
        "/room/join_room?RoomID=r1&UserID=ann&UserName=Ann",
        "/room/leave_room?RoomID=r1&UserID=ann",
        "/room/get_room_user_list?RoomID=r1",
        "/room/heartbeat?RoomID=r1&UserID=ann",
        "/room/update_room?RoomID=r1&RoomName=x",
        "/room/update_user?RoomID=r1&UserID=ann&UserName=x",
        "/room/get_room?RoomID=r1",
    ] {
        service.says(path, 1, "room not exists").await;
    }
    service.says("/room/create_room?RoomID=r1&HostID=tom", 0, "success").await;
    let not_joined = "user not joined or heartbeat timeout";
    service.says("/room/heartbeat?RoomID=r1&UserID=ann", 1, not_joined).await;
    let absent = "user not exists in room";
    service.says("/room/update_user?RoomID=r1&UserID=ann&UserName=x", 1, absent).await;
}

#[tokio::test]
async fn a_late_heartbeat_ends_the_membership() {
    let service = Served::with(|parts| {
        let config = room_registry::Config::builder();
        let config = config.heartbeat_timeout(std::time::Duration::from_millis(1)).build().unwrap();
        parts.stores = room_service::stores::Stores::in_memory(config);
    })
    .await;
    service.says("/room/create_room?RoomID=r1&HostID=tom", 0, "success").await;
    // Whether the sweeper or the heartbeat is first to see it is a matter of time; both end it.
    let mut told = Vec::new();
    for n in 0..200 {
        let (join, beat) = (
            format!("/room/join_room?RoomID=r1&UserID=u{n}"),
            format!("/room/heartbeat?RoomID=r1&UserID=u{n}"),
        );
        service.says(&join, 0, "success").await;
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        let (status, answer) = service.get(&beat).await;
        assert_eq!((status, &answer["code"]), (200, &json!(1)));
        told.push(answer["message"].as_str().unwrap().to_owned());
        if told.last().unwrap() == "heartbeat timeout" {
            return;
        }
    }
    panic!("no heartbeat came before the sweeper: {told:?}");
}

#[tokio::test]
async fn the_room_list_has_what_clients_know_and_more() {
    let service = Served::start().await;
    let room = json!({
        "RoomID": "r1", "RoomName": "Tom's show", "HostID": "tom",
        "Attributes": {"cover": "a.jpg"}, "Lifecycle": "until_empty",
    });
    assert_eq!(service.post_json("/room/create_room", &room).await.0, 200);
    service.says("/room/join_room?RoomID=r1&UserID=ann&UserName=Ann", 0, "success").await;
    let (_, list) = service.get("/room/get_room_list").await;
    assert_eq!((&list["code"], &list["message"]), (&json!(0), &json!("success")));
    assert_eq!(list["next_cursor"], Value::Null);
    let room = &list["data"][0];
    assert_eq!(room["room_id"], "r1");
    assert_eq!(room["room_name"], "Tom's show");
    assert_eq!(room["host_id"], "tom");
    assert_eq!(room["user_count"], 1);
    assert_eq!(room["stream_count"], 0);
    assert_eq!(room["attributes"], json!({"cover": "a.jpg"}));
    assert_eq!(room["lifecycle"], "until_empty");
}

#[tokio::test]
async fn the_user_list_stands_under_both_names_that_clients_know() {
    let service = Served::start().await;
    service.says("/room/create_room?RoomID=r1&HostID=tom", 0, "success").await;
    let joined = json!({
        "RoomID": "r1", "UserID": "ann", "UserName": "Ann", "Role": "host",
        "Attributes": {"level": "7"},
    });
    assert_eq!(service.post_json("/room/join_room", &joined).await.1["code"], 0);
    let (status, list) = service.get("/room/get_room_user_list?RoomID=r1").await;
    assert_eq!(status, 200);
    assert_eq!(list["data"], list["userList"]);
    let user = &list["data"][0];
    assert_eq!((&user["user_id"], &user["user_name"]), (&json!("ann"), &json!("Ann")));
    assert!(user["join_time"].as_u64().unwrap() > 1_700_000_000_000, "{user}");
    assert!(user["heartbeat_time"].as_u64() >= user["join_time"].as_u64(), "{user}");
    assert_eq!((&user["role"], &user["joined"]), (&json!("host"), &json!(true)));
    assert_eq!((&user["attributes"], &user["logged_in"]), (&json!({"level": "7"}), &json!(false)));
}

#[tokio::test]
async fn updates_set_what_they_name_and_take_away_what_is_null() {
    let service = Served::start().await;
    let room = json!({
        "RoomID": "r1", "RoomName": "a", "HostID": "tom", "Attributes": {"x": "1", "y": "2"},
    });
    service.post_json("/room/create_room", &room).await;
    let update = json!({
        "RoomID": "r1", "RoomName": "b", "HostID": "ann", "Lifecycle": "permanent",
        "Attributes": {"x": null, "z": "3"},
    });
    let done = (200, json!({"code": 0, "message": "success"}));
    assert_eq!(service.post_json("/room/update_room", &update).await, done);
    let (_, shown) = service.get("/room/get_room?RoomID=r1").await;
    let shown = &shown["data"];
    assert_eq!((&shown["room_name"], &shown["host_id"]), (&json!("b"), &json!("ann")));
    assert_eq!(shown["attributes"], json!({"y": "2", "z": "3"}));
    assert_eq!(shown["lifecycle"], "permanent");

    service
        .says("/room/join_room?RoomID=r1&UserID=ann&UserName=Ann&Role=audience", 0, "success")
        .await;
    let update =
        "RoomID=r1&UserID=ann&UserName=Anna&Role=host&Attributes=%7B%22seat%22%3A%221%22%7D";
    assert_eq!(service.post_form("/room/update_user", update).await, done);
    let beat = json!({"RoomID": "r1", "UserID": "ann", "Attributes": {"points": "5"}});
    let (_, answer) = service.post_json("/room/heartbeat", &beat).await;
    assert_eq!(answer["message"], "heartbeat success");
    let (_, users) = service.get("/room/get_room_user_list?RoomID=r1").await;
    let user = &users["data"][0];
    assert_eq!((&user["user_name"], &user["role"]), (&json!("Anna"), &json!("host")));
    assert_eq!(user["attributes"], json!({"seat": "1", "points": "5"}));
}

#[tokio::test]
async fn pages_follow_one_another_in_every_order() {
    let service = Served::start().await;
    for n in 0..7 {
        service.says(&format!("/room/create_room?RoomID=r{n}&HostID=tom"), 0, "success").await;
        for user in 0..n {
            let join = format!("/room/join_room?RoomID=r{n}&UserID=u{user}");
            service.says(&join, 0, "success").await;
        }
    }
    let by_id = ["r0", "r1", "r2", "r3", "r4", "r5", "r6"];
    let mut by_users = by_id;
    by_users.reverse();
    for (order, expected) in [("id", by_id), ("most_users", by_users)] {
        assert_eq!(
            walk(&service, &format!("get_room_list?Order={order}"), "room_id").await,
            expected
        );
    }
    for order in ["newest", "oldest"] {
        let mut rooms = walk(&service, &format!("get_room_list?Order={order}"), "room_id").await;
        rooms.sort();
        assert_eq!(rooms, by_id, "{order}");
    }
    let mut users = walk(&service, "get_room_user_list?RoomID=r6", "user_id").await;
    users.sort();
    assert_eq!(users, ["u0", "u1", "u2", "u3", "u4", "u5"]);
}

/// The ids of a list, read in pages of two.
async fn walk(service: &Served, list: &str, id: &str) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/room/{list}&Limit=2&Cursor={}", cursor.replace('%', "%25"));
        let (status, page) = service.get(&path).await;
        assert_eq!((status, &page["code"]), (200, &json!(0)), "{page}");
        let entries = page["data"].as_array().unwrap();
        assert!(entries.len() <= 2, "{page}");
        ids.extend(entries.iter().map(|entry| entry[id].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return ids,
        }
    }
}

#[tokio::test]
async fn a_room_shows_its_streams_and_is_counted_while_it_is_listed() {
    let service = Served::start().await;
    let now = now_ms();
    let observed = json!({
        "room_id": "r1", "observed_at": now, "session_id": 858_012_925_204_410_401_u64, "open": true,
        "users": [{"user_id": "tom", "user_name": "Tom"}],
        "streams": [{"stream_id": "s1", "user_id": "tom", "create_time_ms": now - 60_000}],
    });
    let (status, answer) = service.post_json("/observed", &observed).await;
    assert_eq!(
        (status, answer),
        (200, json!({"code": 0, "message": "success", "outcome": "applied"}))
    );
    let (_, room) = service.get("/room/get_room?RoomID=r1").await;
    let room = &room["data"];
    assert_eq!(room["session"]["session_id"], "858012925204410401");
    assert_eq!((&room["stream_count"], &room["user_count"]), (&json!(1), &json!(1)));
    assert_eq!(room["streams"][0]["stream_id"], "s1");
    assert_eq!(room["streams"][0]["publisher_id"], "tom");
    assert_eq!(room["streams_next_cursor"], Value::Null);
    let (_, counts) = service.get("/room/get_counts").await;
    assert_eq!(counts["data"], json!({"rooms": 1, "users": 1, "streams": 1}));
    service.says("/room/end_room?RoomID=r1", 0, "success").await;
    let (_, counts) = service.get("/room/get_counts").await;
    assert_eq!(counts["data"], json!({"rooms": 0, "users": 0, "streams": 0}));
}

#[tokio::test]
async fn observations_that_make_no_sense_are_told_so() {
    let service = Served::start().await;
    let (status, answer) = service.post_json("/observed", &json!({"room_id": "r1"})).await;
    assert_eq!((status, &answer["code"]), (400, &json!(2)));
    assert!(answer["message"].as_str().unwrap().contains("observed_at"), "{answer}");
    let closed = json!({
        "room_id": "r1", "observed_at": now_ms(), "open": false, "users": [{"user_id": "ann"}],
    });
    let (status, answer) = service.post_json("/observed", &closed).await;
    assert_eq!((status, &answer["code"]), (200, &json!(1)), "{answer}");
}

#[tokio::test]
async fn paths_and_methods_that_are_not_known_are_answered_in_json() {
    let service = Served::start().await;
    for path in ["/nothing", "/room/nothing", "/api/room/mem/nothing", "/api/room/redis/heartbeat"]
    {
        let (status, answer) = service.get(path).await;
        assert_eq!((status, &answer["code"]), (404, &json!(2)), "{path}");
    }
    for (method, path, allow) in [
        ("DELETE", "/room/end_room", "GET, POST"),
        ("PUT", "/room/get_room_list", "GET, POST"),
        ("GET", "/callback", "POST"),
        ("GET", "/observed", "POST"),
        ("POST", "/events", "GET"),
        ("POST", "/", "GET"),
        ("POST", "/metrics", "GET"),
    ] {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let response = service.client.request(method, service.url(path)).send().await.unwrap();
        assert_eq!(response.headers()["allow"], allow, "{path}");
        let (status, answer) = crate::support::read(response).await;
        assert_eq!((status, &answer["code"]), (405, &json!(2)), "{path}");
    }
}

#[tokio::test]
async fn to_look_at_the_head_of_a_command_does_not_carry_it_out() {
    let service = Served::start().await;
    let url = service.url("/room/create_room?RoomID=r1&HostID=tom");
    assert_eq!(service.client.head(url).send().await.unwrap().status(), 405);
    service.says("/room/end_room?RoomID=r1", 1, "room not exists").await;
}

#[tokio::test]
async fn the_page_is_three_files_under_a_strict_policy() {
    let service = Served::start().await;
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/page.css", "text/css; charset=utf-8"),
        ("/page.js", "text/javascript; charset=utf-8"),
    ] {
        let response = service.client.get(service.url(path)).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let headers = response.headers();
        assert_eq!(headers["content-type"], content_type);
        assert_eq!(headers["x-content-type-options"], "nosniff");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    }
}

pub(crate) fn now_ms() -> u64 {
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    u64::try_from(since_1970.unwrap().as_millis()).unwrap()
}

#[tokio::test]
async fn a_room_without_a_lifecycle_has_the_one_of_the_settings() {
    for (flags, lifecycle) in
        [(&[][..], "until_ended"), (&["--default-lifecycle", "until_empty"][..], "until_empty")]
    {
        let arguments = Arguments::parse_from([&["room-service"], flags].concat());
        let Action::Serve(settings) = arguments.action() else { panic!("it serves") };
        let lifecycle_of_all = settings.rules.default_lifecycle;
        let service = Served::with(|parts| parts.default_lifecycle = lifecycle_of_all).await;
        service.get("/room/create_room?RoomID=r1&HostID=tom").await;
        service.get("/room/create_room?RoomID=r2&HostID=tom&Lifecycle=permanent").await;
        let told = |room: Value| room["data"]["lifecycle"].clone();
        assert_eq!(told(service.get("/room/get_room?RoomID=r1").await.1), lifecycle);
        assert_eq!(told(service.get("/room/get_room?RoomID=r2").await.1), "permanent");
    }
    let wrong = Arguments::try_parse_from(["room-service", "--default-lifecycle", "forever"]);
    assert!(wrong.unwrap_err().to_string().contains("until_empty"));
}
