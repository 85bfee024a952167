//! Users whose stays have no ids: who goes right after coming in again may be another device.

use room_registry::event::{CallbackEvent, UserLoggedIn, UserLoggedOut};
use room_registry::repair::{Reason, Sign, SuspectedList};
use room_registry::{Callback, Room, RoomRef, UserId};
use room_registry_world::story::{Story, at, created, observation, room_id, user};

fn login(seconds: u64) -> UserLoggedIn {
    UserLoggedIn::new(UserId::new("ann").unwrap(), at(seconds))
}

fn logout(seconds: u64) -> UserLoggedOut {
    UserLoggedOut::new(UserId::new("ann").unwrap(), at(seconds))
}

/// The signs that are about one user going.
fn signs(story: &Story) -> Vec<(SuspectedList, Sign)> {
    let room = story.registry.room("r");
    let signs = room.into_iter().flat_map(RoomRef::suspicions).map(|it| (it.list, it.sign));
    signs.filter(|(_, sign)| *sign == Sign::AmbiguousExit).collect()
}

/// Another user keeps the room lively, and ann came in twice.
fn twice_in(second: u64) -> Story {
    let mut story = Story::new();
    story.hears(at(0), created(0));
    story.hears(at(1), UserLoggedIn::new(UserId::new("bob").unwrap(), at(1)));
    story.hears(at(10), login(10));
    story.hears(at(second), login(second));
    story
}

/// Holds law 10.13.
#[test]
fn whoever_goes_right_after_coming_in_again_may_still_be_there() {
    let mut story = twice_in(20);
    story.hears(at(25), logout(25));
    assert_eq!(story.users(), ["bob"]);
    story.passes_to(45);
    assert_eq!(story.registry.next_question().unwrap().reason, Reason::Sign);
    story.passes_to(115);
    story.registry.expire();
    assert_eq!(signs(&story), [(SuspectedList::Users, Sign::AmbiguousExit)]);
    let text = story.registry.room("r").unwrap().suspicions().iter().map(ToString::to_string);
    let expected = "a user who was in twice went once, and may still be there";
    assert!(text.into_iter().any(|text| text == expected));
    story.sees(&observation(115).users([user("ann"), user("bob")]));
    assert_eq!((story.users().len(), signs(&story)), (2, vec![]));
}

/// Holds law 10.13.
#[test]
fn whoever_goes_later_or_comes_in_once_is_gone() {
    // After the clock skew.
    let mut story = twice_in(20);
    story.hears(at(26), logout(26));
    story.passes_to(200);
    story.registry.expire();
    assert_eq!(signs(&story), []);
    // The first opening was closed before.
    let mut story = twice_in(10);
    story.hears(at(15), logout(15));
    story.hears(at(20), login(20));
    story.hears(at(21), logout(21));
    story.passes_to(200);
    story.registry.expire();
    assert_eq!(signs(&story), []);
    // The next login says that the user is there.
    let mut story = twice_in(20);
    story.hears(at(21), logout(21));
    story.hears(at(22), login(22));
    story.passes_to(200);
    story.registry.expire();
    assert_eq!((signs(&story), story.users().len()), (vec![], 2));
}

/// Holds laws 10.6 and 10.13.
#[test]
fn whoever_comes_in_again_takes_the_sign_back_at_once() {
    let mut story = twice_in(20);
    story.hears(at(25), logout(25));
    story.passes_to(115);
    story.registry.expire();
    assert_eq!(signs(&story), [(SuspectedList::Users, Sign::AmbiguousExit)]);
    story.hears(at(116), login(116));
    assert_eq!(signs(&story), []);
}

/// Holds law 10.13.
#[test]
fn an_old_login_that_comes_again_brings_nobody_back() {
    let mut story = twice_in(20);
    story.hears(at(25), logout(25));
    story.hears(at(30), login(20));
    story.passes_to(115);
    story.registry.expire();
    assert_eq!(story.users(), ["bob"]);
    assert_eq!(signs(&story), [(SuspectedList::Users, Sign::AmbiguousExit)]);
}

/// Holds law 10.13.
#[test]
fn a_logout_that_an_order_puts_before_the_opening_is_no_exit() {
    let mut story = Story::new();
    story.hears(at(0), created(0));
    story.hears(at(1), UserLoggedIn::new(UserId::new("bob").unwrap(), at(1)));
    story.hears(at(10), login(10).order(1));
    story.hears(at(20), login(20).order(3));
    story.hears(at(21), logout(21).order(2));
    story.passes_to(115);
    story.registry.expire();
    assert_eq!((story.users().len(), signs(&story)), (2, vec![]));
}

/// Holds laws 1.7 and 10.13.
#[test]
fn that_a_user_came_in_twice_is_stored() {
    let story = twice_in(20);
    let json = serde_json::to_string(&story.registry.export("r").unwrap()).unwrap();
    let restored: Room = serde_json::from_str(&json).unwrap();
    assert_eq!(serde_json::to_string(&restored).unwrap(), json);
    let mut other = Story::new();
    other.passes_to(20);
    other.registry.import(restored).unwrap();
    other.hears(at(21), logout(21));
    other.passes_to(200);
    other.registry.expire();
    assert_eq!(signs(&other), [(SuspectedList::Users, Sign::AmbiguousExit)]);
}

/// Holds law 10.13.
#[test]
fn whoever_goes_from_a_room_without_session_names_right_after_coming_in_again_may_still_be_there() {
    let mut story = Story::new();
    let bob = UserLoggedIn::new(UserId::new("bob").unwrap(), at(1));
    let history: [(u64, CallbackEvent); 4] =
        [(1, bob.into()), (10, login(10).into()), (20, login(20).into()), (25, logout(25).into())];
    for (seconds, event) in history {
        story.passes_to(seconds);
        story.registry.apply_callback(&Callback::new(room_id(), None, event));
    }
    assert_eq!(story.users(), ["bob"]);
    story.passes_to(115);
    story.registry.expire();
    assert_eq!(signs(&story), [(SuspectedList::Users, Sign::AmbiguousExit)]);
}
