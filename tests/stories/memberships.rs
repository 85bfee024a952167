//! Memberships, each as a story of one room: how somebody went, connections, who counts, and limits of a
//! room's own. Others are about the rooms of a user, and the app's word on users without a membership.

use std::time::Duration;

use room_registry::event::{CallbackEvent, RoomClosed, UserLoggedIn, UserLoggedOut};
use room_registry::journal::Command;
use room_registry::page::RoomOrder;
use room_registry::{
    Callback, Cause, Clock, Config, Error, Heartbeat, Lifecycle, ManualClock, Mirror, NewRoom,
    NewUser, RemovalReason, Role, Room, RoomId, RoomQuery, RoomRegistry, RoomUpdate, SessionId,
    Timestamp, UserId, UserSessionId, UserUpdate,
};
use room_registry_world::commands::{TIMEOUT, registry, registry_with};
use room_registry_world::story::{at, room_id};

const RETENTION: Duration = Duration::from_secs(600);

fn not_in_room(user: &str) -> Error {
    Error::UserNotInRoom { room_id: "r".into(), user_id: user.into() }
}

/// A room of Tom's with these members.
fn room_with(users: &[&str]) -> (RoomRegistry<ManualClock>, ManualClock) {
    let (mut registry, clock) = registry();
    let room = NewRoom::new("r", "tom").lifecycle(Lifecycle::UntilEnded);
    registry.create_room(room).unwrap();
    for user in users {
        registry.join_room("r", NewUser::new(*user)).unwrap();
    }
    (registry, clock)
}

/// The media server tells that a user logged in, now.
fn log_in(registry: &mut RoomRegistry<ManualClock>, user: &str, life: &str, clock: &ManualClock) {
    let (user, life) = (UserId::new(user).unwrap(), UserSessionId::new(life).unwrap());
    let login = UserLoggedIn::new(user, clock.now()).user_session_id(life);
    let (room, session) = (RoomId::new("r").unwrap(), SessionId::new("7").unwrap());
    registry.apply_callback(&Callback::new(room, session, login));
}

/// Holds law 18.1.
#[test]
fn a_heartbeat_after_a_sweep_a_leave_or_a_removal_answers_which_it_was() {
    let (mut registry, clock) = room_with(&["ann", "bob", "cleo"]);
    registry.leave_room("r", "bob").unwrap();
    registry.remove_user("r", "cleo", 7).unwrap();
    clock.advance(Duration::from_millis(TIMEOUT + 1));
    assert_eq!(registry.expire().memberships, 1);
    for _ in 0..2 {
        assert_eq!(registry.heartbeat("r", "ann"), Ok(Heartbeat::TimedOut));
        assert_eq!(registry.heartbeat("r", "bob"), Ok(Heartbeat::Left));
        assert_eq!(registry.heartbeat("r", "cleo"), Ok(Heartbeat::Removed));
        assert_eq!(registry.heartbeat("r", "dora"), Err(not_in_room("dora")));
        assert_eq!(registry.changes().count(), 0);
    }
    assert_eq!(registry.user_count(), 0);
    registry.join_room("r", NewUser::new("cleo")).unwrap();
    assert_eq!(registry.heartbeat("r", "cleo"), Ok(Heartbeat::Alive));
}

/// Holds law 18.1.
#[test]
fn it_is_remembered_for_exactly_the_retention_whether_it_was_swept_or_not() {
    for swept in [false, true] {
        let (mut registry, clock) = room_with(&["ann"]);
        registry.leave_room("r", "ann").unwrap();
        clock.advance(RETENTION);
        assert_eq!(registry.heartbeat("r", "ann"), Ok(Heartbeat::Left));
        clock.advance(Duration::from_millis(1));
        if swept {
            assert_eq!(registry.expire().forgotten, 1);
        }
        assert_eq!(registry.heartbeat("r", "ann"), Err(not_in_room("ann")));
    }
}

/// Holds law 18.2.
#[test]
fn after_a_removal_no_heartbeat_makes_a_membership_until_a_join() {
    let (mut registry, clock) = room_with(&[]);
    log_in(&mut registry, "ann", "1", &clock);
    registry.remove_user("r", "ann", "spam").unwrap();
    assert_eq!(registry.user_count(), 0, "a removal closes the login");
    for _ in 0..5 {
        // The media server lets her in again, and she stays for longer than the retention.
        clock.advance(Duration::from_secs(400));
        log_in(&mut registry, "ann", "2", &clock);
        registry.expire();
        assert_eq!(registry.heartbeat("r", "ann"), Ok(Heartbeat::Removed));
        let room = registry.room("r").unwrap();
        assert!(room.user("ann").unwrap().membership().is_none());
    }
    registry.join_room("r", NewUser::new("ann")).unwrap();
    assert_eq!(registry.heartbeat("r", "ann"), Ok(Heartbeat::Alive));
}

/// Nobody sweeps: a removal counts for as long as the media server shows the user, and else for the
/// retention. Holds law 18.2.
#[test]
fn a_removal_counts_for_longer_than_the_retention_only_while_the_user_shows() {
    for is_logged_in in [true, false] {
        let (mut registry, clock) = room_with(&["ann"]);
        registry.remove_user("r", "ann", 7).unwrap();
        clock.advance(Duration::from_secs(1));
        if is_logged_in {
            log_in(&mut registry, "ann", "1", &clock);
        }
        clock.advance(RETENTION);
        let removed = if is_logged_in { Ok(Heartbeat::Removed) } else { Err(not_in_room("ann")) };
        assert_eq!(registry.heartbeat("r", "ann"), removed);
        // A sweep agrees, and looks at her again later if she shows.
        assert_eq!(registry.expire().forgotten, 1);
        assert_eq!(registry.heartbeat("r", "ann"), removed);
        assert_eq!(registry.next_expiry().is_some(), is_logged_in);
    }
}

