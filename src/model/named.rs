//! Enums whose values have names.

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
        $(#[$about])*
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[non_exhaustive]
        pub enum $type {
            $(
                $(#[$what])*
                #[cfg_attr(feature = "serde", serde(rename = $name))]
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

pub(crate) use {named_enum, print_name};
