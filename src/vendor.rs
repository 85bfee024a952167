//! The wire forms of media servers. Each vendor has a module that decodes them into
//! [callbacks](crate::Callback) and [observations](crate::Observation).

#[cfg(feature = "serde")]
pub mod zego;
