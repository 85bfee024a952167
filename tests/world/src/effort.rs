//! Says how hard the tests try: a little for whoever just wants to know, more in the gate.

use std::ops::Range;

use proptest::prelude::ProptestConfig;
use proptest::test_runner::FileFailurePersistence;

/// Answers what `TEST_EFFORT` says: how many times as many cases as usual.
fn effort() -> u32 {
    #[expect(clippy::disallowed_methods, reason = "a setting of the tests, not of the library")]
    let effort = std::env::var("TEST_EFFORT");
    effort.map_or(1, |effort| effort.parse().expect("TEST_EFFORT is a whole number"))
}

/// Multiplies a usual number by the effort.
pub fn times(usual: u32) -> u32 {
    usual.saturating_mul(effort())
}

/// Answers so many seeds, times the effort.
pub fn seeds(usual: u32) -> Range<u64> {
    0..u64::from(times(usual))
}

/// Lets properties try so many cases, times the effort. The seeds of cases that fail are kept beside the
/// source, in `*.proptest-regressions`, and are tried first in every run.
pub fn properties(usual: u32) -> ProptestConfig {
    let beside_the_source = FileFailurePersistence::WithSource("proptest-regressions");
    ProptestConfig {
        cases: times(usual),
        failure_persistence: Some(Box::new(beside_the_source)),
        ..ProptestConfig::default()
    }
}
