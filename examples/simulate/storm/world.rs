//! A random world.

use std::time::Duration;

use room_registry::{Config, ConfigError};

use super::super::network::Roads;
use super::super::repair::Api;
use super::super::rng::{Dice, Share};
use super::super::server::Manners;
use super::super::settings::{START, Settings};

/// Settings of all sorts, within what the crate promises to bear.
pub(crate) fn random(seed: u64) -> Result<Settings, ConfigError> {
    let mut rng = Dice::new(seed, 8);
    let tie_window = [0, 1, 20, 100, 100, 500, 2_000][rng.index(7)];
    let skew = rng.between(0, tie_window / 2);
    // Half as long again as the tie window at least: see the tie window's setting.
    let least = tie_window + tie_window / 2;
    let clock_skew = least.max([100, 1_000, 5_000, 5_000, 10_000][rng.index(5)]);
    let is_lossy = rng.chance(Share::percent(50));
    let travel = [(0, 0), (235, 2_000), (235, 2_000), (2_000, 10_000), (10_000, 60_000)];
    let travel = travel[rng.index(travel.len())];
    let loss =
        if is_lossy { Share([1_000, 10_000, 30_000, 100_000][rng.index(4)]) } else { Share(0) };
    let change_every = [100, 300, 1_000, 3_000, 17_000, 60_000][rng.index(6)];
    let rooms = [1, 5, 20, 60, 200][rng.index(5)];
    // A calm world has fewer callbacks: an hour is enough for everything to happen.
    let events = rng.between(1_000, 60_000).min(3_600_000 * rooms as u64 / change_every);
    let outage_at = START + rng.below(events * change_every / rooms as u64 + 1);
    // Shorter than the vendor's tries take in all, or long enough that many are in vain.
    let outage = match rng.below(4) {
        0 => rng.between(1_000, 61_000_u64.saturating_sub(travel.1).max(1_000)),
        1 if is_lossy => rng.between(60_000, 600_000),
        _ => 0,
    };
    let latest = 62_000 + travel.1 + 100 + skew;
    let retention = rng.chance(Share::percent(65)).then(|| latest + rng.below(1_200_000));
    let names_sessions = rng.chance(Share::percent(25));
    let troubled = rng.chance(Share::percent(30));
    let budget = [2, 5, 10, if change_every < 1_000 { 50 } else { 2 }][rng.index(4)];
    let round = clock_skew + 2_000 * rooms as u64 / u64::from(budget);
    let infers = rng.chance(Share::percent(85));
    // What was forgotten of an empty room shows again by inference alone.
    let unlists = (infers || retention.is_none()) && rng.chance(Share::percent(40));
    let listed = unlists.then(|| rng.between(1_000, 300_000));
    let config = Config::builder()
        .tie_window(Duration::from_millis(tie_window))
        .clock_skew(Duration::from_millis(clock_skew))
        .retention(retention.map(Duration::from_millis))
        .infer_sessions(infers)
        .empty_listing_time(listed.map(Duration::from_millis))
        .empty_means_closed(!names_sessions || rng.chance(Share::percent(50)))
        .heartbeat_timeout(Duration::from_millis([1_000, 30_000, 90_000][rng.index(3)]))
        .ask_after(Duration::from_millis(clock_skew + [1_000, 15_000, 60_000][rng.index(3)]))
        .report_after(Duration::from_millis([20_000, 90_000, 300_000][rng.index(3)]))
        .quiet_for(Duration::from_millis([10_000, 60_000, 300_000][rng.index(3)]))
        .repair_calls_per_second(budget)
        .index_users(rng.chance(Share::percent(20)))
        .build()?;
    Ok(Settings {
        seed,
        events,
        manners: Manners {
            rooms,
            change_every,
            skew,
            without_login_time: Share::percent([0, 0, 30, 100][rng.index(4)]),
        },
        roads: Roads {
            loss,
            duplicates: Share::percent([0, 2, 20, 60][rng.index(4)]),
            failures: Share::percent([0, 2, 10, 40][rng.index(4)]),
            travel,
            outage: outage_at..outage_at + outage,
        },
        api: Api {
            latency: [(0, 0), (60, 140), (100, 2_000)][rng.index(3)],
            failures: Share::percent(if troubled { 20 } else { 0 }),
            partial: Share::percent(if troubled { 10 } else { 0 }),
            names_sessions,
        },
        config,
        tick: [50, 100, 500, 1_000][rng.index(4)],
        // A round of the planner may be busy with what it knows to be wrong; the next finds the rest.
        patience: round + if troubled { 1_800_000 } else { 0 },
    })
}
