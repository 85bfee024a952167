//! The ordering rules, held against the slow evaluation and against the truth of valid histories.

use std::time::Duration;

use proptest::prelude::*;
use room_registry::{Callback, Config, Mirror, Room, Timestamp};
use room_registry_world::effort::{properties, seeds};
use room_registry_world::history::{Options, as_it_arrives, permutations, room_id, valid_history};
use room_registry_world::interpreter::{as_truth, visible_session_as_truth};
use room_registry_world::junk::junk_callback;
use room_registry_world::model::{Settings, evaluate};
use room_registry_world::repair_model::{Rules, evaluate_all};
use room_registry_world::truth::truth;
use room_registry_world::vendor::Vendor;
use room_registry_world::view::{stored_of, visible_of};

const NOW: Timestamp = Timestamp::from_millis(1_764_000_000_000);

/// Remembers everything, so that junk has one result too.
fn config(infer: bool) -> Config {
    config_of(Settings { infer, ..Settings::default() })
}

fn config_of(settings: Settings) -> Config {
    Config::builder()
        .retention(None)
        .clock_skew(Duration::from_millis(settings.clock_skew))
        .tie_window(Duration::from_millis(settings.tie_window))
        .infer_sessions(settings.infer)
        .build()
        .unwrap()
}

/// The usual settings, and those at the ends of what makes sense.
fn settings() -> impl Strategy<Value = Settings> {
    let spans = vec![(5_000, 100), (5_000, 100), (5_000, 0), (5_000, 5_000), (100, 100), (0, 0)];
    (prop::sample::select(spans), prop::bool::weighted(0.9))
        .prop_map(|((clock_skew, tie_window), infer)| Settings { clock_skew, tie_window, infer })
}

/// Applies callbacks to a room and follows it with a mirror.
#[track_caller]
fn applied(callbacks: &[Callback], config: &Config) -> Room {
    let mut room = Room::new(room_id(), config);
    let mut mirror = Mirror::default();
    for callback in callbacks {
        room.apply(callback, config, NOW).unwrap();
        room.changes().for_each(|change| mirror.apply(&change));
        assert_eq!(mirror, room.view().into_iter().collect(), "after {callback:?}");
    }
    room
}

/// Any order with any repeats ends in what the slow evaluation of the set says.
#[track_caller]
fn check_junk(callbacks: &[Callback], settings: Settings) {
    let (stored, visible) = evaluate(callbacks, settings);
    let room = applied(callbacks, &config_of(settings));
    assert_eq!(visible_of(room.view()), visible);
    assert_eq!(stored_of(&room), stored);
}

proptest! {
    #![proptest_config(properties(800))]

    /// Holds laws 1.1, 1.6, 2.1, 2.2, 2.3, 2.4, 2.5, 2.7, 3.1, 3.2, 3.3, 3.4, 3.5, 3.6, 3.7,
    /// 3.8, 3.9, 3.11, 3.12, 3.14, 4.1, 4.2, 4.3 and 4.4.
    #[test]
    fn any_set_of_callbacks_in_any_order_equals_the_slow_evaluation(
        callbacks in prop::collection::vec(junk_callback(), 0..14),
        seed: u64,
        settings in settings(),
    ) {
        check_junk(&callbacks, settings);
        check_junk(&as_it_arrives(&callbacks, seed, 40), settings);
    }

    /// Holds law 1.1.
    #[test]
    fn any_large_set_of_callbacks_equals_the_slow_evaluation(
        callbacks in prop::collection::vec(junk_callback(), 30..60),
    ) {
        check_junk(&callbacks, Settings::default());
    }

    /// Holds law 1.7.
    #[test]
    fn a_room_that_was_stored_and_read_back_goes_on_as_if_it_had_not(
        callbacks in prop::collection::vec(junk_callback(), 0..20),
        more in prop::collection::vec(junk_callback(), 0..5),
    ) {
        let config = config(true);
        let mut room = applied(&callbacks, &config);
        let stored = serde_json::to_string(&room).unwrap();
        let mut restored: Room = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(serde_json::to_string(&restored).unwrap(), stored);
        prop_assert_eq!(visible_of(restored.view()), visible_of(room.view()));
        for callback in &more {
            let outcome = room.apply(callback, &config, NOW).unwrap();
            prop_assert_eq!(restored.apply(callback, &config, NOW).unwrap(), outcome);
        }
        prop_assert_eq!(serde_json::to_string(&restored).unwrap(), serde_json::to_string(&room).unwrap());
    }
}

