//! The followers beside the mirror: announcements that do not flicker, and visits.

use std::time::Duration;

use room_registry::event::{CallbackEvent, LogoutReason, RoomClosed, UserLoggedIn, UserLoggedOut};
use room_registry::journal::Input;
use room_registry::{
    Callback, Change, Config, Debounce, EndReason, Facet, Mirror, NewRoom, NewUser, SessionId,
    Timestamp, UserId, Visit, Visits,
};
use room_registry_world::story::{
    Story, at, created, login, logout, room_id, stream_closed, stream_created,
};

const GRACE: Duration = Duration::from_secs(10);

/// A room with its announcements.
struct Announced {
    story: Story,
    debounce: Debounce,
    mirror: Mirror,
}

impl Announced {
    /// Ann is in the room.
    fn new() -> Self {
        let mut announced =
            Self { story: Story::new(), debounce: Debounce::new(GRACE), mirror: Mirror::default() };
        announced.hears(0, created(0));
        assert_eq!(announced.hears(1, login("ann", 1, 1)), ["user_joined"]);
        announced
    }

    fn hears(&mut self, seconds: u64, event: impl Into<CallbackEvent>) -> Vec<&'static str> {
        self.story.hears(at(seconds), event);
        self.told(at(seconds))
    }

    /// Returns what the last call leads to.
    fn told(&mut self, now: Timestamp) -> Vec<&'static str> {
        let changes: Vec<_> = self.story.registry.changes().collect();
        let passed = changes.into_iter().flat_map(|change| self.debounce.apply(change, now));
        let passed: Vec<_> = passed.collect();
        self.see(&passed)
    }

    fn waits_until(&mut self, seconds: u64) -> Vec<&'static str> {
        let passed = self.debounce.take_due(at(seconds));
        self.see(&passed)
    }

    fn see(&mut self, passed: &[Change]) -> Vec<&'static str> {
        for change in passed {
            self.mirror.apply(change);
        }
        passed.iter().map(|change| change.kind.name()).collect()
    }

    fn equals_the_registry(&self) -> bool {
        self.mirror == self.story.registry.rooms().collect()
    }
}

fn logout_because(reason: LogoutReason, seconds: u64) -> UserLoggedOut {
    let mut event = logout("ann", 1, 1, seconds);
    event.reason = Some(reason);
    event
}

/// Holds laws 20.1 and 20.3.
#[test]
fn a_user_who_loses_the_connection_and_is_back_within_the_grace_is_told_neither_gone_nor_joined() {
    let mut announced = Announced::new();
    assert_eq!(announced.hears(60, logout_because(LogoutReason::ConnectionLost, 60)), [""; 0]);
    assert_eq!(announced.debounce.next_due(), Some(at(70)));
    let told = announced.hears(62, login("ann", 3, 62));
    assert_eq!(told, ["user_updated"], "nobody comes and nobody goes; the login is another");
    assert_eq!(announced.debounce.next_due(), None);
    assert_eq!(announced.waits_until(1_000), [""; 0]);
    assert!(announced.equals_the_registry());
}

/// Holds law 20.1.
#[test]
fn a_user_who_leaves_is_told_gone_at_once_and_joined_again() {
    let mut announced = Announced::new();
    assert_eq!(announced.hears(60, logout_because(LogoutReason::Normal, 60)), ["user_left"]);
    assert_eq!(announced.hears(62, login("ann", 3, 62)), ["user_joined"]);
    assert!(announced.equals_the_registry());
}

/// Holds laws 20.2 and 20.4.
#[test]
fn a_user_who_does_not_come_back_is_told_gone_after_the_grace() {
    let mut announced = Announced::new();
    announced.hears(60, logout_because(LogoutReason::HeartbeatTimeout, 60));
    assert_eq!(announced.waits_until(69), [""; 0]);
    assert!(!announced.equals_the_registry());
    assert_eq!(announced.debounce.waiting().count(), 1);
    assert_eq!(announced.waits_until(70), ["user_left"]);
    assert!(announced.equals_the_registry());
    assert_eq!(announced.hears(71, login("ann", 3, 71)), ["user_joined"]);
}

/// Holds law 20.2.
#[test]
fn whoever_is_back_too_late_is_told_gone_first_though_nobody_asked_what_is_due() {
    let mut announced = Announced::new();
    announced.hears(60, logout_because(LogoutReason::ConnectionLost, 60));
    assert_eq!(announced.hears(70, login("ann", 3, 70)), ["user_left", "user_joined"]);
}

/// Holds law 20.5.
#[test]
fn a_session_that_closes_ends_the_waiting_in_its_room() {
    let mut announced = Announced::new();
    announced.story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
    announced.told(at(1));
    announced.hears(60, logout_because(LogoutReason::ConnectionLost, 60));
    assert_eq!(announced.hears(61, RoomClosed::new(at(61))), ["user_left", "session_closed"]);
    assert!(announced.equals_the_registry());
    assert_eq!(announced.debounce.next_due(), None);
}

