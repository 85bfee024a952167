//! Merging replicas: a join.

use std::time::Duration;

use proptest::prelude::*;
use room_registry::{
    Callback, Config, Error, Heartbeat, Lifecycle, ManualClock, Mirror, NewRoom, NewUser, Room,
    RoomId, RoomRegistry, RoomUpdate, Timestamp, UserUpdate,
};
use room_registry_world::effort::properties;
use room_registry_world::history::room_id;
use room_registry_world::junk::junk;
use room_registry_world::observations::{Told, observed_at, present_stream, present_user};
use room_registry_world::repair_view::{observed_of, visible_session_of};
use room_registry_world::view::stored_of;
use serde_json::Value;

const START: u64 = 1_020_000;

/// Something that happens to a replica.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "most steps are of this kind")]
pub(super) enum Step {
    Told(Told),
    Create(u8),
    Update(u8),
    End,
    Join(u8),
    Leave(u8),
    JoinBy(u8, u8),
    LeaveBy(u8, u8),
    HeartbeatBy(u8, u8),
    Remove(u8),
    Rename(u8, u8),
    Heartbeat(u8),
    Expire,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => junk(5_000).prop_map(Step::Told),
        1 => (0..2_u8).prop_map(Step::Create),
        1 => (0..2_u8).prop_map(Step::Update),
        1 => Just(Step::End),
        2 => (0..3_u8).prop_map(Step::Join),
        1 => (0..3_u8).prop_map(Step::Leave),
        2 => (0..3_u8, 0..3_u8).prop_map(|(user, by)| Step::JoinBy(user, by)),
        1 => (0..3_u8, 0..3_u8).prop_map(|(user, by)| Step::LeaveBy(user, by)),
        1 => (0..3_u8, 0..3_u8).prop_map(|(user, by)| Step::HeartbeatBy(user, by)),
        1 => (0..3_u8).prop_map(Step::Remove),
        1 => (0..3_u8, 0..2_u8).prop_map(|(user, name)| Step::Rename(user, name)),
        1 => (0..3_u8).prop_map(Step::Heartbeat),
        1 => Just(Step::Expire),
    ]
}

/// A replica after some steps, a few of them in the same millisecond.
pub(super) fn replica(steps: &[(u64, Step)], config: &Config) -> Room {
    let mut room = Room::new(room_id(), config);
    let mut now = START;
    for (pause, step) in steps {
        now += pause;
        let at = Timestamp::from_millis(now);
        let user = |user: &u8| format!("user{user}");
        // Refusals are part of the play.
        let _ = match step {
            Step::Told(told) => {
                told.to(&mut room, config, at);
                Ok(())
            }
            Step::Create(host) => room.create(NewRoom::new("room", user(host)), config, at),
            Step::Update(name) => {
                room.update(RoomUpdate::new().name(format!("name {name}")), config, at)
            }
            Step::End => room.end(config, at),
            Step::Join(who) => room.join(NewUser::new(user(who)), config, at),
            Step::Leave(who) => room.leave(&user(who), config, at),
            Step::JoinBy(who, by) => {
                room.join(NewUser::new(user(who)).connection(format!("{by}")), config, at)
            }
            Step::LeaveBy(who, by) => {
                room.leave((user(who).as_str(), format!("{by}").as_str()), config, at)
            }
            Step::HeartbeatBy(who, by) => {
                let (who, by) = (user(who), format!("{by}"));
                let of = (who.as_str(), by.as_str());
                room.heartbeat(of, UserUpdate::new(), config, at).map(|_| ())
            }
            Step::Remove(who) => room.remove_user(&user(who), "spam", config, at),
            Step::Rename(who, name) => {
                room.update_user(&user(who), UserUpdate::new().name(format!("{name}")), config, at)
            }
            Step::Heartbeat(who) => {
                room.heartbeat(&user(who), UserUpdate::new(), config, at).map(|_| ())
            }
            Step::Expire => room.expire(config, at).map(|_| ()),
        };
    }
    room
}

pub(super) fn steps() -> impl Strategy<Value = Vec<(u64, Step)>> {
    prop::collection::vec((prop::sample::select(vec![0, 0, 1, 7]), step()), 0..20)
}

