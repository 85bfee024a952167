//! Sessions that are heard of late, after the application ended the room.

use std::time::Duration;

use room_registry::event::{CallbackEvent, RoomClosed};
use room_registry::{Callback, Config, NewRoom, Room, SessionId, UserUpdate};
use room_registry_world::story::{
    Story, at, created, login, logout, observation, room_id, session, user,
};

/// The application created the room and ended it. What the media server tells comes late.
/// Holds laws 6.3 and 6.8.
#[test]
fn a_session_that_opened_before_an_end_stays_hidden_however_late_it_is_heard_of() {
    let mut story = Story::new();
    story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
    story.passes_to(60);
    story.registry.end_room("r").unwrap();
    story.hears(at(61), created(0));
    story.hears(at(62), login("ann", 1, 0));
    assert!(!story.is_open());
    story.hears(at(500), logout("ann", 1, 0, 400));
    story.passes_to(100_000);
    story.registry.expire();
    assert_eq!(story.registry.held_room_count(), 0);
}

/// Holds law 6.8.
#[test]
fn a_session_that_an_end_hides_stays_hidden_once_the_end_is_forgotten() {
    let mut story = Story::new();
    story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
    story.passes_to(60);
    story.registry.end_room("r").unwrap();
    story.hears(at(500), created(0));
    story.hears(at(500), login("ann", 1, 0));
    assert!(!story.is_open());
    story.passes_to(700);
    story.registry.expire();
    story.hears(at(701), login("bob", 2, 700));
    assert!(!story.is_open(), "it opened before the end");
}

/// Holds laws 6.8 and 11.6.
#[test]
fn a_session_that_opens_after_an_end_shows() {
    let mut story = Story::new();
    story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
    story.passes_to(60);
    story.registry.end_room("r").unwrap();
    story.hears(at(70), created(60));
    assert!(story.is_open(), "the clocks may be apart by the skew");
    // A callback that came late tells that it had opened before.
    story.hears(at(71), login("ann", 1, 54));
    assert!(!story.is_open());
}

/// Holds law 6.8.
#[test]
fn an_end_in_the_same_millisecond_hides_what_was_heard_before_it_alone() {
    let mut story = Story::new();
    story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
    story.hears_of("1", at(60), created(58));
    story.registry.end_room("r").unwrap();
    assert!(!story.is_open());
    story.hears_of("2", at(60), created(59));
    assert_eq!(story.session().as_deref(), Some("2"));
}

/// Holds law 6.8.
#[test]
fn a_session_stays_on_its_side_of_an_end_if_the_clock_is_set_back() {
    let mut story = Story::new();
    story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
    story.passes_to(60);
    story.hears_of("1", at(60), created(58));
    story.registry.end_room("r").unwrap();
    story.hears_of("2", at(61), created(61));
    story.passes_to(20);
    story.registry.expire();
    assert_eq!(story.session().as_deref(), Some("2"));
    story.hears_of("1", at(20), login("ann", 1, 59));
    assert_eq!(story.session().as_deref(), Some("2"));
}

/// Holds laws 6.5 and 6.8.
#[test]
fn a_second_end_in_the_same_millisecond_hides_what_was_heard_since_the_first() {
    let mut story = Story::new();
    story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
    story.passes_to(60);
    story.registry.end_room("r").unwrap();
    story.hears(at(60), created(59));
    assert!(story.is_open());
    story.registry.end_room("r").unwrap();
    assert!(!story.is_open());
}