/// Holds laws 20.1 and 20.3.
#[test]
fn a_stream_that_stops_and_starts_again_is_not_told_of() {
    let mut announced = Announced::new();
    announced.hears(5, stream_created("camera", 1, 5));
    assert_eq!(announced.hears(60, stream_closed("camera", 2, 60)), [""; 0], "no reason was told");
    assert_eq!(announced.hears(62, stream_created("camera", 3, 62)), ["stream_updated"]);
    assert!(announced.equals_the_registry());
}

/// Holds law 20.6.
#[test]
fn a_clock_that_goes_back_makes_nobody_wait_for_longer_than_the_grace() {
    let mut announced = Announced::new();
    announced.hears(60, logout_because(LogoutReason::ConnectionLost, 60));
    assert_eq!(announced.waits_until(20), [""; 0]);
    assert_eq!(announced.debounce.next_due(), Some(at(30)));
    assert_eq!(announced.waits_until(30), ["user_left"]);
}

/// Holds law 20.6.
#[test]
fn beyond_the_cap_whoever_waited_longest_is_told_gone() {
    let mut announced = Announced::new();
    // Many small rooms, as a check after each operation may cost what is in the room.
    for user in 0..Debounce::MAX_WAITING + 3 {
        let room = format!("room{}", user / 100);
        if user % 100 == 0 {
            announced.story.registry.create_room(NewRoom::new(room.as_str(), "tom")).unwrap();
        }
        let user = NewUser::new(format!("user{user}"));
        announced.story.registry.join_room(&room, user).unwrap();
    }
    announced.story.passes_to(200);
    announced.story.registry.expire();
    assert_eq!(announced.told(at(200)), ["user_left"; 3]);
    assert_eq!(announced.debounce.waiting().count(), Debounce::MAX_WAITING);
    assert_eq!(announced.waits_until(210).len(), Debounce::MAX_WAITING);
}

fn told(event: impl Into<CallbackEvent>) -> Input {
    Callback::new(room_id(), SessionId::new("1").unwrap(), event).into()
}

fn seconds(visits: &[Visit]) -> Vec<(u64, u64)> {
    let since = |time: Timestamp| time.since(at(0)).as_secs();
    visits.iter().map(|visit| (since(visit.from), since(visit.to))).collect()
}

/// Holds laws 19.1, 19.2 and 19.3.
#[test]
fn a_logout_before_its_login_and_both_again_hours_later_make_one_visit() {
    for tells_login in [false, true] {
        let mut visits = Visits::new(&Config::default());
        let mut event = logout("ann", 1, 10, 60);
        event.login_at = event.login_at.filter(|_| tells_login);
        let (logout, login) = (told(event), told(login("ann", 1, 10)));
        let mut made = visits.apply(&logout, at(61));
        made.extend(visits.apply(&login, at(63)));
        assert_eq!(seconds(&made), [(10, 60)]);
        assert_eq!(made[0].facet, Facet::Login);
        for later in [64, 10_000, 20_000] {
            assert_eq!(visits.apply(&logout, at(later)), []);
            assert_eq!(visits.apply(&login, at(later + 1)), []);
        }
        assert_eq!(visits.held_count(), 0);
    }
}

/// Holds law 19.1.
#[test]
fn where_logins_have_no_names_a_visit_is_what_a_logout_tells_and_nothing_else() {
    let user_id = || UserId::new("ann").unwrap();
    let login = |seconds, order| told(UserLoggedIn::new(user_id(), at(seconds)).order(order));
    let logout = |order, from: Option<u64>| {
        told(UserLoggedOut::new(user_id(), at(60)).order(order).login_at(from.map(at)))
    };
    // The close of the session must not make a visit of a login whose logout came.
    let mut visits = Visits::new(&Config::default());
    for callback in [login(10, None), logout(None, None), told(RoomClosed::new(at(100)))] {
        assert_eq!(visits.apply(&callback, at(101)), []);
    }
    assert_eq!((visits.take_due(at(1_000)), visits.held_count()), (vec![], 0));
    // A login that comes again, as with another role, is none of its own.
    let mut visits = Visits::new(&Config::default());
    assert_eq!(visits.apply(&login(1, Some(1)), at(1)), []);
    assert_eq!(visits.apply(&login(9, Some(2)), at(9)), []);
    assert_eq!(seconds(&visits.apply(&logout(Some(3), Some(1)), at(60))), [(1, 60)]);
    assert_eq!(visits.apply(&logout(Some(3), Some(1)), at(70)), []);
    visits.apply(&told(RoomClosed::new(at(100))), at(101));
    assert_eq!(visits.take_due(at(1_000)), []);
}