/// Holds law 18.2.
#[test]
fn who_left_or_timed_out_and_is_logged_in_is_not_gone() {
    let (mut registry, clock) = room_with(&[]);
    log_in(&mut registry, "ann", "1", &clock);
    registry.leave_room("r", "ann").unwrap();
    assert_eq!(registry.heartbeat("r", "ann"), Ok(Heartbeat::Left));
    clock.advance(Duration::from_secs(1));
    log_in(&mut registry, "ann", "2", &clock);
    assert_eq!(registry.heartbeat("r", "ann"), Ok(Heartbeat::Alive));
    clock.advance(Duration::from_millis(TIMEOUT + 1));
    registry.expire();
    assert_eq!(registry.heartbeat("r", "ann"), Ok(Heartbeat::Alive), "she is logged in still");
}

/// Holds law 18.1.
#[test]
fn who_is_only_logged_in_gets_a_membership_by_a_heartbeat_without_a_connection_alone() {
    let (mut registry, clock) = room_with(&[]);
    log_in(&mut registry, "ann", "1", &clock);
    assert_eq!(registry.heartbeat("r", ("ann", "a")), Err(not_in_room("ann")));
    assert!(registry.room("r").unwrap().user("ann").unwrap().membership().is_none());
    assert_eq!(registry.heartbeat("r", "ann"), Ok(Heartbeat::Alive));
    assert!(registry.room("r").unwrap().user("ann").unwrap().membership().is_some());
}

/// Holds law 18.3.
#[test]
fn with_a_room_ends_what_was_held_against_anybody() {
    let (mut registry, _) = room_with(&["ann", "bob"]);
    registry.remove_user("r", "bob", "spam").unwrap();
    registry.end_room("r").unwrap();
    assert_eq!(registry.heartbeat("r", "ann"), Err(Error::RoomNotFound { room_id: "r".into() }));
    registry.create_room(NewRoom::new("r", "tom")).unwrap();
    for user in ["ann", "bob"] {
        assert_eq!(registry.heartbeat("r", user), Ok(Heartbeat::Left));
    }
    assert_eq!(registry.heartbeat("r", "cleo"), Err(not_in_room("cleo")));
}

/// Holds law 18.2.
#[test]
fn a_removal_outranks_a_membership_that_another_replica_made_before_it() {
    let (config, clock) = (Config::default(), ManualClock::at(registry().1.now()));
    let mut removing = Room::new(RoomId::new("r").unwrap(), &config);
    removing.create(NewRoom::new("r", "tom"), &config, clock.now()).unwrap();
    removing.join(NewUser::new("ann"), &config, clock.now()).unwrap();
    let mut other = removing.clone();
    clock.advance(Duration::from_secs(1));
    other.leave("ann", &config, clock.now()).unwrap();
    other.join(NewUser::new("ann"), &config, clock.now()).unwrap();
    clock.advance(Duration::from_secs(1));
    removing.remove_user("ann", "spam", &config, clock.now()).unwrap();
    for (mut one, another) in [(removing.clone(), other.clone()), (other, removing)] {
        one.merge(another, &config, clock.now()).unwrap();
        assert!(one.view().unwrap().user("ann").is_none());
        let answer = one.heartbeat("ann", UserUpdate::new(), &config, clock.now());
        assert_eq!(answer, Ok(Heartbeat::Removed));
    }
}

#[test]
fn a_reason_is_a_number_or_a_word_within_its_limit() {
    let read = |json: &str| serde_json::from_str::<RemovalReason>(json).unwrap();
    assert_eq!(read("7"), RemovalReason::from(7));
    assert_eq!(read("\"spam\""), RemovalReason::from("spam"));
    assert!(serde_json::from_str::<RemovalReason>("[]").is_err());
    let (mut registry, _) = room_with(&["ann"]);
    let too_long = "x".repeat(1_025);
    let error = registry.remove_user("r", "ann", too_long.as_str()).unwrap_err();
    assert_eq!(error.to_string(), "the reason is 1025 bytes long; at most 1024 are allowed");
    assert_eq!(registry.heartbeat("r", "ann"), Ok(Heartbeat::Alive));
    let error = registry.remove_user("r", "bob", "spam").unwrap_err();
    assert_eq!(error, not_in_room("bob"));
}

/// Holds law 18.4.
#[test]
fn a_member_stays_while_one_connection_does() {
    let (mut registry, _) = room_with(&[]);
    registry.join_room("r", NewUser::new("ann").name("Ann").connection("a")).unwrap();
    registry.join_room("r", NewUser::new("ann").name("Other").connection("b")).unwrap();
    assert_eq!(registry.changes().count(), 0, "another connection is no change");
    assert!(registry.dirty_rooms().eq(["r"]), "and is stored");
    registry.leave_room("r", ("ann", "a")).unwrap();
    assert_eq!(registry.changes().count(), 0);
    assert_eq!(registry.heartbeat("r", ("ann", "b")), Ok(Heartbeat::Alive));
    let room = registry.room("r").unwrap();
    assert_eq!(room.user("ann").unwrap().name().unwrap(), "Ann");
    assert_eq!(registry.heartbeat("r", ("ann", "a")), Ok(Heartbeat::Left), "it revives nothing");
    assert_eq!(registry.heartbeat("r", ("ann", "c")), Err(not_in_room("ann")), "it never joined");
    assert_eq!(registry.leave_room("r", ("ann", "a")), Err(not_in_room("ann")));
    registry.leave_room("r", ("ann", "b")).unwrap();
    assert_eq!(registry.user_count(), 0);
    assert_eq!(registry.heartbeat("r", ("ann", "b")), Ok(Heartbeat::Left));
}

