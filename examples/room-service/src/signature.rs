//! Whether a callback comes from the media server.
//!
//! The vendor signs the time and the nonce of a callback, not its body: who saw one callback could
//! send its signature with any other body. So a signature is good for one body only, within a window
//! around its time. The same body again is let through, since the vendor sends a callback again
//! with the same signature when the answer got lost, and applying it twice does no harm.
//!
//! What is remembered is the signature, which stands for its time and nonce, with a hash of the
//! body; in bounded memory: where it is full, the oldest is forgotten, and whatever was signed as
//! early is refused from then on. Each process remembers on its own.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use room_registry::zego::Notification;
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How many signatures are remembered: some 30 MB.
const REMEMBERED: usize = 200_000;

type Signature = [u8; 20];
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
    /// Knows callbacks by this secret, signed within this window around our time.
    #[must_use]
    pub fn new(secret: SecretString, window: Duration) -> Self {
        Self { secret, window, seen: Mutex::new(Seen::holding(REMEMBERED)) }
    }

    /// Whether a callback with this body is to be believed now.
    pub fn verify(&self, notification: &Notification, body: &[u8]) -> Result<(), SignatureError> {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.verify_at(notification, body, since_1970.as_secs())
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
fn sign(secret: &str, timestamp: &str, nonce: &str) -> Signature {
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

    /// Our clock may be set back, so what is forgotten stays refused.
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
