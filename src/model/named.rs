//! Names: of the values of enums, and of errors when they are serialised.

/// Declares an enum of which each variant stands beside the name that it is stored and printed by.
///
/// A name is part of stored forms: it stays as it is when the variant gets a better word.
macro_rules! named_enum {
    (
        $(#[$about:meta])*
        pub enum $type:ident {
            $(
                $(#[$what:meta])*
                $variant:ident $(($($value:tt)*))? $({ $($fields:tt)* })? = $name:literal,
            )+
        }

        $(#[$about_name:meta])*
        fn name($receiver:ty);
    ) => {
        $crate::model::named::enum_of_names! {
            #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
            $(#[$about])*
            pub enum $type {
                $(
                    $(#[$what])*
                    #[cfg_attr(feature = "serde", serde(rename = $name))]
                    $variant $(($($value)*))? $({ $($fields)* })? = $name,
                )+
            }

            $(#[$about_name])*
            fn name($receiver);
        }
    };
}

/// Declares a [`named_enum`] that serialises in two forms. In a format for people a value is an object with
/// its `kind`, and with what it carries as its `value`. In a binary format it is the enum. Both forms are
/// private, so that nobody takes one for the other.
macro_rules! tagged_enum {
    (
        $(#[$about:meta])*
        pub enum $type:ident ($remote:literal, $tagged:ident, $plain:ident) {
            $(
                $(#[$what:meta])*
                $variant:ident $(($($value:tt)*))? $({ $($fields:tt)* })? = $name:literal,
            )+
        }

        $(#[$about_name:meta])*
        fn name($receiver:ty);
    ) => {
        $crate::model::named::enum_of_names! {
            $(#[$about])*
            pub enum $type {
                $(
                    $(#[$what])*
                    $variant $(($($value)*))? $({ $($fields)* })? = $name,
                )+
            }

            $(#[$about_name])*
            fn name($receiver);
        }

        /// The form for people.
        #[cfg(feature = "serde")]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(remote = $remote, tag = "kind", content = "value")]
        enum $tagged {
            $(
                #[serde(rename = $name)]
                $variant $(($($value)*))? $({ $($fields)* })?,
            )+
        }

        /// The binary form.
        #[cfg(feature = "serde")]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(remote = $remote)]
        enum $plain {
            $(
                #[serde(rename = $name)]
                $variant $(($($value)*))? $({ $($fields)* })?,
            )+
        }

        #[cfg(feature = "serde")]
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    $tagged::serialize(self, serializer)
                } else {
                    $plain::serialize(self, serializer)
                }
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    $tagged::deserialize(deserializer)
                } else {
                    $plain::deserialize(deserializer)
                }
            }
        }
    };
}

/// Declares an enum whose variants have names. How it serialises is up to the others.
macro_rules! enum_of_names {
    (
        $(#[$about:meta])*
        pub enum $type:ident {
            $(
                $(#[$what:meta])*
                $variant:ident $(($($value:tt)*))? $({ $($fields:tt)* })? = $name:literal,
            )+
        }

        $(#[$about_name:meta])*
        fn name($receiver:ty);
    ) => {
        $(#[$about])*
        #[non_exhaustive]
        pub enum $type {
            $(
                $(#[$what])*
                #[doc = concat!("\n\nIts name is `", $name, "`.")]
                $variant $(($($value)*))? $({ $($fields)* })?,
            )+
        }

        impl $type {
            $(#[$about_name])*
            #[must_use]
            pub const fn name(self: $receiver) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $name,)+
                }
            }
        }
    };
}

/// Prints values of a [`named_enum`] by their names.
macro_rules! print_name {
    ($($type:ty),+) => {$(
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }
    )+};
}

/// Serialises the name and the text of an error.
#[cfg(feature = "serde")]
pub(crate) fn serialize_error<S: serde::Serializer>(
    name: &str,
    error: &impl std::fmt::Display,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    use serde::ser::SerializeStruct;
    let mut fields = serializer.serialize_struct("Error", 2)?;
    fields.serialize_field("name", name)?;
    fields.serialize_field("message", &error.to_string())?;
    fields.end()
}

pub(crate) use {enum_of_names, named_enum, print_name, tagged_enum};
