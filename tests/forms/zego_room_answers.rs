//! The answers about one room, put together.

use crate::wire::answer::{ASKED_AT, answer, data, recorder, room, sample, user};
use crate::wire::body::{decoded, fixture};
use room_registry::repair::{ObservedList, ObservedStream};
use room_registry::vendor::zego::{RoomAnswers, StreamList, UserPage};
use room_registry::{
    Config, ManualClock, Observation, Outcome, Role, RoomId, RoomRegistry, StreamId,
};
use serde_json::json;

const NO_SUCH_ROOM: &str = r#"{"Code":104,"Message":"room not exist"}"#;

#[test]
fn pages_are_put_together_and_who_is_on_two_counts_once() {
    let mut answers = RoomAnswers::new(room(), ASKED_AT);
    assert_eq!(answers.next_marker(), Some(""));
    answers.add_users(answer(sample!("user_list_first_page"))).unwrap();
    assert_eq!(answers.next_marker(), Some("marker1"));
    answers.add_users(answer(sample!("user_list_last_page"))).unwrap();
    assert_eq!(answers.next_marker(), None);
    answers.add_users(answer(sample!("user_list_odd_forms"))).unwrap(); // nobody asked for it
    answers.add_streams(answer(sample!("stream_list"))).unwrap();
    let streams = data::<StreamList>(sample!("stream_list")).streams;
    let expected = Observation::new(room(), ASKED_AT)
        .users([
            user("tom", "Tom", Role::HOST),
            user("ann", "Ann", Role::AUDIENCE),
            recorder(),
            user("汤姆", "汤姆 \"Tom\"", Role::AUDIENCE),
        ])
        .streams(streams);
    assert_eq!(answers.observation(), expected);
}

#[test]
fn answers_that_were_not_waited_for_tell_nobodys_absence() {
    let mut answers = RoomAnswers::new(room(), ASKED_AT);
    assert_eq!(answers.clone().observation(), Observation::new(room(), ASKED_AT));
    answers.add_users(answer(sample!("user_list_first_page"))).unwrap();
    let observation = answers.observation();
    assert!(matches!(&observation.users, ObservedList::Partial(users) if users.len() == 3));
    assert_eq!(observation.streams, ObservedList::NotAsked);
}

#[test]
fn pages_that_bring_nobody_new_end_the_asking_and_leave_the_list_partial() {
    let mut answers = RoomAnswers::new(room(), ASKED_AT);
    answers.add_users(answer(sample!("user_list_first_page"))).unwrap();
    answers.add_users(answer(sample!("user_list_first_page"))).unwrap();
    assert_eq!(answers.next_marker(), None);
    assert!(
        matches!(answers.observation().users, ObservedList::Partial(users) if users.len() == 3)
    );
}

#[test]
fn an_empty_page_is_the_last_whatever_its_marker() {
    for marker in [json!("more"), json!(""), json!(null)] {
        let body = json!({"Code": 0, "Data": {"UserList": [], "Marker": marker}});
        let mut answers = RoomAnswers::new(room(), ASKED_AT);
        answers.add_users(answer(&body.to_string())).unwrap();
        assert_eq!(answers.next_marker(), None);
        assert_eq!(answers.observation().users, ObservedList::Complete(vec![]));
    }
}

#[test]
fn a_stream_that_is_listed_twice_counts_once_and_a_later_list_replaces_an_earlier() {
    let list = |ids: &[&str]| {
        let streams: Vec<_> = ids.iter().map(|id| json!({"StreamId": id})).collect();
        answer(&json!({"Code": 0, "Data": {"StreamList": streams}}).to_string())
    };
    let mut answers = RoomAnswers::new(room(), ASKED_AT);
    answers.add_streams(list(&["screen"])).unwrap();
    answers.add_streams(list(&["camera", "camera"])).unwrap();
    let camera = ObservedStream::new(StreamId::new("camera").unwrap());
    assert_eq!(answers.observation().streams, ObservedList::Complete(vec![camera]));
}

