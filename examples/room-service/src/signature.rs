//! Whether a callback comes from the media server.
//!
//! The vendor signs the time and the nonce of a callback, not its body. Who saw one callback could send its
//! signature with any other body. So a signature is good for one body only, within a window around its
//! time. The same body again is let through. The vendor sends a callback again with the same signature when
//! the answer got lost, and applying it twice does no harm.
//!
//! What is remembered is the signature, which stands for its time and nonce, with a hash of the body. The
//! memory is bounded. If it is full, the oldest is forgotten, and whatever was signed as early is refused
//! from then on. Each process remembers on its own.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use room_registry::vendor::zego::Notification;
use room_registry::{Clock, SystemClock};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How many signatures are remembered: some 30 MB.
const REMEMBERED: usize = 200_000;

pub(crate) type Signature = [u8; 20];
type BodyHash = [u8; 32];

/// Checks signatures.
pub struct Verifier {
    secret: SecretString,
    window: Duration,
    seen: Mutex<Seen>,
}

/// Why a callback is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("its timestamp, nonce or signature is missing or malformed")]
    Missing,
    #[error("its signature is wrong")]
    Wrong,
    #[error("its time is too far from ours")]
    OutOfWindow,
    #[error("its signature was seen with another body")]
    Replayed,
}

impl Verifier {
    /// Knows callbacks by this secret, signed within this window around the local time.
    #[must_use]
    pub fn new(secret: SecretString, window: Duration) -> Self {
        Self { secret, window, seen: Mutex::new(Seen::holding(REMEMBERED)) }
    }

    /// Whether a callback with this body is to be believed now.
    pub fn verify(&self, notification: &Notification, body: &[u8]) -> Result<(), SignatureError> {
        self.verify_at(notification, body, SystemClock.now().as_millis() / 1_000)
    }

    fn verify_at(
        &self,
        notification: &Notification,
        body: &[u8],
        now: u64,
    ) -> Result<(), SignatureError> {
        let Notification { timestamp, nonce, signature, .. } = notification;
        let (Some(timestamp), Some(nonce), Some(signature)) = (timestamp, nonce, signature) else {
            return Err(SignatureError::Missing);
        };
        let signed_at = timestamp.as_millis() / 1_000;
        let mut given = Signature::default();
        hex::decode_to_slice(signature.as_str(), &mut given)
            .map_err(|_| SignatureError::Missing)?;
        let expected = sign(self.secret.expose_secret(), &signed_at.to_string(), nonce);
        if !bool::from(expected.ct_eq(&given)) {
            return Err(SignatureError::Wrong);
        }
        let window = self.window.as_secs();
        if now.abs_diff(signed_at) > window {
            return Err(SignatureError::OutOfWindow);
        }
        let body_hash = Sha256::digest(body).into();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.forget_before(now.saturating_sub(window));
        seen.remember(signed_at, expected, body_hash)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("window", &self.window).finish_non_exhaustive()
    }
}

/// The vendor's signature: SHA-1 over the three texts, sorted and joined.
pub(crate) fn sign(secret: &str, timestamp: &str, nonce: &str) -> Signature {
    let mut parts = [secret, timestamp, nonce];
    parts.sort_unstable();
    parts.into_iter().fold(Sha1::new(), Sha1::chain_update).finalize().into()
}

/// The signatures that were seen, each with the body that it is good for.
#[derive(Debug)]
struct Seen {
    bodies: HashMap<Signature, BodyHash>,
    by_time: BTreeSet<(u64, Signature)>,
    capacity: usize,
    /// What was signed before this may have been forgotten.
    floor: u64,
}

impl Seen {
    fn holding(capacity: usize) -> Self {
        Self { bodies: HashMap::new(), by_time: BTreeSet::new(), capacity, floor: 0 }
    }

