//! Parameters that are missing, malformed, too long or stand twice, in each form of a request.

use serde_json::{Value, json};

use crate::support::Served;

/// The answer is that this parameter is wrong.
#[track_caller]
fn names(answer: &(u16, Value), parameter: &str, request: &str) {
    let (status, body) = answer;
    assert_eq!((*status, &body["code"]), (400, &json!(2)), "{request}: {body}");
    let message = body["message"].as_str().unwrap();
    assert!(message.contains(parameter), "{request}: {message} does not name {parameter}");
}

#[tokio::test]
async fn a_missing_parameter_is_named() {
    let service = Served::start().await;
    for (path, parameter) in [
        ("create_room?HostID=tom&RoomName=x", "RoomID"),
        ("create_room?RoomID=r1&RoomName=x", "HostID"),
        ("update_room?RoomName=x", "RoomID"),
        ("end_room", "RoomID"),
        ("join_room?UserID=ann", "RoomID"),
        ("join_room?RoomID=r1", "UserID"),
        ("leave_room?UserID=ann", "RoomID"),
        ("leave_room?RoomID=r1", "UserID"),
        ("heartbeat?UserID=ann", "RoomID"),
        ("heartbeat?RoomID=r1", "UserID"),
        ("update_user?RoomID=r1", "UserID"),
        ("get_room_user_list", "RoomID"),
        ("get_room", "RoomID"),
        // Names are matched exactly.
        ("end_room?roomid=r1", "RoomID"),
        ("end_room?RoomId=r1", "RoomID"),
    ] {
        names(&service.get(&format!("/room/{path}")).await, parameter, path);
    }
}

#[tokio::test]
async fn a_malformed_parameter_is_named() {
    let service = Served::start().await;
    let long_id = "x".repeat(256);
    let long_name = "x".repeat(1_025);
    let many: serde_json::Map<_, _> =
        (0..65).map(|n| (n.to_string(), Value::String("v".into()))).collect();
    let many = Value::Object(many).to_string();
    for (path, parameter) in [
        ("end_room?RoomID=".to_owned(), "RoomID"),
        (format!("end_room?RoomID={long_id}"), "RoomID"),
        ("end_room?RoomID=a%00b".to_owned(), "RoomID"),
        ("end_room?RoomID=%ff%fe".to_owned(), "RoomID"),
        ("end_room?RoomID=r1&RoomID=r2".to_owned(), "RoomID"),
        ("end_room?RoomID=r1&RoomID=r1".to_owned(), "RoomID"),
        ("create_room?RoomID=r1&HostID=a%0Ab".to_owned(), "HostID"),
        (format!("create_room?RoomID=r1&HostID=tom&RoomName={long_name}"), "RoomName"),
        ("create_room?RoomID=r1&HostID=tom&Lifecycle=forever".to_owned(), "Lifecycle"),
        ("create_room?RoomID=r1&HostID=tom&Attributes=x".to_owned(), "Attributes"),
        ("create_room?RoomID=r1&HostID=tom&Attributes=[]".to_owned(), "Attributes"),
        ("create_room?RoomID=r1&HostID=tom&Attributes=%7B%22a%22:1%7D".to_owned(), "Attributes"),
        (format!("create_room?RoomID=r1&HostID=tom&Attributes={many}"), "Attributes"),
        (format!("update_room?RoomID=r1&HostID={long_id}"), "HostID"),
        (format!("join_room?RoomID=r1&UserID=ann&UserName={long_name}"), "UserName"),
        (format!("join_room?RoomID=r1&UserID=ann&Role={long_name}"), "Role"),
        (format!("heartbeat?RoomID=r1&UserID={long_id}"), "UserID"),
        ("get_room_list?Limit=0".to_owned(), "Limit"),
        ("get_room_list?Limit=-1".to_owned(), "Limit"),
        ("get_room_list?Limit=ten".to_owned(), "Limit"),
        ("get_room_list?Order=best".to_owned(), "Order"),
        ("get_room_list?Cursor=junk".to_owned(), "Cursor"),
        ("get_room_list?Order=id&Cursor=newest~1~2~r1".to_owned(), "Cursor"),
        (format!("get_room_list?Cursor={}", "x".repeat(1_025)), "Cursor"),
    ] {
        names(&service.get(&format!("/room/{path}")).await, parameter, &path);
    }
    service.says("/room/create_room?RoomID=r1&HostID=tom", 0, "success").await;
    let forged = "/room/get_room_user_list?RoomID=r1&Cursor=~~~";
    names(&service.get(forged).await, "Cursor", forged);
}

