//! Who may do what.
//!
//! An [`Authoriser`] is asked before anything is read or changed. Built in are [`Everybody`], and
//! [`Tokens`]; an application with accounts of its own brings another.
//!
//! | with a token | server | host of the room | others in the room |
//! |---|---|---|---|
//! | create, update, end the room | yes | yes, as himself | no |
//! | join, leave, heartbeat, update a user | yes | himself | himself |
//! | read lists, rooms and events | yes | yes | yes |
//! | hand in observations | yes | no | no |
//!
//! What a token says holds until it expires. A host who handed his room on keeps the rights of a host for
//! so long, so make tokens short-lived.

mod tokens;

use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use async_trait::async_trait;
use room_registry::{Role, RoomId, UserId};
pub use tokens::{Claims, TokenKey, Tokens};

use crate::settings::{AccessSettings, SettingsError, TokenSettings};

/// Decides who may do what.
#[async_trait]
pub trait Authoriser: fmt::Debug + Send + Sync {
    /// Whether who asks may do it.
    async fn check(&self, asking: &Asking<'_>) -> Result<Permission, Denied>;
}

/// Who asks, and for what.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// What he shows.
    pub token: Option<&'a str>,
    /// What he wants to do.
    pub action: Action,
    /// With which room; none if it is about all.
    pub room_id: Option<&'a RoomId>,
    /// As which user; of a room to create its host.
    pub user_id: Option<&'a UserId>,
    /// In which role, if he names one.
    pub role: Option<&'a Role>,
}

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    CreateRoom,
    UpdateRoom,
    EndRoom,
    JoinRoom,
    LeaveRoom,
    RemoveUser,
    Heartbeat,
    UpdateUser,
    /// Read lists, rooms and events.
    Read,
    /// Hand in what was seen at the media server.
    Observe,
}

/// It may be done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permission {
    /// In which role, if who asks names none.
    pub role: Option<Role>,
}

/// It may not be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// Nobody knows who asks: the token is missing, forged or has expired.
    Unauthenticated,
    /// Who asks may not do this.
    Forbidden,
}

/// Everybody may do everything: for trying out, and if a gateway before the service decides.
#[derive(Debug, Clone, Copy, Default)]
pub struct Everybody;

#[async_trait]
impl Authoriser for Everybody {
    async fn check(&self, _: &Asking<'_>) -> Result<Permission, Denied> {
        Ok(Permission::default())
    }
}

/// The authoriser that the settings name.
pub fn from_settings(settings: &AccessSettings) -> Result<Arc<dyn Authoriser>, SettingsError> {
    let server = settings.server_token()?;
    let key = settings.key.key()?.map(|key| TokenKey::new(&key)).transpose()?;
    if server.is_none() && key.is_none() {
        tracing::warn!("no server token and no token key: everybody may do everything");
        return Ok(Arc::new(Everybody));
    }
    Ok(Arc::new(Tokens::new(server.as_ref(), key)))
}

/// Makes a token for a user, and prints it.
pub fn print_token(settings: &TokenSettings) -> Result<(), Box<dyn Error>> {
    let key = settings.key.key()?.ok_or(SettingsError::Missing { name: "token-key" })?;
    let claims = Claims {
        room_id: RoomId::new(&settings.room)?,
        user_id: UserId::new(&settings.user)?,
        role: Role::new(settings.role.as_str()),
        exp: tokens::now() + settings.valid_for,
    };
    writeln!(io::stdout(), "{}", TokenKey::new(&key)?.sign(&claims))?;
    Ok(())
}
