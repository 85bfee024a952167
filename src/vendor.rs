//! The wire forms of media servers, each decoded into [callbacks](crate::Callback) and
//! [observations](crate::Observation).

#[cfg(feature = "serde")]
pub mod zego;
