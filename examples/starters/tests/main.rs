//! Each starter is started as it is, on a port of its own, and is spoken to over HTTP.
#![allow(clippy::unwrap_used, reason = "tests: what fails here names its line")]

mod lobby;
mod one_process;
mod server;
mod sqlite;
