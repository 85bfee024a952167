//! The storm: many small worlds with random settings, one after the other, and in each every
//! property is checked.
//!
//! A round is made of its seed alone. It has a world ([`world`]), what happens in it and when it is looked
//! at ([`round`]), and what must hold ([`checks`]). The next round has the next seed. Two registries take
//! part, without and with repair. The worlds have vendors of many kinds. Users and streams have a name for
//! each stay, shared or not, or are ordered by a counter or by time. There are sessions without names, and
//! sessions that everybody left and that no close ended. In half of the rounds there are an app's clients,
//! who create rooms, join by several connections, send heartbeats and fall silent. In some of these they
//! also leave, are removed, and end rooms, at the media server as well, which may not tell that. What must
//! hold:
//!
//! - If nothing was lost, neither is ever wrong, not for a millisecond.
//! - With repair nothing is wrong at the end, whatever was lost. The end comes two rounds of the planner
//!   after the last callback. If calls fail or lists come in part, it comes half an hour later. Three
//!   things may stay wrong. One is a room of which nothing is stored: no callback of it came, or only a
//!   creation without a session. Another is a room that is not listed, if every question failed in the
//!   quarter of an hour in which it is asked about. The third is a list of which no answer came whole in
//!   that half an hour.
//! - If nothing was lost, visits that follow the inputs tell each stay of a user once, and no other.
//! - A mirror that is kept by changes equals the registry.
//! - A registry that is saved and restored is the same. The round goes on with the restored one.
//! - A replica that gets the same callbacks and observations in another order shows the same. If nothing
//!   is ever forgotten, it gets all at once, shuffled. Otherwise it gets a whole history, each callback
//!   with another delay within the retention. Worlds in which commands change the lists have no replica.
//! - Rooms are exported at random instants, and merged later. An older copy of a room that is merged into
//!   it shows nothing else. A copy of the registry without repair shows nothing else in the one with
//!   repair. Law 4.11 is the one exception: an empty room may be listed again. It does not matter which
//!   room is merged into which, and a merge that comes again stores nothing new.
//! - After a silence longer than the retention, what is listed is held, and nothing else.
//! - Nothing panics.
//! - With `--check`, each operation on a room compares what follows from its registers with what is made
//!   of them from nothing. At each look the index of a registry is compared with what its rooms say.

mod attendance;
mod checks;
mod merges;
mod round;
mod world;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::report::grouped;
use super::{Console, Status};

/// What a round found.
#[derive(Debug, Default)]
pub(crate) struct Round {
    pub(crate) seed: u64,
    pub(crate) deliveries: u64,
    pub(crate) lost: u64,
    pub(crate) observations: u64,
    /// A sentence each.
    pub(crate) divergences: Vec<String>,
}

/// Runs rounds for so long, on all processors; for no time at all, one round, of a world that is told.
pub(crate) fn run(seconds: u64, first: u64, console: &mut Console<'_>) -> io::Result<Status> {
    if seconds == 0 {
        writeln!(console.stdout, "{:#?}", world::random(first))?;
    }
    let (begun_at, span) = (Instant::now(), Duration::from_secs(seconds));
    let threads = if seconds == 0 { 1 } else { thread::available_parallelism()?.get() };
    let next = AtomicU64::new(first);
    let (sender, found) = mpsc::channel();
    let bar = bar(console.shows_progress && seconds > 0);
    let mut totals = Round::default();
    let (mut rounds, mut diverged) = (0, 0);
    thread::scope(|scope| {
        for _ in 0..threads {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if sender.send(play(seed)).is_err() || begun_at.elapsed() >= span {
                        break;
                    }
                }
            });
        }
        drop(sender);
        for round in found {
            rounds += 1;
            totals.deliveries += round.deliveries;
            totals.lost += round.lost;
            totals.observations += round.observations;
            diverged += u64::from(!round.divergences.is_empty());
            for divergence in round.divergences {
                bar.suspend(|| {
                    writeln!(console.stdout, "seed {}: {divergence}", round.seed)?;
                    console.stdout.flush()
                })?;
            }
            bar.set_message(format!(
                "{} deliveries in {} rounds, {diverged} diverged",
                grouped(totals.deliveries),
                grouped(rounds)
            ));
        }
        io::Result::Ok(())
    })?;
    bar.finish_and_clear();
    let millis = u64::try_from(begun_at.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
    writeln!(
        console.stdout,
        "{} deliveries, each to two registries, {} callbacks lost and {} observations in {} rounds \
         from seed {first} on; {} s, {} deliveries a second",
        grouped(totals.deliveries),
        grouped(totals.lost),
        grouped(totals.observations),
        grouped(rounds),
        grouped(millis / 1_000),
        grouped(totals.deliveries.saturating_mul(1_000) / millis),
    )?;
    if diverged == 0 {
        writeln!(console.stdout, "no divergence")?;
        return Ok(Status::Fine);
    }
    writeln!(console.stdout, "{diverged} rounds diverged; one alone: simulate --storm 0 --seed N")?;
    Ok(Status::Failed)
}

/// One round; a panic in it is a divergence too.
fn play(seed: u64) -> Round {
    let played = catch_unwind(AssertUnwindSafe(|| round::play(seed)));
    played.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no text");
        Round { seed, divergences: vec![format!("panicked: {text}")], ..Round::default() }
    })
}

fn bar(is_watched: bool) -> ProgressBar {
    if !is_watched {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {elapsed} {msg}")
        .expect("the template is well formed");
    let bar = ProgressBar::new_spinner().with_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
