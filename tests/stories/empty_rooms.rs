//! Rooms that no command created, and that everybody left without a close.

use std::time::Duration;

use room_registry::event::{CallbackEvent, LogoutReason};
use room_registry::{
    Callback, Cause, ChangeKind, Config, ConfigBuilder, Lifecycle, Mirror, NewRoom, Observation,
    Outcome, Role, RoomId, Timestamp, UserUpdate,
};
use room_registry_world::story::{
    Story, at, created, login, logout, observation, session, stream_closed, stream_created, user,
};

/// The next instant at which something is due.
fn due(story: &Story) -> Option<Timestamp> {
    story.registry.next_expiry()
}

/// Settings under which nothing else is due.
fn quiet() -> ConfigBuilder {
    Config::builder().report_after(Duration::MAX)
}

/// A room that opened at 0, and that its only user left at 60.
fn left_room(config: Config) -> Story {
    let mut story = Story::with(config);
    story.hears(at(0), created(0));
    story.hears(at(1), login("ann", 1, 1));
    story.hears(at(60), logout("ann", 1, 1, 60));
    story
}

/// The application closed the room by the vendor's own call, which tells no close unless it is asked to.
/// Holds law 4.10.
#[test]
fn a_room_that_everybody_left_without_a_close_leaves_the_list() {
    let mut story = left_room(quiet().build().unwrap());
    assert!(story.is_open());
    assert_eq!(due(&story), Some(at(360)));
    story.clock.set(Timestamp::from_millis(at(360).as_millis() - 1));
    assert_eq!(story.registry.expire().unlisted, 0);
    story.passes_to(360);
    let mut mirror: Mirror = story.registry.rooms().collect();
    let expired = story.registry.expire();
    assert_eq!((expired.unlisted, expired.rooms, expired.steps()), (1, 0, 1));
    assert!(!story.is_open());
    let causes: Vec<_> = story.registry.changes().map(|change| change.cause).collect();
    assert!(causes.iter().all(|cause| *cause == Cause::EmptyRoom), "{causes:?}");
    story.registry.changes().for_each(|change| mirror.apply(&change));
    assert_eq!(mirror, story.registry.rooms().collect());

    // What is known of the session stays: it is the same one that shows again.
    story.hears(at(400), login("bob", 2, 400));
    assert_eq!(story.users(), ["bob"]);
    let session = story.registry.room("r").unwrap().session().unwrap().clone();
    assert_eq!((session.opened_at, session.inferred), (Some(at(0)), false));
}

/// Holds laws 4.10 and 5.6.
#[test]
fn thirty_rooms_that_were_left_are_forgotten_within_the_day() {
    const DAY: u64 = 86_400;
    let mut story = Story::with(quiet().build().unwrap());
    let tell = |story: &mut Story, room: u64, now: Timestamp, event: CallbackEvent| {
        story.clock.set(now);
        let room_id = RoomId::new(format!("room-{room}")).unwrap();
        story.registry.apply_callback(&Callback::new(room_id, session(), event))
    };
    let came_at = at(0) + Duration::from_millis(10);
    for room in 0..30 {
        tell(&mut story, room, at(0), created(0).into());
    }
    for room in 0..30 {
        let mut came = login("ann", 1, 0);
        came.login_at = came_at;
        tell(&mut story, room, came_at, came.into());
    }
    for room in 0..30 {
        let left = logout("ann", 1, 0, 60).login_at(came_at).reason(LogoutReason::KickedOut);
        tell(&mut story, room, at(60), left.into());
    }
    story.clock.set(at(360) - Duration::from_millis(1));
    assert_eq!(story.registry.expire().unlisted, 0);
    assert_eq!(story.registry.room_count(), 30, "until the last millisecond");
    story.passes_to(360);
    assert_eq!(story.registry.expire().unlisted, 30);
    assert_eq!(story.registry.room_count(), 0);
    story.passes_to(DAY);
    story.registry.expire();
    story.passes_to(2 * DAY);
    story.registry.expire();
    assert_eq!((story.registry.room_count(), story.registry.held_room_count()), (0, 0));
    // The vendor's session of one of them went on all the same.
    let back = login("ann", 3, 2 * DAY);
    assert_eq!(tell(&mut story, 7, at(2 * DAY), back.into()), Outcome::Applied);
    let listed: Vec<_> = story.registry.rooms().map(|room| room.id().to_string()).collect();
    assert_eq!(listed, ["room-7"]);
    let room = story.registry.room("room-7").unwrap();
    assert_eq!((room.user_count(), room.session().unwrap().inferred), (1, true));
}

/// Holds law 4.10.
#[test]
fn an_hour_after_everybody_left_a_login_shows_an_inferred_session() {
    let mut story = left_room(quiet().build().unwrap());
    story.passes_to(360);
    story.registry.expire();
    story.passes_to(3_600);
    story.registry.expire();
    assert_eq!(story.registry.held_room_count(), 0);
    story.hears(at(3_600), login("bob", 3, 3_600));
    assert!(story.registry.room("r").unwrap().session().unwrap().inferred);
}

