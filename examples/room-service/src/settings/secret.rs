//! Secrets, from a flag, the environment or a file.

use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use super::SettingsError;

/// How long a secret may be, in bytes.
pub(super) const MAX_SECRET_LEN: u64 = 4_096;

/// A secret from its setting or its file, without the white space around it.
pub(super) fn secret(
    name: &'static str,
    value: Option<&SecretString>,
    file: Option<&Path>,
) -> Result<Option<SecretString>, SettingsError> {
    let secret = match (value, file) {
        (Some(value), _) => SecretString::from(value.expose_secret().trim()),
        (None, Some(path)) => {
            let unreadable = |error| SettingsError::Unreadable { name, error };
            if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_SECRET_LEN {
                return Err(SettingsError::TooLong { name });
            }
            let text = SecretString::from(std::fs::read_to_string(path).map_err(unreadable)?);
            SecretString::from(text.expose_secret().trim())
        }
        (None, None) => return Ok(None),
    };
    if secret.expose_secret().is_empty() {
        return Err(SettingsError::Empty { name });
    }
    Ok(Some(secret))
}
