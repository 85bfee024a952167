//! Who may do what, and the making of tokens for it.

use std::path::PathBuf;

use clap::Args;
use secrecy::SecretString;

use super::SettingsError;
use super::secret::secret;

/// Who may do what. Without any of these everybody may do everything.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Access (without any of these everybody may do everything)")]
pub struct AccessSettings {
    /// The token of the app's own server, which may do everything.
    #[arg(long, env = "ROOM_SERVICE_SERVER_TOKEN", hide_env_values = true, value_name = "SECRET")]
    pub server_token: Option<SecretString>,

    /// A file with the server token.
    #[arg(
        long,
        env = "ROOM_SERVICE_SERVER_TOKEN_FILE",
        conflicts_with = "server_token",
        value_name = "PATH"
    )]
    pub server_token_file: Option<PathBuf>,

    #[command(flatten)]
    pub key: TokenKeySettings,
}

/// The key that user tokens are signed with.
#[derive(Debug, Clone, Default, Args)]
pub struct TokenKeySettings {
    /// The key that user tokens are signed with (HMAC-SHA256), at least 16 bytes.
    #[arg(long, env = "ROOM_SERVICE_TOKEN_KEY", hide_env_values = true, value_name = "SECRET")]
    pub token_key: Option<SecretString>,

    /// A file with the key of user tokens.
    #[arg(
        long,
        env = "ROOM_SERVICE_TOKEN_KEY_FILE",
        conflicts_with = "token_key",
        value_name = "PATH"
    )]
    pub token_key_file: Option<PathBuf>,
}

impl TokenKeySettings {
    pub fn key(&self) -> Result<Option<SecretString>, SettingsError> {
        secret("token-key", self.token_key.as_ref(), self.token_key_file.as_deref())
    }
}

impl AccessSettings {
    pub fn server_token(&self) -> Result<Option<SecretString>, SettingsError> {
        secret("server-token", self.server_token.as_ref(), self.server_token_file.as_deref())
    }
}

/// A token to make.
#[derive(Debug, Clone, Args)]
pub struct TokenSettings {
    /// The room.
    #[arg(long, value_name = "ID")]
    pub room: String,

    /// The user.
    #[arg(long, value_name = "ID")]
    pub user: String,

    /// What the user is in the room; a host may end and change it.
    #[arg(long, default_value = "audience", value_name = "ROLE")]
    pub role: String,

    /// For how long the token is good.
    #[arg(
        long,
        default_value_t = 3_600,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..=31_536_000),
    )]
    pub valid_for: u64,

    #[command(flatten)]
    pub key: TokenKeySettings,
}