#[tokio::test]
async fn updates_that_would_leave_too_many_attributes_are_named() {
    let service = Served::start().await;
    service.says("/room/create_room?RoomID=r1&HostID=tom", 0, "success").await;
    let attributes = |from: u32| -> Value {
        let set: serde_json::Map<_, _> =
            (from..from + 40).map(|n| (n.to_string(), Value::String("v".into()))).collect();
        json!({"RoomID": "r1", "Attributes": set})
    };
    assert_eq!(service.post_json("/room/update_room", &attributes(0)).await.1["code"], 0);
    let answer = service.post_json("/room/update_room", &attributes(40)).await;
    names(&answer, "Attributes", "40 more");
}

#[tokio::test]
async fn forms_and_json_are_read_alike() {
    let service = Served::start().await;
    let done = (200, json!({"code": 0, "message": "success"}));
    let form = "RoomID=r+1&HostID=tom&RoomName=Tom%27s+%E2%99%AA";
    assert_eq!(service.post_form("/room/create_room", form).await, done);
    let (_, room) = service.get("/room/get_room?RoomID=r%201").await;
    assert_eq!(room["data"]["room_name"], "Tom's ♪");
    // Of a number its digits; null is as good as missing; what is not known is passed over.
    let body = json!({"RoomID": "r 1", "UserID": 7, "UserName": null, "Unknown": [1, {"x": true}]});
    assert_eq!(service.post_json("/room/join_room", &body).await, done);
    let (_, users) = service.get("/room/get_room_user_list?RoomID=r+1&Unknown=1").await;
    assert_eq!(users["data"][0]["user_id"], "7");
    // The address and the body together are one list of parameters.
    let ended = service.post_form("/room/end_room?RoomID=r+1", "").await;
    assert_eq!(ended, done);
    let json = "application/json; charset=utf-8";
    let twice = service.post("/room/end_room?RoomID=r1", json, r#"{"RoomID":"r2"}"#).await;
    names(&twice, "RoomID", "in the address and in the body");
}

#[tokio::test]
async fn bodies_that_are_no_parameters_are_refused() {
    let service = Served::start().await;
    let json = "application/json";
    for (content_type, body, status) in [
        (json, "{", 400),
        (json, "[]", 400),
        (json, "null", 400),
        (json, r#"{"RoomID":"r1"} x"#, 400),
        (json, r#"{"RoomID":true}"#, 400),
        (json, r#"{"RoomID":1.5}"#, 400),
        (json, r#"{"RoomID":{"a":1}}"#, 400),
        (json, r#"{"RoomID":"r1","RoomID":"r2"}"#, 400),
        ("application/x-www-form-urlencoded", "%ff=1", 400),
        ("text/plain", "RoomID=r1", 415),
        ("", "RoomID=r1", 415),
    ] {
        let (found, answer) = service.post("/room/end_room", content_type, body).await;
        assert_eq!((found, &answer["code"]), (status, &json!(2)), "{body}: {answer}");
    }
    let deep = format!("{{\"RoomID\":{}1{}}}", "[".repeat(20_000), "]".repeat(20_000));
    assert_eq!(service.post("/room/end_room", json, &deep).await.0, 400);
}

#[tokio::test]
async fn a_limit_above_the_highest_gets_the_highest() {
    let service = Served::start().await;
    for n in 0..=500 {
        let path = format!("/room/create_room?RoomID=r{n}&HostID=tom");
        service.says(&path, 0, "success").await;
    }
    for (limit, expected) in [("", 50), ("&Limit=499", 499), ("&Limit=100000", 500)] {
        let (_, list) = service.get(&format!("/room/get_room_list?Order=id{limit}")).await;
        assert_eq!(list["data"].as_array().unwrap().len(), expected, "{limit}");
        assert!(list["next_cursor"].is_string());
    }
}
