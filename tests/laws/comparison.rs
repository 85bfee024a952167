//! The published recipe and arrival order beside this crate, on the same histories. The figures
//! stand in the guide's page `migrating`; print them with
//! `TEST_EFFORT=5 cargo test --release --test laws comparison -- --nocapture`.

use room_registry::{Callback, Config, Room, Timestamp};
use room_registry_world::effort::{seeds, times};
use room_registry_world::history::{Options, as_it_arrives, permutations, room_id, valid_history};
use room_registry_world::interpreter::as_truth;
use room_registry_world::recipe::Recipe;
use room_registry_world::rng::Rng;
use room_registry_world::truth::truth;
use room_registry_world::view::visible_of;

/// A local time, an hour and more after everything, within the retention.
const NOW: Timestamp = Timestamp::from_millis(1_764_000_000_000);

/// How often each was wrong at the end.
#[derive(Debug, Default)]
struct Wrong {
    histories: u32,
    arrival_order: u32,
    recipe: u32,
    ours: u32,
}

impl Wrong {
    fn add(&mut self, history: &[Callback], arrived: &[Callback]) {
        let expected = truth(history);
        self.histories += 1;
        self.arrival_order += u32::from(truth(arrived) != expected);
        let mut recipe = Recipe::default();
        for callback in arrived {
            recipe.apply(callback);
        }
        self.recipe += u32::from(recipe.truth() != expected);
        let config = Config::builder().retention(None).build().unwrap();
        let mut room = Room::new(room_id(), &config);
        for callback in arrived {
            room.apply(callback, &config, NOW).unwrap();
        }
        self.ours += u32::from(as_truth(visible_of(room.view()).as_ref()) != expected);
    }

    #[expect(clippy::disallowed_macros, reason = "the figures are for people")]
    fn print(&self, what: &str) {
        let percent = |wrong: u32| f64::from(wrong) * 100.0 / f64::from(self.histories);
        println!(
            "{what:<62} {:>6} runs: arrival order {:>5.1} %, published recipe {:>5.1} %, this crate {:>3.1} %",
            self.histories,
            percent(self.arrival_order),
            percent(self.recipe),
            percent(self.ours),
        );
    }
}

/// Holds law 1.2.
#[test]
fn the_published_recipe_goes_wrong_where_this_crate_does_not() {
    let mut short = Wrong::default();
    for seed in seeds(8) {
        let callbacks = 4 + usize::try_from(seed % 3).unwrap();
        let mut history = valid_history(seed, Options { callbacks, ..Options::default() });
        history.truncate(callbacks);
        for order in permutations(history.len()) {
            let arrived: Vec<_> = order.into_iter().map(|index| history[index].clone()).collect();
            short.add(&history, &arrived);
        }
    }
    short.print("every order of 4 to 6 callbacks");

    let mut wrongs = Vec::new();
    for (callbacks, duplicates) in [(30, 0), (30, 20), (200, 0), (200, 20)] {
        let mut wrong = Wrong::default();
        for seed in seeds(60) {
            let history = valid_history(1_000 + seed, Options { callbacks, ..Options::default() });
            wrong.add(&history, &as_it_arrives(&history, seed, duplicates));
        }
        wrong.print(&format!("{callbacks} callbacks, shuffled, {duplicates} % repeated"));
        wrongs.push(wrong);
    }

    for duplicates in [0, 20] {
        let mut wrong = Wrong::default();
        for seed in seeds(60) {
            let options = Options { callbacks: 200, closings: 1, ..Options::default() };
            let history = valid_history(1_000 + seed, options);
            wrong.add(&history, &as_it_arrives(&history, seed, duplicates));
        }
        wrong.print(&format!("200 callbacks of long sessions, shuffled, {duplicates} % repeated"));
        wrongs.push(wrong);
    }

    let mut latency = Wrong::default();
    for seed in seeds(60) {
        let history = valid_history(1_000 + seed, Options { callbacks: 200, ..Options::default() });
        latency.add(&history, &with_latency(&history, seed));
    }
    latency.print("200 callbacks, up to 2 s late each, 5 % by retries");

    for wrong in wrongs.iter().chain([&short, &latency]) {
        assert_eq!(wrong.ours, 0);
    }
    assert!(short.recipe > 0, "{short:?}");
    assert!(wrongs.iter().all(|wrong| wrong.recipe > 0), "{wrongs:?}");
}

#[test]
fn in_order_and_never_within_one_millisecond_the_published_recipe_is_right() {
    let mut apart = 0;
    for seed in seeds(800) {
        let options = Options { callbacks: 12, max_gap: 60_000, ..Options::default() };
        let history = valid_history(seed, options);
        let times: Vec<_> = history.iter().map(Callback::latest_time).collect();
        if times.windows(2).any(|pair| pair[0] >= pair[1]) {
            continue;
        }
        apart += 1;
        let mut recipe = Recipe::default();
        for (index, callback) in history.iter().enumerate() {
            recipe.apply(callback);
            assert_eq!(recipe.truth(), truth(&history[..=index]), "seed {seed}, callback {index}");
        }
    }
    assert!(apart > times(4), "some histories have no two things within one millisecond: {apart}");
}

/// As it might arrive in practice: a little late each, some only with a retry of the vendor's.
fn with_latency(history: &[Callback], seed: u64) -> Vec<Callback> {
    let mut rng = Rng::new(seed);
    let mut arrivals: Vec<_> = history
        .iter()
        .map(|callback| {
            let retry = if rng.chance(5) {
                [2_000, 6_000, 14_000, 30_000][usize::try_from(rng.below(4)).unwrap()]
            } else {
                0
            };
            (callback.latest_time().as_millis() + rng.below(2_000) + retry, callback.clone())
        })
        .collect();
    arrivals.sort_by_key(|(at, _)| *at);
    arrivals.into_iter().map(|(_, callback)| callback).collect()
}