/// Holds law 19.4.
#[test]
fn a_login_without_a_logout_ends_with_its_session_once_no_logout_is_to_be_expected() {
    let mut visits = Visits::new(&Config::default());
    visits.apply(&told(login("ann", 1, 10)), at(10));
    visits.apply(&told(login("bob", 2, 20)), at(20));
    visits.apply(&told(RoomClosed::new(at(100))), at(101));
    let bobs = visits.apply(&told(logout("bob", 2, 20, 99)), at(150));
    assert_eq!(seconds(&bobs), [(20, 99)], "a logout after the close counts");
    assert_eq!(visits.take_due(at(191)), []);
    assert_eq!(visits.next_due(), Some(at(191) + Duration::from_millis(1)));
    let anns = visits.take_due(at(192));
    assert_eq!(seconds(&anns), [(10, 100)]);
    assert_eq!(anns[0].reason, EndReason::RoomClosed);
    assert_eq!(visits.apply(&told(logout("ann", 1, 10, 99)), at(200)), []);
}

/// Holds law 19.4.
#[test]
fn the_close_of_a_session_ends_no_login_that_began_after_it() {
    let mut visits = Visits::new(&Config::default());
    visits.apply(&told(RoomClosed::new(at(100))), at(101));
    visits.apply(&told(login("ann", 1, 103)), at(103));
    assert_eq!(visits.take_due(at(1_000)), []);
    assert_eq!(seconds(&visits.apply(&told(logout("ann", 1, 103, 999)), at(1_000))), [(103, 999)]);
}

/// Holds law 19.5.
#[test]
fn a_visit_that_was_told_late_is_remembered_from_then_on() {
    let mut visits = Visits::new(&Config::default());
    visits.apply(&told(login("ann", 1, 10)), at(10));
    assert_eq!(seconds(&visits.apply(&told(logout("ann", 1, 10, 60)), at(5_000))), [(10, 60)]);
    assert_eq!(visits.next_due(), Some(at(5_605) + Duration::from_millis(1)));
    visits.take_due(at(5_605));
    assert_eq!(visits.held_count(), 1);
    visits.take_due(at(5_606));
    assert_eq!(visits.held_count(), 0);
}

/// Holds law 19.6.
#[test]
fn a_login_that_nothing_ends_goes_untold_after_the_longest_stay() {
    let mut visits = Visits::new(&Config::default()).longest_stay(Duration::from_secs(3_600));
    visits.apply(&told(login("ann", 1, 10)), at(10));
    assert_eq!(visits.take_due(at(3_610)), []);
    assert_eq!(visits.held_count(), 1);
    assert_eq!(visits.take_due(at(3_611)), []);
    assert_eq!(visits.held_count(), 0);
}

/// Holds law 19.6.
#[test]
fn the_stays_of_a_user_and_the_closes_of_a_room_are_capped() {
    let mut visits = Visits::new(&Config::default());
    for life in 0..200 {
        visits.apply(&told(logout("ann", life, 10, 60)), at(61)); // told
    }
    assert_eq!(visits.held_count(), Visits::MAX_STAYS);
    let open: Vec<_> = (1_000..1_070).map(|life| told(login("ann", life, life - 950))).collect();
    for login in &open {
        assert_eq!(visits.apply(login, at(200)), []);
    }
    assert_eq!(visits.held_count(), Visits::MAX_STAYS, "who was told goes first");
    let lives = 1_006..1_070;
    let ended = lives.flat_map(|life| {
        let mut event = logout("ann", life, 0, 300);
        event.login_at = None;
        visits.apply(&told(event), at(300))
    });
    assert_eq!(ended.count(), Visits::MAX_STAYS, "then the oldest");

    let mut visits = Visits::new(&Config::default());
    for session in 0..200_u64 {
        let session = SessionId::new(session.to_string()).unwrap();
        let closed = Callback::new(room_id(), session, RoomClosed::new(at(100)));
        visits.apply(&closed.into(), at(100));
    }
    assert_eq!(visits.held_count(), Visits::MAX_CLOSES);
}

/// Nothing is due any more of whom the close had ended that went. Holds laws 19.6 and 19.8.
#[test]
fn a_close_that_goes_beyond_the_cap_leaves_nothing_due() {
    let mut visits = Visits::new(&Config::default());
    let session = |number: usize| SessionId::new(number.to_string()).unwrap();
    let joined = Callback::new(room_id(), session(0), login("ann", 1, 10));
    visits.apply(&joined.into(), at(50));
    for number in 0..=Visits::MAX_CLOSES {
        let closed = RoomClosed::new(at(100 + number as u64));
        visits.apply(&Callback::new(room_id(), session(number), closed).into(), at(200));
    }
    let stored = serde_json::to_string(&visits).unwrap();
    assert_eq!(serde_json::from_str::<Visits>(&stored).unwrap(), visits);
}

