//! Each starter is started as it is, on a port of its own, and is spoken to over HTTP.

mod lobby;
mod one_process;
mod server;
mod sqlite;