/// Everything that is stored, but for two things. One is the instants at which things were noticed, which
/// only delay what time does. The other is what seems to be lost.
fn essence(room: &Room) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for noticed in [
                    "clock",
                    "empty_since",
                    "since",
                    "found_open_at",
                    "sessionless_since",
                    "is_entered", // as the two above, it tells what readers saw at some moment
                    "touched_at",
                    "changed_at",
                    "evidence",
                    "heard_at",
                    "first_opening_at",
                ] {
                    fields.remove(noticed);
                }
                fields.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut json = serde_json::to_value(room).unwrap();
    strip(&mut json);
    // What is left of earlier memberships tells no more than how they ended.
    let members = json["members"].as_array().unwrap();
    let since = |user: &str| {
        let mut of_user = members.iter().filter(|member| member["user_id"] == *user);
        of_user.next().map(|member| member["membership"]["joined_at"].clone())
    };
    let connections: serde_json::Map<_, _> = json["connections"]
        .as_object()
        .unwrap()
        .iter()
        .filter_map(|(user, held)| {
            let (since, held) = (since(user)?, held.as_array().unwrap());
            let held: Vec<_> = held.iter().filter(|held| held["member_since"] == since).collect();
            let is_plain =
                |held: &&Value| held["connection_id"].is_null() && held["ended"].is_null();
            let is_alone = held.len() == 1 && held.iter().all(is_plain);
            (!is_alone).then(|| (user.clone(), serde_json::to_value(held).unwrap()))
        })
        .collect();
    json["connections"] = Value::Object(connections);
    // Nor does it matter who of those comes first who were heard of in the same millisecond.
    let members = json["members"].as_array_mut().unwrap();
    members.sort_by_key(|member| member["user_id"].to_string());
    json
}

#[track_caller]
fn merged(a: &Room, b: &Room, config: &Config) -> Room {
    let mut merged = a.clone();
    let mut mirror: Mirror = a.view().into_iter().collect();
    merged.merge(b.clone(), config, Timestamp::from_millis(START + 1_000)).unwrap();
    merged.changes().for_each(|change| mirror.apply(&change));
    assert_eq!(mirror, merged.view().into_iter().collect(), "what changed is told");
    merged
}

proptest! {
    #![proptest_config(properties(400))]

    /// Holds laws 4.11, 6.6, 7.1, 18.6, 18.11 and 21.4.
    #[test]
    fn merging_is_commutative_associative_and_idempotent(a in steps(), b in steps(), c in steps()) {
        let listed = Some(Duration::from_millis(3));
        let config = Config::builder().retention(None).empty_listing_time(listed).build().unwrap();
        let (a, b, c) = (replica(&a, &config), replica(&b, &config), replica(&c, &config));
        let ab = merged(&a, &b, &config);
        prop_assert_eq!(essence(&ab), essence(&merged(&b, &a, &config)));
        let ab_c = merged(&ab, &c, &config);
        prop_assert_eq!(essence(&ab_c), essence(&merged(&a, &merged(&b, &c, &config), &config)));
        prop_assert_eq!(essence(&merged(&ab, &b, &config)), essence(&ab));
        prop_assert_eq!(essence(&merged(&ab, &ab, &config)), essence(&ab));
    }

    /// Holds laws 1.5, 7.2 and 16.7.
    #[test]
    fn replicas_that_each_saw_a_part_equal_one_that_saw_all(
        told in prop::collection::vec((0..3_usize, junk(5_000)), 0..30),
    ) {
        let config = Config::builder().retention(None).build().unwrap();
        let now = Timestamp::from_millis(START);
        let mut parts = [(); 3].map(|()| Room::new(room_id(), &config));
        let mut whole = Room::new(room_id(), &config);
        for (part, told) in &told {
            told.to(&mut parts[*part], &config, now);
            told.to(&mut whole, &config, now);
        }
        let [a, b, c] = parts;
        let merged = merged(&merged(&a, &b, &config), &c, &config);
        prop_assert_eq!(stored_of(&merged), stored_of(&whole));
        prop_assert_eq!(observed_of(&merged), observed_of(&whole));
        prop_assert_eq!(visible_session_of(merged.view()), visible_session_of(whole.view()));
    }
}