/// Holds law 18.4.
#[test]
fn ending_one_connection_touches_no_login_and_ending_the_last_does() {
    let (mut registry, clock) = room_with(&[]);
    log_in(&mut registry, "ann", "1", &clock);
    for connection in ["a", "b"] {
        registry.join_room("r", NewUser::new("ann").connection(connection)).unwrap();
    }
    registry.leave_room("r", ("ann", "a")).unwrap();
    assert!(registry.room("r").unwrap().user("ann").unwrap().login().is_some());
    registry.leave_room("r", ("ann", "b")).unwrap();
    assert!(registry.room("r").unwrap().user("ann").is_none());
}

/// Holds law 18.5.
#[test]
fn each_connection_has_its_own_heartbeat() {
    let (mut registry, clock) = room_with(&["ann"]);
    registry.join_room("r", NewUser::new("ann").connection("a")).unwrap();
    clock.advance(Duration::from_secs(60));
    assert_eq!(registry.heartbeat("r", ("ann", "a")), Ok(Heartbeat::Alive));
    clock.advance(Duration::from_secs(60));
    assert_eq!(registry.expire().memberships, 0);
    assert_eq!(registry.heartbeat("r", "ann"), Ok(Heartbeat::TimedOut), "the unnamed one");
    assert_eq!(registry.heartbeat("r", ("ann", "a")), Ok(Heartbeat::Alive));
    registry.grant_grace();
    assert_eq!(registry.heartbeat("r", "ann"), Ok(Heartbeat::TimedOut), "it was silent before");
    // The last that holds takes the membership along, whatever was silent beside it.
    registry.leave_room("r", ("ann", "a")).unwrap();
    assert_eq!(registry.user_count(), 0);
    registry.join_room("r", NewUser::new("ann")).unwrap();
    assert_eq!(registry.heartbeat("r", ("ann", "a")), Ok(Heartbeat::Left));
    clock.advance(RETENTION + Duration::from_millis(1));
    registry.join_room("r", NewUser::new("ann")).unwrap();
    assert_eq!(registry.heartbeat("r", ("ann", "a")), Err(not_in_room("ann")), "long ago");
}

/// Holds law 18.5.
#[test]
fn a_connection_from_the_local_future_is_silent_since_the_clock_was_set_back() {
    let (mut registry, clock) = room_with(&[]);
    for connection in ["phone", "laptop"] {
        registry.join_room("r", NewUser::new("ann").connection(connection)).unwrap();
    }
    let start = clock.now();
    clock.set(Timestamp::from_millis(start.as_millis() - 500_000));
    registry.expire();
    for seconds in [60, 31] {
        clock.advance(Duration::from_secs(seconds));
        assert_eq!(registry.heartbeat("r", ("ann", "laptop")), Ok(Heartbeat::Alive));
    }
    assert_eq!(registry.heartbeat("r", ("ann", "phone")), Ok(Heartbeat::TimedOut));
}

/// Holds law 18.4.
#[test]
fn a_user_has_sixteen_connections_at_most() {
    let (mut registry, clock) = room_with(&[]);
    let by = |which: usize| NewUser::new("ann").connection(format!("c{which}"));
    (0..16).for_each(|which| registry.join_room("r", by(which)).unwrap());
    let error = registry.join_room("r", by(16)).unwrap_err();
    let text = r#"user "ann" has too many connections to room "r": one may have 16"#;
    assert_eq!(error.to_string(), text);
    registry.leave_room("r", ("ann", "c3")).unwrap();
    registry.join_room("r", by(16)).unwrap();
    // Those that were silent for too long do not count.
    clock.advance(Duration::from_secs(60));
    registry.heartbeat("r", ("ann", "c16")).unwrap();
    clock.advance(Duration::from_secs(60));
    registry.join_room("r", by(17)).unwrap();
    // However many come and go, few are remembered.
    for which in 18..200 {
        registry.join_room("r", by(which)).unwrap();
        registry.leave_room("r", ("ann", format!("c{which}").as_str())).unwrap();
    }
    let saved = serde_json::to_value(registry.snapshot()).unwrap();
    assert_eq!(saved["rooms"][0]["connections"]["ann"].as_array().unwrap().len(), 64);
    assert_eq!(registry.heartbeat("r", ("ann", "c17")), Ok(Heartbeat::Alive));
}

/// Holds law 18.5.
#[test]
fn heartbeats_kept_outside_are_of_connections() {
    let config = Config::default();
    let start = registry().1.now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let mut room = Room::new(RoomId::new("r").unwrap(), &config);
    room.create(NewRoom::new("r", "tom"), &config, at(0)).unwrap();
    for connection in ["a", "b"] {
        room.join(NewUser::new("ann").connection(connection), &config, at(0)).unwrap();
    }
    let heard = [(("ann", "a"), at(60)), (("ann", "c"), at(80))];
    assert_eq!(room.expire_with(heard, &config, at(100)).unwrap().memberships, 0);
    let answer = room.heartbeat(("ann", "b"), UserUpdate::new(), &config, at(100));
    assert_eq!(answer, Ok(Heartbeat::TimedOut));
    let beats: Vec<_> =
        room.view().unwrap().heartbeats().map(|(user, at)| (user.connection_id, at)).collect();
    assert_eq!(beats, [(Some("a"), at(60)), (Some("b"), at(0))]);
}

