//! Rooms that are carried over to other settings.

use std::time::Duration;

use proptest::prelude::*;
use room_registry::event::CallbackEvent;
use room_registry::{
    Callback, Config, ConfigBuilder, Mirror, NewRoom, NewUser, Role, Room, RoomRef, Timestamp,
    UserUpdate,
};
use room_registry_world::effort::properties;
use room_registry_world::history::room_id;
use room_registry_world::junk::{junk, junk_callback};
use room_registry_world::observations::Told;
use serde_json::Value;

use super::merging::{replica, steps};

const START: u64 = 1_020_000;
const LATER: u64 = START + 1_000;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn built(config: ConfigBuilder) -> Config {
    config.build().unwrap()
}

/// Settings that decide only what is shown of what is stored.
fn shown() -> impl Strategy<Value = Config> {
    let listing = prop::option::of(Just(Duration::from_secs(60)));
    (any::<bool>(), listing, 0..3_usize).prop_map(|(infers, listing, roles)| {
        let uncounted = [Role::HOST, Role::AUDIENCE].into_iter().take(roles).collect();
        built(
            Config::builder()
                .retention(None)
                .infer_sessions(infers)
                .empty_listing_time(listing)
                .uncounted_roles(uncounted),
        )
    })
}

/// Any settings.
fn any_settings() -> impl Strategy<Value = Config> {
    let retention = prop::option::of(prop::sample::select(vec![200_u64, 5_000, 600_000]));
    let skew = prop::sample::select(vec![200_u64, 1_000, 5_000, 20_000]);
    let window = prop::sample::select(vec![0_u64, 20, 100, 200]);
    (shown(), retention, skew, window, any::<bool>()).prop_map(
        |(shown, retention, skew, window, closes)| {
            let span = Duration::from_millis;
            built(
                Config::builder()
                    .infer_sessions(shown.infer_sessions())
                    .empty_listing_time(shown.empty_listing_time())
                    .uncounted_roles(shown.uncounted_roles())
                    .retention(retention.map(span))
                    .clock_skew(span(skew))
                    .tie_window(span(window))
                    .empty_means_closed(closes),
            )
        },
    )
}

/// All that is stored, but for the settings.
fn stored(room: &Room) -> Value {
    let mut stored = serde_json::to_value(room).unwrap();
    stored.as_object_mut().unwrap().remove("settings");
    stored
}

/// The same, but for signs of loss that an observation answered before they were noticed. The order of
/// signs may differ, too, and that of members who were silent for equally long.
fn unanswered(room: &Room) -> Value {
    let mut stored = stored(room);
    let listed_at = ["users", "streams"]
        .map(|list| stored["live"]["observed"][list]["listed_at"].as_u64().unwrap_or(0));
    let members = stored["members"].as_array_mut().unwrap();
    members.sort_by_key(|member| member["user_id"].as_str().map(str::to_owned));
    for session in stored["live"]["sessions"].as_array_mut().unwrap() {
        let doubts = session["evidence"]["doubts"].as_array_mut().unwrap();
        doubts.retain(|doubt| doubt["told_at"].as_u64() > listed_at.into_iter().max());
        doubts.sort_by_key(ToString::to_string);
    }
    stored
}

fn mirror(room: &Room) -> Mirror {
    room.view().into_iter().collect()
}

/// What readers see, but for what seems to be lost. Signs are noticed when something happens.
fn visible(room: &Room) -> (Value, Option<usize>) {
    let mut mirror = serde_json::to_value(mirror(room)).unwrap();
    for room in mirror["rooms"].as_object_mut().unwrap().values_mut() {
        room.as_object_mut().unwrap().remove("suspicions");
    }
    (mirror, room.view().map(RoomRef::user_count))
}

/// A closing that does not tell when its stay opened counts as later by the skew, and what it removed for
/// that is gone.
fn told_with_opening(mut callback: Callback) -> Callback {
    match &mut callback.event {
        CallbackEvent::UserLoggedOut(event) => _ = event.login_at.get_or_insert(event.logout_at),
        CallbackEvent::StreamClosed(event) => _ = event.created_at.get_or_insert(event.closed_at),
        _ => {}
    }
    callback
}

/// A room that somebody may have created and joined first.
fn told(is_created: bool, told: &[Told], config: &Config) -> Room {
    let mut room = Room::new(room_id(), config);
    if is_created {
        room.create(NewRoom::new("room", "user0"), config, at(START)).unwrap();
        for (user, role) in [("user0", Role::HOST), ("member", Role::AUDIENCE)] {
            room.join(NewUser::new(user).role(role), config, at(START)).unwrap();
        }
    }
    for told in told {
        told.to(&mut room, config, at(START));
    }
    room
}