/// Holds law 7.6.
#[test]
fn rooms_made_under_different_settings_do_not_merge() {
    let (ours, theirs) = (Config::default(), Config::builder().retention(None).build().unwrap());
    let now = Timestamp::from_millis(START);
    let mut room = Room::new(room_id(), &ours);
    room.create(NewRoom::new("room", "tom"), &ours, now).unwrap();
    let before = serde_json::to_value(&room).unwrap();
    let error = room.merge(Room::new(room_id(), &theirs), &ours, now).unwrap_err();
    let (expected, found) = (Box::new(ours.rules()), Box::new(theirs.rules()));
    assert_eq!(error, Error::OtherSettings { expected, found });
    assert_eq!(
        error.to_string(),
        "the room was made under the settings clock skew 5000 ms, tie window 100 ms, no retention, sessions \
         inferred, empty is closed, listed 300000 ms while empty, but these are clock skew 5000 ms, tie window 100 ms, retention 600000 ms, \
         sessions inferred, empty is closed, listed 300000 ms while empty"
    );
    assert_eq!(serde_json::to_value(&room).unwrap(), before);
}

/// Holds law 7.6.
#[test]
fn another_room_does_not_merge() {
    let config = Config::default();
    let now = Timestamp::from_millis(START);
    let mut room = Room::new(room_id(), &config);
    let other = Room::new(RoomId::new("other").unwrap(), &config);
    let error = room.merge(other, &config, now).unwrap_err();
    assert_eq!(error.to_string(), r#"the input is for room "other", but this is room "room""#);
}

/// Holds law 7.3.
#[test]
fn an_end_outranks_what_the_other_replica_had_before_it() {
    let config = Config::default();
    let at = |millis| Timestamp::from_millis(START + millis);
    let mut ended = Room::new(room_id(), &config);
    ended.create(NewRoom::new("room", "tom"), &config, at(0)).unwrap();
    let mut replica = ended.clone();
    replica.join(NewUser::new("ann"), &config, at(1)).unwrap();
    ended.end(&config, at(2)).unwrap();
    replica.merge(ended.clone(), &config, at(3)).unwrap();
    assert!(replica.view().is_none());
    ended.merge(replica, &config, at(4)).unwrap();
    assert!(ended.view().is_none());
}

/// Holds law 7.4.
#[test]
fn who_left_stays_out_whichever_of_the_two_replicas_knows_of_it() {
    let config = Config::default();
    let at = |millis| Timestamp::from_millis(START + millis);
    let mut joined = Room::new(room_id(), &config);
    joined.create(NewRoom::new("room", "tom"), &config, at(0)).unwrap();
    joined.join(NewUser::new("ann"), &config, at(1)).unwrap();
    let mut left = joined.clone();
    left.leave("ann", &config, at(2)).unwrap();
    // The same membership, joined at the same time: its end outranks it.
    for both in [merged(&left, &joined, &config), merged(&joined, &left, &config)] {
        assert!(both.view().unwrap().user("ann").is_none());
    }
}

/// Holds law 7.4.
#[test]
fn a_heartbeat_keeps_up_no_later_membership_than_its_own() {
    // One replica has an early membership with a late heartbeat, one knows that it ended, and one
    // has the next membership. Would the later heartbeat count for whichever membership counts, it
    // would depend on the order of merging whether the end is known before.
    let config = Config::default();
    let at = |millis| Timestamp::from_millis(START + millis);
    let mut beating = Room::new(room_id(), &config);
    beating.create(NewRoom::new("room", "tom"), &config, at(0)).unwrap();
    let mut next = beating.clone();
    beating.join(NewUser::new("ann"), &config, at(1)).unwrap();
    let mut left = beating.clone();
    left.leave("ann", &config, at(2)).unwrap();
    next.join(NewUser::new("ann"), &config, at(3)).unwrap();
    beating.heartbeat("ann", UserUpdate::new(), &config, at(50)).unwrap();

    let one = merged(&merged(&beating, &left, &config), &next, &config);
    let other = merged(&beating, &merged(&left, &next, &config), &config);
    for room in [one, other, merged(&merged(&beating, &next, &config), &left, &config)] {
        let ann = room.view().unwrap().user("ann").unwrap();
        assert_eq!(ann.heartbeat_at(), Some(at(3)));
    }
}

/// A registry that holds one replica.
/// Holds law 7.4.
#[test]
fn the_last_heartbeat_and_the_last_update_count_whichever_replica_heard_them() {
    let config = Config::default();
    let at = |seconds: u64| Timestamp::from_millis(START) + Duration::from_secs(seconds);
    let mut common = Room::new(room_id(), &config);
    common.create(NewRoom::new("room", "host"), &config, at(0)).unwrap();
    common.join(NewUser::new("ann"), &config, at(0)).unwrap();
    let heard = |seconds: u64, name: &str| {
        let mut replica = common.clone();
        replica.heartbeat("ann", UserUpdate::new().name(name), &config, at(seconds)).unwrap();
        replica
    };
    // The later name is the lesser text, which would not win at equal times.
    let (early, late) = (heard(10, "Zoe"), heard(20, "Ann"));
    for (mut one, other) in [(early.clone(), late.clone()), (late, early)] {
        one.merge(other, &config, at(20)).unwrap();
        let room = one.view().unwrap();
        let ann = room.user("ann").unwrap();
        assert_eq!(ann.name().unwrap(), "Ann");
        assert_eq!(ann.heartbeat_at(), Some(at(20)));
    }
}

fn registry_of(room: &Room, config: &Config) -> RoomRegistry<ManualClock> {
    let clock = ManualClock::at(Timestamp::from_millis(START + 1_000));
    let mut registry = RoomRegistry::with_clock(config.clone(), clock);
    let mut mirror = Mirror::default();
    registry.import(room.clone()).unwrap();
    registry.changes().for_each(|change| mirror.apply(&change));
    assert_eq!(mirror, registry.rooms().collect(), "what came in is told");
    registry
}

proptest! {
    #![proptest_config(properties(100))]

    #[test]
    fn rooms_go_from_registry_to_registry_and_merge_there(a in steps(), b in steps()) {
        let config = Config::builder().retention(None).build().unwrap();
        let (a, b) = (replica(&a, &config), replica(&b, &config));
        let mut registry = registry_of(&a, &config);
        let exported = registry.export("room");
        prop_assert_eq!(exported.is_none(), a.is_forgotten());
        if let Some(exported) = &exported {
            prop_assert_eq!(essence(exported), essence(&a));
        }
        let mut mirror: Mirror = registry.rooms().collect();
        registry.import(b.clone()).unwrap();
        registry.changes().for_each(|change| mirror.apply(&change));
        prop_assert_eq!(&mirror, &registry.rooms().collect());
        let users: usize = registry.rooms().map(|room| room.users().count()).sum();
        prop_assert_eq!(registry.user_count(), users);
        if let Some(both) = registry.export("room") {
            prop_assert_eq!(essence(&both), essence(&merged(&a, &b, &config)));
        }
        // And out again, with everything.
        let both = registry.export("room").map(|room| essence(&room));
        let removed = registry.remove("room").map(|room| essence(&room));
        prop_assert_eq!(removed, both);
        registry.changes().for_each(|change| mirror.apply(&change));
        prop_assert_eq!(&mirror, &registry.rooms().collect());
        let counts = (registry.held_room_count(), registry.room_count(), registry.user_count());
        prop_assert_eq!((counts, registry.next_expiry()), ((0, 0, 0), None));
    }
}

/// Holds law 7.5.
#[test]
fn a_replica_from_the_local_future_is_pulled_back_when_it_is_merged() {
    let config = Config::default();
    let (now, later) = (Timestamp::from_millis(START), Timestamp::from_millis(START + 3_600_000));
    let mut ahead = Room::new(room_id(), &config);
    ahead.create(NewRoom::new("room", "tom"), &config, later).unwrap();
    ahead.join(NewUser::new("ann"), &config, later).unwrap();
    let mut here = Room::new(room_id(), &config);
    here.merge(ahead, &config, now).unwrap();
    let ann = here.view().unwrap().user("ann").unwrap();
    assert_eq!(ann.heartbeat_at(), Some(now));
    assert_eq!(ann.membership().unwrap().joined_at, now);
    assert_eq!(here.view().unwrap().info().unwrap().created_at, now);
    assert_eq!(here.next_expiry(&config), Some(Timestamp::from_millis(START + 90_001)));
}

/// Whoever joined after an end joined later than it, also if the local clock stood still or went back.
#[test]
fn a_room_made_again_keeps_its_users_when_the_local_clock_is_set_back_and_it_is_merged() {
    let config = Config::default();
    let (before, now) = (Timestamp::from_millis(START), Timestamp::from_millis(START + 3_600_000));
    let mut room = Room::new(room_id(), &config);
    for _ in 0..2 {
        room.create(NewRoom::new("room", "tom"), &config, now).unwrap();
        room.join(NewUser::new("ann"), &config, now).unwrap();
        room.leave("ann", &config, now).unwrap();
        room.join(NewUser::new("ann"), &config, now).unwrap();
        room.join(NewUser::new("bob"), &config, now).unwrap();
        if room.view().unwrap().info().unwrap().created_at == now {
            room.end(&config, now).unwrap();
        }
    }
    room.grant_grace(&config, before).unwrap();
    let copy = room.clone();
    room.merge(copy, &config, before).unwrap();
    assert_eq!(room.changes().count(), 0);
    assert_eq!(room.view().unwrap().user_count(), 2);
}

/// Holds law 7.6.
#[test]
fn a_registry_takes_no_room_in_that_was_made_under_other_settings() {
    let theirs = Config::builder().retention(None).build().unwrap();
    let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    let error = registry.import(Room::new(room_id(), &theirs)).unwrap_err();
    assert!(matches!(error, Error::OtherSettings { .. }));
    assert_eq!(registry.held_room_count(), 0);
}

/// Holds law 6.4.
#[test]
fn a_session_hidden_in_the_very_millisecond_of_the_creation_stays_hidden() {
    let config = Config::default();
    let at = |millis| Timestamp::from_millis(START + millis);
    let session = room_registry::SessionId::new("7").unwrap();
    let created = room_registry::event::RoomCreated::new(at(0));
    let mut ended = Room::new(room_id(), &config);
    ended.apply(&Callback::new(room_id(), session, created), &config, at(0)).unwrap();
    ended.end(&config, at(1)).unwrap();
    // The other replica's info was updated after that end, and so outranks it.
    let mut created = Room::new(room_id(), &config);
    created.create(NewRoom::new("room", "tom"), &config, at(1)).unwrap();
    created.update(RoomUpdate::new().name("still here"), &config, at(2)).unwrap();
    let both = merged(&ended, &created, &config);
    let room = both.view().unwrap();
    assert_eq!(room.name().unwrap(), "still here");
    assert!(room.session().is_none());
}

/// Holds laws 6.5 and 7.3.
#[test]
fn an_end_wins_over_an_update_of_the_same_millisecond() {
    let config = Config::default();
    let at = |millis| Timestamp::from_millis(START + millis);
    let mut updated = Room::new(room_id(), &config);
    updated.create(NewRoom::new("room", "tom"), &config, at(0)).unwrap();
    let mut ended = updated.clone();
    updated.update(RoomUpdate::new().name("late"), &config, at(5)).unwrap();
    ended.end(&config, at(5)).unwrap();
    assert!(merged(&updated, &ended, &config).view().is_none());
    assert!(merged(&ended, &updated, &config).view().is_none());
}

/// Nobody of them is a member, so the app's words are all there is. Holds law 18.11.
#[test]
fn the_apps_last_word_on_a_user_or_stream_counts_whichever_replica_heard_it() {
    let config = Config::default();
    let at = |millis| Timestamp::from_millis(START + millis);
    let mut common = Room::new(room_id(), &config);
    let present = observed_at(START).users([present_user("ann")]).streams([present_stream("cam")]);
    common.apply_observation(&present, &config, at(0)).unwrap();
    let said = |millis, word: &str| {
        let mut replica = common.clone();
        let attributes = [("seat".into(), Some(word.into()))].into();
        replica.update_stream("cam", attributes, &config, at(millis)).unwrap();
        replica.update_user("ann", UserUpdate::new().name(word), &config, at(millis)).unwrap();
        replica
    };
    // The later word is the lesser text, which would not win at equal times.
    let (early, late) = (said(10, "z"), said(20, "a"));
    for (mut one, other) in [(early.clone(), late.clone()), (late, early)] {
        one.merge(other, &config, at(20)).unwrap();
        let room = one.view().unwrap();
        assert_eq!(room.user("ann").unwrap().name().unwrap(), "a");
        assert_eq!(room.stream("cam").unwrap().attributes().get("seat").unwrap(), "a");
    }
}

/// Changes are exact: the mirror in `merged` sees it.
#[test]
fn the_later_attributes_of_a_stream_that_a_merge_brings_are_told() {
    let config = Config::default();
    let at = |millis| Timestamp::from_millis(START + millis);
    let mut early = Room::new(room_id(), &config);
    let present = observed_at(START).streams([present_stream("cam")]);
    early.apply_observation(&present, &config, at(0)).unwrap();
    let mut late = early.clone();
    let seat = |seat: &str| [("seat".into(), Some(seat.into()))].into();
    early.update_stream("cam", seat("1"), &config, at(10)).unwrap();
    late.update_stream("cam", seat("2"), &config, at(20)).unwrap();
    for both in [merged(&early, &late, &config), merged(&late, &early, &config)] {
        let room = both.view().unwrap();
        assert_eq!(room.stream("cam").unwrap().attributes().get("seat").unwrap(), "2");
    }
}

/// Neither has anybody in it when they are merged. Holds laws 7.1 and 18.7.
#[test]
fn a_room_that_was_entered_in_both_replicas_still_ends_once_it_was_empty() {
    let config = Config::default();
    let at = |millis| Timestamp::from_millis(START + millis);
    let mut room = Room::new(room_id(), &config);
    let graces = NewRoom::new("room", "tom")
        .lifecycle(Lifecycle::UntilEmpty)
        .first_join_grace(Duration::from_secs(600))
        .empty_grace(Duration::from_secs(60));
    room.create(graces, &config, at(0)).unwrap();
    room.join(NewUser::new("ann"), &config, at(0)).unwrap();
    room.leave("ann", &config, at(1)).unwrap();
    let both = merged(&room, &room, &config);
    assert_eq!(both.next_expiry(&config), room.next_expiry(&config));
}

/// Holds laws 7.1 and 18.5.
#[test]
fn how_a_connection_ended_is_known_after_a_merge_into_a_replica_that_knew_nobody() {
    let config = Config::default();
    let at = |millis| Timestamp::from_millis(START + millis);
    let mut empty = Room::new(room_id(), &config);
    empty.create(NewRoom::new("room", "tom"), &config, at(0)).unwrap();
    let mut left = empty.clone();
    left.join(NewUser::new("ann").connection("old"), &config, at(1)).unwrap();
    left.leave("ann", &config, at(2)).unwrap();
    for mut both in [merged(&empty, &left, &config), merged(&left, &empty, &config)] {
        let now = at(5_000);
        both.join(NewUser::new("ann").connection("new"), &config, now).unwrap();
        let beat = both.heartbeat(("ann", "old"), UserUpdate::new(), &config, now);
        assert_eq!(beat, Ok(Heartbeat::Left));
    }
}

/// Holds laws 14.4 and 16.7.
#[test]
fn a_leave_from_before_an_absence_is_let_go_whichever_replica_knew_of_it() {
    let config = Config::builder().retention(None).build().unwrap();
    let now = Timestamp::from_millis(START);
    let told = |observation| {
        let mut room = Room::new(room_id(), &config);
        room.apply_observation(&observation, &config, now).unwrap();
        room
    };
    let ann = || [present_user("ann")];
    let absent = told(observed_at(1_010_000).users([]));
    let present = told(observed_at(1_010_000).some_users(ann()));
    let mut left = told(observed_at(1_005_000).some_users(ann()));
    left.leave("ann", &config, now).unwrap();

    let one = merged(&merged(&absent, &left, &config), &present, &config);
    let other = merged(&absent, &merged(&left, &present, &config), &config);
    assert_eq!(essence(&one), essence(&other));
    assert!(one.view().unwrap().user("ann").is_some());
}
