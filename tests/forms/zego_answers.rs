//! What the vendor's server answers, decoded and made into observations.

use std::fmt::Debug;

use crate::wire::answer::{ASKED_AT, data, recorder, room, sample, user};
use crate::wire::strategy::json;
use proptest::prelude::*;
use room_registry::repair::{ObservedList, ObservedUser};
use room_registry::vendor::zego::{
    Answer, Decoder, Failure, RoomAnswers, StreamList, UserCounts, UserPage, UserStatuses,
};
use room_registry::{Config, ManualClock, Observation, Role, RoomRegistry, Timestamp, UserId};
use room_registry_world::effort::properties;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

#[test]
fn a_page_of_users_tells_names_and_roles_and_where_to_go_on() {
    let page: UserPage = data(sample!("user_list_first_page"));
    let expected = [user("tom", "Tom", Role::HOST), user("ann", "Ann", Role::AUDIENCE), recorder()];
    assert_eq!(page.users, expected, "an administrator is a user, as in callbacks");
    assert_eq!(page.marker.as_deref(), Some("marker1"));
    let page: UserPage = data(sample!("user_list_last_page"));
    assert_eq!(page.users[1], user("汤姆", "汤姆 \"Tom\"", Role::AUDIENCE));
    assert_eq!(page.marker, None);
}

#[test]
fn numbers_as_text_texts_as_numbers_and_unknown_fields_are_read_in_any_order() {
    let page: UserPage = data(sample!("user_list_odd_forms"));
    let nine = Role::new("9");
    let mut nameless = ObservedUser::new(UserId::new("9").unwrap());
    nameless.role = Some(nine);
    assert_eq!(page.users, [user("12", "7", Role::HOST), nameless]);
    assert_eq!(page.marker.as_deref(), Some("17"));
    let answer: Answer<UserPage> = serde_json::from_str(sample!("user_list_odd_forms")).unwrap();
    assert_eq!(answer.request_id.as_deref(), Some("5"));
}

#[test]
fn a_list_of_streams_tells_publishers_and_times() {
    let list: StreamList = data(sample!("stream_list"));
    let at = Some(Timestamp::from_millis(1_763_596_803_742));
    let told: Vec<_> = list
        .streams
        .iter()
        .map(|stream| {
            let publisher = stream.details.publisher_id.as_ref().map(UserId::as_str);
            let name = stream.details.publisher_name.as_deref();
            (stream.stream_id.as_str(), publisher, name, stream.created_at)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("camera", Some("tom"), Some("Tom"), at),
            ("screen", None, None, at),
            ("0007", Some("12"), Some("Bob"), None),
        ]
    );
}

#[test]
fn a_status_tells_who_is_in_the_room_and_of_nobody_else() {
    let statuses: UserStatuses = data(sample!("users"));
    let present: Vec<_> =
        statuses.users.iter().map(|user| (user.user_id.as_str(), user.is_present)).collect();
    assert_eq!(present, [("tom", true), ("ghost", false), ("bob", true), ("odd", false)]);

    let answer: Answer<UserStatuses> = serde_json::from_str(sample!("users")).unwrap();
    let observation = answer.observation(room(), ASKED_AT).unwrap();
    let mut tom = ObservedUser::new(UserId::new("tom").unwrap());
    tom.role = Some(Role::HOST);
    tom.login_at = Some(Timestamp::from_millis(1_763_596_800_027));
    let mut bob = ObservedUser::new(UserId::new("bob").unwrap());
    bob.login_at = Some(Timestamp::from_millis(1_763_596_801_000));
    assert_eq!(observation, Observation::new(room(), ASKED_AT).some_users([tom, bob]));
}

#[test]
fn of_a_room_that_does_not_exist_the_statuses_tell_that_it_is_not_open() {
    let answer: Answer<UserStatuses> = serde_json::from_str(sample!("users_no_such_room")).unwrap();
    assert_eq!(
        answer.observation(room(), ASKED_AT).unwrap(),
        Observation::new(room(), ASKED_AT).open(false)
    );
    let answer: Answer<UserStatuses> = serde_json::from_str(sample!("failure")).unwrap();
    assert_eq!(answer.observation(room(), ASKED_AT).unwrap_err().code, 206);
}