/// One replica heard of the session before the end, or of an opening before it. The other, which ended the
/// room, heard of it later. Holds law 6.8.
#[test]
fn after_a_merge_the_earlier_time_counts_at_which_a_session_was_heard_of_or_opened() {
    let config = Config::default();
    let hear = |room: &mut Room, now: u64, event: CallbackEvent| {
        room.apply(&Callback::new(room_id(), session(), event), &config, at(now)).unwrap();
    };
    let mut other = Room::new(room_id(), &config);
    other.create(NewRoom::new("r", "tom"), &config, at(0)).unwrap();
    other.end(&config, at(60)).unwrap();
    hear(&mut other, 61, login("ann", 1, 58).into());
    assert!(other.view().is_some(), "by what it knows, the session opened after the end");

    let mut first = login("bob", 2, 0);
    first.login_at = at(0) + Duration::from_millis(30);
    for (now, event) in [(59, created(58).into()), (500, first.into())] {
        let mut one = Room::new(room_id(), &config);
        hear(&mut one, now, event);
        assert!(one.view().is_some(), "it knows of no end");
        for (mut room, more) in [(one.clone(), other.clone()), (other.clone(), one)] {
            room.merge(more, &config, at(500)).unwrap();
            assert!(room.view().is_none(), "heard of at {now}");
        }
    }
}

/// Holds law 6.8.
#[test]
fn an_end_keeps_what_is_known_of_a_session_as_a_fact_of_it_would() {
    let mut story = Story::new();
    story.hears(at(1), created(0));
    story.hears(at(1), login("ann", 1, 0));
    story.passes_to(600);
    story.registry.end_room("r").unwrap();
    story.passes_to(620);
    story.registry.expire();
    story.hears(at(640), login("bob", 2, 640));
    assert!(!story.is_open());
}

/// The retention and the clock skew are 605 s together. Holds law 6.8.
#[test]
fn a_hidden_session_of_which_nothing_more_is_heard_is_forgotten_and_shows_with_its_next_opening() {
    let last_at = at(60 + 605);
    for (now, shows) in [(last_at, false), (last_at + Duration::from_millis(1), true)] {
        let mut story = Story::new();
        story.hears(at(1), created(0));
        story.hears(at(1), login("ann", 1, 0));
        story.passes_to(60);
        story.registry.end_room("r").unwrap();
        story.hears(now, login("bob", 2, 665));
        assert_eq!(story.is_open(), shows);
    }
}

/// The retention is 600 s. Holds laws 5.1 and 7.3.
#[test]
fn an_end_is_forgotten_after_the_retention_whether_somebody_swept_or_not() {
    for sweeps in [true, false] {
        let mut story = Story::new();
        story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
        story.passes_to(60);
        story.registry.end_room("r").unwrap();
        story.passes_to(661);
        if sweeps {
            story.registry.expire();
        }
        story.hears(at(661), logout("ann", 1, 0, 661));
        story.hears(at(661), login("bob", 2, 661));
        assert!(story.is_open(), "swept: {sweeps}");
    }
}

/// Holds laws 1.1 and 6.8.
#[test]
fn an_end_hides_a_session_that_was_created_before_it_in_whatever_order_two_creations_arrive() {
    for order in [[50, 57], [57, 50]] {
        let mut story = Story::new();
        story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
        story.passes_to(60);
        story.registry.end_room("r").unwrap();
        for created_at in order {
            story.hears(at(61), created(created_at));
        }
        assert!(!story.is_open(), "{order:?}");
    }
}

/// Only a look knows of the session, and the login is below the floor. Holds law 6.8.
#[test]
fn an_end_hides_a_session_by_the_first_opening_that_is_told_of_it() {
    let mut story = Story::new();
    story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
    story.passes_to(60);
    story.registry.end_room("r").unwrap();
    story.hears_of("2", at(66), created(58));
    story.hears_of("2", at(66), RoomClosed::new(at(59)));
    story.sees(&observation(65).session_id(session()).open(true));
    assert!(story.is_open());
    story.hears(at(66), login("ann", 1, 50));
    assert!(!story.is_open(), "it opened before the end");
}