/// Such a user costs no more when coming back. Holds law 18.4.
#[test]
fn a_user_who_never_names_a_connection_has_no_entry_for_one() {
    let (mut registry, _) = room_with(&["ann"]);
    registry.leave_room("r", "ann").unwrap();
    registry.join_room("r", NewUser::new("ann")).unwrap();
    let saved = serde_json::to_value(registry.snapshot()).unwrap();
    assert_eq!(saved["rooms"][0]["connections"], serde_json::json!({}));
}

/// Holds law 18.5.
#[test]
fn how_a_connection_ended_is_remembered_for_exactly_the_retention() {
    let (mut registry, clock) = room_with(&[]);
    for connection in ["phone", "laptop"] {
        registry.join_room("r", NewUser::new("ann").connection(connection)).unwrap();
    }
    registry.leave_room("r", ("ann", "phone")).unwrap();
    let mut beats = |millis| {
        clock.advance(Duration::from_millis(millis));
        registry.heartbeat("r", ("ann", "laptop")).unwrap();
        registry.heartbeat("r", ("ann", "phone"))
    };
    for _ in 0..10 {
        assert_eq!(beats(60_000), Ok(Heartbeat::Left));
    }
    assert_eq!(beats(1), Err(not_in_room("ann")));
}

/// Holds law 18.5.
#[test]
fn heartbeats_kept_outside_take_nobody_back_in_time_and_need_a_connection_that_joined() {
    let config = Config::default();
    let start = registry().1.now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let mut room = Room::new(RoomId::new("r").unwrap(), &config);
    room.create(NewRoom::new("r", "tom"), &config, at(0)).unwrap();
    room.join(NewUser::new("ann"), &config, at(0)).unwrap();
    room.heartbeat("ann", UserUpdate::new(), &config, at(50)).unwrap();
    let last = |room: &Room| room.view().unwrap().user("ann").unwrap().heartbeat_at();
    room.take_heartbeats([("ann", at(20))], &config, at(60)).unwrap();
    assert_eq!(last(&room), Some(at(50)), "an earlier one");
    room.take_heartbeats([(("ann", "phone"), at(60))], &config, at(60)).unwrap();
    assert_eq!(last(&room), Some(at(50)), "one of a connection that never joined");
}

/// Holds law 18.6.
#[test]
fn connections_that_ended_on_one_replica_each_leave_nobody() {
    let config = Config::default();
    let start = registry().1.now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let mut one = Room::new(RoomId::new("r").unwrap(), &config);
    one.create(NewRoom::new("r", "tom"), &config, at(0)).unwrap();
    for connection in ["a", "b"] {
        one.join(NewUser::new("ann").connection(connection), &config, at(0)).unwrap();
    }
    let mut other = one.clone();
    one.leave(("ann", "a"), &config, at(1)).unwrap();
    let beat = one.heartbeat(("ann", "b"), UserUpdate::new(), &config, at(2));
    assert_eq!(beat, Ok(Heartbeat::Alive));
    other.leave(("ann", "b"), &config, at(3)).unwrap();
    one.merge(other, &config, at(3)).unwrap();
    assert_eq!(one.next_expiry(&config).map(|due| due <= at(3)), Some(true));
    assert_eq!(one.expire(&config, at(3)).unwrap().memberships, 1);
    assert!(one.view().unwrap().user("ann").is_none());
}

/// Holds law 18.7.
#[test]
fn a_room_has_graces_of_its_own_before_the_first_and_after_the_last() {
    let (mut registry, clock) = registry();
    let ms = Duration::from_millis;
    let own =
        |id: &str| NewRoom::new(id, "tom").first_join_grace(ms(10_000)).empty_grace(ms(2_000));
    registry.create_room(own("nobody")).unwrap();
    registry.create_room(own("r")).unwrap();
    registry.join_room("r", NewUser::new("ann")).unwrap();
    registry.create_room(NewRoom::new("default", "tom")).unwrap();
    clock.advance(ms(9_999));
    registry.leave_room("r", "ann").unwrap();
    assert_eq!(registry.expire().rooms, 0);
    clock.advance(ms(1));
    assert_eq!(registry.expire().rooms, 1);
    assert!(registry.room("nobody").is_none());
    clock.advance(ms(1_999));
    assert_eq!(registry.expire().rooms, 1);
    assert!(registry.room("r").is_none());
    registry.update_room("default", RoomUpdate::new().first_join_grace(ms(20_000))).unwrap();
    assert_eq!(registry.next_expiry(), Some(clock.now() + ms(8_001)));
}

/// Holds law 18.7.
#[test]
fn a_room_ends_at_its_time_whatever_its_lifecycle() {
    for lifecycle in [Lifecycle::UntilEnded, Lifecycle::UntilEmpty, Lifecycle::Permanent] {
        let (mut registry, clock) = registry();
        let ends_at = clock.now() + Duration::from_secs(60);
        let room = NewRoom::new("r", "tom").lifecycle(lifecycle).ends_at(ends_at);
        registry.create_room(room).unwrap();
        registry.join_room("r", NewUser::new("ann")).unwrap();
        clock.set(ends_at - Duration::from_millis(1));
        assert_eq!(registry.expire().rooms, 0);
        registry.update_room("r", RoomUpdate::new().ends_at(Timestamp::MIN)).unwrap();
        clock.set(ends_at);
        assert_eq!(registry.expire().rooms, 0, "the end was taken away");
        registry.update_room("r", RoomUpdate::new().ends_at(ends_at)).unwrap();
        assert_eq!(registry.next_expiry(), Some(ends_at));
        assert_eq!(registry.expire().rooms, 1);
        assert_eq!(registry.changes().next().unwrap().cause, Cause::Lifecycle);
    }
}

