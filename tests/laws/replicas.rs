//! Replicas of a room that each see a part, merged now and then under a finite retention.

use std::time::Duration;

use room_registry::{Callback, Config, Outcome, Room, Timestamp};
use room_registry_world::effort::{seeds, times};
use room_registry_world::history::{Options, room_id, valid_history};
use room_registry_world::interpreter::as_truth;
use room_registry_world::model::Stored;
use room_registry_world::rng::Rng;
use room_registry_world::truth::truth;
use room_registry_world::vendor::Vendor;
use room_registry_world::view::{stored_of, visible_of};

/// Rules: the delay and the time between two merges together stay below the retention.
const RETENTION: u64 = 60_000;
const DELAY: u64 = 25_000;
const BETWEEN_MERGES: u64 = 34_000;

/// The room as one sees it who is told everything, and replicas that are told a part.
struct Replicas {
    config: Config,
    whole: Room,
    parts: Vec<Room>,
}

impl Replicas {
    fn of(count: usize) -> Self {
        let retention = Some(Duration::from_millis(RETENTION));
        let config = Config::builder().retention(retention).build().unwrap();
        let room = Room::new(room_id(), &config);
        Self { whole: room.clone(), parts: vec![room; count], config }
    }

    /// A callback reaches one of the replicas, now and then two.
    fn hear(&mut self, callback: &Callback, now: Timestamp, rng: &mut Rng) {
        let outcome = self.whole.apply(callback, &self.config, now).unwrap();
        assert_ne!(outcome, Outcome::TooLate, "the history is within the retention");
        for _ in 0..=u64::from(rng.chance(15)) {
            let which = usize::try_from(rng.below(self.parts.len() as u64)).unwrap();
            self.parts[which].apply(callback, &self.config, now).unwrap();
            if rng.chance(10) {
                self.parts[which].expire(&self.config, now).unwrap();
            }
        }
    }

    /// All hear of all, in some order.
    fn merge(&mut self, now: Timestamp, rng: &mut Rng) {
        let before = self.parts.clone();
        for (own, part) in self.parts.iter_mut().enumerate() {
            let mut others: Vec<_> =
                before.iter().enumerate().filter(|(which, _)| *which != own).collect();
            rng.shuffle(&mut others);
            for (_, other) in others {
                part.merge(other.clone(), &self.config, now).unwrap();
            }
        }
    }

    #[track_caller]
    fn assert_same(&self, context: &str) {
        for part in &self.parts {
            assert_eq!(visible_of(part.view()), visible_of(self.whole.view()), "{context}");
        }
    }
}

/// A valid history as it is delivered: when (local time), and what.
fn delivered(history: &[Callback], rng: &mut Rng) -> Vec<(Timestamp, Callback)> {
    let mut deliveries: Vec<_> = history
        .iter()
        .map(|callback| {
            let delay = if rng.chance(70) { rng.below(1_000) } else { rng.below(DELAY) };
            (callback.latest_time() + Duration::from_millis(delay), callback.clone())
        })
        .collect();
    deliveries.sort_by_key(|(at, _)| *at);
    deliveries
}

fn history(seed: u64, vendor: Vendor) -> Vec<Callback> {
    let options = Options {
        callbacks: 120,
        skew: if seed.is_multiple_of(2) { 0 } else { 50 },
        without_login_time: if seed.is_multiple_of(3) { 40 } else { 0 },
        closings: 8,
        untold_ends: 20,
        max_gap: [2_000, 8_000, 30_000][usize::try_from(seed % 3).unwrap()],
        vendor,
    };
    valid_history(seed, options)
}

/// What is stored, but for the time of the latest closing in the session without a name. It counts for law 14.5
/// alone, and so for observations, of which there are none. It goes with all that is in the session, which one
/// replica may have forgotten before somebody came again, and another not.
fn lasting(room: &Room) -> Stored {
    let mut stored = stored_of(room);
    if let Some(nameless) = stored.sessions.get_mut(&None) {
        nameless.exit_at = None;
    }
    stored
}

/// Answers whether the room is listed at the end.
fn check(seed: u64, vendor: Vendor) -> bool {
    let history = history(seed, vendor);
    let context = format!("seed {seed}, {vendor:?}");
    let mut rng = Rng::new(seed);
    let mut replicas = Replicas::of(2 + usize::try_from(seed % 2).unwrap());
    let mut merged_at = history[0].latest_time();
    let mut now = merged_at;
    for (at, callback) in delivered(&history, &mut rng) {
        while at.since(merged_at) >= Duration::from_millis(BETWEEN_MERGES) {
            merged_at = merged_at + Duration::from_millis(BETWEEN_MERGES);
            replicas.merge(merged_at, &mut rng);
            replicas.whole.expire(&replicas.config, merged_at).unwrap();
            replicas.assert_same(&format!("{context}, at {merged_at}"));
        }
        replicas.hear(&callback, at, &mut rng);
        now = at;
    }
    replicas.merge(now, &mut rng);
    replicas.assert_same(&format!("{context}, at the end"));
    let visible = visible_of(replicas.whole.view());
    assert_eq!(as_truth(visible.as_ref()), truth(&history), "{context}");

    // After a silence they hold the very same, and no more than what is visible.
    let later = now + Duration::from_millis(3 * RETENTION);
    replicas.whole.expire(&replicas.config, later).unwrap();
    for part in &mut replicas.parts {
        part.expire(&replicas.config, later).unwrap();
        assert_eq!(lasting(part), lasting(&replicas.whole), "{context}");
    }
    visible.is_some()
}

/// Holds laws 1.5 and 7.2.
#[test]
fn replicas_that_are_merged_often_enough_equal_the_one_that_saw_everything() {
    let listed = seeds(60).filter(|seed| check(*seed, Vendor::default())).count();
    assert!(
        (times(10)..times(58)).contains(&u32::try_from(listed).unwrap()),
        "some rooms are open at the end and some are not: {listed}"
    );
}

/// Holds laws 1.5 and 7.2.
#[test]
fn replicas_of_any_vendor_that_are_merged_often_enough_equal_the_one_that_saw_everything() {
    let cases = Vendor::each_with_seeds(seeds(1));
    let listed = cases.filter(|(vendor, seed)| check(*seed, *vendor)).count();
    assert!(
        (times(20)..times(110)).contains(&u32::try_from(listed).unwrap()),
        "some rooms are open at the end and some are not: {listed}"
    );
}