/// A history that arrived in some order ends in its truth.
#[track_caller]
fn check_valid(history: &[Callback], arrived: &[Callback], context: &str) {
    let truth = truth(history);
    // A close without a session states what an observation does, so the model of callbacks has no word for it.
    if history.iter().all(|callback| callback.session_id.is_some()) {
        let (_, model) = evaluate(arrived, Settings::default());
        assert_eq!(as_truth(model.as_ref()), truth, "the model, {context}: {history:#?}");
    }
    let (.., model) = evaluate_all(arrived, &[], Rules::default());
    assert_eq!(
        visible_session_as_truth(model.as_ref()),
        truth,
        "the model of all, {context}: {history:#?}"
    );
    let room = applied(arrived, &config(true));
    assert_eq!(as_truth(visible_of(room.view()).as_ref()), truth, "{context}: {history:#?}");
}

#[track_caller]
fn check_valid_in_every_order(history: &[Callback], context: &str) {
    for order in permutations(history.len()) {
        let arrived: Vec<_> = order.into_iter().map(|index| history[index].clone()).collect();
        check_valid(history, &arrived, context);
    }
}

/// Holds laws 1.1 and 1.2.
#[test]
fn every_order_of_a_short_valid_history_ends_in_its_truth() {
    for seed in seeds(12) {
        let callbacks = 2 + usize::try_from(seed % 5).unwrap();
        let mut history = valid_history(seed, Options { callbacks, ..Options::default() });
        history.truncate(6);
        check_valid_in_every_order(&history, &format!("seed {seed}"));
    }
}

/// Holds laws 1.1 and 1.2.
#[test]
fn every_order_of_a_short_valid_history_of_any_vendor_ends_in_its_truth() {
    for (vendor, first) in Vendor::each_with_seeds(seeds(1)) {
        // Rooms open again within the tie window of their close.
        let brisk = Options { skew: 50, max_gap: 60, ..Options::default() };
        let options = Options { callbacks: 5, closings: 25, vendor, ..brisk };
        // The last step may tell more than there are orders to try.
        let is_short = |seed: &u64| valid_history(*seed, options).len() <= 6;
        let seed = (first..first + 1_000).find(is_short).unwrap();
        let history = valid_history(seed, options);
        check_valid_in_every_order(&history, &format!("seed {seed}, {vendor:?}"));
    }
}

/// Histories of 200 callbacks of all sorts.
fn kinds() -> [Options; 4] {
    [
        Options { callbacks: 200, ..Options::default() },
        Options { callbacks: 200, skew: 50, ..Options::default() },
        Options { callbacks: 200, without_login_time: 50, max_gap: 20_000, ..Options::default() },
        Options { callbacks: 200, max_gap: 60_000, ..Options::default() },
    ]
}

/// Holds law 1.1.
#[test]
fn long_valid_histories_shuffled_and_repeated_end_in_their_truth() {
    for (kind, options) in kinds().into_iter().enumerate() {
        for seed in seeds(12) {
            let history = valid_history(seed, options);
            let arrived = as_it_arrives(&history, seed, 30);
            check_valid(&history, &arrived, &format!("kind {kind}, seed {seed}"));
        }
    }
}

/// Holds law 1.1.
#[test]
fn long_valid_histories_of_any_vendor_shuffled_and_repeated_end_in_their_truth() {
    for (vendor, seed) in Vendor::each_with_seeds(seeds(1)) {
        // In the last, rooms open again within the tie window of their close.
        let brisk =
            Options { callbacks: 20, skew: 50, closings: 20, max_gap: 60, ..Options::default() };
        for (kind, options) in kinds().into_iter().chain([brisk]).enumerate() {
            let history = valid_history(seed, Options { vendor, ..options });
            let arrived = as_it_arrives(&history, seed, 30);
            check_valid(&history, &arrived, &format!("kind {kind}, seed {seed}, {vendor:?}"));
        }
    }
}