#[test]
fn an_empty_list_of_users_closes_a_room_that_callbacks_left_open() {
    let clock = ManualClock::at(ASKED_AT);
    let mut registry = RoomRegistry::with_clock(Config::default(), clock);
    registry.apply_callback(&decoded(fixture!("room_create")));
    assert!(registry.room("room1").is_some());
    let mut answers = RoomAnswers::new(RoomId::new("room1").unwrap(), ASKED_AT);
    answers.add_users(answer(sample!("user_list_empty"))).unwrap();
    answers.add_streams(answer(r#"{"Code":0,"Data":{"StreamList":[]}}"#)).unwrap();
    assert_eq!(registry.apply_observation(&answers.observation()), Ok(Outcome::Applied));
    assert!(registry.room("room1").is_none());
}

#[test]
fn no_such_room_is_not_open_whichever_question_hears_of_it() {
    let expected = Observation::new(room(), ASKED_AT).open(false);
    for code in [104, 5024, 50_001] {
        let none = json!({"Code": code, "Message": "room not exist"}).to_string();
        let mut users = RoomAnswers::new(room(), ASKED_AT);
        users.add_users(answer(&none)).unwrap();
        assert_eq!(users.next_marker(), None);
        assert_eq!(users.clone().observation(), expected);
        let mut streams = RoomAnswers::new(room(), ASKED_AT);
        streams.add_streams(answer(&none)).unwrap();
        assert_eq!(streams.clone().observation(), expected);
        streams.add_users(answer(sample!("user_list_empty"))).unwrap();
        assert_eq!(streams.observation(), expected);
        users.add_streams(answer(r#"{"Code":0,"Data":{"StreamList":null}}"#)).unwrap();
        assert_eq!(users.observation(), expected);
    }
}

#[test]
fn a_good_list_of_users_counts_also_if_the_question_for_streams_fails() {
    let last = data::<UserPage>(sample!("user_list_last_page")).users;
    let expected = Observation::new(room(), ASKED_AT).users(last);
    let mut answers = RoomAnswers::new(room(), ASKED_AT);
    answers.add_users(answer(sample!("user_list_last_page"))).unwrap();
    let failure = answers.add_streams(answer(sample!("failure"))).unwrap_err();
    assert_eq!(failure.code, 206);
    assert_eq!(answers.clone().observation(), expected, "nothing is said of streams");
    answers.add_streams(answer(NO_SUCH_ROOM)).unwrap();
    assert_eq!(answers.observation(), expected.streams([]), "the room ended meanwhile");
}

#[test]
fn a_good_list_of_streams_counts_also_if_the_users_are_told_of_no_such_room() {
    let mut answers = RoomAnswers::new(room(), ASKED_AT);
    answers.add_streams(answer(sample!("stream_list"))).unwrap();
    answers.add_users(answer(NO_SUCH_ROOM)).unwrap();
    let streams = data::<StreamList>(sample!("stream_list")).streams;
    assert_eq!(
        answers.observation(),
        Observation::new(room(), ASKED_AT).users([]).streams(streams)
    );
}

#[test]
fn a_room_that_ends_between_two_pages_leaves_the_list_partial() {
    let mut answers = RoomAnswers::new(room(), ASKED_AT);
    answers.add_users(answer(sample!("user_list_first_page"))).unwrap();
    answers.add_users(answer(NO_SUCH_ROOM)).unwrap();
    assert_eq!(answers.next_marker(), None);
    let users = data::<UserPage>(sample!("user_list_first_page")).users;
    assert_eq!(answers.observation(), Observation::new(room(), ASKED_AT).some_users(users));
}

#[test]
fn a_page_that_fails_changes_nothing_and_can_be_asked_for_again() {
    let mut answers = RoomAnswers::new(room(), ASKED_AT);
    answers.add_users(answer(sample!("user_list_first_page"))).unwrap();
    let before = answers.clone();
    assert_eq!(answers.add_users(answer(sample!("failure"))).unwrap_err().code, 206);
    assert_eq!(answers, before);
}
