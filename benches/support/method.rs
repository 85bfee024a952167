//! How the ratios are measured.
//!
//! Absolute times move from run to run on a shared machine, so ours and what it is compared with take turns
//! in one run. A round is some thousand operations of the one, and as many of the other. There are several
//! rounds, and of each the median over the rounds counts.
//!
//! *Isolated* operations are what a server sees. Other work lies between two requests, so the cache misses
//! of one cannot overlap those of the next. So each is timed by itself. The clock is read, and the
//! operation made. A full memory fence waits for what it wrote, and the clock is read again. The fence
//! alone would not do: a processor begins the next operation some hundred instructions before this one has
//! ended. Short operations would then seem to wait for no memory at all. Two look-ups in memory that is not
//! at hand take 60 ns with the fence alone, and 400 ns as it is done here. Reading the clock waits for all
//! that was begun (x86-64: `lfence` before `rdtsc`; aarch64: `isb` before the counter). What two readings
//! take with nothing between them is taken off.
//!
//! Results go through `black_box`, so that nothing is left out. Memory is cold, as each operation is about
//! another user of a million, in shuffled order, and no user comes twice. What an operation is handed is
//! not. It was copied just before the clock is read, as a server has just decoded what it hands in. That is
//! so for both sides.

use std::hint::black_box;
use std::sync::LazyLock;
use std::sync::atomic::{Ordering, fence};
use std::time::{Duration, Instant};

/// What two sides took for one operation each, in nanoseconds; the medians of the rounds.
#[derive(Debug, Clone, Copy)]
pub struct Pair {
    pub ours: f64,
    pub floor: f64,
}

/// How often, and how many at once.
#[derive(Debug, Clone, Copy)]
pub struct Rounds {
    pub rounds: usize,
    pub operations: usize,
}

impl Rounds {
    pub const fn total(self) -> usize {
        self.rounds * self.operations
    }

    /// Both sides in turns; each is what its operations are handed, one after the other, and the
    /// operation. They share what they work with if that is state.
    pub fn alternate<S, I: Clone, J: Clone, A, B>(
        self,
        state: &mut S,
        (our_inputs, mut ours): (&[I], impl FnMut(&mut S, &I) -> A),
        (floor_inputs, mut floor): (&[J], impl FnMut(&mut S, &J) -> B),
    ) -> Pair {
        let (mut our_times, mut floor_times) = (Vec::new(), Vec::new());
        for round in 0..self.rounds {
            floor_times.push(self.time(round, floor_inputs, |input| floor(state, input)));
            our_times.push(self.time(round, our_inputs, |input| ours(state, input)));
        }
        Pair { ours: median(&mut our_times), floor: median(&mut floor_times) }
    }

    /// What one operation of a round took. Where there are fewer inputs than operations, they come
    /// again.
    fn time<I: Clone, T>(
        self,
        round: usize,
        inputs: &[I],
        mut operation: impl FnMut(&I) -> T,
    ) -> f64 {
        let operations = round * self.operations..(round + 1) * self.operations;
        let time = |index: usize| {
            let input = black_box(inputs[index % inputs.len()].clone());
            isolated(|| operation(&input))
        };
        nanos(operations.map(time).sum()) / count(self.operations) - *READING
    }
}

/// What reading the clock takes of a time that is measured, in nanoseconds.
static READING: LazyLock<f64> = LazyLock::new(|| {
    const READINGS: usize = 10_000;
    let of_many = |_| nanos((0..READINGS).map(|_| isolated(|| ())).sum()) / count(READINGS);
    median(&mut (0..15).map(of_many).collect::<Vec<_>>())
});

fn isolated<T>(operation: impl FnOnce() -> T) -> Duration {
    let begun_at = Instant::now();
    black_box(operation());
    fence(Ordering::SeqCst);
    begun_at.elapsed()
}

/// What one side alone took for one operation, the median of the rounds.
pub fn alone<I: Clone, T>(rounds: Rounds, inputs: &[I], mut operation: impl FnMut(&I) -> T) -> f64 {
    let times = (0..rounds.rounds).map(|round| rounds.time(round, inputs, &mut operation));
    median(&mut times.collect::<Vec<_>>())
}

/// How long one call took, in nanoseconds.
pub fn once<T>(operation: impl FnOnce() -> T) -> (T, f64) {
    let begun_at = Instant::now();
    let answer = black_box(operation());
    (answer, nanos(begun_at.elapsed()))
}

pub fn median(times: &mut [f64]) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}

pub fn nanos(span: Duration) -> f64 {
    span.as_secs_f64() * 1e9
}

#[expect(clippy::cast_precision_loss, reason = "far below what a float holds exactly")]
pub fn count(number: usize) -> f64 {
    number as f64
}
