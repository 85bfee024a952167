//! Expiry: sweeps in which nobody is due, and users who are.

use room_registry::ManualClock;

use super::method::{self, Pair, Rounds, count, median, once};
use super::support::filled::{Registry, SESSION, joined};
use super::support::floor::Floor;
use super::support::lists::Lists;
use super::support::world::{Ids, MEDIUM, Place, at};
use super::table::Line;

/// A heartbeat of everybody every so many seconds, a sweep each second.
const EVERY_SECS: usize = 30;
/// Sweeps that are measured; before them, one round of heartbeats. All joined at once, so what they were
/// due to would come up in one sweep, had nobody put it off. They see it come up twice.
const SWEEPS: usize = 150;
/// How many users fall silent at once, and how often.
const SILENT: Rounds = Rounds { rounds: 10, operations: 20_000 };

pub fn lines() -> Vec<Line> {
    let (mut registry, clock) = joined(MEDIUM);
    let ids: Vec<_> = MEDIUM.shuffled(3).into_iter().map(Place::ids).collect();
    let mut dense: Vec<u64> = (0..MEDIUM.users() as u64).collect();
    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    let beating: Vec<_> = ids.chunks(ids.len().div_ceil(EVERY_SECS)).collect();
    for second in 0..EVERY_SECS + SWEEPS {
        clock.set(at(1_000 * second as u64));
        for ids in beating[second % EVERY_SECS] {
            assert!(registry.heartbeat(&ids.room_id, ids.user_id.as_str()).is_ok());
        }
        if second < EVERY_SECS {
            continue;
        }
        dense[second] += 1;
        let oldest = std::hint::black_box(&dense);
        floor.push(once(|| oldest.iter().filter(|at| **at > u64::MAX - second as u64).count()).1);
        let (expired, span) = once(|| registry.expire());
        assert_eq!(expired.steps(), 0);
        ours.push(span);
    }
    let worst = ours.iter().copied().fold(0.0, f64::max);
    let mean = ours.iter().sum::<f64>() / count(ours.len());
    let scan = median(&mut floor);

    let [due, due_alone] = due(registry, &clock, &ids);
    vec![
        Line::new(
            "expire, nobody due, mean; floor: scan of an array",
            Pair { ours: mean, floor: scan },
            0.3,
        ),
        Line::new(
            "expire, nobody due, worst; floor: scan of an array",
            Pair { ours: worst, floor: scan },
            3.0,
        ),
        Line::new("expire, a user who is due; floor: remove", due, 3.0),
        Line::known("the same by the lists alone, not searched for; floor: remove", due_alone),
    ]
}

/// Some users fall silent, the others are heard of. Sweeps go on each second meanwhile, and all who fell
/// silent are due in the last of them. And what of it is due to the lists themselves.
fn due(mut registry: Registry, clock: &ManualClock, ids: &[Ids]) -> [Pair; 2] {
    let mut floor = Floor::new(MEDIUM);
    let mut lists = Lists::new(MEDIUM, SESSION, at(0));
    let (mut ours, mut alone, mut removed) = (Vec::new(), Vec::new(), Vec::new());
    let mut now = 1_000 * (EVERY_SECS + SWEEPS) as u64;
    clock.set(at(now));
    for round in 0..SILENT.rounds {
        // Those before them are gone already.
        let still = &ids[(round + 1) * SILENT.operations..];
        let silent = &ids[round * SILENT.operations..(round + 1) * SILENT.operations];
        for ids in still.iter().chain(silent) {
            assert!(registry.heartbeat(&ids.room_id, ids.user_id.as_str()).is_ok());
        }
        let pass = |registry: &mut Registry, now: &mut u64, secs: u64| {
            for _ in 0..secs {
                *now += 1_000;
                clock.set(at(*now));
                assert_eq!(registry.expire().memberships, 0);
            }
        };
        pass(&mut registry, &mut now, 60);
        for ids in still {
            assert!(registry.heartbeat(&ids.room_id, ids.user_id.as_str()).is_ok());
        }
        pass(&mut registry, &mut now, 30);
        now += 1_000;
        clock.set(at(now));
        let (expired, span) = once(|| registry.expire());
        assert_eq!(expired.memberships, SILENT.operations);
        ours.push(span / count(SILENT.operations));
        let ((), span) = once(|| lists.expire(silent, at(now)));
        assert_eq!(lists.changes.len(), SILENT.operations);
        alone.push(span / count(SILENT.operations));
        let one = Rounds { rounds: 1, ..SILENT };
        removed.push(method::alone(one, silent, |ids| floor.remove(&ids.room_id, &ids.user_id)));
    }
    let floor = median(&mut removed);
    [ours, alone].map(|mut times| Pair { ours: median(&mut times), floor })
}