#[test]
fn counts_tell_which_rooms_are_open_and_which_are_empty() {
    let counts: UserCounts = data(sample!("user_num"));
    let told: Vec<_> = counts
        .rooms
        .into_iter()
        .map(|room| {
            let room = room.observation(ASKED_AT);
            (room.room_id.as_str().to_owned(), room.open, room.users)
        })
        .collect();
    let open = |room: &str| (room.to_owned(), Some(true), ObservedList::NotAsked);
    let empty = |room: &str| (room.to_owned(), None, ObservedList::Complete(vec![]));
    assert_eq!(told, [open("room1"), empty("room2"), open("room3"), empty("room4")]);
}

#[test]
fn a_failure_has_the_code_and_the_message_and_its_data_are_not_read() {
    let answer: Answer<StreamList> = serde_json::from_str(sample!("failure")).unwrap();
    assert_eq!(answer.request_id.as_deref(), Some("TestRequestId16359406005619"));
    let failure = answer.into_data().unwrap_err();
    assert_eq!((failure.code, failure.message.as_deref()), (206, Some("qps over limit")));
    assert_eq!(
        failure.to_string(),
        r#"the server of the vendor answered with code 206: "qps over limit""#
    );
    let told = json!({"name": "vendor_failure", "message": failure.to_string()});
    assert_eq!(serde_json::to_value(&failure).unwrap(), told);
    for data in
        [json!(null), json!(7), json!([]), json!({"StreamList": 1}), json!({"StreamList": [1]})]
    {
        let body = json!({"Data": data, "Code": "-3", "Message": "\n".repeat(1_000)});
        let failure = failure_of::<StreamList>(&body);
        assert_eq!(failure.code, -3);
        assert!(failure.to_string().len() < 300, "{failure}");
    }
}

#[test]
fn three_codes_say_that_there_is_no_such_room_whatever_was_asked() {
    for code in [json!(104), json!(5024), json!(50_001), json!("0104")] {
        let body = json!({"Code": code, "Message": "room not exist"});
        assert!(failure_of::<UserPage>(&body).is_no_such_room());
        assert_eq!(failure_of::<UserPage>(&body).name(), "no_such_room");
        assert!(failure_of::<StreamList>(&body).is_no_such_room());
        let statuses: Answer<UserStatuses> = serde_json::from_value(body).unwrap();
        let expected = Observation::new(room(), ASKED_AT).open(false);
        assert_eq!(statuses.observation(room(), ASKED_AT).unwrap(), expected);
    }
    for code in [1, -104, 206, 5_018, 50_002, 100_000_005] {
        assert!(!failure_of::<UserPage>(&json!({"Code": code})).is_no_such_room(), "{code}");
    }
}

