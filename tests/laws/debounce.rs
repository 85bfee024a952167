//! The debounce, against a slow model that looks ahead in all changes.

use std::time::Duration;

use proptest::prelude::*;
use room_registry::{
    Change, ChangeKind, Clock, Config, Debounce, ManualClock, Mirror, RoomRegistry, Timestamp,
};
use room_registry_world::effort::properties;
use room_registry_world::inputs::input;

/// Who goes or comes, and whether the going waits.
fn subject(change: &Change) -> Option<(bool, &str)> {
    match &change.kind {
        ChangeKind::UserLeft { user_id, .. } => Some((true, user_id.as_str())),
        ChangeKind::UserJoined(user) => Some((true, user.user_id.as_str())),
        ChangeKind::StreamClosed { stream_id, .. } => Some((false, stream_id.as_str())),
        ChangeKind::StreamOpened(stream) => Some((false, stream.stream_id.as_str())),
        _ => None,
    }
}

fn waits(change: &Change) -> bool {
    match &change.kind {
        ChangeKind::UserLeft { reason, .. } | ChangeKind::StreamClosed { reason, .. } => {
            !reason.is_deliberate()
        }
        _ => false,
    }
}

fn comes(change: &Change) -> bool {
    matches!(change.kind, ChangeKind::UserJoined(_) | ChangeKind::StreamOpened(_))
}

fn ends_waiting(change: &Change) -> bool {
    matches!(change.kind, ChangeKind::SessionClosed { .. } | ChangeKind::RoomUnlisted)
}

/// Returns what is to be passed on of all changes until an instant, in order.
fn expected(changes: &[(Timestamp, Change)], grace: Duration, now: Timestamp) -> Vec<Change> {
    // What is due comes before what is told at that instant, and what waits before what ends it.
    let mut passed: Vec<((Timestamp, usize, usize), Change)> = Vec::new();
    let mut fate = vec![true; changes.len()];
    let mut updates = vec![false; changes.len()];
    for (index, (at, change)) in changes.iter().enumerate() {
        if !fate[index] || !waits(change) || grace.is_zero() {
            continue;
        }
        let due = *at + grace;
        let mut place = Some((due, 0, index));
        for (later, (then, other)) in changes.iter().enumerate().skip(index + 1) {
            if *then >= due {
                break;
            }
            if other.room_id != change.room_id {
                continue;
            }
            if ends_waiting(other) {
                place = Some((*then, later + 1, index));
                break;
            }
            if subject(other) != subject(change) {
                continue;
            }
            if waits(other) {
                fate[later] = false; // nobody saw it come in between
                continue;
            }
            updates[later] = comes(other);
            place = None;
            break;
        }
        fate[index] = false;
        passed.extend(place.map(|place| (place, change.clone())));
    }
    for (index, (at, change)) in changes.iter().enumerate() {
        if fate[index] {
            let mut change = change.clone();
            change.kind = match change.kind {
                ChangeKind::UserJoined(user) if updates[index] => ChangeKind::UserUpdated(user),
                ChangeKind::StreamOpened(stream) if updates[index] => {
                    ChangeKind::StreamUpdated(stream)
                }
                kind => kind,
            };
            passed.push(((*at, index + 1, changes.len()), change));
        }
    }
    passed.retain(|((at, ..), _)| *at <= now);
    passed.sort_by_key(|(place, _)| *place);
    passed.into_iter().map(|(_, change)| change).collect()
}

proptest! {
    #![proptest_config(properties(300))]

    /// Holds laws 20.1, 20.2, 20.3, 20.4 and 20.5.
    #[test]
    fn a_mirror_behind_it_equals_the_registry_but_for_those_who_are_waited_for(
        steps in prop::collection::vec((input(), prop_oneof![0..3_000_u64, 0..40_000_u64]), 0..80),
        grace in prop::sample::select(vec![0_u64, 1, 2_000, 10_000, 60_000]),
    ) {
        let grace = Duration::from_millis(grace);
        let clock = ManualClock::at(Timestamp::from_millis(1_004_000));
        let config = Config::builder().heartbeat_timeout(Duration::from_secs(60)).build().unwrap();
        let mut registry = RoomRegistry::with_clock(config, clock.clone());
        let (mut asked, mut unasked) = (Debounce::new(grace), Debounce::new(grace));
        let (mut changes, mut all, mut all_unasked) = (Vec::new(), Vec::new(), Vec::new());
        let mut mirror = Mirror::default();
        for (input, pause) in steps {
            clock.advance(Duration::from_millis(pause));
            let now = clock.now();
            while let Some(due) = asked.next_due().filter(|due| *due <= now) {
                let told = asked.take_due(due);
                prop_assert!(!told.is_empty(), "it is due when it says");
                for change in &told {
                    mirror.apply(change);
                }
                all.extend(told);
            }
            let _may_be_refused = registry.apply_input(&input);
            for change in registry.changes() {
                changes.push((now, change.clone()));
                all_unasked.extend(unasked.apply(change.clone(), now));
                let passed = asked.apply(change, now);
                for change in &passed {
                    mirror.apply(change);
                }
                all.extend(passed);
            }
            let mut without = mirror.clone();
            asked.waiting().for_each(|change| without.apply(change));
            prop_assert_eq!(without, registry.rooms().collect());
            prop_assert!(asked.waiting().all(waits));
            prop_assert_eq!(&all, &expected(&changes, grace, now));
        }
        let end = Timestamp::from_millis(u64::MAX / 2);
        all.extend(asked.take_due(end));
        all_unasked.extend(unasked.take_due(end));
        prop_assert_eq!(&all, &all_unasked, "asking makes no difference");
        prop_assert_eq!(&all, &expected(&changes, grace, end));
        prop_assert_eq!(asked.next_due(), None);
    }
}
