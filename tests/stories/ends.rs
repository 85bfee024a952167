//! When and why somebody or something is gone, as changes tell it.

use room_registry::event::{LogoutReason, StreamCloseReason};
use room_registry::{
    ChangeKind, Config, EndReason, Facet, ManualClock, NewRoom, NewUser, RoomRegistry, Timestamp,
    Visits,
};
use room_registry_world::story::{
    Story, at, created, login, logout, observation, room_id, stream_closed, stream_created, user,
};

/// Returns who is told to be gone by the last call, when and why.
fn gone(registry: &RoomRegistry<ManualClock>) -> Vec<(String, Timestamp, EndReason)> {
    let gone = registry.changes().filter_map(|change| match change.kind {
        ChangeKind::UserLeft { user_id, at, reason } => Some((user_id.to_string(), at, reason)),
        ChangeKind::StreamClosed { stream_id, at, reason } => {
            Some((stream_id.to_string(), at, reason))
        }
        _ => None,
    });
    gone.collect()
}

fn open() -> Story {
    let mut story = Story::new();
    story.hears(at(1), created(0));
    story.hears(at(2), login("ann", 1, 2));
    story
}

/// Holds law 1.8.
#[test]
fn a_logout_tells_when_and_why_the_user_is_gone() {
    for reason in [None, Some(LogoutReason::Normal), Some(LogoutReason::Other("77".into()))] {
        let mut story = open();
        let mut event = logout("ann", 1, 2, 60);
        event.reason = reason.clone();
        story.hears(at(63), event);
        let expected = ("ann".to_owned(), at(60), EndReason::LoggedOut(reason));
        assert_eq!(gone(&story.registry), [expected]);
    }
}

/// Holds law 1.8.
#[test]
fn a_closing_tells_when_and_why_the_stream_is_gone() {
    let mut story = open();
    story.hears(at(5), stream_created("camera", 1, 5));
    let mut event = stream_closed("camera", 2, 60);
    event.reason = Some(StreamCloseReason::ConnectionLost);
    story.hears(at(63), event);
    let reason = EndReason::StreamClosed(Some(StreamCloseReason::ConnectionLost));
    assert_eq!(gone(&story.registry), [("camera".to_owned(), at(60), reason)]);
}

/// Holds law 1.8.
#[test]
fn without_a_closing_the_cause_tells_why_and_the_local_clock_when() {
    let mut story = open();
    story.registry.join_room("r", NewUser::new("bob")).unwrap();
    story.passes_to(9);
    story.registry.leave_room("r", "bob").unwrap();
    assert_eq!(gone(&story.registry), [("bob".to_owned(), at(9), EndReason::Left)]);

    story.registry.join_room("r", NewUser::new("bob")).unwrap();
    story.passes_to(100);
    story.registry.expire();
    assert_eq!(gone(&story.registry), [("bob".to_owned(), at(100), EndReason::HeartbeatTimeout)]);
}

/// Holds law 1.8.
#[test]
fn an_observation_tells_of_a_user_who_is_absent() {
    let mut story = open();
    story.hears(at(3), login("bob", 3, 3));
    story.passes_to(60);
    story.sees(&observation(58).users([user("bob")]));
    assert_eq!(gone(&story.registry), [("ann".to_owned(), at(58), EndReason::Absent)]);
}

/// Holds law 1.8.
#[test]
fn who_was_only_seen_in_a_session_before_is_superseded() {
    let mut story = Story::new();
    story.passes_to(20);
    story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
    story.sees(&observation(20).users([user("bob")]));
    assert_eq!(story.users(), ["bob"]);
    story.hears(at(41), created(40));
    assert_eq!(gone(&story.registry), [("bob".to_owned(), at(40), EndReason::Superseded)]);
}

/// Holds law 1.8.
#[test]
fn what_a_replica_knew_is_told_as_imported() {
    let (mut here, mut there) = (open(), open());
    for story in [&mut here, &mut there] {
        story.hears(at(3), login("bob", 3, 3));
    }
    there.hears(at(60), logout("ann", 1, 2, 60));
    here.passes_to(61);
    let room = there.registry.remove(room_id().as_str()).unwrap();
    here.registry.import(room).unwrap();
    assert_eq!(gone(&here.registry), [("ann".to_owned(), at(61), EndReason::Imported)]);
}