/// Holds law 4.10.
#[test]
fn where_sessions_are_not_inferred_a_forgotten_room_needs_an_observation_or_a_creation() {
    let forgotten = || {
        let mut story = left_room(quiet().infer_sessions(false).build().unwrap());
        assert!(story.is_open());
        story.passes_to(360);
        assert_eq!(story.registry.expire().unlisted, 1);
        story.passes_to(3_600);
        story.registry.expire();
        assert_eq!(story.registry.held_room_count(), 0);
        assert_eq!(story.hears(at(3_660), login("bob", 3, 3_660)), Outcome::Held);
        assert!(!story.is_open());
        story
    };
    let seen_at = |seconds| observation(seconds).users([user("bob")]).streams([]);
    for seen in [seen_at(3_670), seen_at(3_670).session_id(session())] {
        let mut story = forgotten();
        story.passes_to(3_670);
        assert_eq!(story.sees(&seen), Outcome::Applied);
        assert_eq!(story.users(), ["bob"]);
    }
    let mut story = forgotten();
    assert_eq!(story.hears(at(3_670), created(0)), Outcome::TooLate, "a repeat is not a new one");
    assert!(!story.is_open());
    assert_eq!(story.hears_of("2", at(3_671), created(3_671)), Outcome::Applied);
    assert_eq!(story.session().as_deref(), Some("2"));
}

/// Holds law 4.10.
#[test]
fn a_room_that_nobody_came_into_is_listed_for_as_long() {
    let mut story = Story::with(quiet().build().unwrap());
    story.hears(at(7), created(0));
    assert_eq!(due(&story), Some(at(307)));
    // Another session begins its own time.
    story.hears_of("2", at(200), created(200));
    assert_eq!(due(&story), Some(at(500)));
    story.passes_to(500);
    assert_eq!(story.registry.expire().unlisted, 1);
    story.hears_of("3", at(501), created(501));
    assert_eq!(story.session().as_deref(), Some("3"), "another session lists the room");
}

/// Holds law 4.10.
#[test]
fn somebody_who_comes_in_time_keeps_the_room_in_the_list() {
    let mut story = left_room(quiet().build().unwrap());
    story.hears(at(359), login("bob", 2, 359));
    story.passes_to(10_000);
    assert_eq!(story.registry.expire().unlisted, 0);
    story.hears(at(10_000), logout("bob", 2, 359, 10_000));
    assert_eq!(due(&story), Some(at(10_300)), "the time begins anew");
}

/// Holds law 4.10.
#[test]
fn a_stream_keeps_the_room_in_the_list() {
    let mut story = Story::with(quiet().build().unwrap());
    story.hears(at(0), created(0));
    story.hears(at(1), stream_created("camera", 1, 1));
    story.passes_to(1_000);
    assert_eq!(story.registry.expire().unlisted, 0);
    story.hears(at(1_000), stream_closed("camera", 2, 1_000));
    story.passes_to(1_300);
    assert_eq!(story.registry.expire().unlisted, 1);
    story.hears(at(1_301), stream_created("screen", 3, 1_301));
    assert_eq!(story.streams(), ["screen"]);
}

/// Holds laws 4.10 and 18.9.
#[test]
fn who_does_not_count_keeps_no_room_in_the_list() {
    let bot = Role::new("bot");
    let config = quiet().uncounted_roles(vec![bot.clone()]).build().unwrap();
    let mut story = left_room(config);
    story.hears(at(61), login("rec", 2, 61).role(bot.clone()));
    story.passes_to(360);
    assert_eq!(story.registry.expire().unlisted, 1);
    story.hears(at(361), login("bot", 3, 361).role(bot.clone()));
    assert!(!story.is_open(), "nor does such a user list it again");
    story.hears(at(362), login("bob", 4, 362));
    assert_eq!(story.users(), ["rec", "bot", "bob"]);
    // The app's word on a role counts as well.
    story.registry.update_user("r", "bob", UserUpdate::new().role(bot)).unwrap();
    story.passes_to(662);
    assert_eq!(story.registry.expire().unlisted, 1);
}

/// Holds law 4.10.
#[test]
fn a_room_that_a_command_created_follows_its_lifecycle() {
    let mut story = left_room(quiet().build().unwrap());
    let room = NewRoom::new("r", "tom").lifecycle(Lifecycle::UntilEnded);
    story.registry.create_room(room.clone()).unwrap();
    assert_eq!(due(&story).filter(|due| *due <= at(600)), None);
    story.passes_to(10_000);
    assert_eq!(story.registry.expire().unlisted, 0);
    assert!(story.is_open());

    // A creation also shows again the session of a room that had left the list.
    let mut story = left_room(quiet().build().unwrap());
    story.passes_to(360);
    story.registry.expire();
    story.registry.create_room(room).unwrap();
    assert_eq!(story.session().as_deref(), Some("1"));
    assert_eq!(story.registry.expire().unlisted, 0);
}

