//! Bearer tokens: one for the app's own server, and one for each user of a room.
//!
//! A user's token is a JSON Web Token of the one kind `HS256`, so that an app's server can make it
//! with any library: `{"room_id","user_id","role","exp"}`, `exp` in unix seconds. Other algorithms
//! are not known here, and other claims are passed over.

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use room_registry::{Clock, Role, RoomId, SystemClock, UserId};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Action, Asking, Authoriser, Denied, Permission};
use crate::settings::SettingsError;

/// How long a token may be, in bytes: two ids and a role, escaped, and some claims of other readers.
const MAX_TOKEN_LEN: usize = 8_192;
/// How short the key may be, in bytes.
const MIN_KEY_LEN: usize = 16;

/// What a user's token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub room_id: RoomId,
    pub user_id: UserId,
    pub role: Role,
    /// Until when, in unix seconds.
    pub exp: u64,
}

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    typ: Option<String>,
    /// Extensions that a reader must understand: none are here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crit: Option<serde_json::Value>,
}

/// The key of user tokens.
#[derive(Clone)]
pub struct TokenKey(Hmac<Sha256>);

impl TokenKey {
    pub fn new(secret: &SecretString) -> Result<Self, SettingsError> {
        let secret = secret.expose_secret().as_bytes();
        if secret.len() < MIN_KEY_LEN {
            return Err(SettingsError::TooShort { name: "token-key", least: MIN_KEY_LEN });
        }
        Ok(Self(Hmac::new_from_slice(secret).expect("a key of HMAC has any length")))
    }

    /// Makes a token.
    #[must_use]
    pub fn sign(&self, claims: &Claims) -> String {
        let header = Header { alg: "HS256".to_owned(), typ: Some("JWT".to_owned()), crit: None };
        let signed = format!("{}.{}", part(&header), part(claims));
        let signature = self.0.clone().chain_update(&signed).finalize().into_bytes();
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    /// What a token says, if it is one of ours and has not expired.
    fn verify(&self, token: &str, now: u64) -> Option<Claims> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        self.0.clone().chain_update(signed).verify_slice(&signature).ok()?;
        let header: Header = read(header)?;
        if header.alg != "HS256" || header.crit.is_some() {
            return None;
        }
        let claims: Claims = read(claims)?;
        (now < claims.exp).then_some(claims)
    }
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenKey(…)")
    }
}

/// Allows what tokens say.
#[derive(Clone)]
pub struct Tokens {
    /// The hash of the server's token, so that comparing takes the same time for any length.
    server: Option<[u8; 32]>,
    key: Option<TokenKey>,
}

/// Whose token it is.
enum Bearer {
    Server,
    User(Claims),
}

impl Tokens {
    #[must_use]
    pub fn new(server: Option<&SecretString>, key: Option<TokenKey>) -> Self {
        let hash = |token: &SecretString| Sha256::digest(token.expose_secret()).into();
        Self { server: server.map(hash), key }
    }

    fn bearer(&self, token: &str) -> Option<Bearer> {
        if token.len() > MAX_TOKEN_LEN {
            return None;
        }
        let hash: [u8; 32] = Sha256::digest(token).into();
        if self.server.is_some_and(|server| bool::from(server.ct_eq(&hash))) {
            return Some(Bearer::Server);
        }
        self.key.as_ref()?.verify(token, now()).map(Bearer::User)
    }
}

#[async_trait]
impl Authoriser for Tokens {
    async fn check(&self, asking: &Asking<'_>) -> Result<Permission, Denied> {
        let bearer = asking.token.and_then(|token| self.bearer(token));
        match bearer.ok_or(Denied::Unauthenticated)? {
            Bearer::Server => Ok(Permission::default()),
            Bearer::User(claims) => claims.allow(asking),
        }
    }
}

impl Claims {
    fn allow(self, asking: &Asking<'_>) -> Result<Permission, Denied> {
        let in_his_room = asking.room_id == Some(&self.room_id);
        let himself = asking.user_id == Some(&self.user_id);
        let in_his_role = asking.role.is_none_or(|role| *role == self.role);
        let host = self.role == Role::HOST;
        let allowed = match asking.action {
            Action::CreateRoom => in_his_room && host && himself,
            Action::UpdateRoom | Action::EndRoom | Action::RemoveUser => in_his_room && host,
            Action::JoinRoom | Action::Heartbeat | Action::UpdateUser => {
                in_his_room && himself && in_his_role
            }
            Action::LeaveRoom => in_his_room && himself,
            Action::Read => true,
            Action::Observe => false,
        };
        if allowed { Ok(Permission { role: Some(self.role) }) } else { Err(Denied::Forbidden) }
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens")
            .field("server", &self.server.is_some())
            .field("key", &self.key)
            .finish()
    }
}

/// Unix seconds.
pub(super) fn now() -> u64 {
    SystemClock.now().as_millis() / 1_000
}

fn part(value: &impl Serialize) -> String {
    let json = serde_json::to_vec(value).expect("these have no key that is no text");
    BASE64_URL_SAFE_NO_PAD.encode(json)
}

fn read<T: for<'de> Deserialize<'de>>(part: &str) -> Option<T> {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
