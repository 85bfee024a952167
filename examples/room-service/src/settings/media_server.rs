//! The media server: what it calls, and how it is asked.

use std::path::PathBuf;

use clap::Args;
use room_registry::vendor::zego::Decoder;
use secrecy::SecretString;

use super::SettingsError;
use super::secret::secret;

/// What the media server calls.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Callbacks")]
pub struct CallbackSettings {
    /// The secret that the media server signs its callbacks with. Without it any callback is
    /// believed.
    #[arg(
        long,
        env = "ROOM_SERVICE_CALLBACK_SECRET",
        hide_env_values = true,
        value_name = "SECRET"
    )]
    pub callback_secret: Option<SecretString>,

    /// A file with the callback secret.
    #[arg(
        long,
        env = "ROOM_SERVICE_CALLBACK_SECRET_FILE",
        conflicts_with = "callback_secret",
        value_name = "PATH"
    )]
    pub callback_secret_file: Option<PathBuf>,

    /// How far the time that a callback is signed with may be from ours. The vendor tries again for
    /// 62 seconds, with the time of the first try.
    #[arg(
        long,
        env = "ROOM_SERVICE_CALLBACK_WINDOW",
        default_value_t = 300,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..=86_400),
    )]
    pub callback_window: u64,

    /// Ignore the roles that the vendor tells. Its newer SDK, Express, marks everybody a host.
    #[arg(long, env = "ROOM_SERVICE_ZEGO_IGNORE_USER_ROLE")]
    pub zego_ignore_user_role: bool,

    /// Order the logins and logouts of a user by their times, for clients that come back under the
    /// session id that they had. A second device of a user then pushes the first out.
    #[arg(long, env = "ROOM_SERVICE_ZEGO_ORDER_USERS")]
    pub zego_order_users: bool,
}

impl CallbackSettings {
    /// What decodes callbacks, and the answers of the vendor's API.
    #[must_use]
    pub const fn decoder(&self) -> Decoder {
        Decoder::new()
            .ignore_user_role(self.zego_ignore_user_role)
            .order_users(self.zego_order_users)
    }

    pub fn secret(&self) -> Result<Option<SecretString>, SettingsError> {
        secret(
            "callback-secret",
            self.callback_secret.as_ref(),
            self.callback_secret_file.as_deref(),
        )
    }
}

/// Whom to ask about lost callbacks.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Repair (without an app id and secret nothing is asked)")]
pub struct MediaServerSettings {
    /// The app's number at the vendor.
    #[arg(long, env = "ROOM_SERVICE_ZEGO_APP_ID", value_name = "NUMBER")]
    pub zego_app_id: Option<u32>,

    /// The server secret of that app.
    #[arg(
        long,
        env = "ROOM_SERVICE_ZEGO_SERVER_SECRET",
        hide_env_values = true,
        value_name = "SECRET"
    )]
    pub zego_server_secret: Option<SecretString>,

    /// A file with the server secret.
    #[arg(
        long,
        env = "ROOM_SERVICE_ZEGO_SERVER_SECRET_FILE",
        conflicts_with = "zego_server_secret",
        value_name = "PATH"
    )]
    pub zego_server_secret_file: Option<PathBuf>,

    /// Where the vendor's API is.
    #[arg(
        long,
        env = "ROOM_SERVICE_ZEGO_URL",
        default_value = "https://rtc-api.zego.im/",
        value_name = "URL"
    )]
    pub zego_url: String,
}

impl MediaServerSettings {
    pub fn server_secret(&self) -> Result<Option<SecretString>, SettingsError> {
        secret(
            "zego-server-secret",
            self.zego_server_secret.as_ref(),
            self.zego_server_secret_file.as_deref(),
        )
    }
}
