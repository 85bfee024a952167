//! What the benchmarks of single topics share: short measurements by criterion, and inputs that are
//! prepared outside of the time.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Bencher, Criterion};

/// Few and short samples, so that all topics together take some minutes.
pub fn criterion() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600))
        .without_plots()
        .configure_from_args()
}

/// Work that needs fresh inputs each time: they are prepared, and dropped, outside of the time.
/// (How often it is done is planned by all the time that it takes, preparation included.)
pub fn passes<S, P>(
    bencher: &mut Bencher<'_>,
    state: &mut S,
    mut prepare: impl FnMut(&mut S) -> P,
    mut work: impl FnMut(&mut S, &P),
) {
    bencher.iter_custom(|passes| {
        let mut spent = Duration::ZERO;
        for _ in 0..passes {
            let inputs = prepare(state);
            let begun_at = Instant::now();
            work(state, black_box(&inputs));
            spent += begun_at.elapsed();
        }
        spent
    });
}
