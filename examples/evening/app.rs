//! The app and its callback endpoint: what arrives there, and when.

use serde_json::{Value, json};

/// How long after the attempt before the vendor tries again, in milliseconds.
const RETRIES: [u64; 5] = [2_000, 4_000, 8_000, 16_000, 32_000];

/// A small generator of numbers (splitmix64), the same on every machine.
#[derive(Debug)]
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    /// True `percent` times in a hundred.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// Everything that the app receives, in the order in which it was made known.
#[derive(Debug, Default)]
pub(crate) struct Journal(Vec<(u64, usize, Value)>);

impl Journal {
    /// A command arrives at once.
    pub(crate) fn command(&mut self, at: u64, command: &Value) {
        self.push(at, json!({ "at": at, "command": command }));
    }

    /// The host of the registry sweeps.
    pub(crate) fn expire(&mut self, at: u64) {
        self.push(at, json!({ "at": at, "expire": {} }));
    }

    /// Callbacks arrive after some latency each, which reorders them; one whose answer got lost
    /// arrives again, and one that met an error arrives only with a retry.
    pub(crate) fn callbacks(&mut self, now: u64, told: Vec<Value>, rng: &mut Rng) {
        for payload in told {
            let mut at = now + 40 + rng.below(900);
            if rng.chance(12) {
                let failures = 1 + usize::try_from(rng.below(4)).expect("a small number");
                at += RETRIES[..failures].iter().sum::<u64>();
            }
            self.callback(at, &payload);
            if rng.chance(10) {
                self.callback(at + RETRIES[0] + rng.below(300), &payload);
            }
        }
    }

    /// The lines, in the order in which they were received.
    pub(crate) fn lines(mut self) -> String {
        self.0.sort_by_key(|(at, made, _)| (*at, *made));
        let lines: Vec<String> = self.0.into_iter().map(|(_, _, line)| line.to_string()).collect();
        lines.join("\n") + "\n"
    }

    fn callback(&mut self, at: u64, payload: &Value) {
        self.push(at, json!({ "at": at, "callback": payload }));
    }

    fn push(&mut self, at: u64, line: Value) {
        self.0.push((at, self.0.len(), line));
    }
}