/// Holds law 19.3.
#[test]
fn what_is_stamped_in_the_far_future_or_too_old_makes_no_visit() {
    let mut visits = Visits::new(&Config::default());
    assert_eq!(visits.apply(&told(logout("ann", 1, 10, 60_000)), at(100)), []);
    visits.apply(&told(login("bob", 2, 1_399)), at(2_000));
    visits.apply(&told(logout("bob", 3, 1_000, 1_394)), at(2_000));
    assert_eq!(visits.held_count(), 0);
    visits.apply(&told(login("bob", 2, 1_400)), at(2_000));
    visits.apply(&told(logout("bob", 3, 1_000, 1_395)), at(2_000));
    assert_eq!(visits.held_count(), 2);
}

/// Holds law 19.8.
#[test]
fn a_clock_that_goes_back_delays_nothing_by_more_than_its_span() {
    let mut visits = Visits::new(&Config::default());
    visits.apply(&told(login("ann", 1, 10)), at(5_000 - 4_500));
    visits.apply(&told(RoomClosed::new(at(100))), at(505));
    visits.take_due(at(501)); // a small step: it stands still
    assert_eq!(visits.next_due(), Some(at(595) + Duration::from_millis(1)));
    visits.take_due(at(400));
    assert_eq!(visits.next_due(), Some(at(490) + Duration::from_millis(1)));
}

/// Ann stays logged in. The same end is told of as imported if another replica brought it. Holds law 19.7.
#[test]
fn a_membership_that_times_out_beside_a_login_or_in_another_replica_is_told_as_that() {
    let config = Config::default();
    let told = |end: &dyn Fn(&mut Story)| {
        let mut story = Story::new();
        let mut visits = Visits::new(&config);
        let mut follow = |story: &Story, seconds| -> Vec<_> {
            let changes = story.registry.changes();
            let told = changes.flat_map(|change| visits.follow(&change, at(seconds)));
            told.map(|visit| (visit.facet, visit.reason)).collect()
        };
        story.hears(at(0), created(0));
        follow(&story, 0);
        story.hears(at(1), login("ann", 1, 1));
        follow(&story, 1);
        story.registry.join_room("r", NewUser::new("ann")).unwrap();
        follow(&story, 1);
        story.passes_to(200);
        end(&mut story);
        follow(&story, 200)
    };
    let timed_out = told(&|story| {
        story.registry.expire();
    });
    assert_eq!(timed_out, [(Facet::Membership, EndReason::HeartbeatTimeout)]);
    let joined_again = told(&|story| {
        story.registry.join_room("r", NewUser::new("ann")).unwrap();
    });
    assert_eq!(joined_again, timed_out, "the next membership is there at once");
    let imported = told(&|story| {
        let mut replica = story.registry.export("r").unwrap();
        replica.expire(&config, at(200)).unwrap();
        story.registry.import(replica).unwrap();
    });
    assert_eq!(imported, [(Facet::Membership, EndReason::Imported)]);
    let ended = told(&|story| {
        let mut replica = story.registry.export("r").unwrap();
        replica.end(&config, at(200)).unwrap();
        story.registry.import(replica).unwrap();
    });
    assert!(ended.contains(&(Facet::Membership, EndReason::Imported)), "{ended:?}");
}

/// Holds law 19.7.
#[test]
fn a_membership_is_a_visit_from_join_to_leave_timeout_or_the_end_of_the_room() {
    let mut story = Story::new();
    let mut visits = Visits::new(&Config::default());
    let mut told = |story: &mut Story, seconds| -> Vec<(String, u64, EndReason)> {
        let visits =
            story.registry.changes().flat_map(|change| visits.follow(&change, at(seconds)));
        let told = visits.map(|visit| {
            assert_eq!((visit.facet, visit.session_id), (Facet::Membership, None));
            let span = visit.to.since(visit.from).as_secs();
            (visit.user_id.to_string(), span, visit.reason)
        });
        told.collect()
    };
    story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
    for user in ["ann", "bob", "cid"] {
        story.registry.join_room("r", NewUser::new(user)).unwrap();
        assert_eq!(told(&mut story, 0), []);
    }
    story.passes_to(60);
    story.registry.leave_room("r", "ann").unwrap();
    assert_eq!(told(&mut story, 60), [("ann".to_owned(), 60, EndReason::Left)]);
    story.registry.heartbeat("r", "cid").unwrap();
    story.passes_to(100);
    story.registry.expire();
    assert_eq!(told(&mut story, 100), [("bob".to_owned(), 100, EndReason::HeartbeatTimeout)]);
    story.registry.end_room("r").unwrap();
    assert_eq!(told(&mut story, 100), [("cid".to_owned(), 100, EndReason::RoomClosed)]);
}
