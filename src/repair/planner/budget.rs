//! The budget of calls (law 17.7): a token bucket.

use crate::model::time::Timestamp;

/// A bucket of calls that fills steadily. It holds the calls of one second, and at least one question.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    /// How many calls come in each second; 0 allows none.
    calls_per_second: u32,
    /// The content, in thousandths of a call.
    filled: u64,
    /// The local time until which calls came in; `None` before the first question.
    filled_at: Option<Timestamp>,
}

impl Budget {
    pub(super) fn new(calls_per_second: u32) -> Self {
        Self { calls_per_second, filled: 0, filled_at: None }
    }

    /// Forgets when it was filled, because the local clock went back.
    pub(super) fn restart(&mut self) {
        self.filled_at = None;
    }

    /// Adds what came in since it was last filled.
    pub(super) fn fill(&mut self, now: Timestamp) {
        let per_second = u64::from(self.calls_per_second);
        let full = per_second.max(2) * 1_000; // a question costs two calls at most
        let passed = match self.filled_at {
            None => 1_000, // milliseconds: it begins with the calls of one second
            Some(at) => now.as_millis().saturating_sub(at.as_millis()),
        };
        self.filled = self.filled.saturating_add(passed.saturating_mul(per_second)).min(full);
        self.filled_at = Some(now);
    }

    /// Takes calls out, and returns whether there were enough.
    pub(super) fn spend(&mut self, calls: u32) -> bool {
        match self.filled.checked_sub(u64::from(calls) * 1_000) {
            Some(left) if self.calls_per_second > 0 => {
                self.filled = left;
                true
            }
            Some(_) | None => false,
        }
    }
}
