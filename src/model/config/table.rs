//! How a table of settings becomes types and methods.

/// Declares a struct of settings, its defaults, and for each row a getter of `Config` and a method
/// of `ConfigBuilder`. So each setting is listed once, and its documentation is written once.
///
/// The documentation of a row goes on after "Sets", or "Returns".
macro_rules! settings {
    (
        $(#[$about:meta])*
        pub struct $struct:ident $(at $part:ident)? $(with $whole:ident: $whole_type:ident)?
            $(read as $form:ident)? {
            $(
                $(#[$what:meta])*
                $name:ident: $type:ty = $default:expr, for example $example:expr;
                    kept as $unit:ident in $field:ident: $kept:ty,
            )+
        }
    ) => {
        $(#[$about])*
        ///
        /// | setting | default |
        /// |---|---|
        $(
            #[doc = concat!(
                "| [`", stringify!($name), "`](ConfigBuilder::", stringify!($name), ") | `",
                stringify!($default), "` |"
            )]
        )+
        pub struct $struct {
            $(pub(crate) $whole: $whole_type,)?
            $(pub(crate) $field: $kept,)+
        }

        form!([$($whole: $whole_type,)? $($field: $kept,)+] $($form)?);

        impl Default for $struct {
            fn default() -> Self {
                Self {
                    $($whole: $whole_type::default(),)?
                    $($field: $unit::keep($default),)+
                }
            }
        }

        impl $struct {
            fn of(config: &Config) -> &Self {
                &(*config)$(.$part)?
            }

            fn of_mut(config: &mut Config) -> &mut Self {
                changeable!(config $($part)?)
            }
        }

        impl Config {
            $(
                #[doc = "Returns"]
                $(#[$what])*
                ///
                /// ```
                /// # use std::time::Duration;
                /// # use room_registry::{Config, Role, Text, repair::CanAsk};
                #[doc = concat!(
                    "assert_eq!(Config::default().", stringify!($name), "(), ",
                    stringify!($default), ");"
                )]
                /// ```
                #[must_use]
                #[allow(clippy::clone_on_copy, reason = "not every setting is a plain number")]
                pub fn $name(&self) -> $type {
                    $unit::read($struct::of(self).$field.clone())
                }
            )+
        }

        impl ConfigBuilder {
            $(
                #[doc = "Sets"]
                $(#[$what])*
                ///
                #[doc = concat!("Default: `", stringify!($default), "`.")]
                ///
                /// ```
                /// # use std::time::Duration;
                /// # use room_registry::{Config, Lifecycle, Role, Text, repair::CanAsk};
                #[doc = concat!(
                    "let config = Config::builder().", stringify!($name), "(",
                    stringify!($example), ").build()?;"
                )]
                #[doc = concat!(
                    "assert_eq!(config.", stringify!($name), "(), ", stringify!($example), ");"
                )]
                /// # Ok::<(), room_registry::ConfigError>(())
                /// ```
                pub fn $name(mut self, $name: $type) -> Self {
                    $struct::of_mut(&mut self.config).$field = $unit::keep($name);
                    self
                }
            )+
        }
    };
}

pub(super) use settings;

/// Declares the form in which a `Config` is written and read. It is private, so that nobody reads settings past
/// the check.
macro_rules! form {
    ([$($fields:tt)*]) => {};
    ([$($fields:tt)*] $form:ident) => {
        #[cfg(feature = "serde")]
        #[derive(Serialize, Deserialize)]
        #[serde(remote = "Config", default = "Config::default", deny_unknown_fields)]
        struct $form { $($fields)* }
    };
}

pub(super) use form;

/// Returns settings to change them. What rooms share is copied first.
macro_rules! changeable {
    ($config:ident) => {
        $config
    };
    ($config:ident $shared:ident) => {
        Arc::make_mut(&mut $config.$shared)
    };
}

pub(super) use changeable;

/// A span is kept in whole milliseconds.
pub(super) mod span {
    use std::time::Duration;

    pub(in crate::model::config) use crate::model::time::millis as keep;

    pub(in crate::model::config) fn read(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }
}

/// A span that may be missing is kept in whole milliseconds.
pub(super) mod optional_span {
    use std::time::Duration;

    use crate::model::time::millis;

    pub(in crate::model::config) fn keep(span: Option<Duration>) -> Option<u64> {
        span.map(millis)
    }

    pub(in crate::model::config) fn read(millis: Option<u64>) -> Option<Duration> {
        millis.map(Duration::from_millis)
    }
}

/// Another value is kept as it is.
pub(super) mod value {
    pub(in crate::model::config) use std::convert::{identity as keep, identity as read};
}

/// Roles are kept where many rooms can share them.
pub(super) mod roles {
    use crate::model::text::{Role, Roles};

    pub(in crate::model::config) fn keep(roles: Vec<Role>) -> Roles {
        Roles::new(roles)
    }

    #[expect(clippy::needless_pass_by_value, reason = "as the others take it")]
    pub(in crate::model::config) fn read(roles: Roles) -> Vec<Role> {
        roles.iter().cloned().collect()
    }
}