/// The replica that heard of the session knows of no end. Holds laws 6.8 and 7.1.
#[test]
fn after_a_merge_an_opening_below_the_floor_counts_too() {
    let config = Config::default();
    let mut ended = Room::new(room_id(), &config);
    ended.create(NewRoom::new("r", "tom"), &config, at(0)).unwrap();
    ended.end(&config, at(60)).unwrap();
    let heard = |mut room: Room| {
        let mut hear = |session: &str, event: CallbackEvent| {
            let callback = Callback::new(room_id(), SessionId::new(session).unwrap(), event);
            room.apply(&callback, &config, at(61)).unwrap();
        };
        hear("2", created(58).into());
        hear("2", RoomClosed::new(at(59)).into());
        hear("1", login("ann", 1, 59).into());
        hear("1", login("bob", 2, 50).into());
        room
    };
    let mut merged = heard(Room::new(room_id(), &config));
    merged.merge(ended.clone(), &config, at(62)).unwrap();
    assert!(heard(ended).view().is_none(), "in one room");
    assert!(merged.view().is_none(), "in two that merge");
}

/// Holds laws 7.5 and 16.3.
#[test]
fn after_a_merge_an_end_hides_what_the_other_replica_saw_before_it() {
    let config = Config::default();
    let ann = observation(50).users([user("ann")]);
    let mut ended = Room::new(room_id(), &config);
    ended.create(NewRoom::new("r", "tom"), &config, at(0)).unwrap();
    let mut whole = ended.clone();
    whole.apply_observation(&ann, &config, at(50)).unwrap();
    for room in [&mut ended, &mut whole] {
        room.end(&config, at(60)).unwrap();
    }
    assert!(whole.view().is_none(), "in one room");
    let mut seen = Room::new(room_id(), &config);
    seen.apply_observation(&ann, &config, at(50)).unwrap();
    seen.merge(ended, &config, at(61)).unwrap();
    assert!(seen.view().is_none(), "in two that merge");
}

/// Another session takes the user's place. After the merge something is due at once: that an observation found
/// session 1 open. Holds laws 7.1 and 18.11.
#[test]
fn a_word_on_a_hidden_user_outlasts_the_sweep_after_a_merge() {
    let config = Config::default();
    let mut room = Room::new(room_id(), &config);
    let heard = |room: &mut Room, session: &str, event: CallbackEvent, now: u64| {
        let callback = Callback::new(room_id(), SessionId::new(session).unwrap(), event);
        room.apply(&callback, &config, at(now)).unwrap();
    };
    let open = observation(5).session_id(session()).open(true);
    room.apply_observation(&open, &config, at(5)).unwrap();
    heard(&mut room, "1", login("ann", 1, 200).into(), 200);
    room.update_user("ann", UserUpdate::new().name("Ann"), &config, at(210)).unwrap();
    let copy = room.clone();
    heard(&mut room, "2", login("bob", 2, 701).into(), 701);
    for (mut one, other) in [(room.clone(), copy.clone()), (copy, room)] {
        one.merge(other, &config, at(702)).unwrap();
        let stored = serde_json::to_value(&one).unwrap();
        assert_eq!(stored["user_notes"]["ann"][0]["note"]["name"], "Ann");
    }
}

/// An older copy is merged, and the clock stands still. Holds laws 6.5 and 18.11.
#[test]
fn an_end_outranks_what_the_app_said_of_a_user_before_it() {
    let config = Config::default();
    let mut room = Room::new(room_id(), &config);
    let ann = Callback::new(room_id(), None, login("ann", 1, 10));
    room.apply(&ann, &config, at(10)).unwrap();
    room.update_user("ann", UserUpdate::new().name("Ann"), &config, at(20)).unwrap();
    let copy = room.clone();
    room.end(&config, at(20)).unwrap();
    room.create(NewRoom::new("r", "tom"), &config, at(20)).unwrap();
    let told = |room: &Room| room.view().unwrap().user("ann").unwrap().note().cloned();
    assert_eq!(told(&room), None);
    for (mut one, other) in [(room.clone(), copy.clone()), (copy, room.clone())] {
        one.merge(other, &config, at(20)).unwrap();
        assert_eq!(told(&one), None);
    }
    // What it says after the end is later than the end.
    room.update_user("ann", UserUpdate::new().name("Ann"), &config, at(20)).unwrap();
    let mut one = room.clone();
    one.merge(room, &config, at(20)).unwrap();
    assert!(told(&one).is_some());
}
