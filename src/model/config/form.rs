//! Settings as a value of a file: checked when they are read.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::config::{Config, ConfigBuilder, ConfigForm};

/// Serialises each setting under its name. A span has its unit in the name, as `heartbeat_timeout_ms`, and
/// the settings of [`Rules`](crate::Rules) are under `rules`.
///
/// ```
/// use room_registry::Config;
/// let config: Config = serde_json::from_str(r#"{"heartbeat_timeout_ms":30000}"#)?;
/// assert_eq!(config.heartbeat_timeout().as_secs(), 30);
/// let again: Config = serde_json::from_str(&serde_json::to_string(&config)?)?;
/// assert_eq!(again, config);
/// # Ok::<(), serde_json::Error>(())
/// ```
impl Serialize for Config {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ConfigForm::serialize(self, serializer)
    }
}

/// Reads settings, and checks them as [`ConfigBuilder::build`] does. A setting that is missing has its
/// default; `rules` are whole or missing. A name that is not known is an error.
///
/// ```
/// use room_registry::Config;
/// for wrong in [r#"{"heartbeat_timeout_ms":0}"#, r#"{"heartbeat_timeout":90}"#] {
///     assert!(serde_json::from_str::<Config>(wrong).is_err());
/// }
/// ```
impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let config = ConfigForm::deserialize(deserializer)?;
        ConfigBuilder { config }.build().map_err(serde::de::Error::custom)
    }
}