    fn remember(
        &mut self,
        signed_at: u64,
        signature: Signature,
        body: BodyHash,
    ) -> Result<(), SignatureError> {
        if let Some(known) = self.bodies.get(&signature) {
            return if *known == body { Ok(()) } else { Err(SignatureError::Replayed) };
        }
        if signed_at < self.floor {
            return Err(SignatureError::OutOfWindow);
        }
        self.bodies.insert(signature, body);
        self.by_time.insert((signed_at, signature));
        if self.by_time.len() > self.capacity
            && let Some((oldest, signature)) = self.by_time.pop_first()
        {
            self.bodies.remove(&signature);
            self.floor = oldest + 1;
        }
        Ok(())
    }

    /// The local clock may be set back, so what is forgotten stays refused.
    fn forget_before(&mut self, time: u64) {
        while let Some((signed_at, signature)) = self.by_time.first().copied()
            && signed_at < time
        {
            self.by_time.pop_first();
            self.bodies.remove(&signature);
            self.floor = self.floor.max(signed_at + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_470_820_198;

    fn verifier() -> Verifier {
        Verifier::new(SecretString::from("secret"), Duration::from_secs(250))
    }

    fn signed(signed_at: u64, nonce: &str) -> Notification {
        let signature = hex::encode(sign("secret", &signed_at.to_string(), nonce));
        let body = serde_json::json!({
            "event": "ping", "timestamp": signed_at, "nonce": nonce, "signature": signature,
        });
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn the_vendors_own_example_is_signed_as_it_says() {
        let signature = hex::encode(sign("secret", "1470820198", "123412"));
        assert_eq!(signature, "5bd59fd62953a8059fb7eaba95720f66d19e4517");
    }

    #[test]
    fn the_window_is_as_wide_as_it_says_on_both_sides() {
        for (signed_at, expected) in [
            (NOW - 251, Err(SignatureError::OutOfWindow)),
            (NOW - 250, Ok(())),
            (NOW + 250, Ok(())),
            (NOW + 251, Err(SignatureError::OutOfWindow)),
        ] {
            let found = verifier().verify_at(&signed(signed_at, "1"), b"body", NOW);
            assert_eq!(found, expected, "{signed_at}");
        }
    }

    #[test]
    fn a_signature_stays_bound_to_its_body_as_long_as_it_is_good() {
        let verifier = verifier();
        let early = signed(NOW - 250, "1");
        assert_eq!(verifier.verify_at(&early, b"body", NOW), Ok(()));
        assert_eq!(verifier.verify_at(&early, b"body", NOW), Ok(()));
        let replayed = Err(SignatureError::Replayed);
        assert_eq!(verifier.verify_at(&early, b"forged", NOW), replayed);
        let future = signed(NOW + 250, "1");
        assert_eq!(verifier.verify_at(&future, b"body", NOW), Ok(()));
        assert_eq!(verifier.verify_at(&future, b"forged", NOW + 500), replayed);
        // Even if the local clock is set back after it was forgotten.
        assert_eq!(verifier.verify_at(&signed(NOW + 501, "1"), b"body", NOW + 501), Ok(()));
        let outside = Err(SignatureError::OutOfWindow);
        assert_eq!(verifier.verify_at(&early, b"forged", NOW), outside);
    }

    #[test]
    fn memory_is_bounded_and_what_it_forgets_is_refused() {
        let verifier = verifier();
        *verifier.seen.lock().unwrap() = Seen::holding(3);
        for age in [4, 3, 2, 1] {
            let notification = signed(NOW - age, "1");
            assert_eq!(verifier.verify_at(&notification, b"body", NOW), Ok(()), "{age}");
        }
        {
            let seen = verifier.seen.lock().unwrap();
            assert_eq!((seen.bodies.len(), seen.by_time.len()), (3, 3));
        }
        let forgotten = verifier.verify_at(&signed(NOW - 4, "1"), b"forged", NOW);
        assert_eq!(forgotten, Err(SignatureError::OutOfWindow));
        assert_eq!(verifier.verify_at(&signed(NOW - 1, "1"), b"body", NOW), Ok(()));
    }
}