/// Holds law 18.7.
#[test]
fn each_limit_in_time_of_a_rooms_own_decides_when_it_ends_as_created_or_as_updated() {
    let seconds = Duration::from_secs;
    let start = registry().1.now();
    let room = || NewRoom::new("r", "tom");
    let update = RoomUpdate::new;
    let limits = [
        (false, room().ends_at(start + seconds(10)), update().ends_at(start + seconds(20))),
        (false, room().first_join_grace(seconds(10)), update().first_join_grace(seconds(20))),
        (true, room().empty_grace(seconds(10)), update().empty_grace(seconds(20))),
    ];
    for (somebody_was_there, room, update) in limits {
        for (update, ends_at) in [(None, start + seconds(10)), (Some(update), start + seconds(20))]
        {
            let (mut registry, clock) = registry();
            registry.create_room(room.clone()).unwrap();
            if somebody_was_there {
                registry.join_room("r", NewUser::new("ann")).unwrap();
                registry.leave_room("r", "ann").unwrap();
            }
            if let Some(update) = update.clone() {
                registry.update_room("r", update).unwrap();
            }
            clock.set(ends_at - Duration::from_millis(1));
            assert_eq!(registry.expire().rooms, 0, "{room:?} {update:?}");
            clock.set(ends_at);
            assert_eq!(registry.expire().rooms, 1, "{room:?} {update:?}");
        }
    }
}

/// Holds laws 18.8 and 18.9.
#[test]
fn whoever_timed_out_comes_back_into_a_full_room_only_by_the_place_that_was_their_own() {
    let config = Config::builder().uncounted_roles(vec![Role::new("recorder")]).build().unwrap();
    let (mut registry, clock) = registry_with(config);
    registry.create_room(NewRoom::new("r", "tom").max_users(2)).unwrap();
    let recorder = || NewUser::new("rec").role(Role::new("recorder"));
    for user in [NewUser::new("ann"), recorder()] {
        registry.join_room("r", user).unwrap();
    }
    clock.advance(Duration::from_millis(1));
    registry.join_room("r", NewUser::new("bob")).unwrap();
    clock.advance(Duration::from_millis(TIMEOUT)); // of Ann and the recorder

    registry.join_room("r", NewUser::new("ann")).unwrap();
    let full = Err(Error::RoomFull { room_id: "r".into(), limit: 2 });
    assert_eq!(registry.join_room("r", NewUser::new("rec")), full, "as one who counts");
    registry.join_room("r", recorder()).unwrap();
    registry.update_room("r", RoomUpdate::new().max_users(1)).unwrap();
    clock.advance(Duration::from_millis(1));
    let full = Err(Error::RoomFull { room_id: "r".into(), limit: 1 });
    assert_eq!(registry.join_room("r", NewUser::new("bob")), full, "Ann alone fills it");
    assert_eq!(registry.room("r").unwrap().user_count(), 2, "until the next expiry");
}

/// Holds law 18.8.
#[test]
fn the_lesser_limit_counts_and_lists_leave_full_rooms_out() {
    let config = Config::builder().max_users_per_room(Some(3)).build().unwrap();
    let (mut registry, clock) = registry_with(config);
    for (id, limit, users) in [("a", 2, 2), ("b", 2, 1), ("c", 9, 3), ("d", 0, 2), ("e", 1, 1)] {
        registry.create_room(NewRoom::new(id, "tom").max_users(limit)).unwrap();
        for user in 0..users {
            registry.join_room(id, NewUser::new(format!("u{user}"))).unwrap();
        }
        clock.advance(Duration::from_millis(1));
    }
    for (id, limit) in [("a", 2), ("c", 3)] {
        let refused = Error::RoomFull { room_id: id.into(), limit };
        assert_eq!(registry.join_room(id, NewUser::new("zoe")), Err(refused));
    }
    let orders = [RoomOrder::Newest, RoomOrder::Oldest, RoomOrder::MostUsers, RoomOrder::Id];
    let assert_lists = |registry: &RoomRegistry<ManualClock>, open: &[&str]| {
        for order in orders {
            let walk = |query: &dyn Fn() -> RoomQuery<'static>| {
                let mut ids: Vec<String> = Vec::new();
                let mut next = None;
                loop {
                    let query = query().limit(2);
                    let query = next.take().into_iter().fold(query, RoomQuery::after);
                    let page = registry.page(&query).unwrap();
                    ids.extend(page.rooms.iter().map(|room| room.id().to_string()));
                    let Some(cursor) = page.next else { return ids };
                    next = Some(cursor);
                }
            };
            let all = walk(&|| RoomQuery::new(order));
            let expected: Vec<_> =
                all.iter().filter(|id| open.contains(&id.as_str())).cloned().collect();
            assert_eq!(all.len(), 5, "{order}");
            assert_eq!(walk(&|| RoomQuery::new(order).without_full()), expected, "{order}");
        }
        let ids: Vec<_> = registry.rooms().map(|room| room.id().as_str()).collect();
        assert_eq!(ids, ["e", "d", "c", "b", "a"]);
        let ids: Vec<_> = registry.rooms().rev().map(|room| room.id().as_str()).collect();
        assert_eq!(ids, ["a", "b", "c", "d", "e"]);
    };
    assert_lists(&registry, &["b", "d"]);
    registry.leave_room("a", "u0").unwrap();
    registry.update_room("e", RoomUpdate::new().max_users(0)).unwrap();
    registry.join_room("b", NewUser::new("zoe")).unwrap();
    assert_lists(&registry, &["a", "d", "e"]);
}

