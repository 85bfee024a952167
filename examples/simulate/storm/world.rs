//! A random world.

use std::time::Duration;

use room_registry::{Config, ConfigError, Role};

use super::super::network::Roads;
use super::super::repair::Api;
use super::super::rng::{Dice, Share};
use super::super::room::Stays;
use super::super::server::{Manners, Sessions};
use super::super::settings::{START, Settings};

/// The role of those who do not count, in some worlds.
pub(crate) const UNCOUNTED: &str = "recorder";

/// What is played.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) app: App,
}

/// What the clients of an app do, if it has any, beside joining and falling silent.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) ends: Ends,
    /// Whether users leave and are removed. The media server logs them out at the same moment.
    pub(crate) lets_go: bool,
    /// How many users a created room may have.
    pub(crate) max_users: Option<u32>,
}

/// What becomes of a session when the app ends the room: it closes at the same moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    /// No room is ended.
    Never,
    /// Callbacks tell of it.
    Told,
    /// No callback tells of it. Nor does the app create rooms. By law 6.4 a room that is created again
    /// shows what an end hid, and there nothing else closes it.
    Untold,
}

impl App {
    /// Whether commands change what the media server's part of a room shows.
    pub(crate) fn changes_lists(&self) -> bool {
        self.ends != Ends::Never || self.lets_go
    }
}

/// Settings of all sorts, within what the crate promises to bear.
pub(crate) fn random(seed: u64) -> Result<World, ConfigError> {
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
    let mut vendors = Dice::new(seed, 10);
    let sessions = sessions(&mut vendors);
    let is_nameless = sessions != Sessions::Named;
    // Law 3.10: of one user's shared stays, a session remembers 64. The nameless session never ends, so it
    // must forget before there are so many.
    let bears_shared = !is_nameless || change_every >= 1_000 && retention.is_some();
    let pick = |kinds: [Stays; 5], which: usize| match kinds[which] {
        Stays::Shared if !bears_shared => Stays::Named,
        kind => kind,
    };
    let users = [Stays::Named, Stays::Named, Stays::Shared, Stays::Counted, Stays::Timed];
    let users = pick(users, vendors.index(5));
    let streams = [Stays::Counted, Stays::Counted, Stays::Named, Stays::Shared, Stays::Timed];
    let streams = pick(streams, vendors.index(5));
    let [users, streams] = some_named([users, streams], seed);
    let untold_closes = Share::percent([0, 0, 30, 100][vendors.index(4)]);
    let ends = [Ends::Never, Ends::Never, Ends::Told, Ends::Untold][vendors.index(4)];
    let app = App {
        ends,
        lets_go: vendors.chance(Share::percent(50)),
        max_users: vendors.chance(Share::percent(50)).then(|| [0, 1, 2, 3, 4, 5][vendors.index(6)]),
    };
    // A room in which nobody counts leaves the list, though the media server has somebody there.
    let counts_all = unlists || vendors.chance(Share::percent(50));
    let uncounted = (!counts_all).then(|| Role::new(UNCOUNTED));
    let config = Config::builder()
        .uncounted_roles(uncounted.into_iter().collect())
        .tie_window(Duration::from_millis(tie_window))
        .clock_skew(Duration::from_millis(clock_skew))
        .retention(retention.map(Duration::from_millis))
        // An answer hides a session that stays open and empty. Once that is forgotten, only inference shows
        // who comes back.
        .infer_sessions(infers || untold_closes != Share::default() && retention.is_some())
        .empty_listing_time(listed.map(Duration::from_millis))
        .empty_means_closed(!names_sessions || rng.chance(Share::percent(50)))
        .heartbeat_timeout(Duration::from_millis([1_000, 30_000, 90_000][rng.index(3)]))
        .ask_after(Duration::from_millis(clock_skew + [1_000, 15_000, 60_000][rng.index(3)]))
        .report_after(Duration::from_millis([20_000, 90_000, 300_000][rng.index(3)]))
        .quiet_for(Duration::from_millis([10_000, 60_000, 300_000][rng.index(3)]))
        .repair_calls_per_second(budget)
        .index_users(rng.chance(Share::percent(20)))
        .build()?;
    let settings = Settings {
        seed,
        events,
        manners: Manners {
            rooms,
            change_every,
            skew,
            without_login_time: Share::percent([0, 0, 30, 100][rng.index(4)]),
            users,
            streams,
            sessions,
            untold_closes,
            apart: tie_window + skew + 10,
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
    };
    Ok(World { settings, app })
}

/// Some vendors have a name for what a counter orders.
fn some_named(kinds: [Stays; 2], seed: u64) -> [Stays; 2] {
    let mut names = Dice::new(seed, 12);
    kinds.map(|kind| match kind {
        Stays::Counted if names.chance(Share::percent(50)) => Stays::NamedAndCounted,
        kind => kind,
    })
}

/// Whether a vendor names the sessions of rooms, and what it tells if not.
fn sessions(vendors: &mut Dice) -> Sessions {
    match vendors.below(8) {
        0 => Sessions::Nameless { creates: true, closes: true },
        1 => Sessions::Nameless { creates: false, closes: true },
        2 => Sessions::Nameless { creates: false, closes: false },
        _ => Sessions::Named,
    }
}
