//! What is asked next: the order of the reasons, the budget, and that nobody starves.

use std::collections::BTreeMap;
use std::time::Duration;

use room_registry::event::{CallbackEvent, RoomCreated, UserLoggedIn};
use room_registry::repair::{CanAsk, ObservedUser, Question, Reason};
use room_registry::{
    Callback, Clock, Config, ManualClock, NewRoom, Observation, RoomId, RoomRegistry, SessionId,
    Timestamp, UserId, UserSessionId,
};

use room_registry_world::story;

/// Seconds.
const START: u64 = 1_000_000;

/// Holds law 17.1.
#[test]
fn gaps_come_before_signs_before_quiet_rooms_before_the_rest() {
    let mut desk = Desk::new(1_000);
    desk.registry.create_room(NewRoom::new("idle", "tom")).expect("it is new");
    desk.silent_room("silent");
    desk.room_with_two_logins("signed");
    desk.room_with_a_gap("gap");
    desk.clock.advance(Duration::from_secs(100));
    let reasons: Vec<_> =
        desk.questions().into_iter().map(|it| (it.room_id.to_string(), it.reason)).collect();
    // The fourth is of those in turn.
    assert_eq!(
        reasons,
        [
            ("gap".into(), Reason::Gap),
            ("signed".into(), Reason::Sign),
            ("silent".into(), Reason::Quiet),
            ("idle".into(), Reason::Rotation)
        ]
    );
}

/// Holds laws 17.4 and 17.5.
#[test]
fn evidence_is_asked_about_after_its_grace_and_one_list_alone_if_one_alone_is_in_doubt() {
    let mut desk = Desk::new(1_000);
    desk.room_with_a_gap("r");
    // What is in turn is asked first, and answered.
    desk.answer_all();
    desk.clock.set(at(19));
    assert!(desk.questions().iter().all(|question| question.reason == Reason::Rotation));
    desk.answer_all();
    let mut desk = Desk::new(1_000);
    desk.room_with_a_gap("r");
    desk.clock.set(at(20));
    let question = desk.registry.next_question().expect("it is old enough");
    assert_eq!((question.reason, question.users, question.streams), (Reason::Gap, true, false));
    assert_eq!(question.calls(), 1);
}

/// Holds law 17.5.
#[test]
fn a_list_is_asked_for_however_many_signs_concern_it() {
    let mut desk = Desk::new(1_000);
    desk.silent_room("r");
    for counter in [1, 3, 5] {
        desk.hears("r", story::stream_created(&format!("s{counter}"), counter, 0));
    }
    desk.clock.set(at(20));
    let question = desk.registry.next_question().expect("it is old enough");
    assert_eq!((question.reason, question.users, question.streams), (Reason::Gap, false, true));
}

/// A stream is open, and its publisher is not there: to know, both lists are needed. Holds law 17.9.
#[test]
fn a_sign_that_takes_both_lists_is_asked_about_only_if_both_can_be_asked_for() {
    for (can_ask, is_asked) in
        [(CanAsk::Both, true), (CanAsk::Users, false), (CanAsk::Streams, false)]
    {
        let mut desk =
            Desk::with(Config::builder().can_ask(can_ask).build().expect("it makes sense"));
        desk.silent_room("r");
        let mut opened = story::stream_created("camera", 1, 0).order(None);
        opened.details.publisher_id = Some(UserId::new("tom").expect("a valid id"));
        desk.hears("r", story::login("tom", 2, 0));
        desk.hears("r", opened);
        desk.hears("r", story::logout("tom", 2, 0, 1));
        desk.clock.set(at(30));
        let reasons: Vec<_> = desk.questions().iter().map(|question| question.reason).collect();
        assert_eq!(reasons.contains(&Reason::Sign), is_asked, "{can_ask}: {reasons:?}");
    }
}

/// Holds law 17.4.
#[test]
fn an_answer_resolves_what_was_asked_about() {
    let mut desk = Desk::new(1_000);
    desk.room_with_a_gap("r");
    desk.clock.set(at(20));
    let question = desk.registry.next_question().expect("there is a gap");
    desk.answer(&question);
    desk.clock.set(at(31));
    let question = desk.registry.next_question().expect("it is the only room");
    assert_eq!(question.reason, Reason::Rotation);
}

/// Holds law 17.6.
#[test]
fn a_room_is_left_alone_while_an_answer_is_outstanding_and_for_a_while_after_it() {
    let mut desk = Desk::new(1_000);
    desk.registry.create_room(NewRoom::new("r", "tom")).expect("it is new");
    let question = desk.registry.next_question().expect("it is its turn");
    desk.clock.set(at(29));
    assert_eq!(desk.registry.next_question(), None, "an answer is outstanding");
    desk.clock.set(at(30));
    assert!(desk.registry.next_question().is_some(), "it did not come");
    desk.answer(&question);
    desk.clock.set(at(39));
    assert_eq!(desk.registry.next_question(), None);
    desk.clock.set(at(40));
    assert!(desk.registry.next_question().is_some());
}