#[test]
fn what_was_written_without_a_lifecycle_lives_until_it_is_ended() {
    let line = r#"{"create_room":{"room_id":"r","host_id":"tom"}}"#;
    let (mut registry, _) = registry();
    registry.apply_command(&serde_json::from_str(line).unwrap()).unwrap();
    assert_eq!(registry.room("r").unwrap().lifecycle(), Lifecycle::UntilEnded);
    let line = r#"{"update_room":{"room_id":"r","max_users":2,"ends_at":7,"empty_grace_ms":3,"first_join_grace_ms":4}}"#;
    registry.apply_command(&serde_json::from_str(line).unwrap()).unwrap();
    let info = registry.room("r").unwrap().info().unwrap().clone();
    assert_eq!((info.max_users, info.ends_at), (Some(2), Some(Timestamp::from_millis(7))));
    assert_eq!((info.empty_grace_ms, info.first_join_grace_ms), (Some(3), Some(4)));
}

#[test]
fn a_room_that_was_stored_without_a_lifecycle_lives_until_it_is_ended() {
    let (mut registry, clock) = registry();
    registry.create_room(NewRoom::new("r", "tom").lifecycle(Lifecycle::UntilEmpty)).unwrap();
    let mut stored = serde_json::to_value(registry.export("r").unwrap()).unwrap();
    let info = stored["info"].as_object_mut().unwrap();
    assert_eq!(info.remove("lifecycle").unwrap(), "until_empty");
    let mut room: Room = serde_json::from_value(stored).unwrap();
    assert_eq!(room.view().unwrap().lifecycle(), Lifecycle::UntilEnded);
    clock.advance(Duration::from_secs(100_000));
    assert_eq!(room.expire(&Config::default(), clock.now()).unwrap().rooms, 0);
    assert!(room.view().is_some());
}

/// Machines of 32 bits read all that machines of 64 bits take, store and tell.
#[test]
fn a_limit_that_a_machine_of_32_bits_cannot_read_is_refused_everywhere() {
    for command in [
        r#"{"create_room":{"room_id":"r","host_id":"tom","max_users":"#,
        r#"{"update_room":{"room_id":"r","max_users":"#,
    ] {
        let read = |limit: u64| serde_json::from_str::<Command>(&format!("{command}{limit}}}}}"));
        assert!(read(u64::from(u32::MAX)).is_ok(), "{command}");
        assert!(read(u64::from(u32::MAX) + 1).is_err(), "{command}");
    }
}

/// A user of a role logs in, or out if a time is given.
fn role_login(user: &str, role: Role, life: &str, at: Timestamp) -> UserLoggedIn {
    let (user, life) = (UserId::new(user).unwrap(), UserSessionId::new(life).unwrap());
    let mut login = UserLoggedIn::new(user, at).user_session_id(life);
    login.details.role = Some(role);
    login
}

/// Holds law 18.9.
#[test]
fn a_room_with_only_a_recorder_in_it_is_empty() {
    let config = Config::builder().uncounted_roles(vec![Role::ADMINISTRATOR]).build().unwrap();
    let (mut registry, clock) = registry_with(config);
    registry.create_room(NewRoom::new("r", "tom")).unwrap();
    let tell = |registry: &mut RoomRegistry<ManualClock>, event: CallbackEvent| {
        let (room, session) = (RoomId::new("r").unwrap(), SessionId::new("7").unwrap());
        registry.apply_callback(&Callback::new(room, session, event));
    };
    tell(&mut registry, role_login("tom", Role::HOST, "1", clock.now()).into());
    tell(&mut registry, role_login("rec", Role::ADMINISTRATOR, "2", clock.now()).into());
    let room = registry.room("r").unwrap();
    assert_eq!((room.user_count(), room.users().count()), (1, 2));
    assert!(!room.user("rec").unwrap().is_counted() && room.user("tom").unwrap().is_counted());
    assert_eq!(registry.user_count(), 1);
    clock.advance(Duration::from_secs(10));
    let (tom, life) = (UserId::new("tom").unwrap(), UserSessionId::new("1").unwrap());
    tell(&mut registry, UserLoggedOut::new(tom, clock.now()).user_session_id(life).into());
    clock.advance(Duration::from_millis(59_999));
    assert_eq!(registry.expire().rooms, 0);
    clock.advance(Duration::from_millis(1));
    assert_eq!(registry.expire().rooms, 1);
}

/// Holds law 18.9.
#[test]
fn a_member_counts_again_when_the_session_goes_that_told_the_role() {
    let config = Config::builder().uncounted_roles(vec![Role::HOST]).build().unwrap();
    let (mut registry, clock) = registry_with(config);
    registry.create_room(NewRoom::new("r", "tom")).unwrap();
    registry.join_room("r", NewUser::new("tom")).unwrap();
    let (room, session) = (RoomId::new("r").unwrap(), SessionId::new("7").unwrap());
    let login = role_login("tom", Role::HOST, "1", clock.now());
    registry.apply_callback(&Callback::new(room.clone(), session.clone(), login));
    assert_eq!(registry.user_count(), 0);
    let mut mirror: Mirror = registry.rooms().collect();
    let closed = RoomClosed::new(clock.now() + Duration::from_millis(1));
    registry.apply_callback(&Callback::new(room, session, closed));
    registry.changes().for_each(|change| mirror.apply(&change));
    assert_eq!(registry.user_count(), 1);
    assert_eq!(mirror, registry.rooms().collect());
}