#[test]
fn a_list_that_is_null_is_empty() {
    let page: UserPage = data(r#"{"Code":0,"Data":{"UserList":null,"Marker":""}}"#);
    assert_eq!((page.users, page.marker), (vec![], None));
    let list: StreamList = data(r#"{"Code":0,"Data":{"StreamList":null}}"#);
    assert_eq!(list.streams, []);
    let statuses: UserStatuses = data(r#"{"Code":0,"Data":{"UserStatusList":null}}"#);
    assert_eq!(statuses.users, []);
    let counts: UserCounts = data(r#"{"Code":0,"Data":{"UserCountList":null}}"#);
    assert_eq!(counts.rooms, []);
}

#[test]
fn the_roles_of_answers_can_be_ignored() {
    let decoder = Decoder::new().ignore_user_role(true);
    let mut json = serde_json::Deserializer::from_str(sample!("user_list_first_page"));
    let page: Answer<UserPage> = decoder.deserialize(&mut json).unwrap();
    let mut expected: UserPage = data(sample!("user_list_first_page"));
    expected.users.iter_mut().for_each(|user| assert!(user.role.take().is_some()));
    assert_eq!(page.into_data(), Ok(expected));
    let mut json = serde_json::Deserializer::from_str(sample!("users"));
    let statuses: Answer<UserStatuses> = decoder.deserialize(&mut json).unwrap();
    let mut expected: UserStatuses = data(sample!("users"));
    assert_eq!(expected.users[0].role.take(), Some(Role::HOST));
    expected.users.iter_mut().for_each(|user| user.role = None);
    assert_eq!(statuses.into_data(), Ok(expected));
}

#[test]
fn a_field_that_must_be_there_is_named_with_its_question() {
    let missing = |question: &str, field: &str| format!("{question}: field `{field}` is missing");
    refused::<UserPage>(&json!({}), &missing("DescribeUserList", "Code"));
    refused::<UserPage>(&json!({"Code": ""}), &missing("DescribeUserList", "Code"));
    for data in [json!(null), json!(1), json!("a"), json!([]), json!({}), json!({"Users": null})] {
        let body = json!({"Code": 0, "Data": data});
        refused::<UserPage>(&body, &missing("DescribeUserList", "UserList"));
        refused::<UserStatuses>(&body, &missing("DescribeUsers", "UserStatusList"));
        refused::<StreamList>(&body, &missing("DescribeSimpleStreamList", "StreamList"));
        refused::<UserCounts>(&body, &missing("DescribeUserNum", "UserCountList"));
    }
    for row in [json!({}), json!({"UserId": null})] {
        let body = json!({"Code": 0, "Data": {"Marker": "", "UserList": [{"UserId": "a"}, row]}});
        refused::<UserPage>(&body, &missing("DescribeUserList", "UserId"));
    }
    let row = json!({"UserId": "ann"});
    let body = json!({"Code": 0, "Data": {"UserList": [row]}});
    refused::<UserPage>(&body, &missing("DescribeUserList", "Marker"));
    let body = json!({"Code": 0, "Data": {"UserStatusList": [{"UserId": "ann", "Status": ""}]}});
    refused::<UserStatuses>(&body, &missing("DescribeUsers", "Status"));
    let body = json!({"Code": 0, "Data": {"UserStatusList": [{"Status": 1}]}});
    refused::<UserStatuses>(&body, &missing("DescribeUsers", "UserId"));
    let body = json!({"Code": 0, "Data": {"StreamList": [{"UserId": "ann"}]}});
    refused::<StreamList>(&body, &missing("DescribeSimpleStreamList", "StreamId"));
    let body = json!({"Code": 0, "Data": {"UserCountList": [{"RoomId": "r"}]}});
    refused::<UserCounts>(&body, &missing("DescribeUserNum", "UserCount"));
}

#[test]
fn what_is_malformed_is_named_and_said() {
    let users = |row: Value| json!({"Code": 0, "Data": {"Marker": "", "UserList": row}});
    for list in
        [json!("a"), json!(1), json!({"UserId": "ann"}), json!([7]), json!([null]), json!([[]])]
    {
        refused::<UserPage>(
            &users(list),
            "DescribeUserList: field `UserList` is not a list of objects",
        );
    }
    refused::<UserPage>(
        &users(json!([{"UserId": ""}])),
        "DescribeUserList: field `UserId`: a user id must not be empty",
    );
    refused::<UserPage>(
        &users(json!([{"UserId": "a".repeat(256)}])),
        "DescribeUserList: field `UserId`: a user id must be at most 255 bytes long; this one has 256",
    );
    refused::<UserPage>(
        &users(json!([{"UserId": true}])),
        "DescribeUserList: field `UserId` is neither a text nor a whole number: true",
    );
    refused::<UserPage>(
        &json!({"Code": 0, "Data": {"Marker": [], "UserList": []}}),
        "DescribeUserList: field `Marker` is neither a text nor a whole number: a list",
    );
    refused::<UserPage>(
        &json!({"Code": 1.5}),
        "DescribeUserList: field `Code` is not a whole number: 1.5",
    );
    let stream =
        json!({"Code": 0, "Data": {"StreamList": [{"StreamId": "s", "CreateTime": "soon"}]}});
    refused::<StreamList>(
        &stream,
        "DescribeSimpleStreamList: field `CreateTime` is not a whole number: \"soon\"",
    );
    let count = json!({"Code": 0, "Data": {"UserCountList": [{"RoomId": "r", "UserCount": -1}]}});
    refused::<UserCounts>(&count, "DescribeUserNum: field `UserCount` is not a whole number: -1");
    refused::<UserPage>(
        &json!([]),
        "invalid type: sequence, expected the object of an answer to DescribeUserList",
    );
}

/// Deep, wide and long: nothing nests with the answer, and what is said of it is short.
#[test]
fn an_answer_of_any_size_is_read_or_refused() {
    let deep = format!(r#"{{"Code":0,"Data":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let error = serde_json::from_str::<Answer<UserPage>>(&deep).unwrap_err();
    assert_eq!(error.to_string(), "DescribeUserList: field `UserList` is missing");
    let deep = deep.replacen('[', r#"{"UserList":["#, 1).replacen("]}", "]}}", 1);
    let error = serde_json::from_str::<Answer<UserPage>>(&deep).unwrap_err();
    assert_eq!(error.to_string(), "DescribeUserList: field `UserList` is not a list of objects");

    let row = r#"{"UserId":"ann"},"#.repeat(100_000);
    let wide = format!(r#"{{"Code":0,"Data":{{"Marker":"","UserList":[{row}{{}}]}}}}"#);
    let error = serde_json::from_str::<Answer<UserPage>>(&wide).unwrap_err();
    assert_eq!(error.to_string(), "DescribeUserList: field `UserId` is missing");

    let long = json!({"Code": "9".repeat(1_000_000)});
    let error = serde_json::from_value::<Answer<UserPage>>(long).unwrap_err();
    assert!(error.to_string().len() < 200, "{error}");
}

proptest! {
    #![proptest_config(properties(60))]

    #[test]
    fn no_json_panics_and_what_decodes_makes_an_observation(
        body in json(), data in json(), list in json(), rows in proptest::collection::vec(json(), 0..3),
    ) {
        let lists = ["UserList", "UserStatusList", "StreamList", "UserCountList"];
        let in_data = |list: &Value| {
            let mut data = json!({"Marker": body});
            for name in lists {
                data[name] = list.clone();
            }
            json!({"Code": 0, "Data": data})
        };
        let bodies = [
            body.clone(),
            json!({"Code": body, "Data": data, "Message": list}),
            json!({"Code": 0, "Data": data}),
            in_data(&list),
            in_data(&Value::from(rows)),
        ];
        for body in bodies {
            observed(&body.to_string());
        }
    }

    #[test]
    fn no_text_panics(changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..6)) {
        for sample in [
            sample!("user_list_odd_forms"),
            sample!("users"),
            sample!("stream_list"),
            sample!("user_num"),
            sample!("failure"),
        ] {
            let mut body = sample.as_bytes().to_vec();
            for (at, byte) in &changes {
                let at = at % body.len();
                body[at] = *byte;
            }
            observed(&String::from_utf8_lossy(&body));
        }
    }
}

/// Decodes a body as every answer, and makes of it what can be made.
fn observed(body: &str) {
    let mut answers = RoomAnswers::new(room(), ASKED_AT);
    if let Ok(page) = serde_json::from_str::<Answer<UserPage>>(body)
        && answers.add_users(page.clone()).is_ok()
    {
        assert_eq!(answers.add_users(page), Ok(()));
        let seen = answers.clone().observation();
        assert!(seen.users != ObservedList::NotAsked || seen.open == Some(false));
    }
    if let Ok(list) = serde_json::from_str::<Answer<StreamList>>(body)
        && answers.add_streams(list).is_ok()
    {
        let seen = answers.clone().observation();
        assert!(seen.streams != ObservedList::NotAsked || seen.open == Some(false));
    }
    let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::at(ASKED_AT));
    registry.apply_observation(&answers.observation()).expect("no answers contradict each other");
    if let Ok(Answer { data: Ok(counts), .. }) = serde_json::from_str::<Answer<UserCounts>>(body) {
        counts.rooms.into_iter().for_each(|room| drop(room.observation(ASKED_AT)));
    }
    if let Ok(answer) = serde_json::from_str::<Answer<UserStatuses>>(body)
        && let Err(failure) = answer.observation(room(), ASKED_AT)
    {
        assert!(failure.code != 0 && !failure.to_string().is_empty());
    }
}

#[track_caller]
fn failure_of<T: Debug>(body: &Value) -> Failure
where
    Answer<T>: DeserializeOwned,
{
    serde_json::from_str::<Answer<T>>(&body.to_string()).unwrap().into_data().unwrap_err()
}

#[track_caller]
fn refused<T>(body: &Value, expected: &str)
where
    Answer<T>: DeserializeOwned + Debug,
{
    let error = serde_json::from_value::<Answer<T>>(body.clone()).unwrap_err();
    assert_eq!(error.to_string(), expected, "{body}");
}