/// Holds law 17.6.
#[test]
fn failures_make_the_pauses_longer_up_to_five_minutes() {
    let mut desk = Desk::new(1_000);
    desk.registry.create_room(NewRoom::new("r", "tom")).expect("it is new");
    let mut now = 0;
    for pause in [10, 20, 40, 80, 160, 300, 300] {
        desk.registry.next_question().expect("it is worth asking about");
        desk.registry.question_failed("r");
        desk.clock.set(at(now + pause - 1));
        assert_eq!(desk.registry.next_question(), None, "{pause} s");
        now += pause;
        desk.clock.set(at(now));
    }
    let question = desk.registry.next_question().expect("it is worth asking about");
    desk.answer(&question);
    desk.clock.set(at(now + 10));
    desk.registry.next_question().expect("an answer ends the failures");
    desk.registry.question_failed("r");
    desk.clock.set(at(now + 20));
    desk.registry.next_question().expect("ten seconds after a first failure");
}

/// Holds law 17.7.
#[test]
fn no_more_is_asked_than_the_budget_allows() {
    for budget in [0, 1, 3, 10] {
        let mut desk = Desk::new(budget);
        for room in 0..500 {
            desk.registry.create_room(NewRoom::new(format!("r{room}"), "tom")).expect("it is new");
        }
        let mut calls = 0;
        for tenth in 0..1_000 {
            desk.clock.set(Timestamp::from_millis(at(0).as_millis() + tenth * 100));
            calls += desk.questions().iter().map(Question::calls).sum::<u32>();
        }
        // A hundred seconds, and what the first second may hold.
        let allowed = 100 * budget + budget.max(2);
        assert!(calls <= allowed, "{calls} calls of {allowed}");
        assert!(calls + 4 >= 100 * budget, "{calls} calls of {allowed}");
    }
}

/// Holds law 17.2.
#[test]
fn nobody_starves_beside_rooms_that_are_always_in_doubt() {
    let mut desk = Desk::new(2);
    for room in 0..20 {
        desk.room_with_a_gap(&format!("gap{room}"));
        desk.registry.create_room(NewRoom::new(format!("quiet{room}"), "tom")).expect("it is new");
    }
    desk.clock.set(at(20));
    let mut asked = BTreeMap::new();
    for second in 20..420 {
        desk.clock.set(at(second));
        for question in desk.questions() {
            *asked.entry(question.room_id.to_string()).or_insert(0) += 1;
            // The media server answers nothing that resolves the doubt.
            let part = Observation::new(question.room_id, desk.clock.now()).some_users([]);
            desk.registry.apply_observation(&part).expect("it is consistent");
        }
    }
    let quiet = asked.iter().filter(|(room, _)| room.starts_with("quiet")).count();
    let gaps = asked.iter().filter(|(room, _)| room.starts_with("gap")).count();
    assert_eq!((quiet > 0, gaps), (true, 20), "{asked:?}");
}

/// Holds laws 11.5 and 17.2.
#[test]
fn all_rooms_get_their_turn_the_longest_unconfirmed_first() {
    let mut desk = Desk::new(10);
    for room in 0..40 {
        desk.registry.create_room(NewRoom::new(format!("r{room:02}"), "tom")).expect("it is new");
    }
    let mut order = Vec::new();
    for second in 0..8 {
        desk.clock.set(at(second));
        for question in desk.questions() {
            order.push(question.room_id.to_string());
            desk.answer(&question);
        }
    }
    let mut each_once = order.clone();
    each_once.sort();
    each_once.dedup();
    assert_eq!(each_once.len(), 40, "{order:?}");
    assert_eq!(order.len(), 40);
    desk.clock.set(at(20));
    assert_eq!(desk.questions()[0].room_id.to_string(), order[0]);
}

/// Holds law 17.3.
#[test]
fn a_room_that_left_the_list_is_asked_about_for_a_quarter_of_an_hour() {
    let mut desk = Desk::new(1_000);
    desk.silent_room("r");
    desk.answer_with_nobody();
    assert!(desk.registry.room("r").is_none());
    desk.clock.set(at(800));
    desk.registry.expire();
    assert_eq!(desk.registry.held_room_count(), 0);
    assert_eq!(desk.registry.next_question().expect("it may be back").room_id, "r");
    desk.registry.question_failed("r");
    desk.clock.set(at(100_000));
    for _ in 0..100 {
        if let Some(question) = desk.registry.next_question() {
            desk.registry.question_failed(question.room_id.as_str());
        }
        desk.clock.advance(Duration::from_secs(301));
    }
    assert_eq!(desk.registry.next_question(), None, "after that it is let go");
}

/// Holds law 17.3.
#[test]
fn a_room_that_is_heard_of_again_is_asked_about_again_though_nobody_sees_it() {
    let config = Config::builder().repair_calls_per_second(1_000).infer_sessions(false);
    let mut desk = Desk::with(config.build().expect("it makes sense"));
    desk.silent_room("r");
    desk.answer_with_nobody();
    desk.clock.set(at(800));
    desk.hears_in("2", "r", login("bob", 9, 799));
    assert!(desk.registry.room("r").is_none(), "without a creation it is not inferred");
    desk.clock.set(at(1_500));
    assert_eq!(desk.asked_of_in(100), ["r"], "heard of less than a quarter of an hour ago");
    desk.clock.set(at(800 + 900));
    assert!(desk.asked_of_in(100).is_empty(), "after that it is let go");
}