/// Holds law 18.9.
#[test]
fn who_does_not_count_takes_no_place() {
    let bot = Role::new("bot");
    let config = Config::builder().uncounted_roles(vec![bot.clone()]).build().unwrap();
    let text = config.rules().to_string();
    assert!(text.ends_with("listed 300000 ms while empty, not counted: bot"), "{text}");
    let (mut registry, _) = registry_with(config);
    registry.create_room(NewRoom::new("r", "tom").max_users(1)).unwrap();
    registry.create_room(NewRoom::new("q", "tom").max_users(1)).unwrap();
    for user in ["b1", "b2"] {
        registry.join_room("r", NewUser::new(user).role(bot.clone())).unwrap();
    }
    registry.join_room("q", NewUser::new("ann")).unwrap();
    registry.join_room("q", NewUser::new("b1").role(bot)).unwrap();
    let ids = |query: RoomQuery<'_>| -> Vec<String> {
        registry.page(&query).unwrap().rooms.iter().map(|room| room.id().to_string()).collect()
    };
    assert_eq!(ids(RoomQuery::most_users()), ["q", "r"]);
    assert_eq!(ids(RoomQuery::most_users().without_full()), ["r"]);
    registry.update_user("r", "b1", UserUpdate::new().role(Role::HOST)).unwrap();
    assert_eq!(registry.room("r").unwrap().user_count(), 1, "another role counts");
    assert!(registry.join_room("r", NewUser::new("zoe")).is_err());
}

/// Holds law 18.10.
#[test]
fn the_rooms_of_a_user_are_those_whose_lists_have_the_user() {
    let config = Config::builder().index_users(true).build().unwrap();
    let (mut registry, clock) = registry_with(config.clone());
    let rooms = |registry: &RoomRegistry<ManualClock>, user: &str| -> Vec<String> {
        registry.rooms_with_user(user).map(|room| room.id().to_string()).collect()
    };
    for room in ["q", "r", "s"] {
        registry.create_room(NewRoom::new(room, "tom")).unwrap();
    }
    registry.join_room("q", NewUser::new("ann")).unwrap();
    registry.join_room("s", NewUser::new("ann")).unwrap();
    log_in(&mut registry, "ann", "1", &clock);
    assert_eq!(rooms(&registry, "ann"), ["q", "r", "s"]);
    assert!(rooms(&registry, "bob").is_empty());

    let saved = serde_json::to_value(registry.snapshot()).unwrap();
    let restored = RoomRegistry::restore_exactly(config, clock.clone(), saved).unwrap();
    assert_eq!(rooms(&restored, "ann"), ["q", "r", "s"]);

    // The session takes her along, and so do a leave, an end and a timeout.
    let (room, session) = (RoomId::new("r").unwrap(), SessionId::new("7").unwrap());
    let closed = RoomClosed::new(clock.now() + Duration::from_millis(1));
    registry.apply_callback(&Callback::new(room, session, closed));
    assert_eq!(rooms(&registry, "ann"), ["q", "s"]);
    registry.end_room("q").unwrap();
    assert_eq!(rooms(&registry, "ann"), ["s"]);
    clock.advance(Duration::from_millis(TIMEOUT + 1));
    registry.expire();
    assert!(rooms(&registry, "ann").is_empty());
    assert_eq!(registry.join_room("s", NewUser::new("ann")), Ok(()));
    let moved = registry.remove("s").unwrap();
    assert!(rooms(&registry, "ann").is_empty());
    registry.import(moved).unwrap();
    assert_eq!(rooms(&registry, "ann"), ["s"]);
}

/// Holds law 18.11.
#[test]
fn the_app_can_update_a_user_who_is_only_logged_in_until_the_user_is_gone() {
    let (mut registry, clock) = room_with(&[]);
    let mut mirror: Mirror = registry.rooms().collect();
    let mut follow = |registry: &RoomRegistry<ManualClock>| {
        registry.changes().for_each(|change| mirror.apply(&change));
        assert_eq!(mirror, registry.rooms().collect());
    };
    let update = UserUpdate::new().name("Ann").role(Role::HOST).attribute("seat", "2");
    let error = registry.update_user("r", "ann", update.clone()).unwrap_err();
    assert_eq!(error, not_in_room("ann"));
    log_in(&mut registry, "ann", "1", &clock);
    follow(&registry);
    registry.update_user("r", "ann", update).unwrap();
    assert_eq!(registry.changes().count(), 1);
    follow(&registry);
    let shows = |registry: &RoomRegistry<ManualClock>| {
        let room = registry.room("r").unwrap();
        let ann = room.user("ann")?;
        Some((ann.name().map(ToString::to_string), ann.role().cloned(), ann.attributes().len()))
    };
    let said = Some((Some("Ann".to_owned()), Some(Role::HOST), 1));
    assert_eq!(shows(&registry), said);
    assert!(registry.room("r").unwrap().user("ann").unwrap().membership().is_none());

    // Another stay without a gap keeps it, and a heartbeat takes it into the membership.
    clock.advance(Duration::from_secs(1));
    log_in(&mut registry, "ann", "2", &clock);
    follow(&registry);
    assert_eq!(shows(&registry), said);
    assert_eq!(registry.heartbeat("r", "ann"), Ok(Heartbeat::Alive));
    follow(&registry);
    assert_eq!(shows(&registry), said);

    // Once she is gone, it is too.
    registry.leave_room("r", "ann").unwrap();
    follow(&registry);
    clock.advance(Duration::from_secs(1));
    log_in(&mut registry, "ann", "3", &clock);
    follow(&registry);
    assert_eq!(shows(&registry), Some((None, None, 0)));
}