proptest! {
    #![proptest_config(properties(400))]

    /// Holds law 22.1.
    #[test]
    fn a_longer_retention_costs_nothing(steps in steps(), is_finite: bool) {
        let before = Config::default();
        let retention = is_finite.then_some(Duration::from_secs(3_600));
        let after = built(Config::builder().retention(retention));
        let room = replica(&steps, &before);
        let mut carried = room.clone();
        let now = stored(&room)["clock"].as_u64().unwrap();
        carried.carry_over(&after, at(now));
        prop_assert_eq!(mirror(&carried), mirror(&room));
        prop_assert_eq!(carried.changes().count(), 0);
        prop_assert_eq!(carried.is_forgotten(), room.is_forgotten());
        if !room.is_forgotten() {
            prop_assert_eq!(unanswered(&carried), unanswered(&room));
        }
    }

    /// Holds law 22.2.
    #[test]
    fn what_decides_only_what_is_shown_shows_what_it_would_have_shown_from_the_start(
        is_created: bool,
        inputs in prop::collection::vec(junk(5_000), 0..20),
        more in prop::collection::vec(junk(5_000), 0..4),
        before in shown(),
        after in shown(),
    ) {
        let mut carried = told(is_created, &inputs, &before);
        carried.carry_over(&after, at(START));
        let mut expected = told(is_created, &inputs, &after);
        prop_assert_eq!(visible(&carried), visible(&expected));
        for input in more {
            let outcomes = [&mut carried, &mut expected].map(|room| input.to(room, &after, at(LATER)));
            prop_assert_eq!(outcomes[0], outcomes[1]);
            prop_assert_eq!(visible(&carried), visible(&expected));
        }
    }

    /// Holds law 22.3.
    #[test]
    fn smaller_windows_keep_what_they_would_have_kept_from_the_start(
        inputs in prop::collection::vec(junk_callback(), 0..20),
        (skew, window) in (0..5_001_u64, 0..101_u64),
    ) {
        let settings = |skew: u64, window: u64| {
            let [skew, window] = [skew, window.min(skew)].map(Duration::from_millis);
            built(Config::builder().retention(None).clock_skew(skew).tie_window(window))
        };
        let (before, after) = (settings(5_000, 100), settings(skew, window));
        let inputs: Vec<_> = inputs.into_iter().map(told_with_opening).map(Told::Heard).collect();
        let mut carried = told(false, &inputs, &before);
        carried.carry_over(&after, at(START));
        prop_assert_eq!(visible(&carried), visible(&told(false, &inputs, &after)));
    }

    /// Holds law 22.4.
    #[test]
    fn a_shorter_retention_forgets_at_once_and_changes_nothing_that_readers_see(steps in steps(), later in 0..3_000_u64) {
        let room = replica(&steps, &Config::default());
        let after = built(Config::builder().retention(Some(Duration::from_millis(200))));
        let mut carried = room.clone();
        carried.carry_over(&after, at(START + later));
        prop_assert_eq!(visible(&carried), visible(&room));
        // What comes next finds nothing more to forget.
        let again = stored(&carried);
        carried.leave("nobody", &after, at(START + later)).unwrap_err();
        prop_assert_eq!(stored(&carried), again);
    }

    /// Holds law 22.5.
    #[test]
    fn a_room_of_any_settings_becomes_a_room_of_any_others_and_its_changes_are_exact(
        steps in steps(),
        settings in prop::collection::vec(any_settings(), 2..4),
        pauses in prop::collection::vec(prop::sample::select(vec![0_u64, 7, 6_000, 700_000]), 4),
    ) {
        let mut room = replica(&steps, &settings[0]);
        let mut followed = mirror(&room);
        let mut now = START + 1_000;
        for (config, pause) in settings.iter().skip(1).zip(pauses) {
            now += pause;
            room.carry_over(config, at(now));
            room.changes().for_each(|change| followed.apply(&change));
            prop_assert_eq!(&followed, &mirror(&room));
            // It can be stored and read back, and goes on.
            let json = serde_json::to_string(&room).unwrap();
            let mut read: Room = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(serde_json::to_string(&read).unwrap(), json);
            prop_assert_eq!(mirror(&read), mirror(&room));
            for room in [&mut read, &mut room] {
                let _ = room.heartbeat("user0", UserUpdate::new(), config, at(now));
                room.expire(config, at(now)).unwrap();
            }
            room.changes().for_each(|change| followed.apply(&change));
            followed = mirror(&room);
            prop_assert_eq!(&followed, &mirror(&read));
        }
    }
}