/// Holds law 17.3.
#[test]
fn that_a_room_is_over_told_again_and_again_is_no_reason_to_ask_on() {
    let mut desk = Desk::new(1_000);
    desk.silent_room("r");
    let session_id = SessionId::new("1").expect("a valid id");
    for minute in 1..20 {
        desk.clock.set(at(minute * 60));
        let questions = desk.asked_of_in(100);
        assert_eq!(questions.is_empty(), minute > 15, "after {minute} minutes");
        for _ in &questions {
            let room_id = RoomId::new("r").expect("a valid id");
            let over = Observation::new(room_id, desk.clock.now());
            let over = over.session_id(session_id.clone()).open(false);
            desk.registry.apply_observation(&over).expect("it is consistent");
        }
    }
}

/// Holds law 17.8.
#[test]
fn a_restored_registry_asks_as_the_one_before() {
    let mut desk = Desk::new(1_000);
    desk.room_with_two_logins("signed");
    desk.room_with_a_gap("gap");
    let stored = serde_json::to_string(&desk.registry.snapshot()).expect("it serialises");
    let mut json = serde_json::Deserializer::from_str(&stored);
    let mut restored =
        RoomRegistry::restore(desk.registry.config().clone(), desk.clock.clone(), &mut json)
            .expect("it restores");
    desk.clock.set(at(60));
    let reasons = |questions: Vec<Question>| -> Vec<_> {
        questions.into_iter().map(|question| (question.room_id, question.reason)).collect()
    };
    let before = reasons(desk.questions());
    let after = reasons(std::iter::from_fn(|| restored.next_question()).collect());
    assert_eq!(before, after);
    assert_eq!(before.len(), 2);
}

/// A registry on a manual clock, and somebody who asks.
struct Desk {
    clock: ManualClock,
    registry: RoomRegistry<ManualClock>,
}

impl Desk {
    fn new(calls_per_second: u32) -> Self {
        let config = Config::builder().repair_calls_per_second(calls_per_second).build();
        Self::with(config.expect("it makes sense"))
    }

    fn with(config: Config) -> Self {
        let clock = ManualClock::at(at(0));
        let registry = RoomRegistry::with_clock(config, clock.clone());
        Self { clock, registry }
    }

    fn hears(&mut self, room: &str, event: impl Into<CallbackEvent>) {
        self.hears_in("1", room, event);
    }

    fn hears_in(&mut self, session: &str, room: &str, event: impl Into<CallbackEvent>) {
        let room_id = RoomId::new(room).expect("a valid id");
        let session_id = SessionId::new(session).expect("a valid id");
        self.registry.apply_callback(&Callback::new(room_id, session_id, event));
    }

    fn silent_room(&mut self, room: &str) {
        self.hears(room, RoomCreated::new(at(0)));
        self.hears(room, login("ann", 1, 0));
    }

    fn room_with_a_gap(&mut self, room: &str) {
        self.silent_room(room);
        self.hears(room, login("bob", 3, 0));
    }

    fn room_with_two_logins(&mut self, room: &str) {
        self.silent_room(room);
        let life = UserSessionId::new("9").expect("a valid id");
        let mut second = login("ann", 2, 0);
        second.user_session_id = Some(life);
        self.hears(room, second);
    }

    fn questions(&mut self) -> Vec<Question> {
        std::iter::from_fn(|| self.registry.next_question()).collect()
    }

    /// Which rooms it asks about within so many looks; what was let go is so only now and then.
    fn asked_of_in(&mut self, looks: usize) -> Vec<String> {
        let looked = (0..looks).filter_map(|_| self.registry.next_question());
        let mut rooms: Vec<_> = looked.map(|question| question.room_id.to_string()).collect();
        rooms.dedup();
        rooms
    }

    /// The media server has Ann in every room.
    fn answer(&mut self, question: &Question) {
        let ann = ObservedUser::new(UserId::new("ann").expect("a valid id"));
        let mut answer = Observation::new(question.room_id.clone(), self.clock.now());
        if question.users {
            answer = answer.users([ann]);
        }
        if question.streams {
            answer = answer.streams([]);
        }
        self.registry.apply_observation(&answer).expect("it is consistent");
    }

    fn answer_all(&mut self) {
        for question in self.questions() {
            self.answer(&question);
        }
    }

    fn answer_with_nobody(&mut self) {
        self.clock.set(at(10));
        for question in self.questions() {
            let nobody = Observation::new(question.room_id, self.clock.now()).users([]).streams([]);
            self.registry.apply_observation(&nobody).expect("it is consistent");
        }
    }
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_secs(START + seconds)
}

fn login(user: &str, counter: u64, seconds: u64) -> UserLoggedIn {
    let life = UserSessionId::new(format!("{user}{counter}")).expect("a valid id");
    UserLoggedIn::new(UserId::new(user).expect("a valid id"), at(seconds))
        .user_session_id(life)
        .counter(counter)
}