/// Holds law 1.8.
#[test]
fn a_session_that_closes_and_a_room_that_ends_take_their_users_along_untold() {
    let mut story = open();
    story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
    story.registry.join_room("r", NewUser::new("bob")).unwrap();
    story.registry.end_room("r").unwrap();
    assert_eq!(gone(&story.registry), []);
    let last = story.registry.changes().last().unwrap();
    assert_eq!(last.kind, ChangeKind::RoomUnlisted);
}

/// A new reason belongs in one of the two lists.
#[test]
fn who_left_or_was_sent_away_went_deliberately_and_who_was_lost_did_not() {
    let other = || "other".into();
    let deliberate = [
        EndReason::LoggedOut(Some(LogoutReason::Normal)),
        EndReason::LoggedOut(Some(LogoutReason::KickedOut)),
        EndReason::StreamClosed(Some(StreamCloseReason::Normal)),
        EndReason::StreamClosed(Some(StreamCloseReason::LoggedInAgain)),
        EndReason::StreamClosed(Some(StreamCloseReason::KickedOut)),
        EndReason::StreamClosed(Some(StreamCloseReason::RoomCleared)),
        EndReason::StreamClosed(Some(StreamCloseReason::ClosedByServer)),
        EndReason::Left,
        EndReason::Removed(7.into()),
        EndReason::Removed("spam".into()),
        EndReason::Lifecycle,
        EndReason::RoomClosed,
        EndReason::Superseded,
    ];
    let not = [
        EndReason::LoggedOut(None),
        EndReason::LoggedOut(Some(LogoutReason::HeartbeatTimeout)),
        EndReason::LoggedOut(Some(LogoutReason::ConnectionLost)),
        EndReason::LoggedOut(Some(LogoutReason::TokenExpired)),
        EndReason::LoggedOut(Some(LogoutReason::Other(other()))),
        EndReason::StreamClosed(None),
        EndReason::StreamClosed(Some(StreamCloseReason::HeartbeatTimeout)),
        EndReason::StreamClosed(Some(StreamCloseReason::ConnectionLost)),
        EndReason::StreamClosed(Some(StreamCloseReason::Other(other()))),
        EndReason::HeartbeatTimeout,
        EndReason::Absent,
        EndReason::Imported,
    ];
    for (reasons, is_deliberate) in [(&deliberate[..], true), (&not[..], false)] {
        for reason in reasons {
            assert_eq!(reason.is_deliberate(), is_deliberate, "{reason:?}");
        }
    }
}

/// Holds laws 1.8 and 19.7.
#[test]
fn a_removal_tells_its_reason_as_a_change_and_as_a_visit() {
    let mut story = open();
    let mut visits = Visits::new(&Config::default());
    story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
    story.registry.join_room("r", NewUser::new("ann")).unwrap();
    let joined: Vec<_> =
        story.registry.changes().flat_map(|change| visits.follow(&change, at(2))).collect();
    assert_eq!(joined, []);
    story.passes_to(60);
    story.registry.remove_user("r", "ann", 7).unwrap();
    let reason = EndReason::Removed(7.into());
    assert_eq!(gone(&story.registry), [("ann".to_owned(), at(60), reason.clone())]);
    let told = story.registry.changes().flat_map(|change| visits.follow(&change, at(60)));
    let told: Vec<_> =
        told.map(|visit| (visit.facet, visit.from, visit.to, visit.reason)).collect();
    assert_eq!(told, [(Facet::Membership, at(2), at(60), reason)]);
}

/// Holds law 19.7.
#[test]
fn the_end_of_a_lifecycle_ends_a_visit_by_that_reason() {
    let mut story = Story::new();
    let mut visits = Visits::new(&Config::default());
    let room = NewRoom::new("r", "tom").ends_at(at(60));
    story.registry.create_room(room).unwrap();
    story.registry.join_room("r", NewUser::new("ann")).unwrap();
    let joined: Vec<_> =
        story.registry.changes().flat_map(|change| visits.follow(&change, at(0))).collect();
    assert_eq!(joined, []);
    story.passes_to(60);
    assert_eq!(story.registry.expire().rooms, 1);
    let told = story.registry.changes().flat_map(|change| visits.follow(&change, at(60)));
    let told: Vec<_> = told.map(|visit| (visit.from, visit.to, visit.reason)).collect();
    assert_eq!(told, [(at(0), at(60), EndReason::Lifecycle)]);
}