/// Holds law 18.11.
#[test]
fn of_a_member_nothing_shows_that_the_app_said_before_the_user_joined() {
    let (mut registry, clock) = room_with(&[]);
    log_in(&mut registry, "ann", "1", &clock);
    registry.update_user("r", "ann", UserUpdate::new().name("Ann").role(Role::HOST)).unwrap();
    registry.join_room("r", NewUser::new("ann")).unwrap();
    let room = registry.room("r").unwrap();
    let ann = room.user("ann").unwrap();
    assert_eq!((ann.name(), ann.role(), ann.note()), (None, None, None));
}

/// Holds law 18.12.
#[test]
fn a_room_tells_how_many_users_have_each_role() {
    let (mut registry, clock) = registry_with(
        Config::builder().uncounted_roles(vec![Role::ADMINISTRATOR]).build().unwrap(),
    );
    registry.create_room(NewRoom::new("r", "tom")).unwrap();
    let counts = |registry: &RoomRegistry<ManualClock>| -> Vec<(String, usize)> {
        let room = registry.room("r").unwrap();
        let name = |role: Option<&Role>| role.map_or(String::new(), ToString::to_string);
        room.role_counts().map(|(role, count)| (name(role), count)).collect()
    };
    let is = |counted: &[(&str, usize)]| -> Vec<(String, usize)> {
        counted.iter().map(|(role, count)| ((*role).to_owned(), *count)).collect()
    };
    registry.join_room("r", NewUser::new("tom").role(Role::HOST)).unwrap();
    registry.join_room("r", NewUser::new("ann")).unwrap();
    registry.join_room("r", NewUser::new("bob")).unwrap();
    assert_eq!(counts(&registry), is(&[("", 2), ("host", 1)]));

    // The media server tells a role of a member who has none, and of somebody who never joined.
    let (room, session) = (RoomId::new("r").unwrap(), SessionId::new("7").unwrap());
    let tell = |registry: &mut RoomRegistry<ManualClock>, event: CallbackEvent| {
        registry.apply_callback(&Callback::new(room.clone(), session.clone(), event));
    };
    tell(&mut registry, role_login("ann", Role::AUDIENCE, "1", clock.now()).into());
    tell(&mut registry, role_login("rec", Role::ADMINISTRATOR, "2", clock.now()).into());
    let all = is(&[("", 1), ("administrator", 1), ("audience", 1), ("host", 1)]);
    assert_eq!(counts(&registry), all);

    registry.update_user("r", "rec", UserUpdate::new().role(Role::HOST)).unwrap();
    registry.update_user("r", "tom", UserUpdate::new().role(Role::AUDIENCE)).unwrap();
    assert_eq!(counts(&registry), is(&[("", 1), ("audience", 2), ("host", 1)]));
    registry.leave_room("r", "bob").unwrap();
    assert_eq!(counts(&registry), is(&[("audience", 2), ("host", 1)]));

    let closed = RoomClosed::new(clock.now() + Duration::from_millis(1));
    tell(&mut registry, closed.into());
    assert_eq!(counts(&registry), is(&[("", 1), ("audience", 1)]), "ann's login told hers");
}

/// A page that may look at one room finds the only open one behind a hundred full ones. Holds law 18.8.
#[test]
fn a_page_without_full_rooms_does_not_look_at_them() {
    let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    for number in 0..=100 {
        let id = format!("r{number:03}");
        registry.create_room(NewRoom::new(id.as_str(), "tom").max_users(2)).unwrap();
        registry.join_room(&id, NewUser::new("ann")).unwrap();
        if number != 50 {
            registry.join_room(&id, NewUser::new("bob")).unwrap();
        }
    }
    for order in [RoomOrder::Newest, RoomOrder::Oldest, RoomOrder::MostUsers] {
        let page = registry.page(&RoomQuery::new(order).without_full().look_at_most(1)).unwrap();
        let ids: Vec<_> = page.rooms.iter().map(|room| room.id().as_str()).collect();
        assert_eq!((ids, page.stopped_early), (vec!["r050"], false), "{order}");
    }
}

/// Two processes share a store, and one has a shorter timeout.
#[test]
fn a_membership_ends_by_the_timeout_of_the_process_that_looks_at_it() {
    let [long, short] = [90, 30].map(|seconds| {
        Config::builder().heartbeat_timeout(Duration::from_secs(seconds)).build().unwrap()
    });
    let mut room = Room::new(room_id(), &long);
    room.create(NewRoom::new("r", "tom").lifecycle(Lifecycle::UntilEnded), &long, at(0)).unwrap();
    room.join(NewUser::new("ann"), &long, at(0)).unwrap();
    room.expire(&long, at(60)).unwrap();
    assert_eq!(room.view().unwrap().user_count(), 1);
    room.expire(&short, at(60)).unwrap();
    assert_eq!(room.view().unwrap().user_count(), 0);
    let answer = room.heartbeat("ann", UserUpdate::new(), &long, at(61));
    assert_eq!(answer.unwrap(), Heartbeat::TimedOut);
}
