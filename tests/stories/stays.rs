//! Stays in both forms: named, exclusive or not, and ordered. Each story holds in every order of arrival.

use room_registry::event::{
    CallbackEvent, RoomClosed, RoomCreated, StreamClosed, StreamCreated, UserLoggedIn,
    UserLoggedOut,
};
use room_registry::{
    Config, NewUser, Outcome, Role, RoomRef, StreamId, StreamSessionId, Text, Timestamp, UserId,
    UserRef, UserSessionId,
};
use room_registry_world::story::{Story, at, created};

/// Tells a history in every order, and looks at the room after each.
#[track_caller]
fn in_every_order(history: &[CallbackEvent], check: impl Fn(RoomRef<'_>)) {
    let mut order: Vec<usize> = (0..history.len()).collect();
    permute(&mut order, 0, &mut |order| {
        let mut story = Story::new();
        story.hears(at(60), created(0));
        for index in order {
            story.hears(at(60), history[*index].clone());
        }
        check(story.registry.room("r").expect("the room is open"));
    });
}

fn permute(order: &mut [usize], from: usize, each: &mut impl FnMut(&[usize])) {
    if from == order.len() {
        return each(order);
    }
    for index in from..order.len() {
        order.swap(from, index);
        permute(order, from + 1, each);
        order.swap(from, index);
    }
}

fn opened(life: Option<&str>, seconds: u64) -> StreamCreated {
    let life = life.map(|life| StreamSessionId::new(life).unwrap());
    StreamCreated::new(StreamId::new("live").unwrap(), at(seconds)).stream_session_id(life)
}

fn closed(life: Option<&str>, seconds: u64) -> StreamClosed {
    let life = life.map(|life| StreamSessionId::new(life).unwrap());
    StreamClosed::new(StreamId::new("live").unwrap(), at(seconds)).stream_session_id(life)
}

fn login(stay: Option<&str>, seconds: u64) -> UserLoggedIn {
    let stay = stay.map(|stay| UserSessionId::new(stay).unwrap());
    UserLoggedIn::new(UserId::new("ann").unwrap(), at(seconds)).user_session_id(stay)
}

fn logout(stay: Option<&str>, seconds: u64) -> UserLoggedOut {
    let stay = stay.map(|stay| UserSessionId::new(stay).unwrap());
    UserLoggedOut::new(UserId::new("ann").unwrap(), at(seconds)).user_session_id(stay)
}

fn life(room: RoomRef<'_>) -> Option<String> {
    Some(room.stream("live")?.stream_session_id()?.to_string())
}

fn stay(room: RoomRef<'_>) -> Option<String> {
    room.user("ann").and_then(UserRef::user_session_id).map(ToString::to_string)
}

/// Holds law 3.6.
#[test]
fn a_stream_without_counters_outlives_the_closing_of_its_life_before() {
    let closings = [closed(Some("A"), 45).created_at(at(10)), closed(Some("A"), 45)];
    for closing in closings {
        let history = [opened(Some("A"), 10).into(), opened(Some("B"), 40).into(), closing.into()];
        in_every_order(&history, |room| assert_eq!(life(room).as_deref(), Some("B")));
    }
}

/// Holds law 3.11.
#[test]
fn of_two_publishers_of_one_stream_either_keeps_it_open() {
    let both = [
        opened(Some("A"), 10).exclusive(false).into(),
        opened(Some("B"), 40).exclusive(false).into(),
        closed(Some("B"), 45).exclusive(false).into(),
    ];
    in_every_order(&both, |room| assert_eq!(life(room).as_deref(), Some("A")));
    let neither = [&both[..], &[closed(Some("A"), 46).exclusive(false).into()]].concat();
    in_every_order(&neither, |room| assert_eq!(life(room), None));
}

/// Holds law 3.11.
#[test]
fn of_two_devices_of_one_user_either_keeps_the_user() {
    let history = [
        login(Some("t1"), 1).exclusive(false).into(),
        login(Some("t2"), 2).exclusive(false).into(),
        logout(Some("t2"), 3).exclusive(false).into(),
    ];
    in_every_order(&history, |room| assert_eq!(stay(room).as_deref(), Some("t1")));
}

/// Holds law 3.11.
#[test]
fn a_closing_ends_only_a_stay_that_excludes_others_as_it_says() {
    let history = [login(Some("t1"), 1).exclusive(false).into(), logout(Some("t1"), 30).into()];
    in_every_order(&history, |room| assert_eq!(stay(room).as_deref(), Some("t1")));
}

/// Holds law 3.12.
#[test]
fn a_user_without_ids_is_there_by_the_last_event() {
    let history = [login(None, 1).into(), logout(None, 20).into(), login(None, 22).into()];
    in_every_order(&history, |room| {
        let login = room.user("ann").expect("she is back").login().expect("by a login");
        assert_eq!((login.user_session_id, login.login_at), (None, at(22)));
    });
    let gone = [&history[..], &[logout(None, 30).into()]].concat();
    in_every_order(&gone, |room| assert!(room.user("ann").is_none()));
}

/// Holds law 3.12.
#[test]
fn at_equal_orders_the_closing_wins() {
    let history = [
        login(None, 1).order(1).into(),
        logout(None, 1).order(2).into(),
        login(None, 1).order(3).into(),
    ];
    in_every_order(&history, |room| assert!(room.user("ann").is_some()));
    let tied = [login(None, 1).order(5).into(), logout(None, 1).order(5).into()];
    in_every_order(&tied, |room| assert!(room.user("ann").is_none()));
}

/// Holds law 3.13. A stay id may come back within the clock skew of a closing that tells no opening time.
/// It cannot be told from a late opening then.
#[test]
fn a_named_stay_that_comes_back_at_once_needs_an_order() {
    let history = |order: fn(u64) -> Option<u64>| -> [CallbackEvent; 3] {
        [
            login(Some("7"), 1).order(order(1)).into(),
            logout(Some("7"), 20).order(order(20)).into(),
            login(Some("7"), 22).order(order(22)).into(),
        ]
    };
    in_every_order(&history(|_| None), |room| assert!(room.user("ann").is_none()));
    in_every_order(&history(Some), |room| assert!(room.user("ann").is_some()));
}

/// Holds law 3.12.
#[test]
fn a_change_of_role_is_another_opening() {
    let history = [
        login(None, 1).order(1).role(Role::AUDIENCE).into(),
        login(None, 9).order(2).role(Role::HOST).into(),
    ];
    in_every_order(&history, |room| {
        assert_eq!(room.user("ann").unwrap().role(), Some(&Role::HOST));
    });
}

/// Holds law 3.14.
#[test]
fn a_user_told_of_in_both_forms_is_there_by_either() {
    let history = [
        login(Some("7"), 5).into(),
        login(None, 9).into(),
        logout(None, 12).into(),
        RoomCreated::new(at(0)).into(),
    ];
    in_every_order(&history, |room| assert_eq!(stay(room).as_deref(), Some("7")));
    let named_ended =
        [login(Some("7"), 5).into(), logout(Some("7"), 6).into(), login(None, 9).into()];
    in_every_order(&named_ended, |room| {
        assert_eq!(room.user("ann").unwrap().since(), Some(at(9)));
    });
}

/// Holds law 6.1.
#[test]
fn a_leave_closes_what_has_an_order_too() {
    let mut story = Story::new();
    story.hears(at(1), created(0));
    story.hears(at(1), login(None, 1).order(4));
    story.passes_to(10);
    story.registry.leave_room("r", "ann").unwrap();
    story.hears(at(11), login(None, 1).order(4));
    assert!(story.users().is_empty(), "a repeat brings nobody back");
    story.hears(at(12), login(None, 11).order(5));
    assert_eq!(story.users(), ["ann"], "a new login does");
}

/// Holds law 10.1. An order need not be consecutive: only a counter has gaps.
#[test]
fn an_order_has_no_gaps() {
    let mut story = Story::new();
    story.hears(at(1), created(0));
    story.hears(at(1), login(None, 1).order(4));
    story.hears(at(2), login(None, 2).order(9));
    story.passes_to(500);
    story.registry.expire();
    assert!(story.registry.room("r").unwrap().suspicions().is_empty());
}

/// Holds law 3.10.
#[test]
fn a_user_may_have_sixty_four_devices() {
    let mut story = Story::new();
    story.hears(at(1), created(0));
    for device in 0..70_u64 {
        let stay = device.to_string();
        let at = Timestamp::from_millis(at(1).as_millis() + device);
        let user_id = UserId::new("ann").unwrap();
        let stay = UserSessionId::new(stay).unwrap();
        story.hears(at, UserLoggedIn::new(user_id, at).user_session_id(stay).exclusive(false));
    }
    for device in 6..69_u64 {
        story.hears(at(30), logout(Some(&device.to_string()), 30).exclusive(false));
    }
    assert_eq!(story.users(), ["ann"], "device 69 is there");
    story.hears(at(31), logout(Some("69"), 31).exclusive(false));
    assert!(story.users().is_empty(), "the first six went beyond the cap");
}

/// A user was there for two hours, and the role changed at once: that was told two hours late.
/// Holds laws 5.2 and 5.3.
#[test]
fn an_ordered_login_may_be_late_by_hours_if_it_is_of_the_stay_that_shows() {
    for (late, outcome) in [("7", Outcome::Applied), ("8", Outcome::TooLate)] {
        let mut story = Story::new();
        story.hears(at(1), created(0));
        story.hears(at(1), login(Some("7"), 1).order(1).room_name(Text::from("first")));
        let again = login(Some(late), 2).order(2).role(Role::HOST).room_name(Text::from("second"));
        assert_eq!(story.hears(at(7_202), again), outcome, "stay {late}");
        let room = story.registry.room("r").unwrap();
        assert_eq!(stay(room).as_deref(), Some("7"));
        let is_let_in = outcome == Outcome::Applied;
        assert_eq!(room.user("ann").unwrap().role().is_some(), is_let_in);
        let name = if is_let_in { "second" } else { "first" };
        assert_eq!(room.name().unwrap(), name, "it is refused as a whole");
    }
}

/// Without stay ids nothing tells two stays apart, so a late opening counts as one of the stay that shows.
/// Holds law 5.2.
#[test]
fn ordered_openings_without_a_stay_id_count_as_the_same_stay() {
    for (held, late, outcome) in [
        (None, None, Outcome::Applied),
        (None, Some("7"), Outcome::TooLate),
        (Some("7"), None, Outcome::TooLate),
    ] {
        let mut story = Story::new();
        story.hears(at(1), created(0));
        story.hears(at(1), login(held, 1).order(1));
        story.hears(at(1), opened(held, 1).order(1));
        let again = login(late, 2).order(2).role(Role::HOST);
        assert_eq!(story.hears(at(7_202), again), outcome, "login {late:?} after {held:?}");
        let mut again = opened(late, 2).order(2);
        again.details.title = Some("Songs".into());
        assert_eq!(story.hears(at(7_202), again), outcome, "stream {late:?} after {held:?}");
        let room = story.registry.room("r").unwrap();
        let is_let_in = outcome == Outcome::Applied;
        assert_eq!(room.user("ann").unwrap().role().is_some(), is_let_in);
        assert_eq!(room.stream("live").unwrap().details().title.is_some(), is_let_in);
    }
}

/// Ann is in by two devices, and by a login without an id. Holds law 6.1.
#[test]
fn whoever_leaves_goes_with_every_stay_of_either_form() {
    let logins = [
        login(Some("1"), 1).exclusive(false),
        login(Some("2"), 2).exclusive(false),
        login(None, 3),
    ];
    for leaves in [
        |story: &mut Story| story.registry.leave_room("r", "ann").unwrap(),
        |story: &mut Story| story.registry.remove_user("r", "ann", "spam").unwrap(),
    ] {
        let mut story = Story::new();
        story.hears(at(1), created(0));
        for login in &logins {
            story.hears(at(3), login.clone());
        }
        assert_eq!(story.users(), ["ann"]);
        story.passes_to(10);
        leaves(&mut story);
        assert!(story.users().is_empty());
        for login in &logins {
            story.hears(at(11), login.clone());
            assert!(story.users().is_empty(), "it was told before ann left");
        }
        story.hears(at(12), login(Some("3"), 12).exclusive(false));
        assert_eq!(story.users(), ["ann"]);
    }
}

/// The stay that ann left is older than the retention, and she shows by another one meanwhile. Holds laws 1.5,
/// 5.5 and 6.1.
#[test]
fn an_old_stay_of_whoever_left_and_came_back_stays_out_after_a_merge_with_an_older_copy() {
    let mut story = Story::new();
    story.hears(at(1), created(0));
    story.hears(at(1), login(Some("1"), 1).exclusive(false));
    story.passes_to(700);
    let copy = story.registry.export("r").unwrap();
    story.passes_to(710);
    story.registry.leave_room("r", "ann").unwrap();
    story.hears(at(720), login(Some("2"), 720).exclusive(false));
    story.passes_to(725);
    story.registry.expire();
    story.hears(at(730), logout(Some("2"), 730).login_at(at(720)).exclusive(false));
    assert!(story.users().is_empty());
    story.passes_to(740);
    story.registry.import(copy).unwrap();
    assert!(story.users().is_empty());
    // It is forgotten once the command is older than the retention, however often ann comes and goes.
    story.hears(at(741), login(Some("3"), 741).exclusive(false));
    story.passes_to(1_400);
    story.registry.expire();
    let room = story.registry.export("r").unwrap();
    let stored = room_registry_world::view::stored_of(&room);
    assert_eq!(stored.sessions.values().next().unwrap().users["ann"].closings.len(), 0);
}

/// Holds law 6.2.
#[test]
fn a_timeout_ends_every_stay_of_either_form_if_heartbeats_decide() {
    let mut story = Story::with(Config::builder().heartbeats_end_logins(true).build().unwrap());
    story.hears(at(1), created(0));
    story.hears(at(1), login(Some("1"), 1).exclusive(false));
    story.hears(at(2), login(Some("2"), 2).exclusive(false));
    story.hears(at(3), login(None, 3));
    story.registry.join_room("r", NewUser::new("ann")).unwrap();
    story.passes_to(94);
    story.registry.expire();
    assert!(story.users().is_empty());
}

// What no rule can know: the guide says what readers see.

#[test]
fn an_id_of_a_stay_that_is_used_twice_within_a_second_is_one_stay() {
    let (second, end) = (Timestamp::from_millis(at(1).as_millis() + 500), at(3));
    let again = UserLoggedIn::new(UserId::new("ann").unwrap(), second);
    let again = again.user_session_id(UserSessionId::new("1").unwrap());
    let history = [
        login(Some("1"), 1).into(),
        again.into(),
        UserLoggedOut::new(UserId::new("ann").unwrap(), end)
            .user_session_id(UserSessionId::new("1").unwrap())
            .login_at(second)
            .into(),
    ];
    in_every_order(&history, |room| assert_eq!(stay(room), None));
}

#[test]
fn a_change_of_role_from_before_a_leave_that_arrives_after_it_brings_the_user_back() {
    let mut story = Story::new();
    story.hears(at(1), created(0));
    story.hears(at(1), login(Some("1"), 1).order(1));
    story.passes_to(10);
    story.registry.leave_room("r", "ann").unwrap();
    assert!(story.users().is_empty());
    story.hears(at(11), login(Some("1"), 9).order(2).role(Role::HOST));
    assert_eq!(story.users(), ["ann"]);
    story.hears(at(12), logout(Some("1"), 10).order(3));
    assert!(story.users().is_empty(), "until the vendor's own logout");
}

#[test]
fn a_session_id_that_lives_twice_is_closed_with_the_first_close() {
    let mut story = Story::new();
    story.hears(at(0), created(0));
    story.hears(at(60), RoomClosed::new(at(60)));
    story.hears(at(61), created(61));
    story.hears(at(61), login(Some("1"), 61));
    assert!(!story.is_open());
}