/// Holds law 4.10.
#[test]
fn without_a_listing_time_an_empty_room_is_listed_for_ever() {
    let mut story = left_room(quiet().empty_listing_time(None).build().unwrap());
    story.passes_to(1_000_000);
    assert_eq!(story.registry.expire().unlisted, 0);
    assert!(story.is_open());
    let mut story = left_room(quiet().empty_listing_time(Some(Duration::ZERO)).build().unwrap());
    assert_eq!(story.registry.expire().unlisted, 1, "none at all is a time too");
}

/// Holds law 4.10.
#[test]
fn a_room_that_was_seen_open_and_empty_leaves_the_list() {
    let mut story = Story::with(quiet().empty_means_closed(false).build().unwrap());
    story.passes_to(10);
    let empty: Observation = observation(10).open(true).users([]).streams([]);
    story.sees(&empty);
    assert!(story.is_open());
    story.passes_to(310);
    assert_eq!(story.registry.expire().unlisted, 1);
    story.passes_to(320);
    story.sees(&observation(320).open(true).users([]).streams([]));
    assert!(!story.is_open(), "nothing is new");
    story.passes_to(330);
    story.sees(&observation(330).open(true).users([user("ann")]).streams([]));
    assert_eq!(story.users(), ["ann"]);
}

/// Holds laws 1.7 and 4.10.
#[test]
fn a_room_that_left_the_list_is_stored_so() {
    let mut story = left_room(quiet().build().unwrap());
    story.passes_to(360);
    story.registry.expire();
    let room = story.registry.export("r").unwrap();
    let json = serde_json::to_string(&room).unwrap();
    let mut restored: room_registry::Room = serde_json::from_str(&json).unwrap();
    assert!(restored.view().is_none());
    assert_eq!(serde_json::to_string(&restored).unwrap(), json);
    assert_eq!(restored.next_expiry(&Config::default()), room.next_expiry(&Config::default()));
    restored.expire(&Config::default(), at(361)).unwrap();
    assert!(restored.view().is_none());
}

/// Of two replicas one saw that everybody left, and the other that somebody came. Holds law 4.11.
#[test]
fn who_is_there_for_one_replica_is_there_for_both() {
    let mut one = left_room(quiet().build().unwrap());
    one.passes_to(360);
    one.registry.expire();
    let mut other = left_room(quiet().build().unwrap());
    other.hears(at(350), login("bob", 2, 350));
    other.passes_to(360);
    let (one, other) = (one.registry.export("r").unwrap(), other.registry.export("r").unwrap());
    for (mut room, more) in [(one.clone(), other.clone()), (other, one)] {
        room.merge(more, &Config::default(), at(360)).unwrap();
        let users: Vec<_> =
            room.view().unwrap().users().map(|user| user.id().to_string()).collect();
        assert_eq!(users, ["bob"]);
    }
}

/// Holds law 4.10.
#[test]
fn an_empty_room_waits_as_long_if_the_clock_is_set_back() {
    let mut story = left_room(quiet().build().unwrap());
    story.passes_to(20);
    story.registry.expire();
    assert_eq!(due(&story), Some(at(320)));
    story.passes_to(320);
    story.registry.expire();
    assert!(!story.is_open());
    let unlisted = |kind: &ChangeKind| matches!(kind, ChangeKind::RoomUnlisted);
    assert!(story.registry.changes().any(|change| unlisted(&change.kind)));
}

/// One replica saw both users leave. In the other, one of them is still there. Holds law 4.11.
#[test]
fn after_a_merge_the_time_begins_anew_if_somebody_was_there_for_one_replica() {
    let config = quiet().build().unwrap();
    let mut one = left_room(config.clone());
    one.hears(at(352), logout("bob", 2, 350, 351));
    one.passes_to(360);
    one.registry.expire();
    assert!(!one.is_open());
    let mut other = left_room(config.clone());
    other.hears(at(350), login("bob", 2, 350));
    other.passes_to(361);
    let (one, other) = (one.registry.export("r").unwrap(), other.registry.export("r").unwrap());
    for (mut room, more) in [(one.clone(), other.clone()), (other, one)] {
        room.merge(more, &config, at(361)).unwrap();
        assert_eq!(room.view().unwrap().user_count(), 0);
        assert_eq!(room.next_expiry(&config), Some(at(661)));
    }
}

/// Holds law 4.11.
#[test]
fn of_two_replicas_in_which_the_room_is_empty_the_later_time_counts() {
    let config = quiet().build().unwrap();
    let one = left_room(config.clone());
    let mut other = left_room(config.clone());
    other.hears(at(70), login("bob", 2, 70));
    other.hears(at(90), logout("bob", 2, 70, 90));
    assert_eq!((due(&one), due(&other)), (Some(at(360)), Some(at(390))));
    let (one, other) = (one.registry.export("r").unwrap(), other.registry.export("r").unwrap());
    for (mut room, more) in [(one.clone(), other.clone()), (other, one)] {
        room.merge(more, &config, at(91)).unwrap();
        assert_eq!(room.next_expiry(&config), Some(at(390)));
    }
}
